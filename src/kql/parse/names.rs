//! Names, patterns of names, kinds, schemas and the `name=value` parameters of operators.
use super::expressions::name_of;
use super::{Parsed, Parser, Wanted};
use crate::diagnostic::{Diagnostic, closest};
use crate::kql::ast::{
    Column, ColumnDeclaration, ColumnNames, ExpressionKind, Name, NamePattern, Parameter, RowSchema, TypeName,
};
use crate::kql::lex::{TokenKind, decode};
use crate::types::Kind;

/// Kinds as Kusto spells them in schemas, for a did-you-mean.
const KINDS: &[&str] = &["bool", "datetime", "decimal", "dynamic", "guid", "int", "long", "real", "string", "timespan"];

impl Parser<'_> {
    /// Whether a name begins here, and how many tokens it takes: a word, `['a b']`, `["x"]`.
    pub(super) fn name_length(&self, ahead: usize) -> Option<usize> {
        match self.ahead(ahead).kind {
            TokenKind::Word => (!self.written(self.ahead(ahead)).starts_with('!')).then_some(1),
            TokenKind::Symbol("[") => {
                let quoted = self.ahead(ahead + 1).kind == TokenKind::String && self.is_symbol(ahead + 2, "]");
                quoted.then_some(3)
            }
            _ => None,
        }
    }

    /// A name where only a name can stand, so that any word will do.
    pub(super) fn name(&mut self) -> Parsed<Name> {
        match self.name_length(0) {
            Some(1) => {
                let token = self.advance();
                Ok(Name { text: self.written(token).to_string(), span: token.span })
            }
            Some(_) => {
                let start = self.advance().span;
                let (text, _) = decode(self.written(self.token()));
                self.advance();
                self.advance();
                Ok(Name { text, span: self.since(start) })
            }
            None if self.assumed() => Ok(self.unwritten()),
            None => self.missing("a name"),
        }
    }

    /// `hint.strategy`, `project-away`: words joined without spaces.
    pub(super) fn joined_name(&mut self, joint: &str) -> Parsed<Name> {
        if self.token().kind != TokenKind::Word {
            return self.missing("a name");
        }
        let start = self.advance().span;
        while self.at(joint) && self.touches(0) && self.touches(1) && self.ahead(1).kind == TokenKind::Word {
            self.advance();
            self.advance();
        }
        let span = self.since(start);
        Ok(Name { text: span.text(self.text).to_string(), span })
    }

    /// How many tokens a pattern with stars takes, where one begins here: `*`, `a*`, `*b*c`.
    pub(super) fn wildcard_length(&self) -> Option<usize> {
        let is_part = |ahead: usize| {
            let kind = self.ahead(ahead).kind;
            matches!(kind, TokenKind::Word | TokenKind::Long | TokenKind::TimeSpan | TokenKind::Symbol("*"))
        };
        let follows = |ahead: &usize| is_part(*ahead) && (*ahead == 0 || self.touches(*ahead));
        let length = (0..).take_while(follows).count();
        (0..length).any(|ahead| self.is_symbol(ahead, "*")).then_some(length)
    }

    pub(super) fn name_pattern(&mut self) -> Parsed<NamePattern> {
        self.want(Wanted::Column);
        let Some(length) = self.wildcard_length() else {
            let Name { text, span } = self.name()?;
            return Ok(NamePattern { text, wildcard: false, span });
        };
        let start = self.token().span;
        self.position += length;
        let span = self.since(start);
        Ok(NamePattern { text: span.text(self.text).to_string(), wildcard: true, span })
    }

    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        if self.assumed_to_be(Wanted::Kind) {
            return Ok(TypeName { kind: None, span: self.token().span });
        }
        if self.token().kind != TokenKind::Word {
            return self.missing("the name of a kind");
        }
        let token = self.advance();
        let written = self.written(token);
        let kind = Kind::parse(written);
        if kind.is_none() {
            let said = Diagnostic::error("KS160", format!("`{written}` is not the name of a kind")).at(token.span);
            let help = match closest(written, KINDS.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the kinds are {}", KINDS.join(", ")),
            };
            self.report(said.help(help));
        }
        Ok(TypeName { kind, span: token.span })
    }

    pub(super) fn column_declaration(&mut self) -> Parsed<ColumnDeclaration> {
        let name = self.name()?;
        self.expect(":")?;
        let kind = self.type_name()?;
        let span = name.span.to(kind.span);
        Ok(ColumnDeclaration { name, kind, span })
    }

    /// `(a:string, b:long)`; a comma may end it, as in Kusto.
    pub(super) fn columns(&mut self) -> Parsed<Vec<ColumnDeclaration>> {
        self.expect("(")?;
        let mut columns = Vec::new();
        while !self.eat(")") {
            columns.push(self.column_declaration()?);
            if !self.eat(",") && !self.at(")") {
                return self.expected("`,` or `)`");
            }
        }
        Ok(columns)
    }

    /// `(a:string, *)`
    pub(super) fn row_schema(&mut self) -> Parsed<RowSchema> {
        let start = self.expect("(")?.span;
        let mut open = false;
        let items = self.list_until(")", |p| {
            let star = p.eat("*");
            open |= star;
            if star { Ok(None) } else { p.column_declaration().map(Some) }
        })?;
        Ok(RowSchema { columns: items.into_iter().flatten().collect(), open, span: self.since(start) })
    }

    /// The parameters in front of an operator's operands: those named, and every `hint.`.
    pub(super) fn parameters(&mut self, known: &[&'static str]) -> Parsed<Vec<Parameter>> {
        known.iter().for_each(|name| self.want(Wanted::Parameter(name)));
        let mut parameters = Vec::new();
        while self.at_parameter(known) {
            parameters.push(self.parameter()?);
        }
        Ok(parameters)
    }

    fn at_parameter(&self, known: &[&str]) -> bool {
        if self.token().kind != TokenKind::Word {
            return false;
        }
        let hint = self.is_word(0, "hint") && self.is_symbol(1, ".");
        hint || (self.is_symbol(1, "=") && known.contains(&self.written(self.token())))
    }

    /// `name=value`, where the value is a literal or a name.
    pub(super) fn parameter(&mut self) -> Parsed<Parameter> {
        let name = self.joined_name(".")?;
        self.expect("=")?;
        let value = match self.literal()? {
            Some(literal) => literal,
            None if self.assumed() => name_of(self.unwritten()),
            None if self.name_length(0).is_some() => name_of(self.name()?),
            None => self.unary()?,
        };
        let span = name.span.to(value.span);
        Ok(Parameter { name, value, span })
    }

    /// `with (name=value, ...)`, where a value may be any expression.
    pub(super) fn properties(&mut self) -> Parsed<Vec<Parameter>> {
        self.expect("(")?;
        self.list_until(")", Self::property)
    }

    pub(super) fn property(&mut self) -> Parsed<Parameter> {
        let name = self.joined_name(".")?;
        self.expect("=")?;
        let value = self.expression()?;
        let span = name.span.to(value.span);
        Ok(Parameter { name, value, span })
    }

    /// `expression`, `name = expression`, `(a, b) = expression`
    pub(super) fn column(&mut self) -> Parsed<Column> {
        let start = self.token().span;
        let names = self.column_names()?;
        let expression = self.expression()?;
        if expression.kind == ExpressionKind::Star {
            let said = Diagnostic::error("KS006", "`*` cannot stand for columns here").at(expression.span);
            return Err(self.report(said));
        }
        Ok(Column { names, expression, span: self.since(start) })
    }

    fn column_names(&mut self) -> Parsed<ColumnNames> {
        if self.name_length(0).is_some_and(|length| self.is_symbol(length, "=")) {
            let name = self.name()?;
            self.advance();
            return Ok(ColumnNames::One(name));
        }
        if !self.at_tuple() {
            return Ok(ColumnNames::Automatic);
        }
        self.advance();
        let names = self.list_until(")", Self::name)?;
        self.expect("=")?;
        Ok(ColumnNames::Tuple(names))
    }

    /// Whether `(a, b) =` stands here.
    fn at_tuple(&self) -> bool {
        if !self.at("(") {
            return false;
        }
        let mut ahead = 1;
        while let Some(length) = self.name_length(ahead) {
            ahead += length;
            if self.is_symbol(ahead, ")") {
                return self.is_symbol(ahead + 1, "=");
            }
            if !self.is_symbol(ahead, ",") {
                return false;
            }
            ahead += 1;
        }
        false
    }
}
