//! `summarize`: partial states on every thread, merged at the end.
//!
//! Where a filter follows, the cheap aggregates are computed first, the groups are filtered, and sets, lists and
//! percentiles are computed for the groups that are left: over rows that can be visited again, or that are few enough
//! to be held.
use super::batch::{Batch, Columns};
use super::build::Executor;
use super::drive::{drive, feed_of};
use super::group::Grouper;
use super::held::{Held, columns_read, retaining};
use super::pipeline::{Counter, Feed, Pipeline, Step, Work, filter};
use super::{inline, optimize};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input, NodeId, evaluate, select};
use crate::functions::Context;
use crate::functions::aggregates::{Ordinals, Rows, State};
use crate::plan::{AggregateCall, Morsel, Node};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, gather};
use parted::{Gathered, Local, Way};
use std::collections::HashSet;
use std::sync::Arc;

mod parted;

/// The groups of an aggregate node for which `having` holds.
pub fn run(executor: &Executor, id: NodeId, having: &[Expr], passed: &[Arc<Counter>]) -> Result<Table> {
    let summary = Summary::new(executor, id, having)?;
    let mut pipeline = executor.pipeline(summary.input)?;
    let later = match executor.options.trace {
        true => Vec::new(),
        false => summary.defer(&mut pipeline),
    };
    let costly = summary.costly(&pipeline, !having.is_empty() || !later.is_empty());
    let first_calls: Vec<usize> = (0..summary.calls.len()).filter(|at| !costly.contains(at)).collect();
    let second = (!costly.is_empty()).then(|| Second::new(&summary, &pipeline, costly));
    // A traced run tells the rows after every step, those that the aggregates do not read among them.
    let first_feed = |at: usize, feed: &Feed| {
        if executor.options.trace {
            return feed.clone();
        }
        let pruned = summary.pruned(feed, &first_calls);
        match second.as_ref().and_then(|second| second.columns_of(at)) {
            Some(columns) => retaining(pruned, columns),
            None => pruned,
        }
    };
    let pipeline = pipeline.clone_with(first_feed);
    let in_memory = pipeline.feeds.iter().all(|feed| feed.source.table().is_some());
    let way = Way::new(&summary, &first_calls, second.as_ref(), executor.context, in_memory)?;
    let groups = match first_phase(executor, &pipeline, &way)? {
        Gathered::Whole(groups) => groups,
        Gathered::Parts(parts) => {
            let table = parted::table(parts, &way, executor.options.threads, &executor.schema(id), having, &later)?;
            passed.iter().for_each(|counter| counter.add(table.rows(), std::time::Instant::now()));
            return Ok(table);
        }
    };
    let Groups { grouper, states, firsts, kept, late, .. } = groups;
    let columns = finished(states, executor.context, grouper.len())?;
    let order = by_first_row(&firsts, grouper.len());
    let named = |rows: &[u32]| named(&summary, &first_calls, &grouper, &columns, rows);
    let (order, mut results) = survivors(order, &named, having, &later, executor.context)?;
    passed.iter().for_each(|counter| counter.add(order.len(), std::time::Instant::now()));
    if let Some(second) = second {
        let names = second.calls.iter().map(|at| summary.calls[*at].0.clone());
        let columns = match late {
            Some(states) => {
                let columns = finished(states, executor.context, grouper.len())?;
                columns.iter().map(|column| gather::take(column, &order)).collect()
            }
            None => second_phase(executor, &summary, &second, kept, &order, grouper.len())?,
        };
        results.extend(names.zip(columns));
    }
    Ok(assembled(executor.schema(id), &results, order.len()))
}

/// The groups in the order of their first rows. Each thread's groups are in that order already, which a stable sort
/// makes use of.
pub fn by_first_row(firsts: &[u64], groups: usize) -> Vec<u32> {
    let first = |group: u32| firsts.get(group as usize).copied().unwrap_or(0);
    let mut order: Vec<(u64, u32)> = (0..groups as u32).map(|group| (first(group), group)).collect();
    order.sort_by_key(|(first, _)| *first);
    order.into_iter().map(|(_, group)| group).collect()
}

