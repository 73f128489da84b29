//! Pipelines: the steps that a batch passes through in one go, from the sources up to what must see
//! all rows at once.
use super::batch::{Batch, Projected};
use super::{apply, expand, optimize};
use crate::diagnostic::Result;
use crate::expr::{Expr, Input, NodeId, evaluate};
use crate::functions::Context;
use crate::plan::{Expanded, Needs, Node, Plan, Source};
use crate::types::{Column, Name, Problem};
use arrow_buffer::BooleanBuffer;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Feeds one behind the other.
pub struct Pipeline {
    pub feeds: Vec<Feed>,
    /// Bad rows that the readers met.
    pub problems: Arc<Mutex<Vec<Problem>>>,
}

impl Pipeline {
    pub fn report(&self, found: impl Iterator<Item = Problem>) {
        if let Ok(mut problems) = self.problems.lock() {
            problems.extend(found);
        }
    }
}

/// A source and the steps its batches pass.
#[derive(Clone)]
pub struct Feed {
    pub source: Arc<dyn Source>,
    pub needs: Needs,
    pub steps: Vec<Step>,
    /// Rows read, for the profile of the scan's node.
    pub read: Arc<Counter>,
    /// Text columns that costly expressions read alone.
    pub encode: Arc<HashSet<Name>>,
}

/// One step, with the columns that are read after it.
#[derive(Clone)]
pub struct Step {
    pub work: Work,
    pub live: Arc<HashSet<Name>>,
    pub passed: Arc<Counter>,
}

#[derive(Clone)]
pub enum Work {
    /// Conjuncts, each narrowing what the next one sees.
    Filter(Vec<Expr>),
    Extend(Vec<(Name, Expr)>),
    Project(Vec<(Name, Expr)>),
    Expand(Arc<Expansion>),
    Apply(Arc<apply::Application>),
}

impl Work {
    /// What is computed of each row.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Work::Filter(conjuncts) => conjuncts.iter().collect(),
            Work::Extend(columns) | Work::Project(columns) => columns.iter().map(|(_, e)| e).collect(),
            Work::Expand(expansion) => expansion.columns.iter().map(|column| &column.value).collect(),
            Work::Apply(_) => Vec::new(),
        }
    }
}

/// What `mv-expand` does with a row.
#[derive(Clone, Debug)]
pub struct Expansion {
    pub columns: Vec<Expanded>,
    pub index: Option<Name>,
    pub limit: Option<u64>,
    pub keep_bags_as_arrays: bool,
    /// Whether a row whose values are all null gives a row of nulls: `mv-expand` does, `mv-apply` does not.
    pub keep_nulls: bool,
}

/// Rows and time that passed a node.
#[derive(Debug, Default)]
pub struct Counter {
    pub node: Option<NodeId>,
    pub rows: AtomicU64,
    pub nanoseconds: AtomicU64,
    /// A step that was merged into another counts nothing of its own.
    pub used: AtomicBool,
}

impl Counter {
    pub fn of(node: NodeId) -> Arc<Counter> {
        Arc::new(Counter { node: Some(node), ..Counter::default() })
    }

    /// The rows so far, which count from here on elsewhere.
    pub fn take(&self) -> u64 {
        self.rows.swap(0, Ordering::Relaxed)
    }

