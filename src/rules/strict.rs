//! What upstream's validators ask of an analytic rule beyond what it needs to run.
//!
//! Sources: the validators and the style guide of the public rule repository, Sentinel's documented limits.
use super::document::{Node, parse_yaml};
use super::duration::{DAY, HOUR, MINUTE, to_iso};
use super::entity;
use super::escu;
use super::rule::{Format, MatchingMethod, Rule, RuleKind};
use crate::diagnostic::{Diagnostic, Severity, Span};
use serde_json::Value;

const TACTICS: &[&str] = &[
    "Reconnaissance",
    "ResourceDevelopment",
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "CommandAndControl",
    "Exfiltration",
    "Impact",
    "ImpairProcessControl",
    "InhibitResponseFunction",
    "PreAttack",
];
const STATUSES: &[&str] = &["Available", "InPreview", "Deprecated"];
const ALERT_DETAILS: &[&str] = &["DisplayName", "Severity"];
const ALERT_PROPERTIES: &[&str] = &[
    "AlertLink",
    "ConfidenceLevel",
    "ConfidenceScore",
    "ExtendedLinks",
    "ProductName",
    "ProviderName",
    "ProductComponentName",
    "RemediationSteps",
    "Techniques",
    "SubTechniques",
];

/// What upstream would refuse of a rule (`HP210` to `HP226`), at the place of its key; empty where nothing.
pub fn check(rule: &Rule) -> Vec<Diagnostic> {
    if let Some(detection) = &rule.detection {
        return if rule.format == Format::Escu { escu::strict::check(rule, detection) } else { vec![] };
    }
    let mut checker = Checker { places: places(rule), said: vec![] };
    checker.texts(rule);
    checker.schedule(rule);
    checker.attack(rule);
    checker.entities(rule);
    checker.details(rule);
    checker.incident(rule);
    checker.said
}

/// What Azure would refuse of a rule's query, or Splunk's build of a detection, though it runs here: warnings.
pub fn refused(rule: &Rule) -> Vec<Diagnostic> {
    let warning = |said| Diagnostic { severity: Severity::Warning, ..said };
    if rule.detection.is_some() {
        return check(rule).into_iter().map(warning).collect();
    }
    let mut checker = Checker { places: places(rule), said: vec![] };
    checker.query(rule);
    let warning = |said: Diagnostic| Diagnostic { severity: Severity::Warning, ..said };
    checker.said.into_iter().map(warning).collect()
}

/// The document whose keys say where things stand: the one of the file with the rule's id or name.
fn places(rule: &Rule) -> Option<Node> {
    let documents = if rule.format == Format::Sentinel { parse_yaml(&rule.file).ok()? } else { vec![] };
    let own = |node: &Node| {
        let same = |key: &str, text: Option<&str>| node.get(key).and_then(Node::text).map(str::trim) == text;
        same("id", rule.id.as_deref()) && same("name", Some(rule.name.trim()))
    };
    documents.into_iter().find(own)
}

struct Checker {
    places: Option<Node>,
    said: Vec<Diagnostic>,
}

impl Checker {
    /// Says something about a key where `wrong`.
    fn say(&mut self, wrong: bool, code: &'static str, key: &str, message: impl FnOnce() -> String) {
        if !wrong {
            return;
        }
        let said = Diagnostic::error(code, message());
        self.said.push(match self.place(key) {
            Some(span) => said.at(span),
            None => said,
        });
    }

    /// A key's value, else the rule's beginning.
    fn place(&self, key: &str) -> Option<Span> {
        let node = self.places.as_ref()?;
        let mut found = node;
        for part in key.split('.') {
            found = found.get(part).unwrap_or(found);
        }
        Some(found.span)
    }

    fn length(&mut self, key: &str, text: &str, most: usize) {
        let length = text.chars().count();
        self.say(length > most, "HP210", key, || format!("`{key}` has {length} characters, {most} are allowed"));
    }

    fn texts(&mut self, rule: &Rule) {
        let id = rule.id.as_deref().unwrap_or("");
        self.say(!is_guid(id), "HP211", "id", || format!("`id` must be a guid, not `{id}`"));
        self.length("name", &rule.name, 256);
        self.length("description", rule.description.as_deref().unwrap_or(""), 5000);
        self.query(rule);
        let version = rule.version.as_deref().unwrap_or("1.0.0");
        let form = version.len() <= 20 && version.split('.').count() == 3 && version.split('.').all(is_number);
        self.say(!form, "HP211", "version", || format!("`version` must have the form 1.2.3, not `{version}`"));
        let status = rule.status.as_deref().unwrap_or("Available");
        self.named("status", status, STATUSES);
    }

