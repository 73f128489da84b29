//! Texts against patterns: `like`, regular expressions, ranges of addresses.
use super::pcre::Pattern;
use super::{each, each_flag, map_texts, operators::pair, text_at};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::search::{Needle, Place};
use crate::functions::terms::passing;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind, Text};
use arrow_array::{Array, BooleanArray};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// Patterns of a column, each compiled once a run; the last one is at hand.
pub(super) struct Patterns<'a, T> {
    context: &'a Context,
    what: &'static str,
    last: Option<(String, Arc<T>)>,
}

impl<'a, T: std::any::Any + Send + Sync> Patterns<'a, T> {
    pub fn new(context: &'a Context, what: &'static str) -> Self {
        Patterns { context, what, last: None }
    }

    /// What `build` makes of a text.
    pub fn get(&mut self, text: &str, build: impl FnOnce(&str) -> Result<T>) -> Result<Arc<T>> {
        if let Some((known, made)) = &self.last
            && known == text
        {
            return Ok(made.clone());
        }
        let made = self.context.prepared(self.what, text, || build(text))?;
        self.last = Some((text.to_owned(), made.clone()));
        Ok(made)
    }
}

/// The compiled patterns of an argument.
pub(super) fn patterns(context: &Context) -> Patterns<'_, Pattern> {
    Patterns::new(context, "pcre")
}

pub(super) fn compiled(context: &Context) -> impl Fn(&str) -> Result<Pattern> {
    let most = context.limits.backtracks;
    move |text| Pattern::new(text, most)
}

/// A pattern of `like`, prepared.
enum Like {
    /// A text at a place, with `%` before or behind it or both.
    Text(Needle),
    Pattern(regex::Regex),
}

impl Like {
    fn new(pattern: &str) -> Result<Like> {
        let inner = pattern.trim_matches('%');
        let place = match (pattern.starts_with('%'), pattern.ends_with('%')) {
            (true, true) => Place::Anywhere,
            (true, false) => Place::End,
            (false, true) => Place::Start,
            (false, false) => Place::Whole,
        };
        Ok(match inner.contains(['%', '_', '\\']) {
            true => Like::Pattern(like_pattern(pattern)?),
            false => Like::Text(Needle::new(inner, place, true)),
        })
    }

    fn is_match(&self, text: &str) -> bool {
        match self {
            Like::Text(needle) => needle.is_in(text),
            Like::Pattern(regex) => regex.is_match(text),
        }
    }
}

/// A pattern of `like`: `%` is any text, `_` any character, a backslash takes the next one as it is.
fn like_pattern(pattern: &str) -> Result<regex::Regex> {
    let mut source = String::from("(?s)\\A");
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '%' => source.push_str(".*"),
            '_' => source.push('.'),
            '\\' if matches!(rest.as_str().chars().next(), Some('%' | '_' | '\\')) => {
                source.push_str(&regex::escape(&rest.next().map(String::from).unwrap_or_default()));
            }
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    source.push_str("\\z");
    let built = regex::RegexBuilder::new(&source).size_limit(64 << 20).build();
    built.map_err(|_| Fault::query("HP131", "a pattern of `like` is too long"))
}

fn like(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, pattern) = pair(args)?;
    let mut compiled = Patterns::new(context, "like");
    if let (Column::Text(_, Text::Views(views)), Column::Const(..)) = (text, pattern)
        && let Some(pattern) = field::text(pattern, 0).filter(|_| rows > 0)
    {
        let matcher = compiled.get(&pattern, Like::new)?;
        let bits = passing(views, None, |text| matcher.is_match(text));
        return Ok(Column::Bool(BooleanArray::new(bits, views.nulls().cloned())));
    }
    each_flag(args, rows, |row| {
        let Some(pattern) = field::text(pattern, row) else { return Ok(None) };
        let matcher = compiled.get(&pattern, Like::new)?;
        Ok((!text.is_null(row)).then(|| field::values(text, row).any(|text| matcher.is_match(&text))))
    })
}

