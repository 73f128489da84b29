//! Lookups that a widely used add-on computes with a program: what they give is computed here.
use super::{Pair, absent};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::types::field::{self, FieldBuilder};
use crate::types::{Chunk, Column, Name, Schema, Stored, Table};
use std::collections::HashMap;

/// A lookup that computes one field of another.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    pub name: &'static str,
    pub input: &'static str,
    pub output: &'static str,
    compute: fn(&str) -> String,
}

/// Those that the public content names.
const ALL: &[Computed] =
    &[Computed { name: "ut_shannon_lookup", input: "word", output: "ut_shannon", compute: shannon }];

impl Computed {
    pub fn find(name: &str) -> Option<Computed> {
        ALL.iter().find(|lookup| lookup.name == name).copied()
    }
}

/// The entropy of a text's characters in bits.
fn shannon(text: &str) -> String {
    let mut counts: HashMap<char, u32> = HashMap::new();
    text.chars().for_each(|c| *counts.entry(c).or_default() += 1);
    let all = f64::from(counts.values().sum::<u32>());
    // In one order, so that the last digit is always the same.
    let mut counts: Vec<u32> = counts.into_values().collect();
    counts.sort_unstable();
    let bits = counts.into_iter().map(|count| f64::from(count) / all).map(|share| -share * share.log2());
    field::Number::Real(bits.sum::<f64>() + 0.0).text()
}

/// `lookup` with a computed one.
#[derive(Debug)]
pub struct Compute {
    pub lookup: Computed,
    pub key: Pair,
    /// The field that takes the value.
    pub output: Name,
    pub keeps: bool,
    pub schema: Schema,
}

impl TableOperation for Compute {
    fn name(&self) -> &str {
        "lookup"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [events] = inputs else { return Ok(Table::default()) };
        let named = |name: &Name| events.column_named(name).unwrap_or_else(|| absent(events.rows()));
        let columns = self.schema.names().map(|name| match *name == self.output {
            true => Ok(Stored::Column(self.values(context, &named(&self.key.event), &named(name))?)),
            false => Ok(Stored::Column(named(name))),
        });
        let columns = columns.collect::<Result<_>>()?;
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: events.rows(), columns }]))
    }
}

impl Compute {
    fn values(&self, context: &Context, key: &Column, old: &Column) -> Result<Column> {
        let mut builder = FieldBuilder::new(None, key.len());
        for row in 0..key.len() {
            if row % super::STRETCH == 0 {
                context.check()?;
            }
            match self.keeps && field::count(old, row) > 0 {
                true => builder.push_row(old, row),
                false => builder.push_several(field::values(key, row).map(|text| (self.lookup.compute)(&text))),
            }
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_counts_characters() {
        assert_eq!((shannon("aaaa"), shannon("abab"), shannon("abcd")), ("0".into(), "1".into(), "2".into()));
    }
}
