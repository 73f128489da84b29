//! Files of text records: cut into blocks at record ends, and parsed block by block.
use super::block::{Block, LONGEST_RECORD, PADDING};
use super::cell::Bytes;
use super::input::{Compression, Input, open_file, read_at, unreadable};
use super::problems::Found;
use super::rows::{Parser, Rows, Wanted};
use super::source::{Next, Pieces, Reading, SourceFile};
use super::values::{self, Misfit};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::{Morsel, Piece};
use crate::types::{Column, Kind, Name, Schema};
use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};

/// What is known of a text file by its head: how its records are told apart and read.
pub trait Form: Debug + Send + Sync {
    /// Whether every line end ends a record and nothing before it matters: then threads read where they like.
    fn lines(&self) -> bool;

    /// Finds record ends in bytes that are read one after the other.
    fn cutter(&self) -> Box<dyn Cutter>;

    /// The names of the columns, as far as some first records tell.
    fn names(&self, sample: &Block) -> Vec<Name>;

    /// The columns and their kinds, where the file itself states them.
    fn declared(&self) -> Option<Schema> {
        None
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser>;
}

/// Cuts bytes behind their last whole record.
pub trait Cutter: Send {
    /// The length of the whole records of `bytes`; 0 where the first does not end in them. At the end of the file
    /// all of it is records.
    fn cut(&mut self, bytes: &[u8]) -> usize;

    /// What the block that begins at the last cut must know of the text before it.
    fn context(&self) -> Option<Arc<str>> {
        None
    }

    /// What is missing where the file ends with these bytes behind the last cut.
    fn unfinished(&mut self, _rest: &[u8]) -> Option<&'static str> {
        None
    }
}

/// Every line is a record.
pub struct Lines;

impl Cutter for Lines {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        memchr::memrchr(b'\n', bytes).map_or(0, |line| line + 1)
    }
}

/// A text file and its form.
#[derive(Debug)]
pub struct TextFile {
    pub input: Input,
    pub form: Arc<dyn Form>,
}

impl SourceFile for TextFile {
    fn most_pieces(&self, block: usize) -> Option<u32> {
        let plain = self.input.compression == Compression::None;
        plain.then(|| u32::try_from(self.input.size / block.max(1) as u64 + 2).unwrap_or(u32::MAX))
    }

    fn pieces(&self, reading: &Arc<Reading>, file: usize, first: u32, most: u32) -> Box<dyn Pieces> {
        let parser: Arc<dyn Parser> = self.form.parser(&reading.wanted).into();
        let shared = Arc::new(Shared { reading: reading.clone(), file, parser });
        if self.form.lines() && self.input.compression == Compression::None {
            let ranges =
                Ranges { shared, first, input: self.input.clone(), next: AtomicU64::new(0), opened: OnceLock::new() };
            return Box::new(ranges);
        }
        let stream =
            Stream { cutter: self.form.cutter(), reader: None, carry: Vec::new(), offset: 0, made: 0, ended: false };
        Box::new(Streamed {
            shared,
            first,
            most,
            input: self.input.clone(),
            stream: Mutex::new(stream),
            done: AtomicBool::new(false),
        })
    }
}

/// What the pieces of one file share.
struct Shared {
    reading: Arc<Reading>,
    file: usize,
    parser: Arc<dyn Parser>,
}

/// Pieces that are ranges of a plain file.
struct Ranges {
    shared: Arc<Shared>,
    first: u32,
    input: Input,
    next: AtomicU64,
    opened: OnceLock<Arc<File>>,
}

impl Pieces for Ranges {
    fn next(&self) -> Result<Next> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let size = self.shared.reading.block as u64;
        let start = at.saturating_mul(size);
        if start >= self.input.size {
            return Ok(Next::Done);
        }
        let file = match self.opened.get() {
            Some(file) => file.clone(),
            None => {
                let file = Arc::new(open_file(&self.input.path)?);
                self.opened.get_or_init(|| file).clone()
            }
        };
        let end = (start + size).min(self.input.size);
        self.shared.reading.progress(end - start);
        let shared = self.shared.clone();
        Ok(Next::Piece(Box::new(Range { shared, ordinal: self.first.saturating_add(at as u32), file, start, end })))
    }
}

/// The records that begin in a range of a file.
struct Range {
    shared: Arc<Shared>,
    ordinal: u32,
    file: Arc<File>,
    start: u64,
    end: u64,
}

