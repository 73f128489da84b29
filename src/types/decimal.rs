//! Decimals: numbers of up to 34 digits, kept as canonical text.
//!
//! The canonical text has no zeros at its ends that say nothing, and an exponent only where more than 34 digits and
//! zeros would be needed.
//!
//! Source: the documentation page "The decimal data type".
use std::borrow::Cow;
use std::cmp::Ordering;

/// How many digits a decimal holds.
pub const PRECISION: usize = 34;

/// The greatest power of ten of a decimal's last digit, and how far below zero it goes (IEEE 754 decimal128).
const GREATEST_EXPONENT: i64 = 6144;

/// `sign digits * 10^exponent`: the digits most significant first, no zeros at either end; none is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// The canonical text of a decimal; `None` for other text and for a number out of range.
pub fn parse(text: &str) -> Option<String> {
    canonical(text).map(Cow::into_owned)
}

/// As [`parse`]; a text that is canonical already is not copied.
pub fn canonical(text: &str) -> Option<Cow<'_, str>> {
    match is_canonical(text) {
        true => Some(Cow::Borrowed(text)),
        false => Decimal::parse(text)?.format().map(Cow::Owned),
    }
}

/// Whether a text is surely canonical: few enough digits, and no zeros at their ends that say nothing.
fn is_canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let point = unsigned.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        None => (unsigned, &[][..]),
    };
    let whole_is_plain = match whole {
        [b'0'] => fraction.iter().any(|digit| *digit != b'0') || (point.is_none() && text.len() == 1),
        [first, ..] => *first != b'0',
        [] => false,
    };
    whole_is_plain
        && (point.is_none() || !matches!(fraction, [] | [.., b'0']))
        && whole.len() + fraction.len() <= PRECISION
        && whole.iter().chain(fraction).all(u8::is_ascii_digit)
}

