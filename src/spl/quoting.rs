//! Quotes and escapes of a search's text.

/// The length of a quoted part, both quotes included: a backslash takes the next character along. None where it is
/// not closed.
pub fn length(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if quote == '"' => drop(characters.next()),
            // An argument of a macro may hold a backtick in double quotes.
            '"' if quote == '`' => {
                let inner = length(text.get(at..)?, '"')?;
                while characters.clone().next().is_some_and(|(next, _)| next < at + inner) {
                    characters.next();
                }
            }
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// What a text between double quotes means: `\\` is a backslash and `\"` a quote; any other `\x` stays two
/// characters, for it belongs to a regular expression.
pub fn unescaped(inside: &str) -> String {
    if !inside.contains('\\') {
        return inside.to_owned();
    }
    let mut out = String::with_capacity(inside.len());
    let mut characters = inside.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('\\', Some(next @ ('\\' | '"'))) => {
                out.push(*next);
                characters.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// A text without the double quotes around it.
pub fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\\\"", "\""),
        None => text.to_owned(),
    }
}

/// The parts between separators that stand neither in quotes nor in brackets; none of an empty text.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let (mut parts, mut start, mut at, mut depth) = (Vec::new(), 0, 0, 0usize);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '"' => at += text.get(at..).and_then(|rest| length(rest, '"')).map_or(0, |n| n - 1),
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or(""));
                start = at + c.len_utf8();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_backslashes_and_quotes_are_escaped() {
        assert_eq!(unescaped(r#"a\\b\"c\d\\\(x"#), r#"a\b"c\d\\(x"#);
        assert_eq!(unescaped("\\"), "\\");
    }

    #[test]
    fn a_quoted_part_ends_at_the_quote_that_is_not_escaped() {
        assert_eq!(length(r#""a\"b" c"#, '"'), Some(6));
        assert_eq!(length(r#""a\\" c"#, '"'), Some(5));
        assert_eq!(length(r#""a"#, '"'), None);
        assert_eq!(length("`m(\"`\")` x", '`'), Some(8));
    }

    #[test]
    fn arguments_split_at_commas_outside_of_quotes_and_brackets() {
        assert_eq!(split(r#"a, "b, c", if(x, 1, 2)"#, ','), ["a", r#" "b, c""#, " if(x, 1, 2)"]);
        assert!(split("  ", ',').is_empty());
    }
}
