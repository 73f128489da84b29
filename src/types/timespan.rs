//! Timespans: ticks of 100 ns.
//!
//! Source: the documentation page "The timespan data type".
use super::datetime::{
    Run, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE,
    TICKS_PER_SECOND, is_delimiter, runs, write_fraction, write_padded,
};
use std::fmt::Write;

/// The timespan that a text states: a literal (`1d`, `2.5h`, `100ms`, `15 seconds`), `[-][d.]hh:mm[:ss[.fffffff]]`,
/// or whole days (`7`). More than seven digits of a second's fraction are cut.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if rest.contains(':') { clock(rest)? } else { amount(rest)? };
    i64::try_from(if negative { -ticks } else { ticks }).ok()
}

/// The unit of a literal's name: a number of ticks, and how many units are that long.
fn unit(name: &str) -> Option<(i64, i128)> {
    let ticks = match name {
        "d" | "day" | "days" => TICKS_PER_DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => TICKS_PER_HOUR,
        "m" | "min" | "minute" | "minutes" => TICKS_PER_MINUTE,
        "s" | "sec" | "second" | "seconds" => TICKS_PER_SECOND,
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => TICKS_PER_MILLISECOND,
        "us" | "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => TICKS_PER_MICROSECOND,
        "tick" | "ticks" => 1,
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds" => return Some((1, 100)),
        _ => return None,
    };
    Some((ticks, 1))
}

/// A decimal number and a unit, or whole days without one.
fn amount(text: &str) -> Option<i128> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.').unwrap_or(text.len());
    let (number, name) = text.split_at_checked(end)?;
    let name = name.trim_ascii_start();
    if number.contains('.') && name.is_empty() {
        return None;
    }
    let (size, divisor) = if name.is_empty() { (TICKS_PER_DAY, 1) } else { unit(&name.to_ascii_lowercase())? };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    Some((i128::from(whole) * i128::from(size) + fraction_of(fraction, size)) / divisor)
}

/// A decimal fraction of a unit, exact to the tick.
fn fraction_of(digits: &str, size: i64) -> i128 {
    let digits = digits.get(..digits.len().min(18)).unwrap_or_default();
    let value = digits.bytes().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    value * i128::from(size) / 10_i128.pow(digits.len() as u32)
}

/// `[d.]hh:mm[:ss[.fffffff]]`.
fn clock(text: &str) -> Option<i128> {
    let mut fields = text.split(':');
    let (first, minutes, seconds) = (fields.next()?, fields.next()?, fields.next().unwrap_or("0"));
    if fields.next().is_some() {
        return None;
    }
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = field(days, i64::MAX)? * i128::from(TICKS_PER_DAY)
        + field(hours, 23)? * i128::from(TICKS_PER_HOUR)
        + field(minutes, 59)? * i128::from(TICKS_PER_MINUTE)
        + field(seconds, 59)? * i128::from(TICKS_PER_SECOND);
    Some(whole + fraction_of(fraction, TICKS_PER_SECOND))
}

fn field(digits: &str, greatest: i64) -> Option<i128> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|value: &i64| *value <= greatest).map(i128::from)
}

/// `[-][d.]hh:mm:ss[.fffffff]`, as `tostring()` gives it.
pub fn format(ticks: i64) -> String {
    let mut out = String::with_capacity(16);
    write(ticks, &mut out);
    out
}

/// Appends what [`format`] gives.
pub fn write(ticks: i64, out: &mut String) {
    let parts = Parts::of(ticks);
    if ticks < 0 {
        out.push('-');
    }
    // Writing to a String does not fail.
    if parts.days > 0 {
        let _ = write!(out, "{}.", parts.days);
    }
    let _ = write!(out, "{:02}:{:02}:{:02}", parts.hours, parts.minutes, parts.seconds);
    if parts.fraction > 0 {
        let _ = write!(out, ".{:07}", parts.fraction);
    }
}

/// The parts of a timespan without its sign.
struct Parts {
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    fraction: i64,
}

impl Parts {
    fn of(ticks: i64) -> Self {
        let ticks = ticks.unsigned_abs();
        let count = |size: i64, limit: u64| (ticks / size.unsigned_abs() % limit) as i64;
        Parts {
            days: count(TICKS_PER_DAY, u64::MAX),
            hours: count(TICKS_PER_HOUR, 24),
            minutes: count(TICKS_PER_MINUTE, 60),
            seconds: count(TICKS_PER_SECOND, 60),
            fraction: count(1, TICKS_PER_SECOND.unsigned_abs()),
        }
    }
}

