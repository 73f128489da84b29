//! Lines through series, and statistics of them.
use super::{Numbers, mean, plain};
use crate::diagnostic::{Fault, Result};
use crate::functions::items::json_rows;
use crate::functions::operators::pair;
use crate::functions::row::{Bool, Dyn, JsonOut, Maybe};
use crate::functions::{Context, forms};
use crate::types::json::Writer;
use crate::types::vectors::wide;
use crate::types::{Column, Dynamic, Kind};
use std::borrow::Cow;

/// A line by least squares over the places 0, 1, 2…
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub slope: f64,
    pub interception: f64,
    rsquare: f64,
    variance: f64,
    rvariance: f64,
}

impl Line {
    /// None for an empty series.
    pub(super) fn through(values: &[f64]) -> Option<Line> {
        if values.is_empty() {
            return None;
        }
        let length = values.len() as f64;
        let (middle, average) = ((length - 1.0) / 2.0, mean(values));
        // What the squares of the places' distances from the middle sum up to.
        let spread = length * (length * length - 1.0) / 12.0;
        let (mut rise, mut squares) = (0.0, 0.0);
        for (x, y) in values.iter().enumerate() {
            rise += (x as f64 - middle) * (y - average);
            squares += (y - average).powi(2);
        }
        let slope = if spread > 0.0 { rise / spread } else { 0.0 };
        let interception = average - slope * middle;
        let residual = |(x, y): (usize, &f64)| (y - interception - slope * x as f64).powi(2);
        let residuals = values.iter().enumerate().map(residual).sum::<f64>();
        let freedom = (length - 1.0).max(1.0);
        let rsquare = if squares > 0.0 { 1.0 - residuals / squares } else { 1.0 };
        Some(Line { slope, interception, rsquare, variance: squares / freedom, rvariance: residuals / freedom })
    }

    pub(super) fn values(&self, length: usize) -> Vec<f64> {
        (0..length).map(|x| self.interception + self.slope * x as f64).collect()
    }

    /// The numbers that tell of the line; its values are the last part.
    fn named(&self) -> Named {
        vec![
            ("rsquare", Part::Real(self.rsquare)),
            ("slope", Part::Real(self.slope)),
            ("variance", Part::Real(self.variance)),
            ("rvariance", Part::Real(self.rvariance)),
            ("interception", Part::Real(self.interception - self.slope)),
        ]
    }
}

/// One of the results of a function that gives several.
enum Part {
    Real(f64),
    Whole(usize),
    Reals(Vec<f64>),
}

