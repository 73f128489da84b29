//! The one spelling that equal dynamic values share.
use super::{Json, JsonKind, MAX_DEPTH, quote};
use crate::types::{decimal, number};
use std::borrow::Cow;

/// The value's spelling for comparisons and sets: properties by name, numbers by value (`1`, `1.0` and `1e0` are one),
/// strings with the same escapes, no blanks. What nests deeper than [`MAX_DEPTH`] stays as written.
pub fn canonical(json: &str) -> Cow<'_, str> {
    let value = Json::new(json);
    let text = value.text();
    let plain = match value.kind() {
        JsonKind::String => !text.contains('\\'),
        JsonKind::Null | JsonKind::Bool | JsonKind::DateTime | JsonKind::TimeSpan | JsonKind::Guid => true,
        _ => false,
    };
    if plain {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    write(value, 0, &mut out);
    Cow::Owned(out)
}

fn write(value: Json<'_>, depth: usize, out: &mut String) {
    match value.kind() {
        JsonKind::Array if depth < MAX_DEPTH => write_array(value, depth, out),
        JsonKind::Object if depth < MAX_DEPTH => write_bag(value, depth, out),
        JsonKind::String => quote(&value.as_str().unwrap_or_default(), out),
        JsonKind::Long => {
            out.push_str(&value.as_i64().map_or_else(|| value.text().to_owned(), |long| long.to_string()))
        }
        JsonKind::Real => write_real(value, out),
        JsonKind::Decimal => write_decimal(value, out),
        _ => out.push_str(value.text()),
    }
}

fn write_array(value: Json<'_>, depth: usize, out: &mut String) {
    out.push('[');
    for (place, element) in value.elements().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(element, depth + 1, out);
    }
    out.push(']');
}

fn write_bag(value: Json<'_>, depth: usize, out: &mut String) {
    let mut entries: Vec<_> = value.entries().collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    out.push('{');
    for (place, (key, property)) in entries.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        quote(&key, out);
        out.push(':');
        write(property, depth + 1, out);
    }
    out.push('}');
}

fn write_real(value: Json<'_>, out: &mut String) {
    let Some(real) = value.as_f64() else { return out.push_str(value.text()) };
    match number::real_to_long(real).filter(|long| *long as f64 == real) {
        Some(long) => out.push_str(&long.to_string()),
        None => out.push_str(&number::json_real(real)),
    }
}

fn write_decimal(value: Json<'_>, out: &mut String) {
    match value.inside().and_then(decimal::parse) {
        Some(text) => out.push_str(&text),
        None => out.push_str(value.text()),
    }
}
