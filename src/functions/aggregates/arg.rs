//! The value at one row of a group: the row with the largest or the smallest key, or the first one.
use super::held::{Held, Place};
use super::{Rows, State, Wire, same};
use crate::diagnostic::Result;
use crate::functions::{Context, arithmetic, compare};
use crate::types::wire::{Reader, Writer, cut_off};
use crate::types::{Column, Kind, Value};
use arrow_array::Array;
use std::any::Any;
use std::cmp::Ordering;

/// What the rows of a group are ranked by.
trait Key: Clone + Send + 'static {
    fn compare(&self, other: &Self) -> Ordering;

    /// The key as a value that travels, and back.
    fn value(&self) -> Value;
    fn of(value: Value) -> Option<Self>;
}

impl Key for i64 {
    #[inline]
    fn compare(&self, other: &i64) -> Ordering {
        self.cmp(other)
    }

    fn value(&self) -> Value {
        Value::Long(*self)
    }

    fn of(value: Value) -> Option<i64> {
        value.as_long()
    }
}

impl Key for Value {
    fn compare(&self, other: &Value) -> Ordering {
        compare::order(self, other).unwrap_or(Ordering::Equal)
    }

    fn value(&self) -> Value {
        self.clone()
    }

    fn of(value: Value) -> Option<Value> {
        (!value.is_null()).then_some(value)
    }
}

/// The best row of a group so far. A row whose key is null is worse than any other.
#[derive(Clone)]
struct Best<K> {
    key: Option<K>,
    ordinal: u64,
    place: Place,
}

impl<K: Key> Best<K> {
    fn beats(&self, known: &Best<K>, wanted: Ordering) -> bool {
        let better = match (&self.key, &known.key) {
            (Some(own), Some(theirs)) => own.compare(theirs),
            (own, theirs) => return (own.is_some(), known.ordinal) > (theirs.is_some(), self.ordinal),
        };
        better == wanted || (better.is_eq() && self.ordinal < known.ordinal)
    }
}

/// The keys of an argument, null and NaN as none.
type Keys<K> = fn(&Column) -> Box<dyn Fn(usize) -> Option<K> + '_>;

struct Arg<K> {
    /// The kind of the result and the argument that holds it.
    kind: Kind,
    output: usize,
    wanted: Ordering,
    /// The kind of the keys, and how they are read.
    ranks: Kind,
    keys: Keys<K>,
    held: Held,
    best: Vec<Option<Best<K>>>,
}

impl<K: Key> Arg<K> {
    #[inline]
    fn offer(&mut self, group: usize, offered: Best<K>) {
        if let Some(known) = self.best.get_mut(group)
            && known.as_ref().is_none_or(|known| offered.beats(known, self.wanted))
        {
            *known = Some(offered);
        }
    }

    /// Lets go of the rows that have been beaten.
    fn shrink(&mut self) {
        self.held.shrink(self.best.len(), self.best.iter_mut().flatten().map(|best| &mut best.place));
    }
}

impl<K: Key> State for Arg<K> {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.best.resize(rows.count, None);
        let (Some(order), Some(output)) = (arguments.first(), arguments.get(self.output)) else { return Ok(()) };
        let piece = self.held.add(output);
        let key = (self.keys)(order);
        for (row, (&group, &ordinal)) in rows.groups.iter().zip(rows.ordinals.iter()).enumerate() {
            self.offer(group as usize, Best { key: key(row), ordinal, place: (piece, row as u32) });
        }
        drop(key);
        self.shrink();
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.best.resize(count, None);
        let other: Arg<K> = same(other)?;
        let first = self.held.absorb(other.held);
        for (&group, best) in into.iter().zip(other.best) {
            if let Some(mut best) = best {
                best.place.0 += first;
                self.offer(group as usize, best);
            }
        }
        self.shrink();
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.best.resize(count, None);
        let places: Vec<Option<Place>> = self.best.iter().map(|best| Some(best.as_ref()?.place)).collect();
        Ok(self.held.column_or_null(self.kind, &places))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        self.best.len() * size_of::<Best<K>>() + self.held.bytes()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        (self.kind != Kind::Field).then_some(self)
    }
}

impl<K: Key> Wire for Arg<K> {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.best.len());
        for best in &self.best {
            out.byte(u8::from(best.is_some()));
            out.long(best.as_ref().map_or(0, |best| best.ordinal).cast_signed());
        }
        let found = || self.best.iter().flatten();
        let keys: Vec<Value> =
            found().map(|best| best.key.as_ref().map_or(Value::Null(self.ranks), Key::value)).collect();
        let places: Vec<Place> = found().map(|best| best.place).collect();
        out.column(&Column::from_values(self.ranks, &keys));
        out.column(&self.held.column(&places).unwrap_or_else(|| Column::nulls(self.kind, 0)));
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        let ordinals = input.each(|input| Ok((input.byte()? != 0).then_some(input.long()?.cast_unsigned())))?;
        let (keys, values) = (input.column()?, input.column()?);
        let found = ordinals.iter().flatten().count();
        if (keys.len(), values.len()) != (found, found) {
            return Err(cut_off());
        }
        let piece = self.held.add(&values);
        let mut rows = 0..;
        let mut best = |ordinal| {
            let row: u32 = rows.next()?;
            Some(Best { key: K::of(keys.value(row as usize)), ordinal, place: (piece, row) })
        };
        self.best = ordinals.into_iter().map(|ordinal| best(ordinal?)).collect();
        Ok(())
    }
}

