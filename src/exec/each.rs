//! What a body needs beside keyed nodes: late values of its own rows, and inputs that are the same for every key.
use super::apply::{KEY, key_column, with_key};
use super::build::Executor;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, NodeId};
use crate::functions::Context;
use crate::plan::{JoinKind, JoinSide, Node, Plan, SortKey, TableOperation};
use crate::types::{Builder, Column, Kind, Name, Schema, Table, Value, gather};
use std::collections::HashMap;
use std::sync::Arc;

/// The expression with the late values computed that are the same for every key.
pub fn ready_outside(executor: &Executor, expr: Expr) -> Result<Expr> {
    match expr {
        Expr::Late(node, _) if executor.plan.hangs_on_argument(node) => Ok(expr),
        Expr::Late(..) => executor.ready(expr),
        expr if expr.late().is_empty() => Ok(expr),
        expr => {
            let mut fault = None;
            let expr = expr.map_children(&mut |child| {
                ready_outside(executor, child).unwrap_or_else(|error| {
                    fault = Some(error);
                    Expr::Const(Value::Null(Kind::Dynamic))
                })
            });
            fault.map_or(Ok(expr), Err)
        }
    }
}

/// The column that holds a late value of each key.
fn late_column(node: NodeId) -> Name {
    format!("{KEY}late{}", node.0).into()
}

/// An expression that reads late values as columns. A key without a row has null.
pub fn as_column(expr: Expr) -> Expr {
    expr.map_late(&mut |node, kind| {
        let own = Expr::Column(late_column(node), kind);
        match kind {
            Kind::String => Expr::Coalesce(vec![own, Expr::Const(Value::string(""))], kind),
            _ => own,
        }
    })
}

/// The node with the late values of its own body, where those have other numbers now.
pub fn with_new_late_values(node: Node, now: &HashMap<NodeId, NodeId>) -> Result<Node> {
    let renumbered = &mut |node, kind| Expr::Late(now.get(&node).copied().unwrap_or(node), kind);
    node.map_expressions(&mut |e| Ok(e.map_late(renumbered)))
}

/// The rows of `input` with a column for each late value: the first cell of what `found` has for their key.
pub fn with_late_values(
    plan: &mut Plan,
    input: NodeId,
    late: &[(NodeId, Schema)],
    now: &HashMap<NodeId, NodeId>,
) -> Result<NodeId> {
    let mut rows = input;
    for (node, schema) in late {
        let (Some((first, kind)), Some(right)) = (schema.columns().first(), now.get(node).copied()) else {
            return Err(Fault::internal("a late value without a column"));
        };
        let mut joined = plan.schema(rows).clone();
        let mut columns: Vec<(Name, JoinSide, Name)> =
            joined.names().map(|name| (name.clone(), JoinSide::Left, name.clone())).collect();
        columns.push((late_column(*node), JoinSide::Right, first.clone()));
        joined.set(late_column(*node), *kind);
        let keys = vec![(KEY.into(), KEY.into())];
        rows = plan.add(Node::Join { left: rows, right, kind: JoinKind::LeftOuter, keys, columns }, joined);
    }
    Ok(rows)
}

/// The inputs of a node that joins or unites: those that know no key are given to every key where that is needed.
pub fn inputs_for_all(
    plan: &mut Plan,
    node: &Node,
    fixed: &HashMap<NodeId, Table>,
    now: &HashMap<NodeId, NodeId>,
    keys: usize,
) -> HashMap<NodeId, NodeId> {
    let mut inputs = now.clone();
    let wanting: Vec<NodeId> = match node {
        Node::Union { inputs } => inputs.clone(),
        Node::Join { left, right, kind, .. } if fixed.contains_key(left) && !keeps(*kind, JoinSide::Right) => {
            vec![*left, *right]
        }
        Node::Join { right, kind, .. } if fixed.contains_key(right) && !keeps(*kind, JoinSide::Left) => vec![*right],
        _ => Vec::new(),
    };
    for id in wanting {
        inputs.extend(for_every_key(plan, id, fixed, now, keys).map(|made| (id, made)));
    }
    inputs
}

/// A node with the hidden key, whether it knows of one or not.
pub fn for_every_key(
    plan: &mut Plan,
    id: NodeId,
    fixed: &HashMap<NodeId, Table>,
    now: &HashMap<NodeId, NodeId>,
    keys: usize,
) -> Option<NodeId> {
    let made = now.get(&id).copied()?;
    let Some(table) = fixed.get(&id) else { return Some(made) };
    let schema = with_key(table.schema());
    let operation = Arc::new(ForEveryKey { keys, schema: schema.clone() });
    Some(plan.add(Node::Table { inputs: vec![made], operation }, schema))
}

