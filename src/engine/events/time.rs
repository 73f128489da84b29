//! The time of an event: of its columns, else of its text.
use crate::read::text_ticks;
use crate::types::field::{FieldBuilder, Number, Numbers, number, values};
use crate::types::{Column, Field, datetime};
use regex::Regex;
use std::sync::LazyLock;

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
    "UpdatedAt",
    "start_time",
    "created_at",
    "unixTime",
    "ts",
    "date",
];

/// Times as seconds since 1970; texts that are no times stay.
pub fn seconds(column: &Column) -> Column {
    let are_seconds = match column {
        Column::Field(Field::Long(array)) => array.values().iter().all(|long| (*long as f64) < SECONDS),
        Column::Field(Field::Real(array)) => array.values().iter().all(|real| (f64::MIN..SECONDS).contains(real)),
        _ => false,
    };
    if are_seconds {
        return column.clone();
    }
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

/// Numbers of seconds before this one (in 1973) are taken for something else.
const FIRST_SECOND: f64 = 1e8;

/// Whether a row of a field that may hold times holds one, or nothing.
pub fn is_plausible(column: &Column, row: usize) -> bool {
    match number(column, row) {
        Some(number) => number.real() >= FIRST_SECOND,
        None => values(column, row).next().is_none_or(|text| text_ticks(&text).is_some()),
    }
}

/// The last second of eleven digits is in the year 5138: larger numbers count finer units.
const SECONDS: f64 = 1e11;

fn scaled(number: Number) -> Number {
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

/// No time stands further from the beginning of a text.
const NEAR: usize = 150;

/// The times that begin the texts of events, stand in the brackets of an audit's record, or come soon. A time without a
/// year is of the year before `now`.
pub fn of_texts(column: &Column, now: i64) -> Column {
    let mut builder = FieldBuilder::new(None, column.len());
    for row in 0..column.len() {
        match column.text(row).and_then(|text| of_text(text, now)) {
            Some(number) => builder.push_number(number),
            None => builder.push_null(),
        }
    }
    builder.finish()
}

fn of_text(text: &str, now: i64) -> Option<Number> {
    let mut near = NEAR.min(text.len());
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let head = text.get(..near)?;
    if let Some((_, audit)) = head.split_once("audit(") {
        let seconds = audit.split([':', ')']).next()?;
        return Number::read(seconds);
    }
    let start = behind_priority(head).trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '[' | '<' | '"'));
    // The longest beginning that is a time: one to six words.
    let ends =
        start.char_indices().filter(|(_, c)| c.is_whitespace() || matches!(c, ']' | ',' | '|')).map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.take(6).collect();
    if ends.len() < 6 && near == text.len() {
        ends.push(start.len());
    }
    let times = ends.iter().rev().filter_map(|end| start.get(..*end)).filter(|part| part.len() >= 8);
    let found = times.map(|part| part.trim_end_matches([':', ',', ']'])).find_map(text_ticks);
    found.or_else(|| without_year(start, now)).or_else(|| within(head)).map(of_ticks)
}

/// What stands behind the priority of syslog: `<134>`.
fn behind_priority(text: &str) -> &str {
    let inside = text.trim_start().strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let is_priority = |number: &str| (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    inside.filter(|(number, _)| is_priority(number)).map_or(text, |(_, rest)| rest)
}

/// `May 27 09:28:36`, as syslog writes times.
fn without_year(text: &str, now: i64) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (month, day, time) = (words.next()?, words.next()?, words.next()?);
    let looks_so = month.len() == 3 && day.bytes().all(|byte| byte.is_ascii_digit()) && time.contains(':');
    let (year, _, _) = datetime::civil(now);
    let of = |year: i32| text_ticks(&format!("{month} {day} {time} {year}")).filter(|_| looks_so);
    of(year).filter(|ticks| *ticks <= now).or_else(|| of(year - 1))
}

/// The first date with a time in a text, as logs and web servers write them; else seconds since 1970.
fn within(text: &str) -> Option<i64> {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let forms = [
            r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?",
            r"\b\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2}(?: [+-]\d{4})?",
            r"\b\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?: [AP]M)?",
        ];
        Regex::new(&forms.join("|")).ok()
    });
    static SECONDS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?:^|[\s#,"=(\[|{])(1\d{9})(?:\D|$)"#).ok());
    let seconds = || SECONDS.as_ref()?.captures(text)?.get(1)?.as_str().parse::<i64>().ok();
    let found = TIME.as_ref().and_then(|time| text_ticks(time.find(text)?.as_str()));
    found.or_else(|| seconds()?.checked_mul(datetime::TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_where_logs_write_them() {
        let now = text_ticks("2024-03-01T00:00:00Z").unwrap();
        let second = |text: &str| of_text(text, now).map(|number| number.text());
        let cases = [
            ("type=EXECVE msg=audit(1723044684.257:15795): argc=3", Some("1723044684.257")),
            ("2024-02-08T21:49:53Z something", Some("1707428993")),
            ("2024-02-08 21:49:53 host x", Some("1707428993")),
            ("[2024-02-08 21:49:53] x", Some("1707428993")),
            ("1707428993.5 x", Some("1707428993.5")),
            ("Feb  8 21:49:53 host sshd: x", Some("1707428993")),
            ("Dec 31 23:59:59 host", Some("1704067199")),
            (r#"{"id":7,"at":"2024-02-08 21:49:53"}"#, Some("1707428993")),
            (r#"10.0.0.1 - - [08/Feb/2024:16:49:53 -0500] "GET / HTTP/1.1" 200"#, Some("1707428993")),
            ("SESSION|02/08/2024 21:49:53.5|x", Some("1707428993.5")),
            ("<134>Feb  8 21:49:53 fw : %ASA-6-302013: Built", Some("1707428993")),
            ("2 123 eni-1 10.0.0.1 10.0.0.2 1 22 6 2 98 1707428993 1707429000 ACCEPT OK", Some("1707428993")),
            ("id=17074289930 n=1707428", None),
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
