//! `range`, `getschema`, `as`, `render`, `invoke`.
use crate::diagnostic::{Diagnostic, Severity, Span, closest};
use crate::expr::Expr;
use crate::kql::ast::{As, Call, Expression, ExpressionKind, Invoke, Literal, Operator, OperatorKind, Range, Render};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value as Bound;
use crate::kql::bind::relation::{Relation, Row};
use crate::kql::bind::scope::{Binding, Closure};
use crate::kql::bind::{Bind, RenderHint};
use crate::plan::Node;
use crate::types::{Kind, Schema, Table, Value};
use std::rc::Rc;

/// Charts of `render`. Source: render-operator.
pub const CHARTS: &[&str] = &[
    "timechart",
    "columnchart",
    "barchart",
    "piechart",
    "linechart",
    "areachart",
    "scatterchart",
    "anomalychart",
    "stackedareachart",
    "ladderchart",
    "pivotchart",
    "timepivot",
    "treemap",
    "card",
    "graph",
    "table",
];

impl Binder<'_> {
    /// `range x from a to b step c`: the elements of `range(a, b, c)`, a row each; the first of them, where the operators
    /// behind it ask for no more.
    pub fn range(&mut self, range: &Range, behind: &[Operator], span: Span) -> Bind<Relation> {
        let row = Row::default();
        let from = self.whole(&range.from, &row);
        let to = self.whole(&range.to, &row);
        let step = self.whole(&range.step, &row);
        let (from, to, step) = (from?, to?, step?);
        if matches!(&step, Expr::Const(Value::Long(0) | Value::Int(0) | Value::TimeSpan(0))) {
            return Err(self.error("KS140", "The expression must not be the value: 0", range.step.span));
        }
        let is_time = |kind| matches!(kind, Kind::DateTime | Kind::TimeSpan);
        if is_time(from.kind()) != is_time(to.kind()) {
            let message = format!("A value of type {} expected.", from.kind());
            return Err(self.error("KS107", message, range.to.span));
        }
        let kinds = [from.kind(), to.kind(), step.kind()];
        let kind = match from.kind() {
            time @ (Kind::DateTime | Kind::TimeSpan) => time,
            _ if kinds.contains(&Kind::Real) => Kind::Real,
            _ if kinds == [Kind::Int; 3] => Kind::Int,
            _ => Kind::Long,
        };
        let ends = if kind.is_number() {
            let elements = if kind == Kind::Real { Kind::Real } else { Kind::Long };
            let mut fit = |e| self.converted(e, elements, span);
            [fit(from)?, fit(to)?, fit(step)?]
        } else {
            [from, to, step]
        };
        let mut ends = ends.to_vec();
        ends.extend(asked_for(behind).map(|rows| Expr::Const(Value::Long(rows))));
        let elements = self.call_item(".range", ends, span)?;
        let one = self.one_row();
        let name: crate::types::Name = range.name.text.as_str().into();
        let column = crate::plan::Expanded { name: name.clone(), value: elements, kind };
        let schema: Schema = [(name, kind)].into_iter().collect();
        let node = Node::Expand {
            input: one.node,
            columns: vec![column],
            index: None,
            limit: None,
            keep_bags_as_arrays: false,
        };
        Ok(self.over(&one, node, schema))
    }

    pub fn get_schema(&mut self, input: &Relation) -> Relation {
        let schema: Schema = SCHEMA_COLUMNS.into_iter().collect();
        let rows = input.schema.columns().iter().enumerate().map(|(at, (name, kind))| {
            vec![
                Value::string(name.clone()),
                Value::Long(i64::try_from(at).unwrap_or(i64::MAX)),
                Value::string(data_type(*kind)),
                Value::string(kind.name()),
            ]
        });
        let rows: Vec<Vec<Value>> = rows.collect();
        self.values(Table::from_rows(schema, &rows))
    }

    /// `as name`: the rows have a name from here on.
    pub fn named_as(&mut self, named: &As, input: &Relation) -> Relation {
        self.scope = self.scopes.with(self.scope, &named.name.text, Binding::Table(input.clone()));
        Relation { table: Some(named.name.text.clone()), ..input.clone() }
    }

    pub fn render(&mut self, render: &Render, input: &Relation) -> Relation {
        let chart = &render.chart;
        if !CHARTS.contains(&chart.text.as_str()) {
            let message = format!("the chart '{}' is not known", chart.text);
            let said = Diagnostic::new(Severity::Note, "HP136", message).at(chart.span);
            self.say(match closest(&chart.text, CHARTS.iter().copied()) {
                Some(near) => said.help(format!("did you mean '{near}'?")),
                None => said,
            });
        }
        let text = |e: &Expression| match &e.kind {
            ExpressionKind::Literal(Literal::String(text)) => text.text.clone(),
            ExpressionKind::Literal(Literal::Bool(Some(value))) => value.to_string(),
            ExpressionKind::Literal(Literal::Long(Some(value))) => value.to_string(),
            ExpressionKind::Literal(Literal::Real(Some(value))) => value.to_string(),
            ExpressionKind::Name(name) => name.text.clone(),
            _ => String::new(),
        };
        let properties = render.properties.iter().map(|p| {
            let values: Vec<String> = p.values.iter().map(text).collect();
            (p.name.text.clone(), values.join(","))
        });
        self.render = Some(RenderHint { chart: render.chart.text.clone(), properties: properties.collect() });
        input.clone()
    }

    /// `invoke f(x)`: the rows are the function's first argument.
    pub fn invoke(&mut self, invoke: &Invoke, input: &Relation, span: Span) -> Bind<Relation> {
        let named;
        let call = match &invoke.function.kind {
            ExpressionKind::Call(call) => call,
            ExpressionKind::Name(name) => {
                named = Call { name: name.clone(), arguments: Vec::new(), span: name.span };
                &named
            }
            _ => return Err(self.unsupported("'invoke' of such a function", invoke.function.span)),
        };
        if !self.is_function(&call.name.text) {
            if let Some(asked) = self.asked_of_defender(call, input) {
                return asked;
            }
            if self.settings.open_tables {
                return Ok(self.missing_function(&call.name));
            }
        }
        let closure = self.invoked(call)?;
        if let Some(first) = closure.function.parameters.first() {
            self.check_columns(first, input, span);
        }
        let row = Row::of(input);
        let name = call.name.text.as_str();
        match self.call_closure(&closure, name, &call.arguments, Some(input.clone()), &row, call.name.span)? {
            Bound::Table(relation) => Ok(relation),
            Bound::Scalar(_) => Err(self.error("KS111", "Tabular value expected.", call.span)),
        }
    }

    fn invoked(&mut self, call: &Call) -> Bind<Rc<Closure>> {
        let name = &call.name;
        if let Some(Binding::Function(closure)) = self.scopes.find(self.scope, &name.text) {
            return Ok(closure.clone());
        }
        if let Some(closure) = self.saved(&name.text, name.span) {
            return closure;
        }
        let local: Vec<String> = self.scopes.names(self.scope).map(str::to_owned).collect();
        let saved = self.catalog.functions();
        let known = local.iter().chain(&saved).map(String::as_str);
        Err(self.unknown("KS211", "function", &name.text, name.span, known))
    }
}

