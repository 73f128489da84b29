//! Texts by formats, as C's `sprintf` makes them.
use super::conversion::grouped;
use super::{number_at, text_at};
use crate::types::Column;
use crate::types::field::Number;
use crate::types::number::real_to_long;
use std::iter::Peekable;
use std::str::Chars;

/// A width or a precision beyond this is cut: no row needs as much, and memory is bounded.
const MOST: usize = 4096;

/// What stands between `%` and the letter.
#[derive(Default)]
struct Spec {
    grouped: bool,
    left: bool,
    zeros: bool,
    plus: bool,
    space: bool,
    other_form: bool,
    width: usize,
    precision: Option<usize>,
}

/// The arguments, one after the other.
struct Arguments<'a> {
    columns: &'a [Column],
    row: usize,
    next: usize,
}

impl Arguments<'_> {
    fn text(&mut self) -> String {
        self.next += 1;
        text_at(self.columns, self.next - 1, self.row).unwrap_or_default().into_owned()
    }

    fn number(&mut self) -> Option<Number> {
        self.next += 1;
        number_at(self.columns, self.next - 1, self.row)
    }

    fn long(&mut self) -> i64 {
        self.number().map_or(0, whole)
    }
}

fn whole(number: Number) -> i64 {
    number.long().or_else(|| real_to_long(number.real())).unwrap_or(0)
}

/// The text of a format; none where it holds a conversion that is not supported.
pub fn printf(format: &str, columns: &[Column], row: usize) -> Option<String> {
    let mut arguments = Arguments { columns, row, next: 0 };
    let mut out = String::new();
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        if rest.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let spec = read(&mut rest, &mut arguments);
        out.push_str(&convert(&spec, rest.next()?, &mut arguments)?);
    }
    Some(out)
}

fn read(rest: &mut Peekable<Chars>, arguments: &mut Arguments) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = rest.next_if(|c| "'-0+ #".contains(*c)) {
        match flag {
            '\'' => spec.grouped = true,
            '-' => spec.left = true,
            '0' => spec.zeros = true,
            '+' => spec.plus = true,
            ' ' => spec.space = true,
            _ => spec.other_form = true,
        }
    }
    match size(rest, arguments) {
        Some(width) if width < 0 => (spec.left, spec.width) = (true, bounded(width.saturating_neg())),
        Some(width) => spec.width = bounded(width),
        None => {}
    }
    if rest.next_if_eq(&'.').is_some() {
        spec.precision = Some(size(rest, arguments).map_or(0, |size| bounded(size.max(0))));
    }
    spec
}

fn bounded(size: i64) -> usize {
    usize::try_from(size).unwrap_or(0).min(MOST)
}

/// Digits, or an argument where a star stands.
fn size(rest: &mut Peekable<Chars>, arguments: &mut Arguments) -> Option<i64> {
    if rest.next_if_eq(&'*').is_some() {
        return Some(arguments.long());
    }
    let mut size = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        size = Some(size.unwrap_or(0i64).saturating_mul(10).saturating_add(i64::from(digit as u8 - b'0')));
    }
    size
}

