//! The names and kinds of a table's columns.
use super::Kind;
use std::sync::Arc;

/// A column's name; column names are case-sensitive.
pub type Name = Arc<str>;

/// Columns in order; no name occurs twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schema {
    columns: Vec<(Name, Kind)>,
}

impl Schema {
    pub fn new(columns: Vec<(Name, Kind)>) -> Self {
        Schema { columns }
    }

    pub fn columns(&self) -> &[(Name, Kind)] {
        &self.columns
    }

    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.columns.iter().map(|(name, _)| name)
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(n, _)| &**n == name)
    }

    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.columns.iter().find(|(n, _)| &**n == name).map(|(_, k)| *k)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Adds a column, or gives the one of that name another kind in its place.
    pub fn set(&mut self, name: Name, kind: Kind) {
        match self.position(&name) {
            Some(at) => self.columns[at].1 = kind,
            None => self.columns.push((name, kind)),
        }
    }

    /// `name`, or `name1`, `name2`… where it is taken.
    pub fn free_name(&self, name: &str) -> Name {
        if !self.contains(name) {
            return name.into();
        }
        (1..).map(|i| format!("{name}{i}")).find(|n| !self.contains(n)).unwrap_or_default().into()
    }
}

impl<N: Into<Name>> FromIterator<(N, Kind)> for Schema {
    fn from_iter<I: IntoIterator<Item = (N, Kind)>>(columns: I) -> Self {
        Schema { columns: columns.into_iter().map(|(n, k)| (n.into(), k)).collect() }
    }
}