/// How many of the first rows these operators read, where one says so and those before it keep every row in its place.
fn asked_for(operators: &[Operator]) -> Option<i64> {
    use OperatorKind::*;
    let whole =
        |kind: &OperatorKind| matches!(kind, Extend(_) | Project(_) | ProjectRename(_) | Serialize(_) | Render(_));
    match operators.iter().map(|operator| &operator.kind).find(|kind| !whole(kind))? {
        Take(take) => match take.count.kind {
            ExpressionKind::Literal(Literal::Long(rows)) => rows,
            _ => None,
        },
        _ => None,
    }
}

/// The columns that `getschema` gives.
pub(super) const SCHEMA_COLUMNS: [(&str, Kind); 4] = [
    ("ColumnName", Kind::String),
    ("ColumnOrdinal", Kind::Long),
    ("DataType", Kind::String),
    ("ColumnType", Kind::String),
];

/// The .NET type that `getschema` names.
pub(super) fn data_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "System.SByte",
        Kind::Int => "System.Int32",
        Kind::Long => "System.Int64",
        Kind::Real => "System.Double",
        Kind::Decimal => "System.Data.SqlTypes.SqlDecimal",
        Kind::String | Kind::Field => "System.String",
        Kind::DateTime => "System.DateTime",
        Kind::TimeSpan => "System.TimeSpan",
        Kind::Dynamic => "System.Object",
        Kind::Guid => "System.Guid",
    }
}

crate::pages! {
    /// Rows of values at equal distances.
    ///
    /// The stop is included where a step meets it. Numbers, datetimes and timespans make ranges.
    ///
    /// Source: range-operator.
    ///
    /// ```kql
    /// range x from 1 to 10 step 3 | summarize max(x) // 10
    /// ```
    Operator "range": "range Column from Start to Stop step Step";

    /// The columns of a table as rows: name, place, data type and kind.
    ///
    /// Source: getschema-operator.
    ///
    /// ```kql
    /// print a = 1, b = "x" | getschema | where ColumnName == "b" | project ColumnType // string
    /// ```
    Operator "getschema": "T | getschema";

    /// A name for the rows at this place, for the steps after it.
    ///
    /// Source: as-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | as t | where x == toscalar(t | summarize max(x)) // 3
    /// ```
    Operator "as": "T | as [hint.materialized=true] Name";

    /// How the result wants to be drawn; the rows stay as they are.
    ///
    /// It is the last step of a query.
    ///
    /// Source: render-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | render timechart with (title="x") | count // 3
    /// ```
    Operator "render": "T | render Chart [with (Property=Value, ...)]";

    /// The rows that a function makes of the table: it is the function's first argument.
    ///
    /// Source: invoke-operator.
    ///
    /// ```kql
    /// let few = (t: (x: long), n: long) { t | where x < n }; range x from 1 to 9 step 1 | invoke few(4) | count // 3
    /// ```
    Operator "invoke": "T | invoke Function(Argument, ...)";
}
