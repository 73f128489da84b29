//! Where the order of events counts. Splunk gives them newest first; here they are put in that order only under what
//! can tell, and as late as may be: behind the filters.
use crate::expr::{Expr, NodeId};
use crate::functions::aggregates::Order;
use crate::plan::{AggregateCall, Node, Plan};
use crate::types::{Name, Value};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

/// The result of `root` with events in order where that counts, and nowhere else.
pub fn settle(plan: &mut Plan, root: NodeId) -> NodeId {
    let nodes = plan.below(root);
    if !nodes.iter().any(|id| matches!(plan.node(*id), Node::Newest { .. })) {
        return root;
    }
    let counts = ordered(plan, root, &nodes);
    let mut now: HashMap<NodeId, NodeId> = HashMap::new();
    for id in nodes {
        let made = rewritten(plan, id, &counts, &now);
        now.insert(id, made);
    }
    now.get(&root).copied().unwrap_or(root)
}

/// The nodes whose order of rows somebody reads. Inputs have lower numbers than their readers.
fn ordered(plan: &Plan, root: NodeId, nodes: &[NodeId]) -> HashSet<NodeId> {
    let mut counts = HashSet::from([root]);
    for id in nodes.iter().rev() {
        let node = plan.node(*id);
        let own = counts.contains(id);
        let inputs = node.inputs();
        let read: Vec<NodeId> = match node {
            Node::Window { .. }
            | Node::Filter { .. }
            | Node::Extend { .. }
            | Node::Project { .. }
            | Node::Expand { .. }
            | Node::Union { .. }
            | Node::Newest { .. } => inputs.into_iter().filter(|_| own).collect(),
            // Groups that are sorted by all of their keys come in no other order.
            Node::Sort { input, keys } => {
                inputs.into_iter().filter(|_| own && !is_of_keys(plan, *input, keys.len())).collect()
            }
            Node::Aggregate { input, by, aggregates } => {
                let is_read = (own && !by.is_empty()) || !aggregates.iter().all(|(_, call)| is_free(call));
                is_read.then_some(*input).into_iter().collect()
            }
            // Of each group there is one row.
            Node::Join { left, right, .. } if matches!(plan.node(*right), Node::Aggregate { .. }) => {
                own.then_some(*left).into_iter().collect()
            }
            _ => inputs,
        };
        counts.extend(read);
        counts.extend(node.expressions().into_iter().flat_map(Expr::late));
    }
    counts
}

fn is_of_keys(plan: &Plan, node: NodeId, keys: usize) -> bool {
    matches!(plan.node(node), Node::Aggregate { by, .. } if by.len() == keys)
}

/// Whether the order of rows cannot show in an aggregate, or only where times are equal, which it can be told of.
fn is_free(call: &AggregateCall) -> bool {
    call.function.order == Order::Free || goes_by_time(call)
}

fn goes_by_time(call: &AggregateCall) -> bool {
    call.function.parameters.iter().any(|parameter| parameter.name == "stored")
}

/// The node over what its inputs have become.
fn rewritten(plan: &mut Plan, id: NodeId, counts: &HashSet<NodeId>, now: &HashMap<NodeId, NodeId>) -> NodeId {
    let at = |id: NodeId| now.get(&id).copied().unwrap_or(id);
    let node = plan.node(id).clone();
    let before = node.inputs();
    if let (Node::Newest { input, .. }, false) = (&node, counts.contains(&id)) {
        return at(*input);
    }
    let mapped = node.map_inputs(&mut |input| Ok::<_, Infallible>(at(input)));
    let mapped = mapped.and_then(|node| {
        node.map_expressions(&mut |expr| Ok(expr.map_late(&mut |node, kind| Expr::Late(at(node), kind))))
    });
    let Ok(mut node) = mapped;
    if let Node::Aggregate { input, aggregates, .. } = &mut node
        && before.iter().any(|input| holds_newest(plan, *input))
        && !holds_newest(plan, *input)
    {
        aggregates.iter_mut().filter(|(_, call)| goes_by_time(call)).for_each(|(_, call)| {
            call.arguments.push(Expr::Const(Value::Bool(true)));
        });
    }
    let schema = plan.schema(id).clone();
    match lifted(plan, &node) {
        Some((time, below)) => {
            let input = plan.add(below, schema.clone());
            plan.add(Node::Newest { input, time }, schema)
        }
        None => plan.add(node, schema),
    }
}

fn holds_newest(plan: &Plan, node: NodeId) -> bool {
    plan.below(node).iter().any(|id| matches!(plan.node(*id), Node::Newest { .. }))
}

/// A node that can as well run before its input is put in order: the time to order by, and the node below.
fn lifted(plan: &Plan, node: &Node) -> Option<(Name, Node)> {
    let newest = |id: &NodeId| match plan.node(*id) {
        Node::Newest { input, time } => Some((*input, time.clone())),
        _ => None,
    };
    match node {
        Node::Filter { input, predicate } => {
            let (input, time) = newest(input)?;
            Some((time, Node::Filter { input, predicate: predicate.clone() }))
        }
        Node::Extend { input, columns } => {
            let (input, time) = newest(input)?;
            let keeps = !columns.iter().any(|(name, _)| *name == time);
            keeps.then(|| (time, Node::Extend { input, columns: columns.clone() }))
        }
        _ => None,
    }
}
