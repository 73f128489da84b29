//! `timechart`: aggregates over time.
use super::options::Options;
use super::series::{self, Series, charted, nothing_of, of_columns};
use super::spans;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::{Dialect, aggregates};
use crate::plan::{AggregateCall, Node};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Aggregation, Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::relative::{self, Span};
use crate::types::{Column, Kind, Name, Table, Value};
use chrono_tz::Tz;
use std::collections::HashMap;

const TICKS_PER_SECOND: i64 = 10_000_000;
const TIME: &str = "_time";
const OPTIONS: [&str; 6] = ["span", "bins", "minspan", "aligntime", "partial", "fixedrange"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let known: Vec<&str> = series::OPTIONS.iter().chain(&OPTIONS).copied().collect();
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &known)?;
    let terms = reader.aggregates(&["by"])?;
    let by = if reader.eat_word("by") { Some(reader.needed_field()?) } else { None };
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let aggregation = lowering.aggregation(&terms, &[], &rows)?;
    let span = match options.word("span") {
        Some(word) => word.text.clone(),
        None => match fitting(lowering, &rows, &options, command)? {
            Some(span) => span,
            None => return Ok(rows.opened()),
        },
    };
    let Some(width) =
        relative::span(&span).filter(|width| width.start(0, lowering.settings.context.timezone).is_some())
    else {
        let place = options.word("span").map_or(command.name.span, |word: &Word| word.span);
        return Err(Diagnostic::error("HP504", format!("`{span}` is no span of time")).at(place).into());
    };
    let time = call(".bin_time", vec![rows.field(TIME), text(&span)])?;
    let binned = lowering.extend(&rows, vec![(TIME.into(), time)]);
    let series = by.map(|by| Series::new(by, &options)).transpose()?;
    let charted = charted(lowering, binned, &aggregation, &TIME.into(), series.as_ref(), command.name.span)?;
    let Some(table) = charted else { return Ok(rows.opened()) };
    let filled = Filled { width, zone: lowering.settings.context.timezone, aggregation: &aggregation };
    let cont = options.flag("cont")?.unwrap_or(true);
    let most = lowering.settings.context.limits.rows;
    let table = filled.table(&table, cont, series.is_some(), most).map_err(|fault| said(&fault, command.span))?;
    Ok(lowering.values(table))
}

/// The narrowest span that needs no more bins than are wanted for the rows' times; none in a check.
fn fitting(lowering: &mut Lowering, rows: &Rows, options: &Options, command: &Command) -> Lower<Option<String>> {
    let bins = options.count("bins")?.unwrap_or(spans::DEFAULT_BINS).max(1);
    let mut calls = Vec::new();
    for name in ["min", "max"] {
        let function = aggregates::find(Dialect::Spl, name)
            .ok_or_else(|| Diagnostic::error("HP900", format!("the library lacks the aggregate `{name}`")))?;
        let arguments = vec![rows.field(TIME)];
        calls.push((Name::from(name), AggregateCall { function, arguments, condition: None, kind: Kind::Field }));
    }
    let schema = calls.iter().map(|(name, _)| (name.clone(), Kind::Field)).collect();
    let ends = lowering.over(rows, Node::Aggregate { input: rows.node, by: Vec::new(), aggregates: calls }, schema);
    let Some(table) = lowering.seen(&ends, command.name.span)? else { return Ok(None) };
    let end = |at: usize| field::number(&table.column(at), 0).map_or(0.0, Number::real);
    let (low, high) = (end(0), end(1));
    let least = options.text("minspan").and_then(relative::span);
    let zone = lowering.settings.context.timezone;
    let wide = |span: Span| span.next(0, zone).unwrap_or(i64::MAX);
    let is_enough =
        |_: i64, span: &str| least.is_none_or(|least| relative::span(span).is_some_and(|own| wide(own) >= wide(least)));
    Ok(Some(spans::narrowest((low, high), bins, is_enough).to_owned()))
}

/// The rows of a table by time with those between them that it lacks.
struct Filled<'a> {
    width: Span,
    zone: Tz,
    aggregation: &'a Aggregation,
}

