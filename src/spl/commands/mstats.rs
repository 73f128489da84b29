//! `mstats`: aggregates of measures.
use super::options::Options;
use super::tstats::{Parts, grouped};
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Command, Term, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::{AggregateTerm, Argument, Reader};
use crate::types::Name;

const OPTIONS: [&str; 8] =
    ["prestats", "append", "backfill", "update_period", "fillnull_value", "chunk_size", "chart", "span"];

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let terms = reader.aggregates(&["where", "by", "groupby"])?;
    let parts = Parts::read(&mut reader)?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let term = parts.term.clone().unwrap_or(Term::And(Vec::new()));
    let rows = lowering.events(&term, command.span)?;
    let rows = measured(lowering, &rows, &terms)?;
    grouped(lowering, command, &options, parts, &term, &terms, rows)
}

/// The rows with the measures under the names that aggregates give them: an event holds a measure `x` as
/// `metric_name:x`.
fn measured(lowering: &mut Lowering, rows: &Rows, terms: &[AggregateTerm]) -> Lower<Rows> {
    let mut columns = Vec::new();
    for term in terms {
        match &term.argument {
            Argument::Field(Word { text, .. }) if !rows.has(text) => {
                let held = format!("metric_name:{text}");
                columns.push((Name::from(text.as_str()), rows.field(&held)));
            }
            Argument::Field(_) => {}
            _ => {
                let said = Diagnostic::error("HP504", "`mstats` takes aggregates of measures: avg(cpu.idle)");
                return Err(said.at(term.span).into());
            }
        }
    }
    Ok(lowering.extend(rows, columns))
}

crate::command! {
    /// Aggregates of measures over the events that hold them.
    ///
    /// A measure `x` is the field `metric_name:x` of an event, as metrics are sent to Splunk, or a field of that name.
    /// `where`, `by` and `span` are those of `tstats`.
    ///
    /// Source: mstats.
    ///
    /// ```spl
    /// | makeresults | eval 'metric_name:cpu'=5 | stats avg("metric_name:cpu") as cpu | fields cpu // 5
    /// ```
    "mstats": "mstats <aggregate>... [where <terms>] [by <field>... [span=<span>]]" = First(lower);
}
