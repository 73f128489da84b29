//! The module's functions.
use super::call::Call;
use super::errors::{OrRaise, PyDiagnostic, diagnostics, guarded};
use super::options::{self, DataOptions};
use super::table::PyTable;
use super::{sources, values};
use crate::diagnostic::{Diagnostic, Fault, Severity, Source, Style, render};
use crate::engine::{self, Database};
use crate::rules::import::import_page as import_rules;
use crate::rules::{Choice, Language};
use crate::types::Kind;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::Arc;

type Given<'py> = Option<Bound<'py, PyAny>>;

/// Runs a KQL query over `tables`.
///
/// `tables` maps a name to its source. `now` is the time of `now()` and `ago()` (the wall clock without it; a naive
/// datetime is UTC); "latest" is the newest event's. `functions` are saved functions by name, a `.kql` file, a parser
/// YAML, or a folder of them; `externaldata` maps a URL, or the start of one, to what is read in its place, for the
/// network is never used. `schemas` declares the columns of tables of your own. `geoip` is a file in MaxMind's
/// format (GeoLite2-City.mmdb), in which `geo_info_from_ip_address` looks. With `resolve`, names that `tables` lacks
/// are looked up among the caller's variables (in IPython by default).
///
/// Of several results the first is returned; its `.others` holds the rest.
#[pyfunction]
#[pyo3(signature = (query, tables=None, *, now=None, watchlists=None, functions=None, externaldata=None, schemas=None,
    geoip=None, resolve=None, limits=None, threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn kql<'py>(
    py: Python<'py>,
    query: String,
    tables: Given<'py>,
    now: Given<'py>,
    watchlists: Given<'py>,
    functions: Given<'py>,
    externaldata: Given<'py>,
    schemas: Given<'py>,
    geoip: Given<'py>,
    resolve: Option<bool>,
    limits: Given<'py>,
    threads: Option<usize>,
) -> PyResult<PyTable> {
    guarded(py, || {
        let mut call = Call::new(py);
        let data = DataOptions {
            tables: tables.as_ref(),
            watchlists: watchlists.as_ref(),
            functions: functions.as_ref(),
            externaldata: externaldata.as_ref(),
            schemas: schemas.as_ref(),
            geoip: geoip.as_ref(),
            ..DataOptions::default()
        };
        let mut database = data.database(&mut call)?;
        resolve_variables(py, &mut call, &mut database, resolve)?;
        let options = engine::Options {
            now: options::now(now.as_ref())?,
            limits: options::limits(limits.as_ref())?,
            threads,
            cancel: call.cancel.clone(),
            ..engine::Options::default()
        };
        let source = Arc::new(Source::query(query));
        let answer = call.run(threads, move || engine::query(&source, &database, &options))?;
        PyTable::of_answer(py, answer)
    })
}

/// Names that the database lacks are looked up among the caller's variables, where that is asked for: in a notebook
/// unless it is said.
fn resolve_variables<'py>(
    py: Python<'py>,
    call: &mut Call<'py>,
    database: &mut Database,
    resolve: Option<bool>,
) -> PyResult<()> {
    if resolve.map_or_else(|| in_notebook(py), Ok)? {
        database.set_resolver(call.resolver(callers_variables(py)?));
    }
    Ok(())
}

/// Whether IPython runs us; it is not imported to find out.
fn in_notebook(py: Python<'_>) -> PyResult<bool> {
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    match modules.get_item("IPython")? {
        Some(module) => Ok(!module.call_method0("get_ipython")?.is_none()),
        None => Ok(false),
    }
}

/// The variables of the Python code that called, local ones first.
fn callers_variables(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let frame = py.import("sys")?.call_method1("_getframe", (0,))?;
    Ok(vec![frame.getattr("f_locals")?, frame.getattr("f_globals")?])
}

