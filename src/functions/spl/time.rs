//! The clock, and times as texts.
use super::clock::strftime;
use super::strptime::strptime;
use super::{each, each_number, number_at, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number, Numbers};
use crate::types::{Column, Kind, relative};

const TICKS_PER_SECOND: i64 = 10_000_000;

/// The time of the run in whole seconds since 1970.
fn seconds(context: &Context) -> Number {
    Number::Long(context.now.div_euclid(TICKS_PER_SECOND))
}

fn now(context: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(seconds(context).into(), rows))
}

fn time(context: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(Number::Real(context.now as f64 / TICKS_PER_SECOND as f64).into(), rows))
}

fn written(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(times) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let numbers = Numbers::of(times);
    each(args, rows, |row, out| {
        let Some(format) = text_at(args, 1, row) else {
            out.push_null();
            return Ok(());
        };
        let shown = |number: Number| strftime(number, &format, context.timezone);
        match numbers.get(row) {
            Some(number) => match shown(number) {
                Some(text) => out.push_text(&text),
                None => out.push_null(),
            },
            None => out.push_several(field::values(times, row).filter_map(|text| shown(Number::read(&text)?))),
        }
        Ok(())
    })
}

fn moved(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let (time, step) = (number_at(args, 0, row)?.real(), text_at(args, 1, row)?);
        let ticks = crate::types::number::real_to_long(time * TICKS_PER_SECOND as f64)?;
        let moved = relative::moment(ticks, &step, context.timezone)?;
        Some(match moved % TICKS_PER_SECOND {
            0 => Number::Long(moved / TICKS_PER_SECOND),
            _ => Number::Real(moved as f64 / TICKS_PER_SECOND as f64),
        })
    })
}

fn read(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let now = seconds(context);
    each(args, rows, |row, out| {
        let made = text_at(args, 0, row).zip(text_at(args, 1, row));
        match made.and_then(|(text, format)| strptime(&text, &format, context.timezone, now)) {
            Some(number) => out.push_number(number),
            None => out.push_null(),
        }
        Ok(())
    })
}

crate::kernels! {
    /// The time of the search, in seconds since 1970.
    ///
    /// Source: Splunk Search Reference, date and time functions.
    ///
    /// ```spl
    /// now() // 1577934245
    /// ```
    spl #per_query fn now () -> Kind(Kind::Field) = now;

    /// The time of the search, in seconds since 1970 with their fraction.
    ///
    /// Source: Splunk Search Reference, date and time functions.
    ///
    /// ```spl
    /// time() - now() // 0
    /// ```
    spl #per_query fn time () -> Kind(Kind::Field) = time;

    /// A time moved by a relative one: `-1d@d` is the day before, at its start.
    ///
    /// Source: Splunk Search Reference, date and time functions.
    ///
    /// ```spl
    /// relative_time(1577934245, "-1d@d") // 1577836800
    /// relative_time(1577934245, "+2h") // 1577941445
    /// ```
    spl fn relative_time (time: Any, step: Any) -> Kind(Kind::Field) = moved;

    /// A time as a text, by a format.
    ///
    /// `%Y %m %d %H %M %S` and the other variables of Splunk are known, among them `%3N` and `%Q` for parts of a second,
    /// `%z %:z %Z` for the zone, `%s` for seconds since 1970.
    ///
    /// Source: Splunk Search Reference, date and time functions.
    ///
    /// ```spl
    /// strftime(1577934245, "%Y-%m-%dT%H:%M:%S.%Q") // 2020-01-02T03:04:05.000
    /// strftime(1577934245, "%A, %d %b %y %I:%M %p") // Thursday, 02 Jan 20 03:04 AM
    /// ```
    spl fn strftime (time: Any, format: Any) -> Kind(Kind::Field) = written;

    /// The time that a text states, by a format, in seconds since 1970; no value where it does not fit.
    ///
    /// Source: Splunk Search Reference, date and time functions.
    ///
    /// ```spl
    /// strptime("2020-01-02 03:04:05", "%Y-%m-%d %H:%M:%S") // 1577934245
    /// strptime("2020-01-02T05:04:05.25+02:00", "%Y-%m-%dT%H:%M:%S.%N%z") // 1577934245.25
    /// strptime("soon", "%Y") //
    /// ```
    spl fn strptime (text: Any, format: Any) -> Kind(Kind::Field) = read;
}
