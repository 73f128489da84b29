//! Splunk's knowledge objects: macros, definitions of lookups, event types and tags, from configuration files of apps
//! and from folders of YAML as detection repositories keep them.
mod events;
mod lookups;
mod macros;
mod tables;

pub use lookups::{Definition, Rows};
pub use macros::parse_name;
pub use tables::LookupTables;

use crate::diagnostic::{Fault, Result};
use crate::plan::{EventType, Macro, Tag};
use crate::read::Conf;
use crate::read::yaml::{self, Wrong};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders inside of each other that a folder of knowledge objects may have.
const FOLDER_LIMIT: usize = 32;
/// Bytes that a YAML of one object may have.
const SIZE_LIMIT: u64 = 4 << 20;

/// What searches may name beside fields and commands.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// By name and number of arguments.
    macros: BTreeMap<(String, usize), Macro>,
    lookups: BTreeMap<String, Definition>,
    event_types: BTreeMap<String, EventType>,
    tags: Vec<Tag>,
}

/// What a caller reads a path for: a folder of an app holds everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Macros, and the event types and tags that stand beside them.
    Macros,
    Lookups,
}

impl Wanted {
    fn objects(self) -> &'static str {
        match self {
            Wanted::Macros => "macros",
            Wanted::Lookups => "lookups",
        }
    }
}

impl Knowledge {
    /// Adds a macro; `name(2)` or the macro's own arguments say how many it takes.
    ///
    /// Errors (DataError): a name whose number of arguments is not that of the macro.
    pub fn add_macro(&mut self, name: &str, found: Macro) -> Result<()> {
        let (name, count) = parse_name(name);
        let arguments = found.arguments.len();
        if count.is_some_and(|count| count != arguments) {
            let said = format!("the macro `{name}` names {arguments} arguments, its head {}", count.unwrap_or(0));
            return Err(Fault::data("HP431", said).help("args = first, second names as many as stand in name(2)"));
        }
        self.macros.insert((name.to_owned(), arguments), found);
        Ok(())
    }

    /// Adds a lookup whose rows a caller hands in; how it is matched may be defined already.
    pub fn give_lookup(&mut self, name: &str) {
        self.lookups.entry(name.to_owned()).or_insert_with(Definition::given);
    }

    pub fn add_lookup(&mut self, name: impl Into<String>, definition: Definition) {
        self.lookups.insert(name.into(), definition);
    }

    /// The macro of a name that takes so many arguments: one that was given, else one that is built in. A detection's
    /// own filter, `<name>_filter`, lets everything pass where nobody has defined it.
    pub fn find_macro(&self, name: &str, arguments: usize) -> Option<Macro> {
        let key = (name.to_owned(), arguments);
        let found = self.macros.get(&key).or_else(|| macros::built_in().macros.get(&key));
        let passes = || {
            let filter = arguments == 0 && name.ends_with("_filter");
            filter.then(|| Macro { definition: "search *".into(), ..Macro::default() })
        };
        found.cloned().or_else(passes)
    }

    /// The names of all macros, those with arguments as `name(2)`.
    pub fn macro_names(&self) -> Vec<String> {
        let shown = |(name, count): &(String, usize)| match count {
            0 => name.clone(),
            count => format!("{name}({count})"),
        };
        let mut names: Vec<String> = macros::built_in().macros.keys().chain(self.macros.keys()).map(shown).collect();
        names.sort();
        names.dedup();
        names
    }

