//! Files as sources, by the role that a query gives them.
use super::held::adapted;
use super::{Data, pool};
use crate::diagnostic::Result;
use crate::plan::{ExternalForm, InMemory, Source, TextForm};
use crate::read::{self, Format, Options};
use crate::types::{Kind, Problem, Schema, Table, Value, convert};
use std::path::Path;
use std::sync::Arc;

/// The well-known schema of a table.
pub fn known_schema(table: &str) -> Option<Schema> {
    read::known_schema(table).cloned()
}

/// The files of a table.
pub fn open_table(paths: &[String], name: &str, schema: Option<Schema>) -> Result<Arc<dyn Source>> {
    read::open(paths, &Options { table: Some(name.to_owned()), schema, ..Options::default() })
}

/// A file whose columns are all text: kinds that look like numbers would lose how they are written.
pub fn read_texts(paths: &[String]) -> Result<Table> {
    let source = read::open(paths, &Options::default())?;
    let schema: Schema = source.schema().names().map(|name| (name.clone(), Kind::String)).collect();
    let has_header = !schema.is_empty();
    let table = read::read(paths, &Options { schema: Some(schema), ..Options::default() })?;
    if has_header || !table.problems().is_empty() {
        return Ok(table);
    }
    let empty = |path: &String| Problem { file: path.clone(), line: 0, reason: "it is empty".into(), count: 1 };
    Ok(table.with_problems(paths.iter().map(empty).collect()))
}

/// The file that stands for a URL, in the columns that the query declares.
pub fn open_external(paths: &[String], schema: &Schema, form: &ExternalForm) -> Result<Arc<dyn Source>> {
    if let Some(text) = form.text {
        return open_text(paths, schema, text, form.skips_first);
    }
    let columns = Some(schema.names().map(|name| name.to_string()).collect());
    // A form that is not told and that the data do not show is that of Kusto.
    let otherwise = form.format.as_deref().map_or(Ok(Format::Csv), external_format)?;
    let schema = Some(schema.clone());
    let options =
        Options { schema, columns, otherwise: Some(otherwise), skips_header: form.skips_first, ..Options::default() };
    read::open(paths, &options)
}

/// The formats of Kusto that are not called as ours.
fn external_format(name: &str) -> Result<Format> {
    match name.to_ascii_lowercase().as_str() {
        "multijson" | "singlejson" => Ok(Format::Json),
        "json" => Ok(Format::Ndjson),
        "psv" | "scsv" | "sohsv" | "ssv" => Ok(Format::Csv),
        "tsve" => Ok(Format::Tsv),
        "w3clogfile" => Ok(Format::W3c),
        other => Format::parse(other),
    }
}

/// Plain text: its lines, or all of it, in the first column.
fn open_text(paths: &[String], schema: &Schema, form: TextForm, skips_first: bool) -> Result<Arc<dyn Source>> {
    let mut values = Vec::new();
    for text in read::texts(paths)? {
        match form {
            TextForm::Lines => values.extend(text.lines().skip(usize::from(skips_first)).map(Value::string)),
            TextForm::Whole => values.push(Value::string(text)),
        }
    }
    let kind = schema.columns().first().map_or(Kind::String, |(_, kind)| *kind);
    let rows: Vec<Vec<Value>> = values.into_iter().map(|value| vec![convert::value_to(&value, kind)]).collect();
    Ok(InMemory::source(Table::from_rows(schema.clone(), &rows)))
}

/// Files with the columns that they have.
pub fn open_stored(paths: &[String]) -> Result<Arc<dyn Source>> {
    read::open(paths, &Options::default())
}

/// The files of a folder, and of those in it, whose names begin and end so; a path that is no folder is itself.
pub fn among(path: &str, start: &str, end: &str) -> String {
    let folder = Path::new(path);
    if !folder.is_dir() || (start.is_empty() && end.is_empty()) {
        return path.to_owned();
    }
    let name = format!("{}*{}", glob::Pattern::escape(start), glob::Pattern::escape(end));
    Path::new(&glob::Pattern::escape(path)).join("**").join(name).to_string_lossy().into_owned()
}

/// The file of a folder that the rest of a URL names; the path itself where it is no folder.
pub fn beneath(path: &str, rest: &str) -> String {
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    match Path::new(path).is_dir() && !rest.is_empty() && !rest.split('/').any(|part| part == "..") {
        true => Path::new(path).join(rest).to_string_lossy().into_owned(),
        false => path.to_owned(),
    }
}

/// What is to be read, and how.
#[derive(Clone, Debug, Default)]
pub struct ReadRequest {
    pub paths: Vec<String>,
    /// A format's name; told from the content where it is none.
    pub format: Option<String>,
    /// The name of the table that the files hold.
    pub table: Option<String>,
    pub columns: Option<Vec<String>>,
    pub schema: Option<Schema>,
}

/// Reads files into a table that is kept.
///
/// Errors (DataError): a file that is missing or of no known format; an unknown format's name.
pub fn read(request: ReadRequest) -> Result<Table> {
    let format = request.format.as_deref().map(Format::parse).transpose()?;
    let (table, schema, columns) = (request.table, request.schema, request.columns);
    let options = Options { format, table, schema, columns, ..Options::default() };
    pool::install(None, || read::read(&request.paths, &options))?.map(Table::held)
}

/// Takes data in once: a table that keeps what it learns, with the columns of the named table and of `schema`.
pub fn take_in(data: Data, name: Option<&str>, schema: Option<Schema>) -> Result<Table> {
    let table = match data {
        Data::Later(open) => return take_in(open()?, name, schema),
        Data::Files(paths) => {
            let request = ReadRequest { paths, table: name.map(str::to_owned), schema, ..ReadRequest::default() };
            return read(request);
        }
        Data::Source(source) => pool::install(None, || read::load(source.as_ref()))??,
        Data::Table(held) => held.table().clone(),
    };
    let mut wanted = name.and_then(known_schema).unwrap_or_default();
    for (column, kind) in schema.iter().flat_map(|s| s.columns()) {
        wanted.set(column.clone(), *kind);
    }
    Ok(adapted(&table.held(), &wanted))
}
