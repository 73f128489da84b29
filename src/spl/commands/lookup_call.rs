//! `lookup(...)` inside of an expression: what the command would find, as a JSON object.
//!
//! The rows are looked up before the expression is computed; it reads the answers from hidden fields.
use super::lookup::{Call, looked_up};
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::spl::ast::{Expression, ExpressionKind, Word};
use crate::spl::lower::build::{absent, call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::{Kind, Name};

/// Rows with the answers of the lookups that an expression asks, and the expression that reads them.
pub struct Answered {
    pub rows: Rows,
    pub expression: Expression,
    /// The fields that hold the answers, and what they were made of.
    pub hidden: Vec<Name>,
}

/// Looks up what an expression asks for.
pub fn answered(lowering: &mut Lowering, rows: &Rows, expression: &Expression) -> Lower<Answered> {
    let mut expression = expression.clone();
    let mut answers = Answers { lowering, rows: rows.clone(), hidden: Vec::new() };
    answers.put(&mut expression)?;
    Ok(Answered { rows: answers.rows, hidden: answers.hidden, expression })
}

struct Answers<'l, 'a> {
    lowering: &'l mut Lowering<'a>,
    rows: Rows,
    hidden: Vec<Name>,
}

impl Answers<'_, '_> {
    /// Puts answers in the place of the calls in an expression, inner ones first.
    fn put(&mut self, expression: &mut Expression) -> Lower<()> {
        // What is computed for each value of a field is not known of a row.
        if expression.is_call("mvmap") || expression.is_call("mvfilter") {
            return Ok(());
        }
        expression.parts_mut().into_iter().try_for_each(|part| self.put(part))?;
        if expression.is_call("lookup") {
            let answer = self.answer(&Asked::read(expression)?)?;
            expression.kind = ExpressionKind::Field(answer.to_string());
        }
        Ok(())
    }

    /// The field with what is found.
    fn answer(&mut self, asked: &Asked) -> Lower<Name> {
        let mut keys = Vec::new();
        let mut values = Vec::new();
        for (field, value) in &asked.keys {
            let name = self.hide("key");
            values.push((name.clone(), self.lowering.value(value, &self.rows)?));
            keys.push((field.clone(), name));
        }
        let outputs: Vec<(Word, Name)> =
            asked.outputs.iter().map(|field| (field.clone(), self.hide("output"))).collect();
        self.rows = self.lowering.extend(&self.rows, values);
        let found = outputs.iter().map(|(field, name)| (field.text.clone(), name.clone())).collect::<Vec<_>>();
        let call =
            Call { name: asked.lookup.clone(), keys, outputs: Some(outputs), keeps: false, time: "_time".into() };
        self.rows = looked_up(self.lowering, &call, self.rows.clone())?;
        let name = self.hide("found");
        let object = object(&self.rows, &found)?;
        self.rows = self.lowering.extend(&self.rows, vec![(name.clone(), object)]);
        Ok(name)
    }

    fn hide(&mut self, what: &str) -> Name {
        let name = self.lowering.hidden(what);
        self.hidden.push(name.clone());
        name
    }
}

/// The fields that have a value as a JSON object; nothing where none has.
fn object(rows: &Rows, fields: &[(String, Name)]) -> Lower<Expr> {
    let any = Expr::Coalesce(fields.iter().map(|(_, name)| rows.field(name)).collect(), Kind::Field);
    let members = fields.iter().flat_map(|(key, name)| [text(key), rows.field(name)]).collect();
    Ok(Expr::Case {
        branches: vec![(call("isnotnull", vec![any])?, call(".json_row", members)?)],
        otherwise: Box::new(absent()),
        kind: Kind::Field,
    })
}

/// What the arguments of a call say.
struct Asked {
    lookup: Word,
    keys: Vec<(Word, Expression)>,
    outputs: Vec<Word>,
}

impl Asked {
    fn read(expression: &Expression) -> Lower<Asked> {
        let found = match expression.arguments_of("lookup").unwrap_or_default() {
            [lookup, keys, outputs] => Asked::of(lookup, keys, outputs),
            _ => None,
        };
        found.ok_or_else(|| misfit(expression.span).into())
    }

    fn of(lookup: &Expression, keys: &Expression, outputs: &Expression) -> Option<Asked> {
        let pair = |pair: &[Expression]| match pair {
            [field, value] => Some((quoted(field)?, value.clone())),
            _ => None,
        };
        let keys = keys.arguments_of("json_object")?.chunks(2).map(pair).collect::<Option<Vec<_>>>()?;
        let outputs = outputs.arguments_of("json_array")?.iter().map(quoted).collect::<Option<Vec<_>>>()?;
        let complete = !keys.is_empty() && !outputs.is_empty();
        complete.then_some(Asked { lookup: quoted(lookup)?, keys, outputs })
    }
}

fn misfit(span: Span) -> Diagnostic {
    let said = Diagnostic::error("HP502", "`lookup` takes a lookup, the fields to match and the fields to give");
    said.at(span).help("it is written lookup(\"name\", json_object(\"field\", value, ...), json_array(\"field\", ...))")
}

/// A text in double quotes.
fn quoted(expression: &Expression) -> Option<Word> {
    match &expression.kind {
        ExpressionKind::Text(text) => Some(Word { text: text.clone(), span: expression.span, quoted: true }),
        _ => None,
    }
}
