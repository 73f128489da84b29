//! `scan`: rows in order, matched against a chain of steps whose states they may read.
//!
//! Source: the page "scan operator".
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input, NodeId, evaluate};
use crate::functions::Context;
use crate::kql::ast::{ColumnNames, Expression, Scan, ScanOutput, ScanStep};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::convert::constant_to;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Column, Kind, Name, Schema, Table, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The hidden column that stands for `step.column` in a step's expressions.
pub(in crate::kql::bind) fn state_column(step: &str, column: &str) -> String {
    format!("$state.{step}.{column}")
}

impl Binder<'_> {
    pub fn scan_rows(&mut self, scan: &Scan, input: &Relation) -> Bind<Relation> {
        let rows = if scan.order_by.is_empty() { input.clone() } else { self.sort(&scan.order_by, input)? };
        let mut schema = rows.schema.clone();
        let mut defaults: Vec<Value> = schema.columns().iter().map(|(_, kind)| Value::null(*kind)).collect();
        for declared in &scan.declare {
            let kind = declared.column.kind.kind.unwrap_or(Kind::Dynamic);
            if schema.contains(&declared.column.name.text) {
                let message = format!("A column with the name '{}' is already declared.", declared.column.name.text);
                return Err(self.error("KS171", message, declared.column.span));
            }
            let default = declared.default.as_ref().map(|d| self.constant_of(d)).transpose()?;
            schema.set(declared.column.name.text.as_str().into(), kind);
            defaults.push(default.map_or(Value::null(kind), |d| constant_to(&d, kind)));
        }
        let mut columns: Vec<Name> = schema.names().cloned().collect();
        let keys = self.partition_keys(&scan.partition_by, &rows)?;
        let (visible, states) = with_states(&rows, &schema, &scan.steps);
        let steps: Vec<Bind<Step>> = scan.steps.iter().map(|s| self.scan_step(s, &visible)).collect();
        let steps = steps.into_iter().collect::<Bind<Vec<Step>>>()?;
        let mut late = Vec::new();
        let as_column = &mut |node: NodeId, kind: Kind| {
            let name: Name = format!("$late{}", node.0).into();
            if late.iter().all(|(known, _)| *known != name) {
                late.push((name.clone(), Expr::Late(node, kind)));
            }
            Expr::Column(name, kind)
        };
        // Values that are computed before the rows are read from columns of their own.
        let steps = steps.into_iter().map(|step| step.map(&mut |e| e.map_late(as_column))).collect();
        let (width, partitions) = (rows.schema.len(), keys.len());
        let before: Vec<(Name, Expr)> = keys.into_iter().chain(late).collect();
        columns.extend(before.iter().map(|(name, _)| name.clone()));
        let rows = self.extend(&rows, before);
        if let Some(name) = &scan.with_match_id {
            schema.set(schema.free_name(&name.text), Kind::Long);
        }
        let match_id = scan.with_match_id.is_some();
        let operation = Arc::new(Scanning {
            steps,
            width,
            partitions,
            columns,
            defaults,
            states,
            match_id,
            schema: schema.clone(),
        });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }

    /// The keys of `partition by`, as hidden columns.
    fn partition_keys(&mut self, keys: &[Expression], rows: &Relation) -> Bind<Vec<(Name, Expr)>> {
        let mut columns = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            let value = self.whole(key, &Row::of(rows))?;
            if value.kind() == Kind::Dynamic {
                return Err(self.dynamic_key(key.span));
            }
            columns.push((format!("$partition{at}").into(), value));
        }
        Ok(columns)
    }

    fn scan_step(&mut self, step: &ScanStep, visible: &Relation) -> Bind<Step> {
        let condition = self.predicate(&step.condition, &Row::of(visible))?;
        let mut assignments = Vec::new();
        for column in &step.assignments {
            let ColumnNames::One(name) = &column.names else {
                return Err(self.error("KS109", "Column name expected.", column.span));
            };
            let place = visible.schema.position(&name.text);
            let Some((at, (_, kind))) = place.and_then(|at| Some((at, visible.schema.columns().get(at)?.clone())))
            else {
                let known: Vec<Name> = visible.schema.names().cloned().collect();
                return Err(self.unknown("KS142", "column", &name.text, name.span, known.iter().map(|n| &**n)));
            };
            let value = self.whole(&column.expression, &Row::of(visible))?;
            let value = self.converted(value, kind, column.span)?;
            assignments.push((at, self.folded(value)));
        }
        let output = step.output.as_ref().map_or(ScanOutput::All, |o| o.value);
        Ok(Step { optional: step.optional, output, condition, assignments })
    }
}

