//! The columns of Log Analytics tables.
//!
//! `tables.txt.zst` is a Zstandard-compressed text of one line a table, tables in the order of their names: the
//! table's name, then its columns in their order, all parted by blanks. Before a column's name stands one letter
//! for its kind: `b` bool, `i` int, `l` long, `r` real, `m` decimal, `s` string, `d` datetime, `t` timespan,
//! `j` dynamic, `g` guid. To renew it, write that text from Microsoft's table reference and compress it (`zstd -22
//! --ultra`); the test below holds the form.
use crate::types::{Kind, Name, Schema};
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

static COMPRESSED: &[u8] = include_bytes!("tables.txt.zst");

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let bytes = zstd::stream::decode_all(COMPRESSED).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
});

type Tables = HashMap<&'static str, (&'static str, OnceLock<Schema>)>;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let lines = TEXT.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(table, columns)| (table, (columns, OnceLock::new()))).collect()
});

/// The columns of a Log Analytics table.
///
/// Source: the documentation pages "Azure Monitor Logs table reference".
pub fn known_schema(table: &str) -> Option<&'static Schema> {
    let (columns, schema) = TABLES.get(table)?;
    Some(schema.get_or_init(|| columns.split(' ').filter_map(column).collect()))
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
