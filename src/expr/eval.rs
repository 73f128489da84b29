//! Evaluation over columns: once per distinct value where a dictionary allows it.
use super::Expr;
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, Purity};
use crate::types::intern::Interner;
use crate::types::{Column, Dictionary, Kind, Name, Text, Value, gather};
use arrow_array::{Array, BooleanArray, Int32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use std::sync::Arc;

/// The rows that an expression is evaluated over.
pub trait Input {
    fn rows(&self) -> usize;
    /// The column of that name, as long as `rows`.
    fn column(&self, name: &Name) -> Result<Column>;

    /// The column for an expression that reads no other: a dictionary where that spares more than it costs.
    fn distinct(&self, name: &Name, _reader: &Expr) -> Result<Column> {
        self.column(name)
    }
}

/// The value of an expression for every row of the input.
pub fn evaluate(expr: &Expr, input: &dyn Input, context: &Context) -> Result<Column> {
    match expr {
        Expr::Column(name, _) => input.column(name),
        Expr::Const(value) => Ok(Column::Const(value.clone(), input.rows())),
        Expr::Late(..) => Err(Fault::internal("a late value was not computed before its reader")),
        _ => match per_distinct_value(expr, input, context)? {
            Some(column) => Ok(column),
            None => evaluate_rows(expr, input, context),
        },
    }
}

fn evaluate_rows(expr: &Expr, input: &dyn Input, context: &Context) -> Result<Column> {
    match expr {
        Expr::Call { function, arguments, .. } => {
            let arguments: Vec<Column> =
                arguments.iter().map(|a| evaluate(a, input, context)).collect::<Result<_>>()?;
            (function.kernel)(context, &arguments, input.rows())
        }
        Expr::And(parts) => junction(parts, input, context, false),
        Expr::Or(parts) => junction(parts, input, context, true),
        Expr::Case { branches, otherwise, kind } => case(branches, otherwise, *kind, input, context),
        Expr::Coalesce(parts, kind) => coalesce(parts, *kind, input, context),
        leaf => evaluate(leaf, input, context),
    }
}

/// The rows for which `predicate` is true, ascending.
pub fn select(predicate: &Column) -> Vec<u32> {
    match predicate {
        Column::Const(Value::Bool(true), rows) => (0..*rows as u32).collect(),
        Column::Bool(bits) => {
            let valid = match bits.nulls() {
                Some(nulls) if nulls.null_count() > 0 => bits.values() & nulls.inner(),
                _ => bits.values().clone(),
            };
            valid.set_indices_u32().collect()
        }
        _ => Vec::new(),
    }
}

/// Columns of one dictionary's distinct values.
struct Distinct<'a> {
    name: &'a Name,
    kind: Kind,
    dictionary: &'a Arc<Dictionary>,
}

impl Input for Distinct<'_> {
    fn rows(&self) -> usize {
        self.dictionary.len()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        match name == self.name {
            true => Ok(Column::Text(self.kind, Text::Views(self.dictionary.values.clone()))),
            false => Err(Fault::internal("a distinct evaluation reads one column")),
        }
    }
}

/// An expression of one dictionary column is computed on the dictionary, and remembered with it.
fn per_distinct_value(expr: &Expr, input: &dyn Input, context: &Context) -> Result<Option<Column>> {
    let Some(name) = only_column(expr) else { return Ok(None) };
    if expr.purity() == Purity::PerRow {
        return Ok(None);
    }
    let Column::Text(kind, Text::Dictionary(keys, dictionary)) = input.distinct(&name, expr)? else { return Ok(None) };
    // A null key has no value to compute on; few rows of a large dictionary are cheaper row by row.
    if keys.null_count() > 0 || dictionary.is_empty() || (dictionary.len() > keys.len() && dictionary.len() > SMALL) {
        return Ok(None);
    }
    let compute = || evaluate_rows(expr, &Distinct { name: &name, kind, dictionary: &dictionary }, context);
    let memo = match expr.purity() {
        Purity::Pure => dictionary.derive(&format!("{kind} {expr:?}"), || compute().map(Derived::new))?,
        _ => Arc::new(Derived::new(compute()?)),
    };
    Ok(Some(memo.spread(&keys)))
}

/// Below this size a dictionary is worth evaluating whole, for the next morsel too.
const SMALL: usize = 100_000;

/// What an expression makes of a dictionary's values.
struct Derived {
    column: Column,
    /// A text result is a dictionary again, of distinct values: each old key's new key.
    text: Option<(Vec<i32>, Arc<Dictionary>)>,
}

impl Derived {
    fn new(column: Column) -> Derived {
        let text = match &column {
            Column::Text(kind, Text::Views(views)) if views.null_count() == 0 => {
                let mut values = Interner::new(*kind);
                let keys = values.numbers(&column).into_iter().map(|n| n as i32).collect();
                let all: Vec<u32> = (0..values.len() as u32).collect();
                match values.column(*kind, &all) {
                    Column::Text(_, Text::Views(distinct)) => Some((keys, Dictionary::of_distinct(distinct))),
                    _ => None,
                }
            }
            _ => None,
        };
        Derived { column, text }
    }

    fn spread(&self, keys: &Int32Array) -> Column {
        match (&self.column, &self.text) {
            (column, Some((map, dictionary))) => {
                let keys: Vec<i32> = keys.values().iter().map(|k| map.get(*k as usize).copied().unwrap_or(0)).collect();
                Column::Text(column.kind(), Text::Dictionary(Int32Array::from(keys), dictionary.clone()))
            }
            (Column::Const(value, _), _) => Column::Const(value.clone(), keys.len()),
            (Column::Bool(bits), _) if bits.null_count() == 0 => {
                let (values, keys) = (bits.values(), keys.values());
                let spread = BooleanBuffer::collect_bool(keys.len(), |i| values.value(keys[i] as usize));
                Column::Bool(BooleanArray::new(spread, None))
            }
            (column, _) => {
                let rows: Vec<u32> = keys.values().iter().map(|k| *k as u32).collect();
                gather::take(column, &rows)
            }
        }
    }
}

