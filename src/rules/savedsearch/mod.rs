//! Saved searches of Splunk with the actions of Enterprise Security.
//!
//! Sources: the specifications of savedsearches.conf and of the actions `correlationsearch`, `notable` and `risk`, and
//! what the public content's build writes.
mod export;
mod sentinel;

pub use export::to_conf;

use super::attack;
use super::detection::{
    Detection, DetectionKind, Drilldown, Entity, Finding, Generation, Schedule, ThreatObject, Throttling, finding_of,
};
use super::rule::{Choice, Format, Rule, TriggerOperator};
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Result, Source};
use crate::read::{Conf, Setting, Stanza};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What an action's setting is called in a stanza.
const RISK: &str = "action.risk.param.";
const NOTABLE: &str = "action.notable.param.";
/// A finding's title that stands for the search's name.
const NAME_TOKEN: &str = "%name%";

/// Reads every stanza that has a search; a stanza that is wrong is an error of its own.
pub fn read(conf: &Conf) -> Vec<Result<Rule>> {
    conf.stanzas.iter().filter(|stanza| is_detection(stanza)).map(|stanza| read_stanza(stanza, conf)).collect()
}

/// Whether a stanza is a search of its own: the content keeps others beside its detections.
fn is_detection(stanza: &Stanza) -> bool {
    let other = stanza.get("action.escu.search_type").is_some_and(|kind| kind != "detection");
    stanza.get("search").is_some() && !other
}

fn read_stanza(stanza: &Stanza, conf: &Conf) -> Result<Rule> {
    let mut reader = Reader { stanza, conf, said: Vec::new() };
    let rule = reader.rule();
    if reader.said.iter().any(|d| d.severity == crate::diagnostic::Severity::Error) {
        return Err(Fault::new(FaultKind::Rule, reader.said).of(&conf.file));
    }
    Ok(Rule { warnings: reader.said, ..rule })
}

