//! Percentiles by nearest rank, exact: from how often each value occurs.
use super::arg::{ordered, unordered};
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, arithmetic};
use crate::types::wire::{Reader, Writer};
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
    /// Rows that count once, not yet put together.
    fresh: Vec<Fresh>,
    fresh_rows: usize,
    counted: Vec<Counted>,
    /// The length at which equal values are put together again.
    pack_at: usize,
}

/// The rows of an update: groups and values, none of them null.
struct Fresh {
    groups: Vec<u32>,
    keys: Int64Array,
}

/// As many values may be held before equal ones are put together.
const PACK: usize = 1 << 24;

impl Weights {
    fn bytes(&self) -> usize {
        self.fresh_rows * 12 + self.counted.len() * size_of::<Counted>()
    }

    pub(super) fn new(kind: Kind, weighted: bool) -> Weights {
        Weights { kind, weighted, fresh: Vec::new(), fresh_rows: 0, counted: Vec::new(), pack_at: PACK }
    }

    pub(super) fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(value) = arguments.first() else { return Ok(()) };
        let keys = keys(value, self.kind);
        match arguments.get(1).filter(|_| self.weighted).map(arithmetic::longs) {
            None if keys.null_count() == 0 => {
                self.add(Fresh { groups: rows.groups.to_vec(), keys });
            }
            None => {
                let each = rows.groups.iter().zip(keys.iter()).filter_map(|(group, key)| Some((*group, key?)));
                let (groups, keys): (Vec<u32>, Vec<i64>) = each.unzip();
                self.add(Fresh { groups, keys: keys.into() });
            }
            Some(weights) => {
                for (&group, (key, weight)) in rows.groups.iter().zip(keys.iter().zip(weights.iter())) {
                    if let (Some(key), Ok(weight @ 1..)) = (key, u64::try_from(weight.unwrap_or(0))) {
                        self.counted.push(Counted { group, key, weight });
                    }
                }
            }
        }
        self.pack(rows.context)
    }

    pub(super) fn merge(&mut self, other: Weights, into: &[u32]) {
        let place = |group: &mut u32| *group = into.get(*group as usize).copied().unwrap_or(*group);
        for mut fresh in other.fresh {
            fresh.groups.iter_mut().for_each(place);
            self.add(fresh);
        }
        self.counted.extend(other.counted.into_iter().map(|mut one| {
            place(&mut one.group);
            one
        }));
    }

    fn add(&mut self, fresh: Fresh) {
        self.fresh_rows += fresh.groups.len();
        self.fresh.push(fresh);
    }

    fn held(&self) -> usize {
        self.fresh_rows + self.counted.len()
    }

    /// Puts equal values together where many are held.
    fn pack(&mut self, context: &Context) -> Result<()> {
        if self.held() < self.pack_at.min(context.limits.values) {
            return Ok(());
        }
        self.put_together();
        self.pack_at = self.counted.len().saturating_mul(2).max(PACK);
        match self.counted.len() > context.limits.values {
            true => Err(Fault::limit("values", "too many distinct values in one percentile aggregate")),
            false => Ok(()),
        }
    }

    fn put_together(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.fresh_rows = 0;
        for Fresh { groups, keys } in fresh {
            let each = groups.into_iter().zip(keys.values().iter().copied());
            self.counted.extend(each.map(|(group, key)| Counted { group, key, weight: 1 }));
        }
        self.counted.sort_unstable();
        self.counted.dedup_by(|next, kept| {
            let same = (next.group, next.key) == (kept.group, kept.key);
            if same {
                kept.weight = kept.weight.saturating_add(next.weight);
            }
            same
        });
    }

    /// Hands the values of each group with their weights to `visit`, ascending, group by group; of reals only.
    pub(super) fn each_group(
        mut self,
        context: &Context,
        count: usize,
        mut visit: impl FnMut(&[(f64, u64)]),
    ) -> Result<()> {
        self.pack(context)?;
        self.put_together();
        let mut rest = self.counted.as_slice();
        let mut values = Vec::new();
        for group in 0..count as u32 {
            let (own, others) = rest.split_at(rest.partition_point(|counted| counted.group <= group));
            values.clear();
            values.extend(own.iter().map(|counted| (unordered(counted.key), counted.weight)));
            visit(&values);
            rest = others;
        }
        Ok(())
    }

    /// The values at the percentiles of each group, group by group.
    fn percentiles(mut self, context: &Context, count: usize, percentiles: &[f64]) -> Result<Column> {
        self.pack(context)?;
        let kind = self.kind;
        let mut builder = Builder::new(kind, count * percentiles.len());
        let mut push = |key: Option<i64>| match key {
            Some(key) => builder.push(&value_of(key, kind)),
            None => builder.push_null(),
        };
        if self.counted.is_empty() {
            let (starts, mut keys) = by_group(&self.fresh, count);
            for window in starts.windows(2) {
                let own = keys.get_mut(window[0] as usize..window[1] as usize).unwrap_or_default();
                percentiles.iter().for_each(|percentile| push(of_plain(own, *percentile)));
            }
            return Ok(builder.finish());
        }
        self.put_together();
        let mut rest = self.counted.as_slice();
        for group in 0..count as u32 {
            let (own, others) = rest.split_at(rest.partition_point(|counted| counted.group <= group));
            percentiles.iter().for_each(|percentile| push(at_percentile(own, *percentile)));
            rest = others;
        }
        Ok(builder.finish())
    }
}

