//! Whatever is asked, the engine answers or says what is wrong: no panic, no query that goes on and on.
mod pages;

use huntpack::engine::{Data, Database, Held};
use huntpack::functions::{self, Accepts, Parameter, aggregates};
use huntpack::types::Kind;
use pages::{Case, Language, Settings};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one query may take, in code without optimization and beside other tests.
const LONGEST: Duration = Duration::from_secs(5);
const NOW: i64 = 639_000_000_000_000_000;

/// Runs a query; an error is fine, a panic, a defect that the engine admits or a long wait is not.
fn survives(text: &str, database: &Database) -> Result<(), String> {
    survives_as(Language::Kql, text, database)
}

fn survives_as(language: Language, text: &str, database: &Database) -> Result<(), String> {
    let run = if language == Language::Kql { pages::query } else { pages::search };
    let settings = Settings { threads: 2, morsel_rows: 1000 };
    let start = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| run(text, database, NOW, settings)));
    let shown: String = text.chars().take(400).collect();
    match answer {
        Err(_) => Err(format!("panicked: {shown}")),
        Ok(Err(error)) if error.starts_with("HP9") => Err(format!("{error}: {shown}")),
        Ok(_) if start.elapsed() > LONGEST => Err(format!("took {:?}: {shown}", start.elapsed())),
        Ok(_) => Ok(()),
    }
}

fn demand(found: impl Iterator<Item = Result<(), String>>) {
    let wrong: Vec<String> = found.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} queries:\n{}", wrong.len(), wrong.join("\n"));
}

fn repeated(start: &str, part: &str, count: usize, end: &str) -> String {
    format!("{start}{}{end}", part.repeat(count))
}

