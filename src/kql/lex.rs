//! Text to tokens. Keywords are words like any other: only the parser knows where a word is a name.
mod strings;

pub use strings::decode;

use crate::diagnostic::{Diagnostic, Span};

/// More would tell nobody anything.
pub const MAX_DIAGNOSTICS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An identifier or a keyword, also `!in`, `in~`, `$left`, `1x`.
    Word,
    Long,
    Real,
    /// `1d`, `1.5h`
    TimeSpan,
    /// A guid that stands bare.
    Guid,
    /// `datetime(...)`, `int(...)` ...: a kind's name with what is in its parentheses.
    Typed,
    /// `dynamic(...)`
    Dynamic,
    /// One string literal with its prefix and quotes.
    String,
    Symbol(&'static str),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// How many brackets are open around it; an opening or closing bracket counts as outside.
    pub level: u32,
}

/// Longest first.
const SYMBOLS: &[&str] = &[
    "==", "=~", "=>", "!=", "!~", "<>", "<=", ">=", "..", "|", ";", ",", ":", ".", "=", "<", ">", "+", "-", "*", "/",
    "%", "(", ")", "[", "]", "{", "}",
];

/// Words that are one token with the `!` before them.
const NEGATABLE: &[&str] = &[
    "in",
    "between",
    "contains",
    "contains_cs",
    "startswith",
    "startswith_cs",
    "endswith",
    "endswith_cs",
    "has",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
];

/// Names whose `name(...)` is a literal whatever stands in the parentheses.
const TYPED: &[&str] = &[
    "bool", "date", "datetime", "decimal", "double", "guid", "int", "int32", "int64", "long", "real", "time",
    "timespan",
];

/// Units of a timespan literal. Source: the page "The timespan data type".
const UNITS: &[&str] = &[
    "d",
    "day",
    "days",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "m",
    "min",
    "minute",
    "minutes",
    "s",
    "sec",
    "second",
    "seconds",
    "ms",
    "milli",
    "millis",
    "millisec",
    "millisecond",
    "milliseconds",
    "micro",
    "micros",
    "microsec",
    "microsecond",
    "microseconds",
    "nano",
    "nanos",
    "nanosec",
    "nanosecond",
    "nanoseconds",
    "tick",
    "ticks",
];

/// Splits a text into tokens; the last one is always `End`. What cannot be a token is reported and
/// left out.
pub fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, position: 0, level: 0, tokens: Vec::new(), diagnostics: Vec::new() };
    while lexer.position < text.len() {
        lexer.next();
    }
    let end = Span::new(text.len(), text.len());
    lexer.tokens.push(Token { kind: TokenKind::End, span: end, level: lexer.level });
    (lexer.tokens, lexer.diagnostics)
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    level: u32,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn next(&mut self) {
        let rest = self.text.get(self.position..).unwrap_or("");
        let Some(first) = rest.chars().next() else { return };
        if is_space(first) {
            self.position += rest.len() - rest.trim_start_matches(is_space).len();
        } else if rest.starts_with("//") {
            self.position += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(opening) = strings::opening(rest) {
            self.string(rest, opening);
        } else if first.is_ascii_alphabetic() || matches!(first, '_' | '$') {
            self.word(rest);
        } else if first.is_ascii_digit() {
            let (kind, length) = number(rest);
            self.push(kind, length);
        } else {
            self.symbol(rest, first);
        }
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let closes = matches!(kind, TokenKind::Symbol(")" | "]" | "}"));
        self.level = self.level.saturating_sub(u32::from(closes));
        let span = Span::new(self.position, self.position + length);
        self.tokens.push(Token { kind, span, level: self.level });
        self.level += u32::from(matches!(kind, TokenKind::Symbol("(" | "[" | "{")));
        self.position += length;
    }

    fn report(&mut self, said: Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(said);
        }
    }

    fn string(&mut self, rest: &str, opening: strings::Opening) {
        let scanned = strings::scan(rest, opening);
        for (offset, length) in scanned.bad_escapes {
            let at = self.position + offset;
            let written = rest.get(offset..offset + length).unwrap_or("\\");
            let said = Diagnostic::error("KS001", format!("`{written}` is not an escape sequence"));
            let help = "double the backslash, or put @ before the opening quote: @\"C:\\path\"";
            self.report(said.at(Span::new(at, at + length)).help(help));
        }
        if !scanned.closed {
            let said = Diagnostic::error("KS001", format!("this string has no closing {}", opening.quote));
            let at = Span::new(self.position, self.position + scanned.length);
            self.report(said.at(at).help("a string in single or double quotes ends on its line"));
        }
        self.push(TokenKind::String, scanned.length);
    }

    fn word(&mut self, rest: &str) {
        let length = word_length(rest);
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if let Some(length) = guid(rest) {
            self.push(TokenKind::Guid, length);
        } else if word == "dynamic" && after.trim_start_matches(is_space).starts_with('(') {
            self.dynamic(rest, length);
        } else if after.starts_with('(') && TYPED.contains(&word) {
            self.typed(after, length);
        } else {
            self.push(TokenKind::Word, length + usize::from(word == "in" && after.starts_with('~')));
        }
    }

    fn typed(&mut self, after: &str, length: usize) {
        let inside = after.find([')', '\r', '\n']).unwrap_or(after.len());
        let closed = after.get(inside..).is_some_and(|rest| rest.starts_with(')'));
        let whole = length + inside + usize::from(closed);
        if !closed {
            self.unclosed(whole);
        }
        self.push(TokenKind::Typed, whole);
    }

    fn dynamic(&mut self, rest: &str, length: usize) {
        let (inside, closed) = balanced(rest.get(length..).unwrap_or(""));
        if !closed {
            self.unclosed(length);
        }
        self.push(TokenKind::Dynamic, length + inside);
    }

    fn unclosed(&mut self, length: usize) {
        let at = Span::new(self.position, self.position + length);
        self.report(Diagnostic::error("KS001", "this literal has no closing )").at(at));
    }

    fn symbol(&mut self, rest: &str, first: char) {
        if let Some(after) = rest.strip_prefix('!') {
            let length = word_length(after);
            let word = after.get(..length).unwrap_or("");
            if NEGATABLE.contains(&word) {
                let tilde = word == "in" && after.get(length..).is_some_and(|r| r.starts_with('~'));
                return self.push(TokenKind::Word, 1 + length + usize::from(tilde));
            }
        }
        if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            return self.push(TokenKind::Symbol(symbol), symbol.len());
        }
        // `&&` is one mistake.
        let length = if rest.starts_with("&&") { 2 } else { first.len_utf8() };
        self.report(unexpected(first).at(Span::new(self.position, self.position + length)));
        self.position += length;
    }
}

