//! Percentiles by nearest rank, exact: from how often each value occurs.
use super::arg::{ordered, unordered};
use super::{Rows, State, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, arithmetic};
use crate::types::{Builder, Column, Json, Kind, List, Value, convert};
use arrow_array::{Array, Float64Array, Int64Array};
use std::any::Any;
use std::sync::Arc;

/// How often a group holds a value. Values are integers of the same order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    group: u32,
    key: i64,
    weight: u64,
}

/// Each group's values with their weights.
pub(super) struct Weights {
    kind: Kind,
    weighted: bool,
    counted: Vec<Counted>,
    /// The length at which equal values are put together again.
    pack_at: usize,
}

const PACK: usize = 1 << 16;

impl Weights {
    pub(super) fn new(kind: Kind, weighted: bool) -> Weights {
        Weights { kind, weighted, counted: Vec::new(), pack_at: PACK }
    }

    pub(super) fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(value) = arguments.first() else { return Ok(()) };
        let weights = arguments.get(1).filter(|_| self.weighted).map(arithmetic::longs);
        let keys = keys(value, self.kind);
        for (row, (&group, key)) in rows.groups.iter().zip(keys).enumerate() {
            let weight = weights.as_ref().map_or(1, |w| if w.is_valid(row) { w.value(row) } else { 0 });
            if let (Some(key), Ok(weight @ 1..)) = (key, u64::try_from(weight)) {
                self.counted.push(Counted { group, key, weight });
            }
        }
        self.pack();
        self.bounded(rows.context)
    }

    pub(super) fn merge(&mut self, other: &Weights, into: &[u32]) {
        self.counted.extend(
            other
                .counted
                .iter()
                .filter_map(|counted| Some(Counted { group: *into.get(counted.group as usize)?, ..*counted })),
        );
        self.pack();
    }

    fn pack(&mut self) {
        if self.counted.len() >= self.pack_at {
            self.put_together();
            self.pack_at = self.counted.len().saturating_mul(2).max(PACK);
        }
    }

    fn put_together(&mut self) {
        self.counted.sort_unstable();
        self.counted.dedup_by(|next, kept| {
            let same = (next.group, next.key) == (kept.group, kept.key);
            if same {
                kept.weight = kept.weight.saturating_add(next.weight);
            }
            same
        });
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.counted.len() > context.limits.values {
            true => Err(Fault::limit("values", "too many distinct values in one percentile aggregate")),
            false => Ok(()),
        }
    }

    /// The values at the percentiles of each group, group by group.
    fn percentiles(mut self, context: &Context, count: usize, percentiles: &[f64]) -> Result<Column> {
        self.bounded(context)?;
        self.put_together();
        let mut builder = Builder::new(self.kind, count * percentiles.len());
        let mut rest = self.counted.as_slice();
        for group in 0..count as u32 {
            let (own, others) = rest.split_at(rest.partition_point(|counted| counted.group <= group));
            for percentile in percentiles {
                match at_percentile(own, *percentile) {
                    Some(key) => builder.push(&value_of(key, self.kind)),
                    None => builder.push_null(),
                }
            }
            rest = others;
        }
        Ok(builder.finish())
    }
}

/// The keys of the values, none for null and NaN.
fn keys(column: &Column, kind: Kind) -> Vec<Option<i64>> {
    if kind == Kind::Real {
        let reals: Float64Array = arithmetic::reals(&convert::lenient(column, Kind::Real));
        return reals.iter().map(|real| real.filter(|real| !real.is_nan()).map(ordered)).collect();
    }
    let longs: Int64Array = arithmetic::longs(column);
    longs.iter().collect()
}

fn value_of(key: i64, kind: Kind) -> Value {
    match kind {
        Kind::Real => Value::Real(unordered(key)),
        Kind::DateTime => Value::DateTime(key),
        Kind::TimeSpan => Value::TimeSpan(key),
        Kind::Bool => Value::Bool(key != 0),
        _ => Value::Long(key),
    }
}

/// The smallest value that so many percent of all weights do not exceed; the smallest at all for 0.
fn at_percentile(counted: &[Counted], percentile: f64) -> Option<i64> {
    let total: u128 = counted.iter().map(|counted| u128::from(counted.weight)).sum();
    let rank = nearest_rank(total as f64, percentile);
    let mut seen = 0.0;
    let found = counted.iter().find(|counted| {
        seen += counted.weight as f64;
        seen >= rank
    });
    found.or(counted.last()).map(|counted| counted.key)
}

