//! Periods of series, by the correlation of a series with itself moved.
use super::{Numbers, mean, real_of, reals};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::items::{array, json_rows};
use crate::types::{Column, Dynamic, Kind};

/// Pearson's correlation; none where a side does not vary.
pub(super) fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    let (l, r) = (mean(left), mean(right));
    let sum = |f: &dyn Fn(f64, f64) -> f64| left.iter().zip(right).map(|(a, b)| f(a - l, b - r)).sum::<f64>();
    let (products, spread) = (sum(&|a, b| a * b), sum(&|a, _| a * a) * sum(&|_, b| b * b));
    (spread > 0.0).then(|| products / spread.sqrt())
}

/// How alike a series and itself moved by a period are, from 0 to 1; 0 for a period below 4 or not below half of the
/// series.
fn likeness(values: &[f64], period: usize) -> f64 {
    if period < 4 || period >= values.len().div_ceil(2) {
        return 0.0;
    }
    let moved = values.get(..values.len() - period).zip(values.get(period..));
    moved.and_then(|(left, right)| pearson(left, right)).unwrap_or(0.0).max(0.0)
}

/// The likeness of a period that fits no worse than those beside it, and better than chance would have it; 0 for any
/// other.
fn score(values: &[f64], period: usize) -> f64 {
    let own = likeness(values, period);
    let by_chance = 2.0 / (values.len() as f64).sqrt();
    let beside = [period.checked_sub(1), period.checked_add(1)].into_iter().flatten();
    let fits_worse = beside.map(|period| likeness(values, period)).any(|other| other > own);
    if own <= by_chance || fits_worse { 0.0 } else { own }
}

/// A period that fits this much worse than the best one is noise beside it.
const NOISE: f64 = 0.7;

/// The most significant periods in a range with their scores. Of a period and its multiples only the best stays.
pub(super) fn detect(values: &[f64], least: f64, most: f64, number: usize) -> Vec<(usize, f64)> {
    let last = (most.min((values.len() / 2) as f64)).floor().max(0.0) as usize;
    let first = least.ceil().max(4.0) as usize;
    let likenesses: Vec<f64> = (first - 1..=last + 1).map(|period| likeness(values, period)).collect();
    let peak = |beside: &[f64]| beside.get(1).copied().filter(|own| *own > 0.0 && beside.iter().all(|b| b <= own));
    let scored = likenesses.windows(3).zip(first..=last).map(|(beside, period)| Some((period, peak(beside)?)));
    let mut peaks: Vec<(usize, f64)> = scored.flatten().collect();
    // A multiple of a period fits about as well: the shorter one is meant unless it fits worse by a tenth.
    peaks.sort_by(|a, b| (b.1 * 10.0).round().total_cmp(&(a.1 * 10.0).round()).then(a.0.cmp(&b.0)));
    let best = peaks.first().map_or(0.0, |(_, score)| *score);
    let mut found: Vec<(usize, f64)> = Vec::new();
    for (period, score) in peaks {
        let multiple = found.iter().any(|(known, _)| period % known == 0);
        if found.len() < number && !multiple && score >= NOISE * best {
            found.push((period, score));
        }
    }
    found
}

fn periods_and_scores(found: &[(f64, f64)]) -> String {
    let (periods, scores): (Vec<f64>, Vec<f64>) = found.iter().copied().unzip();
    array([reals(&periods), reals(&scores)])
}

fn periods_detect(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [series, least, most, number] = args else { return Err(Fault::internal("periods of nothing")) };
    Ok(json_rows(args, rows, |row| {
        let values = Numbers::of(Dynamic::of(series, row)?)?.finite()?;
        let number = usize::try_from(number.value(row).as_long()?).ok()?;
        let found = detect(&values, real_of(&least.value(row))?, real_of(&most.value(row))?, number);
        let mut found: Vec<(f64, f64)> = found.into_iter().map(|(period, score)| (period as f64, score)).collect();
        // What is not found is 0, up to the number asked for, which is bounded by what a series could have.
        found.resize(number.min(values.len()).max(found.len()), (0.0, 0.0));
        Some(periods_and_scores(&found))
    }))
}

fn periods_validate(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [series, periods @ ..] = args else { return Err(Fault::internal("periods of nothing")) };
    Ok(json_rows(args, rows, |row| {
        let values = Numbers::of(Dynamic::of(series, row)?)?.finite()?;
        let given = periods.iter().map(|period| real_of(&period.value(row)));
        let scored =
            given.map(|period| period.map(|period| (period, score(&values, period.round().max(0.0) as usize))));
        Some(periods_and_scores(&scored.collect::<Option<Vec<_>>>()?))
    }))
}

crate::kernels! {
    /// The most significant periods of a series between two lengths, with scores from 0 to 1, as two columns.
    ///
    /// Periods are of at least 4 elements and less than half of the series; what is not found is 0. The scores are correlations of the series
    /// with itself moved, and differ somewhat from Kusto's.
    ///
    /// Source: series-periods-detect-function.
    ///
    /// ```kql
    /// series_periods_detect(dynamic([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]), 4, 6, 1) // [[4.0],[1.0]]
    /// ```
    kql fn series_periods_detect (
        series: Dynamic, min_period: Number, max_period: Number, num_periods: Integer
    ) -> Kind(Kind::Dynamic) = periods_detect;

    /// How significant the given periods are, with scores from 0 to 1, as two columns; see `series_periods_detect`.
    ///
    /// Source: series-periods-validate-function.
    ///
    /// ```kql
    /// series_periods_validate(dynamic([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]), 4, 3) // [[4.0,3.0],[1.0,0.0]]
    /// ```
    kql fn series_periods_validate (series: Dynamic, period[repeats]: Number) -> Kind(Kind::Dynamic) = periods_validate;
}
