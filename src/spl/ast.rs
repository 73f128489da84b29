//! What a search is made of: commands between pipes, and inside of them search terms and eval expressions.
//!
//! Every span is a place of the search as it was written, whatever macros lie between.
use super::expand::Script;
use crate::diagnostic::Span;
use std::sync::Arc;

/// Commands with pipes between them: a whole search, or one in square brackets.
#[derive(Clone, Debug)]
pub struct Search {
    pub script: Arc<Script>,
    /// The bytes of the script's text that it takes, without its brackets.
    pub start: usize,
    pub end: usize,
    pub span: Span,
    /// Whether it begins with a pipe: its first command makes the rows.
    pub piped: bool,
    pub commands: Vec<Command>,
}

/// One command with its arguments, which are read when it is lowered: each command has a grammar of its own.
#[derive(Clone, Debug)]
pub struct Command {
    pub name: Word,
    pub script: Arc<Script>,
    /// The bytes of the script's text that the arguments take.
    pub start: usize,
    pub end: usize,
    /// The searches in square brackets among the arguments.
    pub searches: Vec<Search>,
    /// The place of all of it.
    pub span: Span,
}

/// A name or a value: without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub span: Span,
    pub quoted: bool,
}

impl Word {
    pub fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(keyword)
    }
}

/// An expression of `eval` and `where`.
#[derive(Clone, Debug)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExpressionKind {
    Number(String),
    Text(String),
    Field(String),
    Call {
        name: Word,
        arguments: Vec<Expression>,
    },
    Negate(Box<Expression>),
    Not(Box<Expression>),
    /// Arithmetic, concatenation and comparisons: the operator as the function library names it.
    Binary {
        operator: &'static str,
        operands: Box<[Expression; 2]>,
    },
    In {
        value: Box<Expression>,
        list: Vec<Expression>,
    },
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Xor(Vec<Expression>),
}

/// The expressions inside of a kind, borrowed as the names of two methods say.
macro_rules! parts_of {
    ($kind:expr, $iter:ident, $as_ref:ident) => {
        match $kind {
            ExpressionKind::Number(_) | ExpressionKind::Text(_) | ExpressionKind::Field(_) => Vec::new(),
            ExpressionKind::Call { arguments: parts, .. }
            | ExpressionKind::And(parts)
            | ExpressionKind::Or(parts)
            | ExpressionKind::Xor(parts) => parts.$iter().collect(),
            ExpressionKind::Negate(inner) | ExpressionKind::Not(inner) => vec![inner.$as_ref()],
            ExpressionKind::Binary { operands, .. } => operands.$iter().collect(),
            ExpressionKind::In { value, list } => std::iter::once(value.$as_ref()).chain(list).collect(),
        }
    };
}

impl Expression {
    /// The names of the fields that it reads.
    pub fn fields(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let mut stack = vec![self];
        while let Some(expression) = stack.pop() {
            match &expression.kind {
                ExpressionKind::Field(name) => found.push(name.as_str()),
                _ => stack.extend(expression.parts()),
            }
        }
        found
    }

    /// Whether it calls a function anywhere.
    pub fn calls(&self, function: &str) -> bool {
        self.is_call(function) || self.parts().into_iter().any(|part| part.calls(function))
    }

    /// Whether it is a call of a function.
    pub fn is_call(&self, function: &str) -> bool {
        self.arguments_of(function).is_some()
    }

    /// The arguments of a call of that function.
    pub fn arguments_of(&self, function: &str) -> Option<&[Expression]> {
        match &self.kind {
            ExpressionKind::Call { name, arguments } if name.is(function) => Some(arguments),
            _ => None,
        }
    }

    /// The expressions that it is made of.
    fn parts(&self) -> Vec<&Expression> {
        parts_of!(&self.kind, iter, as_ref)
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Expression> {
        parts_of!(&mut self.kind, iter_mut, as_mut)
    }
}

/// What `search` and the `where` of `tstats` look for.
#[derive(Clone, Debug)]
pub enum Term {
    And(Vec<Term>),
    Or(Vec<Term>),
    Not(Box<Term>),
    /// `field=value` and its like.
    Compare {
        field: Word,
        operator: Comparison,
        value: Word,
    },
    /// `field IN (a, b)`.
    In {
        field: Word,
        values: Vec<Word>,
    },
    /// A word or a phrase anywhere in the event.
    Text {
        text: Word,
        form: TextForm,
    },
    /// `field=CASE(x)`.
    Case {
        field: Word,
        value: Word,
    },
    /// The rows of a search as a condition: the number of the search among the command's.
    Search(usize),
    /// `field=[search]`: the values that the search gives.
    SearchOf {
        field: Word,
        operator: Comparison,
        number: usize,
    },
}

impl Term {
    /// Gives every field that is compared with something.
    pub fn fields(&self, visit: &mut dyn FnMut(&Word)) {
        match self {
            Term::And(parts) | Term::Or(parts) => parts.iter().for_each(|part| part.fields(visit)),
            Term::Not(inner) => inner.fields(visit),
            Term::Compare { field, .. } | Term::In { field, .. } | Term::Case { field, .. } => visit(field),
            Term::SearchOf { field, .. } => visit(field),
            Term::Text { .. } | Term::Search(_) => {}
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    Plain,
    /// `TERM(x)`: between spaces and other major breakers.
    Term,
    /// `CASE(x)`: in this case alone.
    Case,
}
