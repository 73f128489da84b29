//! What a chart measures: aggregates, and `eval(...)` of aggregates such as `eval(sum(bytes)/count) as each`.
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Expression, ExpressionKind, Word};
use crate::spl::lower::{Aggregation, Lower, Lowering, Rows};
use crate::spl::parse::{AggregateTerm, Argument};
use crate::types::Name;

/// The function that a measure has which is computed of others.
const COMPUTED: &str = "eval";

/// A measure as it is shown.
pub struct Shown {
    pub name: Name,
    /// The aggregate's name.
    pub function: &'static str,
}

/// The measures of a chart, in order.
pub struct Measures {
    aggregation: Aggregation,
    pub shown: Vec<Shown>,
    computed: Vec<(Name, Expression)>,
}

impl Measures {
    pub fn new(lowering: &mut Lowering, terms: &[AggregateTerm], rows: &Rows) -> Lower<Measures> {
        let mut measures = Measures { aggregation: Aggregation::default(), shown: Vec::new(), computed: Vec::new() };
        for term in terms {
            match &term.argument {
                Argument::Eval(expression) if term.function.is(COMPUTED) => {
                    measures.compute(lowering, term, expression, rows)?;
                }
                _ => measures.aggregate(lowering, term, rows)?,
            }
        }
        Ok(measures)
    }

    fn aggregate(&mut self, lowering: &mut Lowering, term: &AggregateTerm, rows: &Rows) -> Lower<()> {
        for made in lowering.aggregation(std::slice::from_ref(term), &[], rows)?.calls {
            self.aggregation.calls.retain(|known| known.name != made.name);
            self.shown.retain(|known| known.name != made.name);
            self.shown.push(Shown { name: made.name.clone(), function: made.call.function.name });
            self.aggregation.calls.push(made);
        }
        Ok(())
    }

    /// The aggregates in the expression become hidden fields.
    fn compute(
        &mut self,
        lowering: &mut Lowering,
        term: &AggregateTerm,
        expression: &Expression,
        rows: &Rows,
    ) -> Lower<()> {
        let Some(alias) = &term.alias else {
            let said = Diagnostic::error("HP504", "`eval` of aggregates needs a name").at(term.span);
            return Err(said.help("write eval(...) as name").into());
        };
        let mut inner = Vec::new();
        let rest = extracted(lowering, expression, &mut inner);
        for (name, term) in inner {
            let mut calls = lowering.aggregation(&[term], &[], rows)?.calls;
            calls.iter_mut().for_each(|made| made.name = name.clone());
            self.aggregation.calls.extend(calls);
        }
        self.shown.push(Shown { name: alias.text.as_str().into(), function: COMPUTED });
        self.computed.push((alias.text.as_str().into(), rest));
        Ok(())
    }

    /// The measures of each group.
    pub fn grouped(&self, lowering: &mut Lowering, rows: &Rows, by: &[Name]) -> Lower<Rows> {
        let aggregation = Aggregation { calls: self.aggregation.calls.clone(), by: by.to_vec() };
        let groups = lowering.grouped(rows, &aggregation)?;
        if self.computed.is_empty() {
            return Ok(groups);
        }
        let computed = self.computed.iter().map(|(name, expression)| {
            let value = lowering.value(expression, &groups)?;
            Ok((name.clone(), value))
        });
        let computed = computed.collect::<Lower<_>>()?;
        let groups = lowering.extend(&groups, computed);
        let names: Vec<Name> = by.iter().cloned().chain(self.shown.iter().map(|made| made.name.clone())).collect();
        Ok(lowering.keep(&groups, &names))
    }
}

/// The expression with a field in the place of each aggregate, which is put among the others.
fn extracted(lowering: &mut Lowering, expression: &Expression, found: &mut Vec<(Name, AggregateTerm)>) -> Expression {
    if let Some(term) = aggregate_of(expression) {
        let name = lowering.hidden("part");
        let field = Expression { kind: ExpressionKind::Field(name.to_string()), span: expression.span };
        found.push((name, term));
        return field;
    }
    let mut all = |parts: &[Expression]| parts.iter().map(|part| extracted(lowering, part, found)).collect::<Vec<_>>();
    let one = |mut parts: Vec<Expression>| parts.pop().unwrap_or_else(|| expression.clone());
    let kind = match &expression.kind {
        ExpressionKind::Number(_) | ExpressionKind::Text(_) | ExpressionKind::Field(_) => return expression.clone(),
        ExpressionKind::Call { name, arguments } => {
            ExpressionKind::Call { name: name.clone(), arguments: all(arguments) }
        }
        ExpressionKind::Negate(inner) => ExpressionKind::Negate(Box::new(one(all(std::slice::from_ref(inner))))),
        ExpressionKind::Not(inner) => ExpressionKind::Not(Box::new(one(all(std::slice::from_ref(inner))))),
        ExpressionKind::Binary { operator, operands } => match <[Expression; 2]>::try_from(all(operands.as_slice())) {
            Ok(operands) => ExpressionKind::Binary { operator, operands: Box::new(operands) },
            Err(_) => return expression.clone(),
        },
        ExpressionKind::In { value, list } => {
            ExpressionKind::In { value: Box::new(one(all(std::slice::from_ref(value)))), list: all(list) }
        }
        ExpressionKind::And(parts) => ExpressionKind::And(all(parts)),
        ExpressionKind::Or(parts) => ExpressionKind::Or(all(parts)),
        ExpressionKind::Xor(parts) => ExpressionKind::Xor(all(parts)),
    };
    Expression { kind, span: expression.span }
}

/// `count`, `sum(bytes)`, `count(eval(...))` as an aggregate; none for other expressions.
fn aggregate_of(expression: &Expression) -> Option<AggregateTerm> {
    let word = |text: &str| Word { text: text.to_owned(), span: expression.span, quoted: false };
    let (function, argument) = match &expression.kind {
        ExpressionKind::Field(name) if name == "count" || name == "c" => (word(name), Argument::None),
        ExpressionKind::Call { name, arguments } if Lowering::is_aggregate(name) => {
            let argument = match arguments.as_slice() {
                [] => Argument::None,
                [Expression { kind: ExpressionKind::Field(field), .. }] => Argument::Field(word(field)),
                [Expression { kind: ExpressionKind::Text(field), .. }] => Argument::Field(word(field)),
                [Expression { kind: ExpressionKind::Call { name, arguments }, .. }] if name.is("eval") => {
                    Argument::Eval(Box::new(arguments.first()?.clone()))
                }
                _ => return None,
            };
            (name.clone(), argument)
        }
        _ => return None,
    };
    let label = function.text.clone();
    Some(AggregateTerm { function, argument, alias: None, label, span: expression.span })
}
