//! The app's lookups as watchlists, and what is kept of long ones.
//!
//! A long list is compiled once to a file: a table of hashes and the texts themselves. A process that asks whether a
//! text is in it reads that file, and not the list.
use crate::diagnostic::{Fault, Result};
use crate::engine::{Data, Held};
use crate::functions::{Lists, TextList};
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

/// Lists in the files of a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    open: Mutex<HashMap<String, Arc<Compiled>>>,
}

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned(), open: Mutex::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.list"))
    }

    fn add(&self, name: &str, list: Compiled) {
        if let Ok(mut open) = self.open.lock() {
            open.insert(name.to_owned(), Arc::new(list));
        }
    }

    /// Removes what was kept of earlier contents of the same file.
    fn forget_older(&self, name: &str) {
        let mut parts = name.splitn(3, '-');
        let (Some(place), Some(identity)) = (parts.next(), parts.next()) else { return };
        let files = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let older = files.filter(|file| {
            let own = file.file_name().to_string_lossy().into_owned();
            own.starts_with(&format!("{place}-")) && !own.starts_with(&format!("{place}-{identity}-"))
        });
        // What another process still uses or has removed is left to it.
        older.for_each(|file| drop(std::fs::remove_file(file.path())));
    }
}

impl Lists for Folder {
    fn get(&self, name: &str) -> Option<Arc<dyn TextList>> {
        if let Some(list) = self.open.lock().ok().and_then(|open| open.get(name).cloned()) {
            return Some(list);
        }
        let list = Compiled::read(std::fs::read(self.file(name)).ok()?)?;
        self.add(name, list);
        self.get(name)
    }

    fn keep(&self, name: &str, texts: &Column) -> Result<()> {
        let list = Compiled::of(texts)?;
        // Where nothing can be written the list still serves this process.
        if std::fs::create_dir_all(&self.path).is_ok() {
            let partial = self.path.join(format!("{name}.{}.part", std::process::id()));
            let written = std::fs::write(&partial, &list.bytes);
            match written.and_then(|()| std::fs::rename(&partial, self.file(name))) {
                Ok(()) => self.forget_older(name),
                Err(_) => drop(std::fs::remove_file(&partial)),
            }
        }
        self.add(name, list);
        Ok(())
    }
}

const MARK: &[u8; 8] = b"HPLIST\x00\x01";
/// Behind the mark: the number of slots and of texts.
const HEAD: usize = 16;
const EMPTY: u32 = u32::MAX;

/// Distinct texts as bytes: the mark, the number of slots (a power of two) and of texts, the slots (the number of a
/// text, or [`EMPTY`]), where each text ends, and the texts.
struct Compiled {
    bytes: Vec<u8>,
    slots: usize,
    texts: usize,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} texts", self.texts)
    }
}

fn hash(text: &str) -> usize {
    XxHash64::oneshot(0, text.as_bytes()) as usize
}

