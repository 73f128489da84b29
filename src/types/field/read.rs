//! Reading fields row by row, whatever holds them.
use super::{Field, FieldValue, Number, write_lines};
use crate::types::{Column, Dictionary, List, Text, Value};
use arrow_array::{Array, Float64Array, Int32Array, Int64Array, StringViewArray};
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

/// The canonical text of a row: several texts one a line. None where the field is absent.
pub fn text(column: &Column, row: usize) -> Option<Cow<'_, str>> {
    if let Some(text) = column.text(row) {
        return Some(Cow::Borrowed(text));
    }
    if column.is_null(row) {
        return None;
    }
    let mut out = String::new();
    match column {
        Column::Field(Field::Several(list)) if list.range(row).len() == 1 => {
            return list.items.text(list.range(row).start).map(Cow::Borrowed);
        }
        Column::Field(Field::Several(list)) => write_lines(list, row, &mut out),
        other => match other.value(row) {
            Value::Field(value) => value.write(&mut out),
            Value::Real(real) => Number::Real(real).write(&mut out),
            value => out = value.to_text(),
        },
    }
    Some(Cow::Owned(out))
}

/// How many values a row has.
pub fn count(column: &Column, row: usize) -> usize {
    match column {
        _ if column.is_null(row) => 0,
        Column::Field(Field::Several(list)) => list.range(row).len(),
        Column::Const(Value::Field(FieldValue::Several(texts)), _) => texts.len(),
        _ => 1,
    }
}

/// The text of each value of a row.
pub fn values(column: &Column, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
    match column {
        Column::Field(Field::Several(list)) if !list.is_null(row) => Several::Held(list, list.range(row)),
        Column::Const(Value::Field(FieldValue::Several(texts)), _) => Several::Constant(texts.iter()),
        _ => Several::One(text(column, row)),
    }
}

enum Several<'a> {
    Held(&'a List, std::ops::Range<usize>),
    Constant(std::slice::Iter<'a, Arc<str>>),
    One(Option<Cow<'a, str>>),
}

impl<'a> Iterator for Several<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        match self {
            Several::Held(list, range) => {
                let list: &'a List = list;
                range.next().map(|item| Cow::Borrowed(list.items.text(item).unwrap_or_default()))
            }
            Several::Constant(texts) => texts.next().map(|text| Cow::Borrowed(&**text)),
            Several::One(text) => text.take(),
        }
    }
}

/// The number of a row; none where it does not look like one, and where it has several values.
pub fn number(column: &Column, row: usize) -> Option<Number> {
    Numbers::of(column).get(row)
}

/// The rows of a column as numbers, where they look like numbers: what is infinite or no number at all does not,
/// as its text does not. Of a dictionary each text is read once.
pub enum Numbers<'a> {
    One(Option<Number>),
    Longs(&'a Int64Array),
    Reals(&'a Float64Array),
    Ints(&'a Int32Array),
    Distinct(&'a Int32Array, Arc<Vec<Option<Number>>>),
    Views(&'a StringViewArray),
    Several(&'a List),
}

impl<'a> Numbers<'a> {
    pub fn of(column: &'a Column) -> Numbers<'a> {
        match column {
            Column::Const(value, _) => Numbers::One(match value {
                Value::Field(value) => value.number().filter(|number| number.real().is_finite()),
                Value::Text(_, text) => Number::read(text),
                Value::Real(real) => Some(Number::Real(*real)).filter(|_| real.is_finite()),
                Value::Null(_) | Value::Bool(_) => None,
                other => other.as_long().map(Number::Long),
            }),
            Column::Field(Field::Long(array)) | Column::Long(array) => Numbers::Longs(array),
            Column::Field(Field::Real(array)) | Column::Real(array) => Numbers::Reals(array),
            Column::Field(Field::Several(list)) => Numbers::Several(list),
            Column::Int(array) => Numbers::Ints(array),
            Column::Text(_, Text::Views(views)) => Numbers::Views(views),
            Column::Text(_, Text::Dictionary(keys, dictionary)) => Numbers::Distinct(keys, of_dictionary(dictionary)),
            Column::DateTime(array) | Column::TimeSpan(array) => Numbers::Longs(array),
            Column::Bool(_) | Column::List(_) => Numbers::One(None),
        }
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<Number> {
        match self {
            Numbers::One(number) => *number,
            Numbers::Longs(array) => array.is_valid(row).then(|| Number::Long(array.value(row))),
            Numbers::Reals(array) => {
                let real = array.value(row);
                (array.is_valid(row) && real.is_finite()).then_some(Number::Real(real))
            }
            Numbers::Ints(array) => array.is_valid(row).then(|| Number::Long(i64::from(array.value(row)))),
            Numbers::Distinct(keys, numbers) => {
                keys.is_valid(row).then(|| numbers.get(keys.value(row) as usize).copied().flatten()).flatten()
            }
            Numbers::Views(views) => views.is_valid(row).then(|| Number::read(views.value(row))).flatten(),
            Numbers::Several(list) => match list.range(row) {
                one if one.len() == 1 && !list.is_null(row) => list.items.text(one.start).and_then(Number::read),
                _ => None,
            },
        }
    }
}

fn of_dictionary(dictionary: &Arc<Dictionary>) -> Arc<Vec<Option<Number>>> {
    let read = || Ok::<_, Infallible>(dictionary.values.iter().map(|text| Number::read(text?)).collect::<Vec<_>>());
    match dictionary.derive("numbers", read) {
        Ok(numbers) => numbers,
        Err(never) => match never {},
    }
}
