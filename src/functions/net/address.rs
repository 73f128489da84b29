//! IPv4 and IPv6 addresses with an optional prefix, and sets of their ranges.
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<Bits> {
    pub bits: Bits,
    pub prefix: u8,
}

pub type V4 = Address<u32>;
pub type V6 = Address<u128>;

/// The bits of an address that lie above the last 32 when it stands for an IPv4 address.
const MAPPED: u128 = 0xffff_0000_0000;

fn halves(text: &str) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == b'/') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// Four numbers up to 255 between dots, as the standard library reads them: no zero leads a number.
fn quad(text: &str) -> Option<u32> {
    let (mut bits, mut dots, mut number, mut digits) = (0u32, 0, 0u32, 0);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits == 0 || number > 0 => {
                number = number * 10 + u32::from(byte - b'0');
                digits += 1;
                if number > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                bits = bits << 8 | number;
                dots += 1;
                (number, digits) = (0, 0);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(bits << 8 | number)
}

/// What [`quad`] makes of a text of 8 to 15 bytes that is nothing but four numbers, without a branch for each byte;
/// none for any other text.
fn short_quad(text: &[u8]) -> Option<u32> {
    const ONES: u128 = u128::MAX / 255;
    const LOW: u128 = ONES * 0x7f;
    let length = text.len();
    let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) else { return None };
    if length > 15 {
        return None;
    }
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    let bytes = u128::from(first) | u128::from(last) << (8 * (length - 8));
    // Digits become their values, a dot 0x1e, and what lies behind the text is a digit.
    let values = (bytes ^ (ONES * 0x30)) & (u128::MAX >> (8 * (16 - length)));
    let others = (((values & LOW) + ONES * 0x76) | values) & !LOW;
    let turned = values ^ (ONES * 0x1e);
    let dots = !(((turned & LOW) + LOW) | turned | LOW);
    if others != dots || dots.count_ones() != 3 {
        return None;
    }
    let (mut bits, mut start, mut left, mut wrong) = (0u32, 0, dots, false);
    for _ in 0..4 {
        let end = if left == 0 { length } else { left.trailing_zeros() as usize / 8 };
        left &= left.wrapping_sub(1);
        let digits = end.wrapping_sub(start);
        wrong |= !(1..=3).contains(&digits);
        // Three digits, zeros in front.
        let three = ((values >> (8 * start)) as u32) << (8 * (4 - digits.clamp(1, 3))) >> 8;
        let number = (three & 0xff) * 100 + (three >> 8 & 0xff) * 10 + (three >> 16);
        let leading_zero = digits > 1 && (values >> (8 * start)) as u8 == 0;
        wrong |= number > 255 || leading_zero;
        bits = bits << 8 | (number & 0xff);
        start = end + 1;
    }
    (!wrong).then_some(bits)
}

/// A prefix of digits alone, within `most`.
fn prefix(digits: &str, most: u8) -> Option<u8> {
    let plain = digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|prefix| plain && *prefix <= most)
}

impl V4 {
    #[inline]
    pub fn parse(text: &str) -> Option<V4> {
        if let Some(bits) = short_quad(text.as_bytes()) {
            return Some(V4 { bits, prefix: 32 });
        }
        Self::parse_any(text)
    }

    /// Of any length, with a prefix too.
    fn parse_any(text: &str) -> Option<V4> {
        let (address, suffix) = halves(text);
        let bits = quad(address)?;
        let prefix = suffix.map_or(Some(32), |digits| prefix(digits, 32))?;
        Some(V4 { bits, prefix })
    }

    /// The same address with at most so many bits that count; none beyond 0 to 32.
    pub fn within(self, prefix: i64) -> Option<V4> {
        let prefix = u8::try_from(prefix).ok().filter(|p| *p <= 32)?;
        Some(V4 { prefix: self.prefix.min(prefix), ..self })
    }

    pub fn mask(prefix: u8) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
    }

    /// The bits that count.
    pub fn network(self) -> u32 {
        self.bits & V4::mask(self.prefix)
    }

    /// The first and the last address of the range.
    pub fn range(self) -> (u32, u32) {
        (self.network(), self.bits | !V4::mask(self.prefix))
    }
}

impl V6 {
    /// An IPv4 address, plain or behind `::`, is read as the IPv6 address that stands for it.
    pub fn parse(text: &str) -> Option<V6> {
        let (address, suffix) = halves(text);
        let (bits, dotted) = match address.parse::<Ipv4Addr>() {
            Ok(v4) => (MAPPED | u128::from(v4.to_bits()), true),
            Err(_) => {
                let bits = address.parse::<Ipv6Addr>().ok()?.to_bits();
                let dotted = address.contains('.') && matches!(bits >> 32, 0 | 0xffff);
                (if dotted { bits | MAPPED } else { bits }, dotted)
            }
        };
        let prefix = match suffix {
            Some(digits) if dotted => 96 + prefix(digits, 32)?,
            Some(digits) => prefix(digits, 128)?,
            None => 128,
        };
        Some(V6 { bits, prefix })
    }

