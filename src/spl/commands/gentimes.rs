//! `gentimes`: a row for each step of time.
use super::options::Options;
use super::spans;
use crate::diagnostic::Diagnostic;
use crate::functions::spl::clock::strftime;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::datetime::TICKS_PER_SECOND;
use crate::types::field::Number;
use crate::types::{Kind, Name, Schema, Table, Value, relative};

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &["start", "end", "increment"])?;
    reader.finish()?;
    let Some(start) = options.word("start") else {
        let said = Diagnostic::error("HP504", "`gentimes` needs start=<date or days>").at(command.span);
        return Err(said.into());
    };
    let start = moment(lowering, start)?;
    let end = match options.word("end") {
        Some(word) => moment(lowering, word)?,
        None => relative::moment(lowering.settings.context.now, "@d", lowering.settings.context.timezone),
    };
    let increment = options.text("increment").unwrap_or("1d");
    let Some(width) = relative::span(increment).filter(|_| increment.starts_with(|c: char| c.is_ascii_digit())) else {
        let place = options.word("increment").map_or(command.span, |word| word.span);
        return Err(Diagnostic::error("HP504", format!("`{increment}` is no span of time")).at(place).into());
    };
    let context = lowering.settings.context;
    let steps = match (start, end) {
        (Some(start), Some(end)) if start < end => {
            spans::starts(width, start, end - 1, context).map_err(|fault| said(&fault, command.span))?
        }
        _ => Vec::new(),
    };
    let rows: Vec<Vec<Value>> = steps
        .into_iter()
        .filter_map(|start| {
            let first = start.div_euclid(TICKS_PER_SECOND);
            let last = width.next(start, context.timezone)?.div_euclid(TICKS_PER_SECOND) - 1;
            let human = |seconds: i64| {
                strftime(Number::Long(seconds), "%c", context.timezone)
                    .map_or(Value::Null(Kind::Field), |t| Value::field([t]))
            };
            Some(vec![human(last), Number::Long(last).into(), human(first), Number::Long(first).into()])
        })
        .collect();
    let schema: Schema = FIELDS.iter().map(|name| (Name::from(*name), Kind::Field)).collect();
    Ok(lowering.values(Table::from_rows(schema, &rows)))
}

const FIELDS: [&str; 4] = ["endhuman", "endtime", "starthuman", "starttime"];

/// A date, or a number of days from today's midnight.
fn moment(lowering: &Lowering, word: &Word) -> Lower<Option<i64>> {
    match word.text.parse::<i32>() {
        Ok(days) => {
            let context = lowering.settings.context;
            let text = format!("@d{days:+}d");
            Ok(relative::moment(context.now, &text, context.timezone))
        }
        Err(_) => lowering.moment(&Word { text: with_century(&word.text), ..word.clone() }),
    }
}

/// `10/1/18` as `10/1/2018`.
fn with_century(text: &str) -> String {
    let (date, time) = text.split_once(':').map_or((text, ""), |(date, _)| (date, &text[date.len()..]));
    match date.rsplit_once('/') {
        Some((day, year)) if year.len() == 2 => format!("{day}/20{year}{time}"),
        _ => text.to_owned(),
    }
}

crate::command! {
    /// A row for each day from `start` up to `end`, or for each step as wide as `increment` says: `starttime` and
    /// `endtime` in seconds, `starthuman` and `endhuman` to be read.
    ///
    /// Times are dates, `10/1/2018` or `10/1/2018:12:30:00`, or days from today: `-7`. Without an end the steps go up to
    /// the last midnight.
    ///
    /// Source: gentimes.
    ///
    /// ```spl
    /// | gentimes start=10/1/18 end=10/5/18 | stats count min(starttime) as first max(endtime) as last // [4,1538352000,1538697599]
    /// | gentimes start=10/1/2018 end=10/2/2018 increment=6h | stats count // 4
    /// ```
    "gentimes": "gentimes start=<time> [end=<time>] [increment=<span>]" = First(lower);
}
