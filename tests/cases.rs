//! Runs `tests/cases/**/*.md`. A page is headings, prose, tables and queries; every heading with a query is
//! a test. `BLESS=1` writes the answers that the engine gives, for an author to look at.
//!
//! A table after a line that holds only `` `Name` `` feeds the query; its header is `column:kind`. The table
//! after the query is the answer; a fenced `error` block after it is the text that the error must contain.
//! A line `` now: `2026-03-01T00:00:00Z` `` sets the clock.
use huntpack::engine::{self, Database};
use huntpack::types::{Kind, Schema, Table, Value, convert, datetime};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows of cells; the first is the header.
type Cells = Vec<Vec<String>>;

#[derive(Clone, Default)]
struct Case {
    title: String,
    now: Option<String>,
    tables: BTreeMap<String, Cells>,
    query: String,
    answer: Option<(Range<usize>, Cells)>,
    error: Option<String>,
    /// The line after the query.
    after: usize,
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
    cells.push(cell.trim().to_owned());
    cells
}

/// Reads a page. Tables before the first query of a section with sub-headings are shared by those.
fn parse(text: &str) -> Vec<Case> {
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
                "error" => case.error = Some(block),
                _ => {}
            }
        } else if let Some(now) = line.strip_prefix("now: `") {
            case.now = Some(now.trim_end_matches('`').to_owned());
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
    } else {
        cases.push(done);
    }
    case.tables = shared.tables.clone();
    case.now = shared.now.clone();
}

fn table_of(rows: &Cells) -> Result<Table, String> {
    let header = rows.first().ok_or("a table without a header")?;
    let column = |cell: &String| -> Result<(String, Kind), String> {
        let (name, kind) = cell.split_once(':').ok_or(format!("`{cell}` is no `column:kind`"))?;
        Ok((name.to_owned(), Kind::parse(kind).ok_or(format!("`{kind}` is no kind"))?))
    };
    let schema: Schema = header.iter().map(column).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    let value = |(cell, (_, kind)): (&String, &(_, Kind))| match (cell.as_str(), kind) {
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

fn cells_of(table: &Table) -> Cells {
    let header = table.schema().columns().iter().map(|(name, kind)| format!("{name}:{kind}")).collect();
    let rows = table.to_rows().into_iter().map(|row| row.iter().map(shown).collect());
    std::iter::once(header).chain(rows).collect()
}

fn run(case: &Case) -> Result<Cells, String> {
    let mut database = Database::default();
    for (name, rows) in &case.tables {
        database.add_table(name, table_of(rows)?);
    }
    let now = case.now.as_deref().unwrap_or("2026-03-02T15:00:00Z");
    let now = datetime::parse(now).ok_or("`now` is no datetime")?;
    match engine::table_of(&case.query, &database, now) {
        Ok(table) => Ok(cells_of(&table)),
        Err(fault) => Err(fault.to_string()),
    }
}

fn check(case: &Case) -> Result<(), Failed> {
    match (run(case), &case.answer, &case.error) {
        (Ok(got), Some((_, want)), None) if got == *want => Ok(()),
        (Ok(got), answer, _) => {
            let want = answer.as_ref().map_or("nothing: run BLESS=1".to_owned(), |(_, want)| render(want).join("\n"));
            Err(format!("{}\ngot\n{}\nwant\n{want}", case.query, render(&got).join("\n")).into())
        }
        (Err(error), _, Some(want)) if error.contains(want.as_str()) => Ok(()),
        (Err(error), ..) => Err(format!("{}\n{error}", case.query).into()),
    }
}

fn render(table: &Cells) -> Vec<String> {
    let escaped: Cells = table.iter().map(|row| row.iter().map(|c| c.replace('|', "\\|")).collect()).collect();
    let width = |at: usize| escaped.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..escaped.first().map_or(0, Vec::len)).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(c, w)| format!(" {c}{} ", " ".repeat(w - c.chars().count())));
        format!("|{}|", padded.collect::<Vec<_>>().join("|"))
    };
    let mut lines: Vec<String> = escaped.iter().map(line).collect();
    let rule = widths.iter().map(|w| "-".repeat(w + 2)).collect::<Vec<_>>().join("|");
    lines.insert(1.min(lines.len()), format!("|{rule}|"));
    lines
}

/// Writes the engine's answers into the page, from the last case to the first.
fn bless(path: &Path, text: &str) {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for case in parse(text).iter().rev().filter(|c| c.error.is_none()) {
        let Ok(answer) = run(case) else { continue };
        match &case.answer {
            Some((range, _)) => drop(lines.splice(range.clone(), render(&answer))),
            None => drop(lines.splice(case.after..case.after, std::iter::once(String::new()).chain(render(&answer)))),
        }
    }
    fs::write(path, lines.join("\n") + "\n").expect("the page can be written");
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => pages(&path, found),
            false if path.extension().is_some_and(|e| e == "md") => found.push(path),
            false => {}
        }
    }
}

fn main() {
    let mut paths = Vec::new();
    pages(Path::new("tests/cases"), &mut paths);
    paths.sort();
    let mut trials = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a page is text");
        if std::env::var_os("BLESS").is_some() {
            bless(&path, &text);
        }
        let page = path.with_extension("").to_string_lossy().replace("tests/cases/", "");
        let text = fs::read_to_string(&path).expect("a page is text");
        for case in parse(&text) {
            trials.push(Trial::test(format!("{page} {}", case.title), move || check(&case)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
