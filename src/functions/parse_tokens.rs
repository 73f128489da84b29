//! The patterns of `parse` that need no regular expression: texts with anything between them.
use crate::types::Kind;
use memchr::memmem::Finder;

/// A pattern as parts that stand side by side, with anything before each part.
pub struct Tokens {
    parts: Vec<Part>,
    /// The column that takes all of the text behind the last part.
    rest: Option<usize>,
}

/// Texts and numbers that follow each other, and the column (if any) that takes what lies before them.
struct Part {
    before: Before,
    tokens: Vec<Token>,
    /// Whether nothing may follow.
    ends: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Skipped,
    Column(usize),
}

enum Token {
    Text(Box<Finder<'static>>),
    /// Digits with blanks and a sign before them, in a column.
    Digits(usize),
}

/// Where a column's text stands.
pub type Place = (usize, usize);

impl Tokens {
    /// The parts of a regular expression of the form that the simple kind makes; none for any other.
    pub fn of(regex: &str, kinds: &[Kind]) -> Option<Tokens> {
        let mut reader = Reader { rest: regex.strip_prefix("(?s)^")?, kinds, column: 0 };
        let mut tokens = Tokens { parts: Vec::new(), rest: None };
        let mut before = Before::Nothing;
        while !reader.rest.is_empty() {
            if reader.rest == ".*" {
                reader.rest = "";
                continue;
            }
            if tokens.rest.is_some() || before == Before::Nothing && !tokens.parts.is_empty() {
                return None;
            }
            let held = reader.tokens()?;
            if !held.is_empty() {
                let ends = reader.take("$");
                // A number at the start of a part has no text to look for.
                if before != Before::Nothing && !matches!(held.first(), Some(Token::Text(_))) {
                    return None;
                }
                tokens.parts.push(Part { before, tokens: held, ends });
                before = Before::Nothing;
                if reader.rest.is_empty() {
                    break;
                }
            } else if before != Before::Nothing {
                // Two that take anything side by side.
                return None;
            }
            if let Some(column) = reader.last_column() {
                tokens.rest = Some(column);
            } else if reader.rest != ".*" {
                before = reader.anything()?;
            }
        }
        (before == Before::Nothing && reader.column == kinds.len()).then_some(tokens)
    }

    /// The places of the columns' texts; false where the text does not match.
    pub fn read(&self, text: &str, places: &mut [Place]) -> bool {
        let mut at = 0;
        for part in &self.parts {
            let Some((start, end)) = part.find(text.as_bytes(), at, places) else { return false };
            if let Before::Column(column) = part.before {
                places[column] = (at, start);
            }
            at = end;
        }
        if let Some(column) = self.rest {
            places[column] = (at, text.len());
        }
        true
    }
}

impl Part {
    /// The first place from `at` on where the part stands.
    fn find(&self, text: &[u8], at: usize, places: &mut [Place]) -> Option<Place> {
        if self.before == Before::Nothing {
            return self.stands(text, at, places).map(|end| (at, end));
        }
        let Some(Token::Text(first)) = self.tokens.first() else { return None };
        let mut from = at;
        loop {
            let start = from + first.find(text.get(from..)?)?;
            if let Some(end) = self.stands(text, start, places) {
                return Some((start, end));
            }
            from = start + 1;
        }
    }

