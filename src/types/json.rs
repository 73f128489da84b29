//! Dynamic values as JSON text, read where they stand: no tree is built to follow a path.
//!
//! The text is JSON in which numbers keep their spelling and properties their order, and in which the values that
//! JSON lacks are Kusto's literals: `datetime(…)`, `timespan(…)`, `guid(…)`, `decimal(…)`, `inf`, `-inf`, `nan`.
//! Reading forgives: text that is no such JSON gives no value or some value, but never a panic.
//!
//! Source: the documentation page "The dynamic data type".
mod canonical;
mod form;
mod literal;
mod marks;
mod quick;
mod scalar;
mod seek;
mod text;
mod writer;

pub use canonical::canonical;
pub use literal::literal;
pub use scalar::{long, scalar};
pub use seek::parsed_path;
pub use text::{parse_json, quote, standard, to_string, unescape};
pub use writer::Writer;

use super::number;
use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// How deep arrays and bags may nest. What [`parse_json`] finds deeper is text, and not a dynamic.
pub const MAX_DEPTH: usize = 100;

/// What a dynamic value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    Null,
    Bool,
    Long,
    Real,
    String,
    Array,
    Object,
    DateTime,
    TimeSpan,
    Guid,
    Decimal,
}

/// The text of one dynamic value, without blanks around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

/// One step of a path into a dynamic value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    Key(Box<str>),
    /// A negative index counts from the end.
    Index(i64),
}

/// The value at the end of a path; `None` where there is none, or where it is null.
pub fn path<'a>(json: &'a str, steps: &[PathStep]) -> Option<Json<'a>> {
    let step_into = |value: Json<'a>, step: &PathStep| match step {
        PathStep::Key(key) => value.get(key),
        PathStep::Index(index) => value.index(*index),
    };
    let found = steps.iter().try_fold(Json::new(json), step_into)?;
    (found.kind() != JsonKind::Null).then_some(found)
}

impl<'a> Json<'a> {
    #[inline]
    pub fn new(text: &'a str) -> Self {
        Json(text.trim_ascii())
    }

