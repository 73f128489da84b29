//! XPath over XML: paths of elements, attributes and texts, with tests in brackets.
//!
//! What logs use of the language is read: `/a/b`, `//b`, `*`, `.`, `..`, `@x`, `text()`, and the tests `[2]`,
//! `[last()]`, `[@x]`, `[b]`, `[@x="v"]`, `[b!="v"]`, `[text()="v"]`. Names count without the prefix of their namespace.
use super::tags::{self, Token, Tokens};

/// Elements of one text that are read; deeper ones and those behind them are passed over.
const DEEPEST: usize = 200;
const MOST_ELEMENTS: usize = 1_000_000;

/// A path that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    /// Whether it takes what lies below at any depth.
    deep: bool,
    node: Node,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Element(String),
    AnyElement,
    Attribute(String),
    AnyAttribute,
    Text,
    Here,
    Parent,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Place(usize),
    Last,
    Has(Node),
    Compares { node: Node, equal: bool, value: String },
}

impl Path {
    /// The path that a text writes, or why it writes none.
    pub fn read(text: &str) -> Result<Path, String> {
        let mut reader = Reader { rest: text.trim() };
        let mut steps = Vec::new();
        while !reader.rest.is_empty() {
            let deep = reader.eat("//");
            if !deep && !reader.eat("/") && !steps.is_empty() {
                return Err(format!("`{}` is no part of a path that is known here", reader.rest));
            }
            let node = reader.node()?;
            let mut tests = Vec::new();
            while reader.eat("[") {
                tests.push(reader.test()?);
            }
            steps.push(Step { deep, node, tests });
        }
        if steps.is_empty() { Err("a path is expected".to_owned()) } else { Ok(Path { steps }) }
    }

    /// The texts of what the path leads to in an XML, in the order of the text.
    pub fn find(&self, xml: &str) -> Vec<String> {
        let tree = Tree::of(xml);
        let mut found = vec![Found::Element(0)];
        for step in &self.steps {
            found = tree.step(step, &found);
        }
        found.iter().map(|found| tree.text(found)).collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn eat(&mut self, symbol: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(symbol);
        rest.inspect(|rest| self.rest = rest.trim_start()).is_some()
    }

    fn name(&mut self) -> Result<String, String> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(format!("a name is expected before `{}`", self.rest));
        }
        self.rest = rest;
        Ok(tags::local(name).to_owned())
    }

    fn node(&mut self) -> Result<Node, String> {
        if self.eat("@") {
            return Ok(if self.eat("*") { Node::AnyAttribute } else { Node::Attribute(self.name()?) });
        }
        let fixed = [("text()", Node::Text), ("..", Node::Parent), (".", Node::Here), ("*", Node::AnyElement)];
        if let Some((_, node)) = fixed.into_iter().find(|(written, _)| self.eat(written)) {
            return Ok(node);
        }
        let name = self.name()?;
        match self.rest.starts_with('(') || name.contains("::") {
            true => Err(format!("`{name}` is no function that is known here")),
            false => Ok(Node::Element(name)),
        }
    }

    /// A test, behind its bracket.
    fn test(&mut self) -> Result<Test, String> {
        let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let test = match self.rest.get(..digits).and_then(|digits| digits.parse().ok()) {
            Some(place) => {
                self.rest = self.rest.get(digits..).unwrap_or_default();
                Test::Place(place)
            }
            None if self.eat("last()") => Test::Last,
            None => {
                let node = self.node()?;
                let differs = self.eat("!=");
                match differs || self.eat("=") {
                    true => Test::Compares { node, equal: !differs, value: self.value()? },
                    false => Test::Has(node),
                }
            }
        };
        match self.eat("]") {
            true => Ok(test),
            false => Err(format!("`]` is expected before `{}`", self.rest)),
        }
    }

    /// A text in quotes, or a number.
    fn value(&mut self) -> Result<String, String> {
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let inside = self.rest.get(1..).and_then(|rest| rest.split_once(quote));
            let (value, rest) = inside.ok_or("a quote is not closed")?;
            self.rest = rest;
            return Ok(value.to_owned());
        }
        self.name()
    }
}

/// An element: the root, which stands above all others, comes first.
struct Element<'a> {
    name: &'a str,
    attributes: &'a str,
    parent: usize,
    children: Vec<usize>,
    /// Its own texts, each with the number of children before it.
    texts: Vec<(usize, String)>,
}

impl<'a> Element<'a> {
    fn new(name: &'a str, attributes: &'a str, parent: usize) -> Element<'a> {
        Element { name: tags::local(name), attributes, parent, children: Vec::new(), texts: Vec::new() }
    }
}

struct Tree<'a> {
    elements: Vec<Element<'a>>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Element(usize),
    Text(String),
}

