//! The relational plan that both languages lower to: an arena of nodes, each with its schema.
mod explain;
mod flow;
mod knowledge;
mod memory;
mod node;
mod source;

pub use crate::expr::NodeId;
pub use explain::{describe, explain};
pub use flow::{Flow, Passing, origin};
pub use knowledge::{EventType, Lookup, LookupWriter, MOST_MATCHES, Macro, MatchType, Matching, Tag, TimeBound};
pub use memory::InMemory;
pub use node::{
    AggregateCall, Expanded, FirstRows, JoinKind, JoinSide, KeepsInput, Node, RowCall, SortKey, TableOperation,
};
pub use source::{Catalog, ExternalForm, Morsel, Needs, Piece, Scan, Source, TextForm, TextMatch, TextTest, Window};

use crate::types::{Kind, Schema};
use std::collections::{HashMap, HashSet};

/// Nodes in an arena; equal nodes are one node.
#[derive(Debug, Default)]
pub struct Plan {
    nodes: Vec<(Node, Schema)>,
    known: HashMap<String, NodeId>,
}

impl Plan {
    /// Adds a node with its schema; gives the known one where an equal node exists. Nodes that must be
    /// asked anew for every row (`rand`) are never shared.
    pub fn add(&mut self, node: Node, schema: Schema) -> NodeId {
        let key = (!node.is_per_row()).then(|| format!("{node:?}"));
        if let Some(known) = key.as_ref().and_then(|k| self.known.get(k)) {
            return *known;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push((node, schema));
        if let Some(key) = key {
            self.known.insert(key, id);
        }
        id
    }

    /// The node of an id of this plan.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize].0
    }

    pub fn schema(&self, id: NodeId) -> &Schema {
        &self.nodes[id.0 as usize].1
    }

    /// The nodes under a root, those of late values too, inputs first.
    pub fn below(&self, root: NodeId) -> Vec<NodeId> {
        let mut found = HashSet::new();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if found.insert(id) {
                let node = self.node(id);
                stack.extend(node.inputs());
                stack.extend(node.expressions().into_iter().flat_map(crate::expr::Expr::late));
            }
        }
        let mut nodes: Vec<NodeId> = found.into_iter().collect();
        nodes.sort();
        nodes
    }

    /// Whether a node can only run as a part of a body: it reads the rows that an `Apply` or a `Partition` gives.
    pub fn hangs_on_argument(&self, id: NodeId) -> bool {
        self.below(id).iter().any(|n| matches!(self.node(*n), Node::Argument { .. }))
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The kind of a node's column.
    pub fn kind(&self, id: NodeId, column: &str) -> Option<Kind> {
        self.schema(id).kind(column)
    }
}
