//! Rows of further searches: `append`, `appendpipe`, `appendcols`, `union`, `multisearch`.
use super::labels::newest_first;
use super::options::Options;
use crate::diagnostic::{Diagnostic, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Search};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, gather};
use std::sync::Arc;

/// Rows of a search in brackets that are appended, where no other number is said.
const MOST_ROWS: u64 = 50_000;
const OPTIONS: [&str; 6] = ["extendtimerange", "maxtime", "maxout", "timeout", "override", "run_in_preview"];

fn append(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &OPTIONS)?;
    let search = reader.needed_search()?;
    reader.finish()?;
    let most = options.count("maxout")?.unwrap_or(MOST_ROWS);
    let more = lowering.subsearch(search, if most == 0 { u64::MAX } else { most })?;
    Ok(lowering.union(&[rows, more]))
}

fn appendpipe(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    Options::read(&mut reader, &OPTIONS)?;
    let search = reader.needed_search()?;
    reader.finish()?;
    let more = lowering.search(search, Some(rows.clone()))?;
    Ok(lowering.union(&[rows, more]))
}

fn appendcols(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &OPTIONS)?;
    let search = reader.needed_search()?;
    reader.finish()?;
    let more = lowering.subsearch(search, options.count("maxout")?.unwrap_or(MOST_ROWS))?;
    let mut schema = rows.schema.clone();
    more.names().for_each(|name| schema.set(name.clone(), Kind::Field));
    let operation = BesideEachOther { overrides: options.flag("override")?.unwrap_or(false), schema: schema.clone() };
    Ok(lowering.operation(&[&rows, &more], Arc::new(operation), schema))
}

fn union(lowering: &mut Lowering, command: &Command, input: Option<Rows>) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &OPTIONS)?;
    let most = options.count("maxout")?.unwrap_or(MOST_ROWS);
    let comes_first = input.is_none();
    let mut all: Vec<Rows> = input.into_iter().collect();
    while !reader.at_end() {
        while reader.eat(",") {}
        match reader.search() {
            Some(search) => all.push(lowering.subsearch(search, if most == 0 { u64::MAX } else { most })?),
            None => return Err(reader.expected("a search in square brackets").into()),
        }
    }
    let rows = lowering.union(&all);
    // Searches of events alone run side by side.
    match comes_first && streams(command) {
        true => by_time(lowering, rows),
        false => Ok(rows),
    }
}

/// Commands that take each event by itself: searches of these alone give events in the order of their time.
const STREAMING: [&str; 19] = [
    "search", "where", "eval", "fields", "rename", "rex", "regex", "extract", "kv", "lookup", "fillnull", "makemv",
    "mvexpand", "nomv", "replace", "spath", "strcat", "xmlkv", "addinfo",
];

fn streams(command: &Command) -> bool {
    let is_streaming =
        |search: &Search| search.commands.iter().all(|own| STREAMING.iter().any(|name| own.name.is(name)));
    command.searches.iter().all(is_streaming)
}

/// Events of several searches between each other, the newest first.
fn by_time(lowering: &mut Lowering, rows: Rows) -> Lower<Rows> {
    match rows.has("_time") {
        true => newest_first(lowering, &rows),
        false => Ok(rows),
    }
}

fn multisearch(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut all = Vec::new();
    while let Some(search) = reader.search() {
        all.push(lowering.search(search, None)?);
    }
    reader.finish()?;
    if all.len() < 2 {
        return Err(Diagnostic::error("HP504", "`multisearch` takes at least two searches in brackets")
            .at(command.span)
            .into());
    }
    let rows = lowering.union(&all);
    by_time(lowering, rows)
}

/// The fields of two tables row by row.
#[derive(Debug)]
struct BesideEachOther {
    /// Whether fields of the second take the place of those of the first.
    overrides: bool,
    schema: Schema,
}

impl TableOperation for BesideEachOther {
    fn name(&self) -> &str {
        "appendcols"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [left, right] = inputs else { return Ok(Table::from_rows(self.schema.clone(), &[])) };
        let rows = left.rows().max(right.rows());
        let column = |name: &Name| {
            let (first, second) = match self.overrides {
                true => (right, left),
                false => (left, right),
            };
            let found = first.column_named(name).or_else(|| second.column_named(name));
            Stored::Column(padded(found.unwrap_or(Column::nulls(Kind::Field, 0)), rows))
        };
        let columns = self.schema.names().map(column).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows, columns }]))
    }
}

fn padded(column: Column, rows: usize) -> Column {
    match rows.checked_sub(column.len()).filter(|missing| *missing > 0) {
        Some(missing) => {
            let nulls = Column::nulls(Kind::Field, missing);
            gather::concat(&[column, nulls]).unwrap_or(Column::nulls(Kind::Field, rows))
        }
        None => column,
    }
}

crate::command! {
    /// The rows, and behind them those of a search in brackets: at most 50,000 unless `maxout` says otherwise.
    ///
    /// Source: append.
    ///
    /// ```spl
    /// | makeresults | append [| makeresults count=2] | stats count // 3
    /// ```
    "append": "append [maxout=<count>] [<search>]" = Rows(append);

    /// The rows, and behind them what commands in brackets make of these rows.
    ///
    /// Source: appendpipe.
    ///
    /// ```spl
    /// | makeresults count=2 | appendpipe [stats count] | stats count // 3
    /// ```
    "appendpipe": "appendpipe [<commands>]" = Rows(appendpipe);

    /// The fields of a search in brackets beside those of the rows, first row beside first row.
    ///
    /// A field that both have keeps its value, unless `override=true`.
    ///
    /// Source: appendcols.
    ///
    /// ```spl
    /// | makeresults | eval a=1 | appendcols [| makeresults | eval b=2] | fields b | fields - _time // 2
    /// ```
    "appendcols": "appendcols [override=true] [<search>]" = Rows(appendcols);

    /// The rows of several searches in brackets behind each other; behind a pipe, the rows at hand first. Searches that
    /// only choose events and add fields to them give their events together, newest first.
    ///
    /// Source: union.
    ///
    /// ```spl
    /// | union [| makeresults] [| makeresults count=2] | stats count // 3
    /// ```
    "union": "union [maxout=<count>] [<search>] [<search>]..." = Either(union);

    /// The events of several searches in brackets together, newest first.
    ///
    /// Source: multisearch.
    ///
    /// ```spl
    /// | multisearch [| makeresults] [| makeresults] | stats count // 2
    /// ```
    "multisearch": "multisearch [<search>] [<search>]..." = First(multisearch);
}
