//! Functions that measure, cut and search texts. Places and lengths count characters (code points).
use super::row::{AnyText, each, text_of};
use super::search::{Needle, Place};
use super::{Context, operators};
use crate::diagnostic::{Fault, Result};
use crate::types::vectors::{is_ascii, wide};
use crate::types::{Builder, Column, Dynamic, Kind, Text, Value, convert, number, numbers};
use arrow_array::Array;
use memchr::memmem::Finder;

/// The byte where character `at` starts; the text's length when it has no more characters.
pub(super) fn byte_of(text: &str, at: usize) -> usize {
    // Only the characters before the place matter.
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    if before.is_ascii() {
        return before.len();
    }
    text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte)
}

pub(super) fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// A place from the start, or a negative one from the end, as a number of characters from the start.
pub(super) fn from_start(text: &str, at: i64) -> usize {
    let at = if at < 0 { (characters(text) as i64).saturating_add(at).max(0) } else { at };
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// `length` characters from `start` on; all of them without a length.
pub(super) fn slice(text: &str, start: usize, length: Option<usize>) -> &str {
    let rest = text.get(byte_of(text, start)..).unwrap_or_default();
    length.map_or(rest, |length| rest.get(..byte_of(rest, length)).unwrap_or(rest))
}

fn substring(text: &str, start: i64, length: Option<i64>) -> &str {
    let length = length.map(|length| usize::try_from(length).unwrap_or(0));
    slice(text, from_start(text, start), length)
}

/// Where the part of a text lies that `indexof` and its kin look at, and which occurrence they want:
/// characters before the part, the part, the number of occurrences to skip.
pub(super) struct Searched<'a> {
    pub before: usize,
    pub part: &'a str,
    pub skip: usize,
}

impl<'a> Searched<'a> {
    /// None where an argument is out of its range.
    pub fn new(text: &'a str, start: i64, length: i64, occurrence: i64) -> Option<Searched<'a>> {
        if length < -1 || occurrence < 0 {
            return None;
        }
        let before = from_start(text, start);
        let part = slice(text, before, usize::try_from(length).ok());
        let skip = usize::try_from(occurrence.saturating_sub(1)).unwrap_or(0);
        Some(Searched { before, part, skip })
    }

    /// The place in the whole text of a byte of the part.
    pub fn place(&self, byte: usize) -> i64 {
        let inside = self.part.get(..byte).map_or(0, characters);
        i64::try_from(self.before.saturating_add(inside)).unwrap_or(i64::MAX)
    }
}

/// `length` bounds the places where an occurrence may begin, not where it ends.
fn index_of(text: &str, finder: &Finder, start: i64, length: i64, occurrence: i64) -> Option<i64> {
    let sought = finder.needle();
    if length < -1 {
        return None;
    }
    let searched = Searched::new(text, start, -1, occurrence)?;
    if sought.is_empty() {
        return Some(if searched.before > characters(text) { -1 } else { searched.place(0) });
    }
    let behind = match length {
        -1 => i64::MAX,
        length => i64::try_from(searched.before).unwrap_or(i64::MAX).saturating_add(length),
    };
    let (mut from, mut skip) = (0, searched.skip);
    loop {
        let rest = searched.part.get(from..).unwrap_or_default();
        let Some(byte) = finder.find(rest.as_bytes()).map(|byte| from + byte) else { return Some(-1) };
        let place = searched.place(byte);
        if place >= behind {
            return Some(-1);
        }
        if skip == 0 {
            return Some(place);
        }
        skip -= 1;
        // Occurrences may overlap.
        from = byte + characters_start(sought);
    }
}

/// The bytes of a text's first character.
fn characters_start(text: &[u8]) -> usize {
    text.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80).count() + 1
}

