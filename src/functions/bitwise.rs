//! Bits of integers.
use super::operators::pair;
use super::row::Long;
use super::{Context, arithmetic};
use crate::diagnostic::Result;
use crate::types::{Column, Kind, Value, numbers};
use arrow_array::Array;

/// Applies an operation to the bits of two integers.
fn of_both(args: &[Column], rows: usize, operation: impl Fn(i64, i64) -> i64) -> Result<Column> {
    let (left, right) = pair(args)?;
    arithmetic::folded(args, rows, |rows| Ok(arithmetic::on_longs(Kind::Long, left, right, rows, &operation)))
}

/// Moves bits by a number of places, which counts modulo 64; a negative one has no result.
fn shifted(args: &[Column], rows: usize, moved: impl Fn(i64, i64) -> i64) -> Result<Column> {
    let (value, places) = pair(args)?;
    if let Column::Const(Value::Long(0..), _) = places {
        return of_both(args, rows, |value, places| moved(value, places % 64));
    }
    arithmetic::folded(args, rows, |rows| {
        let (value, places) = (arithmetic::longs(value), arithmetic::longs(places));
        let one = |row: usize| {
            let places = places.is_valid(row).then(|| places.value(row)).filter(|places| *places >= 0)?;
            value.is_valid(row).then(|| moved(value.value(row), places % 64))
        };
        Ok(Column::Long(numbers(rows, one)))
    })
}

fn left(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    shifted(args, rows, |value, places| value << places)
}

fn right(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    shifted(args, rows, |value, places| value >> places)
}

fn and(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    of_both(args, rows, |left, right| left & right)
}

fn or(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    of_both(args, rows, |left, right| left | right)
}

fn xor(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    of_both(args, rows, |left, right| left ^ right)
}

crate::kernels! {
    /// The bits that are set in both integers.
    ///
    /// Source: binary-and-function.
    ///
    /// ```kql
    /// binary_and(6, 3) // 2
    /// ```
    kql fn binary_and (value1: Long, value2: Long) -> Kind(Kind::Long) = and;

    /// The bits that are set in any of two integers.
    ///
    /// Source: binary-or-function.
    ///
    /// ```kql
    /// binary_or(5, 3) // 7
    /// ```
    kql fn binary_or (value1: Long, value2: Long) -> Kind(Kind::Long) = or;

    /// The bits that are set in one of two integers only.
    ///
    /// Source: binary-xor-function.
    ///
    /// ```kql
    /// binary_xor(5, 3) // 6
    /// ```
    kql fn binary_xor (value1: Long, value2: Long) -> Kind(Kind::Long) = xor;

    /// The bits moved to the left by a number of places modulo 64; null for a negative number.
    ///
    /// Source: binary-shift-left-function.
    ///
    /// ```kql
    /// binary_shift_left(1, 2) // 4
    /// binary_shift_left(1, -1) // null
    /// ```
    kql fn binary_shift_left (value: Long, count: Long) -> Kind(Kind::Long) = left;

    /// The bits moved to the right by a number of places modulo 64, the sign kept; null for a negative number.
    ///
    /// Source: binary-shift-right-function.
    ///
    /// ```kql
    /// binary_shift_right(8, 2) // 2
    /// ```
    kql fn binary_shift_right (value: Long, count: Long) -> Kind(Kind::Long) = right;
}

crate::scalars! {
    /// The integer with every bit turned.
    ///
    /// Source: binary-not-function.
    ///
    /// ```kql
    /// binary_not(100) // -101
    /// ```
    kql fn binary_not (value: Long) -> i64 { !value }

    /// The number of bits that are set.
    ///
    /// Source: bitset-count-ones-function.
    ///
    /// ```kql
    /// bitset_count_ones(42) // 3
    /// ```
    kql fn bitset_count_ones (value: Long) -> i64 { i64::from(value.count_ones()) }
}
