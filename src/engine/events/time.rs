//! The time of an event: of its columns, else of its text.
use crate::read::text_ticks;
use crate::types::field::{FieldBuilder, Number, Numbers, values};
use crate::types::{Column, datetime};

/// Fields that hold the time of an event, the best first.
pub const TIMES: &[&str] = &[
    "TimeGenerated",
    "time",
    "timestamp",
    "@timestamp",
    "_timestamp",
    "eventTime",
    "CreationTime",
    "SystemTime",
    "TimeCreated",
    "EventTime",
    "datetime",
    "LogTimestamp",
    "properties.createdDateTime",
    "properties.activityDateTime",
    "createdDateTime",
    "eventTimestamp",
    "event_time",
    "published",
    "UtcTime",
    "requestReceivedTimestamp",
    "ts",
    "date",
];

/// Times as seconds since 1970; texts that are no times stay.
pub fn seconds(column: &Column) -> Column {
    let numbers = Numbers::of(column);
    let mut builder = FieldBuilder::new(None, column.len());
    for row in 0..column.len() {
        match numbers.get(row) {
            Some(number) => builder.push_number(scaled(number)),
            None => match values(column, row).next() {
                Some(text) => match text_ticks(&text) {
                    Some(ticks) => builder.push_number(of_ticks(ticks)),
                    None => builder.push_text(&text),
                },
                None => builder.push_null(),
            },
        }
    }
    builder.finish()
}

/// The last second of eleven digits is in the year 5138: larger numbers count finer units.
fn scaled(number: Number) -> Number {
    const SECONDS: f64 = 1e11;
    let mut real = number.real();
    if real < SECONDS {
        return number;
    }
    while real >= SECONDS {
        real /= 1000.0;
    }
    if real.fract() == 0.0 { Number::Long(real as i64) } else { Number::Real(real) }
}

fn of_ticks(ticks: i64) -> Number {
    match ticks % datetime::TICKS_PER_SECOND {
        0 => Number::Long(ticks / datetime::TICKS_PER_SECOND),
        _ => Number::Real(ticks as f64 / datetime::TICKS_PER_SECOND as f64),
    }
}

/// No time stands further from the beginning of a line.
const NEAR: usize = 128;

/// The times that begin the texts of events, or stand in the brackets of an audit's record.
pub fn of_texts(column: &Column) -> Column {
    let mut builder = FieldBuilder::new(None, column.len());
    for row in 0..column.len() {
        match column.text(row).and_then(of_text) {
            Some(number) => builder.push_number(number),
            None => builder.push_null(),
        }
    }
    builder.finish()
}

fn of_text(text: &str) -> Option<Number> {
    let mut near = NEAR.min(text.len());
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let head = text.get(..near)?;
    if let Some((_, audit)) = head.split_once("audit(") {
        let seconds = audit.split([':', ')']).next()?;
        return Number::read(seconds);
    }
    let head = head.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '[' | '<' | '"'));
    // The longest beginning that is a time: one to six words.
    let ends = head.char_indices().filter(|(_, c)| c.is_whitespace() || matches!(c, ']' | ',' | '|')).map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.take(6).collect();
    if ends.len() < 6 && near == text.len() {
        ends.push(head.len());
    }
    let times = ends.iter().rev().filter_map(|end| head.get(..*end)).filter(|part| part.len() >= 8);
    times.map(|part| part.trim_end_matches([':', ',', ']'])).find_map(text_ticks).map(of_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_where_logs_write_them() {
        let second = |text: &str| of_text(text).map(|number| number.text());
        let cases = [
            ("type=EXECVE msg=audit(1723044684.257:15795): argc=3", Some("1723044684.257")),
            ("2024-02-08T21:49:53Z something", Some("1707428993")),
            ("2024-02-08 21:49:53 host x", Some("1707428993")),
            ("[2024-02-08 21:49:53] x", Some("1707428993")),
            ("1707428993.5 x", Some("1707428993.5")),
            ("no time at all", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(second(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_of_finer_units_are_seconds() {
        let of = |number| scaled(number).text();
        assert_eq!(of(Number::Long(1_707_428_993)), "1707428993");
        assert_eq!(of(Number::Long(1_707_428_993_500)), "1707428993.5");
        assert_eq!(of(Number::Long(1_707_428_993_000_000)), "1707428993");
        assert_eq!(of(Number::Long(5)), "5");
    }
}
