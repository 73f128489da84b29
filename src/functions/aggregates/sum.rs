//! Sums and what is made of them: exact, so that no order of adding shows in the answer.
use super::{Rows, State, Wire, decimals, same};
use crate::diagnostic::Result;
use crate::functions::{Context, arithmetic};
use crate::types::vectors::{exact_sums, wide};
use crate::types::wire::{Reader, Writer};
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
        self.add_finite(value);
    }

    /// As [`Self::add`], where the sum is finite.
    #[inline(always)]
    fn add_finite(&mut self, value: f64) {
        let sum = self.high + value;
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

    pub(super) fn write(&self, out: &mut Writer) {
        out.real(self.high);
        out.real(self.low);
    }

    pub(super) fn read(input: &mut Reader) -> Result<Double> {
        Ok(Double { high: input.real()?, low: input.real()? })
    }
}

/// Count, sum and sum of squares of a group.
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
    /// Of each group; apart, so that many groups fit into the processor's memory, and empty where not wanted.
    counts: Vec<i64>,
    wholes: Vec<i128>,
    reals: Vec<Double>,
    squared: Vec<Double>,
}

impl Sums {
    fn resize(&mut self, count: usize) {
        self.counts.resize(count, 0);
        match self.real {
            true => self.reals.resize(count, Double::default()),
            false => self.wholes.resize(count, 0),
        }
        if self.squares {
            self.squared.resize(count, Double::default());
        }
    }

    fn moments(&self, group: usize) -> Moments {
        let double = |all: &[Double]| all.get(group).copied().unwrap_or_default();
        Moments {
            count: self.counts.get(group).copied().unwrap_or(0),
            whole: self.wholes.get(group).copied().unwrap_or(0),
            real: double(&self.reals),
            squares: double(&self.squared),
        }
    }

    /// One group: several sums side by side, which the processor adds at once.
    fn add_all(&mut self, argument: &Column) {
        const WIDE: usize = 8;
        let values = arithmetic::reals(argument);
        if values.null_count() > 0 {
            return values.iter().flatten().for_each(|value| {
                self.counts[0] += 1;
                self.reals[0].add(value);
            });
        }
        let (chunks, rest) = values.values().as_chunks::<WIDE>();
        let mut sums = exact_sums(chunks).map(|(high, low)| Double { high, low });
        if !sums.iter().all(|sum| sum.high.is_finite() && sum.low.is_finite()) {
            sums = [Double::default(); WIDE];
            chunks.iter().for_each(|chunk| sums.iter_mut().zip(chunk).for_each(|(sum, value)| sum.add(*value)));
        }
        rest.iter().zip(&mut sums).for_each(|(value, sum)| sum.add(*value));
        self.counts[0] += values.len() as i64;
        sums.into_iter().for_each(|sum| self.reals[0].join(sum));
    }

    fn update_reals(&mut self, rows: &Rows, argument: &Column) {
        let values = arithmetic::reals(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            if values.is_valid(row) {
                let (value, group) = (values.value(row), group as usize);
                self.counts[group] += 1;
                self.reals[group].add(value);
                if self.squares {
                    self.squared[group].add(value * value);
                }
            }
        }
    }

    fn update_longs(&mut self, rows: &Rows, argument: &Column) {
        let values = arithmetic::longs(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            if values.is_valid(row) {
                let (value, group) = (values.value(row), group as usize);
                self.counts[group] += 1;
                self.wholes[group] += i128::from(value);
                if self.squares {
                    self.squared[group].add(value as f64 * value as f64);
                }
            }
        }
    }
}

