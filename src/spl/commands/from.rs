//! `from` and `datamodel`: the events of a data model.
use super::options::Options;
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

fn datamodel(lowering: &mut Lowering, command: &Command) -> Lower<Rows> {
    const OPTIONS: [&str; 3] = ["strict_fields", "allow_old_summaries", "summariesonly"];
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let model = reader.word();
    let dataset = reader.word();
    let mode = reader.word();
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let (Some(model), Some(dataset), Some(mode)) = (model, dataset, mode) else {
        let said = Diagnostic::error("HP506", "`datamodel` shows no definitions here").at(command.span);
        return Err(said.help("| datamodel <model> <dataset> search gives the events of a dataset").into());
    };
    let prefixed = match mode.text.to_ascii_lowercase().as_str() {
        "search" | "acceleration_search" => true,
        "flat" => false,
        _ => {
            let said = Diagnostic::error("HP504", format!("`datamodel` knows no `{}`", mode.text)).at(mode.span);
            return Err(said.help("search or flat").into());
        }
    };
    let path =
        Word { text: format!("{}.{}", model.text, dataset.text), span: model.span.to(dataset.span), quoted: true };
    lowering.dataset(&path, prefixed, &Term::And(Vec::new()), command.span)
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

    /// The events of a data model's dataset: with `search` under names such as `Processes.user`, with `flat` without the
    /// dataset's name.
    ///
    /// Source: datamodel.
    ///
    /// ```spl
    /// | datamodel Endpoint Processes search | stats count // 0
    /// ```
    "datamodel": "datamodel <model> <dataset> search|flat" = First(datamodel);
}
