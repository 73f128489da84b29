//! The rows of a block as cells, and the columns that are made of them.
use super::block::Block;
use super::cell::{Bytes, Cell, Form};
use super::problems::Found;
use super::tested::Tested;
use super::values;
use crate::plan::{TextTest, Window};
use crate::types::{Name, datetime};

/// What a parser is to look for: a slot for every name, and the window that rows may be dropped by.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub names: Vec<Name>,
    /// The slot of the window's column, and the window.
    pub window: Option<(usize, i64, i64)>,
    /// Slots, and what rows may be dropped by.
    tests: Vec<Tested>,
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
        Wanted { names, window, tests: Vec::new() }
    }

    /// With these tests, as far as they are of text columns.
    pub fn testing(mut self, tests: &[TextTest], is_text: impl Fn(&Name) -> bool) -> Wanted {
        for test in tests.iter().filter(|test| is_text(&test.column)) {
            if let Some(slot) = self.names.iter().position(|name| *name == test.column) {
                self.tests.push(Tested::new(slot, test));
            }
        }
        self.tests.sort_by_key(Tested::is_costly);
        self
    }

    /// Whether rows may be dropped by the cell of a slot.
    pub fn judges(&self, slot: usize) -> bool {
        self.window.is_some_and(|(own, ..)| own == slot) || self.tests.iter().any(|tested| tested.slot == slot)
    }
}

/// `2026-01-02T03:04`, its first byte the highest: the order of such texts is that of times.
type Minute = u128;

fn minute_of(ticks: i64) -> Minute {
    let text = datetime::format(ticks.clamp(datetime::MIN, datetime::MAX));
    text.as_bytes().first_chunk().map_or(0, |text| Minute::from_be_bytes(*text))
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
    /// Between which minutes a time of the usual form lies in the window for sure.
    minutes: Option<(Minute, Minute)>,
    tests: Vec<Tested>,
    /// Rows of the window that a test has dropped.
    pub dropped: usize,
    /// Where each row begins in the block.
    begins: Vec<u32>,
    /// No more rows are taken.
    most: usize,
}

impl Rows {
    pub fn new(wanted: &Wanted) -> Rows {
        Rows {
            width: wanted.names.len(),
            window: wanted.window,
            minutes: wanted.window.map(|(_, after, until)| (minute_of(after), minute_of(until))),
            tests: wanted.tests.clone(),
            most: usize::MAX,
            ..Rows::default()
        }
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

    /// Whether rows may be dropped by the cell of a slot.
    pub fn judges(&self, slot: usize) -> bool {
        self.window_slot() == Some(slot) || self.tests.iter().any(|tested| tested.slot == slot)
    }

    /// Whether the cell of a slot is tested.
    pub fn tests(&self, slot: usize) -> bool {
        self.tests.iter().any(|tested| tested.slot == slot)
    }

    /// Whether the cell of a slot fails a test. Who drops the row for it counts it as dropped.
    #[inline(always)]
    pub fn fails(&mut self, block: &[u8], slot: usize, cell: Cell) -> bool {
        let bytes = Bytes { block, beside: &self.beside };
        self.tests.iter_mut().any(|tested| tested.slot == slot && tested.fails(&bytes, cell))
    }

    /// The slot that decides about the window.
    #[inline(always)]
    pub fn window_slot(&self) -> Option<usize> {
        self.window.map(|(slot, ..)| slot)
    }

    /// Whether a time lies in the window; a time that cannot be told may. A time that is told stays told.
    #[inline]
    pub fn in_window(&self, block: &[u8], cell: &mut Cell) -> bool {
        let Some((_, after, until)) = self.window else { return true };
        let bytes = Bytes { block, beside: &self.beside };
        if let (Some((first, last)), Form::Text | Form::Bare) = (self.minutes, cell.form)
            && let Some(minute) = bytes.raw(*cell).first_chunk().map(|text| Minute::from_be_bytes(*text))
            && (first < minute && minute < last)
        {
            // Whatever it is, it need not be left out.
            return true;
        }
        Rows::told(&bytes, cell).is_none_or(|ticks| after < ticks && ticks <= until)
    }

    #[inline(never)]
    fn told(bytes: &Bytes<'_>, cell: &mut Cell) -> Option<i64> {
        let ticks = values::ticks(bytes, *cell)?;
        *cell = Cell::ticks(ticks);
        Some(ticks)
    }

    /// Whether no more rows are taken.
    pub fn is_full(&self) -> bool {
        self.count >= self.most
    }

    /// Whether a row lies in the window and fails no test, by the cells that [`Wanted::judges`] names.
    #[inline]
    pub fn judge(&mut self, block: &[u8], row: &mut [Cell]) -> bool {
        if let Some((slot, ..)) = self.window
            && let Some(cell) = row.get_mut(slot)
            && !self.in_window(block, cell)
        {
            return false;
        }
        let bytes = Bytes { block, beside: &self.beside };
        let fails = |tested: &mut Tested| tested.fails(&bytes, row.get(tested.slot).copied().unwrap_or_default());
        let fails = self.tests.iter_mut().any(fails);
        self.dropped += usize::from(fails);
        !fails
    }

    /// Takes a row, unless it lies outside of the window or fails a test.
    #[inline]
    pub fn push(&mut self, block: &[u8], begin: usize, row: &mut [Cell]) {
        if self.judge(block, row) {
            self.push_judged(begin, row);
        }
    }

    /// Takes a row that is judged already.
    #[inline]
    pub fn push_judged(&mut self, begin: usize, row: &[Cell]) {
        if self.is_full() {
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
