//! Python values as columns: rows given as dicts, and the object columns of frames.
use super::errors::OrRaise;
use crate::diagnostic::Fault;
use crate::types::{Chunk, Column, Json, Kind, Name, Stored, Table, Value, convert, datetime, field, json};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyDict, PyFloat, PyInt, PyList,
    PyString, PyTimeAccess, PyTuple,
};
use std::collections::HashMap;

const TICKS_PER_SECOND: i64 = 10_000_000;

/// A table of rows that are mappings; columns stand in the order in which they are first seen.
pub fn table_of_records(rows: &Bound<'_, PyAny>) -> PyResult<Table> {
    let (named, count) = columns_of_records(rows)?;
    if named.is_empty() && count > 0 {
        return Err(Fault::data("HP405", "the rows have no columns")).or_raise(rows.py());
    }
    Ok(Table::from_columns(named.into_iter().map(|(name, values)| (name, column_of(values))).collect()))
}

/// Events of rows that are mappings: every column a field, which a row may lack. Objects, and arrays that hold more
/// than texts and numbers, stay what they are: what lies in them are fields.
pub fn events_of_records(rows: &Bound<'_, PyAny>) -> PyResult<Table> {
    let (named, rows) = columns_of_records(rows)?;
    let column = |values: Vec<Value>| match values.iter().any(nests) {
        true => column_of(values),
        false => {
            let values: Vec<Value> = values.iter().map(field::from_value).collect();
            Column::from_values(Kind::Field, &values)
        }
    };
    let named: Vec<(Name, Column)> = named.into_iter().map(|(name, values)| (name, column(values))).collect();
    let schema = named.iter().map(|(name, column)| (name.clone(), column.kind())).collect();
    let columns = named.into_iter().map(|(_, column)| Stored::Column(column)).collect();
    Ok(Table::new(schema, vec![Chunk { rows, columns }]))
}

/// Whether a value is an object, or an array that holds objects or arrays.
fn nests(value: &Value) -> bool {
    match value {
        Value::Text(Kind::Dynamic, text) => {
            text.starts_with('{') || Json::new(text).elements().any(|element| element.text().starts_with(['{', '[']))
        }
        _ => false,
    }
}

/// The values of a column.
type Named = (Name, Vec<Value>);

/// The values of each column, and the number of rows.
fn columns_of_records(rows: &Bound<'_, PyAny>) -> PyResult<(Vec<Named>, usize)> {
    let mut names: Vec<Name> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut columns: Vec<Vec<Value>> = Vec::new();
    let mut count = 0;
    for row in rows.try_iter()? {
        for (name, value) in super::sources::entries(&row?, "a row")? {
            let at = *places.entry(name).or_insert_with_key(|name| {
                names.push(name.as_str().into());
                columns.push(Vec::new());
                names.len() - 1
            });
            let Some(column) = columns.get_mut(at) else { continue };
            column.resize(count, NOTHING);
            column.push(value_of(&value)?);
        }
        count += 1;
    }
    let named = names.into_iter().zip(columns).map(|(name, mut values)| {
        values.resize(count, NOTHING);
        (name, values)
    });
    Ok((named.collect(), count))
}

const NOTHING: Value = Value::Null(Kind::Dynamic);

/// A column of values of any kind: the kind that holds them all.
pub fn column_of(mut values: Vec<Value>) -> Column {
    let kinds = |values: &[Value]| {
        let mut kinds: Vec<Kind> = values.iter().filter(|v| !v.is_null()).map(Value::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    };
    let mut found = kinds(&values);
    // Frames write NaN for what is missing, also among values that are no numbers.
    if found.contains(&Kind::Real) && found.iter().any(|k| !k.is_number()) {
        values.iter_mut().filter(|v| matches!(v, Value::Real(r) if r.is_nan())).for_each(|v| *v = NOTHING);
        found = kinds(&values);
    }
    let kind = match found.as_slice() {
        [] => Kind::String,
        [one] => *one,
        many if many.iter().all(|k| k.is_number()) => many.iter().copied().max().unwrap_or(Kind::Real),
        _ => Kind::Dynamic,
    };
    let converted: Vec<Value> = values.iter().map(|value| as_kind(value, kind)).collect();
    Column::from_values(kind, &converted)
}

/// A text among values of other kinds stays a text, also where it looks like JSON.
fn as_kind(value: &Value, kind: Kind) -> Value {
    match value {
        Value::Null(_) => Value::null(kind),
        Value::Text(own, _) if kind == Kind::Dynamic && *own != Kind::Dynamic => Value::dynamic(value.to_json()),
        other => convert::value_to(other, kind),
    }
}

/// One Python value.
pub fn value_of(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if object.is_none() {
        return Ok(NOTHING);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::string(text.to_string_lossy().as_ref()));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return integer(number);
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(Value::Real(number.value()));
    }
    // pandas' mark for no time is a datetime, with no date in it.
    if object.get_type().name().is_ok_and(|name| name == "NaTType" || name == "NAType") {
        return Ok(NOTHING);
    }
    if let Ok(moment) = object.cast::<PyDateTime>() {
        return Ok(ticks_of(moment)?.map_or(NOTHING, Value::DateTime));
    }
    if let Ok(date) = object.cast::<PyDate>() {
        let (month, day) = (u32::from(date.get_month()), u32::from(date.get_day()));
        return Ok(datetime::from_civil(date.get_year(), month, day, 0, 0, 0, 0).map_or(NOTHING, Value::DateTime));
    }
    if let Ok(span) = object.cast::<PyDelta>() {
        return Ok(Value::TimeSpan(span_ticks(span)));
    }
    rarer(object)
}

