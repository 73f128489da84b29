//! `funnel_sequence`, `funnel_sequence_completion`: sequences of states that ids go through.
use super::activity::{Axis, Bins, timeline_width};
use super::{Evaluation, items};
use crate::diagnostic::{Fault, Result};
use crate::expr::Expr;
use crate::functions::{Context, Dialect, aggregates};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::convert::constant_to;
use crate::kql::bind::operators::summarize::Aggregation;
use crate::kql::bind::relation::Relation;
use crate::kql::bind::{Bind, Reported};
use crate::plan::{AggregateCall, Node, TableOperation};
use crate::types::intern::{Interner, NULL};
use crate::types::{Builder, Chunk, Column, Dynamic, Kind, Name, Schema, Stored, Table, Value, gather};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most ids that are given as samples.
const SAMPLES: i64 = 128;

impl Binder<'_> {
    /// The transitions into and out of the sequence, counted three times.
    fn funnel_sequence(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (rows, states) = self.states(evaluation, "Step")?;
        let between = self.given(evaluation, "MaxSequenceStepWindow")?;
        let between = self.width(between, states.bins.axis.0)?;
        let schema: Schema = [
            (states.time.clone(), states.bins.axis.0),
            ("prev".into(), states.kind),
            ("next".into(), states.kind),
            ("$id".into(), states.id_kind),
        ]
        .into_iter()
        .collect();
        let keys: Vec<Name> = schema.names().take(3).cloned().collect();
        let operation = Arc::new(Transitions { states, between, schema: schema.clone() });
        let found = self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema);
        let [time, prev, next] = keys.as_slice() else { return Err(Reported) };
        let both = self.counted_ids(&found, &[time, prev, next])?;
        let before = self.counted_ids(&found, &[time, prev])?;
        let after = self.counted_ids(&found, &[time, next])?;
        Ok(Relation { others: vec![before, after], ..both })
    }

    /// The distinct ids for each combination of the keys, and some of them.
    fn counted_ids(&mut self, found: &Relation, keys: &[&Name]) -> Bind<Relation> {
        let kind = |name: &Name| found.schema.kind(name).unwrap_or(Kind::Dynamic);
        let id: Name = "$id".into();
        let id = Expr::Column(id.clone(), kind(&id));
        let by: Vec<(Name, Expr)> =
            keys.iter().map(|&name| (name.clone(), Expr::Column(name.clone(), kind(name)))).collect();
        let mut made = Aggregation { columns: by.clone(), by, ..Aggregation::default() };
        let most = Expr::Const(Value::Long(SAMPLES));
        for (name, function, arguments, kind) in [
            ("dcount", "dcount", vec![id.clone()], Kind::Long),
            ("samples", "make_set", vec![id.clone(), most], Kind::Dynamic),
        ] {
            let function = aggregates::find(Dialect::Kql, function).ok_or(Reported)?;
            made.calls.push((name.into(), AggregateCall { function, arguments, condition: None, kind }));
            made.columns.push((name.into(), Expr::Column(name.into(), kind)));
        }
        Ok(self.aggregated(found, made))
    }

    fn funnel_sequence_completion(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (rows, states) = self.states(evaluation, "BinSize")?;
        let width = timeline_width(states.bins.axis.0);
        let periods = self.elements(evaluation, "MaxSequenceStepWindows", width)?;
        let periods: Vec<i128> = periods.iter().filter_map(|period| Axis(width).of(period)).collect();
        let schema: Schema = [
            (states.time.clone(), states.bins.axis.0),
            (states.state.clone(), Kind::String),
            ("Period".into(), width),
            ("dcount".into(), Kind::Long),
        ]
        .into_iter()
        .collect();
        let operation = Arc::new(Completion { states, periods, schema: schema.clone() });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }

    /// What both plugins read.
    fn states(&mut self, evaluation: &Evaluation, step: &str) -> Bind<(Relation, States)> {
        let (id, id_kind) = self.column_argument(evaluation, "IdColumn")?;
        let (state, kind) = self.column_argument(evaluation, "StateColumn")?;
        let (rows, time, time_kind) = self.with_timeline(evaluation, "TimelineColumn")?;
        let bins = self.evaluated_bins(evaluation, step, time_kind)?;
        let sequence = self.elements(evaluation, "Sequence", kind)?;
        Ok((rows, States { id, id_kind, time, bins, state, kind, sequence }))
    }

    /// The elements of an array that an argument names, each as `kind`.
    fn elements(&mut self, evaluation: &Evaluation, name: &str, kind: Kind) -> Bind<Vec<Value>> {
        let argument = self.given(evaluation, name)?;
        let Some(array) = self.value_of(argument)? else { return Ok(Vec::new()) };
        let column = Column::Const(array, 1);
        let elements = Dynamic::of(&column, 0).and_then(Dynamic::elements).unwrap_or_default();
        let fitted: Vec<Value> = elements.iter().map(|element| constant_to(element, kind)).collect();
        match fitted.is_empty() || fitted.iter().any(Value::is_null) {
            true => Err(self.error("HP126", format!("'{name}' must be an array of {kind} values."), argument.span)),
            false => Ok(fitted),
        }
    }
}

