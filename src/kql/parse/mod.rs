//! Tokens to a syntax tree, by recursive descent.
//!
//! A mistake is reported once and costs the operator or the statement it stands in: reading goes on
//! behind the next `|` or `;`. A function that fails has reported why (`Reported`).
mod dynamics;
mod expressions;
mod literals;
mod names;
mod operators;
mod pipelines;
mod statements;
mod wanted;

#[cfg(test)]
mod tests;

pub use expressions::is_infix;
pub use operators::names as operators;
pub(super) use wanted::ASSUMED;
pub use wanted::{OpenText, Wanted, parse_open};

use super::ast::{Function, Query};
use super::lex::{MAX_DIAGNOSTICS, Token, TokenKind, lex};
use crate::diagnostic::{Diagnostic, Span};
use wanted::Wants;

/// How deep expressions, sub-queries and function bodies may nest.
pub const MAX_DEPTH: usize = 256;

/// The levels that an operator counts for: reading one takes the stack of two expressions.
const OPERATOR_LEVELS: usize = 2;

/// How high a tree may grow by chains such as `a + b + c ...`, whose nodes nest to the left.
const MAX_HEIGHT: usize = 512;

/// Operands read within operands: what bounds the stack.
const MAX_OPERANDS: usize = MAX_DEPTH + MAX_DEPTH / 2;

/// Something is wrong, and a diagnostic says what.
#[derive(Clone, Copy, Debug)]
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// Reads a query text. The tree is whole even where there are errors: what could not be read is
/// `OperatorKind::Unknown`, or left out where it is a statement.
pub fn parse(text: &str) -> (Query, Vec<Diagnostic>) {
    read(text, |parser| Query { statements: parser.statements(|_| false), span: Span::new(0, text.len()) })
}

/// Reads a saved function: `(parameters) { body }`, or a query, which is the body of one without parameters.
pub fn parse_function(text: &str) -> (Function, Vec<Diagnostic>) {
    read(text, |parser| {
        if parser.at_function() {
            let function = parser.function().unwrap_or_default();
            parser.eat(";");
            if !parser.at_end() {
                let said = format!("{} is unexpected here: the function has ended", parser.here());
                parser.report(Diagnostic::error("KS005", said).at(parser.token().span));
            }
            return function;
        }
        let whole = Span::new(0, text.len());
        let body = parser.statements(|_| false);
        Function { view: false, parameters: Vec::new(), body, body_span: whole, span: whole }
    })
}

/// What `reads` makes of a text, and the diagnostics in the order of their places.
fn read<T: Default>(text: &str, reads: impl FnOnce(&mut Parser) -> T) -> (T, Vec<Diagnostic>) {
    if u32::try_from(text.len()).is_err() {
        return (T::default(), vec![Diagnostic::error("HP300", "the query text is longer than 4 GB")]);
    }
    let (tokens, diagnostics) = lex(text);
    let mut parser = Parser {
        text,
        tokens,
        diagnostics,
        position: 0,
        depth: 0,
        operands: 0,
        height: 0,
        gave_up: false,
        wants: None,
    };
    let tree = reads(&mut parser);
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.span.map(|span| span.start));
    (tree, diagnostics)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
    position: usize,
    depth: usize,
    operands: usize,
    /// Nothing more is read or reported.
    gave_up: bool,
    /// Of the highest tree read so far within the enclosing nested part.
    height: usize,
    /// What is looked for at the end of a text that is not whole.
    wants: Option<Wants>,
}

impl<'a> Parser<'a> {
    fn token(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> Token {
        let end = || Token { kind: TokenKind::End, span: Span::new(self.text.len(), self.text.len()), level: 0 };
        self.tokens.get(self.position + count).or(self.tokens.last()).copied().unwrap_or_else(end)
    }

    fn written(&self, token: Token) -> &'a str {
        token.span.text(self.text)
    }

    fn advance(&mut self) -> Token {
        let token = self.token();
        self.position = (self.position + 1).min(self.tokens.len().saturating_sub(1));
        token
    }

    /// Whether a symbol stands here. A bracket that closes is taken to where a text is not whole.
    fn at(&self, symbol: &str) -> bool {
        self.is_symbol(0, symbol) || (matches!(symbol, ")" | "]" | "}") && self.assumed())
    }

    fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.ahead(ahead).kind, TokenKind::Symbol(s) if s == symbol)
    }

    fn at_word(&self, word: &'static str) -> bool {
        self.want(Wanted::Word(word));
        self.is_word(0, word)
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.ahead(ahead);
        token.kind == TokenKind::Word && self.written(token) == word
    }

    fn at_end(&self) -> bool {
        self.token().kind == TokenKind::End
    }

    /// Whether a token stands right behind the one before it, without a space.
    fn touches(&self, ahead: usize) -> bool {
        ahead + self.position > 0
            && self.tokens.get(self.position + ahead - 1).map(|t| t.span.end) == Some(self.ahead(ahead).span.start)
    }

    /// Whether the last token that was read is this symbol.
    fn after(&self, symbol: &str) -> bool {
        let last = self.position.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.is_some_and(|token| matches!(token.kind, TokenKind::Symbol(s) if s == symbol))
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.at(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn eat_word(&mut self, word: &'static str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Parsed<Token> {
        if self.at(symbol) || self.assumed() { Ok(self.advance()) } else { self.expected(&format!("`{symbol}`")) }
    }

    fn expect_word(&mut self, word: &'static str) -> Parsed<Token> {
        if self.at_word(word) || self.assumed() { Ok(self.advance()) } else { self.expected(&format!("`{word}`")) }
    }

    /// The span from a place up to the end of the last token read.
    fn since(&self, start: Span) -> Span {
        let last = self.position.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |t| t.span);
        if last.end > start.start { start.to(last) } else { start }
    }

    fn report(&mut self, said: Diagnostic) -> Reported {
        if self.gave_up || self.diagnostics.contains(&said) {
            return Reported;
        }
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(said);
        } else {
            self.give_up();
        }
        Reported
    }

    /// What stands here, for a message.
    fn here(&self) -> String {
        let token = self.token();
        if token.kind == TokenKind::End {
            return "the end of the query".into();
        }
        let written: String = self.written(token).chars().take(40).collect();
        format!("`{}`", written.replace(['\r', '\n'], " "))
    }

    fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let said = Diagnostic::error("KS005", format!("{what} is expected before {}", self.here()));
        Err(self.report(said.at(self.token().span)))
    }

    fn missing<T>(&mut self, what: &str) -> Parsed<T> {
        let said =
            Diagnostic::error("KS006", format!("{what} is missing before {}", self.here())).at(self.token().span);
        let word = self.written(self.token());
        let said = match self.token().kind {
            TokenKind::Symbol("=") if self.after("==") || self.after("=") => said.help("compare with `==`"),
            TokenKind::Word => said.help(format!("if `{word}` is a name here, write ['{word}']")),
            _ => said,
        };
        Err(self.report(said))
    }

    /// Reads a nested part, unless that would be one too many.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = self.enter(1)?;
        let result = read(self);
        self.leave(1, outer);
        result
    }

    /// Begins a nested part that counts for some levels; gives the height that `leave` wants back.
    fn enter(&mut self, levels: usize) -> Parsed<usize> {
        if self.depth + levels > MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += levels;
        Ok(std::mem::take(&mut self.height))
    }

    fn leave(&mut self, levels: usize, outer: usize) {
        self.depth -= levels;
        self.height = outer.max(self.height + 1);
    }

    /// One more node on top of the tree that is being read.
    fn grow(&mut self) -> Parsed<()> {
        self.height += 1;
        if self.height > MAX_HEIGHT { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&mut self) -> Reported {
        let said = Diagnostic::error("HP302", format!("this is nested more than {MAX_DEPTH} levels deep"));
        self.report(said.at(self.token().span).help("split the query: give its parts names with `let`"));
        self.give_up();
        Reported
    }

    /// Ends the reading where going on would cost much and tell nothing.
    fn give_up(&mut self) {
        self.gave_up = true;
        self.position = self.tokens.len().saturating_sub(1);
    }

    /// One or more items with commas between them.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            if !self.eat(",") {
                return Ok(items);
            }
        }
    }

    /// Items with commas between them up to a closing bracket, which is read too.
    fn list_until<T>(&mut self, close: &str, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.is_symbol(0, close) {
            self.advance();
            return Ok(Vec::new());
        }
        let items = self.list(item)?;
        if !self.at(close) {
            return self.expected(&format!("`,` or `{close}`"));
        }
        self.advance();
        Ok(items)
    }

    /// Moves to the end of the part that a mistake spoils: to a token that `stops` at the bracket level
    /// of `start`, or to the bracket that closes around it.
    fn skip_to(&mut self, start: Token, stops: &[&str]) {
        let is_stop = |t: &Token| match t.kind {
            TokenKind::Symbol(symbol) => stops.contains(&symbol),
            kind => kind == TokenKind::End,
        };
        let rest = self.tokens.get(self.position..).unwrap_or(&[]);
        let whole = |t: &Token| t.level < start.level || (t.level == start.level && is_stop(t));
        // Without a partner, a bracket hides every stop behind it.
        let found = rest.iter().position(whole).or_else(|| rest.iter().position(is_stop));
        self.position += found.unwrap_or(rest.len().saturating_sub(1));
    }
}
