//! What fields are sorted by: texts whose characters are in the wanted order. No search can write the names.
use super::each;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind};
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
    let like_address = text.contains(['.', ':']);
    match text.parse::<IpAddr>().ok().filter(|_| like_address) {
        Some(address) => address_key(address),
        None => text_key(text),
    }
}

fn keys(args: &[Column], rows: usize, key: fn(&str) -> String) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    each(args, rows, |row, out| {
        match field::text(column, row) {
            Some(text) => out.push_text(&key(&text)),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn automatic(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    keys(args, rows, automatic_key)
}

fn by_number(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    keys(args, rows, |text| Number::read(text).map_or_else(|| text_key(text), number_key))
}

fn by_text(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    keys(args, rows, text_key)
}

fn by_address(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    keys(args, rows, |text| text.parse().map_or_else(|_| text_key(text), address_key))
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
    use super::automatic_key;

    #[test]
    fn the_automatic_order_is_one_of_classes() {
        let sorted = ["-5", "0", "9", "10", "1e3", "9.0.0.1", "10.0.0.1", "::1", "1a", "Z", "a"];
        let keys: Vec<String> = sorted.iter().map(|text| automatic_key(text)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(automatic_key("9007199254740993") > automatic_key("9007199254740992"));
        assert_eq!(automatic_key("1"), automatic_key("1.0"));
    }
}
