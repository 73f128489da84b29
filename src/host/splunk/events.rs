//! The pipeline's events as tables: what a query may name before the events are there, and how they are read when
//! they come.
use super::order::PLACE;
use super::states::STATE;
use crate::diagnostic::{Fault, Result};
use crate::engine::{Data, Database, Functions};
use crate::kql::lex::{self, Token, TokenKind};
use crate::plan::{Needs, Scan, Source};
use crate::read::{Belonging, Header, Layout, Mapping, Owner, known_schema};
use crate::types::{Kind, Name, Schema};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The table of all events.
pub const EVENTS: &str = "Events";
/// A column that stands for all that nobody knows before the events come. No query can name it.
const REST: &str = "\u{1}rest";
/// Fields that Splunk gives to every event.
const OWN_FIELDS: [&str; 7] = ["_raw", "_time", "host", "index", "source", "sourcetype", "splunk_server"];

/// Which tables the events are.
#[derive(Clone, Debug)]
pub struct Tables {
    pub mapping: Arc<Mapping>,
    /// The table that every event is a row of, whatever its sourcetype.
    pub given: Option<String>,
    /// The tables that the query names.
    named: BTreeSet<String>,
    /// Fields that the query names.
    fields: BTreeSet<String>,
}

/// What is known of the fields of the events.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// Nothing: others than those that the query reads may be there.
    Unknown,
    /// Those that the query reads, and no others: what is shared by processes that see other events.
    Read,
    /// Those of a header, and those that the query reads.
    Of(&'a Header),
}

/// Events as rows that pass.
#[derive(Debug)]
struct Stream {
    schema: Schema,
    number: u64,
}

impl Source for Stream {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity(&self) -> u64 {
        self.number
    }

    fn scan(&self, _: &Needs) -> Result<Box<dyn Scan>> {
        Err(Fault::internal("the events of a pipeline were to be read at once"))
    }

    fn is_stream(&self) -> bool {
        true
    }
}

impl Tables {
    /// The tables that a text of KQL may name.
    pub fn new(mapping: Arc<Mapping>, given: Option<String>, text: &str, functions: &Functions) -> Tables {
        let mut names = Names::of(text);
        let mut todo: Vec<String> = names.used.iter().cloned().collect();
        while let Some(name) = todo.pop() {
            let Some(source) = functions.get(&name) else { continue };
            let more = Names::of(&source.text);
            todo.extend(more.used.difference(&names.used).cloned());
            names.used.extend(more.used);
            names.fields.extend(more.fields);
        }
        let is_table = |name: &&String| {
            let mapped = mapping.tables().any(|table| table == *name);
            mapped || given.as_ref() == Some(*name) || *name == EVENTS || known_schema(name).is_some()
        };
        let mut named: BTreeSet<String> = names.used.iter().filter(is_table).cloned().collect();
        named.extend([EVENTS.to_owned()].into_iter().chain(given.clone()));
        let own = OWN_FIELDS.iter().map(|name| (*name).to_owned()).filter(|name| names.used.contains(name));
        let fields = names.fields.iter().cloned().chain(own).collect();
        Tables { mapping, given, named, fields }
    }

