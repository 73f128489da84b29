//! Rules, and packs of them.
use super::call::Call;
use super::errors::{OrRaise, PyDiagnostic, RuleError, diagnostics, exception, guarded};
use super::functions::{PyCheck, check_source};
use super::hits::PyHits;
use super::options::{self, DataOptions};
use super::values;
use crate::diagnostic::{Fault, Source};
use crate::engine::{self, Database};
use crate::rules::detection::Detection;
use crate::rules::evaluate::{Known, evaluate};
use crate::rules::{self, Choice, Language, Pack, Rule, arm, savedsearch};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

type Given<'py> = Option<Bound<'py, PyAny>>;

/// A rule as its file has it. Absent lists and mappings are empty, absent texts None.
#[pyclass(name = "Rule", module = "huntpack", frozen)]
pub struct PyRule {
    pack: Arc<Pack>,
    at: usize,
}

impl PyRule {
    pub fn rule(&self) -> PyResult<&Rule> {
        self.pack.rules.get(self.at).ok_or_else(|| RuleError::new_err("the rule is no longer in its pack"))
    }

    /// Something of a detection of Splunk; none of another rule.
    fn detected<T>(&self, part: impl FnOnce(&Detection) -> T) -> PyResult<Option<T>> {
        Ok(self.rule()?.detection.as_deref().map(part))
    }
}

