//! Sorting.
use super::batch::Batch;
use super::build::Executor;
use super::collect;
use super::drive::drive;
use crate::diagnostic::Result;
use crate::expr::{Input, NodeId, evaluate};
use crate::functions::Context;
use crate::functions::compare::total_order;
use crate::plan::SortKey;
use crate::types::field::Numbers;
use crate::types::{Chunk, Column, Dictionary, Field, Kind, Name, Schema, Stored, Table, Text, gather};
use arrow_array::Array;
use rayon::prelude::*;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

/// A whole table as the input of expressions; its chunks are put together once.
pub struct Whole<'a> {
    table: &'a Table,
    columns: RefCell<HashMap<Name, Column>>,
}

impl<'a> Whole<'a> {
    pub fn new(table: &'a Table) -> Whole<'a> {
        Whole { table, columns: RefCell::default() }
    }
}

impl Input for Whole<'_> {
    fn rows(&self) -> usize {
        self.table.rows()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        if let Some(column) = self.columns.borrow().get(name) {
            return Ok(column.clone());
        }
        let column = self
            .table
            .column_named(name)
            .ok_or_else(|| crate::diagnostic::Fault::internal(format!("column `{name}` was pruned away")))?;
        self.columns.borrow_mut().insert(name.clone(), column.clone());
        Ok(column)
    }
}

/// What rows are put in the order of.
pub enum Order {
    /// Keys, the first of which counts most. Equal rows keep their order.
    Keys(Vec<SortKey>),
    /// A column of times, the newest first; of equal times the last row comes first. Rows without one stay behind the
    /// others, in their order.
    Newest(Name),
}

/// The rows in an order, the first `most` of them.
pub fn run(table: &Table, order: &Order, most: Option<u64>, schema: &Schema, context: &Context) -> Result<Table> {
    let ranks = Ranks::new(order, &Whole::new(table), context)?;
    let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
    let most = most.map_or(rows.len(), |m| usize::try_from(m).unwrap_or(usize::MAX)).min(rows.len());
    if most == 0 {
        rows.clear();
    } else if most < rows.len() {
        let order = |a: &u32, b: &u32| ranks.order(*a, *b);
        rows.select_nth_unstable_by(most - 1, order);
        rows.truncate(most);
        rows.sort_unstable_by(order);
    } else {
        ranks.sort(&mut rows);
    }
    Ok(picked(table, &rows, schema))
}

/// Up to this many first rows are found batch by batch.
pub const FEW: u64 = 16_384;

/// The first `most` rows of a pipeline in an order: no more than these are kept of each batch.
pub fn top(executor: &Executor, id: NodeId, below: NodeId, order: &Order, most: u64) -> Result<Table> {
    let pipeline = executor.pipeline(below)?;
    let schema = executor.schema(below);
    let wanted = usize::try_from(most).unwrap_or(usize::MAX);
    let context = executor.context;
    let live = executor.needed.of(below);
    let keep = |chunks: &mut Vec<(u64, Chunk)>, mut batch: Batch| {
        if wanted > 0 && wanted < batch.rows() {
            let rows = Ranks::new(order, &batch, context)?.first(batch.rows(), wanted);
            batch.narrow(rows, &|name| live.contains(name));
        }
        let first = batch.ordinals().first().copied().unwrap_or(0);
        chunks.push((first, collect::chunk(&batch, &schema, true)?));
        Ok(())
    };
    let chunks = drive(&pipeline, context, executor.options.threads, Vec::new, keep, || false)?;
    run(&collect::ordered(schema, chunks), order, Some(most), &executor.schema(id), context)
}

/// Rows in the order of columns, the first of which counts most; nulls come first.
pub fn ascending(columns: Vec<Column>, rows: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    for column in columns.into_iter().rev() {
        Ranked { values: values(column), descending: false, nulls_first: true }.sort(&mut order);
    }
    order
}

/// The rows of a table at `rows`, only the schema's columns.
pub fn picked(table: &Table, rows: &[u32], schema: &Schema) -> Table {
    let columns: Vec<Column> = schema
        .columns()
        .par_iter()
        .map(|(name, kind)| match table.column_named(name) {
            Some(column) => gather::take(&column, rows),
            None => Column::nulls(*kind, rows.len()),
        })
        .collect();
    let columns = columns.into_iter().map(Stored::Column).collect();
    Table::new(schema.clone(), vec![Chunk { rows: rows.len(), columns }])
}

