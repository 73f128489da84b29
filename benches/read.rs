//! How fast files become columns: a scan of a few columns by two threads, in bytes a second.
//!
//! `cargo bench --bench read --profile quick`; `HUNTPACK_BENCH_FILE` names a file to read beside the generated ones, and
//! `HUNTPACK_BENCH_COLUMNS` its columns.
use huntpack::functions::{Context, Limits};
use huntpack::plan::{Needs, Source};
use huntpack::read::{Options, open};
use huntpack::types::Name;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

fn main() {
    divan::main();
}

const ROWS: usize = 200_000;
const COLUMNS: [&str; 5] = ["TimeGenerated", "ResultType", "UserPrincipalName", "IPAddress", "AppDisplayName"];
const OTHERS: usize = 25;

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join("huntpack-bench-read");
    std::fs::create_dir_all(&folder).expect("the temporary folder");
    folder
}

/// Sign-ins of five columns that are read and others that are not.
fn cell(row: usize, column: usize) -> String {
    match column {
        0 => format!("2026-03-02T{:02}:{:02}:{:02}.{:06}Z", row / 3600 % 24, row / 60 % 60, row % 60, row % 1_000_000),
        1 => if row.is_multiple_of(9) { "50126" } else { "0" }.to_owned(),
        2 => format!("user{}@contoso.com", row % 5003),
        3 => format!("198.51.{}.{}", row % 251, row % 241),
        4 => format!("Application {}", row % 37),
        _ => format!("value {} of column {column}", row.wrapping_mul(column) % 9973),
    }
}

fn generated(name: &str, header: &str, write: impl Fn(&mut String, usize)) -> PathBuf {
    let path = folder().join(name);
    if !path.exists() {
        let mut text = header.to_owned();
        (0..ROWS).for_each(|row| write(&mut text, row));
        std::fs::write(&path, text).expect("the generated file");
    }
    path
}

fn key(column: usize) -> String {
    COLUMNS.get(column).map_or_else(|| format!("Column{column}"), |name| name.to_string())
}

fn ndjson() -> PathBuf {
    generated("signins.ndjson", "", |text, row| {
        let members = (0..COLUMNS.len() + OTHERS).map(|at| format!("\"{}\":\"{}\"", key(at), cell(row, at)));
        let _ = writeln!(text, "{{{}}}", members.collect::<Vec<_>>().join(","));
    })
}

fn csv() -> PathBuf {
    let header = (0..COLUMNS.len() + OTHERS).map(key).collect::<Vec<_>>().join(",") + "\n";
    generated("signins.csv", &header, |text, row| {
        let cells = (0..COLUMNS.len() + OTHERS).map(|at| cell(row, at));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join(","));
    })
}

/// Reads the columns of all rows, and returns the number of rows.
fn scan(source: &dyn Source, columns: &[Name], threads: usize) -> usize {
    let morsel_rows = Limits::default().morsel_rows;
    let needs = Needs { columns: columns.to_vec(), window: None, tests: Vec::new(), morsel_rows };
    let scan = source.scan(&needs).expect("a scan");
    let context = Context::new(0, Limits::default(), Arc::default());
    let worker = || {
        let mut rows = 0;
        while let Some(piece) = scan.next().expect("a piece") {
            let morsel = piece.read(&context).expect("rows");
            (0..columns.len()).for_each(|at| drop(divan::black_box(morsel.column(at, None))));
            rows += morsel.rows();
        }
        rows
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    })
}

fn bench(bencher: divan::Bencher<'_, '_>, path: PathBuf, columns: &[Name], threads: usize) {
    let size = std::fs::metadata(&path).map_or(0, |about| about.len());
    let read = || scan(open(&[&path], &Options::default()).expect("the file").as_ref(), columns, threads);
    bencher.counter(divan::counter::BytesCount::new(size)).bench(read);
}

fn named() -> Vec<Name> {
    COLUMNS.map(Name::from).to_vec()
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn ndjson_few_columns(bencher: divan::Bencher<'_, '_>, threads: usize) {
    bench(bencher, ndjson(), &named(), threads);
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn csv_few_columns(bencher: divan::Bencher<'_, '_>, threads: usize) {
    bench(bencher, csv(), &named(), threads);
}

/// A file of one's own, with the columns that `HUNTPACK_BENCH_COLUMNS` names, else the first five.
#[divan::bench(args = [1, 2], sample_count = 5)]
fn own_file(bencher: divan::Bencher<'_, '_>, threads: usize) {
    let Some(path) = std::env::var_os("HUNTPACK_BENCH_FILE").map(PathBuf::from) else { return };
    let columns: Vec<Name> = match std::env::var("HUNTPACK_BENCH_COLUMNS") {
        Ok(names) => names.split(',').map(Name::from).collect(),
        Err(_) => {
            let source = open(&[&path], &Options::default()).expect("the file");
            source.schema().names().take(5).cloned().collect()
        }
    };
    bench(bencher, path, &columns, threads);
}
