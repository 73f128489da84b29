//! `sequence_detect`: rows that meet one condition after the other.
use super::Evaluation;
use super::activity::{Axis, timeline_width};
use super::combinations::Combinations;
use crate::diagnostic::{Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::kql::ast::Argument;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::automatic;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Chunk, Column, Kind, Name, Schema, Stored, Table};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A step: its label, its hidden column, and what a row must meet.
type Condition = (String, Name, Expr);

impl Binder<'_> {
    fn sequence_detect(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (rows, time, kind) = self.with_timeline(evaluation, "TimelineColumn")?;
        let between = self.given(evaluation, "MaxSequenceStepWindow")?;
        let between = self.width_of(between, kind)?;
        let span = self.given(evaluation, "MaxSequenceSpan")?;
        let span = self.width_of(span, kind)?;
        let (steps, dimensions) = self.steps(evaluation.rest("Expr"), &rows)?;
        let dimensions = self.columns_of(dimensions, &rows)?;
        let mut schema = Schema::default();
        for (name, kind) in &dimensions {
            schema.set(schema.free_name(name), *kind);
        }
        for (label, _, _) in &steps {
            schema.set(schema.free_name(&format!("{label}_{time}")), kind);
        }
        schema.set(schema.free_name("Duration"), timeline_width(kind));
        let rows = self.extend(&rows, steps.iter().map(|(_, name, step)| (name.clone(), step.clone())).collect());
        let operation = Arc::new(Detect {
            time,
            axis: Axis(kind),
            between,
            span,
            steps: steps.into_iter().map(|(_, name, _)| name).collect(),
            dimensions: dimensions.into_iter().map(|(name, _)| name).collect(),
            schema: schema.clone(),
        });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }

    /// The conditions at the beginning of the arguments, with their labels and hidden columns, and the rest. The first
    /// argument is a condition; those behind it are while they are bool.
    fn steps<'a>(&mut self, arguments: &'a [Argument], rows: &Relation) -> Bind<(Vec<Condition>, &'a [Argument])> {
        let mut steps: Vec<Condition> = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            let bound = self.scalar(&argument.value, &Row::of(rows))?;
            let step = match bound.kind() {
                Kind::Bool => bound,
                _ if at == 0 => self.condition(bound, argument.span)?,
                _ => return Ok((steps, arguments.get(at..).unwrap_or_default())),
            };
            let written = argument.name.as_ref().map(|name| name.text.clone());
            let label = written.or_else(|| automatic(&argument.value)).unwrap_or_else(|| format!("Expr{}", at + 1));
            steps.push((label, self.hidden("step"), step));
        }
        Ok((steps, &[]))
    }

    /// A distance on the timeline, from 0 on.
    fn width_of(&mut self, argument: &Argument, kind: Kind) -> Bind<i128> {
        let kind = timeline_width(kind);
        match self.setting(argument, kind)? {
            None => Ok(0),
            Some(value) => match Axis(kind).of(&value).filter(|width| *width >= 0) {
                Some(width) => Ok(width),
                None => Err(self.error("HP126", "The width must not be negative.", argument.span)),
            },
        }
    }
}

#[derive(Debug)]
struct Detect {
    time: Name,
    axis: Axis,
    /// The most that may lie between two steps.
    between: i128,
    /// The most that may lie between the first step and the last.
    span: i128,
    steps: Vec<Name>,
    dimensions: Vec<Name>,
    schema: Schema,
}

impl TableOperation for Detect {
    fn name(&self) -> &str {
        "sequence_detect"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some(std::iter::once(&self.time).chain(&self.steps).chain(&self.dimensions).cloned().collect())
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to search"))?;
        let lost = || Fault::internal("a column is gone");
        let columns = |names: &[Name]| names.iter().map(|n| table.column_named(n)).collect::<Option<Vec<Column>>>();
        let (steps, sides) = columns(&self.steps).zip(columns(&self.dimensions)).ok_or_else(lost)?;
        let times = table.column_named(&self.time).ok_or_else(lost)?;
        let slices = Combinations::of(&sides, table.rows());
        let mut found: BTreeSet<(u32, Vec<i128>)> = BTreeSet::new();
        for (slice, rows) in (0u32..).zip(self.in_order(&times, &slices)) {
            self.sequences(context, &rows, &steps, &mut |sequence| {
                found.insert((slice, sequence.to_vec()));
                found.len() <= context.limits.rows
            })?;
        }
        let of_slice: Vec<u32> = found.iter().map(|(slice, _)| *slice).collect();
        let sides = sides.iter().map(|column| slices.values(column, &of_slice));
        let at_step = (0..steps.len()).map(|step| {
            let mut builder = Builder::new(self.axis.0, found.len());
            let times = found.iter().filter_map(|(_, times)| times.get(step));
            times.for_each(|at| builder.push(&self.axis.value(*at)));
            builder.finish()
        });
        let width = Axis(timeline_width(self.axis.0));
        let mut durations = Builder::new(width.0, found.len());
        for (first, last) in found.iter().filter_map(|(_, times)| times.first().zip(times.last())) {
            durations.push(&width.value(last - first));
        }
        let columns = sides.chain(at_step).chain([durations.finish()]).map(Stored::Column).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: found.len(), columns }]))
    }
}

