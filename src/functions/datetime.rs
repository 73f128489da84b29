//! Datetimes: the clock, parts, calendar arithmetic, starts and ends of periods, time zones.
use super::arithmetic::{Side, zipped};
use super::operators::pair;
use super::periods::parts;
use super::row::{JsonOut, Maybe, Reader, Real, Span, Str, Time, TimeOut, each_text};
use super::{Context, arithmetic, math};
use crate::diagnostic::{Fault, Result};
use crate::types::datetime::{self, Part};
use crate::types::json::Writer;
use crate::types::{Column, Kind, Value, numbers};
use arrow_array::{Array, Float64Array, Int64Array};
use arrow_buffer::NullBuffer;

fn format_datetimes(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (dates, patterns) = pair(args)?;
    let date = Reader::<Time>::new(Some(dates));
    let pattern = |row: usize| datetime::Pattern::new(patterns.text(row).unwrap_or_default());
    let constant = patterns.is_const().then(|| pattern(0));
    Ok(each_text(Kind::String, args, rows, |row, out| {
        let written = |date| match &constant {
            Some(pattern) => pattern.write(date, out),
            None => pattern(row).write(date, out),
        };
        date.get(row).and_then(written).is_some()
    }))
}

/// The part that a constant names.
fn part_of(name: &str) -> Result<Part> {
    Part::parse(name).ok_or_else(|| {
        Fault::query("HP110", format!("`{name}` is no part of a datetime"))
            .help("one of year, quarter, month, week_of_year, day, dayofyear, hour, minute, second, millisecond, microsecond, nanosecond")
    })
}

/// Applies `compute` to the part that every row (nearly always a constant) names.
fn by_part(part: &Column, rows: usize, compute: impl Fn(Part, usize) -> Option<i64>) -> Result<Int64Array> {
    if let Column::Const(name, _) = part {
        let part = part_of(name.as_text().unwrap_or_default())?;
        return Ok(numbers(rows, |row| compute(part, row)));
    }
    let parts = (0..rows).map(|row| part_of(part.text(row).unwrap_or_default())).collect::<Result<Vec<Part>>>()?;
    Ok(numbers(rows, |row| compute(parts[row], row)))
}

pub(super) fn valid(array: &Int64Array, row: usize) -> Option<i64> {
    array.is_valid(row).then(|| array.value(row))
}

fn three(args: &[Column]) -> Result<[&Column; 3]> {
    match args {
        [a, b, c, ..] => Ok([a, b, c]),
        _ => Err(Fault::internal("a function was given too few arguments")),
    }
}

fn datetime_part(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (part, date) = pair(args)?;
    let dates = arithmetic::longs(date);
    if let Column::Const(name, _) = part {
        return Ok(Column::Long(parts(&dates, part_of(name.as_text().unwrap_or_default())?)));
    }
    Ok(Column::Long(by_part(part, rows, |part, row| valid(&dates, row).map(|ticks| datetime::part(ticks, part)))?))
}

fn datetime_add(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [part, amount, date] = three(args)?;
    if let (Column::Const(name, _), Column::Const(amount, _)) = (part, amount)
        && let Some(span) = datetime::span(part_of(name.as_text().unwrap_or_default())?, amount.as_long())
    {
        return arithmetic::add(context, &[date.clone(), Column::Const(Value::TimeSpan(span), rows)], rows);
    }
    let (amounts, dates) = (arithmetic::longs(amount), arithmetic::longs(date));
    let moved = by_part(part, rows, |part, row| datetime::add(valid(&dates, row)?, part, valid(&amounts, row)?))?;
    Ok(Column::DateTime(moved))
}

fn datetime_diff(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [part, later, earlier] = three(args)?;
    if let Column::Const(name, _) = part
        && let Some(counts) = of_equal_parts(part_of(name.as_text().unwrap_or_default())?, later, earlier, rows)
    {
        return Ok(Column::Long(counts));
    }
    let (later, earlier) = (arithmetic::longs(later), arithmetic::longs(earlier));
    let counts = by_part(part, rows, |part, row| datetime::diff(part, valid(&later, row)?, valid(&earlier, row)?))?;
    match counts_weeks(part) {
        true => Ok(Column::Real(Float64Array::new(
            counts.values().iter().map(|c| *c as f64).collect(),
            counts.nulls().cloned(),
        ))),
        false => Ok(Column::Long(counts)),
    }
}

