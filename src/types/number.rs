//! Numbers: their texts, rounding, bins and remainders.

/// The digits of 0 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + at as u8 / 10, b'0' + at as u8 % 10];
        at += 1;
    }
    pairs
};

/// A long's decimal digits.
pub(super) struct Digits {
    /// The digits end where it ends.
    text: [u8; Digits::END],
    start: usize,
}

impl Digits {
    /// As many as the smallest long has, with its sign.
    const END: usize = 20;

    #[inline]
    pub(super) fn of(value: i64) -> Digits {
        let mut text = [0u8; Digits::END];
        let mut at = Digits::END;
        let mut rest = value.unsigned_abs();
        while rest >= 100 && at > 2 {
            at -= 2;
            text[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        let [ten, one] = PAIRS[(rest % 100) as usize];
        at -= 1;
        text[at] = one;
        if rest >= 10 {
            at -= 1;
            text[at] = ten;
        }
        if value < 0 && at > 0 {
            at -= 1;
            text[at] = b'-';
        }
        Digits { text, start: at }
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        self.text.get(self.start..Self::END).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

/// The digits of a long of at most fifteen, with its sign, as they lie in memory, and how many bytes they are.
#[inline]
pub(super) fn short_digits(value: i64) -> Option<(usize, u128)> {
    let magnitude = value.unsigned_abs();
    if magnitude >= 1_000_000_000_000_000 {
        return None;
    }
    let (high, low) = (magnitude / 100_000_000, magnitude % 100_000_000);
    let (length, digits) = match high {
        0 => without_zeros(eight_digits(low)),
        high => {
            let (length, digits) = without_zeros(eight_digits(high));
            (length + 8, digits | u128::from(eight_digits(low) | ZEROS) << (8 * length))
        }
    };
    Some(if value < 0 { (length + 1, digits << 8 | u128::from(b'-')) } else { (length, digits) })
}

/// The digits of 0 to 9,999 with their number in front, as the view of a short text has them.
pub(super) static SMALL: [u128; 10_000] = {
    let mut views = [0; 10_000];
    let mut value = 0;
    while value < 10_000 {
        let (mut digits, mut length, mut rest) = (0, 0, value);
        while length == 0 || rest > 0 {
            digits = digits << 8 | (b'0' as usize + rest % 10) as u128;
            length += 1;
            rest /= 10;
        }
        views[value] = digits << 32 | length;
        value += 1;
    }
    views
};

/// Eight times the digit 0.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The values of a number's eight digits, the first one in the lowest byte: halved three times, all halves at once.
#[inline(always)]
fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - 10 * tens) << 8)
}

/// The digits as text without zeros in front.
#[inline(always)]
fn without_zeros(digits: u64) -> (usize, u128) {
    let zeros = (digits.trailing_zeros() / 8).min(7);
    (8 - zeros as usize, u128::from((digits | ZEROS) >> (8 * zeros)))
}

/// Appends a long's decimal digits.
pub fn write_long(value: i64, out: &mut String) {
    match short_digits(value) {
        Some((length, digits)) => {
            let digits = digits.to_le_bytes();
            // SAFETY: a sign and digits are ASCII.
            out.push_str(unsafe { std::str::from_utf8_unchecked(digits.get(..length).unwrap_or_default()) });
        }
        None => out.push_str(Digits::of(value).as_str()),
    }
}

/// The text that `tostring()` gives a real: the shortest that reads back as the same, `1` for 1.0.
///
/// Magnitudes from 1e16, and below 1e-4, have an exponent of at least two digits.
pub fn format_real(real: f64) -> String {
    let mut out = String::new();
    write_real(real, &mut out);
    out
}

/// Appends what [`format_real`] gives.
pub fn write_real(real: f64, out: &mut String) {
    let magnitude = real.abs();
    if (1e-4..1e16).contains(&magnitude) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(real);
        let point = text.bytes().position(|byte| byte == b'.').unwrap_or(text.len());
        let decimals = text.get(point + 1..).unwrap_or_default();
        return match may_tie(real, decimals.len()) {
            false if decimals == "0" => out.push_str(text.get(..point).unwrap_or(text)),
            false => out.push_str(text),
            true => out.push_str(&format!("{real}")),
        };
    }
    out.push_str(&match real {
        _ if real.is_nan() => "NaN".to_owned(),
        _ if real.is_infinite() => if real > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        0.0 => format!("{real}"),
        _ => with_exponent(real),
    });
}

