//! Microsoft Sentinel analytic rules in YAML.
//!
//! Sources: the public rule repository's instructions and validators, the ARM schema of
//! `Microsoft.SecurityInsights/alertRules`.
use super::document::{Content, Node, source_of};
use super::duration::MINUTE;
use super::fields::Said;
use super::import;
use super::mapping::{AlertDetailsOverride, EntitiesMapping, EntityMapping};
use super::rule::{
    Choice, DEFAULT_LOOKBACK, DEFAULT_SUPPRESSION, EventGrouping, Format, Language, MatchingMethod, Rule, RuleKind,
    RuleSeverity, TriggerOperator,
};
use crate::diagnostic::{Fault, Source};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// The keys of a rule's top level.
pub const TOP_KEYS: &[&str] = &[
    "id",
    "name",
    "description",
    "severity",
    "status",
    "version",
    "kind",
    "enabled",
    "author",
    "requiredDataConnectors",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "tactics",
    "relevantTechniques",
    "query",
    "entityMappings",
    "sentinelEntitiesMappings",
    "customDetails",
    "alertDetailsOverride",
    "eventGroupingSettings",
    "suppressionEnabled",
    "suppressionDuration",
    "incidentConfiguration",
    "tags",
    "metadata",
    "alertRuleTemplateName",
    "templateFields",
];
pub const INCIDENT_KEYS: &[&str] = &["createIncident", "groupingConfiguration"];
pub const GROUPING_KEYS: &[&str] = &[
    "enabled",
    "reopenClosedIncident",
    "lookbackDuration",
    "matchingMethod",
    "groupByEntities",
    "groupByAlertDetails",
    "groupByCustomDetails",
];

/// Whether a document means to be an analytic rule: a schedule and a severity, or a query and a rule's kind.
pub fn is_rule(node: &Node) -> bool {
    let has = |key: &str| node.entries().iter().any(|(k, _)| k.text == key);
    let marks = ["severity", "queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"];
    let kind = || node.get("kind").and_then(Node::text).and_then(RuleKind::parse).is_some();
    marks.iter().filter(|key| has(key)).count() >= 2 || (has("query") && kind())
}

/// Reads one rule document.
///
/// # Errors
/// Everything that keeps the rule from loading, located in the file: absent fields (`HP203`), unknown
/// values (`HP204`), values of a wrong kind (`HP205`).
pub fn read_rule(node: &Node, file: &Arc<Source>, format: Format, raw: Value) -> Result<Rule, Fault> {
    let said = &mut Said::default();
    said.unknown_keys(node, TOP_KEYS, import::belongs_deeper);
    let kind = read_kind(said, node, file)?;
    let query = said.required_text(node, "query");
    let query_source = Arc::new(source_of(node, "query", &query, file));
    let schedule = Schedule::read(said, node, kind);
    let grouping = Grouping::read(said, node);
    let rule = Rule {
        id: said.text(node, "id").map(|id| id.trim().to_string()),
        name: said.required_text(node, "name"),
        description: said.text(node, "description").map(unquoted),
        version: said.text(node, "version"),
        author: author(said, node),
        path: file.origin.clone(),
        raw,
        language: Language::Kql,
        format,
        kind,
        severity: said.required_choice(node, "severity", RuleSeverity::Medium),
        status: said.text(node, "status"),
        enabled: said.flag(node, "enabled").unwrap_or(true),
        query,
        query_source,
        query_frequency: schedule.frequency,
        query_period: schedule.period,
        trigger_operator: schedule.operator,
        trigger_threshold: schedule.threshold,
        suppression_enabled: said.flag(node, "suppressionEnabled").unwrap_or(false),
        suppression_duration: said.duration(node, "suppressionDuration").unwrap_or(DEFAULT_SUPPRESSION),
        tactics: said.texts(node, "tactics").iter().map(|tactic| tactic.replace(' ', "")).collect(),
        techniques: said.texts(node, "relevantTechniques"),
        entity_mappings: typed::<Vec<EntityMapping>>(said, node, "entityMappings", Said::list),
        sentinel_entities_mappings: typed::<Vec<EntitiesMapping>>(said, node, "sentinelEntitiesMappings", Said::list),
        custom_details: said.mapping(node, "customDetails"),
        alert_details_override: typed::<AlertDetailsOverride>(said, node, "alertDetailsOverride", Said::mapping),
        required_data_connectors: said.list(node, "requiredDataConnectors"),
        tags: node.get("tags").map_or(Value::Array(vec![]), Node::to_json),
        event_grouping: event_grouping(said, node),
        create_incident: grouping.create_incident,
        grouping_enabled: grouping.enabled,
        reopen_closed_incident: grouping.reopen,
        lookback_duration: grouping.lookback,
        matching_method: grouping.matching,
        group_by_entities: grouping.entities,
        group_by_alert_details: grouping.alert_details,
        group_by_custom_details: grouping.custom_details,
        detection: None,
        warnings: vec![],
        file: file.clone(),
    };
    let warnings = std::mem::take(said).finish(file)?;
    Ok(Rule { warnings, ..rule })
}