/// A row and its time.
type Timed = (i128, usize);

/// Takes a whole sequence's times; false where there are too many.
type Found<'f> = dyn FnMut(&[i128]) -> bool + 'f;

impl Detect {
    /// The rows of each slice in order of time.
    fn in_order(&self, times: &Column, slices: &Combinations) -> Vec<Vec<Timed>> {
        let mut rows: Vec<Vec<Timed>> = vec![Vec::new(); slices.len()];
        for (row, slice) in slices.of_rows.iter().enumerate() {
            if let (Some(at), Some(rows)) = (self.axis.of(&times.value(row)), rows.get_mut(*slice as usize)) {
                rows.push((at, row));
            }
        }
        rows.iter_mut().for_each(|rows| rows.sort_by_key(|(at, _)| *at));
        rows
    }

    /// Every sequence of a slice: for each step a row behind that of the step before.
    fn sequences(&self, context: &Context, rows: &[Timed], steps: &[Column], found: &mut Found) -> Result<()> {
        let meets = |step: &Column, row: usize| step.value(row).as_bool() == Some(true);
        // Of each step, the places in `rows` that meet it.
        let places: Vec<Vec<usize>> = steps
            .iter()
            .map(|step| (0..rows.len()).filter(|at| rows.get(*at).is_some_and(|(_, row)| meets(step, *row))).collect())
            .collect();
        let time = |place: usize| rows.get(place).map_or(0, |(at, _)| *at);
        let mut chosen: Vec<usize> = Vec::new();
        // What is still to be tried, for each step that is being chosen.
        let mut open: Vec<std::slice::Iter<'_, usize>> = places.first().map(|first| first.iter()).into_iter().collect();
        let mut work = 0usize;
        while let Some(candidates) = open.last_mut() {
            work += 1;
            if work.is_multiple_of(4096) {
                context.check()?;
            }
            let Some(&place) = candidates.next() else {
                open.pop();
                chosen.pop();
                continue;
            };
            let late = chosen.last().is_some_and(|before| time(place) - time(*before) > self.between)
                || chosen.first().is_some_and(|first| time(place) - time(*first) > self.span);
            if late {
                open.pop();
                chosen.pop();
                continue;
            }
            chosen.push(place);
            if let Some(next) = places.get(chosen.len()) {
                let behind = next.partition_point(|other| *other <= place);
                open.push(next.get(behind..).unwrap_or_default().iter());
                continue;
            }
            let times: Vec<i128> = chosen.iter().map(|place| time(*place)).collect();
            chosen.pop();
            if !found(&times) {
                return Err(Fault::limit("rows", "'sequence_detect' finds too many sequences"));
            }
        }
        Ok(())
    }
}

super::items! {
    /// Finds sequences: a row that meets the first condition, a later one that meets the second, and so on.
    ///
    /// Two steps may lie at most `MaxSequenceStepWindow` apart, the first and the last at most `MaxSequenceSpan`. Each
    /// condition gives a column with the time of its row, called by the condition's name and the timeline; each
    /// combination of the dimensions is searched by itself. Sequences of equal times are given once.
    ///
    /// Source: sequence-detect-plugin.
    ///
    /// ```kql
    /// datatable(t: long, e: string) [1, "a", 3, "b", 9, "b"] | evaluate sequence_detect(t, 5, 5, first = (e == "a"), then = (e == "b")) | project Duration // 2
    /// ```
    fn sequence_detect(
        TimelineColumn: Column,
        MaxSequenceStepWindow: Constant,
        MaxSequenceSpan: Constant,
        Expr[repeats]: Condition,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.sequence_detect(evaluation);
}
