//! Where strings, containers and scalars of JSON end: the innermost loops of reading.

/// What is wrong with a record.
pub type Broken = &'static str;

pub const UNCLOSED: Broken = "broken JSON: the record ends too early";
pub const NO_VALUE: Broken = "broken JSON: expected a value";

/// What a string holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    pub escaped: bool,
    /// Bytes outside ASCII.
    pub wide: bool,
}

/// The place of the closing quote of the string whose inside begins at `at`.
#[inline(always)]
pub fn string_end(bytes: &[u8], at: usize) -> Result<(usize, Inside), Broken> {
    let (length, wide) = special(bytes, at);
    if bytes.get(at + length) == Some(&b'"') {
        return Ok((at + length, Inside { escaped: false, wide }));
    }
    long_string_end(bytes, at + length, wide)
}

/// As [`string_end`], in steps of 64 bytes, for strings that are long or have escapes.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn long_string_end(bytes: &[u8], mut at: usize, wide: bool) -> Result<(usize, Inside), Broken> {
    let mut inside = Inside { escaped: false, wide };
    let mut first_is_escaped = false;
    while let Some(window) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let masks = Masks::of(window);
        let escaped = escaped(masks.backslashes, &mut first_is_escaped);
        let stops = (masks.quotes & !escaped) | masks.ends;
        let length = stops.trailing_zeros();
        // All bits below the stop; all of them where there is none.
        let before = if stops == 0 { u64::MAX } else { (1 << length) - 1 };
        inside.wide |= masks.wide & before != 0;
        inside.escaped |= masks.backslashes & before != 0;
        if stops != 0 {
            let end = at + length as usize;
            return if bytes.get(end) == Some(&b'"') { Ok((end, inside)) } else { Err(NOT_CLOSED) };
        }
        at += 64;
    }
    string_tail(bytes, at + usize::from(first_is_escaped), inside)
}

#[cfg(not(target_arch = "x86_64"))]
fn long_string_end(bytes: &[u8], at: usize, wide: bool) -> Result<(usize, Inside), Broken> {
    string_tail(bytes, at, Inside { escaped: false, wide })
}

const NOT_CLOSED: Broken = "broken JSON: a string is not closed";

/// Which of 64 bytes are of which sort, the first in the lowest bit.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    /// Line ends and zeros: no string goes on behind them.
    ends: u64,
    wide: u64,
}

#[cfg(target_arch = "x86_64")]
impl Masks {
    #[inline(always)]
    fn of(window: &[u8; 64]) -> Masks {
        use std::arch::x86_64::*;
        let mut masks = Masks::default();
        for (place, chunk) in window.chunks_exact(16).enumerate() {
            // SAFETY: SSE2 is part of x86-64, and the load reads the sixteen bytes of `chunk`.
            unsafe {
                let chunk = _mm_loadu_si128(chunk.as_ptr().cast());
                let quotes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'"' as i8));
                let backslashes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\\' as i8));
                let lines = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\n' as i8));
                let ends = _mm_or_si128(lines, _mm_cmpeq_epi8(chunk, _mm_setzero_si128()));
                masks.quotes |= u64::from(_mm_movemask_epi8(quotes) as u32) << (16 * place);
                masks.backslashes |= u64::from(_mm_movemask_epi8(backslashes) as u32) << (16 * place);
                masks.ends |= u64::from(_mm_movemask_epi8(ends) as u32) << (16 * place);
                masks.wide |= u64::from(_mm_movemask_epi8(chunk) as u32) << (16 * place);
            }
        }
        masks
    }
}

/// The bytes that a backslash stands before which is not escaped itself: of a run of backslashes every other one
/// escapes. A sum carries through each run, and its parity tells which one ends it.
#[inline(always)]
pub fn escaped(backslashes: u64, first_is_escaped: &mut bool) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let carried = u64::from(*first_is_escaped);
    if backslashes == 0 {
        *first_is_escaped = false;
        return carried;
    }
    let backslashes = backslashes & !carried;
    let follows = backslashes << 1 | carried;
    let odd_starts = backslashes & !EVEN & !follows;
    let (sum, overflow) = odd_starts.overflowing_add(backslashes);
    *first_is_escaped = overflow;
    (EVEN ^ (sum << 1)) & follows
}

/// As [`string_end`], byte by byte from a place that no backslash escapes.
#[cold]
#[inline(never)]
fn string_tail(bytes: &[u8], mut at: usize, mut inside: Inside) -> Result<(usize, Inside), Broken> {
    loop {
        let (stop, wide) = special_tail(bytes, at);
        at += stop;
        inside.wide |= wide;
        match bytes.get(at) {
            Some(b'"') => return Ok((at, inside)),
            Some(b'\\') => {
                inside.escaped = true;
                // What follows may be a line's end: a broken record must not take the next line with it.
                at += if bytes.get(at + 1).is_some_and(|byte| !matches!(byte, b'\n' | 0)) { 2 } else { 1 };
            }
            Some(b'\n' | 0) | None => return Err(NOT_CLOSED),
            // Other control characters are no JSON, but harm nothing.
            Some(_) => at += 1,
        }
    }
}

