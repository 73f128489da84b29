//! Group keys as small integers.
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Kind};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

const HASHER: FixedState = FixedState::with_seed(11);

/// For each key, what is known of a dictionary's values.
pub type Maps = Vec<std::collections::HashMap<u64, Vec<u32>>>;

/// Gives each distinct combination of key values a number from 0 in order of first sight.
pub struct Grouper {
    keys: Vec<Key>,
    /// Pairs of a number of the keys before and a key's number: one level for each key after the first.
    levels: Vec<PairTable>,
    singles: Singles,
    groups: usize,
}

struct Key {
    kind: Kind,
    values: Interner,
    /// The key's number of each group.
    of_group: Vec<u32>,
}

impl Grouper {
    pub fn new(kinds: &[Kind]) -> Grouper {
        let keys = kinds.iter().map(|kind| Key { kind: *kind, values: Interner::new(*kind), of_group: Vec::new() });
        let levels = kinds.iter().skip(1).map(|_| PairTable::default()).collect();
        Grouper { keys: keys.collect(), levels, singles: Singles::default(), groups: usize::from(kinds.is_empty()) }
    }

    /// How many parts a key has.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many groups there are. Without keys there is one, from the start.
    pub fn len(&self) -> usize {
        self.groups
    }

    /// About how many bytes are held.
    pub fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(|key| key.of_group.len() * 4 + key.values.bytes());
        keys.sum::<usize>() + self.levels.len() * self.groups * 16
    }

    /// The group of each row.
    pub fn groups(&mut self, columns: &[Column], rows: usize) -> Vec<u32> {
        if self.keys.is_empty() {
            return vec![0; rows];
        }
        let numbers: Vec<Vec<u32>> = self.keys.iter_mut().zip(columns).map(|(key, c)| key.values.numbers(c)).collect();
        self.groups_of_numbers(&numbers)
    }

    fn groups_of_numbers(&mut self, numbers: &[Vec<u32>]) -> Vec<u32> {
        let Some((first, others)) = numbers.split_first() else { return Vec::new() };
        let mut groups: Vec<u32> = match others.is_empty() {
            true => first.iter().map(|n| self.singles.number(*n)).collect(),
            false => first.clone(),
        };
        for (level, numbers) in self.levels.iter_mut().zip(others) {
            groups.iter_mut().zip(numbers).for_each(|(group, number)| *group = level.number(*group, *number));
        }
        let count = self.levels.last().map_or(self.singles.count as usize, |level| level.pairs.len());
        self.remember(count, &groups, numbers);
        groups
    }

    /// Makes ready for [`Grouper::find`]: no groups are added any more.
    pub fn settle(&mut self) {
        self.keys.iter_mut().for_each(|key| key.values.settle());
    }

    /// The group of each row, [`NULL`] where a part of the key is null and where there is none.
    pub fn find(&self, columns: &[Column], maps: &mut Maps) -> Vec<u32> {
        maps.resize_with(self.keys.len(), Default::default);
        let found = self.keys.iter().zip(columns).zip(maps).map(|((key, column), map)| key.values.find(column, map));
        let mut found = found.collect::<Vec<Vec<u32>>>().into_iter();
        let Some(mut groups) = found.next() else { return Vec::new() };
        if self.levels.is_empty() {
            groups.iter_mut().for_each(|n| *n = self.singles.groups.get(*n as usize).copied().unwrap_or(NULL));
        }
        for (level, numbers) in self.levels.iter().zip(found) {
            groups.iter_mut().zip(numbers).for_each(|(group, number)| {
                *group = if *group == NULL || number == NULL { NULL } else { level.find(*group, number) };
            });
        }
        groups
    }

    /// Notes the keys of the groups that are new. Groups are numbered in order of their first row.
    fn remember(&mut self, count: usize, groups: &[u32], numbers: &[Vec<u32>]) {
        if count == self.groups {
            return;
        }
        let mut next = self.groups as u32;
        for (row, group) in groups.iter().enumerate() {
            if *group == next {
                self.keys.iter_mut().zip(numbers).for_each(|(key, numbers)| key.of_group.push(numbers[row]));
                next += 1;
            }
        }
        self.groups = count;
    }

    /// The groups of `other`, which has the same keys, as groups here; unknown ones are added.
    pub fn absorb(&mut self, other: &Grouper) -> Vec<u32> {
        if self.keys.is_empty() {
            return vec![0];
        }
        let mapped = |key: &mut Key, theirs: &Key| {
            let known = key.values.absorb(&theirs.values);
            theirs.of_group.iter().map(|n| if *n == NULL { NULL } else { known.at(*n) }).collect()
        };
        let numbers: Vec<Vec<u32>> =
            self.keys.iter_mut().zip(&other.keys).map(|(key, theirs)| mapped(key, theirs)).collect();
        self.groups_of_numbers(&numbers)
    }

    /// The key columns of the groups at `groups`.
    pub fn columns(&self, groups: &[u32]) -> Vec<Column> {
        let column = |key: &Key| {
            let numbers: Vec<u32> =
                groups.iter().map(|g| key.of_group.get(*g as usize).copied().unwrap_or(NULL)).collect();
            key.values.column(key.kind, &numbers)
        };
        self.keys.iter().map(column).collect()
    }
}

