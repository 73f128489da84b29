//! Eval expressions as typed ones: fields, texts, conditions.
use super::build::{absent, call};
use super::{Halt, Lower, Lowering, Rows, forms};
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Span, closest};
use crate::expr::{Expr, fold};
use crate::functions::{self, Context, Dialect, Scalar};
use crate::spl::ast::{Expression, ExpressionKind, Word};
use crate::spl::expand::Script;
use crate::spl::parse::Reader;
use crate::types::field::Number;
use crate::types::{Kind, Schema, Value};
use std::sync::Arc;

impl Lowering<'_> {
    /// A field's value: no condition.
    pub fn value(&mut self, expression: &Expression, rows: &Rows) -> Lower<Expr> {
        let found = lowered(expression, rows)?;
        match found.kind() {
            Kind::Bool => {
                let said =
                    Diagnostic::error("HP505", "a condition is no value: it is true or false").at(expression.span);
                Err(said.help("write if(condition, \"yes\", \"no\")").into())
            }
            _ => Ok(found),
        }
    }

    /// What is true, false or not known of each row.
    pub fn condition(&mut self, expression: &Expression, rows: &Rows) -> Lower<Expr> {
        condition(expression, rows)
    }
}

/// The text of an expression that reads no field.
pub fn constant_text(written: &str, context: &Context) -> Result<String, String> {
    let script = Script::made(written.to_owned(), Span::default());
    let mut reader = Reader::of_text(&script);
    let parsed = reader.expression().and_then(|expression| reader.finish().map(|()| expression));
    let expression = parsed.map_err(|said| said.message)?;
    let nothing = Rows::new(crate::plan::NodeId(0), crate::types::Schema::default());
    match lowered(&expression, &nothing).map(|expr| fold(expr, context)) {
        Ok(Expr::Const(value)) if !value.is_null() => Ok(value.to_text()),
        Ok(_) => Err("its expression has no value of its own".to_owned()),
        Err(Halt::Said(said)) => Err(said.message),
        Err(Halt::Need) => Err("its expression asks for data".to_owned()),
    }
}

/// An eval expression by itself: every name in it is a field.
///
/// Errors (QueryError): what is wrong with it, with its place in the text.
pub fn expression(written: &str) -> crate::diagnostic::Result<Expr> {
    let said = |said: Diagnostic| Fault::new(FaultKind::Query, vec![said]);
    let script = Script::made(written.to_owned(), Span::default());
    let mut reader = Reader::of_text(&script);
    let parsed = reader.expression().and_then(|expression| reader.finish().map(|()| expression)).map_err(said)?;
    let mut schema = Schema::default();
    parsed.fields().into_iter().for_each(|name| schema.set(name.into(), Kind::Field));
    let rows = Rows::new(crate::plan::NodeId(0), schema);
    lowered(&parsed, &rows).map_err(|halt| match halt {
        Halt::Said(told) => said(*told),
        Halt::Need => Fault::internal("an expression asks for data"),
    })
}

/// The condition of a text by itself: search terms, or an expression in `eval(...)`.
pub fn condition_of(script: &Arc<Script>, rows: &Rows) -> Lower<Expr> {
    let mut reader = Reader::of_text(script);
    if reader.eat_word("eval") {
        reader.expect("(")?;
        let expression = reader.expression()?;
        reader.expect(")")?;
        reader.finish()?;
        return condition(&expression, rows);
    }
    terms_of(reader, rows)
}

/// The condition of search terms that stand by themselves.
pub(super) fn terms_of(mut reader: Reader, rows: &Rows) -> Lower<Expr> {
    let terms = reader.terms(&[])?;
    reader.finish()?;
    super::terms::condition(&terms, rows)
}

pub(super) fn condition(expression: &Expression, rows: &Rows) -> Lower<Expr> {
    let found = lowered(expression, rows)?;
    match (&found, found.kind()) {
        (_, Kind::Bool) => Ok(found),
        // A field that the rows lack is a value, too.
        (Expr::Const(value), _) if value.is_null() && !matches!(expression.kind, ExpressionKind::Field(_)) => {
            Ok(Expr::Const(Value::Null(Kind::Bool)))
        }
        _ => {
            let said = Diagnostic::error("HP505", "a condition is expected here: this is a value").at(expression.span);
            Err(said.help("compare it: field=\"value\", or isnotnull(field)").into())
        }
    }
}

