//! Sets of the distinct values of a group.
use super::elements::Elements;
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::intern::{Interner, NULL};
use crate::types::wire::{Reader, Writer, cut_off};
use crate::types::{Column, Kind, List, Value};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::any::Any;
use std::hash::BuildHasher;
use std::sync::Arc;

const HASHER: FixedState = FixedState::with_seed(7);

/// The distinct pairs of group and value, each with its first sight.
#[derive(Default)]
struct Pairs {
    table: HashTable<u32>,
    keys: Vec<u64>,
    sights: Vec<Sight>,
}

/// The ordinal of a row, and the place among the elements of its array.
type Sight = (u64, u32);

impl Pairs {
    #[inline]
    fn insert(&mut self, group: u32, value: u32, sight: Sight) {
        let key = u64::from(group) << 32 | u64::from(value);
        let Pairs { table, keys, sights } = self;
        let hash = HASHER.hash_one(key);
        match table.entry(hash, |&i| keys[i as usize] == key, |&i| HASHER.hash_one(keys[i as usize])) {
            hashbrown::hash_table::Entry::Occupied(found) => {
                let known = &mut sights[*found.get() as usize];
                *known = (*known).min(sight);
            }
            hashbrown::hash_table::Entry::Vacant(slot) => {
                slot.insert(keys.len() as u32);
                keys.push(key);
                sights.push(sight);
            }
        }
    }

    fn each(&self) -> impl Iterator<Item = (u32, u32, Sight)> + '_ {
        self.keys.iter().zip(&self.sights).map(|(key, sight)| ((key >> 32) as u32, *key as u32, *sight))
    }
}

pub(super) struct Distinct {
    kind: Kind,
    pub(super) values: Interner,
    pairs: Pairs,
    finish: fn(Distinct, &Context, usize) -> Result<Column>,
    /// The largest number of values a set keeps.
    most: usize,
}

impl Distinct {
    /// A state whose result `finish` makes.
    pub(super) fn state(
        kinds: &[Kind],
        most: usize,
        finish: fn(Distinct, &Context, usize) -> Result<Column>,
    ) -> Result<Box<dyn State>> {
        let kind = kinds.first().copied().unwrap_or(Kind::Dynamic);
        Ok(Box::new(Distinct { kind, values: Interner::new(kind), pairs: Pairs::default(), finish, most }))
    }

    /// Each group with the numbers of its values.
    pub(super) fn members(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.pairs.each().map(|(group, value, _)| (group, value))
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.pairs.keys.len() > context.limits.values {
            true => Err(Fault::limit("values", "too many distinct values in one aggregate")),
            false => Ok(()),
        }
    }
}

impl State for Distinct {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = Elements::of(argument, rows);
        let numbers = self.values.numbers(&values.column);
        let places = values.places.iter().copied().chain(std::iter::repeat(0));
        let sights = values.ordinals.iter().copied().zip(places);
        for ((&group, number), sight) in values.groups.iter().zip(numbers).zip(sights) {
            if number != NULL {
                self.pairs.insert(group, number, sight);
            }
        }
        self.bounded(rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let other: Distinct = same(other)?;
        let known = self.values.absorb(&other.values);
        for (group, value, sight) in other.pairs.each() {
            self.pairs.insert(into[group as usize], known.at(value), sight);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        (self.finish)(*self, context, count)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        self.pairs.keys.len() * 32 + self.values.bytes()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        (self.kind != Kind::Field).then_some(self)
    }
}

impl Wire for Distinct {
    /// Of each group the values that were seen first: no other one can be among the first of all.
    fn write(&mut self, out: &mut Writer) {
        let members = first_members(&self.pairs, self.most);
        let numbers: Vec<u32> = members.iter().map(|(_, _, value)| *value).collect();
        out.count(members.len());
        for (group, (ordinal, place), _) in members {
            out.count(group as usize);
            out.long(ordinal.cast_signed());
            out.count(place as usize);
        }
        out.column(&self.values.column(self.kind, &numbers));
    }

    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()> {
        let member = |input: &mut Reader| {
            let group = input.number(groups)? as u32;
            Ok((group, (input.long()?.cast_unsigned(), input.number(u32::MAX as usize)? as u32)))
        };
        let members = input.each(member)?;
        let numbers = self.values.numbers(&input.column()?);
        if numbers.len() != members.len() {
            return Err(cut_off());
        }
        for ((group, sight), number) in members.into_iter().zip(numbers).filter(|(_, number)| *number != NULL) {
            self.pairs.insert(group, number, sight);
        }
        Ok(())
    }
}

/// The group, first sight and number of the values of each group that were seen first, at most so many.
fn first_members(pairs: &Pairs, most: usize) -> Vec<(u32, Sight, u32)> {
    let mut members: Vec<(u32, Sight, u32)> = pairs.each().map(|(group, value, sight)| (group, sight, value)).collect();
    members.sort_unstable();
    let (mut group, mut size) = (u32::MAX, 0);
    members.retain(|(own, ..)| {
        size = if *own == group { size + 1 } else { 1 };
        group = *own;
        size <= most
    });
    members
}

/// Sets in order of first sight, cut to the largest size after merging.
fn sets(state: Distinct, _: &Context, count: usize) -> Result<Column> {
    let members = first_members(&state.pairs, state.most);
    let (mut offsets, mut numbers) = (vec![0u32], Vec::with_capacity(members.len()));
    let mut rest = members.as_slice();
    for group in 0..count as u32 {
        let size = rest.partition_point(|(g, _, _)| *g <= group);
        let (own, others) = rest.split_at(size);
        numbers.extend(own.iter().map(|(_, _, value)| *value));
        offsets.push(numbers.len() as u32);
        rest = others;
    }
    let items = Arc::new(state.values.column(state.kind, &numbers));
    Ok(Column::List(List { offsets: offsets.into(), nulls: None, items }))
}

fn most(constants: &[Option<Value>], otherwise: usize) -> usize {
    let given = constants.get(1).and_then(|c| c.as_ref()?.as_long());
    given.and_then(|n| usize::try_from(n).ok()).map_or(otherwise, |n| n.min(LARGEST))
}

/// The largest size of a set, and the default.
const LARGEST: usize = 1_048_576;

fn make_set(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Distinct::state(kinds, most(constants, LARGEST), sets)
}

fn makeset(kinds: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Distinct::state(kinds, most(constants, 128), sets)
}

crate::aggregates! {
    /// The distinct values as an array, in order of first sight; nulls are passed over. At most
    /// `most` of them, 1,048,576 unless said otherwise.
    ///
    /// Of a value that is an array the elements are taken.
    ///
    /// Source: make-set-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize make_set(x % 3) // [1,2,0]
    /// print x = dynamic([[1, 2], [2, 3]]) | mv-expand x | summarize make_set(x) // [1,2,3]
    /// ```
    kql Rows costly fn make_set called "set" (value: Any, most[optional]: Integer) -> Kind(Kind::Dynamic) = make_set;

    /// The deprecated spelling of `make_set`: at most 128 values unless said otherwise.
    ///
    /// Source: makeset-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize makeset(x % 3) // [1,2,0]
    /// ```
    kql Rows costly fn makeset called "set" (value: Any, most[optional]: Integer) -> Kind(Kind::Dynamic) = makeset;
}
