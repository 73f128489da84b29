//! Parquet files: row groups in parallel, only the wanted columns, dictionaries kept as dictionaries.
mod columns;
mod flat;
mod gather;
mod picks;
mod runs;
mod stretches;
#[cfg(test)]
mod tests;

use super::input::{Input, open_file};
use super::source::{Pieces, Reading, SourceFile};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Schema, import};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use flat::{Flat, Form};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Encoding;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use picks::Unread;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use stretches::Stretches;

/// A Parquet file with its footer read.
#[derive(Debug)]
pub struct ParquetFile {
    input: Input,
    metadata: Arc<ParquetMetaData>,
    schema: SchemaRef,
}

impl ParquetFile {
    pub fn open(input: &Input) -> Result<ParquetFile> {
        let file = open_file(&input.path)?;
        let loaded = guarded(input, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        Ok(ParquetFile { input: input.clone(), metadata: loaded.metadata().clone(), schema: loaded.schema().clone() })
    }

    /// The columns and the kinds that they are of by themselves.
    pub fn columns(&self) -> Schema {
        self.schema.fields().iter().map(|field| (field.name().as_str(), import::natural_kind(field))).collect()
    }
}

/// Runs the library over bytes that may be damaged.
fn guarded<T>(input: &Input, read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    let bad = |what: String| Fault::data("HP404", format!("`{}` cannot be read as Parquet: {what}", input.name()));
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(outcome) => outcome.map_err(|error| bad(error.to_string())),
        Err(_) => Err(bad("the file is damaged".to_owned())),
    }
}

impl SourceFile for ParquetFile {
    fn most_pieces(&self, _: usize) -> Option<u32> {
        u32::try_from(self.metadata.num_row_groups().saturating_mul(stretches::MOST)).ok()
    }

    fn may_be_visited_again(&self) -> bool {
        true
    }

    fn pieces(&self, reading: &Arc<Reading>, number: usize, first: u32, _: u32) -> Box<dyn Pieces> {
        let file = Arc::new(Shared {
            number,
            input: self.input.clone(),
            metadata: self.metadata.clone(),
            schema: self.schema.clone(),
            reading: reading.clone(),
        });
        Box::new(Stretches::new(file, first))
    }
}

#[derive(Debug)]
struct Shared {
    /// Which of the files this is.
    number: usize,
    input: Input,
    metadata: Arc<ParquetMetaData>,
    schema: SchemaRef,
    reading: Arc<Reading>,
}

impl Shared {
    fn rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or_default()
    }

    /// The place in the file of a wanted column.
    fn place(&self, wanted: usize) -> Option<usize> {
        let name = self.reading.wanted.names.get(wanted)?;
        self.schema.fields().iter().position(|field| **name == **field.name())
    }

    /// Whether a row group may hold rows of the window, as far as its statistics tell.
    fn may_hold(&self, group: usize) -> bool {
        let Some((slot, after, until)) = self.reading.wanted.window else { return true };
        self.range(group, slot).is_none_or(|(least, most)| most > after && least <= until)
    }

    /// Whether all rows of a row group lie in the window, as its statistics tell.
    fn lies_in_window(&self, group: usize) -> bool {
        let Some((slot, after, until)) = self.reading.wanted.window else { return false };
        self.range(group, slot).is_some_and(|(least, most)| least > after && most <= until)
    }

    /// The smallest and largest tick of a wanted timestamp column.
    fn range(&self, group: usize, wanted: usize) -> Option<(i64, i64)> {
        let at = self.place(wanted)?;
        let DataType::Timestamp(unit, _) = self.schema.field(at).data_type() else { return None };
        let leaf = self.leaf(at)?;
        let statistics = self.metadata.row_group(group).columns().get(leaf)?.statistics()?;
        let Statistics::Int64(values) = statistics else { return None };
        let ticks = |value: i64| import::ticks_of(value, *unit);
        // Rows without a time may lie anywhere.
        let known = statistics.null_count_opt() == Some(0);
        known.then_some((ticks(*values.min_opt()?), ticks(*values.max_opt()?)))
    }

    /// The number of the leaf that a plain column is.
    fn leaf(&self, column: usize) -> Option<usize> {
        let description = self.metadata.file_metadata().schema_descr();
        (0..description.num_columns()).find(|leaf| description.get_column_root_idx(*leaf) == column)
    }

    /// The column as it is best read: texts whose pages are all dictionaries stay dictionaries.
    fn field(&self, group: usize, at: usize) -> Field {
        let field = self.schema.field(at).clone();
        let text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if !text {
            return field;
        }
        let encoded = self.leaf(at).is_some_and(|leaf| self.is_dictionary(group, leaf));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        field.with_data_type(if encoded { dictionary } else { DataType::Utf8View })
    }

    fn is_dictionary(&self, group: usize, leaf: usize) -> bool {
        let Some(chunk) = self.metadata.row_group(group).columns().get(leaf) else { return false };
        if chunk.dictionary_page_offset().is_none() {
            return false;
        }
        let is_dictionary =
            |encoding: Encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        let all = chunk.page_encoding_stats_mask().map(|mask| mask.encodings().all(is_dictionary));
        all.unwrap_or(false)
    }

    /// How a column of a row group is read page by page; none for one that only the library reads.
    fn form(&self, group: usize, at: usize) -> Option<Form> {
        let chunk = self.metadata.row_group(group).columns().get(self.leaf(at)?)?;
        Form::of(chunk.column_descr(), self.field(group, at).data_type())
    }

    /// Rows of a column that has a form. None for what the library is to read after all.
    fn flat<'a>(&self, group: usize, at: usize, flat: Flat<'a>, unread: Unread<'a>) -> Option<Column> {
        let metadata = self.metadata.row_group(group).columns().get(self.leaf(at)?)?;
        let file = open_file(&self.input.path).ok()?;
        guarded(&self.input, || Ok(flat.read(file, metadata, self.rows(group), unread))).ok()?
    }

    /// How the columns of a row group are read by the library.
    fn layout(&self, group: usize) -> Result<ArrowReaderMetadata> {
        let fields: Vec<Field> = (0..self.schema.fields().len()).map(|at| self.field(group, at)).collect();
        let schema = Arc::new(arrow_schema::Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        let options = ArrowReaderOptions::new().with_schema(schema);
        guarded(&self.input, || ArrowReaderMetadata::try_new(self.metadata.clone(), options))
    }

    /// A column of a row group: all of it, or only the rows of these ranges.
    fn load(
        &self,
        group: usize,
        layout: &ArrowReaderMetadata,
        at: usize,
        ranges: &[Range<usize>],
    ) -> Result<Vec<ArrayRef>> {
        let file = open_file(&self.input.path)?;
        let rows = self.rows(group);
        guarded(&self.input, || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, layout.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), [at]);
            let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(rows.max(1));
            let builder = match ranges {
                [] => builder,
                [one] if one.len() == rows => builder,
                ranges => {
                    builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges.iter().cloned(), rows))
                }
            };
            let batches: std::result::Result<Vec<RecordBatch>, _> = builder.build()?.collect();
            Ok(batches?.iter().filter_map(|batch| batch.columns().first().cloned()).collect())
        })
    }
}
