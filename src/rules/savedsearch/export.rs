//! Rules as a savedsearches.conf.
use super::super::detection::{Detection, DetectionKind, Entity, Generation, ORIGINAL_SEARCH, Schedule, finding_of};
use super::super::rule::{Choice, Format, Language, Rule, TriggerOperator};
use super::{NAME_TOKEN, NOTABLE, RISK, sentinel};
use serde_json::{Value, json};

/// A savedsearches.conf with a stanza for each rule. A detection's stanza is what the public content's build writes
/// for its form; a rule in KQL becomes a search that runs it, switched off until its events are chosen.
pub fn to_conf<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> String {
    let stanzas = rules.into_iter().map(|rule| match (&rule.detection, rule.language) {
        (Some(detection), Language::Spl) => stanza(rule, detection),
        _ => sentinel::stanza(rule),
    });
    stanzas.collect::<Vec<String>>().join("\n")
}

/// The settings of a stanza in their order.
pub(super) struct Settings(String);

impl Settings {
    pub fn new(name: &str) -> Settings {
        Settings(format!("[{}]\n", name.replace(['\n', '\r'], " ")))
    }

    /// A line `key = value`; a value of several lines goes on after backslashes.
    pub fn put(&mut self, key: &str, value: &str) {
        let text = value.trim().replace('\r', "").replace('\n', " \\\n");
        // A backslash at the end would take the next line as well.
        let end = if text.ends_with('\\') { " " } else { "" };
        self.0.push_str(&format!("{key} = {text}{end}\n"));
    }

    pub fn put_all(&mut self, settings: &[(&str, &str)]) {
        settings.iter().for_each(|(key, value)| self.put(key, value));
    }

    pub fn json(&mut self, key: &str, value: &Value) {
        self.put(key, &value.to_string());
    }

    pub fn finish(self) -> String {
        self.0
    }
}

fn stanza(rule: &Rule, detection: &Detection) -> String {
    let mut out = Settings::new(&detection.search_name);
    // The content comes switched off unless a detection says otherwise.
    let said = rule.format == Format::SavedSearch || rule.raw.get("enabled_by_default").is_some();
    let enabled = rule.enabled && said;
    out.put("action.escu", "0");
    out.put("action.correlationsearch.enabled", "1");
    out.put("action.correlationsearch.detection_type", "ebd");
    out.put("action.correlationsearch.label", &detection.search_name);
    out.json("action.correlationsearch.annotations", &annotations(rule, detection));
    out.json("action.correlationsearch.metadata", &metadata(rule));
    put_schedule(&mut out, rule, &detection.schedule, enabled);
    if let Some(throttling) = &detection.throttling {
        out.put("alert.suppress", "1");
        out.put("alert.suppress.fields", &throttling.fields.join(","));
        out.put("alert.suppress.period", &throttling.period);
    }
    if let Some(description) = &rule.description {
        out.put("description", description);
    }
    put_risk(&mut out, detection);
    put_notable(&mut out, rule, detection);
    out.put("search", &rule.query);
    out.finish()
}

/// When a search runs, over which events, and for how many rows it tells of them.
pub fn put_schedule(out: &mut Settings, rule: &Rule, schedule: &Schedule, enabled: bool) {
    out.put_all(&[
        ("disabled", if enabled { "0" } else { "1" }),
        ("enableSched", "1"),
        ("cron_schedule", &schedule.cron),
        ("dispatch.earliest_time", &schedule.earliest),
        ("dispatch.latest_time", &schedule.latest),
        ("schedule_window", &schedule.window),
        ("allow_skew", "100%"),
        ("counttype", "number of events"),
        ("relation", relation(rule.trigger_operator)),
        ("quantity", &rule.trigger_threshold.to_string()),
        ("alert.digest_mode", "1"),
        ("realtime_schedule", "0"),
        ("is_visible", "false"),
    ]);
}

pub(super) fn relation(operator: TriggerOperator) -> &'static str {
    match operator {
        TriggerOperator::GreaterThan => "greater than",
        TriggerOperator::LessThan => "less than",
        TriggerOperator::Equal => "equal to",
        TriggerOperator::NotEqual => "not equal to",
    }
}

