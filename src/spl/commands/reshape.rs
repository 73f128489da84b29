//! Rows that become columns and columns that become rows: `transpose`, `xyseries`, `untable`.
use super::options::Options;
use super::series::of_columns;
use super::whole::columns;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::field::{self, FieldBuilder};
use crate::types::{Column, Kind, Name, Schema, Table, gather};
use std::collections::HashMap;
use std::sync::Arc;

/// Columns that are made of rows at most.
const MOST_COLUMNS: usize = 10_000;

fn transpose(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    const OPTIONS: [&str; 3] = ["column_name", "header_field", "include_empty"];
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let count = reader.count();
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let most = match count.unwrap_or(5) {
        0 => table.rows(),
        count => usize::try_from(count).unwrap_or(usize::MAX).min(table.rows()),
    };
    if most > MOST_COLUMNS {
        return Err(too_many(command).into());
    }
    let header = options.text("header_field").map(Name::from);
    let headers = header.as_ref().and_then(|name| table.column_named(name));
    let empty = options.flag("include_empty")?.unwrap_or(true);
    let fields: Vec<(Name, Column)> = columns(&table)
        .into_iter()
        .filter(|(name, _)| Some(name) != header.as_ref() && !name.starts_with('_'))
        .filter(|(_, column)| empty || (0..most).any(|row| !column.is_null(row)))
        .collect();
    let mut names = FieldBuilder::new(None, fields.len());
    fields.iter().for_each(|(name, _)| names.push_text(name));
    let first = Name::from(options.text("column_name").unwrap_or("column"));
    let mut made: Vec<(Name, Column)> = vec![(first, names.finish())];
    for row in 0..most {
        let own = headers.as_ref().and_then(|column| field::text(column, row)).map(|text| text.into_owned());
        let mut out = FieldBuilder::new(None, fields.len());
        fields.iter().for_each(|(_, column)| out.push_row(column, row));
        made.push((Name::from(own.unwrap_or_else(|| format!("row {}", row + 1))), out.finish()));
    }
    Ok(lowering.values(of_columns(made)))
}

fn too_many(command: &Command) -> Diagnostic {
    let message = format!("`{}` makes at most {MOST_COLUMNS} columns", command.name.text);
    Diagnostic::error("HP310", message).at(command.span)
}

fn xyseries(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    const OPTIONS: [&str; 3] = ["grouped", "sep", "format"];
    let (options, mut fields) = Options::with_fields(command, &OPTIONS)?;
    if fields.len() < 3 {
        let message = "`xyseries` needs the field of the rows, the field of the columns, and the fields of the values";
        return Err(Diagnostic::error("HP504", message).at(command.span).into());
    }
    let cells: Vec<Word> = fields.split_off(2);
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let format = match (options.text("format"), options.text("sep")) {
        (Some(format), _) => format.to_owned(),
        (None, Some(separator)) => format!("$AGG${separator}$VAL$"),
        (None, None) => "$AGG$: $VAL$".to_owned(),
    };
    let several = cells.len() > 1;
    let column = |name: &str| table.column_named(name).unwrap_or(Column::nulls(Kind::Field, table.rows()));
    let (x, y) = (column(&fields[0].text), column(&fields[1].text));
    let mut firsts: Vec<u32> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut known: HashMap<(usize, String), usize> = HashMap::new();
    for row in 0..table.rows() {
        let (Some(x), Some(y)) = (field::text(&x, row), field::text(&y, row)) else { continue };
        let place = *places.entry(x.into_owned()).or_insert_with(|| {
            firsts.push(row as u32);
            firsts.len() - 1
        });
        if !names.iter().any(|name| **name == *y) {
            names.push(y.to_string());
        }
        if names.len() > MOST_COLUMNS {
            return Err(too_many(command).into());
        }
        known.insert((place, y.into_owned()), row);
    }
    names.sort();
    let mut made: Vec<(Name, Column)> = vec![(fields[0].text.as_str().into(), gather::take(&x, &firsts))];
    for cell in &cells {
        let values = column(&cell.text);
        for name in &names {
            let mut out = FieldBuilder::new(Some(&values), firsts.len());
            for place in 0..firsts.len() {
                match known.get(&(place, name.clone())) {
                    Some(row) => out.push_row(&values, *row),
                    None => out.push_null(),
                }
            }
            let title = match several {
                true => format.replace("$AGG$", &cell.text).replace("$VAL$", name),
                false => name.clone(),
            };
            made.push((Name::from(title), out.finish()));
        }
    }
    Ok(lowering.values(of_columns(made)))
}

fn untable(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let fields = reader.fields(&[])?;
    reader.finish()?;
    let names: Vec<Name> = fields.iter().map(|word| word.text.as_str().into()).collect();
    let Ok([x, y, value]) = <[Name; 3]>::try_from(names) else {
        let message = "`untable` needs a field of the rows, and names for the field of the columns and of the values";
        return Err(Diagnostic::error("HP504", message).at(command.span).into());
    };
    rows.want_all();
    let schema = Schema::from_iter([&x, &y, &value].map(|name| (name.clone(), Kind::Field)));
    Ok(lowering.operation(&[&rows], Arc::new(Untable { x, y, value }), schema))
}

/// A row for each value of each row.
#[derive(Debug)]
struct Untable {
    x: Name,
    y: Name,
    value: Name,
}

