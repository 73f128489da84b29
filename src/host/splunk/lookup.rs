//! The app's lookups as watchlists, and what is kept of long ones.
//!
//! A long list is compiled once to a file: a table of hashes and the texts themselves, sorted ranges of addresses, or
//! rows with an index. A process that asks something of it maps that file into its memory and looks at a few pages.
use crate::diagnostic::{Fault, Result};
use crate::engine::{Data, Held};
use crate::functions::{Content, KeptList, Lists, kept};
use crate::types::{Column, Kind, Schema, Table};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use twox_hash::XxHash64;

/// A watchlist without rows.
pub fn nothing() -> Data {
    let schema = Schema::from_iter([("SearchKey", Kind::String)]);
    Data::Table(Arc::new(Held::new(Table::from_rows(schema, &[]))))
}

/// Lists and values in the files of a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    open: Mutex<HashMap<String, Arc<Compiled>>>,
}

/// So many files are kept of one lookup: a query that names the time anew each time does not fill the disk.
const MOST_FILES: usize = 32;

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned(), open: Mutex::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.list"))
    }

    fn mapped(&self, name: &str) -> Option<memmap2::Mmap> {
        let file = std::fs::File::open(self.file(name)).ok()?;
        // SAFETY: a file of this folder is written under another name and then renamed: it never changes, and its
        // bytes stay as long as they are mapped, even where the file is removed. What they say is checked when read.
        unsafe { memmap2::Mmap::map(&file) }.ok()
    }

    fn add(&self, name: &str, list: Compiled) {
        if let Ok(mut open) = self.open.lock() {
            open.insert(name.to_owned(), Arc::new(list));
        }
    }

    /// Writes a file whole or not at all; where nothing can be written the list still serves this process.
    fn write(&self, name: &str, bytes: &[u8]) {
        if std::fs::create_dir_all(&self.path).is_err() {
            return;
        }
        let partial = self.path.join(format!("{name}.{}.part", std::process::id()));
        match std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, self.file(name))) {
            Ok(()) => self.forget_older(name),
            Err(_) => drop(std::fs::remove_file(&partial)),
        }
    }

    /// Removes what was kept of earlier contents of the same file, and the oldest of too many.
    fn forget_older(&self, name: &str) {
        let mut parts = name.splitn(3, '-');
        let (Some(place), Some(identity)) = (parts.next(), parts.next()) else { return };
        let (same, current) = (format!("{place}-"), format!("{place}-{identity}-"));
        let files = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let of_lookup = files.filter(|file| file.file_name().to_string_lossy().starts_with(&same));
        let (mut kept, older): (Vec<_>, Vec<_>) =
            of_lookup.partition(|file| file.file_name().to_string_lossy().starts_with(&current));
        kept.sort_by_key(|file| std::cmp::Reverse(file.metadata().and_then(|about| about.modified()).ok()));
        let many = kept.into_iter().skip(MOST_FILES);
        // What another process still uses or has removed is left to it.
        older.into_iter().chain(many).for_each(|file| drop(std::fs::remove_file(file.path())));
    }
}

impl Lists for Folder {
    fn get(&self, name: &str) -> Option<Arc<dyn KeptList>> {
        if let Some(list) = self.open.lock().ok().and_then(|open| open.get(name).cloned()) {
            return Some(list);
        }
        let list = Compiled::read(Bytes::Mapped(self.mapped(name)?))?;
        self.add(name, list);
        self.get(name)
    }

    fn keep(&self, name: &str, content: Content) -> Result<()> {
        let bytes = match content {
            Content::Texts(texts) => texts_as_bytes(texts)?,
            Content::Ranges { ranges, unreadable } => ranges_as_bytes(&ranges, unreadable),
        };
        self.write(name, &bytes);
        if let Some(list) = Compiled::read(Bytes::Own(bytes)) {
            self.add(name, list);
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<kept::Bytes> {
        Some(Arc::new(self.mapped(name)?))
    }

    fn keep_value(&self, name: &str, bytes: &[u8]) {
        self.write(name, bytes);
    }
}

const TEXTS: &[u8; 8] = b"HPLIST\x00\x03";
const RANGES: &[u8; 8] = b"HPRANGE\x01";
/// Behind the mark: two numbers.
const HEAD: usize = 16;
const EMPTY: u32 = u32::MAX;

/// The bytes of a list: those of a file, or one's own.
enum Bytes {
    Mapped(memmap2::Mmap),
    Own(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Own(bytes) => bytes,
        }
    }
}

/// A list as bytes, of which only those are looked at that a question needs.
enum Compiled {
    /// Distinct texts: the mark, the number of slots (a power of two) and of texts, the slots (the high half of a text's
    /// hash, and the text's number or [`EMPTY`]), where each text ends, and the texts. Of a text that is not there the
    /// slot alone tells it, nearly always.
    Texts { bytes: Bytes, slots: usize, texts: usize },
    /// Ranges of addresses, sorted and without overlaps: the mark, their number, whether texts were given of which none
    /// could be read, and the first and last address of each.
    Ranges { bytes: Bytes, ranges: usize, unreadable: bool },
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Compiled::Texts { texts, .. } => write!(f, "{texts} texts"),
            Compiled::Ranges { ranges, .. } => write!(f, "{ranges} ranges"),
        }
    }
}

