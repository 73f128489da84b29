use super::*;
use crate::types::{Kind, Value, datetime};
use proptest::prelude::*;

#[test]
fn walks_paths() {
    let text = r#" {"a": 1, "b": {"c": [10, {"d": "x\"y"}, -3.5]}, "k\u0065y": true, "n": null} "#;
    let json = Json::new(text);
    assert_eq!(json.len(), 4);
    assert_eq!(json.get("a").and_then(|a| a.as_i64()), Some(1));
    assert_eq!(json.get("A"), None);
    assert_eq!(json.get("key").and_then(|key| key.as_bool()), Some(true));
    assert_eq!(json.get("n").map(|null| null.kind()), Some(JsonKind::Null));
    let steps = |index| [PathStep::Key("b".into()), PathStep::Key("c".into()), PathStep::Index(index)];
    assert_eq!(path(text, &steps(0)).map(|found| found.text()), Some("10"));
    assert_eq!(path(text, &steps(-1)).and_then(|found| found.as_f64()), Some(-3.5));
    assert_eq!(path(text, &steps(3)), None);
    assert_eq!(path(text, &steps(-4)), None);
    assert_eq!(path(text, &steps(i64::MIN)), None);
    assert_eq!(path(text, &[PathStep::Key("n".into())]), None);
    assert_eq!(path(text, &[PathStep::Index(0)]), None);
    let d = path(text, &steps(1)).and_then(|found| found.get("d")).and_then(|d| d.as_str().map(Cow::into_owned));
    assert_eq!(d.as_deref(), Some("x\"y"));
    let keys: Vec<_> = json.entries().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["a", "b", "key", "n"]);
}

#[test]
fn knows_kinds() {
    let cases = [
        ("null", JsonKind::Null),
        ("true", JsonKind::Bool),
        ("-12", JsonKind::Long),
        ("9223372036854775807", JsonKind::Long),
        ("9223372036854775808", JsonKind::Real),
        ("1.0", JsonKind::Real),
        ("1e5", JsonKind::Real),
        ("-inf", JsonKind::Real),
        ("nan", JsonKind::Real),
        ("\"x\"", JsonKind::String),
        ("[]", JsonKind::Array),
        ("{}", JsonKind::Object),
        ("datetime(2020-01-01T00:00:00.0000000Z)", JsonKind::DateTime),
        ("timespan(01:00:00)", JsonKind::TimeSpan),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", JsonKind::Guid),
        ("decimal(1.5)", JsonKind::Decimal),
    ];
    for (text, kind) in cases {
        assert_eq!(Json::new(text).kind(), kind, "{text}");
    }
}

#[test]
fn makes_values_of_scalars() {
    assert_eq!(scalar("null"), Value::Null(Kind::Dynamic));
    assert_eq!(scalar("1"), Value::Long(1));
    assert_eq!(scalar("1.0"), Value::Real(1.0));
    assert_eq!(scalar("\"a\\nb\""), Value::string("a\nb"));
    assert_eq!(scalar("[1]"), Value::dynamic("[1]"));
    assert_eq!(scalar("timespan(01:00:00)"), Value::TimeSpan(36_000_000_000));
    assert_eq!(Some(scalar("datetime(2020-01-01)")), datetime::parse("2020-01-01").map(Value::DateTime));
}

