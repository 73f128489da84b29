//! Which keys of a record are wanted, and the walk that finds their values.
use super::scan::{self, Broken, after_blanks};
use crate::read::cell::{Cell, Form};
use crate::read::mapping;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// What becomes of a key's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The slot that the value goes to, and its rank among the keys of that slot: the lowest wins.
    pub slot: Option<(u16, u8)>,
    /// The keys of the object that is the value.
    pub inner: Option<u16>,
}

/// The keys of one object, what is done with them, and the order in which they were last seen.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    targets: HashMap<Box<[u8]>, Target, RandomState>,
    inner: Vec<Keys>,
    known: Vec<Known>,
    first: usize,
    /// Whether keys are told apart without regard to case.
    fold_case: bool,
    /// Whether an unknown key gets a slot of its own, and from which number on.
    pub discover: Option<u16>,
}

/// A key that was seen.
#[derive(Clone, Debug)]
struct Known {
    /// `"key":`
    written: Box<[u8]>,
    target: Target,
    /// What followed it last.
    next: usize,
}

/// Keys beyond this number are looked up each time.
const MOST_KNOWN: usize = 4096;
const NOWHERE: usize = usize::MAX;
/// A table has no more columns that only its records tell of.
const MOST_DISCOVERED: u16 = 4096;

/// How records are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Whether a line end ends a record.
    pub lines: bool,
    /// The slot whose value decides whether the rest of a record is of use.
    pub early: Option<usize>,
    /// Whether rows are judged by what their records hold, as it stands.
    pub judges: bool,
}

/// Why a walk ended before the record's end.
pub enum Halt {
    Broken(Broken),
    /// The caller had no use for the record.
    Unwanted,
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Halt {
        Halt::Broken(broken)
    }
}

impl Keys {
    /// Keys that are told apart with or without regard to case.
    pub fn folding(fold_case: bool) -> Keys {
        Keys { fold_case, ..Keys::default() }
    }

    /// Sends the value of a key, or of a key inside objects, to a slot.
    pub fn want(&mut self, path: &[&str], slot: usize, rank: u8) {
        let Some((key, rest)) = path.split_first() else { return };
        let name = self.spelling(key.as_bytes());
        let next = self.inner.len();
        let target = self.targets.entry(name).or_default();
        if rest.is_empty() {
            if target.slot.is_none_or(|(_, known)| rank < known) {
                target.slot = Some((slot as u16, rank));
            }
            return;
        }
        let at = *target.inner.get_or_insert(next as u16) as usize;
        if at == next {
            self.inner.push(Keys { fold_case: self.fold_case, ..Keys::default() });
        }
        if let Some(inner) = self.inner.get_mut(at) {
            inner.want(rest, slot, rank);
        }
    }

    /// The slot that the value of a key goes to, and its rank there.
    pub fn slot(&self, key: &[u8]) -> Option<(usize, u8)> {
        let (slot, rank) = self.targets.get(&self.spelling(key))?.slot?;
        Some((slot as usize, rank))
    }

    fn spelling(&self, key: &[u8]) -> Box<[u8]> {
        if self.fold_case { mapping::folded(key).into() } else { key.into() }
    }

    /// Gives every key of the object under a key a slot of its own.
    pub fn discover_under(&mut self, key: &str) {
        let inner = Keys { discover: Some(0), ..Keys::default() };
        self.targets.insert(key.as_bytes().into(), Target { slot: None, inner: Some(0) });
        self.inner = vec![inner];
    }

    /// Whether wanted keys lie in the record itself, and are told apart to the letter.
    pub fn are_plain(&self) -> bool {
        self.inner.is_empty() && self.discover.is_none() && !self.fold_case
    }

    /// How many keys are wanted.
    pub fn wanted(&self) -> usize {
        self.targets.len()
    }

    /// The keys that were discovered, in the order of their slots.
    pub fn discovered(&self) -> Vec<String> {
        if let (None, Some(inner)) = (self.discover, self.inner.first()) {
            return inner.discovered();
        }
        let mut found: Vec<(u16, String)> =
            self.targets.iter().filter_map(|(key, target)| slot_of(key, target)).collect();
        found.sort();
        found.into_iter().map(|(_, key)| key).collect()
    }

    /// Walks the object that begins at `at`, fills in the wanted cells, and returns the place behind it.
    ///
    /// `unwanted` is asked once the cell of the layout's early slot is known.
    #[inline]
    pub fn walk(
        &mut self,
        bytes: &[u8],
        at: usize,
        layout: Layout,
        cells: &mut Vec<Cell>,
        ranks: &mut Vec<u8>,
        unwanted: &mut dyn FnMut(&mut Cell) -> bool,
    ) -> Result<usize, Halt> {
        let lines = layout.lines;
        if bytes.get(at) != Some(&b'{') {
            return Err(Halt::Broken("no JSON object"));
        }
        let mut at = after_blanks(bytes, at + 1, lines);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        let mut last = NOWHERE;
        loop {
            let (target, behind) = self.key(bytes, at, lines, &mut last)?;
            let start = after_blanks(bytes, behind, lines);
            at = match target.inner {
                Some(inner) if bytes.get(start) == Some(&b'{') => {
                    let whole = target.slot.map(|_| scan::container_end(bytes, start, lines)).transpose()?;
                    if let (Some((slot, rank)), Some((end, inside))) = (target.slot, whole) {
                        keep(Cell::new(Form::Container, start, end, inside.wide), slot, rank, cells, ranks);
                    }
                    let Some(keys) = self.inner.get_mut(inner as usize) else { return Err("no keys".into()) };
                    keys.walk(bytes, start, layout, cells, ranks, unwanted)?
                }
                _ => match target.slot {
                    None => skip(bytes, start, lines)?,
                    Some((slot, rank)) => {
                        let (mut cell, end) = value(bytes, start, lines)?;
                        if layout.early == Some(slot as usize) && rank == 0 && unwanted(&mut cell) {
                            return Err(Halt::Unwanted);
                        }
                        keep(cell, slot, rank, cells, ranks);
                        end
                    }
                },
            };
            at = after_blanks(bytes, at, lines);
            match bytes.get(at) {
                Some(b',') => at = after_blanks(bytes, at + 1, lines),
                Some(b'}') => return Ok(at + 1),
                Some(b'\n' | 0) | None => return Err(Halt::Broken(scan::UNCLOSED)),
                Some(_) => return Err(Halt::Broken("broken JSON: expected `,` or `}`")),
            }
        }
    }

