//! Rows as numbers: equal rows once, with their weight.
use super::super::combinations::Combinations;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Kind, Value};

/// For each column the value's number, or none for a wildcard.
pub type Pattern = Vec<Option<u32>>;

/// A weight on each of two sides; plugins without sides use the first.
pub type Weight = [f64; 2];

/// Distinct rows.
pub struct Encoded {
    kinds: Vec<Kind>,
    values: Vec<Interner>,
    /// For each column, each distinct row's number of its value.
    pub codes: Vec<Vec<u32>>,
    pub weights: Vec<Weight>,
    pub total: Weight,
    /// The columns that patterns may set.
    pub open: Vec<usize>,
    /// For each column, the number of a value that patterns never set.
    blank: Vec<Option<u32>>,
}

impl Encoded {
    /// `weight` gives a row's side and weight; none for a row that does not count. Patterns never set
    /// columns that are `hidden`.
    pub fn of(
        columns: &[Column],
        hidden: &[usize],
        rows: usize,
        weight: impl Fn(usize) -> Option<(usize, f64)>,
        context: &Context,
    ) -> Result<Encoded> {
        let mut values: Vec<Interner> = columns.iter().map(|column| Interner::new(column.kind())).collect();
        let numbers: Vec<Vec<u32>> =
            values.iter_mut().zip(columns).map(|(interner, column)| interner.numbers(column)).collect();
        context.check()?;
        let open: Vec<usize> = (0..columns.len()).filter(|at| !hidden.contains(at)).collect();
        let shown: Vec<Column> = open.iter().filter_map(|at| columns.get(*at).cloned()).collect();
        let distinct = Combinations::of(&shown, rows);
        let mut weights = vec![Weight::default(); distinct.len()];
        let mut total = Weight::default();
        for (row, place) in distinct.of_rows.iter().enumerate() {
            let Some((side, weight)) = weight(row).filter(|(_, weight)| *weight > 0.0) else { continue };
            if let (Some(own), Some(total)) =
                (weights.get_mut(*place as usize).and_then(|w| w.get_mut(side)), total.get_mut(side))
            {
                *own += weight;
                *total += weight;
            }
        }
        if rows > 0 && !total.iter().sum::<f64>().is_finite() {
            return Err(Fault::query("HP126", "the weights are too large"));
        }
        let code = |numbers: &Vec<u32>, row: &u32| numbers.get(*row as usize).copied().unwrap_or(NULL);
        let codes = numbers.iter().map(|numbers| distinct.first.iter().map(|row| code(numbers, row)).collect());
        let kinds = columns.iter().map(Column::kind).collect();
        let blank = vec![None; columns.len()];
        Ok(Encoded { kinds, codes: codes.collect(), values, weights, total, open, blank })
    }

    /// The same rows, in which patterns never set a value.
    pub fn without(mut self, value: &Value) -> Encoded {
        self.blank = self.values.iter_mut().map(|interner| Some(interner.number(value))).collect();
        self
    }

    pub fn columns(&self) -> usize {
        self.codes.len()
    }

    /// All distinct rows that weigh anything.
    pub fn all(&self) -> Vec<u32> {
        (0u32..).zip(&self.weights).filter(|(_, weight)| weight.iter().any(|w| *w > 0.0)).map(|(row, _)| row).collect()
    }

    pub fn weight(&self, rows: &[u32]) -> Weight {
        rows.iter()
            .filter_map(|row| self.weights.get(*row as usize))
            .fold(Weight::default(), |sum, weight| add(sum, *weight))
    }

    pub fn code(&self, column: usize, row: u32) -> u32 {
        self.codes.get(column).and_then(|codes| codes.get(row as usize)).copied().unwrap_or(NULL)
    }

    /// The rows among some that have a value in a column.
    pub fn with(&self, rows: &[u32], column: usize, code: u32) -> Vec<u32> {
        rows.iter().copied().filter(|row| self.code(column, *row) == code).collect()
    }

    /// The rows that a pattern describes.
    pub fn matching(&self, pattern: &Pattern) -> Vec<u32> {
        let set: Vec<(usize, u32)> =
            pattern.iter().enumerate().filter_map(|(column, code)| Some((column, (*code)?))).collect();
        let fits = |row: &u32| set.iter().all(|(column, code)| self.code(*column, *row) == *code);
        self.all().into_iter().filter(fits).collect()
    }

    /// The values of a column among some rows, with their weights, in order of their numbers.
    pub fn items(&self, rows: &[u32], column: usize) -> Vec<(u32, Weight)> {
        let mut found: std::collections::BTreeMap<u32, Weight> = Default::default();
        for row in rows {
            let code = self.code(column, *row);
            if self.is_blank(column, code) {
                continue;
            }
            let weight = self.weights.get(*row as usize).copied().unwrap_or_default();
            let known = found.entry(code).or_default();
            *known = add(*known, weight);
        }
        found.into_iter().collect()
    }

    /// The pattern with every value set that all its rows share.
    pub fn closed(&self, mut pattern: Pattern, rows: &[u32]) -> Pattern {
        for column in &self.open {
            let Some(place) = pattern.get_mut(*column).filter(|place| place.is_none()) else { continue };
            let mut codes = rows.iter().map(|row| self.code(*column, *row));
            let shared = codes.next().filter(|first| codes.all(|other| other == *first));
            *place = shared.filter(|code| !self.is_blank(*column, *code));
        }
        pattern
    }

    fn is_blank(&self, column: usize, code: u32) -> bool {
        self.blank.get(column).copied().flatten() == Some(code)
    }

    pub fn value(&self, column: usize, code: u32) -> Value {
        let kind = self.kinds.get(column).copied().unwrap_or(Kind::Dynamic);
        match self.values.get(column) {
            Some(interner) if code != NULL => interner.column(kind, &[code]).value(0),
            _ => Value::null(kind),
        }
    }
}

fn add([a, b]: Weight, [c, d]: Weight) -> Weight {
    [a + c, b + d]
}

/// How many columns a pattern sets.
pub fn dimensions(pattern: &Pattern) -> usize {
    pattern.iter().flatten().count()
}