/// Runs an SPL search over events.
///
/// `tables` maps names to sources, which together are the events; a single source is allowed too. A search that does
/// not begin with `|` begins with search terms. `now` is the current time (the wall clock without it; a naive datetime
/// is UTC); "latest" is the newest event's. `earliest` and `latest` bound the events' time where the search does not:
/// datetimes, or texts such as "-24h@h". `timezone` is the zone of days and of written times. `geoip` is a file in
/// MaxMind's format, in which `iplocation` looks. `addons` tells of sourcetypes: folders of Splunk's add-ons, a
/// `props.conf`, YAML files of aliases and calculated fields. `outputlookup` keeps rows in memory; with `write_lookups`
/// it writes CSV files into that folder, too.
#[pyfunction]
#[pyo3(signature = (search, tables=None, *, now=None, earliest=None, latest=None, timezone="UTC", macros=None,
    lookups=None, geoip=None, addons=None, resolve=None, limits=None, threads=None, write_lookups=None))]
#[allow(clippy::too_many_arguments)]
pub fn spl<'py>(
    py: Python<'py>,
    search: String,
    tables: Given<'py>,
    now: Given<'py>,
    earliest: Given<'py>,
    latest: Given<'py>,
    timezone: &str,
    macros: Given<'py>,
    lookups: Given<'py>,
    geoip: Given<'py>,
    addons: Given<'py>,
    resolve: Option<bool>,
    limits: Given<'py>,
    threads: Option<usize>,
    write_lookups: Option<PathBuf>,
) -> PyResult<PyTable> {
    guarded(py, || {
        let source = Arc::new(Source { origin: "<search>".into(), ..Source::query(search) });
        let mut call = Call::new(py);
        call.as_events = true;
        let events = tables.filter(|given| !given.is_none()).map(|given| options::events(&given)).transpose()?;
        let data = DataOptions {
            tables: events.as_ref(),
            macros: macros.as_ref(),
            lookups: lookups.as_ref(),
            geoip: geoip.as_ref(),
            addons: addons.as_ref(),
            write_lookups,
            ..DataOptions::default()
        };
        let mut database = data.database(&mut call)?;
        resolve_variables(py, &mut call, &mut database, resolve)?;
        let options = engine::Options {
            now: options::now(now.as_ref())?,
            earliest: options::bound(earliest.as_ref())?,
            latest: options::bound(latest.as_ref())?,
            timezone: Some(options::timezone(py, timezone)?),
            limits: options::limits(limits.as_ref())?,
            threads,
            cancel: call.cancel.clone(),
            ..engine::Options::default()
        };
        let answer = call.run(threads, move || engine::search(&source, &database, &options))?;
        PyTable::of_answer(py, answer)
    })
}

/// What `check` found.
#[pyclass(name = "Check", module = "huntpack", frozen)]
pub struct PyCheck {
    check: engine::Check,
    source: Arc<Source>,
    /// What was found in a rule's file beside its query, and that file.
    beside: Vec<Diagnostic>,
    file: Option<Arc<Source>>,
}

impl PyCheck {
    /// With what was found in the rule's file beside its query.
    pub fn with_file(self, beside: Vec<Diagnostic>, file: Arc<Source>) -> PyCheck {
        PyCheck { beside, file: Some(file), ..self }
    }
}

#[pymethods]
impl PyCheck {
    /// Whether there is no error; warnings do not count.
    #[getter]
    fn ok(&self) -> bool {
        self.check.ok() && self.beside.iter().all(|d| d.severity != Severity::Error)
    }

    /// Errors and warnings: each with code, message, span and help.
    #[getter]
    fn diagnostics(&self) -> Vec<PyDiagnostic> {
        let mut found = diagnostics(&self.check.diagnostics, Some(&self.source));
        found.extend(diagnostics(&self.beside, self.file.as_ref()));
        found
    }

    /// (name, kind) of each result column; the kind is "unknown" where the data alone tell it.
    #[getter]
    fn columns(&self) -> Vec<(&str, &'static str)> {
        let kind_of = |name: &String, kind: Kind| match self.check.unknown.contains(name) {
            true => "unknown",
            false => kind.shown(),
        };
        self.check.columns.iter().map(|(name, kind)| (name.as_str(), kind_of(name, *kind))).collect()
    }

    /// The tables that the query reads.
    #[getter]
    fn tables(&self) -> Vec<&str> {
        self.check.tables.iter().map(String::as_str).collect()
    }

    /// Whether further columns may come that only the data can tell.
    #[getter]
    fn open(&self) -> bool {
        self.check.open
    }

