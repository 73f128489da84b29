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
use crate::types::vectors::bits_of;
use crate::types::{Chunk, Column, Dictionary, Field, Kind, Name, Schema, Stored, Table, Text, gather};
use arrow_array::Array;
use arrow_buffer::{BooleanBuffer, NullBuffer};
use rayon::prelude::*;
use std::borrow::Cow;
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

/// What rows are put in the order of: keys, the first of which counts most. Rows that are equal in them keep their order,
/// or that of their times.
#[derive(Default)]
pub struct Order {
    pub keys: Vec<SortKey>,
    /// A column of times, the newest first; of equal times the last row comes first. Rows without one stay behind the
    /// others, in their order.
    pub newest: Option<Name>,
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

/// The rows of a batch in an order.
pub fn in_order(batch: &Batch, order: &Order, context: &Context) -> Result<Vec<u32>> {
    let mut rows: Vec<u32> = (0..batch.rows() as u32).collect();
    Ranks::new(order, batch, context)?.sort(&mut rows);
    Ok(rows)
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
    let keep = |best: &mut Best, mut batch: Batch| {
        if wanted > 0 && wanted < batch.rows() {
            let rows = best.first(batch.rows(), &Ranks::new(order, &batch, context)?, wanted);
            batch.narrow(rows, &|name| live.contains(name));
        }
        if batch.rows() > 0 {
            best.chunks.push((batch.first_ordinal(), collect::chunk(&batch, &schema, true)?));
        }
        Ok(())
    };
    let parts = drive(&pipeline, context, executor.options.threads, Best::default, keep, || false)?;
    let chunks = parts.into_iter().map(|best| best.chunks).collect();
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
    /// Times, the newest first: of rows that are equal, and have one, the last comes first.
    newest: Option<Ranked>,
}

impl Ranks {
    fn new(order: &Order, input: &dyn Input, context: &Context) -> Result<Ranks> {
        let keys = order.keys.iter().map(|key| Ok(Ranked::new(evaluate(&key.expr, input, context)?, key)));
        let newest =
            |time: &Name| Ok(Ranked { values: times(&input.column(time)?), descending: true, nulls_first: false });
        Ok(Ranks { keys: keys.collect::<Result<_>>()?, newest: order.newest.as_ref().map(newest).transpose()? })
    }

    /// The key that counts most.
    fn first(&self) -> Option<&Ranked> {
        self.keys.first().or(self.newest.as_ref())
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        let by_keys = self.keys.iter().chain(&self.newest).map(|key| key.order(a, b)).find(|o| o.is_ne());
        by_keys.unwrap_or_else(|| if self.is_turned(a) { b.cmp(&a) } else { a.cmp(&b) })
    }

    /// Whether a row stands behind later ones that are equal to it.
    fn is_turned(&self, row: u32) -> bool {
        self.newest.as_ref().is_some_and(|times| !times.is_null(row))
    }

    fn sort(&self, rows: &mut Vec<u32>) {
        if let Some(times) = &self.newest {
            rows.reverse();
            times.sort(rows);
            let turned = rows.partition_point(|row| self.is_turned(*row));
            rows[turned..].reverse();
        }
        // A stable sort by the last key first: equal rows keep the order of the keys after it.
        self.keys.iter().rev().for_each(|key| key.sort(rows));
    }
}

/// Times as numbers of any unit.
fn times(column: &Column) -> Values {
    if let Column::Field(Field::Long(_)) | Column::DateTime(_) = column {
        return values(column.clone());
    }
    let numbers = Numbers::of(column);
    let times: Vec<Option<f64>> = (0..column.len()).map(|row| numbers.get(row).map(|number| number.real())).collect();
    let missing = times.iter().any(Option::is_none).then(|| times.iter().map(Option::is_some).collect());
    let codes = times.iter().map(|time| time.map_or(0, real_rank)).collect();
    Values::Numbers(Form::Real, codes, missing)
}

/// The first rows of each of a thread's batches.
#[derive(Default)]
struct Best {
    chunks: Vec<(u64, Chunk)>,
    /// So many rows as are wanted have no greater code of their first key: rows with a greater one come too late.
    bound: Option<(Form, u64)>,
}

impl Best {
    /// The first so many of some rows in their order, ascending; fewer where the others come too late.
    fn first(&mut self, rows: usize, ranks: &Ranks, most: usize) -> Vec<u32> {
        let codes = ranks.first().and_then(Ranked::codes);
        let mut picks: Vec<u32> = match (&codes, self.bound) {
            (Some(codes), Some((form, bound))) if codes.form == form => codes.up_to(bound).set_indices_u32().collect(),
            _ => (0..rows as u32).collect(),
        };
        if picks.len() > most {
            picks.select_nth_unstable_by(most - 1, |a, b| ranks.order(*a, *b));
            picks.truncate(most);
            if let Some((form, worst)) = codes.and_then(|codes| Some((codes.form, codes.worst(&picks)?))) {
                let bound = self.bound.filter(|(known, _)| *known == form);
                self.bound = Some((form, bound.map_or(worst, |(_, bound)| bound.min(worst))));
            }
            picks.sort_unstable();
        }
        picks
    }
}

/// What codes are made of: only those of one form compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Real,
    Text,
}

