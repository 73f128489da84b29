//! `parse-kv`: the values of keys in a text.
//!
//! Source: the page "parse-kv operator".
use crate::diagnostic::{Fault, Result, Span};
use crate::expr::Expr;
use crate::functions::{Context, compile_pattern};
use crate::kql::ast::{Parameter, ParseKv};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Kind, Name, Schema, Table, Value};
use std::collections::HashMap;
use std::sync::Arc;

impl Binder<'_> {
    pub fn parse_kv(&mut self, parse: &ParseKv, input: &Relation) -> Bind<Relation> {
        let span = parse.expression.span;
        let text = self.whole(&parse.expression, &Row::of(input))?;
        let text = self.converted(text, Kind::String, span)?;
        let form = self.pairs_form(&parse.properties, span)?;
        let hidden = self.hidden("text");
        let below = self.extend(input, vec![(hidden.clone(), text)]);
        let mut schema = below.schema.clone();
        let mut found = Vec::new();
        for column in &parse.columns {
            let name = self.hidden("value");
            schema.set(name.clone(), Kind::String);
            found.push((column, name));
        }
        let keys = parse.columns.iter().map(|c| c.name.text.clone()).collect();
        let operation = Arc::new(Pairs { text: hidden.clone(), keys, form, schema: schema.clone() });
        let paired = self.over(&below, Node::Table { inputs: vec![below.node], operation }, schema);
        let mut columns = Vec::new();
        for (column, name) in &found {
            let value = Expr::Column(name.clone(), Kind::String);
            let value = self.read_as(value, column.kind.kind.unwrap_or(Kind::String), column.span)?;
            columns.push((Name::from(column.name.text.as_str()), value));
        }
        let mut out = self.extend(&paired, columns);
        for name in found.iter().map(|(_, name)| name).chain([&hidden]) {
            out = self.without(&out, name);
        }
        Ok(out)
    }

    fn pairs_form(&mut self, properties: &[Parameter], span: Span) -> Bind<Form> {
        let mut form = Form::default();
        for property in properties {
            let value = self.constant_of(&property.value)?;
            let text = value.to_text();
            match property.name.text.as_str() {
                "pair_delimiter" => form.between_pairs = Some(text),
                "kv_delimiter" => form.between_key_and_value = Some(text),
                "escape" => form.escape = text.chars().next(),
                "greedy" => form.greedy = value.as_bool() == Some(true),
                "regex" => form.regex = Some(text),
                "quote" => {
                    let mut quotes = text.chars();
                    form.quotes = quotes.next().map(|open| (open, quotes.next().unwrap_or(open)));
                }
                other => return Err(self.unsupported(&format!("the property '{other}' of parse-kv"), property.span)),
            }
        }
        if let Some(regex) = &form.regex
            && let Err(fault) = compile_pattern(self.settings.context, regex)
        {
            return Err(self.fault(&fault, span));
        }
        Ok(form)
    }
}

/// How pairs are written.
#[derive(Debug, Default)]
struct Form {
    /// None: any character that is neither letter, digit nor `_`.
    between_pairs: Option<String>,
    between_key_and_value: Option<String>,
    quotes: Option<(char, char)>,
    escape: Option<char>,
    /// Whether a value without quotes may hold delimiters: it ends before the next key.
    greedy: bool,
    /// Two groups: the key and the value.
    regex: Option<String>,
}

#[derive(Debug)]
struct Pairs {
    text: Name,
    keys: Vec<String>,
    form: Form,
    /// The input's columns, and one for each key.
    schema: Schema,
}

impl TableOperation for Pairs {
    fn name(&self) -> &str {
        "parse-kv"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("nothing to parse"))?;
        let text = table.column_named(&self.text).ok_or_else(|| Fault::internal("the text is gone"))?;
        let mut rows = table.to_rows();
        for (at, row) in rows.iter_mut().enumerate() {
            if at % 1024 == 0 {
                context.check()?;
            }
            let found = self.pairs(text.text(at).unwrap_or_default(), context)?;
            row.extend(self.keys.iter().map(|key| Value::string(found.get(key).map_or("", String::as_str))));
        }
        Ok(Table::from_rows(self.schema.clone(), &rows))
    }
}

impl Pairs {
    /// The first value of each key.
    fn pairs(&self, text: &str, context: &Context) -> Result<HashMap<String, String>> {
        let mut found = HashMap::new();
        let mut keep = |key: &str, value: String| {
            found.entry(key.to_owned()).or_insert(value);
        };
        if let Some(regex) = &self.form.regex {
            let regex = compile_pattern(context, regex)?;
            for groups in regex.captures_iter(text) {
                if let (Some(key), Some(value)) = (groups.get(1), groups.get(2)) {
                    keep(key.as_str(), value.as_str().to_owned());
                }
            }
            return Ok(found);
        }
        let mut rest = text;
        while let Some((key, value, behind)) = self.form.pair(rest, &self.keys) {
            keep(&key, value);
            rest = behind;
        }
        Ok(found)
    }
}

