//! Searches whose first part runs on indexers give what one process gives.
use super::*;
use proptest::prelude::*;

const AGGREGATES: &str = "count(), sum(tolong(n)), sum(toreal(n) / 3), avg(toreal(n)), stdev(tolong(n)), variancep(toreal(n)), \
    min(n), max(tolong(n)), dcount(n), percentile(tolong(n), 50), percentiles_array(toreal(n), 5, 95), \
    countif(n == '3'), sumif(tolong(n), n != '3'), binary_all_or(tolong(n)), covariance(toreal(n), toreal(m)), \
    sum(todecimal(n)), avg(todecimal(n)), dcount_hll(hll(n)), percentile_tdigest(tdigest(toreal(n)), 50)";

const ORDERED: &str = "make_list(n), make_list(n, 3), make_set(m), make_set(n, 2), make_bag(bag_pack(m, n)), arg_max(tolong(m), n), \
    arg_min(m, n), take_any(n), take_any(n, m), make_list_with_nulls(toint(n)), buildschema(bag_pack(m, tolong(n))), \
    take_anyif(m, n == '3'), make_list_if(n, m != '1')";

/// Rows of small numbers, the newest first, each with a time of its own.
pub fn newest_first(rows: &[(u8, u8, u8)], first: usize) -> String {
    let line =
        |(at, (user, n, m)): (usize, &(u8, u8, u8))| format!("{}.5,u{user},{n},{m}\n", 1_717_200_000 - first - at);
    format!("_time,user,n,m\n{}", rows.iter().enumerate().map(line).collect::<String>())
}

/// Rows of small numbers.
fn body(rows: &[(u8, u8, u8)]) -> String {
    let line = |(at, (user, n, m)): (usize, &(u8, u8, u8))| format!("{}.5,u{user},{n},{m}\n", 1_717_200_000 + at);
    format!("_time,user,n,m\n{}", rows.iter().enumerate().map(line).collect::<String>())
}

/// What the search head makes of the states of peers, each of which sees some of the chunks.
pub fn distributed(query: &str, peers: &[Vec<String>]) -> Said {
    let app = Folder::new(&[]);
    let head = command("kql", &app, &[&quoted(query)], &[]);
    let preop = head.info()["streaming_preop"].as_str().expect("the query can be distributed").to_owned();
    let arguments = preop.strip_prefix("kql ").unwrap();
    let mut chunks = Vec::new();
    for peer in peers {
        let own: Vec<&str> = peer.iter().map(String::as_str).collect();
        let sent = command("kql", &app, &[arguments], &own);
        assert_eq!(sent.info()["type"], "streaming");
        sent.rows();
        chunks.extend(sent.replies.into_iter().skip(1).map(|(_, body)| body).filter(|body| !body.is_empty()));
    }
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    command("kql", &app, &[&quoted(query)], &chunks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However events are put on peers and into chunks, the answer is that of one process over all of them.
    #[test]
    fn distributed_is_undistributed(
        rows in proptest::collection::vec((0u8..4, 0u8..9, 0u8..5), 1..40),
        cuts in proptest::collection::vec(0usize..40, 0..6),
        peers in 1usize..5,
    ) {
        for query in [format!("Events | where m != '4' | summarize {AGGREGATES} by user"), format!("Events | summarize {AGGREGATES}")] {
            let whole = kql(&query, &[&body(&rows)]);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut % rows.len()).chain([0, rows.len()]).collect();
            places.sort_unstable();
            let mut parts: Vec<Vec<String>> = vec![Vec::new(); peers];
            for (at, pair) in places.windows(2).enumerate() {
                parts[at % peers].push(body(&rows[pair[0]..pair[1]]));
            }
            for part in &mut parts {
                if part.is_empty() {
                    part.push(body(&[]));
                }
            }
            let found = distributed(&query, &parts);
            prop_assert_eq!(found.rows(), whole.rows());
            prop_assert_eq!(found.header(), whole.header());
        }
    }

    /// Where the order of events shows in the answer, indexers keep it.
    #[test]
    fn distributed_keeps_the_order(
        rows in proptest::collection::vec((0u8..4, 0u8..9, 0u8..5), 1..40),
        sizes in proptest::collection::vec(1usize..7, 1..6),
        peers in 1usize..5,
    ) {
        for query in [
            format!("Events | where m != '4' | summarize {ORDERED} by user"),
            "Events | where m != '4' | serialize place = row_number() | where n != '2' | project n, m, place".to_owned(),
            "Events | where n != '7' | order by m asc | take 7 | project n, m".to_owned(),
        ] {
            let (mut at, mut chunks) = (0, Vec::new());
            for size in sizes.iter().cycle() {
                let end = (at + size).min(rows.len());
                chunks.push(newest_first(&rows[at..end], at));
                at = end;
                if at == rows.len() {
                    break;
                }
            }
            let whole = kql(&query, &chunks.iter().map(String::as_str).collect::<Vec<_>>());
            let mut parts: Vec<Vec<String>> = vec![Vec::new(); peers];
            chunks.into_iter().enumerate().for_each(|(at, chunk)| parts[at % peers].push(chunk));
            parts.iter_mut().filter(|part| part.is_empty()).for_each(|part| part.push(body(&[])));
            parts.reverse();
            prop_assert_eq!(distributed(&query, &parts).rows(), whole.rows());
        }
    }

    /// Whatever bytes come, the command ends with whole answers.
    #[test]
    fn no_input_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0usize..3) {
        let query = ["\"Events\"", "\"Events | summarize count() by a\"", "\"Events | order by a asc\""][kind];
        let mut input = getinfo(&[query]);
        let metadata = br#"{"action":"execute","finished":true}"#;
        input.extend(format!("chunked 1.0,{},{}\n", metadata.len(), bytes.len()).into_bytes());
        input.extend_from_slice(metadata);
        input.extend_from_slice(&bytes);
        let found = said("kql", &Folder::new(&[]).0, input);
        prop_assert_eq!((found.code, found.replies.len()), (0, 2));
    }
}

