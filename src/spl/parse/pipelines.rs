//! The outer form of a search: commands between pipes, searches in brackets.
use super::{MAX_DEPTH, Parsed};
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Command, Search, Word};
use crate::spl::expand::Script;
use crate::spl::quoting;
use std::sync::Arc;

/// Splits a text into commands. `is_command` knows their names: a search in brackets may begin with a command without
/// a pipe before it.
pub fn parse(script: &Arc<Script>, is_command: fn(&str) -> bool) -> Parsed<Search> {
    let mut splitter = Splitter { script, text: script.text(), at: 0, depth: 0, is_command };
    let search = splitter.search(None)?;
    match splitter.at < splitter.text.len() {
        true => {
            let place = script.place(splitter.at, splitter.at + 1);
            let said = Diagnostic::error("HP500", "this ] closes no bracket").at(place);
            Err(said.help("put double quotes around a text or a regular expression with brackets in it"))
        }
        false => Ok(search),
    }
}

struct Splitter<'a> {
    script: &'a Arc<Script>,
    text: &'a str,
    at: usize,
    depth: usize,
    is_command: fn(&str) -> bool,
}

impl<'a> Splitter<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// The commands up to the end or to the bracket that closes the one at `open`.
    fn search(&mut self, open: Option<usize>) -> Parsed<Search> {
        let start = self.at;
        self.skip_space();
        let piped = self.rest().starts_with('|');
        if piped {
            self.at += 1;
        }
        let mut commands = Vec::new();
        let mut is_first = !piped;
        loop {
            commands.extend(self.command(is_first, open.is_some())?);
            is_first = false;
            match self.rest().chars().next() {
                Some('|') => self.at += 1,
                _ => break,
            }
        }
        if let (Some(open), "") = (open, self.rest()) {
            let said = Diagnostic::error("HP500", "this [ has no closing ]").at(self.script.place(open, open + 1));
            return Err(said.help("put double quotes around a text or a regular expression with brackets in it"));
        }
        let span = self.script.place(start, self.at);
        Ok(Search { script: self.script.clone(), start, end: self.at, span, piped, commands })
    }

    fn command(&mut self, is_first: bool, inside: bool) -> Parsed<Option<Command>> {
        self.skip_space();
        let start = self.at;
        let name = self.name(is_first, inside);
        let from = self.at;
        let searches = self.arguments()?;
        let is_empty = self.text.get(from..self.at).is_none_or(|t| t.trim_matches(is_space).is_empty());
        let name = match name {
            Some(name) => name,
            // A search of no terms at all finds everything.
            None if is_first && is_empty && searches.is_empty() => {
                return match self.rest().starts_with('|') {
                    true => Err(self.missing(start)),
                    false => Ok(Some(self.built(implied(self.script, start), start, from, searches))),
                };
            }
            None if is_first => implied(self.script, start),
            None => return Err(self.missing(start)),
        };
        Ok(Some(self.built(name, start, from, searches)))
    }

    fn built(&self, name: Word, start: usize, from: usize, searches: Vec<Search>) -> Command {
        let written = self.text.get(start..self.at).unwrap_or("");
        let end = start + written.trim_end_matches(is_space).len();
        let span = self.script.place(start, end);
        Command { name, script: self.script.clone(), start: from, end: self.at, searches, span }
    }

    fn missing(&self, start: usize) -> Diagnostic {
        let place = self.script.place(start.saturating_sub(1), start.max(1));
        Diagnostic::error("HP500", "a command is missing behind this |").at(place)
    }

    /// The command's name; none where the text begins with search terms.
    fn name(&mut self, is_first: bool, inside: bool) -> Option<Word> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let text = rest.get(..length).filter(|text| !text.is_empty())?;
        let behind = rest.get(length..).unwrap_or("");
        let ends = behind.chars().next().is_none_or(|c| is_space(c) || matches!(c, '|' | ']' | '[' | '"' | '(' | '`'));
        let lower = text.to_ascii_lowercase();
        let compares = behind.trim_start_matches(is_space).starts_with(['=', '<', '>', '!']);
        let known = match (is_first, inside) {
            (true, false) => lower == "search" && ends && !compares,
            (true, true) => (self.is_command)(&lower) && ends && !compares,
            (false, _) => true,
        };
        if !known {
            return None;
        }
        let span = self.script.place(self.at, self.at + length);
        self.at += length;
        Some(Word { text: lower, span, quoted: false })
    }

    /// Moves to the end of the command, and reads the searches in it.
    fn arguments(&mut self) -> Parsed<Vec<Search>> {
        let mut searches = Vec::new();
        let mut before = ' ';
        while let Some(c) = self.rest().chars().next() {
            match c {
                '|' | ']' => break,
                '"' => match quoting::length(self.rest(), '"') {
                    Some(length) => self.at += length,
                    None => {
                        let place = self.script.place(self.at, self.text.len());
                        return Err(Diagnostic::error("HP500", "this text has no closing \"").at(place));
                    }
                },
                '\'' if !before.is_alphanumeric() => self.at += quoted_name(self.rest()).unwrap_or(1),
                '\\' => self.at += self.rest().chars().take(2).map(char::len_utf8).sum::<usize>(),
                '[' => searches.push(self.bracket()?),
                c => self.at += c.len_utf8(),
            }
            before = c;
        }
        Ok(searches)
    }

    fn bracket(&mut self) -> Parsed<Search> {
        let open = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let said = Diagnostic::error("HP302", format!("searches nest more than {MAX_DEPTH} levels deep"));
            return Err(said.at(self.script.place(open, open + 1)));
        }
        self.at += 1;
        let search = self.search(Some(open))?;
        self.at += 1;
        self.depth -= 1;
        Ok(search)
    }
}

/// The command that a text without a command begins with.
fn implied(script: &Arc<Script>, start: usize) -> Word {
    Word { text: "search".to_owned(), span: script.place(start, start), quoted: false }
}

/// The length of a name in single quotes, which stands on one line and holds no pipe.
fn quoted_name(text: &str) -> Option<usize> {
    let inside = text.get(1..)?;
    let end = inside.find(['\'', '|', '\n'])?;
    inside.get(end..)?.starts_with('\'').then_some(end + 2)
}

pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')
}
