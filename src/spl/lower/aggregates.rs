//! Aggregates over rows: names, wildcards, conditions, groups by fields.
use super::build::call;
use super::{Lower, Lowering, Rows};
use crate::diagnostic::{Diagnostic, closest};
use crate::expr::Expr;
use crate::functions::aggregates::{self, Aggregate};
use crate::functions::{Dialect, Returns};
use crate::plan::{AggregateCall, Expanded, Node, SortKey};
use crate::spl::ast::{ExpressionKind, Word};
use crate::spl::parse::{AggregateTerm, Argument};
use crate::spl::wildcard;
use crate::types::field::Number;
use crate::types::{Kind, Name, Schema};

/// Aggregates that count the rows for which an expression holds.
const COUNTS: [&str; 2] = ["count", "c"];

const TIME: &str = "_time";

/// Names before the number of a percentile: `perc95(x)`.
const PERCENTILES: [&str; 4] = ["exactperc", "upperperc", "perc", "p"];

/// An aggregate with the name of its result.
#[derive(Clone, Debug)]
pub struct Aggregated {
    pub name: Name,
    pub call: AggregateCall,
}

/// Aggregates and the fields whose values make the groups.
#[derive(Clone, Debug, Default)]
pub struct Aggregation {
    pub calls: Vec<Aggregated>,
    pub by: Vec<Name>,
}

