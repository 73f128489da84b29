//! `timewrap`: the periods of a timechart beside each other.
use super::options::Options;
use super::series::of_columns;
use super::timechart::ticks;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::functions::spl::clock::strftime;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::{Column, Name, Table, Value, datetime, relative};
use std::collections::{BTreeMap, BTreeSet};

const TIME: &str = "_time";
const OPTIONS: [&str; 3] = ["align", "series", "time_format"];
/// Periods that stand beside each other.
const MOST_PERIODS: i64 = 1000;

/// The units of a period, as they are written and as they stand in the names of columns.
const UNITS: [(&str, &str); 8] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mon", "month"),
    ("q", "quarter"),
    ("y", "year"),
];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let written = reader.needed_word("a period such as 1d")?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let (count, unit) = period(&written)?;
    let naming = match options.choice("series", &["relative", "short", "exact"])? {
        Some("short") => Naming::Short,
        Some("exact") => match options.text("time_format") {
            Some(format) => Naming::Exact(format.to_owned()),
            None => {
                let said = Diagnostic::error("HP504", "`series=exact` needs a `time_format` here").at(command.span);
                return Err(said.help("write time_format=\"%Y-%m-%d\"").into());
            }
        },
        _ => Naming::Relative,
    };
    let context = lowering.settings.context;
    let end = match options.choice("align", &["end", "now"])? {
        Some("now") => Some(context.now),
        _ => lowering.settings.latest,
    };
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let wrapped = Wrapped { count, unit, naming, end, context };
    let table = wrapped.table(&table).map_err(|fault| said(&fault, command.span))?;
    Ok(lowering.known(&rows, table))
}

/// `d`, `2w`, `1month`.
fn period(word: &Word) -> Lower<(i64, (&'static str, &'static str))> {
    let digits = word.text.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.text.len());
    let (count, unit) = word.text.split_at(digits);
    let count = if count.is_empty() { Some(1) } else { count.parse::<i64>().ok().filter(|count| *count > 0) };
    let span = |text: &str| relative::span(&format!("1{text}"));
    let found = span(unit).and_then(|wanted| UNITS.iter().find(|(own, _)| span(own) == Some(wanted)));
    match count.zip(found) {
        Some((count, unit)) => Ok((count, *unit)),
        None => {
            let said = Diagnostic::error("HP504", format!("`{}` is no period", word.text)).at(word.span);
            Err(said.help("write 1d, 1w, 1month").into())
        }
    }
}

enum Naming {
    Relative,
    Short,
    /// The start of each period in a format.
    Exact(String),
}

struct Wrapped<'a> {
    count: i64,
    unit: (&'static str, &'static str),
    naming: Naming,
    /// Where the latest period ends; none for the end of the rows.
    end: Option<i64>,
    context: &'a Context,
}

impl Wrapped<'_> {
    fn table(&self, table: &Table) -> Result<Table> {
        let Some(times) = table.column_named(TIME) else {
            let fault = Fault::query("HP504", "`timewrap` needs rows with `_time`");
            return Err(fault.help("put `timechart` before it"));
        };
        let known: Vec<(usize, i64)> = (0..table.rows()).filter_map(|row| Some((row, ticks(&times, row)?))).collect();
        let ordered: BTreeSet<i64> = known.iter().map(|(_, ticks)| *ticks).collect();
        let Some(last) = ordered.last().copied() else { return Ok(table.clone()) };
        let step = ordered.iter().zip(ordered.iter().skip(1)).map(|(a, b)| b - a).min().unwrap_or(1);
        let end = self.end.filter(|end| *end > last).unwrap_or(last + step);
        // Of each period the rows, by their time in the latest one.
        let mut periods: BTreeMap<i64, BTreeMap<i64, usize>> = BTreeMap::new();
        for (row, time) in known {
            let back = self.periods_back(end, time)?;
            let shifted = self.moved(time, back).ok_or_else(out_of_range)?;
            periods.entry(back).or_default().insert(shifted, row);
        }
        let wanted: BTreeSet<i64> = periods.values().flat_map(|rows| rows.keys().copied()).collect();
        let mut columns: Vec<(Name, Column)> = vec![(TIME.into(), of_times(&wanted))];
        for (at, name) in table.schema().names().enumerate().filter(|(_, name)| !name.starts_with('_')) {
            let column = table.column(at);
            for (back, rows) in periods.iter().rev() {
                let mut out = FieldBuilder::new(Some(&column), wanted.len());
                for time in &wanted {
                    match rows.get(time) {
                        Some(row) => out.push_row(&column, *row),
                        None => out.push_null(),
                    }
                }
                columns.push((format!("{name}_{}", self.label(*back, end)).into(), out.finish()));
            }
        }
        Ok(of_columns(columns))
    }

    /// How many periods before the latest one a time lies.
    fn periods_back(&self, end: i64, time: i64) -> Result<i64> {
        for back in 0..MOST_PERIODS {
            if self.moved(end, -(back + 1)).ok_or_else(out_of_range)? <= time {
                return Ok(back);
            }
        }
        Err(Fault::query("HP310", format!("`timewrap` makes more than {MOST_PERIODS} periods: choose a longer one")))
    }

    fn moved(&self, ticks: i64, periods: i64) -> Option<i64> {
        let text = format!("{:+}{}", periods.checked_mul(self.count)?, self.unit.0);
        relative::moment(ticks, &text, self.context.timezone)
    }

    fn label(&self, back: i64, end: i64) -> String {
        let (unit, before) = (self.unit.1, back * self.count);
        match &self.naming {
            Naming::Short => format!("s{back}"),
            Naming::Exact(format) => {
                let start = self.moved(end, -(back + 1)).unwrap_or(end).div_euclid(datetime::TICKS_PER_SECOND);
                strftime(Number::Long(start), format, self.context.timezone).unwrap_or_default()
            }
            Naming::Relative if back == 0 => format!("latest_{unit}"),
            Naming::Relative => format!("{before}{unit}{}_before", if before == 1 { "" } else { "s" }),
        }
    }
}

fn out_of_range() -> Fault {
    Fault::query("HP504", "a period of `timewrap` begins before the calendar")
}

fn of_times(times: &BTreeSet<i64>) -> Column {
    let mut out = FieldBuilder::new(None, times.len());
    times.iter().for_each(|ticks| out.push(&field::from_value(&Value::DateTime(*ticks))));
    out.finish()
}

crate::command! {
    /// Puts the periods of a timechart beside each other: a row for each time of the latest period, and of each field a
    /// column for each period.
    ///
    /// The latest period ends with the time that is searched, else with the last row, or now with `align=now`. Columns are
    /// named `count_latest_day`, `count_1day_before`, `count_2days_before`; with `series=short` `count_s0`, `count_s1`; with
    /// `series=exact` by the period's start in `time_format`.
    ///
    /// Source: timewrap.
    ///
    /// ```spl
    /// | makeresults count=4 | streamstats count as n | eval _time=n*43200 | timechart span=12h sum(n) as s | timewrap 1d | stats list(s_latest_day) as now list(s_1day_before) as then // [["3","4"],["1","2"]]
    /// ```
    "timewrap": "timewrap [<count>]<unit> [align=end|now] [series=relative|short|exact] [time_format=<format>]" = Rows(lower);
}
