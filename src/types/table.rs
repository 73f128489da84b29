//! Tables: chunks of columns that were handed in or computed, and what was learned of them.
use super::intern::Interner;
use super::{Column, Kind, Name, Schema, Value, gather, import};
use arrow_array::ArrayRef;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A column of a chunk as it is held: as the host's Arrow array, read lazily, or as a column.
#[derive(Clone, Debug)]
pub enum Stored {
    /// Read as the table's kind, only the rows and columns that a plan asks for.
    Arrow(ArrayRef),
    Column(Column),
    /// Longs that go up by one from row to row, from this one on: made where they are read.
    Numbers(i64),
    /// A column of the schema that the data lack: null, `""` for string.
    Absent,
}

impl Stored {
    /// Rows `start..start + rows` without copying.
    pub fn slice(&self, start: usize, rows: usize) -> Stored {
        match self {
            Stored::Arrow(array) => Stored::Arrow(array.slice(start, rows)),
            Stored::Column(column) => Stored::Column(gather::slice(column, start, rows)),
            Stored::Numbers(first) => Stored::Numbers(first.wrapping_add(start as i64)),
            Stored::Absent => Stored::Absent,
        }
    }
}

/// The numbers of so many rows, or of those of `rows`.
fn numbers(first: i64, count: usize, rows: Option<&[u32]>) -> Column {
    Column::Long(match rows {
        Some(rows) => rows.iter().map(|row| first.wrapping_add(i64::from(*row))).collect::<Vec<i64>>().into(),
        None => (0..count as i64).map(|row| first.wrapping_add(row)).collect::<Vec<i64>>().into(),
    })
}

/// Some rows of a table, all columns of the schema.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub rows: usize,
    pub columns: Vec<Stored>,
}

/// A row of a reader that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 where the whole file is meant.
    pub line: u64,
    pub reason: String,
    /// How many rows of the file are bad for this reason; the line is the first of them.
    pub count: u64,
}

/// Rows in chunks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    schema: Schema,
    chunks: Vec<Chunk>,
    problems: Vec<Problem>,
    /// Whether the table outlives one query, so that learning pays.
    held: bool,
    learned: Vec<Learned>,
}

/// What was learned of a column: kept for the next query.
#[derive(Debug, Default)]
pub struct Learned {
    /// The chunks in the form that is quickest to read: texts over one dictionary, other kinds converted
    /// from what was handed in; `None` where nothing is gained.
    pub form: OnceLock<Option<Vec<Column>>>,
    /// Smallest and largest tick of each block of [`BLOCK_ROWS`] rows of each chunk of a datetime column;
    /// `None` where all are null.
    pub ranges: OnceLock<Vec<Vec<TickRange>>>,
}

/// The smallest and the largest tick of some rows, where any is not null.
pub type TickRange = Option<(i64, i64)>;

/// Rows whose range of times is known together.
pub const BLOCK_ROWS: usize = 8192;

impl Table {
    pub fn new(schema: Schema, chunks: Vec<Chunk>) -> Table {
        Self::with(schema, chunks, Vec::new(), false)
    }

    fn with(schema: Schema, chunks: Vec<Chunk>, problems: Vec<Problem>, held: bool) -> Table {
        let learned = schema.columns().iter().map(|_| Learned::default()).collect();
        Table { inner: Arc::new(Inner { schema, chunks, problems, held, learned }) }
    }

    /// A table of one chunk; the columns' kinds are the schema's.
    pub fn from_columns(columns: Vec<(Name, Column)>) -> Table {
        let rows = columns.first().map_or(0, |(_, c)| c.len());
        let schema = columns.iter().map(|(name, column)| (name.clone(), column.kind())).collect();
        let columns = columns.into_iter().map(|(_, column)| Stored::Column(column)).collect();
        Table::new(schema, vec![Chunk { rows, columns }])
    }

