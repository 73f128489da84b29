use super::*;
use crate::engine::Functions;
use crate::types::{Kind, Schema};

fn database() -> Database {
    let mut database = Database::default();
    let signins =
        [("When", Kind::DateTime), ("User", Kind::String), ("Failed", Kind::Bool), ("Odd name", Kind::Dynamic)];
    database.add_schema("Signins", signins.into_iter().collect::<Schema>());
    let audit = [("When", Kind::DateTime), ("Actor", Kind::String), ("Bytes", Kind::Long)];
    database.add_schema("Audit", audit.into_iter().collect::<Schema>());
    let mut functions = Functions::default();
    functions.add("Recent", "(n:long=5) { Signins | take n }");
    database.set_functions(functions);
    database
}

/// The labels at the `^` of a text.
fn labels(text: &str) -> Vec<String> {
    let at = text.find('^').unwrap();
    let found = complete(&text.replace('^', ""), at, &database()).unwrap();
    found.into_iter().map(|c| c.label).collect()
}

fn has(text: &str, wanted: &[&str]) {
    let found = labels(text);
    for label in wanted {
        assert!(found.iter().any(|l| l == label), "{text} lacks {label}: {found:?}");
    }
}

fn lacks(text: &str, unwanted: &[&str]) {
    let found = labels(text);
    for label in unwanted {
        assert!(!found.iter().any(|l| l == label), "{text} offers {label}: {found:?}");
    }
}

fn first(text: &str, wanted: &[&str]) {
    let found = labels(text);
    assert_eq!(found.get(..wanted.len()).unwrap_or(&found), wanted, "{text}");
}

#[test]
fn operators_stand_behind_a_pipe() {
    has("Signins | ^", &["where", "summarize", "project-away", "mv-expand", "join"]);
    first("Signins | project-aw^", &["project-away"]);
    first("Signins | summ^", &["summarize"]);
    lacks("Signins | ^", &["User", "strlen", "let"]);
    has("Signins | mv-apply x = User on (^", &["where", "summarize"]);
}

#[test]
fn columns_are_those_of_the_steps_before() {
    first("Signins | where ^", &["When", "User", "Failed", "Odd name"]);
    has("Signins | extend Host = 1 | where ^", &["Host", "User"]);
    has("Signins | project Who = User | where ^", &["Who"]);
    lacks("Signins | project Who = User | where ^", &["User", "When"]);
    has("Signins | summarize Tries = count() by User | where ^", &["Tries", "User"]);
    lacks("Signins | summarize Tries = count() by User | where ^", &["When"]);
    has("Signins | where User == 'x' and ^", &["Failed"]);
    has("Signins | extend n = strlen(^", &["User"]);
    has("Signins | sort by ^", &["When"]);
    has("Signins | project-away ^", &["User"]);
    has("Signins | project-rename Who = ^", &["User"]);
    has("Signins | summarize by ^", &["User"]);
    has("Signins | summarize count() by User, ^", &["Failed"]);
    has("Signins | mv-apply x = ['Odd name'] on (where ^", &["x", "User"]);
}

#[test]
fn the_rest_of_the_text_may_be_broken() {
    has("Signins | where ^ | wher (( ]", &["User"]);
    has("Signins | where Fail^ == | summarize by", &["Failed"]);
    has("Signins | wrong step | where ^", &["strlen"]);
}

#[test]
fn what_is_written_is_replaced() {
    let found = complete("Signins | where Us == 1", 18, &database()).unwrap();
    let user = found.iter().find(|c| c.label == "User").unwrap();
    assert_eq!((user.kind, user.detail.as_str(), user.replaces), (CompletionKind::Column, "string", Span::new(16, 18)));
}

#[test]
fn names_that_need_brackets_get_them() {
    let found = complete("Signins | where Odd", 19, &database()).unwrap();
    assert_eq!(found.first().map(|c| c.insert.as_str()), Some("['Odd name']"));
}

