//! Lists: all values of a group, in the order of their rows.
use super::elements::Elements;
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::array::inside_dynamic;
use crate::types::distribute::{NOWHERE, distribute};
use crate::types::wire::{Reader, Writer, cut_off};
use crate::types::{Column, Kind, List as Lists, Value, field, gather};
use std::any::Any;
use std::sync::Arc;

struct List {
    kind: Kind,
    nulls: bool,
    /// The largest number of values a list keeps: those of the smallest ordinals.
    most: usize,
    parts: Vec<Part>,
    /// How many values each group has.
    sizes: Vec<u32>,
    /// How many values there are.
    held: usize,
    /// Whether the parts follow each other in the order of their ordinals, and no group has more than the most.
    settled: bool,
    /// The number of values at which the parts are settled, so that those beyond the largest size go.
    settle_at: usize,
}

/// The values of an update.
struct Part {
    values: Column,
    /// The group of each value; [`NOWHERE`] for one that is in no list.
    groups: Vec<u32>,
    ordinals: Ordinals,
}

/// The ordinals of a part's values.
enum Ordinals {
    /// One after the other from this one on.
    From(u64),
    Each(Vec<u64>),
}

impl Ordinals {
    fn of(ordinals: &[u64]) -> Ordinals {
        match ordinals {
            [first, ..] if ordinals.windows(2).all(|pair| pair[0].wrapping_add(1) == pair[1]) => Ordinals::From(*first),
            _ => Ordinals::Each(ordinals.to_vec()),
        }
    }

    fn at(&self, row: usize) -> u64 {
        match self {
            Ordinals::From(first) => first + row as u64,
            Ordinals::Each(ordinals) => ordinals.get(row).copied().unwrap_or(u64::MAX),
        }
    }

    fn ascend(&self) -> bool {
        match self {
            Ordinals::From(_) => true,
            Ordinals::Each(ordinals) => ordinals.is_sorted(),
        }
    }
}

impl Part {
    fn new(values: Column, groups: Vec<u32>, ordinals: &[u64]) -> Part {
        Part { values, groups, ordinals: Ordinals::of(ordinals) }
    }

    fn first(&self) -> u64 {
        self.ordinals.at(0)
    }

    fn last(&self) -> u64 {
        self.ordinals.at(self.groups.len().saturating_sub(1))
    }

    /// The values that are in a list, and no others.
    fn compacted(self) -> Part {
        let rows: Vec<u32> =
            (0..self.groups.len() as u32).filter(|row| self.groups[*row as usize] != NOWHERE).collect();
        let ordinals: Vec<u64> = rows.iter().map(|row| self.ordinals.at(*row as usize)).collect();
        let groups = rows.iter().map(|row| self.groups[*row as usize]).collect();
        Part::new(gather::compact(gather::take(&self.values, &rows)), groups, &ordinals)
    }
}

/// Below this number of values none are dropped early.
const SETTLE: usize = 1 << 21;

impl List {
    /// Takes in a part that comes after all others.
    fn add(&mut self, mut part: Part) {
        let kept = self.admit(&mut part.groups);
        self.held += kept;
        match kept {
            0 => {}
            kept if kept * 4 < part.groups.len() => self.parts.push(part.compacted()),
            _ => self.parts.push(part),
        }
    }

    /// Takes in a part whose place among the others is not known.
    fn add_anywhere(&mut self, part: Part) {
        if part.groups.is_empty() {
            return;
        }
        self.held += part.groups.iter().filter(|group| **group != NOWHERE).count();
        self.parts.push(part);
        if self.held >= self.settle_at {
            self.settle();
        }
    }

    /// Counts the values of a part; those of full groups are in no list. Gives the number of those that are.
    fn admit(&mut self, groups: &mut [u32]) -> usize {
        let mut kept = 0;
        for group in groups.iter_mut().filter(|group| **group != NOWHERE) {
            match self.sizes.get_mut(*group as usize) {
                Some(size) if (*size as usize) < self.most => {
                    *size += 1;
                    kept += 1;
                }
                _ => *group = NOWHERE,
            }
        }
        kept
    }

    /// Puts the parts in the order of their ordinals, and drops what is beyond the largest size.
    fn settle(&mut self) {
        if self.settled {
            return;
        }
        self.parts.sort_by_key(Part::first);
        let follow = |pair: &[Part]| pair[0].last() < pair[1].first();
        if !(self.parts.iter().all(|part| part.ordinals.ascend()) && self.parts.windows(2).all(follow)) {
            self.sort_values();
        }
        self.sizes.iter_mut().for_each(|size| *size = 0);
        self.held = 0;
        std::mem::take(&mut self.parts).into_iter().for_each(|part| self.add(part));
        self.settled = true;
        self.settle_at = self.held.saturating_mul(2).max(SETTLE);
    }

