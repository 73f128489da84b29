//! What a plan reads from: declared here, so that front ends and the executor know neither files nor hosts.
use super::{EventType, InMemory, Lookup, LookupWriter, Macro, Tag};
use crate::diagnostic::{self, Result};
use crate::expr::Expr;
use crate::functions::search::Place;
use crate::functions::{self, Context, Dialect};
use crate::types::{Column, Kind, Name, Problem, Schema, Table, Value};
use std::fmt::Debug;
use std::sync::Arc;

/// Rows with a schema: a table in memory, files, a stream.
pub trait Source: Send + Sync + Debug {
    fn schema(&self) -> &Schema;

    /// Tells sources apart: equal only for the same rows.
    fn identity(&self) -> u64;

    /// As [`Source::identity`], for all processes and for as long as the rows stay the same; none where that is not
    /// known, or not worth it.
    fn lasting_identity(&self) -> Option<&str> {
        None
    }

    /// Begins to read. The columns that the plan names, its time window, its cheap predicates.
    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>>;

    /// The table, where the rows are in memory already.
    fn table(&self) -> Option<&Table> {
        None
    }

    /// Whether its rows pass once, piece by piece, and cannot be scanned.
    fn is_stream(&self) -> bool {
        false
    }

    /// Whether morsels that are kept hold little memory, and give the columns of some of their rows cheaply.
    fn may_be_kept(&self) -> bool {
        self.table().is_some()
    }
}

/// What a plan needs of a source.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// In this order.
    pub columns: Vec<Name>,
    /// Rows outside it may be left out, and need not be.
    pub window: Option<Window>,
    /// Rows that fail one of these may be left out, and need not be.
    pub tests: Vec<TextTest>,
    /// How many rows a morsel should have.
    pub morsel_rows: usize,
}

/// Ticks of a datetime column: `after < value <= until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub column: Name,
    pub after: i64,
    pub until: i64,
}

/// Texts one of which a string column must be or hold, or none of which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTest {
    pub column: Name,
    pub values: Vec<String>,
    pub how: TextMatch,
    pub negated: bool,
}

/// What a text has to do with the texts of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// It is one of them.
    Equal,
    /// One of them stands in it, at such a place.
    Holds { place: Place, exact_case: bool },
}

impl Window {
    /// The window as conjuncts on its column.
    pub fn predicate(&self) -> Vec<Expr> {
        let compare = |operator: &str, ticks: i64| {
            let item = functions::find(Dialect::Kql, operator).first()?;
            let column = Expr::column(&self.column, Kind::DateTime);
            Some(Expr::call(item, vec![column, Expr::Const(Value::DateTime(ticks))]))
        };
        [compare(">", self.after), compare("<=", self.until)].into_iter().flatten().collect()
    }
}

/// A reading under way, shared by threads: each takes the next piece, and reads it on its own.
pub trait Scan: Send + Sync {
    /// The next piece, none at the end. Cheap: the work is in [`Piece::read`].
    fn next(&self) -> Result<Option<Box<dyn Piece>>>;

    /// How much of the input is read, from 0 to 1.
    fn progress(&self) -> f64 {
        0.0
    }

    /// Bad rows found so far.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Some consecutive rows, not read yet.
pub trait Piece: Send {
    /// Its place among the pieces of the scan.
    fn ordinal(&self) -> u32;

    fn read(self: Box<Self>, context: &Context) -> Result<Box<dyn Morsel>>;
}

/// Some consecutive rows, whose columns are loaded when they are asked for.
pub trait Morsel: Send + Sync {
    fn rows(&self) -> usize;

    /// How many rows of the window a test of [`Needs::tests`] has left out.
    fn left_out(&self) -> usize {
        0
    }

    /// Whether all rows are known to lie in [`Needs::window`].
    fn lies_in_window(&self) -> bool {
        false
    }

    /// Tells which of [`Needs::columns`] will most likely be asked for, in this order: where threads have no work,
    /// they may be made ready.
    fn expect(&self, _columns: &[usize]) {}

