//! Definitions of lookups: from transforms.conf, from YAML, and bare files.
use super::{Knowledge, text, texts};
use crate::diagnostic::{Fault, Result};
use crate::plan::{MOST_MATCHES, MatchType, Matching, TimeBound};
use crate::read::{Conf, Stanza};
use crate::types::Name;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where the rows of a lookup are, and how events are matched with them.
#[derive(Clone, Debug)]
pub struct Definition {
    pub rows: Rows,
    pub matching: Matching,
    /// The file that defines it; empty where a caller gave it.
    pub origin: String,
}

#[derive(Clone, Debug)]
pub enum Rows {
    File(PathBuf),
    /// A collection of Splunk's key-value store, which only its rows could fill: its fields are known.
    Collection(Vec<String>),
    /// What a caller hands in under the lookup's name.
    Given,
}

/// What of a definition both kinds of files say, as text.
#[derive(Default)]
struct Written {
    match_types: Vec<String>,
    case_sensitive: Option<bool>,
    min_matches: Option<String>,
    max_matches: Option<String>,
    default_match: Option<String>,
    time_field: Option<String>,
    time_format: Option<String>,
    max_offset: Option<String>,
    min_offset: Option<String>,
}

/// Seconds that an event may be later than a row, where nothing else is said.
const MOST_SECONDS: usize = 2_000_000_000;

impl Definition {
    /// Rows that a caller hands in, matched exactly.
    pub fn given() -> Definition {
        Definition { rows: Rows::Given, matching: Matching::default(), origin: String::new() }
    }

    /// Whether the rows are in a file of that name, with or without its extension.
    pub(super) fn is_file(&self, name: &str) -> bool {
        let Rows::File(path) = &self.rows else { return false };
        [path.file_name(), path.file_stem()].into_iter().flatten().any(|own| own.to_string_lossy() == name)
    }
}

impl Knowledge {
    /// Adds a bare file under its own name, unless a lookup of that name is defined: whether it was added.
    pub(super) fn add_file(&mut self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let definition =
            Definition { rows: Rows::File(path.to_owned()), matching: Matching::default(), origin: String::new() };
        self.lookups.entry(name).or_insert(definition);
        true
    }

    /// Adds the lookups of a transforms.conf, which also holds other things: their number.
    pub(super) fn add_transforms(&mut self, conf: &Conf, path: &Path) -> Result<usize> {
        let mut found = 0;
        for stanza in &conf.stanzas {
            let Some(definition) = of_stanza(stanza, path).map_err(|fault| fault.at(stanza.span).of(&conf.file))?
            else {
                continue;
            };
            self.add_lookup(&stanza.name, definition);
            found += 1;
        }
        Ok(found)
    }

    /// Adds the lookup of a YAML; none where it holds something else.
    pub(super) fn add_lookup_document(&mut self, document: &Value, path: &Path) -> Result<usize> {
        let Some(name) = text(document, "name") else { return Ok(0) };
        let Some(rows) = rows_of_document(document, path, &name) else { return Ok(0) };
        let written = Written {
            match_types: texts(document, "match_type"),
            case_sensitive: text(document, "case_sensitive_match").as_deref().and_then(flag),
            min_matches: text(document, "min_matches"),
            max_matches: text(document, "max_matches"),
            default_match: text(document, "default_match"),
            time_field: text(document, "time_field"),
            time_format: text(document, "time_format"),
            max_offset: text(document, "max_offset_secs"),
            min_offset: text(document, "min_offset_secs"),
        };
        let origin = path.display().to_string();
        let matching = written.matching(&name)?;
        self.add_lookup(name, Definition { rows, matching, origin });
        Ok(1)
    }
}

fn rows_of_document(document: &Value, path: &Path, name: &str) -> Option<Rows> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let kind = text(document, "lookup_type");
    let file = text(document, "filename");
    match (kind.as_deref(), file) {
        // A model of machine learning is no table.
        (Some("mlmodel"), _) => None,
        (_, Some(file)) if file.ends_with(".mlmodel") => None,
        (_, Some(file)) => Some(Rows::File(folder.join(file))),
        (Some("csv"), None) => Some(Rows::File(path.with_file_name(format!("{name}.csv")))),
        (Some("kvstore"), None) => Some(Rows::Collection(fields(document))),
        _ => text(document, "collection").map(|_| Rows::Collection(fields(document))),
    }
}

fn fields(document: &Value) -> Vec<String> {
    ["fields_list", "fields"].iter().map(|key| texts(document, key)).find(|names| !names.is_empty()).unwrap_or_default()
}

