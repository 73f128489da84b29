//! The number of distinct values of a group.
//!
//! Pairs of group and value are only noted as rows come in, and told apart by group at the end: with many
//! groups that is far cheaper than a hash of all pairs.
use super::distinct_numbers::DistinctNumbers;
use super::distinct_texts::DistinctTexts;
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::intern::{Interner, NULL};
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Text, Value};
use std::any::Any;

struct DistinctCount {
    kind: Kind,
    /// The values of a single group, while they are numbers, or texts of no dictionary.
    apart: Option<Apart>,
    values: Interner,
    noted: Vec<(u32, u32)>,
    /// Pairs seen lately: with few groups nearly every row is one of them.
    recent: Box<[(u32, u32); RECENT]>,
    /// The values of a single group, by their numbers.
    only: Vec<bool>,
    /// How many pairs may be noted before doubles are thrown out.
    room: usize,
}

/// Values of a single group that need no numbers of their own to be counted.
enum Apart {
    Texts(DistinctTexts),
    Numbers(DistinctNumbers),
}

impl Apart {
    fn new(kind: Kind) -> Apart {
        match kind.is_textual() {
            true => Apart::Texts(DistinctTexts::new(kind)),
            false => Apart::Numbers(DistinctNumbers::new(kind)),
        }
    }

    /// Whether the column's values could be taken.
    fn add(&mut self, column: &Column) -> bool {
        match (self, column) {
            (Apart::Texts(texts), Column::Text(_, Text::Views(views))) => {
                texts.add(views);
                true
            }
            (Apart::Texts(_), _) => false,
            (Apart::Numbers(numbers), column) => numbers.add(column),
        }
    }

    /// Gives the other back where it is of another sort.
    fn join(&mut self, other: Apart) -> Option<Apart> {
        match (self, other) {
            (Apart::Texts(own), Apart::Texts(theirs)) => own.join(theirs),
            (Apart::Numbers(own), Apart::Numbers(theirs)) => own.join(theirs),
            (_, other) => return Some(other),
        }
        None
    }

    /// No more than so many values are held, doubles included.
    fn held(&self) -> usize {
        match self {
            Apart::Texts(texts) => texts.held(),
            Apart::Numbers(numbers) => numbers.held(),
        }
    }

    fn exceeds(&mut self, limit: usize) -> bool {
        self.held() > limit && self.count() > limit
    }

    fn count(&mut self) -> usize {
        match self {
            Apart::Texts(texts) => texts.count(),
            Apart::Numbers(numbers) => numbers.count(),
        }
    }

    fn column(self) -> Column {
        match self {
            Apart::Texts(texts) => texts.column(),
            Apart::Numbers(numbers) => numbers.column(),
        }
    }
}

const RECENT: usize = 4096;
const ROOM: usize = 1 << 20;

impl DistinctCount {
    fn new(kind: Kind) -> DistinctCount {
        DistinctCount {
            kind,
            apart: None,
            values: Interner::new(kind),
            noted: Vec::new(),
            recent: Box::new([(NULL, NULL); RECENT]),
            only: Vec::new(),
            room: ROOM,
        }
    }

    fn mark(&mut self, number: u32) {
        if number as usize >= self.only.len() {
            self.only.resize(self.values.len().max(number as usize + 1), false);
        }
        self.only[number as usize] = true;
    }

    /// Whether nothing was noted yet but values of a single group that are told apart.
    fn is_apart(&self) -> bool {
        self.values.is_empty() && self.noted.is_empty()
    }

    /// Other values or groups follow: what was told apart becomes values as any others.
    fn number(&mut self) {
        if let Some(apart) = self.apart.take() {
            self.values.numbers(&apart.column()).into_iter().for_each(|number| self.mark(number));
        }
    }

    /// More groups than one: what was marked becomes pairs.
    fn spread(&mut self) {
        let only = std::mem::take(&mut self.only);
        let marked = only.iter().enumerate().filter(|(_, seen)| **seen);
        self.noted.extend(marked.map(|(number, _)| (0, number as u32)));
    }

    #[inline]
    fn note(&mut self, group: u32, value: u32) {
        let slot = group.wrapping_mul(0x9E37_79B1) ^ value.wrapping_mul(0x85EB_CA77);
        let recent = &mut self.recent[(slot >> 20) as usize % RECENT];
        if *recent != (group, value) {
            *recent = (group, value);
            self.noted.push((group, value));
        }
    }

    /// Throws out doubles where much was noted; what is left may grow to twice its size.
    fn bounded(&mut self, groups: usize, context: &Context) -> Result<()> {
        if self.noted.len() < self.room {
            return Ok(());
        }
        let (starts, values) = by_group(&self.noted, groups);
        self.noted.clear();
        for (group, window) in starts.windows(2).enumerate() {
            let own = &values[window[0] as usize..window[1] as usize];
            self.noted.extend(own.iter().filter(|v| **v != NULL).map(|v| (group as u32, *v)));
        }
        self.room = (self.noted.len() * 2).max(ROOM);
        match self.noted.len() > context.limits.values {
            true => Err(Fault::limit("values", "too many distinct values in one aggregate")),
            false => Ok(()),
        }
    }
}

