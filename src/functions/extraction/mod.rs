//! The fields that the text of an event holds.
//!
//! Each form of text has a walk that gives every value with the name of its field, in the order of the text. A walk
//! asks what is wanted and passes over the rest; text that is not what it seems gives what was found before it broke.
mod collector;
pub mod json;
pub mod pairs;
pub mod tags;
pub mod windows;
pub mod xpath;

pub use collector::{Collector, MOST_FIELDS, Names};

use std::borrow::Cow;

/// Who is given the values of a walk.
pub trait Visitor<'a> {
    /// Whether a field is wanted whose name goes on behind `path` with a `.` or a `{`.
    fn enters(&mut self, path: &str) -> bool;

    fn value(&mut self, name: &str, value: Cow<'a, str>);
}

/// What a text is, as far as its first characters tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    /// An event of Windows as XML.
    WindowsXml,
    Xml,
    /// Pairs of keys and values, if anything.
    Pairs,
}

impl Form {
    pub fn of(text: &str) -> Form {
        match text.trim_ascii_start().as_bytes() {
            [b'{', ..] => Form::Json,
            // Times stand in brackets, too.
            [b'[', rest @ ..] if matches!(rest.trim_ascii_start(), [b'{' | b'[' | b'"' | b']', ..]) => Form::Json,
            [b'<', rest @ ..] if rest.starts_with(b"Event ") || rest.starts_with(b"Event>") => Form::WindowsXml,
            [b'<', b'?' | b'a'..=b'z' | b'A'..=b'Z', ..] => Form::Xml,
            _ => Form::Pairs,
        }
    }
}

/// Gives the fields that Splunk finds in an event by itself: those of a JSON text, of an event of Windows, or the pairs
/// of keys and values.
pub fn event<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    match Form::of(text) {
        Form::Json => json::walk(text, visitor),
        Form::WindowsXml => windows::walk(text, visitor),
        Form::Xml => tags::elements(text, visitor),
        Form::Pairs if windows::is_text(text) => windows::walk_text(text, visitor),
        Form::Pairs => pairs::walk(text, &pairs::Delimiters::default(), visitor),
    }
}

/// The values at a path of a JSON or XML text; nothing where it is neither, or has no such path.
///
/// Source: the documentation page "spath".
pub fn at_path<'a>(text: &'a str, path: &str) -> Vec<Cow<'a, str>> {
    match Form::of(text) {
        Form::Json => json::find(text, path),
        Form::Xml | Form::WindowsXml => tags::find(text, path),
        Form::Pairs => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
