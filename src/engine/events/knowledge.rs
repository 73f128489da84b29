//! What is known of sourcetypes and data models: built in, from YAML files of the same form, and from add-ons.
use super::super::Database;
use super::super::knowledge::Knowledge as Names;
use super::models::Models;
use super::part::Part;
use super::props;
use super::rules::{Formula, Precedence, Rule, STAGES, Stage, Stanza, Value};
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, Limits};
use crate::read::RAW;
use crate::types::Name;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Sourcetypes, what their fields are called elsewhere, and data models.
#[derive(Debug)]
pub struct Knowledge {
    pub stanzas: Vec<Stanza>,
    pub models: Models,
    /// The fields that some rule makes.
    made: HashSet<Name>,
}

static BUILT_IN: LazyLock<std::result::Result<Arc<Knowledge>, Fault>> = LazyLock::new(|| {
    let mut stanzas = Vec::new();
    for (text, origin) in [
        (include_str!("sourcetypes/platforms.yaml"), "platforms.yaml"),
        (include_str!("sourcetypes/services.yaml"), "services.yaml"),
        (include_str!("sourcetypes/network.yaml"), "network.yaml"),
    ] {
        stanzas.extend(entries(text, origin)?);
    }
    let models = Models::parse(include_str!("models.yaml"), "models.yaml")?;
    Ok(Arc::new(Knowledge::new(stanzas, models)))
});

impl Knowledge {
    /// What is known without being told.
    pub fn built_in() -> Result<Arc<Knowledge>> {
        BUILT_IN.clone()
    }

    fn new(stanzas: Vec<Stanza>, models: Models) -> Knowledge {
        let made = stanzas.iter().flat_map(|stanza| stanza.rules.iter().flat_map(|stage| stage.keys().cloned()));
        Knowledge { made: made.collect(), stanzas, models }
    }

    /// With what files and folders tell: YAML of entries, `props.conf` with its `transforms.conf`, or an add-on's folder.
    /// What is told later goes before what was known.
    pub fn with(&self, paths: &[&Path]) -> Result<Arc<Knowledge>> {
        let mut stanzas = self.stanzas.clone();
        for path in paths {
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            stanzas.extend(if is_yaml {
                entries(&read(path)?, &path.display().to_string())?
            } else {
                props::load(path)?
            });
            if path.is_dir() {
                stanzas.extend(event_types(path)?);
            }
        }
        Ok(Arc::new(Knowledge::new(stanzas, self.models.clone())))
    }

    /// Whether some rule makes one of these fields.
    pub fn makes<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> bool {
        names.into_iter().any(|name| self.made.contains(name))
    }

    /// Whether events of a part may be of a known sourcetype.
    pub fn may_know(&self, part: &Part) -> bool {
        let has = |name: &str| part.column(name).is_some();
        let signed = |stanza: &Stanza| stanza.signs.iter().any(|sign| sign.iter().all(|name| has(name)));
        !part.raw.is_empty()
            || has("sourcetype")
            || has("Channel")
            || (has("source") || !part.name.is_empty())
            || self.stanzas.iter().any(|stanza| stanza.everywhere || signed(stanza))
    }

    /// The fields by which events are told apart.
    pub fn tells(&self) -> impl Iterator<Item = Name> + '_ {
        let told = ["sourcetype", "source", "Channel", "winlog.channel"].map(Name::from);
        told.into_iter().chain(self.stanzas.iter().flat_map(|stanza| stanza.signs.iter().flatten().cloned()))
    }

    /// The fields that a field may be made of, itself among them.
    pub fn sources_of(&self, name: &Name, into: &mut HashSet<Name>) {
        let mut open = vec![(name.clone(), STAGES)];
        while let Some((name, stages)) = open.pop() {
            into.insert(name.clone());
            for stanza in &self.stanzas {
                for (stage, rules) in stanza.rules.iter().enumerate().take(stages) {
                    for rule in rules.get(&name).into_iter().flatten() {
                        open.extend(rule.reads().into_iter().map(|read| (read, stage)));
                    }
                }
            }
        }
    }
}

