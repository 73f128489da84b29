//! Manual pages: of functions and aggregates from their items, of the rest of the language from its pages.
mod index;

pub use index::{Section, help_index};

use crate::diagnostic::{Fault, Result, closest};
use crate::functions::aggregates::{self, Aggregate};
use crate::functions::{self, Dialect, Scalar};
use crate::kql::bind::{Plugin, plugins};
use crate::kql::{self, Page};
use crate::spl;

/// Names that are told where one is unknown and many hold it.
const MOST_NAMES: usize = 8;

/// The page of an operator, a function, an aggregate, a plugin, a statement or a kind, in Markdown: how it is
/// written, then its manual. Several things of one name have a page each.
///
/// Errors (QueryError): a name that nothing has; the nearest names are offered.
pub fn help(name: &str) -> Result<String> {
    let wanted = wanted(name);
    let pages = kql::pages().filter(|page| page.names().any(|known| known == wanted)).map(of_page);
    // What a page tells of a function, its items need not tell again.
    let told = kql::pages().any(|page| page.is_call() && page.names().any(|known| known == wanted));
    let items = functions::find(Dialect::Kql, wanted).iter().filter(|_| !told).map(|item| of_scalar(item));
    let plugin = plugins().find(|plugin| plugin.name == wanted).map(of_plugin);
    let aggregate = aggregates::find(Dialect::Kql, wanted).map(of_aggregate);
    let conditional = aggregates::conditional().find(|(known, _)| *known == wanted);
    let conditional = conditional.map(|(name, item)| of_conditional(name, item));
    let found = pages.chain(items).chain(aggregate).chain(conditional).chain(plugin);
    let found: Vec<String> = found.chain(of_search(wanted)).collect();
    match found.is_empty() {
        true => Err(unknown(wanted)),
        false => Ok(found.join("\n")),
    }
}

/// The pages of a search's commands, functions and aggregates of a name.
fn of_search(wanted: &str) -> Vec<String> {
    let search = |name: &str, aliases: &[&str], syntax: &str, docs: &str| {
        written(&format!("{name} (SPL)"), aliases, syntax, docs)
    };
    let commands = spl::commands().filter(|entry| entry.names().any(|known| known == wanted));
    let commands = commands.map(|entry| search(entry.name, entry.aliases, entry.syntax, entry.docs));
    let items = functions::find(Dialect::Spl, wanted).iter().filter(|item| !item.name.starts_with('.'));
    let items = items.map(|item| search(item.name, item.aliases, &item.signature(), item.docs));
    let aggregate = aggregates::find(Dialect::Spl, wanted);
    let aggregate = aggregate.map(|item| search(item.name, item.aliases, &item.signature(), item.docs));
    let forms = spl::FORMS.iter().filter(|form| form.name == wanted);
    let forms = forms.map(|form| search(form.name, &[], form.syntax, form.docs));
    commands.chain(items).chain(aggregate).chain(forms).collect()
}

/// A name as it may be asked for: `strlen()`, `| where`.
fn wanted(name: &str) -> &str {
    name.trim().trim_start_matches('|').trim().trim_end_matches("()")
}

fn unknown(name: &str) -> Fault {
    let fault = Fault::query("HP110", format!("there is no page about `{name}`"));
    let names: Vec<&str> = help_index().iter().flat_map(|section| section.names()).collect();
    let lower = name.to_lowercase();
    let like = |fits: &dyn Fn(&str) -> bool| {
        let found: Vec<&str> = names.iter().copied().filter(|known| fits(known)).take(MOST_NAMES).collect();
        (lower.len() >= 3 && !found.is_empty()).then(|| format!("names like it: {}", found.join(", ")))
    };
    let near = || closest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let help =
        like(&|known| known.starts_with(&*lower)).or_else(near).or_else(|| like(&|known| known.contains(&*lower)));
    fault.help(help.unwrap_or_else(|| "`huntpack help` lists all names".to_owned()))
}

fn of_page(page: &Page) -> String {
    written(page.name, page.aliases, page.syntax, page.docs)
}

fn of_scalar(item: &Scalar) -> String {
    written(item.name, item.aliases, &item.signature(), item.docs)
}

fn of_plugin(item: &Plugin) -> String {
    written(item.name, &[], &item.signature(), item.docs)
}

fn of_aggregate(item: &Aggregate) -> String {
    written(item.name, item.aliases, &item.signature(), item.docs)
}

fn of_conditional(name: &str, item: &Aggregate) -> String {
    let docs = format!("`{}` over the rows for which a condition holds.\n\n{}", item.name, item.docs);
    written(name, &[], &item.signature_if(name), &docs)
}

fn written(name: &str, aliases: &[&str], syntax: &str, docs: &str) -> String {
    let also = match aliases.is_empty() {
        true => String::new(),
        false => format!("\n\nAlso written {}.", aliases.join(", ")),
    };
    let manual: Vec<&str> = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    format!("# {name}\n\n    {syntax}{also}\n\n{}\n", manual.join("\n").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_signature_and_the_manual() {
        for (name, parts) in [
            ("dcount", &["dcount(", "Source: dcount-aggregation-function."][..]),
            ("strlen()", &["strlen(text: string) -> long", "Source: strlen-function."]),
            ("| where", &["T | where Condition", "Also written filter."]),
            ("mvexpand", &["# mv-expand"]),
            ("sumif", &["condition: bool", "Source: sum-aggregation-function."]),
            ("let", &["let Name"]),
            ("datetime", &["# datetime"]),
            ("matches regex", &["# matches regex"]),
            ("iff", &["iff(Condition, Then, Otherwise)"]),
            ("timechart", &["# timechart (SPL)", "Source: timechart."]),
            ("mvindex", &["# mvindex (SPL)"]),
            ("mvmap", &["mvmap(<field>, <expression>)"]),
            ("values", &["values(value: any) -> field"]),
        ] {
            let page = help(name).unwrap();
            parts.iter().for_each(|part| assert!(page.contains(part), "{name} lacks {part}: {page}"));
        }
    }

    #[test]
    fn things_of_one_name_have_a_page_each() {
        let page = help("count").unwrap();
        assert!(page.contains("T | count") && page.contains("count()"), "{page}");
    }

    #[test]
    fn a_misspelt_name_offers_the_nearest() {
        let said = |name| help(name).unwrap_err().diagnostics()[0].help.clone().unwrap();
        assert_eq!(said("sumarize"), "did you mean `summarize`?");
        assert_eq!(said("dcuont"), "did you mean `dcount`?");
        assert!(said("ipv4").contains("ipv4_is_match"));
        assert!(said("xyzzyx").contains("lists all names"));
    }
}
