//! `fieldformat`: how a field is shown, which changes no value.
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    reader.needed_field()?;
    reader.expect("=")?;
    let expression = reader.expression()?;
    reader.finish()?;
    lowering.value(&expression, &rows)?;
    Ok(rows)
}

crate::command! {
    /// Says how a field is shown. Values stay as they are, for what follows and for what is written to files: the
    /// expression is only looked at for mistakes.
    ///
    /// Source: fieldformat.
    ///
    /// ```spl
    /// | makeresults | eval n=1234 | fieldformat n="$" . tostring(n, "commas") | table n // 1234
    /// ```
    "fieldformat": "fieldformat <field>=<expression>" = Rows(lower);
}
