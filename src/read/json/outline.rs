//! What a line of JSON holds outside of strings, found sixty-four bytes at a time: the places of its colons and of its
//! values that are no strings, and how many quotes, commas, brackets and other bytes there are.
use super::scan;
use crate::read::windows::{Places, WIDTH, Window, widest, window};

/// The places that matter in a line.
#[derive(Debug, Default)]
pub struct Marks {
    pub colons: Colons,
    /// Where values begin that are no strings.
    scalars: Places,
}

/// The colons of a line, by windows: few of their places are asked for.
#[derive(Debug, Default)]
pub struct Colons {
    begin: usize,
    masks: Vec<u64>,
    pub count: usize,
}

impl Colons {
    fn clear(&mut self, begin: usize) {
        self.masks.clear();
        (self.begin, self.count) = (begin, 0);
    }

    #[inline(always)]
    fn add(&mut self, mask: u64) {
        self.masks.push(mask);
        self.count += mask.count_ones() as usize;
    }

    /// Goes through the colons from the first on.
    #[inline(always)]
    pub fn walk(&self) -> Walk<'_> {
        Walk { masks: self.masks.iter(), mask: 0, begin: self.begin.wrapping_sub(WIDTH), passed: 0 }
    }

    pub fn all(&self) -> impl Iterator<Item = usize> {
        let mut walk = self.walk();
        (0..self.count).map(move |number| walk.to(number))
    }
}

/// A way through the colons of a line.
pub struct Walk<'a> {
    masks: std::slice::Iter<'a, u64>,
    /// The colons of the window at `begin` that are left.
    mask: u64,
    begin: usize,
    /// How many colons are passed.
    passed: usize,
}

impl Walk<'_> {
    /// The place of colon number `number`, which lies ahead; the end where there is none.
    #[inline(always)]
    pub fn to(&mut self, number: usize) -> usize {
        let mut count = self.mask.count_ones() as usize;
        while self.passed + count <= number {
            let Some(next) = self.masks.next() else { return self.begin };
            self.passed += count;
            self.begin = self.begin.wrapping_add(WIDTH);
            self.mask = *next;
            count = next.count_ones() as usize;
        }
        while self.passed < number {
            self.mask &= self.mask - 1;
            self.passed += 1;
        }
        self.begin + self.mask.trailing_zeros() as usize
    }
}

/// What a line holds outside of strings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outline {
    /// The place behind the last byte that is no blank.
    pub end: usize,
    /// Quotes that no backslash escapes.
    quotes: u32,
    /// Strings that follow a colon.
    strings: u32,
    commas: u32,
    brackets: u32,
    /// Bytes that are none of these, nor colons nor blanks.
    others: usize,
}

impl Outline {
    /// The outline of the line that begins at `at`.
    #[inline]
    pub fn of(bytes: &[u8], at: usize, marks: &mut Marks) -> Outline {
        marks.colons.clear(at);
        marks.scalars.clear();
        outline(bytes, at, marks)
    }

    /// Whether the line is an object of strings and scalars.
    #[inline]
    pub fn is_flat(&self, bytes: &[u8], at: usize, marks: &Marks) -> bool {
        let keys = marks.colons.count as u32;
        let counts = self.commas + 1 == keys && self.brackets == 2 && self.quotes == 2 * (keys + self.strings);
        let ends = bytes.get(at) == Some(&b'{') && bytes.get(self.end.saturating_sub(1)) == Some(&b'}');
        if !counts || !ends {
            return false;
        }
        let length = |place: &u32| Some(scan::scalar_end(bytes, *place as usize).ok()? - *place as usize);
        marks.scalars.known().iter().map(length).sum::<Option<usize>>() == Some(self.others)
    }
}

/// Who is told of places.
trait Sink {
    fn take(&mut self, at: usize, colons: u64, scalars: u64);
}

impl Sink for &mut Marks {
    #[inline(always)]
    fn take(&mut self, at: usize, colons: u64, scalars: u64) {
        self.colons.add(colons);
        if scalars != 0 {
            self.scalars.add(at, scalars);
        }
    }
}

/// What the bytes before a window leave open.
#[derive(Default)]
struct Before {
    /// All ones inside of a string.
    inside: u64,
    escape: bool,
    /// Whether a value begins with the window, or behind the blank that it begins with.
    value: u64,
    value_behind_blank: u64,
}

fn outline<S: Sink>(bytes: &[u8], at: usize, sink: S) -> Outline {
    /// The same for every kind of vectors.
    #[inline(always)]
    fn body<W: Window, S: Sink>(bytes: &[u8], mut at: usize, mut sink: S) -> Outline {
        let (mut outline, mut before) = (Outline::default(), Before::default());
        loop {
            let window = window::<W>(bytes, at);
            let ends = window.equal(b'\n') | window.equal(0);
            // All bits before the line's end.
            let valid = if ends == 0 { u64::MAX } else { ends.wrapping_sub(1) & !ends };
            let backslashes = window.equal(b'\\') & valid;
            let mut quotes = window.equal(b'"') & valid;
            if backslashes != 0 || before.escape {
                quotes &= !scan::escaped(backslashes, &mut before.escape);
            }
            let inside = W::parity(quotes) ^ before.inside;
            let outside = valid & !inside;
            // `[` and `{`, `]` and `}` differ by one bit.
            let folded = window.or(0x20);
            let brackets = (folded.equal(b'{') | folded.equal(b'}')) & outside;
            let commas = window.equal(b',') & outside;
            let colons = window.equal(b':') & outside;
            let blanks = (window.equal(b' ') | window.equal(b'\r')) & outside;
            let begins = colons << 1 | before.value;
            let values = (begins & !blanks) | (begins & blanks) << 1 | before.value_behind_blank;
            before = Before {
                inside: ((inside as i64) >> 63) as u64,
                escape: before.escape,
                value: colons >> 63,
                value_behind_blank: (begins & blanks) >> 63,
            };
            outline.quotes += quotes.count_ones();
            outline.strings += (values & quotes).count_ones();
            outline.brackets += brackets.count_ones();
            outline.commas += commas.count_ones();
            outline.others += (outside & !(quotes | brackets | commas | colons | blanks)).count_ones() as usize;
            sink.take(at, colons, values & !quotes & valid);
            if ends != 0 {
                let line = bytes.get(..at + ends.trailing_zeros() as usize).unwrap_or(bytes);
                outline.end = line.trim_ascii_end().len();
                return outline;
            }
            at += WIDTH;
        }
    }
    widest!(body, S: Sink, (bytes: &[u8], at: usize, sink: S) -> Outline)
}