    fn query(&mut self, rule: &Rule) {
        self.length("query", &rule.query, 10_000);
        let everything = searches_everything(&rule.query);
        self.say(everything, "HP216", "query", || {
            "`search *` and `union *` are not allowed: they read every table".into()
        });
    }

    fn named(&mut self, key: &str, name: &str, names: &[&str]) {
        let list = || format!("`{key}`: unknown value `{name}` (one of: {})", names.join(", "));
        self.say(!names.contains(&name), "HP211", key, list);
    }

    fn schedule(&mut self, rule: &Rule) {
        if rule.kind == RuleKind::Nrt {
            return;
        }
        let (frequency, period) = (rule.query_frequency, rule.query_period);
        for (key, duration) in [("queryFrequency", frequency), ("queryPeriod", period)] {
            let wrong = !(5 * MINUTE..=14 * DAY).contains(&duration);
            self.say(wrong, "HP212", key, || format!("`{key}` must be 5 minutes to 14 days, not {}", to_iso(duration)));
        }
        let gap = || {
            format!(
                "`queryPeriod` ({}) is shorter than `queryFrequency` ({}): events are missed",
                to_iso(period),
                to_iso(frequency)
            )
        };
        self.say(period < frequency, "HP212", "queryPeriod", gap);
        let often = || "a `queryPeriod` of two days or more needs a `queryFrequency` of at least one hour".to_string();
        self.say(period >= 2 * DAY && frequency < HOUR, "HP212", "queryFrequency", often);
        let range = !(0..=10_000).contains(&rule.trigger_threshold);
        self.say(range, "HP212", "triggerThreshold", || "`triggerThreshold` must be 0 to 10000".into());
        let suppression = rule.suppression_enabled && !(5 * MINUTE..=DAY).contains(&rule.suppression_duration);
        self.say(suppression, "HP212", "suppressionDuration", || {
            "`suppressionDuration` must be 5 minutes to 24 hours".into()
        });
    }

    fn attack(&mut self, rule: &Rule) {
        for tactic in &rule.tactics {
            self.named("tactics", tactic, TACTICS);
        }
        for technique in &rule.techniques {
            let wrong = !is_technique(technique);
            self.say(wrong, "HP211", "relevantTechniques", || {
                format!("`{technique}` has not the form T1234 or T1234.001")
            });
        }
    }

    fn entities(&mut self, rule: &Rule) {
        let key = "entityMappings";
        let mappings = rule.mapped_entities();
        self.say(mappings.len() > 10, "HP213", key, || {
            format!("{} entities are mapped, 10 are allowed", mappings.len())
        });
        for mapping in &mappings {
            let Some(kind) = entity::kind(&mapping.entity_type) else {
                self.say(true, "HP213", key, || format!("unknown entity type `{}`", mapping.entity_type));
                continue;
            };
            let fields = &mapping.field_mappings;
            let name = kind.name;
            self.say(!(1..=3).contains(&fields.len()), "HP213", key, || {
                format!("{name}: 1 to 3 fields can be mapped, not {}", fields.len())
            });
            let has = |identifier: &&str| fields.iter().any(|field| field.identifier.eq_ignore_ascii_case(identifier));
            let identified = kind.required.iter().any(|set| set.iter().all(has));
            self.say(!identified, "HP213", key, || {
                format!("{name}: none of the fields identifies it (one of: {})", required(kind))
            });
            for (at, field) in fields.iter().enumerate() {
                let known = kind.identifier(&field.identifier).is_some();
                self.say(!known, "HP213", key, || format!("{name} has no identifier `{}`", field.identifier));
                let twice = fields.iter().take(at).any(|other| other.identifier == field.identifier);
                self.say(twice, "HP213", key, || format!("{name}: `{}` is mapped twice", field.identifier));
                let column = &field.column_name;
                self.say(!is_column(column), "HP213", key, || format!("`{column}` is no column's name"));
            }
        }
    }

