//! `format_datetime()`, and the reading of its patterns that `format_timespan()` shares.
use super::{TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, civil, time_of_day};
use std::fmt::Write;

/// One letter or delimiter of a pattern and how often it stands there in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub letter: char,
    pub count: usize,
}

/// The runs of equal characters of a pattern.
pub fn runs(pattern: &str) -> impl Iterator<Item = Run> + '_ {
    let mut rest = pattern.chars().peekable();
    std::iter::from_fn(move || {
        let letter = rest.next()?;
        let mut count = 1;
        while rest.next_if_eq(&letter).is_some() {
            count += 1;
        }
        Some(Run { letter, count })
    })
}

/// Whether the character stands for itself in a pattern.
pub fn is_delimiter(letter: char) -> bool {
    matches!(letter, ' ' | '/' | '-' | ':' | ',' | '.' | '_' | '[' | ']')
}

/// The numbers from 0 to 99 with two digits each, one after the other.
const PAIRS: &str = {
    const BYTES: [u8; 200] = {
        let mut digits = [0; 200];
        let mut value = 0;
        while value < 100 {
            digits[value * 2] = b'0' + value as u8 / 10;
            digits[value * 2 + 1] = b'0' + value as u8 % 10;
            value += 1;
        }
        digits
    };
    match std::str::from_utf8(&BYTES) {
        Ok(digits) => digits,
        Err(_) => "",
    }
};

/// A number with at least `width` digits.
pub fn write_padded(value: i64, width: usize, out: &mut String) {
    let pair = |value: i64| PAIRS.get(value as usize * 2..value as usize * 2 + 2).unwrap_or_default();
    match (width, value) {
        (2, 0..100) | (0 | 1, 10..100) => out.push_str(pair(value)),
        (0 | 1, 0..10) => out.push_str(pair(value).get(1..).unwrap_or_default()),
        (4, 0..10_000) => {
            out.push_str(pair(value / 100));
            out.push_str(pair(value % 100));
        }
        // Writing to a String does not fail.
        _ => {
            let _ = write!(out, "{value:0width$}");
        }
    }
}

/// The first `run.count` digits of the seconds' fraction; with `F`, without the zeros at the end.
pub fn write_fraction(run: Run, ticks_of_second: i64, out: &mut String) -> Option<()> {
    let scale = 10_i64.pow(7_usize.checked_sub(run.count)? as u32);
    let mut digits = format!("{:0width$}", ticks_of_second / scale, width = run.count);
    if run.letter == 'F' {
        digits.truncate(digits.trim_end_matches('0').len());
    }
    out.push_str(&digits);
    Some(())
}

/// A pattern of `y M d h H m s f F t` and delimiters, taken apart.
///
/// `T` and `Z` stand for themselves too: ISO 8601 patterns are written with them.
///
/// Source: the documentation page "format_datetime()".
pub struct Pattern(Vec<Run>);

impl Pattern {
    pub fn new(pattern: &str) -> Pattern {
        Pattern(runs(pattern).collect())
    }

    /// Appends the datetime in this pattern; `None`, with something appended, for a pattern of anything else.
    pub fn write(&self, ticks: i64, out: &mut String) -> Option<()> {
        let (date, time) = (civil(ticks), time_of_day(ticks));
        self.0.iter().try_for_each(|run| write_run(date, time, *run, out))
    }
}

fn write_run((year, month, day): (i32, u32, u32), time: i64, run: Run, out: &mut String) -> Option<()> {
    let hour = time / TICKS_PER_HOUR;
    let value = match (run.letter, run.count) {
        ('y', 1 | 2) => i64::from(year % 100),
        ('y', 3 | 4) => i64::from(year),
        ('M', 1 | 2) => i64::from(month),
        ('d', 1 | 2) => i64::from(day),
        ('h', 1 | 2) => (hour + 11) % 12 + 1,
        ('H', 1 | 2) => hour,
        ('m', 1 | 2) => time / TICKS_PER_MINUTE % 60,
        ('s', 1 | 2) => time / TICKS_PER_SECOND % 60,
        ('f' | 'F', 1..=7) => return write_fraction(run, time % TICKS_PER_SECOND, out),
        ('t', 1 | 2) => {
            out.push_str(["AM", "PM"][usize::from(hour >= 12)].get(..run.count)?);
            return Some(());
        }
        (letter, count) if is_delimiter(letter) || matches!(letter, 'T' | 'Z') => {
            out.extend(std::iter::repeat_n(letter, count));
            return Some(());
        }
        _ => return None,
    };
    write_padded(value, run.count, out);
    Some(())
}