/// Groups of a single key: the key's number, with a place for null.
#[derive(Default)]
struct Singles {
    groups: Vec<u32>,
    null: Option<u32>,
    count: u32,
}

impl Singles {
    #[inline(always)]
    fn number(&mut self, number: u32) -> u32 {
        let slot = match number {
            NULL => {
                let count = &mut self.count;
                return *self.null.get_or_insert_with(|| {
                    *count += 1;
                    *count - 1
                });
            }
            number => number as usize,
        };
        if slot >= self.groups.len() {
            self.groups.resize((slot + 1).max(self.groups.len() * 2), NULL);
        }
        if self.groups[slot] == NULL {
            self.groups[slot] = self.count;
            self.count += 1;
        }
        self.groups[slot]
    }
}

/// Numbers for pairs of numbers: found by place while few pairs are possible, else by hash.
#[derive(Default)]
pub struct PairTable {
    places: Places,
    /// Whether the pairs are no longer found by place.
    hashed: bool,
    /// The first right number of each left one, and the pair's number: most left numbers of many have no other.
    firsts: Vec<(u32, u32)>,
    /// The other pairs with their numbers: a growing table looks at nothing else.
    table: HashTable<(u64, u32)>,
    pairs: Vec<u64>,
}

/// No number of a left part is greater in a table of firsts.
const MOST_FIRSTS: u32 = 1 << 28;

/// The most pairs that have a place of their own.
const MOST_PLACES: usize = 1 << 20;

/// A number for each pair of a left number and a right one below some bounds.
#[derive(Default)]
struct Places {
    numbers: Vec<u32>,
    /// The right numbers are below 2 to the power of this.
    bits: u32,
}

impl Places {
    #[inline(always)]
    fn slot(&self, left: u32, right: u32) -> Option<usize> {
        let slot = (left as usize) << self.bits | right as usize;
        (right >> self.bits == 0 && slot < self.numbers.len()).then_some(slot)
    }

    /// Makes room for a pair; false where that would be too much.
    fn grow(&mut self, left: u32, right: u32, pairs: &[u64]) -> bool {
        let bits = self.bits.max(u32::BITS - right.leading_zeros());
        let rows = (self.numbers.len() >> self.bits).max((left as usize + 1).next_power_of_two());
        if bits >= 20 || rows << bits > MOST_PLACES {
            return false;
        }
        *self = Places { numbers: vec![NULL; rows << bits], bits };
        for (number, pair) in pairs.iter().enumerate() {
            if let Some(slot) = self.slot((pair >> 32) as u32, *pair as u32) {
                self.numbers[slot] = number as u32;
            }
        }
        true
    }
}

