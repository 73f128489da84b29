//! Runs every example of every manual page: `call // result`.
use huntpack::diagnostic::Result;
use huntpack::functions::{Context, Limits, aggregates, all, examples};
use huntpack::kql::{bind, parse};
use huntpack::plan::{Catalog, Source};
use huntpack::types::{Schema, Value, datetime};
use huntpack::{exec, types};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const OPTIONS: exec::Options = exec::Options { threads: 1, trace: false };

/// A world without tables.
struct Nothing;

impl Catalog for Nothing {
    fn table(&self, _: &str) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn tables(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, _: &str) -> Option<Schema> {
        None
    }

    fn watchlist(&self, _: &str) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn watchlists(&self) -> Vec<String> {
        Vec::new()
    }

    fn function(&self, _: &str) -> Option<String> {
        None
    }

    fn functions(&self) -> Vec<String> {
        Vec::new()
    }

    fn external(&self, _: &str, _: &Schema) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }
}

/// The value of one expression, or the first one of a query, or why there is none.
fn value_of(call: &str) -> std::result::Result<Value, String> {
    let now = datetime::parse("2020-01-02 03:04:05").ok_or("no clock")?;
    let context = Context::new(now, Limits::default(), Arc::new(AtomicBool::new(false)));
    let text = if call.contains(" | ") { call.to_owned() } else { format!("print {call}") };
    let (query, diagnostics) = parse(&text);
    if let Some(first) = diagnostics.first() {
        return Err(first.message.clone());
    }
    let settings = bind::Settings { now, context: &context, scope: None, open_tables: false };
    let bound = bind::bind(&query, &Nothing, &settings);
    if let Some(first) = bound.diagnostics.first() {
        return Err(first.message.clone());
    }
    let roots: Vec<_> = bound.results.iter().map(|(root, _)| *root).collect();
    let run = exec::run(&bound.plan, &roots, &context, &OPTIONS).map_err(|fault| fault.to_string())?;
    let table: &types::Table = run.tables.first().ok_or("no result")?;
    let columns = table.schema().columns().len();
    match columns {
        _ if table.rows() == 0 => Err("no row".to_owned()),
        0 => Err("no column".to_owned()),
        1 => Ok(table.column(0).value(0)),
        _ if text != call => Ok(of_several(table, columns)),
        _ => Ok(table.column(0).value(0)),
    }
}

/// A function that gives several columns: an array of their values.
fn of_several(table: &types::Table, columns: usize) -> Value {
    let values: Vec<String> = (0..columns).map(|at| table.column(at).value(0).to_json()).collect();
    Value::dynamic(format!("[{}]", values.join(",")))
}

fn written(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { value.to_text() }
}

/// What is wrong with the examples of a manual page.
fn wrong(docs: &'static str) -> Vec<String> {
    let checked = examples(docs).into_iter().filter_map(|(call, expected)| match value_of(call) {
        Ok(value) if written(&value) == expected => None,
        Ok(value) => Some(format!("{call} gives {}, and not {expected}", written(&value))),
        Err(error) => Some(format!("{call}: {error}")),
    });
    checked.collect()
}

#[test]
fn every_example_gives_its_result() {
    let functions = all().map(|item| item.docs);
    let pages = functions.chain(aggregates::all().map(|item| item.docs)).chain(bind::plugins().map(|item| item.docs));
    let wrong: Vec<String> = pages.flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{} examples:\n{}", wrong.len(), wrong.join("\n"));
}
