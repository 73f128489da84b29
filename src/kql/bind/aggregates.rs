//! Aggregates: their `…if` forms, their automatic names, those that give several columns.
use super::Bind;
use super::binder::Binder;
use super::names::{Names, automatic, first_argument, passed_on};
use super::relation::{Relation, Row};
use crate::expr::Expr;
use crate::functions::Dialect;
use crate::functions::aggregates::{self, Aggregate};
use crate::kql::ast::{Argument, Call, Column, ColumnNames, Expression, ExpressionKind};
use crate::plan::AggregateCall;
use crate::types::{Kind, Name, Value};

/// What a name means among aggregates: the item, and which argument is the condition.
struct Form {
    function: &'static Aggregate,
    condition: Option<usize>,
}

fn form(name: &str) -> Option<Form> {
    if let Some(function) = aggregates::find(Dialect::Kql, name) {
        return Some(Form { function, condition: None });
    }
    let function = aggregates::unconditional(name)?;
    Some(Form { function, condition: Some(aggregates::condition_at(function.name)) })
}

/// A column that an aggregation gives: its name, and its call or the expression around calls.
pub(super) struct Given {
    pub name: Name,
    pub call: AggregateCall,
}

impl Binder<'_> {
    pub fn is_aggregate(&self, name: &str) -> bool {
        form(name).is_some() || matches!(name, "argmax" | "argmin" | "percentiles" | "percentilesw" | "any" | "anyif")
    }

    /// An aggregate inside of an expression: lifted out, a column stands for it.
    pub fn lifted_aggregate(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        let (Some(relation), Some(lifted)) = (row.relation, row.aggregates) else { return Err(super::Reported) };
        let made = match call.name.text.as_str() {
            "arg_max" | "arg_min" | "argmax" | "argmin" => {
                let order = self.argument(call, 0, &Row::of(relation))?;
                self.made(canonical(&call.name.text), vec![order.clone(), order], None, call)?
            }
            "any" => self.plain_call(&renamed(call, "take_any"), relation)?,
            "anyif" => self.plain_call(&renamed(call, "take_anyif"), relation)?,
            "percentiles" | "percentilesw" => {
                let message =
                    format!("'{}' gives several columns and cannot stand inside of an expression", call.name.text);
                return Err(self.error("KS144", message, call.name.span));
            }
            _ => self.plain_call(call, relation)?,
        };
        let kind = made.kind;
        let name = self.hidden("aggregate");
        lifted.borrow_mut().push((name.clone(), made));
        Ok(Expr::Column(name, kind))
    }

    /// An aggregate that gives one column.
    fn plain_call(&mut self, call: &Call, relation: &Relation) -> Bind<AggregateCall> {
        let Some(Form { function, condition }) = form(&call.name.text) else {
            return Err(self.unsupported(&format!("the aggregate '{}'", call.name.text), call.name.span));
        };
        let row = Row::of(relation);
        let mut arguments = Vec::new();
        let mut held = None;
        let mut failed = None;
        for (at, argument) in call.arguments.iter().enumerate() {
            // `count(*)` counts rows.
            if matches!(argument.value.kind, ExpressionKind::Star) && function.name == "count" {
                continue;
            }
            let bound = match Some(at) == condition {
                true => self.predicate(&argument.value, &row).map(|p| held = Some(p)),
                false => self.whole(&argument.value, &row).map(|e| arguments.push(e)),
            };
            failed = bound.err().or(failed);
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        if condition.is_some() && held.is_none() {
            return Err(self.too_few(call));
        }
        self.made(function.name, arguments, held, call)
    }

    fn too_few(&mut self, call: &Call) -> super::Reported {
        self.error("KS119", format!("The function '{}' expects more arguments.", call.name.text), call.name.span)
    }

    fn made(&mut self, name: &str, arguments: Vec<Expr>, condition: Option<Expr>, call: &Call) -> Bind<AggregateCall> {
        let Some(function) = aggregates::find(Dialect::Kql, name) else {
            return Err(self.unsupported(&format!("the aggregate '{name}'"), call.name.span));
        };
        let (least, most) = function.arity();
        let given = arguments.len();
        // `count(x)` counts rows as `count()` does.
        let arguments = if most == 0 && given == 1 && function.name == "count" { Vec::new() } else { arguments };
        if !(least..=most).contains(&arguments.len()) {
            let wanted = if least == most { least.to_string() } else { format!("at least {least}") };
            let plural = if wanted == "1" { "" } else { "s" };
            let message = format!("The function '{}' expects {wanted} argument{plural}.", call.name.text);
            return Err(self.error("KS119", message, call.name.span));
        }
        let arguments = self.aggregate_arguments(function, arguments, call)?;
        let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
        Ok(AggregateCall { function, kind: function.result(&kinds), arguments, condition })
    }

    fn aggregate_arguments(&mut self, function: &'static Aggregate, given: Vec<Expr>, call: &Call) -> Bind<Vec<Expr>> {
        use crate::functions::Accepts;
        let mut fitted = Vec::with_capacity(given.len());
        for (at, argument) in given.into_iter().enumerate() {
            let parameter = function.parameters.get(at).or(function.parameters.last());
            let accepts = parameter.map_or(Accepts::Any, |p| p.accepts);
            let kind = argument.kind();
            fitted.push(match accepts {
                Accepts::Kind(wanted) => self.converted(argument, wanted, call.span)?,
                accepts if accepts.takes(kind) => argument,
                // What a dynamic holds is known row by row: a real holds any number.
                _ if kind == Kind::Dynamic => self.converted(argument, Kind::Real, call.span)?,
                Accepts::Integer if kind.is_number() => self.converted(argument, Kind::Long, call.span)?,
                _ if kind == Kind::Bool => self.converted(argument, Kind::Long, call.span)?,
                Accepts::Summable if function.name == "sum" => {
                    let span = call.arguments.get(at).map_or(call.span, |argument| argument.span);
                    let message = "The argument value must be summable: a number, timespan or datetime.";
                    return Err(self.error("KS138", message, span));
                }
                _ => {
                    let message =
                        format!("The function '{}' is not compatible with arguments ({kind}).", call.name.text);
                    return Err(self.error("KS127", message, call.name.span));
                }
            });
        }
        Ok(fitted)
    }

    /// The columns of an item of `summarize`, where the whole item is one aggregate; none for an
    /// expression around aggregates.
    pub fn aggregate_columns(
        &mut self,
        column: &Column,
        relation: &Relation,
        names: &mut Names,
        by: &[(Name, Expr)],
    ) -> Option<Bind<Vec<Given>>> {
        let ExpressionKind::Call(call) = &column.expression.kind else { return None };
        let shadowed = self.scopes.find(self.scope, &call.name.text).is_some();
        if shadowed || !self.is_aggregate(&call.name.text) {
            return None;
        }
        Some(match call.name.text.as_str() {
            "arg_max" | "arg_min" | "argmax" | "argmin" => {
                self.arg_columns(call, column, relation, names, &grouped(by))
            }
            "take_any" | "any" | "take_anyif" | "anyif" => {
                self.any_columns(call, column, relation, names, &grouped(by))
            }
            "percentiles" | "percentilesw" => self.percentile_columns(call, column, relation, names),
            _ => self.plain_call(call, relation).map(|made| {
                let name = self.given_name(column, 0, names, label(call));
                vec![Given { name, call: made }]
            }),
        })
    }

    /// The name that was written, or an automatic one.
    fn given_name(&mut self, column: &Column, at: usize, names: &mut Names, automatic: Option<String>) -> Name {
        let written = match &column.names {
            ColumnNames::Automatic => None,
            ColumnNames::One(name) => Some(name).filter(|_| at == 0),
            ColumnNames::Tuple(given) => given.get(at),
        };
        match (written, automatic) {
            (Some(name), _) => self.declared(name, names),
            (None, Some(name)) => names.unique(&name),
            (None, None) => names.numbered(&mut self.numbered),
        }
    }

    fn arg_columns(
        &mut self,
        call: &Call,
        column: &Column,
        relation: &Relation,
        names: &mut Names,
        by: &[&Name],
    ) -> Bind<Vec<Given>> {
        let row = Row::of(relation);
        let function = canonical(&call.name.text);
        let legacy = function != call.name.text;
        let order = self.argument(call, 0, &row).map(|e| self.folded(e))?;
        let prefix = if function == "arg_max" { "max" } else { "min" };
        let first = first_argument(call).unwrap_or_default();
        let first_name = match (legacy, first.is_empty()) {
            (false, false) => first.clone(),
            _ => format!("{prefix}_{first}"),
        };
        let (mut values, mut starred) = (vec![(first_name, order.clone())], false);
        for (at, argument) in call.arguments.iter().enumerate().skip(1) {
            if matches!(argument.value.kind, ExpressionKind::Star) {
                // What is named beside the star is not given twice.
                let own = |n: &Name| **n == *first || by.contains(&n) || values.iter().any(|(_, v)| is_column(v, n));
                let rest = relation.schema.columns().iter().filter(|(n, _)| !own(n));
                let named = |n: &Name| if legacy { format!("{prefix}_{first}_{n}") } else { n.to_string() };
                let rest: Vec<_> = rest.map(|(n, k)| (named(n), Expr::Column(n.clone(), *k))).collect();
                values.extend(rest);
                starred = true;
                continue;
            }
            let value = self.whole(&argument.value, &row)?;
            if starred && matches!(&value, Expr::Column(..)) {
                continue;
            }
            values.push((
                match argument_name(argument) {
                    None => format!("{prefix}_{first}_arg{at}"),
                    Some(name) if legacy => format!("{prefix}_{first}_{name}"),
                    Some(name) => name,
                },
                value,
            ));
        }
        let mut given = Vec::with_capacity(values.len());
        for (at, (name, value)) in values.into_iter().enumerate() {
            let name = self.given_name(column, at, names, Some(name));
            given.push(Given { name, call: self.made(function, vec![order.clone(), value], None, call)? });
        }
        Ok(given)
    }

    fn any_columns(
        &mut self,
        call: &Call,
        column: &Column,
        relation: &Relation,
        names: &mut Names,
        by: &[&Name],
    ) -> Bind<Vec<Given>> {
        let row = Row::of(relation);
        let conditional = call.name.text.ends_with("if");
        let prefix = match (call.name.text.starts_with("any"), conditional) {
            (false, _) => "",
            (true, false) => "any_",
            (true, true) => "anyif_",
        };
        let condition = match call.arguments.get(1) {
            Some(argument) if conditional => Some(self.predicate(&argument.value, &row)?),
            _ => None,
        };
        let values = if conditional { call.arguments.get(..1).unwrap_or(&[]) } else { &call.arguments };
        let mut wanted: Vec<(String, Expr)> = Vec::new();
        for (at, argument) in values.iter().enumerate() {
            if matches!(argument.value.kind, ExpressionKind::Star) {
                let own = |n: &Name| by.contains(&n) || wanted.iter().any(|(_, v)| is_column(v, n));
                let rest = relation.schema.columns().iter().filter(|(n, _)| !own(n));
                let rest: Vec<_> = rest.map(|(n, k)| (format!("{prefix}{n}"), Expr::Column(n.clone(), *k))).collect();
                wanted.extend(rest);
            } else {
                let value = self.whole(&argument.value, &row)?;
                // One value alone of the older spelling, or of some rows, is not numbered.
                let is_numbered = !conditional && (prefix.is_empty() || values.len() > 1);
                let name = argument_name(argument).map(|name| format!("{prefix}{name}"));
                let numbered = if is_numbered { format!("any_arg{at}") } else { prefix.to_owned() };
                wanted.push((name.unwrap_or(numbered), value));
            }
        }
        if wanted.is_empty() {
            return Err(self.too_few(call));
        }
        let several = wanted.len() > 1;
        let mut given = Vec::with_capacity(wanted.len());
        for (at, (name, value)) in wanted.into_iter().enumerate() {
            let automatic = Some(name).filter(|n| !n.is_empty());
            let name = self.given_name(column, at, names, automatic);
            let mut arguments = vec![value];
            // Several values are those of one row; one alone is filled where any row's is.
            arguments.extend(several.then_some(Expr::Const(Value::Bool(true))));
            given.push(Given { name, call: self.made("take_any", arguments, condition.clone(), call)? });
        }
        Ok(given)
    }

    /// `percentiles(x, 5, 50)`: a column for each percentile.
    fn percentile_columns(
        &mut self,
        call: &Call,
        column: &Column,
        relation: &Relation,
        names: &mut Names,
    ) -> Bind<Vec<Given>> {
        let row = Row::of(relation);
        let weighted = call.name.text == "percentilesw";
        let leading = if weighted { 2 } else { 1 };
        let mut first = Vec::new();
        for argument in call.arguments.iter().take(leading) {
            first.push(self.whole(&argument.value, &row)?);
        }
        if call.arguments.len() <= leading {
            return Err(self.too_few(call));
        }
        let function = if weighted { "percentilew" } else { "percentile" };
        let base = first_argument(call).unwrap_or_default();
        let mut given = Vec::new();
        for (at, argument) in call.arguments.iter().skip(leading).enumerate() {
            let percentile = self.constant_of(&argument.value)?;
            let automatic = percentile_name(&base, &percentile.to_text());
            let name = self.given_name(column, at, names, Some(automatic));
            let mut arguments = first.clone();
            arguments.push(Expr::Const(percentile));
            given.push(Given { name, call: self.made(function, arguments, None, call)? });
        }
        Ok(given)
    }

    /// A name that was written: a second one of the same spelling is warned of, and numbered.
    pub fn declared(&mut self, name: &crate::kql::ast::Name, names: &mut Names) -> Name {
        if names.has(&name.text) {
            let message = format!("A column with the name '{}' is already declared.", name.text);
            self.say(crate::diagnostic::Diagnostic::warning("KS171", message).at(name.span));
        }
        names.unique(&name.text)
    }
}

