//! The bytes that are read at once, and the pool that they go back to.
use arrow_buffer::MutableBuffer;
use std::sync::{Arc, Mutex};

/// Bytes that begin at a cache line: the system copies a file into others at two thirds of the speed or less.
pub type Bytes = MutableBuffer;

/// Zero bytes behind the data of every block, so that a scan may load whole words.
pub const PADDING: usize = 64;
/// How many bytes of a file are read at once.
pub const BLOCK: usize = 512 << 10;
/// A record may not be longer.
pub const LONGEST_RECORD: usize = 64 << 20;

/// Whole records of one file.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Bytes,
    /// Where the records lie in the bytes.
    pub start: usize,
    pub end: usize,
    /// The place of the first record in the decoded file.
    pub offset: u64,
    /// What the parser must know of the text before.
    pub context: Option<Arc<str>>,
    pool: Option<Arc<Buffers>>,
}

impl Block {
    /// `bytes[start..end]` are the records; zeros are added behind all bytes.
    pub fn new(bytes: impl Into<Bytes>, start: usize, end: usize, offset: u64) -> Block {
        let mut bytes = bytes.into();
        bytes.extend_zeros(PADDING);
        Block { bytes, start, end, offset, context: None, pool: None }
    }

    /// As [`Block::new`], of bytes that have their padding already.
    pub fn padded(bytes: Bytes, end: usize, offset: u64) -> Block {
        Block { bytes, start: 0, end, offset, context: None, pool: None }
    }

    /// The bytes go back to the pool when the block is dropped.
    pub fn pooled(mut self, pool: &Arc<Buffers>) -> Block {
        self.pool = Some(pool.clone());
        self
    }

    /// All bytes, padding included: records are `bytes()[start..end]`.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// Buffers that blocks no longer need: fresh memory costs more than filling it.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Vec<Bytes>>);

impl Buffers {
    /// A buffer, with whatever was in it last.
    pub fn take(&self) -> Bytes {
        self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default()
    }

    fn give_back(&self, buffer: Bytes) {
        if let Ok(mut free) = self.0.lock()
            && free.len() < 64
            && buffer.capacity() <= 4 * BLOCK
        {
            free.push(buffer);
        }
    }
}
