//! Files as sources: the formats of security logs, read in parallel, and no more of them than a plan names.
//!
//! A file is cut into blocks at record ends ([`text`]). A parser notes where the wanted values of each record lie
//! ([`cell`], [`rows`]); a column is decoded when the executor asks for it ([`values`]), for the rows that are left.
//! Bad rows are counted by file and reason ([`problems`]), and good ones kept. What is read, and what is bad, does
//! not depend on the number of threads.
mod block;
mod body;
mod cef;
mod cell;
mod conf;
mod csv;
mod events;
mod files;
mod format;
mod infer;
mod input;
mod json;
mod mapping;
mod parquet;
mod problems;
mod raw;
mod rows;
mod source;
mod tables;
mod tested;
mod text;
mod values;
mod w3c;
mod windows;
pub mod yaml;

pub use body::{Header, Layout, ORDER, Owner, Piece, Pieces, Records, SEVERAL};
pub use conf::{Conf, Setting, Stanza, truth};
pub use events::Belonging;
pub use format::Format;
pub use mapping::Mapping;
pub use raw::RAW;
pub use tables::{known_schema, known_tables};
pub use values::text_ticks;

use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, Limits};
use crate::plan::{self, Needs, Scan, Source};
use crate::types::{Chunk, Kind, Name, Schema, Stored, Table};
use block::Block;
use infer::Inferred;
use input::Input;
use source::{Files, SourceFile};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use text::{Cutter, Ends, Form, TextFile};

/// What the caller knows of the files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The format; told from the content where it is none.
    pub format: Option<Format>,
    /// The name of the table that the files hold: a known Log Analytics table is read with its schema.
    pub table: Option<String>,
    /// Declared columns; others that the files have stay.
    pub schema: Option<Schema>,
    /// Only these columns.
    pub columns: Option<Vec<String>>,
    /// The format where neither the content nor the name tells one.
    pub otherwise: Option<Format>,
    /// Whether the files hold events for a search: every value as its text, and events as they were logged in one column,
    /// [`RAW`].
    pub events: bool,
    /// Whether the first row of cells is a header that names other columns than the declared ones: those are the
    /// columns of the file, in order.
    pub skips_header: bool,
}

/// Bytes of a file that its format is told from, and, if they hold enough records, its columns' kinds.
const HEAD: usize = 256 << 10;
/// No more bytes are looked at for the kinds of columns.
const SAMPLE: usize = 16 << 20;

/// Files, folders (with all files in them) and globs as one source.
///
/// A path that is missing or cannot be read, a file of no known format, and a glob without a match are data errors
/// that name the path.
pub fn open<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Arc<dyn Source>> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let found = files::expand(&paths)?;
    let options = &with_table(options, &found);
    let table = options.table.clone().filter(|table| known_schema(table).is_some());
    let mut opening = Opening { options, table, schema: declared(options), inferred: Inferred::default() };
    let (mut inputs, mut files) = (Vec::new(), Vec::new());
    for path in found {
        let input = Input::new(&path)?;
        files.push(opening.file(&input)?);
        inputs.push(input);
    }
    let schema = opening.finish();
    Ok(Arc::new(Files { schema, inputs: inputs.into(), files: files.into() }))
}

/// Continuous export names the table by a folder: `am-SigninLogs/…/PT1H.json`.
fn with_table(options: &Options, paths: &[PathBuf]) -> Options {
    let exported = |path: &PathBuf| {
        let mut folders =
            path.components().filter_map(|part| part.as_os_str().to_str()?.strip_prefix("am-").map(str::to_owned));
        folders.next()
    };
    let table = options.table.clone().or_else(|| paths.first().and_then(exported));
    Options { table, ..options.clone() }
}

/// The columns of the known table, the declared ones in their place or behind them.
fn declared(options: &Options) -> Schema {
    let known = options.table.as_deref().and_then(known_schema).cloned().unwrap_or_default();
    let Some(declared) = &options.schema else { return known };
    let mut schema = known;
    declared.columns().iter().for_each(|(name, kind)| schema.set(name.clone(), *kind));
    schema
}

