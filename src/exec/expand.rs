//! `mv-expand`: rows for the elements of arrays and bags.
use super::batch::{Batch, Columns};
use super::pipeline::Expansion;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, evaluate};
use crate::functions::Context;
use crate::plan::Expanded;
use crate::types::field::FieldBuilder;
use crate::types::vectors::wide;
use crate::types::{
    Builder, Column, Dictionary, Dynamic, Field, FieldValue, Json, Kind, Name, Pieces, Text, Value, convert, gather,
    json,
};
use arrow_array::{Array, Int32Array};
use std::collections::HashSet;
use std::sync::Arc;

/// The batch with a row for each element; several columns are zipped, the shorter padded with nulls.
///
/// Source: mv-expand-operator.
pub fn expand(batch: Batch, expansion: &Expansion, live: &HashSet<Name>, context: &Context) -> Result<Batch> {
    if let ([wanted], None) = (expansion.columns.as_slice(), &expansion.index)
        && wanted.kind == Kind::Field
    {
        return fields(batch, wanted, expansion.limit, live, context);
    }
    let (rows, made) = elements(&batch, expansion, context)?;
    batch.multiplied(rows, live, made)
}

/// The values of a field that has several: rows of one value, and rows without any, stay as they are.
fn fields(
    mut batch: Batch,
    wanted: &Expanded,
    limit: Option<u64>,
    live: &HashSet<Name>,
    context: &Context,
) -> Result<Batch> {
    let values = match evaluate(&wanted.value, &batch, context)? {
        several @ Column::Const(Value::Field(FieldValue::Several(_)), _) => several.materialized(),
        values => values,
    };
    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let Column::Field(Field::Several(list)) = &values else {
        batch.set(vec![(wanted.name.clone(), values)]);
        return Ok(batch);
    };
    let mut rows = Vec::with_capacity(list.items.len());
    let mut out = FieldBuilder::new(Some(&list.items), list.items.len());
    for row in 0..list.len() {
        let texts = list.range(row).take(most).filter_map(|item| list.items.text(item));
        let before = rows.len();
        for text in texts {
            out.push_text(text);
            rows.push(row as u32);
        }
        if rows.len() == before {
            out.push_null();
            rows.push(row as u32);
        }
        if rows.len() > context.limits.rows {
            return Err(Fault::limit("rows", "the values of a field make too many rows"));
        }
    }
    batch.multiplied(rows, live, vec![(wanted.name.clone(), out.finish())])
}

/// The source row of each new row, and the new columns.
pub fn elements(input: &dyn Input, expansion: &Expansion, context: &Context) -> Result<(Vec<u32>, Columns)> {
    let values = expansion.columns.iter().map(|c| evaluate(&c.value, input, context)).collect::<Result<Vec<_>>>()?;
    if let Some(quick) = single_list(input.rows(), &values, expansion, context) {
        return bounded(quick, context);
    }
    if let ([Column::Text(Kind::Dynamic, text)], [wanted], None) =
        (values.as_slice(), expansion.columns.as_slice(), &expansion.index)
    {
        let (rows, made) = single_json(&values[0], text, wanted.kind, expansion, context)?;
        return Ok((rows, vec![(wanted.name.clone(), made)]));
    }
    let most = expansion.limit.map_or(usize::MAX, |l| usize::try_from(l).unwrap_or(usize::MAX));
    let mut rows = Vec::new();
    let mut index = Vec::new();
    let mut builders: Vec<Builder> = expansion.columns.iter().map(|c| Builder::new(c.kind, 0)).collect();
    for row in 0..input.rows() {
        let parts: Vec<Parts> = values.iter().map(|v| Parts::of(v, row, expansion.keep_bags_as_arrays)).collect();
        let count = parts.iter().map(Parts::len).max().unwrap_or(0).max(usize::from(keeps_null_row(&parts, expansion)));
        for at in 0..count.min(most) {
            rows.push(row as u32);
            index.push(at as i64);
            for (part, builder) in parts.iter().zip(&mut builders) {
                let value = part.at(at);
                match builder.kind() == Kind::Dynamic && !value.is_null() {
                    // A text stays a text, and is not read as JSON.
                    true => builder.push_text(&value.to_json()),
                    false => builder.push(&convert::value_to(&value, builder.kind())),
                }
            }
        }
        if rows.len() > context.limits.rows {
            return Err(Fault::limit("rows", "mv-expand makes too many rows"));
        }
    }
    let names = expansion.columns.iter().map(|c| c.name.clone());
    let mut made: Columns = names.zip(builders.into_iter().map(Builder::finish)).collect();
    if let Some(name) = &expansion.index {
        made.push((name.clone(), Column::Long(index.into())));
    }
    Ok((rows, made))
}

