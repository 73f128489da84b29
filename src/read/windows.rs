//! Sixty-four bytes at a time: which of them are of which sort, with the widest vectors that the processor has.
//!
//! A loop over [`Window`]s is written once, generic over the vectors; [`widest!`] compiles it for each kind of vector
//! and picks one when the program runs.

/// How many bytes a window holds.
pub const WIDTH: usize = 64;

/// Sixty-four bytes. A mask has the first byte in its lowest bit.
///
/// The methods may only be called where the processor has the vectors of the implementation.
pub trait Window: Copy {
    fn load(bytes: &[u8; WIDTH]) -> Self;

    /// The bytes that are `byte`.
    fn equal(self, byte: u8) -> u64;

    /// The bytes with these bits set.
    fn or(self, bits: u8) -> Self;

    /// The bytes outside ASCII.
    fn high(self) -> u64;

    /// For each bit, whether an odd number of bits up to it (itself included) is set.
    #[inline(always)]
    fn parity(bits: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |sum, shift| sum ^ (sum << shift))
    }
}

/// The window that begins at `at`; bytes behind the end are zero.
#[inline(always)]
pub fn window<W: Window>(bytes: &[u8], at: usize) -> W {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk::<WIDTH>() {
        Some(whole) => W::load(whole),
        None => W::load(&padded(rest)),
    }
}

#[cold]
fn padded(rest: &[u8]) -> [u8; WIDTH] {
    let mut window = [0; WIDTH];
    window.iter_mut().zip(rest).for_each(|(into, byte)| *into = *byte);
    window
}

/// Places of bytes, in order.
#[derive(Debug, Default)]
pub struct Places {
    /// Longer than what is known: a window's places are written without asking for room one by one.
    room: Vec<u32>,
    count: usize,
}

impl Places {
    pub fn clear(&mut self) {
        self.count = 0;
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.count
    }

    #[inline(always)]
    pub fn known(&self) -> &[u32] {
        self.room.get(..self.count).unwrap_or_default()
    }

    /// Adds the bytes of a mask over the window that begins at `at`.
    #[inline(always)]
    pub fn add(&mut self, at: usize, mut mask: u64) {
        let count = mask.count_ones() as usize;
        if self.room.len() < self.count + WIDTH {
            self.grow();
        }
        // Four at a time, the last of them too many: a branch for each would cost more.
        let free = self.room.get_mut(self.count..self.count + count.next_multiple_of(4)).unwrap_or_default();
        let (fours, _) = free.as_chunks_mut::<4>();
        for place in fours.iter_mut().flatten() {
            *place = (at as u32).wrapping_add(mask.trailing_zeros());
            mask &= mask.wrapping_sub(1);
        }
        self.count += count;
    }

    #[cold]
    fn grow(&mut self) {
        self.room.resize((2 * self.room.len()).max(16 * WIDTH), 0);
    }
}

