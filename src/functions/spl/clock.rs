//! Times as texts by Splunk's format variables.
//!
//! Source: Splunk Search Reference, date and time format variables.
use crate::types::field::Number;
use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;
use std::fmt::Write;

/// The seconds and nanoseconds of a time that may have a fraction; microseconds are its finest part.
fn parts(time: Number) -> Option<(i64, u32)> {
    match time {
        Number::Long(seconds) => Some((seconds, 0)),
        Number::Real(real) => {
            let microseconds = (real * 1e6).round();
            (microseconds.abs() < 9e18).then(|| {
                let microseconds = microseconds as i64;
                (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000) as u32 * 1000)
            })
        }
    }
}

/// The local time of seconds since 1970; none where the calendar ends before.
pub fn local(time: Number, zone: Tz) -> Option<DateTime<Tz>> {
    let (seconds, nanoseconds) = parts(time)?;
    Some(DateTime::from_timestamp(seconds, nanoseconds)?.with_timezone(&zone))
}

/// The seconds since 1970 at which a zone's clocks show a time: the earlier where they show it twice, and by the
/// offset after the change where they skip it.
pub fn since_1970(shown: NaiveDateTime, zone: Tz) -> Option<i64> {
    match zone.from_local_datetime(&shown) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => Some(moment.timestamp()),
        MappedLocalTime::None => {
            let later = zone.offset_from_utc_datetime(&shown.checked_add_signed(chrono::TimeDelta::days(1))?);
            Some(shown.and_utc().timestamp() - i64::from(later.fix().local_minus_utc()))
        }
    }
}

/// The text of a time by a format; none beyond the calendar.
pub fn strftime(time: Number, format: &str, zone: Tz) -> Option<String> {
    let moment = local(time, zone)?;
    let mut out = String::with_capacity(format.len() + 16);
    write(&moment, format, &mut out);
    Some(out)
}

fn write(moment: &DateTime<Tz>, format: &str, out: &mut String) {
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let colons = std::iter::from_fn(|| rest.next_if_eq(&':')).count();
        let digits = rest.next_if(char::is_ascii_digit).and_then(|digit| digit.to_digit(10));
        let Some(variable) = rest.next() else { return out.push('%') };
        match variable {
            'z' => offset(moment, colons, out),
            'N' => fraction(moment, digits.unwrap_or(9), out),
            'Q' => fraction(moment, digits.unwrap_or(3), out),
            'E' if rest.next_if_eq(&'z').is_some() => {
                let _ = write!(out, "{}", moment.offset().fix().local_minus_utc() / 60);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            variable => {
                if variable_text(moment, variable, out).is_none() {
                    out.extend(['%', variable]);
                }
            }
        }
    }
}

/// Appends what a variable stands for; none where it is no variable.
fn variable_text(moment: &DateTime<Tz>, variable: char, out: &mut String) -> Option<()> {
    let hour12 = match moment.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let week = moment.iso_week();
    let since_sunday = moment.weekday().num_days_from_sunday();
    let since_monday = moment.weekday().num_days_from_monday();
    let written = match variable {
        'Y' => write!(out, "{:04}", moment.year()),
        'C' => write!(out, "{:02}", moment.year().div_euclid(100)),
        'y' => write!(out, "{:02}", moment.year().rem_euclid(100)),
        'G' => write!(out, "{:04}", week.year()),
        'g' => write!(out, "{:02}", week.year().rem_euclid(100)),
        'V' => write!(out, "{:02}", week.week()),
        'U' => write!(out, "{:02}", (moment.ordinal0() + 7 - since_sunday) / 7),
        'W' => write!(out, "{:02}", (moment.ordinal0() + 7 - since_monday) / 7),
        'm' => write!(out, "{:02}", moment.month()),
        'd' => write!(out, "{:02}", moment.day()),
        'e' => write!(out, "{:2}", moment.day()),
        'j' => write!(out, "{:03}", moment.ordinal()),
        'w' => write!(out, "{since_sunday}"),
        'u' => write!(out, "{}", since_monday + 1),
        'H' => write!(out, "{:02}", moment.hour()),
        'k' => write!(out, "{:2}", moment.hour()),
        'I' => write!(out, "{hour12:02}"),
        'l' => write!(out, "{hour12:2}"),
        'M' => write!(out, "{:02}", moment.minute()),
        'S' => write!(out, "{:02}", moment.second()),
        'f' => write!(out, "{:06}", moment.nanosecond() / 1000),
        's' => write!(out, "{}", moment.timestamp()),
        'p' => write!(out, "{}", if moment.hour() < 12 { "AM" } else { "PM" }),
        'P' => write!(out, "{}", if moment.hour() < 12 { "am" } else { "pm" }),
        'Z' => write!(out, "{}", moment.format("%Z")),
        'a' => out.write_str(named(&DAYS, since_sunday).get(..3)?),
        'A' => out.write_str(named(&DAYS, since_sunday)),
        'b' | 'h' => out.write_str(named(&MONTHS, moment.month0()).get(..3)?),
        'B' => out.write_str(named(&MONTHS, moment.month0())),
        variable => {
            write(moment, composed(variable)?, out);
            Ok(())
        }
    };
    written.ok()
}

/// Variables that stand for several others.
pub(super) fn composed(variable: char) -> Option<&'static str> {
    Some(match variable {
        'T' | 'X' => "%H:%M:%S",
        'R' => "%H:%M",
        'r' => "%I:%M:%S %p",
        'F' => "%Y-%m-%d",
        'D' => "%m/%d/%y",
        'x' => "%m/%d/%Y",
        'c' => "%a %b %e %H:%M:%S %Y",
        '+' => "%a %b %e %H:%M:%S %Z %Y",
        _ => return None,
    })
}

pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn named(names: &[&'static str], at: u32) -> &'static str {
    names.get(at as usize).copied().unwrap_or_default()
}

fn fraction(moment: &DateTime<Tz>, digits: u32, out: &mut String) {
    let all = format!("{:09}", moment.nanosecond() % 1_000_000_000);
    out.push_str(all.get(..digits as usize).unwrap_or(&all));
}

fn offset(moment: &DateTime<Tz>, colons: usize, out: &mut String) {
    let seconds = moment.offset().fix().local_minus_utc();
    let (sign, seconds) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = match colons {
        0 => write!(out, "{sign}{hours:02}{minutes:02}"),
        1 => write!(out, "{sign}{hours:02}:{minutes:02}"),
        2 => write!(out, "{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60),
        _ => write!(out, "{sign}{hours:02}"),
    };
}
