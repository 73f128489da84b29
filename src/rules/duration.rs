//! Durations of rule files in every spelling that tools write, as ticks of 100 ns.
//!
//! Source: Sentinel's rule schema (ISO 8601 durations), the public rules (`15m`, `1d`) and .NET's
//! TimeSpan format, which upstream's validators read.

use crate::types::datetime::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::types::timespan;

/// Ticks of 100 ns.
pub type Ticks = i64;

pub const SECOND: Ticks = TICKS_PER_SECOND;
pub const MINUTE: Ticks = TICKS_PER_MINUTE;
pub const HOUR: Ticks = TICKS_PER_HOUR;
pub const DAY: Ticks = TICKS_PER_DAY;

/// Reads `15m`, `1d`, `PT5H`, `P1DT2H`, `P2W`, `01:00:00`, `1.00:00:00` and, as .NET does, a bare
/// number as days; none where the text is no duration or out of range.
pub fn parse(text: &str) -> Option<Ticks> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let Some(rest) = rest.strip_prefix(['P', 'p']) else { return timespan::parse(text) };
    let ticks = i64::try_from(iso(rest)?).ok()?;
    Some(if negative { -ticks } else { ticks })
}

/// `1DT2H30M` without its P. Years and months are 365 and 30 days, as in .NET.
fn iso(text: &str) -> Option<i128> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text, ""),
    };
    let dates = [('Y', 365 * DAY), ('M', 30 * DAY), ('W', 7 * DAY), ('D', DAY)];
    let times = [('H', HOUR), ('M', MINUTE), ('S', SECOND)];
    let total = designated(date, &dates)?.checked_add(designated(time, &times)?)?;
    (!text.is_empty()).then_some(total)
}

/// A run of numbers, each followed by its letter, in the order of `letters`.
fn designated(mut text: &str, letters: &[(char, Ticks)]) -> Option<i128> {
    let mut total: i128 = 0;
    let mut next = 0;
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, rest) = text.split_at_checked(end)?;
        let letter = rest.chars().next()?.to_ascii_uppercase();
        let at = letters.iter().position(|(l, _)| *l == letter).filter(|at| *at >= next)?;
        let (_, unit) = letters.get(at)?;
        total = total.checked_add(scaled(number, *unit)?)?;
        next = at + 1;
        text = rest.get(1..)?;
    }
    Some(total)
}

/// A decimal number of units, exact to a tick.
fn scaled(number: &str, unit: Ticks) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return None;
    }
    let whole = whole.parse::<i128>().ok()?.checked_mul(i128::from(unit))?;
    let parts = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? };
    let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_add(parts.checked_mul(i128::from(unit))? / scale)
}

/// The ISO 8601 form that ARM wants: `P1D`, `PT5H`, `P1DT2H30M`, `PT0S`.
pub fn to_iso(ticks: Ticks) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let in_unit = |unit: Ticks, size: u64| ticks / unit.unsigned_abs() % size;
    let days = ticks / DAY.unsigned_abs();
    let seconds = seconds_text(ticks % MINUTE.unsigned_abs());
    let mut time = String::new();
    for (count, letter) in [(in_unit(HOUR, 24), 'H'), (in_unit(MINUTE, 60), 'M')] {
        if count > 0 {
            time.push_str(&format!("{count}{letter}"));
        }
    }
    if seconds != "0" {
        time.push_str(&format!("{seconds}S"));
    }
    match (days, time.as_str()) {
        (0, "") => "PT0S".into(),
        (0, _) => format!("{sign}PT{time}"),
        (_, "") => format!("{sign}P{days}D"),
        _ => format!("{sign}P{days}DT{time}"),
    }
}

fn seconds_text(ticks: u64) -> String {
    let (whole, rest) = (ticks / SECOND.unsigned_abs(), ticks % SECOND.unsigned_abs());
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:07}").trim_end_matches('0').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_rule_files_is_read() {
        let cases = [
            ("15m", 15 * MINUTE),
            ("24h", DAY),
            ("1d", DAY),
            ("5min", 5 * MINUTE),
            ("2 hours", 2 * HOUR),
            ("PT5H", 5 * HOUR),
            ("pt5h", 5 * HOUR),
            ("P1D", DAY),
            ("P1DT2H", 26 * HOUR),
            ("P2W", 14 * DAY),
            ("PT1H30M", 90 * MINUTE),
            ("PT0.5S", SECOND / 2),
            ("PT0S", 0),
            ("01:00:00", HOUR),
            ("00:05", 5 * MINUTE),
            ("1.00:00:00", DAY),
            ("1.02:03:04.5", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + SECOND / 2),
            ("7", 7 * DAY),
            ("-1h", -HOUR),
        ];
        for (text, ticks) in cases {
            assert_eq!(parse(text), Some(ticks), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in ["", "P", "PT", "P1", "P1H", "PT1D", "PT1M1H", "h", "1x", "25:00:00", "1:60", "a:b", "--1h"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("99999999999999d"), None);
        assert_eq!(parse("9999999999999999999999"), None);
    }

    #[test]
    fn the_iso_form_reads_back_as_the_same_ticks() {
        for (ticks, text) in [
            (0, "PT0S"),
            (DAY, "P1D"),
            (14 * DAY, "P14D"),
            (5 * HOUR, "PT5H"),
            (26 * HOUR + 5 * MINUTE, "P1DT2H5M"),
            (SECOND / 2, "PT0.5S"),
            (-HOUR, "-PT1H"),
        ] {
            assert_eq!(to_iso(ticks), text);
            assert_eq!(parse(text), Some(ticks));
        }
        assert_eq!(parse(&to_iso(i64::MAX)), Some(i64::MAX));
    }
}
