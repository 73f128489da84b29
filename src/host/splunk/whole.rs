//! Queries that need all events at once: the columns that they read are kept until the last chunk.
use super::chunks::{Chunk, Chunks};
use super::events::{Fields, Tables};
use super::order::PLACE;
use super::output;
use super::query::Query;
use super::reply::{Level, Reply};
use super::states::{Marks, Part, Parts};
use crate::diagnostic::{Fault, Result};
use crate::engine::{self, Answer, Data, Database, Held, Now, Options, Prepared};
use crate::exec;
use crate::plan::Morsel;
use crate::read::{Header, Layout};
use crate::types::{self, Kind, Name, Schema, Stored, Table, gather};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Instant;

/// Takes in all chunks and answers the last one with the result.
pub fn run(query: &Query, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
    let started = Instant::now();
    let wanted = |header: &Header| wanted_columns(query, header);
    let memory = query.options.limits.memory;
    let foreign = |_| Err(exec::states_of_another());
    let Some(kept) = keep(&query.tables, memory, wanted, chunks, out, foreign)? else { return Ok(()) };
    let mut reply = Reply::to_chunk(true);
    let answer = answered(query, &kept, false)?;
    let table = answer.tables.first().cloned().unwrap_or_default();
    super::limited(table.rows(), query.settings.max_rows)?;
    query.report(&answer.warnings, &mut reply);
    query.report_bad_rows(&answer.problems, &mut reply);
    kept.report(&query.tables, &mut reply);
    if let Some(header) = &kept.header {
        query.report_lacking(header, &mut reply);
    }
    if answer.tables.len() > 1 {
        reply.say(Level::Warn, "the query has several results: the first one is shown");
    }
    if table.rows() == 0 {
        let traced = answered(query, &kept, true)?;
        reply.say(Level::Info, format!("no result of {} events\n{}", kept.events, traced.steps));
    }
    reply.body = output::table(&table);
    reply.metric("huntpack.run", started.elapsed(), kept.chunks, kept.events, table.rows());
    super::answered(reply, true, out)?;
    Ok(())
}

fn answered(query: &Query, kept: &Kept, trace: bool) -> Result<Answer> {
    let mut database = query.database();
    kept.add_to(&mut database);
    engine::query(&query.source, &database, &Options { trace, ..query.options.clone() })
}

/// The columns of each table that the query reads, under a header.
fn wanted_columns(query: &Query, header: &Header) -> Result<BTreeMap<String, Schema>> {
    let fields = Fields::Of(header);
    let mut wanted = BTreeMap::new();
    match query.prepare(fields)? {
        Some(prepared) => add_read(&prepared, &mut wanted),
        None => wanted.extend(query.tables.each().map(|table| (table.to_owned(), query.tables.schema(table, fields)))),
    }
    for table in query.tables.each() {
        // A table without rows has its columns all the same.
        let columns: &mut Schema = wanted.entry(table.to_owned()).or_default();
        if query.options.now == Now::Latest {
            columns.set("TimeGenerated".into(), Kind::DateTime);
        }
    }
    Ok(wanted)
}

/// Adds the columns that a bound query reads.
pub fn add_read(prepared: &Prepared, wanted: &mut BTreeMap<String, Schema>) {
    for root in &prepared.roots {
        for (table, columns) in exec::streams_read(&prepared.plan, *root, |_| true) {
            let own = wanted.entry(table.to_string()).or_default();
            columns.into_iter().for_each(|(name, kind)| own.set(name, kind));
        }
    }
}

/// Events that are kept, as tables.
pub struct Kept {
    tables: Vec<Collected>,
    /// The last header, and how partial results under it are found.
    header: Option<Header>,
    marks: Option<Marks>,
    parts: Parts,
    pub events: usize,
    pub chunks: usize,
}

/// The rows of one table.
struct Collected {
    name: String,
    schema: Schema,
    rows: Vec<types::Chunk>,
    layout: Option<Layout>,
}

impl Collected {
    /// The rows in the order of their places, where they have such: those of several indexers come in any order.
    fn in_order(&self) -> Table {
        let table = Table::new(self.schema.clone(), self.rows.clone());
        let Some(places) = table.column_named(PLACE) else { return table };
        let place = |row: &u32| places.value(*row as usize).as_long().unwrap_or(i64::MAX);
        let mut order: Vec<u32> = (0..table.rows() as u32).collect();
        if order.is_sorted_by_key(place) {
            return table;
        }
        order.sort_by_cached_key(place);
        let names = self.schema.names().enumerate();
        Table::from_columns(names.map(|(at, name)| (name.clone(), gather::take(&table.column(at), &order))).collect())
    }

    fn is_placed(&self) -> bool {
        let Some(at) = self.schema.position(PLACE) else { return false };
        self.rows.iter().any(|chunk| {
            let column = chunk.load(at, Kind::Long, None);
            (0..chunk.rows).any(|row| !column.is_null(row))
        })
    }
}

