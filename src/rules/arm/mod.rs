//! Azure Resource Manager templates with analytic rules.
//!
//! Sources: the ARM reference of `Microsoft.SecurityInsights/alertRules`, the ARM template syntax pages.
mod export;
mod expression;

pub use export::to_template;

use super::document::{Content, Key, Node};
use super::rule::{Format, Rule};
use super::sentinel;
use crate::diagnostic::{Fault, Result, Source, Span};
use expression::Scope;
use serde_json::{Value, json};
use std::sync::Arc;

/// Templates inside of each other that a file may have.
const DEPTH_LIMIT: usize = 8;

/// Reads every `alertRules` resource of a template, those in nested templates too; a resource that is
/// wrong is an error of its own.
pub fn read_template(document: &Value, file: &Arc<Source>) -> Vec<Result<Rule>> {
    let mut rules = vec![];
    collect(document, &Scope::of(document, None), file, 0, &mut rules);
    rules
}

fn collect(template: &Value, scope: &Scope<'_>, file: &Arc<Source>, depth: usize, rules: &mut Vec<Result<Rule>>) {
    if depth > DEPTH_LIMIT {
        return rules.push(Err(Fault::rule("HP201", "too many templates inside of each other").of(file)));
    }
    for resource in template.get("resources").and_then(Value::as_array).into_iter().flatten() {
        let kind = resource.get("type").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
        if kind.ends_with("/alertrules") || kind.ends_with("/alertruletemplates") {
            rules.push(read_resource(resource, scope, file));
        }
        let nested = resource.get("properties");
        let nested = nested.and_then(|properties| properties.get("mainTemplate").or(properties.get("template")));
        if let Some(nested) = nested {
            collect(nested, &Scope::of(nested, Some(scope)), file, depth + 1, rules);
        }
        if resource.get("resources").is_some() {
            collect(resource, scope, file, depth + 1, rules);
        }
    }
}

fn read_resource(resource: &Value, scope: &Scope<'_>, file: &Arc<Source>) -> Result<Rule> {
    let resolved = scope.resolve(resource, 0).map_err(|fault| fault.of(file))?;
    let span = place_of(&resolved, resource, file);
    if let Some(left) = unresolved(resource, &resolved) {
        let message = format!("the expression `{left}` has no value in the template");
        return Err(Fault::rule("HP204", message).at(span).of(file));
    }
    let node = Node { content: Content::Mapping(fields(&resolved, span)), span };
    sentinel::read_rule(&node, file, Format::Arm, resource.clone())
}

/// An expression without a value that stands where the rule needs one.
fn unresolved<'a>(written: &'a Value, resolved: &Value) -> Option<&'a str> {
    let needed =
        ["displayName", "query", "queryFrequency", "queryPeriod", "severity", "triggerOperator", "triggerThreshold"];
    let properties = (written.get("properties")?, resolved.get("properties")?);
    needed.iter().find_map(|key| {
        let (before, after) = (properties.0.get(key)?.as_str()?, properties.1.get(key)?.as_str()?);
        (expression::is_expression(before) && before == after).then_some(before)
    })
}

/// The resource's fields under the names that a rule's YAML gives them.
fn fields(resource: &Value, span: Span) -> Vec<(Key, Node)> {
    let empty = serde_json::Map::new();
    let map = |key: &str| resource.get(key).and_then(Value::as_object).unwrap_or(&empty);
    let (properties, metadata) = (map("properties"), map("metadata"));
    let mut fields: Vec<(String, Value)> = vec![];
    fields.extend(id_of(resource).map(|id| ("id".to_string(), id.into())));
    fields.extend(resource.get("kind").map(|kind| ("kind".to_string(), kind.clone())));
    for (key, value) in properties {
        let key = match key.as_str() {
            "displayName" => "name",
            "templateVersion" => "version",
            "techniques" | "subTechniques" => continue,
            key => key,
        };
        fields.push((key.to_string(), value.clone()));
    }
    fields.push(("relevantTechniques".into(), techniques(properties)));
    fields.retain(|(key, _)| !metadata.contains_key(key));
    let known = metadata.iter().filter(|(key, _)| sentinel::TOP_KEYS.contains(&key.as_str()));
    fields.extend(known.map(|(key, value)| (key.clone(), value.clone())));
    fields.retain(|(_, value)| !value.is_null());
    fields.into_iter().map(|(text, value)| (Key { text, span }, Node::from_json(&value, span))).collect()
}

