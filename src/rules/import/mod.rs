//! Rules out of pasted web pages: lost indentation, prose around them, queries that are cut off.
//!
//! A rule whose YAML is whole is taken as it is. Else it is put together line by line from what the
//! format's schema allows, and what was mended is said.
mod assemble;
mod page;
mod query_text;
mod schema;

use super::document::{Content, Node, Style, parse_yaml};
use super::emit::to_yaml;
use super::rule::{Format, Rule};
use super::write::rule_yaml;
use super::{arm, escu, savedsearch, sentinel};
use crate::diagnostic::{Fault, Severity, Source};
use crate::read::Conf;
use assemble::{assemble, dedented};
use page::{Line, Region};
use query_text::{End, ending, extent};
use schema::{SENTINEL, Schema, is_nested_key};
use std::sync::Arc;

/// A rule that was recovered from a page.
#[derive(Clone, Debug)]
pub struct Imported {
    pub id: Option<String>,
    pub name: Option<String>,
    /// Clean YAML of the rule; empty where a template's resource holds none that loads.
    pub yaml: String,
    /// What was mended or left out, in the page's own lines.
    pub notes: Vec<String>,
    /// What keeps the rule from loading even now.
    pub error: Option<Fault>,
}

/// Recovers every rule of a page's text; none where the page holds none.
pub fn import_page(text: &str) -> Vec<Imported> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return template_rules(text);
    }
    if is_conf(text) {
        return saved_searches(text);
    }
    let text = &text.lines().map(with_plain_indent).collect::<String>();
    let lines = page::lines(text);
    let schema = page::schema_of(&lines);
    let mut found: Vec<Recovered> = vec![];
    for region in page::regions(&lines, schema) {
        let mut rule = recover(&lines, region, schema);
        rule.mend_query(&lines, schema);
        match found.iter_mut().find(|other| other.id().is_some() && other.id() == rule.id()) {
            Some(other) if other.whole || !rule.whole => {}
            Some(other) => *other = rule,
            None => found.push(rule),
        }
    }
    found.into_iter().map(|rule| rule.finish(&lines, schema)).collect()
}

/// A line with its end, indented by spaces: web pages indent with no-break spaces, which YAML knows not.
fn with_plain_indent(line: &str) -> String {
    let text = line.trim_start_matches([' ', '\u{a0}', '\u{200b}', '\u{feff}']);
    let indent = line.get(..line.len() - text.len()).unwrap_or("");
    let spaces = indent.chars().filter(|c| [' ', '\u{a0}'].contains(c)).count();
    format!("{}{text}\n", " ".repeat(spaces))
}

/// The rules of an ARM template.
fn template_rules(text: &str) -> Vec<Imported> {
    let file = Arc::new(Source { text: text.into(), origin: "<template>".into(), first_line: 1, indent: 0 });
    let Ok(document) = serde_json::from_str(text) else { return vec![] };
    arm::read_template(&document, &file).into_iter().map(imported).collect()
}

/// Whether a text is a Splunk configuration: it begins with a stanza, and sets a search.
fn is_conf(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let searches = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == "search");
    lines.next().is_some_and(|first| first.starts_with('[') && first.ends_with(']')) && lines.any(searches)
}

/// The rules of a savedsearches.conf.
fn saved_searches(text: &str) -> Vec<Imported> {
    savedsearch::read(&Conf::parse(text, "<savedsearches>")).into_iter().map(imported).collect()
}

/// A rule of a file that is whole, or what keeps it from being one.
fn imported(read: Result<Rule, Fault>) -> Imported {
    match read {
        Ok(rule) => Imported {
            id: rule.id.clone(),
            name: Some(rule.name.clone()),
            yaml: rule_yaml(&rule),
            notes: rule.warnings.iter().map(|d| d.message.clone()).collect(),
            error: None,
        },
        Err(fault) => Imported {
            id: None,
            name: None,
            yaml: String::new(),
            notes: fault.diagnostics().iter().map(|d| format!("not recovered: {}", d.message)).collect(),
            error: Some(fault),
        },
    }
}

/// Whether a key of a Sentinel rule stands below its top level.
pub(super) fn belongs_deeper(key: &str) -> bool {
    is_nested_key(&SENTINEL, key)
}

/// A rule while it is being mended.
struct Recovered {
    node: Node,
    notes: Vec<String>,
    /// Lines of the page that the rule was read from.
    region: Region,
    /// Whether the query ends where it should.
    whole: bool,
}

