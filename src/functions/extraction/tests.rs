use super::*;
use crate::types::{Name, field};
use proptest::prelude::*;

/// The fields of an event as `name=value`, several values of a row parted by `|`.
fn fields(text: &str) -> Vec<String> {
    let mut found = Collector::all();
    event(text, &mut found);
    shown(found)
}

fn shown(found: Collector) -> Vec<String> {
    let columns = found.into_columns(1, None);
    let of = |(name, column)| {
        let values: Vec<String> = field::values(&column, 0).map(|value| value.into_owned()).collect();
        format!("{name}={}", values.join("|"))
    };
    columns.into_iter().map(of).collect()
}

#[test]
fn json_has_paths() {
    let cases = [
        (r#"{"a":{"b":"x"},"l":[1,2]}"#, &["a.b=x", "l{}=1|2"][..]),
        (r#"{"l":[{"x":1},{"x":2,"y":[3]}]}"#, &["l{}.x=1|2", "l{}.y{}=3"]),
        (r#"[{"a":1},{"a":2}]"#, &["{}.a=1|2"]),
        (r#"{"a":null,"b":"","c":true,"d":1.50,"e":[],"f":{}}"#, &["a=null", "b=", "c=true", "d=1.50"]),
        (r#"{"q":"say \"hi\"\nA", "http://x/y":1}"#, &["q=say \"hi\"\nA", "http://x/y=1"]),
        (r#"{"a":1,"a":2}"#, &["a=1|2"]),
        (r#"{"a":1,"b":{"c":"#, &["a=1"]),
        (r#"{"a":"open"#, &[]),
        (r#"{"a":1} and more"#, &["a=1"]),
    ];
    for (text, expected) in cases {
        assert_eq!(fields(text), expected, "{text}");
    }
}

#[test]
fn only_what_is_wanted_is_taken() {
    let names = ["l{}.x", "a.b", "none"].map(Name::from);
    let mut found = Collector::of(&names);
    event(r#"{"a":{"b":1,"c":2},"l":[{"x":3,"y":4}],"m":{"x":5},"x":6}"#, &mut found);
    assert_eq!(shown(found), ["l{}.x=3", "a.b=1", "none="]);
}

#[test]
fn events_of_windows_have_the_names_of_their_data() {
    let event = "<Event xmlns='u'><System><Provider Name='P' Guid='{1}'/><EventID Qualifiers=''>4624</EventID>\
                 <Level>0</Level><TimeCreated SystemTime='2023-03-23T19:15:28.3Z'/><Execution ProcessID='5'/>\
                 <Computer>pc</Computer><Security/></System><EventData><Data Name='User'>A\\b</Data>\
                 <Data Name='Two Words'>w</Data><Data Name='Line'>x &amp; &quot;y&quot; &#x41;</Data><Data Name='Empty'></Data><Data>one</Data>\
                 <Data>two</Data></EventData><RenderingInfo><Message>m</Message><Level>Info</Level></RenderingInfo>\
                 </Event>";
    let expected = [
        "Name=P",
        "Guid={1}",
        "EventCode=4624",
        "EventID=4624",
        "Level=0",
        "SystemTime=2023-03-23T19:15:28.3Z",
        "ProcessID=5",
        "Computer=pc",
        "User=A\\b",
        "Two_Words=w",
        "Line=x & \"y\" A",
        "Data=one|two",
        "Message=m",
    ];
    let found = fields(event);
    let (parts, whole) = found.split_at(expected.len());
    assert_eq!(parts, expected);
    assert!(whole[0].starts_with("System_Props_Xml=<Provider Name='P'") && whole[0].ends_with("<Security/>"));
    assert!(whole[1].starts_with("EventData_Xml=<Data Name='User'>") && whole[1].ends_with("<Data>two</Data>"));
    assert_eq!(whole.len(), 2);
}

#[test]
fn events_of_windows_may_be_text() {
    let event = "10/09/2020 10:41:26 AM\r\nLogName=Security\r\nEventCode=4720\r\nComputerName=dc.example\r\n\
                 Message=A user account was created.\r\n\r\nSubject:\r\n\tAccount Name:\t\tann\r\n\r\nNew Account:\r\n\
                 \tAccount Name:\t\tbob\r\n";
    let found = fields(event);
    for expected in ["LogName=Security", "EventCode=4720", "ComputerName=dc.example", "Account_Name=ann|bob"] {
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }
}

#[test]
fn pairs_are_found_in_any_text() {
    let cases = [
        ("a=1 b=\"x y\", c=z;d=(e)", &["a=1", "b=x y", "c=z", "d=(e"][..]),
        ("time=1 note=\"say \\\"hi\\\"\" end=2", &["time=1", "note=say \"hi\"", "end=2"]),
        (
            "type=ADD_USER msg=audit(1.2:3): pid=7 msg='op=adding user id=9 exe=\"/bin/x\" res=success'UID=\"root\"",
            &[
                "type=ADD_USER",
                "msg=audit(1.2:3):",
                "pid=7",
                "op=adding",
                "id=9",
                "exe=/bin/x",
                "res=success",
                "UID=root",
            ],
        ),
        ("a-b=1 _c=2 9d=3 =4", &["a_b=1", "c=2", "d=3"]),
        ("url=http://h/?x=1&y=2", &["url=http://h/?x=1", "y=2"]),
        ("nothing here", &[]),
        ("open=\"never closed", &["open=never closed"]),
    ];
    for (text, expected) in cases {
        assert_eq!(fields(text), expected, "{text}");
    }
}

#[test]
fn pairs_have_the_delimiters_that_are_given() {
    let mut found = Collector::all();
    let by = pairs::Delimiters { pairs: vec!['|'], keys: vec![':'], cleans_keys: false, repeats: false };
    pairs::walk("first name: Ann | age: 7", &by, &mut found);
    assert_eq!(shown(found), ["first name=Ann ", "age=7"]);
}

#[test]
fn xml_has_paths_and_pairs() {
    let xml = "<?xml version='1.0'?><a x='1'><b>2</b><b>3</b><!-- no --><c><![CDATA[<4>]]></c><d/></a>";
    assert_eq!(fields(xml), ["a{@x}=1", "a.b=2|3", "a.c=<4>"]);
    let mut found = Collector::all();
    tags::pairs("text <A>1</A><n:B>x y</n:B><C><D>&lt;</D></C><E></E>", &mut found);
    assert_eq!(shown(found), ["A=1", "B=x y", "D=<"]);
}

#[test]
fn paths_lead_to_values_and_to_parts() {
    let json = r#"{"a":{"b":[{"c":1},{"c":"x\"y"}]},"n":null}"#;
    let at = |path: &str| at_path(json, path).into_iter().map(|v| v.into_owned()).collect::<Vec<_>>();
    assert_eq!(at("a.b{}.c"), ["1", "x\"y"]);
    assert_eq!(at("a.b{}"), [r#"{"c":1}"#, r#"{"c":"x\"y"}"#]);
    assert_eq!(at("a.b{1}.c"), ["x\"y"]);
    assert_eq!(at("a"), [r#"{"b":[{"c":1},{"c":"x\"y"}]}"#]);
    assert!(at("a.x").is_empty() && at("{}").is_empty() && at("a.b{7}").is_empty());
    let xml = "<a x='0'><b>1</b><b>2</b></a>";
    assert_eq!(at_path(xml, "a.b"), ["1", "2"]);
    assert_eq!(at_path(xml, "a.b{2}"), ["2"]);
    assert_eq!(at_path(xml, "a{@x}"), ["0"]);
    assert!(at_path("no structure", "a").is_empty());
}

#[test]
fn what_nests_deep_is_passed_over() {
    let deep = format!("{{\"a\":1,\"d\":{}1{},\"z\":2}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(fields(&deep), ["a=1", "z=2"]);
    assert!(fields(&"{\"a\":".repeat(100_000)).is_empty());
    assert!(!fields(&"<a>b".repeat(10_000)).is_empty());
    assert!(!fields(&"<Event><System>".repeat(10_000)).contains(&"x".to_owned()));
}

#[test]
fn fields_are_not_without_number() {
    let many: String = (0..MOST_FIELDS + 10).map(|n| format!("f{n}x=1 ")).collect();
    let mut found = Collector::all();
    event(&many, &mut found);
    assert!(found.overflows());
    assert_eq!(found.into_columns(1, None).len(), MOST_FIELDS);
    let mut names = Names::default();
    event(&many, &mut names);
    assert!(names.overflows());
}

/// Pieces of what events are made of.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "a",
    "\"k\":",
    "null",
    "1",
    "<",
    ">",
    "/",
    "<Event ",
    "<System>",
    "</",
    "Name='",
    "<Data Name='x'>",
    "&amp;",
    "&#",
    ";",
    "=",
    " ",
    "'",
    "é",
    "\u{1d}",
    "<![CDATA[",
    "<!--",
    "\n",
];

/// Such pieces in any order.
fn rubble() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn broken_text_is_read_without_a_fault(text in rubble()) {
        for prefix in ["", "{", "<Event ", "<a "] {
            let text = format!("{prefix}{text}");
            let all = fields(&text);
            // What is wanted alone is found as among all.
            let names: Vec<Name> = vec!["a".into(), "k".into(), "a.k".into(), "x".into()];
            let mut found = Collector::of(&names);
            event(&text, &mut found);
            for field in shown(found).iter().filter(|field| !field.ends_with('=')) {
                prop_assert!(all.contains(field), "{text}: {field} is not in {all:?}");
            }
            let mut found = Collector::all();
            tags::pairs(&text, &mut found);
            tags::elements(&text, &mut found);
            json::walk(&text, &mut found);
        }
    }

    #[test]
    fn json_cut_off_anywhere_gives_what_stands_before(at in 0_usize..60) {
        let whole = r#"{"a":"é","b":{"c":[1,2,{"d":null}]},"e":"\u00e9\"x"}"#;
        let mut at = at.min(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        let all = fields(whole);
        for field in fields(&whole[..at]) {
            let (name, value) = field.split_once('=').unwrap();
            let whole = all.iter().find(|f| f.starts_with(&format!("{name}="))).unwrap();
            prop_assert!(whole.len() >= field.len(), "{name}={value}");
        }
    }
}
