//! Risk events as events: what searches over `index=risk` and the Risk data model see of a run.
//!
//! Source: the documentation of Enterprise Security's risk-based alerting, the fields of the Risk data model.
use super::attack;
use super::detection::DetectionKind;
use super::finding::scalar;
use super::rule::{Language, Rule};
use crate::types::field::{FieldBuilder, from_value};
use crate::types::{Column, Name, Table, Value};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Whether a rule's search looks at risk events: it runs when the others have raised theirs.
pub fn is_read_by(rule: &Rule) -> bool {
    const READS: [&str; 5] = ["datamodel=risk", "datamodel:risk", "datamodelrisk", "index=risk", "`risk_index`"];
    let search: String = rule.query.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
    let search = search.to_ascii_lowercase();
    let correlates = rule.detection.as_ref().is_some_and(|detection| detection.kind == DetectionKind::Correlation);
    rule.language == Language::Spl && (correlates || READS.iter().any(|reads| search.contains(reads)))
}

/// The fields of one event, each with its values.
type Fields = BTreeMap<Name, Vec<String>>;

/// Events of the rows of `hits.risk`.
pub fn events(risk: &Table) -> Table {
    let rows: Vec<Vec<Value>> = risk.to_rows();
    let cell = |row: usize, name: &str| {
        let value = risk.schema().position(name).and_then(|at| rows.get(row)?.get(at).cloned());
        value.filter(|value| !value.is_null())
    };
    let events: Vec<Fields> = (0..rows.len()).map(|row| fields(&|name| cell(row, name))).collect();
    let times =
        (0..rows.len()).map(|row| from_value(&cell(row, "_time").unwrap_or(Value::Null(crate::types::Kind::DateTime))));
    let mut time = FieldBuilder::new(None, rows.len());
    times.for_each(|value| time.push(&value));
    let mut columns: Vec<(Name, Column)> = vec![("_time".into(), time.finish())];
    let mut names: Vec<&Name> = events.iter().flat_map(BTreeMap::keys).collect();
    names.sort();
    names.dedup();
    for name in names {
        let mut builder = FieldBuilder::new(None, events.len());
        for event in &events {
            builder.push_several(event.get(name).into_iter().flatten());
        }
        columns.push((name.clone(), builder.finish()));
    }
    Table::from_columns(columns)
}

fn fields(cell: &dyn Fn(&str) -> Option<Value>) -> Fields {
    let text = |name: &str| cell(name).map(|value| value.to_text()).unwrap_or_default();
    let json = |name: &str| serde_json::from_str::<Json>(&text(name)).unwrap_or(Json::Null);
    let mut found = Fields::new();
    if let Json::Object(row) = json("row") {
        // The row's own fields, but for Splunk's.
        row.iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .for_each(|(name, value)| put(&mut found, name, texts(value)));
    }
    for name in ["search_name", "risk_object", "risk_object_field", "risk_object_type", "risk_score", "risk_message"] {
        put(&mut found, name, vec![text(name)]);
    }
    put(&mut found, "index", vec!["risk".to_owned()]);
    put(&mut found, "sourcetype", vec!["stash".to_owned()]);
    put(&mut found, "source", vec![text("search_name")]);
    if let Json::Object(annotations) = json("annotations") {
        annotated(&mut found, &annotations);
    }
    let threats = json("threat_objects");
    let of_threats = |key: &str| -> Vec<String> {
        threats.as_array().into_iter().flatten().filter_map(|threat| threat.get(key)).map(scalar).collect()
    };
    put(&mut found, "threat_object", of_threats("value"));
    put(&mut found, "threat_object_type", of_threats("type"));
    found
}

/// `annotations.mitre_attack` and its kin, with what ATT&CK tells of the techniques.
fn annotated(found: &mut Fields, annotations: &Map<String, Json>) {
    let mut all = Vec::new();
    for (name, value) in annotations {
        let values = texts(value);
        all.extend(values.clone());
        put(found, &format!("annotations.{name}"), values);
    }
    put(found, "annotations._all", all);
    put(found, "annotations._frameworks", annotations.keys().cloned().collect());
    put(found, "analyticstories", annotations.get("analytic_story").map(texts).unwrap_or_default());
    let techniques = annotations.get("mitre_attack").map(texts).unwrap_or_default();
    let tactics = attack::tactics(&techniques);
    let of_tactics = |text: fn(&attack::Tactic) -> &'static str| tactics.iter().map(|t| text(t).to_owned()).collect();
    put(found, "annotations.mitre_attack.mitre_tactic", of_tactics(|tactic| tactic.name));
    put(found, "annotations.mitre_attack.mitre_tactic_id", of_tactics(|tactic| tactic.id));
    put(found, "annotations.mitre_attack.mitre_technique_id", techniques);
}

fn put(found: &mut Fields, name: &str, values: Vec<String>) {
    let values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
    if !values.is_empty() {
        found.insert(name.into(), values);
    }
}

fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(items) => items.iter().map(scalar).collect(),
        other => vec![scalar(other)],
    }
}
