//! Plans over streams, whose rows come piece by piece: what each piece gives by itself ([`RowWise`]), and what all
//! of them together ([`Gathering`]).
use super::aggregate::{Groups, Summary};
use super::batch::Batch;
use super::build::Executor;
use super::pipeline::{Counter, Feed, Needed};
use super::{Options, Run};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input, NodeId};
use crate::functions::Context;
use crate::plan::{Morsel, Node, Plan, Source, origin};
use crate::types::{Column, Kind, Name, Problem, Schema, Table, convert};
use std::sync::Arc;

/// The streams that a plan reads: the name of each scan, and the columns that are read of it. Of the columns of the
/// result only those count that `computed` says are not a stream's own.
pub fn streams_read(plan: &Plan, root: NodeId, computed: impl Fn(&Name) -> bool) -> Vec<(Name, Vec<(Name, Kind)>)> {
    let names = plan.schema(root).names().filter(|name| computed(name)).cloned().collect();
    let needed = Needed::of_columns(plan, &[(root, names)]);
    let scans = plan.below(root).into_iter().filter_map(|id| match plan.node(id) {
        Node::Scan { name, source } if source.is_stream() => {
            let wanted = plan.schema(id).columns().iter().filter(|(column, _)| needed.of(id).contains(column));
            Some((name.clone(), wanted.cloned().collect()))
        }
        _ => None,
    });
    scans.collect()
}

/// Whether the states of aggregates can be written down.
pub fn travels(plan: &Plan, nodes: &[NodeId]) -> Result<bool> {
    for node in nodes {
        let Node::Aggregate { aggregates, .. } = plan.node(*node) else { return Ok(false) };
        for (_, call) in aggregates {
            let kinds: Vec<Kind> = call.arguments.iter().map(Expr::kind).collect();
            if (call.function.state)(&kinds, &call.constants())?.wire().is_none() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The rows of a node that follow from those of streams, each by itself.
pub struct RowWise<'a> {
    context: &'a Context,
    feeds: Vec<Feed>,
    columns: Vec<Made>,
    problems: Vec<Problem>,
}

/// A column of the result.
#[derive(Clone, Debug)]
pub struct Made {
    pub name: Name,
    /// The column of a stream that it is, where it is not computed for that.
    pub origin: Option<Name>,
    pub kind: Kind,
}

/// What a piece gives.
pub struct Taken {
    /// For each row of the result, the row of the piece that it is made of.
    pub rows: Vec<u32>,
    /// The columns that are computed; none for those that are a stream's own.
    pub columns: Vec<Option<Column>>,
}

impl<'a> RowWise<'a> {
    /// Values that the plan waits for, and that hang on no stream, are computed now. `spares` is asked which
    /// columns of the result that are columns of a stream need not be computed.
    pub fn new(
        plan: &Plan,
        root: NodeId,
        context: &'a Context,
        options: &Options,
        spares: &dyn Fn(&Name, &Name) -> bool,
    ) -> Result<RowWise<'a>> {
        let schema = plan.schema(root);
        let columns: Vec<Made> = schema
            .columns()
            .iter()
            .map(|(name, kind)| {
                let origin = origin(plan, root, name).filter(|origin| spares(name, origin));
                Made { name: name.clone(), origin, kind: *kind }
            })
            .collect();
        let computed = columns.iter().filter(|made| made.origin.is_none()).map(|made| made.name.clone());
        let needed = Needed::of_columns(plan, &[(root, computed.collect())]);
        let executor = Executor::streaming(plan, &[root], needed, context, options);
        let feeds = executor.own_pipeline(root)?.feeds;
        let (_, problems) = executor.finish();
        Ok(RowWise { context, feeds, columns, problems })
    }

    /// Bad rows of what was computed before the streams.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub fn columns(&self) -> &[Made] {
        &self.columns
    }

    /// The streams that are read, and what of each.
    pub fn feeds(&self) -> impl Iterator<Item = (&Arc<dyn Source>, &[Name])> {
        read_of(&self.feeds)
    }

    /// Passes a piece of the stream of a feed, with the columns that the feed reads; none where no row is left.
    pub fn take(&self, feed: usize, piece: Arc<dyn Morsel>) -> Result<Option<Taken>> {
        let Some(feed) = self.feeds.get(feed) else { return Err(Fault::internal("a piece of no stream")) };
        self.context.check()?;
        let batch = Batch::new(piece, &feed.needs.columns, 0).encoding(&feed.encode);
        let Some(batch) = feed.apply(batch, self.context)?.filter(|batch| batch.rows() > 0) else { return Ok(None) };
        let column = |made: &Made| -> Result<Option<Column>> {
            if made.origin.is_some() {
                return Ok(None);
            }
            let column = batch.column(&made.name)?;
            Ok(Some(if column.kind() == made.kind { column } else { convert::lenient(&column, made.kind) }))
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        Ok(Some(Taken { rows: batch.ordinals().into_iter().map(|ordinal| ordinal as u32).collect(), columns }))
    }
}

fn read_of(feeds: &[Feed]) -> impl Iterator<Item = (&Arc<dyn Source>, &[Name])> {
    feeds.iter().map(|feed| (&feed.source, feed.needs.columns.as_slice()))
}

/// In which order the groups of an aggregate come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupOrder {
    /// That of their keys: whoever has gathered them, and from whatever rows.
    Keys,
    /// That of their first rows, as where all rows are read at once.
    Rows,
}