/// The values of each group, between its starts.
fn by_group(fresh: &[Fresh], groups: usize) -> (Vec<u32>, Vec<i64>) {
    let mut starts = vec![0u32; groups + 1];
    fresh.iter().flat_map(|fresh| &fresh.groups).for_each(|group| starts[*group as usize + 1] += 1);
    (1..starts.len()).for_each(|group| starts[group] += starts[group - 1]);
    if groups == 1 {
        return (starts, fresh.iter().flat_map(|fresh| fresh.keys.values()).copied().collect());
    }
    let mut next = starts.clone();
    let mut values = vec![0; starts.last().map_or(0, |end| *end as usize)];
    for Fresh { groups, keys } in fresh {
        for (group, key) in groups.iter().zip(keys.values()) {
            let place = &mut next[*group as usize];
            values[*place as usize] = *key;
            *place += 1;
        }
    }
    (starts, values)
}

/// The value at a percentile of values that count once each; brings them into another order.
fn of_plain(keys: &mut [i64], percentile: f64) -> Option<i64> {
    let last = keys.len().checked_sub(1)?;
    let rank = nearest_rank(keys.len() as f64, percentile);
    let (_, key, _) = keys.select_nth_unstable((rank.max(1.0) as usize - 1).min(last));
    Some(*key)
}

/// The keys of the values, none for null and NaN.
fn keys(column: &Column, kind: Kind) -> Int64Array {
    if kind == Kind::Real {
        let reals: Float64Array = arithmetic::reals(&convert::lenient(column, Kind::Real));
        if reals.null_count() == 0 && !reals.values().iter().any(|real| real.is_nan()) {
            return reals.values().iter().map(|real| ordered(*real)).collect::<Vec<i64>>().into();
        }
        return reals.iter().map(|real| real.filter(|real| !real.is_nan()).map(ordered)).collect();
    }
    arithmetic::longs(column)
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
        self.weights.merge(other.weights, into);
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

    fn bytes(&self) -> usize {
        self.weights.bytes()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for Percentile {
    fn write(&mut self, out: &mut Writer) {
        self.weights.put_together();
        out.count(self.weights.counted.len());
        for counted in &self.weights.counted {
            out.count(counted.group as usize);
            out.long(counted.key);
            out.long(counted.weight as i64);
        }
    }

    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()> {
        self.weights.counted = input.each(|input| {
            let group = input.number(groups)? as u32;
            Ok(Counted { group, key: input.long()?, weight: input.long()? as u64 })
        })?;
        Ok(())
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
