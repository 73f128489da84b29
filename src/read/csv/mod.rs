//! Comma-separated values, plain and as the Log Analytics portal exports them.
//!
//! Well-formed text is told apart by its separators, found in sixty-four bytes at a time ([`separators`]); a record
//! with a stray quote is read byte by byte ([`cells`]), which alone decides what such a record means.
mod cells;
mod parser;
mod separators;

pub use cells::record;
pub use parser::{CsvParser, Place, Records};

use super::block::Block;
use super::cell::Cell;
use super::events::{self, Belonging, Events};
use super::mapping::{Mapping, folded};
use super::rows::{Parser, Wanted};
use super::text::{Cutter, Ends, Form};
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
    /// Reads the header, or passes over it. Where columns are declared and the first row names none of them, the file has no header and
    /// the declared columns are those of the file, in order; the files of known tables have one.
    pub fn new(
        head: &[u8],
        delimiter: Option<u8>,
        declared: &Schema,
        table: Option<&str>,
        skips_header: bool,
    ) -> Result<Csv, String> {
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
            let begin = if skips_header { bom + length } else { bom };
            return Ok(Csv { delimiter, columns, begin: begin as u64, events_of: None });
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

    /// The names of the header.
    pub fn columns(&self) -> &[Name] {
        &self.columns
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
    let mut found = Vec::new();
    let mut padded = text.to_vec();
    padded.push(b'\n');
    let outcome = cells::record(&padded, 0, delimiter, |_, cell| found.push(cell));
    let length = outcome.map_err(|reason| format!("its header: {reason}"))?;
    let bytes = super::cell::Bytes { block: &padded, beside: &[] };
    let name = |cell: &Cell| bytes.text(*cell).trim().trim_end_matches(" [UTC]").to_owned();
    let names: Vec<String> = found.iter().map(name).collect();
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
    fn ends(&self) -> Ends {
        Ends::SomeLines
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        Box::new(parser::Records { delimiter: self.delimiter })
    }

    fn names(&self, _: &Block) -> Vec<Name> {
        self.columns.clone()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut targets = vec![Vec::new(); self.columns.len()];
        let mut want = |slot: usize, found: &mut dyn Iterator<Item = usize>| {
            for (rank, at) in found.enumerate() {
                if let Some(places) = targets.get_mut(at).filter(|places| places.is_empty()) {
                    places.push((slot as u32, rank as u32, false));
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
        let events =
            self.events_of.as_deref().map(|table| Events::new(table, wanted, Mapping::builtin(), Belonging::Unknown));
        if let Some(table) = &self.events_of {
            for (field, slot) in events::SPECIAL.iter().zip(events::special_slots(table, wanted, Mapping::builtin())) {
                want(slot, &mut self.columns.iter().position(|column| **column == **field).into_iter());
            }
        }
        Box::new(parser::CsvParser::new(self.delimiter, targets, self.begin, wanted, events))
    }
}

impl Csv {
    /// The columns that hold the fields of a table's column, the best first.
    fn fields<'a>(&'a self, table: &str, name: &str) -> impl Iterator<Item = usize> + 'a {
        let named = |field: &[u8]| {
            let field = folded(field);
            self.columns.iter().position(|column| folded(column.as_bytes()) == field)
        };
        Mapping::builtin().fields(table, name).into_iter().filter_map(move |field| named(field.as_bytes()))
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