/// The slot at which a text is looked for first, of many, and what its slot says of it.
fn hash(text: &str) -> (usize, u32) {
    let hash = XxHash64::oneshot(0, text.as_bytes());
    (hash as u32 as usize, (hash >> 32) as u32)
}

/// Errors: more texts, or longer ones, than a file of this form can hold.
fn texts_as_bytes(column: &Column) -> Result<Vec<u8>> {
    let slots = (column.len() * 2).next_power_of_two().max(16);
    let mut table = vec![(0, EMPTY); slots];
    let (mut ends, mut blob): (Vec<u32>, String) = (Vec::new(), String::new());
    for text in (0..column.len()).filter_map(|row| column.text(row)) {
        let (first, tag) = hash(text);
        let mut slot = first & (slots - 1);
        while let Some((own, known)) = table.get(slot).copied().filter(|(_, known)| *known != EMPTY) {
            if own == tag && text_at(&ends, &blob, known) == text {
                break;
            }
            slot = (slot + 1) & (slots - 1);
        }
        if let Some(free) = table.get_mut(slot).filter(|(_, number)| *number == EMPTY) {
            *free = (tag, ends.len() as u32);
            blob.push_str(text);
            ends.push(u32::try_from(blob.len()).map_err(|_| Fault::data("HP470", "a list is longer than 4 GB"))?);
        }
    }
    let mut bytes = Vec::with_capacity(TEXTS.len() + HEAD + 4 * (2 * slots + ends.len()) + blob.len());
    bytes.extend_from_slice(TEXTS);
    bytes.extend_from_slice(&(slots as u64).to_le_bytes());
    bytes.extend_from_slice(&(ends.len() as u64).to_le_bytes());
    let words = table.iter().flat_map(|(tag, number)| [tag, number]).chain(&ends);
    words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    bytes.extend_from_slice(blob.as_bytes());
    Ok(bytes)
}

fn ranges_as_bytes(ranges: &[(u128, u128)], unreadable: bool) -> Vec<u8> {
    let mut bytes = RANGES.to_vec();
    bytes.extend_from_slice(&(ranges.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&u64::from(unreadable).to_le_bytes());
    let bounds = ranges.iter().flat_map(|(low, high)| [low, high]);
    bounds.for_each(|bound| bytes.extend_from_slice(&bound.to_le_bytes()));
    bytes
}

impl Compiled {
    /// None where the bytes are no whole list.
    fn read(bytes: Bytes) -> Option<Compiled> {
        let number = |at: usize| {
            let at = TEXTS.len() + at;
            usize::try_from(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?)).ok()
        };
        let (first, second) = (number(0)?, number(8)?);
        if bytes.starts_with(RANGES) {
            let length = first.checked_mul(32)?.checked_add(RANGES.len() + HEAD)?;
            return (bytes.len() == length).then_some(Compiled::Ranges {
                ranges: first,
                unreadable: second != 0,
                bytes,
            });
        }
        if !bytes.starts_with(TEXTS) || !first.is_power_of_two() || second >= first {
            return None;
        }
        let text_bytes = second.checked_sub(1).map_or(Some(0), |last| end(&bytes, first, last))?;
        let length = texts_begin(first, second)?.checked_add(text_bytes)?;
        (length == bytes.len()).then_some(Compiled::Texts { slots: first, texts: second, bytes })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let begin = at.checked_mul(4)?.checked_add(TEXTS.len() + HEAD)?;
    Some(u32::from_le_bytes(bytes.get(begin..begin.checked_add(4)?)?.try_into().ok()?))
}

/// Where a text ends.
fn end(bytes: &[u8], slots: usize, text: usize) -> Option<usize> {
    Some(word(bytes, slots.checked_mul(2)?.checked_add(text)?)? as usize)
}

fn texts_begin(slots: usize, texts: usize) -> Option<usize> {
    slots.checked_mul(2)?.checked_add(texts)?.checked_mul(4)?.checked_add(TEXTS.len() + HEAD)
}

/// A text by its number.
fn text(bytes: &[u8], slots: usize, texts: usize, number: u32) -> Option<&[u8]> {
    let number = number as usize;
    let begin = number.checked_sub(1).map_or(Some(0), |before| end(bytes, slots, before))?;
    bytes.get(texts_begin(slots, texts)?..)?.get(begin..end(bytes, slots, number)?)
}

/// A bound of ranges by its number.
fn bound(bytes: &[u8], at: usize) -> Option<u128> {
    let begin = at.checked_mul(16)?.checked_add(RANGES.len() + HEAD)?;
    Some(u128::from_le_bytes(bytes.get(begin..begin.checked_add(16)?)?.try_into().ok()?))
}

fn text_at<'a>(ends: &[u32], blob: &'a str, number: u32) -> &'a str {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    let begin = (number as usize).checked_sub(1).map_or(0, end);
    blob.get(begin..end(number as usize)).unwrap_or_default()
}

