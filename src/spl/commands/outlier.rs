//! `outlier`: numbers that lie far from the middle.
use super::options::Options;
use super::whole;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Name, Table};
use std::sync::Arc;

/// How far from the middle a value may lie, in widths of the middle half.
const USUAL_WIDTH: f64 = 2.5;

/// The options of the command.
pub const OPTIONS: [&str; 5] = ["action", "mark", "param", "uselower", "type"];

fn outlier(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let mut fields = reader.fields(&[])?;
    options.read_more(&mut reader, &OPTIONS)?;
    fields.extend(reader.fields(&[])?);
    reader.finish()?;
    bounded(lowering, &options, &fields, rows)
}

/// The rows with the numbers of fields within bounds, or without those that lie beyond.
pub fn bounded(lowering: &mut Lowering, options: &Options, fields: &[Word], rows: Rows) -> Lower<Rows> {
    let action = options.choice("action", &["remove", "rm", "transform", "tf"])?;
    let names: Vec<Name> = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => fields.iter().map(|word| word.text.as_str().into()).collect(),
    };
    let operation = Outliers {
        names,
        width: options.number("param")?.unwrap_or(USUAL_WIDTH),
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
pub fn part(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * (sorted.len().checked_sub(1)? as f64);
    let (low, high) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
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
}
