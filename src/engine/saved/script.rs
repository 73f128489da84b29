//! Files of query text: one function by the file's name, `let` statements that declare functions, or commands that
//! create them.
use super::Saved;
use crate::diagnostic::{Result, Severity, Source};
use crate::kql::ast::{ExpressionKind, LetValue, Statement};
use crate::kql::parse;
use std::path::Path;
use std::sync::Arc;

/// The functions of a query file: it is never without one.
pub(super) fn functions(path: &Path, text: &str) -> Result<Vec<Saved>> {
    let created = commands(path, text);
    if !created.is_empty() {
        return Ok(created);
    }
    let declared = declared(path, text);
    if !declared.is_empty() {
        return Ok(declared);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![saved(stem, path, text, 0..text.len())])
}

/// The functions of a file that may hold notes alone.
pub(super) fn functions_among_notes(path: &Path, text: &str) -> Result<Vec<Saved>> {
    match is_query(text) || !commands(path, text).is_empty() {
        true => functions(path, text),
        false => Ok(Vec::new()),
    }
}

/// Whether a text is a query that does something, right or wrong: a word alone is a note.
fn is_query(text: &str) -> bool {
    let (query, said) = parse(text);
    let is_name = |s: &Statement| matches!(s, Statement::Expression(e) if matches!(e.kind, ExpressionKind::Name(_)));
    match said.iter().any(|d| d.severity == Severity::Error) {
        true => text.lines().any(|line| line.trim_start().starts_with('|')),
        false => !query.statements.iter().all(is_name),
    }
}

fn saved(name: String, path: &Path, text: &str, part: std::ops::Range<usize>) -> Saved {
    let before = text.get(..part.start).unwrap_or("");
    let source = Source {
        text: text.get(part).unwrap_or("").to_owned(),
        origin: path.display().to_string(),
        first_line: before.matches('\n').count() + 1,
        indent: 0,
    };
    Saved { names: vec![name], source: Arc::new(source) }
}

/// The functions of a text that declares such and asks for nothing. Each sees those declared before it.
fn declared(path: &Path, text: &str) -> Vec<Saved> {
    let (query, said) = parse(text);
    if said.iter().any(|d| d.severity == Severity::Error) {
        return Vec::new();
    }
    let function = |statement: &Statement| match statement {
        Statement::Let(statement) => match &statement.value {
            LetValue::Function(function) => Some((statement.name.text.clone(), function.span)),
            LetValue::Expression(_) => None,
        },
        _ => None,
    };
    let found: Option<Vec<_>> = query.statements.iter().map(function).collect();
    let each = found.unwrap_or_default().into_iter();
    each.map(|(name, span)| saved(name, path, text, span.start as usize..span.end as usize)).collect()
}

/// The functions that commands such as `.create-or-alter function Name(…) {…}` create, a line each begins with.
fn commands(path: &Path, text: &str) -> Vec<Saved> {
    let lines = text.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at - line.len(), line))
    });
    let starts: Vec<usize> = lines.filter(|(_, line)| line.trim_start().starts_with('.')).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let each = starts.iter().zip(ends).filter_map(|(start, end)| {
        let (name, body) = created(text.get(*start..end)?)?;
        Some(saved(name, path, text, start + body..end))
    });
    each.collect()
}

/// The name of `.create-or-alter function [with (…)] Name(parameters) { body }`, and where its parameters begin.
fn created(command: &str) -> Option<(String, usize)> {
    let verbs = [".create-or-alter", ".create", ".alter"];
    let trimmed = command.trim_start();
    let rest = verbs.iter().find_map(|verb| trimmed.strip_prefix(verb))?;
    let mut rest = rest.trim_start().strip_prefix("function")?.trim_start();
    for word in ["ifnotexists", "with"] {
        rest = rest.strip_prefix(word).map_or(rest, str::trim_start);
    }
    if rest.starts_with('(') {
        rest = rest.get(rest.find(')')? + 1..)?.trim_start();
    }
    let (name, body) = match rest.strip_prefix(['[', '\'', '"']) {
        Some(quoted) => {
            let quoted = quoted.trim_start_matches(['\'', '"']);
            let (name, body) = quoted.split_at_checked(quoted.find(['\'', '"'])?)?;
            (name, body.trim_start_matches(['\'', '"', ']']))
        }
        None => rest.split_at_checked(rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?)?,
    };
    (!name.is_empty()).then(|| (name.to_owned(), command.len() - body.len()))
}
