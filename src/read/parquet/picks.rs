//! The rows of a row group that are asked for, page by page.
use arrow_buffer::BooleanBuffer;
use std::ops::Range;

/// Some of the values of a page, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Picks<'a> {
    Range(Range<usize>),
    /// Ascending.
    Each(&'a [u32]),
}

impl Picks<'_> {
    pub fn len(&self) -> usize {
        match self {
            Picks::Range(range) => range.len(),
            Picks::Each(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the last one ends.
    pub fn end(&self) -> usize {
        match self {
            Picks::Range(range) => range.end,
            Picks::Each(rows) => rows.last().map_or(0, |row| *row as usize + 1),
        }
    }

    /// Whether each of the picked rows is set.
    pub fn bits(&self, bits: &BooleanBuffer) -> BooleanBuffer {
        match self {
            Picks::Range(range) => bits.slice(range.start, range.len()),
            Picks::Each(rows) => BooleanBuffer::collect_bool(rows.len(), |at| bits.value(rows[at] as usize)),
        }
    }

    /// The places among the set bits of the picked rows that are set: a range's are a range.
    pub fn among<'b>(&self, bits: &BooleanBuffer, room: &'b mut Vec<u32>) -> Picks<'b> {
        let set = |range: Range<usize>| bits.slice(range.start, range.len()).count_set_bits();
        match self {
            Picks::Range(range) => {
                let start = set(0..range.start);
                Picks::Range(start..start + set(range.clone()))
            }
            Picks::Each(rows) => {
                let (mut before, mut known) = (0, 0);
                room.clear();
                for row in rows.iter().map(|row| *row as usize) {
                    before += set(known..row);
                    known = row;
                    if bits.value(row) {
                        room.push(before as u32);
                    }
                }
                Picks::Each(room)
            }
        }
    }
}

/// The rows that are asked for and not read yet.
pub struct Unread<'a> {
    /// Where the stretch begins that `rows` count from.
    start: usize,
    end: usize,
    rows: Option<&'a [u32]>,
    room: Vec<u32>,
}

impl<'a> Unread<'a> {
    /// All rows of a stretch of a row group, or some of them; none where these do not ascend, or lie outside.
    pub fn new(stretch: &Range<usize>, rows: Option<&'a [u32]>) -> Option<Unread<'a>> {
        let lies_inside = rows.is_none_or(|rows| {
            rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|last| (*last as usize) < stretch.len())
        });
        lies_inside.then(|| Unread { start: stretch.start, end: stretch.end, rows, room: Vec::new() })
    }

    pub fn len(&self) -> usize {
        self.rows.map_or(self.end - self.start, <[u32]>::len)
    }

    /// The picks of the next page, which holds these rows of the group.
    pub fn of_page(&mut self, page: Range<usize>) -> Picks<'_> {
        let Some(rows) = self.rows else {
            let end = self.end.clamp(page.start, page.end);
            let start = self.start.clamp(page.start, end);
            self.start = self.start.max(page.end);
            return Picks::Range(start - page.start..end - page.start);
        };
        let (here, behind) = rows.split_at(rows.partition_point(|row| self.start + (*row as usize) < page.end));
        self.rows = Some(behind);
        self.room.clear();
        // Where the stretch begins behind the page's first row, its rows are further behind that.
        self.room.extend(here.iter().map(|row| (self.start + *row as usize - page.start) as u32));
        Picks::Each(&self.room)
    }

    pub fn is_done(&self) -> bool {
        self.rows.map_or(self.start >= self.end, <[u32]>::is_empty)
    }
}
