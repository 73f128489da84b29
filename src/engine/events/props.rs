//! Add-ons of Splunk: the search-time settings of `props.conf` and `transforms.conf`.
//!
//! Read are `EXTRACT-`, `REPORT-`, `FIELDALIAS-`, `EVAL-` and `LOOKUP-`. Source: the pages "props.conf" and
//! "transforms.conf".
use super::rules::{Formula, Precedence, Rule, Stage, Stanza, Value};
use super::table::LookupTable;
use crate::diagnostic::{Fault, Result};
use crate::functions::Limits;
use crate::functions::spl::pcre::Pattern;
use crate::read::{Conf, RAW, Stanza as Settings};
use crate::types::Name;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an add-on's folder, or a `props.conf` by itself, tells of sourcetypes.
pub fn load(path: &Path) -> Result<Vec<Stanza>> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let props: Vec<Conf> = match path.is_dir() {
        true => layers(folder, "props.conf")?,
        false => vec![Conf::open(path)?],
    };
    if props.is_empty() {
        let fault = Fault::data("HP402", format!("`{}` holds no props.conf", path.display()));
        return Err(fault.help("point at an add-on's folder, or at its default folder"));
    }
    let loader = Loader { folder: folder.to_owned(), transforms: layers(folder, "transforms.conf")? };
    let mut stanzas = Vec::new();
    for conf in &props {
        for settings in &conf.stanzas {
            stanzas.push(loader.stanza(settings)?);
        }
    }
    Ok(stanzas)
}

/// The files of a name in an add-on: what stands in `local` goes before what stands in `default`.
fn layers(folder: &Path, name: &str) -> Result<Vec<Conf>> {
    let places = [folder.join("default").join(name), folder.join(name), folder.join("local").join(name)];
    places.iter().filter(|path| path.is_file()).map(|path| Conf::open(path)).collect()
}

struct Loader {
    folder: PathBuf,
    transforms: Vec<Conf>,
}

impl Loader {
    fn stanza(&self, settings: &Settings) -> Result<Stanza> {
        let mut stanza = Stanza { name: settings.name.clone(), ..Stanza::default() };
        let pattern = |text: &str| vec![text.replace("...", "*")];
        match settings.name.split_once("::") {
            Some(("source", rest)) => stanza.sources = pattern(rest),
            Some(("host", rest)) => stanza.hosts = pattern(rest),
            // A sourcetype with wildcards is written with an empty group of the separator.
            Some(_) if settings.name.starts_with("(?::){0}") => {
                stanza.sourcetypes = pattern(settings.name.trim_start_matches("(?::){0}"));
            }
            _ => stanza.sourcetypes = vec![settings.name.clone()],
        }
        let mut ordered: Vec<_> = settings.settings.iter().collect();
        ordered.sort_by(|a, b| a.key.cmp(&b.key));
        for setting in ordered {
            let Some((kind, name)) = setting.key.split_once('-') else { continue };
            let at = |fault: Fault| fault.help(format!("it stands in [{}] {}", settings.name, setting.key));
            match kind {
                "EXTRACT" => extract(&mut stanza, &setting.value).map_err(at)?,
                "REPORT" => self.report(&mut stanza, &setting.value).map_err(at)?,
                "FIELDALIAS" => aliases(&mut stanza, &setting.value),
                "EVAL" => {
                    let formula = Formula::new(&setting.value.replace('\n', " "));
                    formula.compiled().map_err(at)?;
                    stanza.add(
                        Stage::Calculations,
                        name,
                        Rule::new(Value::Formula(Arc::new(formula)), Precedence::Only),
                    );
                }
                "LOOKUP" => self.lookup(&mut stanza, &setting.value).map_err(at)?,
                _ => {}
            }
        }
        Ok(stanza)
    }

    fn transform(&self, name: &str) -> Option<&Settings> {
        self.transforms.iter().rev().find_map(|conf| conf.stanza(name))
    }

