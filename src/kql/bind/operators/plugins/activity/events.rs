//! Events in order of time, by the combinations of their dimensions, and the rows that are reported of them.
use super::super::combinations::Combinations;
use super::bins::{Axis, Bins};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::intern::Interner;
use crate::types::{Builder, Chunk, Column, Schema, Stored, Table, Value};
use std::collections::HashSet;

/// Somebody did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: i128,
    /// The id's number; [`crate::types::intern::NULL`] for null.
    pub id: u32,
}

/// The events of each slice, in order of time; those without a time are left out.
pub struct Events {
    dimensions: Vec<Column>,
    combinations: Combinations,
    slices: Vec<Vec<Event>>,
    /// Ids that were seen before, by another table.
    pub known: HashSet<u32>,
}

impl Events {
    pub fn of(
        axis: Axis,
        ids: &Column,
        times: &Column,
        known: Option<&Column>,
        dimensions: Vec<Column>,
        context: &Context,
    ) -> Result<Events> {
        let combinations = Combinations::of(&dimensions, ids.len());
        let mut slices: Vec<Vec<Event>> = vec![Vec::new(); combinations.len()];
        let mut interner = Interner::new(ids.kind());
        let numbers = interner.numbers(ids);
        for ((row, id), slice) in numbers.into_iter().enumerate().zip(&combinations.of_rows) {
            let (Some(at), Some(slice)) = (axis.of(&times.value(row)), slices.get_mut(*slice as usize)) else {
                continue;
            };
            slice.push(Event { at, id });
        }
        context.check()?;
        slices.iter_mut().for_each(|slice| slice.sort_by_key(|event| event.at));
        let known = known.map(|ids| interner.numbers(ids).into_iter().collect()).unwrap_or_default();
        Ok(Events { dimensions, combinations, slices, known })
    }

    /// Each slice's number and events.
    pub fn slices(&self) -> impl Iterator<Item = (u32, &[Event])> {
        (0u32..).zip(self.slices.iter().map(Vec::as_slice))
    }

    /// The first and the last time.
    pub fn ends(&self) -> Option<(i128, i128)> {
        let first = self.slices.iter().filter_map(|slice| slice.first()).map(|event| event.at).min();
        let last = self.slices.iter().filter_map(|slice| slice.last()).map(|event| event.at).max();
        first.zip(last)
    }
}

/// The events between two points, both of which count.
pub fn between(events: &[Event], first: i128, last: i128) -> &[Event] {
    let from = events.partition_point(|event| event.at < first);
    let to = events.partition_point(|event| event.at <= last);
    events.get(from..to).unwrap_or_default()
}

/// The events inside the bins, bin by bin.
pub fn by_bin<'e>(events: &'e [Event], bins: &Bins) -> impl Iterator<Item = (i64, &'e [Event])> {
    let inside = between(events, bins.start, bins.end);
    let chunks = inside.chunk_by(|a, b| bins.bin(a.at) == bins.bin(b.at));
    chunks.filter_map(|chunk| Some((bins.bin(chunk.first()?.at), chunk)))
}

/// The rows of a result: points of the timeline, a slice, measures.
pub struct Report<'c> {
    axis: Axis,
    schema: Schema,
    context: &'c Context,
    times: Vec<Builder>,
    slices: Vec<u32>,
    measures: Vec<Builder>,
}

impl<'c> Report<'c> {
    /// The first `times` columns of the schema are points of the timeline; what is no dimension comes last.
    pub fn new(axis: Axis, schema: &Schema, times: usize, context: &'c Context) -> Report<'c> {
        let times = (0..times).map(|_| Builder::new(axis.0, 0)).collect();
        Report { axis, schema: schema.clone(), context, times, slices: Vec::new(), measures: Vec::new() }
    }

    pub fn row(&mut self, times: &[i128], slice: u32, measures: &[Value]) -> Result<()> {
        if self.slices.len() >= self.context.limits.rows {
            return Err(Fault::limit("rows", "the plugin gives too many rows"));
        }
        if self.slices.len().is_multiple_of(1024) {
            self.context.check()?;
        }
        if self.measures.is_empty() {
            self.measures = measures.iter().map(|value| Builder::new(value.kind(), 0)).collect();
        }
        self.times.iter_mut().zip(times).for_each(|(builder, at)| builder.push(&self.axis.value(*at)));
        self.measures.iter_mut().zip(measures).for_each(|(builder, value)| builder.push(value));
        self.slices.push(slice);
        Ok(())
    }

    pub fn finish(self, events: &Events) -> Table {
        let rows = self.slices.len();
        if rows == 0 {
            return Table::from_rows(self.schema, &[]);
        }
        let dimensions = events.dimensions.iter().map(|column| events.combinations.values(column, &self.slices));
        let built = |builders: Vec<Builder>| builders.into_iter().map(Builder::finish);
        let columns = built(self.times).chain(dimensions).chain(built(self.measures));
        let columns = columns.map(Stored::Column).collect();
        Table::new(self.schema, vec![Chunk { rows, columns }])
    }
}
