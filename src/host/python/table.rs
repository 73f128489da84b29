//! `Table`: a result, or a source taken in.
use super::errors::{OrRaise, guarded};
use super::{capsule, show, values};
use crate::diagnostic::Fault;
use crate::engine::{Answer, Held};
use crate::types::{Problem, Table, export};
use parquet::arrow::ArrowWriter;
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A query's result, or a source taken in.
#[pyclass(name = "Table", module = "huntpack", frozen)]
pub struct PyTable {
    held: Arc<Held>,
    others: Vec<Py<PyTable>>,
    explain: String,
}

/// The bad rows of a file: how many, where the first is, and what is wrong with it.
#[pyclass(name = "BadRows", module = "huntpack._core", frozen, get_all)]
pub struct BadRows {
    file: String,
    line: u64,
    reason: String,
    count: u64,
}

#[pymethods]
impl BadRows {
    fn __repr__(&self) -> String {
        format!("{}:{}: {} ({})", self.file, self.line, self.reason, self.count)
    }
}

impl PyTable {
    pub fn of(table: Table) -> PyTable {
        PyTable { held: Arc::new(Held::new(table)), others: Vec::new(), explain: String::new() }
    }

    /// The first result, which holds the others.
    pub fn of_answer(py: Python<'_>, answer: Answer) -> PyResult<PyTable> {
        let mut tables = answer.tables.into_iter();
        let first = tables.next().unwrap_or_default().with_problems(answer.problems);
        let others = tables.map(|table| Py::new(py, PyTable::of(table))).collect::<PyResult<_>>()?;
        Ok(PyTable { held: Arc::new(Held::new(first)), others, explain: answer.explain })
    }

    pub fn held(&self) -> Arc<Held> {
        self.held.clone()
    }

    fn table(&self) -> &Table {
        self.held.table()
    }

    /// The rows' values, column by column.
    fn columns_of<'py>(&self, py: Python<'py>) -> PyResult<Vec<Vec<Bound<'py, PyAny>>>> {
        let table = self.table();
        (0..table.schema().len()).map(|at| values::objects(py, &py.detach(|| table.column(at)))).collect()
    }
}

#[pymethods]
impl PyTable {
    /// (name, kind) of each column; kinds are bool, int, long, real, decimal, string, datetime, timespan, dynamic
    /// and guid.
    #[getter]
    fn columns(&self) -> Vec<(String, &'static str)> {
        self.table().schema().columns().iter().map(|(name, kind)| (name.to_string(), kind.shown())).collect()
    }

    /// The results of a query's further statements.
    #[getter]
    fn others(&self, py: Python<'_>) -> Vec<Py<PyTable>> {
        self.others.iter().map(|other| other.clone_ref(py)).collect()
    }

    /// The bad rows of the files read: one entry per file, with `.file`, `.line` (of the first), `.reason` and
    /// `.count`.
    #[getter]
    fn problems(&self) -> Vec<BadRows> {
        by_file(self.table().problems())
    }

    /// The rows as Python values: datetimes are aware (UTC) and cut to microseconds; null is None.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(py, || {
            let columns = self.columns_of(py)?;
            let mut cells: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
            let rows = PyList::empty(py);
            for _ in 0..self.table().rows() {
                let row: Vec<_> = cells.iter_mut().filter_map(Iterator::next).collect();
                rows.append(PyTuple::new(py, row)?)?;
            }
            Ok(rows)
        })
    }

    /// The rows as dicts by column name.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(py, || {
            let columns = self.columns_of(py)?;
            let names: Vec<_> = self.table().schema().names().map(|n| pyo3::types::PyString::intern(py, n)).collect();
            let mut cells: Vec<_> = names.into_iter().zip(columns.into_iter().map(Vec::into_iter)).collect();
            let rows = PyList::empty(py);
            for _ in 0..self.table().rows() {
                let row = PyDict::new(py);
                for (name, values) in &mut cells {
                    if let Some(value) = values.next() {
                        row.set_item(&*name, value)?;
                    }
                }
                rows.append(row)?;
            }
            Ok(rows)
        })
    }

    /// A pandas DataFrame.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let pandas = py.import("pandas")?;
        match py.import("pyarrow") {
            Ok(pyarrow) => pyarrow.call_method1("table", (slf,))?.call_method0("to_pandas"),
            Err(error) if error.is_instance_of::<PyImportError>(py) => {
                let columns = PyDict::new(py);
                let this = slf.get();
                for ((name, _), values) in this.columns().iter().zip(this.columns_of(py)?) {
                    columns.set_item(name, values)?;
                }
                pandas.call_method1("DataFrame", (columns,))
            }
            Err(error) => Err(error),
        }
    }

    /// A polars DataFrame.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.call_method1("DataFrame", (slf,))
    }

    /// A pyarrow Table.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        // `pyarrow.table` would import pandas first, to see whether this is one of its frames.
        let reader = slf.py().import("pyarrow")?.getattr("RecordBatchReader")?;
        reader.call_method1("from_stream", (slf,))?.call_method0("read_all")
    }

    /// Writes a Parquet file.
    fn write_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let table = self.table();
        guarded(py, || py.detach(|| write_parquet(table, &path)).or_raise(py))
    }

    /// The plan, with the rows after each step and the time of each.
    fn explain(&self) -> &str {
        &self.explain
    }

    fn __len__(&self) -> usize {
        self.table().rows()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        guarded(py, || capsule::export_stream(py, self.table(), requested_schema.as_ref()))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        guarded(py, || Ok(show::html(self.table())))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guarded(py, || Ok(show::text(self.table())))
    }
}

/// One entry a file: its first reason, and the number of all its bad rows.
fn by_file(problems: &[Problem]) -> Vec<BadRows> {
    let mut found: Vec<BadRows> = Vec::new();
    for problem in problems {
        match found.iter_mut().find(|known| known.file == problem.file) {
            Some(known) => {
                known.count = known.count.saturating_add(problem.count);
                if problem.line < known.line {
                    known.line = problem.line;
                    known.reason.clone_from(&problem.reason);
                }
            }
            None => found.push(BadRows {
                file: problem.file.clone(),
                line: problem.line,
                reason: problem.reason.clone(),
                count: problem.count,
            }),
        }
    }
    found
}

/// Writes beside the target and puts the file in its place whole.
fn write_parquet(table: &Table, path: &Path) -> crate::diagnostic::Result<()> {
    let failed = |error: &dyn std::fmt::Display| Fault::data("HP430", format!("{}: {error}", path.display()));
    let mut name = path.file_name().ok_or_else(|| failed(&"this is no file name"))?.to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let write = || -> crate::diagnostic::Result<()> {
        let batches = export::batches(table)?;
        let file = std::fs::File::create(&part).map_err(|e| failed(&e))?;
        let mut writer = ArrowWriter::try_new(file, export::arrow_schema(table), None).map_err(|e| failed(&e))?;
        batches.iter().try_for_each(|batch| writer.write(batch)).map_err(|e| failed(&e))?;
        writer.close().map_err(|e| failed(&e))?;
        std::fs::rename(&part, path).map_err(|e| failed(&e))
    };
    write().inspect_err(|_| {
        // What was begun is of no use to anyone.
        let _ = std::fs::remove_file(&part);
    })
}
