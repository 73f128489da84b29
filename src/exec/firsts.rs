//! The first rows of each group: of each batch no others are kept, so that few rows are put in order.
use super::batch::Batch;
use super::build::Executor;
use super::collect;
use super::drive::drive;
use super::group::Grouper;
use super::sort::{self, Order};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, NodeId};
use crate::functions::Context;
use crate::plan::FirstRows;
use crate::types::{Chunk, Column, Kind, Table};
use std::time::Instant;

/// The rows of a node among which the first of each group are, in its order.
pub fn run(executor: &Executor, input: NodeId, first: &FirstRows) -> Result<Table> {
    let (order, below) = executor.order(input)?;
    let is_sorted = below != input;
    let schema = executor.schema(below);
    let has_keys = first.keys.iter().all(|name| schema.contains(name));
    if !has_keys || executor.options.trace || executor.knows(input) || executor.readers_of(input) > 1 {
        return executor.table(input);
    }
    let started = Instant::now();
    let (pipeline, context) = (executor.pipeline(below)?, executor.context);
    let live = executor.needed.of(below);
    let make = || Firsts { grouper: Grouper::new(&vec![Kind::Field; first.keys.len()]), chunks: Vec::new() };
    let keep = |firsts: &mut Firsts, mut batch: Batch| {
        let rows = firsts.of(&batch, first, is_sorted.then_some(&order), context)?;
        if rows.len() < batch.rows() {
            batch.narrow(rows, &|name| live.contains(name));
        }
        if batch.rows() > 0 {
            firsts.chunks.push((batch.first_ordinal(), collect::chunk(&batch, &schema, false)?));
        }
        Ok(())
    };
    let parts = drive(&pipeline, context, executor.options.threads, make, keep, || false)?;
    let table = collect::ordered(schema.clone(), parts.into_iter().map(|firsts| firsts.chunks).collect());
    let sorted = match is_sorted {
        true => sort::run(&table, &order, None, &executor.schema(input), context)?,
        false => table,
    };
    executor.counter(input).add(sorted.rows(), started);
    Ok(sorted)
}

/// What a thread keeps.
struct Firsts {
    grouper: Grouper,
    chunks: Vec<(u64, Chunk)>,
}

impl Firsts {
    /// The rows of a batch that are the first of their group in it, ascending.
    fn of(&mut self, batch: &Batch, first: &FirstRows, order: Option<&Order>, context: &Context) -> Result<Vec<u32>> {
        let keys = first.keys.iter().map(|name| batch.column(name)).collect::<Result<Vec<Column>>>()?;
        let groups = self.grouper.groups(&keys, batch.rows());
        if self.grouper.len() > context.limits.rows {
            return Err(Fault::limit("rows", "a step holds too many rows"));
        }
        let mut counts = vec![0u32; self.grouper.len()];
        let mut is_among_first = |row: &u32| {
            let count = groups.get(*row as usize).and_then(|group| counts.get_mut(*group as usize));
            count.is_some_and(|count| {
                *count += 1;
                *count <= first.count
            })
        };
        let mut rows = match order {
            Some(order) => sort::in_order(batch, order, context)?,
            None => (0..batch.rows() as u32).collect(),
        };
        rows.retain(|row| is_among_first(row));
        rows.sort_unstable();
        Ok(rows)
    }
}
