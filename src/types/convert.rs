//! Columns of another kind: the conversions of an import, of `to…()` functions and of unions.
use super::{Builder, Column, Kind, Text, Value, datetime, decimal, guid, json, number, timespan};

/// The column as `kind`, null where a value does not convert: what an import and `tolong`, `todatetime`… do.
pub fn lenient(column: &Column, kind: Kind) -> Column {
    if column.kind() == kind {
        return column.clone();
    }
    match column {
        Column::Const(value, rows) => Column::Const(value_to(value, kind), *rows),
        Column::Text(from, Text::Dictionary(keys, dictionary)) if dictionary.len() < keys.len() => {
            let distinct = Column::Text(*from, Text::Views(dictionary.values.clone()));
            let converted = lenient(&distinct, kind);
            let keys: arrow_array::UInt32Array = keys.iter().map(|k| k.map(|k| k as u32)).collect();
            super::gather::take_or_null(&converted, &keys)
        }
        _ => {
            let mut builder = Builder::new(kind, column.len());
            for row in 0..column.len() {
                builder.push(&value_to(&column.value(row), kind));
            }
            builder.finish()
        }
    }
}

/// A value as `kind`; null where it does not convert.
pub fn value_to(value: &Value, kind: Kind) -> Value {
    if value.kind() == kind {
        return value.clone();
    }
    if value.is_null() {
        return Value::null(kind);
    }
    if let Value::Text(Kind::Dynamic, text) = value {
        return dynamic_to(text, kind);
    }
    let converted = match kind {
        Kind::String => Some(Value::string(value.to_text())),
        Kind::Bool => to_bool(value),
        Kind::Int => to_long(value).and_then(|i| i32::try_from(i).ok()).map(Value::Int),
        Kind::Long => to_long(value).map(Value::Long),
        Kind::Real => to_real(value).map(Value::Real),
        Kind::DateTime => to_datetime(value).map(Value::DateTime),
        Kind::TimeSpan => to_timespan(value).map(Value::TimeSpan),
        Kind::Decimal => decimal::parse(&value.to_text()).map(|d| Value::Text(Kind::Decimal, d.into())),
        Kind::Guid => guid::parse(&value.to_text()).map(|g| Value::Text(Kind::Guid, g.into())),
        Kind::Dynamic => Some(to_dynamic(value)),
        Kind::Field => Some(Value::Text(Kind::Field, value.to_text().into())),
    };
    converted.unwrap_or(Value::null(kind))
}

/// A scalar inside a dynamic converts as the scalar would.
fn dynamic_to(text: &str, kind: Kind) -> Value {
    if kind == Kind::String {
        return Value::string(json::to_string(text).into_owned());
    }
    match json::scalar(text) {
        // An array or a bag is no scalar of any kind.
        Value::Text(Kind::Dynamic, _) => Value::null(kind),
        scalar => value_to(&scalar, kind),
    }
}

/// Text that is JSON is read as such when it enters a dynamic column; other values become JSON scalars.
fn to_dynamic(value: &Value) -> Value {
    match value {
        Value::Text(Kind::String | Kind::Field, text) => match json::parse_json(text) {
            Some(parsed) if parsed != "null" => Value::dynamic(parsed.as_ref()),
            _ => Value::Null(Kind::Dynamic),
        },
        other => Value::dynamic(other.to_json()),
    }
}

fn to_bool(value: &Value) -> Option<Value> {
    let known = match value {
        Value::Text(_, text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => number::parse_long(other).map(|i| i != 0),
        },
        Value::Real(r) => (!r.is_nan()).then_some(*r != 0.0),
        other => other.as_long().map(|i| i != 0),
    };
    known.map(Value::Bool)
}

fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Text(Kind::Decimal, text) => number::real_to_long(text.parse().ok()?),
        Value::Text(_, text) => number::parse_long(text),
        Value::Real(r) => number::real_to_long(*r),
        Value::DateTime(ticks) => Some(since_year_one(*ticks)),
        other => other.as_long(),
    }
}

/// The number that a datetime is where a number is wanted: its ticks since year 1.
fn since_year_one(ticks: i64) -> i64 {
    ticks.saturating_sub(datetime::MIN)
}

fn to_real(value: &Value) -> Option<f64> {
    match value {
        Value::Text(_, text) => number::parse_real(text),
        Value::Bool(b) => Some(f64::from(*b)),
        Value::DateTime(t) => Some(since_year_one(*t) as f64),
        Value::TimeSpan(t) => Some(*t as f64),
        other => other.as_real(),
    }
}

fn to_datetime(value: &Value) -> Option<i64> {
    match value {
        Value::Text(_, text) => datetime::parse(text),
        _ => None,
    }
}

fn to_timespan(value: &Value) -> Option<i64> {
    match value {
        Value::Text(_, text) => timespan::parse(text),
        _ => None,
    }
}
