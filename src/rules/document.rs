//! A parsed document that still knows where each part stands and how each scalar was written.
//!
//! YAML's own typing would turn `version: 1.10` into 1.1 and lose every place, so rules are read from
//! this tree; [`Node::to_json`] gives the typed document where one is wanted.
use crate::diagnostic::{Fault, Result, Source, Span};
use crate::read::yaml::{self, Indented, Wrong};
use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, ScanError};
use std::collections::HashMap;
use std::sync::Arc;

/// Levels of nesting that a rule file may have.
const DEPTH_LIMIT: usize = 64;
/// Nodes that the aliases of one file may copy.
const ALIAS_LIMIT: usize = 10_000;

/// The way out for files that lost their indentation.
pub(super) const IMPORT_HELP: &str = "if this was pasted from a web page, `huntpack import` recovers the rule";

/// A value of a document and the bytes of the file's text that it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub content: Content,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Scalar { text: String, style: Style },
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// How a scalar was written; only plain ones can be numbers, booleans or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Quoted,
    Block,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub text: String,
    pub span: Span,
}

impl Node {
    /// The value under `key`, where this is a mapping that has it and it is not null.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let (_, node) = self.entries().iter().find(|(k, _)| k.text == key)?;
        (!node.is_null()).then_some(node)
    }

    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    /// A scalar's text as written, numbers and booleans included.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, style: Style::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    pub fn is_mapping(&self) -> bool {
        matches!(self.content, Content::Mapping(_))
    }

    /// What a person calls this kind of value.
    pub fn shape(&self) -> &'static str {
        match self.content {
            Content::Scalar { .. } if self.is_null() => "nothing",
            Content::Scalar { .. } => "a text",
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    /// The document with YAML 1.2's core types; numbers keep their spelling.
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar { text, style: Style::Plain } => plain(text),
            Content::Scalar { text, .. } => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Node::to_json).collect(),
            Content::Mapping(entries) => {
                let pairs = entries.iter().map(|(key, node)| (key.text.clone(), node.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// A JSON value as a document whose parts all stand at `span`.
    pub fn from_json(value: &Value, span: Span) -> Node {
        let scalar = |text: String, style| Content::Scalar { text, style };
        let content = match value {
            Value::Null => scalar("null".into(), Style::Plain),
            Value::Bool(b) => scalar(b.to_string(), Style::Plain),
            Value::Number(n) => scalar(n.to_string(), Style::Plain),
            Value::String(s) => scalar(s.clone(), Style::Quoted),
            Value::Array(items) => Content::List(items.iter().map(|v| Node::from_json(v, span)).collect()),
            Value::Object(map) => {
                let entry = |(k, v): (&String, &Value)| (Key { text: k.clone(), span }, Node::from_json(v, span));
                Content::Mapping(map.iter().map(entry).collect())
            }
        };
        Node { content, span }
    }

    /// Nodes in this tree, itself included.
    fn size(&self) -> usize {
        match &self.content {
            Content::Scalar { .. } => 1,
            Content::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Content::Mapping(entries) => 1 + entries.iter().map(|(_, n)| n.size()).sum::<usize>(),
        }
    }
}

/// The typed value of a plain scalar.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.into()), Value::Number),
    }
}

/// A JSON number with the spelling of `text`; `007`, `1_000` and `.inf` stay texts.
fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Reads every document of a YAML text.
///
/// # Errors
/// `HP201`, located, where the text is not YAML, nests deeper than 64 levels or its aliases copy too
/// much; `HP206` where a mapping has a key twice.
pub fn parse_yaml(source: &Arc<Source>) -> Result<Vec<Node>> {
    yaml::parse(&source.text, |text, indented| parse(text, indented, source))
}

