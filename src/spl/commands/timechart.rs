//! `timechart`: aggregates over time.
use super::measures::Measures;
use super::options::Options;
use super::series::{self, Series, charted, nothing_of, of_columns};
use super::spans;
use super::wanted::Wanted;
use crate::diagnostic::{Diagnostic, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::relative::{self, Span};
use crate::types::{Column, Kind, Name, Table, Value};
use std::collections::HashMap;

const TICKS_PER_SECOND: i64 = 10_000_000;
const TIME: &str = "_time";
const OPTIONS: [&str; 6] = ["span", "bins", "minspan", "aligntime", "partial", "fixedrange"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let known: Vec<&str> = series::OPTIONS.iter().chain(&OPTIONS).copied().collect();
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &known)?;
    let mut terms = reader.aggregates(&["by"])?;
    options.read_more(&mut reader, &known)?;
    terms.extend(reader.aggregates(&["by"])?);
    let by = if reader.eat_word("by") { Some(reader.needed_field()?) } else { None };
    options.read_more(&mut reader, &known)?;
    let wanted = Wanted::read(&mut reader)?;
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let measures = Measures::new(lowering, &terms, &rows)?;
    let span = match options.word("span") {
        Some(word) => word.text.clone(),
        None => {
            let bins = options.count("bins")?.unwrap_or(spans::DEFAULT_BINS).max(1);
            let least = options.text("minspan").and_then(relative::span);
            match spans::fitting(lowering, &rows, bins, least, command.name.span)? {
                Some(span) => span,
                None => return Ok(rows.opened()),
            }
        }
    };
    let Some(width) =
        relative::span(&span).filter(|width| width.start(0, lowering.settings.context.timezone).is_some())
    else {
        let place = options.word("span").map_or(command.name.span, |word: &Word| word.span);
        return Err(Diagnostic::error("HP504", format!("`{span}` is no span of time")).at(place).into());
    };
    let aligned = options.word("aligntime").map(|word| spans::alignment(lowering, word, width)).transpose()?.flatten();
    let mut arguments = vec![rows.field(TIME), text(&span)];
    arguments.extend(aligned.map(|ticks| Expr::Const(field::from_value(&Value::DateTime(ticks)))));
    let binned = lowering.extend(&rows, vec![(TIME.into(), call(".bin_time", arguments)?)]);
    let series = by.map(|by| Series::new(by, &options, wanted)).transpose()?;
    let charted = charted(lowering, binned, &measures, &TIME.into(), series.as_ref(), command.name.span)?;
    let Some(table) = charted else { return Ok(rows.opened()) };
    let searched = lowering.settings.earliest.zip(lowering.settings.latest);
    let filled = Filled {
        context: lowering.settings.context,
        width,
        aligned: aligned.unwrap_or(0),
        measures: &measures,
        searched,
        continues: options.flag("cont")?.unwrap_or(true),
        fills_range: options.flag("fixedrange")?.unwrap_or(true),
        partial: options.flag("partial")?.unwrap_or(true),
    };
    let table = filled.table(&table, series.is_some()).map_err(|fault| said(&fault, command.span))?;
    Ok(lowering.values(table))
}

/// The rows of a table by time with those between them that it lacks.
struct Filled<'a> {
    context: &'a Context,
    width: Span,
    /// What bins are aligned to.
    aligned: i64,
    measures: &'a Measures,
    /// The time that is searched, where it has both ends.
    searched: Option<(i64, i64)>,
    /// Whether bins without events are there.
    continues: bool,
    /// Whether the bins take all of the time that is searched.
    fills_range: bool,
    /// Whether a bin stays that is searched in part.
    partial: bool,
}

impl Filled<'_> {
    fn table(&self, table: &Table, split: bool) -> Result<Table> {
        let Some(times) = table.column_named(TIME) else { return Ok(table.clone()) };
        let ticks: Vec<Option<i64>> = (0..table.rows()).map(|row| ticks(&times, row)).collect();
        let mut wanted = match self.continues {
            true => self.steps(&ticks)?,
            false => ticks.iter().flatten().copied().collect(),
        };
        if let Some((earliest, latest)) = self.searched.filter(|_| !self.partial) {
            wanted.retain(|start| *start >= earliest && self.next(*start).is_some_and(|next| next <= latest));
        }
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
    fn steps(&self, ticks: &[Option<i64>]) -> Result<Vec<i64>> {
        let searched = self.searched.filter(|_| self.fills_range);
        let ends = searched.and_then(|(earliest, latest)| Some([self.start(earliest)?, self.start(latest - 1)?]));
        let known = || ticks.iter().flatten().copied().chain(ends.into_iter().flatten());
        match (known().min(), known().max()) {
            (Some(first), Some(last)) => spans::starts(self.width, first, last, self.context),
            _ => Ok(Vec::new()),
        }
    }

    fn start(&self, ticks: i64) -> Option<i64> {
        self.width.start(ticks.checked_sub(self.aligned)?, self.context.timezone)?.checked_add(self.aligned)
    }

    fn next(&self, start: i64) -> Option<i64> {
        self.width.next(start, self.context.timezone)
    }

    /// The aggregate of a column: of a split column the first one whose name it has in front.
    fn function(&self, column: &Name, split: bool) -> &'static str {
        let shown = &self.measures.shown;
        let own = shown.iter().find(|made| made.name == *column || (split && column.starts_with(&*made.name)));
        own.or(shown.first().filter(|_| split)).map_or("", |made| made.function)
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
        let seconds = self.next(start).map_or(1.0, |end| (end - start) as f64 / TICKS_PER_SECOND as f64);
        match field::number(column, row) {
            Some(number) => out.push_number(Number::Real(number.real() * unit / seconds)),
            None => out.push_null(),
        }
    }
}

/// The ticks of a time in seconds.
pub fn ticks(times: &Column, row: usize) -> Option<i64> {
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
    /// `useother=`, `usenull=`, their names, `where` and `eval(...)` are those of `chart`; `cont=f` leaves out bins without
    /// events. Where the search has both an earliest and a latest time, the bins fill all of it, unless `fixedrange=f`;
    /// `partial=f` leaves out those that reach beyond it. `aligntime=` says where a bin begins, and `span=1w@w1` on which
    /// day of the week.
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
