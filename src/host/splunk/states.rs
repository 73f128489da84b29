//! Partial results on their way from an indexer to the search head: rows of one field.
use crate::diagnostic::{Fault, Result};
use crate::read::{Header, Layout, Piece, Records};
use crate::types::{Kind, Name};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The field in which an indexer sends the states of aggregates.
pub const STATE: &str = "huntpack_state";

/// No cell is longer: readers of CSV have their limits.
const LONGEST_CELL: usize = 60_000;
/// And no partial result has more of them.
const MOST_CELLS: usize = 100_000;

/// A partial result: `<events>:<states>:<of what>`, in one cell or in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many events were looked at for it.
    pub events: usize,
    /// The states of an aggregate, or why there are none.
    pub states: std::result::Result<Vec<u8>, String>,
    /// The rule that it is of.
    pub rule: String,
}

/// What stands before the reason of a failure.
const FAILED: char = '!';

impl Part {
    /// The cells that it travels in: `<number>:<place>:<how many>:<text>`.
    pub fn cells(&self) -> Vec<String> {
        let text = self.text();
        let number = RandomState::new().hash_one(text.len());
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        loop {
            let end = (0..=rest.len().min(LONGEST_CELL)).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
            let (piece, behind) = rest.split_at(end);
            pieces.push(piece);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let count = pieces.len();
        let cell = |(place, piece): (usize, &str)| format!("{number:x}:{place}:{count}:{piece}");
        pieces.into_iter().enumerate().map(cell).collect()
    }

    fn text(&self) -> String {
        let states = match &self.states {
            Ok(bytes) => BASE64.encode(bytes),
            Err(reason) => format!("{FAILED}{}", BASE64.encode(reason)),
        };
        format!("{}:{states}:{}", self.events, self.rule)
    }

    fn parse(text: &str) -> Option<Part> {
        let mut parts = text.splitn(3, ':');
        let events = parts.next()?.parse().ok()?;
        let states = parts.next()?;
        let states = match states.strip_prefix(FAILED) {
            Some(reason) => Err(String::from_utf8(BASE64.decode(reason).ok()?).ok()?),
            None => Ok(BASE64.decode(states).ok()?),
        };
        Some(Part { events, states, rule: parts.next()?.to_owned() })
    }
}

fn not_whole() -> Fault {
    Fault::data("HP451", "a partial result is not whole, or was not written by huntpack")
}

/// Puts partial results together that come in several cells.
#[derive(Debug, Default)]
pub struct Parts(HashMap<u64, Vec<Option<String>>>);

impl Parts {
    /// The partial result that a cell makes whole.
    ///
    /// Errors: a text that [`Part::cells`] has not made.
    pub fn take(&mut self, cell: &str) -> Result<Option<Part>> {
        let (number, place, count, text) = heading(cell).ok_or_else(not_whole)?;
        let pieces = self.0.entry(number).or_default();
        if pieces.len() <= place {
            pieces.resize(place + 1, None);
        }
        if let Some(piece) = pieces.get_mut(place) {
            *piece = Some(text.to_owned());
        }
        if pieces.len() < count || pieces.iter().any(Option::is_none) {
            return Ok(None);
        }
        let whole: String = self.0.remove(&number).into_iter().flatten().flatten().collect();
        Part::parse(&whole).map(Some).ok_or_else(not_whole)
    }

    /// Errors: a partial result of which not all cells have come.
    pub fn finish(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(not_whole()) }
    }
}

/// The number of a partial result, the place of a cell among its cells, how many they are, and what it holds.
fn heading(cell: &str) -> Option<(u64, usize, usize, &str)> {
    let mut parts = cell.splitn(4, ':');
    let number = u64::from_str_radix(parts.next()?, 16).ok()?;
    let (place, count) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (place < count && count <= MOST_CELLS).then_some((number, place, count, parts.next()?))
}

/// Finds the rows of a search head's input that are partial results.
pub struct Marks(Layout);

/// What a piece holds beside events.
#[derive(Debug, Default)]
pub struct Marked {
    /// The cells of partial results.
    pub cells: Vec<String>,
    /// Where the rows of partial results begin.
    places: Vec<u32>,
    /// The other rows.
    pub events: usize,
}

impl Marks {
    /// None where a header has no field for them.
    pub fn new(header: &Header) -> Option<Marks> {
        let wanted = [(Name::from(STATE), Kind::String)];
        header.position(STATE).map(|_| Marks(Layout::new(header, &wanted, None)))
    }

    pub fn read(&self, piece: &Piece) -> Result<Marked> {
        use crate::plan::Morsel;
        let records = self.0.read(piece)?;
        let mut marked = Marked::default();
        for row in 0..records.rows() as u32 {
            let text = records.text(row, 0);
            if text.is_empty() {
                marked.events += 1;
            } else {
                marked.cells.push(text.into_owned());
                marked.places.push(records.place(row));
            }
        }
        Ok(marked)
    }
}

impl Marked {
    /// The rows of records that are no partial results; none where all of them are such.
    pub fn others(&self, records: &Records) -> Option<Vec<u32>> {
        use crate::plan::Morsel;
        let is_event = |row: &u32| self.places.binary_search(&records.place(*row)).is_err();
        (!self.places.is_empty()).then(|| (0..records.rows() as u32).filter(is_event).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        for states in [Ok(vec![0, 255, 7]), Ok(Vec::new()), Err("too: many".to_owned()), Ok(vec![7; 200_000])] {
            let part = Part { events: 7, states, rule: "a: rule, \"quoted\"".to_owned() };
            let (cells, mut parts) = (part.cells(), Parts::default());
            assert!(cells.iter().all(|cell| cell.len() < LONGEST_CELL + 40));
            let found: Vec<Option<Part>> = cells.iter().rev().map(|cell| parts.take(cell).unwrap()).collect();
            assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), [part]);
            assert!(parts.finish().is_ok());
        }
        let mut parts = Parts::default();
        for text in
            ["", "7", "7:", "7:0:1:x", "g:0:1:7::", "7:1:1:7::", "7:0:1:7:!/w==:", "7:0:1:7:%%:", "7:0:999999999999:"]
        {
            assert!(parts.take(text).is_err(), "{text}");
        }
        assert!(parts.take("7:0:2:7:").unwrap().is_none());
        assert!(parts.finish().is_err());
    }
}
