//! Files and folders of rules to a pack; one bad file never stops the others.
use super::arm;
use super::document::{Node, parse_yaml};
use super::rule::{Format, Rule};
use super::{escu, savedsearch, sentinel};
use crate::diagnostic::{Fault, Result, Source, Span, closest};
use crate::read::Conf;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders inside of each other that a pack may have.
const FOLDER_LIMIT: usize = 32;
/// Bytes that a rule file may have.
const SIZE_LIMIT: u64 = 32 << 20;

/// Rules that were loaded and files that were not.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    pub rules: Vec<Rule>,
    pub problems: Vec<Problem>,
    /// Files of folders that hold rules in formats without a reader.
    unsupported: Vec<String>,
}

/// A file, or one rule of a file, that did not load.
#[derive(Clone, Debug)]
pub struct Problem {
    pub path: String,
    pub error: Fault,
}

/// What a file holds, as far as rules go.
enum Found {
    Rules(Vec<Result<Rule>>),
    /// Not a rule: nothing to say in a folder, a problem where the file was named.
    Other(Fault),
    /// A rule in a format without a reader: a note in a folder, a problem where the file was named.
    Unsupported(Fault),
}

/// Loads files and folders (recursively; `*.yaml`, `*.yml`, `*.json`, `savedsearches.conf`), in the order of their
/// names.
pub fn load<P: AsRef<Path>>(paths: &[P]) -> Pack {
    let mut pack = Pack::default();
    for path in paths.iter().map(AsRef::as_ref) {
        match path.is_dir() {
            true => pack.add_folder(path, 0),
            false => pack.add_file(path, true),
        }
    }
    pack
}

impl Pack {
    /// The rule of an id or a name.
    ///
    /// # Errors
    /// `HP208` where there is none; `HP209` where several rules have the name.
    pub fn rule(&self, name: &str) -> Result<&Rule> {
        let by_id = self.rules.iter().filter(|rule| rule.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(name)));
        let by_id: Vec<&Rule> = by_id.collect();
        let found = if by_id.is_empty() { self.rules.iter().filter(|rule| rule.name == name).collect() } else { by_id };
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let near = closest(name, self.rules.iter().map(|rule| rule.name.as_str()));
                let fault = Fault::rule("HP208", format!("no rule has the id or name `{name}`"));
                Err(near.map_or(fault.clone(), |near| fault.help(format!("did you mean `{near}`?"))))
            }
            several => {
                let paths: Vec<&str> = several.iter().map(|rule| rule.path.as_str()).collect();
                Err(Fault::rule("HP209", format!("several rules are called `{name}`: {}", paths.join(", "))))
            }
        }
    }

    /// What to know of the load: files that were passed over, though they hold rules.
    pub fn notes(&self) -> Vec<String> {
        let said = match self.unsupported.as_slice() {
            [] => return Vec::new(),
            [path] => format!("passed over {path}: its format is not supported yet"),
            [first, others @ ..] => {
                let others = others.len();
                format!("passed over {first} and {others} more files: their formats are not supported yet")
            }
        };
        vec![said]
    }

    fn add_folder(&mut self, folder: &Path, depth: usize) {
        let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) if depth < FOLDER_LIMIT => entries.iter().map(std::fs::DirEntry::path).collect(),
            Ok(_) => return self.problem(folder, Fault::rule("HP200", "too many folders inside of each other")),
            Err(error) => return self.problem(folder, unreadable(&error)),
        };
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.add_folder(&path, depth + 1);
            } else if is_rule_file(&path) {
                self.add_file(&path, false);
            }
        }
    }

    fn add_file(&mut self, path: &Path, named: bool) {
        let found = read_text(path).and_then(|text| read_rules(&text, &path.to_string_lossy()));
        match found {
            Ok(Found::Rules(rules)) => rules.into_iter().for_each(|rule| match rule {
                Ok(rule) => self.rules.push(rule),
                Err(fault) => self.problem(path, fault),
            }),
            Ok(Found::Other(fault) | Found::Unsupported(fault)) if named => self.problem(path, fault),
            Ok(Found::Other(_)) => {}
            Ok(Found::Unsupported(_)) => self.unsupported.push(path.to_string_lossy().into_owned()),
            Err(fault) => self.problem(path, fault),
        }
    }

    fn problem(&mut self, path: &Path, error: Fault) {
        let path = path.to_string_lossy().into_owned();
        let file = Source { origin: path.clone(), ..Source::default() };
        self.problems.push(Problem { path, error: error.of(&Arc::new(file)) });
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::rule("HP200", format!("cannot be read: {error}"))
}

