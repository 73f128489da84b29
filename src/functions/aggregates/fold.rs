//! Aggregates whose state is one value per group that takes in row after row.
use super::{Rows, State, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::{Builder, Column, Kind};
use std::any::Any;

/// The state of one group; the order of rows must not show in it.
pub trait Fold: Clone + Default + Send + 'static {
    fn take(&mut self, arguments: &[Column], row: usize);
    fn join(&mut self, other: Self);

    /// How many values it holds, where that grows with the rows.
    fn size(&self) -> usize {
        0
    }
}

/// The states of all groups.
pub struct Folded<F> {
    groups: Vec<F>,
    /// The values of all groups.
    size: usize,
    result: Kind,
    write: fn(&F, &mut Builder),
}

impl<F: Fold> Folded<F> {
    /// A state whose results, of kind `result`, `write` appends.
    pub fn boxed(result: Kind, write: fn(&F, &mut Builder)) -> Box<dyn State> {
        Box::new(Folded { groups: Vec::new(), size: 0, result, write })
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.size > context.limits.values {
            true => Err(Fault::limit("values", "too many values in one aggregate")),
            false => Ok(()),
        }
    }
}

impl<F: Fold> State for Folded<F> {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize(rows.count, F::default());
        for (row, &group) in rows.groups.iter().enumerate() {
            if let Some(state) = self.groups.get_mut(group as usize) {
                let before = state.size();
                state.take(arguments, row);
                self.size += state.size().saturating_sub(before);
            }
        }
        self.bounded(rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize(count, F::default());
        let other: Folded<F> = same(other)?;
        for (&group, from) in into.iter().zip(other.groups) {
            if let Some(state) = self.groups.get_mut(group as usize) {
                let before = state.size();
                state.join(from);
                self.size += state.size().saturating_sub(before);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        self.bounded(context)?;
        self.groups.resize(count, F::default());
        let mut builder = Builder::new(self.result, count);
        self.groups.iter().for_each(|state| (self.write)(state, &mut builder));
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
