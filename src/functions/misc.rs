//! Functions of values of any kind: their kind, the larger one, series of them.
use super::arithmetic::{Side, zipped};
use super::items::{json_rows, value_rows};
use super::row::Any;
use super::{Context, compare, wider};
use crate::diagnostic::{Fault, Result};
use crate::types::json::JsonKind;
use crate::types::{Builder, Column, Json, Kind, List, Value, convert, datetime};
use arrow_array::Array;
use std::cmp::Ordering;
use std::sync::Arc;

/// The name of a value's kind; of a dynamic, that of what it holds.
fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null(Kind::Dynamic) => "null",
        Value::Text(Kind::Dynamic, text) => match Json::new(text).kind() {
            JsonKind::Null => "null",
            JsonKind::Bool => "bool",
            JsonKind::Long => "long",
            JsonKind::Real => "real",
            JsonKind::String => "string",
            JsonKind::Array => "array",
            JsonKind::Object => "dictionary",
            JsonKind::DateTime => "datetime",
            JsonKind::TimeSpan => "timespan",
            JsonKind::Guid => "guid",
            JsonKind::Decimal => "decimal",
        },
        other => other.kind().name(),
    }
}

/// The best of the values that are not null.
fn extreme(args: &[Column], rows: usize, wanted: Ordering) -> Column {
    let kind = args.iter().map(Column::kind).reduce(wider).unwrap_or(Kind::Dynamic);
    let columns: Vec<Column> = args.iter().map(|a| convert::lenient(a, kind)).collect();
    if let Some(best) = extreme_number(&columns, rows, wanted) {
        return best;
    }
    value_rows(kind, &columns, rows, |row| {
        let values = columns.iter().map(|column| column.value(row)).filter(|value| !value.is_null());
        values.reduce(|best, value| if compare::order(&value, &best) == Some(wanted) { value } else { best })
    })
}

/// The best of numbers, ticks too, that are not all constant; none for other kinds and where one is null.
fn extreme_number(columns: &[Column], rows: usize, wanted: Ordering) -> Option<Column> {
    if columns.iter().all(Column::is_const) {
        return None;
    }
    macro_rules! best {
        ($($variant:ident),*) => {
            match columns.first()?.kind() {
                $(Kind::$variant => {
                    let sides = columns.iter().map(|column| match column {
                        Column::$variant(a) if a.null_count() == 0 => Some(Side::Each(a.values())),
                        Column::Const(Value::$variant(value), _) => Some(Side::One(*value)),
                        _ => None,
                    });
                    let best = best_of(sides.collect::<Option<_>>()?, rows, |a, b| a.partial_cmp(&b) == Some(wanted));
                    Some(Column::$variant(best.into()))
                })*
                _ => None,
            }
        };
    }
    best!(Int, Long, Real, DateTime, TimeSpan)
}

/// Of each row the number that no later one beats.
fn best_of<T: Copy + Default>(sides: Vec<Side<T>>, rows: usize, beats: impl Fn(T, T) -> bool) -> Vec<T> {
    let one = |best: T, value: T| if beats(value, best) { value } else { best };
    let mut sides = sides.into_iter();
    let (Some(first), Some(second)) = (sides.next(), sides.next()) else { return Vec::new() };
    sides.fold(zipped(&first, &second, rows, one), |best, side| zipped(&Side::Each(&best), &side, rows, one))
}

fn max_of(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(extreme(args, rows, Ordering::Greater))
}

fn min_of(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(extreme(args, rows, Ordering::Less))
}

/// The largest number of elements of an array that a function makes.
const LARGEST: i64 = 1_048_576;

fn repeat(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [value, count] = args else { return Err(Fault::internal("repeat takes two arguments")) };
    Ok(json_rows(args, rows, |row| {
        let count = count.value(row).as_long().filter(|count| *count >= 0)?.min(LARGEST) as usize;
        let item = value.value(row).to_json();
        Some(super::items::array(std::iter::repeat_n(item, count)))
    }))
}