    /// Column `at` of [`Needs::columns`]: all rows, or those of `rows`.
    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column>;
}

/// How the data of a URL are written, as far as a query says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalForm {
    /// A format's name, as Kusto has it: what counts where the data do not tell their own.
    pub format: Option<String>,
    /// Plain text.
    pub text: Option<TextForm>,
    /// Whether the first record is a header.
    pub skips_first: bool,
}

/// What is one value of a plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    Lines,
    Whole,
}

/// What names in a query stand for.
pub trait Catalog {
    /// The table of that name; none where there is none.
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Source>>>;

    /// The names of all tables.
    fn tables(&self) -> Vec<String>;

    /// The declared or well-known schema of a table that may hold no data.
    fn schema(&self, name: &str) -> Option<Schema>;

    /// The names of the tables whose schema is known, whether they hold data or not.
    fn known_tables(&self) -> Vec<String> {
        Vec::new()
    }

    /// A watchlist; none where there is none of that alias.
    fn watchlist(&self, alias: &str) -> Result<Option<Arc<dyn Source>>>;

    fn watchlists(&self) -> Vec<String>;

    /// A saved function, `(parameters) { body }` or a query, with the file that it comes from.
    fn function(&self, name: &str) -> Option<Arc<diagnostic::Source>>;

    fn functions(&self) -> Vec<String>;

    /// The data that stands for a URL of `externaldata`, read with the schema that the query declares.
    fn external(&self, url: &str, schema: &Schema, form: &ExternalForm) -> Result<Option<Arc<dyn Source>>>;

    /// The data that stands for the URL of a storage, with its own columns: of a folder, the files whose names begin
    /// and end as given.
    fn stored(&self, _url: &str, _start: &str, _end: &str) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    /// The events that a search looks at: the rows of all tables, one table after the other, as one source whose
    /// columns are all of the kind field.
    ///
    /// With `fields` the schema holds exactly these, in their order, and no more is read of the events; a field that
    /// no event has is absent everywhere. Without, the schema holds every field that any event has, which costs a look
    /// at all of them.
    fn events(&self, fields: Option<&[Name]>) -> Result<Arc<dyn Source>> {
        let schema = fields.into_iter().flatten().map(|name| (name.clone(), Kind::Field)).collect();
        Ok(InMemory::source(Table::from_rows(schema, &[])))
    }

    /// The events of a data model (`Web`) or of one of its datasets (`Endpoint.Processes`), with the fields that the
    /// dataset defines; none where there is no such data model and no event has fields of that name.
    ///
    /// With `prefixed` the fields of a dataset carry its name (`Processes.user`), as `tstats` names them; the field
    /// `nodename` holds the datasets that an event is in. `fields` as in [`Catalog::events`].
    fn dataset(&self, _path: &str, _prefixed: bool, _fields: Option<&[Name]>) -> Result<Option<Arc<dyn Source>>> {
        Ok(None)
    }

    /// Whether events may tell where they come from by this field: `sourcetype`, `index`.
    fn events_tell(&self, _field: &str) -> bool {
        true
    }

    /// The search macro of that name with so many arguments.
    fn search_macro(&self, _name: &str, _arguments: usize) -> Option<Macro> {
        None
    }

    /// The names of all search macros, those with arguments as `name(2)`.
    fn search_macros(&self) -> Vec<String> {
        Vec::new()
    }

    /// A lookup by its definition's name or its file's; none where there is none.
    fn lookup(&self, _name: &str) -> Result<Option<Lookup>> {
        Ok(None)
    }

    fn lookups(&self) -> Vec<String> {
        Vec::new()
    }

    /// What keeps rows under a lookup's name, in memory, for the searches that follow; none where nothing is kept.
    fn lookup_writer(&self, _name: &str) -> Option<LookupWriter> {
        None
    }

    /// The file that is written with a lookup's rows; none where they are kept in memory alone.
    fn lookup_file(&self, _name: &str) -> Option<String> {
        None
    }

    /// The event types that searches may name.
    fn event_types(&self) -> Vec<EventType> {
        Vec::new()
    }

    /// The tags of field values.
    fn event_tags(&self) -> Vec<Tag> {
        Vec::new()
    }
}
