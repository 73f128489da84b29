//! The same rows give the same answer, whatever the threads and the morsels.
mod pages;

use huntpack::engine::{Data, Database, Held};
use huntpack::types::{Kind, Schema, Table, Value, datetime};
use pages::{Cells, Settings};
use std::sync::Arc;

const THREADS: [usize; 3] = [1, 2, 7];
const MORSELS: [usize; 3] = [1, 100, 65_536];
const ROWS: usize = 5_000;

/// Functions that draw lots: their answers differ from run to run, as they should.
const RANDOM: [&str; 4] = ["rand(", "new_guid", "sample ", "sample-distinct"];

const QUERIES: &[&str] = &[
    "T | summarize count(), sum(N), avg(R), stdev(R), variance(R), min(R), max(R) by User",
    "T | summarize sum(R), avg(R), stdev(R), sumif(R, N > 50), avgif(R, N % 2 == 0), variancep(R)",
    "T | summarize make_set(Host), make_list(N, 20), take_any(Host), make_set(N, 7) by User",
    "T | summarize arg_max(When, *), arg_min(R, Host, N) by User",
    "T | summarize arg_max(N, Host, When), arg_min(N, When)",
    "T | summarize percentiles(R, 1, 50, 99), percentile(N, 75), percentiles_array(R, 5, 95) by bin(When, 1h)",
    "T | summarize dcount(User), dcount(R), dcountif(Host, N > 10), count_distinct(Host) by Ok",
    "T | summarize make_bag(bag_pack(Host, N)), make_list(bag_pack('n', N), 5) by Ok",
    "T | summarize n = count(), s = make_set(User) by Host | where n > 20 | extend k = array_length(s)",
    "T | summarize tdigest_of_r = percentile_tdigest(tdigest(R), 50), hll_of_users = dcount_hll(hll(User))",
    "T | join kind=inner (T | summarize m = max(N), last = max(When) by User) on User | where N == m",
    "T | where N > 90 | join kind=fullouter (T | where N < 5 | project User, M = N) on User",
    "T | where N > 95 | join (T | where N > 97 | project Host, User2 = User) on Host",
    "T | sort by N desc, Host asc | extend r = row_number(), p = prev(User), c = row_cumsum(N) | where r % 50 == 0",
    "T | top 20 by R desc",
    "T | top 30 by Host asc",
    "T | distinct User, Ok",
    "T | distinct Host | take 5",
    "T | take 17",
    "T | where N > 40 | take 12",
    "T | make-series n = count(), r = avg(R) default = 0.0 on When step 6h by Host",
    "T | mv-expand D | summarize sum(toreal(D)), count() by Host",
    "T | where N < 30 | mv-apply x = D to typeof(real) on (top 2 by x desc | summarize l = make_list(x))",
    "T | partition by User (top 2 by R desc)",
    "union withsource=Origin T, (T | where N > 50) | summarize count(), sum(R) by Origin",
    "T | summarize count() by User, Host | summarize make_list(Host), sum(count_) by User",
    "T | evaluate pivot(Ok, sum(R), User)",
    "T | evaluate bag_unpack(B)",
    "T | parse Text with 'user=' U ' n=' M:long | summarize sum(M), dcount(U) by Host",
    "T | where Text has 'user' and Host in~ ('HOST3', 'host5') | summarize count() by strcat(User, '@', Host)",
    "let M = materialize(T | summarize s = sum(R) by User); M | where s > toscalar(M | summarize avg(s)) | join M on User",
    "T | search 'host4' | summarize count() by Host",
];

const SEARCHES: &[&str] = &[
    "Ok=true | stats count sum(N) avg(R) stdev(R) min(R) max(R) range(N) by User",
    "user* | stats dc(Host) values(Host) list(N) first(Host) last(Host) earliest(Host) latest(Host) mode(Host) by User",
    "N>50 | stats perc90(R) p25(R) median(N) by Ok",
    "* | stats count by D | sort - count, D | head 20",
    "* | eventstats avg(R) as m by User | where R > m | stats count by User Ok",
    "* | eventstats max(N) as top | where N=top | table User Host N",
    "N>90 | streamstats count as n sum(R) as s by Host | table Host n s",
    "* | streamstats window=5 max(R) as m | stats sum(m)",
    "* | dedup User Ok | table User Host N",
    "* | sort 100 - R | tail 5 | table R Host",
    "* | sort 0 Host -N | head 50",
    "* | rex field=Text \"user=(?<u>\\w+) n=(?<n>\\d+)\" | stats sum(n) by u",
    "* | eval d=mvmap(D, D*2), k=case(N>90, \"high\", N>50, \"middle\", true(), \"low\") | stats sum(d) count by k",
    "N>97 | join type=left User [search N<3 | stats count by User] | table User Host count",
    "N=1 | append [search N=2] | bin span=10 R as range | stats count by range",
    "* | fillnull value=- Host | top limit=5 Host by Ok",
    "User IN (user1, user2*) NOT Host=host3* | stats count by Host",
    "N=7 OR [search N=8 | head 1 | fields User N] | stats count by N",
];

