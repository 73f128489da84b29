//! Series as the sum of a season, a trend and a rest, and what is unusual in the rest.
use super::fit::Line;
use super::outliers::Fences;
use super::{Numbers, mean, periods, quantile, real_of, reals, write};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::items::{array, json_rows};
use crate::types::{Column, Dynamic, Kind, Value};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trend {
    Average,
    Line,
    None,
}

/// How a series is taken apart.
struct Plan {
    /// The period in elements, 0 for none, negative to be detected.
    period: i64,
    trend: Trend,
    /// Elements at the end from which nothing is learned.
    test_points: usize,
    threshold: f64,
}

impl Plan {
    /// The options where they stand in an argument list; those that are absent or null take their defaults.
    fn of(period: Option<Value>, trend: Option<Value>, test: Option<Value>, threshold: Option<Value>) -> Result<Plan> {
        let trend = match trend.filter(|t| !t.is_null()).map(|trend| trend.to_text()).as_deref() {
            None | Some("" | "avg") => Trend::Average,
            Some("linefit") => Trend::Line,
            Some("none") => Trend::None,
            Some(other) => {
                let said = Fault::query("HP112", format!("`{other}` is no trend of a series"));
                return Err(said.help("use \"avg\", \"linefit\" or \"none\""));
            }
        };
        Ok(Plan {
            period: period.and_then(|period| period.as_long()).unwrap_or(-1),
            trend,
            test_points: test.and_then(|test| usize::try_from(test.as_long()?).ok()).unwrap_or(0),
            threshold: threshold.and_then(|threshold| real_of(&threshold)).unwrap_or(0.6),
        })
    }
}

struct Parts {
    baseline: Vec<f64>,
    seasonal: Vec<f64>,
    trend: Vec<f64>,
    residual: Vec<Option<f64>>,
}

/// The medians of the values of the same phase, for every element.
fn seasonal(values: &[f64], period: usize, length: usize) -> Vec<f64> {
    let median = |phase: usize| {
        let mut same: Vec<f64> = values.iter().skip(phase).step_by(period).copied().collect();
        same.sort_by(f64::total_cmp);
        quantile(&same, 0.5).unwrap_or(0.0)
    };
    let medians: Vec<f64> = (0..period.min(length)).map(median).collect();
    (0..length).map(|place| medians.get(place % period).copied().unwrap_or(0.0)).collect()
}

/// The period that is meant; none without a season.
fn period_of(values: &[f64], period: i64, threshold: f64) -> Option<usize> {
    if period >= 0 {
        return usize::try_from(period).ok().filter(|period| *period > 0);
    }
    let found = periods::detect(values, 4.0, values.len() as f64 / 2.0, 1);
    found.first().filter(|(_, score)| *score >= threshold).map(|(period, _)| *period)
}

fn parts(numbers: &Numbers, plan: &Plan) -> Option<Parts> {
    let length = numbers.values.len();
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    // An element that is missing teaches nothing: the mean stands for it.
    let known: Vec<f64> = numbers.values.iter().filter_map(finite).collect();
    let average = if known.is_empty() { return None } else { mean(&known) };
    let values: Vec<f64> = numbers.values.iter().map(|value| finite(value).unwrap_or(average)).collect();
    let learned = values.get(..length.saturating_sub(plan.test_points)).filter(|l| !l.is_empty())?;
    let seasonal = match period_of(learned, plan.period, plan.threshold) {
        Some(period) => seasonal(learned, period, length),
        None => vec![0.0; length],
    };
    let deseasoned: Vec<f64> = learned.iter().zip(&seasonal).map(|(value, season)| value - season).collect();
    let trend = match plan.trend {
        Trend::Average => vec![mean(&deseasoned); length],
        Trend::Line => Line::through(&deseasoned)?.values(length),
        Trend::None => vec![0.0; length],
    };
    let baseline: Vec<f64> = seasonal.iter().zip(&trend).map(|(season, trend)| season + trend).collect();
    let residual = numbers.values.iter().zip(&baseline).map(|(value, base)| Some(finite(value)? - base)).collect();
    Some(Parts { baseline, seasonal, trend, residual })
}

fn option(args: &[Column], at: usize) -> Option<Value> {
    args.get(at).filter(|column| !column.is_empty()).map(|column| column.value(0))
}

fn series(args: &[Column]) -> Result<&Column> {
    args.first().ok_or_else(|| Fault::internal("a decomposition of nothing"))
}

/// Baseline, season, trend and rest of each row.
fn decomposed(args: &[Column], rows: usize, plan: &Plan) -> Result<Column> {
    let series = series(args)?;
    Ok(json_rows(args, rows, |row| {
        let parts = parts(&Numbers::of(Dynamic::of(series, row)?)?, plan)?;
        let [baseline, seasonal, trend] = [&parts.baseline, &parts.seasonal, &parts.trend].map(|part| reals(part));
        Some(array([baseline, seasonal, trend, write(parts.residual, false)]))
    }))
}

