//! The columns of a row group, decoded when they are asked for: most of them page by page, only the rows that are asked
//! for; others as a whole by the library, or before that by a thread without work.
use super::Shared;
use super::flat::{Flat, Form, Known};
use super::picks::Unread;
use crate::diagnostic::Result;
use crate::plan::Morsel;
use crate::types::{Column, Kind, gather, import};
use arrow_array::{Array, ArrayRef};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What the stretches of a row group share.
pub struct GroupColumns {
    file: Arc<Shared>,
    group: usize,
    layout: OnceLock<ArrowReaderMetadata>,
    decoded: Vec<Decoded>,
}

/// A wanted column.
#[derive(Default)]
struct Decoded {
    /// How it is read page by page, where it can be.
    form: Option<Form>,
    /// What was read of it for the stretches of a group that is cut. The rest is for what the library reads.
    dictionary: OnceLock<Known>,
    /// Whether some rows of it were read by themselves: for more it is read as a whole.
    was_picked_from: AtomicBool,
    is_begun: AtomicBool,
    /// None where it cannot be read: whoever asks for it reads it again, and tells why.
    whole: OnceLock<Option<Vec<ArrayRef>>>,
}

impl GroupColumns {
    pub fn new(file: Arc<Shared>, group: usize) -> GroupColumns {
        let form = |at: usize| file.form(group, file.place(at)?);
        let decoded = |at: usize| Decoded { form: form(at), ..Decoded::default() };
        let decoded = (0..file.reading.kinds.len()).map(decoded).collect();
        GroupColumns { file, group, layout: OnceLock::new(), decoded }
    }

    pub fn group(&self) -> usize {
        self.group
    }

    fn layout(&self) -> Result<ArrowReaderMetadata> {
        if let Some(known) = self.layout.get() {
            return Ok(known.clone());
        }
        let made = self.file.layout(self.group)?;
        Ok(self.layout.get_or_init(|| made).clone())
    }

    fn load(&self, place: usize, ranges: &[Range<usize>]) -> Result<Vec<ArrayRef>> {
        self.file.load(self.group, &self.layout()?, place, ranges)
    }

    /// Decodes a whole column, unless somebody has begun it.
    fn decode_ahead(&self, at: usize) {
        let Some((decoded, place)) = self.decoded.get(at).zip(self.file.place(at)) else { return };
        if !decoded.was_picked_from.load(Ordering::Relaxed) && !decoded.is_begun.swap(true, Ordering::AcqRel) {
            decoded.whole.get_or_init(|| self.load(place, &[]).ok());
        }
    }

    /// A whole column. While another thread decodes it, this one begins on what it is expected to ask for next.
    fn whole(&self, decoded: &Decoded, place: usize) -> Result<Vec<ArrayRef>> {
        if decoded.is_begun.swap(true, Ordering::AcqRel) {
            while decoded.whole.get().is_none() && rayon::yield_local() == Some(rayon::Yield::Executed) {}
        }
        match decoded.whole.get_or_init(|| self.load(place, &[]).ok()) {
            Some(arrays) => Ok(arrays.clone()),
            None => self.load(place, &[]),
        }
    }
}

/// Some rows of a row group.
pub struct StretchRows {
    columns: Arc<GroupColumns>,
    rows: Range<usize>,
    /// Whether the misfits of a column are counted already.
    told: Vec<AtomicBool>,
}

impl StretchRows {
    pub fn new(columns: Arc<GroupColumns>, rows: Range<usize>) -> StretchRows {
        let told = columns.decoded.iter().map(|_| AtomicBool::new(false)).collect();
        StretchRows { columns, rows, told }
    }

    /// A column that is read page by page, only these rows of it, with the kind it has by itself.
    fn flat(&self, at: usize, place: usize, rows: Option<&[u32]>) -> Option<Column> {
        let decoded = self.columns.decoded.get(at)?;
        let (file, group) = (&self.columns.file, self.columns.group);
        let own = OnceLock::new();
        let is_cut = self.rows.len() < file.rows(group);
        let flat = Flat { form: decoded.form?, dictionary: if is_cut { &decoded.dictionary } else { &own } };
        file.flat(group, place, flat, Unread::new(&self.rows, rows)?)
    }

