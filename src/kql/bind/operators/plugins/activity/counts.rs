//! `activity_counts_metrics`, `sliding_window_counts`, `session_count`.
use super::super::Evaluation;
use super::Measure;
use super::bins::{Bins, Step};
use super::events::{Event, Events, Report, between, by_bin};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::types::intern::NULL;
use crate::types::{Kind, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

const COUNT: Kind = Kind::Long;

pub fn long(count: usize) -> Value {
    Value::Long(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The distinct ids of some events.
pub fn ids(events: &[Event]) -> HashSet<u32> {
    events.iter().map(|event| event.id).filter(|id| *id != NULL).collect()
}

impl Binder<'_> {
    fn activity_counts_metrics(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let activity = self.activity(evaluation, evaluation.rest("Dimension"))?;
        let bins = self.evaluated_bins(evaluation, "Step", activity.kind)?;
        let measures = [("count", COUNT), ("dcount", COUNT), ("new_dcount", COUNT), ("aggregated_dcount", COUNT)];
        Ok(self.measured(activity, &measures, Counts(bins)))
    }

    fn sliding_window_counts(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let activity = self.activity(evaluation, evaluation.rest("Dimension"))?;
        let bins = self.evaluated_bins(evaluation, "Bin", activity.kind)?;
        let lookback = self.given(evaluation, "LookbackWindow")?;
        let lookback = self.width(lookback, activity.kind)?;
        // A window spans whole bins.
        let lookback = match bins.step {
            Step::Width(width) => (lookback - lookback % width).max(width),
            Step::Part(_) => lookback,
        };
        Ok(self.measured(activity, &[("Count", COUNT), ("Dcount", COUNT)], Sliding { bins, lookback }))
    }

    fn session_count(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let activity = self.activity(evaluation, evaluation.rest("Dimension"))?;
        let bins = self.evaluated_bins(evaluation, "Bin", activity.kind)?;
        let lookback = self.given(evaluation, "LookBackWindow")?;
        let lookback = self.width(lookback, activity.kind)?;
        Ok(self.measured(activity, &[("count_sessions", COUNT)], Sessions { bins, lookback }))
    }
}

#[derive(Debug)]
struct Counts(Bins);

impl Measure for Counts {
    fn name(&self) -> &'static str {
        "activity_counts_metrics"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        for (slice, events) in events.slices() {
            let mut seen: HashSet<u32> = HashSet::new();
            for (bin, events) in by_bin(events, &self.0) {
                context.check()?;
                let (own, before) = (ids(events), seen.len());
                seen.extend(&own);
                let measures = [events.len(), own.len(), seen.len() - before, seen.len()].map(long);
                report.row(&[self.0.begin(bin)], slice, &measures)?;
            }
        }
        Ok(())
    }
}

/// The events of a window that moves on, and how often each id occurs in it.
pub struct Window<'e> {
    events: &'e [Event],
    from: usize,
    to: usize,
    counts: HashMap<u32, usize>,
}

impl<'e> Window<'e> {
    pub fn over(events: &'e [Event]) -> Window<'e> {
        Window { events, from: 0, to: 0, counts: HashMap::new() }
    }

    /// Moves on to the events from `first` to before `end`; neither may lie before what was asked last.
    pub fn moved(&mut self, first: i128, end: i128) -> &Window<'e> {
        while let Some(event) = self.events.get(self.to).filter(|event| event.at < end) {
            *self.counts.entry(event.id).or_default() += 1;
            self.to += 1;
        }
        while let Some(event) = self.events.get(self.from).filter(|event| event.at < first && self.from < self.to) {
            if let Some(count) = self.counts.get_mut(&event.id) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&event.id);
                }
            }
            self.from += 1;
        }
        self
    }

    pub fn len(&self) -> usize {
        self.to - self.from
    }

    /// How many ids there are, null not among them.
    pub fn distinct(&self) -> usize {
        self.counts.len() - usize::from(self.counts.contains_key(&NULL))
    }

    /// The time of the first event that did not come yet.
    pub fn next(&self) -> Option<i128> {
        self.events.get(self.to).map(|event| event.at)
    }
}

