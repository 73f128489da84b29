//! Joins by hash: the rows of the right side become numbers by their keys, and those of the left side pass by.
use super::batch::Batch;
use super::build::Executor;
use super::collect;
use super::drive::drive;
use super::group::Maps;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, NodeId};
use crate::functions::Context;
use crate::plan::{JoinKind, JoinSide, Node};
use crate::types::intern::NULL;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, convert, gather};
use arrow_array::UInt32Array;
use side::{Side, Wanted};
use std::sync::atomic::{AtomicUsize, Ordering};

mod kept;
mod side;

pub fn run(executor: &Executor, id: NodeId) -> Result<Table> {
    let Node::Join { left, right, kind, keys, columns } = executor.plan.node(id) else {
        return Err(Fault::internal("a join of another node"));
    };
    let kinds = executor.plan.schema(*left);
    let join = Join {
        kind: *kind,
        left_keys: keys.iter().map(|(l, _)| (l.clone(), kinds.kind(l).unwrap_or(Kind::Dynamic))).collect(),
        right: Side::new(executor, &Wanted { left: *left, right: *right, kind: *kind, keys, columns })?,
        schema: executor.schema(id),
        columns,
        context: executor.context,
        made: AtomicUsize::new(0),
    };
    match kind {
        JoinKind::InnerUnique => join.unique(executor, *left),
        _ => join.stream(executor, *left),
    }
}

struct Join<'a> {
    kind: JoinKind,
    left_keys: Vec<(Name, Kind)>,
    right: Side,
    schema: Schema,
    columns: &'a [(Name, JoinSide, Name)],
    context: &'a Context,
    made: AtomicUsize,
}

/// What a thread has found.
#[derive(Default)]
struct Part {
    chunks: Vec<(u64, Chunk)>,
    maps: Maps,
    /// The keys of the right side that a left row has.
    seen: Vec<bool>,
    /// The keys of the rows that were kept, chunk by chunk.
    keys: Vec<(u64, Vec<u32>)>,
}

/// Row numbers of both sides; [`NULL`] where a side has no row.
#[derive(Default)]
struct Pairs {
    left: Vec<u32>,
    right: Vec<u32>,
}

impl Pairs {
    fn push(&mut self, left: u32, right: u32) {
        self.left.push(left);
        self.right.push(right);
    }
}

