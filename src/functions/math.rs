//! Mathematics: rounding, roots, powers, logarithms, angles, tests of reals.
use super::operators::pair;
use super::row::Real;
use super::{Context, arithmetic};
use crate::diagnostic::{Fault, Result};
use crate::types::vectors::{bits_of, wide};
use crate::types::{Column, Kind, Value, convert, number};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, Float64Array, PrimitiveArray};
use arrow_buffer::NullBuffer;
use std::f64::consts::PI;

fn first(args: &[Column]) -> Result<&Column> {
    args.first().ok_or_else(|| Fault::internal("a function was given too few arguments"))
}

/// Applies `compute` to each value of a column, and once to a constant.
fn each(column: &Column, kind: Kind, compute: impl Fn(&Value) -> Option<Value>) -> Column {
    let of = |value: &Value| compute(value).unwrap_or(Value::null(kind));
    match column {
        Column::Const(value, rows) => Column::Const(of(value), *rows),
        other => Column::from_values(kind, &other.values().map(|value| of(&value)).collect::<Vec<_>>()),
    }
}

/// The number that `compute` makes of each; nulls stay.
pub(super) fn mapped<P: ArrowPrimitiveType>(
    numbers: &PrimitiveArray<P>,
    compute: impl Fn(P::Native) -> P::Native,
) -> PrimitiveArray<P> {
    let values: Vec<P::Native> = wide(|| numbers.values().iter().map(|number| compute(*number)).collect());
    PrimitiveArray::new(values.into(), numbers.nulls().cloned())
}

fn magnitude_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(Kind::Int) | None => Kind::Long,
        Some(Kind::Dynamic) => Kind::Real,
        Some(kind) => *kind,
    }
}

fn abs(_: &Context, args: &[Column], _: usize) -> Result<Column> {
    let value = first(args)?;
    Ok(match value {
        Column::Long(a) => Column::Long(mapped(a, i64::wrapping_abs)),
        Column::Real(a) => Column::Real(mapped(a, f64::abs)),
        other => each(other, magnitude_kind(&[other.kind()]), |value| match value {
            Value::Int(_) | Value::Long(_) => value.as_long().map(|v| Value::Long(v.wrapping_abs())),
            Value::TimeSpan(ticks) => Some(Value::TimeSpan(ticks.wrapping_abs())),
            Value::Text(Kind::Decimal, text) => Some(Value::Text(Kind::Decimal, text.trim_start_matches('-').into())),
            _ => convert::value_to(value, Kind::Real).as_real().map(|v| Value::Real(v.abs())),
        }),
    })
}

fn rounded_kind(kinds: &[Kind]) -> Kind {
    match kinds.first() {
        Some(Kind::Dynamic) | None => Kind::Real,
        Some(kind) => *kind,
    }
}

fn round(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = first(args)?;
    let zero = Column::Const(Value::Long(0), rows);
    let digits = args.get(1).unwrap_or(&zero);
    let kind = rounded_kind(&[value.kind()]);
    if let (Column::Real(values), Column::Const(digits, _)) = (value, digits) {
        let digits = digits.as_long();
        let rounded = digits.map(|digits| match u32::try_from(digits) {
            Ok(decimals @ ..=15) => rounded_to(values, decimals),
            _ => mapped(values, |v| number::round(v, digits)),
        });
        return Ok(rounded.map_or_else(|| Column::nulls(kind, rows), Column::Real));
    }
    let one = |value: &Value, digits: &Value| round_one(value, digits.as_long()?, kind);
    if let (Column::Const(value, _), Column::Const(digits, _)) = (value, digits) {
        return Ok(Column::Const(one(value, digits).unwrap_or(Value::Null(kind)), rows));
    }
    let rounded = (0..rows).map(|row| one(&value.value(row), &digits.value(row)).unwrap_or(Value::Null(kind)));
    Ok(Column::from_values(kind, &rounded.collect::<Vec<_>>()))
}

/// What [`number::round`] gives for few decimals, whose power of ten is the same for all.
fn rounded_to(values: &Float64Array, decimals: u32) -> Float64Array {
    // From 2^52 on a double has no fraction to round.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let scale = 10_f64.powi(decimals as i32);
    mapped(values, |value| {
        let scaled = value * scale;
        if scaled.abs() < WHOLE { scaled.round() / scale } else { value }
    })
}

