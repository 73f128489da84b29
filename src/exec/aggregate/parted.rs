//! Groups in parts, by the hashes of their keys.
//!
//! Where nearly every row has a key of its own, one table of all keys is looked into far outside of the processor's
//! caches, row by row. The table of a part fits them, and the parts are worked on side by side. Which group a row
//! belongs to, and the order of groups, are the same either way.
use super::super::batch::{Batch, Columns};
use super::super::collect;
use super::super::drive::{ROW_BITS, each};
use super::super::group::Grouper;
use super::super::pipeline::Step;
use super::{Groups, Second, Summary, by_first_row, finished, most_held, named, survivors, within_limit};
use crate::diagnostic::Result;
use crate::expr::{Expr, Input, evaluate};
use crate::functions::Context;
use crate::plan::AggregateCall;
use crate::types::distribute::distribute;
use crate::types::key_hash::{KeyHasher, PARTS, by_part};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, Text, gather};
use arrow_array::Array;
use arrow_buffer::ScalarBuffer;
use std::ops::Range;
use std::sync::OnceLock;

/// A thread lets the rows of so many batches wait until they say how many groups there will be.
const WAITING_BATCHES: usize = 4;
/// So many rows are asked.
const SAMPLE: usize = 32_768;

/// A thread lets no more rows wait.
fn most_waiting(context: &Context) -> usize {
    context.limits.morsel_rows.saturating_mul(3) / 2
}

/// The table of so many keys is larger than the caches of a processor's core, where morsels are as long as they usually
/// are.
fn many(context: &Context) -> f64 {
    3.0 * context.limits.morsel_rows as f64
}

/// How the rows of all threads are grouped, which the first rows decide.
pub struct Way<'a> {
    summary: &'a Summary,
    calls: &'a [usize],
    second: Option<&'a Second>,
    context: &'a Context,
    /// What is computed of each row for keys and aggregates, and a summary of columns with these names.
    columns: Vec<(Name, Expr)>,
    computed: Summary,
    /// Texts of tables in memory stay where they are.
    in_memory: bool,
    is_parted: OnceLock<bool>,
}

impl<'a> Way<'a> {
    pub fn new(
        summary: &'a Summary,
        calls: &'a [usize],
        second: Option<&'a Second>,
        context: &'a Context,
        in_memory: bool,
    ) -> Result<Way<'a>> {
        let (columns, computed) = computed(summary);
        let has_keys = !columns.is_empty() && !summary.by.is_empty();
        let is_parted =
            match has_keys && second.is_none() && summary.states(calls)?.iter().all(|state| state.is_small()) {
                true => OnceLock::new(),
                false => OnceLock::from(false),
            };
        Ok(Way { summary, calls, second, context, columns, computed, in_memory, is_parted })
    }

    fn is_parted(&self) -> bool {
        self.is_parted.get().copied().unwrap_or(false)
    }

    fn groups(&self) -> Result<Groups> {
        Groups::new(&self.computed, self.calls)
    }

    fn block(&self, batch: &Batch) -> Result<Block> {
        let column = |(name, e): &(Name, Expr)| Ok((name.clone(), evaluate(e, batch, self.context)?));
        Ok(Block {
            columns: self.columns.iter().map(column).collect::<Result<_>>()?,
            rows: batch.rows(),
            places: batch.places().into(),
            has_own_places: batch.has_own_places(),
        })
    }

    /// Whether the groups are so many that parts pay.
    fn decide(&self, waiting: &[Block]) {
        self.is_parted.get_or_init(|| self.keys_at_least(waiting) >= many(self.context));
    }

    /// How many keys there are at least, by how many were seen once and how many twice: Chao's estimate.
    fn keys_at_least(&self, waiting: &[Block]) -> f64 {
        let kinds: Vec<Kind> = self.computed.by.iter().map(|(_, e)| e.kind()).collect();
        let mut grouper = Grouper::new(&kinds);
        let mut seen: Vec<u32> = Vec::new();
        let mut left = SAMPLE;
        for block in waiting {
            let rows = block.rows.min(left);
            let keys: Vec<Column> = block.keys(self).iter().map(|key| gather::slice(key, 0, rows)).collect();
            let groups = grouper.groups(&keys, rows);
            seen.resize(grouper.len(), 0);
            groups.iter().filter_map(|group| seen.get_mut(*group as usize).map(|n| *n += 1)).for_each(drop);
            left -= rows;
        }
        let times = |times: u32| seen.iter().filter(|n| **n == times).count() as f64;
        let (once, twice) = (times(1), times(2));
        seen.len() as f64 + once * (once - 1.0) / (2.0 * (twice + 1.0))
    }
}

