//! What outlives a run: lists made of a long source that lasts, of which a query asks membership alone, other values
//! made of such a source, where they are short, and rows of it that an operation finds by an index.
use super::build::Executor;
use crate::diagnostic::Result;
use crate::expr::{Expr, NodeId};
use crate::functions::kept::{self, KeptRows};
use crate::plan::{Node, TableOperation, describe};
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Name, Table, Value};
use std::hash::Hasher;
use std::time::Instant;

/// A longer value is not kept: reading it would take as long as making it.
const LONGEST: usize = 64 << 10;
/// A table of more rows that a query states has no name.
const MOST_STATED: usize = 100;

/// The value that stands for the list which a call waits for, where the host keeps it, or can from now on.
pub fn list(executor: &Executor, call: &Expr) -> Result<Option<Value>> {
    let (Some(lists), Expr::Call { function, arguments, .. }) = (&executor.context.lists, call) else {
        return Ok(None);
    };
    let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
    let (Some(form), Some(Expr::Late(node, _))) = (kept::form(function, &kinds), arguments.last()) else {
        return Ok(None);
    };
    let (Some((input, column)), Some(name)) = (listed(executor, *node), name_of(executor, *node)) else {
        return Ok(None);
    };
    let name = format!("{name}-{}", form.name());
    if lists.get(&name).is_none() {
        let texts = executor.table(input)?.column_named(&column).filter(|_| !executor.has_problems());
        let kept = texts.map(|texts| kept::keep(lists.as_ref(), &name, form, &texts)).transpose();
        if kept.is_err() || lists.get(&name).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(kept::value_of(&name)))
}

/// The node and the column of it whose texts a late value lists.
fn listed(executor: &Executor, node: NodeId) -> Option<(NodeId, Name)> {
    let aggregate = match executor.plan.node(node) {
        Node::Take { input, rows: 1.. } => executor.plan.node(*input),
        other => other,
    };
    let Node::Aggregate { input, by, aggregates } = aggregate else { return None };
    let [(_, call)] = aggregates.as_slice() else { return None };
    let lists = matches!(call.function.name, "make_set" | "make_list") && call.condition.is_none() && by.is_empty();
    match call.arguments.as_slice() {
        [Expr::Column(column, Kind::String)] if lists => Some((*input, column.clone())),
        _ => None,
    }
}

/// A late value that is kept, or else `computed`, and kept from now on.
pub fn value(executor: &Executor, node: NodeId, kind: Kind, computed: impl FnOnce() -> Result<Value>) -> Result<Value> {
    let (Some(lists), Some(name)) = (&executor.context.lists, name_of(executor, node)) else { return computed() };
    let name = format!("{name}-value");
    let known = lists.value(&name).and_then(|bytes| {
        let column = Reader::new((*bytes).as_ref()).column().ok().filter(|column| column.len() == 1)?;
        (column.kind() == kind).then(|| column.value(0))
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let value = computed()?;
    let mut written = Writer::default();
    written.column(&Column::from_values(kind, [&value]));
    if written.0.len() <= LONGEST && !executor.has_problems() {
        lists.keep_value(&name, &written.0);
    }
    Ok(value)
}

/// Runs an operation with its last input as it was kept; none where it is not kept, or only from now on.
pub fn operation(executor: &Executor, inputs: &[NodeId], operation: &dyn TableOperation) -> Result<Option<Table>> {
    let (Some(keeper), Some(lists)) = (operation.keeper(), &executor.context.lists) else { return Ok(None) };
    let Some((last, others)) = inputs.split_last() else { return Ok(None) };
    let Some(name) = name_of(executor, *last).map(|name| format!("{name}-{}", keeper.form())) else { return Ok(None) };
    let started = Instant::now();
    if let Some(kept) = lists.value(&name).and_then(KeptRows::read) {
        executor.counter(*last).add(kept.rows(), started);
        let others = others.iter().map(|input| executor.table(*input)).collect::<Result<Vec<_>>>()?;
        return keeper.run(executor.context, &others, &kept).map(Some);
    }
    let table = executor.table(*last)?;
    let written = if executor.has_problems() { None } else { keeper.keep(&table) };
    written.iter().for_each(|bytes| lists.keep_value(&name, bytes));
    Ok(None)
}

/// What tells the steps from lasting sources up to a node from others, in every process.
pub fn name_of(executor: &Executor, node: NodeId) -> Option<String> {
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    let mut lasting = None;
    let mut waiting = vec![node];
    while let Some(at) = waiting.pop() {
        let step = executor.plan.node(at);
        match step {
            Node::Scan { source, .. } => {
                let identity = source.lasting_identity()?;
                hasher.write(identity.as_bytes());
                lasting.get_or_insert_with(|| identity.to_owned());
                continue;
            }
            Node::Values(table) if table.rows() <= MOST_STATED => {
                hasher.write(format!("{:?}{:?}", table.schema().columns(), table.to_rows()).as_bytes());
                continue;
            }
            Node::Filter { .. }
            | Node::Extend { .. }
            | Node::Project { .. }
            | Node::Aggregate { .. }
            | Node::Union { .. }
            | Node::Sort { .. }
            | Node::Take { .. } => {}
            _ => return None,
        }
        if step.is_per_row() || step.expressions().iter().any(|e| !e.late().is_empty()) {
            return None;
        }
        hasher.write(describe(executor.plan, at).as_bytes());
        hasher.write(format!("{:?}", step.expressions()).as_bytes());
        waiting.extend(step.inputs());
    }
    Some(format!("{}-{:016x}", lasting?, hasher.finish()))
}
