//! Data models: datasets, their fields, and what is calculated of them.
use super::rules::Formula;
use crate::diagnostic::{Fault, Result};
use crate::types::Name;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The data models by name.
#[derive(Clone, Debug, Default)]
pub struct Models {
    models: BTreeMap<String, Vec<Arc<Dataset>>>,
}

/// A dataset with the constraints and fields of those above it.
#[derive(Debug, Default)]
pub struct Dataset {
    /// `Change.All_Changes.Account_Management`
    pub path: String,
    /// `All_Changes.Account_Management`: what `nodename` holds.
    pub node: String,
    /// The tags that its events carry.
    pub tags: Vec<String>,
    /// What must be true of the fields of its events.
    pub conditions: Vec<Arc<Formula>>,
    /// Fields of which events that no sourcetype is known for have all of one set.
    pub signs: Vec<Vec<Name>>,
    /// Fields that such events lack.
    pub lacks: Vec<Name>,
    /// The fields, each with the node of the dataset that defines it.
    pub fields: Vec<(Name, String)>,
    pub defaults: HashMap<Name, Default>,
    /// Calculated in order, before the defaults and behind them.
    pub first: Vec<(Name, Arc<Formula>)>,
    pub last: Vec<(Name, Arc<Formula>)>,
    pub children: Vec<Arc<Dataset>>,
}

/// What a field is where an event lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// `unknown`, also in place of an empty text.
    Unknown,
    /// The same, also in place of a dash.
    UnknownForDash,
    /// 0, also in place of what is no number.
    Zero,
    /// Nothing in place of what is no number.
    Number,
    /// The vendor and the product, else the sourcetype.
    Product,
}

/// A dataset as the file has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    tags: String,
    #[serde(rename = "where")]
    condition: Option<String>,
    #[serde(default)]
    signs: Vec<Vec<String>>,
    #[serde(default)]
    not: String,
    #[serde(default)]
    fields: String,
    #[serde(default)]
    unknown: String,
    #[serde(default)]
    dash: String,
    #[serde(default)]
    zero: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    product: bool,
    #[serde(default)]
    evals: BTreeMap<String, String>,
    #[serde(default)]
    last: BTreeMap<String, String>,
    #[serde(default)]
    children: Vec<Written>,
}

/// Fields of assets and identities, and what is known of them.
const ASSETS: [&str; 5] = ["dest", "dvc", "src", "src_user", "user"];
const ADDED: [&str; 3] = ["bunit", "category", "priority"];

/// Datasets nest no deeper.
const DEEPEST: usize = 8;

impl Models {
    pub fn parse(text: &str, origin: &str) -> Result<Models> {
        let broken = |reason: String| Fault::data("HP408", format!("{origin}: {reason}"));
        let read: std::result::Result<BTreeMap<String, Vec<Written>>, _> = serde_saphyr::from_str(text);
        let mut models = BTreeMap::new();
        for (model, datasets) in read.map_err(|error| broken(error.to_string()))? {
            let top = Dataset { path: model.clone(), ..Dataset::default() };
            let datasets = datasets.into_iter().map(|dataset| dataset.under(&top, 0)).collect::<Option<Vec<_>>>();
            models.insert(model, datasets.ok_or_else(|| broken(format!("datasets nest more than {DEEPEST} deep")))?);
        }
        Ok(Models { models })
    }

    /// The datasets that a path names: all roots of a model, or one dataset. None where there is no such model.
    pub fn find(&self, path: &str) -> Option<Vec<Arc<Dataset>>> {
        let mut parts = path.split('.');
        let model = parts.next()?;
        let roots = self.models.get(model).or_else(|| {
            self.models.iter().find(|(name, _)| name.eq_ignore_ascii_case(model)).map(|(_, roots)| roots)
        })?;
        let mut found = roots.clone();
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            let named = found.iter().find(|dataset| dataset.name() == part).cloned();
            // Datasets between a model and one of its children may be left out.
            let below = || found.iter().flat_map(|dataset| dataset.below()).find(|dataset| dataset.name() == part);
            let dataset = named.or_else(below)?;
            found = if parts.peek().is_some() { dataset.children.clone() } else { vec![dataset] };
        }
        (!found.is_empty()).then_some(found)
    }

    /// The names of all models.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// Every dataset.
    #[cfg(test)]
    pub fn datasets(&self) -> impl Iterator<Item = Arc<Dataset>> + '_ {
        self.models.values().flatten().flat_map(|dataset| std::iter::once(dataset.clone()).chain(dataset.below()))
    }
}

impl Dataset {
    /// The last part of its node.
    pub fn name(&self) -> &str {
        self.node.rsplit('.').next().unwrap_or_default()
    }

    /// The root's name.
    pub fn root(&self) -> &str {
        self.node.split('.').next().unwrap_or_default()
    }

    /// The datasets below it.
    pub fn below(&self) -> Vec<Arc<Dataset>> {
        self.children.iter().flat_map(|child| std::iter::once(child.clone()).chain(child.below())).collect()
    }

