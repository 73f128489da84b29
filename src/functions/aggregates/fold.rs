//! Aggregates whose state is one value per group that takes in row after row.
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::wire::{Reader, Writer};
use crate::types::{Builder, Column, Kind};
use std::any::Any;

/// The state of one group; the order of rows must not show in it.
pub trait Fold: Clone + Default + Send + 'static {
    fn take(&mut self, arguments: &[Column], row: usize);
    fn join(&mut self, other: Self);

    /// Whether it can be written down.
    const TRAVELS: bool = false;

    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut Reader) -> Result<Self> {
        Err(Fault::internal("the state of an aggregate that does not travel was read"))
    }

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

    fn bytes(&self) -> usize {
        self.groups.len() * size_of::<F>() + self.size * 32
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        F::TRAVELS.then_some(self as &mut dyn Wire)
    }
}

impl<F: Fold> Wire for Folded<F> {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.groups.len());
        self.groups.iter().for_each(|state| state.write(out));
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        self.groups = input.each(F::read)?;
        self.size = self.groups.iter().map(Fold::size).sum();
        Ok(())
    }
}
