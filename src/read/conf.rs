//! Splunk's configuration files: stanzas of settings.
//!
//! `[name]` begins a stanza, `key = value` sets, `#` at a line's beginning is a comment, and a backslash at a line's
//! end takes the next line as well. What stands before the first stanza, or in `[default]`, holds for all of them.
//! Stanzas of one name are one; of two settings with one key the later counts. Source: the page "About configuration
//! files" and the pages of the single files.
use crate::diagnostic::{Diagnostic, Fault, Result, Source, Span};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Bytes that a configuration file may have.
const SIZE_LIMIT: u64 = 32 << 20;
/// The stanza whose settings hold for all.
const DEFAULT: &str = "default";

/// A configuration file.
#[derive(Clone, Debug, Default)]
pub struct Conf {
    pub stanzas: Vec<Stanza>,
    /// Lines that are neither a stanza's head nor a setting: Splunk passes over them as well.
    pub warnings: Vec<Diagnostic>,
    pub file: Arc<Source>,
}

#[derive(Clone, Debug, Default)]
pub struct Stanza {
    pub name: String,
    /// Its head in the file.
    pub span: Span,
    /// In the order of the file, the defaults last.
    pub settings: Vec<Setting>,
    places: HashMap<String, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    /// Lines that were continued are lines of it.
    pub value: String,
    /// The value in the file.
    pub span: Span,
}

impl Stanza {
    /// A setting's value; none where it is not set, or to nothing.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.setting(key).map(|setting| setting.value.as_str()).filter(|value| !value.is_empty())
    }

    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.get(*self.places.get(key)?)
    }

    /// Whether a setting is switched on; none where it is not set or is no boolean.
    pub fn flag(&self, key: &str) -> Option<bool> {
        truth(self.get(key)?)
    }

    fn set(&mut self, setting: Setting) {
        match self.places.get(&setting.key).and_then(|at| self.settings.get_mut(*at)) {
            Some(known) => *known = setting,
            None => {
                self.places.insert(setting.key.clone(), self.settings.len());
                self.settings.push(setting);
            }
        }
    }
}

/// What Splunk reads as true and false.
pub fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "enabled" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "disabled" | "off" => Some(false),
        _ => None,
    }
}

impl Conf {
    /// Reads a file.
    ///
    /// Errors (DataError): a file that cannot be read, is too large, or is no UTF-8 text.
    pub fn open(path: &Path) -> Result<Conf> {
        let broken = |reason: String| Fault::data("HP400", format!("{}: {reason}", path.display()));
        let size = std::fs::metadata(path).map_err(|error| broken(error.to_string()))?.len();
        if size > SIZE_LIMIT {
            return Err(broken("too large for a configuration file".into()));
        }
        let bytes = std::fs::read(path).map_err(|error| broken(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| broken("the file is not UTF-8 text".into()))?;
        Ok(Conf::parse(text, path.display().to_string()))
    }

    /// Reads a text that stands at `origin`.
    pub fn parse(text: impl Into<String>, origin: impl Into<String>) -> Conf {
        let file = Arc::new(Source { text: text.into(), origin: origin.into(), first_line: 1, indent: 0 });
        let mut reader = Reader { text: &file.text, at: 0, conf: Conf::default(), places: HashMap::new(), open: None };
        reader.read();
        Conf { file: file.clone(), ..reader.conf }
    }

    /// The stanza of a name.
    pub fn stanza(&self, name: &str) -> Option<&Stanza> {
        self.stanzas.iter().find(|stanza| stanza.name == name)
    }

    /// Takes another file's settings over its own, key by key, as Splunk takes a local file's over a default one's.
    pub fn merge(&mut self, over: Conf) {
        for stanza in over.stanzas {
            match self.stanzas.iter_mut().find(|own| own.name == stanza.name) {
                Some(own) => stanza.settings.into_iter().for_each(|setting| own.set(setting)),
                None => self.stanzas.push(stanza),
            }
        }
        self.warnings.extend(over.warnings);
    }

    /// A setting's value with the place that it has in the file.
    pub fn source_of(&self, setting: &Setting) -> Source {
        let (first_line, column) = self.file.place(setting.span.start as usize);
        // Further lines stand at the margin.
        let indent = if setting.value.contains('\n') { 0 } else { column - 1 };
        Source { text: setting.value.clone(), origin: self.file.origin.clone(), first_line, indent }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    conf: Conf,
    /// Where the stanza of a name stands.
    places: HashMap<String, usize>,
    /// The stanza that is being read; none before the first.
    open: Option<usize>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        let mut defaults = Stanza::default();
        while let Some((start, line)) = self.line() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            match head(trimmed) {
                Some(DEFAULT) => self.open = None,
                Some(name) => self.begin(name, Span::new(start, start + line.len())),
                None => match self.setting(start, line) {
                    Some(setting) => self.stanza(&mut defaults).set(setting),
                    None => self.conf.warnings.push(no_setting(trimmed, Span::new(start, start + line.len()))),
                },
            }
        }
        for stanza in &mut self.conf.stanzas {
            let absent = defaults.settings.iter().filter(|setting| !stanza.places.contains_key(&setting.key));
            absent.cloned().collect::<Vec<_>>().into_iter().for_each(|setting| stanza.set(setting));
        }
    }

    fn begin(&mut self, name: &str, span: Span) {
        let next = self.conf.stanzas.len();
        let at = *self.places.entry(name.to_owned()).or_insert(next);
        if at == next {
            self.conf.stanzas.push(Stanza { name: name.to_owned(), span, ..Stanza::default() });
        }
        self.open = Some(at);
    }

