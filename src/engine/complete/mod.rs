//! Completion: what may stand at a place of a query text.
//!
//! The grammar says what it looks for there ([`kql::parse_open`]), the binder what can be seen there
//! ([`bind::visible`]), the schemas and the libraries what has such a name. What stands behind the place plays no
//! part: it may be broken.
mod candidates;
mod place;
mod rank;
mod usual;

use super::query::{Options, wall_clock};
use super::{Database, pool};
use crate::diagnostic::{Result, Span};
use crate::kql::{self, bind};
use candidates::Candidates;
use place::Place;

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    Column,
    Variable,
    Table,
    Function,
    Aggregate,
    Operator,
    Plugin,
    Keyword,
    Parameter,
    Kind,
    Watchlist,
}

impl CompletionKind {
    pub fn name(self) -> &'static str {
        match self {
            CompletionKind::Column => "column",
            CompletionKind::Variable => "variable",
            CompletionKind::Table => "table",
            CompletionKind::Function => "function",
            CompletionKind::Aggregate => "aggregate",
            CompletionKind::Operator => "operator",
            CompletionKind::Plugin => "plugin",
            CompletionKind::Keyword => "keyword",
            CompletionKind::Parameter => "parameter",
            CompletionKind::Kind => "kind",
            CompletionKind::Watchlist => "watchlist",
        }
    }
}

/// Something that may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is shown.
    pub label: String,
    pub kind: CompletionKind,
    /// What is written in the place of `replaces`.
    pub insert: String,
    /// A column's kind, a function's signature, an operator's summary.
    pub detail: String,
    /// The part of the text that is written already.
    pub replaces: Span,
}

/// What may stand at `position`, a byte of the text, the likeliest first.
pub fn complete(text: &str, position: usize, database: &Database) -> Result<Vec<Completion>> {
    pool::install(Some(1), || completions(text, position, database))
}

fn completions(text: &str, position: usize, database: &Database) -> Vec<Completion> {
    let place = match Place::of(text, position) {
        Place::Open { before, written, replaces } => {
            let open = kql::parse_open(before);
            let now = wall_clock();
            let context = Options::default().context(now);
            let settings = bind::Settings { now, context: &context, scope: None, open_tables: true };
            let seen = bind::visible(&open, database, &settings);
            let mut candidates = Candidates::new(database, seen, written);
            open.wanted.iter().for_each(|wanted| candidates.wanted(*wanted));
            (candidates.found, written, replaces)
        }
        Place::Watchlist { written, replaces } => (candidates::watchlists(database), written, replaces),
        Place::Closed => return Vec::new(),
    };
    let (found, written, replaces) = place;
    rank::ranked(found, written, replaces)
}

#[cfg(test)]
mod tests;
