//! Expressions: names, literals, paths, and the way to everything else.
use super::binder::Binder;
use super::relation::{Open, Relation, Row};
use super::scope::Binding;
use super::{Bind, Reported};
use crate::diagnostic::{Diagnostic, Severity, Span, closest};
use crate::expr::{Expr, NodeId};
use crate::functions::{self, Dialect};
use crate::kql::ast::{Expression, ExpressionKind, Name, Path, PathStep, PathStepKind};
use crate::kql::parse::ASSUMED;
use crate::plan::Node;
use crate::types::{Kind, Value as Cell, json};

/// What an expression is: only binding can tell.
#[derive(Clone)]
pub(super) enum Value {
    Scalar(Expr),
    Table(Relation),
}

impl Binder<'_> {
    /// A scalar or a table.
    pub fn value(&mut self, expression: &Expression, row: &Row) -> Bind<Value> {
        self.enter(expression.span)?;
        let value = self.form(expression, row);
        self.leave();
        value
    }

    fn form(&mut self, expression: &Expression, row: &Row) -> Bind<Value> {
        let span = expression.span;
        let scalar = match &expression.kind {
            ExpressionKind::Name(name) => return self.name(name, row),
            ExpressionKind::Call(call) => return self.call(call, row),
            ExpressionKind::Path(path) => return self.path(path, row, span),
            ExpressionKind::Pipeline(pipeline) => return self.pipeline(pipeline, None).map(Value::Table),
            ExpressionKind::Datatable(table) => return self.datatable(table, span).map(Value::Table),
            ExpressionKind::Externaldata(data) => return self.externaldata(data, span).map(Value::Table),
            ExpressionKind::Wildcard(pattern) => return self.tables_like(pattern).map(Value::Table),
            ExpressionKind::Literal(literal) => self.literal(literal, span).map(Expr::Const),
            ExpressionKind::Unary(unary) => self.unary(unary, row),
            ExpressionKind::Binary(binary) => match (&binary.left.kind, row.relation) {
                (ExpressionKind::Star, Some(relation)) => self.any_column_of(binary, relation, false),
                _ => self.binary(binary, row),
            },
            ExpressionKind::And(terms) => self.junction("and", terms, row, Expr::And),
            ExpressionKind::Or(terms) => self.junction("or", terms, row, Expr::Or),
            ExpressionKind::In(tested) => self.membership(tested, row),
            ExpressionKind::Between(between) => self.between(between, row),
            ExpressionKind::Star => Err(self.error("KS108", "'*' cannot stand here.", span)),
            ExpressionKind::Typeof(_) => Err(self.error("KS108", "A type cannot stand here.", span)),
        };
        scalar.map(Value::Scalar)
    }

    /// An expression that must be a scalar.
    pub fn scalar(&mut self, expression: &Expression, row: &Row) -> Bind<Expr> {
        if let ExpressionKind::Name(name) = &expression.kind
            && self.names_nothing(name, row)
        {
            return Err(self.unknown_name(name, row));
        }
        match self.value(expression, row)? {
            Value::Scalar(expr) => Ok(expr),
            Value::Table(_) => Err(self.error("KS108", "Scalar value expected.", expression.span)),
        }
    }

    /// Whether a name in the place of a scalar is none: a check without data takes other unknown names to be tables.
    fn names_nothing(&self, name: &Name, row: &Row) -> bool {
        let text = name.text.as_str();
        let local = self.is_unwritten(name) || text == ASSUMED || self.scopes.find(self.scope, text).is_some();
        let known = || self.catalog.schema(text).is_some() || self.catalog.function(text).is_some();
        let given = || !matches!(self.catalog.table(text), Ok(None));
        self.settings.open_tables && row.relation.is_none() && row.graph.is_none() && !local && !known() && !given()
    }

    /// An expression that must be a table.
    pub fn table(&mut self, expression: &Expression) -> Bind<Relation> {
        match self.source(expression)? {
            graph if graph.graph.is_some() => Err(self.graph_in_place_of_rows(expression.span)),
            rows => Ok(rows),
        }
    }

    /// An expression that a pipeline begins with: a table or a graph.
    pub fn source(&mut self, expression: &Expression) -> Bind<Relation> {
        if let Some(missing) = self.missing_call(expression) {
            return Ok(missing);
        }
        match self.value(expression, &Row::default())? {
            Value::Table(relation) => Ok(relation),
            Value::Scalar(_) => Err(self.error("KS111", "Tabular value expected.", expression.span)),
        }
    }

    /// A whole scalar expression, with all that is constant computed.
    pub fn whole(&mut self, expression: &Expression, row: &Row) -> Bind<Expr> {
        let expr = self.scalar(expression, row)?;
        Ok(self.folded(expr))
    }

    /// An expression that must be a constant.
    pub fn constant_of(&mut self, expression: &Expression) -> Bind<Cell> {
        let expr = self.scalar(expression, &Row::default())?;
        match self.constant(&expr) {
            Some(value) => Ok(value),
            None => Err(self.error("HP103", "The expression must be a constant.", expression.span)),
        }
    }

    /// A condition: bool, or a dynamic that holds one.
    pub fn predicate(&mut self, expression: &Expression, row: &Row) -> Bind<Expr> {
        let expr = self.scalar(expression, row)?;
        let condition = self.condition(expr, expression.span)?;
        Ok(self.folded(condition))
    }

    pub fn condition(&mut self, expr: Expr, span: Span) -> Bind<Expr> {
        match expr.kind() {
            Kind::Bool => Ok(expr),
            Kind::Dynamic | Kind::Int | Kind::Long | Kind::Real => self.converted(expr, Kind::Bool, span),
            _ => Err(self.error("KS141", "The expression must have the type bool.", span)),
        }
    }

    fn junction(&mut self, word: &str, terms: &[Expression], row: &Row, make: fn(Vec<Expr>) -> Expr) -> Bind<Expr> {
        let mut parts = Vec::with_capacity(terms.len());
        let mut failed = None;
        for (at, term) in terms.iter().enumerate() {
            let bound = self.scalar(term, row).and_then(|e| match e.kind() {
                Kind::Bool | Kind::Dynamic | Kind::Int | Kind::Long => self.condition(e, term.span),
                kind => Err(self.no_condition(word, kind, at == 0, term.span)),
            });
            match bound {
                Ok(part) => parts.push(part),
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or_else(|| Ok(make(parts)), Err)
    }

    fn no_condition(&mut self, word: &str, kind: Kind, first: bool, span: Span) -> Reported {
        let kinds = if first { format!("{kind} and bool") } else { format!("bool and {kind}") };
        self.error("KS106", format!("The operator '{word}' is not defined for the operand types {kinds}."), span)
    }

    fn name(&mut self, name: &Name, row: &Row) -> Bind<Value> {
        if let Some(element) = row.graph.and_then(|view| self.graph_element(name, view)) {
            return element.map(Value::Scalar);
        }
        if self.is_unwritten(name) {
            self.look(row);
            return Err(Reported);
        }
        if name.text == ASSUMED {
            return Ok(Value::Scalar(Expr::Const(Cell::Null(Kind::Dynamic))));
        }
        if let Some(column) = self.column(name, row)? {
            return Ok(Value::Scalar(column));
        }
        if let Some(binding) = self.scopes.find(self.scope, &name.text).cloned() {
            return self.bound_name(name, binding, row);
        }
        if row.relation.is_none_or(|relation| self.names_a_table(&name.text, relation)) {
            return self.named_table(name).map(Value::Table);
        }
        if let Some(relation) = row.relation
            && relation.is_open()
        {
            return Ok(Value::Scalar(self.open_column(name, relation)));
        }
        Err(self.unknown_name(name, row))
    }

    fn column(&mut self, name: &Name, row: &Row) -> Bind<Option<Expr>> {
        let Some((column, kind)) = row.column(&name.text) else { return Ok(None) };
        if row.aggregates.is_some() {
            let message = format!("The name '{}' is not an aggregate or scalar function.", name.text);
            return Err(self.error("KS236", message, name.span));
        }
        Ok(Some(Expr::Column(column, kind)))
    }

    fn bound_name(&mut self, name: &Name, binding: Binding, row: &Row) -> Bind<Value> {
        match binding {
            Binding::Scalar(expr, size) => {
                self.spend(size, name.span)?;
                if row.relation.is_some() && !expr.columns().is_empty() {
                    return Err(self.row_inside(name));
                }
                Ok(Value::Scalar(expr))
            }
            Binding::Table(relation) => Ok(Value::Table(relation)),
            Binding::Function(closure) => {
                let value = self.call_closure(&closure, &name.text, &[], None, &Row::default(), name.span)?;
                Ok(match value {
                    // A view has a name of its own, as a table has.
                    Value::Table(rows) if closure.function.view => {
                        Value::Table(Relation { table: Some(name.text.clone()), ..rows })
                    }
                    value => value,
                })
            }
            Binding::Pattern(..) | Binding::Restriction(_) => {
                Err(self.error("KS108", format!("The pattern '{}' must be called.", name.text), name.span))
            }
            Binding::Broken(broken) => {
                // Said each time: a fuzzy union may have passed over it. What is said twice is told once.
                broken.said.set(true);
                self.diagnostics.extend(broken.diagnostics.iter().cloned());
                Err(Reported)
            }
        }
    }

    /// A parameter that is a column of the rows around, within a query of the function.
    fn row_inside(&mut self, parameter: &Name) -> Reported {
        let message = format!(
            "The parameter '{}' depends on the row: a query inside of the function cannot read it.",
            parameter.text
        );
        let said = Diagnostic::error("HP134", message).at(parameter.span);
        self.say(said.help("join or look up the table instead"));
        Reported
    }

    /// A column that the schema does not have, of a relation that may have any.
    fn open_column(&mut self, name: &Name, relation: &Relation) -> Expr {
        if relation.open == Open::Any {
            self.open = true;
            self.assumed.push(name.text.as_str().into());
            if !self.has_data(relation) {
                return Expr::Const(Cell::Null(Kind::Dynamic));
            }
            let message = format!("the column '{}' is not known: it is null unless the data have it", name.text);
            self.say(Diagnostic::new(Severity::Note, "HP130", message).at(name.span));
        }
        Expr::Const(Cell::Null(Kind::Dynamic))
    }

    /// Whether data stand behind the rows: where none do, nobody can say which columns there are.
    fn has_data(&self, relation: &Relation) -> bool {
        let is_scan = |id: &NodeId| matches!(self.plan.node(*id), Node::Scan { .. });
        self.plan.below(relation.node).iter().any(is_scan)
    }

    fn unknown_name(&mut self, name: &Name, row: &Row) -> Reported {
        let columns = row.relation.map(|r| r.schema.names().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let variables: Vec<String> = self.scopes.names(self.scope).map(str::to_owned).collect();
        let known = columns.iter().map(|n| &**n).chain(variables.iter().map(String::as_str));
        let near = closest(&name.text, known).map(str::to_owned);
        let message =
            format!("The name '{}' does not refer to any known column, table, variable or function.", name.text);
        let said = Diagnostic::error("KS142", message).at(name.span);
        let is_function = self.is_aggregate(&name.text) || !functions::find(Dialect::Kql, &name.text).is_empty();
        self.say(match near {
            _ if is_function => said.help(format!("a function is called with parentheses: `{}(...)`", name.text)),
            Some(near) => said.help(format!("did you mean '{near}'?")),
            None => said,
        });
        self.help_for_null(name);
        Reported
    }

    /// What to write instead of a bare null.
    pub(super) fn help_for_null(&mut self, name: &Name) {
        if ["null", "none", "nil"].iter().any(|word| name.text.eq_ignore_ascii_case(word)) {
            self.or_help("a null has a kind: `long(null)`; ask for one with `isnull(...)`, for an empty text with `isempty(...)`");
        }
    }

    fn path(&mut self, path: &Path, row: &Row, span: Span) -> Bind<Value> {
        // A pattern may be called `app`.
        if let Some(value) = self.pattern_path(path) {
            return value;
        }
        if let Some(entity) = self.entity(path) {
            return self.entity_table(entity).map(Value::Table);
        }
        let property = row.graph.and_then(|view| self.graph_property(path, view));
        let known = property.or_else(|| step_state(path, row).map(Ok));
        if let Some(known) = known {
            return match known? {
                (value, []) => Ok(Value::Scalar(value)),
                (value, rest) => self.steps_from(value, path, rest, row, span),
            };
        }
        let base = self.scalar(&path.base, row)?;
        self.steps_from(base, path, &path.steps, row, span)
    }

    /// A path from a value that is known.
    fn steps_from(&mut self, base: Expr, path: &Path, steps: &[PathStep], row: &Row, span: Span) -> Bind<Value> {
        // `toscalar(...)` and its like give any kind; a path leads into dynamics alone.
        if base.kind() != Kind::Dynamic {
            let step = steps.first().map_or(span, |s| s.span);
            return Err(self.not_dynamic(path, step));
        }
        let mut value = base;
        let mut constant: Vec<json::PathStep> = Vec::new();
        for step in steps {
            match self.path_step(step, row)? {
                Ok(step) => constant.push(step),
                Err(key) => {
                    value = self.constant_path(value, &mut constant, span)?;
                    value = self.call_item(".element", vec![value, key], step.span)?;
                }
            }
        }
        self.constant_path(value, &mut constant, span).map(Value::Scalar)
    }

    fn not_dynamic(&mut self, path: &Path, step: Span) -> Reported {
        match path.steps.first().map(|s| &s.kind) {
            Some(PathStepKind::Member(name)) => {
                let message = format!(
                    "The name '{}' does not refer to any known column, table, variable or function.",
                    name.text
                );
                self.error("KS142", message, name.span)
            }
            _ => self.error("KS147", "The element access operator [] is not allowed in this context.", step),
        }
    }

    /// A step that is known now, or the expression that gives it.
    fn path_step(&mut self, step: &PathStep, row: &Row) -> Bind<Result<json::PathStep, Expr>> {
        match &step.kind {
            PathStepKind::Member(name) => Ok(Ok(json::PathStep::Key(name.text.as_str().into()))),
            PathStepKind::Index(index) => {
                let key = self.whole(index, &Row { aggregates: None, ..*row })?;
                Ok(match &key {
                    Expr::Const(Cell::Text(Kind::String, text)) => Ok(json::PathStep::Key(text.as_ref().into())),
                    Expr::Const(value) if value.kind().is_integer() && !value.is_null() => {
                        Ok(json::PathStep::Index(value.as_long().unwrap_or(0)))
                    }
                    _ => Err(key),
                })
            }
            PathStepKind::Call(_) | PathStepKind::Wildcard(_) => {
                Err(self.error("KS108", "Scalar value expected.", step.span))
            }
        }
    }

    fn constant_path(&mut self, value: Expr, steps: &mut Vec<json::PathStep>, span: Span) -> Bind<Expr> {
        if steps.is_empty() {
            return Ok(value);
        }
        let mut list = json::Writer::default();
        list.begin_array();
        for step in steps.drain(..) {
            match step {
                json::PathStep::Key(key) => list.string(&key),
                json::PathStep::Index(index) => list.long(index),
            };
        }
        list.end_array();
        let path = Expr::Const(Cell::dynamic(list.finish()));
        self.call_item(".path", vec![value, path], span)
    }
}

/// The column of a `scan` step's state that a path begins with, and the steps behind it.
fn step_state<'p>(path: &'p Path, row: &Row) -> Option<(Expr, &'p [PathStep])> {
    let (ExpressionKind::Name(base), Some((first, rest))) = (&path.base.kind, path.steps.split_first()) else {
        return None;
    };
    let PathStepKind::Member(member) = &first.kind else { return None };
    let (name, kind) = row.column(&super::operators::state_column(&base.text, &member.text))?;
    Some((Expr::Column(name, kind), rest))
}
