//! Arithmetic, the joining of texts, and the logic that is not lazy.
use super::{each, each_flag, each_number, is_literal};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::field::{self, Number, Numbers, without_noise};
use crate::types::{Column, Field, Kind, Value};
use arrow_array::{Array, Float64Array, Int64Array};
use arrow_buffer::NullBuffer;

/// The two arguments of an operator.
pub fn pair(args: &[Column]) -> Result<(&Column, &Column)> {
    match args {
        [left, right] => Ok((left, right)),
        _ => Err(Fault::internal("an operator takes two arguments")),
    }
}

/// A calculation: whole where both numbers are and the result fits, else one of reals.
#[derive(Clone, Copy)]
struct Operation {
    /// None for what is real whatever the numbers.
    whole: Option<fn(i64, i64) -> Option<i64>>,
    real: fn(f64, f64) -> f64,
}

const PLUS: Operation = Operation { whole: Some(i64::checked_add), real: |a, b| a + b };
const MINUS: Operation = Operation { whole: Some(i64::checked_sub), real: |a, b| a - b };
const TIMES: Operation = Operation { whole: Some(i64::checked_mul), real: |a, b| a * b };
const REMAINDER: Operation = Operation { whole: Some(i64::checked_rem), real: |a, b| a % b };
const OVER: Operation = Operation { whole: None, real: |a, b| a / b };

impl Operation {
    fn of(self, left: Number, right: Number) -> Number {
        if let (Number::Long(a), Number::Long(b)) = (left, right)
            && let Some(long) = self.whole.and_then(|whole| whole(a, b))
        {
            return Number::Long(long);
        }
        Number::Real(without_noise((self.real)(left.real(), right.real())))
    }

    /// The calculation over numbers that are held as such; none for other columns.
    fn over_numbers(self, args: &[Column], rows: usize) -> Option<Column> {
        let (left, right) = pair(args).ok()?;
        if left.is_const() && right.is_const() {
            return None;
        }
        let nulls = NullBuffer::union(left.null_buffer().as_ref(), right.null_buffer().as_ref());
        let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        if let (Some(whole), Some(l), Some(r)) = (self.whole, Whole::of(left), Whole::of(right)) {
            let result = |row: usize| if is_null(row) { Some(0) } else { whole(l.get(row), r.get(row)) };
            let longs = (0..rows).map(result).collect::<Option<Vec<i64>>>()?;
            return Some(Column::Field(Field::Long(Int64Array::new(longs.into(), nulls))));
        }
        let (l, r) = (Real::of(left)?, Real::of(right)?);
        let result = |row: usize| without_noise((self.real)(l.get(row), r.get(row)));
        let reals: Vec<f64> = (0..rows).map(result).collect();
        Some(Column::Field(Field::Real(Float64Array::new(reals.into(), nulls))))
    }
}

/// Whole numbers: one for all rows, or one each.
enum Whole<'a> {
    One(i64),
    Each(&'a [i64]),
}

impl<'a> Whole<'a> {
    fn of(column: &'a Column) -> Option<Whole<'a>> {
        match column {
            Column::Field(Field::Long(array)) => Some(Whole::Each(array.values())),
            Column::Const(..) => match Numbers::of(column).get(0)? {
                Number::Long(long) => Some(Whole::One(long)),
                Number::Real(_) => None,
            },
            _ => None,
        }
    }

    #[inline(always)]
    fn get(&self, row: usize) -> i64 {
        match self {
            Whole::One(long) => *long,
            Whole::Each(longs) => longs[row],
        }
    }
}

/// Numbers as finite reals: one for all rows, or one each.
enum Real<'a> {
    One(f64),
    Whole(&'a [i64]),
    Each(&'a [f64]),
}

impl<'a> Real<'a> {
    fn of(column: &'a Column) -> Option<Real<'a>> {
        match column {
            Column::Field(Field::Long(array)) => Some(Real::Whole(array.values())),
            Column::Field(Field::Real(array)) => {
                array.values().iter().all(|real| real.is_finite()).then(|| Real::Each(array.values()))
            }
            Column::Const(..) => Numbers::of(column).get(0).map(|number| Real::One(number.real())),
            _ => None,
        }
    }

    #[inline(always)]
    fn get(&self, row: usize) -> f64 {
        match self {
            Real::One(real) => *real,
            Real::Whole(longs) => longs[row] as f64,
            Real::Each(reals) => reals[row],
        }
    }
}

fn arithmetic(args: &[Column], rows: usize, operation: Operation) -> Result<Column> {
    if let Some(made) = operation.over_numbers(args, rows) {
        return Ok(made);
    }
    let (left, right) = pair(args)?;
    let (l, r) = (Numbers::of(left), Numbers::of(right));
    each_number(args, rows, |row| Some(operation.of(l.get(row)?, r.get(row)?)))
}

pub(super) fn sum(left: Number, right: Number) -> Number {
    PLUS.of(left, right)
}

fn plus(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(made) = PLUS.over_numbers(args, rows) {
        return Ok(made);
    }
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
        return each_number(args, rows, |row| Some(MINUS.of(Number::Long(0), numbers.get(row)?)));
    }
    arithmetic(args, rows, MINUS)
}

fn times(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    arithmetic(args, rows, TIMES)
}

/// A division by numbers none of which is 0; else row by row.
fn divided(args: &[Column], rows: usize, operation: Operation) -> Result<Column> {
    let (left, right) = pair(args)?;
    let r = Numbers::of(right);
    let never_zero = |real: &Real| (0..rows).all(|row| real.get(row) != 0.0);
    if Real::of(right).as_ref().is_some_and(never_zero)
        && let Some(made) = operation.over_numbers(args, rows)
    {
        return Ok(made);
    }
    let l = Numbers::of(left);
    each_number(args, rows, |row| {
        let (a, b) = (l.get(row)?, r.get(row)?);
        (b.real() != 0.0).then(|| operation.of(a, b))
    })
}

fn over(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    divided(args, rows, OVER)
}

fn remainder(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    divided(args, rows, REMAINDER)
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
