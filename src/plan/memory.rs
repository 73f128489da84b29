//! A table in memory as a source.
use super::{Morsel, Needs, Piece, Scan, Source};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{BLOCK_ROWS, Column, Kind, Problem, Schema, Table, gather};
use std::sync::Arc;
use std::sync::Mutex;

/// The rows of a table, handed out in morsels.
#[derive(Clone, Debug)]
pub struct InMemory(pub Table);

impl InMemory {
    pub fn source(table: Table) -> Arc<dyn Source> {
        Arc::new(InMemory(table))
    }
}

impl Source for InMemory {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    fn identity(&self) -> u64 {
        self.0.identity() as u64
    }

    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>> {
        let positions = needs.columns.iter().map(|name| self.0.schema().position(name)).collect::<Vec<_>>();
        let kinds =
            positions.iter().map(|p| p.and_then(|at| self.0.schema().columns().get(at)).map_or(Kind::Dynamic, |c| c.1));
        let columns = positions.iter().copied().zip(kinds).collect();
        Ok(Box::new(TableScan {
            window: needs.window.clone().and_then(|w| Some((self.0.schema().position(&w.column)?, w.after, w.until))),
            table: self.0.clone(),
            columns,
            morsel_rows: needs.morsel_rows.max(1),
            place: Mutex::new((0, 0, 0)),
        }))
    }

    fn table(&self) -> Option<&Table> {
        Some(&self.0)
    }
}

struct TableScan {
    table: Table,
    /// The position of a datetime column, and the ticks between which its rows are wanted.
    window: Option<(usize, i64, i64)>,
    /// Position in the table and kind.
    columns: Arc<[(Option<usize>, Kind)]>,
    morsel_rows: usize,
    /// Chunk, row in it, and ordinal of the next piece.
    place: Mutex<(usize, usize, u32)>,
}

impl Scan for TableScan {
    fn next(&self) -> Result<Option<Box<dyn Piece>>> {
        let Ok(mut place) = self.place.lock() else { return Ok(None) };
        let (mut chunk, mut start, ordinal) = *place;
        while let Some(rows) = self.table.chunks().get(chunk).map(|c| c.rows) {
            if start >= rows {
                (chunk, start) = (chunk + 1, 0);
                continue;
            }
            let taken = self.wanted(chunk, start, self.morsel_rows.min(rows - start));
            if taken == 0 {
                start = (start / BLOCK_ROWS + 1) * BLOCK_ROWS;
                continue;
            }
            *place = (chunk, start + taken, ordinal.saturating_add(1));
            let columns = self.columns.clone();
            let piece = TablePiece { table: self.table.clone(), columns, chunk, start, rows: taken, ordinal };
            return Ok(Some(Box::new(piece)));
        }
        *place = (chunk, start, ordinal);
        Ok(None)
    }

    fn progress(&self) -> f64 {
        let done = self.place.lock().map_or(0, |place| place.0);
        done as f64 / self.table.chunks().len().max(1) as f64
    }

    fn problems(&self) -> Vec<Problem> {
        self.table.problems().to_vec()
    }
}

impl TableScan {
    /// How many of the rows from `start` on lie in blocks that the window touches, up to the first that does
    /// not. All of them where the blocks' times are not known.
    fn wanted(&self, chunk: usize, start: usize, rows: usize) -> usize {
        let ranges = self.window.and_then(|(at, after, until)| {
            let blocks = self.table.learned(at)?.ranges.get()?.get(chunk)?;
            Some((blocks, after, until))
        });
        let Some((blocks, after, until)) = ranges else { return rows };
        let touched = |block: &Option<(i64, i64)>| block.is_some_and(|(min, max)| max > after && min <= until);
        let first = start / BLOCK_ROWS;
        let good = blocks.iter().skip(first).take_while(|block| touched(block)).count();
        rows.min(((first + good) * BLOCK_ROWS).saturating_sub(start))
    }
}

struct TablePiece {
    table: Table,
    columns: Arc<[(Option<usize>, Kind)]>,
    chunk: usize,
    start: usize,
    rows: usize,
    ordinal: u32,
}

impl Piece for TablePiece {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, _: &Context) -> Result<Box<dyn Morsel>> {
        Ok(self)
    }
}

impl Morsel for TablePiece {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        let (Some(position), kind) = self.columns.get(at).copied().unwrap_or((None, Kind::Dynamic)) else {
            return Ok(Column::nulls(Kind::Dynamic, rows.map_or(self.rows, <[u32]>::len)));
        };
        let learned = self.table.learned(position).and_then(|l| l.form.get()).and_then(Option::as_ref);
        let whole = match learned.and_then(|chunks| chunks.get(self.chunk)) {
            Some(column) => gather::slice(column, self.start, self.rows),
            None => return Ok(self.load(position, kind, rows)),
        };
        Ok(match rows {
            Some(rows) => gather::take(&whole, rows),
            None => whole,
        })
    }
}

impl TablePiece {
    fn load(&self, position: usize, kind: Kind, rows: Option<&[u32]>) -> Column {
        match self.table.chunks().get(self.chunk) {
            Some(chunk) => chunk.load_part(position, kind, self.start, self.rows, rows),
            None => Column::nulls(kind, 0),
        }
    }
}
