//! The distinct numbers of one group, noted in parts by their hash and told apart part by part, as distinct texts are.
use crate::types::intern::real_bits;
use crate::types::{Builder, Column, Kind};
use arrow_array::Array;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

const HASHER: FixedState = FixedState::with_seed(23);

pub(super) struct DistinctNumbers {
    kind: Kind,
    /// The bits of numbers other than 0.
    parts: Vec<Vec<u64>>,
    has_zero: bool,
    /// How many numbers the parts hold, and how many there may be before doubles are thrown out.
    held: usize,
    room: usize,
    /// Numbers seen lately: most of a column of few numbers are among them.
    recent: Box<[u64; RECENT]>,
}

const PARTS_BITS: u32 = 8;
const RECENT: usize = 1024;
const ROOM: usize = 1 << 20;

impl DistinctNumbers {
    pub(super) fn new(kind: Kind) -> DistinctNumbers {
        DistinctNumbers {
            kind,
            parts: vec![Vec::new(); 1 << PARTS_BITS],
            has_zero: false,
            held: 0,
            room: ROOM,
            recent: Box::new([0; RECENT]),
        }
    }

    /// Notes the numbers of a column that are not null; whether it is one of numbers.
    pub(super) fn add(&mut self, column: &Column) -> bool {
        match column {
            Column::Long(array) | Column::DateTime(array) | Column::TimeSpan(array) => {
                self.note_all(array.values(), |row| array.is_null(row), |long| long as u64);
            }
            Column::Real(array) => self.note_all(array.values(), |row| array.is_null(row), real_bits),
            _ => return false,
        }
        if self.held >= self.room {
            self.tell_apart();
            self.room = (self.held * 2).max(ROOM);
        }
        true
    }

    fn note_all<T: Copy>(&mut self, values: &[T], is_null: impl Fn(usize) -> bool, bits: impl Fn(T) -> u64) {
        for (row, value) in values.iter().enumerate() {
            if !is_null(row) {
                self.note(bits(*value));
            }
        }
    }

    #[inline]
    fn note(&mut self, bits: u64) {
        if bits == FREE {
            self.has_zero = true;
            return;
        }
        let hash = HASHER.hash_one(bits);
        let recent = &mut self.recent[hash as usize % RECENT];
        if *recent != bits {
            *recent = bits;
            self.parts[(hash >> (64 - PARTS_BITS)) as usize].push(bits);
            self.held += 1;
        }
    }

    /// Notes the numbers that another one holds.
    pub(super) fn join(&mut self, other: DistinctNumbers) {
        self.parts.iter_mut().zip(other.parts).for_each(|(own, theirs)| own.extend(theirs));
        self.has_zero |= other.has_zero;
        self.held += other.held;
    }

    /// How many different numbers there are.
    pub(super) fn count(&mut self) -> usize {
        self.tell_apart();
        self.held + usize::from(self.has_zero)
    }

    /// No more than so many numbers are held, told apart or not.
    pub(super) fn held(&self) -> usize {
        self.held + 1
    }

    /// The different numbers.
    pub(super) fn column(mut self) -> Column {
        self.tell_apart();
        let mut builder = Builder::new(self.kind, self.held + 1);
        let zero = self.has_zero.then_some(&0);
        for bits in self.parts.iter().flatten().chain(zero) {
            match self.kind {
                Kind::Real => builder.push_real(f64::from_bits(*bits)),
                _ => builder.push_long(*bits as i64),
            }
        }
        builder.finish()
    }

    fn tell_apart(&mut self) {
        let mut table = Vec::new();
        self.parts.iter_mut().for_each(|part| distinct(part, &mut table));
        self.held = self.parts.iter().map(Vec::len).sum();
    }
}

/// What stands where no number does.
const FREE: u64 = 0;

/// Keeps one of each number; `table` is room that is used again.
fn distinct(numbers: &mut Vec<u64>, table: &mut Vec<u64>) {
    let size = (numbers.len() * 2).next_power_of_two();
    table.clear();
    table.resize(size, FREE);
    numbers.retain(|bits| {
        let mut slot = HASHER.hash_one(bits) as usize;
        loop {
            let known = &mut table[slot & (size - 1)];
            if *known == *bits {
                return false;
            }
            if *known == FREE {
                *known = *bits;
                return true;
            }
            slot = slot.wrapping_add(1);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_counts_once_whatever_is_held_on_to() {
        let reals = |from: u32, to: u32| Column::Real((from..to).map(|i| f64::from(i % 900) - 450.0).collect());
        let mut one = DistinctNumbers::new(Kind::Real);
        one.room = 100;
        (0..40).for_each(|i| assert!(one.add(&reals(i * 10, i * 10 + 60))));
        let mut other = DistinctNumbers::new(Kind::Real);
        assert!(other.add(&reals(400, 1800)));
        assert!(other.add(&Column::Real(vec![Some(-0.0), None, Some(f64::NAN), Some(-f64::NAN)].into())));
        one.join(other);
        assert_eq!(one.count(), 901);
        let column = one.column();
        let mut reals: Vec<f64> = column.values().filter_map(|value| value.as_real()).collect();
        reals.sort_by(f64::total_cmp);
        assert_eq!(reals[..900], (0..900).map(|i| f64::from(i) - 450.0).collect::<Vec<_>>());
    }

    #[test]
    fn no_other_columns_are_taken() {
        assert!(!DistinctNumbers::new(Kind::Long).add(&Column::nulls(Kind::Long, 3)));
    }
}
