//! `diffpatterns`: patterns that tell two sets of rows apart.
use super::super::Evaluation;
use super::climb::{Goal, climb};
use super::encoded::{Encoded, Pattern, Weight, dimensions};
use super::{Settings, described, percent, schema_of};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::plan::{Node, TableOperation};
use crate::types::intern::Interner;
use crate::types::{Builder, Chunk, Column, Kind, Name, Schema, Stored, Table, convert};
use std::collections::HashSet;
use std::sync::Arc;

const COLUMNS: [(&str, Kind); 6] = [
    ("SegmentId", Kind::Long),
    ("CountA", Kind::Long),
    ("CountB", Kind::Long),
    ("PercentA", Kind::Real),
    ("PercentB", Kind::Real),
    ("PercentDiffAB", Kind::Real),
];

impl Binder<'_> {
    fn diffpatterns(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (split, _) = self.column_argument(evaluation, "SplitColumn")?;
        let (a, b) = (self.given(evaluation, "SplitValueA")?, self.given(evaluation, "SplitValueB")?);
        let sides = [self.constant_of(&a.value)?.to_text(), self.constant_of(&b.value)?.to_text()];
        let threshold = self.real_option(evaluation, "Threshold", 0.015..=1.0)?.unwrap_or(0.05);
        let most = self.whole_option(evaluation, "MaxDimensions", 1..=1_000_000)?.unwrap_or(usize::MAX);
        let settings = self.pattern_settings(evaluation)?;
        let input = evaluation.input;
        let schema = schema_of(&COLUMNS, &input.schema);
        let operation = Arc::new(Differences { split, sides, threshold, most, settings, schema: schema.clone() });
        Ok(self.over(input, Node::Table { inputs: vec![input.node], operation }, schema))
    }
}

#[derive(Debug)]
struct Differences {
    split: Name,
    /// The texts of the split column's values on both sides.
    sides: [String; 2],
    threshold: f64,
    most: usize,
    settings: Settings,
    schema: Schema,
}

impl TableOperation for Differences {
    fn name(&self) -> &str {
        "diffpatterns"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to compare"))?;
        let lost = || Fault::internal("a column is gone");
        let split = table.column_named(&self.split).ok_or_else(lost)?;
        let weights = match &self.settings.weight {
            Some(name) => Some(convert::lenient(&table.column_named(name).ok_or_else(lost)?, Kind::Real)),
            None => None,
        };
        let sides = self.side_of_rows(&split);
        let weight = |row: usize| {
            let side = sides.get(row).copied().flatten()?;
            Some((side, weights.as_ref().map_or(Some(1.0), |weights| weights.value(row).as_real())?))
        };
        let columns: Vec<Column> = (0..table.schema().len()).map(|at| table.column(at)).collect();
        let hidden: Vec<&Name> = std::iter::once(&self.split).chain(&self.settings.weight).collect();
        let hidden: Vec<usize> = hidden.into_iter().filter_map(|name| table.schema().position(name)).collect();
        let encoded = Encoded::of(&columns, &hidden, table.rows(), weight, context)?;
        let found = differences(&encoded, self.threshold, 1, self.most, context)?;
        Ok(self.segments(&encoded, &columns, &found))
    }
}

/// The shares of both sides, and their distance, in percent.
pub fn shares(encoded: &Encoded, weight: Weight) -> (f64, f64, f64) {
    let [a, b] = [0, 1].map(|side| percent(weight[side], encoded.total[side], 2));
    let exact = (weight[0] / encoded.total[0].max(1.0) - weight[1] / encoded.total[1].max(1.0)).abs();
    (a, b, percent(exact, 1.0, 2))
}

