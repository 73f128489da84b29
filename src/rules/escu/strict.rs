//! What the public content's build refuses of a detection beyond what it needs to run.
//!
//! Sources: the models and validators of the content's build tool.
use super::super::detection::{Detection, DetectionKind, Generation, ORIGINAL_SEARCH};
use super::super::document::{Node, parse_yaml};
use super::super::rule::Rule;
use crate::diagnostic::{Diagnostic, Span};
use std::path::Path;

/// The longest name that still fits into the title of a saved search.
const NAME_LIMIT: usize = 67;
const DOMAINS: &[&str] = &["endpoint", "network", "threat", "identity", "access", "audit"];
const STATUSES: &[&str] = &["production", "experimental", "deprecated", "validation", "removed"];
/// The keys of `tags` that the second form no longer has.
const OLD_TAGS: &[&str] = &["confidence", "impact", "message", "observable", "required_fields", "risk_score"];
const THREATS: &[&str] = &[
    "bucket_name",
    "certificate_common_name",
    "certificate_organization",
    "certificate_serial",
    "certificate_unit",
    "command",
    "dns_query",
    "domain",
    "email_address",
    "email_subject",
    "file_hash",
    "file_name",
    "file_path",
    "http_user_agent",
    "ip_address",
    "loaded_file",
    "parent_process",
    "parent_process_name",
    "parent_process_path",
    "pipe_name",
    "process",
    "process_hash",
    "process_name",
    "process_path",
    "registry_key_name",
    "registry_path",
    "registry_value_data",
    "registry_value_name",
    "registry_value_text",
    "service",
    "signature",
    "system",
    "tls_hash",
    "uri",
    "url",
    "user",
];

/// What upstream would refuse (`HP221` to `HP226`), at the place of its key; empty where nothing.
pub fn check(rule: &Rule, detection: &Detection) -> Vec<Diagnostic> {
    let documents = parse_yaml(&rule.file).unwrap_or_default();
    let own = |node: &Node| node.get("name").and_then(Node::text).map(str::trim) == Some(rule.name.as_str());
    let Some(node) = documents.into_iter().find(own) else { return Vec::new() };
    let mut checker = Checker { rule, detection, node, said: Vec::new() };
    checker.naming();
    checker.texts();
    checker.search();
    checker.companions();
    checker.risk();
    checker.attack();
    checker.said
}