/// Reads a text that is the source's with some spaces put in.
fn parse(text: &str, indented: &Indented, source: &Arc<Source>) -> std::result::Result<Vec<Node>, Wrong<Fault>> {
    let mut options = granit_parser::Options::default();
    options.flow_nesting_limit = DEPTH_LIMIT;
    options.block_nesting_limit = DEPTH_LIMIT;
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    let place = |marker: &Marker| indented.original(offset(marker, text));
    for event in Parser::new_from_str_with_options(text, options) {
        let (mut event, span) = event.map_err(|error| Wrong {
            unindented: error.to_string().contains(UNINDENTED).then(|| error.marker().line()),
            error: not_yaml(&error, place(error.marker()), source),
        })?;
        without_added_newline(&mut event, &span, text);
        let span = Span::new(place(&span.start), place(&span.end));
        builder.take(event, span).map_err(|fault| Wrong { error: fault.of(source), unindented: None })?;
    }
    Ok(builder.documents)
}

/// What the parser says of a quoted text whose lines stand at the margin.
const UNINDENTED: &str = "invalid indentation in multiline quoted scalar";

fn not_yaml(error: &ScanError, start: usize, source: &Arc<Source>) -> Fault {
    let end = source.text.get(start..).and_then(|rest| rest.find('\n')).map_or(source.text.len(), |n| start + n);
    Fault::rule("HP201", format!("not valid YAML: {}", error.info()))
        .at(Span::new(start, end.max(start)))
        .help(IMPORT_HELP)
        .of(source)
}

/// A block that ends with the file and no newline ends without one; the parser adds it.
fn without_added_newline(event: &mut Event<'_>, span: &granit_parser::Span, text: &str) {
    if let Event::Scalar(value, ScalarStyle::Literal | ScalarStyle::Folded, ..) = event
        && !text.ends_with(['\n', '\r'])
        && offset(&span.end, text) >= text.len()
        && value.ends_with('\n')
    {
        value.to_mut().pop();
    }
}

fn offset(marker: &Marker, text: &str) -> usize {
    let counted = || text.char_indices().nth(marker.index()).map_or(text.len(), |(at, _)| at);
    marker.byte_offset().unwrap_or_else(counted)
}

/// A collection that is not closed yet.
enum Open {
    List(Vec<Node>, Span),
    Mapping(Vec<(Key, Node)>, Option<Key>, Span),
}

#[derive(Default)]
struct Builder {
    open: Vec<(Open, usize)>,
    documents: Vec<Node>,
    anchors: HashMap<usize, Node>,
    copied: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let content = Content::Scalar { text: text.into_owned(), style };
                self.add(Node { content, span }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.open(Open::List(vec![], span), anchor),
            Event::MappingStart(_, anchor, _) => self.open(Open::Mapping(vec![], None, span), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.copy(anchor, span),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, anchor: usize) -> Result<()> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Fault::rule("HP201", format!("nested deeper than {DEPTH_LIMIT} levels")));
        }
        self.open.push((open, anchor));
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<()> {
        let Some((open, anchor)) = self.open.pop() else { return Ok(()) };
        let (content, start) = match open {
            Open::List(items, start) => (Content::List(items), start),
            Open::Mapping(entries, _, start) => (Content::Mapping(entries), start),
        };
        self.add(Node { content, span: start.to(end) }, anchor)
    }

    fn copy(&mut self, anchor: usize, span: Span) -> Result<()> {
        let missing = || Fault::rule("HP201", "an alias stands inside the value that it names").at(span);
        let node = self.anchors.get(&anchor).cloned().ok_or_else(missing)?;
        self.copied = self.copied.saturating_add(node.size());
        if self.copied > ALIAS_LIMIT {
            return Err(Fault::rule("HP201", "the aliases of this file copy too much").at(span));
        }
        self.add(node, 0)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<()> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some((Open::List(items, _), _)) => items.push(node),
            Some((Open::Mapping(entries, waiting, _), _)) => match waiting.take() {
                None => *waiting = Some(key(node, entries)?),
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }
}

fn key(node: Node, entries: &[(Key, Node)]) -> Result<Key> {
    let span = node.span;
    let Content::Scalar { text, .. } = node.content else {
        return Err(Fault::rule("HP201", "a key must be a text").at(span));
    };
    if entries.iter().any(|(k, _)| k.text == text) {
        return Err(Fault::rule("HP206", format!("the key `{text}` stands here twice")).at(span).help(IMPORT_HELP));
    }
    Ok(Key { text, span })
}

