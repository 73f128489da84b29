//! `head`: the first rows.
use super::options::Options;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

const DEFAULT_ROWS: u64 = 10;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &["limit", "null", "keeplast"])?;
    let count = options.count("limit")?.or_else(|| {
        let before = reader.position();
        let found = reader.word().and_then(|word| word.text.parse().ok());
        if found.is_none() {
            reader.back_to(before);
        }
        found
    });
    reader.finish()?;
    Ok(lowering.take(&rows, count.unwrap_or(DEFAULT_ROWS)))
}

crate::command! {
    /// The first rows: 10 where no number is said.
    ///
    /// Source: head.
    ///
    /// ```spl
    /// | makeresults count=20 | head 3 | stats count // 3
    /// ```
    "head": "head [<count>]" = Rows(lower);
}
