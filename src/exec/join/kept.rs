//! The right side of a join by one text, kept between runs: a key's hash leads to its rows, and no others are read.
use super::super::build::Executor;
use super::super::group::Maps;
use super::super::keep;
use super::picked;
use super::side::{ReadSide, Wanted};
use crate::diagnostic::Result;
use crate::functions::kept::rows::{KeptRows, word, write};
use crate::plan::JoinKind;
use crate::types::intern::NULL;
use crate::types::{Column, Kind, Name, Text};
use std::hash::Hasher;
use std::time::Instant;
use twox_hash::XxHash64;

const EMPTY: u32 = u32::MAX;
/// The key's column among those that are kept.
const KEY: &str = "\u{1}key";
/// Before the numbers: how many slots and keys there are.
const HEAD: usize = 8;

/// The side, and the sizes of its index: the slots (the high half of a key's hash, and the key's number or [`EMPTY`];
/// as many as a power of two), where the rows of each key begin among the rows of all, and these rows.
pub struct KeptSide {
    kept: KeptRows,
    slots: usize,
    keys: usize,
}

impl KeptSide {
    /// The name under which the side is kept; none where it is not: it changes, it hangs on more than one text, or
    /// the join gives rows of it that no left row has.
    pub fn name(executor: &Executor, wanted: &Wanted) -> Option<String> {
        use JoinKind::{Inner, InnerUnique, LeftAnti, LeftOuter, LeftSemi};
        let [(left, right)] = wanted.keys else { return None };
        let is_text = |node, name: &Name| executor.plan.schema(node).kind(name) == Some(Kind::String);
        let is_by_text = is_text(wanted.left, left) && is_text(wanted.right, right);
        if !is_by_text || !matches!(wanted.kind, Inner | InnerUnique | LeftAnti | LeftOuter | LeftSemi) {
            return None;
        }
        let name = keep::name_of(executor, wanted.right)?;
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(right.as_bytes());
        wanted.given().for_each(|from| hasher.write(format!("\n{from}").as_bytes()));
        Some(format!("{name}-join-{:016x}", hasher.finish()))
    }

    /// None where it is not kept yet.
    pub fn open(executor: &Executor, wanted: &Wanted, name: &str) -> Option<KeptSide> {
        let started = Instant::now();
        let kept = KeptRows::read(executor.context.lists.as_ref()?.value(name)?)?;
        let (slots, keys) = (word(kept.index(), 0)? as usize, word(kept.index(), 1)? as usize);
        let side = KeptSide { kept, slots, keys };
        if !slots.is_power_of_two() || keys >= slots || side.start(keys).is_none() {
            return None;
        }
        executor.counter(wanted.right).add(side.kept.rows(), started);
        Some(side)
    }

    /// Keeps what was read, for the next run.
    pub fn keep(executor: &Executor, wanted: &Wanted, name: &str, read: &ReadSide) {
        let Some(lists) = executor.context.lists.as_ref().filter(|_| !executor.has_problems()) else { return };
        let keys: Vec<u32> = (0..read.groups.len() as u32).collect();
        let of_group = read.groups.columns(&keys).into_iter().next();
        let mut columns: Vec<(Name, Column)> = Vec::new();
        for from in wanted.given() {
            let column = read.columns.iter().find(|(name, _)| name == from);
            columns.extend(column.filter(|_| !columns.iter().any(|(name, _)| name == from)).cloned());
        }
        let Some(of_group) = of_group else { return };
        let of_row: Vec<u32> = read.of_row.iter().map(|key| if *key == NULL { 0 } else { *key }).collect();
        if !keys.is_empty() {
            columns.push((KEY.into(), crate::types::gather::take(&of_group, &of_row)));
        }
        let written = index(read, &of_group).and_then(|index| write(&columns, read.of_row.len(), &index));
        if let Some(bytes) = written {
            lists.keep_value(name, &bytes);
        }
    }

    pub fn keys(&self) -> usize {
        self.keys
    }

    fn word(&self, at: usize) -> Option<u32> {
        word(self.kept.index().get(HEAD..)?, at)
    }

    /// Where the rows of a key begin.
    fn start(&self, key: usize) -> Option<usize> {
        Some(self.word(self.slots.checked_mul(2)?.checked_add(key)?)? as usize)
    }

