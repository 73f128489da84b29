//! `concurrency`: how many events are under way when an event begins.
use super::options::Options;
use super::whole;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Name, Table};
use std::sync::Arc;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &["duration", "start", "output"])?;
    reader.finish()?;
    let Some(duration) = options.text("duration") else {
        let said = Diagnostic::error("HP504", "`concurrency` needs duration=<field>").at(command.span);
        return Err(said.into());
    };
    let operation = Concurrent {
        duration: duration.into(),
        start: options.text("start").unwrap_or("_time").into(),
        output: options.text("output").unwrap_or("concurrency").into(),
    };
    let mut schema = rows.schema.clone();
    rows.has(&operation.duration);
    rows.has(&operation.start);
    schema.set(operation.output.clone(), Kind::Field);
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

#[derive(Debug)]
struct Concurrent {
    duration: Name,
    start: Name,
    output: Name,
}

impl TableOperation for Concurrent {
    fn name(&self) -> &str {
        "concurrency"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`concurrency` has one input")) };
        let column = |name: &Name| table.column_named(name).unwrap_or(Column::nulls(Kind::Field, table.rows()));
        let (starts, durations) = (column(&self.start), column(&self.duration));
        let (starts, durations) = (Numbers::of(&starts), Numbers::of(&durations));
        let event = |row: usize| Some((starts.get(row)?.real(), durations.get(row)?.real()));
        let events: Vec<Option<(f64, f64)>> = (0..table.rows()).map(event).collect();
        let sorted = |times: &mut Vec<f64>| times.sort_by(f64::total_cmp);
        // Events that take no time are under way only as they begin.
        let (mut begun, mut ended, mut instants) = (Vec::new(), Vec::new(), Vec::new());
        for (start, duration) in events.iter().flatten() {
            match *duration > 0.0 {
                true => {
                    begun.push(*start);
                    ended.push(start + duration);
                }
                false => instants.push(*start),
            }
        }
        [&mut begun, &mut ended, &mut instants].into_iter().for_each(sorted);
        let mut out = FieldBuilder::new(None, events.len());
        for event in &events {
            let Some((start, _)) = event else {
                out.push_null();
                continue;
            };
            let until = |times: &[f64]| times.partition_point(|time| time <= start);
            let at_once = until(&instants) - instants.partition_point(|time| time < start);
            out.push_number(Number::Long((until(&begun) - until(&ended).min(until(&begun)) + at_once) as i64));
        }
        Ok(whole::replaced(table, &self.output, out.finish()))
    }
}

crate::command! {
    /// How many events are under way as each event begins, itself among them, in the field `concurrency` or another one.
    ///
    /// An event is under way from `start` (`_time`) on for as many seconds as the field `duration` says.
    ///
    /// Source: concurrency.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | eval _time=n*10, d=15 | concurrency duration=d | stats list(concurrency) as c // ["1","2","2"]
    /// ```
    "concurrency": "concurrency duration=<field> [start=<field>] [output=<field>]" = Rows(lower);
}
