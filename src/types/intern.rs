//! Distinct values as small integers: what group keys, sets and distinct counts work on.
use super::bits::{Bits, HASHER, hash_number};
use super::field::Number;
use super::{Builder, Column, Dictionary, Field, Kind, Text, Value};
use arrow_array::{Array, Int32Array, Int64Array, StringViewArray};
use arrow_buffer::{Buffer, NullBuffer};
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
    bits: Bits,
    /// What each known dictionary's keys are here.
    dictionaries: HashMap<u64, Vec<u32>>,
    /// The numbers of the texts of numbers of fields, by their bits.
    written: Written,
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
            None => self.texts.views.len() + self.bits.values().len(),
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
        self.bits.unsettle();
        if let Some(dictionary) = self.shared.take() {
            let buffers = dictionary.values.data_buffers();
            for view in dictionary.values.views() {
                self.texts.intern_view(*view, buffers);
            }
            self.dictionaries.insert(dictionary.id, (0..dictionary.len() as u32).collect());
        }
    }

    /// About how many bytes the values take.
    pub fn bytes(&self) -> usize {
        self.len() * 64
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
            Column::Field(Field::Long(array)) => {
                self.field_numbers(array.values(), array.nulls(), |long| (false, long as u64), Number::Long)
            }
            Column::Field(Field::Real(array)) => {
                self.field_numbers(array.values(), array.nulls(), |real| (true, real.to_bits()), Number::Real)
            }
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
            Column::Int(a) => each(a.values(), a.nulls(), |v| self.bits.number(i64::from(v) as u64)),
            Column::Real(a) => each(a.values(), a.nulls(), |v| self.bits.number(real_bits(v))),
            Column::Bool(a) => (0..a.len())
                .map(|i| if a.is_null(i) { NULL } else { self.bits.number(u64::from(a.value(i))) })
                .collect(),
            Column::List(list) => {
                (0..list.len()).map(|i| if list.is_null(i) { NULL } else { self.texts.intern(&list.json(i)) }).collect()
            }
        }
    }

    /// Numbers of fields are told apart by their texts, each of which is written once.
    fn field_numbers<T: Copy + PartialEq>(
        &mut self,
        values: &[T],
        nulls: Option<&arrow_buffer::NullBuffer>,
        key: impl Fn(T) -> (bool, u64),
        number: impl Fn(T) -> Number,
    ) -> Vec<u32> {
        let Interner { texts, written, .. } = self;
        let mut text = String::new();
        let mut last: Option<(T, u32)> = None;
        each(values, nulls, |value| {
            if let Some((known, found)) = last
                && known == value
            {
                return found;
            }
            let found = written.number(key(value), || {
                text.clear();
                number(value).write(&mut text);
                texts.intern(&text)
            });
            last = Some((value, found));
            found
        })
    }

    fn longs(&mut self, array: &Int64Array) -> Vec<u32> {
        // Times often repeat: `by bin(TimeGenerated, 1d)`.
        let mut last = (0i64, NULL);
        each(array.values(), array.nulls(), |v| {
            if last.1 == NULL || last.0 != v {
                last = (v, self.bits.number(v as u64));
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
            Value::Real(r) => self.bits.number(real_bits(*r)),
            other => self.bits.number(other.as_long().unwrap_or_default() as u64),
        }
    }

    /// Makes ready for [`Interner::find`]: no values are added any more.
    pub fn settle(&mut self) {
        self.unshare();
        self.bits.settle();
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
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => self.bits.find_each(a.values(), a.nulls()),
            Column::Int(a) => each(a.values(), a.nulls(), |v| self.bits.find(i64::from(v) as u64)),
            Column::Real(a) => each(a.values(), a.nulls(), |v| self.bits.find(real_bits(v))),
            Column::Bool(a) => {
                let number = |i| if a.is_null(i) { NULL } else { self.bits.find(u64::from(a.value(i))) };
                (0..a.len()).map(number).collect()
            }
            Column::List(list) => {
                let number = |i| if list.is_null(i) { NULL } else { self.texts.find_bytes(list.json(i).as_bytes()) };
                (0..list.len()).map(number).collect()
            }
        }
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
        if other.bits.is_empty() {
            return Known::Map(self.texts.absorb(&other.texts));
        }
        Known::Map(other.bits.values().iter().map(|bits| self.bits.number(*bits)).collect())
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
            match self.bits.values().get(number as usize) {
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

    /// As [`Interner::column`]; texts as a dictionary where the numbers are many more than the values.
    pub fn column_of_many(&self, kind: Kind, numbers: &[u32]) -> Column {
        const MANY: usize = 4096;
        if !kind.is_textual() || numbers.len() < MANY || numbers.len() / 2 < self.len() {
            return self.column(kind, numbers);
        }
        let every: Vec<u32> = (0..self.len() as u32).collect();
        let Column::Text(_, Text::Views(distinct)) = self.column(Kind::String, &every) else {
            return self.column(kind, numbers);
        };
        let (dictionary, mut keys) = (Dictionary::of_distinct(distinct), numbers.to_vec());
        let nulls = keys.contains(&NULL).then(|| keys.iter().map(|key| *key != NULL).collect::<NullBuffer>());
        if kind == Kind::String && nulls.is_some() {
            return self.column(kind, numbers);
        }
        keys.iter_mut().filter(|key| **key == NULL).for_each(|key| *key = 0);
        let keys: Vec<i32> = keys.into_iter().map(|key| key as i32).collect();
        Column::Text(kind, Text::Dictionary(Int32Array::new(keys.into(), nulls), dictionary))
    }

    /// The kind that values are told apart as.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

/// The bits of a real, which are the same for equal ones: for both zeros, and for all that are no number.
pub fn real_bits(real: f64) -> u64 {
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

/// The numbers that texts of numbers have, by whether the number is a real, and its bits.
#[derive(Debug, Default)]
struct Written(HashTable<(bool, u64, u32)>);

impl Written {
    #[inline]
    fn number(&mut self, (real, bits): (bool, u64), write: impl FnOnce() -> u32) -> u32 {
        let same = |(kind, known, _): &(bool, u64, u32)| *known == bits && *kind == real;
        match self.0.entry(hash_number(bits), same, |(_, known, _)| hash_number(*known)) {
            hashbrown::hash_table::Entry::Occupied(found) => found.get().2,
            hashbrown::hash_table::Entry::Vacant(slot) => slot.insert((real, bits, write())).get().2,
        }
    }
}

/// Distinct texts, held as views over bytes of our own.
#[derive(Debug, Default)]
struct Texts {
    /// The tag and the number of each text: a growing table looks at nothing else.
    table: HashTable<(u32, u32)>,
    views: Vec<u128>,
    /// The upper half of each text's hash.
    tags: Vec<u32>,
    full: Vec<Buffer>,
    open: Vec<u8>,
}

const BLOCK: usize = 1 << 20;

/// A text as it is looked for: whole where `bytes` is empty, else its length and first bytes.
struct Sought<'a> {
    tag: u32,
    view: u128,
    bytes: &'a [u8],
}

impl<'a> Sought<'a> {
    #[inline(always)]
    fn inline(view: u128) -> Sought<'a> {
        Sought { tag: tag_of(HASHER.hash_one(view)), view, bytes: &[] }
    }

    fn of(bytes: &'a [u8]) -> Sought<'a> {
        let view = head(bytes);
        match bytes.len() <= 12 {
            true => Self::inline(view),
            false => Sought { tag: tag_of(HASHER.hash_one(bytes)), view, bytes },
        }
    }

    #[inline]
    fn of_view(view: u128, buffers: &'a [Buffer]) -> Option<Sought<'a>> {
        if view as u32 <= 12 { Some(Self::inline(view)) } else { bytes_of(view, buffers).map(Self::of) }
    }

    #[inline(always)]
    fn is(&self, tag: u32, known: u128, full: &[Buffer], open: &[u8]) -> bool {
        if tag != self.tag || known as u64 != self.view as u64 {
            return false;
        }
        if self.bytes.is_empty() { known == self.view } else { same(held(known, full, open), self.bytes) }
    }
}

/// The hash of a text.
#[inline(always)]
pub(super) fn hash_of_view(view: u128, buffers: &[Buffer]) -> u64 {
    match view as u32 > 12 {
        true => bytes_of(view, buffers).map_or(0, |bytes| HASHER.hash_one(bytes)),
        false => HASHER.hash_one(view),
    }
}

/// Whether two texts are the same. Most that are no longer than this are quicker compared by loads that overlap than
/// by a call.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    let ends = |bytes: &[u8]| Some((*bytes.first_chunk::<16>()?, *bytes.last_chunk::<16>()?));
    match one.len() {
        16..=32 => one.len() == other.len() && ends(one) == ends(other),
        _ => one == other,
    }
}

#[inline(always)]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// A tag's bits spread over a hash.
#[inline(always)]
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Texts {
    fn intern_views(&mut self, views: &StringViewArray) -> Vec<u32> {
        let buffers = views.data_buffers();
        each(views.views(), views.nulls(), |view| self.intern_view(view, buffers))
    }

    fn intern(&mut self, text: &str) -> u32 {
        self.find(&Sought::of(text.as_bytes()))
    }

    #[inline]
    fn intern_view(&mut self, view: u128, buffers: &[Buffer]) -> u32 {
        Sought::of_view(view, buffers).map_or(NULL, |sought| self.find(&sought))
    }

    /// The numbers of another's texts here, whose hashes are known.
    fn absorb(&mut self, other: &Texts) -> Vec<u32> {
        let find = |(view, tag): (&u128, &u32)| {
            let bytes = if *view as u32 <= 12 { &[][..] } else { held(*view, &other.full, &other.open) };
            let view = if bytes.is_empty() { *view } else { head(bytes) };
            self.find(&Sought { tag: *tag, view, bytes })
        };
        other.views.iter().zip(&other.tags).map(find).collect()
    }

    fn find_views(&self, views: &StringViewArray) -> Vec<u32> {
        let buffers = views.data_buffers();
        each(views.views(), views.nulls(), |view| {
            Sought::of_view(view, buffers).map_or(NULL, |sought| self.known(&sought))
        })
    }

    fn find_bytes(&self, bytes: &[u8]) -> u32 {
        self.known(&Sought::of(bytes))
    }

    /// The number of a text that was seen; [`NULL`] for others.
    fn known(&self, sought: &Sought) -> u32 {
        let same = |(tag, i): &(u32, u32)| sought.is(*tag, self.views[*i as usize], &self.full, &self.open);
        self.table.find(spread(sought.tag), same).map_or(NULL, |(_, number)| *number)
    }

    fn find(&mut self, sought: &Sought) -> u32 {
        let Texts { table, views, tags, full, open } = self;
        let same = |(tag, i): &(u32, u32)| *tag == sought.tag && sought.is(*tag, views[*i as usize], full, open);
        match table.entry(spread(sought.tag), same, |(tag, _)| spread(*tag)) {
            hashbrown::hash_table::Entry::Occupied(found) => found.get().1,
            hashbrown::hash_table::Entry::Vacant(slot) => {
                let number = views.len() as u32;
                slot.insert((sought.tag, number));
                tags.push(sought.tag);
                let bytes = sought.bytes;
                views.push(if bytes.is_empty() { sought.view } else { store(sought.view, bytes, full, open) });
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
