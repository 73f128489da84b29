//! Arithmetic over columns: integers wrap as Kusto's do, division by zero is null.
use super::operators::pair;
use super::{Context, wider};
use crate::diagnostic::{Fault, Result};
use crate::types::vectors::{self, Loop, wide};
use crate::types::{Column, Kind, Value, convert, datetime, decimal};
use arrow_array::{Array, Float64Array, Int64Array};
use arrow_buffer::NullBuffer;

/// int and long give long; real and decimal win.
fn number_kind(a: Kind, b: Kind) -> Kind {
    match wider(a, b) {
        Kind::Int => Kind::Long,
        Kind::Dynamic => Kind::Dynamic,
        other => other,
    }
}

fn two(kinds: &[Kind]) -> (Kind, Kind) {
    match kinds {
        [a, b, ..] => (*a, *b),
        _ => (Kind::Dynamic, Kind::Dynamic),
    }
}

pub fn sum_kind(kinds: &[Kind]) -> Kind {
    match two(kinds) {
        (Kind::DateTime, Kind::TimeSpan) | (Kind::TimeSpan, Kind::DateTime) => Kind::DateTime,
        (Kind::TimeSpan, Kind::TimeSpan) => Kind::TimeSpan,
        (a, b) => number_kind(a, b),
    }
}

pub fn difference_kind(kinds: &[Kind]) -> Kind {
    match two(kinds) {
        (Kind::DateTime, Kind::DateTime) | (Kind::TimeSpan, Kind::TimeSpan) => Kind::TimeSpan,
        (Kind::DateTime, Kind::TimeSpan) => Kind::DateTime,
        (a, b) => number_kind(a, b),
    }
}

pub fn product_kind(kinds: &[Kind]) -> Kind {
    match two(kinds) {
        (Kind::TimeSpan, n) | (n, Kind::TimeSpan) if n.is_number() => Kind::TimeSpan,
        (a, b) => number_kind(a, b),
    }
}

pub fn quotient_kind(kinds: &[Kind]) -> Kind {
    match two(kinds) {
        (Kind::TimeSpan, Kind::TimeSpan) | (Kind::DateTime, Kind::TimeSpan) => Kind::Real,
        (Kind::TimeSpan, n) if n.is_number() => Kind::TimeSpan,
        (a, b) => number_kind(a, b),
    }
}

pub fn remainder_kind(kinds: &[Kind]) -> Kind {
    match two(kinds) {
        (Kind::TimeSpan, Kind::TimeSpan) | (Kind::DateTime, Kind::TimeSpan) => Kind::TimeSpan,
        (a, b) => number_kind(a, b),
    }
}

pub fn negated_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(Kind::Int) => Kind::Long,
        Some(kind) => *kind,
        None => Kind::Dynamic,
    }
}

/// The integers (ticks, 0 and 1) of a column, copied only where they are of another width.
pub fn longs(column: &Column) -> Int64Array {
    match column {
        Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => a.clone(),
        Column::Int(a) => Int64Array::new(a.values().iter().map(|v| i64::from(*v)).collect(), a.nulls().cloned()),
        Column::Const(value, rows) => match value.as_long() {
            Some(value) => Int64Array::new(vec![value; *rows].into(), None),
            None => Int64Array::new_null(*rows),
        },
        other => (0..other.len()).map(|row| other.value(row).as_long()).collect(),
    }
}

/// The reals of a column of numbers.
pub fn reals(column: &Column) -> Float64Array {
    match column {
        Column::Real(a) => a.clone(),
        Column::Long(a) => Float64Array::new(a.values().iter().map(|v| *v as f64).collect(), a.nulls().cloned()),
        Column::Int(a) => Float64Array::new(a.values().iter().map(|v| f64::from(*v)).collect(), a.nulls().cloned()),
        Column::Const(value, rows) => match real_of(value) {
            Some(value) => Float64Array::new(vec![value; *rows].into(), None),
            None => Float64Array::new_null(*rows),
        },
        other => (0..other.len()).map(|row| real_of(&other.value(row))).collect(),
    }
}

fn real_of(value: &Value) -> Option<f64> {
    value.as_real().or_else(|| value.as_long().map(|i| i as f64))
}

/// The numbers of an operand: one for all rows, or one for each.
pub enum Side<'a, T> {
    One(T),
    Each(&'a [T]),
}