/// The rows with the declared columns and those of every step's state, and where the latter come from.
fn with_states(rows: &Relation, schema: &Schema, steps: &[ScanStep]) -> (Relation, HashMap<Name, (usize, usize)>) {
    let mut visible = Relation { schema: schema.clone(), ..rows.clone() };
    let mut states = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        for (place, (column, kind)) in schema.columns().iter().enumerate() {
            let name: Name = state_column(&step.name.text, column).into();
            visible.schema.set(name.clone(), *kind);
            states.insert(name, (at, place));
        }
    }
    (visible, states)
}

#[derive(Debug)]
struct Step {
    optional: bool,
    output: ScanOutput,
    condition: Expr,
    /// The place of a column, and the value that the step gives it.
    assignments: Vec<(usize, Expr)>,
}

impl Step {
    fn map(self, change: &mut dyn FnMut(Expr) -> Expr) -> Step {
        let condition = change(self.condition);
        let assignments = self.assignments.into_iter().map(|(at, value)| (at, change(value))).collect();
        Step { condition, assignments, ..self }
    }
}

#[derive(Debug)]
struct Scanning {
    steps: Vec<Step>,
    /// The count of the input's own columns.
    width: usize,
    /// The count of the columns behind these that rows are partitioned by: each partition is matched for itself.
    partitions: usize,
    /// The input's columns, the declared ones, and those of values that are computed before.
    columns: Vec<Name>,
    /// What `step.column` is where the step has no row.
    defaults: Vec<Value>,
    /// The step and the column that a hidden name stands for.
    states: HashMap<Name, (usize, usize)>,
    match_id: bool,
    schema: Schema,
}

type Record = Vec<Value>;

/// The rows that led a match to a step.
#[derive(Clone)]
struct Chain {
    id: i64,
    /// The last row of each step.
    records: Vec<Option<Record>>,
    /// Where the last row of the step stands in the result.
    last: Option<usize>,
}

/// A row as the expressions of a step see it.
struct Seen<'s> {
    scanning: &'s Scanning,
    record: &'s Record,
    chain: Option<&'s Chain>,
}

impl Input for Seen<'_> {
    fn rows(&self) -> usize {
        1
    }

    fn column(&self, name: &Name) -> Result<Column> {
        let scanning = self.scanning;
        let value = match scanning.states.get(name) {
            Some((step, column)) => {
                let held = self.chain.and_then(|c| c.records.get(*step)?.as_ref()?.get(*column));
                held.or_else(|| scanning.defaults.get(*column))
            }
            None => scanning.columns.iter().position(|n| n == name).and_then(|at| self.record.get(at)),
        };
        let value = value.ok_or_else(|| Fault::internal("a step reads a column that is not there"))?;
        Ok(Column::Const(value.clone(), 1))
    }
}

/// The active match of each step.
type States = Vec<Option<Chain>>;

/// A scan under way: the matches of the partition that a row belongs to, and the result.
struct Progress {
    states: States,
    found: Vec<Option<Record>>,
    next_id: i64,
}

