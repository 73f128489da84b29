//! Blocks of CSV as rows: by the separators of well-formed records, and one by one where a record is not.
use super::cells;
use super::separators::{self, Separators};
use crate::read::block::{Block, LONGEST_RECORD};
use crate::read::cell::{Cell, Form};
use crate::read::events::{self, Events};
use crate::read::rows::{Parser, Rows, Wanted};
use crate::read::text::Cutter;

/// Cuts behind the last record that is whole.
pub struct Records {
    pub delimiter: u8,
}

impl Cutter for Records {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let reached = separators::records_end(bytes, at, bytes.len(), self.delimiter);
            at = reached.records_end;
            match self.whole_record(bytes, at).filter(|_| reached.stray) {
                Some(next) => at = next,
                // A quote that nothing closes must not take the rest of the file with it.
                None if at == 0 && bytes.len() > LONGEST_RECORD / 2 => {
                    return memchr::memrchr(b'\n', bytes).map_or(0, |line| line + 1);
                }
                None => return at,
            }
        }
    }
}

impl Records {
    /// The place behind the record at `at`, where it is whole.
    fn whole_record(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let next = match cells::record(bytes, at, self.delimiter, |_, _| {}) {
            Ok(next) => next,
            Err(cells::UNCLOSED) => return None,
            Err(_) => at + memchr::memchr(b'\n', bytes.get(at..)?)? + 1,
        };
        bytes.get(..next)?.ends_with(b"\n").then_some(next)
    }
}

pub struct CsvParser {
    delimiter: u8,
    /// How many cells a record has.
    columns: usize,
    /// The cells that are wanted, in their order.
    targets: Vec<Target>,
    /// The same, those that rows may be dropped by first, and the number of these; none where a row is more than its
    /// own cells.
    judged_first: Option<(Vec<Target>, usize)>,
    begin: u64,
    events: Option<Events>,
}

/// A cell that is wanted.
#[derive(Clone, Copy, Debug)]
struct Target {
    column: usize,
    slot: usize,
    /// Of several columns for one slot the lowest that is not empty counts.
    rank: u32,
    /// Whether the cell holds several values, as Splunk writes them.
    several: bool,
}

/// Where a column's cells go: the slot, the rank there, and whether they hold several values.
pub type Place = (u32, u32, bool);

/// So many bytes are looked through before their records are taken: what is found stays near.
const STRETCH: usize = 64 << 10;

impl CsvParser {
    /// `targets` has the places of each column's cells; records begin at place `begin` of the file.
    pub fn new(
        delimiter: u8,
        targets: Vec<Vec<Place>>,
        begin: u64,
        looked_for: &Wanted,
        events: Option<Events>,
    ) -> CsvParser {
        let columns = targets.len();
        let wanted = |(column, places): (usize, Vec<Place>)| {
            let target = move |(slot, rank, several)| Target { column, slot: slot as usize, rank, several };
            places.into_iter().map(target)
        };
        let targets: Vec<Target> = targets.into_iter().enumerate().flat_map(wanted).collect();
        let alone = events.is_none() && targets.iter().all(|target| target.rank == 0);
        let judged_first = alone.then(|| {
            let (mut first, rest): (Vec<Target>, Vec<Target>) =
                targets.iter().partition(|target| looked_for.judges(target.slot));
            let judged = first.len();
            first.extend(rest);
            (first, judged)
        });
        CsvParser { delimiter, columns, targets, judged_first, begin, events }
    }

    /// Takes the records of a stretch, and returns where the next begins.
    fn stretch(&self, block: &Block, from: usize, found: &mut Separators, rows: &mut Taking<'_>) -> usize {
        let (mut to, bytes) = (block.end.min(from + STRETCH), block.bytes());
        loop {
            let reached = found.find(bytes, from, to, self.delimiter);
            if reached.records_end == from && !reached.stray && to < block.end {
                to = block.end.min(from + 2 * (to - from));
                continue;
            }
            let mut begin = from;
            for separators in found.records() {
                begin = self.take(block, begin, separators, rows);
            }
            return match reached.stray || to == block.end {
                true => self.take_slowly(block, begin, rows),
                false => begin,
            };
        }
    }

