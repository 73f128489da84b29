//! `tstats`: aggregates of the events of a data model, or of fields that events are indexed by.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Term, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::{AggregateTerm, Parsed, Reader};
use crate::types::{Kind, Name};

const OPTIONS: [&str; 10] = [
    "prestats",
    "local",
    "append",
    "summariesonly",
    "include_reduced_buckets",
    "allow_old_summaries",
    "use_summary_index_values",
    "chunk_size",
    "fillnull_value",
    "span",
];

/// The parts of the command behind its aggregates.
#[derive(Default)]
pub struct Parts {
    pub model: Option<Word>,
    pub term: Option<Term>,
    pub by: Vec<Word>,
    pub span: Option<Word>,
}

fn lower(lowering: &mut Lowering, command: &Command, input: Option<Rows>) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let terms = reader.aggregates(&["from", "where", "by", "groupby"])?;
    let parts = Parts::read(&mut reader)?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    if let Some(word) = terms.iter().find(|term| term.function.text.eq_ignore_ascii_case("prefix")) {
        return Err(unindexed(word.span).into());
    }
    let term = parts.term.clone().unwrap_or(Term::And(Vec::new()));
    let rows = match &parts.model {
        Some(model) => lowering.dataset(model, true, &term, command.span)?,
        None => lowering.events(&term, command.span)?,
    };
    let made = grouped(lowering, command, &options, parts, &term, &terms, rows)?;
    match input.filter(|_| options.flag("append").ok().flatten().unwrap_or(false)) {
        Some(before) => Ok(lowering.union(&[before, made])),
        None => Ok(made),
    }
}

/// The rows that the terms select, in groups.
pub fn grouped(
    lowering: &mut Lowering,
    command: &Command,
    options: &Options,
    parts: Parts,
    term: &Term,
    terms: &[AggregateTerm],
    rows: Rows,
) -> Lower<Rows> {
    let rows = lowering.selected_events(&rows, term, &command.searches)?;
    let rows = with_bins(lowering, &rows, parts.span.or_else(|| options.word("span").cloned()))?;
    let rows = filled(lowering, &rows, options.text("fillnull_value"), &parts.by);
    if options.flag("prestats")?.unwrap_or(false) {
        return Ok(rows);
    }
    let aggregation = lowering.aggregation(terms, &parts.by, &rows)?;
    lowering.grouped(&rows, &aggregation)
}

impl Parts {
    pub fn read(reader: &mut Reader) -> Lower<Parts> {
        let mut parts = Parts::default();
        if reader.eat_word("from") {
            parts.model = Some(model(reader)?);
        }
        if reader.eat_word("where") {
            parts.term = Some(reader.terms(&["by", "groupby"])?);
        }
        if !reader.eat_word("by") && !reader.eat_word("groupby") {
            return Ok(parts);
        }
        loop {
            while reader.eat(",") {}
            let before = reader.position();
            match reader.option() {
                Some((name, value)) if name.is("span") => parts.span = Some(value),
                Some(_) => {
                    reader.back_to(before);
                    return Ok(parts);
                }
                None => match reader.field() {
                    Some(field) => parts.by.push(field),
                    None => return Ok(parts),
                },
            }
        }
    }
}

/// `datamodel=Endpoint.Processes`.
fn model(reader: &mut Reader) -> Parsed<Word> {
    match reader.option() {
        Some((name, value)) if name.is("datamodel") => Ok(value),
        _ => Err(reader.expected("datamodel=<name>")),
    }
}

fn unindexed(span: crate::diagnostic::Span) -> Diagnostic {
    Diagnostic::error("HP506", "`PREFIX` reads the words of an index: there is none here").at(span)
}

/// `_time` in bins of a span.
fn with_bins(lowering: &mut Lowering, rows: &Rows, span: Option<Word>) -> Lower<Rows> {
    let Some(span) = span else { return Ok(rows.clone()) };
    if crate::types::relative::span(&span.text).is_none() {
        let said = Diagnostic::error("HP504", format!("`{}` is no span", span.text)).at(span.span);
        return Err(said.help("write a span such as 5m, 1h or 1d").into());
    }
    let binned = call(".bin_time", vec![rows.field("_time"), text(&span.text)])?;
    Ok(lowering.extend(rows, vec![("_time".into(), binned)]))
}

/// A text in place of what is absent in the fields of the groups.
fn filled(lowering: &mut Lowering, rows: &Rows, value: Option<&str>, by: &[Word]) -> Rows {
    let Some(value) = value else { return rows.clone() };
    let fill = |word: &Word| {
        let name = Name::from(word.text.as_str());
        let value = crate::spl::lower::build::as_field(text(value));
        let filled = Expr::Coalesce(vec![rows.field(&name), value], Kind::Field);
        (name, filled)
    };
    let columns = by.iter().filter(|word| word.text != "_time").map(fill).collect();
    lowering.extend(rows, columns)
}

crate::command! {
    /// Aggregates of the events of a data model's dataset, or of all events.
    ///
    /// Fields of a dataset carry its name: `Processes.process_name`; the field `nodename` holds the datasets that an
    /// event is in. The terms of `where` are those of a search. An event that lacks a field of the groups is in none,
    /// unless `fillnull_value` says what stands for it. `span` puts `_time` into bins. Summaries are not told from
    /// events: `summariesonly` and its kin change nothing. With `prestats=true` the events themselves go on to the
    /// `stats`, `chart` or `timechart` that is to follow, which counts the same; `append=true` puts the results behind the
    /// rows at hand.
    ///
    /// Source: tstats.
    ///
    /// ```spl
    /// | tstats count from datamodel=Web where Web.url=* // 0
    /// ```
    "tstats": "tstats [prestats=<flag>] [append=<flag>] [fillnull_value=<text>] <aggregate>... [from datamodel=<name>] [where <terms>] [by <field>... [span=<span>]]"
        = Either(lower);
}