fn decompose(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let plan = Plan::of(option(args, 1), option(args, 2), option(args, 3), option(args, 4))?;
    decomposed(args, rows, &plan)
}

/// A forecast continues the trend: a line unless said otherwise.
fn forecast(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let trend = option(args, 3).filter(|trend| !trend.is_null()).unwrap_or_else(|| Value::string("linefit"));
    let plan = Plan::of(option(args, 2), Some(trend), option(args, 1), option(args, 4))?;
    decomposed(args, rows, &plan)
}

fn anomalies(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let plan = Plan::of(option(args, 2), option(args, 3), option(args, 4), option(args, 6))?;
    let threshold = option(args, 1).and_then(|threshold| real_of(&threshold)).unwrap_or(1.5);
    let method = option(args, 5).filter(|method| !method.is_null()).map(|method| method.to_text());
    let fences = Fences::of(method.as_deref().filter(|method| !method.is_empty()).unwrap_or("ctukey"), None)?;
    let series = series(args)?;
    Ok(json_rows(args, rows, |row| {
        let parts = parts(&Numbers::of(Dynamic::of(series, row)?)?, &plan)?;
        let scores = fences.scores(&parts.residual, parts.residual.len().saturating_sub(plan.test_points));
        let flag = |score: &f64| f64::from(i8::from(*score > threshold) - i8::from(*score < -threshold));
        let flags = write(scores.iter().map(|score| Some(flag(score))), true);
        Some(array([flags, reals(&scores), reals(&parts.baseline)]))
    }))
}

fn series_seasonal(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let mut plan = Plan::of(option(args, 1), None, option(args, 2), None)?;
    plan.threshold = 0.7;
    let series = series(args)?;
    Ok(json_rows(args, rows, |row| Some(reals(&parts(&Numbers::of(Dynamic::of(series, row)?)?, &plan)?.seasonal))))
}

crate::kernels! {
    /// A series as the sum of a season, a trend and a rest, as several columns: baseline (season and trend together),
    /// seasonal, trend, residual.
    ///
    /// `seasonality` is the period in elements, 0 for none, -1 to detect it (where its score reaches the threshold, 0.6
    /// unless given). `trend` is `avg`, `linefit` or `none`. Nothing is learned from the last `test_points` elements.
    ///
    /// Source: series-decompose-function.
    ///
    /// ```kql
    /// series_decompose(dynamic([1, 3, 1, 3]), 2)[1] // [1.0,3.0,1.0,3.0]
    /// ```
    kql fn series_decompose (
        series: Dynamic, seasonality[optional]: Integer, trend[optional]: String, test_points[optional]: Integer,
        seasonality_threshold[optional]: Number
    ) -> Kind(Kind::Dynamic) = decompose;

    /// The decomposition of a series whose last `points` elements are to be forecast; see `series_decompose`. The
    /// baseline is the forecast. The trend is `linefit` unless given.
    ///
    /// Source: series-decompose-forecast-function.
    ///
    /// ```kql
    /// series_decompose_forecast(dynamic([1, 2, 3, 0]), 1, 0)[0] // [1.0,2.0,3.0,4.0]
    /// ```
    kql fn series_decompose_forecast (
        series: Dynamic, points: Integer, seasonality[optional]: Integer, trend[optional]: String,
        seasonality_threshold[optional]: Number
    ) -> Kind(Kind::Dynamic) = forecast;

    /// What is unusual in a series, as several columns: ad_flag (1 for a rise, -1 for a drop, else 0), ad_score and
    /// baseline. The rest of `series_decompose` is scored as `series_outliers` does; a score beyond the threshold (1.5
    /// unless given) is an anomaly.
    ///
    /// Source: series-decompose-anomalies-function.
    ///
    /// ```kql
    /// series_decompose_anomalies(dynamic([1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 50, 1]), 1.5, 0)[0] // [0,0,0,0,0,0,0,0,0,0,1,0]
    /// ```
    kql fn series_decompose_anomalies (
        series: Dynamic, threshold[optional]: Number, seasonality[optional]: Integer, trend[optional]: String,
        test_points[optional]: Integer, ad_method[optional]: String, seasonality_threshold[optional]: Number
    ) -> Kind(Kind::Dynamic) = anomalies;

    /// The season of a series: for each element the median of all elements of the same phase; zeros where no period is
    /// given or found.
    ///
    /// Source: series-seasonal-function.
    ///
    /// ```kql
    /// series_seasonal(dynamic([1, 3, 5, 1, 3, 5, 2, 4, 6]), 3) // [1.0,3.0,5.0,1.0,3.0,5.0,1.0,3.0,5.0]
    /// ```
    kql fn series_seasonal (series: Dynamic, period[optional]: Integer, test_points[optional]: Integer) -> Kind(Kind::Dynamic) = series_seasonal;
}