/// Byte by byte: for processors without vectors that are known here.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[derive(Clone, Copy)]
pub struct Plain([u8; WIDTH]);

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Window for Plain {
    #[inline(always)]
    fn load(bytes: &[u8; WIDTH]) -> Plain {
        Plain(*bytes)
    }

    #[inline(always)]
    fn or(self, bits: u8) -> Plain {
        Plain(self.0.map(|byte| byte | bits))
    }

    #[inline(always)]
    fn high(self) -> u64 {
        self.0.iter().enumerate().fold(0, |mask, (at, own)| mask | u64::from(!own.is_ascii()) << at)
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> u64 {
        self.0.iter().enumerate().fold(0, |mask, (at, own)| mask | u64::from(*own == byte) << at)
    }
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    use super::{WIDTH, Window};
    use std::arch::x86_64::*;

    /// What every x86-64 processor has.
    #[derive(Clone, Copy)]
    pub struct Sse2([__m128i; 4]);

    impl Window for Sse2 {
        #[inline(always)]
        fn load(bytes: &[u8; WIDTH]) -> Sse2 {
            let at = |place: usize| bytes[16 * place..].as_ptr().cast::<__m128i>();
            // SAFETY: SSE2 is part of x86-64, and sixteen bytes lie at each place.
            Sse2([0, 1, 2, 3].map(|place| unsafe { _mm_loadu_si128(at(place)) }))
        }

        #[inline(always)]
        fn or(self, bits: u8) -> Sse2 {
            // SAFETY: SSE2 is part of x86-64.
            Sse2(self.0.map(|part| unsafe { _mm_or_si128(part, _mm_set1_epi8(bits as i8)) }))
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: SSE2 is part of x86-64.
            let mask = |part: &__m128i| u64::from(unsafe { _mm_movemask_epi8(*part) } as u32);
            self.0.iter().enumerate().fold(0, |all, (place, part)| all | mask(part) << (16 * place))
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            let mask = |part: __m128i| {
                // SAFETY: SSE2 is part of x86-64.
                unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(part, _mm_set1_epi8(byte as i8))) as u32 }
            };
            self.0.iter().enumerate().fold(0, |all, (place, part)| all | u64::from(mask(*part)) << (16 * place))
        }
    }

    #[derive(Clone, Copy)]
    pub struct Avx2([__m256i; 2]);

    impl Window for Avx2 {
        #[inline(always)]
        fn load(bytes: &[u8; WIDTH]) -> Avx2 {
            let at = |place: usize| bytes[32 * place..].as_ptr().cast::<__m256i>();
            // SAFETY: the caller has seen that there is AVX2, and 32 bytes lie at each place.
            Avx2([0, 1].map(|place| unsafe { _mm256_loadu_si256(at(place)) }))
        }

        #[inline(always)]
        fn or(self, bits: u8) -> Avx2 {
            // SAFETY: the caller has seen that there is AVX2.
            Avx2(self.0.map(|part| unsafe { _mm256_or_si256(part, _mm256_set1_epi8(bits as i8)) }))
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: the caller has seen that there is AVX2.
            let mask = |part: __m256i| u64::from(unsafe { _mm256_movemask_epi8(part) } as u32);
            mask(self.0[0]) | mask(self.0[1]) << 32
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            let mask = |part: __m256i| {
                // SAFETY: the caller has seen that there is AVX2.
                unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(part, _mm256_set1_epi8(byte as i8))) as u32 }
            };
            u64::from(mask(self.0[0])) | u64::from(mask(self.0[1])) << 32
        }

        #[inline(always)]
        fn parity(bits: u64) -> u64 {
            // SAFETY: the caller has seen that there is a carry-less multiplication.
            unsafe { carryless_parity(bits) }
        }
    }

    #[derive(Clone, Copy)]
    pub struct Avx512(__m512i);

    impl Window for Avx512 {
        #[inline(always)]
        fn load(bytes: &[u8; WIDTH]) -> Avx512 {
            // SAFETY: the caller has seen that there is AVX-512, and 64 bytes lie here.
            Avx512(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn or(self, bits: u8) -> Avx512 {
            // SAFETY: the caller has seen that there is AVX-512.
            Avx512(unsafe { _mm512_or_si512(self.0, _mm512_set1_epi8(bits as i8)) })
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: the caller has seen that there is AVX-512 for bytes.
            unsafe { _mm512_movepi8_mask(self.0) }
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            // SAFETY: the caller has seen that there is AVX-512 for bytes.
            unsafe { _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte as i8)) }
        }

        #[inline(always)]
        fn parity(bits: u64) -> u64 {
            // SAFETY: the caller has seen that there is a carry-less multiplication.
            unsafe { carryless_parity(bits) }
        }
    }

    /// The product with all ones, without carries: bit by bit the parity of the bits up to it.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn carryless_parity(bits: u64) -> u64 {
        let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1), 0);
        _mm_cvtsi128_si64(product) as u64
    }
}

#[cfg(target_arch = "aarch64")]
pub mod arm {
    use super::{WIDTH, Window};
    use std::arch::aarch64::*;

    /// What every 64-bit ARM processor has.
    #[derive(Clone, Copy)]
    pub struct Neon([uint8x16_t; 4]);

    impl Window for Neon {
        #[inline(always)]
        fn load(bytes: &[u8; WIDTH]) -> Neon {
            // SAFETY: NEON is part of 64-bit ARM, and sixteen bytes lie at each place.
            Neon([0, 1, 2, 3].map(|place| unsafe { vld1q_u8(bytes[16 * place..].as_ptr()) }))
        }

