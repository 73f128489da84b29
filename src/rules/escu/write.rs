//! A detection as YAML of the newest form.
use super::super::detection::{Detection, Entity, Schedule};
use super::super::rule::{Choice, Rule};
use super::super::write::is_empty;
use serde_json::{Map, Value, json};

/// Texts that the form asks for where a source has none.
const NOT_SAID: &str = "Not documented.";

/// The keys in the order that the public content has them; what is absent is left out.
pub fn document(rule: &Rule, detection: &Detection) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        if !is_empty(&value) {
            map.insert(key.into(), value);
        }
    };
    let kept = |key: &str| rule.raw.get(key).cloned().unwrap_or(Value::Null);
    let required = |key: &str| Some(kept(key)).filter(|value| !is_empty(value)).unwrap_or(json!(NOT_SAID));
    let dated = |key: &str| Some(kept(key)).filter(|value| !is_empty(value)).unwrap_or_else(|| kept("date"));
    put("name", json!(rule.name));
    put("id", json!(rule.id));
    put("version", rule.version.as_deref().map_or(json!(1), number));
    put("creation_date", dated("creation_date"));
    put("modification_date", dated("modification_date"));
    put("author", json!(rule.author));
    put("status", json!(rule.status));
    put("type", json!(detection.kind.name()));
    put("description", json!(rule.description));
    put("data_source", json!(detection.data_source));
    put("search", json!(rule.query));
    put("how_to_implement", required("how_to_implement"));
    put("known_false_positives", required("known_false_positives"));
    put("references", kept("references"));
    put("drilldown_searches", detection.drilldown_searches());
    put("finding", finding(detection));
    put("intermediate_findings", intermediate(detection));
    put("threat_objects", detection.threats());
    put("analytic_story", json!(detection.analytic_story));
    put("asset_type", json!(detection.asset_type));
    put("cve", json!(detection.cve));
    put("mitre_attack_id", json!(rule.techniques));
    put("security_domain", json!(detection.security_domain));
    if detection.schedule != Schedule::default() {
        put("custom_schedule", detection.schedule.to_json());
    }
    if let Some(throttling) = &detection.throttling {
        put("throttling", json!({"fields": throttling.fields, "period": throttling.period}));
    }
    put("enabled_by_default", json!(rule.enabled));
    put("tests", kept("tests"));
    map
}

/// A version as a number, where it is one.
fn number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
}

fn finding(detection: &Detection) -> Value {
    let Some(finding) = &detection.finding else { return Value::Null };
    let mut map = Map::new();
    map.insert("title".into(), json!(finding.title));
    if let Some(entity) = detection.finding_entity() {
        map.insert("entity".into(), json!({"field": entity.field, "type": entity.kind, "score": entity.score}));
    }
    Value::Object(map)
}

fn intermediate(detection: &Detection) -> Value {
    let own = detection.finding.as_ref().and_then(|finding| finding.entity);
    let others = detection.entities.iter().enumerate().filter(|(at, _)| Some(*at) != own);
    let entity = |e: &Entity| json!({"field": e.field, "type": e.kind, "score": e.score, "message": e.message});
    match others.map(|(_, e)| entity(e)).collect::<Vec<_>>() {
        entities if entities.is_empty() => Value::Null,
        entities => json!({"entities": entities}),
    }
}