fn round_one(value: &Value, digits: i64, kind: Kind) -> Option<Value> {
    match value {
        Value::Int(_) | Value::Long(_) if digits >= 0 => Some(value.clone()),
        Value::Int(v) => number::real_to_long(number::round(f64::from(*v), digits))?.try_into().ok().map(Value::Int),
        Value::Long(v) => round_long(*v, digits).map(Value::Long),
        Value::Text(Kind::Decimal, text) => {
            let rounded = number::round(text.parse().ok()?, digits);
            Some(convert::value_to(&Value::Real(rounded), Kind::Decimal))
        }
        other => convert::value_to(other, kind).as_real().map(|v| Value::Real(number::round(v, digits))),
    }
}

/// Rounds to tens, hundreds and so on, halves away from zero.
fn round_long(value: i64, digits: i64) -> Option<i64> {
    let Some(unit) = u32::try_from(digits.unsigned_abs()).ok().and_then(|power| 10_i128.checked_pow(power)) else {
        return Some(0);
    };
    let value = i128::from(value);
    i64::try_from((value + value.signum() * unit / 2) / unit * unit).ok()
}

fn ceiling_kind(kinds: &[Kind]) -> Kind {
    if kinds.first() == Some(&Kind::Decimal) { Kind::Decimal } else { Kind::Real }
}

fn ceiling(_: &Context, args: &[Column], _: usize) -> Result<Column> {
    let value = first(args)?;
    if value.kind() == Kind::Decimal {
        return Ok(each(value, Kind::Decimal, |value| {
            let above = value.as_real()?.ceil();
            Some(convert::value_to(&Value::Real(above), Kind::Decimal))
        }));
    }
    if let Column::Const(..) = value {
        return Ok(each(value, Kind::Real, |v| {
            convert::value_to(v, Kind::Real).as_real().map(|v| Value::Real(v.ceil()))
        }));
    }
    let values = arithmetic::reals(&convert::lenient(value, Kind::Real));
    Ok(Column::Real(mapped(&values, f64::ceil)))
}

/// A random real below 1, or a random whole number below the argument.
fn rand(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let mut fraction = fractions();
    let drawn: Float64Array = match args.first() {
        None => (0..rows).map(|_| Some(fraction())).collect(),
        Some(below) => {
            let below = arithmetic::longs(below);
            let draw = |below: i64, fraction: f64| if below > 1 { (fraction * below as f64).floor() } else { fraction };
            (0..rows).map(|row| below.is_valid(row).then(|| draw(below.value(row), fraction()))).collect()
        }
    };
    Ok(Column::Real(drawn))
}

/// Random reals from 0 up to 1.
pub fn fractions() -> impl FnMut() -> f64 {
    let mut state = seed();
    move || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Differs by call: the standard library's hash keys are random, and count up.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn bounded(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn sqrt(_: &Context, args: &[Column], _: usize) -> Result<Column> {
    let Column::Real(numbers) = first(args)? else {
        let root = |value: &Value| convert::value_to(value, Kind::Real).as_real().and_then(|v| bounded(v.sqrt()));
        return Ok(each(first(args)?, Kind::Real, |value| root(value).map(Value::Real)));
    };
    let roots = mapped(numbers, f64::sqrt);
    let there = NullBuffer::new(bits_of(roots.values(), |root| !root.is_nan()));
    let nulls = NullBuffer::union(Some(&there), roots.nulls()).filter(|nulls| nulls.null_count() > 0);
    Ok(Column::Real(Float64Array::new(roots.values().clone(), nulls)))
}

fn same_kind_sign(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = first(args)?;
    let sign = |v: f64| {
        if v > 0.0 {
            1.0
        } else if v < 0.0 {
            -1.0
        } else {
            v * 0.0
        }
    };
    if let Column::Const(value, _) = value {
        let value = convert::value_to(value, Kind::Real).as_real();
        return Ok(Column::Const(value.map_or(Value::Null(Kind::Real), |v| Value::Real(sign(v) + 0.0)), rows));
    }
    Ok(Column::Real(mapped(&arithmetic::reals(value), |v| sign(v) + 0.0)))
}

