use super::{MAX_DEPTH, parse};
use crate::kql::ast::*;
use proptest::prelude::*;

mod show;

use show::show;

/// The shape of a query's expression, as `print` gives it; panics where there are errors.
fn shape(expression: &str) -> String {
    let query = whole(&format!("print {expression}"));
    let Some(Statement::Expression(Expression { kind: ExpressionKind::Pipeline(pipeline), .. })) =
        query.statements.first()
    else {
        panic!("no pipeline: {query:?}");
    };
    match pipeline.operators.first().map(|o| &o.kind) {
        Some(OperatorKind::Print(print)) => {
            print.columns.iter().map(|c| show(&c.expression)).collect::<Vec<_>>().join("; ")
        }
        other => panic!("no print: {other:?}"),
    }
}

fn whole(text: &str) -> Query {
    let (query, said) = parse(text);
    assert!(said.is_empty(), "{text}\n{said:#?}");
    query
}

fn codes(text: &str) -> Vec<String> {
    parse(text).1.iter().map(|d| d.code.to_string()).collect()
}

/// The places of the diagnostics as text.
fn places(text: &str) -> Vec<&str> {
    parse(text).1.iter().map(|d| d.span.map_or("", |span| span.text(text))).collect()
}

#[test]
fn operators_bind_as_in_kusto() {
    let cases = [
        ("a or b and c or d", "or(a, and(b, c), d)"),
        ("a == b < c", "(a == (b < c))"),
        ("a < b == c", "((a < b) == c)"),
        ("a + b has c", "(a + (b has c))"),
        ("a has b * c", "((a has b) * c)"),
        ("a =~ b == c", "((a =~ b) == c)"),
        ("a - b - c * d", "((a - b) - (c * d))"),
        ("a + 1 in (b)", "((a + 1) in [b])"),
        ("a between (1 + 2 .. 3 * 4) and b", "and((a between (1 + 2) .. (3 * 4)), b)"),
        ("-a.b * c", "(-a.b * c)"),
        ("a has -b", "(a has -b)"),
        ("a - -b", "(a - -b)"),
        ("1 -2", "(1 - 2)"),
        ("a matches regex b and not(c)", "and((a matches regex b), not(c))"),
        ("a !contains_cs b", "(a !contains_cs b)"),
        ("a notcontains b or a containscs b", "or((a !contains b), (a contains_cs b))"),
        ("a <> b, a != b", "(a != b); (a != b)"),
        ("(a or b) or c", "or(or(a, b), c)"),
    ];
    for (text, shown) in cases {
        assert_eq!(shape(text), shown, "{text}");
    }
}

#[test]
fn equality_comparison_and_text_operators_do_not_chain() {
    for text in ["a == b == c", "a < b < c", "a has b has c", "a in (b) == c", "a between (1 .. 2) == c"] {
        assert_eq!(codes(&format!("print {text}")), ["KS198"], "{text}");
    }
}

#[test]
fn paths_have_steps_of_every_kind() {
    assert_eq!(shape("a.b['c'][0].['d e'].[1].f(x)[-1]"), "a.b['c'][0].d e[1].f(x)[-1]");
    assert_eq!(shape("['a b'].c"), "a b.c");
    assert_eq!(shape("f(*, x=1, (T | count))"), "f(*, x=1, <T|count>)");
}

#[test]
fn literals_keep_their_values() {
    assert_eq!(
        shape("9223372036854775807, -9223372036854775808, 0xFF"),
        "9223372036854775807; -9223372036854775808; 255"
    );
    assert_eq!(
        shape("int(-5), int(null), long(0x1F), real(-inf), real(1), double(1e3)"),
        "int(-5); int(null); 31; -inf; 1; 1000"
    );
    assert_eq!(shape("\"a\" 'b' @\"\\c\", true, False"), "'ab\\c'; true; false");
    assert_eq!(
        shape("1.5h, time( 1.02:03:04 ), datetime(null), datetime(2020-01-01)"),
        "1.5h; 1.02:03:04; datetime(null); datetime(2020-01-01)"
    );
    assert_eq!(shape("dynamic({'a':[1, ')']}), dynamic(null)"), "dynamic({'a':[1, ')']}); dynamic(null)");
    assert_eq!(
        shape("decimal(0.10), guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"),
        "decimal(0.10); guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"
    );
    assert_eq!(codes("print 9223372036854775808"), ["HP110"]);
    assert_eq!(codes("print int(x), int(99999999999), bool(x)"), ["HP111", "HP111", "HP111"]);
    assert_eq!(codes("print 74be27de-1e4e-49d9-b579-fe0b331d3642"), ["KS214"]);
}