/// What a summary computes of each row, each once, and the summary of what is computed.
fn computed(summary: &Summary) -> (Vec<(Name, Expr)>, Summary) {
    let mut columns: Vec<(Name, Expr)> = Vec::new();
    let mut prints: Vec<String> = Vec::new();
    let mut column = |expr: Expr| -> Expr {
        if matches!(expr, Expr::Const(_)) {
            return expr;
        }
        let (print, kind) = (expr.fingerprint(), expr.kind());
        let at = prints.iter().position(|known| *known == print).unwrap_or_else(|| {
            columns.push((format!("\u{1}computed {}", prints.len()).into(), expr));
            prints.push(print);
            prints.len() - 1
        });
        Expr::Column(columns[at].0.clone(), kind)
    };
    let by = summary.by.iter().map(|(name, key)| (name.clone(), column(key.clone()))).collect();
    let mut call = |call: &AggregateCall| AggregateCall {
        arguments: call.arguments.iter().map(|argument| column(argument.clone())).collect(),
        condition: call.condition.clone().map(&mut column),
        ..call.clone()
    };
    let calls = summary.calls.iter().map(|(name, own)| (name.clone(), call(own))).collect();
    let of_columns = Summary { input: summary.input, by, calls, having: summary.having.clone() };
    (columns, of_columns)
}

/// Rows with what is computed of them.
struct Block {
    columns: Columns,
    rows: usize,
    /// The place of each among all rows.
    places: ScalarBuffer<u64>,
    has_own_places: bool,
}

impl Block {
    fn batch(self) -> Batch {
        Batch::of_columns(self.columns, self.rows).at(self.places.to_vec())
    }

    fn keys(&self, way: &Way) -> Vec<Column> {
        let key = |e: &Expr| match e {
            Expr::Column(name, _) => self.columns.iter().find(|(own, _)| own == name).map(|(_, c)| c.clone()),
            Expr::Const(value) => Some(Column::Const(value.clone(), self.rows)),
            _ => None,
        };
        way.computed.by.iter().filter_map(|(_, e)| key(e)).collect()
    }

    /// The rows at `rows`, whose texts hold on to no others where they are not in memory anyway.
    fn at(self, rows: &[u32], in_memory: bool) -> Block {
        let taken = |column: Column| match in_memory {
            true => gather::take(&column, rows),
            false => gather::compact(gather::take(&column, rows)),
        };
        Block {
            columns: self.columns.into_iter().map(|(name, column)| (name, taken(column))).collect(),
            places: rows.iter().map(|row| self.places[*row as usize]).collect(),
            ..self
        }
    }

    fn slice(&self, start: usize, rows: usize) -> Block {
        Block {
            columns: self.columns.iter().map(|(name, c)| (name.clone(), gather::slice(c, start, rows))).collect(),
            rows,
            places: self.places.slice(start, rows),
            has_own_places: self.has_own_places,
        }
    }

    /// About how many bytes are held.
    fn bytes(&self, in_memory: bool) -> usize {
        let own = |column: &Column| match column {
            Column::Text(_, Text::Views(views)) if in_memory => views.len() * 16,
            other => gather::held_bytes(other),
        };
        self.columns.iter().map(|(_, column)| own(column)).sum::<usize>() + self.rows * 8
    }
}

/// What a thread has of the groups.
pub struct Local<'a> {
    way: &'a Way<'a>,
    waiting: Vec<Block>,
    whole: Groups,
    parts: Vec<Part>,
    hasher: KeyHasher,
    /// How many bytes the parts hold of rows.
    held: usize,
}

/// The groups of a part, and rows that are not grouped yet.
#[derive(Default)]
pub struct Part {
    groups: Option<Groups>,
    held: Vec<Block>,
}

