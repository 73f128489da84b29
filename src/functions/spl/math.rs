//! Mathematics: rounding, powers, logarithms, angles.
use super::{each_number, long_at, map_reals, number_at, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::Number;
use crate::types::number::{real_to_long, round as rounded};
use crate::types::{Column, Kind};

fn abs(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        Some(match number_at(args, 0, row)? {
            Number::Long(long) => long.checked_abs().map_or(Number::Real((long as f64).abs()), Number::Long),
            Number::Real(real) => Number::Real(real.abs()),
        })
    })
}

/// A real as a whole number where one of 64 bits is that great.
fn whole(real: f64) -> Number {
    real_to_long(real).filter(|long| *long as f64 == real).map_or(Number::Real(real), Number::Long)
}

fn mapped(args: &[Column], rows: usize, make: fn(f64) -> f64) -> Result<Column> {
    each_number(args, rows, |row| {
        Some(match number_at(args, 0, row)? {
            Number::Long(long) => Number::Long(long),
            Number::Real(real) => whole(make(real)),
        })
    })
}

fn ceiling(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    mapped(args, rows, f64::ceil)
}

fn floor(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    mapped(args, rows, f64::floor)
}

/// A half that binary digits cannot hold is a half: 2.555 to two decimals is 2.56.
fn decimal_half(real: f64) -> f64 {
    real + real * 2.0 * f64::EPSILON
}

fn round(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let decimals = match args.get(1) {
            Some(_) => long_at(args, 1, row).filter(|decimals| *decimals >= 0)?,
            None => 0,
        };
        Some(match number_at(args, 0, row)? {
            Number::Long(long) => Number::Long(long),
            Number::Real(real) if real.fract() == 0.0 => whole(real),
            Number::Real(real) if decimals == 0 => whole(rounded(decimal_half(real), 0)),
            Number::Real(real) => Number::Real(rounded(decimal_half(real), decimals)),
        })
    })
}

fn same(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| number_at(args, 0, row))
}

fn pow(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let (base, exponent) = (number_at(args, 0, row)?, number_at(args, 1, row)?);
        if let (Number::Long(base), Number::Long(exponent)) = (base, exponent)
            && let Some(power) = u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent))
        {
            return Some(Number::Long(power));
        }
        Some(Number::Real(base.real().powf(exponent.real())))
    })
}

fn log(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let real = number_at(args, 0, row)?.real();
        let base = if args.len() > 1 { number_at(args, 1, row)?.real() } else { 10.0 };
        Some(Number::Real(match base {
            10.0 => real.log10(),
            2.0 => real.log2(),
            base => real.ln() / base.ln(),
        }))
    })
}

fn pi(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(Number::Real(std::f64::consts::PI).into(), rows))
}

fn two(args: &[Column], rows: usize, make: fn(f64, f64) -> f64) -> Result<Column> {
    each_number(args, rows, |row| {
        Some(Number::Real(make(number_at(args, 0, row)?.real(), number_at(args, 1, row)?.real())))
    })
}

fn atan2(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    two(args, rows, f64::atan2)
}

fn hypot(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    two(args, rows, f64::hypot)
}

macro_rules! of_a_real {
    ($($name:ident = $make:expr;)*) => {
        $(fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            map_reals(args, rows, $make)
        })*
    };
}

of_a_real! {
    exp = f64::exp;
    ln = f64::ln;
    sqrt = f64::sqrt;
    sin = f64::sin;
    cos = f64::cos;
    tan = f64::tan;
    asin = f64::asin;
    acos = f64::acos;
    atan = f64::atan;
    sinh = f64::sinh;
    cosh = f64::cosh;
    tanh = f64::tanh;
    asinh = f64::asinh;
    acosh = f64::acosh;
    atanh = f64::atanh;
}

/// The digits of a number's text that count: those after leading zeros.
fn figures(text: &str) -> usize {
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    let all: String = digits.chars().filter(char::is_ascii_digit).collect();
    all.trim_start_matches('0').len().max(1)
}

/// The digits behind a number's point.
fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, behind)| behind.len())
}

/// A number with the digits that the operands of its calculation allow: of a product or quotient as many figures as the
/// least precise one has, of a sum or difference as many decimals.
fn rounded_as(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let real = number_at(args, 0, row)?.real();
        let operands: Vec<String> =
            (2..args.len()).filter_map(|at| Some(text_at(args, at, row)?.into_owned())).collect();
        if text_at(args, 1, row)? == "+" {
            let least = operands.iter().map(|text| decimals(text)).min().unwrap_or(0);
            return Some(Number::Real(rounded(decimal_half(real), least as i64)));
        }
        let least = operands.iter().map(|text| figures(text)).min().unwrap_or(15);
        Number::read(&format!("{:.*e}", least.clamp(1, 17) - 1, decimal_half(real))).map(|number| whole(number.real()))
    })
}

/// The number as it is printed.
fn printed(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| Number::read(&number_at(args, 0, row)?.text()))
}

