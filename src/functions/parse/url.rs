//! URLs and their queries.
use crate::functions::encoding::percent_decode;
use crate::types::json::Writer;

/// The parts of a URL as they are written; what a URL lacks is empty.
struct Url<'a> {
    /// In the order of the bag, with the query between the last two.
    texts: [(&'static str, &'a str); 7],
    query: &'a str,
}

fn taken_apart(text: &str) -> Url<'_> {
    let (rest, fragment) = halves(text, b'#').unwrap_or((text, ""));
    let (rest, query) = halves(rest, b'?').unwrap_or((rest, ""));
    let (scheme, rest) = match halves(rest, b':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest.strip_prefix("//").unwrap_or(rest)),
        _ => ("", rest.strip_prefix("//").unwrap_or(rest)),
    };
    let cut = rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(cut).unwrap_or((rest, ""));
    let (user, host) = last_halves(authority, b'@').unwrap_or(("", authority));
    let (name, password) = halves(user, b':').unwrap_or((user, ""));
    let (host, port) = host_and_port(host);
    let texts = [
        ("Scheme", scheme),
        ("Host", host),
        ("Port", port),
        ("Path", path),
        ("Username", name),
        ("Password", password),
        ("Fragment", fragment),
    ];
    Url { texts, query }
}

/// What stands before and behind the first of such bytes, which is ASCII.
fn halves(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before and behind the last of such bytes, which is ASCII.
fn last_halves(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The parts of a URL as a JSON bag. Only the values of its query are decoded.
pub fn url(text: &str) -> String {
    let Url { texts: [parts @ .., (last, fragment)], query } = taken_apart(text);
    let mut writer = Writer::with_capacity(text.len() + 160);
    writer.begin_bag();
    for (name, part) in parts {
        writer.key(name).string(part);
    }
    writer.key("Query Parameters");
    parameters(query, &mut writer);
    writer.key(last).string(fragment).end_bag();
    writer.finish()
}

/// The part of a URL that stands in the bag under a name; none for the query, and for other names.
pub fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    taken_apart(text).texts.into_iter().find(|(known, _)| *known == name).map(|(_, part)| part)
}

pub fn query(text: &str) -> String {
    let mut writer = Writer::with_capacity(text.len() + 32);
    writer.begin_bag().key("Query Parameters");
    parameters(text.strip_prefix('?').unwrap_or(text), &mut writer);
    writer.end_bag();
    writer.finish()
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// An IPv6 address stands in brackets, colons and all.
fn host_and_port(text: &str) -> (&str, &str) {
    match last_halves(text, b':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    }
}

/// A name that comes again gets the last value.
fn parameters(query: &str, writer: &mut Writer) {
    let mut known: Vec<(std::borrow::Cow<str>, std::borrow::Cow<str>)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = halves(part, b'=').unwrap_or((part, ""));
        let (name, value) = (percent_decode(name), percent_decode(value));
        match known.iter_mut().find(|(other, _)| *other == name) {
            Some(entry) => entry.1 = value,
            None => known.push((name, value)),
        }
    }
    writer.begin_bag();
    for (name, value) in &known {
        writer.key(name).string(value);
    }
    writer.end_bag();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        assert_eq!(
            url("scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment"),
            r#"{"Scheme":"scheme","Host":"host","Port":"1234","Path":"/this/is/a/path","Username":"username","Password":"password","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"fragment"}"#
        );
        assert_eq!(part("https://a@b:80/c#d", "Host"), Some("b"));
        assert_eq!(part("https://b?x=1", "Query Parameters"), None);
        assert!(url("http://[::1]:80/").contains(r#""Host":"[::1]","Port":"80","Path":"/""#));
        assert!(url("http://[::1]").contains(r#""Host":"[::1]","Port":"""#));
        assert!(url("").contains(r#""Scheme":"","Host":"""#));
        assert_eq!(query("a=1&a=2&b&&c=x%20y"), r#"{"Query Parameters":{"a":"2","b":"","c":"x y"}}"#);
    }
}