fn pow(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (base, exponent) = pair(args)?;
    let (bases, exponents) = (arithmetic::reals(base), arithmetic::reals(exponent));
    let powers: Float64Array = (0..rows)
        .map(|row| {
            (bases.is_valid(row) && exponents.is_valid(row)).then(|| bases.value(row).powf(exponents.value(row)))
        })
        .collect();
    Ok(Column::Real(powers))
}

crate::scalars! {
    /// e to the power of a number.
    ///
    /// Source: exp-function.
    ///
    /// ```kql
    /// exp(2) // 7.38905609893065
    /// ```
    kql fn exp (number: Real) -> f64 { number.exp() }

    /// 2 to the power of a number.
    ///
    /// Source: exp2-function.
    ///
    /// ```kql
    /// exp2(3) // 8
    /// ```
    kql fn exp2 (number: Real) -> f64 { number.exp2() }

    /// 10 to the power of a number.
    ///
    /// Source: exp10-function.
    ///
    /// ```kql
    /// exp10(3) // 1000
    /// ```
    kql fn exp10 (number: Real) -> f64 { 10.0_f64.powf(number) }

    /// The natural logarithm; null for a negative number.
    ///
    /// Source: log-function.
    ///
    /// ```kql
    /// round(log(5), 6) // 1.609438
    /// log(-1) // null
    /// ```
    kql fn log (number: Real) -> Option<f64> { bounded(number.ln()) }

    /// The logarithm to base 2; null for a negative number.
    ///
    /// Source: log2-function.
    ///
    /// ```kql
    /// log2(8) // 3
    /// ```
    kql fn log2 (number: Real) -> Option<f64> { bounded(number.log2()) }

    /// The logarithm to base 10; null for a negative number.
    ///
    /// Source: log10-function.
    ///
    /// ```kql
    /// log10(5) // 0.6989700043360189
    /// ```
    kql fn log10 (number: Real) -> Option<f64> { bounded(number.log10()) }

    /// The number π.
    ///
    /// Source: pi-function.
    ///
    /// ```kql
    /// pi() // 3.141592653589793
    /// ```
    kql fn pi () -> f64 { PI }

    /// The cosine of an angle in radians.
    ///
    /// Source: cos-function.
    ///
    /// ```kql
    /// cos(1) // 0.5403023058681398
    /// ```
    kql fn cos (number: Real) -> f64 { number.cos() }

    /// The sine of an angle in radians.
    ///
    /// Source: sin-function.
    ///
    /// ```kql
    /// sin(1) // 0.8414709848078965
    /// ```
    kql fn sin (number: Real) -> f64 { number.sin() }

    /// The tangent of an angle in radians.
    ///
    /// Source: tan-function.
    ///
    /// ```kql
    /// round(tan(1), 6) // 1.557408
    /// ```
    kql fn tan (number: Real) -> f64 { number.tan() }

    /// The angle whose cosine is the number; null beyond -1 and 1.
    ///
    /// Source: acos-function.
    ///
    /// ```kql
    /// round(acos(0.5), 6) // 1.047198
    /// acos(2) // null
    /// ```
    kql fn acos (number: Real) -> Option<f64> { bounded(number.acos()) }

    /// The angle whose sine is the number; null beyond -1 and 1.
    ///
    /// Source: asin-function.
    ///
    /// ```kql
    /// round(asin(0.5), 6) // 0.523599
    /// ```
    kql fn asin (number: Real) -> Option<f64> { bounded(number.asin()) }

    /// The angle whose tangent is the number.
    ///
    /// Source: atan-function.
    ///
    /// ```kql
    /// round(atan(0.5), 6) // 0.463648
    /// ```
    kql fn atan (number: Real) -> f64 { number.atan() }

    /// The angle, in radians, between the positive x axis and the line from the origin to the point (x, y).
    ///
    /// Source: atan2-function.
    ///
    /// ```kql
    /// round(atan2(1, 1), 6) // 0.785398
    /// ```
    kql fn atan2 (y: Real, x: Real) -> f64 { y.atan2(x) }

    /// The cotangent of an angle in radians.
    ///
    /// Source: cot-function.
    ///
    /// ```kql
    /// round(cot(1), 6) // 0.642093
    /// ```
    kql fn cot (number: Real) -> f64 { 1.0 / number.tan() }

    /// Radians as degrees.
    ///
    /// Source: degrees-function.
    ///
    /// ```kql
    /// degrees(pi() / 4) // 45
    /// ```
    kql fn degrees (radians: Real) -> f64 { 180.0 / PI * radians }

    /// Degrees as radians.
    ///
    /// Source: radians-function.
    ///
    /// ```kql
    /// round(radians(90), 6) // 1.570796
    /// ```
    kql fn radians (degrees: Real) -> f64 { PI / 180.0 * degrees }

    /// Whether a real is no number.
    ///
    /// Source: isnan-function.
    ///
    /// ```kql
    /// isnan(0.0 / 0.0) // true
    /// ```
    kql fn isnan (number: Real) -> bool { number.is_nan() }

    /// Whether a real is infinite.
    ///
    /// Source: isinf-function.
    ///
    /// ```kql
    /// isinf(1.0 / 0.0) // true
    /// ```
    kql fn isinf (number: Real) -> bool { number.is_infinite() }

    /// Whether a real is a number and finite.
    ///
    /// Source: isfinite-function.
    ///
    /// ```kql
    /// isfinite(1.0 / 0.0) // false
    /// ```
    kql fn isfinite (number: Real) -> bool { number.is_finite() }
}

