//! Entities, threat objects and findings, as each generation writes them.
use super::super::detection::{DetectionKind, Entity, Finding, Generation, ThreatObject};
use super::super::document::Node;
use super::super::fields::Said;

/// What the results of a detection score.
pub struct Risk {
    pub generation: Generation,
    pub entities: Vec<Entity>,
    pub threat_objects: Vec<ThreatObject>,
    /// Of the newest form alone.
    pub finding: Option<Finding>,
}

impl Risk {
    pub fn read(said: &mut Said, node: &Node, kind: DetectionKind) -> Risk {
        let risk = match generation(node) {
            Generation::Observables => of_observables(said, node),
            Generation::Rba => of_rba(said, node),
            Generation::Findings => return of_findings(said, node),
        };
        match kind.has_risk() {
            true => risk,
            // What these forms say of other kinds, Splunk makes nothing of.
            false => Risk { entities: Vec::new(), threat_objects: Vec::new(), ..risk },
        }
    }
}

fn generation(node: &Node) -> Generation {
    let has = |key: &str| node.get(key).is_some();
    let tagged = |key: &str| node.get("tags").and_then(|tags| tags.get(key)).is_some();
    match () {
        () if has("finding") || has("intermediate_findings") || has("creation_date") => Generation::Findings,
        () if has("rba") => Generation::Rba,
        () if ["observable", "message", "risk_score", "confidence"].into_iter().any(tagged) => Generation::Observables,
        () if !has("tags") => Generation::Findings,
        () => Generation::Rba,
    }
}

fn of_observables(said: &mut Said, node: &Node) -> Risk {
    let mut found =
        Risk { generation: Generation::Observables, entities: vec![], threat_objects: vec![], finding: None };
    let Some(tags) = node.get("tags") else { return found };
    let message = said.text(tags, "message").unwrap_or_default();
    let score = match tags.get("risk_score") {
        Some(_) => said.required_integer(tags, "risk_score"),
        None => product(said, tags),
    };
    said.list(tags, "observable");
    for observable in tags.get("observable").map(Node::items).unwrap_or_default() {
        let (field, kind) = (said.required_text(observable, "name"), said.required_text(observable, "type"));
        let roles = said.texts(observable, "role");
        let has = |role: &str| roles.iter().any(|own| own.eq_ignore_ascii_case(role));
        if has("Attacker") {
            found.threat_objects.push(ThreatObject { field, kind: threat_kind(&kind) });
        } else if has("Victim") || has("Target") {
            let kind = entity_kind(&kind).to_owned();
            found.entities.push(Entity { field, kind, score, message: message.clone() });
        }
    }
    found
}

/// Confidence times impact, in hundredths.
fn product(said: &mut Said, tags: &Node) -> i64 {
    let mut number = |key: &str| tags.get(key).map_or(0, |_| said.required_integer(tags, key));
    number("confidence").saturating_mul(number("impact")) / 100
}

/// What kind of entity an observable is.
fn entity_kind(kind: &str) -> &'static str {
    match kind {
        "User" | "Username" | "User Name" | "Email Address" => "user",
        "Device" | "Endpoint" | "Hostname" | "IP Address" => "system",
        _ => "other",
    }
}

fn threat_kind(kind: &str) -> String {
    match kind {
        "Process" | "Process Name" => "process".into(),
        "File" | "File Name" | "File Hash" => "file_name".into(),
        "URL String" => "url".into(),
        "IP Address" => "ip_address".into(),
        other => other.to_lowercase(),
    }
}

fn of_rba(said: &mut Said, node: &Node) -> Risk {
    let mut found = Risk { generation: Generation::Rba, entities: vec![], threat_objects: vec![], finding: None };
    said.mapping(node, "rba");
    let Some(rba) = node.get("rba") else { return found };
    let message = said.required_text(rba, "message");
    for object in items(said, rba, "risk_objects") {
        found.entities.push(entity(said, object, message.clone()));
    }
    found.threat_objects = threat_objects(said, rba);
    found
}

fn of_findings(said: &mut Said, node: &Node) -> Risk {
    let mut found = Risk { generation: Generation::Findings, entities: vec![], threat_objects: vec![], finding: None };
    said.mapping(node, "finding");
    if let Some(finding) = node.get("finding") {
        let title = said.required_text(finding, "title");
        said.mapping(finding, "entity");
        let about = finding.get("entity").map(|object| entity(said, object, title.clone()));
        found.finding = Some(Finding { title, entity: about.is_some().then_some(0) });
        found.entities.extend(about);
    }
    said.mapping(node, "intermediate_findings");
    if let Some(intermediate) = node.get("intermediate_findings") {
        for object in items(said, intermediate, "entities") {
            let message = said.required_text(object, "message");
            found.entities.push(entity(said, object, message));
        }
    }
    found.threat_objects = threat_objects(said, node);
    found
}

fn items<'a>(said: &mut Said, node: &'a Node, key: &str) -> &'a [Node] {
    said.list(node, key);
    node.get(key).map(Node::items).unwrap_or_default()
}

fn entity(said: &mut Said, object: &Node, message: String) -> Entity {
    let (field, kind) = (said.required_text(object, "field"), said.required_text(object, "type"));
    let score = said.required_integer(object, "score");
    if !["user", "system", "other"].contains(&kind.as_str()) && !kind.is_empty() {
        let node = object.get("type").unwrap_or(object);
        said.error("HP204", format!("unknown type of an entity `{kind}` (one of: system, user, other)"), node);
    }
    Entity { field, kind, score, message }
}

fn threat_objects(said: &mut Said, node: &Node) -> Vec<ThreatObject> {
    let objects = items(said, node, "threat_objects").iter();
    let read = |object: &Node| ThreatObject {
        field: said.required_text(object, "field"),
        kind: said.required_text(object, "type"),
    };
    objects.map(read).collect()
}
