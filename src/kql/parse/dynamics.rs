//! The inside of `dynamic(...)`: only looked over, so that what is wrong has a place. The text itself
//! stays as it is.
use super::{MAX_DEPTH, Parsed, Parser};
use crate::diagnostic::{Diagnostic, Span};
use crate::kql::lex::{Token, TokenKind, lex};

/// What may stand next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    /// A value, or the end of an empty array.
    Element,
    Key,
    /// A key, or the end of an empty bag.
    Member,
    Colon,
    /// A comma or a closing bracket.
    Separator,
}

impl Next {
    fn name(self) -> &'static str {
        match self {
            Next::Value | Next::Element => "a literal, `[` or `{`",
            Next::Key | Next::Member => "a string as a key",
            Next::Colon => "`:`",
            Next::Separator => "`,` or the closing bracket",
        }
    }
}

impl Parser<'_> {
    /// Reports the first thing that is wrong inside of a dynamic literal.
    pub(super) fn check_dynamic(&mut self, inside: Span) {
        let (tokens, said) = lex(inside.text(self.text));
        let place = |span: Span| Span { start: span.start + inside.start, end: span.end + inside.start };
        let lexed_well = said.is_empty();
        for diagnostic in said {
            let span = diagnostic.span.map_or(inside, place);
            self.report(diagnostic.at(span));
        }
        if let Some((token, next)) = first_mistake(&tokens, inside.text(self.text)).filter(|_| lexed_well) {
            let span = place(token.span);
            let _ = self.dynamic_mistake(span, next);
        }
    }

    fn dynamic_mistake(&mut self, span: Span, next: Option<Next>) -> Parsed<()> {
        let Some(next) = next else { return Err(self.too_deep()) };
        let written = match span.text(self.text) {
            "" => "the end of the dynamic literal".to_string(),
            written => format!("`{written}`"),
        };
        let code = if matches!(next, Next::Value | Next::Element) { "KS006" } else { "KS005" };
        let said = Diagnostic::error(code, format!("{} is expected before {written}", next.name())).at(span);
        let said = match next {
            Next::Value | Next::Element => {
                said.help("only literals stand in dynamic(...); pack_array and bag_pack take values")
            }
            _ => said,
        };
        Err(self.report(said))
    }
}

/// The first token that cannot stand where it does, with what could; without that, the nesting is too
/// deep there.
fn first_mistake(tokens: &[Token], text: &str) -> Option<(Token, Option<Next>)> {
    let mut open: Vec<&str> = Vec::new();
    let mut next = Next::Value;
    let mut tokens = tokens.iter().copied().peekable();
    while let Some(token) = tokens.next() {
        if open.len() > MAX_DEPTH {
            return Some((token, None));
        }
        next = match (next, token.kind) {
            (Next::Separator, TokenKind::End) if open.is_empty() => return None,
            (Next::Value | Next::Element, TokenKind::Symbol("[")) => {
                open.push("]");
                Next::Element
            }
            (Next::Value | Next::Element, TokenKind::Symbol("{")) => {
                open.push("}");
                Next::Member
            }
            (Next::Value | Next::Element, TokenKind::Symbol("-")) if tokens.peek().is_some_and(is_number) => {
                Next::Value
            }
            (Next::Value | Next::Element, TokenKind::String) => {
                // Strings side by side are one.
                while tokens.next_if(|t| t.kind == TokenKind::String).is_some() {}
                Next::Separator
            }
            (Next::Value | Next::Element, _) if is_literal(&token, text) => Next::Separator,
            (Next::Key | Next::Member, TokenKind::String) => Next::Colon,
            (Next::Colon, TokenKind::Symbol(":")) => Next::Value,
            (Next::Separator, TokenKind::Symbol(",")) if open.last() == Some(&"]") => Next::Value,
            (Next::Separator, TokenKind::Symbol(",")) if open.last() == Some(&"}") => Next::Key,
            (Next::Separator | Next::Element | Next::Member, TokenKind::Symbol(close))
                if open.last() == Some(&close) =>
            {
                open.pop();
                Next::Separator
            }
            _ => return Some((token, Some(next))),
        };
    }
    None
}

fn is_number(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Long | TokenKind::Real | TokenKind::TimeSpan)
}

fn is_literal(token: &Token, text: &str) -> bool {
    match token.kind {
        TokenKind::Typed | TokenKind::Dynamic => true,
        TokenKind::Word => {
            matches!(token.span.text(text), "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | "null")
        }
        _ => is_number(token),
    }
}
