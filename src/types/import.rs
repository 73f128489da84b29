//! Arrow arrays as columns: numbers and text move without copying their bytes.
use super::{Builder, Column, Dictionary, Kind, List, Text, convert, gather};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, Float64Array, GenericStringArray, Int32Array, Int64Array, OffsetSizeTrait, StringViewArray,
};
use arrow_buffer::NullBuffer;
use arrow_data::MAX_INLINE_VIEW_LEN;
use arrow_schema::{DataType, Field, TimeUnit};
use std::sync::Arc;

/// The kind that an Arrow field arrives as where no schema says otherwise.
pub fn natural_kind(field: &Field) -> Kind {
    let extension = field.metadata().get("ARROW:extension:name").map(String::as_str);
    match (extension, field.data_type()) {
        (Some("arrow.json"), _) => Kind::Dynamic,
        (Some("arrow.uuid"), _) => Kind::Guid,
        (_, data_type) => kind_of(data_type),
    }
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Bool,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => Kind::Int,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Kind::Long,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Real,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Kind::Decimal
        }
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::DateTime,
        DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => Kind::TimeSpan,
        DataType::Dictionary(_, values) => kind_of(values),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => Kind::Dynamic,
        DataType::FixedSizeBinary(16) => Kind::Guid,
        _ => Kind::String,
    }
}

/// The rows of `array` as a column of `kind`: all of them, or those of `rows`.
pub fn load(array: &ArrayRef, kind: Kind, rows: Option<&[u32]>) -> Column {
    as_kind(natural(array, rows), kind)
}

/// A column of the kind that its values have by themselves as one of `kind`.
pub fn as_kind(column: Column, kind: Kind) -> Column {
    let column = convert::of_kind(column, kind);
    if kind == Kind::String { without_null_text(column) } else { column }
}

