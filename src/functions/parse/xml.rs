//! XML as dynamic values.
use crate::types::json::{MAX_DEPTH, Writer};
use roxmltree::{Document, Namespace, Node, ParsingOptions};

/// The longest text that is read.
const LONGEST: usize = 1 << 20;

/// The document as a JSON bag of its root element; none where it is no XML.
pub fn bag(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: LONGEST as u32, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim(), options).ok()?;
    let mut writer = Writer::with_capacity(text.len());
    let root = document.root_element();
    writer.begin_bag().key(&name(root, root.tag_name().name()));
    element(root, &mut writer, 1)?;
    writer.end_bag();
    Some(writer.finish())
}

/// A name as it is written, with its prefix.
fn name(node: Node, local: &str) -> String {
    let start = node.document().input_text().get(node.range().start + 1..).unwrap_or_default();
    let written = start.split(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).next().unwrap_or_default();
    if written.ends_with(local) { written.to_owned() } else { local.to_owned() }
}

/// Writes an element's content: null, a text, or a bag. None where elements nest too deep.
fn element(node: Node, writer: &mut Writer, depth: usize) -> Option<()> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let text: String = node.children().filter(Node::is_text).filter_map(|n| n.text()).collect();
    let text = text.trim();
    let elements: Vec<(String, Node)> =
        node.children().filter(Node::is_element).map(|n| (name(n, n.tag_name().name()), n)).collect();
    let attributes = attributes(node);
    if elements.is_empty() && attributes.is_empty() {
        if text.is_empty() {
            writer.null()
        } else {
            writer.string(text)
        };
        return Some(());
    }
    writer.begin_bag();
    for (name, value) in attributes {
        writer.key(&format!("@{name}")).string(value);
    }
    if !text.is_empty() {
        writer.key("#text").string(text);
    }
    children(&elements, writer, depth)?;
    writer.end_bag();
    Some(())
}

/// The attributes with their names as written, the declarations of namespaces among them.
fn attributes<'a>(node: Node<'a, 'a>) -> Vec<(String, &'a str)> {
    let input = node.document().input_text();
    let outer = |ns: &Namespace| node.parent_element().is_some_and(|p| p.namespaces().any(|other| other == ns));
    let declared = node.namespaces().filter(|ns| ns.name() != Some("xml") && !outer(ns));
    let declared = declared.map(|ns| (ns.name().map_or("xmlns".to_owned(), |name| format!("xmlns:{name}")), ns.uri()));
    let written = node.attributes().map(|a| {
        let start = input.get(a.range().start..).unwrap_or_default();
        (start.split(|c: char| c == '=' || c.is_whitespace()).next().unwrap_or(a.name()).to_owned(), a.value())
    });
    declared.chain(written).collect()
}

/// Elements of one name become an array at the place of the first.
fn children(elements: &[(String, Node)], writer: &mut Writer, depth: usize) -> Option<()> {
    let mut groups: Vec<(&str, Vec<Node>)> = Vec::new();
    let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (name, node) in elements {
        let place = *places.entry(name).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, nodes)) => nodes.push(*node),
            None => groups.push((name, vec![*node])),
        }
    }
    for (name, nodes) in groups {
        writer.key(name);
        match nodes.as_slice() {
            [one] => element(*one, writer, depth + 1)?,
            several => {
                writer.begin_array();
                several.iter().try_for_each(|node| element(*node, writer, depth + 2))?;
                writer.end_array();
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_forms() {
        let cases = [
            ("<e/>", r#"{"e":null}"#),
            ("<e>text</e>", r#"{"e":"text"}"#),
            (r#"<e name="value" />"#, r#"{"e":{"@name":"value"}}"#),
            (r#"<e name="value">text</e>"#, r##"{"e":{"@name":"value","#text":"text"}}"##),
            ("<e> <a>text</a> <b>text</b> </e>", r#"{"e":{"a":"text","b":"text"}}"#),
            ("<e> <a>text</a> <a>text</a> </e>", r#"{"e":{"a":["text","text"]}}"#),
            ("<e> text <a>text</a> </e>", r##"{"e":{"#text":"text","a":"text"}}"##),
            ("<?xml version=\"1.0\"?><e><!-- no --><![CDATA[<x>]]></e>", r#"{"e":"<x>"}"#),
            (
                r#"<Event xmlns="u"><s:a xmlns:s="v" s:b="1"/></Event>"#,
                r#"{"Event":{"@xmlns":"u","s:a":{"@xmlns:s":"v","@s:b":"1"}}}"#,
            ),
        ];
        for (xml, json) in cases {
            assert_eq!(bag(xml).as_deref(), Some(json), "{xml}");
        }
        for wrong in ["", "text", "<e>", "<e></f>", "<a/><b/>"] {
            assert_eq!(bag(wrong), None, "{wrong}");
        }
        assert_eq!(bag(&("<a>".repeat(10_000) + &"</a>".repeat(10_000))), None);
    }
}
