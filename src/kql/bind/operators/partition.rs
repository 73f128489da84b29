//! `partition`: a sub-query for the rows of each value of a column.
//!
//! Source: the page "partition operator".
use super::Uniting;
use super::summarize::Aggregation;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{ExpressionKind, Partition, PartitionBody, Pipeline, Statement};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value as Bound;
use crate::kql::bind::relation::{Relation, Row};
use crate::kql::bind::scope::Binding;
use crate::plan::Node;
use crate::types::{Kind, Name, Value};

/// Values for which a query with a source of its own is written out.
const MAX_QUERIES: usize = 1_000;

impl Binder<'_> {
    pub fn partition(&mut self, partition: &Partition, input: &Relation) -> Bind<Relation> {
        let ExpressionKind::Name(by) = &partition.by.kind else {
            return Err(self.error("KS109", "Column name expected.", partition.by.span));
        };
        let Expr::Column(key, kind) = self.scalar(&partition.by, &Row::of(input))? else {
            return Err(self.error("KS109", "Column name expected.", by.span));
        };
        match &partition.body {
            PartitionBody::Subquery(subquery) => self.partition_rows(subquery, key, input),
            PartitionBody::Query(query) => self.partition_values(query, (key, kind), input, partition.by.span),
        }
    }

    /// `(operators)`: they run over the rows of each value.
    fn partition_rows(&mut self, subquery: &Pipeline, by: Name, input: &Relation) -> Bind<Relation> {
        let number = u32::try_from(self.plan.len()).unwrap_or(u32::MAX);
        let argument = self.plan.add(Node::Argument { number }, input.schema.clone());
        let rows = Relation { node: argument, table: None, ..input.clone() };
        let body = self.pipeline(subquery, Some(&rows))?;
        let node = Node::Partition { input: input.node, by, body: body.node };
        let node = self.plan.add(node, body.schema.clone());
        Ok(Relation { node, ..body })
    }

    /// `{query}`: it names its own source, and knows the value under the column's name. The values are found
    /// first, then the query is written out for each.
    fn partition_values(
        &mut self,
        query: &[Statement],
        (key, kind): (Name, Kind),
        input: &Relation,
        span: Span,
    ) -> Bind<Relation> {
        let own = vec![(key.clone(), Expr::Column(key.clone(), kind))];
        let distinct = Aggregation { by: own.clone(), columns: own, ..Aggregation::default() };
        let distinct = self.aggregated(input, distinct);
        let found = self.answered(distinct.node, span).map(|table| table.column(0));
        let values: Vec<Value> = found.iter().flat_map(|column| column.values()).collect();
        if values.len() > MAX_QUERIES {
            let message = format!("'partition' runs its query for at most {MAX_QUERIES} values: here are more.");
            return Err(self.error("HP310", message, span));
        }
        if values.is_empty() {
            let nothing = self.query_of_value(query, &key, Value::null(kind), span)?;
            return Ok(self.same_columns(&nothing, Node::Take { input: nothing.node, rows: 0 }));
        }
        let legs: Bind<Vec<Relation>> =
            values.into_iter().map(|value| self.query_of_value(query, &key, value, span)).collect();
        self.united(legs?, &Uniting::default())
    }

    fn query_of_value(&mut self, query: &[Statement], key: &Name, value: Value, span: Span) -> Bind<Relation> {
        let outer = self.scope;
        self.scope = self.scopes.with(outer, key, Binding::Scalar(Expr::Const(value), 1));
        let result = self.body(query, span);
        self.scope = outer;
        match result? {
            Bound::Table(relation) => Ok(relation),
            Bound::Scalar(_) => Err(self.error("KS111", "Tabular value expected.", span)),
        }
    }
}

crate::pages! {
    /// A query over the rows of each value of a column, the results one after another.
    ///
    /// Source: partition-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | extend k = x % 3 | partition by k (top 1 by x) | count // 3
    /// ```
    Operator "partition": "T | partition [hint.strategy=Name] by Column (Query)";
}
