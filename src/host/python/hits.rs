//! What a run of a pack found.
use super::call::Call;
use super::errors::guarded;
use super::rules::{PyProblem, PyRule, problem};
use super::table::PyTable;
use crate::rules::evaluate::Hits;
use crate::types::Table;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// What a run of a pack found.
#[pyclass(name = "Hits", module = "huntpack", frozen)]
pub struct PyHits {
    hits: Arc<Hits>,
    alerts: Py<PyTable>,
    incidents: Py<PyTable>,
    findings: Py<PyTable>,
    risk: Py<PyTable>,
    results: Vec<(String, Py<PyTable>)>,
}

impl PyHits {
    pub fn new(py: Python<'_>, hits: Hits) -> PyResult<PyHits> {
        let (alerts, incidents) = py.detach(|| (hits.runs.alert_table(), hits.runs.incident_table()));
        let (findings, risk) = py.detach(|| (hits.runs.raised().finding_table(), hits.runs.raised().risk_table()));
        let table = |table: Table| Py::new(py, PyTable::of(table));
        let results = hits.results.iter().map(|(key, rows)| Ok((key.clone(), table(rows.clone())?)));
        let results = results.collect::<PyResult<_>>()?;
        Ok(PyHits {
            alerts: table(alerts)?,
            incidents: table(incidents)?,
            findings: table(findings)?,
            risk: table(risk)?,
            results,
            hits: Arc::new(hits),
        })
    }
}

fn not_counted<T>() -> PyResult<T> {
    Err(PyTypeError::new_err("hits are not counted: ask for len(hits.alerts), hits.incidents or hits.results"))
}

#[pymethods]
impl PyHits {
    /// In SecurityAlert's columns.
    #[getter]
    fn alerts(&self, py: Python<'_>) -> Py<PyTable> {
        self.alerts.clone_ref(py)
    }

    /// In SecurityIncident's columns, grouped as each rule's incidentConfiguration says.
    #[getter]
    fn incidents(&self, py: Python<'_>) -> Py<PyTable> {
        self.incidents.clone_ref(py)
    }

    /// What detections of Splunk alert with: title, severity, entity, drilldowns.
    #[getter]
    fn findings(&self, py: Python<'_>) -> Py<PyTable> {
        self.findings.clone_ref(py)
    }

    /// The entities that detections of Splunk score: one row for each result row, entity and value.
    #[getter]
    fn risk(&self, py: Python<'_>) -> Py<PyTable> {
        self.risk.clone_ref(py)
    }

    /// The rows of each rule's query, by rule id.
    #[getter]
    fn results<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let results = PyDict::new(py);
        for (key, table) in &self.results {
            results.set_item(key, table)?;
        }
        Ok(results)
    }

    /// The rules that failed: each with `.rule`, `.path` and `.error`.
    #[getter]
    fn problems(&self, py: Python<'_>) -> Vec<PyProblem> {
        self.hits.failures.iter().map(|f| problem(py, Some(f.rule.clone()), &f.path, &f.error)).collect()
    }

    /// What to know of the run: rules that saw no event, and when the newest event was.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.hits.notes.clone()
    }

    /// The rows after each step of a rule, and the step that emptied it.
    fn why<'py>(&self, py: Python<'py>, rule: Bound<'py, PyAny>) -> PyResult<String> {
        guarded(py, || {
            let name = match rule.cast::<PyRule>() {
                Ok(rule) => rule.get().rule()?.key().to_owned(),
                Err(_) => rule.extract::<String>()?,
            };
            let hits = self.hits.clone();
            Call::new(py).run(None, move || hits.why(&name))
        })
    }

    /// The alerts and risk objects along time: a notebook shows it, `.save(path)` keeps it as an SVG.
    fn timeline<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("huntpack.report.timeline")?.call_method1("of", (slf,))
    }

    /// The techniques found, as a layer of the ATT&CK Navigator.
    fn attack_layer<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("huntpack.report.attack")?.call_method1("of_hits", (slf,))
    }

    /// Writes the report: one self-contained page.
    fn to_html(slf: &Bound<'_, Self>, path: Bound<'_, PyAny>) -> PyResult<()> {
        slf.py().import("huntpack.report")?.call_method1("write", (slf, path))?;
        Ok(())
    }

    fn __len__(&self) -> PyResult<usize> {
        not_counted()
    }

    fn __bool__(&self) -> PyResult<bool> {
        not_counted()
    }

    fn __repr__(&self) -> String {
        let rows = |table: &Py<PyTable>| table.get().held().table().rows();
        let mut lines = vec![format!(
            "<Hits: {} alerts, {} incidents, {} findings, {} risk events, {} rules run, {} failed>",
            rows(&self.alerts),
            rows(&self.incidents),
            rows(&self.findings),
            rows(&self.risk),
            self.hits.results.len(),
            self.hits.failures.len()
        )];
        lines.extend(self.hits.notes.iter().cloned());
        lines.join("\n")
    }
}
