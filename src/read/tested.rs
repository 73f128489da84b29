//! Tests of the texts of cells, by which rows are dropped while they are read.
use super::cell::{Bytes, Cell, Form};
use crate::functions::search::Needles;
use crate::plan::{TextMatch, TextTest};
use std::cell::RefCell;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the text of a cell must be or hold, or must not.
#[derive(Debug)]
struct Test {
    /// Unique in the process.
    id: u64,
    how: How,
    negated: bool,
}

#[derive(Debug)]
enum How {
    Equal(Vec<String>),
    Holds(Needles),
}

impl Test {
    fn new(test: &TextTest) -> Test {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let how = match test.how {
            TextMatch::Equal => How::Equal(test.values.clone()),
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
        let passes = match &self.how {
            How::Equal(values) => values.iter().any(|value| value == text),
            How::Holds(needles) => KNOWN.with_borrow_mut(|known| known.answer(self.id, text, || needles.any_in(text))),
        };
        passes == self.negated
    }
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What costly tests said of the last texts: the same hosts and paths come again and again.
#[derive(Default)]
struct Known {
    answers: Vec<Answer>,
}

/// A text is kept up to this length.
const LONGEST: usize = 38;
/// How many texts are kept: a power of two.
const KEPT: usize = 2048;

#[derive(Clone, Copy)]
struct Answer {
    test: u64,
    length: u8,
    passes: bool,
    text: [u8; LONGEST],
}

impl Known {
    /// What a test says of a text, which is computed where it is not known.
    fn answer(&mut self, test: u64, text: &str, compute: impl FnOnce() -> bool) -> bool {
        const HASHER: foldhash::fast::FixedState = foldhash::fast::FixedState::with_seed(0x7E57);
        let bytes = text.as_bytes();
        if bytes.len() > LONGEST {
            return compute();
        }
        if self.answers.is_empty() {
            self.answers = vec![Answer { test: 0, length: 0, passes: false, text: [0; LONGEST] }; KEPT];
        }
        let place = HASHER.hash_one(text) as usize % KEPT;
        let Some(known) = self.answers.get_mut(place) else { return compute() };
        if known.test == test && known.text.get(..usize::from(known.length)) == Some(bytes) {
            return known.passes;
        }
        *known = Answer { test, length: bytes.len() as u8, passes: compute(), text: [0; LONGEST] };
        known.text.iter_mut().zip(bytes).for_each(|(into, byte)| *into = *byte);
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
        let long = "a text that is longer than what is kept of any";
        for text in ["", "a", "b", "a", long, "", "a\0"] {
            for test in 1..4 {
                let expected = text.len() as u64 % 2 == test % 2;
                assert_eq!(known.answer(test, text, || expected), expected);
                assert_eq!(known.answer(test, text, || expected), expected, "{text} {test}");
            }
        }
        assert!(known.answer(1, "kept", || true));
        assert!(known.answer(1, "kept", || false));
        assert!(!known.answer(1, long, || false));
    }
}
