//! Comparing fields: as numbers where both look like numbers, else by their characters.
use super::operators::pair;
use super::{each_flag, is_literal};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::compare::{Comparison, View};
use crate::types::field::{self, Number, Numbers};
use crate::types::vectors::{bits_of, bits_of_pairs};
use crate::types::{Column, Field, FieldValue, Kind, Text, Value};
use arrow_array::{Array, BooleanArray, Float64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use std::cmp::Ordering;

/// The order of two texts: of their numbers where both look like one, else of their characters.
pub fn ordered(left: &str, right: &str) -> Ordering {
    let numbers = Number::read(left).zip(Number::read(right));
    numbers.and_then(|(a, b)| a.order(b)).unwrap_or_else(|| left.cmp(right))
}

fn compare(comparison: Comparison, args: &[Column], rows: usize) -> Result<Column> {
    let (left, right) = pair(args)?;
    if let Some(bits) = texts_with_text(comparison, left, right).or_else(|| numbers(comparison, left, right)) {
        return Ok(Column::Bool(bits));
    }
    let (l, r) = (Numbers::of(left), Numbers::of(right));
    let as_texts = is_literal(left) && is_literal(right);
    each_flag(args, rows, |row| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        if let (false, Some(a), Some(b)) = (as_texts, l.get(row), r.get(row)) {
            return Ok(Some(comparison.holds(a.order(b))));
        }
        if let (Some(a), Some(b)) = (left.text(row), right.text(row)) {
            return Ok(Some(comparison.holds(Some(a.cmp(b)))));
        }
        Ok(Some(any(comparison, left, right, row)))
    })
}

/// Whether any value of one field compares so with any of the other.
fn any(comparison: Comparison, left: &Column, right: &Column, row: usize) -> bool {
    let rights: Vec<_> = field::values(right, row).collect();
    field::values(left, row).any(|l| rights.iter().any(|r| comparison.holds(Some(ordered(&l, r)))))
}

/// Whether texts equal a constant that looks like no number: most rows differ in one comparison of numbers.
fn texts_with_text(comparison: Comparison, left: &Column, right: &Column) -> Option<BooleanArray> {
    let wanted = match comparison {
        Comparison::Equal => true,
        Comparison::NotEqual => false,
        _ => return None,
    };
    let (Column::Text(_, Text::Views(views)), Column::Const(Value::Text(_, constant), _)) = (left, right) else {
        return None;
    };
    if Number::read(constant).is_some() {
        return None;
    }
    let (view, raw, buffers) = (View::new(constant), views.views(), views.data_buffers());
    let bits = BooleanBuffer::collect_bool(raw.len(), |row| view.equals(raw[row], buffers) == wanted);
    Some(BooleanArray::new(bits, views.nulls().cloned()))
}

/// Numbers compared with one number, or with numbers of the same form.
fn numbers(comparison: Comparison, left: &Column, right: &Column) -> Option<BooleanArray> {
    match (left, right) {
        (Column::Field(Field::Long(l)), Column::Field(Field::Long(r))) => {
            let bits = bits_of_pairs(l.values(), r.values(), |a, b| comparison.holds(Some(a.cmp(&b))));
            Some(BooleanArray::new(bits, NullBuffer::union(l.nulls(), r.nulls())))
        }
        (Column::Field(Field::Real(l)), Column::Field(Field::Real(r))) if are_finite(l) && are_finite(r) => {
            let bits = bits_of_pairs(l.values(), r.values(), |a, b| comparison.holds(a.partial_cmp(&b)));
            Some(BooleanArray::new(bits, NullBuffer::union(l.nulls(), r.nulls())))
        }
        (Column::Field(_), Column::Const(..)) => with_number(comparison, left, Numbers::of(right).get(0)?),
        (Column::Const(..), Column::Field(_)) => with_number(turned(comparison), right, Numbers::of(left).get(0)?),
        _ => None,
    }
}

fn are_finite(array: &Float64Array) -> bool {
    array.values().iter().all(|real| real.is_finite())
}

