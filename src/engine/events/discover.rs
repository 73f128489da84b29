//! Which fields the events have: a look at all of them, in parallel.
use super::knowledge::Knowledge;
use super::morsel::{EventMorsel, Reading};
use super::part::Part;
use super::rules::Stanza;
use super::{FIRST, TIME};
use crate::diagnostic::{Fault, Result};
use crate::exec::learn;
use crate::functions::extraction::{self, MOST_FIELDS, Names, json};
use crate::functions::{Context, Limits};
use crate::plan::{Needs, Scan};
use crate::read::RAW;
use crate::types::{Dynamic, Kind, Name, Schema};
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// What a look at all events tells.
#[derive(Clone, Debug)]
pub struct Found {
    /// The fields, in the order of their first sight; those that every event may have come first.
    pub fields: Schema,
    /// Whether any event is of a known sourcetype.
    pub any_known: bool,
}

/// Looks at the events of all parts.
pub fn look(parts: &[Arc<Part>], knowledge: &Arc<Knowledge>) -> Result<Found> {
    let mut seen: HashSet<Name> = HashSet::new();
    let mut names: Vec<Name> = Vec::new();
    let mut any_known = false;
    for part in parts {
        let (found, known) = of_part(part, knowledge)?;
        any_known |= known;
        for name in found {
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        if names.len() > MOST_FIELDS {
            return Err(too_many());
        }
    }
    let place = |name: &Name| FIRST.iter().position(|first| **name == **first).unwrap_or(FIRST.len());
    names.sort_by_key(place);
    Ok(Found { fields: names.into_iter().map(|name| (name, Kind::Field)).collect(), any_known })
}

fn too_many() -> Fault {
    Fault::limit("fields", format!("the events have more than {MOST_FIELDS} fields"))
}

/// The fields of a part, and whether any event of it is of a known sourcetype.
fn of_part(part: &Arc<Part>, knowledge: &Arc<Knowledge>) -> Result<(Vec<Name>, bool)> {
    let mut names: Vec<Name> = Vec::new();
    let mut any_known = false;
    if !part.times.is_empty() || !part.raw.is_empty() {
        names.push(TIME.into());
    }
    if !part.raw.is_empty() {
        names.push(RAW.into());
    }
    if !part.name.is_empty() {
        names.push("source".into());
    }
    names.extend(part.columns.iter().filter(|(_, kind)| *kind != Kind::Dynamic).map(|(name, _)| name.clone()));
    let nested: Vec<Name> = part.columns.iter().filter(|(_, k)| *k == Kind::Dynamic).map(|(n, _)| n.clone()).collect();
    let known = knowledge.may_know(part);
    if known || !part.raw.is_empty() || part.beside.is_some() || !nested.is_empty() {
        let look = Look { part, knowledge, nested, known, until_known: None };
        let (found, stanzas) = look.all()?;
        names.extend(found);
        any_known = !stanzas.is_empty();
        names.extend(made(&names, stanzas.iter().filter_map(|number| knowledge.stanzas.get(*number))));
    }
    Ok((names, any_known))
}

/// Whether any event of a part is of a known sourcetype.
pub fn any_known(part: &Arc<Part>, knowledge: &Arc<Knowledge>) -> Result<bool> {
    let until_known = Some(AtomicBool::new(false));
    let look = Look { part, knowledge, nested: Vec::new(), known: true, until_known };
    let (_, stanzas) = look.all()?;
    Ok(!stanzas.is_empty())
}

/// A look at all rows of a part.
struct Look<'a> {
    part: &'a Arc<Part>,
    knowledge: &'a Arc<Knowledge>,
    /// The columns of objects and arrays.
    nested: Vec<Name>,
    /// Whether rows may be of known sourcetypes.
    known: bool,
    /// Set where a row of a known sourcetype is all that is looked for, and one was found.
    until_known: Option<AtomicBool>,
}

/// What some rows have: fields inside of texts and objects, and the numbers of the known sourcetypes.
type Seen = (Vec<Name>, BTreeSet<usize>);