impl TableOperation for Scanning {
    fn name(&self) -> &str {
        "scan"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let rows = inputs.first().map(Table::to_rows).unwrap_or_default();
        let keys = self.width..self.width + self.partitions;
        let partitions = inputs.first().map(|table| table.groups(keys)).unwrap_or_default();
        let mut waiting: HashMap<usize, States> = HashMap::new();
        let mut progress = Progress { states: Vec::new(), found: Vec::new(), next_id: 0 };
        for (at, (mut record, partition)) in rows.into_iter().zip(partitions).enumerate() {
            if at % 1024 == 0 {
                context.check()?;
            }
            progress.states = waiting.remove(&partition).unwrap_or_else(|| vec![None; self.steps.len()]);
            let late = record.split_off(self.width.min(record.len()));
            record.extend(self.defaults.iter().skip(self.width).cloned().chain(late));
            for (place, step) in self.steps.iter().enumerate().rev() {
                self.advance(place, step, &record, &mut progress, context)?;
            }
            waiting.insert(partition, std::mem::take(&mut progress.states));
        }
        let found: Vec<Record> = progress.found.into_iter().flatten().collect();
        Ok(Table::from_rows(self.schema.clone(), &found))
    }
}

impl Scanning {
    /// Tries a row on a step: with the match that waits before the step, else with the one that is in it.
    fn advance(&self, at: usize, step: &Step, record: &Record, now: &mut Progress, context: &Context) -> Result<()> {
        for before in (0..at).rev() {
            if let Some(chain) = now.states.get(before).and_then(Option::as_ref)
                && let Some(matched) = self.matched(step, record, Some(chain), context)?
            {
                let chain = now.states.get_mut(before).and_then(Option::take);
                self.enter(at, step, chain.map(|c| Chain { last: None, ..c }), matched, now);
                return Ok(());
            }
            if !self.steps.get(before).is_some_and(|s| s.optional) {
                break;
            }
        }
        let first = self.steps.iter().take(at).all(|s| s.optional);
        let own = now.states.get(at).and_then(Option::as_ref);
        if own.is_none() && !first {
            return Ok(());
        }
        if let Some(matched) = self.matched(step, record, own, context)? {
            let chain = now.states.get_mut(at).and_then(Option::take);
            self.enter(at, step, chain, matched, now);
        }
        Ok(())
    }

    /// The row with the step's columns, where its condition holds.
    fn matched(
        &self,
        step: &Step,
        record: &Record,
        chain: Option<&Chain>,
        context: &Context,
    ) -> Result<Option<Record>> {
        let holds = evaluate(&step.condition, &Seen { scanning: self, record, chain }, context)?;
        if holds.value(0).as_bool() != Some(true) {
            return Ok(None);
        }
        let mut extended = record.clone();
        for (at, value) in &step.assignments {
            let value = evaluate(value, &Seen { scanning: self, record: &extended, chain }, context)?.value(0);
            if let Some(cell) = extended.get_mut(*at) {
                *cell = value;
            }
        }
        Ok(Some(extended))
    }

    /// The row becomes the step's; without a match before it, a new one begins.
    fn enter(&self, at: usize, step: &Step, chain: Option<Chain>, matched: Record, now: &mut Progress) {
        let mut chain = chain.unwrap_or_else(|| {
            now.next_id = now.next_id.saturating_add(1);
            Chain { id: now.next_id - 1, records: vec![None; self.steps.len()], last: None }
        });
        if step.output == ScanOutput::Last
            && let Some(earlier) = chain.last.and_then(|at| now.found.get_mut(at))
        {
            *earlier = None;
        }
        if step.output != ScanOutput::None {
            let id = self.match_id.then_some(Value::Long(chain.id));
            now.found.push(Some(matched.iter().take(self.defaults.len()).cloned().chain(id).collect()));
            chain.last = Some(now.found.len() - 1);
        }
        if let Some(held) = chain.records.get_mut(at) {
            *held = Some(matched);
        }
        if let Some(state) = now.states.get_mut(at) {
            *state = Some(chain);
        }
    }
}

crate::pages! {
    /// Sequences of rows that match steps one after another.
    ///
    /// A row is tried at each step; the state of a step holds the last row that matched it, as `Step.Column`.
    /// With `partition by`, the rows of each key are matched for themselves.
    ///
    /// Source: scan-operator.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | scan declare (s: long = 0) with (step one: true => s = x + one.s;) | summarize max(s) // 10
    /// ```
    Operator "scan": "T | scan [with_match_id=Column] [partition by Key, ...] [order by Key, ...] [declare (Column: Kind [= Default], ...)] with (step Name [optional] [output=all | last | none]: Condition [=> Column = Value, ...]; ...)";
}
