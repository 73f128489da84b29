//! One value of a record as a place in a block's bytes: nothing is decoded before its column is asked for.
use crate::types::Json;
use std::borrow::Cow;

/// How the bytes of a cell stand for its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The record has no such value.
    #[default]
    Absent,
    /// An explicit null.
    Null,
    /// Text as it stands, of a JSON string.
    Text,
    /// Text as it stands, of a format that knows only text.
    Bare,
    /// A JSON string's inside, with escapes.
    JsonEscaped,
    /// A quoted CSV cell's inside, with doubled quotes.
    QuotesDoubled,
    /// As [`Form::QuotesDoubled`]: several values as Splunk writes them, `$one$;$two$`.
    Several,
    /// A value of a CEF extension, with backslashes.
    CefEscaped,
    /// W3C text, whose blanks are written `+`.
    PlusForBlank,
    /// A JSON number, `true` or `false`.
    Scalar,
    /// A JSON array or object.
    Container,
    /// Ticks of a datetime: `start` and `end` are its halves.
    Ticks,
}

/// A place in the bytes of a block, or in the bytes that the parser wrote beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    pub start: u32,
    pub end: u32,
    pub form: Form,
    /// Whether a byte outside ASCII may be in it.
    pub wide: bool,
    /// Whether it lies in the bytes beside the block.
    pub beside: bool,
}

impl Cell {
    #[inline(always)]
    pub fn new(form: Form, start: usize, end: usize, wide: bool) -> Cell {
        // Blocks are far smaller than 4 GB.
        Cell { start: start as u32, end: end as u32, form, wide, beside: false }
    }

    #[inline]
    pub fn ticks(ticks: i64) -> Cell {
        let bits = ticks as u64;
        Cell { start: bits as u32, end: (bits >> 32) as u32, form: Form::Ticks, wide: false, beside: false }
    }

    /// The datetime of [`Form::Ticks`].
    pub fn as_ticks(self) -> i64 {
        (u64::from(self.start) | u64::from(self.end) << 32) as i64
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        matches!(self.form, Form::Absent | Form::Null) || (self.form != Form::Ticks && self.start == self.end)
    }
}

/// The bytes that cells point into.
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    pub block: &'a [u8],
    pub beside: &'a [u8],
}

impl<'a> Bytes<'a> {
    #[inline(always)]
    pub fn raw(&self, cell: Cell) -> &'a [u8] {
        let from = if cell.beside { self.beside } else { self.block };
        from.get(cell.start as usize..cell.end as usize).unwrap_or_default()
    }

    /// The cell's text as it is written; bytes that are no UTF-8 are replaced.
    pub fn written(&self, cell: Cell) -> Cow<'a, str> {
        match self.ascii(cell) {
            Some(text) => Cow::Borrowed(text),
            None => String::from_utf8_lossy(self.raw(cell)),
        }
    }

    /// As [`Bytes::written`], of a cell that is not wide.
    #[inline(always)]
    pub fn ascii(&self, cell: Cell) -> Option<&'a str> {
        // SAFETY: a cell that is not wide holds ASCII only.
        (!cell.wide).then(|| unsafe { std::str::from_utf8_unchecked(self.raw(cell)) })
    }

    /// The cell's text, decoded; empty where there is no value.
    pub fn text(&self, cell: Cell) -> Cow<'a, str> {
        let written = self.written(cell);
        match cell.form {
            Form::Absent | Form::Null | Form::Ticks => Cow::Borrowed(""),
            Form::Text | Form::Bare | Form::Scalar => written,
            Form::JsonEscaped => Cow::Owned(json_text(&written)),
            Form::QuotesDoubled | Form::Several => Cow::Owned(written.replace("\"\"", "\"")),
            Form::CefEscaped => Cow::Owned(cef_text(&written)),
            Form::PlusForBlank => Cow::Owned(written.replace('+', " ")),
            Form::Container => match crate::types::json::standard(&written) {
                Cow::Borrowed(same) if same.len() == written.len() => written,
                other => Cow::Owned(other.into_owned()),
            },
        }
    }

    /// Whether the cell's bytes are not what was meant: no UTF-8.
    pub fn is_broken(&self, cell: Cell) -> bool {
        cell.wide && std::str::from_utf8(self.raw(cell)).is_err()
    }
}

fn json_text(inside: &str) -> String {
    let quoted = format!("\"{inside}\"");
    Json::new(&quoted).as_str().map(Cow::into_owned).unwrap_or_default()
}

/// The text of a CEF value: `\\`, `\=`, `\|`, `\n` and `\r` are escapes, any other backslash stands for itself.
pub fn cef_text(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, after)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut characters = after.chars();
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some(escaped @ ('\\' | '=' | '|')) => out.push(escaped),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}