pub fn assembled(schema: Schema, results: &[(Name, Column)], rows: usize) -> Table {
    let column = |name: &Name, kind: Kind| match results.iter().find(|(n, _)| n == name) {
        Some((_, column)) => Stored::Column(gather::compact(column.clone())),
        None => Stored::Column(Column::nulls(kind, rows)),
    };
    let columns = schema.columns().iter().map(|(name, kind)| column(name, *kind)).collect();
    Table::new(schema, vec![Chunk { rows, columns }])
}

/// What is grouped and computed, late values in place.
pub struct Summary {
    input: NodeId,
    by: Vec<(Name, Expr)>,
    calls: Vec<(Name, AggregateCall)>,
    having: HashSet<Name>,
}

impl Summary {
    pub fn input(&self) -> NodeId {
        self.input
    }

    /// How many aggregates there are.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What is grouped and computed, in words: equal for equal plans alone.
    pub fn described(&self) -> String {
        let calls = self.calls.iter().map(|(name, call)| {
            let kinds: Vec<&str> = call.arguments.iter().map(|argument| argument.kind().name()).collect();
            format!("{name}={}({:?}: {}) if {:?}", call.function.name, call.arguments, kinds.join(", "), call.condition)
        });
        format!("{} by {:?}", calls.collect::<Vec<_>>().join(", "), self.by)
    }

    pub fn new(executor: &Executor, id: NodeId, having: &[Expr]) -> Result<Summary> {
        let Node::Aggregate { input, by, aggregates } = executor.plan.node(id) else {
            return Err(Fault::internal("a summary of another node"));
        };
        let needed = executor.needed.of(id);
        let by = by.iter().map(|(name, e)| Ok((name.clone(), executor.ready(e.clone())?)));
        let mut by = by.collect::<Result<Vec<(Name, Expr)>>>()?;
        let wanted = aggregates.iter().filter(|(name, _)| needed.contains(name));
        let ready =
            |(name, call): &(Name, AggregateCall)| Ok((name.clone(), call.clone().map(&mut |e| executor.ready(e))?));
        let mut calls = wanted.map(ready).collect::<Result<Vec<(Name, AggregateCall)>>>()?;
        let added = executor.added(*input)?;
        let called = calls.iter_mut().flat_map(|(_, call)| call.arguments.iter_mut().chain(&mut call.condition));
        inline::into(&added, &added, by.iter_mut().map(|(_, key)| key).chain(called).collect());
        Ok(Summary { input: *input, by, calls, having: having.iter().flat_map(Expr::columns).collect() })
    }

    /// Takes out of the pipeline what is better decided on the groups.
    fn defer(&self, pipeline: &mut Pipeline) -> Vec<Step> {
        let [feed] = pipeline.feeds.as_mut_slice() else { return Vec::new() };
        let same = |(name, e): &(Name, Expr)| matches!(e, Expr::Column(from, _) if from == name).then(|| name.clone());
        let keys: HashSet<Name> = self.by.iter().filter_map(same).collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let (stay, later) = optimize::defer(std::mem::take(&mut feed.steps), &keys);
        feed.steps = stay;
        later
    }

    /// The calls that wait until the groups are filtered.
    fn costly(&self, pipeline: &Pipeline, filtered: bool) -> Vec<usize> {
        let row_wise =
            pipeline.feeds.iter().flat_map(|f| &f.steps).all(|s| !matches!(s.work, Work::Expand(_) | Work::Apply(_)));
        if !(filtered && row_wise) || self.by.is_empty() {
            return Vec::new();
        }
        let waits = |at: &usize| {
            let (name, call) = &self.calls[*at];
            !self.having.contains(name)
                && (!call.function.cheap || call.expressions().any(|e| optimize::cost(e) > optimize::COSTLY))
        };
        (0..self.calls.len()).filter(waits).collect()
    }

    fn reads(&self, calls: &[usize], keys: bool) -> HashSet<Name> {
        let called = calls.iter().flat_map(|at| self.calls[*at].1.expressions()).flat_map(Expr::columns);
        let grouped = self.by.iter().filter(|_| keys).flat_map(|(_, e)| e.columns());
        called.chain(grouped).collect()
    }

