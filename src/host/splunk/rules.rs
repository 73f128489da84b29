//! The command `huntpack`: rules of the app over the events of the pipeline.
use super::app::App;
use super::arguments::{Arguments, Known};
use super::chunks::Chunks;
use super::events::{Fields, Tables};
use super::gather::{self, Gatherer};
use super::info::Info;
use super::listing::{chosen, wanted};
use super::map::{self, Aggregates};
use super::order::PLACE;
use super::query::{self, Ahead, Query};
use super::remote::Remote;
use super::reply::{Level, Reply, described, said};
use super::states::{Part, STATE};
use super::{output, whole};
use crate::diagnostic::{Fault, Result, Source};
use crate::engine::{Now, Options, Prepared};
use crate::exec::{self, GroupOrder};
use crate::plan::{Flow, Passing};
use crate::read::Header;
use crate::rules::evaluate::{Hits, Known as Answers, evaluate};
use crate::rules::{Language, Pack, Rule, load};
use crate::types::{Kind, Name, Schema, Table, Value, datetime};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const OPTIONS: &[Known] = &[
    Known { name: "rules", takes: "\"names, ids or files, * for any rest\"" },
    Known { name: "table", takes: "a table's name" },
    Known { name: "output", takes: "alerts, incidents, findings, risk or results" },
    Known { name: "now", takes: "latest, wall or a time" },
    Known { name: "map", takes: "true or false" },
];

/// What the search head writes into the part of a search that indexers run.
const PHASE: Known = Known { name: "phase", takes: "" };

const OUTPUTS: [&str; 5] = ["alerts", "incidents", "findings", "risk", "results"];

/// The command, ready to run.
pub struct Rules {
    pack: Arc<Pack>,
    /// All rules' queries as one, for the names in them.
    query: Query,
    output: &'static str,
    phase: Phase,
    /// How each rule takes in the events.
    ways: Vec<Way>,
    /// The fields that the rules read; none where they may read any.
    fields: Option<BTreeSet<String>>,
    /// What indexers run, where they can do a part of every rule.
    ahead: Option<String>,
}

/// What this process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// All of it, or what indexers have left of it.
    Head,
    /// The aggregates of rules that are such, and the first filters of the others.
    States,
    /// The first filters of rules.
    Filters,
}

/// What indexers can do of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    States,
    Filters,
    Nothing,
}

impl Rules {
    pub fn new(app: &App, info: &Info, remote: Option<Remote>, cancel: Arc<AtomicBool>) -> Result<Rules> {
        let known: Vec<Known> = OPTIONS.iter().copied().chain([PHASE]).collect();
        let arguments = Arguments::read("huntpack", &info.arguments, &known).map_err(without_phase)?;
        let phase = match arguments.one_of("phase", &["states", "filters"])? {
            Some("states") => Phase::States,
            Some(_) => Phase::Filters,
            None => Phase::Head,
        };
        let output = arguments.one_of("output", &OUTPUTS)?.unwrap_or("alerts");
        let output = OUTPUTS.iter().find(|known| **known == output).copied().unwrap_or("alerts");
        let wanted = wanted(&arguments)?;
        let pack = Arc::new(chosen(load(&app.rules()), &wanted)?);
        let settings = app.settings()?;
        let (limits, threads) = (settings.limits, Some(settings.threads));
        let now = super::now(arguments.get("now"), info)?;
        let options = Options { now, limits, threads, cancel, ..Options::default() };
        let texts: Vec<&str> = pack.rules.iter().map(|rule| rule.query.as_str()).collect();
        let all = Source::query(texts.join("\n;\n"));
        let remote = remote.filter(|_| phase == Phase::Head);
        let mut query = Query::new(app, all.into(), arguments.get("table"), options, remote)?;
        if pack.rules.iter().any(|rule| rule.language == Language::Spl) {
            query.knowledge = Some(app.knowledge()?);
        }
        let maps = arguments.truth("map")?.unwrap_or(query.settings.map_reduce);
        let mut rules = Rules { pack, query, output, phase, ways: Vec::new(), fields: None, ahead: None };
        rules.settle()?;
        if maps && phase == Phase::Head {
            rules.ahead = rules.written_ahead(arguments.get("table"));
        }
        Ok(rules)
    }

