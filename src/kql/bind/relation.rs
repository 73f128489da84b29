//! Rows on their way through a pipeline, and what an expression may see of them.
use super::operators::GraphView;
use crate::plan::{AggregateCall, NodeId, RowCall};
use crate::types::{Kind, Name, Schema};
use std::cell::RefCell;
use std::rc::Rc;

/// A plan node with what is known of its columns.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub node: NodeId,
    pub schema: Schema,
    /// Whether there may be columns that are not in the schema.
    pub open: Open,
    /// Columns whose kind nobody knows; they count as dynamic.
    pub unknown: Vec<Name>,
    /// The table's name where the rows are those of one table: what `union withsource=` says.
    pub table: Option<String>,
    /// The further results of an operator that gives several.
    pub others: Vec<Relation>,
    /// Where it is no table at all.
    pub graph: Option<Rc<Graph>>,
}

/// What `make-graph` gives: rows with hidden columns for the keys of nodes.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub nodes: Relation,
    pub edges: Relation,
}

impl Graph {
    /// Whether something about its tables was reported before.
    pub fn is_broken(&self) -> bool {
        self.nodes.open == Open::Broken || self.edges.open == Open::Broken
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    Closed,
    /// Any name is a column: null, unless the data say otherwise.
    Any,
    /// An error was reported before: nothing more is said about names.
    Broken,
}

impl Relation {
    pub fn new(node: NodeId, schema: Schema) -> Relation {
        Relation { node, schema, open: Open::Closed, unknown: Vec::new(), table: None, others: Vec::new(), graph: None }
    }

    pub fn is_open(&self) -> bool {
        self.open != Open::Closed
    }

    pub fn broken(mut self) -> Relation {
        self.open = Open::Broken;
        self
    }
}

/// Calls that were lifted out of an expression, under the hidden names that stand for them.
pub(super) type Lifted<T> = RefCell<Vec<(Name, T)>>;

/// What an expression may see.
#[derive(Clone, Copy, Default)]
pub(super) struct Row<'r> {
    /// The row's columns; none where only constants may stand.
    pub relation: Option<&'r Relation>,
    /// Where aggregates may stand: they are lifted out to here.
    pub aggregates: Option<&'r Lifted<AggregateCall>>,
    /// Where functions of the row's place may stand.
    pub in_order: Option<&'r Lifted<RowCall>>,
    /// Where the parts of a graph may be named.
    pub graph: Option<GraphView<'r>>,
}

impl<'r> Row<'r> {
    pub fn of(relation: &'r Relation) -> Row<'r> {
        Row { relation: Some(relation), ..Row::default() }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<(Name, Kind)> {
        let schema = &self.relation?.schema;
        schema.columns().iter().find(|(n, _)| &**n == name).cloned()
    }
}