/// Whether a file's name is one under which rules are kept.
pub fn is_rule_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let test = [".test.yaml", ".test.yml"].iter().any(|end| name.ends_with(end));
    !test && [".yaml", ".yml", ".json", "savedsearches.conf"].iter().any(|end| name.ends_with(end))
}

/// A file's text, from UTF-8 or UTF-16, without its byte order mark.
fn read_text(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > SIZE_LIMIT {
        return Err(Fault::rule("HP200", format!("larger than a rule file may be ({size} bytes)")));
    }
    decode(std::fs::read(path).map_err(|error| unreadable(&error))?)
}

fn decode(bytes: Vec<u8>) -> Result<String> {
    let wide = |swap: bool| {
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        let units: Vec<u16> = units
            .map(|pair| match pair {
                [a, b] if swap => u16::from_be_bytes([*a, *b]),
                [a, b] => u16::from_le_bytes([*a, *b]),
                _ => 0,
            })
            .collect();
        String::from_utf16(&units).map_err(|_| Fault::rule("HP200", "not valid UTF-16"))
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] => wide(false),
        [0xFE, 0xFF, ..] => wide(true),
        _ => narrow(bytes),
    }
}

fn narrow(bytes: Vec<u8>) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|b| **b == b'\n').count() + 1;
        Fault::rule("HP200", format!("not UTF-8 text (line {line})"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
}

/// Reads the rules of a text that stands at `origin`.
fn read_rules(text: &str, origin: &str) -> Result<Found> {
    let file = Arc::new(Source { text: text.into(), origin: origin.into(), first_line: 1, indent: 0 });
    if let Some(format) = unsupported(&file) {
        let message = format!("the file is {format}, a format that is not supported yet");
        return Ok(Found::Unsupported(Fault::rule("HP202", message).of(&file)));
    }
    if origin.to_lowercase().ends_with(".conf") {
        return Ok(read_conf(text, origin));
    }
    if text.trim_start().starts_with('{') {
        return read_json(&file);
    }
    let documents = match parse_yaml(&file) {
        Ok(documents) => documents,
        Err(fault) if speaks_of_rules(text) => return Err(fault),
        Err(fault) => return Ok(Found::Other(fault)),
    };
    let read = |node: &Node| match () {
        () if sentinel::is_rule(node) => Some(sentinel::read_rule(node, &file, Format::Sentinel, node.to_json())),
        () if escu::is_detection(node) => Some(escu::read_rule(node, &file, node.to_json())),
        () => None,
    };
    let rules: Vec<Result<Rule>> = documents.iter().filter_map(read).collect();
    match rules.is_empty() {
        true => Ok(Found::Other(no_rule(&documents).of(&file))),
        false => Ok(Found::Rules(rules)),
    }
}

/// Reads the saved searches of a Splunk configuration.
fn read_conf(text: &str, origin: &str) -> Found {
    let conf = Conf::parse(text, origin);
    match savedsearch::read(&conf) {
        rules if rules.is_empty() => {
            Found::Other(Fault::rule("HP202", "the file holds no stanza with a `search`").of(&conf.file))
        }
        rules => Found::Rules(rules),
    }
}

/// Reads an ARM template, or a single rule that is written as JSON.
fn read_json(file: &Arc<Source>) -> Result<Found> {
    let document: Value = match serde_json::from_str(&file.text) {
        Ok(document) => document,
        Err(error) if speaks_of_rules(&file.text) => return Err(not_json(&error, file)),
        Err(error) => return Ok(Found::Other(not_json(&error, file))),
    };
    let mut rules = arm::read_template(&document, file);
    let node = Node::from_json(&document, Span::default());
    if sentinel::is_rule(&node) {
        rules.push(sentinel::read_rule(&node, file, Format::Sentinel, document));
    } else if escu::is_detection(&node) {
        rules.push(escu::read_rule(&node, file, document));
    }
    match rules.is_empty() {
        true => Ok(Found::Other(Fault::rule("HP202", "the file holds no `alertRules` resource").of(file))),
        false => Ok(Found::Rules(rules)),
    }
}

fn not_json(error: &serde_json::Error, file: &Arc<Source>) -> Fault {
    let lines = file.text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let start = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    Fault::rule("HP201", format!("not valid JSON: {error}")).at(Span::new(start, start)).of(file)
}

/// Whether a file that cannot be parsed means to hold rules: in a folder, others are passed over.
fn speaks_of_rules(text: &str) -> bool {
    let marks = [
        "triggerOperator",
        "triggerThreshold",
        "queryFrequency",
        "queryPeriod",
        "alertRules",
        "how_to_implement",
        "known_false_positives",
    ];
    let keys = ["query:", "search:", "entityMappings:"];
    marks.iter().any(|mark| text.contains(mark))
        || text.lines().any(|line| keys.iter().any(|key| line.starts_with(key)))
}

/// Formats of rules that have a name here but no reader.
fn unsupported(file: &Source) -> Option<&'static str> {
    let begins = |key: &str| file.text.lines().any(|line| line.starts_with(key));
    match () {
        () if begins("queryCondition:") || begins("detectionAction:") => Some("a Defender custom detection"),
        () => None,
    }
}

