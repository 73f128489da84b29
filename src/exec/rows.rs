//! What depends on a row's place: row functions, and samples.
use super::collect;
use super::sort::Whole;
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input, evaluate};
use crate::functions::{Context, arithmetic, fractions};
use crate::plan::RowCall;
use crate::types::{Builder, Chunk, Column, Kind, Name, Schema, Stored, Table, Value, gather};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, PrimitiveArray};

/// The table with columns that are computed in row order.
///
/// Source: the documentation page "Window functions".
pub fn run(table: &Table, calls: &[(Name, RowCall)], schema: &Schema, context: &Context) -> Result<Table> {
    let input = Whole::new(table);
    let mut made: Vec<(Name, Column)> = Vec::new();
    for (name, call) in calls.iter().filter(|(name, _)| schema.contains(name)) {
        made.push((name.clone(), compute(call, &input, context)?));
    }
    let column = |name: &Name, kind: Kind| {
        let found = made.iter().find(|(n, _)| n == name).map(|(_, c)| c.clone());
        let column = found.or_else(|| input.column(name).ok()).unwrap_or_else(|| Column::nulls(kind, table.rows()));
        Stored::Column(if column.kind() == kind { column } else { crate::types::convert::lenient(&column, kind) })
    };
    let columns = schema.columns().iter().map(|(name, kind)| column(name, *kind)).collect();
    Ok(Table::new(schema.clone(), vec![Chunk { rows: table.rows(), columns }]))
}

fn compute(call: &RowCall, input: &Whole, context: &Context) -> Result<Column> {
    match call {
        RowCall::Plain(expr) => evaluate(expr, input, context),
        RowCall::Number { start, restart } => {
            let first = one(start, input, context)?.as_long().unwrap_or(1);
            let restarts = restarts(restart, input, context)?;
            let mut number = first.wrapping_sub(1);
            let numbers = restarts.iter().enumerate().map(|(row, again)| {
                number = if row == 0 || *again { first } else { number.wrapping_add(1) };
                number
            });
            Ok(Column::Long(numbers.collect::<Vec<_>>().into()))
        }
        RowCall::CumulativeSum { term, restart } => {
            cumulative(&evaluate(term, input, context)?, &restarts(restart, input, context)?)
        }
        RowCall::Shift { value, offset, default } => shifted(value, *offset, default.as_ref(), input, context),
        RowCall::Rank { term, restart, dense } => {
            let restarts = restarts(restart, input, context)?;
            Ok(ranks(&evaluate(term, input, context)?, &restarts, *dense))
        }
        RowCall::Session { time, longest, between, restart } => {
            let restarts = restarts(restart, input, context)?;
            let bound = |e: &Expr| Ok(one(e, input, context)?.as_long().unwrap_or(i64::MAX));
            Ok(sessions(&evaluate(time, input, context)?, bound(longest)?, bound(between)?, &restarts))
        }
    }
}

/// The value of an expression that is the same for all rows.
fn one(expr: &Expr, input: &Whole, context: &Context) -> Result<Value> {
    if input.rows() == 0 {
        return Ok(Value::null(expr.kind()));
    }
    Ok(evaluate(expr, input, context)?.value(0))
}

fn restarts(restart: &Option<Expr>, input: &Whole, context: &Context) -> Result<Vec<bool>> {
    let Some(restart) = restart else { return Ok(vec![false; input.rows()]) };
    let column = evaluate(restart, input, context)?;
    Ok((0..input.rows()).map(|row| column.value(row).as_bool() == Some(true)).collect())
}