    /// `REPORT-x = transform, transform`.
    fn report(&self, stanza: &mut Stanza, value: &str) -> Result<()> {
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some(transform) = self.transform(name) else {
                return Err(Fault::data("HP409", format!("there is no transform `{name}`")));
            };
            let from: Name = transform.get("SOURCE_KEY").unwrap_or(RAW).into();
            if let (Some(delimiters), Some(fields)) = (transform.get("DELIMS"), transform.get("FIELDS")) {
                let delimiters = delimiters.split('"').nth(1).unwrap_or(delimiters).replace("\\t", "\t");
                let fields = fields.split(',').map(|field| field.trim().trim_matches('"'));
                parts(stanza, &delimiters, fields, &from);
                continue;
            }
            let Some(regex) = transform.get("REGEX") else { continue };
            let all = transform.flag("MV_ADD") == Some(true);
            let pattern = groups(stanza, regex, &from, all)?;
            for (field, group) in formatted(transform.get("FORMAT").unwrap_or_default()) {
                let value = Value::Group { pattern: pattern.clone(), group, from: from.clone(), all };
                stanza.add(Stage::Extractions, field, Rule::new(value, Precedence::Rule));
            }
        }
        Ok(())
    }

    /// `LOOKUP-x = table field AS field OUTPUT field AS field`.
    fn lookup(&self, stanza: &mut Stanza, value: &str) -> Result<()> {
        let words: Vec<&str> = value.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
        let Some((table, words)) = words.split_first() else { return Ok(()) };
        let output =
            words.iter().position(|word| word.eq_ignore_ascii_case("OUTPUT") || word.eq_ignore_ascii_case("OUTPUTNEW"));
        let (inputs, outputs) = words.split_at(output.unwrap_or(words.len()));
        let keeps = outputs.first().is_some_and(|word| word.eq_ignore_ascii_case("OUTPUTNEW"));
        let settings = self.transform(table);
        let file = settings.and_then(|settings| settings.get("filename")).unwrap_or(table);
        let sensitive = settings.and_then(|settings| settings.flag("case_sensitive_match")).unwrap_or(true);
        let path = self.folder.join("lookups").join(file);
        if !path.is_file() {
            // A lookup that the add-on does not ship finds nothing.
            return Ok(());
        }
        let inputs: Vec<(String, Name)> = pairs(inputs).collect();
        let table = Arc::new(LookupTable::read(&path, inputs, sensitive)?);
        let outputs: Vec<(String, Name)> = match outputs.get(1..).unwrap_or_default() {
            [] => table.others().map(|name| (name.to_owned(), name.into())).collect(),
            named => pairs(named).collect(),
        };
        for (column, field) in outputs {
            let precedence = if keeps { Precedence::Own } else { Precedence::Rule };
            let value = Value::Lookup { table: table.clone(), column };
            stanza.add(Stage::Lookups, field, Rule::new(value, precedence));
        }
        Ok(())
    }
}

/// `a AS b c d AS e`: the first name of each pair, and the second, or the first again.
fn pairs<'w>(words: &'w [&'w str]) -> impl Iterator<Item = (String, Name)> + 'w {
    let mut rest = words;
    std::iter::from_fn(move || {
        let (first, more) = rest.split_first()?;
        let plain = first.trim_matches('"').to_owned();
        match more {
            [word, second, after @ ..] if word.eq_ignore_ascii_case("as") => {
                rest = after;
                Some((plain, second.trim_matches('"').into()))
            }
            _ => {
                rest = more;
                Some((plain.clone(), plain.into()))
            }
        }
    })
}

/// `EXTRACT-x = pattern [in field]`: the named groups are fields.
fn extract(stanza: &mut Stanza, value: &str) -> Result<()> {
    let is_field = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '{' | '}'))
    };
    let (regex, from) = match value.rsplit_once(" in ").map(|(regex, field)| (regex, field.trim())) {
        Some((regex, field)) if is_field(field) => (regex.trim(), field),
        _ => (value.trim(), RAW),
    };
    groups(stanza, regex, &from.into(), false)?;
    Ok(())
}

/// The named groups of a pattern as fields.
pub fn groups(stanza: &mut Stanza, regex: &str, from: &Name, all: bool) -> Result<Arc<Pattern>> {
    let pattern = Arc::new(Pattern::new(regex, Limits::default().backtracks)?);
    for (group, name) in pattern.names().iter().enumerate() {
        if let Some(name) = name {
            let value = Value::Group { pattern: pattern.clone(), group, from: from.clone(), all };
            stanza.add(Stage::Extractions, name.as_str(), Rule::new(value, Precedence::Rule));
        }
    }
    Ok(pattern)
}

/// `FORMAT = field::$1 "other field"::$2`; names that are groups themselves are told by the event alone.
fn formatted(format: &str) -> Vec<(String, usize)> {
    let parts = format.split_whitespace().filter_map(|part| part.split_once("::"));
    let field = |(name, group): (&str, &str)| {
        let group = group.trim_matches('"').strip_prefix('$')?.parse().ok()?;
        let name = name.trim_matches('"');
        (!name.starts_with('$')).then(|| (name.to_owned(), group))
    };
    parts.filter_map(field).collect()
}

/// The parts of a text between delimiters as fields, in order: `DELIMS = ","` with `FIELDS = a, b`.
pub fn parts<'f>(stanza: &mut Stanza, delimiters: &str, fields: impl Iterator<Item = &'f str>, from: &Name) {
    let delimiters: Arc<[char]> = delimiters.chars().collect();
    for (at, field) in fields.enumerate() {
        let value = Value::Part { delimiters: delimiters.clone(), at, from: from.clone() };
        stanza.add(Stage::Extractions, field, Rule::new(value, Precedence::Rule));
    }
}

/// `FIELDALIAS-x = a AS b c ASNEW d`.
fn aliases(stanza: &mut Stanza, value: &str) {
    let words: Vec<&str> = value.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
    let mut rest = words.as_slice();
    while let [from, how, to, after @ ..] = rest {
        let precedence = match how.to_ascii_lowercase().as_str() {
            "as" => Precedence::Rule,
            "asnew" => Precedence::Own,
            _ => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
        };
        let value = Value::FirstOf(vec![from.trim_matches('"').into()]);
        stanza.add(Stage::Aliases, to.trim_matches('"'), Rule::new(value, precedence));
        rest = after;
    }
}