    pub fn within(self, prefix: i64) -> Option<V6> {
        let prefix = u8::try_from(prefix).ok().filter(|p| *p <= 128)?;
        Some(V6 { prefix: self.prefix.min(prefix), ..self })
    }

    pub fn mask(prefix: u8) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
    }

    pub fn network(self) -> u128 {
        self.bits & V6::mask(self.prefix)
    }

    pub fn range(self) -> (u128, u128) {
        (self.network(), self.bits | !V6::mask(self.prefix))
    }

    /// All eight groups with all their digits.
    pub fn canonical(self) -> String {
        let groups = Ipv6Addr::from_bits(self.network()).segments();
        groups.map(|group| format!("{group:04x}")).join(":")
    }
}

/// Ranges of addresses, sorted and without overlaps, so that a look-up halves its way.
#[derive(Debug)]
pub struct Ranges<Bits> {
    ranges: Vec<(Bits, Bits)>,
    /// Ranges were given, and none of them could be read.
    unreadable: bool,
}

impl<Bits: Copy + Ord> Ranges<Bits> {
    /// Of texts that `parse` reads; the others are left out.
    pub fn new(texts: &[String], parse: impl Fn(&str) -> Option<(Bits, Bits)>) -> Self {
        let mut read: Vec<(Bits, Bits)> = texts.iter().filter_map(|text| parse(text)).collect();
        read.sort_unstable();
        let mut ranges: Vec<(Bits, Bits)> = Vec::with_capacity(read.len());
        for (low, high) in read {
            match ranges.last_mut() {
                Some(last) if low <= last.1 => last.1 = last.1.max(high),
                _ => ranges.push((low, high)),
            }
        }
        Ranges { unreadable: ranges.is_empty() && !texts.is_empty(), ranges }
    }

    pub fn into_parts(self) -> (Vec<(Bits, Bits)>, bool) {
        (self.ranges, self.unreadable)
    }

    /// Whether an address lies in any of them; none where no range could be read.
    pub fn contain(&self, address: Bits) -> Option<bool> {
        if self.unreadable {
            return None;
        }
        let after = self.ranges.partition_point(|(low, _)| *low <= address);
        Some(after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, high)| address <= *high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        assert_eq!(V4::parse("192.168.1.1/24").map(V4::network), Some(0xc0a8_0100));
        assert_eq!(V4::parse("255.255.255.255/0").map(V4::range), Some((0, u32::MAX)));
        for wrong in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "1.2.3.256", " 1.2.3.4", "::1"] {
            assert_eq!(V4::parse(wrong), None, "{wrong}");
        }
        let canonical = |text| V6::parse(text).map(V6::canonical).unwrap_or_default();
        assert_eq!(canonical("192.168.255.255/24"), "0000:0000:0000:0000:0000:ffff:c0a8:ff00");
        assert_eq!(canonical("::192.168.255.255/24"), "0000:0000:0000:0000:0000:ffff:c0a8:ff00");
        assert_eq!(canonical("fe80::85d:e82c:9446:7994/120"), "fe80:0000:0000:0000:085d:e82c:9446:7900");
        assert_eq!(canonical("fe80::1/129"), "");
    }

    #[test]
    fn ranges_merge() {
        let texts = ["10.0.0.0/8", "10.1.0.0/16", "x", "192.168.1.1"].map(String::from);
        let ranges = Ranges::new(&texts, |text| V4::parse(text).map(V4::range));
        let held = |text| V4::parse(text).and_then(|v4| ranges.contain(v4.bits));
        assert_eq!(held("10.255.255.255"), Some(true));
        assert_eq!(held("11.0.0.0"), Some(false));
        assert_eq!(held("192.168.1.1"), Some(true));
        assert_eq!(held("0.0.0.0"), Some(false));
        assert_eq!(Ranges::<u32>::new(&[], |_| None).contain(1), Some(false));
        assert_eq!(Ranges::<u32>::new(&["x".into()], |_| None).contain(1), None);
    }

    proptest::proptest! {
        #[test]
        fn addresses_are_read_as_the_standard_library_reads_them(text in r"[0-9./:é]{0,16}", parts: [u16; 4]) {
            let written = [parts.map(|p| (p % 300).to_string()), parts.map(|p| format!("{:02}", p % 90))];
            for text in [text].into_iter().chain(written.map(|parts| parts.join("."))) {
                let known = text.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
                proptest::prop_assert_eq!(quad(&text), known);
                let short = known.filter(|_| text.len() >= 8);
                proptest::prop_assert_eq!(short_quad(text.as_bytes()), short, "{}", text);
            }
        }
    }
}
