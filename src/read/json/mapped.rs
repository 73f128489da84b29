//! Records of other products as rows of a Log Analytics table: diagnostic exports, Splunk's exports and raw events.
use super::{Keys, Layout, Place, Scratch, discover, each_record};
use crate::read::block::Block;
use crate::read::events::{self, Belonging, Events};
use crate::read::mapping::Mapping;
use crate::read::rows::{Parser, Rows, Wanted};
use crate::read::text::{Cutter, Ends, Form};
use crate::types::Name;

/// Where a record's fields lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// The record is the event.
    None,
    /// `{"preview":false,"result":{…}}`
    Result,
    /// `{"sourcetype":"…","event":{…}}`
    Event,
}

impl Envelope {
    /// The envelope of records by their keys.
    pub fn of(keys: &[String]) -> Envelope {
        let has = |name: &str| keys.iter().any(|key| key == name);
        match () {
            () if has("result") && (has("preview") || has("offset") || has("lastrow")) => Envelope::Result,
            () if has("event") && (has("sourcetype") || has("time")) => Envelope::Event,
            () => Envelope::None,
        }
    }

    fn key(self) -> Option<&'static str> {
        match self {
            Envelope::None => None,
            Envelope::Result => Some("result"),
            Envelope::Event => Some("event"),
        }
    }
}

/// Records as rows of a table that is known, or, where none is, the fields inside their envelope.
#[derive(Debug)]
pub struct Mapped {
    pub place: Place,
    pub envelope: Envelope,
    pub table: Option<String>,
    /// The table's columns.
    pub columns: Vec<Name>,
}

impl Form for Mapped {
    fn ends(&self) -> Ends {
        if self.place.lines { Ends::Lines } else { Ends::Text }
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        self.place.cutter()
    }

    fn names(&self, sample: &Block) -> Vec<Name> {
        if self.table.is_some() {
            return self.columns.clone();
        }
        let mut names: Vec<Name> =
            discover(sample, self.place, self.envelope.key()).into_iter().map(Name::from).collect();
        if self.envelope == Envelope::Event {
            names.insert(0, "sourcetype".into());
        }
        names
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut keys = Keys::folding(self.table.is_some());
        for (slot, name) in wanted.names.iter().enumerate() {
            match &self.table {
                Some(table) => {
                    let fields = Mapping::builtin().fields(table, name);
                    fields.iter().enumerate().for_each(|(rank, field)| self.want(&mut keys, field, slot, rank as u8));
                }
                None => self.want(&mut keys, name, slot, 0),
            }
        }
        let slots = events::special_slots(self.table.as_deref().unwrap_or_default(), wanted, Mapping::builtin());
        keys.want(&["sourcetype"], slots[1], 1);
        if self.envelope == Envelope::Event {
            let time = wanted.names.iter().position(|name| **name == *"TimeGenerated");
            time.into_iter().for_each(|slot| keys.want(&["time"], slot, 200));
        }
        let events =
            self.table.as_deref().map(|table| Events::new(table, wanted, Mapping::builtin(), Belonging::Unknown));
        if events.is_some() {
            events::SPECIAL.iter().zip(slots).for_each(|(field, slot)| self.want(&mut keys, field, slot, 0));
        }
        Box::new(MappedParser { keys, place: self.place, events, width: wanted.names.len() })
    }
}

impl Mapped {
    /// A field is looked for in the envelope, by its path and, as Splunk writes it, by a name with dots.
    fn want(&self, keys: &mut Keys, field: &str, slot: usize, rank: u8) {
        let path: Vec<&str> = if self.table.is_some() { field.split('.').collect() } else { vec![field] };
        for path in [vec![field], path] {
            let whole: Vec<&str> = self.envelope.key().into_iter().chain(path).collect();
            keys.want(&whole, slot, rank);
        }
    }
}

struct MappedParser {
    keys: Keys,
    place: Place,
    /// Where the records are events of a table.
    events: Option<Events>,
    /// The number of wanted columns; the special slots follow.
    width: usize,
}

impl Parser for MappedParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let mut reader = self.events.as_ref().map(Events::reader);
        let layout = Layout { lines: self.place.lines, early: None, judges: self.events.is_none() };
        let take = |rows: &mut Rows, at: usize, record: &mut Scratch| {
            let bytes = block.bytes();
            if reader.as_mut().is_none_or(|reader| reader.complete(bytes, &mut record.cells, rows)) {
                record.cells.truncate(self.width);
                rows.push(bytes, at, &mut record.cells);
            }
        };
        let slots = self.width + events::SPECIAL.len();
        each_record(&mut self.keys.clone(), block, self.place, layout, slots, rows, take);
    }
}
