//! Values without wildcards: a text is one of them, the same number, or an address of a network.
use super::memo::passing;
use crate::functions::membership::lengths_in_any_case;
use crate::types::field::Number;
use crate::types::vectors::bits_of;
use crate::types::views::{self, INLINE};
use arrow_array::{Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;

/// The values, prepared.
pub struct Whole {
    /// In lower case where the case does not count.
    texts: HashSet<String>,
    /// A bit for each length that a text may have that is one of them.
    lengths: u64,
    /// The same texts, where they are few and of ASCII.
    few: Option<Few>,
    numbers: Vec<Number>,
    networks: Vec<IpNet>,
    exact_case: bool,
}

/// Up to so many texts are compared with one after the other.
const FEW: usize = 12;

#[derive(Default)]
struct Few {
    short: Vec<Sought>,
    long: Vec<Sought>,
    /// A bit for each length that one of them has in some case, and none in lower case.
    others: u64,
}

/// A text of ASCII.
struct Sought {
    bytes: Vec<u8>,
    /// At each letter the bit that tells its cases apart, where they do not count.
    folds: Vec<u8>,
    /// Both as a view holds them: behind the length all bytes, of a longer text the first four.
    view: u128,
    view_folds: u128,
}

#[inline(always)]
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

impl Whole {
    pub fn new(values: &[&str], exact_case: bool) -> Whole {
        let lower = |value: &&str| if exact_case { (*value).to_owned() } else { value.to_lowercase() };
        let texts: HashSet<String> = values.iter().map(lower).collect();
        let lengths = |text: &String| match exact_case {
            true => bit(text.len()),
            false => lengths_in_any_case(text).fold(0, |all, length| all | bit(length)),
        };
        Whole {
            lengths: texts.iter().map(lengths).fold(0, |all, lengths| all | lengths),
            few: Few::of(&texts, exact_case),
            numbers: values.iter().filter_map(|value| Number::read(value)).collect(),
            networks: values.iter().filter_map(|value| network(value)).collect(),
            texts,
            exact_case,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn takes(&self, text: &str) -> bool {
        self.has(text) || self.takes_number(text) || self.takes_address(text)
    }

    fn has(&self, text: &str) -> bool {
        if self.lengths & bit(text.len()) == 0 {
            return false;
        }
        match &self.few {
            Some(few) if few.have(text.as_bytes()) => true,
            Some(few) if few.others & bit(text.len()) == 0 || text.is_ascii() => false,
            _ if self.exact_case => self.texts.contains(text),
            _ => self.texts.contains(&text.to_lowercase()),
        }
    }

    fn takes_number(&self, text: &str) -> bool {
        !self.numbers.is_empty() && Number::read(text).is_some_and(|number| self.has_number(number))
    }

    fn has_number(&self, number: Number) -> bool {
        self.numbers.iter().any(|own| same(*own, number))
    }

    fn takes_address(&self, text: &str) -> bool {
        let within = |address: IpAddr| self.networks.iter().any(|network| network.contains(&address));
        !self.networks.is_empty() && text.parse().is_ok_and(within)
    }

    /// Whether a number is taken as its text would be; none where the text must be looked at.
    pub fn takes_as_number(&self, number: Number) -> Option<bool> {
        (number.real().abs() < EXACT).then(|| self.has_number(number))
    }

    /// The rows whose text is taken.
    pub fn taken(&self, views: &StringViewArray) -> BooleanBuffer {
        let takes = |text: &str| self.takes(text);
        let Some(few) = self.few.as_ref().filter(|_| self.networks.is_empty()) else {
            return passing(views, None, takes);
        };
        let raw = views.views();
        let mut found = few.short_in(raw);
        if !few.long.is_empty() {
            found = &found | &few.long_in(raw, views.data_buffers());
        }
        if !self.numbers.is_empty() {
            let read = |text: &str| self.takes_number(text);
            found = &found | &passing(views, Some(&bits_of(raw, may_be_number)), read);
        }
        if few.others != 0 {
            found = &found | &passing(views, Some(&bits_of(raw, |view| few.may_be_other(view))), takes);
        }
        views.nulls().map_or(found.clone(), |nulls| &found & nulls.inner())
    }
}

/// Whether the text of a view begins as a number does.
#[inline(always)]
fn may_be_number(view: u128) -> bool {
    matches!((view >> 32) as u8, b'0'..=b'9' | b'+' | b'-' | b'.') && views::length(view) > 0
}

impl Few {
    fn of(texts: &HashSet<String>, exact_case: bool) -> Option<Few> {
        if texts.len() > FEW || !texts.iter().all(|text| text.is_ascii()) {
            return None;
        }
        let mut few = Few::default();
        for text in texts {
            let sought = Sought::new(text, exact_case);
            if text.len() <= INLINE {
                few.short.push(sought)
            } else {
                few.long.push(sought)
            }
            if !exact_case {
                few.others |= lengths_in_any_case(text).skip(1).fold(0, |all, length| all | bit(length));
            }
        }
        Some(few)
    }

    fn have(&self, bytes: &[u8]) -> bool {
        self.short.iter().chain(&self.long).any(|sought| sought.equals(bytes))
    }

    fn short_in(&self, views: &[u128]) -> BooleanBuffer {
        match self.short.as_slice() {
            [] => BooleanBuffer::new_unset(views.len()),
            [Sought { view: own, view_folds, .. }] => bits_of(views, |view| view | view_folds == *own),
            several => bits_of(views, |view| several.iter().any(|sought| view | sought.view_folds == sought.view)),
        }
    }

    fn long_in(&self, views: &[u128], buffers: &[Buffer]) -> BooleanBuffer {
        let is_likely =
            |view: u128| self.long.iter().any(|sought| (view | sought.view_folds) as u64 == sought.view as u64);
        let likely = bits_of(views, is_likely);
        let mut found = BooleanBufferBuilder::new(views.len());
        found.append_n(views.len(), false);
        for row in likely.set_indices() {
            let bytes = views::bytes(views[row], buffers);
            found.set_bit(row, self.long.iter().any(|sought| sought.equals(bytes)));
        }
        found.finish()
    }

    /// Whether a view's text may be one of the texts in a case that has another length: it is beyond ASCII then.
    #[inline(always)]
    fn may_be_other(&self, view: u128) -> bool {
        const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080 << 32;
        let length = views::length(view);
        self.others & bit(length) != 0 && (length > INLINE || view & HIGH != 0)
    }
}

impl Sought {
    /// `text` is in lower case where the case does not count.
    fn new(text: &str, exact_case: bool) -> Sought {
        let bytes = text.as_bytes().to_vec();
        let fold = |byte: &u8| if byte.is_ascii_lowercase() && !exact_case { 0x20 } else { 0 };
        let folds: Vec<u8> = bytes.iter().map(fold).collect();
        let held = if bytes.len() <= INLINE { bytes.len() } else { 4 };
        let as_view = |length: u32, bytes: &[u8]| {
            let mut raw = [0u8; 16];
            raw[..4].copy_from_slice(&length.to_le_bytes());
            raw.iter_mut().skip(4).zip(bytes.iter().take(held)).for_each(|(into, byte)| *into = *byte);
            u128::from_le_bytes(raw)
        };
        Sought { view: as_view(bytes.len() as u32, &bytes), view_folds: as_view(0, &folds), bytes, folds }
    }

    #[inline]
    fn equals(&self, bytes: &[u8]) -> bool {
        if bytes.len() != self.bytes.len() {
            return false;
        }
        // By eights, the last of which overlap those before.
        let eight =
            |of: &[u8], at: usize| of.get(at..).and_then(<[u8]>::first_chunk).map(|eight| u64::from_le_bytes(*eight));
        let same = |at: usize| {
            eight(bytes, at).zip(eight(&self.folds, at)).map(|(own, folds)| own | folds) == eight(&self.bytes, at)
        };
        match bytes.len().checked_sub(8) {
            Some(last) => (0..last).step_by(8).all(same) && same(last),
            None => bytes.iter().zip(&self.folds).zip(&self.bytes).all(|((own, fold), byte)| own | fold == *byte),
        }
    }
}

const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether two numbers are equal beyond doubt: those of more digits than a real holds are told apart by their text.
fn same(a: Number, b: Number) -> bool {
    let whole = matches!((a, b), (Number::Long(_), Number::Long(_)));
    a.order(b).is_some_and(|order| order.is_eq()) && (whole || a.real().abs() < EXACT)
}

/// A network, as an address and a length behind a slash.
fn network(value: &str) -> Option<IpNet> {
    value.contains('/').then(|| value.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_taken_as_their_texts_are() {
        let texts = [
            "blocked",
            "BLOCKED",
            "Bloc\u{212a}ed",
            "blockee",
            "",
            "x",
            "block",
            "404",
            "404.0",
            "0404",
            "4040",
            "+404",
            "zscalernss-web",
            "ZScalerNSS-Web",
            "zscalernss-wea",
            "zscalernss-webs",
            "\u{212a}",
            "k",
            "K",
            "straße",
            "{",
            "[",
            "a longer text than any",
            "A LONGER TEXT than any",
            "a longer text than anz",
            "1e2",
            "100",
        ];
        let rows: Vec<Option<&str>> = texts.iter().map(|text| Some(*text)).chain([None]).collect();
        let views = StringViewArray::from_iter(rows.iter().copied());
        let sets: [&[&str]; 8] = [
            &["Blocked"],
            &["zscalernss-WEB"],
            &["404"],
            &["k", "x", "A longer text than ANY", "[", ""],
            &["straße", "100"],
            &["STRASSE"],
            &["10.0.0.0/8", "x"],
            &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "blocked"],
        ];
        for values in sets {
            for exact_case in [false, true] {
                let whole = Whole::new(values, exact_case);
                let plain = |text: &str| {
                    let equal = |value: &&str| match exact_case {
                        true => *value == text,
                        false => value.to_lowercase() == text.to_lowercase(),
                    };
                    let numbers =
                        |value: &&str| Number::read(value).zip(Number::read(text)).is_some_and(|(a, b)| same(a, b));
                    values.iter().any(equal) || values.iter().any(numbers)
                };
                let found = whole.taken(&views);
                for (row, text) in rows.iter().enumerate() {
                    let expected = text.is_some_and(plain);
                    assert_eq!(found.value(row), expected, "{text:?} in {values:?}, exact {exact_case}");
                    assert_eq!(text.is_some_and(|text| whole.takes(text)), expected, "{text:?} in {values:?}");
                }
            }
        }
    }
}