/// The distinct values of each group, sorted, between its starts; doubles are [`NULL`] at the end of its part.
fn by_group(pairs: &[(u32, u32)], groups: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; groups + 1];
    pairs.iter().for_each(|(group, _)| starts[*group as usize + 1] += 1);
    (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
    let mut next = starts.clone();
    let mut values = vec![NULL; pairs.len()];
    for (group, value) in pairs {
        let place = &mut next[*group as usize];
        values[*place as usize] = *value;
        *place += 1;
    }
    for window in starts.windows(2) {
        distinct_first(&mut values[window[0] as usize..window[1] as usize]);
    }
    (starts, values)
}

/// Sorts, keeps one of each, and fills up with [`NULL`].
fn distinct_first(values: &mut [u32]) {
    values.sort_unstable();
    let mut kept = 0;
    for at in 0..values.len() {
        if at == 0 || values[at] != values[kept - 1] {
            values[kept] = values[at];
            kept += 1;
        }
    }
    values[kept..].fill(NULL);
}

impl State for DistinctCount {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        let Some(argument) = arguments.first() else { return Ok(()) };
        if rows.count == 1 && self.is_apart() && self.apart.get_or_insert_with(|| Apart::new(self.kind)).add(argument) {
            let limit = rows.context.limits.values;
            return match self.apart.as_mut().is_some_and(|apart| apart.exceeds(limit)) {
                true => Err(Fault::limit("values", "too many distinct values in one aggregate")),
                false => Ok(()),
            };
        }
        self.number();
        let numbers = self.values.numbers(argument);
        if rows.count == 1 && self.noted.is_empty() {
            numbers.into_iter().filter(|n| *n != NULL).for_each(|number| self.mark(number));
            return match self.only.len() > rows.context.limits.values {
                true => Err(Fault::limit("values", "too many distinct values in one aggregate")),
                false => Ok(()),
            };
        }
        self.spread();
        for (&group, number) in rows.groups.iter().zip(numbers) {
            if number != NULL {
                self.note(group, number);
            }
        }
        self.bounded(rows.count, rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], _: usize) -> Result<()> {
        let mut other: DistinctCount = same(other)?;
        if into == [0] && self.is_apart() && other.is_apart() {
            other.apart = match (&mut self.apart, other.apart.take()) {
                (Some(own), Some(theirs)) => own.join(theirs),
                (own, theirs) => {
                    *own = own.take().or(theirs);
                    None
                }
            };
            if other.apart.is_none() {
                return Ok(());
            }
        }
        self.number();
        other.number();
        let known = self.values.absorb(&other.values);
        if into == [0] && self.noted.is_empty() && other.noted.is_empty() {
            let marked = other.only.iter().enumerate().filter(|(_, seen)| **seen);
            marked.for_each(|(number, _)| self.mark(known.at(number as u32)));
            return Ok(());
        }
        self.spread();
        other.spread();
        self.noted.extend(other.noted.iter().map(|(group, value)| (into[*group as usize], known.at(*value))));
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Context, count: usize) -> Result<Column> {
        let mut state = *self;
        if let (1, Some(apart)) = (count, &mut state.apart) {
            return Ok(Column::Long(vec![apart.count() as i64].into()));
        }
        state.number();
        if count == 1 && state.noted.is_empty() {
            let number = state.only.iter().filter(|seen| **seen).count() as i64;
            return Ok(Column::Long(vec![number].into()));
        }
        state.spread();
        let (starts, values) = by_group(&state.noted, count);
        let number = |window: &[u32]| {
            let own = &values[window[0] as usize..window[1] as usize];
            own.iter().filter(|v| **v != NULL).count() as i64
        };
        Ok(Column::Long(starts.windows(2).map(number).collect::<Vec<_>>().into()))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        let apart = self.apart.as_ref().map_or(0, |apart| apart.held() * 24);
        apart + self.noted.len() * 8 + self.only.len() + self.values.bytes()
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for DistinctCount {
    fn write(&mut self, out: &mut Writer) {
        self.number();
        self.spread();
        let every: Vec<u32> = (0..self.values.len() as u32).collect();
        out.column(&self.values.column(self.kind, &every));
        out.count(self.noted.len());
        for (group, value) in &self.noted {
            out.count(*group as usize);
            out.count(*value as usize);
        }
    }

    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()> {
        let numbers = self.values.numbers(&input.column()?);
        let pair = |input: &mut Reader| Ok((input.number(groups)? as u32, numbers.get(input.number(numbers.len())?)));
        let pairs = input.each(pair)?;
        self.noted = pairs.into_iter().filter_map(|(group, value)| Some((group, *value?))).collect();
        Ok(())
    }
}

pub(super) fn dcount(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(DistinctCount::new(kinds.first().copied().unwrap_or(Kind::Dynamic))))
}

crate::aggregates! {
    /// The number of distinct values, exactly: Kusto estimates it. Nulls are passed over.
    ///
    /// Source: dcount-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize dcount(x % 3) // 3
    /// ```
    kql Free cheap fn dcount called "dcount" (value: Any, accuracy[optional]: Integer) -> Kind(Kind::Long) = dcount;

    /// The number of distinct values, exactly. Nulls are passed over.
    ///
    /// Source: count-distinct-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | summarize count_distinct(x % 3) // 3
    /// ```
    kql Free cheap fn count_distinct called "count_distinct" (value: Any) -> Kind(Kind::Long) = dcount;
}
