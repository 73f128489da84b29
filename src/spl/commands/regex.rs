//! `regex`: the rows in which a regular expression matches.
use super::rex::compiled;
use crate::spl::ast::Command;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let first = reader.needed_word("a field or a regular expression in double quotes")?;
    let negates = reader.eat("!=");
    let (field, pattern) = match negates || reader.eat("=") {
        true => (first.text, reader.needed_word("a regular expression in double quotes")?),
        false => ("_raw".to_owned(), first),
    };
    reader.finish()?;
    compiled(lowering, &pattern.text, pattern.span)?;
    let matches = call("match", vec![rows.field(&field), text(&pattern.text)])?;
    let condition = match negates {
        false => matches,
        // A row without the field does not match either.
        true => {
            let absent = call("isnull", vec![rows.field(&field)])?;
            crate::spl::lower::build::any(vec![absent, call("not", vec![matches])?])
        }
    };
    Ok(lowering.filter(&rows, condition))
}

crate::command! {
    /// The rows in which a regular expression matches anywhere in a field, or does not behind `!=`.
    ///
    /// The case counts. The field is `_raw` unless another is named.
    ///
    /// Source: regex.
    ///
    /// ```spl
    /// | makeresults | eval user="admin" | regex user="^adm" | stats count // 1
    /// | makeresults | eval user="admin" | regex user!="^adm" | stats count // 0
    /// ```
    "regex": "regex [<field>=|<field>!=]\"<regex>\"" = Rows(lower);
}
