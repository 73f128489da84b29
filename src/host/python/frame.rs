//! pandas DataFrames where no pyarrow is installed: numpy's bytes for numbers and times, values for the rest.
use super::cells;
use super::errors::OrRaise;
use crate::diagnostic::Fault;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, import};
use arrow_array::types::{
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use std::sync::Arc;

/// Whether an object is a pandas DataFrame; pandas is not imported to find out.
pub fn is_frame(object: &Bound<'_, PyAny>) -> bool {
    let kind = object.get_type();
    let named = kind.name().is_ok_and(|name| name == "DataFrame");
    named && kind.module().is_ok_and(|module| module.to_string_lossy().starts_with("pandas"))
}

/// The frame's columns as a table; the index is left out.
pub fn table(frame: &Bound<'_, PyAny>) -> PyResult<Table> {
    let mut schema = Schema::default();
    let mut columns = Vec::new();
    for item in frame.call_method0("items")?.try_iter()? {
        let (name, series): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
        let name = name.str()?.to_string_lossy().into_owned();
        if schema.contains(&name) {
            return Err(Fault::data("HP404", format!("the column `{name}` occurs twice"))).or_raise(frame.py());
        }
        let (kind, stored) = column(&series)?;
        schema.set(Name::from(name), kind);
        columns.push(stored);
    }
    Ok(Table::new(schema, vec![Chunk { rows: frame.len()?, columns }]))
}

fn column(series: &Bound<'_, PyAny>) -> PyResult<(Kind, Stored)> {
    let dtype = series.getattr("dtype")?;
    let text = dtype.str()?.to_string_lossy().into_owned();
    let of = |array: ArrayRef| {
        (import::natural_kind(&arrow_schema::Field::new("", array.data_type().clone(), true)), Stored::Arrow(array))
    };
    let unit = text.split_once('[').map(|(_, rest)| rest.split([',', ']']).next().unwrap_or_default());
    if text.starts_with("datetime64[") && text.contains(',') {
        let naive = series.getattr("dt")?.call_method1("tz_convert", ("UTC",))?;
        let naive = naive.getattr("dt")?.call_method1("tz_localize", (series.py().None(),))?;
        return Ok(of(times(&naive, unit)?));
    }
    Ok(match text.as_str() {
        "bool" => of(Arc::new(flags(&raw(series, "u1")?))),
        "int8" | "int16" | "int32" | "uint8" | "uint16" => {
            let values: Vec<i32> = numbers(&raw(series, "<i4")?, i32::from_le_bytes);
            of(Arc::new(Int32Array::from(values)))
        }
        "int64" | "uint32" => of(Arc::new(Int64Array::from(longs(&raw(series, "<i8")?)))),
        "float16" | "float32" | "float64" => of(Arc::new(reals(&raw(series, "<f8")?))),
        _ if text.starts_with("datetime64[") => of(times(series, unit)?),
        _ if text.starts_with("timedelta64[") => of(spans(series, unit)?),
        _ => {
            let column = values(series)?;
            (column.kind(), Stored::Column(column))
        }
    })
}

/// The numpy array's bytes as `layout`.
fn raw<'py>(series: &Bound<'py, PyAny>, layout: &str) -> PyResult<Bound<'py, PyBytes>> {
    let array = series.call_method0("to_numpy")?;
    let options = PyDict::new(series.py());
    options.set_item("copy", false)?;
    let array = array.call_method("astype", (PyString::new(series.py(), layout),), Some(&options))?;
    Ok(array.call_method0("tobytes")?.cast_into::<PyBytes>()?)
}

fn numbers<const N: usize, T>(bytes: &Bound<'_, PyBytes>, read: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_bytes().chunks_exact(N).filter_map(|chunk| Some(read(chunk.try_into().ok()?))).collect()
}

fn longs(bytes: &Bound<'_, PyBytes>) -> Vec<i64> {
    numbers(bytes, i64::from_le_bytes)
}

fn flags(bytes: &Bound<'_, PyBytes>) -> BooleanArray {
    BooleanArray::new(BooleanBuffer::from_iter(bytes.as_bytes().iter().map(|byte| *byte != 0)), None)
}

/// Frames write NaN for what is missing.
fn reals(bytes: &Bound<'_, PyBytes>) -> Float64Array {
    let values: Vec<f64> = numbers(bytes, f64::from_le_bytes);
    let nulls: NullBuffer = values.iter().map(|v| !v.is_nan()).collect();
    Float64Array::new(values.into(), Some(nulls).filter(|n| n.null_count() > 0))
}

/// numpy's mark for no time.
const NOT_A_TIME: i64 = i64::MIN;

fn counts(series: &Bound<'_, PyAny>) -> PyResult<Int64Array> {
    let values = longs(&raw(series, "<i8")?);
    let nulls: NullBuffer = values.iter().map(|v| *v != NOT_A_TIME).collect();
    Ok(Int64Array::new(values.into(), Some(nulls).filter(|n| n.null_count() > 0)))
}

fn times(series: &Bound<'_, PyAny>, unit: Option<&str>) -> PyResult<ArrayRef> {
    let counts = counts(series)?;
    Ok(match unit {
        Some("s") => Arc::new(counts.reinterpret_cast::<TimestampSecondType>()),
        Some("ms") => Arc::new(counts.reinterpret_cast::<TimestampMillisecondType>()),
        Some("us") => Arc::new(counts.reinterpret_cast::<TimestampMicrosecondType>()),
        _ => Arc::new(counts.reinterpret_cast::<TimestampNanosecondType>()),
    })
}

fn spans(series: &Bound<'_, PyAny>, unit: Option<&str>) -> PyResult<ArrayRef> {
    let counts = counts(series)?;
    Ok(match unit {
        Some("s") => Arc::new(counts.reinterpret_cast::<DurationSecondType>()),
        Some("ms") => Arc::new(counts.reinterpret_cast::<DurationMillisecondType>()),
        Some("us") => Arc::new(counts.reinterpret_cast::<DurationMicrosecondType>()),
        _ => Arc::new(counts.reinterpret_cast::<DurationNanosecondType>()),
    })
}

/// Objects, categories and extension types, value by value.
fn values(series: &Bound<'_, PyAny>) -> PyResult<Column> {
    let listed = series.call_method0("tolist")?;
    let values: PyResult<Vec<_>> = listed.try_iter()?.map(|value| cells::value_of(&value?)).collect();
    Ok(cells::column_of(values?))
}
