//! Literals to values.
use super::Bind;
use super::binder::Binder;
use crate::diagnostic::Span;
use crate::kql::ast::{Literal, RawText};
use crate::types::{Kind, Value, datetime, decimal, guid, json, timespan};

impl Binder<'_> {
    pub fn literal(&mut self, literal: &Literal, span: Span) -> Bind<Value> {
        let null = |kind| Ok(Value::Null(kind));
        match literal {
            Literal::Bool(value) => value.map_or_else(|| null(Kind::Bool), |b| Ok(Value::Bool(b))),
            Literal::Int(value) => value.map_or_else(|| null(Kind::Int), |i| Ok(Value::Int(i))),
            Literal::Long(value) => value.map_or_else(|| null(Kind::Long), |i| Ok(Value::Long(i))),
            Literal::Real(value) => value.map_or_else(|| null(Kind::Real), |r| Ok(Value::Real(r))),
            Literal::String(text) => Ok(Value::string(text.text.as_str())),
            Literal::Decimal(text) => self.text_literal(text, Kind::Decimal, span, |t| {
                decimal::parse(t).map(|d| Value::Text(Kind::Decimal, d.into()))
            }),
            Literal::Guid(text) => {
                self.text_literal(text, Kind::Guid, span, |t| guid::parse(t).map(|g| Value::Text(Kind::Guid, g.into())))
            }
            Literal::DateTime(text) if text.as_ref().is_some_and(|t| t.text.trim().is_empty()) => {
                // `datetime()` is the same as `now()`.
                Ok(Value::DateTime(self.settings.now))
            }
            Literal::DateTime(text) => self.text_literal(text, Kind::DateTime, span, |t| {
                datetime::parse(t).or_else(|| datetime::parse(&dashed(t)?)).map(Value::DateTime)
            }),
            Literal::TimeSpan(text) => {
                self.text_literal(text, Kind::TimeSpan, span, |t| timespan::parse(t).map(Value::TimeSpan))
            }
            Literal::Dynamic(text) => match json::literal(&text.text) {
                Ok(read) if read == "null" => null(Kind::Dynamic),
                Ok(read) => Ok(Value::dynamic(read)),
                Err((at, why)) => {
                    let start = text.span.start as usize + at;
                    Err(self.error("HP101", format!("not a dynamic literal: {why}"), Span::new(start, start + 1)))
                }
            },
        }
    }

    fn text_literal(
        &mut self,
        text: &Option<RawText>,
        kind: Kind,
        span: Span,
        read: impl Fn(&str) -> Option<Value>,
    ) -> Bind<Value> {
        let Some(text) = text else { return Ok(Value::Null(kind)) };
        let bare = unquoted(&text.text);
        match read(bare) {
            Some(value) => Ok(value),
            None => Err(self.error("HP102", format!("'{bare}' is not a {kind}"), span)),
        }
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(text)
}

/// `2025, 6, 14` as a date.
fn dashed(text: &str) -> Option<String> {
    let parts: Option<Vec<u32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match parts?.as_slice() {
        [year, month, day] => Some(format!("{year:04}-{month:02}-{day:02}")),
        _ => None,
    }
}