    pub fn pruned(&self, feed: &Feed, calls: &[usize]) -> Feed {
        let steps = optimize::prune(feed.steps.clone(), self.reads(calls, true));
        let called = calls.iter().flat_map(|at| self.calls[*at].1.expressions());
        Feed { steps, ..feed.clone() }.with_costly(self.by.iter().map(|(_, e)| e).chain(called))
    }

    fn pruned_without_filters(&self, feed: &Feed, calls: &[usize]) -> Feed {
        let steps = feed.steps.iter().filter(|s| !matches!(s.work, Work::Filter(_))).cloned().collect();
        Feed { steps: optimize::prune(steps, self.reads(calls, false)), ..feed.clone() }
    }

    fn states(&self, calls: &[usize]) -> Result<Vec<Box<dyn State>>> {
        let state = |at: &usize| {
            let call = &self.calls[*at].1;
            let kinds: Vec<Kind> = call.arguments.iter().map(Expr::kind).collect();
            (call.function.state)(&kinds, &call.constants())
        };
        calls.iter().map(state).collect()
    }
}

impl Pipeline {
    /// The pipeline with each feed, told with its place, changed.
    fn clone_with(&self, change: impl Fn(usize, &Feed) -> Feed) -> Pipeline {
        let feeds = self.feeds.iter().enumerate().map(|(at, feed)| change(at, feed)).collect();
        Pipeline { feeds, problems: self.problems.clone() }
    }
}

/// The calls that wait until the groups are filtered, and the way of their rows.
struct Second {
    calls: Vec<usize>,
    pipeline: Pipeline,
    /// Which columns of a feed are read; none where they are in memory.
    reads: Vec<Option<Vec<bool>>>,
}

/// A thread holds no more bytes of rows before it groups them, or begins the second phase with them: 64 MB where
/// morsels are as long as they usually are.
fn most_held(context: &Context) -> usize {
    context.limits.morsel_rows.saturating_mul(1 << 10)
}

impl Second {
    fn new(summary: &Summary, pipeline: &Pipeline, calls: Vec<usize>) -> Second {
        let pipeline = pipeline.clone_with(|_, feed| summary.pruned_without_filters(feed, &calls));
        let after = summary.reads(&calls, false);
        let reads = |feed: &Feed| feed.source.table().is_none().then(|| columns_read(feed, &after));
        let reads = pipeline.feeds.iter().map(reads).collect();
        Second { calls, pipeline, reads }
    }

    /// Which columns of a feed are read; none where they are in memory.
    fn columns_of(&self, feed: usize) -> Option<&[bool]> {
        self.reads.get(feed)?.as_deref()
    }

    /// The rows of a batch, and how many bytes are held of them: no columns where there is no room for more.
    fn keep(&self, batch: &Batch, morsel: &Arc<dyn Morsel>, groups: Vec<u32>, is_full: bool) -> Result<(Kept, usize)> {
        let (feed, first) = (feed_of(batch.first()), batch.first());
        let Some(columns) = self.columns_of(feed) else {
            return Ok((Kept { feed, morsel: morsel.clone(), first, selection: batch.selection(), groups }, 0));
        };
        let may_be_kept = self.pipeline.feeds.get(feed).is_some_and(|feed| feed.source.may_be_kept());
        let held = match may_be_kept {
            true if is_full => Held::beside(batch, morsel, &[]),
            true => Held::beside(batch, morsel, columns),
            false => Held::alone(batch, morsel.as_ref(), columns)?,
        };
        let (bytes, selection) = (held.bytes(), (0..groups.len() as u32).collect());
        Ok((Kept { feed, morsel: Arc::new(held), first, selection, groups }, bytes))
    }

    /// Whether the rows of all feeds can be visited again, however many there are.
    fn may_wait(&self) -> bool {
        self.pipeline.feeds.iter().all(|feed| feed.source.may_be_kept())
    }

