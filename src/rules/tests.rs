//! What runs of rules raise, by the documented behaviour of Sentinel.
use super::duration::{HOUR, MINUTE};
use super::*;
use crate::diagnostic::Source;
use crate::types::{Kind, Name, Schema, Table, Value, datetime};
use serde_json::{Value as Json, json};
use std::sync::Arc;

const NOW: i64 = 630_822_816_000_000_000;

fn rule(extra: &str) -> Rule {
    let text = format!(
        "id: r-1\nname: Small\ndescription: Words\nseverity: Medium\nqueryFrequency: 1h\nqueryPeriod: 1d\n\
         triggerOperator: gt\ntriggerThreshold: 0\nquery: T | take 1\ntactics: [Impact]\nrelevantTechniques: [T1110.003]\n\
         entityMappings: [{{entityType: IP, fieldMappings: [{{identifier: Address, columnName: Ip}}]}}]\n{extra}"
    );
    let file = Arc::new(Source { text, origin: "r.yaml".into(), first_line: 1, indent: 0 });
    let node = document::parse_yaml(&file).unwrap().remove(0);
    sentinel::read_rule(&node, &file, Format::Sentinel, node.to_json()).unwrap()
}

/// Rows of an address, a count, a user and an event's time.
fn rows(rows: &[(&str, f64, &str, i64)]) -> Table {
    let columns = [("Ip", Kind::String), ("N", Kind::Real), ("User", Kind::String), ("TimeGenerated", Kind::DateTime)];
    let schema = Schema::new(columns.iter().map(|(name, kind)| (Name::from(*name), *kind)).collect());
    let row = |(ip, n, user, time): &(&str, f64, &str, i64)| {
        vec![Value::string(*ip), Value::Real(*n), Value::string(*user), Value::DateTime(*time)]
    };
    Table::from_rows(schema, &rows.iter().map(row).collect::<Vec<_>>())
}

fn two() -> Table {
    rows(&[("1.1.1.1", 3.0, "al", NOW - HOUR), ("2.2.2.2", 4.5, "", NOW - 2 * HOUR)])
}

/// A table's rows as maps of texts.
fn records(table: &Table) -> Vec<serde_json::Map<String, Json>> {
    let names: Vec<String> = table.schema().names().map(|name| name.to_string()).collect();
    let record = |row: Vec<Value>| names.iter().cloned().zip(row.iter().map(|cell| cell.to_text().into())).collect();
    table.to_rows().into_iter().map(record).collect()
}

fn alerts(rule: &Rule, results: &Table) -> Vec<serde_json::Map<String, Json>> {
    let mut runs = Runs::default();
    runs.take(rule, results, NOW);
    records(&runs.alert_table())
}

const EACH: &str = "eventGroupingSettings: {aggregationKind: AlertPerResult}\n";

#[test]
fn the_trigger_counts_rows() {
    for (operator, threshold, expected) in
        [("gt", 1, 1), ("gt", 2, 0), ("lt", 3, 1), ("lt", 2, 0), ("eq", 2, 1), ("eq", 1, 0), ("ne", 1, 1), ("ne", 2, 0)]
    {
        let mut rule = rule("");
        rule.trigger_operator = TriggerOperator::parse(operator).unwrap();
        rule.trigger_threshold = threshold;
        assert_eq!(alerts(&rule, &two()).len(), expected, "{operator} {threshold}");
    }
    let mut silent = rule("");
    silent.trigger_operator = TriggerOperator::Equal;
    assert_eq!(alerts(&silent, &rows(&[])).len(), 1, "no rows can be what a rule waits for");
}