    /// Where the part ends that begins at a place.
    fn stands(&self, text: &[u8], start: usize, places: &mut [Place]) -> Option<usize> {
        let mut at = start;
        for token in &self.tokens {
            let rest = text.get(at..)?;
            let length = match token {
                Token::Text(wanted) => rest.starts_with(wanted.needle()).then(|| wanted.needle().len())?,
                Token::Digits(column) => {
                    let length = digits(rest)?;
                    places[*column] = (at, at + length);
                    length
                }
            };
            at += length;
        }
        (!self.ends || at == text.len()).then_some(at)
    }
}

/// How long the digits at the start are, blanks and a sign before them; none where there are none. Blanks beyond
/// ASCII are left to the regular expression's readers: logs have none.
fn digits(text: &[u8]) -> Option<usize> {
    let blanks = text.iter().take_while(|b| matches!(b, b'\t'..=b'\r' | b' ')).count();
    let sign = usize::from(text.get(blanks) == Some(&b'-'));
    let count = text.get(blanks + sign..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    (count > 0).then_some(blanks + sign + count)
}

struct Reader<'a> {
    rest: &'a str,
    kinds: &'a [Kind],
    column: usize,
}

impl Reader<'_> {
    fn take(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The next column with this body.
    fn group(&mut self, body: &str) -> Option<usize> {
        let column = self.column;
        self.take(&format!("(?P<c{column}>{body})")).then(|| {
            self.column += 1;
            column
        })
    }

    /// Texts and numbers up to what takes anything. A number must not be followed by what could be part of it.
    fn tokens(&mut self) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        loop {
            let text = self.text();
            if !text.is_empty() {
                let digits = matches!(tokens.last(), Some(Token::Digits(_)));
                if digits && text.starts_with(|c: char| c.is_ascii_digit()) {
                    return None;
                }
                tokens.push(Token::Text(Box::new(Finder::new(text.as_bytes()).into_owned())));
            } else if let Some(column) = self.group(r"\s*-?[0-9]+") {
                if matches!(tokens.last(), Some(Token::Digits(_))) {
                    return None;
                }
                tokens.push(Token::Digits(column));
            } else {
                break;
            }
        }
        // Behind a number that ends a part anything may stand, more digits too: the number is as long as it can be.
        Some(tokens)
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut characters = self.rest.chars();
            match characters.next() {
                Some('\\') => text.extend(characters.next()),
                Some(plain) if !plain.is_ascii_punctuation() => text.push(plain),
                _ => return text,
            }
            self.rest = characters.as_str();
        }
    }

    /// The last column, of kind string.
    fn last_column(&mut self) -> Option<usize> {
        let column = self.column;
        let last = format!("(?P<c{column}>.*)$");
        (self.rest == last).then(|| {
            self.rest = "";
            self.column += 1;
            column
        })
    }

    fn anything(&mut self) -> Option<Before> {
        if self.take(".*?") {
            return Some(Before::Skipped);
        }
        self.group(".*?").filter(|column| self.kinds.get(*column) == Some(&Kind::String)).map(Before::Column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(regex: &str, kinds: &[Kind], text: &str) -> Option<Option<Vec<String>>> {
        let tokens = Tokens::of(regex, kinds)?;
        let mut places = vec![(0, 0); kinds.len()];
        let found = tokens.read(text, &mut places);
        Some(found.then(|| places.iter().map(|(start, end)| text[*start..*end].to_owned()).collect()))
    }

    #[test]
    fn patterns_read_what_their_expressions_match() {
        let (text, long) = (Kind::String, Kind::Long);
        let cases: [(&str, &[Kind]); 9] = [
            (r"(?s)^.*?\/id\:(?P<c0>\s*-?[0-9]+) x (?P<c1>.*)$", &[long, text]),
            (r"(?s)^a\=(?P<c0>.*?)\;b\=(?P<c1>.*?)\;.*", &[text, text]),
            (r"(?s)^(?P<c0>.*?) is (?P<c1>\s*-?[0-9]+)$", &[text, long]),
            (r"(?s)^.*?b(?P<c0>.*)$", &[text]),
            (r"(?s)^a(?P<c0>\s*-?[0-9]+).*", &[long]),
            (r"(?s)^a(?P<c0>\s*-?[0-9]+)x(?P<c1>\s*-?[0-9]+)$", &[long, long]),
            (r"(?s)^(?P<c0>.*)$", &[text]),
            (r"(?s)^.*?a.*?b.*", &[]),
            (r"(?s)^ab", &[]),
        ];
        let texts = [
            "/id:7 x end",
            "/id:q/id: -12 x ",
            "a=1;b=2;",
            "a=;b=;c",
            "x is 5",
            "x is 5 is 6",
            "x is 5y",
            "abab",
            "a12x3",
            "a1x",
            "a-1",
            "",
            "ab\n/id:4 x\n",
            "a=1",
        ];
        for (pattern, kinds) in cases {
            let regex = regex::Regex::new(pattern).unwrap();
            for text in texts {
                let expected = regex.captures(text).map(|found| {
                    (0..kinds.len())
                        .map(|at| found.get(at + 1).map_or("", |m| m.as_str()).to_owned())
                        .collect::<Vec<_>>()
                });
                assert_eq!(read(pattern, kinds, text), Some(expected), "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn other_patterns_are_left_alone() {
        let long = [Kind::Long];
        for pattern in [r"^a", r"(?s)^(?P<c0>\s*-?[0-9]+)5", r"(?s)^.*?(?P<c0>\s*-?[0-9]+).*", r"(?s)^(?P<c0>[a-z])$"] {
            assert!(Tokens::of(pattern, &long).is_none(), "{pattern}");
        }
    }
}