fn techniques(properties: &serde_json::Map<String, Value>) -> Value {
    let all = ["techniques", "subTechniques"].iter().filter_map(|key| properties.get(*key)?.as_array()).flatten();
    let mut techniques: Vec<Value> = vec![];
    for technique in all {
        if !techniques.contains(technique) {
            techniques.push(technique.clone());
        }
    }
    json!(techniques)
}

/// The rule's id: the last part of the resource's name.
fn id_of(resource: &Value) -> Option<String> {
    let id = resource.get("name")?.as_str()?.rsplit('/').next()?.trim();
    (!id.is_empty() && !expression::is_expression(id)).then(|| id.to_string())
}

/// Where the file holds the resource's query, else its name: JSON texts keep no places of their own.
fn place_of(resolved: &Value, resource: &Value, file: &Source) -> Span {
    let property = |value: &Value, key: &str| value.get("properties")?.get(key).cloned();
    let texts = [property(resource, "query"), property(resolved, "displayName"), resource.get("name").cloned()];
    let find = |value: &Value| {
        let written = value.to_string();
        file.text.find(&written).map(|at| Span::new(at, at + written.len()))
    };
    texts.iter().flatten().find_map(find).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Choice;
    use crate::rules::document::parse_yaml;

    fn file(text: &str) -> Arc<Source> {
        Arc::new(Source { text: text.into(), origin: "t.json".into(), first_line: 1, indent: 0 })
    }

    fn yaml(text: &str) -> Rule {
        let file = file(text);
        let node = parse_yaml(&file).unwrap().remove(0);
        sentinel::read_rule(&node, &file, Format::Sentinel, node.to_json()).unwrap()
    }

    fn template(value: &Value) -> Vec<Rule> {
        let text = serde_json::to_string_pretty(value).unwrap();
        read_template(value, &file(&text)).into_iter().map(Result::unwrap).collect()
    }

    /// A rule's attributes as text, without where it came from.
    fn attributes(rule: &Rule) -> String {
        let mut rule = rule.clone();
        (rule.path, rule.raw, rule.format) = (String::new(), Value::Null, Format::Sentinel);
        (rule.file, rule.query_source, rule.warnings) = Default::default();
        format!("{rule:#?}")
    }

    const RULE: &str = "id: a1111111-2222-3333-4444-555555555555\nname: '[Deprecated] [x]'\nversion: 1.0\nauthor: me\n\
        status: Available\nseverity: Low\ndescription: \"[it's]\"\nqueryFrequency: 5m\nqueryPeriod: 2h\ntriggerOperator: lt\n\
        triggerThreshold: 3\ntactics: [Impact]\nrelevantTechniques: [T1110.003]\nquery: |\n  T\n  | take 1\n\
        requiredDataConnectors: [{connectorId: A, dataTypes: [B]}]\ntags: [x]\nenabled: false\n\
        entityMappings: [{entityType: IP, fieldMappings: [{identifier: Address, columnName: a}]}]\n\
        sentinelEntitiesMappings: [{columnName: E}]\ncustomDetails: {a: b}\n\
        alertDetailsOverride: {alertDisplayNameFormat: '{{a}}'}\neventGroupingSettings: {aggregationKind: AlertPerResult}\n\
        suppressionEnabled: true\nsuppressionDuration: 1h\nincidentConfiguration: {createIncident: false, \
        groupingConfiguration: {enabled: true, reopenClosedIncident: true, lookbackDuration: 6h, \
        matchingMethod: Selected, groupByEntities: [IP], groupByAlertDetails: [Severity], groupByCustomDetails: [a]}}\n";

    #[test]
    fn a_rule_that_goes_out_and_comes_back_is_the_same() {
        let small = "id: x\nname: Small\nseverity: High\nqueryFrequency: 1h\nqueryPeriod: 1d\ntriggerOperator: gt\n\
                     triggerThreshold: 0\nquery: T | take 1\n";
        let nrt = "id: y\nname: Now\nkind: NRT\nseverity: Low\nquery: T\n";
        for text in [RULE, small, nrt] {
            let rule = yaml(text);
            let back = template(&to_template([&rule])).remove(0);
            assert_eq!(attributes(&back), attributes(&rule));
            assert_eq!(back.format.name(), "arm");
            let written = crate::rules::rule_yaml(&back);
            assert_eq!(attributes(&yaml(&written)), attributes(&rule), "{written}");
        }
    }

    #[test]
    fn arm_gets_its_own_names() {
        let properties = &to_template([&yaml(RULE)])["resources"][0]["properties"];
        assert_eq!(
            (&properties["displayName"], &properties["queryPeriod"]),
            (&json!("[[Deprecated] [x]"), &json!("PT2H"))
        );
        assert_eq!(
            (&properties["triggerOperator"], &properties["templateVersion"]),
            (&json!("LessThan"), &json!("1.0"))
        );
        assert_eq!(
            (&properties["techniques"], &properties["subTechniques"]),
            (&json!(["T1110"]), &json!(["T1110.003"]))
        );
    }

    fn resource(name: &str) -> Value {
        json!({"type": "Microsoft.SecurityInsights/AlertRuleTemplates", "name": name, "kind": "Scheduled", "properties": {
            "displayName": "[parameters('title')]", "severity": "High", "query": "T | take 1", "queryFrequency": "PT1H",
            "queryPeriod": "PT1H", "triggerOperator": "GreaterThan", "triggerThreshold": 0, "techniques": ["T1110"],
            "subTechniques": ["T1110.003"], "tactics": null}})
    }

    #[test]
    fn nested_templates_and_expressions_are_read() {
        let nested = json!({
            "parameters": {"title": {"type": "string", "defaultValue": "Title's"}},
            "variables": {"rule": {"id": "b1"}, "idOfRule": "[concat('c', variables('rule').id, '''')]"},
            "resources": [{"type": "Microsoft.OperationalInsights/workspaces/providers/contentTemplates", "properties": {
                "mainTemplate": {"contentVersion": "1", "resources": [
                    resource("[variables('rule').id]"), resource("[variables('idOfRule')]"), resource("[newGuid()]"),
                    resource("[concat(parameters('workspace'),'/Microsoft.SecurityInsights/d1')]"),
                ]}}}],
        });
        let rules = template(&nested);
        let ids: Vec<_> = rules.iter().map(|rule| rule.id.as_deref()).collect();
        assert_eq!(ids, [Some("b1"), Some("cb1'"), None, Some("d1")]);
        assert_eq!((rules[0].name.as_str(), rules[0].techniques.len()), ("Title's", 2));
    }

    #[test]
    fn what_has_no_value_or_no_end_is_an_error() {
        let read = |value: &Value| read_template(value, &file("{}")).remove(0).unwrap_err().to_string();
        assert!(read(&json!({"resources": [resource("x")]})).contains("parameters('title')"));
        let variables = json!({"a": "[variables('b')]", "b": "[variables('a')]"});
        assert!(read(&json!({"variables": variables, "resources": [resource("[variables('a')]")]})).contains("deeply"));
        let fusion = json!({"resources": [{"type": "X/alertRules", "name": "f", "kind": "Fusion", "properties": {}}]});
        assert!(read(&fusion).contains("Fusion"));
    }
}
