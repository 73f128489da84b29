//! What the values of pages are gathered into: numbers, the keys of a dictionary, or texts.
use super::flat::Known;
use super::picks::Picks;
use super::runs::Runs;
use crate::types::{Column, Dictionary, Kind, Text, gather, import, views};
use arrow_array::{Int32Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use std::ops::Range;
use std::sync::Arc;

/// The values of a column so far. Each method gives none where the bytes are not what they should be.
pub trait Gather {
    /// So many values, written one behind the other, that keys stand for.
    fn dictionary(page: Buffer, count: usize) -> Option<Known>;

    /// Takes the dictionary that the keys which follow are of.
    fn know(&mut self, dictionary: &Known) -> Option<()>;

    /// Adds the values that some of the keys stand for.
    fn add_keyed(&mut self, keys: Runs<'_>, picks: &Picks<'_>) -> Option<()>;

    /// Adds some of so many values that are written one behind the other.
    fn add_plain(&mut self, page: Buffer, count: usize, picks: &Picks<'_>) -> Option<()>;

    /// Spreads the last values over rows, of which those that are not set have none.
    fn spread(&mut self, rows: &BooleanBuffer);

    fn finish(self, nulls: Option<NullBuffer>) -> Column;
}

/// Moves the last values apart so that each stands at its row.
fn spread<T: Copy + Default>(values: &mut Vec<T>, rows: &BooleanBuffer) {
    let first = values.len() - rows.count_set_bits();
    let mut from = values.len();
    values.resize(first + rows.len(), T::default());
    for at in (0..rows.len()).rev() {
        values[first + at] = match rows.value(at) {
            true => {
                from -= 1;
                values[from]
            }
            false => T::default(),
        };
    }
}

/// Numbers of `WIDE` bytes each.
pub struct Numbers<T, const WIDE: usize, F: Fn([u8; WIDE]) -> T, C: FnOnce(Vec<T>, Option<NullBuffer>) -> Column> {
    values: Vec<T>,
    dictionary: Buffer,
    keys: Vec<i32>,
    number: F,
    column: C,
}

impl<T, const WIDE: usize, F: Fn([u8; WIDE]) -> T, C: FnOnce(Vec<T>, Option<NullBuffer>) -> Column>
    Numbers<T, WIDE, F, C>
{
    /// Room for so many rows; how bytes are a number, and numbers a column.
    pub fn new(rows: usize, number: F, column: C) -> Self {
        Numbers { values: Vec::with_capacity(rows), dictionary: Buffer::default(), keys: Vec::new(), number, column }
    }
}

impl<T, const WIDE: usize, F, C> Gather for Numbers<T, WIDE, F, C>
where
    T: Copy + Default,
    F: Fn([u8; WIDE]) -> T,
    C: FnOnce(Vec<T>, Option<NullBuffer>) -> Column,
{
    fn dictionary(page: Buffer, count: usize) -> Option<Known> {
        (page.len() / WIDE >= count).then(|| Known::Numbers(page.slice_with_length(0, count * WIDE)))
    }

    fn know(&mut self, dictionary: &Known) -> Option<()> {
        let Known::Numbers(numbers) = dictionary else { return None };
        self.dictionary = numbers.clone();
        Some(())
    }

    fn add_keyed(&mut self, keys: Runs<'_>, picks: &Picks<'_>) -> Option<()> {
        let (known, _) = self.dictionary.as_chunks::<WIDE>();
        self.keys.clear();
        add_known(keys, picks, known.len(), &mut self.keys)?;
        self.values.extend(self.keys.iter().map(|key| (self.number)(known[*key as usize])));
        Some(())
    }

    fn add_plain(&mut self, page: Buffer, count: usize, picks: &Picks<'_>) -> Option<()> {
        let (numbers, _) = page.as_chunks::<WIDE>();
        let numbers = numbers.get(..count)?;
        match picks {
            Picks::Range(range) => self.values.extend(numbers.get(range.clone())?.iter().map(|n| (self.number)(*n))),
            Picks::Each(_) if picks.end() > count => return None,
            Picks::Each(rows) => self.values.extend(rows.iter().map(|row| (self.number)(numbers[*row as usize]))),
        }
        Some(())
    }

    fn spread(&mut self, rows: &BooleanBuffer) {
        spread(&mut self.values, rows);
    }

    fn finish(self, nulls: Option<NullBuffer>) -> Column {
        (self.column)(self.values, nulls)
    }
}

/// Adds the picked keys; none where one is not among so many that are known.
fn add_known(keys: Runs<'_>, picks: &Picks<'_>, known: usize, out: &mut Vec<i32>) -> Option<()> {
    let first = out.len();
    keys.write(picks, out)?;
    let new = out.get(first..)?;
    (new.is_empty() || largest(new) < known).then_some(())
}

/// The largest key, read without a sign.
fn largest(keys: &[i32]) -> usize {
    keys.iter().fold(0, |most, key| most.max(*key as u32)) as usize
}

/// Texts whose pages are all keys of one dictionary.
pub struct Keys {
    keys: Vec<i32>,
    dictionary: Option<Arc<Dictionary>>,
}

impl Keys {
    pub fn new(rows: usize) -> Keys {
        Keys { keys: Vec::with_capacity(rows), dictionary: None }
    }
}

/// The texts of a dictionary.
fn texts(page: Buffer, count: usize) -> Option<Known> {
    let mut texts = Texts::new(could_hold(&page, count)?);
    texts.add_plain(page, count, &Picks::Range(0..count))?;
    Some(Known::Texts(Dictionary::new(texts.views(None))))
}

impl Gather for Keys {
    fn dictionary(page: Buffer, count: usize) -> Option<Known> {
        texts(page, count)
    }

    fn know(&mut self, dictionary: &Known) -> Option<()> {
        let Known::Texts(texts) = dictionary else { return None };
        self.dictionary = Some(texts.clone());
        Some(())
    }

    fn add_keyed(&mut self, keys: Runs<'_>, picks: &Picks<'_>) -> Option<()> {
        let known = self.dictionary.as_ref().map_or(0, |dictionary| dictionary.len());
        add_known(keys, picks, known, &mut self.keys)
    }

    fn add_plain(&mut self, _: Buffer, _: usize, _: &Picks<'_>) -> Option<()> {
        None
    }

    fn spread(&mut self, rows: &BooleanBuffer) {
        spread(&mut self.keys, rows);
    }

    fn finish(self, nulls: Option<NullBuffer>) -> Column {
        // Where there is no dictionary, all rows are null.
        let dictionary = self.dictionary.unwrap_or_else(|| Dictionary::new(StringViewArray::new_null(0)));
        let keys = Int32Array::new(self.keys.into(), nulls);
        if keys.len() < dictionary.len() {
            // Nobody needs to look at the texts that no row has.
            return Column::strings(gather::views(&dictionary.values, &keys));
        }
        Column::Text(Kind::String, Text::Dictionary(keys, dictionary))
    }
}

/// Texts as views of the pages they stand in.
pub struct Texts {
    views: Vec<u128>,
    dictionary: Option<Arc<Dictionary>>,
    keys: Vec<i32>,
    /// The first one is that of the texts which are copied.
    pages: Vec<Buffer>,
    copied: Vec<u8>,
}

impl Texts {
    pub fn new(rows: usize) -> Texts {
        let (dictionary, keys, copied) = (None, Vec::new(), Vec::new());
        Texts { views: Vec::with_capacity(rows), dictionary, keys, pages: vec![Buffer::default()], copied }
    }

    fn views(self, nulls: Option<NullBuffer>) -> StringViewArray {
        let mut pages = self.pages;
        if let Some(first) = pages.first_mut() {
            *first = self.copied.into();
        }
        // SAFETY: every view is of a text within its page, or within what is copied, that was seen to be UTF-8.
        unsafe { StringViewArray::new_unchecked(self.views.into(), pages.into(), nulls) }
    }

    /// Adds a page, and the views of its texts.
    fn add_page(&mut self, page: Buffer, range: &Range<usize>) -> Option<()> {
        let number = u32::try_from(self.pages.len()).ok()?;
        let is_ascii = page.is_ascii();
        let mut at = 0;
        for place in 0..range.end {
            let (start, end) = text_at(&page, at)?;
            at = end;
            if place >= range.start {
                if !is_ascii {
                    std::str::from_utf8(page.get(start..end)?).ok()?;
                }
                self.views.push(views::in_buffer(import::view_of(&page, start, end), number));
            }
        }
        self.pages.push(page);
        Some(())
    }

    /// Adds some texts of a page that is then no longer needed.
    fn copy(&mut self, page: &[u8], rows: &[u32]) -> Option<()> {
        let (mut at, mut place) = (0, 0);
        for row in rows {
            while place < *row {
                (_, at) = text_at(page, at)?;
                place += 1;
            }
            let (start, end) = text_at(page, at)?;
            (at, place) = (end, place + 1);
            let text = std::str::from_utf8(page.get(start..end)?).ok()?;
            let first = self.copied.len();
            if text.len() > views::INLINE {
                u32::try_from(first + text.len()).ok()?;
                self.copied.extend_from_slice(text.as_bytes());
                self.views.push(import::view_of(&self.copied, first, first + text.len()));
            } else {
                self.views.push(import::view_of(page, start, end));
            }
        }
        Some(())
    }
}

/// The number of texts, where a page has so much room: each one's length takes four bytes.
fn could_hold(page: &[u8], texts: usize) -> Option<usize> {
    (texts <= page.len() / 4).then_some(texts)
}

/// Where the text is that is written at a place behind its length, of four bytes.
#[inline(always)]
fn text_at(page: &[u8], at: usize) -> Option<(usize, usize)> {
    let length = page.get(at..)?.first_chunk::<4>()?;
    let start = at + 4;
    let end = start.checked_add(u32::from_le_bytes(*length) as usize)?;
    (end <= page.len()).then_some((start, end))
}

impl Gather for Texts {
    fn dictionary(page: Buffer, count: usize) -> Option<Known> {
        texts(page, count)
    }

    /// It comes before all pages: its texts' views name the buffer that it has among them.
    fn know(&mut self, dictionary: &Known) -> Option<()> {
        let Known::Texts(texts) = dictionary else { return None };
        let page = texts.values.data_buffers().get(1)?;
        if self.pages.len() > 1 {
            return None;
        }
        self.pages.push(page.clone());
        self.dictionary = Some(texts.clone());
        Some(())
    }

    fn add_keyed(&mut self, keys: Runs<'_>, picks: &Picks<'_>) -> Option<()> {
        let known = self.dictionary.as_ref().map_or(&[][..], |texts| texts.values.views());
        self.keys.clear();
        add_known(keys, picks, known.len(), &mut self.keys)?;
        self.views.extend(self.keys.iter().map(|key| known[*key as usize]));
        Some(())
    }

    fn add_plain(&mut self, page: Buffer, count: usize, picks: &Picks<'_>) -> Option<()> {
        /// Of so many texts one is enough to keep their page.
        const TEXTS_PER_PICK: usize = 4;
        match picks {
            _ if picks.end() > count => None,
            Picks::Range(range) => self.add_page(page, range),
            Picks::Each(rows) if rows.len() * TEXTS_PER_PICK < count => self.copy(&page, rows),
            Picks::Each(rows) => {
                let first = self.views.len();
                self.add_page(page, &(0..picks.end()))?;
                rows.iter()
                    .enumerate()
                    .for_each(|(at, row)| self.views[first + at] = self.views[first + *row as usize]);
                self.views.truncate(first + rows.len());
                Some(())
            }
        }
    }

    fn spread(&mut self, rows: &BooleanBuffer) {
        spread(&mut self.views, rows);
    }

    fn finish(self, nulls: Option<NullBuffer>) -> Column {
        Column::strings(self.views(nulls))
    }
}
