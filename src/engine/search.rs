//! One SPL search: lowered, run in steps where only data tell the fields, and what a check finds without running.
use super::query::{execute, explained, is_wrong, merged, refused, seen, wall_clock};
use super::{Answer, Check, Database, Options, moment, pool, steps};
use crate::diagnostic::{Fault, Result, Source};
use crate::functions::Context;
use crate::spl::{self, Answers, Lowered, Settings, Step};
use crate::types::{Problem, Table, field};
use std::sync::Arc;

/// Runs a search inside the pool of its threads.
///
/// Errors: what is wrong with the search (QueryError), its data, a limit reached, a cancelled run. All have their
/// place in `source`.
pub fn search(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Answer> {
    let outcome = pool::install(options.threads, || run(source, database, options))?;
    outcome.map_err(|fault| fault.of(source))
}

fn run(source: &Arc<Source>, database: &Database, options: &Options) -> Result<Answer> {
    let context = options.context(moment(options.now, database, options)?).with_places(database.places());
    let bound = |text: &Option<String>| text.as_deref().map_or(Ok(None), |text| spl::moment(text, &context));
    let settings = Settings { context: &context, earliest: bound(&options.earliest)?, latest: bound(&options.latest)? };
    let mut answers = Answers::default();
    let mut problems = Vec::new();
    loop {
        context.check()?;
        match spl::step(&source.text, database, &settings, Some(&answers)) {
            Step::Done(lowered) => return finish(lowered, problems, &context, options),
            Step::Need { lowered, .. } if lowered.failed() => return Err(refused(lowered.diagnostics)),
            Step::Need { key, node, lowered } => {
                let found = execute(&lowered.plan, &[node], &context, options)?;
                problems.extend(found.problems);
                let table = found.tables.into_iter().next();
                let table = table.ok_or_else(|| Fault::internal("a part of the search gave no table"))?;
                // Lowering asks for a part only until it has the answer: the same part twice would go on forever.
                if answers.insert(key, table).is_some() {
                    return Err(Fault::internal("the fields of a part of the search cannot be settled"));
                }
            }
        }
    }
}

fn finish(lowered: Lowered, mut problems: Vec<Problem>, context: &Context, options: &Options) -> Result<Answer> {
    let root = match lowered.root {
        Some(root) if !is_wrong(&lowered.diagnostics) => root,
        _ => return Err(refused(lowered.diagnostics)),
    };
    let run = execute(&lowered.plan, &[root], context, options)?;
    problems.extend(run.problems);
    let steps = match options.trace {
        true => steps::listing(&lowered.plan, root, &|id| run.profile.rows(id)),
        false => String::new(),
    };
    let tables: Vec<Table> = run.tables.iter().map(field::settle).collect();
    Ok(Answer {
        explain: explained(&lowered.plan, &[root], &run.profile),
        steps,
        seen: seen(&lowered.plan, &run.profile, options.trace),
        charts: tables.iter().map(|_| None).collect(),
        tables,
        problems: merged(problems),
        warnings: lowered.diagnostics,
    })
}

/// Checks a search over no rows: fields that only data tell are left open.
pub fn check_search(source: &Arc<Source>, database: &Database) -> Result<Check> {
    pool::install(Some(1), || {
        let context = Options::default().context(wall_clock());
        let settings = Settings { context: &context, earliest: None, latest: None };
        let lowered = match spl::step(&source.text, database, &settings, None) {
            Step::Done(lowered) | Step::Need { lowered, .. } => lowered,
        };
        let schema = lowered.root.map(|root| lowered.plan.schema(root).clone()).unwrap_or_default();
        let columns = schema.columns().iter().map(|(name, kind)| (name.to_string(), *kind)).collect();
        Check {
            diagnostics: lowered.diagnostics,
            columns,
            unknown: Vec::new(),
            tables: lowered.tables,
            open: lowered.open,
        }
    })
}
