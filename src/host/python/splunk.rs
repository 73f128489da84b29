//! The entry of the Splunk app's scripts.
use crate::host::splunk::{Ask, run};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs a search command of the Splunk app in the folder `app` over standard input and output; returns the exit code.
/// `ask` is called with the address of splunkd, a session's key, a path and a form or None, and gives status and text.
#[pyfunction]
#[pyo3(signature = (command, app, ask=None))]
pub fn splunk(py: Python<'_>, command: String, app: PathBuf, ask: Option<Py<PyAny>>) -> i32 {
    let ask = ask.map(asking);
    py.detach(move || run(&command, &app, ask, std::io::stdin(), std::io::stdout()))
}

/// A function that asks splunkd over HTTP: Splunk's Python has what that takes.
fn asking(ask: Py<PyAny>) -> Ask {
    Arc::new(move |address, key, path, form| {
        Python::attach(|py| {
            let answer = ask.call1(py, (address, key, path, form)).and_then(|answer| answer.extract(py));
            answer.map_err(|error: PyErr| error.value(py).to_string())
        })
    })
}
