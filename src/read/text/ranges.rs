//! Pieces that are ranges of a plain file, read and parsed by threads on their own.
//!
//! Where every line end ends a record, a range holds the records that begin in it. Where quotes may hold line ends
//! ([`Chain`]), a range begins where the one before it says that its last record ends: that is told soon after it is
//! read, and long before it is parsed.
use super::{Cutter, Shared, parse};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::{Morsel, Piece};
use crate::read::block::{Block, Buffers, Bytes, LONGEST_RECORD, PADDING};
use crate::read::input::{Input, open_file, read_at};
use crate::read::source::{Next, Pieces};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

pub struct Ranges {
    shared: Arc<Shared>,
    first: u32,
    input: Input,
    next: AtomicU64,
    opened: OnceLock<Arc<File>>,
    chain: Option<Arc<Chain>>,
}

impl Ranges {
    /// The ranges of a file; `chain` where a line end alone ends no record.
    pub fn new(shared: Arc<Shared>, first: u32, input: Input, chain: Option<Chain>) -> Ranges {
        let chain = chain.map(Arc::new);
        Ranges { shared, first, input, next: AtomicU64::new(0), opened: OnceLock::new(), chain }
    }
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
        let ordinal = self.first.saturating_add(at as u32);
        let link = self.chain.as_ref().map(|chain| Link { chain: chain.clone(), number: at as usize });
        Ok(Next::Piece(Box::new(Range { shared: self.shared.clone(), ordinal, file, start, end, link })))
    }
}

/// The records that begin in a range of a file.
struct Range {
    shared: Arc<Shared>,
    ordinal: u32,
    file: Arc<File>,
    start: u64,
    end: u64,
    link: Option<Link>,
}

impl Range {
    fn load(&self, context: &Context) -> Result<io::Result<Block>> {
        let pool = &self.shared.reading.buffers;
        let loaded = match Lines::read(&self.file, self.start, self.end, pool) {
            Ok(lines) => lines,
            Err(error) => return Ok(Err(error)),
        };
        match &self.link {
            None => Ok(Ok(loaded.block(pool))),
            Some(link) => Ok(link.settle(loaded, &self.file, context)?.map(|lines| lines.block(pool))),
        }
    }
}

impl Piece for Range {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        context.check()?;
        match self.load(context)? {
            Ok(block) => Ok(Box::new(parse(&self.shared, block))),
            Err(error) => {
                let reason = format!("the file cannot be read to its end: {error}");
                self.shared.reading.problems.whole_file(self.shared.file, reason);
                Ok(Box::new(parse(&self.shared, Block::default())))
            }
        }
    }
}

/// Whole lines of a file: `bytes[start..end]`.
struct Lines {
    bytes: Bytes,
    /// The place of the first byte in the file.
    from: u64,
    start: usize,
    end: usize,
}

/// What is read behind a range at once to find the end of its last line.
const BEHIND: usize = 16 << 10;
const CACHE_LINE: u64 = 64;

fn line_end(bytes: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr::memchr(b'\n', bytes.get(from..)?)? + 1)
}

impl Lines {
    /// The lines that begin from `start` on and before `end`.
    fn read(file: &File, start: u64, end: u64, pool: &Buffers) -> io::Result<Lines> {
        let mut bytes = pool.take();
        // The byte before tells whether a line begins with the range. Whole cache lines are read.
        let before = start.saturating_sub(1);
        let from = before & !(CACHE_LINE - 1);
        let length = (end - from) as usize;
        // What an earlier block left is overwritten; only more than that is made zero first.
        bytes.resize(bytes.len().max(length + BEHIND + PADDING), 0);
        let read = read_at(file, bytes.get_mut(..length + BEHIND).unwrap_or_default(), from)?;
        bytes.truncate(read);
        let begin = if start == 0 { Some(0) } else { line_end(&bytes, (before - from) as usize) };
        let mut lines = Lines { bytes, from, start: 0, end: 0 };
        let Some(begin) = begin.filter(|begin| *begin < length.min(read)) else { return Ok(lines) };
        lines.start = begin;
        match line_end(&lines.bytes, length.min(read) - 1) {
            Some(end) => lines.end = end,
            None => {
                lines.end = lines.bytes.len();
                lines.extend(file)?;
            }
        }
        Ok(lines)
    }

