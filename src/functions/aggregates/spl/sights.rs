//! The value at one row of a group: the first or the last in the order of rows, or of times.
use super::super::held::{Held, Place};
use super::super::{Rows, State, same};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::{Column, Kind, Value, field};
use std::any::Any;

/// The best row of a group so far.
#[derive(Clone, Copy)]
struct Sight {
    time: Number,
    ordinal: u64,
    place: Place,
}

/// Which row is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    First,
    Last,
    /// Of equal times the last row: events come newest first.
    Earliest,
    /// Of equal times the first row.
    Latest,
}

impl Wanted {
    fn by_time(self) -> bool {
        matches!(self, Wanted::Earliest | Wanted::Latest)
    }

    /// `stored`: whether rows come as they were stored, the newest last.
    fn better(self, stored: bool, offered: &Sight, known: &Sight) -> bool {
        let by_time = offered.time.order(known.time);
        let by_row = offered.ordinal.cmp(&known.ordinal);
        let newer = if stored { by_row } else { by_row.reverse() };
        match self {
            Wanted::First => by_row.is_lt(),
            Wanted::Last => by_row.is_gt(),
            Wanted::Earliest => by_time.is_some_and(|order| order.then(newer).is_lt()),
            Wanted::Latest => by_time.is_some_and(|order| order.then(newer).is_gt()),
        }
    }
}

/// The best rows of all groups.
struct Sights {
    wanted: Wanted,
    stored: bool,
    held: Held,
    best: Vec<Option<Sight>>,
}

impl Sights {
    fn new(wanted: Wanted, stored: bool) -> Sights {
        Sights { wanted, stored, held: Held::default(), best: Vec::new() }
    }

    fn offer(&mut self, group: usize, offered: Sight) {
        if let Some(known) = self.best.get_mut(group)
            && known.as_ref().is_none_or(|known| self.wanted.better(self.stored, &offered, known))
        {
            *known = Some(offered);
        }
    }

    fn update(&mut self, rows: &Rows, arguments: &[Column]) {
        self.best.resize(rows.count, None);
        let Some(value) = arguments.first() else { return };
        let times = arguments.get(1).filter(|_| self.wanted.by_time()).map(Numbers::of);
        let piece = self.held.add(value);
        for (row, (&group, &ordinal)) in rows.groups.iter().zip(rows.ordinals.iter()).enumerate() {
            let time = match &times {
                Some(times) => times.get(row),
                None => (!self.wanted.by_time()).then_some(Number::Long(0)),
            };
            if let Some(time) = time.filter(|_| !value.is_null(row)) {
                self.offer(group as usize, Sight { time, ordinal, place: (piece, row as u32) });
            }
        }
        self.shrink();
    }

    /// Lets go of the rows that have been beaten.
    fn shrink(&mut self) {
        self.held.shrink(self.best.len(), self.best.iter_mut().flatten().map(|best| &mut best.place));
    }

    fn merge(&mut self, other: Sights, into: &[u32], count: usize) {
        self.best.resize(count, None);
        let first = self.held.absorb(other.held);
        for (&group, best) in into.iter().zip(other.best) {
            if let Some(sight) = best {
                self.offer(group as usize, Sight { place: (sight.place.0 + first, sight.place.1), ..sight });
            }
        }
        self.shrink();
    }

    fn times(&self, count: usize) -> Column {
        let mut builder = FieldBuilder::new(None, count);
        for group in 0..count {
            match self.best.get(group).copied().flatten() {
                Some(sight) => builder.push_number(sight.time),
                None => builder.push_null(),
            }
        }
        builder.finish()
    }

    fn values(self, count: usize) -> Column {
        let mut places: Vec<Option<Place>> = self.best.iter().map(|best| best.map(|sight| sight.place)).collect();
        places.resize(count, None);
        self.held.column_or_null(Kind::Field, &places)
    }
}

/// The value, or its time.
struct Picked {
    sights: Sights,
    time: bool,
}

