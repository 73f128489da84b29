//! `make-series`: an aggregation by bins of the axis, whose bins then become arrays.
//!
//! Source: the page "make-series operator".
use super::columns::automatic_name;
use super::summarize::Aggregation;
use crate::diagnostic::{Fault, Result, Span};
use crate::expr::Expr;
use crate::functions::Context;
use crate::kql::ast::{ColumnNames, Expression, ExpressionKind, MakeSeries, SeriesAxis};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::{Binder, is_unknown};
use crate::kql::bind::convert::constant_to;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Kind, Name, Schema, Table, Value, json};
use std::sync::Arc;

/// Elements that a series may have.
const MAX_BINS: i64 = 1_048_576;

/// The ends of the axis and the width of its bins, as expressions.
struct Axis {
    from: Expr,
    to: Expr,
    step: Expr,
    /// Whether the bin at the upper end belongs to the series.
    closed: bool,
}

impl Binder<'_> {
    pub fn make_series(&mut self, series: &MakeSeries, input: &Relation, span: Span) -> Bind<Relation> {
        let row = Row::of(input);
        let on = self.whole(&series.on.expression, &row)?;
        // What only the data can tell is most likely a time.
        let on = if is_unknown(&on, input) { self.converted(on, Kind::DateTime, span)? } else { on };
        let mut names = Names::default();
        let mut made = Aggregation::default();
        self.keys(&series.keys, &Row::of(input), input, &mut names, &mut made)?;
        let keys = made.by.len();
        let mut defaults = Vec::new();
        for column in &series.aggregates {
            let before = made.columns.len();
            self.aggregate_item(&column.column, input, &mut names, &mut made)?;
            let default = match &column.default {
                Some(default) => self.constant_of(default)?,
                None => Value::Long(0),
            };
            let fresh = made.columns.iter().skip(before);
            defaults.extend(fresh.map(|(_, e)| constant_to(&default, e.kind())));
        }
        let axis = self.axis(series, on.kind(), span)?;
        let axis_name: Name = match &series.on.names {
            ColumnNames::One(name) => names.unique(&name.text),
            _ => {
                let own = automatic_name(&series.on.expression, &Row::of(input));
                names.unique(own.as_deref().unwrap_or("Column1"))
            }
        };
        let within = self.within(&on, &axis, input, span)?;
        let grouped = self.binned(within, on, &axis, made, keys, span)?;
        let nonempty = keys == 0 && is_nonempty(series);
        let empty = axis.constants().filter(|_| nonempty);
        Ok(self.series_of(&grouped, keys, defaults, axis_name, axis.closed, empty))
    }

    fn axis(&mut self, series: &MakeSeries, kind: Kind, span: Span) -> Bind<Axis> {
        if !(kind.is_number() || matches!(kind, Kind::DateTime | Kind::TimeSpan)) {
            return Err(self.error("KS106", format!("The axis of a series cannot be of kind {kind}."), span));
        }
        let row = Row::default();
        let null = || Ok(Expr::Const(Value::Null(kind)));
        let (from, to, step, closed) = match &series.axis {
            SeriesAxis::Steps { from, to, step } => {
                let from = from.as_ref().map_or_else(null, |e| self.whole(e, &row))?;
                let to = to.as_ref().map_or_else(null, |e| self.whole(e, &row))?;
                (from, to, self.whole(step, &row)?, false)
            }
            SeriesAxis::Range { start, stop, step } => {
                let step = match step {
                    Some(step) => self.whole(step, &row)?,
                    None => Expr::Const(Value::Long(1)),
                };
                (self.whole(start, &row)?, self.whole(stop, &row)?, step, true)
            }
        };
        let width = if kind == Kind::DateTime { Kind::TimeSpan } else { kind };
        Ok(Axis {
            from: self.converted(from, kind, span)?,
            to: self.converted(to, kind, span)?,
            step: self.converted(step, width, span)?,
            closed,
        })
    }

    /// The rows between the ends.
    fn within(&mut self, on: &Expr, axis: &Axis, input: &Relation, span: Span) -> Bind<Relation> {
        let is_given = |e: &Expr| !matches!(e, Expr::Const(Value::Null(_)));
        let mut parts = Vec::new();
        if is_given(&axis.from) {
            parts.push(self.call_item(">=", vec![on.clone(), axis.from.clone()], span)?);
        }
        if is_given(&axis.to) {
            let below = if axis.closed { "<=" } else { "<" };
            parts.push(self.call_item(below, vec![on.clone(), axis.to.clone()], span)?);
        }
        let Some(predicate) = parts.into_iter().reduce(Expr::and) else { return Ok(input.clone()) };
        Ok(self.same_columns(input, Node::Filter { input: input.node, predicate }))
    }

    /// A row for each key and bin: keys, bin, the ends and the width, aggregates.
    fn binned(
        &mut self,
        input: Relation,
        on: Expr,
        axis: &Axis,
        mut made: Aggregation,
        keys: usize,
        span: Span,
    ) -> Bind<Relation> {
        let bin = match &axis.from {
            Expr::Const(Value::Null(_)) => self.call_item("bin", vec![on, axis.step.clone()], span)?,
            from => self.call_item("bin_at", vec![on, axis.step.clone(), from.clone()], span)?,
        };
        let parts = [("bin", bin), ("from", axis.from.clone()), ("to", axis.to.clone()), ("step", axis.step.clone())];
        for (at, (name, part)) in parts.into_iter().enumerate() {
            let name = self.hidden(name);
            made.columns.insert(keys + at, (name.clone(), Expr::Column(name.clone(), part.kind())));
            made.by.push((name, part));
        }
        Ok(self.aggregated(&input, made))
    }

    fn series_of(
        &mut self,
        grouped: &Relation,
        keys: usize,
        defaults: Vec<Value>,
        axis: Name,
        closed: bool,
        empty: Option<[Value; 3]>,
    ) -> Relation {
        let columns = grouped.schema.columns();
        let kept = columns.iter().take(keys).cloned();
        let arrays = columns.iter().skip(keys + 4).map(|(n, _)| (n.clone(), Kind::Dynamic));
        let schema: Schema = kept.chain(arrays).chain([(axis, Kind::Dynamic)]).collect();
        let operation = Arc::new(Series { keys, defaults, closed, empty, schema: schema.clone() });
        self.over(grouped, Node::Table { inputs: vec![grouped.node], operation }, schema)
    }
}

