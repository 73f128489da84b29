//! A KQL query over the events of a pipeline: how it is run is decided before the events come.
use super::app::{App, Settings};
use super::events::{EVENTS, Fields, Tables, is_rest};
use super::remote::Remote;
use super::reply::{Level, Reply, said};
use crate::diagnostic::{Diagnostic, Fault, Result, Severity, Source};
use crate::engine::{self, Data, Database, Functions, Held, Knowledge, Now, Options, Prepared};
use crate::exec;
use crate::functions::Lists;
use crate::plan::{Flow, NodeId, Passing, origin};
use crate::read::Header;
use crate::types::{Kind, Name, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A query and all that it reads besides the events.
pub struct Query {
    pub app: App,
    pub settings: Settings,
    pub source: Arc<Source>,
    pub options: Options,
    pub tables: Tables,
    functions: Functions,
    /// What searches in SPL name.
    pub knowledge: Option<Knowledge>,
    lists: Arc<dyn Lists>,
    /// The watchlists that the app has no lookup for.
    foreign: Arc<Foreign>,
}

/// Watchlists that the app has no lookup for.
#[derive(Default)]
struct Foreign {
    remote: Option<Remote>,
    /// What splunkd gave for each, or why it gave nothing.
    lists: Mutex<BTreeMap<String, std::result::Result<Data, String>>>,
}

impl Foreign {
    fn list(&self, alias: &str) -> Data {
        let Ok(mut lists) = self.lists.lock() else { return super::lookup::nothing() };
        let list = lists.entry(alias.to_owned()).or_insert_with(|| self.asked(alias));
        list.clone().unwrap_or_else(|_| super::lookup::nothing())
    }

    fn asked(&self, alias: &str) -> std::result::Result<Data, String> {
        let unknown =
            || format!("there is no watchlist `{alias}`: it counts as empty; add a lookup of that name to the app");
        let Some(remote) = &self.remote else { return Err(unknown()) };
        match remote.lookup(alias) {
            Ok(Some(table)) => Ok(Data::Table(Held::new(table).into())),
            Ok(None) => Err(unknown()),
            Err(fault) => Err(format!("{}; {}", unknown(), fault.message())),
        }
    }
}

/// How a query takes in the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It reads none.
    Apart,
    /// Each event by itself. A result that `keeps` has all fields of the event.
    Rows { keeps: bool },
    /// Into aggregates.
    Gathered,
    /// All at once.
    Whole,
}

/// What is known of a query before the events come.
#[derive(Clone, Debug)]
pub struct Outline {
    pub shape: Shape,
    /// The fields that it reads; none where it may read any.
    pub fields: Option<BTreeSet<String>>,
    /// What indexers can do of it.
    pub ahead: Ahead,
}

/// What can be done with events apart from each other, before all of them are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// All that the query does with them.
    States,
    /// The filters that they pass first.
    Filters,
    /// Nothing, for a reason.
    Nothing(String),
}

impl Query {
    /// `remote`: splunkd, for the search head alone.
    pub fn new(
        app: &App,
        source: Arc<Source>,
        table: Option<&str>,
        options: Options,
        remote: Option<Remote>,
    ) -> Result<Query> {
        let (settings, functions) = (app.settings()?, app.functions()?);
        let tables = Tables::new(app.mapping()?, table.map(str::to_owned), &source.text, &functions);
        let foreign = Arc::new(Foreign { remote, ..Foreign::default() });
        let lists = Arc::new(super::lookup::Folder::new(&settings.cache));
        Ok(Query { app: app.clone(), settings, source, options, tables, functions, knowledge: None, lists, foreign })
    }

    /// What the names of the query stand for; the tables are added by who knows them.
    pub fn database(&self) -> Database {
        let mut database = Database::default();
        database.set_functions(self.functions.clone());
        database.set_lists(self.lists.clone());
        self.knowledge.iter().for_each(|knowledge| database.set_knowledge(knowledge.clone()));
        let (app, foreign) = (self.app.clone(), self.foreign.clone());
        database.set_watchlist_resolver(Arc::new(move |alias: &str| match app.lookup(alias)? {
            Some(path) => engine::open_lookup(&path).map(|source| Some(Data::Source(source))),
            None => Ok(Some(foreign.list(alias))),
        }));
        database
    }

