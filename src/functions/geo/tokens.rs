//! Texts that name cells, in arrays.
//!
//! Kusto gathers some of its answers in a hash table and lists them as the table does. That order is kept here:
//! the table is the one of GNU's C++ library, made of a list of known length.
use crate::types::json::Writer;
use std::collections::{HashMap, HashSet};

/// Sizes that a table may have.
const SIZES: &[u32] = &[
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 103, 109, 113, 127,
    137, 139, 149, 157, 167, 179, 193, 199, 211, 227, 241, 257, 277, 293, 313, 337, 359, 383, 409, 439, 467, 503, 541,
    577, 619, 661, 709, 761, 823, 887, 953, 1031, 1109, 1193, 1289, 1381, 1493, 1613, 1741, 1879, 2029, 2179, 2357,
    2549, 2753, 2971, 3209, 3469, 3739, 4027, 4349, 4703, 5087, 5503, 5953, 6427, 6949, 7517, 8123, 8783, 9497, 10273,
    11113, 12011, 12983, 14033, 15173, 16411, 17749, 19183, 20753, 22447, 24281, 26267, 28411, 30727, 33223, 35933,
    38873, 42043, 45481, 49201, 53201, 57557, 62233, 67307,
];

/// The tokens without repetitions, as the table lists them.
pub fn as_set(tokens: &[String]) -> Vec<&str> {
    let mut table = Table::new(tokens.len());
    let mut seen = HashSet::new();
    let distinct: Vec<&str> = tokens.iter().map(String::as_str).filter(|token| seen.insert(*token)).collect();
    for token in &distinct {
        table.insert(hash(token));
    }
    table.order().filter_map(|place| distinct.get(place).copied()).collect()
}

/// A hash table whose entries form one list: those of a bucket stand together, the newest first, and a bucket's
/// first entry goes before all others.
struct Table {
    /// The bucket of each entry.
    buckets: Vec<u64>,
    /// The entry that follows each link; link 0 is the head of the list, link n + 1 belongs to entry n.
    links: Vec<Option<usize>>,
    /// The link to each bucket's first entry.
    firsts: HashMap<u64, usize>,
    size: u64,
}

impl Table {
    fn new(length: usize) -> Table {
        let size = SIZES.iter().copied().map(u64::from).find(|size| *size >= length as u64);
        let size = size.unwrap_or(length as u64);
        Table { buckets: Vec::new(), links: vec![None], firsts: HashMap::new(), size }
    }

    fn insert(&mut self, hash: u64) {
        let (entry, bucket) = (self.buckets.len(), hash % self.size);
        let link = self.firsts.get(&bucket).copied().unwrap_or(0);
        let next = self.links.get_mut(link).and_then(|link| link.replace(entry));
        self.links.push(next);
        if let Some(moved) = next.and_then(|next| self.buckets.get(next)).filter(|moved| **moved != bucket) {
            self.firsts.insert(*moved, entry + 1);
        }
        self.buckets.push(bucket);
        self.firsts.insert(bucket, link);
    }

    /// The entries from the head of the list on.
    fn order(&self) -> impl Iterator<Item = usize> {
        let follow = |link: usize| self.links.get(link).copied().flatten();
        std::iter::successors(follow(0), move |entry| follow(entry + 1))
    }
}

/// The hash of a text in GNU's C++ library: MurmurHash64A.
fn hash(text: &str) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SEED: u64 = 0xc70f_6907;
    let mix = |value: u64| value ^ (value >> 47);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    let mut hash = SEED ^ (text.len() as u64).wrapping_mul(FACTOR);
    let words = text.as_bytes().chunks_exact(8);
    let rest = words.remainder();
    for bytes in words {
        hash = (hash ^ mix(word(bytes).wrapping_mul(FACTOR)).wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        hash = (hash ^ word(rest)).wrapping_mul(FACTOR);
    }
    mix(mix(hash).wrapping_mul(FACTOR))
}

/// The array of tokens.
pub fn array(tokens: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut writer = Writer::default();
    write(&mut writer, tokens);
    writer.finish()
}

/// Writes an array of tokens.
pub fn write(writer: &mut Writer, tokens: impl IntoIterator<Item = impl AsRef<str>>) {
    writer.begin_array();
    for token in tokens {
        writer.string(token.as_ref());
    }
    writer.end_array();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_in_the_order_of_its_table() {
        let tokens = ["89c2f9", "89c251", "89c257", "89c25f", "89c2f7", "89c25b", "89c2f5", "89c25d", "89c25d"];
        let tokens: Vec<String> = tokens.map(str::to_owned).into();
        let set = ["89c25d", "89c25b", "89c2f7", "89c257", "89c2f5", "89c251", "89c25f", "89c2f9"];
        assert_eq!(as_set(&tokens), set);
    }

    #[test]
    fn every_token_is_in_the_set() {
        let tokens: Vec<String> = (0..5000_u64).map(|n| format!("{:x}", n * n)).collect();
        let mut set = as_set(&tokens);
        set.sort_unstable();
        let mut sorted: Vec<&str> = tokens.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        assert_eq!(set, sorted);
    }
}
