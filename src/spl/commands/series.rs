//! What `chart` and `timechart` share: aggregates by a row field and a field whose values become columns.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::spl::ast::Word;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Aggregation, Lower, Lowering, Rows};
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::{Column, Kind, Name, Schema, Table, Value};
use std::collections::HashMap;

/// Options of both commands.
pub const OPTIONS: [&str; 9] = ["limit", "useother", "usenull", "otherstr", "nullstr", "sep", "format", "agg", "cont"];

/// Series where no number is said.
const DEFAULT_SERIES: usize = 10;

/// How the values of a field become columns.
pub struct Series {
    pub by: Word,
    /// None where all are wanted.
    limit: Option<usize>,
    /// Whether the smallest ones are wanted.
    smallest: bool,
    others: bool,
    nulls: bool,
    other_name: String,
    null_name: String,
    /// The name of a column of several aggregates: `$AGG$` and `$VAL$` stand for its parts.
    format: String,
}

impl Series {
    pub fn new(by: Word, options: &Options) -> Lower<Series> {
        let (limit, smallest) = limit(options)?;
        let name = |option: &str, otherwise: &str| options.text(option).unwrap_or(otherwise).to_owned();
        let format = match (options.text("format"), options.text("sep")) {
            (Some(format), _) => format.to_owned(),
            (None, Some(separator)) => format!("$AGG${separator}$VAL$"),
            (None, None) => "$AGG$: $VAL$".to_owned(),
        };
        Ok(Series {
            by,
            limit,
            smallest,
            others: options.flag("useother")?.unwrap_or(true),
            nulls: options.flag("usenull")?.unwrap_or(true),
            other_name: name("otherstr", "OTHER"),
            null_name: name("nullstr", "NULL"),
            format,
        })
    }
}

/// `limit=5`, `limit=top5`, `limit=bottom5`, `limit=0` for all.
fn limit(options: &Options) -> Lower<(Option<usize>, bool)> {
    let Some(word) = options.word("limit") else { return Ok((Some(DEFAULT_SERIES), false)) };
    let lower = word.text.trim().to_ascii_lowercase();
    let (smallest, digits) = match (lower.strip_prefix("bottom"), lower.strip_prefix("top")) {
        (Some(digits), _) => (true, digits),
        (_, Some(digits)) => (false, digits),
        _ => (false, lower.as_str()),
    };
    match digits.trim().parse::<usize>() {
        Ok(0) => Ok((None, smallest)),
        Ok(count) => Ok((Some(count), smallest)),
        Err(_) => {
            let said = Diagnostic::error("HP504", format!("`limit` is a number of series, not `{}`", word.text));
            Err(said.at(word.span).help("write limit=10, limit=bottom5, or limit=0 for all").into())
        }
    }
}

/// The aggregates of each value of `row`, in the order of that field, and a column for each value of the split. None
/// in a check, where nothing runs.
pub fn charted(
    lowering: &mut Lowering,
    rows: Rows,
    aggregation: &Aggregation,
    row: &Name,
    series: Option<&Series>,
    span: Span,
) -> Lower<Option<Table>> {
    let Some(series) = series else {
        let grouped = Aggregation { calls: aggregation.calls.clone(), by: vec![row.clone()] };
        let made = lowering.grouped(&rows, &grouped)?;
        return lowering.seen(&made, span);
    };
    let by = Name::from(series.by.text.as_str());
    let rows = match series.nulls {
        true => {
            let value = Expr::Coalesce(vec![rows.field(&by), text(&series.null_name)], Kind::Field);
            lowering.extend(&rows, vec![(by.clone(), value)])
        }
        false => rows,
    };
    let grouped = Aggregation { calls: aggregation.calls.clone(), by: vec![row.clone(), by.clone()] };
    let made = lowering.grouped(&rows, &grouped)?;
    let Some(table) = lowering.seen(&made, span)? else { return Ok(None) };
    let Some(kept) = series.kept(&table, aggregation) else { return Ok(Some(pivoted(&table, aggregation, series))) };
    // The rest is aggregated anew as one series: an average of averages would be another number.
    let is_kept = call("in", std::iter::once(rows.field(&by)).chain(kept.iter().map(|name| text(name))).collect())?;
    let rows = match series.others {
        true => {
            let named = Expr::Case {
                branches: vec![(is_kept, rows.field(&by))],
                otherwise: Box::new(text(&series.other_name)),
                kind: Kind::Field,
            };
            lowering.extend(&rows, vec![(by, named)])
        }
        false => lowering.filter(&rows, is_kept),
    };
    let made = lowering.grouped(&rows, &grouped)?;
    Ok(lowering.seen(&made, span)?.map(|table| pivoted(&table, aggregation, series)))
}

