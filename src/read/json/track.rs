//! The way through a record that is written as the one before it: from each value to the next key, which is expected in
//! its place.
//!
//! Every byte of a record that is followed to its end is looked at: what is not written as expected leaves the track.
use super::flat::after_blank;
use super::keys::{Keys, Layout, Target, value};
use super::scan::{self, Inside};
use crate::read::cell::{Cell, Form};
use crate::read::rows::Rows;
use crate::read::windows::{WIDTH, Window, widest, window};

/// What stands before a value: `{"key":` or `,"key":`, and what its value is for.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub length: usize,
    text: [u128; PARTS],
    masks: [u128; PARTS],
    pub target: Option<(u16, u8)>,
}

/// No key is longer than so many times sixteen bytes.
const PARTS: usize = 4;

impl Key {
    pub fn new(written: &[u8], target: Target) -> Option<Key> {
        let mut text = [0; 16 * PARTS];
        text.get_mut(..written.len())?.copy_from_slice(written);
        let mut key = Key { length: written.len(), text: [0; PARTS], masks: [0; PARTS], target: target.slot };
        let (parts, _) = text.as_chunks::<16>();
        for (place, part) in parts.iter().enumerate() {
            let bytes = written.len().saturating_sub(16 * place);
            key.text[place] = u128::from_le_bytes(*part);
            key.masks[place] = if bytes >= 16 { u128::MAX } else { (1 << (8 * bytes)) - 1 };
        }
        Some(key)
    }

    /// Whether it stands at `at`.
    #[inline(always)]
    pub fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        let same = |place: usize| {
            let own = bytes.get(at + 16 * place..).and_then(|rest| rest.first_chunk::<16>());
            own.is_some_and(|own| (u128::from_le_bytes(*own) ^ self.text[place]) & self.masks[place] == 0)
        };
        same(0) && (self.length <= 16 || same(1)) && (self.length <= 32 || (2..PARTS).all(same))
    }
}

/// The keys of a record, each with what stands between it and the value before, and what becomes of the values.
#[derive(Debug)]
pub struct Track {
    steps: Vec<Step>,
    /// Slots that no key fills.
    absent: Vec<usize>,
    /// Whether the values decide on the way all that rows are judged by.
    decides: bool,
}

#[derive(Debug)]
struct Step {
    key: Key,
    /// Whether the value is tested, or tells whether the record lies in the window.
    is_tested: bool,
    is_time: bool,
}

/// How a record is followed.
#[derive(Clone, Copy)]
pub struct Course {
    /// The slot whose value decides whether the rest of a record is of use.
    pub early: Option<usize>,
    /// Whether the rest of a record that fails a test is not looked at.
    pub may_skip: bool,
}

/// What became of a record, with the place where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It lies in the window and fails no test.
    Chosen,
    /// It is left to the rows whether they have use for it.
    Taken,
    /// It lies outside of the window.
    Outside,
    /// It fails a test.
    Failed,
}

impl Track {
    /// The track of the flat record at `at`, whose colons these are; none where two keys are for one slot.
    pub fn of(
        bytes: &[u8],
        at: usize,
        colons: impl Iterator<Item = usize>,
        layout: Layout,
        keys: &mut Keys,
        rows: &Rows,
        width: usize,
    ) -> Option<Track> {
        let (mut steps, mut end) = (Vec::new(), at);
        for colon in colons {
            let inside = bytes.get(end..colon)?.strip_suffix(b"\"")?;
            let begin = end + memchr::memrchr(b'"', inside)?;
            let name = bytes.get(begin + 1..colon - 1)?;
            let start = after_blank(bytes, colon + 1);
            let key = Key::new(bytes.get(end..start)?, keys.target(name))?;
            end = value(bytes, start, true).ok()?.1;
            let slot = key.target.map(|(slot, _)| slot as usize);
            let decides = |slot: &usize| key.target == Some((*slot as u16, 0));
            let is_time = slot.filter(decides).is_some_and(|slot| layout.early == Some(slot));
            let is_tested = slot.filter(decides).is_some_and(|slot| rows.tests(slot));
            steps.push(Step { key, is_tested, is_time });
        }
        let mut filled: Vec<usize> = steps.iter().filter_map(|step| Some(step.key.target?.0 as usize)).collect();
        filled.sort_unstable();
        if !filled.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let decided = |slot: usize| {
            let own = steps.iter().find(|step| step.key.target == Some((slot as u16, 0)));
            own.is_some_and(|own| rows.window_slot() != Some(slot) || own.is_time)
        };
        let decides = layout.judges && (0..width).filter(|slot| rows.judges(*slot)).all(decided);
        let absent = (0..width).filter(|slot| filled.binary_search(slot).is_err()).collect();
        Some(Track { steps, absent, decides })
    }

