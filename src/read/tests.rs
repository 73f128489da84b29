//! What holds for every format: files in, typed rows and counted problems out.
use super::*;
use crate::types::{Kind, Value};

/// Writes a file of its own for a test.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("huntpack-read-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn rows(table: &Table) -> Vec<String> {
    let show = |row: Vec<Value>| row.iter().map(Value::to_text).collect::<Vec<_>>().join("|");
    table.to_rows().into_iter().map(show).collect()
}

fn kinds(table: &Table) -> String {
    let show = |(name, kind): &(Name, Kind)| format!("{name}:{kind}");
    table.schema().columns().iter().map(show).collect::<Vec<_>>().join(" ")
}

fn problems(table: &Table) -> Vec<(u64, u64)> {
    table.problems().iter().map(|problem| (problem.line, problem.count)).collect()
}

#[test]
fn reads_ndjson() {
    let path = file(
        "plain.ndjson",
        b"{\"t\":\"2026-01-02T03:04:05Z\",\"n\":1,\"s\":\"a\\u00e9\\\"b\",\"d\":{\"k\": [1, 2]},\"r\":1.5,\"b\":true}\n\
          {\"n\": 2, \"extra\": \"x\", \"t\": \"2026-01-02T03:04:06.5Z\"}\r\n\n\
          {\"n\":null,\"s\":\"caf\xc3\xa9 and a long text\",\"d\":\"text\",\"r\":2}\n",
    );
    let table = read(&[path], &Options::default()).unwrap();
    assert_eq!(kinds(&table), "t:datetime n:long s:string d:dynamic r:real b:bool extra:string");
    assert_eq!(
        rows(&table),
        [
            "2026-01-02T03:04:05.0000000Z|1|aé\"b|{\"k\":[1,2]}|1.5|true|",
            "2026-01-02T03:04:06.5000000Z|2|||||x",
            "||café and a long text|text|2||",
        ]
    );
    assert!(table.problems().is_empty());
}

#[test]
fn counts_broken_lines_and_keeps_the_others() {
    let text = "{\"a\":1}\n{\"a\":2\n{\"a\":3}\nnot json\n{\"a\":4}}\n{\"a\":\"x\n{\"a\":5}\n{\"a\":tru}\n{\"a\" 6}\n{\"a\":7,}\n{\"a\":8}";
    let table = read(&[file("broken.ndjson", text.as_bytes())], &Options::default()).unwrap();
    assert_eq!(rows(&table), ["1", "3", "5", "8"]);
    let total: u64 = table.problems().iter().map(|problem| problem.count).sum();
    assert_eq!(total, 7);
    assert!(problems(&table).contains(&(2, 1)), "{:?}", table.problems());
}

#[test]
fn misfits_are_null_and_counted() {
    let schema = Schema::new(vec![("a".into(), Kind::Long), ("t".into(), Kind::DateTime)]);
    let options = Options { schema: Some(schema), ..Options::default() };
    let text = "{\"a\":\"12\",\"t\":\"yesterday\"}\n{\"a\":\"x\",\"t\":1700000000}\n{\"a\":1.5}\n";
    let table = read(&[file("misfit.ndjson", text.as_bytes())], &options).unwrap();
    assert_eq!(rows(&table), ["12|", "|2023-11-14T22:13:20.0000000Z", "|"]);
    assert_eq!(problems(&table), [(1, 1), (2, 2)]);
}

#[test]
fn reads_arrays_of_records() {
    let text = "[\n  {\"a\": 1,\n   \"b\": \"x\"},\n  {\"a\": 2}\n]\n";
    let table = read(&[file("array.json", text.as_bytes())], &Options::default()).unwrap();
    assert_eq!(rows(&table), ["1|x", "2|"]);
}

#[test]
fn errors_name_the_path() {
    for path in ["/nowhere/there.ndjson", "/nowhere/*.csv"] {
        let said = read(&[path], &Options::default()).unwrap_err();
        assert!(said.message().contains(path), "{said}");
    }
}