    /// The rows of a key.
    pub fn of(&self, key: u32) -> Rows<'_> {
        let key = key as usize;
        let all = self.slots * 2 + self.keys + 1;
        let bounds = (key < self.keys).then(|| Some((self.start(key)?, self.start(key + 1)?))).flatten();
        let (begin, end) = bounds.filter(|(begin, end)| begin <= end).unwrap_or_default();
        Rows { side: self, at: all + begin, end: all + end }
    }

    /// The number of a key; [`NULL`] where there is none.
    fn number(&self, text: &str) -> u32 {
        let (first, tag) = hash(text);
        let mut slot = first & (self.slots - 1);
        for _ in 0..self.slots {
            match (self.word(slot * 2), self.word(slot * 2 + 1)) {
                (Some(own), Some(key)) if key != EMPTY => {
                    let is_own = || self.of(key).next().and_then(|row| self.kept.text(KEY, row)) == Some(text);
                    if own == tag && is_own() {
                        return key;
                    }
                }
                _ => return NULL,
            }
            slot = (slot + 1) & (self.slots - 1);
        }
        NULL
    }

    pub fn find(&self, keys: &[Column], maps: &mut Maps) -> Vec<u32> {
        let Some(column) = keys.first() else { return Vec::new() };
        let number = |text: Option<&str>| text.map_or(NULL, |text| self.number(text));
        match column {
            Column::Text(_, Text::Dictionary(of_row, dictionary)) => {
                maps.resize_with(1, Default::default);
                let known = maps.first_mut().map(|map| {
                    map.entry(dictionary.id).or_insert_with(|| dictionary.values.iter().map(number).collect())
                });
                let known = known.map_or(&[] as &[u32], |known| known);
                let of_key = |key: Option<i32>| key.and_then(|key| known.get(key as usize)).copied().unwrap_or(NULL);
                of_row.iter().map(of_key).collect()
            }
            Column::Const(value, rows) => vec![number(value.as_text()); *rows],
            other => (0..other.len()).map(|row| number(other.text(row))).collect(),
        }
    }

    pub fn column(&self, name: &Name, kind: Kind, rows: &[u32]) -> Result<Column> {
        if self.kept.kind(name).is_none() {
            return Ok(Column::nulls(kind, rows.len()));
        }
        let there: Vec<u32> = rows.iter().copied().filter(|row| *row != NULL).collect();
        let column = self.kept.column(name, &there)?;
        let mut places = 0..;
        let place = |row: &u32| if *row == NULL { Some(NULL) } else { places.next() };
        Ok(picked(&column, &rows.iter().filter_map(place).collect::<Vec<u32>>()))
    }
}

/// The rows of a key, in order.
pub struct Rows<'a> {
    side: &'a KeptSide,
    at: usize,
    end: usize,
}

impl Iterator for Rows<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.at >= self.end {
            return None;
        }
        self.at += 1;
        self.side.word(self.at - 1)
    }
}

/// The slot at which a key is looked for first, of many, and what its slot says of it.
fn hash(text: &str) -> (usize, u32) {
    let hash = XxHash64::oneshot(0, text.as_bytes());
    (hash as u32 as usize, (hash >> 32) as u32)
}

/// The index of a side whose keys these are; none where there are too many.
fn index(read: &ReadSide, keys: &Column) -> Option<Vec<u8>> {
    let slots = (keys.len() * 2).next_power_of_two().max(16);
    let mut table = vec![(0, EMPTY); slots];
    for key in 0..keys.len() {
        let (first, tag) = hash(keys.text(key).unwrap_or_default());
        let mut slot = first & (slots - 1);
        while table.get(slot).is_some_and(|(_, known)| *known != EMPTY) {
            slot = (slot + 1) & (slots - 1);
        }
        *table.get_mut(slot)? = (tag, u32::try_from(key).ok()?);
    }
    let sizes = [u32::try_from(slots).ok()?, u32::try_from(keys.len()).ok()?];
    let words = table.iter().flat_map(|(tag, key)| [*tag, *key]).chain(read.index.words());
    Some(sizes.into_iter().chain(words).flat_map(u32::to_le_bytes).collect())
}
