//! Queries bound against a small catalog.
use super::*;
use crate::diagnostic::{Result, Source as Text};
use crate::kql::parse;
use crate::plan::{ExternalForm, Needs, Scan, Source, explain};
use crate::types::{Kind, Schema};
use std::sync::Arc;

#[derive(Debug)]
struct Rows(Schema, u64);

impl Source for Rows {
    fn schema(&self) -> &Schema {
        &self.0
    }

    fn identity(&self) -> u64 {
        self.1
    }

    fn scan(&self, _: &Needs) -> Result<Box<dyn Scan>> {
        unreachable!("binding reads nothing")
    }
}

struct Workspace;

/// A known table that is not among those given.
const UNREAD: &str = "Unread";

fn schema_of(name: &str) -> Option<Schema> {
    use Kind::*;
    Some(match name {
        "Signins" => [
            ("TimeGenerated", DateTime),
            ("User", String),
            ("IP", String),
            ("Code", String),
            ("Count", Long),
            ("Details", Dynamic),
        ]
        .into_iter()
        .collect(),
        "Audit" => [("TimeGenerated", DateTime), ("User", String), ("Bytes", Long)].into_iter().collect(),
        UNREAD => [("TimeGenerated", DateTime)].into_iter().collect(),
        _ => return None,
    })
}

impl Catalog for Workspace {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Source>>> {
        let rows = |schema| Arc::new(Rows(schema, name.len() as u64)) as Arc<dyn Source>;
        Ok(schema_of(name).filter(|_| name != UNREAD).map(rows))
    }

    fn tables(&self) -> Vec<String> {
        vec!["Signins".into(), "Audit".into()]
    }

    fn schema(&self, name: &str) -> Option<Schema> {
        schema_of(name)
    }

    fn watchlist(&self, _: &str) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn watchlists(&self) -> Vec<String> {
        vec!["Networks".into()]
    }

    fn function(&self, name: &str) -> Option<Arc<Text>> {
        let text = (name == "Recent").then_some("(T:(*), n:long=5) { T | take n }")?;
        Some(Arc::new(Text::query(text)))
    }

    fn functions(&self) -> Vec<String> {
        vec!["Recent".into()]
    }

    fn external(&self, _: &str, _: &Schema, _: &ExternalForm) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }
}

fn bound_with(query: &str, scope: Option<(i64, i64)>, open_tables: bool) -> Bound {
    let context = Context::new(0, Default::default(), Default::default());
    let settings = Settings { now: 0, context: &context, scope, open_tables };
    let (tree, said) = parse(query);
    assert!(said.is_empty(), "{query}: {said:?}");
    bind(&tree, &Workspace, &settings)
}

/// The columns of the first result.
fn columns(query: &str) -> String {
    let bound = bound_with(query, None, false);
    assert!(!bound.failed(), "{query}: {:?}", bound.diagnostics);
    let schema = bound.plan.schema(bound.results[0].0);
    let each = schema.columns().iter().map(|(n, k)| format!("{n}:{k}"));
    each.collect::<Vec<_>>().join(" ")
}

fn plan(query: &str) -> String {
    let bound = bound_with(query, None, false);
    assert!(!bound.failed(), "{query}: {:?}", bound.diagnostics);
    explain(&bound.plan, bound.results[0].0, &|_| String::new())
}

/// Codes of the errors, each with the text it is about.
fn errors(query: &str) -> Vec<String> {
    let bound = bound_with(query, None, false);
    let errors = bound.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    errors.map(|d| format!("{} {}", d.code, d.span.map_or("", |s| s.text(query)))).collect()
}

#[test]
fn automatic_names_are_microsofts() {
    assert_eq!(
        columns(
            "Signins | summarize count(), dcount(User), make_set(IP), sum(Count + 1) by bin(TimeGenerated, 1d), tolower(User)"
        ),
        "TimeGenerated:datetime Column1:string count_:long dcount_User:long set_IP:dynamic sum_:long"
    );
    assert_eq!(
        columns("Signins | project User, tostring(User), Details.a.b, Details['c'][0], 1 + 2, tolower(User)"),
        "User:string User1:string Details_a_b:dynamic Details_c_0:dynamic Column1:long Column2:string"
    );
    assert_eq!(columns("print 1, x = 2, 'a'"), "print_0:long x:long print_2:string");
}