/// A text of a rule with the place where the file keeps its lines under `key`.
pub(super) fn source_of(node: &Node, key: &str, text: &str, file: &Source) -> Source {
    let Some((key, value)) = node.entries().iter().find(|(k, _)| k.text == key) else {
        return Source::query(text);
    };
    let (line, column) = file.place(value.span.start as usize);
    let mut place = Source { text: text.into(), origin: file.origin.clone(), first_line: line, indent: column - 1 };
    match &value.content {
        Content::Scalar { style: Style::Block, .. } => block_place(&mut place, file, key.span.end as usize),
        Content::Scalar { style: Style::Quoted, .. } => place.indent += 1,
        _ => {}
    }
    place
}

/// A block's text begins on the line after its `|`, indented as its first line with text.
fn block_place(place: &mut Source, file: &Source, key_end: usize) {
    let rest = file.text.get(key_end..).unwrap_or("");
    let header = key_end + rest.find(['|', '>']).unwrap_or(0);
    place.first_line = file.place(header).0 + 1;
    let mut body = file.text.get(header..).unwrap_or("").lines().skip(1);
    let first = |line: &&str| !line.trim().is_empty();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let file_indent = body.find(first).map_or(0, indent);
    let text_indent = place.text.lines().find(first).map_or(0, indent);
    place.indent = file_indent.saturating_sub(text_indent);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Vec<Node>> {
        parse_yaml(&Arc::new(Source { text: text.into(), origin: "a.yaml".into(), first_line: 1, indent: 0 }))
    }

    #[test]
    fn scalars_keep_their_spelling_and_get_their_type() {
        let text = "version: 1.10\nq: '7'\nn: 7\nb: True\nz: 007\nempty:\nlist: [a, ~]\n";
        let document = read(text).unwrap().remove(0);
        assert_eq!(document.get("version").and_then(Node::text), Some("1.10"));
        assert_eq!(document.get("empty"), None);
        let typed = document.to_json();
        assert_eq!(typed["version"].to_string(), "1.10");
        assert_eq!((&typed["q"], &typed["n"], &typed["z"]), (&json!("7"), &json!(7), &json!("007")));
        assert_eq!((&typed["b"], &typed["list"]), (&json!(true), &json!(["a", null])));
    }

    #[test]
    fn what_is_no_yaml_is_located() {
        let fault = read("a: 1\nb:\n  - x\n - y\n").unwrap_err();
        let place = fault.diagnostics()[0].span.unwrap();
        assert_eq!(fault.source().unwrap().place(place.start as usize).0, 4, "{fault}");
        assert_eq!(fault.diagnostics()[0].code, "HP201");
    }

    #[test]
    fn a_block_ends_as_its_file_does() {
        let text = |text: &str| read(text).unwrap()[0].get("a").unwrap().text().unwrap().to_string();
        assert_eq!(text("a: |\n  x\n  y"), "x\ny");
        assert_eq!(text("a: |\n  x\n  y\n"), "x\ny\n");
        assert_eq!(text("a: |\n  x\nb: |\n  y"), "x\n");
    }

    #[test]
    fn quoted_texts_may_go_on_at_the_margin() {
        let document = read("a: 'x\n| y\nz'\nb: 1\n").unwrap().remove(0);
        assert_eq!(document.get("a").and_then(Node::text), Some("x | y z"));
        assert_eq!(document.get("b").unwrap().span, Span::new(16, 17));
        assert!(read("a: 'x\ny").is_err());
    }

    #[test]
    fn a_key_twice_is_an_error() {
        assert_eq!(read("a: 1\na: 2\n").unwrap_err().diagnostics()[0].code, "HP206");
    }

    #[test]
    fn nesting_and_aliases_have_limits() {
        assert!(read(&"[".repeat(10_000)).is_err());
        assert!(read(&"- ".repeat(10_000)).is_err());
        let bomb: String = (1..20).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
        assert!(read(&format!("a0: &a0 [x, y]\n{bomb}")).is_err());
        assert_eq!(read("a: &x [1]\nb: *x\n").unwrap()[0].to_json(), json!({"a": [1], "b": [1]}));
        assert!(read("a: &x [*x]\n").is_err());
    }
}
