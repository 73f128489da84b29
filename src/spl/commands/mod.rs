//! The commands of a search, one file each.
//!
//! # Adding a command
//!
//! Write `commands/x.rs` with its manual page and its lowering, and add one line to [`COMMANDS`]:
//!
//! ```text
//! crate::command! {
//!     /// The rows for which an expression is true.
//!     ///
//!     /// Source: where.
//!     ///
//!     /// ```spl
//!     /// | makeresults | eval n=5 | where n>3 | stats count // 1
//!     /// ```
//!     "where": "where <expression>" = Rows(lower);
//! }
//!
//! fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
//!     let mut reader = Reader::new(command);
//!     let expression = reader.expression()?;
//!     reader.finish()?;
//!     let condition = lowering.condition(&expression, &rows)?;
//!     Ok(lowering.filter(&rows, condition))
//! }
//! ```
//!
//! - `Rows(lower)` takes rows and gives rows; `First(lower)` makes rows and comes first in a search; `Either(lower)`
//!   gets `None` where it comes first; `Elsewhere("what it needs")` is a command that cannot run here.
//! - **Arguments** are read with [`Reader`]: `option()` (`name=value`), `word()`, `field()`, `fields(&stops)`,
//!   `expression()`, `terms(&stops)`, `aggregates(&stops)`, `search()` (a search in brackets); `finish()` at the end
//!   says that what is left is a mistake. Everything that is read carries its place, and errors are [`Diagnostic`]s
//!   with one: `?` hands them on. Options that are only known by name are read with [`options::Options`].
//! - **The input's fields** are `rows.schema`: those that may have a value in some row. `rows.field("x")` is the field
//!   as an expression, absent in every row where the rows lack it; `rows.matching("a*")` are the names that a pattern
//!   stands for.
//! - **Rows are made** with the methods of [`Lowering`]: `filter`, `extend`, `project`, `keep`, `without`, `take`,
//!   `sort`, `union`, `grouped`. A function of the library is called with `call("name", arguments)`.
//! - **A table operation**, for what no plan node does, is a [`crate::plan::TableOperation`] handed to
//!   `lowering.operation(&[&rows], operation, schema)`: it must know its output's fields beforehand.
//! - **Fields that only data tell**: `lowering.seen(&rows, command.name.span)?` gives the rows as a table
//!   (`Some(table)`), or ends the lowering until they have been run (the `?` does this); in a check, where nothing runs,
//!   it gives `None`: answer with `rows.opened()`. Go on with `lowering.known(&rows, table)` instead of `rows`, so that
//!   nothing is run twice.
mod added;
mod addtotals;
mod allnum;
mod anomalydetection;
mod append;
mod bin;
mod chart;
mod concurrency;
mod contingency;
mod convert;
mod dedup;
mod elsewhere;
mod eval;
mod eventstats;
mod extract;
mod fieldformat;
mod fields;
mod fillnull;
mod foreach;
mod from;
mod fromjson;
mod gentimes;
mod head;
mod inputlookup;
mod iplocation;
mod join;
mod labels;
mod lookup;
mod lookup_call;
mod makecontinuous;
mod makemv;
mod makeresults;
mod map;
mod measures;
mod mstats;
mod mvcombine;
pub mod options;
mod outlier;
mod outputlookup;
mod previous;
mod regex;
mod rename;
mod replace;
mod reshape;
mod r#return;
mod rex;
mod search;
mod selfjoin;
mod series;
mod set;
mod sort;
mod spans;
mod sparkline;
mod spath;
mod stats;
mod streamstats;
mod table;
mod timechart;
mod timewrap;
mod top;
mod transaction;
mod trendline;
mod tstats;
mod typer;
mod wanted;
mod r#where;
mod whole;
mod xpath;

pub use r#return::formatted;

use super::ast::Command;
use super::lower::{Lower, Lowering, Rows};
use std::collections::HashMap;
use std::sync::LazyLock;

