//! The chunks of a search, read by a thread of their own while others are worked on.
use super::frame::{Frame, Frames, broken};
use crate::diagnostic::{Fault, Result};
use crate::read::{Header, Piece, Pieces};
use serde_json::Value;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// So many pieces wait to be worked on.
const AHEAD: usize = 4;

enum Message {
    /// An `execute` message begins.
    Chunk {
        finished: bool,
        preview: bool,
    },
    Piece(Piece),
    /// Its body is read to the end.
    End,
    Broken(Fault),
}

/// The `execute` messages of a search.
pub struct Chunks {
    receiver: Receiver<Message>,
}

/// One `execute` message.
pub struct Chunk {
    /// Whether it is the last one.
    pub finished: bool,
    /// Whether its rows will come again: nothing of them may be kept.
    pub preview: bool,
    /// None where the body is empty.
    pub header: Option<Header>,
    /// The piece that the header stood in.
    first: Option<Piece>,
}

impl Chunks {
    /// Reads what follows; sets `cancel` where the input ends before the last chunk.
    pub fn new<R: Read + Send + 'static>(frames: Frames<R>, cancel: Arc<AtomicBool>) -> Result<Chunks> {
        let (sender, receiver) = sync_channel(AHEAD);
        let work = move || {
            if let Err(fault) = read_all(frames, &sender, &cancel) {
                // A receiver that is gone has no use for it.
                let _ = sender.send(Message::Broken(fault));
            }
        };
        let spawned = std::thread::Builder::new().name("huntpack-read".to_owned()).spawn(work);
        spawned.map_err(|error| Fault::internal(format!("the reading thread cannot be started: {error}")))?;
        Ok(Chunks { receiver })
    }

    /// The next chunk; none where the input has ended.
    pub fn next(&self) -> Result<Option<Chunk>> {
        let (finished, preview) = match self.receiver.recv() {
            Ok(Message::Chunk { finished, preview }) => (finished, preview),
            Ok(Message::Broken(fault)) => return Err(fault),
            Ok(_) => return Err(Fault::internal("a chunk was not read to its end")),
            Err(_) => return Ok(None),
        };
        let (header, first) = match self.message()? {
            None => (None, None),
            Some(piece) => {
                let (header, rest) = Header::take(piece)?;
                (Some(header), Some(rest))
            }
        };
        Ok(Some(Chunk { finished, preview, header, first }))
    }

    /// The next rows of a chunk; none at its end.
    pub fn piece(&self, chunk: &mut Chunk) -> Result<Option<Piece>> {
        match chunk.first.take() {
            Some(piece) => Ok(Some(piece)),
            None if chunk.header.is_none() => Ok(None),
            None => self.message(),
        }
    }

    /// Passes over what is left of a chunk.
    pub fn skip(&self, chunk: &mut Chunk) -> Result<()> {
        while self.piece(chunk)?.is_some() {}
        Ok(())
    }

    fn message(&self) -> Result<Option<Piece>> {
        match self.receiver.recv() {
            Ok(Message::Piece(piece)) => Ok(Some(piece)),
            Ok(Message::End) => Ok(None),
            Ok(Message::Broken(fault)) => Err(fault),
            _ => Err(Fault::cancelled()),
        }
    }
}

fn read_all<R: Read>(mut frames: Frames<R>, sender: &SyncSender<Message>, cancel: &AtomicBool) -> Result<()> {
    let mut pieces = Pieces::default();
    loop {
        let Some(frame) = frames.next()? else {
            cancel.store(true, Ordering::Relaxed);
            return Ok(());
        };
        if frame.metadata.get("action").is_none_or(|action| action != "execute") {
            let action = frame.metadata.get("action").map_or("none".to_owned(), ToString::to_string);
            return Err(broken(format!("its action is {action}")));
        }
        let (finished, preview) = (truth(&frame, "finished")?, truth(&frame, "preview")?);
        let mut left = frame.body;
        if sender.send(Message::Chunk { finished, preview }).is_err() {
            return Ok(());
        }
        pieces.begin();
        while let Some(piece) = pieces.next(frames.body(), &mut left)? {
            if sender.send(Message::Piece(piece)).is_err() {
                return Ok(());
            }
        }
        // Splunk waits for an answer: lengths that are wrong leave a rest, and what was read is not the whole.
        if finished && frames.has_more() {
            return Err(broken("it is the last one, and the input goes on behind it"));
        }
        if sender.send(Message::End).is_err() || finished {
            return Ok(());
        }
    }
}

/// Errors: a value that is neither true nor false.
fn truth(frame: &Frame, key: &str) -> Result<bool> {
    match frame.metadata.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(value) if value == 0 || value == 1 => Ok(value == 1),
        Some(value) => Err(broken(format!("`{key}` is {value}, and not true or false"))),
    }
}