fn bounded(made: (Vec<u32>, Columns), context: &Context) -> Result<(Vec<u32>, Columns)> {
    match made.0.len() > context.limits.rows {
        true => Err(Fault::limit("rows", "mv-expand makes too many rows")),
        false => Ok(made),
    }
}

/// `mv-expand` keeps a row whose value is null, and drops one whose array is empty.
fn keeps_null_row(parts: &[Parts], expansion: &Expansion) -> bool {
    expansion.keep_nulls && parts.iter().all(|p| matches!(p, Parts::Null))
}

/// One column of typed lists: its elements are converted all at once, and left alone where they are wanted as they are.
fn single_list(
    rows: usize,
    values: &[Column],
    expansion: &Expansion,
    context: &Context,
) -> Option<(Vec<u32>, Columns)> {
    let ([Column::List(list)], [wanted], None, None) =
        (values, expansion.columns.as_slice(), &expansion.limit, &expansion.index)
    else {
        return None;
    };
    if list.nulls.is_some() {
        return None;
    }
    // The elements of all rows lie one after the other.
    let (Some(first), Some(last)) = (list.offsets.first(), list.offsets.last()) else { return None };
    let mut source = Vec::with_capacity((last - first) as usize);
    for row in 0..rows {
        source.extend(std::iter::repeat_n(row as u32, list.range(row).len()));
    }
    let taken = gather::slice(&list.items, *first as usize, source.len());
    let made = match wanted.kind {
        kind if kind == taken.kind() => taken,
        Kind::Dynamic => small(&taken, context).unwrap_or_else(|| taken.in_dynamic()),
        kind => convert::lenient(&taken, kind),
    };
    Some((source, vec![(wanted.name.clone(), made)]))
}

/// Many longs that are all small, as the keys of a dictionary of their digits.
fn small(column: &Column, context: &Context) -> Option<Column> {
    const MANY: usize = 4096;
    let Column::Long(longs) = column else { return None };
    let values = longs.values();
    if values.len() < MANY || longs.null_count() > 0 || !wide(|| values.iter().fold(true, |all, v| all & is_small(*v)))
    {
        return None;
    }
    let digits = || Column::Long((0..SMALL).collect::<Vec<_>>().into()).in_dynamic();
    let dictionary = context.prepared("small longs", "", || match digits() {
        Column::Text(_, Text::Views(digits)) => Ok(Dictionary::of_distinct(digits)),
        _ => Err(()),
    });
    let keys = values.iter().map(|long| *long as i32).collect();
    Some(Column::Text(Kind::Dynamic, Text::Dictionary(Int32Array::new(keys, None), Arc::clone(&*dictionary.ok()?))))
}

/// Longs from 0 up to this one have digits in a dictionary.
const SMALL: i64 = 10_000;

fn is_small(long: i64) -> bool {
    (0..SMALL).contains(&long)
}