crate::kernels! {
    /// The size of a number, without its sign.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// abs(-2.5) // 2.5
    /// ```
    spl fn abs (number: Any) -> Kind(Kind::Field) = abs;

    /// The next whole number that is not below a number.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// ceiling(1.2) // 2
    /// ceil(-1.5) // -1
    /// ```
    spl fn ceiling as [ceil] (number: Any) -> Kind(Kind::Field) = ceiling;

    /// The next whole number that is not above a number.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// floor(1.9) // 1
    /// floor(-1.5) // -2
    /// ```
    spl fn floor (number: Any) -> Kind(Kind::Field) = floor;

    /// A number rounded to a whole one, or to so many decimals; halves away from zero.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// round(3.5) // 4
    /// round(2.555, 2) // 2.56
    /// round(-2.5) // -3
    /// ```
    spl fn round (number: Any, decimals[optional]: Any) -> Kind(Kind::Field) = round;

    /// The number as it was calculated: all calculations here keep all their digits.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// exact(3.14 * 2) // 6.28
    /// ```
    spl fn exact (number: Any) -> Kind(Kind::Field) = same;

    /// The number with the digits that its calculation allows: of a product or quotient as many figures as the least
    /// precise operand has, of a sum or difference as many decimals. Of any other number the digits that are printed.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// sigfig(1.00 * 1111) // 1110
    /// sigfig(123.0 + 4.567) // 127.6
    /// ```
    spl fn sigfig (number: Any) -> Kind(Kind::Field) = printed;

    /// The result of a calculation with the digits that its operands allow, for `sigfig`.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// sigfig(0.014 * 0.23) // 0.0032
    /// ```
    spl fn ".rounded_as" (number: Any, operator: Any, operand[repeats]: Any) -> Kind(Kind::Field) = rounded_as;

    /// e to the power of a number.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// exp(0) // 1
    /// ```
    spl fn exp (number: Any) -> Kind(Kind::Field) = exp;

    /// The natural logarithm.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// ln(1) // 0
    /// ```
    spl fn ln (number: Any) -> Kind(Kind::Field) = ln;

    /// The logarithm to base 10, or to the base given.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// log(1000) // 3
    /// log(8, 2) // 3
    /// ```
    spl fn log (number: Any, base[optional]: Any) -> Kind(Kind::Field) = log;

    /// The circumference of a circle of diameter 1.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// round(pi(), 5) // 3.14159
    /// ```
    spl fn pi () -> Kind(Kind::Field) = pi;

    /// A number to a power.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// pow(2, 10) // 1024
    /// pow(4, 0.5) // 2
    /// ```
    spl fn pow (number: Any, exponent: Any) -> Kind(Kind::Field) = pow;

    /// The square root; `nan` for a number below 0.
    ///
    /// Source: Splunk Search Reference, mathematical functions.
    ///
    /// ```spl
    /// sqrt(9) // 3
    /// sqrt(-1) . "" // nan
    /// ```
    spl fn sqrt (number: Any) -> Kind(Kind::Field) = sqrt;

    /// The sine of an angle in radians.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// sin(0) // 0
    /// ```
    spl fn sin (angle: Any) -> Kind(Kind::Field) = sin;

    /// The cosine of an angle in radians.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// cos(0) // 1
    /// ```
    spl fn cos (angle: Any) -> Kind(Kind::Field) = cos;

    /// The tangent of an angle in radians.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// tan(0) // 0
    /// ```
    spl fn tan (angle: Any) -> Kind(Kind::Field) = tan;

    /// The angle whose sine a number is; `nan` outside -1 to 1.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(asin(1) * 180 / pi()) // 90
    /// ```
    spl fn asin (number: Any) -> Kind(Kind::Field) = asin;

    /// The angle whose cosine a number is; `nan` outside -1 to 1.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(acos(0) * 180 / pi()) // 90
    /// ```
    spl fn acos (number: Any) -> Kind(Kind::Field) = acos;

    /// The angle whose tangent a number is.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(atan(0.50), 4) // 0.4636
    /// ```
    spl fn atan (number: Any) -> Kind(Kind::Field) = atan;

    /// The angle of a point from the axis, of its two coordinates.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(atan2(0.50, 0.75), 3) // 0.588
    /// ```
    spl fn atan2 (y: Any, x: Any) -> Kind(Kind::Field) = atan2;

    /// The hyperbolic sine.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(sinh(1), 4) // 1.1752
    /// ```
    spl fn sinh (number: Any) -> Kind(Kind::Field) = sinh;

    /// The hyperbolic cosine.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// cosh(0) // 1
    /// ```
    spl fn cosh (number: Any) -> Kind(Kind::Field) = cosh;

    /// The hyperbolic tangent.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(tanh(1), 4) // 0.7616
    /// ```
    spl fn tanh (number: Any) -> Kind(Kind::Field) = tanh;

    /// The number whose hyperbolic sine is given.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(asinh(1), 4) // 0.8814
    /// ```
    spl fn asinh (number: Any) -> Kind(Kind::Field) = asinh;

    /// The number whose hyperbolic cosine is given; `nan` below 1.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(acosh(2), 4) // 1.317
    /// ```
    spl fn acosh (number: Any) -> Kind(Kind::Field) = acosh;

    /// The number whose hyperbolic tangent is given.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// round(atanh(0.5), 4) // 0.5493
    /// ```
    spl fn atanh (number: Any) -> Kind(Kind::Field) = atanh;

    /// The length of the hypotenuse over two sides.
    ///
    /// Source: Splunk Search Reference, trig and hyperbolic functions.
    ///
    /// ```spl
    /// hypot(3, 4) // 5
    /// ```
    spl fn hypot (x: Any, y: Any) -> Kind(Kind::Field) = hypot;
}
