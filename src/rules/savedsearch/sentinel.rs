//! A rule in KQL as a saved search that runs it.
use super::super::detection::Schedule;
use super::super::duration::{DAY, HOUR, MINUTE, Ticks};
use super::super::rule::{Rule, RuleSeverity};
use super::export::{Settings, put_schedule, stanza_name};
use super::{NOTABLE, RISK};
use serde_json::{Value, json};

/// The stanza: the search hands events to the rule, its rows carry the entities that the rule maps.
pub fn stanza(rule: &Rule) -> String {
    let name = stanza_name(&rule.name);
    let mut out = Settings::new(&name);
    out.put_all(&[
        ("action.correlationsearch.enabled", "1"),
        ("action.correlationsearch.detection_type", "ebd"),
        ("action.correlationsearch.label", &name),
    ]);
    out.json(
        "action.correlationsearch.annotations",
        &json!({"mitre_attack": rule.techniques, "type": "TTP", "type_list": ["TTP"]}),
    );
    out.json("action.correlationsearch.metadata", &json!({"detection_id": rule.id, "detection_version": rule.version}));
    let minutes = rule.query_period / MINUTE;
    let schedule = Schedule {
        cron: cron(rule.query_frequency),
        earliest: format!("-{}m@m", minutes.max(1)),
        latest: "@m".to_owned(),
        window: "auto".to_owned(),
    };
    put_schedule(&mut out, rule, &schedule, false);
    if rule.suppression_enabled {
        out.put("alert.suppress", "1");
        out.put("alert.suppress.period", &format!("{}m", (rule.suppression_duration / MINUTE).max(1)));
    }
    if let Some(description) = &rule.description {
        out.put("description", description);
    }
    put_actions(&mut out, rule);
    let id = rule.key().replace('"', "");
    out.put("search", &format!("{} | huntpack rules=\"{id}\" output=results", events(rule)));
    out.finish()
}

fn put_actions(out: &mut Settings, rule: &Rule) {
    let score = score(rule.severity);
    let (entities, threats) = entities(rule);
    let object = |(field, kind): &(String, &str)| json!({"risk_object_field": field, "risk_object_type": kind, "risk_score": score});
    let threat = |(field, kind): &(String, &str)| json!({"threat_object_field": field, "threat_object_type": kind});
    let risk: Vec<Value> = entities.iter().map(object).chain(threats.iter().map(threat)).collect();
    if !risk.is_empty() {
        out.put("action.risk", "1");
        out.put(&format!("{RISK}_risk_message"), &rule.name);
        out.json(&format!("{RISK}_risk"), &json!(risk));
        out.put(&format!("{RISK}_risk_score"), "0");
        out.put(&format!("{RISK}verbose"), "0");
    }
    out.put("action.notable", "1");
    out.put(&format!("{NOTABLE}rule_title"), &rule.name);
    out.put(&format!("{NOTABLE}rule_description"), "%description%");
    out.put(&format!("{NOTABLE}security_domain"), "threat");
    out.put(&format!("{NOTABLE}severity"), severity(rule.severity));
    let entity = entities.iter().find(|(_, kind)| *kind == "user").or(entities.first());
    if let Some(entity) = entity {
        out.json(&format!("{NOTABLE}_entities"), &json!([object(entity)]));
    }
}

/// Columns that name whom an alert is about, and columns that name the means of it.
type Mapped = Vec<(String, &'static str)>;

fn entities(rule: &Rule) -> (Mapped, Mapped) {
    let (mut entities, mut threats): (Mapped, Mapped) = Default::default();
    for mapping in rule.mapped_entities() {
        let Some(field) = mapping.field_mappings.first() else { continue };
        let column = field.column_name.clone();
        match mapping.entity_type.to_ascii_lowercase().as_str() {
            "account" | "mailbox" => entities.push((column, "user")),
            "host" | "ip" | "azureresource" => entities.push((column, "system")),
            "url" => threats.push((column, "url")),
            "dns" => threats.push((column, "domain")),
            "file" => threats.push((column, "file_name")),
            "filehash" => threats.push((column, "file_hash")),
            "process" => threats.push((column, "process")),
            "registrykey" => threats.push((column, "registry_path")),
            _ => entities.push((column, "other")),
        }
    }
    (entities, threats)
}

fn score(severity: RuleSeverity) -> i64 {
    match severity {
        RuleSeverity::Informational => 20,
        RuleSeverity::Low => 40,
        RuleSeverity::Medium => 60,
        RuleSeverity::High => 80,
    }
}

fn severity(severity: RuleSeverity) -> &'static str {
    match severity {
        RuleSeverity::Informational => "informational",
        RuleSeverity::Low => "low",
        RuleSeverity::Medium => "medium",
        RuleSeverity::High => "high",
    }
}

/// The events of the rule's tables, by the macros of the Splunk app that say where they are.
fn events(rule: &Rule) -> String {
    let read = MAPPED.iter().filter(|table| rule.query.contains(**table));
    let macros: Vec<String> = read.map(|table| format!("`huntpack_{}`", table.to_ascii_lowercase())).collect();
    if macros.is_empty() { "index=*".to_owned() } else { macros.join(" OR ") }
}

/// The tables that the app has a macro for.
const MAPPED: &[&str] = &["AuditLogs", "CommonSecurityLog", "OfficeActivity", "SigninLogs", "W3CIISLog"];

/// A cron expression that runs so often.
fn cron(frequency: Ticks) -> String {
    match frequency {
        f if f < HOUR => format!("*/{} * * * *", (f / MINUTE).max(1)),
        f if f < DAY => format!("0 */{} * * *", (f / HOUR).max(1)),
        f if f < 7 * DAY => "0 0 * * *".to_owned(),
        f if f < 28 * DAY => "0 0 * * 0".to_owned(),
        _ => "0 0 1 * *".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_become_cron_expressions() {
        let of = |frequency| cron(frequency);
        assert_eq!(
            (of(5 * MINUTE), of(HOUR), of(4 * HOUR)),
            ("*/5 * * * *".into(), "0 */1 * * *".into(), "0 */4 * * *".into())
        );
        assert_eq!((of(DAY), of(7 * DAY), of(30 * DAY)), ("0 0 * * *".into(), "0 0 * * 0".into(), "0 0 1 * *".into()));
    }
}
