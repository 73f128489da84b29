//! Everything that has a name: columns, variables, tables, functions, operators, words of the grammar.
use super::CompletionKind;
use crate::engine::Database;
use crate::functions::aggregates;
use crate::functions::{self, Dialect};
use crate::kql::bind::{CHARTS, Named, Visible, plugins};
use crate::kql::{self, Page, Subject, Wanted};
use crate::plan::Catalog;
use crate::types::Kind;

/// Operators that a query may begin with.
const LEADING: &[&str] = &["print", "range", "union", "search", "find"];

/// A name that may stand at the place, if it fits what is written.
pub(super) struct Candidate {
    pub label: String,
    pub kind: CompletionKind,
    pub insert: String,
    pub detail: String,
    /// The smaller, the earlier among those that fit alike.
    pub rank: u8,
}

/// The candidates of a place.
pub(super) struct Candidates<'a> {
    database: &'a Database,
    seen: Visible,
    written: &'a str,
    pub found: Vec<Candidate>,
}

impl<'a> Candidates<'a> {
    pub fn new(database: &'a Database, seen: Visible, written: &'a str) -> Self {
        Candidates { database, seen, written, found: Vec::new() }
    }

    /// Adds what the grammar looks for.
    pub fn wanted(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Statement => self.statements(),
            Wanted::Operator => self.pages(Subject::Operator, CompletionKind::Operator, |_| true),
            Wanted::Expression => self.expressions(),
            Wanted::Infix => self.infix(),
            Wanted::Table => self.tables(),
            Wanted::Column => self.columns(),
            Wanted::Member => self.columns_of_side(),
            Wanted::Plugin => plugins().for_each(|plugin| {
                let nothing = plugin.parameters.is_empty();
                self.call(plugin.name, CompletionKind::Plugin, nothing, functions::summary(plugin.docs), 0);
            }),
            Wanted::Function => self.row_functions(),
            Wanted::Kind => Kind::KQL.iter().for_each(|kind| self.add(kind.name(), CompletionKind::Kind, "", 0)),
            Wanted::Chart => CHARTS.iter().for_each(|chart| self.add(chart, CompletionKind::Keyword, "", 0)),
            Wanted::Word("|") => self.add("|", CompletionKind::Keyword, "the next operator", 6),
            Wanted::Word(word) => self.add(word, CompletionKind::Keyword, "", 0),
            Wanted::Parameter(name) => {
                self.push(name, CompletionKind::Parameter, format!("{name}="), String::new(), 1);
            }
        }
    }

    fn add(&mut self, label: &str, kind: CompletionKind, detail: &str, rank: u8) {
        self.push(label, kind, label.to_owned(), detail.to_owned(), rank);
    }

    fn push(&mut self, label: &str, kind: CompletionKind, insert: String, detail: String, rank: u8) {
        self.found.push(Candidate { label: label.to_owned(), kind, insert, detail, rank });
    }

    fn call(&mut self, name: &str, kind: CompletionKind, takes_nothing: bool, detail: String, rank: u8) {
        let insert = if takes_nothing { format!("{name}()") } else { format!("{name}(") };
        self.push(name, kind, insert, detail, rank);
    }

    fn pages(&mut self, subject: Subject, kind: CompletionKind, fits: impl Fn(&Page) -> bool) {
        for page in kql::pages().filter(|page| page.subject == subject && fits(page)) {
            let summary = functions::summary(page.docs);
            match subject {
                Subject::Function | Subject::InOrder | Subject::Table => {
                    let nothing = page.syntax.ends_with("()");
                    self.call(page.name, kind, nothing, page.syntax.to_owned(), 4);
                }
                _ => self.add(page.name, kind, &summary, 2),
            }
        }
    }

    fn statements(&mut self) {
        self.tables();
        self.pages(Subject::Statement, CompletionKind::Keyword, |_| true);
        self.leading();
    }

    fn leading(&mut self) {
        self.pages(Subject::Operator, CompletionKind::Operator, |page| LEADING.contains(&page.name));
        self.pages(Subject::Table, CompletionKind::Function, |_| true);
    }

    /// Tables that are given, functions of the workspace, names of the query; well-known tables once a letter of
    /// theirs is written.
    fn tables(&mut self) {
        self.names(|named| matches!(named, Named::Table | Named::Function | Named::Pattern));
        let declared = self.database.declared_tables().map(str::to_owned);
        for name in self.database.tables().into_iter().chain(declared) {
            let columns = self.database.schema(&name).map_or(0, |schema| schema.len());
            let detail = if columns > 0 { format!("{columns} columns") } else { String::new() };
            self.push(&name, CompletionKind::Table, quoted(&name), detail, 0);
        }
        self.saved(1);
        if !self.written.is_empty() {
            let known = self.database.known_tables();
            known.iter().for_each(|name| self.push(name, CompletionKind::Table, quoted(name), String::new(), 5));
        }
    }

    fn saved(&mut self, rank: u8) {
        for name in self.database.functions() {
            self.push(&name, CompletionKind::Function, quoted(&name), "saved function".to_owned(), rank);
        }
    }

    fn row_functions(&mut self) {
        self.names(|named| matches!(named, Named::Function));
        self.saved(1);
    }

    fn columns(&mut self) {
        for (name, kind) in std::mem::take(&mut self.seen.columns) {
            self.push(&name, CompletionKind::Column, quoted(&name), kind.name().to_owned(), 1);
        }
    }

    /// Behind a dot only a side of a join has names that are known.
    fn columns_of_side(&mut self) {
        if self.seen.side {
            self.columns();
        }
    }

    fn names(&mut self, fits: impl Fn(Named) -> bool) {
        let names = self.seen.names.clone();
        for (name, named) in names.into_iter().filter(|(_, named)| fits(*named)) {
            let detail = match named {
                Named::Scalar(kind) => kind.name(),
                Named::Table => "table",
                Named::Function => "function",
                Named::Pattern => "pattern",
                Named::Side => "side of the join",
            };
            match named {
                Named::Function | Named::Pattern => {
                    self.call(&name, CompletionKind::Variable, false, detail.to_owned(), 1);
                }
                Named::Side => self.push(&name, CompletionKind::Variable, format!("{name}."), detail.to_owned(), 2),
                _ => self.push(&name, CompletionKind::Variable, quoted(&name), detail.to_owned(), 1),
            }
        }
    }

    fn expressions(&mut self) {
        self.columns();
        self.names(|_| true);
        if self.seen.aggregates {
            self.aggregates();
        }
        if !self.seen.row {
            self.tables();
            self.leading();
        }
        self.functions();
        self.saved(4);
    }

    fn aggregates(&mut self) {
        for item in aggregates::all().filter(|item| item.dialect == Dialect::Kql) {
            let nothing = item.parameters.is_empty();
            self.call(item.name, CompletionKind::Aggregate, nothing, item.signature(), 0);
        }
        for (name, item) in aggregates::conditional() {
            self.call(name, CompletionKind::Aggregate, false, item.signature_if(name), 0);
        }
    }

    fn functions(&mut self) {
        self.pages(Subject::Function, CompletionKind::Function, |_| true);
        if self.seen.in_order {
            self.pages(Subject::InOrder, CompletionKind::Function, |_| true);
        }
        let is_name = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && !kql::is_infix(name);
        for item in functions::all().filter(|item| item.dialect == Dialect::Kql && is_name(item.name)) {
            self.call(item.name, CompletionKind::Function, item.parameters.is_empty(), item.signature(), 4);
        }
    }

    fn infix(&mut self) {
        for item in functions::all().filter(|item| item.dialect == Dialect::Kql && kql::is_infix(item.name)) {
            self.add(item.name, CompletionKind::Operator, &functions::summary(item.docs), 2);
        }
        self.pages(Subject::Infix, CompletionKind::Operator, |_| true);
    }
}

/// The watchlists that are given.
pub(super) fn watchlists(database: &Database) -> Vec<Candidate> {
    let candidate = |label: String| Candidate {
        insert: label.clone(),
        label,
        kind: CompletionKind::Watchlist,
        detail: String::new(),
        rank: 0,
    };
    database.watchlists().into_iter().map(candidate).collect()
}

/// A name as a query writes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => name.to_owned(),
        false => format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}
