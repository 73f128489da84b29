//! Scores of outliers by Tukey's fences.
use super::{Numbers, quantile, real_of, reals};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::items::json_rows;
use crate::types::{Column, Dynamic, Kind};

/// The range that counts as normal, in percent, and what a score is multiplied with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fences {
    low: f64,
    high: f64,
    scale: f64,
}

impl Fences {
    /// The fences of a method: `ctukey` from a range of percentiles, `tukey` from the quartiles.
    pub(super) fn of(method: &str, range: Option<(f64, f64)>) -> Result<Fences> {
        match (method, range.unwrap_or((10.0, 90.0))) {
            ("tukey", _) => Ok(Fences { low: 25.0, high: 75.0, scale: 1.0 }),
            ("ctukey", (low, high)) => Ok(Fences { low, high, scale: scale(low, high) }),
            _ => Err(Fault::query("HP112", format!("`{method}` is no method of outlier detection"))
                .help("use \"ctukey\" or \"tukey\"")),
        }
    }

    /// How far each value lies outside of the range that the first `learned` values show; 0 inside.
    pub(super) fn scores(&self, values: &[Option<f64>], learned: usize) -> Vec<f64> {
        let known = values.iter().take(learned).flatten().copied().filter(|value| value.is_finite());
        let mut sorted: Vec<f64> = known.collect();
        sorted.sort_by(f64::total_cmp);
        let bounds = quantile(&sorted, self.low / 100.0).zip(quantile(&sorted, self.high / 100.0));
        let Some((low, high)) = bounds else { return vec![0.0; values.len()] };
        let score = |value: f64| match value {
            value if value > high => (value - high) / (high - low) * self.scale,
            value if value < low => (value - low) / (high - low) * self.scale,
            _ => 0.0,
        };
        values.iter().map(|value| value.map_or(0.0, score)).collect()
    }
}

/// What makes a score of 1.5 as rare, among normally distributed values, as it is with quartiles.
fn scale(low: f64, high: f64) -> f64 {
    if (low, high) == (10.0, 90.0) {
        // Kusto's own, of a coarser normal distribution.
        return 2.772_605_605_507_91;
    }
    let (low, high, quartile) = (normal_quantile(low / 100.0), normal_quantile(high / 100.0), normal_quantile(0.75));
    1.5 * (high - low) / (4.0 * quartile - high)
}

/// The value that a normally distributed number does not exceed with a probability, by halving.
fn normal_quantile(probability: f64) -> f64 {
    let below = |x: f64| 0.5 * crate::functions::special::erfc_of(-x / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if below(middle) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn outliers(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [series, options @ ..] = args else { return Err(Fault::internal("outliers of nothing")) };
    let option = |at: usize| options.get(at).filter(|o| !o.is_empty()).map(|option| option.value(0));
    let method = option(0).map_or_else(|| "ctukey".to_owned(), |method| method.to_text());
    let range =
        option(2).and_then(|v| real_of(&v)).unwrap_or(10.0)..option(3).and_then(|v| real_of(&v)).unwrap_or(90.0);
    let fences = Fences::of(&method, Some((range.start, range.end)))?;
    let ignored = option(1).and_then(|value| real_of(&value));
    let tested = option(4).and_then(|points| usize::try_from(points.as_long()?).ok()).unwrap_or(0);
    Ok(json_rows(args, rows, |row| {
        let mut values = Numbers::of(Dynamic::of(series, row)?)?.values;
        values.iter_mut().for_each(|value| *value = value.filter(|value| Some(*value) != ignored));
        Some(reals(&fences.scores(&values, values.len().saturating_sub(tested))))
    }))
}

crate::kernels! {
    /// How far each value lies outside of the normal range: above 1.5 a rise, below -1.5 a drop.
    ///
    /// `kind` is `ctukey` (the range between two percentiles, 10 and 90 unless given) or `tukey` (the quartiles).
    /// Nulls and the value to ignore score 0.
    ///
    /// Source: series-outliers-function.
    ///
    /// ```kql
    /// series_outliers(dynamic([1, 2, 3, 4, 100]), "tukey") // [-0.5,0.0,0.0,0.0,48.0]
    /// ```
    kql fn series_outliers (
        series: Dynamic, kind[optional]: String, ignore_val[optional]: Number, min_percentile[optional]: Number,
        max_percentile[optional]: Number, test_points[optional]: Integer
    ) -> Kind(Kind::Dynamic) = outliers;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_kusto() {
        let values = [-3.0, 2.4, 15.0, 3.9, 5.0, 6.0, 4.5, 5.2, 3.0, 4.0, 5.0, 16.0, 7.0, 5.0, 5.0, 4.0];
        let scores = Fences::of("ctukey", None).unwrap().scores(&values.map(Some), values.len());
        let expected = [(0, -1.904_078_548), (1, -0.100_214_660), (2, 1.336_195_473), (3, 0.0), (11, 1.670_244_341)];
        for (place, score) in expected {
            assert!((scores[place] - score).abs() < 1e-8, "{place}: {}", scores[place]);
        }
    }
}
