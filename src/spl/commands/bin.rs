//! `bin`: values put into bins.
use super::options::Options;
use super::spans;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, Number};
use crate::types::{Kind, Name, Table, relative};

const OPTIONS: [&str; 6] = ["span", "bins", "minspan", "start", "end", "aligntime"];

/// How wide bins are.
pub(super) enum Width {
    Time(String),
    Number(Number),
    /// Powers of the base times the coefficient.
    Log {
        coefficient: Number,
        base: Number,
    },
}

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &OPTIONS)?;
    let name = if reader.eat_word("as") { reader.needed_field()? } else { field.clone() };
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let (rows, width) = match options.word("span") {
        Some(word) => (rows, width_of(word)?),
        None => {
            let least = options.word("minspan").map(width_of).transpose()?;
            let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
            let bins = options.count("bins")?.unwrap_or(spans::DEFAULT_BINS).max(1);
            let ends = ends(&table, &field.text, [options.number("start")?, options.number("end")?]);
            let width = fitting(ends, field.text == "_time", bins, least.as_ref());
            (lowering.known(&rows, table), width)
        }
    };
    let value = binned(lowering, &rows, &field, &width, options.word("aligntime"))?;
    Ok(lowering.extend(&rows, vec![(Name::from(name.text.as_str()), value)]))
}

fn binned(lowering: &mut Lowering, rows: &Rows, field: &Word, width: &Width, aligned: Option<&Word>) -> Lower<Expr> {
    let column = rows.field(&field.text);
    let number = |number: &Number| Expr::Const((*number).into());
    match width {
        Width::Time(span) => {
            let mut arguments = vec![column, text(span)];
            let width = relative::span(span);
            let aligned = aligned.zip(width).map(|(word, width)| spans::alignment(lowering, word, width));
            if let Some(ticks) = aligned.transpose()?.flatten() {
                arguments.push(Expr::Const(field::from_value(&crate::types::Value::DateTime(ticks))));
            }
            call(".bin_time", arguments)
        }
        // Times are numbers of seconds: a bin of them begins with its start.
        Width::Number(seconds) if field.text == "_time" => {
            call(".bin_time", vec![column, text(&format!("{}ms", (seconds.real() * 1000.0).round().max(1.0)))])
        }
        Width::Number(width) => call(".bin", vec![column, number(width)]),
        Width::Log { coefficient, base } => call(".bin", vec![column, number(coefficient), number(base)]),
    }
}

/// `5m`, `10`, `2log10`.
pub(super) fn width_of(word: &Word) -> Lower<Width> {
    let text = word.text.trim();
    if let Some(number) = Number::read(text).filter(|number| number.real() > 0.0) {
        return Ok(Width::Number(number));
    }
    if let Some((coefficient, base)) = text.split_once("log") {
        let read = |text: &str, otherwise: i64| match text.is_empty() {
            true => Some(Number::Long(otherwise)),
            false => Number::read(text),
        };
        if let (Some(coefficient), Some(base)) = (read(coefficient, 1), read(base, 10))
            && coefficient.real() > 0.0
            && base.real() > 1.0
        {
            return Ok(Width::Log { coefficient, base });
        }
    }
    match relative::span(text) {
        Some(_) => Ok(Width::Time(text.to_owned())),
        None => {
            let said = Diagnostic::error("HP504", format!("`{text}` is no span")).at(word.span);
            Err(said.help("write a span such as 5m, 1d, 1mon, 10 or 2log10").into())
        }
    }
}

/// The least and the greatest number of a field; `wider` are ends that are wanted even so.
pub(super) fn ends(table: &Table, name: &str, wider: [Option<f64>; 2]) -> (f64, f64) {
    let column = table.column_named(name).unwrap_or(crate::types::Column::nulls(Kind::Field, table.rows()));
    let numbers = field::Numbers::of(&column);
    let mut ends: Option<(f64, f64)> = None;
    for number in (0..table.rows()).filter_map(|row| numbers.get(row)).map(Number::real) {
        let (low, high) = ends.unwrap_or((number, number));
        ends = Some((low.min(number), high.max(number)));
    }
    let (low, high) = ends.unwrap_or((0.0, 1.0));
    let [start, end] = wider;
    (start.map_or(low, |start| low.min(start)), end.map_or(high, |end| high.max(end)))
}

/// The narrowest width of the usual ones that needs no more bins than are wanted.
pub(super) fn fitting((low, high): (f64, f64), of_time: bool, bins: u64, least: Option<&Width>) -> Width {
    if of_time {
        let least = least.and_then(|width| match width {
            Width::Time(span) => relative::span(span),
            _ => None,
        });
        let is_enough = |seconds: i64, _: &str| least.is_none_or(|least| least.ticks() <= seconds * 10_000_000);
        return Width::Time(spans::narrowest((low, high), bins, is_enough).to_owned());
    }
    let least = match least {
        Some(Width::Number(number)) => number.real(),
        _ => 0.0,
    };
    let mut width = 10f64.powf(((high - low) / bins as f64).max(1e-9).log10().ceil()).max(least);
    while (high / width).floor() - (low / width).floor() >= bins as f64 {
        width *= 10.0;
    }
    Width::Number(if width >= 1.0 { Number::Long(width as i64) } else { Number::Real(width) })
}

crate::command! {
    /// Puts the values of a field into bins.
    ///
    /// Bins of time begin at multiples of their span since 1970, those of a day or more at midnight of the user's zone;
    /// the value becomes the bin's start. Bins of other numbers are written `20-30`. Without a span one is chosen that
    /// needs at most `bins` bins (100) from the least number to the greatest, or from `start` to `end` where these are
    /// further away.
    ///
    /// Source: bin.
    ///
    /// ```spl
    /// | makeresults | bin span=1h _time | fields _time // 1577934000
    /// | makeresults | eval n=25 | bin n span=10 as range | fields range | fields - _time // 20-30
    /// ```
    "bin" as ["bucket", "discretize"]: "bin [span=<span>] [bins=<count>] [minspan=<span>] [start=<number>] [end=<number>] [aligntime=<time>] <field> [as <field>]" = Rows(lower);
}
