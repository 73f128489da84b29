//! Reads the fields of a rule's document; what is wrong is collected, so that one pass says it all.
use super::document::{Content, IMPORT_HELP, Key, Node};
use super::duration::{self, Ticks};
use super::rule::Choice;
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Severity, Source, closest};
use serde_json::Value;
use std::sync::Arc;

/// Collects what is said about one rule file.
#[derive(Default)]
pub struct Said(pub Vec<Diagnostic>);

impl Said {
    /// The warnings where nothing is an error.
    ///
    /// # Errors
    /// Everything that was said, where at least one thing is an error.
    pub fn finish(self, source: &Arc<Source>) -> Result<Vec<Diagnostic>, Fault> {
        match self.0.iter().any(|d| d.severity == Severity::Error) {
            true => Err(Fault::new(FaultKind::Rule, self.0).of(source)),
            false => Ok(self.0),
        }
    }

    pub fn error(&mut self, code: &'static str, message: impl Into<String>, node: &Node) {
        self.0.push(Diagnostic::error(code, message).at(node.span));
    }

    fn wrong_shape(&mut self, key: &str, wanted: &str, node: &Node) {
        self.error("HP205", format!("`{key}` must be {wanted}, not {}", node.shape()), node);
    }

    /// A scalar as written; an empty one counts as absent.
    pub fn text(&mut self, parent: &Node, key: &str) -> Option<String> {
        let node = parent.get(key)?;
        match node.text() {
            Some("") => None,
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong_shape(key, "a text", node);
                None
            }
        }
    }

    pub fn required_text(&mut self, parent: &Node, key: &str) -> String {
        match self.text(parent, key) {
            Some(text) if !text.trim().is_empty() => text,
            _ => self.missing(parent, key),
        }
    }

    fn missing<T: Default>(&mut self, parent: &Node, key: &str) -> T {
        if parent.get(key).is_none_or(|node| node.text().is_some()) {
            self.error("HP203", format!("the rule has no `{key}`"), parent);
        }
        T::default()
    }

    pub fn choice<T: Choice>(&mut self, parent: &Node, key: &str) -> Option<T> {
        let text = self.text(parent, key)?;
        let node = parent.get(key)?;
        let found = T::parse(&text);
        if found.is_none() {
            let near = closest(&text, T::NAMES.iter().copied());
            let names = T::NAMES.join(", ");
            let help = near.map_or(format!("one of: {names}"), |n| format!("did you mean `{n}`? One of: {names}"));
            let said = Diagnostic::error("HP204", format!("unknown {key} `{text}`"));
            self.0.push(said.at(node.span).help(help));
        }
        found
    }

    /// A choice that must be there; `fallback` only stands in where an error was said.
    pub fn required_choice<T: Choice>(&mut self, parent: &Node, key: &str, fallback: T) -> T {
        if parent.get(key).and_then(Node::text).is_some_and(|text| !text.is_empty()) {
            return self.choice(parent, key).unwrap_or(fallback);
        }
        self.required_text(parent, key);
        fallback
    }

    pub fn duration(&mut self, parent: &Node, key: &str) -> Option<Ticks> {
        let text = self.text(parent, key)?;
        let node = parent.get(key)?;
        let found = duration::parse(&text);
        let wrong = match found {
            None => "is no duration",
            Some(ticks) if ticks < 0 => "is less than no time",
            Some(_) => return found,
        };
        let said = Diagnostic::error("HP205", format!("`{key}`: `{text}` {wrong}"));
        self.0.push(said.at(node.span).help("write for example 15m, 1d, PT5H or P1D"));
        None
    }

    /// A duration that rules run by: longer than no time.
    pub fn span_of_time(&mut self, parent: &Node, key: &str) -> Option<Ticks> {
        let found = self.duration(parent, key)?;
        if let (0, Some(node)) = (found, parent.get(key)) {
            self.error("HP205", format!("`{key}` must be longer than no time"), node);
        }
        Some(found)
    }

    pub fn required_duration(&mut self, parent: &Node, key: &str) -> Ticks {
        match parent.get(key).filter(|node| node.text().is_none_or(|text| !text.is_empty())) {
            Some(_) => self.span_of_time(parent, key).unwrap_or_default(),
            None => self.missing(parent, key),
        }
    }

    pub fn flag(&mut self, parent: &Node, key: &str) -> Option<bool> {
        let text = self.text(parent, key)?;
        let found = match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        };
        if let (None, Some(node)) = (found, parent.get(key)) {
            self.error("HP205", format!("`{key}` must be true or false, not `{text}`"), node);
        }
        found
    }

    pub fn required_integer(&mut self, parent: &Node, key: &str) -> i64 {
        let Some(text) = self.text(parent, key) else { return self.missing(parent, key) };
        let whole = text.trim().strip_suffix(".0").unwrap_or(text.trim());
        match (whole.parse(), parent.get(key)) {
            (Ok(number), _) => number,
            (Err(_), Some(node)) => {
                self.error("HP205", format!("`{key}` must be a whole number, not `{text}`"), node);
                0
            }
            (Err(_), None) => 0,
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&mut self, parent: &Node, key: &str) -> Vec<String> {
        let Some(node) = parent.get(key) else { return vec![] };
        let items = match &node.content {
            Content::List(items) => items.as_slice(),
            Content::Scalar { .. } => std::slice::from_ref(node),
            Content::Mapping(_) => {
                self.wrong_shape(key, "a list", node);
                &[]
            }
        };
        let mut texts = vec![];
        for item in items.iter().filter(|item| !item.is_null()) {
            match item.text() {
                Some(text) => texts.push(text.trim().to_string()),
                None => self.wrong_shape(key, "a list of texts", item),
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }

    /// A mapping as written, or an empty one.
    pub fn mapping(&mut self, parent: &Node, key: &str) -> Value {
        self.shaped(parent, key, Value::Object(Default::default()), "a mapping", Node::is_mapping)
    }

    /// A list as written, or an empty one.
    pub fn list(&mut self, parent: &Node, key: &str) -> Value {
        self.shaped(parent, key, Value::Array(vec![]), "a list", |node| matches!(node.content, Content::List(_)))
    }

    fn shaped(&mut self, parent: &Node, key: &str, empty: Value, wanted: &str, fits: fn(&Node) -> bool) -> Value {
        match parent.get(key) {
            None => empty,
            Some(node) if fits(node) => node.to_json(),
            Some(node) => {
                self.wrong_shape(key, wanted, node);
                empty
            }
        }
    }

    /// Warns of keys that are not known: a typing error would else go unseen. `belongs_deeper` tells keys
    /// that are known elsewhere.
    pub fn unknown_keys(&mut self, parent: &Node, known: &[&str], belongs_deeper: fn(&str) -> bool) {
        for (Key { text, span }, _) in parent.entries().iter().filter(|(k, _)| !known.contains(&k.text.as_str())) {
            if belongs_deeper(text) {
                let said =
                    Diagnostic::warning("HP207", format!("the key `{text}` stands at the wrong level and is ignored"));
                self.0.push(said.at(*span).help(IMPORT_HELP));
                continue;
            }
            let said = Diagnostic::warning("HP207", format!("unknown key `{text}` is ignored")).at(*span);
            let near = closest(text, known.iter().copied());
            self.0.push(near.map_or(said.clone(), |near| said.help(format!("did you mean `{near}`?"))));
        }
    }
}
