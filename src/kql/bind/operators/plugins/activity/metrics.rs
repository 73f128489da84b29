//! `activity_metrics`, `activity_engagement`: each bin of a timeline beside the one before it, or a longer window.
use super::super::Evaluation;
use super::bins::{Axis, Bins, Step};
use super::counts::{Window, ids, long};
use super::events::{Events, Report, between, by_bin};
use super::{Activity, Measure, before_columns};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::kql::ast::Argument;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::types::{Kind, Value};
use std::collections::HashSet;

/// The range of an analysis that may leave its ends to the data.
#[derive(Debug)]
struct Range {
    axis: Axis,
    ends: Option<(i128, i128)>,
    step: Step,
}

impl Range {
    /// The bins; none where there is no event to give an end.
    fn bins(&self, events: &Events) -> Option<Bins> {
        let (start, end) = self.ends.or_else(|| events.ends())?;
        Some(Bins { axis: self.axis, start, end, step: self.step })
    }
}

impl Binder<'_> {
    fn activity_metrics(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (activity, constants) = self.with_constants(evaluation)?;
        let (ends, step) = match constants {
            [step] => (None, step),
            [start, end, step] => (Some((start, end)), step),
            _ => return Err(self.wrong_constants(evaluation, "Start, End and Window, or Window alone")),
        };
        let range = self.range_of(ends, step, activity.kind)?;
        let measures = [
            ("dcount_values", Kind::Long),
            ("dcount_newvalues", Kind::Long),
            ("retention_rate", Kind::Real),
            ("churn_rate", Kind::Real),
        ];
        Ok(self.measured(activity, &measures, Metrics(range)))
    }

    fn activity_engagement(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (activity, constants) = self.with_constants(evaluation)?;
        let (ends, inner, outer) = match constants {
            [inner, outer] => (None, inner, outer),
            [start, end, inner, outer] => (Some((start, end)), inner, outer),
            _ => return Err(self.wrong_constants(evaluation, "Start, End and two windows, or two windows alone")),
        };
        let range = self.range_of(ends, inner, activity.kind)?;
        let outer = self.width(outer, activity.kind)?;
        let measures = [
            ("dcount_activities_inner", Kind::Long),
            ("dcount_activities_outer", Kind::Long),
            ("activity_ratio", Kind::Real),
        ];
        Ok(self.measured(activity, &measures, Engagement { range, outer }))
    }

    /// Id and timeline, the constants behind them, and the dimensions behind those.
    fn with_constants<'e>(&mut self, evaluation: &Evaluation<'e>) -> Bind<(Activity, &'e [Argument])> {
        let rest = evaluation.arguments().get(2..).unwrap_or_default();
        let (constants, dimensions) = before_columns(rest, &evaluation.input.schema);
        Ok((self.activity(evaluation, dimensions)?, constants))
    }

    fn wrong_constants(&mut self, evaluation: &Evaluation, wanted: &str) -> crate::kql::bind::Reported {
        let message = format!("The plugin '{}' expects {wanted} behind the timeline.", evaluation.plugin.name);
        self.error("KS119", message, evaluation.call.name.span)
    }

    fn range_of(&mut self, ends: Option<(&Argument, &Argument)>, step: &Argument, kind: Kind) -> Bind<Range> {
        let ends = match ends {
            None => None,
            Some((start, end)) => Some((self.moment(start, kind)?.unwrap_or(0), self.moment(end, kind)?.unwrap_or(-1))),
        };
        Ok(Range { axis: Axis(kind), ends, step: self.step(step, kind)? })
    }
}

#[derive(Debug)]
struct Metrics(Range);

impl Measure for Metrics {
    fn name(&self) -> &'static str {
        "activity_metrics"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        let Some(bins) = self.0.bins(events) else { return Ok(()) };
        for (slice, events) in events.slices() {
            let mut before: (i64, HashSet<u32>) = (i64::MIN, HashSet::new());
            for (bin, events) in by_bin(events, &bins) {
                context.check()?;
                let own = ids(events);
                let known = if before.0.checked_add(1) == Some(bin) { before.1 } else { HashSet::new() };
                let retained = own.intersection(&known).count();
                // Over nothing both rates are NaN.
                let rate = |count: usize| Value::Real(count as f64 / known.len() as f64);
                let (kept, lost) = (rate(retained), rate(known.len() - retained));
                let measures = [long(own.len()), long(own.len() - retained), kept, lost];
                report.row(&[bins.begin(bin)], slice, &measures)?;
                before = (bin, own);
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Engagement {
    range: Range,
    outer: i128,
}

impl Measure for Engagement {
    fn name(&self) -> &'static str {
        "activity_engagement"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        let Some(bins) = self.range.bins(events) else { return Ok(()) };
        for (slice, events) in events.slices() {
            let mut window = Window::over(between(events, i128::MIN, bins.end));
            for (bin, inner) in by_bin(events, &bins) {
                context.check()?;
                let end = bins.begin(bin.saturating_add(1));
                let outer = window.moved(end - self.outer, end).distinct();
                let inner = ids(inner).len();
                let ratio = Value::Real(inner as f64 / outer as f64);
                report.row(&[bins.begin(bin)], slice, &[long(inner), long(outer), ratio])?;
            }
        }
        Ok(())
    }
}

super::super::items! {
    /// For each bin of a timeline: distinct ids, those that the bin before did not have, and the rates of the ids of
    /// the bin before that came again (retention) and that did not (churn).
    ///
    /// `Start` and `End` may be left out together: the rows' own ends count then. `Window` may be `week`, `month` or
    /// `year`. Both rates are NaN where the bin before has no id.
    ///
    /// Source: activity-metrics-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long) [1, 1, 2, 1, 2, 2] | evaluate activity_metrics(id, t, 1, 2, 1) | top 1 by t | project retention_rate // 0.5
    /// ```
    fn activity_metrics(
        IdColumn: Column,
        TimelineColumn: Column,
        Window: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.activity_metrics(evaluation);

    /// For each bin of a timeline: distinct ids in it, distinct ids in the longer window that ends with it, and the
    /// ratio of both.
    ///
    /// `Start` and `End` stand before the two windows, and may be left out together.
    ///
    /// Source: activity-engagement-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long) [1, 1, 2, 1, 2, 2] | evaluate activity_engagement(id, t, 1, 2, 1, 7) | top 1 by t | project activity_ratio // 0.5
    /// ```
    fn activity_engagement(
        IdColumn: Column,
        TimelineColumn: Column,
        InnerActivityWindow: Constant,
        OuterActivityWindow: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.activity_engagement(evaluation);
}
