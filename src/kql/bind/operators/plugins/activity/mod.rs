//! Plugins over who did something when: counts of ids in the bins of a timeline, for each combination of dimensions.
mod bins;
mod cohorts;
mod counts;
mod events;
mod metrics;
mod users;

pub(super) use bins::{Axis, Bins, timeline_width};
pub(super) use cohorts::ITEMS as COHORTS;
pub(super) use counts::ITEMS as COUNTS;
pub(super) use metrics::ITEMS as METRICS;
pub(super) use users::ITEMS as USERS;

use super::Evaluation;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::ast::{Argument, ExpressionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Open, Relation};
use crate::plan::{Node, TableOperation};
use crate::types::{Kind, Name, Schema, Table};
use bins::Step;
use events::{Events, Report};
use std::sync::Arc;

/// What all plugins of the family read: who, when, and what slices the rows.
#[derive(Debug)]
pub(super) struct Activity {
    rows: Relation,
    id: Name,
    time: Name,
    kind: Kind,
    dimensions: Vec<(Name, Kind)>,
}

/// What a plugin computes of the events.
trait Measure: std::fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()>;
}

impl Binder<'_> {
    /// The rows with a column as a timeline, its name and its kind; a dynamic one is read as datetimes.
    pub(super) fn with_timeline(&mut self, evaluation: &Evaluation, name: &str) -> Bind<(Relation, Name, Kind)> {
        let (time, kind) = self.column_argument(evaluation, name)?;
        match kind {
            Kind::Int | Kind::Long | Kind::Real | Kind::DateTime | Kind::TimeSpan => {
                Ok((evaluation.input.clone(), time, kind))
            }
            Kind::Dynamic => {
                let place = self.place_of(evaluation, name);
                let own = crate::expr::Expr::Column(time.clone(), kind);
                let read = self.converted(own, Kind::DateTime, place)?;
                let rows = self.extend(evaluation.input, vec![(time.clone(), read)]);
                Ok((rows, time, Kind::DateTime))
            }
            _ => {
                let place = self.place_of(evaluation, name);
                Err(self.error("KS107", "A column of numbers, datetimes or timespans expected.", place))
            }
        }
    }

    /// Id and timeline, and the columns among `arguments` as dimensions.
    fn activity(&mut self, evaluation: &Evaluation, dimensions: &[Argument]) -> Bind<Activity> {
        let (id, _) = self.column_argument(evaluation, "IdColumn")?;
        let (rows, time, kind) = self.with_timeline(evaluation, "TimelineColumn")?;
        let dimensions = self.columns_of(dimensions, &rows)?;
        Ok(Activity { rows, id, time, kind, dimensions })
    }

    /// The point of a timeline that an argument names; none where only a run can tell it.
    fn moment(&mut self, argument: &Argument, kind: Kind) -> Bind<Option<i128>> {
        Ok(self.setting(argument, kind)?.and_then(|value| Axis(kind).of(&value)))
    }

    /// The width that an argument names, at least 1.
    pub(super) fn width(&mut self, argument: &Argument, kind: Kind) -> Bind<i128> {
        let kind = timeline_width(kind);
        match self.setting(argument, kind)?.and_then(|value| Axis(kind).of(&value)) {
            Some(width) if width > 0 => Ok(width),
            None => Ok(i128::from(i64::MAX)),
            Some(_) => Err(self.error("HP126", "The width must be positive.", argument.span)),
        }
    }

    /// The width of bins: a value, or `week`, `month`, `year`.
    fn step(&mut self, argument: &Argument, kind: Kind) -> Bind<Step> {
        let value = self.value_of(argument)?;
        let calendar =
            value.as_ref().and_then(|v| v.as_text()).and_then(bins::calendar).filter(|_| kind == Kind::DateTime);
        match calendar {
            Some(part) => Ok(Step::Part(part)),
            None => Ok(Step::Width(self.width(argument, kind)?)),
        }
    }

    /// The bins between the arguments `Start` and `End`, both of which count.
    pub(super) fn evaluated_bins(&mut self, evaluation: &Evaluation, step: &str, kind: Kind) -> Bind<Bins> {
        let (start, end) = (self.given(evaluation, "Start")?, self.given(evaluation, "End")?);
        let (start, end) = (self.moment(start, kind)?, self.moment(end, kind)?);
        let step = self.given(evaluation, step)?;
        Ok(Bins { axis: Axis(kind), start: start.unwrap_or(0), end: end.unwrap_or(-1), step: self.step(step, kind)? })
    }

    /// The rows that a measure gives: the timeline, the dimensions, what is measured.
    fn measured(&mut self, activity: Activity, measures: &[(&str, Kind)], measure: impl Measure + 'static) -> Relation {
        let times = [activity.time.clone()];
        self.measured_beside(activity, None, &times, measures, measure)
    }

    /// The same with points of the timeline under other names, and with a table of ids that are known before.
    fn measured_beside(
        &mut self,
        activity: Activity,
        known: Option<Relation>,
        times: &[Name],
        measures: &[(&str, Kind)],
        measure: impl Measure + 'static,
    ) -> Relation {
        let schema = report_schema(&activity, times, measures);
        let Activity { rows, id, time, kind, dimensions } = activity;
        let operation = Arc::new(Measured {
            id,
            time,
            axis: Axis(kind),
            dimensions: dimensions.into_iter().map(|(name, _)| name).collect(),
            times: times.len(),
            measure: Box::new(measure),
            schema: schema.clone(),
        });
        let inputs = std::iter::once(rows.node).chain(known.map(|known| known.node)).collect();
        let mut out = self.over(&rows, Node::Table { inputs, operation }, schema);
        out.open = Open::Closed;
        out
    }
}