/// What both plugins read: ids, their states over time, and the states that are looked for.
#[derive(Clone, Debug)]
struct States {
    id: Name,
    id_kind: Kind,
    time: Name,
    bins: Bins,
    state: Name,
    kind: Kind,
    sequence: Vec<Value>,
}

/// An id came into a state.
#[derive(Clone, Copy)]
struct Entry {
    at: i128,
    state: u32,
    row: u32,
}

/// The entries of each id, in order of time, and the numbers of the sequence's states.
struct Entries {
    of_ids: Vec<Vec<Entry>>,
    sequence: Vec<u32>,
}

impl States {
    fn reads(&self) -> Vec<Name> {
        vec![self.id.clone(), self.time.clone(), self.state.clone()]
    }

    /// The entries inside the analysis' range.
    fn entries(&self, table: &Table, context: &Context) -> Result<Entries> {
        let column = |name: &Name| table.column_named(name).ok_or_else(|| Fault::internal("a column is gone"));
        let (ids, times, states) = (column(&self.id)?, column(&self.time)?, column(&self.state)?);
        let mut interner = Interner::new(states.kind());
        let states = interner.numbers(&states);
        let sequence = self.sequence.iter().map(|state| interner.number(state)).collect();
        let mut known = Interner::new(ids.kind());
        let ids = known.numbers(&ids);
        let mut of_ids: Vec<Vec<Entry>> = vec![Vec::new(); known.len()];
        for ((row, id), state) in (0u32..).zip(ids).zip(states) {
            let at = self.bins.axis.of(&times.value(row as usize)).filter(|at| self.bins.holds(*at));
            if let (Some(at), Some(entries)) = (at, of_ids.get_mut(id as usize).filter(|_| id != NULL)) {
                entries.push(Entry { at, state, row });
            }
        }
        context.check()?;
        of_ids.iter_mut().for_each(|entries| entries.sort_by_key(|entry| entry.at));
        Ok(Entries { of_ids, sequence })
    }
}

/// Each way an id went through the sequence, with the state before it and the state after it.
#[derive(Debug)]
struct Transitions {
    states: States,
    /// The most that may lie between two steps.
    between: i128,
    schema: Schema,
}

/// A stay in one state.
#[derive(Clone, Copy)]
struct Stay {
    first: Entry,
    last: i128,
}

impl TableOperation for Transitions {
    fn name(&self) -> &str {
        "funnel_sequence"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some(self.states.reads())
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to search"))?;
        let entries = self.states.entries(table, context)?;
        // A row behind the last one stands for no state.
        let nothing = u32::try_from(table.rows()).unwrap_or(u32::MAX);
        let bins = &self.states.bins;
        let mut times = Builder::new(bins.axis.0, 0);
        let (mut prev, mut next, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for entries_of_id in &entries.of_ids {
            context.check()?;
            let stays = stays(entries_of_id, &entries.sequence);
            for (at, window) in stays.windows(entries.sequence.len().max(1)).enumerate() {
                let Some(first) = window.first().filter(|_| self.matches(window, &entries.sequence)) else { continue };
                let row_of = |place: Option<usize>| place.and_then(|p| stays.get(p)).map_or(nothing, |s| s.first.row);
                times.push(&bins.axis.value(bins.begin(bins.bin(first.first.at))));
                prev.push(row_of(at.checked_sub(1)));
                next.push(row_of(Some(at + window.len())));
                ids.push(first.first.row);
            }
            if ids.len() > context.limits.rows {
                return Err(Fault::limit("rows", "'funnel_sequence' finds too many sequences"));
            }
        }
        let lost = || Fault::internal("a column is gone");
        let states = table.column_named(&self.states.state).ok_or_else(lost)?;
        let null = Column::nulls(states.kind(), 1).materialized();
        let states = gather::concat(&[states.without_lists(), null]).ok_or_else(lost)?;
        let id = gather::take(&table.column_named(&self.states.id).ok_or_else(lost)?, &ids);
        let columns = [times.finish(), gather::take(&states, &prev), gather::take(&states, &next), id];
        let columns = columns.into_iter().map(Stored::Column).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: ids.len(), columns }]))
    }
}

impl Transitions {
    fn matches(&self, window: &[Stay], sequence: &[u32]) -> bool {
        let same = window.iter().map(|stay| stay.first.state).eq(sequence.iter().copied());
        same && window.windows(2).all(|pair| match pair {
            [before, after] => after.first.at - before.last <= self.between,
            _ => true,
        })
    }
}

