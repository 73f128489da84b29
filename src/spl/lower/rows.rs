//! The rows between two commands: a plan's node and the fields that it may have.
use crate::expr::Expr;
use crate::plan::NodeId;
use crate::spl::wildcard;
use crate::types::{Kind, Name, Schema, Value};

/// Rows that a command takes or gives.
#[derive(Clone, Debug)]
pub struct Rows {
    pub node: NodeId,
    /// The fields in order. A field may be absent in every row.
    pub schema: Schema,
    /// Whether there may be others that only data tell: in a check alone.
    pub open: bool,
}

impl Rows {
    pub fn new(node: NodeId, schema: Schema) -> Rows {
        Rows { node, schema, open: false }
    }

    pub fn opened(self) -> Rows {
        Rows { open: true, ..self }
    }

    pub fn has(&self, name: &str) -> bool {
        self.schema.contains(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.schema.names()
    }

    /// The field, absent in every row where the rows lack it.
    pub fn field(&self, name: &str) -> Expr {
        match self.schema.columns().iter().find(|(known, _)| **known == *name) {
            Some((known, kind)) => Expr::Column(known.clone(), *kind),
            None => Expr::Const(Value::Null(Kind::Field)),
        }
    }

    /// The fields that a name with wildcards stands for, in order; a plain name stands for itself.
    pub fn matching(&self, pattern: &str) -> Vec<Name> {
        match wildcard::is_pattern(pattern) {
            true => self.names().filter(|name| wildcard::matches(pattern, name)).cloned().collect(),
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
