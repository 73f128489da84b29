//! What may stand where in a rule: without indentation, this alone says which line belongs to what.
use crate::rules::duration;
use crate::rules::rule::{Choice, RuleKind, RuleSeverity};

/// What a key holds.
#[derive(Debug)]
pub enum Shape {
    /// One line, or a block.
    Text,
    List(&'static Shape),
    Mapping(&'static [(&'static str, Shape)]),
    /// Keys of the author's own with a column's name each.
    Details,
}

use Shape::{Details, List, Mapping, Text};

/// The keys of a rule format's top level.
pub struct Schema {
    pub keys: &'static [(&'static str, Shape)],
    /// The key that holds the query.
    pub query: &'static str,
}

pub static SENTINEL: Schema = Schema { keys: SENTINEL_KEYS, query: "query" };
pub static ESCU: Schema = Schema { keys: ESCU_KEYS, query: "search" };

static SENTINEL_KEYS: &[(&str, Shape)] = &[
    ("id", Text),
    ("name", Text),
    ("description", Text),
    ("severity", Text),
    ("status", Text),
    ("version", Text),
    ("kind", Text),
    ("enabled", Text),
    ("author", Text),
    ("requiredDataConnectors", List(&Mapping(&[("connectorId", Text), ("dataTypes", List(&Text))]))),
    ("queryFrequency", Text),
    ("queryPeriod", Text),
    ("triggerOperator", Text),
    ("triggerThreshold", Text),
    ("tactics", List(&Text)),
    ("relevantTechniques", List(&Text)),
    ("query", Text),
    ("entityMappings", List(&Mapping(&[("entityType", Text), ("fieldMappings", List(&FIELD_MAPPING))]))),
    ("sentinelEntitiesMappings", List(&Mapping(&[("columnName", Text)]))),
    ("customDetails", Details),
    ("alertDetailsOverride", Mapping(OVERRIDE)),
    ("eventGroupingSettings", Mapping(&[("aggregationKind", Text)])),
    ("suppressionEnabled", Text),
    ("suppressionDuration", Text),
    ("incidentConfiguration", Mapping(&[("createIncident", Text), ("groupingConfiguration", Mapping(GROUPING))])),
    ("tags", List(&Text)),
    ("metadata", Mapping(METADATA)),
    ("alertRuleTemplateName", Text),
    ("templateFields", Text),
];

static FIELD_MAPPING: Shape = Mapping(&[("identifier", Text), ("columnName", Text)]);

static OVERRIDE: &[(&str, Shape)] = &[
    ("alertDisplayNameFormat", Text),
    ("alertDescriptionFormat", Text),
    ("alertTacticsColumnName", Text),
    ("alertSeverityColumnName", Text),
    ("alertDynamicProperties", List(&Mapping(&[("alertProperty", Text), ("value", Text)]))),
];

static GROUPING: &[(&str, Shape)] = &[
    ("enabled", Text),
    ("reopenClosedIncident", Text),
    ("lookbackDuration", Text),
    ("matchingMethod", Text),
    ("groupByEntities", List(&Text)),
    ("groupByAlertDetails", List(&Text)),
    ("groupByCustomDetails", List(&Text)),
];

static METADATA: &[(&str, Shape)] = &[
    ("source", Mapping(&[("kind", Text), ("name", Text)])),
    ("author", Mapping(&[("name", Text), ("email", Text)])),
    ("support", Mapping(&[("name", Text), ("email", Text), ("tier", Text), ("link", Text)])),
    ("categories", Mapping(&[("domains", List(&Text)), ("verticals", List(&Text))])),
];

static ESCU_KEYS: &[(&str, Shape)] = &[
    ("name", Text),
    ("id", Text),
    ("version", Text),
    ("date", Text),
    ("creation_date", Text),
    ("modification_date", Text),
    ("author", Text),
    ("status", Text),
    ("type", Text),
    ("data_source", List(&Text)),
    ("description", Text),
    ("search", Text),
    ("how_to_implement", Text),
    ("known_false_positives", Text),
    ("references", List(&Text)),
    ("drilldown_searches", List(&Mapping(DRILLDOWN))),
    (
        "rba",
        Mapping(&[("message", Text), ("risk_objects", List(&RISK_OBJECT)), ("threat_objects", List(&THREAT_OBJECT))]),
    ),
    ("finding", Mapping(&[("title", Text), ("entity", Mapping(RISK_KEYS))])),
    ("intermediate_findings", Mapping(&[("entities", List(&SCORED_OBJECT))])),
    ("threat_objects", List(&THREAT_OBJECT)),
    ("tags", Mapping(ESCU_TAGS)),
    ("analytic_story", List(&Text)),
    ("asset_type", Text),
    ("atomic_guid", List(&Text)),
    ("category", Text),
    ("cve", List(&Text)),
    ("mitre_attack_id", List(&Text)),
    ("product", List(&Text)),
    ("security_domain", Text),
    ("threat_group", List(&Text)),
    ("schedule", Text),
    ("custom_schedule", Mapping(SCHEDULE)),
    ("throttling", Mapping(THROTTLING)),
    ("tests", List(&Mapping(ESCU_TEST))),
];

