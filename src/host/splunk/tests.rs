//! Commands driven as splunkd drives them: messages in, answers out.
use super::{frame, frame::Frames, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

mod distributed;
mod fuzz;
use distributed::{distributed, newest_first};

/// An app's folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("huntpack-app-{}-{number}", std::process::id()));
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command has answered.
#[derive(Debug)]
struct Said {
    code: i32,
    replies: Vec<(Value, String)>,
}

impl Said {
    fn info(&self) -> &Value {
        &self.replies[0].0
    }

    fn error(&self) -> &str {
        let error = self.replies.last().and_then(|(metadata, _)| metadata["error"].as_str());
        error.unwrap_or_default()
    }

    /// The rows of all answers, each as the cells of its header's columns.
    fn rows(&self) -> Vec<Vec<String>> {
        assert_eq!((self.code, self.error()), (0, ""));
        self.replies.iter().skip(1).flat_map(|(_, body)| cells(body).into_iter().skip(1)).collect()
    }

    fn header(&self) -> Vec<String> {
        self.replies.iter().skip(1).find_map(|(_, body)| cells(body).into_iter().next()).unwrap_or_default()
    }

    fn messages(&self) -> String {
        let all = self.replies.iter().map(|(metadata, _)| metadata["inspector"]["messages"].to_string());
        all.collect::<Vec<_>>().join("\n")
    }
}

fn cells(body: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn message(metadata: &Value, body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    frame::write(&mut out, metadata, body.as_bytes()).unwrap();
    out
}

fn getinfo(arguments: &[&str]) -> Vec<u8> {
    let search =
        json!({"args": arguments, "raw_args": arguments, "sid": "1.1", "latest_time": "1717200600", "search": ""});
    message(&json!({"action": "getinfo", "preview": false, "searchinfo": search}), "")
}

fn said(command: &str, app: &Path, input: Vec<u8>) -> Said {
    said_by(command, app, None, input)
}

/// What a command answers that may ask splunkd.
fn said_by(command: &str, app: &Path, ask: Option<super::Ask>, input: Vec<u8>) -> Said {
    let output = Output::default();
    let code = run(command, app, ask, Cursor::new(input), output.clone());
    let bytes = output.0.lock().unwrap().clone();
    let mut frames = Frames::new(bytes.as_slice());
    let mut replies = Vec::new();
    while let Some(reply) = frames.next().unwrap() {
        let mut body = String::new();
        frames.body().take(reply.body).read_to_string(&mut body).unwrap();
        replies.push((reply.metadata, body));
    }
    Said { code, replies }
}

/// Runs a command over chunks, the last of which finishes.
fn command(name: &str, app: &Folder, arguments: &[&str], chunks: &[&str]) -> Said {
    let mut input = getinfo(arguments);
    for (at, chunk) in chunks.iter().enumerate() {
        input.extend(message(&json!({"action": "execute", "finished": at + 1 == chunks.len()}), chunk));
    }
    said(name, &app.0, input)
}

fn kql(query: &str, chunks: &[&str]) -> Said {
    command("kql", &Folder::new(&[]), &[&quoted(query)], chunks)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

const ONE: &str =
    "_time,user,n,_chunked_idx,__mv_user\n1717200000.000,ada,1,0,\n1717200001.000,\"bela\ncarla\",2,1,$bela$;$carla$\n";
const TWO: &str = "_time,user,n,_chunked_idx,__mv_user\n1717200002.000,ada,3,0,\n";

#[test]
fn all_events_pass_as_they_are() {
    let found = kql("Events", &[ONE, "", TWO]);
    assert_eq!(found.info(), &json!({"type": "streaming"}));
    let bodies: Vec<&str> = found.replies.iter().skip(1).map(|(_, body)| body.as_str()).collect();
    assert_eq!(bodies, [ONE, "", TWO]);
    let finished: Vec<bool> = found.replies.iter().skip(1).map(|(m, _)| m["finished"] == true).collect();
    assert_eq!(finished, [false, false, true]);
}

#[test]
fn a_filter_asks_for_its_fields_and_keeps_events_whole() {
    let found = kql("Events | where user == 'ada'", &[ONE, TWO]);
    assert_eq!(found.info(), &json!({"type": "streaming", "required_fields": ["user"]}));
    assert_eq!(found.replies[1].1, "_time,user,n,_chunked_idx,__mv_user\n1717200000.000,ada,1,0,\n");
    assert_eq!(found.replies[2].1, TWO);
}

#[test]
fn computed_columns_stand_behind_the_event() {
    let found = kql("Events | where toint(n) > 1 | extend twice = 2 * toint(n), who = split(user, '\\n')", &[ONE]);
    let expected = "_time,user,n,_chunked_idx,__mv_user,twice,who,__mv_who\n\
        1717200001.000,\"bela\ncarla\",2,1,$bela$;$carla$,4,\"bela\ncarla\",$bela$;$carla$\n";
    assert_eq!(found.replies[1].1, expected);
}

#[test]
fn a_projection_gives_its_columns_alone() {
    let found = kql("Events | project who = user, TimeGenerated, n = toint(n) + 1", &[ONE]);
    assert_eq!(found.info(), &json!({"type": "streaming"}));
    let expected = "who,__mv_who,TimeGenerated,n,_chunked_idx\n\
        ada,,2024-06-01T00:00:00.0000000Z,2,0\n\"bela\ncarla\",$bela$;$carla$,2024-06-01T00:00:01.0000000Z,3,1\n";
    assert_eq!(found.replies[1].1, expected);
}

#[test]
fn fields_that_no_event_has_are_empty() {
    let found = kql("Events | where isempty(nothing) | summarize count() by nothing", &[ONE, TWO]);
    assert_eq!(found.rows(), [["", "3"]]);
}

#[test]
fn several_chunks_have_several_headers() {
    let found = kql("Events | where n == '1'", &["n,a\n1,x\n2,y\n", "b,n\nz,1\n"]);
    assert_eq!(found.replies[1].1, "n,a\n1,x\n");
    assert_eq!(found.replies[2].1, "b,n\nz,1\n");
}

#[test]
fn aggregates_take_in_chunk_by_chunk() {
    let found =
        kql("Events | summarize n = sum(tolong(n)), last = max(TimeGenerated) by user | order by n desc", &[ONE, TWO]);
    assert_eq!(found.info()["type"], "reporting");
    let fields: Vec<&str> =
        found.info()["required_fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(fields, ["_time", "n", "user", "huntpack_state"]);
    assert_eq!(
        found.rows(),
        [["ada", "4", "2024-06-01T00:00:02.0000000Z"], ["bela\ncarla", "2", "2024-06-01T00:00:01.0000000Z"]]
    );
}

#[test]
fn the_order_of_events_counts_for_lists() {
    let found = kql("Events | summarize make_list(n) by user", &[ONE, TWO]);
    assert_eq!(found.rows()[0], ["ada", "1\n3", "$1$;$3$"]);
    let peers = [
        "_time,user,n\n1717200008,ada,1\n1717200004,ada,2\n",
        "_time,user,n\n1717200009,ada,3\n1717200007,ada,4\n1717200002,ada,5\n",
    ];
    let peers = peers.map(|peer| vec![peer.to_owned()]);
    let found = distributed("Events | summarize make_list(n) by user", &peers);
    assert_eq!(found.rows(), [["ada", "3\n1\n4\n2\n5", "$3$;$1$;$4$;$2$;$5$"]]);
}

#[test]
fn joins_and_sorts_need_all_events() {
    let query = "Events | where n != '2' | join kind=inner (Events | summarize count() by user) on user | project n, count_ | order by n asc";
    let found = kql(query, &[ONE, TWO]);
    assert_eq!(found.rows(), [["1", "2"], ["3", "2"]]);
}

#[test]
fn a_query_without_events_begins_a_search() {
    let app = Folder::new(&[]);
    let search = json!({"raw_args": ["\"print x = 1 + 1\""], "search": "%7C%20kql%20x"});
    let mut input = message(&json!({"action": "getinfo", "searchinfo": search}), "");
    input.extend(message(&json!({"action": "execute", "finished": true}), ""));
    let found = said("kql", &app.0, input);
    assert_eq!(found.info(), &json!({"type": "stateful", "generating": true}));
    assert_eq!(found.rows(), [["2"]]);
}

const SIGNINS: &str = "_time,_raw,sourcetype\n\
    1717200000,\"{\"\"category\"\":\"\"SignInLogs\"\",\"\"resultType\"\":\"\"50126\"\",\"\"properties\"\":{\"\"userPrincipalName\"\":\"\"ada@x\"\",\"\"ipAddress\"\":\"\"10.0.0.1\"\"}}\",azure:monitor:aad\n\
    1717200001,\"{\"\"category\"\":\"\"AuditLogs\"\"}\",azure:monitor:aad\n\
    1717200002,CEF:0|Zscaler|NSSWeblog|1|x|y|3|suser=bela act=Blocked,cef\n\
    1717200003,whatever,other\n";

#[test]
fn events_become_rows_by_their_sourcetype() {
    let found = kql("SigninLogs | project TimeGenerated, UserPrincipalName, IPAddress, ResultType", &[SIGNINS]);
    assert_eq!(found.rows(), [["2024-06-01T00:00:00.0000000Z", "ada@x", "10.0.0.1", "50126"]]);
    let found = kql("CommonSecurityLog | project DeviceVendor, SourceUserName, DeviceAction", &[SIGNINS]);
    assert_eq!(found.rows(), [["Zscaler", "bela", "Blocked"]]);
    assert_eq!(kql("AuditLogs | count", &[SIGNINS]).rows(), [["1"]]);
    assert_eq!(kql("Events | count", &[SIGNINS]).rows(), [["4"]]);
    let found = command("kql", &Folder::new(&[]), &["\"SigninLogs | count\"", "table=SigninLogs"], &[SIGNINS]);
    assert_eq!(found.rows(), [["4"]]);
    let none = kql("OfficeActivity | summarize count() by UserId", &[SIGNINS]);
    assert!(none.messages().contains("o365:management:activity"), "{}", none.messages());
}

#[test]
fn several_values_fill_dynamic_columns() {
    let body = "sourcetype,LocationDetails,__mv_LocationDetails\nazure:monitor:aad,\"a\nb\",$a$;$b$\n";
    let found = kql("SigninLogs | project n = array_length(LocationDetails)", &[body]);
    assert_eq!(found.rows(), [["2"]]);
}

#[test]
fn the_app_holds_queries_lookups_and_settings() {
    let app = Folder::new(&[
        ("queries/a.kql", "Events | where n in ((_GetWatchlist('numbers') | project N)) | project n"),
        ("lookups/the_numbers.csv", "N\n1\n3\n"),
        ("default/transforms.conf", "[numbers]\nfilename = the_numbers.csv\n"),
        ("local/huntpack_tables.conf", "[mine]\ntable = SigninLogs\nfield.UserPrincipalName = who\n"),
    ]);
    let found = command("kql", &app, &["@a"], &[ONE, TWO]);
    assert_eq!(found.rows(), [["1", "0"], ["3", "0"]]);
    let found = command("kql", &app, &["@b"], &[]);
    assert!(found.error().contains("queries/*.kql and local/queries/*.kql: a"), "{}", found.error());
    let body = "sourcetype,who\nmine,ada\n";
    let found = command("kql", &app, &["\"SigninLogs | project UserPrincipalName\""], &[body]);
    assert_eq!(found.rows(), [["ada"]]);
    let found =
        command("kql", &app, &["\"Events | where n in ((_GetWatchlist('nobody') | project SearchKey))\""], &[ONE]);
    assert_eq!(found.rows(), Vec::<Vec<String>>::new());
    assert!(found.messages().contains("there is no watchlist `nobody`"), "{}", found.messages());
}

#[test]
fn splunkd_gives_the_lookups_of_others() {
    let app = Folder::new(&[]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let ask: super::Ask = Arc::new(move |address, key, path, form| {
        assert_eq!((address, key), ("https://127.0.0.1:8089", "secret"));
        seen.lock().unwrap().push(path.to_owned());
        let definition = |kind: &str| {
            json!({"entry": [{"acl": {"app": "assets"}, "content": {
            "external_type": kind, "collection": "bad_hosts", "fields_list": "_key, host,n"}}]})
        };
        match (path.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default(), form) {
            ("store", None) => Ok((200, definition("kvstore").to_string())),
            ("file", None) => Ok((200, definition("").to_string())),
            ("bad%5Fhosts", None) => Ok((200, json!([{"_key": "1", "host": "a", "n": 7}, {"host": "c"}]).to_string())),
            ("export", Some(form)) if form.contains("inputlookup") => {
                Ok((200, "{\"result\":{\"host\":\"b\"}}\n".to_owned()))
            }
            ("locked", None) => Ok((403, String::new())),
            ("broken", None) => Err("connection refused".to_owned()),
            _ => Ok((404, String::new())),
        }
    });
    let run = |query: &str| {
        let search =
            json!({"raw_args": [quoted(query)], "splunkd_uri": "https://127.0.0.1:8089", "session_key": "secret"});
        let mut input = message(&json!({"action": "getinfo", "searchinfo": search}), "");
        input.extend(message(&json!({"action": "execute", "finished": true}), "host\na\nb\nc\n"));
        said_by("kql", &app.0, Some(ask.clone()), input)
    };
    let of =
        |list: &str| run(&format!("Events | where host in ((_GetWatchlist('{list}') | project host)) | project host"));
    assert_eq!(of("store").rows(), [["a"], ["c"]]);
    assert_eq!(of("file").rows(), [["b"]]);
    assert_eq!(of("store").info()["type"], "stateful");
    let paths = asked.lock().unwrap().join(" ");
    assert!(paths.contains("/servicesNS/nobody/assets/storage/collections/data/bad%5Fhosts"), "{paths}");
    let counted = run("Events | where host in ((_GetWatchlist('store') | project host)) | summarize count() by host");
    assert!(counted.info().get("streaming_preop").is_none() && counted.rows().len() == 2);
    for (list, expected) in [("nobody", "no watchlist `nobody`"), ("locked", "may not read"), ("broken", "refused")] {
        let found = run(&format!("Events | where host in ((_GetWatchlist('{list}') | project SearchKey))"));
        assert_eq!((found.rows().len(), found.info()["type"].as_str()), (0, Some("streaming")));
        assert!(found.messages().contains(expected), "{}", found.messages());
    }
}

#[test]
fn long_lookups_are_kept_compiled() {
    let long: String = (0..40_000).map(|n| format!("10.{}.{}.{}\n", n >> 16, (n >> 8) & 255, n & 255)).collect();
    let app = Folder::new(&[("lookups/bad.csv", &format!("ip\n{long}"))]);
    let query = quoted("Events | where ip in ((_GetWatchlist('bad') | project ip)) | project ip");
    let body = "ip\n10.0.1.2\n11.0.0.1\n10.0.156.63\n10.0.156.64\n";
    for _ in 0..2 {
        assert_eq!(command("kql", &app, &[&query], &[body]).rows(), [["10.0.1.2"], ["10.0.156.63"]]);
        let kept = std::fs::read_dir(app.0.join("local/cache")).unwrap().count();
        assert_eq!(kept, 1);
    }
}

#[test]
fn kept_lookups_answer_as_others() {
    let rows = |count: usize| -> String {
        (0..count).map(|n| format!("Host{n},10.{}.{}.{}/31,{n}\n", n >> 16, (n >> 8) & 255, n & 254)).collect()
    };
    let app = Folder::new(&[
        ("lookups/long.csv", &format!("Name,Range,n\n{}", rows(30_000))),
        ("lookups/short.csv", &format!("Name,Range,n\n{}", rows(300))),
    ]);
    let body = "host,ip\nHost7,10.0.0.7\nhost8,10.0.0.9\nHost30000,11.0.0.1\n,\n";
    let queries = [
        "Events | where host in ((_GetWatchlist('LIST') | project Name)) | project host, ip",
        "Events | where host !in ((_GetWatchlist('LIST') | project Name)) | project host, ip",
        "Events | where host in~ ((_GetWatchlist('LIST') | project Name)) | project host, ip",
        "Events | where host !in~ ((_GetWatchlist('LIST') | project Name)) | project host, ip",
        "let all = toscalar(_GetWatchlist('LIST') | summarize make_set(Name)); Events | where host in (all) | project host",
        "let all = toscalar(_GetWatchlist('LIST') | summarize make_list(n)); Events | where host in (all) | project host",
        "let all = toscalar(_GetWatchlist('LIST') | summarize make_list(Range)); \
         Events | extend found = ipv4_is_in_any_range(ip, all), v6 = ipv6_is_in_any_range(ip, all)",
        "let none = toscalar(_GetWatchlist('LIST') | where n == 'x' | summarize make_list(Range)); \
         Events | extend found = ipv4_is_in_any_range(ip, none), size = array_length(none)",
        "let names = toscalar(_GetWatchlist('LIST') | summarize make_list(Name)); \
         Events | extend found = ipv4_is_in_any_range(ip, names)",
        "let some = materialize(union (print R = '' | take 0), (_GetWatchlist('LIST') | project R = tostring(Name)) | where R endswith '17'); \
         let few = toscalar(some | where R has 'Host117' | summarize make_list(R)); \
         Events | mv-apply one = few to typeof(string) on (summarize n = count()) | project host, n, few",
        "Events | evaluate ipv4_lookup(_GetWatchlist('LIST'), ip, Range) | project host, Name, n1",
        "Events | evaluate ipv4_lookup(_GetWatchlist('LIST'), ip, Range, return_unmatched = true) | project host, Name, n1",
        "Events | evaluate ipv6_lookup(_GetWatchlist('LIST'), ip, strcat(Range, '')) | project host, Name, n",
        "Events | evaluate ipv4_lookup((_GetWatchlist('LIST') | project Range, n), ip, Range, n) | project host",
        "Events | lookup (_GetWatchlist('LIST') | project Name, Range, m = n) on $left.host == $right.Name | project host, ip, Range, m",
        "Events | lookup kind=inner (_GetWatchlist('LIST')) on $left.host == $right.Name | project host, Range",
        "Events | where false | lookup (_GetWatchlist('LIST')) on $left.host == $right.Name | project host, Range",
    ];
    let kinds = ["innerunique", "inner", "leftouter", "leftsemi", "leftanti", "leftantisemi"];
    let joins = kinds.iter().flat_map(|kind| {
        let shown = if kind.starts_with("lefta") || kind.ends_with("semi") { "host" } else { "host, Name, m" };
        let right = "(_GetWatchlist('LIST') | where Name != 'Host3' | project Name, Range, m = toint(n))";
        [("host", "Name"), ("range", "Range")].map(|(left, key)| {
            format!(
                "Events | extend range = iff(host == '', '', '10.0.0.6/31') \
                 | join kind={kind} {right} on $left.{left} == $right.{key} | project {shown}"
            )
        })
    });
    for query in queries.iter().map(ToString::to_string).chain(joins) {
        let short = command("kql", &app, &[&quoted(&query.replace("LIST", "short"))], &[body]).rows();
        for _ in 0..2 {
            let long = command("kql", &app, &[&quoted(&query.replace("LIST", "long"))], &[body]).rows();
            assert_eq!(long, short, "{query}");
        }
    }
    let kept = std::fs::read_dir(app.0.join("local/cache")).unwrap().map(|file| file.unwrap().file_name());
    let kept: Vec<String> = kept.map(|name| name.to_string_lossy().into_owned()).collect();
    let of = |form: &str| kept.iter().filter(|name| name.contains(form)).count();
    assert!(kept.len() > 8 && of("join") > 3 && of("networks4") > 0 && of("networks6") > 0, "{kept:?}");
}

#[test]
fn mistakes_have_one_clear_error() {
    let told: &[(&[&str], &str)] = &[
        (
            &["\"Events\"", "tabel=x"],
            "did you mean `table`? it takes query=\"a query\" or @name, table=a table's name, now=latest, wall or a time, map=true or false",
        ),
        (&["\"Events | wher x\""], "where"),
        (&["\"Nothing | take 1\""], "`Events` names the events of the pipeline"),
        (&["\"SigninLogs | where UserPrincipalNam == ''\""], "UserPrincipalName"),
        (&["\"Events\"", "now=tomorrow"], "`now` cannot be `tomorrow`"),
        (&["\"Events\"", "map=perhaps"], "`map` cannot be `perhaps`"),
        (&[], "`kql` needs a query"),
        (&["Events", "SigninLogs"], "one query"),
        (&["\"Events"], "not closed"),
    ];
    for (arguments, expected) in told {
        let found = command("kql", &Folder::new(&[]), arguments, &[ONE]);
        assert_eq!((found.code, found.replies.len(), &found.info()["finished"]), (0, 1, &json!(true)), "{arguments:?}");
        assert!(found.error().contains(expected), "{arguments:?}: {}", found.error());
    }
}

#[test]
fn broken_input_ends_with_one_clear_error() {
    let told: &[(&[u8], &str)] = &[
        (b"a,b\n1,2,3\n", "row 1 of the chunk: expected 2 cells"),
        (b"a,b\n1,2\n3\n", "row 2 of the chunk: expected 2 cells"),
        (b"a\n\"x\n", "not closed"),
        (b"a\n\xff\n", "not UTF-8"),
        (b"\"a\n", "the header"),
    ];
    for query in ["Events | where a == '1'", "Events | summarize count() by a", "Events | order by a asc"] {
        for (body, expected) in told {
            let mut input = getinfo(&[&quoted(query)]);
            let metadata = br#"{"action":"execute","finished":true}"#;
            input.extend(format!("chunked 1.0,{},{}\n", metadata.len(), body.len()).into_bytes());
            input.extend_from_slice(metadata);
            input.extend_from_slice(body);
            let found = said("kql", &Folder::new(&[]).0, input);
            assert_eq!((found.code, found.replies.len()), (0, 2), "{query} {expected}: {found:?}");
            assert!(found.error().contains(expected), "{query}: {}", found.error());
        }
    }
}

#[test]
fn an_input_that_ends_too_soon_ends_the_command() {
    let app = Folder::new(&[]);
    let info = getinfo(&["\"Events | count\""]);
    assert_eq!(said("kql", &app.0, Vec::new()).replies.len(), 0);
    assert_eq!(said("kql", &app.0, info.clone()).replies.len(), 1);
    let open = [info.clone(), message(&json!({"action": "execute", "finished": false}), ONE)].concat();
    let found = said("kql", &app.0, open);
    assert!(found.code == 0 && found.error().is_empty() && found.replies.len() <= 2, "{found:?}");
    let mut cut = [info, message(&json!({"action": "execute", "finished": true}), ONE)].concat();
    cut.truncate(cut.len() - 5);
    let found = said("kql", &app.0, cut);
    assert!(found.error().contains("ends inside a chunk"), "{found:?}");
    assert!(said("kql", &app.0, b"hello\n".to_vec()).error().contains("begins with `hello`"));
}

#[test]
fn large_fields_and_many_columns_are_read() {
    let long = "x".repeat(10 << 20);
    let found = kql("Events | project n = strlen(a)", &[&format!("a,b\n{long},1\n")]);
    assert_eq!(found.rows(), [[(10 << 20).to_string()]]);
    let names: Vec<String> = (0..5000).map(|n| format!("c{n}")).collect();
    let body = format!("{}\n{}\n", names.join(","), names.join(","));
    assert_eq!(kql("Events | where c4999 == 'c4999' | project c7", &[&body]).rows(), [["c7"]]);
}

#[test]
fn rows_without_states_are_events() {
    let found = kql("Events | count", &["huntpack_state,__mv_huntpack_state\n,\n,\n"]);
    assert_eq!(found.rows(), [["2"]]);
}

#[test]
fn previews_keep_nothing() {
    let app = Folder::new(&[]);
    let mut input = getinfo(&["\"Events | count\""]);
    input.extend(message(&json!({"action": "execute", "finished": false, "preview": true}), ONE));
    input.extend(message(&json!({"action": "execute", "finished": true}), ONE));
    assert_eq!(said("kql", &app.0, input).rows(), [["2"]]);
}

#[test]
fn filters_run_ahead_of_what_cannot_be_distributed() {
    let app = Folder::new(&[]);
    let query = "Events | where n != '2' | order by n asc | project n, user";
    let head = command("kql", &app, &[&quoted(query)], &[]);
    let preop = head.info()["streaming_preop"].as_str().unwrap().to_owned();
    let sent = command("kql", &app, &[preop.strip_prefix("kql ").unwrap()], &[ONE, TWO]);
    let place = |body: &str| cells(body)[1].last().unwrap().parse::<u64>().unwrap();
    let (one, two) = (&sent.replies[1].1, &sent.replies[2].1);
    assert!(one.starts_with("_time,user,n,_chunked_idx,__mv_user,huntpack_place\n1717200000.000,ada,1,0,,"), "{one}");
    assert!(place(one) < place(two), "{one} {two}");
    let found = command("kql", &app, &[&quoted(query)], &[two, one]);
    assert_eq!(found.rows(), [["1", "ada"], ["3", "ada"]]);
    let off = command("kql", &app, &[&quoted(query), "map=false"], &[]);
    assert!(off.info().get("streaming_preop").is_none());
}

#[test]
fn states_of_another_query_or_version_are_refused() {
    let app = Folder::new(&[]);
    let head = command("kql", &app, &["\"Events | summarize count() by user\""], &[]);
    let preop = head.info()["streaming_preop"].as_str().unwrap().to_owned();
    let sent = command("kql", &app, &[preop.strip_prefix("kql ").unwrap()], &[ONE]);
    let state = sent.replies[1].1.clone();
    let other = command("kql", &app, &["\"Events | summarize count() by n\""], &[&state]);
    assert!(other.error().contains("another query"), "{}", other.error());
    let broken = command("kql", &app, &["\"Events | summarize count() by user\""], &["huntpack_state\nSFA=\n"]);
    assert!(broken.error().contains("not whole"), "{}", broken.error());
    let mixed = command("kql", &app, &["\"Events | summarize count() by user\""], &[&format!("{state}\"\"\n")]);
    assert!(mixed.error().contains("others events"), "{}", mixed.error());
}

#[test]
fn states_are_sent_ahead_where_they_hold_much() {
    let app = Folder::new(&[("local/huntpack.conf", "[settings]\nmemory_mb = 1\n")]);
    let query = quoted("Events | summarize make_list(n) by user");
    let rows: Vec<(u8, u8, u8)> = (0..150_000).map(|at| ((at % 250) as u8, 1, 1)).collect();
    let body = newest_first(&rows, 0);
    let head = command("kql", &app, &[&query], &[]);
    let preop = head.info()["streaming_preop"].as_str().unwrap().to_owned();
    let sent = command("kql", &app, &[preop.strip_prefix("kql ").unwrap()], &[&body, ONE]);
    assert!(sent.replies[1].1.starts_with("huntpack_state\n") && sent.replies[2].1.starts_with("huntpack_state\n"));
    let whole = command("kql", &app, &[&query], &[&body, ONE]);
    let found = command("kql", &app, &[&query], &[&sent.replies[2].1, &sent.replies[1].1]);
    assert_eq!(found.rows(), whole.rows());
}

const RULE: &str = "id: 6d63efa6-7c25-4bd4-a486-aa6bf50fde8a\nname: Failed sign-ins\nkind: Scheduled\nseverity: High\n\
description: Many.\nqueryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\n\
tactics: [CredentialAccess]\nrelevantTechniques: [T1110]\nquery: |\n  SigninLogs\n  | where ResultType == \"50126\"\n  \
| summarize Count = count() by UserPrincipalName\nentityMappings:\n  - entityType: Account\n    fieldMappings:\n      \
- identifier: FullName\n        columnName: UserPrincipalName\nversion: 1.0.0\n";

#[test]
fn rules_run_over_events() {
    let app = Folder::new(&[("rules/failed-signins.yaml", RULE)]);
    let found = command("huntpack", &app, &["rules=\"failed_*\"", "output=results"], &[SIGNINS]);
    assert_eq!(found.info()["type"], "reporting");
    let fields: BTreeSet<String> =
        found.info()["required_fields"].as_array().unwrap().iter().map(|f| f.as_str().unwrap().to_owned()).collect();
    assert!(["ResultType", "_raw", "_time", "user"].iter().all(|field| fields.contains(*field)), "{fields:?}");
    assert_eq!(found.rows(), [["6d63efa6-7c25-4bd4-a486-aa6bf50fde8a", "Failed sign-ins", "ada@x", "1"]]);
    let found = command("huntpack", &app, &["rules=\"Failed sign-ins\""], &[SIGNINS]);
    let at = found.header().iter().position(|name| name == "AlertName").unwrap();
    assert_eq!(found.rows()[0][at], "Failed sign-ins");
}

#[test]
fn detections_in_spl_read_the_lookups_and_macros_of_the_app() {
    let rule = "name: Teams\nid: 6d63efa6-7c25-4bd4-a486-aa6bf50fde8b\nversion: 1\ndate: '2024-01-01'\nauthor: me\n\
        status: production\ntype: Hunting\ndescription: Who.\nhow_to_implement: So.\nknown_false_positives: None.\n\
        search: '`ours` | lookup people name AS UserPrincipalName OUTPUT team | stats count by team'\ntags:\n  \
        analytic_story: []\n  asset_type: Endpoint\n  security_domain: access\n  product: [Splunk Enterprise]\n";
    let app = Folder::new(&[
        ("rules/teams.yaml", rule),
        ("lookups/people.csv", "name,team\nADA@X,red\n"),
        ("local/transforms.conf", "[people]\nfilename = people.csv\ncase_sensitive_match = false\n[x]\nREGEX = .\n"),
        ("local/macros.conf", "[ours]\ndefinition = user=ada*\n"),
    ]);
    let events = "_time,sourcetype,user,UserPrincipalName\n1717200000,a,ada,ada@x\n1717200001,a,bela,bela@x\n";
    let found = command("huntpack", &app, &["rules=teams", "output=results"], &[events]);
    assert_eq!(found.rows().len(), 1, "{}", found.messages());
    assert_eq!(found.rows()[0][2..], ["red", "1"]);
}

#[test]
fn the_newest_event_is_now() {
    let query = "\"Events | where TimeGenerated > ago(1500ms) | project n\"";
    let found = command("kql", &Folder::new(&[]), &[query, "now=latest"], &[ONE, TWO]);
    assert_eq!(found.info()["type"], "reporting");
    assert_eq!(found.rows(), [["2"], ["3"]]);
    let app = Folder::new(&[("rules/failed-signins.yaml", RULE)]);
    let events = SIGNINS.replace("17172", "16172");
    let found = command("huntpack", &app, &["rules=failed-signins", "output=results", "now=latest"], &[&events]);
    assert_eq!(found.rows().len(), 1);
}

#[test]
fn a_silent_rule_says_which_step_emptied_it() {
    let app = Folder::new(&[("rules/failed-signins.yaml", RULE)]);
    let events = SIGNINS.replace("50126", "0");
    let found = command("huntpack", &app, &["rules=failed-signins"], &[&events]);
    assert_eq!(found.rows(), Vec::<Vec<String>>::new());
    assert!(found.messages().contains("Emptied by: where"), "{}", found.messages());
}

#[test]
fn rules_are_listed_and_misspelt_ones_named() {
    let app = Folder::new(&[("local/rules/failed-signins.yaml", RULE)]);
    let found = command("huntpackrules", &app, &[], &["\n"]);
    assert_eq!(found.info(), &json!({"type": "stateful", "generating": true}));
    assert_eq!(found.rows()[0][1..3], ["Failed sign-ins", "failed-signins"]);
    let found = command("huntpack", &app, &["rules=failed_signin"], &[]);
    assert!(found.error().contains("did you mean `failed_signins`"), "{}", found.error());
    let found = command("huntpack", &app, &["rules=x", "output=alert"], &[]);
    assert!(found.error().contains("did you mean `alerts`"), "{}", found.error());
}