fn natural(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    match array.data_type() {
        DataType::Utf8 => Column::strings(as_views(array.as_string::<i32>(), rows)),
        DataType::LargeUtf8 => Column::strings(as_views(array.as_string::<i64>(), rows)),
        DataType::Boolean => pick(Column::Bool(array.as_boolean().clone()), rows),
        DataType::Int32 => pick(Column::Int(array.as_primitive::<Int32Type>().clone()), rows),
        DataType::Int64 => pick(Column::Long(array.as_primitive::<Int64Type>().clone()), rows),
        DataType::Float64 => pick(Column::Real(array.as_primitive::<Float64Type>().clone()), rows),
        DataType::Utf8View => pick(Column::strings(array.as_string_view().clone()), rows),
        DataType::Timestamp(unit, _) => timestamps(array, *unit, rows),
        DataType::Duration(unit) => durations(array, *unit, rows),
        DataType::Dictionary(_, values) if is_text(values) => dictionary(array, rows),
        _ => other(array, rows),
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn pick(column: Column, rows: Option<&[u32]>) -> Column {
    match rows {
        Some(rows) => gather::take(&column, rows),
        None => column,
    }
}

/// Views over the bytes of a string array: no byte of a text longer than 12 is copied.
pub fn as_views<O: OffsetSizeTrait>(array: &GenericStringArray<O>, rows: Option<&[u32]>) -> StringViewArray {
    let offsets = array.value_offsets();
    let last = offsets.last().map_or(0, |o| o.as_usize());
    if u32::try_from(last).is_err() {
        // Views address 4 GB a buffer; a larger array is copied into several.
        let all = StringViewArray::from_iter(array.iter());
        return match rows {
            Some(rows) => match gather::take(&Column::strings(all), rows) {
                Column::Text(_, Text::Views(views)) => views,
                _ => StringViewArray::new_null(0),
            },
            None => all,
        };
    }
    let bytes = array.value_data();
    let view = |row: usize| view_of(bytes, offsets[row].as_usize(), offsets[row + 1].as_usize());
    let views: Vec<u128> = match rows {
        Some(rows) => rows.iter().map(|&r| view(r as usize)).collect(),
        None => (0..array.len()).map(view).collect(),
    };
    let nulls = match (array.nulls(), rows) {
        (Some(nulls), Some(rows)) => Some(rows.iter().map(|&r| nulls.is_valid(r as usize)).collect::<NullBuffer>()),
        (nulls, _) => nulls.cloned(),
    };
    let nulls = nulls.filter(|n| n.null_count() > 0);
    // SAFETY: every view lies within `bytes`, which is valid UTF-8 between the array's offsets.
    unsafe { StringViewArray::new_unchecked(views.into(), [array.values().clone()].into(), nulls) }
}

/// The view of `bytes[start..end]` in buffer 0.
#[inline(always)]
pub fn view_of(bytes: &[u8], start: usize, end: usize) -> u128 {
    let length = (end - start) as u32;
    // Sixteen bytes are loaded at once and cut to the text: copying so many as there are would cost more.
    let head = match bytes.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(head) => u128::from_le_bytes(*head),
        None => u128::from_le_bytes(short_head(&bytes[start..end])),
    };
    // Short and long texts are mixed in many columns, so that no branch tells them apart. Both begin with their length
    // and their first four bytes; then come the other bytes of a short one, or the buffer and the place of a long one.
    let first = head as u64 & ((1 << (8 * length.min(4))) - 1);
    let others = (head >> 32) as u64 & OTHERS[length.clamp(4, MAX_INLINE_VIEW_LEN) as usize - 4];
    let place = (start as u64) << 32;
    let long = u64::from(length > MAX_INLINE_VIEW_LEN).wrapping_neg();
    u128::from(u64::from(length) | first << 32) | u128::from(place & long | others & !long) << 64
}

/// The bits of so many bytes, the lowest ones.
const OTHERS: [u64; 9] =
    [0, 0xff, 0xffff, 0xff_ffff, u32::MAX as u64, u64::MAX >> 24, u64::MAX >> 16, u64::MAX >> 8, u64::MAX];

#[cold]
fn short_head(text: &[u8]) -> [u8; 16] {
    let mut head = [0; 16];
    head.iter_mut().zip(text).for_each(|(into, byte)| *into = *byte);
    head
}

fn scaled(values: &[i64], nulls: Option<&NullBuffer>, rows: Option<&[u32]>, scale: impl Fn(i64) -> i64) -> Int64Array {
    match rows {
        Some(rows) => {
            let taken: Vec<i64> = rows.iter().map(|&r| scale(values[r as usize])).collect();
            let nulls = nulls.map(|n| rows.iter().map(|&r| n.is_valid(r as usize)).collect::<NullBuffer>());
            Int64Array::new(taken.into(), nulls.filter(|n| n.null_count() > 0))
        }
        None => Int64Array::new(values.iter().map(|&v| scale(v)).collect::<Vec<_>>().into(), nulls.cloned()),
    }
}

fn ticks(array: &Int64Array, unit: TimeUnit, rows: Option<&[u32]>) -> Int64Array {
    let (values, nulls) = (array.values(), array.nulls());
    scaled(values, nulls, rows, |value| ticks_of(value, unit))
}

/// A number of some unit of time in ticks.
#[inline(always)]
pub fn ticks_of(value: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => value.saturating_mul(10_000_000),
        TimeUnit::Millisecond => value.saturating_mul(10_000),
        TimeUnit::Microsecond => value.saturating_mul(10),
        TimeUnit::Nanosecond => value.div_euclid(100),
    }
}

fn timestamps(array: &ArrayRef, unit: TimeUnit, rows: Option<&[u32]>) -> Column {
    let raw = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast::<Int64Type>(),
    };
    Column::DateTime(ticks(&raw, unit, rows))
}

fn durations(array: &ArrayRef, unit: TimeUnit, rows: Option<&[u32]>) -> Column {
    let raw = match unit {
        TimeUnit::Second => array.as_primitive::<DurationSecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Millisecond => array.as_primitive::<DurationMillisecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Microsecond => array.as_primitive::<DurationMicrosecondType>().reinterpret_cast::<Int64Type>(),
        TimeUnit::Nanosecond => array.as_primitive::<DurationNanosecondType>().reinterpret_cast::<Int64Type>(),
    };
    Column::TimeSpan(ticks(&raw, unit, rows))
}

