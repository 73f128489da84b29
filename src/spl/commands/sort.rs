//! `sort`: the rows in an order.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::plan::SortKey;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows, build};
use crate::spl::parse::Reader;

/// Rows that stay where no number is said.
const DEFAULT_ROWS: u64 = 10_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let limit = Options::read(&mut reader, &["limit"])?.count("limit")?.or_else(|| reader.count());
    let keys = keys(&mut reader, &rows)?;
    reader.finish()?;
    if keys.is_empty() {
        return Err(Diagnostic::error("HP504", "`sort` needs a field").at(command.span).into());
    }
    let sorted = lowering.sort(&rows, keys);
    Ok(match limit.unwrap_or(DEFAULT_ROWS) {
        0 => sorted,
        most => lowering.take(&sorted, most),
    })
}

/// Fields with signs, up to the end.
pub fn keys(reader: &mut Reader, rows: &Rows) -> Lower<Vec<SortKey>> {
    let mut keys = Vec::new();
    loop {
        while reader.eat(",") {}
        let before = reader.position();
        let sign = if reader.eat("-") {
            Some(true)
        } else if reader.eat("+") {
            Some(false)
        } else {
            None
        };
        let Some(field) = reader.field() else {
            reader.back_to(before);
            break;
        };
        // A last `d` turns the whole order round.
        if sign.is_none() && ["d", "desc"].iter().any(|word| field.is(word)) && reader.at_end() && !keys.is_empty() {
            keys.iter_mut().for_each(|key: &mut SortKey| key.descending = !key.descending);
            break;
        }
        keys.push(key(rows, &field, sign == Some(true))?);
    }
    Ok(keys)
}

/// The key of a field, or of `num(field)`, `str(field)`, `ip(field)`.
fn key(rows: &Rows, field: &Word, descending: bool) -> Lower<SortKey> {
    let inner = |kind: &str| {
        let rest = field.text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')')?;
        (!field.quoted).then(|| rest.trim())
    };
    let forms = [("auto", ".order"), ("num", ".order_number"), ("str", ".order_text"), ("ip", ".order_address")];
    let found = forms.iter().find_map(|(kind, function)| Some((inner(kind)?, *function)));
    let (name, function) = found.unwrap_or((field.text.as_str(), ".order"));
    let expr = build::call(function, vec![rows.field(name)])?;
    // What is absent counts as the largest.
    Ok(SortKey { expr, descending, nulls_first: descending })
}

crate::command! {
    /// The rows in the order of fields: numbers as numbers, addresses as addresses, other texts by their characters.
    ///
    /// A minus sign before a field turns its order round. What is absent counts as the largest. 10,000 rows stay unless
    /// another number is said before the fields; 0 keeps all. `num(field)`, `str(field)` and `ip(field)` say how a field
    /// is compared.
    ///
    /// Source: sort.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | sort - n | head 1 | fields n | fields - _time // 3
    /// ```
    "sort": "sort [<count>] [+|-]<field>... [desc]" = Rows(lower);
}
