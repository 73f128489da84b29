//! Detections of Splunk's public content in YAML, of all its generations.
//!
//! Sources: the models of the content's build tool in its successive versions, and the detections themselves.
mod risk;
mod schedule;
pub mod strict;
mod write;

pub use schedule::{frequency, period};
pub(super) use write::document;

use super::attack;
use super::detection::{Detection, DetectionKind, Drilldown, Finding, Generation, Throttling, finding_of};
use super::document::{Node, source_of};
use super::fields::Said;
use super::rule::{Format, Rule};
use crate::diagnostic::{Fault, Source};
use risk::Risk;
use serde_json::Value;
use std::sync::Arc;

/// The app that the content's saved searches are called after.
pub const LABEL: &str = "ESCU";

/// The keys of the top level, of all generations.
pub const TOP_KEYS: &[&str] = &[
    "name",
    "id",
    "version",
    "date",
    "creation_date",
    "modification_date",
    "author",
    "status",
    "type",
    "description",
    "data_source",
    "data_sources",
    "datamodel",
    "search",
    "how_to_implement",
    "known_false_positives",
    "explanation",
    "references",
    "drilldown_searches",
    "rba",
    "finding",
    "intermediate_findings",
    "threat_objects",
    "tags",
    "tests",
    "analytic_story",
    "asset_type",
    "atomic_guid",
    "category",
    "cve",
    "mitre_attack_id",
    "product",
    "security_domain",
    "threat_group",
    "schedule",
    "custom_schedule",
    "throttling",
    "enabled_by_default",
    "deployment",
    "deprecation_info",
    "manual_test",
];

/// Whether a document means to be a detection: a search with a type and what only detections say of themselves.
pub fn is_detection(node: &Node) -> bool {
    let has = |key: &str| node.entries().iter().any(|(k, _)| k.text == key);
    let marks = ["tags", "rba", "finding", "intermediate_findings", "how_to_implement", "known_false_positives"];
    let other = node.get("type").and_then(Node::text).is_some_and(|kind| OTHER_KINDS.contains(&kind));
    has("search") && !other && marks.iter().any(|key| has(key))
}

/// Objects with a search that the same repositories hold beside detections.
const OTHER_KINDS: &[&str] = &["Baseline", "Investigation", "Response"];

/// Whether a document is one of the objects that a detection repository holds beside detections.
pub fn is_beside(node: &Node) -> bool {
    node.get("search").is_some()
        && node.get("type").and_then(Node::text).is_some_and(|kind| OTHER_KINDS.contains(&kind))
}

/// Reads one detection.
///
/// # Errors
/// Everything that keeps the detection from loading, located in the file: absent fields (`HP203`), unknown
/// values (`HP204`), values of a wrong kind (`HP205`).
pub fn read_rule(node: &Node, file: &Arc<Source>, raw: Value) -> Result<Rule, Fault> {
    let said = &mut Said::default();
    said.unknown_keys(node, TOP_KEYS, |_| false);
    let name = said.required_text(node, "name").trim().to_owned();
    let query = said.required_text(node, "search");
    let query_source = Arc::new(source_of(node, "search", &query, file));
    let detection = read_detection(said, node, &name, &file.origin);
    let enabled = said.flag(node, "enabled_by_default").unwrap_or(true);
    let techniques = about(node, "mitre_attack_id", said);
    let rule = Rule {
        id: said.text(node, "id").map(|id| id.trim().to_owned()),
        description: said.text(node, "description"),
        version: said.text(node, "version"),
        author: said.text(node, "author"),
        status: said.text(node, "status"),
        enabled,
        tactics: attack::tactics(&techniques).iter().map(|tactic| tactic.joined.to_owned()).collect(),
        techniques,
        tags: node.get("tags").map_or(Value::Object(Default::default()), Node::to_json),
        raw,
        ..Rule::of_detection(detection, name, query_source, Format::Escu, file)
    };
    let warnings = std::mem::take(said).finish(file)?;
    Ok(Rule { warnings, ..rule })
}

fn read_detection(said: &mut Said, node: &Node, name: &str, origin: &str) -> Detection {
    let kind = said.required_choice(node, "type", DetectionKind::Hunting);
    let risk = Risk::read(said, node, kind);
    Detection {
        kind,
        generation: risk.generation,
        search_name: format!("{LABEL} - {name} - Rule"),
        finding: finding(&risk, kind, name),
        entities: risk.entities,
        threat_objects: risk.threat_objects,
        drilldowns: drilldowns(said, node),
        analytic_story: about(node, "analytic_story", said),
        security_domain: one_about(node, "security_domain", said),
        asset_type: one_about(node, "asset_type", said),
        cve: about(node, "cve", said),
        data_source: said.texts(node, "data_source"),
        schedule: schedule::read(said, node, origin),
        throttling: throttling(said, node),
    }
}

/// What the results are raised as. Only the newest form says so itself; the others raise what the type asks for.
fn finding(risk: &Risk, kind: DetectionKind, name: &str) -> Option<Finding> {
    match kind {
        _ if risk.generation == Generation::Findings => risk.finding.clone(),
        DetectionKind::Ttp => Some(finding_of(&risk.entities, name)),
        DetectionKind::Correlation => Some(Finding { title: format!("RBA: {name}"), entity: None }),
        DetectionKind::Anomaly | DetectionKind::Hunting => None,
    }
}

/// The mapping that holds what a detection is about: `tags`, or, in the newest form, the top level.
fn home<'a>(node: &'a Node, key: &str) -> &'a Node {
    match node.get(key) {
        Some(_) => node,
        None => node.get("tags").filter(|tags| tags.is_mapping()).unwrap_or(node),
    }
}

fn about(node: &Node, key: &str, said: &mut Said) -> Vec<String> {
    said.texts(home(node, key), key)
}

fn one_about(node: &Node, key: &str, said: &mut Said) -> Option<String> {
    said.text(home(node, key), key)
}

fn drilldowns(said: &mut Said, node: &Node) -> Vec<Drilldown> {
    said.list(node, "drilldown_searches");
    let items = node.get("drilldown_searches").map(Node::items).unwrap_or_default();
    let read = |item: &Node| Drilldown {
        name: said.required_text(item, "name"),
        search: said.required_text(item, "search"),
        earliest_offset: said.text(item, "earliest_offset"),
        latest_offset: said.text(item, "latest_offset"),
    };
    items.iter().map(read).collect()
}

fn throttling(said: &mut Said, node: &Node) -> Option<Throttling> {
    let throttling = home(node, "throttling").get("throttling")?;
    let (fields, period) = (said.texts(throttling, "fields"), said.required_text(throttling, "period"));
    Some(Throttling { fields, period })
}

#[cfg(test)]
mod tests;
