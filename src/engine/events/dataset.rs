//! The events of a dataset: which they are, and the fields that its data model makes of theirs.
//!
//! An event is in a dataset when what is known of its sourcetype gives it the dataset's tags. One that no tags are known
//! for is in it when it has the fields that are a sign of it; one that has fields with the dataset's name in front
//! (`Processes.user`) is in it as it is, without calculated fields.
use super::columns::{choose, first_present, mask, present};
use super::models::{Dataset, Default};
use super::morsel::EventMorsel;
use super::part::Part;
use super::rules::{Formula, STAGES, Stage};
use super::{Events, FIRST, scan};
use crate::diagnostic::Result;
use crate::expr::Input;
use crate::plan::{Needs, Scan, Source};
use crate::types::field::{FieldBuilder, Number, number, text};
use crate::types::{Column, Kind, Name, Schema};
use arrow_buffer::BooleanBuffer;
use std::sync::Arc;

/// The field that holds the datasets that an event is in.
const NODES: &str = "nodename";

/// The events of a dataset as a source; none where there is no such data model and no event has its fields.
pub fn source(
    events: &Arc<Events>,
    path: &str,
    prefixed: bool,
    fields: Option<&[Name]>,
) -> Result<Option<Arc<dyn Source>>> {
    let (datasets, known) = match events.knowledge.models.find(path) {
        Some(datasets) => (datasets, true),
        None => (vec![Arc::new(Dataset::unknown(path))], false),
    };
    let membership = Membership { datasets, prefixed, known };
    if !known && !events.parts.iter().any(|part| membership.may_hold(part)) {
        return Ok(None);
    }
    let schema = match fields {
        Some(fields) => fields.iter().map(|name| (name.clone(), Kind::Field)).collect(),
        None => membership.schema(events)?,
    };
    Ok(Some(Arc::new(DatasetSource { events: events.clone(), schema, membership: Arc::new(membership) })))
}

#[derive(Debug)]
struct DatasetSource {
    events: Arc<Events>,
    schema: Schema,
    membership: Arc<Membership>,
}

impl Source for DatasetSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity(&self) -> u64 {
        use std::hash::{BuildHasher, Hash, Hasher};
        let mut hasher = foldhash::fast::FixedState::with_seed(self.events.id).build_hasher();
        self.membership.prefixed.hash(&mut hasher);
        self.membership.datasets.iter().for_each(|dataset| dataset.path.hash(&mut hasher));
        hasher.finish()
    }

    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>> {
        scan::scan(&self.events, &needs.columns, Some(self.membership.clone()), needs.morsel_rows)
    }
}

/// Which events are in some datasets, and what their fields are there.
#[derive(Debug)]
pub struct Membership {
    datasets: Vec<Arc<Dataset>>,
    /// Whether fields carry the name of their dataset.
    prefixed: bool,
    /// Whether the data model is known.
    known: bool,
}

/// A field of a dataset.
struct Asked<'a> {
    dataset: &'a Arc<Dataset>,
    field: Name,
    /// Whether only some of the events are in the dataset.
    below: bool,
}

impl Membership {
    /// Whether a part may hold events of the datasets.
    pub fn may_hold(&self, part: &Part) -> bool {
        self.known || !part.raw.is_empty() || self.prefixes(part).next().is_some()
    }

