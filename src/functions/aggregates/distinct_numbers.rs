//! The distinct numbers of one group.
use super::distinct_bits::DistinctBits;
use crate::types::intern::real_bits;
use crate::types::{Builder, Column, Kind};
use arrow_array::Array;
use arrow_buffer::NullBuffer;

pub(super) struct DistinctNumbers {
    kind: Kind,
    bits: DistinctBits<u64>,
}

impl DistinctNumbers {
    pub(super) fn new(kind: Kind) -> DistinctNumbers {
        DistinctNumbers { kind, bits: DistinctBits::new() }
    }

    /// Notes the numbers of a column that are not null; whether it is one of numbers.
    pub(super) fn add(&mut self, column: &Column) -> bool {
        match column {
            Column::Long(array) | Column::DateTime(array) | Column::TimeSpan(array) => {
                self.note(array.values(), array.nulls(), |long| long as u64);
            }
            Column::Real(array) => self.note(array.values(), array.nulls(), real_bits),
            _ => return false,
        }
        self.bits.bound();
        true
    }

    fn note<T: Copy>(&mut self, values: &[T], nulls: Option<&NullBuffer>, bits: impl Fn(T) -> u64) {
        for (row, value) in values.iter().enumerate() {
            if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                self.bits.note(bits(*value));
            }
        }
    }

    /// Notes the numbers that another one holds.
    pub(super) fn join(&mut self, other: DistinctNumbers) {
        self.bits.join(other.bits);
    }

    /// How many different numbers there are.
    pub(super) fn count(&mut self) -> usize {
        self.bits.count()
    }

    /// No more than so many numbers are held, told apart or not.
    pub(super) fn held(&self) -> usize {
        self.bits.held()
    }

    /// The different numbers.
    pub(super) fn column(mut self) -> Column {
        let mut builder = Builder::new(self.kind, self.held());
        self.bits.values().for_each(|bits| match self.kind {
            Kind::Real => builder.push_real(f64::from_bits(bits)),
            _ => builder.push_long(bits as i64),
        });
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_reals_count_once() {
        let mut numbers = DistinctNumbers::new(Kind::Real);
        assert!(numbers.add(&Column::Real(vec![Some(-0.0), None, Some(f64::NAN), Some(-f64::NAN), Some(2.5)].into())));
        assert!(numbers.add(&Column::Real(vec![0.0, 2.5].into())));
        assert_eq!(numbers.count(), 3);
        let reals: Vec<Option<f64>> = numbers.column().values().map(|value| value.as_real()).collect();
        assert!([0.0, 2.5].iter().all(|real| reals.contains(&Some(*real))) && reals.len() == 3);
    }

    #[test]
    fn no_other_columns_are_taken() {
        assert!(!DistinctNumbers::new(Kind::Long).add(&Column::nulls(Kind::Long, 3)));
    }
}
