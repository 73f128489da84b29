//! Rows by the values of several columns: each combination gets a number.
use crate::types::intern::Interner;
use crate::types::{Column, gather};
use std::collections::HashMap;

/// The combinations of the values of some columns, numbered from 0 in order of first sight.
pub struct Combinations {
    /// The number of each row's combination.
    pub of_rows: Vec<u32>,
    /// The first row of each combination.
    pub first: Vec<u32>,
}

impl Combinations {
    /// With no column there is one combination, also of no rows.
    pub fn of(columns: &[Column], rows: usize) -> Combinations {
        let mut of_rows = vec![0u32; rows];
        let mut first = vec![0u32];
        for column in columns {
            let numbers = Interner::new(column.kind()).numbers(column);
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            first.clear();
            for ((own, number), row) in of_rows.iter_mut().zip(numbers).zip(0u32..) {
                *own = *known.entry((*own, number)).or_insert_with(|| {
                    first.push(row);
                    (first.len() - 1) as u32
                });
            }
        }
        Combinations { of_rows, first }
    }

    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// The values of a column for some combinations.
    pub fn values(&self, column: &Column, combinations: &[u32]) -> Column {
        let rows: Vec<u32> =
            combinations.iter().filter_map(|number| self.first.get(*number as usize).copied()).collect();
        gather::take(column, &rows)
    }
}
