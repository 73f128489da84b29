//! `autocluster`: a few patterns that describe most rows.
use super::super::Evaluation;
use super::basket::{COLUMNS, encoded, segments};
use super::climb::{Goal, climb};
use super::encoded::{Encoded, Pattern, Weight, dimensions};
use super::{Settings, schema_of};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::plan::{Node, TableOperation};
use crate::types::{Schema, Table};
use std::collections::HashSet;
use std::sync::Arc;

/// A further pattern must describe at least this share of all rows that no pattern before it does.
const LEAST_NEW: f64 = 0.05;

impl Binder<'_> {
    fn autocluster(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let size_weight = self.real_option(evaluation, "SizeWeight", 0.0..=1.0)?.unwrap_or(0.5);
        let seeds = self.whole_option(evaluation, "NumSeeds", 1..=10_000)?.unwrap_or(25);
        let settings = self.pattern_settings(evaluation)?;
        let input = evaluation.input;
        let schema = schema_of(&COLUMNS, &input.schema);
        let operation = Arc::new(Cluster { size_weight, seeds, settings, schema: schema.clone() });
        Ok(self.over(input, Node::Table { inputs: vec![input.node], operation }, schema))
    }
}

#[derive(Debug)]
struct Cluster {
    size_weight: f64,
    /// How many values a search starts from.
    seeds: usize,
    settings: Settings,
    schema: Schema,
}

impl TableOperation for Cluster {
    fn name(&self) -> &str {
        "autocluster"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to describe"))?;
        let (encoded, columns) = encoded(table, &self.settings, context)?;
        let mut known: HashSet<Pattern> = HashSet::new();
        let mut candidates: Vec<(Pattern, Vec<u32>)> = Vec::new();
        let score = |weight: Weight, set: usize| self.score(&encoded, weight[0], set);
        let goal = Goal { score: &score, least: 1, most: usize::MAX };
        for seed in self.most_frequent(&encoded) {
            let pattern = climb(&encoded, seed, &goal, context)?;
            let rows = encoded.matching(&pattern);
            let pattern = encoded.closed(pattern, &rows);
            if known.insert(pattern.clone()) {
                candidates.push((pattern, rows));
            }
        }
        let found = self.chosen(&encoded, candidates);
        Ok(segments(&encoded, &columns, &self.settings, &found, &self.schema))
    }
}

impl Cluster {
    /// The weighted geometric mean of the share of rows and the share of columns that are set.
    fn score(&self, encoded: &Encoded, weight: f64, set: usize) -> f64 {
        let coverage = weight / encoded.total[0];
        let detail = set as f64 / encoded.open.len().max(1) as f64;
        coverage.powf(self.size_weight) * detail.powf(1.0 - self.size_weight)
    }

    /// The values that most rows have, of all columns.
    fn most_frequent(&self, encoded: &Encoded) -> Vec<(usize, u32)> {
        let rows = encoded.all();
        let items = encoded.open.iter().flat_map(|column| {
            let items = encoded.items(&rows, *column).into_iter();
            items.map(|(code, weight)| (*column, code, weight[0]))
        });
        let mut items: Vec<(usize, u32, f64)> = items.collect();
        items.sort_by(|a, b| b.2.total_cmp(&a.2));
        items.into_iter().take(self.seeds).map(|(column, code, _)| (column, code)).collect()
    }

    /// One pattern after the other: the best one by the rows that none before it describes.
    fn chosen(&self, encoded: &Encoded, mut candidates: Vec<(Pattern, Vec<u32>)>) -> Vec<(Pattern, f64)> {
        let mut covered: HashSet<u32> = HashSet::new();
        let mut found = Vec::new();
        loop {
            let fresh = |rows: &[u32]| {
                let rows: Vec<u32> = rows.iter().copied().filter(|row| !covered.contains(row)).collect();
                encoded.weight(&rows)[0]
            };
            let scored = candidates.iter().enumerate().map(|(at, (pattern, rows))| {
                let weight = fresh(rows);
                (at, weight, self.score(encoded, weight, dimensions(pattern)))
            });
            let best = scored
                .filter(|(_, weight, _)| *weight >= LEAST_NEW * encoded.total[0] && *weight > 0.0)
                .reduce(|best, other| if other.2 > best.2 { other } else { best });
            let Some((at, _, _)) = best else { return found };
            let (pattern, rows) = candidates.swap_remove(at);
            found.push((pattern, encoded.weight(&rows)[0]));
            covered.extend(rows);
        }
    }
}

super::super::items! {
    /// Describes the rows by a few patterns of values that many of them share.
    ///
    /// A pattern sets some columns to a value and leaves the others open: they hold the wildcard, null or `""` unless
    /// the query gives another for their kind. `SizeWeight`, from 0 to 1 and 0.5 where it is not said, weighs how many
    /// rows a pattern describes against how much it says of them. A column of numbers may weigh the rows; `NumSeeds`
    /// says how many values the search starts from. The text `~` stands for a default. Other patterns may be found
    /// than Kusto finds, which starts from a sample.
    ///
    /// Source: autocluster-plugin.
    ///
    /// ```kql
    /// datatable(a: string, b: long) ["x", 1, "x", 1, "x", 1, "y", 3] | evaluate autocluster() | project Count // 3
    /// ```
    fn autocluster(
        SizeWeight[optional]: Constant,
        WeightColumn[optional]: Column,
        NumSeeds[optional]: Constant,
        CustomWildcard[any]: Constant,
    ) = |binder, evaluation| binder.autocluster(evaluation);
}