fn dayofweek(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let date = args.first().ok_or_else(|| Fault::internal("the weekday of nothing"))?;
    let since_sunday = |ticks: i64| datetime::day_of_week(ticks) * datetime::TICKS_PER_DAY;
    Ok(match date {
        Column::Const(value, _) => {
            let since = value.as_long().map(since_sunday);
            Column::Const(since.map_or(Value::Null(Kind::TimeSpan), Value::TimeSpan), rows)
        }
        dates => Column::TimeSpan(math::mapped(&arithmetic::longs(dates), since_sunday)),
    })
}

/// The differences in parts that all have the same length; none for other parts, and for a constant null.
fn of_equal_parts(part: Part, later: &Column, earlier: &Column, rows: usize) -> Option<Int64Array> {
    if [later, earlier].iter().any(|date| matches!(date, Column::Const(value, _) if value.is_null())) {
        return None;
    }
    let (l, e) = (arithmetic::operand(later, arithmetic::longs), arithmetic::operand(earlier, arithmetic::longs));
    let sides = (Side::new(later, l.values()), Side::new(earlier, e.values()));
    macro_rules! each {
        ($($part:ident: $size:expr),*) => {
            match part {
                // Each has a loop of its own that divides by a constant.
                $(Part::$part => {
                    zipped(&sides.0, &sides.1, rows, |l, e| l.div_euclid($size) - e.div_euclid($size))
                })*
                _ => return None,
            }
        };
    }
    let counts = each!(
        Day: datetime::TICKS_PER_DAY,
        Hour: datetime::TICKS_PER_HOUR,
        Minute: datetime::TICKS_PER_MINUTE,
        Second: datetime::TICKS_PER_SECOND,
        Millisecond: datetime::TICKS_PER_MILLISECOND
    );
    Some(Int64Array::new(counts.into(), NullBuffer::union(l.nulls(), e.nulls())))
}

fn counts_weeks(part: &Column) -> bool {
    matches!(part, Column::Const(name, _) if is_week(name))
}

fn is_week(name: &Value) -> bool {
    name.as_text().and_then(Part::parse) == Some(Part::Week)
}

/// Weeks are counted as a real.
fn difference_kind(_: &[Kind], constants: &[Option<&Value>]) -> Kind {
    match constants.first() {
        Some(Some(name)) if is_week(name) => Kind::Real,
        _ => Kind::Long,
    }
}

fn from_unix(number: &Column, unit: Part, rows: usize) -> Column {
    let ticks: Int64Array = match number.kind() {
        Kind::Int | Kind::Long => {
            let values = arithmetic::longs(number);
            (0..rows).map(|row| datetime::from_unix(valid(&values, row)?, unit)).collect()
        }
        _ => {
            let values = arithmetic::reals(number);
            (0..rows)
                .map(|row| values.is_valid(row).then(|| values.value(row)))
                .map(|v| datetime::from_unix_real(v?, unit))
                .collect()
        }
    };
    Column::DateTime(ticks)
}

macro_rules! unix {
    ($name:ident, $unit:ident) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            let number = args.first().ok_or_else(|| Fault::internal("a time of nothing"))?;
            Ok(from_unix(number, Part::$unit, rows))
        }
    };
}
unix!(from_seconds, Second);
unix!(from_milliseconds, Millisecond);
unix!(from_microseconds, Microsecond);
unix!(from_nanoseconds, Nanosecond);

/// A datetime of whole parts and of seconds with a fraction; days and hours beyond their range are none.
fn civil(year: f64, month: f64, day: f64, hour: f64, minute: f64, second: f64) -> Option<TimeOut> {
    let whole = |part: f64| (0.0..=9999.0).contains(&part).then_some(part as u32);
    let ticks = (second * datetime::TICKS_PER_SECOND as f64).round();
    if !(0.0..60.0 * datetime::TICKS_PER_SECOND as f64).contains(&ticks) {
        return None;
    }
    let ticks = ticks as i64;
    let (seconds, fraction) = (ticks / datetime::TICKS_PER_SECOND, ticks % datetime::TICKS_PER_SECOND);
    let year = i32::try_from(whole(year)?).ok()?;
    datetime::from_civil(year, whole(month)?, whole(day)?, whole(hour)?, whole(minute)?, seconds as u32, fraction)
        .map(TimeOut)
}

