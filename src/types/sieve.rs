//! Telling apart, by one bit, most of what is not among many.

/// Which hashes may be among some: all of these are, and few others.
#[derive(Debug)]
pub struct Sieve {
    words: Vec<u64>,
    /// The place of a hash's bit is what is left of the hash.
    shift: u32,
}

/// So many bits stand for each hash: no more than one in so many of the others passes.
const BITS: usize = 16;

impl Sieve {
    pub fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Sieve {
        let bits = (hashes.len() * BITS).next_power_of_two().max(64);
        let mut sieve = Sieve { words: vec![0; bits / 64], shift: u64::BITS - bits.trailing_zeros() };
        for hash in hashes {
            let (word, bit) = sieve.place(hash);
            if let Some(word) = sieve.words.get_mut(word) {
                *word |= bit;
            }
        }
        sieve
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> (usize, u64) {
        let place = hash >> self.shift;
        ((place / 64) as usize, 1 << (place % 64))
    }

    #[inline(always)]
    pub fn lets_pass(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_passes_and_most_else_does_not() {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for count in [0, 1, 1000] {
            let sieve = Sieve::of((0..count as usize).map(|n| hash(n as u64)));
            assert!((0..count).all(|n| sieve.lets_pass(hash(n))));
            assert!((10_000..20_000).filter(|n| sieve.lets_pass(hash(*n))).count() < 1000);
        }
    }
}
