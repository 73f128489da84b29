//! Operators that bring tables together.
use super::super::{Parsed, Parser};
use crate::diagnostic::{Diagnostic, closest};
use crate::kql::ast::{
    Expression, ExpressionKind, Join, JoinKind, Literal, Lookup, Name, OperatorKind, Parameter, Spanned, Union,
    UnionKind,
};
use crate::kql::lex::TokenKind;

const JOIN_KINDS: &[(&str, JoinKind)] = &[
    ("anti", JoinKind::LeftAnti),
    ("fullouter", JoinKind::FullOuter),
    ("inner", JoinKind::Inner),
    ("innerunique", JoinKind::InnerUnique),
    ("leftanti", JoinKind::LeftAnti),
    ("leftantisemi", JoinKind::LeftAnti),
    ("leftouter", JoinKind::LeftOuter),
    ("leftsemi", JoinKind::LeftSemi),
    ("rightanti", JoinKind::RightAnti),
    ("rightantisemi", JoinKind::RightAnti),
    ("rightouter", JoinKind::RightOuter),
    ("rightsemi", JoinKind::RightSemi),
    ("semi", JoinKind::LeftSemi),
];

const UNION_KINDS: &[(&str, UnionKind)] = &[("inner", UnionKind::Inner), ("outer", UnionKind::Outer)];

impl Parser<'_> {
    pub(super) fn join(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind", "withsource", "with_source", "isfuzzy"])?;
        let kind = self.take_choice(&mut parameters, "kind", JOIN_KINDS);
        let right = self.table_reference()?;
        let on = self.join_conditions()?;
        Ok(OperatorKind::Join(Join { kind, parameters, right, on }))
    }

    pub(super) fn lookup(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind"])?;
        let kind = self.take_choice(&mut parameters, "kind", JOIN_KINDS);
        let right = self.table_reference()?;
        let on = self.join_conditions()?;
        Ok(OperatorKind::Lookup(Lookup { kind, parameters, right, on }))
    }

    fn join_conditions(&mut self) -> Parsed<Vec<Expression>> {
        if !self.at_word("on") {
            if self.assumed() {
                return Ok(Vec::new());
            }
            let said = Diagnostic::error("KS006", format!("`on` is missing before {}", self.here()));
            return Err(
                self.report(said.at(self.token().span).help("name the key: `on Key` or `on $left.A == $right.B`"))
            );
        }
        self.advance();
        let conditions = self.list(Self::expression)?;
        Ok(conditions.into_iter().flat_map(conjuncts).collect())
    }

    pub(super) fn union(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind", "withsource", "with_source", "isfuzzy"])?;
        let kind = self.take_choice(&mut parameters, "kind", UNION_KINDS);
        let with_source = self.take_name(&mut parameters, &["withsource", "with_source"]);
        let is_fuzzy = self.take_flag(&mut parameters, "isfuzzy");
        let tables = self.list(Self::table_reference)?;
        Ok(OperatorKind::Union(Union { kind, with_source, is_fuzzy, parameters, tables }))
    }

    /// Takes the parameter of a name out of the others; the last one counts.
    pub(super) fn take_parameter(&mut self, parameters: &mut Vec<Parameter>, names: &[&str]) -> Option<Parameter> {
        let (taken, rest) = parameters.drain(..).partition(|p| names.contains(&p.name.text.as_str()));
        *parameters = rest;
        let taken: Vec<Parameter> = taken;
        taken.into_iter().next_back()
    }

    /// A parameter whose value is one of a few words.
    pub(super) fn take_choice<T: Copy>(
        &mut self,
        parameters: &mut Vec<Parameter>,
        name: &str,
        choices: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let Parameter { value, .. } = self.take_parameter(parameters, &[name])?;
        if self.want_value(&value, choices.iter().map(|(word, _)| *word)) {
            return None;
        }
        let written = word_of(&value).unwrap_or_default();
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == written) {
            return Some(Spanned { value: *choice, span: value.span });
        }
        let words = || choices.iter().map(|(word, _)| *word);
        let help = match closest(&written, words()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", words().collect::<Vec<_>>().join(", ")),
        };
        let text = value.span.text(self.text).to_string();
        let said = Diagnostic::error("KS005", format!("`{text}` is not a value of `{name}`")).at(value.span);
        self.report(said.help(help));
        None
    }

    /// A parameter whose value is a name, bare or as a string.
    pub(super) fn take_name(&mut self, parameters: &mut Vec<Parameter>, names: &[&str]) -> Option<Name> {
        let Parameter { name, value, .. } = self.take_parameter(parameters, names)?;
        if let Some(text) = word_of(&value) {
            return Some(Name { text, span: value.span });
        }
        let said = Diagnostic::error("HP112", format!("`{}` takes a name", name.text)).at(value.span);
        self.report(said);
        None
    }

    fn take_flag(&mut self, parameters: &mut Vec<Parameter>, name: &str) -> bool {
        let Some(Parameter { value, .. }) = self.take_parameter(parameters, &[name]) else { return false };
        self.want_value(&value, ["true", "false"].into_iter());
        if let ExpressionKind::Literal(Literal::Bool(flag)) = value.kind {
            return flag.unwrap_or(false);
        }
        let said = Diagnostic::error("KS223", format!("`{name}` is true or false")).at(value.span);
        self.report(said);
        false
    }

    /// `(T, Sec*)` after `in`, of `search` and `find`.
    pub(super) fn searched_tables(&mut self) -> Parsed<Vec<Expression>> {
        let follows = self.at_word("in") && self.ahead(1).kind == TokenKind::Symbol("(");
        if !follows {
            return Ok(Vec::new());
        }
        self.advance();
        self.advance();
        self.list_until(")", Self::table_reference)
    }
}

/// The terms of a conjunction, or the expression itself.
fn conjuncts(expression: Expression) -> Vec<Expression> {
    match expression.kind {
        ExpressionKind::And(terms) => terms.into_iter().flat_map(conjuncts).collect(),
        _ => vec![expression],
    }
}

/// A name or a string as text.
pub(super) fn word_of(value: &Expression) -> Option<String> {
    match &value.kind {
        ExpressionKind::Name(name) => Some(name.text.clone()),
        ExpressionKind::Literal(Literal::String(literal)) => Some(literal.text.clone()),
        _ => None,
    }
}
