//! Comma-separated values, plain and as the Log Analytics portal exports them.
use super::block::Block;
use super::cell::{Cell, Form as CellForm};
use super::events::{self, Events};
use super::mapping;
use super::rows::{Parser, Rows, Wanted};
use super::text::{Cutter, Form};
use crate::types::{Kind, Name, Schema};

/// A file of cells: its delimiter, its columns, and where its records begin.
#[derive(Debug)]
pub struct Csv {
    delimiter: u8,
    columns: Vec<Name>,
    /// The place behind the header; 0 where the file has none.
    begin: u64,
    /// The known table that other products' events are read as.
    events_of: Option<String>,
}

/// What stands before the text of some files.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Csv {
    /// Reads the header. Where columns are declared and the first row names none of them, the file has no header and
    /// the declared columns are those of the file, in order; the files of known tables have one.
    pub fn new(head: &[u8], delimiter: Option<u8>, declared: &Schema, table: Option<&str>) -> Result<Csv, String> {
        let delimiter = delimiter.unwrap_or_else(|| sniff_delimiter(head));
        let bom = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let text = head.get(bom..).unwrap_or_default();
        let (cells, length) = header(text, delimiter)?;
        if cells.len() > MOST_COLUMNS {
            return Err(format!("it has more than {MOST_COLUMNS} columns"));
        }
        let named = |name: &String| declared.names().any(|known| known.eq_ignore_ascii_case(name));
        let is_named = cells.is_empty() || cells.iter().any(named);
        if !declared.is_empty() && !is_named && table.is_none() {
            let columns = declared.names().cloned().collect();
            return Ok(Csv { delimiter, columns, begin: bom as u64, events_of: None });
        }
        let mut schema = Schema::default();
        for cell in &cells {
            let name = schema.free_name(if cell.is_empty() { "Column" } else { cell });
            schema.set(name, Kind::String);
        }
        let columns: Vec<Name> = schema.names().cloned().collect();
        let events_of = table.filter(|_| !cells.iter().any(|cell| cell == TIME)).map(str::to_owned);
        let csv = Csv { delimiter, columns, begin: (bom + length) as u64, events_of };
        match table {
            Some(table) if !is_named && !csv.holds_events() => {
                Err(format!("its header names no column of {table}: {}", shortened(&cells.join(", "))))
            }
            _ => Ok(csv),
        }
    }

    /// Whether the header has the fields that tell what an event is.
    fn holds_events(&self) -> bool {
        ["_time", "_raw", "sourcetype"].iter().any(|field| self.columns.iter().any(|column| **column == **field))
    }
}

const TIME: &str = "TimeGenerated";
const MOST_COLUMNS: usize = 10_000;

