//! All names that have a manual page, by family.
use crate::functions::aggregates;
use crate::functions::{self, Dialect};
use crate::kql::bind::plugins;
use crate::kql::{self, Subject};
use crate::spl;

/// A family of names, each with its summary, in the order of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub entries: Vec<(&'static str, String)>,
}

impl Section {
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries.iter().map(|(name, _)| *name)
    }
}

/// The parts of the language that have pages of their own.
const SUBJECTS: &[(Subject, &str)] = &[
    (Subject::Operator, "Operators"),
    (Subject::Statement, "Statements"),
    (Subject::Table, "Tables"),
    (Subject::Kind, "Kinds"),
];

/// The families of functions by their modules; others are called as their module is.
const FAMILIES: &[(&str, &str)] = &[
    ("operators", "Comparison, presence and text operators"),
    ("arithmetic", "Arithmetic operators"),
    ("branches", "Branches, rows and columns"),
    ("in order", "Functions of ordered rows"),
    ("aggregates", "Aggregates"),
    ("convert", "Conversions"),
    ("string", "Strings"),
    ("extract", "Extraction and regular expressions"),
    ("parse", "Parsers of texts"),
    ("encoding", "Encodings"),
    ("hash", "Hashes"),
    ("presence", "Null and empty values"),
    ("datetime", "Dates and times"),
    ("timespan", "Dates and times"),
    ("bin", "Bins"),
    ("array", "Arrays"),
    ("bag", "Property bags"),
    ("sets", "Sets"),
    ("net", "IP addresses"),
    ("geo", "Places on Earth"),
    ("math", "Mathematics"),
    ("special", "Mathematics"),
    ("bitwise", "Bits"),
    ("series", "Series"),
    ("sketch", "Sketches"),
    ("misc", "Values of any kind"),
    ("elsewhere", "Data of services"),
];

/// The families of functions of a search by their modules.
const SEARCH_FAMILIES: &[(&str, &str)] = &[
    ("operators", "SPL: operators and comparisons"),
    ("compare", "SPL: operators and comparisons"),
    ("like", "SPL: patterns and addresses"),
    ("conditions", "SPL: conditions"),
    ("kinds", "SPL: what a value is"),
    ("conversion", "SPL: conversions"),
    ("text", "SPL: texts"),
    ("multivalue", "SPL: fields with several values"),
    ("json", "SPL: JSON and XML"),
    ("paths", "SPL: JSON and XML"),
    ("time", "SPL: dates and times"),
    ("math", "SPL: mathematics"),
    ("statistics", "SPL: mathematics"),
    ("bits", "SPL: bits"),
    ("crypto", "SPL: hashes"),
];

/// Every name by family: operators, statements, tables, kinds, plugins, then the function library; behind them the
/// commands, functions and aggregates of a search.
pub fn help_index() -> Vec<Section> {
    let mut sections: Vec<Section> = SUBJECTS.iter().map(|(subject, title)| of_subject(*subject, title)).collect();
    let entries = plugins().map(|plugin| (plugin.name, functions::summary(plugin.docs))).collect();
    sections.push(Section { title: "Plugins".to_owned(), entries });
    FAMILIES.iter().for_each(|(_, title)| section(&mut sections, title));
    for page in kql::pages() {
        let family = match page.subject {
            Subject::Function => "branches",
            Subject::InOrder => "in order",
            Subject::Infix => "operators",
            _ => continue,
        };
        add(&mut sections, family, page.name, page.docs);
    }
    for item in functions::all().filter(|item| item.dialect == Dialect::Kql && !item.name.starts_with('.')) {
        add(&mut sections, module(item.family), item.name, item.docs);
    }
    for item in aggregates::all().filter(|item| item.dialect == Dialect::Kql) {
        add(&mut sections, "aggregates", item.name, item.docs);
    }
    for (name, item) in aggregates::conditional() {
        add(&mut sections, "aggregates", name, item.docs);
    }
    of_search(&mut sections);
    sections.iter_mut().for_each(in_order);
    sections.retain(|section| !section.entries.is_empty());
    sections
}

/// The commands, functions and aggregates of a search.
fn of_search(sections: &mut Vec<Section>) {
    for entry in spl::commands() {
        push(sections, "SPL: commands", entry.name, entry.docs);
    }
    for item in functions::all().filter(|item| item.dialect == Dialect::Spl && !item.name.starts_with('.')) {
        let module = item.family.rsplit("::").next().unwrap_or_default();
        let known = SEARCH_FAMILIES.iter().find(|(family, _)| *family == module);
        push(sections, known.map_or("SPL: other functions", |(_, title)| title), item.name, item.docs);
    }
    for form in spl::FORMS {
        push(sections, "SPL: functions of rows", form.name, form.docs);
    }
    for item in aggregates::all().filter(|item| item.dialect == Dialect::Spl) {
        push(sections, "SPL: aggregates", item.name, item.docs);
    }
}

fn of_subject(subject: Subject, title: &str) -> Section {
    let pages = kql::pages().filter(|page| page.subject == subject);
    let entries = pages.map(|page| (page.name, functions::summary(page.docs))).collect();
    Section { title: title.to_owned(), entries }
}

fn in_order(section: &mut Section) {
    section.entries.sort_by_key(|(name, _)| *name);
    section.entries.dedup_by_key(|(name, _)| *name);
}

fn add(sections: &mut Vec<Section>, family: &str, name: &'static str, docs: &str) {
    let known = FAMILIES.iter().find(|(module, _)| *module == family);
    push(sections, known.map_or(family, |(_, title)| title), name, docs);
}

fn push(sections: &mut Vec<Section>, title: &str, name: &'static str, docs: &str) {
    section(sections, title);
    if let Some(section) = sections.iter_mut().find(|section| section.title == title) {
        section.entries.push((name, functions::summary(docs)));
    }
}

/// Makes sure that there is a section of that title.
fn section(sections: &mut Vec<Section>, title: &str) {
    if !sections.iter().any(|section| section.title == title) {
        sections.push(Section { title: title.to_owned(), entries: Vec::new() });
    }
}

/// The module behind `functions` that a family stands in.
fn module(path: &'static str) -> &'static str {
    let mut parts = path.split("::").skip_while(|part| *part != "functions").skip(1);
    parts.next().unwrap_or("misc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::help;

    #[test]
    fn every_name_has_a_page() {
        let sections = help_index();
        assert!(sections.iter().map(|s| s.entries.len()).sum::<usize>() > 400);
        for name in sections.iter().flat_map(Section::names) {
            let page = help(name).unwrap();
            // What needs a service or files of one has no answer to show.
            let elsewhere = page.contains("is an error here") || page.contains("cannot run here");
            let needs_more = elsewhere || name.starts_with("infer_storage_schema");
            let shows = page.contains("```kql") || page.contains("```spl") || needs_more;
            assert!(page.contains("Source: ") && shows, "{name}: {page}");
        }
    }

    #[test]
    fn every_operator_that_is_read_has_a_page() {
        let known: Vec<&str> =
            kql::pages().filter(|p| p.subject == Subject::Operator).flat_map(|p| p.names()).collect();
        let missing: Vec<&str> = kql::operators().filter(|name| !known.contains(name)).collect();
        assert!(missing.is_empty(), "without a page: {missing:?}");
    }

    #[test]
    fn every_call_that_is_bound_by_rules_of_its_own_has_a_page() {
        let missing: Vec<&str> = kql::bind::forms().filter(|name| help(name).is_err()).collect();
        assert!(missing.is_empty(), "without a page: {missing:?}");
    }
}
