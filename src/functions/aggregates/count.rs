//! Counting.
use super::{Rows, State, Wire, same};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Value};
use arrow_array::Int64Array;
use std::any::Any;

#[derive(Default)]
struct Count(Vec<i64>);

impl State for Count {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.0.resize(rows.count, 0);
        match arguments.first().and_then(Column::null_buffer) {
            None if rows.count == 1 => self.0[0] += rows.groups.len() as i64,
            None => rows.groups.iter().for_each(|&g| self.0[g as usize] += 1),
            Some(nulls) => {
                let valid = rows.groups.iter().enumerate().filter(|(row, _)| nulls.is_valid(*row));
                valid.for_each(|(_, &g)| self.0[g as usize] += 1);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.0.resize(count, 0);
        let other: Count = same(other)?;
        into.iter().zip(other.0).for_each(|(&group, n)| self.0[group as usize] += n);
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.0.resize(count, 0);
        Ok(Column::Long(Int64Array::from(self.0)))
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

impl Wire for Count {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.0.len());
        self.0.iter().for_each(|n| out.long(*n));
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        self.0 = input.each(Reader::long)?;
        Ok(())
    }
}

pub(super) fn count(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(Count::default()))
}

crate::aggregates! {
    /// The number of rows.
    ///
    /// Source: count-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize count() // 3
    /// ```
    kql Free cheap fn count called "count" () -> Kind(Kind::Long) = count;
}
