//! Bodies of `mv-apply` that need no key to tell the elements of rows apart: row-wise steps, and one summary, whose
//! groups are the rows.
use super::batch::{Batch, Columns};
use super::pipeline::{Step, Work};
use crate::diagnostic::Result;
use crate::expr::{Expr, Input, NodeId, evaluate, select};
use crate::functions::Context;
use crate::functions::aggregates::{Ordinals, Rows, State};
use crate::plan::{AggregateCall, Node};
use crate::types::{Column, Kind, Name, Schema, gather};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// The steps over the elements, and the summary that may follow.
#[derive(Clone)]
pub struct InPlace {
    steps: Vec<Step>,
    summary: Option<Summary>,
    /// The columns of the body.
    schema: Schema,
}

/// A summary without keys and the steps over its row.
#[derive(Clone)]
struct Summary {
    calls: Vec<(Name, AggregateCall)>,
    after: Vec<Step>,
}

impl InPlace {
    /// None for a body of any other form, and for one that reads the result of another plan.
    pub fn of(nodes: &[(NodeId, Node, Schema)], root: NodeId) -> Option<InPlace> {
        let (mut at, mut steps, mut summary) = (root, Vec::new(), None);
        loop {
            // From the last node to the first.
            let (_, node, schema) = nodes.iter().find(|(id, ..)| *id == at)?;
            if !node.expressions().into_iter().all(|expr| expr.late().is_empty()) {
                return None;
            }
            let work = match node {
                Node::Argument { .. } => break,
                Node::Filter { predicate, .. } => Work::Filter(vec![predicate.clone()]),
                Node::Extend { columns, .. } => Work::Extend(columns.clone()),
                Node::Project { columns, .. } => Work::Project(columns.clone()),
                Node::Aggregate { by, aggregates, .. } if by.is_empty() && summary.is_none() => {
                    let mut after: Vec<Step> = std::mem::take(&mut steps);
                    if after.iter().any(|step| matches!(step.work, Work::Filter(_))) {
                        return None;
                    }
                    after.reverse();
                    summary = Some(Summary { calls: aggregates.clone(), after });
                    at = *node.inputs().first()?;
                    continue;
                }
                _ => return None,
            };
            let live: HashSet<Name> = schema.names().cloned().collect();
            steps.push(Step { work, live: Arc::new(live), passed: Arc::default() });
            at = *node.inputs().first()?;
        }
        steps.reverse();
        let schema = nodes.iter().find(|(id, ..)| *id == root).map(|(_, _, schema)| schema.clone())?;
        Some(InPlace { steps, summary, schema })
    }

    /// The row of `rows` that each row of the result is of, and the result; `source` is the row of each element.
    pub fn run(&self, elements: Columns, source: &[u32], rows: usize, context: &Context) -> Result<(Vec<u32>, Batch)> {
        let mut batch = Batch::of_columns(elements, source.len());
        for step in &self.steps {
            if batch.rows() > 0 {
                batch = step.applied_with(batch, &step.live, context)?;
            }
        }
        if batch.rows() == 0 && self.summary.is_none() {
            let none = self.schema.columns().iter().map(|(name, kind)| (name.clone(), Column::nulls(*kind, 0)));
            return Ok((Vec::new(), Batch::of_columns(none.collect(), 0)));
        }
        let groups: Cow<[u32]> = match batch.rows() == source.len() {
            true => source.into(),
            false => batch.ordinals().iter().map(|at| source[*at as usize]).collect(),
        };
        let Some(Summary { calls, after }) = &self.summary else { return Ok((groups.into_owned(), batch)) };
        let mut results = Columns::new();
        for (name, call) in calls {
            let state = updated(call, &batch, &groups, rows, context)?;
            results.push((name.clone(), state.finish(context, rows)?));
        }
        let mut batch = Batch::of_columns(results, rows);
        for step in after {
            batch = step.applied_with(batch, &step.live, context)?;
        }
        Ok(((0..rows as u32).collect(), batch))
    }
}

fn updated(
    call: &AggregateCall,
    batch: &Batch,
    groups: &[u32],
    count: usize,
    context: &Context,
) -> Result<Box<dyn State>> {
    let kinds: Vec<Kind> = call.arguments.iter().map(Expr::kind).collect();
    let mut state = (call.function.state)(&kinds, &call.constants())?;
    if batch.rows() == 0 {
        return Ok(state);
    }
    let arguments = call.arguments.iter().map(|e| evaluate(e, batch, context)).collect::<Result<Vec<Column>>>()?;
    let ordinals = Ordinals::new(|| batch.ordinals());
    let Some(condition) = &call.condition else {
        state.update(&Rows { context, groups, count, ordinals: &ordinals }, &arguments)?;
        return Ok(state);
    };
    let rows = select(&evaluate(condition, batch, context)?);
    let arguments: Vec<Column> = arguments.iter().map(|column| gather::take(column, &rows)).collect();
    let groups: Vec<u32> = rows.iter().map(|row| groups[*row as usize]).collect();
    let ordinals = Ordinals::new(|| rows.iter().map(|row| ordinals[*row as usize]).collect());
    state.update(&Rows { context, groups: &groups, count, ordinals: &ordinals }, &arguments)?;
    Ok(state)
}