    /// Hands kept rows to the states of the calls; a row's group is that of its place, where there is one.
    fn update(
        &self,
        summary: &Summary,
        states: &mut [Box<dyn State>],
        kept: &Kept,
        place: &dyn Fn(u32) -> Option<u32>,
        count: usize,
        context: &Context,
    ) -> Result<()> {
        let rows = kept.selection.iter().zip(&kept.groups).filter_map(|(row, group)| Some((*row, place(*group)?)));
        let (rows, groups): (Vec<u32>, Vec<u32>) = rows.unzip();
        let Some(feed) = self.pipeline.feeds.get(kept.feed).filter(|_| !rows.is_empty()) else { return Ok(()) };
        let batch = Batch::again(kept.morsel.clone(), &feed.needs.columns, kept.first, rows);
        if let Some(batch) = feed.apply(batch, context)? {
            let ordinals = Ordinals::new(|| batch.ordinals());
            update(summary, &self.calls, states, &batch, &groups, count, &ordinals, context)?;
        }
        Ok(())
    }
}

/// Rows that a second phase may visit again, and their groups.
pub struct Kept {
    feed: usize,
    morsel: Arc<dyn Morsel>,
    first: u64,
    selection: Vec<u32>,
    groups: Vec<u32>,
}

/// The groups and states of a thread, or of all.
pub struct Groups {
    pub grouper: Grouper,
    pub states: Vec<Box<dyn State>>,
    /// The ordinal of each group's first row.
    pub firsts: Vec<u64>,
    kept: Vec<Kept>,
    /// How many bytes are held of the kept rows.
    held: usize,
    /// The states of the second phase, where more rows were to be held than there is room for.
    late: Option<Vec<Box<dyn State>>>,
}

fn first_phase(executor: &Executor, pipeline: &Pipeline, way: &Way) -> Result<Gathered> {
    let step = |local: &mut Result<Local>, batch: Batch| match local {
        Ok(local) => local.take_in(batch),
        Err(fault) => Err(fault.clone()),
    };
    let locals = drive(pipeline, executor.context, executor.options.threads, || Local::new(way), step, || false)?;
    Gathered::of(locals.into_iter().collect::<Result<Vec<Local>>>()?, way)
}

impl Groups {
    pub fn new(summary: &Summary, calls: &[usize]) -> Result<Groups> {
        let kinds: Vec<Kind> = summary.by.iter().map(|(_, e)| e.kind()).collect();
        let states = summary.states(calls)?;
        Ok(Groups::of(Grouper::new(&kinds), states, Vec::new()))
    }

    /// Groups with their states, and the ordinals of their first rows.
    pub fn of(grouper: Grouper, states: Vec<Box<dyn State>>, firsts: Vec<u64>) -> Groups {
        Groups { grouper, states, firsts, kept: Vec::new(), held: 0, late: None }
    }

    pub fn len(&self) -> usize {
        self.grouper.len()
    }

    /// About how many bytes are held.
    pub fn bytes(&self) -> usize {
        self.grouper.bytes() + self.states.iter().map(|state| state.bytes()).sum::<usize>()
    }

    /// Without keys there is a group even where there is no row.
    pub fn at_least_one(&mut self, summary: &Summary) {
        if summary.by.is_empty() {
            self.firsts.resize(1, 0);
        }
    }

    /// The groups in the order of their keys.
    pub fn in_order(&self) -> Vec<u32> {
        let every: Vec<u32> = (0..self.grouper.len() as u32).collect();
        super::sort::ascending(self.grouper.columns(&every), every.len())
    }

    /// The keys and results of groups.
    pub fn finish(self, summary: &Summary, calls: &[usize], groups: &[u32], context: &Context) -> Result<Columns> {
        let columns = finished(self.states, context, self.grouper.len())?;
        Ok(named(summary, calls, &self.grouper, &columns, groups))
    }

    pub fn take_in(&mut self, summary: &Summary, calls: &[usize], batch: Batch, context: &Context) -> Result<()> {
        self.take_in_for(summary, calls, batch, None, context)
    }

