//! `inputlookup`: the rows of a lookup.
use super::lookup::{table_rows, unknown};
use super::options::Options;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::{Chunk, Kind, Name, Stored, Table};

fn lower(lowering: &mut Lowering, command: &Command, input: Option<Rows>) -> Lower<Rows> {
    let known = ["append", "strict", "start", "max"];
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &known)?;
    let name = reader.needed_word("the name of a lookup")?;
    options.read_more(&mut reader, &known)?;
    let term = if reader.eat_word("where") { Some(reader.terms(&[])?) } else { None };
    reader.finish()?;
    let found = lowering.catalog.lookup(&name.text).map_err(|fault| said(&fault, name.span))?;
    let start = options.count("start")?.and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
    let mut rows = match found {
        Some(lookup) => match lookup.source.table().filter(|_| start > 0) {
            Some(table) => lowering.values(rows_from(table, start)),
            None => table_rows(lowering, &lookup),
        },
        None if lowering.runs() => return Err(unknown(lowering, &name).into()),
        None => lowering.nothing().opened(),
    };
    if let Some(term) = term {
        rows = lowering.selected(&rows, &term, &command.searches)?;
    }
    if let Some(most) = options.count("max")? {
        rows = lowering.take(&rows, most);
    }
    Ok(match input.filter(|_| options.flag("append").ok().flatten().unwrap_or(false)) {
        Some(before) => lowering.union(&[before, rows]),
        None => rows,
    })
}

/// The rows of a table from one on.
fn rows_from(table: &Table, start: usize) -> Table {
    let mut left = start;
    let chunks = table.chunks().iter().map(|chunk| {
        let skipped = left.min(chunk.rows);
        left -= skipped;
        let part = |(at, (_, kind)): (usize, &(Name, Kind))| {
            Stored::Column(chunk.load_part(at, *kind, skipped, chunk.rows - skipped, None))
        };
        Chunk { rows: chunk.rows - skipped, columns: table.schema().columns().iter().enumerate().map(part).collect() }
    });
    let chunks = chunks.collect();
    Table::new(table.schema().clone(), chunks)
}

crate::command! {
    /// The rows of a lookup; with `append=true` behind those that there are.
    ///
    /// `where` takes search terms: they choose among the rows. `start` skips rows, `max` takes no more than so many.
    ///
    /// Source: inputlookup.
    ///
    /// ```spl
    /// | inputlookup asset_lookup_by_str where priority=high | stats count // 0
    /// ```
    "inputlookup": "inputlookup [append=<bool>] [start=<count>] [max=<count>] <lookup> [where <terms>]" = Either(lower);
}
