//! One table among the events: which of its columns are fields, which hold the event's text and its time.
use super::TIME;
use super::time::{self, TIMES};
use crate::diagnostic::Result;
use crate::engine::Data;
use crate::engine::held::adapted;
use crate::plan::{InMemory, Source};
use crate::read::{self, Options, RAW};
use crate::types::field::from_column;
use crate::types::{Chunk, Column, Field, Kind, Name, Schema, Stored, Table};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The keys of an event as it is sent to Splunk's HTTP collector.
const COLLECTOR: [&str; 8] = ["event", "time", "host", "source", "sourcetype", "index", "fields", RAW];

#[derive(Debug)]
pub struct Part {
    /// The name of the table: the source of events that have none. Empty where the caller gave no name.
    pub name: String,
    pub source: Arc<dyn Source>,
    /// The columns that are fields.
    pub columns: Vec<(Name, Kind)>,
    /// The columns that hold the event's text, the best first.
    pub raw: Vec<Name>,
    /// The columns that hold the event's time, the best first.
    pub times: Vec<Name>,
    /// The column whose object's properties are fields: those that an event was sent with.
    pub beside: Option<Name>,
}

/// Files of up to so many bytes in all are held in memory where several searches go over them.
const HELD_BYTES: u64 = 128 << 20;
/// How many times its size a packed file may hold.
const PACKED: u64 = 10;

impl Part {
    /// The parts of a table: each of its files is one. `keeps` says that several searches will go over them.
    pub fn open(name: &str, data: &Data, keeps: bool) -> Result<Vec<Part>> {
        let source = match data {
            Data::Later(open) => return Part::open(name, &open()?, keeps),
            Data::Table(held) => InMemory::source(held.as_fields(as_fields)),
            Data::Source(source) => source.clone(),
            Data::Files(paths) => {
                let files = read::expand(paths)?;
                let held = keeps && files.iter().map(|file| size(file)).sum::<u64>() <= HELD_BYTES;
                return files.into_iter().map(|file| Ok(Part::new(name, open_file(file, held)?))).collect();
            }
        };
        Ok(vec![Part::new(name, source)])
    }

    pub fn new(name: &str, source: Arc<dyn Source>) -> Part {
        let schema = source.schema();
        let has = |name: &str| schema.contains(name);
        let told = has("time") || has("sourcetype");
        let only = schema.names().all(|name| COLLECTOR.contains(&&**name));
        let from_collector = has("event") && told && (only || schema.kind("event") == Some(Kind::Dynamic));
        let envelope: &[&str] = if from_collector { &["event", "time", "fields"] } else { &[] };
        let named = |names: &[&str]| names.iter().filter(|name| has(name)).map(|name| Name::from(*name)).collect();
        let is_field = |(name, _): &&(Name, Kind)| !envelope.contains(&&**name) && **name != *RAW && **name != *TIME;
        let is_time = |name: &&str| source.table().is_none_or(|table| holds_times(table, name));
        let times: Vec<&str> = [TIME].into_iter().chain(TIMES.iter().copied().filter(is_time)).collect();
        Part {
            name: name.to_owned(),
            columns: schema.columns().iter().filter(is_field).cloned().collect(),
            raw: named(if from_collector { &[RAW, "event"] } else { &[RAW] }),
            times: named(&times),
            beside: named(if from_collector { &["fields"] } else { &[] }).into_iter().next(),
            source,
        }
    }

    /// The column of a field of this name.
    pub fn column(&self, name: &str) -> Option<&(Name, Kind)> {
        self.columns.iter().find(|(known, _)| **known == *name)
    }

    /// The columns of objects and arrays in which a field of this name may lie: `a` for `a.b` and `a{}.b`.
    pub fn containers<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Name> {
        let holds = move |column: &str| {
            name.strip_prefix(column).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('{'))
        };
        self.columns.iter().filter(move |(column, kind)| *kind == Kind::Dynamic && holds(column)).map(|(name, _)| name)
    }

    /// The table, where every column is a field as it stands and the time needs no more than a column.
    pub fn plain_table(&self) -> Option<Table> {
        let table = self.source.table()?;
        let is_plain = self.raw.is_empty()
            && self.beside.is_none()
            && self.name.is_empty()
            && table.schema().columns().iter().all(|(_, kind)| *kind == Kind::Field)
            && self.times.iter().all(|name| **name == *TIME && has_numbers(table, name));
        is_plain.then(|| table.clone())
    }
}

/// The events of a file; read once where they are held.
fn open_file(file: PathBuf, held: bool) -> Result<Arc<dyn Source>> {
    let source = read::open(&[file], &Options { events: true, ..Options::default() })?;
    match held {
        true => Ok(InMemory::source(as_fields(&read::load(source.as_ref())?.held()))),
        false => Ok(source),
    }
}

/// The bytes that a file's content may take.
fn size(file: &Path) -> u64 {
    let packed = file.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
    let bytes = std::fs::metadata(file).map_or(0, |found| found.len());
    if packed { bytes.saturating_mul(PACKED) } else { bytes }
}

/// Whether a column of fields holds no texts: times among them would have to be read.
fn has_numbers(table: &Table, name: &str) -> bool {
    let Some(at) = table.schema().position(name) else { return true };
    table.chunks().iter().all(|chunk| match chunk.columns.get(at) {
        Some(Stored::Column(column)) => matches!(column, Column::Field(Field::Long(_) | Field::Real(_))),
        Some(Stored::Arrow(array)) => array.data_type().is_numeric() || array.data_type().is_temporal(),
        _ => true,
    })
}

/// So many values tell whether a column holds times.
const LOOKED_AT: usize = 100;

/// Whether the first values of a column are times: a field of such a name may be anything.
fn holds_times(table: &Table, name: &str) -> bool {
    let Some((at, (_, kind))) = table.schema().columns().iter().enumerate().find(|(_, (known, _))| **known == *name)
    else {
        return false;
    };
    let Some(chunk) = table.chunks().iter().find(|chunk| chunk.rows > 0) else { return true };
    let values = present(&chunk.load_part(at, *kind, 0, chunk.rows.min(LOOKED_AT), None));
    (0..values.len()).all(|row| time::is_plausible(&values, row))
}

/// The table with its columns as fields, but for those that hold objects or arrays. Arrow columns are converted when
/// they are read.
fn as_fields(table: &Table) -> Table {
    let schema: Schema =
        table.schema().columns().iter().map(|(name, kind)| (name.clone(), field_kind(*kind))).collect();
    let numbered = table.schema().columns();
    let chunks = table.chunks().iter().map(|chunk| {
        let columns = chunk.columns.iter().zip(numbered).map(|(stored, (_, kind))| match stored {
            Stored::Column(column) if field_kind(*kind) == Kind::Field => Stored::Column(present(column)),
            other => other.clone(),
        });
        Chunk { rows: chunk.rows, columns: columns.collect() }
    });
    let chunks = chunks.collect();
    let made = Table::new(schema.clone(), chunks).with_problems(table.problems().to_vec());
    let made = if table.is_held() { made.held() } else { made };
    adapted(&made, &schema)
}

fn field_kind(kind: Kind) -> Kind {
    if kind == Kind::Dynamic { kind } else { Kind::Field }
}

/// A column as fields. Texts of the kind string are never null: of those an empty one is no value.
pub fn present(column: &Column) -> Column {
    match column {
        Column::Text(Kind::String, _) | Column::Const(crate::types::Value::Text(Kind::String, _), _) => {
            super::columns::without_empty(column)
        }
        other => from_column(other),
    }
}
