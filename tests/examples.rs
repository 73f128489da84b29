//! Runs every example of every manual page: `call // result`, or `query | step // first value`.
use huntpack::diagnostic::Source;
use huntpack::engine::{self, Database, Now, Options};
use huntpack::functions::{Dialect, aggregates, all, examples};
use huntpack::kql::{self, bind};
use huntpack::spl;
use huntpack::types::{Kind, Table, Value, datetime};
use std::sync::Arc;

/// The value of one expression, or the first one of a query, or why there is none.
fn value_of(call: &str, language: Dialect) -> Result<Value, String> {
    let now = datetime::parse("2020-01-02 03:04:05").ok_or("no clock")?;
    let whole = call.contains(" | ") || call.starts_with('|');
    let text = match language {
        _ if whole => call.to_owned(),
        Dialect::Kql => format!("print {call}"),
        Dialect::Spl => format!("| makeresults | eval made={call} | table made"),
    };
    let options = Options { now: Now::At(now), threads: Some(1), ..Options::default() };
    let run = if language == Dialect::Kql { engine::query } else { engine::search };
    let answer = run(&Arc::new(Source::query(text.as_str())), &Database::default(), &options);
    let answer = answer.map_err(|fault| fault.message().to_owned())?;
    let table: &Table = answer.tables.first().ok_or("no result")?;
    match table.schema().len() {
        _ if table.rows() == 0 => Err("no row".to_owned()),
        0 if language == Dialect::Spl => Ok(Value::Null(Kind::Field)),
        0 => Err("no column".to_owned()),
        columns if columns > 1 && (text != call || language == Dialect::Spl) => Ok(of_several(table)),
        _ => Ok(table.column(0).value(0)),
    }
}

/// A function that gives several columns: an array of their values.
fn of_several(table: &Table) -> Value {
    // What a search has not named does not count.
    let named = table.schema().names().enumerate().filter(|(_, name)| !name.starts_with('_'));
    let values: Vec<Value> = named.map(|(at, _)| table.column(at).value(0)).collect();
    match values.as_slice() {
        [one] => one.clone(),
        several => Value::dynamic(format!("[{}]", several.iter().map(Value::to_json).collect::<Vec<_>>().join(","))),
    }
}

/// What a page shows: nothing in the place of an absent field.
fn written(value: &Value, language: Dialect) -> String {
    match (value.is_null(), language) {
        (true, Dialect::Kql) => "null".to_owned(),
        (true, Dialect::Spl) => String::new(),
        (false, _) => value.to_text(),
    }
}

/// What is wrong with an example.
fn wrong((call, expected): (&str, &str), language: Dialect) -> Option<String> {
    match value_of(call, language) {
        Ok(value) if written(&value, language) == expected => None,
        Ok(value) => Some(format!("{call} gives {}, and not {expected}", written(&value, language))),
        Err(error) => Some(format!("{call}: {error}")),
    }
}

#[test]
fn every_example_gives_its_result() {
    let functions =
        all().filter(|item| item.family != "huntpack::functions::terms").map(|item| (item.docs, item.dialect));
    let aggregates = aggregates::all().map(|item| (item.docs, item.dialect));
    let others = bind::plugins().map(|item| item.docs).chain(kql::pages().map(|page| page.docs));
    let commands = spl::commands().map(|entry| (entry.docs, Dialect::Spl));
    let forms = spl::FORMS.iter().map(|form| (form.docs, Dialect::Spl));
    let pages = functions.chain(aggregates).chain(others.map(|docs| (docs, Dialect::Kql))).chain(commands).chain(forms);
    let found = pages.flat_map(|(docs, language)| examples(docs).into_iter().map(move |example| (example, language)));
    let wrong: Vec<String> = found.filter_map(|(example, language)| wrong(example, language)).collect();
    assert!(wrong.is_empty(), "{} examples:\n{}", wrong.len(), wrong.join("\n"));
}