fn convert(spec: &Spec, letter: char, arguments: &mut Arguments) -> Option<String> {
    match letter {
        'd' | 'i' => {
            let long = arguments.long();
            let digits = least_digits(spec, long.unsigned_abs().to_string());
            Some(numeric(spec, long < 0, "", digits, spec.precision.is_none()))
        }
        'u' => Some(unsigned(spec, "", least_digits(spec, (arguments.long() as u64).to_string()))),
        'o' => {
            let digits = least_digits(spec, format!("{:o}", arguments.long()));
            let digits = if spec.other_form && !digits.starts_with('0') { format!("0{digits}") } else { digits };
            Some(unsigned(spec, "", digits))
        }
        'x' | 'X' | 'p' => {
            let long = arguments.long();
            let (prefix, digits) = match letter {
                'x' => ("0x", format!("{long:x}")),
                _ => ("0X", format!("{long:X}")),
            };
            let prefix = if spec.other_form && long != 0 { prefix } else { "" };
            Some(unsigned(spec, prefix, least_digits(spec, digits)))
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'a' | 'A' => {
            let real = arguments.number().map_or(0.0, Number::real);
            Some(real_text(spec, letter, real))
        }
        'c' => Some(padded(spec, character(arguments))),
        's' | 'z' => {
            let text = arguments.text();
            let most = spec.precision.unwrap_or(usize::MAX);
            Some(padded(spec, text.chars().take(most).collect()))
        }
        _ => None,
    }
}

/// The character of a number, or the first one of a text.
fn character(arguments: &mut Arguments) -> String {
    let at = arguments.next;
    match number_at(arguments.columns, at, arguments.row) {
        Some(_) => u32::try_from(arguments.long()).ok().and_then(char::from_u32).map(String::from).unwrap_or_default(),
        None => arguments.text().chars().take(1).collect(),
    }
}

fn least_digits(spec: &Spec, digits: String) -> String {
    match spec.precision {
        Some(0) if digits == "0" => String::new(),
        Some(least) => format!("{digits:0>least$}"),
        None => digits,
    }
}

fn real_text(spec: &Spec, letter: char, real: f64) -> String {
    let size = real.abs();
    let upper = letter.is_ascii_uppercase();
    let digits = match letter.to_ascii_lowercase() {
        _ if size.is_nan() => "nan".to_owned(),
        _ if size.is_infinite() => "inf".to_owned(),
        'f' => format!("{size:.*}", spec.precision.unwrap_or(6)),
        'e' => exponential(size, spec.precision.unwrap_or(6)),
        'g' => general(size, spec.precision.unwrap_or(6).max(1), spec.other_form),
        _ => hexadecimal(size, spec.precision),
    };
    let digits = if spec.other_form && !digits.contains('.') && size.is_finite() { point(digits) } else { digits };
    let digits = if upper { digits.to_uppercase() } else { digits };
    numeric(spec, real.is_sign_negative() && !real.is_nan(), "", digits, true)
}

/// A point behind the whole part.
fn point(digits: String) -> String {
    match digits.find(['e', 'p']) {
        Some(at) => format!("{}.{}", &digits[..at], &digits[at..]),
        None => digits + ".",
    }
}

fn exponential(size: f64, decimals: usize) -> String {
    let text = format!("{size:.decimals$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// So many digits that count, without the zeros at the end; with an exponent where the number is great or small.
fn general(size: f64, digits: usize, all: bool) -> String {
    let written = exponential(size, digits - 1);
    let exponent: i64 = written.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let plain = (-4..digits as i64).contains(&exponent);
    let text = match plain {
        true => format!("{size:.*}", usize::try_from(digits as i64 - 1 - exponent).unwrap_or(0)),
        false => written,
    };
    if all || !text.contains('.') {
        return text;
    }
    let (digits, exponent) = text.split_at(text.find('e').unwrap_or(text.len()));
    format!("{}{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// `0x1.922p+1`: the bits of the number.
fn hexadecimal(size: f64, decimals: Option<usize>) -> String {
    let bits = size.to_bits();
    let (mut mantissa, mut exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i64 - 1023);
    let mut first = 1u64;
    if exponent == -1023 {
        (first, exponent) = (0, if mantissa == 0 { 0 } else { -1022 });
    }
    let digits = match decimals.filter(|decimals| *decimals < 13) {
        Some(decimals) => {
            let cut = 52 - 4 * decimals as u32;
            let half = 1u64 << (cut - 1);
            let whole = (first << 52) | mantissa;
            let odd = whole >> cut & 1;
            let rounded = (whole + half - 1 + odd) >> cut;
            first = rounded >> (4 * decimals);
            mantissa = rounded & ((1 << (4 * decimals)) - 1);
            if decimals == 0 { String::new() } else { format!("{mantissa:0decimals$x}") }
        }
        None => {
            let digits = format!("{mantissa:013x}");
            match decimals {
                Some(decimals) => format!("{digits:0<decimals$}"),
                None => digits.trim_end_matches('0').to_owned(),
            }
        }
    };
    let point = if digits.is_empty() { "" } else { "." };
    format!("0x{first}{point}{digits}p{exponent:+}")
}

fn unsigned(spec: &Spec, prefix: &str, digits: String) -> String {
    let signless = Spec { plus: false, space: false, precision: spec.precision, ..*spec };
    numeric(&signless, false, prefix, digits, spec.precision.is_none())
}

/// Sign, prefix and digits at the width; zeros stand behind the sign.
fn numeric(spec: &Spec, negative: bool, prefix: &str, digits: String, zeros_allowed: bool) -> String {
    let digits = if spec.grouped { grouped(&digits) } else { digits };
    let sign = match negative {
        true => "-",
        false if spec.plus => "+",
        false if spec.space => " ",
        false => "",
    };
    let taken = sign.len() + prefix.len() + digits.chars().count();
    if spec.zeros && !spec.left && zeros_allowed && taken < spec.width {
        return format!("{sign}{prefix}{}{digits}", "0".repeat(spec.width - taken));
    }
    padded(spec, format!("{sign}{prefix}{digits}"))
}

fn padded(spec: &Spec, text: String) -> String {
    let width = spec.width;
    if spec.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}
