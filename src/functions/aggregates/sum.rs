//! Sums and what is made of them: exact, so that no order of adding shows in the answer.
use super::{Rows, State, decimals, same};
use crate::diagnostic::Result;
use crate::functions::{Context, arithmetic};
use crate::types::{Builder, Column, Kind, Value};
use arrow_array::Array;
use std::any::Any;

/// A real sum kept in two parts, rounded once at the end.
#[derive(Clone, Copy, Default)]
pub(super) struct Double {
    high: f64,
    low: f64,
}

impl Double {
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.high + value;
        if !sum.is_finite() {
            self.high = sum;
            self.low = 0.0;
            return;
        }
        let part = sum - self.high;
        self.low += (self.high - (sum - part)) + (value - part);
        self.high = sum;
    }

    pub(super) fn join(&mut self, other: Double) {
        self.add(other.high);
        self.low += other.low;
    }

    pub(super) fn value(self) -> f64 {
        self.high + self.low
    }
}

/// Count, sum and sum of squares of each group.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: i64,
    whole: i128,
    real: Double,
    squares: Double,
}

type Finish = fn(&Moments, &mut Builder);

struct Sums {
    /// Whether the argument is real; integers and ticks are summed as such.
    real: bool,
    squares: bool,
    result: Kind,
    finish: Finish,
    groups: Vec<Moments>,
}

impl Sums {
    fn update_reals(&mut self, rows: &Rows, argument: &Column) {
        let values = arithmetic::reals(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            if values.is_valid(row) {
                let (value, moments) = (values.value(row), &mut self.groups[group as usize]);
                moments.count += 1;
                moments.real.add(value);
                if self.squares {
                    moments.squares.add(value * value);
                }
            }
        }
    }

    fn update_longs(&mut self, rows: &Rows, argument: &Column) {
        let values = arithmetic::longs(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            if values.is_valid(row) {
                let (value, moments) = (values.value(row), &mut self.groups[group as usize]);
                moments.count += 1;
                moments.whole += i128::from(value);
                if self.squares {
                    moments.squares.add(value as f64 * value as f64);
                }
            }
        }
    }
}

impl State for Sums {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, Moments::default());
        match arguments.first() {
            Some(argument) if self.real => self.update_reals(rows, argument),
            Some(argument) => self.update_longs(rows, argument),
            None => {}
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, Moments::default());
        let other: Sums = same(other)?;
        for (&group, from) in into.iter().zip(other.groups) {
            let own = &mut self.groups[group as usize];
            own.count += from.count;
            own.whole += from.whole;
            own.real.join(from.real);
            own.squares.join(from.squares);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.groups.resize(count, Moments::default());
        let mut builder = Builder::new(self.result, count);
        self.groups.iter().for_each(|moments| (self.finish)(moments, &mut builder));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Sums of integers and ticks: nothing but the sums.
struct WholeSums {
    kind: Kind,
    groups: Vec<i128>,
}

impl State for WholeSums {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, 0);
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = arithmetic::longs(argument);
        match values.nulls().filter(|n| n.null_count() > 0) {
            None => {
                let each = rows.groups.iter().zip(values.values());
                each.for_each(|(&group, &value)| self.groups[group as usize] += i128::from(value));
            }
            Some(nulls) => {
                let each = rows.groups.iter().enumerate().filter(|(row, _)| nulls.is_valid(*row));
                each.for_each(|(row, &group)| self.groups[group as usize] += i128::from(values.value(row)));
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, 0);
        let other: WholeSums = same(other)?;
        into.iter().zip(other.groups).for_each(|(&group, sum)| self.groups[group as usize] += sum);
        Ok(())
    }

    /// A sum wraps as Kusto's does.
    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.groups.resize(count, 0);
        let mut builder = Builder::new(self.kind, count);
        self.groups.iter().for_each(|sum| builder.push_long(*sum as i64));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn state(kinds: &[Kind], result: Kind, squares: bool, finish: Finish) -> Result<Box<dyn State>> {
    let real = matches!(kinds.first(), Some(Kind::Real | Kind::Decimal | Kind::Dynamic));
    Ok(Box::new(Sums { real, squares, result, finish, groups: Vec::new() }))
}

fn total(moments: &Moments, builder: &mut Builder) {
    builder.push_real(moments.real.value() + moments.whole as f64);
}

fn mean(moments: &Moments, builder: &mut Builder) {
    match builder.kind() {
        Kind::TimeSpan | Kind::DateTime if moments.count == 0 => builder.push_null(),
        Kind::TimeSpan | Kind::DateTime => builder.push_long((moments.whole / i128::from(moments.count)) as i64),
        _ => builder.push_real((moments.real.value() + moments.whole as f64) / moments.count as f64),
    }
}

/// The sum of squared distances from the mean.
fn spread(moments: &Moments) -> f64 {
    let total = moments.real.value() + moments.whole as f64;
    (moments.squares.value() - total * total / moments.count as f64).max(0.0)
}

fn sample_variance(moments: &Moments) -> f64 {
    if moments.count < 2 { 0.0 } else { spread(moments) / (moments.count - 1) as f64 }
}

fn population_variance(moments: &Moments) -> f64 {
    if moments.count < 1 { 0.0 } else { spread(moments) / moments.count as f64 }
}

fn sum_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(Kind::Int | Kind::Bool) | None => Kind::Long,
        Some(Kind::Dynamic) => Kind::Real,
        Some(kind) => *kind,
    }
}