    /// The answer to `getinfo`.
    pub fn describe(&self) -> Reply {
        let mut reply = Reply::default();
        match self.phase {
            Phase::Head => {}
            Phase::States => {
                reply.set("type", "streaming");
                return reply;
            }
            Phase::Filters => {
                describe_filters(self.fields.as_ref(), &mut reply);
                return reply;
            }
        }
        reply.set("type", "reporting");
        match &self.ahead {
            Some(ahead) => reply.set("streaming_preop", ahead.clone()),
            None => {
                let reason = match self.query.asks_splunkd() {
                    true => "they read a lookup that the app does not hold",
                    false => "not all of them begin with a filter or an aggregate",
                };
                reply.say(Level::Info, format!("the rules run on the search head alone: {reason}"));
            }
        }
        reply.set(
            "required_fields",
            match &self.fields {
                Some(fields) => {
                    let sent = if self.ahead.is_some() { &[PLACE, STATE][..] } else { &[] };
                    fields.iter().cloned().chain(sent.iter().map(|field| (*field).to_owned())).collect::<Vec<_>>()
                }
                None => vec!["*".to_owned()],
            },
        );
        reply
    }

    /// What indexers run: the first filters and the aggregates of the rules, as of the same moment. None where a rule
    /// may take any event.
    fn written_ahead(&self, table: Option<&str>) -> Option<String> {
        let Now::At(now) = self.query.options.now else { return None };
        if self.ways.contains(&Way::Nothing) || self.query.asks_splunkd() {
            return None;
        }
        let phase = if self.ways.contains(&Way::States) { "states" } else { "filters" };
        let keys: Vec<String> = self.pack.rules.iter().map(|rule| rule.key().replace(['"', ',', '*'], "")).collect();
        let mut text = format!("huntpack phase={phase} rules=\"{}\" now=\"{}\"", keys.join(","), datetime::format(now));
        if let Some(table) = table {
            text.push_str(&format!(" table=\"{}\"", table.replace('\\', "\\\\").replace('"', "\\\"")));
        }
        Some(text)
    }

    /// Looks at the rules before the events come: what they read, and what indexers can do.
    fn settle(&mut self) -> Result<()> {
        let mut all: Option<BTreeSet<String>> = Some(["_time".to_owned()].into());
        for rule in self.pack.clone().rules.iter() {
            let options = self.options_of(rule);
            let is_kql = rule.language == Language::Kql;
            // What is wrong with a rule is said when it runs.
            let prepared = if is_kql { self.query.settled(&rule.query_source, &options).unwrap_or(None) } else { None };
            let fields = prepared.as_ref().and_then(|prepared| self.fields_of(prepared));
            self.ways.push(way(prepared.as_ref(), fields.is_some())?);
            all = all.zip(fields).map(|(mut all, fields)| {
                all.extend(fields);
                all
            });
        }
        self.fields = all;
        Ok(())
    }

    fn fields_of(&self, prepared: &Prepared) -> Option<BTreeSet<String>> {
        let mut fields = BTreeSet::new();
        for root in &prepared.roots {
            for (table, columns) in exec::streams_read(&prepared.plan, *root, |_| true) {
                fields.extend(self.query.tables.fields_of(&table, &columns)?);
            }
        }
        Some(fields)
    }

    /// A rule's query, bound; none where it may read any field. What is wrong with a rule is said when it runs.
    fn prepare(&self, rule: &Rule, fields: Fields) -> Result<Option<Prepared>> {
        if rule.language != Language::Kql {
            return Ok(None);
        }
        Ok(self.query.prepare_other(&rule.query_source, fields, &self.options_of(rule)).unwrap_or(None))
    }

