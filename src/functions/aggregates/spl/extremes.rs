//! The least and the greatest value: numbers by size; texts by their characters, greater than any number.
use super::super::{Rows, State, same};
use super::OfFields;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Value};
use std::any::Any;
use std::sync::Arc;

/// What is known of a group.
#[derive(Clone, Default)]
struct Extremes {
    least: Option<Number>,
    greatest: Option<Number>,
    first: Option<Arc<str>>,
    last: Option<Arc<str>>,
}

impl Extremes {
    fn offer(&mut self, number: Number) {
        if self.least.is_none_or(|known| number.order(known).is_some_and(|order| order.is_lt())) {
            self.least = Some(number);
        }
        if self.greatest.is_none_or(|known| number.order(known).is_some_and(|order| order.is_gt())) {
            self.greatest = Some(number);
        }
    }

    /// The text is only copied where it is the first or the last so far.
    fn offer_text(&mut self, text: &str) {
        if self.first.as_deref().is_none_or(|known| text < known) {
            self.first = Some(text.into());
        }
        if self.last.as_deref().is_none_or(|known| text > known) {
            self.last = Some(text.into());
        }
    }

    fn join(&mut self, other: Extremes) {
        [other.least, other.greatest].into_iter().flatten().for_each(|number| self.offer(number));
        [other.first, other.last].into_iter().flatten().for_each(|text| self.offer_text(&text));
    }
}

type Finish = fn(&Extremes, &mut FieldBuilder);

struct ExtremeValues {
    groups: Vec<Extremes>,
    finish: Finish,
}

impl State for ExtremeValues {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, Extremes::default());
        let Some(argument) = arguments.first() else { return Ok(()) };
        let numbers = Numbers::of(argument);
        for (row, &group) in rows.groups.iter().enumerate() {
            match numbers.get(row) {
                Some(number) if !number.real().is_nan() => self.groups[group as usize].offer(number),
                _ => {
                    if let Some(text) = field::text(argument, row) {
                        self.groups[group as usize].offer_text(&text);
                    }
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, Extremes::default());
        let other: ExtremeValues = same(other)?;
        for (&group, theirs) in into.iter().zip(other.groups) {
            self.groups[group as usize].join(theirs);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.groups.resize(count, Extremes::default());
        let mut builder = FieldBuilder::new(None, count);
        self.groups.iter().for_each(|group| (self.finish)(group, &mut builder));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn state(finish: Finish) -> Result<Box<dyn State>> {
    Ok(Box::new(OfFields(Box::new(ExtremeValues { groups: Vec::new(), finish }))))
}

fn push(number: Option<Number>, text: Option<&str>, out: &mut FieldBuilder) {
    match (number, text) {
        (Some(number), _) => out.push_number(number),
        (None, Some(text)) => out.push_text(text),
        (None, None) => out.push_null(),
    }
}

fn min(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group, out| push(group.least, group.first.as_deref(), out))
}

fn max(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group, out| push(group.greatest.filter(|_| group.last.is_none()), group.last.as_deref(), out))
}

fn range(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    state(|group, out| match (group.greatest, group.least) {
        (Some(Number::Long(most)), Some(Number::Long(least))) if most.checked_sub(least).is_some() => {
            out.push_number(Number::Long(most - least));
        }
        (Some(most), Some(least)) => out.push_number(Number::Real(most.real() - least.real())),
        _ => out.push_null(),
    })
}

crate::aggregates! {
    /// The least value: the least number, or the first text where no value is a number.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("10,9,b", ",") | stats min(x) // 9
    /// | makeresults | eval x=split("b,a", ",") | stats min(x) // a
    /// ```
    spl Free cheap fn min (value: Any) -> Kind(Kind::Field) = min;

    /// The greatest value: the last text, or the greatest number where every value is one.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("10,9", ",") | stats max(x) // 10
    /// | makeresults | eval x=split("10,a", ",") | stats max(x) // a
    /// ```
    spl Free cheap fn max (value: Any) -> Kind(Kind::Field) = max;

    /// The greatest number less the least one.
    ///
    /// Source: Splunk Search Reference, aggregate functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("10,9,4.5", ",") | stats range(x) // 5.5
    /// ```
    spl Free cheap fn range (value: Any) -> Kind(Kind::Field) = range;
}
