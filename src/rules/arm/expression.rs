//! The part of ARM's template expressions that names and values of rules are written in: `parameters`,
//! `variables` with properties, `concat`, `format`. What cannot be known without a deployment stays as it
//! is written.
use crate::diagnostic::{Fault, Result};
use serde_json::Value;

/// Expressions and values inside of each other.
const DEPTH_LIMIT: usize = 64;

/// Whether a text is an expression: in brackets, the first not doubled.
pub fn is_expression(text: &str) -> bool {
    text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')
}

/// A literal text as a template must write it.
pub fn escaped(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') { format!("[{text}") } else { text.to_string() }
}

/// The parameters' defaults and the variables of a template and of those around it.
pub struct Scope<'a> {
    template: &'a Value,
    around: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    pub fn of(template: &'a Value, around: Option<&'a Scope<'a>>) -> Scope<'a> {
        Scope { template, around }
    }

    /// The value with its expressions replaced.
    ///
    /// # Errors
    /// `HP201` where values or expressions nest too deeply, as where a variable names itself.
    pub fn resolve(&self, value: &Value, depth: usize) -> Result<Value> {
        if depth > DEPTH_LIMIT {
            return Err(Fault::rule("HP201", "the template's values nest too deeply"));
        }
        Ok(match value {
            Value::String(text) => self.text(text, depth)?,
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.resolve(item, depth + 1)).collect::<Result<_>>()?)
            }
            Value::Object(map) if is_template(value) => Value::Object(map.clone()),
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| Ok((key.clone(), self.resolve(value, depth + 1)?));
                Value::Object(map.iter().map(entry).collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str, depth: usize) -> Result<Value> {
        if text.starts_with("[[") && text.ends_with(']') {
            return Ok(text.get(1..).unwrap_or(text).into());
        }
        if !is_expression(text) {
            return Ok(text.into());
        }
        let inner = text.get(1..text.len() - 1).unwrap_or("");
        let mut reader = Reader { rest: inner, scope: self };
        let value = reader.expression(depth + 1)?.filter(|_| reader.rest.trim().is_empty());
        Ok(value.unwrap_or_else(|| text.into()))
    }

    fn lookup(&self, function: &str, name: &str, depth: usize) -> Result<Option<Value>> {
        let own = match function {
            "parameters" => self.template.get("parameters").and_then(|all| all.get(name)?.get("defaultValue")),
            _ => self.template.get("variables").and_then(|all| all.get(name)),
        };
        match (own, self.around) {
            (Some(value), _) => {
                let value = self.resolve(value, depth + 1)?;
                Ok((!value.as_str().is_some_and(is_expression)).then_some(value))
            }
            (None, Some(around)) if depth < DEPTH_LIMIT => around.lookup(function, name, depth + 1),
            // The workspace is only known when a template is deployed; names are read without it.
            (None, _) if function == "parameters" && name.to_ascii_lowercase().contains("workspace") => {
                Ok(Some("workspace".into()))
            }
            (None, _) => Ok(None),
        }
    }
}

/// A nested template resolves its own texts, in its own scope.
fn is_template(value: &Value) -> bool {
    value.get("resources").is_some_and(Value::is_array)
        && value.get("$schema").or(value.get("contentVersion")).is_some()
}

/// Reads an expression; none where a part has no value here.
struct Reader<'a, 's> {
    rest: &'a str,
    scope: &'s Scope<'s>,
}

impl<'a> Reader<'a, '_> {
    fn expression(&mut self, depth: usize) -> Result<Option<Value>> {
        if depth > DEPTH_LIMIT {
            return Err(Fault::rule("HP201", "the template's values nest too deeply"));
        }
        self.rest = self.rest.trim_start();
        let mut value = if self.rest.starts_with('\'') { self.literal() } else { self.call(depth)? };
        while let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            let name = self.name();
            value = value.and_then(|value| value.get(name).cloned());
        }
        match value {
            Some(value) => Ok(Some(self.scope.resolve(&value, depth + 1)?)),
            None => Ok(None),
        }
    }

    /// `'text'`, with a doubled quote for a quote.
    fn literal(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut rest = self.rest.strip_prefix('\'')?;
        loop {
            let (part, after) = rest.split_once('\'')?;
            text.push_str(part);
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    rest = after;
                }
                None => {
                    self.rest = after;
                    return Some(text.into());
                }
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        name
    }

    fn call(&mut self, depth: usize) -> Result<Option<Value>> {
        let name = self.name();
        let Some(rest) = self.rest.strip_prefix('(') else { return Ok(number(name)) };
        self.rest = rest;
        let mut arguments = vec![];
        while !self.rest.trim_start().starts_with(')') {
            let before = self.rest.len();
            arguments.push(self.expression(depth + 1)?);
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
            if self.rest.len() == before {
                return Ok(None);
            }
        }
        self.rest = self.rest.trim_start().strip_prefix(')').unwrap_or("");
        let arguments: Option<Vec<Value>> = arguments.into_iter().collect();
        arguments.map_or(Ok(None), |arguments| self.apply(name, &arguments, depth))
    }

    fn apply(&self, function: &str, arguments: &[Value], depth: usize) -> Result<Option<Value>> {
        match (function.to_ascii_lowercase().as_str(), arguments) {
            (function @ ("parameters" | "variables"), [Value::String(name)]) => {
                self.scope.lookup(function, name, depth)
            }
            ("concat", parts) => Ok(Some(parts.iter().map(text_of).collect::<String>().into())),
            ("format", [Value::String(form), values @ ..]) => Ok(Some(formatted(form, values).into())),
            ("tolower", [Value::String(text)]) => Ok(Some(text.to_lowercase().into())),
            _ => Ok(None),
        }
    }
}

fn number(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// `{0}` replaced by the first value, and so on.
fn formatted(form: &str, values: &[Value]) -> String {
    let numbered = values.iter().enumerate();
    numbered.fold(form.to_string(), |text, (at, value)| text.replace(&format!("{{{at}}}"), &text_of(value)))
}