    fn __repr__(&self) -> String {
        let found = render(&self.check.diagnostics, Some(&self.source), Style::Line);
        let beside = render(&self.beside, self.file.as_deref(), Style::Line);
        let head = if self.ok() { "Check(ok=True)" } else { "Check(ok=False)" };
        [head, &found, &beside].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// Checks a query's syntax, names and kinds without data. Tables that no schema describes are open: they have
/// every column, and a warning says so.
#[pyfunction]
#[pyo3(signature = (query, *, language="kql", schemas=None, functions=None, macros=None))]
pub fn check<'py>(
    py: Python<'py>,
    query: String,
    language: &str,
    schemas: Given<'py>,
    functions: Given<'py>,
    macros: Given<'py>,
) -> PyResult<PyCheck> {
    let source = Arc::new(Source::query(query));
    let Some(language) = Language::parse(language) else {
        let fault = Fault::query("HP304", format!("there is no language `{language}`"));
        return Err(fault.help("the languages are kql and spl")).or_raise(py);
    };
    let data = DataOptions {
        schemas: schemas.as_ref(),
        functions: functions.as_ref(),
        macros: macros.as_ref(),
        ..DataOptions::default()
    };
    check_source(py, source, language, &data)
}

/// Checks the query of a rule or a caller.
pub fn check_source<'py>(
    py: Python<'py>,
    source: Arc<Source>,
    language: Language,
    data: &DataOptions<'_, 'py>,
) -> PyResult<PyCheck> {
    guarded(py, || {
        let mut call = Call::new(py);
        let database: Database = data.database(&mut call)?;
        let text = source.clone();
        let check = move || match language {
            Language::Kql => engine::check(&text, &database),
            Language::Spl => engine::check_search(&text, &database),
        };
        let found = call.run(Some(1), check)?;
        Ok(PyCheck { check: found, source, beside: Vec::new(), file: None })
    })
}

/// Takes a source in once. The Table keeps what it learns about its columns for the queries that follow.
#[pyfunction]
#[pyo3(name = "table", signature = (source, *, name=None, schema=None))]
pub fn take_in<'py>(
    py: Python<'py>,
    source: Bound<'py, PyAny>,
    name: Option<String>,
    schema: Given<'py>,
) -> PyResult<PyTable> {
    guarded(py, || {
        let schema = schema.as_ref().map(options::schema).transpose()?;
        let mut call = Call::new(py);
        let data = call.data(&source)?;
        let table = call.run(None, move || engine::take_in(data, name.as_deref(), schema))?;
        Ok(PyTable::of(table))
    })
}

/// Reads a file, the files of a glob, or a folder. The format is recognised, unless it is given; `table` names the
/// Log Analytics table whose schema the columns take.
#[pyfunction]
#[pyo3(signature = (path, *, format=None, table=None, columns=None, schema=None))]
pub fn read<'py>(
    py: Python<'py>,
    path: Bound<'py, PyAny>,
    format: Option<String>,
    table: Option<String>,
    columns: Option<Vec<String>>,
    schema: Given<'py>,
) -> PyResult<PyTable> {
    guarded(py, || {
        let schema = schema.as_ref().map(options::schema).transpose()?;
        let Some(path) = sources::path(&path)? else {
            return Err(pyo3::exceptions::PyTypeError::new_err("a path is a text or a path object"));
        };
        let call = Call::new(py);
        let request = engine::ReadRequest { paths: vec![path], format, table, columns, schema };
        let table = call.run(None, move || engine::read(request))?;
        Ok(PyTable::of(table))
    })
}

/// Recovers the rules of a page pasted from the web, an ARM template or a savedsearches.conf: for each a file
/// name, clean YAML, and notes on what was mended.
#[pyfunction]
pub fn import_page(py: Python<'_>, text: String, name: String) -> PyResult<Vec<(String, String, Vec<String>)>> {
    guarded(py, || {
        let found = py.detach(|| imported(&text, &name));
        found.or_raise(py)
    })
}

/// Raises where there is no time zone of that name.
#[pyfunction]
pub fn check_timezone(py: Python<'_>, name: &str) -> PyResult<()> {
    options::timezone(py, name).map(drop)
}

