//! Queries that take each event by itself: every chunk is answered by its own rows.
use super::chunks::{Chunk, Chunks};
use super::events::{Fields, Tables};
use super::output::{self, Out};
use super::query::Query;
use super::reply::Reply;
use crate::diagnostic::{Fault, Result};
use crate::engine::Prepared;
use crate::exec::{Made, RowWise, Taken};
use crate::plan::{Flow, Morsel, Source, origin};
use crate::read::{Header, Layout, ORDER, Records, SEVERAL};
use crate::types::{Kind, Name};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// Answers the chunks of a search. `keeps`: the result has all fields of the events.
pub fn run(query: &Query, keeps: bool, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
    each_header(
        chunks,
        out,
        |_, _| Ok(()),
        |header, chunk, out| {
            let prepared = query.bind(header)?.ok_or_else(|| Fault::internal("a row-wise query lost its columns"))?;
            let work = Work::new(query, &prepared, keeps, header)?;
            answer_alike(chunks, header, chunk, out, |chunk| {
                let mut reply = work.answer(chunks, chunk)?;
                query.report(&prepared.warnings, &mut reply);
                query.report_bad_rows(work.row_wise.problems(), &mut reply);
                query.report_lacking(header, &mut reply);
                Ok(reply)
            })
        },
    )
}

/// Hands the chunks to `work`, which takes one, and those after it that have the same header; it gives back the first
/// that has another. Chunks without a header are answered here, with what `bare` adds.
pub fn each_header<W: Write>(
    chunks: &Chunks,
    out: &mut W,
    bare: impl Fn(&mut Reply, bool) -> Result<()>,
    work: impl Fn(&Header, Chunk, &mut W) -> Result<Option<Chunk>>,
) -> Result<()> {
    let mut next = chunks.next()?;
    while let Some(chunk) = next {
        next = match chunk.header.clone() {
            Some(header) => work(&header, chunk, out)?,
            None => {
                let mut reply = Reply::to_chunk(chunk.finished);
                bare(&mut reply, chunk.finished)?;
                if super::answered(reply, chunk.finished, out)? { None } else { chunks.next()? }
            }
        };
    }
    Ok(())
}

/// Answers a chunk, and those after it that have the same header.
pub fn answer_alike(
    chunks: &Chunks,
    header: &Header,
    mut chunk: Chunk,
    out: &mut impl Write,
    answer: impl Fn(&mut Chunk) -> Result<Reply>,
) -> Result<Option<Chunk>> {
    loop {
        let reply = answer(&mut chunk)?;
        if super::answered(reply, chunk.finished, out)? {
            return Ok(None);
        }
        match chunks.next()? {
            Some(next) if next.header.as_ref() == Some(header) => chunk = next,
            other => return Ok(other),
        }
    }
}

/// What is done with every chunk under one header.
struct Work<'a> {
    row_wise: RowWise<'a>,
    layouts: Vec<Layout>,
    /// Columns of the result, in order.
    columns: Vec<Place>,
    /// Whether the records are copied as they are, before the columns of the result that they lack.
    copies: bool,
    header: Vec<u8>,
}

/// Where a column of the output comes from.
enum Place {
    /// A slot of the records: the event's own text.
    Own(usize),
    /// A column of the result, and its name.
    Computed(usize, Name),
}