    pub fn from_rows(schema: Schema, rows: &[Vec<Value>]) -> Table {
        let nothing = |kind| Value::null(kind);
        let columns = schema.columns().iter().enumerate().map(|(at, (name, kind))| {
            let null = nothing(*kind);
            let values = rows.iter().map(|row| row.get(at).unwrap_or(&null));
            (name.clone(), Column::from_values(*kind, values))
        });
        let columns: Vec<_> = columns.collect();
        match columns.is_empty() {
            true => Table::new(schema, vec![Chunk { rows: rows.len(), columns: Vec::new() }]),
            false => Table::from_columns(columns),
        }
    }

    pub fn with_problems(self, problems: Vec<Problem>) -> Table {
        Self::with(self.inner.schema.clone(), self.inner.chunks.clone(), problems, self.inner.held)
    }

    /// The same table, marked as one that outlives a query.
    pub fn held(self) -> Table {
        Self::with(self.inner.schema.clone(), self.inner.chunks.clone(), self.inner.problems.clone(), true)
    }

    pub fn is_held(&self) -> bool {
        self.inner.held
    }

    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.inner.chunks
    }

    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }

    pub fn learned(&self, column: usize) -> Option<&Learned> {
        self.inner.learned.get(column)
    }

    pub fn rows(&self) -> usize {
        self.inner.chunks.iter().map(|c| c.rows).sum()
    }

    /// Tells tables apart: equal for clones of one table only.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }

    /// A whole column, by position.
    pub fn column(&self, at: usize) -> Column {
        let kind = self.inner.schema.columns().get(at).map_or(Kind::String, |(_, k)| *k);
        let parts: Vec<Column> = self.inner.chunks.iter().map(|c| c.load(at, kind, None)).collect();
        gather::concat(&parts).unwrap_or_else(|| Column::from_values(kind, []))
    }

    /// The group that each row belongs to by some columns, numbered in order of first sight.
    pub fn groups(&self, keys: std::ops::Range<usize>) -> Vec<usize> {
        let numbers = |at: usize| {
            let column = self.column(at);
            Interner::new(column.kind()).numbers(&column)
        };
        let keys: Vec<Vec<u32>> = keys.map(numbers).collect();
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let group = |row: usize| {
            let key: Vec<u32> = keys.iter().filter_map(|numbers| numbers.get(row).copied()).collect();
            let next = known.len();
            *known.entry(key).or_insert(next)
        };
        (0..self.rows()).map(group).collect()
    }

    pub fn column_named(&self, name: &str) -> Option<Column> {
        self.schema().position(name).map(|at| self.column(at))
    }

    /// Every cell, row by row.
    pub fn to_rows(&self) -> Vec<Vec<Value>> {
        let columns: Vec<Column> = (0..self.schema().len()).map(|at| self.column(at)).collect();
        (0..self.rows()).map(|row| columns.iter().map(|c| c.value(row)).collect()).collect()
    }
}

impl Chunk {
    /// Rows `start..start + count` of column `at` as `kind`: all of them, or those of `rows` (counted from `start`).
    pub fn load_part(&self, at: usize, kind: Kind, start: usize, count: usize, rows: Option<&[u32]>) -> Column {
        match self.columns.get(at) {
            Some(Stored::Arrow(array)) => import::load(&array.slice(start, count), kind, rows),
            Some(Stored::Column(column)) => {
                let part = gather::slice(column, start, count);
                rows.map_or(part.clone(), |rows| gather::take(&part, rows))
            }
            Some(Stored::Numbers(first)) => numbers(first.wrapping_add(start as i64), count, rows),
            _ => Column::nulls(kind, rows.map_or(count, <[u32]>::len)),
        }
    }

    /// Column `at` as `kind`: all rows, or those of `rows`.
    pub fn load(&self, at: usize, kind: Kind, rows: Option<&[u32]>) -> Column {
        match self.columns.get(at) {
            Some(Stored::Arrow(array)) => import::load(array, kind, rows),
            Some(Stored::Column(column)) => match rows {
                Some(rows) => gather::take(column, rows),
                None => column.clone(),
            },
            Some(Stored::Numbers(first)) => numbers(*first, self.rows, rows),
            _ => Column::nulls(kind, rows.map_or(self.rows, <[u32]>::len)),
        }
    }
}
