//! What a plan makes of a stream, whose rows pass once, piece by piece.
use super::{Node, NodeId, Plan};
use crate::expr::Expr;
use crate::functions::aggregates::Order;
use crate::types::Name;
use std::collections::HashMap;

/// How much of a stream must be seen at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nothing of it is read.
    Apart,
    /// Every row makes its rows of the result by itself.
    Rows,
    /// These aggregates take it in piece by piece, and the rest of the plan reads nothing but their results.
    Gathered(Vec<NodeId>),
    /// All of it: this node reads more than a row at a time.
    Whole(NodeId),
}

/// Looks at a plan's nodes as readers of streams.
pub struct Passing<'a> {
    plan: &'a Plan,
    depends: HashMap<NodeId, bool>,
}

impl<'a> Passing<'a> {
    pub fn new(plan: &'a Plan) -> Passing<'a> {
        Passing { plan, depends: HashMap::new() }
    }

    pub fn flow(&mut self, root: NodeId) -> Flow {
        if !self.depends(root) {
            return Flow::Apart;
        }
        if self.is_row_wise(root) {
            return Flow::Rows;
        }
        let mut gathered = Vec::new();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if gathered.contains(&id) || !self.depends(id) {
                continue;
            }
            if self.gathers(id) {
                gathered.push(id);
                continue;
            }
            for below in below(self.plan, id) {
                if self.is_row_wise(below) {
                    return Flow::Whole(id);
                }
                stack.push(below);
            }
        }
        gathered.sort();
        Flow::Gathered(gathered)
    }

    /// Whether the states of an aggregate over rows that pass may be made apart from each other and merged in any
    /// order, as far as the order of rows goes.
    pub fn is_free(&self, id: NodeId) -> bool {
        let Node::Aggregate { aggregates, .. } = self.plan.node(id) else { return false };
        aggregates.iter().all(|(_, call)| call.function.order == Order::Free)
    }

    /// The last of the filters that every row of a stream passes first; none where some rows pass none.
    pub fn first_filters(&mut self, root: NodeId) -> Option<Vec<NodeId>> {
        let mut found = Vec::new();
        for reader in self.plan.below(root) {
            if is_one_to_one(self.plan.node(reader)) {
                continue;
            }
            for input in below(self.plan, reader) {
                match self.last_filter(input) {
                    Some(Some(filter)) => found.push(filter),
                    Some(None) => return None,
                    None => {}
                }
            }
        }
        found.sort();
        found.dedup();
        (!found.is_empty() && found.iter().all(|id| self.is_row_wise(*id))).then_some(found)
    }

    /// The last filter that the rows of a stream pass on their way to a node, where nothing else but computed columns
    /// lies between; none where that is no way from a stream.
    fn last_filter(&self, node: NodeId) -> Option<Option<NodeId>> {
        let (mut at, mut last) = (node, None);
        loop {
            match self.plan.node(at) {
                Node::Scan { source, .. } => return source.is_stream().then_some(last),
                Node::Filter { input, .. } | Node::Window { input, .. } => {
                    last = last.or(Some(at));
                    at = *input;
                }
                Node::Extend { input, .. } | Node::Project { input, .. } => at = *input,
                _ => return None,
            }
        }
    }

    /// An aggregate over rows that pass.
    fn gathers(&mut self, id: NodeId) -> bool {
        match self.plan.node(id) {
            Node::Aggregate { input, .. } => self.is_row_wise(*input) && self.reads_only_its_rows(id),
            _ => false,
        }
    }

    /// Whether the rows of a node follow from those of a stream, each by itself.
    fn is_row_wise(&mut self, root: NodeId) -> bool {
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            match self.plan.node(id) {
                Node::Scan { source, .. } if source.is_stream() => continue,
                Node::Apply { body, .. } if self.depends(*body) => return false,
                Node::Window { .. }
                | Node::Filter { .. }
                | Node::Extend { .. }
                | Node::Project { .. }
                | Node::Expand { .. }
                | Node::Apply { .. }
                | Node::Union { .. } => {}
                _ => return false,
            }
            if !self.reads_only_its_rows(id) {
                return false;
            }
            stack.extend(self.plan.node(id).inputs());
        }
        true
    }

    /// Whether no value that a node's expressions wait for depends on a stream.
    fn reads_only_its_rows(&mut self, id: NodeId) -> bool {
        let late: Vec<NodeId> = self.plan.node(id).expressions().into_iter().flat_map(Expr::late).collect();
        late.into_iter().all(|node| !self.depends(node))
    }

    /// Whether a node reads a stream, by whatever way.
    fn depends(&mut self, root: NodeId) -> bool {
        if let Some(known) = self.depends.get(&root) {
            return *known;
        }
        let mut found = false;
        let mut stack = vec![root];
        let mut seen = vec![false; self.plan.len()];
        while let (false, Some(id)) = (found, stack.pop()) {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            found = self.reads_stream(id);
            stack.extend(below(self.plan, id));
        }
        self.depends.insert(root, found);
        found
    }

    fn reads_stream(&self, id: NodeId) -> bool {
        matches!(self.plan.node(id), Node::Scan { source, .. } if source.is_stream())
    }
}

/// Whether every row of a node is one of its input, and none is left out but by what it says itself.
fn is_one_to_one(node: &Node) -> bool {
    matches!(node, Node::Filter { .. } | Node::Window { .. } | Node::Extend { .. } | Node::Project { .. })
}

/// What a node reads: its inputs, the values that it waits for, the plans that it runs for each row.
fn below(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let node = plan.node(id);
    let late = node.expressions().into_iter().flat_map(Expr::late);
    node.inputs().into_iter().chain(late).chain(node.body()).collect()
}

/// The column of the scan under a node that a column is, unchanged; none where it is computed, or where there is not
/// one scan alone.
pub fn origin(plan: &Plan, node: NodeId, column: &Name) -> Option<Name> {
    let (mut at, mut name) = (node, column.clone());
    loop {
        match plan.node(at) {
            Node::Scan { source, .. } => return source.schema().contains(&name).then_some(name),
            Node::Window { input, .. } | Node::Filter { input, .. } => at = *input,
            Node::Extend { input, columns } if !columns.iter().any(|(made, _)| *made == name) => at = *input,
            Node::Extend { input, columns } | Node::Project { input, columns } => {
                let (_, expr) = columns.iter().find(|(made, _)| *made == name)?;
                let Expr::Column(from, _) = expr else { return None };
                (at, name) = (*input, from.clone());
            }
            Node::Expand { input, columns, index, .. } => {
                let made = columns.iter().any(|made| made.name == name) || index.as_ref() == Some(&name);
                if made {
                    return None;
                }
                at = *input;
            }
            _ => return None,
        }
    }
}