/// A number, datetime or timespan of a series, and the distance to the next.
enum Series {
    Whole { start: i64, stop: i64, step: i64 },
    Real { start: f64, stop: f64, step: f64 },
}

impl Series {
    fn of(kind: Kind, values: &[Value]) -> Option<Series> {
        let (start, stop, step) = (values.first()?, values.get(1)?, values.get(2));
        if kind == Kind::Real {
            let real = |value: &Value| convert::value_to(value, Kind::Real).as_real();
            return Some(Series::Real { start: real(start)?, stop: real(stop)?, step: step.map_or(Some(1.0), real)? });
        }
        let step = match (step, kind) {
            (Some(step), _) => step.as_long()?,
            (None, Kind::Long) => 1,
            (None, _) => datetime::TICKS_PER_HOUR,
        };
        let whole = |value: &Value| convert::value_to(value, kind).as_long();
        Some(Series::Whole { start: whole(start)?, stop: whole(stop)?, step })
    }

    /// How many elements there are, at most [`LARGEST`]; none for a step of zero.
    fn len(&self) -> Option<usize> {
        let steps = match *self {
            Series::Whole { step: 0, .. } => return None,
            Series::Whole { start, stop, step } => {
                let distance = i128::from(stop) - i128::from(start);
                if distance.signum() * i128::from(step).signum() < 0 { -1 } else { distance / i128::from(step) }
            }
            Series::Real { start, stop, step } => {
                let steps = ((stop - start) / step).floor();
                if steps.is_nan() || step == 0.0 {
                    return None;
                }
                steps.clamp(-1.0, LARGEST as f64) as i128
            }
        };
        usize::try_from((steps + 1).min(i128::from(LARGEST))).ok()
    }

    fn write(&self, length: usize, out: &mut Builder) {
        match *self {
            Series::Whole { start, step, .. } => {
                (0..length as i64).for_each(|at| out.push_long(start.wrapping_add(step.wrapping_mul(at))));
            }
            Series::Real { start, step, .. } => (0..length).for_each(|at| out.push_real(start + step * at as f64)),
        }
    }
}

fn series_kind(args: &[Column]) -> Kind {
    match args.first().map(Column::kind) {
        Some(kind @ (Kind::DateTime | Kind::TimeSpan)) => kind,
        _ => {
            let wide = args.iter().map(Column::kind).reduce(wider);
            if matches!(wide, Some(Kind::Int | Kind::Long) | None) { Kind::Long } else { Kind::Real }
        }
    }
}