fn todatetime(_: &Context, args: &[Column], _: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a datetime of nothing"))?;
    Ok(crate::types::convert::lenient(value, Kind::DateTime))
}

/// The names of the time zones, as an array.
fn zones() -> String {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    let mut writer = Writer::default();
    writer.begin_array();
    for name in names {
        writer.string(name);
    }
    writer.end_array();
    writer.finish()
}

crate::scalars! {
    /// The query's clock, the same in all its parts, moved by `offset` where one is given.
    ///
    /// Source: now-function.
    ///
    /// ```kql
    /// now() - now(-1d) // 1.00:00:00
    /// ```
    kql #per_query fn now (offset: Maybe<Span>) with context -> Option<TimeOut> {
        datetime::plus(context.now, offset.unwrap_or(0)).map(TimeOut)
    }

    /// The query's clock, moved into the past.
    ///
    /// Source: ago-function.
    ///
    /// ```kql
    /// now() - ago(1h) // 01:00:00
    /// ```
    kql #per_query fn ago (timespan: Span) with context -> Option<TimeOut> {
        context.now.checked_sub(timespan).and_then(datetime::checked).map(TimeOut)
    }

    /// A datetime of its parts; null where a part is out of its range.
    ///
    /// Source: make-datetime-function.
    ///
    /// ```kql
    /// make_datetime(2017, 10, 1) // 2017-10-01T00:00:00.0000000Z
    /// make_datetime(2017, 10, 1, 12, 10) // 2017-10-01T12:10:00.0000000Z
    /// make_datetime(2017, 11, 1, 12, 10, 0.1234567) // 2017-11-01T12:10:00.1234567Z
    /// make_datetime(2017, 13, 1) // null
    /// ```
    kql fn make_datetime (
        year: Real, month: Real, day: Real, hour: Maybe<Real>, minute: Maybe<Real>, second: Maybe<Real>
    ) -> Option<TimeOut> {
        civil(year, month, day, hour.unwrap_or(0.0), minute.unwrap_or(0.0), second.unwrap_or(0.0))
    }

    /// The UTC time at which clocks of a time zone show a local time.
    ///
    /// Source: datetime-local-to-utc-function.
    ///
    /// ```kql
    /// datetime_local_to_utc(datetime(2020-02-02 20:02:20), 'Europe/Paris') // 2020-02-02T19:02:20.0000000Z
    /// ```
    kql fn datetime_local_to_utc (from: Time, timezone: Str) -> Option<TimeOut> {
        datetime::local_to_utc(from, timezone).map(TimeOut)
    }

    /// The local time that clocks of a time zone show at a UTC time.
    ///
    /// Source: datetime-utc-to-local-function.
    ///
    /// ```kql
    /// datetime_utc_to_local(datetime(2020-07-01 12:00), 'Europe/Paris') // 2020-07-01T14:00:00.0000000Z
    /// ```
    kql fn datetime_utc_to_local (from: Time, timezone: Str) -> Option<TimeOut> {
        datetime::utc_to_local(from, timezone).map(TimeOut)
    }

    /// The names of all time zones, sorted.
    ///
    /// Source: datetime-list-timezones.
    ///
    /// ```kql
    /// set_has_element(datetime_list_timezones(), 'Europe/Paris') // true
    /// ```
    kql fn datetime_list_timezones () -> JsonOut { JsonOut(zones()) }
}

