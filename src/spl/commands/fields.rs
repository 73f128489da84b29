//! `fields`: keeps fields, or takes them away.
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::Name;

/// What stays though it is not named.
const INTERNAL: [&str; 2] = ["_time", "_raw"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let removes = reader.eat("-");
    if !removes {
        reader.eat("+");
    }
    let words = reader.fields(&[])?;
    reader.finish()?;
    let patterns: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    if removes {
        let gone: Vec<Name> =
            rows.names().filter(|name| patterns.iter().any(|p| wildcard::matches(p, name))).cloned().collect();
        return Ok(lowering.without(&rows, &gone));
    }
    let mut names = rows.matching_any(patterns.iter().copied());
    names.retain(|name| rows.has(name) || rows.open);
    names.extend(INTERNAL.into_iter().filter(|name| rows.has(name)).map(Name::from));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(lowering.keep(&rows, &names))
}

crate::command! {
    /// Keeps these fields, or takes them away behind a minus sign; wildcards name several.
    ///
    /// `_time` and `_raw` stay unless they are taken away by name.
    ///
    /// Source: fields.
    ///
    /// ```spl
    /// | makeresults | eval a=1, b=2 | fields - _time, b // 1
    /// ```
    "fields": "fields [+|-] <field>..." = Rows(lower);
}