fn range(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let constant = rows > 0 && args.iter().all(Column::is_const);
    let kind = series_kind(args);
    let mut items = Builder::new(kind, 0);
    let (mut offsets, mut valid) = (vec![0u32], Vec::new());
    for row in 0..if constant { 1 } else { rows } {
        let values: Vec<Value> = args.iter().map(|a| a.value(row)).collect();
        let series = Series::of(kind, &values).and_then(|series| Some((series.len()?, series)));
        valid.push(series.is_some());
        if let Some((length, series)) = series {
            series.write(length, &mut items);
        }
        let end = u32::try_from(items.len()).ok().filter(|_| items.len() <= context.limits.values);
        offsets.push(end.ok_or_else(|| Fault::limit("values", "range() makes too many values"))?);
        context.check()?;
    }
    let nulls = Some(arrow_buffer::NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    let list = Column::List(List { offsets: offsets.into(), nulls, items: Arc::new(items.finish()) });
    Ok(if constant { Column::Const(list.value(0), rows) } else { list })
}

/// Bytes of a row's values: 8 for each value of a fixed size, the text's length for others.
fn estimate_data_size(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(value_rows(Kind::Long, args, rows, |row| {
        let size = |column: &Column| match column.kind() {
            Kind::Bool => 1,
            Kind::Int => 4,
            Kind::Guid | Kind::Decimal => 16,
            Kind::String | Kind::Field => column.text(row).map_or(0, str::len),
            Kind::Dynamic => column.value(row).to_json().len(),
            _ => 8,
        };
        Some(Value::Long(args.iter().map(size).sum::<usize>() as i64))
    }))
}

/// Whether a value is at most `delta` away from the center; null where any is null.
fn around(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [value, center, delta] = args else { return Err(Fault::internal("around takes three arguments")) };
    let reach = match center.kind() {
        Kind::DateTime | Kind::TimeSpan => Kind::TimeSpan,
        kind => kind,
    };
    let fits = |a: Kind, b: Kind| a == b || (a.is_number() && b.is_number());
    if !fits(value.kind(), center.kind()) || !fits(delta.kind(), reach) {
        return Err(Fault::query("KS127", "around() takes values of one kind, and their distance"));
    }
    let whole = args.iter().all(|column| !matches!(column.kind(), Kind::Real | Kind::Decimal));
    Ok(value_rows(Kind::Bool, args, rows, |row| {
        let (value, center, delta) = (value.value(row), center.value(row), delta.value(row));
        let near = if whole {
            let distance = i128::from(value.as_long()?) - i128::from(center.as_long()?);
            distance.abs() <= i128::from(delta.as_long()?)
        } else {
            let (center, delta) = (center.as_real()?, delta.as_real()?);
            (center - delta..=center + delta).contains(&value.as_real()?)
        };
        Some(Value::Bool(near))
    }))
}

crate::scalars! {
    /// The name of a value's kind; of a dynamic that of what it holds: also `array`, `dictionary` and `null`.
    ///
    /// Source: gettype-function.
    ///
    /// ```kql
    /// gettype("a") // string
    /// gettype(1s) // timespan
    /// gettype(parse_json(' {"abc":1} ')) // dictionary
    /// gettype(parse_json('')) // null
    /// ```
    kql fn gettype (value: Any) -> &'static str { kind_name(&value) }
}

crate::kernels! {
    /// The largest of the values that are not null.
    ///
    /// Source: max-of-function.
    ///
    /// ```kql
    /// max_of(10, 1, -3, 17) // 17
    /// max_of(int(null), 2) // 2
    /// ```
    kql fn max_of (value[repeats]: Any) -> Widest = max_of;

    /// The smallest of the values that are not null.
    ///
    /// Source: min-of-function.
    ///
    /// ```kql
    /// min_of(10, 1, -3, 17) // -3
    /// min_of(1, 2.5) // 1
    /// ```
    kql fn min_of (value[repeats]: Any) -> Widest = min_of;

    /// Whether a value lies in the range from `center - delta` to `center + delta`; null where any of them is null.
    ///
    /// Source: around-function.
    ///
    /// ```kql
    /// around(5, 7, 2) // true
    /// around(datetime(2021-01-01 01:28), datetime(2021-01-01 01:30), 1m) // false
    /// ```
    kql fn around (value: Ordered, center: Ordered, delta: Ordered) -> Kind(Kind::Bool) = around;

    /// An array of one value so many times; null for a negative number.
    ///
    /// Source: repeat-function.
    ///
    /// ```kql
    /// repeat(1, 3) // [1,1,1]
    /// repeat("x", -1) // null
    /// ```
    kql fn repeat (value: Any, count: Long) -> Kind(Kind::Dynamic) = repeat;

    /// An array of equally spaced numbers, datetimes or timespans, from `start` to at most `stop`. The step is 1, or
    /// one hour, unless given. At most 1,048,576 values.
    ///
    /// Source: range-function.
    ///
    /// ```kql
    /// range(1, 8, 3) // [1,4,7]
    /// range(1, 3) // [1,2,3]
    /// range(0.5, 2, 0.5) // [0.5,1.0,1.5,2.0]
    /// array_length(range(1h, 3h)) // 3
    /// ```
    kql fn range (start: Ordered, stop: Ordered, step[optional]: Ordered) -> Kind(Kind::Dynamic) = range;

    /// An estimate of the bytes that the values of a row take.
    ///
    /// Source: estimate-data-size-function.
    ///
    /// ```kql
    /// estimate_data_size(1, "1234567890") // 18
    /// ```
    kql fn estimate_data_size (column[repeats]: Any) -> Kind(Kind::Long) = estimate_data_size;
}