fn matches(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, pattern) = pair(args)?;
    let mut compiled_patterns = patterns(context);
    each_flag(args, rows, |row| {
        let Some(source) = field::text(pattern, row) else { return Ok(None) };
        let matcher = compiled_patterns.get(&source, compiled(context))?;
        if text.is_null(row) {
            return Ok(None);
        }
        for text in field::values(text, row) {
            if matcher.is_match(&text)? {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    })
}

fn replace(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [text, ..] = args else { return Ok(Column::nulls(Kind::Field, rows)) };
    let mut compiled_patterns = patterns(context);
    map_texts(text, args, rows, |row, text, out| {
        let (Some(source), Some(with)) = (text_at(args, 1, row), text_at(args, 2, row)) else { return Ok(false) };
        let matcher = compiled_patterns.get(&source, compiled(context))?;
        out.push_str(&matcher.replace(text, &with)?);
        Ok(true)
    })
}

/// The network that a text states: `10.0.0.0/8`, one address, an address with a wildcard for its last parts.
pub fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(network.trunc());
    }
    if let Some((start, "")) = text.split_once('*') {
        let parts: Vec<u8> =
            start.trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let mut octets = [0u8; 4];
        octets.iter_mut().zip(&parts).for_each(|(octet, part)| *octet = *part);
        let bits = u8::try_from(parts.len() * 8).ok().filter(|bits| *bits <= 32)?;
        return IpNet::new(IpAddr::from(octets), bits).ok();
    }
    text.parse::<IpAddr>().ok().map(IpNet::from)
}

fn cidrmatch(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (network_text, address) = pair(args)?;
    let mut networks: Patterns<'_, Option<IpNet>> = Patterns::new(context, "network");
    each_flag(args, rows, |row| {
        let Some(text) = field::text(network_text, row) else { return Ok(None) };
        let network = networks.get(&text, |text| Ok(network(text)))?;
        if address.is_null(row) {
            return Ok(None);
        }
        let inside = |address: Cow<str>| {
            let found: Option<IpAddr> = address.trim().parse().ok();
            network.zip(found).is_some_and(|(network, address)| network.contains(&address))
        };
        Ok(Some(field::values(address, row).any(inside)))
    })
}

fn mvfind(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (list, pattern) = pair(args)?;
    let mut compiled_patterns = patterns(context);
    each(args, rows, |row, out| {
        let Some(source) = field::text(pattern, row) else {
            out.push_null();
            return Ok(());
        };
        let matcher = compiled_patterns.get(&source, compiled(context))?;
        for (at, text) in field::values(list, row).enumerate() {
            if matcher.is_match(&text)? {
                out.push_number(Number::Long(at as i64));
                return Ok(());
            }
        }
        out.push_null();
        Ok(())
    })
}

crate::kernels! {
    /// Whether a text matches a pattern as a whole: `%` stands for any characters, `_` for one. Letters are told
    /// apart by case. The operator `LIKE` as well.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(like("198.51.100.7", "198.%"), "yes", "no") // yes
    /// if(like("abc", "a_"), "yes", "no") // no
    /// if("a%c" LIKE "a\%c", "yes", "no") // yes
    /// ```
    spl fn like (text: Any, pattern: Any) -> Kind(Kind::Bool) = like;

    /// Whether a regular expression matches anywhere in a text; of a field that has several values one is enough.
    ///
    /// The expression is PCRE's: look-around and backreferences too, within the limit `backtracks`.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(match("10.1.2.3", "^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$"), "yes", "no") // yes
    /// if(match("password", "(?<=pass)(?!port)"), "yes", "no") // yes
    /// ```
    spl fn match (text: Any, pattern: Any) -> Kind(Kind::Bool) = matches;

    /// The text with every match of a regular expression replaced; `\1` is what the first group matched.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// replace("1/14/2023", "^(\d{1,2})/(\d{1,2})/", "\2/\1/") // 14/1/2023
    /// replace("a b c", "\s", "") // abc
    /// ```
    spl fn replace (text: Any, pattern: Any, replacement: Any) -> Kind(Kind::Field) = replace;

    /// Whether an address lies in a network.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(cidrmatch("10.0.0.0/25", "10.0.0.99"), "yes", "no") // yes
    /// if(cidrmatch("10.0.0.0/25", "10.0.0.200"), "yes", "no") // no
    /// if(cidrmatch("2001:db8::/32", "2001:db8::1"), "yes", "no") // yes
    /// ```
    spl fn cidrmatch (network: Any, address: Any) -> Kind(Kind::Bool) = cidrmatch;

    /// The place, from 0, of the first value of a field that a regular expression matches; no value where none does.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvfind(split("ab,bc,cd", ","), "^b") // 1
    /// mvfind("ab", "x") //
    /// ```
    spl fn mvfind (values: Any, pattern: Any) -> Kind(Kind::Field) = mvfind;
}
