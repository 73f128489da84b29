//! Distinct values that are a word of bits each. They are noted in parts by their hash and told apart part by part: the
//! table of a part fits into the processor's memory, where one of all values would not.
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hash};

const HASHER: FixedState = FixedState::with_seed(23);

pub(super) struct DistinctBits<B> {
    /// All values but the one of no bits, which marks a free place in tables.
    parts: Vec<Vec<B>>,
    has_none: bool,
    /// How many values the parts hold, and how many there may be before doubles are thrown out.
    held: usize,
    room: usize,
    /// Values seen lately: most of a column of few values are among them.
    recent: Box<[B; RECENT]>,
}

const PARTS_BITS: u32 = 8;
const RECENT: usize = 4096;
const ROOM: usize = 1 << 20;

impl<B: Copy + Default + Eq + Hash> DistinctBits<B> {
    pub(super) fn new() -> DistinctBits<B> {
        DistinctBits {
            parts: vec![Vec::new(); 1 << PARTS_BITS],
            has_none: false,
            held: 0,
            room: ROOM,
            recent: Box::new([B::default(); RECENT]),
        }
    }

    #[inline]
    pub(super) fn note(&mut self, bits: B) {
        if bits == B::default() {
            self.has_none = true;
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

    /// Throws out doubles where many values were noted.
    pub(super) fn bound(&mut self) {
        if self.held >= self.room {
            self.tell_apart();
            self.room = (self.held * 4).max(ROOM);
        }
    }

    /// Notes the values that another one holds.
    pub(super) fn join(&mut self, other: DistinctBits<B>) {
        self.parts.iter_mut().zip(other.parts).for_each(|(own, theirs)| own.extend(theirs));
        self.has_none |= other.has_none;
        self.held += other.held;
        self.bound();
    }

    /// No more than so many values are held, told apart or not.
    pub(super) fn held(&self) -> usize {
        self.held + usize::from(self.has_none)
    }

    /// How many different values there are.
    pub(super) fn count(&mut self) -> usize {
        self.tell_apart();
        self.held()
    }

    /// The different values.
    pub(super) fn values(&mut self) -> impl Iterator<Item = B> {
        self.tell_apart();
        self.parts.iter().flatten().copied().chain(self.has_none.then(B::default))
    }

    fn tell_apart(&mut self) {
        let mut table = Vec::new();
        self.parts.iter_mut().for_each(|part| distinct(part, &mut table));
        self.held = self.parts.iter().map(Vec::len).sum();
    }
}

/// Keeps one of each value; `table` is room that is used again.
fn distinct<B: Copy + Default + Eq + Hash>(values: &mut Vec<B>, table: &mut Vec<B>) {
    let size = (values.len() * 2).next_power_of_two();
    table.clear();
    table.resize(size, B::default());
    values.retain(|bits| {
        let mut slot = HASHER.hash_one(*bits) as usize;
        loop {
            let known = &mut table[slot & (size - 1)];
            if *known == *bits {
                return false;
            }
            if *known == B::default() {
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
    fn each_value_counts_once_whatever_is_held_on_to() {
        let mut one = DistinctBits::new();
        one.room = 100;
        (0..40u64).flat_map(|i| i * 10..i * 10 + 60).for_each(|bits| {
            one.note(bits);
            one.bound();
        });
        let mut other = DistinctBits::new();
        (400..1800).for_each(|bits: u64| other.note(bits % 900));
        one.join(other);
        assert_eq!(one.count(), 900);
        let mut values: Vec<u64> = one.values().collect();
        values.sort_unstable();
        assert_eq!(values, (0..900).collect::<Vec<_>>());
    }
}