impl<'a, T: Copy> Side<'a, T> {
    /// `values` are those of `column`, which is not null where it is constant.
    pub fn new(column: &Column, values: &'a [T]) -> Side<'a, T> {
        match (column, values.first()) {
            (Column::Const(..), Some(value)) => Side::One(*value),
            _ => Side::Each(values),
        }
    }
}

/// An operation on the numbers of each row.
pub fn zipped<T, U>(left: &Side<T>, right: &Side<T>, rows: usize, operation: impl Fn(T, T) -> U) -> Vec<U>
where
    T: Copy,
    U: Clone + Default,
{
    let rows = match (left, right) {
        (Side::Each(l), Side::Each(r)) => l.len().min(r.len()),
        (Side::Each(values), _) | (_, Side::Each(values)) => values.len(),
        _ => rows,
    };
    vectors::run(Zipped { left, right, rows, operation })
}

struct Zipped<'a, T, F> {
    left: &'a Side<'a, T>,
    right: &'a Side<'a, T>,
    rows: usize,
    operation: F,
}

impl<T: Copy, U: Clone + Default, F: Fn(T, T) -> U> Loop for Zipped<'_, T, F> {
    type Output = Vec<U>;

    #[inline(always)]
    fn run(self) -> Vec<U> {
        let Zipped { left, right, rows, operation } = self;
        let mut results = vec![U::default(); rows];
        match (left, right) {
            (Side::Each(l), Side::Each(r)) => {
                for (result, (l, r)) in results.iter_mut().zip(l.iter().zip(*r)) {
                    *result = operation(*l, *r);
                }
            }
            (Side::Each(l), &Side::One(r)) => {
                for (result, l) in results.iter_mut().zip(*l) {
                    *result = operation(*l, r);
                }
            }
            (&Side::One(l), Side::Each(r)) => {
                for (result, r) in results.iter_mut().zip(*r) {
                    *result = operation(l, *r);
                }
            }
            (Side::One(l), Side::One(r)) => results.fill_with(|| operation(*l, *r)),
        }
        results
    }
}

fn of_kind(kind: Kind, values: Int64Array) -> Column {
    match kind {
        Kind::DateTime => Column::DateTime(values),
        Kind::TimeSpan => Column::TimeSpan(values),
        _ => Column::Long(values),
    }
}

/// A column's numbers; a constant's only once.
pub(super) fn operand<A>(column: &Column, numbers: fn(&Column) -> A) -> A {
    match column {
        Column::Const(value, _) => numbers(&Column::Const(value.clone(), 1)),
        column => numbers(column),
    }
}

fn is_null_constant(column: &Column) -> bool {
    matches!(column, Column::Const(value, _) if value.is_null())
}

/// Applies an operation to the integers of two columns.
pub(super) fn on_longs(
    kind: Kind,
    left: &Column,
    right: &Column,
    rows: usize,
    operation: impl Fn(i64, i64) -> i64,
) -> Column {
    if is_null_constant(left) || is_null_constant(right) {
        return Column::nulls(kind, rows);
    }
    let (l, r) = (operand(left, longs), operand(right, longs));
    let nulls = NullBuffer::union(l.nulls(), r.nulls());
    let values = zipped(&Side::new(left, l.values()), &Side::new(right, r.values()), rows, operation);
    of_kind(kind, Int64Array::new(values.into(), nulls))
}

/// Applies an operation that some integers have no result of.
fn on_some_longs(
    kind: Kind,
    left: &Column,
    right: &Column,
    rows: usize,
    operation: impl Fn(i64, i64) -> Option<i64>,
) -> Column {
    if is_null_constant(left) || is_null_constant(right) {
        return Column::nulls(kind, rows);
    }
    let (l, r) = (operand(left, longs), operand(right, longs));
    let nulls = NullBuffer::union(l.nulls(), r.nulls());
    let failed = std::cell::Cell::new(false);
    let sides = (Side::new(left, l.values()), Side::new(right, r.values()));
    let values = zipped(&sides.0, &sides.1, rows, |l, r| {
        operation(l, r).unwrap_or_else(|| {
            failed.set(true);
            0
        })
    });
    if !failed.get() {
        return of_kind(kind, Int64Array::new(values.into(), nulls));
    }
    let again = zipped(&sides.0, &sides.1, rows, operation).into_iter().enumerate();
    let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
    of_kind(kind, again.map(|(row, value)| value.filter(|_| valid(row))).collect())
}