/// Numbers in the order of a key: of two rows that differ in theirs, the one with the smaller comes first.
struct Codes {
    codes: Vec<u64>,
    form: Form,
    missing: Option<NullBuffer>,
    nulls_first: bool,
}

impl Codes {
    /// The rows whose code is not greater; the nulls among them where they come first.
    fn up_to(&self, bound: u64) -> BooleanBuffer {
        let found = bits_of(&self.codes, |code| code <= bound);
        match &self.missing {
            None => found,
            Some(missing) if self.nulls_first => &found | &!missing.inner(),
            Some(missing) => &found & missing.inner(),
        }
    }

    /// The greatest code of some rows; none where nulls are the last of them.
    fn worst(&self, rows: &[u32]) -> Option<u64> {
        let is_missing = |row: &u32| self.missing.as_ref().is_some_and(|missing| missing.is_null(*row as usize));
        if !self.nulls_first && rows.iter().any(is_missing) {
            return None;
        }
        rows.iter().filter(|row| !is_missing(row)).map(|row| self.codes[*row as usize]).max()
    }
}

/// A key column ready to compare.
struct Ranked {
    values: Values,
    descending: bool,
    nulls_first: bool,
}

enum Values {
    /// Bits whose order is the values' order, and which of them are neither of null nor of NaN. Of reals that are,
    /// the bits tell the one from the other.
    Numbers(Form, Vec<u64>, Option<NullBuffer>),
    Texts(Column),
    Others(Column),
}

fn values(column: Column) -> Values {
    let some_null = |nulls: Option<&NullBuffer>| nulls.filter(|nulls| nulls.null_count() > 0).cloned();
    let whole = |value: i64| value as u64 ^ 1 << 63;
    match column.materialized() {
        Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) | Column::Field(Field::Long(a)) => {
            Values::Numbers(Form::Whole, a.values().iter().map(|v| whole(*v)).collect(), some_null(a.nulls()))
        }
        Column::Int(a) => {
            let codes = a.values().iter().map(|v| whole(i64::from(*v))).collect();
            Values::Numbers(Form::Whole, codes, some_null(a.nulls()))
        }
        Column::Bool(a) => {
            Values::Numbers(Form::Whole, a.values().iter().map(u64::from).collect(), some_null(a.nulls()))
        }
        Column::Real(a) | Column::Field(Field::Real(a)) => {
            let numbers = NullBuffer::new(bits_of(a.values(), |value| !value.is_nan()));
            let there = NullBuffer::union(Some(&numbers), a.nulls());
            let mut codes: Vec<u64> = a.values().iter().map(|v| real_rank(*v)).collect();
            if let Some(there) = there.as_ref().filter(|there| there.null_count() > 0) {
                for row in (0..codes.len()).filter(|row| there.is_null(*row)) {
                    codes[row] = u64::from(a.is_valid(row));
                }
            }
            Values::Numbers(Form::Real, codes, some_null(there.as_ref()))
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
            Values::Numbers(_, _, missing) => missing.as_ref().is_some_and(|missing| missing.is_null(row)),
            Values::Texts(column) | Values::Others(column) => column.is_null(row),
        }
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match &self.values {
            Values::Numbers(form, ranks, missing) => {
                let is_missing = |row: usize| missing.as_ref().is_some_and(|missing| missing.is_null(row));
                if *form == Form::Real && is_missing(a) && is_missing(b) {
                    // Null is the outermost, NaN stands between it and the numbers.
                    let order = ranks[a].cmp(&ranks[b]);
                    return if self.nulls_first { order } else { order.reverse() };
                }
                self.directed(is_missing(a), is_missing(b), || ranks[a].cmp(&ranks[b]))
            }
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
    /// Codes in the order of the key; none for values of which a code would cost more than a comparison.
    fn codes(&self) -> Option<Codes> {
        let (form, ranks, missing): (Form, Cow<[u64]>, Option<NullBuffer>) = match &self.values {
            Values::Numbers(form, ranks, missing) => (*form, ranks.into(), missing.clone()),
            // Texts of fields may be in another form in another batch.
            Values::Texts(Column::Text(Kind::Field, _)) => return None,
            Values::Texts(Column::Text(_, Text::Views(views))) => {
                let codes = (0..views.len()).map(|row| start_of(views.value(row))).collect();
                (Form::Text, codes, views.nulls().cloned())
            }
            _ => return None,
        };
        let codes = match self.descending {
            true => ranks.iter().map(|rank| !rank).collect(),
            false => ranks.into_owned(),
        };
        Some(Codes { codes, form, missing, nulls_first: self.nulls_first })
    }

    /// Sorts rows by this key alone; equal rows keep their order.
    fn sort(&self, rows: &mut Vec<u32>) {
        let code: Box<dyn Fn(usize) -> Option<u64>> = match &self.values {
            Values::Numbers(_, ranks, None) => Box::new(|row| Some(ranks[row])),
            Values::Numbers(_, ranks, Some(missing)) => Box::new(|row| missing.is_valid(row).then(|| ranks[row])),
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
        if matches!(&self.values, Values::Numbers(Form::Real, ..)) {
            nulls.sort_by(|a, b| self.order(*a, *b));
        }
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