    /// The value as it is written.
    #[inline]
    pub fn text(&self) -> &'a str {
        self.0
    }

    pub fn kind(&self) -> JsonKind {
        match self.0.as_bytes() {
            [b'"', ..] => JsonKind::String,
            [b'{', ..] => JsonKind::Object,
            [b'[', ..] => JsonKind::Array,
            [b't', b'i', ..] => JsonKind::TimeSpan,
            [b't' | b'f', ..] => JsonKind::Bool,
            [b'd', b'a', ..] => JsonKind::DateTime,
            [b'd', ..] => JsonKind::Decimal,
            [b'g', ..] => JsonKind::Guid,
            [b'-' | b'0'..=b'9', ..] => self.number_kind(),
            [b'i', ..] | [b'n', b'a', ..] => JsonKind::Real,
            _ => JsonKind::Null,
        }
    }

    fn number_kind(&self) -> JsonKind {
        let digits = self.0.strip_prefix('-').unwrap_or(self.0);
        let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole && (digits.len() < 19 || self.0.parse::<i64>().is_ok()) { JsonKind::Long } else { JsonKind::Real }
    }

    /// The value of a bag's first property of that very name.
    pub fn get(&self, key: &str) -> Option<Json<'a>> {
        self.raw_entries().find(|(raw, _)| is_key(raw, key)).map(|(_, value)| value)
    }

    /// An array's element; a negative index counts from the end.
    pub fn index(&self, index: i64) -> Option<Json<'a>> {
        let place = if index < 0 { index.checked_add(i64::try_from(self.elements().count()).ok()?)? } else { index };
        self.elements().nth(usize::try_from(place).ok()?)
    }

    /// An array's elements; none for anything else.
    pub fn elements(&self) -> Elements<'a> {
        Elements { text: self.0, at: if self.0.starts_with('[') { 1 } else { self.0.len() } }
    }

    /// A bag's properties in their order, the names decoded; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> + use<'a> {
        self.raw_entries().map(|(key, value)| (text::unescape(key), value))
    }

    /// Hands over the names of a bag's properties in their order, decoded; none of anything else.
    pub fn keys(&self, mut take: impl FnMut(&str)) {
        let is_bag = self.0.starts_with('{');
        if !is_bag || !quick::keys(self.0, |key| take(&text::unescape(key))) {
            self.entries().for_each(|(key, _)| take(&key));
        }
    }

    /// The properties with their names as written between the quotes.
    fn raw_entries(&self) -> Entries<'a> {
        Entries { text: self.0, at: if self.0.starts_with('{') { 1 } else { self.0.len() } }
    }

    /// The number of an array's elements or a bag's properties; 0 for anything else.
    pub fn len(&self) -> usize {
        if self.0.starts_with('{') { self.raw_entries().count() } else { self.elements().count() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A string's text without quotes and escapes; `None` for anything else.
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        let inside = self.0.strip_prefix('"')?;
        Some(text::unescape(inside.strip_suffix('"').unwrap_or(inside)))
    }

    /// A number's whole part; `None` when it does not fit, and for anything but a number.
    pub fn as_i64(&self) -> Option<i64> {
        match self.kind() {
            JsonKind::Long => self.0.parse().ok(),
            JsonKind::Real => number::real_to_long(self.as_f64()?),
            _ => None,
        }
    }

    /// A number, also `inf` and `nan`; `None` for anything else.
    pub fn as_f64(&self) -> Option<f64> {
        match self.kind() {
            JsonKind::Long | JsonKind::Real => self.0.parse().ok(),
            JsonKind::Decimal => self.inside()?.parse().ok(),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// What stands between the parentheses of a Kusto literal.
    fn inside(&self) -> Option<&'a str> {
        self.0.strip_suffix(')')?.split_once('(').map(|(_, inside)| inside)
    }
}

/// Whether a property's name, as written between its quotes, is `key`.
#[inline]
fn is_key(raw: &str, key: &str) -> bool {
    // An escape is longer than what it stands for: of equal length are only a name without one, and no match.
    if raw.len() == key.len() {
        raw == key && memchr(b'\\', raw.as_bytes()).is_none()
    } else {
        raw.len() > key.len() && memchr(b'\\', raw.as_bytes()).is_some() && text::unescape(raw) == key
    }
}

/// The elements of an array.
pub struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let bytes = self.text.as_bytes();
        let start = after_separators(bytes, self.at);
        let end = value_end(bytes, start);
        self.at = end;
        // An empty value is the closing bracket, or text that is no JSON.
        (end > start).then(|| self.text.get(start..end).map(Json)).flatten()
    }
}

/// The properties of a bag, names as written.
struct Entries<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, Json<'a>);

    fn next(&mut self) -> Option<(&'a str, Json<'a>)> {
        let bytes = self.text.as_bytes();
        let key = after_separators(bytes, self.at);
        if bytes.get(key) != Some(&b'"') {
            self.at = bytes.len();
            return None;
        }
        let key_end = string_end(bytes, key);
        let colon = after_blanks(bytes, key_end);
        let start = after_blanks(bytes, colon + usize::from(bytes.get(colon) == Some(&b':')));
        let end = value_end(bytes, start);
        self.at = end;
        Some((self.text.get(key + 1..key_end.checked_sub(1)?)?, Json(self.text.get(start..end)?)))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[inline]
fn after_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

#[inline]
fn after_separators(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| *byte == b',' || is_blank(*byte)) {
        at += 1;
    }
    at
}

/// Where the value that starts at a place ends; the place itself when none starts there.
#[inline]
fn value_end(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start),
        Some(b'{' | b'[') => container_end(bytes, start),
        _ => scalar_end(bytes, start),
    }
}

/// Where a string's closing quote has passed, for the place of its opening quote.
#[inline]
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(rest) = bytes.get(at..) {
        at += unquoted(rest);
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => break,
        }
    }
    bytes.len()
}

/// How many bytes stand before a quote or a backslash. Most strings are short: a call of a search with vector
/// instructions only pays behind their first bytes.
#[inline]
fn unquoted(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const NEAR: usize = 48;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).filter(|_| at < NEAR).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let special = zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64));
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
}

fn container_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn scalar_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || is_blank(*byte);
    start + rest.iter().position(ends).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