/// Queries of a shape that no person writes.
fn monsters() -> Vec<String> {
    let many = 10_000;
    let nested = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(many), close.repeat(many));
    let each = |make: &dyn Fn(usize) -> String, count: usize| (0..count).map(make).collect::<Vec<_>>();
    let functions = each(&|n| format!("let f{} = (x:long) {{ f{n}(x) + 1 }};", n + 1), 500).concat();
    let doubling = each(&|n| format!("let g{} = (x:long) {{ g{n}(g{n}(x)) }};", n + 1), 40).concat();
    let tables = each(&|n| format!("let t{} = union t{n}, t{n};", n + 1), 40).concat();
    vec![
        format!("print {}", nested("(", "1", ")")),
        format!("print {}", nested("not(", "true", ")")),
        format!("print {}", nested("strcat('a', ", "'b'", ")")),
        format!("print dynamic({})", nested("[", "1", "]")),
        format!("print dynamic({})", nested("{\"a\":", "1", "}")),
        format!("print parse_json('{}')", nested("[", "1", "]")),
        format!("print parse_json('{}').a.a.a", nested("{\"a\":", "1", "}")),
        format!("print tostring(parse_json('{}'))", "[".repeat(many)),
        format!("print x = {}", nested("iff(true, ", "1", ", 2)")),
        format!("print {}1", "-".repeat(many)),
        format!("print a{}", ".b".repeat(many)),
        format!("print d = dynamic({{}}) | project d{}", "[0]".repeat(many)),
        "(".repeat(many),
        "[".repeat(many),
        "{".repeat(many),
        "|".repeat(many),
        "let f = ".repeat(many),
        nested("(", "print 1", ")"),
        nested("union (", "print 1", ")"),
        nested("print 1 | join (", "print 1", ") on print_0"),
        nested("let f = () { ", "print 1", " };"),
        repeated("print x = 1", " | where x == 1", 5_000, ""),
        repeated("print x = 1", " | extend x = x + 1", 5_000, ""),
        repeated("print x = 1", " | extend y = x | project x = y", 2_500, ""),
        repeated("print x = 1", " | summarize x = sum(x)", 1_000, ""),
        repeated("print x = 1", " | as t | union t", 60, " | count"),
        repeated("print x = 1 | where x == 0", " or x == 1", many, ""),
        repeated("print x = 1 | where x == 1", " and x != 0", many, ""),
        repeated("print x = 1", " + 1", many, ""),
        repeated("print x = 'a' | where x in ('b'", ", 'c'", many, ")"),
        repeated("print case(false, 0", ", false, 0", 3_000, ", 1)"),
        repeated("print strcat('a'", ", 'b'", 5_000, ")"),
        repeated("union (print 1)", ", (print 1)", 500, " | count"),
        repeated("print 1", ", 1", 5_000, ""),
        repeated("", "print 1;", 2_000, ""),
        repeated("datatable(x:long)[1", ", 1", many, "] | count"),
        format!("print strlen('{}')", "a".repeat(5_000_000)),
        format!("print '{}", "a".repeat(1_000_000)),
        format!("print h@'{}' has 'b'", "a ".repeat(500_000)),
        format!("print {}", "9".repeat(100_000)),
        format!("print 1e{}", "9".repeat(1_000)),
        format!("print decimal({}.{})", "9".repeat(1_000), "9".repeat(1_000)),
        format!("print decimal(1e999999999) + decimal(1e-999999999)"),
        format!("print {}", "a".repeat(1_000_000)),
        format!("print '{}' matches regex '{}'", "a".repeat(1_000), "(a*)*".repeat(500)),
        format!("print 'a' matches regex '{}'", "(".repeat(many)),
        format!("print 'a' matches regex '{}'", "a{1000}{1000}{1000}"),
        format!("let f0 = (x:long) {{ x }};{functions} print f500(1)"),
        format!("let g0 = (x:long) {{ x + 1 }};{doubling} print g40(1)"),
        format!("let t0 = print x = 1;{tables} t40 | count"),
        "let f = (n:long) { f(n) }; print f(1)".to_owned(),
        "let f = (t:(*)) { t | invoke f() }; print 1 | invoke f()".to_owned(),
        "let a = a; a".to_owned(),
        "let t = t | union t; t".to_owned(),
        "range x from 1 to 9223372036854775807 step 1 | count".to_owned(),
        "range x from -9223372036854775808 to 9223372036854775807 step 9223372036854775807".to_owned(),
        "range x from 0.0 to 1.0 step 1e-300 | take 1".to_owned(),
        "range x from datetime(0001-01-01) to datetime(9999-12-31) step 1tick | count".to_owned(),
        "print range(1, 1000000000, 1)".to_owned(),
        "print beta_cdf(0.5, 1e308, 1e308), beta_inv(0.5, 2.0, 1e308), gamma(-1e308), loggamma(real(-inf))".to_owned(),
        "print repeat('x', 1000000000)".to_owned(),
        "print strrep('abc', 1000000000)".to_owned(),
        "range x from 1 to 3000 step 1 | extend k = 1 | join kind=inner (range y from 1 to 3000 step 1 | extend k = 1) on k | count"
            .to_owned(),
        "print a = range(1, 2000, 1), b = range(1, 2000, 1) | mv-expand a | mv-expand b | count".to_owned(),
        "print x = 1 | make-series count() on x from 0 to 9000000000000000000 step 1".to_owned(),
        "print t = now() | make-series count() on t from datetime(0001-01-01) to datetime(9999-01-01) step 1tick".to_owned(),
    ]
}

#[test]
fn monstrous_queries_are_answered_or_refused() {
    let database = Database::default();
    demand(monsters().iter().map(|text| survives(text, &database)));
}

