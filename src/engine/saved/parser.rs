//! Parsers in YAML: a workspace function's (`FunctionName`, `FunctionAlias`, `FunctionQuery`), and ASIM's
//! (`ParserName`, `EquivalentBuiltInParser`, `ParserParams`, `ParserQuery`).
use super::{Saved, written};
use crate::diagnostic::{Fault, Result, Source};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

const QUERIES: &[&str] = &["FunctionQuery", "ParserQuery"];
const NAMES: &[&str] =
    &["FunctionName", "FunctionAlias", "EquivalentBuiltInFunction", "ParserName", "EquivalentBuiltInParser"];
const PARAMETERS: &[&str] = &["FunctionParams", "ParserParams", "FunctionParameters"];

/// The function of a YAML, under all its names.
pub(super) fn functions(path: &Path, text: &str) -> Result<Vec<Saved>> {
    let document: Value = serde_saphyr::from_str(text)
        .map_err(|error| Fault::data("HP420", format!("{}: not YAML: {error}", path.display())))?;
    let field = |name: &str| document.get(name).and_then(Value::as_str).filter(|t| !t.trim().is_empty());
    let names: Vec<String> = NAMES.iter().filter_map(|name| Some(field(name)?.trim().to_owned())).collect();
    let Some((key, query)) = QUERIES.iter().find_map(|key| Some((*key, field(key)?))) else { return Ok(Vec::new()) };
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let parameters = PARAMETERS.iter().find_map(|key| parameters(document.get(key)?));
    let (first_line, indent) = place(text, key).unwrap_or((1, 0));
    let source = Source { text: written(parameters, query), origin: path.display().to_string(), first_line, indent };
    Ok(vec![Saved { names, source: Arc::new(source) }])
}

/// The line that a block of text under `key` begins with, and how deep it is indented; none for other texts.
fn place(text: &str, key: &str) -> Option<(usize, usize)> {
    let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let at = text.lines().position(is_key)?;
    text.lines().nth(at)?.split_once(':').filter(|(_, value)| value.trim_start().starts_with('|'))?;
    let first = text.lines().skip(at + 1).find(|line| !line.trim().is_empty())?;
    Some((at + 2, first.len() - first.trim_start().len()))
}

/// A list of names, kinds and defaults, or the text of one, as a function declares them.
fn parameters(given: &Value) -> Option<String> {
    if let Some(text) = given.as_str() {
        return Some(text.to_owned());
    }
    let each: Vec<String> = given.as_array()?.iter().filter_map(parameter).collect();
    (!each.is_empty()).then(|| each.join(", "))
}

fn parameter(given: &Value) -> Option<String> {
    let name = given.get("Name")?.as_str()?;
    // A table's columns stand behind `table:`.
    let kind = given.get("Type")?.as_str()?.trim_start_matches("table:").trim();
    Some(match given.get("Default") {
        Some(Value::Null) | None => format!("{name}:{kind}"),
        Some(default) => format!("{name}:{kind}={}", default_text(kind, default)),
    })
}

/// A default as KQL: YAML has lost the quotes of a string, and the kind of a number.
fn default_text(kind: &str, default: &Value) -> String {
    match default {
        Value::String(text) if kind == "string" && !text.starts_with(['\'', '"']) => {
            Value::String(text.clone()).to_string()
        }
        Value::String(text) => text.clone(),
        other if kind == "string" => Value::String(other.to_string()).to_string(),
        other => other.to_string(),
    }
}
