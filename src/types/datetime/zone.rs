//! Local times by the names of the IANA time zone database.
use super::{TICKS_PER_SECOND, checked};
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// The local time that a zone's clocks show; `None` for an unknown zone.
///
/// Source: the documentation page "datetime_utc_to_local()".
pub fn utc_to_local(ticks: i64, zone: &str) -> Option<i64> {
    let zone = named(zone)?;
    let offset = zone.offset_from_utc_datetime(&naive(ticks)?).fix().local_minus_utc();
    checked(ticks + i64::from(offset) * TICKS_PER_SECOND)
}

/// The UTC time at which a zone's clocks show a local time: the earlier where clocks show it twice, and by the
/// offset after the change where they skip it.
///
/// Source: the documentation page "datetime_local_to_utc()".
pub fn local_to_utc(ticks: i64, zone: &str) -> Option<i64> {
    let zone = named(zone)?;
    let local = naive(ticks)?;
    let offset = match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        // No zone's clocks skip more than a day: a day later they show an offset that holds after the change.
        MappedLocalTime::None => zone.offset_from_utc_datetime(&local.checked_add_signed(chrono::TimeDelta::days(1))?),
    };
    checked(ticks - i64::from(offset.fix().local_minus_utc()) * TICKS_PER_SECOND)
}

fn named(zone: &str) -> Option<Tz> {
    zone.parse().ok()
}

fn naive(ticks: i64) -> Option<NaiveDateTime> {
    let nanoseconds = ticks.rem_euclid(TICKS_PER_SECOND) as u32 * 100;
    DateTime::from_timestamp(checked(ticks)?.div_euclid(TICKS_PER_SECOND), nanoseconds).map(|moment| moment.naive_utc())
}
