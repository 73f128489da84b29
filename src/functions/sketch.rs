//! Reading the intermediate results of distinct counts (`hll`) and percentiles (`tdigest`).
use super::Context;
use super::aggregates::{ordered, unordered};
use super::items::json_rows;
use super::row::{Any, Dyn, JsonOut, Real};
use crate::diagnostic::Result;
use crate::types::{Column, Dynamic, Json, Kind, Value, convert, number};
use std::collections::BTreeSet;

/// The smallest hashes of the values that were counted, ascending.
pub(super) struct Hashes(pub Vec<u64>);

impl Hashes {
    /// With so many hashes a count is about 1% off; with fewer values it is exact.
    pub const MOST: usize = 16_384;

    pub fn of(value: Dynamic) -> Option<Hashes> {
        let text = value.to_json();
        let hashes: Option<Vec<u64>> = Json::new(&text).elements().map(|hash| Some(hash.as_i64()? as u64)).collect();
        hashes.filter(|_| value.is_array()).map(Hashes)
    }

    pub fn to_json(&self) -> String {
        super::items::array(self.0.iter().map(|hash| (*hash as i64).to_string()))
    }

    /// How many values there were: the more, the closer their smallest hashes lie.
    fn count(&self) -> i64 {
        match self.0.iter().max() {
            Some(largest) if self.0.len() >= Self::MOST => {
                ((Self::MOST - 1) as f64 / (*largest as f64 / u64::MAX as f64)).round() as i64
            }
            _ => self.0.len() as i64,
        }
    }
}

/// The hashes that several distinct counts share, as far as all of them know theirs.
struct Common {
    hashes: BTreeSet<u64>,
    /// Above this hash one of them may lack hashes.
    known: u64,
}

impl Common {
    fn of(Hashes(hashes): Hashes) -> Common {
        let full = hashes.len() >= Hashes::MOST;
        let known = hashes.iter().max().copied().filter(|_| full).unwrap_or(u64::MAX);
        Common { hashes: hashes.into_iter().collect(), known }
    }

    fn and(mut self, other: Common) -> Common {
        self.known = self.known.min(other.known);
        self.hashes.retain(|hash| *hash <= self.known && other.hashes.contains(hash));
        self
    }

    fn count(&self) -> i64 {
        let seen = self.known as f64 / u64::MAX as f64;
        if self.known == u64::MAX { self.hashes.len() as i64 } else { (self.hashes.len() as f64 / seen).round() as i64 }
    }
}

/// How many values the first of some distinct counts has, how many it has in common with the second, with the third
/// as well, and so on; none from the first that is no distinct count on. Large counts are estimated.
pub fn common_hashes(values: &[Option<Dynamic>]) -> Vec<Option<i64>> {
    let mut common: Option<Common> = None;
    let mut counts = Vec::with_capacity(values.len());
    for own in values.iter().map_while(|value| value.and_then(Hashes::of)) {
        let own = Common::of(own);
        let both = match common.take() {
            None => own,
            Some(before) => before.and(own),
        };
        counts.push(Some(both.count()));
        common = Some(both);
    }
    counts.resize(values.len(), None);
    counts
}

/// Values of one kind in ascending order, with their weights.
pub(super) struct Digest {
    /// Datetimes and timespans are told from numbers, which all are reals.
    pub kind: Kind,
    /// Ticks, or integers of the same order as the reals.
    pub pairs: Vec<(i64, u64)>,
}

impl Digest {
    pub fn of(value: Dynamic) -> Option<Digest> {
        let text = value.to_json();
        let json = Json::new(&text);
        let (values, weights) = (json.index(0)?, json.index(1)?);
        let kind = json.index(2).and_then(|kind| Kind::parse(&kind.as_str()?)).unwrap_or(Kind::Real);
        let key = |value: Json| if kind == Kind::Real { value.as_f64().map(ordered) } else { value.as_i64() };
        let pairs = values.elements().zip(weights.elements());
        let pairs = pairs.map(|(value, weight)| Some((key(value)?, u64::try_from(weight.as_i64()?).ok()?)));
        Some(Digest { kind, pairs: pairs.collect::<Option<Vec<_>>>()? })
    }

    /// What a value of this kind is among the pairs; none for null and NaN.
    pub fn key(kind: Kind, value: &Value) -> Option<i64> {
        match (kind, convert::value_to(value, kind)) {
            (Kind::Real, real) => real.as_real().filter(|real| !real.is_nan()).map(ordered),
            (_, ticks) => ticks.as_long(),
        }
    }

    pub fn to_json(&self) -> String {
        use super::items::array;
        let values = self.pairs.iter().map(|(key, _)| match self.kind {
            Kind::Real => number::json_real(unordered(*key)),
            _ => key.to_string(),
        });
        let parts = [array(values), array(self.pairs.iter().map(|(_, weight)| weight.to_string()))];
        let kind = (self.kind != Kind::Real).then(|| format!("\"{}\"", self.kind));
        array(parts.into_iter().chain(kind))
    }

    fn total(&self) -> f64 {
        self.pairs.iter().map(|(_, weight)| *weight as f64).sum()
    }

    /// The smallest value that so many percent of all weights do not exceed, as JSON text.
    fn percentile(&self, percentile: f64) -> Option<String> {
        let rank = super::aggregates::nearest_rank(self.total(), percentile);
        let mut seen = 0.0;
        let found = self.pairs.iter().find(|(_, weight)| {
            seen += *weight as f64;
            seen >= rank
        });
        let (key, _) = found.or(self.pairs.last())?;
        Some(match self.kind {
            Kind::DateTime => Value::DateTime(*key).to_json(),
            Kind::TimeSpan => Value::TimeSpan(*key).to_json(),
            _ => number::json_real(unordered(*key)),
        })
    }

