//! The distinct texts of one group. Short ones are their own bits; others are noted in parts by their hash and told
//! apart part by part, as those are.
use super::distinct_bits::DistinctBits;
use crate::types::{Column, Kind, Text, views};
use arrow_array::{Array, StringViewArray};
use arrow_buffer::Buffer;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher;

const HASHER: FixedState = FixedState::with_seed(19);

/// A text that lies in the buffers, and its hash.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    view: [u64; 2],
}

pub(super) struct DistinctTexts {
    kind: Kind,
    /// The views of texts that lie in them.
    short: DistinctBits<u128>,
    parts: Vec<Vec<Entry>>,
    /// How many entries there are, and how many there may be before doubles are thrown out.
    held: usize,
    room: usize,
    buffers: Vec<Buffer>,
    places: HashMap<(usize, usize), u64>,
    /// Texts seen lately: most of a column of few texts are among them.
    recent: Box<[[u64; 2]; RECENT]>,
}

const PARTS_BITS: u32 = 6;
const RECENT: usize = 4096;
const ROOM: usize = 1 << 20;
/// Bytes of one block of texts of our own.
const BLOCK: usize = 1 << 26;

impl DistinctTexts {
    pub(super) fn new(kind: Kind) -> DistinctTexts {
        DistinctTexts {
            kind,
            short: DistinctBits::new(),
            parts: vec![Vec::new(); 1 << PARTS_BITS],
            held: 0,
            room: ROOM,
            buffers: Vec::new(),
            places: HashMap::new(),
            recent: Box::new([[u64::MAX; 2]; RECENT]),
        }
    }

    /// Notes the texts of a column that are not null.
    pub(super) fn add(&mut self, texts: &StringViewArray) {
        let places: Vec<u64> = texts.data_buffers().iter().map(|buffer| self.place(buffer)).collect();
        for (row, view) in texts.views().iter().enumerate() {
            if texts.is_null(row) {
                continue;
            }
            if views::length(*view) <= views::INLINE {
                self.short.note(*view);
                continue;
            }
            let [head, place] = halves(*view);
            let moved = places.get(place as u32 as usize).copied().unwrap_or(0);
            let (hash, view) = (HASHER.hash_one(texts.value(row).as_bytes()), [head, (place >> 32) << 32 | moved]);
            let recent = &mut self.recent[hash as usize % RECENT];
            if *recent != view {
                *recent = view;
                self.parts[(hash >> (64 - PARTS_BITS)) as usize].push(Entry { hash, view });
                self.held += 1;
            }
        }
        self.bound();
    }

    /// Notes the texts that another one holds.
    pub(super) fn join(&mut self, other: DistinctTexts) {
        self.short.join(other.short);
        let places: Vec<u64> = other.buffers.iter().map(|buffer| self.place(buffer)).collect();
        for (own, theirs) in self.parts.iter_mut().zip(other.parts) {
            own.extend(theirs.into_iter().map(|mut entry| {
                let [_, place] = &mut entry.view;
                *place = (*place >> 32) << 32 | places.get(*place as u32 as usize).copied().unwrap_or(0);
                entry
            }));
        }
        self.held += other.held;
        self.bound();
    }

    /// How many different texts there are.
    pub(super) fn count(&mut self) -> usize {
        self.tell_apart();
        self.held + self.short.count()
    }

    /// No more than so many texts are held, told apart or not.
    pub(super) fn held(&self) -> usize {
        self.held + self.short.held()
    }

    /// The different texts.
    pub(super) fn column(mut self) -> Column {
        self.tell_apart();
        let long = self.parts.iter().flatten().map(|entry| whole(entry.view));
        let views: Vec<u128> = long.chain(self.short.values()).collect();
        // SAFETY: the views are those of valid arrays, moved to where their buffers stand here.
        let views = unsafe { StringViewArray::new_unchecked(views.into(), self.buffers.into(), None) };
        Column::Text(self.kind, Text::Views(views))
    }

    fn place(&mut self, buffer: &Buffer) -> u64 {
        let buffers = &mut self.buffers;
        *self.places.entry((buffer.as_ptr() as usize, buffer.len())).or_insert_with(|| {
            buffers.push(buffer.clone());
            buffers.len() as u64 - 1
        })
    }