/// One column of JSON: an array's elements are taken over as they are written.
fn single_json(
    column: &Column,
    text: &Text,
    kind: Kind,
    expansion: &Expansion,
    context: &Context,
) -> Result<(Vec<u32>, Column)> {
    let most = expansion.limit.map_or(usize::MAX, |l| usize::try_from(l).unwrap_or(usize::MAX));
    let mut rows: Vec<u32> = Vec::with_capacity(text.len() * 4);
    let mut out = Elements::new(kind, column);
    for row in 0..text.len() {
        match text.get(row).filter(|json| json.starts_with('[')) {
            Some(json) => Json::new(json).elements().take(most).for_each(|element| {
                out.push(row, element.text());
                rows.push(row as u32);
            }),
            None => {
                let parts = [Parts::of(column, row, expansion.keep_bags_as_arrays)];
                let count = parts[0].len().max(usize::from(keeps_null_row(&parts, expansion))).min(most);
                for at in 0..count {
                    out.push_value(row, &parts[0].at(at));
                }
                rows.extend(std::iter::repeat_n(row as u32, count));
            }
        }
        if rows.len() > context.limits.rows {
            return Err(Fault::limit("rows", "mv-expand makes too many rows"));
        }
    }
    Ok((rows, out.finish()))
}

/// Collects elements as values of one kind.
enum Elements {
    Texts(Kind, Pieces),
    Others(Builder),
}

impl Elements {
    fn new(kind: Kind, source: &Column) -> Elements {
        match kind {
            Kind::String | Kind::Dynamic => Elements::Texts(kind, Pieces::new(kind, Some(source), source.len() * 4)),
            _ => Elements::Others(Builder::new(kind, source.len() * 4)),
        }
    }

    fn push(&mut self, row: usize, element: &str) {
        match self {
            Elements::Texts(_, out) if element == "null" => out.push_null(),
            Elements::Texts(Kind::Dynamic, out) => out.push(row, element),
            Elements::Texts(_, out) if element.starts_with(['"', '{', '[']) => match plain_string(element) {
                Some(text) => out.push(row, text),
                None => out.push(row, &json::to_string(element)),
            },
            Elements::Others(out) if out.kind() == Kind::Long => match json::long(element) {
                Some(long) => out.push_long(long),
                None => self.push_value(row, &json::scalar(element)),
            },
            _ => self.push_value(row, &json::scalar(element)),
        }
    }

    fn push_value(&mut self, row: usize, value: &Value) {
        match self {
            Elements::Texts(kind, out) => match convert::value_to(value, *kind) {
                Value::Text(_, text) => out.push(row, &text),
                _ => out.push_null(),
            },
            Elements::Others(out) => out.push(&convert::value_to(value, out.kind())),
        }
    }

    fn finish(self) -> Column {
        match self {
            Elements::Texts(_, out) => out.finish(),
            Elements::Others(out) => out.finish(),
        }
    }
}

/// The text of a JSON string without escapes.
fn plain_string(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', text.as_bytes()).is_none().then_some(text)
}

/// The elements of one cell.
enum Parts {
    Null,
    Many(Vec<Value>),
}

impl Parts {
    fn of(column: &Column, row: usize, bags_as_arrays: bool) -> Parts {
        let Some(value) = Dynamic::of(column, row) else {
            return match column.kind() {
                Kind::Dynamic => Parts::Null,
                _ => Parts::Many(vec![column.value(row)]),
            };
        };
        if let Some(elements) = value.elements() {
            return Parts::Many(elements);
        }
        if !value.is_bag() {
            return Parts::Many(vec![column.value(row)]);
        }
        let text = value.to_json();
        let entry = |(key, value): (std::borrow::Cow<str>, Json)| {
            let mut name = String::new();
            json::quote(&key, &mut name);
            let shape = if bags_as_arrays {
                format!("[{name},{}]", value.text())
            } else {
                format!("{{{name}:{}}}", value.text())
            };
            Value::dynamic(shape)
        };
        Parts::Many(Json::new(&text).entries().map(entry).collect())
    }

    fn len(&self) -> usize {
        match self {
            Parts::Null => 0,
            Parts::Many(values) => values.len(),
        }
    }

    fn at(&self, at: usize) -> Value {
        match self {
            Parts::Many(values) => values.get(at).cloned().unwrap_or(Value::Null(Kind::Dynamic)),
            Parts::Null => Value::Null(Kind::Dynamic),
        }
    }
}
