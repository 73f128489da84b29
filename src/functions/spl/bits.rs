//! Functions of the bits of whole numbers from 0 to 2^53 - 1; any other number gives no value.
use super::conversion::MOST;
use super::each_number;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind};

fn bits_at(args: &[Column], at: usize, row: usize) -> Option<i64> {
    field::number(args.get(at)?, row)?.long().filter(|long| (0..=MOST).contains(long))
}

fn folded(args: &[Column], rows: usize, fold: fn(i64, i64) -> i64) -> Result<Column> {
    each_number(args, rows, |row| {
        let values = (0..args.len()).map(|at| bits_at(args, at, row)).collect::<Option<Vec<i64>>>()?;
        values.into_iter().reduce(fold).map(Number::Long)
    })
}

fn and(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    folded(args, rows, |a, b| a & b)
}

fn or(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    folded(args, rows, |a, b| a | b)
}

fn xor(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    folded(args, rows, |a, b| a ^ b)
}

fn not(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let mask = if args.len() > 1 { bits_at(args, 1, row)? } else { MOST };
        Some(Number::Long(!bits_at(args, 0, row)? & mask))
    })
}

fn shifted(args: &[Column], rows: usize, shift: fn(i64, u32) -> i64) -> Result<Column> {
    each_number(args, rows, |row| {
        let (value, by) = (bits_at(args, 0, row)?, bits_at(args, 1, row)?);
        let by = u32::try_from(by).ok().filter(|by| *by <= 53);
        Some(Number::Long(by.map_or(0, |by| shift(value, by) & MOST)))
    })
}

fn shift_left(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    shifted(args, rows, |value, by| value.wrapping_shl(by))
}

fn shift_right(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    shifted(args, rows, |value, by| value >> by)
}

crate::kernels! {
    /// The bits that all numbers have.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_and(12, 9) // 8
    /// bit_and(-1, 9) //
    /// ```
    spl fn bit_and (number[repeats]: Any) -> Kind(Kind::Field) = and;

    /// The bits that any number has.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_or(4, 2) // 6
    /// ```
    spl fn bit_or (number[repeats]: Any) -> Kind(Kind::Field) = or;

    /// The bits that an odd count of the numbers has.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_xor(3, 2) // 1
    /// ```
    spl fn bit_xor (number[repeats]: Any) -> Kind(Kind::Field) = xor;

    /// The bits that a number lacks, of 53 or of those of a mask.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_not(9) // 9007199254740982
    /// bit_not(9, 15) // 6
    /// ```
    spl fn bit_not (number: Any, mask[optional]: Any) -> Kind(Kind::Field) = not;

    /// The bits of a number moved to the left; those beyond the 53rd are lost.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_shift_left(2, 1) // 4
    /// bit_shift_left(3, 52) // 4503599627370496
    /// bit_shift_left(1, 53) // 0
    /// ```
    spl fn bit_shift_left (number: Any, places: Any) -> Kind(Kind::Field) = shift_left;

    /// The bits of a number moved to the right.
    ///
    /// Source: Splunk Search Reference, bitwise functions.
    ///
    /// ```spl
    /// bit_shift_right(4, 1) // 2
    /// ```
    spl fn bit_shift_right (number: Any, places: Any) -> Kind(Kind::Field) = shift_right;
}
