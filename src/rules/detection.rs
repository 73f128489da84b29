//! What a detection of Splunk has beyond a rule of Sentinel: findings, risk, drilldowns, and how it is scheduled.
//!
//! The public content has had three forms. All are brought to the newest: a finding that is raised about one entity
//! and scores it, and intermediate findings that score further ones.
use super::rule::{Choice, choices};
use serde_json::{Value, json};

/// What stands in a drilldown for the detection's own search.
pub const ORIGINAL_SEARCH: &str = "%original_detection_search%";

choices! {
    /// What a detection's results mean: an alert, a sign among others, a hunter's list, or many signs together.
    DetectionKind { Ttp = "TTP", Anomaly = "Anomaly", Hunting = "Hunting", Correlation = "Correlation" }
}

impl DetectionKind {
    /// Whether its results are alerts.
    pub fn has_finding(self) -> bool {
        matches!(self, DetectionKind::Ttp | DetectionKind::Correlation)
    }

    /// Whether its results score entities.
    pub fn has_risk(self) -> bool {
        matches!(self, DetectionKind::Ttp | DetectionKind::Anomaly)
    }
}

choices! {
    /// How grave a finding is.
    FindingSeverity {
        Informational = "Informational" | "info",
        Low = "Low",
        Medium = "Medium",
        High = "High",
        Critical = "Critical",
    }
}

impl FindingSeverity {
    /// The severity that a score stands for; high where there is none.
    pub fn of_score(score: Option<i64>) -> FindingSeverity {
        match score {
            None => FindingSeverity::High,
            Some(..=20) => FindingSeverity::Informational,
            Some(..=40) => FindingSeverity::Low,
            Some(..=60) => FindingSeverity::Medium,
            Some(..=80) => FindingSeverity::High,
            Some(_) => FindingSeverity::Critical,
        }
    }

    /// As Enterprise Security spells it.
    pub fn lower(self) -> String {
        self.name().to_ascii_lowercase()
    }
}

/// A field of the results that names an entity, and how much each row scores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    pub field: String,
    /// `user`, `system` or `other`.
    pub kind: String,
    pub score: i64,
    /// With `$field$` for the values of a row.
    pub message: String,
}

/// A field of the results that names a means of the attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreatObject {
    pub field: String,
    pub kind: String,
}

/// What a detection alerts with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// With `$field$` for the values of a row.
    pub title: String,
    /// The place of the entity among [`Detection::entities`]; none where the finding is about none.
    pub entity: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drilldown {
    pub name: String,
    pub search: String,
    pub earliest_offset: Option<String>,
    pub latest_offset: Option<String>,
}

/// When a detection runs, and over which events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub cron: String,
    pub earliest: String,
    pub latest: String,
    pub window: String,
}

impl Default for Schedule {
    /// Hourly, over the hour that ended ten minutes ago.
    fn default() -> Schedule {
        Schedule { cron: "0 * * * *".into(), earliest: "-70m@m".into(), latest: "-10m@m".into(), window: "auto".into() }
    }
}

/// Results with the same values in these fields are raised once in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttling {
    pub fields: Vec<String>,
    /// As written: `24h`.
    pub period: String,
}

/// The form that the file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// `tags` with observables, impact and confidence.
    Observables,
    /// A mapping `rba`.
    Rba,
    /// A `finding` and `intermediate_findings`.
    Findings,
}

/// A detection of Splunk in the one form.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    pub kind: DetectionKind,
    pub generation: Generation,
    /// The saved search's name, which findings and risk events carry.
    pub search_name: String,
    pub finding: Option<Finding>,
    /// The entities that results score, the finding's among them, in the order of the file.
    pub entities: Vec<Entity>,
    pub threat_objects: Vec<ThreatObject>,
    pub drilldowns: Vec<Drilldown>,
    pub analytic_story: Vec<String>,
    pub security_domain: Option<String>,
    pub asset_type: Option<String>,
    pub cve: Vec<String>,
    pub data_source: Vec<String>,
    pub schedule: Schedule,
    pub throttling: Option<Throttling>,
}

impl Detection {
    /// The severity of what it raises: that of the finding's entity, else that of the highest score.
    pub fn severity(&self) -> FindingSeverity {
        let highest = self.entities.iter().map(|entity| entity.score).max();
        FindingSeverity::of_score(self.finding_entity().map(|entity| entity.score).or(highest))
    }