/// What is read behind a range at once to find the end of its last record.
const BEHIND: usize = 16 << 10;

impl Range {
    /// The bytes of the range and of its last record, and where the first record begins in them.
    fn load(&self) -> std::io::Result<Block> {
        let pool = &self.shared.reading.buffers;
        let mut bytes = pool.take();
        // The byte before tells whether a record begins with the range.
        let from = self.start.saturating_sub(1);
        let length = (self.end - from) as usize;
        bytes.resize(length + BEHIND + PADDING, 0);
        let read = read_at(&self.file, bytes.get_mut(..length + BEHIND).unwrap_or_default(), from)?;
        bytes.truncate(read);
        let line_end = |bytes: &[u8], from: usize| memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default());
        let start = if self.start == 0 { 0 } else { line_end(&bytes, 0).map_or(usize::MAX, |at| at + 1) };
        if start >= length.min(read) {
            return Ok(Block::new(bytes, 0, 0, self.start).pooled(pool));
        }
        let last = length.min(read) - 1;
        let end = match line_end(&bytes, last) {
            Some(at) => last + at + 1,
            None => self.load_rest(&mut bytes, from)?,
        };
        Ok(Block::new(bytes, start, end, from + start as u64).pooled(pool))
    }

    /// Reads on until the last record ends; a record over the limit is cut off.
    fn load_rest(&self, bytes: &mut Vec<u8>, from: u64) -> std::io::Result<usize> {
        loop {
            let known = bytes.len();
            bytes.resize(known * 2 + BEHIND, 0);
            let read = read_at(&self.file, bytes.get_mut(known..).unwrap_or_default(), from + known as u64)?;
            bytes.truncate(known + read);
            match memchr::memchr(b'\n', bytes.get(known..).unwrap_or_default()) {
                Some(at) => return Ok(known + at + 1),
                None if read == 0 || bytes.len() > LONGEST_RECORD => return Ok(bytes.len()),
                None => {}
            }
        }
    }
}

impl Piece for Range {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        context.check()?;
        match self.load() {
            Ok(block) => Ok(Box::new(parse(&self.shared, block))),
            Err(error) => {
                let reason = format!("the file cannot be read to its end: {error}");
                self.shared.reading.problems.whole_file(self.shared.file, reason);
                Ok(Box::new(parse(&self.shared, Block::default())))
            }
        }
    }
}

/// Blocks that are read one after the other: compressed files, and records whose ends the text before them decides.
struct Streamed {
    shared: Arc<Shared>,
    first: u32,
    most: u32,
    input: Input,
    stream: Mutex<Stream>,
    done: AtomicBool,
}

struct Stream {
    cutter: Box<dyn Cutter>,
    reader: Option<Box<dyn Read + Send>>,
    /// The beginning of a record whose end is not read yet.
    carry: Vec<u8>,
    offset: u64,
    made: u32,
    ended: bool,
}

impl Pieces for Streamed {
    fn next(&self) -> Result<Next> {
        if self.done.load(Ordering::Relaxed) {
            return Ok(Next::Done);
        }
        match self.stream.try_lock() {
            Ok(mut stream) => self.block(&mut stream),
            Err(TryLockError::WouldBlock) => Ok(Next::Busy),
            Err(TryLockError::Poisoned(_)) => Ok(Next::Done),
        }
    }

    fn wait(&self) {
        drop(self.stream.lock());
    }
}

impl Streamed {
    fn block(&self, stream: &mut Stream) -> Result<Next> {
        if stream.ended {
            self.done.store(true, Ordering::Relaxed);
            return Ok(Next::Done);
        }
        if stream.reader.is_none() {
            stream.reader = Some(self.input.reader()?);
        }
        if stream.made >= self.most {
            return Err(crate::diagnostic::Fault::data("HP405", format!("`{}` is too large", self.input.name())));
        }
        let block = stream.next_block(&self.input, &self.shared.reading, self.shared.file)?;
        let ordinal = self.first.saturating_add(stream.made);
        stream.made += 1;
        Ok(Next::Piece(Box::new(Whole { shared: self.shared.clone(), ordinal, block })))
    }
}