/// The patterns whose shares of both sides differ by at least the threshold, and more than those of every pattern
/// beside them; the greatest difference first.
pub fn differences(
    encoded: &Encoded,
    threshold: f64,
    least: usize,
    most: usize,
    context: &Context,
) -> Result<Vec<(Pattern, Weight)>> {
    let share =
        |weight: Weight, side: usize| if encoded.total[side] > 0.0 { weight[side] / encoded.total[side] } else { 0.0 };
    let difference = |weight: Weight| (share(weight, 0) - share(weight, 1)).abs();
    let score = |weight: Weight, _: usize| difference(weight);
    let goal = Goal { score: &score, least, most };
    let rows = encoded.all();
    let mut known: HashSet<Pattern> = HashSet::new();
    let mut found: Vec<(Pattern, Weight)> = Vec::new();
    for column in &encoded.open {
        for (code, weight) in encoded.items(&rows, *column) {
            // What fewer rows of both sides have cannot differ by more.
            if share(weight, 0).max(share(weight, 1)) < threshold {
                continue;
            }
            let pattern = climb(encoded, (*column, code), &goal, context)?;
            let rows = encoded.matching(&pattern);
            let weight = encoded.weight(&rows);
            // Patterns of the same rows are one.
            let closed = encoded.closed(pattern.clone(), &rows);
            let pattern = if dimensions(&closed) <= most { closed } else { pattern };
            if difference(weight) >= threshold && known.insert(pattern.clone()) {
                found.push((pattern, weight));
            }
        }
    }
    found.sort_by(|a, b| difference(b.1).total_cmp(&difference(a.1)));
    Ok(found)
}

impl Differences {
    /// The side of each row, told once per value of the split column.
    fn side_of_rows(&self, split: &Column) -> Vec<Option<usize>> {
        let mut interner = Interner::new(split.kind());
        let numbers = interner.numbers(split);
        let known: Vec<u32> = (0u32..).take(interner.len()).collect();
        let values = interner.column(split.kind(), &known);
        let side_of = |text: String| self.sides.iter().position(|side| *side == text);
        let of_values: Vec<Option<usize>> = values.values().map(|value| side_of(value.to_text())).collect();
        numbers.iter().map(|number| of_values.get(*number as usize).copied().flatten()).collect()
    }

    fn segments(&self, encoded: &Encoded, columns: &[Column], found: &[(Pattern, Weight)]) -> Table {
        let mut own: Vec<Builder> = COLUMNS.iter().map(|(_, kind)| Builder::new(*kind, found.len())).collect();
        for (number, (_, weight)) in (0i64..).zip(found) {
            let (a, b, difference) = shares(encoded, *weight);
            let counts = [number, weight[0].round() as i64, weight[1].round() as i64];
            own.iter_mut().zip(counts).for_each(|(builder, count)| builder.push_long(count));
            own.iter_mut().skip(3).zip([a, b, difference]).for_each(|(builder, share)| builder.push_real(share));
        }
        let patterns: Vec<&Pattern> = found.iter().map(|(pattern, _)| pattern).collect();
        let values =
            columns.iter().enumerate().map(|(at, column)| described(encoded, at, &patterns, &self.settings, column));
        let columns = own.into_iter().map(Builder::finish).chain(values).map(Stored::Column).collect();
        Table::new(self.schema.clone(), vec![Chunk { rows: found.len(), columns }])
    }
}

super::super::items! {
    /// Finds patterns of values that many rows of one set fit and few rows of another.
    ///
    /// The sets are the rows whose `SplitColumn` has the one value or the other, as text. A pattern's shares of both
    /// sets differ by `Threshold` at least (0.05 where it is not said), and by more than with one value more or less.
    /// Columns that it leaves open hold the wildcard, null or `""` unless the query gives another for their kind. The
    /// text `~` stands for a default.
    ///
    /// Source: diffpatterns-plugin.
    ///
    /// ```kql
    /// datatable(s: string, a: string) ["l", "x", "l", "x", "r", "y", "r", "x"] | evaluate diffpatterns(s, "l", "r") | top 1 by PercentA | project PercentDiffAB // 50
    /// ```
    fn diffpatterns(
        SplitColumn: Column,
        SplitValueA: Constant,
        SplitValueB: Constant,
        WeightColumn[optional]: Column,
        Threshold[optional]: Constant,
        MaxDimensions[optional]: Constant,
        CustomWildcard[any]: Constant,
    ) = |binder, evaluation| binder.diffpatterns(evaluation);
}