/// Searches of a shape that no person writes.
fn monstrous_searches() -> Vec<String> {
    let many = 10_000;
    let nested = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(many), close.repeat(many));
    let made = "| makeresults | eval x=1";
    vec![
        "|".repeat(many),
        "[".repeat(many),
        "(".repeat(many),
        "`".repeat(many),
        "\"".repeat(many + 1),
        "\\".repeat(many),
        "NOT ".repeat(many),
        nested("(", "a=1", ")"),
        nested("[search a ", "b", "]"),
        nested("| makeresults | append [", "| makeresults", "]"),
        format!("{made} | eval y={}", nested("(", "1", ")")),
        format!("{made} | eval y={}1", "-".repeat(many)),
        format!("{made} | eval y={}1", "NOT ".repeat(many)),
        format!("{made} | eval y={}", nested("if(x=1,", "1", ",2)")),
        repeated(made, "+1", many, ""),
        repeated(made, ".1", 500, ""),
        repeated(&format!("{made} | where x=0"), " OR x=1", many, ""),
        repeated(&format!("{made} | search x=0"), " OR x=1", many, ""),
        repeated(&format!("{made} | search x=0"), " x=*", many, ""),
        repeated(&format!("{made} | search x IN (0"), ", a*b*c", 2_000, ")"),
        repeated(made, " | eval x=x+1", 2_000, ""),
        repeated(made, " | rename x as y | rename y as x", 1_000, ""),
        repeated(made, " | stats sum(x) as x", 500, ""),
        repeated(made, " | appendpipe [eval x=2]", 30, " | stats count"),
        repeated(made, ", y=1", 2_000, ""),
        format!("{made} | search x={}", "*a".repeat(20_000)),
        format!("{made} | search {}", "a".repeat(1_000_000)),
        format!("{made} | rex field=x \"{}\"", "(?<a>".repeat(1_000)),
        format!("{made} | eval y=\"{}\" | regex y=\"^(a+)+$\"", "a".repeat(40) + "b"),
        format!("{made} | rex field=x mode=sed \"{}\"", "s/a/b/ ".repeat(1_000)),
        format!("{made} | eval y=mvrange(0, 1000000000)"),
        format!("{made} | eval y=printf(\"%1000000000d\", 1)"),
        format!("{made} | bin x span=1e-300"),
        format!("{made} | bin _time span=999999999999999999y"),
        "| makeresults count=99999999999".to_owned(),
        "| makeresults count=3000 | eval k=1 | join max=0 k [| makeresults count=3000 | eval k=1] | stats count"
            .to_owned(),
        "| makeresults count=100 | map maxsearches=100 [| makeresults count=100] | stats count".to_owned(),
        "| makeresults count=20000 | streamstats dc(_time)".to_owned(),
        "earliest=-999999999999y latest=+99999999999999999999d x".to_owned(),
        "| tstats count from datamodel=Endpoint.Processes by Processes.user".to_owned(),
    ]
}

#[test]
fn monstrous_searches_are_answered_or_refused() {
    let database = Database::default();
    demand(monstrous_searches().iter().map(|text| survives_as(Language::Spl, text, &database)));
}

/// Values that eval functions are tried with.
const FIELD_EDGES: &[&str] = &[
    "null()",
    "\"\"",
    "\"a\"",
    "\"ÄÖ€😀\"",
    "0",
    "-1",
    "1.5",
    "1e308",
    "9223372036854775807",
    "99999999999999999999",
    "\"10.0.0.1/24\"",
    "\"(a|b)+\"",
    "\"%41%zz\"",
    "\"[1, {\\\"a\\\": 2}]\"",
    "\"%Y-%m-%d %H\"",
    "\"-1d@d\"",
    "split(\"c,a,b\", \",\")",
    "now()",
    "missing",
    "1=1",
];

#[test]
fn eval_functions_take_any_value() {
    let database = Database::default();
    let is_written = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let items = functions::all().filter(|item| item.dialect == functions::Dialect::Spl && is_written(item.name));
    let calls = items.enumerate().flat_map(|(at, item)| {
        (0..u64::from(rounds() / 250)).map(move |round| {
            let mut draw = draws(at as u64 * 1000 + round);
            let (least, most) = item.arity();
            let count = least + draw(most.min(least + 4) - least + 1);
            let arguments: Vec<&str> = (0..count).map(|_| FIELD_EDGES[draw(FIELD_EDGES.len())]).collect();
            format!("| makeresults | eval x=if(isnull({}({})), 1, 2)", item.name, arguments.join(", "))
        })
    });
    demand(calls.map(|text| survives_as(Language::Spl, &text, &database)));
}