    fn bound(&mut self) {
        self.short.bound();
        if self.held >= self.room {
            self.tell_apart();
            self.own_texts();
            self.room = (self.held * 2).max(ROOM);
        }
    }

    fn tell_apart(&mut self) {
        let mut table = Vec::new();
        let buffers = &self.buffers;
        self.parts.iter_mut().for_each(|part| distinct(part, buffers, &mut table));
        self.held = self.parts.iter().map(Vec::len).sum();
    }

    /// Copies the longer texts together, so that the buffers they came in can go.
    fn own_texts(&mut self) {
        let (mut full, mut open): (Vec<Buffer>, Vec<u8>) = (Vec::new(), Vec::new());
        for entry in self.parts.iter_mut().flatten() {
            let bytes = entry.bytes(&self.buffers);
            if !open.is_empty() && open.len() + bytes.len() > BLOCK {
                full.push(Buffer::from_vec(std::mem::take(&mut open)));
            }
            entry.view[1] = (open.len() as u64) << 32 | full.len() as u64;
            open.extend_from_slice(bytes);
        }
        full.push(Buffer::from_vec(open));
        self.places = full.iter().zip(0..).map(|(block, at)| ((block.as_ptr() as usize, block.len()), at)).collect();
        self.buffers = full;
        // What was seen lately lies elsewhere now.
        self.recent.fill([u64::MAX; 2]);
    }
}

impl Entry {
    /// The bytes of a text that lies in the buffers.
    fn bytes<'a>(&self, buffers: &'a [Buffer]) -> &'a [u8] {
        let [head, place] = self.view;
        let (length, offset) = (head as u32 as usize, (place >> 32) as usize);
        let held = buffers.get(place as u32 as usize).and_then(|buffer| buffer.get(offset..offset + length));
        held.unwrap_or_default()
    }

    #[inline(always)]
    fn is(&self, other: &Entry, buffers: &[Buffer]) -> bool {
        self.hash == other.hash
            && (self.view == other.view
                || (self.view[0] == other.view[0] && self.bytes(buffers) == other.bytes(buffers)))
    }
}

/// Keeps one of each text; `table` is room that is used again.
fn distinct(entries: &mut Vec<Entry>, buffers: &[Buffer], table: &mut Vec<u32>) {
    const FREE: u32 = u32::MAX;
    let size = (entries.len() * 2).next_power_of_two();
    table.clear();
    table.resize(size, FREE);
    let mut kept = 0;
    for at in 0..entries.len() {
        let entry = entries[at];
        let mut slot = entry.hash as usize & (size - 1);
        loop {
            match table[slot] {
                FREE => {
                    table[slot] = kept as u32;
                    entries[kept] = entry;
                    kept += 1;
                    break;
                }
                known if entries[known as usize].is(&entry, buffers) => break,
                _ => slot = (slot + 1) & (size - 1),
            }
        }
    }
    entries.truncate(kept);
}

fn halves(view: u128) -> [u64; 2] {
    [view as u64, (view >> 64) as u64]
}

fn whole([low, high]: [u64; 2]) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(texts: impl Iterator<Item = String>) -> StringViewArray {
        StringViewArray::from_iter_values(texts.collect::<Vec<_>>())
    }

    #[test]
    fn each_text_counts_once_whatever_is_held_on_to() {
        let long = |i: usize| format!("a text of many bytes, number {i}");
        let text = |i: usize| if i.is_multiple_of(2) { format!("t{i}") } else { long(i) };
        let mut one = DistinctTexts::new(Kind::String);
        one.room = 100;
        (0..50).for_each(|i| one.add(&views((i * 10..i * 10 + 60).map(text))));
        let mut other = DistinctTexts::new(Kind::String);
        other.add(&views((500..700).chain(500..700).map(text)));
        one.join(other);
        assert_eq!(one.count(), 700);
        let column = one.column();
        let mut texts: Vec<String> = (0..column.len()).map(|row| column.text(row).unwrap().to_owned()).collect();
        texts.sort();
        let mut expected: Vec<String> = (0..700).map(text).collect();
        expected.sort();
        assert_eq!(texts, expected);
    }
}