/// The timespan in a pattern of `d h H m s f F` and delimiters; `None` for any other pattern.
///
/// Source: the documentation page "format_timespan()".
pub fn format_timespan(ticks: i64, pattern: &str) -> Option<String> {
    let parts = Parts::of(ticks);
    let mut out = String::with_capacity(pattern.len() + 8);
    if ticks < 0 {
        out.push('-');
    }
    for run in runs(pattern) {
        write_run(&parts, run, &mut out)?;
    }
    Some(out)
}

fn write_run(parts: &Parts, run: Run, out: &mut String) -> Option<()> {
    let value = match (run.letter, run.count) {
        ('d', 1..=8) => parts.days,
        ('h' | 'H', 1 | 2) => parts.hours,
        ('m', 1 | 2) => parts.minutes,
        ('s', 1 | 2) => parts.seconds,
        ('f' | 'F', 1..=7) => return write_fraction(run, parts.fraction, out),
        (letter, count) if is_delimiter(letter) => {
            out.extend(std::iter::repeat_n(letter, count));
            return Some(());
        }
        _ => return None,
    };
    write_padded(value, run.count, out);
    Some(())
}

/// The greatest multiple of `size` not above the timespan; `None` for a size that is not positive.
///
/// Source: the documentation page "bin()".
pub fn floor(ticks: i64, size: i64) -> Option<i64> {
    if size <= 0 { None } else { ticks.div_euclid(size).checked_mul(size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_literals_and_texts() {
        let hour = TICKS_PER_HOUR;
        let cases = [
            ("1d", 24 * hour),
            ("2.5h", 5 * hour / 2),
            ("30m", hour / 2),
            ("10s", 10 * TICKS_PER_SECOND),
            ("1sec", TICKS_PER_SECOND),
            ("0min", 0),
            ("0.1s", TICKS_PER_SECOND / 10),
            (".5h", hour / 2),
            ("100ms", 1_000_000),
            ("5microseconds", 50),
            ("5us", 50),
            ("3ticks", 3),
            ("250nanoseconds", 2),
            ("1tick", 1),
            ("15 seconds", 15 * TICKS_PER_SECOND),
            ("7", 7 * 24 * hour),
            ("-1d", -24 * hour),
            ("01:00", hour),
            ("-1:00:00", -hour),
            ("0.12:34:56.7", 12 * hour + 34 * TICKS_PER_MINUTE + 56 * TICKS_PER_SECOND + 7_000_000),
            ("1.02:03:04.5678900", 26 * hour + 3 * TICKS_PER_MINUTE + 45_678_900),
            ("00:00:00.123456789", 1_234_567),
            (" 1h ", hour),
        ];
        for (text, ticks) in cases {
            assert_eq!(parse(text), Some(ticks), "{text}");
        }
        for text in ["", "null", "x", "1x", "1.5", "24:00:00", "00:60", "1:2:3:4", "--1d", "1.5.5h", ".", "106751999d"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn writes_texts() {
        assert_eq!(format(0), "00:00:00");
        assert_eq!(format(16 * TICKS_PER_DAY), "16.00:00:00");
        assert_eq!(format(-TICKS_PER_HOUR), "-01:00:00");
        assert_eq!(format(1_314_551_230_000), "1.12:30:55.1230000");
        assert_eq!(format(1), "00:00:00.0000001");
        assert_eq!(format(i64::MIN), "-10675199.02:48:05.4775808");
    }

    #[test]
    fn writes_patterns() {
        let ticks = parse("29.09:00:05.12345").unwrap();
        assert_eq!(format_timespan(ticks, "dd.hh:mm:ss:FF").as_deref(), Some("29.09:00:05:12"));
        assert_eq!(format_timespan(ticks, "ddd.h:mm:ss [fffffff]").as_deref(), Some("029.9:00:05 [1234500]"));
        assert_eq!(format_timespan(ticks, "y"), None);
        assert_eq!(format_timespan(ticks, "ffffffff"), None);
    }

    #[test]
    fn floors() {
        assert_eq!(floor(16 * TICKS_PER_DAY, 7 * TICKS_PER_DAY), Some(14 * TICKS_PER_DAY));
        assert_eq!(floor(-1, 10), Some(-10));
        assert_eq!(floor(5, 0), None);
        assert_eq!(floor(5, -1), None);
        assert_eq!(floor(i64::MIN, i64::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn text_gives_the_value_back(ticks: i64) {
            proptest::prop_assert_eq!(parse(&format(ticks)), Some(ticks));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String, pattern: String, ticks: i64) {
            let _ = (parse(&text), format_timespan(ticks, &pattern));
        }

        #[test]
        fn texts_like_timespans_are_read_without_a_panic(text in "-?[0-9.:]{0,30} ?[a-z]{0,3}") {
            let _ = parse(&text);
        }
    }
}