impl<'a> Local<'a> {
    pub fn new(way: &'a Way<'a>) -> Result<Local<'a>> {
        let whole = Groups::new(way.summary, way.calls)?;
        let hasher = KeyHasher::default();
        Ok(Local { way, waiting: Vec::new(), whole, parts: Vec::new(), hasher, held: 0 })
    }

    pub fn take_in(&mut self, batch: Batch) -> Result<()> {
        let way = self.way;
        match way.is_parted.get() {
            Some(false) => {
                self.settle()?;
                self.whole.take_in_for(way.summary, way.calls, batch, way.second, way.context)
            }
            Some(true) => {
                self.settle()?;
                self.put(way.block(&batch)?)
            }
            None => {
                self.waiting.push(way.block(&batch)?);
                let rows: usize = self.waiting.iter().map(|block| block.rows).sum();
                if rows < most_waiting(way.context) && self.waiting.len() < WAITING_BATCHES {
                    return Ok(());
                }
                way.decide(&self.waiting);
                self.settle()
            }
        }
    }

    /// Groups the rows that wait.
    fn settle(&mut self) -> Result<()> {
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|block| self.put(block))
    }

    fn put(&mut self, block: Block) -> Result<()> {
        let way = self.way;
        match way.is_parted() && block.has_own_places {
            true => self.spread(block),
            false => self.whole.take_in(&way.computed, way.calls, block.batch(), way.context),
        }
    }

    /// Hands the rows to the parts, which hold them for a while.
    fn spread(&mut self, block: Block) -> Result<()> {
        let in_memory = self.way.in_memory;
        let (rows, starts) = by_part(&self.hasher.hashes(&block.keys(self.way), block.rows));
        let sorted = block.at(&rows, in_memory);
        self.held += sorted.bytes(in_memory);
        self.parts.resize_with(PARTS, Part::default);
        for (part, bounds) in self.parts.iter_mut().zip(starts.windows(2)) {
            if let [start, end] = bounds
                && start < end
            {
                part.held.push(sorted.slice(*start, end - start));
            }
        }
        if self.held > most_held(self.way.context) { self.group_held() } else { Ok(()) }
    }

    fn group_held(&mut self) -> Result<()> {
        let way = self.way;
        self.parts.iter_mut().try_for_each(|part| part.group_held(way))?;
        self.held = 0;
        within_limit(self.parts.iter().map(|part| part.groups.as_ref().map_or(0, Groups::len)).sum(), way.context)
    }
}

impl Part {
    fn group_held(&mut self, way: &Way) -> Result<()> {
        way.context.check()?;
        let mut groups = match self.groups.take() {
            Some(groups) => groups,
            None => way.groups()?,
        };
        let mut held = std::mem::take(&mut self.held).into_iter();
        held.try_for_each(|block| groups.take_in(&way.computed, way.calls, block.batch(), way.context))?;
        self.groups = Some(groups);
        Ok(())
    }

    /// The groups of one part of all threads. Rows that no thread has grouped yet are put in their order: then nothing
    /// is merged.
    fn together(mut parts: Vec<Part>, way: &Way) -> Result<Groups> {
        if parts.iter().all(|part| part.groups.is_none()) {
            let mut held: Vec<Block> = parts.into_iter().flat_map(|part| part.held).collect();
            held.sort_by_key(|block| block.places.first().copied());
            parts = vec![Part { groups: None, held }];
        }
        let mut all: Option<Groups> = None;
        for mut part in parts {
            part.group_held(way)?;
            match (&mut all, part.groups) {
                (Some(all), Some(groups)) => all.merge(groups)?,
                (None, groups) => all = groups,
                _ => {}
            }
        }
        all.map_or_else(|| way.groups(), Ok)
    }
}

/// The groups of all threads.
pub enum Gathered {
    Whole(Groups),
    /// Of each part what the threads have.
    Parts(Vec<Vec<Part>>),
}

impl Gathered {
    pub fn of(mut locals: Vec<Local>, way: &Way) -> Result<Gathered> {
        locals.iter_mut().try_for_each(Local::settle)?;
        let is_parted = way.is_parted() && locals.iter().all(|local| local.whole.len() == 0);
        let (mut wholes, mut parts) = (Vec::new(), Vec::new());
        parts.resize_with(PARTS, Vec::new);
        for local in locals {
            wholes.push(local.whole);
            parts.iter_mut().zip(local.parts).for_each(|(all, own): (&mut Vec<Part>, Part)| all.push(own));
        }
        if is_parted {
            return Ok(Gathered::Parts(parts));
        }
        if let Some(second) = way.second.filter(|_| wholes.iter().any(|whole| whole.late.is_some())) {
            wholes.iter_mut().try_for_each(|whole| whole.begin_second(way.summary, second, way.context))?;
        }
        let mut wholes = wholes.into_iter();
        let mut all = wholes.next().map_or_else(|| Groups::new(way.summary, way.calls), Ok)?;
        wholes.try_for_each(|whole| all.merge(whole))?;
        // Rows without places of their own cannot be put in order in parts.
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            all.merge(Part::together(part, way)?)?;
        }
        all.at_least_one(way.summary);
        Ok(Gathered::Whole(all))
    }
}

/// The groups of a part for which the filters hold, in the order of their first rows, and their columns.
struct Finished {
    firsts: Vec<u64>,
    columns: Columns,
    /// How many groups there were.
    groups: usize,
}

