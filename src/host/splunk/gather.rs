//! Queries that take the events into aggregates: piece by piece here, or as states that indexers have made.
use super::chunks::{Chunk, Chunks};
use super::events::{EVENTS, Fields};
use super::query::{Query, STATE};
use super::reply::{Level, Reply};
use super::{output, rows};
use crate::diagnostic::{Fault, Result};
use crate::engine::Prepared;
use crate::exec::Gathering;
use crate::plan::{Flow, Morsel, NodeId};
use crate::read::{Header, Layout};
use crate::types::{Kind, Name};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// A mapper with more groups than this sends what it has.
const MOST_GROUPS: usize = 50_000;

/// Takes in all chunks and answers the last one with the result.
pub fn reduce(query: &Query, stable: bool, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
    with_gathering(query, stable, chunks, |prepared, root, mut gathering, mut first| {
        let mut reader = Reader::new(query, prepared);
        let started = Instant::now();
        loop {
            let Some(mut chunk) = first.take().map_or_else(|| chunks.next(), |chunk| Ok(Some(chunk)))? else {
                return Ok(());
            };
            if chunk.preview {
                chunks.skip(&mut chunk)?;
            } else {
                reader.take(chunks, &mut chunk, &mut gathering)?;
            }
            let mut reply = Reply::to_chunk(chunk.finished);
            if !chunk.finished || chunk.preview {
                if super::answered(reply, chunk.finished, out)? {
                    return Ok(());
                }
                continue;
            }
            let run = gathering.finish()?;
            let table = run.tables.first().cloned().unwrap_or_default();
            super::limited(table.rows(), query.settings.max_rows)?;
            query.report(&prepared.warnings, &mut reply);
            if let Some(header) = reader.header.as_ref().filter(|_| reader.states.is_none()) {
                query.report_lacking(header, &mut reply);
            }
            if reader.rows == 0 && reader.events > 0 && reader.states.is_none() {
                query.tables.each().filter(|table| *table != EVENTS).for_each(|table| {
                    reply.say(Level::Warn, query.tables.none_in(table, reader.events));
                });
            }
            if table.rows() == 0 {
                reply
                    .say(Level::Info, format!("no result of {} events\n{}", reader.events, prepared.steps(root, &run)));
            }
            reply.body = output::table(&table);
            reply.metric("huntpack.gather", started.elapsed(), reader.chunks, reader.events, table.rows());
            super::answered(reply, true, out)?;
            return Ok(());
        }
    })
}

/// Takes in chunks on an indexer, and sends the states of all of them with the last.
pub fn map(query: &Query, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
    with_gathering(query, true, chunks, |prepared, _, mut gathering, mut first| {
        let mut reader = Reader::new(query, prepared);
        let started = Instant::now();
        loop {
            let Some(mut chunk) = first.take().map_or_else(|| chunks.next(), |chunk| Ok(Some(chunk)))? else {
                return Ok(());
            };
            let mut reply = Reply::to_chunk(chunk.finished);
            if chunk.preview {
                chunks.skip(&mut chunk)?;
            } else {
                reader.take(chunks, &mut chunk, &mut gathering)?;
                if chunk.finished || gathering.groups() > MOST_GROUPS {
                    reply.body = written(&gathering.write()?);
                }
            }
            if chunk.finished {
                reply.metric("huntpack.map", started.elapsed(), reader.chunks, reader.events, 0);
                query.report(&prepared.warnings, &mut reply);
            }
            if super::answered(reply, chunk.finished, out)? {
                return Ok(());
            }
        }
    })
}

/// States as rows of one field.
fn written(states: &[Vec<u8>]) -> Vec<u8> {
    let mut body = format!("{STATE}\n").into_bytes();
    for state in states {
        body.extend_from_slice(BASE64.encode(state).as_bytes());
        body.push(b'\n');
    }
    body
}

