//! Element by element: arithmetic, comparison, functions of one number, and sums over a series.
use super::{Numbers, write};
use crate::diagnostic::Result;
use crate::functions::items::{array, json_rows, value_rows};
use crate::functions::operators::pair;
use crate::functions::row::{Dyn, JsonOut, Maybe, Real};
use crate::functions::{Context, arithmetic};
use crate::types::number::{json_real, real_to_long};
use crate::types::{Column, Dynamic, Kind, List, Value, convert};
use arrow_array::Array;

/// A series, or a number for every place.
enum Operand {
    Series(Numbers),
    Number(Option<f64>, bool),
}

impl Operand {
    fn of(column: &Column, row: usize) -> Option<Operand> {
        if let Some(numbers) = Dynamic::of(column, row).and_then(Numbers::of) {
            return Some(Operand::Series(numbers));
        }
        let value = column.value(row);
        let real = convert::value_to(&value, Kind::Real).as_real()?;
        Some(Operand::Number(Some(real), value.kind().is_integer()))
    }

    fn len(&self) -> usize {
        if let Operand::Series(numbers) = self { numbers.values.len() } else { 0 }
    }

    fn at(&self, place: usize) -> Option<f64> {
        match self {
            Operand::Series(numbers) => numbers.values.get(place).copied().flatten(),
            Operand::Number(value, _) => *value,
        }
    }

    fn whole(&self) -> bool {
        matches!(self, Operand::Series(Numbers { whole: true, .. }) | Operand::Number(_, true))
    }
}

/// The results for typed lists of numbers, one of them real, that are equally long in each row; none for others.
fn typed(args: &[Column], make: impl Fn(f64, f64) -> f64) -> Option<Column> {
    let [Column::List(left), Column::List(right)] = args else { return None };
    let real = |list: &List| list.items.kind() == Kind::Real;
    let number = |list: &List| real(list) || list.items.kind() == Kind::Long;
    let (l, r) = (arithmetic::reals(&left.items), arithmetic::reals(&right.items));
    let plain = number(left) && number(right) && (real(left) || real(right)) && l.null_count() + r.null_count() == 0;
    if !plain || left.nulls.is_some() || right.nulls.is_some() {
        return None;
    }
    let mut values = Vec::with_capacity(l.len());
    let mut offsets = Vec::with_capacity(left.offsets.len());
    offsets.push(0);
    for row in 0..left.len() {
        let (a, b) = (l.values().get(left.range(row))?, r.values().get(right.range(row))?);
        if a.len() != b.len() {
            return None;
        }
        values.extend(a.iter().zip(b).map(|(a, b)| make(*a, *b)));
        offsets.push(values.len() as u32);
    }
    let items = std::sync::Arc::new(Column::Real(values.into()));
    Some(Column::List(List { offsets: offsets.into(), nulls: None, items }))
}

/// What `make` gives of the numbers at each place, null where one is missing.
fn both(args: &[Column], rows: usize, make: impl Fn(f64, f64, bool) -> String) -> Result<Column> {
    let (left, right) = pair(args)?;
    Ok(json_rows(args, rows, |row| {
        let (left, right) = (Operand::of(left, row)?, Operand::of(right, row)?);
        let whole = left.whole() && right.whole();
        let one = |place| match left.at(place).zip(right.at(place)) {
            Some((l, r)) => make(l, r, whole),
            None => "null".into(),
        };
        Some(array((0..left.len().max(right.len())).map(one)))
    }))
}

fn number(value: f64, whole: bool) -> String {
    match real_to_long(value).filter(|_| whole) {
        Some(long) => long.to_string(),
        None => json_real(value),
    }
}

