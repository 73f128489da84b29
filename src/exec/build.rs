//! From plan nodes to pipelines and sinks.
use super::pipeline::{Counter, Expansion, Feed, Needed, Pipeline, Step, Work};
use super::{
    Options, Profile, aggregate, apply, collect, firsts, inline, join, keep, learn, optimize, rows, share, sort,
};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, NodeId, fold};
use crate::functions::Context;
use crate::plan::{InMemory, Needs, Node, Plan, SortKey, Source};
use crate::types::{Kind, Name, Problem, Schema, Table, Value};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub struct Executor<'a> {
    pub plan: &'a Plan,
    pub context: &'a Context,
    pub options: &'a Options,
    pub needed: Needed,
    readers: Vec<u32>,
    /// Whether rows pass piece by piece: nothing that they make is kept for several readers.
    streams: bool,
    tables: Mutex<HashMap<NodeId, Table>>,
    counters: Mutex<Vec<Arc<Counter>>>,
    problems: Arc<Mutex<Vec<Problem>>>,
}

impl<'a> Executor<'a> {
    pub fn new(plan: &'a Plan, roots: &[NodeId], context: &'a Context, options: &'a Options) -> Executor<'a> {
        Self::with(plan, roots, Needed::new(plan, roots), context, options)
    }

    /// Makes pipelines for rows that are handed in.
    pub fn streaming(
        plan: &'a Plan,
        roots: &[NodeId],
        needed: Needed,
        context: &'a Context,
        options: &'a Options,
    ) -> Executor<'a> {
        Executor { streams: true, ..Self::with(plan, roots, needed, context, options) }
    }