#[test]
fn gives_texts() {
    let cases = [
        ("\"a\\\"b\"", "a\"b"),
        ("null", ""),
        ("true", "true"),
        ("1.0", "1.0"),
        ("nan", "NaN"),
        ("{ \"a\" : [ 1, \"x y\" ] }", "{\"a\":[1,\"x y\"]}"),
        ("datetime(2020-01-01T00:00:00.0000000Z)", "2020-01-01T00:00:00.0000000Z"),
        (
            "[datetime(2020-01-01T00:00:00.0000000Z),timespan(01:00:00)]",
            r#"["2020-01-01T00:00:00.0000000Z","01:00:00"]"#,
        ),
        ("[null,nan,-inf,-1,true,false]", r#"[null,"NaN","-Infinity",-1,true,false]"#),
        ("[\"(i nan\"]", "[\"(i nan\"]"),
    ];
    for (json, text) in cases {
        assert_eq!(to_string(json), text, "{json}");
    }
    assert!(matches!(to_string("[null,true,\"( i\"]"), Cow::Borrowed(_)));
}

#[test]
fn parses_texts() {
    let cases = [
        ("{\"a\": 1.50, \"b\":[]}", Some("{\"a\":1.50,\"b\":[]}")),
        ("\"\\u0041\\/\"", Some("\"A/\"")),
        ("\"\\ud83d\\ude00\"", Some("\"😀\"")),
        ("\"C:\\\\x\"", Some("\"C:\\\\x\"")),
        ("21", Some("21")),
        ("hello", Some("\"hello\"")),
        ("{\"a\":}", Some("\"{\\\"a\\\":}\"")),
        ("{'a':1}", Some("\"{'a':1}\"")),
        ("datetime(2020-01-01)", Some("\"datetime(2020-01-01)\"")),
        ("nan", Some("\"nan\"")),
        ("", None),
        ("  ", None),
        ("null", None),
    ];
    for (text, json) in cases {
        assert_eq!(parse_json(text).as_deref(), json, "{text}");
    }
    assert!(matches!(parse_json(" {\"a\":\"b c\"} "), Some(Cow::Borrowed("{\"a\":\"b c\"}"))));
}

#[test]
fn limits_nesting() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(parse_json(&nested(MAX_DEPTH)).as_deref(), Some(nested(MAX_DEPTH).as_str()));
    assert!(parse_json(&nested(MAX_DEPTH + 1)).is_some_and(|text| text.starts_with('"')));
    assert!(parse_json(&nested(1_000_000)).is_some_and(|text| text.starts_with('"')));
    let deep = nested(1_000_000);
    assert_eq!(Json::new(&deep).len(), 1);
    assert!(canonical(&deep).len() >= deep.len());
    assert!(literal(&deep).is_err());
    assert!(literal(&"dynamic(".repeat(100_000)).is_err());
}