macro_rules! operation {
    ($name:ident, |$l:ident, $r:ident, $whole:ident| $make:expr) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            both(args, rows, |$l, $r, $whole| $make)
        }
    };
}
macro_rules! arithmetic {
    ($name:ident, |$l:ident, $r:ident| $make:expr, $keeps:literal) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            if let Some(typed) = typed(args, |$l, $r| $make) {
                return Ok(typed);
            }
            both(args, rows, |$l, $r, whole| number($make, whole && $keeps))
        }
    };
}
arithmetic!(add, |l, r| l + r, true);
arithmetic!(subtract, |l, r| l - r, true);
arithmetic!(multiply, |l, r| l * r, true);
arithmetic!(divide, |l, r| l / r, false);
arithmetic!(power, |l, r| l.powf(r), false);
operation!(greater, |l, r, _whole| (l > r).to_string());
operation!(greater_equals, |l, r, _whole| (l >= r).to_string());
operation!(less, |l, r, _whole| (l < r).to_string());
operation!(less_equals, |l, r, _whole| (l <= r).to_string());
operation!(equals, |l, r, _whole| (l == r).to_string());
operation!(not_equals, |l, r, _whole| (l != r).to_string());

/// A function of each number; integers stay such where `keeps` says so.
fn each(series: Dynamic, keeps: bool, function: impl Fn(f64) -> f64) -> Option<JsonOut> {
    let numbers = Numbers::of(series)?;
    let values = numbers.values.iter().map(|value| value.map(&function));
    Some(JsonOut(write(values, keeps && numbers.whole)))
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

fn dot_product(left: &[Option<f64>], right: &[Option<f64>]) -> f64 {
    left.iter().zip(right).filter_map(|(l, r)| Some((*l)? * (*r)?)).sum()
}

/// The sum of products; a number stands for as many of itself as the series has elements.
fn dot(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (left, right) = pair(args)?;
    Ok(value_rows(Kind::Real, args, rows, |row| {
        let (left, right) = (Operand::of(left, row)?, Operand::of(right, row)?);
        let length = match (&left, &right) {
            (Operand::Series(l), Operand::Series(r)) => l.values.len().min(r.values.len()),
            _ => left.len().max(right.len()),
        };
        let products = (0..length).filter_map(|place| Some(left.at(place)? * right.at(place)?));
        (length > 0).then(|| Value::Real(products.sum()))
    }))
}

fn correlation(left: &Numbers, right: &Numbers) -> Option<f64> {
    let (left, right) = (left.finite()?, right.finite()?);
    if left.len() != right.len() || left.is_empty() {
        return None;
    }
    super::periods::pearson(&left, &right)
}

crate::scalars! {
    /// The numbers without their signs.
    ///
    /// Source: series-abs-function.
    ///
    /// ```kql
    /// series_abs(dynamic([-6.5, 0, 8.2])) // [6.5,0.0,8.2]
    /// ```
    kql fn series_abs (series: Dyn) -> Option<JsonOut> { each(series, true, f64::abs) }

    /// The signs of the numbers.
    ///
    /// Source: series-sign-function.
    ///
    /// ```kql
    /// series_sign(dynamic([-6, 0, 8])) // [-1,0,1]
    /// ```
    kql fn series_sign (series: Dyn) -> Option<JsonOut> { each(series, true, sign) }

    /// The smallest whole numbers not below the numbers.
    ///
    /// Source: series-ceiling-function.
    ///
    /// ```kql
    /// series_ceiling(dynamic([-1.5, 1, 2.5])) // [-1.0,1.0,3.0]
    /// ```
    kql fn series_ceiling (series: Dyn) -> Option<JsonOut> { each(series, true, f64::ceil) }

    /// The largest whole numbers not above the numbers.
    ///
    /// Source: series-floor-function.
    ///
    /// ```kql
    /// series_floor(dynamic([-1.5, 1, 2.5])) // [-2.0,1.0,2.0]
    /// ```
    kql fn series_floor (series: Dyn) -> Option<JsonOut> { each(series, true, f64::floor) }

    /// e to the power of each number.
    ///
    /// Source: series-exp-function.
    ///
    /// ```kql
    /// series_exp(dynamic([0])) // [1.0]
    /// ```
    kql fn series_exp (series: Dyn) -> Option<JsonOut> { each(series, false, f64::exp) }

    /// The natural logarithm of each number.
    ///
    /// Source: series-log-function.
    ///
    /// ```kql
    /// series_log(dynamic([1])) // [0.0]
    /// ```
    kql fn series_log (series: Dyn) -> Option<JsonOut> { each(series, false, f64::ln) }

    /// The sine of each number.
    ///
    /// Source: series-sin-function.
    ///
    /// ```kql
    /// series_sin(dynamic([0])) // [0.0]
    /// ```
    kql fn series_sin (series: Dyn) -> Option<JsonOut> { each(series, false, f64::sin) }

    /// The cosine of each number.
    ///
    /// Source: series-cos-function.
    ///
    /// ```kql
    /// series_cos(dynamic([0])) // [1.0]
    /// ```
    kql fn series_cos (series: Dyn) -> Option<JsonOut> { each(series, false, f64::cos) }

    /// The tangent of each number.
    ///
    /// Source: series-tan-function.
    ///
    /// ```kql
    /// series_tan(dynamic([0])) // [0.0]
    /// ```
    kql fn series_tan (series: Dyn) -> Option<JsonOut> { each(series, false, f64::tan) }

    /// The angles whose sines are the numbers.
    ///
    /// Source: series-asin-function.
    ///
    /// ```kql
    /// series_asin(dynamic([0])) // [0.0]
    /// ```
    kql fn series_asin (series: Dyn) -> Option<JsonOut> { each(series, false, f64::asin) }

    /// The angles whose cosines are the numbers.
    ///
    /// Source: series-acos-function.
    ///
    /// ```kql
    /// series_acos(dynamic([1])) // [0.0]
    /// ```
    kql fn series_acos (series: Dyn) -> Option<JsonOut> { each(series, false, f64::acos) }

    /// The angles whose tangents are the numbers.
    ///
    /// Source: series-atan-function.
    ///
    /// ```kql
    /// series_atan(dynamic([0])) // [0.0]
    /// ```
    kql fn series_atan (series: Dyn) -> Option<JsonOut> { each(series, false, f64::atan) }

    /// The sum of the numbers; null where an element is no number.
    ///
    /// Source: series-sum-function.
    ///
    /// ```kql
    /// series_sum(dynamic([1, 2, 3, 4])) // 10
    /// ```
    kql fn series_sum (series: Dyn) -> Option<f64> { Numbers::of(series)?.values.into_iter().sum::<Option<f64>>().map(|sum| sum + 0.0) }

    /// The product of the numbers; null where an element is no number.
    ///
    /// Source: series-product-function.
    ///
    /// ```kql
    /// series_product(dynamic([1, 2, 3, 4])) // 24
    /// ```
    kql fn series_product (series: Dyn) -> Option<f64> { Numbers::of(series)?.values.into_iter().product() }

    /// The length of the series as a vector.
    ///
    /// Source: series-magnitude-function.
    ///
    /// ```kql
    /// series_magnitude(dynamic([3, 4])) // 5
    /// ```
    kql fn series_magnitude (series: Dyn) -> Option<f64> {
        let values = Numbers::of(series)?.values;
        Some(dot_product(&values, &values).sqrt())
    }

    /// The cosine of the angle between two series as vectors; their magnitudes may be given.
    ///
    /// Source: series-cosine-similarity-function.
    ///
    /// ```kql
    /// series_cosine_similarity(dynamic([3, 4]), dynamic([4, 3])) // 0.96
    /// ```
    kql fn series_cosine_similarity (
        series1: Dyn, series2: Dyn, magnitude1: Maybe<Real>, magnitude2: Maybe<Real>
    ) -> Option<f64> {
        let (left, right) = (Numbers::of(series1)?.values, Numbers::of(series2)?.values);
        let length = |given: Option<f64>, own: &[Option<f64>]| given.unwrap_or_else(|| dot_product(own, own).sqrt());
        let lengths = length(magnitude1, &left) * length(magnitude2, &right);
        (left.len() == right.len()).then(|| dot_product(&left, &right) / lengths)
    }

    /// Pearson's correlation of two series; null where their lengths differ or an element is no number.
    ///
    /// Source: series-pearson-correlation-function.
    ///
    /// ```kql
    /// series_pearson_correlation(dynamic([1, 2, 3]), dynamic([2, 4, 6])) // 1
    /// ```
    kql fn series_pearson_correlation (series1: Dyn, series2: Dyn) -> Option<f64> {
        correlation(&Numbers::of(series1)?, &Numbers::of(series2)?)
    }
}

crate::kernels! {
    /// The sums of the numbers at each place; null where one is missing.
    ///
    /// Source: series-add-function.
    ///
    /// ```kql
    /// series_add(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [5,4,5]
    /// ```
    kql fn series_add (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = add;

    /// The differences of the numbers at each place; null where one is missing.
    ///
    /// Source: series-subtract-function.
    ///
    /// ```kql
    /// series_subtract(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [-3,0,3]
    /// ```
    kql fn series_subtract (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = subtract;

    /// The products of the numbers at each place; null where one is missing.
    ///
    /// Source: series-multiply-function.
    ///
    /// ```kql
    /// series_multiply(dynamic([1, 2, 4]), 2) // [2,4,8]
    /// ```
    kql fn series_multiply (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = multiply;

    /// The quotients of the numbers at each place, as reals; null where one is missing.
    ///
    /// Source: series-divide-function.
    ///
    /// ```kql
    /// series_divide(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [0.25,1.0,4.0]
    /// ```
    kql fn series_divide (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = divide;

    /// The numbers to the power of the numbers at the same place, as reals; null where one is missing.
    ///
    /// Source: series-pow-function.
    ///
    /// ```kql
    /// series_pow(dynamic([1, 2, 3, 4]), dynamic([1, 2, 3, 0.5])) // [1.0,4.0,27.0,2.0]
    /// ```
    kql fn series_pow (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = power;

    /// Whether the numbers are larger than those at the same place; null where one is missing.
    ///
    /// Source: series-greater-function.
    ///
    /// ```kql
    /// series_greater(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [false,false,true]
    /// ```
    kql fn series_greater (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = greater;

    /// Whether the numbers are not smaller than those at the same place; null where one is missing.
    ///
    /// Source: series-greater-equals-function.
    ///
    /// ```kql
    /// series_greater_equals(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [false,true,true]
    /// ```
    kql fn series_greater_equals (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = greater_equals;

    /// Whether the numbers are smaller than those at the same place; null where one is missing.
    ///
    /// Source: series-less-function.
    ///
    /// ```kql
    /// series_less(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [true,false,false]
    /// ```
    kql fn series_less (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = less;

    /// Whether the numbers are not larger than those at the same place; null where one is missing.
    ///
    /// Source: series-less-equals-function.
    ///
    /// ```kql
    /// series_less_equals(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [true,true,false]
    /// ```
    kql fn series_less_equals (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = less_equals;

    /// Whether the numbers equal those at the same place; null where one is missing.
    ///
    /// Source: series-equals-function.
    ///
    /// ```kql
    /// series_equals(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [false,true,false]
    /// ```
    kql fn series_equals (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = equals;

    /// Whether the numbers differ from those at the same place; null where one is missing.
    ///
    /// Source: series-not-equals-function.
    ///
    /// ```kql
    /// series_not_equals(dynamic([1, 2, 4]), dynamic([4, 2, 1])) // [true,false,true]
    /// ```
    kql fn series_not_equals (series1: Any, series2: Any) -> Kind(Kind::Dynamic) = not_equals;

    /// The sum of the products of the numbers at each place, as far as both series go; a number may stand for one.
    ///
    /// Source: series-dot-product-function.
    ///
    /// ```kql
    /// series_dot_product(dynamic([1, 2, 3]), dynamic([4, 5, 6])) // 32
    /// series_dot_product(dynamic([1, 2, 3]), 10) // 60
    /// ```
    kql fn series_dot_product (series1: Any, series2: Any) -> Kind(Kind::Real) = dot;
}
