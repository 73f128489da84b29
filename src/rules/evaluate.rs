//! Evaluates a pack's rules over a database: each once at one moment, over its query period.
use super::entity;
use super::load::Pack;
use super::risk_index;
use super::rule::{Choice, Language, Rule};
use super::run::Runs;
use crate::diagnostic::{Fault, FaultKind, Result};
use crate::engine::{self, Answer, Database, Now, Options};
use crate::types::{Table, datetime, timespan};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Rows that are soon read once more; larger tables know the times of their blocks.
const FEW: u64 = 32_768;

/// What is said of searches over events that do not tell where they come from.
const SAYS_NOTHING: &str = "HP512";

/// A rule whose query could not be run.
#[derive(Clone, Debug)]
pub struct Failure {
    pub rule: String,
    pub path: String,
    pub error: Fault,
}

/// What a run of a pack found; it keeps what it ran over, so that it can say why a rule is silent.
pub struct Hits {
    pub runs: Runs,
    /// The rows of each rule's query, by [`Rule::key`], in the order of the rules.
    pub results: Vec<(String, Table)>,
    pub failures: Vec<Failure>,
    /// What a reader should know of the run: periods without any event.
    pub notes: Vec<String>,
    /// The moment at which the rules ran, in ticks.
    pub now: i64,
    /// The newest event, where a rule saw none at all.
    newest: Option<i64>,
    /// How often each rule that saw no event would have looked back, by key.
    unseen: HashMap<String, i64>,
    rules: Arc<Pack>,
    database: Database,
    options: Options,
    known: Known,
}

/// What the queries of rules gave elsewhere, by [`Rule::key`].
pub type Known = HashMap<String, Result<Answer>>;

/// Runs every rule of a pack at `options.now`, but for those whose answers are `known`. Rules that look at risk events
/// come last, and see what the others raised. A rule that fails stands among the failures; with `strict` the first
/// such error is returned. `progress` hears of rules done, of their number, and the name of the one that comes.
///
/// Errors: a cancelled run; tables that cannot be read for `now="latest"`.
pub fn evaluate(
    rules: Arc<Pack>,
    database: Database,
    options: Options,
    known: Known,
    strict: bool,
    progress: &dyn Fn(usize, usize, &str),
) -> Result<Hits> {
    let now = engine::moment(options.now, &database, &options)?;
    let mut hits = Hits {
        runs: Runs::default(),
        results: Vec::new(),
        failures: Vec::new(),
        notes: Vec::new(),
        now,
        newest: None,
        unseen: HashMap::new(),
        rules: rules.clone(),
        database,
        options: Options { now: Now::At(now), ..options },
        known,
    };
    let places = 0..rules.rules.len();
    let (last, first): (Vec<usize>, Vec<usize>) = places.partition(|at| risk_index::is_read_by(&rules.rules[*at]));
    let mut ran = Vec::new();
    for (done, at) in first.iter().chain(&last).enumerate() {
        let rule = &rules.rules[*at];
        progress(done, rules.rules.len(), &rule.name);
        if last.first() == Some(at) {
            hits.database.set_risk(risk_index::events(&hits.runs.raised().risk_table()));
        }
        match hits.run_rule(rule) {
            Ok(()) => ran.push(*at),
            Err(error) if strict || error.kind() == FaultKind::Cancelled => return Err(error),
            Err(error) => hits.failures.push(Failure { rule: rule.name.clone(), path: rule.path.clone(), error }),
        }
    }
    progress(rules.rules.len(), rules.rules.len(), "");
    let mut results: Vec<_> = ran.into_iter().zip(std::mem::take(&mut hits.results)).collect();
    results.sort_by_key(|(at, _)| *at);
    hits.results = results.into_iter().map(|(_, result)| result).collect();
    hits.note_silence()?;
    Ok(hits)
}

impl Hits {
    /// A panic in one rule is that rule's internal error.
    fn run_rule(&mut self, rule: &Rule) -> Result<()> {
        let work = AssertUnwindSafe(|| self.take(rule));
        let broken = || Fault::internal(format!("the rule `{}` could not be run to its end", rule.name));
        catch_unwind(work).unwrap_or_else(|_| Err(broken().of(&rule.query_source)))
    }

