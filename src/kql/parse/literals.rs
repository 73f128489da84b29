//! Literals: from a token to its value, without loss.
use super::{Parsed, Parser};
use crate::diagnostic::{Diagnostic, Span};
use crate::kql::ast::{Expression, ExpressionKind, Literal, RawText, StringLiteral};
use crate::kql::lex::{Token, TokenKind, decode};
use crate::types::Kind;

impl Parser<'_> {
    /// The literal that stands here, if one does.
    pub(super) fn literal(&mut self) -> Parsed<Option<Expression>> {
        let token = self.token();
        let literal = match token.kind {
            TokenKind::String => return self.string_expression().map(Some),
            TokenKind::Long => self.long(token),
            TokenKind::Real => Literal::Real(self.written(token).parse().ok()),
            TokenKind::TimeSpan => Literal::TimeSpan(Some(self.raw(token.span))),
            TokenKind::Typed => self.typed(token),
            TokenKind::Dynamic => self.dynamic(token),
            TokenKind::Guid => self.bare_guid(token),
            TokenKind::Word => match self.written(token) {
                "true" | "True" | "TRUE" => Literal::Bool(Some(true)),
                "false" | "False" | "FALSE" => Literal::Bool(Some(false)),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Expression { kind: ExpressionKind::Literal(literal), span: token.span }))
    }

    fn string_expression(&mut self) -> Parsed<Expression> {
        let start = self.token().span;
        let literal = self.string()?;
        Ok(Expression { kind: ExpressionKind::Literal(Literal::String(literal)), span: self.since(start) })
    }

    /// A string literal; those that stand side by side are one.
    pub(super) fn string(&mut self) -> Parsed<StringLiteral> {
        if self.token().kind != TokenKind::String {
            return self.missing("a string");
        }
        let mut literal = StringLiteral { text: String::new(), hidden: false };
        while self.token().kind == TokenKind::String {
            let token = self.advance();
            let (text, hidden) = decode(self.written(token));
            literal.text.push_str(&text);
            literal.hidden |= hidden;
        }
        Ok(literal)
    }

    fn raw(&self, span: Span) -> RawText {
        RawText { text: span.text(self.text).to_string(), span }
    }

    /// The span within a literal's parentheses, without the spaces around.
    fn inside(&self, token: Token) -> Span {
        let written = self.written(token);
        let from = written.find('(').map_or(written.len(), |at| at + 1);
        let to = if written.len() > from && written.ends_with(')') { written.len() - 1 } else { written.len() };
        let text = written.get(from..to).unwrap_or("");
        let start = token.span.start as usize + from + (text.len() - text.trim_start().len());
        Span::new(start, start + text.trim().len())
    }

    fn dynamic(&mut self, token: Token) -> Literal {
        let inside = self.inside(token);
        if self.written(token).ends_with(')') {
            self.check_dynamic(inside);
        }
        Literal::Dynamic(self.raw(inside))
    }

    fn long(&mut self, token: Token) -> Literal {
        let value = long(self.written(token));
        if value.is_none() {
            let said = Diagnostic::error("HP110", format!("`{}` does not fit into a long", self.written(token)));
            self.report(said.at(token.span).help("write real(...) or decimal(...) for a number of that size"));
        }
        Literal::Long(value)
    }

    fn bare_guid(&mut self, token: Token) -> Literal {
        let written = self.written(token);
        let said = Diagnostic::error("KS214", "a guid cannot stand bare").at(token.span);
        self.report(said.help(format!("write guid({written}), or \"{written}\" for a string")));
        Literal::Guid(Some(self.raw(token.span)))
    }

    fn typed(&mut self, token: Token) -> Literal {
        let name = self.written(token).split('(').next().unwrap_or("");
        let inside = self.raw(self.inside(token));
        if inside.text == "null" {
            return null(name);
        }
        let text = inside.text.clone();
        let literal = match name {
            "datetime" | "date" => Some(Literal::DateTime(Some(inside))),
            "timespan" | "time" => Some(Literal::TimeSpan(Some(inside))),
            "guid" => Some(Literal::Guid(Some(inside))),
            "decimal" => Some(Literal::Decimal(Some(inside))),
            "bool" => boolean(&text).map(|b| Literal::Bool(Some(b))),
            "int" | "int32" => int(&text).map(|i| Literal::Int(Some(i))),
            "long" | "int64" => long(&text).map(|i| Literal::Long(Some(i))),
            _ => real(&text).map(|x| Literal::Real(Some(x))),
        };
        literal.unwrap_or_else(|| self.no_literal(token, name, &text))
    }

    fn no_literal(&mut self, token: Token, name: &str, text: &str) -> Literal {
        let kind = Kind::parse(name).map_or(name, |kind| kind.name());
        let said = Diagnostic::error("HP111", format!("`{text}` is not a literal of kind {kind}")).at(token.span);
        self.report(said.help(format!("{name}(...) takes a literal; to{kind}(...) converts a value")));
        null(name)
    }
}

fn null(name: &str) -> Literal {
    match name {
        "datetime" | "date" => Literal::DateTime(None),
        "timespan" | "time" => Literal::TimeSpan(None),
        "guid" => Literal::Guid(None),
        "decimal" => Literal::Decimal(None),
        "bool" => Literal::Bool(None),
        "int" | "int32" => Literal::Int(None),
        "long" | "int64" => Literal::Long(None),
        _ => Literal::Real(None),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        number => long(number).map(|n| n != 0),
    }
}

/// A whole number, decimal or hexadecimal; a hexadecimal one may set the sign's bit.
fn long(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest.trim_start()));
    let Some(hexadecimal) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) else {
        return format!("{sign}{digits}").parse().ok();
    };
    let value = u64::from_str_radix(hexadecimal, 16).ok()?.cast_signed();
    Some(if sign.is_empty() { value } else { value.wrapping_neg() })
}

fn int(text: &str) -> Option<i32> {
    long(text).and_then(|value| value.try_into().ok())
}

/// A number, `nan`, `+inf`, `-inf`.
fn real(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        number if number.contains(|c: char| c.is_ascii_digit()) => {
            number.parse().ok().or_else(|| long(number).map(|n| n as f64))
        }
        _ => None,
    }
}
