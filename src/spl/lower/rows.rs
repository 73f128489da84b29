//! The rows between two commands: a plan's node and the fields that it may have.
use crate::expr::Expr;
use crate::plan::NodeId;
use crate::spl::wildcard;
use crate::types::{Column, Kind, Name, Schema, Table, Value};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a first reading of a search finds out of the fields that it wants of the events.
#[derive(Debug, Default)]
pub struct Survey {
    names: RefCell<BTreeSet<Name>>,
    all: Cell<bool>,
}

impl Survey {
    pub fn want(&self, name: &str) {
        self.names.borrow_mut().insert(name.into());
    }

    /// Any field may count.
    pub fn want_all(&self) {
        self.all.set(true);
    }

    /// The names that are wanted; none where any field may count.
    pub fn names(&self) -> Option<Vec<Name>> {
        (!self.all.get()).then(|| self.names.borrow().iter().cloned().collect())
    }
}

/// Whether a field is Splunk's own: `_time`, `_raw` and their kin.
pub fn is_internal(name: &str) -> bool {
    name.starts_with('_')
}

/// The columns of a table that are not internal.
pub fn plain_columns(table: &Table) -> Vec<(Name, Column)> {
    let named = table.schema().names().enumerate().filter(|(_, name)| !is_internal(name));
    named.map(|(at, name)| (name.clone(), table.column(at))).collect()
}

/// Rows that a command takes or gives.
#[derive(Clone, Debug)]
pub struct Rows {
    pub node: NodeId,
    /// The fields in order. A field may be absent in every row.
    pub schema: Schema,
    /// Whether there may be others that only data tell: in a check, and in a first reading.
    pub open: bool,
    /// Who notes the names that are asked for, where the rows are open.
    pub survey: Option<Rc<Survey>>,
}

impl Rows {
    pub fn new(node: NodeId, schema: Schema) -> Rows {
        Rows { node, schema, open: false, survey: None }
    }

    pub fn opened(self) -> Rows {
        Rows { open: true, ..self }
    }

    /// With these fields and no others.
    pub fn closed(self) -> Rows {
        Rows { open: false, survey: None, ..self }
    }

    /// As open as other rows are.
    pub fn open_as(self, other: &Rows) -> Rows {
        Rows { open: other.open, survey: other.survey.clone(), ..self }
    }

    /// Says that any field may count.
    pub fn want_all(&self) {
        if let Some(survey) = &self.survey {
            survey.want_all();
        }
    }

    fn want(&self, name: &str) {
        if let Some(survey) = &self.survey {
            survey.want(name);
        }
    }

    /// Whether the rows may have the field, as far as it is known.
    pub fn has(&self, name: &str) -> bool {
        self.schema.contains(name) || {
            self.want(name);
            false
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.schema.names()
    }

    /// The fields that are not internal: what a command without fields is about.
    pub fn plain_names(&self) -> impl Iterator<Item = &Name> {
        self.names().filter(|name| !is_internal(name))
    }

    /// The field, absent in every row where the rows lack it.
    pub fn field(&self, name: &str) -> Expr {
        match self.schema.columns().iter().find(|(known, _)| **known == *name) {
            Some((known, kind)) => Expr::Column(known.clone(), *kind),
            None => {
                self.want(name);
                Expr::Const(Value::Null(Kind::Field))
            }
        }
    }

    /// The fields that a name with wildcards stands for, in order; a plain name stands for itself.
    pub fn matching(&self, pattern: &str) -> Vec<Name> {
        match wildcard::is_pattern(pattern) {
            true => {
                self.want_all();
                self.names().filter(|name| wildcard::matches(pattern, name)).cloned().collect()
            }
            false => vec![pattern.into()],
        }
    }

    /// The same for several names, each field once.
    pub fn matching_any<'n>(&self, patterns: impl IntoIterator<Item = &'n str>) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        for name in patterns.into_iter().flat_map(|pattern| self.matching(pattern)) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }
}
