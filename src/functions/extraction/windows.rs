//! Events of Windows as XML: the properties of `System` by their names, the data by theirs.
use super::Visitor;
use super::tags::{Token, Tokens, attributes, decoded, local};
use std::borrow::Cow;

/// The part of an event that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    System,
    /// `EventData`: elements with a name, or without one.
    Data,
    /// `UserData`: elements named as their provider likes.
    User,
    /// `RenderingInfo`: what was looked up for people.
    Rendering,
}

impl Part {
    fn named(name: &str) -> Option<Part> {
        Some(match name {
            "System" => Part::System,
            "EventData" | "BinaryEventData" | "DebugData" => Part::Data,
            "UserData" => Part::User,
            "RenderingInfo" => Part::Rendering,
            _ => return None,
        })
    }
}

/// Gives the fields of an event of Windows.
///
/// The attributes of `System` keep their names (`Name`, `Guid`, `SystemTime`, `ProcessID`, `UserID`), and
/// `EventCode` is the event's ID, as Splunk's add-ons have them.
pub fn walk<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    elements(text, visitor);
    for (tag, name) in WHOLE {
        if let Some(inside) = inside(text, tag) {
            visitor.value(name, Cow::Borrowed(inside));
        }
    }
}

/// Parts of an event that are fields as they stand, too.
const WHOLE: [(&str, &str); 3] =
    [("System>", "System_Props_Xml"), ("EventData>", "EventData_Xml"), ("UserData>", "UserData_Xml")];

/// What stands between the tags of an element without attributes.
fn inside<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(tag).filter(|(before, _)| before.ends_with('<'))?;
    let (inside, _) = rest.split_once(tag)?;
    inside.strip_suffix("</").filter(|inside| !inside.is_empty())
}

fn elements<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    let mut part = Part::None;
    // The name of the element that is open, and what it holds.
    let mut open: Option<Cow<'a, str>> = None;
    let mut held: Option<Cow<'a, str>> = None;
    for token in Tokens::of(text) {
        match token {
            Token::Open { name, attributes: written, closed } => {
                let name = local(name);
                if part == Part::None {
                    part = Part::named(name).filter(|_| !closed).unwrap_or(Part::None);
                    continue;
                }
                (open, held) = (field(part, name, written, visitor).filter(|_| !closed), None);
            }
            Token::Text(text) => held = Some(decoded(text)),
            Token::Plain(text) => held = Some(Cow::Borrowed(text)),
            Token::Close { name } if Part::named(local(name)) == Some(part) => {
                (part, open, held) = (Part::None, None, None);
            }
            Token::Close { .. } => {
                if let (Some(name), Some(text)) = (open.take(), held.take())
                    && !text.is_empty()
                {
                    give(part, &name, text, visitor);
                }
            }
        }
    }
}

/// The name of an element's field; gives its attributes.
fn field<'a>(part: Part, name: &'a str, written: &'a str, visitor: &mut impl Visitor<'a>) -> Option<Cow<'a, str>> {
    match part {
        Part::System => {
            for (attribute, value) in attributes(written).filter(|(_, value)| !value.is_empty()) {
                visitor.value(attribute, decoded(value));
            }
            Some(Cow::Borrowed(name))
        }
        Part::Data => {
            let named = attributes(written).find(|(attribute, _)| *attribute == "Name");
            Some(named.map_or(Cow::Borrowed(name), |(_, value)| cleaned(decoded(value))))
        }
        Part::User => Some(Cow::Borrowed(name)),
        // Words for what System has as numbers are left to it.
        Part::Rendering => (name == "Message").then_some(Cow::Borrowed(name)),
        Part::None => None,
    }
}

/// A name in which what no name of a field holds is an underscore: `Process Name` is Process_Name.
fn cleaned(name: Cow<'_, str>) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || c == '_';
    match name.chars().all(is_plain) {
        true => name,
        false => Cow::Owned(name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()),
    }
}

fn give<'a>(part: Part, name: &str, text: Cow<'a, str>, visitor: &mut impl Visitor<'a>) {
    if part == Part::System && name == "EventID" {
        visitor.value("EventCode", text.clone());
    }
    visitor.value(name, text);
}

/// Whether a text is an event of Windows as Splunk writes it: lines of `key=value`, the message last. What is watched
/// of Active Directory is written so, too.
pub fn is_text(text: &str) -> bool {
    let mut near = text.len().min(400);
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let head = text.get(..near).unwrap_or(text);
    (head.contains("LogName=") && head.contains("EventCode=")) || head.contains("admonEventType=")
}

/// Gives the fields of such an event. Lines of the message that are a label and a value are fields, too: `Account Name:`
/// is Account_Name, once for each part of the message that has it.
pub fn walk_text<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    let (head, message) = text.split_once("Message=").unwrap_or((text, ""));
    for (key, value) in head.lines().filter_map(|line| line.trim().split_once('=')) {
        if !value.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            visitor.value(key, Cow::Borrowed(value));
        }
    }
    if message.is_empty() {
        return;
    }
    visitor.value("Message", Cow::Borrowed(message.trim_end()));
    for (label, value) in message.lines().filter_map(|line| line.trim().split_once(':')) {
        let (label, value) = (label.trim(), value.trim());
        let is_label = !label.is_empty()
            && label.len() <= 60
            && label.chars().all(|c| c.is_alphanumeric() || " -_/()".contains(c));
        if is_label && !value.is_empty() {
            let name: String = label.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
            visitor.value(name.trim_matches('_'), Cow::Borrowed(value));
        }
    }
}
