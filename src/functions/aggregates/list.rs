//! Lists: all values of a group, in the order of their rows.
use super::elements::Elements;
use super::held::Held;
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::array::inside_dynamic;
use crate::types::wire::{Reader, Writer, cut_off};
use crate::types::{Column, Kind, List as Lists, Value, field};
use std::any::Any;
use std::sync::Arc;

/// One value of a list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    group: u32,
    ordinal: u64,
    piece: u32,
    row: u32,
}

struct List {
    kind: Kind,
    nulls: bool,
    /// The largest number of values a list keeps: those of the smallest ordinals.
    most: usize,
    held: Held,
    entries: Vec<Entry>,
    /// The number of entries at which those beyond the largest size are dropped.
    prune_at: usize,
}

impl List {
    fn prune(&mut self) {
        if self.entries.len() < self.prune_at {
            return;
        }
        let mut kept = std::mem::take(&mut self.entries);
        capped(&mut kept, self.most);
        self.prune_at = kept.len().saturating_mul(2).max(PRUNE);
        let places: Vec<_> = kept.iter().map(|entry| (entry.piece, entry.row)).collect();
        if self.held.is_wasteful(places.len()) {
            self.held.keep(&places);
            kept.iter_mut().enumerate().for_each(|(row, entry)| (entry.piece, entry.row) = (0, row as u32));
        }
        self.entries = kept;
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.entries.len() > context.limits.values {
            true => Err(Fault::limit("values", "too many values in one list aggregate")),
            false => Ok(()),
        }
    }
}

/// Below this number of values none are dropped early.
const PRUNE: usize = 1 << 21;

/// Sorts by group and ordinal, and keeps the first `most` of each group.
fn capped(entries: &mut Vec<Entry>, most: usize) {
    by_group(entries);
    for own in entries.chunk_by_mut(|a, b| a.group == b.group) {
        // A thread's rows are in order; those of several threads are a few runs, which a stable sort puts together.
        if !own.is_sorted_by_key(|entry| entry.ordinal) {
            own.sort_by_key(|entry| (entry.ordinal, entry.piece, entry.row));
        }
    }
    let (mut group, mut size) = (u32::MAX, 0);
    entries.retain(|entry| {
        size = if entry.group == group { size + 1 } else { 1 };
        group = entry.group;
        size <= most
    });
}

/// Brings the entries of each group together, those of a group in the order they had.
fn by_group(entries: &mut Vec<Entry>) {
    let groups = entries.iter().map(|entry| entry.group as usize + 1).max().unwrap_or(0);
    if groups > entries.len().saturating_mul(4) {
        return entries.sort_by_key(|entry| entry.group);
    }
    let mut next = vec![0usize; groups + 1];
    entries.iter().for_each(|entry| next[entry.group as usize + 1] += 1);
    (1..next.len()).for_each(|group| next[group] += next[group - 1]);
    let mut sorted = entries.clone();
    for entry in entries.iter() {
        let place = &mut next[entry.group as usize];
        sorted[*place] = *entry;
        *place += 1;
    }
    *entries = sorted;
}

impl State for List {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = Elements::of(argument, rows);
        let piece = self.held.add(&values.column);
        let nulls = values.column.null_buffer().filter(|_| !self.nulls);
        let given = values.groups.iter().zip(values.ordinals.iter()).enumerate();
        let kept = given.filter(|(row, _)| nulls.as_ref().is_none_or(|n| n.is_valid(*row)));
        self.entries.extend(kept.map(|(row, (&group, &ordinal))| Entry { group, ordinal, piece, row: row as u32 }));
        self.prune();
        self.bounded(rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let other: List = same(other)?;
        let first = self.held.absorb(other.held);
        self.entries.extend(other.entries.iter().filter_map(|entry| {
            let group = *into.get(entry.group as usize)?;
            Some(Entry { group, piece: entry.piece + first, ..*entry })
        }));
        self.prune();
        Ok(())
    }

