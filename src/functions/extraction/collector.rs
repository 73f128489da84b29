//! The values of a walk by field and row, and the columns that they make.
use super::Visitor;
use crate::types::field::FieldBuilder;
use crate::types::{Column, Name};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// No more fields than this are told apart.
pub const MOST_FIELDS: usize = 20_000;

type Hasher = foldhash::fast::FixedState;

/// Gathers values by field, row by row.
pub struct Collector<'a> {
    slots: HashMap<Name, usize, Hasher>,
    names: Vec<Name>,
    /// Of each field its rows, ascending, and their values.
    values: Vec<Vec<(u32, Cow<'a, str>)>>,
    /// Where only some fields are wanted: the beginnings of their names.
    beginnings: Option<HashSet<Box<str>, Hasher>>,
    overflows: bool,
    row: u32,
}

impl<'a> Collector<'a> {
    /// Takes every field.
    pub fn all() -> Collector<'a> {
        Collector {
            slots: HashMap::default(),
            names: Vec::new(),
            values: Vec::new(),
            beginnings: None,
            overflows: false,
            row: 0,
        }
    }

    /// Takes these fields.
    pub fn of(names: &[Name]) -> Collector<'a> {
        let mut collector = Self::all();
        names.iter().for_each(|name| {
            collector.slot(name);
        });
        collector.beginnings = Some(names.iter().flat_map(|name| beginnings(name)).map(Box::from).collect());
        collector
    }

    /// The values that come now are of this row.
    pub fn begin(&mut self, row: usize) {
        self.row = row as u32;
    }

    fn slot(&mut self, name: &str) -> Option<usize> {
        if let Some(slot) = self.slots.get(name) {
            return Some(*slot);
        }
        if self.beginnings.is_some() {
            return None;
        }
        if self.names.len() >= MOST_FIELDS {
            self.overflows = true;
            return None;
        }
        let name: Name = name.into();
        self.slots.insert(name.clone(), self.names.len());
        self.names.push(name);
        self.values.push(Vec::new());
        Some(self.names.len() - 1)
    }

    /// Whether there were more than [`MOST_FIELDS`].
    pub fn overflows(&self) -> bool {
        self.overflows
    }

    /// A column of so many rows for each field, in order; several values of a row are in the order of the text.
    /// Most texts are parts of the `source` column's.
    pub fn into_columns(self, rows: usize, source: Option<&Column>) -> Vec<(Name, Column)> {
        let columns = self.values.into_iter().map(|values| column(&values, rows, source));
        self.names.into_iter().zip(columns).collect()
    }
}

fn column(values: &[(u32, Cow<'_, str>)], rows: usize, source: Option<&Column>) -> Column {
    let mut builder = FieldBuilder::new(source, rows);
    for group in values.chunk_by(|(a, _), (b, _)| a == b) {
        let row = group.first().map_or(0, |(row, _)| *row as usize);
        (builder.len()..row).for_each(|_| builder.push_null());
        match group {
            [(_, one)] => builder.push_text(one),
            several => builder.push_several(several.iter().map(|(_, text)| text)),
        }
    }
    (builder.len()..rows).for_each(|_| builder.push_null());
    builder.finish()
}

/// The parts of a name that end before a `.` or a `{`.
fn beginnings(name: &str) -> impl Iterator<Item = &str> {
    name.char_indices().filter(|(_, c)| matches!(c, '.' | '{')).filter_map(|(at, _)| name.get(..at)).chain(
        // An array's own elements may be arrays or objects: `l{}` goes on.
        name.match_indices("{}").filter_map(|(at, _)| name.get(..at + 2)),
    )
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn enters(&mut self, path: &str) -> bool {
        self.beginnings.as_ref().is_none_or(|beginnings| beginnings.contains(path))
    }

    fn value(&mut self, name: &str, value: Cow<'a, str>) {
        let row = self.row;
        if let Some(values) = self.slot(name).and_then(|slot| self.values.get_mut(slot)) {
            values.push((row, value));
        }
    }
}

/// The names of fields, in the order in which they are first seen.
#[derive(Default)]
pub struct Names {
    seen: HashSet<Name, Hasher>,
    names: Vec<Name>,
}

impl Names {
    /// Whether there are more than [`MOST_FIELDS`].
    pub fn overflows(&self) -> bool {
        self.names.len() > MOST_FIELDS
    }

    pub fn into_names(self) -> Vec<Name> {
        self.names
    }
}

impl<'a> Visitor<'a> for Names {
    fn enters(&mut self, _: &str) -> bool {
        true
    }

    fn value(&mut self, name: &str, _: Cow<'a, str>) {
        if !self.seen.contains(name) && self.names.len() <= MOST_FIELDS {
            let name: Name = name.into();
            self.seen.insert(name.clone());
            self.names.push(name);
        }
    }
}