pub(super) fn lowered(expression: &Expression, rows: &Rows) -> Lower<Expr> {
    match &expression.kind {
        ExpressionKind::Number(text) => Ok(match Number::read(text) {
            Some(number) => Expr::Const(number.into()),
            None => Expr::Const(Value::string(text.as_str())),
        }),
        ExpressionKind::Text(text) => Ok(Expr::Const(Value::string(text.as_str()))),
        ExpressionKind::Field(name) => Ok(rows.field(name)),
        ExpressionKind::Negate(inner) => call("-", vec![lowered(inner, rows)?]),
        ExpressionKind::Not(inner) => call("not", vec![condition(inner, rows)?]),
        ExpressionKind::And(parts) => Ok(Expr::And(conditions(parts, rows)?)),
        ExpressionKind::Or(parts) => Ok(Expr::Or(conditions(parts, rows)?)),
        ExpressionKind::Xor(parts) => {
            let parts = conditions(parts, rows)?.into_iter().map(Ok);
            parts.reduce(|left, right| call("xor", vec![left?, right?])).unwrap_or_else(|| Ok(absent()))
        }
        ExpressionKind::In { value, list } => {
            let mut arguments = vec![lowered(value, rows)?];
            for item in list {
                arguments.push(lowered(item, rows)?);
            }
            call("in", arguments)
        }
        ExpressionKind::Binary { operator: ".", operands } => joined(operands, rows),
        ExpressionKind::Binary { operator, operands } => {
            let [left, right] = operands.as_ref();
            operated(operator, lowered(left, rows)?, lowered(right, rows)?, expression.span)
        }
        ExpressionKind::Call { name, arguments } => called(name, arguments, rows, expression.span),
    }
}

fn conditions(parts: &[Expression], rows: &Rows) -> Lower<Vec<Expr>> {
    parts.iter().map(|part| condition(part, rows)).collect()
}

/// `a . b . c` is one joining of three.
fn joined(operands: &[Expression; 2], rows: &Rows) -> Lower<Expr> {
    let [left, right] = operands;
    let mut parts = Vec::new();
    let mut first = left;
    while let ExpressionKind::Binary { operator: ".", operands } = &first.kind {
        let [inner, last] = operands.as_ref();
        parts.push(last);
        first = inner;
    }
    parts.push(first);
    parts.reverse();
    parts.push(right);
    let parts = parts.into_iter().map(|part| lowered(part, rows)).collect::<Lower<Vec<_>>>()?;
    call(".", parts)
}

fn operated(operator: &'static str, left: Expr, right: Expr, span: Span) -> Lower<Expr> {
    let flags = [&left, &right].into_iter().filter(|side| side.kind() == Kind::Bool).count();
    match (operator, flags) {
        ("LIKE", 0) => call("like", vec![left, right]),
        ("=", 2) => call("not", vec![call("xor", vec![left, right])?]),
        ("!=", 2) => call("xor", vec![left, right]),
        (_, 0) => call(operator, vec![left, right]),
        _ => {
            let said = Diagnostic::error("HP505", format!("`{operator}` takes values, and one side is a condition"));
            Err(said.at(span).help("put parentheses around the comparison, or write if(condition, 1, 0)").into())
        }
    }
}

fn called(name: &Word, arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
    match (name.text.to_ascii_lowercase().as_str(), arguments) {
        ("if", [test, value, otherwise]) => {
            let branches = vec![(condition(test, rows)?, lowered(value, rows)?)];
            Ok(chosen(branches, lowered(otherwise, rows)?))
        }
        ("case", pairs) if !pairs.is_empty() && pairs.len() % 2 == 0 => {
            Ok(chosen(branches(pairs, rows, Ok)?, absent()))
        }
        ("validate", pairs) if !pairs.is_empty() && pairs.len() % 2 == 0 => {
            let fails = |test| call("not", vec![test]);
            Ok(chosen(branches(pairs, rows, fails)?, absent()))
        }
        ("coalesce", [_, ..]) => {
            let parts = arguments.iter().map(|argument| lowered(argument, rows)).collect::<Lower<Vec<_>>>()?;
            Ok(Expr::Coalesce(parts, Kind::Field))
        }
        ("sigfig", [calculation]) => figures(calculation, rows, name, span),
        ("true", []) => Ok(Expr::Const(Value::Bool(true))),
        ("false", []) => Ok(Expr::Const(Value::Bool(false))),
        ("null", []) => Ok(absent()),
        (lower, _) => match forms::find(lower) {
            Some(form) => form.lowered(arguments, rows, span),
            None => library(lower, name, arguments, rows, span),
        },
    }
}