impl Join<'_> {
    fn part(&self) -> Part {
        let marks = self.kind == JoinKind::InnerUnique || self.gives_right_rows();
        Part { seen: vec![false; if marks { self.right.keys() } else { 0 }], ..Part::default() }
    }

    /// The number that the right side has for each left row's key; [`NULL`] where it has none.
    fn numbers(&self, batch: &Batch, maps: &mut Maps) -> Result<Vec<u32>> {
        let keys = self.left_keys.iter().map(|(name, kind)| Ok(convert::of_kind(batch.column(name)?, *kind)));
        let columns = keys.collect::<Result<Vec<_>>>()?;
        Ok(self.right.find(&columns, maps))
    }

    /// Every kind whose left rows do not depend on each other.
    fn stream(&self, executor: &Executor, left: NodeId) -> Result<Table> {
        let pipeline = executor.pipeline(left)?;
        let step = |part: &mut Part, batch: Batch| {
            let keys = self.numbers(&batch, &mut part.maps)?;
            if self.gives_right_rows() {
                keys.iter().filter(|key| **key != NULL).for_each(|key| part.seen[*key as usize] = true);
            }
            let pairs = self.pairs(&keys);
            self.count(pairs.left.len())?;
            if !pairs.left.is_empty() {
                let first = batch.first_ordinal();
                let left = |name: &Name| batch.column(name);
                part.chunks.push((first, self.chunk(&left, batch.rows(), &pairs)?));
            }
            Ok(())
        };
        let parts = drive(&pipeline, self.context, executor.options.threads, || self.part(), step, || false)?;
        let mut seen = self.part().seen;
        let mut chunks = Vec::with_capacity(parts.len() + 1);
        for part in parts {
            seen.iter_mut().zip(&part.seen).for_each(|(all, one)| *all |= *one);
            chunks.push(part.chunks);
        }
        let rest = self.right_rows(&seen);
        self.count(rest.len())?;
        if !rest.is_empty() {
            let kinds = executor.plan.schema(left);
            let none = |name: &Name| Ok(Column::nulls(kinds.kind(name).unwrap_or(Kind::Dynamic), 0));
            let pairs = Pairs { left: vec![NULL; rest.len()], right: rest };
            chunks.push(vec![(u64::MAX, self.chunk(&none, 0, &pairs)?)]);
        }
        Ok(collect::ordered(self.schema.clone(), chunks))
    }

    /// Whether rows of the right side are given on their own.
    fn gives_right_rows(&self) -> bool {
        use JoinKind::{FullOuter, RightAnti, RightOuter, RightSemi};
        matches!(self.kind, RightOuter | FullOuter | RightAnti | RightSemi)
    }

    /// The rows of the right side that are given on their own.
    fn right_rows(&self, seen: &[bool]) -> Vec<u32> {
        if !self.gives_right_rows() {
            return Vec::new();
        }
        let matched = |key: u32| seen.get(key as usize).copied().unwrap_or(false);
        let wanted: &dyn Fn(u32) -> bool = match self.kind {
            JoinKind::RightOuter | JoinKind::FullOuter | JoinKind::RightAnti => &|key| !matched(key),
            _ => &matched,
        };
        self.right.rows(wanted)
    }

    /// What the left rows with these keys give.
    fn pairs(&self, keys: &[u32]) -> Pairs {
        match &self.right {
            Side::Read(side) => self.pairs_of(keys, |key| side.index.of(key).iter().copied()),
            Side::Kept(side) => self.pairs_of(keys, |key| side.of(key)),
        }
    }

    fn pairs_of<R: Iterator<Item = u32>>(&self, keys: &[u32], rows_of: impl Fn(u32) -> R) -> Pairs {
        let mut pairs = Pairs::default();
        for (row, key) in keys.iter().enumerate() {
            let row = row as u32;
            let mut matches = rows_of(*key).peekable();
            let is_matched = matches.peek().is_some();
            match self.kind {
                JoinKind::LeftOuter | JoinKind::FullOuter if !is_matched => pairs.push(row, NULL),
                JoinKind::LeftSemi if is_matched => pairs.push(row, NULL),
                JoinKind::LeftAnti if !is_matched => pairs.push(row, NULL),
                JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::RightSemi | JoinKind::RightAnti => {}
                JoinKind::Inner
                | JoinKind::InnerUnique
                | JoinKind::LeftOuter
                | JoinKind::RightOuter
                | JoinKind::FullOuter => matches.for_each(|other| pairs.push(row, other)),
            }
        }
        pairs
    }

    fn count(&self, rows: usize) -> Result<()> {
        match self.made.fetch_add(rows, Ordering::Relaxed) + rows > self.context.limits.rows {
            true => Err(Fault::limit("rows", "a join makes too many rows")),
            false => Ok(()),
        }
    }

    /// The join's columns for some pairs; `left` gives a column of the `rows` left rows.
    fn chunk(&self, left: &dyn Fn(&Name) -> Result<Column>, rows: usize, pairs: &Pairs) -> Result<Chunk> {
        let every = pairs.left.len() == rows && pairs.left.iter().enumerate().all(|(at, row)| at as u32 == *row);
        let column = |(name, kind): &(Name, Kind)| {
            let from = self.columns.iter().find(|(n, _, _)| n == name);
            let (side, from) = from
                .map(|(_, side, from)| (*side, from))
                .ok_or_else(|| Fault::internal("a join's column has no side"))?;
            Ok(Stored::Column(match side {
                JoinSide::Left if every => convert::of_kind(left(from)?, *kind),
                JoinSide::Left => picked(&convert::of_kind(left(from)?, *kind), &pairs.left),
                JoinSide::Right => self.right.column(from, *kind, &pairs.right)?,
            }))
        };
        let columns = self.schema.columns().iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok(Chunk { rows: pairs.left.len(), columns })
    }

    /// `innerunique`: of the left rows with one key the first alone. Each thread keeps its own first ones, and of
    /// these the first of all are taken.
    fn unique(&self, executor: &Executor, left: NodeId) -> Result<Table> {
        let pipeline = executor.pipeline(left)?;
        let needed = executor.needed.of(left);
        let schema = executor.schema(left);
        let step = |part: &mut Part, mut batch: Batch| {
            let keys = self.numbers(&batch, &mut part.maps)?;
            let fresh = |key: u32| key != NULL && !std::mem::replace(&mut part.seen[key as usize], true);
            let rows = new_rows(&keys, fresh);
            if rows.is_empty() {
                return Ok(());
            }
            let keys = rows.iter().map(|row| keys[*row as usize]).collect();
            batch.narrow(rows, &|name| needed.contains(name));
            let first = batch.first_ordinal();
            part.keys.push((first, keys));
            part.chunks.push((first, collect::chunk(&batch, &schema, true)?));
            Ok(())
        };
        let parts = drive(&pipeline, self.context, executor.options.threads, || self.part(), step, || false)?;
        let (mut keys, mut chunks) = (Vec::new(), Vec::new());
        for part in parts {
            keys.extend(part.keys);
            chunks.push(part.chunks);
        }
        keys.sort_by_key(|(first, _)| *first);
        let keys: Vec<u32> = keys.into_iter().flat_map(|(_, keys)| keys).collect();
        let table = collect::ordered(schema, chunks);
        let mut seen = self.part().seen;
        let rows = new_rows(&keys, |key| !std::mem::replace(&mut seen[key as usize], true));
        let mut pairs = self.pairs(&rows.iter().map(|row| keys[*row as usize]).collect::<Vec<_>>());
        pairs.left.iter_mut().for_each(|row| *row = rows[*row as usize]);
        self.count(pairs.left.len())?;
        let column = |name: &Name| {
            table.column_named(name).ok_or_else(|| Fault::internal(format!("column `{name}` was pruned away")))
        };
        let chunk = self.chunk(&column, table.rows(), &pairs)?;
        Ok(Table::new(self.schema.clone(), vec![chunk]))
    }
}

fn new_rows(keys: &[u32], mut new: impl FnMut(u32) -> bool) -> Vec<u32> {
    keys.iter().enumerate().filter(|(_, key)| new(**key)).map(|(row, _)| row as u32).collect()
}

/// The rows of a column, null where there is none.
fn picked(column: &Column, rows: &[u32]) -> Column {
    match rows.contains(&NULL) {
        false => gather::take(column, rows),
        true => {
            let rows: UInt32Array = rows.iter().map(|row| (*row != NULL).then_some(*row)).collect();
            gather::take_or_null(column, &rows)
        }
    }
}