/// File name, YAML and notes of each rule of a page; the error of a page whose rules are all beyond recovery.
fn imported(text: &str, page: &str) -> crate::diagnostic::Result<Vec<(String, String, Vec<String>)>> {
    let mut rules = Vec::new();
    let mut lost = None;
    for mut rule in import_rules(text) {
        match rule.error {
            Some(error) if rule.yaml.is_empty() => lost = lost.or(Some(error)),
            error => {
                let label = rule.name.or(rule.id).unwrap_or_else(|| page_stem(page));
                rule.notes.extend(error.map(|error| format!("the rule does not load yet: {error}")));
                rules.push((format!("{}.yaml", slug(&label)), rule.yaml, rule.notes));
            }
        }
    }
    match lost {
        Some(error) if rules.is_empty() => Err(error),
        _ => Ok(rules),
    }
}

fn page_stem(page: &str) -> String {
    std::path::Path::new(page).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name as a file's: lower-case letters and digits, with hyphens between words.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("-").to_lowercase().chars().take(100).collect();
    if slug.is_empty() { "rule".to_owned() } else { slug }
}

/// The documents of a YAML text; `name` stands in its errors.
#[pyfunction]
pub fn parse_yaml<'py>(py: Python<'py>, text: String, name: String) -> PyResult<Vec<Bound<'py, PyAny>>> {
    guarded(py, || {
        let source = Arc::new(Source { text, origin: name, first_line: 1, indent: 0 });
        let documents = py.detach(|| crate::rules::document::parse_yaml(&source)).or_raise(py)?;
        documents.iter().map(|document| values::json(py, &document.to_json())).collect()
    })
}

/// Something that may stand at a place of a query.
#[pyclass(name = "Completion", module = "huntpack", frozen, get_all)]
pub struct PyCompletion {
    /// What is shown.
    label: String,
    /// column, variable, table, function, aggregate, operator, plugin, keyword, parameter, kind or watchlist.
    kind: &'static str,
    /// What is written in the place of `replaces`.
    insert: String,
    /// A column's kind, a function's signature, an operator's summary.
    detail: String,
    /// Where the part starts and ends that is written already, in characters.
    replaces: (usize, usize),
}

#[pymethods]
impl PyCompletion {
    fn __repr__(&self) -> String {
        format!("Completion({:?}, kind={:?}, detail={:?})", self.label, self.kind, self.detail)
    }
}

/// What may stand at a position of a query (a count of characters; its end without one), the likeliest first:
/// operators, columns after the steps so far, functions, tables, words of the grammar. What stands behind the
/// position may be broken.
#[pyfunction]
#[pyo3(signature = (query, position=None, tables=None, schemas=None, functions=None, watchlists=None))]
pub fn complete<'py>(
    py: Python<'py>,
    query: String,
    position: Option<usize>,
    tables: Given<'py>,
    schemas: Given<'py>,
    functions: Given<'py>,
    watchlists: Given<'py>,
) -> PyResult<Vec<PyCompletion>> {
    guarded(py, || {
        let mut call = Call::new(py);
        let data = DataOptions {
            tables: tables.as_ref(),
            schemas: schemas.as_ref(),
            functions: functions.as_ref(),
            watchlists: watchlists.as_ref(),
            ..DataOptions::default()
        };
        let database = data.database(&mut call)?;
        let at = position.map_or(query.len(), |at| byte_of(&query, at));
        let text = query.clone();
        let found = call.run(Some(1), move || engine::complete(&text, at, &database))?;
        let place = |at: u32| query.get(..at as usize).map_or(0, |before| before.chars().count());
        let made = found.into_iter().map(|c| PyCompletion {
            label: c.label,
            kind: c.kind.name(),
            insert: c.insert,
            detail: c.detail,
            replaces: (place(c.replaces.start), place(c.replaces.end)),
        });
        Ok(made.collect())
    })
}

/// The byte at which a character of a text begins.
fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// All names that have a manual page, by family: (title, [(name, summary)]).
#[pyfunction]
pub fn help_index() -> Vec<(String, Vec<(&'static str, String)>)> {
    engine::help_index().into_iter().map(|section| (section.title, section.entries)).collect()
}

/// The manual page of a function, operator or command. Raises a `QueryError` that offers the nearest names.
#[pyfunction]
pub fn help_page(py: Python<'_>, name: &str) -> PyResult<String> {
    guarded(py, || engine::help(name).or_raise(py))
}