/// Rows ready to be put in an order.
struct Ranks {
    keys: Vec<Ranked>,
    /// Whether of rows that are equal, and have a value in the first key, the last comes first.
    last_first: bool,
}

impl Ranks {
    fn new(order: &Order, input: &dyn Input, context: &Context) -> Result<Ranks> {
        Ok(match order {
            Order::Keys(keys) => {
                let keys = keys.iter().map(|key| Ok(Ranked::new(evaluate(&key.expr, input, context)?, key)));
                Ranks { keys: keys.collect::<Result<_>>()?, last_first: false }
            }
            Order::Newest(time) => {
                let key = Ranked { values: times(&input.column(time)?), descending: true, nulls_first: false };
                Ranks { keys: vec![key], last_first: true }
            }
        })
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        let by_keys = self.keys.iter().map(|key| key.order(a, b)).find(|o| o.is_ne());
        by_keys.unwrap_or_else(|| if self.is_turned(a) { b.cmp(&a) } else { a.cmp(&b) })
    }

    /// Whether a row stands behind later ones that are equal to it.
    fn is_turned(&self, row: u32) -> bool {
        self.last_first && self.keys.first().is_some_and(|key| !key.is_null(row))
    }

    fn sort(&self, rows: &mut Vec<u32>) {
        if self.last_first {
            rows.reverse();
        }
        // A stable sort by the last key first: equal rows keep the order of the keys after it.
        self.keys.iter().rev().for_each(|key| key.sort(rows));
        if self.last_first {
            let turned = rows.partition_point(|row| self.is_turned(*row));
            rows[turned..].reverse();
        }
    }

    /// The first so many rows in this order, ascending.
    fn first(&self, rows: usize, most: usize) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..rows as u32).collect();
        rows.select_nth_unstable_by(most - 1, |a, b| self.order(*a, *b));
        rows.truncate(most);
        rows.sort_unstable();
        rows
    }
}

/// Times as numbers of any unit.
fn times(column: &Column) -> Values {
    let numbers = Numbers::of(column);
    Values::Numbers((0..column.len()).map(|row| numbers.get(row).map(|number| real_rank(number.real()))).collect())
}

/// A key column ready to compare.
struct Ranked {
    values: Values,
    descending: bool,
    nulls_first: bool,
}

enum Values {
    /// Bits whose order is the values' order; none for null and NaN.
    Numbers(Vec<Option<u64>>),
    Texts(Column),
    Others(Column),
}

fn values(column: Column) -> Values {
    match column.materialized() {
        Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => {
            Values::Numbers(a.iter().map(|v| v.map(|v| v as u64 ^ 1 << 63)).collect())
        }
        Column::Int(a) => Values::Numbers(a.iter().map(|v| v.map(|v| i64::from(v) as u64 ^ 1 << 63)).collect()),
        Column::Bool(a) => {
            Values::Numbers((0..a.len()).map(|i| (!a.is_null(i)).then(|| u64::from(a.value(i)))).collect())
        }
        Column::Field(Field::Long(a)) => Values::Numbers(a.iter().map(|v| v.map(|v| v as u64 ^ 1 << 63)).collect()),
        Column::Real(a) | Column::Field(Field::Real(a)) => {
            Values::Numbers(a.iter().map(|v| v.filter(|v| !v.is_nan()).map(real_rank)).collect())
        }
        column @ Column::Text(Kind::String | Kind::Guid | Kind::Field, _) => Values::Texts(column),
        column => Values::Others(column),
    }
}

impl Ranked {
    fn new(column: Column, key: &SortKey) -> Ranked {
        Ranked { values: values(column), descending: key.descending, nulls_first: key.nulls_first }
    }

    fn is_null(&self, row: u32) -> bool {
        let row = row as usize;
        match &self.values {
            Values::Numbers(ranks) => ranks[row].is_none(),
            Values::Texts(column) | Values::Others(column) => column.is_null(row),
        }
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match &self.values {
            Values::Numbers(ranks) => self.directed(ranks[a].is_none(), ranks[b].is_none(), || ranks[a].cmp(&ranks[b])),
            Values::Texts(Column::Text(_, text)) => {
                self.directed(text.is_null(a), text.is_null(b), || order_texts(text, a, b))
            }
            Values::Texts(column) | Values::Others(column) => {
                self.directed(column.is_null(a), column.is_null(b), || total_order(&column.value(a), &column.value(b)))
            }
        }
    }