/// How a command is lowered.
#[derive(Clone, Copy)]
pub enum Lowers {
    /// It takes rows. Where it comes first there are none.
    Rows(fn(&mut Lowering, &Command, Rows) -> Lower<Rows>),
    /// It makes rows, and comes first.
    First(fn(&mut Lowering, &Command) -> Lower<Rows>),
    /// It takes rows, or makes them where it comes first.
    Either(fn(&mut Lowering, &Command, Option<Rows>) -> Lower<Rows>),
    /// It cannot run here: what it would need.
    Elsewhere(&'static str),
}

/// A command: its names, its manual page, its lowering.
pub struct Entry {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// How it is written: what the user gives stands in `<>`, what may be left out in `[]`.
    pub syntax: &'static str,
    /// Markdown, as functions have it: a summary, details, `Source: page.`, and examples that run as tests.
    pub docs: &'static str,
    pub lowers: Lowers,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Entry {
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// Makes `pub static ENTRIES: &[Entry]`, the commands of a file.
#[macro_export]
#[doc(hidden)]
macro_rules! command {
    ($(
        $(#[doc = $doc:literal])*
        $name:literal $(as [$($alias:literal),*])? : $syntax:literal = $form:ident($lowers:expr);
    )*) => {
        /// The commands of this file.
        pub static ENTRIES: &[$crate::spl::commands::Entry] = &[$($crate::spl::commands::Entry {
            name: $name,
            aliases: &[$($($alias),*)?],
            syntax: $syntax,
            docs: concat!($($doc, "\n"),*),
            lowers: $crate::spl::commands::Lowers::$form($lowers),
        }),*];
    };
}

/// Every command, by file.
static COMMANDS: &[&[Entry]] = &[
    added::ENTRIES,
    addtotals::ENTRIES,
    anomalydetection::ENTRIES,
    append::ENTRIES,
    bin::ENTRIES,
    chart::ENTRIES,
    concurrency::ENTRIES,
    contingency::ENTRIES,
    convert::ENTRIES,
    dedup::ENTRIES,
    elsewhere::ENTRIES,
    eval::ENTRIES,
    eventstats::ENTRIES,
    extract::ENTRIES,
    fieldformat::ENTRIES,
    fields::ENTRIES,
    fillnull::ENTRIES,
    foreach::ENTRIES,
    from::ENTRIES,
    fromjson::ENTRIES,
    gentimes::ENTRIES,
    head::ENTRIES,
    inputlookup::ENTRIES,
    iplocation::ENTRIES,
    join::ENTRIES,
    labels::ENTRIES,
    lookup::ENTRIES,
    makecontinuous::ENTRIES,
    makemv::ENTRIES,
    makeresults::ENTRIES,
    map::ENTRIES,
    mstats::ENTRIES,
    mvcombine::ENTRIES,
    outlier::ENTRIES,
    outputlookup::ENTRIES,
    previous::ENTRIES,
    regex::ENTRIES,
    rename::ENTRIES,
    replace::ENTRIES,
    reshape::ENTRIES,
    r#return::ENTRIES,
    rex::ENTRIES,
    search::ENTRIES,
    selfjoin::ENTRIES,
    set::ENTRIES,
    sort::ENTRIES,
    spath::ENTRIES,
    stats::ENTRIES,
    streamstats::ENTRIES,
    table::ENTRIES,
    timechart::ENTRIES,
    timewrap::ENTRIES,
    top::ENTRIES,
    transaction::ENTRIES,
    trendline::ENTRIES,
    tstats::ENTRIES,
    typer::ENTRIES,
    r#where::ENTRIES,
    xpath::ENTRIES,
];

/// Every command.
pub fn commands() -> impl Iterator<Item = &'static Entry> {
    COMMANDS.iter().flat_map(|file| file.iter())
}

/// The names of all commands, other spellings among them.
pub fn names() -> impl Iterator<Item = &'static str> {
    commands().flat_map(Entry::names)
}

/// The command of that name, in lower case.
pub fn find(name: &str) -> Option<&'static Entry> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Entry>> =
        LazyLock::new(|| commands().flat_map(|entry| entry.names().map(move |name| (name, entry))).collect());
    INDEX.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_manual_page_and_no_name_twice() {
        let mut seen = std::collections::HashSet::new();
        for entry in commands() {
            assert!(entry.docs.lines().any(|line| line.trim().starts_with("Source: ")), "{entry:?} names no source");
            let runs = !matches!(entry.lowers, Lowers::Elsewhere(_));
            assert!(!runs || !crate::functions::examples(entry.docs).is_empty(), "{entry:?} has no example");
            assert!(entry.names().all(|name| seen.insert(name)), "{entry:?} has a name of another");
        }
    }
}
