//! `trendline`: moving averages.
use super::whole;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers, without_noise};
use crate::types::{Column, Kind, Name, Table};
use std::collections::VecDeque;
use std::sync::Arc;

/// The periods that a trend may have.
const PERIODS: std::ops::RangeInclusive<usize> = 2..=10_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut trends = Vec::new();
    while !reader.at_end() {
        while reader.eat(",") {}
        let written = reader.needed_field()?;
        let mut trend = trend(&written)?;
        if reader.eat_word("as") {
            trend.name = reader.needed_field()?.text.as_str().into();
        }
        trends.push(trend);
    }
    if trends.is_empty() {
        return Err(reader.expected("a trend such as sma5(count)").into());
    }
    let mut schema = rows.schema.clone();
    for trend in &trends {
        rows.has(&trend.field);
        schema.set(trend.name.clone(), Kind::Field);
    }
    Ok(lowering.operation(&[&rows], Arc::new(Trends(trends)), schema))
}

/// `sma5(count)`: the kind, the period, the field.
fn trend(written: &Word) -> Lower<Trend> {
    let wrong = || {
        let message = format!("`{}` is no trend", written.text);
        let help = "write sma, ema or wma, a period from 2 to 10000 and a field: sma5(count)";
        Diagnostic::error("HP504", message).at(written.span).help(help)
    };
    let inner = written.text.split_once('(').and_then(|(head, field)| Some((head, field.strip_suffix(')')?.trim())));
    let (head, field) = inner.filter(|(_, field)| !field.is_empty()).ok_or_else(wrong)?;
    let (kind, period) = head.split_at_checked(3).ok_or_else(wrong)?;
    let kind = match kind.to_ascii_lowercase().as_str() {
        "sma" => Average::Simple,
        "ema" => Average::Exponential,
        "wma" => Average::Weighted,
        _ => return Err(wrong().into()),
    };
    let period = period.parse().ok().filter(|period| PERIODS.contains(period)).ok_or_else(wrong)?;
    let field = field.trim_matches('"').into();
    Ok(Trend { kind, period, field, name: written.text.as_str().into() })
}

#[derive(Clone, Copy, Debug)]
enum Average {
    Simple,
    Exponential,
    Weighted,
}

#[derive(Debug)]
struct Trend {
    kind: Average,
    period: usize,
    field: Name,
    name: Name,
}

#[derive(Debug)]
struct Trends(Vec<Trend>);

impl TableOperation for Trends {
    fn name(&self) -> &str {
        "trendline"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`trendline` has one input")) };
        let mut made = table.clone();
        for trend in &self.0 {
            let column = table.column_named(&trend.field).unwrap_or(Column::nulls(Kind::Field, table.rows()));
            made = whole::replaced(&made, &trend.name, trend.over(context, &column)?);
        }
        Ok(made)
    }
}

impl Trend {
    /// The trend of each row, from the row on with which as many numbers are known as the period has.
    fn over(&self, context: &Context, column: &Column) -> Result<Column> {
        let numbers = Numbers::of(column);
        let mut out = FieldBuilder::new(None, column.len());
        let mut latest: VecDeque<f64> = VecDeque::with_capacity(self.period);
        let (mut known, mut exponential) = (0usize, 0.0);
        for row in 0..column.len() {
            if row % 4096 == 0 {
                context.check()?;
            }
            let Some(number) = numbers.get(row).map(Number::real) else {
                out.push_null();
                continue;
            };
            if latest.len() == self.period {
                latest.pop_front();
            }
            latest.push_back(number);
            known += 1;
            // The documentation's alpha is the weight of what was.
            let alpha = 2.0 / (self.period as f64 + 1.0);
            exponential = if known == 1 { number } else { alpha * exponential + (1.0 - alpha) * number };
            match known < self.period {
                true => out.push_null(),
                false => out.push_number(Number::Real(without_noise(self.value(&latest, exponential)))),
            }
        }
        Ok(out.finish())
    }

    fn value(&self, latest: &VecDeque<f64>, exponential: f64) -> f64 {
        let count = latest.len() as f64;
        match self.kind {
            Average::Simple => latest.iter().sum::<f64>() / count,
            Average::Exponential => exponential,
            // The latest number weighs most.
            Average::Weighted => {
                let sum: f64 = latest.iter().zip(1u32..).map(|(number, weight)| number * f64::from(weight)).sum();
                sum / (count * (count + 1.0) / 2.0)
            }
        }
    }
}

crate::command! {
    /// Moving averages of fields: `sma5(x)` is the mean of the latest five numbers, `wma5(x)` one in which later numbers
    /// weigh more, `ema5(x)` one in which every earlier number counts less.
    ///
    /// Rows before the period is full have none. The exponential one is `alpha * before + (1 - alpha) * x`, alpha being
    /// 2 / (period + 1).
    ///
    /// Source: trendline.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | trendline sma2(n) as m wma2(n) as w | where n=3 | table m w // [2.5,2.6666666666666665]
    /// ```
    "trendline": "trendline <sma|ema|wma><period>(<field>) [as <field>]..." = Rows(lower);
}
