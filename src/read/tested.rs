//! Tests of the texts of cells, by which rows are dropped while they are read.
use super::cell::{Bytes, Cell, Form};
use crate::functions::search::Needles;
use crate::plan::{TextMatch, TextTest};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the text of a cell must be or hold, or must not.
#[derive(Debug)]
struct Test {
    /// Unique in the process.
    id: u32,
    how: How,
    negated: bool,
}

#[derive(Debug)]
enum How {
    /// It is one of the texts; those that are short enough are packed.
    Equal(Vec<Packed>, Vec<String>),
    Holds(Needles),
}

impl Test {
    fn new(test: &TextTest) -> Test {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let how = match test.how {
            TextMatch::Equal => {
                let packed = |text: &String| Packed::new(text.as_bytes(), 0, text.len());
                let long = test.values.iter().filter(|text| packed(text).is_none()).cloned();
                How::Equal(test.values.iter().filter_map(packed).collect(), long.collect())
            }
            TextMatch::Holds { place, exact_case } => How::Holds(Needles::new(&test.values, place, exact_case)),
        };
        Test { id: NEXT.fetch_add(1, Ordering::Relaxed), how, negated: test.negated }
    }

    fn is_costly(&self) -> bool {
        matches!(self.how, How::Holds(_))
    }

    /// Whether a cell fails for sure: what has yet to be decoded is left to the filter.
    fn fails(&self, bytes: &Bytes<'_>, cell: Cell) -> bool {
        let text = match cell.form {
            Form::Absent | Form::Null => Some(""),
            Form::Text | Form::Bare | Form::Scalar => bytes.ascii(cell),
            _ => None,
        };
        let Some(text) = text else { return false };
        // Behind a cell of the block lie other bytes: sixteen can be loaded at once.
        let lies_in_block = !cell.beside && !text.is_empty();
        let (from, start) = if lies_in_block { (bytes.block, cell.start as usize) } else { (text.as_bytes(), 0) };
        let packed = Packed::new(from, start, text.len());
        let passes = match (&self.how, packed) {
            (How::Equal(values, _), Some(packed)) => values.contains(&packed),
            (How::Equal(_, values), None) => values.iter().any(|value| value == text),
            (How::Holds(needles), Some(packed)) => {
                KNOWN.with_borrow_mut(|known| known.answer(self.id, packed, || needles.any_in(text)))
            }
            (How::Holds(needles), None) => needles.any_in(text),
        };
        passes == self.negated
    }
}

/// A short text by its bytes and its length, which stands in the last byte.
#[derive(Clone, Copy, Debug, Default)]
struct Packed([u128; PARTS]);

impl PartialEq for Packed {
    #[inline(always)]
    fn eq(&self, other: &Packed) -> bool {
        let [a, b, c] = self.0;
        let [x, y, z] = other.0;
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }
}

const PARTS: usize = 3;
/// The length of a longer text has no room.
const LONGEST: usize = 16 * PARTS - 1;

impl Packed {
    /// `bytes[start..start + length]`, where that is short enough.
    #[inline(always)]
    fn new(bytes: &[u8], start: usize, length: usize) -> Option<Packed> {
        if length > LONGEST {
            return None;
        }
        let mut parts = [0; PARTS];
        for (place, part) in parts.iter_mut().enumerate().take(length.div_ceil(16)) {
            let (begin, left) = (start + 16 * place, length - 16 * place);
            // Sixteen bytes are loaded at once and cut to the text, but for one at the very end.
            *part = match bytes.get(begin..).and_then(|rest| rest.first_chunk::<16>()) {
                Some(whole) if left >= 16 => u128::from_le_bytes(*whole),
                Some(whole) => u128::from_le_bytes(*whole) & ((1 << (8 * left)) - 1),
                None => tail(bytes.get(begin..begin + left.min(16))?),
            };
        }
        parts[PARTS - 1] |= (length as u128) << 120;
        Some(Packed(parts))
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        let folded = |sum: u64, part: &u128| {
            let product = u128::from(sum ^ *part as u64) * u128::from((*part >> 64) as u64 ^ 0x9E37_79B9_7F4A_7C15);
            product as u64 ^ (product >> 64) as u64
        };
        self.0.iter().fold(0x2545_F491_4F6C_DD1D, folded)
    }
}

#[cold]
fn tail(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What costly tests said of the last texts: the same hosts and paths come again and again.
#[derive(Default)]
struct Known {
    answers: Vec<Answer>,
}

/// How many texts are kept: a power of two.
const KEPT: usize = 4096;

/// One cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Answer {
    text: Packed,
    /// Tests are numbered from 1.
    test: u32,
    passes: bool,
}

impl Known {
    /// What a test says of a text, which is computed where it is not known.
    #[inline]
    fn answer(&mut self, test: u32, text: Packed, compute: impl FnOnce() -> bool) -> bool {
        if self.answers.is_empty() {
            self.answers = vec![Answer::default(); KEPT];
        }
        let place = (text.hash() ^ u64::from(test)) as usize % KEPT;
        let Some(known) = self.answers.get_mut(place) else { return compute() };
        if known.test != test || known.text != text {
            *known = Answer { test, text, passes: compute() };
        }
        known.passes
    }
}

/// The test of a slot, and how often it was made and failed.
#[derive(Clone, Debug)]
pub struct Tested {
    pub slot: usize,
    test: Arc<Test>,
    made: u32,
    failed: u32,
}

impl Tested {
    pub fn new(slot: usize, test: &TextTest) -> Tested {
        Tested { slot, test: Arc::new(Test::new(test)), made: 0, failed: 0 }
    }

    pub fn is_costly(&self) -> bool {
        self.test.is_costly()
    }

    /// Whether a cell fails. A costly test that hardly any row fails is left to the filter, which makes it once for
    /// each distinct text.
    #[inline]
    pub fn fails(&mut self, bytes: &Bytes<'_>, cell: Cell) -> bool {
        const ENOUGH: u32 = 64;
        if self.made > ENOUGH && self.failed * 4 < self.made && self.is_costly() {
            return false;
        }
        let fails = self.test.fails(bytes, cell);
        self.made += 1;
        self.failed += u32::from(fails);
        fails
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_same_test_and_text() {
        let mut known = Known::default();
        let longest = "x".repeat(LONGEST);
        for text in ["", "a", "b", "a", longest.as_str(), "", "a\0", "a\0\0"] {
            let packed = Packed::new(text.as_bytes(), 0, text.len()).unwrap();
            for test in 1..4 {
                let expected = text.len() as u32 % 2 == test % 2;
                assert_eq!(known.answer(test, packed, || expected), expected);
                assert_eq!(known.answer(test, packed, || !expected), expected, "{text} {test}");
            }
        }
    }

    #[test]
    fn packed_texts_are_equal_where_texts_are() {
        let bytes: Vec<u8> = (1..=120).collect();
        for length in 0..=LONGEST {
            for start in [0, 1, 60, 120 - length] {
                let own = Packed::new(&bytes, start, length).unwrap();
                let copied = bytes[start..start + length].to_vec();
                assert_eq!(own, Packed::new(&copied, 0, length).unwrap(), "{start} {length}");
                assert!(length == 0 || own != Packed::new(&bytes, start, length - 1).unwrap());
            }
        }
        assert_eq!(Packed::new(&bytes, 0, LONGEST + 1), None);
    }
}
