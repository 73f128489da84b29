//! Intermediate results that are kept in columns and merged later: of distinct counts and of percentiles.
//!
//! Their form is our own: a count is kept as the smallest hashes of its values, percentiles as values with weights.
use super::State;
use super::fold::{Fold, Folded};
use crate::diagnostic::Result;
use crate::functions::sketch::{Digest, Hashes};
use crate::types::wire::{Reader, Writer};
use crate::types::{Builder, Column, Dynamic, Kind, Value};
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

    fn send(&self, out: &mut Writer) {
        out.count(self.0.len());
        self.0.iter().for_each(|hash| out.long(*hash as i64));
    }

    fn receive(input: &mut Reader) -> Result<Distinct> {
        Ok(Distinct(input.each(Reader::long)?.into_iter().map(|hash| hash as u64).collect()))
    }

    /// The hashes; null where there was no value.
    fn write(&self, out: &mut Builder) {
        match self.0.is_empty() {
            true => out.push_null(),
            false => out.push_text(&Hashes(self.0.iter().copied().collect()).to_json()),
        }
    }
}

#[derive(Clone, Default)]
struct Values(Distinct);

impl Fold for Values {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        self.0.send(out);
    }

    fn read(input: &mut Reader) -> Result<Self> {
        Ok(Values(Distinct::receive(input)?))
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        if let Some(value) = arguments.first().map(|argument| argument.value(row)).filter(|value| !value.is_null()) {
            self.0.add([HASHER.hash_one(value.to_json())]);
        }
    }

    fn join(&mut self, other: Self) {
        self.0.add(other.0.0);
    }

    fn size(&self) -> usize {
        self.0.0.len()
    }
}

#[derive(Clone, Default)]
struct Counts(Distinct);

impl Fold for Counts {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        self.0.send(out);
    }

    fn read(input: &mut Reader) -> Result<Self> {
        Ok(Counts(Distinct::receive(input)?))
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        let hashes = arguments.first().and_then(|argument| Hashes::of(Dynamic::of(argument, row)?));
        self.0.add(hashes.into_iter().flat_map(|hashes| hashes.0));
    }

    fn join(&mut self, other: Self) {
        self.0.add(other.0.0);
    }

    fn size(&self) -> usize {
        self.0.0.len()
    }
}

/// How often each value occurs, all of them of one kind.
#[derive(Clone, Default)]
struct Weights {
    kind: Option<Kind>,
    values: BTreeMap<i64, u64>,
}

impl Weights {
    /// Takes in values of a kind; those of another kind than the first are passed over.
    fn add(&mut self, kind: Kind, values: impl IntoIterator<Item = (i64, u64)>) {
        if *self.kind.get_or_insert(kind) != kind {
            return;
        }
        for (key, weight) in values {
            let known = self.values.entry(key).or_default();
            *known = known.saturating_add(weight);
        }
    }

    fn join(&mut self, other: Weights) {
        if let Some(kind) = other.kind {
            self.add(kind, other.values);
        }
    }

    fn send(&self, out: &mut Writer) {
        out.text(self.kind.map_or("", Kind::name));
        out.count(self.values.len());
        for (key, weight) in &self.values {
            out.long(*key);
            out.long(*weight as i64);
        }
    }

    fn receive(input: &mut Reader) -> Result<Weights> {
        let kind = Kind::parse(input.text()?);
        let values = input.each(|input| Ok((input.long()?, input.long()? as u64)))?;
        Ok(Weights { kind, values: values.into_iter().collect() })
    }

    /// The values with their weights; null where there was none.
    fn write(&self, out: &mut Builder) {
        if self.values.is_empty() {
            return out.push_null();
        }
        let pairs = self.values.iter().map(|(key, weight)| (*key, *weight)).collect();
        out.push_text(&Digest { kind: self.kind.unwrap_or(Kind::Real), pairs }.to_json());
    }
}

#[derive(Clone, Default)]
struct Numbers(Weights);

impl Fold for Numbers {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        self.0.send(out);
    }

    fn read(input: &mut Reader) -> Result<Self> {
        Ok(Numbers(Weights::receive(input)?))
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        let Some(argument) = arguments.first() else { return };
        let kind = match argument.kind() {
            kind @ (Kind::DateTime | Kind::TimeSpan) => kind,
            _ => Kind::Real,
        };
        let key = Digest::key(kind, &argument.value(row));
        let weight = arguments.get(1).map_or(Some(1), |a| u64::try_from(a.value(row).as_long()?).ok());
        if let (Some(key), Some(weight @ 1..)) = (key, weight) {
            self.0.add(kind, [(key, weight)]);
        }
    }

    fn join(&mut self, other: Self) {
        self.0.join(other.0);
    }

    fn size(&self) -> usize {
        self.0.values.len()
    }
}

#[derive(Clone, Default)]
struct Digests(Weights);

impl Fold for Digests {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        self.0.send(out);
    }

    fn read(input: &mut Reader) -> Result<Self> {
        Ok(Digests(Weights::receive(input)?))
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        let digest = arguments.first().and_then(|argument| Digest::of(Dynamic::of(argument, row)?));
        if let Some(digest) = digest.filter(|digest| !digest.pairs.is_empty()) {
            self.0.add(digest.kind, digest.pairs);
        }
    }

    fn join(&mut self, other: Self) {
        self.0.join(other.0);
    }

    fn size(&self) -> usize {
        self.0.values.len()
    }
}

fn hll(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Values>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
}

fn hll_merge(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Counts>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
}

fn tdigest(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Numbers>::boxed(Kind::Dynamic, |state, out| state.0.write(out)))
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

    /// The intermediate result of percentiles, for `percentile_tdigest` and `tdigest_merge`. Its form is not Kusto's.
    ///
    /// Numbers, datetimes and timespans are taken; a second argument is each value's weight.
    ///
    /// Source: tdigest-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 1000 step 1 | summarize t = tdigest(x) | project rank_tdigest(t, 685) // 685
    /// range x from 1 to 9 step 1 | summarize t = tdigest(x * 1d) | project percentile_tdigest(t, 50, typeof(timespan)) // 5.00:00:00
    /// ```
    kql Free costly fn tdigest called "tdigest" (value: Ordered, weight[optional]: Integer) -> Kind(Kind::Dynamic) = tdigest;

    /// Intermediate results of percentiles as one.
    ///
    /// Source: tdigest-merge-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize t = tdigest(x) by x % 3 | summarize t = tdigest_merge(t) | project rank_tdigest(t, 4) // 4
    /// ```
    kql Free costly fn tdigest_merge as [merge_tdigest] called "merge_tdigests" (tdigest: Dynamic) -> Kind(Kind::Dynamic) = tdigest_merge;
}
