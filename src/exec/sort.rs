//! Sorting.
use crate::diagnostic::Result;
use crate::expr::{Input, evaluate};
use crate::functions::Context;
use crate::functions::compare::total_order;
use crate::plan::SortKey;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, Text, gather};
use arrow_array::Array;
use rayon::prelude::*;
use std::cmp::Ordering;

/// A whole table as the input of expressions.
pub struct Whole<'a>(pub &'a Table);

impl Input for Whole<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        self.0
            .column_named(name)
            .ok_or_else(|| crate::diagnostic::Fault::internal(format!("column `{name}` was pruned away")))
    }
}

/// The rows in the order of the keys, the first `most` of them. Equal rows keep their order.
pub fn run(table: &Table, keys: &[SortKey], most: Option<u64>, schema: &Schema, context: &Context) -> Result<Table> {
    let columns = keys.iter().map(|key| Ok(Ranked::new(evaluate(&key.expr, &Whole(table), context)?, key)));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
    let order = |a: &u32, b: &u32| {
        let by_keys = columns.iter().map(|c| c.order(*a, *b)).find(|o| o.is_ne());
        by_keys.unwrap_or(Ordering::Equal).then(a.cmp(b))
    };
    let most = most.map_or(rows.len(), |m| usize::try_from(m).unwrap_or(usize::MAX)).min(rows.len());
    if most == 0 {
        rows.clear();
    } else if most < rows.len() {
        rows.select_nth_unstable_by(most - 1, order);
        rows.truncate(most);
    }
    rows.par_sort_unstable_by(order);
    Ok(picked(table, &rows, schema))
}

/// The rows of a table at `rows`, only the schema's columns.
pub fn picked(table: &Table, rows: &[u32], schema: &Schema) -> Table {
    let columns: Vec<Column> = schema
        .columns()
        .par_iter()
        .map(|(name, kind)| match table.column_named(name) {
            Some(column) => gather::take(&column, rows),
            None => Column::nulls(*kind, rows.len()),
        })
        .collect();
    let columns = columns.into_iter().map(Stored::Column).collect();
    Table::new(schema.clone(), vec![Chunk { rows: rows.len(), columns }])
}

/// A key column ready to compare.
struct Ranked {
    values: Values,
    descending: bool,
    nulls_first: bool,
}

enum Values {
    /// Bits whose order is the values' order; none for null and NaN.
    Numbers(Vec<Option<u64>>),
    Texts(Column),
    Others(Column),
}

impl Ranked {
    fn new(column: Column, key: &SortKey) -> Ranked {
        let values = match column.materialized() {
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => {
                Values::Numbers(a.iter().map(|v| v.map(|v| v as u64 ^ 1 << 63)).collect())
            }
            Column::Int(a) => Values::Numbers(a.iter().map(|v| v.map(|v| i64::from(v) as u64 ^ 1 << 63)).collect()),
            Column::Bool(a) => {
                Values::Numbers((0..a.len()).map(|i| (!a.is_null(i)).then(|| u64::from(a.value(i)))).collect())
            }
            Column::Real(a) => Values::Numbers(a.iter().map(|v| v.filter(|v| !v.is_nan()).map(real_rank)).collect()),
            column @ Column::Text(Kind::String | Kind::Guid | Kind::Field, _) => Values::Texts(column),
            column => Values::Others(column),
        };
        Ranked { values, descending: key.descending, nulls_first: key.nulls_first }
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match &self.values {
            Values::Numbers(ranks) => self.directed(ranks[a].is_none(), ranks[b].is_none(), || ranks[a].cmp(&ranks[b])),
            Values::Texts(Column::Text(_, text)) => {
                self.directed(text.is_null(a), text.is_null(b), || order_texts(text, a, b))
            }
            Values::Texts(column) | Values::Others(column) => {
                self.directed(column.is_null(a), column.is_null(b), || total_order(&column.value(a), &column.value(b)))
            }
        }
    }

    fn directed(&self, a_null: bool, b_null: bool, order: impl FnOnce() -> Ordering) -> Ordering {
        match (a_null, b_null) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if self.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) if self.descending => order().reverse(),
            (false, false) => order(),
        }
    }
}

fn order_texts(text: &Text, a: usize, b: usize) -> Ordering {
    text.value(a).cmp(text.value(b))
}

fn real_rank(real: f64) -> u64 {
    let bits = (real + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
