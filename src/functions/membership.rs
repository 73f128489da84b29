//! Membership in lists: `in`, `!in` and their kin whatever the case.
use super::compare::View;
use super::operators::{fold_case, pair, text_predicate};
use super::{Context, kept};
use crate::diagnostic::{Fault, Result};
use crate::types::vectors::{bits_among, bits_of};
use crate::types::{Column, Dynamic, Kind, Text, Value};
use arrow_array::{Array, BooleanArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use std::sync::Arc;

/// The values of a membership list, by the kind of what is looked for.
enum Members {
    Texts(Texts),
    /// In lower case.
    Folded(Texts),
    Longs(Longs),
    /// Bits of reals.
    Reals(HashSet<u64>),
    /// Canonical JSON.
    Dynamics(HashSet<String>),
}

type HashSet<T> = hashbrown::HashSet<T, foldhash::fast::FixedState>;

/// Texts to be found among, and a bit for each length that a text may have that is one of them: most others differ in
/// theirs.
#[derive(Default)]
struct Texts {
    set: HashSet<String>,
    lengths: u64,
}

impl Texts {
    fn new(texts: impl Iterator<Item = String>) -> Texts {
        let set: HashSet<String> = texts.collect();
        let lengths = set.iter().fold(0, |all, text| all | Self::bit(text.len()));
        Texts { set, lengths }
    }

    /// Texts in lower case, which others in any case are compared with.
    fn folded(texts: impl Iterator<Item = String>) -> Texts {
        let set: HashSet<String> = texts.collect();
        let lengths =
            set.iter().flat_map(|text| lengths_in_any_case(text)).fold(0, |all, length| all | Self::bit(length));
        Texts { set, lengths }
    }

    #[inline(always)]
    fn bit(length: usize) -> u64 {
        1 << length.min(63)
    }

    /// Whether a text of this view may be one of them, by its length.
    #[inline(always)]
    fn may_be(&self, view: u128) -> bool {
        self.lengths & Self::bit(view as u32 as usize) != 0
    }

    #[inline]
    fn has(&self, text: &str) -> bool {
        self.lengths & Self::bit(text.len()) != 0 && self.set.contains(text)
    }

    /// Whether the texts, which are in lower case, hold this one in any case.
    fn has_folded(&self, text: &str) -> bool {
        if self.lengths & Self::bit(text.len()) == 0 {
            return false;
        }
        if !text.is_ascii() {
            return self.set.contains(&fold_case(text));
        }
        let mut lower = [0u8; 128];
        match lower.get_mut(..text.len()) {
            Some(lower) => {
                lower.copy_from_slice(text.as_bytes());
                lower.make_ascii_lowercase();
                std::str::from_utf8(lower).is_ok_and(|lower| self.set.contains(lower))
            }
            None => self.set.contains(&fold_case(text)),
        }
    }
}

/// Integers to be found among.
struct Longs {
    set: HashSet<i64>,
    /// Where they lie close together, a bit for each integer from the least one on.
    bits: Vec<u64>,
    least: i64,
    most: i64,
}

impl Longs {
    /// The most bits for a set: its words stay within reach of the processor.
    const CLOSE: u64 = 1 << 20;

    fn new(set: HashSet<i64>) -> Longs {
        let (least, most) = set.iter().fold((i64::MAX, i64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        let is_close = !set.is_empty() && most.abs_diff(least) < Self::CLOSE;
        let mut bits = vec![0; if is_close { most.abs_diff(least) as usize / 64 + 1 } else { 0 }];
        if is_close {
            set.iter().map(|value| value.abs_diff(least)).for_each(|at| bits[at as usize / 64] |= 1 << (at % 64));
        }
        Longs { set, bits, least, most }
    }

    /// Which integers are in the set; null is in none.
    fn among(&self, values: &[i64], nulls: Option<&NullBuffer>, wanted: bool) -> BooleanBuffer {
        let bit = |value: i64| {
            let at = value.wrapping_sub(self.least).cast_unsigned();
            let word = usize::try_from(at / 64).ok().and_then(|word| self.bits.get(word));
            word.is_some_and(|word| word >> (at % 64) & 1 == 1)
        };
        let found = match self.set.len() <= FEW {
            true => bits_among(values, &self.set.iter().copied().collect::<Vec<i64>>()),
            false if !self.bits.is_empty() => bits_of(values, bit),
            false => bits_of(values, |value| (self.least..=self.most).contains(&value) && self.set.contains(&value)),
        };
        let found = match nulls {
            Some(nulls) => &found & nulls.inner(),
            None => found,
        };
        if wanted { found } else { !&found }
    }
}

/// The lengths in bytes that a text may have whose lower case is `text`.
pub(super) fn lengths_in_any_case(text: &str) -> impl Iterator<Item = usize> {
    // Beyond ASCII the case may change a character's length; of ASCII letters `k` alone is also the lower case of
    // another character, the sign of Kelvin, which is three bytes long.
    let (least, most, step) = match text.is_ascii() {
        true => (text.len(), text.len() + 2 * text.bytes().filter(|byte| *byte == b'k').count(), 2),
        false => (text.chars().count(), 4 * text.chars().count(), 1),
    };
    (least..=most).step_by(step)
}

impl Members {
    fn new(kind: Kind, list: Dynamic, fold: bool) -> Members {
        let values = list.elements().unwrap_or_else(|| vec![crate::types::json::scalar(&list.to_json())]);
        let converted = values.iter().map(|v| crate::types::convert::value_to(v, kind));
        match kind {
            Kind::Bool | Kind::Int | Kind::Long | Kind::DateTime | Kind::TimeSpan => {
                Members::Longs(Longs::new(converted.filter_map(|v| v.as_long()).collect()))
            }
            Kind::Real => Members::Reals(converted.filter_map(|v| v.as_real()).map(real_bits).collect()),
            Kind::Dynamic => Members::Dynamics(
                values.iter().map(|v| crate::types::json::canonical(&v.to_json()).into_owned()).collect(),
            ),
            _ if fold => Members::Folded(Texts::folded(values.iter().map(|v| fold_case(&v.to_text())))),
            _ => Members::Texts(Texts::new(values.iter().map(Value::to_text))),
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => false,
            Members::Texts(texts) => value.as_text().is_some_and(|t| texts.has(t)),
            Members::Folded(texts) => value.as_text().is_some_and(|t| texts.has_folded(t)),
            Members::Longs(longs) => value.as_long().is_some_and(|i| longs.set.contains(&i)),
            Members::Reals(set) => value.as_real().is_some_and(|r| set.contains(&real_bits(r))),
            Members::Dynamics(set) => set.contains(crate::types::json::canonical(&value.to_json()).as_ref()),
        }
    }
}

fn real_bits(real: f64) -> u64 {
    if real == 0.0 { 0 } else { real.to_bits() }
}

/// Whether the left values are (`wanted`) or are not in the lists; `fold` passes over case.
pub(super) fn is_member(context: &Context, args: &[Column], rows: usize, fold: bool, wanted: bool) -> Result<Column> {
    let (value, list) = pair(args)?;
    let kind = value.kind();
    let Column::Const(constant, _) = list else {
        let bits = BooleanBuffer::collect_bool(rows, |row| {
            let found = Dynamic::of(list, row).is_some_and(|l| Members::new(kind, l, fold).holds(&value.value(row)));
            found == wanted
        });
        return Ok(Column::Bool(BooleanArray::new(bits, None)));
    };
    if let Some(name) = kept::name_of(constant) {
        let list = context.lists.as_ref().and_then(|lists| lists.get(name));
        let list = list.ok_or_else(|| Fault::internal("a list that was kept is gone"))?;
        return Ok(match fold {
            true => text_predicate(value, rows, |text| list.has(&fold_case(text)) == wanted),
            false => text_predicate(value, rows, |text| list.has(text) == wanted),
        });
    }
    let Some(elements) = Dynamic::of(list, 0) else {
        return Ok(Column::Const(Value::Bool(!wanted), rows));
    };
    let key = key_of(kind, fold, constant);
    let prepare = || Ok::<_, Fault>((Members::new(kind, elements, fold), constant.clone()));
    let members: Arc<(Members, Value)> = context.prepared("in", &key, prepare)?;
    Ok(members_of(&members.0, value, rows, wanted))
}

/// What prepared members are found again by: the list's text, of a long one the place where it lies. It is held on to
/// with its members, so that no other text comes to lie there.
fn key_of(kind: Kind, fold: bool, list: &Value) -> String {
    const LONG: usize = 4096;
    match list {
        Value::Text(_, text) if text.len() > LONG => format!("{kind} {fold} {:p} {}", text.as_ptr(), text.len()),
        other => format!("{kind} {fold} {}", other.as_text().unwrap_or("")),
    }
}

fn members_of(members: &Members, value: &Column, rows: usize, wanted: bool) -> Column {
    match (members, value) {
        (Members::Texts(texts), Column::Text(_, Text::Views(views))) if texts.set.len() <= FEW => {
            let constants: Vec<View> = texts.set.iter().map(|t| View::new(t)).collect();
            let (raw, buffers) = (views.views(), views.data_buffers());
            let found = match constants.iter().map(View::whole).collect::<Option<Vec<u128>>>() {
                Some(short) => bits_among(raw, &short),
                None => bits_of(raw, |view| constants.iter().any(|constant| constant.equals(view, buffers))),
            };
            Column::Bool(BooleanArray::new(if wanted { found } else { !&found }, None))
        }
        (Members::Texts(texts), Column::Text(_, Text::Views(views))) => among(texts, views, wanted, |t| texts.has(t)),
        (Members::Folded(texts), Column::Text(_, Text::Views(views))) => {
            among(texts, views, wanted, |t| texts.has_folded(t))
        }
        (Members::Texts(texts), Column::Text(..)) => text_predicate(value, rows, |t| texts.has(t) == wanted),
        (Members::Folded(texts), Column::Text(..)) => text_predicate(value, rows, |t| texts.has_folded(t) == wanted),
        (_, Column::Const(value, _)) => Column::Const(Value::Bool(members.holds(value) == wanted), rows),
        (Members::Longs(longs), Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a)) => {
            Column::Bool(BooleanArray::new(longs.among(a.values(), a.nulls(), wanted), None))
        }
        (Members::Longs(longs), Column::Int(a)) => {
            let values: Vec<i64> = a.values().iter().map(|v| i64::from(*v)).collect();
            Column::Bool(BooleanArray::new(longs.among(&values, a.nulls(), wanted), None))
        }
        _ => {
            let bits = BooleanBuffer::collect_bool(rows, |row| members.holds(&value.value(row)) == wanted);
            Column::Bool(BooleanArray::new(bits, None))
        }
    }
}

/// Which texts are among others: only those whose length one of them has are looked at.
fn among(texts: &Texts, views: &StringViewArray, wanted: bool, holds: impl Fn(&str) -> bool) -> Column {
    let likely = bits_of(views.views(), |view| texts.may_be(view));
    let mut found = BooleanBufferBuilder::new(views.len());
    found.append_n(views.len(), false);
    for row in likely.set_indices() {
        found.set_bit(row, views.is_valid(row) && holds(views.value(row)));
    }
    let found = found.finish();
    Column::Bool(BooleanArray::new(if wanted { found } else { !&found }, None))
}

/// Up to this many constants a run of comparisons beats a hash.
const FEW: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kelvin_has_another_length_than_its_ascii_letter() {
        let other = |c: &char| !c.is_ascii() && fold_case(&c.to_string()).is_ascii();
        assert_eq!(('\0'..=char::MAX).filter(other).collect::<String>(), "\u{212a}");
    }

    #[test]
    fn integers_are_found_however_far_apart_they_lie() {
        let far = (0..20).map(|i| i64::MIN + i * (i64::MAX / 20)).chain([i64::MAX]);
        let sets: [Vec<i64>; 4] = [vec![], vec![i64::MAX, i64::MIN], (-30..30).map(|i| i * 3).collect(), far.collect()];
        for set in sets {
            let longs = Longs::new(set.iter().copied().collect());
            let others = set.iter().flat_map(|value| [value.wrapping_sub(1), *value, value.wrapping_add(1)]);
            let values: Vec<i64> = others.chain([0, i64::MIN, i64::MAX]).collect();
            let expected: Vec<bool> = values.iter().map(|value| set.contains(value)).collect();
            assert_eq!(longs.among(&values, None, true).iter().collect::<Vec<_>>(), expected);
            let nulls = NullBuffer::new_null(values.len());
            assert_eq!(longs.among(&values, Some(&nulls), false).count_set_bits(), values.len());
        }
    }

    #[test]
    fn texts_in_any_case_are_found_whatever_their_length() {
        let texts = Texts::folded(["kkx", "straße", "x"].map(String::from).into_iter());
        for text in ["kkx", "KKX", "\u{212a}Kx", "K\u{212a}X", "\u{212a}\u{212a}x", "STRAßE", "straẞe", "X"] {
            assert!(texts.has_folded(text), "{text}");
        }
        for text in ["", "kk", "kkxx", "strasse", "\u{212a}\u{212a}", &"x".repeat(200)] {
            assert!(!texts.has_folded(text), "{text}");
        }
    }
}
