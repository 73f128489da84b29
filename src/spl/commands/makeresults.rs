//! `makeresults`: rows of the current time.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name, Schema, Table, Value, datetime};

/// More rows than this are made by no search that means it.
const MOST_ROWS: u64 = 10_000_000;

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &["count", "annotate", "splunk_server", "splunk_server_group"])?;
    reader.finish()?;
    let count = options.count("count")?.unwrap_or(1);
    if count > MOST_ROWS {
        return Err(Diagnostic::error("HP310", format!("`makeresults` makes at most {MOST_ROWS} rows"))
            .at(command.span)
            .into());
    }
    let seconds = lowering.settings.context.now.div_euclid(datetime::TICKS_PER_SECOND);
    let now = Value::from(crate::types::field::Number::Long(seconds));
    let schema = Schema::from_iter([(Name::from("_time"), Kind::Field)]);
    let rows: Vec<Vec<Value>> = (0..count).map(|_| vec![now.clone()]).collect();
    Ok(lowering.values(Table::from_rows(schema, &rows)))
}

crate::command! {
    /// Rows that hold the current time in `_time`, and nothing else: something to try expressions on.
    ///
    /// Source: makeresults.
    ///
    /// ```spl
    /// | makeresults count=5 | stats count // 5
    /// ```
    "makeresults": "makeresults [count=<count>]" = First(lower);
}
