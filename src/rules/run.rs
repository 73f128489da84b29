//! Runs of rules, taken in the order of time: what they raise and what they keep silent about.
use super::alert::{Alert, Run, alert_table};
use super::finding::Raised;
use super::incident::Incidents;
use super::rule::Rule;
use crate::types::Table;
use std::collections::HashMap;

/// What the runs so far have raised.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    alerts: Vec<Alert>,
    incidents: Incidents,
    raised: Raised,
    /// Until when a rule that raised an alert is silent, by its key; in ticks.
    silent_until: HashMap<String, i64>,
}

impl Runs {
    /// Whether a rule does not run at that time, as it raised an alert within its suppression.
    pub fn is_silent(&self, rule: &Rule, now: i64) -> bool {
        rule.suppression_enabled && self.silent_until.get(rule.key()).is_some_and(|until| now < *until)
    }

    /// Takes the rows of a rule's query at `now` (ticks) and gives the number of alerts that they raised; of a
    /// detection of Splunk, the number of rows that raised findings and risk.
    pub fn take(&mut self, rule: &Rule, results: &Table, now: i64) -> usize {
        if let Some(detection) = &rule.detection {
            return self.raised.take(rule, detection, results, now);
        }
        if self.is_silent(rule, now) {
            return 0;
        }
        let rows = results.to_rows();
        let alerts = Run { rule, schema: results.schema(), rows: &rows, now }.alerts();
        if !alerts.is_empty() && rule.suppression_enabled {
            self.silent_until.insert(rule.key().to_string(), now.saturating_add(rule.suppression_duration));
        }
        alerts.iter().for_each(|alert| self.incidents.take(rule, alert));
        let raised = alerts.len();
        self.alerts.extend(alerts);
        raised
    }

    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The alerts in SecurityAlert's columns.
    pub fn alert_table(&self) -> Table {
        alert_table(&self.alerts)
    }

    /// Findings of Splunk's detections, and risk events.
    pub fn raised(&self) -> &Raised {
        &self.raised
    }

    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// The incidents in SecurityIncident's columns.
    pub fn incident_table(&self) -> Table {
        self.incidents.table()
    }
}
