//! Small numbers as Parquet writes them: runs of one number, and numbers packed bit by bit.
use super::picks::Picks;
use std::ops::Range;

/// Numbers of one width, run by run. Damaged bytes end them early.
pub struct Runs<'a> {
    rest: &'a [u8],
    width: usize,
}

pub enum Run<'a> {
    /// One number, so many times.
    Same(u32, usize),
    Packed(Packed<'a>),
}

/// Numbers packed bit by bit, the lowest bit first.
pub struct Packed<'a> {
    bytes: &'a [u8],
    width: usize,
    count: usize,
}

impl<'a> Runs<'a> {
    /// None where the numbers are wider than any key.
    pub fn new(bytes: &'a [u8], width: u8) -> Option<Runs<'a>> {
        (width <= 32).then_some(Runs { rest: bytes, width: width.into() })
    }

    /// Seven bits a byte, the lowest first; the highest bit of a byte says that there are more.
    fn header(&mut self) -> Option<usize> {
        let mut header = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            header |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(header);
            }
        }
        None
    }

    /// Adds the numbers at the picks; none where there are fewer numbers than that.
    pub fn write(self, picks: &Picks<'_>, out: &mut Vec<i32>) -> Option<()> {
        let wanted = out.len() + picks.len();
        out.reserve(picks.len());
        match picks {
            Picks::Range(range) => self.write_range(range, out),
            Picks::Each(rows) => self.write_each(rows, out),
        }
        (out.len() == wanted).then_some(())
    }

    fn write_range(self, range: &Range<usize>, out: &mut Vec<i32>) {
        let mut before = 0;
        for run in self {
            let (start, end) = (range.start.max(before), range.end.min(before + run.count()));
            if start < end {
                match &run {
                    Run::Same(number, _) => out.resize(out.len() + end - start, *number as i32),
                    Run::Packed(packed) => packed.write(start - before..end - before, out),
                }
            }
            before += run.count();
            if before >= range.end {
                return;
            }
        }
    }

    fn write_each(self, rows: &[u32], out: &mut Vec<i32>) {
        let (mut before, mut rows) = (0, rows);
        for run in self {
            let here = rows.iter().take_while(|row| (**row as usize) < before + run.count()).count();
            let (inside, behind) = rows.split_at(here);
            match &run {
                Run::Same(number, _) => out.resize(out.len() + here, *number as i32),
                Run::Packed(packed) => out.extend(inside.iter().map(|row| packed.get(*row as usize - before) as i32)),
            }
            before += run.count();
            rows = behind;
            if rows.is_empty() {
                return;
            }
        }
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        let header = self.header()?;
        if header & 1 == 0 {
            let (bytes, rest) = self.rest.split_at_checked(self.width.div_ceil(8))?;
            let mut number = [0; 4];
            number.iter_mut().zip(bytes).for_each(|(into, byte)| *into = *byte);
            self.rest = rest;
            return Some(Run::Same(u32::from_le_bytes(number), header >> 1));
        }
        // Eight numbers take as many bytes as one has bits.
        let eights = header >> 1;
        let (bytes, rest) = self.rest.split_at(eights.saturating_mul(self.width).min(self.rest.len()));
        self.rest = rest;
        let count = (bytes.len() * 8)
            .checked_div(self.width)
            .map_or(eights.saturating_mul(8), |most| most.min(eights.saturating_mul(8)));
        Some(Run::Packed(Packed { bytes, width: self.width, count }))
    }
}

impl Run<'_> {
    pub fn count(&self) -> usize {
        match self {
            Run::Same(_, count) => *count,
            Run::Packed(packed) => packed.count,
        }
    }
}

impl Packed<'_> {
    /// The bytes, of numbers of one bit.
    pub fn bits(&self) -> &[u8] {
        self.bytes
    }

    /// The eight bytes that a bit lies in the first of, from that bit on: they hold any number that begins there.
    #[inline(always)]
    fn word(&self, bit: usize) -> u64 {
        let rest = self.bytes.get(bit / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => last_word(rest),
        };
        word >> (bit % 8)
    }

    #[inline(always)]
    fn get(&self, at: usize) -> u32 {
        (self.word(at * self.width) & self.mask()) as u32
    }

    fn mask(&self) -> u64 {
        (1 << self.width) - 1
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<i32>) {
        /// Four numbers of no more bits lie in a word.
        const NARROW: usize = 16;
        let eights = range.start.next_multiple_of(8)..range.end / 8 * 8;
        if self.width > NARROW || eights.is_empty() {
            return out.extend(range.map(|at| self.get(at) as i32));
        }
        out.extend((range.start..eights.start).map(|at| self.get(at) as i32));
        for at in eights.clone().step_by(8) {
            out.extend_from_slice(&self.eight(at));
        }
        out.extend((eights.end..range.end).map(|at| self.get(at) as i32));
    }

    /// Eight narrow numbers, of which the first begins with a byte.
    #[inline(always)]
    fn eight(&self, at: usize) -> [i32; 8] {
        let (mask, mut words) = (self.mask(), [0, 4].map(|half| self.word((at + half) * self.width)));
        let mut eight = [0; 8];
        let (low, high) = eight.split_at_mut(4);
        for (low, high) in low.iter_mut().zip(high) {
            (*low, *high) = ((words[0] & mask) as i32, (words[1] & mask) as i32);
            words = words.map(|word| word >> self.width);
        }
        eight
    }
}

#[cold]
fn last_word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(into, byte)| *into = *byte);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a width, packed in one run between two of one number.
    fn written(numbers: &[u32], width: usize) -> Vec<u8> {
        let bits = numbers.iter().flat_map(|number| (0..width).map(move |bit| number >> bit & 1 == 1));
        let packed: Vec<bool> = bits.collect();
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        let same = [vec![5 << 1], vec![1; width.div_ceil(8)]].concat();
        let eights = u8::try_from(numbers.len() / 8).unwrap();
        [same.clone(), vec![eights << 1 | 1], packed.chunks(8).map(byte).collect(), same].concat()
    }

    #[test]
    fn numbers_of_every_width_come_out_as_they_went_in() {
        for width in 1..=32 {
            let mask = u32::MAX >> (32 - width);
            let numbers: Vec<u32> = (0..56_u32).map(|n| n.wrapping_mul(0x9E37_79B9) & mask).collect();
            let bytes = written(&numbers, width);
            let same = vec![u32::from_le_bytes([1; 4]) & (u32::MAX >> (32 - width.next_multiple_of(8))); 5];
            let all: Vec<i32> = [same.clone(), numbers, same].concat().into_iter().map(|n| n as i32).collect();
            let read = |picks: Picks<'_>| {
                let mut out = Vec::new();
                Runs::new(&bytes, width as u8).unwrap().write(&picks, &mut out).map(|()| out)
            };
            for range in [0..66, 0..3, 7..31, 20..21, 13..58, 64..66] {
                assert_eq!(read(Picks::Range(range.clone())).as_deref(), all.get(range), "{width}");
            }
            let picks = [0, 4, 5, 9, 17, 60, 61, 65];
            let picked: Vec<i32> = picks.iter().map(|pick| all[*pick as usize]).collect();
            assert_eq!(read(Picks::Each(&picks)), Some(picked), "{width}");
            assert_eq!(read(Picks::Range(0..67)), None, "{width}");
            assert_eq!(read(Picks::Each(&[66])), None, "{width}");
        }
        assert!(Runs::new(&[], 33).is_none());
    }
}
