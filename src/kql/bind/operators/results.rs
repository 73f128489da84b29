//! `fork`, `facet`, `graph-to-table` and some plugins: a statement that has several results.
//!
//! Source: the pages "fork operator" and "facet operator".
use super::summarize::Aggregation;
use crate::expr::Expr;
use crate::kql::ast::{Expression, ExpressionKind, Facet, Fork, Operator, OperatorKind, Pipeline, Render};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value;
use crate::kql::bind::relation::{Relation, Row};
use crate::types::Name;

/// The operators without a `render` behind several results, and that `render`.
fn without_render(operators: &[Operator]) -> (&[Operator], Option<&Render>) {
    use OperatorKind::{Facet, Fork, Render};
    match operators.split_last() {
        Some((last, before)) => match (&last.kind, before.last().map(|several| &several.kind)) {
            (Render(render), Some(Fork(_) | Facet(_))) => (before, Some(render)),
            _ => (operators, None),
        },
        None => (operators, None),
    }
}

impl Binder<'_> {
    /// The results of a statement. The names that `as` gives in it are known to the statements behind it.
    pub fn results_of(&mut self, expression: &Expression) -> Bind<Vec<Value>> {
        let ExpressionKind::Pipeline(pipeline) = &expression.kind else {
            return Ok(vec![self.value(expression, &Row::default())?]);
        };
        let Pipeline { source, operators, span } = &**pipeline;
        let (operators, render) = without_render(operators);
        let whole = |binder: &mut Self| binder.piped(source.as_ref(), operators, None, *span);
        let Some((last, before)) = operators.split_last() else { return Ok(each(whole(self)?)) };
        let results = match &last.kind {
            OperatorKind::Fork(fork) => {
                let rows = self.piped(source.as_ref(), before, None, *span)?;
                self.forked(fork, &rows)
            }
            OperatorKind::Facet(facet) => {
                let rows = self.piped(source.as_ref(), before, None, *span)?;
                self.faceted(facet, &rows)
            }
            OperatorKind::GraphToTable(tables) if tables.nodes.is_some() && tables.edges.is_some() => {
                let graph = self.piped(source.as_ref(), before, None, *span)?;
                self.graph_tables(tables, &graph, last.span)
            }
            _ => return Ok(each(whole(self)?)),
        };
        let results = results?;
        if let (Some(render), Some(first)) = (render, results.first()) {
            self.render(render, first);
        }
        Ok(results.into_iter().map(Value::Table).collect())
    }

    fn forked(&mut self, fork: &Fork, input: &Relation) -> Bind<Vec<Relation>> {
        self.input_of_results(input, fork.branches.first().map_or_else(Default::default, |b| b.span))?;
        let branches: Vec<Bind<Relation>> =
            fork.branches.iter().map(|branch| self.pipeline(&branch.subquery, Some(input))).collect();
        branches.into_iter().collect()
    }

    /// The rows of `with`, and for each column its values with their counts.
    fn faceted(&mut self, facet: &Facet, input: &Relation) -> Bind<Vec<Relation>> {
        self.input_of_results(input, facet.by.first().map_or_else(Default::default, |b| b.span))?;
        let with = facet.with.as_ref().map(|with| self.pipeline(with, Some(input)));
        let counts: Vec<Bind<Relation>> = facet.by.iter().map(|column| self.values_of(column, input)).collect();
        with.into_iter().chain(counts).collect()
    }

    fn input_of_results(&mut self, input: &Relation, span: crate::diagnostic::Span) -> Bind<()> {
        if input.graph.is_some() { Err(self.graph_in_place_of_rows(span)) } else { Ok(()) }
    }

    fn values_of(&mut self, column: &Expression, input: &Relation) -> Bind<Relation> {
        let Expr::Column(name, kind) = self.scalar(column, &Row::of(input))? else {
            return Err(self.error("KS109", "Column name expected.", column.span));
        };
        let call = self.row_count_aggregate()?;
        let count: Name = format!("count_{name}").into();
        let own = (name.clone(), Expr::Column(name, kind));
        let columns = vec![own.clone(), (count.clone(), Expr::Column(count.clone(), call.kind))];
        Ok(self.aggregated(input, Aggregation { by: vec![own], calls: vec![(count, call)], columns, all: false }))
    }
}

/// The results of the last operator: most give one.
fn each(mut first: Relation) -> Vec<Value> {
    let others = std::mem::take(&mut first.others);
    std::iter::once(first).chain(others).map(Value::Table).collect()
}

crate::pages! {
    /// Several queries over the same rows, each with a result of its own.
    ///
    /// Source: fork-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | fork (where x > 7 | count) (count) // 2
    /// ```
    Operator "fork": "T | fork [Name=](Operators) [Name=](Operators) ...";

    /// For each column its values with their counts, each a result of its own; with a query, its result first.
    ///
    /// Source: facet-operator.
    ///
    /// ```kql
    /// datatable(a: string)["x", "y", "x"] | facet by a with (count) // 3
    /// ```
    Operator "facet": "T | facet by Column, ... [with (Operators)]";
}
