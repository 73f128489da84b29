//! Commands to a plan: the state of a lowering, and what all commands share.
mod aggregates;
pub mod build;
mod event_types;
mod events;
mod expressions;
mod forms;
mod order;
mod rows;
mod subsearch;
mod terms;
mod times;

pub use aggregates::{Aggregated, Aggregation};
pub use event_types::search_condition;
pub use expressions::{condition_of, expression};
pub use forms::{FORMS, Form};
pub use rows::{Rows, Survey, plain_columns};
pub use times::moment;

use super::ast::{Command, Search};
use super::commands::{self, Lowers};
use super::expand::{self, Script};
use super::parse;
use crate::diagnostic::{Diagnostic, Fault, Severity, Span, closest};
use crate::functions::Context;
use crate::plan::{Catalog, NodeId, Plan};
use crate::types::{Name, Schema, Table};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Nodes that a plan may have.
const MAX_NODES: usize = 20_000;
/// How deep searches in searches may nest.
const MAX_DEPTH: usize = 256;

/// What lowering depends on besides the search.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The clock, the time zone, and limits; for folding too.
    pub context: &'a Context,
    /// Where the search says nothing else, only events of this time and later ones are seen; ticks of 100 ns.
    pub earliest: Option<i64>,
    /// Only events before this time.
    pub latest: Option<i64>,
}

/// A search as a plan.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The root of the result; none where there is an error.
    pub root: Option<NodeId>,
    pub plan: Plan,
    pub diagnostics: Vec<Diagnostic>,
    /// The tables read, in order of first sight.
    pub tables: Vec<String>,
    /// Whether some columns are known to the data alone.
    pub open: bool,
}

impl Lowered {
    /// Whether there is an error among the diagnostics.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Tells the parts of a search apart whose rows must be known first: the place, and how many parts of that place were
/// lowered before.
pub type Key = (u32, u32);

/// The rows of the parts that were asked for, by key.
pub type Answers = HashMap<Key, Table>;

/// Lowered, or a part that must be run first.
#[derive(Debug)]
pub enum Step {
    Done(Lowered),
    /// The plan under `node` must be run; lowering again with its rows under `key` among the answers goes further.
    Need {
        key: Key,
        node: NodeId,
        lowered: Lowered,
    },
}

/// Commands that ask for each field by its name, or say that they want all.
const ASK_BY_NAME: [&str; 15] = [
    "search", "where", "eval", "stats", "fields", "table", "rename", "rex", "regex", "bin", "bucket", "fillnull",
    "sort", "head", "convert",
];

/// Lowers a search up to the first part that must be run before. Without answers nothing will be run: columns that
/// depend on data stay open.
pub fn step(text: &str, catalog: &dyn Catalog, settings: &Settings, answers: Option<&Answers>) -> Step {
    let mut lowering = Lowering::new(catalog, settings, answers);
    if answers.is_some() {
        lowering.wanted = wanted(text, catalog, settings);
    }
    let root = lowering.text(text).map(|rows| order::settle(&mut lowering.plan, rows.node));
    let need = lowering.need.map(|(key, node)| (key, order::settle(&mut lowering.plan, node)));
    let lowered = Lowered {
        root,
        plan: lowering.plan,
        diagnostics: lowering.diagnostics,
        tables: lowering.tables,
        open: lowering.open,
    };
    match need {
        Some((key, node)) => Step::Need { key, node, lowered },
        None => Step::Done(lowered),
    }
}

/// The fields that a search wants of the events, found by a first reading over none; none where any may count.
fn wanted(text: &str, catalog: &dyn Catalog, settings: &Settings) -> Option<Vec<Name>> {
    let mut lowering = Lowering::new(catalog, settings, None);
    let rows = lowering.text(text)?;
    if rows.open { None } else { lowering.survey.names() }
}

/// Why a part could not be lowered.
#[derive(Clone, Debug)]
pub enum Halt {
    Said(Box<Diagnostic>),
    /// Something must be run first.
    Need,
}

impl From<Diagnostic> for Halt {
    fn from(said: Diagnostic) -> Halt {
        Halt::Said(Box::new(said))
    }
}

pub type Lower<T> = Result<T, Halt>;

/// The state of a lowering.
pub struct Lowering<'a> {
    pub catalog: &'a dyn Catalog,
    pub settings: &'a Settings<'a>,
    /// None where nothing will run.
    answers: Option<&'a Answers>,
    pub plan: Plan,
    diagnostics: Vec<Diagnostic>,
    pub(super) tables: Vec<String>,
    open: bool,
    /// Notes what is asked of the events where nothing will run.
    pub(super) survey: Rc<Survey>,
    /// The fields of the events that count; none for all.
    pub(super) wanted: Option<Vec<Name>>,
    need: Option<(Key, NodeId)>,
    /// What stands between the values of a field where they become one text, as commands before have said.
    pub(super) delimiters: HashMap<Name, String>,
    instances: HashMap<u32, u32>,
    hidden: usize,
    depth: usize,
}