/// Integers and ticks.
fn whole(order: &Column) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    let keys = arithmetic::longs(order);
    Box::new(move |row| keys.is_valid(row).then(|| keys.value(row)))
}

/// Reals as integers of the same order.
fn real(order: &Column) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    let keys = arithmetic::reals(order);
    let usable = move |row: usize| keys.is_valid(row).then(|| keys.value(row)).filter(|key| !key.is_nan());
    Box::new(move |row| usable(row).map(ordered))
}

/// An integer that orders as the real does; both zeros are one.
pub(in crate::functions) fn ordered(real: f64) -> i64 {
    let bits = (real + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The real that [`ordered`] made an integer of.
pub(in crate::functions) fn unordered(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

fn any_value(order: &Column) -> Box<dyn Fn(usize) -> Option<Value> + '_> {
    Box::new(|row| Some(order.value(row)).filter(|key| !key.is_null()))
}

fn arg(kinds: &[Kind], wanted: Ordering) -> Result<Box<dyn State>> {
    let output = kinds.len().saturating_sub(1).min(1);
    let kind = kinds.get(output).copied().unwrap_or(Kind::Dynamic);
    Ok(match kinds.first() {
        Some(Kind::Bool | Kind::Int | Kind::Long | Kind::DateTime | Kind::TimeSpan) => Box::new(Arg {
            kind,
            output,
            wanted,
            ranks: Kind::Long,
            keys: whole,
            held: Held::default(),
            best: Vec::new(),
        }),
        Some(Kind::Real) => Box::new(Arg {
            kind,
            output,
            wanted,
            ranks: Kind::Long,
            keys: real,
            held: Held::default(),
            best: Vec::new(),
        }),
        ranks => Box::new(Arg {
            kind,
            output,
            wanted,
            ranks: ranks.copied().unwrap_or(Kind::Dynamic),
            keys: any_value,
            held: Held::default(),
            best: Vec::new(),
        }),
    })
}

fn arg_max(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    arg(kinds, Ordering::Greater)
}

fn arg_min(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    arg(kinds, Ordering::Less)
}

/// A value that is not null and not empty is preferred.
fn filled(order: &Column) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    Box::new(|row| (!order.is_null(row) && order.text(row) != Some("")).then_some(0))
}

/// Every row is as good as any other: the first one is taken.
fn alike(_: &Column) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    Box::new(|_| Some(0))
}

fn take_any(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    let kind = kinds.first().copied().unwrap_or(Kind::Dynamic);
    let keys = if kinds.len() > 1 { alike } else { filled };
    let ranks = Kind::Long;
    Ok(Box::new(Arg {
        kind,
        output: 0,
        wanted: Ordering::Greater,
        ranks,
        keys,
        held: Held::default(),
        best: Vec::new(),
    }))
}

fn output_kind(kinds: &[Kind]) -> Kind {
    kinds.get(1).or(kinds.first()).copied().unwrap_or(Kind::Dynamic)
}

crate::aggregates! {
    /// The value of `output` in the row whose `order` is the largest (the largest `order` itself where no output is
    /// named): the first of such rows. Rows where `order` is null count only when there are no others.
    ///
    /// Source: arg-max-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize arg_max(x) // 3
    /// range x from 1 to 3 step 1 | extend y = x * 10 | summarize arg_max(x, y) | project y // 30
    /// ```
    kql Rows cheap fn arg_max (order: Any, output[any]: Any) -> Of(output_kind) = arg_max;

    /// The value of `output` in the row whose `order` is the smallest (the smallest `order` itself where no output is
    /// named): the first of such rows. Rows where `order` is null count only when there are no others.
    ///
    /// Source: arg-min-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | extend y = x * 10 | summarize arg_min(x, y) | project y // 10
    /// ```
    kql Rows cheap fn arg_min (order: Any, output[any]: Any) -> Of(output_kind) = arg_min;

    /// The deprecated spelling of `arg_max`, whose columns are named `max_…`.
    ///
    /// Source: arg-max-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize argmax(x) // 3
    /// ```
    kql Rows cheap fn argmax called "max" (order: Any, output[any]: Any) -> Of(output_kind) = arg_max;

    /// The deprecated spelling of `arg_min`, whose columns are named `min_…`.
    ///
    /// Source: arg-min-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize argmin(x) // 1
    /// ```
    kql Rows cheap fn argmin called "min" (order: Any, output[any]: Any) -> Of(output_kind) = arg_min;

    /// The value of some row of the group: the first that is neither null nor empty. Given more arguments, that of
    /// the group's first row, so that the values of several columns are of one row.
    ///
    /// Source: take-any-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize take_any(x) // 1
    /// ```
    kql Rows cheap fn take_any (value: Any, more[any]: Any) -> Argument(0) = take_any;

    /// The deprecated spelling of `take_any`, whose columns are named `any_…`.
    ///
    /// Source: take-any-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize any(x) // 1
    /// ```
    kql Rows cheap fn any called "any" (value: Any, more[any]: Any) -> Argument(0) = take_any;
}