static DRILLDOWN: &[(&str, Shape)] =
    &[("name", Text), ("search", Text), ("earliest_offset", Text), ("latest_offset", Text)];
static RISK_KEYS: &[(&str, Shape)] = &[("field", Text), ("type", Text), ("score", Text)];
static RISK_OBJECT: Shape = Mapping(RISK_KEYS);
static SCORED_OBJECT: Shape = Mapping(&[("field", Text), ("type", Text), ("score", Text), ("message", Text)]);
static SCHEDULE: &[(&str, Shape)] =
    &[("cron_schedule", Text), ("earliest_time", Text), ("latest_time", Text), ("schedule_window", Text)];
static THROTTLING: &[(&str, Shape)] = &[("fields", List(&Text)), ("period", Text)];
static ESCU_TEST: &[(&str, Shape)] = &[
    ("name", Text),
    ("test_type", Text),
    ("expected_results", Text),
    ("description", Text),
    ("attack_data", List(&ATTACK_DATA)),
];
static THREAT_OBJECT: Shape = Mapping(&[("field", Text), ("type", Text)]);
static ATTACK_DATA: Shape =
    Mapping(&[("data", Text), ("source", Text), ("sourcetype", Text), ("host", Text), ("custom_index", Text)]);
static ESCU_TAGS: &[(&str, Shape)] = &[
    ("analytic_story", List(&Text)),
    ("asset_type", Text),
    ("confidence", Text),
    ("cve", List(&Text)),
    ("impact", Text),
    ("message", Text),
    ("mitre_attack_id", List(&Text)),
    ("observable", List(&Mapping(&[("name", Text), ("type", Text), ("role", List(&Text))]))),
    ("product", List(&Text)),
    ("required_fields", List(&Text)),
    ("risk_score", Text),
    ("security_domain", Text),
    ("atomic_guid", List(&Text)),
    ("manual_test", Text),
    ("throttling", Mapping(THROTTLING)),
];

/// The shape of a key among others.
pub fn shape(keys: &'static [(&'static str, Shape)], key: &str) -> Option<&'static Shape> {
    keys.iter().find(|(name, _)| *name == key).map(|(_, shape)| shape)
}

/// Whether some mapping below the top level of a schema has this key.
pub fn is_nested_key(schema: &Schema, key: &str) -> bool {
    fn inside(shape: &Shape, key: &str) -> bool {
        match shape {
            Text | Details => false,
            List(item) => inside(item, key),
            Mapping(keys) => keys.iter().any(|(name, shape)| *name == key || inside(shape, key)),
        }
    }
    schema.keys.iter().any(|(_, shape)| inside(shape, key))
}

impl Schema {
    /// Whether `key: value` can be a line of the top level: prose and query texts hold lines that look
    /// like keys, but hardly with a value that fits.
    pub fn anchors(&self, key: &str, value: &str) -> bool {
        let Some(shape) = shape(self.keys, key) else { return false };
        let bare = value.split(" #").next().unwrap_or("").trim().trim_matches(['"', '\'']);
        match (shape, key) {
            (Text, "id") => is_guid(bare),
            (Text, "severity") => RuleSeverity::parse(bare).is_some(),
            (Text, "kind") => RuleKind::parse(bare).is_some(),
            (Text, "queryFrequency" | "queryPeriod" | "suppressionDuration") => duration::parse(bare).is_some(),
            (Text, "triggerThreshold") => bare.parse::<f64>().is_ok(),
            (Text, "enabled" | "suppressionEnabled") => ["true", "false"].contains(&bare.to_lowercase().as_str()),
            (Text, "version") => bare.starts_with(|c: char| c.is_ascii_digit()),
            (Text, "triggerOperator" | "type" | "date") => !bare.is_empty() && !bare.contains(' '),
            (Text, _) => !value.ends_with([';', ',']),
            _ => value.is_empty() || value.starts_with(['[', '{', '#']),
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() >= 20 && text.contains('-') && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
