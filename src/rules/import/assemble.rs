//! Puts a rule together from lines whose indentation is lost or wrong, by what its schema allows.
use super::page::{Line, key_of};
use super::query_text::extent;
use super::schema::{Schema, Shape, shape};
use crate::diagnostic::{Source, Span};
use crate::rules::document::{Content, Key, Node, Style, parse_yaml};
use std::sync::Arc;

/// Keys whose value may run over several lines without a mark.
const FREE_TEXTS: &[&str] = &["name", "description", "how_to_implement", "known_false_positives", "message"];

type Keys = &'static [(&'static str, Shape)];

/// A rule put together, and what did not fit in.
pub struct Assembled {
    pub node: Node,
    /// Lines between keys that fit nothing.
    pub skipped: Vec<usize>,
    /// Lines from the first key to the last that fits.
    pub used: usize,
}

/// Reads lines from a rule's first key on.
pub fn assemble(lines: &[Line<'_>], schema: &'static Schema) -> Assembled {
    let base = lines.first().map_or(0, |line| line.indent);
    let mut reader = Reader { lines, at: 0, schema, base, seen: vec![], open: vec![], skipped: vec![], used: 0 };
    let node = reader.rule();
    reader.skipped.retain(|number| lines.get(reader.used).is_none_or(|end| *number < end.number));
    Assembled { node, skipped: reader.skipped, used: reader.used }
}

struct Reader<'a> {
    lines: &'a [Line<'a>],
    at: usize,
    schema: &'static Schema,
    /// Columns by which the whole rule is indented.
    base: usize,
    /// The top-level keys that were read.
    seen: Vec<&'a str>,
    /// The keys of the mappings that are open below the top level, the innermost last.
    open: Vec<Keys>,
    skipped: Vec<usize>,
    used: usize,
}

impl<'a> Reader<'a> {
    /// The next line that is neither blank nor a comment.
    fn peek(&mut self) -> Option<Line<'a>> {
        while let Some(line) = self.lines.get(self.at) {
            if !line.is_blank() && !line.text.starts_with('#') {
                return Some(*line);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self) {
        self.at += 1;
        self.used = self.at;
    }

    fn rule(&mut self) -> Node {
        let mut entries = vec![];
        while let Some(line) = self.peek() {
            match line.key().filter(|_| self.is_anchor(&line)) {
                Some((key, value)) => {
                    self.seen.push(key);
                    self.take();
                    let Some(shape) = shape(self.schema.keys, key) else { continue };
                    entries.push((self.key(key), self.value(shape, value, line.indent, key)));
                }
                None if self.anchors_ahead() => {
                    self.skipped.push(line.number);
                    self.at += 1;
                }
                None => break,
            }
        }
        node(Content::Mapping(entries))
    }

    /// Whether a line is a top-level key of the rule that has not come yet.
    fn is_anchor(&self, line: &Line<'_>) -> bool {
        let Some((key, value)) = line.key() else { return false };
        !self.seen.contains(&key) && self.schema.anchors(key, value)
    }

    fn anchors_ahead(&self) -> bool {
        self.lines.get(self.at..).unwrap_or_default().iter().any(|line| self.is_anchor(line))
    }

    fn key(&self, text: &str) -> Key {
        Key { text: text.into(), span: Span::default() }
    }

    fn value(&mut self, shape: &'static Shape, inline: &'a str, indent: usize, key: &str) -> Node {
        match shape {
            Shape::Text => self.text(inline, indent, key),
            _ if !inline.is_empty() && !inline.starts_with('#') => self.flow(inline),
            Shape::List(item) => self.list(item),
            Shape::Mapping(keys) => self.mapping(keys, vec![]),
            Shape::Details => self.details(),
        }
    }

    /// A collection in brackets, perhaps over several lines.
    fn flow(&mut self, inline: &str) -> Node {
        let mut text = inline.to_string();
        while parse(&text).is_none() && text.len() < 10_000 {
            let Some(line) = self.peek().filter(|line| !self.is_anchor(line)) else { break };
            text.push('\n');
            text.push_str(line.text);
            self.take();
        }
        parse(&text).unwrap_or_else(|| scalar(inline))
    }

    fn mapping(&mut self, keys: Keys, mut entries: Vec<(Key, Node)>) -> Node {
        self.open.push(keys);
        while let Some(line) = self.peek() {
            let fits = |(key, _): &(&str, &str)| !entries.iter().any(|(k, _)| k.text == *key);
            let Some((key, value)) = line.key().filter(fits) else { break };
            let Some(shape) = shape(keys, key) else { break };
            self.take();
            let value = self.value(shape, value, line.indent, key);
            entries.push((self.key(key), value));
        }
        self.open.pop();
        node(Content::Mapping(entries))
    }

    fn list(&mut self, item: &'static Shape) -> Node {
        let mut items = vec![];
        while let Some((line, content)) = self.peek().and_then(|line| Some((line, line.item()?))) {
            match item {
                Shape::Mapping(keys) => match self.first_entry(keys, content, line.indent) {
                    Some(entries) => items.push(self.mapping(keys, entries)),
                    None => break,
                },
                _ if self.belongs_outside(content) => break,
                _ => {
                    self.take();
                    items.push(parse(content).unwrap_or_else(|| scalar(content)));
                }
            }
        }
        node(Content::List(items))
    }

    /// The entry that stands on the line of an item's dash.
    fn first_entry(&mut self, keys: Keys, content: &'a str, indent: usize) -> Option<Vec<(Key, Node)>> {
        if content.is_empty() {
            self.take();
            return Some(vec![]);
        }
        let (key, value) = key_of(content)?;
        let shape = shape(keys, key)?;
        self.take();
        self.open.push(keys);
        let value = self.value(shape, value, indent, key);
        self.open.pop();
        Some(vec![(self.key(key), value)])
    }

    /// Whether an item is the next one of a list that this one stands in.
    fn belongs_outside(&self, content: &str) -> bool {
        key_of(content).is_some_and(|(key, _)| self.open.iter().any(|keys| shape(keys, key).is_some()))
    }

    fn details(&mut self) -> Node {
        let mut entries = vec![];
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
        while let Some(line) = self.peek() {
            let Some((key, value)) = line.key() else { break };
            let top = self.is_anchor(&line) && line.indent <= self.base;
            if top || !word(value.trim_matches(['"', '\''])) {
                break;
            }
            self.take();
            entries.push((self.key(key), scalar(value)));
        }
        node(Content::Mapping(entries))
    }

    fn text(&mut self, inline: &'a str, indent: usize, key: &str) -> Node {
        let is_query = key == self.schema.query;
        if inline.starts_with(['|', '>']) && inline.len() <= 3 {
            return self.block(inline, indent, is_query);
        }
        if let Some(quote) = inline.chars().next().filter(|c| ['"', '\''].contains(c)) {
            return self.quoted(inline, quote);
        }
        match inline.is_empty() || inline.starts_with('#') {
            true if is_query || key == "description" => self.block("|", indent, is_query),
            true => node(Content::Scalar { text: String::new(), style: Style::Plain }),
            false if FREE_TEXTS.contains(&key) => self.plain(inline, indent),
            false => scalar(inline),
        }
    }

    fn plain(&mut self, inline: &str, indent: usize) -> Node {
        let mut text = inline.to_string();
        while let Some(line) = self.lines.get(self.at).copied() {
            let fits = line.key().is_some() || line.item().is_some();
            if line.is_blank() || fits || !(line.indent > indent || self.anchors_ahead()) {
                break;
            }
            text.push(' ');
            text.push_str(line.text);
            self.take();
        }
        if text.len() == inline.len() { scalar(inline) } else { quoted(text) }
    }

    /// A text in quotes, perhaps over several lines.
    fn quoted(&mut self, inline: &str, quote: char) -> Node {
        let mut text = inline.to_string();
        let start = self.at;
        while parse(&text).is_none() {
            let line = self.lines.get(self.at).copied().filter(|line| !self.is_anchor(line));
            let Some(line) = line.filter(|_| self.at < start + 200) else { break };
            text.push('\n');
            text.push_str(line.text);
            self.take();
        }
        let bare = || text.trim_matches(quote).trim().to_string();
        parse(&text).unwrap_or_else(|| quoted(bare()))
    }

    /// A block text: all that is indented deeper than its key, or, where the page lost that, all lines up
    /// to the next key.
    fn block(&mut self, header: &str, indent: usize, is_query: bool) -> Node {
        let rest = self.lines.get(self.at..).unwrap_or_default();
        let deeper = rest.iter().find(|line| !line.is_blank()).is_some_and(|line| line.indent > indent);
        let ends = |line: &&Line<'_>| {
            let outside = !line.is_blank() && line.indent <= indent;
            self.ends_block(line, deeper) && (outside || !deeper)
        };
        let end = rest.iter().position(|line| ends(&line));
        let mut body: Vec<&str> =
            rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().iter().map(|l| l.whole).collect();
        if end.is_none() {
            body.truncate(if is_query { extent(&body).lines } else { paragraph(&body) });
        }
        self.at += end.unwrap_or(body.len());
        self.used = self.at;
        block_text(header, &body)
    }