crate::kernels! {
    /// The datetime as text in a pattern of `y M d h H m s f F t` and the delimiters `/ - : , . _ [ ]` and blank.
    ///
    /// Source: format-datetime-function.
    ///
    /// ```kql
    /// format_datetime(datetime(2017-01-29 09:00:05), 'yy-MM-dd [HH:mm:ss]') // 17-01-29 [09:00:05]
    /// format_datetime(datetime(2017-01-29 09:00:05), 'yyyy-M-dd [H:mm:ss]') // 2017-1-29 [9:00:05]
    /// ```
    kql fn format_datetime (date: DateTime, format: String) -> Kind(Kind::String) = format_datetimes;

    /// The time since the preceding Sunday, in whole days.
    ///
    /// Source: day-of-week-function.
    ///
    /// ```kql
    /// dayofweek(datetime(1970-05-11)) // 1.00:00:00
    /// dayofweek(datetime(1947-11-30 10:00:05)) // 00:00:00
    /// ```
    kql fn dayofweek (date: DateTime) -> Kind(Kind::TimeSpan) = dayofweek;

    /// A part of a datetime as a number; `nanosecond`, `microsecond` and `millisecond` count from the second's start.
    ///
    /// Parts: year, quarter, month, week_of_year (ISO 8601), day, dayofyear, hour, minute, second, millisecond,
    /// microsecond, nanosecond.
    ///
    /// Source: datetime-part-function.
    ///
    /// ```kql
    /// datetime_part("quarter", datetime(2017-10-30 01:02:03.7654321)) // 4
    /// datetime_part("microsecond", datetime(2017-10-30 01:02:03.7654321)) // 765432
    /// ```
    kql fn datetime_part as [datepart] (part: String, date: DateTime) -> Kind(Kind::Long) = datetime_part;

    /// A datetime moved by so many parts. A month keeps its day, or takes its last one.
    ///
    /// Source: datetime-add-function.
    ///
    /// ```kql
    /// datetime_add('month', 1, datetime(2017-01-31)) // 2017-02-28T00:00:00.0000000Z
    /// datetime_add('week', -1, datetime(2017-01-31)) // 2017-01-24T00:00:00.0000000Z
    /// ```
    kql fn datetime_add (part: String, amount: Long, date: DateTime) -> Kind(Kind::DateTime) = datetime_add;

    /// How many starts of the part lie between the second datetime and the first, negative where the first is
    /// the earlier. Weeks begin on Sunday, and their count is a real.
    ///
    /// Source: datetime-diff-function.
    ///
    /// ```kql
    /// datetime_diff('year', datetime(2017-01-01), datetime(2000-12-31)) // 17
    /// datetime_diff('minute', datetime(2017-10-30 23:05:01), datetime(2017-10-30 23:00:59)) // 5
    /// ```
    kql fn datetime_diff (part: String, later: DateTime, earlier: DateTime) -> Chosen(difference_kind) = datetime_diff;

    /// The value as a datetime, as `todatetime` reads it.
    ///
    /// Source: make-datetime-function.
    ///
    /// ```kql
    /// make_datetime("2020-01-01") // 2020-01-01T00:00:00.0000000Z
    /// ```
    kql fn make_datetime (value: Any) -> Kind(Kind::DateTime) = todatetime;

    /// The datetime so many seconds after 1970-01-01.
    ///
    /// Source: unixtime-seconds-todatetime-function.
    ///
    /// ```kql
    /// unixtime_seconds_todatetime(1546300800) // 2019-01-01T00:00:00.0000000Z
    /// ```
    kql fn unixtime_seconds_todatetime (number: Number) -> Kind(Kind::DateTime) = from_seconds;

    /// The datetime so many milliseconds after 1970-01-01.
    ///
    /// Source: unixtime-milliseconds-todatetime-function.
    ///
    /// ```kql
    /// unixtime_milliseconds_todatetime(1546300800000) // 2019-01-01T00:00:00.0000000Z
    /// ```
    kql fn unixtime_milliseconds_todatetime (number: Number) -> Kind(Kind::DateTime) = from_milliseconds;

    /// The datetime so many microseconds after 1970-01-01.
    ///
    /// Source: unixtime-microseconds-todatetime-function.
    ///
    /// ```kql
    /// unixtime_microseconds_todatetime(1546300800000000) // 2019-01-01T00:00:00.0000000Z
    /// ```
    kql fn unixtime_microseconds_todatetime (number: Number) -> Kind(Kind::DateTime) = from_microseconds;

    /// The datetime so many nanoseconds after 1970-01-01.
    ///
    /// Source: unixtime-nanoseconds-todatetime-function.
    ///
    /// ```kql
    /// unixtime_nanoseconds_todatetime(1546300800000000000) // 2019-01-01T00:00:00.0000000Z
    /// ```
    kql fn unixtime_nanoseconds_todatetime (number: Number) -> Kind(Kind::DateTime) = from_nanoseconds;
}
