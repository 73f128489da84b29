//! Files of text records: cut into blocks at record ends, and parsed block by block.
mod ranges;
mod streamed;

use super::block::Block;
use super::cell::Bytes;
use super::input::{Compression, Input};
use super::problems::Found;
use super::rows::{Parser, Rows, Wanted};
use super::source::{Pieces, Reading, SourceFile};
use super::values::{self, Misfit};
use crate::diagnostic::Result;
use crate::plan::Morsel;
use crate::types::{Column, Kind, Name, Schema};
use ranges::{Chain, Ranges};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use streamed::Streamed;

/// What is known of a text file by its head: how its records are told apart and read.
pub trait Form: Debug + Send + Sync {
    /// What ends a record.
    fn ends(&self) -> Ends;

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

/// What ends a record, and so how many threads may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Every line end does, and nothing before it matters: threads read where they like.
    Lines,
    /// A line end does, unless a value holds it: threads read where they like, and tell where their last record ends.
    SomeLines,
    /// The text before decides: blocks are read one after the other.
    Text,
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
        let plain = self.input.compression == Compression::None;
        let chain = match self.form.ends() {
            Ends::Lines if plain => None,
            Ends::SomeLines if plain => {
                let form = self.form.clone();
                Some(Chain::new(move || form.cutter()))
            }
            _ => return Box::new(Streamed::new(shared, self.form.cutter(), first, most, self.input.clone())),
        };
        Box::new(Ranges::new(shared, first, self.input.clone(), chain))
    }
}

/// What the pieces of one file share.
struct Shared {
    reading: Arc<Reading>,
    file: usize,
    parser: Arc<dyn Parser>,
}

fn parse(shared: &Shared, block: Block) -> Parsed {
    let mut parsed = Parsed::new(shared.parser.as_ref(), &shared.reading, shared.file, block.into());
    shared.reading.problems.merge(shared.file, std::mem::take(&mut parsed.rows.found));
    parsed
}

/// Rows of a block; a column is made when it is asked for.
pub struct Parsed {
    pub block: Arc<Block>,
    pub rows: Rows,
    reading: Arc<Reading>,
    file: usize,
    /// Whether the misfits of a column are counted already.
    told: Vec<AtomicBool>,
}

impl Morsel for Parsed {
    fn rows(&self) -> usize {
        self.rows.count()
    }

    fn left_out(&self) -> usize {
        self.rows.dropped
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
    pub fn new(parser: &dyn Parser, reading: &Arc<Reading>, file: usize, block: Arc<Block>) -> Parsed {
        let mut rows = Rows::new(&reading.wanted);
        if block.end > block.start {
            parser.parse(&block, &mut rows);
        }
        let told = (0..reading.kinds.len()).map(|_| AtomicBool::new(false)).collect();
        Parsed { block, rows, reading: reading.clone(), file, told }
    }

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
