//! Texts: their length, their parts, their letters.
use super::{each_number, long_at, map_texts, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::Number;
use crate::types::{Column, Kind};

fn mapped(args: &[Column], rows: usize, mut make: impl FnMut(usize, &str, &mut String)) -> Result<Column> {
    let Some(text) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    map_texts(text, args, rows, |row, text, out| {
        make(row, text, out);
        Ok(true)
    })
}

fn len(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| Some(Number::Long(text_at(args, 0, row)?.chars().count() as i64)))
}

fn lower(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    mapped(args, rows, |_, text, out| match text.is_ascii() {
        true => {
            out.push_str(text);
            out.make_ascii_lowercase();
        }
        false => out.push_str(&text.to_lowercase()),
    })
}

fn upper(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    mapped(args, rows, |_, text, out| match text.is_ascii() {
        true => {
            out.push_str(text);
            out.make_ascii_uppercase();
        }
        false => out.push_str(&text.to_uppercase()),
    })
}

/// A text without some characters at its ends: spaces and tabs where none are named.
fn trimmed(args: &[Column], rows: usize, cut: for<'t> fn(&'t str, &dyn Fn(char) -> bool) -> &'t str) -> Result<Column> {
    mapped(args, rows, |row, text, out| {
        let given = text_at(args, 1, row);
        let characters = given.as_deref().unwrap_or(" \t");
        out.push_str(cut(text, &|character| characters.contains(character)));
    })
}

fn trim(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(args, rows, |text, cut| text.trim_matches(cut))
}

fn ltrim(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(args, rows, |text, cut| text.trim_start_matches(cut))
}

fn rtrim(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    trimmed(args, rows, |text, cut| text.trim_end_matches(cut))
}

/// The first character and the end of a part, as SQLite counts: from 1, and from the end where negative.
fn part(length: i64, start: i64, count: Option<i64>) -> (i64, i64) {
    let mut wanted = count.unwrap_or(i64::MAX);
    let mut first = start;
    if first < 0 {
        first = first.saturating_add(length);
        if first < 0 {
            wanted = if wanted < 0 { 0 } else { wanted.saturating_add(first).max(0) };
            first = 0;
        }
    } else if first > 0 {
        first -= 1;
    } else if wanted > 0 && count.is_some() {
        wanted -= 1;
    }
    if wanted < 0 {
        // The characters before the first one.
        let back = wanted.saturating_neg();
        let begin = first.saturating_sub(back);
        return (begin.max(0), first);
    }
    (first, first.saturating_add(wanted))
}

fn substr(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(text) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    map_texts(text, args, rows, |row, text, out| {
        let Some(start) = long_at(args, 1, row) else { return Ok(false) };
        let count = long_at(args, 2, row);
        if args.len() > 2 && count.is_none() {
            return Ok(false);
        }
        let length = if start < 0 || count.is_some_and(|c| c < 0) { text.chars().count() as i64 } else { 0 };
        let (from, to) = part(length, start, count);
        let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        out.extend(text.chars().skip(from).take(to.saturating_sub(from)));
        Ok(true)
    })
}

fn urldecode(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    mapped(args, rows, |_, text, out| out.push_str(&percent_encoding::percent_decode_str(text).decode_utf8_lossy()))
}

crate::kernels! {
    /// The number of characters of a text.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// len("buttercup") // 9
    /// length("é") // 1
    /// ```
    spl fn len as [length] (text: Any) -> Kind(Kind::Field) = len;

    /// The text in small letters.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// lower("AbC") // abc
    /// ```
    spl fn lower (text: Any) -> Kind(Kind::Field) = lower;

    /// The text in capital letters.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// upper("AbC") // ABC
    /// ```
    spl fn upper (text: Any) -> Kind(Kind::Field) = upper;

    /// The text without characters at both ends: spaces and tabs, or those given.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// trim("   ZZZZabcZZ ", " Z") // abc
    /// ```
    spl fn trim (text: Any, characters[optional]: Any) -> Kind(Kind::Field) = trim;

    /// The text without characters at its start: spaces and tabs, or those given.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// ltrim("$12", "$") // 12
    /// ```
    spl fn ltrim (text: Any, characters[optional]: Any) -> Kind(Kind::Field) = ltrim;

    /// The text without characters at its end: spaces and tabs, or those given.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// rtrim("abcZZ ", " Z") // abc
    /// ```
    spl fn rtrim (text: Any, characters[optional]: Any) -> Kind(Kind::Field) = rtrim;

    /// The part of a text from a character on, counted from 1 and from the end where negative: so many characters,
    /// or all that follow.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// substr("string", 1, 3) + substr("string", -3) // string
    /// substr("string", 4, 2) // in
    /// ```
    spl fn substr (text: Any, start: Any, length[optional]: Any) -> Kind(Kind::Field) = substr;

    /// The text with the characters that `%41` and the like stand for.
    ///
    /// Source: Splunk Search Reference, text functions.
    ///
    /// ```spl
    /// urldecode("http%3A%2F%2Fwww.example.com%2Fdownload%3Fr%3Dheader") // http://www.example.com/download?r=header
    /// ```
    spl fn urldecode (text: Any) -> Kind(Kind::Field) = urldecode;
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_are_counted_as_sqlite_does() {
        assert_eq!(part(6, 1, Some(3)), (0, 3));
        assert_eq!(part(6, 0, Some(3)), (0, 2));
        assert_eq!(part(6, -3, None).0, 3);
        assert_eq!(part(6, -8, Some(4)), (0, 2));
        assert_eq!(part(6, 4, Some(-2)), (1, 3));
        assert_eq!(part(0, i64::MIN, Some(i64::MIN)), (0, 0));
        assert_eq!(part(0, i64::MAX, Some(i64::MAX)).0, i64::MAX - 1);
    }
}
