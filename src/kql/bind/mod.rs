//! The syntax tree to a plan: names, kinds, automatic column names, diagnostics.
//!
//! A part that is wrong is reported and answered with [`Reported`]; what stands around it is bound
//! all the same, so that one reading finds several mistakes. Nothing here runs a plan: where columns
//! depend on data, [`bind`] gives [`Step::Need`], and is called again with the answer.
mod about;
mod aggregates;
mod binder;
mod calls;
mod closures;
mod comparison;
mod convert;
mod expressions;
mod external;
mod literals;
mod membership;
mod names;
mod operators;
mod patterns;
mod relation;
mod restriction;
mod scope;
mod special;
mod statements;
mod tables;
mod visible;

pub use operators::{CHARTS, Plugin, PluginParameter, Takes, plugins};
pub use special::forms;
pub use visible::{Named, Visible, visible};

use super::{Page, ast};
use crate::diagnostic::{Diagnostic, Severity};
use crate::functions::Context;
use crate::plan::{Catalog, NodeId, Plan};
use crate::types::{Name, Table};
use binder::Binder;
use std::collections::HashMap;

/// The manual pages of what is bound, by file.
pub(super) static PAGES: &[&[&[Page]]] = &[
    operators::OPERATOR_PAGES,
    &[
        about::PAGES,
        literals::PAGES,
        membership::PAGES,
        restriction::PAGES,
        special::PAGES,
        statements::PAGES,
        tables::PAGES,
    ],
];

/// What binding depends on besides the query.
#[derive(Debug)]
pub struct Settings<'a> {
    /// Ticks of 100 ns: what `now()` gives.
    pub now: i64,
    /// For folding.
    pub context: &'a Context,
    /// A rule's period: of every table with a `TimeGenerated`, only rows with `after < TimeGenerated <= until`
    /// are seen.
    pub scope: Option<(i64, i64)>,
    /// Whether tables that nobody knows are taken to have every column: a check without schemas.
    pub open_tables: bool,
}

/// How a result wants to be shown: `render`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderHint {
    /// `timechart`, `barchart`…
    pub chart: String,
    /// Properties as written: `title`, `xcolumn`…
    pub properties: Vec<(String, String)>,
}

/// A bound query.
#[derive(Debug, Default)]
pub struct Bound {
    /// The roots of the query's results; of no use where there is an error.
    pub results: Vec<(NodeId, Option<RenderHint>)>,
    pub plan: Plan,
    pub diagnostics: Vec<Diagnostic>,
    /// The tables read, in order of first sight.
    pub tables: Vec<String>,
    /// Whether some columns are known to the data alone.
    pub open: bool,
    /// Columns of the first result whose kind nobody knows; they count as dynamic.
    pub unknown: Vec<Name>,
}

impl Bound {
    /// Whether there is an error among the diagnostics.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Tells the parts of a query apart whose columns depend on data: the operator's place, and how many
/// operators of that place were bound before (a function's body is bound for each of its calls).
pub type Key = (u32, u32);

/// The results of the parts that were asked for, by key.
pub type Answers = HashMap<Key, Table>;

/// Bound, or a part that must be run first.
#[derive(Debug)]
pub enum Step {
    Done(Bound),
    /// The plan under `node` of `bound.plan` must be run; binding again with its result under `key`
    /// among the answers goes further.
    Need {
        key: Key,
        node: NodeId,
        bound: Bound,
    },
}

/// Binds a query over no data: columns that depend on data stay open.
pub fn bind(query: &ast::Query, catalog: &dyn Catalog, settings: &Settings) -> Bound {
    let mut binder = Binder::new(catalog, settings, None);
    binder.query(query);
    binder.finish()
}

/// Binds a query for a run, up to the first part that must be run before.
pub fn step(query: &ast::Query, catalog: &dyn Catalog, settings: &Settings, answers: &Answers) -> Step {
    let mut binder = Binder::new(catalog, settings, Some(answers));
    binder.query(query);
    match binder.need() {
        Some((key, node)) => Step::Need { key, node, bound: binder.finish() },
        None => Step::Done(binder.finish()),
    }
}

/// Something is wrong, and a diagnostic says what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

pub(super) type Bind<T> = Result<T, Reported>;

#[cfg(test)]
mod tests;
