//! The place of a text that is to be completed: the word that is begun there, and the text before it.
use crate::diagnostic::Span;
use crate::kql::lex::{Token, TokenKind, lex};

/// Where a completion is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'t> {
    /// In the query itself.
    Open { before: &'t str, written: &'t str, replaces: Span },
    /// In the text that names a watchlist.
    Watchlist { written: &'t str, replaces: Span },
    /// Within a text, a literal or a comment: nothing is known there.
    Closed,
}

impl Place<'_> {
    pub fn of(text: &str, position: usize) -> Place<'_> {
        let mut end = position.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let whole = text.get(..end).unwrap_or("");
        let start = word_start(whole);
        let (before, written) = whole.split_at_checked(start).unwrap_or((whole, ""));
        let replaces = Span::new(before.len(), whole.len());
        let (tokens, said) = lex(before);
        let last = tokens.iter().rev().find(|token| token.kind != TokenKind::End);
        let unclosed = |token: &Token| said.iter().any(|d| d.span.is_some_and(|s| s.start == token.span.start));
        match last {
            Some(token) if token.kind == TokenKind::String && unclosed(token) => in_text(whole, &tokens, token),
            Some(token) if is_literal(token) && unclosed(token) => Place::Closed,
            last if in_comment(before, last.map_or(0, |token| token.span.end as usize)) => Place::Closed,
            _ => Place::Open { before, written, replaces },
        }
    }
}

/// Where the word begins that a text ends with. Operators have hyphens in their names.
fn word_start(text: &str) -> usize {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let start = text.trim_end_matches(is_word).len();
    let hyphenated = text.trim_end_matches(|c| is_word(c) || c == '-');
    if hyphenated.trim_end().ends_with('|') {
        return hyphenated.len();
    }
    match text.get(..start).and_then(|before| before.strip_suffix('!')) {
        Some(before) if before.ends_with(char::is_whitespace) => before.len(),
        _ => start,
    }
}

fn is_literal(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Typed | TokenKind::Dynamic)
}

/// Whether a comment reaches from behind the last token to the end of the text.
fn in_comment(text: &str, from: usize) -> bool {
    text.get(from..).unwrap_or("").rsplit('\n').next().is_some_and(|line| line.contains("//"))
}

/// A text that has begun: `_GetWatchlist("` wants a watchlist.
fn in_text<'t>(text: &'t str, tokens: &[Token], begun: &Token) -> Place<'t> {
    let before: Vec<&str> = tokens.iter().take_while(|t| *t != begun).map(|t| t.span.text(text)).collect();
    let inside = begun.span.start as usize + 1;
    match (before.as_slice(), text.get(inside..)) {
        ([.., "_GetWatchlist", "("], Some(written)) => {
            Place::Watchlist { written, replaces: Span::new(inside, text.len()) }
        }
        _ => Place::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        match Place::of(text, text.len()) {
            Place::Open { before, written, .. } => Some(format!("{before}^{written}")),
            _ => None,
        }
    }

    #[test]
    fn the_word_that_is_begun_is_told_from_the_text_before_it() {
        assert_eq!(written("T | where Us").as_deref(), Some("T | where ^Us"));
        assert_eq!(written("T | project-aw").as_deref(), Some("T | ^project-aw"));
        assert_eq!(written("T | extend x = a-b").as_deref(), Some("T | extend x = a-^b"));
        assert_eq!(written("T | where a !co").as_deref(), Some("T | where a ^!co"));
        assert_eq!(written("T | where a!").as_deref(), Some("T | where a!^"));
        assert_eq!(written("").as_deref(), Some("^"));
    }

    #[test]
    fn nothing_is_known_within_texts_and_comments() {
        for text in
            ["T | where a == \"b", "T // the ta", "print datetime(20", "print dynamic({", "T | where a has 'x y"]
        {
            assert_eq!(written(text), None, "{text}");
        }
        assert!(written("T // a comment\n| wh").is_some());
        assert!(written("T | where a == \"b//c\" and ").is_some());
    }

    #[test]
    fn a_watchlist_is_named_within_a_text() {
        let text = "_GetWatchlist('Hig";
        assert_eq!(Place::of(text, 18), Place::Watchlist { written: "Hig", replaces: Span::new(15, 18) });
    }

    #[test]
    fn any_position_has_a_place() {
        for at in 0..20 {
            Place::of("T | where é == 'ß'", at);
        }
    }
}
