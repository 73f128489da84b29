//! Python objects as data.
use super::errors::DataError;
use super::table::PyTable;
use super::{capsule, cells, frame};
use crate::engine::{Data, Held};
use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString, PyTuple};
use std::path::PathBuf;
use std::sync::Arc;

/// What needs no reading: a Table, paths.
pub fn ready(object: &Bound<'_, PyAny>) -> PyResult<Option<Data>> {
    if let Ok(table) = object.cast::<PyTable>() {
        return Ok(Some(Data::Table(table.get().held())));
    }
    if let Some(path) = path(object)? {
        return Ok(Some(Data::Files(vec![path])));
    }
    let Ok(list) = object.cast::<PyList>() else { return Ok(None) };
    let mut paths = Vec::with_capacity(list.len());
    for item in list.iter() {
        match path(&item)? {
            Some(path) => paths.push(path),
            None => return Ok(None),
        }
    }
    Ok((!paths.is_empty()).then_some(Data::Files(paths)))
}

/// The path of a text or a path object.
pub fn path(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Some(text.to_string_lossy().into_owned()));
    }
    if !object.hasattr("__fspath__")? {
        return Ok(None);
    }
    let path: PathBuf = object.extract()?;
    match path.to_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(DataError::new_err(format!("the path {} is no Unicode text", path.display()))),
    }
}

/// Whether an object can be read as a table; texts are taken for values, not for paths.
pub fn is_source(object: &Bound<'_, PyAny>) -> bool {
    let has = |name| object.hasattr(name).unwrap_or(false);
    let records = || object.cast::<PyList>().is_ok_and(|list| list.iter().all(|item| item.is_instance_of::<PyDict>()));
    object.cast::<PyTable>().is_ok() || has("__arrow_c_stream__") || frame::is_frame(object) || records()
}

/// A TypeError for what no table can be read from, before any work begins.
pub fn check(object: &Bound<'_, PyAny>) -> PyResult<()> {
    let listed = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
    if listed || is_source(object) {
        return Ok(());
    }
    let what = object.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "a table cannot be read from a {what}: give a Table, an Arrow table, a DataFrame, a list of dicts or a path"
    )))
}

/// Reads an object's rows into a table; as events, records may lack columns.
pub fn read(object: &Bound<'_, PyAny>, as_events: bool) -> PyResult<Data> {
    let is_frame = frame::is_frame(object);
    if object.hasattr("__arrow_c_stream__")? {
        match capsule::import_stream(object) {
            Ok(table) => return Ok(Data::Table(Arc::new(Held::new(table)))),
            // pandas offers the stream, but makes it with pyarrow, which may be missing or refuse a mixed column.
            Err(error) if is_frame && is_refusal(object.py(), &error) => {}
            Err(error) => return Err(error),
        }
    }
    let table = match is_frame {
        true => frame::table(object)?,
        false if as_events => cells::events_of_records(object)?,
        false => cells::table_of_records(object)?,
    };
    Ok(Data::Table(Arc::new(Held::new(table))))
}

fn is_refusal(py: Python<'_>, error: &PyErr) -> bool {
    if error.is_instance_of::<PyImportError>(py) {
        return true;
    }
    let module = error.get_type(py).module();
    module.is_ok_and(|module| module.to_string_lossy().starts_with("pyarrow"))
}

/// The entries of a mapping by name.
pub fn entries<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let text = |key: &Bound<'py, PyAny>| match key.cast::<PyString>() {
        Ok(text) => Ok(text.to_string_lossy().into_owned()),
        Err(_) => Err(PyTypeError::new_err(format!("the keys of {what} are names"))),
    };
    if let Ok(dict) = object.cast::<PyDict>() {
        return dict.iter().map(|(key, value)| Ok((text(&key)?, value))).collect();
    }
    let Ok(mapping) = object.cast::<PyMapping>() else {
        let kind = object.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{what} maps names to values; this is a {kind}")));
    };
    let pairs = mapping.items()?;
    let pair = |pair: Bound<'py, PyAny>| {
        let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair.extract()?;
        Ok((text(&key)?, value))
    };
    pairs.iter().map(pair).collect()
}
