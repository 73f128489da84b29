//! `from`: the events of a data model.
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Command, Term, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let kind = reader.needed_word("datamodel:<name>")?;
    // The kind and the name may be one word, or two.
    let (kind, name) = match kind.text.split_once(':') {
        Some((kind_text, name)) if !name.is_empty() => {
            (kind_text.to_owned(), Word { text: name.trim_matches('"').to_owned(), ..kind.clone() })
        }
        _ => (kind.text.trim_end_matches(':').to_owned(), {
            reader.eat(":");
            reader.needed_word("the name of a data model")?
        }),
    };
    reader.finish()?;
    match kind.to_ascii_lowercase().as_str() {
        "datamodel" => lowering.dataset(&name, false, &Term::And(Vec::new()), command.span),
        "lookup" | "inputlookup" | "savedsearch" => {
            let said = Diagnostic::error("HP506", format!("`from` cannot read a {kind} here")).at(command.span);
            Err(said.help("| inputlookup <name> reads a lookup").into())
        }
        _ => Err(Diagnostic::error("HP504", format!("`from` knows no `{kind}`")).at(command.span).into()),
    }
}

crate::command! {
    /// The events of a data model's dataset, under the names that the dataset gives to their fields.
    ///
    /// Source: from.
    ///
    /// ```spl
    /// | from datamodel:Web.Web | stats count // 0
    /// ```
    "from": "from datamodel:<name>" = First(lower);
}
