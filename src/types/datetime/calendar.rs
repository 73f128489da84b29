//! Parts, calendar arithmetic, and starts and ends of periods.
use super::{
    MIN, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE,
    TICKS_PER_SECOND, checked, civil, days_in_month, days_of_civil, from_civil, time_of_day,
};
use chrono::{Datelike, NaiveDate};

/// A part of a datetime, or a period to count in.
///
/// Source: the documentation pages "datetime_part()", "datetime_add()" and "datetime_diff()".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Year,
    Quarter,
    Month,
    /// As a part: the week of the year by ISO 8601. As a period: seven days, from Sunday.
    Week,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Part {
    /// The part of a name as queries write it, in any case.
    pub fn parse(name: &str) -> Option<Part> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Part::Year,
            "quarter" => Part::Quarter,
            "month" => Part::Month,
            "week" | "week_of_year" | "weekofyear" => Part::Week,
            "day" => Part::Day,
            "dayofyear" | "day_of_year" => Part::DayOfYear,
            "hour" => Part::Hour,
            "minute" => Part::Minute,
            "second" => Part::Second,
            "millisecond" => Part::Millisecond,
            "microsecond" => Part::Microsecond,
            "nanosecond" => Part::Nanosecond,
            _ => return None,
        })
    }

    /// The length in ticks of a part that always has the same; none for those shorter than a tick.
    fn ticks(self) -> Option<i64> {
        Some(match self {
            Part::Week => 7 * TICKS_PER_DAY,
            Part::Day | Part::DayOfYear => TICKS_PER_DAY,
            Part::Hour => TICKS_PER_HOUR,
            Part::Minute => TICKS_PER_MINUTE,
            Part::Second => TICKS_PER_SECOND,
            Part::Millisecond => TICKS_PER_MILLISECOND,
            Part::Microsecond => TICKS_PER_MICROSECOND,
            Part::Year | Part::Quarter | Part::Month | Part::Nanosecond => return None,
        })
    }
}

/// A part's number; the parts below the second are all counted from the second's start.
#[inline]
pub fn part(ticks: i64, part: Part) -> i64 {
    let time = time_of_day(ticks);
    match part {
        Part::Year => i64::from(civil(ticks).0),
        Part::Quarter => i64::from((civil(ticks).1 - 1) / 3 + 1),
        Part::Month => i64::from(civil(ticks).1),
        Part::Week => week_of_year(ticks),
        Part::Day => i64::from(civil(ticks).2),
        Part::DayOfYear => day_of_year(ticks),
        Part::Hour => time / TICKS_PER_HOUR,
        Part::Minute => time / TICKS_PER_MINUTE % 60,
        Part::Second => time / TICKS_PER_SECOND % 60,
        Part::Millisecond => time % TICKS_PER_SECOND / TICKS_PER_MILLISECOND,
        Part::Microsecond => time % TICKS_PER_SECOND / TICKS_PER_MICROSECOND,
        Part::Nanosecond => time % TICKS_PER_SECOND * 100,
    }
}

/// 0 is Sunday.
#[inline]
pub fn day_of_week(ticks: i64) -> i64 {
    (ticks.div_euclid(TICKS_PER_DAY) + 4).rem_euclid(7)
}

/// From 1 to 366.
pub fn day_of_year(ticks: i64) -> i64 {
    start_of(ticks, Part::Year).map_or(1, |start| (ticks - start) / TICKS_PER_DAY + 1)
}

/// The week of the year by ISO 8601, from 1 to 53.
///
/// Source: the documentation page "week_of_year()".
pub fn week_of_year(ticks: i64) -> i64 {
    let (year, month, day) = civil(ticks);
    NaiveDate::from_ymd_opt(year, month, day).map_or(0, |date| i64::from(date.iso_week().week()))
}

/// The first and the last tick of the part that a datetime lies in, also where the first week of all, or the last,
/// reaches beyond the years that there are. Weeks begin on Sunday.
#[inline]
pub fn period(ticks: i64, part: Part) -> (i64, i64) {
    let days = |first: i64, count: u32| {
        let start = first * TICKS_PER_DAY;
        (start, start + i64::from(count) * TICKS_PER_DAY - 1)
    };
    let months = |year: i32, first: u32, count: u32| {
        let length = (first..first + count).map(|month| days_in_month(year, month)).sum();
        days(i64::from(days_of_civil(year, first, 1)), length)
    };
    let day = ticks.div_euclid(TICKS_PER_DAY);
    // The usual periods are divided by constants.
    match part {
        Part::Day | Part::DayOfYear => days(day, 1),
        Part::Week => days(day - day_of_week(ticks), 7),
        Part::Month => {
            let (year, month, of_month) = civil(ticks);
            days(day + 1 - i64::from(of_month), days_in_month(year, month))
        }
        Part::Quarter => {
            let (year, month, _) = civil(ticks);
            months(year, (month - 1) / 3 * 3 + 1, 3)
        }
        Part::Year => months(civil(ticks).0, 1, 12),
        _ => {
            let size = part.ticks().unwrap_or(1);
            let start = ticks - ticks.rem_euclid(size);
            (start, start + size - 1)
        }
    }
}

