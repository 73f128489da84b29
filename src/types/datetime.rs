//! Datetimes: ticks of 100 ns since 1970-01-01T00:00:00Z, in the years 1 to 9999.
//!
//! Source: the documentation page "The datetime data type". Whatever leaves the range is `None`, which is null.
mod calendar;
mod parse;
mod pattern;
mod zone;

pub use calendar::{
    Part, add, day_of_week, day_of_year, diff, end_of, from_unix, from_unix_real, part, period, span, start_of,
    to_unix, week_of_year,
};
pub use parse::parse;
pub use pattern::Pattern;
pub(super) use pattern::{Run, is_delimiter, runs, write_fraction, write_padded};
pub use zone::{local_to_utc, utc_to_local};

pub const TICKS_PER_MICROSECOND: i64 = 10;
pub const TICKS_PER_MILLISECOND: i64 = 10_000;
pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// 0001-01-01T00:00:00.0000000Z.
pub const MIN: i64 = -621_355_968_000_000_000;
/// 9999-12-31T23:59:59.9999999Z.
pub const MAX: i64 = 2_534_023_007_999_999_999;

/// The datetime, if it lies in the years 1 to 9999.
#[inline]
pub fn checked(ticks: i64) -> Option<i64> {
    (MIN..=MAX).contains(&ticks).then_some(ticks)
}

/// The datetime that lies a timespan after another.
#[inline]
pub fn plus(ticks: i64, timespan: i64) -> Option<i64> {
    ticks.checked_add(timespan).and_then(checked)
}

/// The year, month (from 1) and day (from 1).
#[inline]
pub fn civil(ticks: i64) -> (i32, u32, u32) {
    civil_of_days(ticks.div_euclid(TICKS_PER_DAY))
}

/// The time of the day in ticks.
#[inline]
pub fn time_of_day(ticks: i64) -> i64 {
    ticks.rem_euclid(TICKS_PER_DAY)
}

/// A datetime of its parts, the last being ticks within the second; `None` when a part is out of its range.
#[inline]
pub fn from_civil(year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32, ticks: i64) -> Option<i64> {
    let date = (1..=9999).contains(&year) && day >= 1 && day <= days_in_month(year, month);
    let time = hour < 24 && minute < 60 && second < 60 && (0..TICKS_PER_SECOND).contains(&ticks);
    if !date || !time {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some((i64::from(days_of_civil(year, month, day)) * 86_400 + seconds) * TICKS_PER_SECOND + ticks)
}

/// The datetime's bin, counted from 0001-01-01 as Kusto does; `None` for a size that is not positive.
///
/// Source: the documentation page "bin()".
pub fn floor(ticks: i64, size: i64) -> Option<i64> {
    if size <= 0 {
        return None;
    }
    let since_start = ticks.checked_sub(MIN)?;
    checked(MIN.checked_add(since_start.div_euclid(size).checked_mul(size)?)?)
}

/// `2020-01-01T00:00:00.0000000Z`, as `tostring()` gives it.
pub fn format(ticks: i64) -> String {
    let mut out = String::with_capacity(28);
    write(ticks, &mut out);
    out
}

/// Appends what [`format`] gives.
pub fn write(ticks: i64, out: &mut String) {
    let (year, month, day) = civil(ticks);
    let time = time_of_day(ticks);
    let (seconds, fraction) = ((time / TICKS_PER_SECOND) as u32, (time % TICKS_PER_SECOND) as u32);
    let year = year.unsigned_abs();
    let pairs = [year / 100, year % 100, month, day, seconds / 3600, seconds / 60 % 60, seconds % 60];
    let places = [0, 2, 5, 8, 11, 14, 17];
    let mut text = *b"0000-00-00T00:00:00.0000000Z";
    pairs.iter().zip(places).for_each(|(pair, place)| put(&mut text, place, *pair));
    [(20, 100_000), (22, 1000), (24, 10)].iter().for_each(|(place, unit)| put(&mut text, *place, fraction / unit));
    text[26] = b'0' + (fraction % 10) as u8;
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Writes a number's last two digits at a place.
#[inline(always)]
fn put(text: &mut [u8; 28], place: usize, value: u32) {
    let value = value % 100;
    text[place] = b'0' + (value / 10) as u8;
    text[place + 1] = b'0' + (value % 10) as u8;
}

/// A year that 25 divides is a multiple of 100 when 4 divides it, and of 400 when 16 does.
#[inline]
fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 25 != 0 || year % 16 == 0)
}

/// The number of days of a month; 0 for a month that does not exist.
#[inline]
pub fn days_in_month(year: i32, month: u32) -> u32 {
    const DAYS: [u8; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = DAYS.get(month as usize).copied().map_or(0, u32::from);
    days + u32::from(month == 2 && is_leap(year))
}

/// Days from 1970-01-01 to a day of the years 1 to 9999, by the proleptic Gregorian calendar.
#[inline]
fn days_of_civil(year: i32, month: u32, day: u32) -> i32 {
    const BEFORE: [u16; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let years = year - 1;
    let leap_days = years / 4 - years / 100 + years / 400 + i32::from(month > 2 && is_leap(year));
    let before = BEFORE.get(month as usize).copied().map_or(0, i32::from);
    years * 365 + leap_days + before + day as i32 - 719_163
}

/// The inverse of [`days_of_civil`]; years begin in March, so that leap days end them.
#[inline]
fn civil_of_days(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

#[cfg(test)]
mod tests;