    /// The columns of a part that carry the name of a dataset.
    pub fn prefixes<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = &'a Name> {
        let carries = |name: &&Name| self.datasets.iter().any(|dataset| carries(name, dataset.root()));
        part.columns.iter().map(|(name, _)| name).filter(carries)
    }

    fn schema(&self, events: &Events) -> Result<Schema> {
        let mut schema = Schema::default();
        FIRST.iter().chain([&NODES]).for_each(|name| schema.set((*name).into(), Kind::Field));
        for dataset in self.datasets.iter().flat_map(|dataset| std::iter::once(dataset.clone()).chain(dataset.below()))
        {
            for (name, node) in &dataset.fields {
                let name = if self.prefixed { format!("{node}.{name}").into() } else { name.clone() };
                schema.set(name, Kind::Field);
            }
        }
        let own: Vec<Name> = match self.known {
            true => events.parts.iter().flat_map(|part| self.prefixes(part)).cloned().collect(),
            false => events.fields()?.names().cloned().collect(),
        };
        for name in own {
            let of = self.datasets.iter().find(|dataset| carries(&name, dataset.root()));
            if let Some(dataset) = of {
                let bare = name.get(dataset.root().len() + 1..).unwrap_or_default();
                schema.set(if self.prefixed { name.clone() } else { bare.into() }, Kind::Field);
            }
        }
        Ok(schema)
    }

    /// The fields of the events that these fields are made of, and that tell which events are in the datasets.
    pub fn reads(&self, fields: &[Name], knowledge: &super::Knowledge) -> Vec<Name> {
        let mut reads: Vec<Name> = fields.to_vec();
        let formulas = |found: &mut Vec<Name>, formula: &Arc<Formula>| {
            if let Ok(compiled) = formula.compiled() {
                found.extend(compiled.reads.iter().cloned());
            }
        };
        for dataset in self.datasets.iter().flat_map(|dataset| std::iter::once(dataset.clone()).chain(dataset.below()))
        {
            dataset.conditions.iter().for_each(|formula| formulas(&mut reads, formula));
            let calculated = dataset.first.iter().chain(&dataset.last);
            calculated.for_each(|(_, formula)| formulas(&mut reads, formula));
            reads.extend(dataset.signs.iter().flatten().chain(&dataset.lacks).cloned());
        }
        reads.extend(fields.iter().filter_map(|name| self.asked(name)).map(|asked| asked.field));
        for stanza in &knowledge.stanzas {
            stanza.tags.iter().filter_map(|(when, _)| when.as_ref()).for_each(|when| formulas(&mut reads, when));
        }
        reads.extend(["vendor", "product", "vendor_product", "sourcetype"].map(Name::from));
        let nodes: Vec<String> = self.datasets.iter().map(|dataset| dataset.node.clone()).collect();
        let prefixed: Vec<Name> =
            reads.iter().flat_map(|name| nodes.iter().map(move |node| Name::from(format!("{node}.{name}")))).collect();
        reads.extend(prefixed);
        reads.sort();
        reads.dedup();
        reads
    }

    /// The rows of a morsel that are in the datasets.
    pub fn rows(&self, morsel: &EventMorsel) -> Result<Vec<u32>> {
        let mut any = BooleanBuffer::new_unset(morsel.rows());
        for dataset in &self.datasets {
            any = &any | &self.members(dataset, morsel)?;
        }
        Ok(any.set_indices_u32().collect())
    }

    fn members(&self, dataset: &Arc<Dataset>, morsel: &EventMorsel) -> Result<BooleanBuffer> {
        morsel.mask(format!("in {}", dataset.path), || self.found(dataset, morsel))
    }

    fn found(&self, dataset: &Arc<Dataset>, morsel: &EventMorsel) -> Result<BooleanBuffer> {
        let mut members = &self.as_they_are(dataset, morsel)? | &self.tagged(dataset, morsel)?;
        members = &members | &self.signed(dataset, morsel)?;
        for condition in &dataset.conditions {
            if members.count_set_bits() == 0 {
                break;
            }
            let fields = Calculated { membership: self, dataset, morsel, phase: Phase::Defaults };
            members = &members & &mask(&morsel.evaluated(condition, &fields)?);
        }
        Ok(members)
    }

    /// The events that have fields with the dataset's name in front, and those of a table of its name.
    fn as_they_are(&self, dataset: &Dataset, morsel: &EventMorsel) -> Result<BooleanBuffer> {
        let part = &morsel.reading.part;
        if [&*dataset.path, &*dataset.node, dataset.root()].contains(&part.name.as_str()) {
            return Ok(BooleanBuffer::new_set(morsel.rows()));
        }
        morsel.mask(format!("as {}", dataset.root()), || {
            let mut found = BooleanBuffer::new_unset(morsel.rows());
            for name in morsel.reading.asked.iter().filter(|name| carries(name, dataset.root())) {
                found = &found | &present(&morsel.staged(name, 0)?);
            }
            Ok(found)
        })
    }

    /// The events that carry the tags of the dataset.
    fn tagged(&self, dataset: &Dataset, morsel: &EventMorsel) -> Result<BooleanBuffer> {
        let mut all: Option<BooleanBuffer> = None;
        for tag in &dataset.tags {
            let carrying = tags(morsel, |tags| tags.contains(tag))?;
            all = Some(all.map_or_else(|| carrying.clone(), |all| &all & &carrying));
            if all.as_ref().is_some_and(|all| all.count_set_bits() == 0) {
                break;
            }
        }
        Ok(all.unwrap_or_else(|| BooleanBuffer::new_unset(morsel.rows())))
    }

    /// The events without tags that have all fields of a sign.
    fn signed(&self, dataset: &Dataset, morsel: &EventMorsel) -> Result<BooleanBuffer> {
        let mut any = BooleanBuffer::new_unset(morsel.rows());
        for sign in &dataset.signs {
            let mut all = BooleanBuffer::new_set(morsel.rows());
            for name in sign {
                all = &all & &present(&morsel.staged(name, 0)?);
            }
            any = &any | &all;
        }
        if any.count_set_bits() == 0 {
            return Ok(any);
        }
        for name in &dataset.lacks {
            any = &any & &!&present(&morsel.staged(name, 0)?);
        }
        Ok(&any & &!&tags(morsel, |_| true)?)
    }

    /// The dataset and the field that a name means.
    fn asked(&self, name: &Name) -> Option<Asked<'_>> {
        if !self.prefixed {
            let dataset = self.datasets.iter().find(|d| d.fields.iter().any(|(field, _)| field == name));
            return dataset.or(self.datasets.first()).map(|dataset| Asked {
                dataset,
                field: name.clone(),
                below: false,
            });
        }
        self.datasets.iter().find_map(|dataset| within(dataset, name, false))
    }

    /// A field of the datasets for all rows of a morsel.
    pub fn field(&self, morsel: &EventMorsel, name: &Name) -> Result<Column> {
        if **name == *NODES {
            return self.nodes(morsel);
        }
        let is_of_all = FIRST.contains(&&**name);
        let Some(asked) = self.asked(name).filter(|_| !is_of_all) else {
            return if is_of_all { morsel.field(name) } else { Ok(Column::nulls(Kind::Field, morsel.rows())) };
        };
        let column = self.calculated(asked.dataset, morsel, &asked.field, Phase::Last)?;
        match asked.below {
            true => {
                let members = self.members(asked.dataset, morsel)?;
                Ok(choose(Some(&members), column, Column::nulls(Kind::Field, morsel.rows())))
            }
            false => Ok(column),
        }
    }

    /// The nodes that events are in.
    fn nodes(&self, morsel: &EventMorsel) -> Result<Column> {
        let mut nodes: Vec<(String, BooleanBuffer)> = Vec::new();
        for dataset in &self.datasets {
            let mut above = String::new();
            let members = self.members(dataset, morsel)?;
            for part in dataset.node.split('.') {
                above = if above.is_empty() { part.to_owned() } else { format!("{above}.{part}") };
                nodes.push((above.clone(), members.clone()));
            }
            for below in dataset.below() {
                nodes.push((below.node.clone(), self.members(&below, morsel)?));
            }
        }
        let mut builder = FieldBuilder::new(None, morsel.rows());
        for row in 0..morsel.rows() {
            builder.push_several(nodes.iter().filter(|(_, members)| members.value(row)).map(|(node, _)| node));
        }
        Ok(builder.finish())
    }

    /// A field of a dataset as it is behind a phase.
    fn calculated(&self, dataset: &Arc<Dataset>, morsel: &EventMorsel, name: &Name, phase: Phase) -> Result<Column> {
        let own = |phase| self.calculated(dataset, morsel, name, phase);
        let formula = |formulas: &[(Name, Arc<Formula>)]| {
            formulas.iter().find(|(known, _)| known == name).map(|(_, formula)| formula.clone())
        };
        let (before, made) = match phase {
            Phase::Event => return self.of_event(dataset, morsel, name),
            Phase::First => (own(Phase::Event)?, formula(&dataset.first)),
            Phase::Defaults => {
                let before = own(Phase::First)?;
                let Some(default) = dataset.defaults.get(name) else { return Ok(before) };
                let made = with_default(&before, *default, morsel)?;
                return self.unless_as_it_is(dataset, morsel, made, before);
            }
            Phase::Last => (own(Phase::Defaults)?, formula(&dataset.last)),
        };
        let Some(formula) = made else { return Ok(before) };
        let reads = if phase == Phase::First { Phase::Event } else { Phase::Defaults };
        let made = morsel.evaluated(&formula, &Calculated { membership: self, dataset, morsel, phase: reads })?;
        self.unless_as_it_is(dataset, morsel, made, before)
    }

    fn of_event(&self, dataset: &Dataset, morsel: &EventMorsel, name: &Name) -> Result<Column> {
        let mut columns = Vec::new();
        let mut node = dataset.node.as_str();
        loop {
            columns.push(morsel.staged(&format!("{node}.{name}").into(), 0)?);
            match node.rsplit_once('.') {
                Some((above, _)) => node = above,
                None => break,
            }
        }
        columns.push(morsel.field(name)?);
        Ok(first_present(columns, morsel.rows()))
    }

    /// What was calculated, but for the events that are in the dataset as they are.
    fn unless_as_it_is(&self, dataset: &Dataset, morsel: &EventMorsel, made: Column, own: Column) -> Result<Column> {
        let as_they_are = self.as_they_are(dataset, morsel)?;
        Ok(match as_they_are.count_set_bits() {
            0 => made,
            _ => choose(Some(&as_they_are), own, made),
        })
    }
}

