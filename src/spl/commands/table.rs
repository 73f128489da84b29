//! `table`: these fields in this order.
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let words = reader.fields(&[])?;
    reader.finish()?;
    let names = rows.matching_any(words.iter().map(|word| word.text.as_str()));
    Ok(lowering.keep(&rows, &names))
}

crate::command! {
    /// The rows with these fields and no others, in this order; wildcards name several.
    ///
    /// Internal fields, which begin with `_`, are there only where they are named.
    ///
    /// Source: table.
    ///
    /// ```spl
    /// | makeresults | eval a=1, b=2 | table b a // [2,1]
    /// ```
    "table": "table <field>..." = Rows(lower);
}
