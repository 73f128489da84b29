//! Distinct values as small integers: what group keys, sets and distinct counts work on.
use super::{Builder, Column, Dictionary, Kind, Text, Value};
use arrow_array::{Array, Int64Array, StringViewArray};
use arrow_buffer::Buffer;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

/// The number that stands for null.
pub const NULL: u32 = u32::MAX;

/// Gives each distinct value of one kind a number from 0 in order of first sight.
#[derive(Debug, Default)]
pub struct Interner {
    kind: Option<Kind>,
    texts: Texts,
    /// Bits of values that are no text.
    numbers: HashTable<u32>,
    number_values: Vec<u64>,
    /// What each known dictionary's keys are here.
    dictionaries: HashMap<u64, Vec<u32>>,
    /// While all values came from one dictionary of distinct values, its keys are the numbers.
    shared: Option<Arc<Dictionary>>,
}

/// What the numbers of one interner are in another.
pub enum Known {
    Same,
    Map(Vec<u32>),
}

impl Known {
    #[inline(always)]
    pub fn at(&self, number: u32) -> u32 {
        match self {
            Known::Same => number,
            Known::Map(map) => map.get(number as usize).copied().unwrap_or(NULL),
        }
    }
}

const HASHER: FixedState = FixedState::with_seed(0x5eed);

#[inline(always)]
fn hash_number(bits: u64) -> u64 {
    HASHER.hash_one(bits)
}

impl Interner {
    pub fn new(kind: Kind) -> Interner {
        Interner { kind: Some(kind), ..Interner::default() }
    }

    /// An interner of texts with room for so many distinct ones.
    pub fn with_room(kind: Kind, values: usize) -> Interner {
        let mut interner = Self::new(kind);
        interner.texts.table.reserve(values, |_| 0);
        interner
    }

    /// The numbers given so far are below this.
    pub fn len(&self) -> usize {
        match &self.shared {
            Some(dictionary) => dictionary.len(),
            None => self.texts.views.len() + self.number_values.len(),
        }
    }

    /// Takes the dictionary's keys for numbers, where nothing else was numbered before.
    fn shares(&mut self, dictionary: &Arc<Dictionary>) -> bool {
        match &self.shared {
            Some(known) => known.id == dictionary.id,
            None if self.is_empty() && dictionary.distinct => {
                self.shared = Some(dictionary.clone());
                true
            }
            None => false,
        }
    }

