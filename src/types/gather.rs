//! Picking rows, putting columns behind each other, and putting rows of several columns together.
use super::{Builder, Column, List, Text, Value};
use arrow_array::{
    Array, BooleanArray, Int32Array, PrimitiveArray, StringViewArray, UInt32Array, types::ArrowPrimitiveType,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use std::sync::Arc;

/// The rows of `column` at `rows`, in that order.
pub fn take(column: &Column, rows: &[u32]) -> Column {
    match column {
        Column::Const(value, _) => Column::Const(value.clone(), rows.len()),
        Column::Bool(a) => Column::Bool(take_bool(a, rows)),
        Column::Int(a) => Column::Int(take_primitive(a, rows)),
        Column::Long(a) => Column::Long(take_primitive(a, rows)),
        Column::Real(a) => Column::Real(take_primitive(a, rows)),
        Column::DateTime(a) => Column::DateTime(take_primitive(a, rows)),
        Column::TimeSpan(a) => Column::TimeSpan(take_primitive(a, rows)),
        Column::Text(kind, text) => Column::Text(*kind, take_text(text, rows)),
        Column::List(list) => Column::List(take_list(list, rows)),
    }
}

/// Rows `start..start + rows` without copying.
pub fn slice(column: &Column, start: usize, rows: usize) -> Column {
    match column {
        Column::Const(value, _) => Column::Const(value.clone(), rows),
        Column::Bool(a) => Column::Bool(a.slice(start, rows)),
        Column::Int(a) => Column::Int(a.slice(start, rows)),
        Column::Long(a) => Column::Long(a.slice(start, rows)),
        Column::Real(a) => Column::Real(a.slice(start, rows)),
        Column::DateTime(a) => Column::DateTime(a.slice(start, rows)),
        Column::TimeSpan(a) => Column::TimeSpan(a.slice(start, rows)),
        Column::Text(kind, Text::Views(a)) => Column::Text(*kind, Text::Views(a.slice(start, rows))),
        Column::Text(kind, Text::Dictionary(keys, d)) => {
            Column::Text(*kind, Text::Dictionary(keys.slice(start, rows), d.clone()))
        }
        Column::List(list) => Column::List(List {
            offsets: list.offsets.get(start..=start + rows).unwrap_or_default().into(),
            nulls: list.nulls.as_ref().map(|n| n.slice(start, rows)),
            items: list.items.clone(),
        }),
    }
}

fn take_nulls(nulls: Option<&NullBuffer>, rows: &[u32]) -> Option<NullBuffer> {
    let nulls = nulls.filter(|n| n.null_count() > 0)?;
    let bits = BooleanBuffer::collect_bool(rows.len(), |i| nulls.is_valid(rows[i] as usize));
    let taken = NullBuffer::new(bits);
    (taken.null_count() > 0).then_some(taken)
}

fn take_primitive<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, rows: &[u32]) -> PrimitiveArray<T> {
    let values = array.values();
    let taken: Vec<T::Native> = rows.iter().map(|&r| values[r as usize]).collect();
    PrimitiveArray::new(ScalarBuffer::from(taken), take_nulls(array.nulls(), rows))
}

fn take_bool(array: &BooleanArray, rows: &[u32]) -> BooleanArray {
    let values = array.values();
    let taken = BooleanBuffer::collect_bool(rows.len(), |i| values.value(rows[i] as usize));
    BooleanArray::new(taken, take_nulls(array.nulls(), rows))
}

fn take_text(text: &Text, rows: &[u32]) -> Text {
    match text {
        Text::Views(views) => Text::Views(take_views(views, rows)),
        Text::Dictionary(keys, dictionary) => Text::Dictionary(take_primitive(keys, rows), dictionary.clone()),
    }
}

fn take_views(array: &StringViewArray, rows: &[u32]) -> StringViewArray {
    let views = array.views();
    let taken: Vec<u128> = rows.iter().map(|&r| views[r as usize]).collect();
    // SAFETY: the views are copies of valid views of `array`, whose buffers are kept.
    unsafe {
        StringViewArray::new_unchecked(taken.into(), array.data_buffers().clone(), take_nulls(array.nulls(), rows))
    }
}

fn take_list(list: &List, rows: &[u32]) -> List {
    let mut offsets = Vec::with_capacity(rows.len() + 1);
    let mut items = Vec::new();
    offsets.push(0);
    for &row in rows {
        items.extend(list.range(row as usize).map(|i| i as u32));
        offsets.push(items.len() as u32);
    }
    List {
        offsets: offsets.into(),
        nulls: take_nulls(list.nulls.as_ref(), rows),
        items: Arc::new(take(&list.items, &items)),
    }
}

/// The dictionary's texts at `keys`, as views that share the dictionary's bytes.
pub fn views(values: &StringViewArray, keys: &Int32Array) -> StringViewArray {
    let source = values.views();
    let taken: Vec<u128> = keys.values().iter().map(|&k| source.get(k as usize).copied().unwrap_or_default()).collect();
    // SAFETY: every view is a copy of a valid view of `values`, or the empty text.
    unsafe { StringViewArray::new_unchecked(taken.into(), values.data_buffers().clone(), keys.nulls().cloned()) }
}