#[test]
fn one_alert_sums_up_its_rows() {
    let found = alerts(&rule("customDetails: {Users: User, Counts: N}\n"), &two()).remove(0);
    for (column, text) in [
        ("AlertName", "Small"),
        ("DisplayName", "Small"),
        ("Description", "Words"),
        ("AlertSeverity", "Medium"),
        ("ProviderName", "ASI Scheduled Alerts"),
        ("VendorName", "Microsoft"),
        ("ProductName", "Azure Sentinel"),
        ("ProductComponentName", "Scheduled Alerts"),
        ("AlertType", "00000000-0000-0000-0000-000000000000_r-1"),
        ("SourceSystem", "Detection"),
        ("Status", "New"),
        ("Tactics", "Impact"),
        ("Techniques", "[\"T1110\"]"),
        ("SubTechniques", "[\"T1110.003\"]"),
        ("Type", "SecurityAlert"),
    ] {
        assert_eq!(found[column], text, "{column}");
    }
    assert_eq!(found["StartTime"], datetime::format(NOW - 2 * HOUR));
    assert_eq!(found["EndTime"], datetime::format(NOW - HOUR));
    let entities: Json = serde_json::from_str(found["Entities"].as_str().unwrap()).unwrap();
    assert_eq!(entities[1], json!({"$id": "2", "Address": "2.2.2.2", "Type": "ip"}));
    let properties: Json = serde_json::from_str(found["ExtendedProperties"].as_str().unwrap()).unwrap();
    assert_eq!(properties["Custom Details"], r#"{"Users":["al"],"Counts":["3","4.5"]}"#);
    assert_eq!(
        (&properties["Trigger Operator"], &properties["Query Period"]),
        (&json!("GreaterThan"), &json!("1.00:00:00"))
    );
    assert_eq!(properties["Search Query Results Overall Count"], "2");
}

#[test]
fn ids_are_stable_and_apart() {
    let id = |results: &Table| alerts(&rule(""), results)[0]["SystemAlertId"].clone();
    assert_eq!(id(&two()), id(&two()));
    assert_ne!(id(&two()), id(&rows(&[("1.1.1.1", 3.0, "al", NOW)])));
    assert_eq!(id(&two()).as_str().unwrap().len(), 36);
}

#[test]
fn without_event_times_the_alert_covers_the_window() {
    let schema = Schema::new(vec![("Ip".into(), Kind::String)]);
    let found = alerts(&rule(""), &Table::from_rows(schema, &[vec![Value::string("x")]])).remove(0);
    assert_eq!(
        (&found["StartTime"], &found["EndTime"]),
        (&json!(datetime::format(NOW - 24 * HOUR)), &json!(datetime::format(NOW)))
    );
}

#[test]
fn each_row_can_be_an_alert_of_its_own() {
    let format =
        "alertDetailsOverride: {alertDisplayNameFormat: '{{User}}: {{ N }}', alertDescriptionFormat: 'At {{Ip}}'}\n";
    let found = alerts(&rule(&format!("{EACH}{format}")), &two());
    let texts: Vec<_> =
        found.iter().map(|alert| (alert["AlertName"].as_str(), alert["Description"].as_str())).collect();
    assert_eq!(texts, [(Some("al: 3"), Some("At 1.1.1.1")), (Some("Small"), Some("At 2.2.2.2"))]);
}

#[test]
fn more_than_150_rows_are_149_alerts_and_one_for_the_rest() {
    let many: Vec<(String, i64)> = (0..200).map(|n| (format!("10.0.0.{n}"), NOW - n * MINUTE)).collect();
    let table = |count: usize| {
        rows(&many.iter().take(count).map(|(ip, time)| (ip.as_str(), 1.0, "al", *time)).collect::<Vec<_>>())
    };
    let format = "alertDetailsOverride: {alertDisplayNameFormat: '{{Ip}}'}\n";
    let found = alerts(&rule(&format!("{EACH}{format}")), &table(200));
    assert_eq!(
        (found.len(), &found[148]["AlertName"], &found[149]["AlertName"]),
        (150, &json!("10.0.0.148"), &json!("Small"))
    );
    let rest: Json = serde_json::from_str(found[149]["Entities"].as_str().unwrap()).unwrap();
    assert_eq!(rest.as_array().unwrap().len(), 51);
    assert_eq!(alerts(&rule(EACH), &table(150)).len(), 150);
    assert_eq!(alerts(&rule(&format!("{EACH}kind: NRT\n")), &table(200)).len(), 30);
}

#[test]
fn columns_override_what_the_rule_says() {
    let schema =
        Schema::new(["Sev", "Tac", "Link", "Tec"].iter().map(|name| (Name::from(*name), Kind::String)).collect());
    let details = "alertDetailsOverride: {alertSeverityColumnName: Sev, alertTacticsColumnName: Tac, alertDynamicProperties: [\
        {alertProperty: AlertLink, value: Link}, {alertProperty: Techniques, value: Tec}, {alertProperty: ConfidenceScore, value: No}]}\n";
    let row = |texts: [&str; 4]| Table::from_rows(schema.clone(), &[texts.map(Value::string).to_vec()]);
    let found = alerts(&rule(details), &row(["high", "Credential Access,Impact", "http://x", "[\"T1\"]"])).remove(0);
    assert_eq!((&found["AlertSeverity"], &found["Tactics"]), (&json!("High"), &json!("CredentialAccess, Impact")));
    assert_eq!((&found["AlertLink"], &found["Techniques"]), (&json!("http://x"), &json!("[\"T1\"]")));
    let found = alerts(&rule(details), &row(["Grave", "", "", ""])).remove(0);
    assert_eq!(
        (&found["AlertSeverity"], &found["Tactics"], &found["AlertLink"]),
        (&json!("Medium"), &json!("Impact"), &json!(""))
    );
}

#[test]
fn custom_details_have_limits() {
    let many: Vec<(String, f64)> = (0..60).map(|n| ("x".repeat(30), f64::from(n))).collect();
    let table = rows(&many.iter().map(|(user, n)| ("1", *n, user.as_str(), NOW)).collect::<Vec<_>>());
    let found = alerts(&rule("customDetails: {N: N, U: User, Gone: Absent}\n"), &table).remove(0);
    let properties: Json = serde_json::from_str(found["ExtendedProperties"].as_str().unwrap()).unwrap();
    let details: Json = serde_json::from_str(properties["Custom Details"].as_str().unwrap()).unwrap();
    assert_eq!((details["N"].as_array().unwrap().len(), details["U"].as_array().unwrap().len()), (50, 1));
    assert_eq!(details.get("Gone"), None);
}

#[test]
fn a_rule_is_silent_after_its_alert() {
    let rule = rule("suppressionEnabled: true\nsuppressionDuration: 2h\n");
    let mut runs = Runs::default();
    let raised: Vec<usize> = (0..5).map(|n| runs.take(&rule, &two(), NOW + n * HOUR)).collect();
    assert_eq!(raised, [1, 0, 1, 0, 1]);
    let mut runs = Runs::default();
    runs.take(&rule, &rows(&[]), NOW);
    assert!(!runs.is_silent(&rule, NOW + MINUTE), "a run without an alert silences nothing");
}

/// Numbers of alerts of each incident after runs an hour apart.
fn incidents(rule: &Rule, runs: &[Table]) -> Vec<usize> {
    let mut state = Runs::default();
    for (at, results) in (0..).zip(runs) {
        state.take(rule, results, NOW + at * HOUR);
    }
    state.incidents().list().iter().map(|incident| incident.alert_ids.len()).collect()
}

fn grouped(matching: &str) -> Rule {
    rule(&format!(
        "customDetails: {{U: User}}\nincidentConfiguration: {{groupingConfiguration: {{enabled: true, lookbackDuration: 2h, {matching}}}}}\n"
    ))
}

#[test]
fn alerts_are_grouped_into_incidents() {
    let one = |ip: &str, user: &str| rows(&[(ip, 1.0, user, NOW)]);
    let runs = [one("1", "al"), one("2", "al"), one("1", "bo")];
    assert_eq!(incidents(&rule(""), &runs), [1, 1, 1]);
    assert_eq!(incidents(&rule("incidentConfiguration: {createIncident: false}\n"), &runs), [0; 0]);
    assert_eq!(incidents(&grouped("matchingMethod: AnyAlert"), &runs), [3]);
    assert_eq!(incidents(&grouped("matchingMethod: AllEntities"), &runs), [2, 1]);
    assert_eq!(incidents(&grouped("matchingMethod: Selected, groupByEntities: [ip]"), &runs), [2, 1]);
    assert_eq!(incidents(&grouped("matchingMethod: Selected, groupByCustomDetails: [U]"), &runs), [2, 1]);
    assert_eq!(incidents(&grouped("matchingMethod: Selected, groupByAlertDetails: [Severity]"), &runs), [3]);
    let late = [one("1", "al"), rows(&[]), rows(&[]), one("1", "al")];
    assert_eq!(incidents(&grouped("matchingMethod: AnyAlert"), &late), [1, 1], "outside of the look-back");
}

#[test]
fn an_incident_holds_150_alerts() {
    let rule = grouped("matchingMethod: AnyAlert");
    let mut runs = Runs::default();
    for _ in 0..151 {
        runs.take(&rule, &two(), NOW);
    }
    let sizes: Vec<usize> = runs.incidents().list().iter().map(|incident| incident.alert_ids.len()).collect();
    assert_eq!(sizes, [150, 1]);
}

#[test]
fn a_closed_incident_is_reopened_where_the_rule_says_so() {
    for (reopen, expected) in [(true, vec![2]), (false, vec![1, 1])] {
        let rule = grouped(&format!("reopenClosedIncident: {reopen}"));
        let mut incidents = incident::Incidents::default();
        let results = two();
        let rows = results.to_rows();
        let alerts = |now| alert::Run { rule: &rule, schema: results.schema(), rows: &rows, now }.alerts();
        incidents.take(&rule, &alerts(NOW)[0]);
        assert!(incidents.close(1, NOW + MINUTE) && !incidents.close(7, NOW));
        incidents.take(&rule, &alerts(NOW + HOUR)[0]);
        let sizes: Vec<usize> = incidents.list().iter().map(|incident| incident.alert_ids.len()).collect();
        assert_eq!(sizes, expected);
    }
}

#[test]
fn incidents_have_the_columns_of_their_table() {
    let mut runs = Runs::default();
    runs.take(&rule(""), &two(), NOW);
    let found = records(&runs.incident_table()).remove(0);
    let alert = records(&runs.alert_table()).remove(0);
    assert_eq!(
        (&found["IncidentNumber"], &found["Title"], &found["Severity"]),
        (&json!("1"), &json!("Small"), &json!("Medium"))
    );
    assert_eq!(found["AlertIds"], json!([alert["SystemAlertId"]]).to_string());
    assert_eq!(
        (&found["Status"], &found["ClosedTime"], &found["CreatedTime"]),
        (&json!("New"), &json!(""), &json!(datetime::format(NOW)))
    );
    assert_eq!(found["RelatedAnalyticRuleIds"], "[\"r-1\"]");
}

mod broken {
    //! Nothing that a file holds makes reading it panic.
    use super::*;
    use crate::rules::{import::import_page, strict};
    use proptest::prelude::*;

    const PIECES: &[&str] = &[
        "id: 11111111-2222-3333-4444-555555555555\n",
        "name: A\n",
        "severity: High\n",
        "kind: Scheduled\n",
        "query: |\n",
        "  T\n",
        "  | where x == \"a\n",
        "| take 1\n",
        "queryFrequency: 1h\n",
        "queryPeriod: P1D\n",
        "triggerOperator: gt\n",
        "triggerThreshold: 0\n",
        "tactics:\n",
        "- Impact\n",
        "  - Impact\n",
        "entityMappings:\n",
        "- entityType: IP\n",
        "  fieldMappings:\n",
        "- identifier: Address\n",
        "columnName: a\n",
        "customDetails:\n",
        "  a: b\n",
        "incidentConfiguration:\n",
        "groupingConfiguration:\n",
        "enabled: true\n",
        "description: |\n",
        "description: 'it''s\n",
        "Explanation\n",
        "\n",
        "This is a sentence of some more words.\n",
        "| A | B |\n|---|---|\n",
        "- \n",
        "-\n",
        "\u{a0}",
        "\t",
        "\u{feff}",
        "é: [",
        "{",
        "}",
        "]",
        "'",
        "\"",
        "```\n",
        "@'",
        "&a ",
        "*a ",
        "!!binary ",
        "? ",
        ": ",
        "---\n",
        "\r",
        "alertDetailsOverride: {alertDisplayNameFormat: '{{a}} {{'}\n",
        "KQL Query\n",
        "search: x\n",
        "tags:\n",
        "rba:\n",
    ];

    fn exercise(text: &str) {
        for rule in import_page(text) {
            _ = rule.notes;
        }
        let file = Arc::new(Source { text: text.into(), origin: "x.yaml".into(), first_line: 1, indent: 0 });
        for node in document::parse_yaml(&file).unwrap_or_default() {
            if let Ok(rule) = sentinel::read_rule(&node, &file, Format::Sentinel, node.to_json()) {
                _ = (strict::check(&rule), rule_yaml(&rule), arm::to_template([&rule]));
                _ = alerts(&rule, &two());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
            exercise(&pieces.concat());
        }

        #[test]
        fn any_text(text in "\\PC{0,60}") {
            exercise(&text);
        }
    }
}
