//! `fillnull`: a value for what is absent.
use super::options::Options;
use crate::expr::Expr;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::{Kind, Name, Table, Value};

const DEFAULT: &str = "0";

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let (options, fields) = Options::with_fields(command, &["value"])?;
    let value = Value::field([options.text("value").unwrap_or(DEFAULT)]);
    let (rows, names) = match fields.is_empty() {
        false => {
            let names = rows.matching_any(fields.iter().map(|word| word.text.as_str()));
            (rows, names)
        }
        // Every field that some row has: only the data tell.
        true => match lowering.seen_some(&rows, command.name.span)? {
            None => return Ok(rows.opened()),
            Some(table) => {
                let names = present(&table);
                (lowering.known(&rows, table), names)
            }
        },
    };
    let filled = names.into_iter().map(|name| {
        let parts = vec![rows.field(&name), Expr::Const(value.clone())];
        (name, Expr::Coalesce(parts, Kind::Field))
    });
    let filled = filled.collect();
    Ok(lowering.extend(&rows, filled))
}

/// The fields that have a value in some row; internal ones are not filled.
pub fn present(table: &Table) -> Vec<Name> {
    let has_value = |at: usize| {
        let column = table.column(at);
        column.null_buffer().is_none_or(|nulls| nulls.null_count() < column.len())
    };
    let names = table.schema().names().enumerate();
    names.filter(|(at, name)| !name.starts_with('_') && has_value(*at)).map(|(_, name)| name.clone()).collect()
}

crate::command! {
    /// Puts a value, 0 unless another is said, where fields are absent: the fields named, or all that some row has.
    ///
    /// Source: fillnull.
    ///
    /// ```spl
    /// | makeresults | fillnull value="-" user | fields user | fields - _time // -
    /// ```
    "fillnull": "fillnull [value=<text>] [<field>...]" = Rows(lower);
}
