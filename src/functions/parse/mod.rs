//! Functions that take texts of a known form apart: URLs, paths, versions, command lines, CSV, XML.
mod command_line;
mod path;
mod url;
mod xml;

use super::forms;
use super::row::{AnyText, DecimalOut, JsonOut, Str, each, text_of};
use super::text_lists::lists_of;
use super::{Context, operators};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Kind, json};

/// Each part of a version takes this many digits.
const VERSION_DIGITS: usize = 8;
const VERSION_PARTS: usize = 4;

/// The parts of a version, each with eight digits, as one number.
fn version(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| (1..=VERSION_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() > VERSION_PARTS || !parts.iter().all(number) {
        return None;
    }
    let digits: String =
        (0..VERSION_PARTS).map(|at| format!("{:0>VERSION_DIGITS$}", parts.get(at).unwrap_or(&"0"))).collect();
    crate::types::decimal::parse(&digits)
}

/// The fields of the first record.
fn csv_fields(text: &str) -> Option<String> {
    let mut writer = json::Writer::with_capacity(text.len() + 16);
    writer.begin_array();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    if reader.read_record(&mut record).ok()? {
        record.iter().for_each(|field| {
            writer.string(field);
        });
    } else {
        writer.string("");
    }
    writer.end_array();
    Some(writer.finish())
}

fn parse_command_line(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (line, parser) = operators::pair(args)?;
    lists_of(args, line, rows, |row, lists| {
        let parser = text_of(parser, row);
        if !parser.eq_ignore_ascii_case("windows") {
            let message = format!("parse_command_line() knows the parser \"windows\", not \"{parser}\"");
            return Err(Fault::query("HP133", message));
        }
        match command_line::arguments(&text_of(line, row), &mut |argument| lists.push(row, argument)) {
            true => lists.end(),
            false => lists.end_null(),
        }
    })
}

/// A part of what a text is taken apart into, as a dynamic text: nothing else is written.
fn only_part(
    context: &Context,
    args: &[Column],
    rows: usize,
    part: for<'a> fn(&'a str, &str) -> Option<&'a str>,
    all: fn(&str) -> String,
) -> Result<Column> {
    let (text, path) = operators::pair(args)?;
    match forms::only_key(path).filter(|name| !text.is_const() && part("", name).is_some()) {
        Some(name) => Ok(Column::write_text(Kind::Dynamic, rows, |row, out| {
            json::quote(part(&text_of(text, row), &name).unwrap_or_default(), out);
            true
        })),
        None => {
            let bags = each(Kind::Dynamic, args, rows, |row, out| {
                out.push_text(&all(&text_of(text, row)));
                Ok(())
            })?;
            forms::path(context, &[bags, path.clone()], rows)
        }
    }
}

/// `parse_url(text).Host`
pub(super) fn path_of_url(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    only_part(context, args, rows, url::part, url::url)
}

/// `parse_path(text).Filename`
pub(super) fn path_of_path(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    only_part(context, args, rows, path::part, path::parts)
}

crate::scalars! {
    /// The parts of an absolute URL, as a bag: Scheme, Host, Port, Path, Username, Password, Query Parameters, Fragment.
    ///
    /// Source: parse-url-function.
    ///
    /// ```kql
    /// parse_url("scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment").Path // /this/is/a/path
    /// parse_url("https://bing.com?q=a%20b")["Query Parameters"].q // a b
    /// ```
    kql fn parse_url as [parseurl](url: AnyText) -> JsonOut { JsonOut(url::url(&url)) }

    /// The parameters of a URL's query, as a bag inside of a bag.
    ///
    /// Source: parse-url-query-function.
    ///
    /// ```kql
    /// parse_urlquery("k1=v1&k2=v2&k3=v3") // {"Query Parameters":{"k1":"v1","k2":"v2","k3":"v3"}}
    /// ```
    kql fn parse_urlquery as [parseurlquery](query: AnyText) -> JsonOut { JsonOut(url::query(&query)) }

    /// The parts of a file's path, as a bag.
    ///
    /// Source: parse-path-function.
    ///
    /// ```kql
    /// parse_path(@"C:\temp\file.txt").Filename // file.txt
    /// parse_path("file://C:/temp/file.txt:some.exe").AlternateDataStreamName // some.exe
    /// parse_path("/usr/lib/temp/file.txt").DirectoryPath // /usr/lib/temp
    /// ```
    kql fn parse_path(path: AnyText) -> JsonOut { JsonOut(path::parts(&path)) }

    /// A version of up to four numbers as one number that compares as the version does; null where it is none.
    ///
    /// Source: parse-version-function.
    ///
    /// ```kql
    /// parse_version("0.0.7.0") // 700000000
    /// parse_version("1.2.3.4") // 1000000020000000300000004
    /// parse_version("1.x") // null
    /// ```
    kql fn parse_version(version: AnyText) -> Option<DecimalOut> { self::version(&version).map(DecimalOut) }

    /// The fields of one record of comma-separated values, as an array; of several records those of the first.
    ///
    /// Source: parse-csv-function.
    ///
    /// ```kql
    /// parse_csv('aa,"b,b",cc') // ["aa","b,b","cc"]
    /// parse_csv('record1,a\nrecord2,x') // ["record1","a"]
    /// ```
    kql fn parse_csv(text: AnyText) -> Option<JsonOut> { csv_fields(&text).map(JsonOut) }

    /// An XML text as a bag; null where it is no XML or longer than 1 MB.
    ///
    /// An attribute becomes `@name`, text beside elements or attributes `#text`, and repeated elements an array.
    ///
    /// Source: parse-xml-function.
    ///
    /// ```kql
    /// parse_xml('<e name="value">text</e>') // {"e":{"@name":"value","#text":"text"}}
    /// parse_xml('<e><a>1</a><a>2</a></e>') // {"e":{"a":["1","2"]}}
    /// parse_xml('<e>') // null
    /// ```
    kql fn parse_xml(text: Str) -> Option<JsonOut> { xml::bag(text).map(JsonOut) }
}

crate::kernels! {
    /// The arguments of a command line, as an array; null for an empty one.
    ///
    /// The parser is `windows`: quotes and backslashes as CommandLineToArgvW takes them.
    ///
    /// Source: parse-command-line-function.
    ///
    /// ```kql
    /// parse_command_line('echo "hello world!"', "windows") // ["echo","hello world!"]
    /// ```
    kql fn parse_command_line (line: Any, parser: String) -> Kind(Kind::Dynamic) = parse_command_line;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version("1").as_deref(), Some("1000000000000000000000000"));
        assert_eq!(version("0.0.0.5").as_deref(), Some("5"));
        for wrong in ["", "1.", ".1", "1.2.3.4.5", "123456789", "1.-2", "1. 2"] {
            assert_eq!(version(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn records() {
        let quoted = "aa,\"b,b,b\",cc,\"Escaping quotes: \"\"Title\"\"\",\"line1\nline2\"";
        let expected = r#"["aa","b,b,b","cc","Escaping quotes: \"Title\"","line1\nline2"]"#;
        assert_eq!(csv_fields(quoted).as_deref(), Some(expected));
        assert_eq!(csv_fields("").as_deref(), Some(r#"[""]"#));
    }
}