    /// Whether it reads lists that splunkd gave, which indexers do not have.
    pub fn asks_splunkd(&self) -> bool {
        self.foreign.lists.lock().is_ok_and(|lists| lists.values().any(std::result::Result::is_ok))
    }

    /// Binds the query over the events with these fields; none where only the data tell its columns.
    pub fn prepare(&self, fields: Fields) -> Result<Option<Prepared>> {
        self.prepare_other(&self.source, fields, &self.bind_options())
            .map_err(|fault| about_tables(fault, &self.tables))
    }

    /// The newest event is known when all events are; until then any time will do.
    fn bind_options(&self) -> Options {
        let now = if self.options.now == Now::Latest { Now::Wall } else { self.options.now };
        Options { now, ..self.options.clone() }
    }

    /// Binds another query over the same tables.
    pub fn prepare_other(&self, source: &Arc<Source>, fields: Fields, options: &Options) -> Result<Option<Prepared>> {
        let mut database = self.database();
        self.tables.add_to(&mut database, fields);
        engine::prepare(source, &database, options)
    }

    /// Binds a query before the events come: names that nothing else explains are those of fields.
    pub fn settled(&mut self, source: &Arc<Source>, options: &Options) -> Result<Option<Prepared>> {
        loop {
            match self.prepare_other(source, Fields::Unknown, options) {
                Err(fault) => {
                    let names: Vec<&str> = fault.diagnostics().iter().filter_map(unknown_column).collect();
                    let new = names.into_iter().filter(|name| self.tables.add_field(name)).count();
                    if new == 0 {
                        return Err(about_tables(fault, &self.tables));
                    }
                }
                bound => return bound,
            }
        }
    }

    /// Looks at the query before the events come.
    pub fn outline(&mut self) -> Result<Outline> {
        let Some(prepared) = self.settled(&self.source.clone(), &self.bind_options())? else {
            let reason = "its columns are known to the events alone".to_owned();
            return Ok(Outline { shape: Shape::Whole, fields: None, ahead: Ahead::Nothing(reason) });
        };
        let Some(root) = prepared.root() else {
            let reason = "it has several results".to_owned();
            return Ok(Outline { shape: Shape::Whole, fields: None, ahead: Ahead::Nothing(reason) });
        };
        let flow = prepared.flow(root);
        let plan = &prepared.plan;
        let keeps = plan.schema(root).names().any(|name| origin(plan, root, name).is_some_and(|own| is_rest(&own)));
        let shape = match &flow {
            Flow::Apart => Shape::Apart,
            Flow::Rows => Shape::Rows { keeps },
            Flow::Gathered(_) => Shape::Gathered,
            Flow::Whole(_) => Shape::Whole,
        };
        let keeps = shape == Shape::Rows { keeps: true };
        let is_kept = |name: &Name| keeps && origin(plan, root, name).as_ref() == Some(name);
        let reads = exec::streams_read(plan, root, |name| !is_kept(name));
        let fields = self.fields_of(&reads).filter(|_| !keeps || reads.iter().all(|(table, _)| **table == *EVENTS));
        let ahead = match self.asks_splunkd() {
            true => Ahead::Nothing("it reads a lookup that the app does not hold".to_owned()),
            false => ahead(&prepared, root, &flow, fields.is_some())?,
        };
        if self.options.now == Now::Latest && shape != Shape::Apart {
            let reason = "the newest event is known when all events are".to_owned();
            return Ok(Outline { shape: Shape::Whole, fields, ahead: Ahead::Nothing(reason) });
        }
        Ok(Outline { shape, fields, ahead })
    }

    fn fields_of(&self, reads: &[(Name, Vec<(Name, Kind)>)]) -> Option<BTreeSet<String>> {
        let mut each = reads.iter().map(|(table, columns)| self.tables.fields_of(table, columns));
        each.try_fold(BTreeSet::new(), |mut all, fields| {
            all.extend(fields?);
            Some(all)
        })
    }

