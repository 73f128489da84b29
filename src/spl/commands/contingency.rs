//! `contingency`: how often the values of two fields occur together.
use super::options::Options;
use super::series::of_columns;
use crate::diagnostic::Diagnostic;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::{Column, Name, Table};
use std::collections::HashMap;

const OPTIONS: [&str; 6] = ["maxrows", "maxcols", "mincolcover", "minrowcover", "usetotal", "totalstr"];
/// Rows and columns at most, where no other number is said.
const MOST: usize = 1000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let (options, fields) = Options::with_fields(command, &OPTIONS)?;
    let [first, second] = fields.as_slice() else {
        let said = Diagnostic::error("HP504", "`contingency` takes two fields").at(command.span);
        return Err(said.into());
    };
    let most = |name: &str| -> Lower<usize> {
        Ok(match options.count(name)?.map(|count| usize::try_from(count).unwrap_or(usize::MAX)) {
            None => MOST,
            Some(0) => usize::MAX,
            Some(count) => count,
        })
    };
    let (rows_taken, columns_taken) = (
        Taken { most: most("maxrows")?, cover: options.number("minrowcover")?.unwrap_or(1.0) },
        Taken { most: most("maxcols")?, cover: options.number("mincolcover")?.unwrap_or(1.0) },
    );
    let total =
        options.flag("usetotal")?.unwrap_or(true).then(|| options.text("totalstr").unwrap_or("TOTAL").to_owned());
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let counts = Counts::of(&table, &first.text, &second.text);
    let table = counts.table(&first.text, &rows_taken, &columns_taken, total.as_deref());
    Ok(lowering.values(table))
}

/// Which values stay: the most frequent ones, until they cover a part of the events.
struct Taken {
    most: usize,
    cover: f64,
}

impl Taken {
    fn of(&self, counts: &HashMap<String, i64>) -> Vec<String> {
        let mut ordered: Vec<(&String, i64)> = counts.iter().map(|(value, count)| (value, *count)).collect();
        ordered.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let wanted = ordered.iter().map(|(_, count)| count).sum::<i64>() as f64 * self.cover;
        let mut covered = 0.0;
        let mut stays = |count: i64| {
            let open = covered < wanted;
            covered += count as f64;
            open
        };
        let taken = ordered.into_iter().filter(|(_, count)| stays(*count)).take(self.most);
        taken.map(|(value, _)| value.clone()).collect()
    }
}

#[derive(Default)]
struct Counts {
    pairs: HashMap<(String, String), i64>,
    first: HashMap<String, i64>,
    second: HashMap<String, i64>,
    all: i64,
}

impl Counts {
    fn of(table: &Table, first: &str, second: &str) -> Counts {
        let mut counts = Counts::default();
        let (Some(first), Some(second)) = (table.column_named(first), table.column_named(second)) else {
            return counts;
        };
        for row in 0..table.rows() {
            for a in field::values(&first, row) {
                for b in field::values(&second, row) {
                    *counts.pairs.entry((a.to_string(), b.to_string())).or_default() += 1;
                    *counts.first.entry(a.to_string()).or_default() += 1;
                    *counts.second.entry(b.to_string()).or_default() += 1;
                    counts.all += 1;
                }
            }
        }
        counts
    }

    fn table(&self, name: &str, rows: &Taken, columns: &Taken, total: Option<&str>) -> Table {
        let (rows, values) = (rows.of(&self.first), columns.of(&self.second));
        let mut made: Vec<(Name, Column)> = vec![(name.into(), {
            let mut out = FieldBuilder::new(None, rows.len() + 1);
            rows.iter().map(String::as_str).chain(total).for_each(|text| out.push_text(text));
            out.finish()
        })];
        for value in &values {
            let of_pair = |row: &String| self.pairs.get(&(row.clone(), value.clone())).copied().unwrap_or(0);
            let sum = self.second.get(value).copied().unwrap_or(0);
            made.push((value.as_str().into(), of_numbers(rows.iter().map(of_pair).chain(total.map(|_| sum)))));
        }
        if let Some(total) = total {
            let of_row = |row: &String| self.first.get(row).copied().unwrap_or(0);
            made.push((total.into(), of_numbers(rows.iter().map(of_row).chain([self.all]))));
        }
        of_columns(made)
    }
}

fn of_numbers(numbers: impl Iterator<Item = i64>) -> Column {
    let mut out = FieldBuilder::new(None, 0);
    numbers.for_each(|number| out.push_number(Number::Long(number)));
    out.finish()
}

crate::command! {
    /// A table of how often the values of two fields occur together: a row for each value of the first, a column for each
    /// value of the second, the most frequent ones first, and their totals.
    ///
    /// `maxrows` and `maxcols` (1,000, 0 for all) bound it, `minrowcover` and `mincolcover` are the part of the events that
    /// the values must cover; `usetotal=false` leaves the totals out, `totalstr` names them.
    ///
    /// Source: contingency.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | eval a=if(n<3, "x", "y"), b="z" | contingency a b | where a="x" | table z TOTAL // [2,2]
    /// ```
    "contingency" as ["counttable", "ctable"]: "contingency [maxrows=<count>] [maxcols=<count>] [usetotal=<flag>] [totalstr=<text>] <field> <field>" = Rows(lower);
}
