//! A record byte by byte: what its cells are, whatever quotes stand in it.
use crate::read::cell::{Cell, Form};

/// The place of the quote that closes a cell whose inside begins at `at`, and whether quotes are doubled in it.
fn quoted_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut doubled = false;
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

pub type Broken = &'static str;

pub const UNCLOSED: Broken = "a quoted cell is not closed";

/// Hands out the cells of the record at `at`; returns the place of the next record.
///
/// A quote begins a quoted cell where it is the first byte of the cell; elsewhere it is text.
pub fn record(bytes: &[u8], mut at: usize, delimiter: u8, mut cell: impl FnMut(usize, Cell)) -> Result<usize, Broken> {
    let mut column = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let (end, doubled) = quoted_end(bytes, at + 1).ok_or(UNCLOSED)?;
            let wide = !bytes.get(at + 1..end).unwrap_or_default().is_ascii();
            let form = if doubled { Form::QuotesDoubled } else { Form::Bare };
            cell(column, Cell::new(form, at + 1, end, wide));
            at = end + 1;
        } else {
            let (end, wide) = bare_end(bytes, at, delimiter);
            let cut = usize::from(bytes.get(end) == Some(&b'\n') && end > at && bytes.get(end - 1) == Some(&b'\r'));
            cell(column, Cell::new(Form::Bare, at, end - cut, wide));
            at = end;
        }
        column += 1;
        match bytes.get(at) {
            Some(byte) if *byte == delimiter => at += 1,
            Some(b'\n') => return Ok(at + 1),
            Some(b'\r') if matches!(bytes.get(at + 1), Some(b'\n') | None) => return Ok(at + 2),
            None => return Ok(at),
            Some(_) => return Err("text behind a quoted cell"),
        }
    }
}

/// The end of a cell without quotes, and whether a byte of it is not ASCII.
fn bare_end(bytes: &[u8], at: usize, delimiter: u8) -> (usize, bool) {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = memchr::memchr2(delimiter, b'\n', rest).unwrap_or(rest.len());
    (at + length, !rest.get(..length).unwrap_or_default().is_ascii())
}
