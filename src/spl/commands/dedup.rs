//! `dedup`: the first rows of each combination of values.
use super::options::Options;
use super::whole::groups;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::{FirstRows, SortKey, TableOperation};
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::intern::NULL;
use crate::types::{Chunk, Column, Kind, Name, Stored, Table, gather};
use std::sync::Arc;

const OPTIONS: [&str; 3] = ["keepevents", "keepempty", "consecutive"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let before = reader.position();
    let count = reader.word().and_then(|word| word.text.parse::<u32>().ok());
    if count.is_none() {
        reader.back_to(before);
    }
    let mut fields: Vec<Name> = Vec::new();
    loop {
        options.read_more(&mut reader, &OPTIONS)?;
        while reader.eat(",") {}
        if reader.at_end() || reader.at_word("sortby") {
            break;
        }
        fields.push(reader.needed_field()?.text.as_str().into());
    }
    let keys = if reader.eat_word("sortby") { super::sort::keys(&mut reader, &rows)? } else { Vec::new() };
    reader.finish()?;
    if fields.is_empty() || count == Some(0) {
        return Err(Diagnostic::error("HP504", "`dedup` needs a field, and a number of rows above 0")
            .at(command.span)
            .into());
    }
    let first = First {
        keys: fields,
        count: count.unwrap_or(1),
        keeps_rows: options.flag("keepevents")?.unwrap_or(false),
        keeps_empty: options.flag("keepempty")?.unwrap_or(false),
        consecutive: options.flag("consecutive")?.unwrap_or(false),
    };
    first_of_each(lowering, rows, first, keys)
}

/// The first rows of each combination of values, in the order that keys say where they are given.
pub fn first_of_each(lowering: &mut Lowering, rows: Rows, first: First, keys: Vec<SortKey>) -> Lower<Rows> {
    let rows = match first.keeps_empty || first.keeps_rows {
        true => rows,
        false => lowering.present(&rows, &first.keys)?,
    };
    let rows = lowering.sort(&rows, keys);
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(first), schema))
}

/// Chooses the first rows of each combination of values.
#[derive(Debug)]
pub struct First {
    pub keys: Vec<Name>,
    pub count: u32,
    /// Whether other rows stay without these fields.
    pub keeps_rows: bool,
    /// Whether rows stay that lack one of the fields.
    pub keeps_empty: bool,
    /// Whether only rows that follow each other are compared.
    pub consecutive: bool,
}

impl TableOperation for First {
    fn name(&self) -> &str {
        "dedup"
    }

    fn keeps_first(&self) -> Option<FirstRows<'_>> {
        let is_plain = !(self.keeps_rows || self.keeps_empty || self.consecutive);
        is_plain.then_some(FirstRows { keys: &self.keys, count: self.count })
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`dedup` has one input")) };
        let stays = self.stays(context, table)?;
        if !self.keeps_rows {
            let rows: Vec<u32> = (0..table.rows() as u32).filter(|row| stays[*row as usize]).collect();
            return Ok(picked(table, &rows));
        }
        // The fields of the other rows are taken away.
        let columns = table.schema().names().enumerate().map(|(at, name)| {
            let column = table.column(at);
            if !self.keys.contains(name) {
                return Stored::Column(column);
            }
            let picks: Vec<(u32, u32)> = stays.iter().enumerate().map(|(row, s)| (u32::from(!s), row as u32)).collect();
            let nulls = Column::nulls(Kind::Field, column.len());
            Stored::Column(gather::interleave(&[column, nulls], &picks))
        });
        let columns = columns.collect();
        Ok(Table::new(table.schema().clone(), vec![Chunk { rows: table.rows(), columns }]))
    }
}

impl First {
    fn stays(&self, context: &Context, table: &Table) -> Result<Vec<bool>> {
        let groups = groups(table, &self.keys);
        // How many rows of each group have come: of one that is interrupted anew where only neighbours count.
        let mut counts =
            vec![0u32; groups.iter().filter(|group| **group != NULL).max().map_or(0, |most| *most as usize + 1)];
        let mut last = NULL;
        let mut stays = Vec::with_capacity(groups.len());
        for (row, group) in groups.into_iter().enumerate() {
            if row % 65_536 == 0 {
                context.check()?;
            }
            let Some(count) = counts.get_mut(group as usize).filter(|_| group != NULL) else {
                stays.push(self.keeps_empty);
                continue;
            };
            if self.consecutive && group != last {
                (*count, last) = (0, group);
            }
            *count += 1;
            stays.push(*count <= self.count);
        }
        Ok(stays)
    }
}

/// Some rows of a table, in this order.
pub fn picked(table: &Table, rows: &[u32]) -> Table {
    let columns = (0..table.schema().len()).map(|at| Stored::Column(gather::take(&table.column(at), rows)));
    let columns = columns.collect();
    Table::new(table.schema().clone(), vec![Chunk { rows: rows.len(), columns }])
}

crate::command! {
    /// The first row of each combination of values of some fields, or the first few.
    ///
    /// Rows that lack one of the fields go, unless `keepempty=true`. `consecutive=true` compares only rows that follow
    /// each other; `keepevents=true` keeps the other rows without these fields. `sortby` orders the rows first: which of
    /// them stay depends on it.
    ///
    /// Source: dedup.
    ///
    /// ```spl
    /// | makeresults count=3 | eval h="a" | dedup h | stats count // 1
    /// | makeresults count=3 | eval h="a" | streamstats count as n | dedup h sortby -n | table n // 3
    /// ```
    "dedup": "dedup [<count>] <field>... [keepevents=<flag>] [keepempty=<flag>] [consecutive=<flag>] [sortby <field>...]" = Rows(lower);
}