impl PairTable {
    /// The number of a pair that was seen; [`NULL`] for others.
    fn find(&self, left: u32, right: u32) -> u32 {
        let pair = u64::from(left) << 32 | u64::from(right);
        if !self.hashed {
            return self.places.slot(left, right).map_or(NULL, |slot| self.places.numbers[slot]);
        }
        if let Some((known, number)) = self.firsts.get(left as usize)
            && *known == right
            && *number != NULL
        {
            return *number;
        }
        self.table.find(HASHER.hash_one(pair), |(known, _)| *known == pair).map_or(NULL, |(_, number)| *number)
    }

    #[inline]
    pub fn number(&mut self, left: u32, right: u32) -> u32 {
        match self.places.slot(left, right) {
            Some(slot) if self.places.numbers[slot] != NULL => self.places.numbers[slot],
            Some(slot) => {
                let number = self.pairs.len() as u32;
                self.places.numbers[slot] = number;
                self.pairs.push(u64::from(left) << 32 | u64::from(right));
                number
            }
            None => self.number_without_place(left, right),
        }
    }

    fn number_without_place(&mut self, left: u32, right: u32) -> u32 {
        let pair = u64::from(left) << 32 | u64::from(right);
        if !self.hashed {
            if self.places.grow(left, right, &self.pairs) {
                return self.number(left, right);
            }
            self.hash_all();
        }
        let next = self.pairs.len() as u32;
        if let Some(first) = self.first(left) {
            match *first {
                (_, NULL) => {
                    *first = (right, next);
                    self.pairs.push(pair);
                    return next;
                }
                (known, number) if known == right => return number,
                _ => {}
            }
        }
        let same = |(known, _): &(u64, u32)| *known == pair;
        match self.table.entry(HASHER.hash_one(pair), same, |(known, _)| HASHER.hash_one(*known)) {
            hashbrown::hash_table::Entry::Occupied(found) => found.get().1,
            hashbrown::hash_table::Entry::Vacant(slot) => {
                let number = self.pairs.len() as u32;
                slot.insert((pair, number));
                self.pairs.push(pair);
                number
            }
        }
    }

    /// The place of a left number's first pair; none for the largest.
    #[inline(always)]
    fn first(&mut self, left: u32) -> Option<&mut (u32, u32)> {
        let slot = left as usize;
        if slot >= self.firsts.len() {
            if left >= MOST_FIRSTS {
                return None;
            }
            self.firsts.resize((slot + 1).max(self.firsts.len() * 2), (0, NULL));
        }
        self.firsts.get_mut(slot)
    }

    /// From now on pairs are found by their left number or by hash.
    #[cold]
    fn hash_all(&mut self) {
        self.places = Places::default();
        self.hashed = true;
        let hash = |(pair, _): &(u64, u32)| HASHER.hash_one(*pair);
        for (pair, number) in std::mem::take(&mut self.pairs).into_iter().zip(0..) {
            self.pairs.push(pair);
            match self.first((pair >> 32) as u32) {
                Some(first) if first.1 == NULL => *first = (pair as u32, number),
                _ => {
                    self.table.insert_unique(hash(&(pair, number)), (pair, number), hash);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_have_the_same_numbers_by_place_and_by_hash() {
        let pairs = [(0, 0), (3, 1), (0, 1), (3, 1), (1, 900), (NULL, 2), (2, NULL), (0, 0), (70_000, 70_000), (3, 1)];
        let mut table = PairTable::default();
        let numbers: Vec<u32> = pairs.iter().map(|(left, right)| table.number(*left, *right)).collect();
        assert_eq!(numbers, [0, 1, 2, 1, 3, 4, 5, 0, 6, 1]);
        assert!(pairs.iter().zip(numbers).all(|((left, right), number)| table.find(*left, *right) == number));
        assert_eq!(table.find(9, 9), NULL);
        let mut few = PairTable::default();
        assert_eq!([few.number(5, 5), few.number(0, 9), few.number(5, 5)], [0, 1, 0]);
        assert_eq!([few.find(0, 9), few.find(9, 0), few.find(NULL, 0)], [1, NULL, NULL]);
    }
}
