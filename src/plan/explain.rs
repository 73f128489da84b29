//! A plan as an indented tree of text.
use super::{JoinKind, Node, NodeId, Plan};

/// The plan under `root`, one line a node; `note` adds to a node's line (its rows and time after a run).
pub fn explain(plan: &Plan, root: NodeId, note: &dyn Fn(NodeId) -> String) -> String {
    let mut out = String::new();
    let mut stack = vec![(root, 0)];
    let mut shown = std::collections::HashSet::new();
    while let Some((id, depth)) = stack.pop() {
        let again = !shown.insert(id);
        let label = describe(plan, id);
        let said = note(id);
        let shared = if again { " (shared, see above)" } else { "" };
        out.push_str(&format!("{:indent$}#{} {label}{said}{shared}\n", "", id.0, indent = depth * 2));
        if !again {
            let late = plan.node(id).expressions().into_iter().flat_map(|e| e.late());
            let children: Vec<NodeId> = plan.node(id).inputs().into_iter().chain(late).collect();
            stack.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
        }
    }
    out
}

/// The node in a line.
pub fn describe(plan: &Plan, id: NodeId) -> String {
    let named = |columns: &[(crate::types::Name, crate::expr::Expr)]| {
        let each = columns.iter().map(|(name, e)| {
            let text = e.to_string();
            if *text == **name { text } else { format!("{name} = {text}") }
        });
        each.collect::<Vec<_>>().join(", ")
    };
    match plan.node(id) {
        Node::Scan { name, .. } => format!("scan {name}"),
        Node::Values(table) => format!("values ({} rows)", table.rows()),
        Node::Window { window, .. } => format!("window {}", window.column),
        Node::Filter { predicate, .. } => format!("where {predicate}"),
        Node::Extend { columns, .. } => format!("extend {}", named(columns)),
        Node::Project { columns, .. } => format!("project {}", named(columns)),
        Node::Aggregate { by, aggregates, .. } => {
            let calls = aggregates.iter().map(|(name, c)| {
                let arguments: Vec<String> = c.arguments.iter().map(ToString::to_string).collect();
                let condition = c.condition.as_ref().map(|c| format!(" if {c}")).unwrap_or_default();
                format!("{name} = {}({}){condition}", c.function.name, arguments.join(", "))
            });
            format!("summarize {} by {}", calls.collect::<Vec<_>>().join(", "), named(by))
        }
        Node::Join { kind, keys, .. } => {
            let keys: Vec<String> = keys.iter().map(|(l, r)| format!("$left.{l} == $right.{r}")).collect();
            format!("join kind={} on {}", join_name(*kind), keys.join(", "))
        }
        Node::Union { inputs } => format!("union of {}", inputs.len()),
        Node::Sort { keys, .. } => {
            let each = keys.iter().map(|k| format!("{}{}", k.expr, if k.descending { " desc" } else { " asc" }));
            format!("sort by {}", each.collect::<Vec<_>>().join(", "))
        }
        Node::Newest { .. } => "newest first".to_owned(),
        Node::Take { rows, .. } => format!("take {rows}"),
        Node::Expand { columns, .. } => {
            format!("mv-expand {}", columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", "))
        }
        Node::Apply { columns, body, .. } => {
            let names = columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", ");
            format!("mv-apply {names} on #{}", body.0)
        }
        Node::Argument { .. } => "the rows of each".to_owned(),
        Node::Partition { by, body, .. } => format!("partition by {by} on #{}", body.0),
        Node::Rows { columns, .. } => {
            format!("in row order {}", columns.iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>().join(", "))
        }
        Node::Sample { rows, .. } => format!("sample {rows}"),
        Node::Table { operation, .. } => operation.name().to_owned(),
    }
}

fn join_name(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::InnerUnique => "innerunique",
        JoinKind::Inner => "inner",
        JoinKind::LeftOuter => "leftouter",
        JoinKind::RightOuter => "rightouter",
        JoinKind::FullOuter => "fullouter",
        JoinKind::LeftSemi => "leftsemi",
        JoinKind::RightSemi => "rightsemi",
        JoinKind::LeftAnti => "leftanti",
        JoinKind::RightAnti => "rightanti",
    }
}
