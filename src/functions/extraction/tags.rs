//! XML as a row of tags and texts, read without building a tree: what logs hold is often cut off or no XML at all.
use super::Visitor;
use memchr::{memchr, memmem};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `<name attributes>`; closed where it ends in `/>`.
    Open {
        name: &'a str,
        attributes: &'a str,
        closed: bool,
    },
    Close {
        name: &'a str,
    },
    /// Text as it is written, with its entities.
    Text(&'a str),
    /// What a CDATA section holds.
    Plain(&'a str),
}

/// The tags and texts of XML in their order; comments, instructions and declarations are left out.
pub struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Tokens<'a> {
        Tokens { rest: text }
    }

    /// What stands before `end`, and is passed with it; all the rest where it does not come.
    fn until(&mut self, end: &str) -> &'a str {
        let (found, rest) = match memmem::find(self.rest.as_bytes(), end.as_bytes()) {
            Some(at) => (self.rest.get(..at), self.rest.get(at + end.len()..)),
            None => (Some(self.rest), None),
        };
        self.rest = rest.unwrap_or_default();
        found.unwrap_or_default()
    }

    /// The inside of a tag, behind its `<`.
    fn tag(&mut self) -> Token<'a> {
        let inside = match tag_end(self.rest.as_bytes()) {
            Some(end) => {
                let inside = self.rest.get(..end).unwrap_or_default();
                self.rest = self.rest.get(end + 1..).unwrap_or_default();
                inside
            }
            None => std::mem::take(&mut self.rest),
        };
        if let Some(name) = inside.strip_prefix('/') {
            return Token::Close { name: name.trim_ascii() };
        }
        let (inside, closed) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, attributes) = inside.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inside, ""));
        Token::Open { name, attributes, closed }
    }
}

/// Where a tag ends: a `>` inside of quotes does not.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    bytes.iter().position(|byte| {
        match (quote, byte) {
            (None, b'>') => return true,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        false
    })
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(behind) = self.rest.strip_prefix('<') else {
                let end = memchr(b'<', self.rest.as_bytes()).unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Token::Text(text));
            };
            self.rest = behind;
            if let Some(inside) = behind.strip_prefix("!--") {
                self.rest = inside;
                self.until("-->");
            } else if let Some(inside) = behind.strip_prefix("![CDATA[") {
                self.rest = inside;
                return Some(Token::Plain(self.until("]]>")));
            } else if behind.starts_with(['?', '!']) {
                self.until(">");
            } else {
                return Some(self.tag());
            }
        }
    }
}

/// The attributes of a tag in their order, their values as written.
pub fn attributes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_ascii_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = behind.get(1..)?.split_once(quote)?;
        rest = after;
        Some((name.trim_ascii(), value))
    })
}

/// The text with its entities decoded; unknown ones stay.
pub fn decoded(text: &str) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        match behind.split_once(';').and_then(|(name, after)| Some((entity(name)?, after))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// A name without the prefix of its namespace.
pub fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// What nests deeper is passed over.
const DEEPEST: usize = 100;

/// Gives every element's text and every attribute with its path: `a.b` and `a.b{@x}`.
///
/// Source: the documentation page "spath".
pub fn elements<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    let mut path = String::new();
    let mut lengths: Vec<usize> = Vec::new();
    for token in Tokens::of(text) {
        match token {
            Token::Open { name, attributes: written, closed } => {
                let length = path.len();
                if lengths.len() < DEEPEST {
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                for (attribute, value) in attributes(written) {
                    visitor.value(&format!("{path}{{@{attribute}}}"), decoded(value));
                }
                match closed {
                    true => path.truncate(length),
                    false => lengths.push(length),
                }
            }
            Token::Close { .. } => path.truncate(lengths.pop().unwrap_or_default()),
            Token::Text(text) if !text.trim_ascii().is_empty() => visitor.value(&path, decoded(text.trim_ascii())),
            Token::Plain(text) if !text.trim_ascii().is_empty() => visitor.value(&path, Cow::Borrowed(text)),
            Token::Text(_) | Token::Plain(_) => {}
        }
    }
}

/// The texts at a path: `a.b`, `a{2}.b` for the second `a`, `a.b{@x}` for an attribute.
pub fn find<'a>(text: &'a str, path: &str) -> Vec<Cow<'a, str>> {
    // Without its numbers a path is a field's name; the numbers choose among the values.
    let number = |part: &str| part.trim_end_matches('}').rsplit_once('{').and_then(|(_, at)| at.parse::<usize>().ok());
    let chosen = path.split('.').filter_map(number).next_back();
    let bare: Vec<&str> = path
        .split('.')
        .map(|part| if number(part).is_some() { part.split('{').next().unwrap_or(part) } else { part })
        .collect();
    let name = crate::types::Name::from(bare.join("."));
    let mut found = Found { name: &name, values: Vec::new() };
    elements(text, &mut found);
    match chosen {
        Some(at) => found.values.into_iter().skip(at.saturating_sub(1)).take(1).collect(),
        None => found.values,
    }
}

struct Found<'a, 'n> {
    name: &'n str,
    values: Vec<Cow<'a, str>>,
}

impl<'a> Visitor<'a> for Found<'a, '_> {
    fn enters(&mut self, _: &str) -> bool {
        true
    }

    fn value(&mut self, name: &str, value: Cow<'a, str>) {
        if name == self.name {
            self.values.push(value);
        }
    }
}

/// Gives the text of every element that holds nothing else, by the element's name: `<a>1</a>` is a=1.
///
/// Source: the documentation page "xmlkv".
pub fn pairs<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    let mut open = None;
    let mut held = None;
    for token in Tokens::of(text) {
        match token {
            Token::Open { name, closed: false, .. } => (open, held) = (Some(name), None),
            Token::Text(text) => held = Some(decoded(text)),
            Token::Plain(text) => held = Some(Cow::Borrowed(text)),
            Token::Close { name } => {
                if let (Some(opened), Some(text)) = (open.take(), held.take())
                    && opened == name
                    && !text.is_empty()
                {
                    visitor.value(local(name), text);
                }
            }
            Token::Open { .. } => (open, held) = (None, None),
        }
    }
}
