//! `set`: the rows of two searches as sets.
use super::dedup::picked;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::intern::Interner;
use crate::types::{Kind, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of each search that count.
const MOST_ROWS: u64 = 50_000;

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let kind = match () {
        () if reader.eat_word("union") => Kept::Any,
        () if reader.eat_word("diff") => Kept::OneSide,
        () if reader.eat_word("intersect") => Kept::BothSides,
        () => return Err(reader.expected("union, diff or intersect").into()),
    };
    let first = reader.needed_search()?;
    let first = lowering.subsearch(first, MOST_ROWS)?;
    let second = reader.needed_search()?;
    let second = lowering.subsearch(second, MOST_ROWS)?;
    reader.finish()?;
    // A hidden field tells the sides apart.
    let side = lowering.hidden("side");
    let marked = [(first, "1"), (second, "2")].map(|(rows, mark)| {
        let rows = if rows.open { rows } else { rows.closed() };
        lowering.extend(&rows, vec![(side.clone(), crate::spl::lower::build::text(mark))])
    });
    let both = lowering.union(&marked);
    let schema = both.schema.clone();
    let made = lowering.operation(&[&both], Arc::new(Set { kind, side: side.clone() }), schema);
    Ok(lowering.without(&made, &[side]))
}

#[derive(Clone, Copy, Debug)]
enum Kept {
    Any,
    OneSide,
    BothSides,
}

#[derive(Debug)]
struct Set {
    kind: Kept,
    side: crate::types::Name,
}

impl TableOperation for Set {
    fn name(&self) -> &str {
        "set"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`set` has one input")) };
        let others = table.schema().names().enumerate();
        // Internal fields do not tell rows apart.
        let others = others.filter(|(_, name)| **name != self.side && !name.starts_with('_'));
        let keys: Vec<Vec<u32>> = others.map(|(at, _)| Interner::new(Kind::Field).numbers(&table.column(at))).collect();
        let Some(sides) = table.column_named(&self.side) else { return Ok(table.clone()) };
        let mut places: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut found: Vec<(u32, [bool; 2])> = Vec::new();
        for row in 0..table.rows() {
            let key = keys.iter().filter_map(|column| column.get(row).copied()).collect();
            let place = *places.entry(key).or_insert_with(|| {
                found.push((row as u32, [false; 2]));
                found.len() - 1
            });
            let second = crate::types::field::text(&sides, row).as_deref() == Some("2");
            if let Some((_, seen)) = found.get_mut(place) {
                seen[usize::from(second)] = true;
            }
        }
        let keeps = |seen: &[bool; 2]| match self.kind {
            Kept::Any => true,
            Kept::OneSide => seen[0] != seen[1],
            Kept::BothSides => seen[0] && seen[1],
        };
        let rows: Vec<u32> = found.iter().filter(|(_, seen)| keeps(seen)).map(|(row, _)| *row).collect();
        Ok(picked(table, &rows))
    }
}

crate::command! {
    /// The rows of two searches as sets: those of either, of only one of them, or of both, each once.
    ///
    /// Source: set.
    ///
    /// ```spl
    /// | set diff [| makeresults | eval a=1 | table a] [| makeresults count=2 | streamstats count as a | table a] // 2
    /// ```
    "set": "set union|diff|intersect [<search>] [<search>]" = First(lower);
}
