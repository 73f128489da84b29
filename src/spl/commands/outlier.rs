//! `outlier` and `anomalydetection`: values and events that are unlike the others.
use super::options::Options;
use super::whole;
use crate::diagnostic::{Diagnostic, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers, text};
use crate::types::{Column, Kind, Name, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// How far from the middle a value may lie, in widths of the middle half.
const USUAL_WIDTH: f64 = 2.5;

fn outlier(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = ["action", "mark", "param", "uselower", "type"];
    let mut options = Options::read(&mut reader, &known)?;
    let fields = reader.fields(&[])?;
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let action = options.choice("action", &["remove", "rm", "transform", "tf"])?;
    let names: Vec<Name> = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => fields.iter().map(|word| word.text.as_str().into()).collect(),
    };
    let width = match options.word("param") {
        Some(word) => word.text.parse().map_err(|_| {
            Diagnostic::error("HP504", format!("`param` is a number, not `{}`", word.text)).at(word.span)
        })?,
        None => USUAL_WIDTH,
    };
    let operation = Outliers {
        names,
        width,
        removes: matches!(action, Some("remove" | "rm")),
        marks: options.flag("mark")?.unwrap_or(false),
        lower: options.flag("uselower")?.unwrap_or(false),
    };
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

#[derive(Debug)]
struct Outliers {
    names: Vec<Name>,
    width: f64,
    /// Whether rows with such values go, or the values become the bound.
    removes: bool,
    marks: bool,
    lower: bool,
}

impl TableOperation for Outliers {
    fn name(&self) -> &str {
        "outlier"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Ok(Table::default()) };
        let mut far = vec![false; table.rows()];
        let columns = whole::columns(table).into_iter().map(|(name, column)| {
            let changed = if self.names.contains(&name) { self.bounded(&column, &mut far) } else { column };
            (name, changed)
        });
        let bounded = Table::from_columns(columns.collect()).with_problems(table.problems().to_vec());
        if self.removes {
            return Ok(whole::rows(table, |row| far.get(row) == Some(&false)));
        }
        Ok(bounded)
    }
}

impl Outliers {
    /// A column within its bounds; the rows are noted where it was not.
    fn bounded(&self, column: &Column, far: &mut [bool]) -> Column {
        let numbers = Numbers::of(column);
        let mut known: Vec<f64> = (0..column.len()).filter_map(|row| numbers.get(row)).map(Number::real).collect();
        known.sort_by(f64::total_cmp);
        let (Some(first), Some(third)) = (part(&known, 0.25), part(&known, 0.75)) else { return column.clone() };
        let reach = self.width * (third - first);
        let (low, high) = (first - reach, third + reach);
        let mut builder = FieldBuilder::new(Some(column), column.len());
        for row in 0..column.len() {
            let bound = match numbers.get(row).map(Number::real) {
                Some(real) if real > high => Some(high),
                Some(real) if self.lower && real < low => Some(low),
                _ => None,
            };
            if let (Some(_), Some(far)) = (bound, far.get_mut(row)) {
                *far = true;
            }
            match bound {
                None => builder.push_row(column, row),
                Some(bound) if self.marks => builder.push_text(&format!("000{}", Number::Real(bound).text())),
                Some(bound) => builder.push_number(Number::Real(bound)),
            }
        }
        builder.finish()
    }
}

/// The value below which a part of sorted values lies, between two of them where it falls there.
fn part(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * (sorted.len().checked_sub(1)? as f64);
    let (low, high) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}

fn anomalies(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = ["method", "action", "pthresh", "cutoff"];
    let mut options = Options::read(&mut reader, &known)?;
    let mut fields = reader.fields(&[])?;
    options.read_more(&mut reader, &known)?;
    fields.extend(reader.fields(&[])?);
    reader.finish()?;
    if let Some(word) = options.word("method").filter(|word| !word.is("histogram")) {
        let said = Diagnostic::error("HP506", format!("`anomalydetection` knows no method `{}` here", word.text));
        return Err(said.at(word.span).help("method=histogram, or the command outlier").into());
    }
    let action = options.choice("action", &["filter", "annotate", "summary"])?.unwrap_or("filter");
    if let Some(word) = options.word("action").filter(|_| action == "summary") {
        return Err(Diagnostic::error("HP506", "`action=summary` is not known here").at(word.span).into());
    }
    let names = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => fields.iter().map(|word| word.text.as_str().into()).collect(),
    };
    let threshold = match options.word("pthresh") {
        Some(word) => Some(word.text.parse::<f64>().map_err(|_| {
            Diagnostic::error("HP504", format!("`pthresh` is a number, not `{}`", word.text)).at(word.span)
        })?),
        None => None,
    };
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
    /// Numbers that lie far from the middle become the bound, or go.
    ///
    /// The bound is `param` (2.5) times the width of the middle half above the median, with `uselower=true` also below it.
    ///
    /// Source: outlier.
    ///
    /// ```spl
    /// | makeresults count=4 | streamstats count as n | eval n=if(n=4, 1000, n) | outlier action=rm n | stats count(n) as c | fields c // 3
    /// ```
    "outlier": "outlier [action=remove|transform] [param=<number>] [uselower=<flag>] [mark=<flag>] [<field>...]" = Rows(outlier);
    /// Events whose values are together much rarer than those of the others.
    ///
    /// An event's probability is the product of the frequencies of its values; numbers are put into the bins of a
    /// histogram. An event is an anomaly below `pthresh`, or far below the middle half of all. `action=annotate` keeps the
    /// other events; `probable_cause` names an anomaly's rarest field.
    ///
    /// Source: anomalydetection.
    ///
    /// ```spl
    /// | makeresults count=20 | streamstats count as n | eval user=if(n=20, "x", "a") | fields user | anomalydetection user pthresh=0.1 | fields probable_cause // user
    /// ```
    "anomalydetection": "anomalydetection [action=filter|annotate] [pthresh=<number>] [<field>...]" = Rows(anomalies);
}
