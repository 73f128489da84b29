//! Typed lists of one kind of elements, worked on by the places of their elements.
use crate::types::{Column, Kind, List, Text, Value, gather};
use arrow_array::Array;
use arrow_buffer::NullBuffer;
use hashbrown::HashSet;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

/// Appends places for a row, whose arguments' elements have these places.
type MakePlaces<'a> = dyn FnMut(usize, &[Range<u32>], &mut Vec<u32>) + 'a;

/// Several columns of lists over one column of elements.
pub struct Lists<'a> {
    lists: Vec<(&'a List, u32)>,
    items: Column,
}

impl<'a> Lists<'a> {
    /// None where an argument is no typed list of longs or texts, or where an element is null.
    pub fn new(args: &'a [Column]) -> Option<Lists<'a>> {
        let lists: Vec<&List> =
            args.iter().map(|a| if let Column::List(list) = a { Some(list) } else { None }).collect::<Option<_>>()?;
        let kind = lists.first()?.items.kind();
        let plain = |list: &&List| match &*list.items {
            Column::Long(items) => items.null_count() == 0,
            Column::Text(Kind::String, Text::Views(items)) => items.null_count() == 0,
            _ => false,
        };
        if !lists.iter().all(|list| list.items.kind() == kind && plain(list)) {
            return None;
        }
        let columns: Vec<Column> = lists.iter().map(|list| (*list.items).clone()).collect();
        let mut before = 0u32;
        let mut placed = Vec::with_capacity(lists.len());
        for list in lists {
            placed.push((list, before));
            before = before.checked_add(u32::try_from(list.items.len()).ok()?)?;
        }
        Some(Lists { lists: placed, items: gather::concat(&columns)? })
    }

    /// The places of the elements of a row in each argument.
    fn row(&self, row: usize) -> impl Iterator<Item = Range<u32>> {
        self.lists.iter().map(move |(list, before)| {
            let range = list.range(row);
            range.start as u32 + before..range.end as u32 + before
        })
    }

    /// Lists of elements whose places `make` appends for each row; null where one of the arguments is.
    pub fn map(&self, make: &mut MakePlaces) -> Column {
        let rows = self.lists.first().map_or(0, |(list, _)| list.len());
        let (mut offsets, mut places) = (Vec::with_capacity(rows + 1), Vec::new());
        let mut ranges = Vec::with_capacity(self.lists.len());
        offsets.push(0);
        for row in 0..rows {
            if !self.is_null(row) {
                ranges.clear();
                ranges.extend(self.row(row));
                make(row, &ranges, &mut places);
            }
            offsets.push(places.len() as u32);
        }
        let any_null = self.lists.iter().any(|(list, _)| list.nulls.is_some());
        let nulls = any_null.then(|| (0..rows).map(|row| !self.is_null(row)).collect::<NullBuffer>());
        let items = Arc::new(gather::take(&self.items, &places));
        Column::List(List { offsets: offsets.into(), nulls: nulls.filter(|n| n.null_count() > 0), items })
    }

    fn is_null(&self, row: usize) -> bool {
        self.lists.iter().any(|(list, _)| list.is_null(row))
    }

    /// The elements of the first argument, each once, that are in all of the others (`inside`), or in none.
    pub fn keep(&self, inside: bool) -> Column {
        self.with_keys(|keys| keys.keep(inside))
    }

    /// The elements of the first argument in order; none for another number of arguments.
    pub fn sorted(&self, descending: bool) -> Option<Column> {
        fn sort<K: Ord>(places: &mut [u32], descending: bool, key: impl Fn(u32) -> K) {
            match descending {
                true => places.sort_by_key(|at| std::cmp::Reverse(key(*at))),
                false => places.sort_by_key(|at| key(*at)),
            }
        }
        (self.lists.len() == 1).then(|| {
            self.map(&mut |_, ranges, places| {
                let start = places.len();
                places.extend(ranges.iter().cloned().flatten());
                match &self.items {
                    Column::Long(items) => sort(&mut places[start..], descending, |at| items.value(at as usize)),
                    Column::Text(_, Text::Views(items)) => {
                        sort(&mut places[start..], descending, |at| items.value(at as usize));
                    }
                    _ => {}
                }
            })
        })
    }

    /// The elements of all arguments, each once.
    pub fn union(&self) -> Column {
        self.with_keys(|keys| keys.union())
    }

    /// How many different elements two arguments share, and how many they have together.
    pub fn shared(&self, row: usize) -> (usize, usize) {
        match &self.items {
            Column::Long(items) => shared(self.row(row), |at| items.value(at as usize)),
            Column::Text(_, Text::Views(items)) => shared(self.row(row), |at| items.value(at as usize)),
            _ => (0, 0),
        }
    }

    fn with_keys(&self, work: impl Fn(&dyn Keys) -> Column) -> Column {
        match &self.items {
            Column::Long(items) => work(&Keyed { lists: self, key: |at: u32| items.value(at as usize) }),
            Column::Text(_, Text::Views(items)) => {
                work(&Keyed { lists: self, key: |at: u32| items.value(at as usize) })
            }
            other => Column::nulls(Kind::Dynamic, other.len()),
        }
    }
}

trait Keys {
    fn keep(&self, inside: bool) -> Column;
    fn union(&self) -> Column;
}

struct Keyed<'a, F> {
    lists: &'a Lists<'a>,
    key: F,
}

