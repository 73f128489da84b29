//! Operators that take texts apart: `parse`, `parse-where`, `parse-kv`.
use super::super::{Parsed, Parser};
use super::joining::word_of;
use crate::diagnostic::Diagnostic;
use crate::kql::ast::{OperatorKind, Parse, ParseKind, ParseKv, ParsePart, Spanned};
use crate::kql::lex::TokenKind;

const PARSE_KINDS: &[(&str, ParseKind)] =
    &[("regex", ParseKind::Regex), ("relaxed", ParseKind::Relaxed), ("simple", ParseKind::Simple)];

impl Parser<'_> {
    /// `parse kind=regex flags=i expression with * "text" name:kind *`
    pub(super) fn parse_operator(&mut self, only_matching: bool) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind", "flags"])?;
        let kind = self.take_choice(&mut parameters, "kind", PARSE_KINDS);
        let flags = match self.take_parameter(&mut parameters, &["flags"]) {
            None => None,
            Some(flags) => match word_of(&flags.value) {
                Some(value) => Some(Spanned { value, span: flags.value.span }),
                None => return Err(self.report(Diagnostic::error("HP112", "`flags` takes letters").at(flags.span))),
            },
        };
        let expression = self.expression()?;
        self.expect_word("with")?;
        let mut pattern = Vec::new();
        while !self.at_operator_end() {
            pattern.push(self.parse_part()?);
        }
        Ok(OperatorKind::Parse(Box::new(Parse { only_matching, kind, flags, parameters, expression, pattern })))
    }

    fn parse_part(&mut self) -> Parsed<ParsePart> {
        let token = self.token();
        match token.kind {
            TokenKind::Symbol("*") => {
                self.advance();
                Ok(ParsePart::Skip(token.span))
            }
            TokenKind::String => {
                let text = self.string()?.text;
                Ok(ParsePart::Text(Spanned { value: text, span: self.since(token.span) }))
            }
            _ if self.name_length(0).is_some() => {
                let name = self.name()?;
                let kind = if self.eat(":") { Some(self.type_name()?) } else { None };
                Ok(ParsePart::Column { name, kind })
            }
            _ => self.missing("a text, a column or `*`"),
        }
    }

    /// `parse-kv expression as (a:string, ...) with (pair_delimiter=",", ...)`
    pub(super) fn parse_kv(&mut self) -> Parsed<OperatorKind> {
        let expression = self.expression()?;
        self.expect_word("as")?;
        let columns = self.columns()?;
        let properties = if self.eat_word("with") { self.properties()? } else { Vec::new() };
        Ok(OperatorKind::ParseKv(ParseKv { expression, columns, properties }))
    }
}
