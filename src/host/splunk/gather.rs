//! Queries that take the events into aggregates: piece by piece here, or as states that indexers have made.
use super::chunks::Chunks;
use super::events::{EVENTS, Fields, Tables};
use super::order::Places;
use super::output;
use super::query::Query;
use super::reply::{Level, Reply};
use super::rows::{stream_layout, stream_tables};
use super::states::{Marks, Part, Parts};
use crate::diagnostic::{Fault, Result};
use crate::engine::Prepared;
use crate::exec::{Gathering, GroupOrder, Run};
use crate::plan::{Flow, Morsel, NodeId, Source};
use crate::read::{Header, Layout, Piece};
use crate::types::Name;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// Takes in all chunks and answers the last one with the result.
pub fn reduce(query: &Query, stable: bool, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
    let Some(mut chunk) = chunks.next()? else { return Ok(()) };
    let nothing = Header::default();
    let fields = if stable { Fields::Read } else { Fields::Of(chunk.header.as_ref().unwrap_or(&nothing)) };
    let prepared = query.prepare(fields)?.ok_or_else(lost)?;
    let started = Instant::now();
    let mut intake = Intake {
        gatherer: Gatherer::new(&query.tables, &prepared)?,
        header: None,
        marks: None,
        parts: Parts::default(),
        cells: 0,
        chunks: 0,
    };
    loop {
        if chunk.preview {
            chunks.skip(&mut chunk)?;
        } else {
            intake.take(chunks, &mut chunk)?;
        }
        if chunk.finished && !chunk.preview {
            break;
        }
        if super::answered(Reply::to_chunk(chunk.finished), chunk.finished, out)? {
            return Ok(());
        }
        chunk = match chunks.next()? {
            Some(next) => next,
            None => return Ok(()),
        };
    }
    let mut reply = Reply::to_chunk(true);
    let Intake { gatherer, header, parts, cells, chunks, .. } = intake;
    parts.finish()?;
    let events = gatherer.events;
    query.report(&prepared.warnings, &mut reply);
    if let Some(header) = header.filter(|_| cells == 0) {
        query.report_lacking(&header, &mut reply);
    }
    if gatherer.rows == 0 && events > 0 {
        gatherer.report_no_rows(&mut reply);
    }
    let (root, run) = gatherer.finish(GroupOrder::Keys)?;
    query.report_bad_rows(&run.problems, &mut reply);
    let table = run.tables.first().cloned().unwrap_or_default();
    super::limited(table.rows(), query.settings.max_rows)?;
    if table.rows() == 0 {
        reply.say(Level::Info, format!("no result of {events} events\n{}", prepared.steps(root, &run)));
    }
    reply.body = output::table(&table);
    reply.metric("huntpack.gather", started.elapsed(), chunks, events, table.rows());
    super::answered(reply, true, out)?;
    Ok(())
}

fn lost() -> Fault {
    Fault::internal("a query of aggregates lost its shape")
}

/// Reads the chunks of a search head into a query.
struct Intake<'a> {
    gatherer: Gatherer<'a>,
    header: Option<Header>,
    marks: Option<Marks>,
    parts: Parts,
    /// Cells of partial results so far.
    cells: usize,
    chunks: usize,
}

impl Intake<'_> {
    fn take(&mut self, chunks: &Chunks, chunk: &mut super::chunks::Chunk) -> Result<()> {
        self.chunks += 1;
        let Some(header) = chunk.header.clone() else { return Ok(()) };
        if self.header.as_ref() != Some(&header) {
            self.gatherer.learn(&header);
            self.marks = Marks::new(&header);
            self.header = Some(header);
        }
        while let Some(piece) = chunks.piece(chunk)? {
            let marked = self.marks.as_ref().map(|marks| marks.read(&piece)).transpose()?.unwrap_or_default();
            if marked.cells.is_empty() {
                // Rows that are no partial results are events: indexers need not have done their part.
                self.gatherer.count(&piece);
                self.gatherer.take(&piece, None)?;
                continue;
            }
            if marked.events > 0 {
                return Err(mixed());
            }
            self.cells += marked.cells.len();
            for cell in &marked.cells {
                self.parts.take(cell)?.map_or(Ok(()), |part| self.gatherer.merge(part))?;
            }
        }
        Ok(())
    }
}

/// What is said where a part of the indexers has sent events instead of partial results.
pub fn mixed() -> Fault {
    Fault::data("HP452", "some indexers have sent partial results, and others events")
        .help("install the same version of the app everywhere, or run the search with map=false")
}

/// A query's aggregates, and how they read events.
pub struct Gatherer<'a> {
    tables: &'a Tables,
    prepared: &'a Prepared,
    root: NodeId,
    gathering: Gathering<'a>,
    /// Whether the order of events can show in the result.
    ordered: bool,
    /// For each aggregate and each of its streams, how the records are read.
    layouts: Vec<Vec<Layout>>,
    /// Events that were looked at, here or elsewhere.
    pub events: usize,
    /// Events that are rows of a table which the query reads.
    pub rows: usize,
}

impl<'a> Gatherer<'a> {
    pub fn new(tables: &'a Tables, prepared: &'a Prepared) -> Result<Gatherer<'a>> {
        let root = prepared.root().ok_or_else(lost)?;
        let Flow::Gathered(nodes) = prepared.flow(root) else { return Err(lost()) };
        let gathering = prepared.gathering(root, &nodes)?;
        let ordered = prepared.is_ordered(&nodes);
        Ok(Gatherer { tables, prepared, root, gathering, ordered, layouts: Vec::new(), events: 0, rows: 0 })
    }

    /// Makes ready for the events under a header.
    pub fn learn(&mut self, header: &Header) {
        let layout = |(source, names): (&Arc<dyn Source>, &[Name])| {
            stream_layout(self.tables, self.prepared, source, names, header)
        };
        self.layouts = self.gathering.feeds().map(|feeds| feeds.into_iter().map(layout).collect()).collect();
    }

    pub fn count(&mut self, piece: &Piece) {
        self.events += piece.records();
    }

    /// Takes in events, which have places where others are taken in elsewhere.
    pub fn take(&mut self, piece: &Piece, places: Option<&Places>) -> Result<()> {
        let places = places.filter(|_| self.ordered);
        for (part, layouts) in self.layouts.iter().enumerate() {
            for (feed, layout) in layouts.iter().enumerate() {
                let records = Arc::new(layout.read(piece)?);
                self.rows += records.rows();
                let places = places.map(|places| places.of(&records));
                self.gathering.take(part, feed, records, places)?;
            }
        }
        Ok(())
    }

    /// Says why none of the events is a row of the query's tables.
    pub fn report_no_rows(&self, reply: &mut Reply) {
        for table in stream_tables(self.prepared).iter().filter(|table| ***table != *EVENTS) {
            reply.say(Level::Warn, self.tables.none_in(table, self.events));
        }
    }

    pub fn bytes(&self) -> usize {
        self.gathering.bytes()
    }

    /// The states so far; what was gathered is gone from here.
    pub fn write(&mut self) -> Result<Vec<Vec<u8>>> {
        self.gathering.write()
    }

    /// Takes in what another process has gathered.
    pub fn merge(&mut self, part: Part) -> Result<()> {
        self.events += part.events;
        match part.states {
            Ok(bytes) => {
                self.rows += self.gathering.merge(&bytes)?;
                Ok(())
            }
            Err(reason) => Err(Fault::data("HP454", reason)),
        }
    }

    pub fn finish(self, order: GroupOrder) -> Result<(NodeId, Run)> {
        Ok((self.root, self.gathering.finish(order)?))
    }
}