/// Times moved by a span, for which `plain` is quicker where `operation` has a result of all: it has one of every time
/// between two of which it has.
fn on_times(
    left: &Column,
    right: &Column,
    rows: usize,
    operation: impl Fn(i64, i64) -> Option<i64>,
    plain: impl Fn(i64, i64) -> i64,
) -> Column {
    let kind = Kind::DateTime;
    if let (Column::DateTime(times), Column::Const(Value::TimeSpan(span), _)) = (left, right) {
        let ends = |(low, high): (i64, i64), time: &i64| (low.min(*time), high.max(*time));
        let (low, high) = wide(|| times.values().iter().fold((i64::MAX, i64::MIN), ends));
        if operation(low, *span).is_some() && operation(high, *span).is_some() {
            return on_longs(kind, left, right, rows, plain);
        }
    }
    on_some_longs(kind, left, right, rows, operation)
}

/// Division and remainder: by 0 there is none.
fn on_divided(kind: Kind, left: &Column, right: &Column, rows: usize, operation: impl Fn(i64, i64) -> i64) -> Column {
    match right {
        Column::Const(divisor, _) if divisor.as_long().is_some_and(|d| d != 0) => {
            on_longs(kind, left, right, rows, operation)
        }
        _ => on_some_longs(kind, left, right, rows, |a, b| if b == 0 { None } else { Some(operation(a, b)) }),
    }
}

fn on_reals(left: &Column, right: &Column, rows: usize, operation: impl Fn(f64, f64) -> f64) -> Column {
    if is_null_constant(left) || is_null_constant(right) {
        return Column::nulls(Kind::Real, rows);
    }
    let (l, r) = (operand(left, reals), operand(right, reals));
    let nulls = NullBuffer::union(l.nulls(), r.nulls());
    let values = zipped(&Side::new(left, l.values()), &Side::new(right, r.values()), rows, operation);
    Column::Real(Float64Array::new(values.into(), nulls))
}

/// A timespan times or divided by a number.
fn scaled(left: &Column, right: &Column, rows: usize, operation: impl Fn(f64, f64) -> f64) -> Column {
    match on_reals(left, right, rows, operation) {
        Column::Real(a) => Column::TimeSpan(a.iter().map(|v| v.and_then(whole)).collect()),
        _ => Column::nulls(Kind::TimeSpan, rows),
    }
}

fn whole(real: f64) -> Option<i64> {
    crate::types::number::real_to_long(real.round())
}

fn on_decimals(left: &Column, right: &Column, rows: usize, operation: fn(&str, &str) -> Option<String>) -> Column {
    let (l, r) = (convert::lenient(left, Kind::Decimal), convert::lenient(right, Kind::Decimal));
    let mut builder = crate::types::Builder::new(Kind::Decimal, rows);
    for row in 0..rows {
        match l.text(row).zip(r.text(row)).and_then(|(a, b)| operation(a, b)) {
            Some(text) => builder.push_text(&text),
            None => builder.push_null(),
        }
    }
    builder.finish()
}

fn kinds(args: &[Column]) -> Vec<Kind> {
    args.iter().map(Column::kind).collect()
}

/// A result for every row from constants alone is one constant.
pub(super) fn folded(args: &[Column], rows: usize, compute: impl Fn(usize) -> Result<Column>) -> Result<Column> {
    if args.iter().all(Column::is_const) && rows > 0 {
        return Ok(Column::Const(compute(1)?.value(0), rows));
    }
    compute(rows)
}

fn unsupported(operator: &str, args: &[Column]) -> Fault {
    let kinds = kinds(args);
    let (a, b) = two(&kinds);
    Fault::query("KS106", format!("`{operator}` is not defined for {a} and {b}"))
}

fn single(args: &[Column]) -> Vec<Column> {
    args.iter().map(|c| if let Column::Const(v, _) = c { Column::Const(v.clone(), 1) } else { c.clone() }).collect()
}

macro_rules! operation {
    ($name:ident, $operator:literal, $kind_of:ident, |$l:ident, $r:ident, $rows:ident, $kind:ident| $body:expr) => {
        pub fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            let $kind = $kind_of(&kinds(args));
            folded(args, rows, |$rows| {
                let args = if $rows == rows { args.to_vec() } else { single(args) };
                let args: Vec<Column> = args.into_iter().map(|c| resize(c, $rows)).collect();
                let ($l, $r) = pair(&args)?;
                $body.ok_or_else(|| unsupported($operator, &args))
            })
        }
    };
}

fn resize(column: Column, rows: usize) -> Column {
    match column {
        Column::Const(value, _) => Column::Const(value, rows),
        other => other,
    }
}

operation!(add, "+", sum_kind, |l, r, rows, kind| match kind {
    // Beyond the years that there are lies no time.
    Kind::DateTime => Some(on_times(l, r, rows, datetime::plus, i64::wrapping_add)),
    Kind::Long | Kind::TimeSpan => Some(on_longs(kind, l, r, rows, i64::wrapping_add)),
    Kind::Real => Some(on_reals(l, r, rows, |a, b| a + b)),
    Kind::Decimal => Some(on_decimals(l, r, rows, decimal::add)),
    _ => None,
});

