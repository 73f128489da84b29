//! One query: parse, bind, run; and what a check finds without running.
use super::Database;
use super::newest::newest;
use super::{pool, steps};
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Result, Severity, Source, Span};
use crate::exec;
use crate::functions::{Context, Limits};
use crate::kql::{self, bind};
use crate::plan::{Node, NodeId, Plan, explain};
use crate::types::{Kind, Problem, Table};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What time a query takes for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Now {
    #[default]
    Wall,
    /// Ticks of 100 ns.
    At(i64),
    /// The newest event of the tables.
    Latest,
}

/// How to run a query.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub now: Now,
    /// Only rows with `after < TimeGenerated <= until` are seen: a rule's period.
    pub scope: Option<(i64, i64)>,
    pub limits: Limits,
    /// A search sees only events of this time and later ones, unless it says otherwise: a time as Splunk writes it.
    pub earliest: Option<String>,
    /// A search sees only events before this time, unless it says otherwise.
    pub latest: Option<String>,
    /// The zone of a search's calendar; UTC where none is said.
    pub timezone: Option<chrono_tz::Tz>,
    /// Threads; none for one per processor.
    pub threads: Option<usize>,
    /// Keep the steps in the order in which they are written, for [`Answer::steps`].
    pub trace: bool,
    /// Set when the run should stop.
    pub cancel: Arc<AtomicBool>,
}

impl Options {
    pub(super) fn context(&self, now: i64) -> Context {
        let context = Context::new(now, self.limits.clone(), self.cancel.clone());
        match self.timezone {
            Some(timezone) => context.with_timezone(timezone),
            None => context,
        }
    }
}

/// What a query gives.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The result of each statement that has one.
    pub tables: Vec<Table>,
    /// How each result wants to be drawn.
    pub charts: Vec<Option<bind::RenderHint>>,
    /// The plan with the rows after each step and the time of each.
    pub explain: String,
    /// Of a traced run: the rows after each step, and the step that emptied the first result.
    pub steps: String,
    /// The events inside the scope that the query looked at; none where that is not known.
    pub seen: Option<u64>,
    /// Bad rows that readers met.
    pub problems: Vec<Problem>,
    pub warnings: Vec<Diagnostic>,
}

/// What a check finds.
#[derive(Clone, Debug, Default)]
pub struct Check {
    pub diagnostics: Vec<Diagnostic>,
    pub columns: Vec<(String, Kind)>,
    /// Columns among them whose kind the data alone tell.
    pub unknown: Vec<String>,
    pub tables: Vec<String>,
    /// Whether further columns may come that only data can tell.
    pub open: bool,
}

impl Check {
    pub fn ok(&self) -> bool {
        self.diagnostics.iter().all(|d| d.severity != Severity::Error)
    }
}

/// The moment that `now` means, in ticks.
pub fn moment(now: Now, database: &Database, options: &Options) -> Result<i64> {
    match now {
        Now::At(ticks) => Ok(ticks),
        Now::Wall => Ok(wall_clock()),
        Now::Latest => Ok(newest_event(database, options)?.unwrap_or_else(wall_clock)),
    }
}

/// The time of the newest event of the tables, in ticks; none where no table has a time.
pub fn newest_event(database: &Database, options: &Options) -> Result<Option<i64>> {
    let context = options.context(wall_clock());
    pool::install(options.threads, || newest(database, &context, threads(options)))?
}

/// The time of the wall clock, in ticks.
pub fn wall_clock() -> i64 {
    let now = chrono::Utc::now();
    now.timestamp().saturating_mul(10_000_000).saturating_add(i64::from(now.timestamp_subsec_nanos() / 100))
}

pub(super) fn threads(options: &Options) -> usize {
    pool::threads(options.threads)
}

