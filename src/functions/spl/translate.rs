//! Rewrites a pattern of PCRE into the syntax of Rust's engines, so that it means the same there.
use std::iter::Peekable;
use std::str::Chars;

/// A pattern for each engine.
#[derive(Default)]
pub struct Translated {
    /// Here `$` is the end of the text.
    pub linear: String,
    /// Here `$` also stands before a line end that ends the text.
    pub backtracking: String,
    /// Whether the two differ.
    pub ends: bool,
}

impl Translated {
    fn push(&mut self, text: &str) {
        self.linear.push_str(text);
        self.backtracking.push_str(text);
    }

    fn push_character(&mut self, character: char) {
        self.linear.push(character);
        self.backtracking.push(character);
    }

    /// A character that means itself.
    fn push_literal(&mut self, character: char) {
        let mut own = [0; 4];
        self.push(&regex::escape(character.encode_utf8(&mut own)));
    }

    fn push_end(&mut self) {
        self.linear.push_str("\\z");
        self.backtracking.push_str("(?=\\n?\\z)");
        self.ends = true;
    }
}

/// What differs: classes are ASCII, `$` may stand before a last line end, a brace that is no repetition is
/// itself, a class holds no classes and no set operators, and any escaped sign is itself.
pub fn translate(pattern: &str) -> Translated {
    let mut out = Translated::default();
    let mut rest = pattern.chars().peekable();
    let mut groups = Groups::default();
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, &mut out),
            '[' => class(&mut rest, &mut out),
            '{' if repetition(rest.clone()) => out.push_character('{'),
            '{' => out.push("\\{"),
            // The brace that closes a repetition was begun above; any other is itself.
            '}' if closes_repetition(&out.linear) => out.push_character('}'),
            '}' => out.push("\\}"),
            '$' if groups.lines() => out.push("$"),
            '$' => out.push_end(),
            '(' => {
                out.push_character('(');
                groups.open(&mut rest, &mut out);
            }
            ')' => {
                groups.close();
                out.push_character(')');
            }
            other => out.push_character(other),
        }
    }
    out
}

/// Whether `m` is switched on, group by group.
#[derive(Default)]
struct Groups {
    outer: Vec<bool>,
    lines: bool,
}

impl Groups {
    fn lines(&self) -> bool {
        self.lines
    }

    /// Reads what follows a `(`: flags, and a name in quotes.
    fn open(&mut self, rest: &mut Peekable<Chars>, out: &mut Translated) {
        self.outer.push(self.lines);
        let mut ahead = rest.clone();
        if ahead.next() != Some('?') {
            return;
        }
        if ahead.peek() == Some(&'\'') {
            rest.next();
            rest.next();
            out.push("?<");
            for character in rest.by_ref() {
                if character == '\'' {
                    break;
                }
                out.push_character(character);
            }
            return out.push_character('>');
        }
        let flags: String = ahead.by_ref().take_while(|c| c.is_ascii_alphabetic() || *c == '-').collect();
        let length = flags.len() + 1;
        let end = rest.clone().nth(length);
        if !matches!(end, Some(')' | ':')) || flags.contains(['P', 'R']) {
            return;
        }
        let (on, off) = flags.split_once('-').unwrap_or((&flags, ""));
        self.lines = (self.lines || on.contains('m')) && !off.contains('m');
        if end == Some(')') {
            // The flags hold to the end of the group around.
            if let Some(outer) = self.outer.last_mut() {
                *outer = self.lines;
            }
        }
    }

    fn close(&mut self) {
        self.lines = self.outer.pop().unwrap_or(self.lines);
    }
}

