//! `eval`: fields of expressions.
use super::lookup_call::answered;
use super::whole;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Expression, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder};
use crate::types::{Column, Name, Table};
use std::borrow::Cow;
use std::collections::HashMap;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let command = lowering.spliced(command)?;
    let mut reader = Reader::new(&command);
    let mut assignments = Vec::new();
    loop {
        assignments.push(assignment(&mut reader)?);
        if !reader.eat(",") {
            break;
        }
    }
    reader.finish()?;
    assign(lowering, rows, &assignments)
}

/// `field=expression`.
fn assignment(reader: &mut Reader) -> Lower<(Word, Expression)> {
    let field = match reader.field() {
        Some(field) => field,
        None => return Err(reader.expected("a field and =").into()),
    };
    reader.expect("=")?;
    Ok((field, reader.expression()?))
}

/// Each assignment sees those before it; those that do not depend on each other are computed in one step.
fn assign(lowering: &mut Lowering, rows: Rows, assignments: &[(Word, Expression)]) -> Lower<Rows> {
    let mut rows = rows;
    let mut waiting: Vec<(Name, Expr)> = Vec::new();
    let mut gone: Vec<Name> = Vec::new();
    for (field, expression) in assignments {
        if field.text.is_empty() {
            return Err(Diagnostic::error("HP500", "a field needs a name").at(field.span).into());
        }
        let mut expression = Cow::Borrowed(expression);
        if expression.calls("lookup") {
            rows = lowering.extend(&rows, std::mem::take(&mut waiting));
            let answered = answered(lowering, &rows, &expression)?;
            rows = answered.rows;
            gone.extend(answered.hidden);
            expression = Cow::Owned(answered.expression);
        }
        if let Some(pieces) = pieces(field) {
            rows = lowering.extend(&rows, std::mem::take(&mut waiting));
            rows = named_by_data(lowering, rows, field, &pieces, &expression)?;
            continue;
        }
        let name = Name::from(field.text.as_str());
        let value = lowering.value(&expression, &rows)?;
        let depends = value.columns().iter().any(|read| waiting.iter().any(|(made, _)| made == read));
        let unseen = !waiting.is_empty() && reads_unseen(&expression, &waiting);
        if depends || unseen || waiting.iter().any(|(made, _)| *made == name) {
            rows = lowering.extend(&rows, std::mem::take(&mut waiting));
            waiting.push((name, lowering.value(&expression, &rows)?));
        } else {
            waiting.push((name, value));
        }
    }
    gone.extend(waiting.iter().filter(|(_, e)| is_absent(e)).map(|(name, _)| name.clone()));
    waiting.retain(|(_, e)| !is_absent(e));
    rows = lowering.extend(&rows, waiting);
    Ok(lowering.without(&rows, &gone))
}

/// The pieces of a name that other fields are part of, `{host}_count`: texts, and names of fields.
fn pieces(field: &Word) -> Option<Vec<(bool, &str)>> {
    let mut pieces = Vec::new();
    let mut rest = field.text.as_str();
    while let Some((before, behind)) = rest.split_once('{').filter(|_| !field.quoted) {
        let (name, after) = behind.split_once('}')?;
        // The braces of a path into a list are part of the name.
        if name.is_empty() {
            return None;
        }
        pieces.push((false, before));
        pieces.push((true, name));
        rest = after;
    }
    (!pieces.is_empty()).then(|| {
        pieces.push((false, rest));
        pieces
    })
}

/// A field whose name each row tells: rows give their value to the field of their name.
fn named_by_data(
    lowering: &mut Lowering,
    rows: Rows,
    target: &Word,
    pieces: &[(bool, &str)],
    expression: &Expression,
) -> Lower<Rows> {
    let (name, value) = (lowering.hidden("name"), lowering.hidden("value"));
    let parts = pieces.iter().filter(|(is_field, written)| *is_field || !written.is_empty());
    let parts = parts.map(|(is_field, written)| if *is_field { rows.field(written) } else { text(written) });
    let named = call(".", parts.collect())?;
    let made = lowering.value(expression, &rows)?;
    let told = lowering.extend(&rows, vec![(name.clone(), named), (value.clone(), made)]);
    let Some(table) = lowering.seen(&told, target.span)? else { return Ok(rows.opened()) };
    let columns = by_name(&table, &name, &value);
    if columns.len() > MOST_FIELDS {
        let said = Diagnostic::error("HP310", format!("the values make more than {MOST_FIELDS} fields"));
        return Err(said.at(target.span).into());
    }
    let table = whole::with_columns(&table, columns);
    let rows = lowering.known(&rows, table);
    Ok(lowering.without(&rows, &[name, value]))
}

/// Fields that the values of one assignment may make.
const MOST_FIELDS: usize = 1000;

/// A column for each name, with the values of its rows.
fn by_name(table: &Table, name: &str, value: &str) -> Vec<(Name, Column)> {
    let (Some(names), Some(values)) = (table.column_named(name), table.column_named(value)) else { return Vec::new() };
    let mut rows: Vec<(Name, Vec<usize>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in 0..table.rows() {
        let Some(own) = field::text(&names, row).filter(|own| !own.is_empty()) else { continue };
        let place = *places.entry(own.to_string()).or_insert_with(|| {
            rows.push((own.as_ref().into(), Vec::new()));
            rows.len() - 1
        });
        if let Some((_, own)) = rows.get_mut(place) {
            own.push(row);
        }
        if rows.len() > MOST_FIELDS {
            break;
        }
    }
    let column = |own: Vec<usize>| {
        let mut out = FieldBuilder::new(Some(&values), table.rows());
        let mut next = own.into_iter().peekable();
        for row in 0..table.rows() {
            match next.next_if_eq(&row) {
                Some(_) => out.push_row(&values, row),
                None => out.push_null(),
            }
        }
        out.finish()
    };
    rows.into_iter().map(|(name, own)| (name, column(own))).collect()
}

fn is_absent(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(value) if value.is_null())
}

/// Whether an expression may name a field that is only about to be made: search terms may name any.
fn reads_unseen(expression: &Expression, waiting: &[(Name, Expr)]) -> bool {
    expression.calls("searchmatch")
        || expression.fields().iter().any(|read| waiting.iter().any(|(made, _)| **made == **read))
}

crate::command! {
    /// Fields of expressions: each is added, or replaced where it is there.
    ///
    /// Fields stand bare or in single quotes, texts in double quotes. An expression that has no value takes the field
    /// away. Later assignments see earlier ones. In the name of a field `{other}` stands for the value of another field:
    /// each row gives its value to the field of its own name. A search in brackets gives the text that its `return` gives.
    ///
    /// Source: eval.
    ///
    /// ```spl
    /// | makeresults | eval a=1+2, b=a*2 | fields b // 6
    /// | makeresults | eval name="x" . "-" . 5 | fields name // x-5
    /// | makeresults | eval kind="dns", {kind}_count=3 | table dns_count // 3
    /// ```
    "eval": "eval <field>=<expression>[, <field>=<expression>]..." = Rows(lower);
}
