//! Events of other products as rows of a Log Analytics table: what they stand for by their sourcetype or category, and
//! the text that Splunk received, read for the columns of the table.
use super::cef;
use super::cell::{Bytes, Cell, Form as CellForm};
use super::json::{Keys, Layout, Scratch};
use super::mapping::Mapping;
use super::rows::{Rows, Wanted};
use super::w3c;
use crate::types::Name;
use std::sync::Arc;

/// Slots behind those of the wanted columns: the event as Splunk received it (`_raw`), its sourcetype, and the category
/// of a diagnostic record.
pub const SPECIAL: [&str; 3] = ["_raw", "sourcetype", "category"];

/// Which events count as rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// Those that are not known to be of another table.
    Unknown,
    /// Those whose sourcetype says so, and those that have none.
    Mapped,
    /// Every one.
    All,
}

/// What is wanted of the events of a table.
pub struct Events {
    table: String,
    keys: Keys,
    names: Vec<Name>,
    category: usize,
    mapping: Arc<Mapping>,
    belonging: Belonging,
    cef: Option<cef::CefParser>,
}

impl Events {
    pub fn new(table: &str, wanted: &Wanted, mapping: &Arc<Mapping>, belonging: Belonging) -> Events {
        let mut keys = Keys::folding(true);
        for (slot, name) in wanted.names.iter().enumerate() {
            for (rank, field) in mapping.fields(table, name).iter().enumerate() {
                want(&mut keys, field, slot, rank as u8);
            }
        }
        let slots = special_slots(table, wanted, mapping);
        want(&mut keys, SPECIAL[2], slots[2], 0);
        let cef = (table == cef::TABLE).then(|| cef::CefParser::new(wanted));
        let (table, names, mapping) = (table.to_owned(), wanted.names.clone(), mapping.clone());
        Events { table, keys, names, category: slots[2], mapping, belonging, cef }
    }

    pub fn reader(&self) -> Reader<'_> {
        Reader { events: self, keys: self.keys.clone(), found: Scratch::default() }
    }
}

/// The slots of [`SPECIAL`]; the category may be a wanted column itself.
pub fn special_slots(table: &str, wanted: &Wanted, mapping: &Mapping) -> [usize; 3] {
    let width = wanted.names.len();
    let is_column = mapping.fields(table, "Category").first().is_some_and(|field| field == "Category");
    let column = wanted.names.iter().position(|name| is_column && **name == *"Category");
    [width, width + 1, column.unwrap_or(width + 2)]
}

/// A field of the event, or of the event in an envelope: `{"sourcetype":…,"event":{…}}`.
fn want(keys: &mut Keys, field: &str, slot: usize, rank: u8) {
    let path: Vec<&str> = field.split('.').collect();
    keys.want(&path, slot, rank);
    let inside: Vec<&str> = std::iter::once("event").chain(path).collect();
    keys.want(&inside, slot, rank);
}

/// Reads one event after the other.
pub struct Reader<'a> {
    events: &'a Events,
    keys: Keys,
    found: Scratch,
}

impl Reader<'_> {
    /// Completes the cells of an event of the block; false where it is an event of another table.
    ///
    /// Values of the event as it was received go before those that Splunk made of it; what the sourcetype says by
    /// itself comes last.
    pub fn complete(&mut self, block: &[u8], cells: &mut [Cell], rows: &mut Rows) -> bool {
        let bytes = Bytes { block, beside: &[] };
        let width = self.events.names.len();
        let special = |at: usize| cells.get(width + at).copied().unwrap_or_default();
        let (raw, sourcetype) = (bytes.text(special(0)), bytes.text(special(1)).into_owned());
        let mapping = &self.events.mapping;
        let of_sourcetype = mapping.table_of_sourcetype(&sourcetype);
        if self.events.belonging == Belonging::Mapped && !sourcetype.is_empty() && of_sourcetype.is_none() {
            return false;
        }
        self.raw(raw.trim(), cells, rows);
        for (name, value) in mapping.constants(&sourcetype) {
            let slot = self.events.names.iter().position(|wanted| **wanted == *name.as_str());
            if let Some(cell) = slot.and_then(|slot| cells.get_mut(slot)).filter(|cell| cell.is_empty()) {
                *cell = rows.beside(CellForm::Text, value);
            }
        }
        let bytes = Bytes { block, beside: &rows.beside };
        let category = bytes.text(cells.get(self.events.category).copied().unwrap_or_default());
        let table = mapping.table_of_category(&category).or(of_sourcetype);
        self.events.belonging == Belonging::All || table.is_none_or(|table| table == self.events.table)
    }

    /// Reads the event as it was received.
    fn raw(&mut self, text: &str, cells: &mut [Cell], rows: &mut Rows) {
        if text.is_empty() {
            return;
        }
        self.found.clear(cells.len());
        match text.starts_with('{') {
            true => self.json(text, rows),
            false if text.contains("CEF:") => self.cef(text, rows),
            false if self.events.table == w3c::TABLE => self.words(text, rows),
            false => self.pairs(text, rows),
        }
        for (kept, found) in cells.iter_mut().zip(&self.found.cells) {
            if !found.is_empty() {
                *kept = *found;
            }
        }
    }

    fn json(&mut self, text: &str, rows: &mut Rows) {
        let start = rows.beside(CellForm::Text, text).start as usize;
        let layout = Layout { lines: false, early: None, judges: false };
        let found = &mut self.found;
        let outcome = self.keys.walk(&rows.beside, start, layout, &mut found.cells, &mut found.ranks, &mut |_| false);
        match outcome {
            Ok(_) => found.cells.iter_mut().for_each(|cell| cell.beside = true),
            Err(_) => found.clear(found.cells.len()),
        }
    }

    fn cef(&mut self, line: &str, rows: &mut Rows) {
        let Some(parser) = &self.events.cef else { return };
        let start = rows.beside(CellForm::Text, line).start as usize;
        if parser.event(line.as_bytes(), start, &mut self.found.cells, rows).is_none() {
            return self.found.clear(self.found.cells.len());
        }
        let written = |cell: &&mut Cell| cell.form != CellForm::Ticks;
        self.found.cells.iter_mut().filter(written).for_each(|cell| cell.beside = true);
    }

    /// A line of IIS's log without its `#Fields`: those that IIS writes where nobody chose others.
    fn words(&mut self, line: &str, rows: &mut Rows) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        for (column, value) in w3c::default_columns(&words) {
            if let Some(slot) = self.events.names.iter().position(|wanted| **wanted == *column) {
                let form = if w3c::holds_url(&column) { CellForm::Bare } else { CellForm::PlusForBlank };
                self.put(slot, 0, form, &value, rows);
            }
        }
    }

    /// `2026-03-12 14:00:00<tab>action=Blocked<tab>user=…`
    fn pairs(&mut self, line: &str, rows: &mut Rows) {
        if !line.contains('\t') {
            return;
        }
        for part in line.split('\t') {
            let (key, value) = part.split_once('=').unwrap_or(("datetime", part));
            if let Some((slot, rank)) = self.keys.slot(key.as_bytes()) {
                self.put(slot, rank, CellForm::Text, value, rows);
            }
        }
    }

    fn put(&mut self, slot: usize, rank: u8, form: CellForm, value: &str, rows: &mut Rows) {
        let cell = rows.beside(form, value);
        if let (Some(kept), Some(known)) = (self.found.cells.get_mut(slot), self.found.ranks.get_mut(slot))
            && (kept.is_empty() || rank < *known)
        {
            (*kept, *known) = (cell, rank);
        }
    }
}