/// The lookup of a stanza; none where it is no lookup.
fn of_stanza(stanza: &Stanza, path: &Path) -> Result<Option<Definition>> {
    let names =
        |text: &str| text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let rows = match (stanza.get("filename"), stanza.get("external_type"), stanza.get("collection")) {
        (Some(file), _, _) => Rows::File(file_of_app(path, file)),
        (None, _, Some(_)) | (None, Some("kvstore"), None) => {
            Rows::Collection(names(stanza.get("fields_list").unwrap_or_default()))
        }
        _ => return Ok(None),
    };
    let written = Written {
        match_types: stanza.get("match_type").map(names).unwrap_or_default(),
        case_sensitive: stanza.flag("case_sensitive_match"),
        min_matches: stanza.get("min_matches").map(str::to_owned),
        max_matches: stanza.get("max_matches").map(str::to_owned),
        default_match: stanza.get("default_match").map(str::to_owned),
        time_field: stanza.get("time_field").map(str::to_owned),
        time_format: stanza.get("time_format").map(str::to_owned),
        max_offset: stanza.get("max_offset_secs").map(str::to_owned),
        min_offset: stanza.get("min_offset_secs").map(str::to_owned),
    };
    let matching = written.matching(&stanza.name)?;
    Ok(Some(Definition { rows, matching, origin: path.display().to_string() }))
}

/// The file of a lookup: an app keeps it in its folder `lookups`, others beside the configuration.
fn file_of_app(conf: &Path, file: &str) -> PathBuf {
    let beside = conf.parent().unwrap_or(Path::new(""));
    let app = beside.parent().unwrap_or(Path::new(""));
    let places = [app.join("lookups").join(file), beside.join("lookups").join(file), beside.join(file)];
    places.iter().find(|place| place.is_file()).unwrap_or(&places[2]).clone()
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" => Some(true),
        "false" | "0" | "f" | "no" => Some(false),
        _ => None,
    }
}

impl Written {
    fn matching(self, lookup: &str) -> Result<Matching> {
        let types = self.match_types.iter().map(|text| match_type(text, lookup)).collect::<Result<Vec<_>>>()?;
        let count = |text: Option<String>, name: &str, otherwise: usize| match text {
            None => Ok(otherwise),
            Some(text) => text.trim().parse().map_err(|_| {
                Fault::data("HP431", format!("the lookup `{lookup}`: `{name}` must be a whole number, not `{text}`"))
            }),
        };
        let field = self.time_field.filter(|field| !field.trim().is_empty());
        let time = match field {
            None => None,
            Some(field) => Some(TimeBound {
                field: field.trim().into(),
                format: self.time_format.unwrap_or_else(|| "%s.%Q".to_owned()),
                most: count(self.max_offset, "max_offset_secs", MOST_SECONDS)? as i64,
                least: count(self.min_offset, "min_offset_secs", 0)? as i64,
            }),
        };
        // Of rows with a time an event takes the latest one.
        let usual = if time.is_some() { 1 } else { MOST_MATCHES };
        Ok(Matching {
            types: types.into_iter().flatten().collect(),
            case_sensitive: self.case_sensitive.unwrap_or(true),
            min_matches: count(self.min_matches, "min_matches", 0)?,
            max_matches: count(self.max_matches, "max_matches", usual)?.clamp(1, 1000),
            default_match: self.default_match.unwrap_or_default(),
            time,
        })
    }
}

/// `WILDCARD(field)` as a field and how it is matched; none for what is matched exactly.
fn match_type(text: &str, lookup: &str) -> Result<Option<(Name, MatchType)>> {
    let parts = text.trim().strip_suffix(')').and_then(|rest| rest.split_once('('));
    let kind = parts.map(|(kind, field)| (kind.trim().to_ascii_uppercase(), Name::from(field.trim())));
    match kind {
        Some((kind, field)) if kind == "WILDCARD" => Ok(Some((field, MatchType::Wildcard))),
        Some((kind, field)) if kind == "CIDR" => Ok(Some((field, MatchType::Cidr))),
        Some((kind, _)) if kind == "EXACT" => Ok(None),
        None if text.trim().eq_ignore_ascii_case("exact") || text.trim().is_empty() => Ok(None),
        _ => {
            let fault = Fault::data("HP431", format!("the lookup `{lookup}`: unknown match type `{}`", text.trim()));
            Err(fault.help("write WILDCARD(field) or CIDR(field)"))
        }
    }
}