    /// The rules of which indexers do the same part.
    fn of_way(&self, way: Way) -> impl Iterator<Item = &Rule> {
        self.pack.rules.iter().zip(&self.ways).filter(move |(_, own)| **own == way).map(|(rule, _)| rule)
    }

    /// A rule sees its period. Where its end is not known yet, its column is read all the same.
    fn options_of(&self, rule: &Rule) -> Options {
        let (now, scope) = match self.query.options.now {
            Now::At(now) => (Now::At(now), (now.saturating_sub(rule.query_period), now)),
            _ => (Now::Wall, (i64::MIN, i64::MAX)),
        };
        Options { scope: Some(scope), now, ..self.query.options.clone() }
    }

    fn wanted_columns(&self, header: &Header) -> Result<BTreeMap<String, Schema>> {
        let (fields, tables) = (Fields::Of(header), &self.query.tables);
        let mut wanted: BTreeMap<String, Schema> = BTreeMap::new();
        for rule in &self.pack.rules {
            match self.prepare(rule, fields)? {
                Some(prepared) => whole::add_read(&prepared, &mut wanted),
                None => wanted.extend(tables.each().map(|table| (table.to_owned(), tables.schema(table, fields)))),
            }
        }
        for table in tables.each() {
            wanted.entry(table.to_owned()).or_default();
        }
        Ok(wanted)
    }

    pub fn run(&self, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
        let lost = || Fault::internal("a rule for indexers lost its shape");
        let aggregated = if self.ahead.is_some() || self.phase == Phase::States { Some(Way::States) } else { None };
        let bound = aggregated.into_iter().flat_map(|way| self.of_way(way)).map(|rule| {
            let prepared = self.prepare(rule, Fields::Read)?.ok_or_else(lost)?;
            Ok((rule.key().to_owned(), prepared))
        });
        let bound = bound.collect::<Result<Vec<_>>>()?;
        if self.phase == Phase::Head {
            return self.reduce(&bound, chunks, out);
        }
        let aggregates = Aggregates::new(&self.query.tables, &bound, self.query.options.limits.memory);
        let bind = |header: &Header| -> Result<Vec<Prepared>> {
            let filtered = self.of_way(Way::Filters).map(|rule| self.prepare(rule, Fields::Of(header)));
            filtered.map(|prepared| prepared?.ok_or_else(lost)).collect()
        };
        map::run(&self.query.tables, aggregates, bind, chunks, out)
    }

    /// Runs the rules over all events, or goes on with what indexers have made of them.
    fn reduce(&self, bound: &[(String, Prepared)], chunks: &Chunks, out: &mut impl Write) -> Result<()> {
        let started = Instant::now();
        let memory = self.query.options.limits.memory;
        let wanted = |header: &Header| self.wanted_columns(header);
        let mut merged = Merged::new(&self.query.tables, bound);
        let kept = whole::keep(&self.query.tables, memory, wanted, chunks, out, |part| merged.take(part))?;
        let Some(kept) = kept else { return Ok(()) };
        if merged.parts > 0 && kept.events > 0 && !kept.is_filtered() {
            return Err(gather::mixed());
        }
        let mut database = self.query.database();
        kept.add_to(&mut database);
        let mut reply = Reply::to_chunk(true);
        let events = merged.events.max(kept.events);
        let known = merged.finish(&mut reply);
        let hits = evaluate(self.pack.clone(), database, self.query.options.clone(), known, false, &|_, _, _| {})?;
        self.report(&hits, &mut reply);
        kept.report(&self.query.tables, &mut reply);
        let table = self.table(self.output, &hits);
        if table.rows() == 0 {
            self.report_others(&hits, &mut reply);
        }
        super::limited(table.rows(), self.query.settings.max_rows)?;
        reply.body = output::table(&table);
        reply.metric("huntpack.rules", started.elapsed(), self.pack.rules.len(), events, table.rows());
        super::answered(reply, true, out)?;
        Ok(())
    }