    fn ends_block(&self, line: &Line<'_>, deeper: bool) -> bool {
        let nested = || line.key().is_some_and(|(key, _)| self.open.iter().any(|keys| shape(keys, key).is_some()));
        let some_key = || line.key().is_some_and(|(key, _)| key.starts_with(|c: char| c.is_ascii_lowercase()));
        self.is_anchor(line) || (!self.open.is_empty() && nested()) || (deeper && some_key())
    }
}

/// The lines up to the first blank one that follows text.
fn paragraph(lines: &[&str]) -> usize {
    let blank = |line: &&&str| line.trim().is_empty();
    let start = lines.iter().take_while(blank).count();
    start + lines.iter().skip(start).take_while(|line| !blank(line)).count()
}

fn block_text(header: &str, body: &[&str]) -> Node {
    let text = dedented(body).join(if header.starts_with('>') { " " } else { "\n" });
    let text = text.trim_end_matches([' ', '\n']);
    let end = if header.contains('-') || text.is_empty() { "" } else { "\n" };
    node(Content::Scalar { text: format!("{text}{end}"), style: Style::Block })
}

/// The lines without the indentation that all of them share.
pub fn dedented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let spaces = |line: &&str| line.chars().take_while(|c| c.is_whitespace()).count();
    let margin = lines.iter().filter(|line| !line.trim().is_empty()).map(spaces).min().unwrap_or(0);
    let cut = |line: &&'a str| line.char_indices().nth(margin).and_then(|(at, _)| line.get(at..)).unwrap_or("");
    lines.iter().map(cut).collect()
}

fn node(content: Content) -> Node {
    Node { content, span: Span::default() }
}

fn quoted(text: String) -> Node {
    node(Content::Scalar { text, style: Style::Quoted })
}

/// A value on one line: as YAML reads it, else the text itself.
fn scalar(text: &str) -> Node {
    let read = parse(text).filter(|node| node.text().is_some() || node.is_null());
    read.unwrap_or_else(|| quoted(text.to_string()))
}

fn parse(text: &str) -> Option<Node> {
    let source = Arc::new(Source { text: text.into(), ..Source::default() });
    let mut documents = parse_yaml(&source).ok()?;
    (documents.len() == 1).then(|| documents.remove(0))
}