impl<'a> Work<'a> {
    fn new(query: &Query, prepared: &'a Prepared, keeps: bool, header: &Header) -> Result<Work<'a>> {
        let root = prepared.root().ok_or_else(|| Fault::internal("a row-wise query with several results"))?;
        if prepared.flow(root) != Flow::Rows {
            return Err(Fault::internal("a row-wise query lost its shape"));
        }
        let plan = &prepared.plan;
        let tables: Vec<Name> = stream_tables(prepared);
        // What the events lack and may not have is left out of a result that is the event itself.
        let is_left = |name: &Name, origin: &Name| {
            let maps = || tables.iter().any(|table| query.tables.may_hold(table, name, header));
            keeps && name == origin && header.position(origin).is_none() && !maps()
        };
        let skips = |name: &Name, origin: &Name| header.position(origin).is_some() || is_left(name, origin);
        let row_wise = prepared.row_wise(root, &skips)?;
        let is_own = |made: &Made| made.origin.as_ref().is_some_and(|origin| header.position(origin).is_some());
        let copied = |name: &Name| {
            row_wise.columns().iter().any(|made| made.name == *name && made.origin.as_ref() == Some(name))
        };
        let known =
            |name: &Name| query.tables.schema(tables.first().map_or("", |t| t), Fields::Of(header)).contains(name);
        let replaced = |name: &Name| row_wise.columns().iter().any(|made| made.name == *name && !is_own(made));
        let single = row_wise.feeds().count() == 1;
        let copies = keeps && single && header.fields().all(|name| (copied(name) || !known(name)) && !replaced(name));
        let mut work = Work { layouts: Vec::new(), columns: Vec::new(), copies, header: Vec::new(), row_wise };
        let mut own: Vec<Name> = Vec::new();
        let mut named: Vec<(Name, bool)> = Vec::new();
        for (at, made) in work.row_wise.columns().iter().enumerate() {
            match &made.origin {
                Some(origin) if header.position(origin).is_some() => {
                    if !copies {
                        work.columns.push(Place::Own(own.len()));
                        named.push((made.name.clone(), false));
                        own.push(origin.clone());
                        let several: Name = format!("{SEVERAL}{origin}").into();
                        if header.position(&several).is_some() {
                            work.columns.push(Place::Own(own.len()));
                            named.push((format!("{SEVERAL}{}", made.name).into(), false));
                            own.push(several);
                        }
                    }
                }
                Some(_) => {}
                None if origin(plan, root, &made.name).is_some_and(|origin| is_left(&made.name, &origin)) => {}
                None => {
                    work.columns.push(Place::Computed(at, made.name.clone()));
                    named.push((made.name.clone(), made.kind == Kind::Dynamic));
                }
            }
        }
        if keeps && !copies {
            let beside = header.fields().filter(|name| !known(name) && !named.iter().any(|(own, _)| own == *name));
            for name in beside.cloned().collect::<Vec<_>>() {
                work.columns.push(Place::Own(own.len()));
                named.push((name.clone(), false));
                own.push(name);
            }
        }
        if !copies && header.position(ORDER).is_some() {
            work.columns.push(Place::Own(own.len()));
            named.push((ORDER.into(), false));
            own.push(ORDER.into());
        }
        for (source, names) in work.row_wise.feeds() {
            let table = table_of(prepared, source.identity());
            let kinds = names.iter().map(|name| (name.clone(), source.schema().kind(name).unwrap_or(Kind::String)));
            let wanted: Vec<(Name, Kind)> = kinds.chain(own.iter().map(|name| (name.clone(), Kind::String))).collect();
            work.layouts.push(query.tables.layout(&table, header, &wanted));
        }
        work.header = headed(copies, header, &named);
        Ok(work)
    }

    fn answer(&self, chunks: &Chunks, chunk: &mut Chunk) -> Result<Reply> {
        let (started, mut events, mut rows) = (Instant::now(), 0, 0);
        let mut reply = Reply::to_chunk(chunk.finished);
        reply.body.extend_from_slice(&self.header);
        while let Some(piece) = chunks.piece(chunk)? {
            for (feed, layout) in self.layouts.iter().enumerate() {
                let records = Arc::new(layout.read(&piece)?);
                events += records.rows();
                if let Some(taken) = self.row_wise.take(feed, records.clone())? {
                    rows += taken.rows.len();
                    self.write(feed, &records, taken, &mut reply.body);
                }
            }
        }
        reply.metric("huntpack.rows", started.elapsed(), 1, events, rows);
        Ok(reply)
    }

    fn write(&self, feed: usize, records: &Records, taken: Taken, out: &mut Vec<u8>) {
        let first = self.row_wise.feeds().nth(feed).map_or(0, |(_, names)| names.len());
        let mut computed = taken.columns;
        if self.copies && self.columns.is_empty() {
            return records.copy(&taken.rows, out);
        }
        let columns: Vec<Column> = self
            .columns
            .iter()
            .map(|place| match place {
                Place::Own(slot) => Column::Own(first + slot),
                Place::Computed(at, name) => match computed.get_mut(*at).and_then(Option::take) {
                    Some(column) => Column::Computed(Out::new(name, column)),
                    None => Column::Absent,
                },
            })
            .collect();
        for (at, row) in taken.rows.iter().enumerate() {
            if self.copies {
                out.extend_from_slice(records.record(*row));
            }
            for (number, column) in columns.iter().enumerate() {
                if number > 0 || self.copies {
                    out.push(b',');
                }
                match column {
                    Column::Own(slot) => output::text(&records.text(*row, *slot), out),
                    Column::Computed(column) => column.write(at, out),
                    Column::Absent => {}
                }
            }
            out.push(b'\n');
        }
    }
}

/// A column of a piece.
enum Column {
    Own(usize),
    Computed(Out),
    Absent,
}

/// The header of the answers.
fn headed(copies: bool, header: &Header, named: &[(Name, bool)]) -> Vec<u8> {
    let mut out = Vec::new();
    if copies {
        let text = header.text.strip_suffix(b"\n").unwrap_or(&header.text);
        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        out.extend_from_slice(if named.is_empty() { b"" } else { b"," });
    }
    output::header(named, &mut out);
    out
}

/// The tables that streams of a plan are scanned as.
pub fn stream_tables(prepared: &Prepared) -> Vec<Name> {
    use crate::plan::Node;
    let all = prepared.roots.iter().flat_map(|root| prepared.plan.below(*root));
    let scanned = all.filter_map(|id| match prepared.plan.node(id) {
        Node::Scan { name, source } if source.is_stream() => Some(name.clone()),
        _ => None,
    });
    scanned.collect()
}

/// How the records under a header are read as the columns of a stream.
pub fn stream_layout(
    tables: &Tables,
    prepared: &Prepared,
    source: &Arc<dyn Source>,
    names: &[Name],
    header: &Header,
) -> Layout {
    let kind = |name: &Name| source.schema().kind(name).unwrap_or(Kind::String);
    let wanted: Vec<(Name, Kind)> = names.iter().map(|name| (name.clone(), kind(name))).collect();
    tables.layout(&table_of(prepared, source.identity()), header, &wanted)
}

/// The table that a stream is scanned as.
fn table_of(prepared: &Prepared, identity: u64) -> Name {
    use crate::plan::Node;
    let all = prepared.roots.iter().flat_map(|root| prepared.plan.below(*root));
    let found = all.filter_map(|id| match prepared.plan.node(id) {
        Node::Scan { name, source } if source.identity() == identity => Some(name.clone()),
        _ => None,
    });
    found.into_iter().next().unwrap_or_else(|| super::events::EVENTS.into())
}
