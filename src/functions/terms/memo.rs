//! Tests of texts that are held as views, where most rows are the same few texts.
use crate::types::views::{INLINE, are_same, bytes, length};
use arrow_array::{Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, Buffer};

/// For each row, whether it is open and its text passes; what is known of a text is not asked again soon.
pub fn passing(views: &StringViewArray, open: Option<&BooleanBuffer>, passes: impl Fn(&str) -> bool) -> BooleanBuffer {
    let mut memo = Memo::new(views);
    BooleanBuffer::collect_bool(views.len(), |row| {
        open.is_none_or(|open| open.value(row)) && views.is_valid(row) && memo.answer(row, &passes)
    })
}

/// So many answers are kept at most.
const SLOTS_BITS: u32 = 9;

/// After so many texts it is looked whether answers were found again.
const TRIAL: u32 = 1024;

/// The answers for the texts that were asked about last, of each place among the slots one.
struct Memo<'a> {
    views: &'a StringViewArray,
    known: Vec<(u128, Option<bool>)>,
    asked: u32,
    missed: u32,
    /// Whether too many texts differ for answers to be found again.
    idle: bool,
}

impl<'a> Memo<'a> {
    fn new(views: &'a StringViewArray) -> Memo<'a> {
        // A few rows are asked about quicker than a memory is made.
        let idle = views.len() < TRIAL as usize;
        let known = if idle { Vec::new() } else { vec![(0, None); 1 << SLOTS_BITS] };
        Memo { views, known, asked: 0, missed: 0, idle }
    }

    #[inline]
    fn answer(&mut self, row: usize, passes: &impl Fn(&str) -> bool) -> bool {
        if self.idle {
            return passes(self.views.value(row));
        }
        let (view, buffers) = (self.views.views()[row], self.views.data_buffers());
        let Some(slot) = self.known.get_mut(place(view, buffers)) else { return passes(self.views.value(row)) };
        self.asked += 1;
        if let (known, Some(answer)) = *slot
            && are_same(known, view, buffers)
        {
            return answer;
        }
        self.missed += 1;
        self.idle = self.asked >= TRIAL && self.missed > self.asked / 2;
        let answer = passes(self.views.value(row));
        *slot = (view, Some(answer));
        answer
    }
}

/// The slot of a text: of a longer one its length, its first four bytes and its last eight decide.
#[inline(always)]
fn place(view: u128, buffers: &[Buffer]) -> usize {
    let (low, high) = match length(view) <= INLINE {
        true => (view as u64, (view >> 64) as u64),
        false => (view as u64, bytes(view, buffers).last_chunk::<8>().map_or(0, |last| u64::from_le_bytes(*last))),
    };
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_each_text() {
        let text = |row: usize| match row % 7 {
            0 => format!("few {}", row % 3),
            1 => format!("a longer text of few {}", row % 2),
            _ if row < 9000 => format!("{} many longer texts that differ", row),
            _ => "many short".to_owned(),
        };
        let texts: Vec<String> = (0..20_000).map(text).collect();
        let views = StringViewArray::from_iter_values(&texts);
        let passes = |text: &str| text.ends_with('1') || text.starts_with("77");
        let found = passing(&views, None, passes);
        assert!(texts.iter().enumerate().all(|(row, text)| found.value(row) == passes(text)));
        let open = BooleanBuffer::collect_bool(texts.len(), |row| row % 3 == 0);
        let found = passing(&views, Some(&open), passes);
        assert!(texts.iter().enumerate().all(|(row, text)| found.value(row) == (row % 3 == 0 && passes(text))));
    }
}