impl Kept {
    pub fn add_to(&self, database: &mut Database) {
        for table in &self.tables {
            let rows = table.in_order();
            database.add_table(&table.name, Data::Table(Held::new(rows).into()));
        }
    }

    /// Whether indexers have left out events that nothing needs.
    pub fn is_filtered(&self) -> bool {
        self.header.as_ref().is_some_and(|header| header.position(PLACE).is_some())
            && self.tables.iter().any(Collected::is_placed)
    }

    /// Says of tables without a row why none of the events is in them.
    pub fn report(&self, tables: &Tables, reply: &mut Reply) {
        let is_empty = |table: &&Collected| !table.schema.is_empty() && table.rows.iter().all(|chunk| chunk.rows == 0);
        for table in self.tables.iter().filter(is_empty).filter(|_| self.events > 0 && !self.is_filtered()) {
            reply.say(Level::Warn, tables.none_in(&table.name, self.events));
        }
    }
}

/// Keeps what `wanted` names of all chunks, and answers all but the last; none where the input has ended early.
/// `merge` takes in the partial results among the rows.
pub fn keep(
    tables: &Tables,
    memory: usize,
    wanted: impl Fn(&Header) -> Result<BTreeMap<String, Schema>>,
    chunks: &Chunks,
    out: &mut impl Write,
    mut merge: impl FnMut(Part) -> Result<()>,
) -> Result<Option<Kept>> {
    let mut kept =
        Kept { tables: Vec::new(), header: None, marks: None, parts: Parts::default(), events: 0, chunks: 0 };
    let mut held = 0;
    while let Some(mut chunk) = chunks.next()? {
        kept.chunks += 1;
        if chunk.preview {
            chunks.skip(&mut chunk)?;
        } else if let Some(own) = chunk.header.clone() {
            if kept.header.as_ref() != Some(&own) {
                kept.learn(tables, &own, wanted(&own)?);
                kept.header = Some(own);
            }
            held += kept.take(chunks, &mut chunk, &mut merge)?;
            if held > memory {
                return Err(too_many(memory));
            }
        } else if kept.header.is_none() && chunk.finished {
            let nothing = Header::default();
            kept.learn(tables, &nothing, wanted(&nothing)?);
        }
        if chunk.finished && !chunk.preview {
            kept.parts.finish()?;
            return Ok(Some(kept));
        }
        if super::answered(Reply::to_chunk(chunk.finished), chunk.finished, out)? {
            return Ok(None);
        }
    }
    Ok(None)
}

fn too_many(memory: usize) -> Fault {
    let megabytes = memory >> 20;
    Fault::data("HP300", format!("the events do not fit into {megabytes} MB, and the query needs all of them at once"))
        .help("filter them before, shorten the time range, or raise `memory_mb` in local/huntpack.conf")
}

impl Kept {
    /// Makes ready for the records under a header.
    fn learn(&mut self, tables: &Tables, header: &Header, wanted: BTreeMap<String, Schema>) {
        self.marks = Marks::new(header);
        for (name, schema) in wanted {
            let at = self.tables.iter().position(|table| table.name == name).unwrap_or_else(|| {
                self.tables.push(Collected { name, schema: Schema::default(), rows: Vec::new(), layout: None });
                self.tables.len() - 1
            });
            let table = &mut self.tables[at];
            schema.columns().iter().for_each(|(name, kind)| table.schema.set(name.clone(), *kind));
            if header.position(PLACE).is_some() {
                table.schema.set(PLACE.into(), Kind::Long);
            }
            let columns: Vec<(Name, Kind)> = table.schema.columns().to_vec();
            table.layout = Some(tables.layout(&table.name, header, &columns));
        }
    }

    /// Takes in a chunk; returns about how many bytes are held for it.
    fn take(
        &mut self,
        chunks: &Chunks,
        chunk: &mut Chunk,
        merge: &mut impl FnMut(Part) -> Result<()>,
    ) -> Result<usize> {
        let mut bytes = 0;
        while let Some(piece) = chunks.piece(chunk)? {
            let marked = self.marks.as_ref().map(|marks| marks.read(&piece)).transpose()?;
            for cell in marked.iter().flat_map(|marked| &marked.cells) {
                self.parts.take(cell)?.map_or(Ok(()), &mut *merge)?;
            }
            for table in &mut self.tables {
                let Some(layout) = &table.layout else { continue };
                let records = layout.read(&piece)?;
                let chosen = marked.as_ref().and_then(|marked| marked.others(&records));
                let column = |at| records.column(at, chosen.as_deref()).map(gather::compact);
                let columns = (0..table.schema.len()).map(column).collect::<Result<Vec<_>>>()?;
                bytes += columns.iter().map(gather::held_bytes).sum::<usize>();
                let columns = columns.into_iter().map(Stored::Column).collect();
                let rows = chosen.map_or(records.rows(), |chosen| chosen.len());
                table.rows.push(types::Chunk { rows, columns });
            }
            self.events += marked.map_or_else(|| piece.records(), |marked| marked.events);
        }
        Ok(bytes)
    }
}
