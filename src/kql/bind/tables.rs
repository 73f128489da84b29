//! Where rows come from: tables, watchlists, literals, other data.
use super::Bind;
use super::binder::Binder;
use super::expressions::Value;
use super::relation::{Open, Relation, Row};
use super::scope::Binding;
use crate::diagnostic::{Diagnostic, Span, closest};
use crate::expr::Expr;
use crate::kql::ast::{Call, Datatable, Expression, ExpressionKind, Name, NamePattern, Path, PathStepKind};
use crate::plan::{Node, Source, Window};
use crate::types::{Kind, Schema, Table, Value as Cell};
use std::sync::Arc;

/// A watchlist's own columns.
const WATCHLIST: [(&str, Kind); 4] = [
    ("_DTItemId", Kind::String),
    ("LastUpdatedTimeUTC", Kind::DateTime),
    ("SearchKey", Kind::String),
    ("WatchlistItem", Kind::Dynamic),
];

/// Watchlists that ASIM's parsers look into where a workspace has them.
const OPTIONAL_WATCHLISTS: [&str; 3] = ["ASimDisabledParsers", "ASimSourceType", "Sources_by_SourceType"];

/// The time column of Log Analytics tables.
const TIME: &str = "TimeGenerated";

/// So many tables of a check are all there are, not those that a query wants by their names.
pub(super) const MANY_TABLES: usize = 500;

/// Calls that give a table by their nature.
const TABLE_FUNCTIONS: &[&str] = &["materialize", "table", "_GetWatchlist", "_ASIM_GetWatchlistRaw"];

/// Calls that name a place which a table stands in.
const ELSEWHERE: &[&str] = &["cluster", "database", "workspace", "app", "resource", "adx", "arg"];

/// Whether a call of that name gives a table by its nature.
pub(super) fn is_table_function(name: &str) -> bool {
    TABLE_FUNCTIONS.contains(&name) || ELSEWHERE.contains(&name)
}