    /// Says what failed, and of each rule that found nothing which step emptied it.
    fn report(&self, hits: &Hits, reply: &mut Reply) {
        for failure in &hits.failures {
            reply.say(Level::Error, format!("the rule `{}` failed: {}", failure.rule, described(&failure.error)));
        }
        for problem in &self.pack.problems {
            reply.say(Level::Warn, format!("{}: {}", problem.path, described(&problem.error)));
        }
        for rule in &self.pack.rules {
            rule.warnings.iter().for_each(|w| reply.say(Level::Info, format!("{}: {}", rule.name, said(w, None))));
        }
        hits.notes.iter().for_each(|note| reply.say(Level::Info, note));
        self.query.report(&[], reply);
        hits.results.iter().for_each(|(_, rows)| self.query.report_bad_rows(rows.problems(), reply));
        let silent =
            self.pack.rules.iter().filter(|rule| !hits.failures.iter().any(|failure| failure.rule == rule.name));
        for rule in silent.filter(|rule| rows_of(hits, rule).is_none_or(|rows| !holds(rule, rows.rows()))) {
            if let Ok(why) = hits.why(rule.key()) {
                reply.say(Level::Info, format!("the rule `{}` found nothing\n{why}", rule.name));
            }
        }
    }

    /// Says which outputs have rows, where the one that is asked for has none.
    fn report_others(&self, hits: &Hits, reply: &mut Reply) {
        for other in ["alerts", "findings", "risk"] {
            let rows = self.table(other, hits).rows();
            if rows > 0 {
                reply.say(Level::Info, format!("no {}; {rows} rows with output={other}", self.output));
            }
        }
    }

    fn table(&self, output: &str, hits: &Hits) -> Table {
        match output {
            "incidents" => hits.runs.incident_table(),
            "findings" => hits.runs.raised().finding_table(),
            "risk" => hits.runs.raised().risk_table(),
            "results" => results(&self.pack, hits),
            _ => hits.runs.alert_table(),
        }
    }
}

/// What indexers can do of a bound rule. `known`: the fields that it reads are.
fn way(prepared: Option<&Prepared>, known: bool) -> Result<Way> {
    let Some((prepared, root)) = prepared.and_then(|prepared| Some((prepared, prepared.root()?))) else {
        return Ok(Way::Nothing);
    };
    let flow = prepared.flow(root);
    if flow == Flow::Rows {
        let filtered = Passing::new(&prepared.plan).first_filters(root).is_some();
        return Ok(if filtered { Way::Filters } else { Way::Nothing });
    }
    Ok(match query::ahead(prepared, root, &flow, known)? {
        Ahead::States => Way::States,
        Ahead::Filters => Way::Filters,
        Ahead::Nothing(_) => Way::Nothing,
    })
}

/// The partial results of rules.
struct Merged<'a> {
    gatherers: Vec<(&'a str, &'a Prepared, Result<Gatherer<'a>>)>,
    parts: usize,
    events: usize,
}

