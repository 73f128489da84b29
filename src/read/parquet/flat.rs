//! Columns without nesting, in the encodings that nearly all files have: decoded page by page, and only the rows that
//! are asked for. Whatever is unusual or damaged is left to the library's own reader, which also tells what is wrong.
//!
//! The library opens, decompresses and skips pages here, too. Its own reader makes arrays of all rows of a selection's
//! batches, which took a quarter more processor time over rules that keep few rows.
use super::gather::{Gather, Keys, Numbers, Texts};
use super::picks::{Picks, Unread};
use super::runs::{Run, Runs};
use crate::types::{Column, Dictionary, import};
use arrow_array::{Float64Array, Int32Array, Int64Array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, NullBufferBuilder};
use arrow_schema::{DataType, TimeUnit};
use bytes::{Buf, Bytes};
use parquet::basic::{ConvertedType, Encoding, LogicalType, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length, SerializedPageReader};
use parquet::schema::types::ColumnDescriptor;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

/// How the values of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Ticks(TimeUnit),
    Long,
    Int,
    Real,
    /// Texts, all of them keys of a dictionary.
    Keys,
    Texts,
}

impl Form {
    /// The form of a column, where it has one that is known here.
    pub fn of(column: &ColumnDescriptor, data_type: &DataType) -> Option<Form> {
        if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() > 1 {
            return None;
        }
        match (column.physical_type(), data_type) {
            (Type::INT64, DataType::Timestamp(unit, _)) if is_counted_in(column, *unit) => Some(Form::Ticks(*unit)),
            (Type::INT64, DataType::Int64) => Some(Form::Long),
            (Type::INT32, DataType::Int32) => Some(Form::Int),
            (Type::DOUBLE, DataType::Float64) => Some(Form::Real),
            (Type::BYTE_ARRAY, DataType::Dictionary(_, texts)) if **texts == DataType::Utf8 => Some(Form::Keys),
            (Type::BYTE_ARRAY, DataType::Utf8View) => Some(Form::Texts),
            _ => None,
        }
    }
}

/// Whether the file counts a column's times as its Arrow type does.
fn is_counted_in(column: &ColumnDescriptor, unit: TimeUnit) -> bool {
    use parquet::basic::TimeUnit as Unit;
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(time)), _) => matches!(
            (time.unit, unit),
            (Unit::MILLIS, TimeUnit::Millisecond)
                | (Unit::MICROS, TimeUnit::Microsecond)
                | (Unit::NANOS, TimeUnit::Nanosecond)
        ),
        (None, ConvertedType::TIMESTAMP_MILLIS) => unit == TimeUnit::Millisecond,
        (None, ConvertedType::TIMESTAMP_MICROS) => unit == TimeUnit::Microsecond,
        _ => false,
    }
}

/// How a column of a row group is read.
pub struct Flat<'a> {
    pub form: Form,
    /// The column's dictionary, for whoever else reads of it.
    pub dictionary: &'a OnceLock<Known>,
}

/// A dictionary that was read.
#[derive(Clone, Debug)]
pub enum Known {
    /// Numbers, as they are written.
    Numbers(Buffer),
    Texts(Arc<Dictionary>),
}

/// A vector is begun with room for no more rows: what a damaged file claims to have is not believed.
const MOST_AT_FIRST: usize = 1 << 20;