/// Whether a join's result has rows of that side alone, each by itself: the other side may be the same for all keys.
fn keeps(kind: JoinKind, side: JoinSide) -> bool {
    use JoinKind::*;
    match side {
        JoinSide::Left => matches!(kind, Inner | LeftOuter | LeftSemi | LeftAnti),
        JoinSide::Right => matches!(kind, Inner | RightOuter | RightSemi | RightAnti),
    }
}

/// A join within each key, in the order of the keys.
pub fn keyed_join(plan: &mut Plan, node: Node, schema: &Schema) -> Result<NodeId> {
    let Node::Join { left, right, kind, mut keys, mut columns } = node else {
        return Err(Fault::internal("a join of another node"));
    };
    if kind == JoinKind::FullOuter {
        return Ok(keyed_full_join(plan, [left, right], keys, columns, schema));
    }
    let (in_left, in_right) = (plan.schema(left).contains(KEY), plan.schema(right).contains(KEY));
    if in_left && in_right {
        keys.push((KEY.into(), KEY.into()));
    }
    let of_right = matches!(kind, JoinKind::RightOuter | JoinKind::RightSemi | JoinKind::RightAnti);
    let side = if !in_left || (of_right && in_right) { JoinSide::Right } else { JoinSide::Left };
    columns.insert(0, (KEY.into(), side, KEY.into()));
    let joined = plan.add(Node::Join { left, right, kind, keys, columns }, with_key(schema));
    Ok(in_order(plan, joined, schema))
}

/// A row of a full join may have the key of either side.
fn keyed_full_join(
    plan: &mut Plan,
    [left, right]: [NodeId; 2],
    mut keys: Vec<(Name, Name)>,
    mut columns: Vec<(Name, JoinSide, Name)>,
    schema: &Schema,
) -> NodeId {
    let sides = [JoinSide::Left, JoinSide::Right].map(|side| (Name::from(format!("{KEY}{side:?}")), side));
    keys.push((KEY.into(), KEY.into()));
    columns.extend(sides.clone().map(|(name, side)| (name, side, KEY.into())));
    let mut joined = schema.clone();
    sides.iter().for_each(|(name, _)| joined.set(name.clone(), Kind::Long));
    let node = Node::Join { left, right, kind: JoinKind::FullOuter, keys, columns };
    let input = plan.add(node, joined);
    let either = sides.into_iter().map(|(name, _)| Expr::Column(name, Kind::Long)).collect();
    let key = (Name::from(KEY), Expr::Coalesce(either, Kind::Long));
    let own = schema.columns().iter().map(|(name, kind)| (name.clone(), Expr::Column(name.clone(), *kind)));
    let node = Node::Project { input, columns: std::iter::once(key).chain(own).collect() };
    let projected = plan.add(node, with_key(schema));
    in_order(plan, projected, schema)
}

/// The rows of all inputs, in the order of the keys.
pub fn keyed_union(plan: &mut Plan, inputs: Vec<NodeId>, schema: &Schema) -> NodeId {
    let united = plan.add(Node::Union { inputs }, with_key(schema));
    in_order(plan, united, schema)
}

/// How many rows each key has must not depend on how many keys are worked on at a time, nor may their order.
fn in_order(plan: &mut Plan, input: NodeId, schema: &Schema) -> NodeId {
    let keys = vec![SortKey { expr: key_column().1, descending: false, nulls_first: true }];
    plan.add(Node::Sort { input, keys }, with_key(schema))
}

/// The rows again for every key.
#[derive(Debug)]
struct ForEveryKey {
    keys: usize,
    schema: Schema,
}

impl TableOperation for ForEveryKey {
    fn name(&self) -> &str {
        "the rows for every key"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("nothing to repeat")) };
        let rows = table.rows().saturating_mul(self.keys);
        if rows > context.limits.rows || u32::try_from(rows).is_err() {
            return Err(Fault::limit("rows", "a table has too many rows once it is given to every group"));
        }
        context.check()?;
        let picks: Vec<u32> = (0..self.keys).flat_map(|_| 0..table.rows() as u32).collect();
        let mut keys = Builder::new(Kind::Long, rows);
        (0..self.keys as i64).for_each(|key| (0..table.rows()).for_each(|_| keys.push_long(key)));
        let own = table.schema().names().enumerate();
        let own = own.map(|(at, name)| (name.clone(), gather::take(&table.column(at), &picks)));
        let all: Vec<(Name, Column)> = std::iter::once((KEY.into(), keys.finish())).chain(own).collect();
        let in_order = self.schema.names().filter_map(|name| all.iter().find(|(n, _)| n == name).cloned());
        Ok(Table::from_columns(in_order.collect()))
    }
}

/// Some rows of one key.
#[derive(Debug)]
pub struct SampleOfOne(pub u64);

impl TableOperation for SampleOfOne {
    fn name(&self) -> &str {
        "sample"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("no rows to sample")) };
        super::rows::sample(table, self.0)
    }
}
