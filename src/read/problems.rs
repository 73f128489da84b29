//! Bad rows: counted by file and reason while threads read, and named by their line when they are asked for.
use super::block::Block;
use super::input::Input;
use crate::types::Problem;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Reasons beyond this number are counted as one.
const MOST_REASONS: usize = 1000;

/// The bad rows of a block: for each reason the first place and the count.
#[derive(Debug, Default)]
pub struct Found(BTreeMap<String, (u64, u64)>);

impl Found {
    /// A bad row at a place in the decoded file.
    pub fn add(&mut self, reason: &str, place: u64) {
        if let Some((first, count)) = self.0.get_mut(reason) {
            *first = place.min(*first);
            *count += 1;
        } else if self.0.len() < MOST_REASONS {
            self.0.insert(reason.to_owned(), (place, 1));
        }
    }

    /// A bad row of a block, by where it begins in the block's bytes.
    pub fn in_block(&mut self, reason: &str, block: &Block, at: usize) {
        self.add(reason, block.offset + at.saturating_sub(block.start) as u64);
    }

    /// The first bad row: its reason and its place.
    pub fn first(&self) -> Option<(&str, u64)> {
        self.0.iter().map(|(reason, (place, _))| (reason.as_str(), *place)).min_by_key(|(_, place)| *place)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The bad rows of a scan.
#[derive(Debug, Default)]
pub struct Problems(Mutex<BTreeMap<(usize, String), (u64, u64)>>);

impl Problems {
    pub fn merge(&self, file: usize, found: Found) {
        if found.is_empty() {
            return;
        }
        let Ok(mut all) = self.0.lock() else { return };
        for (reason, (place, count)) in found.0 {
            let entry = all.entry((file, reason)).or_insert((place, 0));
            entry.0 = entry.0.min(place);
            entry.1 += count;
        }
    }

    /// A place from which on a file could not be used.
    pub fn at(&self, file: usize, reason: String, place: u64) {
        if let Ok(mut all) = self.0.lock() {
            all.entry((file, reason)).or_insert((place, 1));
        }
    }

    /// Values of a whole file that have no place.
    pub fn values(&self, file: usize, reason: String, count: u64) {
        if let Ok(mut all) = self.0.lock() {
            all.entry((file, reason)).or_insert((WHOLE_FILE, 0)).1 += count;
        }
    }

    /// A whole file that could not be used, or not to its end.
    pub fn whole_file(&self, file: usize, reason: String) {
        self.at(file, reason, WHOLE_FILE);
    }

    /// Lines are counted only now: most files have no bad row.
    pub fn list(&self, inputs: &[Input]) -> Vec<Problem> {
        let Ok(all) = self.0.lock() else { return Vec::new() };
        let mut list: Vec<Problem> = Vec::with_capacity(all.len());
        for ((file, reason), (place, count)) in all.iter() {
            let Some(input) = inputs.get(*file) else { continue };
            let line = if *place == WHOLE_FILE { 0 } else { input.line_at(*place) };
            list.push(Problem { file: input.name(), line, reason: reason.clone(), count: *count });
        }
        list.sort_by(|a, b| (&a.file, a.line, &a.reason).cmp(&(&b.file, b.line, &b.reason)));
        list
    }
}

const WHOLE_FILE: u64 = u64::MAX;
