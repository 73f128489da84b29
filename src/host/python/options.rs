//! The data options that queries and rule runs share, as a database.
use super::call::Call;
use super::cells;
use super::errors::OrRaise;
use super::{knowledge, sources};
use crate::diagnostic::{Fault, closest};
use crate::engine::{Database, EventKnowledge, Functions, Now, open_places};
use crate::functions::Limits;
use crate::types::{Kind, Name, Schema, datetime};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict, PyList, PyString, PyTuple};
use std::path::{Path, PathBuf};

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// What stands behind the names of a query.
#[derive(Default)]
pub struct DataOptions<'a, 'py> {
    pub tables: Given<'a, 'py>,
    pub watchlists: Given<'a, 'py>,
    pub functions: Given<'a, 'py>,
    pub externaldata: Given<'a, 'py>,
    pub schemas: Given<'a, 'py>,
    /// The path of a database of the places of addresses.
    pub geoip: Given<'a, 'py>,
    pub macros: Given<'a, 'py>,
    pub lookups: Given<'a, 'py>,
    /// What is known of the sourcetypes of events besides what is built in: add-ons of Splunk, YAML files.
    pub addons: Given<'a, 'py>,
    /// The folder that `outputlookup` may write to.
    pub write_lookups: Option<PathBuf>,
}

impl<'py> DataOptions<'_, 'py> {
    /// The database; its objects are read by `call` when a query asks for them.
    pub fn database(&self, call: &mut Call<'py>) -> PyResult<Database> {
        let mut database = Database::default();
        for (name, source) in entries(self.tables, "tables")? {
            database.add_table(name, call.data(&source)?);
        }
        for (alias, source) in entries(self.watchlists, "watchlists")? {
            database.add_watchlist(alias, call.data(&source)?);
        }
        for (url, source) in entries(self.externaldata, "externaldata")? {
            database.add_external(url, call.data(&source)?);
        }
        for (table, columns) in entries(self.schemas, "schemas")? {
            database.add_schema(table, schema(&columns)?);
        }
        if let Some(given) = given(self.functions) {
            database.set_functions(functions(given)?);
        }
        if let Some(given) = given(self.geoip) {
            let path = sources::path(given)?.ok_or_else(|| PyTypeError::new_err("`geoip` is no path"))?;
            database.set_places(open_places(Path::new(&path)).or_raise(given.py())?);
        }
        let addons = self.addons()?;
        let addons: Vec<&Path> = addons.iter().map(Path::new).collect();
        knowledge::add(&mut database, call, given(self.macros), given(self.lookups), &addons)?;
        if let Some(given) = given(self.addons) {
            let known = EventKnowledge::built_in().and_then(|known| known.with(&addons)).or_raise(given.py())?;
            database.set_event_knowledge(known);
        }
        if let Some(folder) = &self.write_lookups {
            database.write_lookups(folder);
        }
        Ok(database)
    }

    fn addons(&self) -> PyResult<Vec<String>> {
        let Some(given) = given(self.addons) else { return Ok(Vec::new()) };
        let one = sources::path(given)?.map(|path| vec![path]);
        let found = one.map_or_else(|| paths(given), |one| Ok(Some(one)))?;
        found.ok_or_else(|| PyTypeError::new_err("`addons` is a path or a list of paths"))
    }
}

fn given<'a, 'py>(object: Given<'a, 'py>) -> Given<'a, 'py> {
    object.filter(|o| !o.is_none())
}

fn entries<'py>(object: Given<'_, 'py>, what: &str) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    given(object).map_or(Ok(Vec::new()), |object| sources::entries(object, what))
}

/// `{"column": "kind"}` as a schema.
pub fn schema(columns: &Bound<'_, PyAny>) -> PyResult<Schema> {
    let py = columns.py();
    let mut schema = Schema::default();
    for (name, kind) in sources::entries(columns, "a schema")? {
        let text = kind.str()?.to_string_lossy().into_owned();
        let kind = Kind::parse(&text).ok_or_else(|| unknown_kind(&name, &text)).or_raise(py)?;
        schema.set(Name::from(name), kind);
    }
    Ok(schema)
}

fn unknown_kind(column: &str, kind: &str) -> Fault {
    let fault = Fault::query("HP111", format!("the schema gives `{column}` the kind `{kind}`, which does not exist"));
    match closest(kind, Kind::KQL.iter().map(|k| k.name())) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("the kinds are bool, int, long, real, decimal, string, datetime, timespan, dynamic, guid"),
    }
}