/// Values at the edges of each kind.
const EDGES: &[(Kind, &[&str])] = &[
    (Kind::Bool, &["true", "false", "bool(null)"]),
    (Kind::Int, &["int(0)", "int(-2147483648)", "int(2147483647)", "int(null)"]),
    (Kind::Long, &["0", "1", "-1", "7", "100", "9223372036854775807", "(-9223372036854775807 - 1)", "long(null)"]),
    (Kind::Real, &["0.0", "-1.5", "1e308", "1e-308", "real(nan)", "real(+inf)", "real(-inf)", "real(null)"]),
    (Kind::Decimal, &["decimal(0)", "decimal(-1.5)", "decimal(99999999999999999999.9999)", "decimal(null)"]),
    (
        Kind::String,
        &[
            "''",
            "'a'",
            "'ÄÖ€😀'",
            "'10.0.0.1/24'",
            "'[1,\"a\"]'",
            "'2026-03-01'",
            "'(a|b)+'",
            "'%41%zz\\\\u00'",
            "'a,b;c=1'",
        ],
    ),
    (Kind::DateTime, &["datetime(0001-01-01)", "datetime(9999-12-31 23:59:59.9999999)", "now()", "datetime(null)"]),
    (
        Kind::TimeSpan,
        &["0s", "-1tick", "1d", "time(10675199.02:48:05.4775807)", "time(-10675199.02:48:05)", "time(null)"],
    ),
    (Kind::Guid, &["guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"]),
    (
        Kind::Dynamic,
        &[
            "dynamic(null)",
            "dynamic([])",
            "dynamic([1,\"a\",null,{\"b\":2.5}])",
            "dynamic({\"a\":[1]})",
            "dynamic(\"x\")",
            "dynamic([3,1,2])",
            "dynamic([1.5,null,-2.0,1e300])",
            "dynamic(9223372036854775807)",
        ],
    ),
];

/// A query whose table has a column for each kind, `c_` and the kind's name, over the edges.
fn edges() -> String {
    let tallest = EDGES.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let row = |at: usize| EDGES.iter().map(move |(_, values)| values[at % values.len()]);
    let tables: Vec<String> = (0..tallest)
        .map(|at| {
            let values: Vec<String> = row(at).zip(EDGES).map(|(v, (kind, _))| format!("c_{kind} = {v}")).collect();
            format!("(print {})", values.join(", "))
        })
        .collect();
    format!("union {}", tables.join(", "))
}

fn kinds_of(parameter: Option<&Parameter>) -> Vec<usize> {
    let wanted = parameter.map_or(Accepts::Any, |p| p.accepts);
    let fits: Vec<usize> = (0..EDGES.len()).filter(|at| wanted.takes(EDGES[*at].0)).collect();
    if fits.is_empty() { (0..EDGES.len()).collect() } else { fits }
}

/// An argument: a constant or a column of a fitting kind; now and then of any kind.
fn argument(parameters: &[Parameter], at: usize, draw: &mut impl FnMut(usize) -> usize) -> String {
    let fits = kinds_of(parameters.get(at).or(parameters.last()));
    let (kind, values) = match draw(12) {
        0 => EDGES[draw(EDGES.len())],
        _ => EDGES[fits[draw(fits.len())]],
    };
    if draw(3) == 0 { format!("c_{kind}") } else { values[draw(values.len())].to_owned() }
}

fn call(name: &str, parameters: &[Parameter], arity: (usize, usize), draw: &mut impl FnMut(usize) -> usize) -> String {
    let most = arity.1.min(arity.0 + 4);
    let count = arity.0 + draw(most - arity.0 + 1);
    let arguments: Vec<String> = (0..count).map(|at| argument(parameters, at, draw)).collect();
    match arguments.as_slice() {
        [left, right] if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') => format!("{left} {name} {right}"),
        _ => format!("{name}({})", arguments.join(", ")),
    }
}

/// Numbers that look random and are the same each time.
fn draws(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |limit| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % limit.max(1)
    }
}

fn edge_database() -> Database {
    let table = pages::query(&edges(), &Database::default(), NOW, Settings::default()).expect("a table of edges");
    let mut database = Database::default();
    database.add_table("E", Data::Table(Arc::new(Held::new(table))));
    database
}