    /// As [`Groups::take_in`], where the rows may be visited again.
    fn take_in_for(
        &mut self,
        summary: &Summary,
        calls: &[usize],
        batch: Batch,
        second: Option<&Second>,
        context: &Context,
    ) -> Result<()> {
        let keys = summary.by.iter().map(|(_, e)| evaluate(e, &batch, context)).collect::<Result<Vec<_>>>()?;
        let groups = self.grouper.groups(&keys, batch.rows());
        let ordinals = Ordinals::new(|| batch.places());
        self.note_firsts(&groups, &ordinals);
        within_limit(self.grouper.len(), context)?;
        update(summary, calls, &mut self.states, &batch, &groups, self.grouper.len(), &ordinals, context)?;
        let (Some(second), Some(morsel)) = (second, batch.morsel()) else { return Ok(()) };
        let most = most_held(context);
        let (kept, bytes) = second.keep(&batch, morsel, groups, self.held > most)?;
        self.kept.push(kept);
        self.held += bytes;
        if self.held <= most || second.may_wait() {
            return Ok(());
        }
        self.begin_second(summary, second, context)
    }

    /// Hands the kept rows to the states of the second phase, whether their groups will be left or not.
    fn begin_second(&mut self, summary: &Summary, second: &Second, context: &Context) -> Result<()> {
        let mut states = match self.late.take() {
            Some(states) => states,
            None => summary.states(&second.calls)?,
        };
        for kept in std::mem::take(&mut self.kept) {
            context.check()?;
            second.update(summary, &mut states, &kept, &Some, self.grouper.len(), context)?;
        }
        (self.late, self.held) = (Some(states), 0);
        Ok(())
    }

    /// A thread's rows come in ascending order: the first row seen of a group is its first.
    fn note_firsts(&mut self, groups: &[u32], ordinals: &Ordinals) {
        if self.firsts.len() == self.grouper.len() {
            return;
        }
        for (group, ordinal) in groups.iter().zip(ordinals.iter()) {
            if *group as usize == self.firsts.len() {
                self.firsts.push(*ordinal);
            }
        }
    }

    pub fn merge(&mut self, other: Groups) -> Result<()> {
        let into = self.grouper.absorb(&other.grouper);
        let count = self.grouper.len();
        self.firsts.resize(count, u64::MAX);
        for (group, first) in into.iter().zip(&other.firsts) {
            let own = &mut self.firsts[*group as usize];
            *own = (*own).min(*first);
        }
        let late = self.late.iter_mut().flatten().zip(other.late.into_iter().flatten());
        for (own, theirs) in self.states.iter_mut().zip(other.states).chain(late) {
            own.merge(theirs, &into, count)?;
        }
        self.kept.extend(other.kept.into_iter().map(|mut kept| {
            kept.groups.iter_mut().for_each(|g| *g = into[*g as usize]);
            kept
        }));
        Ok(())
    }
}

/// Hands the rows of a batch to the states.
#[allow(clippy::too_many_arguments)]
fn update(
    summary: &Summary,
    calls: &[usize],
    states: &mut [Box<dyn State>],
    batch: &Batch,
    groups: &[u32],
    count: usize,
    ordinals: &Ordinals,
    context: &Context,
) -> Result<()> {
    let mut known: Vec<(&Expr, Column)> = Vec::new();
    for (at, state) in calls.iter().zip(states) {
        let call = &summary.calls[*at].1;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(shared(argument, batch, context, &mut known)?);
        }
        match &call.condition {
            None => state.update(&Rows { context, groups, count, ordinals }, &arguments)?,
            Some(condition) => {
                let rows = select(&evaluate(condition, batch, context)?);
                let arguments: Vec<Column> = arguments.iter().map(|c| gather::take(c, &rows)).collect();
                let groups: Vec<u32> = rows.iter().map(|r| groups[*r as usize]).collect();
                let ordinals = Ordinals::new(|| rows.iter().map(|r| ordinals[*r as usize]).collect());
                state.update(&Rows { context, groups: &groups, count, ordinals: &ordinals }, &arguments)?;
            }
        }
    }
    Ok(())
}

