//! Queries that are made up give the same answer whatever the threads, the morsels, and the order of the plan's steps.
//!
//! `HUNTPACK_QUERIES` says how many are tried, and `HUNTPACK_SEED` which come first.
mod generator;
mod pages;

use generator::{COLUMNS, Draw};
use huntpack::diagnostic::Source;
use huntpack::engine::{self, Data, Database, Held, Now, Options};
use huntpack::functions::Limits;
use huntpack::types::{Kind, Schema, Table, Value, datetime};
use pages::Cells;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROWS: usize = 300;
/// The time that goes into this where nothing is said.
const LONGEST: Duration = Duration::from_secs(12);
const MOST: u64 = 400;

/// How a query is run.
#[derive(Clone, Copy, Debug)]
struct Way {
    threads: usize,
    morsel_rows: usize,
    /// Whether the plan keeps the order in which the query was written.
    as_written: bool,
}

const FIRST: Way = Way { threads: 1, morsel_rows: 65_536, as_written: false };
const OTHERS: [Way; 3] = [
    Way { threads: 2, morsel_rows: 100, as_written: false },
    Way { threads: 7, morsel_rows: 1, as_written: false },
    Way { threads: 2, morsel_rows: 1000, as_written: true },
];

fn row(draw: &mut Draw, start: i64) -> Vec<Value> {
    let n = draw.below(60) as i64;
    let real = (draw.below(2_000_000) as f64 - 1e6) * 10f64.powi(draw.below(10) as i32 - 6);
    let (user, host) = (format!("user{}", draw.below(12)), format!("HOST{}", draw.below(40)));
    let mut or_null = |value: Value, kind: Kind| if draw.below(12) == 0 { Value::Null(kind) } else { value };
    vec![
        or_null(Value::DateTime(start + n * 37 * 600_000_000), Kind::DateTime),
        Value::string(if n == 7 { "" } else { user.as_str() }),
        Value::string(host.as_str()),
        or_null(Value::Long(n), Kind::Long),
        or_null(Value::Int(n as i32 % 9), Kind::Int),
        or_null(Value::Real(real), Kind::Real),
        or_null(Value::Bool(n % 3 == 0), Kind::Bool),
        or_null(Value::TimeSpan(n * 10_000_000), Kind::TimeSpan),
        or_null(Value::dynamic(format!("[{n},{},\"{host}\"]", n % 4)), Kind::Dynamic),
        or_null(Value::dynamic(format!(r#"{{"a":{n},"k{}":"{user}"}}"#, n % 3)), Kind::Dynamic),
        Value::string(format!("user={user} n={n}")),
    ]
}

fn database() -> Database {
    let start = datetime::parse("2026-03-01T00:00:00Z").expect("a datetime");
    let mut draw = Draw::new(11);
    let rows: Vec<Vec<Value>> = (0..ROWS).map(|_| row(&mut draw, start)).collect();
    let table = Table::from_rows(Schema::from_iter(COLUMNS.iter().copied()), &rows);
    let mut database = Database::default();
    database.add_table("T", Data::Table(Arc::new(Held::new(table))));
    database
}

/// The rows of a query, or the code of its error.
fn run(text: &str, database: &Database, way: Way) -> Result<Cells, String> {
    let limits = Limits { morsel_rows: way.morsel_rows, rows: 200_000, seconds: 5, ..Limits::default() };
    let now = datetime::parse("2026-03-04T00:00:00Z").unwrap_or_default();
    let options =
        Options { now: Now::At(now), limits, threads: Some(way.threads), trace: way.as_written, ..Options::default() };
    let answer = catch_unwind(AssertUnwindSafe(|| engine::query(&Arc::new(Source::query(text)), database, &options)));
    match answer {
        Err(_) => Err("panicked".to_owned()),
        Ok(Err(fault)) => Err(format!("{}: {fault}", fault.diagnostics().first().map_or("", |d| &d.code))),
        Ok(Ok(answer)) => answer.tables.last().map(pages::cells_of).ok_or_else(|| "no result".to_owned()),
    }
}

/// What differs between the ways to run a query, if anything does.
fn difference(text: &str, database: &Database) -> Option<String> {
    let first = run(text, database, FIRST);
    if let Err(error) = &first
        && (error == "panicked" || error.starts_with("HP9"))
    {
        return Some(error.clone());
    }
    // Limits count work that differs by the way.
    let limited = |found: &Result<Cells, String>| found.as_ref().is_err_and(|error| error.starts_with("HP300"));
    OTHERS.into_iter().find_map(|way| {
        let other = run(text, database, way);
        let same = first == other || limited(&first) || limited(&other);
        let shown = || first.iter().flatten().zip(other.iter().flatten()).find(|(a, b)| a != b);
        (!same).then(|| {
            let counts = (first.as_ref().map(Vec::len), other.as_ref().map(Vec::len));
            format!("{way:?}: {counts:?} {:?}", shown())
        })
    })
}

/// The query without operators that the difference does not need.
fn shortened(text: &str, database: &Database) -> String {
    let mut kept: Vec<&str> = text.split("\n| ").collect();
    let mut at = kept.len();
    while at > 1 {
        at -= 1;
        let mut fewer = kept.clone();
        fewer.remove(at);
        if difference(&fewer.join("\n| "), database).is_some() {
            kept = fewer;
        }
    }
    kept.join("\n| ")
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn made_up_queries_give_equal_tables() {
    let database = database();
    let first = setting("HUNTPACK_SEED").unwrap_or(1);
    let wanted = setting("HUNTPACK_QUERIES");
    let start = Instant::now();
    let (mut tried, mut answered, mut wrong) = (0, 0, Vec::new());
    for seed in first..first + wanted.unwrap_or(MOST) {
        if wanted.is_none() && start.elapsed() > LONGEST {
            break;
        }
        let mut draw = Draw::new(seed);
        let operators = 1 + draw.below(6);
        let text = generator::query(&mut draw, operators);
        tried += 1;
        answered += u64::from(run(&text, &database, FIRST).is_ok());
        if difference(&text, &database).is_some() {
            let text = shortened(&text, &database);
            let what = difference(&text, &database).unwrap_or_default();
            wrong.push(format!("seed {seed}: {what}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} queries:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(answered * 10 > tried * 7, "only {answered} of {tried} queries mean something");
}
