//! Findings and risk events: what the rows of a detection raise.
//!
//! Sources: the documentation of Enterprise Security's risk-based alerting, and how its actions fill messages.
use super::alert::table;
use super::detection::{Detection, Drilldown, Entity, ORIGINAL_SEARCH, Throttling};
use super::duration::{SECOND, Ticks};
use super::rule::Rule;
use crate::types::field::{FieldValue, Number};
use crate::types::{Kind, Name, Schema, Table, Value};
use serde_json::{Map, json};
use std::collections::{HashMap, HashSet};

/// Columns of findings.
const FINDINGS: &[(&str, Kind)] = &[
    ("_time", Kind::DateTime),
    ("title", Kind::String),
    ("severity", Kind::String),
    ("entity", Kind::String),
    ("entity_type", Kind::String),
    ("risk_score", Kind::Long),
    ("drilldowns", Kind::Dynamic),
    ("rule_id", Kind::String),
    ("rule_name", Kind::String),
    ("search_name", Kind::String),
    ("security_domain", Kind::String),
    ("annotations", Kind::Dynamic),
    ("row", Kind::Dynamic),
];

/// Columns of risk events.
const RISK: &[(&str, Kind)] = &[
    ("_time", Kind::DateTime),
    ("search_name", Kind::String),
    ("rule_id", Kind::String),
    ("risk_object_field", Kind::String),
    ("risk_object", Kind::String),
    ("risk_object_type", Kind::String),
    ("risk_score", Kind::Long),
    ("risk_message", Kind::String),
    ("threat_objects", Kind::Dynamic),
    ("annotations", Kind::Dynamic),
    ("row", Kind::Dynamic),
];

/// Values by column.
type Record = HashMap<&'static str, Value>;

/// What the detections that ran have raised.
#[derive(Clone, Debug, Default)]
pub struct Raised {
    findings: Vec<Record>,
    risk: Vec<Record>,
    /// Until when a detection is silent about the values of its throttling's fields, in ticks.
    silent: HashMap<(String, Vec<String>), Ticks>,
}

impl Raised {
    pub fn finding_table(&self) -> Table {
        as_table(FINDINGS, &self.findings)
    }

    pub fn risk_table(&self) -> Table {
        as_table(RISK, &self.risk)
    }

    /// Takes the rows of a detection's search at `now` (ticks) and gives the number of them that raised something.
    pub fn take(&mut self, rule: &Rule, detection: &Detection, results: &Table, now: Ticks) -> usize {
        if !rule.trigger_operator.holds(results.rows(), rule.trigger_threshold) {
            return 0;
        }
        let shared = Shared::new(rule, detection, now);
        let mut taken = 0;
        for cells in results.to_rows() {
            let row = Row { schema: results.schema(), cells: &cells };
            if self.is_silent(rule, detection.throttling.as_ref(), &row, now) {
                continue;
            }
            taken += 1;
            self.findings.extend(shared.finding(&row));
            self.risk.extend(shared.risk(&row));
        }
        taken
    }

    /// Whether a row's values were raised within the period; if not, they are from now on.
    fn is_silent(&mut self, rule: &Rule, throttling: Option<&Throttling>, row: &Row, now: Ticks) -> bool {
        let Some(throttling) = throttling else { return false };
        let Some(period) = seconds(&throttling.period) else { return false };
        let values = throttling.fields.iter().map(|field| row.text(field).unwrap_or_default()).collect();
        let key = (rule.key().to_owned(), values);
        if self.silent.get(&key).is_some_and(|until| now < *until) {
            return true;
        }
        self.silent.insert(key, now.saturating_add(period));
        false
    }
}

fn as_table(columns: &[(&str, Kind)], records: &[Record]) -> Table {
    table(columns, records.iter().map(|record| move |name: &str| record.get(name).cloned()))
}

/// `24h` or `86400s` in ticks.
fn seconds(text: &str) -> Option<Ticks> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)?.checked_mul(SECOND)
}

/// One row of results.
struct Row<'a> {
    schema: &'a Schema,
    cells: &'a [Value],
}

