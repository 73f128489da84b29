//! What runs on indexers before the search head does the rest: events that the rest needs, with their places, and the
//! states of aggregates.
use super::chunks::{Chunk, Chunks};
use super::events::Tables;
use super::gather::Gatherer;
use super::order::{Clock, PLACE, Places};
use super::output;
use super::reply::{Reply, described};
use super::rows::{answer_alike, each_header, stream_layout};
use super::states::{Part, STATE};
use crate::diagnostic::{Fault, FaultKind, Result};
use crate::engine::Prepared;
use crate::exec::RowWise;
use crate::plan::Passing;
use crate::read::{Header, Layout, Piece};
use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// The queries whose aggregates take in the events here.
pub struct Aggregates<'a> {
    gatherers: Vec<Aggregate<'a>>,
    /// The bytes of states at which they are sent ahead.
    memory: usize,
    clock: Clock,
    events: usize,
    chunks: usize,
    started: Instant,
}

struct Aggregate<'a> {
    rule: String,
    gatherer: Result<Gatherer<'a>>,
    told: bool,
}

impl<'a> Aggregates<'a> {
    /// Of these queries, each with the name of its rule.
    pub fn new(tables: &'a Tables, queries: &'a [(String, Prepared)], memory: usize) -> Aggregates<'a> {
        let aggregate = |(rule, prepared): &'a (String, Prepared)| Aggregate {
            rule: rule.clone(),
            gatherer: Gatherer::new(tables, prepared),
            told: false,
        };
        Aggregates {
            gatherers: queries.iter().map(aggregate).collect(),
            memory,
            clock: Clock::default(),
            events: 0,
            chunks: 0,
            started: Instant::now(),
        }
    }

    fn learn(&mut self, header: &Header) {
        self.clock.learn(header);
        for aggregate in &mut self.gatherers {
            if let Ok(gatherer) = &mut aggregate.gatherer {
                gatherer.learn(header);
            }
        }
    }

    /// A rule that fails does not stop the others: the search head tells its error.
    fn take(&mut self, piece: &Piece, places: &Places) -> Result<()> {
        self.events += piece.records();
        for aggregate in &mut self.gatherers {
            let Ok(gatherer) = &mut aggregate.gatherer else { continue };
            match gatherer.take(piece, Some(places)) {
                Ok(()) => {}
                Err(fault) if is_general(&fault) => return Err(fault),
                Err(fault) => aggregate.gatherer = Err(fault),
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.gatherers.iter().flat_map(|aggregate| &aggregate.gatherer).map(Gatherer::bytes).sum()
    }

    /// The states so far as cells of one field; what was gathered is gone from here.
    fn write(&mut self) -> Result<Vec<String>> {
        let events = std::mem::take(&mut self.events);
        let mut cells = Vec::new();
        for aggregate in &mut self.gatherers {
            let part = |states| Part { events, states, rule: aggregate.rule.clone() }.cells();
            match &mut aggregate.gatherer {
                Ok(gatherer) => cells.extend(gatherer.write()?.into_iter().flat_map(|bytes| part(Ok(bytes)))),
                Err(fault) if !std::mem::replace(&mut aggregate.told, true) => {
                    cells.extend(part(Err(described(fault))))
                }
                Err(_) => {}
            }
        }
        Ok(cells)
    }
}

/// What is wrong with the events, or ends the search: of no rule alone.
fn is_general(fault: &Fault) -> bool {
    fault.kind() == FaultKind::Cancelled || fault.diagnostics().iter().any(|said| said.code == "HP450")
}

/// Answers the chunks of a search. Events stay that pass the first filters of one of the queries that `bind` gives.
pub fn run(
    tables: &Tables,
    aggregates: Aggregates,
    bind: impl Fn(&Header) -> Result<Vec<Prepared>>,
    chunks: &Chunks,
    out: &mut impl Write,
) -> Result<()> {
    let aggregates = RefCell::new(aggregates);
    let bare = |reply: &mut Reply, finished| aggregates.borrow_mut().add_states(&[], finished, reply);
    each_header(chunks, out, bare, |header, chunk, out| {
        let prepared = bind(header)?;
        let filters = Filters::new(tables, &prepared, header)?;
        aggregates.borrow_mut().learn(header);
        answer_alike(chunks, header, chunk, out, |chunk| {
            aggregates.borrow_mut().answer(&filters, header, chunks, chunk)
        })
    })
}

impl Aggregates<'_> {
    fn answer(&mut self, filters: &Filters, header: &Header, chunks: &Chunks, chunk: &mut Chunk) -> Result<Reply> {
        let mut reply = Reply::to_chunk(chunk.finished);
        if chunk.preview {
            chunks.skip(chunk)?;
            return Ok(reply);
        }
        self.chunks += 1;
        let columns = if self.gatherers.is_empty() { &[PLACE][..] } else { &[PLACE, STATE] };
        if !filters.0.is_empty() {
            write_header(header, columns, &mut reply.body);
        }
        while let Some(piece) = chunks.piece(chunk)? {
            let places = self.clock.read(&piece)?;
            filters.keep(&piece, &places, columns.len(), &mut reply.body)?;
            self.take(&piece, &places)?;
        }
        let beside = if filters.0.is_empty() { &[] } else { header.names.as_slice() };
        self.add_states(beside, chunk.finished, &mut reply)?;
        Ok(reply)
    }

    /// Adds the states to the last answer, and to one before it where they hold too much. `beside`: the columns of
    /// events before those of the answer.
    fn add_states(&mut self, beside: &[crate::types::Name], finished: bool, reply: &mut Reply) -> Result<()> {
        if self.gatherers.is_empty() || !(finished || self.bytes() > self.memory) {
            return Ok(());
        }
        if reply.body.is_empty() {
            reply.body.extend_from_slice(format!("{STATE}\n").as_bytes());
        }
        // Behind the columns of events stands the place, which a partial result has not.
        let empty = if beside.is_empty() { 0 } else { beside.len() + 1 };
        let events = self.events;
        for cell in self.write()? {
            reply.body.extend(std::iter::repeat_n(b',', empty));
            output::text(&cell, &mut reply.body);
            reply.body.push(b'\n');
        }
        reply.metric("huntpack.map", self.started.elapsed(), self.chunks, events, 0);
        Ok(())
    }
}

