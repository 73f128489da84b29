//! String literals: `"..."`, `'...'`, verbatim `@"..."`, hidden `h"..."`, and those of several lines.
//!
//! Source: the page "The string data type".

/// How a string literal begins.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// `"`, `'`, three backticks or three tildes.
    pub quote: &'static str,
    /// No escapes; a doubled quote stands for one.
    pub verbatim: bool,
    /// `h` or `H` stands before it.
    pub hidden: bool,
}

pub struct Scanned {
    /// In bytes, with the prefix and the quotes.
    pub length: usize,
    pub closed: bool,
    /// Offset and length of each backslash that begins no escape.
    pub bad_escapes: Vec<(usize, usize)>,
}

impl Opening {
    fn prefix(&self) -> usize {
        usize::from(self.hidden) + usize::from(self.verbatim)
    }

    fn is_multiline(&self) -> bool {
        self.quote.len() > 1
    }
}

/// The opening of a string literal at the start of a text.
pub fn opening(text: &str) -> Option<Opening> {
    let (hidden, text) = text.strip_prefix(['h', 'H']).map_or((false, text), |rest| (true, rest));
    let (verbatim, text) = text.strip_prefix('@').map_or((false, text), |rest| (true, rest));
    let quote = ["\"", "'", "```", "~~~"].into_iter().find(|quote| text.starts_with(quote))?;
    Some(Opening { quote, verbatim, hidden })
}

/// Finds the end of the literal that `text` begins with. Without a closing quote it ends with the line
/// (with the text where it may have several lines).
pub fn scan(text: &str, opening: Opening) -> Scanned {
    let start = opening.prefix() + opening.quote.len();
    let body = text.get(start..).unwrap_or("");
    if opening.is_multiline() {
        let end = body.find(opening.quote);
        let length = end.map_or(text.len(), |at| start + at + opening.quote.len());
        return Scanned { length, closed: end.is_some(), bad_escapes: Vec::new() };
    }
    scan_line(text, start, opening)
}

fn scan_line(text: &str, start: usize, opening: Opening) -> Scanned {
    let mut position = start;
    let mut bad_escapes = Vec::new();
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if opening.verbatim
            && rest.starts_with(opening.quote)
            && rest.get(1..).is_some_and(|r| r.starts_with(opening.quote))
        {
            position += 2;
        } else if rest.starts_with(opening.quote) {
            return Scanned { length: position + 1, closed: true, bad_escapes };
        } else if rest.starts_with(['\r', '\n']) {
            break;
        } else if rest.starts_with('\\') && !opening.verbatim {
            let (_, length) = escape(rest).unwrap_or_else(|| {
                let length = bad_length(rest);
                bad_escapes.push((position, length));
                (None, length)
            });
            position += length;
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Scanned { length: position, closed: false, bad_escapes }
}

/// The backslash and the character after it, unless that ends the line.
fn bad_length(rest: &str) -> usize {
    1 + rest.chars().nth(1).filter(|c| !matches!(c, '\r' | '\n')).map_or(0, char::len_utf8)
}

/// What an escape sequence stands for (a code point that is no character stands for nothing), and its
/// length with the backslash.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let simple = match text.chars().nth(1)? {
        c @ ('\\' | '\'' | '"') => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hexadecimal(text, 2),
        'u' => return hexadecimal(text, 4),
        'U' => return hexadecimal(text, 8),
        '0'..='7' => return octal(text),
        _ => return None,
    };
    Some((Some(simple), 2))
}

fn hexadecimal(text: &str, count: usize) -> Option<(Option<char>, usize)> {
    let digits = text.get(2..2 + count)?;
    let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| all)?;
    Some((char::from_u32(code), 2 + count))
}

/// One to three octal digits; three only up to `\377`.
fn octal(text: &str) -> Option<(Option<char>, usize)> {
    let most = if text.get(1..2).is_some_and(|first| first <= "3") { 3 } else { 2 };
    let count = text.bytes().skip(1).take(most).take_while(|b| (b'0'..=b'7').contains(b)).count();
    let code = u32::from_str_radix(text.get(1..1 + count)?, 8).ok()?;
    Some((char::from_u32(code), 1 + count))
}

/// The text that a string literal means, and whether it is a hidden one.
pub fn decode(literal: &str) -> (String, bool) {
    let Some(opening) = opening(literal) else { return (literal.to_string(), false) };
    let body = literal.get(opening.prefix() + opening.quote.len()..).unwrap_or("");
    let body = body.strip_suffix(opening.quote).unwrap_or(body);
    let text = if opening.is_multiline() {
        body.to_string()
    } else if opening.verbatim {
        body.replace(&opening.quote.repeat(2), opening.quote)
    } else {
        unescape(body)
    };
    (text, opening.hidden)
}

fn unescape(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        text.push_str(before);
        let (character, length) = surrogates(escaped).or_else(|| escape(escaped)).unwrap_or((Some('\\'), 1));
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escaped.get(length..).unwrap_or("");
    }
    text + rest
}

/// Two `\u` escapes that make one character.
fn surrogates(text: &str) -> Option<(Option<char>, usize)> {
    let half = |from: usize| {
        let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let character = char::decode_utf16([half(0)?, half(6)?]).next()?.ok()?;
    (character.len_utf16() == 2).then_some((Some(character), 12))
}