/// The order of two decimals by value; text that is no decimal comes before all decimals.
pub fn compare(left: &str, right: &str) -> Ordering {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(&right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

pub fn add(left: &str, right: &str) -> Option<String> {
    Decimal::parse(left)?.plus(&Decimal::parse(right)?).rounded()
}

pub fn subtract(left: &str, right: &str) -> Option<String> {
    let mut right = Decimal::parse(right)?;
    right.negative = !right.negative;
    Decimal::parse(left)?.plus(&right).rounded()
}

pub fn multiply(left: &str, right: &str) -> Option<String> {
    Decimal::parse(left)?.times(&Decimal::parse(right)?).rounded()
}

/// The quotient with up to 34 digits; `None` for a divisor of 0.
pub fn divide(left: &str, right: &str) -> Option<String> {
    Decimal::parse(left)?.over(&Decimal::parse(right)?)?.rounded()
}

impl Decimal {
    fn new(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Self {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        if digits.is_empty() {
            return Decimal { negative: false, digits, exponent: 0 };
        }
        Decimal { negative, digits, exponent }
    }

    fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim_ascii();
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = Vec::with_capacity(whole.len() + fraction.len());
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits.push(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        if digits.is_empty() {
            return None;
        }
        let exponent = i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
        Decimal::new(negative, digits, exponent).round()
    }

    /// The nearest decimal of at most 34 digits, a half away from zero; `None` when it is out of range.
    fn round(mut self) -> Option<Decimal> {
        if self.digits.len() > PRECISION {
            let up = self.digits.get(PRECISION).is_some_and(|digit| *digit >= 5);
            let exponent = self.exponent + (self.digits.len() - PRECISION) as i64;
            self.digits.truncate(PRECISION);
            if up {
                increment(&mut self.digits);
            }
            self = Decimal::new(self.negative, self.digits, exponent);
        }
        (self.exponent.abs() <= GREATEST_EXPONENT).then_some(self)
    }

    fn rounded(self) -> Option<String> {
        self.round()?.format()
    }

    fn compare(&self, other: &Decimal) -> Ordering {
        match (self.signum(), other.signum()) {
            (left, right) if left != right => left.cmp(&right),
            (0, _) => Ordering::Equal,
            (1, _) => self.compare_magnitude(other),
            _ => other.compare_magnitude(self),
        }
    }

    fn signum(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Without zeros at the ends, the magnitudes of equally placed first digits compare as texts do.
    fn compare_magnitude(&self, other: &Decimal) -> Ordering {
        let first = |decimal: &Decimal| decimal.exponent + decimal.digits.len() as i64;
        first(self).cmp(&first(other)).then_with(|| self.digits.cmp(&other.digits))
    }

    fn plus(&self, other: &Decimal) -> Decimal {
        let (great, small) = match self.compare_magnitude(other) {
            _ if self.digits.is_empty() => return other.clone(),
            _ if other.digits.is_empty() => return self.clone(),
            Ordering::Less => (other, self),
            _ => (self, other),
        };
        // Far below the last digit that is kept, a summand counts as no more than a rest.
        let lowest = great.exponent + great.digits.len() as i64 - 3 * PRECISION as i64;
        if small.exponent + (small.digits.len() as i64) < lowest {
            return great.clone();
        }
        let exponent = great.exponent.min(small.exponent);
        let (great_digits, small_digits) = (great.shifted(exponent), small.shifted(exponent));
        let subtracts = great.negative != small.negative;
        Decimal::new(great.negative, combine(&great_digits, &small_digits, subtracts), exponent)
    }

    /// The digits as a multiple of a smaller power of ten, least significant first.
    fn shifted(&self, exponent: i64) -> Vec<i16> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        std::iter::repeat_n(0, zeros).chain(self.digits.iter().rev().map(|digit| i16::from(*digit))).collect()
    }

    fn times(&self, other: &Decimal) -> Decimal {
        let mut product = vec![0_u32; self.digits.len() + other.digits.len()];
        for (row, left) in self.digits.iter().rev().enumerate() {
            for (column, right) in other.digits.iter().rev().enumerate() {
                if let Some(place) = product.get_mut(row + column) {
                    *place += u32::from(*left) * u32::from(*right);
                }
            }
        }
        let mut carry = 0;
        let mut digits: Vec<u8> = product.into_iter().map(|sum| carried(sum, &mut carry)).collect();
        digits.reverse();
        Decimal::new(self.negative != other.negative, digits, self.exponent + other.exponent)
    }

    /// Long division to more digits than are kept.
    fn over(&self, divisor: &Decimal) -> Option<Decimal> {
        if divisor.digits.is_empty() {
            return None;
        }
        let wanted = divisor.digits.len() + PRECISION + 2;
        let mut remainder: Vec<u8> = Vec::new();
        let mut quotient = Vec::new();
        for place in 0..wanted.max(self.digits.len()) {
            remainder.push(self.digits.get(place).copied().unwrap_or(0));
            let leading = remainder.iter().take_while(|digit| **digit == 0).count();
            remainder.drain(..leading);
            let mut count = 0;
            while not_below(&remainder, &divisor.digits) {
                subtract_from(&mut remainder, &divisor.digits);
                count += 1;
            }
            quotient.push(count);
        }
        let shift = quotient.len() as i64 - self.digits.len() as i64;
        Some(Decimal::new(self.negative != divisor.negative, quotient, self.exponent - divisor.exponent - shift))
    }

    fn format(&self) -> Option<String> {
        let mut text = String::from(if self.negative { "-" } else { "" });
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let length = i64::try_from(digits.len()).ok()?;
        let point = length + self.exponent;
        let limit = PRECISION as i64;
        if digits.is_empty() {
            text.push('0');
        } else if point > limit || point <= -limit {
            let (first, rest) = digits.split_at_checked(1)?;
            let fraction = if rest.is_empty() { String::new() } else { format!(".{rest}") };
            text.push_str(&format!("{first}{fraction}E{:+}", point - 1));
        } else if self.exponent >= 0 {
            text.push_str(&digits);
            text.extend(std::iter::repeat_n('0', usize::try_from(self.exponent).ok()?));
        } else if point > 0 {
            let (whole, fraction) = digits.split_at_checked(usize::try_from(point).ok()?)?;
            text.push_str(&format!("{whole}.{fraction}"));
        } else {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', usize::try_from(-point).ok()?));
            text.push_str(&digits);
        }
        Some(text)
    }
}

/// One digit of a sum, and what goes over to the next.
fn carried(sum: u32, carry: &mut u32) -> u8 {
    let sum = sum + *carry;
    *carry = sum / 10;
    (sum % 10) as u8
}

/// The sum, or the difference of a greater and a smaller number, of digits given least significant first.
fn combine(great: &[i16], small: &[i16], subtracts: bool) -> Vec<u8> {
    let sign = if subtracts { -1 } else { 1 };
    let mut carry = 0;
    let mut digits: Vec<u8> = (0..=great.len().max(small.len()))
        .map(|place| {
            let digit = |digits: &[i16]| digits.get(place).copied().unwrap_or(0);
            let sum = digit(great) + sign * digit(small) + carry;
            carry = sum.div_euclid(10);
            sum.rem_euclid(10) as u8
        })
        .collect();
    digits.reverse();
    digits
}

/// Adds one to the last digit.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        *digit = (*digit + 1) % 10;
        if *digit != 0 {
            return;
        }
    }
    digits.insert(0, 1);
}

fn not_below(number: &[u8], other: &[u8]) -> bool {
    number.len().cmp(&other.len()).then_with(|| number.cmp(other)).is_ge()
}

/// Subtracts a smaller number, and the zeros that then stand in front.
fn subtract_from(number: &mut Vec<u8>, other: &[u8]) {
    let reversed = |digits: &[u8]| digits.iter().rev().map(|digit| i16::from(*digit)).collect::<Vec<_>>();
    let difference = combine(&reversed(number), &reversed(other), true);
    *number = difference.into_iter().skip_while(|digit| *digit == 0).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts_are_told() {
        let texts = [
            "0",
            "-0",
            "0.0",
            "1.",
            ".5",
            "0.5",
            "-0.5",
            "00.5",
            "1.50",
            "10",
            "-10",
            "1e3",
            "+1",
            " 1",
            "1x",
            "-",
            "",
            "1234567890123456789012345678901234",
            "12345678901234567890123456789012345",
            "0.000000000000000000000000000000001",
        ];
        for text in texts {
            let long_way = Decimal::parse(text).and_then(|decimal| decimal.format());
            assert_eq!(parse(text), long_way, "{text}");
            assert!(!is_canonical(text) || long_way.as_deref() == Some(text), "{text}");
        }
        assert!(["0", "0.5", "-0.5", "10", "-10.25"].into_iter().all(is_canonical));
    }

    #[test]
    fn reads_canonical_texts() {
        let cases = [
            ("1.0", "1"),
            ("-0", "0"),
            ("00123.45600", "123.456"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            (".5", "0.5"),
            ("5.", "5"),
            (" +7 ", "7"),
            ("1e40", "1E+40"),
            ("-1.25e-60", "-1.25E-60"),
            ("12345678901234567890123456789012345", "12345678901234567890123456789012350"),
            ("99999999999999999999999999999999999", "1E+35"),
        ];
        for (text, canonical) in cases {
            let wanted = if canonical.len() > 34 { "1.234567890123456789012345678901235E+34" } else { canonical };
            assert_eq!(parse(text).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", ".", "-", "x", "1e", "1e99999", "1.2.3", "--1", "1,5", "e5", "1e99999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn compares_by_value() {
        let ascending = ["-100", "-2.5", "-2.4999", "0", "0.001", "1", "1.5", "9", "10", "1e30"];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1"), Ordering::Equal);
        assert_eq!(compare("0e5", "-0"), Ordering::Equal);
        assert_eq!(compare("x", "-1e30"), Ordering::Less);
    }

    #[test]
    fn computes() {
        assert_eq!(add("0.1", "0.2").as_deref(), Some("0.3"));
        assert_eq!(add("999", "1").as_deref(), Some("1000"));
        assert_eq!(add("1e100", "1e-100").as_deref(), Some("1E+100"));
        assert_eq!(subtract("1", "0.0001").as_deref(), Some("0.9999"));
        assert_eq!(subtract("1", "1.00").as_deref(), Some("0"));
        assert_eq!(subtract("0", "5").as_deref(), Some("-5"));
        assert_eq!(multiply("-1.5", "4").as_deref(), Some("-6"));
        assert_eq!(multiply("0", "1e6000").as_deref(), Some("0"));
        assert_eq!(multiply("1e6000", "1e6000"), None);
        assert_eq!(divide("1", "8").as_deref(), Some("0.125"));
        assert_eq!(divide("1", "3").as_deref(), Some("0.3333333333333333333333333333333333"));
        assert_eq!(divide("2", "-3").as_deref(), Some("-0.6666666666666666666666666666666667"));
        assert_eq!(divide("1", "0.000"), None);
        assert_eq!(divide("0", "7").as_deref(), Some("0"));
    }

    proptest::proptest! {
        #[test]
        fn whole_numbers_compute_as_integers(left in -10_i128.pow(15)..10_i128.pow(15), right in -10_i128.pow(15)..10_i128.pow(15)) {
            let (l, r) = (left.to_string(), right.to_string());
            proptest::prop_assert_eq!(add(&l, &r), Some((left + right).to_string()));
            proptest::prop_assert_eq!(subtract(&l, &r), Some((left - right).to_string()));
            proptest::prop_assert_eq!(multiply(&l, &r), Some((left * right).to_string()));
            proptest::prop_assert_eq!(compare(&l, &r), left.cmp(&right));
            if right != 0 {
                proptest::prop_assert_eq!(divide(&(left * right).to_string(), &r), Some(l));
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(left: String, like in "-?[0-9]{0,50}\\.?[0-9]{0,50}(e-?[0-9]{1,4})?") {
            let _ = (parse(&left), add(&left, &like), divide("1", &like), multiply(&like, &like), add("1", &like));
        }
    }
}