    /// Other values follow: the dictionary's values become values of our own under the same numbers.
    fn unshare(&mut self) {
        if let Some(dictionary) = self.shared.take() {
            let buffers = dictionary.values.data_buffers();
            for view in dictionary.values.views() {
                self.texts.intern_view(*view, buffers);
            }
            self.dictionaries.insert(dictionary.id, (0..dictionary.len() as u32).collect());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a column's values, [`NULL`] for null. Dynamic values are told apart by their text.
    pub fn numbers(&mut self, column: &Column) -> Vec<u32> {
        if let Column::Text(_, Text::Dictionary(keys, dictionary)) = column
            && self.shares(dictionary)
        {
            return each(keys.values(), keys.nulls(), |key| key as u32);
        }
        self.unshare();
        match column {
            Column::Const(value, rows) => vec![self.number(value); *rows],
            Column::Text(_, Text::Views(views)) => self.texts.intern_views(views),
            Column::Field(field) => self.texts.intern_views(&field.texts()),
            Column::Text(_, Text::Dictionary(keys, dictionary)) => {
                let map = self.dictionaries.entry(dictionary.id).or_insert_with(|| vec![NULL; dictionary.len()]);
                let texts = &mut self.texts;
                let number = |key: i32| {
                    let slot = &mut map[key as usize];
                    if *slot == NULL {
                        *slot = texts
                            .intern_view(dictionary.values.views()[key as usize], dictionary.values.data_buffers());
                    }
                    *slot
                };
                each(keys.values(), keys.nulls(), number)
            }
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => self.longs(a),
            Column::Int(a) => each(a.values(), a.nulls(), |v| self.bits(i64::from(v) as u64)),
            Column::Real(a) => each(a.values(), a.nulls(), |v| self.bits(real_bits(v))),
            Column::Bool(a) => {
                (0..a.len()).map(|i| if a.is_null(i) { NULL } else { self.bits(u64::from(a.value(i))) }).collect()
            }
            Column::List(list) => {
                (0..list.len()).map(|i| if list.is_null(i) { NULL } else { self.texts.intern(&list.json(i)) }).collect()
            }
        }
    }

    fn longs(&mut self, array: &Int64Array) -> Vec<u32> {
        // Times often repeat: `by bin(TimeGenerated, 1d)`.
        let mut last = (0i64, NULL);
        each(array.values(), array.nulls(), |v| {
            if last.1 == NULL || last.0 != v {
                last = (v, self.bits(v as u64));
            }
            last.1
        })
    }

    pub fn number(&mut self, value: &Value) -> u32 {
        self.unshare();
        match value {
            Value::Null(_) => NULL,
            Value::Text(_, text) => self.texts.intern(text),
            Value::Field(_) => self.texts.intern(&value.to_text()),
            Value::Real(r) => self.bits(real_bits(*r)),
            other => self.bits(other.as_long().unwrap_or_default() as u64),
        }
    }

    fn bits(&mut self, bits: u64) -> u32 {
        let values = &mut self.number_values;
        let entry = self.numbers.entry(
            hash_number(bits),
            |&i| values.get(i as usize) == Some(&bits),
            |&i| hash_number(values.get(i as usize).copied().unwrap_or_default()),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(slot) => {
                let number = values.len() as u32;
                slot.insert(number);
                values.push(bits);
                number
            }
        }
    }

    /// Makes ready for [`Interner::find`]: no values are added any more.
    pub fn settle(&mut self) {
        self.unshare();
    }

    /// The numbers of a column's values, [`NULL`] for null and for values that have none. `maps` keeps what was
    /// found for a dictionary.
    pub fn find(&self, column: &Column, maps: &mut HashMap<u64, Vec<u32>>) -> Vec<u32> {
        match column {
            Column::Const(value, rows) => {
                let one = Column::from_values(value.kind(), [value]);
                let number =
                    if value.is_null() { NULL } else { self.find(&one, maps).first().copied().unwrap_or(NULL) };
                vec![number; *rows]
            }
            Column::Text(_, Text::Dictionary(keys, dictionary)) => {
                let map = match self.dictionaries.get(&dictionary.id) {
                    Some(map) if dictionary.distinct => map,
                    _ => maps.entry(dictionary.id).or_insert_with(|| self.texts.find_views(&dictionary.values)),
                };
                each(keys.values(), keys.nulls(), |key| map.get(key as usize).copied().unwrap_or(NULL))
            }
            Column::Text(_, Text::Views(views)) => self.texts.find_views(views),
            Column::Field(field) => self.texts.find_views(&field.texts()),
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => {
                each(a.values(), a.nulls(), |v| self.find_bits(v as u64))
            }
            Column::Int(a) => each(a.values(), a.nulls(), |v| self.find_bits(i64::from(v) as u64)),
            Column::Real(a) => each(a.values(), a.nulls(), |v| self.find_bits(real_bits(v))),
            Column::Bool(a) => {
                let number = |i| if a.is_null(i) { NULL } else { self.find_bits(u64::from(a.value(i))) };
                (0..a.len()).map(number).collect()
            }
            Column::List(list) => {
                let number = |i| if list.is_null(i) { NULL } else { self.texts.find_bytes(list.json(i).as_bytes()) };
                (0..list.len()).map(number).collect()
            }
        }
    }

    fn find_bits(&self, bits: u64) -> u32 {
        let same = |&i: &u32| self.number_values.get(i as usize) == Some(&bits);
        self.numbers.find(hash_number(bits), same).copied().unwrap_or(NULL)
    }

    /// What the numbers of `other` are here; its unknown values are added.
    pub fn absorb(&mut self, other: &Interner) -> Known {
        if let Some(dictionary) = &other.shared {
            if self.shares(dictionary) {
                return Known::Same;
            }
            self.unshare();
            let buffers = dictionary.values.data_buffers();
            return Known::Map(dictionary.values.views().iter().map(|v| self.texts.intern_view(*v, buffers)).collect());
        }
        if !other.is_empty() {
            self.unshare();
        }
        if other.number_values.is_empty() {
            let buffers = other.texts.buffers();
            return Known::Map(other.texts.views.iter().map(|v| self.texts.intern_view(*v, &buffers)).collect());
        }
        Known::Map(other.number_values.iter().map(|bits| self.bits(*bits)).collect())
    }

    /// The values that `numbers` stand for, as a column; [`NULL`] is null.
    pub fn column(&self, kind: Kind, numbers: &[u32]) -> Column {
        if let Some(dictionary) = &self.shared {
            let keys: Vec<i32> = numbers.iter().map(|n| if *n == NULL { 0 } else { *n as i32 }).collect();
            let nulls = (kind != Kind::String && numbers.contains(&NULL))
                .then(|| numbers.iter().map(|n| *n != NULL).collect::<arrow_buffer::NullBuffer>());
            let keys = arrow_array::Int32Array::new(keys.into(), nulls);
            return Column::Text(kind, Text::Views(super::gather::views(&dictionary.values, &keys)));
        }
        if kind.is_textual() {
            return Column::Text(kind, Text::Views(self.texts.column(kind, numbers)));
        }
        let mut builder = Builder::new(kind, numbers.len());
        for &number in numbers {
            match self.number_values.get(number as usize) {
                None => builder.push_null(),
                Some(bits) => match kind {
                    Kind::Bool => builder.push_bool(*bits != 0),
                    Kind::Real => builder.push_real(f64::from_bits(*bits)),
                    _ => builder.push_long(*bits as i64),
                },
            }
        }
        builder.finish()
    }

    /// The kind that values are told apart as.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

fn real_bits(real: f64) -> u64 {
    match real {
        0.0 => 0,
        r if r.is_nan() => f64::NAN.to_bits(),
        r => r.to_bits(),
    }
}

fn each<T: Copy>(values: &[T], nulls: Option<&arrow_buffer::NullBuffer>, mut number: impl FnMut(T) -> u32) -> Vec<u32> {
    match nulls.filter(|n| n.null_count() > 0) {
        None => values.iter().map(|v| number(*v)).collect(),
        Some(nulls) => {
            values.iter().enumerate().map(|(i, v)| if nulls.is_null(i) { NULL } else { number(*v) }).collect()
        }
    }
}

/// Distinct texts, held as views over bytes of our own.
#[derive(Debug, Default)]
struct Texts {
    table: HashTable<u32>,
    views: Vec<u128>,
    hashes: Vec<u64>,
    full: Vec<Buffer>,
    open: Vec<u8>,
}

const BLOCK: usize = 1 << 20;

impl Texts {
    fn intern_views(&mut self, views: &StringViewArray) -> Vec<u32> {
        let buffers = views.data_buffers();
        each(views.views(), views.nulls(), |view| self.intern_view(view, buffers))
    }

    fn intern(&mut self, text: &str) -> u32 {
        self.intern_bytes(text.as_bytes())
    }

    #[inline]
    fn intern_view(&mut self, view: u128, buffers: &[Buffer]) -> u32 {
        if view as u32 <= 12 {
            return self.find(HASHER.hash_one(view), view, &[]);
        }
        match bytes_of(view, buffers) {
            Some(bytes) => self.intern_bytes(bytes),
            None => NULL,
        }
    }

    fn intern_bytes(&mut self, bytes: &[u8]) -> u32 {
        let view = head(bytes);
        if bytes.len() <= 12 {
            return self.find(HASHER.hash_one(view), view, &[]);
        }
        self.find(HASHER.hash_one(bytes), view, bytes)
    }

    fn find_views(&self, views: &StringViewArray) -> Vec<u32> {
        let buffers = views.data_buffers();
        each(views.views(), views.nulls(), |view| match view as u32 <= 12 {
            true => self.known(HASHER.hash_one(view), view, &[]),
            false => bytes_of(view, buffers).map_or(NULL, |bytes| self.find_bytes(bytes)),
        })
    }

    fn find_bytes(&self, bytes: &[u8]) -> u32 {
        let view = head(bytes);
        match bytes.len() <= 12 {
            true => self.known(HASHER.hash_one(view), view, &[]),
            false => self.known(HASHER.hash_one(bytes), view, bytes),
        }
    }

    /// The number of a text that was seen; [`NULL`] for others.
    fn known(&self, hash: u64, view: u128, bytes: &[u8]) -> u32 {
        let same = |&i: &u32| {
            let known = self.views[i as usize];
            if bytes.is_empty() {
                return known == view;
            }
            let alike = known as u64 == view as u64 && self.hashes[i as usize] == hash;
            alike && held(known, &self.full, &self.open) == bytes
        };
        self.table.find(hash, same).copied().unwrap_or(NULL)
    }

    /// `view` is whole where `bytes` is empty, else length and prefix.
    fn find(&mut self, hash: u64, view: u128, bytes: &[u8]) -> u32 {
        let Texts { table, views, hashes, full, open } = self;
        let same = |&i: &u32| {
            let known = views[i as usize];
            if bytes.is_empty() {
                return known == view;
            }
            known as u64 == view as u64 && hashes[i as usize] == hash && held(known, full, open) == bytes
        };
        match table.entry(hash, same, |&i| hashes[i as usize]) {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(slot) => {
                let number = views.len() as u32;
                slot.insert(number);
                hashes.push(hash);
                let stored = if bytes.is_empty() { view } else { store(view, bytes, full, open) };
                views.push(stored);
                number
            }
        }
    }

    fn buffers(&self) -> Vec<Buffer> {
        let mut buffers = self.full.clone();
        buffers.push(Buffer::from(self.open.as_slice()));
        buffers
    }

    fn column(&self, kind: Kind, numbers: &[u32]) -> StringViewArray {
        let views: Vec<u128> =
            numbers.iter().map(|&n| self.views.get(n as usize).copied().unwrap_or_default()).collect();
        let nulls = (kind != Kind::String && numbers.contains(&NULL))
            .then(|| numbers.iter().map(|&n| n != NULL).collect::<arrow_buffer::NullBuffer>());
        // SAFETY: the views are our own and point into these buffers, which hold whole texts.
        unsafe { StringViewArray::new_unchecked(views.into(), self.buffers().into(), nulls) }
    }
}

/// A text's length and all of its bytes, or the first four where they are more than twelve.
fn head(bytes: &[u8]) -> u128 {
    let mut raw = [0u8; 16];
    raw[..4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    let held = if bytes.len() <= 12 { bytes.len() } else { 4 };
    raw[4..4 + held].copy_from_slice(&bytes[..held]);
    u128::from_le_bytes(raw)
}

fn bytes_of(view: u128, buffers: &[Buffer]) -> Option<&[u8]> {
    let (length, buffer, offset) = (view as u32 as usize, (view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
    buffers.get(buffer)?.get(offset..offset + length)
}

fn held<'a>(view: u128, full: &'a [Buffer], open: &'a [u8]) -> &'a [u8] {
    let (length, buffer, offset) = (view as u32 as usize, (view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
    let block = full.get(buffer).map_or(open, |b| b.as_slice());
    block.get(offset..offset + length).unwrap_or_default()
}

fn store(view: u128, bytes: &[u8], full: &mut Vec<Buffer>, open: &mut Vec<u8>) -> u128 {
    if !open.is_empty() && open.len() + bytes.len() > BLOCK {
        full.push(Buffer::from_vec(std::mem::take(open)));
    }
    let offset = open.len() as u128;
    open.extend_from_slice(bytes);
    (view as u64 as u128) | ((full.len() as u128) << 64) | (offset << 96)
}
