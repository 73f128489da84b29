//! The elements of dynamic arrays as JSON text, and columns of dynamic values made row by row.
use crate::types::{Builder, Column, Dynamic, Json, Kind, Value};
use std::borrow::Cow;

/// The elements of an array, each as JSON text; none for anything but an array.
pub fn items(array: Dynamic<'_>) -> Option<Vec<Cow<'_, str>>> {
    match array {
        Dynamic::List(list, row) => {
            Some(list.range(row).map(|item| Cow::Owned(list.items.value(item).to_json())).collect())
        }
        Dynamic::Json(text) if array.is_array() => {
            Some(Json::new(text).elements().map(|element| Cow::Borrowed(element.text())).collect())
        }
        Dynamic::Json(_) => None,
    }
}

/// The array of such elements.
pub fn array(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut out = String::from("[");
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(item.as_ref());
    }
    out.push(']');
    out
}

/// A dynamic column of the JSON texts that `make` gives for each row; once where all arguments are constant.
pub fn json_rows(args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Option<String>) -> Column {
    if rows > 0 && args.iter().all(Column::is_const) {
        return Column::Const(make(0).map_or(Value::Null(Kind::Dynamic), Value::dynamic), rows);
    }
    let mut builder = Builder::new(Kind::Dynamic, rows);
    for row in 0..rows {
        match make(row) {
            Some(json) => builder.push_text(&json),
            None => builder.push_null(),
        }
    }
    builder.finish()
}

/// A column of `kind` of the values that `make` gives for each row; once where all arguments are constant.
pub fn value_rows(kind: Kind, args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Option<Value>) -> Column {
    if rows > 0 && args.iter().all(Column::is_const) {
        return Column::Const(make(0).unwrap_or(Value::null(kind)), rows);
    }
    let mut builder = Builder::new(kind, rows);
    for row in 0..rows {
        match make(row) {
            Some(value) => builder.push(&value),
            None => builder.push_null(),
        }
    }
    builder.finish()
}