/// A dictionary of texts; a dictionary of anything else is decoded. Of one that is larger than what is taken from it
/// only the texts that are taken are looked at.
fn dictionary(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    let any = array.as_any_dictionary();
    let Ok(keys) = arrow_cast::cast(any.keys(), &DataType::Int32) else { return other(array, rows) };
    let keys: Int32Array = keys.as_primitive::<Int32Type>().clone();
    if rows.map_or(keys.len(), <[u32]>::len) < any.values().len() {
        return looked_up(&keys, any.values(), rows);
    }
    let values = match natural(any.values(), None) {
        Column::Text(_, Text::Views(views)) if views.null_count() == 0 => views,
        _ => return decoded(array, rows),
    };
    pick(Column::Text(Kind::String, Text::Dictionary(keys, Dictionary::new(values))), rows)
}

/// The texts that keys stand for; of a key that is null, none.
fn looked_up(keys: &Int32Array, values: &ArrayRef, rows: Option<&[u32]>) -> Column {
    let Column::Int(keys) = pick(Column::Int(keys.clone()), rows) else { return Column::nulls(Kind::String, 0) };
    let places: Vec<u32> = keys.iter().map(|key| key.unwrap_or_default().unsigned_abs()).collect();
    match natural(values, Some(&places)) {
        Column::Text(kind, Text::Views(views)) => {
            let nulls = NullBuffer::union(views.nulls(), keys.nulls());
            let (places, buffers, _) = views.into_parts();
            // SAFETY: the views are those of a valid array, and only more of them are null.
            Column::Text(kind, Text::Views(unsafe { StringViewArray::new_unchecked(places, buffers, nulls) }))
        }
        other => other,
    }
}

fn decoded(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    match arrow_cast::cast(array, &DataType::Utf8View) {
        Ok(plain) => natural(&plain, rows),
        Err(_) => Column::nulls(Kind::String, rows.map_or(array.len(), <[u32]>::len)),
    }
}

/// The rarer layouts, by way of Arrow's own casts; lists and structs become JSON text.
fn other(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    let target = match array.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Time32(TimeUnit::Second) => return time_of_day(array, DataType::Duration(TimeUnit::Second), rows),
        DataType::Time32(_) => return time_of_day(array, DataType::Duration(TimeUnit::Millisecond), rows),
        DataType::Time64(unit) => return time_of_day(array, DataType::Duration(*unit), rows),
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => return nested(array, rows),
        DataType::FixedSizeBinary(16) => return guids(array, rows),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let text = pick(decoded(array, None), rows);
            return convert::lenient(&text, Kind::Decimal);
        }
        _ => DataType::Utf8View,
    };
    match arrow_cast::cast(array, &target) {
        Ok(plain) if plain.data_type() != array.data_type() => natural(&plain, rows),
        _ => Column::nulls(kind_of(array.data_type()), rows.map_or(array.len(), <[u32]>::len)),
    }
}

fn time_of_day(array: &ArrayRef, duration: DataType, rows: Option<&[u32]>) -> Column {
    let wide = arrow_cast::cast(array, &DataType::Int64).and_then(|a| arrow_cast::cast(&a, &duration));
    match wide {
        Ok(plain) => natural(&plain, rows),
        Err(_) => Column::nulls(Kind::TimeSpan, rows.map_or(array.len(), <[u32]>::len)),
    }
}

fn guids(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    let bytes = array.as_fixed_size_binary();
    let mut builder = Builder::new(Kind::Guid, bytes.len());
    for row in 0..bytes.len() {
        match bytes.is_null(row) {
            true => builder.push_null(),
            false => builder.push_text(&hex_guid(bytes.value(row))),
        }
    }
    pick(builder.finish(), rows)
}

