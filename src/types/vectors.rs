//! Loops over numbers, with the widest vectors that the processor has.
use arrow_buffer::{BooleanBuffer, Buffer};

/// Runs a loop as it is compiled for AVX2 where the processor has that. Its answer is the same either way: nothing
/// is added in another order, and no product is fused with a sum. A loop that calls much is better a [`Loop`].
#[inline(always)]
pub fn wide<R>(run: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { wide_x86(run) };
    }
    run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn wide_x86<R>(run: impl FnOnce() -> R) -> R {
    run()
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn is_wide() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("lzcnt")
}

/// A loop that is compiled for AVX2, and for any processor. It is to be inlined always, and made of plain `for`: of the
/// loops that iterators' own functions run there may be one copy for all processors.
pub trait Loop {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs a loop as [`wide`] does.
pub fn run<L: Loop>(work: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { run_x86(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_x86<L: Loop>(work: L) -> L::Output {
    work.run()
}

/// The sum of the first values of all chunks, of the second ones, and so on, each with what its roundings lost.
pub fn exact_sums(chunks: &[[f64; 8]]) -> [(f64, f64); 8] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { exact_sums_x86(chunks) };
    }
    let mut all = [(0.0, 0.0); 8];
    for chunk in chunks {
        for ((sum, lost), value) in all.iter_mut().zip(chunk) {
            let next = *sum + value;
            let part = next - *sum;
            *lost += (*sum - (next - part)) + (value - part);
            *sum = next;
        }
    }
    all
}

/// The same by fours: no compiler puts these sums side by side of itself.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
fn exact_sums_x86(chunks: &[[f64; 8]]) -> [(f64, f64); 8] {
    use std::arch::x86_64::{_mm256_add_pd, _mm256_loadu_pd, _mm256_setzero_pd, _mm256_storeu_pd, _mm256_sub_pd};
    let (mut sums, mut lost) = ([_mm256_setzero_pd(); 2], [_mm256_setzero_pd(); 2]);
    for chunk in chunks {
        for ((sum, lost), four) in sums.iter_mut().zip(&mut lost).zip(chunk.as_chunks::<4>().0) {
            // SAFETY: four values are there to be read.
            let value = unsafe { _mm256_loadu_pd(four.as_ptr()) };
            let next = _mm256_add_pd(*sum, value);
            let part = _mm256_sub_pd(next, *sum);
            let rounded = _mm256_add_pd(_mm256_sub_pd(*sum, _mm256_sub_pd(next, part)), _mm256_sub_pd(value, part));
            *lost = _mm256_add_pd(*lost, rounded);
            *sum = next;
        }
    }
    let values = |fours: [_; 2]| {
        let mut values = [0.0; 8];
        for (into, four) in values.as_chunks_mut::<4>().0.iter_mut().zip(fours) {
            // SAFETY: there is room for four values.
            unsafe { _mm256_storeu_pd(into.as_mut_ptr(), four) };
        }
        values
    };
    let (sums, lost) = (values(sums), values(lost));
    std::array::from_fn(|at| (sums[at], lost[at]))
}

/// Whether all bytes are ASCII. Best called within [`wide`].
#[inline(always)]
pub fn is_ascii(bytes: &[u8]) -> bool {
    let any = |block: &[u8]| block.iter().fold(0, |all, byte| all | byte);
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut all = [0u8; 32];
    let mut with = |block: &[u8; 32]| all.iter_mut().zip(block).for_each(|(all, byte)| *all |= byte);
    blocks.iter().for_each(&mut with);
    let short = match bytes.last_chunk::<32>() {
        // The last bytes overlap those before them.
        Some(last) => {
            with(last);
            0
        }
        None => match (rest.first_chunk::<16>(), rest.last_chunk::<16>()) {
            (Some(first), Some(last)) => any(first) | any(last),
            _ => match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
                (Some(first), Some(last)) => any(first) | any(last),
                _ => any(rest),
            },
        },
    };
    (any(&all) | short) < 0x80
}

/// A bit for each value.
pub fn bits_of<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> BooleanBuffer {
    let (chunks, rest) = values.as_chunks::<64>();
    let last = word_of(rest.iter().map(|value| holds(*value)));
    bits(Each { chunks, holds }, values.len(), last)
}

/// A bit for each value that is one of a few.
pub fn bits_among<T: Copy + PartialEq>(values: &[T], few: &[T]) -> BooleanBuffer {
    let (chunks, rest) = values.as_chunks::<64>();
    bits(Among { chunks, few }, values.len(), word_of(rest.iter().map(|value| few.contains(value))))
}

/// A bit for each pair of values; as many as the shorter side has.
pub fn bits_of_pairs<T: Copy>(left: &[T], right: &[T], holds: impl Fn(T, T) -> bool) -> BooleanBuffer {
    let rows = left.len().min(right.len());
    let ((lefts, left), (rights, right)) = (left[..rows].as_chunks::<64>(), right[..rows].as_chunks::<64>());
    let last = word_of(left.iter().zip(right).map(|(left, right)| holds(*left, *right)));
    bits(Pairs { lefts, rights, holds }, rows, last)
}

/// The bits of fewer than 64 values.
fn word_of(bits: impl Iterator<Item = bool>) -> u64 {
    bits.zip(0..).fold(0, |word, (holds, at)| word | u64::from(holds) << at)
}

/// So many bits: those of all words, and behind them those of the last one.
fn bits(words: impl Words, length: usize, last: u64) -> BooleanBuffer {
    let mut all = Vec::with_capacity(length / 64 + 1);
    all.resize(length / 64, 0);
    run(Fill { words, out: &mut all });
    all.extend((!length.is_multiple_of(64)).then_some(last));
    BooleanBuffer::new(Buffer::from_vec(all), 0, length)
}

/// Words of 64 bits.
trait Words {
    /// The bytes, 0 or 1, of word `at`. To be inlined always.
    fn bytes(&self, at: usize) -> [u8; 64];
}

struct Each<'a, T, F> {
    chunks: &'a [[T; 64]],
    holds: F,
}

