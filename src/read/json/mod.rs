//! JSON records, one a line or in an array: only the wanted values are told from the rest.
mod form;
mod keys;
mod scan;

use super::block::Block;
use super::cell::Cell;
use super::rows::{Parser, Rows};
use super::text::Cutter;
pub use form::Plain;
pub use keys::{Halt, Keys, Layout};
use scan::after_blanks;

/// Reads records whose wanted values are found by [`Keys`].
#[derive(Debug)]
pub struct Records {
    keys: Keys,
    /// Whether a record is a line; else records follow each other with commas or blanks between them.
    lines: bool,
}

impl Records {
    pub fn new(keys: Keys, lines: bool) -> Records {
        Records { keys, lines }
    }
}

impl Parser for Records {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let mut keys = self.keys.clone();
        let layout = Layout { lines: self.lines, early: rows.window_slot() };
        let mut cells: Vec<Cell> = Vec::new();
        let mut ranks: Vec<u8> = Vec::new();
        let mut at = block.start;
        while at < block.end {
            at = after_blanks(block.bytes(), at, false);
            if !self.lines {
                at = after_separators(block.bytes(), at);
            }
            if at >= block.end {
                break;
            }
            at = self.record(&mut keys, block, at, layout, (&mut cells, &mut ranks), rows);
        }
    }
}

impl Records {
    /// Reads the record at `at`; returns where the next one is looked for.
    #[inline]
    fn record(
        &self,
        keys: &mut Keys,
        block: &Block,
        at: usize,
        layout: Layout,
        (cells, ranks): (&mut Vec<Cell>, &mut Vec<u8>),
        rows: &mut Rows,
    ) -> usize {
        let bytes = block.bytes();
        let width = rows.width();
        cells.clear();
        cells.resize(width, Cell::default());
        ranks.clear();
        ranks.resize(width, u8::MAX);
        let outcome = keys.walk(bytes, at, layout, cells, ranks, &mut |cell| !rows.in_window(bytes, cell));
        match outcome.map(|end| (end, self.ends_well(bytes, end))) {
            Ok((end, true)) => {
                rows.push(bytes, at, cells);
                end
            }
            Ok(_) => self.broken("broken JSON: text behind the record", block, at, rows),
            Err(Halt::Unwanted) => self.next_record(block, at),
            Err(Halt::Broken(reason)) => self.broken(reason, block, at, rows),
        }
    }

    /// Whether nothing but the line's end stands behind a record.
    #[inline]
    fn ends_well(&self, bytes: &[u8], end: usize) -> bool {
        let at = after_blanks(bytes, end, self.lines);
        !self.lines || matches!(bytes.get(at), None | Some(b'\n' | 0))
    }

    fn broken(&self, reason: &str, block: &Block, at: usize, rows: &mut Rows) -> usize {
        rows.bad(reason, block, at);
        self.next_record(block, at)
    }

    /// Where the record behind the one at `at` begins.
    fn next_record(&self, block: &Block, at: usize) -> usize {
        if !self.lines
            && block.bytes().get(at) == Some(&b'{')
            && let Ok((end, _)) = scan::container_end(block.bytes(), at, false)
        {
            return end;
        }
        let rest = block.bytes().get(at..block.end).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line + 1)
    }
}

/// Skips commas, and the brackets of the array that records lie in.
fn after_separators(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b',' | b'[' | b']' | b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The keys of the records of a block, in the order of their first sight.
pub fn discover(block: &Block, lines: bool) -> Vec<String> {
    let mut keys = Keys::default();
    keys.discover = Some(0);
    let layout = Layout { lines, early: None };
    let (mut cells, mut ranks) = (Vec::new(), Vec::new());
    let records = Records { keys: Keys::default(), lines };
    let mut at = block.start;
    while at < block.end {
        at = after_blanks(block.bytes(), at, false);
        if !lines {
            at = after_separators(block.bytes(), at);
        }
        if at >= block.end {
            break;
        }
        let outcome = keys.walk(block.bytes(), at, layout, &mut cells, &mut ranks, &mut |_| false);
        at = outcome.unwrap_or_else(|_| records.next_record(block, at));
    }
    keys.discovered()
}

/// Cuts behind the last object that is closed, wherever its lines end.
#[derive(Debug)]
pub struct Objects;

impl Cutter for Objects {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let mut cut = 0;
        loop {
            let at = after_separators(bytes, cut);
            match bytes.get(at) {
                Some(b'{') => match scan::container_end(bytes, at, false) {
                    Ok((end, _)) => cut = end,
                    Err(_) => return cut,
                },
                // Whatever is no object ends with its line.
                Some(_) => match memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
                    Some(line) => cut = at + line + 1,
                    None => return cut,
                },
                None => return cut,
            }
        }
    }
}
