//! Aggregates whose state is one value per group that takes in row after row.
use super::{Rows, State, same};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Builder, Column, Kind};
use std::any::Any;

/// The state of one group; the order of rows must not show in it.
pub trait Fold: Clone + Default + Send + 'static {
    fn take(&mut self, arguments: &[Column], row: usize);
    fn join(&mut self, other: Self);
}

/// The states of all groups.
pub struct Folded<F> {
    groups: Vec<F>,
    result: Kind,
    write: fn(&F, &mut Builder),
}

impl<F: Fold> Folded<F> {
    /// A state whose results, of kind `result`, `write` appends.
    pub fn boxed(result: Kind, write: fn(&F, &mut Builder)) -> Box<dyn State> {
        Box::new(Folded { groups: Vec::new(), result, write })
    }
}

impl<F: Fold> State for Folded<F> {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, F::default());
        for (row, &group) in rows.groups.iter().enumerate() {
            if let Some(state) = self.groups.get_mut(group as usize) {
                state.take(arguments, row);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, F::default());
        let other: Folded<F> = same(other)?;
        for (&group, from) in into.iter().zip(other.groups) {
            if let Some(state) = self.groups.get_mut(group as usize) {
                state.join(from);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.groups.resize(count, F::default());
        let mut builder = Builder::new(self.result, count);
        self.groups.iter().for_each(|state| (self.write)(state, &mut builder));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