    pub fn lookups(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.lookups.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// A lookup by its definition's name, else by its file's, with or without the file's extension.
    pub fn find_lookup(&self, name: &str) -> Option<(&str, &Definition)> {
        let exact = self.lookups.get_key_value(name);
        let bare = name.strip_suffix(".csv").unwrap_or(name);
        let by_file = || self.lookups.iter().find(|(_, definition)| definition.is_file(name));
        let found = exact.or_else(by_file).or_else(|| self.lookups.get_key_value(bare));
        let found = found.or_else(|| macros::built_in().lookups.get_key_value(name));
        found.map(|(name, definition)| (name.as_str(), definition))
    }

    pub fn event_types(&self) -> Vec<EventType> {
        self.event_types.values().cloned().collect()
    }

    pub fn tags(&self) -> Vec<Tag> {
        self.tags.clone()
    }

    /// Adds what a configuration file, a YAML, or a folder of them holds.
    ///
    /// Errors (DataError): what cannot be read or is broken; a path that holds none of what is wanted.
    pub fn load(&mut self, path: &Path, wanted: Wanted) -> Result<()> {
        let found = match path.is_dir() {
            true => self.load_folder(path, wanted, 0)?,
            false => self.load_file(path, wanted)?,
        };
        if found > 0 || path.is_dir() && has_no_entry(path) {
            return Ok(());
        }
        let what = wanted.objects();
        let fault = Fault::data("HP431", format!("{}: holds no {what}", path.display()));
        Err(fault.help(match wanted {
            Wanted::Macros => "macros stand in macros.conf, or in YAML files with a name and a definition",
            Wanted::Lookups => "lookups stand in transforms.conf, in YAML files with a name and a filename, or as CSV",
        }))
    }

    /// Adds the macros, event types and tags of an add-on's folder, if it has any; a file is none.
    ///
    /// Errors (DataError): what cannot be read or is broken.
    pub fn load_addon(&mut self, path: &Path) -> Result<()> {
        match path.is_dir() {
            true => self.load_folder(path, Wanted::Macros, 0).map(|_| ()),
            false => Ok(()),
        }
    }

    fn load_folder(&mut self, folder: &Path, wanted: Wanted, depth: usize) -> Result<usize> {
        if depth >= FOLDER_LIMIT {
            return Err(Fault::data("HP431", format!("{}: too many folders inside of each other", folder.display())));
        }
        let mut found = 0;
        // What is local comes after what is default, and counts more; files come before what refers to them.
        for path in entries(folder)? {
            found += match path.is_dir() {
                true => self.load_folder(&path, wanted, depth + 1)?,
                false => self.load_file_of_folder(&path, wanted)?,
            };
        }
        Ok(found)
    }

    /// Of a folder's files, those are passed over that hold something else.
    fn load_file_of_folder(&mut self, path: &Path, wanted: Wanted) -> Result<usize> {
        match (extension(path).as_str(), wanted) {
            ("csv", Wanted::Lookups) => Ok(usize::from(self.add_file(path))),
            ("conf" | "yml" | "yaml", _) => self.load_file(path, wanted),
            _ => Ok(0),
        }
    }

    fn load_file(&mut self, path: &Path, wanted: Wanted) -> Result<usize> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        match (extension(path).as_str(), wanted) {
            ("conf", Wanted::Macros) if name.contains("eventtypes") => Ok(self.add_event_types(&Conf::open(path)?)),
            ("conf", Wanted::Macros) if name.contains("tags") => Ok(self.add_tags(&Conf::open(path)?)),
            ("conf", Wanted::Macros) if name.contains("macros") => self.add_macros(&Conf::open(path)?),
            ("conf", Wanted::Lookups) if name.contains("transforms") => self.add_transforms(&Conf::open(path)?, path),
            ("yml" | "yaml", Wanted::Macros) => self.add_macro_document(&document(path)?, path),
            ("yml" | "yaml", Wanted::Lookups) => self.add_lookup_document(&document(path)?, path),
            ("csv", Wanted::Lookups) => Ok(usize::from(self.add_file(path))),
            _ => Ok(0),
        }
    }
}

fn has_no_entry(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// A folder's entries: CSV files first, then by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let found = found.map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<PathBuf> = found.iter().map(std::fs::DirEntry::path).collect();
    paths.sort_by_key(|path| (extension(path) != "csv", path.clone()));
    Ok(paths)
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// A YAML's document; nothing for what is none, as folders hold other things too.
fn document(path: &Path) -> Result<Value> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > SIZE_LIMIT {
        return Err(Fault::data("HP431", format!("{}: too large for a knowledge object", path.display())));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let broken = |reason: String| Fault::data("HP431", format!("{}: {reason}", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| broken("the file is not UTF-8 text".into()))?;
    let parsed = yaml::parse(text.trim_start_matches('\u{feff}'), |text, _| {
        serde_saphyr::from_str(text).map_err(|error| {
            let unindented = error.to_string().contains(UNINDENTED).then(|| error.location()).flatten();
            Wrong { unindented: unindented.map(line), error: format!("not YAML: {error}") }
        })
    });
    parsed.map_err(broken)
}

/// What the parser says of a quoted text whose lines stand at the margin.
const UNINDENTED: &str = "invalid indentation in multiline quoted scalar";

fn line(place: serde_saphyr::Location) -> usize {
    usize::try_from(place.line()).unwrap_or(0)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::data("HP400", format!("{}: {error}", path.display()))
}

/// A scalar of a YAML as text.
fn text(document: &Value, key: &str) -> Option<String> {
    match document.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A list of texts of a YAML, or one text with commas.
fn texts(document: &Value, key: &str) -> Vec<String> {
    let split =
        |text: &str| text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    match document.get(key) {
        Some(Value::String(text)) => split(text),
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(|item| item.trim().to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
