//! Splunk's relative times: `-24h@h`, `@d`, `-1mon@mon+2d`, `now`.
//!
//! Source: the documentation page "Time modifiers".
use super::datetime::{self, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use chrono_tz::Tz;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const UNITS: &[(&str, Unit)] = &[
    ("s", Unit::Second),
    ("sec", Unit::Second),
    ("secs", Unit::Second),
    ("second", Unit::Second),
    ("seconds", Unit::Second),
    ("m", Unit::Minute),
    ("min", Unit::Minute),
    ("mins", Unit::Minute),
    ("minute", Unit::Minute),
    ("minutes", Unit::Minute),
    ("h", Unit::Hour),
    ("hr", Unit::Hour),
    ("hrs", Unit::Hour),
    ("hour", Unit::Hour),
    ("hours", Unit::Hour),
    ("d", Unit::Day),
    ("day", Unit::Day),
    ("days", Unit::Day),
    ("w", Unit::Week),
    ("week", Unit::Week),
    ("weeks", Unit::Week),
    ("mon", Unit::Month),
    ("month", Unit::Month),
    ("months", Unit::Month),
    ("q", Unit::Quarter),
    ("qtr", Unit::Quarter),
    ("qtrs", Unit::Quarter),
    ("quarter", Unit::Quarter),
    ("quarters", Unit::Quarter),
    ("y", Unit::Year),
    ("yr", Unit::Year),
    ("yrs", Unit::Year),
    ("year", Unit::Year),
    ("years", Unit::Year),
];

/// The moment that a relative time means at `now` (ticks of 100 ns): its parts apply from left to right, days and
/// longer units by the calendar of the zone. A first part without a sign adds. None for what is no relative time.
pub fn moment(now: i64, text: &str, zone: Tz) -> Option<i64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut at = now;
    if let Some(after) = rest.strip_prefix("now") {
        rest = after.trim_start_matches("()");
    }
    // A number without a sign counts forward; one without a unit is no relative time.
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (unit, after) = unit(rest.get(digits..)?).filter(|_| !rest[digits..].starts_with(['@', '+', '-']))?;
        at = moved(at, rest.get(..digits)?.parse().ok()?, unit, zone)?;
        rest = after;
    }
    while let Some(first) = rest.chars().next() {
        rest = rest.get(1..)?;
        match first {
            '@' => {
                let (unit, weekday, after) = snap_unit(rest)?;
                at = snapped(at, unit, weekday, zone)?;
                rest = after;
            }
            '+' | '-' => {
                let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let count: i64 = if digits == 0 { 1 } else { rest.get(..digits)?.parse().ok()? };
                let (unit, after) = unit(rest.get(digits..)?)?;
                at = moved(at, if first == '-' { count.checked_neg()? } else { count }, unit, zone)?;
                rest = after;
            }
            _ => return None,
        }
    }
    Some(at)
}

/// The width of a span such as `5m` or `1d`, where it is a fixed one: ticks. Months and longer units are not.
pub fn span(text: &str) -> Option<Span> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: i64 = if digits == 0 { 1 } else { text.get(..digits)?.parse().ok()? };
    let written = text.get(digits..)?;
    let parts = [("us", 10), ("ms", 10_000), ("cs", 100_000), ("ds", 1_000_000)];
    if let Some((_, ticks)) = parts.iter().find(|(name, _)| *name == written) {
        return Some(Span::Ticks(count.checked_mul(*ticks)?));
    }
    let (unit, after) = unit(written)?;
    if count < 1 {
        return None;
    }
    if let Some(snap) = after.strip_prefix('@') {
        return snapped_span(count, unit, snap);
    }
    if !after.is_empty() {
        return None;
    }
    fixed_span(count, unit)
}

/// A span of which the bins begin where a snap says: of weeks on a day of the week; others snap to their own unit.
fn snapped_span(count: i64, unit: Unit, snap: &str) -> Option<Span> {
    let (snap, weekday, after) = snap_unit(snap)?;
    match (unit, snap) {
        (own, snap) if own != snap || !after.is_empty() => None,
        (Unit::Week, _) => Some(Span::Weeks { count, weekday }),
        _ => fixed_span(count, unit),
    }
}

fn fixed_span(count: i64, unit: Unit) -> Option<Span> {
    Some(match unit {
        Unit::Second => Span::Ticks(count.checked_mul(TICKS_PER_SECOND)?),
        Unit::Minute => Span::Ticks(count.checked_mul(TICKS_PER_MINUTE)?),
        Unit::Hour => Span::Ticks(count.checked_mul(TICKS_PER_HOUR)?),
        Unit::Day => Span::Days(count),
        Unit::Week => Span::Days(count.checked_mul(7)?),
        Unit::Month => Span::Months(count),
        Unit::Quarter => Span::Months(count.checked_mul(3)?),
        Unit::Year => Span::Months(count.checked_mul(12)?),
    })
}

