//! The aggregates of Splunk's search language. Of a field that has several values each one counts, and their
//! results are fields.
mod counts;
mod extremes;
mod numbers;
mod percentiles;
mod sights;
pub mod sliding;
mod values;

use super::elements::Elements;
use super::{Aggregate, Rows, State, same};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Column, field};
use std::any::Any;

/// Every family of the language.
pub static FAMILIES: &[&[Aggregate]] =
    &[counts::ITEMS, extremes::ITEMS, numbers::ITEMS, percentiles::ITEMS, sights::ITEMS, values::ITEMS];

/// An aggregate of columns as one of fields: each value of a row is one of its own, and the result is a field.
struct OfFields(Box<dyn State>);

impl State for OfFields {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some((first, others)) = arguments.split_first() else { return self.0.update(rows, arguments) };
        let values = Elements::of(first, rows);
        if values.places.is_empty() {
            return self.0.update(rows, arguments);
        }
        let spread =
            Rows { context: rows.context, groups: &values.groups, count: rows.count, ordinals: &values.ordinals };
        let mut columns = vec![values.column.into_owned()];
        columns.extend(others.iter().filter(|column| column.is_const()).cloned());
        self.0.update(&spread, &columns)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        let other: OfFields = same(other)?;
        self.0.merge(other.0, into, count)
    }

    fn finish(self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        Ok(field::from_column(&self.0.finish(context, count)?))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