crate::kernels! {
    /// The square root; null for a negative number.
    ///
    /// Source: sqrt-function.
    ///
    /// ```kql
    /// sqrt(256) // 16
    /// sqrt(-1) // null
    /// ```
    kql fn sqrt (number: Real) -> Kind(Kind::Real) = sqrt;

    /// The value without its sign.
    ///
    /// Source: abs-function.
    ///
    /// ```kql
    /// abs(-5) // 5
    /// abs(-5.5) // 5.5
    /// abs(-1h) // 01:00:00
    /// ```
    kql fn abs (number: Summable) -> Of(magnitude_kind) = abs;

    /// The number rounded to some decimals, none unless given; halves away from zero. Negative ones round to
    /// tens, hundreds and so on.
    ///
    /// Source: round-function.
    ///
    /// ```kql
    /// round(2.98765, 3) // 2.988
    /// round(2.5) // 3
    /// round(1250, -2) // 1300
    /// ```
    kql fn round (number: Number, precision[optional]: Integer) -> Of(rounded_kind) = round;

    /// The smallest whole number that is not less than the number, as a real.
    ///
    /// Source: ceiling-function.
    ///
    /// ```kql
    /// ceiling(-1.1) // -1
    /// ceiling(0.9) // 1
    /// ```
    kql fn ceiling (number: Number) -> Of(ceiling_kind) = ceiling;

    /// 1 for a positive number, -1 for a negative one, else 0, as a real.
    ///
    /// Source: sign-function.
    ///
    /// ```kql
    /// sign(-42) // -1
    /// sign(0) // 0
    /// ```
    kql fn sign (number: Number) -> Kind(Kind::Real) = same_kind_sign;

    /// The base to the power of the exponent.
    ///
    /// Source: pow-function.
    ///
    /// ```kql
    /// pow(2, 3) // 8
    /// ```
    kql fn pow (base: Number, exponent: Number) -> Kind(Kind::Real) = pow;

    /// A random real from 0 up to 1, or a random whole number from 0 up to the argument; another for every row.
    ///
    /// Source: rand-function.
    ///
    /// ```kql
    /// rand() < 1 // true
    /// rand(100) <= 99 // true
    /// ```
    kql #per_row fn rand (below[optional]: Integer) -> Kind(Kind::Real) = rand;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_of_many_is_that_of_one() {
        let reals =
            [0.0, -0.0, 2.5, -2.5, 0.125, 1e300, -1e16, 123.456789, 0.49999999999999994, f64::NAN, f64::INFINITY];
        for decimals in 0..16 {
            let rounded = rounded_to(&Float64Array::from(reals.to_vec()), decimals);
            let expected = reals.map(|real| number::round(real, i64::from(decimals)).to_bits());
            assert_eq!(rounded.values().iter().map(|real| real.to_bits()).collect::<Vec<_>>(), expected);
        }
    }
}