/// What is learned of the files while they are opened.
struct Opening<'a> {
    options: &'a Options,
    /// The known table that the files hold.
    table: Option<String>,
    schema: Schema,
    inferred: Inferred,
}

impl Opening<'_> {
    fn file(&mut self, input: &Input) -> Result<Box<dyn SourceFile>> {
        if input.is_parquet && self.options.format.is_none_or(|format| format == Format::Parquet) {
            return self.parquet(input);
        }
        let head = input.head(HEAD)?;
        if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
            let fault = Fault::data("HP403", format!("`{}` is UTF-16 text", input.name()));
            return Err(fault.help("save it as UTF-8"));
        }
        let empty = head.trim_ascii().is_empty().then_some(Format::Ndjson);
        let known = self.options.format.or_else(|| Format::sniff(&input.path, &head));
        if let Some(form) = self.raw(&head, known) {
            self.sample(input, &form, head)?;
            return Ok(Box::new(TextFile { input: input.clone(), form: Arc::new(form) }));
        }
        let format = known.or(self.options.otherwise).or(empty);
        let form: Arc<dyn Form> = match format.ok_or_else(|| unknown(input))? {
            Format::Ndjson => self.records(input, &head, true)?,
            Format::Json => self.records(input, &head, false)?,
            Format::Csv => self.cells(input, &head, None)?,
            Format::Tsv => self.cells(input, &head, Some(b'\t'))?,
            Format::W3c => self.of_table(w3c::TABLE, w3c::W3c),
            Format::Cef => self.of_table(cef::TABLE, cef::Cef),
            Format::Parquet => return self.parquet(input),
        };
        self.sample(input, form.as_ref(), head)?;
        Ok(Box::new(TextFile { input: input.clone(), form }))
    }

    /// Events as they were logged: records that are no rows of another product's export, and text of no other format.
    fn raw(&self, head: &[u8], format: Option<Format>) -> Option<raw::Raw> {
        if !self.options.events {
            return None;
        }
        match format {
            None | Some(Format::Cef) => Some(raw::Raw::of(head)),
            Some(Format::Ndjson | Format::Json) if !format::is_query_answer(head) => {
                let lines = format == Some(Format::Ndjson);
                let place = json::Place::of(head, lines);
                let end = if head.len() < HEAD { head.len() } else { text::Lines.cut(head) };
                let keys = json::discover(&Block::new(head.to_vec(), 0, end, 0), place, None);
                let is_row = json::Envelope::of(&keys) != json::Envelope::None || keys.iter().any(|key| key == RAW);
                let is_lines = place.lines && place.inside.is_none();
                (!is_row).then_some(if is_lines { raw::Raw::Lines } else { raw::Raw::Records(place) })
            }
            _ => None,
        }
    }

    fn parquet(&mut self, input: &Input) -> Result<Box<dyn SourceFile>> {
        let file = parquet::ParquetFile::open(input)?;
        let schema = &self.schema;
        self.inferred.declare(&file.columns(), &|name| schema.contains(name));
        Ok(Box::new(file))
    }

    fn cells(&self, input: &Input, head: &[u8], delimiter: Option<u8>) -> Result<Arc<dyn Form>> {
        let skips_header = self.options.skips_header;
        let form = csv::Csv::new(head, delimiter, &self.schema, self.table.as_deref(), skips_header);
        Ok(Arc::new(form.map_err(|reason| broken(input, "CSV", &reason))?))
    }

    /// JSON in its variants: an answer of the query API, an export of another product, or plain records.
    fn records(&mut self, input: &Input, head: &[u8], lines: bool) -> Result<Arc<dyn Form>> {
        if format::is_query_answer(head) {
            let answer = json::Answer::new(head);
            let answer = answer.ok_or_else(|| broken(input, "an answer of the query API", "it has no rows"))?;
            return Ok(Arc::new(answer));
        }
        let end = if head.len() < HEAD { head.len() } else { text::Lines.cut(head) };
        let sample = Block::new(head.to_vec(), 0, end, 0);
        let place = json::Place::of(head, lines);
        let keys = json::discover(&sample, place, None);
        if keys == ["error"] {
            return Err(broken(input, "records", "it holds an error of a service, and no rows"));
        }
        let envelope = match json::Envelope::of(&keys) {
            // What surrounds an event tells when and where it was logged.
            json::Envelope::Event if self.options.events => json::Envelope::None,
            envelope => envelope,
        };
        let diagnostic = ["category", "properties", "time"].iter().all(|name| keys.iter().any(|key| key == name));
        if diagnostic && self.options.table.is_none() {
            self.of_category(&sample, place);
        }
        let own = keys.iter().any(|key| key == "TimeGenerated");
        let table = self.table.clone().filter(|_| !own);
        if envelope == json::Envelope::None && table.is_none() {
            return Ok(Arc::new(json::Plain { place }));
        }
        let columns = self.schema.names().cloned().collect();
        Ok(Arc::new(json::Mapped { place, envelope, table, columns }))
    }

    /// The table of diagnostic records that no caller names, by the category of the first.
    fn of_category(&mut self, sample: &Block, place: json::Place) {
        let wanted = rows::Wanted::new(&["category".into()], None);
        let mut rows = rows::Rows::new(&wanted);
        json::Plain { place }.parser(&wanted).parse(sample, &mut rows);
        let bytes = cell::Bytes { block: sample.bytes(), beside: &rows.beside };
        let table = mapping::Mapping::builtin().table_of_category(&bytes.text(rows.cell(0, 0)));
        if let (true, Some(table)) = (self.schema.is_empty(), table)
            && let Some(known) = known_schema(table)
        {
            (self.schema, self.table) = (known.clone(), Some(table.to_owned()));
        }
    }

    /// A form whose files hold one table, whether it is named or not.
    fn of_table(&mut self, table: &str, form: impl Form + 'static) -> Arc<dyn Form> {
        if self.schema.is_empty()
            && let Some(known) = known_schema(table)
        {
            self.schema = known.clone();
        }
        Arc::new(form)
    }

    /// Looks at the first records, until enough were seen.
    fn sample(&mut self, input: &Input, form: &dyn Form, head: Vec<u8>) -> Result<()> {
        if let Some(columns) = form.declared() {
            let schema = &self.schema;
            self.inferred.declare(&columns, &|name| schema.contains(name));
            return Ok(());
        }
        let enough = self.inferred.is_enough();
        if enough && form.ends() == Ends::Lines {
            return Ok(());
        }
        let whole = head.len() < HEAD;
        let sample = sample_size(&head);
        let mut bytes = if whole || enough { head } else { input.head(sample)? };
        let at_end = whole || (bytes.len() < sample && !enough);
        let end = if at_end { bytes.len() } else { form.cutter().cut(&bytes) };
        bytes.truncate(end);
        let schema = &self.schema;
        self.inferred.sample(form, &Block::new(bytes, 0, end, 0), &|name| schema.contains(name));
        Ok(())
    }

    /// The declared columns, then those that the files have.
    fn finish(self) -> Schema {
        let mut columns = self.schema.columns().to_vec();
        let events = self.options.events;
        let told = |kind: Kind| if events && kind != Kind::Dynamic { Kind::Field } else { kind };
        columns.extend(self.inferred.columns().map(|(name, kind)| (name, told(kind))));
        let Some(only) = &self.options.columns else { return Schema::new(columns) };
        let kept = |name: &Name| only.iter().any(|wanted| **wanted == **name);
        Schema::new(columns.into_iter().filter(|(name, _)| kept(name)).collect())
    }
}