impl Row<'_> {
    fn cell(&self, field: &str) -> Option<&Value> {
        self.cells.get(self.schema.position(field)?).filter(|value| !value.is_null())
    }

    /// The texts of a field: several where it has several values, none where it is absent or empty.
    fn texts(&self, field: &str) -> Vec<String> {
        let mut found = self.cell(field).map(texts).unwrap_or_default();
        found.retain(|text| !text.is_empty());
        found
    }

    /// A field's values as one text.
    fn text(&self, field: &str) -> Option<String> {
        let texts = self.texts(field);
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// A text with every `$field$` filled in that the row has.
    fn filled(&self, text: &str) -> String {
        filled(text, |name| self.text(name.strip_prefix("result.").unwrap_or(name)))
    }

    /// When the row happened: its own time, else that of the run.
    fn time(&self, now: Ticks) -> Ticks {
        match self.cell("_time") {
            Some(Value::DateTime(ticks)) => *ticks,
            Some(value) => {
                let number = texts(value).first().and_then(|text| Number::read(text));
                number.map_or(now, |number| (number.real() * SECOND as f64) as Ticks)
            }
            None => now,
        }
    }

    fn to_json(&self) -> Value {
        let columns = self.schema.columns().iter().zip(self.cells).filter(|(_, value)| !value.is_null());
        let pairs = columns.map(|((name, _), value): (&(Name, Kind), &Value)| {
            let json = serde_json::from_str(&value.to_json());
            (name.to_string(), json.unwrap_or_else(|_| json!(value.to_text())))
        });
        Value::dynamic(json!(pairs.collect::<Map<_, _>>()).to_string())
    }
}

/// The texts of a value, as Splunk writes them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Field(FieldValue::Several(texts)) => texts.iter().map(|text| text.to_string()).collect(),
        Value::Field(FieldValue::Long(long)) => vec![long.to_string()],
        Value::Field(FieldValue::Real(real)) | Value::Real(real) => vec![Number::Real(*real).text()],
        Value::Text(Kind::Dynamic, text) => match serde_json::from_str(text) {
            Ok(serde_json::Value::Array(items)) => items.iter().map(scalar).collect(),
            Ok(other) => vec![scalar(&other)],
            Err(_) => vec![text.to_string()],
        },
        other => vec![other.to_text()],
    }
}

/// A value of JSON as the text of a field.
pub(super) fn scalar(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text with every `$name$` replaced that has a value; others stay, so that they are seen.
fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let named = after.split_once('$').filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace));
        match named.and_then(|(name, after)| Some((value(name)?, after))) {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What all rows of a run share.
struct Shared<'a> {
    rule: &'a Rule,
    detection: &'a Detection,
    scored: Vec<&'a Entity>,
    annotations: Value,
    /// The detection's search and the offsets of the events that it saw, as drilldowns name them.
    now: Ticks,
}