impl<'a> Flat<'a> {
    /// The rows that are asked for, of so many; none for what is to be read by the library.
    pub fn read(&self, file: File, chunk: &ColumnChunkMetaData, all: usize, unread: Unread<'a>) -> Option<Column> {
        let rows = unread.len().min(MOST_AT_FIRST);
        let pages = Pages::open(file, chunk, all, unread, self.dictionary)?;
        let number = i64::from_le_bytes;
        let longs = |values: Vec<i64>, nulls| Int64Array::new(values.into(), nulls);
        let times = |values, nulls| Column::DateTime(longs(values, nulls));
        match self.form {
            Form::Long => pages.gather(Numbers::new(rows, number, |values, nulls| Column::Long(longs(values, nulls)))),
            Form::Ticks(unit) => {
                pages.gather(Numbers::new(rows, move |bytes| import::ticks_of(number(bytes), unit), times))
            }
            Form::Int => pages.gather(Numbers::new(rows, i32::from_le_bytes, |values, nulls| {
                Column::Int(Int32Array::new(values.into(), nulls))
            })),
            Form::Real => pages.gather(Numbers::new(rows, f64::from_le_bytes, |values, nulls| {
                Column::Real(Float64Array::new(values.into(), nulls))
            })),
            Form::Texts => pages.gather(Texts::new(rows)),
            Form::Keys => pages.gather(Keys::new(rows)),
        }
    }
}

/// The bytes of a column chunk. Over the file itself the library would ask the system several times for each page.
struct ChunkBytes {
    start: u64,
    bytes: Bytes,
}

impl ChunkBytes {
    fn read(mut file: File, start: u64, length: u64) -> std::io::Result<ChunkBytes> {
        // A damaged file may claim any length.
        let behind = file.metadata()?.len().saturating_sub(start);
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(behind)).unwrap_or_default());
        file.seek(SeekFrom::Start(start))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(ChunkBytes { start, bytes: bytes.into() })
    }

    fn behind(&self, place: u64) -> parquet::errors::Result<Bytes> {
        let at = place.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| *at <= self.bytes.len());
        at.map(|at| self.bytes.slice(at..)).ok_or_else(|| ParquetError::EOF("outside of the column".to_owned()))
    }
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for ChunkBytes {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.behind(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let rest = self.behind(start)?;
        match length <= rest.len() {
            true => Ok(rest.slice(..length)),
            false => Err(ParquetError::EOF("the column ends early".to_owned())),
        }
    }
}

/// The pages of a chunk that hold rows which are asked for.
struct Pages<'a> {
    reader: SerializedPageReader<ChunkBytes>,
    unread: Unread<'a>,
    /// Whether there may be rows without a value.
    is_nullable: bool,
    /// How many rows of the group come before the next page.
    before: usize,
    rows: usize,
    nulls: NullBufferBuilder,
    dictionary: &'a OnceLock<Known>,
}

impl<'a> Pages<'a> {
    fn open(
        file: File,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        unread: Unread<'a>,
        dictionary: &'a OnceLock<Known>,
    ) -> Option<Pages<'a>> {
        let (start, length) = chunk.byte_range();
        let bytes = Arc::new(ChunkBytes::read(file, start, length).ok()?);
        let is_nullable = chunk.column_descr().max_def_level() > 0;
        let reader = SerializedPageReader::new(bytes, chunk, rows, None).ok()?;
        let nulls = NullBufferBuilder::new(unread.len().min(MOST_AT_FIRST));
        Some(Pages { reader, unread, is_nullable, before: 0, rows, nulls, dictionary })
    }

    fn gather(mut self, mut values: impl Gather) -> Option<Column> {
        self.pass(&mut values)?;
        Some(values.finish(self.nulls.finish()))
    }

    /// Hands on the values of all pages that are asked for.
    fn pass(&mut self, values: &mut impl Gather) -> Option<()> {
        while !self.unread.is_done() {
            let next = self.reader.peek_next_page().ok()??;
            if next.is_dict {
                self.dictionary(values)?;
                continue;
            }
            let rows = self.before..self.before.checked_add(next.num_levels.or(next.num_rows)?)?;
            self.before = rows.end;
            if rows.end > self.rows {
                return None;
            }
            let picks = self.unread.of_page(rows.clone());
            if picks.is_empty() {
                self.reader.skip_next_page().ok()?;
                continue;
            }
            let page = DataPage::of(self.reader.get_next_page().ok()??, self.is_nullable)?;
            page.hand(rows.len(), &picks, values, &mut self.nulls)?;
        }
        Some(())
    }

    /// Reads the dictionary, where nobody has done so before.
    fn dictionary<G: Gather>(&mut self, values: &mut G) -> Option<()> {
        if let Some(known) = self.dictionary.get() {
            self.reader.skip_next_page().ok()?;
            return values.know(known);
        }
        match self.reader.get_next_page().ok()?? {
            Page::DictionaryPage {
                buf, num_values, encoding: Encoding::PLAIN | Encoding::PLAIN_DICTIONARY, ..
            } => {
                let read = G::dictionary(buf.into(), num_values as usize)?;
                values.know(self.dictionary.get_or_init(|| read))
            }
            _ => None,
        }
    }
}

