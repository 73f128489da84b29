//! `dcount_intersect`: how many values several distinct counts have in common.
use super::Evaluation;
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, common_hashes};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Chunk, Column, Dynamic, Kind, Name, Schema, Stored, Table};
use std::sync::Arc;

impl Binder<'_> {
    fn dcount_intersect(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let mut sets = Vec::new();
        for argument in evaluation.arguments() {
            let set = self.scalar(&argument.value, &Row::of(evaluation.input))?;
            if set.kind() != Kind::Dynamic {
                return Err(self.error("KS141", "The expression must have the type dynamic.", argument.span));
            }
            sets.push((self.hidden("hll"), set));
        }
        let names: Vec<Name> = sets.iter().map(|(name, _)| name.clone()).collect();
        let rows = self.extend(evaluation.input, sets);
        let mut schema = evaluation.input.schema.clone();
        for at in 0..names.len() {
            schema.set(schema.free_name(&format!("s{at}")), Kind::Long);
        }
        let operation = Arc::new(Intersect { sets: names, schema: schema.clone() });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }
}

#[derive(Debug)]
struct Intersect {
    sets: Vec<Name>,
    schema: Schema,
}

impl TableOperation for Intersect {
    fn name(&self) -> &str {
        "dcount_intersect"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no sets to intersect"))?;
        let lost = || Fault::internal("a set is gone");
        let sets = self.sets.iter().map(|name| table.column_named(name)).collect::<Option<Vec<Column>>>();
        let sets = sets.ok_or_else(lost)?;
        let mut counts: Vec<Builder> = sets.iter().map(|_| Builder::new(Kind::Long, table.rows())).collect();
        for row in 0..table.rows() {
            context.check()?;
            let values: Vec<Option<Dynamic>> = sets.iter().map(|set| Dynamic::of(set, row)).collect();
            for (count, common) in counts.iter_mut().zip(common_hashes(&values)) {
                match common {
                    Some(common) => count.push_long(common),
                    None => count.push_null(),
                }
            }
        }
        let own = self.schema.len().saturating_sub(counts.len());
        let columns = self.schema.names().take(own).map(|name| table.column_named(name));
        let columns = columns.chain(counts.into_iter().map(|count| Some(count.finish())));
        let columns = columns.map(|column| column.map(Stored::Column)).collect::<Option<Vec<_>>>();
        let chunk = Chunk { rows: table.rows(), columns: columns.ok_or_else(lost)? };
        Ok(Table::new(self.schema.clone(), vec![chunk]))
    }
}

super::items! {
    /// Counts the distinct values of the first set, those it has in common with the second, with the third as well,
    /// and so on, in the columns `s0`, `s1`, …
    ///
    /// Sets are what `hll` gives. Small sets are counted exactly, large ones are estimated.
    ///
    /// Source: dcount-intersect-plugin.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize a = hll(x), b = hll(iff(x > 6, x, 8)) | evaluate dcount_intersect(a, b) | project s1 // 3
    /// ```
    fn dcount_intersect(hll: Expression, other_hll[repeats]: Expression) =
        |binder, evaluation| binder.dcount_intersect(evaluation);
}
