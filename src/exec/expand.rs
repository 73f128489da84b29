//! `mv-expand`: rows for the elements of arrays and bags.
use super::batch::{Batch, Columns};
use super::pipeline::Expansion;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, evaluate};
use crate::functions::Context;
use crate::types::{Builder, Column, Dynamic, Json, Kind, Name, Value, convert, gather, json};
use std::collections::HashSet;

/// The batch with a row for each element; several columns are zipped, the shorter padded with nulls.
///
/// Source: mv-expand-operator.
pub fn expand(batch: &Batch, expansion: &Expansion, live: &HashSet<Name>, context: &Context) -> Result<Batch> {
    let (rows, made) = elements(batch, expansion, context)?;
    batch.multiplied(&rows, live, made)
}

/// The source row of each new row, and the new columns.
pub fn elements(input: &dyn Input, expansion: &Expansion, context: &Context) -> Result<(Vec<u32>, Columns)> {
    let values = expansion.columns.iter().map(|c| evaluate(&c.value, input, context)).collect::<Result<Vec<_>>>()?;
    if let Some(quick) = single_list(input.rows(), &values, expansion) {
        return bounded(quick, context);
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
                builder.push(&convert::value_to(&part.at(at), builder.kind()));
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

/// One column of typed lists whose elements are wanted as they are: no element is looked at.
fn single_list(rows: usize, values: &[Column], expansion: &Expansion) -> Option<(Vec<u32>, Columns)> {
    let ([Column::List(list)], [wanted], None, None) =
        (values, expansion.columns.as_slice(), &expansion.limit, &expansion.index)
    else {
        return None;
    };
    if list.items.kind() != wanted.kind || list.nulls.is_some() {
        return None;
    }
    let mut source = Vec::with_capacity(list.items.len());
    let mut items = Vec::with_capacity(list.items.len());
    for row in 0..rows {
        let range = list.range(row);
        source.extend(std::iter::repeat_n(row as u32, range.len()));
        items.extend(range.map(|i| i as u32));
    }
    Some((source, vec![(wanted.name.clone(), gather::take(&list.items, &items))]))
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