/// The tags of an add-on's event types: every event for which an event type's search holds carries them.
fn event_types(addon: &Path) -> Result<Vec<Stanza>> {
    let mut names = Names::default();
    names.load_addon(addon)?;
    let (types, tags) = (names.event_types(), names.tags());
    let mut catalog = Database::default();
    catalog.set_knowledge(names);
    let context = Context::new(0, Limits::default(), Arc::default());
    let mut stanzas: Vec<Stanza> = Vec::new();
    for tag in &tags {
        let own = types.iter().find(|own| tag.field == "eventtype" && own.name == tag.value);
        let named = |name: &str| !name.contains('"') && !name.contains('\\');
        let search = match own {
            Some(own) => own.search.clone(),
            None if tag.field != "eventtype" && named(&tag.value) => format!("\"{}\"=\"{}\"", tag.field, tag.value),
            None => continue,
        };
        let name = format!("{}={}", tag.field, tag.value);
        match stanzas.iter_mut().find(|stanza| stanza.name == name) {
            Some(stanza) => stanza.tags.iter_mut().for_each(|(_, tags)| tags.push(tag.name.clone())),
            None => {
                let condition = crate::spl::search_condition(&search, &catalog, &context);
                let at = |fault: Fault| fault.help(format!("it is the search of `{name}` in {}", addon.display()));
                let when = Arc::new(Formula::of(&search, condition.map_err(at)?));
                let tags = vec![(Some(when), vec![tag.name.clone()])];
                stanzas.push(Stanza { name, everywhere: true, tags, ..Stanza::default() });
            }
        }
    }
    Ok(stanzas)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Fault::data("HP401", format!("cannot read {}: {error}", path.display())))
}

/// An entry of the YAML form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    sourcetypes: Vec<String>,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    channels: Vec<String>,
    #[serde(default)]
    signs: Vec<Vec<String>>,
    /// Patterns whose named groups are fields.
    #[serde(default)]
    extract: Vec<String>,
    /// Fields that the event's text has in this order.
    columns: Option<Columns>,
    #[serde(default)]
    fields: BTreeMap<String, Written>,
    #[serde(default)]
    kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    delimiter: String,
    names: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    when: Option<String>,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    fields: BTreeMap<String, Written>,
}

/// Where a field's value comes from: other fields, or an expression behind `=`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Fields(Vec<String>),
    Text(String),
}

impl Written {
    fn value(self) -> Value {
        match self {
            Written::Fields(names) => Value::FirstOf(names.into_iter().map(Name::from).collect()),
            Written::Text(text) => match text.strip_prefix('=') {
                Some(expression) => Value::Formula(Arc::new(Formula::new(expression))),
                None => Value::FirstOf(vec![text.into()]),
            },
        }
    }
}

fn entries(text: &str, origin: &str) -> Result<Vec<Stanza>> {
    let read: std::result::Result<Vec<Entry>, _> = serde_saphyr::from_str(text);
    let entries = read.map_err(|error| Fault::data("HP408", format!("{origin}: {error}")))?;
    entries
        .into_iter()
        .map(|entry| entry.stanza().map_err(|fault| fault.help(format!("it stands in {origin}"))))
        .collect()
}

impl Entry {
    fn stanza(self) -> Result<Stanza> {
        let mut stanza = Stanza {
            name: self.name,
            sourcetypes: self.sourcetypes,
            sources: self.sources,
            channels: self.channels,
            signs: self.signs.into_iter().map(|sign| sign.into_iter().map(Name::from).collect()).collect(),
            ..Stanza::default()
        };
        for regex in &self.extract {
            props::groups(&mut stanza, regex, &RAW.into(), false)?;
        }
        if let Some(columns) = &self.columns {
            props::parts(&mut stanza, &columns.delimiter, columns.names.split_whitespace(), &RAW.into());
        }
        for (name, written) in self.fields {
            stanza.add(Stage::Aliases, name, Rule::new(written.value(), Precedence::Own));
        }
        for kind in self.kinds {
            let when = kind.when.map(|text| Arc::new(Formula::new(&text)));
            for (name, written) in kind.fields {
                let rule = Rule { when: when.clone(), ..Rule::new(written.value(), Precedence::Own) };
                stanza.add(Stage::Calculations, name, rule);
            }
            let tags: Vec<String> = kind.tags.split_whitespace().map(str::to_owned).collect();
            if !tags.is_empty() {
                stanza.tags.push((when, tags));
            }
        }
        Ok(stanza)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_built_in_can_be_read() {
        let knowledge = Knowledge::built_in().unwrap();
        for stanza in &knowledge.stanzas {
            let when = stanza.tags.iter().filter_map(|(when, _)| when.as_ref());
            for formula in when.chain(stanza.formulas()) {
                formula.compiled().unwrap_or_else(|fault| panic!("{}: {fault}", stanza.name));
            }
        }
        for dataset in knowledge.models.datasets() {
            for formula in dataset.formulas() {
                formula.compiled().unwrap_or_else(|fault| panic!("{}: {fault}", dataset.path));
            }
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_place() {
        let fault = entries("- name: x\n  feilds: {}\n", "mine.yaml").unwrap_err();
        assert!(fault.message().contains("mine.yaml") && fault.message().contains("feilds"), "{}", fault.message());
    }
}