/// The kind, Scheduled where the rule has none. A rule of another kind has other fields: nothing more can
/// be said of it.
fn read_kind(said: &mut Said, node: &Node, file: &Arc<Source>) -> Result<RuleKind, Fault> {
    if node.get("kind").is_none() {
        return Ok(RuleKind::Scheduled);
    }
    match said.choice(node, "kind") {
        Some(kind) => Ok(kind),
        None => std::mem::take(said).finish(file).map(|_| RuleKind::Scheduled),
    }
}

struct Schedule {
    frequency: i64,
    period: i64,
    operator: TriggerOperator,
    threshold: i64,
}

impl Schedule {
    /// A near-real-time rule has no schedule of its own: each minute, any row.
    fn read(said: &mut Said, node: &Node, kind: RuleKind) -> Schedule {
        let operator = TriggerOperator::GreaterThan;
        if kind == RuleKind::Nrt {
            let threshold = node.get("triggerThreshold").map_or(0, |_| said.required_integer(node, "triggerThreshold"));
            return Schedule {
                frequency: said.span_of_time(node, "queryFrequency").unwrap_or(MINUTE),
                period: said.span_of_time(node, "queryPeriod").unwrap_or(MINUTE),
                operator: said.choice(node, "triggerOperator").unwrap_or(operator),
                threshold,
            };
        }
        Schedule {
            frequency: said.required_duration(node, "queryFrequency"),
            period: said.required_duration(node, "queryPeriod"),
            operator: said.required_choice(node, "triggerOperator", operator),
            threshold: said.required_integer(node, "triggerThreshold"),
        }
    }
}

struct Grouping {
    create_incident: bool,
    enabled: bool,
    reopen: bool,
    lookback: i64,
    matching: MatchingMethod,
    entities: Vec<String>,
    alert_details: Vec<String>,
    custom_details: Vec<String>,
}

impl Grouping {
    fn read(said: &mut Said, node: &Node) -> Grouping {
        let nothing = Node { content: Content::Mapping(vec![]), span: node.span };
        said.mapping(node, "incidentConfiguration");
        let incident = node.get("incidentConfiguration").unwrap_or(&nothing);
        said.unknown_keys(incident, INCIDENT_KEYS, import::belongs_deeper);
        said.mapping(incident, "groupingConfiguration");
        let grouping = incident.get("groupingConfiguration").unwrap_or(&nothing);
        said.unknown_keys(grouping, GROUPING_KEYS, |_| false);
        Grouping {
            create_incident: said.flag(incident, "createIncident").unwrap_or(true),
            enabled: said.flag(grouping, "enabled").unwrap_or(false),
            reopen: said.flag(grouping, "reopenClosedIncident").unwrap_or(false),
            lookback: said.duration(grouping, "lookbackDuration").unwrap_or(DEFAULT_LOOKBACK),
            matching: said.choice(grouping, "matchingMethod").unwrap_or(MatchingMethod::AllEntities),
            entities: said.texts(grouping, "groupByEntities"),
            alert_details: said.texts(grouping, "groupByAlertDetails"),
            custom_details: said.texts(grouping, "groupByCustomDetails"),
        }
    }
}

fn event_grouping(said: &mut Said, node: &Node) -> EventGrouping {
    said.mapping(node, "eventGroupingSettings");
    let settings = node.get("eventGroupingSettings");
    settings.and_then(|node| said.choice(node, "aggregationKind")).unwrap_or(EventGrouping::SingleAlert)
}

