//! Picking rows, putting columns behind each other, and putting rows of several columns together.
use super::vectors::wide;
use super::{Builder, Column, Dictionary, Field, List, Text, Value, field};
use arrow_array::{
    Array, BooleanArray, Int32Array, PrimitiveArray, StringViewArray, UInt32Array, types::ArrowPrimitiveType,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};
use std::collections::HashMap;
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
        Column::Field(field) => Column::Field(match field {
            Field::Long(a) => Field::Long(take_primitive(a, rows)),
            Field::Real(a) => Field::Real(take_primitive(a, rows)),
            Field::Several(list) => Field::Several(take_list(list, rows)),
        }),
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
        Column::List(list) => Column::List(slice_list(list, start, rows)),
        Column::Field(field) => Column::Field(match field {
            Field::Long(a) => Field::Long(a.slice(start, rows)),
            Field::Real(a) => Field::Real(a.slice(start, rows)),
            Field::Several(list) => Field::Several(slice_list(list, start, rows)),
        }),
    }
}

/// What goes over the elements of a list goes over those of its rows alone.
fn slice_list(list: &List, start: usize, rows: usize) -> List {
    let offsets = list.offsets.get(start..=start + rows).unwrap_or_default();
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    List {
        offsets: offsets.iter().map(|offset| offset - first).collect(),
        nulls: list.nulls.as_ref().map(|n| n.slice(start, rows)),
        items: Arc::new(slice(&list.items, first as usize, (last - first) as usize)),
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
    if columns.iter().any(|c| matches!(c, Column::Field(_) | Column::Const(Value::Field(_), _))) {
        return Some(field::concat(columns));
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
    if texts.len() == columns.len() {
        return Column::Text(kind, Text::Views(concat_views(&texts)));
    }
    let mut builder = Builder::new(kind, 0);
    columns.iter().for_each(|c| c.values().for_each(|v| builder.push(&v)));
    builder.finish()
}

/// Views behind each other over all their buffers, of which parts of one column share many.
fn concat_views(arrays: &[StringViewArray]) -> StringViewArray {
    let mut buffers: Vec<arrow_buffer::Buffer> = Vec::new();
    let mut known: HashMap<(usize, usize), u32> = HashMap::new();
    let mut views: Vec<u128> = Vec::with_capacity(arrays.iter().map(StringViewArray::len).sum());
    let mut last: (Option<&[arrow_buffer::Buffer]>, Vec<u32>) = (None, Vec::new());
    for array in arrays {
        let own = &array.data_buffers()[..];
        if last.0.is_none_or(|before| !std::ptr::eq(before, own)) {
            let place = |buffer: &arrow_buffer::Buffer| {
                *known.entry((buffer.as_ptr() as usize, buffer.len())).or_insert_with(|| {
                    buffers.push(buffer.clone());
                    buffers.len() as u32 - 1
                })
            };
            last = (Some(own), own.iter().map(place).collect());
        }
        let moved = |view: &u128| match *view as u32 <= 12 {
            true => *view,
            false => {
                let buffer = last.1.get((*view >> 64) as u32 as usize).copied().unwrap_or(0);
                (*view & !(u128::from(u32::MAX) << 64)) | u128::from(buffer) << 64
            }
        };
        views.extend(array.views().iter().map(moved));
    }
    let nulls = arrays.iter().any(|array| array.null_count() > 0).then(|| {
        let valid = arrays.iter().flat_map(|array| (0..array.len()).map(|row| array.is_valid(row)));
        valid.collect::<NullBuffer>()
    });
    // SAFETY: every view is a valid one of its array, moved to where its buffer stands now.
    unsafe { StringViewArray::new_unchecked(views.into(), buffers.into(), nulls) }
}

/// Row `i` of the result is row `picks[i].1` of `columns[picks[i].0]`; all of one kind.
pub fn interleave(columns: &[Column], picks: &[(u32, u32)]) -> Column {
    interleaved(columns, picks.iter().copied())
}

/// Row `i` of the result is row `i` of `columns[which[i]]`; all of one kind.
pub fn select(columns: &[Column], which: &[u8]) -> Column {
    interleaved(columns, which.iter().enumerate().map(|(row, which)| (u32::from(*which), row as u32)))
}

fn interleaved(columns: &[Column], picks: impl Iterator<Item = (u32, u32)> + Clone) -> Column {
    if let Some(few) = interleave_constants(columns, picks.clone()).or_else(|| interleave_plain(columns, picks.clone()))
    {
        return few;
    }
    let mut starts = Vec::with_capacity(columns.len());
    let mut total = 0u32;
    for column in columns {
        starts.push(total);
        total += column.len() as u32;
    }
    let Some(joined) = concat(columns) else { return Column::nulls(super::Kind::Dynamic, 0) };
    let rows: Vec<u32> = picks.map(|(which, row)| starts.get(which as usize).copied().unwrap_or(0) + row).collect();
    take(&joined, &rows)
}

/// Constant texts: a dictionary of them.
fn interleave_constants(columns: &[Column], picks: impl Iterator<Item = (u32, u32)>) -> Option<Column> {
    let texts = columns.iter().map(|c| const_of(c).and_then(Value::as_text)).collect::<Option<Vec<&str>>>()?;
    let kind = columns.first()?.kind();
    let mut distinct: Vec<&str> = Vec::new();
    let mut keys: Vec<i32> = Vec::with_capacity(texts.len());
    for text in texts {
        let known = distinct.iter().position(|known| *known == text);
        keys.push(known.unwrap_or(distinct.len()) as i32);
        if known.is_none() {
            distinct.push(text);
        }
    }
    let keys: Vec<i32> = picks.map(|(which, _)| keys[which as usize]).collect();
    let dictionary = Dictionary::of_distinct(StringViewArray::from_iter_values(distinct));
    Some(Column::Text(kind, Text::Dictionary(Int32Array::from(keys), dictionary)))
}

/// Numbers, or texts as views, where no row is null.
fn interleave_plain(columns: &[Column], picks: impl Iterator<Item = (u32, u32)>) -> Option<Column> {
    if columns.iter().any(|c| c.null_buffer().is_some_and(|n| n.null_count() > 0)) {
        return None;
    }
    macro_rules! picked {
        ($variant:ident) => {{
            let parts = columns.iter().map(|c| match c {
                Column::$variant(a) => Some((&a.values()[..], None)),
                Column::Const(Value::$variant(v), _) => Some((&[][..], Some(*v))),
                _ => None,
            });
            let parts: Vec<_> = parts.collect::<Option<_>>()?;
            let values: Vec<_> = picks
                .map(|(which, row)| match parts[which as usize] {
                    (_, Some(constant)) => constant,
                    (values, None) => values[row as usize],
                })
                .collect();
            Some(Column::$variant(PrimitiveArray::new(values.into(), None)))
        }};
    }
    match columns.iter().find(|c| !c.is_const())? {
        Column::Long(_) => picked!(Long),
        Column::Int(_) => picked!(Int),
        Column::Real(_) => picked!(Real),
        Column::DateTime(_) => picked!(DateTime),
        Column::TimeSpan(_) => picked!(TimeSpan),
        Column::Text(kind, _) => interleave_views(*kind, columns, picks),
        _ => None,
    }
}

/// The views of several columns over all their buffers.
fn interleave_views(kind: super::Kind, columns: &[Column], picks: impl Iterator<Item = (u32, u32)>) -> Option<Column> {
    let mut buffers: Vec<arrow_buffer::Buffer> = Vec::new();
    let mut parts: Vec<(StringViewArray, u128)> = Vec::with_capacity(columns.len());
    for column in columns {
        let views = match column {
            Column::Text(_, text) => text.to_views(),
            Column::Const(value, _) => StringViewArray::from_iter_values([value.as_text()?]),
            _ => return None,
        };
        let before = (buffers.len() as u128) << 64;
        buffers.extend(views.data_buffers().iter().cloned());
        parts.push((views, before));
    }
    let constant: Vec<bool> = columns.iter().map(Column::is_const).collect();
    let view = |(which, row): (u32, u32)| {
        let (views, before) = &parts[which as usize];
        let view = views.views()[if constant[which as usize] { 0 } else { row as usize }];
        if view as u32 <= 12 { view } else { view + before }
    };
    let views: Vec<u128> = picks.map(view).collect();
    // SAFETY: every view is a valid one of a column, moved to where that column's buffers stand now.
    Some(Column::Text(kind, Text::Views(unsafe { StringViewArray::new_unchecked(views.into(), buffers.into(), None) })))
}

/// The rows of `yes` where a bit is set, else those of `no`; both of one kind.
pub fn choose(mask: &BooleanBuffer, yes: &Column, no: &Column) -> Column {
    macro_rules! chosen {
        ($($variant:ident),*) => {
            match (yes, no) {
                $((
                    Column::$variant(_) | Column::Const(Value::$variant(_), _),
                    Column::$variant(_) | Column::Const(Value::$variant(_), _),
                ) => {
                    let lanes = |column: &'_ Column| match column {
                        Column::$variant(a) => Lanes::Each(a.values().clone()),
                        Column::Const(Value::$variant(value), _) => Lanes::One([*value; 64]),
                        other => Lanes::Each(vec![Default::default(); other.len()].into()),
                    };
                    let nulls = chosen_nulls(mask, yes, no);
                    return Column::$variant(PrimitiveArray::new(selected(mask, &lanes(yes), &lanes(no)).into(), nulls));
                })*
                _ => {}
            }
        };
    }
    chosen!(Int, Long, Real, DateTime, TimeSpan);
    let picks = (0..mask.len()).map(|row| (u32::from(!mask.value(row)), row as u32));
    interleaved(&[yes.clone(), no.clone()], picks)
}

/// Where the chosen row is not null; none where all are not.
fn chosen_nulls(mask: &BooleanBuffer, yes: &Column, no: &Column) -> Option<NullBuffer> {
    let (yes, no) = (yes.null_buffer(), no.null_buffer());
    if yes.is_none() && no.is_none() {
        return None;
    }
    let valid = |nulls: Option<NullBuffer>, of: &BooleanBuffer| nulls.map_or_else(|| of.clone(), |n| of & n.inner());
    let valid = &valid(yes, mask) | &valid(no, &!mask);
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// Numbers by 64, as many as a word has bits.
enum Lanes<T: ArrowNativeType> {
    One([T; 64]),
    Each(ScalarBuffer<T>),
}

impl<T: ArrowNativeType> Lanes<T> {
    fn chunk(&self, number: usize) -> &[T] {
        match self {
            Lanes::One(lanes) => lanes,
            Lanes::Each(values) => &values[number * 64..values.len().min(number * 64 + 64)],
        }
    }
}

fn selected<T: ArrowNativeType>(mask: &BooleanBuffer, yes: &Lanes<T>, no: &Lanes<T>) -> Vec<T> {
    let mut values: Vec<T> = Vec::with_capacity(mask.len());
    let words = mask.bit_chunks();
    wide(|| {
        for (number, word) in words.iter_padded().take(mask.len().div_ceil(64)).enumerate() {
            let rows = (mask.len() - number * 64).min(64);
            let lanes = yes.chunk(number).iter().zip(no.chunk(number)).take(rows).enumerate();
            values.extend(lanes.map(|(bit, (yes, no))| if word >> bit & 1 == 1 { *yes } else { *no }));
        }
    });
    values
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

/// The same texts with other nulls.
pub fn with_nulls(views: StringViewArray, nulls: Option<&NullBuffer>) -> StringViewArray {
    let (views, buffers, _) = views.into_parts();
    // SAFETY: the views and buffers are those of a valid array.
    unsafe { StringViewArray::new_unchecked(views, buffers, nulls.cloned()) }
}

/// About how many bytes a column holds.
pub fn held_bytes(column: &Column) -> usize {
    match column {
        Column::Const(..) => 0,
        Column::Bool(a) => a.len() / 8,
        Column::Int(a) => a.len() * 4,
        Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => a.len() * 8,
        Column::Real(a) => a.len() * 8,
        Column::Text(_, Text::Views(views)) => views.get_array_memory_size(),
        Column::Text(_, Text::Dictionary(keys, _)) => keys.len() * 4,
        Column::List(list) | Column::Field(Field::Several(list)) => list.offsets.len() * 4 + held_bytes(&list.items),
        Column::Field(field) => field.len() * 8,
    }
}

/// The same text with its bytes copied together, so that it holds on to no larger buffers.
pub fn compact(column: Column) -> Column {
    match column {
        Column::Text(kind, Text::Views(views)) if !views.data_buffers().is_empty() => {
            Column::Text(kind, Text::Views(views.gc()))
        }
        Column::List(list) => Column::List(compact_list(list)),
        Column::Field(Field::Several(list)) => Column::Field(Field::Several(compact_list(list))),
        other => other,
    }
}

fn compact_list(list: List) -> List {
    List { items: Arc::new(compact((*list.items).clone())), ..list }
}
