use super::*;
use crate::plan::{Catalog, ExternalForm, Macro, Source};
use crate::spl::ast::{Comparison, Expression, ExpressionKind, Search, Term, TextForm};
use crate::spl::expand::{Script, expand};
use crate::types::Schema;
use proptest::prelude::*;
use std::sync::Arc;

/// Macros and nothing else.
struct Macros(Vec<(&'static str, Macro)>);

impl Macros {
    fn of(macros: &[(&'static str, &[&str], &str)]) -> Macros {
        let made = |(name, arguments, definition): &(&'static str, &[&str], &str)| {
            let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
            (*name, Macro { arguments, definition: (*definition).to_owned(), ..Macro::default() })
        };
        Macros(macros.iter().map(made).collect())
    }
}

impl Catalog for Macros {
    fn table(&self, _: &str) -> crate::diagnostic::Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn tables(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, _: &str) -> Option<Schema> {
        None
    }

    fn watchlist(&self, _: &str) -> crate::diagnostic::Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn watchlists(&self) -> Vec<String> {
        Vec::new()
    }

    fn function(&self, _: &str) -> Option<Arc<crate::diagnostic::Source>> {
        None
    }

    fn functions(&self) -> Vec<String> {
        Vec::new()
    }

    fn external(&self, _: &str, _: &Schema, _: &ExternalForm) -> crate::diagnostic::Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    fn search_macro(&self, name: &str, arguments: usize) -> Option<Macro> {
        let fits = |(own, found): &&(&str, Macro)| *own == name && found.arguments.len() == arguments;
        self.0.iter().find(fits).map(|(_, found)| found.clone())
    }

    fn search_macros(&self) -> Vec<String> {
        let named = |(name, found): &(&str, Macro)| match found.arguments.len() {
            0 => (*name).to_owned(),
            count => format!("{name}({count})"),
        };
        self.0.iter().map(named).collect()
    }
}

fn expanded(text: &str, macros: &[(&'static str, &[&str], &str)]) -> Result<Arc<Script>, String> {
    let evaluate = |_: &str| Ok("1".to_owned());
    expand(text, &Macros::of(macros), &evaluate).map_err(|said| said[0].message.clone())
}

fn is_command(name: &str) -> bool {
    ["search", "eval", "stats", "where", "inputlookup", "table", "append", "join"].contains(&name)
}

fn search(text: &str) -> Result<Search, Diagnostic> {
    parse(&expanded(text, &[]).expect("no macro"), is_command)
}

/// The commands with their arguments.
fn commands(text: &str) -> Vec<(String, String)> {
    let search = search(text).unwrap();
    let arguments = |c: &crate::spl::ast::Command| c.script.text()[c.start..c.end].trim().to_owned();
    search.commands.iter().map(|c| (c.name.text.clone(), arguments(c))).collect()
}

fn shown(term: &Term) -> String {
    let list =
        |name: &str, parts: &[Term]| format!("{name}({})", parts.iter().map(shown).collect::<Vec<_>>().join(" "));
    match term {
        Term::And(parts) => list("and", parts),
        Term::Or(parts) => list("or", parts),
        Term::Not(inner) => list("not", std::slice::from_ref(inner)),
        Term::Compare { field, operator, value } => {
            let operator = match operator {
                Comparison::Equal => "=",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::LessEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterEqual => ">=",
            };
            format!("{}{operator}{}", field.text, value.text)
        }
        Term::In { field, values } => {
            format!("{} in {}", field.text, values.iter().map(|v| v.text.as_str()).collect::<Vec<_>>().join("|"))
        }
        Term::Case { field, value } => format!("{}=case:{}", field.text, value.text),
        Term::Text { text, form: TextForm::Plain } => format!("~{}", text.text),
        Term::Text { text, form } => format!("~{form:?}:{}", text.text),
        Term::Search(number) => format!("[{number}]"),
        Term::SearchOf { field, number, .. } => format!("{}[{number}]", field.text),
    }
}

fn terms(text: &str) -> String {
    let search = search(text).unwrap();
    let mut reader = Reader::new(&search.commands[0]);
    let term = reader.terms(&[]).unwrap_or_else(|said| panic!("{text}: {}", said.message));
    reader.finish().unwrap_or_else(|said| panic!("{text}: {}", said.message));
    shown(&term)
}

fn written(expression: &Expression) -> String {
    let list = |name: &str, parts: &[Expression]| {
        format!("({name} {})", parts.iter().map(written).collect::<Vec<_>>().join(" "))
    };
    match &expression.kind {
        ExpressionKind::Number(text) => text.clone(),
        ExpressionKind::Text(text) => format!("{text:?}"),
        ExpressionKind::Field(name) => format!("'{name}'"),
        ExpressionKind::Call { name, arguments } => list(&name.text, arguments),
        ExpressionKind::Negate(inner) => list("neg", std::slice::from_ref(inner)),
        ExpressionKind::Not(inner) => list("not", std::slice::from_ref(inner)),
        ExpressionKind::Binary { operator, operands } => list(operator, operands.as_ref()),
        ExpressionKind::In { value, list: items } => format!("{} {}", written(value), list("in", items)),
        ExpressionKind::And(parts) => list("and", parts),
        ExpressionKind::Or(parts) => list("or", parts),
        ExpressionKind::Xor(parts) => list("xor", parts),
    }
}

fn expression(text: &str) -> String {
    let script = Script::made(text.to_owned(), Default::default());
    let mut reader = Reader::of_text(&script);
    let found = reader.expression().and_then(|e| reader.finish().map(|()| e));
    found.map_or_else(|said| format!("error: {}", said.message), |e| written(&e))
}

#[test]
fn pipes_split_outside_of_quotes_and_brackets() {
    assert_eq!(
        commands(r#"index=x "a|b" | eval c="|" | append [search y | stats count] | where 'a|b'=1"#),
        [
            ("search".to_owned(), r#"index=x "a|b""#.to_owned()),
            ("eval".to_owned(), r#"c="|""#.to_owned()),
            ("append".to_owned(), "[search y | stats count]".to_owned()),
            ("where".to_owned(), "'a".to_owned()),
            ("b".to_owned(), "'=1".to_owned()),
        ]
    );
    assert_eq!(commands("search a=1 | stats count")[0], ("search".to_owned(), "a=1".to_owned()));
    assert_eq!(commands("| inputlookup t")[0], ("inputlookup".to_owned(), "t".to_owned()));
    assert_eq!(commands("search=5")[0], ("search".to_owned(), "search=5".to_owned()));
    assert_eq!(commands("stats=5")[0].0, "search");
}

#[test]
fn searches_in_brackets_may_begin_with_a_command() {
    let inner = |text: &str| search(text).unwrap().commands[0].searches[0].commands[0].name.text.clone();
    assert_eq!(inner("a [| inputlookup t]"), "inputlookup");
    assert_eq!(inner("a [inputlookup t]"), "inputlookup");
    assert_eq!(inner("a [index=x]"), "search");
    assert_eq!(inner("a [stats=x]"), "search");
}

#[test]
fn mistakes_of_form_are_told_with_their_place() {
    let said = |text: &str| search(text).unwrap_err();
    assert_eq!(said("a | | b").message, "a command is missing behind this |");
    assert_eq!(said("a \"b").message, "this text has no closing \"");
    assert_eq!(said("a [b").message, "this [ has no closing ]");
    let place = said("a b] c").span.unwrap();
    assert_eq!((place.start, place.end), (3, 4));
}

#[test]
fn or_binds_tighter_than_and_and_not_takes_one_term() {
    assert_eq!(terms("a=1 OR b=2 c=3"), "and(or(a=1 b=2) c=3)");
    assert_eq!(terms("NOT a=1 OR b=2"), "or(not(a=1) b=2)");
    assert_eq!(terms("x AND y OR z"), "and(~x or(~y ~z))");
    assert_eq!(terms("(a=1 b=2) OR c"), "or(and(a=1 b=2) ~c)");
    assert_eq!(terms("and or not"), "and(~and ~or ~not)");
    assert_eq!(terms(""), "and()");
}

#[test]
fn fields_are_compared_with_values_of_any_form() {
    assert_eq!(terms(r#"a="x y*" b!=c d<5 e >= 6 f <> g"#), "and(a=x y* b!=c d<5 e>=6 f!=g)");
    assert_eq!(terms(r#"p="C:\\Windows\\*" q=\\\\srv\\x"#), r"and(p=C:\Windows\* q=\\srv\x)");
    assert_eq!(terms("a=b,c d=e, f=g=h"), "and(a=b,c d=e f=g=h)");
    assert_eq!(terms(r#"u IN (a, "b c", d*) "odd name"=1 l{}.x=2"#), "and(u in a|b c|d* odd name=1 l{}.x=2)");
    assert_eq!(terms("u=CASE(Adm) TERM(10.0.0.1) CASE(Fail)"), "and(u=case:Adm ~Term:10.0.0.1 ~Case:Fail)");
    assert_eq!(terms("sourcetype::x user=O'Brien it's"), "and(sourcetype=x user=O'Brien ~it's)");
    assert_eq!(terms("'a b'=1 10.0.0.1 fe80::1"), "and(a b=1 ~10.0.0.1 ~fe80::1)");
    assert_eq!(terms("NOT [| inputlookup t] a=[search x]"), "and(not([0]) a[1])");
}

#[test]
fn expressions_follow_the_precedence_of_eval() {
    for (text, expected) in [
        ("1+2*3 - 4", "(- (+ 1 (* 2 3)) 4)"),
        ("a.b.\"c\"", "(. (. 'a' 'b') \"c\")"),
        ("NOT a=1 AND b=2 OR c=3 XOR d=4", "(xor (or (and (not (= 'a' 1)) (= 'b' 2)) (= 'c' 3)) (= 'd' 4))"),
        ("a==1 OR b!=2", "(or (= 'a' 1) (!= 'b' 2))"),
        ("x IN (\"a\", 5)", "'x' (in \"a\" 5)"),
        ("x LIKE \"a%\"", "(LIKE 'x' \"a%\")"),
        ("if(match(a,\"\\d\\\\\"),1,-0.5)", "(if (match 'a' \"\\\\d\\\\\") 1 (neg 0.5))"),
        ("'a b'+l{}.x", "(+ 'a b' 'l{}.x')"),
        ("(1+2)*3", "(* (+ 1 2) 3)"),
        ("1.5.2", "(. 1.5 2)"),
        ("a and b", "(and 'a' 'b')"),
        ("android", "'android'"),
    ] {
        assert_eq!(expression(text), expected, "{text}");
    }
    assert!(expression("a ==").starts_with("error: an expression is expected before the end"));
    assert!(expression("if(a,b").starts_with("error: `,` or `)` is expected"));
    assert!(expression("a b").starts_with("error:"));
}

/// On the stack that queries have.
fn with_room(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test);
    thread.expect("a thread").join().expect("the test passes");
}

#[test]
fn nesting_is_limited() {
    with_room(nested_texts_are_refused);
}

fn nested_texts_are_refused() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(expression(&deep).contains("nested more than"));
    assert!(expression(&"1+".repeat(5000)).contains("operators"));
    let brackets = format!("a {}", "[search a ".repeat(5000));
    assert!(search(&brackets).unwrap_err().message.contains("nest more than"));
    let search = search(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000))).unwrap();
    assert!(Reader::new(&search.commands[0]).terms(&[]).unwrap_err().message.contains("nested more than"));
}

#[test]
fn macros_are_written_out_by_name_and_number_of_arguments() {
    let macros: &[(&'static str, &[&str], &str)] = &[
        ("m", &[], "a=1 OR `n(2)`"),
        ("n", &["x"], "b=$x$"),
        ("n", &["x", "y"], "$x$.$y$=\"$z$\""),
        ("loop", &[], "`loop`"),
    ];
    let text = |text: &str| expanded(text, macros).map(|script| script.text().to_owned());
    assert_eq!(text("`m` | where x").unwrap(), "a=1 OR b=2 | where x");
    assert_eq!(text(r#"`n("q", r)`"#).unwrap(), r#"q.r="$z$""#);
    assert_eq!(text(r#"eval r="`m`""#).unwrap(), r#"eval r="`m`""#);
    assert_eq!(text("a ```a comment with `m` and \" in it``` b").unwrap(), "a   b");
    assert!(text("`loop`").unwrap_err().contains("without end"));
    assert!(text("`m").unwrap_err().contains("no closing `"));
    assert_eq!(text("`n`").unwrap_err(), "there is no macro `n`");
}

#[test]
fn places_lead_back_to_the_search_as_it_was_written() {
    let script = expanded("x `m` ```c``` yy", &[("m", &[], "long definition")]).unwrap();
    let place = |part: &str| {
        let at = script.text().find(part).unwrap();
        let span = script.place(at, at + part.len());
        (span.start, span.end)
    };
    assert_eq!(place("x"), (0, 1));
    assert_eq!(place("definition"), (2, 5));
    assert_eq!(place("yy"), (14, 16));
    assert_eq!(place("long definition"), (2, 5));
}

/// What searches are made of, in any order.
fn rubble() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "|", "[", "]", "(", ")", "\"", "'", "`", "```", "\\", "=", "!=", "<", ",", "a", "b*", "OR", "NOT", "IN", "AND",
        "search", "stats", "count", "eval", "as", "by", "1", ".5", "{}", "-", "+", ".", " ", "\n", "é", "$x$", "$",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..80).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in rubble()) {
        let Ok(script) = expanded(&text, &[("a", &["x"], "b$x$")]) else { return Ok(()) };
        if let Ok(search) = parse(&script, is_command) {
            for command in &search.commands {
                _ = Reader::new(command).terms(&["by"]);
                _ = Reader::new(command).expression();
                _ = Reader::new(command).aggregates(&["by"]);
                _ = Reader::new(command).fields(&[]);
                _ = Reader::new(command).option();
                _ = command.span;
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        if let Ok(script) = expanded(&text, &[]) {
            _ = parse(&script, is_command);
        }
    }
}