impl Form {
    /// The next pair, and what stands behind it.
    fn pair<'t>(&self, text: &'t str, keys: &[String]) -> Option<(String, String, &'t str)> {
        let (key, value) = self.key(text)?;
        if let Some((open, close)) = self.quotes
            && let Some(inside) = value.trim_start().strip_prefix(open)
        {
            let (value, behind) = self.quoted(inside, close);
            return Some((key.to_owned(), value, behind));
        }
        let end = self.value_end(value, keys);
        let (value, behind) = value.split_at_checked(end)?;
        Some((key.to_owned(), value.trim().to_owned(), behind))
    }

    /// The next key, and what stands behind the delimiter after it.
    fn key<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        match &self.between_key_and_value {
            Some(delimiter) => {
                let (before, value) = text.split_once(delimiter.as_str()).filter(|_| !delimiter.is_empty())?;
                if let Some(key) = self.quoted_key(before) {
                    return Some((key, value));
                }
                let key = match self.between_pairs.as_deref().filter(|d| !d.is_empty()) {
                    Some(pairs) => before.rsplit(pairs).next().unwrap_or(before),
                    None => before.rsplit(is_delimiter).find(|word| !word.is_empty()).unwrap_or(before),
                };
                Some((key.trim(), value))
            }
            None => {
                let text = text.trim_start_matches(is_delimiter);
                let (key, rest) = text.split_at_checked(text.find(is_delimiter)?)?;
                let quote = self.quotes.map(|(open, _)| open);
                Some((key, rest.trim_start_matches(|c| is_delimiter(c) && Some(c) != quote)))
            }
        }
    }

    /// A key in quotes, which may hold delimiters, at the end of a text.
    fn quoted_key<'t>(&self, before: &'t str) -> Option<&'t str> {
        let (open, close) = self.quotes?;
        let inside = before.trim_end().strip_suffix(close)?;
        inside.get(inside.rfind(open)? + open.len_utf8()..)
    }

    /// Where a value without quotes ends.
    fn value_end(&self, value: &str, keys: &[String]) -> usize {
        let ends: Vec<usize> = match self.between_pairs.as_deref().filter(|d| !d.is_empty()) {
            Some(delimiter) => value.match_indices(delimiter).map(|(at, _)| at).collect(),
            None => value.match_indices(is_delimiter).map(|(at, _)| at).collect(),
        };
        let is_end = |at: &&usize| {
            let behind = value.get(**at..).and_then(|rest| Some((rest, self.key(rest)?)));
            // The key must stand right behind, not farther on.
            let follows = |rest: &str, key: &str| rest.trim_start_matches(is_delimiter).starts_with(key);
            !self.greedy || behind.is_some_and(|(rest, (key, _))| keys.iter().any(|k| k == key) && follows(rest, key))
        };
        ends.iter().find(is_end).copied().unwrap_or(value.len())
    }

    /// The text up to the closing quote, without escapes, and what stands behind it.
    fn quoted<'t>(&self, text: &'t str, close: char) -> (String, &'t str) {
        let mut value = String::new();
        let mut characters = text.char_indices();
        while let Some((at, c)) = characters.next() {
            if Some(c) == self.escape {
                value.extend(characters.next().map(|(_, escaped)| escaped));
            } else if c == close {
                return (value, text.get(at + c.len_utf8()..).unwrap_or_default());
            } else {
                value.push(c);
            }
        }
        (value, "")
    }
}

fn is_delimiter(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}

crate::pages! {
    /// Columns taken out of a text of names and values.
    ///
    /// Source: parse-kv-operator.
    ///
    /// ```kql
    /// print t = "src=10.0.0.1 port=443" | parse-kv t as (port: long) with (pair_delimiter=" ", kv_delimiter="=") | project port // 443
    /// ```
    Operator "parse-kv": "T | parse-kv Text as (Column: Kind, ...) [with (pair_delimiter=\",\", kv_delimiter=\":\", quote='\"', escape=\"\\\\\", greedy=true | regex=\"...\")]";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(form: Form, key: &str, text: &str) -> Option<String> {
        let pairs = Pairs { text: "t".into(), keys: vec![key.to_owned()], form, schema: Schema::default() };
        let context = Context::new(0, Default::default(), Default::default());
        pairs.pairs(text, &context).unwrap().remove(key)
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let colons = || Form {
            between_pairs: Some(",".into()),
            between_key_and_value: Some(":".into()),
            quotes: Some(('"', '"')),
            escape: Some('\\'),
            ..Form::default()
        };
        assert_eq!(value(colons(), "b", r#"a:1, b: "x, \"y\"" ,c:3"#).as_deref(), Some(r#"x, "y""#));
        assert_eq!(value(colons(), "c", r#"a:1, b: "x, \"y\"" ,c:3"#).as_deref(), Some("3"));
        assert_eq!(value(colons(), "e, f", r#"a:1, "e, f":2"#).as_deref(), Some("2"));
        assert_eq!(value(colons(), "d", "a:1").as_deref(), None);
        assert_eq!(value(Form::default(), "b", "a=1; b=two").as_deref(), Some("two"));
        let greedy = || Form {
            between_pairs: Some(" ".into()),
            between_key_and_value: Some("=".into()),
            greedy: true,
            ..Form::default()
        };
        assert_eq!(value(greedy(), "a", "a=one two b a=x").as_deref(), Some("one two b"));
        let regex = Form { regex: Some(r"@(\w+):(\w+)".into()), ..Form::default() };
        assert_eq!(value(regex, "k", "x @k:v1 @k:v2").as_deref(), Some("v1"));
    }
}