fn hex_guid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn nested(array: &ArrayRef, rows: Option<&[u32]>) -> Column {
    if let Some(list) = list(array) {
        return pick(Column::List(list), rows);
    }
    let mut builder = Builder::new(Kind::Dynamic, array.len());
    for row in 0..array.len() {
        let mut text = String::new();
        super::nested::write_json(array.as_ref(), row, &mut text);
        if text == "null" { builder.push_null() } else { builder.push_text(&text) }
    }
    pick(builder.finish(), rows)
}

/// A list of numbers, bools or texts as a typed list; none for other elements, and for texts that are null.
fn list(array: &ArrayRef) -> Option<List> {
    let (offsets, items): (Arc<[u32]>, &ArrayRef) = match array.data_type() {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            (places(lists.value_offsets())?, lists.values())
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            (places(lists.value_offsets())?, lists.values())
        }
        DataType::FixedSizeList(_, wide) => {
            let wide = u32::try_from(*wide).ok()?;
            let rows = u32::try_from(array.len()).ok().filter(|rows| rows.checked_mul(wide).is_some())?;
            ((0..=rows).map(|row| row * wide).collect(), array.as_fixed_size_list().values())
        }
        _ => return None,
    };
    let kind = match kind_of(items.data_type()) {
        Kind::Int | Kind::Long => Kind::Long,
        kind @ (Kind::Real | Kind::Bool) => kind,
        Kind::String if is_text(items.data_type()) && items.null_count() == 0 => Kind::String,
        _ => return None,
    };
    // An array that is a part of another has the elements of all.
    let (first, last) = (*offsets.first()?, *offsets.last()?);
    let items = load(&items.slice(first as usize, (last - first) as usize), kind, None);
    let offsets = if first == 0 { offsets } else { offsets.iter().map(|offset| offset - first).collect() };
    Some(List { offsets, nulls: array.nulls().cloned(), items: Arc::new(items) })
}

/// Offsets, which ascend, as the places that a list has; none where the last one lies too far.
fn places<O: OffsetSizeTrait>(offsets: &[O]) -> Option<Arc<[u32]>> {
    u32::try_from(offsets.last()?.as_usize()).ok()?;
    Some(offsets.iter().map(|offset| offset.as_usize() as u32).collect())
}

/// Kusto's strings are never null: a null text becomes `""`.
pub fn without_null_text(column: Column) -> Column {
    match column {
        Column::Text(kind, Text::Views(views)) if views.null_count() > 0 => {
            let nulls = views.nulls().cloned();
            let filled: Vec<u128> = views
                .views()
                .iter()
                .enumerate()
                .map(|(row, view)| if nulls.as_ref().is_some_and(|n| n.is_null(row)) { 0 } else { *view })
                .collect();
            // SAFETY: the views are the array's own, or the empty text.
            let views = unsafe { StringViewArray::new_unchecked(filled.into(), views.data_buffers().clone(), None) };
            Column::Text(kind, Text::Views(views))
        }
        Column::Text(kind, Text::Dictionary(keys, dictionary)) if keys.null_count() > 0 => {
            let empty = dictionary.values.iter().position(|v| v == Some(""));
            let (key, dictionary) = match empty {
                Some(key) => (key as i32, dictionary),
                None => (dictionary.len() as i32, with_empty_text(&dictionary)),
            };
            let keys: Int32Array = keys.iter().map(|k| Some(k.unwrap_or(key))).collect();
            Column::Text(kind, Text::Dictionary(Int32Array::new(keys.values().clone(), None), dictionary))
        }
        Column::Const(super::Value::Null(_), rows) => Column::Const(super::Value::string(""), rows),
        other => other,
    }
}

fn with_empty_text(dictionary: &Dictionary) -> std::sync::Arc<Dictionary> {
    let mut views = dictionary.values.views().to_vec();
    views.push(0);
    let buffers = dictionary.values.data_buffers().clone();
    // SAFETY: the views are the array's own and the empty text.
    Dictionary::new(unsafe { StringViewArray::new_unchecked(views.into(), buffers, None) })
}

/// A real column of Arrow from a slice of values.
pub fn reals(values: Vec<f64>) -> Column {
    Column::Real(Float64Array::from(values))
}
