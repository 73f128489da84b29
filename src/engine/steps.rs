//! Why a result is empty: the rows after each step, in the query's own order.
use crate::plan::{JoinKind, Node, NodeId, Plan, describe};
use std::collections::HashSet;

/// A step and how deep it stands in the parts of the query.
struct Step {
    id: NodeId,
    depth: usize,
}

/// The steps under `root`, one line each with its rows; then the step that emptied the result, if it is empty.
pub fn listing(plan: &Plan, root: NodeId, rows: &dyn Fn(NodeId) -> Option<u64>) -> String {
    let mut out = String::new();
    let steps = in_order(plan, root);
    let widest = steps.iter().filter_map(|s| rows(s.id)).max().unwrap_or(0).to_string().len();
    let width = widest.max("rows".len());
    out.push_str(&format!("{:>width$}  step\n", "rows"));
    for step in &steps {
        let count = rows(step.id).map_or_else(|| "-".to_owned(), |n| n.to_string());
        out.push_str(&format!("{count:>width$}  {:indent$}{}\n", "", describe(plan, step.id), indent = step.depth * 2));
    }
    if rows(root) == Some(0) {
        let (emptied, merged) = emptying(plan, root, rows);
        let before: Vec<String> =
            plan.node(emptied).inputs().iter().filter_map(|i| rows(*i)).map(|n| n.to_string()).collect();
        out.push_str(&match before.is_empty() {
            true => format!("No row came from: {}\n", describe(plan, emptied)),
            false if merged.is_empty() => {
                format!("Emptied by: {} ({} rows before it)\n", describe(plan, emptied), before.join(" and "))
            }
            // Steps that ran as one are not told apart.
            false => {
                let all: Vec<String> =
                    std::iter::once(emptied).chain(merged).map(|step| describe(plan, step)).collect();
                format!("Emptied by one of: {} ({} rows before them)\n", all.join("; "), before.join(" and "))
            }
        });
    }
    out
}

/// What runs first comes first; the inputs of a step with several stand one deeper, all but the first.
fn in_order(plan: &Plan, root: NodeId) -> Vec<Step> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut stack = vec![Step { id: root, depth: 0 }];
    while let Some(step) = stack.pop() {
        if !seen.insert(step.id) {
            continue;
        }
        let late = plan.node(step.id).expressions().into_iter().flat_map(|e| e.late());
        let inputs = plan.node(step.id).inputs();
        let legs = matches!(plan.node(step.id), Node::Union { .. });
        let sides = inputs.iter().enumerate().map(|(at, id)| (*id, at > 0 || legs)).chain(late.map(|id| (id, true)));
        // The stack is read from its end, and the list is turned round at last: the first input comes first.
        let (main, side): (Vec<_>, Vec<_>) = sides.partition(|(_, deeper)| !deeper);
        stack.extend(main.into_iter().map(|(id, _)| Step { id, depth: step.depth }));
        stack.extend(side.into_iter().map(|(id, _)| Step { id, depth: step.depth + 1 }));
        found.push(step);
    }
    found.reverse();
    found
}

/// The step whose input had rows and whose result has none; the source where that had none. Then the steps after it
/// that ran as one with it.
fn emptying(plan: &Plan, root: NodeId, rows: &dyn Fn(NodeId) -> Option<u64>) -> (NodeId, Vec<NodeId>) {
    let (mut at, mut merged) = (root, Vec::new());
    // A plan has no cycles; the bound only says so.
    for _ in 0..plan.len() {
        let inputs = decisive(plan, at);
        let empty = inputs.iter().find(|id| rows(**id) == Some(0));
        // A step that was merged into another has no count of its own: look through it.
        let unknown = || inputs.iter().find(|id| rows(**id).is_none());
        match empty.or_else(unknown) {
            Some(next) => {
                // A step without a count of its own ran as one with what has none before it, or with what has one.
                match (rows(at), rows(*next)) {
                    (Some(_), Some(_)) => merged.clear(),
                    (Some(_), None) => merged = vec![at],
                    (None, _) => merged.insert(0, at),
                }
                at = *next;
            }
            None => break,
        }
    }
    merged.retain(|step| matches!(plan.node(*step), Node::Filter { .. } | Node::Window { .. }));
    (at, merged)
}

/// The inputs whose emptiness makes the step's result empty.
fn decisive(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    match plan.node(id) {
        Node::Join { left, right, kind, .. } => match kind {
            JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftSemi | JoinKind::RightSemi => vec![*left, *right],
            JoinKind::LeftOuter | JoinKind::LeftAnti => vec![*left],
            JoinKind::RightOuter | JoinKind::RightAnti => vec![*right],
            JoinKind::FullOuter => Vec::new(),
        },
        node => node.inputs(),
    }
}
