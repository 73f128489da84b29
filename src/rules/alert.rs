//! Alerts: what a run's rows say, in the columns of SecurityAlert.
//!
//! Sources: the SecurityAlert table reference, Sentinel's pages on alert details and custom details, rows of
//! real scheduled alerts.
use super::entity::Entities;
use super::rule::{Choice, EventGrouping, Rule, RuleKind, RuleSeverity};
use crate::types::{Kind, Name, Schema, Table, Value, datetime, timespan};
use serde_json::{Map, json};

/// The workspace of alerts that no workspace raised.
const WORKSPACE: &str = "00000000-0000-0000-0000-000000000000";
/// Values of one custom detail, and the bytes of all.
const DETAIL_VALUES: usize = 50;
const DETAIL_BYTES: usize = 2048;
const NAME_LIMIT: usize = 256;
const DESCRIPTION_LIMIT: usize = 5000;

/// One alert. Times are ticks of 100 ns.
#[derive(Clone, Debug)]
pub struct Alert {
    /// A guid that the same rule, time and rows always give.
    pub id: String,
    pub rule_id: String,
    pub time: i64,
    pub name: String,
    pub description: String,
    pub severity: RuleSeverity,
    pub start: i64,
    pub end: i64,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub sub_techniques: Vec<String>,
    pub entities: Entities,
    /// Name of the detail and its values.
    pub custom_details: Vec<(String, Vec<String>)>,
    pub kind: RuleKind,
    /// Properties that the rule's alertDynamicProperties gave.
    pub properties: Vec<(String, String)>,
    pub extended_properties: String,
}

/// A run of a rule: its rows and when it ran.
pub struct Run<'a> {
    pub rule: &'a Rule,
    pub schema: &'a Schema,
    pub rows: &'a [Vec<Value>],
    /// The run's `now`, in ticks.
    pub now: i64,
}

