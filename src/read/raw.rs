//! Files of events as they were logged: each event is its text, and what fields it has is found when it is searched.
use super::block::Block;
use super::cell::{Cell, Form as CellForm};
use super::json::{Place, each_text};
use super::rows::{Parser, Rows, Wanted};
use super::text::{Cutter, Ends, Form, Lines};
use crate::types::Name;
use memchr::memmem;

/// The column of an event's text.
pub const RAW: &str = "_raw";

/// What is one event.
#[derive(Clone, Copy, Debug)]
pub enum Raw {
    /// Every line that is not blank.
    Lines,
    /// Every JSON record, wherever its lines end.
    Records(Place),
    /// Every `Event` element of XML.
    Xml,
}

impl Raw {
    /// Events that are no JSON records: the XML of Windows, or lines.
    pub fn of(head: &[u8]) -> Raw {
        let text = head.strip_prefix(super::csv::BOM).unwrap_or(head).trim_ascii_start();
        let is_xml = text.starts_with(b"<") && (find_event(text, 0).is_some());
        if is_xml { Raw::Xml } else { Raw::Lines }
    }
}

impl Form for Raw {
    fn ends(&self) -> Ends {
        if matches!(self, Raw::Lines) { Ends::Lines } else { Ends::Text }
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        match self {
            Raw::Lines => Box::new(Lines),
            Raw::Records(place) => place.cutter(),
            Raw::Xml => Box::new(Elements),
        }
    }

    fn names(&self, _: &Block) -> Vec<Name> {
        vec![RAW.into()]
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let slot = wanted.names.iter().position(|name| **name == *RAW);
        Box::new(RawParser { raw: *self, slot, width: wanted.names.len() })
    }
}

struct RawParser {
    raw: Raw,
    slot: Option<usize>,
    width: usize,
}

impl Parser for RawParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let bytes = block.bytes();
        let mut row = vec![Cell::default(); self.width];
        let mut take = |start: usize, end: usize| {
            let text = bytes.get(start..end).unwrap_or_default();
            if let Some(cell) = self.slot.and_then(|slot| row.get_mut(slot)) {
                *cell = Cell::new(CellForm::Text, start, end, !text.is_ascii());
            }
            rows.push(bytes, start, &mut row);
        };
        match self.raw {
            Raw::Lines => lines(block, &mut take),
            Raw::Records(place) => each_text(block, place, &mut take),
            Raw::Xml => elements(block, &mut take),
        }
    }
}

fn lines(block: &Block, take: &mut impl FnMut(usize, usize)) {
    let bytes = block.bytes();
    let mut at = block.start;
    if block.offset == 0 && bytes.get(at..).is_some_and(|rest| rest.starts_with(super::csv::BOM)) {
        at += super::csv::BOM.len();
    }
    while at < block.end {
        let rest = bytes.get(at..block.end).unwrap_or_default();
        let end = at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = bytes.get(at..end).unwrap_or_default();
        let text = line.trim_ascii_end();
        if !text.is_empty() {
            take(at, at + text.len());
        }
        at = end + 1;
    }
}

const CLOSE: &[u8] = b"</Event>";

/// Where the next `Event` element begins.
fn find_event(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memmem::find(bytes.get(at..)?, b"<Event")?;
        match bytes.get(found + b"<Event".len()) {
            Some(b' ' | b'>' | b'\t' | b'\r' | b'\n') => return Some(found),
            _ => at = found + 1,
        }
    }
}

fn elements(block: &Block, take: &mut impl FnMut(usize, usize)) {
    let bytes = block.bytes().get(..block.end).unwrap_or_default();
    let mut at = block.start;
    while let Some(start) = find_event(bytes, at) {
        let rest = bytes.get(start..).unwrap_or_default();
        // An event that breaks off is what is there of it.
        let end = start + memmem::find(rest, CLOSE).map_or(rest.trim_ascii_end().len(), |close| close + CLOSE.len());
        take(start, end);
        at = end;
    }
}

/// Cuts behind the last element that is closed.
struct Elements;

impl Cutter for Elements {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        memmem::rfind(bytes, CLOSE).map_or(0, |close| close + CLOSE.len())
    }
}
