//! Saved functions: query texts by name, `.kql` files, parser YAMLs, folders of both.
use crate::diagnostic::{Fault, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders inside of each other that a folder of functions may have.
const FOLDER_LIMIT: usize = 32;
/// Bytes that a file of functions may have.
const SIZE_LIMIT: u64 = 16 << 20;

/// Function texts by name: `(parameters) { body }`, or a query.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    texts: BTreeMap<String, String>,
}

impl Functions {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(name.into(), text.into());
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Adds the functions of a file, or of all `.kql`, `.csl`, `.txt` and YAML files of a folder.
    ///
    /// Errors (DataError): what cannot be read; a file named here that holds no function.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        match path.is_dir() {
            true => self.load_folder(path, 0),
            false if self.load_file(path)? => Ok(()),
            false => Err(Fault::data("HP420", format!("{}: the file holds no function", path.display()))
                .help("a function is a .kql file, or a YAML with FunctionName and FunctionQuery")),
        }
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
            if path.is_dir() {
                self.load_folder(&path, depth + 1)?;
            } else if is_query_file(&path) || is_yaml(&path) {
                self.load_file(&path)?;
            }
        }
        Ok(())
    }

    /// Whether the file held a function.
    fn load_file(&mut self, path: &Path) -> Result<bool> {
        let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
        if size > SIZE_LIMIT {
            return Err(Fault::data("HP420", format!("{}: too large for a function", path.display())));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| Fault::data("HP420", format!("{}: the file is not UTF-8 text", path.display())))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if is_yaml(path) {
            return self.add_parser(path, text);
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match created(text) {
            Some((name, body)) => self.add(name, body),
            None => self.add(stem, text),
        }
        Ok(true)
    }

    /// A parser in YAML: Sentinel's (`FunctionName`, `FunctionQuery`) or ASIM's (`ParserName`, `ParserQuery`).
    fn add_parser(&mut self, path: &Path, text: &str) -> Result<bool> {
        let document: Value = serde_saphyr::from_str(text)
            .map_err(|error| Fault::data("HP420", format!("{}: not YAML: {error}", path.display())))?;
        let field = |name: &str| document.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        let Some(query) = field("FunctionQuery").or(field("ParserQuery")) else { return Ok(false) };
        let body = match parameters(&document) {
            Some(parameters) => format!("({parameters}) {{\n{query}\n}}"),
            None => query.to_owned(),
        };
        let names = ["FunctionName", "FunctionAlias", "ParserName", "EquivalentBuiltInParser"];
        let names: Vec<&str> = names.iter().filter_map(|name| field(name)).collect();
        names.iter().for_each(|name| self.add(*name, body.clone()));
        Ok(!names.is_empty())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::data("HP400", format!("{}: {error}", path.display()))
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    path.extension().is_some_and(|e| known.iter().any(|k| e.eq_ignore_ascii_case(k)))
}

fn is_query_file(path: &Path) -> bool {
    has_extension(path, &["kql", "csl", "kusto", "txt"])
}

fn is_yaml(path: &Path) -> bool {
    has_extension(path, &["yaml", "yml"])
}

/// An ASIM parser's parameters (`ParserParams`), or a Sentinel parser's (`FunctionParameters`), as a function has them.
fn parameters(document: &Value) -> Option<String> {
    if let Some(text) = document.get("FunctionParameters").and_then(Value::as_str) {
        return Some(text.to_owned());
    }
    let list = document.get("ParserParams").or(document.get("FunctionParameters"))?.as_array()?;
    let each = list.iter().filter_map(|parameter| {
        let name = parameter.get("Name")?.as_str()?;
        let kind = parameter.get("Type")?.as_str()?;
        Some(match parameter.get("Default") {
            Some(Value::Null) | None => format!("{name}:{kind}"),
            Some(default) => format!("{name}:{kind}={}", default_text(kind, default)),
        })
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join(", "))
}

/// A default as KQL: YAML has lost the quotes of a string.
fn default_text(kind: &str, default: &Value) -> String {
    match default {
        Value::String(text) if kind == "string" && !text.starts_with(['\'', '"']) => {
            Value::String(text.clone()).to_string()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Name and text of `.create-or-alter function [with (…)] Name(parameters) { body }`.
fn created(text: &str) -> Option<(String, String)> {
    let command = text.trim_start();
    let verbs = [".create-or-alter", ".create", ".alter"];
    let rest = verbs.iter().find_map(|verb| command.strip_prefix(verb))?;
    let mut rest = rest.trim_start().strip_prefix("function")?.trim_start();
    for word in ["ifnotexists", "with"] {
        rest = rest.strip_prefix(word).map_or(rest, str::trim_start);
    }
    if rest.starts_with('(') {
        rest = rest.get(rest.find(')')? + 1..)?.trim_start();
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let (name, body) = rest.split_at_checked(end)?;
    (!name.is_empty()).then(|| (name.to_owned(), body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn loaded(name: &str, text: &str) -> (Functions, Result<()>) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("huntpack-saved-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let mut functions = Functions::default();
        let done = functions.load(&path);
        std::fs::remove_dir_all(&folder).unwrap();
        (functions, done)
    }

    #[test]
    fn a_query_file_is_named_by_its_stem() {
        let (found, _) = loaded("Large.kql", "\u{feff}T | where N > 1");
        assert_eq!(found.get("Large"), Some("T | where N > 1"));
    }

    #[test]
    fn a_command_that_creates_names_the_function() {
        let text = ".create-or-alter function with (docstring='x', folder='y') Big(n:long) { T | where N > n }";
        let (found, _) = loaded("a.kql", text);
        assert_eq!(found.get("Big"), Some("(n:long) { T | where N > n }"));
    }

    #[test]
    fn a_parser_has_its_name_and_its_alias() {
        let text = "FunctionName: AParser\nFunctionAlias: A\nFunctionQuery: |\n  T\n  | take 1\n";
        let (found, _) = loaded("p.yaml", text);
        assert_eq!(found.get("A"), found.get("AParser"));
        assert_eq!(found.get("A"), Some("T\n| take 1"));
    }

    #[test]
    fn an_asim_parser_has_parameters() {
        let text = "ParserName: vim\nEquivalentBuiltInParser: _Im\nParserParams:\n  - Name: start\n    Type: datetime\n    \
                    Default: datetime(null)\n  - Name: who\n    Type: string\n    Default: '*'\nParserQuery: T\n";
        let (found, _) = loaded("p.yaml", text);
        assert_eq!(found.get("_Im"), Some("(start:datetime=datetime(null), who:string=\"*\") {\nT\n}"));
    }

    #[test]
    fn a_file_without_a_function_is_an_error_that_names_it() {
        let (_, done) = loaded("p.yaml", "a: 1\n");
        assert!(done.unwrap_err().message().contains("p.yaml"));
        assert!(Functions::default().load(Path::new("nowhere.kql")).is_err());
    }
}
