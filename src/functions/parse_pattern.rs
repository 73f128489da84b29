//! The kernel of `parse` and `parse-where`.
use super::Context;
use super::parse_tokens::{Place, Tokens};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Json, Kind, List, Pieces, Value, convert, json, number};
use arrow_buffer::NullBuffer;
use regex::Regex;
use std::sync::Arc;

/// A pattern: its regular expression with a group `c0`, `c1`… for each column, and the kinds of the columns.
struct Pattern {
    regex: Arc<Regex>,
    /// The same without a regular expression, where that is enough.
    tokens: Option<Tokens>,
    groups: Vec<String>,
    kinds: Vec<Kind>,
    /// Whether a part that does not convert makes the whole text a mismatch.
    strict: bool,
}

/// A constant array: the regular expression, whether it is strict, the kinds.
fn pattern(context: &Context, constant: &str) -> Result<Pattern> {
    let mut parts = Json::new(constant).elements();
    let regex = parts.next().and_then(|p| p.as_str()).unwrap_or_default();
    let strict = parts.next().and_then(|p| p.as_bool()).unwrap_or(true);
    let kinds = parts.map(|p| p.as_str().and_then(|name| Kind::parse(&name)).unwrap_or(Kind::String));
    let kinds: Vec<Kind> = kinds.collect();
    let groups = (0..kinds.len()).map(|at| format!("c{at}")).collect();
    let tokens = Tokens::of(&regex, &kinds);
    Ok(Pattern { regex: super::compile_pattern(context, &regex)?, tokens, groups, kinds, strict })
}

impl Pattern {
    /// The places of the columns' texts; false where the text does not match.
    fn read(&self, text: &str, places: &mut [Place]) -> bool {
        let found = match &self.tokens {
            Some(tokens) => tokens.read(text, places),
            None => self.search(text, places),
        };
        found && self.kinds.iter().zip(places).all(|(kind, place)| self.takes(*kind, text, place))
    }

    fn search(&self, text: &str, places: &mut [Place]) -> bool {
        let Some(found) = self.regex.captures(text) else { return false };
        for (group, place) in self.groups.iter().zip(places) {
            *place = found.name(group).map_or((0, 0), |m| (m.start(), m.end()));
        }
        true
    }

    /// Leaves the blanks around a number out; false where it must convert and does not.
    fn takes(&self, kind: Kind, text: &str, place: &mut Place) -> bool {
        if kind == Kind::String {
            return true;
        }
        let part = text.get(place.0..place.1).unwrap_or_default();
        let start = place.0 + (part.len() - part.trim_start().len());
        *place = (start, start + part.trim().len());
        !self.strict || {
            let part = part.trim();
            match kind {
                Kind::Long => number::parse_long(part).is_some(),
                _ => !convert::value_to(&Value::string(part), kind).is_null(),
            }
        }
    }
}

fn parse(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, constant) = super::operators::pair(args)?;
    let constant = constant.text(0).unwrap_or("[]");
    let pattern = context.prepared("parse", constant, || pattern(context, constant))?;
    let mut places: Vec<Place> = vec![(0, 0); pattern.kinds.len()];
    if let Column::Const(value, _) = text {
        let text = value.as_text().unwrap_or("");
        let read = pattern.read(text, &mut places).then(|| array_of(text, &places));
        return Ok(Column::Const(read.map_or(Value::Null(Kind::Dynamic), Value::dynamic), rows));
    }
    let mut items = Pieces::new(Kind::String, Some(text), rows * places.len());
    let (mut offsets, mut valid) = (Vec::with_capacity(rows + 1), Vec::with_capacity(rows));
    offsets.push(0);
    for row in 0..rows {
        let text = text.text(row).unwrap_or("");
        let found = pattern.read(text, &mut places);
        if found {
            places.iter().for_each(|(start, end)| items.push(row, text.get(*start..*end).unwrap_or_default()));
        }
        valid.push(found);
        offsets.push(u32::try_from(items.len()).map_err(|_| Fault::limit("rows", "parse makes too many parts"))?);
    }
    let nulls = Some(NullBuffer::from(valid)).filter(|n| n.null_count() > 0);
    Ok(Column::List(List { offsets: offsets.into(), nulls, items: Arc::new(items.finish()) }))
}

fn array_of(text: &str, places: &[Place]) -> String {
    let mut out = json::Writer::default();
    out.begin_array();
    places.iter().for_each(|(start, end)| {
        out.string(text.get(*start..*end).unwrap_or_default());
    });
    out.end_array();
    out.finish()
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
        let mut places = [(0, 0)];
        let found = pattern(&context, &spec.finish()).unwrap().read(text, &mut places);
        found.then(|| array_of(text, &places))
    }

    #[test]
    fn a_part_that_does_not_convert_is_a_mismatch_where_that_is_asked() {
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "a=x"), None);
        assert_eq!(read("^a=(?P<c0>.*)$", false, "long", "a=x").as_deref(), Some(r#"["x"]"#));
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "a= 7").as_deref(), Some(r#"["7"]"#));
        assert_eq!(read("^a=(?P<c0>.*)$", true, "long", "b=7"), None);
    }
}
