//! Texts put together, and taken apart into arrays.
use super::operators::pair;
use super::row::{each_text, spread, text_of};
use super::{Context, forms};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Dynamic, Kind, List, Pieces, json, number};
use arrow_buffer::NullBuffer;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Hands over the parts of a text: all of them, or the one at an index. Without a delimiter the text is its only part.
fn parts<'a>(text: &'a str, delimiter: &Finder, index: Option<i64>, mut take: impl FnMut(&'a str)) {
    let needle = delimiter.needle();
    if needle.is_empty() {
        return take(text);
    }
    let (mut start, mut number) = (0, 0);
    let mut part = |end: usize| {
        // Every delimiter begins and ends with a whole character.
        if index.is_none_or(|index| index == number) {
            take(text.get(start..end).unwrap_or_default());
        }
        (start, number) = (end + needle.len(), number + 1);
    };
    match needle {
        [byte] => memchr::memchr_iter(*byte, text.as_bytes()).for_each(&mut part),
        _ => delimiter.find_iter(text.as_bytes()).for_each(&mut part),
    }
    part(text.len());
}

/// Builds a column of arrays of texts, most of which are parts of another column's texts and share its bytes.
pub(super) struct TextLists {
    items: Pieces,
    offsets: Vec<u32>,
    missing: Vec<usize>,
}

impl TextLists {
    pub(super) fn new(source: &Column, rows: usize) -> TextLists {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        TextLists { items: Pieces::new(Kind::String, Some(source), rows * 4), offsets, missing: Vec::new() }
    }

    /// Appends an element to the open row, which is row `row` of the source.
    #[inline]
    pub(super) fn push(&mut self, row: usize, text: &str) {
        self.items.push(row, text);
    }

    /// Closes the open row.
    pub(super) fn end(&mut self) -> Result<()> {
        let end = u32::try_from(self.items.len());
        self.offsets.push(end.map_err(|_| Fault::limit("rows", "arrays with too many elements in all"))?);
        Ok(())
    }

    /// Closes the open row, which has no elements and is null.
    pub(super) fn end_null(&mut self) -> Result<()> {
        self.missing.push(self.offsets.len() - 1);
        self.end()
    }

    pub(super) fn finish(self) -> Column {
        let rows = self.offsets.len() - 1;
        let nulls = (!self.missing.is_empty()).then(|| {
            let mut valid = vec![true; rows];
            self.missing.iter().for_each(|row| valid[*row] = false);
            NullBuffer::from(valid)
        });
        Column::List(List { offsets: self.offsets.into(), nulls, items: Arc::new(self.items.finish()) })
    }
}

/// The arrays that `write` appends to for each row, and closes; of constants alone, a constant.
pub(super) fn lists_of(
    args: &[Column],
    source: &Column,
    rows: usize,
    mut write: impl FnMut(usize, &mut TextLists) -> Result<()>,
) -> Result<Column> {
    let constant = !args.is_empty() && args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let mut lists = TextLists::new(source, count);
    (0..count).try_for_each(|row| write(row, &mut lists))?;
    Ok(spread(lists.finish(), constant, rows))
}

fn split(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, delimiter) = pair(args)?;
    let index = |row: usize| args.get(2).and_then(|c| c.value(row).as_long());
    let finder = |row: usize| Finder::new(delimiter.text(row).unwrap_or("").as_bytes());
    let constant = delimiter.is_const().then(|| finder(0));
    lists_of(args, text, rows, |row, lists| {
        let text = text_of(text, row);
        let take = |part: &str| lists.push(row, part);
        match &constant {
            Some(delimiter) => parts(&text, delimiter, index(row), take),
            None => parts(&text, &finder(row), index(row), take),
        }
        lists.end()
    })
}

/// `split(text, delimiter)[1]`: nothing but that part.
pub(super) fn element_of_split(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [text, delimiter, path] = args else { return Err(Fault::internal("an element of no split()")) };
    let (Some(index), false, true) = (forms::only_index(path), text.is_const(), delimiter.is_const()) else {
        let lists = split(context, &args[..2], rows)?;
        return forms::path(context, &[lists, path.clone()], rows);
    };
    let delimiter = Finder::new(delimiter.text(0).unwrap_or("").as_bytes());
    // Without a delimiter there is one part.
    let none = delimiter.needle().is_empty() && index > 0;
    Ok(Column::write_text(Kind::Dynamic, rows, |row, out| {
        let mut found = false;
        if !none {
            parts(&text_of(text, row), &delimiter, Some(index), |part| {
                found = true;
                json::quote(part, out);
            });
        }
        found
    }))
}

