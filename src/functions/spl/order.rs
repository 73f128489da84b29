//! What fields are sorted by: texts whose characters are in the wanted order. No search can write the names.
use super::each;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number, from_column};
use crate::types::{Column, Field, Kind, Text};
use arrow_array::Float64Array;
use std::net::IpAddr;

/// Bits whose order is the order of reals.
fn rank(real: f64) -> u64 {
    let bits = (real + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number_key(number: Number) -> String {
    // A whole number that no real holds lies between its neighbours: its last digits tell them apart.
    let rest = match number {
        Number::Long(long) if !number.is_exact() => format!("{:016x}", long as u64 ^ 1 << 63),
        _ => String::new(),
    };
    format!("0{:016x}{rest}", rank(number.real()))
}

fn address_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => format!("1{:08x}", u32::from(four)),
        IpAddr::V6(six) => format!("2{:032x}", u128::from(six)),
    }
}

fn text_key(text: &str) -> String {
    format!("3{text}")
}

/// The key of a text: of its number, its address, or itself.
fn automatic_key(text: &str) -> String {
    if let Some(number) = Number::read(text) {
        return number_key(number);
    }
    match address(text) {
        Some(address) => address_key(address),
        None => text_key(text),
    }
}

/// Numbers, or texts that are neither numbers nor addresses: in the order of their keys, and quicker to compare. None
/// where classes are mixed.
fn single_class(column: &Column, numbers: bool, addresses: bool) -> Option<Column> {
    match column {
        Column::Field(Field::Long(_)) if numbers => return Some(column.clone()),
        Column::Field(Field::Real(array)) if numbers && array.iter().flatten().all(f64::is_finite) => {
            return Some(column.clone());
        }
        Column::Text(_, Text::Views(_)) => {}
        _ => return None,
    }
    let first = (0..column.len()).find_map(|row| column.text(row))?;
    let number = |text: &str| Number::read(text).filter(|_| numbers);
    let address = |text: &str| address(text).filter(|_| addresses);
    if number(first).is_some() {
        let read = |row: usize| match column.text(row) {
            Some(text) => number(text).filter(|number| number.is_exact()).map(|number| Some(number.real())),
            None => Some(None),
        };
        let reals = (0..column.len()).map(read).collect::<Option<Float64Array>>()?;
        return Some(Column::Field(Field::Real(reals)));
    }
    let is_plain = |text: &str| number(text).is_none() && address(text).is_none();
    (0..column.len()).all(|row| column.text(row).is_none_or(is_plain)).then(|| from_column(column))
}

/// The address that a text is.
fn address(text: &str) -> Option<IpAddr> {
    let starts_so = text.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':');
    (starts_so && text.len() <= LONGEST_ADDRESS && text.contains(['.', ':'])).then(|| text.parse().ok()).flatten()
}

/// Bytes of the longest text that is an address.
const LONGEST_ADDRESS: usize = 45;