        #[inline(always)]
        fn or(self, bits: u8) -> Neon {
            // SAFETY: NEON is part of 64-bit ARM.
            Neon(self.0.map(|part| unsafe { vorrq_u8(part, vdupq_n_u8(bits)) }))
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: NEON is part of 64-bit ARM.
            mask(self.0.map(|part| unsafe { vcgeq_u8(part, vdupq_n_u8(0x80)) }))
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            // SAFETY: NEON is part of 64-bit ARM.
            mask(self.0.map(|part| unsafe { vceqq_u8(part, vdupq_n_u8(byte)) }))
        }
    }

    /// The bytes of which all bits are set.
    #[inline(always)]
    fn mask(parts: [uint8x16_t; 4]) -> u64 {
        const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: NEON is part of 64-bit ARM. Sums of neighbours put the bit of each byte into one word.
        unsafe {
            let bits = vld1q_u8(BITS.as_ptr());
            let [a, b, c, d] = parts.map(|part| vandq_u8(part, bits));
            let pairs = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(pairs, pairs)))
        }
    }
}

/// Calls `body::<W, T>(arguments…)` with the widest vectors `W` that the processor has:
/// `widest!(body, T: Bound, (a: A, …) -> R)`, or without a `T`.
///
/// `body` must be `#[inline(always)]`: only so is it compiled for those vectors.
macro_rules! widest {
    ($body:ident $(, $generic:ident : $bound:ident)?, ($($name:ident : $kind:ty),* $(,)?) -> $out:ty) => {{
        #[cfg(target_arch = "x86_64")]
        {
            use $crate::read::windows::{Vectors, vectors, x86};
            #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
            fn avx512$(<$generic: $bound>)?($($name: $kind),*) -> $out {
                $body::<x86::Avx512 $(, $generic)?>($($name),*)
            }
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
            fn avx2$(<$generic: $bound>)?($($name: $kind),*) -> $out {
                $body::<x86::Avx2 $(, $generic)?>($($name),*)
            }
            match vectors() {
                // SAFETY: the processor has been asked.
                Vectors::Avx512 => unsafe { avx512($($name),*) },
                // SAFETY: the processor has been asked.
                Vectors::Avx2 => unsafe { avx2($($name),*) },
                Vectors::Sse2 => $body::<x86::Sse2 $(, $generic)?>($($name),*),
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            $body::<$crate::read::windows::arm::Neon $(, $generic)?>($($name),*)
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            $body::<$crate::read::windows::Plain $(, $generic)?>($($name),*)
        }
    }};
}
pub(super) use widest;

/// The vectors of x86 processors.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vectors {
    Sse2,
    Avx2,
    Avx512,
}

/// The widest vectors of this processor.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn vectors() -> Vectors {
    let common = is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("avx2");
    match common {
        true if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") => Vectors::Avx512,
        true => Vectors::Avx2,
        false => Vectors::Sse2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> [u8; WIDTH] {
        std::array::from_fn(|at| [b'a', b'"', b',', 0, 200][at * 7 % 11 % 5])
    }

    fn agrees<W: Window>() {
        for byte in [b'a', b'"', b',', 0, 200] {
            assert_eq!(W::load(&bytes()).equal(byte), Plain::load(&bytes()).equal(byte));
        }
        assert_eq!(W::load(&bytes()).high(), Plain::load(&bytes()).high());
        for bits in [0, 1, u64::MAX, 0x8000_0000_0000_0001, 0x1234_5678_9ABC_DEF0] {
            assert_eq!(W::parity(bits), Plain::parity(bits));
        }
    }

    #[test]
    fn parity_counts_up_to_each_bit() {
        assert_eq!(Plain::parity(0b1001_0010) & 0xFF, 0b1000_1110);
    }

    #[test]
    fn all_vectors_agree() {
        #[cfg(target_arch = "x86_64")]
        {
            agrees::<x86::Sse2>();
            if vectors() >= Vectors::Avx2 {
                agrees::<x86::Avx2>();
            }
            if vectors() == Vectors::Avx512 {
                agrees::<x86::Avx512>();
            }
        }
        #[cfg(target_arch = "aarch64")]
        agrees::<arm::Neon>();
    }

    #[test]
    fn what_lies_behind_the_end_is_zero() {
        assert_eq!(window::<Plain>(b"x,", 1).equal(b','), 1);
        assert_eq!(window::<Plain>(b"x,", 1).equal(0), !1);
    }
}