    /// Takes the record whose separators are known; returns the place behind it.
    fn take(&self, block: &Block, begin: usize, separators: &[u32], rows: &mut Taking<'_>) -> usize {
        let bytes = block.bytes();
        let Some(end) = separators.last().map(|end| *end as usize) else { return block.end };
        // Without the line's end, and the carriage return before it.
        let text_end = if end > begin && bytes.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
        if text_end == begin {
            return end + 1;
        }
        if separators.len() != self.columns {
            rows.rows.bad(&wrong_count(self.columns), block, begin);
            return end + 1;
        }
        rows.clear();
        let cell_of = |target: &Target| {
            let cell_begin = match target.column.checked_sub(1).and_then(|before| separators.get(before)) {
                Some(before) => *before as usize + 1,
                None => begin,
            };
            let cell_end = separators.get(target.column).map_or(end, |end| *end as usize).min(text_end);
            cell(bytes, cell_begin, cell_end)
        };
        let Some((targets, judged)) = &self.judged_first else {
            self.targets.iter().for_each(|target| rows.keep(*target, cell_of(target)));
            rows.push(bytes, begin);
            return end + 1;
        };
        let (judged, others) = targets.split_at_checked(*judged).unwrap_or_default();
        judged.iter().for_each(|target| rows.keep(*target, cell_of(target)));
        if rows.rows.judge(bytes, &mut rows.cells) {
            others.iter().for_each(|target| rows.keep(*target, cell_of(target)));
            rows.rows.push_judged(begin, &rows.cells);
        }
        end + 1
    }

    /// Takes the record at `at` byte by byte; returns the place behind it, or behind its first line where it is bad.
    fn take_slowly(&self, block: &Block, at: usize, rows: &mut Taking<'_>) -> usize {
        // The block's padding would end the last record: a file may end without a line end, but not with zeros.
        let bytes = block.bytes().get(..block.end).unwrap_or_default();
        if at >= block.end {
            return block.end;
        }
        if let Some(next) = blank_line(bytes, at) {
            return next;
        }
        rows.clear();
        let (mut count, mut wanted) = (0, self.targets.iter().peekable());
        let outcome = cells::record(bytes, at, self.delimiter, |column, cell| {
            count = column + 1;
            while let Some(target) = wanted.next_if(|target| target.column == column) {
                rows.keep(*target, cell);
            }
        });
        let reason = match outcome {
            Ok(next) if count == self.columns => {
                rows.push(block.bytes(), at);
                return next;
            }
            Ok(_) => wrong_count(self.columns),
            Err(reason) => reason.to_owned(),
        };
        rows.rows.bad(&reason, block, at);
        let rest = bytes.get(at..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line + 1)
    }
}

impl Parser for CsvParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let skipped = self.begin.saturating_sub(block.offset) as usize;
        let mut at = block.start.saturating_add(skipped);
        let mut found = Separators::default();
        // The slots behind the wanted columns tell what an event is.
        let width = rows.width() + if self.events.is_some() { events::SPECIAL.len() } else { 0 };
        let events = self.events.as_ref().map(Events::reader);
        let is_ranked = self.targets.iter().any(|target| target.rank > 0);
        let mut taking = Taking { width, cells: Vec::new(), ranks: Vec::new(), is_ranked, events, rows };
        while at < block.end && !taking.rows.is_full() {
            at = self.stretch(block, at, &mut found, &mut taking);
        }
    }
}

/// The rows, and the cells of the next one.
struct Taking<'a> {
    width: usize,
    cells: Vec<Cell>,
    ranks: Vec<u32>,
    /// Whether several columns go to one slot.
    is_ranked: bool,
    events: Option<events::Reader<'a>>,
    rows: &'a mut Rows,
}

impl Taking<'_> {
    #[inline]
    fn clear(&mut self) {
        self.cells.clear();
        self.cells.resize(self.width, Cell::default());
        if self.is_ranked {
            self.ranks.clear();
            self.ranks.resize(self.width, u32::MAX);
        }
    }

    #[inline]
    fn keep(&mut self, target: Target, mut cell: Cell) {
        if target.several {
            cell.form = Form::Several;
        }
        let Some(kept) = self.cells.get_mut(target.slot) else { return };
        if !self.is_ranked {
            *kept = cell;
        } else if let Some(known) = self.ranks.get_mut(target.slot)
            && (kept.is_empty() || (target.rank < *known && !cell.is_empty()))
        {
            (*kept, *known) = (cell, target.rank);
        }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8], begin: usize) {
        if let Some(events) = &mut self.events {
            if !events.complete(bytes, &mut self.cells, self.rows) {
                return;
            }
            self.cells.truncate(self.rows.width());
        }
        self.rows.push(bytes, begin, &mut self.cells);
    }
}

fn wrong_count(columns: usize) -> String {
    format!("expected {columns} cells")
}

/// A cell of a well-formed record.
#[inline]
fn cell(bytes: &[u8], begin: usize, end: usize) -> Cell {
    let text = bytes.get(begin..end).unwrap_or_default();
    let wide = !text.is_ascii();
    match text {
        [b'"', inside @ .., b'"'] => {
            let form = if inside.contains(&b'"') { Form::QuotesDoubled } else { Form::Bare };
            Cell::new(form, begin + 1, end - 1, wide)
        }
        _ => Cell::new(Form::Bare, begin, end, wide),
    }
}

/// The place behind a line without text.
fn blank_line(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}