fn integer(number: &Bound<'_, PyInt>) -> PyResult<Value> {
    match number.extract::<i64>() {
        Ok(value) => Ok(Value::Long(value)),
        Err(_) => {
            let text = Value::string(number.str()?.to_string_lossy().as_ref());
            Ok(convert::value_to(&text, Kind::Decimal))
        }
    }
}

/// Ticks of a datetime; a naive one is UTC.
pub fn ticks_of(moment: &Bound<'_, PyDateTime>) -> PyResult<Option<i64>> {
    let offset = moment.call_method0("utcoffset")?;
    let offset = match offset.cast::<PyDelta>() {
        Ok(span) => span_ticks(span),
        Err(_) => 0,
    };
    let (month, day) = (u32::from(moment.get_month()), u32::from(moment.get_day()));
    let (hour, minute) = (u32::from(moment.get_hour()), u32::from(moment.get_minute()));
    // pandas' Timestamp counts further than Python does.
    let below: i64 = match moment.get_type().is(moment.py().get_type::<PyDateTime>()) {
        true => 0,
        false => moment.getattr_opt("nanosecond")?.and_then(|n| n.extract().ok()).unwrap_or(0),
    };
    let fraction = i64::from(moment.get_microsecond()) * 10 + below / 100;
    let second = u32::from(moment.get_second());
    let local = datetime::from_civil(moment.get_year(), month, day, hour, minute, second, fraction);
    Ok(local.and_then(|ticks| ticks.checked_sub(offset)).and_then(datetime::checked))
}

/// Ticks of a timedelta.
pub fn span_ticks(span: &Bound<'_, PyDelta>) -> i64 {
    let seconds = i64::from(span.get_days()).saturating_mul(86_400).saturating_add(i64::from(span.get_seconds()));
    seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(i64::from(span.get_microseconds()) * 10)
}

/// Lists, dicts, bytes, decimals, UUIDs, numpy's scalars; anything else by its text.
fn rarer(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Value::string(String::from_utf8_lossy(bytes.as_bytes()).as_ref()));
    }
    let mut writer = String::new();
    if is_nested(object) {
        write_json(object, &mut writer, 0)?;
        return Ok(Value::dynamic(writer));
    }
    let kind = object.get_type();
    let name = kind.name()?.to_string_lossy().into_owned();
    let text = || -> PyResult<Value> { Ok(Value::string(object.str()?.to_string_lossy().as_ref())) };
    match name.as_str() {
        "Decimal" => Ok(convert::value_to(&text()?, Kind::Decimal)),
        "UUID" => Ok(convert::value_to(&text()?, Kind::Guid)),
        _ => match kind.module()?.to_string_lossy().starts_with("numpy") {
            true => numpy_scalar(object, text),
            false => text(),
        },
    }
}

fn numpy_scalar(object: &Bound<'_, PyAny>, text: impl FnOnce() -> PyResult<Value>) -> PyResult<Value> {
    if let Some(listed) = object.getattr_opt("tolist")? {
        let plain = listed.call0()?;
        // datetime64 of nanoseconds has no Python value but a number: its text is a date.
        let is_time = object.get_type().name()?.to_string_lossy().contains("64") && plain.is_instance_of::<PyInt>();
        if is_time && object.get_type().name()? == "datetime64" {
            return Ok(convert::value_to(&text()?, Kind::DateTime));
        }
        if !plain.get_type().module()?.to_string_lossy().starts_with("numpy") {
            return value_of(&plain);
        }
    }
    text()
}

fn is_nested(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyDict>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.get_type().name().is_ok_and(|n| n == "set" || n == "frozenset")
}

/// A nested value as JSON text, with Kusto's literals for what JSON lacks.
fn write_json(object: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> PyResult<()> {
    if depth >= json::MAX_DEPTH {
        return Err(Fault::data("HP406", "a value is nested too deeply")).or_raise(object.py());
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        out.push('{');
        for (at, (key, value)) in dict.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            json::quote(&key.str()?.to_string_lossy(), out);
            out.push(':');
            write_json(&value, out, depth + 1)?;
        }
        out.push('}');
        return Ok(());
    }
    if is_nested(object) {
        out.push('[');
        for (at, value) in object.try_iter()?.enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_json(&value?, out, depth + 1)?;
        }
        out.push(']');
        return Ok(());
    }
    out.push_str(&value_of(object)?.to_json());
    Ok(())
}