/// The one column that an expression reads, none where it reads none or several, or is a column itself.
fn only_column(expr: &Expr) -> Option<Name> {
    fn find<'a>(expr: &'a Expr, found: &mut Option<&'a Name>) -> bool {
        match expr {
            Expr::Column(name, kind) => {
                let fits = kind.is_textual() && found.is_none_or(|known| known == name);
                *found = Some(name);
                fits
            }
            other => other.children().into_iter().all(|child| find(child, found)),
        }
    }
    let mut found = None;
    find(expr, &mut found).then(|| found.cloned()).flatten()
}

/// Some rows of an input.
struct Picked<'a> {
    input: &'a dyn Input,
    rows: &'a [u32],
}

impl Input for Picked<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        Ok(gather::take(&self.input.column(name)?, self.rows))
    }
}

/// `and` (decided by false) or `or` (decided by true) of three-valued bools: a part is only evaluated
/// for the rows that the parts before it left open.
fn junction(parts: &[Expr], input: &dyn Input, context: &Context, decisive: bool) -> Result<Column> {
    let rows = input.rows();
    let mut decided = vec![false; rows];
    let mut unknown = vec![false; rows];
    let mut open: Option<Vec<u32>> = None;
    for part in parts {
        let column = match &open {
            None => evaluate(part, input, context)?,
            Some(open) if open.is_empty() => break,
            Some(open) => evaluate(part, &Picked { input, rows: open }, context)?,
        };
        let row_of = |i: usize| open.as_ref().map_or(i as u32, |o| o[i]);
        let mut still = Vec::new();
        for i in 0..column.len() {
            let row = row_of(i);
            match bool_at(&column, i) {
                Some(value) if value == decisive => decided[row as usize] = true,
                value => {
                    unknown[row as usize] |= value.is_none();
                    still.push(row);
                }
            }
        }
        open = Some(still);
    }
    let bits = BooleanBuffer::collect_bool(rows, |i| decided[i] == decisive);
    let known = NullBuffer::new(BooleanBuffer::collect_bool(rows, |i| decided[i] || !unknown[i]));
    Ok(Column::Bool(BooleanArray::new(bits, Some(known).filter(|n| n.null_count() > 0))))
}

#[inline]
fn bool_at(column: &Column, row: usize) -> Option<bool> {
    match column {
        Column::Bool(bits) => (!bits.is_null(row)).then(|| bits.value(row)),
        Column::Const(value, _) => value.as_bool(),
        _ => None,
    }
}

fn case(
    branches: &[(Expr, Expr)],
    otherwise: &Expr,
    kind: Kind,
    input: &dyn Input,
    context: &Context,
) -> Result<Column> {
    let mut open: Vec<u32> = (0..input.rows() as u32).collect();
    let mut picks = vec![(0u32, 0u32); input.rows()];
    let mut columns: Vec<Column> = Vec::new();
    let mut place = |rows: &[u32], value: &Expr, columns: &mut Vec<Column>| -> Result<()> {
        let column = evaluate(value, &Picked { input, rows }, context)?;
        for (at, row) in rows.iter().enumerate() {
            picks[*row as usize] = (columns.len() as u32, at as u32);
        }
        columns.push(of_kind(column, kind));
        Ok(())
    };
    for (condition, value) in branches {
        if open.is_empty() {
            break;
        }
        let holds = match open.len() == input.rows() {
            true => evaluate(condition, input, context)?,
            false => evaluate(condition, &Picked { input, rows: &open }, context)?,
        };
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for (at, row) in open.iter().enumerate() {
            if bool_at(&holds, at) == Some(true) { yes.push(*row) } else { no.push(*row) }
        }
        if !yes.is_empty() {
            place(&yes, value, &mut columns)?;
        }
        open = no;
    }
    if !open.is_empty() {
        place(&open, otherwise, &mut columns)?;
    }
    match columns.as_slice() {
        [] => Ok(Column::nulls(kind, 0)),
        [one] => Ok(one.clone()),
        many => Ok(gather::interleave(many, &picks)),
    }
}

/// Branches may differ by a widening that the binder left to us (null, int beside long).
fn of_kind(column: Column, kind: Kind) -> Column {
    if column.kind() == kind { column } else { crate::types::convert::lenient(&column, kind) }
}

fn coalesce(parts: &[Expr], kind: Kind, input: &dyn Input, context: &Context) -> Result<Column> {
    let mut open: Vec<u32> = (0..input.rows() as u32).collect();
    let mut picks = vec![(0u32, 0u32); input.rows()];
    let mut columns: Vec<Column> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if open.is_empty() {
            break;
        }
        let column = of_kind(evaluate(part, &Picked { input, rows: &open }, context)?, kind);
        let last = number + 1 == parts.len();
        let absent = |at: usize| column.is_null(at) || (kind == Kind::String && column.text(at) == Some(""));
        let mut still = Vec::new();
        for (at, row) in open.iter().enumerate() {
            match !last && absent(at) {
                true => still.push(*row),
                false => picks[*row as usize] = (columns.len() as u32, at as u32),
            }
        }
        columns.push(column);
        open = still;
    }
    match columns.as_slice() {
        [] => Ok(Column::nulls(kind, input.rows())),
        [one] => Ok(one.clone()),
        many => Ok(gather::interleave(many, &picks)),
    }
}