#[test]
fn the_inside_of_a_dynamic_is_looked_over() {
    whole(
        "print dynamic({'a': [1, -2.5, 1d, \"x\" 'y', null], \"b\": {}}), dynamic(datetime(2020)), dynamic([]) // dynamic(x)",
    );
    let cases = [
        ("print dynamic([1, x])", "KS006", "x"),
        ("print dynamic({a: 1})", "KS005", "a"),
        ("print dynamic({'a' 1})", "KS005", "1"),
        ("print dynamic([1 2])", "KS005", "2"),
        ("print dynamic([1,])", "KS006", "]"),
        ("print dynamic()", "KS006", ""),
        ("print dynamic(['a\\q'])", "KS001", "\\q"),
        ("let a = dynamic(['x', 'y'; T", "KS001", "dynamic"),
    ];
    for (text, code, place) in cases {
        assert_eq!((codes(text), places(text)), (vec![code.to_string()], vec![place]), "{text}");
    }
    assert_eq!(codes(&format!("print dynamic({}{})", "[".repeat(10_000), "]".repeat(10_000))), ["HP302"]);
    assert_eq!(codes("datatable(a:string) [x]"), ["KS005"]);
}

#[test]
fn raw_texts_know_their_place() {
    let text = "print datetime( 2020 )";
    let debug = format!("{:?}", whole(text));
    assert!(debug.contains("RawText { text: \"2020\", span: Span { start: 16, end: 20 } }"), "{debug}");
}

#[test]
fn keywords_are_names_where_they_can_be() {
    whole("T | extend type = 1, kind = 2, on = 3, by = 5, where = 1, count = 5");
    whole("T | where Type == 1 and kind == 2 and count > 3 | project type, kind, on, count, from, step, with, default");
    whole("let view = 5; let let = view; print let");
    assert_eq!(codes("T | project where"), ["KS228"]);
    assert_eq!(codes("T | summarize count(), by x"), ["KS006"]);
    assert_eq!(codes("T | where and"), ["KS006"]);
}

#[test]
fn every_operator_is_read() {
    let queries = include_str!("tests/operators.kql");
    for query in queries.split("\n\n").filter(|query| !query.trim().is_empty()) {
        whole(query);
    }
}

#[test]
fn operators_keep_the_name_they_were_written_with() {
    let query = whole("T | mvexpand a | order by b | filter c | limit 1 | project-away d");
    let Some(Statement::Expression(Expression { kind: ExpressionKind::Pipeline(pipeline), .. })) =
        query.statements.first()
    else {
        panic!("{query:?}");
    };
    let names: Vec<_> = pipeline.operators.iter().map(|o| o.name.text.as_str()).collect();
    assert_eq!(names, ["mvexpand", "order", "filter", "limit", "project-away"]);
}

#[test]
fn a_mistake_costs_one_operator_or_statement() {
    assert_eq!(places("T | wher x | extend = 2 | take 5"), ["wher", "="]);
    assert_eq!(places("let a = ; let b = 5 6; T | where (x y) | count"), [";", "6", "y"]);
    assert_eq!(places("T | join (A | wher x | take) on k | sort a"), ["wher", ")", "a"]);
    assert_eq!(places("let f = (x:lon) { T | whre x }; f(1) | | count"), ["lon", "whre", "|"]);
    assert_eq!(places("T | where (x | extend = 1 | take 5"), ["=", ""]);
    let (query, said) = parse("T | where (x == 1 | count; X | count");
    assert_eq!((query.statements.len(), said.len()), (2, 1), "{said:?}");
}