    pub fn finding_entity(&self) -> Option<&Entity> {
        self.entities.get(self.finding.as_ref()?.entity?)
    }

    /// The entities that a row scores, in the order in which saved searches name them.
    pub fn scored(&self) -> Vec<&Entity> {
        let mut entities: Vec<&Entity> = self.entities.iter().collect();
        entities.sort_by_key(|entity| (entity.field.as_str(), entity.kind.as_str(), entity.score));
        entities
    }

    /// What is said of the results: the finding's title, else the first entity's message.
    pub fn message(&self) -> Option<&str> {
        let entity = self.entities.first().map(|entity| entity.message.as_str());
        self.finding.as_ref().map(|finding| finding.title.as_str()).or(entity).filter(|text| !text.is_empty())
    }

    /// `[{field, type, score}]`
    pub fn risk_objects(&self) -> Value {
        let object = |e: &Entity| json!({"field": e.field, "type": e.kind, "score": e.score});
        self.entities.iter().map(object).collect()
    }

    /// `[{field, type}]`
    pub fn threats(&self) -> Value {
        self.threat_objects.iter().map(|t| json!({"field": t.field, "type": t.kind})).collect()
    }

    /// `[{name, search, earliest_offset, latest_offset}]`
    pub fn drilldown_searches(&self) -> Value {
        self.drilldowns.iter().map(Drilldown::to_json).collect()
    }

    /// What the detection is about, as findings and risk events carry it.
    pub fn annotations(&self, techniques: &[String]) -> Value {
        let mut found = serde_json::Map::new();
        let mut put = |key: &str, values: &[String]| {
            if !values.is_empty() {
                found.insert(key.into(), json!(values));
            }
        };
        put("analytic_story", &self.analytic_story);
        put("cve", &self.cve);
        put("data_source", &self.data_source);
        put("mitre_attack", techniques);
        Value::Object(found)
    }
}

impl Drilldown {
    pub fn to_json(&self) -> Value {
        let mut found = serde_json::Map::new();
        found.insert("name".into(), json!(self.name));
        found.insert("search".into(), json!(self.search));
        let offsets = [("earliest_offset", &self.earliest_offset), ("latest_offset", &self.latest_offset)];
        for (key, offset) in offsets {
            if let Some(offset) = offset {
                found.insert(key.into(), json!(offset));
            }
        }
        Value::Object(found)
    }
}

impl Schedule {
    pub fn to_json(&self) -> Value {
        json!({
            "cron_schedule": self.cron,
            "earliest_time": self.earliest,
            "latest_time": self.latest,
            "schedule_window": self.window,
        })
    }
}

/// The finding that results of entities raise where a form has none of its own: about the first user, else about the
/// first entity, with the message that they share.
pub fn finding_of(entities: &[Entity], name: &str) -> Finding {
    let entity = entities.iter().position(|e| e.kind == "user").or((!entities.is_empty()).then_some(0));
    let message = entities.first().map(|e| e.message.as_str()).filter(|message| !message.is_empty());
    Finding { title: message.unwrap_or(name).to_owned(), entity }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(field: &str, kind: &str, score: i64) -> Entity {
        Entity { field: field.into(), kind: kind.into(), score, message: format!("on ${field}$") }
    }

    #[test]
    fn a_score_stands_for_a_severity() {
        let of = |score| FindingSeverity::of_score(score).lower();
        let scores = [0, 20, 21, 40, 60, 61, 80, 81, 100].map(|score| of(Some(score)));
        let expected =
            ["informational", "informational", "low", "low", "medium", "high", "high", "critical", "critical"];
        assert_eq!(scores, expected);
        assert_eq!(of(None), "high");
    }

    #[test]
    fn a_finding_is_about_the_first_user() {
        let found = finding_of(&[entity("dest", "system", 50), entity("user", "user", 40)], "N");
        assert_eq!(found, Finding { title: "on $dest$".into(), entity: Some(1) });
        assert_eq!(finding_of(&[entity("dest", "system", 50)], "N").entity, Some(0));
        assert_eq!(finding_of(&[], "N"), Finding { title: "N".into(), entity: None });
    }
}
