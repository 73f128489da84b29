//! The pass of [`super::seek`] over JSON as most programs write it, from mark to mark.
use super::form::number_ends;
use super::marks::{Marks, Places};
use super::{MAX_DEPTH, PathStep, is_key, string_end};

/// What is found in a text that is JSON.
pub(super) struct Passed {
    /// Whether there is a space outside of strings.
    pub spaces: bool,
    /// Where the value at the end of the path begins and ends.
    pub place: Option<(usize, usize)>,
}

/// Passes JSON without blanks around it, and finds the value at the end of a path whose indexes count from the start.
/// None where this pass does not tell: the text may be JSON in another form, or none.
pub(super) fn pass(text: &str, steps: &[PathStep]) -> Option<Passed> {
    let bytes = text.as_bytes();
    let mut marks = Marks::new();
    marks.find(bytes)?;
    let pass = Pass {
        text,
        bytes,
        places: marks.places(),
        spaces: marks.spaces,
        escapes: marks.escapes,
        steps,
        taken: 0,
        element: 0,
        bags: 0,
        depth: 0,
        path: if steps.is_empty() { Path::Ended } else { Path::On },
        place: None,
    };
    let place = pass.passed()?;
    Some(Passed { spaces: marks.spaces, place })
}

/// Hands over the names of a bag's properties, as they are written, from mark to mark; whether it could.
#[inline(always)]
pub(super) fn keys<'a>(bag: &'a str, mut take: impl FnMut(&'a str)) -> bool {
    let bytes = bag.as_bytes();
    let mut marks = Marks::new();
    if marks.find(bytes).is_none() {
        return false;
    }
    let (mut places, mut depth) = (marks.places(), 0usize);
    while let Some(at) = places.next() {
        match bytes.get(at) {
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Some(b',') => {}
            _ => continue,
        }
        if let (1, Some(quote)) = (depth, places.peek())
            && bytes.get(quote) == Some(&b'"')
        {
            take(bag.get(quote + 1..string_end(bytes, quote).saturating_sub(1)).unwrap_or_default());
        }
    }
    true
}

/// As deep as arrays and bags may nest here: each has a bit of a word.
const DEEPEST: usize = 64;
const _: () = assert!(DEEPEST <= MAX_DEPTH);

/// How the value that is being read lies to the path.
#[derive(Clone, Copy, PartialEq)]
enum Path {
    /// Steps are left to be taken.
    On,
    /// The value that follows is the end of the path.
    Next,
    /// Within the value at the end of the path: where it begins, and how deep.
    Within(usize, usize),
    /// The path has ended.
    Ended,
}

struct Pass<'a> {
    text: &'a str,
    bytes: &'a [u8],
    places: Places<'a>,
    spaces: bool,
    escapes: bool,
    steps: &'a [PathStep],
    /// How many steps have led to the value that is being read. Each leads one array or bag deeper.
    taken: usize,
    /// The number of the next element, of the array that the next step leads into.
    element: i64,
    /// The arrays (0) and bags (1) around the place, the innermost in the lowest bit.
    bags: u64,
    depth: usize,
    path: Path,
    place: Option<(usize, usize)>,
}

