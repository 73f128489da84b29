//! What may stand at the end of a text: the grammar tells it, by what it looks for there.
//!
//! A text that ends where something is to be written is read as any other, but at its end everything that is looked
//! for is noted down, and the first thing that must stand there is taken to: the tree is whole although the text is
//! not, so that the binder knows what can be seen at that place.
use super::{Parser, read};
use crate::diagnostic::Span;
use crate::kql::ast::{Expression, ExpressionKind, Name, Query};
use crate::kql::lex::TokenKind;
use std::cell::{Cell, RefCell};

/// Something that may stand at the end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    Statement,
    Operator,
    /// A scalar, or what makes rows where a query may stand.
    Expression,
    /// What joins two operands.
    Infix,
    Table,
    /// A column that is there already.
    Column,
    /// What stands behind a dot.
    Member,
    Plugin,
    /// A function of rows: what `invoke` takes.
    Function,
    Kind,
    Chart,
    /// A word of the grammar, or the `|` before the next operator.
    Word(&'static str),
    /// `name=` before an operator's operands.
    Parameter(&'static str),
}

/// What was looked for at the end of the text, until something was taken to stand there.
#[derive(Default)]
pub(super) struct Wants {
    found: RefCell<Vec<Wanted>>,
    settled: Cell<bool>,
    /// Whether a name was taken to stand there.
    named: Cell<bool>,
}

/// The text of a name that is taken to stand behind what is to be written; no query can write it.
pub(in crate::kql) const ASSUMED: &str = "\0";

/// A text that is not whole.
#[derive(Clone, Debug, Default)]
pub struct OpenText {
    /// The name that is to be written is empty.
    pub query: Query,
    /// What may stand at the end.
    pub wanted: Vec<Wanted>,
    /// Where the last token ends.
    pub end: u32,
}

/// Reads a text whose end is the place where something is to be written.
pub fn parse_open(text: &str) -> OpenText {
    let (open, _) = read(text, |parser| {
        parser.wants = Some(Wants::default());
        let statements = parser.statements(|_| false);
        let wanted = parser.wants.take().map(|wants| wants.found.into_inner()).unwrap_or_default();
        let last = parser.tokens.iter().rev().find(|token| token.kind != TokenKind::End);
        let query = Query { statements, span: Span::new(0, text.len()) };
        OpenText { query, wanted, end: last.map_or(0, |token| token.span.end) }
    });
    open
}

impl Parser<'_> {
    /// Notes down that something may stand here, where the text ends here.
    pub(super) fn want(&self, wanted: Wanted) {
        if let Some(wants) = self.wants.as_ref().filter(|wants| self.at_end() && !wants.settled.get()) {
            let mut found = wants.found.borrow_mut();
            if !found.contains(&wanted) {
                found.push(wanted);
            }
        }
    }

    /// Whether the text ends here and nothing is taken to stand here yet.
    pub(super) fn may_go_on(&self) -> bool {
        self.at_end() && self.wants.as_ref().is_some_and(|wants| !wants.settled.get())
    }

    /// Whether the text ends here and what is looked for is taken to stand here.
    pub(super) fn assumed(&self) -> bool {
        let Some(wants) = self.wants.as_ref().filter(|_| self.at_end()) else { return false };
        wants.settled.set(true);
        true
    }

    /// [`Self::assumed`], of something that can be named.
    pub(super) fn assumed_to_be(&self, wanted: Wanted) -> bool {
        self.want(wanted);
        self.assumed()
    }

    /// The words that a parameter's value may be, where the text ends before that value.
    pub(super) fn want_value(&self, value: &Expression, words: impl Iterator<Item = &'static str>) -> bool {
        let unwritten = matches!(&value.kind, ExpressionKind::Name(name) if name.text.is_empty());
        let Some(wants) = self.wants.as_ref().filter(|_| unwritten) else { return false };
        *wants.found.borrow_mut() = words.map(Wanted::Word).collect();
        true
    }

    /// The name that is taken to stand at the end: the first is what is to be written, those behind it only follow.
    pub(super) fn unwritten(&self) -> Name {
        let first = self.wants.as_ref().is_some_and(|wants| !wants.named.replace(true));
        let text = if first { String::new() } else { ASSUMED.to_owned() };
        Name { text, span: self.token().span }
    }
}
