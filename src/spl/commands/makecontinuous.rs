//! `makecontinuous`: rows for the values that a field lacks.
use super::bin::{self, Width};
use super::options::Options;
use super::{spans, whole};
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::datetime::TICKS_PER_SECOND;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Name, Table, relative};

const OPTIONS: [&str; 6] = ["span", "bins", "minspan", "start", "end", "aligntime"];
const TIME: &str = "_time";

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let before = reader.position();
    let field = match reader.field() {
        Some(word) => Name::from(word.text.as_str()),
        None => {
            reader.back_to(before);
            TIME.into()
        }
    };
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let given = options.word("span").map(bin::width_of).transpose()?;
    let least = options.word("minspan").map(bin::width_of).transpose()?;
    let wider = [options.number("start")?, options.number("end")?];
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let ends = bin::ends(&table, &field, wider);
    let width = given.unwrap_or_else(|| {
        let bins = options.count("bins").ok().flatten().unwrap_or(spans::DEFAULT_BINS).max(1);
        bin::fitting(ends, *field == *TIME, bins, least.as_ref())
    });
    let bins = match width {
        Width::Time(span) => {
            let span =
                relative::span(&span).ok_or_else(|| Diagnostic::error("HP504", format!("`{span}` is no span")))?;
            Bins::Time(span)
        }
        Width::Number(number) => Bins::Number(number.real()),
        Width::Log { .. } => {
            let said = Diagnostic::error("HP506", "`makecontinuous` has no bins of powers");
            return Err(said.at(command.span).help("write a span such as 10 or 5m").into());
        }
    };
    let continued = Continued { field, bins, context: lowering.settings.context, ends };
    let table = continued.table(&table).map_err(|fault| said(&fault, command.span))?;
    Ok(lowering.known(&rows, table))
}

enum Bins {
    Time(relative::Span),
    Number(f64),
}

struct Continued<'a> {
    field: Name,
    bins: Bins,
    context: &'a Context,
    ends: (f64, f64),
}

impl Continued<'_> {
    /// The rows in the order of their bins, with one for each bin that has none; rows without the field come last.
    fn table(&self, table: &Table) -> Result<Table> {
        let column = table.column_named(&self.field).unwrap_or(Column::nulls(Kind::Field, table.rows()));
        let numbers = Numbers::of(&column);
        let start = |row: usize| numbers.get(row).and_then(|number| self.start(number.real()));
        let starts: Vec<Option<f64>> = (0..table.rows()).map(start).collect();
        if starts.iter().flatten().next().is_none() {
            return Ok(table.clone());
        }
        let mut places: Vec<(f64, Option<usize>)> = Vec::new();
        let mut known: Vec<(f64, usize)> =
            starts.iter().enumerate().filter_map(|(row, s)| Some(((*s)?, row))).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut rest = known.into_iter().peekable();
        for bin in self.all()? {
            let before = places.len();
            while let Some((start, row)) = rest.next_if(|(start, _)| *start <= bin) {
                places.push((start, Some(row)));
            }
            if places.len() == before {
                places.push((bin, None));
            }
        }
        places.extend(rest.map(|(start, row)| (start, Some(row))));
        let without: Vec<usize> = starts.iter().enumerate().filter(|(_, s)| s.is_none()).map(|(row, _)| row).collect();
        let columns = whole::columns(table).into_iter().map(|(name, column)| {
            let mut out = FieldBuilder::new(Some(&column), places.len() + without.len());
            for (start, row) in &places {
                match row {
                    _ if name == self.field => out.push_number(whole_number(*start)),
                    Some(row) => out.push_row(&column, *row),
                    None => out.push_null(),
                }
            }
            without.iter().for_each(|row| out.push_row(&column, *row));
            (name, out.finish())
        });
        Ok(Table::from_columns(columns.collect()).with_problems(table.problems().to_vec()))
    }

    fn start(&self, value: f64) -> Option<f64> {
        match self.bins {
            Bins::Number(width) => Some((value / width).floor() * width),
            Bins::Time(span) => {
                let ticks = crate::types::number::real_to_long(value * TICKS_PER_SECOND as f64)?;
                Some(seconds(span.start(ticks, self.context.timezone)?))
            }
        }
    }

    /// The starts of all bins from the first to the last one.
    fn all(&self) -> Result<Vec<f64>> {
        let (Some(first), Some(last)) = (self.start(self.ends.0), self.start(self.ends.1)) else {
            return Ok(Vec::new());
        };
        match self.bins {
            Bins::Time(span) => {
                let ticks = |seconds: f64| (seconds * TICKS_PER_SECOND as f64).round() as i64;
                let starts = spans::starts(span, ticks(first), ticks(last), self.context)?;
                Ok(starts.into_iter().map(seconds).collect())
            }
            Bins::Number(width) => {
                let count = ((last - first) / width).round();
                if count >= self.context.limits.rows.min(spans::MOST_STEPS) as f64 {
                    return Err(Fault::limit("rows", "there are too many bins: choose a wider span"));
                }
                Ok((0..=count as usize).map(|at| first + at as f64 * width).collect())
            }
        }
    }
}

fn seconds(ticks: i64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND as f64
}

fn whole_number(real: f64) -> Number {
    Number::Real(real).long().map_or(Number::Real(crate::types::field::without_noise(real)), Number::Long)
}

crate::command! {
    /// Puts `_time` or another field of numbers into bins, and adds a row for each bin between the first and the last that
    /// no row lies in. The field becomes the start of its bin; rows come in its order.
    ///
    /// Without a span one is chosen as for `bin`; `start` and `end` may widen what is filled.
    ///
    /// Source: makecontinuous.
    ///
    /// ```spl
    /// | makeresults count=2 | streamstats count as n | eval n=n*20-15 | makecontinuous n span=10 | stats values(n) as n // ["0","10","20"]
    /// ```
    "makecontinuous": "makecontinuous [<field>] [span=<span>] [bins=<count>] [minspan=<span>] [start=<number>] [end=<number>]" = Rows(lower);
}
