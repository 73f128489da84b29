//! Aggregates over rows that come and go one by one: what a window that moves along the rows needs, whose whole would
//! be too much to look at again for each of them.
use super::numbers::Moments;
use crate::types::field::{self, FieldBuilder, Number, Numbers};
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Field, Kind};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// An aggregate of the rows that have come and not gone. Rows go in the order in which they came.
pub trait Sliding {
    fn come(&mut self, row: usize);
    fn go(&mut self, row: usize);
    /// The aggregate now.
    fn push(&self, out: &mut FieldBuilder);
}

/// What is aggregated.
pub struct Values<'a> {
    column: &'a Column,
    numbers: Numbers<'a>,
    /// The number of each row's value among the distinct ones, where those are asked for.
    distinct: Vec<u32>,
}

type Finish = fn(&Moments) -> Number;

/// How an aggregate of this name slides over a column; none where it does not.
pub fn sliding(name: &str, column: &Column) -> Option<Kinds> {
    Some(match name {
        "count" => Kinds::Count,
        "sum" => Kinds::Moments(Moments::sum),
        "avg" => Kinds::Moments(|group| Number::Real(group.mean())),
        "sumsq" => Kinds::Moments(|group| Number::Real(group.squares())),
        "stdev" => Kinds::Moments(|group| Number::Real(group.sample().sqrt())),
        "stdevp" => Kinds::Moments(|group| Number::Real(group.population().sqrt())),
        "var" => Kinds::Moments(|group| Number::Real(group.sample())),
        "varp" => Kinds::Moments(|group| Number::Real(group.population())),
        "min" => Kinds::Sorted(Sorted::push_least),
        "max" => Kinds::Sorted(Sorted::push_greatest),
        "range" => Kinds::Sorted(Sorted::push_range),
        "first" => Kinds::Present(VecDeque::front),
        "last" => Kinds::Present(VecDeque::back),
        // What is counted is each value, not each row.
        "dc" if !matches!(column, Column::Field(Field::Several(_))) => Kinds::Distinct,
        _ => return None,
    })
}

/// How aggregates slide.
#[derive(Clone, Copy)]
pub enum Kinds {
    Count,
    Moments(Finish),
    Sorted(fn(&Sorted, &mut FieldBuilder)),
    Present(fn(&VecDeque<usize>) -> Option<&usize>),
    Distinct,
}

impl Kinds {
    /// None where a number is infinite: what it is added to can not be had back.
    pub fn values(self, column: &Column) -> Option<Values<'_>> {
        let numbers = Numbers::of(column);
        let endless = |row| numbers.get(row).is_some_and(|number: Number| !number.real().is_finite());
        if matches!(self, Kinds::Moments(_)) && (0..column.len()).any(endless) {
            return None;
        }
        let distinct = match self {
            Kinds::Distinct => Interner::new(Kind::Field).numbers(column),
            _ => Vec::new(),
        };
        Some(Values { column, numbers, distinct })
    }

    /// The aggregate of no rows.
    pub fn start<'a>(self, values: &'a Values<'a>) -> Box<dyn Sliding + 'a> {
        match self {
            Kinds::Count => Box::new(Counted { values, count: 0 }),
            Kinds::Moments(finish) => Box::new(Added { values, moments: Moments::default(), finish }),
            Kinds::Sorted(push) => Box::new(Ordered { values, sorted: Sorted::default(), push }),
            Kinds::Present(pick) => Box::new(Seen { values, rows: VecDeque::new(), pick }),
            Kinds::Distinct => Box::new(Different { values, counts: HashMap::new() }),
        }
    }
}

impl Values<'_> {
    /// Each number of a row.
    fn each_number(&self, row: usize, mut take: impl FnMut(Number)) {
        match self.numbers.get(row) {
            Some(number) => take(number),
            None if field::count(self.column, row) > 1 => {
                field::values(self.column, row).filter_map(|text| Number::read(&text)).for_each(take);
            }
            None => {}
        }
    }
}

struct Counted<'a> {
    values: &'a Values<'a>,
    count: usize,
}

impl Sliding for Counted<'_> {
    fn come(&mut self, row: usize) {
        self.count += field::count(self.values.column, row);
    }

    fn go(&mut self, row: usize) {
        self.count -= field::count(self.values.column, row);
    }

    fn push(&self, out: &mut FieldBuilder) {
        out.push_number(Number::Long(self.count as i64));
    }
}

struct Added<'a> {
    values: &'a Values<'a>,
    moments: Moments,
    finish: Finish,
}

