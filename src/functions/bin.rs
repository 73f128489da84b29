//! Bins: values rounded down to a multiple of a size.
use super::operators::pair;
use super::{Context, arithmetic, wider};
use crate::diagnostic::{Fault, Result};
use crate::types::vectors::wide;
use crate::types::{Column, Kind, Value, convert, datetime, number, numbers, timespan};
use arrow_array::{Array, Float64Array, Int64Array};
use arrow_buffer::NullBuffer;

fn bin_kind(kinds: &[Kind]) -> Kind {
    match (kinds.first(), kinds.get(1)) {
        (Some(Kind::DateTime), _) => Kind::DateTime,
        (Some(Kind::TimeSpan), _) => Kind::TimeSpan,
        // A dynamic is read as what its size is for.
        (Some(Kind::Dynamic), Some(Kind::TimeSpan)) => Kind::DateTime,
        (Some(Kind::Dynamic), Some(size)) if size.is_number() => bin_kind(&[*size, *size]),
        (Some(value), Some(size)) => match wider(*value, *size) {
            Kind::Int => Kind::Long,
            kind => kind,
        },
        _ => Kind::Dynamic,
    }
}

fn kinds(args: &[Column]) -> Vec<Kind> {
    args.iter().map(Column::kind).collect()
}

fn of_kind(kind: Kind, values: Int64Array) -> Column {
    match kind {
        Kind::DateTime => Column::DateTime(values),
        Kind::TimeSpan => Column::TimeSpan(values),
        _ => Column::Long(values),
    }
}

fn bin(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (value, size) = pair(args)?;
    let kind = bin_kind(&kinds(args));
    if let (Column::Const(..), Column::Const(..)) = (value, size) {
        return Ok(Column::Const(one(kind, &value.value(0), &size.value(0)), rows));
    }
    let value = if value.kind() == Kind::Dynamic { convert::lenient(value, kind) } else { value.clone() };
    Ok(match (kind, size) {
        (Kind::DateTime | Kind::TimeSpan | Kind::Long, Column::Const(size, _)) => {
            let size = ticks_of(size).filter(|size| *size > 0);
            size.map_or_else(|| Column::nulls(kind, rows), |size| by_constant(kind, &arithmetic::longs(&value), size))
        }
        (Kind::Real, _) => reals(&value, size, rows),
        _ => {
            let binned: Vec<Value> = (0..rows).map(|row| one(kind, &value.value(row), &size.value(row))).collect();
            Column::from_values(kind, &binned)
        }
    })
}

/// The size as an integer; a datetime as a size counts from the first one there is.
fn ticks_of(size: &Value) -> Option<i64> {
    match size {
        Value::DateTime(ticks) => ticks.checked_sub(datetime::MIN),
        other => other.as_long(),
    }
}

fn by_constant(kind: Kind, values: &Int64Array, size: i64) -> Column {
    let origin = if kind == Kind::DateTime { datetime::MIN } else { 0 };
    let floor = |value: i64| {
        let since = value.wrapping_sub(origin);
        value.wrapping_sub(since.rem_euclid(size))
    };
    // A bin that begins before the first value there is: only near the smallest long.
    let mut before_all = false;
    let binned: Vec<i64> = wide(|| {
        let bins = values.values().iter().map(|value| {
            let bin = floor(*value);
            before_all |= bin > *value;
            bin
        });
        bins.collect()
    });
    let nulls = match before_all {
        false => values.nulls().cloned(),
        true => {
            let reachable = values.values().iter().zip(&binned).map(|(value, bin)| bin <= value).collect();
            NullBuffer::union(values.nulls(), Some(&reachable))
        }
    };
    of_kind(kind, Int64Array::new(binned.into(), nulls))
}

fn reals(value: &Column, size: &Column, rows: usize) -> Column {
    if let (Column::Real(values), Some(size)) = (value, constant_size(size)) {
        let binned: Vec<f64> = wide(|| values.values().iter().map(|value| (value / size).floor() * size).collect());
        return Column::Real(Float64Array::new(binned.into(), values.nulls().cloned()));
    }
    let (values, sizes) = (arithmetic::reals(value), arithmetic::reals(size));
    let binned = (0..rows).map(|row| match values.is_valid(row) && sizes.is_valid(row) {
        true => number::floor_real(values.value(row), sizes.value(row)),
        false => None,
    });
    Column::Real(binned.collect::<Float64Array>())
}

/// The size that all rows have, where it is one.
fn constant_size(size: &Column) -> Option<f64> {
    let Column::Const(size, _) = size else { return None };
    size.as_real().filter(|size| *size > 0.0)
}

