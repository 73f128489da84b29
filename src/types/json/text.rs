//! Between dynamic values and texts: `tostring()`, `parse_json()`, quotes and escapes.
use super::form::{Form, form, plain};
use super::quick::pass;
use super::{Json, JsonKind, is_blank, scalar_end, string_end};
use memchr::memchr;
use std::borrow::Cow;

/// What `tostring()` makes of a dynamic: a string without quotes, `""` for null, otherwise standard JSON.
pub fn to_string(json: &str) -> Cow<'_, str> {
    let value = Json::new(json);
    match value.kind() {
        JsonKind::Null => Cow::Borrowed(""),
        JsonKind::String => value.as_str().unwrap_or_default(),
        JsonKind::Array | JsonKind::Object => standard(value.text()),
        JsonKind::DateTime | JsonKind::TimeSpan | JsonKind::Guid | JsonKind::Decimal => {
            Cow::Borrowed(value.inside().unwrap_or_default())
        }
        JsonKind::Real => Cow::Borrowed(named_real(value.text()).unwrap_or(value.text())),
        JsonKind::Bool | JsonKind::Long => Cow::Borrowed(value.text()),
    }
}

/// What the values that are no JSON numbers are called.
fn named_real(text: &str) -> Option<&'static str> {
    match text {
        "nan" => Some("NaN"),
        "inf" => Some("Infinity"),
        "-inf" => Some("-Infinity"),
        _ => None,
    }
}

/// Standard JSON without blanks: Kusto's literals become strings.
pub fn standard(json: &str) -> Cow<'_, str> {
    let json = json.trim_ascii();
    if passed(json).is_some_and(|form| !form.blanks) || is_standard(json.as_bytes()) {
        Cow::Borrowed(json)
    } else {
        Cow::Owned(rewrite(json, Strings::Kept))
    }
}

/// Whether no blank and no Kusto literal stands outside of strings.
fn is_standard(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'(' | b'i' => return false,
            b'n' if bytes.get(at + 1) != Some(&b'u') => return false,
            blank if is_blank(*blank) => return false,
            _ => {}
        }
        // What follows the `n` of `null` needs no look of its own.
        at += if *byte == b'n' { 4 } else { 1 };
    }
    true
}

/// The form of JSON as most programs write it. None for a short text, which is read as quickly byte by byte, and where
/// this does not tell.
fn passed(json: &str) -> Option<Form> {
    const SHORT: usize = 64;
    let passed = if json.len() < SHORT { None } else { pass(json, &[]) };
    passed.map(|passed| Form { blanks: passed.spaces, escapes: false })
}

#[derive(Clone, Copy, PartialEq)]
enum Strings {
    Kept,
    /// Written with the escapes that [`quote`] uses.
    Requoted,
}

/// The JSON without blanks and with Kusto's literals as strings.
fn rewrite(json: &str, strings: Strings) -> String {
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at + 1,
            blank if is_blank(blank) => at + 1,
            _ => scalar_end(bytes, at).max(at + 1),
        };
        // Every end lies before or behind an ASCII character, or at the text's end.
        let token = json.get(at..end).unwrap_or_default();
        match byte {
            b'"' if strings == Strings::Requoted => quote(&Json(token).as_str().unwrap_or_default(), &mut out),
            b'd' | b'g' | b'i' | b'n' | b't' | b'-' => write_scalar(token, &mut out),
            blank if is_blank(blank) => {}
            _ => out.push_str(token),
        }
        at = end;
    }
    out
}

fn write_scalar(token: &str, out: &mut String) {
    let value = Json(token);
    if let Some(name) = named_real(token) {
        quote(name, out);
    } else if let Some(inside) = value.inside() {
        quote(inside, out);
    } else {
        out.push_str(token);
    }
}

/// What `parse_json()` makes of a text: JSON is read as such (blanks dropped, escapes in one spelling), other text,
/// and what nests deeper than [`super::MAX_DEPTH`], becomes a JSON string; `None`, which is null, for empty text and `null`.
///
/// Source: the documentation page "parse_json()".
pub fn parse_json(text: &str) -> Option<Cow<'_, str>> {
    let json = text.trim_ascii();
    if json.is_empty() || json == "null" {
        return None;
    }
    let Some(form) = passed(json).or_else(|| form(json.as_bytes())) else {
        let mut out = String::with_capacity(text.len() + 2);
        quote(text, &mut out);
        return Some(Cow::Owned(out));
    };
    Some(match form {
        Form { escapes: true, .. } => Cow::Owned(rewrite(json, Strings::Requoted)),
        Form { blanks: true, .. } => Cow::Owned(rewrite(json, Strings::Kept)),
        _ => Cow::Borrowed(json),
    })
}

/// Appends a JSON string of the text.
pub fn quote(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    loop {
        // What is escaped is one ASCII character, so that both sides of it are whole.
        let (plain, special) = rest.split_at_checked(plain(rest.as_bytes())).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { break };
        escape(character, out);
        rest = characters.as_str();
    }
    out.push('"');
}

fn escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
    }
}

/// The text that stands between a JSON string's quotes; half a surrogate pair is U+FFFD.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, after)) = rest.split_once('\\') {
        out.push_str(plain);
        rest = unescape_one(after, &mut out);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Appends what one escape stands for, given what follows its backslash, and returns the text behind it.
fn unescape_one<'a>(after: &'a str, out: &mut String) -> &'a str {
    let mut characters = after.chars();
    let character = match characters.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('u') => return unescape_unit(characters.as_str(), out),
        Some(other) => other,
        None => return "",
    };
    out.push(character);
    characters.as_str()
}

fn unescape_unit<'a>(digits: &'a str, out: &mut String) -> &'a str {
    let Some((first, rest)) = hex_unit(digits) else {
        out.push(char::REPLACEMENT_CHARACTER);
        return digits;
    };
    let second = if (0xD800..0xDC00).contains(&first) { rest.strip_prefix("\\u").and_then(hex_unit) } else { None };
    if let Some((low, behind)) = second.filter(|(low, _)| (0xDC00..0xE000).contains(low)) {
        let point = 0x10000 + ((u32::from(first) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        return behind;
    }
    out.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}

fn hex_unit(digits: &str) -> Option<(u16, &str)> {
    let (unit, rest) = digits.split_at_checked(4)?;
    let hexadecimal = unit.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(unit, 16).ok()).flatten().map(|unit| (unit, rest))
}
