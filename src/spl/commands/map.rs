//! `map`: a search for each row.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Span};
use crate::spl::ast::Command;
use crate::spl::expand::Script;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Table, field};

const OPTIONS: [&str; 2] = ["search", "maxsearches"];

/// Searches that run where no number is said.
const MOST_SEARCHES: u64 = 10;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let inner = reader.search();
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let (template, span) = match (inner, options.word("search")) {
        (Some(search), _) => (search.script.text().get(search.start..search.end).unwrap_or("").to_owned(), search.span),
        (None, Some(word)) => (lowering.without_macros(&word.text, word.span)?, word.span),
        (None, None) => {
            return Err(Diagnostic::error("HP504", "`map` needs a search").at(command.span).into());
        }
    };
    let most = options.count("maxsearches")?.unwrap_or(MOST_SEARCHES);
    let input = lowering.take(&rows, most);
    let Some(table) = lowering.seen(&input, command.name.span)? else { return Ok(rows.opened()) };
    let mut all = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let script = Script::made(filled(&template, &table, row, span)?, span);
        let search = lowering.parsed(&script)?;
        all.push(lowering.search(&search, None)?);
    }
    Ok(lowering.union(&all))
}

/// The template with `$field$` replaced by the row's values.
fn filled(template: &str, table: &Table, row: usize, span: Span) -> Lower<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('$').filter(|(name, _)| is_name(name)) else {
            out.push('$');
            rest = after;
            continue;
        };
        let value = table.column_named(name).and_then(|column| field::text(&column, row).map(|text| text.into_owned()));
        match value {
            Some(value) => out.push_str(&value),
            None => {
                let said = Diagnostic::error("HP504", format!("`map` finds no value for ${name}$")).at(span);
                return Err(said.help("take rows without the field out before: where isnotnull(field)").into());
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '{' | '}' | ':' | '-'))
}

crate::command! {
    /// Runs a search for each row, with the row's values in the place of `$field$`, and gives the rows of all.
    ///
    /// At most 10 rows count unless `maxsearches` says otherwise.
    ///
    /// Source: map.
    ///
    /// ```spl
    /// | makeresults count=2 | eval n=3 | map [| makeresults count=$n$] | stats count // 6
    /// ```
    "map": "map [<search>] [maxsearches=<count>]" = Rows(lower);
}
