use super::*;
use crate::rules::document::parse_yaml;
use crate::rules::escu::read_rule;
use crate::rules::import::import_page;
use crate::rules::{Pack, rule_yaml, sentinel};
use proptest::prelude::*;

fn yaml(text: &str) -> Rule {
    let file = Arc::new(Source { text: text.into(), origin: "r.yml".into(), first_line: 1, indent: 0 });
    let node = parse_yaml(&file).unwrap().remove(0);
    match sentinel::is_rule(&node) {
        true => sentinel::read_rule(&node, &file, Format::Sentinel, node.to_json()).unwrap(),
        false => read_rule(&node, &file, node.to_json()).unwrap(),
    }
}

fn conf(text: &str) -> Vec<Rule> {
    read(&Conf::parse(text, "savedsearches.conf")).into_iter().map(Result::unwrap).collect()
}

/// What a run depends on.
fn meaning(rule: &Rule) -> String {
    let detection = rule.detection.as_ref().unwrap();
    let query: Vec<&str> = rule.query.trim().lines().map(str::trim_end).collect();
    let finding = detection.finding.as_ref().map(|finding| (&finding.title, detection.finding_entity()));
    let mut threats = detection.threat_objects.clone();
    threats.sort_by_key(|threat| (threat.field.clone(), threat.kind.clone()));
    format!(
        "{query:?} {finding:?} {:?} {threats:?} {:?} {:?} {:?} {:?}",
        detection.scored(),
        detection.schedule,
        detection.throttling,
        detection.search_name,
        detection.annotations(&rule.techniques),
    )
}

const HEAD: &str = "name: Tool Run\nid: 11111111-2222-3333-4444-555555555555\nversion: 3\nauthor: Me\n\
    status: production\ndescription: Words.\nsearch: |\n  `sysmon` process=\"a\\\\\"\n\n  | stats count by dest user\n  \
    | `tool_run_filter`\nhow_to_implement: Words.\nknown_false_positives: Words.\n";
const DRILLDOWNS: &str =
    "drilldown_searches:\n- name: View\n  search: '%original_detection_search% | search user = \"$user$\"'\n";
const RBA: &str = "rba:\n  message: $user$ on $dest$\n  risk_objects:\n  - {field: dest, type: system, score: 42}\n  \
    - {field: user, type: user, score: 50}\n  - {field: a_user, type: user, score: 10}\n  threat_objects:\n  \
    - {field: url, type: url}\n  - {field: file, type: file_name}\n";
const FINDING: &str = "finding:\n  title: $user$ ran it\n  entity: {field: user, type: user, score: 50}\n\
    intermediate_findings:\n  entities:\n  - {field: dest, type: system, score: 42, message: ran on $dest$}\n\
    threat_objects:\n- {field: file, type: file_name}\nanalytic_story: [Story]\nmitre_attack_id: [T1059]\nsecurity_domain: network\n";
const SCHEDULE: &str =
    "custom_schedule: {cron_schedule: 5 0 * * *, earliest_time: -1d@d, latest_time: '@d', schedule_window: '5'}\n";
const TAGS: &str = "tags:\n  analytic_story: [Story]\n  security_domain: threat\n  mitre_attack_id: [T1059.001]\n  cve: [CVE-2024-1]\n  \
    throttling: {fields: [user, dest], period: 1h}\n";

#[test]
fn a_detection_that_goes_out_and_comes_back_is_the_same() {
    let texts = [
        format!("{HEAD}{DRILLDOWNS}type: TTP\n{RBA}{TAGS}"),
        format!("{HEAD}{DRILLDOWNS}type: Anomaly\n{RBA}{TAGS}"),
        format!("{HEAD}type: Hunting\n{TAGS}"),
        format!("{HEAD}type: Correlation\n{TAGS}"),
        format!("{HEAD}{DRILLDOWNS}type: TTP\n{FINDING}{SCHEDULE}"),
        format!("{HEAD}type: Correlation\n{}", FINDING.replace("intermediate_findings", "other")),
    ];
    for text in texts {
        let rule = yaml(&text);
        let written = to_conf([&rule]);
        let back = conf(&written).remove(0);
        assert_eq!(meaning(&back), meaning(&rule), "{written}");
        assert_eq!((&back.id, &back.name, &back.version), (&rule.id, &rule.name, &rule.version));
        assert_eq!((back.kind_name(), back.severity_name()), (rule.kind_name(), rule.severity_name()));
        assert_eq!(to_conf([&back]), written);
        let again = yaml(&rule_yaml(&back));
        assert_eq!(meaning(&again), meaning(&rule));
    }
}

