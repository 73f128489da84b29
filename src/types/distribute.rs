//! Rows of several columns, each put at its place.
use super::gather::{interleave, views};
use super::{Column, Dictionary, Kind, Text};
use arrow_array::{Int32Array, PrimitiveArray, StringViewArray};
use arrow_buffer::Buffer;
use std::sync::Arc;

/// The place of a row that [`distribute`] leaves out.
pub const NOWHERE: u32 = u32::MAX;

/// The rows of columns of one kind, each at the place that stands beside it: the places are those below `rows`, each
/// taken once.
pub fn distribute(kind: Kind, parts: &[(&Column, &[u32])], rows: usize) -> Column {
    if let Some(plain) = distribute_plain(parts, rows) {
        return plain;
    }
    let mut picks = vec![(0u32, 0u32); rows];
    for (number, (_, places)) in parts.iter().enumerate() {
        put(&mut picks, (0..places.len()).map(|row| (number as u32, row as u32)), places);
    }
    let columns: Vec<Column> = parts.iter().map(|(column, _)| (*column).clone()).collect();
    if columns.is_empty() { Column::nulls(kind, 0) } else { interleave(&columns, &picks) }
}

/// Puts values at their places.
fn put<T>(out: &mut [T], values: impl Iterator<Item = T>, places: &[u32]) {
    for (value, place) in values.zip(places) {
        if let Some(slot) = out.get_mut(*place as usize) {
            *slot = value;
        }
    }
}

/// Numbers and texts, where no row that has a place is null.
fn distribute_plain(parts: &[(&Column, &[u32])], rows: usize) -> Option<Column> {
    let null = |(column, places): &(&Column, &[u32])| {
        let nulls = column.null_buffer().filter(|nulls| nulls.null_count() > 0);
        nulls.is_some_and(|nulls| places.iter().zip(nulls.iter()).any(|(place, valid)| *place != NOWHERE && !valid))
    };
    if parts.iter().any(null) {
        return None;
    }
    macro_rules! numbers {
        ($variant:ident) => {{
            let mut out = vec![Default::default(); rows];
            for (column, places) in parts {
                let Column::$variant(array) = column else { return None };
                put(&mut out, array.values().iter().copied(), places);
            }
            Some(Column::$variant(PrimitiveArray::new(out.into(), None)))
        }};
    }
    match parts.first()?.0 {
        Column::Long(_) => numbers!(Long),
        Column::Real(_) => numbers!(Real),
        Column::DateTime(_) => numbers!(DateTime),
        Column::TimeSpan(_) => numbers!(TimeSpan),
        Column::Text(kind, Text::Dictionary(_, dictionary)) => distribute_keys(*kind, dictionary, parts, rows),
        Column::Text(kind, Text::Views(_)) => distribute_views(*kind, parts, rows),
        _ => None,
    }
}

/// Texts of one dictionary.
fn distribute_keys(
    kind: Kind,
    dictionary: &Arc<Dictionary>,
    parts: &[(&Column, &[u32])],
    rows: usize,
) -> Option<Column> {
    let mut out = vec![0; rows];
    for (column, places) in parts {
        match column {
            Column::Text(_, Text::Dictionary(keys, own)) if Arc::ptr_eq(own, dictionary) => {
                put(&mut out, keys.values().iter().copied(), places);
            }
            _ => return None,
        }
    }
    Some(Column::Text(kind, Text::Views(views(&dictionary.values, &Int32Array::new(out.into(), None)))))
}

fn distribute_views(kind: Kind, parts: &[(&Column, &[u32])], rows: usize) -> Option<Column> {
    let mut buffers: Vec<Buffer> = Vec::new();
    let mut out = vec![0u128; rows];
    for (column, places) in parts {
        let Column::Text(_, Text::Views(array)) = column else { return None };
        let before = (buffers.len() as u128) << 64;
        buffers.extend(array.data_buffers().iter().cloned());
        let moved = |view: &u128| if *view as u32 <= 12 { *view } else { *view + before };
        put(&mut out, array.views().iter().map(moved), places);
    }
    // SAFETY: every view is a valid one of a column, moved to where that column's buffers stand now, or the empty text.
    Some(Column::Text(kind, Text::Views(unsafe { StringViewArray::new_unchecked(out.into(), buffers.into(), None) })))
}