/// Whether a real may lie in the middle of two texts with so many decimals, of which the standard library's is meant:
/// it has exactly one binary place more.
fn may_tie(real: f64, decimals: usize) -> bool {
    const MANTISSA: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = real.to_bits();
    let exponent = (bits >> MANTISSA & 0x7ff) as i32 - 1023;
    let places = MANTISSA as i32 - exponent - (bits | 1 << MANTISSA).trailing_zeros() as i32;
    usize::try_from(places).is_ok_and(|places| places == decimals + 1)
}

fn with_exponent(real: f64) -> String {
    let text = format!("{real:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// A real inside a dynamic: a whole number keeps `.0`; what JSON lacks is `nan`, `inf` or `-inf`.
pub fn json_real(real: f64) -> String {
    let mut out = String::new();
    write_json_real(real, &mut out);
    out
}

/// Appends what [`json_real`] gives.
pub fn write_json_real(real: f64, out: &mut String) {
    if real.is_nan() {
        return out.push_str("nan");
    }
    if real.is_infinite() {
        return out.push_str(if real > 0.0 { "inf" } else { "-inf" });
    }
    let start = out.len();
    write_real(real, out);
    if !out.as_bytes().iter().skip(start).any(|byte| matches!(byte, b'.' | b'e')) {
        out.push_str(".0");
    }
}

/// The long that at most eighteen digits state; `None` for anything else.
#[inline]
pub(in crate::types) fn plain_long(digits: &[u8]) -> Option<i64> {
    if !(1..=18).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0i64, |long, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| long * 10 + i64::from(digit))
    })
}

/// The long that a text states, in decimal or as `0x1F`; `None` for fractions, exponents and other text.
///
/// Source: the documentation page "tolong()".
pub fn parse_long(text: &str) -> Option<i64> {
    if let Some(long) = plain_long(text.as_bytes()) {
        return Some(long);
    }
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) else {
        // A second sign, which `parse` would take, is none of a number's.
        return digits.starts_with(|first: char| first.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    };
    if !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    // Sixteen digits are the long's bits: 0xFFFFFFFFFFFFFFFF is -1.
    let value = u64::from_str_radix(hexadecimal, 16).ok()? as i64;
    if negative { value.checked_neg() } else { Some(value) }
}

/// The real that a text states, an integer in hexadecimal too; `None` for other text.
///
/// Source: the documentation page "toreal()".
pub fn parse_real(text: &str) -> Option<f64> {
    if text.starts_with(|first: char| first.is_ascii_digit())
        && let Ok(real) = text.parse()
    {
        return Some(real);
    }
    let text = text.trim();
    if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.')) && text.starts_with(|first: char| first != '.') {
        return text.parse().ok();
    }
    match text.to_ascii_lowercase().trim_start_matches(['+', '-']) {
        "nan" => return Some(f64::NAN),
        "inf" | "infinity" => {
            return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        word if word.starts_with("0x") => return parse_long(text).map(|long| long as f64),
        number if !number.starts_with(|first: char| first.is_ascii_digit() || first == '.') => return None,
        _ => {}
    }
    text.parse().ok()
}

/// The real's whole part, towards zero; `None` where no long is that great, and for NaN.
pub fn real_to_long(real: f64) -> Option<i64> {
    const TOO_GREAT: f64 = 9_223_372_036_854_775_808.0;
    (-TOO_GREAT..TOO_GREAT).contains(&real).then_some(real as i64)
}

