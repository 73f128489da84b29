//! `rolling_percentile`: a percentile over the last bins, for each bin.
use super::Evaluation;
use super::activity::{Axis, timeline_width};
use super::combinations::Combinations;
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, aggregates};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Chunk, Column, Kind, Name, Schema, Stored, Table, Value, gather};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Binder<'_> {
    fn rolling_percentile(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (value, value_kind) = self.column_argument(evaluation, "ValueColumn")?;
        let (rows, index, index_kind) = self.with_timeline(evaluation, "IndexColumn")?;
        let percentile = self.given(evaluation, "Percentile")?;
        let percentile = self.setting(percentile, Kind::Real)?.and_then(|p| p.as_real()).unwrap_or(0.0);
        let size = self.given(evaluation, "BinSize")?;
        let width = timeline_width(index_kind);
        let size = self.setting(size, width)?.and_then(|size| Axis(width).of(&size));
        let Some(size) = size.or(Some(1)).filter(|size| *size > 0) else {
            return Err(self.error("HP126", "'BinSize' must be positive.", self.place_of(evaluation, "BinSize")));
        };
        let bins = self.whole_option(evaluation, "BinsPerWindow", 1..=1_000_000)?.unwrap_or(1);
        let dimensions = self.columns_of(evaluation.rest("Dimension"), &rows)?;
        let shown = format!("rolling_{bins}_percentile_{value}_{}", crate::types::number::format_real(percentile));
        let mut schema: Schema = [(index.clone(), index_kind)].into_iter().collect();
        for (name, kind) in &dimensions {
            schema.set(schema.free_name(name), *kind);
        }
        schema.set(schema.free_name(shown.trim_end_matches(".0")), value_kind);
        let operation = Arc::new(Rolling {
            value,
            index,
            axis: Axis(index_kind),
            dimensions: dimensions.into_iter().map(|(name, _)| name).collect(),
            percentile,
            size,
            bins: bins as i128,
            schema: schema.clone(),
        });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }
}

#[derive(Debug)]
struct Rolling {
    value: Name,
    index: Name,
    axis: Axis,
    dimensions: Vec<Name>,
    percentile: f64,
    size: i128,
    /// How many bins a window spans.
    bins: i128,
    schema: Schema,
}

/// The rows of a bin with what orders their values, in that order.
type Bin = Vec<(i128, u32)>;

impl TableOperation for Rolling {
    fn name(&self) -> &str {
        "rolling_percentile"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some([&self.value, &self.index].into_iter().chain(&self.dimensions).cloned().collect())
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to roll over"))?;
        let lost = || Fault::internal("a column is gone");
        let values = table.column_named(&self.value).ok_or_else(lost)?;
        let index = table.column_named(&self.index).ok_or_else(lost)?;
        let sides = self.dimensions.iter().map(|name| table.column_named(name)).collect::<Option<Vec<_>>>();
        let sides = sides.ok_or_else(lost)?;
        let slices = Combinations::of(&sides, table.rows());
        let (binned, last) = self.binned(&index, &values, &slices);
        let mut times = Builder::new(self.axis.0, 0);
        let (mut of_slice, mut picked): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (slice, bins) in (0u32..).zip(&binned) {
            let Some((first, _)) = bins.first_key_value() else { continue };
            let mut bin = *first;
            while bin <= last {
                context.check()?;
                let window: Vec<&(i128, u32)> =
                    bins.range(bin - self.bins + 1..=bin).flat_map(|(_, rows)| rows).collect();
                if let Some(row) = at_percentile(window, self.percentile) {
                    times.push(&self.axis.value(bin.saturating_mul(self.size).saturating_add(self.axis.origin())));
                    of_slice.push(slice);
                    picked.push(row);
                    if picked.len() > context.limits.rows {
                        return Err(Fault::limit("rows", "'rolling_percentile' gives too many rows"));
                    }
                    bin += 1;
                } else {
                    // Nothing lies in the windows up to the next bin with rows.
                    let Some((next, _)) = bins.range(bin + 1..).next() else { break };
                    bin = *next;
                }
            }
        }
        let sides = sides.iter().map(|column| slices.values(column, &of_slice));
        let columns = std::iter::once(times.finish()).chain(sides).chain([gather::take(&values, &picked)]);
        let columns: Vec<Stored> = columns.map(Stored::Column).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: picked.len(), columns }]))
    }
}

impl Rolling {
    /// Each slice's bins, and the last bin of all.
    fn binned(&self, index: &Column, values: &Column, slices: &Combinations) -> (Vec<BTreeMap<i128, Bin>>, i128) {
        let mut binned: Vec<BTreeMap<i128, Bin>> = vec![BTreeMap::new(); slices.len()];
        let mut last = i128::MIN;
        for (row, slice) in (0u32..).zip(&slices.of_rows) {
            let at = self.axis.of(&index.value(row as usize));
            let (Some(at), Some(order)) = (at, order_of(&values.value(row as usize))) else { continue };
            let bin = at.saturating_sub(self.axis.origin()).div_euclid(self.size);
            last = last.max(bin);
            if let Some(bins) = binned.get_mut(*slice as usize) {
                bins.entry(bin).or_default().push((order, row));
            }
        }
        (binned, last)
    }
}

/// An integer that orders values of one kind; none for null and NaN.
fn order_of(value: &Value) -> Option<i128> {
    match value {
        Value::Real(real) if real.is_nan() => None,
        Value::Real(real) => {
            let bits = real.to_bits() as i64;
            Some(i128::from(bits ^ ((((bits >> 63) as u64) >> 1) as i64)))
        }
        Value::Text(Kind::Decimal, _) => order_of(&Value::Real(value.as_real()?)),
        other => other.as_long().map(i128::from),
    }
}

/// The row of the smallest value that so many percent of all do not exceed.
fn at_percentile(mut window: Vec<&(i128, u32)>, percentile: f64) -> Option<u32> {
    let rank = aggregates::nearest_rank(window.len() as f64, percentile);
    let place = (rank.max(1.0) as usize - 1).min(window.len().checked_sub(1)?);
    let (_, found, _) = window.select_nth_unstable(place);
    Some(found.1)
}

super::items! {
    /// For each bin of a timeline, a percentile of the values in it and the bins before it.
    ///
    /// `BinsPerWindow` bins count, the bin itself included. The value is the nearest rank's. With dimensions, each of
    /// their combinations has its own rows.
    ///
    /// Source: rolling-percentile-plugin.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | extend t = x / 3 | evaluate rolling_percentile(x, 50, t, 1, 2) | top 1 by t | project rolling_2_percentile_x_50 // 7
    /// ```
    fn rolling_percentile(
        ValueColumn: Column,
        Percentile: Constant,
        IndexColumn: Column,
        BinSize: Constant,
        BinsPerWindow: Constant,
        Dimension[any]: Column,
    ) = |binder, evaluation| binder.rolling_percentile(evaluation);
}
