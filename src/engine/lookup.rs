//! A lookup's file as a watchlist: its columns are told by its header, and its rows are read when they are asked for.
use super::database::watchlist;
use super::files;
use crate::diagnostic::Result;
use crate::plan::{InMemory, Needs, Scan, Source};
use crate::read;
use crate::types::{Kind, Schema, Table};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Smaller files are read faster than anything that is kept of them.
const WORTH_KEEPING: u64 = 256 << 10;

/// Opens a file of comma-separated values as a watchlist.
///
/// Errors (DataError): a file that cannot be read, or has no header.
pub fn open_lookup(path: &Path) -> Result<Arc<dyn Source>> {
    let about = read::header_of(path)?;
    let texts = about.columns.into_iter().map(|name| (name, Kind::String)).collect();
    let schema = watchlist(&Table::from_rows(texts, &[])).schema().clone();
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    hasher.write(path.as_os_str().as_encoded_bytes());
    let place = hasher.finish();
    hasher.write_u64(about.size);
    hasher.write_u128(about.modified);
    let identity = hasher.finish();
    let lasting = (about.size >= WORTH_KEEPING).then(|| format!("{place:016x}-{identity:016x}"));
    Ok(Arc::new(Lookup { path: path.to_owned(), schema, identity, lasting, table: OnceLock::new() }))
}

#[derive(Debug)]
struct Lookup {
    path: PathBuf,
    schema: Schema,
    identity: u64,
    lasting: Option<String>,
    table: OnceLock<Table>,
}

impl Source for Lookup {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn lasting_identity(&self) -> Option<&str> {
        self.lasting.as_deref()
    }

    fn scan(&self, needs: &Needs) -> Result<Box<dyn Scan>> {
        let table = match self.table.get() {
            Some(table) => table.clone(),
            None => {
                let table = watchlist(&files::read_texts(&[self.path.to_string_lossy().into_owned()])?);
                self.table.get_or_init(|| table).clone()
            }
        };
        InMemory(table).scan(needs)
    }
}
