//! `eval`: fields of expressions.
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Expression, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::Name;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
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
    for (field, expression) in assignments {
        if field.text.is_empty() {
            return Err(Diagnostic::error("HP500", "a field needs a name").at(field.span).into());
        }
        let name = Name::from(field.text.as_str());
        let value = lowering.value(expression, &rows)?;
        let depends = value.columns().iter().any(|read| waiting.iter().any(|(made, _)| made == read));
        let unseen = !waiting.is_empty() && reads_unseen(expression, &waiting);
        if depends || unseen || waiting.iter().any(|(made, _)| *made == name) {
            rows = lowering.extend(&rows, std::mem::take(&mut waiting));
            waiting.push((name, lowering.value(expression, &rows)?));
        } else {
            waiting.push((name, value));
        }
    }
    let gone: Vec<Name> = waiting.iter().filter(|(_, e)| is_absent(e)).map(|(name, _)| name.clone()).collect();
    waiting.retain(|(name, _)| !gone.contains(name));
    rows = lowering.extend(&rows, waiting);
    Ok(lowering.without(&rows, &gone))
}

fn is_absent(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(value) if value.is_null())
}

/// Whether an expression names a field that is only about to be made.
fn reads_unseen(expression: &Expression, waiting: &[(Name, Expr)]) -> bool {
    expression.fields().iter().any(|read| waiting.iter().any(|(made, _)| **made == **read))
}

crate::command! {
    /// Fields of expressions: each is added, or replaced where it is there.
    ///
    /// Fields stand bare or in single quotes, texts in double quotes. An expression that has no value takes the field
    /// away. Later assignments see earlier ones.
    ///
    /// Source: eval.
    ///
    /// ```spl
    /// | makeresults | eval a=1+2, b=a*2 | fields b // 6
    /// | makeresults | eval name="x" . "-" . 5 | fields name // x-5
    /// ```
    "eval": "eval <field>=<expression>[, <field>=<expression>]..." = Rows(lower);
}
