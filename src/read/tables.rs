//! The columns of Log Analytics tables.
//!
//! `tables.txt` is a text of one line a table, tables in the order of their names: the table's name, then its columns
//! in their order, all parted by blanks. Before a column's name stands one letter for its kind: `b` bool, `i` int, `l`
//! long, `r` real, `m` decimal, `s` string, `d` datetime, `t` timespan, `j` dynamic, `g` guid. It is searched as it
//! stands, so that a query pays for its own tables alone. To renew it, write that text from Microsoft's table
//! reference; the test below holds the form.
use crate::types::{Kind, Name, Schema};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{LazyLock, RwLock};

static TEXT: &str = include_str!("tables.txt");

/// The schemas that were asked for.
static SCHEMAS: LazyLock<RwLock<HashMap<&'static str, &'static Schema>>> = LazyLock::new(RwLock::default);

/// The columns of a Log Analytics table.
///
/// Source: the documentation pages "Azure Monitor Logs table reference".
pub fn known_schema(table: &str) -> Option<&'static Schema> {
    if let Some(schema) = SCHEMAS.read().ok().and_then(|known| known.get(table).copied()) {
        return Some(schema);
    }
    let (name, columns) = line(table)?.split_once(' ')?;
    let mut known = SCHEMAS.write().ok()?;
    // There is one for each table at most: they live as long as the process.
    Some(*known.entry(name).or_insert_with(|| Box::leak(Box::new(columns.split(' ').filter_map(column).collect()))))
}

/// The line of a table, found by halving.
fn line(table: &str) -> Option<&'static str> {
    let (mut start, mut end) = (0, TEXT.len());
    while start < end {
        let before = TEXT.as_bytes().get(start..start + (end - start) / 2)?;
        let begin = memchr::memrchr(b'\n', before).map_or(start, |at| start + at + 1);
        let found = TEXT.get(begin..)?.split('\n').next()?;
        match table.cmp(found.split(' ').next()?) {
            Ordering::Equal => return Some(found),
            Ordering::Less => end = begin,
            Ordering::Greater => start = begin + found.len() + 1,
        }
    }
    None
}

/// The names of all tables that are known, in order.
pub fn known_tables() -> impl Iterator<Item = &'static str> {
    TEXT.lines().filter_map(|line| line.split(' ').next())
}

fn column(written: &str) -> Option<(Name, Kind)> {
    let mut characters = written.chars();
    let kind = kind(characters.next()?)?;
    Some((characters.as_str().into(), kind))
}

fn kind(letter: char) -> Option<Kind> {
    Some(match letter {
        'b' => Kind::Bool,
        'i' => Kind::Int,
        'l' => Kind::Long,
        'r' => Kind::Real,
        'm' => Kind::Decimal,
        's' => Kind::String,
        'd' => Kind::DateTime,
        't' => Kind::TimeSpan,
        'j' => Kind::Dynamic,
        'g' => Kind::Guid,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_line_is_a_table() {
        let mut last = "";
        for line in TEXT.lines() {
            let (table, columns) = line.split_once(' ').unwrap();
            assert!(last < table, "{table} is out of order");
            last = table;
            let schema = known_schema(table).unwrap();
            assert_eq!(schema.len(), columns.split(' ').count(), "{table} has a column of no kind");
            assert_eq!(schema.names().collect::<HashSet<_>>().len(), schema.len(), "{table} repeats a column");
        }
        assert!(known_tables().count() > 1900);
    }

    #[test]
    fn kinds_of_known_columns() {
        let signins = known_schema("SigninLogs").unwrap();
        assert_eq!(signins.kind("TimeGenerated"), Some(Kind::DateTime));
        assert_eq!(signins.kind("ResultType"), Some(Kind::String));
        assert_eq!(signins.kind("LocationDetails"), Some(Kind::Dynamic));
        assert_eq!(known_schema("NoSuchTable"), None);
    }
}