#[pymethods]
impl PyRule {
    #[getter]
    fn id(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.id.as_deref())
    }

    #[getter]
    fn name(&self) -> PyResult<Option<&str>> {
        Ok(Some(self.rule()?.name.as_str()))
    }

    #[getter]
    fn description(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.description.as_deref())
    }

    #[getter]
    fn version(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.version.as_deref())
    }

    #[getter]
    fn author(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.author.as_deref())
    }

    #[getter]
    fn path(&self) -> PyResult<Option<&str>> {
        Ok(Some(self.rule()?.path.as_str()))
    }

    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.raw)
    }

    #[getter]
    fn language(&self) -> PyResult<&'static str> {
        Ok(self.rule()?.language.name())
    }

    #[getter]
    fn format(&self) -> PyResult<&'static str> {
        Ok(self.rule()?.format.name())
    }

    #[getter]
    fn kind(&self) -> PyResult<&'static str> {
        Ok(self.rule()?.kind_name())
    }

    #[getter]
    fn severity(&self) -> PyResult<Option<&'static str>> {
        Ok(Some(self.rule()?.severity_name()))
    }

    #[getter]
    fn status(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.status.as_deref())
    }

    #[getter]
    fn enabled(&self) -> PyResult<bool> {
        Ok(self.rule()?.enabled)
    }

    #[getter]
    fn query(&self) -> PyResult<&str> {
        Ok(&self.rule()?.query)
    }

    /// The names of the tables that the query reads.
    #[getter]
    fn tables(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        guarded(py, || {
            let rule = self.rule()?;
            let source = rule.query_source.clone();
            let found = py.detach(|| match rule.language {
                Language::Kql => engine::check(&source, &Database::default()),
                Language::Spl => engine::check_search(&source, &Database::default()),
            });
            Ok(found.or_raise(py)?.tables)
        })
    }

    #[getter]
    fn query_frequency<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::span(py, self.rule()?.query_frequency)
    }

    #[getter]
    fn query_period<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::span(py, self.rule()?.query_period)
    }

    #[getter]
    fn suppression_duration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::span(py, self.rule()?.suppression_duration)
    }

    #[getter]
    fn lookback_duration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::span(py, self.rule()?.lookback_duration)
    }

    #[getter]
    fn trigger_operator(&self) -> PyResult<Option<&'static str>> {
        Ok(Some(self.rule()?.trigger_operator.name()))
    }

    #[getter]
    fn trigger_threshold(&self) -> PyResult<Option<i64>> {
        Ok(Some(self.rule()?.trigger_threshold))
    }

    #[getter]
    fn tactics(&self) -> PyResult<Vec<String>> {
        Ok(self.rule()?.tactics.clone())
    }

    #[getter]
    fn techniques(&self) -> PyResult<Vec<String>> {
        Ok(self.rule()?.techniques.clone())
    }

    #[getter]
    fn entity_mappings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.entity_mappings)
    }

    #[getter]
    fn sentinel_entities_mappings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.sentinel_entities_mappings)
    }

    #[getter]
    fn custom_details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.custom_details)
    }

    #[getter]
    fn alert_details_override<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.alert_details_override)
    }

    #[getter]
    fn required_data_connectors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.required_data_connectors)
    }

    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.rule()?.tags)
    }

    #[getter]
    fn event_grouping(&self) -> PyResult<&'static str> {
        Ok(self.rule()?.event_grouping.name())
    }

    #[getter]
    fn suppression_enabled(&self) -> PyResult<bool> {
        Ok(self.rule()?.suppression_enabled)
    }

    #[getter]
    fn create_incident(&self) -> PyResult<bool> {
        Ok(self.rule()?.create_incident)
    }

    #[getter]
    fn grouping_enabled(&self) -> PyResult<bool> {
        Ok(self.rule()?.grouping_enabled)
    }

    #[getter]
    fn reopen_closed_incident(&self) -> PyResult<bool> {
        Ok(self.rule()?.reopen_closed_incident)
    }

    #[getter]
    fn matching_method(&self) -> PyResult<&'static str> {
        Ok(self.rule()?.matching_method.name())
    }

    #[getter]
    fn group_by_entities(&self) -> PyResult<Vec<String>> {
        Ok(self.rule()?.group_by_entities.clone())
    }

    #[getter]
    fn group_by_alert_details(&self) -> PyResult<Vec<String>> {
        Ok(self.rule()?.group_by_alert_details.clone())
    }

    #[getter]
    fn group_by_custom_details(&self) -> PyResult<Vec<String>> {
        Ok(self.rule()?.group_by_custom_details.clone())
    }

    /// The fields of the results that name entities: `[{field, type, score}]`.
    #[getter]
    fn risk_objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.detected(Detection::risk_objects)?.unwrap_or_else(|| json!([])))
    }

    /// The fields of the results that name means of an attack: `[{field, type}]`.
    #[getter]
    fn threat_objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.detected(Detection::threats)?.unwrap_or_else(|| json!([])))
    }

    /// What is said of the results, with `$field$` for the values of a row.
    #[getter]
    fn message(&self) -> PyResult<Option<&str>> {
        Ok(self.rule()?.detection.as_ref().and_then(|detection| detection.message()))
    }

    /// `[{name, search, earliest_offset, latest_offset}]`
    #[getter]
    fn drilldown_searches<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.detected(Detection::drilldown_searches)?.unwrap_or_else(|| json!([])))
    }

    #[getter]
    fn analytic_story(&self) -> PyResult<Vec<String>> {
        Ok(self.detected(|detection| detection.analytic_story.clone())?.unwrap_or_default())
    }

    #[getter]
    fn security_domain(&self) -> PyResult<Option<String>> {
        Ok(self.detected(|detection| detection.security_domain.clone())?.flatten())
    }

    /// `{cron_schedule, earliest_time, latest_time, schedule_window}`
    #[getter]
    fn schedule<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::json(py, &self.detected(|detection| detection.schedule.to_json())?.unwrap_or_else(|| json!({})))
    }

    /// What was odd about the file though the rule loads.
    #[getter]
    fn warnings(&self) -> PyResult<Vec<PyDiagnostic>> {
        let rule = self.rule()?;
        Ok(diagnostics(&rule.warnings, Some(&rule.file)))
    }

    /// Checks the rule's query, and with `strict` what the public rule repository's validators ask for; places are
    /// those of the rule's file.
    #[pyo3(signature = (*, schemas=None, functions=None, macros=None, lookups=None, strict=false))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        schemas: Given<'py>,
        functions: Given<'py>,
        macros: Given<'py>,
        lookups: Given<'py>,
        strict: bool,
    ) -> PyResult<PyCheck> {
        let rule = self.rule()?;
        let data = DataOptions {
            schemas: schemas.as_ref(),
            functions: functions.as_ref(),
            macros: macros.as_ref(),
            lookups: lookups.as_ref(),
            ..DataOptions::default()
        };
        let found = check_source(py, rule.query_source.clone(), rule.language, &data)?;
        let beside = if strict { rules::strict::check(rule) } else { rules::strict::refused(rule) };
        Ok(found.with_file(beside, rule.file.clone()))
    }

    fn __repr__(&self) -> PyResult<String> {
        let rule = self.rule()?;
        Ok(format!("<Rule {} {:?} ({})>", rule.key(), rule.name, rule.severity_name()))
    }
}