impl<'a> Lowering<'a> {
    fn new(catalog: &'a dyn Catalog, settings: &'a Settings<'a>, answers: Option<&'a Answers>) -> Self {
        Lowering {
            catalog,
            settings,
            answers,
            plan: Plan::default(),
            diagnostics: Vec::new(),
            tables: Vec::new(),
            open: false,
            survey: Rc::default(),
            wanted: None,
            need: None,
            delimiters: HashMap::new(),
            instances: HashMap::new(),
            hidden: 0,
            depth: 0,
        }
    }

    /// Lowers the text of a whole search; none where something is wrong or must be run first.
    fn text(&mut self, text: &str) -> Option<Rows> {
        if u32::try_from(text.len()).is_err() {
            self.diagnostics.push(Diagnostic::error("HP300", "the search is longer than 4 GB"));
            return None;
        }
        let context = self.settings.context;
        let evaluate = |text: &str| expressions::constant_text(text, context);
        let script = match expand::expand(text, self.catalog, &evaluate) {
            Ok(script) => script,
            Err(said) => {
                self.diagnostics.extend(said);
                return None;
            }
        };
        let rows = self.parsed(&script).and_then(|search| self.search(&search, None));
        match rows {
            Ok(rows) => Some(rows),
            Err(Halt::Said(said)) => {
                self.diagnostics.push(*said);
                None
            }
            Err(Halt::Need) => None,
        }
    }

    /// A text with its macros written out.
    pub fn without_macros(&self, text: &str, span: Span) -> Lower<String> {
        let context = self.settings.context;
        let evaluate = |text: &str| expressions::constant_text(text, context);
        match expand::expand(text, self.catalog, &evaluate) {
            Ok(script) => Ok(script.text().to_owned()),
            Err(all) => {
                let first = all.into_iter().next().unwrap_or_else(|| Diagnostic::error("HP503", "a macro is wrong"));
                Err(first.at(span).into())
            }
        }
    }

    /// The commands of a script.
    pub fn parsed(&self, script: &Arc<Script>) -> Lower<Search> {
        Ok(parse::parse(script, |name| commands::find(name).is_some())?)
    }

    /// The rows of a search; `input` are those of the command around it.
    pub fn search(&mut self, search: &Search, input: Option<Rows>) -> Lower<Rows> {
        if self.depth >= MAX_DEPTH {
            let said = Diagnostic::error("HP302", format!("searches nest more than {MAX_DEPTH} levels deep"));
            return Err(said.at(search.span).into());
        }
        self.depth += 1;
        let rows = self.commands(&search.commands, input);
        self.depth -= 1;
        rows
    }

    fn commands(&mut self, commands: &[Command], input: Option<Rows>) -> Lower<Rows> {
        let mut rows = input;
        for command in commands {
            self.settings.context.check().map_err(|fault| said(&fault, command.span))?;
            if self.plan.len() > MAX_NODES {
                let said = Diagnostic::error("HP310", "the search has too many steps");
                return Err(said.at(command.span).into());
            }
            let before = rows.clone();
            rows = Some(match self.command(command, rows) {
                Ok(rows) => rows,
                // What follows is lowered all the same, so that one reading finds several mistakes.
                Err(Halt::Said(said)) => {
                    self.diagnostics.push(*said);
                    before.unwrap_or_else(|| self.nothing().opened())
                }
                Err(Halt::Need) => return Err(Halt::Need),
            });
        }
        Ok(rows.unwrap_or_else(|| self.nothing()))
    }

