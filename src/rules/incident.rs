//! Incidents: alerts that belong together, in the columns of SecurityIncident.
//!
//! Sources: the SecurityIncident table reference, Sentinel's page on grouping alerts into incidents.
use super::alert::{Alert, stable_guid, table};
use super::entity::Entity;
use super::rule::{Choice, MatchingMethod, Rule, RuleSeverity};
use crate::types::{Kind, Table, Value};
use serde_json::json;

/// Alerts that one incident may hold.
const ALERT_LIMIT: usize = 150;

/// An incident. Times are ticks of 100 ns.
#[derive(Clone, Debug)]
pub struct Incident {
    pub number: i32,
    pub rule_id: String,
    pub title: String,
    pub description: String,
    pub severity: RuleSeverity,
    pub alert_ids: Vec<String>,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub created: i64,
    pub first_activity: i64,
    pub last_activity: i64,
    pub modified: i64,
    pub closed: Option<i64>,
    /// What another alert must have to join; none where nothing may join.
    signature: Option<Vec<String>>,
}

/// The incidents of runs that are taken in the order of time.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    list: Vec<Incident>,
}

impl Incidents {
    /// Takes an alert into the incident that its rule's grouping names, or into a new one.
    pub fn take(&mut self, rule: &Rule, alert: &Alert) {
        if !rule.create_incident {
            return;
        }
        let signature = rule.grouping_enabled.then(|| signature(rule, alert));
        let fits = |incident: &&mut Incident| {
            signature.is_some()
                && incident.signature == signature
                && incident.rule_id == alert.rule_id
                && incident.created >= alert.time.saturating_sub(rule.lookback_duration)
                && incident.alert_ids.len() < ALERT_LIMIT
                && (incident.closed.is_none() || rule.reopen_closed_incident)
        };
        match self.list.iter_mut().rev().find(fits) {
            Some(incident) => incident.join(alert),
            None => self.open(alert, signature),
        }
    }

    /// Closes an incident at a time; false where there is none of that number.
    pub fn close(&mut self, number: i32, time: i64) -> bool {
        let found = self.list.iter_mut().find(|incident| incident.number == number);
        let known = found.is_some();
        if let Some(incident) = found {
            (incident.closed, incident.modified) = (Some(time), time);
        }
        known
    }

    pub fn list(&self) -> &[Incident] {
        &self.list
    }

    /// The incidents as a table in SecurityIncident's columns.
    pub fn table(&self) -> Table {
        table(COLUMNS, self.list.iter().map(|incident| move |column: &str| incident.column(column)))
    }

    fn open(&mut self, alert: &Alert, signature: Option<Vec<String>>) {
        self.list.push(Incident {
            number: i32::try_from(self.list.len()).unwrap_or(i32::MAX).saturating_add(1),
            rule_id: alert.rule_id.clone(),
            title: alert.name.clone(),
            description: alert.description.clone(),
            severity: alert.severity,
            alert_ids: vec![alert.id.clone()],
            tactics: alert.tactics.clone(),
            techniques: alert.techniques.clone(),
            created: alert.time,
            first_activity: alert.start,
            last_activity: alert.end,
            modified: alert.time,
            closed: None,
            signature,
        });
    }
}

/// What an alert must share with those of an incident, by the rule's matching method.
fn signature(rule: &Rule, alert: &Alert) -> Vec<String> {
    let entities = |wanted: &dyn Fn(&Entity) -> bool| {
        let mut found: Vec<String> = alert.entities.list().iter().filter(|e| wanted(e)).map(Entity::identity).collect();
        found.sort();
        found
    };
    match rule.matching_method {
        MatchingMethod::AnyAlert => vec![],
        MatchingMethod::AllEntities => entities(&|_| true),
        MatchingMethod::Selected => {
            let named =
                |entity: &Entity| rule.group_by_entities.iter().any(|kind| kind.eq_ignore_ascii_case(&entity.kind));
            let mut signature = entities(&named);
            signature.extend(rule.group_by_alert_details.iter().map(|detail| alert_detail(alert, detail)));
            signature.extend(rule.group_by_custom_details.iter().map(|detail| custom_detail(alert, detail)));
            signature
        }
    }
}

fn alert_detail(alert: &Alert, detail: &str) -> String {
    match detail.to_ascii_lowercase().as_str() {
        "displayname" => alert.name.clone(),
        "severity" => alert.severity.name().to_string(),
        _ => String::new(),
    }
}