/// How wide a bin of times is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Ticks(i64),
    /// Days of the calendar, from midnight to midnight.
    Days(i64),
    /// Weeks that begin on a day of the week; 0 is Sunday.
    Weeks {
        count: i64,
        weekday: i64,
    },
    /// Months of the calendar.
    Months(i64),
}

impl Span {
    /// About how wide it is: a month counts 30 days.
    pub fn ticks(self) -> i64 {
        match self {
            Span::Ticks(ticks) => ticks,
            Span::Days(days) => days.saturating_mul(TICKS_PER_DAY),
            Span::Weeks { count, .. } => count.saturating_mul(7 * TICKS_PER_DAY),
            Span::Months(months) => months.saturating_mul(30 * TICKS_PER_DAY),
        }
    }

    /// Where the bin begins that a moment lies in: bins of days and months begin at midnight of the zone.
    pub fn start(self, ticks: i64, zone: Tz) -> Option<i64> {
        match self {
            Span::Ticks(width) => Some(ticks.div_euclid(width.max(1)).checked_mul(width.max(1))?),
            Span::Days(count) => {
                let local = local(ticks, zone)?;
                let day = local.div_euclid(TICKS_PER_DAY).div_euclid(count).checked_mul(count)?;
                utc(day.checked_mul(TICKS_PER_DAY)?, zone)
            }
            Span::Weeks { count, weekday } => {
                // 1970-01-01 was a Thursday.
                let days = local(ticks, zone)?.div_euclid(TICKS_PER_DAY).checked_add(4 - weekday)?;
                let width = count.checked_mul(7)?;
                let day = days.div_euclid(width).checked_mul(width)?.checked_sub(4 - weekday)?;
                utc(day.checked_mul(TICKS_PER_DAY)?, zone)
            }
            Span::Months(count) => {
                let (year, month, _) = datetime::civil(local(ticks, zone)?);
                let months = (i64::from(year) * 12 + i64::from(month) - 1).div_euclid(count).checked_mul(count)?;
                utc(month_start(months)?, zone)
            }
        }
    }

    /// Where the bin behind the one that begins at `start` begins.
    pub fn next(self, start: i64, zone: Tz) -> Option<i64> {
        match self {
            Span::Ticks(width) => start.checked_add(width.max(1)),
            Span::Days(count) => moved(start, count, Unit::Day, zone),
            Span::Weeks { count, .. } => moved(start, count, Unit::Week, zone),
            Span::Months(count) => moved(start, count, Unit::Month, zone),
        }
    }
}

fn unit(text: &str) -> Option<(Unit, &str)> {
    let length = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (name, after) = text.split_at_checked(length)?;
    // A number without a unit counts seconds.
    if name.is_empty() {
        return Some((Unit::Second, after));
    }
    let found = UNITS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some((found.1, after))
}