impl Look<'_> {
    fn all(&self) -> Result<Seen> {
        let reading = Arc::new(self.reading());
        let morsel_rows = Limits::default().morsel_rows;
        let needs = Needs { columns: reading.columns.clone(), morsel_rows, ..Needs::default() };
        self.part.source.table().into_iter().for_each(|table| learn(table, &needs.columns));
        let scan = self.part.source.scan(&needs)?;
        let found: Mutex<Vec<(u32, Seen)>> = Mutex::default();
        let failed: Mutex<Option<Fault>> = Mutex::default();
        rayon::scope(|scope| {
            for _ in 0..rayon::current_num_threads() {
                scope.spawn(|_| {
                    if let Err(fault) = self.drain(&reading, scan.as_ref(), &found)
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.get_or_insert(fault);
                    }
                });
            }
        });
        if let Some(fault) = failed.into_inner().unwrap_or_default() {
            return Err(fault);
        }
        let mut found = found.into_inner().unwrap_or_default();
        found.sort_by_key(|(ordinal, _)| *ordinal);
        let (mut names, mut stanzas) = (Vec::new(), BTreeSet::new());
        for (_, (more, known)) in found {
            names.extend(more);
            stanzas.extend(known);
        }
        Ok((names, stanzas))
    }

    fn reading(&self) -> Reading {
        let told: Vec<Name> = if self.known { self.knowledge.tells().collect() } else { Vec::new() };
        let mut columns: Vec<Name> = self.nested.clone();
        columns.extend(told.iter().filter_map(|name| self.part.column(name)).map(|(name, _)| name.clone()));
        columns.extend(self.part.raw.iter().chain(&self.part.beside).cloned());
        columns.sort();
        columns.dedup();
        let (part, knowledge) = (self.part.clone(), self.knowledge.clone());
        Reading {
            part,
            knowledge,
            columns,
            wanted: told,
            asked: Vec::new(),
            ruled: self.known,
            context: OnceLock::new(),
        }
    }

    fn drain(&self, reading: &Arc<Reading>, scan: &dyn Scan, found: &Mutex<Vec<(u32, Seen)>>) -> Result<()> {
        let context = Context::new(0, Limits::default(), Arc::default());
        while !self.is_done() {
            let Some(piece) = scan.next()? else { break };
            let ordinal = piece.ordinal();
            let morsel = EventMorsel::new(reading.clone(), piece.read(&context)?, &context);
            let names = if self.until_known.is_some() { Vec::new() } else { self.names(&morsel)? };
            let known: BTreeSet<usize> = match self.known {
                true => morsel.known()?.iter().map(|(number, _)| *number).collect(),
                false => BTreeSet::new(),
            };
            if let Some(done) = self.until_known.as_ref().filter(|_| !known.is_empty()) {
                done.store(true, Ordering::Relaxed);
            }
            if let Ok(mut found) = found.lock() {
                found.push((ordinal, (names, known)));
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.until_known.as_ref().is_some_and(|done| done.load(Ordering::Relaxed))
    }

    fn names(&self, morsel: &EventMorsel) -> Result<Vec<Name>> {
        let (mut within, mut texts) = (Names::default(), Names::default());
        for (name, under) in
            self.nested.iter().map(|name| (name, &**name)).chain(self.part.beside.iter().map(|n| (n, "")))
        {
            let column = morsel.column(name)?;
            for row in 0..column.len() {
                if let Some(value) = Dynamic::of(&column, row) {
                    json::walk_under(&value.to_json(), under, &mut within);
                }
            }
        }
        if !self.part.raw.is_empty() {
            let column = morsel.staged(&RAW.into(), 0)?;
            (0..column.len()).filter_map(|row| column.text(row)).for_each(|text| extraction::event(text, &mut texts));
        }
        if within.overflows() || texts.overflows() {
            return Err(too_many());
        }
        // An array of a column is the field's several values.
        let of_column = |name: Name| match name.strip_suffix("{}") {
            Some(array) if self.nested.iter().any(|own| **own == *array) => array.into(),
            _ => name,
        };
        Ok(within.into_names().into_iter().map(of_column).chain(texts.into_names()).collect())
    }
}

/// The fields that rules make of those that there are.
fn made<'s>(names: &[Name], stanzas: impl Iterator<Item = &'s Stanza> + Clone) -> Vec<Name> {
    let mut has: HashSet<Name> = names.iter().cloned().collect();
    let mut made: BTreeSet<Name> = BTreeSet::new();
    let stages = stanzas.clone().map(|stanza| stanza.rules.len()).max().unwrap_or_default();
    for stage in 0..stages {
        for (name, rules) in stanzas.clone().filter_map(|stanza| stanza.rules.get(stage)).flatten() {
            let may =
                rules.iter().any(|rule| rule.reads().iter().any(|read| has.contains(read)) || rule.needs_nothing());
            if may && !has.contains(name) {
                made.insert(name.clone());
            }
        }
        has.extend(made.iter().cloned());
    }
    made.into_iter().collect()
}