/// A real rounded to some decimals, halves away from zero; negative decimals round to tens, hundreds and so on.
///
/// Source: the documentation page "round()".
pub fn round(real: f64, decimals: i64) -> f64 {
    // More decimals than a double has, or none of its digits left.
    let Some(power) = i32::try_from(decimals).ok().filter(|power| (-308..=308).contains(power)) else {
        return if decimals > 0 { real } else { 0.0 };
    };
    let scale = 10_f64.powi(power.abs());
    let scaled = if power < 0 { real / scale } else { real * scale };
    // From 2^52 on a double has no fraction to round.
    if !scaled.is_finite() || scaled.abs() >= 4_503_599_627_370_496.0 {
        return real;
    }
    if power < 0 { scaled.round() * scale } else { scaled.round() / scale }
}

/// The long's bin; `None` for a size that is not positive.
///
/// Source: the documentation page "bin()".
pub fn floor_long(value: i64, size: i64) -> Option<i64> {
    if size <= 0 { None } else { value.div_euclid(size).checked_mul(size) }
}

/// The real's bin; `None` for a size that is not positive.
pub fn floor_real(value: f64, size: f64) -> Option<f64> {
    (size > 0.0).then(|| (value / size).floor() * size)
}

/// The remainder that is never negative; `None` for a divisor of 0.
///
/// Source: the documentation page "Numerical operators".
pub fn modulo_long(value: i64, divisor: i64) -> Option<i64> {
    if divisor == 0 { None } else { Some(value.wrapping_rem_euclid(divisor)) }
}

/// The remainder that is never negative; NaN for a divisor of 0.
pub fn modulo_real(value: f64, divisor: f64) -> f64 {
    value.rem_euclid(divisor)
}

/// Lower-case hexadecimal digits, of negative numbers those of their 64 bits, with zeros in front up to a length.
///
/// Source: the documentation page "tohex()".
pub fn to_hex(value: i64, least_length: usize) -> String {
    let mut out = String::new();
    write_hex(value, least_length, &mut out);
    out
}

