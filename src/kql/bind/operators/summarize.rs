//! `summarize`, `distinct`, `count`.
use super::columns::{all_columns, automatic_name};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::aggregates;
use crate::functions::{Dialect, Returns};
use crate::kql::ast::{Column, ColumnNames, Count, Distinct, Expression, ExpressionKind, SampleDistinct, Summarize};
use crate::kql::bind::aggregates::around_aggregate;
use crate::kql::bind::binder::{Binder, is_unknown};
use crate::kql::bind::names::{Names, automatic};
use crate::kql::bind::relation::{Lifted, Open, Relation, Row};
use crate::kql::bind::{Bind, Reported};
use crate::plan::{AggregateCall, Node};
use crate::types::{Kind, Name, Schema, Value};

/// The columns of an aggregation.
#[derive(Default)]
pub(super) struct Aggregation {
    pub by: Vec<(Name, Expr)>,
    /// The calls, those inside of expressions under hidden names.
    pub calls: Vec<(Name, AggregateCall)>,
    /// What the result is made of.
    pub columns: Vec<(Name, Expr)>,
    /// Whether every column of the rows is wanted, those that nobody knows as well.
    pub all: bool,
}

impl Binder<'_> {
    pub fn summarize(&mut self, summarize: &Summarize, input: &Relation) -> Bind<Relation> {
        let mut names = Names::default();
        let mut made = Aggregation::default();
        let lifted = Lifted::default();
        let row = Row { in_order: Some(&lifted), ..Row::of(input) };
        let mut failed = self.keys(&summarize.keys, &row, input, &mut names, &mut made).err();
        let input = &self.with_rows(lifted, input);
        for column in &summarize.aggregates {
            failed = self.aggregate_item(column, input, &mut names, &mut made).err().or(failed);
        }
        self.legacy_bin(summarize, &mut made)?;
        let out = self.aggregated(input, made);
        Ok(if failed.is_some() { out.broken() } else { out })
    }

    /// `summarize … by t bin=1h`: the keys are put into bins.
    fn legacy_bin(&mut self, summarize: &Summarize, made: &mut Aggregation) -> Bind<()> {
        let Some(size) = &summarize.bin else { return Ok(()) };
        let width = self.whole(size, &Row::default())?;
        for (_, key) in &mut made.by {
            if matches!(key.kind(), Kind::DateTime | Kind::TimeSpan) || key.kind().is_number() {
                *key = self.call_item("bin", vec![key.clone(), width.clone()], size.span)?;
            }
        }
        Ok(())
    }

    /// The keys of `by` and of `distinct`.
    pub(super) fn keys(
        &mut self,
        keys: &[Column],
        row: &Row,
        input: &Relation,
        names: &mut Names,
        made: &mut Aggregation,
    ) -> Bind<()> {
        let mut failed = Ok(());
        for column in keys {
            let bound = self.whole(&column.expression, row);
            let bound = bound.and_then(|key| {
                let known = input.open != Open::Broken && !is_unknown(&key, input);
                match key.kind() == Kind::Dynamic && known {
                    true => Err(self.dynamic_key(column.expression.span)),
                    false => Ok(key),
                }
            });
            let key = bound.unwrap_or_else(|Reported| {
                failed = Err(Reported);
                Expr::Const(Value::Null(Kind::Dynamic))
            });
            let name = match &column.names {
                ColumnNames::One(name) => self.declared(name, names),
                _ => match automatic_name(&column.expression, row) {
                    Some(name) => names.unique(&name),
                    None => names.numbered(&mut self.numbered),
                },
            };
            made.columns.push((name.clone(), Expr::Column(name.clone(), key.kind())));
            made.by.push((name, key));
        }
        failed
    }

    pub(super) fn dynamic_key(&mut self, span: Span) -> Reported {
        let message = "The value of type 'dynamic' is not allowed in this context.";
        self.say(
            crate::diagnostic::Diagnostic::error("KS116", message)
                .at(span)
                .help("convert it: tostring(…), tolong(…), todatetime(…)"),
        );
        Reported
    }

    pub(super) fn aggregate_item(
        &mut self,
        column: &Column,
        input: &Relation,
        names: &mut Names,
        made: &mut Aggregation,
    ) -> Bind<()> {
        if let Some(given) = self.aggregate_columns(column, input, names, &made.by) {
            let given = given.inspect_err(|Reported| {
                if let ColumnNames::One(name) = &column.names {
                    made.columns.push((names.unique(&name.text), Expr::Const(Value::Null(Kind::Dynamic))));
                }
            })?;
            made.all |= takes_all(&column.expression);
            for given in given {
                made.columns.push((given.name.clone(), Expr::Column(given.name.clone(), given.call.kind)));
                made.calls.push((given.name, given.call));
            }
            return Ok(());
        }
        let lifted = Lifted::default();
        let row = Row { aggregates: Some(&lifted), ..Row::of(input) };
        let expr = self.whole(&column.expression, &row);
        made.calls.extend(lifted.into_inner());
        let name = match &column.names {
            ColumnNames::One(name) => self.declared(name, names),
            _ => match around_aggregate(&column.expression).or_else(|| automatic(&column.expression)) {
                Some(name) => names.unique(&name),
                None => names.numbered(&mut self.numbered),
            },
        };
        let failed = expr.as_ref().err().copied();
        made.columns.push((name, expr.unwrap_or(Expr::Const(Value::Null(Kind::Dynamic)))));
        failed.map_or(Ok(()), Err)
    }

    /// The aggregation's node, and the expressions around its calls above it.
    pub(super) fn aggregated(&mut self, input: &Relation, made: Aggregation) -> Relation {
        let keys = made.by.iter().map(|(n, e)| (n.clone(), e.kind()));
        let schema: Schema = keys.chain(made.calls.iter().map(|(n, c)| (n.clone(), c.kind))).collect();
        let mut unknown: Vec<Name> =
            made.by.iter().filter(|(_, e)| is_unknown(e, input)).map(|(n, _)| n.clone()).collect();
        let taken = made.calls.iter().filter(|(_, call)| takes_unknown(call, input));
        unknown.extend(taken.map(|(name, _)| name.clone()));
        let plain = schema.len() == made.columns.len()
            && schema.names().zip(&made.columns).all(|(n, (name, e))| n == name && is_itself(name, e));
        let node = Node::Aggregate { input: input.node, by: made.by, aggregates: made.calls };
        let mut out = self.over(input, node, schema);
        out.unknown = unknown;
        let open = out.open;
        if open == Open::Any && !made.all {
            out.open = Open::Closed;
        }
        if plain {
            return out;
        }
        let mut columns = self.project(&out, made.columns);
        if made.all {
            columns.open = open;
        }
        columns
    }

    pub fn distinct(&mut self, distinct: &Distinct, input: &Relation) -> Bind<Relation> {
        let star = distinct.columns.iter().any(|c| matches!(c.expression.kind, ExpressionKind::Star));
        let mut made = Aggregation::default();
        let mut failed = None;
        if star {
            made.by = all_columns(&input.schema);
            made.columns = all_columns(&input.schema);
            made.all = true;
        } else {
            failed = self.keys(&distinct.columns, &Row::of(input), input, &mut Names::default(), &mut made).err();
        }
        let out = self.aggregated(input, made);
        Ok(if failed.is_some() { out.broken() } else { out })
    }

    pub fn sample_distinct(&mut self, sample: &SampleDistinct, input: &Relation) -> Bind<Relation> {
        let mut made = Aggregation::default();
        self.keys(std::slice::from_ref(&sample.of), &Row::of(input), input, &mut Names::default(), &mut made)?;
        let distinct = self.aggregated(input, made);
        self.take(&sample.count, &distinct)
    }

    pub fn count(&mut self, count: &Count, input: &Relation) -> Bind<Relation> {
        let name: Name = count.name.as_ref().map_or("Count", |n| n.text.as_str()).into();
        let Some(function) = aggregates::find(Dialect::Kql, "count") else { return Err(Reported) };
        let call = AggregateCall { function, arguments: Vec::new(), condition: None, kind: Kind::Long };
        let columns = vec![(name.clone(), Expr::Column(name.clone(), Kind::Long))];
        Ok(self.aggregated(input, Aggregation { calls: vec![(name, call)], columns, ..Aggregation::default() }))
    }
}