impl KeptList for Compiled {
    fn has(&self, wanted: &str) -> bool {
        let Compiled::Texts { bytes, slots, texts } = self else { return false };
        let (first, tag) = hash(wanted);
        let mut slot = first & (slots - 1);
        for _ in 0..*slots {
            let (Some(own), Some(number)) = (word(bytes, slot * 2), word(bytes, slot * 2 + 1)) else { return false };
            if number == EMPTY {
                return false;
            }
            if own == tag && text(bytes, *slots, *texts, number) == Some(wanted.as_bytes()) {
                return true;
            }
            slot = (slot + 1) & (slots - 1);
        }
        false
    }

    fn covers(&self, address: u128) -> Option<bool> {
        let Compiled::Ranges { bytes, ranges, unreadable } = self else { return None };
        if *unreadable {
            return None;
        }
        let (mut from, mut to) = (0, *ranges);
        while from < to {
            let middle = from + (to - from) / 2;
            if bound(bytes, middle * 2).is_some_and(|low| low <= address) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        let high = from.checked_sub(1).and_then(|last| bound(bytes, last * 2 + 1));
        Some(high.is_some_and(|high| address <= high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;
    use proptest::prelude::*;

    fn column(texts: &[String]) -> Column {
        let values: Vec<Value> = texts.iter().map(|text| Value::string(text.as_str())).collect();
        Column::from_values(Kind::String, &values)
    }

    proptest! {
        #[test]
        fn a_list_has_its_texts_and_no_others(texts in proptest::collection::vec("[a-c]{0,3}", 0..40), other in "[a-d]{0,4}") {
            let list = Compiled::read(Bytes::Own(texts_as_bytes(&column(&texts)).unwrap())).unwrap();
            for text in &texts {
                prop_assert!(list.has(text));
            }
            prop_assert_eq!(list.has(&other), texts.contains(&other));
        }

        #[test]
        fn bytes_that_are_no_list_are_refused(cut in 0usize..200, byte in any::<u8>()) {
            let texts: Vec<String> = (0..9).map(|n| format!("10.0.0.{n}")).collect();
            let mut bytes = texts_as_bytes(&column(&texts)).unwrap();
            bytes.truncate(cut);
            bytes.push(byte);
            if let Some(list) = Compiled::read(Bytes::Own(bytes)) {
                let _ = list.has("10.0.0.1");
            }
        }
    }

    #[test]
    fn ranges_cover_their_addresses() {
        let ranges = [(5, 9), (20, 20), (30, u128::MAX)];
        let list = Compiled::read(Bytes::Own(ranges_as_bytes(&ranges, false))).unwrap();
        let covered: Vec<u128> = (0..40).filter(|address| list.covers(*address) == Some(true)).collect();
        assert_eq!(covered, (5..=9).chain([20]).chain(30..40).collect::<Vec<u128>>());
        let none = |unreadable| Compiled::read(Bytes::Own(ranges_as_bytes(&[], unreadable))).unwrap();
        assert_eq!((none(true).covers(7), none(false).covers(7)), (None, Some(false)));
    }

    #[test]
    fn a_folder_keeps_lists_and_forgets_older_ones() {
        let path = std::env::temp_dir().join(format!("huntpack-lists-{}", std::process::id()));
        let texts = ["a".to_owned(), "b".to_owned()];
        Folder::new(&path).keep("p-1-x", Content::Texts(&column(&texts))).unwrap();
        Folder::new(&path).keep("p-2-x", Content::Texts(&column(&texts))).unwrap();
        assert!(Folder::new(&path).get("p-1-x").is_none());
        assert!(Folder::new(&path).get("p-2-x").is_some_and(|list| list.has("b") && !list.has("c")));
        std::fs::remove_dir_all(&path).unwrap();
    }
}