fn cumulative(term: &Column, restarts: &[bool]) -> Result<Column> {
    let kind = term.kind();
    match term {
        Column::Long(terms) => return Ok(Column::Long(running(terms, restarts, i64::wrapping_add))),
        Column::TimeSpan(terms) => return Ok(Column::TimeSpan(running(terms, restarts, i64::wrapping_add))),
        Column::Real(terms) => return Ok(Column::Real(running(terms, restarts, |sum, term| sum + term))),
        _ => {}
    }
    let mut builder = Builder::new(kind, term.len());
    let (mut whole, mut real) = (0i64, 0f64);
    for (row, again) in restarts.iter().enumerate() {
        if *again {
            (whole, real) = (0, 0.0);
        }
        let value = term.value(row);
        match kind {
            Kind::Real => {
                real += value.as_real().unwrap_or(0.0);
                builder.push_real(real);
            }
            Kind::Int | Kind::Long | Kind::TimeSpan => {
                whole = whole.wrapping_add(value.as_long().unwrap_or(0));
                builder.push_long(if kind == Kind::Int { i64::from(whole as i32) } else { whole });
            }
            _ => return Err(Fault::query("KS106", format!("row_cumsum() is not defined for {kind}"))),
        }
    }
    Ok(builder.finish())
}

/// The sums so far, from zero again where a row restarts; a null adds nothing.
fn running<P: ArrowPrimitiveType>(
    terms: &PrimitiveArray<P>,
    restarts: &[bool],
    add: impl Fn(P::Native, P::Native) -> P::Native,
) -> PrimitiveArray<P> {
    let nulls = terms.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut sum = P::Native::default();
    let sums = terms.values().iter().zip(restarts).enumerate().map(|(row, (term, again))| {
        if *again {
            sum = P::Native::default();
        }
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            sum = add(sum, *term);
        }
        sum
    });
    PrimitiveArray::new(sums.collect::<Vec<_>>().into(), None)
}

fn shifted(value: &Expr, offset: i64, default: Option<&Expr>, input: &Whole, context: &Context) -> Result<Column> {
    let column = evaluate(value, input, context)?;
    let other = match default {
        Some(default) => crate::types::convert::value_to(&one(default, input, context)?, column.kind()),
        None => Value::null(column.kind()),
    };
    let rows = column.len();
    let moved = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX).min(rows);
    let outside = Column::Const(other, moved);
    let parts = match offset >= 0 {
        true => [outside, gather::slice(&column, 0, rows - moved)],
        false => [gather::slice(&column, moved, rows - moved), outside],
    };
    Ok(gather::concat(&parts).unwrap_or(column))
}

fn ranks(term: &Column, restarts: &[bool], dense: bool) -> Column {
    let (mut rank, mut place) = (0i64, 0i64);
    let ranks = restarts.iter().enumerate().map(|(row, again)| {
        let same = row > 0 && !again && term.value(row) == term.value(row - 1);
        if *again || row == 0 {
            (rank, place) = (0, 0);
        }
        place += 1;
        if !same {
            rank = if dense { rank + 1 } else { place };
        }
        rank
    });
    Column::Long(ranks.collect::<Vec<_>>().into())
}

/// The start of each row's session: a new one begins after too long a time, or too long a pause.
fn sessions(time: &Column, longest: i64, between: i64, restarts: &[bool]) -> Column {
    let (mut start, mut last): (Option<i64>, i64) = (None, 0);
    let times = arithmetic::longs(time);
    let starts = restarts.iter().enumerate().map(|(row, again)| {
        let now = times.is_valid(row).then(|| times.value(row))?;
        let goes_on = |s: i64| !again && now.saturating_sub(s) <= longest && now.saturating_sub(last) <= between;
        let begun = start.filter(|s| goes_on(*s)).unwrap_or(now);
        (start, last) = (Some(begun), now);
        start
    });
    Column::DateTime(starts.collect())
}

/// So many rows, each as likely as any other, in their order.
pub fn sample(table: &Table, most: u64) -> Result<Table> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if most == 0 || table.rows() <= most {
        return Ok(collect::cut(table, most));
    }
    let mut fraction = fractions();
    let mut wanted = most;
    // A row is drawn with the chance of those wanted still among those left.
    let is_drawn = |row: &u32| {
        let drawn = fraction() * ((table.rows() - *row as usize) as f64) < wanted as f64;
        wanted -= usize::from(drawn);
        drawn
    };
    let rows: Vec<u32> = (0..table.rows() as u32).filter(is_drawn).collect();
    Ok(super::sort::picked(table, &rows, table.schema()))
}