impl Stream {
    /// Reads until at least one record is whole.
    fn next_block(&mut self, input: &Input, reading: &Reading, file: usize) -> Result<Block> {
        let mut bytes = reading.buffers.take();
        bytes.extend_from_slice(&self.carry);
        self.carry.clear();
        let context = self.cutter.context();
        let end = loop {
            let read = self.fill(&mut bytes, input, reading, file)?;
            if self.ended {
                if let Some(reason) = self.cutter.unfinished(&bytes) {
                    reading.problems.at(file, reason.to_owned(), self.offset + bytes.len() as u64);
                }
                break bytes.len();
            }
            reading.progress_decoded(read, input);
            let end = self.cutter.cut(&bytes);
            if end > 0 {
                break end;
            }
            if bytes.len() > LONGEST_RECORD {
                reading
                    .problems
                    .whole_file(file, "a record is longer than 64 MB: the rest of the file is left out".into());
                self.ended = true;
                break 0;
            }
        };
        self.carry.extend_from_slice(bytes.get(end..).unwrap_or_default());
        bytes.truncate(end);
        let mut block = Block::new(bytes, 0, end, self.offset).pooled(&reading.buffers);
        block.context = context;
        self.offset += end as u64;
        Ok(block)
    }

    /// Appends the next bytes of the file; a damaged file ends where it is damaged.
    fn fill(&mut self, bytes: &mut Vec<u8>, input: &Input, reading: &Reading, file: usize) -> Result<usize> {
        let Some(reader) = self.reader.as_mut() else { return Ok(0) };
        let known = bytes.len();
        bytes.resize(known + reading.stream_block, 0);
        let mut filled = known;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match reader.read(rest) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if input.compression == Compression::None => return Err(unreadable(&input.path, &error)),
                Err(error) => {
                    let reason = format!("the compressed data are damaged or cut off: {error}");
                    reading.problems.at(file, reason, self.offset + filled as u64);
                    self.ended = true;
                    break;
                }
            }
        }
        bytes.truncate(filled);
        Ok(filled - known)
    }
}

/// A block that is read already.
struct Whole {
    shared: Arc<Shared>,
    ordinal: u32,
    block: Block,
}

impl Piece for Whole {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        context.check()?;
        Ok(Box::new(parse(&self.shared, self.block)))
    }
}

fn parse(shared: &Shared, block: Block) -> Parsed {
    let mut rows = Rows::new(&shared.reading.wanted);
    if block.end > block.start {
        shared.parser.parse(&block, &mut rows);
    }
    shared.reading.problems.merge(shared.file, std::mem::take(&mut rows.found));
    let told = (0..shared.reading.kinds.len()).map(|_| AtomicBool::new(false)).collect();
    Parsed { block, rows, reading: shared.reading.clone(), file: shared.file, told }
}

/// Rows of a block; a column is made when it is asked for.
struct Parsed {
    block: Block,
    rows: Rows,
    reading: Arc<Reading>,
    file: usize,
    /// Whether the misfits of a column are counted already.
    told: Vec<AtomicBool>,
}

impl Morsel for Parsed {
    fn rows(&self) -> usize {
        self.rows.count()
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        let kind = self.reading.kinds.get(at).copied().unwrap_or(Kind::String);
        let bytes = Bytes { block: self.block.bytes(), beside: &self.rows.beside };
        let mut found = Found::default();
        let mut misfit = |row: usize, misfit: Misfit| self.misfit(&mut found, at, row, misfit);
        let column = match rows {
            None => values::column(&bytes, kind, self.rows.slot(at), &mut misfit),
            Some(rows) => {
                let cells = rows.iter().map(|row| self.rows.cell(*row as usize, at));
                let of = |position: usize| rows.get(position).map_or(0, |row| *row as usize);
                values::column(&bytes, kind, cells, |position, what| misfit(of(position), what))
            }
        };
        let told = self.told.get(at).is_some_and(|told| told.swap(true, Ordering::Relaxed));
        if !told {
            self.reading.problems.merge(self.file, found);
        }
        Ok(column)
    }
}

impl Parsed {
    fn misfit(&self, found: &mut Found, at: usize, row: usize, misfit: Misfit) {
        let name = self.reading.wanted.names.get(at).map_or("", |name| name);
        let kind = self.reading.kinds.get(at).copied().unwrap_or(Kind::String);
        let reason = match misfit {
            Misfit::Kind => format!("a value of `{name}` is no {kind}: it is null"),
            Misfit::Encoding => format!("a value of `{name}` is not UTF-8: the bytes are replaced"),
        };
        found.in_block(&reason, &self.block, self.rows.begin(row));
    }
}