#[test]
fn the_old_form_is_written_as_it_was() {
    let written = to_conf([&yaml(&format!("{HEAD}{DRILLDOWNS}type: TTP\n{RBA}{TAGS}"))]);
    let stanza = &Conf::parse(written, "s.conf").stanzas[0];
    assert_eq!(stanza.name, "ESCU - Tool Run - Rule");
    for (key, value) in [
        ("disabled", "1"),
        ("enableSched", "1"),
        ("cron_schedule", "0 * * * *"),
        ("dispatch.earliest_time", "-70m@m"),
        ("dispatch.latest_time", "-10m@m"),
        ("alert.suppress", "1"),
        ("alert.suppress.fields", "user,dest"),
        ("action.correlationsearch.enabled", "1"),
        ("action.risk", "1"),
        ("action.risk.param._risk_message", "$user$ on $dest$"),
        ("action.risk.param._risk_score", "0"),
        ("action.notable", "1"),
        ("action.notable.param.rule_title", "%name%"),
        ("action.notable.param.severity", "medium"),
        ("action.notable.param.security_domain", "threat"),
    ] {
        assert_eq!(stanza.get(key), Some(value), "{key}");
    }
    let risk: Value = serde_json::from_str(stanza.get("action.risk.param._risk").unwrap()).unwrap();
    let fields: Vec<&str> = risk.as_array().unwrap().iter().filter_map(|o| o["risk_object_field"].as_str()).collect();
    assert_eq!(fields, ["a_user", "dest", "user"]);
    assert_eq!(risk[3], serde_json::json!({"threat_object_field": "file", "threat_object_type": "file_name"}));
}

#[test]
fn the_new_form_has_messages_and_an_entity_of_its_own() {
    let written = to_conf([&yaml(&format!("{HEAD}type: TTP\n{FINDING}"))]);
    let stanza = &Conf::parse(written, "s.conf").stanzas[0];
    assert_eq!(stanza.get("action.notable.param.rule_title"), Some("$user$ ran it"));
    let json = |key: &str| serde_json::from_str::<Value>(stanza.get(key).unwrap()).unwrap();
    assert_eq!(
        json("action.notable.param._entities"),
        serde_json::json!([{"risk_object_field": "user", "risk_object_type": "user", "risk_score": 50}])
    );
    let risk = json("action.risk.param._risk");
    assert_eq!((risk.as_array().unwrap().len(), &risk[0]["risk_message"]), (2, &Value::from("ran on $dest$")));
}

#[test]
fn searches_of_people_are_rules_too() {
    let text = "[Logons of admins]\nsearch = index=main user=admin \\\n| stats count by user\ncron_schedule = */15 * * * *\n\
        dispatch.earliest_time = -15m\ndispatch.latest_time = now\nrelation = greater than\nquantity = 5\n\
        [Old]\nsearch = a\naction.risk = 1\naction.risk.param._risk_object = user\naction.risk.param._risk_object_type = user\n\
        action.risk.param._risk_score = 30\ndisabled = 1\n[view]\nlabel = x\n";
    let rules = conf(text);
    assert_eq!(rules.len(), 2);
    assert_eq!(
        (rules[0].name.as_str(), rules[0].kind_name(), rules[0].trigger_threshold),
        ("Logons of admins", "Hunting", 5)
    );
    assert_eq!(rules[0].query, "index=main user=admin\n| stats count by user");
    assert_eq!(rules[0].query_source.place(rules[0].query.find('|').unwrap()), (3, 1));
    let old = rules[1].detection.as_ref().unwrap();
    assert_eq!((rules[1].kind_name(), rules[1].enabled, old.entities[0].score), ("Anomaly", false, 30));
}

#[test]
fn what_is_wrong_is_located() {
    let of = |text: &str| read(&Conf::parse(text, "s.conf")).remove(0).unwrap_err();
    let fault = of("[a]\nsearch = x\nquantity = many\n");
    assert_eq!(
        (fault.diagnostics()[0].code.as_ref(), fault.diagnostics()[0].span.map(|s| s.start)),
        ("HP205", Some(26))
    );
    assert!(of("[a]\nsearch = x\naction.risk = 1\naction.risk.param._risk = [{\n").message().contains("JSON"));
    assert!(of("[a]\nsearch = x\nrelation = drops by\n").message().contains("drops by"));
}