#[derive(Debug)]
struct Sliding {
    bins: Bins,
    lookback: i128,
}

impl Measure for Sliding {
    fn name(&self) -> &'static str {
        "sliding_window_counts"
    }

    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        let Some(last) = self.bins.last() else { return Ok(()) };
        for (slice, events) in events.slices() {
            let mut window = Window::over(between(events, i128::MIN, self.bins.end));
            let mut bin = 0;
            while bin <= last {
                context.check()?;
                let end = self.bins.begin(bin.saturating_add(1));
                let moved = window.moved(end - self.lookback, end);
                match (moved.len(), moved.next()) {
                    (0, None) => break,
                    // Nothing lies in the windows up to the bin of the next event.
                    (0, Some(next)) => bin = self.bins.bin(next).max(bin.saturating_add(1)),
                    (count, _) => {
                        let measures = [long(count), long(moved.distinct())];
                        report.row(&[self.bins.begin(bin)], slice, &measures)?;
                        bin = bin.saturating_add(1);
                    }
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Sessions {
    bins: Bins,
    lookback: i128,
}

impl Measure for Sessions {
    fn name(&self) -> &'static str {
        "session_count"
    }

    /// A session goes on while its id comes again within the lookback window, and counts in each bin it has events in.
    fn measure(&self, context: &Context, events: &Events, report: &mut Report) -> Result<()> {
        for (slice, events) in events.slices() {
            context.check()?;
            let mut last: HashMap<u32, i128> = HashMap::new();
            let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
            for event in between(events, self.bins.start, self.bins.end).iter().filter(|event| event.id != NULL) {
                let bin = self.bins.bin(event.at);
                let before = last.insert(event.id, event.at);
                let goes_on =
                    before.is_some_and(|before| event.at - before <= self.lookback && self.bins.bin(before) == bin);
                if !goes_on {
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

super::super::items! {
    /// Counts rows and ids in each bin of a timeline: all rows (`count`), distinct ids (`dcount`), ids that no bin
    /// before had (`new_dcount`), and the ids of all bins so far (`aggregated_dcount`).
    ///
    /// Bins begin at `Start`; rows up to and at `End` count. `Step` may be `week`, `month` or `year`. With dimensions,
    /// each of their combinations is counted by itself.
    ///
    /// Source: activity-counts-metrics-plugin.
    ///
    /// ```kql
    /// range t from 1 to 9 step 1 | extend id = t % 4 | evaluate activity_counts_metrics(id, t, 1, 9, 3) | top 1 by t | project aggregated_dcount // 4
    /// ```
    fn activity_counts_metrics(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        Step: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.activity_counts_metrics(evaluation);

    /// Counts rows and distinct ids in a window before the end of each bin of a timeline.
    ///
    /// `LookbackWindow` is cut to whole bins, and includes the bin itself; it may reach before `Start`. Windows
    /// without rows are left out.
    ///
    /// Source: sliding-window-counts-plugin.
    ///
    /// ```kql
    /// range t from 1 to 9 step 1 | extend id = t % 4 | evaluate sliding_window_counts(id, t, 1, 9, 3, 1) | top 1 by t | project Dcount // 3
    /// ```
    fn sliding_window_counts(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        LookbackWindow: Constant,
        Bin: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.sliding_window_counts(evaluation);

    /// Counts the sessions that are active in each bin of a timeline.
    ///
    /// An id's session goes on while the id comes again within `LookBackWindow`; else a new one begins.
    ///
    /// Source: session-count-plugin.
    ///
    /// ```kql
    /// datatable(id: long, t: long) [1, 1, 1, 3, 1, 9] | evaluate session_count(id, t, 1, 10, 10, 4) | project count_sessions // 2
    /// ```
    fn session_count(
        IdColumn: Column,
        TimelineColumn: Column,
        Start: Constant,
        End: Constant,
        Bin: Constant,
        LookBackWindow: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.session_count(evaluation);
}