fn places(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, sought) = operators::pair(args)?;
    if let (
        [Column::Text(Kind::String, Text::Views(views)), Column::Const(Value::Text(Kind::String, sought), _)],
        false,
    ) = (args, sought.text(0) == Some(""))
    {
        let finder = Finder::new(sought.as_bytes());
        let place = |row: usize| {
            let text = views.value(row);
            let before = finder.find(text.as_bytes()).map(|byte| text.get(..byte).map_or(0, characters));
            Some(before.map_or(-1, |before| before as i64))
        };
        return Ok(Column::Long(numbers(rows, place)));
    }
    let number = |at: usize, row: usize, other| args.get(at).and_then(|c| c.value(row).as_long()).unwrap_or(other);
    let constant = sought.is_const().then(|| text_of(sought, 0));
    let constant = constant.as_ref().map(|sought| Finder::new(sought.as_bytes()));
    each(Kind::Long, args, rows, |row, out| {
        let (start, length, occurrence) = (number(2, row, 0), number(3, row, -1), number(4, row, 1));
        let text = text_of(text, row);
        let place = match &constant {
            Some(finder) => index_of(&text, finder, start, length, occurrence),
            None => index_of(&text, &Finder::new(text_of(sought, row).as_bytes()), start, length, occurrence),
        };
        match place {
            Some(place) => out.push_long(place),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// Writes a text changed one by one: bytes of ASCII in place, other characters where they have one counterpart.
fn recased(
    args: &[Column],
    rows: usize,
    changes: fn(u8) -> bool,
    ascii: fn(&mut str),
    other: fn(&str) -> String,
) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a text function of nothing"))?;
    let mut made = String::new();
    each(Kind::String, args, rows, |row, out| {
        let text = text_of(value, row);
        if !text.is_ascii() {
            out.push_text(&other(&text));
        } else if text.bytes().any(changes) {
            made.clear();
            made.push_str(&text);
            ascii(&mut made);
            out.push_text(&made);
        } else {
            out.push_text(&text);
        }
        Ok(())
    })
}

/// One-to-one lower case, as `=~` folds it.
fn tolower(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    recased(args, rows, |b| b.is_ascii_uppercase(), str::make_ascii_lowercase, operators::fold_case)
}

fn toupper(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    recased(
        args,
        rows,
        |b| b.is_ascii_lowercase(),
        str::make_ascii_uppercase,
        |text| text.chars().map(upper_one).collect(),
    )
}

fn upper_one(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn reversed(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a text function of nothing"))?;
    let (mut made, mut bytes) = (String::new(), Vec::new());
    each(Kind::String, args, rows, |row, out| {
        let text = text_of(value, row);
        if text.is_ascii() {
            bytes.clear();
            bytes.extend(text.bytes().rev());
            out.push_text(std::str::from_utf8(&bytes).unwrap_or_default());
        } else {
            made.clear();
            made.extend(text.chars().rev());
            out.push_text(&made);
        }
        Ok(())
    })
}

/// The characters of texts.
fn lengths(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let text = args.first().ok_or_else(|| Fault::internal("a text function of nothing"))?;
    if let Column::Text(_, Text::Views(views)) = text {
        let length = |row: usize| {
            let text = views.value(row);
            if is_ascii(text.as_bytes()) { text.len() } else { text.chars().count() }
        };
        return Ok(Column::Long(wide(|| (0..rows).map(|row| length(row) as i64).collect::<Vec<_>>()).into()));
    }
    each(Kind::Long, args, rows, |row, out| {
        out.push_long(text.text(row).map_or(0, characters) as i64);
        Ok(())
    })
}

/// The bytes of texts.
fn sizes(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match args.first() {
        // A view begins with its length.
        Some(Column::Text(_, Text::Views(views))) => {
            Ok(Column::Long(views.views().iter().map(|view| i64::from(*view as u32)).collect::<Vec<_>>().into()))
        }
        Some(Column::Text(_, Text::Dictionary(keys, dictionary))) if keys.null_count() == 0 => {
            let known: Vec<i64> = dictionary.values.views().iter().map(|view| i64::from(*view as u32)).collect();
            let size = |key: &i32| known.get(*key as usize).copied().unwrap_or(0);
            Ok(Column::Long(keys.values().iter().map(size).collect::<Vec<_>>().into()))
        }
        Some(text) => each(Kind::Long, args, rows, |row, out| {
            out.push_long(text.text(row).map_or(0, str::len) as i64);
            Ok(())
        }),
        None => Err(Fault::internal("a text function of nothing")),
    }
}

fn substrings(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, start) = operators::pair(args)?;
    let length = |row| args.get(2).and_then(|column| column.value(row).as_long());
    if let (Column::Text(Kind::String, _), Column::Const(start, _)) = (text, start)
        && let Some(start) = start.as_long()
        && args.get(2).is_none_or(Column::is_const)
        && rows > 0
    {
        let length = length(0);
        return Ok(text.map_text(Kind::String, |text| Some(substring(text, start, length))));
    }
    each(Kind::String, args, rows, |row, out| {
        match start.value(row).as_long() {
            Some(start) => out.push_text(substring(&text_of(text, row), start, length(row))),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// Integers of 32 bits have 8 digits when negative.
fn to_hex(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("tohex of nothing"))?;
    let least = |row: usize| args.get(1).and_then(|c| c.value(row).as_long()).unwrap_or(0).clamp(0, 16) as usize;
    if let (Column::Long(longs), true) = (value, args.get(1).is_none_or(Column::is_const) && rows > 0) {
        let least = least(0);
        return Ok(Column::write_text(Kind::String, rows, |row, out| {
            if longs.is_valid(row) {
                number::write_hex(longs.value(row), least, out);
            }
            longs.is_valid(row)
        }));
    }
    let write = |row: usize, out: &mut Builder| {
        match value.value(row) {
            Value::Int(int) => out.push_text(&format!("{int:0width$x}", width = least(row))),
            other => match convert::value_to(&other, Kind::Long).as_long() {
                Some(long) => out.push_text(&number::to_hex(long, least(row))),
                None => out.push_null(),
            },
        }
        Ok(())
    };
    each(Kind::String, args, rows, write)
}

/// The place in the list of the first of its texts that stands in the text as a term.
fn has_any_index(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, list) = operators::pair(args)?;
    each(Kind::Long, args, rows, |row, out| {
        let Some(values) = Dynamic::of(list, row) else {
            out.push_long(-1);
            return Ok(());
        };
        let terms = context.prepared("has_any_index", &values.to_json(), || {
            let texts = values.texts().unwrap_or_default();
            Ok::<_, Fault>(texts.iter().map(|t| Needle::new(t, Place::Term, false)).collect::<Vec<_>>())
        })?;
        let text = text_of(text, row);
        let found = terms.iter().position(|term| term.is_in(&text));
        out.push_long(found.map_or(-1, |place| place as i64));
        Ok(())
    })
}

crate::scalars! {
    /// How two texts compare, character by character: -1, 0 or 1.
    ///
    /// Source: strcmp-function.
    ///
    /// ```kql
    /// strcmp("ABC", "ABC") // 0
    /// strcmp("abc", "ABC") // 1
    /// strcmp("abc", "abcde") // -1
    /// ```
    kql fn strcmp(left: AnyText, right: AnyText) -> i64 { left.cmp(&right) as i64 }
}

crate::kernels! {
    /// The number of characters (code points) of a text.
    ///
    /// Source: strlen-function.
    ///
    /// ```kql
    /// strlen("hello") // 5
    /// strlen("⒦⒰⒮⒯⒪") // 5
    /// ```
    kql fn strlen (text: String) -> Kind(Kind::Long) = lengths;

    /// The number of bytes of a text in UTF-8.
    ///
    /// Source: string-size-function.
    ///
    /// ```kql
    /// string_size("hello") // 5
    /// string_size("⒦⒰⒮⒯⒪") // 15
    /// ```
    kql fn string_size (text: String) -> Kind(Kind::Long) = sizes;

    /// A text in lower case.
    ///
    /// Source: tolower-function.
    ///
    /// ```kql
    /// tolower("HELLO") // hello
    /// tolower("Über") // über
    /// ```
    kql fn tolower (value: Any) -> Kind(Kind::String) = tolower;

    /// A text in upper case.
    ///
    /// Source: toupper-function.
    ///
    /// ```kql
    /// toupper("hello") // HELLO
    /// ```
    kql fn toupper (value: Any) -> Kind(Kind::String) = toupper;

    /// The characters of a text in reverse order.
    ///
    /// Source: reverse-function.
    ///
    /// ```kql
    /// reverse("ABC") // CBA
    /// reverse(12345) // 54321
    /// ```
    kql fn reverse (value: Any) -> Kind(Kind::String) = reversed;

    /// The place of the first occurrence of one text in another; -1 where there is none.
    ///
    /// A negative `start` counts from the end; a `length` bounds the places where it may begin, -1
    /// is no limit; `occurrence` asks for a later one.
    /// Null for a `length` below -1 or a negative `occurrence`.
    ///
    /// Source: indexof-function.
    ///
    /// ```kql
    /// indexof("abcdefg", "cde") // 2
    /// indexof("abcdefg", "cde", 1, 2) // 2
    /// indexof("abcdefg", "cde", 1, 1) // -1
    /// indexof("abcdefg", "cde", -5) // 2
    /// indexof(1234567, 5, 1, 4) // 4
    /// indexof("abcdefgabcdefg", "cde", 1, 10, 2) // 9
    /// ```
    kql fn indexof (
        text: Any, sought: Any, start[optional]: Long, length[optional]: Long, occurrence[optional]: Long
    ) -> Kind(Kind::Long) = places;

    /// The part of a text from a place on, all of the rest or a number of characters.
    ///
    /// A negative `start` counts from the end of the text.
    ///
    /// Source: substring-function.
    ///
    /// ```kql
    /// substring("123456", 1) // 23456
    /// substring("123456", 2, 2) // 34
    /// substring("123456", -2, 2) // 56
    /// substring("für", 1, 1) // ü
    /// ```
    kql fn substring (text: Any, start: Long, length[optional]: Long) -> Kind(Kind::String) = substrings;

    /// The hexadecimal digits of an integer, with zeros in front up to a length of at most 16.
    ///
    /// Negative integers are written as two's complement: of a long with 16 digits, of an int with 8.
    ///
    /// Source: tohex-function.
    ///
    /// ```kql
    /// tohex(256) // 100
    /// tohex(-256) // ffffffffffffff00
    /// tohex(toint(-256), 8) // ffffff00
    /// tohex(256, 8) // 00000100
    /// tohex(long(null)) //
    /// ```
    kql fn tohex (value: Integer, length[optional]: Integer) -> Kind(Kind::String) = to_hex;

    /// The place in an array of its first value that a text holds as a whole term; -1 where it holds none.
    ///
    /// Source: has-any-index-function.
    ///
    /// ```kql
    /// has_any_index("this is an example", dynamic(["not", "example"])) // 1
    /// has_any_index("this is an example", dynamic([])) // -1
    /// ```
    kql fn has_any_index (text: Any, values: Dynamic) -> Kind(Kind::Long) = has_any_index;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_stay_inside() {
        assert_eq!(substring("ABCD", 0, Some(2)), "AB");
        assert_eq!(substring("ABCD", -9, Some(2)), "AB");
        assert_eq!(substring("ABCD", 9, None), "");
        assert_eq!(substring("ABCD", 1, Some(-1)), "");
        assert_eq!(substring("aéb", -2, Some(1)), "é");
        assert_eq!(substring("ABCD", i64::MIN, Some(i64::MAX)), "ABCD");
    }

    fn index(text: &str, sought: &str, start: i64, length: i64, occurrence: i64) -> Option<i64> {
        index_of(text, &Finder::new(sought), start, length, occurrence)
    }

    #[test]
    fn places_count_characters() {
        assert_eq!(index("éé.x", ".", 0, -1, 1), Some(2));
        assert_eq!(index("abcdefgabcdefg", "cde", 1, -1, 3), Some(-1));
        assert_eq!(index("abc", "b", 0, -2, 1), None);
        assert_eq!(index("abc", "b", 0, -1, -1), None);
        assert_eq!(index("abc", "", i64::MAX, -1, 1), Some(-1));
    }
}
