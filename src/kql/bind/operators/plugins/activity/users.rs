//! `active_users_count`: ids that come back often enough.
use super::super::Evaluation;
use super::Measure;
use super::bins::{Axis, Bins};
use super::counts::long;
use super::events::{Event, Events, Report};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::types::Kind;
use crate::types::intern::NULL;
use std::collections::{BTreeMap, HashMap, HashSet};

impl Binder<'_> {
    fn active_users_count(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let activity = self.activity(evaluation, evaluation.rest("Dimension"))?;
        let bins = self.evaluated_bins(evaluation, "Bin", activity.kind)?;
        let lookback = self.given(evaluation, "LookbackWindow")?;
        let lookback = self.width(lookback, activity.kind)?;
        let period = self.given(evaluation, "Period")?;
        let period = self.width(period, activity.kind)?;
        let least = self.given(evaluation, "ActivePeriodsCount")?;
        let least = self.setting(least, Kind::Long)?.and_then(|value| Axis(Kind::Long).of(&value)).unwrap_or(1);
        let least = usize::try_from(least).unwrap_or(0);
        Ok(self.measured(activity, &[("dcount", Kind::Long)], Active { bins, lookback, period, least }))
    }
}

#[derive(Debug)]
struct Active {
    bins: Bins,
    lookback: i128,
    period: i128,
    /// In how many periods an id must have come.
    least: usize,
}

impl Measure for Active {
    fn name(&self) -> &'static str {
        "active_users_count"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        for (slice, events) in events.slices() {
            let mut of_id: HashMap<u32, Vec<i128>> = HashMap::new();
            for Event { at, id } in events.iter().filter(|event| event.id != NULL && event.at <= self.bins.end) {
                of_id.entry(*id).or_default().push(*at);
            }
            let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
            for times in of_id.values() {
                context.check()?;
                for bin in self.active_bins(times) {
                    *counts.entry(bin).or_default() += 1;
                }
            }
            for (bin, count) in counts {
                report.row(&[self.bins.begin(bin)], slice, &[long(count)])?;
            }
        }
        Ok(())
    }
}

impl Active {
    /// The bins in which one id is active, by its times in order.
    fn active_bins(&self, times: &[i128]) -> HashSet<i64> {
        let period = |at: i128| (at - self.bins.start).div_euclid(self.period);
        let mut in_window: HashMap<i128, usize> = HashMap::new();
        let mut active = HashSet::new();
        let mut from = 0;
        for at in times {
            *in_window.entry(period(*at)).or_default() += 1;
            // The window ends with this time, and does not hold the one a whole window before it.
            while let Some(old) = times.get(from).filter(|old| **old <= at - self.lookback) {
                if let Some(count) = in_window.get_mut(&period(*old)) {
                    *count -= 1;
                    if *count == 0 {
                        in_window.remove(&period(*old));
                    }
                }
                from += 1;
            }
            if *at >= self.bins.start && in_window.len() >= self.least {
                active.insert(self.bins.bin(*at));
            }
        }
        active
    }
}

super::super::items! {
    /// Counts the ids in each bin of a timeline that came in enough periods before.
    ///
    /// A row counts when its id came in at least `ActivePeriodsCount` different periods of the lookback window, which
    /// ends with the row. Rows before `Start` count for the window alone. Bins without an active id are left out.
    ///
    /// Source: active-users-count-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long) [1, 1, 1, 2, 2, 2, 1, 9] | evaluate active_users_count(id, t, 1, 10, 5, 1, 2, 10) | project dcount // 1
    /// ```
    fn active_users_count(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        LookbackWindow: Constant,
        Period: Constant,
        ActivePeriodsCount: Constant,
        Bin: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.active_users_count(evaluation);
}
