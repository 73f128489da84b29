//! Dynamic arrays: packing, slicing, shifting, searching.
use super::bag::is_standard;
use super::items::{array, items, json_rows};
use super::lists::{Lists, places};
use super::operators::pair;
use super::row::{Any, Dyn, JsonOut, Long, Maybe, each, each_text};
use super::{Context, compare};
use crate::diagnostic::{Fault, Result};
use crate::types::json::JsonKind;
use crate::types::{Column, Dynamic, Json, Kind, List, Value, convert, gather, json, numbers};
use arrow_array::Array;
use std::borrow::Cow;
use std::sync::Arc;

/// Values of one kind make a typed list, others JSON text.
fn pack_array(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let kind = args.first().map_or(Kind::Dynamic, Column::kind);
    if kind == Kind::Dynamic || rows == 0 || args.iter().any(|a| a.kind() != kind) || args.iter().all(Column::is_const)
    {
        return Ok(written(Kind::Dynamic, args, rows));
    }
    let columns: Vec<Column> = args.iter().map(|a| inside_dynamic(a.clone())).collect();
    let wide = columns.len() as u32;
    let end = u32::try_from(rows).ok().and_then(|rows| rows.checked_mul(wide));
    let rows = end.ok_or_else(|| Fault::internal("a packed array has too many elements"))? / wide;
    let picks: Vec<(u32, u32)> = (0..rows).flat_map(|row| (0..wide).map(move |column| (column, row))).collect();
    let items = Arc::new(gather::interleave(&columns, &picks));
    Ok(Column::List(List { offsets: (0..=rows).map(|row| row * wide).collect(), nulls: None, items }))
}

/// The arrays of the values of each row, as text.
fn written(kind: Kind, args: &[Column], rows: usize) -> Column {
    each_text(kind, args, rows, |row, out| {
        out.push('[');
        for (place, value) in args.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            value.write_json(row, out);
        }
        out.push(']');
        true
    })
}

/// `tostring(pack_array(…))`, in one go where the array's text is standard JSON as it is.
pub(super) fn text_of_packed(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match !args.is_empty() && args.iter().all(is_standard) {
        true => Ok(written(Kind::String, args, rows)),
        false => Ok(convert::lenient(&pack_array(context, args, rows)?, Kind::String)),
    }
}

/// Whole numbers inside a dynamic are longs.
pub(super) fn inside_dynamic(column: Column) -> Column {
    if column.kind() == Kind::Int { convert::lenient(&column, Kind::Long) } else { column }
}

fn array_concat(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(longs) = concat_longs(args, rows) {
        return Ok(longs);
    }
    if let Some(lists) = Lists::new(args) {
        return Ok(lists.map(&mut |_, ranges, places| places.extend(ranges.iter().cloned().flatten())));
    }
    Ok(json_rows(args, rows, |row| {
        let parts: Option<Vec<Vec<Cow<str>>>> = args.iter().map(|a| items(Dynamic::of(a, row)?)).collect();
        Some(array(parts?.into_iter().flatten()))
    }))
}

/// Lists of longs none of which is null, each behind the other; none for others.
fn concat_longs(args: &[Column], rows: usize) -> Option<Column> {
    let list = |arg: &'_ Column| match arg {
        Column::List(list) if list.nulls.is_none() => Some(list.clone()),
        _ => None,
    };
    let lists = args.iter().map(list).collect::<Option<Vec<List>>>()?;
    let longs = |list: &'_ List| match &*list.items {
        Column::Long(items) if items.null_count() == 0 => Some(items.values().clone()),
        _ => None,
    };
    let items = lists.iter().map(longs).collect::<Option<Vec<_>>>()?;
    let length = |list: &List| Some((list.offsets.last()? - list.offsets.first()?) as usize);
    let room = lists.iter().map(length).sum::<Option<usize>>().filter(|room| *room < u32::MAX as usize)?;
    let (mut offsets, mut values) = (Vec::with_capacity(rows + 1), Vec::with_capacity(room));
    offsets.push(0);
    for row in 0..rows {
        for (list, items) in lists.iter().zip(&items) {
            values.extend_from_slice(items.get(list.range(row)).unwrap_or_default());
        }
        offsets.push(values.len() as u32);
    }
    Some(Column::List(List { offsets: offsets.into(), nulls: None, items: Arc::new(Column::Long(values.into())) }))
}

