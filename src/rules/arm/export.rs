//! Rules as an ARM template.
use super::expression::escaped;
use crate::rules::duration::to_iso;
use crate::rules::rule::{Choice, Rule, RuleKind};
use crate::rules::write::{incident, is_empty, quoted};
use serde_json::{Map, Value, json};

const API_VERSION: &str = "2024-09-01";
const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
const RESOURCE_TYPE: &str = "Microsoft.OperationalInsights/workspaces/providers/alertRules";

/// A template that deploys the rules into the workspace of its parameter. Loading it again gives the same
/// rules: what ARM has no property for stands in each resource's metadata, which deployments ignore.
pub fn to_template<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Value {
    let resources: Vec<Value> = rules.into_iter().map(resource).collect();
    json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"workspace": {"type": "string"}},
        "resources": resources,
    })
}

fn resource(rule: &Rule) -> Value {
    let id = rule.key().replace('\'', "''");
    json!({
        "type": RESOURCE_TYPE,
        "apiVersion": API_VERSION,
        "name": format!("[concat(parameters('workspace'),'/Microsoft.SecurityInsights/{id}')]"),
        "kind": rule.kind.name(),
        "metadata": escape(metadata(rule)),
        "properties": escape(properties(rule)),
    })
}

/// What ARM's rules have no property for, and what its properties cannot say exactly.
fn metadata(rule: &Rule) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        if !is_empty(&value) {
            map.insert(key.into(), value);
        }
    };
    put("status", json!(rule.status));
    put("author", json!(rule.author));
    put("requiredDataConnectors", rule.required_data_connectors.clone());
    put("tags", rule.tags.clone());
    put("relevantTechniques", json!(rule.techniques));
    if rule.kind == RuleKind::Nrt {
        put("queryFrequency", json!(to_iso(rule.query_frequency)));
        put("queryPeriod", json!(to_iso(rule.query_period)));
        put("triggerOperator", json!(rule.trigger_operator.long_name()));
        put("triggerThreshold", json!(rule.trigger_threshold));
    }
    Value::Object(map)
}

fn properties(rule: &Rule) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        if !is_empty(&value) {
            map.insert(key.into(), value);
        }
    };
    put("displayName", json!(rule.name));
    put("description", json!(rule.description.as_deref().map(quoted)));
    put("severity", json!(rule.severity.name()));
    put("enabled", json!(rule.enabled));
    put("query", json!(rule.query));
    if rule.kind == RuleKind::Scheduled {
        put("queryFrequency", json!(to_iso(rule.query_frequency)));
        put("queryPeriod", json!(to_iso(rule.query_period)));
        put("triggerOperator", json!(rule.trigger_operator.long_name()));
        put("triggerThreshold", json!(rule.trigger_threshold));
    }
    put("suppressionDuration", json!(to_iso(rule.suppression_duration)));
    put("suppressionEnabled", json!(rule.suppression_enabled));
    put("tactics", json!(rule.tactics));
    put("techniques", techniques(rule, false));
    put("subTechniques", techniques(rule, true));
    put("templateVersion", json!(rule.version));
    put("entityMappings", rule.entity_mappings.clone());
    put("sentinelEntitiesMappings", rule.sentinel_entities_mappings.clone());
    put("customDetails", rule.custom_details.clone());
    put("alertDetailsOverride", rule.alert_details_override.clone());
    put("eventGroupingSettings", json!({"aggregationKind": rule.event_grouping.name()}));
    put("incidentConfiguration", incident(rule));
    Value::Object(map)
}

/// The techniques themselves, or the sub-techniques; a sub-technique's technique is among the former.
fn techniques(rule: &Rule, sub: bool) -> Value {
    let mut names: Vec<&str> = vec![];
    for technique in &rule.techniques {
        let name = if sub { technique } else { technique.split('.').next().unwrap_or(technique) };
        if (!sub || technique.contains('.')) && !names.contains(&name) {
            names.push(name);
        }
    }
    json!(names)
}

/// Texts that ARM would take for expressions, written as literals.
fn escape(value: Value) -> Value {
    match value {
        Value::String(text) => escaped(&text).into(),
        Value::Array(items) => items.into_iter().map(escape).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, escape(value))).collect()),
        other => other,
    }
}