fn annotations(rule: &Rule, detection: &Detection) -> Value {
    let Value::Object(mut found) = detection.annotations(&rule.techniques) else { return Value::Null };
    let network = detection.security_domain.as_deref() == Some("network");
    found.insert("cis20".into(), json!([if network { "CIS 13" } else { "CIS 10" }]));
    found.insert("nist".into(), json!([if detection.kind == DetectionKind::Ttp { "DE.CM" } else { "DE.AE" }]));
    found.insert("type".into(), json!(detection.kind.name()));
    found.insert("type_list".into(), json!([detection.kind.name()]));
    found.sort_keys();
    Value::Object(found)
}

fn metadata(rule: &Rule) -> Value {
    let deprecated = rule.status.as_deref() == Some("deprecated");
    json!({
        "deprecated": i32::from(deprecated).to_string(),
        "detection_id": rule.id,
        "detection_version": rule.version,
    })
}

fn put_risk(out: &mut Settings, detection: &Detection) {
    let newest = detection.generation == Generation::Findings;
    let own = detection.finding_entity().filter(|_| newest);
    // The newest form scores a finding's entity with the finding itself.
    let scored: Vec<&Entity> = detection.scored().into_iter().filter(|e| own != Some(*e)).collect();
    if scored.is_empty() && detection.threat_objects.is_empty() {
        return;
    }
    let entity = |e: &&Entity| {
        let mut object = json!({"risk_object_field": e.field, "risk_object_type": e.kind, "risk_score": e.score});
        if newest && let Some(object) = object.as_object_mut() {
            object.insert("risk_message".into(), json!(e.message));
        }
        object
    };
    let mut threats: Vec<_> = detection.threat_objects.iter().map(|t| (&t.field, &t.kind)).collect();
    threats.sort();
    let threats = threats.into_iter().map(|(f, k)| json!({"threat_object_field": f, "threat_object_type": k}));
    let risk: Vec<Value> = scored.iter().map(entity).chain(threats).collect();
    out.put("action.risk", "1");
    out.put(&format!("{RISK}_risk_message"), detection.message().unwrap_or_default());
    out.json(&format!("{RISK}_risk"), &json!(risk));
    out.put(&format!("{RISK}_risk_score"), "0");
    out.put(&format!("{RISK}verbose"), "0");
}

fn put_notable(out: &mut Settings, rule: &Rule, detection: &Detection) {
    let Some(finding) = &detection.finding else { return };
    let mut put = |key: &str, value: &str| out.put(&format!("{NOTABLE}{key}"), value);
    let newest = detection.generation == Generation::Findings;
    let title = match detection.kind {
        _ if newest => finding.title.as_str(),
        DetectionKind::Correlation => "RBA: %name%",
        _ => NAME_TOKEN,
    };
    put("rule_title", title);
    put("rule_description", "%description%");
    put("nes_fields", "user,dest");
    put("security_domain", detection.security_domain.as_deref().unwrap_or("threat"));
    put("severity", &detection.severity().lower());
    if let Some(entity) = entity_to_name(rule, detection) {
        let entity =
            json!([{"risk_object_field": entity.field, "risk_object_type": entity.kind, "risk_score": entity.score}]);
        put("_entities", &entity.to_string());
    }
    if !detection.drilldowns.is_empty() {
        let text = detection.drilldown_searches().to_string();
        // Quotes and line ends of the search are those of a JSON text.
        let query = json!(rule.query.trim()).to_string();
        let inside = query.get(1..query.len().saturating_sub(1)).unwrap_or_default();
        put("drilldown_searches", &text.replace(ORIGINAL_SEARCH, inside));
    }
    out.put("action.notable", "1");
}

/// The finding's entity, where the stanza must name it: always in the newest form, and where the sorted entities
/// would else stand for another one.
fn entity_to_name<'a>(rule: &Rule, detection: &'a Detection) -> Option<&'a Entity> {
    let own = detection.finding_entity()?;
    let sorted: Vec<Entity> = detection.scored().into_iter().cloned().collect();
    let guessed = finding_of(&sorted, &rule.name).entity.and_then(|at| sorted.get(at));
    (detection.generation == Generation::Findings || guessed != Some(own)).then_some(own)
}

/// The stanza of a rule that is no detection of Splunk's.
pub(super) fn stanza_name(name: &str) -> String {
    format!("huntpack - {name} - Rule")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_go_on_after_backslashes() {
        let mut out = Settings::new("a\nb");
        out.put("search", " one\n| two\\");
        assert_eq!(out.finish(), "[a b]\nsearch = one \\\n| two\\ \n");
    }
}
