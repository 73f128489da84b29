//! Saved functions: query texts by name, files of queries, parser YAMLs, templates of saved searches, folders of them.
mod parser;
mod script;
mod template;

use crate::diagnostic::{Fault, Result, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders inside of each other that a folder of functions may have.
const FOLDER_LIMIT: usize = 32;
/// Bytes that a file of functions may have.
const SIZE_LIMIT: u64 = 16 << 20;

/// Function texts by name: `(parameters) { body }`, or a query; each with where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    texts: BTreeMap<String, Arc<Source>>,
}

/// A function as a file has it: all its names, and its text.
struct Saved {
    names: Vec<String>,
    source: Arc<Source>,
}

/// Reads the functions of a file's text; none where it holds no function.
type Reader = fn(&Path, &str) -> Result<Vec<Saved>>;

impl Functions {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        let source = Source { text: text.into(), origin: String::new(), first_line: 1, indent: 0 };
        self.texts.insert(name.into(), Arc::new(source));
    }

    pub fn get(&self, name: &str) -> Option<Arc<Source>> {
        self.texts.get(name).cloned()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Adds the functions of a file, or of all files of a folder that hold some.
    ///
    /// Errors (DataError): what cannot be read; a file named here that holds no function.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        match path.is_dir() {
            true => self.load_folder(path, 0),
            false if self.load_file(path, reader(path).unwrap_or(script::functions))? => Ok(()),
            false => Err(none_in(path)),
        }
    }

    /// Adds the one function of a file under a name of the caller's.
    ///
    /// Errors (DataError): what cannot be read; a file that holds no function, or several.
    pub fn load_as(&mut self, name: impl Into<String>, path: &Path) -> Result<()> {
        let found = reader(path).unwrap_or(script::functions)(path, &text_of(path)?)?;
        let Ok([only]) = <[Saved; 1]>::try_from(found) else {
            let fault = Fault::data("HP420", format!("{}: the file does not hold one function", path.display()));
            return Err(fault.help("give the path alone: its functions have names of their own"));
        };
        self.texts.insert(name.into(), only.source);
        Ok(())
    }

    fn load_folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        if depth >= FOLDER_LIMIT {
            return Err(Fault::data("HP420", format!("{}: too many folders inside of each other", folder.display())));
        }
        let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| unreadable(folder, &error))?;
        let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            match reader(&path) {
                _ if path.is_dir() => self.load_folder(&path, depth + 1)?,
                Some(read) => drop(self.load_file(&path, read)?),
                None => {}
            }
        }
        Ok(())
    }

    /// Whether the file held a function.
    fn load_file(&mut self, path: &Path, read: Reader) -> Result<bool> {
        let found = read(path, &text_of(path)?)?;
        let any = !found.is_empty();
        for saved in found {
            self.texts.extend(saved.names.into_iter().map(|name| (name, saved.source.clone())));
        }
        Ok(any)
    }
}

/// How files of that name hold functions; none where they hold none.
fn reader(path: &Path) -> Option<Reader> {
    let named = |known: &[&str]| path.extension().is_some_and(|e| known.iter().any(|k| e.eq_ignore_ascii_case(k)));
    match () {
        () if named(&["kql", "csl", "kusto"]) => Some(script::functions),
        () if named(&["yaml", "yml"]) => Some(parser::functions),
        () if named(&["json"]) => Some(template::functions),
        // Notes stand beside queries in such files.
        () if named(&["txt"]) || path.extension().is_none() => Some(script::functions_among_notes),
        () => None,
    }
}

fn text_of(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > SIZE_LIMIT {
        return Err(Fault::data("HP420", format!("{}: too large for a function", path.display())));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Fault::data("HP420", format!("{}: the file is not UTF-8 text", path.display())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn none_in(path: &Path) -> Fault {
    let fault = Fault::data("HP420", format!("{}: the file holds no function", path.display()));
    fault.help("a function is a .kql file, a YAML with FunctionName and FunctionQuery, or a template's saved search")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::data("HP400", format!("{}: {error}", path.display()))
}

/// `(parameters) { query }`, or the query alone. The query keeps its lines.
fn written(parameters: Option<String>, query: &str) -> String {
    match parameters {
        // A comment may end the query.
        Some(parameters) => format!("({parameters}) {{{query}\n}}"),
        None => query.to_owned(),
    }
}

#[cfg(test)]
mod tests;
