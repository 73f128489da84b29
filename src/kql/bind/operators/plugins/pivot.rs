//! `pivot`: the values of a column as columns.
use super::Evaluation;
use super::bag_unpack::{MAX_COLUMNS, itself};
use crate::expr::{Expr, NodeId};
use crate::functions::{Dialect, aggregates};
use crate::kql::ast::{Argument, Column, ColumnNames, RowSchema};
use crate::kql::bind::aggregates::Given;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::operators::summarize::Aggregation;
use crate::kql::bind::relation::{Open, Relation};
use crate::kql::bind::{Bind, Reported};
use crate::plan::AggregateCall;
use crate::types::intern::Interner;
use crate::types::{Kind, Name, Table, Value};
use std::collections::HashSet;

/// The aggregates that a pivot takes.
const AGGREGATES: [&str; 13] = [
    "min",
    "max",
    "take_any",
    "any",
    "sum",
    "dcount",
    "avg",
    "stdev",
    "variance",
    "make_list",
    "make_bag",
    "make_set",
    "count",
];

/// What a pivot is made of.
struct Pivot {
    column: Name,
    kind: Kind,
    aggregate: AggregateCall,
    keys: Vec<(Name, Kind)>,
}

impl Binder<'_> {
    fn pivot(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let input = evaluation.input;
        let (column, kind) = self.column_argument(evaluation, "pivotColumn")?;
        let aggregate = match evaluation.argument("aggregationFunction") {
            Some(argument) => self.pivot_aggregate(argument, input)?,
            None => self.row_count_aggregate()?,
        };
        let keys = self.pivot_keys(evaluation, &column, &aggregate)?;
        let pivot = Pivot { column, kind, aggregate, keys };
        if let Some(schema) = evaluation.schema.filter(|schema| !schema.open) {
            return self.pivoted_as(evaluation, pivot, schema);
        }
        let read = self.read_by(&pivot, input);
        // No rows tell of no value, and rule none out.
        let table = self.answer(read, evaluation.span).filter(|table| table.rows() > 0);
        let Some(table) = table else {
            let mut out = self.project(input, pivot.keys.iter().map(itself).collect());
            out.open = Open::Any;
            return Ok(out);
        };
        let values = distinct_texts(&table, &pivot.column);
        if values.len() > MAX_COLUMNS {
            return Err(self.error("HP310", "'pivot' would make too many columns", evaluation.span));
        }
        let rows = self.values(table);
        self.pivoted(evaluation, &rows, &pivot, &values)
    }

    /// The rows with no more columns than the pivot reads.
    fn read_by(&mut self, pivot: &Pivot, input: &Relation) -> NodeId {
        if input.is_open() {
            return input.node;
        }
        let mut read: Vec<Name> = pivot.aggregate.expressions().flat_map(|e| e.columns()).collect();
        read.extend(pivot.keys.iter().map(|(name, _)| name.clone()));
        read.push(pivot.column.clone());
        let columns = input.schema.columns().iter().filter(|(name, _)| read.contains(name)).map(itself).collect();
        self.project(input, columns).node
    }

    fn pivot_aggregate(&mut self, argument: &Argument, input: &Relation) -> Bind<AggregateCall> {
        let item = Column { names: ColumnNames::Automatic, expression: argument.value.clone(), span: argument.span };
        let given: Option<Vec<Given>> = self.aggregate_columns(&item, input, &mut Names::default(), &[]).transpose()?;
        match given.and_then(|given| given.into_iter().next()) {
            Some(given) if AGGREGATES.contains(&given.call.function.name) => Ok(given.call),
            Some(_) => {
                let message = format!("'pivot' takes one of the aggregates {}.", AGGREGATES.join(", "));
                Err(self.error("HP126", message, argument.span))
            }
            None => Err(self.error("KS144", "An aggregate is expected.", argument.span)),
        }
    }

    pub(in crate::kql::bind::operators) fn row_count_aggregate(&mut self) -> Bind<AggregateCall> {
        let function = aggregates::find(Dialect::Kql, "count").ok_or(Reported)?;
        Ok(AggregateCall { function, arguments: Vec::new(), condition: None, kind: Kind::Long })
    }

    /// The columns that rows are grouped by: those named, else all that nothing else uses.
    fn pivot_keys(
        &mut self,
        evaluation: &Evaluation,
        column: &Name,
        aggregate: &AggregateCall,
    ) -> Bind<Vec<(Name, Kind)>> {
        let named = evaluation.rest("column");
        if !named.is_empty() {
            return self.columns_of(named, evaluation.input);
        }
        let used: Vec<Name> = aggregate.expressions().flat_map(|e| e.columns()).collect();
        let free = evaluation.input.schema.columns().iter().filter(|(n, _)| n != column && !used.contains(n));
        Ok(free.cloned().collect())
    }

    /// The columns that the query declares: the keys among them, and the others as values of the column.
    fn pivoted_as(&mut self, evaluation: &Evaluation, mut pivot: Pivot, schema: &RowSchema) -> Bind<Relation> {
        let is_declared = |name: &Name| schema.columns.iter().any(|c| *c.name.text == **name);
        let hidden = pivot.keys.iter().find(|(name, _)| !is_declared(name)).cloned();
        if let Some((name, _)) = hidden.filter(|_| !evaluation.rest("column").is_empty()) {
            let message = format!("The output schema lacks the column '{name}'.");
            return Err(self.error("HP126", message, schema.span));
        }
        pivot.keys.retain(|(name, _)| is_declared(name));
        let is_key = |name: &str| pivot.keys.iter().any(|(n, _)| **n == *name);
        let values: Vec<String> =
            schema.columns.iter().map(|c| c.name.text.clone()).filter(|name| !is_key(name)).collect();
        let out = self.pivoted(evaluation, evaluation.input, &pivot, &values)?;
        let mut columns = Vec::with_capacity(schema.columns.len());
        for declared in &schema.columns {
            let own = out.schema.columns().iter().find(|(name, _)| **name == *declared.name.text);
            let Some(own) = own.map(itself) else { continue };
            let kind = declared.kind.kind.unwrap_or(Kind::Dynamic);
            columns.push((own.0, self.converted(own.1, kind, declared.span)?));
        }
        Ok(self.project(&out, columns))
    }

    fn pivoted(
        &mut self,
        evaluation: &Evaluation,
        rows: &Relation,
        pivot: &Pivot,
        values: &[String],
    ) -> Bind<Relation> {
        let keys: Vec<(Name, Expr)> = pivot.keys.iter().map(itself).collect();
        let mut names = Names::default();
        keys.iter().for_each(|(name, _)| {
            names.declare(name);
        });
        let mut made = Aggregation { by: keys.clone(), columns: keys, ..Aggregation::default() };
        let own = Expr::Column(pivot.column.clone(), pivot.kind);
        let own = self.converted(own, Kind::String, evaluation.span)?;
        for value in values {
            let value: Value = Value::string(value.as_str());
            let name = names.unique(&value.to_text());
            let is_it = self.call_item("==", vec![own.clone(), Expr::Const(value)], evaluation.span)?;
            let mut call = pivot.aggregate.clone();
            call.condition = Some(match call.condition.take() {
                Some(also) => is_it.and(also),
                None => is_it,
            });
            made.columns.push((name.clone(), Expr::Column(name.clone(), call.kind)));
            made.calls.push((name, call));
        }
        Ok(self.aggregated(rows, made))
    }
}