/// Saved functions: files and folders of them, or a mapping of names to texts and files.
fn functions(object: &Bound<'_, PyAny>) -> PyResult<Functions> {
    let py = object.py();
    let mut functions = Functions::default();
    let paths = match sources::path(object)? {
        Some(path) => Some(vec![path]),
        None => paths(object)?,
    };
    if let Some(paths) = paths {
        paths.iter().try_for_each(|path| functions.load(Path::new(path))).or_raise(py)?;
        return Ok(functions);
    }
    for (name, given) in sources::entries(object, "functions")? {
        if let Ok(text) = given.cast::<PyString>() {
            functions.add(name, text.to_string_lossy());
        } else if let Some(path) = sources::path(&given)? {
            functions.load_as(name, Path::new(&path)).or_raise(py)?;
        } else {
            return Err(PyTypeError::new_err(format!("the function `{name}` is neither a text nor a path")));
        }
    }
    Ok(functions)
}

/// The paths of a list or tuple; none of what is neither.
fn paths(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    if !object.is_instance_of::<PyList>() && !object.is_instance_of::<PyTuple>() {
        return Ok(None);
    }
    let path = |item: PyResult<Bound<'_, PyAny>>| {
        sources::path(&item?)?.ok_or_else(|| PyTypeError::new_err("what the list holds are no paths"))
    };
    object.try_iter()?.map(path).collect::<PyResult<Vec<String>>>().map(Some)
}

/// The time that is meant by a datetime, ISO text, "latest", or nothing.
pub fn now(object: Given<'_, '_>) -> PyResult<Now> {
    let Some(object) = given(object) else { return Ok(Now::Wall) };
    let py = object.py();
    let unknown = |text: &str| {
        let fault = Fault::query("HP303", format!("`now` is no time: {text}"));
        fault.help("give a datetime, a text such as \"2026-03-12T15:00:00Z\", or \"latest\"")
    };
    if let Ok(moment) = object.cast::<PyDateTime>() {
        let ticks = cells::ticks_of(moment)?.ok_or_else(|| unknown("out of range"));
        return Ok(Now::At(ticks.or_raise(py)?));
    }
    let text = object.str()?.to_string_lossy().into_owned();
    match text.trim() {
        "latest" => Ok(Now::Latest),
        text => Ok(Now::At(datetime::parse(text).ok_or_else(|| unknown(text)).or_raise(py)?)),
    }
}

/// The events of a search: a mapping of names to sources, or one source, which has no name.
pub fn events<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_one = sources::ready(object)?.is_some() || sources::is_source(object) || object.is_instance_of::<PyList>();
    if !is_one {
        return Ok(object.clone());
    }
    let named = PyDict::new(object.py());
    named.set_item("", object)?;
    Ok(named.into_any())
}

/// A bound of the events' time: a datetime, or a text as Splunk writes it.
pub fn bound(object: Given<'_, '_>) -> PyResult<Option<String>> {
    let Some(object) = given(object) else { return Ok(None) };
    if let Ok(moment) = object.cast::<PyDateTime>() {
        let unknown = || Fault::query("HP303", "a bound of the time is out of range");
        let ticks = cells::ticks_of(moment)?.ok_or_else(unknown).or_raise(object.py())?;
        return Ok(Some(datetime::format(ticks)));
    }
    Ok(Some(object.str()?.to_string_lossy().into_owned()))
}

/// A zone by its name.
pub fn timezone(py: Python<'_>, name: &str) -> PyResult<chrono_tz::Tz> {
    let found = name.parse().map_err(|_| Fault::query("HP305", format!("there is no time zone `{name}`")));
    found.map_err(|fault| fault.help("name one of the IANA database: \"UTC\", \"Europe/Berlin\"")).or_raise(py)
}

/// The limits that are set.
pub fn limits(object: Given<'_, '_>) -> PyResult<Limits> {
    let Some(object) = given(object) else { return Ok(Limits::default()) };
    let settings = sources::entries(object, "limits")?;
    let settings: Vec<(String, i64)> =
        settings.into_iter().map(|(name, value)| Ok((name, value.extract()?))).collect::<PyResult<_>>()?;
    crate::engine::limits(settings.iter().map(|(name, value)| (name.as_str(), *value))).or_raise(object.py())
}
