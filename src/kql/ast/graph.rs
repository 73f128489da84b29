//! The operators that make graphs of tables, and tables of graphs.
use super::{Column, Expression, Name, Pipeline, Spanned};
use crate::diagnostic::Span;

/// `make-graph source --> target with nodes on id`
#[derive(Clone, Debug, PartialEq)]
pub struct MakeGraph {
    /// The columns of the edges that hold the ids of their nodes.
    pub source: Name,
    pub target: Name,
    pub nodes: Vec<GraphNodes>,
    /// `with_node_id=name`: the nodes have their id alone, under this name.
    pub with_node_id: Option<Name>,
    pub partition: Option<GraphPartition>,
}

/// `table on id`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNodes {
    pub table: Expression,
    pub id: Name,
}

/// `partitioned-by column (operators)`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphPartition {
    pub column: Name,
    /// Has no source: the graph of one value of the column at a time.
    pub subquery: Pipeline,
}

/// `graph-match cycles=none (a)-[e]->(b) where condition project columns`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphMatch {
    pub cycles: Option<Spanned<GraphCycles>>,
    pub patterns: Vec<GraphPattern>,
    pub predicate: Option<Expression>,
    pub project: Vec<Column>,
}

/// `graph-shortest-paths output=all (a)-[e*1..5]->(b) where condition project columns`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphShortestPaths {
    /// `output=all`: every path of the least length, not just one.
    pub all: bool,
    pub pattern: GraphPattern,
    pub predicate: Option<Expression>,
    pub project: Vec<Column>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphCycles {
    All,
    /// No node twice.
    None,
    /// No edge twice.
    UniqueEdges,
}

/// `(a)-[e]->(b)--(c)`: a node, and edges each with the node behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphPattern {
    pub first: PatternNode,
    pub hops: Vec<(PatternEdge, PatternNode)>,
    pub span: Span,
}

/// `(name)` or `()`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternNode {
    pub name: Option<Name>,
    pub span: Span,
}

/// `-[name*1..5]->`, `<--`, `--`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternEdge {
    pub name: Option<Name>,
    pub direction: GraphDirection,
    /// The least and the greatest number of edges, where it varies.
    pub range: Option<(Expression, Expression)>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphDirection {
    /// From the node before to the node behind.
    Right,
    Left,
    Any,
}

/// `graph-mark-components kind=strong with_component_id=name`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphMarkComponents {
    pub strong: bool,
    pub with_component_id: Option<Name>,
}

/// `graph-to-table nodes as N with_node_id=id, edges as E with_source_id=s with_target_id=t`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphToTable {
    pub nodes: Option<GraphTable>,
    pub edges: Option<GraphTable>,
}

/// The nodes or the edges of a graph as rows.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphTable {
    /// `as name`
    pub name: Option<Name>,
    /// The columns for hashes of ids: of the node, or of the edge's source and target.
    pub ids: [Option<Name>; 2],
    pub span: Span,
}
