//! Queries over databases, as a host runs them.
use super::*;
use crate::diagnostic::{FaultKind, Source};
use crate::functions::Limits;
use crate::types::{Kind, Schema, Table, Value, datetime};
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn held(columns: &[(&str, Kind)], rows: &[Vec<Value>]) -> Data {
    let schema = Schema::from_iter(columns.iter().copied());
    Data::Table(Arc::new(Held::new(Table::from_rows(schema, rows))))
}

fn people() -> Data {
    let row = |name: &str, n: i64| vec![Value::string(name), Value::Long(n)];
    held(&[("Name", Kind::String), ("N", Kind::Long)], &[row("ada", 1), row("bela", 2), row("carla", 3)])
}

fn signins() -> Data {
    let row = |time: &str, user: &str| vec![Value::DateTime(datetime::parse(time).unwrap()), Value::string(user)];
    let rows = [row("2026-03-12T14:00:00Z", "ada"), row("2026-03-12T15:00:00Z", "bela")];
    held(&[("TimeGenerated", Kind::DateTime), ("UserPrincipalName", Kind::String)], &rows)
}

fn database() -> Database {
    let mut database = Database::default();
    database.add_table("T", people());
    database.add_table("SigninLogs", signins());
    database
}

fn ask(text: &str, database: &Database, options: &Options) -> crate::diagnostic::Result<Answer> {
    query(&Arc::new(Source::query(text)), database, options)
}

fn rows(text: &str, database: &Database) -> Vec<Vec<String>> {
    rows_by(text, database, &Options::default())
}

fn rows_by(text: &str, database: &Database, options: &Options) -> Vec<Vec<String>> {
    let answer = ask(text, database, options).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let cells = answer.tables[0].to_rows();
    cells.iter().map(|row| row.iter().map(Value::to_text).collect()).collect()
}

#[test]
fn a_query_without_tables() {
    assert_eq!(rows("print 1 + 1", &Database::default()), [["2"]]);
}

/// Sets of groups that a filter leaves are the same over rows that are held, and over more than are.
#[test]
fn groups_of_files_are_those_of_a_table() {
    let query =
        "T | where K != 'none' | extend Low = tolower(Name) | summarize make_set(Low), makelist(N, 3), n = count(),
        arg_max(N, Name) by K | where n > 2 | order by K asc | project K, n, set_Low, list_N, N, Name";
    for count in [12_u64, 3_000] {
        let record = |n: u64| {
            let key = if n.is_multiple_of(7) { "none".to_owned() } else { format!("k{}", n * n % 11 % (1 + n % 5)) };
            format!("{{\"K\":\"{key}\",\"N\":{n},\"Name\":\"Name {}\"}}\n", n % 13)
        };
        let path = std::env::temp_dir().join(format!("huntpack-groups-{}-{count}.ndjson", std::process::id()));
        std::fs::write(&path, (0..count).map(record).collect::<String>()).unwrap();
        let mut streamed = Database::default();
        streamed.add_table("T", Data::Files(vec![path.display().to_string()]));
        let mut table = Database::default();
        let all = ask("T", &streamed, &Options::default()).unwrap().tables.swap_remove(0);
        table.add_table("T", Data::Table(Arc::new(Held::new(all))));
        let found = rows(query, &table);
        assert!(!found.is_empty());
        // Of short morsels fewer rows are held.
        for morsel_rows in [65_536, 4] {
            let limits = Limits { morsel_rows, ..Limits::default() };
            assert_eq!(found, rows_by(query, &streamed, &Options { limits, ..Options::default() }));
        }
        std::fs::remove_file(path).unwrap();
    }
}

