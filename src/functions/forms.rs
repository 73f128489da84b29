//! Forms of the query language that are made of functions: paths into dynamics, elements, rows of a range.
//! No query can write their names.
use super::Context;
use crate::diagnostic::{Fault, Result};
use crate::types::json::{self, PathStep};
use crate::types::{Builder, Column, Dynamic, Json, Kind, List, Text, Value, convert, gather, numbers};
use arrow_array::{Array, Float64Array, Int64Array, UInt32Array};
use std::sync::Arc;

/// A path's steps from a JSON array of keys and indexes.
fn steps_of(path: &str) -> Vec<PathStep> {
    let step = |step: Json| match step.as_str() {
        Some(key) => PathStep::Key(key.as_ref().into()),
        None => PathStep::Index(step.as_i64().unwrap_or(0)),
    };
    Json::new(path).elements().map(step).collect()
}

/// `value.a[0]["b"]`: the steps are a constant array.
pub(super) fn path(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, path) = super::operators::pair(args)?;
    let Some(steps) = path.text(0) else { return Ok(Column::nulls(Kind::Dynamic, rows)) };
    let steps: Arc<Vec<PathStep>> = context.prepared("path", steps, || Ok::<_, Fault>(steps_of(steps)))?;
    if let Column::Const(..) = value {
        let found = Dynamic::of(value, 0).and_then(|v| follow(v, &steps));
        return Ok(Column::Const(found.map_or(Value::Null(Kind::Dynamic), Value::dynamic), rows));
    }
    if matches!(value, Column::Text(..)) {
        return Ok(value.map_text(Kind::Dynamic, |text| json::path(text, &steps).map(|found| found.text())));
    }
    if let (Column::List(list), [PathStep::Index(index)]) = (value, steps.as_slice())
        && list.items.kind() != Kind::Dynamic
    {
        return Ok(element_at(list, *index).in_dynamic());
    }
    let mut out = Builder::new(Kind::Dynamic, rows);
    for row in 0..rows {
        match Dynamic::of(value, row).and_then(|value| follow(value, &steps)) {
            Some(text) => out.push_text(&text),
            None => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// `tolong(array[0])`, without the text of an element that is a number already.
pub(super) fn long_at_path(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, steps) = super::operators::pair(args)?;
    if let Column::List(list) = value
        && let Some(index) = only_index(steps)
        && matches!(list.items.kind(), Kind::Long | Kind::Real)
    {
        return Ok(convert::lenient(&element_at(list, index), Kind::Long));
    }
    Ok(convert::lenient(&path(context, args, rows)?, Kind::Long))
}

/// `parse_json(text).a[0]["b"]`, in one pass over each text.
pub(super) fn path_of_parsed(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, steps) = super::operators::pair(args)?;
    let (Column::Text(Kind::String, _), Some(steps)) = (value, steps.text(0)) else {
        return path(context, &[convert::lenient(value, Kind::Dynamic), steps.clone()], rows);
    };
    let steps: Arc<Vec<PathStep>> = context.prepared("path", steps, || Ok::<_, Fault>(steps_of(steps)))?;
    Ok(value.map_text(Kind::Dynamic, |text| json::parsed_path(text, &steps)))
}

/// The name of the only property that a path of a part leads to.
pub(super) fn only_key(path: &Column) -> Option<String> {
    match steps_of(path.text(0)?).as_slice() {
        [PathStep::Key(name)] => Some(name.to_string()),
        _ => None,
    }
}

/// The only index of a path, where it counts from the start.
pub(super) fn only_index(path: &Column) -> Option<i64> {
    match steps_of(path.text(0)?).as_slice() {
        [PathStep::Index(index @ 0..)] => Some(*index),
        _ => None,
    }
}