fn is_column(value: &Expr, name: &Name) -> bool {
    matches!(value, Expr::Column(column, _) if column == name)
}

/// The columns that are keys themselves: `*` leaves them out. A conversion to the kind that a column has is the
/// column, too.
fn grouped(by: &[(Name, Expr)]) -> Vec<&Name> {
    by.iter().filter_map(|(_, key)| column_of(key)).collect()
}

fn column_of(key: &Expr) -> Option<&Name> {
    match key {
        Expr::Column(name, _) => Some(name),
        Expr::Call { function, arguments, .. } if function.name.starts_with("to") => match arguments.as_slice() {
            [Expr::Column(name, kind)] if *kind == key.kind() => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The name of a column that a function makes of an aggregate's value: `round(avg(x), 2)` is `avg_x`.
pub(super) fn around_aggregate(expression: &Expression) -> Option<String> {
    let ExpressionKind::Call(call) = &expression.kind else { return None };
    let inner = passed_on(call)?;
    match &inner.kind {
        ExpressionKind::Call(inner_call) if form(&inner_call.name.text).is_some() => label(inner_call),
        _ => around_aggregate(inner),
    }
}

fn percentile_name(base: &str, percentile: &str) -> String {
    format!("percentile_{base}_{}", percentile.replace('.', "_"))
}

fn canonical(name: &str) -> &'static str {
    if name.ends_with("max") { "arg_max" } else { "arg_min" }
}

fn renamed(call: &Call, name: &str) -> Call {
    let mut call = call.clone();
    name.clone_into(&mut call.name.text);
    call
}

fn argument_name(argument: &Argument) -> Option<String> {
    argument.name.as_ref().map(|n| n.text.clone()).or_else(|| automatic(&argument.value))
}

/// The automatic name of an aggregate's column.
fn label(call: &Call) -> Option<String> {
    let name = call.name.text.as_str();
    let first = first_argument(call);
    let constant = |at: usize| call.arguments.get(at).and_then(|a| literal_number(&a.value)).unwrap_or_default();
    let prefix = match name {
        "percentile" => return Some(percentile_name(&first.unwrap_or_default(), &constant(1))),
        "percentilew" => return Some(percentile_name(&first.unwrap_or_default(), &constant(2))),
        "percentiles_array" | "percentilesw_array" => "percentiles",
        "binary_all_or" | "binary_all_and" | "binary_all_xor" | "passthrough" => return first,
        "make_list" | "make_list_if" | "makelist" | "make_list_with_nulls" => "list",
        "make_set" | "make_set_if" | "makeset" => "set",
        "make_bag" | "make_bag_if" => "bag",
        "make_dictionary" => "dictionary",
        "buildschema" => "schema",
        "tdigest_merge" | "merge_tdigest" => "merge_tdigests",
        // Functions of several columns name them all.
        "covariance" | "covariancep" | "covarianceif" | "covariancepif" => {
            let second = call.arguments.get(1).and_then(argument_name).unwrap_or_default();
            return Some(format!("{name}_{}_{second}", first.unwrap_or_default()));
        }
        other => other,
    };
    Some(format!("{prefix}_{}", first.unwrap_or_default()))
}

fn literal_number(expression: &Expression) -> Option<String> {
    use crate::kql::ast::Literal;
    match &expression.kind {
        ExpressionKind::Literal(Literal::Long(Some(number))) => Some(number.to_string()),
        ExpressionKind::Literal(Literal::Real(Some(number))) => Some(crate::types::number::format_real(*number)),
        _ => None,
    }
}
