//! `parse` and `parse-where`: a pattern becomes one regular expression.
//!
//! Source: the page "parse operator".
use crate::expr::Expr;
use crate::functions::parse_pattern;
use crate::kql::ast::{Parse, ParseKind, ParsePart};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::Node;
use crate::types::{Kind, Name, Schema, Value, json};

/// A column of the pattern.
struct Part {
    name: Name,
    kind: Kind,
}

impl Binder<'_> {
    pub fn parse(&mut self, parse: &Parse, input: &Relation) -> Bind<Relation> {
        let span = parse.expression.span;
        let text = self.whole(&parse.expression, &Row::of(input))?;
        let text = self.converted(text, Kind::String, span)?;
        let kind = parse.kind.as_ref().map_or(ParseKind::Simple, |k| k.value);
        let flags = parse.flags.as_ref().map_or("", |f| f.value.as_str());
        let (regex, parts) = pattern(&parse.pattern, kind, flags);
        if let Err(fault) = parse_pattern::check(self.settings.context, &regex) {
            return Err(self.fault(&fault, span));
        }
        let mut spec = json::Writer::default();
        spec.begin_array().string(&regex).bool(kind == ParseKind::Simple);
        parts.iter().for_each(|p| {
            spec.string(p.kind.name());
        });
        spec.end_array();
        let found = self.call_item(".parse", vec![text, Expr::Const(Value::dynamic(spec.finish()))], span)?;
        let hidden = self.hidden("parse");
        let mut below = self.extend(input, vec![(hidden.clone(), found)]);
        if parse.only_matching {
            let predicate = self.call_item("isnotnull", vec![Expr::Column(hidden.clone(), Kind::Dynamic)], span)?;
            below = self.same_columns(&below, Node::Filter { input: below.node, predicate });
        }
        let mut columns = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let path = Expr::Const(Value::dynamic(format!("[{at}]")));
            let found = self.call_item(".path", vec![Expr::Column(hidden.clone(), Kind::Dynamic), path], span)?;
            columns.push((part.name.clone(), self.read_as(found, part.kind, span)?));
        }
        let parsed = self.extend(&below, columns);
        Ok(self.without(&parsed, &hidden))
    }

    /// The relation without one column.
    pub(super) fn without(&mut self, relation: &Relation, name: &Name) -> Relation {
        let kept = relation.schema.columns().iter().filter(|(n, _)| n != name);
        let columns: Vec<(Name, Expr)> = kept.map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        let schema: Schema = columns.iter().map(|(n, e)| (n.clone(), e.kind())).collect();
        self.over(relation, Node::Project { input: relation.node, columns }, schema)
    }
}

/// The regular expression, with a group for each column, and the columns.
fn pattern(parts: &[ParsePart], kind: ParseKind, flags: &str) -> (String, Vec<Part>) {
    let by_regex = kind == ParseKind::Regex;
    let mut regex = match (by_regex, flags) {
        (true, "") => String::new(),
        (true, flags) => format!("(?{})", flags.chars().filter(|c| "imsUx".contains(*c)).collect::<String>()),
        (false, _) => "(?s)^".to_owned(),
    };
    let mut columns: Vec<Part> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let next = parts.get(at + 1);
        match part {
            ParsePart::Skip(_) => regex.push_str(if next.is_none() && !by_regex { ".*" } else { ".*?" }),
            ParsePart::Text(text) if by_regex => regex.push_str(&text.value),
            ParsePart::Text(text) => regex.push_str(&literal(&text.value)),
            ParsePart::Column { name, kind: own } => {
                let own = own.as_ref().and_then(|k| k.kind).unwrap_or(Kind::String);
                let body = match by_regex {
                    true if own == Kind::String => ".*",
                    true => any_of(own).unwrap_or(".*"),
                    false => body(own, kind, next),
                };
                regex.push_str(&format!("(?P<c{}>{body})", columns.len()));
                columns.push(Part { name: name.text.as_str().into(), kind: own });
            }
        }
    }
    if !by_regex && matches!(parts.last(), Some(ParsePart::Column { .. })) {
        regex.push('$');
    }
    (regex, columns)
}

/// What a column of the simple and the relaxed kind takes.
fn body(own: Kind, kind: ParseKind, next: Option<&ParsePart>) -> &'static str {
    let bounded = matches!(next, Some(ParsePart::Text(_)) | None);
    match any_of(own) {
        // Relaxed: what stands before the next text is taken, and is null if it is no number.
        Some(_) if kind == ParseKind::Relaxed && bounded => ".*?",
        Some(number) => number,
        None if next.is_none() => ".*",
        None => ".*?",
    }
}

/// What a number looks like.
fn any_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Int | Kind::Long => Some(r"\s*-?[0-9]+"),
        Kind::Real | Kind::Decimal => Some(r"\s*-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"),
        _ => None,
    }
}

/// A text as a regular expression that matches it alone.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

crate::pages! {
    /// Columns taken out of a text by a pattern.
    ///
    /// A row whose text does not match keeps its place, the columns empty. `*` skips text. In `kind=regex` the texts
    /// are regular expressions; in `kind=relaxed` a value that is not of its kind leaves the others as they are.
    ///
    /// Source: parse-operator.
    ///
    /// ```kql
    /// print t = "user=ann id=7" | parse t with "user=" user " id=" id:long | project id // 7
    /// ```
    Operator "parse": "T | parse [kind=simple | regex | relaxed] [flags=Letters] Text with [*] \"text\" Column[:Kind] ...";

    /// Columns taken out of a text by a pattern, and only the rows that match.
    ///
    /// Source: parse-where-operator.
    ///
    /// ```kql
    /// datatable(t: string)["id=7", "none"] | parse-where t with "id=" id:long | count // 1
    /// ```
    Operator "parse-where": "T | parse-where [kind=simple | regex] [flags=Letters] Text with [*] \"text\" Column[:Kind] ...";
}