/// Aggregates over streams, and the rest of the plan above them.
pub struct Gathering<'a> {
    plan: &'a Plan,
    root: NodeId,
    context: &'a Context,
    options: &'a Options,
    parts: Vec<Part>,
    /// The rows that have passed, by step.
    counters: Vec<Arc<Counter>>,
    /// Bad rows of what was computed before the streams.
    problems: Vec<Problem>,
}

/// One of the aggregates.
struct Part {
    node: NodeId,
    schema: Schema,
    summary: Summary,
    calls: Vec<usize>,
    feeds: Vec<Feed>,
    groups: Groups,
    /// The ordinal of the next piece's first row.
    next: u64,
}

impl<'a> Gathering<'a> {
    /// Of the aggregates at `nodes` under `root`, each of which reads streams row by row.
    pub fn new(
        plan: &'a Plan,
        root: NodeId,
        nodes: &[NodeId],
        context: &'a Context,
        options: &'a Options,
    ) -> Result<Gathering<'a>> {
        let executor = Executor::streaming(plan, &[root], Needed::new(plan, &[root]), context, options);
        let parts = nodes.iter().map(|node| Part::new(&executor, *node)).collect::<Result<_>>()?;
        let counters = executor.counters();
        let (_, problems) = executor.finish();
        Ok(Gathering { plan, root, context, options, parts, counters, problems })
    }

    /// For each aggregate, the streams that it reads, and what of each.
    pub fn feeds(&self) -> impl Iterator<Item = Vec<(&Arc<dyn Source>, &[Name])>> {
        self.parts.iter().map(|part| read_of(&part.feeds).collect())
    }

    /// Takes in a piece of the stream of a feed of an aggregate. `places` are those of its rows among all rows of all
    /// processes, ascending from piece to piece; without them the rows stand in the order in which they come.
    pub fn take(&mut self, part: usize, feed: usize, piece: Arc<dyn Morsel>, places: Option<Vec<u64>>) -> Result<()> {
        self.context.check()?;
        match self.parts.get_mut(part) {
            Some(part) => part.take(feed, piece, places, self.context),
            None => Err(Fault::internal("a piece of no aggregate")),
        }
    }

    /// About how many bytes the groups and their states hold.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.groups.bytes()).sum()
    }

    /// The states so far, one text of bytes for each aggregate; what was gathered is gone from here.
    pub fn write(&mut self) -> Result<Vec<Vec<u8>>> {
        self.parts.iter_mut().enumerate().map(|(number, part)| part.write(number)).collect()
    }

    /// Takes in states that [`Gathering::write`] made elsewhere of the same plan; the rows of streams that they are of.
    ///
    /// Errors: bytes of another form, version or plan.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<usize> {
        let (number, states) = super::wire::open(bytes)?;
        let Some(part) = self.parts.get_mut(number) else { return Err(super::wire::of_another()) };
        part.merge(states)
    }

    /// The result, when all rows have passed, with the groups of every aggregate in an order.
    pub fn finish(self, order: GroupOrder) -> Result<Run> {
        let executor = Executor::new(self.plan, &[self.root], self.context, self.options);
        executor.adopt(self.counters);
        for part in self.parts {
            let started = std::time::Instant::now();
            let (node, table) = part.finish(order, self.context)?;
            executor.counter(node).add(table.rows(), started);
            executor.know(node, table);
        }
        let tables = vec![executor.table(self.root)?];
        let (profile, mut problems) = executor.finish();
        problems.extend(self.problems);
        Ok(Run { tables, profile, problems })
    }
}

