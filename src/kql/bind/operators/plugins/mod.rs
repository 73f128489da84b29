//! Plugins: what `evaluate` calls.
//!
//! A plugin is one item: its name, its parameters, its manual page and how it is lowered. Adding one touches its
//! family's file; a new family is one line in [`FAMILIES`].
//!
//! Source: evaluate-operator.
mod activity;
mod address_lookup;
mod arguments;
mod bag_unpack;
mod beside;
mod combinations;
mod elsewhere;
mod funnel;
mod intersect;
mod patterns;
mod pivot;
mod rolling_percentile;
mod rows;
mod schemas;
mod sequence_detect;
mod shape_lookup;

use crate::diagnostic::{Diagnostic, Span, closest};
use crate::kql::ast::{Call, Evaluate, Name, RowSchema};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::kql::bind::{Bind, Reported};

/// A plugin: signature, manual page with examples, lowering.
pub struct Plugin {
    pub name: &'static str,
    pub parameters: &'static [PluginParameter],
    /// The manual page, Markdown: the doc comment of the item, in the form of a function's.
    pub docs: &'static str,
    lower: fn(&mut Binder<'_>, &Evaluation<'_>) -> Bind<Relation>,
}

#[derive(Clone, Copy, Debug)]
pub struct PluginParameter {
    pub name: &'static str,
    pub takes: Takes,
    pub optional: bool,
    /// May be given any number of times.
    pub repeats: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The name of a column.
    Column,
    /// A value that is the same for all rows.
    Constant,
    /// An expression over a row.
    Expression,
    /// A condition over a row.
    Condition,
    Table,
    Aggregate,
    /// `typeof(...)`
    Schema,
}

impl Takes {
    pub fn name(self) -> &'static str {
        match self {
            Takes::Column => "column",
            Takes::Constant => "constant",
            Takes::Expression => "expression",
            Takes::Condition => "condition",
            Takes::Table => "table",
            Takes::Aggregate => "aggregate",
            Takes::Schema => "typeof",
        }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Plugin {
    /// How many arguments may be given.
    pub fn arity(&self) -> (usize, usize) {
        let needed = self.parameters.iter().filter(|p| !p.optional).count();
        let repeats = self.parameters.iter().any(|p| p.repeats);
        (needed, if repeats { usize::MAX } else { self.parameters.len() })
    }

    /// `evaluate narrow()`; brackets stand around what may be left out.
    pub fn signature(&self) -> String {
        let each = self.parameters.iter().map(|parameter| {
            let dots = if parameter.repeats { ", …" } else { "" };
            let text = format!("{}: {}{dots}", parameter.name, parameter.takes.name());
            if parameter.optional { format!("[{text}]") } else { text }
        });
        format!("evaluate {}({})", self.name, each.collect::<Vec<_>>().join(", "))
    }
}

/// Makes `pub static ITEMS: &[Plugin]` of the plugins of a family:
///
/// ```text
/// items! {
///     /// Manual page…
///     fn preview(NumberOfRows: Constant) = preview;
///     fn basket(Threshold[optional]: Constant, CustomWildcard[any]: Constant) = basket;
/// }
/// ```
///
/// An `[optional]` parameter may be left out; an `[any]` one may be given any number of times, a `[repeats]` one at
/// least once.
macro_rules! items {
    ($(
        $(#[doc = $doc:literal])*
        fn $name:ident ($($arg:ident $([$mark:ident])? : $takes:ident),* $(,)?) = $lower:expr;
    )*) => {
        /// The family's plugins.
        pub static ITEMS: &[$crate::kql::bind::operators::plugins::Plugin] = &[$(
            $crate::kql::bind::operators::plugins::Plugin {
                name: stringify!($name),
                parameters: &[$($crate::kql::bind::operators::plugins::PluginParameter {
                    name: stringify!($arg),
                    takes: $crate::kql::bind::operators::plugins::Takes::$takes,
                    optional: $crate::kernels!(@optional $($mark)?),
                    repeats: $crate::kernels!(@repeats $($mark)?),
                }),*],
                docs: concat!($($doc, "\n"),*),
                lower: $lower,
            }
        ),*];
    };
}
use items;

/// Every family.
static FAMILIES: &[&[Plugin]] = &[
    bag_unpack::ITEMS,
    pivot::ITEMS,
    rows::ITEMS,
    schemas::ITEMS,
    address_lookup::ITEMS,
    shape_lookup::ITEMS,
    intersect::ITEMS,
    rolling_percentile::ITEMS,
    activity::COUNTS,
    activity::USERS,
    activity::METRICS,
    activity::COHORTS,
    funnel::ITEMS,
    sequence_detect::ITEMS,
    patterns::BASKET,
    patterns::AUTOCLUSTER,
    patterns::DIFFPATTERNS,
    patterns::TEXTS,
    elsewhere::ITEMS,
];

/// Every plugin.
pub fn plugins() -> impl Iterator<Item = &'static Plugin> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// A use of a plugin: its arguments and the rows before it.
pub(super) struct Evaluation<'e> {
    plugin: &'static Plugin,
    call: &'e Call,
    /// The columns that the query says the result has.
    schema: Option<&'e RowSchema>,
    input: &'e Relation,
    span: Span,
}

impl Binder<'_> {
    /// `evaluate plugin(…)` over the rows before it; over one row without columns where it begins a pipeline.
    pub fn evaluate(&mut self, evaluate: &Evaluate, input: &Relation, span: Span) -> Bind<Relation> {
        let call = &evaluate.call;
        let Some(plugin) = plugins().find(|plugin| plugin.name == call.name.text) else {
            return Err(self.unknown_plugin(&call.name));
        };
        let (least, most) = plugin.arity();
        if !(least..=most).contains(&call.arguments.len()) {
            let message = format!("The plugin '{}' expects {}.", plugin.name, counted(least, most));
            return Err(self.error("KS119", message, call.name.span));
        }
        let input = self.with_named_columns(plugin, call, input);
        (plugin.lower)(self, &Evaluation { plugin, call, schema: evaluate.schema.as_ref(), input: &input, span })
    }