#[test]
fn reads_literals() {
    let cases = [
        ("null", "null"),
        ("'a'", "\"a\""),
        ("{'a':'b', \"c\": 123}", "{\"a\":\"b\",\"c\":123}"),
        ("[1, -2, 0x1F, 1.50, 1e5, true, FALSE, null]", "[1,-2,31,1.50,1e5,true,false,null]"),
        ("[1.]", "[1.0]"),
        ("[1d, 1.5h]", "[timespan(1.00:00:00),timespan(01:30:00)]"),
        ("datetime(2020-01-01)", "datetime(2020-01-01T00:00:00.0000000Z)"),
        ("[datetime(\"01-01-2022\"), datetime(null)]", "[datetime(2022-01-01T00:00:00.0000000Z),null]"),
        ("[time(1h), real(1), long(5), bool(true), -real(2.5), -long(3)]", "[timespan(01:00:00),1.0,5,true,-2.5,-3]"),
        ("[real(nan), real(-inf)]", "[nan,-inf]"),
        ("guid(74BE27DE-1E4E-49D9-B579-FE0B331D3642)", "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"),
        ("dynamic([1])", "[1]"),
        ("['a' \"b\"]", "[\"ab\"]"),
        (r"[@'x\y', h'z', 'a\'b\u0041\101', @'it''s', ```x'y```]", r#"["x\\y","z","a'bAA","it's","x'y"]"#),
        ("[ // note\n 1 ]", "[1]"),
        (" {} ", "{}"),
        ("[]", "[]"),
    ];
    for (text, json) in cases {
        assert_eq!(literal(text).as_deref(), Ok(json), "{text}");
    }
}

#[test]
fn locates_what_is_wrong_in_literals() {
    let cases = [
        ("", 0),
        ("[1,2,]", 5),
        ("{a:1}", 1),
        ("{'a':1,}", 7),
        ("[1 2]", 3),
        ("['a", 1),
        ("[1] x", 4),
        ("[decimal(1)]", 1),
        ("[datetime(x)]", 1),
        ("[-1d]", 1),
        ("['\\q']", 2),
        ("['\\/']", 2),
        ("[99999999999999999999]", 1),
        ("[foo]", 1),
    ];
    for (text, place) in cases {
        assert_eq!(literal(text).map_err(|(place, _)| place), Err(place), "{text}");
    }
}

#[test]
fn equal_values_have_one_canonical_text() {
    let equal = [
        ("{\"b\":1,\"a\":[1.0,2]}", "{ \"a\" : [1, 2e0], \"b\" : 1 }"),
        ("\"\\u0041\"", "\"A\""),
        ("-0.0", "0"),
        ("10", "1e1"),
        ("9007199254740993.0", "9007199254740992"),
    ];
    for (left, right) in equal {
        assert_eq!(canonical(left), canonical(right), "{left} {right}");
    }
    let different = [("1", "\"1\""), ("1", "1.5"), ("[]", "{}"), ("[1,2]", "[2,1]"), ("null", "\"\""), ("true", "1")];
    for (left, right) in different {
        assert_ne!(canonical(left), canonical(right), "{left} {right}");
    }
}

#[test]
fn quotes() {
    let mut out = String::new();
    quote("a\"b\\c\n\u{1}\u{8}é😀", &mut out);
    assert_eq!(out, "\"a\\\"b\\\\c\\n\\u0001\\bé😀\"");
}

/// Any JSON value, in strings also what needs escapes.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let text = "([a-c\"\\\\/\n\u{1}é😀 ,:\\[\\]{}]){0,6}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i32>().prop_map(|value| (f64::from(value) / 8.0).into()),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((text, inner), 0..6)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn agrees(json: Json<'_>, value: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match value {
        Null => json.kind() == JsonKind::Null,
        Bool(expected) => json.as_bool() == Some(*expected),
        Number(expected) => {
            json.as_f64() == expected.as_f64() && json.as_i64().is_some() && json.text() == expected.to_string()
        }
        String(expected) => json.as_str().as_deref() == Some(expected),
        Array(expected) => {
            let last = json.index(-1).map(|last| last.text()) == json.elements().last().map(|last| last.text());
            last && json.len() == expected.len()
                && json.elements().zip(expected).all(|(element, value)| agrees(element, value))
        }
        Object(expected) => {
            let all = json.entries().zip(expected).all(|((key, _), (name, _))| key == *name);
            all && json.len() == expected.len()
                && expected.iter().all(|(name, value)| json.get(name).is_some_and(|found| agrees(found, value)))
        }
    }
}

proptest! {
    #[test]
    fn reads_what_serde_writes(value in values()) {
        let text = value.to_string();
        prop_assert!(agrees(Json::new(&text), &value));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert!(agrees(Json::new(&pretty), &value));
        prop_assert_eq!(parse_json(&pretty).unwrap_or("null".into()), text.as_str());
        prop_assert_eq!(standard(&pretty), text.as_str());
        let literal = literal(&pretty);
        prop_assert_eq!(literal.as_deref(), Ok(text.as_str()));
        let equal: serde_json::Value = serde_json::from_str(&canonical(&pretty)).unwrap();
        let equal = equal.to_string();
        prop_assert_eq!(canonical(&equal), canonical(&text));
    }

    #[test]
    fn strings_are_read_as_they_were_quoted(text: String) {
        let mut quoted = String::new();
        quote(&text, &mut quoted);
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text.as_str());
        let decoded = Json::new(&quoted).as_str();
        prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text: String, like in "[\\[\\]{}\",:\\\\ntaudgi()0-9eé. '@/`-]{0,40}") {
        for text in [&text, &like] {
            let json = Json::new(text);
            let _ = (json.len(), json.get("a"), json.index(-1), json.as_str(), json.as_i64(), json.as_f64());
            let _ = (json.entries().count(), scalar(text), to_string(text), standard(text), canonical(text));
            let _ = (parse_json(text), literal(text));
        }
    }
}