    /// The query bound for the events of a header.
    pub fn bind(&self, header: &Header) -> Result<Option<Prepared>> {
        self.prepare(Fields::Of(header))
    }

    /// Says which fields a query reads that no event has.
    pub fn report_lacking(&self, header: &Header, reply: &mut Reply) {
        for field in self.tables.lacking(header) {
            reply.say(Level::Warn, format!("no event has the field `{field}`: it counts as empty"));
        }
    }

    /// Says which rows of watchlists could not be used.
    pub fn report_bad_rows(&self, problems: &[Problem], reply: &mut Reply) {
        for Problem { file, line, reason, count } in problems {
            let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
            let place = if *line > 0 { format!("{file}, line {line}") } else { file.to_owned() };
            let rows = if *count > 1 { format!(" ({count} such rows)") } else { String::new() };
            reply.say(Level::Warn, format!("{place}: {reason}{rows}"));
        }
    }

    /// Says what an analyst should know of the query.
    pub fn report(&self, warnings: &[Diagnostic], reply: &mut Reply) {
        for warning in warnings.iter().filter(|warning| warning.severity != Severity::Error) {
            let level = if warning.severity == Severity::Warning { Level::Warn } else { Level::Info };
            reply.say(level, said(warning, Some(&self.source)));
        }
        if let Ok(lists) = self.foreign.lists.lock() {
            lists.values().filter_map(|list| list.as_ref().err()).for_each(|reason| reply.say(Level::Warn, reason));
        }
        self.settings.unknown.iter().for_each(|unknown| reply.say(Level::Warn, unknown));
        for problem in self.tables.mapping.problems() {
            reply.say(Level::Warn, format!("huntpack_tables.conf: {problem}"));
        }
    }
}

/// What indexers can do of a result. `known`: the fields that it reads are.
pub fn ahead(prepared: &Prepared, root: NodeId, flow: &Flow, known: bool) -> Result<Ahead> {
    let reason = match flow {
        Flow::Gathered(nodes) if !known => format!("{} reads all fields of the events", named(prepared, nodes)),
        Flow::Gathered(nodes) if exec::travels(&prepared.plan, nodes)? => return Ok(Ahead::States),
        Flow::Gathered(nodes) => format!("{} has no form in which it travels", named(prepared, nodes)),
        Flow::Whole(node) => format!("{} needs all events at once", named(prepared, &[*node])),
        Flow::Apart | Flow::Rows => return Ok(Ahead::Nothing(String::new())),
    };
    Ok(match Passing::new(&prepared.plan).first_filters(root) {
        Some(_) => Ahead::Filters,
        None => Ahead::Nothing(reason),
    })
}

fn named(prepared: &Prepared, nodes: &[NodeId]) -> String {
    let line = nodes.first().map(|node| crate::plan::describe(&prepared.plan, *node)).unwrap_or_default();
    let short: String = line.chars().take(80).collect();
    format!("`{short}`")
}

/// The name that an error says is that of no column.
fn unknown_column(said: &Diagnostic) -> Option<&str> {
    let rest = said.message.strip_prefix("The name '").filter(|_| said.code == "KS142")?;
    rest.rsplit_once("' does not refer").map(|(name, _)| name)
}

/// An unknown table, as an analyst in Splunk can name one.
fn about_tables(fault: Fault, tables: &Tables) -> Fault {
    let unknown =
        |said: &&Diagnostic| said.code == "KS204" && said.help.as_deref().is_none_or(|help| help.starts_with("tables"));
    if fault.diagnostics().iter().find(|said| said.severity == Severity::Error).filter(unknown).is_none() {
        return fault;
    }
    let known: BTreeSet<&str> = tables.mapping.tables().collect();
    let known: Vec<&str> = known.into_iter().collect();
    fault.help(format!(
        "`{EVENTS}` names the events of the pipeline, table=<name> gives them another name; mapped by sourcetype: {}",
        known.join(", ")
    ))
}
