//! Functions of the query (`let f = (x:long) { … }`) and saved ones: written out where they are called.
use super::Bind;
use super::binder::Binder;
use super::expressions::Value;
use super::relation::{Open, Relation, Row};
use super::scope::{Binding, Closure, ScopeId};
use crate::diagnostic::{Severity, Source, Span};
use crate::expr::Expr;
use crate::kql::ast::{Argument, Call, FunctionParameter, ParameterKind, Statement};
use crate::kql::parse_function;
use crate::types::{Kind, Schema, Table, Value as Cell};
use std::rc::Rc;

/// Saved functions that may call each other.
const MAX_CALLS: usize = 40;

/// How a message begins that is about the text of a saved function.
const IN_FUNCTION: &str = "in the function";

/// The parts of an expression that is put in for a name.
pub(super) fn size(expr: &Expr) -> usize {
    let mut parts = 0usize;
    expr.walk(&mut |_| parts += 1);
    parts
}

impl Binder<'_> {
    /// Calls a function; `piped` is the table before `invoke`.
    pub fn call_closure(
        &mut self,
        closure: &Rc<Closure>,
        name: &str,
        arguments: &[Argument],
        piped: Option<Relation>,
        row: &Row,
        span: Span,
    ) -> Bind<Value> {
        let bound = self.bound_arguments(&closure.function.parameters, name, arguments, piped, row, span)?;
        if self.calling.len() >= MAX_CALLS {
            return Err(self.error("HP311", format!("'{name}' calls functions too deeply"), span));
        }
        self.enter(span)?;
        self.calling.push(closure.saved.as_ref().map(|(name, _)| name.clone()).unwrap_or_default());
        let before = self.diagnostics.len();
        let outer = std::mem::replace(&mut self.scope, closure.scope);
        let numbered = std::mem::take(&mut self.numbered);
        for (parameter, binding) in closure.function.parameters.iter().zip(bound) {
            self.scope = self.scopes.with(self.scope, &parameter.name.text, binding);
        }
        let value = self.body(&closure.function.body, span);
        self.scope = outer;
        self.numbered = numbered;
        self.calling.pop();
        self.leave();
        if let Some((name, text)) = &closure.saved {
            self.place_at_call(before, name, text, span);
        }
        value
    }

    /// What a saved function complains about stands in another text: it is said at the call, with its own place.
    fn place_at_call(&mut self, from: usize, name: &str, text: &Source, span: Span) {
        for said in self.diagnostics.iter_mut().skip(from) {
            let place = said.span.replace(span);
            if !said.message.starts_with(IN_FUNCTION) {
                said.message = format!("{IN_FUNCTION} '{name}'{}: {}", line_of(place, text), said.message);
            }
        }
    }

    fn bound_arguments(
        &mut self,
        parameters: &[FunctionParameter],
        name: &str,
        arguments: &[Argument],
        piped: Option<Relation>,
        row: &Row,
        span: Span,
    ) -> Bind<Vec<Binding>> {
        let mut places: Vec<Option<Binding>> = vec![None; parameters.len()];
        let mut next = 0;
        if let (Some(relation), Some(first)) = (piped, places.first_mut()) {
            *first = Some(Binding::Table(relation));
            next = 1;
        }
        for argument in arguments {
            let at = match &argument.name {
                Some(given) => parameters.iter().position(|p| p.name.text == given.text),
                None => Some(next).filter(|at| *at < parameters.len()),
            };
            let Some((at, parameter)) = at.and_then(|at| Some((at, parameters.get(at)?))) else {
                return Err(self.wrong_count(name, parameters.len(), span));
            };
            next = at + 1;
            let binding = self.bound_argument(parameter, argument, row)?;
            if let Some(place) = places.get_mut(at) {
                *place = Some(binding);
            }
        }
        let filled = places.into_iter().zip(parameters);
        filled
            .map(|(place, parameter)| match place {
                Some(binding) => Ok(binding),
                None => self.default_of(parameter, name, parameters.len(), span),
            })
            .collect()
    }

    fn wrong_count(&mut self, name: &str, wanted: usize, span: Span) -> super::Reported {
        let plural = if wanted == 1 { "" } else { "s" };
        self.error("KS119", format!("The function '{name}' expects {wanted} argument{plural}."), span)
    }

    fn bound_argument(&mut self, parameter: &FunctionParameter, argument: &Argument, row: &Row) -> Bind<Binding> {
        match &parameter.kind {
            ParameterKind::Tabular(_) => {
                let relation = self.table(&argument.value)?;
                self.check_columns(parameter, &relation, argument.span);
                Ok(Binding::Table(relation))
            }
            ParameterKind::Scalar { kind, .. } => {
                let expr = self.scalar(&argument.value, row)?;
                let kind = kind.kind.unwrap_or(expr.kind());
                let expr = self.converted(expr, kind, argument.span)?;
                let expr = self.folded(expr);
                let parts = size(&expr);
                Ok(Binding::Scalar(expr, parts))
            }
        }
    }

    /// A table that is given must have the columns that the parameter names.
    pub fn check_columns(&mut self, parameter: &FunctionParameter, relation: &Relation, span: Span) {
        let ParameterKind::Tabular(wanted) = &parameter.kind else { return };
        for column in wanted.columns.iter().filter(|_| !relation.is_open()) {
            if !relation.schema.contains(&column.name.text) {
                let message = format!("The table lacks the column '{}', which the function needs.", column.name.text);
                self.error("KS249", message, span);
            }
        }
    }

    fn default_of(&mut self, parameter: &FunctionParameter, name: &str, wanted: usize, span: Span) -> Bind<Binding> {
        let ParameterKind::Scalar { kind, default: Some(default) } = &parameter.kind else {
            return Err(self.wrong_count(name, wanted, span));
        };
        let expr = self.scalar(default, &Row::default())?;
        let kind = kind.kind.unwrap_or(expr.kind());
        let expr = self.converted(expr, kind, span)?;
        let expr = self.folded(expr);
        Ok(Binding::Scalar(expr, 1))
    }

    /// Names for parameters that nobody has given values yet.
    pub fn bind_parameters(&mut self, parameters: &[FunctionParameter]) {
        for parameter in parameters {
            let binding = match &parameter.kind {
                ParameterKind::Scalar { kind, .. } => Binding::Scalar(null_of(kind.kind), 1),
                ParameterKind::Tabular(columns) => {
                    let schema: Schema = columns
                        .columns
                        .iter()
                        .map(|c| (c.name.text.as_str(), c.kind.kind.unwrap_or(Kind::Dynamic)))
                        .collect();
                    let rows = self.values(Table::from_rows(schema, &[]));
                    Binding::Table(Relation { open: if columns.open { Open::Any } else { Open::Closed }, ..rows })
                }
            };
            self.scope = self.scopes.with(self.scope, &parameter.name.text, binding);
        }
    }

    /// The statements of a function; the last one is its value.
    pub fn body(&mut self, statements: &[Statement], span: Span) -> Bind<Value> {
        let mut value = None;
        for statement in statements {
            match statement {
                Statement::Expression(expression) => value = Some(self.value(expression, &Row::default())?),
                other => self.statement(other),
            }
        }
        match value {
            Some(value) => Ok(value),
            None => Err(self.error("KS111", "The function has no value.", span)),
        }
    }

    /// A function that the workspace saved under that name.
    pub fn saved_function(&mut self, call: &Call, row: &Row) -> Option<Bind<Value>> {
        let closure = self.saved(&call.name.text, call.name.span)?;
        Some(closure.and_then(|c| self.call_closure(&c, &call.name.text, &call.arguments, None, row, call.name.span)))
    }

    pub fn saved(&mut self, name: &str, span: Span) -> Option<Bind<Rc<Closure>>> {
        if self.calling.iter().any(|caller| caller == name) {
            return Some(Err(self.error("HP311", format!("the function '{name}' calls itself"), span)));
        }
        if let Some(known) = self.saved.get(name).filter(|_| self.is_visible(name)) {
            return Some(Ok(known.clone()));
        }
        let text = self.catalog.function(name).filter(|_| self.is_visible(name))?;
        let (function, said) = parse_function(&text.text);
        if let Some(first) = said.iter().find(|d| d.severity == Severity::Error) {
            let place = line_of(first.span, &text);
            let message = format!("the function '{name}' cannot be read{place}: {}", first.message);
            return Some(Err(self.error("HP121", message, span)));
        }
        let closure = Closure { function, scope: ScopeId::default(), saved: Some((name.to_owned(), text)) };
        Some(Ok(self.saved.entry(name.to_owned()).or_insert(Rc::new(closure)).clone()))
    }
}

/// A place within a saved function, for a message: its file's line, or the line of its text.
fn line_of(place: Option<Span>, text: &Source) -> String {
    let Some(span) = place else { return String::new() };
    let (line, _) = text.place(span.start as usize);
    match text.origin.is_empty() {
        true => format!(" (line {line})"),
        false => format!(" ({}:{line})", text.origin),
    }
}

/// The null that stands for a parameter nobody gives a value.
pub(super) fn null_of(kind: Option<Kind>) -> Expr {
    Expr::Const(Cell::null(kind.unwrap_or(Kind::Dynamic)))
}
