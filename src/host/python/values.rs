//! Columns as Python values.
use crate::types::json::{self, Json, JsonKind};
use crate::types::{Column, Dynamic, FieldValue, Kind, Text, Value, datetime};
use arrow_array::Array;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyString, PyType, PyTzInfo};

type Object<'py> = Bound<'py, PyAny>;

const TICKS_PER_MICROSECOND: i64 = 10;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// A column's rows as Python values; equal texts of a dictionary are one object.
pub fn objects<'py>(py: Python<'py>, column: &Column) -> PyResult<Vec<Object<'py>>> {
    match column {
        Column::Const(value, rows) => {
            let one = object(py, value)?;
            Ok((0..*rows).map(|_| one.clone()).collect())
        }
        Column::Text(Kind::String, Text::Dictionary(keys, dictionary)) if dictionary.len() <= keys.len() => {
            let distinct: Vec<Object> =
                dictionary.values.iter().map(|text| PyString::new(py, text.unwrap_or("")).into_any()).collect();
            let none = || py.None().into_bound(py);
            let pick = |key: Option<i32>| key.and_then(|k| distinct.get(k as usize).cloned()).unwrap_or_else(none);
            Ok(keys.iter().map(pick).collect())
        }
        Column::Text(Kind::String, Text::Views(views)) if views.null_count() == 0 => {
            Ok(views.iter().map(|text| PyString::new(py, text.unwrap_or("")).into_any()).collect())
        }
        Column::List(_) => (0..column.len()).map(|row| nested(py, column, row)).collect(),
        _ => (0..column.len()).map(|row| object(py, &column.value(row))).collect(),
    }
}

/// One value as a Python value; null is None.
pub fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Object<'py>> {
    match value {
        Value::Null(_) => Ok(py.None().into_bound(py)),
        Value::Bool(b) => b.into_bound_py_any(py),
        Value::Int(i) => i.into_bound_py_any(py),
        Value::Long(i) => i.into_bound_py_any(py),
        Value::Real(r) => r.into_bound_py_any(py),
        Value::DateTime(ticks) => moment(py, *ticks),
        Value::TimeSpan(ticks) => span(py, *ticks),
        Value::Text(Kind::Decimal, text) => decimal_type(py)?.call1((&**text,)),
        Value::Text(Kind::Guid, text) => uuid_type(py)?.call1((&**text,)),
        Value::Text(Kind::Dynamic, text) => dynamic(py, Json::new(text), 0),
        Value::Text(_, text) => Ok(PyString::new(py, text).into_any()),
        Value::Field(FieldValue::Long(i)) => i.into_bound_py_any(py),
        Value::Field(FieldValue::Real(r)) => r.into_bound_py_any(py),
        Value::Field(FieldValue::Several(texts)) => {
            Ok(PyList::new(py, texts.iter().map(|text| PyString::new(py, text)))?.into_any())
        }
    }
}

fn decimal_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TYPE.import(py, "decimal", "Decimal")
}

fn uuid_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TYPE.import(py, "uuid", "UUID")
}

/// An aware datetime, cut to microseconds.
fn moment(py: Python<'_>, ticks: i64) -> PyResult<Object<'_>> {
    let (year, month, day) = datetime::civil(ticks);
    let microseconds = datetime::time_of_day(ticks) / TICKS_PER_MICROSECOND;
    let (seconds, microsecond) = (microseconds / 1_000_000, (microseconds % 1_000_000) as u32);
    let (hour, minute, second) = ((seconds / 3600) as u8, (seconds / 60 % 60) as u8, (seconds % 60) as u8);
    let utc = PyTzInfo::utc(py)?;
    let made = PyDateTime::new(py, year, month as u8, day as u8, hour, minute, second, microsecond, Some(&utc))?;
    Ok(made.into_any())
}

/// A timedelta, cut to microseconds.
pub fn span(py: Python<'_>, ticks: i64) -> PyResult<Object<'_>> {
    let microseconds = ticks / TICKS_PER_MICROSECOND;
    let days = microseconds.div_euclid(MICROSECONDS_PER_DAY);
    let rest = microseconds.rem_euclid(MICROSECONDS_PER_DAY);
    let (seconds, rest) = ((rest / 1_000_000) as i32, (rest % 1_000_000) as i32);
    Ok(PyDelta::new(py, days as i32, seconds, rest, false)?.into_any())
}

/// A typed list; the elements that JSON lacks become texts, as in JSON.
fn nested<'py>(py: Python<'py>, column: &Column, row: usize) -> PyResult<Object<'py>> {
    match Dynamic::of(column, row) {
        None => Ok(py.None().into_bound(py)),
        Some(Dynamic::Json(text)) => dynamic(py, Json::new(text), 0),
        Some(Dynamic::List(list, row)) => match list.items.kind() {
            Kind::String | Kind::Long | Kind::Int | Kind::Real | Kind::Bool => {
                let items: PyResult<Vec<_>> = list.range(row).map(|at| object(py, &list.items.value(at))).collect();
                Ok(PyList::new(py, items?)?.into_any())
            }
            _ => dynamic(py, Json::new(&list.json(row)), 0),
        },
    }
}

/// A JSON document as Python values.
pub fn json<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Object<'py>> {
    dynamic(py, Json::new(&value.to_string()), 0)
}

/// A dynamic value: dicts, lists and scalars.
fn dynamic<'py>(py: Python<'py>, value: Json<'_>, depth: usize) -> PyResult<Object<'py>> {
    if depth > json::MAX_DEPTH {
        return Ok(PyString::new(py, value.text()).into_any());
    }
    match value.kind() {
        JsonKind::Null => Ok(py.None().into_bound(py)),
        JsonKind::Bool => value.as_bool().unwrap_or(false).into_bound_py_any(py),
        JsonKind::Long => integer(py, value),
        JsonKind::Real => Ok(PyFloat::new(py, value.as_f64().unwrap_or(f64::NAN)).into_any()),
        JsonKind::Array => {
            let items: PyResult<Vec<_>> = value.elements().map(|item| dynamic(py, item, depth + 1)).collect();
            Ok(PyList::new(py, items?)?.into_any())
        }
        JsonKind::Object => {
            let dict = PyDict::new(py);
            for (key, item) in value.entries() {
                dict.set_item(key.as_ref(), dynamic(py, item, depth + 1)?)?;
            }
            Ok(dict.into_any())
        }
        _ => Ok(PyString::new(py, &json::to_string(value.text())).into_any()),
    }
}

fn integer<'py>(py: Python<'py>, value: Json<'_>) -> PyResult<Object<'py>> {
    match value.as_i64() {
        Some(number) => number.into_bound_py_any(py),
        None => py.get_type::<PyInt>().call1((value.text(),)),
    }
}