/// The element of each list at an index; null where there is none.
fn element_at(list: &List, index: i64) -> Column {
    let place = |row: usize| {
        let range = list.range(row);
        let at = if index < 0 { index.checked_add(range.len() as i64)? } else { index };
        let at = usize::try_from(at).ok().filter(|at| *at < range.len() && !list.is_null(row))?;
        Some((range.start + at) as u32)
    };
    let places: UInt32Array = numbers(list.len(), place);
    // A text that is not there is null here, though no column of texts is.
    match gather::take_or_null(&list.items, &places) {
        Column::Text(Kind::String, Text::Views(views)) => {
            Column::Text(Kind::Field, Text::Views(gather::with_nulls(views, places.nulls())))
        }
        other => other,
    }
}

fn follow(value: Dynamic, steps: &[PathStep]) -> Option<String> {
    match value {
        Dynamic::Json(text) => json::path(text, steps).map(|found| found.text().to_owned()),
        Dynamic::List(..) => {
            let (PathStep::Index(index), rest) = steps.split_first()? else { return None };
            let element = value.index(*index)?.to_json();
            json::path(&element, rest).map(|found| found.text().to_owned())
        }
    }
}

/// `value[key]` with a key that differs by row: a text, or the place in an array.
fn element(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, key) = super::operators::pair(args)?;
    let mut out = Builder::new(Kind::Dynamic, rows);
    for row in 0..rows {
        let step = match key.value(row) {
            Value::Text(Kind::String, text) => Some(PathStep::Key(text.as_ref().into())),
            Value::Text(Kind::Dynamic, text) => steps_of(&format!("[{text}]")).into_iter().next(),
            number => number.as_long().map(PathStep::Index),
        };
        let found = step.and_then(|step| follow(Dynamic::of(value, row)?, &[step]));
        match found {
            Some(text) => out.push_text(&text),
            None => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// A value of any kind as a dynamic: a text stays a text, and is not read as JSON.
fn dynamic(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match args.first() {
        Some(value) if value.kind() == Kind::Dynamic => Ok(value.clone()),
        Some(Column::Const(value, _)) if value.is_null() => Ok(Column::nulls(Kind::Dynamic, rows)),
        Some(Column::Const(value, _)) => Ok(Column::Const(Value::dynamic(value.to_json()), rows)),
        Some(value) => Ok(value.in_dynamic()),
        None => Ok(Column::nulls(Kind::Dynamic, rows)),
    }
}

/// Names and values by turns, as a bag without the properties that are null or empty.
fn pack_present(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let mut out = Builder::new(Kind::Dynamic, rows);
    let mut bag = json::Writer::default();
    for row in 0..rows {
        bag.clear();
        bag.begin_bag();
        for pair in args.chunks_exact(2) {
            let [name, value] = pair else { continue };
            if !value.is_null(row) && (value.kind() != Kind::String || value.text(row) != Some("")) {
                bag.key(name.text(row).unwrap_or(""));
                bag.with(|out| value.write_json(row, out));
            }
        }
        bag.end_bag();
        out.push_text(bag.text());
    }
    Ok(out.finish())
}

/// The values of `range x from a to b step c`, in one array: the first of them, where only so many are asked for.
fn range(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [from, to, step, asked @ ..] = args else { return Err(Fault::internal("a range has three ends")) };
    let (from, to, step) = (from.value(0), to.value(0), step.value(0));
    let asked = asked.first().and_then(|asked| asked.value(0).as_long());
    let kind = from.kind();
    let items = match (kind, step.as_real()) {
        (Kind::Real, Some(width)) => {
            let (Some(a), Some(b)) = (from.as_real(), to.as_real()) else { return Ok(none(rows)) };
            let count = count_of((b - a) / width, asked, context)?;
            Column::Real(Float64Array::from_iter_values((0..count).map(|i| a + i as f64 * width)))
        }
        _ => {
            let ends = (from.as_long(), to.as_long(), step.as_long().filter(|s| *s != 0));
            let (Some(a), Some(b), Some(width)) = ends else { return Ok(none(rows)) };
            let count = count_of((i128::from(b) - i128::from(a)) as f64 / width as f64, asked, context)?;
            let values = (0..count).map(|i| a.wrapping_add((i as i64).wrapping_mul(width)));
            let values = Int64Array::from_iter_values(values);
            match kind {
                Kind::DateTime => Column::DateTime(values),
                Kind::TimeSpan => Column::TimeSpan(values),
                _ => Column::Long(values),
            }
        }
    };
    let end = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let list = crate::types::List { offsets: [0, end].into(), nulls: None, items: Arc::new(items) };
    Ok(Column::List(list))
}

fn none(rows: usize) -> Column {
    Column::Const(Value::dynamic("[]"), rows)
}

/// How many steps fit, both ends included, or as many as are asked for.
fn count_of(steps: f64, asked: Option<i64>, context: &Context) -> Result<usize> {
    if steps.is_nan() || steps < 0.0 || asked.is_some_and(|asked| asked <= 0) {
        return Ok(0);
    }
    let steps = asked.map_or(steps, |asked| steps.min((asked - 1) as f64));
    // Half a billion elements at most, whatever the setting: places in a list have 32 bits.
    match steps < context.limits.rows.min(1 << 31) as f64 {
        true => Ok(steps.floor() as usize + 1),
        false => Err(Fault::limit("rows", "a range has too many rows")),
    }
}

crate::kernels! {
    /// The value at the end of a path into a dynamic; null where there is none.
    ///
    /// Source: the documentation page "The dynamic data type".
    ///
    /// ```kql
    /// dynamic({"a": {"b": [1, 2]}}).a.b[1] // 2
    /// dynamic({"a": 1}).b // null
    /// ```
    kql fn ".path" (value: Dynamic, steps: Dynamic) -> Kind(Kind::Dynamic) = path;

    /// The element of an array or the property of a bag that an expression names.
    ///
    /// Source: the documentation page "The dynamic data type".
    ///
    /// ```kql
    /// dynamic({"a": 1})[strcat("a", "")] // 1
    /// ```
    kql fn ".element" (value: Dynamic, key: Any) -> Kind(Kind::Dynamic) = element;

    /// A value of any kind as a dynamic.
    ///
    /// Source: the documentation page "The dynamic data type".
    ///
    /// ```kql
    /// iff(1 == 1, "a", 5) // a
    /// ```
    kql fn ".dynamic" (value: Any) -> Kind(Kind::Dynamic) = dynamic;

    /// Names and values as a bag, without the values that are null or empty.
    ///
    /// Source: pack-all-function.
    ///
    /// ```kql
    /// print a = 1, b = "" | project bag = pack_all(true) // {"a":1}
    /// ```
    kql fn ".pack_present" (name_or_value[any]: Any) -> Kind(Kind::Dynamic) = pack_present;

    /// The rows of `range x from a to b step c`.
    ///
    /// Source: range-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 4 | summarize count() // 3
    /// ```
    kql fn ".range" (from: Any, to: Any, step: Any, asked[optional]: Long) -> Kind(Kind::Dynamic) = range;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context::new(0, super::super::Limits::default(), Default::default())
    }

    fn constant(value: Value) -> Column {
        Column::Const(value, 1)
    }

    #[test]
    fn a_path_leads_through_bags_and_arrays_of_both_encodings() {
        let bag = constant(Value::dynamic(r#"{"a":{"b":[1,"x"]}}"#));
        let steps = constant(Value::dynamic(r#"["a","b",-1]"#));
        let found = path(&context(), &[bag, steps], 1).unwrap();
        assert_eq!(found.value(0), Value::dynamic("\"x\""));
        let items = Arc::new(Column::Long(Int64Array::from(vec![7, 8])));
        let list = Column::List(crate::types::List { offsets: [0, 2].into(), nulls: None, items });
        let found = path(&context(), &[list, constant(Value::dynamic("[1]"))], 1).unwrap();
        assert_eq!(found.value(0), Value::dynamic("8"));
    }

    #[test]
    fn a_range_is_empty_where_its_step_leads_away() {
        let ends = [5, 1, 1].map(|i| constant(Value::Long(i)));
        assert_eq!(Dynamic::of(&range(&context(), &ends, 1).unwrap(), 0).unwrap().len(), Some(0));
        let ends = [1, 10, 4].map(|i| constant(Value::Long(i)));
        assert_eq!(range(&context(), &ends, 1).unwrap().value(0), Value::dynamic("[1,5,9]"));
    }
}
