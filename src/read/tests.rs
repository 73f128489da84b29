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

fn only(table: &str, columns: &[&str]) -> Options {
    let columns = Some(columns.iter().map(|name| name.to_string()).collect());
    Options { table: Some(table.to_owned()), columns, ..Options::default() }
}

#[test]
fn reads_csv() {
    let text =
        "a,b,c,d,e\r\n1,\"x, \"\"y\"\"\nz\",007,2026-01-01T00:00:00Z,1.5\r\n\r\n2,,8,2026-01-02,\n3,5\" disk,9,,2";
    let table = read(&[file("plain.csv", text.as_bytes())], &Options::default()).unwrap();
    assert_eq!(kinds(&table), "a:long b:string c:string d:datetime e:real");
    let expected =
        ["1|x, \"y\"\nz|007|2026-01-01T00:00:00.0000000Z|1.5", "2||8|2026-01-02T00:00:00.0000000Z|", "3|5\" disk|9||2"];
    assert_eq!(rows(&table), expected);
}

#[test]
fn counts_csv_rows_of_another_width() {
    let text = "a,b\n1,2\n3\n4,5,6\n\"7\"x,8\n9,\"10\n11,12\n";
    let table = read(&[file("width.csv", text.as_bytes())], &Options::default()).unwrap();
    assert_eq!(rows(&table), ["1|2", "11|12"]);
    assert_eq!(problems(&table), [(3, 2), (5, 1), (6, 1)]);
}

#[test]
fn reads_portal_exports() {
    let text = "\u{feff}\"TimeGenerated [UTC]\",ResultType,LocationDetails_string,LocationDetails_dynamic,Mine\r\n\
        \"4/28/2021, 3:05:26.000 PM\",50126,,\"{\"\"city\"\":\"\"Köln\"\"}\",5\r\n\
        \"12/1/2021, 12:00:01.250 AM\",0,\"{\"\"city\"\":1}\",,\r\n";
    let options = only("SigninLogs", &["TimeGenerated", "ResultType", "LocationDetails", "UserType", "Mine"]);
    let table = read(&[file("portal.csv", text.as_bytes())], &options).unwrap();
    assert_eq!(
        kinds(&table),
        "LocationDetails:dynamic ResultType:string TimeGenerated:datetime UserType:string Mine:long"
    );
    assert_eq!(
        rows(&table),
        ["{\"city\":\"Köln\"}|50126|2021-04-28T15:05:26.0000000Z||5", "{\"city\":1}|0|2021-12-01T00:00:01.2500000Z||"]
    );
}

#[test]
fn reads_w3c_with_changing_fields() {
    let text = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method \
        cs-uri-query cs-username c-ip cs(User-Agent) sc-status sc-win32-status time-taken\r\n\
        2026-03-02 14:59:01 10.0.0.1 GET q=a+b - 192.0.2.7 Mozilla/5.0+(X11) 401 2148074254 15\r\n\
        #Fields: date time c-ip sc-status\r\n2026-03-02 14:59:02 192.0.2.8 200\r\n2026-03-02 14:59:03 192.0.2.9\r\n";
    let columns =
        ["TimeGenerated", "cIP", "csUserName", "csUserAgent", "csUriQuery", "scStatus", "scWin32Status", "TimeTaken"];
    let table = read(&[file("u_ex.log", text.as_bytes())], &only("W3CIISLog", &columns)).unwrap();
    assert_eq!(
        rows(&table),
        [
            "192.0.2.7|q=a+b|Mozilla/5.0 (X11)|-|401|2148074254|2026-03-02T14:59:01.0000000Z|15",
            "192.0.2.8||||200||2026-03-02T14:59:02.0000000Z|"
        ]
    );
    assert_eq!(problems(&table), [(6, 1)]);
}

