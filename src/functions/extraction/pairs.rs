//! Pairs of keys and values: `key=value`, `key="a value"`.
//!
//! Source: the documentation page "extract".
use super::Visitor;
use memchr::memchr2;
use std::borrow::Cow;
use std::collections::HashSet;

/// What parts pairs, and keys from values.
#[derive(Clone, Debug)]
pub struct Delimiters {
    /// Each of these characters ends a pair.
    pub pairs: Vec<char>,
    /// Each of these characters ends a key.
    pub keys: Vec<char>,
    /// Whether keys are made names: other characters than letters, digits and `_` become `_`.
    pub cleans_keys: bool,
    /// Whether a key that comes again gives one more value; the first one is its value otherwise.
    pub repeats: bool,
}

/// What parts the records that Linux's audit adds to an event.
const GROUP_SEPARATOR: char = '\u{1d}';

impl Default for Delimiters {
    fn default() -> Self {
        let pairs = vec![' ', '\t', '\r', '\n', ',', ';', '|', '&', GROUP_SEPARATOR];
        Delimiters { pairs, keys: vec!['='], cleans_keys: true, repeats: false }
    }
}

impl Delimiters {
    fn ends_pair(&self, c: char) -> bool {
        self.pairs.contains(&c)
    }

    fn ends_key(&self, c: char) -> bool {
        self.keys.contains(&c)
    }

    fn blanks_part_pairs(&self) -> bool {
        self.ends_pair(' ')
    }
}

/// The longest key that is taken for one.
const LONGEST_KEY: usize = 200;

/// Gives the pairs of a text.
pub fn walk<'a>(text: &'a str, by: &Delimiters, visitor: &mut impl Visitor<'a>) {
    let mut rest = text;
    let mut known = HashSet::new();
    while let Some((at, delimiter)) = rest.char_indices().find(|(_, c)| by.ends_key(*c)) {
        let before = rest.get(..at).unwrap_or_default();
        let (value, after) = value_of(rest.get(at + delimiter.len_utf8()..).unwrap_or_default(), by);
        if let Some(key) = key_of(before, by).filter(|_| !value.is_empty()) {
            if by.repeats {
                visitor.value(&key, value);
            } else if !known.contains(&key) {
                visitor.value(&key, value);
                known.insert(key);
            }
        }
        rest = after;
    }
}

/// The key that ends a text.
fn key_of<'a>(text: &'a str, by: &Delimiters) -> Option<Cow<'a, str>> {
    let text = if by.blanks_part_pairs() { text.trim_end() } else { text };
    let start = text.char_indices().rev().find(|(_, c)| by.ends_pair(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let is_around =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | '[' | '{' | '<' | ')' | ']' | '}' | '>' | ':');
    let key = text.get(start..)?.trim_matches(is_around);
    let key = if by.cleans_keys { key.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit()) } else { key };
    if key.is_empty() || key.len() > LONGEST_KEY {
        return None;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    Some(match by.cleans_keys && !key.chars().all(is_name) {
        true => Cow::Owned(key.chars().map(|c| if is_name(c) { c } else { '_' }).collect()),
        false => Cow::Borrowed(key),
    })
}

/// The value that begins a text, and what follows it.
fn value_of<'a>(text: &'a str, by: &Delimiters) -> (Cow<'a, str>, &'a str) {
    let text = if by.blanks_part_pairs() { text } else { text.trim_start_matches(' ') };
    if let Some(inside) = text.strip_prefix('"') {
        return quoted(inside);
    }
    if let Some(inside) = text.strip_prefix('\'') {
        return enclosed(inside, by);
    }
    let end = text.char_indices().find(|(at, c)| by.ends_pair(*c) || (*c == '\'' && key_follows(text, *at, by)));
    let (value, after) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    (Cow::Borrowed(value.trim_end_matches([')', ']', '}', '>'])), after)
}

/// Whether a quote at a place ends a value because another key begins right behind it.
fn key_follows(text: &str, at: usize, by: &Delimiters) -> bool {
    let behind = text.get(at + 1..).unwrap_or_default().trim_start_matches(GROUP_SEPARATOR);
    let key = behind.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    key.len() < behind.len() && key.starts_with(|c| by.ends_key(c))
}

/// What single quotes enclose: a value, or pairs (`msg='op=login id=0'`), which come next then.
fn enclosed<'a>(inside: &'a str, by: &Delimiters) -> (Cow<'a, str>, &'a str) {
    let first = inside.split(|c| by.ends_pair(c)).next().unwrap_or_default();
    if first.contains(|c| by.ends_key(c)) {
        return (Cow::Borrowed(""), inside);
    }
    let (value, after) = inside.split_once('\'').unwrap_or((first, inside.get(first.len()..).unwrap_or_default()));
    (Cow::Borrowed(value), after)
}

/// The text up to the closing quote; a quote behind a backslash closes nothing.
fn quoted(inside: &str) -> (Cow<'_, str>, &str) {
    let bytes = inside.as_bytes();
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)).map(|found| at + found) {
        if bytes.get(found) == Some(&b'"') {
            let value = inside.get(..found).unwrap_or_default();
            let value = if escaped { Cow::Owned(value.replace("\\\"", "\"")) } else { Cow::Borrowed(value) };
            return (value, inside.get(found + 1..).unwrap_or_default());
        }
        let escapes = bytes.get(found + 1) == Some(&b'"');
        escaped |= escapes;
        at = found + if escapes { 2 } else { 1 };
    }
    (Cow::Borrowed(inside), "")
}