type Named = Vec<(&'static str, Part)>;

impl Part {
    fn write(&self, writer: &mut Writer) {
        match self {
            Part::Real(real) => writer.real(*real),
            Part::Whole(whole) => writer.long(*whole as i64),
            Part::Reals(reals) => {
                writer.begin_array();
                reals.iter().for_each(|real| {
                    writer.real(*real);
                });
                writer.end_array()
            }
        };
    }
}

/// Room for a few numbers.
const ROOM: usize = 256;

/// The values as one array.
fn as_array(named: Named) -> JsonOut {
    let mut writer = Writer::with_capacity(ROOM);
    writer.begin_array();
    named.iter().for_each(|(_, part)| part.write(&mut writer));
    writer.end_array();
    JsonOut(writer.finish())
}

/// The values as a bag.
fn as_bag(named: Named) -> JsonOut {
    let mut writer = Writer::with_capacity(ROOM);
    writer.begin_bag();
    for (name, part) in &named {
        writer.key(name);
        part.write(&mut writer);
    }
    writer.end_bag();
    JsonOut(writer.finish())
}

/// The numbers of a series that are all finite; none for any other.
fn finite(series: Dynamic<'_>) -> Option<Cow<'_, [f64]>> {
    let plain = plain(series).filter(|values| wide(|| values.iter().fold(true, |all, value| all & value.is_finite())));
    plain.map(Cow::Borrowed).or_else(|| Some(Cow::Owned(Numbers::of(series)?.finite()?)))
}

fn line(series: Dynamic) -> Option<Named> {
    let values = finite(series)?;
    let line = Line::through(&values)?;
    let mut named = line.named();
    named.push(("line_fit", Part::Reals(line.values(values.len()))));
    Some(named)
}

/// The line without its values.
fn line_numbers(series: Dynamic) -> Option<Named> {
    Some(Line::through(&finite(series)?)?.named())
}

fn fit_numbers(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let series = args.first().ok_or_else(|| Fault::internal("a line through nothing"))?;
    Ok(json_rows(args, rows, |row| Some(as_array(line_numbers(Dynamic::of(series, row)?)?).0)))
}

/// Two lines that meet the series best, split where the sum of squared residuals is the smallest.
fn two_lines(series: Dynamic) -> Option<Named> {
    let values = finite(series)?;
    let whole = Line::through(&values)?;
    let squares = |line: &Line, length: usize| line.rvariance * (length as f64 - 1.0).max(1.0);
    let split = |at: usize| {
        let (left, right) = values.split_at_checked(at)?;
        let lines = (Line::through(left)?, Line::through(right)?);
        Some((squares(&lines.0, left.len()) + squares(&lines.1, right.len()), at, lines))
    };
    let best = (1..values.len()).filter_map(split).min_by(|a, b| a.0.total_cmp(&b.0));
    let (residuals, at, (left, right)) = best.unwrap_or((squares(&whole, values.len()), 0, (whole, whole)));
    let freedom = (values.len() as f64 - 1.0).max(1.0);
    let rvariance = residuals / freedom;
    let rsquare = if whole.variance > 0.0 { 1.0 - rvariance / whole.variance } else { 1.0 };
    let fit = [left.values(at), right.values(values.len() - at)].concat();
    let mut named = vec![
        ("rsquare", Part::Real(rsquare)),
        ("split_idx", Part::Whole(at)),
        ("variance", Part::Real(whole.variance)),
        ("rvariance", Part::Real(rvariance)),
        ("line_fit", Part::Reals(fit)),
    ];
    for (names, line) in [(RIGHT, right), (LEFT, left)] {
        let values = [line.rsquare, line.slope, line.interception - line.slope, line.variance, line.rvariance];
        named.extend(names.into_iter().zip(values.map(Part::Real)));
    }
    Some(named)
}

const RIGHT: [&str; 5] = ["right_rsquare", "right_slope", "right_interception", "right_variance", "right_rvariance"];
const LEFT: [&str; 5] = ["left_rsquare", "left_slope", "left_interception", "left_variance", "left_rvariance"];

/// Takes the values together eight apart, as many as the processor works on at once.
#[inline(always)]
fn lanes(values: &[f64], start: f64, join: impl Fn(f64, f64) -> f64) -> [f64; 8] {
    let mut lanes = [start; 8];
    let mut with = |part: &[f64]| lanes.iter_mut().zip(part).for_each(|(lane, value)| *lane = join(*lane, *value));
    let (whole, rest) = values.as_chunks::<8>();
    whole.iter().for_each(|eight| with(eight));
    with(rest);
    lanes
}

/// What `series_stats` tells of a series.
struct Statistics<'a> {
    /// The numbers that are finite, of which there is one at least.
    values: Cow<'a, [f64]>,
    /// Where they stand in the series, if not one after the other.
    places: Option<Vec<usize>>,
    sum: f64,
    length: usize,
}

impl<'a> Statistics<'a> {
    /// Nothing where an element is no finite number, unless such are to be passed over, and where no number is left.
    fn of(series: Dynamic<'a>, ignore: bool) -> Option<Statistics<'a>> {
        let of = |values: Cow<'a, [f64]>, places, length| {
            let sum = wide(|| lanes(&values, 0.0, |sum, value| sum + value).iter().sum::<f64>());
            (!values.is_empty()).then_some(Statistics { values, places, sum, length })
        };
        if let Some(found) = plain(series).and_then(|values| of(Cow::Borrowed(values), None, values.len()))
            // A sum of finite numbers alone is finite, but for the largest.
            && found.sum.is_finite()
        {
            return Some(found);
        }
        let numbers = Numbers::of(series)?;
        let usable = |(place, value): (usize, &Option<f64>)| Some((place, value.filter(|value| value.is_finite())?));
        let (places, values): (Vec<usize>, Vec<f64>) = numbers.values.iter().enumerate().filter_map(usable).unzip();
        if !ignore && values.len() < numbers.values.len() {
            return None;
        }
        of(Cow::Owned(values), Some(places), numbers.values.len())
    }

    /// The largest value times a sign, and its place; of equal values the first one counts.
    fn extreme(&self, sign: f64) -> (f64, usize) {
        let values = &*self.values;
        let first = values.first().copied().unwrap_or_default();
        let larger = |best: f64, value: f64| if value * sign > best * sign { value } else { best };
        let place = wide(|| {
            let value = lanes(values, first, larger).into_iter().fold(first, larger);
            values.iter().position(|known| *known == value).unwrap_or(0)
        });
        let in_series = self.places.as_ref().and_then(|places| places.get(place)).copied();
        (values.get(place).copied().unwrap_or(first), in_series.unwrap_or(place))
    }

    fn average(&self) -> f64 {
        self.sum / self.values.len() as f64
    }

    fn variance(&self) -> f64 {
        let average = self.average();
        let squares = wide(|| lanes(&self.values, 0.0, |sum, value| sum + (value - average) * (value - average)));
        match self.values.len() {
            0 | 1 => 0.0,
            length => squares.iter().sum::<f64>() / (length - 1) as f64,
        }
    }

    fn named(&self) -> Named {
        let (least, most, variance) = (self.extreme(-1.0), self.extreme(1.0), self.variance());
        let parts = [
            Part::Real(least.0),
            Part::Whole(least.1),
            Part::Real(most.0),
            Part::Whole(most.1),
            Part::Real(self.average()),
            Part::Real(variance.sqrt()),
            Part::Real(variance),
            Part::Real(self.sum),
            Part::Whole(self.length),
        ];
        STATISTICS.into_iter().zip(parts).collect()
    }

    /// The one of that name.
    fn only(&self, name: &str) -> Option<Part> {
        Some(match name {
            "avg" => Part::Real(self.average()),
            "stdev" => Part::Real(self.variance().sqrt()),
            "variance" => Part::Real(self.variance()),
            "sum" => Part::Real(self.sum),
            "len" => Part::Whole(self.length),
            _ => self.named().into_iter().find(|(known, _)| *known == name)?.1,
        })
    }
}

const STATISTICS: [&str; 9] = ["min", "min_idx", "max", "max_idx", "avg", "stdev", "variance", "sum", "len"];

/// `series_stats_dynamic(series).avg`: nothing but that number.
pub(in crate::functions) fn path_of_statistics(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (series, path) = pair(args)?;
    let statistics = |row: usize| Statistics::of(Dynamic::of(series, row)?, false);
    let name = forms::only_key(path).filter(|name| STATISTICS.contains(&name.as_str()));
    if let (Some(name), false) = (name, series.is_const()) {
        return Ok(json_rows(args, rows, |row| {
            let part = statistics(row)?.only(&name)?;
            let mut writer = Writer::default();
            part.write(&mut writer);
            Some(writer.finish())
        }));
    }
    let bags = json_rows(&args[..1], rows, |row| Some(as_bag(statistics(row)?.named()).0));
    forms::path(context, &[bags, path.clone()], rows)
}

crate::scalars! {
    /// Statistics of a series as several columns: the smallest value and its place, the largest and its place, mean,
    /// standard deviation and variance. Null where an element is no finite number, unless such are to be ignored.
    ///
    /// Source: series-stats-function.
    ///
    /// ```kql
    /// series_stats(dynamic([2, 1, 3])) // [1.0,1,3.0,2,2.0,1.0,1.0]
    /// ```
    kql fn series_stats (series: Dyn, ignore_nonfinite: Maybe<Bool>) -> Option<JsonOut> {
        let mut named = Statistics::of(series, ignore_nonfinite.unwrap_or(false))?.named();
        named.truncate(7);
        Some(as_array(named))
    }

    /// Statistics of a series as a bag, also their sum and number; see `series_stats`.
    ///
    /// Source: series-stats-dynamic-function.
    ///
    /// ```kql
    /// bag_keys(series_stats_dynamic(dynamic([1, 2]))) // ["min","min_idx","max","max_idx","avg","stdev","variance","sum","len"]
    /// ```
    kql fn series_stats_dynamic (series: Dyn, ignore_nonfinite: Maybe<Bool>) -> Option<JsonOut> {
        Some(as_bag(Statistics::of(series, ignore_nonfinite.unwrap_or(false))?.named()))
    }

    /// The line that fits a series best, as several columns: rsquare, slope, variance, rvariance, interception, line_fit.
    /// The line is of places counted from 1.
    ///
    /// Source: series-fit-line-function.
    ///
    /// ```kql
    /// series_fit_line(dynamic([1, 3, 5])) // [1.0,2.0,4.0,0.0,-1.0,[1.0,3.0,5.0]]
    /// ```
    kql fn series_fit_line (series: Dyn) -> Option<JsonOut> { Some(as_array(line(series)?)) }

    /// The line that fits a series best, as a bag; see `series_fit_line`.
    ///
    /// Source: series-fit-line-dynamic-function.
    ///
    /// ```kql
    /// bag_keys(series_fit_line_dynamic(dynamic([1, 3]))) // ["rsquare","slope","variance","rvariance","interception","line_fit"]
    /// ```
    kql fn series_fit_line_dynamic (series: Dyn) -> Option<JsonOut> { Some(as_bag(line(series)?)) }

    /// The two lines that fit the parts of a series best, split where they fit best, as several columns: rsquare,
    /// split_idx, variance, rvariance, line_fit, then rsquare, slope, interception, variance and rvariance of the
    /// right line and of the left one.
    ///
    /// Source: series-fit-2lines-function.
    ///
    /// ```kql
    /// array_length(series_fit_2lines(dynamic([1, 2, 3, 10, 9, 8]))) // 15
    /// ```
    kql fn series_fit_2lines (series: Dyn) -> Option<JsonOut> { Some(as_array(two_lines(series)?)) }

    /// The two lines that fit the parts of a series best, as a bag; see `series_fit_2lines`.
    ///
    /// Source: series-fit-2lines-dynamic-function.
    ///
    /// ```kql
    /// array_length(bag_keys(series_fit_2lines_dynamic(dynamic([1, 2, 3, 10, 9, 8])))) // 15
    /// ```
    kql fn series_fit_2lines_dynamic (series: Dyn) -> Option<JsonOut> {
        Some(as_bag(two_lines(series)?))
    }
}

crate::kernels! {
    /// What `series_fit_line` gives without the line's values, where a query names no more.
    ///
    /// Source: series-fit-line-function.
    ///
    /// ```kql
    /// print (rsquare, slope) = series_fit_line(dynamic([1, 3, 5])) | project slope // 2
    /// ```
    kql fn ".fit_numbers" (series: Dynamic) -> Kind(Kind::Dynamic) = fit_numbers;
}
