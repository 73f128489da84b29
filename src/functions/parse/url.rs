//! URLs and their queries.
use crate::functions::encoding::percent_decode;
use crate::types::json::Writer;

/// The parts of a URL as a JSON bag; what a URL lacks is empty. Only the values of its query are decoded.
pub fn url(text: &str) -> String {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest.strip_prefix("//").unwrap_or(rest)),
        _ => ("", rest.strip_prefix("//").unwrap_or(rest)),
    };
    let cut = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(cut).unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = host_and_port(host);
    let mut writer = Writer::with_capacity(text.len() + 160);
    writer.begin_bag().key("Scheme").string(scheme).key("Host").string(host).key("Port").string(port);
    writer.key("Path").string(path).key("Username").string(name).key("Password").string(password);
    writer.key("Query Parameters");
    parameters(query, &mut writer);
    writer.key("Fragment").string(fragment).end_bag();
    writer.finish()
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
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    }
}

/// A name that comes again gets the last value.
fn parameters(query: &str, writer: &mut Writer) {
    let mut known: Vec<(std::borrow::Cow<str>, std::borrow::Cow<str>)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
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
        assert!(url("http://[::1]:80/").contains(r#""Host":"[::1]","Port":"80","Path":"/""#));
        assert!(url("http://[::1]").contains(r#""Host":"[::1]","Port":"""#));
        assert!(url("").contains(r#""Scheme":"","Host":"""#));
        assert_eq!(query("a=1&a=2&b&&c=x%20y"), r#"{"Query Parameters":{"a":"2","b":"","c":"x y"}}"#);
    }
}
