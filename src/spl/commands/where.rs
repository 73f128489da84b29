//! `where`: the rows for which an expression is true.
use super::lookup_call::{Answered, answered};
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let command = lowering.spliced(command)?;
    let mut reader = Reader::new(&command);
    let expression = reader.expression()?;
    reader.finish()?;
    let Answered { rows, expression, hidden } = answered(lowering, &rows, &expression)?;
    let condition = lowering.condition(&expression, &rows)?;
    let rows = lowering.filter(&rows, condition);
    Ok(lowering.without(&rows, &hidden))
}

crate::command! {
    /// The rows for which an expression is true.
    ///
    /// Texts are compared letter by letter, the case counts, and `*` is a letter like others: `like` and `match` know
    /// patterns. A comparison with a field that is absent is neither true nor false, and its row goes. NOT binds
    /// tightest, then AND, OR, XOR. A search in brackets gives text: what its `return` gives, or its rows as conditions.
    ///
    /// Source: where.
    ///
    /// ```spl
    /// | makeresults | eval n=5 | where n>3 AND n<10 | stats count // 1
    /// | makeresults | where missing="x" | stats count // 0
    /// | makeresults | eval n=5 | where n=[| makeresults | eval most=5 | return $most] | stats count // 1
    /// ```
    "where": "where <expression>" = Rows(lower);
}
