//! Sums and what is made of them. Values that are no numbers are passed over.
use super::super::sum::Double;
use super::super::{Rows, State, same};
use super::OfFields;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Value};
use std::any::Any;

/// The numbers of a group: whole ones are summed as such, so that no order of adding shows in the answer.
#[derive(Clone, Copy, Default)]
pub struct Moments {
    count: u64,
    whole: i128,
    real: Double,
    /// How many numbers were real.
    fractions: u64,
    squares: Double,
}

impl Moments {
    #[inline]
    pub fn add(&mut self, number: Number) {
        self.count += 1;
        match number {
            Number::Long(long) => self.whole += i128::from(long),
            Number::Real(real) => {
                self.real.add(real);
                self.fractions += 1;
            }
        }
        self.squares.add(number.real() * number.real());
    }

    /// Takes back a number that was added.
    pub fn remove(&mut self, number: Number) {
        self.count -= 1;
        match number {
            Number::Long(long) => self.whole -= i128::from(long),
            Number::Real(real) => {
                self.real.add(-real);
                self.fractions -= 1;
            }
        }
        self.squares.add(-number.real() * number.real());
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    fn join(&mut self, other: &Moments) {
        self.count += other.count;
        self.whole += other.whole;
        self.real.join(other.real);
        self.fractions += other.fractions;
        self.squares.join(other.squares);
    }

    fn total(&self) -> f64 {
        self.whole as f64 + self.real.value()
    }

    pub fn sum(&self) -> Number {
        match i64::try_from(self.whole).ok().filter(|_| self.fractions == 0) {
            Some(long) => Number::Long(long),
            None => Number::Real(self.total()),
        }
    }

    pub fn mean(&self) -> f64 {
        self.total() / self.count as f64
    }

    /// The sum of squared distances from the mean, over so many.
    fn variance(&self, over: u64) -> f64 {
        if over == 0 {
            return 0.0;
        }
        let total = self.total();
        (self.squares.value() - total * total / self.count as f64).max(0.0) / over as f64
    }

    pub fn squares(&self) -> f64 {
        self.squares.value()
    }

    /// The variance of a sample.
    pub fn sample(&self) -> f64 {
        self.variance(self.count.saturating_sub(1))
    }

    /// The variance of a whole population.
    pub fn population(&self) -> f64 {
        self.variance(self.count)
    }
}

type Finish = fn(&Moments) -> Number;

struct Sums {
    groups: Vec<Moments>,
    finish: Finish,
}

impl State for Sums {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, Moments::default());
        let Some(argument) = arguments.first() else { return Ok(()) };
        let numbers = Numbers::of(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            if let Some(number) = numbers.get(row) {
                self.groups[group as usize].add(number);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, Moments::default());
        let other: Sums = same(other)?;
        into.iter().zip(&other.groups).for_each(|(&group, theirs)| self.groups[group as usize].join(theirs));
        Ok(())
    }

    /// A group without numbers has no value.
    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.groups.resize(count, Moments::default());
        let mut builder = FieldBuilder::new(None, count);
        for group in &self.groups {
            match group.count {
                0 => builder.push_null(),
                _ => builder.push_number((self.finish)(group)),
            }
        }
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn state(finish: Finish) -> Result<Box<dyn State>> {
    Ok(Box::new(OfFields(Box::new(Sums { groups: Vec::new(), finish }))))
}

fn sum(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(Moments::sum)
}

fn avg(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.mean()))
}

fn sumsq(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.squares()))
}

fn stdev(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.sample().sqrt()))
}

fn stdevp(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.population().sqrt()))
}

fn var(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.sample()))
}

fn varp(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group| Number::Real(group.population()))
}

crate::aggregates! {
    /// The sum of the numbers.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,2.5,b", ",") | stats sum(x) // 3.5
    /// ```
    spl Free cheap fn sum (value: Any) -> Kind(Kind::Field) = sum;

    /// The mean of the numbers.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,2,b", ",") | stats avg(x) // 1.5
    /// ```
    spl Free cheap fn avg as [mean] (value: Any) -> Kind(Kind::Field) = avg;

    /// The sum of the squares of the numbers.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("65,42,40,31,47,53,64", ",") | stats sumsq(x) // 17664
    /// ```
    spl Free cheap fn sumsq (value: Any) -> Kind(Kind::Field) = sumsq;

    /// The standard deviation of a sample; 0 of one number.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("65,42,40,31,47,53,64", ",") | stats stdev(x) as s | eval s=round(s, 6) // 12.615184
    /// ```
    spl Free cheap fn stdev (value: Any) -> Kind(Kind::Field) = stdev;

    /// The standard deviation of a whole population.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,3", ",") | stats stdevp(x) // 1
    /// ```
    spl Free cheap fn stdevp (value: Any) -> Kind(Kind::Field) = stdevp;

    /// The variance of a sample; 0 of one number.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,3", ",") | stats var(x) // 2
    /// ```
    spl Free cheap fn var (value: Any) -> Kind(Kind::Field) = var;

    /// The variance of a whole population.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,3", ",") | stats varp(x) // 1
    /// ```
    spl Free cheap fn varp (value: Any) -> Kind(Kind::Field) = varp;

    /// The sum, which `timechart` turns into one for each day.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=2 | eval x=5 | stats per_day(x) // 10
    /// ```
    spl Free cheap fn per_day (value: Any) -> Kind(Kind::Field) = sum;

    /// The sum, which `timechart` turns into one for each hour.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=2 | eval x=48 | stats per_hour(x) // 96
    /// ```
    spl Free cheap fn per_hour (value: Any) -> Kind(Kind::Field) = sum;

    /// The sum, which `timechart` turns into one for each minute.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=2 | eval x=120 | stats per_minute(x) // 240
    /// ```
    spl Free cheap fn per_minute (value: Any) -> Kind(Kind::Field) = sum;

    /// The sum, which `timechart` turns into one for each second.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=2 | eval x=120 | stats per_second(x) // 240
    /// ```
    spl Free cheap fn per_second (value: Any) -> Kind(Kind::Field) = sum;
}
