//! `head`, `tail` and `reverse`: the first and the last rows, and all of them the other way round.
use super::dedup::picked;
use super::options::Options;
use crate::diagnostic::{Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::build::{absent, call};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind, Name, Table};
use std::sync::Arc;

const DEFAULT_ROWS: u64 = 10;
const OPTIONS: [&str; 3] = ["limit", "null", "keeplast"];

fn tail(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let count = reader.count().unwrap_or(DEFAULT_ROWS);
    reader.finish()?;
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(Last(count)), schema))
}

fn reverse(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    Reader::new(command).finish()?;
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(Last(u64::MAX)), schema))
}

/// The last rows, the last one first.
#[derive(Debug)]
struct Last(u64);

impl TableOperation for Last {
    fn name(&self) -> &str {
        "tail"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`tail` has one input")) };
        let first = (table.rows() as u64).saturating_sub(self.0) as u32;
        let rows: Vec<u32> = (first..table.rows() as u32).rev().collect();
        Ok(picked(table, &rows))
    }
}

fn head(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::default();
    options.read_known(&mut reader, &OPTIONS);
    let mut limit = options.count("limit")?.or_else(|| reader.count());
    let mut test = None;
    if !reader.at_end() {
        test = Some(reader.expression()?);
        options.read_known(&mut reader, &OPTIONS);
        limit = options.count("limit")?.or(limit);
    }
    reader.finish()?;
    let Some(test) = test else { return Ok(lowering.take(&rows, limit.unwrap_or(DEFAULT_ROWS))) };
    let test = lowering.condition(&test, &rows)?;
    let name = lowering.hidden("holds");
    let fails = call("not", vec![test.clone()])?;
    let branches = vec![(test, number(1)), (fails, number(0))];
    let flag = Expr::Case { branches, otherwise: Box::new(absent()), kind: Kind::Field };
    let told = lowering.extend(&rows, vec![(name.clone(), flag)]);
    let while_true = WhileTrue {
        test: name.clone(),
        null: options.flag("null")?.unwrap_or(false),
        keeps_last: options.flag("keeplast")?.unwrap_or(false),
    };
    let schema = told.schema.clone();
    let made = lowering.operation(&[&told], Arc::new(while_true), schema);
    let made = lowering.without(&made, &[name]);
    Ok(lowering.take(&made, limit.unwrap_or(u64::MAX)))
}

fn number(number: i64) -> Expr {
    Expr::Const(Number::Long(number).into())
}

/// The rows before the first for which a test does not hold.
#[derive(Debug)]
struct WhileTrue {
    test: Name,
    /// Whether a test that is neither true nor false holds.
    null: bool,
    /// Whether the row that ends it stays.
    keeps_last: bool,
}

impl TableOperation for WhileTrue {
    fn name(&self) -> &str {
        "head"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`head` has one input")) };
        let column = table.column_named(&self.test).unwrap_or(Column::nulls(Kind::Field, table.rows()));
        let holds = |row: usize| field::number(&column, row).map_or(self.null, |flag| flag.real() != 0.0);
        let first = (0..table.rows()).find(|row| !holds(*row)).unwrap_or(table.rows());
        let count = (first + usize::from(self.keeps_last)).min(table.rows());
        Ok(picked(table, &(0..count as u32).collect::<Vec<_>>()))
    }
}

crate::command! {
    /// The first rows: 10 where no number is said; behind an expression, the rows before the first for which it does
    /// not hold.
    ///
    /// Source: head.
    ///
    /// ```spl
    /// | makeresults count=20 | head 3 | stats count // 3
    /// ```
    "head": "head [<count>] [<expression>] [null=<flag>] [keeplast=<flag>]" = Rows(head);

    /// The last rows, the last one first: 10 where no number is said.
    ///
    /// Source: tail.
    ///
    /// ```spl
    /// | makeresults count=5 | streamstats count as n | tail 2 | head 1 | fields n | fields - _time // 5
    /// ```
    "tail": "tail [<count>]" = Rows(tail);

    /// All rows, the last one first.
    ///
    /// Source: reverse.
    ///
    /// ```spl
    /// | makeresults count=5 | streamstats count as n | reverse | head 1 | fields n | fields - _time // 5
    /// ```
    "reverse": "reverse" = Rows(reverse);
}