    /// Reads on to the end of another line; a line over the limit is cut off. False at the end of the file.
    fn extend(&mut self, file: &File) -> io::Result<bool> {
        let behind = self.end;
        loop {
            if let Some(end) = line_end(&self.bytes, self.end) {
                self.end = end;
                return Ok(true);
            }
            let known = self.bytes.len();
            self.bytes.resize(known * 2 + BEHIND, 0);
            let place = self.from + known as u64;
            let read = read_at(file, self.bytes.get_mut(known..).unwrap_or_default(), place)?;
            self.bytes.truncate(known + read);
            if read == 0 || self.bytes.len() > LONGEST_RECORD {
                self.end = self.bytes.len();
                return Ok(self.end > behind);
            }
        }
    }

    /// Reads on for at least so many bytes and to the end of a line; false at the end of the file.
    fn extend_by(&mut self, bytes: usize, file: &File) -> io::Result<bool> {
        let known = self.end;
        while self.end < known + bytes && self.extend(file)? {}
        Ok(self.end > known)
    }

    fn records(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn block(mut self, pool: &Arc<Buffers>) -> Block {
        self.bytes.truncate(self.end);
        let offset = self.from + self.start as u64;
        Block::new(self.bytes, self.start, self.end, offset).pooled(pool)
    }

    /// The places of the lines in the file.
    fn places(&self) -> (u64, u64) {
        (self.from + self.start as u64, self.from + self.end as u64)
    }
}

/// Where the records of each range end, told from one range to the next.
pub struct Chain {
    cutter: Box<dyn Fn() -> Box<dyn Cutter> + Send + Sync>,
    ends: Mutex<Vec<Told>>,
    told: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    NotYet,
    At(u64),
    /// The range was given up: the run has ended.
    Never,
}

impl Chain {
    pub fn new(cutter: impl Fn() -> Box<dyn Cutter> + Send + Sync + 'static) -> Chain {
        Chain { cutter: Box::new(cutter), ends: Mutex::default(), told: Condvar::new() }
    }

    fn tell(&self, number: usize, end: Told) {
        if let Ok(mut ends) = self.ends.lock() {
            let length = ends.len().max(number + 1);
            ends.resize(length, Told::NotYet);
            if let Some(own @ Told::NotYet) = ends.get_mut(number) {
                *own = end;
            }
        }
        self.told.notify_all();
    }

    /// Waits until a range has told where its records end.
    fn end_of(&self, number: usize, context: &Context) -> Result<u64> {
        const LOOK: Duration = Duration::from_millis(20);
        let gone = || Fault::internal("a part of a file was not read");
        let mut ends = self.ends.lock().map_err(|_| gone())?;
        loop {
            match ends.get(number).copied().unwrap_or_default() {
                Told::At(place) => return Ok(place),
                Told::Never => return Err(gone()),
                Told::NotYet => ends = self.told.wait_timeout(ends, LOOK).map_err(|_| gone())?.0,
            }
            context.check()?;
        }
    }
}

/// A range's place in the chain. One that is dropped before it has told its end lets nobody wait for it.
struct Link {
    chain: Arc<Chain>,
    number: usize,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.chain.tell(self.number, Told::Never);
    }
}

impl Link {
    /// The whole records that begin in these lines.
    fn settle(&self, mut lines: Lines, file: &File, context: &Context) -> Result<io::Result<Lines>> {
        let mut cutter = (self.chain.cutter)();
        // Most ranges begin with a record: what follows from that is known before the range before tells.
        let mut length = cutter.cut(lines.records());
        let (begin, end) = lines.places();
        let place = match self.number.checked_sub(1) {
            Some(before) => self.chain.end_of(before, context)?,
            None => 0,
        };
        if place >= end || lines.end == lines.start {
            self.chain.tell(self.number, Told::At(place.max(end)));
            lines.end = lines.start;
            return Ok(Ok(lines));
        }
        if place > begin {
            lines.start += (place - begin) as usize;
            length = cutter.cut(lines.records());
        }
        let open = lines.start + length;
        while open < lines.end {
            context.check()?;
            match lines.extend_by((lines.end - open).max(BEHIND), file) {
                Ok(true) => {}
                // The file ends: whatever is left is the last record.
                Ok(false) => break,
                Err(error) => return Ok(Err(error)),
            }
            let whole = cutter.cut(lines.bytes.get(open..lines.end).unwrap_or_default());
            if whole > 0 {
                lines.end = open + whole;
                break;
            }
        }
        self.chain.tell(self.number, Told::At(lines.places().1));
        Ok(Ok(lines))
    }
}