/// Entries as stays: entries into the same state, one behind the other, are one stay, unless the sequence itself
/// repeats a state.
fn stays(entries: &[Entry], sequence: &[u32]) -> Vec<Stay> {
    let repeats = sequence.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    let mut stays: Vec<Stay> = Vec::new();
    for entry in entries {
        match stays.last_mut().filter(|stay| !repeats && stay.first.state == entry.state) {
            Some(stay) => stay.last = entry.at,
            None => stays.push(Stay { first: *entry, last: entry.at }),
        }
    }
    stays
}

/// How many ids came how far in the sequence, within how much time.
#[derive(Debug)]
struct Completion {
    states: States,
    periods: Vec<i128>,
    schema: Schema,
}

impl TableOperation for Completion {
    fn name(&self) -> &str {
        "funnel_sequence_completion"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some(self.states.reads())
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to search"))?;
        let entries = self.states.entries(table, context)?;
        let bins = &self.states.bins;
        // By bin, period and step.
        let mut counts: BTreeMap<(i64, usize, usize), i64> = BTreeMap::new();
        for entries_of_id in &entries.of_ids {
            for chunk in entries_of_id.chunk_by(|a, b| bins.bin(a.at) == bins.bin(b.at)) {
                context.check()?;
                let Some(bin) = chunk.first().map(|entry| bins.bin(entry.at)) else { continue };
                let reached = reached(chunk, &entries.sequence);
                for (period, most) in self.periods.iter().enumerate() {
                    for (step, _) in reached.iter().enumerate().filter(|(_, took)| took.is_some_and(|t| t <= *most)) {
                        *counts.entry((bin, period, step)).or_default() += 1;
                    }
                }
            }
        }
        let width = Axis(timeline_width(bins.axis.0));
        let rows = counts.into_iter().map(|((bin, period, step), count)| {
            let state = self.states.sequence.get(step).map_or_else(String::new, Value::to_text);
            let period = self.periods.get(period).copied().unwrap_or(0);
            vec![bins.axis.value(bins.begin(bin)), Value::string(state), width.value(period), Value::Long(count)]
        });
        let rows: Vec<Vec<Value>> = rows.collect();
        Ok(Table::from_rows(self.schema.clone(), &rows))
    }
}

/// The shortest time from the first step to each step; none for a step that is not reached.
fn reached(entries: &[Entry], sequence: &[u32]) -> Vec<Option<i128>> {
    let mut shortest: Vec<Option<i128>> = vec![None; sequence.len()];
    // For each step, when the first step was of the latest way that came so far.
    let mut begun: Vec<Option<i128>> = vec![None; sequence.len()];
    for entry in entries {
        // From the last step to the first, so that one entry is one step of a way.
        for step in (0..sequence.len()).rev().filter(|step| sequence.get(*step) == Some(&entry.state)) {
            let start = match step.checked_sub(1) {
                None => Some(entry.at),
                Some(before) => begun.get(before).copied().flatten(),
            };
            let (Some(start), Some(begun), Some(shortest)) = (start, begun.get_mut(step), shortest.get_mut(step))
            else {
                continue;
            };
            *begun = (*begun).max(Some(start));
            let took = entry.at - start;
            *shortest = Some(shortest.map_or(took, |known| known.min(took)));
        }
    }
    shortest
}

items! {
    /// Finds the ids that go through a sequence of states, and counts what came before and after it. Gives three
    /// results: by the states before and after, by the state before, by the state after. No operator may follow.
    ///
    /// States follow each other at most `MaxSequenceStepWindow` apart; coming into the same state again is no new
    /// step. `Step` is the width of the bins in which sequences are counted, by their first state. `prev` and `next`
    /// are empty where there is no such state. `samples` holds up to 128 ids.
    ///
    /// Source: funnel-sequence-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long, s: string) [1, 1, "a", 1, 2, "b", 1, 3, "c"] | evaluate funnel_sequence(id, t, 1, 9, 5, 10, s, dynamic(["b"])) // 1
    /// ```
    fn funnel_sequence(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        MaxSequenceStepWindow: Constant,
        Step: Constant,
        StateColumn: Column,
        Sequence: Constant,
    ) = |binder, evaluation| binder.funnel_sequence(evaluation);

    /// Counts, for each step of a sequence of states, the ids that reach it within each of some periods.
    ///
    /// A period is counted from the first step; other states may lie between. Each bin of the timeline is looked at by
    /// itself. Steps that no id reaches are left out.
    ///
    /// Source: funnel-sequence-completion-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long, s: string) [1, 1, "a", 1, 2, "b", 2, 3, "a"] | evaluate funnel_sequence_completion(id, t, 1, 9, 10, s, dynamic(["a", "b"]), dynamic([5])) | where s == "a" | project dcount // 2
    /// ```
    fn funnel_sequence_completion(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        BinSize: Constant,
        StateColumn: Column,
        Sequence: Constant,
        MaxSequenceStepWindows: Constant,
    ) = |binder, evaluation| binder.funnel_sequence_completion(evaluation);
}