/// Numbers that look random and are the same on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A row with nulls here and there, ties, and reals whose sum depends on the order of adding where one is careless.
fn row(draw: &mut Draw, start: i64) -> Vec<Value> {
    let n = draw.below(100) as i64;
    let real = (draw.below(2_000_000) as f64 - 1e6) * 10f64.powi(draw.below(12) as i32 - 6);
    let (user, host) = (format!("user{}", draw.below(40)), format!("host{}", draw.below(300)));
    let minutes = draw.below(4 * 24 * 60) as i64;
    let elements: Vec<String> = (0..draw.below(4)).map(|at| format!("{}.5", at * 7 % 5)).collect();
    vec![
        Value::DateTime(start + minutes * 600_000_000),
        Value::string(user.as_str()),
        Value::string(if draw.below(20) == 0 { "" } else { host.as_str() }),
        if draw.below(15) == 0 { Value::Null(Kind::Long) } else { Value::Long(n) },
        if draw.below(15) == 0 { Value::Null(Kind::Real) } else { Value::Real(real) },
        if draw.below(9) == 0 { Value::Null(Kind::Bool) } else { Value::Bool(n % 3 == 0) },
        Value::dynamic(format!("[{}]", elements.join(","))),
        Value::dynamic(format!(r#"{{"k{}":{n},"host":"{host}"}}"#, n % 4)),
        Value::string(format!("user={user} n={n}")),
    ]
}

fn database() -> Database {
    let kinds = [
        ("When", Kind::DateTime),
        ("User", Kind::String),
        ("Host", Kind::String),
        ("N", Kind::Long),
        ("R", Kind::Real),
        ("Ok", Kind::Bool),
        ("D", Kind::Dynamic),
        ("B", Kind::Dynamic),
        ("Text", Kind::String),
    ];
    let start = datetime::parse("2026-03-01T00:00:00Z").expect("a datetime");
    let mut draw = Draw(7);
    let rows: Vec<Vec<Value>> = (0..ROWS).map(|_| row(&mut draw, start)).collect();
    let table = Table::from_rows(Schema::from_iter(kinds), &rows);
    let mut database = Database::default();
    database.add_table("T", Data::Table(Arc::new(Held::new(table))));
    database
}

fn settings() -> impl Iterator<Item = Settings> {
    THREADS.into_iter().flat_map(|threads| MORSELS.map(|morsel_rows| Settings { threads, morsel_rows }))
}

/// What differs between the ways to run, if anything does.
fn difference(what: &str, run: impl Fn(Settings) -> Result<Cells, String>) -> Option<String> {
    let first = run(Settings { threads: 1, morsel_rows: 65_536 });
    settings().find_map(|settings| {
        let other = run(settings);
        let Settings { threads, morsel_rows } = settings;
        (other != first).then(|| {
            let rows = first.iter().flatten().zip(other.iter().flatten()).find(|(a, b)| a != b);
            let errors = (first.as_ref().err(), other.as_ref().err());
            format!("{what}\n  {threads} threads, morsels of {morsel_rows}: {rows:?} {errors:?}")
        })
    })
}

fn demand_none(found: Vec<String>) {
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}

#[test]
fn pages_give_equal_tables() {
    let fixed = pages::cases().into_iter().filter(|(_, case)| !RANDOM.iter().any(|word| case.query.contains(word)));
    demand_none(fixed.filter_map(|(page, case)| difference(&page, |settings| pages::run(&case, settings))).collect());
}

#[test]
fn aggregates_over_many_rows_give_equal_tables() {
    let database = database();
    let run = |text: &str, settings| pages::query(text, &database, 0, settings).map(|table| pages::cells_of(&table));
    let failing = QUERIES.iter().find_map(|text| Some((text, run(text, Settings::default()).err()?)));
    assert_eq!(failing, None);
    demand_none(QUERIES.iter().filter_map(|text| difference(text, |settings| run(text, settings))).collect());
}

#[test]
fn searches_over_many_rows_give_equal_tables() {
    let database = database();
    let run = |text: &str, settings| pages::search(text, &database, 0, settings).map(|table| pages::cells_of(&table));
    let failing = SEARCHES.iter().find_map(|text| Some((text, run(text, Settings::default()).err()?)));
    assert_eq!(failing, None);
    demand_none(SEARCHES.iter().filter_map(|text| difference(text, |settings| run(text, settings))).collect());
}