    /// The key at `at`: what is done with it, and the place behind its colon.
    #[inline(always)]
    fn key(&mut self, bytes: &[u8], at: usize, lines: bool, last: &mut usize) -> Result<(Target, usize), Broken> {
        let expected = match *last {
            NOWHERE => self.first,
            last => self.known.get(last).map_or(NOWHERE, |known| known.next),
        };
        if let Some(known) = self.known.get(expected)
            && same_start(bytes, at, &known.written)
        {
            *last = expected;
            return Ok((known.target, at + known.written.len()));
        }
        self.unexpected_key(bytes, at, lines, last)
    }

    #[inline(never)]
    fn unexpected_key(
        &mut self,
        bytes: &[u8],
        at: usize,
        lines: bool,
        last: &mut usize,
    ) -> Result<(Target, usize), Broken> {
        if bytes.get(at) != Some(&b'"') {
            return Err("broken JSON: expected a key");
        }
        let (end, inside) = scan::string_end(bytes, at + 1)?;
        let colon = after_blanks(bytes, end + 1, lines);
        if bytes.get(colon) != Some(&b':') {
            return Err("broken JSON: expected `:`");
        }
        let raw = bytes.get(at + 1..end).unwrap_or_default();
        let target = if inside.escaped { self.target(decoded(raw).as_bytes()) } else { self.target(raw) };
        let written = bytes.get(at..=colon).unwrap_or_default();
        self.remember(written, target, last);
        Ok((target, colon + 1))
    }

    /// What is done with a key's value.
    pub fn target(&mut self, key: &[u8]) -> Target {
        let key = self.spelling(key);
        if let (None, Some(slot)) = (self.targets.get(&key), self.discover) {
            self.discover = Some(slot + 1).filter(|next| *next < MOST_DISCOVERED);
            self.targets.insert(key.clone(), Target { slot: Some((slot, 0)), inner: None });
        }
        self.targets.get(&key).copied().unwrap_or_default()
    }

    fn remember(&mut self, written: &[u8], target: Target, last: &mut usize) {
        let found = self.known.iter().position(|known| &*known.written == written);
        let at = match found {
            Some(at) => at,
            None if self.known.len() < MOST_KNOWN => {
                // The next record most likely has what this one has.
                let next = self.known.get(*last).map_or(self.first, |known| known.next);
                let next = if self.known.is_empty() { NOWHERE } else { next };
                self.known.push(Known { written: written.into(), target, next });
                self.known.len() - 1
            }
            None => return,
        };
        match self.known.get_mut(*last) {
            Some(known) => known.next = at,
            None => self.first = at,
        }
        *last = at;
    }
}

fn slot_of(key: &[u8], target: &Target) -> Option<(u16, String)> {
    target.slot.map(|(slot, _)| (slot, String::from_utf8_lossy(key).into_owned()))
}

fn decoded(raw: &[u8]) -> String {
    let quoted = format!("\"{}\"", String::from_utf8_lossy(raw));
    crate::types::Json::new(&quoted).as_str().map(|text| text.into_owned()).unwrap_or_default()
}

#[inline(always)]
fn same_start(bytes: &[u8], at: usize, expected: &[u8]) -> bool {
    bytes.get(at..at + expected.len()) == Some(expected)
}

/// Keeps the value of the lowest rank that is not empty.
#[inline(always)]
pub fn keep(cell: Cell, slot: u16, rank: u8, cells: &mut [Cell], ranks: &mut [u8]) {
    let (Some(kept), Some(known)) = (cells.get_mut(slot as usize), ranks.get_mut(slot as usize)) else { return };
    if kept.is_empty() || (rank < *known && !cell.is_empty()) {
        *kept = cell;
        *known = rank;
    }
}

/// The value that begins at `at`, and the place behind it.
#[inline(always)]
pub fn value(bytes: &[u8], at: usize, lines: bool) -> Result<(Cell, usize), Broken> {
    match bytes.get(at) {
        Some(b'"') => {
            let (end, inside) = scan::string_end(bytes, at + 1)?;
            let form = if inside.escaped { Form::JsonEscaped } else { Form::Text };
            Ok((Cell::new(form, at + 1, end, inside.wide), end + 1))
        }
        Some(b'{' | b'[') => {
            let (end, inside) = scan::container_end(bytes, at, lines)?;
            Ok((Cell::new(Form::Container, at, end, inside.wide), end))
        }
        _ => {
            let end = scan::scalar_end(bytes, at)?;
            let null = bytes.get(at) == Some(&b'n');
            Ok((Cell::new(if null { Form::Null } else { Form::Scalar }, at, end, false), end))
        }
    }
}

#[inline(always)]
fn skip(bytes: &[u8], at: usize, lines: bool) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'"') => Ok(scan::string_end(bytes, at + 1)?.0 + 1),
        Some(b'{' | b'[') => Ok(scan::container_end(bytes, at, lines)?.0),
        _ => scan::scalar_end(bytes, at),
    }
}