#[test]
fn reads_cef() {
    let text = "CEF:0|Zscaler|NSS\\|Feed|6.1|403|Web \\\\ block|5|rt=1772463541000 act=Blocked src=10.1.2.3 spt=51000 \
        suser=ana@contoso.com request=https://x.test/?a=b\\=c&d=e in=5 out=77 cs5=Trojan X cs5Label=threatname \
        reason=Not allowed here foo.bar=some value cn1=12\n\
        <134>Mar  2 14:59:01 fw-1 CEF:0|Palo Alto Networks|PAN-OS|11.1|end|TRAFFIC|1|rt=Mar 02 2026 14:59:01 act=allow\n\
        <134>1 2026-03-02T14:59:03.5Z fw2 app - - - CEF:0|V|P|1|id|n|Low|\nnothing\n";
    let columns = [
        "TimeGenerated",
        "DeviceVendor",
        "DeviceProduct",
        "Activity",
        "DeviceAction",
        "SourceIP",
        "SourcePort",
        "RequestURL",
        "SentBytes",
        "DeviceCustomString5",
        "DeviceCustomString5Label",
        "Reason",
        "AdditionalExtensions",
        "Computer",
        "FieldDeviceCustomNumber1",
    ];
    let table = read(&[file("events.log", text.as_bytes())], &only("CommonSecurityLog", &columns)).unwrap();
    let cell = |row: usize, name: &str| table.column_named(name).unwrap().value(row).to_text();
    assert_eq!(
        columns.map(|name| cell(0, name)).join("|"),
        "2026-03-02T14:59:01.0000000Z|Zscaler|NSS|Feed|Web \\ block|Blocked|10.1.2.3|51000|https://x.test/?a=b=c&d=e|77|Trojan X|threatname|Not allowed here|foo.bar=some value||12"
    );
    assert_eq!(cell(1, "TimeGenerated"), "2026-03-02T14:59:01.0000000Z");
    assert_eq!((cell(1, "Computer"), cell(2, "Computer")), ("fw-1".to_owned(), "fw2".to_owned()));
    assert_eq!(cell(2, "TimeGenerated"), "2026-03-02T14:59:03.5000000Z");
    assert_eq!(problems(&table), [(4, 1)]);
}

#[test]
fn reads_compressed_files_and_keeps_what_a_cut_one_gives() {
    use std::io::Write;
    let line = |n: usize| format!("{{\"n\":{n},\"s\":\"{:x}\"}}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let text: String = (0..20_000).map(line).collect();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let members = [gzip(&text), gzip(&text)].concat();
    let table = read(&[file("two.ndjson.gz", &members)], &Options::default()).unwrap();
    assert_eq!((table.rows(), table.problems().len()), (40_000, 0));
    let zstd = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
    assert_eq!(read(&[file("one.json.zst", &zstd)], &Options::default()).unwrap().rows(), 20_000);
    let cut = read(&[file("cut.ndjson.gz", &members[..members.len() * 3 / 4])], &Options::default()).unwrap();
    assert!((29_000..31_000).contains(&cut.rows()), "{}", cut.rows());
    assert!(!cut.problems().is_empty());
}

#[test]
fn pieces_do_not_change_the_rows() {
    let line = |n: usize| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n * 7919 % 3000));
    let text: String = (0..4000).map(line).collect();
    let path = file("pieces.ndjson", text.as_bytes());
    let table = read(&[path], &Options::default()).unwrap();
    let numbers = table.column_named("n").unwrap();
    assert!(table.chunks().len() > 1);
    assert!(numbers.values().enumerate().all(|(at, value)| value == Value::Long(at as i64)) && numbers.len() == 4000);
}

#[test]
fn reads_answers_of_the_query_api() {
    let text = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},
        {"name":"n","type":"long"},{"name":"d","type":"dynamic"},{"name":"x","type":"string"}],
        "rows":[["2026-03-02T14:59:01Z",1,"{\"a\":[1]}","p"],["2026-03-02T14:59:02Z",null,null,"q]"], [1,2] ,["",3,"",""]]}],
        "statistics":{"rows":[[1]]}}"#;
    let table = read(&[file("answer.json", text.as_bytes())], &Options::default()).unwrap();
    assert_eq!(kinds(&table), "TimeGenerated:datetime n:long d:dynamic x:string");
    let expected = ["2026-03-02T14:59:01.0000000Z|1|{\"a\":[1]}|p", "2026-03-02T14:59:02.0000000Z|||q]", "|3||"];
    assert_eq!(rows(&table), expected);
    assert_eq!(problems(&table), [(3, 1)]);
}

