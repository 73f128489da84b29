//! The options of a command: `name=value`.
use crate::diagnostic::{Diagnostic, closest};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::Lower;
use crate::spl::parse::Reader;

/// Options that were given, each once.
#[derive(Debug, Default)]
pub struct Options {
    given: Vec<(Word, Word)>,
}

impl Options {
    /// Reads the options that come next; `known` are the names that the command has.
    pub fn read(reader: &mut Reader, known: &[&str]) -> Lower<Options> {
        let mut options = Options::default();
        options.read_more(reader, known)?;
        Ok(options)
    }

    /// Reads fields, with options before and behind them, up to the end of the command.
    pub fn with_fields(command: &Command, known: &[&str]) -> Lower<(Options, Vec<Word>)> {
        let mut reader = Reader::new(command);
        let mut options = Options::read(&mut reader, known)?;
        let fields = reader.fields(&[])?;
        options.read_more(&mut reader, known)?;
        reader.finish()?;
        Ok((options, fields))
    }

    /// Reads further options: a command may have some before and some behind its fields.
    pub fn read_more(&mut self, reader: &mut Reader, known: &[&str]) -> Lower<()> {
        while self.read_one(reader, known)? {}
        Ok(())
    }

    /// Reads the options that come next, for a command where `name=value` may be something else, too: that is left.
    pub fn read_known(&mut self, reader: &mut Reader, known: &[&str]) {
        loop {
            let before = reader.position();
            match reader.option() {
                Some((name, value)) if known.iter().any(|own| name.is(own)) => self.given.push((name, value)),
                _ => return reader.back_to(before),
            }
        }
    }

    /// Reads one option, if one comes next.
    pub fn read_one(&mut self, reader: &mut Reader, known: &[&str]) -> Lower<bool> {
        if let Some((name, value)) = reader.option() {
            if !known.iter().any(|own| name.is(own)) {
                let said = Diagnostic::error("HP504", format!("there is no option `{}` here", name.text)).at(name.span);
                return Err(match closest(&name.text, known.iter().copied()) {
                    Some(near) => said.help(format!("did you mean `{near}`?")),
                    None if known.is_empty() => said,
                    None => said.help(format!("the options are {}", known.join(", "))),
                }
                .into());
            }
            self.given.push((name, value));
            return Ok(true);
        }
        Ok(false)
    }

    /// The value of an option; the last where it is given more than once.
    pub fn word(&self, name: &str) -> Option<&Word> {
        self.given.iter().rev().find(|(own, _)| own.is(name)).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.word(name).map(|word| word.text.as_str())
    }

    /// A number that is not negative.
    pub fn count(&self, name: &str) -> Lower<Option<u64>> {
        let Some(word) = self.word(name) else { return Ok(None) };
        match word.text.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(wrong(name, word, "a whole number that is not negative").into()),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Lower<Option<f64>> {
        let Some(word) = self.word(name) else { return Ok(None) };
        match word.text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(wrong(name, word, "a number").into()),
        }
    }

    /// true or false, also t, f, 1 and 0.
    pub fn flag(&self, name: &str) -> Lower<Option<bool>> {
        let Some(word) = self.word(name) else { return Ok(None) };
        match truth(&word.text) {
            Some(flag) => Ok(Some(flag)),
            None => Err(wrong(name, word, "true or false").into()),
        }
    }

    /// One of some words.
    pub fn choice(&self, name: &str, choices: &[&'static str]) -> Lower<Option<&'static str>> {
        let Some(word) = self.word(name) else { return Ok(None) };
        match choices.iter().find(|choice| word.text.eq_ignore_ascii_case(choice)) {
            Some(choice) => Ok(Some(choice)),
            None => Err(wrong(name, word, &format!("one of {}", choices.join(", "))).into()),
        }
    }
}

/// What a word means as true or false.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" => Some(true),
        "false" | "f" | "0" | "no" | "n" => Some(false),
        _ => None,
    }
}

fn wrong(name: &str, word: &Word, wanted: &str) -> Diagnostic {
    Diagnostic::error("HP504", format!("`{name}` is {wanted}, not `{}`", word.text)).at(word.span)
}
