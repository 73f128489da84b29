//! The newest event of the tables: what `now="latest"` means.
use super::Database;
use super::events::TIME;
use crate::diagnostic::{Fault, Result};
use crate::exec;
use crate::expr::Expr;
use crate::functions::{Context, Dialect, aggregates};
use crate::plan::{AggregateCall, Catalog, Node, NodeId, Plan, Source};
use crate::types::datetime::TICKS_PER_SECOND;
use crate::types::{Column, Kind, Name, Schema, field};
use std::sync::Arc;

/// Columns that hold an event's time; the first that a table has counts.
const TIME_COLUMNS: [&str; 3] = ["TimeGenerated", "_time", "Timestamp"];

/// The latest time of any row of any table, in ticks; none where no table has a time.
pub fn newest(database: &Database, context: &Context, threads: usize) -> Result<Option<i64>> {
    let mut plan = Plan::default();
    let mut roots = Vec::new();
    let mut have_times = true;
    for (name, source) in database.sources()? {
        match TIME_COLUMNS.iter().find(|column| source.schema().kind(column) == Some(Kind::DateTime)) {
            Some(time) => roots.push(newest_of(&mut plan, &name, source, (Dialect::Kql, time, Kind::DateTime))?),
            None => have_times = false,
        }
    }
    // Events tell their time in a field of another name, or in their text.
    if !have_times {
        let events = database.events(Some(&[TIME.into()]))?;
        if events.schema().contains(TIME) {
            roots.push(newest_of(&mut plan, "events", events, (Dialect::Spl, TIME, Kind::Field))?);
        }
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let run = exec::run(&plan, &roots, context, &exec::Options { threads, trace: false })?;
    Ok(run.tables.iter().filter(|table| table.rows() > 0).filter_map(|table| ticks(&table.column(0))).max())
}

/// The time that a column of one row holds, in ticks: a datetime, or seconds as events have them.
fn ticks(column: &Column) -> Option<i64> {
    match column.kind() {
        Kind::Field => {
            field::number(column, 0).map(|seconds| (seconds.real() * TICKS_PER_SECOND as f64).round() as i64)
        }
        _ => column.value(0).as_long(),
    }
}

/// The highest time of a table.
fn newest_of(
    plan: &mut Plan,
    name: &str,
    source: Arc<dyn Source>,
    (dialect, time, kind): (Dialect, &str, Kind),
) -> Result<NodeId> {
    let time: Name = time.into();
    let function = aggregates::find(dialect, "max").ok_or_else(|| Fault::internal("there is no aggregate `max`"))?;
    let call = AggregateCall { function, arguments: vec![Expr::column(&time, kind)], condition: None, kind };
    let schema = source.schema().clone();
    let scan = plan.add(Node::Scan { name: name.into(), source }, schema);
    let aggregate = Node::Aggregate { input: scan, by: Vec::new(), aggregates: vec![(time.clone(), call)] };
    Ok(plan.add(aggregate, Schema::from_iter([(time, kind)])))
}