    /// The weight of all values up to one; none where that is no value of the digest's kind.
    fn rank(&self, value: &Value) -> Option<f64> {
        let most = Self::key(self.kind, value)?;
        Some(self.pairs.iter().filter(|(key, _)| *key <= most).map(|(_, weight)| *weight as f64).sum())
    }
}

/// One intermediate result of all that a row holds; null where there is none.
fn hll_merge(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(json_rows(args, rows, |row| {
        let held = args.iter().filter_map(|column| Hashes::of(Dynamic::of(column, row)?));
        let mut merged = held.reduce(|mut all, more| {
            all.0.extend(more.0);
            all
        })?;
        merged.0.sort_unstable();
        merged.0.dedup();
        merged.0.truncate(Hashes::MOST);
        Some(merged.to_json())
    }))
}

fn tdigest_merge(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(json_rows(args, rows, |row| {
        let held = args.iter().filter_map(|column| Digest::of(Dynamic::of(column, row)?));
        let mut merged = held.reduce(|mut all, more| {
            if all.kind == more.kind {
                all.pairs.extend(more.pairs);
            }
            all
        })?;
        merged.pairs.sort_unstable();
        merged.pairs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        Some(merged.to_json())
    }))
}

/// The percentiles that a row names, one by one or in arrays.
fn wanted(columns: &[Column], row: usize) -> Vec<Option<f64>> {
    let real = |value: &Value| convert::value_to(value, Kind::Real).as_real();
    let of = |column: &Column| match Dynamic::of(column, row).and_then(|array| array.elements()) {
        Some(several) => several.iter().map(real).collect(),
        None => vec![real(&column.value(row))],
    };
    columns.iter().flat_map(of).collect()
}

fn percentiles(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some((digests, columns)) = args.split_first() else { return Ok(Column::nulls(Kind::Dynamic, rows)) };
    Ok(json_rows(args, rows, |row| {
        let digest = Digest::of(Dynamic::of(digests, row)?)?;
        let one = |percentile: Option<f64>| digest.percentile(percentile?);
        let found = wanted(columns, row).into_iter().map(|p| one(p).unwrap_or_else(|| "null".to_owned()));
        Some(super::items::array(found))
    }))
}

crate::scalars! {
    /// The distinct count of an intermediate result that `hll` or `hll_merge` gave.
    ///
    /// Source: dcount-hll-function.
    ///
    /// ```kql
    /// dcount_hll(dynamic([5, 7, 9])) // 3
    /// ```
    kql fn dcount_hll (hll: Dyn) -> Option<i64> { Some(Hashes::of(hll)?.count()) }

    /// A percentile of an intermediate result that `tdigest` or `tdigest_merge` gave.
    ///
    /// Source: percentile-tdigest-function.
    ///
    /// ```kql
    /// percentile_tdigest(dynamic([[1.0, 2.0, 9.0], [1, 1, 1]]), 50) // 2.0
    /// ```
    kql fn percentile_tdigest (tdigest: Dyn, percentile: Real) -> Option<JsonOut> {
        Digest::of(tdigest)?.percentile(percentile).map(JsonOut)
    }

    /// How many of the values of an intermediate result that `tdigest` gave are not larger than a value.
    ///
    /// Source: rank-tdigest-function.
    ///
    /// ```kql
    /// rank_tdigest(dynamic([[1.0, 2.0, 9.0], [1, 1, 1]]), 2) // 2
    /// ```
    kql fn rank_tdigest (tdigest: Dyn, value: Any) -> Option<f64> { Digest::of(tdigest)?.rank(&value) }

    /// How many percent of the values of an intermediate result that `tdigest` gave are not larger than a value.
    ///
    /// Source: percentrank-tdigest-function.
    ///
    /// ```kql
    /// percentrank_tdigest(dynamic([[1.0, 2.0], [1, 1]]), 1) // 50
    /// ```
    kql fn percentrank_tdigest (tdigest: Dyn, value: Any) -> Option<f64> {
        let digest = Digest::of(tdigest)?;
        Some(digest.rank(&value)? / digest.total() * 100.0)
    }
}

crate::kernels! {
    /// Intermediate results of distinct counts, in columns of a row, as one.
    ///
    /// Source: hll-merge-function.
    ///
    /// ```kql
    /// dcount_hll(hll_merge(dynamic([5, 7]), dynamic([7, 9]))) // 3
    /// ```
    kql fn hll_merge (hll[repeats]: Dynamic) -> Kind(Kind::Dynamic) = hll_merge;

    /// Intermediate results of percentiles, in columns of a row, as one.
    ///
    /// Source: merge-tdigest-function.
    ///
    /// ```kql
    /// rank_tdigest(merge_tdigest(dynamic([[1.0, 2.0], [1, 1]]), dynamic([[2.0], [5]])), 2) // 7
    /// ```
    kql fn merge_tdigest as [tdigest_merge] (tdigest[repeats]: Dynamic) -> Kind(Kind::Dynamic) = tdigest_merge;

    /// Several percentiles of an intermediate result that `tdigest` gave, as an array.
    ///
    /// Source: percentile-array-tdigest-function.
    ///
    /// ```kql
    /// percentiles_array_tdigest(dynamic([[1.0, 2.0, 9.0], [1, 1, 1]]), 50, 100) // [2.0,9.0]
    /// percentiles_array_tdigest(dynamic([[1.0, 2.0, 9.0], [1, 1, 1]]), dynamic([0, 50])) // [1.0,2.0]
    /// ```
    kql fn percentiles_array_tdigest as [percentile_array_tdigest] (tdigest: Dynamic, percentile[repeats]: Any) -> Kind(Kind::Dynamic) = percentiles;
}
