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

crate::pages! {
    /// Truth: `true` or `false`.
    ///
    /// Source: bool.
    ///
    /// ```kql
    /// bool(true) // true
    /// ```
    Kind "bool" as ["boolean"]: "true | false | bool(null)";

    /// A whole number of 32 bits. A bare number is a long.
    ///
    /// Source: int.
    ///
    /// ```kql
    /// gettype(int(5)) // int
    /// ```
    Kind "int": "int(5) | int(null)";

    /// A whole number of 64 bits.
    ///
    /// Source: long.
    ///
    /// ```kql
    /// 0xff // 255
    /// ```
    Kind "long": "5 | 0xff | long(5) | long(null)";

    /// A number with a binary fraction, of 64 bits.
    ///
    /// Source: real.
    ///
    /// ```kql
    /// 1e3 // 1000
    /// ```
    Kind "real" as ["double"]: "1.5 | 1e3 | real(1.5) | real(nan) | real(+inf) | real(null)";

    /// A number with an exact decimal fraction.
    ///
    /// Source: decimal.
    ///
    /// ```kql
    /// decimal(0.1) + decimal(0.2) // 0.3
    /// ```
    Kind "decimal": "decimal(0.1) | decimal(null)";

    /// A text. It is never null: a text that is missing is empty.
    ///
    /// `@` before the quote takes backslashes as they are, three backticks or tildes keep lines, `h` hides it in logs.
    ///
    /// Source: string.
    ///
    /// ```kql
    /// strlen(@"C:\logs") // 7
    /// ```
    Kind "string": "\"text\" | 'text' | @\"C:\\logs\" | h\"secret\"";

    /// A moment in UTC, from the year 1 to 9999, in steps of 100 ns.
    ///
    /// Source: datetime.
    ///
    /// ```kql
    /// datetime(2026-03-12 15:00) - datetime(2026-03-12) // 15:00:00
    /// ```
    Kind "datetime" as ["date"]: "datetime(2026-03-12 15:00:00) | datetime(2026-03-12) | datetime(null)";

    /// A length of time, in steps of 100 ns.
    ///
    /// Units: `d`, `h`, `m`, `s`, `ms`, `microsecond`, `tick`, and their longer names.
    ///
    /// Source: timespan.
    ///
    /// ```kql
    /// 1d + 2h // 1.02:00:00
    /// ```
    Kind "timespan" as ["time"]: "1d | 2.5h | 30m | timespan(1.02:00:00) | timespan(null)";

    /// Any value: a scalar, an array, or a bag of properties.
    ///
    /// A path leads into it: `value.property["other"][0]`. What is not there is null. A condition, a key or a text takes
    /// a dynamic only after a conversion such as `tostring`.
    ///
    /// Source: dynamic.
    ///
    /// ```kql
    /// dynamic({"a": [1, 2]}).a[1] // 2
    /// ```
    Kind "dynamic": "dynamic([1, \"a\"]) | dynamic({\"name\": 1}) | dynamic(null)";

    /// A globally unique identifier.
    ///
    /// Source: guid.
    ///
    /// ```kql
    /// guid(74be27de-1e4e-49d9-b579-fe0b331d3642) // 74be27de-1e4e-49d9-b579-fe0b331d3642
    /// ```
    Kind "guid" as ["uuid"]: "guid(74be27de-1e4e-49d9-b579-fe0b331d3642) | guid(null)";
}
