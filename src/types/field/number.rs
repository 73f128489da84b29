//! Numbers as Splunk reads and prints them.
use crate::types::number::{write_long, write_real};
use std::cmp::Ordering;

/// A number of a field: whole as long as no calculation makes it a real.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Long(i64),
    Real(f64),
}

/// Up to this size every whole number is a real.
const EXACT: u64 = 1 << 53;

impl Number {
    /// The number that a text looks like: digits with a sign, a point, an exponent, and nothing around them.
    #[inline]
    pub fn read(text: &str) -> Option<Number> {
        let bytes = text.as_bytes();
        let (negative, digits) = match bytes.first()? {
            b'-' => (true, &bytes[1..]),
            b'+' => (false, &bytes[1..]),
            b'0'..=b'9' | b'.' => (false, bytes),
            _ => return None,
        };
        if digits.len() <= 18 && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            let value = digits.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
            return Some(Number::Long(if negative { -value } else { value }));
        }
        Self::read_other(text)
    }

    fn read_other(text: &str) -> Option<Number> {
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            return None;
        }
        if let Ok(long) = text.parse::<i64>() {
            return Some(Number::Long(long));
        }
        text.parse::<f64>().ok().filter(|real| real.is_finite()).map(Number::Real)
    }

    pub fn real(self) -> f64 {
        match self {
            Number::Long(long) => long as f64,
            Number::Real(real) => real,
        }
    }

    /// The whole number that it is; none with a fraction, and beyond 64 bits.
    pub fn long(self) -> Option<i64> {
        match self {
            Number::Long(long) => Some(long),
            Number::Real(real) => crate::types::number::real_to_long(real).filter(|long| *long as f64 == real),
        }
    }

    /// Whether a real holds it without a loss.
    pub fn is_exact(self) -> bool {
        match self {
            Number::Long(long) => long.unsigned_abs() <= EXACT,
            Number::Real(_) => true,
        }
    }

    /// None where one of them is not a number.
    pub fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Long(a), Number::Long(b)) => Some(a.cmp(&b)),
            (a, b) => a.real().partial_cmp(&b.real()),
        }
    }

    /// Appends the digits that Splunk prints: `1` for 1.0; of a real the shortest that read back as the same.
    pub fn write(self, out: &mut String) {
        match self {
            Number::Long(long) => write_long(long, out),
            Number::Real(real) if real.is_nan() => out.push_str("nan"),
            Number::Real(real) if real.is_infinite() => out.push_str(if real > 0.0 { "inf" } else { "-inf" }),
            // A whole number has the same digits whatever holds it; a zero has no sign.
            Number::Real(real) if self.long().is_some() => write_long(real as i64, out),
            Number::Real(real) => write_real(real, out),
        }
    }

    pub fn text(self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

impl From<i64> for Number {
    fn from(long: i64) -> Number {
        Number::Long(long)
    }
}

impl From<f64> for Number {
    fn from(real: f64) -> Number {
        Number::Real(real)
    }
}

/// What has one digit more before its point, or one zero less behind it, than what is below: from 1e-7 on.
const TENS: [f64; 21] = [
    1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
];

/// Powers of ten, each of them exact.
const POWERS: [f64; 22] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21,
];

/// The exponent, as a real holds it, of 2 to the power of -27: the power below 1e-8.
const LEAST: usize = 1023 - 27;

/// How many of [`TENS`] are not greater than each power of two from there on; no two lie between two of these.
const BELOW: [u8; 75] = {
    let mut below = [0; 75];
    let mut at = 0;
    while at < below.len() {
        let power = f64::from_bits(((LEAST + at) as u64) << 52);
        while (below[at] as usize) < TENS.len() && TENS[below[at] as usize] <= power {
            below[at] += 1;
        }
        at += 1;
    }
    below
};

/// The result of a calculation without what calculating in binary leaves behind: 0.1 + 0.2 is 0.3.
///
/// A real that lies within two of its last binary places of one with at most 14 digits is that one.
pub fn without_noise(real: f64) -> f64 {
    let size = real.abs();
    if !(1e-8..1e14).contains(&size) {
        return real;
    }
    // A whole number of so few digits has nothing behind it.
    if real.fract() == 0.0 {
        return real;
    }
    // The tens that are not greater: those below the power of two, and the next one perhaps.
    let binary = (size.to_bits() >> 52) as usize;
    let below = binary.checked_sub(LEAST).and_then(|at| BELOW.get(at)).map_or(0, |below| usize::from(*below));
    let digits = below + usize::from(TENS.get(below).is_some_and(|ten| size >= *ten));
    let scale = POWERS.get(21 - digits).copied().unwrap_or(1.0);
    let near = (real * scale).round() / scale;
    if (near - real).abs() <= 2.0 * f64::EPSILON * size { near } else { real }
}
