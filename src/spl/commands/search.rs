//! `search`: the rows for which terms hold; events where it comes first.
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, input: Option<Rows>) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let term = reader.terms(&[])?;
    reader.finish()?;
    match input {
        Some(rows) => lowering.selected(&rows, &term, &command.searches),
        None => {
            let events = lowering.events(&term, command.span)?;
            lowering.selected_events(&events, &term, &command.searches)
        }
    }
}

crate::command! {
    /// The rows for which terms hold; where it comes first, the events.
    ///
    /// Terms that follow each other must all hold; OR binds tighter than this, and NOT takes the next term alone.
    /// `field=value` compares in any case, `*` stands for any characters, in quotes too; numbers are compared as
    /// numbers, and `src=10.0.0.0/8` takes the addresses of a network. `field!=value` wants the field to be there,
    /// `NOT field=value` does not. A bare word or a phrase in quotes is looked for in `_raw`, or in every field where
    /// there is none. `earliest=` and `latest=` bound `_time`. A search in brackets stands for the rows that it gives:
    /// `((a="1" b="2") OR (a="3"))`.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval user="Admin" | search user=adm* NOT user=root | stats count // 1
    /// | makeresults | eval a=1 | search a=2 OR a=1 b=3 | stats count // 0
    /// | makeresults | eval a=5 | search [| makeresults | eval a=5 | fields a] | stats count // 1
    /// ```
    "search": "search <terms>" = Either(lower);
}