/// The filters that events pass first: an event is kept where one of them holds.
struct Filters<'a>(Vec<(RowWise<'a>, Layout)>);

impl<'a> Filters<'a> {
    fn new(tables: &Tables, queries: &'a [Prepared], header: &Header) -> Result<Filters<'a>> {
        let lost = || Fault::internal("a filter lost its shape");
        let mut filters = Vec::new();
        for prepared in queries {
            let root = prepared.root().ok_or_else(lost)?;
            for node in Passing::new(&prepared.plan).first_filters(root).ok_or_else(lost)? {
                let row_wise = prepared.row_wise(node, &|_, _| true)?;
                let (source, names) = row_wise.feeds().next().ok_or_else(lost)?;
                let layout = stream_layout(tables, prepared, source, names, header);
                filters.push((row_wise, layout));
            }
        }
        Ok(Filters(filters))
    }

    /// Appends the events of a piece that are kept, as they are, each with its place.
    fn keep(&self, piece: &Piece, places: &Places, columns: usize, out: &mut Vec<u8>) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut kept: Vec<u32> = Vec::new();
        for (row_wise, layout) in &self.0 {
            let records = Arc::new(layout.read(piece)?);
            if let Some(taken) = row_wise.take(0, records.clone())? {
                kept.extend(taken.rows.iter().map(|row| records.place(*row)));
            }
        }
        kept.sort_unstable();
        kept.dedup();
        let mut all = places.each();
        for begin in kept {
            let place = all.find(|(own, _)| *own == begin).map_or(0, |(_, place)| place);
            out.extend_from_slice(piece.record(begin));
            out.extend_from_slice(format!(",{place}").as_bytes());
            out.extend(std::iter::repeat_n(b',', columns - 1));
            out.push(b'\n');
        }
        Ok(())
    }
}

/// The header of events with columns behind theirs.
fn write_header(header: &Header, columns: &[&str], out: &mut Vec<u8>) {
    let text = header.text.strip_suffix(b"\n").unwrap_or(&header.text);
    out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
    columns.iter().for_each(|column| out.extend_from_slice(format!(",{column}").as_bytes()));
    out.push(b'\n');
}