    /// Counts rows that passed elsewhere.
    pub fn give(&self, rows: u64) {
        self.used.store(true, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub fn add(&self, rows: usize, since: std::time::Instant) {
        self.used.store(true, Ordering::Relaxed);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.nanoseconds.fetch_add(since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Feed {
    /// Notes the text columns that these expressions, read after the last step, and the steps' own read in
    /// costly ways.
    pub fn with_costly<'a>(mut self, after: impl Iterator<Item = &'a Expr>) -> Feed {
        let mut columns: HashSet<Name> = HashSet::new();
        for step in &self.steps {
            match &step.work {
                Work::Filter(conjuncts) => conjuncts.iter().for_each(|e| optimize::costly_texts(e, &mut columns)),
                Work::Extend(made) | Work::Project(made) => {
                    made.iter().for_each(|(_, e)| optimize::costly_texts(e, &mut columns));
                }
                Work::Expand(_) | Work::Apply(_) => {}
            }
        }
        after.for_each(|e| optimize::costly_texts(e, &mut columns));
        self.encode = Arc::new(columns);
        self
    }

    pub fn count_source(&self, rows: usize) {
        self.read.used.store(true, Ordering::Relaxed);
        self.read.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The batch after all steps; none where a step left no row.
    pub fn apply(&self, batch: Batch, context: &Context) -> Result<Option<Batch>> {
        let mut batch = batch;
        for (at, step) in self.steps.iter().enumerate() {
            let started = std::time::Instant::now();
            batch = match (&step.work, &self.needs.window) {
                (Work::Filter(conjuncts), Some(window)) if at == 0 && batch.lies_in_window() => {
                    filter(&mut batch, &optimize::beside(conjuncts, window), &step.live, context)?;
                    batch
                }
                _ => step.apply(batch, context)?,
            };
            step.passed.add(batch.rows(), started);
            if batch.rows() == 0 {
                return Ok(None);
            }
        }
        Ok(Some(batch))
    }
}

impl Step {
    fn apply(&self, batch: Batch, context: &Context) -> Result<Batch> {
        self.applied_with(batch, &self.live, context)
    }

    /// The batch after the step, where `live` is read after it.
    pub fn applied_with(&self, mut batch: Batch, live: &HashSet<Name>, context: &Context) -> Result<Batch> {
        match &self.work {
            Work::Filter(conjuncts) => {
                filter(&mut batch, conjuncts, live, context)?;
                Ok(batch)
            }
            Work::Extend(columns) => {
                let computed = columns.iter().map(|(name, e)| Ok((name.clone(), evaluate(e, &batch, context)?)));
                let computed = computed.collect::<Result<Vec<_>>>()?;
                batch.set(computed);
                Ok(batch)
            }
            Work::Project(columns) => {
                let projected = columns.iter().map(|(name, e)| {
                    let value = match e {
                        Expr::Column(old, _) => Projected::Same(old.clone()),
                        e => Projected::Computed(evaluate(e, &batch, context)?),
                    };
                    Ok((name.clone(), value))
                });
                let projected = projected.collect::<Result<Vec<_>>>()?;
                batch.project(projected);
                Ok(batch)
            }
            Work::Expand(expansion) => expand::expand(batch, expansion, live, context),
            Work::Apply(application) => application.run(&batch, live, context),
        }
    }
}

/// Keeps the rows for which every conjunct is true. Rows are only picked out where that spares work: while
/// most of them stay, cheap conjuncts are tested on all rows and their answers put together.
pub fn filter(batch: &mut Batch, conjuncts: &[Expr], live: &HashSet<Name>, context: &Context) -> Result<()> {
    let mut mask: Option<BooleanBuffer> = None;
    batch.expect(conjuncts);
    for (at, conjunct) in conjuncts.iter().enumerate() {
        let rest = &conjuncts[at..];
        if mask.as_ref().is_some_and(|m| worth_picking(m, conjunct)) {
            pick(batch, mask.take(), rest, live);
        }
        if batch.rows() == 0 {
            return Ok(());
        }
        let holds = truths(&evaluate(conjunct, batch, context)?);
        mask = Some(match mask {
            Some(mask) => &mask & &holds,
            None => holds,
        });
    }
    pick(batch, mask, &[], live);
    Ok(())
}

fn worth_picking(mask: &BooleanBuffer, next: &Expr) -> bool {
    let left = mask.count_set_bits();
    left * 4 < mask.len() || (optimize::cost(next) > optimize::COSTLY && left * 10 < mask.len() * 9)
}

/// Where a bool column is true; null is not.
fn truths(column: &Column) -> BooleanBuffer {
    match column {
        Column::Bool(bits) => match column.null_buffer() {
            Some(valid) if valid.null_count() > 0 => bits.values() & valid.inner(),
            _ => bits.values().clone(),
        },
        Column::Const(value, rows) if value.as_bool() == Some(true) => BooleanBuffer::new_set(*rows),
        other => BooleanBuffer::new_unset(other.len()),
    }
}

fn pick(batch: &mut Batch, mask: Option<BooleanBuffer>, rest: &[Expr], live: &HashSet<Name>) {
    let Some(mask) = mask.filter(|m| m.count_set_bits() < m.len()) else { return };
    let later: Vec<Name> = rest.iter().flat_map(Expr::columns).collect();
    batch.narrow_to(mask, &|name| live.contains(name) || later.contains(name));
}

/// The names that the expressions of a body read, and those of its result.
fn read_inside(plan: &Plan, body: NodeId) -> HashSet<Name> {
    let mut names: HashSet<Name> = plan.schema(body).names().cloned().collect();
    let (mut stack, mut seen) = (vec![body], HashSet::new());
    while let Some(id) = stack.pop() {
        if seen.insert(id) {
            let node = plan.node(id);
            names.extend(node.expressions().into_iter().flat_map(Expr::columns));
            match node {
                Node::Join { keys, .. } => names.extend(keys.iter().flat_map(|(l, r)| [l.clone(), r.clone()])),
                Node::Partition { by, .. } => names.extend([by.clone()]),
                // What an operation reads is its own affair.
                Node::Table { inputs, .. } => {
                    names.extend(inputs.iter().flat_map(|input| plan.schema(*input).names().cloned()));
                }
                _ => {}
            }
            stack.extend(node.inputs());
            stack.extend(node.body());
            for late in node.expressions().into_iter().flat_map(Expr::late) {
                names.extend(plan.schema(late).names().cloned());
                stack.push(late);
            }
        }
    }
    names
}

/// The columns that each node's readers name.
pub struct Needed(Vec<HashSet<Name>>);

impl Needed {
    /// Walks down from the roots, all of whose columns are needed.
    pub fn new(plan: &Plan, roots: &[NodeId]) -> Needed {
        let mut needed = Needed(vec![HashSet::new(); plan.len()]);
        let mut reached = vec![false; plan.len()];
        for root in roots {
            reached[root.0 as usize] = true;
            needed.all(plan, *root);
        }
        needed.hand_all_down(plan, reached);
        needed
    }

    fn hand_all_down(&mut self, plan: &Plan, mut reached: Vec<bool>) {
        // A node's inputs come before it in the arena.
        for at in (0..plan.len()).rev() {
            let id = NodeId(at as u32);
            if reached[at] {
                self.hand_down(plan, id, &mut reached);
            }
        }
    }

    /// As [`Needed::new`], where only these columns of the roots are needed.
    pub fn of_columns(plan: &Plan, roots: &[(NodeId, Vec<Name>)]) -> Needed {
        let mut needed = Needed(vec![HashSet::new(); plan.len()]);
        let mut reached = vec![false; plan.len()];
        for (root, names) in roots {
            reached[root.0 as usize] = true;
            needed.add(*root, names.iter().cloned());
        }
        needed.hand_all_down(plan, reached);
        needed
    }

    pub fn of(&self, id: NodeId) -> &HashSet<Name> {
        &self.0[id.0 as usize]
    }

    fn all(&mut self, plan: &Plan, id: NodeId) {
        let names: Vec<Name> = plan.schema(id).names().cloned().collect();
        self.0[id.0 as usize].extend(names);
    }

    fn add(&mut self, id: NodeId, names: impl IntoIterator<Item = Name>) {
        self.0[id.0 as usize].extend(names);
    }

    fn hand_down(&mut self, plan: &Plan, id: NodeId, reached: &mut [bool]) {
        let own = self.0[id.0 as usize].clone();
        let node = plan.node(id);
        for input in node.inputs() {
            reached[input.0 as usize] = true;
        }
        for late in node.expressions().into_iter().flat_map(Expr::late) {
            reached[late.0 as usize] = true;
            self.all(plan, late);
        }
        let read = |expressions: Vec<&Expr>| expressions.into_iter().flat_map(Expr::columns).collect::<Vec<_>>();
        match node {
            Node::Scan { .. } | Node::Values(_) | Node::Argument { .. } => {}
            Node::Window { input, window } => self.add(*input, own.into_iter().chain([window.column.clone()])),
            Node::Filter { input, .. } | Node::Sort { input, .. } => {
                self.add(*input, own.into_iter().chain(read(node.expressions())));
            }
            Node::Newest { input, time } => self.add(*input, own.into_iter().chain([time.clone()])),
            Node::Extend { input, columns } => {
                let wanted = columns.iter().filter(|(name, _)| own.contains(name));
                let used: Vec<Name> = wanted.flat_map(|(_, e)| e.columns()).collect();
                let passed = own.iter().filter(|name| !columns.iter().any(|(n, _)| n == *name)).cloned();
                self.add(*input, passed.chain(used).collect::<Vec<_>>());
            }
            Node::Project { input, columns } => {
                let wanted = columns.iter().filter(|(name, _)| own.contains(name));
                self.add(*input, wanted.flat_map(|(_, e)| e.columns()).collect::<Vec<_>>());
            }
            Node::Aggregate { input, by, aggregates } => {
                let calls = aggregates.iter().filter(|(name, _)| own.contains(name)).flat_map(|(_, c)| c.expressions());
                self.add(*input, read(by.iter().map(|(_, e)| e).chain(calls).collect()));
            }
            Node::Join { left, right, keys, columns, .. } => {
                for (name, side, from) in columns {
                    if own.contains(name) {
                        let input = if *side == crate::plan::JoinSide::Left { left } else { right };
                        self.add(*input, [from.clone()]);
                    }
                }
                self.add(*left, keys.iter().map(|(l, _)| l.clone()));
                self.add(*right, keys.iter().map(|(_, r)| r.clone()));
            }
            Node::Union { inputs } => inputs.iter().for_each(|input| self.add(*input, own.clone())),
            Node::Take { input, .. } | Node::Sample { input, .. } => self.add(*input, own),
            Node::Expand { input, columns, .. } => {
                let passed = own.iter().filter(|name| !columns.iter().any(|c| c.name == **name)).cloned();
                self.add(*input, passed.chain(read(node.expressions())).collect::<Vec<_>>());
            }
            Node::Rows { input, columns } => {
                let passed = own.iter().filter(|name| !columns.iter().any(|(n, _)| n == *name)).cloned();
                self.add(*input, passed.chain(read(node.expressions())).collect::<Vec<_>>());
            }
            Node::Apply { input, body, keep, .. } => {
                reached[body.0 as usize] = true;
                self.all(plan, *body);
                let kept = keep.iter().filter(|name| own.contains(*name)).cloned();
                let inside = read_inside(plan, *body);
                self.add(*input, kept.chain(read(node.expressions())).chain(inside).collect::<Vec<_>>());
            }
            Node::Partition { input, body, .. } => {
                reached[body.0 as usize] = true;
                self.all(plan, *body);
                self.all(plan, *input);
            }
            Node::Table { inputs, operation } => {
                for (at, input) in inputs.iter().enumerate() {
                    if let Some(first) = operation.keeps_first() {
                        self.add(*input, own.iter().chain(first.keys).cloned().collect::<Vec<_>>());
                        continue;
                    }
                    match operation.reads(at) {
                        Some(names) => self.add(*input, names),
                        None => self.all(plan, *input),
                    }
                }
            }
        }
        // Names that an input does not have (an expansion's index, a shadowed name) are nobody's need.
        for input in node.inputs() {
            let schema = plan.schema(input);
            self.0[input.0 as usize].retain(|name| schema.contains(name));
        }
    }
}