    fn details(&mut self, rule: &Rule) {
        let details = rule.custom_details.as_object().map_or(0, serde_json::Map::len);
        self.say(details > 20, "HP214", "customDetails", || format!("{details} custom details, 20 are allowed"));
        for (name, column) in rule.custom_details.as_object().into_iter().flatten() {
            let long = name.chars().count() > 20;
            self.say(long, "HP214", "customDetails", || {
                format!("the custom detail `{name}` has more than 20 characters")
            });
            let wrong = !column.as_str().is_some_and(is_column);
            self.say(wrong, "HP214", "customDetails", || format!("the custom detail `{name}` names no column"));
        }
        let overrides = rule.overrides();
        self.format("alertDetailsOverride.alertDisplayNameFormat", overrides.alert_display_name_format, 256);
        self.format("alertDetailsOverride.alertDescriptionFormat", overrides.alert_description_format, 5000);
        for property in overrides.alert_dynamic_properties.unwrap_or_default() {
            self.named("alertDetailsOverride.alertDynamicProperties", &property.alert_property, ALERT_PROPERTIES);
        }
    }

    fn format(&mut self, key: &str, format: Option<String>, most: usize) {
        let Some(format) = format else { return };
        self.length(key, &format, most);
        let placeholders = format.matches("{{").count();
        // Sentinel runs rules with more, and public rules have more.
        if placeholders > 3 {
            let said = Diagnostic::warning("HP214", format!("`{key}` has {placeholders} placeholders, 3 are allowed"));
            let place = self.place(key);
            self.said.push(place.map_or(said.clone(), |span| said.at(span)));
        }
    }

    fn incident(&mut self, rule: &Rule) {
        if !rule.grouping_enabled {
            return;
        }
        let key = "incidentConfiguration.groupingConfiguration";
        let lookback = !(5 * MINUTE..=7 * DAY).contains(&rule.lookback_duration);
        self.say(lookback, "HP215", key, || "`lookbackDuration` must be 5 minutes to 7 days".into());
        let lists = [&rule.group_by_entities, &rule.group_by_alert_details, &rule.group_by_custom_details];
        let selects_none = rule.matching_method == MatchingMethod::Selected && lists.iter().all(|list| list.is_empty());
        self.say(selects_none, "HP215", key, || "`matchingMethod: Selected` needs something to group by".into());
        let mapped: Vec<String> = rule.mapped_entities().into_iter().map(|entity| entity.entity_type).collect();
        for entity in &rule.group_by_entities {
            let absent = !mapped.iter().any(|name| name.eq_ignore_ascii_case(entity));
            self.say(absent, "HP215", key, || format!("grouped by the entity `{entity}`, which the rule does not map"));
        }
        for detail in &rule.group_by_alert_details {
            self.named("groupByAlertDetails", detail, ALERT_DETAILS);
        }
        for detail in &rule.group_by_custom_details {
            let absent = rule.custom_details.get(detail).is_none_or(Value::is_null);
            self.say(absent, "HP215", key, || {
                format!("grouped by the custom detail `{detail}`, which the rule does not have")
            });
        }
    }
}