/// A table that is named by a path: `workspace("x").SigninLogs`.
pub(super) enum Entity<'e> {
    Name(&'e Name),
    Call(&'e Call),
    Wildcard(&'e NamePattern),
}

impl Binder<'_> {
    /// Whether a name that is no column may stand for a table inside a scalar expression over these rows. Rows that
    /// may have any column have this one, unless such a table is given: `Operation` is a known table, too.
    pub fn names_a_table(&self, name: &str, rows: &Relation) -> bool {
        let known = !rows.is_open() && self.catalog.schema(name).is_some();
        known || self.catalog.function(name).is_some() || matches!(self.catalog.table(name), Ok(Some(_)))
    }

    pub fn named_table(&mut self, name: &Name) -> Bind<Relation> {
        if !self.is_visible(&name.text) {
            return Err(self.unknown_table(name));
        }
        match self.catalog.table(&name.text) {
            Ok(Some(source)) => return Ok(self.scan(&name.text, source)),
            Err(fault) => return Err(self.fault(&fault, name.span)),
            Ok(None) => {}
        }
        if let Some(closure) = self.saved(&name.text, name.span) {
            let closure = closure?;
            return match self.call_closure(&closure, &name.text, &[], None, &Row::default(), name.span)? {
                Value::Table(relation) => Ok(relation),
                Value::Scalar(_) => Err(self.error("KS111", "Tabular value expected.", name.span)),
            };
        }
        if self.settings.open_tables {
            return Ok(self.table_without_data(name));
        }
        Err(self.unknown_table(name))
    }

    fn unknown_table(&mut self, name: &Name) -> super::Reported {
        let tables = self.visible_tables();
        if self.scopes.restriction(self.scope).is_some() && !self.is_visible(&name.text) {
            let message = format!("The name '{}' is not among those that 'restrict' gives access to.", name.text);
            return self.error("KS204", message, name.span);
        }
        if self.catalog.schema(&name.text).is_some() {
            let message = format!("The table '{}' is not among those given.", name.text);
            let given = if tables.is_empty() { "none is given".to_owned() } else { tables.join(", ") };
            self.say(Diagnostic::error("KS204", message).at(name.span).help(format!("tables given: {given}")));
            return super::Reported;
        }
        let local: Vec<String> = self.scopes.names(self.scope).map(str::to_owned).collect();
        let saved = self.catalog.functions();
        let known = tables.iter().chain(&local).chain(&saved).map(String::as_str);
        let reported = self.unknown("KS204", "table, tabular variable or function", &name.text, name.span, known);
        self.help_for_null(name);
        self.or_help("tables are given with tables=, saved functions with functions=");
        reported
    }

    /// A table that a check takes to be there. Functions are called by their names alone, too.
    fn table_without_data(&mut self, name: &Name) -> Relation {
        let first = self.read(&name.text);
        let known = self.catalog.schema(&name.text);
        let mut relation = self.values(Table::from_rows(known.clone().unwrap_or_default(), &[]));
        relation.table = Some(name.text.clone());
        if known.is_none() {
            self.open = true;
            relation.open = Open::Any;
            let message = format!("the table '{}' is not known: any column is taken to be there", name.text);
            if first {
                let known = self.catalog.known_tables();
                let help = match closest(&name.text, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => "give its columns with schemas=, or functions= where it is a saved function".to_owned(),
                };
                self.say(Diagnostic::warning("KS204", message).at(name.span).help(help));
            }
        } else if takes_any_column(&name.text) {
            relation.open = Open::Any;
        }
        relation
    }

    /// Whether the table is read for the first time.
    fn read(&mut self, name: &str) -> bool {
        let first = !self.tables.iter().any(|known| known == name);
        if first {
            self.tables.push(name.to_owned());
        }
        first
    }

    /// The rows of a call where a check does not have its function.
    pub fn missing_call(&mut self, expression: &Expression) -> Option<Relation> {
        match &expression.kind {
            ExpressionKind::Call(call) if self.settings.open_tables && !self.is_function(&call.name.text) => {
                Some(self.missing_function(&call.name))
            }
            _ => None,
        }
    }

    /// The rows of a saved function that a check does not have: any column may be there.
    pub fn missing_function(&mut self, name: &Name) -> Relation {
        self.open = true;
        if self.missing.insert(name.text.clone()) {
            let message = format!("the function '{}' is not given: it may have any column", name.text);
            let help = format!("give it with functions={{\"{}\": …}}, its file, or a folder of them", name.text);
            self.say(Diagnostic::warning("KS211", message).at(name.span).help(help));
        }
        let mut relation = self.values(Table::from_rows(Schema::default(), &[]));
        relation.open = Open::Any;
        relation
    }

    /// The rows of a table within the rule's period.
    fn scan(&mut self, name: &str, source: Arc<dyn Source>) -> Relation {
        self.read(name);
        let schema = source.schema().clone();
        let node = self.plan.add(Node::Scan { name: name.into(), source }, schema.clone());
        let mut relation = Relation::new(node, schema);
        if let Some((after, until)) = self.settings.scope
            && relation.schema.kind(TIME) == Some(Kind::DateTime)
        {
            let window = Window { column: TIME.into(), after, until };
            relation = self.same_columns(&relation, Node::Window { input: relation.node, window });
        }
        let known = self.catalog.schema(name);
        if known.is_some_and(|s| s.kind("Type") == Some(Kind::String))
            && relation.schema.kind("Type") == Some(Kind::String)
        {
            let own = Expr::Column("Type".into(), Kind::String);
            let named = Expr::Coalesce(vec![own, Expr::Const(Cell::string(name))], Kind::String);
            relation = self.extend(&relation, vec![("Type".into(), named)]);
        }
        relation.table = Some(name.to_owned());
        if takes_any_column(name) {
            relation.open = Open::Any;
        }
        relation
    }

    /// A call that gives a table by its nature.
    pub fn table_function(&mut self, call: &Call, row: &Row) -> Option<Bind<Value>> {
        let table = match call.name.text.as_str() {
            "materialize" => match call.arguments.first() {
                Some(argument) => return Some(self.value(&argument.value, &Row { relation: None, ..*row })),
                None => Err(self.error("KS119", "The function 'materialize' expects 1 argument.", call.name.span)),
            },
            "table" => self.text_argument(call, 0).and_then(|name| {
                let span = call.arguments.first().map_or(call.span, |a| a.span);
                let name = Name { text: name, span };
                match self.scopes.find(self.scope, &name.text).cloned() {
                    Some(Binding::Table(relation)) => Ok(relation),
                    _ => self.named_table(&name),
                }
            }),
            "_GetWatchlist" | "_ASIM_GetWatchlistRaw" => {
                self.text_argument(call, 0).and_then(|alias| self.watchlist(&alias, call.span))
            }
            "graph" => {
                let said = Diagnostic::error("HP120", "'graph' reads a stored graph, and there are none here");
                let help = "make the graph in the query: `edges | make-graph source --> target with nodes on id`";
                self.say(said.at(call.name.span).help(help));
                Err(super::Reported)
            }
            name if ELSEWHERE.contains(&name) => {
                Err(self.unsupported(&format!("'{}' without a table of it", call.name.text), call.span))
            }
            _ => return None,
        };
        Some(table.map(Value::Table))
    }

    fn watchlist(&mut self, alias: &str, span: Span) -> Bind<Relation> {
        match self.catalog.watchlist(alias) {
            Ok(Some(source)) => {
                let schema = source.schema().clone();
                let node =
                    self.plan.add(Node::Scan { name: format!("watchlist {alias}").into(), source }, schema.clone());
                let mut relation = Relation::new(node, schema);
                relation.open = Open::Any;
                Ok(relation)
            }
            Ok(None) if self.settings.open_tables || is_optional(alias) => {
                let schema: Schema = WATCHLIST.into_iter().collect();
                let mut relation = self.values(Table::from_rows(schema, &[]));
                relation.open = Open::Any;
                Ok(relation)
            }
            Ok(None) => {
                let known = self.catalog.watchlists();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let mut said = Diagnostic::error("HP122", format!("there is no watchlist '{alias}'")).at(span);
                let near = crate::diagnostic::closest(alias, known.iter().copied());
                said = said.help(match near {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("give it with watchlists={{\"{alias}\": …}}"),
                });
                self.say(said);
                Err(super::Reported)
            }
            Err(fault) => Err(self.fault(&fault, span)),
        }
    }

    pub fn datatable(&mut self, table: &Datatable, span: Span) -> Bind<Relation> {
        let schema = declared(table.columns.iter().map(|c| (&c.name, c.kind.kind)));
        if schema.is_empty() {
            return Ok(self.values(Table::from_rows(schema, &[])));
        }
        if !table.values.len().is_multiple_of(schema.len()) {
            let message = format!("The number of values is no multiple of the number of columns, {}.", schema.len());
            return Err(self.error("KS173", message, span));
        }
        let mut cells = Vec::with_capacity(table.values.len());
        let mut failed = None;
        for (at, value) in table.values.iter().enumerate() {
            let kind = schema.columns().get(at % schema.len()).map_or(Kind::Dynamic, |(_, k)| *k);
            match self.constant_of(value) {
                Ok(cell) => cells.push(super::convert::constant_to(&cell, kind)),
                Err(reported) => failed = Some(reported),
            }
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        let rows: Vec<Vec<Cell>> = cells.chunks(schema.len()).map(<[Cell]>::to_vec).collect();
        Ok(self.values(Table::from_rows(schema, &rows)))
    }

    /// The tables and views whose names match, as legs of a union.
    pub fn tables_like(&mut self, pattern: &NamePattern) -> Bind<Relation> {
        let legs = self.tables_named_like(pattern, false)?;
        self.united(legs, &super::operators::Uniting::default())
    }

    /// The tables of a pattern; none is an error, unless all tables are wanted or what is missing may be left out.
    pub fn tables_named_like(&mut self, pattern: &NamePattern, fuzzy: bool) -> Bind<Vec<Relation>> {
        let found = self.matching_tables(pattern);
        if !found.is_empty() || fuzzy {
            return Ok(found);
        }
        if pattern.text == "*" {
            self.say(Diagnostic::warning("KS204", "no table is given: `*` stands for none").at(pattern.span));
            return Ok(vec![self.nothing()]);
        }
        let message = format!("The name '{}' does not refer to any known table.", pattern.text);
        Err(self.error("KS204", message, pattern.span))
    }

    pub fn matching_tables(&mut self, pattern: &NamePattern) -> Vec<Relation> {
        let matching = |name: &String| matches_pattern(&pattern.text, name);
        let mut legs = self.views(&matching, pattern.span);
        let mut names: Vec<String> = self.visible_tables().into_iter().filter(matching).collect();
        if self.settings.open_tables {
            let known = self.catalog.known_tables().into_iter().filter(matching);
            names.extend(known.filter(|name| self.is_visible(name)));
        }
        names.sort();
        names.dedup();
        let all = names.len() > MANY_TABLES && self.settings.open_tables;
        for text in names {
            match all {
                true => legs.push(self.one_of_many(text)),
                false => legs.extend(self.named_table(&Name { text, span: pattern.span })),
            }
        }
        legs
    }

    /// A table of a check that is wanted with all others: it is not read by its name.
    fn one_of_many(&mut self, name: String) -> Relation {
        let schema = self.catalog.schema(&name).unwrap_or_default();
        Relation { table: Some(name), ..self.values(Table::from_rows(schema, &[])) }
    }

    /// The table that a path names: what stands behind its last dot.
    pub fn entity<'e>(&self, path: &'e Path) -> Option<Entity<'e>> {
        let ExpressionKind::Call(base) = &path.base.kind else { return None };
        if !ELSEWHERE.contains(&base.name.text.as_str()) {
            return None;
        }
        match &path.steps.last()?.kind {
            PathStepKind::Member(name) => Some(Entity::Name(name)),
            PathStepKind::Call(call) => Some(Entity::Call(call)),
            PathStepKind::Wildcard(pattern) => Some(Entity::Wildcard(pattern)),
            PathStepKind::Index(_) => None,
        }
    }

    pub fn entity_table(&mut self, entity: Entity) -> Bind<Relation> {
        match entity {
            Entity::Name(name) => self.named_table(name),
            Entity::Wildcard(pattern) => self.tables_like(pattern),
            Entity::Call(call) => {
                let expression = Expression { kind: ExpressionKind::Call(call.clone()), span: call.span };
                self.table(&expression)
            }
        }
    }
}