/// Up to this many elements a walk beats a hash.
const FEW: usize = 24;

/// Elements to look among.
enum Among<K> {
    Few(Vec<K>),
    Many(HashSet<K>),
}

impl<K: Hash + Eq + Copy> Among<K> {
    fn new(keys: impl ExactSizeIterator<Item = K>) -> Among<K> {
        if keys.len() <= FEW { Among::Few(keys.collect()) } else { Among::Many(keys.collect()) }
    }

    fn has(&self, key: &K) -> bool {
        match self {
            Among::Few(keys) => keys.contains(key),
            Among::Many(keys) => keys.contains(key),
        }
    }

    /// Whether the element is new.
    fn insert(&mut self, key: K) -> bool {
        match self {
            Among::Few(keys) if keys.contains(&key) => false,
            Among::Few(keys) if keys.len() < FEW => {
                keys.push(key);
                true
            }
            Among::Few(keys) => {
                let mut many: HashSet<K> = keys.iter().copied().collect();
                let new = many.insert(key);
                *self = Among::Many(many);
                new
            }
            Among::Many(keys) => keys.insert(key),
        }
    }
}

impl<K: Hash + Eq + Copy, F: Fn(u32) -> K> Keyed<'_, F> {
    fn has(&self, mut places: impl Iterator<Item = u32>, key: K) -> bool {
        places.any(|at| (self.key)(at) == key)
    }
}

/// Whether a walk beats a hash for all of these elements.
fn are_few(ranges: &[Range<u32>]) -> bool {
    ranges.iter().map(ExactSizeIterator::len).sum::<usize>() <= FEW
}

impl<K: Hash + Eq + Copy, F: Fn(u32) -> K> Keys for Keyed<'_, F> {
    fn keep(&self, inside: bool) -> Column {
        self.lists.map(&mut |_, ranges, out| {
            let Some((first, others)) = ranges.split_first() else { return };
            if are_few(ranges) {
                let start = out.len();
                for at in first.clone() {
                    let key = (self.key)(at);
                    let kept = others.iter().all(|other| self.has(other.clone(), key) == inside);
                    if kept && !self.has(out[start..].iter().copied(), key) {
                        out.push(at);
                    }
                }
                return;
            }
            let others: Vec<Among<K>> = others.iter().map(|r| Among::new(r.clone().map(&self.key))).collect();
            let mut seen = Among::Few(Vec::new());
            out.extend(first.clone().filter(|at| {
                let key = (self.key)(*at);
                others.iter().all(|other| other.has(&key) == inside) && seen.insert(key)
            }));
        })
    }

    fn union(&self) -> Column {
        self.lists.map(&mut |_, ranges, out| {
            if are_few(ranges) {
                let start = out.len();
                for at in ranges.iter().cloned().flatten() {
                    if !self.has(out[start..].iter().copied(), (self.key)(at)) {
                        out.push(at);
                    }
                }
                return;
            }
            let mut seen = Among::Few(Vec::new());
            out.extend(ranges.iter().cloned().flatten().filter(|at| seen.insert((self.key)(*at))));
        })
    }
}

fn shared<K: Hash + Eq + Copy>(mut ranges: impl Iterator<Item = Range<u32>>, key: impl Fn(u32) -> K) -> (usize, usize) {
    let (Some(one), Some(other)) = (ranges.next(), ranges.next()) else { return (0, 0) };
    let among = Among::new(other.clone().map(&key));
    let (mut seen, mut both, mut all) = (Among::Few(Vec::new()), 0, 0);
    for at in one.clone() {
        if seen.insert(key(at)) {
            all += 1;
            both += usize::from(among.has(&key(at)));
        }
    }
    all += other.clone().filter(|at| seen.insert(key(*at))).count();
    (both, all)
}

/// Where each row's list holds a long or a text, the place of the first in the list; none for other arguments.
pub fn places(list: &Column, value: &Value) -> Option<Vec<Option<i64>>> {
    let Column::List(list) = list else { return None };
    let find = |holds: &dyn Fn(usize) -> bool| {
        let place = |row: usize| list.range(row).position(holds).map_or(-1, |at| at as i64);
        (0..list.len()).map(|row| (!list.is_null(row)).then(|| place(row))).collect()
    };
    match (&*list.items, value) {
        (Column::Long(items), Value::Int(_) | Value::Long(_)) if items.null_count() == 0 => {
            let wanted = value.as_long()?;
            Some(find(&|at| items.value(at) == wanted))
        }
        (Column::Text(Kind::String, Text::Views(items)), Value::Text(Kind::String, wanted)) => {
            Some(find(&|at| items.value(at) == wanted.as_ref()))
        }
        _ => None,
    }
}
