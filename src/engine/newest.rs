//! The newest event of the tables: what `now="latest"` means.
use super::Database;
use crate::diagnostic::{Fault, Result};
use crate::exec;
use crate::expr::Expr;
use crate::functions::{Context, Dialect, aggregates};
use crate::plan::{AggregateCall, Node, NodeId, Plan, Source};
use crate::types::{Kind, Name, Schema};
use std::sync::Arc;

/// Columns that hold an event's time; the first that a table has counts.
const TIME_COLUMNS: [&str; 3] = ["TimeGenerated", "_time", "Timestamp"];

/// The latest time of any row of any table, in ticks; none where no table has a time.
pub fn newest(database: &Database, context: &Context, threads: usize) -> Result<Option<i64>> {
    let mut plan = Plan::default();
    let mut roots = Vec::new();
    for (name, source) in database.sources()? {
        roots.extend(newest_of(&mut plan, &name, source)?);
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let run = exec::run(&plan, &roots, context, &exec::Options { threads, trace: false })?;
    let times = run.tables.iter().filter(|t| t.rows() > 0).filter_map(|t| t.column(0).value(0).as_long());
    Ok(times.max())
}

/// `summarize max(time)` over a table; none where it has no time.
fn newest_of(plan: &mut Plan, name: &str, source: Arc<dyn Source>) -> Result<Option<NodeId>> {
    let schema = source.schema().clone();
    let is_time = |column: &&&str| schema.kind(column) == Some(Kind::DateTime);
    let Some(time) = TIME_COLUMNS.iter().find(is_time) else { return Ok(None) };
    let time: Name = (*time).into();
    let function =
        aggregates::find(Dialect::Kql, "max").ok_or_else(|| Fault::internal("there is no aggregate `max`"))?;
    let call = AggregateCall {
        function,
        arguments: vec![Expr::column(&time, Kind::DateTime)],
        condition: None,
        kind: Kind::DateTime,
    };
    let scan = plan.add(Node::Scan { name: name.into(), source }, schema);
    let aggregate = Node::Aggregate { input: scan, by: Vec::new(), aggregates: vec![(time.clone(), call)] };
    Ok(Some(plan.add(aggregate, Schema::from_iter([(time, Kind::DateTime)]))))
}
