//! Partial results on their way from an indexer to the search head: rows of one field.
use crate::diagnostic::{Fault, Result};
use crate::read::{Header, Layout, Piece, Records};
use crate::types::{Kind, Name};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The field in which an indexer sends the states of aggregates.
pub const STATE: &str = "huntpack_state";

/// A partial result: `<events>:<states>:<of what>`.
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
    pub fn write(&self) -> String {
        let states = match &self.states {
            Ok(bytes) => BASE64.encode(bytes),
            Err(reason) => format!("{FAILED}{}", BASE64.encode(reason)),
        };
        format!("{}:{states}:{}", self.events, self.rule)
    }

    /// Errors: a text that [`Part::write`] has not made.
    pub fn read(text: &str) -> Result<Part> {
        Part::parse(text)
            .ok_or_else(|| Fault::data("HP451", "a partial result is not whole, or was not written by huntpack"))
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

/// Finds the rows of a search head's input that are partial results.
pub struct Marks(Layout);

/// What a piece holds beside events.
#[derive(Debug, Default)]
pub struct Marked {
    pub parts: Vec<Part>,
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
                marked.parts.push(Part::read(&text)?);
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
        for states in [Ok(vec![0, 255, 7]), Ok(Vec::new()), Err("too: many".to_owned())] {
            let part = Part { events: 7, states, rule: "a: rule, \"quoted\"".to_owned() };
            assert_eq!(Part::read(&part.write()).unwrap(), part);
        }
        for text in ["", "7", "7:", "7:!", "x::", "7:%%:", "7:!/w==:"] {
            assert!(Part::read(text).is_err(), "{text}");
        }
    }
}
