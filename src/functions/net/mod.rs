//! Functions over IP addresses and their ranges.
mod address;
mod text;

pub use text::{COLUMNS as TEXT_COLUMNS, ROWS as TEXT_ROWS};

use super::row::{Any, JsonOut, Long, Maybe, Output, Str, each, spread, text_of};
use super::{Context, kept};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Dynamic, Kind, Value, json};
use address::{Ranges, V4, V6};
use std::cmp::Ordering;
use std::net::Ipv4Addr;

/// How two addresses compare in the bits that count for both.
fn compare_v4(left: &str, right: &str, prefix: Option<i64>) -> Option<Ordering> {
    compared_v4(left, V4::parse(right)?, prefix)
}

fn compared_v4(left: &str, right: V4, prefix: Option<i64>) -> Option<Ordering> {
    let left = V4::parse(left)?;
    let common = left.within(prefix.unwrap_or(32))?.prefix.min(right.prefix);
    Some((left.bits & V4::mask(common)).cmp(&(right.bits & V4::mask(common))))
}

/// Of two IPv4 addresses a prefix of up to 32 means their own bits.
fn compare_v6(left: &str, right: &str, prefix: Option<i64>) -> Option<Ordering> {
    let both_v4 = !left.contains(':') && !right.contains(':');
    let prefix = prefix.unwrap_or(128);
    let prefix = if both_v4 && (0..=32).contains(&prefix) { prefix + 96 } else { prefix };
    let (left, right) = (V6::parse(left)?, V6::parse(right)?);
    let common = left.within(prefix)?.prefix.min(right.prefix);
    Some((left.bits & V6::mask(common)).cmp(&(right.bits & V6::mask(common))))
}

/// A bool for each row's address beside what its second argument is read as: once where that is constant.
fn beside<R: Copy>(
    args: &[Column],
    rows: usize,
    read: impl Fn(&str) -> Option<R>,
    holds: impl Fn(&str, R, usize) -> Option<bool>,
) -> Result<Column> {
    let (address, other) = super::operators::pair(args)?;
    let constant = args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let known = other.is_const().then(|| read(other.text(0)?)).flatten();
    let read = |row: usize| if other.is_const() { known } else { read(other.text(row)?) };
    let found = bool::collect(args, count, |row| holds(address.text(row)?, read(row)?, row));
    Ok(spread(found, constant, rows))
}

fn is_match_v4(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let prefix = |row: usize| args.get(2).and_then(|prefix| prefix.value(row).as_long());
    beside(args, rows, V4::parse, |left, right, row| Some(compared_v4(left, right, prefix(row))?.is_eq()))
}

fn is_in_range_v4(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let range = |text: &str| V4::parse(text).map(V4::range);
    beside(args, rows, range, |address, (low, high), _| Some((low..=high).contains(&V4::parse(address)?.network())))
}

fn is_in_range_v6(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let range = |text: &str| V6::parse(text).map(V6::range);
    beside(args, rows, range, |address, (low, high), _| Some((low..=high).contains(&V6::parse(address)?.network())))
}

/// The ranges of a row: of every argument after the first, arrays opened.
fn range_texts(args: &[Column], row: usize) -> Vec<String> {
    let ranges = args.iter().skip(1);
    let texts = ranges.map(|column| match Dynamic::of(column, row).and_then(Dynamic::texts) {
        Some(texts) => texts,
        None => vec![text_of(column, row).into_owned()],
    });
    texts.flatten().collect()
}

