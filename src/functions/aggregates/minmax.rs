//! The smallest and the largest value.
use super::{Rows, State, Wire, same};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::compare::order;
use crate::types::vectors::wide;
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Value};
use arrow_array::{Array, Int64Array};
use arrow_buffer::NullBuffer;
use std::any::Any;
use std::cmp::Ordering;

/// Longs, datetimes and timespans: the ticks themselves.
struct Extreme {
    kind: Kind,
    largest: bool,
    best: Vec<i64>,
    seen: Vec<bool>,
}

impl Extreme {
    fn offer(&mut self, group: usize, value: i64) {
        let (best, seen) = (&mut self.best[group], &mut self.seen[group]);
        if !*seen || (value > *best) == self.largest && value != *best {
            *best = value;
            *seen = true;
        }
    }

    /// Values one after the other, of which `better` gives the one to keep.
    fn offer_all(&mut self, groups: &[u32], values: &[i64], better: impl Fn(i64, i64) -> i64) {
        for (group, value) in groups.iter().zip(values) {
            let group = *group as usize;
            if let (Some(best), Some(seen)) = (self.best.get_mut(group), self.seen.get_mut(group)) {
                *best = better(*best, *value);
                *seen = true;
            }
        }
    }

    fn resize(&mut self, count: usize) {
        // What every value is better than.
        self.best.resize(count, if self.largest { i64::MIN } else { i64::MAX });
        self.seen.resize(count, false);
    }
}

impl State for Extreme {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.resize(rows.count);
        let Some(argument) = arguments.first() else { return Ok(()) };
        let values = crate::functions::arithmetic::longs(argument);
        if rows.count == 1 && values.null_count() == 0 {
            if !values.is_empty() {
                self.offer(0, best_of(values.values(), self.largest));
            }
            return Ok(());
        }
        if values.null_count() == 0 {
            match self.largest {
                true => self.offer_all(rows.groups, values.values(), i64::max),
                false => self.offer_all(rows.groups, values.values(), i64::min),
            }
            return Ok(());
        }
        for (row, &group) in rows.groups.iter().enumerate() {
            if values.is_valid(row) {
                self.offer(group as usize, values.value(row));
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.resize(count);
        let other: Extreme = same(other)?;
        for (&group, (value, seen)) in into.iter().zip(other.best.into_iter().zip(other.seen)) {
            if seen {
                self.offer(group as usize, value);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.resize(count);
        self.best.iter_mut().zip(&self.seen).filter(|(_, seen)| !**seen).for_each(|(best, _)| *best = 0);
        let nulls = Some(NullBuffer::from(self.seen)).filter(|n| n.null_count() > 0);
        let values = Int64Array::new(self.best.into(), nulls);
        Ok(match self.kind {
            Kind::DateTime => Column::DateTime(values),
            Kind::TimeSpan => Column::TimeSpan(values),
            Kind::Int => Column::Int(values.iter().map(|v| v.and_then(|v| i32::try_from(v).ok())).collect()),
            Kind::Bool => Column::Bool(values.iter().map(|v| v.map(|v| v != 0)).collect()),
            _ => Column::Long(values),
        })
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn is_small(&self) -> bool {
        true
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for Extreme {
    fn write(&mut self, out: &mut Writer) {
        out.count(self.best.len());
        for (value, seen) in self.best.iter().zip(&self.seen) {
            out.byte(u8::from(*seen));
            out.long(*value);
        }
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        let read = input.each(|input| Ok((input.byte()? != 0, input.long()?)))?;
        (self.seen, self.best) = read.into_iter().unzip();
        Ok(())
    }
}

/// The largest or the smallest of some values.
fn best_of(values: &[i64], largest: bool) -> i64 {
    wide(|| match largest {
        true => values.iter().fold(i64::MIN, |best, value| best.max(*value)),
        false => values.iter().fold(i64::MAX, |best, value| best.min(*value)),
    })
}

/// Any other kind.
struct ExtremeValue {
    kind: Kind,
    largest: bool,
    best: Vec<Option<Value>>,
}

impl ExtremeValue {
    fn offer(&mut self, group: usize, value: Value) {
        let wanted = if self.largest { Ordering::Greater } else { Ordering::Less };
        let best = &mut self.best[group];
        if best.as_ref().is_none_or(|b| order(&value, b) == Some(wanted)) {
            *best = Some(value);
        }
    }
}

impl ExtremeValue {
    /// As [`Self::offer`]; the text is only copied where it is the best so far.
    fn offer_text(&mut self, group: usize, kind: Kind, text: &str) {
        let wanted = if self.largest { Ordering::Greater } else { Ordering::Less };
        let best = &mut self.best[group];
        if best.as_ref().and_then(Value::as_text).is_none_or(|best| text.cmp(best) == wanted) {
            *best = Some(Value::Text(kind, text.into()));
        }
    }
}

impl State for ExtremeValue {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.best.resize(rows.count, None);
        let Some(argument) = arguments.first() else { return Ok(()) };
        if let Column::Text(kind @ (Kind::String | Kind::Guid), text) = argument {
            for (row, &group) in rows.groups.iter().enumerate() {
                if let Some(text) = text.get(row) {
                    self.offer_text(group as usize, *kind, text);
                }
            }
            return Ok(());
        }
        for (row, &group) in rows.groups.iter().enumerate() {
            let value = argument.value(row);
            if !value.is_null() && !matches!(value, Value::Real(r) if r.is_nan()) {
                self.offer(group as usize, value);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.best.resize(count, None);
        let other: ExtremeValue = same(other)?;
        for (&group, value) in into.iter().zip(other.best) {
            if let Some(value) = value {
                self.offer(group as usize, value);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        self.best.resize(count, None);
        let null = Value::null(self.kind);
        Ok(Column::from_values(self.kind, self.best.iter().map(|v| v.as_ref().unwrap_or(&null))))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn is_small(&self) -> bool {
        true
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for ExtremeValue {
    fn write(&mut self, out: &mut Writer) {
        let null = Value::Null(self.kind);
        out.column(&Column::from_values(self.kind, self.best.iter().map(|best| best.as_ref().unwrap_or(&null))));
        out.count(self.best.len());
        self.best.iter().for_each(|best| out.byte(u8::from(best.is_some())));
    }

    fn read(&mut self, input: &mut Reader, _: usize) -> Result<()> {
        let values = input.column()?;
        let seen = input.each(Reader::byte)?;
        self.best = values.values().zip(seen).map(|(value, seen)| (seen != 0).then_some(value)).collect();
        Ok(())
    }
}

fn extreme(kinds: &[Kind], largest: bool) -> Result<Box<dyn State>> {
    let kind = kinds.first().copied().unwrap_or(Kind::Dynamic);
    Ok(match kind {
        Kind::Bool | Kind::Int | Kind::Long | Kind::DateTime | Kind::TimeSpan => {
            Box::new(Extreme { kind, largest, best: Vec::new(), seen: Vec::new() })
        }
        _ => Box::new(ExtremeValue { kind, largest, best: Vec::new() }),
    })
}

fn min(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    extreme(kinds, false)
}

fn max(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    extreme(kinds, true)
}

crate::aggregates! {
    /// The smallest value; nulls are passed over, and null where there is no other.
    ///
    /// Source: min-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize min(x) // 1
    /// ```
    kql Free cheap fn min called "min" (value: Any) -> Argument(0) = min;

    /// The largest value; nulls are passed over, and null where there is no other.
    ///
    /// Source: max-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | summarize max(x) // 3
    /// ```
    kql Free cheap fn max called "max" (value: Any) -> Argument(0) = max;
}
