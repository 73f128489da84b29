//! Texts without what a regular expression (RE2's syntax) matches at their ends.
use super::extract::{Patterns, arguments};
use super::row::{each, text_of};
use super::{Context, pattern};
use crate::diagnostic::Result;
use crate::types::{Column, Kind, convert};
use regex::Regex;
use std::sync::Arc;

/// The characters that a pattern stands for that is one class of characters, repeated or not.
struct Class {
    regex: Arc<Regex>,
    ascii: [bool; 128],
}

impl Class {
    /// None for any other pattern.
    fn of(context: &Context, pattern: &str) -> Result<Option<Class>> {
        let one = pattern.strip_suffix(['+', '*']).unwrap_or(pattern);
        let plain = |inside: &str| {
            let inside = inside.strip_prefix('^').unwrap_or(inside);
            !inside.is_empty() && inside.chars().all(|c| c.is_alphanumeric() || " _.,;:/|-".contains(c))
        };
        let class = matches!(one, r"\s" | r"\d" | r"\w" | r"\S" | r"\D" | r"\W" | r"[^\w]" | r"[\W]")
            || one.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(plain);
        if !class {
            return Ok(None);
        }
        let regex = pattern::compile(context, &format!("\\A{one}\\z"))?;
        let mut ascii = [false; 128];
        for (code, holds) in ascii.iter_mut().enumerate() {
            *holds = regex.is_match(char::from(code as u8).encode_utf8(&mut [0; 4]));
        }
        Ok(Some(Class { regex, ascii }))
    }

    fn holds(&self, character: char) -> bool {
        match self.ascii.get(character as usize) {
            Some(holds) => *holds,
            None => self.regex.is_match(character.encode_utf8(&mut [0; 4])),
        }
    }
}

/// Whether a pattern stands for its own characters.
fn is_plain(pattern: &str) -> bool {
    !pattern.is_empty() && !pattern.contains(|c| r"\.+*?()|[]{}^$#&-~".contains(c))
}

fn trimmed(context: &Context, args: &[Column], rows: usize, start: bool, end: bool) -> Result<Column> {
    let [pattern, source] = arguments(args)?;
    if let Column::Const(value, _) = pattern
        && let Some(class) = Class::of(context, value.as_text().unwrap_or(""))?
    {
        return Ok(convert::lenient(source, Kind::String).map_text(Kind::String, |text| {
            let after = if start { text.trim_start_matches(|c| class.holds(c)) } else { text };
            Some(if end { after.trim_end_matches(|c| class.holds(c)) } else { after })
        }));
    }
    let constant = pattern.is_const().then(|| text_of(pattern, 0));
    if let Some(part) = constant.as_deref().filter(|pattern| is_plain(pattern)) {
        return Ok(convert::lenient(source, Kind::String).map_text(Kind::String, |text| {
            let mut rest = text;
            while start && let Some(after) = rest.strip_prefix(part) {
                rest = after;
            }
            while end && let Some(before) = rest.strip_suffix(part) {
                rest = before;
            }
            Some(rest)
        }));
    }
    let constant = match &constant {
        Some(pattern) => Some((
            pattern::compile(context, &format!("\\A(?:{pattern})+"))?,
            pattern::compile(context, &format!("(?:{pattern})+\\z"))?,
        )),
        None => None,
    };
    let (mut leading, mut trailing) = (Patterns::new(context), Patterns::new(context));
    each(Kind::String, args, rows, |row, out| {
        let text = text_of(source, row);
        let mut rest: &str = &text;
        let (leading, trailing) = match &constant {
            Some((leading, trailing)) => (leading.clone(), trailing.clone()),
            None => {
                let pattern = text_of(pattern, row);
                (leading.get(&format!("\\A(?:{pattern})+"))?, trailing.get(&format!("(?:{pattern})+\\z"))?)
            }
        };
        if start && let Some(found) = leading.find(rest) {
            rest = rest.get(found.end()..).unwrap_or_default();
        }
        if end && let Some(found) = trailing.find(rest) {
            rest = rest.get(..found.start()).unwrap_or_default();
        }
        out.push_text(rest);
        Ok(())
    })
}

fn trim(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(context, args, rows, true, true)
}

fn trim_start(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(context, args, rows, true, false)
}

fn trim_end(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(context, args, rows, false, true)
}

crate::kernels! {
    /// A text without what a regular expression matches at its start and its end, as often as it does.
    ///
    /// Source: trim-function.
    ///
    /// ```kql
    /// trim("--", "--https://bing.com--") // https://bing.com
    /// trim(@"[^\w]+", "-  Te st1// $") // Te st1
    /// ```
    kql fn trim (regex: String, source: Any) -> Kind(Kind::String) = trim;

    /// A text without what a regular expression matches at its start.
    ///
    /// Source: trim-start-function.
    ///
    /// ```kql
    /// trim_start("https://", "https://bing.com") // bing.com
    /// ```
    kql fn trim_start (regex: String, source: Any) -> Kind(Kind::String) = trim_start;

    /// A text without what a regular expression matches at its end.
    ///
    /// Source: trim-end-function.
    ///
    /// ```kql
    /// trim_end(".com", "bing.com") // bing
    /// ```
    kql fn trim_end (regex: String, source: Any) -> Kind(Kind::String) = trim_end;
}