const DIAGNOSTIC: &str = r#"{"time":"2026-03-02T14:59:01.5Z","resourceId":"/tenants/t","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"t1","resultType":"50126","resultDescription":"Invalid","callerIpAddress":"192.0.2.7","Level":4,"location":"DE","properties":{"id":"i1","userPrincipalName":"Ana@contoso.com","ipAddress":"192.0.2.8","appDisplayName":"Portal","status":{"errorCode":50126,"failureReason":"bad"},"deviceDetail":{"browser":"Edge"},"location":{"city":"Köln"}}}"#;

const SIGNIN_COLUMNS: [&str; 9] = [
    "TimeGenerated",
    "UserPrincipalName",
    "IPAddress",
    "ResultType",
    "Location",
    "LocationDetails",
    "Status",
    "AppDisplayName",
    "UserAgent",
];

fn cells(table: &Table, row: usize, columns: &[&str]) -> String {
    let cell = |name: &&str| table.column_named(name).map_or("no column".into(), |column| column.value(row).to_text());
    columns.iter().map(cell).collect::<Vec<_>>().join("|")
}

#[test]
fn reads_diagnostic_records_as_their_table() {
    let expected = "2026-03-02T14:59:01.5000000Z|Ana@contoso.com|192.0.2.7|50126|DE|{\"city\":\"Köln\"}|\
        {\"errorCode\":50126,\"failureReason\":\"bad\"}|Portal|";
    for options in [Options::default(), only("SigninLogs", &SIGNIN_COLUMNS)] {
        let table = read(&[file("diagnostic.json", DIAGNOSTIC.as_bytes())], &options).unwrap();
        assert_eq!(cells(&table, 0, &SIGNIN_COLUMNS), expected);
    }
}

#[test]
fn reads_splunk_exports() {
    let raw = serde_json::Value::String(DIAGNOSTIC.to_owned());
    let text = format!(
        "{{\"preview\":false,\"offset\":0,\"result\":{{\"_raw\":{raw},\"_time\":\"2026-03-02T15:59:01.000+01:00\",\"sourcetype\":\"azure:monitor:aad\",\"user\":\"other\"}}}}\n\
         {{\"preview\":false,\"offset\":1,\"result\":{{\"_time\":\"1772463541.25\",\"sourcetype\":\"azure:monitor:aad\",\"user\":\"ben\",\"src\":\"192.0.2.9\",\"properties.status.errorCode\":\"0\"}}}}\n\
         {{\"preview\":false,\"offset\":2,\"lastrow\":true,\"result\":{{\"_time\":\"1772463541\",\"sourcetype\":\"zscalernss-web\",\"user\":\"cid\"}}}}\n"
    );
    let path = file("splunk.json", text.as_bytes());
    let table = read(&[&path], &only("SigninLogs", &SIGNIN_COLUMNS)).unwrap();
    assert_eq!(table.rows(), 2);
    let columns = ["TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType"];
    assert_eq!(cells(&table, 0, &columns), "2026-03-02T14:59:01.5000000Z|Ana@contoso.com|192.0.2.7|50126");
    assert_eq!(cells(&table, 1, &columns), "2026-03-02T14:59:01.2500000Z|ben|192.0.2.9|0");
    let zscaler = read(&[&path], &only("CommonSecurityLog", &["DeviceVendor", "SourceUserName"])).unwrap();
    assert_eq!(rows(&zscaler), ["Zscaler|cid"]);
    let plain = read(&[&path], &Options::default()).unwrap();
    assert_eq!(cells(&plain, 1, &["sourcetype", "user", "src", "offset"]), "azure:monitor:aad|ben|192.0.2.9|no column");
}

#[test]
fn reads_raw_events_in_envelopes() {
    let text = "{\"sourcetype\":\"zscalernss-web\",\"event\":{\"datetime\":\"Mon Mar  2 14:59:01 2026\",\"login\":\"ana@contoso.com\",\
        \"ClientIP\":\"10.0.0.1\",\"action\":\"Blocked\",\"url\":\"x.test/a\",\"requestsize\":\"77\",\"threatname\":\"None\"}}\n";
    let columns =
        ["TimeGenerated", "DeviceVendor", "SourceUserName", "SourceIP", "DeviceAction", "RequestURL", "SentBytes"];
    let table = read(&[file("zia.json", text.as_bytes())], &only("CommonSecurityLog", &columns)).unwrap();
    assert_eq!(
        cells(&table, 0, &columns),
        "2026-03-02T14:59:01.0000000Z|Zscaler|ana@contoso.com|10.0.0.1|Blocked|x.test/a|77"
    );
}