    /// Fills in the cells of the record at `at`; none where it is not written as expected, and then they hold anything.
    #[inline]
    pub fn follow(
        &self,
        bytes: &[u8],
        at: usize,
        course: Course,
        cells: &mut [Cell],
        rows: &mut Rows,
    ) -> Option<(Fate, usize)> {
        /// The same for every kind of vectors.
        #[inline(always)]
        fn body<W: Window>(
            track: &Track,
            bytes: &[u8],
            mut at: usize,
            course: Course,
            cells: &mut [Cell],
            rows: &mut Rows,
        ) -> Option<(Fate, usize)> {
            let (mut may_skip, mut fails) = (course.may_skip && course.early.is_none(), false);
            for step in &track.steps {
                if !step.key.stands_at(bytes, at) {
                    return None;
                }
                let (cell, end) = any_value::<W>(bytes, at + step.key.length)?;
                at = end;
                let Some((slot, _)) = step.key.target else { continue };
                let kept = cells.get_mut(slot as usize)?;
                *kept = cell;
                if step.is_time {
                    if !rows.in_window(bytes, kept) {
                        return Some((Fate::Outside, line_end::<W>(bytes, at)?));
                    }
                    may_skip = course.may_skip;
                }
                if step.is_tested && track.decides && !fails {
                    fails = rows.fails(bytes, slot as usize, cell);
                }
                if fails && may_skip {
                    let next = line_end::<W>(bytes, at)?;
                    rows.dropped += 1;
                    return Some((Fate::Failed, next));
                }
            }
            let ends = bytes.get(at) == Some(&b'}') && matches!(bytes.get(at + 1), Some(b'\n' | b'\r' | 0));
            if !ends {
                return None;
            }
            for slot in &track.absent {
                if let Some(cell) = cells.get_mut(*slot) {
                    *cell = Cell::default();
                }
            }
            rows.dropped += usize::from(fails);
            let fate = match track.decides {
                true if fails => Fate::Failed,
                true => Fate::Chosen,
                false => Fate::Taken,
            };
            Some((fate, at + 1))
        }
        type Found = Option<(Fate, usize)>;
        let track = self;
        widest!(
            body,
            (track: &Track, bytes: &[u8], at: usize, course: Course, cells: &mut [Cell], rows: &mut Rows) -> Found
        )
    }
}

/// The string or scalar that begins at `at`, and the place behind it.
#[inline(always)]
fn any_value<W: Window>(bytes: &[u8], at: usize) -> Option<(Cell, usize)> {
    match bytes.get(at)? {
        b'"' => {
            let (end, inside) = string::<W>(bytes, at + 1)?;
            let form = if inside.escaped { Form::JsonEscaped } else { Form::Text };
            Some((Cell::new(form, at + 1, end, inside.wide), end + 1))
        }
        b'{' | b'[' => None,
        first => {
            let end = scan::scalar_end(bytes, at).ok()?;
            Some((Cell::new(if *first == b'n' { Form::Null } else { Form::Scalar }, at, end, false), end))
        }
    }
}

/// The place of the closing quote of the string whose inside begins at `at`.
#[inline(always)]
fn string<W: Window>(bytes: &[u8], at: usize) -> Option<(usize, Inside)> {
    let (mut from, mut wide) = (at, false);
    loop {
        let window = window::<W>(bytes, from);
        let quotes = window.equal(b'"');
        let stops = quotes | window.equal(b'\\') | window.equal(b'\n') | window.equal(0);
        // All bits below the first stop; all of them where there is none.
        wide |= window.high() & (stops.wrapping_sub(1) & !stops) != 0;
        if stops != 0 {
            let end = from + stops.trailing_zeros() as usize;
            return match quotes & stops.wrapping_neg() & stops {
                0 => scan::string_end(bytes, at).ok(),
                _ => Some((end, Inside { escaped: false, wide })),
            };
        }
        from += WIDTH;
    }
}

/// The place behind the line that `at` lies in; none where nothing ends it.
#[inline(always)]
fn line_end<W: Window>(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        let ends = window::<W>(bytes, at).equal(b'\n');
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize + 1);
        }
        at += WIDTH;
    }
    None
}
