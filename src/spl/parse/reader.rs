//! Reads the arguments of a command: words, options, lists of fields, expressions, terms.
use super::pipelines::is_space;
use super::{MAX_DEPTH, Parsed};
use crate::diagnostic::{Diagnostic, Span};
use crate::spl::ast::{Command, Search, Word};
use crate::spl::expand::Script;
use crate::spl::quoting;

/// Characters that end a bare word.
const ENDS: [char; 10] = [',', '"', '(', ')', '[', ']', '|', '=', '<', '>'];

/// A place among the arguments of a command.
#[derive(Clone)]
pub struct Reader<'a> {
    script: &'a Script,
    text: &'a str,
    at: usize,
    end: usize,
    searches: &'a [Search],
    /// The command's name, for messages.
    command: &'a str,
    pub(super) depth: usize,
    pub(super) height: usize,
}

impl<'a> Reader<'a> {
    pub fn new(command: &'a Command) -> Reader<'a> {
        let script = &command.script;
        Reader {
            script,
            text: script.text(),
            at: command.start,
            end: command.end,
            searches: &command.searches,
            command: &command.name.text,
            depth: 0,
            height: 0,
        }
    }

    /// Reads a text that is no command's.
    pub fn of_text(script: &'a Script) -> Reader<'a> {
        let text = script.text();
        Reader { script, text, at: 0, end: text.len(), searches: &[], command: "", depth: 0, height: 0 }
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or("")
    }

    pub fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    pub fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    pub fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    /// The number that comes next; nothing is read where another word comes.
    pub fn count(&mut self) -> Option<u64> {
        let before = self.position();
        let found = self.word().and_then(|word| word.text.parse().ok());
        if found.is_none() {
            self.back_to(before);
        }
        found
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        self.script.place(start, end)
    }

    /// The place from a position up to here.
    pub fn since(&self, start: usize) -> Span {
        let read = self.text.get(start..self.at).unwrap_or("");
        self.script.place(start, start + read.trim_end_matches(is_space).len())
    }

    pub(super) fn between(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The place of what comes next.
    pub fn here(&mut self) -> Span {
        self.skip_space();
        let length = self.rest().find(is_space).unwrap_or(self.rest().len());
        self.script.place(self.at, self.at + length)
    }

    pub fn eat(&mut self, symbol: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.advance(symbol.len());
        }
        found
    }

    pub fn expect(&mut self, symbol: &str) -> Parsed<()> {
        match self.eat(symbol) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{symbol}`"))),
        }
    }

    /// What was wanted, and what stands there.
    pub fn expected(&mut self, what: &str) -> Diagnostic {
        let place = self.here();
        let found: String = self.rest().chars().take_while(|c| !is_space(*c)).take(40).collect();
        let found = if found.is_empty() { "the end of the command".to_owned() } else { format!("`{found}`") };
        let of = if self.command.is_empty() { String::new() } else { format!("`{}`: ", self.command) };
        Diagnostic::error("HP500", format!("{of}{what} is expected before {found}")).at(place)
    }

    /// Fails where something is left.
    pub fn finish(&mut self) -> Parsed<()> {
        match self.at_end() {
            true => Ok(()),
            false => {
                let mut said = self.expected("the end of the command");
                let found = self.rest().chars().take_while(|c| !is_space(*c)).take(40).collect::<String>();
                said.message = format!("`{}` does not take `{found}` here", self.command);
                Err(said)
            }
        }
    }

    /// The length of a bare word here.
    fn bare(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        let mut characters = rest.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let negates = c == '!' && characters.peek().is_some_and(|(_, next)| *next == '=');
            if is_space(c) || ENDS.contains(&c) || negates {
                break;
            }
            if c == '\\' {
                characters.next();
            }
            length = characters.peek().map_or(rest.len(), |(next, _)| *next).max(at + c.len_utf8());
        }
        length
    }

    /// The next word, quoted or bare; none where neither begins here.
    pub fn word(&mut self) -> Option<Word> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with('"') {
            let length = quoting::length(rest, '"')?;
            self.advance(length);
            let inside = rest.get(1..length - 1).unwrap_or("");
            let span = self.script.place(start, self.at);
            return Some(Word { text: quoting::unescaped(inside), span, quoted: true });
        }
        if let Some(name) = self.quoted_name() {
            return Some(name);
        }
        let length = self.bare();
        if length == 0 {
            return None;
        }
        self.advance(length);
        let text = quoting::unescaped(rest.get(..length).unwrap_or(""));
        Some(Word { text, span: self.script.place(start, self.at), quoted: false })
    }

    /// A field's name between single quotes.
    pub(super) fn quoted_name(&mut self) -> Option<Word> {
        let rest = self.rest();
        let inside = rest.strip_prefix('\'')?;
        let end = inside.find('\'')?;
        let start = self.at;
        self.advance(end + 2);
        let text = inside.get(..end).unwrap_or("").to_owned();
        Some(Word { text, span: self.script.place(start, self.at), quoted: true })
    }

    /// The name of a field: a bare one may be a call, as in `sum(bytes)`.
    pub fn field(&mut self) -> Option<Word> {
        let start = self.position();
        let mut word = self.word()?;
        if word.quoted || !self.rest().starts_with('(') {
            return Some(word);
        }
        let closing = closing(self.rest())?;
        let from = self.word_start(start);
        self.advance(closing);
        word.text = self.text.get(from..self.at).unwrap_or("").to_owned();
        word.span = self.script.place(from, self.at);
        Some(word)
    }

    /// Where the word begins that was read from a position on.
    fn word_start(&self, start: usize) -> usize {
        let text = self.text.get(start..self.end).unwrap_or("");
        start + text.len() - text.trim_start_matches(is_space).len()
    }

    pub fn needed_field(&mut self) -> Parsed<Word> {
        match self.field() {
            Some(word) => Ok(word),
            None => Err(self.expected("a field")),
        }
    }

    pub fn needed_word(&mut self, what: &str) -> Parsed<Word> {
        match self.word() {
            Some(word) => Ok(word),
            None => Err(self.expected(what)),
        }
    }

    /// Fields with commas or spaces between them, up to what is no field; `stops` are words that end the list.
    pub fn fields(&mut self, stops: &[&str]) -> Parsed<Vec<Word>> {
        let mut found = Vec::new();
        loop {
            while self.eat(",") {}
            let before = self.position();
            match self.field() {
                // What an equals sign follows is an option.
                Some(word) if !stops.iter().any(|stop| word.is(stop)) && self.peek() != Some('=') => found.push(word),
                _ => {
                    self.back_to(before);
                    return Ok(found);
                }
            }
        }
    }

    /// The fields behind `by`, at least one; none where no `by` comes next.
    pub fn by(&mut self) -> Parsed<Vec<Word>> {
        if !self.eat_word("by") {
            return Ok(Vec::new());
        }
        let fields = self.fields(&[])?;
        if fields.is_empty() { Err(self.expected("a field")) } else { Ok(fields) }
    }

    /// Whether the bare word comes next, which is then read.
    pub fn eat_word(&mut self, keyword: &str) -> bool {
        let before = self.position();
        if self.word().is_some_and(|word| word.is(keyword)) {
            return true;
        }
        self.back_to(before);
        false
    }

    pub fn at_word(&mut self, keyword: &str) -> bool {
        let before = self.position();
        let found = self.word().is_some_and(|word| word.is(keyword));
        self.back_to(before);
        found
    }

    /// `name=value`, where that comes next.
    pub fn option(&mut self) -> Option<(Word, Word)> {
        let before = self.position();
        let found = self.word().filter(|name| !name.quoted).and_then(|name| {
            self.skip_space();
            let compares = self.rest().starts_with("==");
            if compares || !self.eat("=") {
                return None;
            }
            Some((name, self.word()?))
        });
        if found.is_none() {
            self.back_to(before);
        }
        found
    }

    /// Whether `name=value` comes next.
    pub fn at_option(&mut self) -> bool {
        let before = self.position();
        let found = self.option().is_some();
        self.back_to(before);
        found
    }

    /// The search in brackets that comes next.
    pub fn search(&mut self) -> Option<&'a Search> {
        self.search_number().and_then(|number| self.searches.get(number))
    }

    pub(super) fn search_number(&mut self) -> Option<usize> {
        self.skip_space();
        if !self.rest().starts_with('[') {
            return None;
        }
        let number = self.searches.iter().position(|search| search.start == self.at + 1)?;
        let end = self.searches.get(number)?.end;
        self.at = (end + 1).min(self.end);
        Some(number)
    }

    pub fn needed_search(&mut self) -> Parsed<&'a Search> {
        match self.search() {
            Some(search) => Ok(search),
            None => Err(self.expected("a search in square brackets")),
        }
    }

    /// Reads a nested part, unless that would be one too many.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let place = self.here();
            let said = Diagnostic::error("HP302", format!("this is nested more than {MAX_DEPTH} levels deep"));
            return Err(said.at(place));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
}

/// The length of a text up to the parenthesis that closes its first one.
fn closing(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '"' => at += text.get(at..).and_then(|rest| quoting::length(rest, '"')).map_or(0, |n| n - 1),
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at + 1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}