/// The texts of a column's values, in order of first sight.
fn distinct_texts(table: &Table, column: &Name) -> Vec<String> {
    let Some(column) = table.column_named(column) else { return Vec::new() };
    let mut values = Interner::new(column.kind());
    let numbers = values.numbers(&column);
    let mut met = vec![false; values.len() + 1];
    let null = values.len();
    let is_new = |number: &u32| {
        let known = met.get_mut((*number as usize).min(null));
        known.is_some_and(|known| !std::mem::replace(known, true))
    };
    let first: Vec<u32> = numbers.into_iter().filter(is_new).collect();
    let mut seen = HashSet::new();
    let texts = values.column(column.kind(), &first).values().map(|value| value.to_text()).collect::<Vec<_>>();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

super::items! {
    /// Makes a column of each value of a column: what an aggregate gives for the rows with that value.
    ///
    /// The aggregate is one of `min`, `max`, `take_any`, `sum`, `dcount`, `avg`, `stdev`, `variance`, `make_list`,
    /// `make_bag`, `make_set` and `count()`, which is the default. There is a row for each combination of the columns
    /// named; where none is, of all columns but the pivoted one and that of the aggregate. A schema behind the call
    /// names the columns of the result, and saves a first look at the rows.
    ///
    /// Source: pivot-plugin.
    ///
    /// ```kql
    /// datatable(k: string, n: long) ["a", 1, "b", 2, "a", 3] | evaluate pivot(k, sum(n)) : (a: long, b: long) // 4
    /// ```
    fn pivot(pivotColumn: Column, aggregationFunction[optional]: Aggregate, column[any]: Column) =
        |binder, evaluation| binder.pivot(evaluation);
}
