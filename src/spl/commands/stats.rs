//! `stats`: aggregates of groups.
use super::options::Options;
use super::{allnum, sparkline};
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::call;
use crate::spl::lower::{Aggregation, Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::Name;

const OPTIONS: [&str; 4] = ["allnum", "delim", "partitions", "dedup_splitvals"];

/// Aggregates whose values are several.
const LISTS: [&str; 2] = ["list", "values"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let mut terms = reader.aggregates(&["by"])?;
    options.read_more(&mut reader, &OPTIONS)?;
    terms.extend(reader.aggregates(&["by"])?);
    let by = reader.by()?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    if terms.is_empty() {
        let said = Diagnostic::error("HP504", "`stats` needs an aggregate such as count or sum(field)");
        return Err(said.at(command.span).into());
    }
    let rows = match options.flag("dedup_splitvals")?.unwrap_or(false) {
        true => with_each_value_once(lowering, &rows, &by)?,
        false => rows,
    };
    if sparkline::is_among(&terms) {
        return sparkline::grouped(lowering, &rows, &terms, &by, command.name.span);
    }
    let mut aggregation = lowering.aggregation(&terms, &by, &rows)?;
    if let Some(between) = options.text("delim") {
        note_delimiter(lowering, &aggregation, between);
    }
    if !options.flag("allnum")?.unwrap_or(false) {
        return lowering.grouped(&rows, &aggregation);
    }
    let guards = allnum::guard(lowering, &mut aggregation)?;
    let made = lowering.grouped(&rows, &aggregation)?;
    allnum::guarded(lowering, made, guards)
}

/// The rows with what several values of the groups' fields have twice left out.
fn with_each_value_once(lowering: &mut Lowering, rows: &Rows, by: &[Word]) -> Lower<Rows> {
    let known = by.iter().map(|word| Name::from(word.text.as_str())).filter(|name| rows.has(name));
    let once = known.map(|name| Ok((name.clone(), call("mvdedup", vec![rows.field(&name)])?)));
    let once = once.collect::<Lower<_>>()?;
    Ok(lowering.extend(rows, once))
}

/// What `nomv` puts between the values of lists.
fn note_delimiter(lowering: &mut Lowering, aggregation: &Aggregation, between: &str) {
    let lists = aggregation.calls.iter().filter(|made| LISTS.contains(&made.call.function.name));
    lists.for_each(|made| {
        lowering.delimiters.insert(made.name.clone(), between.to_owned());
    });
}

crate::command! {
    /// Aggregates over all rows, or over the rows of each group.
    ///
    /// A row that lacks a field of the groups is in none; one with several values of it is in several, and with
    /// `dedup_splitvals=true` in each of them once. Without groups there is one row, also over no rows at all.
    /// `count(eval(...))` counts the rows for which an expression holds, and wildcards name several fields:
    /// `values(*) as *`. The groups come in the order of their fields. With `allnum=true` sums and their kin have a value
    /// only where all values of their field are numbers; `delim` is what `nomv` puts between the values of a list.
    ///
    /// `sparkline`, `sparkline(sum(x))` and `sparkline(count, 1h)` hold the values of an aggregate over time.
    ///
    /// Source: stats.
    ///
    /// ```spl
    /// | makeresults count=3 | stats count // 3
    /// | makeresults count=3 | eval n=2 | stats sum(n) as total | fields total // 6
    /// ```
    "stats": "stats [allnum=<flag>] [delim=<text>] [dedup_splitvals=<flag>] <aggregate> [as <field>]... [by <field>...]"
        = Rows(lower);
}