fn author(said: &mut Said, node: &Node) -> Option<String> {
    let metadata = || node.get("metadata")?.get("author")?.get("name")?.text().map(str::to_string);
    said.text(node, "author").or_else(metadata)
}

/// The value as written, checked to be what a run reads from it.
fn typed<T: DeserializeOwned>(
    said: &mut Said,
    node: &Node,
    key: &str,
    read: fn(&mut Said, &Node, &str) -> Value,
) -> Value {
    let value = read(said, node, key);
    if let (Err(error), Some(place)) = (T::deserialize(&value), node.get(key)) {
        said.error("HP205", format!("`{key}`: {error}"), place);
    }
    value
}

/// Upstream wraps descriptions in literal quotes, also inside of block texts.
fn unquoted(text: String) -> String {
    let trimmed = text.trim();
    let inner = ['\'', '"'].iter().find_map(|quote| trimmed.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.map_or(text.clone(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::document::parse_yaml;
    use crate::rules::duration::{DAY, HOUR};
    use serde_json::json;

    const SMALL: &str = "id: 11111111-2222-3333-4444-555555555555\nname: Small\nseverity: High\n\
        queryFrequency: 1h\nqueryPeriod: 1d\ntriggerOperator: gt\ntriggerThreshold: 0\nquery: T | take 1\n";

    fn read(text: &str) -> Result<Rule, Fault> {
        let source = Source { text: text.into(), origin: "rule.yaml".into(), first_line: 1, indent: 0 };
        let file = Arc::new(source);
        let node = parse_yaml(&file)?.remove(0);
        read_rule(&node, &file, Format::Sentinel, node.to_json())
    }

    fn with(extra: &str) -> Rule {
        read(&format!("{SMALL}{extra}")).unwrap()
    }

    /// Codes and lines of what is wrong.
    fn wrong(text: &str) -> Vec<(String, usize)> {
        let fault = read(text).unwrap_err();
        let source = fault.source().unwrap().clone();
        let line = |d: &crate::diagnostic::Diagnostic| source.place(d.span.unwrap().start as usize).0;
        fault.diagnostics().iter().map(|d| (d.code.to_string(), line(d))).collect()
    }

    #[test]
    fn a_small_rule_gets_every_default() {
        let rule = with("");
        assert_eq!(
            (rule.kind, rule.enabled, rule.event_grouping),
            (RuleKind::Scheduled, true, EventGrouping::SingleAlert)
        );
        assert_eq!((rule.query_frequency, rule.query_period), (HOUR, DAY));
        assert_eq!((rule.suppression_enabled, rule.suppression_duration), (false, 5 * HOUR));
        assert_eq!((rule.create_incident, rule.grouping_enabled, rule.reopen_closed_incident), (true, false, false));
        assert_eq!((rule.lookback_duration, rule.matching_method), (5 * HOUR, MatchingMethod::AllEntities));
        assert_eq!((&rule.entity_mappings, &rule.custom_details), (&json!([]), &json!({})));
        assert_eq!((&rule.description, &rule.version, &rule.status), (&None, &None, &None));
        assert!(rule.warnings.is_empty());
    }

    #[test]
    fn written_values_are_kept_as_written() {
        let rule = with(
            "version: 1.10\nkind: nrt\ntactics: [Credential Access]\nrelevantTechniques:\n- T1110.003\n\
             description: |\n  'Two\n  lines.'\n\
             entityMappings:\n- entityType: IP\n  fieldMappings:\n  - identifier: Address\n    columnName: cIP\n",
        );
        assert_eq!((rule.version.as_deref(), rule.kind), (Some("1.10"), RuleKind::Nrt));
        assert_eq!((rule.tactics, rule.techniques), (vec!["CredentialAccess".into()], vec!["T1110.003".into()]));
        assert_eq!(rule.description.as_deref(), Some("Two\nlines."));
        assert_eq!(rule.entity_mappings[0]["fieldMappings"][0]["columnName"], "cIP");
    }

    #[test]
    fn trigger_operators_have_two_spellings() {
        for (text, operator) in [("gt", "gt"), ("LessThan", "lt"), ("equal", "eq"), ("NotEqual", "ne"), ("NE", "ne")] {
            let rule = read(&SMALL.replace("triggerOperator: gt", &format!("triggerOperator: {text}"))).unwrap();
            assert_eq!(rule.trigger_operator.name(), operator);
        }
    }

    #[test]
    fn incidents_are_grouped_as_configured() {
        let rule = with(
            "incidentConfiguration:\n  createIncident: false\n  groupingConfiguration:\n    enabled: true\n    \
             reopenClosedIncident: true\n    lookbackDuration: PT4H\n    matchingMethod: Selected\n    \
             groupByEntities: [Account]\n    groupByAlertDetails: [DisplayName]\n    groupByCustomDetails: []\n",
        );
        assert_eq!((rule.create_incident, rule.grouping_enabled, rule.reopen_closed_incident), (false, true, true));
        assert_eq!((rule.lookback_duration, rule.matching_method), (4 * HOUR, MatchingMethod::Selected));
        assert_eq!(
            (rule.group_by_entities, rule.group_by_alert_details),
            (vec!["Account".into()], vec!["DisplayName".into()])
        );
    }

    #[test]
    fn unknown_values_are_errors_at_their_line() {
        assert_eq!(wrong(&SMALL.replace("High", "Severe")), [("HP204".into(), 3)]);
        assert_eq!(wrong(&SMALL.replace("gt", "above")), [("HP204".into(), 6)]);
        assert_eq!(wrong(&SMALL.replace(": 1h", ": soon")), [("HP205".into(), 4)]);
        assert_eq!(wrong(&format!("{SMALL}kind: Fusion\n")), [("HP204".into(), 9)]);
        let nested = "eventGroupingSettings:\n  aggregationKind: Each\n";
        assert_eq!(wrong(&format!("{SMALL}{nested}")), [("HP204".into(), 10)]);
        let nested = "incidentConfiguration:\n  groupingConfiguration:\n    matchingMethod: Some\n";
        assert_eq!(wrong(&format!("{SMALL}{nested}")), [("HP204".into(), 11)]);
    }

    #[test]
    fn absent_fields_and_wrong_shapes_are_errors() {
        for key in ["name", "severity", "queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold", "query"]
        {
            let kept = SMALL.lines().filter(|line| !line.starts_with(&format!("{key}:")));
            let fault = read(&kept.collect::<Vec<_>>().join("\n")).unwrap_err();
            assert!(fault.message().contains(key), "{fault}");
        }
        assert_eq!(wrong(&format!("{SMALL}tactics: {{a: b}}\n")), [("HP205".into(), 9)]);
        assert_eq!(wrong(&format!("{SMALL}entityMappings: IP\n")), [("HP205".into(), 9)]);
        assert_eq!(wrong(&format!("{SMALL}entityMappings:\n- fieldMappings: []\n")), [("HP205".into(), 10)]);
    }

    #[test]
    fn unknown_keys_are_warnings() {
        let rule = with("sevrity: Low\n");
        assert_eq!((rule.warnings.len(), rule.warnings[0].code.as_ref()), (1, "HP207"));
        assert_eq!(rule.warnings[0].help.as_deref(), Some("did you mean `severity`?"));
    }

    #[test]
    fn a_key_at_the_wrong_level_is_named() {
        let rule = with("entityMappings:\n- entityType: IP\nfieldMappings: []\n");
        assert!(rule.warnings[0].message.contains("wrong level"), "{:?}", rule.warnings);
    }

    #[test]
    fn the_query_knows_its_lines_in_the_file() {
        let head = SMALL.replace("query: T | take 1\n", "");
        for (text, at, place) in [
            ("query: |\n  T\n  | take x\n", "x", (10, 10)),
            ("query: |\n\n    T\n    | take x\n", "x", (11, 12)),
            ("query: |2\n    T\n  | take x\n", "x", (10, 10)),
            ("query: T | take x\n", "x", (8, 17)),
            ("query: 'T | take x'\n", "x", (8, 18)),
        ] {
            let rule = read(&format!("{head}{text}")).unwrap();
            let offset = rule.query.find(at).unwrap();
            assert_eq!(rule.query_source.place(offset), place, "{text}");
        }
    }

    #[test]
    fn a_near_real_time_rule_needs_no_schedule() {
        let rule = read("id: a\nname: Now\nkind: NRT\nseverity: Low\nquery: T\n").unwrap();
        assert_eq!((rule.query_period, rule.trigger_threshold), (MINUTE, 0));
    }
}
