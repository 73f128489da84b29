//! IPv4 addresses inside of texts, set off by anything but letters and digits.
use super::range_texts;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::row::{Str, each, text_of};
use crate::types::{Column, Kind};
use std::net::Ipv4Addr;

/// The addresses of a text.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !(c.is_alphanumeric() || c == '.'));
    runs.map(|run| run.trim_matches('.')).filter(|run| run.parse::<Ipv4Addr>().is_ok())
}

fn has_address(text: &str, sought: &str) -> bool {
    sought.parse::<Ipv4Addr>().is_ok() && text.contains(sought) && addresses(text).any(|found| found == sought)
}

/// An address, or one to three of its numbers with a dot behind each.
fn is_prefix(prefix: &str) -> bool {
    let Some(numbers) = prefix.strip_suffix('.') else { return prefix.parse::<Ipv4Addr>().is_ok() };
    let parts = numbers.split('.').count();
    parts <= 3 && format!("{numbers}{}", ".0".repeat(4 - parts)).parse::<Ipv4Addr>().is_ok()
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    if !is_prefix(prefix) || !text.contains(prefix) {
        return false;
    }
    addresses(text).any(|found| if prefix.ends_with('.') { found.starts_with(prefix) } else { found == prefix })
}

fn any(args: &[Column], rows: usize, has: fn(&str, &str) -> bool) -> Result<Column> {
    let text = args.first().ok_or_else(|| Fault::internal("a search without a text"))?;
    let constant = args.iter().skip(1).all(Column::is_const) && rows > 0;
    let known = if constant { range_texts(args, 0) } else { Vec::new() };
    each(Kind::Bool, args, rows, |row, out| {
        let text = text_of(text, row);
        out.push_bool(match constant {
            true => known.iter().any(|sought| has(&text, sought)),
            false => range_texts(args, row).iter().any(|sought| has(&text, sought)),
        });
        Ok(())
    })
}

fn any_address(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    any(args, rows, has_address)
}

fn any_prefix(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    any(args, rows, has_prefix)
}

crate::scalars! {
    /// Whether an IPv4 address stands in a text, set off by anything but letters and digits.
    ///
    /// False for an address that is none.
    ///
    /// Source: has-ipv4-function.
    ///
    /// ```kql
    /// has_ipv4("05:04:54 127.0.0.1 GET /favicon.ico 404", "127.0.0.1") // true
    /// has_ipv4("05:04:54127.0.0.1 GET /favicon.ico 404", "127.0.0.1") // false
    /// has_ipv4("05:04:54 127.0.0.256 GET /favicon.ico 404", "127.0.0.256") // false
    /// ```
    kql fn has_ipv4(text: Str, address: Str) -> bool { has_address(text, address) }

    /// Whether an IPv4 address that starts with a prefix stands in a text.
    ///
    /// A prefix is a whole address, or ends with a dot.
    ///
    /// Source: has-ipv4-prefix-function.
    ///
    /// ```kql
    /// has_ipv4_prefix("05:04:54 127.0.0.1 GET /favicon.ico 404", "127.0.") // true
    /// has_ipv4_prefix("05:04:54 127.0.0.1 GET /favicon.ico 404", "127.0") // false
    /// ```
    kql fn has_ipv4_prefix(text: Str, prefix: Str) -> bool { has_prefix(text, prefix) }
}

crate::kernels! {
    /// Whether any of an array's IPv4 addresses stands in a text.
    ///
    /// Source: has-any-ipv4-function.
    ///
    /// ```kql
    /// has_any_ipv4("05:04:54 127.0.0.1 GET /favicon.ico 404", dynamic(["127.0.0.1", "127.0.0.2"])) // true
    /// ```
    kql fn has_any_ipv4 (text: String, addresses: Dynamic) -> Kind(Kind::Bool) = any_address;

    /// Whether any of several IPv4 addresses stands in a text.
    ///
    /// Source: has-any-ipv4-function.
    ///
    /// ```kql
    /// has_any_ipv4("05:04:54 127.0.0.1 GET /favicon.ico 404", "127.0.0.1", "127.0.0.2") // true
    /// ```
    kql fn has_any_ipv4 (text: String, address[repeats]: String) -> Kind(Kind::Bool) = any_address;

    /// Whether an IPv4 address that starts with any of an array's prefixes stands in a text.
    ///
    /// Source: has-any-ipv4-prefix-function.
    ///
    /// ```kql
    /// has_any_ipv4_prefix("05:04:54 127.0.0.1 GET /favicon.ico 404", dynamic(["127.0.", "192.168."])) // true
    /// ```
    kql fn has_any_ipv4_prefix (text: String, prefixes: Dynamic) -> Kind(Kind::Bool) = any_prefix;

    /// Whether an IPv4 address that starts with any of several prefixes stands in a text.
    ///
    /// Source: has-any-ipv4-prefix-function.
    ///
    /// ```kql
    /// has_any_ipv4_prefix("05:04:54 127.0.0.1 GET /favicon.ico 404", "127.0.", "192.168.") // true
    /// ```
    kql fn has_any_ipv4_prefix (text: String, prefix[repeats]: String) -> Kind(Kind::Bool) = any_prefix;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_set_off() {
        assert!(has_address("from: 192.168.1.1, 10.1.1.115.", "10.1.1.115"));
        assert!(!has_address("1.2.3.4.5", "1.2.3.4"));
        assert!(!has_address("11.2.3.4", "1.2.3.4"));
        assert!(!has_prefix("x 127.0.0.256", "127.0."));
        assert!(!has_prefix("127.0.0.1", "1.2.3.4."));
        assert!(!has_prefix("127.0.0.1", "."));
    }
}