impl Part {
    fn new(executor: &Executor, node: NodeId) -> Result<Part> {
        let summary = Summary::new(executor, node, &[])?;
        let calls: Vec<usize> = (0..summary.calls()).collect();
        let feeds = executor.pipeline(summary.input())?.feeds;
        let feeds = feeds.iter().map(|feed| summary.pruned(feed, &calls)).collect();
        let groups = Groups::new(&summary, &calls)?;
        Ok(Part { node, schema: executor.schema(node), summary, calls, feeds, groups, next: 0 })
    }

    fn take(&mut self, feed: usize, piece: Arc<dyn Morsel>, places: Option<Vec<u64>>, context: &Context) -> Result<()> {
        let Some(feed) = self.feeds.get(feed) else { return Err(Fault::internal("a piece of no stream")) };
        let first = self.next;
        self.next += piece.rows() as u64;
        feed.count_source(piece.rows());
        if piece.rows() == 0 {
            return Ok(());
        }
        let batch = Batch::new(piece, &feed.needs.columns, first).encoding(&feed.encode);
        let batch = if let Some(places) = places { batch.at(places) } else { batch };
        match feed.apply(batch, context)? {
            Some(batch) if batch.rows() > 0 => self.groups.take_in(&self.summary, &self.calls, batch, context),
            _ => Ok(()),
        }
    }

    fn write(&mut self, number: usize) -> Result<Vec<u8>> {
        let empty = Groups::new(&self.summary, &self.calls)?;
        let groups = std::mem::replace(&mut self.groups, empty);
        let passed: Vec<u64> = self.counters().map(Counter::take).collect();
        super::wire::close(number, &self.fingerprint(), &passed, groups)
    }

    fn merge(&mut self, states: super::wire::States) -> Result<usize> {
        let groups = Groups::new(&self.summary, &self.calls)?;
        let (passed, groups) = states.read(&self.fingerprint(), groups)?;
        let sources = self.feeds.iter().scan(0, |next, feed| {
            let own = *next;
            *next += 1 + feed.steps.len();
            Some(own)
        });
        let read: u64 = sources.filter_map(|at| passed.get(at)).sum();
        if passed.len() != self.counters().count() {
            return Err(super::wire::of_another());
        }
        self.counters().zip(passed).for_each(|(counter, rows)| counter.give(rows));
        self.groups.merge(groups)?;
        Ok(read as usize)
    }

    /// The rows that have passed each step.
    fn counters(&self) -> impl Iterator<Item = &Counter> {
        self.feeds
            .iter()
            .flat_map(|feed| std::iter::once(&*feed.read).chain(feed.steps.iter().map(|step| &*step.passed)))
    }

    /// What the states of an equal plan have in common.
    fn fingerprint(&self) -> String {
        self.summary.described()
    }

    fn finish(self, order: GroupOrder, context: &Context) -> Result<(NodeId, Table)> {
        let mut groups = self.groups;
        groups.at_least_one(&self.summary);
        let order = match order {
            GroupOrder::Keys => groups.in_order(),
            GroupOrder::Rows => super::aggregate::by_first_row(&groups.firsts, groups.len()),
        };
        let results = groups.finish(&self.summary, &self.calls, &order, context)?;
        Ok((self.node, super::aggregate::assembled(self.schema, &results, order.len())))
    }
}