/// Binds the query by the first chunk with a header, and begins to gather.
fn with_gathering(
    query: &Query,
    stable: bool,
    chunks: &Chunks,
    work: impl FnOnce(&Prepared, NodeId, Gathering, Option<Chunk>) -> Result<()>,
) -> Result<()> {
    let Some(chunk) = chunks.next()? else { return Ok(()) };
    let nothing = Header::default();
    let fields = if stable { Fields::Read } else { Fields::Of(chunk.header.as_ref().unwrap_or(&nothing)) };
    let lost = || Fault::internal("a query of aggregates lost its shape");
    let prepared = query.prepare(fields)?.ok_or_else(lost)?;
    let root = prepared.root().ok_or_else(lost)?;
    let Flow::Gathered(nodes) = prepared.flow(root) else { return Err(lost()) };
    let gathering = prepared.gathering(root, &nodes)?;
    work(&prepared, root, gathering, Some(chunk))
}

/// Reads chunks into aggregates.
struct Reader<'a> {
    query: &'a Query,
    prepared: &'a Prepared,
    header: Option<Header>,
    /// For each aggregate and each of its streams, how the records are read.
    layouts: Vec<Vec<Layout>>,
    /// How the field of states is read, where there is one.
    states: Option<Layout>,
    events: usize,
    /// Events that are rows of a table which the query reads.
    rows: usize,
    chunks: usize,
}

impl<'a> Reader<'a> {
    fn new(query: &'a Query, prepared: &'a Prepared) -> Reader<'a> {
        Reader { query, prepared, header: None, layouts: Vec::new(), states: None, events: 0, rows: 0, chunks: 0 }
    }

    fn take(&mut self, chunks: &Chunks, chunk: &mut Chunk, gathering: &mut Gathering) -> Result<()> {
        self.chunks += 1;
        let Some(header) = chunk.header.clone() else { return Ok(()) };
        if self.header.as_ref() != Some(&header) {
            self.learn(&header, gathering);
            self.header = Some(header);
        }
        while let Some(piece) = chunks.piece(chunk)? {
            // Rows without a state are events: indexers need not have done their part.
            if let Some(layout) = &self.states
                && merge(&layout.read(&piece)?, gathering)? > 0
            {
                continue;
            }
            self.events += piece.records();
            for (part, layouts) in self.layouts.iter().enumerate() {
                for (feed, layout) in layouts.iter().enumerate() {
                    let records = Arc::new(layout.read(&piece)?);
                    self.rows += records.rows();
                    gathering.take(part, feed, records)?;
                }
            }
        }
        Ok(())
    }

    fn learn(&mut self, header: &Header, gathering: &Gathering) {
        let wanted = [(Name::from(STATE), Kind::String)];
        self.states = header.position(STATE).map(|_| Layout::new(header, &wanted, None));
        let layout = |(source, names): (&Arc<dyn crate::plan::Source>, &[Name])| {
            let table = rows::tables_of(self.prepared, source.identity());
            let kind = |name: &Name| source.schema().kind(name).unwrap_or(Kind::String);
            let wanted: Vec<(Name, Kind)> = names.iter().map(|name| (name.clone(), kind(name))).collect();
            self.query.tables.layout(&table, header, &wanted)
        };
        self.layouts = gathering.feeds().map(|feeds| feeds.into_iter().map(layout).collect()).collect();
    }
}

/// Takes in the states of a piece, and gives their number.
fn merge(records: &crate::read::Records, gathering: &mut Gathering) -> Result<usize> {
    let mut merged = 0;
    for row in 0..records.rows() {
        let text = records.text(row as u32, 0);
        if text.is_empty() {
            continue;
        }
        let bytes = BASE64.decode(text.as_bytes());
        let bytes =
            bytes.map_err(|_| Fault::data("HP451", "a partial result is not whole, or was not written by huntpack"))?;
        gathering.merge(&bytes)?;
        merged += 1;
    }
    Ok(merged)
}