/// An argument that several aggregates share is computed once.
fn shared<'a>(expr: &'a Expr, batch: &Batch, context: &Context, known: &mut Vec<(&'a Expr, Column)>) -> Result<Column> {
    if matches!(expr, Expr::Column(..) | Expr::Const(_)) {
        return evaluate(expr, batch, context);
    }
    let text = expr.fingerprint();
    if let Some((_, column)) = known.iter().find(|(e, _)| e.fingerprint() == text) {
        return Ok(column.clone());
    }
    let column = evaluate(expr, batch, context)?;
    known.push((expr, column.clone()));
    Ok(column)
}

fn within_limit(groups: usize, context: &Context) -> Result<()> {
    match groups > context.limits.rows {
        true => Err(Fault::limit("rows", "summarize makes too many groups")),
        false => Ok(()),
    }
}

/// The keys and results of groups.
fn named(summary: &Summary, calls: &[usize], grouper: &Grouper, results: &[Column], groups: &[u32]) -> Columns {
    let keys = summary.by.iter().map(|(name, _)| name.clone()).zip(grouper.columns(groups));
    let names = calls.iter().map(|at| summary.calls[*at].0.clone());
    keys.chain(names.zip(results.iter().map(|column| gather::take(column, groups)))).collect()
}

fn finished(states: Vec<Box<dyn State>>, context: &Context, count: usize) -> Result<Vec<Column>> {
    states.into_iter().map(|state| state.finish(context, count)).collect()
}

/// The groups for which the filters hold, in order, and their columns so far.
fn survivors(
    order: Vec<u32>,
    named: &dyn Fn(&[u32]) -> Columns,
    having: &[Expr],
    later: &[Step],
    context: &Context,
) -> Result<(Vec<u32>, Columns)> {
    let columns = named(&order);
    if having.is_empty() && later.is_empty() {
        return Ok((order, columns));
    }
    let names: Vec<Name> = columns.iter().map(|(n, _)| n.clone()).collect();
    let mut batch = Batch::of_columns(columns, order.len());
    let all: HashSet<Name> = names.iter().cloned().collect();
    let mut having = having.to_vec();
    having.sort_by_key(optimize::cost);
    filter(&mut batch, &having, &all, context)?;
    let mut live = all;
    live.extend(later.iter().flat_map(|s| if let Work::Apply(a) = &s.work { a.made() } else { Vec::new() }));
    let live = Arc::new(live);
    for step in later {
        if batch.rows() > 0 {
            batch = step.applied_with(batch, &live, context)?;
        }
    }
    let left: Vec<u32> = batch.ordinals().iter().map(|o| order[*o as usize]).collect();
    let columns = names.into_iter().map(|name| Ok((name.clone(), batch.column(&name)?))).collect::<Result<_>>()?;
    Ok((left, columns))
}

/// The costly calls, for the rows of the groups at `order` alone.
fn second_phase(
    executor: &Executor,
    summary: &Summary,
    second: &Second,
    mut kept: Vec<Kept>,
    order: &[u32],
    groups: usize,
) -> Result<Vec<Column>> {
    use rayon::prelude::*;
    const GONE: u32 = u32::MAX;
    let mut places = vec![GONE; groups];
    order.iter().enumerate().for_each(|(at, group)| places[*group as usize] = at as u32);
    let place = |group: u32| Some(places[group as usize]).filter(|place| *place != GONE);
    let context = executor.context;
    kept.sort_by_key(|k| k.first);
    let share = kept.len().div_ceil(executor.options.threads.max(1)).max(1);
    let part = |kept: &[Kept]| -> Result<Vec<Box<dyn State>>> {
        let mut states = summary.states(&second.calls)?;
        for kept in kept {
            context.check()?;
            second.update(summary, &mut states, kept, &place, order.len(), context)?;
        }
        Ok(states)
    };
    let parts: Vec<Result<Vec<Box<dyn State>>>> = match executor.options.threads {
        0 | 1 => vec![part(&kept)],
        _ => kept.par_chunks(share).map(part).collect(),
    };
    let every: Vec<u32> = (0..order.len() as u32).collect();
    let mut all = summary.states(&second.calls)?;
    for part in parts {
        for (own, theirs) in all.iter_mut().zip(part?) {
            own.merge(theirs, &every, order.len())?;
        }
    }
    finished(all, context, order.len())
}
