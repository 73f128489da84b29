//! Records of other products as rows of a Log Analytics table: diagnostic exports, Splunk's exports and raw events.
use super::{Keys, Layout, Scratch, discover, each_record};
use crate::read::block::Block;
use crate::read::cell::{Bytes, Cell, Form as CellForm};
use crate::read::mapping;
use crate::read::rows::{Parser, Rows, Wanted};
use crate::read::text::{Cutter, Form, Lines};
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
    pub lines: bool,
    pub envelope: Envelope,
    pub table: Option<String>,
    /// The table's columns.
    pub columns: Vec<Name>,
}

impl Form for Mapped {
    fn lines(&self) -> bool {
        self.lines
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        if self.lines { Box::new(Lines) } else { Box::new(super::Objects) }
    }

    fn names(&self, sample: &Block) -> Vec<Name> {
        if self.table.is_some() {
            return self.columns.clone();
        }
        let mut names: Vec<Name> =
            discover(sample, self.lines, self.envelope.key()).into_iter().map(Name::from).collect();
        if self.envelope == Envelope::Event {
            names.insert(0, "sourcetype".into());
        }
        names
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let width = wanted.names.len();
        let (raw, sourcetype) = (width, width + 1);
        let fold_case = self.table.is_some();
        let mut keys = Keys::folding(fold_case);
        let mut inside = Keys::folding(fold_case);
        for (slot, name) in wanted.names.iter().enumerate() {
            let mut fields = vec![name.to_string()];
            if let Some(table) = &self.table {
                fields.extend(mapping::fields(table, name));
            }
            for (rank, field) in fields.iter().enumerate() {
                self.want(&mut keys, &mut inside, field, slot, rank as u8);
            }
        }
        keys.want(&["sourcetype"], sourcetype, 1);
        if self.envelope == Envelope::Event {
            let time = wanted.names.iter().position(|name| **name == *"TimeGenerated");
            time.into_iter().for_each(|slot| keys.want(&["time"], slot, 200));
        }
        if let Some(envelope) = self.envelope.key() {
            keys.want(&[envelope, "_raw"], raw, 0);
            keys.want(&[envelope, "sourcetype"], sourcetype, 0);
        }
        let constants = |name: &str| wanted.names.iter().position(|wanted| **wanted == *name);
        let vendor = ["DeviceVendor", "DeviceProduct"].map(constants);
        let vendor = vendor.into_iter().zip(["DeviceVendor", "DeviceProduct"]);
        let constants = vendor.filter_map(|(slot, name)| slot.map(|slot| (name, slot))).collect();
        let has_raw = self.envelope == Envelope::Result && self.table.is_some();
        Box::new(MappedParser { keys, inside, lines: self.lines, table: self.table.clone(), has_raw, width, constants })
    }
}

impl Mapped {
    /// A field is looked for in the envelope, by its path and, as Splunk writes it, by a name with dots; and in `_raw`.
    fn want(&self, keys: &mut Keys, inside: &mut Keys, field: &str, slot: usize, rank: u8) {
        let path: Vec<&str> = if self.table.is_some() { field.split('.').collect() } else { vec![field] };
        inside.want(&path, slot, rank);
        match self.envelope.key() {
            None => keys.want(&path, slot, rank),
            Some(envelope) => {
                keys.want(&[envelope, field], slot, rank);
                let nested: Vec<&str> = std::iter::once(envelope).chain(path).collect();
                keys.want(&nested, slot, rank);
            }
        }
    }
}

struct MappedParser {
    keys: Keys,
    /// The keys of the JSON text in `_raw`.
    inside: Keys,
    lines: bool,
    table: Option<String>,
    has_raw: bool,
    /// The number of wanted columns; the slots of `_raw` and the sourcetype follow.
    width: usize,
    /// Columns that a sourcetype may stand for.
    constants: Vec<(&'static str, usize)>,
}

impl Parser for MappedParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let mut inside = self.inside.clone();
        let mut inner = Scratch::default();
        let layout = Layout { lines: self.lines, early: None };
        let take = |rows: &mut Rows, at: usize, outer: &mut Scratch| {
            self.row(block, at, outer, &mut inner, &mut inside, rows);
        };
        each_record(&mut self.keys.clone(), block, layout, self.width + 2, rows, take);
    }
}

impl MappedParser {
    /// Completes a record from its `_raw` and its sourcetype.
    fn row(
        &self,
        block: &Block,
        at: usize,
        outer: &mut Scratch,
        inner: &mut Scratch,
        inside: &mut Keys,
        rows: &mut Rows,
    ) {
        let bytes = Bytes { block: block.bytes(), beside: &[] };
        let special = |slot: usize| outer.cells.get(slot).copied().unwrap_or_default();
        let (raw, sourcetype) = (special(self.width), bytes.text(special(self.width + 1)).into_owned());
        if let (Some(own), Some(table)) = (&self.table, mapping::table_of_sourcetype(&sourcetype))
            && own != table
        {
            return;
        }
        if self.has_raw && !raw.is_empty() {
            self.raw(&bytes, raw, outer, inner, inside, rows);
        }
        for (name, value) in mapping::constants(&sourcetype) {
            let slot = self.constants.iter().find(|(constant, _)| constant == name).map(|(_, slot)| *slot);
            if let Some(cell) = slot.and_then(|slot| outer.cells.get_mut(slot))
                && cell.is_empty()
            {
                *cell = rows.beside(CellForm::Text, value);
            }
        }
        outer.cells.truncate(self.width);
        rows.push(block.bytes(), at, &outer.cells);
    }

    /// Values of the event as it was received go before those that Splunk made of it.
    fn raw(
        &self,
        bytes: &Bytes<'_>,
        raw: Cell,
        outer: &mut Scratch,
        inner: &mut Scratch,
        inside: &mut Keys,
        rows: &mut Rows,
    ) {
        let text = bytes.text(raw);
        if !text.trim_start().starts_with('{') {
            return;
        }
        inner.clear(self.width);
        let written = rows.beside(CellForm::Text, text.trim_start());
        let layout = Layout { lines: false, early: None };
        let start = written.start as usize;
        let outcome = inside.walk(&rows.beside, start, layout, &mut inner.cells, &mut inner.ranks, &mut |_| false);
        if outcome.is_err() {
            return;
        }
        for (kept, found) in outer.cells.iter_mut().zip(&inner.cells) {
            if !found.is_empty() {
                *kept = Cell { beside: true, ..*found };
            }
        }
    }
}