/// A file or a rule that failed.
#[pyclass(name = "Problem", module = "huntpack._core", frozen, get_all)]
pub struct PyProblem {
    /// The rule's name, where it is known.
    rule: Option<String>,
    path: String,
    error: Py<PyAny>,
}

#[pymethods]
impl PyProblem {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.error.bind(py).str()?.to_string_lossy().into_owned())
    }
}

pub fn problem(py: Python<'_>, rule: Option<String>, path: &str, error: &Fault) -> PyProblem {
    // An error without a text of its own is one of the file.
    let file = Arc::new(Source { origin: path.to_owned(), ..Source::default() });
    let error = exception(py, &error.clone().of(&file)).into_value(py);
    PyProblem { rule, path: path.to_owned(), error: error.into_any() }
}

/// Rules loaded together.
#[pyclass(name = "Pack", module = "huntpack", frozen)]
pub struct PyPack {
    pack: Arc<Pack>,
}

/// Loads rules from files and folders; without paths, the built-in pack.
#[pyfunction]
#[pyo3(signature = (*paths))]
pub fn load(py: Python<'_>, paths: &Bound<'_, PyTuple>) -> PyResult<PyPack> {
    guarded(py, || {
        let given: PyResult<Vec<PathBuf>> = paths.iter().map(|path| path.extract()).collect();
        let mut paths = given?;
        if paths.is_empty() {
            paths.push(built_in(py)?);
        }
        Ok(PyPack { pack: Arc::new(py.detach(|| rules::load(&paths))) })
    })
}

/// The folder of the built-in pack, beside this module.
fn built_in(py: Python<'_>) -> PyResult<PathBuf> {
    let file: PathBuf = py.import("huntpack")?.getattr("__file__")?.extract()?;
    Ok(file.with_file_name("rules"))
}

impl PyPack {
    fn rule(&self, py: Python<'_>, at: usize) -> PyResult<Py<PyRule>> {
        Py::new(py, PyRule { pack: self.pack.clone(), at })
    }
}

#[pymethods]
impl PyPack {
    /// The files that did not load, each with its `.path` and `.error`.
    #[getter]
    fn problems(&self, py: Python<'_>) -> Vec<PyProblem> {
        self.pack.problems.iter().map(|p| problem(py, None, &p.path, &p.error)).collect()
    }

