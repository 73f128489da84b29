//! JSON as fields: `a.b` is a property of a property, `l{}` an element of an array, `l{}.x` a property of one.
//!
//! A null is the text `null`, and an empty string an empty text, as Splunk has them; empty arrays and objects give
//! nothing.
//!
//! Source: the documentation page "spath".
use super::Visitor;
use crate::types::Json;
use crate::types::json::{JsonKind, unescape};
use memchr::memchr2;
use std::borrow::Cow;

/// What nests deeper is passed over.
const DEEPEST: usize = 100;

/// Gives every value of a JSON text with its path. What follows a place where the text is no JSON is not given.
pub fn walk<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    walk_under(text, "", visitor);
}

/// The same for the value of a field: its name begins every path.
pub fn walk_under<'a>(text: &'a str, name: &str, visitor: &mut impl Visitor<'a>) {
    let mut walk = Walk { text, path: name.to_owned(), depth: 0, visitor };
    let start = walk.after_blanks(0);
    // A text that breaks off has given what stood before.
    let _ = walk.value(start);
}

/// The values at a path: scalars as their text, arrays and objects as JSON.
///
/// `a{}` takes all elements of an array, `a{1}` the second.
pub fn find<'a>(text: &'a str, path: &str) -> Vec<Cow<'a, str>> {
    let text = text.trim_ascii();
    if !text.starts_with(['{', '[']) {
        return Vec::new();
    }
    let mut found = vec![Json::new(text)];
    for step in steps(path) {
        found = match step {
            Step::Key(key) => found.iter().filter_map(|value| value.get(key)).collect(),
            Step::All => found.iter().flat_map(Json::elements).collect(),
            Step::At(index) => found.iter().filter_map(|value| value.index(index)).collect(),
        };
    }
    found.into_iter().map(plain).collect()
}

fn plain(value: Json<'_>) -> Cow<'_, str> {
    match value.kind() {
        JsonKind::String => value.as_str().unwrap_or_default(),
        _ => Cow::Borrowed(value.text()),
    }
}

enum Step<'p> {
    Key(&'p str),
    All,
    At(i64),
}

/// The steps of a path: `a.b{}.c{2}`.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut found = Vec::new();
    for part in path.split('.') {
        let (key, mut rest) = part.split_at(part.find('{').unwrap_or(part.len()));
        if !key.is_empty() {
            found.push(Step::Key(key));
        }
        while let Some((index, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            found.push(index.trim().parse().map_or(Step::All, Step::At));
            rest = after;
        }
    }
    found
}

struct Walk<'a, 'v, V> {
    text: &'a str,
    path: String,
    depth: usize,
    visitor: &'v mut V,
}

impl<'a, V: Visitor<'a>> Walk<'a, '_, V> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Gives the value that begins at a place; the place behind it, none where it is broken.
    fn value(&mut self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'{' => self.container(at, Self::object),
            b'[' => self.container(at, Self::array),
            b'"' => {
                let (text, end) = self.string(at)?;
                self.visitor.value(&self.path, text);
                Some(end)
            }
            _ => {
                let end = self.scalar_end(at)?;
                self.visitor.value(&self.path, Cow::Borrowed(self.text.get(at..end)?));
                Some(end)
            }
        }
    }

    fn container(&mut self, at: usize, walk: fn(&mut Self, usize) -> Option<usize>) -> Option<usize> {
        let wanted = self.depth < DEEPEST && (self.path.is_empty() || self.visitor.enters(&self.path));
        if !wanted {
            return container_end(self.text.as_bytes(), at);
        }
        self.depth += 1;
        let end = walk(self, at + 1);
        self.depth -= 1;
        end
    }

    fn object(&mut self, mut at: usize) -> Option<usize> {
        let length = self.path.len();
        loop {
            at = self.after_separators(at);
            if self.byte(at)? == b'}' {
                return Some(at + 1);
            }
            let (key, end) = if self.byte(at)? == b'"' { self.string(at)? } else { return None };
            let colon = self.after_blanks(end);
            if self.byte(colon)? != b':' {
                return None;
            }
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            let start = self.after_blanks(colon + 1);
            let end = self.value(start);
            self.path.truncate(length);
            at = end?;
        }
    }

    fn array(&mut self, mut at: usize) -> Option<usize> {
        let length = self.path.len();
        self.path.push_str("{}");
        let end = loop {
            at = self.after_separators(at);
            match self.byte(at) {
                Some(b']') => break Some(at + 1),
                Some(_) => match self.value(at) {
                    Some(end) => at = end,
                    None => break None,
                },
                None => break None,
            }
        };
        self.path.truncate(length);
        end
    }

    /// The string whose quote opens at a place, and the place behind it.
    fn string(&self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        let end = string_end(self.text.as_bytes(), at)?;
        let inside = self.text.get(at + 1..end - 1)?;
        Some((unescape(inside), end))
    }

    fn scalar_end(&self, at: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(at..)?;
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let first = *rest.first()?;
        let known = matches!(first, b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I');
        (length > 0 && known).then_some(at + length)
    }

    fn after_blanks(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at += 1;
        }
        at
    }

    fn after_separators(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(|byte| byte == b',' || byte.is_ascii_whitespace()) {
            at += 1;
        }
        at
    }
}

/// The place behind the closing quote of the string that opens at a place.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        let rest = bytes.get(at..)?;
        let found = at + memchr2(b'"', b'\\', rest)?;
        match bytes.get(found)? {
            b'"' => return Some(found + 1),
            _ => at = found + 2,
        }
    }
}

/// The place behind the bracket that closes the container that opens at a place.
fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, at);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}