/// So many bytes most likely hold the records that the kinds of columns are told from.
fn sample_size(head: &[u8]) -> usize {
    match memchr::memchr_iter(b'\n', head).count() {
        0..8 => SAMPLE,
        lines => (head.len() / lines * infer::RECORDS / 8 * 9).clamp(HEAD, SAMPLE),
    }
}

fn unknown(input: &Input) -> Fault {
    let names: Vec<&str> = Format::names().collect();
    Fault::data("HP403", format!("`{}` is of no known format", input.name()))
        .help(format!("give its format: {}", names.join(", ")))
}

fn broken(input: &Input, what: &str, reason: &str) -> Fault {
    Fault::data("HP404", format!("`{}` cannot be read as {what}: {reason}", input.name()))
}

/// The files that paths, folders and globs name, in order.
pub fn expand<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    files::expand(&paths)
}

/// What is known of a file of cells before its rows are read.
#[derive(Clone, Debug)]
pub struct About {
    pub columns: Vec<Name>,
    pub size: u64,
    /// When it was changed last, in nanoseconds since 1970; 0 where that is not known.
    pub modified: u128,
}

/// The columns, size and age of a file of comma-separated values.
///
/// Errors (DataError): a file that cannot be read, or that begins with no header.
pub fn header_of(path: &Path) -> Result<About> {
    let input = Input::new(path)?;
    let csv = csv::Csv::new(&input.head(HEAD)?, None, &Schema::default(), None, false);
    let csv = csv.map_err(|reason| broken(&input, "CSV", &reason))?;
    let since = input.modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let modified = since.map_or(0, |since| since.as_nanos());
    Ok(About { columns: csv.columns().to_vec(), size: input.size, modified })
}

