//! The statements of a query.
use super::binder::Binder;
use super::closures::{null_of, size};
use super::expressions::Value;
use super::relation::Row;
use super::scope::{Binding, Broken, Closure};
use super::{Bind, Reported};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expr::Expr;
use crate::kql::ast::{self, LetValue, ParameterKind, QueryParameters, Statement};
use crate::types::{Name, Table};
use std::cell::Cell;
use std::rc::Rc;

impl Binder<'_> {
    pub fn query(&mut self, query: &ast::Query) {
        for statement in &query.statements {
            match statement {
                Statement::Expression(expression) => {
                    self.render = None;
                    for value in self.results_of(expression).unwrap_or_default() {
                        let root = self.root(value, expression.span);
                        let render = self.render.take();
                        self.results.push((root, render));
                    }
                }
                other => self.statement(other),
            }
        }
        if self.results.is_empty() && !self.has_errors() {
            self.say(Diagnostic::error("KS110", "the query has no result: it ends without a tabular expression"));
        }
    }

    fn has_errors(&self) -> bool {
        let now = self.diagnostics.iter().any(|d| d.severity == Severity::Error);
        now || self.scopes.unsaid().next().is_some()
    }

    /// The node of a result; a lone scalar is a table of one cell.
    fn root(&mut self, value: Value, span: Span) -> crate::plan::NodeId {
        match value {
            Value::Table(relation) => {
                if relation.graph.is_some() {
                    self.graph_in_place_of_rows(span);
                }
                self.open |= relation.is_open();
                if self.results.is_empty() {
                    self.unknown = relation.unknown;
                }
                relation.node
            }
            Value::Scalar(expr) => {
                let expr = self.folded(expr);
                let one = self.one_row();
                self.project(&one, vec![(Name::from("print_0"), expr)]).node
            }
        }
    }

    /// One row without columns.
    pub fn one_row(&mut self) -> super::relation::Relation {
        self.values(Table::from_rows(Default::default(), &[Vec::new()]))
    }

    /// A statement that gives no result of its own.
    pub fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(statement) => self.let_statement(statement),
            Statement::QueryParameters(parameters) => self.query_parameters(parameters),
            Statement::Pattern(pattern) => {
                let binding = Binding::Pattern(Rc::new(pattern.clone()), self.scope);
                self.scope = self.scopes.with(self.scope, &pattern.name.text, binding);
            }
            Statement::Set(option) => self.set_option(option),
            Statement::RestrictAccess(restriction) => self.restrict_access(restriction),
            // A database is never told from another.
            Statement::AliasDatabase(_) | Statement::Expression(_) => {}
        }
    }

    /// An option that means nothing here is passed over.
    fn set_option(&mut self, option: &ast::SetOption) {
        if let Some(value) = option.value.as_ref().filter(|_| option.name.text.starts_with("query_bin_auto_"))
            && let Ok(value) = self.whole(value, &Row::default())
        {
            self.options.insert(option.name.text.clone(), value);
        }
    }

    fn let_statement(&mut self, statement: &ast::Let) {
        let binding = match &statement.value {
            LetValue::Function(function) => {
                self.look_into(function);
                Binding::Function(Rc::new(Closure { function: function.clone(), scope: self.scope, saved: None }))
            }
            LetValue::Expression(expression) => {
                let (value, said) = self.aside(|binder| match binder.missing_call(expression) {
                    Some(missing) => Ok(Value::Table(missing)),
                    None => binder.value(expression, &Row::default()),
                });
                match value {
                    Ok(value) => {
                        self.diagnostics.extend(said);
                        self.let_value(value)
                    }
                    Err(Reported) => Binding::Broken(Rc::new(Broken { diagnostics: said, said: Cell::new(false) })),
                }
            }
        };
        self.scope = self.scopes.with(self.scope, &statement.name.text, binding);
    }

    fn let_value(&mut self, value: Value) -> Binding {
        match value {
            Value::Table(relation) => Binding::Table(relation),
            Value::Scalar(expr) => {
                let expr: Expr = self.folded(expr);
                let parts = size(&expr);
                Binding::Scalar(expr, parts)
            }
        }
    }

    /// Binds with what is said kept aside. A relation that was reported broken counts as failed.
    pub fn aside<T>(&mut self, bind: impl FnOnce(&mut Self) -> Bind<T>) -> (Bind<T>, Vec<Diagnostic>) {
        let before = std::mem::take(&mut self.diagnostics);
        let value = bind(self);
        let said = std::mem::replace(&mut self.diagnostics, before);
        let failed = said.iter().any(|d| d.severity == Severity::Error);
        (if failed { Err(Reported) } else { value }, said)
    }

    fn without_value(&mut self, parameter: &ast::Name) -> Reported {
        let message = format!("The query parameter '{}' has no value.", parameter.text);
        let help = format!("give it a default: declare query_parameters({}:… = …)", parameter.text);
        self.say(Diagnostic::error("HP133", message).at(parameter.span).help(help));
        Reported
    }

    fn query_parameters(&mut self, parameters: &QueryParameters) {
        for parameter in &parameters.parameters {
            let ParameterKind::Scalar { kind, default } = &parameter.kind else { continue };
            let given = match default {
                Some(default) => self.whole(default, &Row::default()),
                None if self.runs() => Err(self.without_value(&parameter.name)),
                None => Ok(null_of(kind.kind)),
            };
            if let Ok(expr) = given {
                self.scope = self.scopes.with(self.scope, &parameter.name.text, Binding::Scalar(expr, 1));
            }
        }
    }
}

crate::pages! {
    /// A name for a value, a table or a function, for the rest of the query.
    ///
    /// A function's parameters are scalars, with a default or without, or tables: `(T: (User: string, *), n: long = 5)`.
    ///
    /// Source: let-statement.
    ///
    /// ```kql
    /// let twice = (x: long) { x * 2 }; range n from 4 to 4 step 1 | project twice(n) // 8
    /// ```
    Statement "let": "let Name = Value | TabularExpression | ([Parameter: Kind [= Default], ...]) { Body };";

    /// An option of the query. `query_bin_auto_size` and `query_bin_auto_at` mean something here; others are passed over.
    ///
    /// Source: set-statement.
    ///
    /// ```kql
    /// set notruncation; range x from 1 to 2 step 1 | count // 2
    /// ```
    Statement "set": "set Option [= Value];";

    /// The parameters of a query with their defaults.
    ///
    /// Source: query-parameters-statement.
    ///
    /// ```kql
    /// declare query_parameters(n: long = 3); range x from 1 to n step 1 | count // 3
    /// ```
    Statement "declare query_parameters": "declare query_parameters(Name: Kind [= Default], ...);";

    /// A name whose calls with certain constants stand for certain queries.
    ///
    /// Source: pattern-statement.
    ///
    /// ```kql
    /// declare pattern p = (a: string) { ("x") = { range n from 1 to 4 step 1 }; }; p("x") | count // 4
    /// ```
    Statement "declare pattern": "declare pattern Name = (Parameter: Kind, ...)[[Path: Kind]] { (Value, ...) = { Query }; ... };";
}