#[test]
fn aggregates_stand_where_they_may() {
    has("Signins | summarize ^", &["count", "dcount", "countif", "make_set", "strlen"]);
    has("Signins | summarize Tries = ^ by User", &["count"]);
    lacks("Signins | where ^", &["dcount", "countif", "make_set"]);
    lacks("Signins | summarize count() by ^", &["dcount"]);
    has("Signins | summarize dcount(^", &["User"]);
    has("Signins | make-series ^", &["count"]);
    lacks("Signins | sort by ^", &["row_number"]);
    has("Signins | serialize n = ^", &["row_number", "prev"]);
}

#[test]
fn what_rules_use_most_comes_first() {
    first("Signins | ^", &["where", "extend", "summarize", "project", "join"]);
    first("Signins | p^", &["project", "project-reorder", "parse", "project-away"]);
    first("Signins | summarize ^", &["count", "make_set", "dcount", "max", "min"]);
    first("Signins | summarize dcount(^", &["When", "User", "Failed", "Odd name"]);
    first("Signins | where User ^", &["==", ">", "and"]);
    first("Signins | extend n = to^", &["tostring", "tolower", "toint"]);
    first("Signins | evaluate ^", &["pivot", "bag_unpack"]);
}

#[test]
fn a_query_begins_with_a_table() {
    let mut given = database();
    given.add_table("Given", crate::engine::Data::Files(Vec::new()));
    let found = complete("", 0, &given).unwrap();
    assert_eq!(found.first().map(|c| (c.label.as_str(), c.kind)), Some(("Given", CompletionKind::Table)));
    has("^", &["let", "Recent", "union", "print", "datatable"]);
    has("Sign^", &["Signins", "SigninLogs"]);
    has("let a = 1; ^", &["let", "Recent"]);
    has("union Recent, Aud^", &["Audit", "AuditLogs"]);
    has("Signins | join kind=inner (Aud^", &["Audit"]);
    has("Signins | where User in (Rec^", &["Recent"]);
}

#[test]
fn words_of_the_grammar_and_values_of_parameters() {
    has("Signins | join ^", &["kind"]);
    first("Signins | join kind=^", &["inner", "leftouter", "leftanti", "rightanti"]);
    first("Signins | join kind=left^", &["leftouter", "leftanti", "leftsemi", "leftantisemi"]);
    first("Signins | join kind=inner (Audit) ^", &["on"]);
    first("Signins | sort by User ^", &["asc", "desc", "nulls"]);
    first("Signins | sort by User asc nulls ^", &["first", "last"]);
    first("Signins | summarize count() ^", &["by"]);
    first("Signins | top 5 ^", &["by"]);
    first("union isfuzzy=^", &["true", "false"]);
    first("Signins | mv-expand User to ^", &["typeof"]);
    has("Signins | mv-expand User to typeof(^", &["long", "string"]);
    has("Signins | render ^", &["timechart"]);
    has("Signins ^", &["|"]);
    has("Signins | where User ^", &["==", "has", "!contains", "in~", "matches regex", "and"]);
    first("Signins | where User !has^", &["!has", "!has_cs", "!hasprefix"]);
}

#[test]
fn a_join_knows_its_sides() {
    first("Signins | join (Audit) on ^", &["When", "$left", "$right"]);
    first("Signins | join (Audit) on $left.^", &["When", "User", "Failed", "Odd name"]);
    first("Signins | join (Audit) on $left.User == $right.^", &["When", "Actor", "Bytes"]);
    first("Signins | join (Audit | where ^", &["When", "Actor", "Bytes"]);
}

#[test]
fn names_of_the_query_are_known() {
    has("let Limit = 5; let Few = Signins | take 1; F^", &["Few"]);
    has("let Limit = 5; Signins | where strlen(User) > Lim^", &["Limit"]);
    has("let f = (who: string) { Signins | where User == ^", &["who", "User"]);
    has("let f = (rows: (Depth: long)) { rows | where ^", &["Depth"]);
    has("let Double = (x: long) { x * 2 }; Signins | extend n = Dou^", &["Double"]);
}

#[test]
fn plugins_and_functions_of_rows() {
    has("Signins | evaluate bag^", &["bag_unpack"]);
    has("Signins | invoke ^", &["Recent"]);
    lacks("Signins | invoke ^", &["strlen", "User"]);
}

#[test]
fn nothing_stands_within_texts_and_comments() {
    assert!(labels("Signins | where User == \"Us^").is_empty());
    assert!(labels("Signins // Us^").is_empty());
}
