//! Where the records of a file lie: one a line, one after the other or in an array, or in an array inside an object.
use super::scan::{self, after_blanks};
use super::{after_separators, keys};
use crate::read::block::Block;
use crate::read::text::{Cutter, Lines};
use std::sync::Arc;

/// Where the records of a file lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Whether every line is a record.
    pub lines: bool,
    /// The place behind the bracket that opens an array of records inside an object: `{"records":[…]}`.
    pub inside: Option<u64>,
}

/// Keys under which services put the records of an answer, each with the keys that may stand before it.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("records", &[]),
    ("Records", &[]),
    ("value", &["@odata.context", "@odata.count", "@odata.nextLink"]),
    ("results", &["preview", "init_offset", "post_process_count", "messages", "fields"]),
];

/// What a block is told that lies behind the array.
const OVER: &str = "the records have ended";

impl Place {
    /// Looks for an array of records inside the object that a file begins with.
    pub fn of(head: &[u8], lines: bool) -> Place {
        match wrapped(head) {
            Some(inside) => Place { lines: false, inside: Some(inside as u64) },
            None => Place { lines, inside: None },
        }
    }

    pub fn cutter(self) -> Box<dyn Cutter> {
        match self.lines {
            true => Box::new(Lines),
            false => Box::new(Objects { place: self, seen: 0, open: self.inside.is_some(), over: false }),
        }
    }

    /// Where the records of a block begin; none where there are no more.
    pub fn start(self, block: &Block) -> Option<usize> {
        let skipped = self.inside.unwrap_or_default().saturating_sub(block.offset) as usize;
        (block.context.as_deref() != Some(OVER)).then(|| block.start.saturating_add(skipped))
    }

    /// Whether the array of records ends here.
    pub fn ends(self, bytes: &[u8], at: usize) -> bool {
        self.inside.is_some() && bytes.get(at) == Some(&b']')
    }
}

/// The place behind the bracket of the records in an object.
fn wrapped(head: &[u8]) -> Option<usize> {
    let mut at = after_separators(head, 0, Place { lines: true, inside: None });
    if head.get(at) != Some(&b'{') {
        return None;
    }
    let mut before: Vec<&str> = Vec::new();
    loop {
        at = after_blanks(head, at + 1, false);
        let (end, _) = scan::string_end(head, at.checked_add(1)?).ok().filter(|_| head.get(at) == Some(&b'"'))?;
        let key = std::str::from_utf8(head.get(at + 1..end)?).ok()?;
        let colon = after_blanks(head, end + 1, false);
        let value = after_blanks(head, colon + 1, false);
        let is_wrapper =
            WRAPPERS.iter().any(|(name, others)| *name == key && before.iter().all(|b| others.contains(b)));
        if is_wrapper && head.get(value) == Some(&b'[') {
            let first = head.get(after_blanks(head, value + 1, false));
            return matches!(first, Some(b'{' | b']')).then_some(value + 1);
        }
        before.push(key);
        at = after_blanks(head, keys::value(head, value, false).ok()?.1, false);
        if head.get(at) != Some(&b',') {
            return None;
        }
    }
}

/// Cuts behind the last object that is closed, wherever its lines end.
#[derive(Debug)]
struct Objects {
    place: Place,
    seen: u64,
    /// Whether an array is open.
    open: bool,
    over: bool,
}

impl Cutter for Objects {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let mut cut = self.place.inside.unwrap_or_default().saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        if self.seen == 0 && bytes.starts_with(crate::read::csv::BOM) {
            cut = cut.max(crate::read::csv::BOM.len());
        }
        while !self.over && self.step(bytes, &mut cut) {}
        cut = if self.over { bytes.len() } else { cut };
        self.seen += cut as u64;
        cut
    }

    fn context(&self) -> Option<Arc<str>> {
        self.over.then(|| OVER.into())
    }

    fn unfinished(&mut self, rest: &[u8]) -> Option<&'static str> {
        // An object that breaks off is a bad record by itself.
        let whole = self.cut(rest) == rest.len();
        (whole && self.open).then_some("broken JSON: the array is not closed: the file may be cut off")
    }
}

impl Objects {
    /// Goes on by a separator, a bracket, an object, or a line that is none of them; false where it cannot.
    fn step(&mut self, bytes: &[u8], cut: &mut usize) -> bool {
        match bytes.get(*cut) {
            Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => *cut += 1,
            Some(b'[') if self.place.inside.is_none() => (self.open, *cut) = (true, *cut + 1),
            Some(b']') => {
                (self.open, *cut) = (false, *cut + 1);
                self.over = self.place.inside.is_some();
            }
            Some(b'{') => match scan::container_end(bytes, *cut, false) {
                Ok((end, _)) => *cut = end,
                Err(_) => return false,
            },
            Some(_) => match memchr::memchr(b'\n', bytes.get(*cut..).unwrap_or_default()) {
                Some(line) => *cut += line + 1,
                None => return false,
            },
            None => return false,
        }
        true
    }
}
