//! Coordinates as text.
//!
//! Kusto writes a real by the algorithm Grisu 2: as few digits as tell it from its neighbours, though not always
//! the digits nearest to it (40.764323000000005 becomes 40.764323000000008). The same digits stand here, so that
//! shapes made into text are the same text.
use crate::types::json::Writer;

/// Reals smaller than this are written with the digits nearest to them: they are the traces of rounding.
const LEAST: f64 = 1e-10;

/// A binary number: `digits` times 2 to the `power`.
#[derive(Clone, Copy)]
struct Binary {
    digits: u64,
    power: i32,
}

impl Binary {
    /// The same number with its first digit at the front.
    fn normal(self) -> Binary {
        let free = self.digits.leading_zeros();
        Binary { digits: self.digits << free, power: self.power - free as i32 }
    }

    /// The front half of the digits of the product, rounded.
    fn times(self, other: Binary) -> Binary {
        let product = u128::from(self.digits) * u128::from(other.digits) + (1 << 63);
        Binary { digits: (product >> 64) as u64, power: self.power + other.power + 64 }
    }
}

/// Writes a coordinate.
pub fn write(writer: &mut Writer, value: f64) {
    match value.abs() {
        LEAST..1e4 => writer.raw(&text(value)),
        _ => writer.real(value),
    };
}

fn text(value: f64) -> String {
    let (digits, power) = shortest(value.abs());
    let mut text = digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
    let places = text.len() as i32 + power;
    if power >= 0 {
        text.extend(std::iter::repeat_n('0', power.unsigned_abs() as usize));
        text.push_str(".0");
    } else if places > 0 {
        text.insert(places.unsigned_abs() as usize, '.');
    } else if places > -6 {
        let zeros = "0".repeat(places.unsigned_abs() as usize);
        text.insert_str(0, &format!("0.{zeros}"));
    } else {
        if text.len() > 1 {
            text.insert(1, '.');
        }
        text.push_str(&format!("e{}", places - 1));
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// Decimal digits, and the power of ten of the last one.
fn shortest(value: f64) -> (Vec<u8>, i32) {
    const HIDDEN: u64 = 1 << 52;
    let bits = value.to_bits();
    let own = Binary { digits: bits & (HIDDEN - 1) | HIDDEN, power: (bits >> 52) as i32 - 1075 };
    // Halfway to the next greater and to the next smaller real.
    let above = Binary { digits: own.digits * 2 + 1, power: own.power - 1 }.normal();
    let below = match own.digits {
        HIDDEN => Binary { digits: own.digits * 4 - 1, power: own.power - 2 },
        digits => Binary { digits: digits * 2 - 1, power: own.power - 1 },
    };
    let below = Binary { digits: below.digits << (below.power - above.power), power: above.power };
    let (ten, power) = scale(above.power);
    let (own, mut above, mut below) = (own.normal().times(ten), above.times(ten), below.times(ten));
    above.digits -= 1;
    below.digits += 1;
    let (digits, dropped) = generate(own, above, above.digits - below.digits);
    (digits, dropped - power)
}

/// A power of ten that brings a number of a binary power to some 30 binary digits before the point.
fn scale(power: i32) -> (Binary, i32) {
    let tens = ((-61 - power) as f64 * std::f64::consts::LOG10_2 + 347.0).ceil() as i32;
    let index = (tens >> 3) + 1;
    let power = 8 * index - 348;
    let ten = 10_u64.pow(power.clamp(0, 19).unsigned_abs());
    (Binary { digits: ten, power: 0 }.normal(), power.clamp(0, 19))
}

/// Digits of `above`, until what is left is less than `width`; and the power of ten of the last one.
fn generate(own: Binary, above: Binary, mut width: u64) -> (Vec<u8>, i32) {
    let shift = (-above.power).clamp(1, 63).unsigned_abs();
    let one = 1_u64 << shift;
    let distance = above.digits - own.digits;
    let (mut whole, mut rest) = (above.digits >> shift, above.digits & (one - 1));
    let mut power = whole.checked_ilog10().map_or(0, |log| log as i32 + 1);
    let mut digits = Vec::with_capacity(17);
    while power > 0 {
        power -= 1;
        let unit = 10_u64.pow(power.unsigned_abs());
        push(&mut digits, whole / unit);
        whole %= unit;
        let left = (whole << shift) + rest;
        if left <= width {
            nearer(&mut digits, width, left, unit << shift, distance);
            return (digits, power);
        }
    }
    let mut steps = 0;
    loop {
        (rest, width, steps) = (rest * 10, width * 10, steps + 1);
        push(&mut digits, rest >> shift);
        rest &= one - 1;
        power -= 1;
        if rest < width || digits.len() >= 20 {
            // Kusto's table of powers of ten ends here: further digits stay as they come.
            let scaled = if steps < 9 { distance * 10_u64.pow(steps) } else { 0 };
            nearer(&mut digits, width, rest, one, scaled);
            return (digits, power);
        }
    }
}

/// Zeros at the front are no digits.
fn push(digits: &mut Vec<u8>, digit: u64) {
    if digit > 0 || !digits.is_empty() {
        digits.push(digit.min(9) as u8);
    }
}

/// Lowers the last digit while that brings the digits nearer to the number.
fn nearer(digits: &mut [u8], width: u64, mut left: u64, unit: u64, distance: u64) {
    let Some(last) = digits.last_mut() else { return };
    while left < distance
        && width - left >= unit
        && (left + unit < distance || distance - left > left + unit - distance)
    {
        *last = last.saturating_sub(1);
        left += unit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_those_of_kusto() {
        let pairs = [
            (40.764_323_000_000_005, "40.764323000000008"),
            (9.999_999_999_999_998, "9.999999999999999"),
            (50.250_000_000_000_01, "50.25000000000001"),
            (10.000_000_000_000_002, "10.000000000000002"),
            (-73.949247, "-73.949247"),
            (50.0, "50.0"),
            (180.0, "180.0"),
            (0.001, "0.001"),
            (-1.25e-7, "-1.25e-7"),
        ];
        for (number, wanted) in pairs {
            assert_eq!(text(number), wanted);
        }
    }

    proptest! {
        #[test]
        fn digits_give_the_number_back(number in -360.0..360.0_f64, small in 1e-9..1e-3_f64) {
            prop_assert_eq!(text(number).parse::<f64>().unwrap(), number);
            prop_assert_eq!(text(small).parse::<f64>().unwrap(), small);
        }
    }
}