    /// Makes one part of all, its values in the order of their ordinals.
    fn sort_values(&mut self) {
        let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(self.held);
        for (number, part) in self.parts.iter().enumerate() {
            let rows = (0..part.groups.len()).filter(|row| part.groups[*row] != NOWHERE);
            order.extend(rows.map(|row| (part.ordinals.at(row), number as u32, row as u32)));
        }
        order.sort_unstable();
        let places: Vec<(u32, u32)> = order.iter().map(|(_, part, row)| (*part, *row)).collect();
        let groups = places.iter().map(|(part, row)| self.parts[*part as usize].groups[*row as usize]).collect();
        let columns: Vec<Column> = self.parts.drain(..).map(|part| part.values).collect();
        let ordinals: Vec<u64> = order.iter().map(|(ordinal, ..)| *ordinal).collect();
        self.parts.push(Part::new(gather::interleave(&columns, &places), groups, &ordinals));
    }

    /// The values in the order of their ordinals, behind each other.
    fn in_order(&self) -> Column {
        let mut next = 0;
        self.distributed(|_| {
            next += 1;
            next - 1
        })
    }

    /// The values, each at the place that `place` gives for its group.
    fn distributed(&self, mut place: impl FnMut(u32) -> u32) -> Column {
        let mut put = |group: &u32| if *group == NOWHERE { NOWHERE } else { place(*group) };
        let places = self.parts.iter().map(|part| part.groups.iter().map(&mut put).collect::<Vec<u32>>());
        let places: Vec<Vec<u32>> = places.collect();
        let parts = self.parts.iter().zip(&places).map(|(part, places)| (&part.values, &places[..]));
        let parts: Vec<(&Column, &[u32])> = parts.collect();
        distribute(self.kind, &parts, self.held)
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.held > context.limits.values {
            true => Err(Fault::limit("values", "too many values in one list aggregate")),
            false => Ok(()),
        }
    }
}

impl State for List {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = Elements::of(argument, rows);
        let mut groups = values.groups.into_owned();
        if groups.is_empty() {
            return Ok(());
        }
        if let Some(nulls) = values.column.null_buffer().filter(|nulls| !self.nulls && nulls.null_count() > 0) {
            groups.iter_mut().zip(nulls.iter()).for_each(|(group, valid)| {
                if !valid {
                    *group = NOWHERE
                }
            });
        }
        self.sizes.resize(rows.count.max(self.sizes.len()), 0);
        let part = Part::new(values.column.into_owned(), groups, &values.ordinals);
        if self.settled && self.parts.last().is_some_and(|last| part.first() <= last.last()) {
            self.settled = false;
        }
        match self.settled {
            true => self.add(part),
            false => self.add_anywhere(part),
        }
        self.bounded(rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        let other: List = same(other)?;
        self.sizes.resize(count.max(self.sizes.len()), 0);
        self.settled = false;
        for mut part in other.parts {
            let known = |group: &mut u32| *group = into.get(*group as usize).copied().unwrap_or(NOWHERE);
            part.groups.iter_mut().for_each(known);
            self.add_anywhere(part);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        self.sizes.resize(count.max(self.sizes.len()), 0);
        self.settle();
        self.bounded(context)?;
        let mut offsets = vec![0u32; count + 1];
        for (group, size) in self.sizes.iter().take(count).enumerate() {
            offsets[group + 1] = offsets[group] + size;
        }
        let mut next = offsets.clone();
        let items = self.distributed(|group| match next.get_mut(group as usize) {
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => NOWHERE,
        });
        if self.kind == Kind::Field {
            return Ok(field::lists(offsets, items));
        }
        Ok(Column::List(Lists { offsets: offsets.into(), nulls: None, items: Arc::new(inside_dynamic(items)) }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.groups.len() * 4 + gather::held_bytes(&part.values)).sum()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        (self.kind != Kind::Field).then_some(self)
    }
}

impl Wire for List {
    fn write(&mut self, out: &mut Writer) {
        self.settle();
        out.count(self.held);
        for part in &self.parts {
            for (row, group) in part.groups.iter().enumerate().filter(|(_, group)| **group != NOWHERE) {
                out.count(*group as usize);
                out.long(part.ordinals.at(row).cast_signed());
            }
        }
        out.column(&self.in_order());
    }

    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()> {
        let entry = |input: &mut Reader| Ok((input.number(groups)? as u32, input.long()?.cast_unsigned()));
        let entries = input.each(entry)?;
        let values = input.column()?;
        if values.len() != entries.len() {
            return Err(cut_off());
        }
        self.sizes.resize(groups, 0);
        self.settled = false;
        let (groups, ordinals): (Vec<u32>, Vec<u64>) = entries.into_iter().unzip();
        self.add_anywhere(Part::new(values, groups, &ordinals));
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
    Ok(Box::new(List {
        kind,
        nulls,
        most,
        parts: Vec::new(),
        sizes: Vec::new(),
        held: 0,
        settled: true,
        settle_at: SETTLE,
    }))
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
