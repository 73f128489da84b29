//! The work of a pipeline over its pieces, on all threads.
use super::batch::Batch;
use super::pipeline::{Feed, Pipeline};
use crate::diagnostic::{Fault, Result};
use crate::expr::Input;
use crate::functions::Context;
use crate::plan::{Piece, Scan};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bits of an ordinal for the row of a piece, and for the piece of a feed; the feed has the rest.
pub const ROW_BITS: u32 = 26;
const PIECE_BITS: u32 = 26;

fn first_ordinal(feed: u64, piece: u32) -> u64 {
    feed << (PIECE_BITS + ROW_BITS) | u64::from(piece) << ROW_BITS
}

/// The feed that an ordinal belongs to.
pub fn feed_of(ordinal: u64) -> usize {
    (ordinal >> (PIECE_BITS + ROW_BITS)) as usize
}

/// Runs `step` on every batch that comes out of the pipeline, with one state a thread; gives the states.
/// `enough` is asked before a piece is taken: true ends the reading.
pub fn drive<S: Send>(
    pipeline: &Pipeline,
    context: &Context,
    threads: usize,
    make: impl Fn() -> S + Sync,
    step: impl Fn(&mut S, Batch) -> Result<()> + Sync,
    enough: impl Fn() -> bool + Sync,
) -> Result<Vec<S>> {
    let work = Work::start(pipeline)?;
    let run = |state: &mut S| -> Result<()> {
        while !enough() {
            context.check()?;
            let Some(mut taken) = work.next()? else { break };
            taken.step(context, |batch| step(state, batch))?;
        }
        Ok(())
    };
    let states: Mutex<Vec<(usize, S)>> = Mutex::default();
    let fault: Mutex<Option<Fault>> = Mutex::default();
    let worker = |number: usize| {
        let mut state = make();
        if let Err(error) = run(&mut state) {
            work.stop.store(true, Ordering::Relaxed);
            if let Ok(mut fault) = fault.lock() {
                fault.get_or_insert(error);
            }
        }
        if let Ok(mut states) = states.lock() {
            states.push((number, state));
        }
    };
    match threads {
        0 | 1 => worker(0),
        _ => rayon::scope(|scope| (0..threads).for_each(|number| scope.spawn(move |_| worker(number)))),
    }
    if let Some(fault) = fault.into_inner().ok().flatten() {
        return Err(fault);
    }
    pipeline.report(work.scans.iter().flat_map(|scan| scan.problems()));
    let mut states = states.into_inner().map_err(|_| Fault::internal("a thread of the pool panicked"))?;
    states.sort_by_key(|(number, _)| *number);
    Ok(states.into_iter().map(|(_, state)| state).collect())
}

/// What `work` makes of each item, on all threads.
pub fn each<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    match threads {
        0 | 1 => items.into_iter().map(work).collect(),
        _ => items.into_par_iter().map(work).collect(),
    }
}

/// The pieces that are left.
struct Work<'a> {
    feeds: &'a [Feed],
    scans: Vec<Box<dyn Scan>>,
    current: Mutex<usize>,
    stop: AtomicBool,
}

impl<'a> Work<'a> {
    fn start(pipeline: &'a Pipeline) -> Result<Work<'a>> {
        let scans = pipeline.feeds.iter().map(|feed| feed.source.scan(&feed.needs)).collect::<Result<_>>()?;
        Ok(Work { feeds: &pipeline.feeds, scans, current: Mutex::new(0), stop: AtomicBool::new(false) })
    }

    fn next(&self) -> Result<Option<Taken<'a>>> {
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.current.lock().map_or(usize::MAX, |current| *current);
            let Some((feed, scan)) = self.feeds.get(number).zip(self.scans.get(number)) else { return Ok(None) };
            if let Some(piece) = scan.next()? {
                return Ok(Some(Taken { feed, number: number as u64, piece: Some(piece) }));
            }
            if let Ok(mut current) = self.current.lock()
                && *current == number
            {
                *current += 1;
            }
        }
        Ok(None)
    }
}

/// A piece that a thread has taken.
struct Taken<'a> {
    feed: &'a Feed,
    number: u64,
    piece: Option<Box<dyn Piece>>,
}

impl Taken<'_> {
    fn step(&mut self, context: &Context, step: impl FnOnce(Batch) -> Result<()>) -> Result<()> {
        let Some(piece) = self.piece.take() else { return Ok(()) };
        let first = first_ordinal(self.number, piece.ordinal());
        let morsel: Arc<dyn crate::plan::Morsel> = piece.read(context)?.into();
        self.feed.count_source(morsel.rows() + morsel.left_out());
        if morsel.rows() == 0 {
            return Ok(());
        }
        let batch = Batch::new(morsel, &self.feed.needs.columns, first).encoding(&self.feed.encode);
        match self.feed.apply(batch, context)? {
            Some(batch) if batch.rows() > 0 => step(batch),
            _ => Ok(()),
        }
    }
}
