//! A query that is bound and not run yet: for hosts whose rows come piece by piece.
use super::query::{is_wrong, merged, placed, refused, seen, threads};
use super::{Answer, Database, Options, moment, steps};
use crate::diagnostic::{Diagnostic, Result, Source};
use crate::exec::{self, Gathering, RowWise};
use crate::functions::Context;
use crate::kql::{self, bind};
use crate::plan::{Flow, NodeId, Passing, Plan};
use crate::types::Name;
use std::sync::Arc;

/// A bound query.
pub struct Prepared {
    pub plan: Plan,
    /// The results of its statements.
    pub roots: Vec<NodeId>,
    pub warnings: Vec<Diagnostic>,
    context: Context,
    options: exec::Options,
}

/// Binds a query; none where the columns of a part of it are known to the data alone.
///
/// Errors: what is wrong with the query, each at its place in `source`.
pub fn prepare(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Option<Prepared>> {
    bound(source, database, options).map_err(|fault| placed(fault, &source.text).of(source))
}

fn bound(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Option<Prepared>> {
    let (tree, mut warnings) = kql::parse(&source.text);
    if is_wrong(&warnings) {
        return Err(refused(warnings));
    }
    let now = moment(options.now, database, options)?;
    let context = options.context(now).with_places(database.places()).with_lists(database.lists());
    let settings = bind::Settings { now, context: &context, scope: options.scope, open_tables: false };
    let bound = match bind::step(&tree, database, &settings, &bind::Answers::default()) {
        bind::Step::Need { bound, .. } | bind::Step::Done(bound) if bound.failed() => {
            return Err(refused(bound.diagnostics));
        }
        bind::Step::Need { .. } => return Ok(None),
        bind::Step::Done(bound) => bound,
    };
    warnings.extend(bound.diagnostics);
    let roots = bound.results.into_iter().map(|(root, _)| root).collect();
    let options = exec::Options { threads: threads(options), trace: options.trace };
    Ok(Some(Prepared { plan: bound.plan, roots, warnings, context, options }))
}

impl Prepared {
    /// The first result, where it is the only one.
    pub fn root(&self) -> Option<NodeId> {
        match self.roots.as_slice() {
            [root] => Some(*root),
            _ => None,
        }
    }

    /// How much of the streams a result needs at once.
    pub fn flow(&self, root: NodeId) -> Flow {
        Passing::new(&self.plan).flow(root)
    }

    /// Whether the order of rows can show in aggregates.
    pub fn is_ordered(&self, nodes: &[NodeId]) -> bool {
        let passing = Passing::new(&self.plan);
        !nodes.iter().all(|node| passing.is_free(*node))
    }

    /// What a run of a result over streams gives.
    pub fn answer(&self, root: NodeId, run: exec::Run) -> Answer {
        Answer {
            steps: self.steps(root, &run),
            seen: seen(&self.plan, &run.profile, self.options.trace),
            tables: run.tables,
            problems: merged(run.problems),
            warnings: self.warnings.clone(),
            ..Answer::default()
        }
    }

    /// The rows after each step of a run, and the step that emptied the result.
    pub fn steps(&self, root: NodeId, run: &exec::Run) -> String {
        steps::listing(&self.plan, root, &|id| run.profile.rows(id))
    }

    /// A result whose every row follows from one of a stream.
    pub fn row_wise(&self, root: NodeId, spares: &dyn Fn(&Name, &Name) -> bool) -> Result<RowWise<'_>> {
        RowWise::new(&self.plan, root, &self.context, &self.options, spares)
    }

    /// A result above aggregates that take in streams.
    pub fn gathering(&self, root: NodeId, nodes: &[NodeId]) -> Result<Gathering<'_>> {
        Gathering::new(&self.plan, root, nodes, &self.context, &self.options)
    }
}
