//! The entry of the Splunk app's scripts.
use crate::host::splunk::run;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Runs a search command of the Splunk app in the folder `app` over standard input and output; returns the exit code.
#[pyfunction]
pub fn splunk(py: Python<'_>, command: String, app: PathBuf) -> i32 {
    py.detach(move || run(&command, &app, std::io::stdin(), std::io::stdout()))
}