impl Filled<'_> {
    fn table(&self, table: &Table, cont: bool, split: bool, most: usize) -> Result<Table> {
        let Some(times) = table.column_named(TIME) else { return Ok(table.clone()) };
        let ticks: Vec<Option<i64>> = (0..table.rows()).map(|row| ticks(&times, row)).collect();
        let wanted = match cont {
            true => self.steps(&ticks, most)?,
            false => ticks.iter().flatten().copied().collect(),
        };
        let places: HashMap<i64, usize> =
            ticks.iter().enumerate().filter_map(|(row, ticks)| Some(((*ticks)?, row))).collect();
        let mut columns = Vec::new();
        for (at, name) in table.schema().names().enumerate() {
            let column = table.column(at);
            let function = self.function(name, split);
            let nothing = if **name == *TIME { Value::Null(Kind::Field) } else { nothing_of(function) };
            let mut out = FieldBuilder::new(None, wanted.len());
            for start in &wanted {
                match places.get(start) {
                    _ if **name == *TIME => out.push(&field::from_value(&Value::DateTime(*start))),
                    Some(row) => self.push(&column, *row, *start, function, &mut out),
                    None => out.push(&nothing),
                }
            }
            columns.push((name.clone(), out.finish()));
        }
        Ok(of_columns(columns))
    }

    /// The starts of all bins from the first to the last one.
    fn steps(&self, ticks: &[Option<i64>], most: usize) -> Result<Vec<i64>> {
        let known = || ticks.iter().flatten().copied();
        let (Some(first), Some(last)) = (known().min(), known().max()) else { return Ok(Vec::new()) };
        let mut steps = vec![first];
        while let Some(next) = steps.last().and_then(|start| self.width.next(*start, self.zone)).filter(|n| *n <= last)
        {
            if steps.len() >= most || steps.last().is_some_and(|start| *start >= next) {
                return Err(Fault::limit("rows", "`timechart` has too many steps of time: choose a wider span"));
            }
            steps.push(next);
        }
        Ok(steps)
    }

    /// The aggregate of a column: of a split column the first one whose name it has in front.
    fn function(&self, column: &Name, split: bool) -> &'static str {
        let calls = &self.aggregation.calls;
        let own = calls.iter().find(|made| made.name == *column || (split && column.starts_with(&*made.name)));
        own.or(calls.first().filter(|_| split)).map_or("", |made| made.call.function.name)
    }

    /// A cell; of `per_hour` and its kin what an hour of the bin has.
    fn push(&self, column: &Column, row: usize, start: i64, function: &str, out: &mut FieldBuilder) {
        let unit = match function {
            "per_second" => 1.0,
            "per_minute" => 60.0,
            "per_hour" => 3600.0,
            "per_day" => 86_400.0,
            _ => return out.push_row(column, row),
        };
        let end = self.width.next(start, self.zone);
        let seconds = end.map_or(1.0, |end| (end - start) as f64 / TICKS_PER_SECOND as f64);
        match field::number(column, row) {
            Some(number) => out.push_number(Number::Real(number.real() * unit / seconds)),
            None => out.push_null(),
        }
    }
}

/// The ticks of a time in seconds.
fn ticks(times: &Column, row: usize) -> Option<i64> {
    match field::number(times, row)? {
        Number::Long(seconds) => seconds.checked_mul(TICKS_PER_SECOND),
        Number::Real(seconds) => crate::types::number::real_to_long((seconds * TICKS_PER_SECOND as f64).round()),
    }
}

crate::command! {
    /// Aggregates over time: a row for each bin of `_time`, those without events included, and with `by` a column for
    /// each value of a field.
    ///
    /// `span=` says how wide the bins are; without it one is chosen that needs at most `bins` (100). `limit=`,
    /// `useother=`, `usenull=` and their names are those of `chart`; `cont=f` leaves out bins without events.
    /// `per_second(x)`, `per_minute(x)`, `per_hour(x)` and `per_day(x)` are sums in proportion to the bin.
    ///
    /// Source: timechart.
    ///
    /// ```spl
    /// | makeresults count=2 | eval x=5 | timechart span=1h sum(x) as total | table total // 10
    /// | makeresults | eval x=5 | timechart span=1h per_day(x) as n | table n // 120
    /// ```
    "timechart": "timechart [span=<span>] [<option>=<value>...] <aggregate>... [by <field>]" = Rows(lower);
}
