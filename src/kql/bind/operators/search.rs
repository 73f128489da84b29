//! `search`: rows in which any column holds a term.
//!
//! Source: the page "search operator".
use super::Uniting;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{
    Binary, BinaryOperator, Expression, ExpressionKind, Literal, NamePattern, Search, SearchKind, TextOperator,
};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value as Bound;
use crate::kql::bind::relation::{Relation, Row};
use crate::kql::bind::scope::Binding;
use crate::kql::bind::tables::MANY_TABLES;
use crate::plan::Node;
use crate::types::{Kind, Name, Value};
use std::collections::HashSet;

impl Binder<'_> {
    pub fn search(&mut self, search: &Search, input: Option<&Relation>, span: Span) -> Bind<Relation> {
        let mut legs: Vec<Relation> = input.cloned().into_iter().collect();
        for table in &search.tables {
            legs.extend(self.legs(table, false)?);
        }
        if legs.is_empty() {
            legs = self.every_table(span);
        }
        let case_sensitive = search.kind.as_ref().is_some_and(|k| k.value == SearchKind::CaseSensitive);
        let uniting = Uniting { inner: false, with_source: Some("$table".into()) };
        if legs.len() > MANY_TABLES && self.settings.open_tables {
            let all = self.united(legs, &uniting)?;
            let searched = Searched::new(std::slice::from_ref(&all), case_sensitive);
            let predicate = self.search_term(&search.predicate, &all, &searched)?;
            return Ok(self.same_columns(&all, Node::Filter { input: all.node, predicate }));
        }
        let width: usize = legs.iter().map(|l| l.schema.len()).sum();
        self.spend(width, span)?;
        let searched = Searched::new(&legs, case_sensitive);
        let mut found = Vec::with_capacity(legs.len());
        for leg in legs {
            let predicate = self.search_term(&search.predicate, &leg, &searched)?;
            let predicate = self.folded(predicate);
            let kept = self.same_columns(&leg, Node::Filter { input: leg.node, predicate });
            found.push(Relation { table: leg.table, ..kept });
        }
        self.united(found, &uniting)
    }

    pub(super) fn every_table(&mut self, span: Span) -> Vec<Relation> {
        self.matching_tables(&NamePattern { text: "*".to_owned(), wildcard: true, span })
    }

    /// The functions of the query that `let` declares as views, those that are wanted.
    pub fn views(&mut self, wanted: &dyn Fn(&String) -> bool, span: Span) -> Vec<Relation> {
        let mut names: Vec<String> = self.scopes.names(self.scope).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        let mut legs = Vec::new();
        for name in names.into_iter().filter(|name| wanted(name)) {
            let Some(Binding::Function(view)) = self.scopes.find(self.scope, &name).cloned() else { continue };
            if !view.function.view || !view.function.parameters.is_empty() {
                continue;
            }
            if let Ok(Bound::Table(leg)) = self.call_closure(&view, &name, &[], None, &Row::default(), span) {
                legs.push(Relation { table: Some(name), ..leg });
            }
        }
        legs
    }

    /// A predicate in which a text alone means that any column has it.
    pub(super) fn search_term(&mut self, term: &Expression, leg: &Relation, searched: &Searched) -> Bind<Expr> {
        match &term.kind {
            ExpressionKind::Star => Ok(Expr::Const(Value::Bool(true))),
            ExpressionKind::Literal(Literal::String(text)) => {
                self.any_column_matches(&text.text, searched.case_sensitive, leg, term.span)
            }
            ExpressionKind::And(terms) => {
                let parts: Bind<Vec<Expr>> = terms.iter().map(|t| self.search_term(t, leg, searched)).collect();
                parts.map(Expr::And)
            }
            ExpressionKind::Or(terms) => {
                let parts: Bind<Vec<Expr>> = terms.iter().map(|t| self.search_term(t, leg, searched)).collect();
                parts.map(Expr::Or)
            }
            ExpressionKind::Call(call) if call.name.text == "not" && call.arguments.len() == 1 => {
                let Some(inner) = call.arguments.first() else { return Err(super::Reported) };
                let inner = self.search_term(&inner.value, leg, searched)?;
                self.call_item("not", vec![inner], term.span)
            }
            ExpressionKind::Binary(binary) if matches!(binary.left.kind, ExpressionKind::Star) => {
                if let (BinaryOperator::Colon, ExpressionKind::Literal(Literal::String(text))) =
                    (binary.operator, &binary.right.kind)
                {
                    return self.any_column_matches(&text.text, searched.case_sensitive, leg, binary.right.span);
                }
                self.any_column_of(binary, leg, searched.case_sensitive)
            }
            _ if searched.lacks(term, leg) => Ok(Expr::Const(Value::Bool(false))),
            // A table without the column has no such row.
            ExpressionKind::Binary(binary) if lacks(&binary.left, leg) => Ok(Expr::Const(Value::Bool(false))),
            ExpressionKind::Binary(binary) if binary.operator == BinaryOperator::Colon => {
                let ExpressionKind::Literal(Literal::String(text)) = &binary.right.kind else {
                    return self.predicate(term, &Row::of(leg));
                };
                let column = self.whole(&binary.left, &Row::of(leg))?;
                let column = self.converted(column, Kind::String, binary.left.span)?;
                let Term { operator, needle } = Term::new(&text.text, searched.case_sensitive);
                self.infix(operator, column, Expr::Const(Value::string(needle)), binary.operator_span)
            }
            _ => self.predicate(term, &Row::of(leg)),
        }
    }

    /// `* has "x"`: whether any column does.
    pub fn any_column_of(&mut self, binary: &Binary, leg: &Relation, case_sensitive: bool) -> Bind<Expr> {
        let needle = self.whole(&binary.right, &Row::of(leg))?;
        let operator = match binary.operator {
            BinaryOperator::Colon => Term::new("", case_sensitive).operator,
            operator => operator,
        };
        self.any_column(operator, &needle, leg, binary.operator_span)
    }

    fn any_column_matches(&mut self, text: &str, case_sensitive: bool, leg: &Relation, span: Span) -> Bind<Expr> {
        let Term { operator, needle } = Term::new(text, case_sensitive);
        self.any_column(operator, &Expr::Const(Value::string(needle)), leg, span)
    }

    /// Whether any column that can hold a text does.
    fn any_column(&mut self, operator: BinaryOperator, needle: &Expr, leg: &Relation, span: Span) -> Bind<Expr> {
        let mut parts = Vec::new();
        for (name, kind) in leg.schema.columns() {
            if matches!(kind, Kind::Bool | Kind::DateTime | Kind::TimeSpan | Kind::Real) {
                continue;
            }
            let column = self.converted(Expr::Column(name.clone(), *kind), Kind::String, span)?;
            parts.push(self.infix(operator, column, needle.clone(), span)?);
        }
        Ok(Expr::Or(parts))
    }
}

