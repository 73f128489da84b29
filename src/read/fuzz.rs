//! Whatever bytes a file holds, reading ends, and ends without a panic; what serde_json reads, the walk reads alike.
use super::scratch::Scratch;
use super::*;
use crate::types::{Kind, Value};
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "(-?[1-9][0-9]{0,5}\\.[0-9]{1,6})".prop_map(|text| serde_json::from_str(&text).unwrap()),
        any::<String>().prop_map(Json::from),
        "[ -~\n\t\\\\\"{}\\[\\],:é]{0,40}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((key(), inner), 0..4).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", "[a-zA-Z_]{1,12}", "[ -~é\"\\\\]{0,8}"]
}

fn record() -> impl Strategy<Value = Map<String, Json>> {
    prop::collection::vec((key(), json()), 0..8).prop_map(|members| members.into_iter().collect())
}

/// What a text column holds of a JSON value.
fn as_text(json: Option<&Json>) -> String {
    match json {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn same(expected: Option<&Json>, cell: &Value) -> bool {
    let text = cell.to_text();
    match expected {
        Some(container @ (Json::Array(_) | Json::Object(_))) => {
            serde_json::from_str::<Json>(&text).is_ok_and(|read| read == *container)
        }
        other => text == as_text(other),
    }
}

fn read_as_text(bytes: &[u8], names: &[&str], format: Format, morsel_rows: usize) -> Vec<Vec<Value>> {
    let file = Scratch::new(bytes);
    let schema = names.iter().map(|name| (*name, Kind::String)).collect();
    let options = Options { format: Some(format), schema: Some(schema), ..Options::default() };
    let Ok(source) = open(&[&file.0], &options) else { return Vec::new() };
    let columns: Vec<Name> = source.schema().names().cloned().collect();
    let scan = source.scan(&Needs { columns: columns.clone(), window: None, tests: Vec::new(), morsel_rows }).unwrap();
    let context = Context::new(0, Limits::default(), Arc::default());
    let mut rows = Vec::new();
    while let Some(piece) = scan.next().unwrap() {
        let morsel = piece.read(&context).unwrap();
        let cells: Vec<_> = (0..columns.len()).map(|at| morsel.column(at, None).unwrap()).collect();
        rows.extend((0..morsel.rows()).map(|row| cells.iter().map(|column| column.value(row)).collect::<Vec<_>>()));
    }
    rows
}

/// Bytes that look like every format a little.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\"a\":",
        b"\"b\": \"x\"",
        b"null",
        b"-1.5e3",
        b"true",
        b"{\"a\":1}\n",
        b"CEF:0|",
        b"|",
        b"=",
        b" ",
        b"cs1=",
        b"#Fields: date time c-ip\n",
        b"#",
        b"2026-03-02 14:59:01 ",
        b"a,b\n",
        b"\"\"",
        b"\xEF\xBB\xBF",
        b"{\"tables\":[{\"columns\":[",
        b"\"rows\":[[",
        b"result",
        b"{\"preview\":false,\"result\":{",
        b"\"_raw\":\"{",
        b"\\u00e9",
        b"\\ud800",
    ];
    let token = prop_oneof![
        8 => prop::sample::select(tokens).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(token, 0..120).prop_map(|tokens| tokens.concat())
}

const ALL: [Format; 7] =
    [Format::Ndjson, Format::Json, Format::Csv, Format::Tsv, Format::W3c, Format::Cef, Format::Parquet];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_read_as_serde_reads_them(records in prop::collection::vec(record(), 1..12)) {
        let text: String = records.iter().map(|record| Json::Object(record.clone()).to_string() + "\n").collect();
        let names: Vec<&str> = records.iter().flat_map(|record| record.keys().map(String::as_str)).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort();
        names.dedup();
        let rows = read_as_text(text.as_bytes(), &names, Format::Ndjson, 1000);
        prop_assert_eq!(rows.len(), records.len());
        for (row, record) in rows.iter().zip(&records) {
            for (name, cell) in names.iter().zip(row) {
                prop_assert!(same(record.get(*name), cell), "{} {:?} {:?}", name, record.get(*name), cell);
            }
        }
    }

    #[test]
    fn arrays_are_read_as_lines_are(records in prop::collection::vec(record(), 1..12)) {
        let array = serde_json::to_string_pretty(&records).unwrap();
        let lines: String = records.iter().map(|record| Json::Object(record.clone()).to_string() + "\n").collect();
        let names = ["a", "b", "c", "d"];
        let first = |rows: Vec<Vec<Value>>| rows.into_iter().map(|row| row.into_iter().take(4).collect()).collect::<Vec<Vec<Value>>>();
        let of_lines = first(read_as_text(lines.as_bytes(), &names, Format::Ndjson, 1000));
        let of_array = first(read_as_text(array.as_bytes(), &names, Format::Json, 1000));
        prop_assert_eq!(of_lines, of_array);
    }

    #[test]
    fn nothing_panics(bytes in soup()) {
        let file = Scratch::new(&bytes);
        for format in ALL {
            for table in [None, Some("SigninLogs".to_owned())] {
                let _ = read(&[&file.0], &Options { format: Some(format), table, ..Options::default() });
            }
        }
        let _ = read(&[&file.0], &Options::default());
    }

    #[test]
    fn damaged_compression_does_no_harm(bytes in soup(), at in any::<prop::sample::Index>(), value: u8) {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&bytes).unwrap();
        for mut compressed in [encoder.finish().unwrap(), zstd::stream::encode_all(bytes.as_slice(), 1).unwrap()] {
            let place = at.index(compressed.len());
            compressed[place] = value;
            compressed.truncate(compressed.len() - place % 3);
            let _ = read(&[&Scratch::new(&compressed).0], &Options::default());
        }
    }

    #[test]
    fn the_size_of_pieces_changes_nothing(chunks in prop::collection::vec(soup(), 1..60)) {
        let bytes = chunks.concat();
        for format in [Format::Ndjson, Format::Cef, Format::Csv] {
            let names = ["a", "b", "SourceIP"];
            let large = read_as_text(&bytes, &names, format, 1_000_000);
            prop_assert_eq!(read_as_text(&bytes, &names, format, 1), large);
        }
    }
}