/// Whether the address of a row lies in any of the ranges, which are prepared once where they are constant.
fn in_any<Bits: Copy + Ord + Into<u128> + Send + Sync + 'static>(
    what: &'static str,
    context: &Context,
    args: &[Column],
    rows: usize,
    address: impl Fn(&str) -> Option<Bits>,
    range: impl Fn(&str) -> Option<(Bits, Bits)>,
) -> Result<Column> {
    let column = args.first().ok_or_else(|| Fault::internal("a look-up without an address"))?;
    let missing = |row| args.get(1).is_some_and(|c| c.kind() == Kind::Dynamic && c.is_null(row));
    if let Some(Column::Const(list, _)) = args.get(1)
        && let Some(name) = kept::name_of(list)
    {
        let list = context.lists.as_ref().and_then(|lists| lists.get(name));
        let list = list.ok_or_else(|| Fault::internal("a list that was kept is gone"))?;
        return each(Kind::Bool, args, rows, |row, out| {
            match address(&text_of(column, row)).and_then(|address| list.covers(address.into())) {
                Some(found) => out.push_bool(found),
                None => out.push_null(),
            }
            Ok(())
        });
    }
    let constant = args.iter().skip(1).all(Column::is_const);
    let prepare = |row| Ranges::new(&range_texts(args, row), &range);
    let prepared = match constant && rows > 0 {
        true => {
            let key = args.iter().skip(1).map(|c| text_of(c, 0)).collect::<Vec<_>>().join("\n");
            Some(context.prepared(what, &key, || Ok::<_, Fault>(prepare(0)))?)
        }
        false => None,
    };
    each(Kind::Bool, args, rows, |row, out| {
        let found = address(&text_of(column, row)).filter(|_| !missing(row)).and_then(|address| match &prepared {
            Some(ranges) => ranges.contain(address),
            None => prepare(row).contain(address),
        });
        match found {
            Some(found) => out.push_bool(found),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// The ranges that texts state, sorted and without overlaps, and whether there are texts but no range among them.
pub(super) fn ranges(texts: &[String], v4: bool) -> (Vec<(u128, u128)>, bool) {
    let wide = |(low, high): (u32, u32)| (u128::from(low), u128::from(high));
    match v4 {
        true => Ranges::new(texts, |text| V4::parse(text).map(|v4| wide(v4.range()))).into_parts(),
        false => Ranges::new(texts, |text| V6::parse(text).map(V6::range)).into_parts(),
    }
}

fn in_any_v4(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let address = |text: &str| V4::parse(text).map(V4::network);
    in_any("ipv4 ranges", context, args, rows, address, |text| V4::parse(text).map(V4::range))
}

fn in_any_v6(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let address = |text: &str| V6::parse(text).map(V6::network);
    in_any("ipv6 ranges", context, args, rows, address, |text| V6::parse(text).map(V6::range))
}

/// The address of a text or of a number, with no more bits than `prefix`.
fn formatted(value: &Value, prefix: Option<i64>) -> Option<V4> {
    let address = match value.as_long() {
        Some(long) => V4 { bits: u32::try_from(long).ok()?, prefix: 32 },
        None => V4::parse(&value.to_text())?,
    };
    address.within(prefix.unwrap_or(32))
}

fn is_private(address: V4) -> bool {
    Ipv4Addr::from_bits(address.network()).is_private()
}

fn cidr_list(start: &str, end: &str) -> Option<String> {
    let address = |text: &str| V4::parse(text).map(|v4| Ipv4Addr::from_bits(v4.bits));
    let (start, end) = (address(start)?, address(end)?);
    let mut writer = json::Writer::default();
    writer.begin_array();
    for network in ipnet::Ipv4Subnets::new(start, end, 0).filter(|_| start <= end) {
        writer.string(&network.to_string());
    }
    writer.end_array();
    Some(writer.finish())
}

crate::scalars! {
    /// How two IPv4 addresses compare in the bits of the shortest prefix: -1, 0 or 1.
    ///
    /// Prefixes stand in the addresses (`10.1.2.3/24`) or are given as the third argument, 0 to 32. Null where
    /// an address cannot be read.
    ///
    /// Source: ipv4-compare-function.
    ///
    /// ```kql
    /// ipv4_compare("192.168.1.1/24", "192.168.1.255") // 0
    /// ipv4_compare("192.168.1.1", "192.168.1.255") // -1
    /// ipv4_compare("192.168.1.1", "192.168.1.255", 24) // 0
    /// ipv4_compare("x", "192.168.1.255") // null
    /// ```
    kql fn ipv4_compare(left: Str, right: Str, prefix: Maybe<Long>) -> Option<i64> {
        compare_v4(left, right, prefix).map(|o| o as i64)
    }

    /// Whether an IPv4 address, or the network of its prefix, is private: 10/8, 172.16/12 or 192.168/16.
    ///
    /// Source: ipv4-is-private-function.
    ///
    /// ```kql
    /// ipv4_is_private("192.168.1.1/24") // true
    /// ipv4_is_private("127.0.0.1") // false
    /// ipv4_is_private("x") // null
    /// ```
    kql fn ipv4_is_private(address: Str) -> Option<bool> { V4::parse(address).map(is_private) }

    /// The length of an address's prefix; 32 where it has none.
    ///
    /// Source: ipv4-netmask-suffix-function.
    ///
    /// ```kql
    /// ipv4_netmask_suffix("192.168.1.1/24") // 24
    /// ipv4_netmask_suffix("10.1.2.3") // 32
    /// ```
    kql fn ipv4_netmask_suffix(address: Str) -> Option<i64> { V4::parse(address).map(|v4| i64::from(v4.prefix)) }

    /// The fewest ranges that hold the addresses from one to another.
    ///
    /// Source: ipv4-range-to-cidr-list-function.
    ///
    /// ```kql
    /// ipv4_range_to_cidr_list("1.1.128.0", "1.1.140.255") // ["1.1.128.0/21","1.1.136.0/22","1.1.140.0/24"]
    /// ```
    kql fn ipv4_range_to_cidr_list(start: Str, end: Str) -> Option<JsonOut> { cidr_list(start, end).map(JsonOut) }

    /// An IPv4 address as a number, the bits beyond its prefix 0.
    ///
    /// Source: parse-ipv4-function.
    ///
    /// ```kql
    /// parse_ipv4("192.168.1.1") // 3232235777
    /// parse_ipv4("192.168.1.1/24") // 3232235776
    /// parse_ipv4("x") // null
    /// ```
    kql fn parse_ipv4(address: Str) -> Option<i64> { V4::parse(address).map(|v4| i64::from(v4.network())) }

    /// An IPv4 address as a number, the bits beyond a prefix (and its own) 0.
    ///
    /// Source: parse-ipv4-mask-function.
    ///
    /// ```kql
    /// parse_ipv4_mask("127.0.0.1", 24) // 2130706432
    /// parse_ipv4_mask("127.0.0.1", 33) // null
    /// ```
    kql fn parse_ipv4_mask(address: Str, prefix: Long) -> Option<i64> {
        V4::parse(address).and_then(|v4| v4.within(prefix)).map(|v4| i64::from(v4.network()))
    }

    /// An IPv6 or IPv4 address with all eight groups, the bits beyond its prefix 0; empty where it cannot be read.
    ///
    /// Source: parse-ipv6-function.
    ///
    /// ```kql
    /// parse_ipv6("192.168.255.255/24") // 0000:0000:0000:0000:0000:ffff:c0a8:ff00
    /// parse_ipv6("fe80::85d:e82c:9446:7994") // fe80:0000:0000:0000:085d:e82c:9446:7994
    /// ```
    kql fn parse_ipv6(address: Str) -> Option<String> { V6::parse(address).map(V6::canonical) }

    /// An IPv6 or IPv4 address with all eight groups, the bits beyond a prefix (and its own) 0.
    ///
    /// Source: parse-ipv6-mask-function.
    ///
    /// ```kql
    /// parse_ipv6_mask("fe80::85d:e82c:9446:7994", 120) // fe80:0000:0000:0000:085d:e82c:9446:7900
    /// parse_ipv6_mask("192.168.255.255", 120) // 0000:0000:0000:0000:0000:ffff:c0a8:ff00
    /// ```
    kql fn parse_ipv6_mask(address: Str, prefix: Long) -> Option<String> {
        V6::parse(address).and_then(|v6| v6.within(prefix)).map(V6::canonical)
    }

    /// How two IPv6 or IPv4 addresses compare in the bits of the shortest prefix: -1, 0 or 1.
    ///
    /// Source: ipv6-compare-function.
    ///
    /// ```kql
    /// ipv6_compare("192.168.1.1", "::ffff:c0a8:0101") // 0
    /// ipv6_compare("fe80::1", "fe80::2") // -1
    /// ipv6_compare("fe80::1/120", "fe80::2") // 0
    /// ```
    kql fn ipv6_compare(left: Str, right: Str, prefix: Maybe<Long>) -> Option<i64> {
        compare_v6(left, right, prefix).map(|o| o as i64)
    }

    /// Whether two IPv6 or IPv4 addresses are equal in the bits of the shortest prefix.
    ///
    /// Source: ipv6-is-match-function.
    ///
    /// ```kql
    /// ipv6_is_match("192.168.1.1/24", "::ffff:c0a8:01ff") // true
    /// ipv6_is_match("fe80::85d:e82c:9446:7994", "fe80::85d:e82c:9446:7998") // false
    /// ```
    kql fn ipv6_is_match(left: Str, right: Str, prefix: Maybe<Long>) -> Option<bool> {
        compare_v6(left, right, prefix).map(Ordering::is_eq)
    }

    /// An IPv4 address, given as text or number, with the bits beyond a prefix 0; empty where it cannot be read.
    ///
    /// Source: format-ipv4-function.
    ///
    /// ```kql
    /// format_ipv4("192.168.1.1", 24) // 192.168.1.0
    /// format_ipv4(3232236034) // 192.168.2.2
    /// format_ipv4("192.168.1.1/24", -1) //
    /// ```
    kql fn format_ipv4(address: Any, prefix: Maybe<Long>) -> Option<String> {
        formatted(&address, prefix).map(|v4| Ipv4Addr::from_bits(v4.network()).to_string())
    }

    /// An IPv4 address, given as text or number, with its prefix; empty where it cannot be read.
    ///
    /// Source: format-ipv4-mask-function.
    ///
    /// ```kql
    /// format_ipv4_mask("192.168.1.1", 24) // 192.168.1.0/24
    /// format_ipv4_mask("192.168.1.1/24", 32) // 192.168.1.0/24
    /// ```
    kql fn format_ipv4_mask(address: Any, prefix: Maybe<Long>) -> Option<String> {
        formatted(&address, prefix).map(|v4| format!("{}/{}", Ipv4Addr::from_bits(v4.network()), v4.prefix))
    }
}

crate::kernels! {
    /// Whether two IPv4 addresses are equal in the bits of the shortest prefix.
    ///
    /// Source: ipv4-is-match-function.
    ///
    /// ```kql
    /// ipv4_is_match("192.168.1.1/24", "192.168.1.255") // true
    /// ipv4_is_match("192.168.1.1", "192.168.1.0", 32) // false
    /// ipv4_is_match("", "192.168.1.0") // null
    /// ```
    kql fn ipv4_is_match (left: String, right: String, prefix[optional]: Long) -> Kind(Kind::Bool) = is_match_v4;

    /// Whether an IPv4 address lies in a range, written as an address with a prefix.
    ///
    /// Source: ipv4-is-in-range-function.
    ///
    /// ```kql
    /// ipv4_is_in_range("192.168.1.6", "192.168.1.1/24") // true
    /// ipv4_is_in_range("192.168.2.6", "192.168.1.1/24") // false
    /// ipv4_is_in_range("192.168.2.6", "x") // null
    /// ```
    kql fn ipv4_is_in_range (address: String, range: String) -> Kind(Kind::Bool) = is_in_range_v4;

    /// Whether an IPv6 or IPv4 address lies in a range, written as an address with a prefix.
    ///
    /// Source: ipv6-is-in-range-function.
    ///
    /// ```kql
    /// ipv6_is_in_range("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd", "a5e:f127:8a9d:146d:e102:b5d3:c755:0000/112") // true
    /// ```
    kql fn ipv6_is_in_range (address: String, range: String) -> Kind(Kind::Bool) = is_in_range_v6;

    /// Whether an IPv4 address lies in any of the ranges of an array.
    ///
    /// Null where the address cannot be read. Ranges that cannot be read are left out; when none can, null.
    ///
    /// Source: ipv4-is-in-any-range-function.
    ///
    /// ```kql
    /// ipv4_is_in_any_range("127.0.0.1", dynamic(["127.0.0.1", "192.168.1.1"])) // true
    /// ipv4_is_in_any_range("10.1.2.3", dynamic([])) // false
    /// ipv4_is_in_any_range("", dynamic(["10.0.0.0/8"])) // null
    /// ```
    kql fn ipv4_is_in_any_range (address: String, ranges: Dynamic) -> Kind(Kind::Bool) = in_any_v4;

    /// Whether an IPv4 address lies in any of several ranges.
    ///
    /// Source: ipv4-is-in-any-range-function.
    ///
    /// ```kql
    /// ipv4_is_in_any_range("192.168.1.6", "192.168.1.1/24", "10.0.0.1/8", "127.1.0.1/16") // true
    /// ```
    kql fn ipv4_is_in_any_range (address: String, range[repeats]: String) -> Kind(Kind::Bool) = in_any_v4;

    /// Whether an IPv6 or IPv4 address lies in any of the ranges of an array.
    ///
    /// Source: ipv6-is-in-any-range-function.
    ///
    /// ```kql
    /// ipv6_is_in_any_range("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd", dynamic(["a5e:f127:8a9d:146d:e102:b5d3:c755:f6cd/112"])) // true
    /// ```
    kql fn ipv6_is_in_any_range (address: String, ranges: Dynamic) -> Kind(Kind::Bool) = in_any_v6;

    /// Whether an IPv6 or IPv4 address lies in any of several ranges.
    ///
    /// Source: ipv6-is-in-any-range-function.
    ///
    /// ```kql
    /// ipv6_is_in_any_range("fe80::1", "fe80::/64", "::1") // true
    /// ```
    kql fn ipv6_is_in_any_range (address: String, range[repeats]: String) -> Kind(Kind::Bool) = in_any_v6;
}