impl Compiled {
    /// Errors: more texts, or longer ones, than a file of this form can hold.
    fn of(column: &Column) -> Result<Compiled> {
        let slots = (column.len() * 2).next_power_of_two().max(16);
        let mut table = vec![EMPTY; slots];
        let (mut ends, mut blob): (Vec<u32>, String) = (Vec::new(), String::new());
        for text in (0..column.len()).filter_map(|row| column.text(row)) {
            let mut slot = hash(text) & (slots - 1);
            while let Some(known) = table.get(slot).copied().filter(|known| *known != EMPTY) {
                if text_at(&ends, &blob, known) == text {
                    break;
                }
                slot = (slot + 1) & (slots - 1);
            }
            if let Some(free) = table.get_mut(slot).filter(|slot| **slot == EMPTY) {
                *free = ends.len() as u32;
                blob.push_str(text);
                ends.push(u32::try_from(blob.len()).map_err(|_| Fault::data("HP470", "a list is longer than 4 GB"))?);
            }
        }
        let mut bytes = Vec::with_capacity(MARK.len() + HEAD + 4 * (slots + ends.len()) + blob.len());
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&(slots as u64).to_le_bytes());
        bytes.extend_from_slice(&(ends.len() as u64).to_le_bytes());
        table.iter().chain(&ends).for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(blob.as_bytes());
        Ok(Compiled { bytes, slots, texts: ends.len() })
    }

    /// None where the bytes are no whole list.
    fn read(bytes: Vec<u8>) -> Option<Compiled> {
        let rest = bytes.strip_prefix(MARK)?;
        let number = |at: usize| Some(u64::from_le_bytes(rest.get(at..at + 8)?.try_into().ok()?));
        let (slots, texts) = (usize::try_from(number(0)?).ok()?, usize::try_from(number(8)?).ok()?);
        let list = Compiled { slots, texts, bytes };
        let text_bytes = texts.checked_sub(1).map_or(Some(0), |last| list.end(last))?;
        let length = list.texts_begin()?.checked_add(text_bytes)?;
        (slots.is_power_of_two() && texts < slots && length == list.bytes.len()).then_some(list)
    }

    fn word(&self, at: usize) -> Option<u32> {
        let begin = MARK.len() + HEAD + at.checked_mul(4)?;
        Some(u32::from_le_bytes(self.bytes.get(begin..begin + 4)?.try_into().ok()?))
    }

    fn end(&self, text: usize) -> Option<usize> {
        Some(self.word(self.slots.checked_add(text)?)? as usize)
    }

    fn texts_begin(&self) -> Option<usize> {
        self.slots.checked_add(self.texts)?.checked_mul(4)?.checked_add(MARK.len() + HEAD)
    }

    fn text(&self, number: u32) -> Option<&[u8]> {
        let number = number as usize;
        let begin = number.checked_sub(1).map_or(Some(0), |before| self.end(before))?;
        let texts = self.bytes.get(self.texts_begin()?..)?;
        texts.get(begin..self.end(number)?)
    }
}

fn text_at<'a>(ends: &[u32], blob: &'a str, number: u32) -> &'a str {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    let begin = (number as usize).checked_sub(1).map_or(0, end);
    blob.get(begin..end(number as usize)).unwrap_or_default()
}

impl TextList for Compiled {
    fn has(&self, text: &str) -> bool {
        let mut slot = hash(text) & (self.slots - 1);
        for _ in 0..self.slots {
            match self.word(slot) {
                None | Some(EMPTY) => return false,
                Some(number) if self.text(number) == Some(text.as_bytes()) => return true,
                Some(_) => slot = (slot + 1) & (self.slots - 1),
            }
        }
        false
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
            let list = Compiled::read(Compiled::of(&column(&texts)).unwrap().bytes).unwrap();
            for text in &texts {
                prop_assert!(list.has(text));
            }
            prop_assert_eq!(list.has(&other), texts.contains(&other));
        }

        #[test]
        fn bytes_that_are_no_list_are_refused(cut in 0usize..200, byte in any::<u8>()) {
            let texts: Vec<String> = (0..9).map(|n| format!("10.0.0.{n}")).collect();
            let mut bytes = Compiled::of(&column(&texts)).unwrap().bytes;
            bytes.truncate(cut);
            bytes.push(byte);
            if let Some(list) = Compiled::read(bytes) {
                let _ = list.has("10.0.0.1");
            }
        }
    }

    #[test]
    fn a_folder_keeps_lists_and_forgets_older_ones() {
        let path = std::env::temp_dir().join(format!("huntpack-lists-{}", std::process::id()));
        let texts = ["a".to_owned(), "b".to_owned()];
        Folder::new(&path).keep("p-1-x", &column(&texts)).unwrap();
        Folder::new(&path).keep("p-2-x", &column(&texts)).unwrap();
        assert!(Folder::new(&path).get("p-1-x").is_none());
        assert!(Folder::new(&path).get("p-2-x").is_some_and(|list| list.has("b") && !list.has("c")));
        std::fs::remove_dir_all(&path).unwrap();
    }
}
