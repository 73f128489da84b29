//! `new_activity_metrics`: what became of the ids that were new in each bin.
use super::super::Evaluation;
use super::bins::Bins;
use super::counts::{ids, long};
use super::events::{Events, Report, by_bin};
use super::{Measure, before_columns};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::ast::{Argument, ExpressionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value as Bound;
use crate::kql::bind::relation::{Relation, Row};
use crate::kql::bind::scope::Binding;
use crate::types::{Kind, Name, Value};
use std::collections::{HashMap, HashSet};

/// A table of ids that were seen before, and where it is named.
type Lookback<'a> = (Relation, &'a Argument);

impl Binder<'_> {
    fn new_activity_metrics(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let rest = evaluation.arguments().get(5..).unwrap_or_default();
        let (rest, lookback) = self.with_lookback(rest, evaluation.input)?;
        let (cohort, dimensions) = before_columns(rest, &evaluation.input.schema);
        let activity = self.activity(evaluation, dimensions)?;
        let bins = self.evaluated_bins(evaluation, "Window", activity.kind)?;
        let cohort = match cohort {
            [] => None,
            [cohort] => self.moment(cohort, activity.kind)?.map(|at| bins.bin(at)),
            [_, more, ..] => return Err(self.error("KS109", "Column name expected.", more.span)),
        };
        let known = match lookback {
            Some((table, argument)) => Some(self.known_ids(table, argument, &activity.id, &activity.rows)?),
            None => None,
        };
        let time = activity.time.clone();
        let times: [Name; 2] = [format!("from_{time}").into(), format!("to_{time}").into()];
        let measures = [
            ("dcount_new_values", Kind::Long),
            ("dcount_retained_values", Kind::Long),
            ("dcount_churn_values", Kind::Long),
            ("retention_rate", Kind::Real),
            ("churn_rate", Kind::Real),
        ];
        Ok(self.measured_beside(activity, known, &times, &measures, Cohorts { bins, cohort }))
    }

    /// The table at the end of the arguments, where one stands there, and the arguments before it.
    fn with_lookback<'a>(
        &mut self,
        arguments: &'a [Argument],
        rows: &Relation,
    ) -> Bind<(&'a [Argument], Option<Lookback<'a>>)> {
        let Some((last, before)) = arguments.split_last() else { return Ok((arguments, None)) };
        let tabular = match &last.value.kind {
            ExpressionKind::Pipeline(_) | ExpressionKind::Datatable(_) | ExpressionKind::Externaldata(_) => true,
            ExpressionKind::Name(name) if rows.schema.contains(&name.text) => false,
            ExpressionKind::Name(name) => match self.scopes.find(self.scope, &name.text) {
                Some(binding) => matches!(binding, Binding::Table(_)),
                None => self.names_a_table(&name.text, rows),
            },
            ExpressionKind::Call(_) => {
                let (value, _) = self.aside(|binder| binder.value(&last.value, &Row::default()));
                matches!(value, Ok(Bound::Table(_)))
            }
            _ => false,
        };
        if !tabular {
            return Ok((arguments, None));
        }
        Ok((before, Some((self.table(&last.value)?, last))))
    }

    /// The ids of the lookback's table: its column of the id's name.
    fn known_ids(&mut self, table: Relation, argument: &Argument, id: &Name, rows: &Relation) -> Bind<Relation> {
        let kind = rows.schema.kind(id).unwrap_or(Kind::Dynamic);
        let Some(own) = table.schema.kind(id) else {
            let known: Vec<Name> = table.schema.names().cloned().collect();
            return Err(self.unknown("KS142", "column", id, argument.span, known.iter().map(|n| &**n)));
        };
        let ids = self.converted(crate::expr::Expr::Column(id.clone(), own), kind, argument.span)?;
        Ok(self.project(&table, vec![(id.clone(), ids)]))
    }
}

#[derive(Debug)]
struct Cohorts {
    bins: Bins,
    /// The one cohort that is wanted.
    cohort: Option<i64>,
}

/// When an id was seen first: in a bin, or before the analysis.
type FirstSeen = HashMap<u32, Option<usize>>;