fn average_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(kind @ (Kind::TimeSpan | Kind::DateTime | Kind::Decimal)) => *kind,
        _ => Kind::Real,
    }
}

fn sum(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    match sum_kind(kinds) {
        Kind::Decimal => decimals::sum(),
        kind @ (Kind::Long | Kind::TimeSpan) => Ok(Box::new(WholeSums { kind, groups: Vec::new() })),
        kind => state(kinds, kind, false, total),
    }
}

fn average(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    match average_kind(kinds) {
        Kind::Decimal => decimals::average(),
        kind => state(kinds, kind, false, mean),
    }
}

fn stdev(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, Kind::Real, true, |m, b| b.push_real(sample_variance(m).sqrt()))
}

fn stdevp(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, Kind::Real, true, |m, b| b.push_real(population_variance(m).sqrt()))
}

fn variance(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, Kind::Real, true, |m, b| b.push_real(sample_variance(m)))
}

fn variancep(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(kinds, Kind::Real, true, |m, b| b.push_real(population_variance(m)))
}

crate::aggregates! {
    /// The sum; nulls are passed over. 0 over no rows.
    ///
    /// Source: sum-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize sum(x) // 6
    /// ```
    kql Free cheap fn sum called "sum" (value: Summable) -> Of(sum_kind) = sum;

    /// The mean; nulls are passed over. NaN over no rows.
    ///
    /// Source: avg-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | summarize avg(x) // 2.5
    /// ```
    kql Free cheap fn avg called "avg" (value: Ordered) -> Of(average_kind) = average;

    /// The standard deviation of a sample; 0 over fewer than two rows.
    ///
    /// Source: stdev-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize round(stdev(x), 4) // 1.5811
    /// ```
    kql Free cheap fn stdev called "stdev" (value: Number) -> Kind(Kind::Real) = stdev;

    /// The standard deviation of a whole population.
    ///
    /// Source: stdevp-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize round(stdevp(x), 4) // 1.4142
    /// ```
    kql Free cheap fn stdevp called "stdevp" (value: Number) -> Kind(Kind::Real) = stdevp;

    /// The variance of a sample; 0 over fewer than two rows.
    ///
    /// Source: variance-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize variance(x) // 2.5
    /// ```
    kql Free cheap fn variance called "variance" (value: Number) -> Kind(Kind::Real) = variance;

    /// The variance of a whole population.
    ///
    /// Source: variancep-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize variancep(x) // 2
    /// ```
    kql Free cheap fn variancep called "variancep" (value: Number) -> Kind(Kind::Real) = variancep;
}
