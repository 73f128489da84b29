//! Reading a plugin's arguments.
use super::{Evaluation, Plugin, Takes};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{Argument, Call, ExpressionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::convert::constant_to;
use crate::kql::bind::relation::{Open, Relation, Row};
use crate::types::{Kind, Name, Value};

impl<'e> Evaluation<'e> {
    /// The place of a parameter.
    fn place(&self, name: &str) -> usize {
        self.plugin.parameters.iter().position(|p| p.name == name).unwrap_or(usize::MAX)
    }

    /// The argument of a parameter: the one of its name, else the one in its place.
    pub fn argument(&self, name: &str) -> Option<&'e Argument> {
        let is_named = |a: &&Argument| a.name.as_ref().is_some_and(|n| n.text.eq_ignore_ascii_case(name));
        let at = self.place(name);
        let in_place = || self.call.arguments.get(at).filter(|a| !self.names_parameter(a));
        self.call.arguments.iter().find(is_named).or_else(in_place)
    }

    /// The arguments of the last parameter, which may be given any number of times.
    pub fn rest(&self, name: &str) -> &'e [Argument] {
        self.call.arguments.get(self.place(name)..).unwrap_or_default()
    }

    pub fn arguments(&self) -> &'e [Argument] {
        &self.call.arguments
    }

    /// Whether the argument's name is that of a parameter, and not one for a column.
    fn names_parameter(&self, argument: &Argument) -> bool {
        let named = |name: &str| self.plugin.parameters.iter().any(|p| p.name.eq_ignore_ascii_case(name));
        argument.name.as_ref().is_some_and(|name| named(&name.text))
    }
}

impl Binder<'_> {
    /// The rows with the columns that arguments name, where the rows may have any column.
    pub(super) fn with_named_columns(&mut self, plugin: &'static Plugin, call: &Call, input: &Relation) -> Relation {
        if input.open != Open::Any {
            return input.clone();
        }
        let takes = |at: usize| plugin.parameters.get(at).or(plugin.parameters.last()).map(|p| p.takes);
        let named = call.arguments.iter().enumerate().filter(|(at, _)| takes(*at) == Some(Takes::Column));
        let mut missing: Vec<(Name, Expr)> = Vec::new();
        for (_, argument) in named {
            let ExpressionKind::Name(name) = &argument.value.kind else { continue };
            let known = input.schema.contains(&name.text) || missing.iter().any(|(n, _)| **n == *name.text);
            if !known && self.scopes.find(self.scope, &name.text).is_none() {
                missing.push((name.text.as_str().into(), Expr::Const(Value::Null(Kind::Dynamic))));
            }
        }
        self.extend(input, missing)
    }

    /// The argument of a parameter that must be given.
    pub(super) fn given<'e>(&mut self, evaluation: &Evaluation<'e>, name: &str) -> Bind<&'e Argument> {
        match evaluation.argument(name) {
            Some(argument) => Ok(argument),
            None => {
                let message = format!("The plugin '{}' expects the argument '{name}'.", evaluation.plugin.name);
                Err(self.error("KS119", message, evaluation.call.name.span))
            }
        }
    }

    /// The column that an argument names.
    pub(super) fn column_of(&mut self, argument: &Argument, rows: &Relation) -> Bind<(Name, Kind)> {
        match self.scalar(&argument.value, &Row::of(rows))? {
            Expr::Column(name, kind) => Ok((name, kind)),
            _ => Err(self.error("KS109", "Column name expected.", argument.span)),
        }
    }

    /// The column of a parameter that must be given.
    pub(super) fn column_argument(&mut self, evaluation: &Evaluation, name: &str) -> Bind<(Name, Kind)> {
        let argument = self.given(evaluation, name)?;
        self.column_of(argument, evaluation.input)
    }

    /// The columns of the arguments.
    pub(super) fn columns_of(&mut self, arguments: &[Argument], rows: &Relation) -> Bind<Vec<(Name, Kind)>> {
        arguments.iter().map(|argument| self.column_of(argument, rows)).collect()
    }

    /// The value of an argument; none where only a run can tell it, and there is none yet.
    pub(super) fn value_of(&mut self, argument: &Argument) -> Bind<Option<Value>> {
        let expr = self.scalar(&argument.value, &Row::default())?;
        if let Some(value) = self.constant(&expr) {
            return Ok(Some(value));
        }
        if expr.late().is_empty() {
            return Err(self.error("HP103", "The expression must be a constant.", argument.span));
        }
        let one = self.one_row();
        let cell = self.project(&one, vec![("value".into(), expr)]);
        // The columns are known, whatever the value is.
        let open = self.open;
        let answer = self.answer(cell.node, argument.span);
        self.open = open;
        Ok(answer.filter(|table| table.rows() > 0).map(|table| table.column(0).value(0)))
    }

    /// The constant of an optional parameter; the text `~` stands for its default.
    pub(super) fn option(&mut self, evaluation: &Evaluation, name: &str) -> Bind<Option<Value>> {
        let Some(argument) = evaluation.argument(name) else { return Ok(None) };
        let value = self.constant_of(&argument.value)?;
        Ok(Some(value).filter(|value| value.as_text() != Some("~")))
    }

    /// An optional whole number between two bounds.
    pub(super) fn whole_option(
        &mut self,
        evaluation: &Evaluation,
        name: &str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Bind<Option<usize>> {
        let Some(value) = self.option(evaluation, name)? else { return Ok(None) };
        match value.as_long().filter(|number| value.kind().is_integer() && bounds.contains(number)) {
            Some(number) => Ok(usize::try_from(number).ok()),
            None => {
                let wanted = format!("'{name}' must be a whole number from {} to {}.", bounds.start(), bounds.end());
                Err(self.error("HP126", wanted, self.place_of(evaluation, name)))
            }
        }
    }

    /// An optional number between two bounds.
    pub(super) fn real_option(
        &mut self,
        evaluation: &Evaluation,
        name: &str,
        bounds: std::ops::RangeInclusive<f64>,
    ) -> Bind<Option<f64>> {
        let Some(value) = self.option(evaluation, name)? else { return Ok(None) };
        match value.as_real().filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let wanted = format!("'{name}' must be a number from {} to {}.", bounds.start(), bounds.end());
                Err(self.error("HP126", wanted, self.place_of(evaluation, name)))
            }
        }
    }

    pub(super) fn place_of(&self, evaluation: &Evaluation, name: &str) -> Span {
        evaluation.argument(name).map_or(evaluation.call.span, |argument| argument.span)
    }

    /// A constant as `kind`, which must not be null; none where only a run can tell it.
    pub(super) fn setting(&mut self, argument: &Argument, kind: Kind) -> Bind<Option<Value>> {
        let Some(value) = self.value_of(argument)? else { return Ok(None) };
        match constant_to(&value, kind) {
            fitted if !fitted.is_null() && fits(value.kind(), kind) => Ok(Some(fitted)),
            _ => Err(self.error("KS107", format!("A value of type {kind} expected."), argument.span)),
        }
    }
}

/// Whether a constant may be written for one of another kind.
fn fits(given: Kind, wanted: Kind) -> bool {
    let same = given == wanted || given == Kind::Dynamic;
    let text = given == Kind::String && matches!(wanted, Kind::DateTime | Kind::TimeSpan);
    same || text || (given.is_number() && wanted.is_number())
}