impl State for Picked {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.sights.update(rows, arguments);
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        let other: Picked = same(other)?;
        self.sights.merge(other.sights, into, count);
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        Ok(if self.time { self.sights.times(count) } else { self.sights.values(count) })
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// How much a number grows in a second, from its earliest to its latest value.
struct Rate {
    earliest: Sights,
    latest: Sights,
}

impl State for Rate {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.earliest.update(rows, arguments);
        self.latest.update(rows, arguments);
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        let other: Rate = same(other)?;
        self.earliest.merge(other.earliest, into, count);
        self.latest.merge(other.latest, into, count);
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        let times = (self.earliest.times(count), self.latest.times(count));
        let values = (self.earliest.values(count), self.latest.values(count));
        let mut builder = FieldBuilder::new(None, count);
        let grown = |columns: &(Column, Column), row: usize| {
            Some(field::number(&columns.1, row)?.real() - field::number(&columns.0, row)?.real())
        };
        for group in 0..count {
            match grown(&values, group).zip(grown(&times, group).filter(|seconds| *seconds > 0.0)) {
                Some((change, seconds)) => builder.push_number(Number::Real(change / seconds)),
                None => builder.push_null(),
            }
        }
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Whether the constants say that rows come as they were stored.
fn stored(constants: &[Option<Value>]) -> bool {
    constants.get(2).is_some_and(|told| told.as_ref().and_then(Value::as_bool) == Some(true))
}

fn picked(wanted: Wanted, stored: bool, time: bool) -> Result<Box<dyn State>> {
    Ok(Box::new(Picked { sights: Sights::new(wanted, stored), time }))
}

fn first(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::First, false, false)
}

fn last(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::Last, false, false)
}

fn earliest(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::Earliest, stored(constants), false)
}

fn latest(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::Latest, stored(constants), false)
}

fn earliest_time(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::Earliest, stored(constants), true)
}

fn latest_time(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    picked(Wanted::Latest, stored(constants), true)
}

fn rate(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    let sights = |wanted| Sights::new(wanted, stored(constants));
    Ok(Box::new(Rate { earliest: sights(Wanted::Earliest), latest: sights(Wanted::Latest) }))
}

crate::aggregates! {
    /// The value of the first row that has one: of events, the newest.
    ///
    /// Source: Splunk Search Reference, event order functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval n=5 | stats first(n) // 5
    /// ```
    spl Rows cheap fn first (value: Any) -> Kind(Kind::Field) = first;

    /// The value of the last row that has one: of events, the oldest.
    ///
    /// Source: Splunk Search Reference, event order functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval n=5 | stats last(n) // 5
    /// ```
    spl Rows cheap fn last (value: Any) -> Kind(Kind::Field) = last;

    /// The value of the row with the earliest `_time`.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval _time=10, n=5 | stats earliest(n) // 5
    /// ```
    spl Rows cheap fn earliest (value: Any, time: Any, stored[optional]: Any) -> Kind(Kind::Field) = earliest;

    /// The value of the row with the latest `_time`.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval _time=10, n=5 | stats latest(n) // 5
    /// ```
    spl Rows cheap fn latest (value: Any, time: Any, stored[optional]: Any) -> Kind(Kind::Field) = latest;

    /// The `_time` of the earliest row that has a value.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval _time=10, n=5 | stats earliest_time(n) // 10
    /// ```
    spl Rows cheap fn earliest_time (value: Any, time: Any, stored[optional]: Any) -> Kind(Kind::Field) = earliest_time;

    /// The `_time` of the latest row that has a value.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval _time=10, n=5 | stats latest_time(n) // 10
    /// ```
    spl Rows cheap fn latest_time (value: Any, time: Any, stored[optional]: Any) -> Kind(Kind::Field) = latest_time;

    /// How much a number grows in a second, from its earliest to its latest value.
    ///
    /// Source: Splunk Search Reference, time functions.
    ///
    /// ```spl
    /// | makeresults count=3 | eval n=5 | stats count, rate(n) as r | fields count // 3
    /// ```
    spl Rows cheap fn rate (value: Any, time: Any, stored[optional]: Any) -> Kind(Kind::Field) = rate;
}