fn report_schema(activity: &Activity, times: &[Name], measures: &[(&str, Kind)]) -> Schema {
    let mut schema = Schema::default();
    for time in times {
        schema.set(schema.free_name(time), activity.kind);
    }
    for (name, kind) in &activity.dimensions {
        schema.set(schema.free_name(name), *kind);
    }
    for (name, kind) in measures {
        schema.set(schema.free_name(name), *kind);
    }
    schema
}

/// Splits arguments where the first column stands: constants, then dimensions.
fn before_columns<'a>(arguments: &'a [Argument], schema: &Schema) -> (&'a [Argument], &'a [Argument]) {
    let is_column = |a: &Argument| matches!(&a.value.kind, ExpressionKind::Name(name) if schema.contains(&name.text));
    let place = arguments.iter().position(is_column).unwrap_or(arguments.len());
    arguments.split_at(place)
}

#[derive(Debug)]
struct Measured {
    id: Name,
    time: Name,
    axis: Axis,
    dimensions: Vec<Name>,
    /// How many columns of the result are points of the timeline.
    times: usize,
    measure: Box<dyn Measure>,
    schema: Schema,
}

impl TableOperation for Measured {
    fn name(&self) -> &str {
        self.measure.name()
    }

    /// The second input holds the known ids alone.
    fn reads(&self, at: usize) -> Option<Vec<Name>> {
        let own = || [&self.id, &self.time].into_iter().chain(&self.dimensions).cloned().collect();
        (at == 0).then(own)
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to measure"))?;
        let lost = || Fault::internal("a column is gone");
        let dimensions = self.dimensions.iter().map(|name| table.column_named(name)).collect::<Option<Vec<_>>>();
        let dimensions = dimensions.ok_or_else(lost)?;
        let ids = table.column_named(&self.id).ok_or_else(lost)?;
        let times = table.column_named(&self.time).ok_or_else(lost)?;
        let known = inputs.get(1).map(|table| table.column(0));
        let events = Events::of(self.axis, &ids, &times, known.as_ref(), dimensions, context)?;
        let mut report = Report::new(self.axis, &self.schema, self.times, context);
        self.measure.measure(context, &events, &mut report)?;
        Ok(report.finish(&events))
    }
}