fn shortened(text: &str) -> String {
    let start: String = text.chars().take(80).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// The names of the first row, and the length of that row.
fn header(text: &[u8], delimiter: u8) -> Result<(Vec<String>, usize), String> {
    let mut cells = Vec::new();
    let mut padded = text.to_vec();
    padded.push(b'\n');
    let length = record(&padded, 0, delimiter, |_, cell| cells.push(cell)).map_err(|e| format!("its header: {e}"))?;
    let bytes = super::cell::Bytes { block: &padded, beside: &[] };
    let name = |cell: &Cell| bytes.text(*cell).trim().trim_end_matches(" [UTC]").to_owned();
    let names: Vec<String> = cells.iter().map(name).collect();
    if names.iter().any(|name| name.contains('\r')) && !text.contains(&b'\n') {
        return Err("its lines end in carriage returns alone".to_owned());
    }
    let alone = names.len() == 1 && names.first().is_some_and(String::is_empty);
    Ok((if alone { Vec::new() } else { names }, length.min(text.len())))
}

/// The delimiter that the first line has most of.
fn sniff_delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    // On a tie the last one wins: the comma.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

impl Form for Csv {
    fn lines(&self) -> bool {
        false
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        Box::new(Quotes { delimiter: self.delimiter })
    }

    fn names(&self, _: &Block) -> Vec<Name> {
        self.columns.clone()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut targets = vec![None; self.columns.len()];
        let mut want = |slot: usize, found: &mut dyn Iterator<Item = usize>| {
            for (rank, at) in found.enumerate() {
                if let Some(target @ None) = targets.get_mut(at) {
                    *target = Some((slot as u32, rank as u32));
                }
            }
        };
        for (slot, name) in wanted.names.iter().enumerate() {
            let exact = self.columns.iter().position(|column| column == name);
            match (exact, &self.events_of) {
                (Some(at), _) => want(slot, &mut std::iter::once(at)),
                (None, Some(table)) => want(slot, &mut self.fields(table, name).chain(self.parts(name))),
                (None, None) => want(slot, &mut self.parts(name)),
            }
        }
        let events = self.events_of.as_deref().map(|table| Events::new(table, wanted));
        if let Some(table) = &self.events_of {
            for (field, slot) in events::SPECIAL.iter().zip(events::special_slots(table, wanted)) {
                want(slot, &mut self.columns.iter().position(|column| **column == **field).into_iter());
            }
        }
        Box::new(CsvParser { delimiter: self.delimiter, targets, begin: self.begin, events })
    }
}

impl Csv {
    /// The columns that hold the fields of a table's column, the best first.
    fn fields<'a>(&'a self, table: &str, name: &str) -> impl Iterator<Item = usize> + 'a {
        let named = |field: &[u8]| {
            let field = mapping::folded(field);
            self.columns.iter().position(|column| mapping::folded(column.as_bytes()) == field)
        };
        mapping::fields(table, name).into_iter().filter_map(move |field| named(field.as_bytes()))
    }

    /// The columns that a column of two kinds was exported as: `X_string`, `X_dynamic`.
    fn parts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_part = move |column: &Name| {
            let kind = column.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
            kind.is_some_and(|kind| Kind::parse(kind).is_some())
        };
        self.columns.iter().enumerate().filter(move |(_, column)| is_part(column)).map(|(at, _)| at)
    }
}

/// Cuts at line ends outside of quotes.
struct Quotes {
    delimiter: u8,
}

impl Cutter for Quotes {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let (mut cut, mut at) = (0, 0);
        let last_line = |from: usize, to: usize| memchr::memrchr(b'\n', bytes.get(from..to).unwrap_or_default());
        let mut outside = 0;
        while let Some(found) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
            at += found;
            if !self.opens(bytes, at) {
                at += 1;
                continue;
            }
            if let Some(line) = last_line(outside, at) {
                cut = outside + line + 1;
            }
            match quoted_end(bytes, at + 1) {
                Some((end, _)) => (at, outside) = (end + 1, end + 1),
                None if bytes.len() > super::block::LONGEST_RECORD / 2 => {
                    return last_line(0, bytes.len()).map_or(0, |l| l + 1);
                }
                None => return cut,
            }
        }
        last_line(outside, bytes.len()).map_or(cut, |line| outside + line + 1)
    }
}

impl Quotes {
    /// Whether a quote begins a cell: elsewhere it is text.
    fn opens(&self, bytes: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_none_or(|byte| *byte == self.delimiter || *byte == b'\n')
    }
}

/// The place of the quote that closes a cell whose inside begins at `at`, and whether quotes are doubled in it.
#[inline]
fn quoted_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut doubled = false;
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

type Broken = &'static str;

/// Hands out the cells of the record at `at`; returns the place of the next record.
#[inline(always)]
fn record(bytes: &[u8], mut at: usize, delimiter: u8, mut cell: impl FnMut(usize, Cell)) -> Result<usize, Broken> {
    let mut column = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let (end, doubled) = quoted_end(bytes, at + 1).ok_or("a quoted cell is not closed")?;
            let wide = !bytes.get(at + 1..end).unwrap_or_default().is_ascii();
            let form = if doubled { CellForm::QuotesDoubled } else { CellForm::Bare };
            cell(column, Cell::new(form, at + 1, end, wide));
            at = end + 1;
        } else {
            let (end, wide) = bare_end(bytes, at, delimiter);
            let cut = usize::from(bytes.get(end) == Some(&b'\n') && end > at && bytes.get(end - 1) == Some(&b'\r'));
            cell(column, Cell::new(CellForm::Bare, at, end - cut, wide));
            at = end;
        }
        column += 1;
        match bytes.get(at) {
            Some(byte) if *byte == delimiter => at += 1,
            Some(b'\n') => return Ok(at + 1),
            Some(b'\r') if matches!(bytes.get(at + 1), Some(b'\n') | None) => return Ok(at + 2),
            None => return Ok(at),
            Some(_) => return Err("text behind a quoted cell"),
        }
    }
}