/// `sigfig` of a calculation sees its operands as they are written.
fn figures(calculation: &Expression, rows: &Rows, name: &Word, span: Span) -> Lower<Expr> {
    let class = |operator: &str| match operator {
        "*" | "/" => Some("*"),
        "+" | "-" => Some("+"),
        _ => None,
    };
    let ExpressionKind::Binary { operator, operands } = &calculation.kind else {
        return library("sigfig", name, std::slice::from_ref(calculation), rows, span);
    };
    let Some(wanted) = class(operator) else {
        return library("sigfig", name, std::slice::from_ref(calculation), rows, span);
    };
    let mut arguments = vec![lowered(calculation, rows)?, Expr::Const(Value::string(wanted))];
    let mut open: Vec<&Expression> = operands.iter().collect();
    while let Some(operand) = open.pop() {
        match &operand.kind {
            ExpressionKind::Binary { operator, operands } if class(operator) == Some(wanted) => {
                open.extend(operands.iter())
            }
            ExpressionKind::Number(text) => arguments.push(Expr::Const(Value::string(text.as_str()))),
            _ => arguments.push(lowered(operand, rows)?),
        }
    }
    call(".rounded_as", arguments)
}

fn branches(pairs: &[Expression], rows: &Rows, test: fn(Expr) -> Lower<Expr>) -> Lower<Vec<(Expr, Expr)>> {
    let branch = |pair: &[Expression]| match pair {
        [condition_of, value] => Ok((test(condition(condition_of, rows)?)?, lowered(value, rows)?)),
        _ => Err(Diagnostic::error("HP502", "conditions and values stand in pairs").into()),
    };
    pairs.chunks(2).map(branch).collect()
}

/// Branches of conditions are a condition, others a value.
fn chosen(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    let is_flag = |e: &Expr| e.kind() == Kind::Bool || matches!(e, Expr::Const(value) if value.is_null());
    let flags = branches.iter().all(|(_, value)| is_flag(value)) && is_flag(&otherwise);
    let any = branches.iter().any(|(_, value)| value.kind() == Kind::Bool) || otherwise.kind() == Kind::Bool;
    let kind = if flags && any { Kind::Bool } else { Kind::Field };
    Expr::Case { branches, otherwise: Box::new(otherwise), kind }
}

fn library(lower: &str, name: &Word, arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
    let items = match functions::find(Dialect::Spl, &name.text) {
        [] => functions::find(Dialect::Spl, lower),
        items => items,
    };
    if items.is_empty() || !is_written(&name.text) {
        return Err(unknown(name).into());
    }
    let arguments = arguments.iter().map(|argument| lowered(argument, rows)).collect::<Lower<Vec<_>>>()?;
    let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
    match functions::choose(items, &kinds) {
        Some(item) => Ok(Expr::call(item, arguments)),
        None => Err(misfit(items, name, &kinds, span).into()),
    }
}

/// Names with other characters are items of our own, which no search calls.
fn is_written(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unknown(name: &Word) -> Diagnostic {
    let said = Diagnostic::error("HP502", format!("there is no function `{}`", name.text)).at(name.span);
    let known = functions::all().filter(|item| item.dialect == Dialect::Spl).map(|item| item.name);
    let known = known.chain(forms::FORMS.iter().map(|form| form.name));
    match closest(&name.text, known.filter(|known| is_written(known))) {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said,
    }
}

fn misfit(items: &[&Scalar], name: &Word, kinds: &[Kind], span: Span) -> Diagnostic {
    let fits = |item: &&&Scalar| {
        let (least, most) = item.arity();
        (least..=most).contains(&kinds.len())
    };
    let signature = items.first().map(|item| item.signature()).unwrap_or_default();
    let message = match items.iter().any(|item| fits(&item)) {
        true => format!("`{}` does not take such arguments", name.text),
        false => format!("`{}` does not take {} arguments", name.text, kinds.len()),
    };
    Diagnostic::error("HP502", message).at(span).help(format!("it is written {signature}"))
}
