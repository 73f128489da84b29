//! Rows of files, kept for a second look: what of them is decoded is not decoded again, and of files that are read
//! once the columns of the second look are all there is.
use super::batch::Batch;
use super::pipeline::Feed;
use crate::diagnostic::{Fault, Result};
use crate::expr::Expr;
use crate::plan::Morsel;
use crate::types::{Column, Name, gather};
use std::collections::HashSet;
use std::sync::Arc;

/// The rows of a morsel that a batch has left.
pub struct Held {
    rows: Vec<u32>,
    /// By their place among what the feed needs.
    columns: Vec<Option<Column>>,
    /// What gives the other columns; none where it is not held.
    morsel: Option<Arc<dyn Morsel>>,
}

impl Held {
    /// The rows of a batch with these columns, so that the morsel is no longer needed.
    pub fn alone(batch: &Batch, morsel: &dyn Morsel, columns: &[bool]) -> Result<Held> {
        let mut held = Held::of(batch, columns);
        for (at, column) in held.columns.iter_mut().enumerate() {
            if column.is_none() && columns.get(at) == Some(&true) {
                *column = Some(morsel.column(at, Some(&held.rows))?);
            }
        }
        Ok(held)
    }

    /// The rows of a batch with those of these columns that are decoded, and the morsel for the others.
    pub fn beside(batch: &Batch, morsel: &Arc<dyn Morsel>, columns: &[bool]) -> Held {
        Held { morsel: Some(morsel.clone()), ..Held::of(batch, columns) }
    }

    fn of(batch: &Batch, columns: &[bool]) -> Held {
        let mut known = vec![None; columns.len()];
        for (at, column) in batch.decoded() {
            if let (Some(place), Some(true)) = (known.get_mut(at), columns.get(at)) {
                *place = Some(column);
            }
        }
        Held { rows: batch.selection(), columns: known, morsel: None }
    }

    /// About how many bytes the columns hold.
    pub fn bytes(&self) -> usize {
        self.columns.iter().flatten().map(gather::held_bytes).sum()
    }
}

impl Morsel for Held {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        match (self.columns.get(at), &self.morsel, rows) {
            (Some(Some(column)), _, Some(rows)) => Ok(gather::take(column, rows)),
            (Some(Some(column)), _, None) => Ok(column.clone()),
            (_, Some(morsel), Some(rows)) => {
                let own: Vec<u32> = rows.iter().filter_map(|row| self.rows.get(*row as usize).copied()).collect();
                morsel.column(at, Some(&own))
            }
            (_, Some(morsel), None) => morsel.column(at, Some(&self.rows)),
            _ => Err(Fault::internal("a column was not held")),
        }
    }
}

/// Which of the columns that a feed needs its steps read, or what comes after them.
pub fn columns_read(feed: &Feed, after: &HashSet<Name>) -> Vec<bool> {
    let mut read: HashSet<Name> = after.clone();
    for step in &feed.steps {
        read.extend(step.live.iter().cloned());
        read.extend(step.work.expressions().into_iter().flat_map(Expr::columns));
    }
    feed.needs.columns.iter().map(|name| read.contains(name)).collect()
}

/// The feed, whose steps let go of none of these columns.
pub fn retaining(mut feed: Feed, columns: &[bool]) -> Feed {
    let names: Vec<Name> =
        feed.needs.columns.iter().zip(columns).filter(|(_, kept)| **kept).map(|(n, _)| n.clone()).collect();
    for step in &mut feed.steps {
        Arc::make_mut(&mut step.live).extend(names.iter().cloned());
    }
    feed
}
