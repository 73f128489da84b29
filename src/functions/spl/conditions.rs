//! Choosing between values: every argument is there already; a query computes only those that it needs.
use super::compare::equals;
use super::each;
use super::operators::{flag, pair};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::FieldBuilder;
use crate::types::{Column, Kind, Value};
use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, NullBuffer};

fn push(out: &mut FieldBuilder, column: Option<&Column>, row: usize) -> Result<()> {
    match column {
        Some(column) => out.push_row(column, row),
        None => out.push_null(),
    }
    Ok(())
}

fn if_else(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let holds = |row| args.first().and_then(|condition| flag(condition, row)) == Some(true);
    each(args, rows, |row, out| push(out, args.get(if holds(row) { 1 } else { 2 }), row))
}

/// The value behind the first condition that is as wanted.
fn first_where(args: &[Column], rows: usize, wanted: bool) -> Result<Column> {
    each(args, rows, |row, out| {
        let found = args.chunks_exact(2).find(|pair| flag(&pair[0], row) == Some(wanted));
        push(out, found.map(|pair| &pair[1]), row)
    })
}

fn case(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    first_where(args, rows, true)
}

fn validate(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    first_where(args, rows, false)
}

fn coalesce(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| push(out, args.iter().find(|column| !column.is_null(row)), row))
}

fn nullif(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, other) = pair(args)?;
    each(args, rows, |row, out| {
        let same = !value.is_null(row) && !other.is_null(row) && equals(value, other, row);
        push(out, Some(value).filter(|_| !same), row)
    })
}

fn null(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::nulls(Kind::Field, rows))
}

fn always(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(Value::Bool(true), rows))
}

fn never(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(Value::Bool(false), rows))
}

/// For each row, whether it has a value.
fn presence(args: &[Column], rows: usize) -> BooleanBuffer {
    let nulls = args.first().map_or_else(|| Some(NullBuffer::new_null(rows)), Column::null_buffer);
    nulls.map_or_else(|| BooleanBuffer::new_set(rows), NullBuffer::into_inner)
}

fn isnull(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(match args {
        [Column::Const(value, _)] => Column::Const(Value::Bool(value.is_null()), rows),
        _ => Column::Bool(BooleanArray::new(!&presence(args, rows), None)),
    })
}

fn isnotnull(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(match args {
        [Column::Const(value, _)] => Column::Const(Value::Bool(!value.is_null()), rows),
        _ => Column::Bool(BooleanArray::new(presence(args, rows), None)),
    })
}

crate::kernels! {
    /// The second argument where the condition is true, else the third: also where the condition is not known.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(1 < 2, "less", "more") // less
    /// if(null() = 1, "same", "other") // other
    /// ```
    spl fn "if" (condition: Bool, value: Any, otherwise: Any) -> Kind(Kind::Field) = if_else;

    /// The value behind the first condition that is true; no value where none is.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// case(1 = 2, "one", 2 = 2, "two", true(), "rest") // two
    /// case(1 = 2, "one") //
    /// ```
    spl fn case (condition_or_value[repeats]: Any) -> Kind(Kind::Field) = case;

    /// The value behind the first condition that is false; no value where all hold.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// validate(1 = 1, "not one", 5 < 3, "not below three") // not below three
    /// ```
    spl fn validate (condition_or_value[repeats]: Any) -> Kind(Kind::Field) = validate;

    /// The first value that is there.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// coalesce(null(), "b", "c") // b
    /// ```
    spl fn coalesce (value[repeats]: Any) -> Kind(Kind::Field) = coalesce;

    /// The first value, but no value where the two are equal.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// nullif("a", "b") // a
    /// nullif("a", "a") //
    /// ```
    spl fn nullif (value: Any, other: Any) -> Kind(Kind::Field) = nullif;

    /// No value: a field that is set to it is gone.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// null() //
    /// ```
    spl fn null () -> Kind(Kind::Field) = null;

    /// A condition that always holds: the last of a `case`.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(true(), 1, 2) // 1
    /// ```
    spl fn "true" () -> Kind(Kind::Bool) = always;

    /// A condition that never holds.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// if(false(), 1, 2) // 2
    /// ```
    spl fn "false" () -> Kind(Kind::Bool) = never;

    /// Whether a field is absent.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isnull(null()), "yes", "no") // yes
    /// ```
    spl fn isnull (value: Any) -> Kind(Kind::Bool) = isnull;

    /// Whether a field is there.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isnotnull(""), "yes", "no") // yes
    /// ```
    spl fn isnotnull (value: Any) -> Kind(Kind::Bool) = isnotnull;
}