impl TableOperation for Untable {
    fn name(&self) -> &str {
        "untable"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`untable` has one input")) };
        let x = table.column_named(&self.x).unwrap_or(Column::nulls(Kind::Field, table.rows()));
        let fields: Vec<(Name, Column)> =
            columns(table).into_iter().filter(|(name, _)| *name != self.x && !name.starts_with('_')).collect();
        let mut rows: Vec<u32> = Vec::new();
        let (mut names, mut values) = (FieldBuilder::new(None, table.rows()), FieldBuilder::new(None, table.rows()));
        for row in (0..table.rows()).filter(|row| !x.is_null(*row)) {
            for (name, column) in fields.iter().filter(|(_, column)| !column.is_null(row)) {
                rows.push(row as u32);
                names.push_text(name);
                values.push_row(column, row);
            }
            if rows.len() > context.limits.rows {
                return Err(Fault::limit("rows", "`untable` makes too many rows"));
            }
        }
        let made = vec![
            (self.x.clone(), gather::take(&x, &rows)),
            (self.y.clone(), names.finish()),
            (self.value.clone(), values.finish()),
        ];
        Ok(Table::from_columns(made))
    }
}

fn summary(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let (options, fields) = Options::with_fields(command, &["maxvals"])?;
    let most = options.count("maxvals")?.unwrap_or(100) as usize;
    rows.want_all();
    let patterns = fields.into_iter().map(|word| word.text).collect();
    let schema = Schema::from_iter(SUMMARY.map(|name| (Name::from(name), Kind::Field)));
    Ok(lowering.operation(&[&rows], Arc::new(Summary { patterns, most }), schema))
}

const SUMMARY: [&str; 10] =
    ["field", "count", "distinct_count", "is_exact", "max", "mean", "min", "numeric_count", "stdev", "values"];

/// A row for each field: what is known of its values.
#[derive(Debug)]
struct Summary {
    patterns: Vec<String>,
    /// Values that are told of a field, and told apart.
    most: usize,
}

impl TableOperation for Summary {
    fn name(&self) -> &str {
        "fieldsummary"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`fieldsummary` has one input")) };
        let wanted = |name: &str| {
            self.patterns.is_empty() && !name.starts_with('_')
                || self.patterns.iter().any(|pattern| wildcard::matches(pattern, name))
        };
        let mut fields: Vec<(Name, Column)> = columns(table).into_iter().filter(|(name, _)| wanted(name)).collect();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut out: Vec<FieldBuilder> = SUMMARY.iter().map(|_| FieldBuilder::new(None, fields.len())).collect();
        for (name, column) in &fields {
            let mut told = self.of(column);
            told.insert(0, Some(name.to_string()));
            for (builder, cell) in out.iter_mut().zip(told) {
                match cell.as_deref().map(|text| (text, field::Number::read(text))) {
                    Some((_, Some(number))) => builder.push_number(number),
                    Some((text, None)) => builder.push_text(text),
                    None => builder.push_null(),
                }
            }
        }
        let columns = SUMMARY.iter().zip(out).map(|(name, mut builder)| (Name::from(*name), builder.finish()));
        Ok(Table::from_columns(columns.collect()))
    }
}

impl Summary {
    /// The cells behind the name, in order.
    fn of(&self, column: &Column) -> Vec<Option<String>> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut numbers: Vec<f64> = Vec::new();
        for row in 0..column.len() {
            for value in field::values(column, row) {
                numbers.extend(field::Number::read(&value).map(field::Number::real));
                *counts.entry(value.into_owned()).or_default() += 1;
            }
        }
        let total: usize = counts.values().sum();
        let mut values: Vec<(String, usize)> = counts.into_iter().collect();
        values.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
        let distinct = values.len();
        values.truncate(self.most);
        let listed: Vec<serde_json::Value> =
            values.into_iter().map(|(value, count)| serde_json::json!({"value": value, "count": count})).collect();
        let some = |real: f64| (!numbers.is_empty()).then(|| field::Number::Real(real).text());
        let count = numbers.len().max(1) as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let spread = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        vec![
            Some(total.to_string()),
            Some(distinct.to_string()),
            Some("1".to_owned()),
            some(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            some(mean),
            some(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
            Some(numbers.len().to_string()),
            some(spread.sqrt()),
            Some(serde_json::Value::Array(listed).to_string()),
        ]
    }
}

crate::command! {
    /// Turns rows into columns: a row for each field, and a column for each row, at most five or as many as are said
    /// (0 for all).
    ///
    /// `header_field` is the field whose values name the columns; `column_name` names the first one.
    ///
    /// Source: transpose.
    ///
    /// ```spl
    /// | makeresults | eval h="web", n=3 | transpose header_field=h | table column web // ["n",3]
    /// ```
    "transpose": "transpose [<count>] [column_name=<name>] [header_field=<field>] [include_empty=<flag>]" = Rows(transpose);

    /// A row for each value of one field, and a column for each value of another, with the values of a third.
    ///
    /// Source: xyseries.
    ///
    /// ```spl
    /// | makeresults count=2 | streamstats count as n | eval k="k" . n, x="x" | xyseries x k n | table k1 k2 // [1,2]
    /// ```
    "xyseries" as ["maketable"]: "xyseries <field of rows> <field of columns> <field of values>... [sep=<text>] [format=<text>]" = Rows(xyseries);

    /// The other way round than `xyseries`: a row for each value of each column.
    ///
    /// Source: untable.
    ///
    /// ```spl
    /// | makeresults | eval x="x", a=1, b=2 | untable x name value | stats list(name) as n sum(value) as s | eval n=mvjoin(n, "+") | table n s // ["a+b",3]
    /// ```
    "untable": "untable <field of rows> <name> <name of values>" = Rows(untable);

    /// What is known of the values of each field: how many, how many different, the least, the mean, the greatest, the
    /// most frequent.
    ///
    /// Source: fieldsummary.
    ///
    /// ```spl
    /// | makeresults count=3 | eval n=5 | fieldsummary n | table field count distinct_count mean // ["n",3,1,5]
    /// ```
    "fieldsummary": "fieldsummary [maxvals=<count>] [<field>...]" = Rows(summary);
}
