//! `mvcombine`: rows that differ in one field only become one.
use super::options::Options;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder};
use crate::types::intern::Interner;
use crate::types::{Chunk, Column, Kind, Name, Stored, Table, gather};
use std::collections::HashMap;
use std::sync::Arc;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["delim"])?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &["delim"])?;
    reader.finish()?;
    if let Some(between) = options.text("delim") {
        lowering.delimiters.insert(field.text.as_str().into(), between.to_owned());
    }
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(Combine { field: field.text.as_str().into() }), schema))
}

#[derive(Debug)]
struct Combine {
    field: Name,
}

impl TableOperation for Combine {
    fn name(&self) -> &str {
        "mvcombine"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`mvcombine` has one input")) };
        let Some(combined) = table.column_named(&self.field) else { return Ok(table.clone()) };
        let groups = self.groups(context, table)?;
        let first: Vec<u32> = groups.iter().filter_map(|rows| rows.first().copied()).collect();
        let columns = table.schema().names().enumerate().map(|(at, name)| {
            Stored::Column(match *name == self.field {
                true => values(&combined, &groups),
                false => gather::take(&table.column(at), &first),
            })
        });
        let chunk = Chunk { rows: first.len(), columns: columns.collect() };
        Ok(Table::new(table.schema().clone(), vec![chunk]))
    }
}

impl Combine {
    /// The rows that are equal in all other fields, in the order of their first.
    fn groups(&self, context: &Context, table: &Table) -> Result<Vec<Vec<u32>>> {
        let others = table.schema().names().enumerate().filter(|(_, name)| **name != self.field);
        let keys: Vec<Vec<u32>> = others.map(|(at, _)| Interner::new(Kind::Field).numbers(&table.column(at))).collect();
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in 0..table.rows() {
            if row % 65_536 == 0 {
                context.check()?;
            }
            let key = keys.iter().map(|numbers| numbers[row]).collect();
            let group = *known.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(row as u32);
        }
        Ok(groups)
    }
}

fn values(column: &Column, groups: &[Vec<u32>]) -> Column {
    let mut out = FieldBuilder::new(Some(column), groups.len());
    for rows in groups {
        match rows.as_slice() {
            [row] => out.push_row(column, *row as usize),
            rows => out.push_several(rows.iter().flat_map(|row| field::values(column, *row as usize))),
        }
    }
    out.finish()
}

crate::command! {
    /// Rows that are equal in all fields but one become one row, in which that field has all their values.
    /// `delim` is what `nomv` puts between them.
    ///
    /// Source: mvcombine.
    ///
    /// ```spl
    /// | makeresults | eval a=split("x,y", ","), n=1 | mvexpand a | mvcombine a | eval a=mvjoin(a, "-") | table a // x-y
    /// ```
    "mvcombine": "mvcombine [delim=<text>] <field>" = Rows(lower);
}