/// Whether a field's name begins with a dataset's.
fn carries(name: &str, dataset: &str) -> bool {
    name.strip_prefix(dataset).is_some_and(|rest| rest.starts_with('.'))
}

/// The dataset or one below it whose node a name carries, the longest.
fn within<'a>(dataset: &'a Arc<Dataset>, name: &Name, below: bool) -> Option<Asked<'a>> {
    let deeper = dataset.children.iter().find_map(|child| within(child, name, true));
    if deeper.is_some() {
        return deeper;
    }
    // Fields of the datasets above it are its own.
    let mut node = dataset.node.as_str();
    loop {
        if carries(name, node) {
            return Some(Asked { dataset, field: name.get(node.len() + 1..)?.into(), below });
        }
        // A child has only what it adds to its parent.
        node = if below { return None } else { node.rsplit_once('.')?.0 };
    }
}

/// The rows that carry tags of which one is wanted.
fn tags(morsel: &EventMorsel, wanted: impl Fn(&[String]) -> bool) -> Result<BooleanBuffer> {
    let mut found = BooleanBuffer::new_unset(morsel.rows());
    for (number, rows) in morsel.known()? {
        let Some(stanza) = morsel.reading.knowledge.stanzas.get(*number) else { continue };
        for (at, (when, _)) in stanza.tags.iter().enumerate().filter(|(_, (_, tags))| wanted(tags)) {
            let holds = morsel.mask(format!("when {number} {at}"), || match when {
                // Event types come behind everything that makes fields.
                Some(when) if stanza.everywhere => Ok(mask(&morsel.formula(when, STAGES)?)),
                Some(when) => Ok(mask(&morsel.formula(when, Stage::Calculations as usize)?)),
                None => Ok(BooleanBuffer::new_set(morsel.rows())),
            })?;
            let holds = rows.as_ref().map_or_else(|| holds.clone(), |rows| rows & &holds);
            found = &found | &holds;
        }
    }
    Ok(found)
}