    fn command(&mut self, command: &Command, input: Option<Rows>) -> Lower<Rows> {
        let name = &command.name;
        let Some(entry) = commands::find(&name.text) else { return Err(unknown_command(command).into()) };
        if !ASK_BY_NAME.contains(&entry.name) {
            input.iter().for_each(Rows::want_all);
        }
        match entry.lowers {
            Lowers::Either(lower) => lower(self, command, input),
            Lowers::Rows(lower) => match input {
                Some(rows) => lower(self, command, rows),
                // A search that begins so has no events.
                None => {
                    let rows = self.nothing();
                    lower(self, command, rows)
                }
            },
            Lowers::First(_) if input.is_some() => {
                let said =
                    Diagnostic::error("HP504", format!("`{}` makes rows: it comes first in a search", name.text));
                Err(said
                    .at(name.span)
                    .help(format!("put it in a search of its own: append [| {} …]", name.text))
                    .into())
            }
            Lowers::First(lower) => lower(self, command),
            Lowers::Elsewhere(needs) => {
                let said = Diagnostic::error("HP506", format!("`{}` cannot run here: it needs {needs}", name.text));
                Err(said.at(name.span).into())
            }
        }
    }

    pub fn warn(&mut self, said: Diagnostic) {
        if !self.diagnostics.contains(&said) {
            self.diagnostics.push(said);
        }
    }

    /// Whether the plan is for a run, not for a check.
    pub fn runs(&self) -> bool {
        self.answers.is_some()
    }

    /// The rows at hand: none in a check, where nothing runs.
    ///
    /// In a run that does not know them yet the lowering ends here, and begins anew when the rows are there. Rows of a
    /// [`crate::plan::Node::Values`] are known at once.
    pub fn seen(&mut self, rows: &Rows, span: Span) -> Lower<Option<Table>> {
        self.open = true;
        if let crate::plan::Node::Values(table) = self.plan.node(rows.node) {
            return Ok(Some(table.clone()));
        }
        let Some(answers) = self.answers else {
            self.survey.want_all();
            return Ok(None);
        };
        let instance = self.instances.entry(span.start).or_default();
        let key = (span.start, *instance);
        *instance += 1;
        match answers.get(&key) {
            Some(table) => Ok(Some(table.clone())),
            None => {
                self.need.get_or_insert((key, rows.node));
                Err(Halt::Need)
            }
        }
    }

    /// The same for a command that looks at no fields but those that are asked for later on.
    pub fn seen_some(&mut self, rows: &Rows, span: Span) -> Lower<Option<Table>> {
        match self.answers {
            None => Ok(None),
            Some(_) => self.seen(rows, span),
        }
    }

    /// A name that no search can write.
    pub fn hidden(&mut self, what: &str) -> Name {
        self.hidden += 1;
        format!("\u{1}{what}{}", self.hidden).into()
    }

    /// No rows, and no fields.
    pub fn nothing(&mut self) -> Rows {
        self.values(Table::from_rows(Schema::default(), &[]))
    }
}

/// A fault of the catalog or of a kernel, at the place that caused it.
pub fn said(fault: &Fault, span: Span) -> Halt {
    let first = fault.diagnostics().iter().find(|d| d.severity == Severity::Error);
    let mut said = first.cloned().unwrap_or_else(|| Diagnostic::error("HP900", fault.message()));
    said.span.get_or_insert(span);
    said.into()
}

fn unknown_command(command: &Command) -> Diagnostic {
    let name = &command.name;
    let said = Diagnostic::error("HP501", format!("there is no command `{}`", name.text)).at(name.span);
    match closest(&name.text, commands::names()) {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said,
    }
}