fn strcat_array(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (array, delimiter) = pair(args)?;
    Ok(each_text(Kind::String, args, rows, |row, out| {
        let delimiter = text_of(delimiter, row);
        match (array, Dynamic::of(array, row)) {
            (Column::List(list), Some(_)) => {
                for (place, item) in list.range(row).enumerate() {
                    out.push_str(if place > 0 { &delimiter } else { "" });
                    append(&list.items, item, out);
                }
            }
            (_, Some(value)) => out.push_str(&value.texts().unwrap_or_default().join(&delimiter)),
            (_, None) => return false,
        }
        true
    }))
}

/// Appends a value as `tostring` writes it.
fn append(column: &Column, row: usize, out: &mut String) {
    match column {
        Column::Long(longs) if !column.is_null(row) => number::write_long(longs.value(row), out),
        Column::Text(Kind::String, text) => out.push_str(text.get(row).unwrap_or("")),
        column => out.push_str(&text_of(column, row)),
    }
}

fn joined(delimiter: Option<&Column>, parts: &[Column], args: &[Column], rows: usize) -> Column {
    each_text(Kind::String, args, rows, |row, out| {
        for (place, part) in parts.iter().enumerate() {
            if let Some(delimiter) = delimiter.filter(|_| place > 0) {
                append(delimiter, row, out);
            }
            append(part, row, out);
        }
        true
    })
}

fn strcat(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(joined(None, args, args, rows))
}

fn strcat_delim(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (delimiter, parts) = args.split_first().ok_or_else(|| Fault::internal("strcat_delim without a delimiter"))?;
    Ok(joined(Some(delimiter), parts, args, rows))
}

crate::kernels! {
    /// The parts of a text between delimiters, as an array; with an index, an array of that part alone.
    ///
    /// Source: split-function.
    ///
    /// ```kql
    /// split("aa_bb", "_") // ["aa","bb"]
    /// split("aaa_bbb_ccc", "_", 1) // ["bbb"]
    /// split("", "_") // [""]
    /// split("a__b", "_") // ["a","","b"]
    /// ```
    kql fn split (text: Any, delimiter: String, index[optional]: Long) -> Kind(Kind::Dynamic) = split;

    /// The elements of an array as one text with a delimiter between them.
    ///
    /// Source: strcat-array-function.
    ///
    /// ```kql
    /// strcat_array(dynamic([1, 2, 3]), "->") // 1->2->3
    /// ```
    kql fn strcat_array as [array_strcat] (array: Dynamic, delimiter: Any) -> Kind(Kind::String) = strcat_array;

    /// The values, as texts, one after the other.
    ///
    /// Source: strcat-function.
    ///
    /// ```kql
    /// strcat("hello", " ", "world") // hello world
    /// strcat("a", 1, true, long(null)) // a1true
    /// ```
    kql fn strcat (part[repeats]: Any) -> Kind(Kind::String) = strcat;

    /// The values, as texts, with a delimiter between them.
    ///
    /// Source: strcat-delim-function.
    ///
    /// ```kql
    /// strcat_delim("-", 1, "2", "A", 1s) // 1-2-A-00:00:01
    /// ```
    kql fn strcat_delim (delimiter: Any, part[repeats]: Any) -> Kind(Kind::String) = strcat_delim;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_of_one_part() {
        let parts = |text, delimiter: &str, index| {
            let mut found = Vec::new();
            parts(text, &Finder::new(delimiter), index, |part| found.push(part));
            found
        };
        assert_eq!(parts("a, b,, c", ", ", None), ["a", "b,", "c"]);
        assert_eq!(parts(",a,", ",", None), ["", "a", ""]);
        assert_eq!(parts("", ",", None), [""]);
        assert_eq!(parts("aé→bé→c", "é→", Some(2)), ["c"]);
        assert_eq!(parts("a,b", ",", Some(1)), ["b"]);
        assert!(parts("a,b", ",", Some(5)).is_empty());
        assert!(parts("a,b", ",", Some(-1)).is_empty());
        assert_eq!(parts("a,b", "", None), ["a,b"]);
        assert_eq!(parts("a,b", "", Some(3)), ["a,b"]);
    }
}