/// The end of a cell without quotes, and whether a byte of it is not ASCII.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bare_end(bytes: &[u8], mut at: usize, delimiter: u8) -> (usize, bool) {
    use std::arch::x86_64::*;
    let mut any_wide = false;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        // SAFETY: SSE2 is part of x86-64, and the load reads the sixteen bytes of `chunk`.
        let (stops, wide) = unsafe {
            let chunk = _mm_loadu_si128(chunk.as_ptr().cast());
            let delimiters = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(delimiter as i8));
            let lines = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\n' as i8));
            (_mm_movemask_epi8(_mm_or_si128(delimiters, lines)) as u32, _mm_movemask_epi8(chunk) as u32)
        };
        let length = (stops | 1 << 16).trailing_zeros();
        any_wide |= wide & ((1 << length) - 1) != 0;
        at += length as usize;
        if stops != 0 {
            return (at, any_wide);
        }
    }
    bare_end_slow(bytes, at, delimiter, any_wide)
}

#[cfg(not(target_arch = "x86_64"))]
fn bare_end(bytes: &[u8], at: usize, delimiter: u8) -> (usize, bool) {
    bare_end_slow(bytes, at, delimiter, false)
}

fn bare_end_slow(bytes: &[u8], at: usize, delimiter: u8, wide: bool) -> (usize, bool) {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = memchr::memchr2(delimiter, b'\n', rest).unwrap_or(rest.len());
    (at + length, wide || !rest.get(..length).unwrap_or_default().is_ascii())
}

struct CsvParser {
    delimiter: u8,
    /// The slot of each column, and its rank among the columns of that slot.
    targets: Vec<Option<(u32, u32)>>,
    begin: u64,
    events: Option<Events>,
}

impl CsvParser {
    /// The slots of a row: those behind the wanted columns tell what an event is.
    fn width(&self, rows: &Rows) -> usize {
        rows.width() + if self.events.is_some() { events::SPECIAL.len() } else { 0 }
    }
}

impl Parser for CsvParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let skipped = self.begin.saturating_sub(block.offset) as usize;
        let mut at = block.start.saturating_add(skipped);
        // The block's padding would end the last record: a file may end without a line end, but not with zeros.
        let bytes = block.bytes().get(..block.end).unwrap_or_default();
        let mut cells: Vec<Cell> = Vec::new();
        let mut events = self.events.as_ref().map(Events::reader);
        let (width, wanted) = (self.width(rows), rows.width());
        // Where several columns are one slot's, the first that is not empty is taken.
        let is_ranked = self.targets.iter().flatten().any(|(_, rank)| *rank > 0);
        let mut ranks = vec![u32::MAX; width];
        while at < block.end {
            if let Some(line) = blank_line(bytes, at) {
                at = line;
                continue;
            }
            cells.clear();
            cells.resize(width, Cell::default());
            if is_ranked {
                ranks.clear();
                ranks.resize(width, u32::MAX);
            }
            let mut count = 0;
            let outcome = record(bytes, at, self.delimiter, |column, cell| {
                count = column + 1;
                if let Some(Some((slot, rank))) = self.targets.get(column)
                    && let (Some(kept), Some(known)) = (cells.get_mut(*slot as usize), ranks.get_mut(*slot as usize))
                    && (kept.is_empty() || (*rank < *known && !cell.is_empty()))
                {
                    (*kept, *known) = (cell, *rank);
                }
            });
            at = match outcome {
                Ok(next) if count == self.targets.len() => {
                    let bytes = block.bytes();
                    if events.as_mut().is_none_or(|events| events.complete(bytes, &mut cells, rows)) {
                        rows.push(bytes, at, cells.get(..wanted).unwrap_or_default());
                    }
                    next
                }
                Ok(_) => {
                    let reason = format!("expected {} cells", self.targets.len());
                    bad_line(&reason, block, at, rows)
                }
                Err(reason) => bad_line(reason, block, at, rows),
            };
        }
    }
}

fn bad_line(reason: &str, block: &Block, at: usize, rows: &mut Rows) -> usize {
    rows.bad(reason, block, at);
    let rest = block.bytes().get(at..block.end).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line + 1)
}

/// The place behind a line without text.
fn blank_line(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}
