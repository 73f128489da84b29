//! Commands that add fixed or simple fields, or only look whether there are rows: `reltime`, `setfields`, `gauge`,
//! `rtorder`, `require`.
use super::options::Options;
use super::whole;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::plan::{SortKey, TableOperation};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::datetime::TICKS_PER_SECOND;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Kind, Name, Table};
use std::sync::Arc;

const TIME: &str = "_time";
const RELATIVE: &str = "reltime";

fn reltime(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    Reader::new(command).finish()?;
    if !rows.has(TIME) && !rows.open {
        return Ok(rows);
    }
    let mut schema = rows.schema.clone();
    schema.set(RELATIVE.into(), Kind::Field);
    Ok(lowering.operation(&[&rows], Arc::new(Ago), schema))
}

/// How long ago events were.
#[derive(Debug)]
struct Ago;

impl TableOperation for Ago {
    fn name(&self) -> &str {
        RELATIVE
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`reltime` has one input")) };
        let Some(times) = table.column_named(TIME) else { return Ok(table.clone()) };
        let numbers = Numbers::of(&times);
        let now = context.now as f64 / TICKS_PER_SECOND as f64;
        let mut out = FieldBuilder::new(None, table.rows());
        for row in 0..table.rows() {
            match numbers.get(row) {
                Some(time) => out.push_text(&ago(now - time.real())),
                None => out.push_null(),
            }
        }
        Ok(whole::replaced(table, &RELATIVE.into(), out.finish()))
    }
}

/// Seconds of the units that a difference is told in, the widest that it holds.
const UNITS: [(f64, &str); 6] = [
    (31_536_000.0, "year"),
    (2_592_000.0, "month"),
    (86_400.0, "day"),
    (3600.0, "hour"),
    (60.0, "minute"),
    (1.0, "second"),
];

fn ago(seconds: f64) -> String {
    let size = seconds.abs();
    let Some((width, unit)) = UNITS.iter().find(|(width, _)| size >= *width) else { return "now".to_owned() };
    let count = (size / width).floor();
    let told = format!("{count} {unit}{}", if count == 1.0 { "" } else { "s" });
    if seconds < 0.0 { format!("in {told}") } else { format!("{told} ago") }
}

fn setfields(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut columns: Vec<(Name, Expr)> = Vec::new();
    while !reader.at_end() {
        while reader.eat(",") {}
        let Some((name, value)) = reader.option() else {
            return Err(reader.expected("<field>=<text>").into());
        };
        columns.push((name.text.as_str().into(), text(&value.text)));
    }
    Ok(lowering.extend(&rows, columns))
}

fn gauge(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let words = reader.fields(&[])?;
    reader.finish()?;
    let Some((shown, ranges)) = words.split_first() else {
        return Err(reader.expected("a field or a number").into());
    };
    let part = |word: &Word| match Number::read(&word.text) {
        Some(number) => Expr::Const(number.into()),
        None => rows.field(&word.text),
    };
    let mut columns = vec![("x".into(), part(shown))];
    match ranges.is_empty() {
        true => columns.extend((1..).zip(USUAL).map(|(at, end)| (range(at), Expr::Const(Number::Long(end).into())))),
        false => columns.extend((1..).zip(ranges).map(|(at, word)| (range(at), part(word)))),
    }
    let first = lowering.take(&rows, 1);
    Ok(lowering.project(&first, columns))
}

/// The ends of the ranges where none are said.
const USUAL: [i64; 4] = [0, 30, 70, 100];

fn range(number: usize) -> Name {
    format!("y{number}").into()
}

fn rtorder(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    Options::read(&mut reader, &["discard", "buffer_span", "max_buffer_size"])?;
    reader.finish()?;
    newest_first(lowering, &rows)
}

/// The rows in the order of their time, the newest first; of equal times in the order that they have.
pub fn newest_first(lowering: &mut Lowering, rows: &Rows) -> Lower<Rows> {
    let expr = call(".order_number", vec![rows.field(TIME)])?;
    Ok(lowering.sort(rows, vec![SortKey { expr, descending: true, nulls_first: false }]))
}

fn require(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    Reader::new(command).finish()?;
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows) };
    if table.rows() == 0 {
        let said = Diagnostic::error("HP504", "`require`: the search before it gives no rows");
        return Err(said.at(command.name.span).into());
    }
    Ok(lowering.known(&rows, table))
}

crate::command! {
    /// How long ago each event was, as a text in the field `reltime`: `5 minutes ago`.
    ///
    /// Source: reltime.
    ///
    /// ```spl
    /// | makeresults | eval _time=now()-7200 | reltime | table reltime // 2 hours ago
    /// ```
    "reltime": "reltime" = Rows(reltime);

    /// Gives fields the same value in every row.
    ///
    /// Source: setfields.
    ///
    /// ```spl
    /// | makeresults | setfields group="a b", kind=x | table group kind // ["a b","x"]
    /// ```
    "setfields": "setfields <field>=<text>[, <field>=<text>]..." = Rows(setfields);

    /// One row for a gauge: the first row's number in `x`, and the ends of its ranges in `y1`, `y2` and so on. Ranges are
    /// numbers or fields, 0, 30, 70 and 100 where none are said.
    ///
    /// Source: gauge.
    ///
    /// ```spl
    /// | makeresults count=3 | stats count | gauge count 2 4 | table x y1 y2 // [3,2,4]
    /// ```
    "gauge": "gauge <field> [<number or field>...]" = Rows(gauge);

    /// The events newest first.
    ///
    /// Source: rtorder.
    ///
    /// ```spl
    /// | makeresults count=2 | streamstats count as n | eval _time=n | rtorder | head 1 | table n // 2
    /// ```
    "rtorder": "rtorder" = Rows(rtorder);

    /// Fails where the search before it gives no rows.
    ///
    /// Source: require.
    ///
    /// ```spl
    /// | makeresults | require | stats count // 1
    /// ```
    "require": "require" = Rows(require);
}
