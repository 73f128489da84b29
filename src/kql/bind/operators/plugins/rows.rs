//! Plugins that choose rows, or write them in another form: `narrow`, `preview`, `rows_near`.
use super::Evaluation;
use crate::diagnostic::{Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::operators::summarize::Aggregation;
use crate::kql::bind::relation::{Open, Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Chunk, Column, Kind, Name, Schema, Stored, Table, Value, datetime, gather};
use std::sync::Arc;

impl Binder<'_> {
    fn narrow(&mut self, input: &Relation) -> Relation {
        let schema: Schema =
            [("Row", Kind::Long), ("Column", Kind::String), ("Value", Kind::String)].into_iter().collect();
        let operation = Arc::new(Narrow { schema: schema.clone() });
        let mut out = self.over(input, Node::Table { inputs: vec![input.node], operation }, schema);
        out.open = Open::Closed;
        out
    }

    /// The first rows, and beside them how many there are.
    fn preview(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let count = self.given(evaluation, "NumberOfRows")?;
        let rows = self.row_count(&count.value)?;
        let input = evaluation.input;
        let first = self.same_columns(input, Node::Take { input: input.node, rows });
        let all = self.counted_rows(input, "Count")?;
        Ok(Relation { others: vec![all], ..first })
    }

    /// One row: the number of all rows.
    fn counted_rows(&mut self, input: &Relation, name: &str) -> Bind<Relation> {
        let name: Name = name.into();
        let call = self.row_count_aggregate()?;
        let columns = vec![(name.clone(), Expr::Column(name.clone(), call.kind))];
        Ok(self.aggregated(input, Aggregation { calls: vec![(name, call)], columns, ..Aggregation::default() }))
    }

    fn rows_near(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let condition = self.given(evaluation, "Condition")?;
        let predicate = self.predicate(&condition.value, &Row::of(evaluation.input))?;
        let before = self.given(evaluation, "NumRows")?;
        let before = self.row_count(&before.value)?;
        let after = evaluation.argument("RowsAfter").map(|a| self.row_count(&a.value)).transpose()?.unwrap_or(before);
        let hit = self.hidden("hit");
        let marked = self.extend(evaluation.input, vec![(hit.clone(), predicate)]);
        let operation = Arc::new(Near { hit: hit.clone(), before, after });
        let near = self.same_columns(&marked, Node::Table { inputs: vec![marked.node], operation });
        Ok(self.without(&near, &hit))
    }
}

#[derive(Debug)]
struct Narrow {
    schema: Schema,
}

impl TableOperation for Narrow {
    fn name(&self) -> &str {
        "narrow"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("nothing to narrow"))?;
        let names: Vec<&Name> = table.schema().names().collect();
        let columns: Vec<Column> = (0..names.len()).map(|at| table.column(at)).collect();
        let cells = table.rows().saturating_mul(names.len());
        if cells > context.limits.rows {
            return Err(Fault::limit("rows", "'narrow' would make too many rows"));
        }
        let (mut numbers, mut labels, mut values) =
            (Builder::new(Kind::Long, cells), Builder::new(Kind::String, cells), Builder::new(Kind::String, cells));
        for row in 0..table.rows() {
            context.check()?;
            for (name, column) in names.iter().zip(&columns) {
                numbers.push_long(i64::try_from(row).unwrap_or(i64::MAX));
                labels.push_text(name);
                values.push_text(&cell_text(&column.value(row)));
            }
        }
        let columns = [numbers, labels, values].into_iter().map(|b| Stored::Column(b.finish())).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: cells, columns }]))
    }
}

/// A cell as the plugin writes it: bools capitalized, datetimes with a blank.
fn cell_text(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::DateTime(ticks) => datetime::format(*ticks).replace('T', " ").trim_end_matches('Z').to_owned(),
        other => other.to_text(),
    }
}

#[derive(Debug)]
struct Near {
    hit: Name,
    before: u64,
    after: u64,
}

impl TableOperation for Near {
    fn name(&self) -> &str {
        "rows_near"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to look near to"))?;
        let hit = table.column_named(&self.hit).ok_or_else(|| Fault::internal("the condition is gone"))?;
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut kept: Vec<u32> = Vec::new();
        // Rows below this one are kept or passed over already.
        let mut next = 0;
        for row in (0..hit.len()).filter(|row| hit.value(*row).as_bool() == Some(true)) {
            let last = row.saturating_add(size(self.after)).min(hit.len().saturating_sub(1));
            let first = row.saturating_sub(size(self.before)).max(next);
            kept.extend((first..=last).filter_map(|row| u32::try_from(row).ok()));
            next = next.max(last + 1);
        }
        context.check()?;
        let columns = (0..table.schema().len()).map(|at| Stored::Column(gather::take(&table.column(at), &kept)));
        let chunk = Chunk { rows: kept.len(), columns: columns.collect() };
        Ok(Table::new(table.schema().clone(), vec![chunk]))
    }
}

super::items! {
    /// Writes a wide table as a long one: a row for each cell, with its row's number, its column and its text.
    ///
    /// Rows are counted from 0. Bools are written `True` and `False`, datetimes without `T` and `Z`.
    ///
    /// Source: narrow-plugin.
    ///
    /// ```kql
    /// print a = 1, b = "x" | evaluate narrow() | where Row == 0 | project Value // 1
    /// ```
    fn narrow() = |binder, evaluation| Ok(binder.narrow(evaluation.input));

    /// Gives two results: the first rows, and the number of all rows. No operator may follow.
    ///
    /// Source: preview-plugin.
    ///
    /// ```kql
    /// range x from 3 to 9 step 1 | evaluate preview(2) // 3
    /// ```
    fn preview(NumberOfRows: Constant) = |binder, evaluation| binder.preview(evaluation);

    /// Keeps the rows that meet a condition, and those around them in the order of rows.
    ///
    /// `NumRows` rows are kept before and after such a row; `RowsAfter` after it, where given.
    ///
    /// Source: rows-near-plugin.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | evaluate rows_near(x == 5, 2) // 3
    /// ```
    fn rows_near(Condition: Condition, NumRows: Constant, RowsAfter[optional]: Constant) =
        |binder, evaluation| binder.rows_near(evaluation);
}
