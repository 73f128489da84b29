//! Documents as clean YAML text.
use super::document::{Content, Node, Style};

/// A mapping as block YAML: two spaces a level, texts of several lines as blocks, everything else on
/// its key's line. Reading it again gives the same document.
pub fn to_yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.content {
        Content::Mapping(entries) if !entries.is_empty() => entries_into(&mut out, node, 0),
        _ => {
            inline_into(&mut out, node, 0);
        }
    }
    out
}

fn entries_into(out: &mut String, node: &Node, indent: usize) {
    for (at, (key, value)) in node.entries().iter().enumerate() {
        if at > 0 || !out.ends_with("- ") {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&scalar(&key.text, Style::Plain));
        out.push(':');
        value_into(out, value, indent);
    }
}

fn value_into(out: &mut String, value: &Node, indent: usize) {
    match &value.content {
        Content::Mapping(entries) if !entries.is_empty() => {
            out.push('\n');
            entries_into(out, value, indent + 2);
        }
        Content::List(items) if !items.is_empty() => {
            out.push('\n');
            items_into(out, items, indent + 2);
        }
        _ => {
            out.push(' ');
            inline_into(out, value, indent);
        }
    }
}

fn items_into(out: &mut String, items: &[Node], indent: usize) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push_str("- ");
        match &item.content {
            Content::Mapping(entries) if !entries.is_empty() => entries_into(out, item, indent + 2),
            Content::List(inner) if !inner.is_empty() => {
                out.truncate(out.len() - 1);
                out.push('\n');
                items_into(out, inner, indent + 2);
            }
            _ => inline_into(out, item, indent),
        }
    }
}

/// Scalars and empty collections, with the line's end.
fn inline_into(out: &mut String, node: &Node, indent: usize) {
    match &node.content {
        Content::Mapping(_) => out.push_str("{}"),
        Content::List(_) => out.push_str("[]"),
        Content::Scalar { text, style } if *style != Style::Plain && is_block(text) => {
            return block_into(out, text, indent + 2);
        }
        Content::Scalar { text, style } => out.push_str(&scalar(text, *style)),
    }
    out.push('\n');
}

/// Whether a text can stand as a literal block: several lines, nothing that a block cannot hold.
fn is_block(text: &str) -> bool {
    let printable =
        |c: char| c == '\n' || c == '\t' || !(c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'));
    let has_text = text.lines().any(|line| !line.trim().is_empty());
    text.contains('\n') && has_text && text.chars().all(printable)
}

fn block_into(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let leading_blank = text.lines().take_while(|line| line.trim().is_empty()).any(|line| !line.is_empty());
    let chomp = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let indicator = if first.starts_with([' ', '\t']) || leading_blank { "2" } else { "" };
    out.push_str(&format!("|{indicator}{chomp}\n"));
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    for line in lines {
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line);
        out.push('\n');
    }
}

/// A scalar on one line: plain scalars stay as they are, texts are quoted where they must be.
fn scalar(text: &str, style: Style) -> String {
    let stays = style == Style::Plain && !text.contains(['\n', '\t']) && reads_back(text);
    if stays || (style != Style::Plain && is_word(text) && reads_back(text)) {
        return text.to_string();
    }
    double_quoted(text)
}

/// JSON's escapes are YAML's; YAML wants some more characters escaped.
fn double_quoted(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    let hidden =
        |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    json.chars().map(|c| if hidden(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

/// A text of letters and the marks that mean nothing to YAML, and no number, boolean or null.
fn is_word(text: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || " _-./()'\u{2014}".contains(c);
    let letter = text.starts_with(|c: char| c.is_alphabetic());
    let node = Node { content: Content::Scalar { text: text.into(), style: Style::Plain }, span: Default::default() };
    let yaml_1_1 = ["yes", "no", "on", "off", "y", "n"].iter().any(|word| word.eq_ignore_ascii_case(text));
    letter && text.chars().all(known) && node.to_json().is_string() && !yaml_1_1
}

/// Whether a plain scalar would be read as just this text.
fn reads_back(text: &str) -> bool {
    let marks = ['&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '#', '{', '}', '[', ']', ','];
    let dash = |start: &str| text == start || text.strip_prefix(start).is_some_and(|rest| rest.starts_with(' '));
    let ends = text.ends_with(':') || text.trim() != text;
    !text.starts_with(marks)
        && !["-", "?", ":"].iter().any(|s| dash(s))
        && !text.starts_with("---")
        && !ends
        && !text.contains(": ")
        && !text.contains(" #")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::rules::document::parse_yaml;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn back(value: &Value) -> Value {
        let text = to_yaml(&Node::from_json(value, Default::default()));
        let source = Source { text: text.clone(), ..Source::default() };
        let documents = parse_yaml(&Arc::new(source)).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
        documents.first().map_or(Value::Null, Node::to_json)
    }

    #[test]
    fn clean_yaml_looks_as_people_write_it() {
        let value = json!({"id": "a-1", "version": "1.0", "n": 7, "query": "T\n| take 1\n", "list": ["a: b", []],
            "maps": [{"entityType": "IP", "fieldMappings": [{"identifier": "Address"}]}], "none": {}});
        let text = "id: a-1\nversion: \"1.0\"\nn: 7\nquery: |\n  T\n  | take 1\nlist:\n  - \"a: b\"\n  - []\nmaps:\n  \
                    - entityType: IP\n    fieldMappings:\n      - identifier: Address\nnone: {}\n";
        assert_eq!(to_yaml(&Node::from_json(&value, Default::default())), text);
        assert_eq!(back(&value), value);
    }

    #[test]
    fn awkward_texts_read_back() {
        for text in [
            "",
            " ",
            "\n",
            "a\n",
            "a\n\n",
            "\n\na\n b",
            "  a\nb",
            " \n a\nb\n",
            "a\tb",
            "\ta\nb",
            "- a",
            "a # b",
            "a: b",
            "true",
            "No",
            "1e3",
            "a\r\nb",
            "'q'",
            "#",
            "\u{85}x",
            "a\u{2028}\nb",
            "---",
            "key:",
            "a\n---\nb",
            "x\n \ny",
            "\u{7f}",
        ] {
            let value = json!({"k": text, "l": [text]});
            assert_eq!(back(&value), value, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "[ab:#'\" \n\t|>-]{0,12}|\\PC{0,12}") {
            let value = json!({"k": {"t": text}, "l": [text, [text]]});
            prop_assert_eq!(back(&value), value);
        }
    }
}
