//! Arrow's C stream interface through PyCapsules: tables in and out without copying.
use super::errors::OrRaise;
use crate::diagnostic::Fault;
use crate::types::{Chunk, Name, Schema, Stored, Table, export, import};
use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchOptions, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::CStr;
use std::sync::Arc;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";

/// Batches smaller than this on average are joined.
const SMALL_BATCH: usize = 8_192;

/// The table of an object with `__arrow_c_stream__`; its arrays are kept as they come.
pub fn import_stream(object: &Bound<'_, PyAny>) -> PyResult<Table> {
    let py = object.py();
    let capsule = object.call_method0("__arrow_c_stream__")?;
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(STREAM))?;
    // SAFETY: a capsule of this name holds such a stream; moving it out leaves a released one behind.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr().cast()) };
    // The stream may be computed while it is read, by threads that want the interpreter.
    let read = py.detach(move || -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
        let reader = RecordBatchStreamReader::try_new(stream)?;
        let schema = reader.schema();
        let batches = joined(&schema, reader.collect::<Result<Vec<_>, _>>()?)?;
        Ok((schema, batches))
    });
    let unreadable = |error| Fault::data("HP403", format!("an Arrow stream cannot be read: {error}"));
    let (schema, batches) = read.map_err(unreadable).or_raise(py)?;
    table_of(&schema, batches).or_raise(py)
}

/// Many small batches as few: work is handed out by batch.
fn joined(schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, ArrowError> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    match batches.len() > 1 && rows / batches.len() < SMALL_BATCH && !schema.fields().is_empty() {
        true => Ok(vec![arrow_select::concat::concat_batches(schema, &batches)?]),
        false => Ok(batches),
    }
}

fn table_of(schema: &SchemaRef, batches: Vec<RecordBatch>) -> crate::diagnostic::Result<Table> {
    let mut own = Schema::default();
    for field in schema.fields() {
        if own.contains(field.name()) {
            return Err(Fault::data("HP404", format!("the column `{}` occurs twice", field.name())));
        }
        own.set(Name::from(field.name().as_str()), import::natural_kind(field));
    }
    let chunk = |batch: RecordBatch| Chunk {
        rows: batch.num_rows(),
        columns: batch.columns().iter().cloned().map(Stored::Arrow).collect(),
    };
    Ok(Table::new(own, batches.into_iter().map(chunk).collect()))
}

/// The table as a stream in a capsule, in the layouts of `requested` where a cast leads there.
pub fn export_stream<'py>(
    py: Python<'py>,
    table: &Table,
    requested: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let (schema, batches) = py.detach(|| Ok((export::arrow_schema(table), export::batches(table)?))).or_raise(py)?;
    let (schema, batches) = match requested.filter(|r| !r.is_none()) {
        Some(capsule) => cast(schema, batches, &requested_schema(capsule)?).or_raise(py)?,
        None => (schema, batches),
    };
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
}

fn requested_schema(capsule: &Bound<'_, PyAny>) -> PyResult<arrow_schema::Schema> {
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(SCHEMA))?;
    // SAFETY: a capsule of this name holds a schema, and lives while it is read.
    let schema = unsafe { &*pointer.as_ptr().cast::<FFI_ArrowSchema>() };
    let unreadable = |error| Fault::data("HP403", format!("the requested Arrow schema cannot be read: {error}"));
    arrow_schema::Schema::try_from(schema).map_err(unreadable).or_raise(capsule.py())
}

/// The batches as `wanted`, column by column by name; what cannot be cast stays as it is.
fn cast(
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    wanted: &arrow_schema::Schema,
) -> crate::diagnostic::Result<(SchemaRef, Vec<RecordBatch>)> {
    let fields = schema.fields().iter().map(|field| match wanted.field_with_name(field.name()) {
        Ok(other) if arrow_cast::can_cast_types(field.data_type(), other.data_type()) => {
            Arc::new(field.as_ref().clone().with_data_type(other.data_type().clone()))
        }
        _ => field.clone(),
    });
    let target = Arc::new(arrow_schema::Schema::new(fields.collect::<Vec<_>>()));
    let one = |batch: RecordBatch| {
        let columns = batch.columns().iter().zip(target.fields());
        let columns = columns.map(|(array, field)| arrow_cast::cast(array, field.data_type()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(target.clone(), columns.collect::<Result<Vec<_>, _>>()?, &options)
    };
    let cast: Result<Vec<_>, ArrowError> = batches.into_iter().map(one).collect();
    let impossible = |error| Fault::data("HP403", format!("the requested Arrow schema does not fit: {error}"));
    Ok((target.clone(), cast.map_err(impossible)?))
}