    /// What to know of the load: files that were passed over, though they hold rules.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.pack.notes()
    }

    /// Evaluates every rule once at `now`, over its query period. `progress` is called with the rules done, their
    /// number, and a rule's name. A failing rule stands in `hits.problems` and never stops the others; with `strict`
    /// it raises. `geoip` is a file in MaxMind's format, in which `geo_info_from_ip_address` looks. `addons` and
    /// `write_lookups` are those of `spl`.
    #[pyo3(signature = (tables, now=None, watchlists=None, lookups=None, macros=None, functions=None,
        externaldata=None, schemas=None, geoip=None, addons=None, timezone="UTC", progress=None, threads=None,
        strict=false, write_lookups=None))]
    #[allow(clippy::too_many_arguments)]
    fn run<'py>(
        &self,
        py: Python<'py>,
        tables: Bound<'py, PyAny>,
        now: Given<'py>,
        watchlists: Given<'py>,
        lookups: Given<'py>,
        macros: Given<'py>,
        functions: Given<'py>,
        externaldata: Given<'py>,
        schemas: Given<'py>,
        geoip: Given<'py>,
        addons: Given<'py>,
        timezone: &str,
        progress: Given<'py>,
        threads: Option<usize>,
        strict: bool,
        write_lookups: Option<PathBuf>,
    ) -> PyResult<PyHits> {
        guarded(py, || {
            let mut call = Call::new(py);
            let tables = options::events(&tables)?;
            let data = DataOptions {
                tables: Some(&tables),
                watchlists: watchlists.as_ref(),
                functions: functions.as_ref(),
                externaldata: externaldata.as_ref(),
                schemas: schemas.as_ref(),
                geoip: geoip.as_ref(),
                macros: macros.as_ref(),
                lookups: lookups.as_ref(),
                addons: addons.as_ref(),
                write_lookups,
            };
            let mut database = data.database(&mut call)?;
            database.keep();
            if self.pack.rules.iter().filter(|rule| rule.language == Language::Spl).count() > 1 {
                database.search_often();
            }
            let options = engine::Options {
                now: options::now(now.as_ref())?,
                timezone: Some(options::timezone(py, timezone)?),
                threads,
                cancel: call.cancel.clone(),
                ..engine::Options::default()
            };
            let teller = call.on_progress(progress.filter(|p| !p.is_none()));
            let rules = self.pack.clone();
            let work = move || {
                let tell = |done: usize, total: usize, name: &str| teller.tell(done, total, name);
                evaluate(rules, database, options, Known::default(), strict, &tell)
            };
            let hits = call.run(threads, work)?;
            PyHits::new(py, hits)
        })
    }

    /// Runs the tests that stand beside the rules' files, or those of the one file: each result has `.rule`, `.path`,
    /// `.ok` and `.message`. Of detections of Splunk also the tests in their own files, over recorded data in the folders
    /// `attack_data` or beside the rule.
    #[pyo3(signature = (path=None, *, attack_data=None, macros=None, lookups=None, addons=None))]
    fn test<'py>(
        slf: &Bound<'py, Self>,
        path: Given<'py>,
        attack_data: Given<'py>,
        macros: Given<'py>,
        lookups: Given<'py>,
        addons: Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(slf.py());
        options.set_item("macros", macros)?;
        options.set_item("lookups", lookups)?;
        options.set_item("addons", addons)?;
        slf.py().import("huntpack.testing")?.call_method("run", (slf, path, attack_data), Some(&options))
    }

    /// The rules as one text: "arm" is an ARM template, "savedsearches" a savedsearches.conf of Splunk, "attack-layer"
    /// a layer of the ATT&CK Navigator.
    fn export(slf: &Bound<'_, Self>, to: &str) -> PyResult<String> {
        let (py, rules) = (slf.py(), &slf.get().pack.rules);
        match to {
            "arm" => guarded(py, || {
                let template = py.detach(|| serde_json::to_string_pretty(&arm::to_template(rules)));
                template.map_err(|error| Fault::internal(error.to_string())).or_raise(py)
            }),
            "savedsearches" => Ok(py.detach(|| savedsearch::to_conf(rules))),
            "attack-layer" => py.import("huntpack.report.attack")?.call_method1("of_pack", (slf,))?.extract(),
            other => {
                let fault = Fault::rule("HP220", format!("rules cannot be exported to `{other}`"));
                Err(fault.help("the forms are: arm, savedsearches, attack-layer")).or_raise(py)
            }
        }
    }

    fn __len__(&self) -> usize {
        self.pack.rules.len()
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<RuleIterator> {
        let rules: PyResult<Vec<_>> = (0..self.pack.rules.len()).map(|at| self.rule(py, at)).collect();
        Ok(RuleIterator { rules: rules?.into_iter() })
    }

    fn __getitem__(&self, py: Python<'_>, key: &str) -> PyResult<Py<PyRule>> {
        let known = |rule: &Rule| rule.id.as_deref() == Some(key) || rule.name == key;
        if !self.pack.rules.iter().any(known) {
            return Err(PyKeyError::new_err(key.to_owned()));
        }
        let wanted = self.pack.rule(key).or_raise(py)?;
        let at = self.pack.rules.iter().position(|rule| std::ptr::eq(rule, wanted));
        self.rule(py, at.unwrap_or(0))
    }

    fn __repr__(&self) -> String {
        format!("<Pack of {} rules>", self.pack.rules.len())
    }
}

/// The rules of a pack, one after the other.
#[pyclass(module = "huntpack._core")]
pub struct RuleIterator {
    rules: std::vec::IntoIter<Py<PyRule>>,
}

#[pymethods]
impl RuleIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&mut self) -> Option<Py<PyRule>> {
        self.rules.next()
    }
}
