//! Columns of another kind: the conversions of an import, of `to…()` functions and of unions.
use super::build::numbers;
use super::{Builder, Column, Field, FieldValue, Kind, List, Pieces, Text, Value};
use super::{datetime, decimal, field, guid, import, json, number, timespan, vectors};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, BooleanArray, Float64Array, Int64Array, PrimitiveArray};

/// A column as one of `kind`, as [`lenient`] makes it.
pub fn of_kind(column: Column, kind: Kind) -> Column {
    if column.kind() == kind { column } else { lenient(&column, kind) }
}

/// The column as `kind`, null where a value does not convert: what an import and `tolong`, `todatetime`… do.
pub fn lenient(column: &Column, kind: Kind) -> Column {
    if column.kind() == kind {
        return column.clone();
    }
    if kind == Kind::Field {
        return field::from_column(column);
    }
    match column {
        Column::Const(value, rows) => Column::Const(value_to(value, kind), *rows),
        Column::Text(from, Text::Dictionary(keys, dictionary)) if dictionary.len() < keys.len() => {
            let distinct = Column::Text(*from, Text::Views(dictionary.values.clone()));
            let converted = lenient(&distinct, kind);
            let keys: arrow_array::UInt32Array = keys.iter().map(|k| k.map(|k| k as u32)).collect();
            super::gather::take_or_null(&converted, &keys)
        }
        _ => typed(column, kind).unwrap_or_else(|| {
            let mut builder = Builder::new(kind, column.len());
            for row in 0..column.len() {
                builder.push(&value_to(&column.value(row), kind));
            }
            builder.finish()
        }),
    }
}

/// The conversions that queries use most, without a [`Value`] for each row. They give what [`value_to`] gives.
fn typed(column: &Column, kind: Kind) -> Option<Column> {
    Some(match column {
        Column::Text(Kind::Dynamic, text) => from_dynamics(column, text, kind)?,
        Column::Text(Kind::String | Kind::Field, text) => from_texts(column, text, kind)?,
        Column::Text(Kind::Decimal | Kind::Guid, text) if kind == Kind::String => {
            import::without_null_text(Column::Text(Kind::String, text.clone()))
        }
        Column::Long(array) => from_longs(array, kind)?,
        Column::Int(array) => {
            let long =
                PrimitiveArray::new(array.values().iter().map(|v| i64::from(*v)).collect(), array.nulls().cloned());
            if kind == Kind::Long { Column::Long(long) } else { from_longs(&long, kind)? }
        }
        Column::Real(array) => from_reals(array, kind)?,
        Column::Field(Field::Long(array)) if kind == Kind::Long => Column::Long(array.clone()),
        Column::Field(Field::Real(array)) if kind == Kind::Real => Column::Real(array.clone()),
        Column::Field(field) => return typed(&Column::Text(Kind::Field, Text::Views(field.texts())), kind),
        Column::List(list) if kind == Kind::String => from_lists(list),
        Column::DateTime(array) if kind == Kind::String => written(array, datetime::write),
        Column::TimeSpan(array) if kind == Kind::String => written(array, timespan::write),
        _ => return None,
    })
}

/// The texts of arrays; `""` for null.
fn from_lists(list: &List) -> Column {
    let mut json = String::new();
    Column::write_text(Kind::String, list.len(), |row, out| {
        match (list.is_null(row), list.is_standard()) {
            (true, _) => {}
            (false, true) => list.write_json(row, out),
            (false, false) => {
                json.clear();
                list.write_json(row, &mut json);
                out.push_str(&json::to_string(&json));
            }
        }
        true
    })
}