#[test]
fn reads_continuous_exports_by_their_folder() {
    let root = file("export", b"")
        .with_extension("tree")
        .join("am-SigninLogs/WorkspaceResourceId=x/y=2026/m=03/d=02/h=14/m=00");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("PT1H.json"), "{\"TimeGenerated\":\"2026-03-02T14:59:01Z\",\"ResultType\":0}\n").unwrap();
    let folder = root.ancestors().nth(6).unwrap();
    let table = read(&[folder], &Options::default()).unwrap();
    assert_eq!(cells(&table, 0, &["TimeGenerated", "ResultType", "UserAgent"]), "2026-03-02T14:59:01.0000000Z|0|");
}

#[test]
fn reads_parquet() {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values((0..1000).map(|n| n * 1_000_000)));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter((0..1000).map(|n| (n % 10 > 0).then(|| format!("text {}", n % 7)))));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let batch = RecordBatch::try_from_iter([("TimeGenerated", times), ("Computer", texts), ("n", numbers)]).unwrap();
    let properties =
        ::parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(250)).build();
    let mut bytes = Vec::new();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let path = file("groups.parquet", &bytes);
    let table = read(&[&path], &only("W3CIISLog", &["TimeGenerated", "Computer", "n", "cIP"])).unwrap();
    assert_eq!(kinds(&table), "cIP:string Computer:string TimeGenerated:datetime n:long");
    assert_eq!(
        cells(&table, 999, &["n", "Computer", "TimeGenerated", "cIP"]),
        "999|text 5|1970-01-01T00:16:39.0000000Z|"
    );
    assert_eq!(table.rows(), 1000);
    let source = open(&[&path], &Options::default()).unwrap();
    let window =
        crate::plan::Window { column: "TimeGenerated".into(), after: 300 * 10_000_000, until: 310 * 10_000_000 };
    let scan = source
        .scan(&Needs {
            columns: vec!["n".into()],
            window: Some(window),
            tests: Vec::new(),
            morsel_rows: Limits::default().morsel_rows,
        })
        .unwrap();
    let pieces = std::iter::from_fn(|| scan.next().unwrap()).count();
    assert_eq!(pieces, 1);
    let damaged = read(&[file("damaged.parquet", &bytes[..bytes.len() - 9])], &Options::default());
    assert!(damaged.unwrap_err().message().contains("damaged.parquet"));
}

#[test]
fn a_window_leaves_out_rows_and_nothing_else() {
    let line = |n: u32| format!("{{\"t\":\"2026-03-02T14:{:02}:00Z\",\"n\":{n}}}\n", n % 60);
    let text: String = (0..600).map(line).collect();
    let source = open(&[file("window.ndjson", text.as_bytes())], &Options::default()).unwrap();
    let minute = |n: i64| crate::types::datetime::parse("2026-03-02T14:00:00Z").unwrap() + n * 600_000_000;
    let window = crate::plan::Window { column: "t".into(), after: minute(4), until: minute(6) };
    let scan = source
        .scan(&Needs {
            columns: vec!["n".into()],
            window: Some(window),
            tests: Vec::new(),
            morsel_rows: Limits::default().morsel_rows,
        })
        .unwrap();
    let context = Context::new(0, Limits::default(), Arc::default());
    let mut numbers: Vec<String> = Vec::new();
    while let Some(piece) = scan.next().unwrap() {
        let morsel = piece.read(&context).unwrap();
        numbers.extend(morsel.column(0, None).unwrap().values().map(|value| value.to_text()));
    }
    assert_eq!(numbers.len(), 20);
    assert!(numbers.iter().all(|n| matches!(n.parse::<u32>().unwrap() % 60, 5 | 6)));
}
