//! `sparkline(...)`: an aggregate over time as one field, which a table draws as a small line.
use super::spans;
use crate::diagnostic::{Diagnostic, Fault, Result, Span};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Word;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Aggregation, Lower, Lowering, Rows};
use crate::spl::parse::{AggregateTerm, Argument};
use crate::types::field::{self, FieldBuilder};
use crate::types::{Column, Kind, Name, Table, relative};
use std::collections::HashMap;
use std::sync::Arc;

/// The first value of the field: it says that the others are to be drawn.
const MARK: &str = "##__SPARKLINE__##";

/// Whether there is a sparkline among aggregates.
pub fn is_among(terms: &[AggregateTerm]) -> bool {
    terms.iter().any(|term| matches!(term.argument, Argument::Series(..)))
}

/// The groups of aggregates of which some are sparklines; `place` is the command.
pub fn grouped(lowering: &mut Lowering, rows: &Rows, terms: &[AggregateTerm], by: &[Word], place: Span) -> Lower<Rows> {
    let plain: Vec<AggregateTerm> =
        terms.iter().filter(|term| !matches!(term.argument, Argument::Series(..))).cloned().collect();
    let aggregation = lowering.aggregation(&plain, by, rows)?;
    let mut made = lowering.grouped(rows, &aggregation)?;
    let mut names = aggregation.by.clone();
    for term in terms {
        match &term.argument {
            Argument::Series(inner, span) => {
                let name = Name::from(term.alias.as_ref().map_or(term.label.as_str(), |alias| &alias.text));
                let span = match span {
                    Some(word) => checked(word)?,
                    None => match spans::fitting(lowering, rows, spans::DEFAULT_BINS, None, place)? {
                        Some(span) => span,
                        None => return Ok(rows.clone().opened()),
                    },
                };
                made = with_line(lowering, rows, &made, inner, &aggregation.by, &name, &span)?;
                names.push(name);
            }
            _ => {
                let own = lowering.aggregation(std::slice::from_ref(term), by, rows)?;
                names.extend(own.calls.into_iter().map(|made| made.name));
            }
        }
    }
    Ok(lowering.keep(&made, &names))
}

fn checked(word: &Word) -> Lower<String> {
    match relative::span(&word.text) {
        Some(_) => Ok(word.text.clone()),
        None => Err(Diagnostic::error("HP504", format!("`{}` is no span of time", word.text)).at(word.span).into()),
    }
}

/// The groups with the line of one aggregate beside them.
fn with_line(
    lowering: &mut Lowering,
    rows: &Rows,
    groups: &Rows,
    inner: &AggregateTerm,
    by: &[Name],
    name: &Name,
    span: &str,
) -> Lower<Rows> {
    let mut calls = lowering.aggregation(std::slice::from_ref(inner), &[], rows)?.calls;
    let (Some(mut made), true) = (calls.pop(), calls.is_empty()) else {
        return Err(Diagnostic::error("HP504", "`sparkline` draws one aggregate").at(inner.span).into());
    };
    made.name = lowering.hidden("cell");
    let step = lowering.hidden("step");
    let binned = call(".bin_time", vec![rows.field("_time"), text(span)])?;
    let binned = lowering.extend(rows, vec![(step.clone(), binned)]);
    let line = Line {
        by: by.to_vec(),
        step: step.clone(),
        cell: made.name.clone(),
        span: relative::span(span),
        name: name.clone(),
    };
    let cells = Aggregation { calls: vec![made], by: by.iter().cloned().chain([step]).collect() };
    let cells = lowering.grouped(&binned, &cells)?;
    let mut schema = groups.schema.clone();
    schema.set(name.clone(), Kind::Field);
    Ok(lowering.operation(&[groups, &cells], Arc::new(line), schema))
}

/// Puts the cells of each group into one field, step by step.
#[derive(Debug)]
struct Line {
    by: Vec<Name>,
    /// The fields of a cell's time and of its value.
    step: Name,
    cell: Name,
    span: Option<relative::Span>,
    name: Name,
}

impl TableOperation for Line {
    fn name(&self) -> &str {
        "sparkline"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [groups, cells] = inputs else { return Err(Fault::internal("`sparkline` has two inputs")) };
        let absent = |table: &Table| Column::nulls(Kind::Field, table.rows());
        let times = cells.column_named(&self.step).unwrap_or_else(|| absent(cells));
        let values = cells.column_named(&self.cell).unwrap_or_else(|| absent(cells));
        let ticks: Vec<Option<i64>> = (0..cells.rows()).map(|row| super::timechart::ticks(&times, row)).collect();
        let steps = self.steps(context, &ticks)?;
        let keys = keys(cells, &self.by);
        let known: HashMap<(&[String], i64), usize> = keys
            .iter()
            .zip(&ticks)
            .enumerate()
            .filter_map(|(row, (key, ticks))| Some(((key.as_slice(), (*ticks)?), row)))
            .collect();
        let mut out = FieldBuilder::new(None, groups.rows());
        for key in self::keys(groups, &self.by) {
            let mut line = vec![MARK.to_owned()];
            line.extend(steps.iter().map(|step| {
                let found = known.get(&(key.as_slice(), *step)).and_then(|row| field::text(&values, *row));
                found.map_or_else(|| "0".to_owned(), |text| text.into_owned())
            }));
            out.push_several(line);
        }
        Ok(super::whole::with_columns(groups, vec![(self.name.clone(), out.finish())]))
    }
}

impl Line {
    /// The starts of all steps from the first to the last one of all groups.
    fn steps(&self, context: &Context, ticks: &[Option<i64>]) -> Result<Vec<i64>> {
        let known = || ticks.iter().flatten().copied();
        let (Some(first), Some(last), Some(span)) = (known().min(), known().max(), self.span) else {
            return Ok(Vec::new());
        };
        spans::starts(span, first, last, context)
    }
}

/// The texts of some fields, row by row.
fn keys(table: &Table, names: &[Name]) -> Vec<Vec<String>> {
    let columns: Vec<Option<Column>> = names.iter().map(|name| table.column_named(name)).collect();
    let text = |column: &Option<Column>, row: usize| {
        column.as_ref().and_then(|column| field::text(column, row)).unwrap_or_default().into_owned()
    };
    (0..table.rows()).map(|row| columns.iter().map(|column| text(column, row)).collect()).collect()
}
