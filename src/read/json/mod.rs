//! JSON records, one a line or in an array: only the wanted values are told from the rest.
mod answer;
mod flat;
mod form;
mod keys;
mod mapped;
mod outline;
mod place;
mod scan;
mod track;

use super::block::Block;
use super::cell::Cell;
use super::rows::{Rows, Wanted};
pub use answer::Answer;
use flat::{Flat, Outcome};
pub use form::Plain;
use keys::Halt;
pub use keys::{Keys, Layout};
pub use mapped::{Envelope, Mapped};
pub use place::Place;
use scan::after_blanks;

/// The cells of the record that is walked.
#[derive(Debug, Default)]
pub struct Scratch {
    pub cells: Vec<Cell>,
    pub ranks: Vec<u8>,
    /// Whether the rows are known to have use for the record.
    pub is_judged: bool,
}

impl Scratch {
    #[inline]
    pub fn clear(&mut self, width: usize) {
        self.cells.clear();
        self.cells.resize(width, Cell::default());
        self.ranks.clear();
        self.ranks.resize(width, u8::MAX);
    }
}

/// Walks the records of a block; `take` is given where each whole record begins, and its cells.
#[inline]
fn each_record(
    keys: &mut Keys,
    block: &Block,
    place: Place,
    layout: Layout,
    width: usize,
    rows: &mut Rows,
    mut take: impl FnMut(&mut Rows, usize, &mut Scratch),
) {
    let bytes = block.bytes();
    let Some(start) = place.start(block) else { return };
    let mut scratch = Scratch::default();
    scratch.clear(width);
    let mut flat = Flat::new(keys).filter(|_| layout.lines);
    let mut at = after_separators(bytes, start, place);
    while at < block.end && !place.ends(bytes, at) && !rows.is_full() {
        if scratch.cells.len() != width {
            scratch.clear(width);
        }
        let known = flat.as_mut().map(|flat| flat.take(bytes, at, layout, &mut scratch, rows));
        scratch.is_judged = matches!(known, Some(Outcome::Chosen(_)));
        let outcome = match known {
            Some(Outcome::Chosen(end) | Outcome::Taken(end)) => Ok(end),
            Some(Outcome::Passed(next)) => {
                at = after_separators(bytes, next, place);
                continue;
            }
            _ => {
                scratch.clear(width);
                let mut unwanted = |cell: &mut Cell| !rows.in_window(bytes, cell);
                keys.walk(bytes, at, layout, &mut scratch.cells, &mut scratch.ranks, &mut unwanted)
            }
        };
        let next = match outcome {
            Ok(end) if ends_well(bytes, end, layout.lines) => {
                if let (Some(flat), Some(Outcome::Unknown)) = (&mut flat, known) {
                    flat.learn(bytes, at, layout, keys, rows, width);
                }
                take(rows, at, &mut scratch);
                end
            }
            Ok(_) => broken("broken JSON: text behind the record", block, at, layout.lines, rows),
            Err(Halt::Broken(reason)) => broken(reason, block, at, layout.lines, rows),
            Err(Halt::Unwanted) => next_record(block, at, layout.lines),
        };
        at = after_separators(bytes, next, place);
    }
}

/// Whether nothing but the line's end stands behind a record.
#[inline]
fn ends_well(bytes: &[u8], end: usize, lines: bool) -> bool {
    !lines || matches!(bytes.get(after_blanks(bytes, end, lines)), None | Some(b'\n' | 0))
}

fn broken(reason: &str, block: &Block, at: usize, lines: bool, rows: &mut Rows) -> usize {
    rows.bad(reason, block, at);
    next_record(block, at, lines)
}

/// Where the record behind the one at `at` begins.
fn next_record(block: &Block, at: usize, lines: bool) -> usize {
    let bytes = block.bytes();
    if !lines
        && bytes.get(at) == Some(&b'{')
        && let Ok((end, _)) = scan::container_end(bytes, at, false)
    {
        return end;
    }
    let rest = bytes.get(at..block.end).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line + 1)
}

/// Skips blanks, and between records that are no lines also commas and the brackets of the array they lie in; that of
/// an array inside an object ends the records.
#[inline]
fn after_separators(bytes: &[u8], mut at: usize, place: Place) -> usize {
    if at == 0 && bytes.starts_with(super::csv::BOM) {
        at = super::csv::BOM.len();
    }
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b',') if !place.lines => at += 1,
            Some(b'[' | b']') if !place.lines && place.inside.is_none() => at += 1,
            _ => return at,
        }
    }
}

/// Gives where each record of a block begins and ends, whatever is in it; text that is no record is one up to its
/// line's end.
pub fn each_text(block: &Block, place: Place, take: &mut impl FnMut(usize, usize)) {
    let bytes = block.bytes();
    let Some(start) = place.start(block) else { return };
    let mut at = after_separators(bytes, start, place);
    while at < block.end && !place.ends(bytes, at) {
        let end = next_record(block, at, place.lines).clamp(at + 1, block.end.max(at + 1));
        let text = bytes.get(at..end).unwrap_or_default().trim_ascii_end();
        if !text.is_empty() {
            take(at, at + text.len());
        }
        at = after_separators(bytes, end, place);
    }
}

/// The keys of the records of a block, or of the objects under one of their keys, in the order of their first sight.
pub fn discover(block: &Block, place: Place, under: Option<&str>) -> Vec<String> {
    let mut keys = Keys::default();
    match under {
        Some(under) => keys.discover_under(under),
        None => keys.discover = Some(0),
    }
    let layout = Layout { lines: place.lines, early: None, judges: true };
    let mut rows = Rows::new(&Wanted::default()).at_most(super::infer::RECORDS);
    each_record(&mut keys, block, place, layout, 0, &mut rows, |rows, at, _| rows.push_judged(at, &[]));
    keys.discovered()
}
