//! The arguments of a command: a text by itself, and options.
use crate::diagnostic::{Fault, Result, closest};
use crate::read::truth;

/// An option that a command takes.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub name: &'static str,
    /// What may stand behind it, for the message of an error.
    pub takes: &'static str,
}

/// What an analyst has written behind a command's name.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Texts without a name.
    pub texts: Vec<String>,
    options: Vec<(String, String)>,
}

impl Arguments {
    /// Reads arguments as splunkd hands them over: cut at blanks or not, with their quotes or without.
    ///
    /// Errors: a quote that is not closed, an option without a value, unknown or twice.
    pub fn read(command: &str, raw: &[String], known: &[Known]) -> Result<Arguments> {
        let mut found = Arguments::default();
        let mut joined = String::new();
        for item in raw {
            match whole(item, known) {
                Some(Word::Text(text)) => found.texts.push(text),
                Some(Word::Option(name, value)) => found.options.push((name, value)),
                None => {
                    joined.push_str(item);
                    joined.push(' ');
                }
            }
        }
        for word in words(&joined)? {
            match word {
                Word::Text(text) => found.texts.push(text),
                Word::Option(name, value) => found.options.push((name, value)),
            }
        }
        found.check(command, known)?;
        Ok(found)
    }

    fn check(&self, command: &str, known: &[Known]) -> Result<()> {
        for (at, (name, value)) in self.options.iter().enumerate() {
            if value.trim().is_empty() && known.iter().any(|option| option.name == name) {
                return Err(Fault::query("HP460", format!("the option `{name}` has no value")));
            }
            if !known.iter().any(|option| option.name == name) {
                return Err(unknown(command, name, known));
            }
            if self.options.iter().take(at).any(|(other, _)| other == name) {
                return Err(Fault::query("HP460", format!("the option `{name}` is given twice")));
            }
        }
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// An option that is true or false.
    pub fn truth(&self, name: &str) -> Result<Option<bool>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match truth(value) {
            Some(truth) => Ok(Some(truth)),
            None => Err(no_such_value(name, value, &["true", "false"])),
        }
    }

    /// An option that is one of a few words.
    pub fn one_of<'a>(&self, name: &str, words: &[&'a str]) -> Result<Option<&'a str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(value));
        found.copied().map(Some).ok_or_else(|| no_such_value(name, value, words))
    }
}

fn unknown(command: &str, name: &str, known: &[Known]) -> Fault {
    let all: Vec<String> = known.iter().map(|option| format!("{}={}", option.name, option.takes)).collect();
    let near = closest(name, known.iter().map(|option| option.name));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Fault::query("HP460", format!("`{command}` has no option `{name}`"))
        .help(format!("{near}it takes {}", all.join(", ")))
}

/// What is said of an option's value that is none of those that it may have.
pub fn no_such_value(name: &str, value: &str, words: &[&str]) -> Fault {
    let near = closest(value, words.iter().copied());
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Fault::query("HP460", format!("`{name}` cannot be `{value}`"))
        .help(format!("{near}it is one of {}", words.join(", ")))
}

enum Word {
    Text(String),
    Option(String, String),
}

/// An argument that was handed over without its quotes, as blanks in it tell.
fn whole(item: &str, known: &[Known]) -> Option<Word> {
    if !item.contains(char::is_whitespace) || item.starts_with('"') {
        return None;
    }
    match item.split_once('=') {
        Some((name, value)) if known.iter().any(|option| option.name == name.trim()) => {
            let quoted = value.trim_start().starts_with('"');
            let goes_on = |option: &Known| value.contains(&format!(" {}=", option.name));
            (!quoted && !known.iter().any(goes_on)).then(|| Word::Option(name.trim().to_owned(), value.to_owned()))
        }
        _ => Some(Word::Text(item.to_owned())),
    }
}

/// Words and quoted texts, alone or behind `name=`; blanks may stand around the sign.
fn words(text: &str) -> Result<Vec<Word>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, quoted, behind) = value(rest)?;
        let after = behind.trim_start();
        match after.strip_prefix('=').filter(|_| !quoted) {
            Some(given) if !given.trim_start().is_empty() => {
                let (value, _, behind) = value(given.trim_start())?;
                found.push(Word::Option(word, value));
                rest = behind.trim_start();
            }
            Some(_) => return Err(Fault::query("HP460", format!("the option `{word}` has no value"))),
            None => {
                found.push(Word::Text(word));
                rest = after;
            }
        }
    }
    Ok(found)
}

/// The text that stands first, whether it was quoted, and what stands behind it.
fn value(text: &str) -> Result<(String, bool, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let is_end = |c: char| c.is_whitespace() || c == '=' || c == '"';
        let first = text.chars().next().map_or(0, char::len_utf8);
        let end = text.find(is_end).unwrap_or(text.len()).max(first);
        let (word, behind) = text.split_at(end);
        return Ok((word.to_owned(), false, behind));
    };
    let mut out = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((out, true, inside.get(at + 1..).unwrap_or_default())),
            // Only quotes and backslashes are escaped: `\d` of a pattern stays as it is.
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => out.push(escaped),
                Some((_, other)) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    let fault = Fault::query("HP460", "a quote is not closed");
    Err(fault.help("write a quote inside of quotes as \\\", or keep the query in queries/name.kql and run `kql @name`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[Known { name: "table", takes: "a name" }, Known { name: "now", takes: "a time" }];

    fn read(raw: &[&str]) -> Result<Arguments> {
        let raw: Vec<String> = raw.iter().map(|item| (*item).to_owned()).collect();
        Arguments::read("kql", &raw, KNOWN)
    }

    #[test]
    fn quotes_blanks_and_escapes() {
        let found =
            read(&[r#""T | where A == \"x y\" and B matches regex @\"\d\"""#, "table", "=", "\"My Table\""]).unwrap();
        assert_eq!(found.texts, [r#"T | where A == "x y" and B matches regex @"\d""#]);
        assert_eq!(found.get("table"), Some("My Table"));
    }

    #[test]
    fn arguments_that_lost_their_quotes() {
        let found = read(&["T | where A == \"x\"", "table=My Table", "now=latest"]).unwrap();
        assert_eq!(found.texts, ["T | where A == \"x\""]);
        assert_eq!((found.get("table"), found.get("now")), (Some("My Table"), Some("latest")));
    }

    #[test]
    fn a_text_that_was_cut_at_its_blanks() {
        let found = read(&["\"T", "|", "where", "A", "==", "1\"", "table=X"]).unwrap();
        assert_eq!(
            (found.texts.as_slice(), found.get("table")),
            (["T | where A == 1".to_owned()].as_slice(), Some("X"))
        );
    }

    #[test]
    fn mistakes_are_named() {
        let fault = read(&["tabel=X"]).unwrap_err();
        assert_eq!(fault.message(), "`kql` has no option `tabel`");
        assert_eq!(
            fault.diagnostics()[0].help.as_deref(),
            Some("did you mean `table`? it takes table=a name, now=a time")
        );
        assert!(read(&["\"T"]).unwrap_err().message().contains("not closed"));
        assert!(read(&["table="]).unwrap_err().message().contains("no value"));
        assert!(read(&["table=a", "table=b"]).unwrap_err().message().contains("twice"));
    }
}
