//! Building text columns of which most rows are parts of another column's texts.
use super::number::{Digits, SMALL, short_digits};
use super::{Column, Kind, Text, Value};
use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer};

/// Builds a text column. A text that lies inside the source column's text of the same row is kept as a view of
/// it; others are copied.
pub struct Pieces {
    kind: Kind,
    source: Option<StringViewArray>,
    buffers: Vec<Buffer>,
    open: String,
    views: Vec<u128>,
    nulls: Vec<u32>,
}

/// Bytes of one block of copied texts.
const BLOCK: usize = 1 << 20;

impl Pieces {
    /// `source` is any column that texts are likely to be parts of.
    pub fn new(kind: Kind, source: Option<&Column>, rows: usize) -> Pieces {
        let source = match source {
            Some(Column::Text(_, Text::Views(views))) if !views.data_buffers().is_empty() => Some(views.clone()),
            _ => None,
        };
        let buffers = source.as_ref().map_or_else(Vec::new, |s| s.data_buffers().to_vec());
        Pieces { kind, source, buffers, open: String::new(), views: Vec::with_capacity(rows), nulls: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Appends a text, which may be part of the source's text in row `row`.
    #[inline]
    pub fn push(&mut self, row: usize, text: &str) {
        let view = match text.len() <= 12 {
            true => inline(text.as_bytes()),
            false => self.shared(row, text).unwrap_or_else(|| self.copied(text)),
        };
        self.views.push(view);
    }

    /// Appends a long's decimal digits.
    #[inline]
    pub fn push_long(&mut self, value: i64) {
        if let Some(view) = usize::try_from(value).ok().and_then(|value| SMALL.get(value)) {
            return self.views.push(*view);
        }
        match short_digits(value) {
            Some((length @ ..=12, digits)) => self.views.push(digits << 32 | length as u128),
            _ => {
                let view = self.copied(Digits::of(value).as_str());
                self.views.push(view);
            }
        }
    }

    /// Appends the text that `write` appends to what it is given, which stays where it is; a null (or `""`) where it
    /// says false.
    #[inline]
    pub fn write(&mut self, write: impl FnOnce(&mut String) -> bool) {
        if self.open.len() >= BLOCK {
            self.close();
        }
        let start = self.open.len();
        let present = write(&mut self.open);
        let text = self.open.as_bytes().get(start..).unwrap_or_default();
        let view = match text.len() {
            _ if !present => None,
            0..=12 => Some(inline(text)),
            _ => return self.views.push(long(text, self.buffers.len() as u32, start as u32)),
        };
        self.open.truncate(start);
        match view {
            Some(view) => self.views.push(view),
            None => self.push_null(),
        }
    }

    /// Appends one text many times; its bytes are stored once.
    pub fn repeat(&mut self, text: &str, times: usize) {
        if times > 0 {
            let view = if text.len() <= 12 { inline(text.as_bytes()) } else { self.copied(text) };
            self.views.extend(std::iter::repeat_n(view, times));
        }
    }

    /// Appends a null; for kind string the empty text.
    pub fn push_null(&mut self) {
        if self.kind != Kind::String {
            self.nulls.push(self.views.len() as u32);
        }
        self.views.push(0);
    }

    /// The view of a text that lies in the source's text of that row.
    #[inline]
    fn shared(&self, row: usize, text: &str) -> Option<u128> {
        let source = self.source.as_ref()?;
        let view = *source.views().get(row)?;
        let (length, buffer, offset) = (view as u32, (view >> 64) as u32, (view >> 96) as u32);
        if length <= 12 {
            return None;
        }
        let held = self.buffers.get(buffer as usize)?.get(offset as usize..offset as usize + length as usize)?;
        let start = (text.as_ptr() as usize).checked_sub(held.as_ptr() as usize)?;
        // Within the row's own bytes: its end lies there too.
        (start + text.len() <= held.len()).then(|| long(text.as_bytes(), buffer, offset + start as u32))
    }

    fn copied(&mut self, text: &str) -> u128 {
        if !self.open.is_empty() && self.open.len() + text.len() > BLOCK {
            self.close();
        }
        let offset = self.open.len() as u32;
        self.open.push_str(text);
        long(text.as_bytes(), self.buffers.len() as u32, offset)
    }

    /// Where one block was filled, another one may be.
    #[cold]
    fn close(&mut self) {
        let full = std::mem::replace(&mut self.open, String::with_capacity(BLOCK + BLOCK / 64));
        self.buffers.push(Buffer::from_vec(full.into_bytes()));
    }

    pub fn finish(mut self) -> Column {
        let rows = self.views.len();
        if !self.open.is_empty() {
            self.buffers.push(Buffer::from_vec(self.open.into_bytes()));
        }
        let nulls = (!self.nulls.is_empty()).then(|| {
            let mut valid = arrow_buffer::BooleanBufferBuilder::new(rows);
            valid.append_n(rows, true);
            self.nulls.iter().for_each(|row| valid.set_bit(*row as usize, false));
            NullBuffer::new(valid.finish())
        });
        // SAFETY: every view holds its text itself, or points at whole characters of one of these buffers.
        let views = unsafe { StringViewArray::new_unchecked(self.views.into(), self.buffers.into(), nulls) };
        Column::Text(self.kind, Text::Views(views))
    }
}

/// The view of a text of at most 12 bytes. Two loads that overlap take any number of bytes; a copy of so many as
/// there are would be a call.
#[inline(always)]
fn inline(bytes: &[u8]) -> u128 {
    let length = bytes.len();
    let held = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << (8 * (length - 8))
        }
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => u128::from(
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4)),
            ),
            _ => bytes.iter().rev().fold(0, |held, byte| held << 8 | u128::from(*byte)),
        },
    };
    held << 32 | length as u128
}