/// Whether an aggregate is asked for every column: `arg_max(t, *)`.
fn takes_all(expression: &Expression) -> bool {
    let ExpressionKind::Call(call) = &expression.kind else { return false };
    call.arguments.iter().any(|argument| matches!(argument.value.kind, ExpressionKind::Star))
}

/// Whether an aggregate gives a value of an argument that nobody knows the kind of.
fn takes_unknown(call: &AggregateCall, input: &Relation) -> bool {
    let own = call.kind == Kind::Dynamic && !matches!(call.function.returns, Returns::Kind(_));
    own && call.arguments.iter().any(|argument| is_unknown(argument, input))
}

fn is_itself(name: &Name, expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column, _) if column == name)
}

crate::pages! {
    /// One row per group of rows, with aggregates over each group.
    ///
    /// Without `by` all rows are one group, and no row at all still gives one. With `by` alone it gives the groups'
    /// keys. A key of the kind dynamic is an error: `tostring` makes a text of it. Columns without a name are called by
    /// their aggregate, as `count_` and `sum_x`.
    ///
    /// Source: summarize-operator.
    ///
    /// ```kql
    /// range x from 1 to 10 step 1 | summarize n = count() by odd = x % 2 == 1 | where odd | project n // 5
    /// ```
    Operator "summarize": "T | summarize [Column =] Aggregate, ... [by [Column =] Key, ...]";

    /// Each combination of values once.
    ///
    /// Source: distinct-operator.
    ///
    /// ```kql
    /// datatable(a: long)[1, 2, 1] | distinct a | count // 2
    /// ```
    Operator "distinct": "T | distinct Key, ... | *";

    /// That many different values of a column.
    ///
    /// Source: sample-distinct-operator.
    ///
    /// ```kql
    /// datatable(a: long)[1, 1, 1] | sample-distinct 5 of a | count // 1
    /// ```
    Operator "sample-distinct": "T | sample-distinct N of Column";

    /// The number of rows, in one row.
    ///
    /// The column is called `Count` unless `as` names it.
    ///
    /// Source: count-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | count // 3
    /// ```
    Operator "count": "T | count [as Column]";
}