#[test]
fn an_extended_column_keeps_its_place() {
    assert_eq!(columns("Audit | extend User = Bytes, New = 1"), "TimeGenerated:datetime User:long Bytes:long New:long");
}

#[test]
fn a_join_numbers_the_right_sides_columns() {
    assert_eq!(
        columns("Audit | join kind=inner (Signins | project User, Bytes = 1.5, User1 = 1) on User"),
        "TimeGenerated:datetime User:string Bytes:long User2:string Bytes1:real User1:long"
    );
    assert_eq!(columns("Audit | join kind=leftanti Signins on User"), "TimeGenerated:datetime User:string Bytes:long");
    assert_eq!(
        columns("Audit | lookup (Signins | project User, IP, Bytes = 1) on User"),
        "TimeGenerated:datetime User:string Bytes:long IP:string Bytes1:long"
    );
}

#[test]
fn a_union_splits_columns_of_other_kinds() {
    assert_eq!(
        columns("union (print a = 1), (print a = 'x', b = 2), (print a = 1.0)"),
        "a_long:long a_string:string a_real:real b:long"
    );
    assert_eq!(columns("union isfuzzy=true Nowhere, (print a = 1)"), "a:long");
}

#[test]
fn texts_and_numbers_compare() {
    assert!(plan("Signins | where Code == 0").contains("Code == \"0\""));
    assert!(plan("Signins | where Count == '5'").contains("Count == 5"));
    assert!(plan("Signins | where Details.x == 'a'").contains("tostring"));
    assert_eq!(errors("Signins | where Code < 3 and User > 'a'"), ["KS106 <", "KS106 >"]);
}

#[test]
fn several_errors_are_found_in_one_go() {
    assert_eq!(
        errors("Signins | where Usr == 'a' | extend x = nosuch(1), y = tolower() | summarize count() by Cde"),
        ["KS142 Usr", "KS211 nosuch", "KS119 tolower", "KS142 Cde"]
    );
    assert_eq!(errors("Signin | where anything == 1"), ["KS204 Signin"]);
    assert_eq!(errors("Signins | summarize count() by Details"), ["KS116 Details"]);
    assert_eq!(errors("let T = Nope; Signins"), ["KS204 Nope"]);
}

#[test]
fn rows_of_an_unknown_table_have_columns_that_are_called_like_tables() {
    assert_eq!(errors("Nope | where Unread in ('a') | extend x = Unread"), ["KS204 Nope"]);
    let bound = bound_with("Mine_CL | where Unread == 'a'", None, true);
    assert!(!bound.failed(), "{:?}", bound.diagnostics);
}

#[test]
fn a_known_table_that_is_not_given_is_an_error_that_names_the_others() {
    let bound = bound_with("Unread | take 1", None, false);
    let said = &bound.diagnostics[0];
    assert_eq!((&*said.code, said.help.as_deref()), ("KS204", Some("tables given: Signins, Audit")));
}

#[test]
fn a_near_name_is_offered() {
    let bound = bound_with("Signins | where Uzer == ''", None, false);
    assert_eq!(bound.diagnostics[0].help.as_deref(), Some("did you mean 'User'?"));
}

#[test]
fn help_tells_the_way_out() {
    let help = |query| bound_with(query, None, false).diagnostics[0].help.clone().unwrap_or_default();
    assert_eq!(help("Signins | summarize count by User"), "a function is called with parentheses: `count(...)`");
    assert!(help("Signins | where User == null").starts_with("a null has a kind"));
    assert_eq!(help("Signins | where Code < 3"), "convert the text with `tolong(...)` or `toreal(...)`");
    assert_eq!(help("Signins | extend x = User + 'a'"), "`strcat(a, b)` joins texts");
    assert_eq!(help("Signins | render piechrt"), "did you mean 'piechart'?");
    assert_eq!(help("Signins | join Audit on $left.User == $right.x"), "");
}

