//! Columns as Arrow arrays, in the layouts that the public face promises.
use super::{Column, Kind, Table, Text, json};
use crate::diagnostic::{Fault, Result};
use arrow_array::builder::StringViewBuilder;
use arrow_array::types::{DurationNanosecondType, Int64Type, TimestampNanosecondType};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// The Arrow field that a column of a kind leaves as.
pub fn field(name: &str, kind: Kind) -> Field {
    let data_type = match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int32,
        Kind::Long => DataType::Int64,
        Kind::Real => DataType::Float64,
        Kind::DateTime => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Kind::TimeSpan => DataType::Duration(TimeUnit::Nanosecond),
        Kind::Guid | Kind::Decimal => DataType::Utf8,
        Kind::String | Kind::Dynamic | Kind::Field => DataType::Utf8View,
    };
    let field = Field::new(name, data_type, true);
    if kind != Kind::Dynamic {
        return field;
    }
    let extension = [("ARROW:extension:name", "arrow.json"), ("ARROW:extension:metadata", "")];
    field.with_metadata(HashMap::from(extension.map(|(k, v)| (k.to_owned(), v.to_owned()))))
}

pub fn arrow_schema(table: &Table) -> SchemaRef {
    let fields = table.schema().columns().iter().map(|(name, kind)| field(name, *kind));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The table as record batches, one a chunk.
pub fn batches(table: &Table) -> Result<Vec<RecordBatch>> {
    let schema = arrow_schema(table);
    let batch = |chunk: &super::Chunk| {
        let columns = table.schema().columns().iter().enumerate();
        let arrays = columns.map(|(at, (name, kind))| array(&chunk.load(at, *kind, None), name));
        let options = RecordBatchOptions::new().with_row_count(Some(chunk.rows));
        RecordBatch::try_new_with_options(schema.clone(), arrays.collect::<Result<Vec<_>>>()?, &options)
            .map_err(|e| Fault::internal(format!("a result does not fit its Arrow schema: {e}")))
    };
    table.chunks().iter().map(batch).collect()
}

/// One column as the array of [`field`]. Datetimes and timespans outside Arrow's nanoseconds are a DataError.
pub fn array(column: &Column, name: &str) -> Result<ArrayRef> {
    Ok(match column.clone().without_lists().materialized() {
        Column::Bool(a) => Arc::new(a),
        Column::Int(a) => Arc::new(a),
        Column::Long(a) => Arc::new(a),
        Column::Real(a) => Arc::new(a),
        Column::DateTime(a) => {
            let nanoseconds: PrimitiveArray<TimestampNanosecondType> = nanoseconds(&a, name)?.reinterpret_cast();
            Arc::new(nanoseconds.with_timezone("UTC"))
        }
        Column::TimeSpan(a) => {
            let nanoseconds: PrimitiveArray<DurationNanosecondType> = nanoseconds(&a, name)?.reinterpret_cast();
            Arc::new(nanoseconds)
        }
        Column::Text(Kind::Dynamic, text) => Arc::new(standard_json(&text)),
        Column::Text(Kind::Guid | Kind::Decimal, text) => {
            let plain: arrow_array::StringArray = text.to_views().iter().collect();
            Arc::new(plain)
        }
        Column::Text(_, text) => Arc::new(text.to_views().gc()),
        Column::Field(field) => Arc::new(field.texts()),
        // Lists and constants were written out above.
        Column::Const(..) | Column::List(_) => return Err(Fault::internal("a column was not written out")),
    })
}

fn nanoseconds(ticks: &PrimitiveArray<Int64Type>, name: &str) -> Result<PrimitiveArray<Int64Type>> {
    let too_far = |_| {
        let message = format!("column `{name}` holds a time outside Arrow's nanosecond range (years 1677 to 2262)");
        Fault::data("HP401", message).help("read it with .rows(), or narrow it with `where`")
    };
    ticks.try_unary(|t| t.checked_mul(100).ok_or(())).map_err(too_far)
}

fn standard_json(text: &Text) -> StringViewArray {
    let mut builder = StringViewBuilder::with_capacity(text.len());
    for row in 0..text.len() {
        builder.append_option(text.get(row).map(json::standard));
    }
    builder.finish()
}
