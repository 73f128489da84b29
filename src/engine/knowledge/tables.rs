//! The rows of lookups: opened once, and written to in memory.
use super::{Definition, Knowledge, Rows};
use crate::diagnostic::{Fault, Result};
use crate::engine::database::Data;
use crate::engine::files;
use crate::plan::{InMemory, Lookup, LookupWriter, Matching};
use crate::types::field::{self, FieldBuilder};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The data that a caller has given for lookups, and the rows that were read or written so far.
#[derive(Debug, Default)]
pub struct LookupTables {
    given: Mutex<BTreeMap<String, Data>>,
    known: Mutex<BTreeMap<String, Table>>,
    /// Where rows may be written to.
    folder: Mutex<Option<PathBuf>>,
}

impl LookupTables {
    pub fn give(&self, name: impl Into<String>, data: Data) {
        if let Ok(mut given) = self.given.lock() {
            given.insert(name.into(), data);
        }
    }

    /// What a caller has given under a name.
    pub fn given(&self, name: &str) -> Option<Data> {
        self.given.lock().ok()?.get(name).cloned()
    }

    /// A lookup with its rows; none where nobody has defined one of that name. A watchlist of the name is the lookup
    /// where no other rows are: a list is given once for rules of both languages.
    pub fn find(&self, name: &str, knowledge: &Knowledge, watchlist: Option<&Data>) -> Result<Option<Lookup>> {
        let defined = knowledge.find_lookup(name);
        let key = defined.map_or(name, |(own, _)| own);
        let matching = defined.map_or_else(Matching::default, |(_, definition)| definition.matching.clone());
        let rows = self.rows(key, defined.map(|(_, definition)| &definition.rows), watchlist)?;
        Ok(rows.map(|rows| Lookup { name: key.to_owned(), source: InMemory::source(rows), matching }))
    }

    /// Lets rows be written into a folder, too.
    pub fn write_to(&self, folder: PathBuf) {
        if let Ok(mut known) = self.folder.lock() {
            *known = Some(folder);
        }
    }

    /// The file of a lookup's name in the folder that may be written to.
    pub fn file(&self, name: &str, knowledge: &Knowledge) -> Option<PathBuf> {
        let folder = self.folder.lock().ok()?.clone()?;
        let own = match knowledge.find_lookup(name) {
            Some((_, Definition { rows: Rows::File(path), .. })) => path.file_name().map(PathBuf::from),
            Some((key, _)) => Path::new(key).file_name().map(PathBuf::from),
            None => Path::new(name).file_name().map(PathBuf::from),
        };
        Some(folder.join(own?.with_extension("csv")))
    }

    /// What keeps rows under a lookup's name.
    pub fn writer(self: &Arc<Self>, name: &str, knowledge: &Knowledge) -> LookupWriter {
        let defined = knowledge.find_lookup(name);
        let key = defined.map_or(name, |(own, _)| own).to_owned();
        let file = self.file(name, knowledge);
        let (tables, defined) = (self.clone(), defined.map(|(_, definition)| definition.rows.clone()));
        Arc::new(move |rows, append| {
            let before = if append { tables.rows(&key, defined.as_ref(), None)? } else { None };
            let rows = with_texts(rows);
            let all = before.map_or_else(|| rows.clone(), |before| behind(&before, &rows));
            file.as_ref().map_or(Ok(()), |file| write(file, &all))?;
            tables.known.lock().map_err(|_| broken())?.insert(key.clone(), all);
            Ok(())
        })
    }

    /// The rows that were written or read before, else those of the definition.
    fn rows(&self, name: &str, defined: Option<&Rows>, watchlist: Option<&Data>) -> Result<Option<Table>> {
        match self.known(name) {
            Some(known) => Ok(Some(known)),
            None => self.read(name, defined, watchlist),
        }
    }

    fn known(&self, name: &str) -> Option<Table> {
        self.known.lock().ok()?.get(name).cloned()
    }