/// The table of the groups of all parts for which the filters hold, in the order of their first rows.
pub fn table(
    parts: Vec<Vec<Part>>,
    way: &Way,
    threads: usize,
    schema: &Schema,
    having: &[Expr],
    later: &[Step],
) -> Result<Table> {
    let finished = |parts: Vec<Part>| Finished::new(Part::together(parts, way)?, way, having, later);
    let parts = each(parts, threads, finished)?;
    within_limit(parts.iter().map(|part| part.groups).sum(), way.context)?;
    let segments = segments(&parts);
    let pieces: Vec<&[Segment]> = segments.chunk_by(|one, next| one.piece == next.piece).collect();
    let chunk = |segments: &[Segment]| {
        way.context.check()?;
        Ok((segments.first().map_or(0, |segment| segment.piece), in_order(schema, &parts, segments)))
    };
    Ok(collect::ordered(schema.clone(), vec![each(pieces, threads, chunk)?]))
}

impl Finished {
    fn new(groups: Groups, way: &Way, having: &[Expr], later: &[Step]) -> Result<Finished> {
        let Groups { grouper, states, firsts, .. } = groups;
        let results = finished(states, way.context, grouper.len())?;
        let order = by_first_row(&firsts, grouper.len());
        let named = |rows: &[u32]| named(way.summary, way.calls, &grouper, &results, rows);
        let (left, columns) = survivors(order, &named, having, later, way.context)?;
        let firsts = left.iter().map(|group| firsts.get(*group as usize).copied().unwrap_or(0)).collect();
        Ok(Finished { firsts, columns, groups: grouper.len() })
    }
}

/// The groups of a part whose first rows are of one piece.
struct Segment {
    piece: u64,
    part: usize,
    groups: Range<usize>,
}

/// The segments of all parts, those of a piece side by side.
fn segments(parts: &[Finished]) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (part, finished) in parts.iter().enumerate() {
        let mut start = 0;
        for firsts in finished.firsts.chunk_by(|one, next| one >> ROW_BITS == next >> ROW_BITS) {
            let piece = firsts.first().map_or(0, |first| first >> ROW_BITS);
            segments.push(Segment { piece, part, groups: start..start + firsts.len() });
            start += firsts.len();
        }
    }
    segments.sort_by_key(|segment| segment.piece);
    segments
}

/// The groups of segments in the order of their first rows.
fn in_order(schema: &Schema, parts: &[Finished], segments: &[Segment]) -> Chunk {
    let firsts: Vec<&[u64]> = segments.iter().map(|s| &parts[s.part].firsts[s.groups.clone()]).collect();
    let places = ranks(&firsts);
    let rows = places.iter().map(Vec::len).sum();
    let column = |(name, kind): &(Name, Kind)| {
        let slice = |segment: &Segment| {
            let (_, column) = parts[segment.part].columns.iter().find(|(own, _)| own == name)?;
            Some(gather::slice(column, segment.groups.start, segment.groups.len()))
        };
        Stored::Column(match segments.iter().map(slice).collect::<Option<Vec<Column>>>() {
            Some(slices) => {
                let placed: Vec<(&Column, &[u32])> = slices.iter().zip(places.iter().map(Vec::as_slice)).collect();
                gather::compact(distribute(*kind, &placed, rows))
            }
            None => Column::nulls(*kind, rows),
        })
    };
    Chunk { rows, columns: schema.columns().iter().map(column).collect() }
}

/// The rank of each number among those of all lists. The lists ascend, and no number occurs twice.
fn ranks(lists: &[&[u64]]) -> Vec<Vec<u32>> {
    const SPARSE: u64 = 16;
    let all = || lists.iter().flat_map(|list| list.iter().copied());
    let (lowest, highest) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
    let count = lists.iter().map(|list| list.len()).sum::<usize>() as u64;
    if (highest - lowest) / SPARSE > count {
        let mut sorted: Vec<u64> = all().collect();
        sorted.sort_unstable();
        let rank = |number: &u64| sorted.partition_point(|known| known < number) as u32;
        return lists.iter().map(|list| list.iter().map(rank).collect()).collect();
    }
    let mut before = vec![0u32; (highest - lowest) as usize + 1];
    all().for_each(|number| before[(number - lowest) as usize] = 1);
    let mut sum = 0;
    for rank in &mut before {
        sum += std::mem::replace(rank, sum);
    }
    lists.iter().map(|list| list.iter().map(|number| before[(number - lowest) as usize]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_all_lists() {
        for lists in [[&[3u64, 9][..], &[], &[4, 5, 100]], [&[1 << 40], &[7, 1 << 50], &[8]]] {
            let mut sorted = lists.concat();
            sorted.sort_unstable();
            let ranks = ranks(&lists);
            let of_rank = |(list, ranks): (&&[u64], &Vec<u32>)| {
                list.iter().zip(ranks).all(|(number, rank)| sorted[*rank as usize] == *number)
            };
            assert!(lists.iter().zip(&ranks).all(of_rank));
        }
    }
}
