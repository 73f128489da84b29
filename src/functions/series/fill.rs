//! Missing values filled in, and filters over series.
use super::{Numbers, real_of, reals};
use crate::functions::items::{array, items};
use crate::functions::row::{Any, Bool, Dyn, JsonOut, Maybe};
use crate::types::{Dynamic, Json, Value, number};

/// An array's elements as JSON, none where one is missing: null, or the placeholder.
fn present(series: Dynamic, placeholder: Option<&Value>) -> Option<Vec<Option<String>>> {
    let placeholder = placeholder.filter(|p| !p.is_null()).and_then(real_of);
    let missing = |item: &str| {
        let value = Json::new(item).as_f64();
        if placeholder.is_some() { value == placeholder } else { item == "null" || value.is_some_and(f64::is_nan) }
    };
    Some(items(series)?.into_iter().map(|item| (!missing(&item)).then(|| item.into_owned())).collect())
}

/// The array, with `hole` where an element is missing still.
fn filled(items: Vec<Option<String>>, hole: &str) -> JsonOut {
    JsonOut(array(items.iter().map(|item| item.as_deref().unwrap_or(hole))))
}

/// What stands in the array for a missing value.
fn hole(placeholder: Option<&Value>) -> String {
    placeholder.map_or_else(|| "null".into(), Value::to_json)
}

/// Each missing element as the one before it.
fn forward(items: &mut [Option<String>]) {
    for place in 1..items.len() {
        if let (before, [item, ..]) = items.split_at_mut(place)
            && item.is_none()
        {
            *item = before.last().cloned().flatten();
        }
    }
}

/// Elements between two that are there, in even steps; whole numbers stay such, cut.
fn interpolate(items: &mut [Option<String>], whole: bool) {
    let known: Vec<(usize, f64)> =
        items.iter().enumerate().filter_map(|(at, item)| Some((at, Json::new(item.as_deref()?).as_f64()?))).collect();
    for pair in known.windows(2) {
        let [(start, from), (end, to)] = pair else { continue };
        let step = (to - from) / (end - start) as f64;
        for (distance, item) in items.iter_mut().take(*end).skip(*start).enumerate().skip(1) {
            let value = from + step * distance as f64;
            let cut = number::real_to_long(value).filter(|_| whole);
            *item = Some(cut.map_or_else(|| number::json_real(value), |long| long.to_string()));
        }
    }
}

fn linear(series: Dynamic, placeholder: Option<&Value>, edges: bool, constant: Option<Value>) -> Option<JsonOut> {
    let mut items = present(series, placeholder)?;
    if items.iter().all(Option::is_none) {
        let constant = constant.map_or_else(|| "0.0".into(), |constant| constant.to_json());
        return Some(filled(items, &constant));
    }
    let whole = items.iter().flatten().all(|item| !item.contains(['.', 'e', 'E', 'n']));
    interpolate(&mut items, whole);
    if edges {
        forward(&mut items);
        items.reverse();
        forward(&mut items);
        items.reverse();
    }
    Some(filled(items, &hole(placeholder)))
}

/// Each value as the weighted sum of itself and those before it (around it, where `center` says so).
fn fir(values: &[f64], filter: &[f64], normalize: bool, center: bool) -> Option<Vec<f64>> {
    if filter.is_empty() || (normalize && filter.iter().any(|c| *c < 0.0)) {
        return None;
    }
    let total: f64 = if normalize { filter.iter().sum() } else { 1.0 };
    let ahead = if center { filter.len() / 2 } else { 0 };
    let at = |place: usize, back: usize| {
        let from = (place + ahead).checked_sub(back)?;
        values.get(from).copied()
    };
    let sum = |place: usize| -> f64 {
        filter.iter().enumerate().filter_map(|(back, weight)| Some(weight * at(place, back)?)).sum()
    };
    Some((0..values.len()).map(|place| sum(place) / total).collect())
}

/// The recursive filter; null where the first denominator is 0.
fn iir(values: &[f64], numerators: &[f64], denominators: &[f64]) -> Option<Vec<f64>> {
    let first = denominators.first().copied().filter(|first| *first != 0.0)?;
    let mut out: Vec<f64> = Vec::with_capacity(values.len());
    for place in 0..values.len() {
        let back = |series: &[f64], by: usize| place.checked_sub(by).and_then(|from| series.get(from).copied());
        let given: f64 = numerators.iter().enumerate().filter_map(|(by, b)| Some(b * back(values, by)?)).sum();
        let made: f64 = denominators.iter().enumerate().skip(1).filter_map(|(by, a)| Some(a * back(&out, by)?)).sum();
        out.push((given - made) / first);
    }
    Some(out)
}