/// The bin of one value.
fn one(kind: Kind, value: &Value, size: &Value) -> Value {
    let value = convert::value_to(value, kind);
    let binned = match (&value, kind) {
        (Value::DateTime(ticks), _) => {
            ticks_of(size).and_then(|size| datetime::floor(*ticks, size)).map(Value::DateTime)
        }
        (Value::TimeSpan(ticks), _) => size.as_long().and_then(|s| timespan::floor(*ticks, s)).map(Value::TimeSpan),
        (Value::Long(value), _) => size.as_long().and_then(|s| number::floor_long(*value, s)).map(Value::Long),
        (Value::Real(value), _) => size.as_real().and_then(|s| number::floor_real(*value, s)).map(Value::Real),
        (Value::Text(Kind::Decimal, value), _) => decimal_bin(value, &size.to_text()),
        _ => None,
    };
    binned.unwrap_or(Value::Null(kind))
}

/// A decimal's bin, exact where the quotient is a long.
fn decimal_bin(value: &str, size: &str) -> Option<Value> {
    use crate::types::decimal;
    if decimal::compare(size, "0").is_le() {
        return None;
    }
    let quotient = decimal::divide(value, size)?.parse::<f64>().ok()?.floor();
    let whole = number::real_to_long(quotient)?.to_string();
    Some(Value::Text(Kind::Decimal, decimal::multiply(&whole, size)?.into()))
}

/// Bins that are aligned to a fixed point.
fn bin_at(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [value, size, fixed] = args else { return Err(Fault::internal("bin_at takes three arguments")) };
    let kind = bin_kind(&kinds(args));
    if let (Column::Long(values) | Column::DateTime(values) | Column::TimeSpan(values), Column::Const(size, _)) =
        (value, size)
        && let Column::Const(fixed, _) = fixed
        && let (Some(size), Some(fixed)) = (width(kind, size), fixed.as_long())
        && kind == value.kind()
    {
        let bin = |row: usize| values.is_valid(row).then(|| aligned_whole(kind, values.value(row), size, fixed))?;
        return Ok(of_kind(kind, numbers(rows, bin)));
    }
    let binned = (0..rows).map(|row| aligned(kind, &value.value(row), &size.value(row), &fixed.value(row)));
    let binned: Vec<Value> = binned.map(|value| value.unwrap_or(Value::Null(kind))).collect();
    Ok(Column::from_values(kind, &binned))
}

fn aligned(kind: Kind, value: &Value, size: &Value, fixed: &Value) -> Option<Value> {
    if kind == Kind::Real {
        let fixed = fixed.as_real()?;
        return Some(Value::Real(fixed + number::floor_real(value.as_real()? - fixed, size.as_real()?)?));
    }
    let bin = aligned_whole(kind, value.as_long()?, width(kind, size)?, fixed.as_long()?)?;
    Some(match kind {
        Kind::DateTime => Value::DateTime(bin),
        Kind::TimeSpan => Value::TimeSpan(bin),
        _ => Value::Long(bin),
    })
}

/// The width of a bin; a number as the size of a timespan's bin counts days.
fn width(kind: Kind, size: &Value) -> Option<i64> {
    match size {
        Value::Real(days) if kind != Kind::Long => number::real_to_long(days * datetime::TICKS_PER_DAY as f64),
        Value::Int(_) | Value::Long(_) if kind != Kind::Long => size.as_long()?.checked_mul(datetime::TICKS_PER_DAY),
        other => other.as_long(),
    }
}

fn aligned_whole(kind: Kind, value: i64, size: i64, fixed: i64) -> Option<i64> {
    let bin = number::floor_long(value.checked_sub(fixed)?, size)?.checked_add(fixed)?;
    if kind == Kind::DateTime { datetime::checked(bin) } else { Some(bin) }
}

crate::kernels! {
    /// The value rounded down to a multiple of a size; null for a size that is not positive.
    ///
    /// Bins of datetimes are counted from 0001-01-01, so that bins of seven days begin on Mondays.
    ///
    /// Source: bin-function.
    ///
    /// ```kql
    /// bin(4.5, 1) // 4
    /// bin(-5, 3) // -6
    /// bin(16d, 7d) // 14.00:00:00
    /// bin(datetime(1970-05-11 13:45:07), 1d) // 1970-05-11T00:00:00.0000000Z
    /// bin(5, 0) // null
    /// ```
    kql fn bin as [floor] (value: Ordered, size: Ordered) -> Of(bin_kind) = bin;

    /// The value rounded down to a bin, where a bin begins at a fixed point.
    ///
    /// Source: bin-at-function.
    ///
    /// ```kql
    /// bin_at(6.5, 2.5, 7) // 4.5
    /// bin_at(1h, 1d, 12h) // -12:00:00
    /// bin_at(datetime(2017-05-17 10:20:00.0), 7d, datetime(2017-06-04 00:00:00.0)) // 2017-05-14T00:00:00.0000000Z
    /// ```
    kql fn bin_at (value: Ordered, size: Ordered, fixed_point: Ordered) -> Of(bin_kind) = bin_at;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_before_the_first_value_is_null() {
        let column = by_constant(Kind::Long, &Int64Array::from(vec![i64::MIN, -5, 7]), i64::MAX);
        assert_eq!(
            column.values().collect::<Vec<_>>(),
            [Value::Null(Kind::Long), Value::Long(-i64::MAX), Value::Long(0)]
        );
    }
}
