//! Paths, folders and globs as lists of files.
use super::input::unreadable;
use crate::diagnostic::{Fault, Result};
use std::path::{Path, PathBuf};

/// No log folder nests deeper; a loop of links ends here.
const DEEPEST: usize = 32;

/// The files that paths name: a file is itself, a folder all files in it, a glob what it matches; in order of names.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, 0, &mut files)?;
        } else if path.exists() || !is_glob(path) {
            files.push(path.clone());
        } else {
            matches(path, &mut files)?;
        }
    }
    if files.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Fault::data("HP402", format!("`{}` holds no file", named.join("`, `"))));
    }
    Ok(files)
}

fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn matches(pattern: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let bad = |what: String| Fault::data("HP402", format!("`{}`: {what}", pattern.display()));
    let found = glob::glob(&pattern.to_string_lossy()).map_err(|error| bad(error.to_string()))?;
    let mut any = false;
    for path in found.filter_map(std::result::Result::ok) {
        any = true;
        if path.is_dir() { walk(&path, 0, files)? } else { files.push(path) }
    }
    if any { Ok(()) } else { Err(bad("no file matches".to_owned())) }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        match path.is_dir() {
            _ if hidden => {}
            true if depth < DEEPEST => walk(&path, depth + 1, files)?,
            true => {}
            false => files.push(path),
        }
    }
    Ok(())
}
