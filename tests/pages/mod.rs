//! Pages of test cases: headings, prose, tables and queries.
//!
//! A table after a line that holds only `` `Name` `` feeds the query; its header is `column:kind`. Tables before the
//! first query belong to every case of the page. The table after the query is the answer; a fenced `error` block
//! after it is a text that the error must contain. A line `` now: `2026-03-01T00:00:00Z` `` sets the clock, and a line
//! `` zone: `Europe/Berlin` `` the time zone of a search. In the tables of a search a cell `a ; b` has several values.
// Each test takes what it needs.
#![allow(dead_code)]

use huntpack::diagnostic::{Diagnostic, Fault, Source};
use huntpack::engine::{self, Answer, Data, Database, Held, Now, Options};
use huntpack::functions::Limits;
use huntpack::types::{Json, Kind, Schema, Table, Value, convert, datetime};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of cells; the first is the header.
pub type Cells = Vec<Vec<String>>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Kql,
    Spl,
}

#[derive(Clone, Default)]
pub struct Case {
    pub title: String,
    pub now: Option<String>,
    pub tables: BTreeMap<String, Cells>,
    pub query: String,
    pub language: Language,
    /// The zone of a search's calendar.
    pub zone: Option<String>,
    /// The lines of the answer, and its cells.
    pub answer: Option<(Range<usize>, Cells)>,
    /// The line of the expected error's text, and the text.
    pub error: Option<(usize, String)>,
    /// The line after the query.
    pub after: usize,
}

/// How a case is run.
#[derive(Clone, Copy)]
pub struct Settings {
    pub threads: usize,
    pub morsel_rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { threads: 2, morsel_rows: Limits::default().morsel_rows }
    }
}

/// All pages: their paths and names.
pub fn all() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    find(Path::new("tests/cases"), &mut paths);
    paths.sort();
    let name = |path: &PathBuf| path.with_extension("").to_string_lossy().replace("tests/cases/", "");
    paths.into_iter().map(|path| (path.clone(), name(&path))).collect()
}

/// The cases of all pages, with the pages' names.
pub fn cases() -> Vec<(String, Case)> {
    let read = |(path, page): (PathBuf, String)| {
        let text = fs::read_to_string(&path).expect("a page is text");
        parse(&text).into_iter().map(move |case| (page.clone(), case)).collect::<Vec<_>>()
    };
    all().into_iter().flat_map(read).collect()
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => find(&path, found),
            false if path.extension().is_some_and(|e| e == "md") => found.push(path),
            false => {}
        }
    }
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|');
    let line = line.strip_suffix('|').unwrap_or(line);
    let (mut cells, mut cell, mut escaped) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match (escaped, c) {
            (true, c) => {
                if c != '|' {
                    cell.push('\\');
                }
                cell.push(c);
                escaped = false;
            }
            (false, '\\') => escaped = true,
            (false, '|') => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            (false, c) => cell.push(c),
        }
    }
    if escaped {
        cell.push('\\');
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// Reads a page. Tables before the first query of a section with sub-headings are shared by those.
pub fn parse(text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut cases, mut case, mut shared, mut name) = (Vec::new(), Case::default(), Case::default(), None);
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.starts_with('#') {
            finish(&mut cases, &mut case, &mut shared);
            case.title = line.trim_matches(['#', ' ']).to_owned();
        } else if let Some(fence) = line.strip_prefix("```") {
            let start = at + 1;
            while lines.get(at + 1).is_some_and(|l| *l != "```") {
                at += 1;
            }
            let block = lines.get(start..=at).unwrap_or_default().join("\n");
            at += 1;
            match fence.trim() {
                "kql" => (case.query, case.after) = (block, at + 1),
                "spl" => (case.query, case.after, case.language) = (block, at + 1, Language::Spl),
                "error" => case.error = Some((start, block)),
                _ => {}
            }
        } else if let Some(now) = line.strip_prefix("now: `") {
            case.now = Some(now.trim_end_matches('`').to_owned());
        } else if let Some(zone) = line.strip_prefix("zone: `") {
            case.zone = Some(zone.trim_end_matches('`').to_owned());
        } else if let Some(table) = line.strip_prefix('`').and_then(|l| l.strip_suffix('`')) {
            name = Some(table.to_owned());
        } else if line.starts_with('|') {
            let start = at;
            while lines.get(at + 1).is_some_and(|l| l.starts_with('|')) {
                at += 1;
            }
            let rows = lines[start..=at].iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, l)| cells(l)).collect();
            match name.take() {
                Some(table) if case.query.is_empty() => drop(case.tables.insert(table, rows)),
                _ => case.answer = Some((start..at + 1, rows)),
            }
        }
        at += 1;
    }
    finish(&mut cases, &mut case, &mut shared);
    cases
}

fn finish(cases: &mut Vec<Case>, case: &mut Case, shared: &mut Case) {
    let done = std::mem::take(case);
    if done.query.is_empty() {
        shared.tables.extend(done.tables);
        shared.now = done.now.or(shared.now.take());
        shared.zone = done.zone.or(shared.zone.take());
    } else {
        cases.push(done);
    }
    case.tables = shared.tables.clone();
    case.now = shared.now.clone();
    case.zone = shared.zone.clone();
}

