//! What `chart` and `timechart` share: aggregates by a row field and a field whose values become columns.
use super::measures::Measures;
use super::options::Options;
use super::wanted::Wanted;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::spl::ast::Word;
use crate::spl::lower::build::{any, call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::{Column, Kind, Name, Schema, Table, Value};
use std::collections::HashMap;

/// Options of both commands.
pub const OPTIONS: [&str; 9] = ["limit", "useother", "usenull", "otherstr", "nullstr", "sep", "format", "agg", "cont"];

/// How the values of a field become columns.
pub struct Series {
    pub by: Word,
    wanted: Wanted,
    others: bool,
    nulls: bool,
    other_name: String,
    null_name: String,
    /// The name of a column of several aggregates: `$AGG$` and `$VAL$` stand for its parts.
    format: String,
}

impl Series {
    /// `wanted` is what a `where` says of the series.
    pub fn new(by: Word, options: &Options, wanted: Option<Wanted>) -> Lower<Series> {
        let wanted = match wanted {
            Some(wanted) => wanted,
            None => Wanted::limit(options)?,
        };
        let name = |option: &str, otherwise: &str| options.text(option).unwrap_or(otherwise).to_owned();
        let format = match (options.text("format"), options.text("sep")) {
            (Some(format), _) => format.to_owned(),
            (None, Some(separator)) => format!("$AGG${separator}$VAL$"),
            (None, None) => "$AGG$: $VAL$".to_owned(),
        };
        Ok(Series {
            by,
            wanted,
            others: options.flag("useother")?.unwrap_or(true),
            nulls: options.flag("usenull")?.unwrap_or(true),
            other_name: name("otherstr", "OTHER"),
            null_name: name("nullstr", "NULL"),
            format,
        })
    }
}

/// The aggregates of each value of `row`, in the order of that field, and a column for each value of the split. None
/// in a check, where nothing runs.
pub fn charted(
    lowering: &mut Lowering,
    rows: Rows,
    measures: &Measures,
    row: &Name,
    series: Option<&Series>,
    span: Span,
) -> Lower<Option<Table>> {
    let Some(series) = series else {
        let made = measures.grouped(lowering, &rows, std::slice::from_ref(row))?;
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
    let keys = [row.clone(), by.clone()];
    let made = measures.grouped(lowering, &rows, &keys)?;
    let Some(table) = lowering.seen(&made, span)? else { return Ok(None) };
    let Some(kept) = series.kept(&table, measures) else { return Ok(Some(pivoted(&table, measures, series))) };
    // The rest is aggregated anew as one series: an average of averages would be another number.
    let is_kept = match kept.as_slice() {
        [] => any(Vec::new()),
        names => call("in", std::iter::once(rows.field(&by)).chain(names.iter().map(|name| text(name))).collect())?,
    };
    let rows = match series.others {
        true => {
            let named = Expr::Case {
                branches: vec![(is_kept, rows.field(&by))],
                otherwise: Box::new(text(&series.other_name)),
                kind: Kind::Field,
            };
            lowering.extend(&rows, vec![(by.clone(), named)])
        }
        false => lowering.filter(&rows, is_kept),
    };
    let made = measures.grouped(lowering, &rows, &keys)?;
    Ok(lowering.seen(&made, span)?.map(|table| pivoted(&table, measures, series)))
}

impl Series {
    /// The series that stay where not all are wanted, and what stands for absent ones.
    fn kept(&self, table: &Table, measures: &Measures) -> Option<Vec<String>> {
        let by = table.column_named(&self.by.text)?;
        let measured = table.column_named(&measures.shown.first()?.name)?;
        let mut cells: HashMap<String, Vec<f64>> = HashMap::new();
        for row in 0..table.rows() {
            let name = field::text(&by, row).unwrap_or_default().into_owned();
            cells.entry(name).or_default().extend(field::number(&measured, row).map(Number::real));
        }
        let null = cells.remove(&self.null_name).filter(|_| self.nulls).map(|_| self.null_name.clone());
        Some(self.wanted.of(cells)?.into_iter().chain(null).collect())
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
fn pivoted(table: &Table, measures: &Measures, series: &Series) -> Table {
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
    let several = measures.shown.len() > 1;
    for made in &measures.shown {
        let Some(values) = table.column_named(&made.name) else { continue };
        let nothing = nothing_of(made.function);
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
