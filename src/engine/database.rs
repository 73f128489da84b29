//! The names that a query may use, and what stands behind them.
use super::events::{Events, Knowledge as EventKnowledge};
use super::files;
use super::held::{Held, adapted, timed};
use super::knowledge::{Knowledge, LookupTables};
use super::saved::Functions;
use crate::diagnostic::{self, Fault, Result};
use crate::functions::{Lists, Places};
use crate::plan::{Catalog, EventType, ExternalForm, InMemory, Lookup, LookupWriter, Macro, Source, Tag};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Opens what a host has given, when a query first reads it.
pub type Opener = Arc<dyn Fn() -> Result<Data> + Send + Sync>;

/// Asks the host for a table that the database lacks.
pub type Resolver = Arc<dyn Fn(&str) -> Result<Option<Data>> + Send + Sync>;

/// Where rows come from.
#[derive(Clone)]
pub enum Data {
    Table(Arc<Held>),
    Source(Arc<dyn Source>),
    /// Paths, globs and folders; read by the schema of the name that they stand under.
    Files(Vec<String>),
    Later(Opener),
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Table(held) => write!(f, "table of {} rows", held.table().rows()),
            Data::Source(source) => write!(f, "{source:?}"),
            Data::Files(paths) => write!(f, "files {paths:?}"),
            Data::Later(_) => f.write_str("not opened yet"),
        }
    }
}

/// What a name is read as.
#[derive(Clone, Copy, Debug)]
enum Role<'a> {
    Table(&'a str),
    Watchlist,
    /// The columns that the query declares.
    External(&'a Schema, &'a ExternalForm),
    /// The data's own columns.
    Stored,
}

/// A name's data, opened once.
#[derive(Debug)]
struct Entry {
    data: Data,
    opened: Mutex<Option<Arc<dyn Source>>>,
}

impl Entry {
    fn new(data: Data) -> Entry {
        Entry { data, opened: Mutex::default() }
    }
}

/// Tables, watchlists, saved functions, declared schemas, the places of addresses and the data that stand for URLs.
#[derive(Default)]
pub struct Database {
    tables: BTreeMap<String, Entry>,
    watchlists: BTreeMap<String, Entry>,
    /// URLs, or how they begin.
    external: Vec<(String, Data)>,
    functions: Functions,
    knowledge: Knowledge,
    lookups: Arc<LookupTables>,
    schemas: BTreeMap<String, Schema>,
    /// Where addresses are.
    places: Option<Arc<dyn Places>>,
    lists: Option<Arc<dyn Lists>>,
    resolver: Option<Resolver>,
    resolved: Mutex<BTreeMap<String, Arc<dyn Source>>>,
    list_resolver: Option<Resolver>,
    resolved_lists: Mutex<BTreeMap<String, Arc<dyn Source>>>,
    /// Several queries will run: what one learns of a table serves the next.
    keeps: bool,
    /// Several searches will run over the events.
    searched_often: bool,
    /// What is known of the sourcetypes of events besides what is built in.
    event_knowledge: Option<Arc<EventKnowledge>>,
    /// The tables as events, opened when a search first asks for them; then the same with the risk events.
    events: [Mutex<Option<Arc<Events>>>; 2],
    /// Risk events that rules have raised.
    risk: Option<Data>,
    /// Whether searches see them.
    shows_risk: AtomicBool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("tables", &self.tables).field("watchlists", &self.watchlists).finish()
    }
}

impl Database {
    pub fn add_table(&mut self, name: impl Into<String>, data: Data) {
        self.tables.insert(name.into(), Entry::new(data));
    }

    pub fn add_watchlist(&mut self, alias: impl Into<String>, data: Data) {
        self.watchlists.insert(alias.into(), Entry::new(data));
    }

    /// Data for a URL, or for every URL that begins so.
    pub fn add_external(&mut self, url: impl Into<String>, data: Data) {
        self.external.push((url.into(), data));
    }

    /// The names of tables whose columns are declared.
    pub fn declared_tables(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }

    pub fn add_schema(&mut self, table: impl Into<String>, schema: Schema) {
        self.schemas.insert(table.into(), schema);
    }

    pub fn set_functions(&mut self, functions: Functions) {
        self.functions = functions;
    }

    /// Macros, definitions of lookups, event types and tags.
    pub fn set_knowledge(&mut self, knowledge: Knowledge) {
        self.knowledge = knowledge;
    }

    /// Rows for a lookup; how it is matched may stand in the knowledge that was set before.
    pub fn add_lookup(&mut self, name: impl Into<String>, data: Data) {
        let name = name.into();
        self.knowledge.give_lookup(&name);
        self.lookups.give(name, data);
    }