fn custom_detail(alert: &Alert, detail: &str) -> String {
    let found = alert.custom_details.iter().find(|(name, _)| name == detail);
    found.map_or(String::new(), |(_, values)| json!(values).to_string())
}

impl Incident {
    fn join(&mut self, alert: &Alert) {
        self.alert_ids.push(alert.id.clone());
        self.severity = self.severity.max(alert.severity);
        self.first_activity = self.first_activity.min(alert.start);
        self.last_activity = self.last_activity.max(alert.end);
        self.modified = alert.time;
        self.closed = None;
        let add = |own: &mut Vec<String>, others: &[String]| {
            let new: Vec<String> = others.iter().filter(|other| !own.contains(other)).cloned().collect();
            own.extend(new);
        };
        add(&mut self.tactics, &alert.tactics);
        add(&mut self.techniques, &alert.techniques);
    }

    /// The value of a column that is not empty.
    fn column(&self, name: &str) -> Option<Value> {
        let dynamic = |value: serde_json::Value| Some(Value::dynamic(value.to_string()));
        let own_name = || stable_guid([self.rule_id.clone(), self.number.to_string(), self.created.to_string()]);
        match name {
            "IncidentNumber" => Some(Value::Int(self.number)),
            "IncidentName" => Some(Value::string(own_name())),
            "Title" => Some(Value::string(self.title.as_str())),
            "Description" => Some(Value::string(self.description.as_str())),
            "Severity" => Some(Value::string(self.severity.name())),
            "Status" => Some(Value::string(if self.closed.is_some() { "Closed" } else { "New" })),
            "ProviderName" => Some(Value::string("Azure Sentinel")),
            "ProviderIncidentId" => Some(Value::string(self.number.to_string())),
            "ModifiedBy" => Some(Value::string("Incident created from alert")),
            "CreatedTime" | "FirstModifiedTime" => Some(Value::DateTime(self.created)),
            "FirstActivityTime" => Some(Value::DateTime(self.first_activity)),
            "LastActivityTime" => Some(Value::DateTime(self.last_activity)),
            "TimeGenerated" | "LastModifiedTime" => Some(Value::DateTime(self.modified)),
            "ClosedTime" => self.closed.map(Value::DateTime),
            "AlertIds" => dynamic(json!(self.alert_ids)),
            "RelatedAnalyticRuleIds" => dynamic(json!([self.rule_id])),
            "Labels" | "Comments" | "Tasks" | "BookmarkIds" => dynamic(json!([])),
            "Owner" => dynamic(json!({"objectId": null, "email": null, "assignedTo": null, "userPrincipalName": null})),
            "AdditionalData" => dynamic(self.additional_data()),
            _ => None,
        }
    }

    fn additional_data(&self) -> serde_json::Value {
        json!({
            "alertsCount": self.alert_ids.len(),
            "bookmarksCount": 0,
            "commentsCount": 0,
            "alertProductNames": ["Azure Sentinel"],
            "tactics": self.tactics,
            "techniques": self.techniques,
        })
    }
}

/// The columns of SecurityIncident.
const COLUMNS: &[(&str, Kind)] = &[
    ("TimeGenerated", Kind::DateTime),
    ("IncidentName", Kind::String),
    ("Title", Kind::String),
    ("Description", Kind::String),
    ("Severity", Kind::String),
    ("Status", Kind::String),
    ("Classification", Kind::String),
    ("ClassificationComment", Kind::String),
    ("ClassificationReason", Kind::String),
    ("Owner", Kind::Dynamic),
    ("ProviderName", Kind::String),
    ("ProviderIncidentId", Kind::String),
    ("FirstActivityTime", Kind::DateTime),
    ("LastActivityTime", Kind::DateTime),
    ("FirstModifiedTime", Kind::DateTime),
    ("LastModifiedTime", Kind::DateTime),
    ("CreatedTime", Kind::DateTime),
    ("ClosedTime", Kind::DateTime),
    ("IncidentNumber", Kind::Int),
    ("RelatedAnalyticRuleIds", Kind::Dynamic),
    ("AlertIds", Kind::Dynamic),
    ("BookmarkIds", Kind::Dynamic),
    ("Comments", Kind::Dynamic),
    ("Tasks", Kind::Dynamic),
    ("Labels", Kind::Dynamic),
    ("IncidentUrl", Kind::String),
    ("AdditionalData", Kind::Dynamic),
    ("ModifiedBy", Kind::String),
];
