//! Texts put together, and taken apart into arrays.
use super::Context;
use super::operators::pair;
use super::row::{each, text_of};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Dynamic, Kind, List, Pieces, Value, json, number};
use std::sync::Arc;

/// The parts of a text: all of them, or the one at an index.
fn parts<'a>(text: &'a str, delimiter: &'a str, index: Option<i64>) -> impl Iterator<Item = &'a str> {
    let whole = delimiter.is_empty().then_some(text);
    let (skip, take) = match index.filter(|_| whole.is_none()) {
        None => (0, usize::MAX),
        Some(index) => usize::try_from(index).map_or((0, 0), |index| (index, 1)),
    };
    let split = whole.is_none().then(|| text.split(delimiter));
    split.into_iter().flatten().skip(skip).take(take).chain(whole)
}

/// A typed list whose texts share the bytes of what was split.
fn split(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, delimiter) = pair(args)?;
    let index = |row: usize| args.get(2).and_then(|c| c.value(row).as_long());
    if rows > 0 && args.iter().all(Column::is_const) {
        let text = text_of(text, 0);
        let mut writer = json::Writer::default();
        writer.begin_array();
        parts(&text, delimiter.text(0).unwrap_or(""), index(0)).for_each(|part| {
            writer.string(part);
        });
        writer.end_array();
        return Ok(Column::Const(Value::dynamic(writer.finish()), rows));
    }
    let mut items = Pieces::new(Kind::String, Some(text), rows * 4);
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    for row in 0..rows {
        let text = text_of(text, row);
        parts(&text, delimiter.text(row).unwrap_or(""), index(row)).for_each(|part| items.push(row, part));
        offsets.push(u32::try_from(items.len()).map_err(|_| Fault::limit("rows", "split() makes too many parts"))?);
    }
    Ok(Column::List(List { offsets: offsets.into(), nulls: None, items: Arc::new(items.finish()) }))
}

fn strcat_array(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (array, delimiter) = pair(args)?;
    let mut made = String::new();
    each(Kind::String, args, rows, |row, out| {
        let delimiter = text_of(delimiter, row);
        made.clear();
        match (array, Dynamic::of(array, row)) {
            (Column::List(list), Some(_)) => {
                for (place, item) in list.range(row).enumerate() {
                    made.push_str(if place > 0 { &delimiter } else { "" });
                    append(&list.items, item, &mut made);
                }
            }
            (_, Some(value)) => made.push_str(&value.texts().unwrap_or_default().join(&delimiter)),
            (_, None) => {
                out.push_null();
                return Ok(());
            }
        }
        out.push_text(&made);
        Ok(())
    })
}

/// Appends a value as `tostring` writes it.
fn append(column: &Column, row: usize, out: &mut String) {
    match column {
        Column::Long(longs) if !column.is_null(row) => number::write_long(longs.value(row), out),
        Column::Text(Kind::String, text) => out.push_str(text.get(row).unwrap_or("")),
        column => out.push_str(&text_of(column, row)),
    }
}

fn joined(delimiter: Option<&Column>, parts: &[Column], args: &[Column], rows: usize) -> Result<Column> {
    let mut text = String::new();
    each(Kind::String, args, rows, |row, out| {
        text.clear();
        for (place, part) in parts.iter().enumerate() {
            if let Some(delimiter) = delimiter.filter(|_| place > 0) {
                append(delimiter, row, &mut text);
            }
            append(part, row, &mut text);
        }
        out.push_text(&text);
        Ok(())
    })
}

fn strcat(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    joined(None, args, args, rows)
}

fn strcat_delim(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (delimiter, parts) = args.split_first().ok_or_else(|| Fault::internal("strcat_delim without a delimiter"))?;
    joined(Some(delimiter), parts, args, rows)
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
        let parts = |text, delimiter, index| parts(text, delimiter, index).collect::<Vec<_>>();
        assert_eq!(parts("a,b", ",", Some(1)), ["b"]);
        assert!(parts("a,b", ",", Some(5)).is_empty());
        assert!(parts("a,b", ",", Some(-1)).is_empty());
        assert_eq!(parts("a,b", "", None), ["a,b"]);
        assert_eq!(parts("a,b", "", Some(3)), ["a,b"]);
    }
}
