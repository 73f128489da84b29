//! Texts of numbers, numbers of texts, masked addresses.
use super::printf::printf;
use super::{each, each_flag, each_number, each_text, is_literal, long_at, map_texts, number_at, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind, json};
use std::net::Ipv4Addr;

/// The greatest whole number that functions of bits and the texts of numbers take.
pub(super) const MOST: i64 = (1 << 53) - 1;

/// The number that a text states in a base: with a point or an exponent only in base 10.
pub(super) fn parsed(text: &str, base: i64) -> Option<Number> {
    if base == 10 {
        return Number::read(text);
    }
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base))?;
    let digits = match base {
        16 => text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text),
        _ => text,
    };
    i64::from_str_radix(digits, base).ok().map(Number::Long)
}

fn number_of(args: &[Column], row: usize) -> Option<Number> {
    let base = match args.get(1) {
        Some(_) => long_at(args, 1, row)?,
        None => 10,
    };
    if base == 10 {
        return number_at(args, 0, row);
    }
    parsed(&text_at(args, 0, row)?, base)
}

fn tonumber(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        match args.first().is_some_and(|column| field::count(column, row) > 1) {
            true => {
                let values = args.first().into_iter().flat_map(|column| field::values(column, row));
                out.push_several(values.filter_map(|text| Some(Number::read(&text)?.text())));
            }
            false => match number_of(args, row) {
                Some(number) => out.push_number(number),
                None => out.push_null(),
            },
        }
        Ok(())
    })
}

fn toint(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let number = number_of(args, row)?;
        number.long().or_else(|| crate::types::number::real_to_long(number.real().floor())).map(Number::Long)
    })
}

fn todouble(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| Some(Number::Real(number_of(args, row)?.real())))
}

fn tobool(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| {
        if let Some(flag) = args.first().and_then(|column| super::operators::flag(column, row)) {
            return Ok(Some(flag));
        }
        Ok(match text_at(args, 0, row).as_deref() {
            Some("true" | "True") => Some(true),
            Some("false" | "False") => Some(false),
            _ => number_at(args, 0, row).map(|number| number.real() != 0.0),
        })
    })
}

fn tostring(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(value) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    if value.kind() == Kind::Bool {
        return each_text(args, rows, |row| {
            let flag = super::operators::flag(value, row);
            Ok(Some(
                match flag {
                    Some(true) => "True",
                    Some(false) => "False",
                    None => "Null",
                }
                .to_owned(),
            ))
        });
    }
    if args.len() == 1 {
        return map_texts(value, args, rows, |_, text, out| {
            out.push_str(text);
            Ok(true)
        });
    }
    map_texts(value, args, rows, |row, text, out| {
        let number = Number::read(text).filter(|_| !is_literal(value));
        let format = text_at(args, 1, row).unwrap_or_default().to_ascii_lowercase();
        match number {
            Some(number) => out.push_str(&formatted(number, &format)),
            None => out.push_str(text),
        }
        Ok(true)
    })
}

/// A number in one of the documented formats; as it is in any other.
fn formatted(number: Number, format: &str) -> String {
    let whole = number.long().filter(|long| (0..=MOST).contains(long));
    match (format, whole) {
        ("hex", Some(long)) => format!("0x{long:X}"),
        ("binary", Some(long)) => format!("{long:b}"),
        ("commas", _) => commas(number),
        ("duration", _) => duration(number),
        _ => number.text(),
    }
}

/// Thousands apart; a fraction is rounded to two decimals.
pub(super) fn commas(number: Number) -> String {
    let plain = match number.long() {
        Some(long) => long.to_string(),
        None => format!("{:.2}", crate::types::number::round(number.real(), 2)),
    };
    grouped(&plain)
}

