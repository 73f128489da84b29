//! The events of a search: the rows of all tables as one source whose columns are fields.
//!
//! ```text
//!  tables, files ─► parts ─► morsels ─► raw fields ─► extractions ─► aliases ─► calculations ─► columns
//!                            (read)     columns and   (props.conf)   (what sourcetypes are known for)
//!                                       the event's text
//! ```
//!
//! A field is found when a plan asks for it, and no other: of an event's text only the wanted values are told from the
//! rest. Datasets of data models are a view of the same events ([`dataset`]).
mod columns;
mod dataset;
mod discover;
mod kinds;
mod knowledge;
mod models;
mod morsel;
mod part;
mod props;
mod rules;
mod scan;
mod table;
mod time;

pub use knowledge::Knowledge;

use super::Data;
use crate::diagnostic::{Fault, Result};
use crate::plan::{InMemory, Needs, Scan, Source};
use crate::types::{Kind, Name, Schema, Table};
use part::Part;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Fields that every event may have, in front of its own.
pub const TIME: &str = "_time";
const FIRST: [&str; 6] = [TIME, crate::read::RAW, "host", "source", "sourcetype", "index"];

/// The rows of all tables as events.
pub struct Events {
    parts: Vec<Arc<Part>>,
    knowledge: Arc<Knowledge>,
    /// Tells the events of one database from those of another.
    id: u64,
    found: OnceLock<Result<discover::Found>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("parts", &self.parts.len()).field("id", &self.id).finish()
    }
}

impl Events {
    /// The events of tables by their names, one table after the other. `keeps` says that several searches will go over
    /// them.
    pub fn open<'d>(
        tables: impl Iterator<Item = (&'d str, &'d Data)>,
        knowledge: Arc<Knowledge>,
        keeps: bool,
    ) -> Result<Arc<Events>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let opened = tables.map(|(name, data)| Part::open(name, data, keeps)).collect::<Result<Vec<_>>>()?;
        let parts = opened.into_iter().flatten().map(Arc::new).collect();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Events { parts, knowledge, id, found: OnceLock::new() }))
    }

    /// What a look at all events tells; kept for the next search.
    fn found(&self) -> Result<&discover::Found> {
        if self.found.get().is_none() {
            // Others may look at the same time: a thread that waits for its pool takes up other work meanwhile, which
            // must not wait for it.
            let found = discover::look(&self.parts, &self.knowledge);
            let _ = self.found.set(found);
        }
        let lost = || Fault::internal("what was found of the events is gone");
        self.found.get().map_or_else(|| Err(lost()), |found| found.as_ref().map_err(Clone::clone))
    }

    /// Every field that any event has.
    pub fn fields(&self) -> Result<Schema> {
        Ok(self.found()?.fields.clone())
    }

    /// Whether a table has a column for a field that says where events come from.
    pub fn tell(&self, field: &str) -> bool {
        let tells = |part: &Arc<Part>| {
            part.column(field).is_some() || part.beside.is_some() || (field == "source" && !part.name.is_empty())
        };
        self.parts.is_empty() || self.parts.iter().any(tells)
    }

    /// The events as a source with these fields; with all where none are named.
    pub fn source(self: &Arc<Self>, fields: Option<&[Name]>) -> Result<Arc<dyn Source>> {
        if let Some(table) = self.plain_table()? {
            return Ok(InMemory::source(table));
        }
        let schema = match fields {
            Some(fields) => fields.iter().map(|name| (name.clone(), Kind::Field)).collect(),
            None => self.fields()?,
        };
        Ok(Arc::new(EventSource { events: self.clone(), schema }))
    }

    /// The events of a dataset; none where there is no such data model and no event has its fields.
    pub fn dataset(
        self: &Arc<Self>,
        path: &str,
        prefixed: bool,
        fields: Option<&[Name]>,
    ) -> Result<Option<Arc<dyn Source>>> {
        dataset::source(self, path, prefixed, fields)
    }

    /// Whether any event of a part is of a known sourcetype: fewer are looked at than for all fields.
    fn any_known(&self, part: &Arc<Part>) -> Result<bool> {
        match self.found.get() {
            Some(found) => found.as_ref().map(|found| found.any_known).map_err(Clone::clone),
            None => discover::any_known(part, &self.knowledge),
        }
    }

    /// The only table, where all of its columns are fields as they stand: queries share what it has learned.
    fn plain_table(&self) -> Result<Option<Table>> {
        let [only] = self.parts.as_slice() else { return Ok(None) };
        let Some(table) = only.plain_table() else { return Ok(None) };
        let is_plain = !self.knowledge.may_know(only) || !self.any_known(only)?;
        Ok(is_plain.then_some(table))
    }
}

/// Events with chosen fields.
#[derive(Debug)]
struct EventSource {
    events: Arc<Events>,
    schema: Schema,
}

impl Source for EventSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity(&self) -> u64 {
        // Sources of the same events with other fields differ in their nodes' schemas.
        u64::MAX - self.events.id
    }

    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>> {
        scan::events(&self.events, needs)
    }
}
