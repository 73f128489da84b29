//! The eval functions of Splunk's search language, and its operators.
//!
//! All of them work on fields: a field that is absent makes the result absent unless a page says otherwise.
//! A function of one text takes each value of a field that has several.
mod bits;
pub mod clock;
mod compare;
mod conditions;
mod conversion;
mod crypto;
mod json;
mod json_path;
mod kinds;
mod like;
mod math;
mod multivalue;
mod operators;
mod order;
mod paths;
pub mod pcre;
mod printf;
mod shape;
mod statistics;
pub mod strptime;
mod text;
mod time;
mod translate;

pub use compare::ordered;

use super::Scalar;
use crate::diagnostic::Result;
use crate::types::field::{self, FieldBuilder, Number, Numbers};
use crate::types::{Column, Field, Kind, Value, numbers};
use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBufferBuilder, NullBuffer};
use std::borrow::Cow;

/// Every family of the language.
pub static FAMILIES: &[&[Scalar]] = &[
    operators::COLUMNS,
    compare::COLUMNS,
    like::COLUMNS,
    conditions::COLUMNS,
    kinds::COLUMNS,
    json::COLUMNS,
    conversion::COLUMNS,
    crypto::COLUMNS,
    time::COLUMNS,
    math::COLUMNS,
    bits::COLUMNS,
    statistics::COLUMNS,
    multivalue::COLUMNS,
    text::COLUMNS,
    shape::COLUMNS,
    order::COLUMNS,
    paths::COLUMNS,
];

/// A field for each row, exactly one value each; once where all arguments are constant.
fn each(args: &[Column], rows: usize, mut write: impl FnMut(usize, &mut FieldBuilder) -> Result<()>) -> Result<Column> {
    let constant = !args.is_empty() && args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let source = args.iter().find(|column| matches!(column, Column::Text(..)));
    let mut builder = FieldBuilder::new(source, count);
    for row in 0..count {
        write(row, &mut builder)?;
    }
    let out = builder.finish();
    Ok(match constant {
        true if out.is_empty() => Column::nulls(Kind::Field, rows),
        true => Column::Const(out.value(0), rows),
        false => out,
    })
}

/// A field of the text that `make` gives for each row.
fn each_text(args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Result<Option<String>>) -> Result<Column> {
    each(args, rows, |row, out| {
        match make(row)? {
            Some(text) => out.push_text(&text),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// A field of the number that `make` gives for each row.
fn each_number(args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Option<Number>) -> Result<Column> {
    each(args, rows, |row, out| {
        match make(row) {
            Some(number) => out.push_number(number),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// What is true of each row, where that is known.
fn each_flag(args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Result<Option<bool>>) -> Result<Column> {
    if !args.is_empty() && args.iter().all(Column::is_const) {
        let flag = if rows == 0 { None } else { make(0)? };
        return Ok(Column::Const(flag.map_or(Value::Null(Kind::Bool), Value::Bool), rows));
    }
    let mut bits = BooleanBufferBuilder::new(rows);
    let mut known = BooleanBufferBuilder::new(rows);
    for row in 0..rows {
        let flag = make(row)?;
        bits.append(flag == Some(true));
        known.append(flag.is_some());
    }
    let known = Some(NullBuffer::new(known.finish())).filter(|known| known.null_count() > 0);
    Ok(Column::Bool(BooleanArray::new(bits.finish(), known)))
}

/// The field of what `make` gives for each text of a field; a value it gives nothing for is left out.
fn map_texts(
    column: &Column,
    args: &[Column],
    rows: usize,
    mut make: impl FnMut(usize, &str, &mut String) -> Result<bool>,
) -> Result<Column> {
    let mut written = String::new();
    each(args, rows, |row, out| {
        match column.text(row) {
            Some(text) => {
                written.clear();
                match make(row, text, &mut written)? {
                    true => out.push_text(&written),
                    false => out.push_null(),
                }
            }
            None => {
                let mut made = Vec::new();
                for text in field::values(column, row) {
                    written.clear();
                    if make(row, &text, &mut written)? {
                        made.push(written.clone());
                    }
                }
                out.push_several(made);
            }
        }
        Ok(())
    })
}

/// A field of a real for each row where all arguments are numbers.
fn map_reals(args: &[Column], rows: usize, make: impl Fn(f64) -> f64) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let numbers_of = Numbers::of(column);
    let result = |row: usize| numbers_of.get(row).map(|number| make(number.real()));
    if let Column::Const(..) = column {
        let value = result(0).map_or(Value::Null(Kind::Field), |real| Number::Real(real).into());
        return Ok(Column::Const(value, rows));
    }
    Ok(Column::Field(Field::Real(numbers(rows, result))))
}

/// The text of the argument at a place; none where it is absent or left out.
fn text_at(args: &[Column], at: usize, row: usize) -> Option<Cow<'_, str>> {
    args.get(at).and_then(|column| field::text(column, row))
}

/// The number of the argument at a place, where it looks like one.
fn number_at(args: &[Column], at: usize, row: usize) -> Option<Number> {
    args.get(at).and_then(|column| field::number(column, row))
}

/// The whole number of the argument at a place.
fn long_at(args: &[Column], at: usize, row: usize) -> Option<i64> {
    number_at(args, at, row)
        .and_then(|number| number.long().or_else(|| crate::types::number::real_to_long(number.real())))
}

/// Whether a column is a text that was written in the query: never taken for a number.
fn is_literal(column: &Column) -> bool {
    column.kind() == Kind::String
}

#[cfg(test)]
mod tests;
