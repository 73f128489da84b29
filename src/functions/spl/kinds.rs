//! What a value is.
use super::{each_flag, each_text, is_literal};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field;
use crate::types::{Column, Kind};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Nothing,
    Flag,
    /// Whether it is a whole one.
    Number(bool),
    Text,
}

fn is(args: &[Column], row: usize) -> Is {
    let Some(column) = args.first().filter(|column| !column.is_null(row)) else { return Is::Nothing };
    if column.kind() == Kind::Bool {
        return Is::Flag;
    }
    match field::number(column, row).filter(|_| !is_literal(column)) {
        Some(number) => Is::Number(number.long().is_some()),
        None => Is::Text,
    }
}

fn isbool(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(is(args, row) == Is::Flag)))
}

fn isint(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(is(args, row) == Is::Number(true))))
}

fn isdouble(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(is(args, row) == Is::Number(false))))
}

fn isnum(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(matches!(is(args, row), Is::Number(_)))))
}

fn isstr(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(is(args, row) == Is::Text)))
}

fn ismv(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(args.first().is_some_and(|column| field::count(column, row) > 1))))
}

fn typeof_value(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_text(args, rows, |row| {
        let name = match is(args, row) {
            Is::Nothing => "Invalid",
            Is::Flag => "Bool",
            Is::Number(_) => "Number",
            Is::Text => "String",
        };
        Ok(Some(name.to_owned()))
    })
}

crate::kernels! {
    /// Whether a value is a condition.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isbool(1 = 2), "yes", "no") // yes
    /// ```
    spl fn isbool (value: Any) -> Kind(Kind::Bool) = isbool;

    /// Whether a value is a whole number.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isint(7), "yes", "no") // yes
    /// if(isint(7.5), "yes", "no") // no
    /// ```
    spl fn isint (value: Any) -> Kind(Kind::Bool) = isint;

    /// Whether a value is a number with a fraction.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isdouble(3.546), "yes", "no") // yes
    /// if(isdouble(1000000), "yes", "no") // no
    /// ```
    spl fn isdouble (value: Any) -> Kind(Kind::Bool) = isdouble;

    /// Whether a value is a number; a field whose text looks like one is.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isnum(7.5), "yes", "no") // yes
    /// if(isnum("7"), "yes", "no") // no
    /// ```
    spl fn isnum (value: Any) -> Kind(Kind::Bool) = isnum;

    /// Whether a value is a text that is no number.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isstr("a"), "yes", "no") // yes
    /// ```
    spl fn isstr (value: Any) -> Kind(Kind::Bool) = isstr;

    /// Whether a field has several values.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(ismv(split("a,b", ",")), "yes", "no") // yes
    /// ```
    spl fn ismv (value: Any) -> Kind(Kind::Bool) = ismv;

    /// What a value is: `Number`, `String`, `Bool`, or `Invalid` where it is absent.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// typeof(12) . typeof("string") . typeof(1 = 2) . typeof(null()) // NumberStringBoolInvalid
    /// ```
    spl fn typeof (value: Any) -> Kind(Kind::Field) = typeof_value;
}
