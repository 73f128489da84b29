//! `selfjoin`: rows joined with other rows of the same results.
use super::dedup::picked;
use super::options::Options;
use super::whole::{self, over};
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::{Name, Table};
use std::sync::Arc;

const OPTIONS: [&str; 3] = ["overwrite", "max", "keepsingle"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let (options, fields) = Options::with_fields(command, &OPTIONS)?;
    if fields.is_empty() {
        return Err(Diagnostic::error("HP504", "`selfjoin` needs a field").at(command.span).into());
    }
    let operation = SelfJoin {
        keys: fields.iter().map(|word| word.text.as_str().into()).collect(),
        overwrites: options.flag("overwrite")?.unwrap_or(true),
        most: match options.count("max")?.unwrap_or(1) {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        },
        keeps_single: options.flag("keepsingle")?.unwrap_or(false),
    };
    for name in &operation.keys {
        rows.has(name);
    }
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

#[derive(Debug)]
struct SelfJoin {
    keys: Vec<Name>,
    /// Whether the values of a group's first row go before those of the others.
    overwrites: bool,
    /// Rows of a group that its first one is joined with.
    most: usize,
    keeps_single: bool,
}

impl TableOperation for SelfJoin {
    fn name(&self) -> &str {
        "selfjoin"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`selfjoin` has one input")) };
        let (first, second) = self.pairs(table);
        let (first, second) = (picked(table, &first), picked(table, &second));
        let (before, behind) = if self.overwrites { (first, second) } else { (second, first) };
        let columns = whole::columns(&before).into_iter().enumerate();
        let columns = columns.map(|(at, (name, column))| (name, over(&column, &behind.column(at))));
        Ok(Table::from_columns(columns.collect()).with_problems(table.problems().to_vec()))
    }
}

impl SelfJoin {
    /// The rows that are joined with each other, in the order of the first ones.
    fn pairs(&self, table: &Table) -> (Vec<u32>, Vec<u32>) {
        let mut groups = whole::members(&whole::groups(table, &self.keys));
        groups.sort_by_key(|rows| rows.first().copied());
        let mut pairs = (Vec::new(), Vec::new());
        for group in groups {
            let Some((first, others)) = group.split_first() else { continue };
            let single = (others.is_empty() && self.keeps_single).then_some(first);
            for other in others.iter().take(self.most).chain(single) {
                pairs.0.push(*first);
                pairs.1.push(*other);
            }
        }
        pairs
    }
}

crate::command! {
    /// Joins the first row of each combination of values with the rows that have the same: with one, or with as many as
    /// `max` says (0 for all).
    ///
    /// A field that both have keeps the first row's value, with `overwrite=false` the other's. Rows without a partner go,
    /// unless `keepsingle=true`.
    ///
    /// Source: selfjoin.
    ///
    /// ```spl
    /// | makeresults count=2 | streamstats count as n | eval k=1, a=if(n=1, "x", null()), b=if(n=2, "y", null()) | selfjoin k | table a b // ["x","y"]
    /// ```
    "selfjoin": "selfjoin [overwrite=<flag>] [max=<count>] [keepsingle=<flag>] <field>..." = Rows(lower);
}
