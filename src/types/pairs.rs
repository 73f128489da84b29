//! Pairs of small integers as small integers: keys of several parts.
use super::intern::NULL;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

const HASHER: FixedState = FixedState::with_seed(11);

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
    /// How many pairs have a number.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The number of a pair that was seen; [`NULL`] for others.
    pub fn find(&self, left: u32, right: u32) -> u32 {
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