operation!(subtract, "-", difference_kind, |l, r, rows, kind| match kind {
    // Beyond the years that there are lies no time.
    Kind::DateTime => {
        Some(on_times(l, r, rows, |a, b| a.checked_sub(b).and_then(datetime::checked), i64::wrapping_sub))
    }
    Kind::Long | Kind::TimeSpan => Some(on_longs(kind, l, r, rows, i64::wrapping_sub)),
    Kind::Real => Some(on_reals(l, r, rows, |a, b| a - b)),
    Kind::Decimal => Some(on_decimals(l, r, rows, decimal::subtract)),
    _ => None,
});

operation!(multiply, "*", product_kind, |l, r, rows, kind| match kind {
    Kind::Long => Some(on_longs(kind, l, r, rows, i64::wrapping_mul)),
    Kind::TimeSpan => Some(match (l.kind(), r.kind()) {
        (Kind::Real | Kind::Decimal, _) | (_, Kind::Real | Kind::Decimal) => scaled(l, r, rows, |a, b| a * b),
        _ => on_longs(kind, l, r, rows, i64::wrapping_mul),
    }),
    Kind::Real => Some(on_reals(l, r, rows, |a, b| a * b)),
    Kind::Decimal => Some(on_decimals(l, r, rows, decimal::multiply)),
    _ => None,
});

operation!(divide, "/", quotient_kind, |l, r, rows, kind| match kind {
    Kind::Long => Some(on_divided(kind, l, r, rows, i64::wrapping_div)),
    Kind::TimeSpan => Some(match r.kind() {
        Kind::Real | Kind::Decimal => scaled(l, r, rows, |a, b| a / b),
        _ => on_divided(kind, l, r, rows, i64::wrapping_div),
    }),
    Kind::Real => Some(on_reals(l, r, rows, |a, b| a / b)),
    Kind::Decimal => Some(on_decimals(l, r, rows, decimal::divide)),
    _ => None,
});

operation!(remainder, "%", remainder_kind, |l, r, rows, kind| match kind {
    Kind::Long | Kind::TimeSpan => {
        Some(on_divided(kind, l, r, rows, i64::wrapping_rem_euclid))
    }
    Kind::Real => Some(on_reals(l, r, rows, |a, b| if b == 0.0 { f64::NAN } else { a.rem_euclid(b) })),
    _ => None,
});

pub fn negate(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(value) = args.first() else { return Err(Fault::internal("a sign without a number")) };
    let zero = match value.kind() {
        Kind::TimeSpan => Value::TimeSpan(0),
        Kind::Real => return Ok(on_reals(&Column::Const(Value::Real(-1.0), rows), value, rows, |a, b| a * b)),
        _ => Value::Long(0),
    };
    subtract(context, &[Column::Const(zero, rows), value.clone()], rows)
}

crate::kernels! {
    /// The sum of numbers, timespans, or a datetime and a timespan.
    ///
    /// Source: the documentation pages "Numerical operators", "Datetime / timespan arithmetic".
    ///
    /// ```kql
    /// 1 + 2 // 3
    /// 1d + 1h // 1.01:00:00
    /// ```
    kql fn "+" (left: Any, right: Any) -> Of(sum_kind) = add;

    /// The difference of numbers, timespans, datetimes, or a datetime and a timespan.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 1 - 2 // -1
    /// datetime(2020-01-02) - datetime(2020-01-01) // 1.00:00:00
    /// ```
    kql fn "-" (left: Any, right: Any) -> Of(difference_kind) = subtract;

    /// The product of numbers, or of a timespan and a number.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 2 * 3.5 // 7
    /// 2 * 1h // 02:00:00
    /// ```
    kql fn "*" (left: Any, right: Any) -> Of(product_kind) = multiply;

    /// The quotient; of integers it is cut to an integer, and null for division by zero.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 7 / 2 // 3
    /// 7.0 / 2 // 3.5
    /// 1h / 30m // 2
    /// ```
    kql fn "/" (left: Any, right: Any) -> Of(quotient_kind) = divide;

    /// The remainder, never negative.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 7 % 3 // 1
    /// -14 % 12 // 10
    /// ```
    kql fn "%" (left: Any, right: Any) -> Of(remainder_kind) = remainder;

    /// The number with its sign turned.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// -(3) // -3
    /// ```
    kql fn "negate" (value: Summable) -> Of(negated_kind) = negate;
}
