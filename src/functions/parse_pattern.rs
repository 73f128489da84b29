//! The kernel of `parse` and `parse-where`.
use super::Context;
use crate::diagnostic::{Fault, Result};
use crate::types::{Builder, Column, Json, Kind, Value, convert, json};
use regex::Regex;
use std::sync::Arc;

/// A pattern: its regular expression with a group `c0`, `c1`… for each column, and the kinds of the columns.
struct Pattern {
    regex: Arc<Regex>,
    groups: Vec<(String, Kind)>,
    /// Whether a part that does not convert makes the whole text a mismatch.
    strict: bool,
}

/// A constant array: the regular expression, whether it is strict, the kinds.
fn pattern(context: &Context, constant: &str) -> Result<Pattern> {
    let mut parts = Json::new(constant).elements();
    let regex = parts.next().and_then(|p| p.as_str()).unwrap_or_default();
    let strict = parts.next().and_then(|p| p.as_bool()).unwrap_or(true);
    let kinds = parts.map(|p| p.as_str().and_then(|name| Kind::parse(&name)).unwrap_or(Kind::String));
    let groups = kinds.enumerate().map(|(at, kind)| (format!("c{at}"), kind)).collect();
    Ok(Pattern { regex: super::compile_pattern(context, &regex)?, groups, strict })
}

impl Pattern {
    /// The texts of the columns as an array; none where the text does not match.
    fn read(&self, text: &str) -> Option<String> {
        let found = self.regex.captures(text)?;
        let mut out = json::Writer::default();
        out.begin_array();
        for (group, kind) in &self.groups {
            let part = found.name(group).map_or("", |m| m.as_str());
            let converts = || !convert::value_to(&Value::string(part.trim()), *kind).is_null();
            if self.strict && *kind != Kind::String && !converts() {
                return None;
            }
            out.string(if *kind == Kind::String { part } else { part.trim() });
        }
        out.end_array();
        Some(out.finish())
    }
}

fn parse(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, constant) = super::operators::pair(args)?;
    let constant = constant.text(0).unwrap_or("[]");
    let pattern = context.prepared("parse", constant, || pattern(context, constant))?;
    if let Column::Const(value, _) = text {
        let read = pattern.read(value.as_text().unwrap_or(""));
        return Ok(Column::Const(read.map_or(Value::Null(Kind::Dynamic), Value::dynamic), rows));
    }
    let mut out = Builder::new(Kind::Dynamic, rows);
    for row in 0..rows {
        match pattern.read(text.text(row).unwrap_or("")) {
            Some(read) => out.push_text(&read),
            None => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// A pattern that is wrong is said when the query is bound.
pub fn check(context: &Context, regex: &str) -> std::result::Result<(), Fault> {
    super::compile_pattern(context, regex).map(|_| ())
}

crate::kernels! {
    /// The texts that the columns of a `parse` take, as an array; null where the pattern does not match.
    ///
    /// Source: parse-operator.
    ///
    /// ```kql
    /// print s = "a=1;" | parse s with "a=" n:long ";" | project n // 1
    /// ```
    kql fn ".parse" (text: String, pattern: Dynamic) -> Kind(Kind::Dynamic) = parse;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(regex: &str, strict: bool, kind: &str, text: &str) -> Option<String> {
        let context = Context::new(0, super::super::Limits::default(), Default::default());
        let mut spec = json::Writer::default();
        spec.begin_array().string(regex).bool(strict).string(kind).end_array();
        pattern(&context, &spec.finish()).unwrap().read(text)
    }

    #[test]
    fn a_part_that_does_not_convert_is_a_mismatch_where_that_is_asked() {
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "a=x"), None);
        assert_eq!(read("^a=(?P<c0>.*)$", false, "long", "a=x").as_deref(), Some(r#"["x"]"#));
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "a= 7").as_deref(), Some(r#"["7"]"#));
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "b=7"), None);
    }
}
