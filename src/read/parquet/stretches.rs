//! Row groups, handed out to threads: a file of few groups in stretches, so that every thread has work.
use super::Shared;
use super::columns::{GroupColumns, StretchRows};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::{Morsel, Piece};
use crate::read::source::{Next, Pieces};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A row group is cut into no more stretches.
pub const MOST: usize = 64;
/// Shorter stretches cost more than they share out.
const SHORTEST: usize = 32 << 10;

/// Some rows of a row group.
struct Place {
    group: usize,
    /// Which of the group's stretches it is, and whether it is the last.
    number: usize,
    is_last: bool,
    rows: Range<usize>,
}

pub struct Stretches {
    file: Arc<Shared>,
    places: Vec<Place>,
    first: u32,
    next: AtomicUsize,
    /// The group that is being handed out: its stretches share what is decoded.
    current: Mutex<Option<Arc<GroupColumns>>>,
}

impl Stretches {
    pub fn new(file: Arc<Shared>, first: u32) -> Stretches {
        let groups: Vec<usize> = (0..file.metadata.num_row_groups()).filter(|group| file.may_hold(*group)).collect();
        // What comes out of the stretches in order is the same, however many there are. The groups that are left when
        // every thread has had as many as the others are cut, so that no thread waits for another. One stretch for each
        // thread is enough: a dictionary is worked on once in every stretch.
        let threads = rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads());
        let shared = groups.len() - groups.len() % threads.max(1);
        let cuts = |at: usize| if at < shared { 1 } else { threads.div_ceil(groups.len() - shared).min(MOST) };
        let places = groups.iter().enumerate();
        let places = places.flat_map(|(at, group)| stretches(*group, file.rows(*group), cuts(at))).collect();
        Stretches { file, places, first, next: AtomicUsize::new(0), current: Mutex::default() }
    }

    /// The columns of the group of a place, which all of its stretches share.
    fn columns(&self, place: &Place) -> Arc<GroupColumns> {
        let made = || Arc::new(GroupColumns::new(self.file.clone(), place.group));
        let Ok(mut current) = self.current.lock() else { return made() };
        let known = current.take().filter(|columns| columns.group() == place.group).unwrap_or_else(made);
        if !place.is_last {
            *current = Some(known.clone());
        }
        known
    }
}

/// A row group in at most `cuts` stretches of about one length.
fn stretches(group: usize, rows: usize, cuts: usize) -> impl Iterator<Item = Place> {
    let cuts = cuts.min(rows / SHORTEST).max(1);
    let length = rows.div_ceil(cuts);
    (0..cuts).map(move |number| {
        let start = (number * length).min(rows);
        Place { group, number, is_last: number + 1 == cuts, rows: start..(start + length).min(rows) }
    })
}

impl Pieces for Stretches {
    fn next(&self) -> Result<Next> {
        let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return Ok(Next::Done) };
        if place.number == 0 {
            let size = self.file.metadata.row_group(place.group).compressed_size();
            self.file.reading.progress(u64::try_from(size).unwrap_or_default());
        }
        let ordinal = self.first.saturating_add((place.group * MOST + place.number) as u32);
        Ok(Next::Piece(Box::new(Stretch { columns: self.columns(place), rows: place.rows.clone(), ordinal })))
    }
}

/// A stretch that is not read yet.
struct Stretch {
    columns: Arc<GroupColumns>,
    rows: Range<usize>,
    ordinal: u32,
}

impl Piece for Stretch {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        context.check()?;
        Ok(Box::new(StretchRows::new(self.columns, self.rows)))
    }
}