#[test]
fn a_rule_in_kql_becomes_a_search_that_runs_it() {
    let text = "id: a1\nname: Many failures\nseverity: High\nqueryFrequency: 4h\nqueryPeriod: 1d\ntriggerOperator: gt\n\
        triggerThreshold: 2\nquery: SigninLogs | take 1\nrelevantTechniques: [T1110]\n\
        entityMappings: [{entityType: Account, fieldMappings: [{identifier: Name, columnName: UserName}]}, \
        {entityType: IP, fieldMappings: [{identifier: Address, columnName: IP}]}]\n";
    let conf = Conf::parse(to_conf([&yaml(text)]), "s.conf");
    let stanza = &conf.stanzas[0];
    assert!(stanza.get("search").unwrap().ends_with("| huntpack rules=\"a1\" output=results"));
    assert!(stanza.get("search").unwrap().starts_with("`huntpack_signinlogs` | huntpack "));
    for (key, value) in [
        ("disabled", "1"),
        ("cron_schedule", "0 */4 * * *"),
        ("dispatch.earliest_time", "-1440m@m"),
        ("relation", "greater than"),
        ("quantity", "2"),
        ("action.notable.param.severity", "high"),
    ] {
        assert_eq!(stanza.get(key), Some(value), "{key}");
    }
    let risk: Value = serde_json::from_str(stanza.get("action.risk.param._risk").unwrap()).unwrap();
    assert_eq!(
        risk[0],
        serde_json::json!({"risk_object_field": "UserName", "risk_object_type": "user", "risk_score": 80})
    );
}

#[test]
fn a_configuration_is_imported_as_yaml() {
    let written = to_conf([&yaml(&format!("{HEAD}type: TTP\n{FINDING}"))]);
    let imported = import_page(&format!("# Saved searches\n{written}"));
    assert_eq!((imported.len(), imported[0].name.as_deref()), (1, Some("Tool Run")));
    assert_eq!(meaning(&yaml(&imported[0].yaml)), meaning(&yaml(&format!("{HEAD}type: TTP\n{FINDING}"))));
    let broken = import_page("[a]\nsearch = x\nquantity = many\n");
    assert!(broken[0].error.is_some() && broken[0].yaml.is_empty());
}

#[test]
fn a_pack_reads_both_formats() {
    let folder = std::env::temp_dir().join(format!("huntpack-saved-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("default")).unwrap();
    std::fs::write(folder.join("tool_run.yml"), format!("{HEAD}type: TTP\n{RBA}{TAGS}")).unwrap();
    std::fs::write(folder.join("default/savedsearches.conf"), "[one]\nsearch = x\n[two]\nsearch = y\nquantity = z\n")
        .unwrap();
    std::fs::write(folder.join("default/macros.conf"), "[m]\ndefinition = x\n").unwrap();
    let pack: Pack = crate::rules::load(&[&folder]);
    _ = std::fs::remove_dir_all(&folder);
    let formats: Vec<&str> = pack.rules.iter().map(|rule| rule.format.name()).collect();
    assert_eq!((formats, pack.problems.len()), (vec!["savedsearch", "escu"], 1));
}

proptest! {
    #[test]
    fn any_configuration_is_read(text in "(\\[a\\]\n|search = |action.risk = 1\n|action.risk.param._risk = |action.notable = 1\n|action.notable.param._entities = |\\[|\\{|\\}|\\]|\"risk_object_field\": |\"x\"|,|\\\\\n|\n|\\PC){0,40}") {
        for rule in read(&Conf::parse(text, "s.conf")).into_iter().flatten() {
            let written = to_conf([&rule]);
            prop_assert!(conf(&written).len() <= 1, "{}", written);
            _ = rule_yaml(&rule);
        }
    }

    #[test]
    fn any_search_goes_out_and_comes_back(search in "[ab|\"\\\\\\[\\]#=`$ \n]{1,30}") {
        let text = format!("{}\ntype: Hunting\n{TAGS}", HEAD.replace("  `sysmon` process=\"a\\\\\"\n", "  `sysmon`\n"));
        let mut rule = yaml(&text);
        rule.query = search.clone();
        let back = conf(&to_conf([&rule]));
        let lines = |text: &str| text.trim().lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
        if !search.trim().is_empty() {
            prop_assert_eq!(lines(&back[0].query), lines(&search));
        }
    }
}
