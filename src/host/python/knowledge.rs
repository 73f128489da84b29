//! Macros and lookups as Python gives them: mappings, paths, and lists of both.
use super::call::Call;
use super::errors::OrRaise;
use super::sources;
use crate::engine::{Database, Knowledge, Wanted, parse_name};
use crate::plan::Macro;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::path::Path;

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// Adds macros, lookups, and the event types of add-ons to a database; objects are read by `call` when a search asks for them.
pub fn add<'py>(
    database: &mut Database,
    call: &mut Call<'py>,
    macros: Given<'_, 'py>,
    lookups: Given<'_, 'py>,
    addons: &[&Path],
) -> PyResult<()> {
    let mut knowledge = Knowledge::default();
    addons.iter().try_for_each(|addon| knowledge.load_addon(addon)).or_raise(call.py())?;
    for given in macros.map_or(Ok(Vec::new()), parts)? {
        match sources::path(&given)? {
            Some(path) => knowledge.load(Path::new(&path), Wanted::Macros).or_raise(given.py())?,
            None => add_macros(&mut knowledge, &given)?,
        }
    }
    let mut rows = Vec::new();
    for given in lookups.map_or(Ok(Vec::new()), parts)? {
        match sources::path(&given)? {
            Some(path) => knowledge.load(Path::new(&path), Wanted::Lookups).or_raise(given.py())?,
            None => rows.extend(sources::entries(&given, "lookups")?),
        }
    }
    database.set_knowledge(knowledge);
    for (name, source) in rows {
        database.add_lookup(name, call.data(&source)?);
    }
    Ok(())
}

/// The items of a list or tuple; anything else is one item.
fn parts<'py>(given: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    match given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        true => given.try_iter()?.collect(),
        false => Ok(vec![given.clone()]),
    }
}

/// `{"name": "definition", "name(2)": {"definition": ..., "args": ["a", "b"]}}`
fn add_macros(knowledge: &mut Knowledge, given: &Bound<'_, PyAny>) -> PyResult<()> {
    for (name, value) in sources::entries(given, "macros")? {
        let found = if let Ok(text) = value.cast::<PyString>() {
            Macro { definition: text.to_string_lossy().into_owned(), ..Macro::default() }
        } else if let Ok(parts) = value.cast::<PyDict>() {
            of_dict(&name, parts)?
        } else {
            let kind = value.get_type().name()?;
            return Err(PyTypeError::new_err(format!("the macro `{name}` is neither a text nor a mapping: {kind}")));
        };
        knowledge.add_macro(&name, with_arguments(&name, found)).or_raise(value.py())?;
    }
    Ok(())
}

fn of_dict(name: &str, parts: &Bound<'_, PyDict>) -> PyResult<Macro> {
    let text = |key: &str| text_of(parts, key);
    let missing = || PyTypeError::new_err(format!("the macro `{name}` has no definition"));
    let message = text("errormsg")?.unwrap_or_default();
    let arguments = match parts.get_item("args")?.or(parts.get_item("arguments")?) {
        Some(given) => names(&given)?,
        None => Vec::new(),
    };
    Ok(Macro {
        arguments,
        definition: text("definition")?.ok_or_else(missing)?,
        is_eval: parts.get_item("iseval")?.map_or(Ok(false), |value| value.is_truthy())?,
        validation: text("validation")?.map(|test| (test, message)),
        origin: String::new(),
    })
}

fn text_of(parts: &Bound<'_, PyDict>, key: &str) -> PyResult<Option<String>> {
    let text = parts.get_item(key)?.map(|value| value.str()).transpose()?;
    Ok(text.map(|text| text.to_string_lossy().into_owned()))
}

/// A list of names, or one text with commas.
fn names(given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if given.is_none() {
        return Ok(Vec::new());
    }
    let Ok(text) = given.cast::<PyString>() else { return given.extract() };
    let text = text.to_string_lossy().into_owned();
    Ok(text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
}

/// Arguments that only the name counts are called by their numbers: `$1$`, `$2$`.
fn with_arguments(name: &str, found: Macro) -> Macro {
    match parse_name(name).1 {
        Some(count) if found.arguments.is_empty() && count <= 100 => {
            Macro { arguments: (1..=count).map(|number| number.to_string()).collect(), ..found }
        }
        _ => found,
    }
}
