//! CSV that a host hands over as it comes: bodies of many blocks, each with its header, strict about what it reads.
//!
//! Splunk writes such bodies for its search commands. Unlike a log file, a body that is broken anywhere is of no use:
//! what is missing from it would be missing from the answer.
use super::block::{self, BLOCK, Block, Buffers, LONGEST_RECORD, PADDING};
use super::cell::{Bytes, Cell};
use super::csv::{self, CsvParser, Place};
use super::events::{self, Belonging, Events};
use super::mapping::{Mapping, folded};
use super::rows::Wanted;
use super::source::Reading;
use super::text::{Cutter, Parsed};
use crate::diagnostic::{Fault, Result};
use crate::plan::Morsel;
use crate::types::{Column, Kind, Name};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

/// What a value of several stands under, beside the field itself.
pub const SEVERAL: &str = "__mv_";
const DELIMITER: u8 = b',';
const MOST_COLUMNS: usize = 100_000;

/// Some whole records of a body; the first piece begins with the header.
#[derive(Clone, Debug)]
pub struct Piece(Arc<Block>);

impl Piece {
    /// How many line ends it has: about as many as records, and none where it has none.
    pub fn records(&self) -> usize {
        let Piece(block) = self;
        memchr::memchr_iter(b'\n', block.bytes().get(block.start..block.end).unwrap_or_default()).count()
    }

    /// The record that begins at a place, without its line end.
    pub fn record(&self, place: u32) -> &[u8] {
        let Piece(block) = self;
        let bytes = block.bytes().get(..block.end).unwrap_or_default();
        let begin = place as usize;
        let end = csv::record(bytes, begin, DELIMITER, |_, _| {}).unwrap_or(bytes.len()).min(bytes.len());
        without_end(bytes.get(begin..end).unwrap_or_default())
    }
}

/// Reads bodies in pieces.
#[derive(Debug, Default)]
pub struct Pieces {
    pool: Arc<Buffers>,
    /// The record that the last piece had no end of.
    rest: Vec<u8>,
    offset: u64,
}

impl Pieces {
    /// Makes ready for the next body.
    pub fn begin(&mut self) {
        self.rest.clear();
        self.offset = 0;
    }

    /// The next piece of a body of which `left` bytes are still to be read; none at its end.
    ///
    /// Errors: an input that ends too soon or fails, text that is no UTF-8, a record without an end.
    pub fn next(&mut self, input: &mut dyn Read, left: &mut u64) -> Result<Option<Piece>> {
        if *left == 0 && self.rest.is_empty() {
            return Ok(None);
        }
        let mut bytes = self.pool.take();
        let mut filled = self.rest.len();
        grow(&mut bytes, (BLOCK + PADDING).max(filled + PADDING));
        bytes.get_mut(..filled).unwrap_or_default().copy_from_slice(&self.rest);
        self.rest.clear();
        let whole = loop {
            let room = bytes.len() - PADDING - filled;
            let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(room);
            let place = bytes.get_mut(filled..filled + wanted).unwrap_or_default();
            input.read_exact(place).map_err(|error| too_short(&error))?;
            filled += wanted;
            *left -= wanted as u64;
            let records = bytes.get(..filled).unwrap_or_default();
            match if *left == 0 { filled } else { csv::Records { delimiter: DELIMITER }.cut(records) } {
                0 if filled > LONGEST_RECORD => {
                    return Err(broken("a row is longer than 64 MB, or a quote in it is never closed"));
                }
                0 => {
                    let larger = bytes.len() * 2;
                    grow(&mut bytes, larger);
                }
                whole => break whole,
            }
        };
        self.rest.extend_from_slice(bytes.get(whole..filled).unwrap_or_default());
        bytes.get_mut(whole..whole + PADDING).unwrap_or_default().fill(0);
        if let Err(error) = std::str::from_utf8(bytes.get(..whole).unwrap_or_default()) {
            let place = self.offset + error.valid_up_to() as u64;
            return Err(broken(&format!("byte {place} of the chunk is not UTF-8")));
        }
        let block = Block::padded(bytes, whole, self.offset).pooled(&self.pool);
        self.offset += whole as u64;
        Ok(Some(Piece(block.into())))
    }
}

fn grow(bytes: &mut block::Bytes, length: usize) {
    if bytes.len() < length {
        bytes.resize(length, 0);
    }
}

fn too_short(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => broken("the input ends inside a chunk"),
        _ => broken(&format!("the input cannot be read: {error}")),
    }
}

