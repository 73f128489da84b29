//! `replace`: values for others.
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::Command;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::Name;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut pairs: Vec<Expr> = Vec::new();
    while !reader.at_end() && !reader.at_word("in") {
        if reader.eat(",") {
            continue;
        }
        let from = reader.needed_word("a value")?;
        if !reader.eat_word("with") {
            return Err(reader.expected("`with`").into());
        }
        let to = reader.needed_word("a value")?;
        pairs.push(text(&from.text));
        pairs.push(text(&to.text));
    }
    let fields = if reader.eat_word("in") { reader.fields(&[])? } else { Vec::new() };
    reader.finish()?;
    if pairs.is_empty() {
        let said =
            Diagnostic::error("HP504", "`replace` needs a value and another one: replace a with b").at(command.span);
        return Err(said.into());
    }
    let names: Vec<Name> = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => rows.matching_any(fields.iter().map(|word| word.text.as_str())),
    };
    let mut made = Vec::with_capacity(names.len());
    for name in names.into_iter().filter(|name| rows.has(name)) {
        let arguments = std::iter::once(rows.field(&name)).chain(pairs.iter().cloned()).collect();
        made.push((name, call(".replaced", arguments)?));
    }
    Ok(lowering.extend(&rows, made))
}

crate::command! {
    /// Puts values in the place of others, in the fields named or in all but internal ones.
    ///
    /// A value is replaced as a whole. `*` stands for any text, and in the new value for what it stood for.
    ///
    /// Source: replace.
    ///
    /// ```spl
    /// | makeresults | eval host="web01.example" | replace *.example with * in host | table host // web01
    /// ```
    "replace": "replace <value> with <value>... [in <field>...]" = Rows(lower);
}