struct Reader<'a> {
    stanza: &'a Stanza,
    conf: &'a Conf,
    said: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn rule(&mut self) -> Rule {
        let stanza = self.stanza;
        let annotations = self.json("action.correlationsearch.annotations");
        let metadata = self.json("action.correlationsearch.metadata");
        let name = name_of(&stanza.name).to_owned();
        let detection = self.detection(&name, &annotations);
        let query = stanza.setting("search").map(|setting| self.search(setting)).unwrap_or_default();
        let rule = Rule::of_detection(detection, name, Arc::new(query), Format::SavedSearch, &self.conf.file);
        let techniques = texts(&annotations, "mitre_attack");
        let said = |key: &str| metadata.get(key).map(scalar).filter(|text| !text.is_empty());
        Rule {
            id: said("detection_id"),
            version: said("detection_version"),
            description: stanza.get("description").map(str::to_owned),
            enabled: !stanza.flag("disabled").unwrap_or(false),
            tactics: attack::tactics(&techniques).iter().map(|tactic| tactic.joined.to_owned()).collect(),
            techniques,
            trigger_operator: self.operator(),
            trigger_threshold: self.threshold(),
            raw: raw(stanza),
            ..rule
        }
    }

    /// The search, without the space that stands before each backslash of a continued line.
    fn search(&self, setting: &Setting) -> Source {
        let lines: Vec<&str> = setting.value.split('\n').map(str::trim_end).collect();
        Source { text: lines.join("\n"), ..self.conf.source_of(setting) }
    }

    fn wrong(&mut self, key: &str, message: String) {
        let span = self.stanza.setting(key).map_or(self.stanza.span, |setting| setting.span);
        self.said.push(Diagnostic::error("HP205", message).at(span));
    }

    /// A setting's JSON; null where it is not set.
    fn json(&mut self, key: &str) -> Value {
        let Some(text) = self.stanza.get(key) else { return Value::Null };
        match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                self.wrong(key, format!("`{key}` is not valid JSON: {error}"));
                Value::Null
            }
        }
    }

    fn operator(&mut self) -> TriggerOperator {
        let operator = match self.stanza.get("relation") {
            None | Some("greater than") => Some(TriggerOperator::GreaterThan),
            Some("less than") => Some(TriggerOperator::LessThan),
            Some("equal to") => Some(TriggerOperator::Equal),
            Some("not equal to") => Some(TriggerOperator::NotEqual),
            Some(other) => {
                self.wrong("relation", format!("`relation`: `{other}` cannot be judged by one run alone"));
                None
            }
        };
        operator.unwrap_or(TriggerOperator::GreaterThan)
    }

    fn threshold(&mut self) -> i64 {
        let Some(text) = self.stanza.get("quantity") else { return 0 };
        text.trim().parse().unwrap_or_else(|_| {
            self.wrong("quantity", format!("`quantity` must be a whole number, not `{text}`"));
            0
        })
    }

    fn detection(&mut self, name: &str, annotations: &Value) -> Detection {
        let raises = |action: &str| self.stanza.flag(action).unwrap_or(false);
        let (notable, risk) = (raises("action.notable"), raises("action.risk"));
        let kind = kind(annotations, notable, risk);
        let (mut entities, threat_objects) = if risk { self.risk() } else { Default::default() };
        let finding = notable.then(|| self.finding(name, &mut entities));
        let messages = self.stanza.get(&format!("{RISK}_risk")).is_some_and(|text| text.contains("\"risk_message\""));
        let own_title =
            self.stanza.get(&format!("{NOTABLE}rule_title")).is_some_and(|title| !title.contains(NAME_TOKEN));
        Detection {
            kind,
            generation: if messages || (notable && own_title) { Generation::Findings } else { Generation::Rba },
            search_name: self.stanza.name.clone(),
            finding,
            entities,
            threat_objects,
            drilldowns: self.drilldowns(),
            analytic_story: texts(annotations, "analytic_story"),
            security_domain: self.stanza.get(&format!("{NOTABLE}security_domain")).map(str::to_owned),
            asset_type: None,
            cve: texts(annotations, "cve"),
            data_source: texts(annotations, "data_source"),
            schedule: self.schedule(),
            throttling: self.throttling(),
        }
    }

    /// What the risk action scores, and the means that it names.
    fn risk(&mut self) -> (Vec<Entity>, Vec<ThreatObject>) {
        let message = self.stanza.get(&format!("{RISK}_risk_message")).unwrap_or_default().to_owned();
        let risk = self.json(&format!("{RISK}_risk"));
        let objects: Vec<Map<String, Value>> = match risk {
            Value::Array(items) => items.into_iter().filter_map(|item| item.as_object().cloned()).collect(),
            Value::Null => self.one_object(),
            _ => {
                self.wrong(&format!("{RISK}_risk"), format!("`{RISK}_risk` must be a list"));
                Vec::new()
            }
        };
        let entities = objects.iter().filter_map(|object| self.entity(object, &message)).collect();
        let threat = |object: &Map<String, Value>| {
            let text = |key: &str| object.get(key).map(scalar);
            Some(ThreatObject {
                field: text("threat_object_field")?,
                kind: text("threat_object_type").unwrap_or_default(),
            })
        };
        (entities, objects.iter().filter_map(threat).collect())
    }

    /// The one object that the oldest form of the action names in settings of its own.
    fn one_object(&self) -> Vec<Map<String, Value>> {
        let get = |key: &str| self.stanza.get(&format!("{RISK}{key}"));
        let Some(field) = get("_risk_object") else { return Vec::new() };
        let mut object = Map::new();
        object.insert("risk_object_field".into(), field.into());
        object.insert("risk_object_type".into(), get("_risk_object_type").unwrap_or("other").into());
        object.insert("risk_score".into(), get("_risk_score").unwrap_or("0").into());
        vec![object]
    }

    fn entity(&mut self, object: &Map<String, Value>, message: &str) -> Option<Entity> {
        let text = |key: &str| object.get(key).map(scalar);
        let field = text("risk_object_field")?;
        let score = text("risk_score").unwrap_or_default();
        let Ok(score) = score.trim().parse::<f64>() else {
            self.wrong(&format!("{RISK}_risk"), format!("the score of `{field}` must be a number, not `{score}`"));
            return None;
        };
        Some(Entity {
            field,
            kind: text("risk_object_type").unwrap_or_else(|| "other".into()),
            score: score as i64,
            message: text("risk_message").unwrap_or_else(|| message.to_owned()),
        })
    }

    /// What the notable action raises. An entity of its own is scored as well.
    fn finding(&mut self, name: &str, entities: &mut Vec<Entity>) -> Finding {
        let title = self.stanza.get(&format!("{NOTABLE}rule_title")).unwrap_or(NAME_TOKEN).to_owned();
        let own = match self.json(&format!("{NOTABLE}_entities")) {
            Value::Array(items) => items.first().and_then(Value::as_object).cloned(),
            _ => None,
        };
        // Without a title of its own, a finding says what its entities say.
        let ported = finding_of(entities, name);
        let title = match title.as_str() {
            NAME_TOKEN => ported.title.clone(),
            title => title.replace(NAME_TOKEN, name),
        };
        let entity = own.and_then(|object| self.entity(&object, &title)).map(|entity| {
            let same = |e: &Entity| (&e.field, &e.kind) == (&entity.field, &entity.kind);
            entities.iter().position(same).unwrap_or_else(|| {
                entities.insert(0, entity);
                0
            })
        });
        Finding { title, entity: entity.or(ported.entity) }
    }

    fn drilldowns(&mut self) -> Vec<Drilldown> {
        let key = format!("{NOTABLE}drilldown_searches");
        let Value::Array(items) = self.json(&key) else { return Vec::new() };
        let read = |item: &Value| {
            let text = |key: &str| item.get(key).map(scalar);
            Some(Drilldown {
                name: text("name")?,
                search: text("search")?,
                earliest_offset: text("earliest_offset").or(text("earliest")),
                latest_offset: text("latest_offset").or(text("latest")),
            })
        };
        items.iter().filter_map(read).collect()
    }

    fn schedule(&self) -> Schedule {
        let text = |key: &str, otherwise: String| self.stanza.get(key).map_or(otherwise, str::to_owned);
        let default = Schedule::default();
        Schedule {
            cron: text("cron_schedule", default.cron),
            earliest: text("dispatch.earliest_time", default.earliest),
            latest: text("dispatch.latest_time", default.latest),
            window: text("schedule_window", default.window),
        }
    }

    fn throttling(&self) -> Option<Throttling> {
        let names = self.stanza.get("alert.suppress.fields")?;
        let on = self.stanza.flag("alert.suppress").unwrap_or(false);
        let fields = names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let period = self.stanza.get("alert.suppress.period")?.to_owned();
        on.then_some(Throttling { fields, period })
    }
}

/// `ESCU - <name> - Rule` as the name; other searches are called as their stanza is.
fn name_of(stanza: &str) -> &str {
    let inner = stanza.strip_suffix(" - Rule").and_then(|rest| rest.split_once(" - "));
    inner.map_or(stanza, |(_, name)| name)
}

/// The type as the annotations have it, else as the actions mean it.
fn kind(annotations: &Value, notable: bool, risk: bool) -> DetectionKind {
    let named = ["type_list", "type"].iter().flat_map(|key| texts(annotations, key));
    let named = named.into_iter().find_map(|text| DetectionKind::parse(&text));
    named.unwrap_or(match (notable, risk) {
        (true, true) => DetectionKind::Ttp,
        (true, false) => DetectionKind::Correlation,
        (false, true) => DetectionKind::Anomaly,
        (false, false) => DetectionKind::Hunting,
    })
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    match value.get(key) {
        Some(Value::Array(items)) => items.iter().map(scalar).filter(|text| !text.is_empty()).collect(),
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn raw(stanza: &Stanza) -> Value {
    let settings = stanza.settings.iter().map(|setting| (setting.key.clone(), Value::from(setting.value.as_str())));
    Value::Object(settings.collect())
}

#[cfg(test)]
mod tests;