    /// A dataset of which nothing is known but its name: events have its fields as they are.
    pub fn unknown(path: &str) -> Dataset {
        let node = path.rsplit('.').next().unwrap_or_default().to_owned();
        Dataset { path: path.to_owned(), node, ..Dataset::default() }
    }

    /// Its expressions.
    #[cfg(test)]
    pub fn formulas(&self) -> impl Iterator<Item = &Arc<Formula>> {
        self.conditions.iter().chain(self.first.iter().chain(&self.last).map(|(_, formula)| formula))
    }
}

impl Written {
    fn under(self, parent: &Dataset, depth: usize) -> Option<Arc<Dataset>> {
        if depth >= DEEPEST {
            return None;
        }
        let node = if parent.node.is_empty() { self.name.clone() } else { format!("{}.{}", parent.node, self.name) };
        let formula = |text: &str| Arc::new(Formula::new(text));
        let mut dataset = Dataset {
            path: format!("{}.{}", parent.path, self.name),
            tags: parent.tags.iter().cloned().chain(words(&self.tags).map(str::to_owned)).collect(),
            conditions: parent.conditions.iter().cloned().chain(self.condition.iter().map(|c| formula(c))).collect(),
            signs: match self.signs.is_empty() {
                true => parent.signs.clone(),
                false => self.signs.iter().map(|sign| sign.iter().map(|n| n.as_str().into()).collect()).collect(),
            },
            lacks: parent.lacks.iter().cloned().chain(words(&self.not).map(Name::from)).collect(),
            fields: parent.fields.clone(),
            defaults: parent.defaults.clone(),
            first: parent.first.clone(),
            last: parent.last.clone(),
            node,
            children: Vec::new(),
        };
        dataset.first.extend(self.evals.iter().map(|(name, text)| (name.as_str().into(), formula(text))));
        dataset.last.extend(self.last.iter().map(|(name, text)| (name.as_str().into(), formula(text))));
        for (names, default) in [
            (&self.unknown, Default::Unknown),
            (&self.dash, Default::UnknownForDash),
            (&self.zero, Default::Zero),
            (&self.number, Default::Number),
        ] {
            dataset.defaults.extend(words(names).map(|name| (name.into(), default)));
        }
        if self.product {
            dataset.defaults.insert("vendor_product".into(), Default::Product);
        }
        // What a service that knows assets and identities adds to every event.
        let added = ASSETS.iter().flat_map(|of| ADDED.iter().map(move |what| Name::from(format!("{of}_{what}"))));
        let own = words(&self.fields).map(Name::from).chain(dataset.defaults.keys().cloned()).chain(added);
        let own = own.chain(dataset.first.iter().chain(&dataset.last).map(|(name, _)| name.clone()));
        let mut own: Vec<Name> = own.collect();
        own.sort();
        own.dedup();
        own.retain(|name| !dataset.fields.iter().any(|(known, _)| known == name));
        dataset.fields.extend(own.into_iter().map(|name| (name, dataset.node.clone())));
        let children = self.children.into_iter().map(|child| child.under(&dataset, depth + 1));
        dataset.children = children.collect::<Option<Vec<_>>>()?;
        Some(Arc::new(dataset))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_datasets() {
        let models = Models::parse(include_str!("models.yaml"), "models.yaml").unwrap();
        let nodes = |path: &str| -> Vec<String> {
            models.find(path).unwrap_or_default().iter().map(|dataset| dataset.node.clone()).collect()
        };
        assert_eq!(nodes("Endpoint.Processes"), ["Processes"]);
        assert_eq!(nodes("Endpoint"), ["Ports", "Processes", "Services", "Filesystem", "Registry"]);
        assert_eq!(nodes("Web"), ["Web"]);
        assert_eq!(nodes("Web.Web"), ["Web"]);
        assert_eq!(nodes("Change.All_Changes.Account_Management"), ["All_Changes.Account_Management"]);
        assert_eq!(nodes("Change.Account_Management"), ["All_Changes.Account_Management"]);
        assert!(models.find("Nothing").is_none() && models.find("Web.Nothing").is_none());
    }

    #[test]
    fn a_child_has_the_constraints_and_fields_of_those_above_it() {
        let models = Models::parse(include_str!("models.yaml"), "models.yaml").unwrap();
        let created = models.find("Change.All_Changes.Account_Management.Accounts_Created").unwrap().remove(0);
        assert_eq!(created.tags, ["change", "account"]);
        assert_eq!(created.conditions.len(), 1);
        let owner =
            |name: &str| created.fields.iter().find(|(field, _)| **field == *name).map(|(_, node)| node.as_str());
        assert_eq!(owner("user"), Some("All_Changes"));
        assert_eq!(owner("src_user"), Some("All_Changes.Account_Management"));
        assert_eq!(created.defaults.get("dest"), Some(&Default::Unknown));
    }
}