/// What is wrong with what came in.
pub fn broken(what: &str) -> Fault {
    Fault::data("HP450", format!("the events cannot be read: {what}"))
}

/// The names of a body's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub names: Vec<Name>,
    /// As it is written, with its line end.
    pub text: Vec<u8>,
}

impl Header {
    /// Takes the header off the first piece of a body.
    pub fn take(piece: Piece) -> Result<(Header, Piece)> {
        let Piece(block) = piece;
        let bytes = block.bytes().get(..block.end).unwrap_or_default();
        let mut cells = Vec::new();
        let outcome = csv::record(bytes, 0, DELIMITER, |_, cell| cells.push(cell));
        let length = outcome.map_err(|reason| broken(&format!("the header: {reason}")))?.min(block.end);
        if cells.len() > MOST_COLUMNS {
            return Err(broken(&format!("it has more than {MOST_COLUMNS} columns")));
        }
        let text = Bytes { block: bytes, beside: &[] };
        let names: Vec<Name> = cells.iter().map(|cell| Name::from(&*text.text(*cell))).collect();
        check(&names)?;
        let header = Header { names, text: bytes.get(..length).unwrap_or_default().to_vec() };
        let rest = match Arc::try_unwrap(block) {
            Ok(mut own) => {
                own.start = length;
                own
            }
            Err(_) => return Err(Fault::internal("a piece is read by two at once")),
        };
        Ok((header, Piece(rest.into())))
    }

    /// Where a column stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| **own == *name)
    }

    /// The names of fields: without Splunk's own columns.
    pub fn fields(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(|name| !name.starts_with(SEVERAL) && ***name != *ORDER)
    }
}

/// Errors: a name twice, or one that can be none: what stands behind it would be read as if it were whole.
fn check(names: &[Name]) -> Result<()> {
    let mut seen = HashSet::with_capacity(names.len());
    for name in names {
        if let Some(control) = name.chars().find(|c| matches!(c, '\0' | '\r')) {
            let name = name.escape_debug();
            return Err(broken(&format!("the header: {control:?} stands in the name of the column `{name}`")));
        }
        if !seen.insert(name) {
            return Err(broken(&format!("the header names the column `{name}` twice")));
        }
    }
    Ok(())
}

/// The column by which Splunk puts a row and the fields that it has withheld together again.
pub const ORDER: &str = "_chunked_idx";

/// Whose rows the events of a body are.
#[derive(Clone, Debug)]
pub struct Owner {
    pub table: String,
    pub mapping: Arc<Mapping>,
    pub belonging: Belonging,
}

/// How the records under a header are read: one slot for each wanted column.
pub struct Layout {
    parser: CsvParser,
    reading: Arc<Reading>,
    /// Whether records may be passed over: those of other tables.
    drops: bool,
}

impl Layout {
    /// The columns, each of its kind: by their names in the header, and by what the owner's map says.
    pub fn new(header: &Header, wanted: &[(Name, Kind)], owner: Option<&Owner>) -> Layout {
        let names: Vec<Name> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let looked_for = Wanted::new(&names, None);
        let mut targets = Targets { header, places: vec![Vec::new(); header.names.len()] };
        for (slot, (name, kind)) in wanted.iter().enumerate() {
            targets.want(slot, name, *kind, owner);
        }
        if let Some(owner) = owner {
            let slots = events::special_slots(&owner.table, &looked_for, &owner.mapping);
            for (field, slot) in events::SPECIAL.iter().zip(slots) {
                targets.put(header.position(field), slot, 0, false);
            }
        }
        let drops = owner.is_some_and(|owner| owner.belonging != Belonging::All);
        let events = owner.map(|o| Events::new(&o.table, &looked_for, &o.mapping, o.belonging));
        let parser = CsvParser::new(DELIMITER, targets.places, 0, &looked_for, events);
        let kinds = wanted.iter().map(|(_, kind)| *kind).collect();
        Layout { parser, reading: Reading::of(looked_for, kinds).into(), drops }
    }

    /// Reads the records of a piece, without the header.
    ///
    /// Errors: a record with more or fewer cells than the header, or with a broken quote.
    pub fn read(&self, piece: &Piece) -> Result<Records> {
        let Piece(block) = piece;
        let parsed = Parsed::new(&self.parser, &self.reading, 0, block.clone());
        if let Some((reason, place)) = parsed.rows.found.first() {
            return Err(broken(&format!("row {} of the chunk: {reason}", row_at(block, place))));
        }
        Ok(Records { parsed, drops: self.drops })
    }
}