/// The files as text, each whole.
///
/// A path that is missing, cannot be read or is longer than a gigabyte is a data error that names the path.
pub fn texts<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<String>> {
    const MOST: usize = 1 << 30;
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let whole = |path: PathBuf| {
        let input = Input::new(&path)?;
        let bytes = input.head(MOST + 1)?;
        if bytes.len() > MOST {
            return Err(Fault::data("HP404", format!("`{}` is too long for a text", input.name())));
        }
        Ok(String::from_utf8_lossy(bytes.strip_prefix(csv::BOM).unwrap_or(&bytes)).into_owned())
    };
    files::expand(&paths)?.into_iter().map(whole).collect()
}

/// The files as a table in memory, with the problems of bad rows.
pub fn read<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Table> {
    load(open(paths, options)?.as_ref())
}

/// All rows of a source in memory, in the order of the files.
pub fn load(source: &dyn Source) -> Result<Table> {
    let columns: Vec<Name> = source.schema().names().cloned().collect();
    let scan =
        source.scan(&Needs { columns, window: None, tests: Vec::new(), morsel_rows: Limits::default().morsel_rows })?;
    let context = Context::new(0, Limits::default(), Arc::default());
    let chunks: Mutex<Vec<(u32, Chunk)>> = Mutex::default();
    let outcomes: Mutex<Vec<Fault>> = Mutex::default();
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                if let Err(fault) = drain(scan.as_ref(), source.schema().len(), &context, &chunks)
                    && let Ok(mut outcomes) = outcomes.lock()
                {
                    outcomes.push(fault);
                }
            });
        }
    });
    if let Some(fault) = outcomes.into_inner().unwrap_or_default().into_iter().next() {
        return Err(fault);
    }
    let mut chunks = chunks.into_inner().unwrap_or_default();
    chunks.sort_by_key(|(ordinal, _)| *ordinal);
    let chunks = chunks.into_iter().map(|(_, chunk)| chunk).collect();
    Ok(Table::new(source.schema().clone(), chunks).with_problems(scan.problems()))
}

/// Reads pieces until there are no more.
fn drain(scan: &dyn Scan, width: usize, context: &Context, chunks: &Mutex<Vec<(u32, Chunk)>>) -> Result<()> {
    while let Some(piece) = scan.next()? {
        let ordinal = piece.ordinal();
        let chunk = chunk(piece, width, context)?;
        if chunk.rows > 0
            && let Ok(mut chunks) = chunks.lock()
        {
            chunks.push((ordinal, chunk));
        }
    }
    Ok(())
}

fn chunk(piece: Box<dyn plan::Piece>, width: usize, context: &Context) -> Result<Chunk> {
    let morsel = piece.read(context)?;
    let columns = (0..width).map(|at| morsel.column(at, None).map(Stored::Column)).collect::<Result<Vec<_>>>()?;
    Ok(Chunk { rows: morsel.rows(), columns })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod scratch;
#[cfg(test)]
mod tests;
