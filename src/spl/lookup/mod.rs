//! Events enriched from a lookup: which of its rows an event takes, and what they give.
mod computed;
mod index;
mod time;

pub use computed::{Compute, Computed};
use index::Index;
use time::Times;

use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::{Matching, TableOperation};
use crate::types::field::{self, FieldBuilder};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows between two looks at the clock.
const STRETCH: usize = 4096;
/// Combinations of the values of fields with several values that are looked up for one event.
const MOST_COMBINATIONS: usize = 1000;

/// A field of the lookup and the event's field that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub lookup: Name,
    pub event: Name,
}

/// `lookup`: the second table's rows are the lookup's.
#[derive(Debug)]
pub struct Enrich {
    pub keys: Vec<Pair>,
    pub outputs: Vec<Pair>,
    /// Whether a value that an event has is kept.
    pub keeps: bool,
    pub matching: Matching,
    /// The event's field with its time, for lookups whose rows have one.
    pub time: Name,
    /// The fields of the result.
    pub schema: Schema,
}

impl TableOperation for Enrich {
    fn name(&self) -> &str {
        "lookup"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [events, lookup] = inputs else { return Ok(Table::default()) };
        let found = self.found(context, events, lookup)?;
        let column = |name: &Name| match self.outputs.iter().find(|pair| pair.event == *name) {
            Some(pair) => self.output(pair, &found, events, lookup),
            None => events.column_named(name).unwrap_or_else(|| absent(events.rows())),
        };
        let columns = self.schema.names().map(|name| Stored::Column(column(name))).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: events.rows(), columns }]))
    }

    fn reads(&self, at: usize) -> Option<Vec<Name>> {
        let time = self.matching.time.iter().map(|bound| &bound.field);
        let names = self.keys.iter().chain(&self.outputs).map(|pair| &pair.lookup).chain(time);
        (at == 1).then(|| names.cloned().collect())
    }
}

fn absent(rows: usize) -> Column {
    let mut builder = FieldBuilder::new(None, rows);
    (0..rows).for_each(|_| builder.push_null());
    builder.finish()
}

/// For each event the rows of the lookup that it takes; none for an event that lacks a field to look up.
type Found = Vec<Option<Arc<[u32]>>>;

impl Enrich {
    fn found(&self, context: &Context, events: &Table, lookup: &Table) -> Result<Found> {
        let fields: Vec<(Name, Column)> = self
            .keys
            .iter()
            .map(|pair| {
                (pair.lookup.clone(), lookup.column_named(&pair.lookup).unwrap_or_else(|| absent(lookup.rows())))
            })
            .collect();
        let index = Index::new(&fields, &self.matching);
        let keys: Vec<Column> = self
            .keys
            .iter()
            .map(|pair| events.column_named(&pair.event).unwrap_or_else(|| absent(events.rows())))
            .collect();
        let times = self.matching.time.as_ref().map(|bound| Times::new(bound, context, lookup, events, &self.time));
        // The same values are looked up once.
        let mut known: HashMap<Vec<Vec<String>>, Arc<[u32]>> = HashMap::new();
        let mut found = Vec::with_capacity(events.rows());
        for row in 0..events.rows() {
            if row % STRETCH == 0 {
                context.check()?;
            }
            let values: Vec<Vec<String>> =
                keys.iter().map(|key| field::values(key, row).map(|value| value.into_owned()).collect()).collect();
            if values.iter().any(Vec::is_empty) {
                found.push(None);
                continue;
            }
            let rows = match known.get(&values) {
                Some(rows) => rows.clone(),
                None => {
                    let rows: Arc<[u32]> = self.rows_of(&index, &values).into();
                    known.insert(values, rows.clone());
                    rows
                }
            };
            found.push(Some(match &times {
                Some(times) => times.of_event(row, &rows).into_iter().take(self.matching.max_matches).collect(),
                None => rows,
            }));
        }
        Ok(found)
    }

    /// The rows that values take: of a field with several values, those of each.
    fn rows_of(&self, index: &Index, values: &[Vec<String>]) -> Vec<u32> {
        // Of rows with a time those count that fit the event.
        let most = if self.matching.time.is_some() { usize::MAX } else { self.matching.max_matches };
        let mut rows = Vec::new();
        for combination in combinations(values) {
            rows.extend(index.find(&combination).into_iter().take(most));
        }
        rows
    }

    fn output(&self, pair: &Pair, found: &Found, events: &Table, lookup: &Table) -> Column {
        let cells = lookup.column_named(&pair.lookup).unwrap_or_else(|| absent(lookup.rows()));
        let old = events.column_named(&pair.event).unwrap_or_else(|| absent(events.rows()));
        let mut builder = FieldBuilder::new(Some(&cells), events.rows());
        for (row, rows) in found.iter().enumerate() {
            match rows {
                Some(rows) if !(self.keeps && field::count(&old, row) > 0) => {
                    builder.push_several(self.values(&cells, rows));
                }
                _ => builder.push_row(&old, row),
            }
        }
        builder.finish()
    }

    /// The values of a column in the rows that were found, filled up by the default.
    fn values(&self, cells: &Column, rows: &[u32]) -> Vec<String> {
        let found = rows.iter().flat_map(|row| field::values(cells, *row as usize));
        let mut values: Vec<String> = found.map(|value| value.into_owned()).collect();
        if !self.matching.default_match.is_empty() {
            let missing = self.matching.min_matches.saturating_sub(rows.len());
            values.extend(std::iter::repeat_n(self.matching.default_match.clone(), missing));
        }
        values
    }
}

/// Every choice of one value of each field.
fn combinations(values: &[Vec<String>]) -> Vec<Vec<&str>> {
    let mut found: Vec<Vec<&str>> = vec![Vec::new()];
    for choices in values {
        let extended = found.iter().flat_map(|chosen| {
            choices.iter().map(|value| {
                let mut chosen = chosen.clone();
                chosen.push(value.as_str());
                chosen
            })
        });
        found = extended.take(MOST_COMBINATIONS).collect();
    }
    found
}

/// The schema of events with further fields.
pub fn with_fields<'a>(schema: &Schema, names: impl Iterator<Item = &'a Name>) -> Schema {
    let mut schema = schema.clone();
    names.for_each(|name| schema.set(name.clone(), Kind::Field));
    schema
}
