//! Parts of datetimes, and starts and ends of the periods that they lie in.
use super::datetime::valid;
use super::{Context, arithmetic, row};
use crate::diagnostic::{Fault, Result};
use crate::types::datetime::{self, Part};
use crate::types::vectors::wide;
use crate::types::{Column, Kind, numbers};
use arrow_array::{Array, Int64Array};

type Edge = fn(i64, Part) -> Option<i64>;

/// The start (or the end) of the period that lies `offset` periods after the one of `date`.
fn shifted(date: i64, offset: i64, part: Part, edge: Edge) -> Option<i64> {
    let start = datetime::start_of(date, part)?;
    edge(if offset == 0 { start } else { datetime::add(start, part, offset)? }, part)
}

/// The start (or the end) of a period for each date.
fn edges(args: &[Column], rows: usize, part: Part, edge: Edge) -> Result<Column> {
    let date = args.first().ok_or_else(|| Fault::internal("a period of nothing"))?;
    let constant = args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let dates = arithmetic::operand(date, arithmetic::longs);
    let date = |row: usize| valid(&dates, if date.is_const() { 0 } else { row });
    let offset = |row: usize| args.get(1).and_then(|offset| offset.value(row).as_long()).unwrap_or(0);
    let edges = match args.get(1).is_none_or(Column::is_const) && count > 0 {
        true => {
            let offset = offset(0);
            within_periods(count, part, date, |date| shifted(date, offset, part, edge))
        }
        false => numbers(count, |row| shifted(date(row)?, offset(row), part, edge)),
    };
    Ok(row::spread(Column::DateTime(edges), constant, rows))
}

/// What `compute` gives for each date, the same within a period: most dates lie in the period of the one before.
fn within_periods(
    rows: usize,
    part: Part,
    date: impl Fn(usize) -> Option<i64>,
    compute: impl Fn(i64) -> Option<i64>,
) -> Int64Array {
    let (mut first, mut last, mut known) = (i64::MAX, i64::MIN, None);
    numbers(rows, |row| {
        let date = date(row)?;
        if date < first || date > last {
            (first, last) = datetime::period(date, part);
            known = compute(date);
        }
        known
    })
}

macro_rules! edge {
    ($name:ident, $part:ident, $edge:ident) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            edges(args, rows, Part::$part, datetime::$edge)
        }
    };
}
edge!(start_of_day, Day, start_of);
edge!(start_of_week, Week, start_of);
edge!(start_of_month, Month, start_of);
edge!(start_of_year, Year, start_of);
edge!(end_of_day, Day, end_of);
edge!(end_of_week, Week, end_of);
edge!(end_of_month, Month, end_of);
edge!(end_of_year, Year, end_of);

/// The same part of each date.
pub(super) fn parts(dates: &Int64Array, part: Part) -> Int64Array {
    macro_rules! each {
        ($($part:ident),*) => {
            match part {
                // A part of the time of day: each has a loop of its own, without a choice in it.
                $(Part::$part => {
                    let values: Vec<i64> =
                        wide(|| dates.values().iter().map(|date| datetime::part(*date, Part::$part)).collect());
                    Int64Array::new(values.into(), dates.nulls().cloned())
                })*
                // A part of the date, the same for a whole day.
                _ => {
                    let part_of = |date| Some(datetime::part(date, part));
                    within_periods(dates.len(), longest(part), |row| valid(dates, row), part_of)
                }
            }
        };
    }
    each!(Hour, Minute, Second, Millisecond, Microsecond, Nanosecond)
}

/// The longest period in which a part of the date stays the same.
fn longest(part: Part) -> Part {
    if matches!(part, Part::Year | Part::Quarter | Part::Month) { part } else { Part::Day }
}

/// A part of each date, as a function of its own.
fn part_function(args: &[Column], rows: usize, part: Part) -> Result<Column> {
    let date = args.first().ok_or_else(|| Fault::internal("a part of nothing"))?;
    let found = Column::Long(parts(&arithmetic::operand(date, arithmetic::longs), part));
    Ok(row::spread(found, date.is_const(), rows))
}

macro_rules! part {
    ($name:ident, $part:ident) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            part_function(args, rows, Part::$part)
        }
    };
}
part!(day_of_month, Day);
part!(day_of_year, DayOfYear);
part!(hour_of_day, Hour);
part!(week_of_year, Week);
part!(year, Year);
part!(month, Month);