#[test]
fn help_is_near() {
    let help = |text| parse(text).1.first().and_then(|d| d.help.clone()).unwrap_or_default();
    assert_eq!(help("T | summarise count()"), "did you mean `summarize`?");
    assert_eq!(help("T | join kind=inne (X) on a"), "did you mean `inner`?");
    assert_eq!(help("datatable(a:strng)['x']"), "did you mean `string`?");
    assert_eq!(help("T | where a = 5"), "compare with `==`");
    assert_eq!(help("T | where a === 5"), "compare with `==`");
    assert_eq!(help("T | project by"), "if `by` is a name here, write ['by']");
    assert_eq!(help("T | where a contain 'x'"), "did you mean `contains`?");
    assert_eq!(help("T | where a matches 'x'"), "write `matches regex`");
    assert_eq!(help("T | where a has_any 'x'"), "the list stands in parentheses: has_any (\"a\", \"b\")");
    assert_eq!(help("T | where a between 1 and 2"), "a range is written `between (low .. high)`");
    assert_eq!(help("T | where a between (1, 2)"), "a range is written `between (low .. high)`");
    assert_eq!(help("T | sort by a ascending"), "write `asc` or `desc`");
    assert_eq!(help("index=main | stats count"), "this looks like SPL: give it to `spl`, or with `--language spl`");
}