impl<T: Copy, F: Fn(T) -> bool> Words for Each<'_, T, F> {
    #[inline(always)]
    fn bytes(&self, at: usize) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (byte, value) in bytes.iter_mut().zip(&self.chunks[at]) {
            *byte = u8::from((self.holds)(*value));
        }
        bytes
    }
}

struct Among<'a, T> {
    chunks: &'a [[T; 64]],
    few: &'a [T],
}

impl<T: Copy + PartialEq> Words for Among<'_, T> {
    #[inline(always)]
    fn bytes(&self, at: usize) -> [u8; 64] {
        let mut bytes = [0; 64];
        for one in self.few {
            for (byte, value) in bytes.iter_mut().zip(&self.chunks[at]) {
                *byte |= u8::from(value == one);
            }
        }
        bytes
    }
}

struct Pairs<'a, T, F> {
    lefts: &'a [[T; 64]],
    rights: &'a [[T; 64]],
    holds: F,
}

impl<T: Copy, F: Fn(T, T) -> bool> Words for Pairs<'_, T, F> {
    #[inline(always)]
    fn bytes(&self, at: usize) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (byte, (left, right)) in bytes.iter_mut().zip(self.lefts[at].iter().zip(&self.rights[at])) {
            *byte = u8::from((self.holds)(*left, *right));
        }
        bytes
    }
}

struct Fill<'a, W> {
    words: W,
    out: &'a mut [u64],
}

impl<W: Words> Loop for Fill<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (at, word) in self.out.iter_mut().enumerate() {
            *word = packed(&self.words.bytes(at));
        }
    }
}

/// Bytes of 0 and 1 as bits, the first one lowest.
#[inline(always)]
fn packed(bytes: &[u8; 64]) -> u64 {
    let mut word = 0;
    for (at, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        // Eight of them times this number have their bits side by side in the highest byte.
        word |= u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * at);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_beyond_ascii_is_found_wherever_it_is() {
        for length in 0..100 {
            assert!(is_ascii(&vec![b'a'; length]));
            for at in 0..length {
                let mut bytes = vec![b'a'; length];
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{at} of {length}");
            }
        }
    }

    #[test]
    fn sums_know_what_they_lost() {
        let chunks = [[1e16; 8], [1.0; 8], [-1e16; 8], [0.5; 8]];
        assert!(exact_sums(&chunks).iter().all(|(sum, lost)| sum + lost == 1.5));
    }

    #[test]
    fn bits_are_those_of_each_value() {
        for rows in [0usize, 1, 7, 63, 64, 65, 200] {
            let left: Vec<u64> = (0..rows as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7).collect();
            let right: Vec<u64> = (0..rows as u64).map(|i| i.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7).collect();
            let odd: Vec<bool> = left.iter().map(|v| v % 2 == 1).collect();
            let less: Vec<bool> = left.iter().zip(&right).map(|(l, r)| l < r).collect();
            assert_eq!(bits_of(&left, |v| v % 2 == 1).iter().collect::<Vec<_>>(), odd);
            assert_eq!(bits_among(&left, &[left.first().copied().unwrap_or(1), 2]).count_set_bits(), rows.min(1));
            assert_eq!(bits_of_pairs(&left, &right, |l, r| l < r).iter().collect::<Vec<_>>(), less);
        }
    }
}