    fn with(
        plan: &'a Plan,
        roots: &[NodeId],
        needed: Needed,
        context: &'a Context,
        options: &'a Options,
    ) -> Executor<'a> {
        Executor {
            plan,
            context,
            options,
            needed,
            readers: readers(plan, roots),
            streams: false,
            tables: Mutex::default(),
            counters: Mutex::default(),
            problems: Arc::default(),
        }
    }

    /// Takes a node's table as computed elsewhere.
    pub fn know(&self, id: NodeId, table: Table) {
        if let Ok(mut tables) = self.tables.lock() {
            tables.insert(id, table);
        }
    }

    /// Whether rows were read that could not be used: they are said in every run, so nothing made of such is kept.
    pub fn has_problems(&self) -> bool {
        self.problems.lock().map_or(true, |problems| !problems.is_empty())
    }

    pub fn finish(self) -> (Profile, Vec<Problem>) {
        let counters = self.counters.into_inner().unwrap_or_default();
        let problems = self.problems.lock().map(|p| p.clone()).unwrap_or_default();
        (Profile::new(&counters, self.options.trace), problems)
    }

    /// The table of a node: computed once. It has the node's columns that are needed, in schema order.
    pub fn table(&self, id: NodeId) -> Result<Table> {
        if let Ok(tables) = self.tables.lock()
            && let Some(table) = tables.get(&id)
        {
            return Ok(table.clone());
        }
        self.context.check()?;
        let table = self.compute(id)?;
        if let Ok(mut tables) = self.tables.lock() {
            tables.insert(id, table.clone());
        }
        Ok(table)
    }

    /// Whether a node's table is there already.
    pub fn knows(&self, id: NodeId) -> bool {
        self.tables.lock().is_ok_and(|tables| tables.contains_key(&id))
    }

    /// The columns of a node that somebody reads.
    pub fn schema(&self, id: NodeId) -> Schema {
        let needed = self.needed.of(id);
        self.plan.schema(id).columns().iter().filter(|(name, _)| needed.contains(name)).cloned().collect()
    }

    fn compute(&self, id: NodeId) -> Result<Table> {
        let counted_from = |started: Instant, table: Result<Table>| {
            let table = table?;
            self.counter(id).add(table.rows(), started);
            Ok(table)
        };
        let counted = |table: Result<Table>| counted_from(Instant::now(), table);
        match self.plan.node(id) {
            Node::Values(table) => counted(Ok(table.clone())),
            Node::Aggregate { .. } => counted(aggregate::run(self, id, &[], &[])),
            Node::Sort { .. } | Node::Newest { .. } => {
                let (order, below) = self.order(id)?;
                let input = self.table(below)?;
                counted_from(Instant::now(), self.sorted(id, &input, &order, None))
            }
            Node::Take { input, rows } => match self.plan.node(*input) {
                Node::Sort { .. } | Node::Newest { .. } if self.readers_of(*input) == 1 => {
                    let (order, below) = self.order(*input)?;
                    if *rows <= sort::FEW {
                        return counted(sort::top(self, id, below, &order, *rows));
                    }
                    let input = self.table(below)?;
                    counted_from(Instant::now(), self.sorted(id, &input, &order, Some(*rows)))
                }
                _ => counted(collect::take(self, id, *input, *rows)),
            },
            Node::Sample { input, rows } => counted(rows::sample(&self.table(*input)?, *rows)),
            Node::Join { .. } => counted(join::run(self, id)),
            Node::Rows { input, columns } => {
                let columns = columns.iter().map(|(n, c)| Ok((n.clone(), c.clone().map(&mut |e| self.ready(e))?)));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                let threads = self.options.threads;
                counted(rows::run(&self.table(*input)?, &columns, &self.schema(id), self.context, threads))
            }
            Node::Partition { input, by, body } => counted(apply::partition(self, *input, by, *body)),
            Node::Table { inputs, operation } => {
                let started = Instant::now();
                if let Some(table) = keep::operation(self, inputs, operation.as_ref())? {
                    return counted_from(started, Ok(table));
                }
                if let ([input], Some(first)) = (inputs.as_slice(), operation.keeps_first()) {
                    let input = firsts::run(self, *input, &first)?;
                    return counted_from(Instant::now(), operation.run(self.context, &[input]));
                }
                let inputs = inputs.iter().map(|input| self.table(*input)).collect::<Result<Vec<_>>>()?;
                counted_from(Instant::now(), operation.run(self.context, &inputs))
            }
            Node::Argument { .. } => Err(Fault::internal("a body's argument outside of its body")),
            _ => collect::run(self, id),
        }
    }

    fn sorted(&self, id: NodeId, input: &Table, order: &sort::Order, first: Option<u64>) -> Result<Table> {
        sort::run(input, order, first, &self.schema(id), self.context)
    }

    /// The order that a node puts rows in, and the node whose rows these are. Rows that were put in the order of their
    /// times before are put in both at once.
    pub fn order(&self, id: NodeId) -> Result<(sort::Order, NodeId)> {
        Ok(match self.plan.node(id) {
            Node::Sort { input, keys } => {
                let keys = keys.iter().map(|k| Ok(SortKey { expr: self.ready(k.expr.clone())?, ..k.clone() }));
                let keys = keys.collect::<Result<_>>()?;
                match self.plan.node(*input) {
                    Node::Newest { input: below, time }
                        if !self.options.trace && !self.knows(*input) && self.readers_of(*input) == 1 =>
                    {
                        (sort::Order { keys, newest: Some(time.clone()) }, *below)
                    }
                    _ => (sort::Order { keys, newest: None }, *input),
                }
            }
            Node::Newest { input, time } => (sort::Order { keys: Vec::new(), newest: Some(time.clone()) }, *input),
            _ => (sort::Order::default(), id),
        })
    }

    pub fn counter(&self, id: NodeId) -> Arc<Counter> {
        let counter = Counter::of(id);
        if let Ok(mut counters) = self.counters.lock() {
            counters.push(counter.clone());
        }
        counter
    }

    pub fn counters(&self) -> Vec<Arc<Counter>> {
        self.counters.lock().map(|counters| counters.clone()).unwrap_or_default()
    }

    /// Counts with what another executor of the plan has counted.
    pub fn adopt(&self, others: Vec<Arc<Counter>>) {
        if let Ok(mut counters) = self.counters.lock() {
            counters.extend(others);
        }
    }

    /// The columns that a node adds which its only reader may compute itself.
    pub fn added(&self, id: NodeId) -> Result<Vec<(Name, Expr)>> {
        match self.plan.node(id) {
            Node::Extend { columns, .. } if !self.streams && !self.options.trace && self.readers_of(id) == 1 => {
                columns.iter().map(|(name, expr)| Ok((name.clone(), self.ready(expr.clone())?))).collect()
            }
            _ => Ok(Vec::new()),
        }
    }

    pub fn readers_of(&self, id: NodeId) -> u32 {
        if self.streams { 1 } else { self.readers[id.0 as usize] }
    }

    /// The expression with late values computed and constants folded.
    pub fn ready(&self, expr: Expr) -> Result<Expr> {
        if expr.late().is_empty() {
            return Ok(expr);
        }
        Ok(fold(self.with_late_values(expr)?, self.context))
    }

    fn with_late_values(&self, expr: Expr) -> Result<Expr> {
        if let Expr::Late(node, kind) = expr {
            return self.late_value(node, kind).map(Expr::Const);
        }
        let kept = keep::list(self, &expr)?;
        if let (Some(list), Expr::Call { function, mut arguments, kind }) = (kept, expr.clone()) {
            arguments.pop();
            let value = arguments.into_iter().map(|argument| self.with_late_values(argument));
            let mut arguments = value.collect::<Result<Vec<_>>>()?;
            arguments.push(Expr::Const(list));
            return Ok(Expr::Call { function, arguments, kind });
        }
        let mut fault = None;
        let expr = expr.map_children(&mut |child| match self.with_late_values(child) {
            Ok(child) => child,
            Err(error) => {
                fault = Some(error);
                Expr::Const(Value::Null(Kind::Dynamic))
            }
        });
        fault.map_or(Ok(expr), Err)
    }

    fn late_value(&self, node: NodeId, kind: Kind) -> Result<Value> {
        keep::value(self, node, kind, || {
            let table = self.table(node)?;
            Ok(if table.rows() == 0 { Value::null(kind) } else { table.column(0).value(0) })
        })
    }

    /// The pipeline that gives the rows of a node to a reader, as far down as rows can be streamed. A node
    /// with several readers is computed once for all of them.
    pub fn pipeline(&self, id: NodeId) -> Result<Pipeline> {
        let mut feeds = Vec::new();
        self.feeds_of_input(id, Vec::new(), &mut feeds)?;
        Ok(Pipeline { feeds, problems: self.problems.clone() })
    }

    /// The pipeline that makes the table of a node itself.
    pub fn own_pipeline(&self, id: NodeId) -> Result<Pipeline> {
        let mut feeds = Vec::new();
        self.feeds(id, Vec::new(), &mut feeds)?;
        Ok(Pipeline { feeds, problems: self.problems.clone() })
    }

    /// `above`: the steps from the node on, nearest to the sink first.
    fn feeds(&self, id: NodeId, mut above: Vec<Step>, feeds: &mut Vec<Feed>) -> Result<()> {
        let mut at = id;
        loop {
            let node = self.plan.node(at);
            if at != id && self.readers_of(at) > 1 && !matches!(node, Node::Scan { .. } | Node::Window { .. }) {
                return self.feed_from_table(at, above, feeds);
            }
            match node {
                Node::Union { inputs } => {
                    return inputs.iter().try_for_each(|input| self.feeds_of_input(*input, above.clone(), feeds));
                }
                Node::Scan { source, .. } => return self.feed(at, source.clone(), above, feeds),
                Node::Aggregate { .. } => return self.feed_from_aggregate(at, above, feeds),
                node => match self.step(at, node)? {
                    Some((step, input)) => {
                        above.push(step);
                        at = input;
                    }
                    None => return self.feed_from_table(at, above, feeds),
                },
            }
        }
    }

    fn feeds_of_input(&self, input: NodeId, above: Vec<Step>, feeds: &mut Vec<Feed>) -> Result<()> {
        match self.plan.node(input) {
            node if self.readers_of(input) > 1 && !matches!(node, Node::Scan { .. } | Node::Window { .. }) => {
                self.feed_from_table(input, above, feeds)
            }
            _ => self.feeds(input, above, feeds),
        }
    }

    /// The step of a node that streams, and the node below it; none for a node that does not.
    fn step(&self, id: NodeId, node: &Node) -> Result<Option<(Step, NodeId)>> {
        let live: Arc<HashSet<Name>> = Arc::new(self.needed.of(id).clone());
        let made = |work: Work, input: NodeId| {
            let passed = self.counter(id);
            Ok(Some((Step { work, live: live.clone(), passed }, input)))
        };
        let ready = |columns: &[(Name, Expr)]| -> Result<Vec<(Name, Expr)>> {
            let wanted = columns.iter().filter(|(name, _)| live.contains(name));
            wanted.map(|(name, e)| Ok((name.clone(), self.ready(e.clone())?))).collect()
        };
        match node {
            Node::Window { input, window } => made(Work::Filter(window.predicate()), *input),
            Node::Filter { input, predicate } => {
                let conjuncts = match self.ready(predicate.clone())? {
                    Expr::And(parts) => parts,
                    other => vec![other],
                };
                made(Work::Filter(conjuncts), *input)
            }
            Node::Extend { input, columns } => made(Work::Extend(ready(columns)?), *input),
            Node::Project { input, columns } => made(Work::Project(ready(columns)?), *input),
            Node::Expand { input, columns, index, limit, keep_bags_as_arrays } => {
                let columns = self.ready_expanded(columns)?;
                let expansion = Expansion {
                    columns,
                    index: index.clone(),
                    limit: *limit,
                    keep_bags_as_arrays: *keep_bags_as_arrays,
                    keep_nulls: true,
                };
                made(Work::Expand(Arc::new(expansion)), *input)
            }
            Node::Apply { input, .. } => made(Work::Apply(Arc::new(apply::Application::new(self, id)?)), *input),
            _ => Ok(None),
        }
    }

    pub fn ready_expanded(&self, columns: &[crate::plan::Expanded]) -> Result<Vec<crate::plan::Expanded>> {
        let ready =
            |c: &crate::plan::Expanded| Ok(crate::plan::Expanded { value: self.ready(c.value.clone())?, ..c.clone() });
        columns.iter().map(ready).collect()
    }

    fn feed_from_table(&self, id: NodeId, above: Vec<Step>, feeds: &mut Vec<Feed>) -> Result<()> {
        let table = self.table(id)?;
        self.feed(id, InMemory::source(table), above, feeds)
    }

    /// The filter right above an aggregate is its own business: it may spare the costly aggregates.
    fn feed_from_aggregate(&self, id: NodeId, mut above: Vec<Step>, feeds: &mut Vec<Feed>) -> Result<()> {
        if self.options.trace || self.knows(id) || self.readers_of(id) > 1 {
            return self.feed_from_table(id, above, feeds);
        }
        let mut having = Vec::new();
        let mut passed = Vec::new();
        while let Some(Step { work: Work::Filter(_), .. }) = above.last() {
            if let Some(Step { work: Work::Filter(conjuncts), passed: counter, .. }) = above.pop() {
                having.extend(conjuncts);
                passed.push(counter);
            }
        }
        let table = aggregate::run(self, id, &having, &passed)?;
        self.feed(id, InMemory::source(table), above, feeds)
    }

    /// How many rows pass at a time: of a table in memory so many that every thread has some of them.
    fn morsel_rows(&self, source: &dyn Source) -> usize {
        const FEWEST: usize = 16_384;
        let most = self.context.limits.morsel_rows;
        source.table().map_or(most, |table| most.min(table.rows().div_ceil(self.options.threads.max(1)).max(FEWEST)))
    }

    fn feed(&self, id: NodeId, source: Arc<dyn Source>, above: Vec<Step>, feeds: &mut Vec<Feed>) -> Result<()> {
        let mut steps: Vec<Step> = above.into_iter().rev().collect();
        if !self.options.trace {
            steps = share::steps(optimize::steps(inline::steps(steps)));
        }
        let columns: Vec<Name> = self.schema(id).names().filter(|n| source.schema().contains(n)).cloned().collect();
        let window = optimize::window(&steps);
        if let Some(table) = source.table() {
            learn::columns(table, &columns);
        }
        // A traced run tells the rows before and after each step.
        let tests = if self.options.trace { Vec::new() } else { optimize::tests(&steps) };
        let needs = Needs { columns, window, tests, morsel_rows: self.morsel_rows(source.as_ref()) };
        let read = match self.plan.node(id) {
            Node::Scan { .. } => self.counter(id),
            _ => Arc::default(),
        };
        feeds.push(Feed { source, needs, steps, read, encode: Arc::default() }.with_costly(std::iter::empty()));
        Ok(())
    }
}

/// How many nodes read each node.
fn readers(plan: &Plan, roots: &[NodeId]) -> Vec<u32> {
    let mut count = vec![0u32; plan.len()];
    let mut seen = vec![false; plan.len()];
    let mut stack: Vec<NodeId> = roots.to_vec();
    roots.iter().for_each(|root| count[root.0 as usize] += 1);
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id.0 as usize], true) {
            continue;
        }
        let node = plan.node(id);
        let late = node.expressions().into_iter().flat_map(Expr::late);
        for below in node.inputs().into_iter().chain(late) {
            count[below.0 as usize] += 1;
            stack.push(below);
        }
    }
    count
}
