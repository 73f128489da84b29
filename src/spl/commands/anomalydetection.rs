//! `anomalydetection`: events that are unlike the others.
use super::options::Options;
use super::outlier::{self, part};
use super::whole;
use crate::diagnostic::{Diagnostic, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers, text};
use crate::types::{Kind, Name, Table};
use std::collections::HashMap;
use std::sync::Arc;

fn anomalies(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known: Vec<&str> = ["method", "pthresh", "cutoff"].into_iter().chain(outlier::OPTIONS).collect();
    let mut options = Options::read(&mut reader, &known)?;
    let mut fields = reader.fields(&[])?;
    options.read_more(&mut reader, &known)?;
    fields.extend(reader.fields(&[])?);
    reader.finish()?;
    if options.choice("method", &["histogram", "zscore", "iqr"])? == Some("iqr") {
        if let Some(word) = options.word("pthresh") {
            let said = Diagnostic::error("HP504", "`pthresh` is of `method=histogram`").at(word.span);
            return Err(said.help("param=<number> is how far a value may lie from the middle").into());
        }
        return outlier::bounded(lowering, &options, &fields, rows);
    }
    if let Some(word) = options.word("method").filter(|word| word.is("zscore")) {
        let said =
            Diagnostic::error("HP506", "`anomalydetection` has no `method=zscore` here: its scores are not documented");
        return Err(said
            .at(word.span)
            .help("method=histogram or method=iqr; or eventstats avg(x) as m stdev(x) as s, then where")
            .into());
    }
    let action = options.choice("action", &["filter", "annotate", "summary"])?.unwrap_or("filter");
    if let Some(word) = options.word("action").filter(|_| action == "summary") {
        let said = Diagnostic::error("HP506", "`action=summary` is not known here: its table is not documented");
        return Err(said.at(word.span).help("action=annotate, then stats").into());
    }
    let names = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => fields.iter().map(|word| word.text.as_str().into()).collect(),
    };
    let threshold = options.number("pthresh")?;
    let mut schema = rows.schema.clone();
    TOLD.iter().for_each(|name| schema.set((*name).into(), Kind::Field));
    let operation = Anomalies { names, threshold, filters: action == "filter" };
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

/// What is told of an anomaly.
const TOLD: [&str; 4] = ["log_event_prob", "max_freq", "probable_cause", "probable_cause_freq"];

#[derive(Debug)]
struct Anomalies {
    names: Vec<Name>,
    threshold: Option<f64>,
    /// Whether only anomalies stay.
    filters: bool,
}

/// How frequent the values of a field are, row by row.
struct Frequencies {
    name: Name,
    of: Vec<Option<f64>>,
}

impl TableOperation for Anomalies {
    fn name(&self) -> &str {
        "anomalydetection"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Ok(Table::default()) };
        let found: Vec<Frequencies> = self.names.iter().filter_map(|name| frequencies(table, name)).collect();
        let logs: Vec<f64> = (0..table.rows())
            .map(|row| found.iter().filter_map(|field| field.of.get(row).copied().flatten()).map(f64::ln).sum())
            .collect();
        let mut sorted = logs.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = || {
            let (first, third) = (part(&sorted, 0.25)?, part(&sorted, 0.75)?);
            Some(first - 1.5 * (third - first))
        };
        let bound = self.threshold.map(f64::ln).or_else(usual).unwrap_or(f64::NEG_INFINITY);
        let strange: Vec<bool> = logs.iter().map(|log| *log < bound).collect();
        let mut told: Vec<FieldBuilder> = TOLD.iter().map(|_| FieldBuilder::new(None, table.rows())).collect();
        for (row, log) in logs.iter().enumerate() {
            let is_strange = strange.get(row) == Some(&true);
            let known = found.iter().filter_map(|field| Some((&field.name, field.of.get(row).copied().flatten()?)));
            let cause = known.clone().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| is_strange);
            let most = known.map(|(_, frequency)| frequency).reduce(f64::max).filter(|_| is_strange);
            let mut push = |at: usize, number: Option<f64>| {
                if let Some(builder) = told.get_mut(at) {
                    match number {
                        Some(number) => builder.push_number(Number::Real(number)),
                        None => builder.push_null(),
                    }
                }
            };
            push(0, is_strange.then_some(*log));
            push(1, most);
            push(3, cause.map(|(_, frequency)| frequency));
            if let Some(builder) = told.get_mut(2) {
                match cause {
                    Some((name, _)) => builder.push_text(name),
                    None => builder.push_null(),
                }
            }
        }
        let columns = told.into_iter().map(|mut builder| builder.finish());
        let table = whole::with_columns(table, TOLD.iter().map(|name| Name::from(*name)).zip(columns).collect());
        Ok(if self.filters { whole::rows(&table, |row| strange.get(row) == Some(&true)) } else { table })
    }
}

/// Of categories the part of the rows with the same value, of numbers that of the bin that they lie in.
fn frequencies(table: &Table, name: &Name) -> Option<Frequencies> {
    let column = table.column_named(name)?;
    let texts: Vec<Option<String>> = (0..table.rows()).map(|row| text(&column, row).map(|t| t.into_owned())).collect();
    let numbers = Numbers::of(&column);
    let reals: Vec<Option<f64>> = (0..table.rows()).map(|row| numbers.get(row).map(Number::real)).collect();
    let known = texts.iter().flatten().count();
    let numeric = known > 0 && reals.iter().flatten().count() == known;
    let keys: Vec<Option<String>> = match numeric {
        true => {
            let width = bin_width(&reals);
            reals.iter().map(|real| real.map(|real| format!("{}", (real / width).floor()))).collect()
        }
        false => texts,
    };
    let mut counts: HashMap<&str, usize> = HashMap::new();
    keys.iter().flatten().for_each(|key| *counts.entry(key).or_default() += 1);
    let total = table.rows().max(1) as f64;
    let of = keys.iter().map(|key| Some(*counts.get(key.as_deref()?)? as f64 / total)).collect();
    Some(Frequencies { name: name.clone(), of })
}

/// The width of a histogram's bins: by the middle half of the values and their number.
fn bin_width(values: &[Option<f64>]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let half = part(&sorted, 0.75).unwrap_or_default() - part(&sorted, 0.25).unwrap_or_default();
    let width = 2.0 * half / (sorted.len() as f64).cbrt();
    if width > 0.0 { width } else { 1.0 }
}

crate::command! {
    /// Events whose values are together much rarer than those of the others.
    ///
    /// An event's probability is the product of the frequencies of its values; numbers are put into the bins of a
    /// histogram. An event is an anomaly below `pthresh`, or far below the middle half of all. `action=annotate` keeps the
    /// other events; `probable_cause` names an anomaly's rarest field. `method=iqr` is what `outlier` does, with its options.
    ///
    /// Source: anomalydetection.
    ///
    /// ```spl
    /// | makeresults count=20 | streamstats count as n | eval user=if(n=20, "x", "a") | fields user | anomalydetection user pthresh=0.1 | fields probable_cause // user
    /// ```
    "anomalydetection": "anomalydetection [method=histogram|iqr] [action=filter|annotate] [pthresh=<number>] [<field>...]" = Rows(anomalies);
}