fn recover(lines: &[Line<'_>], region: Region, schema: &'static Schema) -> Recovered {
    if let Some(rule) = intact(lines, region, schema) {
        return rule;
    }
    let slice = lines.get(region.start..region.end).unwrap_or_default();
    let assembled = assemble(slice, schema);
    let mut notes = vec!["the indentation was lost or wrong: restored by the rule's schema".to_string()];
    if !assembled.skipped.is_empty() {
        notes.push(format!("left out, as it fits nothing of the rule: {}", line_list(&assembled.skipped)));
    }
    let region = Region { start: region.start, end: region.start + assembled.used };
    Recovered { node: assembled.node, notes, region, whole: true }
}

/// The rule as YAML reads it, where what follows it can be told by its indentation.
fn intact(lines: &[Line<'_>], region: Region, schema: &Schema) -> Option<Recovered> {
    let slice = lines.get(region.start..region.end)?;
    let margin = slice.first()?.indent;
    let goes_on = |line: &Line<'_>| {
        let key = || line.key().is_some_and(|(key, _)| key.starts_with(|c: char| c.is_ascii_lowercase()));
        line.is_blank() || line.indent > margin || line.text.starts_with('#') || line.item().is_some() || key()
    };
    let end = slice.iter().position(|line| !goes_on(line)).unwrap_or(slice.len());
    let body: Vec<&str> = slice.get(..end)?.iter().map(|line| line.whole).collect();
    let text = dedented(&body).join("\n") + "\n";
    let file = Arc::new(Source { text, ..Source::default() });
    let mut documents = parse_yaml(&file).ok()?;
    let node = (documents.len() == 1).then(|| documents.remove(0))?;
    let more = slice.get(end..)?.iter().filter_map(Line::key);
    let cut_short = more.filter(|(key, value)| schema.anchors(key, value)).any(|(key, _)| node.get(key).is_none());
    (is_sound(&node, &file, schema) && !cut_short).then(|| Recovered {
        node,
        notes: vec![],
        region: Region { start: region.start, end: region.start + end },
        whole: true,
    })
}

/// Whether every key stands where it belongs: flattened YAML can parse and mean something else.
fn is_sound(node: &Node, file: &Arc<Source>, schema: &Schema) -> bool {
    let displaced = |key: &str| schema::shape(schema.keys, key).is_none() && is_nested_key(schema, key);
    let placed = !node.entries().iter().any(|(key, _)| displaced(&key.text));
    let empty = |key: &str| node.entries().iter().any(|(k, value)| k.text == key && value.is_null());
    let collections = schema.keys.iter().filter(|(_, shape)| !matches!(shape, schema::Shape::Text));
    let filled = !collections.map(|(key, _)| *key).chain([schema.query]).any(empty);
    let mapped = |rule: &Rule| rule.mapped_entities().iter().all(|entity| !entity.field_mappings.is_empty());
    let loads = read_rule(node, file, schema).is_ok_and(|rule| mapped(&rule));
    let query = node.get(schema.query).and_then(Node::text).is_some_and(|query| !query.trim().is_empty());
    placed && filled && loads && query
}

/// Reads a rule of the schema's format.
fn read_rule(node: &Node, file: &Arc<Source>, schema: &Schema) -> Result<Rule, Fault> {
    match std::ptr::eq(schema, &SENTINEL) {
        true => sentinel::read_rule(node, file, Format::Sentinel, node.to_json()),
        false => escu::read_rule(node, file, node.to_json()),
    }
}

impl Recovered {
    fn id(&self) -> Option<&str> {
        self.node.get("id").and_then(Node::text)
    }

    /// Takes the complete query from elsewhere on the page where the rule's own copy is cut off or absent.
    fn mend_query(&mut self, lines: &[Line<'_>], schema: &Schema) {
        if !std::ptr::eq(schema, &SENTINEL) {
            return;
        }
        let query = self.node.get(schema.query).and_then(Node::text).unwrap_or("").to_string();
        let own: Vec<&str> = query.trim_end().lines().collect();
        let end = ending(&own);
        let broken = own.is_empty() || end != End::Whole;
        let Some((place, text)) = self.other_copy(lines, &own, broken) else {
            self.whole = !broken;
            return;
        };
        let line = lines.get(place).map_or(0, |line| line.number);
        let what = match (own.is_empty(), end) {
            (true, _) => "the rule itself has no query",
            (_, End::InString) => "the rule's copy of the query breaks off inside a string",
            (_, End::InBrackets) => "the rule's copy of the query breaks off inside of brackets",
            (_, End::Whole) => "the rule's copy of the query breaks off",
        };
        self.notes.push(format!("{what}: the complete query was taken from line {line} of the page"));
        self.set_query(schema.query, text);
    }

    fn set_query(&mut self, key: &str, text: String) {
        let value = Node { content: Content::Scalar { text, style: Style::Block }, span: Default::default() };
        if let Content::Mapping(entries) = &mut self.node.content {
            match entries.iter_mut().find(|(k, _)| k.text == key) {
                Some((_, node)) => *node = value,
                None => entries.push((super::document::Key { text: key.into(), span: Default::default() }, value)),
            }
        }
    }

    /// Another copy of the query on the page that goes on where the rule's own ends: its line and text.
    fn other_copy(&self, lines: &[Line<'_>], own: &[&str], broken: bool) -> Option<(usize, String)> {
        let outside = |at: &usize| *at < self.region.start || *at >= self.region.end;
        let starts: Vec<usize> = match own.iter().find(|line| !line.trim().is_empty()) {
            Some(first) => {
                (0..lines.len()).filter(|at| lines.get(*at).is_some_and(|l| l.text == first.trim())).collect()
            }
            None => (0..lines.len()).filter(|at| *at > 0 && lines.get(at - 1).is_some_and(is_query_heading)).collect(),
        };
        let copies = starts.into_iter().filter(outside).filter_map(|start| {
            let text = self.copy_at(lines, start, own, broken)?;
            Some((start, text))
        });
        copies.max_by_key(|(_, text)| text.len())
    }

    fn copy_at(&self, lines: &[Line<'_>], start: usize, own: &[&str], broken: bool) -> Option<String> {
        let end = if start < self.region.start { self.region.start } else { lines.len() };
        let body: Vec<&str> = lines.get(start..end)?.iter().map(|line| line.whole).collect();
        let found = extent(&body);
        let body = body.get(..found.lines).filter(|_| found.end == End::Whole)?;
        let own: Vec<&str> = own.iter().copied().skip_while(|line| line.trim().is_empty()).collect();
        let (last, before) = own.split_last().unwrap_or((&"", &[]));
        let same = before.iter().zip(body).all(|(mine, other)| mine.trim() == other.trim());
        let at_last = body.get(before.len())?.trim();
        let longer = at_last != last.trim() || body.get(own.len()).is_some_and(|next| next.trim().starts_with('|'));
        let continues = same && at_last.starts_with(last.trim()) && (broken || longer);
        continues.then(|| dedented(body).join("\n") + "\n")
    }

    fn finish(mut self, lines: &[Line<'_>], schema: &Schema) -> Imported {
        let around: Vec<usize> = lines
            .iter()
            .enumerate()
            .filter(|(at, line)| !line.is_blank() && (*at < self.region.start || *at >= self.region.end))
            .map(|(_, line)| line.number)
            .collect();
        if !around.is_empty() {
            self.notes.push(format!("left out, as it is not of the rule: {}", line_list(&around)));
        }
        if !self.whole {
            self.notes.push("the query breaks off and the page holds no complete copy: the rule cannot run".into());
        }
        let yaml = to_yaml(&self.node);
        let error = self.check(&yaml, schema);
        let text = |key: &str| self.node.get(key).and_then(Node::text).map(str::to_string);
        Imported { id: text("id"), name: text("name"), yaml, notes: self.notes, error }
    }

    /// Loads the clean YAML; warnings become notes.
    fn check(&mut self, yaml: &str, schema: &Schema) -> Option<Fault> {
        let file = Arc::new(Source { text: yaml.into(), origin: "<import>".into(), first_line: 1, indent: 0 });
        let read = parse_yaml(&file).and_then(|documents| match documents.first() {
            Some(node) => read_rule(node, &file, schema),
            None => Err(Fault::rule("HP202", "nothing was recovered")),
        });
        match read {
            Ok(rule) => {
                self.notes.extend(
                    rule.warnings.iter().filter(|d| d.severity == Severity::Warning).map(|d| d.message.clone()),
                );
                None
            }
            Err(fault) => {
                self.notes.extend(fault.diagnostics().iter().map(|d| format!("still wrong: {}", d.message)));
                Some(fault)
            }
        }
    }
}

fn is_query_heading(line: &Line<'_>) -> bool {
    let text = line.text.trim_matches(['#', '*', ':', ' ']).to_lowercase();
    ["kql query", "query", "kql", "detection query", "hunting query", "sentinel query", "analytic rule query"]
        .contains(&text.as_str())
}

/// `lines 1-4, 9`.
fn line_list(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = vec![];
    for number in numbers {
        match runs.last_mut() {
            Some((_, end)) if *number <= *end + 2 => *end = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let run = |(start, end): &(usize, usize)| if start == end { start.to_string() } else { format!("{start}-{end}") };
    let one = runs.len() == 1 && runs.first().is_some_and(|(start, end)| start == end);
    format!("{} {}", if one { "line" } else { "lines" }, runs.iter().map(run).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const RULE: &str = "\
id: 11111111-2222-3333-4444-555555555555
name: Many failures: by one user
version: 1.0.0
description: |
  'Finds users with failures.
  MITRE ATT&CK: T1110 (Brute Force).
  Recommendations: look at the user.'
severity: Medium
requiredDataConnectors:
  - connectorId: AzureMonitor(IIS)
    dataTypes:
      - W3CIISLog
  - connectorId: Other
    dataTypes: []
queryFrequency: 1h
queryPeriod: PT1H
triggerOperator: gt
triggerThreshold: 0
tactics:
  - CredentialAccess
relevantTechniques: [T1110]
query: |
  let names = datatable(Name:string)[
    \"a: b\",
  ];

  W3CIISLog
  | where scStatus == \"401\"   // a cut's comment
  | summarize Failures = count()
    by csUserName
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: Name
        columnName: csUserName
      - identifier: UPNSuffix
        columnName: Suffix
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: cIP
customDetails:
  Failures: Failures
  kind: kind
alertDetailsOverride:
  alertDisplayNameFormat: \"{{csUserName}}: {{Failures}}\"
eventGroupingSettings:
  aggregationKind: AlertPerResult
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    lookbackDuration: PT4H
    matchingMethod: Selected
    groupByEntities:
      - Account
    groupByAlertDetails: []
";

    fn read(yaml: &str) -> Value {
        let file = Arc::new(Source { text: yaml.into(), ..Source::default() });
        parse_yaml(&file).unwrap_or_else(|fault| panic!("{fault}\n{yaml}")).remove(0).to_json()
    }

    fn one(page: &str) -> Imported {
        let mut rules = import_page(page);
        assert_eq!(rules.len(), 1, "{page}");
        rules.remove(0)
    }

    /// The rule with the lines of its texts moved to the margin.
    fn flat(mut rule: Value) -> Value {
        for key in ["query", "description"] {
            let text = rule[key].as_str().unwrap();
            rule[key] = text.lines().map(|line| line.trim_start().to_string() + "\n").collect::<String>().into();
        }
        rule
    }

    fn flattened(text: &str) -> String {
        text.lines().map(|line| line.trim_start().to_string() + "\n").collect()
    }

    /// The rule itself is no YAML as it stands: its name holds a colon.
    fn expected() -> Value {
        read(&RULE.replace("name: Many failures: by one user", "name: \"Many failures: by one user\""))
    }

    const AROUND: (&str, &str) =
        ("A page\n\nQuery\n\n", "\nExplanation\n\nThis rule finds users that fail.\nDetails: none\n\nTables\n");

    #[test]
    fn an_intact_rule_comes_out_as_it_is() {
        let fixed = RULE.replace("Many failures: by", "Many failures by");
        let rule = one(&format!("{}{fixed}{}", AROUND.0, AROUND.1));
        assert_eq!(read(&rule.yaml), read(&fixed));
        assert_eq!(rule.notes.len(), 1, "{:?}", rule.notes);
        assert!(rule.error.is_none());
    }

    #[test]
    fn indentation_that_was_lost_comes_back() {
        let rule = one(&format!("{}{}{}", AROUND.0, flattened(RULE), AROUND.1));
        assert_eq!(read(&rule.yaml), flat(expected()));
        let webbed = |line: &str| {
            let text = line.trim_start();
            "\u{a0}".repeat(line.len() - text.len()) + text + "\n"
        };
        let spaced = RULE.lines().map(webbed).collect::<String>();
        assert_eq!(read(&one(&spaced).yaml), expected());
        let crlf = one(&format!("\u{feff}{}{}", AROUND.0, flattened(RULE)).replace('\n', "\r\n"));
        assert_eq!(read(&crlf.yaml), flat(expected()));
    }

    #[test]
    fn items_at_the_margin_find_their_list() {
        let page = RULE.replace("      - Account", "- Account").replace("      - W3CIISLog", " - W3CIISLog");
        assert_eq!(read(&one(&page).yaml), expected());
    }

    #[test]
    fn lines_that_fit_nothing_are_left_out_and_named() {
        let page = flattened(RULE).replace("severity: Medium", "Copy to clipboard now\nseverity: Medium");
        let page = page.replace("tactics:", "Copy\ntactics:");
        let rule = one(&page);
        assert_eq!(read(&rule.yaml)["tactics"][0], "CredentialAccess");
        assert!(rule.notes.iter().any(|note| note.contains("fits nothing")), "{:?}", rule.notes);
    }

    #[test]
    fn a_query_that_breaks_off_is_taken_from_the_whole_copy() {
        let (head, _) = RULE.split_once("entityMappings:").unwrap();
        let (_, query) = head.split_once("query: |\n").unwrap();
        let cut = head.split_once("== \"40").unwrap().0;
        let page = format!(
            "Failures happen.\nKQL Query\n{query}{cut}== \"40\n| Table | Notes |\n|---|---|\nW3CIISLog | x |\n"
        );
        for page in [flattened(&page), page] {
            let rule = one(&page);
            let lines = |text: &str| text.lines().map(|line| line.trim().to_string()).collect::<Vec<_>>();
            assert_eq!(lines(read(&rule.yaml)["query"].as_str().unwrap()), lines(query.trim_end()));
            assert!(rule.notes.iter().any(|note| note.contains("inside a string")), "{:?}", rule.notes);
        }
        let rule = one(&flattened(&format!("{cut}== \"40\n| Table | Notes |\n|---|---|\n")));
        assert!(rule.notes.iter().any(|note| note.contains("no complete copy")), "{:?}", rule.notes);
    }

    #[test]
    fn escu_pages_are_read_too() {
        let rule = "name: A\nid: 11111111-2222-3333-4444-555555555555\nversion: 8\ndate: '2026-04-15'\nauthor: Me\n\
            status: production\ntype: Anomaly\ndata_source: []\ndescription: Some words.\nsearch: |-\n  \
            `macro` a=b\n  | stats count BY c\n  | `filter`\nhow_to_implement: Words.\nknown_false_positives: None.\n\
            references:\n  - https://x.org\ndrilldown_searches:\n  - name: View - \"$src$\"\n    \
            search: '%original_detection_search% | search x = \"$src$\"'\n    earliest_offset: 7d\n    latest_offset: \"0\"\n\
            rba:\n  message: Words -[$dest$] on $src$.\n  risk_objects:\n    - field: src\n      type: system\n      \
            score: 20\n  threat_objects: []\ntags:\n  analytic_story:\n    - Story\n  mitre_attack_id:\n    - T1566\n  \
            security_domain: threat\ntests:\n  - name: Test\n    attack_data:\n      - data: https://x.org/a.json\n        \
            source: s\n";
        let page = format!("Explore\nAuthor\n\nMe\nRaw Content\n{rule}");
        assert_eq!(read(&one(&page).yaml), read(rule));
        assert_eq!(read(&one(&flattened(&page)).yaml), read(rule));
    }

    #[test]
    fn every_rule_of_a_page_is_found_once() {
        let second = RULE.replace("11111111", "21111111").replace("Many", "Few");
        let page = format!("{}\nSome words\n{}\n{}", flattened(RULE), flattened(&second), flattened(RULE));
        let names: Vec<_> = import_page(&page).into_iter().filter_map(|rule| rule.name).collect();
        assert_eq!(names, ["Many failures: by one user", "Few failures: by one user"]);
    }

    #[test]
    fn a_page_without_a_rule_gives_none() {
        for page in ["", "\u{feff}", "Hello\nname: x\n", "{}", "---\n- 1\n", "SigninLogs | take 1"] {
            assert!(import_page(page).is_empty());
        }
    }
}