/// `kind=nonempty`.
fn is_nonempty(series: &MakeSeries) -> bool {
    let is_it = |e: &Expression| matches!(&e.kind, ExpressionKind::Name(name) if name.text == "nonempty");
    series.parameters.iter().any(|p| p.name.text == "kind" && is_it(&p.value))
}

impl Axis {
    /// The ends and the width, where all of them are known.
    fn constants(&self) -> Option<[Value; 3]> {
        match [&self.from, &self.to, &self.step] {
            [Expr::Const(from), Expr::Const(to), Expr::Const(step)] if !from.is_null() && !to.is_null() => {
                Some([from.clone(), to.clone(), step.clone()])
            }
            _ => None,
        }
    }
}

/// The keys of a series, and a cell for each aggregate and bin.
type Filled = (Vec<Value>, Vec<Vec<Option<Value>>>);

/// Turns the rows of bins into arrays over all bins.
#[derive(Debug)]
struct Series {
    /// How many columns are keys; the bin, the ends and the width come after them.
    keys: usize,
    defaults: Vec<Value>,
    closed: bool,
    /// The ends and the width of the series that stands for no rows: `kind=nonempty`.
    empty: Option<[Value; 3]>,
    schema: Schema,
}

impl TableOperation for Series {
    fn name(&self) -> &str {
        "make-series"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let mut rows = inputs.first().map(Table::to_rows).unwrap_or_default();
        if let (true, Some([from, to, step])) = (rows.is_empty(), &self.empty) {
            // A bin without values: all of them are the defaults.
            rows.push(vec![from.clone(), from.clone(), to.clone(), step.clone()]);
        }
        let Some(bins) = self.bins(&rows)? else { return Ok(Table::from_rows(self.schema.clone(), &[])) };
        let places = inputs.first().map(|table| table.groups(0..self.keys)).unwrap_or_default();
        let mut series: Vec<Filled> = Vec::new();
        for (number, row) in rows.into_iter().enumerate() {
            context.check()?;
            let (keys, rest) = row.split_at(self.keys.min(row.len()));
            let at = places.get(number).copied().unwrap_or(0);
            if at == series.len() {
                series.push((keys.to_vec(), vec![vec![None; bins.len()]; self.defaults.len()]));
            }
            let Some(bin) = rest.first().and_then(|bin| bins.place(bin)) else { continue };
            let Some((_, arrays)) = series.get_mut(at) else { continue };
            for (array, value) in arrays.iter_mut().zip(rest.iter().skip(4)) {
                if let Some(cell) = array.get_mut(bin) {
                    *cell = Some(value.clone());
                }
            }
        }
        let axis = Value::dynamic(array((0..bins.len()).map(|at| bins.value(at))));
        let rows: Vec<Vec<Value>> = series
            .into_iter()
            .map(|(keys, arrays)| {
                let filled = arrays.into_iter().zip(&self.defaults).map(|(cells, default)| {
                    Value::dynamic(array(cells.into_iter().map(|c| c.unwrap_or_else(|| default.clone()))))
                });
                keys.into_iter().chain(filled).chain([axis.clone()]).collect()
            })
            .collect();
        Ok(Table::from_rows(self.schema.clone(), &rows))
    }
}