impl Sliding for Added<'_> {
    fn come(&mut self, row: usize) {
        self.values.each_number(row, |number| self.moments.add(number));
    }

    fn go(&mut self, row: usize) {
        self.values.each_number(row, |number| self.moments.remove(number));
    }

    fn push(&self, out: &mut FieldBuilder) {
        match self.moments.count() {
            0 => out.push_null(),
            _ => out.push_number((self.finish)(&self.moments)),
        }
    }
}

/// A value by its size: numbers before texts.
#[derive(Clone, Debug)]
enum Key {
    Number(Number),
    Text(Arc<str>),
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.order(*b).unwrap_or(Ordering::Equal),
            (Key::Number(_), Key::Text(_)) => Ordering::Less,
            (Key::Text(_), Key::Number(_)) => Ordering::Greater,
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// Values in order, each with how often it is there.
#[derive(Default)]
pub struct Sorted(BTreeMap<Key, usize>);

impl Sorted {
    fn push_key(key: Option<&Key>, out: &mut FieldBuilder) {
        match key {
            Some(Key::Number(number)) => out.push_number(*number),
            Some(Key::Text(text)) => out.push_text(text),
            None => out.push_null(),
        }
    }

    fn push_least(&self, out: &mut FieldBuilder) {
        Sorted::push_key(self.0.keys().next(), out);
    }

    fn push_greatest(&self, out: &mut FieldBuilder) {
        Sorted::push_key(self.0.keys().next_back(), out);
    }

    fn push_range(&self, out: &mut FieldBuilder) {
        let texts = Bound::Excluded(Key::Text("".into()));
        let greatest = self.0.range((Bound::Unbounded, texts)).next_back().map(|(key, _)| key);
        match (self.0.keys().next(), greatest) {
            (Some(Key::Number(least)), Some(Key::Number(most))) => {
                let whole = most.long().zip(least.long()).and_then(|(most, least)| most.checked_sub(least));
                out.push_number(whole.map_or(Number::Real(most.real() - least.real()), Number::Long));
            }
            _ => out.push_null(),
        }
    }
}

struct Ordered<'a> {
    values: &'a Values<'a>,
    sorted: Sorted,
    push: fn(&Sorted, &mut FieldBuilder),
}

impl Ordered<'_> {
    fn keys(&self, row: usize) -> Vec<Key> {
        let key = |text: &str| match Number::read(text).filter(|number| !number.real().is_nan()) {
            Some(number) => Key::Number(number),
            None => Key::Text(text.into()),
        };
        match self.values.numbers.get(row).filter(|number| !number.real().is_nan()) {
            Some(number) => vec![Key::Number(number)],
            None => field::values(self.values.column, row).map(|text| key(&text)).collect(),
        }
    }
}

impl Sliding for Ordered<'_> {
    fn come(&mut self, row: usize) {
        for key in self.keys(row) {
            *self.sorted.0.entry(key).or_default() += 1;
        }
    }

    fn go(&mut self, row: usize) {
        for key in self.keys(row) {
            let gone = self.sorted.0.get_mut(&key).is_some_and(|count| {
                *count -= 1;
                *count == 0
            });
            if gone {
                self.sorted.0.remove(&key);
            }
        }
    }

    fn push(&self, out: &mut FieldBuilder) {
        (self.push)(&self.sorted, out);
    }
}

/// The rows that have a value.
struct Seen<'a> {
    values: &'a Values<'a>,
    rows: VecDeque<usize>,
    pick: fn(&VecDeque<usize>) -> Option<&usize>,
}

impl Sliding for Seen<'_> {
    fn come(&mut self, row: usize) {
        if !self.values.column.is_null(row) {
            self.rows.push_back(row);
        }
    }

    fn go(&mut self, row: usize) {
        if self.rows.front() == Some(&row) {
            self.rows.pop_front();
        }
    }

    fn push(&self, out: &mut FieldBuilder) {
        match (self.pick)(&self.rows) {
            Some(row) => out.push_row(self.values.column, *row),
            None => out.push_null(),
        }
    }
}

/// How often each value is there.
struct Different<'a> {
    values: &'a Values<'a>,
    counts: HashMap<u32, usize>,
}

impl Different<'_> {
    fn value(&self, row: usize) -> Option<u32> {
        self.values.distinct.get(row).copied().filter(|number| *number != NULL)
    }
}

impl Sliding for Different<'_> {
    fn come(&mut self, row: usize) {
        if let Some(value) = self.value(row) {
            *self.counts.entry(value).or_default() += 1;
        }
    }

    fn go(&mut self, row: usize) {
        let Some(value) = self.value(row) else { return };
        let Some(count) = self.counts.get_mut(&value) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&value);
        }
    }

    fn push(&self, out: &mut FieldBuilder) {
        out.push_number(Number::Long(self.counts.len() as i64));
    }
}
