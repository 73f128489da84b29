//! A pasted page as lines, and which of them belong to rules.
use super::schema::{ESCU, SENTINEL, Schema};

/// One line of a page.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// From 1.
    pub number: usize,
    pub indent: usize,
    /// Without its indentation and trailing space.
    pub text: &'a str,
    /// As it stands on the page.
    pub whole: &'a str,
}

impl<'a> Line<'a> {
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// `key` and `value` of a line `key: value`.
    pub fn key(&self) -> Option<(&'a str, &'a str)> {
        key_of(self.text)
    }

    /// What follows the dash of a list's item.
    pub fn item(&self) -> Option<&'a str> {
        let rest = self.text.strip_prefix(['-', '•', '–'])?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
    }
}

/// Splits `key: value` where the key is a plain word.
pub fn key_of(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.is_empty();
    (word && (value.is_empty() || value.starts_with([' ', '\t']))).then(|| (key, value.trim()))
}

pub fn lines(page: &str) -> Vec<Line<'_>> {
    page.lines().enumerate().map(|(at, whole)| line_of(at + 1, whole)).collect()
}

fn line_of(number: usize, whole: &str) -> Line<'_> {
    let from_text = whole.trim_start();
    let indent = whole.chars().count() - from_text.chars().count();
    Line { number, indent, text: from_text.trim_end(), whole }
}

/// The lines of one rule, from its first key to the next rule or the page's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    pub start: usize,
    pub end: usize,
}

/// The format that most of the page's keys speak for.
pub fn schema_of(lines: &[Line<'_>]) -> &'static Schema {
    let spoken = |schema: &Schema| {
        let mut keys: Vec<&str> = anchors(lines, schema).map(|(_, key)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    };
    if spoken(&ESCU) > spoken(&SENTINEL) { &ESCU } else { &SENTINEL }
}

fn anchors<'a>(lines: &'a [Line<'a>], schema: &'a Schema) -> impl Iterator<Item = (usize, &'a str)> {
    let anchor = |(at, line): (usize, &Line<'a>)| {
        let (key, value) = line.key()?;
        schema.anchors(key, value).then_some((at, key))
    };
    lines.iter().enumerate().filter_map(anchor)
}

/// Every rule of the page: runs of top-level keys, a new one where the id or the name comes again.
pub fn regions(lines: &[Line<'_>], schema: &Schema) -> Vec<Region> {
    let mut groups: Vec<Vec<(usize, &str)>> = vec![];
    let mut all = anchors(lines, schema).peekable();
    while let Some((at, key)) = all.next() {
        let next = all.peek().map_or("", |(_, key)| *key);
        match groups.last_mut() {
            Some(group) if !begins_anew(group, key, next) => group.push((at, key)),
            _ => groups.push(vec![(at, key)]),
        }
    }
    let rules: Vec<_> = groups.into_iter().filter(|group| is_rule(group, schema)).collect();
    let starts: Vec<usize> = rules.iter().filter_map(|group| group.first()).map(|(at, _)| *at).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    starts.iter().zip(ends).map(|(start, end)| Region { start: *start, end }).collect()
}

fn begins_anew(group: &[(usize, &str)], key: &str, next: &str) -> bool {
    let seen = |key: &str| group.iter().any(|(_, k)| *k == key);
    match key {
        "id" => seen("id"),
        "name" => seen("name") && seen(next) && group.len() > 3,
        _ => false,
    }
}

fn is_rule(group: &[(usize, &str)], schema: &Schema) -> bool {
    let has = |key: &str| group.iter().any(|(_, k)| *k == key);
    let mut keys: Vec<&str> = group.iter().map(|(_, key)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len() >= 4 && (has("id") || has("name")) && (has(schema.query) || has("severity"))
}
