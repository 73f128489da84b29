//! Parquet files: row groups in parallel, only the wanted columns, dictionaries kept as dictionaries.
use super::input::{Input, open_file};
use super::source::{Next, Pieces, Reading, SourceFile};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::{Morsel, Piece};
use crate::types::{Column, Kind, Schema, gather, import};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Encoding;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
        u32::try_from(self.metadata.num_row_groups()).ok()
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
        Box::new(Groups { file, first, next: AtomicUsize::new(0) })
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

struct Groups {
    file: Arc<Shared>,
    first: u32,
    next: AtomicUsize,
}

impl Pieces for Groups {
    fn next(&self) -> Result<Next> {
        loop {
            let group = self.next.fetch_add(1, Ordering::Relaxed);
            if group >= self.file.metadata.num_row_groups() {
                return Ok(Next::Done);
            }
            let size = self.file.metadata.row_group(group).compressed_size();
            self.file.reading.progress(u64::try_from(size).unwrap_or_default());
            if self.file.may_hold(group) {
                let ordinal = self.first.saturating_add(group as u32);
                return Ok(Next::Piece(Box::new(Group { file: self.file.clone(), group, ordinal })));
            }
        }
    }
}

impl Shared {
    /// Whether a row group may hold rows of the window, as far as its statistics tell.
    fn may_hold(&self, group: usize) -> bool {
        let Some((slot, after, until)) = self.reading.wanted.window else { return true };
        let Some(name) = self.reading.wanted.names.get(slot) else { return true };
        self.range(group, name).is_none_or(|(least, most)| most > after && least <= until)
    }

    /// The smallest and largest tick of a timestamp column.
    fn range(&self, group: usize, name: &str) -> Option<(i64, i64)> {
        let at = self.schema.fields().iter().position(|field| field.name() == name)?;
        let DataType::Timestamp(unit, _) = self.schema.field(at).data_type() else { return None };
        let leaf = self.leaf(at)?;
        let statistics = self.metadata.row_group(group).columns().get(leaf)?.statistics()?;
        let Statistics::Int64(values) = statistics else { return None };
        let ticks = |value: i64| match unit {
            TimeUnit::Second => value.saturating_mul(10_000_000),
            TimeUnit::Millisecond => value.saturating_mul(10_000),
            TimeUnit::Microsecond => value.saturating_mul(10),
            TimeUnit::Nanosecond => value.div_euclid(100),
        };
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

    /// How the columns of a row group are read.
    fn layout(&self, group: usize) -> Result<ArrowReaderMetadata> {
        let fields: Vec<Field> = (0..self.schema.fields().len()).map(|at| self.field(group, at)).collect();
        let schema = Arc::new(arrow_schema::Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        let options = ArrowReaderOptions::new().with_schema(schema);
        guarded(&self.input, || ArrowReaderMetadata::try_new(self.metadata.clone(), options))
    }

    /// A column of a row group, all of it or only some rows.
    fn load(
        &self,
        group: usize,
        layout: &ArrowReaderMetadata,
        at: usize,
        picked: Option<RowSelection>,
    ) -> Result<Vec<ArrayRef>> {
        let file = open_file(&self.input.path)?;
        let rows = usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or_default();
        guarded(&self.input, || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, layout.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), [at]);
            let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(rows.max(1));
            let builder = match picked {
                Some(picked) => builder.with_row_selection(picked),
                None => builder,
            };
            let batches: std::result::Result<Vec<RecordBatch>, _> = builder.build()?.collect();
            Ok(batches?.iter().filter_map(|batch| batch.columns().first().cloned()).collect())
        })
    }
}

/// Rows that lie in so few runs that skipping the others spares work; none for any others.
fn runs(rows: &[u32], all: usize) -> Option<RowSelection> {
    const ROWS_PER_RUN: usize = 24;
    let ascending = rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|last| (*last as usize) < all);
    if !ascending || rows.len() * 2 > all {
        return None;
    }
    let run = |run: &[u32]| Some(*run.first()? as usize..*run.last()? as usize + 1);
    let ranges: Vec<_> = rows.chunk_by(|a, b| a + 1 == *b).filter_map(run).collect();
    (ranges.len() * ROWS_PER_RUN < all).then(|| RowSelection::from_consecutive_ranges(ranges.into_iter(), all))
}

/// A row group that is not read yet.
struct Group {
    file: Arc<Shared>,
    group: usize,
    ordinal: u32,
}

impl Piece for Group {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        context.check()?;
        let rows = self.file.metadata.row_group(self.group).num_rows();
        let told = (0..self.file.reading.kinds.len()).map(|_| AtomicBool::new(false)).collect();
        let rows = usize::try_from(rows).unwrap_or_default();
        let layout = self.file.layout(self.group)?;
        Ok(Box::new(GroupRows { file: self.file, group: self.group, layout, rows, told }))
    }
}

/// A row group; its columns are decoded when they are asked for.
struct GroupRows {
    file: Arc<Shared>,
    group: usize,
    layout: ArrowReaderMetadata,
    rows: usize,
    /// Whether the misfits of a column are counted already.
    told: Vec<AtomicBool>,
}

impl GroupRows {
    fn of_kind(&self, arrays: &[ArrayRef], kind: Kind, rows: Option<&[u32]>) -> Column {
        if let [array] = arrays {
            return import::load(array, kind, rows);
        }
        let parts: Vec<Column> = arrays.iter().map(|array| import::load(array, kind, None)).collect();
        let whole = gather::concat(&parts).unwrap_or_else(|| Column::nulls(kind, rows.map_or(0, |_| self.rows)));
        match rows {
            Some(rows) => gather::take(&whole, rows),
            None => whole,
        }
    }

    /// Counts the values that the column's kind has no room for.
    fn count_misfits(&self, at: usize, texts: &Column, column: &Column) {
        let is_lost = |row: &usize| column.is_null(*row) && texts.text(*row).is_some_and(|t| !t.trim().is_empty());
        let lost = (0..column.len()).filter(is_lost).count() as u64;
        let name = self.file.reading.wanted.names.get(at).map_or("", |name| name);
        if lost > 0 && self.told.get(at).is_some_and(|told| !told.swap(true, Ordering::Relaxed)) {
            let reason = format!("a value of `{name}` is no {}: it is null", column.kind());
            self.file.reading.problems.values(self.file.number, reason, lost);
        }
    }
}

impl Morsel for GroupRows {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        let kind = self.file.reading.kinds.get(at).copied().unwrap_or(Kind::String);
        let name = self.file.reading.wanted.names.get(at);
        let found =
            self.file.schema.fields().iter().position(|field| name.is_some_and(|name| **name == **field.name()));
        let Some(found) = found else { return Ok(Column::nulls(kind, rows.map_or(self.rows, <[u32]>::len))) };
        let picked = rows.and_then(|rows| runs(rows, self.rows));
        // Only these rows are read: there is nothing left to pick.
        let rows = if picked.is_some() { None } else { rows };
        let arrays = self.file.load(self.group, &self.layout, found, picked)?;
        let column = self.of_kind(&arrays, kind, rows);
        let is_other = import::natural_kind(self.file.schema.field(found)) != kind;
        if is_other && kind != Kind::String && column.null_buffer().is_some() {
            self.count_misfits(at, &self.of_kind(&arrays, Kind::String, rows), &column);
        }
        Ok(column)
    }
}
