//! Manual pages of functions, aggregates and plugins.
use crate::diagnostic::{Fault, Result, closest};
use crate::functions::aggregates::{self, Aggregate};
use crate::functions::{self, Dialect, Parameter, Scalar};
use crate::kql::bind::{Plugin, plugins};

/// The page of a function, an aggregate or a plugin: its signatures, then its manual.
///
/// Errors (QueryError): a name that is none of them; the nearest name is offered.
pub fn help(name: &str) -> Result<String> {
    let wanted = name.trim().trim_end_matches("()");
    let found: Vec<String> = functions::find(Dialect::Kql, wanted).iter().map(|item| scalar_page(item)).collect();
    let plugin = plugins().find(|plugin| plugin.name == wanted).map(plugin_page);
    let aggregate = aggregates::find(Dialect::Kql, wanted).map(aggregate_page);
    let pages: Vec<String> = found.into_iter().chain(aggregate).chain(plugin).collect();
    match pages.is_empty() {
        true => Err(unknown(wanted)),
        false => Ok(pages.join("\n\n")),
    }
}

fn unknown(name: &str) -> Fault {
    let names = functions::all().map(|item| item.name).chain(aggregates::all().map(|item| item.name));
    let names = names.chain(plugins().map(|plugin| plugin.name));
    let fault = Fault::query("HP110", format!("there is no function, aggregate or plugin `{name}`"));
    match closest(name, names) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault,
    }
}

fn scalar_page(item: &Scalar) -> String {
    let returns = match item.returns {
        functions::Returns::Kind(kind) => format!(" -> {kind}"),
        _ => String::new(),
    };
    page(item.name, item.aliases, &format!("{}({}){returns}", item.name, signature(item.parameters)), item.docs)
}

fn aggregate_page(item: &Aggregate) -> String {
    page(item.name, item.aliases, &format!("{}({})", item.name, signature(item.parameters)), item.docs)
}

fn plugin_page(item: &'static Plugin) -> String {
    let parameters = item.parameters.iter().map(|p| {
        let dots = if p.repeats { ", …" } else { "" };
        let text = format!("{}: {}{dots}", p.name, p.takes.name());
        if p.optional { format!("[{text}]") } else { text }
    });
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    page(item.name, &[], &format!("evaluate {}({parameters})", item.name), item.docs)
}

fn page(name: &str, aliases: &[&str], signature: &str, docs: &str) -> String {
    let also = match aliases.is_empty() {
        true => String::new(),
        false => format!("\n\nAlso written {}.", aliases.join(", ")),
    };
    let manual: Vec<&str> = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    format!("# {name}\n\n    {signature}{also}\n\n{}\n", manual.join("\n").trim())
}

fn signature(parameters: &[Parameter]) -> String {
    let each = parameters.iter().map(|p| {
        let dots = if p.repeats { ", …" } else { "" };
        let text = format!("{}: {}{dots}", p.name, accepts(p.accepts));
        if p.optional { format!("[{text}]") } else { text }
    });
    each.collect::<Vec<_>>().join(", ")
}

fn accepts(accepts: functions::Accepts) -> &'static str {
    use functions::Accepts;
    match accepts {
        Accepts::Kind(kind) => kind.name(),
        Accepts::Any => "any",
        Accepts::Number => "number",
        Accepts::Summable => "number or timespan",
        Accepts::Ordered => "number, datetime or timespan",
        Accepts::Integer => "integer",
    }
}

#[cfg(test)]
mod tests {
    use super::help;

    #[test]
    fn a_page_has_the_signature_and_the_manual() {
        let page = help("count").unwrap();
        assert!(page.contains("count("), "{page}");
    }

    #[test]
    fn a_misspelt_name_offers_the_nearest() {
        let fault = help("cuont").unwrap_err();
        assert!(fault.diagnostics()[0].help.as_deref().is_some_and(|h| h.contains("count")));
    }
}