    fn directed(&self, a_null: bool, b_null: bool, order: impl FnOnce() -> Ordering) -> Ordering {
        match (a_null, b_null) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if self.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) if self.descending => order().reverse(),
            (false, false) => order(),
        }
    }
}

impl Ranked {
    /// Sorts rows by this key alone; equal rows keep their order.
    fn sort(&self, rows: &mut Vec<u32>) {
        let code: Box<dyn Fn(usize) -> Option<u64>> = match &self.values {
            Values::Numbers(ranks) => Box::new(|row| ranks[row]),
            Values::Texts(Column::Text(_, Text::Dictionary(keys, dictionary))) => {
                let places = places(dictionary);
                Box::new(move |row| keys.is_valid(row).then(|| places[keys.value(row) as usize]))
            }
            Values::Texts(Column::Text(_, text)) => Box::new(|row| text.get(row).map(start_of)),
            Values::Texts(_) | Values::Others(_) => return rows.sort_by(|a, b| self.order(*a, *b)),
        };
        let mut nulls = Vec::new();
        let mut coded: Vec<(u64, u32)> = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            match code(*row as usize) {
                Some(code) => coded.push((if self.descending { !code } else { code }, *row)),
                None => nulls.push(*row),
            }
        }
        radix_sort(&mut coded);
        if matches!(&self.values, Values::Texts(Column::Text(_, Text::Views(_)))) {
            // Texts that start alike.
            for run in coded.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
                run.sort_by(|a, b| self.order(a.1, b.1));
            }
        }
        rows.clear();
        if self.nulls_first {
            rows.append(&mut nulls);
        }
        rows.extend(coded.iter().map(|(_, row)| *row));
        rows.append(&mut nulls);
    }
}

/// The place of each of a dictionary's values in their order; equal values have one place.
fn places(dictionary: &Dictionary) -> Vec<u64> {
    let values = &dictionary.values;
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|a, b| values.value(*a as usize).cmp(values.value(*b as usize)));
    let mut places = vec![0; values.len()];
    let (mut place, mut before) = (0, None);
    for at in order {
        let text = values.value(at as usize);
        place += u64::from(before.is_some_and(|before| before != text));
        before = Some(text);
        places[at as usize] = place;
    }
    places
}

/// The first eight bytes of a text: texts that differ in them are in their order.
fn start_of(text: &str) -> u64 {
    let mut start = [0u8; 8];
    let held = text.len().min(8);
    start[..held].copy_from_slice(&text.as_bytes()[..held]);
    u64::from_be_bytes(start)
}

/// Sorts by the first number and keeps the order of equal ones: byte by byte from the lowest, without the bytes
/// that are the same in all.
fn radix_sort(pairs: &mut Vec<(u64, u32)>) {
    if pairs.len() < 256 {
        return pairs.sort_by_key(|(code, _)| *code);
    }
    if pairs.is_sorted_by(|a, b| a.0 <= b.0) {
        return;
    }
    if pairs.is_sorted_by(|a, b| a.0 >= b.0) {
        // Backwards, but for the equal ones.
        pairs.reverse();
        return pairs.chunk_by_mut(|a, b| a.0 == b.0).for_each(<[_]>::reverse);
    }
    let mut counts = vec![[0u32; 256]; 8];
    for (code, _) in pairs.iter() {
        code.to_le_bytes().iter().zip(&mut counts).for_each(|(byte, count)| count[*byte as usize] += 1);
    }
    let mut other = vec![(0u64, 0u32); pairs.len()];
    for (place, count) in counts.iter().enumerate() {
        if count.iter().any(|n| *n as usize == pairs.len()) {
            continue;
        }
        let mut next = [0u32; 256];
        (1..256).for_each(|byte| next[byte] = next[byte - 1] + count[byte - 1]);
        for pair in pairs.iter() {
            let slot = &mut next[(pair.0 >> (8 * place)) as u8 as usize];
            other[*slot as usize] = *pair;
            *slot += 1;
        }
        std::mem::swap(pairs, &mut other);
    }
}

fn order_texts(text: &Text, a: usize, b: usize) -> Ordering {
    text.value(a).cmp(text.value(b))
}

fn real_rank(real: f64) -> u64 {
    let bits = (real + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
