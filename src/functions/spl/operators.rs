//! Arithmetic, the joining of texts, and the logic that is not lazy.
use super::{each, each_flag, each_number, is_literal};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::field::{self, Number, Numbers, without_noise};
use crate::types::{Column, Kind, Value};
use arrow_array::Array;

/// The two arguments of an operator.
pub fn pair(args: &[Column]) -> Result<(&Column, &Column)> {
    match args {
        [left, right] => Ok((left, right)),
        _ => Err(Fault::internal("an operator takes two arguments")),
    }
}

fn arithmetic(args: &[Column], rows: usize, operation: fn(Number, Number) -> Option<Number>) -> Result<Column> {
    let (left, right) = pair(args)?;
    let (l, r) = (Numbers::of(left), Numbers::of(right));
    each_number(args, rows, |row| operation(l.get(row)?, r.get(row)?))
}

/// A calculation that is whole where both numbers are and the result fits, else one of reals.
fn whole_or_real(left: Number, right: Number, whole: fn(i64, i64) -> Option<i64>, real: fn(f64, f64) -> f64) -> Number {
    if let (Number::Long(a), Number::Long(b)) = (left, right)
        && let Some(long) = whole(a, b)
    {
        return Number::Long(long);
    }
    Number::Real(without_noise(real(left.real(), right.real())))
}

pub(super) fn sum(left: Number, right: Number) -> Number {
    whole_or_real(left, right, i64::checked_add, |a, b| a + b)
}

fn plus(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (left, right) = pair(args)?;
    let (l, r) = (Numbers::of(left), Numbers::of(right));
    let literals = is_literal(left) && is_literal(right);
    each(args, rows, |row, out| {
        let numbers = (l.get(row), r.get(row));
        if let (false, (Some(a), Some(b))) = (literals, numbers) {
            out.push_number(sum(a, b));
            return Ok(());
        }
        // A number and a text have no sum.
        let texts = match literals || numbers == (None, None) {
            true => field::text(left, row).zip(field::text(right, row)),
            false => None,
        };
        match texts {
            Some((a, b)) => out.push_text(&format!("{a}{b}")),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn minus(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let [one] = args {
        let numbers = Numbers::of(one);
        return each_number(args, rows, |row| {
            Some(whole_or_real(Number::Long(0), numbers.get(row)?, i64::checked_sub, |a, b| a - b))
        });
    }
    arithmetic(args, rows, |a, b| Some(whole_or_real(a, b, i64::checked_sub, |a, b| a - b)))
}

fn times(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    arithmetic(args, rows, |a, b| Some(whole_or_real(a, b, i64::checked_mul, |a, b| a * b)))
}

fn over(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    arithmetic(args, rows, |a, b| (b.real() != 0.0).then(|| Number::Real(without_noise(a.real() / b.real()))))
}

fn remainder(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    arithmetic(args, rows, |a, b| match b.real() == 0.0 {
        true => None,
        false => Some(whole_or_real(a, b, i64::checked_rem, |a, b| a % b)),
    })
}

fn join(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let mut joined = String::new();
    each(args, rows, |row, out| {
        joined.clear();
        for column in args {
            let Some(text) = (field::count(column, row) == 1).then(|| field::text(column, row)).flatten() else {
                out.push_null();
                return Ok(());
            };
            joined.push_str(&text);
        }
        out.push_text(&joined);
        Ok(())
    })
}

/// What a condition is in a row; none where it is not known.
pub fn flag(column: &Column, row: usize) -> Option<bool> {
    match column {
        Column::Bool(bits) => bits.is_valid(row).then(|| bits.value(row)),
        Column::Const(Value::Bool(flag), _) => Some(*flag),
        _ => None,
    }
}

fn not(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(args.first().and_then(|column| flag(column, row)).map(|flag| !flag)))
}

fn xor(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (left, right) = pair(args)?;
    each_flag(args, rows, |row| Ok(flag(left, row).zip(flag(right, row)).map(|(a, b)| a != b)))
}

crate::kernels! {
    /// The sum of two numbers, or two texts joined. A number and a text that does not look like one give no value.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 1 + 2.5 // 3.5
    /// "foo" + "bar" // foobar
    /// 1 + "x" //
    /// ```
    spl fn "+" (left: Any, right: Any) -> Kind(Kind::Field) = plus;

    /// The difference of two numbers, or a number with its sign changed.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 5 - 7 // -2
    /// -(3) // -3
    /// ```
    spl fn "-" (left: Any, right[optional]: Any) -> Kind(Kind::Field) = minus;

    /// The product of two numbers.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 3 * 0.5 // 1.5
    /// ```
    spl fn "*" (left: Any, right: Any) -> Kind(Kind::Field) = times;

    /// The quotient of two numbers; no value where the divisor is 0.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 1 / 4 // 0.25
    /// 4 / 2 // 2
    /// 1 / 0 //
    /// ```
    spl fn "/" (left: Any, right: Any) -> Kind(Kind::Field) = over;

    /// The remainder of a division; no value where the divisor is 0.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 7 % 3 // 1
    /// 7 % 0 //
    /// ```
    spl fn "%" (left: Any, right: Any) -> Kind(Kind::Field) = remainder;

    /// Values joined as texts, numbers as they are printed.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// 1 . 2 // 12
    /// "a" . "-" . 0.5 // a-0.5
    /// ```
    spl fn "." (part[repeats]: Any) -> Kind(Kind::Field) = join;

    /// Whether a condition does not hold; not known where the condition is not.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(NOT 1 = 2, "yes", "no") // yes
    /// ```
    spl fn not (condition: Bool) -> Kind(Kind::Bool) = not;

    /// Whether exactly one of two conditions holds.
    ///
    /// Source: Splunk Search Reference, eval command, operators.
    ///
    /// ```spl
    /// if(1 = 1 XOR 2 = 2, "yes", "no") // no
    /// ```
    spl fn xor (left: Bool, right: Bool) -> Kind(Kind::Bool) = xor;
}
