//! Lists that outlive a run: the distinct texts of a long source, which a query asks for membership alone.
use super::build::Executor;
use crate::diagnostic::Result;
use crate::expr::{Expr, NodeId};
use crate::functions::kept;
use crate::plan::{Node, describe};
use crate::types::{Kind, Value};
use std::hash::Hasher;

/// The value that stands for the list of a late set, where the host keeps it, or can from now on.
pub fn list(executor: &Executor, call: &Expr) -> Result<Option<Value>> {
    let (Some(lists), Expr::Call { function, arguments, .. }) = (&executor.context.lists, call) else {
        return Ok(None);
    };
    let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
    let Some(Expr::Late(set, _)) = arguments.last().filter(|_| kept::asks(function, &kinds)) else { return Ok(None) };
    let Node::Aggregate { input, by, aggregates } = executor.plan.node(*set) else { return Ok(None) };
    let is_set =
        matches!(aggregates.as_slice(), [(_, call)] if call.function.name == "make_set" && call.arguments.len() == 1);
    let column = executor.plan.schema(*input).columns().first().cloned();
    let (Some((column, Kind::String)), true) = (column, is_set && by.is_empty()) else { return Ok(None) };
    let Some(name) = name_of(executor, *set) else { return Ok(None) };
    if lists.get(&name).is_none() {
        let table = executor.table(*input)?;
        let texts = table.column_named(&column);
        if texts.map(|texts| lists.keep(&name, &texts)).transpose().is_err() || lists.get(&name).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(kept::value_of(&name)))
}

/// What tells the steps from a lasting source up to a node from others, in every process.
fn name_of(executor: &Executor, node: NodeId) -> Option<String> {
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    let mut at = node;
    loop {
        let step = executor.plan.node(at);
        if let Node::Scan { source, .. } = step {
            let source = source.lasting_identity()?;
            return Some(format!("{source}-{:016x}", hasher.finish()));
        }
        if step.is_per_row() || step.expressions().iter().any(|e| !e.late().is_empty()) {
            return None;
        }
        hasher.write(describe(executor.plan, at).as_bytes());
        hasher.write(format!("{:?}", step.expressions()).as_bytes());
        let [input] = step.inputs()[..] else { return None };
        at = input;
    }
}