fn no_rule(documents: &[Node]) -> Fault {
    let has = |key: &str| documents.iter().any(|node| node.get(key).is_some());
    let message = match () {
        () if has("query") => "the file is a hunting query, not an analytic rule: it has no schedule and no trigger",
        () if documents.iter().any(escu::is_beside) => "the file is a search that supports detections, not a detection",
        () => "the file is not a rule: it has no query with a schedule and a trigger, and no search of a detection",
    };
    Fault::rule("HP202", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: a\nname: A\nseverity: High\nqueryFrequency: 1h\nqueryPeriod: 1d\ntriggerOperator: gt\n\
        triggerThreshold: 0\nquery: T\n";

    /// A folder of this test's own, gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Folder {
            let folder = std::env::temp_dir().join(format!("huntpack-load-{name}-{}", std::process::id()));
            for (file, bytes) in files {
                let path = folder.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn one_bad_file_never_stops_the_others() {
        let marked = ["\u{feff}", RULE].concat().replace('\n', "\r\n");
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(RULE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let two = format!("{RULE}---\n{}", RULE.replace("High", "Wild"));
        let folder = Folder::new(
            "pack",
            &[
                ("a.yaml", marked.as_bytes()),
                ("deep/b.yml", &wide),
                ("c.yaml", two.as_bytes()),
                ("broken.yaml", b"query: [\ntriggerOperator: gt"),
                ("latin.yaml", b"name: caf\xe9"),
                ("a.test.yaml", b"now: 2024-01-01"),
                ("playbook.json", b"{\"resources\": []}"),
                ("comment.json", b"{ // no rule"),
                ("chart.yaml", b"{{ .Values }}: ["),
                ("hunt.yaml", b"name: H\nquery: T\n"),
                ("notes.txt", b"query: T"),
            ],
        );
        let pack = load(&[&folder.0]);
        assert_eq!((pack.rules.len(), pack.problems.len()), (3, 3), "{:#?}", pack.problems);
        assert!(pack.problems.iter().all(|problem| problem.error.source().is_some()));
        assert_eq!(pack.rule("A").unwrap_err().diagnostics()[0].code, "HP209");
        assert_eq!(pack.rule("B").unwrap_err().diagnostics()[0].code, "HP208");
        let one = Pack { rules: pack.rules.into_iter().take(1).collect(), ..Pack::default() };
        assert_eq!((one.rule("a").unwrap().name.as_str(), one.rule("A").is_ok()), ("A", true));
    }

    #[test]
    fn a_named_file_that_is_no_rule_is_a_problem() {
        let folder = Folder::new(
            "named",
            &[
                ("hunt.yaml", b"name: H\nquery: T\n"),
                ("baseline.yml", b"name: E\nsearch: x\ntype: Baseline\n"),
                ("macros.conf", b"[x]\ndefinition = y\n"),
                ("defender.yaml", b"queryCondition: {}\n"),
                ("t.json", b"{}"),
                ("empty.yaml", b""),
            ],
        );
        for (file, words) in [
            ("hunt.yaml", "hunting query"),
            ("baseline.yml", "supports detections"),
            ("macros.conf", "no stanza"),
            ("defender.yaml", "Defender"),
            ("t.json", "alertRules"),
            ("empty.yaml", "not a rule"),
            ("absent.yaml", "cannot be read"),
        ] {
            let pack = load(&[folder.0.join(file)]);
            assert!(pack.problems[0].error.message().contains(words), "{file}: {}", pack.problems[0].error);
        }
    }
}