fn unexpected(character: char) -> Diagnostic {
    let said = Diagnostic::error("KS002", format!("the character `{}` is unexpected", character.escape_debug()));
    match character {
        '&' => said.help("write `and`"),
        '!' => said.help("write `not(...)`"),
        '“' | '”' | '‘' | '’' => said.help("write plain quotes: \" or '"),
        '–' | '—' => said.help("write a plain minus sign: -"),
        c if c.is_alphabetic() => said.help("write a name with such a character in brackets: ['name']"),
        _ => said,
    }
}

/// A string literal of a query.
pub struct Literal {
    /// What it means.
    pub text: String,
    pub span: Span,
}

/// The string literals of a query that are not empty, in their order.
pub fn literals(text: &str) -> impl Iterator<Item = Literal> + '_ {
    let tokens = lex(text).0.into_iter().filter(|token| token.kind == TokenKind::String);
    let literals = tokens.map(|token| Literal { text: decode(token.span.text(text)).0, span: token.span });
    literals.filter(|literal| !literal.text.is_empty())
}

/// White space, and what pasted text has in its place.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of the word that a text begins with; a `$` may stand only at its start.
fn word_length(text: &str) -> usize {
    let from = usize::from(text.starts_with('$'));
    let rest = text.get(from..).unwrap_or("");
    from + rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

/// A token that begins with a digit: the first form that ends at a word's end wins, and a name may
/// begin with digits.
fn number(text: &str) -> (TokenKind, usize) {
    let ends = |length: usize| !text.get(length..).is_some_and(|rest| rest.starts_with(is_word));
    let forms = [
        (TokenKind::Guid, guid(text)),
        (TokenKind::Real, real(text)),
        (TokenKind::TimeSpan, timespan(text)),
        (TokenKind::Long, hexadecimal(text)),
        (TokenKind::Long, Some(digits(text))),
    ];
    let found = forms.into_iter().find_map(|(kind, length)| length.filter(|n| ends(*n)).map(|n| (kind, n)));
    found.unwrap_or((TokenKind::Word, word_length(text)))
}

fn real(text: &str) -> Option<usize> {
    let whole = digits(text);
    let rest = text.get(whole..)?;
    // `1..5` is a range between two integers.
    if rest.starts_with('.') && (!rest.starts_with("..") || rest.starts_with("...")) {
        let length = whole + 1 + digits(rest.get(1..)?);
        return Some(length + exponent(text.get(length..)?).unwrap_or(0));
    }
    Some(whole + exponent(rest)?)
}

fn exponent(text: &str) -> Option<usize> {
    let after = text.strip_prefix(['e', 'E'])?;
    let sign = usize::from(after.starts_with(['+', '-']));
    let count = digits(after.get(sign..)?);
    (count > 0).then_some(1 + sign + count)
}

fn timespan(text: &str) -> Option<usize> {
    let mut length = digits(text);
    if let Some(fraction) = text.get(length..)?.strip_prefix('.') {
        length += match digits(fraction) {
            0 => return None,
            count => count + 1,
        };
    }
    let rest = text.get(length..)?;
    let unit = rest.get(..rest.find(|c| !is_word(c)).unwrap_or(rest.len()))?;
    UNITS.contains(&unit).then_some(length + unit.len())
}

fn hexadecimal(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("0x").or(text.strip_prefix("0X"))?;
    let count = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    (count > 0).then_some(2 + count)
}

/// The length of a bare guid: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn guid(text: &str) -> Option<usize> {
    let candidate = text.as_bytes().get(..36)?;
    let fits = candidate.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    let ends = !text.get(36..)?.starts_with(is_word);
    (fits && ends).then_some(36)
}

/// The length of a text up to the parenthesis that closes its first one, and whether there is one.
/// Strings and comments in between are skipped.
fn balanced(text: &str) -> (usize, bool) {
    let (mut position, mut depth) = (0, 0usize);
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("//") {
            position += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(opening) = strings::opening(rest) {
            position += strings::scan(rest, opening).length;
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
            match rest.as_bytes().first() {
                Some(b'(') => depth += 1,
                Some(b')') if depth <= 1 => return (position, true),
                // These end the statement or the operator: the parenthesis was forgotten.
                Some(b';' | b'|') => return (position - 1, false),
                Some(b')') => depth -= 1,
                _ => {}
            }
        }
    }
    (text.len(), false)
}

#[cfg(test)]
mod tests;