/// Appends what [`to_hex`] gives.
pub fn write_hex(value: i64, least_length: usize, out: &mut String) {
    let (mut digits, mut at, mut rest) = ([b'0'; 16], 16, value as u64);
    while rest > 0 && at > 0 {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(rest & 15) as usize];
        rest >>= 4;
    }
    // A long has sixteen digits; more zeros than any use has would only cost memory.
    let length = (16 - at).max(least_length.min(1024)).max(1);
    out.extend(std::iter::repeat_n('0', length.saturating_sub(16)));
    out.push_str(std::str::from_utf8(&digits[16 - length.min(16)..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_reals() {
        let cases = [
            (1.0, "1", "1.0"),
            (-0.5, "-0.5", "-0.5"),
            (0.1, "0.1", "0.1"),
            (1e20, "1e+20", "1e+20"),
            (1.5e-7, "1.5e-07", "1.5e-07"),
            (0.0, "0", "0.0"),
            (123456789012345.0, "123456789012345", "123456789012345.0"),
            (7.38905609893065, "7.38905609893065", "7.38905609893065"),
            (f64::NAN, "NaN", "nan"),
            (f64::INFINITY, "Infinity", "inf"),
            (f64::NEG_INFINITY, "-Infinity", "-inf"),
            (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
        ];
        for (real, text, json) in cases {
            assert_eq!((format_real(real).as_str(), json_real(real).as_str()), (text, json));
        }
    }

    #[test]
    fn reads_longs() {
        let cases = [(" 12 ", 12), ("-5", -5), ("+5", 5), ("0x1F", 31), ("0XfFfFfFfFfFfFfFfF", -1), ("-0x10", -16)];
        for (text, long) in cases {
            assert_eq!(parse_long(text), Some(long), "{text}");
        }
        for text in ["", " ", "1.5", "1e3", "x", "0x", "0x+1", "--1", "+-1", "9223372036854775808", "1 2", "٣"] {
            assert_eq!(parse_long(text), None, "{text}");
        }
        assert_eq!(parse_long("-9223372036854775808"), Some(i64::MIN));
    }

    #[test]
    fn reads_reals() {
        for (text, real) in
            [("1e3", 1000.0), (" 1.5 ", 1.5), ("-.5", -0.5), ("0x1F", 31.0), ("-inf", f64::NEG_INFINITY)]
        {
            assert_eq!(parse_real(text), Some(real), "{text}");
        }
        assert!(parse_real("NaN").is_some_and(f64::is_nan));
        for text in ["", "x", "1,5", "--1", "1e", "e5", "."] {
            assert_eq!(parse_real(text), None, "{text}");
        }
    }

    #[test]
    fn cuts_reals_to_longs() {
        assert_eq!(real_to_long(-1.9), Some(-1));
        assert_eq!(real_to_long(9.3e18), None);
        assert_eq!(real_to_long(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        assert_eq!(real_to_long(f64::NAN), None);
    }

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(round(2.5, 0), 3.0);
        assert_eq!(round(-2.5, 0), -3.0);
        assert_eq!(round(2.15, 1), 2.2);
        assert_eq!(round(123.0, -1), 120.0);
        assert_eq!(round(1e300, 20), 1e300);
        assert_eq!(round(1.5, i64::MAX), 1.5);
        assert_eq!(round(1.5, i64::MIN), 0.0);
        assert!(round(f64::NAN, 2).is_nan());
    }

    #[test]
    fn bins_and_remainders() {
        assert_eq!(floor_long(-1, 5), Some(-5));
        assert_eq!(floor_long(i64::MIN, i64::MAX), None);
        assert_eq!(floor_long(1, 0), None);
        assert_eq!(floor_real(4.5, 1.0), Some(4.0));
        assert_eq!(floor_real(4.5, -1.0), None);
        assert_eq!(floor_real(4.5, f64::NAN), None);
        assert_eq!(
            [(14, 12), (-14, 12), (14, -12), (-14, -12)].map(|(a, b)| modulo_long(a, b)),
            [Some(2), Some(10), Some(2), Some(10)]
        );
        assert_eq!(modulo_long(i64::MIN, -1), Some(0));
        assert_eq!(modulo_long(1, 0), None);
        assert_eq!(modulo_real(-14.5, 12.0), 9.5);
    }

    #[test]
    fn writes_hexadecimal() {
        assert_eq!(to_hex(256, 0), "100");
        assert_eq!(to_hex(-256, 0), "ffffffffffffff00");
        assert_eq!(to_hex(256, 6), "000100");
        assert_eq!(to_hex(0, 0), "0");
        assert_eq!(to_hex(10, 18), "00000000000000000a");
    }

    proptest::proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(real in -1e17..1e17, small in -1.0..1.0, long: i64) {
            for real in [real, small, (real as i64) as f64, (small * 1e6).round() / 1e3] {
                if (1e-4..1e16).contains(&real.abs()) {
                    proptest::prop_assert_eq!(format_real(real), format!("{real}"));
                }
            }
            for long in [long, long >> 16, long >> 32, long >> 48, long >> 56] {
                let mut text = String::new();
                write_long(long, &mut text);
                proptest::prop_assert_eq!(text, long.to_string());
            }
        }

        #[test]
        fn text_gives_the_real_back(bits: u64) {
            let real = f64::from_bits(bits);
            let read = parse_real(&format_real(real));
            proptest::prop_assert!(read == Some(real) || real.is_nan());
            let read = parse_real(&json_real(real));
            proptest::prop_assert!(read == Some(real) || real.is_nan());
        }

        #[test]
        fn any_number_is_taken_without_a_panic(text: String, real: f64, long: i64, other: i64) {
            let _ = (parse_long(&text), parse_real(&text), round(real, long), floor_long(long, other));
            let _ = (modulo_long(long, other), modulo_real(real, long as f64), real_to_long(real));
        }
    }
}