    /// Lets searches write the rows of lookups into a folder.
    pub fn write_lookups(&mut self, folder: impl Into<PathBuf>) {
        self.lookups.write_to(folder.into());
    }

    /// Where `geo_info_from_ip_address` looks.
    pub fn set_places(&mut self, places: Arc<dyn Places>) {
        self.places = Some(places);
    }

    /// Who keeps long lists between runs.
    pub fn set_lists(&mut self, lists: Arc<dyn Lists>) {
        self.lists = Some(lists);
    }

    pub fn lists(&self) -> Option<Arc<dyn Lists>> {
        self.lists.clone()
    }

    pub fn places(&self) -> Option<Arc<dyn Places>> {
        self.places.clone()
    }

    /// What is known of the sourcetypes of events, in place of what is built in.
    pub fn set_event_knowledge(&mut self, knowledge: Arc<EventKnowledge>) {
        self.event_knowledge = Some(knowledge);
    }

    /// Events that stand beside the tables for the searches that look at risk events: see [`Database::show_risk`].
    pub fn set_risk(&mut self, events: Table) {
        self.risk = Some(Data::Table(Held::new(events).into()));
        self.events[1] = Mutex::default();
    }

    /// Whether the searches that come see the risk events.
    pub fn show_risk(&self, shows: bool) {
        self.shows_risk.store(shows, Ordering::Relaxed);
    }

    /// The rows of all tables as events.
    fn all_events(&self) -> Result<Arc<Events>> {
        let risk = self.risk.as_ref().filter(|_| self.shows_risk.load(Ordering::Relaxed));
        let mut events = self.events[usize::from(risk.is_some())]
            .lock()
            .map_err(|_| Fault::internal("events failed while they were opened"))?;
        if let Some(known) = events.as_ref() {
            return Ok(known.clone());
        }
        let knowledge = self.event_knowledge.clone().map_or_else(EventKnowledge::built_in, Ok)?;
        // Of several tables the name is the source of events that have none.
        let named = self.tables.len() > 1;
        let tables = self.tables.iter().map(|(name, entry)| (if named { name.as_str() } else { "" }, &entry.data));
        let opened = Events::open(tables.chain(risk.map(|risk| ("", risk))), knowledge, self.searched_often)?;
        *events = Some(opened.clone());
        Ok(opened)
    }

    /// Who is asked for tables that are not here.
    pub fn set_resolver(&mut self, resolver: Resolver) {
        self.resolver = Some(resolver);
    }

    /// Who is asked for watchlists that are not here.
    pub fn set_watchlist_resolver(&mut self, resolver: Resolver) {
        self.list_resolver = Some(resolver);
    }

    /// Says that several queries will run over these tables.
    pub fn keep(&mut self) {
        self.keeps = true;
    }

    /// Says that several searches will run over the events of these tables: what is not large is read once.
    pub fn search_often(&mut self) {
        self.searched_often = true;
    }

    /// The sources of all tables, opened.
    pub fn sources(&self) -> Result<Vec<(String, Arc<dyn Source>)>> {
        let named = self.tables.keys().filter_map(|name| Some((name.clone(), self.table(name).transpose()?)));
        named.map(|(name, source)| Ok((name, source?))).collect()
    }

    fn declared(&self, table: &str) -> Option<Schema> {
        self.schemas.get(table).cloned().or_else(|| files::known_schema(table))
    }

    /// The data that stands for a URL: what was given for the longest beginning of it.
    fn beneath(&self, url: &str) -> Option<Data> {
        // What a query appends as a secret is no part of the address.
        let address = url.split(';').next().unwrap_or(url);
        let fits = |(start, _): &&(String, Data)| address.starts_with(start.as_str());
        let (start, data) = self.external.iter().filter(fits).max_by_key(|(start, _)| start.len())?;
        let rest = address.get(start.len()..).unwrap_or_default();
        Some(match data {
            Data::Files(paths) => Data::Files(paths.iter().map(|path| files::beneath(path, rest)).collect()),
            other => other.clone(),
        })
    }

    fn opened(&self, entry: &Entry, role: Role) -> Result<Arc<dyn Source>> {
        let mut opened = entry.opened.lock().map_err(|_| Fault::internal("a source failed while it was opened"))?;
        if let Some(source) = opened.as_ref() {
            return Ok(source.clone());
        }
        let source = self.open(&entry.data, role)?;
        *opened = Some(source.clone());
        Ok(source)
    }