/// The rank of a percentile among `total`; a rank that is whole but for rounding is that.
pub fn nearest_rank(total: f64, percentile: f64) -> f64 {
    let rank = percentile / 100.0 * total;
    let whole = rank.round();
    if (rank - whole).abs() < 1e-9 * total.max(1.0) { whole } else { rank.ceil() }
}

struct Percentile {
    weights: Weights,
    percentiles: Vec<f64>,
    /// One column of arrays, else of values.
    array: bool,
}

impl State for Percentile {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.weights.update(rows, arguments)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let other: Percentile = same(other)?;
        self.weights.merge(&other.weights, into);
        Ok(())
    }

    fn finish(self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        let values = self.weights.percentiles(context, count, &self.percentiles)?;
        if !self.array {
            return Ok(values);
        }
        let wide = self.percentiles.len() as u32;
        let offsets = (0..=count as u32).map(|group| group * wide).collect();
        Ok(Column::List(List { offsets, nulls: None, items: Arc::new(values) }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// The kind of a percentile of values of a kind.
pub(super) fn percentile_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(Kind::Int | Kind::Long) => Kind::Long,
        Some(kind @ (Kind::DateTime | Kind::TimeSpan | Kind::Bool)) => *kind,
        _ => Kind::Real,
    }
}

fn given(constants: &[Option<Value>], from: usize) -> Result<Vec<f64>> {
    let mut percentiles = Vec::new();
    for constant in constants.iter().skip(from) {
        match constant {
            Some(Value::Text(Kind::Dynamic, text)) if text.starts_with('[') => {
                percentiles.extend(Json::new(text).elements().map(|e| e.as_f64().unwrap_or(f64::NAN)));
            }
            Some(value) => percentiles.push(convert::value_to(value, Kind::Real).as_real().unwrap_or(f64::NAN)),
            None => return Err(Fault::query("HP111", "a percentile must be a constant")),
        }
    }
    match percentiles.iter().all(|p| (0.0..=100.0).contains(p)) && !percentiles.is_empty() {
        true => Ok(percentiles),
        false => Err(Fault::query("HP111", "a percentile must be a number from 0 to 100")),
    }
}

fn state(kinds: &[Kind], constants: &[Option<Value>], weighted: bool, array: bool) -> Result<Box<dyn State>> {
    if matches!(kinds.first(), Some(Kind::String | Kind::Guid)) {
        return Err(Fault::query("KS106", "percentiles need numbers, datetimes or timespans"));
    }
    let percentiles = given(constants, if weighted { 2 } else { 1 })?;
    Ok(Box::new(Percentile { weights: Weights::new(percentile_kind(kinds), weighted), percentiles, array }))
}

fn percentile(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, constants, false, false)
}

fn percentilew(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, constants, true, false)
}

fn percentiles_array(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, constants, false, true)
}

fn percentilesw_array(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, constants, true, true)
}

crate::aggregates! {
    /// The smallest value that is not below so many percent of the values, exactly: Kusto estimates it. Nulls are
    /// passed over. `percentiles` gives several, each as a column.
    ///
    /// Source: percentiles-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 100 step 1 | summarize percentile(x, 95) // 95
    /// ```
    kql Free costly fn percentile as [percentiles] called "percentile" (value: Any, percentile: Number) -> Of(percentile_kind) = percentile;

    /// The percentile of values that count as often as their weight says.
    ///
    /// Source: percentilesw-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | summarize percentilew(x, x, 50) // 3
    /// ```
    kql Free costly fn percentilew as [percentilesw] called "percentile" (value: Any, weight: Integer, percentile: Number) -> Of(percentile_kind) = percentilew;

    /// Several percentiles as one array.
    ///
    /// Source: percentiles-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 100 step 1 | summarize percentiles_array(x, 5, 50, 95) // [5,50,95]
    /// range x from 1 to 100 step 1 | summarize percentiles_array(x, dynamic([5, 50])) // [5,50]
    /// ```
    kql Free costly fn percentiles_array called "percentiles" (value: Any, percentile[repeats]: Any) -> Kind(Kind::Dynamic) = percentiles_array;

    /// Several percentiles of values that count as often as their weight says, as one array.
    ///
    /// Source: percentilesw-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | summarize percentilesw_array(x, x, 10, 50) // [1,3]
    /// ```
    kql Free costly fn percentilesw_array called "percentiles" (value: Any, weight: Integer, percentile[repeats]: Any) -> Kind(Kind::Dynamic) = percentilesw_array;
}
