//! Streams that are nearly right: whatever comes, the command ends, and says at most one error, at the end.
use super::{Folder, Said, cells, getinfo, message, quoted, said};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

/// Queries of every way in which events are taken in.
const QUERIES: [&str; 4] = [
    "Events",
    "Events | where user == 'ada' | extend many = array_length(split(user, '\\n'))",
    "Events | summarize n = count(), users = make_set(user) by x = tostring(n)",
    "Events | sort by user asc, n desc",
];
const FIRST: &str = "_time,user,n,_chunked_idx,\"__mv_user\"\n1717200000.000,ada,1,0,\n1717200001.5,\"bela\ncarla\",\"a \"\"q\"\",\",1,$bela$;$carla$\n";
const SECOND: &str = "_time,user,n\n1717200002.000,\"zoë\",3\n,,\n";

/// What is done to bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![select(b"\",\n\r$; 0123456789{}[]:.c\0\xc3\xff".to_vec()), any::<u8>()]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), proptest::collection::vec(byte(), 1..6)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), 1usize..40).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<Index>(), 1usize..60).prop_map(|(at, length)| Edit::Repeat(at, length)),
        any::<Index>().prop_map(Edit::Cut),
    ]
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits.iter().filter(|_| !bytes.is_empty()).cloned().collect::<Vec<_>>() {
        let length = bytes.len().max(1);
        match edit {
            Edit::Set(at, byte) => bytes.iter_mut().skip(at.index(length)).take(1).for_each(|own| *own = byte),
            Edit::Insert(at, new) => drop(bytes.splice(at.index(length)..at.index(length), new)),
            Edit::Remove(at, count) => drop(bytes.drain(at.index(length)..(at.index(length) + count).min(bytes.len()))),
            Edit::Repeat(at, count) => {
                let (from, to) = (at.index(length), (at.index(length) + count).min(bytes.len()));
                let part = bytes.get(from..to).unwrap_or_default().to_vec();
                drop(bytes.splice(to..to, part));
            }
            Edit::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// An end as it should be.
fn check(found: &Said) -> Result<(), TestCaseError> {
    let errors: Vec<usize> =
        (0..found.replies.len()).filter(|at| found.replies[*at].0.get("error").is_some()).collect();
    prop_assert!(errors.is_empty() || errors == [found.replies.len() - 1], "{:?}", found.replies);
    prop_assert!(found.code == 0 && !found.error().contains("[HP9"), "{}", found.error());
    Ok(())
}

proptest! {
    #[test]
    fn a_stream_that_is_nearly_right_ends_well(
        edits in proptest::collection::vec(edit(), 1..6), kind in 0..QUERIES.len(), keeps_start in any::<bool>(),
    ) {
        let start = getinfo(&[&quoted(QUERIES[kind])]);
        let chunks = [message(&json!({"action": "execute", "finished": false}), FIRST), message(&json!({"action": "execute", "finished": true}), SECOND)];
        let input = match keeps_start {
            true => [start, edited(chunks.concat(), &edits)].concat(),
            false => edited([start, chunks.concat()].concat(), &edits),
        };
        check(&said("kql", &Folder::new(&[]).0, input))?;
    }

    #[test]
    fn a_body_that_is_nearly_right_ends_well(
        edits in proptest::collection::vec(edit(), 1..6), kind in 0..QUERIES.len(), first in any::<bool>(),
    ) {
        let body = |text: &str, own: bool| if own { edited(text.as_bytes().to_vec(), &edits) } else { text.as_bytes().to_vec() };
        let mut input = getinfo(&[&quoted(QUERIES[kind])]);
        for (body, finished) in [(body(FIRST, first), false), (body(SECOND, !first), true)] {
            let metadata = json!({"action": "execute", "finished": finished}).to_string();
            input.extend(format!("chunked 1.0,{},{}\n{metadata}", metadata.len(), body.len()).into_bytes());
            input.extend(body);
        }
        check(&said("kql", &Folder::new(&[]).0, input))?;
    }

    /// What is read at all is read as another reader of CSV reads it.
    #[test]
    fn bodies_are_read_as_csv_is(text in "([abé \",]|\n|\r\n|\"\"|\",\"|\"\n){0,40}") {
        let body = format!("a,b\n{text}");
        let input = [getinfo(&[&quoted("Events | project a, b")]), message(&json!({"action": "execute", "finished": true}), &body)];
        let found = said("kql", &Folder::new(&[]).0, input.concat());
        check(&found)?;
        if found.error().is_empty() {
            let expected: Vec<Vec<String>> = cells(&body).into_iter().skip(1).collect();
            prop_assert_eq!(found.rows(), expected);
        }
    }
}
