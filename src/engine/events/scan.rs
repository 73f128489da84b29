//! Reading events piece by piece: the pieces of the parts, each with what is looked for in it.
use super::dataset::Membership;
use super::knowledge::Knowledge;
use super::morsel::{EventMorsel, Reading};
use super::part::Part;
use super::time::TIMES;
use super::{Events, TIME};
use crate::diagnostic::Result;
use crate::exec::learn;
use crate::functions::Context;
use crate::plan::{Morsel, Needs, Piece, Scan};
use crate::types::{Column, Kind, Name, Problem, gather};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// A reading of all events, or of those of a dataset.
pub fn events(events: &Events, needs: &Needs) -> Result<Box<dyn Scan>> {
    scan(events, &needs.columns, None, needs.morsel_rows)
}

pub fn scan(
    events: &Events,
    fields: &[Name],
    membership: Option<Arc<Membership>>,
    morsel_rows: usize,
) -> Result<Box<dyn Scan>> {
    let asked = match &membership {
        Some(membership) => membership.reads(fields, &events.knowledge),
        None => fields.to_vec(),
    };
    let parts = events.parts.iter().filter(|part| membership.as_ref().is_none_or(|m| m.may_hold(part)));
    let open = |part: &Arc<Part>| {
        let own = membership.iter().flat_map(|membership| membership.prefixes(part)).cloned();
        let asked: Vec<Name> = asked.iter().cloned().chain(own).collect();
        let reading = Arc::new(reading(part, &events.knowledge, &asked));
        part.source.table().into_iter().for_each(|table| learn(table, &reading.columns));
        let needs = Needs { columns: reading.columns.clone(), morsel_rows, ..Needs::default() };
        Ok((reading, part.source.scan(&needs)?))
    };
    let parts = parts.map(open).collect::<Result<Vec<_>>>()?;
    let view = Arc::new(View { fields: fields.to_vec(), membership });
    Ok(Box::new(EventScan { parts, view, at: Mutex::new(0), given: AtomicU32::new(0) }))
}

/// What must be read of a part for fields to be found.
pub fn reading(part: &Arc<Part>, knowledge: &Arc<Knowledge>, fields: &[Name]) -> Reading {
    let mut wanted: HashSet<Name> = HashSet::new();
    let ruled = knowledge.makes(fields) && knowledge.may_know(part);
    match ruled {
        true => {
            fields.iter().for_each(|name| knowledge.sources_of(name, &mut wanted));
            wanted.extend(knowledge.tells());
        }
        false => wanted.extend(fields.iter().cloned()),
    }
    let mut columns: Vec<Name> = Vec::new();
    let mut add = |name: &Name| {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    };
    let timed = wanted.contains(TIME);
    let textual = wanted.iter().any(|name| part.column(name).is_none());
    for name in &wanted {
        part.column(name).into_iter().for_each(|(name, _)| add(name));
        part.containers(name).for_each(&mut add);
    }
    if timed {
        part.times.iter().for_each(&mut add);
        wanted.extend(TIMES.iter().map(|name| Name::from(*name)));
    }
    if timed || textual || !wanted.is_empty() {
        part.raw.iter().chain(&part.beside).for_each(&mut add);
    }
    let mut wanted: Vec<Name> = wanted.into_iter().collect();
    wanted.sort();
    let (part, knowledge, asked) = (part.clone(), knowledge.clone(), fields.to_vec());
    Reading { part, knowledge, columns, wanted, asked, ruled, context: OnceLock::new() }
}

/// The fields that a scan gives, and of which events.
struct View {
    fields: Vec<Name>,
    membership: Option<Arc<Membership>>,
}

struct EventScan {
    parts: Vec<(Arc<Reading>, Box<dyn Scan>)>,
    view: Arc<View>,
    /// The part that is being read.
    at: Mutex<usize>,
    /// How many pieces were handed out.
    given: AtomicU32,
}

impl Scan for EventScan {
    fn next(&self) -> Result<Option<Box<dyn Piece>>> {
        let Ok(mut at) = self.at.lock() else { return Ok(None) };
        while let Some((reading, scan)) = self.parts.get(*at) {
            match scan.next()? {
                Some(inner) => {
                    let ordinal = self.given.fetch_add(1, Ordering::Relaxed);
                    let piece = EventPiece { inner, ordinal, reading: reading.clone(), view: self.view.clone() };
                    return Ok(Some(Box::new(piece)));
                }
                None => *at += 1,
            }
        }
        Ok(None)
    }

    fn progress(&self) -> f64 {
        let at = self.at.lock().map_or(0, |at| *at);
        let current = self.parts.get(at).map_or(0.0, |(_, scan)| scan.progress());
        (at as f64 + current) / self.parts.len().max(1) as f64
    }

    fn problems(&self) -> Vec<Problem> {
        self.parts.iter().flat_map(|(_, scan)| scan.problems()).collect()
    }
}

struct EventPiece {
    inner: Box<dyn Piece>,
    ordinal: u32,
    reading: Arc<Reading>,
    view: Arc<View>,
}

impl Piece for EventPiece {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>> {
        let morsel = EventMorsel::new(self.reading, self.inner.read(context)?, context);
        let rows = match &self.view.membership {
            Some(membership) => Some(membership.rows(&morsel)?),
            None => None,
        };
        Ok(Box::new(Viewed { morsel, view: self.view, rows }))
    }
}

/// The events of a morsel, all or some, with chosen fields.
struct Viewed {
    morsel: EventMorsel,
    view: Arc<View>,
    rows: Option<Vec<u32>>,
}

impl Morsel for Viewed {
    fn rows(&self) -> usize {
        self.rows.as_ref().map_or(self.morsel.rows(), Vec::len)
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        let Some(name) = self.view.fields.get(at) else {
            return Ok(Column::nulls(Kind::Field, rows.map_or(self.rows(), <[u32]>::len)));
        };
        let whole = match &self.view.membership {
            Some(membership) => membership.field(&self.morsel, name)?,
            None => {
                return match (self.morsel.plain(name, rows)?, rows) {
                    (Some(column), _) => Ok(column),
                    (None, Some(rows)) => self.morsel.field_of(name, rows),
                    (None, None) => self.morsel.field(name),
                };
            }
        };
        Ok(match (&self.rows, rows) {
            (None, None) => whole,
            (None, Some(rows)) => gather::take(&whole, rows),
            (Some(own), None) => gather::take(&whole, own),
            (Some(own), Some(rows)) => {
                let picked: Vec<u32> = rows.iter().filter_map(|row| own.get(*row as usize).copied()).collect();
                gather::take(&whole, &picked)
            }
        })
    }
}