    /// The names of the tables that the events are put into.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str)
    }

    /// Adds the tables to a database, as rows that pass.
    pub fn add_to(&self, database: &mut Database, fields: Fields) {
        for table in &self.named {
            static NEXT: AtomicU64 = AtomicU64::new(1 << 63);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let stream = Stream { schema: self.schema(table, fields), number };
            database.add_table(table, Data::Source(Arc::new(stream)));
        }
    }

    /// Takes a name that binding did not find for that of a field; false where it is one already.
    pub fn add_field(&mut self, name: &str) -> bool {
        self.fields.insert(name.to_owned())
    }

    /// Fields that the query reads and a header lacks.
    pub fn lacking<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a str> {
        self.fields.iter().map(String::as_str).filter(|field| header.position(field).is_none())
    }

    /// The columns of a table. Those of a known one do not hang on the events.
    pub fn schema(&self, table: &str, fields: Fields) -> Schema {
        let mut schema = match self.owner(table) {
            Some(owner) => self.known(&owner),
            None => Schema::from_iter([("_time", Kind::DateTime), ("TimeGenerated", Kind::DateTime)]),
        };
        let mut add = |name: &str| {
            if !schema.contains(name) {
                schema.set(name.into(), Kind::String);
            }
        };
        if self.owner(table).is_none() {
            if let Fields::Of(header) = fields {
                header.fields().filter(|name| !matches!(&***name, PLACE | STATE)).for_each(|name| add(name));
            }
            self.fields.iter().for_each(|name| add(name));
        }
        if matches!(fields, Fields::Unknown) {
            add(REST);
        }
        schema
    }

    /// The columns of Log Analytics, those that the map adds, and those of Splunk that the query names.
    fn known(&self, owner: &Owner) -> Schema {
        let mut schema = known_schema(&owner.table).cloned().unwrap_or_default();
        let own = OWN_FIELDS.iter().copied().filter(|name| self.fields.contains(*name));
        for name in owner.mapping.columns_of(&owner.table).chain(own) {
            if !schema.contains(name) {
                let kind = if matches!(name, "_time" | "TimeGenerated") { Kind::DateTime } else { Kind::String };
                schema.set(name.into(), kind);
            }
        }
        schema
    }

    /// Whose rows the events of a table are; none for the events as they are.
    fn owner(&self, table: &str) -> Option<Owner> {
        let is_given = self.given.as_deref() == Some(table);
        let is_known = known_schema(table).is_some() || self.mapping.tables().any(|known| known == table);
        let belonging = if is_given { Belonging::All } else { Belonging::Mapped };
        is_known.then(|| Owner { table: table.to_owned(), mapping: self.mapping.clone(), belonging })
    }

    /// How the records under a header are read as rows of a table.
    pub fn layout(&self, table: &str, header: &Header, wanted: &[(Name, Kind)]) -> Layout {
        Layout::new(header, wanted, self.owner(table).as_ref())
    }

    /// The fields that columns of a table are read from; none where all may be.
    pub fn fields_of(&self, table: &str, columns: &[(Name, Kind)]) -> Option<BTreeSet<String>> {
        if columns.iter().any(|(column, _)| is_rest(column)) {
            return None;
        }
        let mut fields = BTreeSet::new();
        let Some(owner) = self.owner(table) else {
            let of_events = |(column, _): &(Name, Kind)| match &**column {
                "TimeGenerated" => "_time".to_owned(),
                column => column.to_owned(),
            };
            fields.extend(columns.iter().map(of_events));
            return Some(fields);
        };
        columns.iter().for_each(|(column, _)| fields.extend(owner.mapping.fields(table, column)));
        fields.extend(["_raw", "sourcetype"].map(str::to_owned));
        Some(fields)
    }

    /// What is said where none of the events is a row of a table.
    pub fn none_in(&self, table: &str, events: usize) -> String {
        let known: Vec<&str> = self.mapping.sourcetypes_of(table).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!(
            "none of the {events} events is a row of {table}: of its sourcetypes ({known}) there is no event; \
             map others in local/huntpack_tables.conf, or take all events as its rows with table={table}"
        )
    }

    /// Whether a column of a table may have values under a header.
    pub fn may_hold(&self, table: &str, column: &Name, header: &Header) -> bool {
        let Some(owner) = self.owner(table) else { return false };
        let folded = |name: &str| name.to_ascii_lowercase();
        let fields: BTreeSet<String> = owner.mapping.fields(table, column).iter().map(|field| folded(field)).collect();
        header.fields().any(|name| **name == *"_raw" || fields.contains(&folded(name)))
    }
}

/// Whether a column stands for those that nobody knows.
pub fn is_rest(column: &Name) -> bool {
    **column == *REST
}

/// The names in a text of KQL, as far as its tokens tell.
#[derive(Default)]
struct Names {
    used: BTreeSet<String>,
    /// Columns that may be there: `column_ifexists("x", "")`.
    fields: BTreeSet<String>,
}

impl Names {
    fn of(text: &str) -> Names {
        let (tokens, _) = lex::lex(text);
        let mut names = Names::default();
        let written = |token: &Token| token.span.text(text);
        for token in tokens.iter().filter(|token| token.kind == TokenKind::Word) {
            names.used.insert(written(token).to_owned());
        }
        for call in tokens.windows(3) {
            let [function, _, argument] = call else { continue };
            let asks = matches!(written(function), "column_ifexists" | "columnifexists");
            if asks && argument.kind == TokenKind::String {
                names.fields.insert(lex::decode(written(argument)).0);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Tables {
        Tables::new(Mapping::builtin().clone(), None, text, &Functions::default())
    }

    #[test]
    fn a_query_tells_its_tables() {
        let mut found = tables("SigninLogs | where host == column_ifexists('my field', '')");
        assert_eq!(found.named.iter().collect::<Vec<_>>(), ["Events", "SigninLogs"]);
        assert_eq!(found.fields.iter().collect::<Vec<_>>(), ["host", "my field"]);
        assert!(found.add_field("user") && !found.add_field("user"));
        assert!(found.schema("Events", Fields::Read).contains("user"));
    }

    #[test]
    fn known_tables_do_not_hang_on_the_events() {
        let found = tables("SigninLogs | where user == '' and host == ''");
        let schema = found.schema("SigninLogs", Fields::Unknown);
        assert!(schema.contains("UserPrincipalName") && schema.contains("host") && !schema.contains("user"));
        let fields = found.fields_of("SigninLogs", &[("UserPrincipalName".into(), Kind::String)]).unwrap();
        for field in ["UserPrincipalName", "user", "_raw", "sourcetype", "properties.userPrincipalName"] {
            assert!(fields.contains(field), "{field}");
        }
    }
}