impl Series {
    /// The series that stay where there are more than are wanted, and what stands for absent ones.
    fn kept(&self, table: &Table, aggregation: &Aggregation) -> Option<Vec<String>> {
        let limit = self.limit?;
        let by = table.column_named(&self.by.text)?;
        let scored = table.column_named(&aggregation.calls.first()?.name)?;
        let mut scores: HashMap<String, f64> = HashMap::new();
        for row in 0..table.rows() {
            let name = field::text(&by, row).unwrap_or_default().into_owned();
            *scores.entry(name).or_default() += field::number(&scored, row).map_or(0.0, Number::real);
        }
        let null = scores.remove(&self.null_name).filter(|_| self.nulls).map(|_| self.null_name.clone());
        if scores.len() <= limit {
            return None;
        }
        let mut ranked: Vec<(String, f64)> = scores.into_iter().collect();
        ranked.sort_by(|(a, x), (b, y)| {
            let order = if self.smallest { x.total_cmp(y) } else { y.total_cmp(x) };
            order.then_with(|| a.cmp(b))
        });
        ranked.truncate(limit);
        Some(ranked.into_iter().map(|(name, _)| name).chain(null).collect())
    }

    /// What is no value of the field stands behind the values.
    fn rank(&self, name: &str) -> u8 {
        match name {
            _ if name == self.other_name => 1,
            _ if name == self.null_name => 2,
            _ => 0,
        }
    }

    fn column_name(&self, aggregate: &Name, value: &str, several: bool) -> String {
        match several {
            true => self.format.replace("$AGG$", aggregate).replace("$VAL$", value),
            false => value.to_owned(),
        }
    }
}

/// A row for each value of the first column, and a column for each value of the second one.
fn pivoted(table: &Table, aggregation: &Aggregation, series: &Series) -> Table {
    let (keys, names) = (table.column(0), table.column(1));
    let key = |row: usize| field::text(&keys, row).unwrap_or_default().into_owned();
    let name = |row: usize| field::text(&names, row).unwrap_or_default().into_owned();
    let mut firsts: Vec<u32> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut cells: HashMap<(usize, String), usize> = HashMap::new();
    let mut found: Vec<String> = Vec::new();
    for row in 0..table.rows() {
        let place = *places.entry(key(row)).or_insert_with(|| {
            firsts.push(row as u32);
            firsts.len() - 1
        });
        let name = name(row);
        if !found.contains(&name) {
            found.push(name.clone());
        }
        cells.insert((place, name), row);
    }
    found.sort_by(|a, b| series.rank(a).cmp(&series.rank(b)).then_with(|| a.cmp(b)));
    let mut columns: Vec<(Name, Column)> = Vec::new();
    if let Some(first) = table.schema().names().next() {
        columns.push((first.clone(), crate::types::gather::take(&keys, &firsts)));
    }
    let several = aggregation.calls.len() > 1;
    for made in &aggregation.calls {
        let Some(values) = table.column_named(&made.name) else { continue };
        let nothing = nothing_of(made.call.function.name);
        for name in &found {
            let mut out = FieldBuilder::new(Some(&values), firsts.len());
            for place in 0..firsts.len() {
                match cells.get(&(place, name.clone())) {
                    Some(row) => out.push_row(&values, *row),
                    None => out.push(&nothing),
                }
            }
            columns.push((Name::from(series.column_name(&made.name, name, several)), out.finish()));
        }
    }
    of_columns(columns)
}

/// What an aggregate is where there are no rows.
pub fn nothing_of(function: &str) -> Value {
    match function {
        "count" | "dc" | "estdc" => Number::Long(0).into(),
        _ => Value::Null(Kind::Field),
    }
}

/// A table of columns, of which the last of a name counts.
pub fn of_columns(columns: Vec<(Name, Column)>) -> Table {
    let mut unique: Vec<(Name, Column)> = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        match unique.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = column,
            None => unique.push((name, column)),
        }
    }
    match unique.is_empty() {
        true => Table::from_rows(Schema::default(), &[]),
        false => Table::from_columns(unique),
    }
}
