//! Blocks that are read one after the other: compressed files, and records whose ends the text before them decides.
use super::{Cutter, Shared, parse};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::{Morsel, Piece};
use crate::read::block::{Block, Bytes, LONGEST_RECORD};
use crate::read::input::{Compression, Input, unreadable};
use crate::read::source::{Next, Pieces, Reading};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

pub struct Streamed {
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

impl Streamed {
    /// The blocks of a file, at most `most`, whose ordinals begin at `first`.
    pub fn new(shared: Arc<Shared>, cutter: Box<dyn Cutter>, first: u32, most: u32, input: Input) -> Streamed {
        let stream = Stream { cutter, reader: None, carry: Vec::new(), offset: 0, made: 0, ended: false };
        Streamed { shared, first, most, input, stream: Mutex::new(stream), done: AtomicBool::new(false) }
    }
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
        bytes.clear();
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
    fn fill(&mut self, bytes: &mut Bytes, input: &Input, reading: &Reading, file: usize) -> Result<usize> {
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
