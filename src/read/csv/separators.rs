//! Where the cells of well-formed records end, sixty-four bytes at a time.
//!
//! In such text an odd number of quotes stands before every byte inside of quotes. That holds as long as every quote
//! opens a cell, closes it, or is one of two that stand for one; the first quote that does none of this ends the walk.
use crate::read::windows::{Places, WIDTH, Window, widest, window};

/// The separators of some records.
#[derive(Debug, Default)]
pub struct Separators {
    /// The places of all separators outside of quotes: delimiters and line ends.
    places: Places,
    /// For each record, the number of separators up to its end.
    records: Vec<u32>,
}

/// Where a walk has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The place behind the last whole record.
    pub records_end: usize,
    /// Whether the record that begins there holds a quote that no well-formed record would.
    pub stray: bool,
}

impl Separators {
    /// Finds the separators of the records in `bytes[from..to]`, the first of which begins at `from`.
    pub fn find(&mut self, bytes: &[u8], from: usize, to: usize, delimiter: u8) -> Reached {
        self.places.clear();
        self.records.clear();
        let mut sink = self;
        walk(bytes, from, to, delimiter, &mut sink)
    }

    /// The places of the separators of each record; the last is that of its line end.
    pub fn records(&self) -> impl Iterator<Item = &[u32]> {
        let mut begin = 0;
        self.records.iter().map(move |end| {
            let record = self.places.known().get(begin..*end as usize).unwrap_or_default();
            begin = *end as usize;
            record
        })
    }
}

/// The place behind the last whole record of `bytes[from..to]`, without its separators.
pub fn records_end(bytes: &[u8], from: usize, to: usize, delimiter: u8) -> Reached {
    walk(bytes, from, to, delimiter, &mut Nobody)
}

/// Who is told of separators.
trait Sink {
    /// The separators in the window that begins at `at`, and which of them are line ends.
    fn take(&mut self, at: usize, separators: u64, lines: u64);
}

struct Nobody;

impl Sink for Nobody {
    #[inline(always)]
    fn take(&mut self, _: usize, _: u64, _: u64) {}
}

impl Sink for &mut Separators {
    #[inline(always)]
    fn take(&mut self, at: usize, separators: u64, mut lines: u64) {
        let known = self.places.len();
        while lines != 0 {
            let up_to = separators & (lines ^ (lines - 1));
            self.records.push((known + up_to.count_ones() as usize) as u32);
            lines &= lines - 1;
        }
        self.places.add(at, separators);
    }
}

fn walk<S: Sink>(bytes: &[u8], from: usize, to: usize, delimiter: u8, sink: &mut S) -> Reached {
    /// The same for every kind of vectors.
    #[inline(always)]
    fn body<W: Window, S: Sink>(bytes: &[u8], from: usize, to: usize, delimiter: u8, sink: &mut S) -> Reached {
        let mut reached = Reached { records_end: from, stray: false };
        let mut before = Before { inside: 0, separator: 1, closing: 0 };
        let mut at = from;
        while at < to && !reached.stray {
            let valid = if to - at < WIDTH { (1 << (to - at)) - 1 } else { u64::MAX };
            let sorts = Sorts::of(window::<W>(bytes, at), delimiter, valid);
            let quotes = before.quotes::<W>(&sorts);
            let mut told = quotes.separators;
            if let Some(stray) = quotes.first_stray(bytes, at) {
                told &= (1 << stray) - 1;
                reached.stray = true;
            }
            let lines = told & sorts.lines;
            if lines != 0 {
                reached.records_end = at + WIDTH - lines.leading_zeros() as usize;
            }
            sink.take(at, told, lines);
            at += WIDTH;
        }
        reached
    }
    widest!(body, S: Sink, (bytes: &[u8], from: usize, to: usize, delimiter: u8, sink: &mut S) -> Reached)
}

/// Which bytes of a window are of which sort.
struct Sorts {
    quotes: u64,
    separators: u64,
    lines: u64,
    returns: u64,
}

impl Sorts {
    #[inline(always)]
    fn of<W: Window>(window: W, delimiter: u8, valid: u64) -> Sorts {
        let lines = window.equal(b'\n') & valid;
        Sorts {
            quotes: window.equal(b'"') & valid,
            separators: (window.equal(delimiter) & valid) | lines,
            lines,
            returns: window.equal(b'\r') & valid,
        }
    }
}

/// What the byte before a window was.
struct Before {
    /// All ones inside of quotes.
    inside: u64,
    separator: u64,
    closing: u64,
}

/// What the quotes of a window make of it.
struct Quotes {
    separators: u64,
    /// Quotes, and what follows quotes, where well-formed text has none.
    stray: u64,
    /// Carriage returns behind a closing quote: well-formed before a line end alone.
    returns: u64,
}

impl Before {
    #[inline(always)]
    fn quotes<W: Window>(&mut self, sorts: &Sorts) -> Quotes {
        let inside = W::parity(sorts.quotes) ^ self.inside;
        let separators = sorts.separators & !inside;
        let (opening, closing) = (sorts.quotes & inside, sorts.quotes & !inside);
        let behind_closing = closing << 1 | self.closing;
        let may_open = separators << 1 | self.separator | behind_closing;
        let may_follow = separators | opening | sorts.returns;
        *self = Before { inside: ((inside as i64) >> 63) as u64, separator: separators >> 63, closing: closing >> 63 };
        Quotes {
            separators,
            stray: (opening & !may_open) | (behind_closing & !may_follow),
            returns: behind_closing & sorts.returns,
        }
    }
}

impl Quotes {
    #[inline(always)]
    fn first_stray(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.stray | self.returns == 0 {
            return None;
        }
        self.slow_first_stray(bytes, at)
    }

    fn slow_first_stray(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let (mut stray, mut returns) = (self.stray, self.returns);
        while returns != 0 {
            let place = returns.trailing_zeros();
            if !matches!(bytes.get(at + place as usize + 1), None | Some(b'\n')) {
                stray |= 1 << place;
            }
            returns &= returns - 1;
        }
        (stray != 0).then(|| stray.trailing_zeros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::csv::cells::record;
    use proptest::prelude::*;

    /// The ends of the cells of all records, as far as each record is well-formed.
    fn slow(text: &[u8]) -> (Vec<Vec<u32>>, usize) {
        let (mut records, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let mut ends = Vec::new();
            let outcome = record(text, at, b',', |_, cell| ends.push(cell.end));
            match outcome {
                Ok(next) if text.get(next - 1) == Some(&b'\n') => (at, _) = (next, records.push(ends)),
                _ => break,
            }
        }
        (records, at)
    }

    proptest! {
        /// Quick and slow agree on whole records, up to the first that is not well-formed.
        #[test]
        fn quick_is_slow(text in "([a,\"\r\n]|\"\"|\"x\",|,\"\n\"|abcdefghijklmnopqrstuvwxyz){0,60}") {
            let bytes = text.as_bytes();
            let mut separators = Separators::default();
            let reached = separators.find(bytes, 0, bytes.len(), b',');
            let (expected, end) = slow(bytes);
            let found: Vec<usize> = separators.records().map(<[u32]>::len).collect();
            let counts: Vec<usize> = expected.iter().map(Vec::len).collect();
            prop_assert!(reached.records_end <= end);
            prop_assert_eq!(&found[..], counts.get(..found.len()).unwrap_or_default());
            if !reached.stray {
                prop_assert_eq!(reached.records_end, end);
            }
            prop_assert_eq!(records_end(bytes, 0, bytes.len(), b','), reached);
        }
    }
}