fn with_number(comparison: Comparison, column: &Column, number: Number) -> Option<BooleanArray> {
    match (column, number) {
        (Column::Field(Field::Long(array)), Number::Long(own)) => {
            let bits = bits_of(array.values(), |value| comparison.holds(Some(value.cmp(&own))));
            Some(BooleanArray::new(bits, array.nulls().cloned()))
        }
        (Column::Field(Field::Long(array)), Number::Real(own)) => {
            let bits = bits_of(array.values(), |value| comparison.holds((value as f64).partial_cmp(&own)));
            Some(BooleanArray::new(bits, array.nulls().cloned()))
        }
        (Column::Field(Field::Real(array)), own) if are_finite(array) => {
            let own = own.real();
            let bits = bits_of(array.values(), |value| comparison.holds(value.partial_cmp(&own)));
            Some(BooleanArray::new(bits, array.nulls().cloned()))
        }
        _ => None,
    }
}

/// The comparison with its sides exchanged.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

fn equal(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::Equal, args, rows)
}

fn not_equal(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::NotEqual, args, rows)
}

fn less(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::Less, args, rows)
}

fn less_or_equal(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::LessOrEqual, args, rows)
}

fn greater(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::Greater, args, rows)
}

fn greater_or_equal(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    compare(Comparison::GreaterOrEqual, args, rows)
}

/// Whether the field is one of the values that follow.
fn in_list(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some((value, list)) = args.split_first() else { return Ok(Column::Const(Value::Bool(false), rows)) };
    each_flag(args, rows, |row| {
        if value.is_null(row) {
            return Ok(None);
        }
        Ok(Some(list.iter().any(|item| !item.is_null(row) && equals(value, item, row))))
    })
}

/// Whether two fields have an equal value.
pub(super) fn equals(left: &Column, right: &Column, row: usize) -> bool {
    let single = |column: &Column| {
        !matches!(column, Column::Field(Field::Several(_)) | Column::Const(Value::Field(FieldValue::Several(_)), _))
    };
    match (left.text(row), right.text(row)) {
        (Some(a), Some(b)) if is_literal(left) && is_literal(right) => a == b,
        (Some(a), Some(b)) => ordered(a, b).is_eq(),
        _ if single(left) && single(right) => match (field::number(left, row), field::number(right, row)) {
            (Some(a), Some(b)) => a.order(b).is_some_and(Ordering::is_eq),
            _ => field::text(left, row) == field::text(right, row),
        },
        _ => any(Comparison::Equal, left, right, row),
    }
}

crate::kernels! {
    /// Whether two values are equal: as numbers where both look like numbers, else letter by letter. Of a field
    /// that has several values one is enough. Not known where a side is absent.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(1.0 == 1, "yes", "no") // yes
    /// if("a" = "A", "yes", "no") // no
    /// ```
    spl fn "==" as ["="] (left: Any, right: Any) -> Kind(Kind::Bool) = equal;

    /// Whether two values differ. Of a field that has several values one is enough.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if("a" != "b", "yes", "no") // yes
    /// ```
    spl fn "!=" as ["<>"] (left: Any, right: Any) -> Kind(Kind::Bool) = not_equal;

    /// Whether a value is below another: as numbers where both look like numbers, else in the order of characters.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(9 < 10, "yes", "no") // yes
    /// if("10" < "9", "yes", "no") // yes
    /// ```
    spl fn "<" (left: Any, right: Any) -> Kind(Kind::Bool) = less;

    /// Whether a value is below another or equal to it.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(2 <= 2, "yes", "no") // yes
    /// ```
    spl fn "<=" (left: Any, right: Any) -> Kind(Kind::Bool) = less_or_equal;

    /// Whether a value is above another.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if("b" > "a", "yes", "no") // yes
    /// ```
    spl fn ">" (left: Any, right: Any) -> Kind(Kind::Bool) = greater;

    /// Whether a value is above another or equal to it.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(1 >= 2, "yes", "no") // no
    /// ```
    spl fn ">=" (left: Any, right: Any) -> Kind(Kind::Bool) = greater_or_equal;

    /// Whether a field equals one of the values; the operator `IN` as well. Wildcards mean themselves here.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(in(404, "403", "404"), "yes", "no") // yes
    /// if(5 IN (1, 2), "yes", "no") // no
    /// ```
    spl fn in (value: Any, item[repeats]: Any) -> Kind(Kind::Bool) = in_list;
}
