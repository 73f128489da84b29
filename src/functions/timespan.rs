//! Timespans of their parts, and as text.
use super::Context;
use super::row::{Long, Maybe, Real, Span, SpanOut, Str};
use crate::diagnostic::{Fault, Result};
use crate::types::datetime::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::types::{Column, Kind, convert};

/// None where a part is out of its range.
fn of_parts(days: i64, hours: i64, minutes: i64, seconds: f64) -> Option<SpanOut> {
    let in_range =
        days >= 0 && (0..24).contains(&hours) && (0..60).contains(&minutes) && (0.0..60.0).contains(&seconds);
    if !in_range {
        return None;
    }
    let clock =
        hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + (seconds * TICKS_PER_SECOND as f64).round() as i64;
    days.checked_mul(TICKS_PER_DAY)?.checked_add(clock).map(SpanOut)
}

fn to_timespan(_: &Context, args: &[Column], _: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a timespan of nothing"))?;
    Ok(convert::lenient(value, Kind::TimeSpan))
}

crate::scalars! {
    /// A timespan of hours, minutes and seconds; null where one is out of its range.
    ///
    /// Source: make-timespan-function.
    ///
    /// ```kql
    /// make_timespan(12, 30) // 12:30:00
    /// make_timespan(12, 30, 55.123) // 12:30:55.1230000
    /// make_timespan(12, 60) // null
    /// ```
    kql fn make_timespan (hours: Long, minutes: Long, seconds: Maybe<Real>) -> Option<SpanOut> {
        of_parts(0, hours, minutes, seconds.unwrap_or(0.0))
    }

    /// A timespan of days, hours, minutes and seconds; null where one is out of its range.
    ///
    /// Source: make-timespan-function.
    ///
    /// ```kql
    /// make_timespan(1, 12, 30, 55.123) // 1.12:30:55.1230000
    /// ```
    kql fn make_timespan (days: Long, hours: Long, minutes: Long, seconds: Real) -> Option<SpanOut> {
        of_parts(days, hours, minutes, seconds)
    }

    /// The timespan as text in a pattern of `d h H m s f F` and the delimiters `/ - : , . _ [ ]` and blank.
    ///
    /// Source: format-timespan-function.
    ///
    /// ```kql
    /// format_timespan(time(29.09:00:05.12345), 'dd.hh:mm:ss:FF') // 29.09:00:05:12
    /// ```
    kql fn format_timespan (timespan: Span, format: Str) -> Option<String> {
        crate::types::timespan::format_timespan(timespan, format)
    }
}

crate::kernels! {
    /// The value as a timespan, as `totimespan` reads it.
    ///
    /// Source: make-timespan-function.
    ///
    /// ```kql
    /// make_timespan("0.00:01:00") // 00:01:00
    /// ```
    kql fn make_timespan (value: Any) -> Kind(Kind::TimeSpan) = to_timespan;
}