/// The two parts of a page: which rows have values, and these.
struct DataPage {
    levels: Option<Bytes>,
    values: Bytes,
    encoding: Encoding,
}

impl DataPage {
    fn of(page: Page, is_nullable: bool) -> Option<DataPage> {
        match page {
            Page::DataPage { buf, encoding, .. } if !is_nullable => {
                Some(DataPage { levels: None, values: buf, encoding })
            }
            Page::DataPage { mut buf, encoding, def_level_encoding: Encoding::RLE, .. } => {
                let length = u32::from_le_bytes(*buf.first_chunk::<4>()?) as usize;
                buf.advance(4);
                let levels = (length <= buf.len()).then(|| buf.split_to(length))?;
                Some(DataPage { levels: Some(levels), values: buf, encoding })
            }
            Page::DataPageV2 { mut buf, encoding, def_levels_byte_len, rep_levels_byte_len: 0, .. } => {
                let length = def_levels_byte_len as usize;
                let levels = (length <= buf.len()).then(|| buf.split_to(length))?;
                Some(DataPage { levels: is_nullable.then_some(levels), values: buf, encoding })
            }
            _ => None,
        }
    }

    /// Hands the picked ones of so many rows on.
    fn hand(
        self,
        rows: usize,
        picks: &Picks<'_>,
        values: &mut impl Gather,
        nulls: &mut NullBufferBuilder,
    ) -> Option<()> {
        let present = match &self.levels {
            Some(levels) => present(levels, rows)?,
            None => None,
        };
        let Some(present) = present else {
            nulls.append_n_non_nulls(picks.len());
            return self.hand_values(rows, picks, values);
        };
        let mut room = Vec::new();
        let (picked, among) = (picks.bits(&present), picks.among(&present, &mut room));
        if !among.is_empty() {
            self.hand_values(present.count_set_bits(), &among, values)?;
        }
        values.spread(&picked);
        nulls.append_buffer(&NullBuffer::new(picked));
        Some(())
    }

    /// Hands the picked ones of so many values on.
    fn hand_values(self, count: usize, picks: &Picks<'_>, values: &mut impl Gather) -> Option<()> {
        match self.encoding {
            Encoding::PLAIN => values.add_plain(Buffer::from(self.values), count, picks),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                let (width, keys) = self.values.split_first()?;
                values.add_keyed(Runs::new(keys, *width)?, picks)
            }
            _ => None,
        }
    }
}

/// Which of so many rows have a value; none inside where all have. None where the levels do not tell.
fn present(levels: &[u8], rows: usize) -> Option<Option<BooleanBuffer>> {
    let mut runs = Runs::new(levels, 1)?;
    let mut known = match runs.next()? {
        Run::Same(1, count) if count >= rows => return Some(None),
        first => {
            let mut known = BooleanBufferBuilder::new(rows.min(MOST_AT_FIRST));
            append(&mut known, &first, rows);
            known
        }
    };
    for run in runs {
        let room = rows - known.len();
        append(&mut known, &run, room);
    }
    (known.len() == rows).then(|| Some(known.finish()))
}

/// Appends the bits of a run, no more than there is room for.
fn append(bits: &mut BooleanBufferBuilder, run: &Run<'_>, room: usize) {
    let count = run.count().min(room);
    match run {
        Run::Same(bit, _) => bits.append_n(count, *bit == 1),
        Run::Packed(packed) => bits.append_packed_range(0..count, packed.bits()),
    }
}