crate::scalars! {
    /// The series with a constant for its missing values: nulls, or those that equal the placeholder.
    ///
    /// Source: series-fill-const-function.
    ///
    /// ```kql
    /// series_fill_const(dynamic([111, null, 36]), 0.0) // [111,0.0,36]
    /// series_fill_const(dynamic([111, -1, 36]), 0, -1) // [111,0,36]
    /// ```
    kql fn series_fill_const (series: Dyn, constant: Any, missing: Maybe<Any>) -> Option<JsonOut> {
        Some(filled(present(series, missing.as_ref())?, &constant.to_json()))
    }

    /// The series with the value before each missing one in its place.
    ///
    /// Source: series-fill-forward-function.
    ///
    /// ```kql
    /// series_fill_forward(dynamic([null, 36, null, null, 16])) // [null,36,36,36,16]
    /// ```
    kql fn series_fill_forward (series: Dyn, missing: Maybe<Any>) -> Option<JsonOut> {
        let mut items = present(series, missing.as_ref())?;
        forward(&mut items);
        Some(filled(items, &hole(missing.as_ref())))
    }

    /// The series with the value after each missing one in its place.
    ///
    /// Source: series-fill-backward-function.
    ///
    /// ```kql
    /// series_fill_backward(dynamic([null, 36, null, 16, null])) // [36,36,16,16,null]
    /// ```
    kql fn series_fill_backward (series: Dyn, missing: Maybe<Any>) -> Option<JsonOut> {
        let mut items = present(series, missing.as_ref())?;
        items.reverse();
        forward(&mut items);
        items.reverse();
        Some(filled(items, &hole(missing.as_ref())))
    }

    /// The series with its missing values on the lines between those beside them. Those at the ends take the nearest
    /// value unless `fill_edges` is false; a series of missing values only becomes the constant, 0 unless given.
    ///
    /// Source: series-fill-linear-function.
    ///
    /// ```kql
    /// series_fill_linear(dynamic([null, 1.0, null, 3.0])) // [1.0,1.0,2.0,3.0]
    /// series_fill_linear(dynamic([null, 111, null, 36])) // [111,111,73,36]
    /// ```
    kql fn series_fill_linear (
        series: Dyn, missing: Maybe<Any>, fill_edges: Maybe<Bool>, constant: Maybe<Any>
    ) -> Option<JsonOut> {
        linear(series, missing.as_ref(), fill_edges.unwrap_or(true), constant)
    }

    /// The series filtered: each value becomes the weighted sum of itself and those before it, or of those around it
    /// where `center` is true. The weights are divided by their sum unless `normalize` is false.
    ///
    /// Source: series-fir-function.
    ///
    /// ```kql
    /// series_fir(dynamic([0, 0, 10, 0]), dynamic([1, 1])) // [0.0,0.0,5.0,5.0]
    /// series_fir(dynamic([1, 2, 4]), dynamic([1, -1]), false) // [1.0,1.0,2.0]
    /// ```
    kql fn series_fir (series: Dyn, filter: Dyn, normalize: Maybe<Bool>, center: Maybe<Bool>) -> Option<JsonOut> {
        let (values, filter) = (Numbers::of(series)?.finite()?, Numbers::of(filter)?.finite()?);
        // Weights below zero cannot be normalized: without a word they are not.
        let normalize = normalize.unwrap_or_else(|| filter.iter().all(|weight| *weight >= 0.0));
        Some(JsonOut(reals(&fir(&values, &filter, normalize, center.unwrap_or(false))?)))
    }

    /// The series filtered recursively by numerators and denominators.
    ///
    /// Source: series-iir-function.
    ///
    /// ```kql
    /// series_iir(dynamic([1, 2, 3]), dynamic([1]), dynamic([1, -1])) // [1.0,3.0,6.0]
    /// ```
    kql fn series_iir (series: Dyn, numerators: Dyn, denominators: Dyn) -> Option<JsonOut> {
        let values = Numbers::of(series)?.finite()?;
        let (numerators, denominators) = (Numbers::of(numerators)?.finite()?, Numbers::of(denominators)?.finite()?);
        Some(JsonOut(reals(&iir(&values, &numerators, &denominators)?)))
    }
}