    fn stanza<'s>(&'s mut self, defaults: &'s mut Stanza) -> &'s mut Stanza {
        self.open.and_then(|at| self.conf.stanzas.get_mut(at)).unwrap_or(defaults)
    }

    /// The next line, where it begins, without its end.
    fn line(&mut self) -> Option<(usize, &'a str)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let end = rest.find('\n');
        self.at += end.map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end.unwrap_or(rest.len()))?;
        Some((start, line.strip_suffix('\r').unwrap_or(line)))
    }

    /// `key = value`, with the lines that continue it.
    fn setting(&mut self, start: usize, line: &'a str) -> Option<Setting> {
        let (key, value) = line.split_once('=')?;
        let key = key.trim();
        if key.is_empty() {
            return None;
        }
        let blank = value.len() - value.trim_start().len();
        let from = start + (line.len() - value.len()) + blank;
        let mut text = String::new();
        let (mut part, mut end) = (value.trim_start(), start + line.len());
        while let Some(continued) = part.strip_suffix('\\') {
            text.push_str(continued);
            let Some((next, line)) = self.line() else {
                part = "";
                break;
            };
            text.push('\n');
            (part, end) = (line, next + line.len());
        }
        text.push_str(part);
        let value = text.trim_end().to_owned();
        Some(Setting { key: key.to_owned(), value, span: Span::new(from, end.max(from)) })
    }
}

/// The name in a stanza's head: all up to the last bracket of the line.
fn head(line: &str) -> Option<&str> {
    let (name, after) = line.strip_prefix('[')?.rsplit_once(']')?;
    let rest = after.trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(name)
}

fn no_setting(line: &str, span: Span) -> Diagnostic {
    let shown: String = line.chars().take(40).collect();
    Diagnostic::warning("HP430", format!("neither a stanza nor a setting: `{shown}`")).at(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(conf: &Conf) -> Vec<(&str, Vec<(&str, &str)>)> {
        conf.stanzas
            .iter()
            .map(|s| (s.name.as_str(), s.settings.iter().map(|s| (s.key.as_str(), s.value.as_str())).collect()))
            .collect()
    }

    #[test]
    fn stanzas_hold_their_settings() {
        let conf = Conf::parse("\u{feff}# words\r\n[a]\r\nx = 1\r\ny=a = b # kept\r\n\r\n  [b [c]]\n z =\n", "t.conf");
        assert_eq!(values(&conf), [("a", vec![("x", "1"), ("y", "a = b # kept")]), ("b [c]", vec![("z", "")])]);
        assert_eq!((conf.stanzas[0].get("x"), conf.stanzas[1].get("z")), (Some("1"), None));
    }

    #[test]
    fn a_value_goes_on_after_a_backslash() {
        let conf = Conf::parse("[a]\nsearch = one \\\n| two \\\n# not a comment\nnext = 1\nlast = x\\", "t.conf");
        let expected = vec![("search", "one \n| two \n# not a comment"), ("next", "1"), ("last", "x")];
        assert_eq!(values(&conf), [("a", expected)]);
        let setting = conf.stanzas[0].setting("search").unwrap();
        assert_eq!(conf.source_of(setting).place(5), (3, 1));
        let next = conf.stanzas[0].setting("next").unwrap();
        assert_eq!(conf.source_of(next).place(0), (5, 8));
    }

    #[test]
    fn defaults_hold_where_nothing_else_is_said() {
        let conf = Conf::parse("a = 0\n[x]\na = 1\n[default]\nb = 2\n[y]\nb = 3\n[x]\na = 4\n", "t.conf");
        assert_eq!(values(&conf), [("x", vec![("a", "4"), ("b", "2")]), ("y", vec![("b", "3"), ("a", "0")])]);
    }

    #[test]
    fn other_lines_are_told_and_passed_over() {
        let conf = Conf::parse("[a]\nwords\n= 1\n[open\nx = 1\n", "t.conf");
        assert_eq!(values(&conf), [("a", vec![("x", "1")])]);
        let lines: Vec<usize> =
            conf.warnings.iter().map(|d| conf.file.place(d.span.unwrap().start as usize).0).collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn local_settings_go_over_default_ones() {
        let mut conf = Conf::parse("[a]\nx = 1\ny = 2\n", "default");
        conf.merge(Conf::parse("[a]\nx = 9\ny =\n[b]\nz = 3\n", "local"));
        assert_eq!(values(&conf), [("a", vec![("x", "9"), ("y", "")]), ("b", vec![("z", "3")])]);
        assert_eq!(conf.stanza("a").and_then(|stanza| stanza.get("y")), None);
    }

    #[test]
    fn flags_have_many_spellings() {
        let conf = Conf::parse("[a]\nx = True\ny = 0\nz = perhaps\n", "t.conf");
        let flag = |key| conf.stanzas[0].flag(key);
        assert_eq!((flag("x"), flag("y"), flag("z"), flag("w")), (Some(true), Some(false), None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([\\[\\]a=#\\\\ \n\r]|\\PC){0,60}") {
            let conf = Conf::parse(text.clone(), "t.conf");
            for stanza in &conf.stanzas {
                for setting in &stanza.settings {
                    prop_assert!(text.get(setting.span.start as usize..setting.span.end as usize).is_some());
                    _ = conf.source_of(setting).place(0);
                }
            }
        }
    }
}