    fn read(&self, name: &str, rows: Option<&Rows>, watchlist: Option<&Data>) -> Result<Option<Table>> {
        let found = match (self.given(name), rows, watchlist) {
            (Some(data), _, _) => table_of(&data)?,
            (None, Some(Rows::File(path)), _) => {
                let path = path.display().to_string();
                files::read_texts(&[path])
                    .map_err(|fault| fault.help(format!("the lookup `{name}` has its rows there")))?
            }
            (None, None | Some(Rows::Collection(_)), Some(watchlist)) => table_of(watchlist)?,
            (None, Some(Rows::Collection(fields)), None) => {
                let schema: Schema = fields.iter().map(|field| (Name::from(field.as_str()), Kind::Field)).collect();
                Table::from_rows(schema, &[])
            }
            (None, Some(Rows::Given), _) => return Err(broken()),
            (None, None, None) => return Ok(None),
        };
        let made = with_texts(&found).held();
        self.known.lock().map_err(|_| broken())?.insert(name.to_owned(), made.clone());
        Ok(Some(made))
    }
}

/// Writes rows as CSV. The file appears whole or not at all.
fn write(file: &Path, rows: &Table) -> Result<()> {
    let mut text = String::new();
    line(&mut text, rows.schema().names().map(|name| name.to_string()));
    for row in 0..rows.rows() {
        let cell = |at: usize| field::values(&rows.column(at), row).collect::<Vec<_>>().join("\n");
        line(&mut text, (0..rows.schema().len()).map(cell));
    }
    let unwritten = |error: std::io::Error| Fault::data("HP433", format!("cannot write {}: {error}", file.display()));
    let part = file.with_extension(format!("csv.{}.part", std::process::id()));
    file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(unwritten)?;
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, file)).map_err(unwritten)
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        match cell.contains(['"', ',', '\n', '\r']) {
            true => text.push_str(&format!("\"{}\"", cell.replace('"', "\"\""))),
            false => text.push_str(&cell),
        }
    }
    text.push('\n');
}

fn broken() -> Fault {
    Fault::internal("the rows of a lookup are lost")
}

fn table_of(data: &Data) -> Result<Table> {
    match data {
        Data::Later(open) => table_of(&open()?),
        Data::Table(held) => Ok(held.table().clone()),
        Data::Files(paths) => files::read_texts(paths),
        Data::Source(source) => crate::read::load(source.as_ref()),
    }
}

/// The rows as fields; an empty cell has no value.
fn with_texts(table: &Table) -> Table {
    let schema: Schema = table.schema().names().map(|name| (name.clone(), Kind::Field)).collect();
    let columns = (0..schema.len()).map(|at| Stored::Column(without_empty(&field::from_column(&table.column(at)))));
    let rows = table.rows();
    Table::new(schema, vec![Chunk { rows, columns: columns.collect() }]).with_problems(table.problems().to_vec())
}

fn without_empty(column: &Column) -> Column {
    let empty = |row: usize| column.text(row).is_some_and(str::is_empty);
    if !(0..column.len()).any(empty) {
        return column.clone();
    }
    let mut builder = FieldBuilder::new(Some(column), column.len());
    for row in 0..column.len() {
        match empty(row) {
            true => builder.push_null(),
            false => builder.push_row(column, row),
        }
    }
    builder.finish()
}

/// The rows of one table behind those of another, by the names of their columns.
fn behind(first: &Table, second: &Table) -> Table {
    let new = second.schema().names().filter(|name| !first.schema().contains(name));
    let schema: Schema = first.schema().names().chain(new).map(|name| (name.clone(), Kind::Field)).collect();
    let columns = schema.names().map(|name| {
        let mut builder = FieldBuilder::new(None, first.rows() + second.rows());
        for part in [first, second] {
            match part.column_named(name) {
                Some(column) => (0..part.rows()).for_each(|row| builder.push_row(&column, row)),
                None => (0..part.rows()).for_each(|_| builder.push_null()),
            }
        }
        Stored::Column(builder.finish())
    });
    let columns = columns.collect();
    Table::new(schema.clone(), vec![Chunk { rows: first.rows() + second.rows(), columns }])
}