/// One column behind the other; all of one kind. `None` for no column at all.
pub fn concat(columns: &[Column]) -> Option<Column> {
    let first = columns.first()?;
    if columns.len() == 1 {
        return Some(first.clone());
    }
    if let Some(keys) = concat_same_dictionary(columns) {
        return Some(keys);
    }
    if columns.iter().all(|c| matches!(c, Column::Const(v, _) if Some(v) == const_of(first))) {
        let rows = columns.iter().map(Column::len).sum();
        return const_of(first).map(|v| Column::Const(v.clone(), rows));
    }
    if columns.iter().all(|c| matches!(c, Column::List(_))) && same_item_kinds(columns) {
        return Some(concat_lists(columns));
    }
    let columns: Vec<Column> = columns.iter().map(|c| c.clone().without_lists().materialized()).collect();
    Some(concat_plain(&columns))
}

fn const_of(column: &Column) -> Option<&Value> {
    match column {
        Column::Const(value, _) => Some(value),
        _ => None,
    }
}

fn same_item_kinds(columns: &[Column]) -> bool {
    let mut kinds = columns.iter().filter_map(|c| match c {
        Column::List(l) => Some(l.items.kind()),
        _ => None,
    });
    let first = kinds.next();
    kinds.all(|k| Some(k) == first)
}

fn concat_same_dictionary(columns: &[Column]) -> Option<Column> {
    let Column::Text(kind, Text::Dictionary(_, dictionary)) = columns.first()? else { return None };
    let mut keys = Vec::with_capacity(columns.len());
    for column in columns {
        match column {
            Column::Text(_, Text::Dictionary(k, d)) if Arc::ptr_eq(d, dictionary) => keys.push(k as &dyn Array),
            _ => return None,
        }
    }
    let joined = arrow_select::concat::concat(&keys).ok()?;
    let joined = joined.as_any().downcast_ref::<Int32Array>()?.clone();
    Some(Column::Text(*kind, Text::Dictionary(joined, dictionary.clone())))
}

fn concat_lists(columns: &[Column]) -> Column {
    let lists: Vec<&List> =
        columns.iter().filter_map(|c| if let Column::List(l) = c { Some(l) } else { None }).collect();
    let (mut offsets, mut items) = (vec![0u32], Vec::new());
    let mut valid = Vec::new();
    for list in &lists {
        let first = list.offsets.first().copied().unwrap_or(0);
        let last = list.offsets.last().copied().unwrap_or(0);
        let base = offsets.last().copied().unwrap_or(0);
        offsets.extend(list.offsets.iter().skip(1).map(|o| o - first + base));
        items.push(slice(&list.items, first as usize, (last - first) as usize));
        valid.extend((0..list.len()).map(|row| !list.is_null(row)));
    }
    let nulls = Some(NullBuffer::from(valid)).filter(|n| n.null_count() > 0);
    let items = concat(&items).unwrap_or(Column::nulls(super::Kind::Dynamic, 0));
    Column::List(List { offsets: offsets.into(), nulls, items: Arc::new(items) })
}

fn concat_plain(columns: &[Column]) -> Column {
    fn join<T: Array + Clone + 'static>(arrays: Vec<T>) -> Option<T> {
        let refs: Vec<&dyn Array> = arrays.iter().map(|a| a as &dyn Array).collect();
        arrow_select::concat::concat(&refs).ok()?.as_any().downcast_ref::<T>().cloned()
    }
    macro_rules! same {
        ($variant:ident) => {{
            let arrays: Vec<_> = columns
                .iter()
                .filter_map(|c| if let Column::$variant(a) = c { Some(a.clone()) } else { None })
                .collect();
            if arrays.len() == columns.len() {
                if let Some(array) = join(arrays) {
                    return Column::$variant(array);
                }
            }
        }};
    }
    same!(Bool);
    same!(Int);
    same!(Long);
    same!(Real);
    same!(DateTime);
    same!(TimeSpan);
    let kind = columns.first().map_or(super::Kind::String, Column::kind);
    let texts: Vec<StringViewArray> =
        columns.iter().filter_map(|c| if let Column::Text(_, t) = c { Some(t.to_views()) } else { None }).collect();
    if texts.len() == columns.len()
        && let Some(views) = join(texts)
    {
        return Column::Text(kind, Text::Views(views));
    }
    let mut builder = Builder::new(kind, 0);
    columns.iter().for_each(|c| c.values().for_each(|v| builder.push(&v)));
    builder.finish()
}

/// Row `i` of the result is row `picks[i].1` of `columns[picks[i].0]`; all of one kind.
pub fn interleave(columns: &[Column], picks: &[(u32, u32)]) -> Column {
    let mut starts = Vec::with_capacity(columns.len());
    let mut total = 0u32;
    for column in columns {
        starts.push(total);
        total += column.len() as u32;
    }
    let Some(joined) = concat(columns) else { return Column::nulls(super::Kind::Dynamic, 0) };
    let rows: Vec<u32> =
        picks.iter().map(|&(which, row)| starts.get(which as usize).copied().unwrap_or(0) + row).collect();
    take(&joined, &rows)
}

/// The rows of `column` at `rows`, null where a row number is null.
pub fn take_or_null(column: &Column, rows: &UInt32Array) -> Column {
    if rows.null_count() == 0 {
        return take(column, rows.values());
    }
    let padded = concat(&[column.clone(), Column::nulls(column.kind(), 1)]).unwrap_or_else(|| column.clone());
    let null = column.len() as u32;
    let picks: Vec<u32> = rows.iter().map(|r| r.unwrap_or(null)).collect();
    take(&padded, &picks)
}

/// The same text with its bytes copied together, so that it holds on to no larger buffers.
pub fn compact(column: Column) -> Column {
    match column {
        Column::Text(kind, Text::Views(views)) => Column::Text(kind, Text::Views(views.gc())),
        Column::List(list) => Column::List(List { items: Arc::new(compact((*list.items).clone())), ..list }),
        other => other,
    }
}
