//! The command `kql`: one query over the events of the pipeline.
use super::app::App;
use super::arguments::{Arguments, Known};
use super::chunks::Chunks;
use super::events::Fields;
use super::info::Info;
use super::map::{self, Aggregates};
use super::order::PLACE;
use super::query::{Ahead, Outline, Query, Shape};
use super::remote::Remote;
use super::reply::{Level, Reply};
use super::states::STATE;
use super::{gather, rows, whole};
use crate::diagnostic::{Fault, Result, Source};
use crate::engine::{Now, Options};
use crate::read::Header;
use crate::types::datetime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const OPTIONS: &[Known] = &[
    Known { name: "query", takes: "\"a query\" or @name" },
    Known { name: "table", takes: "a table's name" },
    Known { name: "now", takes: "latest, wall or a time" },
    Known { name: "map", takes: "true or false" },
];

/// What the search head writes into the part of a search that indexers run.
const INTERNAL: &[Known] = &[Known { name: "phase", takes: "" }, Known { name: "encoded", takes: "" }];

/// Which part of a query this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// All of it, or what indexers have left of it.
    Head,
    /// The states of its aggregates.
    States,
    /// The filters that events pass first.
    Filters,
}

/// The command, ready to run.
pub struct Kql {
    query: Query,
    outline: Outline,
    phase: Phase,
    /// Whether indexers shall do what they can.
    maps: bool,
    /// Whether nothing comes before the command in its search.
    first: bool,
    table: Option<String>,
}

impl Kql {
    pub fn new(app: &App, info: &Info, remote: Option<Remote>, cancel: Arc<AtomicBool>) -> Result<Kql> {
        let known: Vec<Known> = OPTIONS.iter().chain(INTERNAL).copied().collect();
        let arguments = Arguments::read("kql", &info.arguments, &known).map_err(without_internal)?;
        let settings = app.settings()?;
        let now = super::now(arguments.get("now"), info)?;
        let (limits, threads) = (settings.limits, Some(settings.threads));
        let options = Options { now, limits, threads, cancel, ..Options::default() };
        let table = arguments.get("table").map(str::to_owned);
        let phase = match arguments.one_of("phase", &["states", "filters"])? {
            Some("states") => Phase::States,
            Some(_) => Phase::Filters,
            None => Phase::Head,
        };
        let remote = remote.filter(|_| phase == Phase::Head);
        let mut query = Query::new(app, source(app, &arguments)?, table.as_deref(), options, remote)?;
        let outline = query.outline()?;
        let maps = arguments.truth("map")?.unwrap_or(settings.map_reduce);
        Ok(Kql { query, outline, phase, maps, first: info.begins_with("kql"), table })
    }

    /// The answer to `getinfo`.
    pub fn describe(&self) -> Reply {
        let mut reply = Reply::default();
        let fields = self.outline.fields.as_ref();
        match (&self.outline.shape, self.phase) {
            (_, Phase::States) => reply.set("type", "streaming"),
            (_, Phase::Filters) => super::rules::describe_filters(fields, &mut reply),
            (Shape::Apart, _) if self.first => {
                reply.set("type", "stateful");
                reply.set("generating", true);
            }
            (Shape::Rows { keeps }, _) => {
                // Lists that splunkd gives are there on the search head alone.
                reply.set("type", if self.query.asks_splunkd() { "stateful" } else { "streaming" });
                if let Some(fields) = fields.filter(|fields| *keeps && !fields.is_empty()) {
                    reply.set("required_fields", fields.iter().cloned().collect::<Vec<_>>());
                }
            }
            _ => self.describe_reporting(&mut reply),
        }
        reply
    }

    fn describe_reporting(&self, reply: &mut Reply) {
        reply.set("type", "reporting");
        let mut fields: Vec<String> = match &self.outline.fields {
            Some(fields) => fields.iter().cloned().collect(),
            None => vec!["*".to_owned()],
        };
        let mut add = |field: &str| {
            if !fields.iter().any(|known| known == field) {
                fields.push(field.to_owned());
            }
        };
        // The time of an event tells its place among those of other indexers.
        if self.outline.fields.is_some() {
            add("_time");
        }
        match &self.outline.ahead {
            Ahead::States if self.maps => {
                add(STATE);
                reply.set("streaming_preop", self.ahead("states"));
            }
            Ahead::Filters if self.maps => {
                add(PLACE);
                reply.set("streaming_preop", self.ahead("filters"));
            }
            Ahead::Nothing(reason) if self.maps && !reason.is_empty() => {
                reply.say(Level::Info, format!("the query runs on the search head alone: {reason}"));
            }
            _ => {}
        }
        reply.set("required_fields", fields);
    }

    /// What indexers run: the same query with the same time, and no text that a search could read otherwise.
    fn ahead(&self, phase: &str) -> String {
        let mut text = format!("kql phase={phase} encoded=\"{}\"", BASE64.encode(&self.query.source.text));
        if let Now::At(ticks) = self.query.options.now {
            text.push_str(&format!(" now=\"{}\"", datetime::format(ticks)));
        }
        if let Some(table) = &self.table {
            text.push_str(&format!(" table=\"{}\"", table.replace('\\', "\\\\").replace('"', "\\\"")));
        }
        text
    }

    pub fn run(&self, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
        let query = &self.query;
        match (&self.outline.shape, self.phase) {
            (_, Phase::States) => {
                let queries = [(String::new(), query.prepare(Fields::Read)?.ok_or_else(lost)?)];
                let aggregates = Aggregates::new(&query.tables, &queries, query.options.limits.memory);
                map::run(&query.tables, aggregates, |_| Ok(Vec::new()), chunks, out)
            }
            (_, Phase::Filters) => {
                let none = Aggregates::new(&query.tables, &[], query.options.limits.memory);
                let bind = |header: &Header| Ok(vec![query.bind(header)?.ok_or_else(lost)?]);
                map::run(&query.tables, none, bind, chunks, out)
            }
            (Shape::Rows { keeps }, _) => rows::run(query, *keeps, chunks, out),
            (Shape::Gathered, _) => gather::reduce(query, self.outline.fields.is_some(), chunks, out),
            _ => whole::run(query, chunks, out),
        }
    }
}

fn lost() -> Fault {
    Fault::internal("a query for indexers lost its shape")
}

/// The query's text: written in the search, or kept in a file.
fn source(app: &App, arguments: &Arguments) -> Result<Arc<Source>> {
    if let Some(encoded) = arguments.get("encoded") {
        let text = BASE64.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| Fault::query("HP460", "`encoded` is for the app's own use"))?;
        return Ok(Source::query(text).into());
    }
    let texts: Vec<&str> =
        arguments.get("query").into_iter().chain(arguments.texts.iter().map(String::as_str)).collect();
    match texts.as_slice() {
        [name] if name.starts_with('@') => app.query(name.trim_start_matches('@')),
        [text] if !text.trim().is_empty() => Ok(Source::query(*text).into()),
        [] | [_] => Err(Fault::query("HP460", "`kql` needs a query")
            .help("... | kql \"Events | where status == 404\", or kql @name")),
        [first, ..] => {
            let fault = Fault::query("HP460", format!("`kql` takes one query, and there are {}", texts.len()));
            Err(fault.help(format!("put quotes around all of it: kql \"{first} ...\"")))
        }
    }
}

/// An error that offers no options of the app's own use.
fn without_internal(fault: Fault) -> Fault {
    let help = fault.diagnostics().first().and_then(|d| d.help.clone()).unwrap_or_default();
    match help.split_once(", phase=") {
        Some((own, _)) => fault.help(own),
        None => fault,
    }
}