impl<'a> Tree<'a> {
    fn of(xml: &'a str) -> Tree<'a> {
        let mut tree = Tree { elements: vec![Element::new("", "", 0)] };
        let mut open = vec![0];
        for token in Tokens::of(xml) {
            let here = open.last().copied().unwrap_or(0);
            match token {
                Token::Open { name, attributes, closed } => {
                    if open.len() > DEEPEST || tree.elements.len() >= MOST_ELEMENTS {
                        break;
                    }
                    let own = tree.elements.len();
                    tree.elements.push(Element::new(name, attributes, here));
                    if let Some(parent) = tree.elements.get_mut(here) {
                        parent.children.push(own);
                    }
                    if !closed {
                        open.push(own);
                    }
                }
                Token::Close { .. } if open.len() > 1 => drop(open.pop()),
                Token::Close { .. } => {}
                Token::Text(text) => tree.push_text(here, tags::decoded(text).into_owned()),
                Token::Plain(text) => tree.push_text(here, text.to_owned()),
            }
        }
        tree
    }

    fn push_text(&mut self, element: usize, text: String) {
        if let Some(element) = self.elements.get_mut(element) {
            element.texts.push((element.children.len(), text));
        }
    }

    fn children(&self, element: usize) -> &[usize] {
        self.elements.get(element).map_or(&[], |element| &element.children)
    }

    /// The element and all below it, in the order of the text.
    fn below(&self, element: usize) -> Vec<usize> {
        let (mut found, mut open) = (Vec::new(), vec![element]);
        while let Some(next) = open.pop() {
            found.push(next);
            open.extend(self.children(next).iter().rev());
        }
        found
    }

    fn step(&self, step: &Step, from: &[Found]) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        for start in from {
            let Found::Element(element) = start else { continue };
            let starts = if step.deep { self.below(*element) } else { vec![*element] };
            for start in starts {
                let mut found = self.nodes(&step.node, start);
                for test in &step.tests {
                    found = self.passing(test, found);
                }
                // An element may be reached on several ways.
                found.retain(|new| !matches!(new, Found::Element(_)) || from.len() == 1 || !all.contains(new));
                all.extend(found);
            }
        }
        all
    }

    /// What a node's name stands for, seen from an element.
    fn nodes(&self, node: &Node, from: usize) -> Vec<Found> {
        let Some(element) = self.elements.get(from) else { return Vec::new() };
        let attributes = |wanted: Option<&str>| {
            let all = tags::attributes(element.attributes);
            let all = all.filter(|(name, _)| wanted.is_none_or(|wanted| tags::local(name) == wanted));
            all.map(|(_, value)| Found::Text(tags::decoded(value).into_owned())).collect()
        };
        let named = |child: &&usize, wanted: &str| self.elements.get(**child).is_some_and(|own| own.name == wanted);
        match node {
            Node::Element(name) => {
                element.children.iter().filter(|child| named(child, name)).map(|child| Found::Element(*child)).collect()
            }
            Node::AnyElement => element.children.iter().map(|child| Found::Element(*child)).collect(),
            Node::Attribute(name) => attributes(Some(name)),
            Node::AnyAttribute => attributes(None),
            Node::Text => element.texts.iter().map(|(_, text)| Found::Text(text.clone())).collect(),
            Node::Here => vec![Found::Element(from)],
            Node::Parent => vec![Found::Element(element.parent)],
        }
    }

    fn passing(&self, test: &Test, found: Vec<Found>) -> Vec<Found> {
        let last = found.len();
        let passes = |place: usize, found: &Found| match test {
            Test::Place(wanted) => place == *wanted,
            Test::Last => place == last,
            Test::Has(node) => !self.seen_from(found, node).is_empty(),
            Test::Compares { node, equal, value } => {
                self.seen_from(found, node).iter().any(|seen| (self.text(seen) == *value) == *equal)
            }
        };
        let numbered = found.into_iter().enumerate();
        numbered.filter(|(at, found)| passes(at + 1, found)).map(|(_, found)| found).collect()
    }

    fn seen_from(&self, found: &Found, node: &Node) -> Vec<Found> {
        match found {
            Found::Element(element) => self.nodes(node, *element),
            Found::Text(_) => Vec::new(),
        }
    }

    /// The text of an element is that of all that lies in it.
    fn text(&self, found: &Found) -> String {
        let element = match found {
            Found::Text(text) => return text.clone(),
            Found::Element(element) => *element,
        };
        let mut out = String::new();
        self.write(element, &mut out);
        out
    }

    fn write(&self, element: usize, out: &mut String) {
        let Some(element) = self.elements.get(element) else { return };
        let mut texts = element.texts.iter().peekable();
        for (at, child) in element.children.iter().enumerate() {
            while let Some((_, text)) = texts.next_if(|(before, _)| *before <= at) {
                out.push_str(text);
            }
            self.write(*child, out);
        }
        texts.for_each(|(_, text)| out.push_str(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<E xmlns="u"><S><n:P Name="x"/><Id>7</Id></S><D><V Name="a">1 &lt; 2</V><V Name="b"><![CDATA[q]]></V></D></E>"#;

    fn found(path: &str) -> Vec<String> {
        Path::read(path).map(|path| path.find(XML)).unwrap_or_default()
    }

    #[test]
    fn paths_lead_to_elements_attributes_and_texts() {
        assert_eq!(found("/E/S/Id"), ["7"]);
        assert_eq!(found("//V"), ["1 < 2", "q"]);
        assert_eq!(found("//V/@Name"), ["a", "b"]);
        assert_eq!(found("//@Name"), ["x", "a", "b"]);
        assert_eq!(found("E/D/V[2]"), ["q"]);
        assert_eq!(found("//V[last()]/text()"), ["q"]);
        assert_eq!(found("//V[@Name='a']"), ["1 < 2"]);
        assert_eq!(found("//V[@Name!=\"a\"]"), ["q"]);
        assert_eq!(found("//S[Id=7]/P/@Name"), ["x"]);
        assert_eq!(found("//Id/../P[@Name]/@*"), ["x"]);
        assert_eq!(found("/E/*/V[text()='q']"), ["q"]);
        assert!(found("/S").is_empty());
    }

    #[test]
    fn what_is_no_path_says_why() {
        for text in ["", "/", "//V[", "//V[@Name='a]", "count(//V)", "//V | //S", "//V[position()<2]"] {
            assert!(Path::read(text).is_err(), "{text}");
        }
    }
}
