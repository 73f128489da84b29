//! Group keys as small integers.
use crate::types::intern::{Interner, NULL};
use crate::types::pairs::PairTable;
use crate::types::{Column, Kind};

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
        let count = self.levels.last().map_or(self.singles.count as usize, |level| level.len());
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
            key.values.column_of_many(key.kind, &numbers)
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
