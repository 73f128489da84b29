//! The greatest, the least and the middle of some values, and chance.
use super::{each, each_number, operators};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// All values of a row, of fields with several values each one.
fn all(args: &[Column], row: usize) -> impl Iterator<Item = Cow<'_, str>> {
    args.iter().flat_map(move |column| field::values(column, row))
}

fn all_numbers(args: &[Column], row: usize) -> impl Iterator<Item = Number> {
    all(args, row).filter_map(|text| Number::read(&text))
}

/// Numbers before texts; numbers by size, texts by their characters.
fn ranked(a: &str, b: &str) -> Ordering {
    match (Number::read(a), Number::read(b)) {
        (Some(x), Some(y)) => x.order(y).unwrap_or(Ordering::Equal),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

fn extreme(args: &[Column], rows: usize, wanted: Ordering) -> Result<Column> {
    each(args, rows, |row, out| {
        let best = all(args, row).reduce(|best, value| if ranked(&value, &best) == wanted { value } else { best });
        match best.map(|best| (Number::read(&best), best)) {
            Some((Some(number), text)) if number.text() == text => out.push_number(number),
            Some((_, text)) => out.push_text(&text),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn max(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    extreme(args, rows, Ordering::Greater)
}

fn min(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    extreme(args, rows, Ordering::Less)
}

fn sum(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| all_numbers(args, row).reduce(operators::sum))
}

fn avg(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let count = all_numbers(args, row).count();
        let total = all_numbers(args, row).reduce(operators::sum)?;
        Some(Number::Real(total.real() / count as f64))
    })
}

fn random(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    // A hasher's keys differ in every process: enough for numbers that only shall not repeat.
    let keys = RandomState::new();
    each_number(&[], rows, |row| Some(Number::Long((keys.hash_one(row) >> 33) as i64)))
}

crate::kernels! {
    /// The greatest of the values; texts are greater than numbers. Of a field with several values each one counts.
    ///
    /// Source: Splunk Search Reference, statistical eval functions.
    ///
    /// ```spl
    /// max(1, 3, 6, 7, "foo", "bar") // foo
    /// max(split("1,10,9", ",")) // 10
    /// ```
    spl fn max (value[repeats]: Any) -> Kind(Kind::Field) = max;

    /// The least of the values; numbers are less than texts.
    ///
    /// Source: Splunk Search Reference, statistical eval functions.
    ///
    /// ```spl
    /// min(3, 1, 2, "a") // 1
    /// ```
    spl fn min (value[repeats]: Any) -> Kind(Kind::Field) = min;

    /// The mean of the values that are numbers.
    ///
    /// Source: Splunk Search Reference, statistical eval functions.
    ///
    /// ```spl
    /// avg(5.0, 9, null()) // 7
    /// ```
    spl fn avg (value[repeats]: Any) -> Kind(Kind::Field) = avg;

    /// The sum of the values that are numbers.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// sum(1, 2, 3) // 6
    /// ```
    spl fn sum (value[repeats]: Any) -> Kind(Kind::Field) = sum;

    /// A whole number from 0 to 2^31 - 1, another one for each row.
    ///
    /// Source: Splunk Search Reference, statistical eval functions.
    ///
    /// ```spl
    /// if(random() >= 0, "yes", "no") // yes
    /// ```
    spl #per_row fn random () -> Kind(Kind::Field) = random;
}
