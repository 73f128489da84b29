//! `outputlookup`: rows kept as a lookup.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Result};
use crate::functions::Context;
use crate::plan::{LookupWriter, TableOperation};
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Schema, Stored, Table};
use std::fmt;
use std::sync::Arc;

const OPTIONS: &[&str] = &[
    "append",
    "create_empty",
    "override_if_empty",
    "max",
    "key_field",
    "createinapp",
    "create_context",
    "output_format",
    "allow_updates",
];

/// Keeps the rows that pass.
struct Keep {
    name: String,
    append: bool,
    /// Whether no rows take the place of those that there are.
    empties: bool,
    most: usize,
    writer: LookupWriter,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keep {} {} {} {}", self.name, self.append, self.empties, self.most)
    }
}

impl TableOperation for Keep {
    fn name(&self) -> &str {
        "outputlookup"
    }

    fn run(&self, _context: &Context, inputs: &[Table]) -> Result<Table> {
        let rows = inputs.first().cloned().unwrap_or_default();
        if rows.rows() > 0 || self.empties {
            (self.writer)(&kept(&rows, self.most), self.append)?;
        }
        Ok(rows)
    }
}

/// The first rows without the fields that are Splunk's own.
fn kept(rows: &Table, most: usize) -> Table {
    let own = |name: &str| name.starts_with('_') && name != "_time" && name != "_key";
    let columns: Vec<_> = rows.schema().columns().iter().enumerate().filter(|(_, (name, _))| !own(name)).collect();
    let schema: Schema = columns.iter().map(|(_, column)| (*column).clone()).collect();
    let mut left = most;
    let mut chunks = Vec::new();
    for (chunk, stored) in rows.chunks().iter().enumerate() {
        let count = stored.rows.min(left);
        left -= count;
        let part = |(at, (_, kind)): &(usize, &(crate::types::Name, crate::types::Kind))| {
            rows.chunks().get(chunk).map_or(Stored::Absent, |c| Stored::Column(c.load_part(*at, *kind, 0, count, None)))
        };
        chunks.push(crate::types::Chunk { rows: count, columns: columns.iter().map(part).collect() });
    }
    Table::new(schema, chunks)
}

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, OPTIONS)?;
    let name = reader.needed_word("the name of a lookup")?;
    options.read_more(&mut reader, OPTIONS)?;
    reader.finish()?;
    let empties = options.flag("override_if_empty")?.unwrap_or(true);
    let append = options.flag("append")?.unwrap_or(false);
    let most = options.count("max")?.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let Some(writer) = lowering.catalog.lookup_writer(&name.text) else { return Ok(rows) };
    let note = match lowering.catalog.lookup_file(&name.text) {
        Some(file) => format!("the rows of the lookup `{}` are written to {file}", name.text),
        None => format!("the rows of the lookup `{}` are kept in memory: no file is written", name.text),
    };
    lowering.warn(Diagnostic::new(crate::diagnostic::Severity::Note, "HP511", note).at(command.name.span));
    let keep = Keep { name: name.text, append, empties, most, writer };
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(keep), schema))
}

crate::command! {
    /// Keeps the rows as a lookup, for the searches that follow over the same data, and hands them on.
    ///
    /// They take the place of the lookup's rows, or come behind them with `append=true`. They are kept in memory; a
    /// file is written only where a folder for it is given (`write_lookups`, `--write-lookups`). `max` keeps no more than so many rows; with `override_if_empty=false` no rows do
    /// not take the place of some.
    ///
    /// Source: outputlookup.
    ///
    /// ```spl
    /// | makeresults count=3 | outputlookup seen | stats count // 3
    /// ```
    "outputlookup": "outputlookup [append=<bool>] [max=<count>] [override_if_empty=<bool>] <lookup>" = Rows(lower);
}