/// What the search head makes of what peers have sent, the last peer's first.
fn distributed_rules(app: &Folder, arguments: &[&str], peers: &[&str]) -> Said {
    let head = command("huntpack", app, arguments, &[]);
    let preop = head.info()["streaming_preop"].as_str().expect("the rules can be distributed").to_owned();
    let sent = |peer: &&str| {
        let sent = command("huntpack", app, &[preop.strip_prefix("huntpack ").unwrap()], &[peer]);
        sent.rows();
        sent.replies.into_iter().nth(1).unwrap().1
    };
    let chunks: Vec<String> = peers.iter().rev().map(sent).collect();
    command("huntpack", app, arguments, &chunks.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn rules_run_ahead() {
    let filtered = RULE.replace("6d63efa6", "7d63efa6").replace("Failed sign-ins", "Sorted").replace(
        "summarize Count = count() by UserPrincipalName",
        "order by TimeGenerated asc | project UserPrincipalName, Count = row_number()",
    );
    let app = Folder::new(&[("rules/failed-signins.yaml", RULE), ("rules/sorted.yaml", &filtered)]);
    let (first, second) = (SIGNINS.replace("ada@x", "bela@x"), SIGNINS.replace("17172000", "17172001"));
    let whole =
        [first.as_str(), second.as_str()].concat().replace(&format!("\n{}", second.split_once('\n').unwrap().0), "");
    for rules in ["rules=failed-signins", "rules=sorted", "rules=*"] {
        let arguments = [rules, "output=results"];
        let found = distributed_rules(&app, &arguments, &[&first, &second]);
        let expected = command("huntpack", &app, &arguments, &[&whole]);
        assert_eq!(found.rows().len(), if rules == "rules=*" { 4 } else { 2 });
        let sorted = |mut rows: Vec<Vec<String>>| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(found.rows()), sorted(expected.rows()), "{rules}");
    }
    let off = command("huntpack", &app, &["rules=failed-signins", "map=false"], &[]);
    assert!(off.info().get("streaming_preop").is_none());
    let head = command("huntpack", &app, &["rules=sorted"], &[]);
    let preop = head.info()["streaming_preop"].as_str().unwrap();
    assert!(preop.starts_with("huntpack phase=filters"), "{preop}");
}

#[test]
fn distributed_rules_tell_why_they_found_nothing() {
    let app = Folder::new(&[("rules/failed-signins.yaml", RULE)]);
    let events = SIGNINS.replace("50126", "0");
    let found = distributed_rules(&app, &["rules=failed-signins"], &[&events, &events]);
    assert!(found.messages().contains("Emptied by one of"), "{}", found.messages());
    assert!(found.messages().contains("(2 rows before"), "{}", found.messages());
    let none = "_time,sourcetype\n1717200000,other\n";
    let found = distributed_rules(&app, &["rules=failed-signins"], &[none, none]);
    assert!(found.messages().contains("none of the 2 events is a row of SigninLogs"), "{}", found.messages());
}
