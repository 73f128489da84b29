//! The characters of JSON that tell its structure, found many bytes at a time.

/// Bytes that are looked at together.
const BLOCK: usize = 64;
/// The most blocks: longer texts are not looked at.
const MOST: usize = 32;

/// The places of brackets, commas and colons, and of where strings, numbers and words begin.
pub(super) struct Marks {
    blocks: [u64; MOST],
    count: usize,
    /// Whether there is a space outside of strings.
    pub spaces: bool,
    /// Whether there is a backslash.
    pub escapes: bool,
}

/// Which bytes of a block are what.
struct Kinds {
    quotes: u64,
    spaces: u64,
    structure: u64,
    /// Whether there is a backslash or a control character, which other blanks are.
    rare: bool,
}

/// What is known of the bytes before a block.
#[derive(Default)]
struct Before {
    /// All bits where they end within a string.
    in_string: u64,
    /// The lowest bit where they end with a backslash that escapes, and with a number or a word.
    escape: u64,
    in_scalar: u64,
}

impl Marks {
    pub(super) fn new() -> Marks {
        Marks { blocks: [0; MOST], count: 0, spaces: false, escapes: false }
    }

    /// Finds the marks of a text. None for a long text, one that has other blanks than spaces, and one with escapes
    /// that [`super::quote`] would not write. Of text that is no JSON there may be any.
    #[inline(always)]
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<()> {
        let mut before = Before::default();
        let (whole, rest) = bytes.as_chunks::<BLOCK>();
        if whole.len() >= MOST {
            return None;
        }
        for (block, marked) in whole.iter().zip(&mut self.blocks) {
            *marked = before.marked(kinds(block), || *block, u64::MAX, &mut self.spaces, &mut self.escapes)?;
        }
        self.count = whole.len();
        if let (false, Some(marked)) = (rest.is_empty(), self.blocks.get_mut(whole.len())) {
            let inside = u64::MAX >> (BLOCK - rest.len());
            let kinds = match bytes.last_chunk::<BLOCK>() {
                // The bytes of the block before are shifted out.
                Some(last) => kinds(last).after(BLOCK - rest.len()),
                None => kinds(&padded(rest)),
            };
            *marked = before.marked(kinds, || padded(rest), inside, &mut self.spaces, &mut self.escapes)?;
            self.count += 1;
        }
        // A string that begins ends as well.
        (before.in_string == 0).then_some(())
    }

    #[inline(always)]
    pub(super) fn places(&self) -> Places<'_> {
        let rest = self.blocks.get(..self.count).unwrap_or_default();
        Places { rest, left: 0, block: 0usize.wrapping_sub(BLOCK) }
    }
}

/// The places of marks that are left.
pub(super) struct Places<'a> {
    rest: &'a [u64],
    left: u64,
    block: usize,
}

impl Places<'_> {
    /// The next place.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<usize> {
        let at = self.peek()?;
        self.left &= self.left - 1;
        Some(at)
    }

    /// The next place, which stays the next.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<usize> {
        while self.left == 0 {
            let (next, rest) = self.rest.split_first()?;
            (self.left, self.rest) = (*next, rest);
            self.block = self.block.wrapping_add(BLOCK);
        }
        Some(self.block + self.left.trailing_zeros() as usize)
    }
}

impl Before {
    #[inline(always)]
    fn marked(
        &mut self,
        kinds: Kinds,
        block: impl Fn() -> [u8; BLOCK],
        inside: u64,
        spaces: &mut bool,
        escapes: &mut bool,
    ) -> Option<u64> {
        let mut quotes = kinds.quotes & inside;
        if kinds.rare || self.escape != 0 {
            quotes &= !self.escaped(&block())?;
            *escapes = true;
        }
        // From each opening quote up to the byte before the closing one.
        let strings = prefix_xor(quotes) ^ self.in_string;
        self.in_string = ((strings as i64) >> 63) as u64;
        *spaces |= kinds.spaces & !strings & inside != 0;
        let scalars = !(strings | quotes | kinds.structure | kinds.spaces);
        let starts = scalars & !(scalars << 1 | self.in_scalar);
        self.in_scalar = scalars >> 63;
        Some(((kinds.structure & !strings) | (quotes & strings) | starts) & inside)
    }

    /// The bytes that a backslash stands before; none where one of them is not written like that, and where there is
    /// a control character.
    #[cold]
    fn escaped(&mut self, block: &[u8; BLOCK]) -> Option<u64> {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslashes = block.iter().enumerate().fold(0, |bits, (at, byte)| bits | u64::from(*byte == b'\\') << at);
        if block.iter().any(|byte| *byte < 0x20) {
            return None;
        }
        let backslashes = backslashes & !self.escape;
        let follows = backslashes << 1 | self.escape;
        let odd_starts = backslashes & !EVEN & !follows;
        let (from_even, over) = odd_starts.overflowing_add(backslashes);
        self.escape = u64::from(over);
        let escaped = (EVEN ^ (from_even << 1)) & follows;
        let mut left = escaped;
        while left != 0 {
            matches!(block.get(left.trailing_zeros() as usize)?, b'"' | b'\\' | b'n' | b'r' | b't').then_some(())?;
            left &= left - 1;
        }
        Some(escaped)
    }
}

impl Kinds {
    /// The kinds of the bytes behind so many.
    #[inline(always)]
    fn after(self, bytes: usize) -> Kinds {
        let Kinds { quotes, spaces, structure, rare } = self;
        Kinds { quotes: quotes >> bytes, spaces: spaces >> bytes, structure: structure >> bytes, rare }
    }
}

/// The last bytes of a text as a block.
#[inline(always)]
fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [b','; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// For each bit whether an odd number of bits up to it are set.
#[inline(always)]
fn prefix_xor(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, by| bits ^ bits << by)
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn kinds(block: &[u8; BLOCK]) -> Kinds {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
        _mm_setzero_si128,
    };
    let (mut quotes, mut spaces, mut structure) = (0, 0, 0);
    // SAFETY: SSE2 is part of every processor of this architecture, and sixteen bytes are there to be read.
    unsafe {
        let mut rare = _mm_setzero_si128();
        for (number, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = _mm_loadu_si128(part.as_ptr().cast::<__m128i>());
            let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
            // Square brackets become curly ones, and the comma and the colon stay.
            let joined = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
            let either = |byte: u8| _mm_cmpeq_epi8(joined, _mm_set1_epi8(byte.cast_signed()));
            let brackets = _mm_or_si128(either(b'{'), either(b'}'));
            let separators = _mm_or_si128(either(b','), either(b':'));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
            rare = _mm_or_si128(rare, _mm_or_si128(control, is(b'\\')));
            let bits = |mask: __m128i| u64::from(_mm_movemask_epi8(mask).cast_unsigned()) << (number * 16);
            quotes |= bits(is(b'"'));
            spaces |= bits(is(b' '));
            structure |= bits(_mm_or_si128(brackets, separators));
        }
        Kinds { quotes, spaces, structure, rare: _mm_movemask_epi8(rare) != 0 }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn kinds(block: &[u8; BLOCK]) -> Kinds {
    let bits =
        |is: fn(u8) -> bool| block.iter().enumerate().fold(0u64, |bits, (at, byte)| bits | u64::from(is(*byte)) << at);
    Kinds {
        quotes: bits(|byte| byte == b'"'),
        spaces: bits(|byte| byte == b' '),
        structure: bits(|byte| matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')),
        rare: block.iter().any(|byte| *byte < 0x20 || *byte == b'\\'),
    }
}