impl<'a> Shared<'a> {
    fn new(rule: &'a Rule, detection: &'a Detection, now: Ticks) -> Shared<'a> {
        let annotations = Value::dynamic(detection.annotations(&rule.techniques).to_string());
        Shared { rule, detection, scored: detection.scored(), annotations, now }
    }

    fn finding(&self, row: &Row) -> Option<Record> {
        let finding = self.detection.finding.as_ref()?;
        let entity = self.detection.finding_entity();
        let text = |text: &str| Value::string(text);
        let mut record = Record::from([
            ("_time", Value::DateTime(row.time(self.now))),
            ("title", Value::string(row.filled(&finding.title))),
            ("severity", Value::string(self.detection.severity().lower())),
            ("drilldowns", self.drilldowns(row)),
            ("rule_id", text(self.rule.key())),
            ("rule_name", text(&self.rule.name)),
            ("search_name", text(&self.detection.search_name)),
            ("annotations", self.annotations.clone()),
            ("row", row.to_json()),
        ]);
        if let Some(domain) = &self.detection.security_domain {
            record.insert("security_domain", text(domain));
        }
        if let Some(entity) = entity {
            record.insert("entity", Value::string(row.text(&entity.field).unwrap_or_default()));
            record.insert("entity_type", text(&entity.kind));
            record.insert("risk_score", Value::Long(entity.score));
        }
        Some(record)
    }

    /// One risk event for each entity and each of its values.
    fn risk(&self, row: &Row) -> Vec<Record> {
        if self.scored.is_empty() {
            return Vec::new();
        }
        let (threats, whole) = (self.threats(row), row.to_json());
        let mut found = Vec::new();
        for entity in &self.scored {
            for value in row.texts(&entity.field) {
                found.push(Record::from([
                    ("_time", Value::DateTime(row.time(self.now))),
                    ("search_name", Value::string(self.detection.search_name.as_str())),
                    ("rule_id", Value::string(self.rule.key())),
                    ("risk_object_field", Value::string(entity.field.as_str())),
                    ("risk_object", Value::string(value)),
                    ("risk_object_type", Value::string(entity.kind.as_str())),
                    ("risk_score", Value::Long(entity.score)),
                    ("risk_message", Value::string(row.filled(&entity.message))),
                    ("threat_objects", threats.clone()),
                    ("annotations", self.annotations.clone()),
                    ("row", whole.clone()),
                ]));
            }
        }
        found
    }

    /// `[{field, type, value}]`, one for each value.
    fn threats(&self, row: &Row) -> Value {
        let mut objects: Vec<_> = self.detection.threat_objects.iter().collect();
        objects.sort_by_key(|object| (object.field.as_str(), object.kind.as_str()));
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for object in objects {
            for value in row.texts(&object.field) {
                if seen.insert((&object.field, &object.kind, value.clone())) {
                    found.push(json!({"field": object.field, "type": object.kind, "value": value}));
                }
            }
        }
        Value::dynamic(json!(found).to_string())
    }

    /// The drilldowns with everything filled in; one of the detection's own search where it has none.
    fn drilldowns(&self, row: &Row) -> Value {
        let own = &self.detection.drilldowns;
        let standard = own.is_empty().then(|| self.standard_drilldown()).flatten();
        let filled = own.iter().chain(&standard).map(|drilldown| self.drilldown(drilldown, row).to_json());
        Value::dynamic(json!(filled.collect::<Vec<_>>()).to_string())
    }

    fn standard_drilldown(&self) -> Option<Drilldown> {
        let entity = self.detection.finding_entity()?;
        let (field, search) = (&entity.field, &self.detection.search_name);
        Some(Drilldown {
            name: format!("View the detection results for - \"${field}$\""),
            search: format!("| savedsearch \"{search}\" | search {field} = \"${field}$\""),
            earliest_offset: Some("$info_min_time$".into()),
            latest_offset: Some("$info_max_time$".into()),
        })
    }

    fn drilldown(&self, drilldown: &Drilldown, row: &Row) -> Drilldown {
        let fill = |text: &str| {
            filled(text, |name| match name {
                // The search has looked at all events up to the run.
                "info_min_time" => Some("0".into()),
                "info_max_time" => Some((self.now / SECOND).to_string()),
                name => row.text(name.strip_prefix("result.").unwrap_or(name)),
            })
        };
        Drilldown {
            name: fill(&drilldown.name),
            // The search itself is no text with tokens.
            search: fill(&drilldown.search).replace(ORIGINAL_SEARCH, self.rule.query.trim()),
            earliest_offset: drilldown.earliest_offset.as_deref().map(fill),
            latest_offset: drilldown.latest_offset.as_deref().map(fill),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::rules::document::parse_yaml;
    use crate::rules::escu::read_rule;
    use std::sync::Arc;

    const RULE: &str = "name: Tool Run\nid: a1\nversion: 1\ntype: TTP\nsearch: |\n  index=x\n  | stats count by user\n\
        how_to_implement: Words.\nknown_false_positives: Words.\nrba:\n  message: $user$ ran $file$ on $dest$ for $$5\n  \
        risk_objects:\n  - {field: user, type: user, score: 42}\n  - {field: dest, type: system, score: 70}\n  \
        threat_objects:\n  - {field: file, type: file_name}\ntags:\n  analytic_story: [Story]\n  mitre_attack_id: [T1059]\n";

    fn rule(extra: &str) -> Rule {
        let source = Source { text: format!("{RULE}{extra}"), origin: "r.yml".into(), first_line: 1, indent: 0 };
        let file = Arc::new(source);
        let node = parse_yaml(&file).unwrap().remove(0);
        read_rule(&node, &file, node.to_json()).unwrap()
    }

    fn results(rows: &[[Value; 3]]) -> Table {
        let schema = Schema::from_iter([("user", Kind::Dynamic), ("dest", Kind::String), ("file", Kind::String)]);
        Table::from_rows(schema, &rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    fn column(table: &Table, name: &str) -> Vec<String> {
        let at = table.schema().position(name).unwrap();
        table.to_rows().iter().map(|row| row[at].to_text()).collect()
    }

    #[test]
    fn each_row_raises_a_finding_and_scores_its_entities() {
        let mut raised = Raised::default();
        let rule = rule("");
        let several = Value::dynamic(r#"["ann","bob"]"#);
        let table = results(&[[several, text("h1"), text("a.exe")]]);
        assert_eq!(raised.take(&rule, rule.detection.as_ref().unwrap(), &table, 10 * SECOND), 1);
        let risk = raised.risk_table();
        assert_eq!(column(&risk, "risk_object"), ["h1", "ann", "bob"]);
        assert_eq!(column(&risk, "risk_score"), ["70", "42", "42"]);
        assert_eq!(column(&risk, "risk_message")[0], "ann, bob ran a.exe on h1 for $$5");
        assert_eq!(column(&risk, "threat_objects")[0], r#"[{"field":"file","type":"file_name","value":"a.exe"}]"#);
        assert_eq!(column(&risk, "search_name")[0], "ESCU - Tool Run - Rule");
        let findings = raised.finding_table();
        assert_eq!(
            (column(&findings, "entity"), column(&findings, "severity")),
            (vec!["ann, bob".into()], vec!["medium".into()])
        );
        assert!(column(&findings, "drilldowns")[0].contains("search user = \\\"ann, bob\\\""));
    }

    #[test]
    fn an_absent_entity_scores_nothing_and_a_token_without_a_value_stays() {
        let mut raised = Raised::default();
        let rule = rule("");
        let table = results(&[[Value::dynamic("\"ann\""), text(""), text("a")]]);
        raised.take(&rule, rule.detection.as_ref().unwrap(), &table, 0);
        assert_eq!(column(&raised.risk_table(), "risk_object"), ["ann"]);
        assert_eq!(column(&raised.risk_table(), "risk_message"), ["ann ran a on $dest$ for $$5"]);
    }

    #[test]
    fn throttled_values_are_raised_once_in_the_period() {
        let mut raised = Raised::default();
        let rule = rule("  throttling: {fields: [user], period: 1h}\n");
        let detection = rule.detection.clone().unwrap();
        let ann = || [Value::dynamic("\"ann\""), text("h"), text("a")];
        let table = results(&[ann(), ann()]);
        assert_eq!(raised.take(&rule, &detection, &table, 0), 1);
        assert_eq!(raised.take(&rule, &detection, &table, 3599 * SECOND), 0);
        assert_eq!(raised.take(&rule, &detection, &table, 3600 * SECOND), 1);
    }

    #[test]
    fn drilldowns_are_filled() {
        let extra = "drilldown_searches:\n- name: On \"$user$\"\n  search: '%original_detection_search% | search user=\"$user$\"'\n  \
            earliest_offset: $info_min_time$\n  latest_offset: $info_max_time$\n";
        let mut raised = Raised::default();
        let rule = rule(extra);
        let table = results(&[[Value::dynamic("\"ann\""), text("h"), text("a")]]);
        raised.take(&rule, rule.detection.as_ref().unwrap(), &table, 7 * SECOND);
        let found: serde_json::Value = serde_json::from_str(&column(&raised.finding_table(), "drilldowns")[0]).unwrap();
        assert_eq!(found[0]["search"], "index=x\n| stats count by user | search user=\"ann\"");
        assert_eq!((&found[0]["name"], &found[0]["latest_offset"]), (&json!("On \"ann\""), &json!("7")));
    }
}
