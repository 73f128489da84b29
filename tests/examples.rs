//! Runs every example of every manual page: `call // result`, or `query | step // first value`.
use huntpack::diagnostic::Source;
use huntpack::engine::{self, Database, Now, Options};
use huntpack::functions::{Dialect, aggregates, all, examples};
use huntpack::kql::{self, bind};
use huntpack::types::{Table, Value, datetime};
use std::sync::Arc;

/// The value of one expression, or the first one of a query, or why there is none.
fn value_of(call: &str) -> Result<Value, String> {
    let now = datetime::parse("2020-01-02 03:04:05").ok_or("no clock")?;
    let text = if call.contains(" | ") { call.to_owned() } else { format!("print {call}") };
    let options = Options { now: Now::At(now), threads: Some(1), ..Options::default() };
    let answer = engine::query(&Arc::new(Source::query(text.as_str())), &Database::default(), &options);
    let answer = answer.map_err(|fault| fault.message().to_owned())?;
    let table: &Table = answer.tables.first().ok_or("no result")?;
    match table.schema().len() {
        _ if table.rows() == 0 => Err("no row".to_owned()),
        0 => Err("no column".to_owned()),
        columns if columns > 1 && text != call => Ok(of_several(table, columns)),
        _ => Ok(table.column(0).value(0)),
    }
}

/// A function that gives several columns: an array of their values.
fn of_several(table: &Table, columns: usize) -> Value {
    let values: Vec<String> = (0..columns).map(|at| table.column(at).value(0).to_json()).collect();
    Value::dynamic(format!("[{}]", values.join(",")))
}

fn written(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { value.to_text() }
}

/// What is wrong with an example.
fn wrong((call, expected): (&str, &str)) -> Option<String> {
    match value_of(call) {
        Ok(value) if written(&value) == expected => None,
        Ok(value) => Some(format!("{call} gives {}, and not {expected}", written(&value))),
        Err(error) => Some(format!("{call}: {error}")),
    }
}

#[test]
fn every_example_gives_its_result() {
    let scalars = all().filter(|item| item.dialect == Dialect::Kql).map(|item| item.docs);
    let items = scalars.chain(aggregates::all().map(|item| item.docs));
    let others = bind::plugins().map(|item| item.docs).chain(kql::pages().map(|page| page.docs));
    let wrong: Vec<String> = items.chain(others).flat_map(examples).filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} examples:\n{}", wrong.len(), wrong.join("\n"));
}