fn array_sum(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [array] = args else { return Err(Fault::internal("array_sum() takes one argument")) };
    if let Column::List(list) = array {
        match &*list.items {
            Column::Long(items) if items.null_count() == 0 => {
                return Ok(sums_of_plain(list, items.values(), |item| *item as f64));
            }
            Column::Real(items) if items.null_count() == 0 => {
                return Ok(sums_of_plain(list, items.values(), |item| *item));
            }
            _ => {}
        }
    }
    // The sum of nothing would be -0.0.
    let sum = |array: Dynamic| array.numbers()?.into_iter().sum::<Option<f64>>().map(|sum| sum + 0.0);
    each(Kind::Real, args, rows, |row, out| {
        match Dynamic::of(array, row).and_then(sum) {
            Some(sum) => out.push_real(sum),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// The sums of typed lists of numbers without nulls.
fn sums_of_plain<T>(list: &List, items: &[T], real: impl Fn(&T) -> f64) -> Column {
    let sum = |row: usize| {
        let own = items.get(list.range(row)).filter(|_| !list.is_null(row))?;
        Some(own.iter().fold(0.0, |sum, item| sum + real(item)))
    };
    Column::Real(numbers(list.len(), sum))
}

/// Moves elements to the left (to the right where `by` is negative) and fills what becomes free.
fn shifted(array_of: Dynamic, by: i64, fill: Option<Value>) -> Option<String> {
    let all = items(array_of)?;
    let texts = || !all.is_empty() && all.iter().all(|item| item.starts_with('"'));
    let fill = match fill.filter(|f| !f.is_null()) {
        Some(fill) => fill.to_json(),
        None if texts() => "\"\"".into(),
        None => "null".into(),
    };
    let place = |at: usize| {
        let from = i64::try_from(at).ok()?.checked_add(by)?;
        all.get(usize::try_from(from).ok()?)
    };
    Some(array((0..all.len()).map(|at| place(at).map_or(fill.as_str(), |item| item.as_ref()))))
}

/// Moves elements to the left, those pushed out to the other end.
fn rotated(array_of: Dynamic, by: i64) -> Option<String> {
    let mut all = items(array_of)?;
    if !all.is_empty() {
        let by = by.rem_euclid(all.len() as i64) as usize;
        all.rotate_left(by);
    }
    Some(array(all))
}

/// The place that an index means: a negative one counts from the end.
fn place(index: i64, length: usize) -> i64 {
    if index < 0 { index.saturating_add(length as i64) } else { index }
}

fn sliced(array_of: Dynamic, start: i64, end: i64) -> Option<String> {
    let all = items(array_of)?;
    let start = usize::try_from(place(start, all.len()).max(0)).ok()?;
    let end = usize::try_from(place(end, all.len()).saturating_add(1).max(0)).ok()?.min(all.len());
    Some(array(all.get(start..end).unwrap_or_default()))
}

fn array_slice(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [arrays, start, end] = args else { return Err(Fault::internal("array_slice() takes three arguments")) };
    let ends = |row: usize| Some((start.value(row).as_long()?, end.value(row).as_long()?));
    if let (Some(lists), true) = (Lists::new(&args[..1]), start.is_const() && end.is_const() && rows > 0) {
        let Some((start, end)) = ends(0) else { return Ok(Column::nulls(Kind::Dynamic, rows)) };
        return Ok(lists.map(&mut |_, ranges, places| {
            let Some(range) = ranges.first() else { return };
            let length = range.len();
            let start = place(start, length).clamp(0, length as i64) as usize;
            let end = place(end, length).saturating_add(1).clamp(0, length as i64) as usize;
            places.extend(range.clone().take(end).skip(start));
        }));
    }
    Ok(json_rows(args, rows, |row| {
        let (start, end) = ends(row)?;
        sliced(Dynamic::of(arrays, row)?, start, end)
    }))
}

/// The pieces between the places; places out of order make empty pieces.
fn split_at(array_of: Dynamic, places: &[i64]) -> Option<String> {
    let all = items(array_of)?;
    let mut pieces = Vec::with_capacity(places.len() + 1);
    let mut start = 0;
    for index in places {
        let end = usize::try_from(place(*index, all.len()).max(0)).ok()?.min(all.len());
        pieces.push(array(all.get(start..end).unwrap_or_default()));
        start = end.max(start);
    }
    pieces.push(array(all.get(start..).unwrap_or_default()));
    Some(array(pieces))
}

fn split_places(places: &Value) -> Option<Vec<i64>> {
    match places {
        Value::Text(Kind::Dynamic, text) if text.starts_with('[') => {
            Json::new(text).elements().map(|e| e.as_i64()).collect()
        }
        Value::Text(Kind::Dynamic, text) => Some(vec![Json::new(text).as_i64()?]),
        other => Some(vec![other.as_long()?]),
    }
}

/// Where `value` stands for the `occurrence`th time within `length` elements from `start`; -1 where it does not.
fn index_of(array_of: Dynamic, value: &Value, start: i64, length: i64, occurrence: i64) -> Option<i64> {
    if occurrence < 0 || length < -1 {
        return None;
    }
    let all = array_of.elements()?;
    let start = usize::try_from(place(start, all.len()).max(0)).ok()?;
    let end = match length {
        -1 => all.len(),
        length => start.saturating_add(usize::try_from(length).ok()?).min(all.len()),
    };
    let skipped = usize::try_from((occurrence - 1).max(0)).ok()?;
    let found = (start..end).filter(|at| all.get(*at).is_some_and(|item| equals(item, value))).nth(skipped);
    Some(found.map_or(-1, |at| at as i64))
}

fn array_index_of(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (list, value) = pair(args)?;
    if let ([_, Column::Const(value, _)], true) = (args, !list.is_const())
        && let Some(places) = places(list, value)
    {
        return Ok(Column::Long(places.into_iter().collect()));
    }
    let number = |at: usize, row: usize, other| args.get(at).and_then(|c| c.value(row).as_long()).unwrap_or(other);
    each(Kind::Long, args, rows, |row, out| {
        let place = Dynamic::of(list, row).and_then(|list| {
            index_of(list, &value.value(row), number(2, row, 0), number(3, row, -1), number(4, row, 1))
        });
        match place {
            Some(place) => out.push_long(place),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// Whether two values are the same: numbers by value, dynamics by their canonical form.
pub(super) fn equals(left: &Value, right: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Text(Kind::Dynamic, text) => json::scalar(text),
        other => other.clone(),
    };
    let (left, right) = (plain(left), plain(right));
    let comparable = left.kind() == right.kind() || (left.kind().is_number() && right.kind().is_number());
    !left.is_null() && !right.is_null() && comparable && compare::order(&left, &right).is_some_and(|o| o.is_eq())
}

/// Chooses by condition; an element that is neither a bool nor a number chooses null.
fn chosen(condition: Dynamic, yes: &Value, no: &Value) -> Option<String> {
    let conditions = items(condition)?;
    let (yes, no) = (Choice::of(yes), Choice::of(no));
    Some(array(conditions.iter().enumerate().map(|(at, condition)| {
        let condition = Json::new(condition);
        let holds = match condition.kind() {
            JsonKind::Bool => condition.as_bool(),
            _ => condition.as_f64().map(|number| number != 0.0),
        };
        holds.map_or("null", |holds| if holds { yes.at(at) } else { no.at(at) })
    })))
}

/// An array's elements, or a scalar for every place.
enum Choice {
    Each(Vec<String>),
    All(String),
}

impl Choice {
    fn of(value: &Value) -> Choice {
        match value {
            Value::Text(Kind::Dynamic, text) if text.starts_with('[') => {
                Choice::Each(Json::new(text).elements().map(|e| e.text().to_owned()).collect())
            }
            other => Choice::All(other.to_json()),
        }
    }

    fn at(&self, place: usize) -> &str {
        match self {
            Choice::Each(items) => items.get(place).map_or("null", String::as_str),
            Choice::All(item) => item,
        }
    }
}

/// The rank of a kind in a sorted array, the same in both directions, then the order within it.
fn order_elements(left: &Value, right: &Value, descending: bool) -> std::cmp::Ordering {
    let rank = |value: &Value| match value {
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Text(Kind::Decimal, _) => 0,
        Value::DateTime(_) | Value::TimeSpan(_) => 1,
        Value::Text(Kind::String, _) => 2,
        Value::Text(Kind::Guid, _) => 3,
        Value::Bool(_) => 4,
        _ => 5,
    };
    let by_value = || {
        let nan = |value: &Value| matches!(value, Value::Real(r) if r.is_nan());
        compare::order(left, right).unwrap_or_else(|| nan(left).cmp(&nan(right)))
    };
    let within = || if descending { by_value().reverse() } else { by_value() };
    rank(left).cmp(&rank(right)).then_with(within)
}

/// The first array sorted; the array at `place` in that order.
fn sorted(arrays: &[Dynamic], place: usize, descending: bool, nulls_last: bool) -> Option<String> {
    let keys = arrays.first()?.elements()?;
    let own = items(*arrays.get(place)?)?;
    if own.len() != keys.len() {
        return None;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| {
        let (Some(a), Some(b)) = (keys.get(*a), keys.get(*b)) else { return std::cmp::Ordering::Equal };
        match (a.is_null(), b.is_null()) {
            (false, false) => order_elements(a, b, descending),
            (left, right) if nulls_last => left.cmp(&right),
            (left, right) => right.cmp(&left),
        }
    });
    Some(array(order.into_iter().filter_map(|at| own.get(at))))
}

/// The result of one array is the array; of several, an array of arrays, which the columns are taken from.
fn sort(args: &[Column], rows: usize, descending: bool) -> Column {
    let (arrays, flag) = match args {
        [arrays @ .., flag] if flag.kind() == Kind::Bool => (arrays, Some(flag)),
        arrays => (arrays, None),
    };
    if let ([_], Some(sorted)) = (arrays, Lists::new(arrays).and_then(|lists| lists.sorted(descending))) {
        return sorted;
    }
    json_rows(args, rows, |row| {
        let nulls_last = flag.and_then(|f| f.value(row).as_bool()).unwrap_or(true);
        let arrays: Option<Vec<Dynamic>> = arrays.iter().map(|a| Dynamic::of(a, row)).collect();
        let arrays = arrays?;
        if arrays.len() == 1 {
            return sorted(&arrays, 0, descending, nulls_last);
        }
        let one = |place| sorted(&arrays, place, descending, nulls_last).unwrap_or_else(|| "null".into());
        Some(array((0..arrays.len()).map(one)))
    })
}

fn sort_ascending(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(sort(args, rows, false))
}

fn sort_descending(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(sort(args, rows, true))
}

/// Arrays of the elements that stand at the same place, null where an array has ended.
fn zip(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(json_rows(args, rows, |row| {
        let arrays: Option<Vec<Vec<Cow<str>>>> = args.iter().map(|a| items(Dynamic::of(a, row)?)).collect();
        let arrays = arrays?;
        let longest = arrays.iter().map(Vec::len).max().unwrap_or(0);
        let tuple = |at: usize| array(arrays.iter().map(|a| a.get(at).map_or("null", |item| item.as_ref())));
        Some(array((0..longest).map(tuple)))
    }))
}

crate::scalars! {
    /// The number of elements of an array; null for anything else.
    ///
    /// Source: array-length-function.
    ///
    /// ```kql
    /// array_length(dynamic([1, 2, "x"])) // 3
    /// array_length(dynamic({"a": 1})) // null
    /// ```
    kql fn array_length as [arraylength] (array: Dyn) -> Option<i64> {
        match array {
            Dynamic::List(list, row) => Some(list.range(row).len() as i64),
            Dynamic::Json(_) if array.is_array() => array.len().map(|length| length as i64),
            Dynamic::Json(_) => None,
        }
    }

    /// The array cut before one place, or before each of several: an array of arrays.
    ///
    /// Source: array-split-function.
    ///
    /// ```kql
    /// array_split(dynamic([1, 2, 3, 4, 5]), 2) // [[1,2],[3,4,5]]
    /// array_split(dynamic([1, 2, 3, 4, 5]), dynamic([1, 3])) // [[1],[2,3],[4,5]]
    /// ```
    kql fn array_split (array: Dyn, index: Any) -> Option<JsonOut> {
        split_at(array, &split_places(&index)?).map(JsonOut)
    }

    /// The array backwards.
    ///
    /// Source: array-reverse-function.
    ///
    /// ```kql
    /// array_reverse(dynamic(["this", "is", "an", "example"])) // ["example","an","is","this"]
    /// ```
    kql fn array_reverse (array: Dyn) -> Option<JsonOut> {
        Some(JsonOut(super::items::array(items(array)?.into_iter().rev())))
    }

    /// The array with its elements moved to the left, those pushed out set at the end.
    ///
    /// Source: array-rotate-left-function.
    ///
    /// ```kql
    /// array_rotate_left(dynamic([1, 2, 3, 4, 5]), 2) // [3,4,5,1,2]
    /// ```
    kql fn array_rotate_left (array: Dyn, count: Long) -> Option<JsonOut> { rotated(array, count).map(JsonOut) }

    /// The array with its elements moved to the right, those pushed out set at the start.
    ///
    /// Source: array-rotate-right-function.
    ///
    /// ```kql
    /// array_rotate_right(dynamic([1, 2, 3, 4, 5]), 2) // [4,5,1,2,3]
    /// ```
    kql fn array_rotate_right (array: Dyn, count: Long) -> Option<JsonOut> {
        rotated(array, count.checked_neg()?).map(JsonOut)
    }

    /// The array with its elements moved to the left; free places take the default: null, or `""` among texts.
    ///
    /// Source: array-shift-left-function.
    ///
    /// ```kql
    /// array_shift_left(dynamic([1, 2, 3, 4, 5]), 2) // [3,4,5,null,null]
    /// array_shift_left(dynamic([1, 2, 3, 4, 5]), -2, -1) // [-1,-1,1,2,3]
    /// ```
    kql fn array_shift_left (array: Dyn, count: Long, default_value: Maybe<Any>) -> Option<JsonOut> {
        shifted(array, count, default_value).map(JsonOut)
    }

    /// The array with its elements moved to the right; free places take the default: null, or `""` among texts.
    ///
    /// Source: array-shift-right-function.
    ///
    /// ```kql
    /// array_shift_right(dynamic([1, 2, 3, 4, 5]), 2) // [null,null,1,2,3]
    /// ```
    kql fn array_shift_right (array: Dyn, count: Long, default_value: Maybe<Any>) -> Option<JsonOut> {
        shifted(array, count.checked_neg()?, default_value).map(JsonOut)
    }

    /// Takes each element from one array or the other (or one scalar or the other), as the array of conditions says.
    ///
    /// Source: array-iff-function.
    ///
    /// ```kql
    /// array_iff(dynamic([true, false, true]), dynamic([1, 2, 3]), dynamic([4, 5, 6])) // [1,5,3]
    /// array_iff(dynamic([1, 0, 50]), "yes", "no") // ["yes","no","yes"]
    /// ```
    kql fn array_iff as [array_iif] (conditions: Dyn, when_true: Any, when_false: Any) -> Option<JsonOut> {
        chosen(conditions, &when_true, &when_false).map(JsonOut)
    }

}

crate::kernels! {
    /// The sum of an array's numbers; null where an element is no number.
    ///
    /// Source: array-sum-function.
    ///
    /// ```kql
    /// array_sum(dynamic([1, 2, 3, 4])) // 10
    /// array_sum(dynamic([1, "a"])) // null
    /// ```
    kql fn array_sum (array: Dynamic) -> Kind(Kind::Real) = array_sum;

    /// The place of a value in an array, -1 where it is not there.
    ///
    /// The search looks at `length` elements (all for -1) from `start` on (from the end for a negative one), for
    /// the given occurrence. Null for a negative occurrence and a length below -1.
    ///
    /// Source: array-index-of-function.
    ///
    /// ```kql
    /// array_index_of(dynamic(["this", "is", "an", "example"]), "an") // 2
    /// array_index_of(dynamic(["an", "is", "an"]), "an", 0, -1, 2) // 2
    /// array_index_of(dynamic([1, 2]), 3) // -1
    /// ```
    kql fn array_index_of (
        array: Dynamic, value: Any, start[optional]: Long, length[optional]: Long, occurrence[optional]: Long
    ) -> Kind(Kind::Long) = array_index_of;

    /// The elements from place `start` to place `end`, both included; negative places count from the end.
    ///
    /// Source: array-slice-function.
    ///
    /// ```kql
    /// array_slice(dynamic([1, 2, 3]), 1, 2) // [2,3]
    /// array_slice(dynamic([1, 2, 3, 4, 5]), -3, -2) // [3,4]
    /// ```
    kql fn array_slice (array: Dynamic, start: Long, end: Long) -> Kind(Kind::Dynamic) = array_slice;

    /// An array of the values.
    ///
    /// Source: pack-array-function.
    ///
    /// ```kql
    /// pack_array(1, 2, 4) // [1,2,4]
    /// pack_array(1, "2") // [1,"2"]
    /// ```
    kql fn pack_array (value[any]: Any) -> Kind(Kind::Dynamic) = pack_array;

    /// The elements of several arrays as one array; null where one of them is no array.
    ///
    /// Source: array-concat-function.
    ///
    /// ```kql
    /// array_concat(dynamic([1, 2]), dynamic([2, "x"])) // [1,2,2,"x"]
    /// ```
    kql fn array_concat (array[repeats]: Dynamic) -> Kind(Kind::Dynamic) = array_concat;

    /// The array in ascending order: numbers, datetimes and timespans, then texts, guids and the rest, nulls last
    /// unless the last argument is `false`. More arrays are brought into the same order; the result then is an
    /// array of arrays.
    ///
    /// Source: array-sort-asc-function.
    ///
    /// ```kql
    /// array_sort_asc(dynamic([3, null, 1, "a", 2])) // [1,2,3,"a",null]
    /// ```
    kql fn array_sort_asc (array: Dynamic, more[any]: Any) -> Kind(Kind::Dynamic) = sort_ascending;

    /// The array in descending order, nulls last unless the last argument is `false`; see `array_sort_asc`.
    ///
    /// Source: array-sort-desc-function.
    ///
    /// ```kql
    /// array_sort_desc(dynamic([3, null, 1, 2])) // [3,2,1,null]
    /// ```
    kql fn array_sort_desc (array: Dynamic, more[any]: Any) -> Kind(Kind::Dynamic) = sort_descending;

    /// An array of arrays: of the first elements of all arrays, of the second ones, and so on, null where an array
    /// has ended.
    ///
    /// Source: zip-function.
    ///
    /// ```kql
    /// zip(dynamic([1, 3, 5]), dynamic([2, 4, 6])) // [[1,2],[3,4],[5,6]]
    /// zip(dynamic(["A", 1, 1.5]), dynamic([{}, "B"])) // [["A",{}],[1,"B"],[1.5,null]]
    /// ```
    kql fn zip (array[repeats]: Dynamic) -> Kind(Kind::Dynamic) = zip;
}