/// The view of a longer text that stands at a place of a buffer.
#[inline(always)]
fn long(bytes: &[u8], buffer: u32, offset: u32) -> u128 {
    let prefix = bytes.first_chunk::<4>().map_or(0, |four| u32::from_le_bytes(*four));
    bytes.len() as u32 as u128 | (prefix as u128) << 32 | (buffer as u128) << 64 | (offset as u128) << 96
}

impl Column {
    /// The column of the texts that `write` appends for each of so many rows; null (or `""`) where it says false.
    pub fn write_text(kind: Kind, rows: usize, mut write: impl FnMut(usize, &mut String) -> bool) -> Column {
        let mut pieces = Pieces::new(kind, None, rows);
        (0..rows).for_each(|row| pieces.write(|out| write(row, out)));
        pieces.finish()
    }

    /// The column of the text that `make` gives for each row's text; null (or `""`) where it gives none.
    pub fn map_text<'a, T: AsRef<str>>(&'a self, kind: Kind, make: impl Fn(&'a str) -> Option<T>) -> Column {
        if let Column::Const(value, rows) = self {
            let made = value.as_text().and_then(make);
            let none = || Value::null(kind);
            return Column::Const(made.map_or_else(none, |t| Value::Text(kind, t.as_ref().into())), *rows);
        }
        let mut pieces = Pieces::new(kind, Some(self), self.len());
        for row in 0..self.len() {
            match self.text(row).and_then(&make) {
                Some(text) => pieces.push(row, text.as_ref()),
                None => pieces.push_null(),
            }
        }
        pieces.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_and_numbers_lie_in_their_views() {
        let texts: Vec<String> = (0..=14).map(|length| "abcdefghijklmn".chars().take(length).collect()).collect();
        let mut pieces = Pieces::new(Kind::String, None, 0);
        texts.iter().for_each(|text| pieces.push(0, text));
        let longs = [0, 7, -7, 99, 100, -12345, 123456789012, -12345678901, 1234567890123, i64::MIN, i64::MAX];
        longs.iter().for_each(|long| pieces.push_long(*long));
        let write = |text: &str, out: &mut String| {
            out.push_str(text);
            true
        };
        texts.iter().for_each(|text| pieces.write(|out| write(text, out)));
        let Column::Text(_, Text::Views(views)) = pieces.finish() else { panic!() };
        let longs = longs.iter().map(i64::to_string);
        let expected: Vec<String> = texts.iter().cloned().chain(longs).chain(texts.iter().cloned()).collect();
        assert_eq!(views.iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>(), expected);
        assert_eq!(views, StringViewArray::from_iter_values(&expected));
        StringViewArray::try_new(views.views().clone(), views.data_buffers().clone(), None).unwrap();
    }

    #[test]
    fn texts_are_written_where_they_stay() {
        let text = |row: usize| "long text ".repeat(row % 3000);
        let made = Column::write_text(Kind::Dynamic, 400, |row, out| {
            out.push_str(&text(row * 7));
            row % 5 != 0
        });
        for row in 0..400 {
            let expected = (row % 5 != 0).then(|| text(row * 7));
            assert_eq!(made.text(row), expected.as_deref(), "{row}");
        }
        let Column::Text(_, Text::Views(views)) = made else { panic!() };
        assert!(views.data_buffers().len() > 1);
        StringViewArray::try_new(views.views().clone(), views.data_buffers().clone(), None).unwrap();
    }

    #[test]
    fn parts_are_shared_and_others_copied() {
        let texts = ["a text of many bytes, and more of them", "short", "another text that is long"];
        let source = Column::strings(StringViewArray::from_iter_values(texts));
        let mut pieces = Pieces::new(Kind::String, Some(&source), 3);
        pieces.push(0, source.text(0).unwrap().get(2..22).unwrap());
        pieces.push(1, "a copied text of many bytes");
        pieces.push_null();
        let made = pieces.finish();
        let expected = ["text of many bytes, ", "a copied text of many bytes", ""];
        assert_eq!((0..3).map(|row| made.text(row).unwrap()).collect::<Vec<_>>(), expected);
        let (Column::Text(_, Text::Views(made)), Column::Text(_, Text::Views(source))) = (made, source) else {
            panic!()
        };
        assert_eq!(made.data_buffers().len(), source.data_buffers().len() + 1);
        StringViewArray::try_new(made.views().clone(), made.data_buffers().clone(), None).unwrap();
    }
}
