//! Faults as Python exceptions, with their diagnostics.
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Source, Style, render};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

create_exception!(huntpack, Error, PyException, "Any fault of huntpack's; its text is the annotated source.");
create_exception!(huntpack, QueryError, Error, "A query is wrong, or needs what is not supported.");
create_exception!(huntpack, RuleError, Error, "A rule file is wrong.");
create_exception!(huntpack, DataError, Error, "A source cannot be read.");
create_exception!(huntpack, LimitError, Error, "A limit was reached; the text names the setting.");
create_exception!(huntpack, InternalError, Error, "A fault in huntpack itself.");

/// One thing that is wrong; its text is the annotated source.
#[pyclass(name = "Diagnostic", module = "huntpack._core", frozen)]
pub struct PyDiagnostic {
    diagnostic: Diagnostic,
    source: Option<Arc<Source>>,
}

#[pymethods]
impl PyDiagnostic {
    /// error, warning or note.
    #[getter]
    fn severity(&self) -> &'static str {
        self.diagnostic.severity.name()
    }

    /// Microsoft's KS number where the case is the same, else HP and a number.
    #[getter]
    fn code(&self) -> &str {
        &self.diagnostic.code
    }

    #[getter]
    fn message(&self) -> &str {
        &self.diagnostic.message
    }

    #[getter]
    fn help(&self) -> Option<&str> {
        self.diagnostic.help.as_deref()
    }

    /// Where it starts and ends in the query, in characters.
    #[getter]
    fn span(&self) -> Option<(usize, usize)> {
        let span = self.diagnostic.span?;
        let text = self.source.as_ref().map_or("", |s| &s.text);
        let characters = |bytes: u32| match text.get(..bytes as usize) {
            Some(before) => before.chars().count(),
            None => bytes as usize,
        };
        Some((characters(span.start), characters(span.end)))
    }

    /// The rule's file.
    #[getter]
    fn path(&self) -> Option<&str> {
        self.source.as_ref().map(|s| s.origin.as_str()).filter(|o| !o.is_empty() && !o.starts_with('<'))
    }

    /// Counted from 1, in the rule's file where there is one, else in the query.
    #[getter]
    fn line(&self) -> Option<usize> {
        self.place().map(|(line, _)| line)
    }

    #[getter]
    fn column(&self) -> Option<usize> {
        self.place().map(|(_, column)| column)
    }

    fn __str__(&self) -> String {
        render(std::slice::from_ref(&self.diagnostic), self.source.as_deref(), Style::Plain)
    }

    fn __repr__(&self) -> String {
        render(std::slice::from_ref(&self.diagnostic), self.source.as_deref(), Style::Line)
    }
}

impl PyDiagnostic {
    fn place(&self) -> Option<(usize, usize)> {
        Some(self.source.as_ref()?.place(self.diagnostic.span?.start as usize))
    }
}

/// Diagnostics as Python objects.
pub fn diagnostics(found: &[Diagnostic], source: Option<&Arc<Source>>) -> Vec<PyDiagnostic> {
    let made = found.iter().map(|d| PyDiagnostic { diagnostic: d.clone(), source: source.cloned() });
    made.collect()
}

/// The exception that a fault is raised as.
pub fn exception(py: Python<'_>, fault: &Fault) -> PyErr {
    let text = render(fault.diagnostics(), fault.source().map(Arc::as_ref), Style::Plain);
    let error = match fault.kind() {
        FaultKind::Query => QueryError::new_err(text),
        FaultKind::Rule => RuleError::new_err(text),
        FaultKind::Data => DataError::new_err(text),
        FaultKind::Limit => LimitError::new_err(text),
        FaultKind::Internal => InternalError::new_err(text),
        FaultKind::Cancelled => return PyKeyboardInterrupt::new_err(()),
    };
    let said = diagnostics(fault.diagnostics(), fault.source());
    match error.value(py).setattr("diagnostics", said) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// Raises faults.
pub trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for crate::diagnostic::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|fault| exception(py, &fault))
    }
}

/// Runs `work`; a panic in it is a fault of ours, and no reason to end the program.
pub fn caught<T>(work: impl FnOnce() -> T) -> crate::diagnostic::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Fault::internal(said.unwrap_or_else(|| "a step failed without a word".to_owned()))
    })
}

/// [`caught`], for what raises Python's own exceptions.
pub fn guarded<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    caught(work).or_raise(py)?
}