    fn open(&self, data: &Data, role: Role) -> Result<Arc<dyn Source>> {
        match data {
            Data::Later(open) => self.open(&open()?, role),
            Data::Source(source) => Ok(source.clone()),
            Data::Table(held) => Ok(InMemory::source(self.in_memory(held, role))),
            Data::Files(paths) => self.open_files(paths, role),
        }
    }

    /// What the host has for a name; it is asked once.
    fn asked(
        &self,
        resolver: Option<&Resolver>,
        known: &Mutex<BTreeMap<String, Arc<dyn Source>>>,
        name: &str,
        role: Role,
    ) -> Result<Option<Arc<dyn Source>>> {
        let Some(resolver) = resolver else { return Ok(None) };
        if let Some(known) = known.lock().ok().and_then(|known| known.get(name).cloned()) {
            return Ok(Some(known));
        }
        let Some(data) = resolver(name)? else { return Ok(None) };
        let source = self.open(&data, role)?;
        if let Ok(mut known) = known.lock() {
            known.insert(name.to_owned(), source.clone());
        }
        Ok(Some(source))
    }

    /// A watchlist by its alias, whose case does not count.
    fn given_watchlist(&self, alias: &str) -> Option<&Entry> {
        let exact = self.watchlists.get(alias);
        exact
            .or_else(|| self.watchlists.iter().find(|(own, _)| own.eq_ignore_ascii_case(alias)).map(|(_, entry)| entry))
    }

    fn in_memory(&self, held: &Held, role: Role) -> Table {
        match role {
            Role::Table(name) => {
                let wanted = self.declared(name).or_else(|| timed(held.table()));
                let table = wanted.map_or_else(|| held.table().clone(), |schema| held.with_schema(&schema));
                if self.keeps && !table.is_held() { table.held() } else { table }
            }
            Role::Watchlist => watchlist(held.table()),
            Role::External(schema, _) => external_table(held.table(), schema),
            Role::Stored => held.table().clone(),
        }
    }

    fn open_files(&self, paths: &[String], role: Role) -> Result<Arc<dyn Source>> {
        match role {
            Role::Table(name) => files::open_table(paths, name, self.declared(name)),
            Role::Watchlist => Ok(InMemory::source(watchlist(&files::read_texts(paths)?))),
            Role::External(schema, form) => files::open_external(paths, schema, form),
            Role::Stored => files::open_stored(paths),
        }
    }
}

impl Catalog for Database {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Source>>> {
        if let Some(entry) = self.tables.get(name) {
            return self.opened(entry, Role::Table(name)).map(Some);
        }
        self.asked(self.resolver.as_ref(), &self.resolved, name, Role::Table(name))
    }

