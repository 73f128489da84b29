//! `stats`: aggregates of groups.
use super::options::Options;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

/// Options that change nothing here.
const OPTIONS: [&str; 4] = ["allnum", "delim", "partitions", "dedup_splitvals"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let terms = reader.aggregates(&["by"])?;
    let by = if reader.eat_word("by") { reader.fields(&[])? } else { Vec::new() };
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let aggregation = lowering.aggregation(&terms, &by, &rows)?;
    lowering.grouped(&rows, &aggregation)
}

crate::command! {
    /// Aggregates over all rows, or over the rows of each group.
    ///
    /// A row that lacks a field of the groups is in none; one with several values of it is in several. Without groups
    /// there is one row, also over no rows at all. `count(eval(...))` counts the rows for which an expression holds,
    /// and wildcards name several fields: `values(*) as *`. The groups come in the order of their fields.
    ///
    /// Source: stats.
    ///
    /// ```spl
    /// | makeresults count=3 | stats count // 3
    /// | makeresults count=3 | eval n=2 | stats sum(n) as total | fields total // 6
    /// ```
    "stats": "stats <aggregate> [as <field>]... [by <field>...]" = Rows(lower);
}
