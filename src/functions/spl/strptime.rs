//! Times of texts by Splunk's format variables.
//!
//! Source: Splunk Search Reference, date and time format variables.
use super::clock::{DAYS, MONTHS, composed, local, since_1970};
use crate::types::field::Number;
use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use std::iter::Peekable;
use std::str::Chars;

/// What was read of a time.
#[derive(Default)]
struct Read {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    /// Whether the hour is one of the afternoon.
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
    zone: Option<Tz>,
    since_1970: Option<i64>,
}

/// The seconds since 1970 of a text that a format fits; what follows the format's end is passed over. Times
/// without a date are of the day of `now`.
pub fn strptime(text: &str, format: &str, zone: Tz, now: Number) -> Option<Number> {
    let mut read = Read::default();
    let mut rest = text.trim_start();
    take_all(format, &mut rest, &mut read)?;
    let whole = read.seconds(zone, now)?;
    Some(match read.nanosecond {
        0 => Number::Long(whole),
        nanosecond => Number::Real((whole as f64 * 1e6 + f64::from(nanosecond / 1000)) / 1e6),
    })
}

fn take_all(format: &str, rest: &mut &str, read: &mut Read) -> Option<()> {
    let mut format = format.chars().peekable();
    while let Some(character) = format.next() {
        match character {
            '%' => {
                let variable = variable_of(&mut format)?;
                take(variable, rest, read)?;
            }
            space if space.is_whitespace() => *rest = rest.trim_start(),
            literal => *rest = rest.strip_prefix(literal)?,
        }
    }
    Some(())
}

/// The variable, without colons and digits before it.
fn variable_of(format: &mut Peekable<Chars>) -> Option<char> {
    while format.next_if(|c| *c == ':' || c.is_ascii_digit()).is_some() {}
    match format.next()? {
        'E' if format.peek() == Some(&'z') => {
            format.next();
            Some('z')
        }
        variable => Some(variable),
    }
}

fn take(variable: char, rest: &mut &str, read: &mut Read) -> Option<()> {
    match variable {
        'Y' => read.year = Some(i32::try_from(digits(rest, 4)?).ok()?),
        'y' => {
            let short = i32::try_from(digits(rest, 2)?).ok()?;
            read.year = Some(if short < 69 { 2000 + short } else { 1900 + short });
        }
        'm' => read.month = Some(digits(rest, 2)? as u32),
        'd' | 'e' => read.day = Some(digits(rest, 2)? as u32),
        'j' => read.day_of_year = Some(digits(rest, 3)? as u32),
        'H' | 'k' | 'I' | 'l' => read.hour = Some(digits(rest, 2)? as u32),
        'M' => read.minute = digits(rest, 2)? as u32,
        'S' => read.second = digits(rest, 2)? as u32,
        'N' | 'Q' | 'f' => read.nanosecond = subseconds(rest)?,
        's' => {
            let negative = rest.starts_with('-');
            *rest = rest.strip_prefix('-').unwrap_or(rest);
            let seconds = digits(rest, 12)?;
            read.since_1970 = Some(if negative { -seconds } else { seconds });
        }
        'p' | 'P' => {
            let half = rest.get(..2)?.to_ascii_uppercase();
            read.afternoon = Some(match half.as_str() {
                "AM" => false,
                "PM" => true,
                _ => return None,
            });
            *rest = rest.get(2..)?;
        }
        'b' | 'B' | 'h' => read.month = Some(name(rest, &MONTHS)? + 1),
        'a' | 'A' => {
            name(rest, &DAYS)?;
        }
        'z' => read.offset = Some(east(rest)?),
        'Z' => zone_name(rest, read)?,
        'w' | 'u' => {
            digits(rest, 1)?;
        }
        'U' | 'V' | 'W' | 'g' | 'C' => {
            digits(rest, 2)?;
        }
        'n' | 't' => *rest = rest.trim_start(),
        '%' => *rest = rest.strip_prefix('%')?,
        other => take_all(composed(other)?, rest, read)?,
    }
    Some(())
}

/// A number of at most so many digits; spaces before it are passed over.
fn digits(rest: &mut &str, most: usize) -> Option<i64> {
    let text = rest.trim_start();
    let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let number = text.get(..end)?.parse().ok()?;
    *rest = text.get(end..)?;
    Some(number)
}

/// Digits behind a point, as nanoseconds.
fn subseconds(rest: &mut &str) -> Option<u32> {
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits: String = rest.get(..end.min(9))?.to_owned();
    *rest = rest.get(end..)?;
    format!("{digits:0<9}").parse().ok().filter(|_| end > 0)
}

/// The place of a name, whole or its first three letters.
fn name(rest: &mut &str, names: &[&str]) -> Option<u32> {
    let text = rest.trim_start();
    let starts = |wanted: &str| text.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    for (at, full) in names.iter().enumerate() {
        for wanted in [full, full.get(..3)?] {
            if starts(wanted) {
                *rest = text.get(wanted.len()..)?;
                return Some(at as u32);
            }
        }
    }
    None
}

