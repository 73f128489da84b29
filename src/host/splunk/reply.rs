//! What a command answers: metadata, rows, and what the job inspector shows.
use super::frame;
use crate::diagnostic::{Diagnostic, Fault, Severity, Source};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::time::Duration;

/// No message is longer: a search's page shows the beginning anyway.
const LONGEST_MESSAGE: usize = 4000;
/// Further messages of one answer would tell nobody anything.
const MOST_MESSAGES: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

/// One answer to one message.
#[derive(Debug, Default)]
pub struct Reply {
    metadata: Map<String, Value>,
    messages: Vec<(Level, String)>,
    metrics: Vec<(String, Value)>,
    /// Rows as CSV.
    pub body: Vec<u8>,
}

impl Reply {
    /// The answer to an `execute` message.
    pub fn to_chunk(finished: bool) -> Reply {
        let mut reply = Reply::default();
        reply.set("finished", finished);
        reply
    }

    /// The answer that ends a command with an error.
    pub fn of_fault(fault: &Fault) -> Reply {
        let mut reply = Reply::to_chunk(true);
        reply.set("error", clean(&described(fault)));
        reply
    }

    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.metadata.insert(key.to_owned(), value.into());
    }

    pub fn say(&mut self, level: Level, text: impl AsRef<str>) {
        let message = (level, clean(text.as_ref()));
        if self.messages.len() < MOST_MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// Time, calls, and rows in and out of a part of the work.
    pub fn metric(&mut self, name: &str, time: Duration, calls: usize, rows_in: usize, rows_out: usize) {
        let seconds = (time.as_secs_f64() * 1e6).round() / 1e6;
        self.metrics.push((format!("metric.{name}"), json!([seconds, calls, rows_in, rows_out])));
    }

    pub fn write(self, out: &mut impl Write) -> std::io::Result<()> {
        let mut metadata = self.metadata;
        let mut inspector = Map::new();
        if !self.messages.is_empty() {
            let messages = self.messages.into_iter().map(|(level, text)| json!([level.name(), text]));
            inspector.insert("messages".to_owned(), messages.collect());
        }
        inspector.extend(self.metrics);
        if !inspector.is_empty() {
            metadata.insert("inspector".to_owned(), Value::Object(inspector));
        }
        frame::write(out, &Value::Object(metadata), &self.body)
    }
}

/// A fault as an analyst reads it: the message, its place, and what to do.
pub fn described(fault: &Fault) -> String {
    let errors = fault.diagnostics().iter().filter(|d| d.severity == Severity::Error);
    let said: Vec<String> = errors.map(|d| said(d, fault.source().map(AsRef::as_ref))).collect();
    if said.is_empty() { fault.message().to_owned() } else { said.join("; ") }
}

/// One diagnostic in a line.
pub fn said(diagnostic: &Diagnostic, source: Option<&Source>) -> String {
    let mut text = diagnostic.message.trim_end_matches('.').to_owned();
    if let (Some(span), Some(source)) = (diagnostic.span, source.filter(|source| !source.text.is_empty())) {
        let (line, column) = source.place(span.start as usize);
        let place =
            if source.origin.starts_with('<') || source.origin.is_empty() { "the query" } else { &source.origin };
        text.push_str(&format!(" ({place}, line {line}, column {column})"));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!(": {help}"));
    }
    format!("{text} [{}]", diagnostic.code)
}

/// Without control characters, and not too long.
fn clean(text: &str) -> String {
    let mut clean: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    if clean.len() > LONGEST_MESSAGE {
        let mut end = LONGEST_MESSAGE;
        while !clean.is_char_boundary(end) {
            end -= 1;
        }
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_metrics_stand_in_the_inspector() {
        let mut reply = Reply::to_chunk(false);
        reply.say(Level::Warn, "a\u{7}b");
        reply.metric("map", Duration::from_millis(1500), 2, 10, 3);
        let mut out = Vec::new();
        reply.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let metadata: Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
        assert_eq!(metadata["inspector"]["messages"], json!([["WARN", "a b"]]));
        assert_eq!(metadata["inspector"]["metric.map"], json!([1.5, 2, 10, 3]));
    }
}
