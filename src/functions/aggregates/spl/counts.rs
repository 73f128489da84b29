//! How many values there are, and how many different ones.
use super::super::{Rows, State, count, distinct_count, same};
use super::OfFields;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Field, Kind, Value};
use std::any::Any;
use std::collections::HashMap;

fn count(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(OfFields(count::count(kinds, constants)?)))
}

fn distinct(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(OfFields(distinct_count::dcount(kinds, constants)?)))
}

/// The error of a count that is exact.
struct NoError;

impl State for NoError {
    fn update(&mut self, _: &Rows, _: &[Column]) -> Result<()> {
        Ok(())
    }

    fn merge(&mut self, _: Box<dyn State>, _: &[u32], _: usize) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        Ok(Column::Field(Field::Long(vec![0; count].into())))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn no_error(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(NoError))
}

/// How often each group holds each value.
#[derive(Default)]
struct Mode {
    values: Interner,
    counts: HashMap<(u32, u32), u64>,
}

impl State for Mode {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        let numbers = self.values.numbers(argument);
        for (&group, number) in rows.groups.iter().zip(numbers) {
            if number != NULL {
                *self.counts.entry((group, number)).or_default() += 1;
            }
        }
        match self.counts.len() > rows.context.limits.values {
            true => Err(Fault::limit("values", "too many distinct values in one aggregate")),
            false => Ok(()),
        }
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let other: Mode = same(other)?;
        let known = self.values.absorb(&other.values);
        for ((group, number), count) in other.counts {
            if let Some(group) = into.get(group as usize) {
                *self.counts.entry((*group, known.at(number))).or_default() += count;
            }
        }
        Ok(())
    }

    /// Of values that are as frequent the first one by its characters.
    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        let all: Vec<u32> = (0..self.values.len() as u32).collect();
        let texts = self.values.column(Kind::Field, &all);
        let text = |number: u32| texts.text(number as usize).unwrap_or_default();
        let mut best: Vec<Option<(u64, u32)>> = vec![None; count];
        for ((group, number), times) in self.counts {
            let Some(known) = best.get_mut(group as usize) else { continue };
            let better = |(most, first): (u64, u32)| times > most || (times == most && text(number) < text(first));
            if known.is_none_or(better) {
                *known = Some((times, number));
            }
        }
        let numbers: Vec<u32> = best.into_iter().map(|best| best.map_or(NULL, |(_, number)| number)).collect();
        Ok(self.values.column(Kind::Field, &numbers))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn mode(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(OfFields(Box::new(Mode { values: Interner::new(Kind::Field), counts: HashMap::new() }))))
}

crate::aggregates! {
    /// The number of rows, or of the values of a field; of rows for which `count(eval(condition))` holds.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults count=3 | stats count // 3
    /// | makeresults | eval x=split("a,b", ",") | stats count(x) // 2
    /// | makeresults count=3 | eval n=2 | stats count(eval(n > 1)) // 3
    /// ```
    spl Free cheap fn count as [c] (value[optional]: Any) -> Kind(Kind::Field) = count;

    /// The number of different values, as texts: `1` and `1.0` are two.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("1,1.0,01,1", ",") | stats dc(x) // 3
    /// ```
    spl Free cheap fn dc as [distinct_count] (value: Any) -> Kind(Kind::Field) = distinct;

    /// The number of different values: exact here, where Splunk estimates it.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults count=5 | stats estdc(_time) // 1
    /// ```
    spl Free cheap fn estdc (value: Any) -> Kind(Kind::Field) = distinct;

    /// The error of `estdc`: none, for it is exact here.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults count=5 | stats estdc_error(_time) // 0
    /// ```
    spl Free cheap fn estdc_error (value: Any) -> Kind(Kind::Field) = no_error;

    /// The most frequent value, as a text; of several the first by its characters.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("b,a,b", ",") | stats mode(x) // b
    /// ```
    spl Free costly fn mode (value: Any) -> Kind(Kind::Field) = mode;
}
