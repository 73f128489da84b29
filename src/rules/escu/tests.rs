use super::*;
use crate::diagnostic::Diagnostic;
use crate::rules::detection::{Entity, FindingSeverity, Schedule, ThreatObject};
use crate::rules::document::parse_yaml;
use crate::rules::duration::HOUR;
use crate::rules::rule_yaml;
use serde_json::json;

/// What all generations say alike.
const HEAD: &str = "name: Tool Run By Many\nid: 11111111-2222-3333-4444-555555555555\nversion: 3\nauthor: Me\n\
    status: production\ndescription: Words.\ndata_source: [Sysmon EventID 1]\nsearch: |-\n  `sysmon` EventID=1\n  \
    | stats count by dest user process\n  | `tool_run_by_many_filter`\nhow_to_implement: Collect the events.\n\
    known_false_positives: None are known.\nreferences: []\ndrilldown_searches:\n- name: View\n  \
    search: '%original_detection_search% | search user = \"$user$\"'\n  earliest_offset: $info_min_time$\n  \
    latest_offset: $info_max_time$\n- name: Risk\n  search: '| from datamodel Risk.All_Risk'\n\
    tests:\n- name: True\n  attack_data:\n  - data: https://example.org/a.log\n    source: s\n    sourcetype: t\n";

fn first(kind: &str) -> String {
    format!(
        "{HEAD}date: '2024-10-01'\ntype: {kind}\ntags:\n  analytic_story: [Story]\n  asset_type: Endpoint\n  \
         confidence: 70\n  impact: 60\n  risk_score: 42\n  message: $user$ ran $process$ on $dest$\n  \
         mitre_attack_id: [T1059.001, T1059]\n  cve: [CVE-2024-1]\n  observable:\n  - {{name: dest, type: Hostname, role: [Victim]}}\n  \
         - {{name: user, type: User, role: [Victim]}}\n  - {{name: process, type: Process, role: [Attacker]}}\n  \
         product: [Splunk Enterprise]\n  required_fields: [dest]\n  security_domain: endpoint\n"
    )
}

fn second(kind: &str) -> String {
    format!(
        "{HEAD}date: '2026-01-10'\ntype: {kind}\nrba:\n  message: $user$ ran $process$ on $dest$\n  risk_objects:\n  \
         - {{field: dest, type: system, score: 42}}\n  - {{field: user, type: user, score: 42}}\n  threat_objects:\n  \
         - {{field: process, type: process}}\ntags:\n  analytic_story: [Story]\n  asset_type: Endpoint\n  \
         mitre_attack_id: [T1059.001]\n  cve: [CVE-2024-1]\n  product: [Splunk Enterprise]\n  security_domain: endpoint\n"
    )
}

fn third(kind: &str) -> String {
    let message = "$user$ ran $process$ on $dest$";
    let finding = format!("finding:\n  title: {message}\n  entity: {{field: user, type: user, score: 42}}\n");
    let dest = format!("  - {{field: dest, type: system, score: 42, message: {message}}}\n");
    let user = format!("  - {{field: user, type: user, score: 42, message: {message}}}\n");
    let risk = match kind {
        "TTP" => format!("{finding}intermediate_findings:\n  entities:\n{dest}"),
        _ => format!("intermediate_findings:\n  entities:\n{dest}{user}"),
    };
    format!(
        "{HEAD}creation_date: '2026-05-01'\nmodification_date: '2026-05-02'\ntype: {kind}\n{risk}threat_objects:\n\
         - {{field: process, type: process}}\nanalytic_story: [Story]\nasset_type: Endpoint\ncategory: endpoint\n\
         mitre_attack_id: [T1059.001]\ncve: [CVE-2024-1]\nproduct: [Splunk Enterprise]\nsecurity_domain: endpoint\n"
    )
}

fn read(text: &str) -> Result<Rule, Fault> {
    let origin = "detections/tool_run_by_many.yml".to_owned();
    let file = Arc::new(Source { text: text.into(), origin, first_line: 1, indent: 0 });
    let node = parse_yaml(&file)?.remove(0);
    assert!(is_detection(&node));
    read_rule(&node, &file, node.to_json())
}

fn detection(text: &str) -> Detection {
    *read(text).unwrap().detection.unwrap()
}

/// Codes and lines of what is said.
fn said(text: &str) -> Vec<(String, usize)> {
    let rule = read(text).unwrap();
    let found = strict::check(&rule, rule.detection.as_ref().unwrap());
    let line = |d: &Diagnostic| d.span.map_or(0, |span| rule.file.place(span.start as usize).0);
    found.iter().map(|d| (d.code.to_string(), line(d))).collect()
}

