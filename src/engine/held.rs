//! Tables in memory, brought to the schema that their name asks for.
use crate::types::{Chunk, Kind, Schema, Stored, Table, convert, datetime};
use std::sync::{Mutex, OnceLock};

/// A table with the forms that schemas asked of it so far: what a form learns stays with it for the next query.
#[derive(Debug)]
pub struct Held {
    table: Table,
    forms: Mutex<Vec<(Schema, Table)>>,
    /// The table as the events of searches.
    fields: OnceLock<Table>,
}

/// A table is asked for under few names; more would only keep memory.
const MOST_FORMS: usize = 8;

impl Held {
    pub fn new(table: Table) -> Held {
        Held { table, forms: Mutex::default(), fields: OnceLock::new() }
    }

    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The table with its columns as fields, which `make` makes of them once.
    pub fn as_fields(&self, make: impl FnOnce(&Table) -> Table) -> Table {
        self.fields.get_or_init(|| make(&self.table)).clone()
    }

    /// The table with `wanted`'s columns and kinds first.
    pub fn with_schema(&self, wanted: &Schema) -> Table {
        let Ok(mut forms) = self.forms.lock() else { return adapted(&self.table, wanted) };
        if let Some((_, known)) = forms.iter().find(|(schema, _)| schema == wanted) {
            return known.clone();
        }
        let made = adapted(&self.table, wanted);
        if forms.len() >= MOST_FORMS {
            forms.remove(0);
        }
        forms.push((wanted.clone(), made.clone()));
        made
    }
}

/// The name of the column that holds the time of every log's events.
const TIME: &str = "TimeGenerated";
/// So many rows tell whether texts are times.
const LOOKED_AT: usize = 100;

/// The table's schema with the events' time as a datetime, where it was handed over as text: files are read so, too.
pub fn timed(table: &Table) -> Option<Schema> {
    let at = table.schema().position(TIME).filter(|_| table.schema().kind(TIME) == Some(Kind::String))?;
    let chunk = table.chunks().iter().find(|chunk| chunk.rows > 0)?;
    let texts = chunk.load_part(at, Kind::String, 0, chunk.rows.min(LOOKED_AT), None);
    let is_time = |row: usize| texts.text(row).is_none_or(|text| text.is_empty() || datetime::parse(text).is_some());
    if !(0..texts.len()).all(is_time) {
        return None;
    }
    let mut schema = table.schema().clone();
    schema.set(TIME.into(), Kind::DateTime);
    Some(schema)
}

/// The table with the columns of `wanted` first, of its kinds and empty where they are missing; its other columns
/// follow. Arrow columns of other kinds are converted when they are read; a held table keeps what it read.
pub fn adapted(table: &Table, wanted: &Schema) -> Table {
    let own = table.schema();
    let extra = own.columns().iter().filter(|(name, _)| !wanted.contains(name));
    let schema: Schema = wanted.columns().iter().chain(extra).cloned().collect();
    if schema == *own {
        return table.clone();
    }
    let from: Vec<Option<usize>> = schema.names().map(|name| own.position(name)).collect();
    let chunks = table.chunks().iter().map(|chunk| {
        let columns = from.iter().zip(schema.columns());
        let columns = columns.map(|(at, (_, kind))| match at.and_then(|at| Some((at, chunk.columns.get(at)?))) {
            Some((at, stored)) => {
                let same = own.columns().get(at).is_some_and(|(_, k)| k == kind);
                if same { stored.clone() } else { converted(chunk, at, *kind) }
            }
            None => Stored::Absent,
        });
        Chunk { rows: chunk.rows, columns: columns.collect() }
    });
    let chunks = chunks.collect();
    let made = Table::new(schema, chunks).with_problems(table.problems().to_vec());
    if table.is_held() { made.held() } else { made }
}

fn converted(chunk: &Chunk, at: usize, kind: Kind) -> Stored {
    match chunk.columns.get(at) {
        Some(Stored::Arrow(array)) => Stored::Arrow(array.clone()),
        Some(Stored::Column(column)) => Stored::Column(convert::lenient(column, kind)),
        Some(Stored::Numbers(_)) => Stored::Column(convert::lenient(&chunk.load(at, Kind::Long, None), kind)),
        Some(Stored::Absent) | None => Stored::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Kind, Value};

    fn table() -> Table {
        let schema = Schema::from_iter([("When", Kind::String), ("Mine", Kind::Long)]);
        Table::from_rows(schema, &[vec![Value::string("2026-03-12"), Value::Long(7)]])
    }

    #[test]
    fn known_columns_come_first_with_their_kinds_and_others_stay() {
        let wanted = Schema::from_iter([("When", Kind::DateTime), ("Who", Kind::String), ("N", Kind::Int)]);
        let found = adapted(&table(), &wanted);
        let names: Vec<&str> = found.schema().names().map(|n| &**n).collect();
        assert_eq!(names, ["When", "Who", "N", "Mine"]);
        let rows = found.to_rows();
        assert_eq!(rows[0][0].to_text(), "2026-03-12T00:00:00.0000000Z");
        assert_eq!(rows[0][1..], [Value::string(""), Value::Null(Kind::Int), Value::Long(7)]);
    }

    #[test]
    fn a_held_table_is_adapted_once() {
        let held = Held::new(table().held());
        let wanted = Schema::from_iter([("When", Kind::DateTime)]);
        assert_eq!(held.with_schema(&wanted).identity(), held.with_schema(&wanted).identity());
        assert!(held.with_schema(&wanted).is_held());
    }
}