/// `+0100`, `-05:00`, `+01`, `Z`.
fn east(rest: &mut &str) -> Option<i32> {
    let text = rest.trim_start();
    if let Some(after) = text.strip_prefix(['Z', 'z']) {
        *rest = after;
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut after = text.get(1..)?;
    let count = after.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits(&mut after, if count == 3 { 1 } else { 2 })?;
    let mut behind = after.strip_prefix(':').unwrap_or(after);
    let minutes = match digits(&mut behind, 2) {
        Some(minutes) => {
            after = behind;
            minutes
        }
        None => 0,
    };
    *rest = after;
    i32::try_from(hours * 3600 + minutes * 60).ok().map(|seconds| sign * seconds)
}

/// Abbreviations that events use, in hours east of Greenwich; others are passed over.
const ABBREVIATIONS: [(&str, f32); 17] = [
    ("UTC", 0.0),
    ("GMT", 0.0),
    ("Z", 0.0),
    ("EST", -5.0),
    ("EDT", -4.0),
    ("CST", -6.0),
    ("CDT", -5.0),
    ("MST", -7.0),
    ("MDT", -6.0),
    ("PST", -8.0),
    ("PDT", -7.0),
    ("BST", 1.0),
    ("CET", 1.0),
    ("CEST", 2.0),
    ("EET", 2.0),
    ("IST", 5.5),
    ("JST", 9.0),
];

fn zone_name(rest: &mut &str, read: &mut Read) -> Option<()> {
    let text = rest.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "/_+-".contains(c))).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    if word.is_empty() {
        return None;
    }
    *rest = after;
    match ABBREVIATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
        Some((_, hours)) => read.offset = Some((hours * 3600.0) as i32),
        None => read.zone = word.parse().ok(),
    }
    Some(())
}

impl Read {
    fn seconds(&self, zone: Tz, now: Number) -> Option<i64> {
        if let Some(seconds) = self.since_1970 {
            return Some(seconds);
        }
        let hour = match (self.hour.unwrap_or(0), self.afternoon) {
            (12, Some(false)) => 0,
            (hour @ 0..12, Some(true)) => hour + 12,
            (hour, _) => hour,
        };
        let shown = self.date(zone, now)?.and_time(NaiveTime::from_hms_opt(hour, self.minute, self.second.min(59))?);
        match self.offset {
            Some(offset) => Some(shown.and_utc().timestamp() - i64::from(offset)),
            None => since_1970(shown, self.zone.unwrap_or(zone)),
        }
    }

    fn date(&self, zone: Tz, now: Number) -> Option<NaiveDate> {
        let today = local(now, zone)?.date_naive();
        let year = self.year.unwrap_or(today.year());
        match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => NaiveDate::from_ymd_opt(year, month, day),
            (None, None, Some(day)) => NaiveDate::from_yo_opt(year, day),
            (None, None, None) if self.year.is_none() => Some(today),
            // A month or a year alone is no time.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::strftime;
    use super::*;

    const NOW: Number = Number::Long(1_577_934_245);

    fn text(time: f64, format: &str, zone: Tz) -> String {
        strftime(Number::Real(time), format, zone).unwrap()
    }

    fn read(text: &str, format: &str) -> Option<Number> {
        strptime(text, format, chrono_tz::UTC, NOW)
    }

    #[test]
    fn times_are_written_by_their_variables() {
        let time = 1_577_934_245.123_456;
        let cases = [
            ("%Y-%m-%dT%H:%M:%S.%Q", "2020-01-02T03:04:05.123"),
            ("%F %T.%6N|%3N|%N|%f", "2020-01-02 03:04:05.123456|123|123456000|123456"),
            ("%a %A %b %B %d %e %j %w %u", "Thu Thursday Jan January 02  2 002 4 4"),
            ("%I %l %k %p %y %C %s %%", "03  3  3 AM 20 20 1577934245 %"),
            ("%U %V %W %G %g", "00 01 00 2020 20"),
            ("%z %:z %::z %:::z %Z %Ez", "+0000 +00:00 +00:00:00 +00 UTC 0"),
            ("%c|%+|%x|%X", "Thu Jan  2 03:04:05 2020|Thu Jan  2 03:04:05 UTC 2020|01/02/2020|03:04:05"),
            ("%!x%", "%!x%"),
        ];
        for (format, expected) in cases {
            assert_eq!(text(time, format, chrono_tz::UTC), expected, "{format}");
        }
        assert_eq!(text(time, "%H:%M %Z %z %Ez", chrono_tz::America::New_York), "22:04 EST -0500 -300");
        assert_eq!(strftime(Number::Real(1e300), "%Y", chrono_tz::UTC), None);
    }

    #[test]
    fn times_are_read_by_their_variables() {
        let cases = [
            ("2020-01-02 03:04:05", "%Y-%m-%d %H:%M:%S", 1_577_934_245.0),
            ("2020-01-02T03:04:05.5Z", "%Y-%m-%dT%H:%M:%S.%NZ", 1_577_934_245.5),
            ("Thu Jan 02 2020 03:04:05 AM", "%a %B %d %Y %I:%M:%S %p", 1_577_934_245.0),
            ("1/2/20 3:4:5", "%m/%d/%y %H:%M:%S", 1_577_934_245.0),
            ("2020-01-02 05:04:05 +0200", "%F %T %z", 1_577_934_245.0),
            ("2020-01-01 22:04:05 EST", "%F %T %Z", 1_577_934_245.0),
            ("1577934245 and more", "%s", 1_577_934_245.0),
            ("2020-002", "%Y-%j", 1_577_923_200.0),
            ("03:04", "%H:%M", 1_577_934_240.0),
            ("02/Jan/2020:12:00:00 AM", "%d/%b/%Y:%I:%M:%S %p", 1_577_923_200.0),
        ];
        for (text, format, expected) in cases {
            assert_eq!(read(text, format).map(Number::real), Some(expected), "{text} {format}");
        }
        for (text, format) in [("2020-01", "%Y-%m"), ("x", "%Y"), ("2020-13-01", "%F"), ("", "%s"), ("2020", "%")] {
            assert_eq!(read(text, format), None, "{text} {format}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_format_are_taken(text in ".{0,20}", format in "[%a-zA-Z0-9:+ -]{0,16}", time: f64) {
            let _ = strptime(&text, &format, chrono_tz::Europe::Berlin, NOW);
            let _ = strftime(Number::Real(time), &format, chrono_tz::Europe::Berlin);
        }
    }
}