/// The unit to snap to, and for weeks the day that they begin with (0 is Sunday).
fn snap_unit(text: &str) -> Option<(Unit, i64, &str)> {
    let (unit, after) = unit(text).filter(|_| text.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let weekday = after.bytes().next().filter(|_| unit == Unit::Week).filter(u8::is_ascii_digit);
    match weekday {
        Some(day @ b'0'..=b'7') => Some((unit, i64::from(day - b'0') % 7, after.get(1..)?)),
        Some(_) => None,
        None => Some((unit, 0, after)),
    }
}

fn local(ticks: i64, zone: Tz) -> Option<i64> {
    datetime::utc_to_local(ticks, zone.name())
}

fn utc(local: i64, zone: Tz) -> Option<i64> {
    datetime::local_to_utc(local, zone.name())
}

/// The midnight with which a month begins, counted from year 0.
fn month_start(months: i64) -> Option<i64> {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    datetime::from_civil(i32::try_from(year).ok()?, month as u32, 1, 0, 0, 0, 0)
}

fn moved(ticks: i64, count: i64, unit: Unit, zone: Tz) -> Option<i64> {
    let fixed = |width: i64| datetime::checked(ticks.checked_add(count.checked_mul(width)?)?);
    let days = |days: i64| {
        let moved = local(ticks, zone)?.checked_add(days.checked_mul(TICKS_PER_DAY)?)?;
        utc(datetime::checked(moved)?, zone)
    };
    let months = |months: i64| {
        let local = local(ticks, zone)?;
        let (year, month, day) = datetime::civil(local);
        let whole = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
        let (year, month) = (i32::try_from(whole.div_euclid(12)).ok()?, whole.rem_euclid(12) as u32 + 1);
        let day = day.min(datetime::days_in_month(year, month));
        utc(datetime::from_civil(year, month, day, 0, 0, 0, 0)? + datetime::time_of_day(local), zone)
    };
    match unit {
        Unit::Second => fixed(TICKS_PER_SECOND),
        Unit::Minute => fixed(TICKS_PER_MINUTE),
        Unit::Hour => fixed(TICKS_PER_HOUR),
        Unit::Day => days(count),
        Unit::Week => days(count.checked_mul(7)?),
        Unit::Month => months(count),
        Unit::Quarter => months(count.checked_mul(3)?),
        Unit::Year => months(count.checked_mul(12)?),
    }
}

fn snapped(ticks: i64, unit: Unit, weekday: i64, zone: Tz) -> Option<i64> {
    let local = local(ticks, zone)?;
    let floor = |width: i64| utc(local.div_euclid(width) * width, zone);
    match unit {
        // A snap to less than a day stays on the side of a change of clocks that it is on.
        Unit::Second | Unit::Minute | Unit::Hour => {
            let width = match unit {
                Unit::Second => TICKS_PER_SECOND,
                Unit::Minute => TICKS_PER_MINUTE,
                _ => TICKS_PER_HOUR,
            };
            Some(ticks - local.rem_euclid(width))
        }
        Unit::Day => floor(TICKS_PER_DAY),
        Unit::Week => {
            // 1970-01-01 was a Thursday.
            let day = local.div_euclid(TICKS_PER_DAY);
            let since = (day + 4 - weekday).rem_euclid(7);
            utc((day - since) * TICKS_PER_DAY, zone)
        }
        Unit::Month => Span::Months(1).start(ticks, zone),
        Unit::Quarter => Span::Months(3).start(ticks, zone),
        Unit::Year => Span::Months(12).start(ticks, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: Tz) -> String {
        let now = datetime::parse("2020-01-02 03:04:05").unwrap();
        moment(now, text, zone).map_or_else(|| "none".into(), |ticks| datetime::format(ticks)[..19].to_owned())
    }

    #[test]
    fn offsets_and_snaps_apply_from_left_to_right() {
        for (text, expected) in [
            ("now", "2020-01-02T03:04:05"),
            ("-70m@m", "2020-01-02T01:54:00"),
            ("-1d@d", "2020-01-01T00:00:00"),
            ("@d-1h", "2020-01-01T23:00:00"),
            ("@w0", "2019-12-29T00:00:00"),
            ("@w1", "2019-12-30T00:00:00"),
            ("@w", "2019-12-29T00:00:00"),
            ("-1mon@mon", "2019-12-01T00:00:00"),
            ("@q", "2020-01-01T00:00:00"),
            ("-1y@y+2days", "2019-01-03T00:00:00"),
            ("-30", "2020-01-02T03:03:35"),
            ("-h", "2020-01-02T02:04:05"),
            ("+2w", "2020-01-16T03:04:05"),
            ("yesterday", "none"),
            ("-1x", "none"),
            ("", "none"),
        ] {
            assert_eq!(at(text, Tz::UTC), expected, "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_zone() {
        assert_eq!(at("@d", Tz::America__New_York), "2020-01-01T05:00:00");
        let before = datetime::parse("2020-03-08 12:00:00").unwrap();
        let day = moment(before, "-1d", Tz::America__New_York).unwrap();
        assert_eq!(datetime::format(day)[..19].to_owned(), "2020-03-07T13:00:00");
    }

    #[test]
    fn spans_begin_where_the_calendar_says() {
        let now = datetime::parse("2020-01-02 03:04:05").unwrap();
        let start = |text: &str, zone| datetime::format(span(text).unwrap().start(now, zone).unwrap())[..19].to_owned();
        assert_eq!(start("5m", Tz::UTC), "2020-01-02T03:00:00");
        assert_eq!(start("1d", Tz::America__New_York), "2020-01-01T05:00:00");
        assert_eq!(start("1mon", Tz::UTC), "2020-01-01T00:00:00");
        assert_eq!(start("1w@w1", Tz::UTC), "2019-12-30T00:00:00");
        assert_eq!(start("2h@h", Tz::UTC), "2020-01-02T02:00:00");
        assert_eq!(span("5x"), None);
        assert_eq!(span("1h@d"), None);
        let next = span("1mon").unwrap().next(datetime::parse("2020-01-01").unwrap(), Tz::UTC).unwrap();
        assert_eq!(datetime::format(next)[..10].to_owned(), "2020-02-01");
    }
}