impl Measure for Cohorts {
    fn name(&self) -> &'static str {
        "new_activity_metrics"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        let count =
            self.bins.last().and_then(|last| usize::try_from(last).ok()).map_or(0, |last| last.saturating_add(1));
        if count.saturating_mul(count) / 2 > context.limits.rows {
            return Err(Fault::limit("rows", "'new_activity_metrics' would give a row for too many pairs of bins"));
        }
        for (slice, events_of) in events.slices() {
            let mut active: Vec<HashSet<u32>> = vec![HashSet::new(); count];
            let mut first: FirstSeen = events.known.iter().map(|id| (*id, None)).collect();
            for (bin, events) in by_bin(events_of, &self.bins) {
                context.check()?;
                let Ok(bin) = usize::try_from(bin) else { continue };
                let own = ids(events);
                own.iter().for_each(|id| {
                    first.entry(*id).or_insert(Some(bin));
                });
                if let Some(place) = active.get_mut(bin) {
                    *place = own;
                }
            }
            self.pairs(&active, &first, slice, report)?;
        }
        Ok(())
    }
}

/// Of the ids of one bin, by the bin they were seen in first: how many there are, and how many came after it.
struct Origins {
    first: Vec<usize>,
    later: Vec<usize>,
}

impl Origins {
    fn of(bin: usize, ids: &HashSet<u32>, first_seen: &FirstSeen) -> Origins {
        let mut first = vec![0; bin + 1];
        for seen in ids.iter().filter_map(|id| first_seen.get(id).copied().flatten()) {
            if let Some(count) = first.get_mut(seen) {
                *count += 1;
            }
        }
        let mut later = vec![0; bin + 1];
        let mut sum = 0;
        for (later, count) in later.iter_mut().zip(&first).rev() {
            *later = sum;
            sum += count;
        }
        Origins { first, later }
    }
}

impl Cohorts {
    /// The rows of all pairs of bins, or of those from the wanted cohort.
    fn pairs(&self, active: &[HashSet<u32>], first: &FirstSeen, slice: u32, report: &mut Report) -> Result<()> {
        let origins: Vec<Origins> = active.iter().enumerate().map(|(bin, ids)| Origins::of(bin, ids, first)).collect();
        let begin = |bin: usize| self.bins.begin(i64::try_from(bin).unwrap_or(i64::MAX));
        let wanted = |from: &usize| self.cohort.is_none_or(|cohort| usize::try_from(cohort) == Ok(*from));
        for from in (0..active.len()).filter(wanted) {
            let at = |counts: &[usize]| counts.get(from).copied().unwrap_or(0);
            let size = origins.get(from).map_or(0, |own| at(&own.first));
            for (to, own) in origins.iter().enumerate().skip(from) {
                let retained = at(&own.first);
                let fresh = if to == from { retained } else { at(&own.later) };
                let rate = |count: usize| Value::Real(count as f64 / size as f64);
                let churned = size - retained;
                let measures = [long(fresh), long(retained), long(churned), rate(retained), rate(churned)];
                report.row(&[begin(from), begin(to)], slice, &measures)?;
            }
        }
        Ok(())
    }
}

super::super::items! {
    /// For each bin of a timeline, its cohort: the ids that came in it first. For each bin from there on: how many ids
    /// of the cohort came (retained) and did not (churned), with both rates, and how many ids came that the cohort's
    /// bin and those before it did not have.
    ///
    /// `Cohort` names the one bin whose cohort is wanted. A table as the last argument holds ids, under the name of
    /// the id's column, that are not new in any bin. Rates are NaN where a cohort is empty.
    ///
    /// Source: new-activity-metrics-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long) [1, 1, 2, 1, 2, 2] | evaluate new_activity_metrics(id, t, 1, 2, 1) | where from_t == 1 and to_t == 2 | project retention_rate // 0.5
    /// ```
    fn new_activity_metrics(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        Window: Constant,
        Cohort_Dimension_Lookback[any]: Expression,
    ) = |binder, evaluation| binder.new_activity_metrics(evaluation);
}
