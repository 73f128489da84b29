//! Intermediate results that are kept in columns and merged later: of distinct counts and of percentiles.
//!
//! Their form is our own: a count is kept as the smallest hashes of its values, percentiles as values with weights.
use super::State;
use super::arg::{ordered, unordered};
use super::fold::{Fold, Folded};
use crate::diagnostic::{Fault, Result};
use crate::functions::sketch::{Digest, Hashes};
use crate::types::{Builder, Column, Dynamic, Kind, Value, convert};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

const HASHER: FixedState = FixedState::with_seed(11);

/// The smallest hashes of the values.
#[derive(Clone, Default)]
struct Distinct(BTreeSet<u64>);

impl Distinct {
    fn add(&mut self, hashes: impl IntoIterator<Item = u64>) {
        for hash in hashes {
            self.0.insert(hash);
            if self.0.len() > Hashes::MOST {
                self.0.pop_last();
            }
        }
    }

    fn write(&self, out: &mut Builder) {
        out.push_text(&Hashes(self.0.iter().copied().collect()).to_json());
    }
}

#[derive(Clone, Default)]
struct Values(Distinct);

impl Fold for Values {
    fn take(&mut self, arguments: &[Column], row: usize) {
        if let Some(value) = arguments.first().map(|argument| argument.value(row)).filter(|value| !value.is_null()) {
            self.0.add([HASHER.hash_one(value.to_json())]);
        }
    }

    fn join(&mut self, other: Self) {
        self.0.add(other.0.0);
    }
}

#[derive(Clone, Default)]
struct Counts(Distinct);

impl Fold for Counts {
    fn take(&mut self, arguments: &[Column], row: usize) {
        let hashes = arguments.first().and_then(|argument| Hashes::of(Dynamic::of(argument, row)?));
        self.0.add(hashes.into_iter().flat_map(|hashes| hashes.0));
    }

    fn join(&mut self, other: Self) {
        self.0.add(other.0.0);
    }
}

/// How often each number occurs.
#[derive(Clone, Default)]
struct Weights(BTreeMap<i64, u64>);

impl Weights {
    fn add(&mut self, value: f64, weight: u64) {
        let known = self.0.entry(ordered(value)).or_default();
        *known = known.saturating_add(weight);
    }

    fn write(&self, out: &mut Builder) {
        let values = self.0.iter().map(|(key, weight)| (unordered(*key), *weight)).collect();
        out.push_text(&Digest(values).to_json());
    }
}

#[derive(Clone, Default)]
struct Numbers(Weights);

impl Fold for Numbers {
    fn take(&mut self, arguments: &[Column], row: usize) {
        let value = arguments.first().and_then(|a| convert::value_to(&a.value(row), Kind::Real).as_real());
        let weight = arguments.get(1).map_or(Some(1), |a| u64::try_from(a.value(row).as_long()?).ok());
        if let (Some(value), Some(weight @ 1..)) = (value.filter(|value| !value.is_nan()), weight) {
            self.0.add(value, weight);
        }
    }

    fn join(&mut self, other: Self) {
        other.0.0.iter().for_each(|(key, weight)| self.0.add(unordered(*key), *weight));
    }
}

#[derive(Clone, Default)]
struct Digests(Weights);

impl Fold for Digests {
    fn take(&mut self, arguments: &[Column], row: usize) {
        let digest = arguments.first().and_then(|argument| Digest::of(Dynamic::of(argument, row)?));
        digest.into_iter().flat_map(|digest| digest.0).for_each(|(value, weight)| self.0.add(value, weight));
    }

    fn join(&mut self, other: Self) {
        other.0.0.iter().for_each(|(key, weight)| self.0.add(unordered(*key), *weight));
    }
}

fn hll(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Values>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
}

fn hll_merge(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Counts>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
}

fn tdigest(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    match kinds.first() {
        Some(Kind::DateTime | Kind::TimeSpan) => {
            Err(Fault::query("HP113", "tdigest() of datetimes and timespans is not supported yet")
                .help("use percentile(), which takes them"))
        }
        _ => Ok(Folded::<Numbers>::boxed(Kind::Dynamic, |state, out| state.0.write(out))),
    }
}

fn tdigest_merge(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Digests>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
}

crate::aggregates! {
    /// The intermediate result of a distinct count, for `dcount_hll` and `hll_merge`. Its form is not Kusto's.
    ///
    /// Source: hll-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize h = hll(x % 3) | project dcount_hll(h) // 3
    /// ```
    kql Free costly fn hll called "hll" (value: Any, accuracy[optional]: Integer) -> Kind(Kind::Dynamic) = hll;

    /// Intermediate results of distinct counts as one.
    ///
    /// Source: hll-merge-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize h = hll(x) by x % 3 | summarize h = hll_merge(h) | project dcount_hll(h) // 9
    /// ```
    kql Free costly fn hll_merge called "hll_merge" (hll: Dynamic) -> Kind(Kind::Dynamic) = hll_merge;

    /// The intermediate result of percentiles of numbers, for `percentile_tdigest` and `tdigest_merge`. Its form is
    /// not Kusto's.
    ///
    /// Source: tdigest-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 1000 step 1 | summarize t = tdigest(x) | project rank_tdigest(t, 685) // 685
    /// ```
    kql Free costly fn tdigest called "tdigest" (value: Summable, weight[optional]: Integer) -> Kind(Kind::Dynamic) = tdigest;

    /// Intermediate results of percentiles as one.
    ///
    /// Source: tdigest-merge-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize t = tdigest(x) by x % 3 | summarize t = tdigest_merge(t) | project rank_tdigest(t, 4) // 4
    /// ```
    kql Free costly fn tdigest_merge as [merge_tdigest] called "merge_tdigests" (tdigest: Dynamic) -> Kind(Kind::Dynamic) = tdigest_merge;
}