fn table_of(rows: &Cells) -> Result<Table, String> {
    let header = rows.first().ok_or("a table without a header")?;
    let column = |cell: &String| -> Result<(String, Kind), String> {
        let (name, kind) = cell.rsplit_once(':').unwrap_or((cell, "field"));
        let kind = if kind == "field" { Some(Kind::Field) } else { Kind::parse(kind) };
        Ok((name.to_owned(), kind.ok_or(format!("`{cell}` has no kind"))?))
    };
    let schema: Schema = header.iter().map(column).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    let value = |(cell, (_, kind)): (&String, &(_, Kind))| match (cell.as_str(), kind) {
        ("", Kind::Field) => Value::Null(Kind::Field),
        ("\"\"", Kind::Field) => Value::field([""]),
        (text, Kind::Field) => Value::field(text.split(" ; ")),
        ("null", kind) if *kind != Kind::String => Value::Null(*kind),
        ("\"\"", Kind::String) => Value::string(""),
        (text, kind) => convert::value_to(&Value::string(text), *kind),
    };
    let values = rows.iter().skip(1).map(|row| row.iter().zip(schema.columns()).map(value).collect());
    Ok(Table::from_rows(schema.clone(), &values.collect::<Vec<Vec<Value>>>()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null(_) => "null".to_owned(),
        Value::Text(Kind::Dynamic, json) => json.to_string(),
        Value::Text(Kind::String, text) if text.is_empty() => "\"\"".to_owned(),
        value => value.to_text(),
    }
}

/// What a search gives: names alone, absent cells empty, several values behind each other.
fn fields_of(table: &Table) -> Cells {
    let header = table.schema().names().map(|name| name.to_string()).collect();
    let shown = |value: &Value| match value {
        Value::Null(_) => String::new(),
        Value::Text(_, text) if text.is_empty() => "\"\"".to_owned(),
        Value::Text(Kind::Dynamic, json) => match Json::new(json).elements().map(|e| e.text().to_owned()) {
            elements if json.starts_with('[') => {
                elements.map(|e| Value::dynamic(e).to_text()).collect::<Vec<_>>().join(" ; ")
            }
            _ => value.to_text(),
        },
        value => value.to_text(),
    };
    let rows = table.to_rows().into_iter().map(|row| row.iter().map(shown).collect());
    std::iter::once(header).chain(rows).collect()
}

pub fn cells_of(table: &Table) -> Cells {
    let header = table.schema().columns().iter().map(|(name, kind)| format!("{name}:{kind}")).collect();
    let rows = table.to_rows().into_iter().map(|row| row.iter().map(shown).collect());
    std::iter::once(header).chain(rows).collect()
}

/// The database that a case stands in.
pub fn database(case: &Case) -> Result<Database, String> {
    let mut database = Database::default();
    for (name, rows) in &case.tables {
        database.add_table(name, Data::Table(Arc::new(Held::new(table_of(rows)?))));
    }
    Ok(database)
}

/// The result of the query's last statement, or its errors: code, message and the text at their place.
pub fn run(case: &Case, settings: Settings) -> Result<Cells, String> {
    let now = case.now.as_deref().unwrap_or("2026-03-02T15:00:00Z");
    let now = datetime::parse(now).ok_or("`now` is no datetime")?;
    let database = database(case)?;
    let zone = case.zone.as_deref().map_or(Ok(None), |zone| zone.parse().map(Some)).map_err(|_| "no such zone")?;
    match case.language {
        Language::Kql => Ok(cells_of(&query(&case.query, &database, now, settings)?)),
        Language::Spl => {
            let options = Options { timezone: zone, ..options(now, settings) };
            Ok(fields_of(&answered(&case.query, engine::search, &database, &options)?))
        }
    }
}

fn options(now: i64, settings: Settings) -> Options {
    let limits = Limits { morsel_rows: settings.morsel_rows, rows: 2_000_000, seconds: 20, ..Limits::default() };
    Options { now: Now::At(now), limits, threads: Some(settings.threads), ..Options::default() }
}

/// Runs a query's text at `now` (ticks of 100 ns).
pub fn query(text: &str, database: &Database, now: i64, settings: Settings) -> Result<Table, String> {
    answered(text, engine::query, database, &options(now, settings))
}

/// Runs a search's text at `now` (ticks of 100 ns).
pub fn search(text: &str, database: &Database, now: i64, settings: Settings) -> Result<Table, String> {
    answered(text, engine::search, database, &options(now, settings))
}

type Run = fn(&Arc<Source>, &Database, &Options) -> huntpack::diagnostic::Result<Answer>;

fn answered(text: &str, run: Run, database: &Database, options: &Options) -> Result<Table, String> {
    let answer = run(&Arc::new(Source::query(text)), database, options).map_err(|fault| said(&fault, text))?;
    answer.tables.into_iter().next_back().ok_or_else(|| "no result".to_owned())
}

fn said(fault: &Fault, text: &str) -> String {
    let line = |d: &Diagnostic| match d.span.map(|span| span.text(text)) {
        Some(place) if !place.is_empty() => format!("{}: {} At: {}", d.code, d.message, place.replace('\n', " ")),
        _ => format!("{}: {}", d.code, d.message),
    };
    fault.diagnostics().iter().map(line).collect::<Vec<_>>().join("\n")
}