fn from_dynamics(column: &Column, text: &Text, kind: Kind) -> Option<Column> {
    let of = |row: usize| text.get(row).map(|json| dynamic_to(json, kind));
    Some(match kind {
        Kind::String => column.map_text(kind, |json| Some(json::to_string(json))),
        Kind::Long => {
            Column::Long(numbers(text.len(), |row| json::long(text.get(row)?).or_else(|| of(row)?.as_long())))
        }
        Kind::Real => Column::Real(numbers(text.len(), |row| of(row)?.as_real())),
        Kind::DateTime => Column::DateTime(numbers(text.len(), |row| of(row)?.as_long())),
        _ => return None,
    })
}

fn from_texts(column: &Column, text: &Text, kind: Kind) -> Option<Column> {
    let rows = text.len();
    Some(match kind {
        Kind::String => import::without_null_text(Column::Text(kind, text.clone())),
        Kind::Long => Column::Long(numbers(rows, |row| number::parse_long(text.get(row)?))),
        Kind::Int => Column::Int(numbers(rows, |row| i32::try_from(number::parse_long(text.get(row)?)?).ok())),
        Kind::Real => Column::Real(numbers(rows, |row| number::parse_real(text.get(row)?))),
        Kind::DateTime => Column::DateTime(numbers(rows, |row| datetime::parse(text.get(row)?))),
        Kind::TimeSpan => Column::TimeSpan(numbers(rows, |row| timespan::parse(text.get(row)?))),
        Kind::Decimal => column.map_text(kind, decimal::canonical),
        Kind::Dynamic => column.map_text(kind, |text| json::parse_json(text).filter(|json| json != "null")),
        _ => return None,
    })
}

fn from_longs(array: &Int64Array, kind: Kind) -> Option<Column> {
    let nulls = || array.nulls().cloned();
    Some(match kind {
        Kind::Real => Column::Real(PrimitiveArray::new(array.values().iter().map(|v| *v as f64).collect(), nulls())),
        Kind::Int => Column::Int(numbers(array.len(), |row| {
            array.is_valid(row).then(|| i32::try_from(array.value(row)).ok()).flatten()
        })),
        Kind::Bool => Column::Bool(BooleanArray::new(vectors::bits_of(array.values(), |value| value != 0), nulls())),
        Kind::String | Kind::Dynamic => digits(array, kind),
        _ => return None,
    })
}

/// A text column of longs; `""` or null for null.
fn digits(array: &Int64Array, kind: Kind) -> Column {
    let mut pieces = Pieces::new(kind, None, array.len());
    if array.null_count() == 0 {
        array.values().iter().for_each(|long| pieces.push_long(*long));
        return pieces.finish();
    }
    for row in 0..array.len() {
        match array.is_valid(row) {
            true => pieces.push_long(array.value(row)),
            false => pieces.push_null(),
        }
    }
    pieces.finish()
}

fn from_reals(array: &Float64Array, kind: Kind) -> Option<Column> {
    let real = |row: usize| array.is_valid(row).then(|| array.value(row));
    Some(match kind {
        Kind::Long => Column::Long(numbers(array.len(), |row| number::real_to_long(real(row)?))),
        Kind::Int => Column::Int(numbers(array.len(), |row| i32::try_from(number::real_to_long(real(row)?)?).ok())),
        Kind::String => written(array, number::write_real),
        _ => return None,
    })
}

/// A text column of numbers; `""` for null.
fn written<P: ArrowPrimitiveType>(array: &PrimitiveArray<P>, write: fn(P::Native, &mut String)) -> Column {
    Column::write_text(Kind::String, array.len(), |row, out| {
        if array.is_valid(row) {
            write(array.value(row), out);
        }
        true
    })
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
        Kind::Field => Some(field::from_value(value)),
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
        Value::Real(r) | Value::Field(FieldValue::Real(r)) => (!r.is_nan()).then_some(*r != 0.0),
        other => other.as_long().map(|i| i != 0),
    };
    known.map(Value::Bool)
}

fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Text(Kind::Decimal, text) => number::real_to_long(text.parse().ok()?),
        Value::Text(_, text) => number::parse_long(text),
        Value::Real(r) | Value::Field(FieldValue::Real(r)) => number::real_to_long(*r),
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