/// Groups that are gathered in parts have the order of their first rows, however many threads there are.
#[test]
fn groups_in_parts_are_in_order() {
    let key = |n: u64| match n * n % 1009 {
        0..100 => "few".to_owned(),
        k if k % 3 == 0 => format!("a key of more than twelve bytes: {}", n % 700),
        _ => format!("k{}", n * 7919 % 1500),
    };
    let value = |n: u64| n * 31 % 97;
    let count = 3_000;
    let mut groups: Vec<((String, bool), Vec<u64>)> = Vec::new();
    for n in 0..count {
        let own = (key(n), n % 7 == 0);
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, members)) => members.push(n),
            None => groups.push((own, vec![n])),
        }
    }
    let expected = |((key, is_odd), members): &((String, bool), Vec<u64>)| {
        let sum: u64 = members.iter().map(|n| value(*n)).sum();
        let high = members.iter().filter(|n| value(**n) > 40).count();
        let (first, most) = (members.iter().min().copied(), members.iter().map(|n| value(*n)).max());
        let ends = [first.unwrap_or_default(), most.unwrap_or_default()].map(|n| n.to_string());
        [key.clone(), is_odd.to_string(), sum.to_string(), high.to_string()].into_iter().chain(ends).collect()
    };
    let every: Vec<Vec<String>> = groups.iter().map(expected).collect();
    let several: Vec<Vec<String>> = groups.iter().filter(|(_, members)| members.len() > 1).map(expected).collect();
    assert!(!several.is_empty() && several.len() < every.len());

    let row = |n: u64| vec![Value::string(key(n)), Value::Long(value(n) as i64), Value::Long(n as i64)];
    let columns = [("K", Kind::String), ("V", Kind::Long), ("N", Kind::Long)];
    let path = std::env::temp_dir().join(format!("huntpack-parts-{}.ndjson", std::process::id()));
    let record = |n: u64| format!("{{\"K\":\"{}\",\"V\":{},\"N\":{n}}}\n", key(n), value(n));
    std::fs::write(&path, (0..count).map(record).collect::<String>()).unwrap();
    let mut database = Database::default();
    database.add_table("T", held(&columns, &(0..count).map(row).collect::<Vec<_>>()));
    database.add_table("F", Data::Files(vec![path.display().to_string()]));
    for (table, threads, morsel_rows) in [("T", 1, 65_536), ("T", 2, 100), ("T", 7, 1), ("F", 2, 1), ("F", 1, 100)] {
        let options = Options {
            threads: Some(threads),
            limits: Limits { morsel_rows, ..Default::default() },
            ..Options::default()
        };
        let run = |rest: &str| {
            let text = format!(
                "{table} | summarize sum(V), countif(V > 40), min(N), max(V), n = count() by K, Odd = N % 7 == 0{rest}"
            );
            let answer = ask(&text, &database, &options).unwrap().tables.swap_remove(0).to_rows();
            answer.iter().map(|row| row.iter().take(6).map(Value::to_text).collect::<Vec<String>>()).collect::<Vec<_>>()
        };
        let named = format!("{table} with {threads} threads, {morsel_rows} rows at a time");
        assert_eq!(run(""), every, "{named}");
        assert_eq!(run(" | where n > 1"), several, "{named}");
        let few = Limits { rows: 100, ..options.limits.clone() };
        let limited = Options { limits: few, ..options.clone() };
        assert!(ask(&format!("{table} | summarize count() by N"), &database, &limited).is_err(), "{named}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn each_statement_has_its_result() {
    let answer = ask("print 1; print 2", &Database::default(), &Options::default()).unwrap();
    assert_eq!(answer.tables.len(), 2);
}

#[test]
fn tables_by_name() {
    assert_eq!(rows("T | where N > 1 | project Name", &database()), [["bela"], ["carla"]]);
}

#[test]
fn a_known_table_has_its_columns() {
    let found =
        rows("SigninLogs | where ResultType == '' | project UserPrincipalName, ResultType | take 1", &database());
    assert_eq!(found, [["ada", ""]]);
}

#[test]
fn watchlists_are_text_with_a_key() {
    let mut database = Database::default();
    database.add_watchlist("VIP", people());
    assert_eq!(rows("_GetWatchlist('VIP') | where N == '2' | project SearchKey, Name", &database), [["bela", "bela"]]);
}

#[test]
fn saved_functions() {
    let mut database = database();
    let mut functions = Functions::default();
    functions.add("Large", "T | where N > 1");
    functions.add("More", "(least:long) { T | where N > least }");
    database.set_functions(functions);
    assert_eq!(rows("Large | count", &database), [["2"]]);
    assert_eq!(rows("More(2) | count", &database), [["1"]]);
}

#[test]
fn data_stand_for_urls() {
    let mut database = Database::default();
    let text = "externaldata(Who:string, M:long)['https://feeds.example/list.csv'] | where M > 1 | count";
    let fault = ask(text, &database, &Options::default()).unwrap_err();
    assert!(fault.message().contains("https://feeds.example/list.csv"), "{fault}");
    database.add_external("https://feeds.example/", people());
    assert_eq!(rows(text, &database), [["2"]]);
}

#[test]
fn the_newest_event_is_now() {
    let options = Options { now: Now::Latest, ..Options::default() };
    let answer = ask("print now()", &database(), &options).unwrap();
    assert_eq!(answer.tables[0].to_rows()[0][0].to_text(), "2026-03-12T15:00:00.0000000Z");
}

#[test]
fn a_scope_hides_what_lies_outside() {
    let now = datetime::parse("2026-03-12T15:00:00Z").unwrap();
    let options = Options { scope: Some((now - 36_000_000_000, now)), ..Options::default() };
    let answer = ask("SigninLogs | count", &database(), &options).unwrap();
    assert_eq!(answer.tables[0].to_rows()[0][0], Value::Long(1));
    assert_eq!(answer.seen, Some(1));
}

#[test]
fn steps_name_the_one_that_emptied_the_result() {
    let options = Options { trace: true, ..Options::default() };
    let answer = ask("T | where N > 1 | where Name == 'ada' | project N", &database(), &options).unwrap();
    let line = answer.steps.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("Emptied by: where") && line.contains("ada"), "{}", answer.steps);
}

#[test]
fn faults_know_their_place_and_kind() {
    let fault = ask("T | where Missing > 1", &database(), &Options::default()).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Query);
    let span = fault.diagnostics()[0].span.unwrap();
    assert_eq!(span.text(&fault.source().unwrap().text), "Missing");
    let mut missing = Database::default();
    missing.add_table("T", Data::Files(vec!["nowhere.ndjson".into()]));
    let fault = ask("T | count", &missing, &Options::default()).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Data);
    assert!(fault.message().contains("nowhere.ndjson"));
}

#[test]
fn a_cancelled_run_ends() {
    let options = Options::default();
    options.cancel.store(true, Ordering::Relaxed);
    let fault = ask("range x from 1 to 10 step 1", &Database::default(), &options).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Cancelled);
}

#[test]
fn a_check_knows_columns_and_opens_unknown_tables() {
    let found = check(&Arc::new(Source::query("SigninLogs | summarize count() by IPAddress")), &Database::default());
    let found = found.unwrap();
    assert!(found.ok(), "{:?}", found.diagnostics);
    assert_eq!(found.columns, [("IPAddress".to_owned(), Kind::String), ("count_".to_owned(), Kind::Long)]);
    let open = check(&Arc::new(Source::query("Mine_CL | where A == 1 | project A")), &Database::default()).unwrap();
    assert!(open.ok() && open.tables == ["Mine_CL"], "{:?}", open.diagnostics);
}