impl Run<'_> {
    /// The alerts of the run: none where the trigger does not hold.
    pub fn alerts(&self) -> Vec<Alert> {
        if !self.rule.trigger_operator.holds(self.rows.len(), self.rule.trigger_threshold) {
            return vec![];
        }
        let all: Vec<&[Value]> = self.rows.iter().map(Vec::as_slice).collect();
        if self.rule.event_grouping == EventGrouping::SingleAlert || all.is_empty() {
            return vec![self.alert(&all, 0, true)];
        }
        let most = if self.rule.kind == RuleKind::Nrt { 30 } else { 150 };
        let single = if all.len() > most { most - 1 } else { all.len() };
        let (one_each, rest) = all.split_at_checked(single).unwrap_or((&all, &[]));
        let mut alerts: Vec<Alert> =
            one_each.iter().enumerate().map(|(at, row)| self.alert(&[*row], at, true)).collect();
        if !rest.is_empty() {
            alerts.push(self.alert(rest, single, false));
        }
        alerts
    }

    /// One alert of some rows; the one that sums up the rest keeps the rule's own texts.
    fn alert(&self, rows: &[&[Value]], at: usize, overridden: bool) -> Alert {
        let rule = self.rule;
        let first = rows.first().copied().filter(|_| overridden).unwrap_or(&[]);
        let entities = Entities::of_rows(self.schema, rows, &rule.mapped_entities(), &rule.mapped_entity_columns());
        let custom_details = self.custom_details(rows);
        let (start, end) = self.activity(rows);
        let (sub_techniques, techniques) = self.techniques();
        let mut alert = Alert {
            id: self.id(rows, at),
            rule_id: rule.key().to_string(),
            time: self.now,
            name: rule.name.clone(),
            description: rule.description.clone().unwrap_or_default(),
            severity: rule.severity,
            start,
            end,
            tactics: rule.tactics.clone(),
            techniques,
            sub_techniques,
            entities,
            extended_properties: self.extended_properties(&custom_details),
            custom_details,
            kind: rule.kind,
            properties: vec![],
        };
        self.override_details(&mut alert, first);
        alert
    }

    /// Sub-techniques, and techniques with those that the former belong to.
    fn techniques(&self) -> (Vec<String>, Vec<String>) {
        let (sub, mut techniques): (Vec<String>, Vec<String>) =
            self.rule.techniques.iter().cloned().partition(|technique| technique.contains('.'));
        for parent in sub.iter().filter_map(|technique| technique.split('.').next()) {
            if !techniques.iter().any(|technique| technique == parent) {
                techniques.push(parent.to_string());
            }
        }
        (sub, techniques)
    }

    fn cell<'r>(&self, row: &'r [Value], column: &str) -> Option<&'r Value> {
        row.get(self.schema.position(column)?)
    }

    /// A column's text in a row; none where there is no such column or no text.
    fn text(&self, row: &[Value], column: &str) -> Option<String> {
        self.cell(row, column).map(Value::to_text).filter(|text| !text.is_empty())
    }

    /// The first and the last event of the rows, else the run's window.
    fn activity(&self, rows: &[&[Value]]) -> (i64, i64) {
        let times = rows.iter().filter_map(|row| match self.cell(row, "TimeGenerated") {
            Some(Value::DateTime(ticks)) => Some(*ticks),
            _ => None,
        });
        let bounds = times.fold(None, |bounds: Option<(i64, i64)>, time| {
            Some(bounds.map_or((time, time), |(start, end)| (start.min(time), end.max(time))))
        });
        bounds.unwrap_or((self.now.saturating_sub(self.rule.query_period), self.now))
    }

    fn override_details(&self, alert: &mut Alert, row: &[Value]) {
        let details = self.rule.overrides();
        let format = |format: &Option<String>| format.as_deref().and_then(|format| self.formatted(format, row));
        if let Some(name) = format(&details.alert_display_name_format) {
            alert.name = cut(name, NAME_LIMIT);
        }
        if let Some(description) = format(&details.alert_description_format) {
            alert.description = cut(description, DESCRIPTION_LIMIT);
        }
        let column = |column: &Option<String>| column.as_deref().and_then(|column| self.text(row, column));
        if let Some(severity) = column(&details.alert_severity_column_name).and_then(|text| RuleSeverity::parse(&text))
        {
            alert.severity = severity;
        }
        if let Some(tactics) = column(&details.alert_tactics_column_name).map(|text| names(&text)) {
            alert.tactics = tactics;
        }
        for property in details.alert_dynamic_properties.unwrap_or_default() {
            match (self.text(row, &property.value), property.alert_property.as_str()) {
                (Some(text), "Techniques") => alert.techniques = names(&text),
                (Some(text), "SubTechniques") => alert.sub_techniques = names(&text),
                (Some(text), _) => alert.properties.push((property.alert_property, text)),
                (None, _) => {}
            }
        }
    }

    /// A format with its `{{Column}}`s replaced; none where one of them has no value: the rule's own text
    /// then stands.
    fn formatted(&self, format: &str, row: &[Value]) -> Option<String> {
        let mut out = String::new();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((column, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            out.push_str(&self.text(row, column.trim())?);
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    /// Each detail's distinct values in the order of rows, within Sentinel's limits.
    fn custom_details(&self, rows: &[&[Value]]) -> Vec<(String, Vec<String>)> {
        let mut bytes = 0;
        let mut details = vec![];
        for (name, column) in self.rule.mapped_details() {
            let mut values: Vec<String> = vec![];
            for text in rows.iter().filter_map(|row| self.text(row, &column)) {
                if values.len() >= DETAIL_VALUES || bytes + text.len() > DETAIL_BYTES {
                    break;
                }
                if !values.contains(&text) {
                    bytes += text.len();
                    values.push(text);
                }
            }
            if !values.is_empty() {
                details.push((name, values));
            }
        }
        details
    }

    fn extended_properties(&self, custom_details: &[(String, Vec<String>)]) -> String {
        let rule = self.rule;
        let start = self.now.saturating_sub(rule.query_period);
        let mut map = Map::new();
        let mut put = |key: &str, value: String| map.insert(key.into(), value.into());
        put("Query Period", timespan::format(rule.query_period));
        put("Trigger Operator", rule.trigger_operator.long_name().into());
        put("Trigger Threshold", rule.trigger_threshold.to_string());
        put("Search Query Results Overall Count", self.rows.len().to_string());
        put("Data Sources", json!([WORKSPACE]).to_string());
        put("Query", rule.query.clone());
        put("Query Start Time UTC", datetime::format(start));
        put("Query End Time UTC", datetime::format(self.now));
        put("Analytic Rule Ids", json!([rule.key()]).to_string());
        put("Event Grouping", rule.event_grouping.name().into());
        put("Analytic Rule Name", rule.name.clone());
        if !custom_details.is_empty() {
            let details: Map<_, _> =
                custom_details.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
            put("Custom Details", json!(details).to_string());
        }
        json!(map).to_string()
    }

    fn id(&self, rows: &[&[Value]], at: usize) -> String {
        let cells = rows.iter().flat_map(|row| row.iter().map(Value::to_json));
        let own = [self.rule.key().to_string(), self.now.to_string(), at.to_string()];
        stable_guid(own.into_iter().chain(cells))
    }
}

/// A guid that the same texts always give (FNV-1a of 128 bits).
pub fn stable_guid(texts: impl IntoIterator<Item = String>) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for text in texts {
        for byte in text.bytes().chain([0xFF]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    let hex = format!("{hash:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    // Version 8: a guid of the application's own making (RFC 9562).
    format!("{}-{}-8{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// Names in a text: a JSON list, or separated by commas.
fn names(text: &str) -> Vec<String> {
    let list: Vec<String> =
        serde_json::from_str(text).unwrap_or_else(|_| text.split(',').map(str::to_string).collect());
    let clean = list.iter().map(|name| name.replace(' ', ""));
    clean.filter(|name| !name.is_empty()).collect()
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => text.get(..at).unwrap_or("").to_string(),
        None => text,
    }
}

/// The columns of SecurityAlert.
const COLUMNS: &[(&str, Kind)] = &[
    ("TenantId", Kind::String),
    ("TimeGenerated", Kind::DateTime),
    ("DisplayName", Kind::String),
    ("AlertName", Kind::String),
    ("AlertSeverity", Kind::String),
    ("Description", Kind::String),
    ("ProviderName", Kind::String),
    ("VendorName", Kind::String),
    ("VendorOriginalId", Kind::String),
    ("SystemAlertId", Kind::String),
    ("ResourceId", Kind::String),
    ("SourceComputerId", Kind::String),
    ("AlertType", Kind::String),
    ("ConfidenceLevel", Kind::String),
    ("ConfidenceScore", Kind::Real),
    ("IsIncident", Kind::Bool),
    ("StartTime", Kind::DateTime),
    ("EndTime", Kind::DateTime),
    ("ProcessingEndTime", Kind::DateTime),
    ("RemediationSteps", Kind::String),
    ("ExtendedProperties", Kind::String),
    ("Entities", Kind::String),
    ("SourceSystem", Kind::String),
    ("WorkspaceSubscriptionId", Kind::String),
    ("WorkspaceResourceGroup", Kind::String),
    ("ExtendedLinks", Kind::String),
    ("ProductName", Kind::String),
    ("ProductComponentName", Kind::String),
    ("AlertLink", Kind::String),
    ("Status", Kind::String),
    ("CompromisedEntity", Kind::String),
    ("Tactics", Kind::String),
    ("Techniques", Kind::String),
    ("SubTechniques", Kind::String),
    ("Type", Kind::String),
];

/// Alerts as a table in SecurityAlert's columns.
pub fn alert_table(alerts: &[Alert]) -> Table {
    table(COLUMNS, alerts.iter().map(|alert| move |column: &str| alert.column(column)))
}

/// A table of fixed columns; each row is asked for the value of each column.
pub(super) fn table<R: Fn(&str) -> Option<Value>>(columns: &[(&str, Kind)], rows: impl Iterator<Item = R>) -> Table {
    let schema = Schema::new(columns.iter().map(|(name, kind)| (Name::from(*name), *kind)).collect());
    let cells = |row: R| columns.iter().map(|(name, kind)| row(name).unwrap_or(Value::null(*kind))).collect();
    let rows: Vec<Vec<Value>> = rows.map(cells).collect();
    Table::from_rows(schema, &rows)
}

impl Alert {
    /// The value of a column that is not empty.
    fn column(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::string(text));
        let list = |names: &[String]| (!names.is_empty()).then(|| Value::string(json!(names).to_string()));
        match name {
            "TenantId" => text(WORKSPACE),
            "TimeGenerated" | "ProcessingEndTime" => Some(Value::DateTime(self.time)),
            "StartTime" => Some(Value::DateTime(self.start)),
            "EndTime" => Some(Value::DateTime(self.end)),
            "DisplayName" | "AlertName" => text(&self.name),
            "AlertSeverity" => text(self.severity.name()),
            "Description" => text(&self.description),
            "SystemAlertId" | "VendorOriginalId" => text(&self.id),
            "AlertType" => Some(Value::string(format!("{WORKSPACE}_{}", self.rule_id))),
            "IsIncident" => Some(Value::Bool(false)),
            "ConfidenceScore" => self.property(name).and_then(|score| score.parse().ok()).map(Value::Real),
            "ExtendedProperties" => text(&self.extended_properties),
            "Entities" => Some(Value::string(self.entities.to_json().to_string())),
            "Tactics" => Some(Value::string(self.tactics.join(", "))),
            "Techniques" => list(&self.techniques),
            "SubTechniques" => list(&self.sub_techniques),
            other => self.property(other).or_else(|| self.constant(other)).map(Value::string),
        }
    }

    /// What the alerts of all rules say alike.
    fn constant(&self, column: &str) -> Option<&'static str> {
        Some(match (column, self.kind) {
            ("ProviderName", _) => "ASI Scheduled Alerts",
            ("VendorName", _) => "Microsoft",
            ("ProductName", _) => "Azure Sentinel",
            ("ProductComponentName", RuleKind::Scheduled) => "Scheduled Alerts",
            ("ProductComponentName", RuleKind::Nrt) => "NRT Alerts",
            ("SourceSystem", _) => "Detection",
            ("Status", _) => "New",
            ("Type", _) => "SecurityAlert",
            _ => return None,
        })
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(property, _)| property == name).map(|(_, text)| text.as_str())
    }
}