fn array(values: impl Iterator<Item = Value>) -> String {
    let mut out = json::Writer::default();
    out.begin_array();
    values.for_each(|v| {
        out.raw(&v.to_json());
    });
    out.end_array();
    out.finish()
}

/// The bins of an axis.
enum Bins {
    Whole { kind: Kind, start: i64, step: i64, count: usize },
    Real { start: f64, step: f64, count: usize },
}

impl Series {
    /// The bins between the ends, which default to those of the data; none where there are no rows.
    fn bins(&self, rows: &[Vec<Value>]) -> Result<Option<Bins>> {
        let cell = |row: &Vec<Value>, at: usize| row.get(self.keys + at).cloned();
        let Some(first) = rows.first() else { return Ok(None) };
        let (Some(from), Some(to), Some(step)) = (cell(first, 1), cell(first, 2), cell(first, 3)) else {
            return Ok(None);
        };
        let bins = rows.iter().filter_map(|row| cell(row, 0)).filter(|bin| !bin.is_null());
        if let Value::Real(step) = step {
            let reals: Vec<f64> = bins.filter_map(|b| b.as_real()).collect();
            let least = reals.iter().copied().fold(f64::INFINITY, f64::min);
            let most = reals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let start = from.as_real().unwrap_or(least);
            let end = to.as_real().unwrap_or(most + step);
            let steps = (end - start) / step;
            let count = if self.closed { steps.floor() + 1.0 } else { steps.ceil() };
            return Ok(Some(Bins::Real { start, step, count: checked(count)? }));
        }
        let wholes: Vec<i64> = bins.filter_map(|b| b.as_long()).collect();
        let (Some(least), Some(most)) = (wholes.iter().min(), wholes.iter().max()) else { return Ok(None) };
        let Some(width) = step.as_long().filter(|s| *s > 0) else {
            return Err(Fault::query("HP125", "the step of a series must be positive"));
        };
        let start = from.as_long().unwrap_or(*least);
        let end = to.as_long().unwrap_or(most.saturating_add(width));
        let span = i128::from(end) - i128::from(start);
        let steps = span as f64 / width as f64;
        let count = if self.closed { steps.floor() + 1.0 } else { steps.ceil() };
        let kind = if from.is_null() { cell(first, 0).map_or(Kind::Long, |b| b.kind()) } else { from.kind() };
        Ok(Some(Bins::Whole { kind, start, step: width, count: checked(count)? }))
    }
}

fn checked(count: f64) -> Result<usize> {
    match count {
        count if count.is_nan() || count < 0.0 => Ok(0),
        count if count <= MAX_BINS as f64 => Ok(count as usize),
        _ => Err(Fault::query("HP125", format!("a series may have {MAX_BINS} elements"))),
    }
}

impl Bins {
    fn len(&self) -> usize {
        match self {
            Bins::Whole { count, .. } | Bins::Real { count, .. } => *count,
        }
    }

    /// The place of the bin that begins at `value`.
    fn place(&self, value: &Value) -> Option<usize> {
        match self {
            Bins::Whole { start, step, .. } => {
                usize::try_from(value.as_long()?.checked_sub(*start)?.div_euclid(*step)).ok()
            }
            Bins::Real { start, step, .. } => {
                let place = ((value.as_real()? - start) / step).round();
                (place >= 0.0).then_some(place as usize)
            }
        }
    }

    fn value(&self, at: usize) -> Value {
        match self {
            Bins::Real { start, step, .. } => Value::Real(start + at as f64 * step),
            Bins::Whole { kind, start, step, .. } => {
                let value = start.saturating_add((at as i64).saturating_mul(*step));
                match kind {
                    Kind::DateTime => Value::DateTime(value),
                    Kind::TimeSpan => Value::TimeSpan(value),
                    _ => Value::Long(value),
                }
            }
        }
    }
}

crate::pages! {
    /// A series of aggregates over equal steps of an axis, as arrays, for each group.
    ///
    /// The end is not included. Steps without rows have the default, which is 0 unless it is given.
    ///
    /// Source: make-series-operator.
    ///
    /// ```kql
    /// datatable(t: long)[1, 1, 3] | make-series n = count() on t from 1 to 4 step 1 | project n // [2,0,1]
    /// ```
    Operator "make-series": "T | make-series [Column =] Aggregate [default = Value], ... on Axis [from Start] [to End] step Step [by Key, ...]";
}