/// Digits with a comma before every third one of the whole part.
pub(super) fn grouped(plain: &str) -> String {
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// `HH:MM:SS`, with days in front as `D+`, and six decimals where there is a fraction.
pub(super) fn duration(number: Number) -> String {
    let real = number.real();
    if !real.is_finite() {
        return number.text();
    }
    let sign = if real < 0.0 { "-" } else { "" };
    let microseconds = (real.abs() * 1e6).round() as u128;
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let days = match seconds / 86_400 {
        0 => String::new(),
        days => format!("{days}+"),
    };
    let fraction = match fraction {
        0 => String::new(),
        fraction => format!(".{fraction:06}"),
    };
    format!("{sign}{days}{:02}:{:02}:{:02}{fraction}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

fn ipmask(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(address) = args.get(1) else { return Ok(Column::nulls(Kind::Field, rows)) };
    map_texts(address, args, rows, |row, text, out| {
        let mask = text_at(args, 0, row).and_then(|mask| mask.parse::<Ipv4Addr>().ok());
        let masked = mask.zip(text.parse::<Ipv4Addr>().ok()).map(|(mask, address)| mask & address);
        masked.iter().for_each(|masked| out.push_str(&masked.to_string()));
        Ok(masked.is_some())
    })
}

fn printf_texts(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_text(args, rows, |row| Ok(text_at(args, 0, row).and_then(|format| printf(&format, &args[1..], row))))
}

/// A text that is JSON of one sort, without what stands between its parts.
fn json_of(args: &[Column], rows: usize, first: char) -> Result<Column> {
    each_text(args, rows, |row| {
        let text = text_at(args, 0, row);
        let json = text.as_deref().filter(|text| text.trim_start().starts_with(first)).and_then(json::parse_json);
        Ok(json.map(|json| json::standard(&json).into_owned()))
    })
}

fn toobject(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    json_of(args, rows, '{')
}

crate::kernels! {
    /// The number that a text states, in base 10 or the one given, from 2 to 36; no value where it states none.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// tonumber("0A4", 16) // 164
    /// tonumber("0101", 2) // 5
    /// tonumber("1.50") // 1.5
    /// tonumber(" 5 ") //
    /// ```
    spl fn tonumber (text: Any, base[optional]: Any) -> Kind(Kind::Field) = tonumber;

    /// The whole number that a value is, rounded down.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// toint("24") // 24
    /// toint(3.14) // 3
    /// ```
    spl fn toint (value: Any, base[optional]: Any) -> Kind(Kind::Field) = toint;

    /// The number that a value is.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// todouble("16.00") // 16
    /// ```
    spl fn todouble (value: Any, base[optional]: Any) -> Kind(Kind::Field) = todouble;

    /// The condition that a value stands for: `true` and `false`, or a number, of which only 0 is false.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// if(tobool("true"), 1, 2) // 1
    /// if(tobool(0), 1, 2) // 2
    /// ```
    spl fn tobool (value: Any) -> Kind(Kind::Bool) = tobool;

    /// The JSON object that a text is; no value for other texts.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// toobject("{\"a\": 1}") // {"a":1}
    /// ```
    spl fn toobject (value: Any) -> Kind(Kind::Field) = toobject;

    /// The text of a value. Of a number also as `hex`, `binary`, with `commas` (and two decimals where it has a
    /// fraction), or as the `duration` of so many seconds.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// tostring(1 == 1) . " " . tostring(15, "hex") . " " . tostring(12345.6789, "commas") // True 0xF 12,345.68
    /// tostring(9, "binary") // 1001
    /// tostring(615, "duration") // 00:10:15
    /// tostring(90061, "duration") // 1+01:01:01
    /// ```
    spl fn tostring (value: Any, format[optional]: Any) -> Kind(Kind::Field) = tostring;

    /// An address of IPv4 of which a mask leaves some bits.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// ipmask("255.255.255.0", "10.20.30.120") // 10.20.30.0
    /// ipmask("255.0.0.0", "none") //
    /// ```
    spl fn ipmask (mask: Any, address: Any) -> Kind(Kind::Field) = ipmask;

    /// A text of a format and values, as C's `sprintf` makes it: `%d %i %u %o %x %X %p %e %f %g %a %c %s %z %%` with
    /// flags, width and precision, also from arguments (`*`).
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// printf("%d,%i,%d", -2, 4, 30) // -2,4,30
    /// printf("%.2e", 5139) // 5.14e+03
    /// printf("%.2g,%.2g", pi(), 123) // 3.1,1.2e+02
    /// printf("%s%z", "foo", "bar") // foobar
    /// printf("%x,%X,%p", 10, 10, 10) // a,A,A
    /// printf("%'d", 12345) // 12,345
    /// printf("%04d %+d %#x %c,%c", 1, 1, 1, 65, "Foo") // 0001 +1 0x1 A,F
    /// printf("%.*f|%-4d|100%%", 1, 1.23, 7) // 1.2|7   |100%
    /// printf("%.3A", pi()) // 0X1.922P+1
    /// ```
    spl fn printf (format: Any, value[any]: Any) -> Kind(Kind::Field) = printf_texts;
}