/// The first tick of the part that a datetime lies in; weeks begin on Sunday.
pub fn start_of(ticks: i64, part: Part) -> Option<i64> {
    checked(period(checked(ticks)?, part).0)
}

/// The last tick of the part that a datetime lies in.
pub fn end_of(ticks: i64, part: Part) -> Option<i64> {
    checked(period(checked(ticks)?, part).1)
}

/// A datetime moved by some parts; months keep the day, or take their last one. Nanoseconds are cut to ticks.
///
/// Source: the documentation page "datetime_add()".
pub fn add(ticks: i64, part: Part, amount: i64) -> Option<i64> {
    let moved = match part {
        Part::Year => return add_months(ticks, amount.checked_mul(12)?),
        Part::Quarter => return add_months(ticks, amount.checked_mul(3)?),
        Part::Month => return add_months(ticks, amount),
        Part::Nanosecond => amount / 100,
        _ => amount.checked_mul(part.ticks()?)?,
    };
    checked(ticks.checked_add(moved)?)
}

/// The timespan of so many parts that always have the same length.
pub fn span(part: Part, amount: Option<i64>) -> Option<i64> {
    amount?.checked_mul(part.ticks()?)
}

fn add_months(ticks: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(ticks);
    let count = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
    let year = i32::try_from(count.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
    let month = count.rem_euclid(12) as u32 + 1;
    let day = day.min(days_in_month(year, month));
    Some(from_civil(year, month, day, 0, 0, 0, 0)? + time_of_day(ticks))
}

/// How many starts of the part lie between `earlier` and `later` (negative when they are the other way round);
/// a nanosecond's count is the exact difference.
///
/// Source: the documentation page "datetime_diff()".
pub fn diff(part: Part, later: i64, earlier: i64) -> Option<i64> {
    if part == Part::Nanosecond {
        return later.checked_sub(earlier)?.checked_mul(100);
    }
    Some(ordinal(later, part)? - ordinal(earlier, part)?)
}

/// The number of a datetime's part, counted from a fixed one.
fn ordinal(ticks: i64, part: Part) -> Option<i64> {
    let ticks = checked(ticks)?;
    let months = || {
        let (year, month, _) = civil(ticks);
        i64::from(year) * 12 + i64::from(month) - 1
    };
    Some(match part {
        Part::Year => i64::from(civil(ticks).0),
        Part::Quarter => months().div_euclid(3),
        Part::Month => months(),
        Part::Day | Part::DayOfYear => ticks.div_euclid(TICKS_PER_DAY),
        Part::Hour => ticks.div_euclid(TICKS_PER_HOUR),
        // 0001-01-01 is a Monday: a week that begins on Sunday began one day before it.
        Part::Week => (ticks - MIN + TICKS_PER_DAY).div_euclid(7 * TICKS_PER_DAY),
        _ => ticks.div_euclid(part.ticks()?),
    })
}

/// The datetime so many seconds, milliseconds, microseconds or nanoseconds after 1970.
///
/// Source: the documentation page "unixtime_seconds_todatetime()" and its siblings.
pub fn from_unix(amount: i64, unit: Part) -> Option<i64> {
    let ticks = match unit.ticks() {
        Some(size) => amount.checked_mul(size)?,
        None => amount.div_euclid(100),
    };
    checked(ticks)
}

/// As [`from_unix`], of a fractional amount.
pub fn from_unix_real(amount: f64, unit: Part) -> Option<i64> {
    let ticks = match unit.ticks() {
        Some(size) => amount * size as f64,
        None => amount / 100.0,
    };
    // A float's `as` saturates and takes NaN for 0: neither is a datetime.
    if !ticks.is_finite() {
        return None;
    }
    checked(ticks.round() as i64)
}

/// The whole units since 1970, towards the past; `None` when nanoseconds do not fit.
pub fn to_unix(ticks: i64, unit: Part) -> Option<i64> {
    match unit.ticks() {
        Some(size) => Some(ticks.div_euclid(size)),
        None => ticks.checked_mul(100),
    }
}