impl Lowering<'_> {
    /// Aggregates as they are written, over the fields of `rows`.
    pub fn aggregation(&mut self, terms: &[AggregateTerm], by: &[Word], rows: &Rows) -> Lower<Aggregation> {
        let by: Vec<Name> = by.iter().map(|word| Name::from(word.text.as_str())).collect();
        let mut calls: Vec<Aggregated> = Vec::new();
        for term in terms {
            for made in self.aggregated(term, &by, rows)? {
                if by.contains(&made.name) {
                    let message = format!("`{}` is the name of a group and of a result", made.name);
                    return Err(Diagnostic::error("HP504", message).at(term.span).into());
                }
                calls.retain(|known| known.name != made.name);
                calls.push(made);
            }
        }
        Ok(Aggregation { calls, by })
    }

    /// One aggregate, or one for each field that its wildcards name.
    pub fn aggregated(&mut self, term: &AggregateTerm, by: &[Name], rows: &Rows) -> Lower<Vec<Aggregated>> {
        let Argument::Field(field) = &term.argument else {
            let name = term.alias.as_ref().map_or(term.label.as_str(), |alias| &alias.text);
            let call = self.aggregate_call(term, None, rows)?;
            return Ok(vec![Aggregated { name: name.into(), call }]);
        };
        let is_pattern = !field.quoted && wildcard::is_pattern(&field.text);
        let fields: Vec<Name> = match is_pattern {
            true => rows.matching(&field.text).into_iter().filter(|name| !by.contains(name)).collect(),
            false => vec![field.text.as_str().into()],
        };
        let mut made = Vec::with_capacity(fields.len());
        for name in &fields {
            let label = match (&term.alias, is_pattern) {
                (Some(alias), true) => {
                    let captures = wildcard::captures(&field.text, name).unwrap_or_default();
                    wildcard::filled(&alias.text, &captures)
                }
                (Some(alias), false) => alias.text.clone(),
                (None, true) => format!("{}({name})", term.function.text),
                (None, false) => term.label.clone(),
            };
            let call = self.aggregate_call(term, Some(rows.field(name)), rows)?;
            made.push(Aggregated { name: label.into(), call });
        }
        Ok(made)
    }

    /// Whether there is an aggregate of that name.
    pub fn is_aggregate(word: &Word) -> bool {
        function_of(word).is_ok()
    }

    fn aggregate_call(&mut self, term: &AggregateTerm, field: Option<Expr>, rows: &Rows) -> Lower<AggregateCall> {
        if matches!(term.argument, Argument::Series(..)) {
            let message = "`sparkline` is an aggregate of `stats`, and of `chart` without columns by a field";
            return Err(Diagnostic::error("HP504", message).at(term.span).into());
        }
        let (function, percentile) = function_of(&term.function)?;
        let mut condition = None;
        let mut arguments: Vec<Expr> = match (&term.argument, field) {
            (_, Some(field)) => vec![field],
            (Argument::Eval(expression), None) if COUNTS.contains(&function.name) => {
                let is_value = matches!(expression.kind, ExpressionKind::Field(_) | ExpressionKind::Number(_));
                match if is_value { None } else { self.condition(expression, rows).ok() } {
                    Some(test) => {
                        condition = Some(test);
                        Vec::new()
                    }
                    None => vec![self.value(expression, rows)?],
                }
            }
            (Argument::Eval(expression), None) => vec![self.value(expression, rows)?],
            _ => Vec::new(),
        };
        arguments.extend(percentile.map(|p| Expr::Const(p.into())));
        // What depends on the time of events is told it.
        let takes_time = function.parameters.iter().position(|p| p.name == "time").filter(|at| *at == arguments.len());
        if takes_time.is_some() {
            arguments.push(rows.field("_time"));
        }
        let (least, most) = function.arity();
        if !(least..=most).contains(&arguments.len()) {
            let message = match arguments.len() {
                0 => format!("`{}` needs a field: {}(field)", term.function.text, term.function.text),
                _ => format!("`{}` takes no field", term.function.text),
            };
            return Err(Diagnostic::error("HP502", message).at(term.span).into());
        }
        let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
        let kind = match function.returns {
            Returns::Kind(kind) => kind,
            ref other => other.kind(&kinds, &[]),
        };
        Ok(AggregateCall { function, arguments, condition, kind })
    }

    /// The groups of rows, sorted by what they are grouped by.
    pub fn grouped(&mut self, input: &Rows, aggregation: &Aggregation) -> Lower<Rows> {
        let groups = self.groups(input, aggregation)?;
        let keys = aggregation.by.iter().map(|name| ascending(&groups, name)).collect::<Lower<Vec<_>>>()?;
        let sorted = self.sort(&groups, keys);
        self.with_time_as_number(sorted, &aggregation.by)
    }

    /// The groups of rows in no order: rows that lack a field of the groups are in none, and a row with several values
    /// of one is in several.
    pub fn groups(&mut self, input: &Rows, aggregation: &Aggregation) -> Lower<Rows> {
        let mut rows = self.present(input, &aggregation.by)?;
        for name in &aggregation.by {
            rows = self.one_value_each(&rows, name);
        }
        let by: Vec<(Name, Expr)> = aggregation.by.iter().map(|name| (name.clone(), rows.field(name))).collect();
        let calls: Vec<(Name, AggregateCall)> =
            aggregation.calls.iter().map(|made| (made.name.clone(), made.call.clone())).collect();
        let keys = by.iter().map(|(name, _)| (name.clone(), Kind::Field));
        let schema: Schema = keys.chain(calls.iter().map(|(name, call)| (name.clone(), call.kind))).collect();
        Ok(self.over(&rows, Node::Aggregate { input: rows.node, by, aggregates: calls }, schema).closed())
    }

    /// What groups are made by is text; a time stays a number.
    fn with_time_as_number(&mut self, groups: Rows, by: &[Name]) -> Lower<Rows> {
        let Some(time) = by.iter().find(|name| ***name == *TIME) else { return Ok(groups) };
        let parts = vec![call("tonumber", vec![groups.field(time)])?, groups.field(time)];
        Ok(self.extend(&groups, vec![(time.clone(), Expr::Coalesce(parts, Kind::Field))]))
    }

    /// A row for each value of a field that has several.
    pub fn one_value_each(&mut self, rows: &Rows, name: &Name) -> Rows {
        if !rows.has(name) {
            return rows.clone();
        }
        let column = Expanded { name: name.clone(), value: rows.field(name), kind: Kind::Field };
        let node = Node::Expand {
            input: rows.node,
            columns: vec![column],
            index: None,
            limit: None,
            keep_bags_as_arrays: false,
        };
        self.over(rows, node, rows.schema.clone())
    }
}

/// A key of Splunk's automatic order: numbers before addresses before texts, what is absent last.
pub fn ascending(rows: &Rows, name: &str) -> Lower<SortKey> {
    Ok(SortKey { expr: call(".order", vec![rows.field(name)])?, descending: false, nulls_first: false })
}

/// The aggregate of a name, and the percentile that its name tells.
fn function_of(word: &Word) -> Lower<(&'static Aggregate, Option<Number>)> {
    let find = |name: &str| aggregates::find(Dialect::Spl, name);
    let lower = word.text.to_ascii_lowercase();
    if let Some(found) = find(&word.text).or_else(|| find(&lower)) {
        return Ok((found, None));
    }
    for start in PERCENTILES {
        let number = lower.strip_prefix(start).and_then(Number::read).filter(|n| (0.0..=100.0).contains(&n.real()));
        if let Some(number) = number
            && let Some(found) = find(if start == "p" { "perc" } else { start })
        {
            return Ok((found, Some(number)));
        }
    }
    let said = Diagnostic::error("HP502", format!("there is no aggregate `{}`", word.text)).at(word.span);
    let known = aggregates::all().filter(|item| item.dialect == Dialect::Spl).map(|item| item.name);
    Err(match closest(&word.text, known) {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said,
    }
    .into())
}
