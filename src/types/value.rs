//! One value: a literal, a constant, a cell.
use super::{FieldValue, Kind, datetime, number, timespan};
use std::sync::Arc;

/// A scalar of any kind. Texts of kind string are never null: an absent text is `""`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null(Kind),
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    DateTime(i64),
    TimeSpan(i64),
    /// Text of the kinds decimal, string, guid and field; JSON text of the kind dynamic.
    Text(Kind, Arc<str>),
    /// A number or several texts of the kind field; one text is `Text(Kind::Field, …)`.
    Field(FieldValue),
}

impl Value {
    pub fn string(text: impl Into<Arc<str>>) -> Value {
        Value::Text(Kind::String, text.into())
    }

    pub fn dynamic(json: impl Into<Arc<str>>) -> Value {
        Value::Text(Kind::Dynamic, json.into())
    }

    /// The null of a kind; for string, the empty text.
    pub fn null(kind: Kind) -> Value {
        if kind == Kind::String { Value::string("") } else { Value::Null(kind) }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Value::Null(kind) | Value::Text(kind, _) => *kind,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Long(_) => Kind::Long,
            Value::Real(_) => Kind::Real,
            Value::DateTime(_) => Kind::DateTime,
            Value::TimeSpan(_) => Kind::TimeSpan,
            Value::Field(_) => Kind::Field,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null(_))
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(_, text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer of a bool, int, long, datetime or timespan (ticks), and of a field's whole number.
    pub fn as_long(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(i) => Some(i64::from(*i)),
            Value::Long(i) | Value::DateTime(i) | Value::TimeSpan(i) => Some(*i),
            Value::Field(FieldValue::Long(i)) => Some(*i),
            _ => None,
        }
    }

    pub fn as_real(&self) -> Option<f64> {
        match self {
            Value::Real(r) | Value::Field(FieldValue::Real(r)) => Some(*r),
            Value::Text(Kind::Decimal, text) => text.parse().ok(),
            Value::DateTime(_) | Value::TimeSpan(_) | Value::Bool(_) => None,
            other => other.as_long().map(|i| i as f64),
        }
    }

    /// The text that `tostring` gives: `""` for null, a dynamic string without its quotes.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null(_) => String::new(),
            Value::Bool(b) => if *b { "true" } else { "false" }.into(),
            Value::Int(i) => i.to_string(),
            Value::Long(i) => i.to_string(),
            Value::Real(r) => number::format_real(*r),
            Value::DateTime(t) => datetime::format(*t),
            Value::TimeSpan(t) => timespan::format(*t),
            Value::Text(Kind::Dynamic, json) => super::json::to_string(json).into_owned(),
            Value::Text(_, text) => text.to_string(),
            Value::Field(value) => {
                let mut out = String::new();
                value.write(&mut out);
                out
            }
        }
    }

    /// The value as JSON text, as a dynamic holds it: datetimes and timespans as Kusto literals.
    pub fn to_json(&self) -> String {
        match self {
            Value::Null(_) => "null".into(),
            Value::Real(r) => number::json_real(*r),
            Value::DateTime(t) => format!("datetime({})", datetime::format(*t)),
            Value::TimeSpan(t) => format!("timespan({})", timespan::format(*t)),
            Value::Text(Kind::Dynamic, json) => json.to_string(),
            Value::Text(Kind::Decimal, text) => text.to_string(),
            Value::Text(_, text) => {
                let mut out = String::with_capacity(text.len() + 2);
                super::json::quote(text, &mut out);
                out
            }
            Value::Field(FieldValue::Several(texts)) => {
                let texts = texts.iter().map(|text| Value::Text(Kind::Field, text.clone()).to_json());
                format!("[{}]", texts.collect::<Vec<_>>().join(","))
            }
            other => other.to_text(),
        }
    }
}