crate::kernels! {
    /// The day of the month, from 1.
    ///
    /// Source: day-of-month-function.
    ///
    /// ```kql
    /// dayofmonth(datetime(2015-12-14)) // 14
    /// ```
    kql fn dayofmonth (date: DateTime) -> Kind(Kind::Long) = day_of_month;

    /// The day of the year, from 1.
    ///
    /// Source: day-of-year-function.
    ///
    /// ```kql
    /// dayofyear(datetime(2015-12-14)) // 348
    /// ```
    kql fn dayofyear (date: DateTime) -> Kind(Kind::Long) = day_of_year;

    /// The hour of the day, from 0 to 23.
    ///
    /// Source: hour-of-day-function.
    ///
    /// ```kql
    /// hourofday(datetime(2015-12-14 18:54)) // 18
    /// ```
    kql fn hourofday (date: DateTime) -> Kind(Kind::Long) = hour_of_day;

    /// The week of the year by ISO 8601: weeks begin on Monday, the first one holds the year's first Thursday.
    ///
    /// Source: week-of-year-function.
    ///
    /// ```kql
    /// week_of_year(datetime(2020-12-31)) // 53
    /// week_of_year(datetime(2020-06-15)) // 25
    /// ```
    kql fn week_of_year as [weekofyear] (date: DateTime) -> Kind(Kind::Long) = week_of_year;

    /// The year.
    ///
    /// Source: getyear-function.
    ///
    /// ```kql
    /// getyear(datetime(2015-10-12)) // 2015
    /// ```
    kql fn getyear (date: DateTime) -> Kind(Kind::Long) = year;

    /// The month, from 1 to 12.
    ///
    /// Source: monthofyear-function.
    ///
    /// ```kql
    /// monthofyear(datetime(2015-12-14)) // 12
    /// ```
    kql fn monthofyear as [getmonth] (date: DateTime) -> Kind(Kind::Long) = month;

    /// The start of the day that lies `offset` days after that of `date`.
    ///
    /// Source: startofday-function.
    ///
    /// ```kql
    /// startofday(datetime(2017-01-01 10:10:17), -1) // 2016-12-31T00:00:00.0000000Z
    /// ```
    kql fn startofday (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = start_of_day;

    /// The start of the week, a Sunday, that lies `offset` weeks after that of `date`.
    ///
    /// Source: startofweek-function.
    ///
    /// ```kql
    /// startofweek(datetime(2017-01-01 10:10:17), 1) // 2017-01-08T00:00:00.0000000Z
    /// ```
    kql fn startofweek (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = start_of_week;

    /// The start of the month that lies `offset` months after that of `date`.
    ///
    /// Source: startofmonth-function.
    ///
    /// ```kql
    /// startofmonth(datetime(2017-01-01 10:10:17), -1) // 2016-12-01T00:00:00.0000000Z
    /// ```
    kql fn startofmonth (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = start_of_month;

    /// The start of the year that lies `offset` years after that of `date`.
    ///
    /// Source: startofyear-function.
    ///
    /// ```kql
    /// startofyear(datetime(2017-01-01 10:10:17), 1) // 2018-01-01T00:00:00.0000000Z
    /// ```
    kql fn startofyear (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = start_of_year;

    /// The last tick of the day that lies `offset` days after that of `date`.
    ///
    /// Source: endofday-function.
    ///
    /// ```kql
    /// endofday(datetime(2017-01-01 10:10:17)) // 2017-01-01T23:59:59.9999999Z
    /// ```
    kql fn endofday (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = end_of_day;

    /// The last tick of the week, a Saturday, that lies `offset` weeks after that of `date`.
    ///
    /// Source: endofweek-function.
    ///
    /// ```kql
    /// endofweek(datetime(2017-01-01 10:10:17), -1) // 2016-12-31T23:59:59.9999999Z
    /// ```
    kql fn endofweek (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = end_of_week;

    /// The last tick of the month that lies `offset` months after that of `date`.
    ///
    /// Source: endofmonth-function.
    ///
    /// ```kql
    /// endofmonth(datetime(2017-01-31 10:10:17), 1) // 2017-02-28T23:59:59.9999999Z
    /// ```
    kql fn endofmonth (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = end_of_month;

    /// The last tick of the year that lies `offset` years after that of `date`.
    ///
    /// Source: endofyear-function.
    ///
    /// ```kql
    /// endofyear(datetime(2017-01-01 10:10:17), -1) // 2016-12-31T23:59:59.9999999Z
    /// ```
    kql fn endofyear (date: DateTime, offset[optional]: Long) -> Kind(Kind::DateTime) = end_of_year;
}
