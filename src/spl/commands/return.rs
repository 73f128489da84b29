//! `return` and `format`: rows as search terms.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows, plain_columns};
use crate::spl::parse::Reader;
use crate::types::{Kind, Schema, Table, Value, field};
use std::sync::Arc;

/// The field that holds the terms.
const SEARCH: &str = "search";

fn search_schema() -> Schema {
    Schema::from_iter([(SEARCH, Kind::Field)])
}

fn one_row(text: String) -> Table {
    Table::from_rows(search_schema(), &[vec![Value::field([text])]])
}

/// A value in double quotes.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn return_rows(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let before = reader.position();
    let count = reader.word().and_then(|word| word.text.parse::<u64>().ok());
    if count.is_none() {
        reader.back_to(before);
    }
    let mut given = Vec::new();
    while !reader.at_end() {
        while reader.eat(",") {}
        let first = reader.needed_field()?;
        given.push(match reader.eat("=") {
            true => Given::of(&reader.needed_field()?, Some(first.text)),
            false => Given::of(&first, None),
        });
    }
    let rows = lowering.take(&rows, count.unwrap_or(1));
    Ok(lowering.operation(&[&rows], Arc::new(Return(given)), search_schema()))
}

/// A field that `return` gives.
#[derive(Clone, Debug)]
struct Given {
    field: String,
    /// The name it gets; none where the value stands alone.
    name: Option<String>,
}

impl Given {
    /// `field`, `alias=field`, `$field`, `alias=$field`.
    fn of(word: &Word, alias: Option<String>) -> Given {
        match word.text.strip_prefix('$') {
            Some(field) => Given { field: field.to_owned(), name: alias },
            None => Given { field: word.text.clone(), name: Some(alias.unwrap_or_else(|| word.text.clone())) },
        }
    }
}

#[derive(Debug)]
struct Return(Vec<Given>);

impl TableOperation for Return {
    fn name(&self) -> &str {
        "return"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`return` has one input")) };
        let columns: Vec<_> = self.0.iter().map(|given| (given, table.column_named(&given.field))).collect();
        let mut rows = Vec::with_capacity(table.rows());
        for row in 0..table.rows() {
            let mut parts = Vec::new();
            for (given, column) in &columns {
                let Some(text) = column.as_ref().and_then(|column| field::text(column, row)) else { continue };
                parts.push(match &given.name {
                    Some(name) => format!("{name}={}", quoted(&text)),
                    None if self.0.len() == 1 && table.rows() == 1 => text.into_owned(),
                    None => quoted(&text),
                });
            }
            if !parts.is_empty() {
                rows.push(parts.join(" "));
            }
        }
        Ok(one_row(match rows.as_slice() {
            [one] => one.clone(),
            [] => "NOT ()".to_owned(),
            many => many.iter().map(|row| format!("({row})")).collect::<Vec<_>>().join(" OR "),
        }))
    }
}

fn format_rows(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = ["mvsep", "maxresults", "emptystr"];
    let mut options = Options::read(&mut reader, &known)?;
    let mut words = Vec::new();
    while !reader.at_end() {
        options.read_more(&mut reader, &known)?;
        match reader.word() {
            Some(word) if words.len() < 6 => words.push(word.text),
            Some(word) => return Err(Diagnostic::error("HP504", "`format` takes six words").at(word.span).into()),
            None => break,
        }
    }
    reader.finish()?;
    let form = Format::new(&words, options.text("mvsep"), options.text("emptystr"));
    let rows = match options.count("maxresults")?.unwrap_or(0) {
        0 => rows,
        most => lowering.take(&rows, most),
    };
    Ok(lowering.operation(&[&rows], Arc::new(form), search_schema()))
}

/// The words around and between rows and fields.
#[derive(Debug)]
struct Format {
    row_set: [String; 3],
    row: [String; 3],
    values: String,
    empty: String,
}

impl TableOperation for Format {
    fn name(&self) -> &str {
        "format"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`format` has one input")) };
        Ok(one_row(self.text(table)))
    }
}

/// The rows as `format` writes them where nothing else is said.
pub fn formatted(table: &Table) -> String {
    Format::new(&[], None, None).text(table)
}

impl Format {
    /// The words in the order in which they are written: around and between all rows, each row, its fields.
    fn new(words: &[String], values: Option<&str>, empty: Option<&str>) -> Format {
        let part = |at: usize, otherwise: &str| words.get(at).map_or_else(|| otherwise.to_owned(), Clone::clone);
        Format {
            row_set: [part(0, "("), part(4, "OR"), part(5, ")")],
            row: [part(1, "("), part(2, "AND"), part(3, ")")],
            values: values.unwrap_or("OR").to_owned(),
            empty: empty.unwrap_or("NOT ( )").to_owned(),
        }
    }

    fn text(&self, table: &Table) -> String {
        let columns = plain_columns(table);
        let mut rows = Vec::with_capacity(table.rows());
        for row in 0..table.rows() {
            let mut parts = Vec::new();
            for (name, column) in &columns {
                let values: Vec<String> = field::values(column, row).map(|value| self.term(name, &value)).collect();
                match values.len() {
                    0 => {}
                    1 => parts.extend(values),
                    _ => parts.push(format!("( {} )", values.join(&format!(" {} ", self.values)))),
                }
            }
            if !parts.is_empty() {
                let [open, between, close] = &self.row;
                rows.push(format!("{open} {} {close}", parts.join(&format!(" {between} "))));
            }
        }
        if rows.is_empty() {
            return self.empty.clone();
        }
        let [open, between, close] = &self.row_set;
        format!("{open} {} {close}", rows.join(&format!(" {between} ")))
    }

    fn term(&self, name: &str, value: &str) -> String {
        match name {
            SEARCH | "query" => value.to_owned(),
            name => format!("{name}={}", quoted(value)),
        }
    }
}

crate::command! {
    /// The first row, or the first few, as search terms: what a search in brackets hands to the search around it.
    ///
    /// `field` gives `field="value"`, `name=field` gives it under another name, and `$field` gives the value alone.
    ///
    /// Source: return.
    ///
    /// ```spl
    /// | makeresults | eval ip="10.0.0.1" | return ip // ip="10.0.0.1"
    /// | makeresults | eval ip="10.0.0.1" | return $ip // 10.0.0.1
    /// ```
    "return": "return [<count>] <field>|<name>=<field>|$<field>..." = Rows(return_rows);

    /// The rows as one row of search terms: `( ( a="1" AND b="2" ) OR ( a="3" ) )`.
    ///
    /// Six words take the place of the brackets and the words between: before all rows, before a row, between fields,
    /// behind a row, between rows, behind all.
    ///
    /// Source: format.
    ///
    /// ```spl
    /// | makeresults | eval a=1 | fields a | format // ( ( a="1" ) )
    /// ```
    "format": "format [mvsep=<text>] [maxresults=<count>] [emptystr=<text>] [<six words>]" = Rows(format_rows);
}