#[test]
fn the_generations_are_brought_to_one_form() {
    for kind in ["TTP", "Anomaly"] {
        let (a, b, c) = (detection(&first(kind)), detection(&second(kind)), detection(&third(kind)));
        assert_eq!((a.scored(), a.severity(), a.message()), (b.scored(), b.severity(), b.message()));
        assert_eq!((b.scored(), b.severity(), b.message()), (c.scored(), c.severity(), c.message()));
        assert_eq!(a.finding_entity(), c.finding_entity());
        assert_eq!(a.finding.as_ref().map(|f| &f.title), c.finding.as_ref().map(|f| &f.title));
        assert_eq!((&a.threat_objects, &a.analytic_story, &a.cve), (&c.threat_objects, &c.analytic_story, &c.cve));
        assert_eq!((a.security_domain, a.asset_type), (c.security_domain, c.asset_type));
        assert_eq!(
            (a.generation, b.generation, c.generation),
            (Generation::Observables, Generation::Rba, Generation::Findings)
        );
    }
}

#[test]
fn entities_keep_the_order_of_the_file() {
    let found = detection(&second("Anomaly"));
    assert_eq!(
        found.risk_objects(),
        json!([{"field": "dest", "type": "system", "score": 42}, {"field": "user", "type": "user", "score": 42}])
    );
    assert_eq!(found.threats(), json!([{"field": "process", "type": "process"}]));
    assert_eq!((&found.finding, found.message().is_some()), (&None, true));
}

#[test]
fn observables_have_kinds_of_their_own() {
    let text =
        first("Anomaly").replace("type: Process, role", "type: IP Address, role").replace("type: User,", "type: File,");
    let found = detection(&text);
    assert_eq!(found.threat_objects, [ThreatObject { field: "process".into(), kind: "ip_address".into() }]);
    assert_eq!(found.entities[1].kind, "other");
    let found = detection(&first("Anomaly").replace("  risk_score: 42\n", ""));
    assert_eq!(found.entities.iter().map(|e: &Entity| e.score).collect::<Vec<_>>(), [42, 42]);
}

#[test]
fn a_type_says_what_is_raised() {
    let hunting = detection(&first("Hunting"));
    assert_eq!((hunting.finding, hunting.entities.len(), hunting.threat_objects.len()), (None, 0, 0));
    let correlation = detection(&first("Correlation"));
    assert_eq!(correlation.finding.as_ref().map(|f| f.title.as_str()), Some("RBA: Tool Run By Many"));
    assert_eq!((correlation.entities.len(), correlation.severity()), (0, FindingSeverity::High));
}

#[test]
fn a_rule_says_what_the_file_says() {
    let rule = read(&second("TTP")).unwrap();
    assert_eq!((rule.kind_name(), rule.severity_name(), rule.enabled), ("TTP", "Medium", true));
    assert_eq!((rule.version.as_deref(), rule.status.as_deref()), (Some("3"), Some("production")));
    assert_eq!(rule.techniques, ["T1059.001"]);
    assert_eq!((rule.query_frequency, rule.query_period), (HOUR, HOUR));
    assert!(rule.warnings.is_empty(), "{:?}", rule.warnings);
    let offset = rule.query.find("stats").unwrap();
    assert_eq!(rule.query_source.place(offset), (10, 5));
}

#[test]
fn schedules_and_throttling_are_read() {
    let custom = "custom_schedule:\n  cron_schedule: '*/10 * * * *'\n  earliest_time: -20m@m\n  latest_time: -10m@m\n";
    let found = detection(&format!("{}{custom}", third("TTP")));
    assert_eq!((found.schedule.cron.as_str(), found.schedule.window.as_str()), ("*/10 * * * *", "auto"));
    let rule = read(&format!("{}schedule: Nightly\n", third("TTP"))).unwrap();
    assert_eq!((rule.warnings.len(), &rule.detection.unwrap().schedule), (1, &Schedule::default()));
    assert!(read(&format!("{}schedule: Default EventBasedDetection\n", third("TTP"))).unwrap().warnings.is_empty());
    let throttled = second("TTP").replace("  product:", "  throttling: {fields: [user], period: 86400s}\n  product:");
    assert_eq!(
        detection(&throttled).throttling.map(|t| (t.fields, t.period)),
        Some((vec!["user".into()], "86400s".into()))
    );
}