fn is_optional(watchlist: &str) -> bool {
    OPTIONAL_WATCHLISTS.iter().any(|known| known.eq_ignore_ascii_case(watchlist))
}

/// Tables whose columns depend on what is logged: any name is a column.
fn takes_any_column(name: &str) -> bool {
    matches!(name, "AzureDiagnostics" | "AzureMetrics")
}

pub(super) fn declared<'n>(columns: impl Iterator<Item = (&'n Name, Option<Kind>)>) -> Schema {
    let mut schema = Schema::default();
    for (name, kind) in columns {
        let free = schema.free_name(&name.text);
        schema.set(free, kind.unwrap_or(Kind::Dynamic));
    }
    schema
}

/// Whether `name` matches a pattern whose stars stand for any text.
pub(super) fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
}

crate::pages! {
    /// A table written out: the columns with their kinds, then the values row by row.
    ///
    /// Source: datatable-operator.
    ///
    /// ```kql
    /// datatable(User: string, N: long)["ann", 2, "bob", 3] | summarize sum(N) // 5
    /// ```
    Table "datatable": "datatable(Column: Kind, ...)[Value, ...]";

    /// A table that is read from elsewhere.
    ///
    /// The network is never used: what stands for each address is given beforehand, by the option `externaldata`.
    ///
    /// Source: externaldata-operator.
    ///
    /// ```kql
    /// union isfuzzy=true (print a = 1), (externaldata(a: long)["https://example.org/list.csv"]) | count // 1
    /// ```
    Table "externaldata": "externaldata(Column: Kind, ...)[Address, ...] [with (Property=Value, ...)]";

    /// A table that is computed once and read several times.
    ///
    /// Source: materialize-function.
    ///
    /// ```kql
    /// let t = materialize(range x from 1 to 3 step 1); t | union t | count // 6
    /// ```
    Table "materialize": "materialize(TabularExpression)";

    /// The table of a name that a text gives.
    ///
    /// Source: table-function.
    ///
    /// ```kql
    /// let t = range x from 1 to 3 step 1; table("t") | count // 3
    /// ```
    Table "table": "table(\"Name\")";

    /// The rows of a watchlist: `SearchKey`, `_DTItemId`, `LastUpdatedTimeUTC`, then its own columns, all of them text.
    ///
    /// The list itself is given by the option `watchlists`.
    ///
    /// Source: Microsoft Sentinel, "Use watchlists in queries or detection rules".
    ///
    /// ```kql
    /// union isfuzzy=true (print a = 1), (_GetWatchlist("Absent")) | count // 1
    /// ```
    Table "_GetWatchlist": "_GetWatchlist(\"Alias\")";
}