    fn take(&mut self, rule: &Rule) -> Result<()> {
        let answer = self.answer(rule, false)?;
        for said in answer.warnings.iter().filter(|said| said.code == SAYS_NOTHING && rule.language == Language::Spl) {
            let note = said.help.iter().fold(said.message.clone(), |note, help| format!("{note}; {help}"));
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        self.note_unknown_entities(rule);
        let table = answer.tables.into_iter().next().unwrap_or_default().with_problems(answer.problems);
        self.runs.take(rule, &table, self.now);
        if table.rows() == 0 && self.saw_nothing(rule, answer.seen)? {
            self.unseen.insert(rule.key().to_owned(), rule.query_period);
        }
        self.results.push((rule.key().to_owned(), table));
        Ok(())
    }

    /// Says which entities of the rule's alerts are missing, as nobody knows their type.
    fn note_unknown_entities(&mut self, rule: &Rule) {
        let unknown = rule.mapped_entities().into_iter().filter(|mapping| entity::kind(&mapping.entity_type).is_none());
        self.notes.extend(unknown.map(|mapping| {
            format!(
                "the rule `{}` maps the unknown entity type `{}`: its alerts go without",
                rule.name, mapping.entity_type
            )
        }));
    }

    /// Whether no event lies in the rule's period. What an untraced run says of few rows is made certain.
    fn saw_nothing(&self, rule: &Rule, seen: Option<u64>) -> Result<bool> {
        match seen {
            Some(1..FEW) => Ok(self.answer(rule, true)?.seen == Some(0)),
            seen => Ok(seen == Some(0)),
        }
    }

    fn answer(&self, rule: &Rule, trace: bool) -> Result<Answer> {
        if let Some(known) = self.known.get(rule.key()) {
            return known.clone();
        }
        match rule.language {
            Language::Kql => {
                let scope = Some((self.now.saturating_sub(rule.query_period), self.now));
                let options = Options { scope, trace, ..self.options.clone() };
                engine::query(&rule.query_source, &self.database, &options)
            }
            // A search sees all events: how far apart its runs are, it does not tell.
            Language::Spl => {
                self.database.show_risk(risk_index::is_read_by(rule));
                let options = Options { trace, ..self.options.clone() };
                engine::search(&rule.query_source, &self.database, &options)
            }
        }
    }

    /// Rules that saw no event at all are silent for no good reason: says when the newest event was.
    fn note_silence(&mut self) -> Result<()> {
        let Some(longest) = self.unseen.values().max() else { return Ok(()) };
        let rules = match self.unseen.len() {
            1 => "1 rule".to_owned(),
            n => format!("{n} rules"),
        };
        let period = timespan::format(*longest);
        self.newest = engine::newest_event(&self.database, &self.options)?;
        let said = match self.newest {
            Some(newest) => format!("{rules} saw no event {}", self.window_hint(*longest, newest)),
            None => format!("{rules} saw no event in the {period} before {}", datetime::format(self.now)),
        };
        self.notes.push(said);
        Ok(())
    }

    fn window_hint(&self, period: i64, newest: i64) -> String {
        let (now, newest) = (datetime::format(self.now), datetime::format(newest));
        let period = timespan::format(period);
        format!("in the {period} before {now}: the newest event is of {newest}; now=\"latest\" runs the rules there")
    }

    /// The rows after each step of a rule, and the step that emptied it.
    ///
    /// Errors: no or several such rules; the error of the rule's query.
    pub fn why(&self, name: &str) -> Result<String> {
        let rule = self.rules.rule(name)?;
        if let Some(failure) = self.failures.iter().find(|f| f.rule == rule.name && f.path == rule.path) {
            return Err(failure.error.clone());
        }
        let mut out = String::new();
        if let (Some(period), Some(newest)) = (self.unseen.get(rule.key()), self.newest) {
            out.push_str(&format!("No event lies {}\n\n", self.window_hint(*period, newest)));
        }
        let answer = self.answer(rule, true)?;
        out.push_str(&answer.steps);
        let rows = answer.tables.first().map_or(0, Table::rows);
        if rows > 0 && !rule.trigger_operator.holds(rows, rule.trigger_threshold) {
            let (operator, threshold) = (rule.trigger_operator.name(), rule.trigger_threshold);
            out.push_str(&format!("The trigger does not hold: {rows} rows {operator} {threshold}\n"));
        }
        Ok(out)
    }
}
