//! Series: dynamic arrays of numbers at even distances.
mod decompose;
mod elements;
mod fill;
mod fit;
mod fourier;
mod outliers;
mod periods;
mod polynomial;

pub use decompose::COLUMNS as DECOMPOSITIONS;
pub use elements::{COLUMNS as ELEMENTS, ROWS as MEASURES};
pub use fill::ROWS as FILLS;
pub(super) use fit::path_of_statistics;
pub use fit::{COLUMNS as FIT_NUMBERS, ROWS as FITS};
pub use fourier::ROWS as TRANSFORMS;
pub use outliers::COLUMNS as OUTLIERS;
pub use periods::COLUMNS as PERIODS;
pub use polynomial::ROWS as POLYNOMIALS;

use super::items::items;
use crate::types::json::Writer;
use crate::types::{Column, Dynamic, Json, Kind, Value, number};
use arrow_array::Array;

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
        if let Dynamic::List(list, _) = series
            && let kind @ (Kind::Real | Kind::Long) = list.items.kind()
        {
            return Some(Numbers { values: series.numbers()?, whole: kind == Kind::Long });
        }
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

/// The numbers of a row of typed lists of reals, as they lie there; none for any other array, and where one is null.
fn plain<'a>(series: Dynamic<'a>) -> Option<&'a [f64]> {
    let Dynamic::List(list, row) = series else { return None };
    match &*list.items {
        Column::Real(items) if items.null_count() == 0 => items.values().get(list.range(row)),
        _ => None,
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

/// A number given as an argument; none where it is null.
fn real_of(value: &Value) -> Option<f64> {
    crate::types::convert::value_to(value, Kind::Real).as_real()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
