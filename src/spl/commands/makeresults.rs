//! `makeresults`: rows of the current time, or of a text.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::functions::extraction::{Collector, json};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number};
use crate::types::{Column, Kind, Name, Schema, Table, Value, datetime};

/// More rows than this are made by no search that means it.
const MOST_ROWS: u64 = 10_000_000;
const OPTIONS: [&str; 6] = ["count", "annotate", "splunk_server", "splunk_server_group", "format", "data"];

/// Fields that `annotate` adds; all but the server have no value.
const ANNOTATIONS: [&str; 6] = ["_raw", "host", "source", "sourcetype", "splunk_server", "splunk_server_group"];
const SERVER: &str = "splunk_server";

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let seconds = lowering.settings.context.now.div_euclid(datetime::TICKS_PER_SECOND);
    let now = Value::from(Number::Long(seconds));
    if let Some(data) = options.word("data") {
        let table = match options.choice("format", &["csv", "json"])? {
            Some("json") => of_json(data, &now)?,
            Some(_) => of_csv(data)?,
            None => {
                let said = Diagnostic::error("HP504", "`data` needs `format=csv` or `format=json`").at(data.span);
                return Err(said.into());
            }
        };
        return Ok(lowering.values(table));
    }
    let count = options.count("count")?.unwrap_or(1);
    if count > MOST_ROWS {
        return Err(Diagnostic::error("HP310", format!("`makeresults` makes at most {MOST_ROWS} rows"))
            .at(command.span)
            .into());
    }
    let mut schema = Schema::from_iter([(Name::from("_time"), Kind::Field)]);
    let mut row = vec![now];
    if options.flag("annotate")?.unwrap_or(false) {
        for name in ANNOTATIONS {
            schema.set(name.into(), Kind::Field);
            row.push(if name == SERVER { Value::field(["localhost"]) } else { Value::Null(Kind::Field) });
        }
    }
    let rows: Vec<Vec<Value>> = (0..count).map(|_| row.clone()).collect();
    Ok(lowering.values(Table::from_rows(schema, &rows)))
}

/// The lines of a text with a header; an empty cell is absent.
fn of_csv(data: &Word) -> Lower<Table> {
    let bad = |error: csv::Error| Diagnostic::error("HP504", format!("`data` is no CSV: {error}")).at(data.span);
    let text = data.text.trim_start();
    let mut lines = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let schema: Schema = lines.headers().map_err(bad)?.iter().map(|name| (Name::from(name), Kind::Field)).collect();
    let mut rows = Vec::new();
    for line in lines.records() {
        let line = line.map_err(bad)?;
        let cell = |at: usize| match line.get(at).filter(|cell| !cell.is_empty()) {
            Some(cell) => Value::field([cell]),
            None => Value::Null(Kind::Field),
        };
        rows.push((0..schema.len()).map(cell).collect());
    }
    Ok(Table::from_rows(schema, &rows))
}

/// A row for each object of a JSON array, with its text in `_raw`.
fn of_json(data: &Word, now: &Value) -> Lower<Table> {
    let parsed: Vec<serde_json::Value> = serde_json::from_str(&data.text)
        .map_err(|error| Diagnostic::error("HP504", format!("`data` is no JSON array: {error}")).at(data.span))?;
    let objects: Vec<String> = parsed.iter().map(serde_json::Value::to_string).collect();
    let (mut raw, mut time) = (FieldBuilder::new(None, objects.len()), FieldBuilder::new(None, objects.len()));
    let mut found = Collector::all();
    for (row, object) in objects.iter().enumerate() {
        raw.push_text(object);
        time.push(now);
        found.begin(row);
        json::walk(object, &mut found);
    }
    let own: Vec<(Name, Column)> = vec![("_raw".into(), raw.finish()), ("_time".into(), time.finish())];
    let made = found.into_columns(objects.len(), None);
    let made: Vec<(Name, Column)> =
        made.into_iter().filter(|(name, _)| !own.iter().any(|(known, _)| known == name)).collect();
    Ok(Table::from_columns(own.into_iter().chain(made).collect()))
}

crate::command! {
    /// Rows that hold the current time in `_time`, and nothing else: something to try expressions on.
    ///
    /// `annotate=true` adds the other fields that events have. With `format=csv` or `format=json` the rows are those of
    /// `data`: lines with a header, or an array of objects.
    ///
    /// Source: makeresults.
    ///
    /// ```spl
    /// | makeresults count=5 | stats count // 5
    /// | makeresults format=json data="[{\"a\": 1}, {\"a\": 2}]" | stats sum(a) as total // 3
    /// ```
    "makeresults": "makeresults [count=<count>] [annotate=<flag>] [format=csv|json data=<text>]" = First(lower);
}