/// The number, from 1, of the row at a place of the body: as far back as its piece goes.
fn row_at(block: &Block, place: u64) -> String {
    let end = place.saturating_sub(block.offset) as usize + block.start;
    let bytes = block.bytes().get(..block.end).unwrap_or_default();
    let (mut at, mut row) = (block.start, 1);
    while at < end {
        match csv::record(bytes, at, DELIMITER, |_, _| {}) {
            Ok(next) if next > at => (at, row) = (next, row + 1),
            _ => break,
        }
    }
    if block.offset == 0 { row.to_string() } else { format!("at byte {place}") }
}

/// What becomes of each column of a header.
struct Targets<'a> {
    header: &'a Header,
    places: Vec<Vec<Place>>,
}

impl Targets<'_> {
    fn want(&mut self, slot: usize, name: &str, kind: Kind, owner: Option<&Owner>) {
        let exact = self.header.position(name);
        let several = exact.and_then(|_| self.header.position(&format!("{SEVERAL}{name}")));
        let several = several.filter(|_| kind == Kind::Dynamic);
        let mut places = vec![(several, true), (exact, false)];
        // A field that a command asks for and no event has is there as an empty column: the others count all the same.
        let fields = match owner {
            Some(owner) => owner.mapping.fields(&owner.table, name),
            None if name == "TimeGenerated" => vec!["_time".to_owned()],
            None => Vec::new(),
        };
        for field in &fields {
            let field = folded(field.as_bytes());
            let at = self.header.names.iter().position(|own| folded(own.as_bytes()) == field);
            places.push((at.filter(|_| at != exact), false));
        }
        let found = places.into_iter().filter(|(at, _)| at.is_some());
        for (rank, (at, several)) in found.enumerate() {
            self.put(at, slot, rank as u32, several);
        }
    }

    fn put(&mut self, at: Option<usize>, slot: usize, rank: u32, several: bool) {
        if let Some(places) = at.and_then(|at| self.places.get_mut(at)) {
            places.push((slot as u32, rank, several));
        }
    }
}

/// The records of a piece: its columns, and the text that they came from.
pub struct Records {
    parsed: Parsed,
    drops: bool,
}

impl Morsel for Records {
    fn rows(&self) -> usize {
        self.parsed.rows()
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        self.parsed.column(at, rows)
    }
}

impl Records {
    /// Appends the records of rows, which ascend, as they are written, each with its line end.
    pub fn copy(&self, rows: &[u32], out: &mut Vec<u8>) {
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let run = if self.drops { 1 } else { consecutive(rest) };
            let (now, later) = rest.split_at(run);
            let last = now.last().unwrap_or(first);
            let bytes = self.parsed.block.bytes();
            let (begin, end) = (self.parsed.rows.begin(*first as usize), self.end(*last as usize));
            out.extend_from_slice(bytes.get(begin..end).unwrap_or_default());
            if !out.ends_with(b"\n") {
                out.push(b'\n');
            }
            rest = later;
        }
    }

    /// Where the record of a row begins in its piece.
    pub fn place(&self, row: u32) -> u32 {
        self.parsed.rows.begin(row as usize) as u32
    }

    /// The record of a row without its line end.
    pub fn record(&self, row: u32) -> &[u8] {
        let bytes = self.parsed.block.bytes();
        let record = bytes.get(self.parsed.rows.begin(row as usize)..self.end(row as usize)).unwrap_or_default();
        without_end(record)
    }

    /// The place behind the record of a row.
    fn end(&self, row: usize) -> usize {
        if !self.drops && row + 1 < self.parsed.rows.count() {
            return self.parsed.rows.begin(row + 1);
        }
        let bytes = self.parsed.block.bytes().get(..self.parsed.block.end).unwrap_or_default();
        let begin = self.parsed.rows.begin(row);
        csv::record(bytes, begin, DELIMITER, |_, _| {}).unwrap_or(bytes.len()).min(bytes.len())
    }

    /// The text of a cell; empty where the row has none.
    pub fn text(&self, row: u32, slot: usize) -> Cow<'_, str> {
        let cell: Cell = self.parsed.rows.cell(row as usize, slot);
        Bytes { block: self.parsed.block.bytes(), beside: &self.parsed.rows.beside }.text(cell)
    }
}

fn without_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

/// How many rows from the first on follow each other.
fn consecutive(rows: &[u32]) -> usize {
    let first = rows.first().copied().unwrap_or_default();
    rows.iter().zip(first..).take_while(|(row, expected)| *row == expected).count()
}