/// How many bytes from `at` are no quote, backslash or control character, and whether one of them is not ASCII.
///
/// May stop early: at a byte that is none of them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn special(bytes: &[u8], at: usize) -> (usize, bool) {
    use std::arch::x86_64::*;
    let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) else { return special_tail(bytes, at) };
    // SAFETY: SSE2 is part of x86-64, and the load reads the sixteen bytes of `chunk`.
    let (stops, wide) = unsafe {
        let chunk = _mm_loadu_si128(chunk.as_ptr().cast());
        let quotes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'"' as i8));
        let backslashes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1F)), chunk);
        let stops = _mm_or_si128(_mm_or_si128(quotes, backslashes), controls);
        (_mm_movemask_epi8(stops) as u32, _mm_movemask_epi8(chunk) as u32)
    };
    let length = (stops | 1 << 16).trailing_zeros();
    (length as usize, wide & ((1 << length) - 1) != 0)
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn special(bytes: &[u8], at: usize) -> (usize, bool) {
    special_tail(bytes, at)
}

fn special_tail(bytes: &[u8], at: usize) -> (usize, bool) {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    (length, !rest.get(..length).unwrap_or_default().is_ascii())
}

/// The place behind an array or object that begins at `at`, and what its strings hold.
///
/// Brackets are counted, not matched: what needs more is read by a JSON parser afterwards.
pub fn container_end(bytes: &[u8], mut at: usize, lines: bool) -> Result<(usize, Inside), Broken> {
    let mut depth = 0_usize;
    let mut inside = Inside::default();
    loop {
        at = next_structural(bytes, at);
        match bytes.get(at) {
            Some(b'"') => {
                let (end, text) = string_end(bytes, at + 1)?;
                inside.escaped |= text.escaped;
                inside.wide |= text.wide;
                at = end + 1;
            }
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Ok((at, inside));
                }
            }
            Some(b'\n') if lines => return Err(UNCLOSED),
            None | Some(0) => return Err(UNCLOSED),
            Some(_) => at += 1,
        }
    }
}

/// The next quote, bracket, newline or zero from `at` on.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn next_structural(bytes: &[u8], mut at: usize) -> usize {
    use std::arch::x86_64::*;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        // SAFETY: SSE2 is part of x86-64, and the load reads the sixteen bytes of `chunk`.
        let stops = unsafe {
            let chunk = _mm_loadu_si128(chunk.as_ptr().cast());
            let is = |byte: u8, chunk| _mm_cmpeq_epi8(chunk, _mm_set1_epi8(byte as i8));
            // `[` and `{`, `]` and `}` differ by one bit.
            let folded = _mm_or_si128(chunk, _mm_set1_epi8(0x20));
            let brackets = _mm_or_si128(is(b'{', folded), is(b'}', folded));
            let ends = _mm_or_si128(is(b'\n', chunk), is(0, chunk));
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is(b'"', chunk), brackets), ends)) as u32
        };
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += 16;
    }
    structural_tail(bytes, at)
}

#[cfg(not(target_arch = "x86_64"))]
fn next_structural(bytes: &[u8], at: usize) -> usize {
    structural_tail(bytes, at)
}

fn structural_tail(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_stop = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b'\n' | 0);
    at + rest.iter().position(is_stop).unwrap_or(rest.len())
}

/// The place behind the number or word that begins at `at`.
#[inline(always)]
pub fn scalar_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    let begins = matches!(rest.first(), Some(b'-' | b'0'..=b'9'));
    if begins && rest.get(length).is_none_or(ends_scalar) { Ok(at + length) } else { word_end(bytes, at) }
}

fn ends_scalar(byte: &u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | 0)
}

/// The place behind the word that begins at `at`.
fn word_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(ends_scalar).unwrap_or(rest.len());
    match rest.get(..length).unwrap_or_default() {
        b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity" => Ok(at + length),
        _ => Err(NO_VALUE),
    }
}

/// The first byte from `at` on that is no blank; line ends are blanks unless records are lines.
#[inline(always)]
pub fn after_blanks(bytes: &[u8], mut at: usize, lines: bool) -> usize {
    while let Some(byte) = bytes.get(at) {
        let blank = matches!(byte, b' ' | b'\t' | b'\r') || (!lines && *byte == b'\n');
        if !blank {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_the_quote_that_nothing_escapes() {
        for length in 0..200 {
            for backslashes in 0..70 {
                let inside = format!("{}{}", "x".repeat(length), "\\".repeat(backslashes));
                let text = format!("{inside}\" tail \"{}", " ".repeat(80));
                let expected = if backslashes % 2 == 0 { inside.len() } else { inside.len() + 7 };
                let found = string_end(text.as_bytes(), 0).map(|(end, _)| end);
                assert_eq!(found, Ok(expected), "{length} {backslashes}");
                let tail = string_tail(text.as_bytes(), 0, Inside::default()).map(|(end, _)| end);
                assert_eq!(tail, found);
            }
        }
    }

    #[test]
    fn strings_end_with_their_line() {
        for length in 0..100 {
            for text in [format!("{}\n\"", "x".repeat(length)), format!("{}\\\n\"", "x".repeat(length))] {
                let text = format!("{text}{}", " ".repeat(80));
                assert_eq!(string_end(text.as_bytes(), 0), Err(NOT_CLOSED), "{length}");
            }
        }
    }
}