    fn unknown_plugin(&mut self, name: &Name) -> Reported {
        let message = format!("The plug-in function '{}' is not defined.", name.text);
        let said = Diagnostic::error("KS124", message).at(name.span);
        self.say(match closest(&name.text, plugins().map(|plugin| plugin.name)) {
            Some(near) => said.help(format!("did you mean '{near}'?")),
            None => said,
        });
        Reported
    }
}

crate::pages! {
    /// The rows that a plugin makes of the table.
    ///
    /// Where the columns depend on the data, a schema behind the call fixes them.
    ///
    /// Source: evaluate-operator.
    ///
    /// ```kql
    /// print bag = dynamic({"a": 1}) | evaluate bag_unpack(bag) | project a // 1
    /// ```
    Operator "evaluate": "T | evaluate [hint.Name=Value] Plugin(Argument, ...) [: (Column: Kind, ...)]";
}

/// A number of arguments in words.
fn counted(least: usize, most: usize) -> String {
    match (least, most) {
        (0, 0) => "no arguments".to_owned(),
        (1, 1) => "1 argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (1, usize::MAX) => "at least 1 argument".to_owned(),
        (least, usize::MAX) => format!("at least {least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

#[cfg(test)]
mod tests {
    use super::plugins;
    use std::collections::HashSet;

    #[test]
    fn every_plugin_has_a_manual_page() {
        for plugin in plugins() {
            let (summary, _) = plugin.docs.trim_start().split_once("\n\n").unwrap_or((plugin.docs, ""));
            assert!(!summary.trim().is_empty() && !summary.contains("Source:"), "{plugin:?} has no summary");
            assert!(plugin.docs.lines().any(|line| line.trim().starts_with("Source: ")), "{plugin:?} names no source");
        }
    }

    #[test]
    fn names_are_given_once() {
        let mut names = HashSet::new();
        assert!(plugins().all(|plugin| names.insert(plugin.name)));
    }
}