impl Pass<'_> {
    /// Where the value at the end of the path begins and ends; none at all where this is no JSON.
    #[inline(always)]
    fn passed(mut self) -> Option<Option<(usize, usize)>> {
        loop {
            let mut last = self.value()?;
            loop {
                self.ended(last)?;
                let Some(at) = self.places.next() else {
                    return (self.depth == 0).then_some(self.place);
                };
                if self.depth == 0 {
                    return None;
                }
                let bag = self.bags & 1 == 1;
                match self.bytes.get(at)? {
                    b',' => {
                        self.step(bag)?;
                        break;
                    }
                    b'}' if bag => {}
                    b']' if !bag => {}
                    _ => return None,
                }
                self.close();
                last = at;
            }
        }
    }

    #[inline(always)]
    fn close(&mut self) {
        self.bags >>= 1;
        self.depth -= 1;
    }

    /// Passes a scalar, an empty array or bag, or the opening of others down to their first scalar: where its last
    /// mark is.
    #[inline(always)]
    fn value(&mut self) -> Option<usize> {
        loop {
            let at = self.places.next()?;
            if self.path == Path::Next {
                self.path = Path::Within(at, self.depth);
            }
            let bag = match self.bytes.get(at)? {
                b'"' => return Some(at),
                b'{' => true,
                b'[' => false,
                _ => {
                    self.scalar(at)?;
                    return Some(at);
                }
            };
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            self.bags = self.bags << 1 | u64::from(bag);
            let first = self.places.peek()?;
            if *self.bytes.get(first)? == if bag { b'}' } else { b']' } {
                self.places.next()?;
                self.close();
                return Some(first);
            }
            if self.depth == self.taken + 1 {
                self.element = 0;
            }
            self.step(bag)?;
        }
    }

    /// A value has been read, whose last mark is at this place.
    #[inline(always)]
    fn ended(&mut self, last: usize) -> Option<()> {
        match self.path {
            Path::Within(start, depth) if depth == self.depth => {
                let end = match self.bytes.get(last)? {
                    b'"' => string_end(self.bytes, last),
                    b'}' | b']' => last + 1,
                    _ => self.scalar_end(last),
                };
                self.place = Some((start, end));
                self.path = Path::Ended;
            }
            Path::On if self.depth == self.taken => self.path = Path::Ended,
            _ => {}
        }
        Some(())
    }

    /// Passes the key of a property, and takes the next step where the property, or the element, that follows is it.
    #[inline(always)]
    fn step(&mut self, bag: bool) -> Option<()> {
        let mut quote = 0;
        if bag {
            quote = self.places.next()?;
            let colon = self.places.next()?;
            if *self.bytes.get(quote)? != b'"' || *self.bytes.get(colon)? != b':' {
                return None;
            }
        }
        if self.path != Path::On || self.depth != self.taken + 1 {
            return Some(());
        }
        let is_it = match self.steps.get(self.taken) {
            Some(PathStep::Key(wanted)) if bag => self.has_key(quote, wanted),
            Some(PathStep::Index(wanted)) if !bag => {
                self.element += 1;
                self.element - 1 == *wanted
            }
            _ => false,
        };
        if is_it {
            self.taken += 1;
            if self.taken == self.steps.len() {
                self.path = Path::Next;
            }
        }
        Some(())
    }

    /// Whether the name that begins with this quote is the one that is wanted.
    #[inline(always)]
    fn has_key(&self, quote: usize, wanted: &str) -> bool {
        if self.escapes {
            let end = string_end(self.bytes, quote);
            return self.text.get(quote + 1..end - 1).is_some_and(|key| is_key(key, wanted));
        }
        let rest = self.bytes.get(quote + 1..).unwrap_or_default();
        // Without escapes a name ends at the first quote; one that is wanted and has a quote is in no such text.
        rest.strip_prefix(wanted.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'"')) && !wanted.contains('"')
    }

    /// Where the number or word at a place ends.
    #[inline(always)]
    fn scalar_end(&mut self, at: usize) -> usize {
        let mut end = self.places.peek().unwrap_or(self.bytes.len());
        while self.spaces && end > at && self.bytes.get(end - 1) == Some(&b' ') {
            end -= 1;
        }
        end
    }

    /// Passes a number or a word.
    #[inline(always)]
    fn scalar(&mut self, at: usize) -> Option<()> {
        let end = self.scalar_end(at);
        let scalar = self.bytes.get(at..end)?;
        let valid = match scalar.first()? {
            b'1'..=b'9' => are_digits(self.bytes.get(..end)?, scalar.len()) || number_ends(scalar),
            b'-' | b'0' => number_ends(scalar),
            _ => matches!(scalar, b"true" | b"false" | b"null"),
        };
        valid.then_some(())
    }
}

/// Whether the last so many bytes are decimal digits, sixteen at most.
#[inline(always)]
fn are_digits(bytes: &[u8], length: usize) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let digits = |word: u64| (word & HIGH) == ZEROS && (word.wrapping_add(0x0606_0606_0606_0606) & HIGH) == ZEROS;
    let word = |eight: &[u8; 8]| u64::from_le_bytes(*eight);
    match bytes.last_chunk::<8>() {
        // Zeros take the place of the bytes before.
        Some(last) if length < 8 => digits(word(last) >> (64 - 8 * length) | ZEROS << (8 * length)),
        Some(last) if length <= 16 => {
            // The first bytes overlap those behind them.
            let first = bytes.get(bytes.len() - length..).and_then(<[u8]>::first_chunk::<8>);
            digits(word(last)) && first.is_some_and(|first| digits(word(first)))
        }
        _ => false,
    }
}