impl State for Sums {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.resize(rows.count);
        match arguments.first() {
            Some(argument) if self.real && rows.count == 1 && !self.squares => self.add_all(argument),
            Some(argument) if self.real => self.update_reals(rows, argument),
            Some(argument) => self.update_longs(rows, argument),
            None => {}
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.resize(count);
        let other: Sums = same(other)?;
        for (at, &group) in into.iter().enumerate() {
            let (from, group) = (other.moments(at), group as usize);
            self.counts[group] += from.count;
            self.wholes.get_mut(group).into_iter().for_each(|own| *own += from.whole);
            self.reals.get_mut(group).into_iter().for_each(|own| own.join(from.real));
            self.squared.get_mut(group).into_iter().for_each(|own| own.join(from.squares));
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        let mut builder = Builder::new(self.result, count);
        (0..count).for_each(|group| (self.finish)(&self.moments(group), &mut builder));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn is_small(&self) -> bool {
        true
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for Sums {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.counts.len());
        self.counts.iter().for_each(|n| out.long(*n));
        out.count(self.wholes.len());
        self.wholes.iter().for_each(|sum| out.wide(*sum));
        for sums in [&self.reals, &self.squared] {
            out.count(sums.len());
            sums.iter().for_each(|sum| sum.write(out));
        }
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        self.counts = input.each(Reader::long)?;
        self.wholes = input.each(Reader::wide)?;
        self.reals = input.each(Double::read)?;
        self.squared = input.each(Double::read)?;
        Ok(())
    }
}

/// Sums of integers and ticks: nothing but the sums.
struct WholeSums {
    kind: Kind,
    groups: Vec<i128>,
}

/// The sum of integers, the lower and the upper halves of their bits apart: so no sum of fewer than 2^32 overflows.
fn total_of(values: &[i64]) -> i128 {
    let total = |values: &[i64]| {
        let (low, high) = wide(|| {
            values.iter().fold((0u64, 0u64), |(low, high), value| {
                // With the sign turned the numbers are in order from 0.
                let bits = *value as u64 ^ 1 << 63;
                (low + (bits & 0xffff_ffff), high + (bits >> 32))
            })
        });
        (i128::from(high) << 32) + i128::from(low) - ((values.len() as i128) << 63)
    };
    values.chunks(1 << 31).map(total).sum()
}

impl State for WholeSums {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, 0);
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = arithmetic::longs(argument);
        match values.nulls().filter(|n| n.null_count() > 0) {
            None if rows.count == 1 => self.groups[0] += total_of(values.values()),
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

    fn is_small(&self) -> bool {
        true
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for WholeSums {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.groups.len());
        self.groups.iter().for_each(|sum| out.wide(*sum));
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        self.groups = input.each(Reader::wide)?;
        Ok(())
    }
}

fn state(kinds: &[Kind], result: Kind, squares: bool, finish: Finish) -> Result<Box<dyn State>> {
    let real = matches!(kinds.first(), Some(Kind::Real | Kind::Decimal | Kind::Dynamic));
    Ok(Box::new(Sums {
        real,
        squares,
        result,
        finish,
        counts: Vec::new(),
        wholes: Vec::new(),
        reals: Vec::new(),
        squared: Vec::new(),
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_whole_sum() {
        let mut values = vec![i64::MIN, i64::MAX, -1, 0, 1, 7 << 40, -(9 << 50), i64::MIN, i64::MIN + 1];
        for _ in 0..6 {
            assert_eq!(total_of(&values), values.iter().map(|v| i128::from(*v)).sum::<i128>());
            values.extend_from_within(1..);
        }
    }

    #[test]
    fn sums_side_by_side_are_those_of_one_after_the_other() {
        let infinite = |at: usize| (0..40).map(move |i| if i == at { f64::INFINITY } else { i as f64 });
        for values in [infinite(3).collect::<Vec<f64>>(), infinite(39).collect(), vec![f64::MAX; 17], vec![0.1; 35]] {
            let mut sums = Sums {
                real: true,
                squares: false,
                result: Kind::Real,
                finish: total,
                counts: vec![0],
                wholes: Vec::new(),
                reals: vec![Double::default()],
                squared: Vec::new(),
            };
            sums.add_all(&Column::Real(values.clone().into()));
            let mut one = Double::default();
            values.iter().for_each(|value| one.add(*value));
            assert_eq!(sums.reals[0].value(), one.value());
        }
    }
}