    fn finish(mut self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        self.bounded(context)?;
        capped(&mut self.entries, self.most);
        let mut offsets = vec![0u32; count + 1];
        for entry in &self.entries {
            if let Some(size) = offsets.get_mut(entry.group as usize + 1) {
                *size += 1;
            }
        }
        for group in 1..offsets.len() {
            offsets[group] += offsets[group - 1];
        }
        let places: Vec<_> = self.entries.iter().map(|entry| (entry.piece, entry.row)).collect();
        let items = self.held.column(&places).unwrap_or_else(|| Column::nulls(self.kind, 0));
        if self.kind == Kind::Field {
            return Ok(field::lists(offsets, items));
        }
        Ok(Column::List(Lists { offsets: offsets.into(), nulls: None, items: Arc::new(inside_dynamic(items)) }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.held.bytes()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        (self.kind != Kind::Field).then_some(self)
    }
}

impl Wire for List {
    fn write(&mut self, out: &mut Writer) {
        capped(&mut self.entries, self.most);
        out.count(self.entries.len());
        for entry in &self.entries {
            out.count(entry.group as usize);
            out.long(entry.ordinal.cast_signed());
        }
        let places: Vec<_> = self.entries.iter().map(|entry| (entry.piece, entry.row)).collect();
        out.column(&self.held.column(&places).unwrap_or_else(|| Column::nulls(self.kind, 0)));
    }

    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()> {
        let entry = |input: &mut Reader| Ok((input.number(groups)? as u32, input.long()?.cast_unsigned()));
        let entries = input.each(entry)?;
        let values = input.column()?;
        if values.len() != entries.len() {
            return Err(cut_off());
        }
        let piece = self.held.add(&values);
        let numbered = entries.into_iter().zip(0..);
        self.entries = numbered.map(|((group, ordinal), row)| Entry { group, ordinal, piece, row }).collect();
        Ok(())
    }
}

/// The largest size of a list.
pub(super) const LARGEST: usize = 1_048_576;

/// The size that the second argument states.
pub(super) fn most(constants: &[Option<Value>], otherwise: usize) -> usize {
    let given = constants.get(1).and_then(|constant| constant.as_ref()?.as_long());
    given.and_then(|most| usize::try_from(most).ok()).map_or(otherwise, |most| most.min(LARGEST))
}

pub(super) fn list(kinds: &[Kind], most: usize, nulls: bool) -> Result<Box<dyn State>> {
    let kind = kinds.first().copied().unwrap_or(Kind::Dynamic);
    Ok(Box::new(List { kind, nulls, most, held: Held::default(), entries: Vec::new(), prune_at: PRUNE }))
}

fn make_list(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    list(kinds, most(constants, LARGEST), false)
}

fn makelist(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    list(kinds, most(constants, 128), false)
}

fn make_list_with_nulls(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    list(kinds, LARGEST, true)
}

crate::aggregates! {
    /// The values as an array, in the order of the rows; nulls are passed over. At most `most` of them, 1,048,576
    /// unless said otherwise.
    ///
    /// Of a value that is an array the elements are taken.
    ///
    /// Source: make-list-aggregation-function.
    ///
    /// ```kql
    /// print x = dynamic([[1, 2], [3]]) | mv-expand x | summarize make_list(x) // [1,2,3]
    /// range x from 1 to 5 step 1 | summarize make_list(x % 3) // [1,2,0,1,2]
    /// range x from 1 to 5 step 1 | summarize make_list(x, 2) // [1,2]
    /// ```
    kql Rows costly fn make_list called "list" (value: Any, most[optional]: Integer) -> Kind(Kind::Dynamic) = make_list;

    /// The deprecated spelling of `make_list`: at most 128 values unless said otherwise.
    ///
    /// Source: makelist-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 500 step 1 | summarize array_length(makelist(x)) // 128
    /// ```
    kql Rows costly fn makelist called "list" (value: Any, most[optional]: Integer) -> Kind(Kind::Dynamic) = makelist;

    /// The values as an array, in the order of the rows, nulls included.
    ///
    /// Source: make-list-with-nulls-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize make_list_with_nulls(iff(x == 2, long(null), x)) // [1,null,3]
    /// ```
    kql Rows costly fn make_list_with_nulls called "list" (value: Any) -> Kind(Kind::Dynamic) = make_list_with_nulls;
}