    fn tables(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Schema> {
        self.declared(name)
    }

    fn events(&self, fields: Option<&[Name]>) -> Result<Arc<dyn Source>> {
        self.all_events()?.source(fields)
    }

    fn dataset(&self, path: &str, prefixed: bool, fields: Option<&[Name]>) -> Result<Option<Arc<dyn Source>>> {
        self.all_events()?.dataset(path, prefixed, fields)
    }

    fn events_tell(&self, field: &str) -> bool {
        self.all_events().is_ok_and(|events| events.tell(field))
    }

    fn known_tables(&self) -> Vec<String> {
        self.schemas.keys().cloned().chain(crate::read::known_tables().map(str::to_owned)).collect()
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Arc<dyn Source>>> {
        if let Some(entry) = self.given_watchlist(alias) {
            return self.opened(entry, Role::Watchlist).map(Some);
        }
        match self.asked(self.list_resolver.as_ref(), &self.resolved_lists, alias, Role::Watchlist)? {
            Some(found) => Ok(Some(found)),
            None => self.lookups.given(alias).map(|data| self.open(&data, Role::Watchlist)).transpose(),
        }
    }

    fn watchlists(&self) -> Vec<String> {
        self.watchlists.keys().cloned().collect()
    }

    fn function(&self, name: &str) -> Option<Arc<diagnostic::Source>> {
        self.functions.get(name)
    }

    fn functions(&self) -> Vec<String> {
        self.functions.names().map(str::to_owned).collect()
    }

    fn search_macro(&self, name: &str, arguments: usize) -> Option<Macro> {
        self.knowledge.find_macro(name, arguments)
    }

    fn search_macros(&self) -> Vec<String> {
        self.knowledge.macro_names()
    }

    fn lookup(&self, name: &str) -> Result<Option<Lookup>> {
        self.lookups.find(name, &self.knowledge, self.given_watchlist(name).map(|entry| &entry.data))
    }

    fn lookups(&self) -> Vec<String> {
        self.knowledge.lookups().map(|(name, _)| name.to_owned()).collect()
    }

    fn lookup_writer(&self, name: &str) -> Option<LookupWriter> {
        Some(self.lookups.writer(name, &self.knowledge))
    }

    fn lookup_file(&self, name: &str) -> Option<String> {
        self.lookups.file(name, &self.knowledge).map(|path| path.display().to_string())
    }

    fn event_types(&self) -> Vec<EventType> {
        self.knowledge.event_types()
    }

    fn event_tags(&self) -> Vec<Tag> {
        self.knowledge.tags()
    }

    fn external(&self, url: &str, schema: &Schema, form: &ExternalForm) -> Result<Option<Arc<dyn Source>>> {
        self.beneath(url).map(|data| self.open(&data, Role::External(schema, form))).transpose()
    }

    fn stored(&self, url: &str, start: &str, end: &str) -> Result<Option<Arc<dyn Source>>> {
        let data = match self.beneath(url) {
            Some(Data::Files(paths)) => Data::Files(paths.iter().map(|path| files::among(path, start, end)).collect()),
            Some(other) => other,
            None => return Ok(None),
        };
        self.open(&data, Role::Stored).map(Some)
    }
}

/// The rows of a watchlist as `_GetWatchlist` gives them: three columns of its own, then the list's, all of them text.
///
/// Source: the documentation page "Use watchlists in queries or detection rules".
pub(super) fn watchlist(table: &Table) -> Table {
    let own = ["_DTItemId", "LastUpdatedTimeUTC", "SearchKey"];
    let kinds = [Kind::String, Kind::DateTime, Kind::String];
    let columns = table.schema().columns().iter().filter(|(name, _)| !own.contains(&&**name));
    let texts = columns.map(|(name, _)| (name.clone(), Kind::String));
    let schema: Schema = own.iter().map(|n| Name::from(*n)).zip(kinds).chain(texts).collect();
    let with_key = with_search_key(&adapted(table, &schema), table.schema());
    with_item_ids(&with_key)
}

/// Fills `SearchKey` with the list's first column where the list has no such column.
fn with_search_key(list: &Table, own: &Schema) -> Table {
    let first = own.names().next().filter(|_| !own.contains("SearchKey"));
    let Some(first) = first.and_then(|name| list.schema().position(name)) else { return list.clone() };
    replaced(list, 2, |chunk, _| chunk.load(first, Kind::String, None))
}

/// Fills `_DTItemId` with a GUID made of the row's number where the list has no such column.
fn with_item_ids(list: &Table) -> Table {
    let absent = |chunk: &Chunk| matches!(chunk.columns.first(), Some(Stored::Absent));
    if !list.chunks().iter().all(absent) {
        return list.clone();
    }
    replaced(list, 0, |chunk, before| {
        let ids: Vec<Value> = (0..chunk.rows)
            .map(|row| Value::string(format!("00000000-0000-0000-0000-{:012x}", before + row + 1)))
            .collect();
        Column::from_values(Kind::String, &ids)
    })
}

/// The table with column `at` computed for each chunk, which knows how many rows come before it.
fn replaced(table: &Table, at: usize, make: impl Fn(&Chunk, usize) -> Column) -> Table {
    let mut before = 0;
    let chunks = table.chunks().iter().map(|chunk| {
        let mut changed = chunk.clone();
        if let Some(place) = changed.columns.get_mut(at) {
            *place = Stored::Column(make(chunk, before));
        }
        before += chunk.rows;
        changed
    });
    let chunks = chunks.collect();
    Table::new(table.schema().clone(), chunks).with_problems(table.problems().to_vec())
}

/// A table in the place of external data: by name where a name is shared, else by position.
fn external_table(table: &Table, declared: &Schema) -> Table {
    let shares_names = declared.names().any(|name| table.schema().contains(name));
    let renamed = match shares_names {
        true => table.clone(),
        false => {
            let names = table
                .schema()
                .columns()
                .iter()
                .enumerate()
                .map(|(at, (name, kind))| (declared.columns().get(at).map_or(name, |(n, _)| n).clone(), *kind));
            Table::new(names.collect(), table.chunks().to_vec())
        }
    };
    let found = adapted(&renamed, declared);
    let chunks = found.chunks().iter();
    let chunks =
        chunks.map(|c| Chunk { rows: c.rows, columns: c.columns.iter().take(declared.len()).cloned().collect() });
    Table::new(declared.clone(), chunks.collect()).with_problems(table.problems().to_vec())
}