    /// The rows of a column, as one of any kind.
    fn read<'a>(
        &'a self,
        at: usize,
        place: usize,
        rows: Option<&'a [u32]>,
    ) -> Result<Box<dyn Fn(Kind) -> Column + 'a>> {
        if let Some(column) = self.flat(at, place, rows) {
            return Ok(Box::new(move |kind| import::as_kind(column.clone(), kind)));
        }
        let (arrays, rows) = self.arrays(at, place, rows)?;
        Ok(Box::new(move |kind| self.of_kind(&arrays, kind, rows)))
    }

    /// A column as the library gives it, and which of its rows are to be picked out of that.
    fn arrays<'a>(
        &self,
        at: usize,
        place: usize,
        rows: Option<&'a [u32]>,
    ) -> Result<(Vec<ArrayRef>, Option<&'a [u32]>)> {
        let Some(decoded) = self.columns.decoded.get(at) else { return Ok((Vec::new(), rows)) };
        let picked = rows.and_then(|rows| runs(rows, &self.rows)).filter(|_| {
            !decoded.is_begun.load(Ordering::Acquire) && !decoded.was_picked_from.swap(true, Ordering::Relaxed)
        });
        if let Some(ranges) = picked {
            // Only these rows are read: there is nothing left to pick.
            return Ok((self.columns.load(place, &ranges)?, None));
        }
        if self.rows.len() == self.columns.file.rows(self.columns.group) && !decoded.is_begun.load(Ordering::Acquire) {
            // Nobody else asks for it: it need not be kept.
            decoded.was_picked_from.store(true, Ordering::Relaxed);
            return Ok((self.columns.load(place, &[])?, rows));
        }
        Ok((slice(self.columns.whole(decoded, place)?, &self.rows), rows))
    }

    fn of_kind(&self, arrays: &[ArrayRef], kind: Kind, rows: Option<&[u32]>) -> Column {
        if let [array] = arrays {
            return import::load(array, kind, rows);
        }
        let parts: Vec<Column> = arrays.iter().map(|array| import::load(array, kind, None)).collect();
        let whole = gather::concat(&parts).unwrap_or_else(|| Column::nulls(kind, rows.map_or(0, |_| self.rows.len())));
        match rows {
            Some(rows) => gather::take(&whole, rows),
            None => whole,
        }
    }

    /// Counts the values that the column's kind has no room for.
    fn count_misfits(&self, at: usize, texts: &Column, column: &Column) {
        let is_lost = |row: &usize| column.is_null(*row) && texts.text(*row).is_some_and(|t| !t.trim().is_empty());
        let lost = (0..column.len()).filter(is_lost).count() as u64;
        let file = &self.columns.file;
        let name = file.reading.wanted.names.get(at).map_or("", |name| name);
        if lost > 0 && self.told.get(at).is_some_and(|told| !told.swap(true, Ordering::Relaxed)) {
            let reason = format!("a value of `{name}` is no {}: it is null", column.kind());
            file.reading.problems.values(file.number, reason, lost);
        }
    }
}

/// The rows of a range, of a column in arrays one behind the other.
fn slice(arrays: Vec<ArrayRef>, rows: &Range<usize>) -> Vec<ArrayRef> {
    let mut before = 0;
    let mut out = Vec::with_capacity(1);
    for array in arrays {
        let (start, end) = (rows.start.max(before), rows.end.min(before + array.len()));
        if start < end {
            out.push(array.slice(start - before, end - start));
        }
        before += array.len();
    }
    out
}

/// The runs in the row group that some rows of a stretch lie in, where they are so few that skipping the others
/// spares work; none for any others.
fn runs(rows: &[u32], stretch: &Range<usize>) -> Option<Vec<Range<usize>>> {
    const ROWS_PER_RUN: usize = 24;
    let all = stretch.len();
    let ascending = rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|last| (*last as usize) < all);
    if !ascending || rows.len() * 2 > all {
        return None;
    }
    let run = |run: &[u32]| Some(stretch.start + *run.first()? as usize..stretch.start + *run.last()? as usize + 1);
    let ranges: Vec<_> = rows.chunk_by(|a, b| a + 1 == *b).filter_map(run).collect();
    (ranges.len() * ROWS_PER_RUN < all).then_some(ranges)
}

impl Morsel for StretchRows {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn lies_in_window(&self) -> bool {
        self.columns.file.lies_in_window(self.columns.group)
    }

    fn expect(&self, columns: &[usize]) {
        if rayon::current_thread_index().is_none() || rayon::current_num_threads() < 2 {
            return;
        }
        let is_whole = |at: &usize| self.columns.decoded.get(*at).is_some_and(|decoded| decoded.form.is_none());
        // The first one is asked for at once.
        for at in columns.iter().skip(1).copied().filter(is_whole) {
            let columns = Arc::downgrade(&self.columns);
            rayon::spawn_fifo(move || {
                if let Some(columns) = columns.upgrade() {
                    columns.decode_ahead(at);
                }
            });
        }
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        let file = &self.columns.file;
        let kind = file.reading.kinds.get(at).copied().unwrap_or(Kind::String);
        let Some(place) = file.place(at) else {
            return Ok(Column::nulls(kind, rows.map_or(self.rows.len(), <[u32]>::len)));
        };
        if rows.is_some_and(<[u32]>::is_empty) {
            return Ok(Column::nulls(kind, 0));
        }
        let of_kind = self.read(at, place, rows)?;
        let column = of_kind(kind);
        let is_other = import::natural_kind(file.schema.field(place)) != kind;
        if is_other && kind != Kind::String && column.null_buffer().is_some() {
            self.count_misfits(at, &of_kind(Kind::String), &column);
        }
        Ok(column)
    }
}
