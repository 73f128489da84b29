//! Percentiles and the median, exact however many values there are.
use super::super::percentile::Weights;
use super::super::{Rows, State, same};
use super::OfFields;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Value, numbers};
use std::any::Any;

/// The value of a sorted group.
type Finish = fn(&[(f64, u64)], f64) -> f64;

struct Percentile {
    weights: Weights,
    percentile: f64,
    finish: Finish,
}

impl State for Percentile {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = Numbers::of(argument);
        let reals = numbers(rows.groups.len(), |row| values.get(row).map(Number::real));
        self.weights.update(rows, &[Column::Real(reals)])
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let other: Percentile = same(other)?;
        self.weights.merge(other.weights, into);
        Ok(())
    }

    fn finish(self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        let mut builder = FieldBuilder::new(None, count);
        self.weights.each_group(context, count, |values| match values.is_empty() {
            true => builder.push_null(),
            false => builder.push_number(plain((self.finish)(values, self.percentile))),
        })?;
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn plain(real: f64) -> Number {
    Number::Real(real).long().map_or(Number::Real(real), Number::Long)
}

/// The value at a place, counted from 0, of values that occur so often.
fn at(values: &[(f64, u64)], place: u64) -> f64 {
    let mut seen = 0u64;
    let found = values.iter().find(|(_, times)| {
        seen = seen.saturating_add(*times);
        seen > place
    });
    found.or(values.last()).map_or(f64::NAN, |(value, _)| *value)
}

fn total(values: &[(f64, u64)]) -> u64 {
    values.iter().map(|(_, times)| *times).sum()
}

/// Between the two values that are nearest to the percentile's place.
fn between(values: &[(f64, u64)], percentile: f64) -> f64 {
    let place = percentile * total(values).saturating_sub(1) as f64 / 100.0;
    let (low, high) = (at(values, place.floor() as u64), at(values, place.ceil() as u64));
    let fraction = place.fract();
    low + (high - low) * fraction
}

/// The value in the middle; of two the higher one.
fn middle(values: &[(f64, u64)], _: f64) -> f64 {
    at(values, total(values) / 2)
}

fn state(percentile: f64, finish: Finish) -> Result<Box<dyn State>> {
    let weights = Weights::new(Kind::Real, false);
    Ok(Box::new(OfFields(Box::new(Percentile { weights, percentile, finish }))))
}

fn percentile(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    let given = constants.get(1).and_then(|constant| constant.as_ref()?.as_real());
    state(given.unwrap_or(50.0).clamp(0.0, 100.0), between)
}

fn median(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(50.0, middle)
}

crate::aggregates! {
    /// The value below which so many percent of the numbers lie: `perc95(x)`, or `p95(x)`. Between two values it is
    /// in proportion.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=mvrange(1, 11) | stats perc50(x) // 5.5
    /// | makeresults | eval x=mvrange(1, 11) | stats p95(x) // 9.55
    /// ```
    spl Free costly fn perc (value: Any, percent: Any) -> Kind(Kind::Field) = percentile;

    /// The same as `perc`, which is exact here.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=mvrange(1, 4) | stats exactperc99.5(x) // 2.99
    /// ```
    spl Free costly fn exactperc (value: Any, percent: Any) -> Kind(Kind::Field) = percentile;

    /// The same as `perc`, which is exact here.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=mvrange(1, 4) | stats upperperc50(x) // 2
    /// ```
    spl Free costly fn upperperc (value: Any, percent: Any) -> Kind(Kind::Field) = percentile;

    /// The number in the middle; of two the higher one.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("37,58,8,34,13,74,38", ",") | stats median(x) // 37
    /// | makeresults | eval x=mvrange(1, 5) | stats median(x) // 3
    /// ```
    spl Free costly fn median (value: Any) -> Kind(Kind::Field) = median;
}
