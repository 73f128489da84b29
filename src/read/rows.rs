//! The rows of a block as cells, and the columns that are made of them.
use super::block::Block;
use super::cell::{Bytes, Cell, Form};
use super::problems::Found;
use super::values;
use crate::plan::Window;
use crate::types::Name;

/// What a parser is to look for: a slot for every name, and the window that rows may be dropped by.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub names: Vec<Name>,
    /// The slot of the window's column, and the window.
    pub window: Option<(usize, i64, i64)>,
}

impl Wanted {
    /// The names in this order; a window's column gets a slot of its own behind them where it is none of them.
    pub fn new(names: &[Name], window: Option<&Window>) -> Wanted {
        let mut names = names.to_vec();
        let window = window.map(|window| {
            let slot = names.iter().position(|name| *name == window.column).unwrap_or_else(|| {
                names.push(window.column.clone());
                names.len() - 1
            });
            (slot, window.after, window.until)
        });
        Wanted { names, window }
    }
}

/// Rows of cells, one cell for each wanted name.
#[derive(Debug, Default)]
pub struct Rows {
    width: usize,
    count: usize,
    cells: Vec<Cell>,
    /// Bytes that a parser made itself.
    pub beside: Vec<u8>,
    pub found: Found,
    window: Option<(usize, i64, i64)>,
    /// Where each row begins in the block.
    begins: Vec<u32>,
    /// No more rows are taken.
    most: usize,
}

impl Rows {
    pub fn new(wanted: &Wanted) -> Rows {
        Rows { width: wanted.names.len(), window: wanted.window, most: usize::MAX, ..Rows::default() }
    }

    /// Takes no more than so many rows.
    pub fn at_most(mut self, rows: usize) -> Rows {
        self.most = rows;
        self
    }

    /// The number of slots.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn cell(&self, row: usize, slot: usize) -> Cell {
        self.cells.get(row * self.width + slot).copied().unwrap_or_default()
    }

    /// The cells of one slot, row by row.
    pub fn slot(&self, slot: usize) -> impl Iterator<Item = Cell> + '_ {
        self.cells.iter().skip(slot).step_by(self.width.max(1)).copied().take(self.count)
    }

    /// Where a row begins in the block.
    pub fn begin(&self, row: usize) -> usize {
        self.begins.get(row).map_or(0, |begin| *begin as usize)
    }

    /// The slot that decides about the window.
    #[inline(always)]
    pub fn window_slot(&self) -> Option<usize> {
        self.window.map(|(slot, ..)| slot)
    }

    /// Whether a time lies in the window; a time that cannot be told may.
    pub fn in_window(&self, block: &[u8], cell: Cell) -> bool {
        let Some((_, after, until)) = self.window else { return true };
        let bytes = Bytes { block, beside: &self.beside };
        values::ticks(&bytes, cell).is_none_or(|ticks| after < ticks && ticks <= until)
    }

    /// Takes a row, unless it lies outside of the window.
    #[inline]
    pub fn push(&mut self, block: &[u8], begin: usize, row: &[Cell]) {
        if let Some((slot, ..)) = self.window {
            let cell = row.get(slot).copied().unwrap_or_default();
            if !self.in_window(block, cell) {
                return;
            }
        }
        self.push_inside(begin, row);
    }

    #[inline]
    fn push_inside(&mut self, begin: usize, row: &[Cell]) {
        if self.count >= self.most {
            return;
        }
        self.cells.extend_from_slice(row);
        self.begins.push(begin as u32);
        self.count += 1;
    }

    /// Counts a bad row.
    pub fn bad(&mut self, reason: &str, block: &Block, at: usize) {
        self.found.in_block(reason, block, at);
    }

    /// Copies text beside the block, for a cell.
    pub fn beside(&mut self, form: Form, text: &str) -> Cell {
        let start = self.beside.len();
        self.beside.extend_from_slice(text.as_bytes());
        Cell { beside: true, ..Cell::new(form, start, self.beside.len(), !text.is_ascii()) }
    }
}

/// Turns the bytes of a block into rows.
pub trait Parser: Send + Sync {
    fn parse(&self, block: &Block, rows: &mut Rows);
}
