//! Base64 by blocks of 24 bytes, as 32 characters.
use crate::types::vectors::wide_with;

const BYTES: usize = 24;
const CHARACTERS: usize = 32;
/// Six bits that stand in eight, for each byte of a word, each 16 bits of it, and each 32 bits.
const SIX: u64 = 0x003f_003f_003f_003f;
const TWELVE: u64 = 0x0000_0fff_0000_0fff;
const TWENTY_FOUR: u64 = 0x0000_0000_00ff_ffff;

/// Appends the Base64 of bytes.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len().div_ceil(BYTES) * CHARACTERS);
    wide_with((bytes, &mut *out), encode_blocks);
    out.push_str(["", "==", "="][bytes.len() % 3]);
}

#[inline(always)]
fn encode_blocks((bytes, out): (&[u8], &mut String)) {
    // SAFETY: the characters of Base64 are ASCII.
    let mut push = |characters: &[u8]| out.push_str(unsafe { std::str::from_utf8_unchecked(characters) });
    let mut rest = bytes;
    // A block is read eight bytes at a time, of which six count: two more have to be there.
    while let Some(block) = rest.first_chunk::<{ BYTES + 2 }>() {
        push(&characters(block));
        rest = rest.get(BYTES..).unwrap_or_default();
    }
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(rest.len().min(BYTES));
        let mut block = [0; BYTES + 2];
        block[..part.len()].copy_from_slice(part);
        push(&characters(&block)[..(part.len() * 4).div_ceil(3)]);
        rest = behind;
    }
}

/// Appends the bytes that Base64 stands for: whether it is Base64.
pub(super) fn decode(text: &str, out: &mut Vec<u8>) -> bool {
    text.len().is_multiple_of(4) && wide_with((text.as_bytes(), out), decode_blocks)
}

#[inline(always)]
fn decode_blocks((text, out): (&[u8], &mut Vec<u8>)) -> bool {
    let mut rest = text;
    // The last characters may be there to fill up.
    while let Some((block, behind)) = rest.split_first_chunk::<CHARACTERS>().filter(|(_, behind)| !behind.is_empty()) {
        let Some(bytes) = bytes(block) else { return false };
        out.extend_from_slice(&bytes);
        rest = behind;
    }
    let filled = rest.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let rest = &rest[..rest.len() - filled];
    let mut block = [b'A'; CHARACTERS];
    block[..rest.len()].copy_from_slice(rest);
    let Some(bytes) = bytes(&block) else { return false };
    let (bytes, behind) = bytes.split_at(rest.len() * 3 / 4);
    out.extend_from_slice(bytes);
    // Of a character that is not used up the rest is 0.
    behind.iter().all(|byte| *byte == 0)
}

#[inline(always)]
fn characters(block: &[u8; BYTES + 2]) -> [u8; CHARACTERS] {
    let mut sixes = [0; CHARACTERS];
    for (place, eight) in sixes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let word =
            block.get(place * 6..).and_then(<[u8]>::first_chunk::<8>).map_or(0, |w| u64::from_be_bytes(*w)) >> 16;
        let word = (word & TWENTY_FOUR << 24) << 8 | word & TWENTY_FOUR;
        let word = (word & TWELVE << 12) << 4 | word & TWELVE;
        let word = (word & SIX << 6) << 2 | word & SIX;
        *eight = word.to_be_bytes();
    }
    sixes.iter_mut().for_each(|six| *six = character(*six));
    sixes
}

/// Without a branch, so that the processor makes many of them at once.
#[inline(always)]
fn character(six: u8) -> u8 {
    let from = |first: u8, step: u8| if six >= first { step } else { 0 };
    let up = from(26, b'a' - b'Z' - 1) + from(63, b'/' - b'+' - 1);
    let down = from(52, b'z' + 1 - b'0') + from(62, b'9' + 1 - b'+');
    (six + b'A' + up).wrapping_sub(down)
}

/// The bytes of a block; none where one of its characters is not of Base64.
#[inline(always)]
fn bytes(block: &[u8; CHARACTERS]) -> Option<[u8; BYTES]> {
    let mut sixes = *block;
    sixes.iter_mut().for_each(|character| *character = six(*character));
    if sixes.iter().fold(0, |all, six| all | six) == NONE {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (six, eight) in bytes.as_chunks_mut::<6>().0.iter_mut().zip(sixes.as_chunks::<8>().0) {
        let word = u64::from_be_bytes(*eight);
        let word = (word & SIX << 8) >> 2 | word & SIX;
        let word = (word & TWELVE << 16) >> 4 | word & TWELVE;
        let word = (word & TWENTY_FOUR << 32) >> 8 | word & TWENTY_FOUR;
        let [_, _, whole @ ..] = word.to_be_bytes();
        *six = whole;
    }
    Some(bytes)
}

/// What stands for no character.
const NONE: u8 = 0xff;

#[inline(always)]
fn six(character: u8) -> u8 {
    let within = |first: u8, last: u8, six: u8| {
        let place = character.wrapping_sub(first);
        if place <= last - first { place.wrapping_add(six) } else { 0 }
    };
    let letters = within(b'A', b'Z', 1) | within(b'a', b'z', 27);
    let others = within(b'0', b'9', 53) | within(b'+', b'+', 63) | within(b'/', b'/', 64);
    // Counted from one, so that nothing is none.
    (letters | others).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        decode(text, &mut bytes).then_some(bytes)
    }

    #[test]
    fn every_character_is_read_and_no_other() {
        for place in 0..CHARACTERS {
            for byte in 0..128u8 {
                let mut text = [b'A'; 64];
                text[place] = byte;
                let text = std::str::from_utf8(&text).unwrap();
                assert_eq!(decoded(text), STANDARD.decode(text).ok(), "{text}");
            }
        }
    }

    #[test]
    fn the_end_is_read_as_the_library_reads_it() {
        let ends =
            ["", "A", "AA", "AAA", "AAAA", "AA==", "AB==", "AAA=", "AAB=", "A===", "====", "AA=A", "=AAA", "AAAé"];
        for before in ["", "AAAA", &"Zm9v".repeat(7), &"Zm9v".repeat(8), "AA==", &"=".repeat(32)] {
            for end in ends {
                let text = format!("{before}{end}");
                assert_eq!(decoded(&text), STANDARD.decode(&text).ok(), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_are_those_of_the_library(bytes: Vec<u8>, cut in 0..8usize) {
            let bytes = bytes.repeat(3);
            let mut text = String::new();
            encode(&bytes, &mut text);
            prop_assert_eq!(&text, &STANDARD.encode(&bytes));
            prop_assert_eq!(decoded(&text), Some(bytes));
            let cut = &text[..text.len().saturating_sub(cut)];
            prop_assert_eq!(decoded(cut), STANDARD.decode(cut).ok());
        }
    }
}
