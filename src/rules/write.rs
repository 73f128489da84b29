//! Rules as clean YAML, whatever they were read from.
use super::document::Node;
use super::duration::to_iso;
use super::emit::to_yaml;
use super::escu;
use super::rule::{Choice, EventGrouping, Rule};
use serde_json::{Map, Value, json};

/// The rule as a YAML file; reading it gives the same attributes.
pub fn rule_yaml(rule: &Rule) -> String {
    let document = match &rule.detection {
        Some(detection) => escu::document(rule, detection),
        None => document(rule),
    };
    to_yaml(&Node::from_json(&Value::Object(document), Default::default()))
}

/// The keys in the order that the public rules have them; what is absent or says only the default is left out.
fn document(rule: &Rule) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        if !is_empty(&value) {
            map.insert(key.into(), value);
        }
    };
    put("id", json!(rule.id));
    put("name", json!(rule.name));
    put("description", json!(rule.description.as_deref().map(quoted)));
    put("version", json!(rule.version));
    put("author", json!(rule.author));
    put("kind", json!(rule.kind.name()));
    put("severity", json!(rule.severity.name()));
    put("status", json!(rule.status));
    put("enabled", if rule.enabled { Value::Null } else { json!(false) });
    put("requiredDataConnectors", rule.required_data_connectors.clone());
    put("queryFrequency", json!(to_iso(rule.query_frequency)));
    put("queryPeriod", json!(to_iso(rule.query_period)));
    put("triggerOperator", json!(rule.trigger_operator.name()));
    put("triggerThreshold", json!(rule.trigger_threshold));
    put("tactics", json!(rule.tactics));
    put("relevantTechniques", json!(rule.techniques));
    put("query", json!(rule.query));
    put("entityMappings", rule.entity_mappings.clone());
    put("sentinelEntitiesMappings", rule.sentinel_entities_mappings.clone());
    put("customDetails", rule.custom_details.clone());
    put("alertDetailsOverride", rule.alert_details_override.clone());
    if rule.event_grouping != EventGrouping::SingleAlert {
        put("eventGroupingSettings", json!({"aggregationKind": rule.event_grouping.name()}));
    }
    put("suppressionEnabled", json!(rule.suppression_enabled));
    put("suppressionDuration", json!(to_iso(rule.suppression_duration)));
    put("incidentConfiguration", incident(rule));
    put("tags", rule.tags.clone());
    map
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Reading takes outer quotes off a description: where it has some of its own, others go around them.
pub(super) fn quoted(description: &str) -> String {
    let own = ['\'', '"'].iter().any(|quote| {
        let text = description.trim();
        text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote)
    });
    if own { format!("'{description}'") } else { description.to_string() }
}

pub(super) fn incident(rule: &Rule) -> Value {
    json!({
        "createIncident": rule.create_incident,
        "groupingConfiguration": {
            "enabled": rule.grouping_enabled,
            "reopenClosedIncident": rule.reopen_closed_incident,
            "lookbackDuration": to_iso(rule.lookback_duration),
            "matchingMethod": rule.matching_method.name(),
            "groupByEntities": rule.group_by_entities,
            "groupByAlertDetails": rule.group_by_alert_details,
            "groupByCustomDetails": rule.group_by_custom_details,
        },
    })
}
