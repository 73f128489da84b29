//! Polynomials that fit a series best, by least squares.
use super::{Numbers, mean, reals};
use crate::functions::items::array;
use crate::functions::row::{Dyn, Int, JsonOut, Maybe};
use crate::types::{Dynamic, number};

/// The highest power.
const MOST: usize = 64;

/// The coefficients, from that of the highest power on, of the polynomial through the points; none where there are
/// fewer places than coefficients.
fn coefficients(xs: &[f64], ys: &[f64], degree: usize) -> Option<Vec<f64>> {
    // Places are scaled into -1 to 1, where powers are of one magnitude.
    let reach = xs.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let reach = if reach > 0.0 { reach } else { 1.0 };
    let powers = |x: &f64| (0..=degree).map(|power| (x / reach).powi(power as i32)).collect::<Vec<_>>();
    let found = least_squares(xs.iter().map(powers).collect(), ys.to_vec())?;
    let scaled = found.into_iter().enumerate().map(|(power, value)| value / reach.powi(power as i32));
    let mut scaled: Vec<f64> = scaled.collect();
    scaled.reverse();
    Some(scaled)
}

/// Solves rows · unknowns ≈ values by Householder reflections; none where the rows do not determine the unknowns.
fn least_squares(mut rows: Vec<Vec<f64>>, mut values: Vec<f64>) -> Option<Vec<f64>> {
    let unknowns = rows.first()?.len();
    for column in 0..unknowns.min(rows.len()) {
        reflect(rows.get_mut(column..)?, values.get_mut(column..)?, column);
    }
    let mut solution = vec![0.0; unknowns];
    for column in (0..unknowns).rev() {
        let row = rows.get(column)?;
        let known: f64 = row.iter().zip(&solution).skip(column + 1).map(|(a, x)| a * x).sum();
        let own = *row.get(column)?;
        if own.abs() < 1e-13 {
            return None;
        }
        solution[column] = (values.get(column)? - known) / own;
    }
    Some(solution)
}

/// Reflects the rows so that only the first of them has a value in the column.
fn reflect(rows: &mut [Vec<f64>], values: &mut [f64], column: usize) {
    let mut normal: Vec<f64> = rows.iter().map(|row| row.get(column).copied().unwrap_or(0.0)).collect();
    let length = normal.iter().map(|v| v * v).sum::<f64>().sqrt();
    if let Some(first) = normal.first_mut() {
        *first += length.copysign(*first);
    }
    let square: f64 = normal.iter().map(|v| v * v).sum();
    if square == 0.0 {
        return;
    }
    let width = rows.first().map_or(0, Vec::len);
    for at in column..width {
        let twice = 2.0 * normal.iter().zip(rows.iter()).map(|(n, row)| n * row[at]).sum::<f64>() / square;
        normal.iter().zip(rows.iter_mut()).for_each(|(n, row)| row[at] -= twice * n);
    }
    let twice = 2.0 * normal.iter().zip(values.iter()).map(|(n, v)| n * v).sum::<f64>() / square;
    normal.iter().zip(values.iter_mut()).for_each(|(n, v)| *v -= twice * n);
}

fn at(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// rsquare, coefficients, variance, rvariance and poly_fit, as one array.
fn fit(ys: Dynamic, xs: Option<Dynamic>, degree: i32) -> Option<JsonOut> {
    let ys = Numbers::of(ys)?.finite()?;
    let xs = match xs {
        Some(xs) => Numbers::of(xs)?.finite().filter(|xs| xs.len() == ys.len())?,
        None => (1..=ys.len()).map(|place| place as f64).collect(),
    };
    let degree = usize::try_from(degree).ok().filter(|degree| *degree <= MOST && *degree < ys.len())?;
    let coefficients = coefficients(&xs, &ys, degree)?;
    let fitted: Vec<f64> = xs.iter().map(|x| at(&coefficients, *x)).collect();
    let average = mean(&ys);
    let freedom = (ys.len() as f64 - 1.0).max(1.0);
    let variance = ys.iter().map(|y| (y - average).powi(2)).sum::<f64>() / freedom;
    let rvariance = ys.iter().zip(&fitted).map(|(y, f)| (y - f).powi(2)).sum::<f64>() / freedom;
    let rsquare = if variance > 0.0 { 1.0 - rvariance / variance } else { 1.0 };
    let real = number::json_real;
    Some(JsonOut(array([real(rsquare), reals(&coefficients), real(variance), real(rvariance), reals(&fitted)])))
}

crate::scalars! {
    /// The polynomial of a degree, 1 unless given, that fits a series best, as several columns: rsquare, coefficients
    /// (that of the highest power first), variance, rvariance, poly_fit. The places are 1, 2, 3… unless given.
    ///
    /// Null where the series has no more values than the degree.
    ///
    /// Source: series-fit-poly-function.
    ///
    /// ```kql
    /// array_length(series_fit_poly(dynamic([1, 4, 9, 16]), dynamic([1, 2, 3, 4]), 2)) // 5
    /// isnull(series_fit_poly(dynamic([1, 2]), dynamic([1, 2]), 2)[0]) // true
    /// ```
    kql fn series_fit_poly (y_series: Dyn, x_series: Maybe<Dyn>, degree: Maybe<Int>) -> Option<JsonOut> {
        fit(y_series, x_series, degree.unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_found_again() {
        let wanted = [2.0, -3.0, 0.5, 7.0];
        let xs: Vec<f64> = (0..50).map(|place| f64::from(place) - 20.0).collect();
        let ys: Vec<f64> = xs.iter().map(|x| at(&wanted, *x)).collect();
        let found = coefficients(&xs, &ys, 3).unwrap();
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-8), "{found:?}");
    }

    #[test]
    fn equal_places_determine_nothing() {
        assert_eq!(coefficients(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 1), None);
    }
}