fn required(kind: &entity::EntityKind) -> String {
    kind.required.iter().map(|set| set.join(" + ")).collect::<Vec<_>>().join(", ")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_guid(text: &str) -> bool {
    let hex = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    hex && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

pub(super) fn is_technique(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('T') else { return false };
    let (number, sub) = rest.split_once('.').unwrap_or((rest, "000"));
    number.len() == 4 && is_number(number) && sub.len() == 3 && is_number(sub)
}

fn is_column(text: &str) -> bool {
    let word = text.chars().all(|c| c == '_' || c.is_alphanumeric());
    word && text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
}

/// `search *` or `union *` as words of the query, comments aside.
fn searches_everything(query: &str) -> bool {
    let code = query.lines().map(|line| line.split("//").next().unwrap_or(""));
    let words: Vec<String> = code.flat_map(str::split_whitespace).map(str::to_ascii_lowercase).collect();
    let pairs = words.iter().zip(words.iter().skip(1));
    let mut all = pairs.map(|(first, second)| (first.trim_start_matches(['(', '|', ';']), second.as_str()));
    all.any(|(first, second)| ["search", "union"].contains(&first) && second.trim_end_matches([')', ';', '|']) == "*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::rules::sentinel;
    use std::sync::Arc;

    const RULE: &str = "id: 11111111-2222-3333-4444-555555555555\nname: A\nversion: 1.0.0\nseverity: High\n\
        queryFrequency: 1h\nqueryPeriod: 1d\ntriggerOperator: gt\ntriggerThreshold: 0\nquery: T | take 1\n\
        tactics: [Impact]\nrelevantTechniques: [T1110.003, T1110]\n\
        entityMappings: [{entityType: IP, fieldMappings: [{identifier: Address, columnName: a}]}]\n\
        customDetails: {N: Count}\n";

    fn rule(text: &str) -> Rule {
        let file = Arc::new(Source { text: text.into(), origin: "r.yaml".into(), first_line: 1, indent: 0 });
        let node = parse_yaml(&file).unwrap().remove(0);
        sentinel::read_rule(&node, &file, Format::Sentinel, node.to_json()).unwrap()
    }

    /// Codes and lines of what is said.
    fn said(text: &str) -> Vec<(String, usize)> {
        let rule = rule(text);
        let line = |d: &Diagnostic| d.span.map_or(0, |span| rule.file.place(span.start as usize).0);
        check(&rule).iter().map(|d| (d.code.to_string(), line(d))).collect()
    }

    #[test]
    fn a_good_rule_is_accepted() {
        assert_eq!(said(RULE), []);
        assert_eq!(said(&RULE.replace("queryPeriod: 1d", "queryPeriod: 14d")), []);
    }

    #[test]
    fn what_azure_refuses_of_a_query_is_a_warning_without_strict() {
        let of = |query: &str| refused(&rule(&RULE.replace("T | take 1", query)));
        assert!(of("T | take 1").is_empty());
        let said = of("union * | take 1");
        assert_eq!(said.iter().map(|d| (&*d.code, d.severity)).collect::<Vec<_>>(), [("HP216", Severity::Warning)]);
        assert_eq!(of(&format!("T | take {}", "1".repeat(10_000))).len(), 1);
    }

    #[test]
    fn what_upstream_refuses_is_said_at_its_line() {
        for (from, to, code, line) in [
            ("11111111-", "1-", "HP211", 1),
            ("name: A", &format!("name: {}", "a".repeat(257)), "HP210", 2),
            ("1.0.0", "1.0", "HP211", 3),
            ("Frequency: 1h", "Frequency: 4m", "HP212", 5),
            ("Period: 1d", "Period: 30d", "HP212", 6),
            ("Period: 1d", "Period: 30m", "HP212", 6),
            ("Threshold: 0", "Threshold: 10001", "HP212", 8),
            ("T | take 1", "union * | take 1", "HP216", 9),
            ("[Impact]", "[Impacts]", "HP211", 10),
            ("T1110.003", "T1110.03", "HP211", 11),
            ("entityType: IP", "entityType: Ipp", "HP213", 12),
            ("identifier: Address", "identifier: AddressScope", "HP213", 12),
            ("columnName: a", "columnName: 1a", "HP213", 12),
            ("N: Count", "ANameOfMoreThanTwentyLetters: Count", "HP214", 13),
        ] {
            assert_eq!(said(&RULE.replace(from, to)), [(code.to_string(), line)], "{to}");
        }
        assert_eq!(
            said(&RULE.replace("Frequency: 1h", "Frequency: 30m").replace("Period: 1d", "Period: 2d")),
            [("HP212".into(), 5)]
        );
    }

    #[test]
    fn groupings_must_group_by_what_there_is() {
        let grouping = |inside: &str| {
            format!(
                "{RULE}incidentConfiguration:\n  groupingConfiguration: {{enabled: true, matchingMethod: Selected, {inside}}}\n"
            )
        };
        assert_eq!(said(&grouping("groupByEntities: [IP]")), []);
        for inside in [
            "groupByEntities: []",
            "groupByEntities: [Host]",
            "groupByCustomDetails: [X]",
            "groupByEntities: [IP], lookbackDuration: 8d",
        ] {
            assert_eq!(said(&grouping(inside)), [("HP215".into(), 15)], "{inside}");
        }
    }

    #[test]
    fn more_than_three_placeholders_are_a_warning() {
        let text =
            format!("{RULE}alertDetailsOverride:\n  alertDisplayNameFormat: '{{{{a}}}}{{{{b}}}}{{{{c}}}}{{{{d}}}}'\n");
        assert_eq!(said(&text), [("HP214".into(), 15)]);
    }
}