/// The steps in which a dataset's fields are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Event,
    First,
    Defaults,
    Last,
}

/// The fields of a dataset behind a phase, as the input of an expression.
struct Calculated<'a> {
    membership: &'a Membership,
    dataset: &'a Arc<Dataset>,
    morsel: &'a EventMorsel,
    phase: Phase,
}

impl Input for Calculated<'_> {
    fn rows(&self) -> usize {
        self.morsel.rows()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        self.membership.calculated(self.dataset, self.morsel, name, self.phase)
    }
}

/// A column with what stands for values that it lacks.
fn with_default(column: &Column, default: Default, morsel: &EventMorsel) -> Result<Column> {
    let mut builder = FieldBuilder::new(Some(column), column.len());
    let product = if default == Default::Product { Some(Product::of(morsel)?) } else { None };
    for row in 0..column.len() {
        let lacks = match default {
            Default::Zero | Default::Number => number(column, row).is_none(),
            _ => text(column, row).is_none_or(|t| t.is_empty() || (default == Default::UnknownForDash && t == "-")),
        };
        match (lacks, default) {
            (false, _) => builder.push_row(column, row),
            (true, Default::Zero) => builder.push_number(Number::Long(0)),
            (true, Default::Number) => builder.push_null(),
            (true, Default::Product) => {
                builder.push_text(&product.as_ref().map_or_else(String::new, |product| product.text(row)));
            }
            (true, Default::Unknown | Default::UnknownForDash) => builder.push_text("unknown"),
        }
    }
    Ok(builder.finish())
}

/// What `vendor_product` is made of.
struct Product {
    vendor: Column,
    product: Column,
    sourcetype: Column,
}

impl Product {
    fn of(morsel: &EventMorsel) -> Result<Product> {
        let field = |name: &str| morsel.field(&name.into());
        Ok(Product { vendor: field("vendor")?, product: field("product")?, sourcetype: field("sourcetype")? })
    }

    fn text(&self, row: usize) -> String {
        let told = |column: &Column| text(column, row).filter(|text| text != "unknown").map(|text| text.into_owned());
        match (told(&self.vendor), told(&self.product)) {
            (None, None) => told(&self.sourcetype).unwrap_or_else(|| "unknown".to_owned()),
            (vendor, product) => {
                let unknown = || "unknown".to_owned();
                format!("{} {}", vendor.unwrap_or_else(unknown), product.unwrap_or_else(unknown))
            }
        }
    }
}