/// The tables of a search, for what its terms mean in each of them.
pub(super) struct Searched {
    case_sensitive: bool,
    /// The columns of all tables.
    columns: HashSet<Name>,
}

impl Searched {
    pub fn new(legs: &[Relation], case_sensitive: bool) -> Searched {
        Searched { case_sensitive, columns: legs.iter().flat_map(|leg| leg.schema.names().cloned()).collect() }
    }

    /// Whether the term reads a column that other tables have and this one has not: no row of it is meant.
    fn lacks(&self, term: &Expression, leg: &Relation) -> bool {
        let missing = |name: &str| self.columns.contains(name) && !leg.schema.contains(name);
        !leg.is_open() && term.names().into_iter().any(|name| missing(&name.text))
    }
}

/// What a searched text asks for: a whole term, or a part of one where stars stand for the rest.
struct Term {
    operator: BinaryOperator,
    needle: String,
}

impl Term {
    fn new(text: &str, case_sensitive: bool) -> Term {
        let inner = text.trim_matches('*');
        let (operator, needle) = match (text.starts_with('*'), text.ends_with('*')) {
            _ if inner.contains('*') => (TextOperator::MatchesRegex, pattern(inner, case_sensitive)),
            (true, true) => (TextOperator::Contains, inner.to_owned()),
            (true, false) => (TextOperator::HasSuffix, inner.to_owned()),
            (false, true) => (TextOperator::HasPrefix, inner.to_owned()),
            (false, false) => (TextOperator::Has, inner.to_owned()),
        };
        Term { operator: BinaryOperator::Text { operator, case_sensitive, negated: false }, needle }
    }
}

/// A regular expression for a text with stars inside.
fn pattern(text: &str, case_sensitive: bool) -> String {
    let parts: Vec<String> = text.split('*').map(regex::escape).collect();
    format!(r"{}\b{}\b", if case_sensitive { "" } else { "(?i)" }, parts.join(".*"))
}

fn lacks(expression: &Expression, leg: &Relation) -> bool {
    matches!(&expression.kind, ExpressionKind::Name(name) if !leg.is_open() && !leg.schema.contains(&name.text))
}

crate::pages! {
    /// The rows in which any column holds a term.
    ///
    /// Without tables it reads all of them. `$table` says where a row comes from. A rule cannot search all tables:
    /// Azure refuses `search *`.
    ///
    /// Source: search-operator.
    ///
    /// ```kql
    /// print a = "red fox", b = 1 | search "fox" | count // 1
    /// ```
    Operator "search": "[T |] search [kind=case_sensitive] [in (Table, Pattern*, ...)] Term | Column: \"text\" | Condition";
}