#[test]
fn functions_take_tables_and_scalars() {
    let query =
        "let f = (T:(User:string), n:long = 2) { T | extend Twice = n * 2 }; Signins | invoke f(4) | project Twice";
    assert!(plan(query).contains("Twice = 8"), "{}", plan(query));
    assert_eq!(columns("let f = (x:long) { x + 1 }; print y = f(2)"), "y:long");
    assert_eq!(columns("Audit | invoke Recent() | project Bytes"), "Bytes:long");
    assert_eq!(errors("let f = (x:long) { x }; print f()"), ["KS119 f"]);
}

#[test]
fn late_values_are_plans() {
    let text = plan(
        "let most = toscalar(Audit | summarize max(Bytes)); Signins | where Count > most and User in (Audit | project User)",
    );
    assert!(text.contains("toscalar(#"), "{text}");
    assert!(text.contains("make_set(User)"), "{text}");
}

#[test]
fn a_rules_period_is_a_window_above_the_scan() {
    let bound = bound_with("Audit | take 1", Some((0, 10)), false);
    let text = explain(&bound.plan, bound.results[0].0, &|_| String::new());
    assert!(text.contains("window TimeGenerated"), "{text}");
    assert_eq!(bound.tables, ["Audit"]);
}

#[test]
fn unknown_tables_are_open_in_a_check() {
    let bound = bound_with("Mine_CL | where A_s == 'x' | summarize count() by A_s, bin(TimeGenerated, 1h)", None, true);
    assert!(!bound.failed(), "{:?}", bound.diagnostics);
    assert!(bound.open);
}

#[test]
fn what_is_unknown_stays_so_in_aggregates_and_beside_timespans() {
    for query in [
        "Mine_CL | summarize Last = max(When_t) by Host_s | sort by Last desc",
        "Mine_CL | summarize Any = take_any(Host_s) | distinct Any",
        "Mine_CL | project Time = Seconds_d * 1s, Back = 1m * Minutes_d, Part = Took_t / 1h, Rest = 1h / Count_d",
    ] {
        let bound = bound_with(query, None, true);
        assert!(!bound.failed(), "{query}: {:?}", bound.diagnostics);
    }
}

#[test]
fn equal_parts_are_one_node() {
    let text = plan("let A = materialize(Audit | where Bytes > 1); union A, A");
    assert!(text.contains("shared"), "{text}");
}

#[test]
fn what_grows_without_bound_is_an_error() {
    let mut query = "let f0 = (x:long) { x + x };".to_owned();
    (1..60).for_each(|i| query.push_str(&format!("let f{i} = (x:long) {{ f{}(x) + f{}(x) }};", i - 1, i - 1)));
    query.push_str("print f59(1)");
    assert!(bound_with(&query, None, false).failed());
}

#[test]
fn columns_that_data_give_are_asked_for() {
    let context = Context::new(0, Default::default(), Default::default());
    let settings = Settings { now: 0, context: &context, scope: None, open_tables: false };
    let (tree, _) = parse("Signins | project User, Details | evaluate bag_unpack(Details) | project User, b");
    let Step::Need { key, .. } = step(&tree, &Workspace, &settings, &Answers::new()) else {
        panic!("the bags are not known yet")
    };
    let schema: Schema = [("User", Kind::String), ("Details", Kind::Dynamic)].into_iter().collect();
    let row = vec![crate::types::Value::string("u"), crate::types::Value::dynamic(r#"{"b":1,"a":"x"}"#)];
    let answers = Answers::from([(key, Table::from_rows(schema, &[row]))]);
    let Step::Done(bound) = step(&tree, &Workspace, &settings, &answers) else { panic!("all is known") };
    let schema = bound.plan.schema(bound.results[0].0);
    assert_eq!(schema.columns(), [("User".into(), Kind::String), ("b".into(), Kind::Long)]);
}
