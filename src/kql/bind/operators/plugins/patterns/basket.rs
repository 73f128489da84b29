//! `basket`: every pattern that enough rows fit.
use super::super::Evaluation;
use super::encoded::{Encoded, Pattern, dimensions};
use super::{Settings, described, percent, schema_of};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Chunk, Column, Kind, Schema, Stored, Table, convert};
use std::sync::Arc;

/// The columns before those of the rows.
pub const COLUMNS: [(&str, Kind); 3] = [("SegmentId", Kind::Long), ("Count", Kind::Long), ("Percent", Kind::Real)];

/// Patterns that one basket may have.
const MOST_PATTERNS: usize = 100_000;

impl Binder<'_> {
    fn basket(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let threshold = self.real_option(evaluation, "Threshold", 0.015..=1.0)?.unwrap_or(0.05);
        let depth = self.whole_option(evaluation, "MaxDimensions", 1..=50)?.unwrap_or(5);
        let settings = self.pattern_settings(evaluation)?;
        let input = evaluation.input;
        let schema = schema_of(&COLUMNS, &input.schema);
        let operation = Arc::new(Basket { threshold, depth, settings, schema: schema.clone() });
        Ok(self.over(input, Node::Table { inputs: vec![input.node], operation }, schema))
    }
}

#[derive(Debug)]
struct Basket {
    threshold: f64,
    depth: usize,
    settings: Settings,
    schema: Schema,
}

impl TableOperation for Basket {
    fn name(&self) -> &str {
        "basket"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to describe"))?;
        let (encoded, columns) = encoded(table, &self.settings, context)?;
        let rows = encoded.all();
        let least = self.threshold * encoded.total[0];
        let mut search = Search { encoded: &encoded, least, context, found: Vec::new() };
        if !rows.is_empty() {
            let pattern = encoded.closed(vec![None; encoded.columns()], &rows);
            search.take(&pattern, &rows)?;
            search.extend(&pattern, &rows, 0, self.depth)?;
        }
        let mut found = search.found;
        let rank = |(pattern, weight): &(Pattern, f64)| weight * dimensions(pattern) as f64;
        found.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(b.1.total_cmp(&a.1)).then_with(|| a.0.cmp(&b.0)));
        Ok(segments(&encoded, &columns, &self.settings, &found, &self.schema))
    }
}

/// The rows of a table as numbers, and its columns; the column of weights is a wildcard in every pattern.
pub fn encoded(table: &Table, settings: &Settings, context: &Context) -> Result<(Encoded, Vec<Column>)> {
    let columns: Vec<Column> = (0..table.schema().len()).map(|at| table.column(at)).collect();
    let hidden: Vec<usize> = settings.weight.iter().filter_map(|name| table.schema().position(name)).collect();
    let weights = hidden.first().and_then(|at| columns.get(*at)).map(|column| convert::lenient(column, Kind::Real));
    let weight = |row: usize| match &weights {
        None => Some((0, 1.0)),
        Some(column) => column.value(row).as_real().map(|weight| (0, weight)),
    };
    Ok((Encoded::of(&columns, &hidden, table.rows(), weight, context)?, columns))
}

/// The patterns as rows: a number, the rows' weight, their share, the pattern.
pub fn segments(
    encoded: &Encoded,
    columns: &[Column],
    settings: &Settings,
    found: &[(Pattern, f64)],
    schema: &Schema,
) -> Table {
    let mut ids = Builder::new(Kind::Long, found.len());
    let mut counts = Builder::new(Kind::Long, found.len());
    let mut shares = Builder::new(Kind::Real, found.len());
    for (number, (_, weight)) in (0i64..).zip(found) {
        ids.push_long(number);
        counts.push_long(weight.round() as i64);
        shares.push_real(percent(*weight, encoded.total[0], 1));
    }
    let patterns: Vec<&Pattern> = found.iter().map(|(pattern, _)| pattern).collect();
    let values = columns.iter().enumerate().map(|(at, column)| described(encoded, at, &patterns, settings, column));
    let all = [ids, counts, shares].into_iter().map(Builder::finish).chain(values);
    let columns = all.map(Stored::Column).collect();
    Table::new(schema.clone(), vec![Chunk { rows: found.len(), columns }])
}

/// The search for closed patterns: those that no further value fits without losing rows. Each is reached once, by
/// values of ever later columns, and each step keeps what all its rows share.
struct Search<'s> {
    encoded: &'s Encoded,
    /// What the rows of a pattern weigh at least.
    least: f64,
    context: &'s Context,
    found: Vec<(Pattern, f64)>,
}

impl Search<'_> {
    fn take(&mut self, pattern: &Pattern, rows: &[u32]) -> Result<()> {
        if dimensions(pattern) == 0 {
            return Ok(());
        }
        if self.found.len() >= MOST_PATTERNS {
            let message = format!("'basket' finds more than {MOST_PATTERNS} patterns");
            return Err(Fault::query("HP310", message).help("raise its threshold, or project fewer columns before it"));
        }
        self.found.push((pattern.clone(), self.encoded.weight(rows)[0]));
        Ok(())
    }

    /// Sets one value more, in a column from `from` on.
    fn extend(&mut self, pattern: &Pattern, rows: &[u32], from: usize, depth: usize) -> Result<()> {
        if depth == 0 {
            return Ok(());
        }
        self.context.check()?;
        let is_free = |at: &usize| *at >= from && pattern.get(*at).copied().flatten().is_none();
        for column in self.encoded.open.iter().copied().filter(is_free) {
            for (code, weight) in self.encoded.items(rows, column) {
                if weight[0] < self.least {
                    continue;
                }
                let fewer = self.encoded.with(rows, column, code);
                let mut wanted = pattern.clone();
                wanted[column] = Some(code);
                let closed = self.encoded.closed(wanted, &fewer);
                // What it shares in an earlier column is found from there.
                let earlier = closed.iter().zip(pattern).take(column).any(|(now, before)| now != before);
                if !earlier {
                    self.take(&closed, &fewer)?;
                    self.extend(&closed, &fewer, column + 1, depth - 1)?;
                }
            }
        }
        Ok(())
    }
}

super::super::items! {
    /// Finds every pattern of values that at least a share of all rows fits.
    ///
    /// A pattern sets some columns to a value and leaves the others open: they hold the wildcard, null or `""` unless
    /// the query gives another for their kind. `Threshold` is from 0.015 to 1, 0.05 where it is not said; a column of
    /// numbers may weigh the rows; `MaxDimensions` bounds how many values are chosen, 5 where it is not said. Values
    /// that follow from those chosen are set as well. Patterns that set much for many rows come first. The text `~`
    /// stands for a default.
    ///
    /// Source: basket-plugin.
    ///
    /// ```kql
    /// datatable(a: string, b: long) ["x", 1, "x", 2, "y", 3] | evaluate basket(0.5) | project a // x
    /// ```
    fn basket(
        Threshold[optional]: Constant,
        WeightColumn[optional]: Column,
        MaxDimensions[optional]: Constant,
        CustomWildcard[any]: Constant,
    ) = |binder, evaluation| binder.basket(evaluation);
}