fn keys(column: &Column, args: &[Column], rows: usize, key: fn(&str) -> String) -> Result<Column> {
    each(args, rows, |row, out| {
        match field::text(column, row) {
            Some(text) => out.push_text(&key(&text)),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn ordered(args: &[Column], rows: usize, classes: [bool; 2], key: fn(&str) -> String) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let [numbers, addresses] = classes;
    match single_class(column, numbers, addresses) {
        Some(made) => Ok(made),
        None => keys(column, args, rows, key),
    }
}

fn automatic(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    ordered(args, rows, [true, true], automatic_key)
}

fn by_number(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    ordered(args, rows, [true, false], |text| Number::read(text).map_or_else(|| text_key(text), number_key))
}

fn by_text(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    ordered(args, rows, [false, false], text_key)
}

fn by_address(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    ordered(args, rows, [false, true], |text| text.parse().map_or_else(|_| text_key(text), address_key))
}

crate::kernels! {
    /// The key of the automatic order: numbers by size, then addresses, then other texts by their characters.
    ///
    /// Source: Splunk Search Reference, sort command.
    ///
    /// ```spl
    /// | makeresults | eval v="9" | sort v | table v // 9
    /// ```
    spl fn ".order" (value: Any) -> Kind(Kind::Field) = automatic;

    /// The key of the order of numbers; other texts come after them.
    ///
    /// Source: Splunk Search Reference, sort command.
    ///
    /// ```spl
    /// | makeresults | eval v="9" | sort num(v) | table v // 9
    /// ```
    spl fn ".order_number" (value: Any) -> Kind(Kind::Field) = by_number;

    /// The key of the order of characters.
    ///
    /// Source: Splunk Search Reference, sort command.
    ///
    /// ```spl
    /// | makeresults | eval v="9" | sort str(v) | table v // 9
    /// ```
    spl fn ".order_text" (value: Any) -> Kind(Kind::Field) = by_text;

    /// The key of the order of addresses; other texts come after them.
    ///
    /// Source: Splunk Search Reference, sort command.
    ///
    /// ```spl
    /// | makeresults | eval v="10.0.0.9" | sort ip(v) | table v // 10.0.0.9
    /// ```
    spl fn ".order_address" (value: Any) -> Kind(Kind::Field) = by_address;
}

#[cfg(test)]
mod tests {
    use super::{automatic, automatic_key, by_address, by_number, by_text};
    use crate::functions::Context;
    use crate::functions::compare::total_order;
    use crate::types::field::{FieldBuilder, Number};
    use crate::types::{Column, Value};

    #[test]
    fn columns_of_one_class_are_in_the_order_of_their_keys() {
        let context = Context::new(0, Default::default(), Default::default());
        let parts: [&[&str]; 6] = [
            &["10", "9", "-5", "1e3", "0.5", "9.0", "1000"],
            &["b", "a", "Z", "", "1a", "é", "x.y", "aa:"],
            &["10.0.0.1", "9.0.0.1", "10.0.0.10"],
            &["10", "a", "9.0.0.1", "9", "::1", "b"],
            &["9007199254740993", "9007199254740992", "1"],
            &["nan", "inf", "5"],
        ];
        let mut columns: Vec<Column> = Vec::new();
        for texts in parts {
            let mut builder = FieldBuilder::new(None, texts.len());
            texts.iter().for_each(|text| builder.push_text(text));
            columns.push(builder.finish());
            let mut numbers = FieldBuilder::new(None, texts.len());
            texts.iter().filter_map(|text| Number::read(text)).for_each(|number| numbers.push_number(number));
            columns.push(numbers.finish());
        }
        for kernel in [automatic, by_number, by_text, by_address] {
            for column in &columns {
                let keys = kernel(&context, std::slice::from_ref(column), column.len()).unwrap();
                let slow = |row: usize| {
                    let one = Column::Const(column.value(row), 1);
                    kernel(&context, &[one], 1).unwrap().value(0).to_text()
                };
                for (a, b) in (0..column.len()).flat_map(|a| (0..column.len()).map(move |b| (a, b))) {
                    let quick = match (keys.value(a), keys.value(b)) {
                        (Value::Text(_, a), Value::Text(_, b)) => a.cmp(&b),
                        (a, b) => total_order(&a, &b),
                    };
                    assert_eq!(quick, slow(a).cmp(&slow(b)), "{:?} and {:?}", column.value(a), column.value(b));
                }
            }
        }
    }

    #[test]
    fn the_automatic_order_is_one_of_classes() {
        let sorted = ["-5", "0", "9", "10", "1e3", "9.0.0.1", "10.0.0.1", "::1", "1a", "Z", "a"];
        let keys: Vec<String> = sorted.iter().map(|text| automatic_key(text)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(automatic_key("9007199254740993") > automatic_key("9007199254740992"));
        assert_eq!(automatic_key("1"), automatic_key("1.0"));
    }
}
