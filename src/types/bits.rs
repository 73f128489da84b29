//! Distinct numbers as small integers.
use super::intern::NULL;
use super::sieve::Sieve;
use arrow_buffer::NullBuffer;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

pub(super) const HASHER: FixedState = FixedState::with_seed(0x5eed);

#[inline(always)]
pub(super) fn hash_number(bits: u64) -> u64 {
    HASHER.hash_one(bits)
}

/// Distinct numbers. As long as each new one is greater than those before it, as times and the numbers of rows are,
/// nothing is hashed.
#[derive(Debug, Default)]
pub struct Bits {
    values: Vec<u64>,
    /// The values and their numbers: a look-up and a growing table look at nothing else. Empty while the values ascend.
    table: HashTable<(u64, u32)>,
    /// Most values that are looked for in a large table are not there.
    sieve: Option<Sieve>,
}

/// The table of so many values is larger than the nearest cache.
const MANY: usize = 1 << 15;

impl Bits {
    #[inline]
    pub fn number(&mut self, bits: u64) -> u32 {
        let count = self.values.len() as u32;
        if self.table.is_empty() {
            match self.values.last() {
                Some(last) if *last == bits => return count - 1,
                Some(last) if *last > bits => self.index(),
                _ => {
                    self.values.push(bits);
                    return count;
                }
            }
        }
        match self.table.entry(hash_number(bits), |(known, _)| *known == bits, |(known, _)| hash_number(*known)) {
            hashbrown::hash_table::Entry::Occupied(found) => found.get().1,
            hashbrown::hash_table::Entry::Vacant(slot) => {
                slot.insert((bits, count));
                self.values.push(bits);
                count
            }
        }
    }

    /// The values do not ascend any more: from now on they are looked up by their hash.
    #[cold]
    fn index(&mut self) {
        let hash = |(known, _): &(u64, u32)| hash_number(*known);
        self.table.reserve(self.values.len() * 2, hash);
        for (bits, number) in self.values.iter().zip(0..) {
            self.table.insert_unique(hash_number(*bits), (*bits, number), hash);
        }
    }

    pub fn find(&self, bits: u64) -> u32 {
        if self.table.is_empty() {
            return self.values.binary_search(&bits).map_or(NULL, |number| number as u32);
        }
        self.table.find(hash_number(bits), |(known, _)| *known == bits).map_or(NULL, |(_, number)| *number)
    }

    /// The numbers of many values, [`NULL`] for null and for values that have none. Those that are not there are told
    /// first: the others are then looked up one right behind the other, so that the processor waits for several at once.
    pub fn find_each(&self, values: &[i64], nulls: Option<&NullBuffer>) -> Vec<u32> {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let valid = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
        let Some(sieve) = &self.sieve else {
            let number = |(row, value): (usize, &i64)| if valid(row) { self.find(*value as u64) } else { NULL };
            return values.iter().enumerate().map(number).collect();
        };
        let (mut left, mut count) = (vec![0u32; values.len()], 0);
        for (row, value) in values.iter().enumerate() {
            left[count] = row as u32;
            count += usize::from(sieve.lets_pass(hash_number(*value as u64)) & valid(row));
        }
        let mut numbers = vec![NULL; values.len()];
        for row in &left[..count] {
            numbers[*row as usize] = self.find(values[*row as usize] as u64);
        }
        numbers
    }

    /// Values may be added again.
    pub fn unsettle(&mut self) {
        self.sieve = None;
    }

    pub fn values(&self) -> &[u64] {
        &self.values
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Makes ready for [`Bits::find`] of many.
    pub fn settle(&mut self) {
        if self.table.is_empty() {
            self.index();
        }
        let hashes = self.values.iter().map(|bits| hash_number(*bits));
        self.sieve = (hashes.len() >= MANY).then(|| Sieve::of(hashes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_found_as_one_is() {
        for count in [0, 10, MANY as u64 * 2] {
            let mut bits = Bits::default();
            let value = |n: u64| n.wrapping_mul(0x9e37_79b9) % 1_000_003;
            (0..count).for_each(|n| _ = bits.number(value(n)));
            bits.settle();
            let sought: Vec<i64> = (0..count * 2 + 5).map(|n| value(n) as i64).collect();
            let nulls: NullBuffer = (0..sought.len()).map(|row| row % 3 == 1).collect();
            let found = bits.find_each(&sought, Some(&nulls));
            let one = |row: usize| if row % 3 == 1 { bits.find(sought[row] as u64) } else { NULL };
            assert!(found.iter().enumerate().all(|(row, number)| *number == one(row)));
            assert!(bits.find_each(&sought, None).iter().filter(|n| **n != NULL).count() as u64 >= count);
        }
    }
}