#[test]
fn a_named_schedule_stands_in_a_file() {
    let folder = std::env::temp_dir().join(format!("huntpack-schedules-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("schedules")).unwrap();
    let text = "name: Nightly\ncron_schedule: 0 2 * * *\nearliest_time: -1d@d\nlatest_time: '@d'\nschedule_window: 5\n";
    std::fs::write(folder.join("schedules/nightly.yml"), text).unwrap();
    let path = folder.join("detections/endpoint/x.yml").display().to_string();
    let file = Arc::new(Source { text: third("TTP") + "schedule: Nightly\n", origin: path, first_line: 1, indent: 0 });
    let node = parse_yaml(&file).unwrap().remove(0);
    let rule = read_rule(&node, &file, node.to_json());
    _ = std::fs::remove_dir_all(&folder);
    let schedule = rule.unwrap().detection.unwrap().schedule;
    assert_eq!((schedule.cron.as_str(), schedule.latest.as_str(), schedule.window.as_str()), ("0 2 * * *", "@d", "5"));
}

#[test]
fn what_keeps_a_detection_from_loading_is_located() {
    let wrong = |from: &str, to: &str| {
        let text = second("TTP").replace(from, to);
        let fault = read(&text).unwrap_err();
        let source = fault.source().unwrap().clone();
        let line = |d: &Diagnostic| source.place(d.span.unwrap().start as usize).0;
        fault.diagnostics().iter().map(|d| (d.code.to_string(), line(d))).collect::<Vec<_>>()
    };
    let line = second("TTP").lines().position(|line| line.starts_with("type:")).unwrap() + 1;
    assert_eq!(wrong("type: TTP", "type: Alert"), [("HP204".to_owned(), line)]);
    assert_eq!(wrong("type: system", "type: host"), [("HP204".to_owned(), line + 4)]);
    assert_eq!(
        wrong("score: 42}\n  - {field: user", "score: high}\n  - {field: user"),
        [("HP205".to_owned(), line + 4)]
    );
    assert_eq!(wrong("  message: $user$ ran $process$ on $dest$\n", "")[0].0, "HP203");
    assert_eq!(wrong("- name: Risk", "- nom: Risk")[0].0, "HP203");
    assert_eq!(wrong("tests:\n- name: True", "drilldown_searches: 7\ntests:\n- name: True")[0].0, "HP206");
}

#[test]
fn the_newest_form_reads_back() {
    for text in [first("TTP"), second("Anomaly"), third("TTP"), first("Hunting"), first("Correlation")] {
        let (rule, own) = (read(&text).unwrap(), detection(&text));
        let written = rule_yaml(&rule);
        let (back, again) = (read(&written).unwrap(), detection(&written));
        assert_eq!((own.scored(), own.finding_entity()), (again.scored(), again.finding_entity()), "{written}");
        assert_eq!(own.finding.map(|f| f.title), again.finding.map(|f| f.title));
        assert_eq!((rule.query, rule.id, rule.name), (back.query, back.id, back.name));
        assert_eq!((own.drilldowns, own.schedule), (again.drilldowns, again.schedule));
        assert_eq!(rule_yaml(&read(&written).unwrap()), written);
    }
}

#[test]
fn good_detections_are_accepted_upstream() {
    for text in [first("TTP"), second("TTP"), second("Anomaly"), third("TTP"), third("Anomaly")] {
        assert_eq!(said(&text), [], "{text}");
    }
}

#[test]
fn what_upstream_refuses_is_said() {
    let line = |text: &str, key: &str| text.lines().position(|line| line.starts_with(key)).unwrap() + 1;
    let base = second("TTP");
    for (from, to, code, key) in [
        ("id: 11111111-", "id: 1-", "HP222", "id:"),
        ("version: 3", "version: 3.1", "HP222", "version:"),
        ("date: '2026-01-10'", "date: '2999-01-10'", "HP222", "date:"),
        ("date: '2026-01-10'", "date: January", "HP222", "date:"),
        ("status: production", "status: done", "HP222", "status:"),
        ("None are known.", "No.", "HP222", "known_false_positives:"),
    ] {
        let text = base.replace(from, to);
        assert_eq!(said(&text), [(code.to_owned(), line(&text, key))], "{to}");
    }
    let codes = |text: &str| said(text).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(codes(&base.replace("`tool_run_by_many_filter`", "search *")), ["HP223"]);
    assert_eq!(codes(&base.replace("name: Tool Run By Many", "name: Another Name")), ["HP221", "HP223"]);
    assert_eq!(codes(&base.replace("%original_detection_search%", "x")), ["HP224"]);
    assert_eq!(codes(&base.replace("type: process}", "type: program}")), ["HP222"]);
    assert_eq!(codes(&base.replace("$process$ on", "$program$ on")), ["HP225"]);
    assert_eq!(codes(&base.replace("[T1059.001]", "[T1059.001, T1059, X1]")), ["HP226", "HP226"]);
    assert_eq!(codes(&base.replace("tags:\n", "tags:\n  impact: 10\n")), ["HP225"]);
    assert_eq!(codes(&third("Anomaly").replace("type: Anomaly", "type: TTP")), ["HP225"]);
}

#[test]
fn tokens_stand_between_dollar_signs() {
    assert_eq!(strict::tokens("$a$ ran $b.c$ for $5 and $d$"), ["a", "b.c", "d"]);
    assert_eq!(strict::tokens("no $ token"), Vec::<&str>::new());
}
