//! `rex`: fields of what the named groups of a regular expression match.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::sed_pieces;
use crate::functions::spl::pcre::{self, Pattern};
use crate::spl::ast::Command;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::field::Number;
use crate::types::{Kind, Name};
use std::sync::Arc;

const OPTIONS: [&str; 4] = ["field", "max_match", "mode", "offset_field"];

/// Matches of one field that count where all are wanted.
const MOST_MATCHES: u64 = 1_000_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let pattern = reader.needed_word("a regular expression in double quotes")?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let field = options.text("field").unwrap_or("_raw");
    if options.choice("mode", &["sed"])?.is_some() {
        if sed_pieces(&pattern.text).is_none() {
            let said = Diagnostic::error("HP504", format!("`{}` is no sed script", pattern.text)).at(pattern.span);
            return Err(said.help("write s/regex/replacement/flags or y/abc/xyz/").into());
        }
        let edited = call(".sed", vec![rows.field(field), text(&pattern.text)])?;
        return Ok(if rows.has(field) { lowering.extend(&rows, vec![(field.into(), edited)]) } else { rows });
    }
    let compiled = compiled(lowering, &pattern.text, pattern.span)?;
    let most = match options.count("max_match")?.unwrap_or(1) {
        0 => MOST_MATCHES,
        most => most,
    };
    let offsets = match options.text("offset_field") {
        Some(name) => {
            let found = call(".rex_offset", vec![rows.field(field), text(&pattern.text)])?;
            Some((Name::from(name), kept(found, &rows, name)))
        }
        None => None,
    };
    extract(lowering, rows, field, &compiled, &pattern.text, most, offsets)
}

/// The pattern of a search's text, or where it is wrong.
pub fn compiled(lowering: &Lowering, pattern: &str, span: Span) -> Lower<Arc<Pattern>> {
    pcre::compile(lowering.settings.context, pattern).map_err(|fault| said(&fault, span))
}

/// A row without a match keeps the fields that it has.
fn extract(
    lowering: &mut Lowering,
    rows: Rows,
    from: &str,
    compiled: &Pattern,
    pattern: &str,
    most: u64,
    offsets: Option<(Name, Expr)>,
) -> Lower<Rows> {
    let count = Expr::Const(Number::Long(i64::try_from(most).unwrap_or(i64::MAX)).into());
    let names = compiled.distinct_names();
    // The pattern runs once, whatever the number of its groups.
    let all = (names.len() > 1).then(|| lowering.hidden("groups"));
    let rows = match &all {
        Some(all) => {
            let found = call(".rex_all", vec![rows.field(from), text(pattern), count.clone()])?;
            lowering.extend(&rows, vec![(all.clone(), found)])
        }
        None => rows,
    };
    let mut columns: Vec<(Name, Expr)> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let number = |number: usize| Expr::Const(Number::Long(number as i64).into());
        let found = match &all {
            Some(all) => call(".rex_one", vec![rows.field(all), number(at), number(names.len())])?,
            None => call(".rex", vec![rows.field(from), text(pattern), text(name), count.clone()])?,
        };
        columns.push(((*name).into(), kept(found, &rows, name)));
    }
    columns.extend(offsets);
    let made = lowering.extend(&rows, columns);
    Ok(lowering.without(&made, all.as_slice()))
}

/// What is found, or what the field of that name had.
fn kept(found: Expr, rows: &Rows, name: &str) -> Expr {
    match rows.has(name) {
        true => Expr::Coalesce(vec![found, rows.field(name)], Kind::Field),
        false => found,
    }
}

crate::command! {
    /// Fields of what the named groups of a regular expression match, or a field changed by a script of sed.
    ///
    /// The expression is PCRE's; groups are written `(?<name>...)`. The first match counts, or as many as `max_match`
    /// says (0 for all), which gives a field several values. `field` is `_raw` unless another is named. A row without a
    /// match stays as it is. `offset_field` is given the places of the first and the last character of what is found.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="user=bob" | rex field=t "user=(?<user>\w+)" | fields user | fields - _time // bob
    /// | makeresults | eval t="a-b" | rex field=t mode=sed "s/-/+/" | fields t | fields - _time // a+b
    /// ```
    "rex": "rex [field=<field>] [max_match=<count>] [offset_field=<field>] [mode=sed] \"<regex or script>\"" = Rows(lower);
}
