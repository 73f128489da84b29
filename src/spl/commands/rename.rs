//! `rename`: fields under other names.
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::Name;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut pairs = Vec::new();
    while !reader.at_end() {
        let from = reader.needed_field()?;
        if !reader.eat_word("as") {
            return Err(reader.expected("`as`").into());
        }
        pairs.push((from, reader.needed_field()?));
        while reader.eat(",") {}
    }
    if pairs.is_empty() {
        return Err(reader.expected("a field").into());
    }
    let mut columns: Vec<(Name, Expr)> = rows.names().map(|name| (name.clone(), rows.field(name))).collect();
    for (from, to) in &pairs {
        rename(&mut columns, from, to, &rows)?;
    }
    Ok(lowering.project(&rows, columns).open_as(&rows))
}

/// Renames each field that a pattern names. A field that is not there empties the one whose name it would get.
fn rename(columns: &mut Vec<(Name, Expr)>, from: &Word, to: &Word, rows: &Rows) -> Lower<()> {
    let stars = |word: &Word| word.text.matches('*').count();
    if stars(to) > stars(from) {
        let message = format!("`{}` has more wildcards than `{}`", to.text, from.text);
        return Err(Diagnostic::error("HP504", message).at(to.span).into());
    }
    if wildcard::is_pattern(&from.text) {
        rows.want_all();
    }
    let known: Vec<Name> = columns.iter().map(|(name, _)| name.clone()).collect();
    if !wildcard::is_pattern(&from.text) {
        let new = Name::from(to.text.as_str());
        match known.iter().any(|name| **name == *from.text) {
            true => moved(columns, &from.text, new),
            false if rows.open => columns.push((new, rows.field(&from.text))),
            false => columns.retain(|(name, _)| *name != new),
        }
        return Ok(());
    }
    for name in known.iter().filter(|name| wildcard::matches(&from.text, name)) {
        let captures = wildcard::captures(&from.text, name).unwrap_or_default();
        moved(columns, name, wildcard::filled(&to.text, &captures).into());
    }
    Ok(())
}

fn moved(columns: &mut Vec<(Name, Expr)>, from: &str, to: Name) {
    if *to == *from {
        return;
    }
    columns.retain(|(name, _)| *name != to);
    if let Some((name, _)) = columns.iter_mut().find(|(name, _)| **name == *from) {
        *name = to;
    }
}

crate::command! {
    /// Gives fields other names; wildcards rename several: what `*` stands for is filled in on the right.
    ///
    /// A name with spaces stands in quotes. A field of the new name is replaced; renaming a field that is not there
    /// takes that one away.
    ///
    /// Source: rename.
    ///
    /// ```spl
    /// | makeresults | eval Processes.user="u" | rename Processes.* as * | fields user // u
    /// ```
    "rename": "rename <field> as <field>[, ...]" = Rows(lower);
}
