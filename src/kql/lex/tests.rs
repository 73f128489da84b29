use super::{Token, TokenKind, decode, lex};

fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
    let (tokens, _) = lex(text);
    let shown = |t: &Token| (t.kind, t.span.text(text));
    tokens.iter().map(shown).filter(|(kind, _)| *kind != TokenKind::End).collect()
}

fn codes(text: &str) -> Vec<String> {
    lex(text).1.iter().map(|d| d.code.to_string()).collect()
}

#[test]
fn numbers_take_their_longest_form() {
    use TokenKind::*;
    let cases = [
        ("1", Long),
        ("0xFF", Long),
        ("1.", Real),
        ("1.5", Real),
        ("1e10", Real),
        ("1.5E-3", Real),
        ("1d", TimeSpan),
        ("1.5h", TimeSpan),
        ("10ms", TimeSpan),
        ("3microseconds", TimeSpan),
        ("1tick", TimeSpan),
        ("2minutes", TimeSpan),
        ("1x", Word),
        ("4625_old", Word),
        ("3Dchart", Word),
        ("2e", Word),
        ("74be27de-1e4e-49d9-b579-fe0b331d3642", Guid),
    ];
    for (text, kind) in cases {
        assert_eq!(kinds(text), [(kind, text)]);
    }
}

#[test]
fn a_range_of_integers_is_no_real() {
    let kinds: Vec<_> = kinds("1..5").into_iter().map(|(_, text)| text).collect();
    assert_eq!(kinds, ["1", "..", "5"]);
}

#[test]
fn literals_with_parentheses_are_one_token() {
    use TokenKind::*;
    assert_eq!(kinds("datetime(2020-01-01 10:00)"), [(Typed, "datetime(2020-01-01 10:00)")]);
    assert_eq!(kinds("time(1.02:03:04)"), [(Typed, "time(1.02:03:04)")]);
    let dynamic = "dynamic ({'a)': [1, \"(\"], // )\n \"b\": datetime(2020)})";
    assert_eq!(kinds(dynamic), [(Dynamic, dynamic)]);
    assert_eq!(kinds("datetime x").first(), Some(&(Word, "datetime")));
    assert_eq!(codes("datetime(2020"), ["KS001"]);
    assert_eq!(codes("dynamic([1, 2]"), ["KS001"]);
}

#[test]
fn strings_have_many_quotes() {
    for text in ["\"a'b\"", "'a\"b'", "@\"a\"\"b\\\"", "h'x'", "H@'x''y'", "```a\n'b```", "~~~a\n\"b~~~"] {
        assert_eq!(kinds(text), [(TokenKind::String, text)]);
    }
    assert_eq!(kinds("h 'x'").len(), 2);
}

#[test]
fn strings_are_decoded() {
    let cases = [
        (r#""a\tb\\c\"d""#, "a\tb\\c\"d"),
        (r#"'\x41\u0042\U00000043\104\0'"#, "ABCD\0"),
        (r#"'\ud83d\ude00'"#, "😀"),
        (r#"'\ud83d!'"#, "\u{fffd}!"),
        (r#"@'C:\x''y'"#, r"C:\x'y"),
        (r#"h"secret""#, "secret"),
        ("```\n a\\n```", "\n a\\n"),
        (r#"'\477'"#, "'7"),
    ];
    for (literal, text) in cases {
        assert_eq!(decode(literal).0, text, "{literal}");
    }
    assert!(decode("h@'x'").1);
}

#[test]
fn broken_strings_end_with_their_line() {
    let (tokens, said) = lex("print \"a\n| count");
    assert_eq!(said.len(), 1);
    assert_eq!(tokens.get(1).map(|t| (t.span.start, t.span.end)), Some((6, 8)));
    assert_eq!(codes(r#""a\qb""#), ["KS001"]);
    assert_eq!(codes("\"a\\"), ["KS001", "KS001"]);
}

#[test]
fn negated_and_tilde_operators_are_one_word() {
    let words: Vec<_> = kinds("a !in~ (b) and c in~(d) !has e!between f").into_iter().map(|(_, text)| text).collect();
    assert_eq!(words, ["a", "!in~", "(", "b", ")", "and", "c", "in~", "(", "d", ")", "!has", "e", "!between", "f"]);
    assert_eq!(codes("!a"), ["KS002"]);
    assert_eq!(codes("a && b"), ["KS002"]);
}

#[test]
fn what_pasted_text_brings_along_is_space() {
    let text = "\u{feff}T\r\n|\u{a0}count // end\r\n\u{200b}";
    let words: Vec<_> = kinds(text).into_iter().map(|(_, text)| text).collect();
    assert_eq!(words, ["T", "|", "count"]);
    assert_eq!(codes(text), Vec::<String>::new());
}
