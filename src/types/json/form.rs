//! Whether a text is JSON, and in what form: one pass over its bytes.
use super::{MAX_DEPTH, after_blanks};

/// What valid JSON has besides the values themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// A blank outside of strings.
    pub blanks: bool,
    /// An escape that [`super::quote`] would not write, such as `\/` or `\u0041`.
    pub escapes: bool,
}

/// The form of JSON that has no blanks around it; none for other text, and for what nests deeper than [`MAX_DEPTH`].
pub(super) fn form(bytes: &[u8]) -> Option<Form> {
    let mut walk = Walk::new(bytes);
    loop {
        walk.value()?;
        if walk.close()? {
            return Some(walk.form);
        }
    }
}

/// What stands behind a value.
pub(super) enum After {
    /// The end of the text.
    End,
    /// The bracket that closes the array or bag around it.
    Closed,
    /// A comma within an array or a bag: another value or property follows.
    Comma { bag: bool },
}

pub(super) struct Walk<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) form: Form,
    /// The arrays (0) and bags (1) around the place, the innermost in the lowest bit.
    bags: u128,
    pub(super) depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk { bytes, at: 0, form: Form::default(), bags: 0, depth: 0 }
    }

    #[inline(always)]
    pub(super) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    pub(super) fn skip(&mut self) {
        let after = after_blanks(self.bytes, self.at);
        self.form.blanks |= after > self.at;
        self.at = after;
    }

    /// Passes a scalar, an empty array or bag, or the opening of others down to their first scalar.
    fn value(&mut self) -> Option<()> {
        loop {
            self.skip();
            let first = self.byte()?;
            self.at += 1;
            if !matches!(first, b'{' | b'[') {
                return self.scalar(first);
            }
            let bag = first == b'{';
            if self.open(bag)? {
                return Some(());
            }
            if bag {
                self.key()?;
            }
        }
    }

    /// Passes the rest of a scalar whose first byte has passed.
    #[inline(always)]
    pub(super) fn scalar(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(first),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            _ => None,
        }
    }

    /// Whether the array or bag whose bracket has passed is closed again at once; else a key or a value follows.
    #[inline(always)]
    pub(super) fn open(&mut self, bag: bool) -> Option<bool> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.bags = self.bags << 1 | u128::from(bag);
        self.skip();
        // The closing bracket is passed by `close`.
        Some(self.byte()? == if bag { b'}' } else { b']' })
    }

    /// After a value: passes closing brackets and a comma. True at the end of the text.
    fn close(&mut self) -> Option<bool> {
        loop {
            match self.after_value()? {
                After::End => return Some(true),
                After::Closed => {}
                After::Comma { bag } => {
                    if bag {
                        self.skip();
                        self.key()?;
                    }
                    return Some(false);
                }
            }
        }
    }

    /// Passes what stands behind a value.
    #[inline(always)]
    pub(super) fn after_value(&mut self) -> Option<After> {
        if self.depth == 0 {
            return (self.at == self.bytes.len()).then_some(After::End);
        }
        self.skip();
        let bag = self.bags & 1 == 1;
        let byte = self.byte()?;
        self.at += 1;
        match byte {
            b',' => return Some(After::Comma { bag }),
            b'}' if bag => {}
            b']' if !bag => {}
            _ => return None,
        }
        self.bags >>= 1;
        self.depth -= 1;
        Some(After::Closed)
    }

    /// A property's name and the colon: where the name begins and ends between its quotes.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Option<(usize, usize)> {
        if self.byte()? != b'"' {
            return None;
        }
        self.at += 1;
        let start = self.at;
        self.string()?;
        let end = self.at - 1;
        self.skip();
        let colon = self.byte()? == b':';
        self.at += 1;
        colon.then_some((start, end))
    }

    /// The rest of a string whose quote has passed.
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        loop {
            self.at += plain(self.bytes.get(self.at..)?);
            let byte = self.byte()?;
            self.at += 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let letter = self.byte()?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'n' | b'r' | b't' => return Some(()),
            b'/' | b'b' | b'f' => {}
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            }
            _ => return None,
        }
        self.form.escapes = true;
        Some(())
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let found = self.bytes.get(self.at..self.at + rest.len())? == rest;
        self.at += rest.len();
        found.then_some(())
    }

    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += digits;
        digits
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let mut first = first;
        if first == b'-' {
            first = self.byte().filter(u8::is_ascii_digit)?;
            self.at += 1;
        }
        if self.digits() > 0 && first == b'0' {
            return None;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        Some(())
    }
}

/// Whether bytes, of which the first is a digit or a minus, are a number of JSON to the last.
pub(super) fn number_ends(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    let mut walk = Walk { at: 1, ..Walk::new(bytes) };
    walk.number(*first).is_some() && walk.at == bytes.len()
}

/// How many bytes stand before a quote, a backslash or a control character.
#[inline(always)]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let special = control | zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64));
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    #[test]
    fn forms_are_told() {
        assert_eq!(form(br#"{"a":[1,-2.5e+3,true,null,"x\n"],"b":{}}"#), Some(Form::default()));
        assert_eq!(form(br#"[ 1]"#), Some(Form { blanks: true, escapes: false }));
        assert_eq!(form(br#""\u0041""#), Some(Form { blanks: false, escapes: true }));
        for text in ["01", "-", "1.", "{\"a\"}", "[1,]", "{,}", "\"\\x\"", "nul", "[1}", "1 2", "\"a", "\"\u{1}\""] {
            assert_eq!(form(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn valid_is_what_serde_takes(text in r#"[\[\]{}:,"\\ 0-9a-f.eE+\-tru/n]{0,24}"#) {
            prop_assert_eq!(form(text.trim_ascii().as_bytes()).is_some(), known(text.trim_ascii()), "{}", text);
        }

        #[test]
        fn likely_json_is_what_serde_takes(
            text in r#"\{"[a\\"u0]{0,6}" ?: ?(-?[0-9]{1,2}(\.[0-9]?)?|"[a-z\\n"]{0,12}"|\[[0-9], ?[0-9]?\]|true|nul?l)\}"#
        ) {
            prop_assert_eq!(form(text.as_bytes()).is_some(), known(&text), "{}", text);
        }
    }
}
