//! A call from Python: the work on our threads, the caller's objects on the caller's thread.
use super::errors::{OrRaise, caught};
use super::sources;
use crate::diagnostic::{Fault, Result};
use crate::engine::{Data, Opener, Resolver, spawn};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the calling thread sleeps before it looks for Ctrl-C.
const WAKE: Duration = Duration::from_millis(50);

/// What the work asks of the calling thread.
enum Message {
    /// Read an object that was handed in.
    Open(usize, SyncSender<Result<Data>>),
    /// Look a name up among the caller's variables.
    Resolve(String, SyncSender<Result<Option<Data>>>),
    /// Tell of rules done, of their number, and of a rule's name.
    Progress(usize, usize, String),
    Done,
}

/// Tells the calling thread how far the work is.
#[derive(Clone)]
pub struct Progress(Sender<Message>);

impl Progress {
    pub fn tell(&self, done: usize, total: usize, name: &str) {
        // A caller that has left wants no news.
        let _ = self.0.send(Message::Progress(done, total, name.to_owned()));
    }
}

/// The caller's side of one call.
pub struct Call<'py> {
    py: Python<'py>,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    /// Objects that were handed in, each with what it was read as.
    objects: Vec<(Bound<'py, PyAny>, Option<Data>)>,
    /// The caller's variables, innermost first.
    variables: Vec<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
    /// Whether objects are read as events of a search.
    pub as_events: bool,
    pub cancel: Arc<AtomicBool>,
    /// What reading an object raised: the call raises it again.
    raised: Option<PyErr>,
}

impl<'py> Call<'py> {
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    pub fn new(py: Python<'py>) -> Call<'py> {
        let (sender, receiver) = channel();
        let cancel = Arc::default();
        let (objects, variables) = (Vec::new(), Vec::new());
        Call { py, sender, receiver, objects, variables, progress: None, as_events: false, cancel, raised: None }
    }

    /// An object as data: paths and Tables at once, others when they are read.
    pub fn data(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Data> {
        if let Some(ready) = sources::ready(object)? {
            return Ok(ready);
        }
        sources::check(object)?;
        let known = self.objects.iter().position(|(other, _)| other.is(object));
        let at = known.unwrap_or_else(|| {
            self.objects.push((object.clone(), None));
            self.objects.len() - 1
        });
        let sender = self.sender.clone();
        let open: Opener = Arc::new(move || ask(&sender, |reply| Message::Open(at, reply)));
        Ok(Data::Later(open))
    }

    pub fn on_progress(&mut self, callback: Option<Bound<'py, PyAny>>) -> Progress {
        self.progress = callback;
        Progress(self.sender.clone())
    }

    /// Names that the tables lack are looked up among these variables.
    pub fn resolver(&mut self, variables: Vec<Bound<'py, PyAny>>) -> Resolver {
        self.variables = variables;
        let sender = self.sender.clone();
        Arc::new(move |name: &str| ask(&sender, |reply| Message::Resolve(name.to_owned(), reply)))
    }

    /// Runs `work` on the pool and serves it until it is done. Ctrl-C leaves at once, and the work ends by itself.
    pub fn run<T: Send + 'static>(
        mut self,
        threads: Option<usize>,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let py = self.py;
        let answer: Arc<Mutex<Option<Result<T>>>> = Arc::default();
        let (place, done) = (answer.clone(), self.sender.clone());
        let job = move || {
            let found = caught(work).and_then(|found| found);
            if let Ok(mut place) = place.lock() {
                *place = Some(found);
            }
            let _ = done.send(Message::Done);
        };
        spawn(threads, job).or_raise(py)?;
        self.serve()?;
        let found = answer.lock().ok().and_then(|mut place| place.take());
        match (found, self.raised) {
            (Some(Ok(found)), _) => Ok(found),
            (_, Some(raised)) => Err(raised),
            (Some(Err(fault)), None) => Err(super::errors::exception(py, &fault)),
            (None, None) => Err(Fault::internal("the work ended without an answer")).or_raise(py),
        }
    }

    fn serve(&mut self) -> PyResult<()> {
        loop {
            match self.wait() {
                Ok(Message::Done) => return Ok(()),
                Ok(message) => self.answer(message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if let Err(interrupt) = self.py.check_signals() {
                self.cancel.store(true, Ordering::Relaxed);
                return Err(interrupt);
            }
        }
    }

    fn wait(&mut self) -> std::result::Result<Message, RecvTimeoutError> {
        // A receiver is Send but not Sync: it is lent to the detached part whole.
        let receiver = &mut self.receiver;
        self.py.detach(move || receiver.recv_timeout(WAKE))
    }

    fn answer(&mut self, message: Message) -> PyResult<()> {
        match message {
            Message::Open(at, reply) => {
                let found = self.open(at);
                let _ = reply.send(found);
            }
            Message::Resolve(name, reply) => {
                let found = self.resolve(&name);
                let _ = reply.send(found);
            }
            Message::Progress(done, total, name) => {
                if let Some(callback) = &self.progress
                    && let Err(error) = callback.call1((done, total, name))
                {
                    self.cancel.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
            Message::Done => {}
        }
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<Data> {
        let Some((object, known)) = self.objects.get_mut(at) else {
            return Err(Fault::internal("an object was asked for that was not handed in"));
        };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let read = caught(|| sources::read(object, self.as_events))?;
        let data = read.map_err(|error| said(&mut self.raised, self.py, error))?;
        *known = Some(data.clone());
        Ok(data)
    }

    fn resolve(&mut self, name: &str) -> Result<Option<Data>> {
        let found = self.variables.iter().find_map(|scope| scope.get_item(name).ok());
        let Some(object) = found.filter(sources::is_source) else { return Ok(None) };
        let read = caught(|| sources::ready(&object)?.map_or_else(|| sources::read(&object, self.as_events), Ok))?;
        read.map(Some).map_err(|error| said(&mut self.raised, self.py, error))
    }
}

/// Keeps an exception for the caller, and tells the work of it.
fn said(raised: &mut Option<PyErr>, py: Python<'_>, error: PyErr) -> Fault {
    let fault = Fault::data("HP402", format!("a source cannot be read: {}", error.value(py)));
    *raised = Some(error);
    fault
}

fn ask<T>(sender: &Sender<Message>, message: impl FnOnce(SyncSender<Result<T>>) -> Message) -> Result<T> {
    let (reply, answer) = sync_channel(1);
    sender.send(message(reply)).map_err(|_| Fault::cancelled())?;
    // The calling thread answers, or has left.
    answer.recv().map_err(|_| Fault::cancelled())?
}
