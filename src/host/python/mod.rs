//! The Python extension `huntpack._core`.
//!
//! Work runs on our own threads while the calling thread is detached: it wakes to look for Ctrl-C, and to do what
//! only it may do, which is to read the caller's objects ([`call`]). Nothing is imported before it is needed.
mod call;
mod capsule;
mod cells;
mod errors;
mod frame;
mod functions;
mod hits;
mod knowledge;
mod options;
mod rules;
mod show;
mod sources;
mod splunk;
mod table;
mod values;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::errors::{DataError, Error, InternalError, LimitError, PyDiagnostic, QueryError, RuleError};
    #[pymodule_export]
    use super::functions::{PyCheck, PyCompletion};
    #[pymodule_export]
    use super::functions::{
        check, check_timezone, complete, help_index, help_page, import_page, kql, parse_yaml, read, spl, take_in,
    };
    #[pymodule_export]
    use super::hits::PyHits;
    #[pymodule_export]
    use super::rules::{PyPack, PyRule, load};
    #[pymodule_export]
    use super::splunk::splunk;
    #[pymodule_export]
    use super::table::PyTable;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // What every error has: the instance's own are set where it is raised.
        let nothing = pyo3::types::PyList::empty(module.py());
        module.py().get_type::<Error>().setattr("diagnostics", nothing)
    }
}
