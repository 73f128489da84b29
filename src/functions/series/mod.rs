//! Series: dynamic arrays of numbers at even distances.
mod decompose;
mod elements;
mod fill;
mod fit;
mod outliers;
mod periods;

pub use decompose::COLUMNS as DECOMPOSITIONS;
pub use elements::{COLUMNS as ELEMENTS, ROWS as MEASURES};
pub use fill::ROWS as FILLS;
pub use fit::ROWS as FITS;
pub use outliers::COLUMNS as OUTLIERS;
pub use periods::COLUMNS as PERIODS;

use super::items::items;
use crate::types::json::Writer;
use crate::types::{Dynamic, Json, Kind, Value, number};

/// The numbers of an array; none for elements that are no numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    values: Vec<Option<f64>>,
    /// Whether all numbers are integers, and their results are written as such.
    whole: bool,
}

impl Numbers {
    /// The numbers of an array; none for anything else.
    fn of(series: Dynamic) -> Option<Numbers> {
        let items = items(series)?;
        let numbers: Vec<Json> = items.iter().map(|item| Json::new(item)).collect();
        let whole = numbers.iter().all(|n| n.as_f64().is_none() || n.as_i64().is_some_and(|_| !n.text().contains('.')));
        Some(Numbers { values: numbers.iter().map(Json::as_f64).collect(), whole })
    }

    /// The numbers that are there and finite.
    fn finite(&self) -> Option<Vec<f64>> {
        self.values.iter().map(|value| value.filter(|value| value.is_finite())).collect()
    }
}

/// The array of such numbers, written as integers where `whole` says so.
fn write(values: impl IntoIterator<Item = Option<f64>>, whole: bool) -> String {
    let mut writer = Writer::default();
    writer.begin_array();
    for value in values {
        match (value, value.and_then(number::real_to_long)) {
            (None, _) => writer.null(),
            (Some(_), Some(long)) if whole => writer.long(long),
            (Some(real), _) => writer.real(real),
        };
    }
    writer.end_array();
    writer.finish()
}

fn reals(values: &[f64]) -> String {
    write(values.iter().copied().map(Some), false)
}

/// The value at a place between the sorted values, by linear interpolation.
fn quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let place = fraction * (sorted.len().checked_sub(1)?) as f64;
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * (place - place.floor()))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The columns of a function that gives several, by name and kind, in their order. The function's own
/// result is an array that holds their values. None for a function of one result.
///
/// `array_sort_asc` and `array_sort_desc` give a column for each array too, and such an array for several.
pub fn columns(function: &str) -> Option<&'static [(&'static str, Kind)]> {
    use Kind::{Dynamic, Long, Real};
    Some(match function {
        "series_stats" => &[
            ("min", Real),
            ("min_idx", Long),
            ("max", Real),
            ("max_idx", Long),
            ("avg", Real),
            ("stdev", Real),
            ("variance", Real),
        ],
        "series_fit_line" => &[
            ("rsquare", Real),
            ("slope", Real),
            ("variance", Real),
            ("rvariance", Real),
            ("interception", Real),
            ("line_fit", Dynamic),
        ],
        "series_fit_2lines" => &[
            ("rsquare", Real),
            ("split_idx", Long),
            ("variance", Real),
            ("rvariance", Real),
            ("line_fit", Dynamic),
            ("right_rsquare", Real),
            ("right_slope", Real),
            ("right_interception", Real),
            ("right_variance", Real),
            ("right_rvariance", Real),
            ("left_rsquare", Real),
            ("left_slope", Real),
            ("left_interception", Real),
            ("left_variance", Real),
            ("left_rvariance", Real),
        ],
        "series_decompose" | "series_decompose_forecast" => {
            &[("baseline", Dynamic), ("seasonal", Dynamic), ("trend", Dynamic), ("residual", Dynamic)]
        }
        "series_decompose_anomalies" => &[("ad_flag", Dynamic), ("ad_score", Dynamic), ("baseline", Dynamic)],
        "series_periods_detect" | "series_periods_validate" => &[("periods", Dynamic), ("scores", Dynamic)],
        _ => return None,
    })
}

/// A number given as an argument; none where it is null.
fn real_of(value: &Value) -> Option<f64> {
    crate::types::convert::value_to(value, Kind::Real).as_real()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_several_columns_exists() {
        use crate::functions::{Dialect, all, find};
        for item in all().filter(|item| columns(item.name).is_some()) {
            assert_eq!(item.result(&[Kind::Dynamic]), Kind::Dynamic, "{}", item.name);
        }
        for name in ["series_stats", "series_fit_line", "series_fit_2lines", "series_decompose_anomalies"] {
            assert!(columns(name).is_some() && !find(Dialect::Kql, name).is_empty(), "{name}");
        }
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