#[test]
fn functions_take_any_value() {
    let database = edge_database();
    let items = functions::all().filter(|item| item.dialect == functions::Dialect::Kql && !item.name.starts_with('.'));
    let calls = items.enumerate().flat_map(|(at, item)| {
        (0..u64::from(rounds() / 250)).map(move |round| {
            let mut draw = draws(at as u64 * 1000 + round);
            format!("E | extend x = {}", call(item.name, item.parameters, item.arity(), &mut draw))
        })
    });
    demand(calls.map(|text| survives(&text, &database)));
}

#[test]
fn aggregates_take_any_value() {
    let database = edge_database();
    let items = aggregates::all().filter(|item| item.dialect == functions::Dialect::Kql);
    let calls = items.enumerate().flat_map(|(at, item)| {
        (0..u64::from(rounds() / 250)).map(move |round| {
            let mut draw = draws(at as u64 * 1000 + round);
            let call = call(item.name, item.parameters, item.arity(), &mut draw);
            let by = if round % 3 == 0 { " by c_bool" } else { "" };
            format!("E | summarize x = {call}{by}")
        })
    });
    demand(calls.map(|text| survives(&text, &database)));
}

/// The words, numbers, texts and signs of a query.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    for c in text.chars() {
        match found.last_mut() {
            Some(last) if class(c) != 2 && last.chars().next_back().is_some_and(|l| class(l) == class(c)) => {
                last.push(c)
            }
            _ => found.push(c.to_string()),
        }
    }
    found
}

/// What is put where it does not belong.
const STRANGE: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ";",
    ",",
    "..",
    "*",
    "'",
    "\"",
    "-",
    "!",
    "==",
    "=",
    " by ",
    " on ",
    " in ",
    "null",
    "dynamic(null)",
    "9223372036854775807",
    "-1",
    "0",
    "''",
    "1d",
    "datetime(null)",
    "real(nan)",
    " | ",
    " | count",
    " | take 1",
    " | summarize count()",
    "// ",
    "\n",
    "\u{0}",
    "é",
    "😀",
    " asc",
    " kind=",
    "$left",
    "let x = ",
    "()",
];

/// A change of a query: what to do, and two places.
type Change = (u8, prop::sample::Index, prop::sample::Index);

fn changed(own: &str, other: &str, changes: &[Change]) -> String {
    let (mut own, other) = (tokens(own), tokens(other));
    for (what, first, second) in changes {
        if own.is_empty() || other.is_empty() {
            break;
        }
        let (a, b) = (first.index(own.len()), second.index(own.len()));
        let (from, to) = (a.min(b), (a.max(b) + 1).min(a.min(b) + 8));
        match what % 6 {
            0 => drop(own.drain(from..to)),
            1 => own.swap(a, b),
            2 => own.insert(a, STRANGE[second.index(STRANGE.len())].to_owned()),
            3 => own[a] = other[second.index(other.len())].clone(),
            4 => drop(own.splice(a..a, own.clone().into_iter().skip(from).take(to - from)).count()),
            _ => drop(own.splice(a.., other.iter().skip(second.index(other.len())).cloned()).count()),
        }
    }
    own.concat()
}

#[test]
fn changed_queries_are_answered_or_refused() {
    let cases: Vec<Case> = pages::cases().into_iter().map(|(_, case)| case).collect();
    let change = (any::<u8>(), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let changes = prop::collection::vec(change, 1..5);
    let picks = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), changes);
    let outcome = runner().run(&picks, |(own, other, changes)| {
        let (own, other) = (&cases[own.index(cases.len())], &cases[other.index(cases.len())]);
        let database = pages::database(own).map_err(TestCaseError::fail)?;
        survives_as(own.language, &changed(&own.query, &other.query, &changes), &database).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// How much is tried where nothing is said.
const ROUNDS: u32 = 3_000;

/// `PROPTEST_CASES` says how much is tried.
fn wanted_rounds() -> Option<u32> {
    std::env::var("PROPTEST_CASES").ok()?.parse().ok()
}

fn rounds() -> u32 {
    wanted_rounds().unwrap_or(ROUNDS)
}

/// The same changes each time, unless more are asked for: then others each time.
fn runner() -> TestRunner {
    let config = Config { cases: rounds(), failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    match wanted_rounds() {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}