impl<'a> Merged<'a> {
    fn new(tables: &'a Tables, bound: &'a [(String, Prepared)]) -> Merged<'a> {
        let gatherers = bound.iter().map(|(rule, prepared)| (rule.as_str(), prepared, Gatherer::new(tables, prepared)));
        Merged { gatherers: gatherers.collect(), parts: 0, events: 0 }
    }

    /// A rule that failed on an indexer fails here; the others go on.
    fn take(&mut self, part: Part) -> Result<()> {
        self.parts += 1;
        let own = self.gatherers.iter_mut().find(|(rule, ..)| *rule == part.rule);
        let (_, _, gatherer) = own.ok_or_else(exec::states_of_another)?;
        match (gatherer, part.states.is_ok()) {
            (Ok(gatherer), true) => {
                gatherer.merge(part)?;
                self.events = self.events.max(gatherer.events);
            }
            (failed @ Ok(_), false) => {
                if let Ok(Err(fault)) = failed.as_mut().map(|gatherer| gatherer.merge(part)) {
                    *failed = Err(fault);
                }
            }
            (Err(_), _) => {}
        }
        Ok(())
    }

    /// The answers of the rules; none of them where no indexer has done its part.
    fn finish(self, reply: &mut Reply) -> Answers {
        let mut answers = Answers::new();
        for (rule, prepared, gatherer) in self.gatherers.into_iter().filter(|_| self.parts > 0) {
            let answer = gatherer.and_then(|gatherer| {
                if gatherer.rows == 0 && gatherer.events > 0 {
                    gatherer.report_no_rows(reply);
                }
                let (root, run) = gatherer.finish(GroupOrder::Rows)?;
                Ok(prepared.answer(root, run))
            });
            answers.insert(rule.to_owned(), answer);
        }
        answers
    }
}

/// What a process that only filters events answers to `getinfo`: it needs these fields, and keeps the others.
pub fn describe_filters(fields: Option<&BTreeSet<String>>, reply: &mut Reply) {
    reply.set("type", "streaming");
    if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
        // The time of an event tells its place among those of other indexers.
        let time = (!fields.contains("_time")).then(|| "_time".to_owned());
        reply.set("required_fields", fields.iter().cloned().chain(time).collect::<Vec<_>>());
    }
}

/// An error that offers no option of the app's own use.
fn without_phase(fault: Fault) -> Fault {
    let help = fault.diagnostics().first().and_then(|said| said.help.clone()).unwrap_or_default();
    match help.strip_suffix(", phase=") {
        Some(own) => fault.help(own.to_owned()),
        None => fault,
    }
}

fn rows_of<'a>(hits: &'a Hits, rule: &Rule) -> Option<&'a Table> {
    hits.results.iter().find(|(key, _)| key == rule.key()).map(|(_, table)| table)
}

/// Whether so many rows raise something.
fn holds(rule: &Rule, rows: usize) -> bool {
    if rule.detection.is_some() { rows > 0 } else { rule.trigger_operator.holds(rows, rule.trigger_threshold) }
}

/// The rows of the rules that raise something, one below the other, each with its rule's name.
fn results(pack: &Pack, hits: &Hits) -> Table {
    let found = pack.rules.iter().filter_map(|rule| Some((rule, rows_of(hits, rule)?)));
    let found: Vec<(&Rule, &Table)> = found.filter(|(rule, table)| holds(rule, table.rows())).collect();
    let mut schema = Schema::from_iter([("rule_id", Kind::String), ("rule_name", Kind::String)]);
    for (_, table) in &found {
        for (name, kind) in table.schema().columns() {
            // A column of several kinds is text.
            let kind = if schema.kind(name).is_some_and(|known| known != *kind) { Kind::String } else { *kind };
            schema.set(name.clone(), kind);
        }
    }
    let mut rows = Vec::new();
    for (rule, table) in found {
        let places: Vec<Option<usize>> = schema.names().map(|name| table.schema().position(name)).collect();
        for row in table.to_rows() {
            let own = [Value::string(rule.key()), Value::string(rule.name.as_str())];
            let cell = |(at, (_, kind)): (&Option<usize>, &(Name, Kind))| match at.and_then(|at| row.get(at)) {
                Some(value) => crate::types::convert::value_to(value, *kind),
                None => Value::null(*kind),
            };
            let cells = places.iter().zip(schema.columns()).skip(own.len()).map(cell).collect::<Vec<_>>();
            rows.push(own.into_iter().chain(cells).collect());
        }
    }
    Table::from_rows(schema, &rows)
}