#[test]
fn unsupported_parts_are_named() {
    for text in ["T | partition-by a (take 1)", "T | graph-where-nodes x == 1"] {
        assert_eq!(codes(text), ["HP120"], "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = [
        format!("print {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("print {}1", "(".repeat(10_000)),
        format!("print {}1", "-".repeat(10_000)),
        format!("print {}1{}", "f(".repeat(10_000), ")".repeat(10_000)),
        format!("print {}1{}", "a[".repeat(10_000), "]".repeat(10_000)),
        format!("print x in {}1{}", "(x in (".repeat(10_000), "))".repeat(10_000)),
        format!("T {}| count{}", "| join (T ".repeat(10_000), ") on k".repeat(10_000)),
        format!("T | {}count{}", "mv-apply a on (".repeat(10_000), ")".repeat(10_000)),
        format!("T | {}count{}", "fork (".repeat(10_000), ")".repeat(10_000)),
        format!("{}T{}", "T | partition by x {".repeat(10_000), "}".repeat(10_000)),
        format!("{}T{}; T", "let f = () {".repeat(10_000), "}".repeat(10_000)),
        format!("print {}1{}", "a or b and c == d < e + f * g has (".repeat(10_000), ")".repeat(10_000)),
        format!("union {}T{}", "(union (".repeat(10_000), "))".repeat(10_000)),
        format!("print {}1", "a + ".repeat(10_000)),
        format!("print {}1", "a * ".repeat(10_000)),
        "T | make-series toscalar(".repeat(10_000),
        "print f(x, a == b has toscalar(T | top-nested toscalar(".repeat(10_000),
        "T | where x in (T | scan with (step s: x between (1 .. toscalar(".repeat(10_000),
    ];
    for text in deep {
        let start: String = text.chars().take(40).collect();
        assert!(codes(&text).contains(&"HP302".to_string()), "{start}: {:?}", codes(&text));
    }
}

#[test]
fn much_that_is_wrong_takes_little_time() {
    let start = std::time::Instant::now();
    for piece in [
        "| x ( ",
        "(",
        "| where ((((",
        "&",
        "'\n",
        "; let",
        "T | count )",
        "| join (x ",
        "dynamic([",
        "a-b",
        "[",
        "'\\q\\q'",
    ] {
        let (_, said) = parse(&format!("T {}", piece.repeat(100_000)));
        assert!((1..=100).contains(&said.len()), "{piece}: {}", said.len());
    }
    // Seconds even in an unoptimized build on a busy machine; quadratic work would take hours.
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let depth = MAX_DEPTH - 10;
    whole(&format!("print {}1{}", "(".repeat(depth), ")".repeat(depth)));
    whole(&format!("print {}1{}", "iff(a, 1, ".repeat(depth), ")".repeat(depth)));
    whole(&format!("print {}1{}", "a or (b and ".repeat(80), ")".repeat(80)));
    whole(&format!("print {}1", "a + ".repeat(400)));
}

#[test]
fn flat_chains_may_be_long() {
    whole(&format!("T | where {}a", "a or ".repeat(10_000)));
    whole(&format!("T | where {}a", "a == 1 and ".repeat(10_000)));
    whole(&format!("T {}", "| extend a = 1 + 2 ".repeat(5_000)));
    whole(&format!("T | where a in ({}0)", "1 + 2, ".repeat(5_000)));
    whole(&format!("T | where a in (dynamic([{}0]))", "1, ".repeat(50_000)));
    whole(&format!("print a{}", ".b['c']".repeat(10_000)));
    whole(&format!("union {}T", "T, ".repeat(10_000)));
    whole(&"let a = 1; ".repeat(5_000));
    whole(&format!("datatable(a:long) [{}1]", "1, ".repeat(50_000)));
}

#[test]
fn nothing_and_comments_are_queries() {
    for text in ["", " \r\n", "// only a comment", "T;", "let a = 1;"] {
        whole(text);
    }
    assert_eq!(codes(";"), ["KS006"]);
    assert_eq!(codes("| count"), ["KS198"]);
}

/// Pieces of queries that meet in every order.
const PIECES: &[&str] = &[
    "T",
    "x",
    "|",
    ";",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=",
    "==",
    "-",
    "*",
    ".",
    "..",
    ":",
    "=>",
    "'a'",
    "\"",
    "'",
    "`",
    "```",
    "~~~",
    "@'",
    "h\"",
    "\\",
    "1",
    "1d",
    "1.5",
    "0x",
    "!",
    "!in",
    "in~",
    "in",
    "has",
    "and",
    "or",
    "not(",
    "let ",
    "where ",
    "extend ",
    "summarize ",
    "by ",
    "join kind=inner ",
    "on ",
    "union ",
    "mv-expand ",
    "mv-apply ",
    "to typeof(",
    "limit ",
    "parse ",
    "with ",
    "parse-kv ",
    "as ",
    "make-series ",
    "default=",
    "from ",
    "step ",
    "in range(",
    "evaluate ",
    "search ",
    "find ",
    "project ",
    "project-away ",
    "project-reorder ",
    "granny-asc",
    "asc",
    "nulls ",
    "first",
    "scan ",
    "step a: ",
    "declare ",
    "partition by ",
    "fork ",
    "facet by ",
    "reduce by ",
    "render ",
    "range ",
    "print ",
    "invoke ",
    "datatable(a:string)[",
    "externaldata(",
    "dynamic(",
    "datetime(",
    "int(",
    "between (",
    "matches regex ",
    "view ",
    "set ",
    "declare query_parameters(",
    "alias database ",
    "restrict access to ",
    "top-nested ",
    "of ",
    "top ",
    "sort by ",
    "hint.x=",
    "kind=",
    "$left.",
    "\u{feff}",
    "\u{a0}",
    "//",
    "\n",
    "é",
    "😀",
    "\0",
    " ",
    "#",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.join(" "))
}

/// A correct query with some characters taken out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let queries: Vec<&str> = include_str!("tests/operators.kql").split("\n\n").collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(PIECES)), 1..6);
    (prop::sample::select(queries), changes).prop_map(|(query, changes)| {
        let mut characters: Vec<char> = query.chars().collect();
        for (at, change, piece) in changes {
            let at = at.index(characters.len().max(1)).min(characters.len().saturating_sub(1));
            match change {
                _ if characters.is_empty() => {}
                0 => drop(characters.remove(at)),
                1 => characters.truncate(at),
                _ => drop(characters.splice(at..at, piece.chars())),
            }
        }
        characters.into_iter().collect()
    })
}

fn holds(text: &str) {
    let (_, said) = parse(text);
    for diagnostic in said {
        let span = diagnostic.span.expect("every diagnostic has a place");
        assert!(span.start <= span.end && span.end as usize <= text.len());
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_soup_of_tokens_breaks_it(text in soup()) {
        holds(&text);
    }

    #[test]
    fn no_soup_without_spaces_breaks_it(text in soup()) {
        holds(&text.replace(' ', ""));
    }

    #[test]
    fn no_mutated_query_breaks_it(text in mutated()) {
        holds(&text);
    }

    #[test]
    fn no_text_breaks_it(text in any::<String>()) {
        holds(&text);
    }
}
