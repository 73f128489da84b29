//! Hashes of keys: the same for equal values, however a column holds them.
use super::bits::hash_number;
use super::intern::{hash_of_view, real_bits};
use super::{Column, Dictionary, Text, Value};
use arrow_array::{Array, StringViewArray};
use arrow_buffer::NullBuffer;
use std::collections::HashMap;
use std::sync::Arc;

/// Hashes the keys of rows; of a dictionary each value once.
#[derive(Default)]
pub struct KeyHasher {
    dictionaries: HashMap<u64, Arc<[u64]>>,
}

/// The hash of null.
const NULL_HASH: u64 = 0x6e75_6c6c;

impl KeyHasher {
    /// The hash of each row's key, which is the values that the columns have there.
    pub fn hashes(&mut self, columns: &[Column], rows: usize) -> Vec<u64> {
        let Some((first, others)) = columns.split_first() else { return vec![NULL_HASH; rows] };
        let mut hashes = self.of(first);
        for column in others {
            let own = self.of(column);
            // Values that agree in one part of the key differ in another: no part may undo the mixing before it.
            hashes.iter_mut().zip(own).for_each(|(all, own)| *all = (all.rotate_left(23) ^ own).wrapping_mul(ODD));
        }
        hashes
    }

    fn of(&mut self, column: &Column) -> Vec<u64> {
        match column {
            Column::Const(value, rows) => vec![self.of_value(value); *rows],
            Column::Text(_, Text::Views(views)) => of_views(views),
            Column::Text(_, Text::Dictionary(keys, dictionary)) => {
                let known = self.of_dictionary(dictionary);
                each(keys.values(), keys.nulls(), |key| known.get(key as usize).copied().unwrap_or(NULL_HASH))
            }
            Column::Field(field) => of_views(&field.texts()),
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => {
                each(a.values(), a.nulls(), |value| hash_number(value as u64))
            }
            Column::Int(a) => each(a.values(), a.nulls(), |value| hash_number(i64::from(value) as u64)),
            Column::Real(a) => each(a.values(), a.nulls(), |value| hash_number(real_bits(value))),
            Column::Bool(a) => a.iter().map(|b| b.map_or(NULL_HASH, |b| hash_number(u64::from(b)))).collect(),
            Column::List(list) => {
                let texts = (0..list.len()).map(|row| (!list.is_null(row)).then(|| list.json(row)));
                of_views(&texts.collect::<StringViewArray>())
            }
        }
    }

    fn of_value(&mut self, value: &Value) -> u64 {
        match value.is_null() {
            true => NULL_HASH,
            false => self.of(&Column::from_values(value.kind(), [value])).first().copied().unwrap_or(NULL_HASH),
        }
    }

    fn of_dictionary(&mut self, dictionary: &Arc<Dictionary>) -> Arc<[u64]> {
        self.dictionaries.entry(dictionary.id).or_insert_with(|| of_views(&dictionary.values).into()).clone()
    }
}

/// Any odd number whose bits are mixed.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

fn of_views(views: &StringViewArray) -> Vec<u64> {
    let buffers = views.data_buffers();
    each(views.views(), views.nulls(), |view| hash_of_view(view, buffers))
}

fn each<T: Copy>(values: &[T], nulls: Option<&NullBuffer>, hash: impl Fn(T) -> u64) -> Vec<u64> {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => values.iter().map(|value| hash(*value)).collect(),
        Some(nulls) => {
            values.iter().zip(nulls).map(|(value, valid)| if valid { hash(*value) } else { NULL_HASH }).collect()
        }
    }
}

/// In how many parts keys are told apart by their hashes.
pub const PARTS: usize = 64;

/// Rows by the part that their keys belong to, each part's in their order, and where each part begins among them.
pub fn by_part(hashes: &[u64]) -> (Vec<u32>, [usize; PARTS + 1]) {
    let part = |hash: &u64| (hash.wrapping_mul(ODD) >> 58) as usize;
    let mut starts = [0; PARTS + 1];
    hashes.iter().for_each(|hash| starts[part(hash) + 1] += 1);
    (0..PARTS).for_each(|at| starts[at + 1] += starts[at]);
    let (mut next, mut rows) = (starts, vec![0; hashes.len()]);
    for (row, hash) in hashes.iter().enumerate() {
        let place = &mut next[part(hash)];
        rows[*place] = row as u32;
        *place += 1;
    }
    (rows, starts)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, gather};
    use super::*;

    #[test]
    fn equal_values_have_one_hash_however_they_are_held() {
        let texts = ["", "short", "a text of more than twelve bytes"];
        let views = Column::strings(StringViewArray::from_iter_values(texts));
        let Column::Text(_, Text::Views(array)) = &views else { panic!() };
        let keys = arrow_array::Int32Array::from(vec![2, 0, 1]);
        let keyed = Column::Text(Kind::String, Text::Dictionary(keys, Dictionary::of_distinct(array.clone())));
        let mut hasher = KeyHasher::default();
        let hashes = hasher.hashes(std::slice::from_ref(&views), 3);
        assert_eq!(hasher.hashes(&[keyed], 3), [hashes[2], hashes[0], hashes[1]]);
        for (row, hash) in hashes.iter().enumerate() {
            assert_eq!(hasher.hashes(&[Column::Const(views.value(row), 2)], 2), [*hash; 2]);
        }
        let reals = Column::from_values(Kind::Real, [&Value::Real(0.0), &Value::Real(-0.0), &Value::Null(Kind::Real)]);
        let hashes = hasher.hashes(&[reals, gather::take(&views, &[1, 1, 1])], 3);
        assert!(hashes[0] == hashes[1] && hashes[0] != hashes[2]);
    }

    #[test]
    fn each_row_is_in_one_part() {
        let hashes: Vec<u64> = (0..1000).map(hash_number).collect();
        let (rows, starts) = by_part(&hashes);
        assert!(starts.windows(2).all(|pair| pair[0] < pair[1] && rows[pair[0]..pair[1]].is_sorted()));
        let mut all = rows;
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<u32>>());
    }
}