/// Whether `n}`, `n,}` or `n,m}` follows a brace.
fn repetition(mut rest: Peekable<Chars>) -> bool {
    let digits = |rest: &mut Peekable<Chars>| {
        let mut any = false;
        while rest.next_if(char::is_ascii_digit).is_some() {
            any = true;
        }
        any
    };
    if !digits(&mut rest) {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// Whether a repetition is open: a brace that is not escaped, and only digits and a comma after it.
fn closes_repetition(written: &str) -> bool {
    let before = written.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',');
    before.len() < written.len() && before.ends_with('{') && !before.ends_with("\\{")
}

const SPACES: &str = "\\t\\n\\x0B\\f\\r ";

fn escape(rest: &mut Peekable<Chars>, out: &mut Translated) {
    let Some(escaped) = rest.next() else { return out.push("\\\\") };
    match escaped {
        'd' => out.push("[0-9]"),
        'D' => out.push("[^0-9]"),
        'w' => out.push("[0-9A-Za-z_]"),
        'W' => out.push("[^0-9A-Za-z_]"),
        's' => out.push(&format!("[{SPACES}]")),
        'S' => out.push(&format!("[^{SPACES}]")),
        'h' => out.push("[\\t ]"),
        'H' => out.push("[^\\t ]"),
        'N' => out.push("[^\\n]"),
        'R' => out.push("(?:\\r\\n|[\\n\\x0B\\f\\r])"),
        // Rust's own boundary looks at letters of every script.
        'b' => {
            out.linear.push_str("(?-u:\\b)");
            out.backtracking.push_str("\\b");
        }
        'B' => {
            out.linear.push_str("(?-u:\\B)");
            out.backtracking.push_str("\\B");
        }
        'Z' => out.push_end(),
        'e' => out.push("\\x1B"),
        'Q' => quoted(rest, out),
        'E' => {}
        'x' => hexadecimal(rest, out),
        '0' => octal(rest, out),
        other if other.is_ascii_alphanumeric() => {
            out.push_character('\\');
            out.push_character(other);
        }
        other => out.push_literal(other),
    }
}

/// Everything up to `\E` means itself.
fn quoted(rest: &mut Peekable<Chars>, out: &mut Translated) {
    while let Some(character) = rest.next() {
        if character == '\\' && rest.peek() == Some(&'E') {
            rest.next();
            return;
        }
        out.push_literal(character);
    }
}

/// `\x41`, `\xA` and `\x{1F600}`.
fn hexadecimal(rest: &mut Peekable<Chars>, out: &mut Translated) {
    if rest.next_if_eq(&'{').is_some() {
        out.push("\\x{");
        // What is no number is said by the engine.
        while let Some(digit) = rest.next_if(char::is_ascii_hexdigit) {
            out.push_character(digit);
        }
        if rest.next_if_eq(&'}').is_some() {
            out.push_character('}');
        }
        return;
    }
    let mut digits = String::new();
    while digits.len() < 2
        && let Some(digit) = rest.next_if(char::is_ascii_hexdigit)
    {
        digits.push(digit);
    }
    out.push(&format!("\\x{{{digits:0>2}}}"));
}

/// `\0`, `\012`.
fn octal(rest: &mut Peekable<Chars>, out: &mut Translated) {
    let mut value = 0u32;
    for _ in 0..2 {
        let Some(digit) = rest.next_if(|c| ('0'..='7').contains(c)) else { break };
        value = value * 8 + digit.to_digit(8).unwrap_or(0);
    }
    out.push(&format!("\\x{{{value:02X}}}"));
}

/// A class: `[` and set operators in it are signs like any other, and a bracket that comes first is itself.
fn class(rest: &mut Peekable<Chars>, out: &mut Translated) {
    out.push_character('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push_character('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push("\\]");
    }
    while let Some(character) = rest.next() {
        match character {
            ']' => return out.push_character(']'),
            '[' if rest.peek() == Some(&':') && named_class(rest.clone()) => {
                out.push_character('[');
                for inner in rest.by_ref() {
                    out.push_character(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '[' => out.push("\\["),
            '&' | '~' => {
                out.push_character('\\');
                out.push_character(character);
            }
            // A range of ranges has no meaning there: `--` is a set operator.
            '-' if rest.peek() == Some(&'-') => out.push("\\-"),
            '\\' => class_escape(rest, out),
            other => out.push_character(other),
        }
    }
}

/// Whether `:name:]` follows.
fn named_class(rest: Peekable<Chars>) -> bool {
    let text: String = rest.take(12).collect();
    text.get(1..).and_then(|text| text.find(":]")).is_some_and(|end| {
        text.get(1..=end).is_some_and(|name| name.trim_start_matches('^').bytes().all(|b| b.is_ascii_lowercase()))
    })
}

fn class_escape(rest: &mut Peekable<Chars>, out: &mut Translated) {
    let Some(escaped) = rest.next() else { return out.push("\\\\") };
    match escaped {
        'd' => out.push("0-9"),
        'w' => out.push("0-9A-Za-z_"),
        's' => out.push(SPACES),
        'h' => out.push("\\t "),
        'D' => out.push("[^0-9]"),
        'W' => out.push("[^0-9A-Za-z_]"),
        'S' => out.push(&format!("[^{SPACES}]")),
        'b' => out.push("\\x08"),
        'e' => out.push("\\x1B"),
        'x' => hexadecimal(rest, out),
        '0' => octal(rest, out),
        other if other.is_ascii_alphanumeric() => {
            out.push_character('\\');
            out.push_character(other);
        }
        other => {
            out.push_character('\\');
            out.push_character(other);
        }
    }
}
