//! The sink that keeps all rows, and the one that keeps the first.
use super::batch::Batch;
use super::build::Executor;
use super::drive::drive;
use super::pipeline::Pipeline;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, NodeId};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, gather};
use std::sync::atomic::{AtomicUsize, Ordering};

/// All rows of a node that streams, in order.
pub fn run(executor: &Executor, id: NodeId) -> Result<Table> {
    let pipeline = executor.own_pipeline(id)?;
    let schema = executor.schema(id);
    let rows = AtomicUsize::new(0);
    let most = executor.context.limits.rows;
    if let Some(table) = as_it_is(&pipeline, &schema).filter(|table| table.rows() <= most) {
        return Ok(table);
    }
    let in_memory = pipeline.feeds.iter().all(|feed| feed.source.table().is_some());
    let keep = |chunks: &mut Vec<(u64, Chunk)>, batch: Batch| {
        if rows.fetch_add(batch.rows(), Ordering::Relaxed) + batch.rows() > most {
            return Err(Fault::limit("rows", "a step holds too many rows"));
        }
        let first = batch.first_ordinal();
        // Many rows of a table that is in memory anyway: their texts may stay where they are.
        let whole = in_memory && batch.morsel().is_some_and(|morsel| batch.rows() * FEW > morsel.rows());
        chunks.push((first, chunk(&batch, &schema, !whole)?));
        Ok(())
    };
    let chunks = drive(&pipeline, executor.context, executor.options.threads, Vec::new, keep, || false)?;
    Ok(ordered(schema, chunks))
}

/// One row of so many is worth a copy of its texts, which would hold on to those of the others.
const FEW: usize = 16;

/// The table of a pipeline that takes no step, of a table in memory: nothing is moved.
fn as_it_is(pipeline: &Pipeline, schema: &Schema) -> Option<Table> {
    let [feed] = pipeline.feeds.as_slice() else { return None };
    let table = feed.source.table().filter(|_| feed.steps.is_empty() && feed.needs.window.is_none())?;
    let position = |(name, kind): &(Name, Kind)| {
        let at = table.schema().position(name)?;
        (table.schema().kind(name) == Some(*kind)).then_some(at)
    };
    let positions = schema.columns().iter().map(position).collect::<Option<Vec<usize>>>()?;
    let chunk = |(number, chunk): (usize, &Chunk)| {
        let column = |at: &usize| {
            let learned = table.learned(*at).and_then(|learned| learned.form.get()).and_then(Option::as_ref);
            match learned.and_then(|columns| columns.get(number)) {
                Some(column) => Some(Stored::Column(column.clone())),
                None => chunk.columns.get(*at).cloned(),
            }
        };
        Some(Chunk { rows: chunk.rows, columns: positions.iter().map(column).collect::<Option<_>>()? })
    };
    let chunks = table.chunks().iter().enumerate().map(chunk).collect::<Option<Vec<Chunk>>>()?;
    feed.count_source(table.rows());
    pipeline.report(table.problems().iter().cloned());
    Some(Table::new(schema.clone(), chunks))
}

/// The batch as it is kept; `compact` copies texts together, so that they hold on to no others.
pub fn chunk(batch: &Batch, schema: &Schema, compact: bool) -> Result<Chunk> {
    let columns = schema.columns().iter().map(|(name, kind)| {
        let column = batch.column(name)?;
        let column = if column.kind() == *kind { column } else { crate::types::convert::lenient(&column, *kind) };
        Ok(Stored::Column(if compact { gather::compact(column) } else { column }))
    });
    Ok(Chunk { rows: batch.rows(), columns: columns.collect::<Result<_>>()? })
}

/// Chunks of all threads in the order of their rows.
pub fn ordered(schema: Schema, parts: Vec<Vec<(u64, Chunk)>>) -> Table {
    let mut chunks: Vec<(u64, Chunk)> = parts.into_iter().flatten().collect();
    chunks.sort_by_key(|(first, _)| *first);
    Table::new(schema, merged(chunks.into_iter().map(|(_, chunk)| chunk).collect()))
}

/// Chunks are put together where they are small: a step after this one works on thousands of rows at a time.
fn merged(chunks: Vec<Chunk>) -> Vec<Chunk> {
    const SMALL: usize = 4_096;
    let mut out: Vec<Chunk> = Vec::new();
    let mut open: Vec<Chunk> = Vec::new();
    let mut rows = 0;
    for chunk in chunks {
        rows += chunk.rows;
        open.push(chunk);
        if rows >= SMALL {
            out.push(joined(std::mem::take(&mut open)));
            rows = 0;
        }
    }
    if !open.is_empty() {
        out.push(joined(open));
    }
    out
}

fn joined(mut chunks: Vec<Chunk>) -> Chunk {
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    let rows = chunks.iter().map(|c| c.rows).sum();
    let width = chunks.first().map_or(0, |c| c.columns.len());
    let column = |at: usize| {
        let parts = chunks.iter().map(|c| match c.columns.get(at) {
            Some(Stored::Column(column)) => column.clone(),
            _ => Column::nulls(crate::types::Kind::Dynamic, c.rows),
        });
        gather::concat(&parts.collect::<Vec<_>>()).unwrap_or(Column::nulls(crate::types::Kind::Dynamic, 0))
    };
    Chunk { rows, columns: (0..width).map(|at| Stored::Column(column(at))).collect() }
}

/// The first `most` rows: reading ends when they are there.
pub fn take(executor: &Executor, id: NodeId, input: NodeId, most: u64) -> Result<Table> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let pipeline = executor.pipeline(input)?;
    let schema = executor.schema(id);
    // Pieces are taken in order and a piece that was taken is finished: what was read is always a
    // prefix of the rows, so any moment with enough of them will do.
    let rows = AtomicUsize::new(0);
    let enough = || rows.load(Ordering::Relaxed) >= most;
    let live = executor.needed.of(id);
    let keep = |chunks: &mut Vec<(u64, Chunk)>, mut batch: Batch| {
        if batch.rows() > most {
            batch.narrow((0..most as u32).collect(), &|name| live.contains(name));
        }
        let first = batch.first_ordinal();
        chunks.push((first, chunk(&batch, &schema, true)?));
        rows.fetch_add(batch.rows(), Ordering::Relaxed);
        Ok(())
    };
    let chunks = drive(&pipeline, executor.context, executor.options.threads, Vec::new, keep, enough)?;
    Ok(cut(&ordered(schema, chunks), most))
}

/// The first rows of a table.
pub fn cut(table: &Table, most: usize) -> Table {
    if table.rows() <= most {
        return table.clone();
    }
    let rows: Vec<u32> = (0..most as u32).collect();
    let names: Vec<Name> = table.schema().names().cloned().collect();
    let columns = names.into_iter().enumerate().map(|(at, name)| (name, gather::take(&table.column(at), &rows)));
    let columns: Vec<(Name, Column)> = columns.collect();
    match columns.is_empty() {
        true => Table::new(table.schema().clone(), vec![Chunk { rows: most, columns: Vec::new() }]),
        false => Table::from_columns(columns),
    }
}
