//! Searches in brackets as conditions: their rows become `((a="1" b="2") OR (...))`; in expressions, as text.
use super::rows::plain_columns;
use super::{Lower, Lowering, Rows};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::spl::ast::{Command, Comparison, Search, Term, TextForm, Word};
use crate::spl::commands::formatted;
use crate::spl::expand::Script;
use crate::spl::parse::Reader;
use crate::types::{Table, field};
use std::borrow::Cow;

/// Rows of a search in brackets that count.
pub const MAX_ROWS: u64 = 10_000;

/// The field that `format` and `return` give: the condition as a text.
const SEARCH: &str = "search";
const QUERY: &str = "query";

/// What stands in an expression for a search without rows.
const NOTHING: &str = "null()";

impl Lowering<'_> {
    /// The condition that the rows of a search make.
    pub fn found_terms(&mut self, search: &Search) -> Lower<Term> {
        let rows = self.search(search, None)?;
        let rows = self.take(&rows, MAX_ROWS);
        match self.seen(&rows, search.span)? {
            Some(table) => terms_of(&table, search),
            None => Ok(Term::And(Vec::new())),
        }
    }

    /// A command of expressions with the text that each search in brackets gives in its place.
    pub fn spliced<'c>(&mut self, command: &'c Command) -> Lower<Cow<'c, Command>> {
        if command.searches.is_empty() {
            return Ok(Cow::Borrowed(command));
        }
        let written = command.script.text();
        let (mut text, mut at) = (String::new(), command.start);
        for search in &command.searches {
            text.push_str(written.get(at..search.start.saturating_sub(1)).unwrap_or_default());
            text.push_str(&self.found_text(search)?);
            at = search.end + 1;
        }
        text.push_str(written.get(at..command.end).unwrap_or_default());
        let end = text.len();
        let script = Script::made(text, command.span);
        Ok(Cow::Owned(Command { script, start: 0, end, searches: Vec::new(), ..command.clone() }))
    }

    /// What stands in an expression for a search: what `return` or `format` gave, or its rows as conditions.
    fn found_text(&mut self, search: &Search) -> Lower<String> {
        let rows = self.search(search, None)?;
        let rows = self.take(&rows, MAX_ROWS);
        let table = self.seen(&rows, search.span)?;
        let Some(table) = table.filter(|table| table.rows() > 0) else { return Ok(NOTHING.to_owned()) };
        let given = [SEARCH, QUERY].iter().find_map(|name| table.column_named(name));
        let text = match given {
            Some(column) => field::text(&column, 0).map(Cow::into_owned),
            None => Some(formatted(&table)),
        };
        Ok(text.filter(|text| !text.starts_with("NOT (")).unwrap_or_else(|| NOTHING.to_owned()))
    }

    /// The rows of a search in brackets that are rows here: at most as many as count.
    pub fn subsearch(&mut self, search: &Search, most: u64) -> Lower<Rows> {
        let rows = self.search(search, None)?;
        Ok(match self.plan.node(rows.node) {
            Node::Values(table) if (table.rows() as u64) <= most => rows,
            _ if most == u64::MAX => rows,
            _ => self.take(&rows, most),
        })
    }
}

fn terms_of(table: &Table, search: &Search) -> Lower<Term> {
    let rows = conjunctions(table, search)?;
    Ok(match rows.len() {
        // No rows select nothing.
        0 => Term::Or(Vec::new()),
        _ => Term::Or(rows),
    })
}

fn conjunctions(table: &Table, search: &Search) -> Lower<Vec<Term>> {
    let columns = plain_columns(table);
    let mut rows = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let mut parts = Vec::new();
        for (name, column) in &columns {
            let values: Vec<Term> =
                field::values(column, row).map(|value| term(name, &value, search)).collect::<Lower<_>>()?;
            match values.len() {
                0 => {}
                1 => parts.extend(values),
                _ => parts.push(Term::Or(values)),
            }
        }
        if !parts.is_empty() {
            rows.push(Term::And(parts));
        }
    }
    Ok(rows)
}

fn term(name: &str, value: &str, search: &Search) -> Lower<Term> {
    let word = |text: &str| Word { text: text.to_owned(), span: search.span, quoted: true };
    match name {
        // What `format` and `return` give are terms already.
        SEARCH | QUERY => {
            let script = Script::made(value.to_owned(), search.span);
            let mut reader = Reader::of_text(&script);
            let parsed = reader.terms(&[]).and_then(|term| reader.finish().map(|()| term));
            match parsed {
                Ok(term) => Ok(term),
                Err(_) if name == QUERY => Ok(Term::Text { text: word(value), form: TextForm::Plain }),
                Err(said) => {
                    let message = format!("the search in brackets gives no search terms: {}", said.message);
                    Err(Diagnostic::error("HP504", message).at(search.span).into())
                }
            }
        }
        name => Ok(Term::Compare { field: word(name), operator: Comparison::Equal, value: word(value) }),
    }
}
