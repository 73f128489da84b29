//! Files as one source.
use super::block::{BLOCK, Buffers};
use super::input::Input;
use super::problems::Problems;
use super::rows::Wanted;
use crate::diagnostic::{Fault, Result};
use crate::plan::{Needs, Piece, Scan, Source};
use crate::types::{Kind, Name, Problem, Schema};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A file of any format.
pub trait SourceFile: Debug + Send + Sync {
    /// No more pieces than this in blocks of so many bytes; none where only reading can tell.
    fn most_pieces(&self, block: usize) -> Option<u32>;

    /// Whether rows can be visited again without being kept in memory.
    fn may_be_visited_again(&self) -> bool {
        false
    }

    /// The pieces of file number `file`, whose ordinals are `first` and at most `most - 1` more.
    fn pieces(&self, reading: &Arc<Reading>, file: usize, first: u32, most: u32) -> Box<dyn Pieces>;
}

/// The pieces of a file, handed out to threads.
pub trait Pieces: Send + Sync {
    fn next(&self) -> Result<Next>;

    /// Waits until the thread that reads is done with its block.
    fn wait(&self) {}
}

pub enum Next {
    Piece(Box<dyn Piece>),
    /// Another thread reads the next block.
    Busy,
    Done,
}

/// What a reading under way shares: what it reads, and what it has found.
#[derive(Debug, Default)]
pub struct Reading {
    pub wanted: Wanted,
    /// The kinds of the wanted columns.
    pub kinds: Vec<Kind>,
    pub problems: Problems,
    pub buffers: Arc<Buffers>,
    /// How many bytes are read at once where every line is a record.
    pub block: usize,
    /// How many bytes are read at once of other files: what is cut out of broken ones may depend on it, and so it
    /// does not depend on the size of morsels.
    pub stream_block: usize,
    done: AtomicU64,
}

impl Reading {
    /// A reading of rows that are in memory already.
    pub fn of(wanted: Wanted, kinds: Vec<Kind>) -> Reading {
        Reading { wanted, kinds, ..Reading::default() }
    }

    /// So many bytes of the disk are handed out.
    pub fn progress(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many decoded bytes are handed out: compressed logs are about a tenth of their size.
    pub fn progress_decoded(&self, bytes: usize, input: &Input) {
        let plain = input.compression == super::input::Compression::None;
        self.progress(bytes as u64 / if plain { 1 } else { 10 });
    }
}

/// What a row is taken to measure where morsels shall be small.
const BYTES_PER_ROW: usize = 256;
const SMALLEST_BLOCK: usize = 4 << 10;
/// Blocks of records of more columns are smaller.
const USUAL_WIDTH: usize = 64;

/// Files with one schema.
#[derive(Debug)]
pub struct Files {
    pub schema: Schema,
    pub inputs: Arc<[Input]>,
    pub files: Arc<[Box<dyn SourceFile>]>,
}

impl Source for Files {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity(&self) -> u64 {
        let mut hasher = foldhash::fast::FixedState::with_seed(0xF11E).build_hasher();
        self.schema.hash(&mut hasher);
        for input in self.inputs.iter() {
            (&input.path, input.size, input.modified).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn may_be_kept(&self) -> bool {
        self.files.iter().all(|file| file.may_be_visited_again())
    }

    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>> {
        let is_text = |name: &Name| self.schema.kind(name) == Some(Kind::String);
        let wanted = Wanted::new(&needs.columns, needs.window.as_ref()).testing(&needs.tests, is_text);
        let kinds = wanted.names.iter().map(|name| self.schema.kind(name).unwrap_or(Kind::String)).collect();
        // Many columns of short records must not fill the memory.
        let most = BLOCK * USUAL_WIDTH / wanted.names.len().max(USUAL_WIDTH);
        let block = needs.morsel_rows.saturating_mul(BYTES_PER_ROW).clamp(SMALLEST_BLOCK, most);
        let reading = Arc::new(Reading { wanted, kinds, block, stream_block: most, ..Reading::default() });
        let (mut first, share) = (0_u32, self.share(block));
        let mut parts = Vec::with_capacity(self.files.len());
        for (number, file) in self.files.iter().enumerate() {
            let most = file.most_pieces(block).unwrap_or(share);
            parts.push(file.pieces(&reading, number, first, most));
            first =
                first.checked_add(most).ok_or_else(|| Fault::data("HP405", "the files are too large for one table"))?;
        }
        let total = self.inputs.iter().map(|input| input.size).sum();
        Ok(Box::new(FileScan { reading, parts, inputs: self.inputs.clone(), total, first_open: AtomicUsize::new(0) }))
    }
}

impl Files {
    /// How many pieces each file may have whose number only reading can tell.
    fn share(&self, block: usize) -> u32 {
        let known: u64 = self.files.iter().filter_map(|file| file.most_pieces(block)).map(u64::from).sum();
        let unknown = self.files.iter().filter(|file| file.most_pieces(block).is_none()).count() as u64;
        let left = u64::from(u32::MAX).saturating_sub(known);
        u32::try_from(left / unknown.max(1)).unwrap_or(u32::MAX)
    }
}

struct FileScan {
    reading: Arc<Reading>,
    parts: Vec<Box<dyn Pieces>>,
    inputs: Arc<[Input]>,
    total: u64,
    /// All files before it are handed out.
    first_open: AtomicUsize,
}

impl Scan for FileScan {
    fn next(&self) -> Result<Option<Box<dyn Piece>>> {
        loop {
            let first = self.first_open.load(Ordering::Relaxed);
            let mut busy = None;
            for (at, part) in self.parts.iter().enumerate().skip(first) {
                match part.next()? {
                    Next::Piece(piece) => return Ok(Some(piece)),
                    Next::Busy => busy = busy.or(Some(part)),
                    Next::Done if busy.is_none() => {
                        self.first_open.fetch_max(at + 1, Ordering::Relaxed);
                    }
                    Next::Done => {}
                }
            }
            match busy {
                Some(part) => part.wait(),
                None => return Ok(None),
            }
        }
    }

    fn progress(&self) -> f64 {
        let done = self.reading.done.load(Ordering::Relaxed);
        if self.total == 0 { 1.0 } else { (done as f64 / self.total as f64).min(1.0) }
    }

    fn problems(&self) -> Vec<Problem> {
        self.reading.problems.list(&self.inputs)
    }
}