struct Checker<'a> {
    rule: &'a Rule,
    detection: &'a Detection,
    node: Node,
    said: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn say(&mut self, wrong: bool, code: &'static str, key: &str, message: impl FnOnce() -> String) {
        if wrong {
            let place = self.place(key);
            self.said.push(Diagnostic::error(code, message()).at(place));
        }
    }

    /// A key's value, else the detection's beginning.
    fn place(&self, key: &str) -> Span {
        let mut found = &self.node;
        for part in key.split('.') {
            found = found.get(part).unwrap_or(found);
        }
        found.span
    }

    fn text(&self, key: &str) -> &str {
        let tags = self.node.get("tags");
        let found = self.node.get(key).or_else(|| tags.and_then(|tags| tags.get(key)));
        found.and_then(Node::text).unwrap_or("")
    }

    fn is_production(&self) -> bool {
        self.rule.status.as_deref() == Some("production")
    }

    fn naming(&mut self) {
        let name = &self.rule.name;
        let length = name.chars().count();
        self.say(length > NAME_LIMIT, "HP221", "name", || {
            format!("`name` has {length} characters, {NAME_LIMIT} are allowed")
        });
        let wanted = file_stem(name);
        let stem = Path::new(&self.rule.path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let differs = stem.replace('-', "_") != wanted;
        self.say(differs, "HP221", "name", || format!("the file should be called {wanted}.yml after its name"));
    }

    fn texts(&mut self) {
        let id = self.rule.id.clone().unwrap_or_default();
        let hex = id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        let guid = hex && id.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
        self.say(!guid, "HP222", "id", || format!("`id` must be a guid, not `{id}`"));
        let version = self.rule.version.clone().unwrap_or_default();
        let whole = version.parse::<u32>().is_ok();
        self.say(!whole, "HP222", "version", || format!("`version` must be a whole number, not `{version}`"));
        for key in ["how_to_implement", "known_false_positives"] {
            let short = self.text(key).chars().count() < 4;
            self.say(short, "HP222", key, || format!("`{key}` must have at least 4 characters"));
        }
        for key in ["date", "creation_date", "modification_date"] {
            let date = self.text(key).to_owned();
            let wrong = !date.is_empty() && !is_past(&date);
            self.say(wrong, "HP222", key, || format!("`{key}` must be a past day such as 2026-01-31, not `{date}`"));
        }
        let status = self.rule.status.clone().unwrap_or_default();
        self.named("status", &status, STATUSES);
        let domain = self.detection.security_domain.clone().unwrap_or_default();
        self.named("security_domain", &domain, DOMAINS);
    }

    fn named(&mut self, key: &str, name: &str, names: &[&str]) {
        let list = || format!("`{key}`: unknown value `{name}` (one of: {})", names.join(", "));
        self.say(!names.contains(&name), "HP222", key, list);
    }

    fn search(&mut self) {
        let filter = format!("`{}_filter`", file_stem(&self.rule.name));
        let absent = !self.rule.query.contains(&filter);
        self.say(absent, "HP223", "search", || format!("the search does not end in its own filter {filter}"));
        let four = self.rule.query.contains("````");
        self.say(four, "HP223", "search", || "four back quotes in a row are no comment and no macro".into());
    }

    /// What must stand beside the search of a detection that is in production.
    fn companions(&mut self) {
        if !self.is_production() {
            return;
        }
        let kind = self.detection.kind;
        let manual = !self.text("manual_test").is_empty();
        let tests = self.node.get("tests").map_or(0, |tests| tests.items().len());
        let untested = kind != DetectionKind::Correlation && !manual && tests == 0;
        self.say(untested, "HP224", "tests", || "a detection in production needs a test".into());
        // The first form came before drilldowns, the last has one of its own.
        if kind == DetectionKind::Hunting || self.detection.generation != Generation::Rba {
            return;
        }
        let searches: Vec<&str> = self.detection.drilldowns.iter().map(|d| d.search.as_str()).collect();
        let original = searches.iter().any(|search| search.contains(ORIGINAL_SEARCH));
        let few = searches.len() < 2 || !original;
        self.say(few, "HP224", "drilldown_searches", || {
            "two drilldown searches are needed, one of which holds %original_detection_search%".into()
        });
    }

    fn risk(&mut self) {
        match self.detection.generation {
            Generation::Observables => {}
            Generation::Rba => self.rba(),
            Generation::Findings => self.findings(),
        }
        let unknown: Vec<String> = self.detection.threat_objects.iter().map(|t| t.kind.clone()).collect();
        if self.detection.generation != Generation::Observables {
            for kind in unknown {
                self.named("threat_objects", &kind, THREATS);
            }
        }
        for entity in &self.detection.entities {
            let least = i64::from(self.detection.generation == Generation::Rba);
            let (field, score) = (&entity.field, entity.score);
            let wrong = !(least..=100).contains(&score);
            if wrong {
                let message = format!("the score of `{field}` must be {least} to 100, not {score}");
                self.said.push(Diagnostic::error("HP225", message).at(self.node.span));
            }
        }
        self.fields_in_search();
    }

    fn rba(&mut self) {
        let (kind, has) = (self.detection.kind, self.node.get("rba").is_some());
        self.say(kind.has_risk() && !has, "HP225", "type", || "this type of detection needs `rba`".into());
        self.say(!kind.has_risk() && has, "HP225", "rba", || "this type of detection has no `rba`".into());
        let none = has && kind.has_risk() && self.detection.entities.is_empty();
        self.say(none, "HP225", "rba", || "`risk_objects` must name at least one field".into());
        let tags = self.node.get("tags").map(Node::entries).unwrap_or_default();
        let old: Vec<_> = tags.iter().filter(|(key, _)| OLD_TAGS.contains(&key.text.as_str())).collect();
        for (key, _) in old {
            let message = format!("`tags.{}` has no place beside `rba`", key.text);
            self.said.push(Diagnostic::error("HP225", message).at(key.span));
        }
    }

    fn findings(&mut self) {
        let has = |key: &str| self.node.get(key).is_some();
        let (finding, intermediate) = (has("finding"), has("intermediate_findings"));
        let wants = |message: &str| message.to_owned();
        let wrong = match self.detection.kind {
            DetectionKind::Ttp if !finding => Some(("type", wants("a TTP needs a `finding`"))),
            DetectionKind::Anomaly if finding => Some(("finding", wants("an Anomaly has no `finding`"))),
            DetectionKind::Anomaly if !intermediate => {
                Some(("type", wants("an Anomaly needs `intermediate_findings`")))
            }
            DetectionKind::Correlation if !finding || intermediate => {
                Some(("type", wants("a Correlation has a `finding` and no `intermediate_findings`")))
            }
            DetectionKind::Hunting if finding || intermediate || has("threat_objects") => {
                Some(("type", wants("a Hunting detection has neither findings nor threat objects")))
            }
            _ => None,
        };
        if let Some((key, message)) = wrong {
            self.say(true, "HP225", key, || message);
        }
        let own = self.detection.finding_entity().map(|entity| entity.field.clone());
        let twice = self.detection.entities.iter().filter(|entity| Some(&entity.field) == own.as_ref()).count() > 1;
        self.say(twice, "HP225", "finding.entity", || "the finding's entity would be scored twice".into());
    }

    /// Fields of entities and tokens of messages must come from the search.
    fn fields_in_search(&mut self) {
        let search = self.rule.query.to_lowercase();
        let entities = self.detection.entities.iter();
        let mut names: Vec<String> = entities.clone().map(|entity| entity.field.clone()).collect();
        names.extend(self.detection.threat_objects.iter().map(|object| object.field.clone()));
        let messages = entities.map(|entity| entity.message.as_str()).chain(self.detection.message());
        names.extend(messages.flat_map(tokens).map(str::to_owned));
        names.sort();
        names.dedup();
        for name in names.iter().filter(|name| !search.contains(&name.to_lowercase())) {
            let message = format!("the search has no field `{name}`, which its findings name");
            self.said.push(Diagnostic::error("HP225", message).at(self.node.span));
        }
    }

    fn attack(&mut self) {
        let techniques = self.rule.techniques.clone();
        let parent = |technique: &String| {
            techniques
                .iter()
                .any(|other| other.strip_prefix(technique.as_str()).is_some_and(|rest| rest.starts_with('.')))
        };
        let old = self.detection.generation == Generation::Observables;
        for technique in techniques.iter().filter(|technique| !old && parent(technique)) {
            let message = format!("`{technique}` stands beside a sub-technique of its own: only the latter is kept");
            self.say(true, "HP226", "mitre_attack_id", || message);
        }
        for technique in techniques.iter().filter(|technique| !super::super::strict::is_technique(technique)) {
            self.say(true, "HP226", "mitre_attack_id", || format!("`{technique}` has not the form T1234 or T1234.001"));
        }
    }
}

/// The names between dollar signs.
pub fn tokens(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('$').collect();
    let word = |part: &&str| !part.is_empty() && !part.contains(char::is_whitespace);
    let mut found = Vec::new();
    let mut at = 1;
    while at + 1 < parts.len() {
        match parts.get(at).copied().filter(|part| word(part)) {
            Some(name) => {
                found.push(name);
                at += 2;
            }
            None => at += 1,
        }
    }
    found
}

/// The name of a detection's file and of its filter.
pub fn file_stem(name: &str) -> String {
    name.to_lowercase().replace([' ', '-', '.', '/'], "_")
}

fn is_past(date: &str) -> bool {
    let today = chrono::Utc::now().date_naive();
    let day = date.split(['T', ' ']).next().unwrap_or("");
    chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok_and(|day| day <= today)
}