/// Runs a query inside the pool of its threads.
///
/// Errors: what is wrong with the query (QueryError), its data, a limit reached, a cancelled run. All have their
/// place in `source`.
pub fn query(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Answer> {
    let outcome = pool::install(options.threads, || run(source, database, options))?;
    outcome.map_err(|fault| placed(fault, &source.text).of(source))
}

/// A fault of the run at the literal that its message quotes; what the whole text lacks, at its end.
pub(super) fn placed(fault: Fault, text: &str) -> Fault {
    let message = fault.message();
    let quoted = |literal: &kql::lex::Literal| message.contains(&format!("`{}`", literal.text));
    if let Some(literal) = kql::lex::literals(text).find(quoted) {
        return fault.at(literal.span);
    }
    let lacks_a_result = fault.diagnostics().iter().any(|d| d.code == "KS110");
    if lacks_a_result { fault.at(Span::new(text.len(), text.len())) } else { fault }
}

fn run(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Answer> {
    let (tree, mut diagnostics) = kql::parse(&source.text);
    if is_wrong(&diagnostics) {
        return Err(refused(diagnostics));
    }
    let now = moment(options.now, database, options)?;
    let context = options.context(now).with_places(database.places()).with_lists(database.lists());
    let settings = bind::Settings { now, context: &context, scope: options.scope, open_tables: false };
    let mut answers = bind::Answers::default();
    let mut problems = Vec::new();
    loop {
        context.check()?;
        match bind::step(&tree, database, &settings, &answers) {
            bind::Step::Done(bound) => {
                diagnostics.extend(bound.diagnostics.iter().cloned());
                return finish(bound, diagnostics, problems, &context, options);
            }
            bind::Step::Need { bound, .. } if bound.failed() => return Err(refused(bound.diagnostics)),
            bind::Step::Need { key, node, bound } => {
                let found = execute(&bound.plan, &[node], &context, options)?;
                problems.extend(found.problems);
                let table = found.tables.into_iter().next();
                let table = table.ok_or_else(|| Fault::internal("a part of the query gave no table"))?;
                // Binding asks for a part only until it has the answer: the same part twice would go on forever.
                if answers.insert(key, table).is_some() {
                    return Err(Fault::internal("the columns of a part of the query cannot be settled"));
                }
            }
        }
    }
}

fn finish(
    bound: bind::Bound,
    diagnostics: Vec<Diagnostic>,
    mut problems: Vec<Problem>,
    context: &Context,
    options: &Options,
) -> Result<Answer> {
    if bound.failed() {
        return Err(refused(diagnostics));
    }
    let roots: Vec<NodeId> = bound.results.iter().map(|(root, _)| *root).collect();
    let run = execute(&bound.plan, &roots, context, options)?;
    let steps = match roots.first() {
        Some(root) if options.trace => steps::listing(&bound.plan, *root, &|id| run.profile.rows(id)),
        _ => String::new(),
    };
    problems.extend(run.problems);
    Ok(Answer {
        explain: explained(&bound.plan, &roots, &run.profile),
        steps,
        seen: seen(&bound.plan, &run.profile, options.trace),
        tables: run.tables,
        charts: bound.results.into_iter().map(|(_, chart)| chart).collect(),
        problems: merged(problems),
        warnings: diagnostics,
    })
}

/// The rows that left the windows of a scope. Without a trace a later filter may have been merged into a window and
/// have left none: then those read for it, of which sources leave out what they know to lie outside.
pub(super) fn seen(plan: &Plan, profile: &exec::Profile, traced: bool) -> Option<u64> {
    let ids = (0..plan.len()).map(|at| NodeId(at as u32));
    let windows = ids.filter(|id| matches!(plan.node(*id), Node::Window { .. }));
    let read = |id: NodeId| plan.node(id).inputs().first().and_then(|input| profile.rows(*input));
    let left = |id: NodeId| profile.rows(id).filter(|n| traced || *n > 0).or_else(|| read(id)).unwrap_or(0);
    windows.map(left).reduce(u64::saturating_add)
}

pub(super) fn execute(plan: &Plan, roots: &[NodeId], context: &Context, options: &Options) -> Result<exec::Run> {
    exec::run(plan, roots, context, &exec::Options { threads: threads(options), trace: options.trace })
}

pub(super) fn explained(plan: &Plan, roots: &[NodeId], profile: &exec::Profile) -> String {
    let note = |id: NodeId| match (profile.rows(id), profile.time(id)) {
        (Some(rows), Some(time)) => format!("  [{rows} rows, {:.3} ms]", time.as_secs_f64() * 1e3),
        (Some(rows), None) => format!("  [{rows} rows]"),
        _ => String::new(),
    };
    roots.iter().map(|root| explain(plan, *root, &note)).collect::<Vec<_>>().join("\n")
}

/// A file that is read more than once in a run has the same bad rows each time.
pub(super) fn merged(problems: Vec<Problem>) -> Vec<Problem> {
    let mut kept: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        if !kept.contains(&problem) {
            kept.push(problem);
        }
    }
    kept
}

pub(super) fn is_wrong(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// The error of a query that is not run. Its kind is that of the first error: opening a table may have failed.
pub(super) fn refused(mut diagnostics: Vec<Diagnostic>) -> Fault {
    diagnostics.retain(|d| d.severity == Severity::Error);
    let code = diagnostics.first().map_or("", |d| &d.code);
    let kind = match code {
        "HP301" => FaultKind::Cancelled,
        "HP300" => FaultKind::Limit,
        code if code.starts_with("HP4") => FaultKind::Data,
        code if code.starts_with("HP9") => FaultKind::Internal,
        _ => FaultKind::Query,
    };
    Fault::new(kind, diagnostics)
}

/// Whether what the binder says only follows from what the parser has said: that a query without its broken statement
/// has no result, or that a broken literal is none.
fn follows(said: &Diagnostic, parsed: &[Diagnostic]) -> bool {
    let start = |d: &Diagnostic| d.span.map(|span| span.start);
    is_wrong(parsed) && (said.code == "KS110" || parsed.iter().any(|d| d.span.is_some() && start(d) == start(said)))
}

/// Checks a query over no rows: tables without a schema are open.
pub fn check(source: &Arc<Source>, database: &Database) -> Result<Check> {
    pool::install(Some(1), || {
        let (tree, mut diagnostics) = kql::parse(&source.text);
        let now = wall_clock();
        let context = Options::default().context(now);
        let settings = bind::Settings { now, context: &context, scope: None, open_tables: true };
        let bound = bind::bind(&tree, database, &settings);
        let follows = |said: &Diagnostic| follows(said, &diagnostics);
        let rest: Vec<Diagnostic> = bound.diagnostics.into_iter().filter(|said| !follows(said)).collect();
        diagnostics.extend(rest);
        let first = bound.results.first().map(|(root, _)| bound.plan.schema(*root));
        let columns = first.map_or(Vec::new(), |s| s.columns().iter().map(|(n, k)| (n.to_string(), *k)).collect());
        let unknown = bound.unknown.iter().map(|name| name.to_string()).collect();
        Check { diagnostics, columns, unknown, tables: bound.tables, open: bound.open }
    })
}
