//! Evaluation over columns: once per distinct value where a dictionary allows it.
use super::Expr;
use crate::diagnostic::{Fault, Result};
use crate::functions::{self, Context, Kernel, Purity, Scalar};
use crate::types::convert::of_kind;
use crate::types::intern::Interner;
use crate::types::vectors::bits_of;
use crate::types::{Column, Dictionary, Kind, Name, Text, Value, gather};
use arrow_array::{Array, BooleanArray, Int32Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use std::convert::Infallible;
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
            let (kernel, arguments) = fused(function, arguments);
            let arguments: Vec<Column> =
                arguments.into_iter().map(|a| evaluate(a, input, context)).collect::<Result<_>>()?;
            kernel(context, &arguments, input.rows())
        }
        Expr::And(parts) => junction(parts, input, context, false),
        Expr::Or(parts) => junction(parts, input, context, true),
        Expr::Case { branches, otherwise, kind } => case(branches, otherwise, *kind, input, context),
        Expr::Coalesce(parts, kind) => coalesce(parts, *kind, input, context),
        Expr::Each(each) => each.evaluate(input, context),
        leaf => evaluate(leaf, input, context),
    }
}

/// The kernel of a call and its arguments: of a call over another one, both in one go where that is possible.
fn fused<'a>(function: &Scalar, arguments: &'a [Expr]) -> (Kernel, Vec<&'a Expr>) {
    if let [Expr::Call { function: inner, arguments: own, .. }, others @ ..] = arguments
        && let Some(kernel) = functions::fused(function, inner, own.len())
        // Where the inner call can be put together with its own first argument, that spares more.
        && !matches!(own.first(), Some(Expr::Call { function: first, arguments, .. })
            if functions::fused(inner, first, arguments.len()).is_some())
    {
        return (kernel, own.iter().chain(others).collect());
    }
    (function.kernel, arguments.iter().collect())
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
    let (keys, dictionary) = match kind == Kind::Field && keys.null_count() > 0 {
        true => with_absent(&keys, &dictionary),
        false => (keys, dictionary),
    };
    // A null key has no value to compute on; few rows of a large dictionary are cheaper row by row.
    if keys.null_count() > 0 || dictionary.is_empty() || (dictionary.len() > keys.len() && dictionary.len() > SMALL) {
        return Ok(None);
    }
    let compute = || evaluate_rows(expr, &Distinct { name: &name, kind, dictionary: &dictionary }, context);
    let memo = match expr.purity() {
        Purity::Pure => dictionary.derive(&format!("{kind} {}", expr.fingerprint()), || compute().map(Derived::new))?,
        _ => Arc::new(Derived::new(compute()?)),
    };
    Ok(Some(memo.spread(&keys)))
}

/// The dictionary with one more value, an absent field, which the null keys become.
fn with_absent(keys: &Int32Array, dictionary: &Arc<Dictionary>) -> (Int32Array, Arc<Dictionary>) {
    let values = &dictionary.values;
    let added = dictionary.derive("with an absent one", || {
        let all = values.iter().map(|value| value.is_some()).chain([false]);
        let nulls = NullBuffer::from(all.collect::<Vec<bool>>());
        let views: Vec<u128> = values.views().iter().copied().chain([0]).collect();
        // SAFETY: the views are the array's own, and one of the empty text.
        let views = unsafe { StringViewArray::new_unchecked(views.into(), values.data_buffers().clone(), Some(nulls)) };
        Ok::<_, Infallible>(Dictionary::new(views))
    });
    let added = match added {
        Ok(added) => added,
        Err(never) => match never {},
    };
    let absent = dictionary.len() as i32;
    let keys: Vec<i32> = keys.iter().map(|key| key.unwrap_or(absent)).collect();
    (Int32Array::from(keys), (*added).clone())
}

/// Below this size a dictionary is worth evaluating whole, for the next morsel too.
const SMALL: usize = 250_000;

/// What an expression makes of a dictionary's values.
struct Derived {
    column: Column,
    /// A text result is a dictionary again, of distinct values: each old key's new key, below 0 for what is absent.
    text: Option<(Vec<i32>, Arc<Dictionary>)>,
}

impl Derived {
    fn new(column: Column) -> Derived {
        let text = match &column {
            Column::Text(kind, Text::Views(_)) => {
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
                let keys = match map.iter().any(|key| *key < 0) {
                    true => keys.into_iter().map(|key| Some(key).filter(|key| *key >= 0)).collect(),
                    false => Int32Array::from(keys),
                };
                Column::Text(column.kind(), Text::Dictionary(keys, dictionary.clone()))
            }
            (Column::Const(value, _), _) => Column::Const(value.clone(), keys.len()),
            (Column::Bool(bits), _) if bits.null_count() == 0 => {
                Column::Bool(BooleanArray::new(spread_bits(bits.values(), keys.values()), None))
            }
            (column, _) => {
                let rows: Vec<u32> = keys.values().iter().map(|k| *k as u32).collect();
                gather::take(column, &rows)
            }
        }
    }
}

/// The bits that keys stand for.
fn spread_bits(bits: &BooleanBuffer, keys: &[i32]) -> BooleanBuffer {
    if bits.len() > u64::BITS as usize {
        return BooleanBuffer::collect_bool(keys.len(), |row| bits.value(keys[row] as usize));
    }
    // So few bits are one number, and no key is looked up.
    let all = bits.iter().rev().fold(0_u64, |all, bit| all << 1 | u64::from(bit));
    BooleanBuffer::collect_bool(keys.len(), |row| all >> (keys[row] as u32 % u64::BITS) & 1 == 1)
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

/// `and` (decided by false) or `or` (decided by true) of three-valued bools: a part that may fail, or is dear,
/// is only evaluated for the rows that the parts before it left open.
fn junction(parts: &[Expr], input: &dyn Input, context: &Context, decisive: bool) -> Result<Column> {
    let rows = input.rows();
    let mut decided = BooleanBuffer::new_unset(rows);
    let mut unknown = BooleanBuffer::new_unset(rows);
    for (at, part) in parts.iter().enumerate() {
        let open = if at == 0 { rows } else { rows - decided.count_set_bits() };
        if open == 0 {
            break;
        }
        if at == 0 || is_light(part) || (open * 4 > rows * 3 && is_harmless(part)) {
            let (known, values) = truths(&evaluate(part, input, context)?, rows);
            let decides = if decisive { &values & &known } else { &!&values & &known };
            decided = &decided | &decides;
            unknown = &unknown | &!&known;
            continue;
        }
        let open: Vec<u32> = (!&decided).set_indices_u32().collect();
        let column = evaluate(part, &Picked { input, rows: &open }, context)?;
        let (known, values) = truths(&column, open.len());
        let (mut decides, mut undecided) = (BooleanBufferBuilder::new(rows), BooleanBufferBuilder::new(rows));
        decides.append_buffer(&decided);
        undecided.append_buffer(&unknown);
        for (at, row) in open.iter().enumerate() {
            match known.value(at) {
                true if values.value(at) == decisive => decides.set_bit(*row as usize, true),
                true => {}
                false => undecided.set_bit(*row as usize, true),
            }
        }
        (decided, unknown) = (decides.finish(), undecided.finish());
    }
    let known = NullBuffer::new(&decided | &!&unknown);
    let bits = if decisive { decided } else { !&decided };
    Ok(Column::Bool(BooleanArray::new(bits, Some(known).filter(|n| n.null_count() > 0))))
}

/// Whether evaluating an expression for any row is cheap and cannot fail: comparisons of numbers and times.
fn is_light(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_, kind) => !kind.is_textual(),
        Expr::Const(value) => !value.kind().is_textual(),
        Expr::Call { function, arguments, .. } => {
            matches!(function.name, "==" | "!=" | "<" | "<=" | ">" | ">=" | "not" | "between")
                && arguments.iter().all(is_light)
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(is_light),
        _ => false,
    }
}

/// Whether evaluating an expression for any row cannot fail: comparisons and searches.
fn is_harmless(expr: &Expr) -> bool {
    match expr {
        Expr::Column(..) | Expr::Const(_) => true,
        Expr::Call { function, arguments, .. } => {
            let searches = ["has", "contains", "startswith", "endswith", "is"];
            let name = function.name.trim_start_matches('!').trim_end_matches('~');
            (matches!(name, "==" | "=" | "" | "<" | "<=" | ">" | ">=" | "in" | "not" | "between")
                || matches!(name, "matches" | "matches case" | "matches not")
                || searches.iter().any(|search| name.starts_with(search)))
                && arguments.iter().all(is_harmless)
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(is_harmless),
        _ => false,
    }
}

/// Where a bool column is not null, and where it is true.
fn truths(column: &Column, rows: usize) -> (BooleanBuffer, BooleanBuffer) {
    let all = |set: bool| if set { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
    match column {
        Column::Bool(bits) => {
            let known = bits.nulls().map_or_else(|| all(true), |nulls| nulls.inner().clone());
            (known, bits.values().clone())
        }
        Column::Const(value, _) => (all(value.as_bool().is_some()), all(value.as_bool() == Some(true))),
        _ => (all(false), all(false)),
    }
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
    if let [(condition, value)] = branches
        && is_at_hand(value)
        && is_at_hand(otherwise)
    {
        let (known, values) = truths(&evaluate(condition, input, context)?, input.rows());
        let either = [value, otherwise].map(|e| Ok(of_kind(evaluate(e, input, context)?, kind)));
        let [value, otherwise] = either;
        return Ok(gather::choose(&(&known & &values), &value?, &otherwise?));
    }
    if branches.len() < u8::MAX as usize
        && branches.iter().all(|(condition, value)| is_light(condition) && is_at_hand(value))
        && is_at_hand(otherwise)
    {
        return light_case(branches, otherwise, kind, input, context);
    }
    let mut open: Vec<u32> = (0..input.rows() as u32).collect();
    let mut picks = vec![(0u32, 0u32); input.rows()];
    let mut columns: Vec<Column> = Vec::new();
    let mut place = |rows: &[u32], value: &Expr, columns: &mut Vec<Column>| -> Result<()> {
        // What is there already needs no picking.
        let whole = is_at_hand(value);
        let column = match whole {
            true => evaluate(value, input, context)?,
            false => evaluate(value, &Picked { input, rows }, context)?,
        };
        for (at, row) in rows.iter().enumerate() {
            picks[*row as usize] = (columns.len() as u32, if whole { *row } else { at as u32 });
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
        [one] if one.len() == input.rows() => Ok(one.clone()),
        many => Ok(gather::interleave(many, &picks)),
    }
}

/// Whether an expression is there for all rows without any work.
fn is_at_hand(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(..) | Expr::Const(_))
}

/// Conditions that are cheap and cannot fail are evaluated for all rows; earlier ones overwrite later ones.
fn light_case(
    branches: &[(Expr, Expr)],
    otherwise: &Expr,
    kind: Kind,
    input: &dyn Input,
    context: &Context,
) -> Result<Column> {
    let mut which = vec![branches.len() as u8; input.rows()];
    for (number, (condition, _)) in branches.iter().enumerate().rev() {
        let (known, values) = truths(&evaluate(condition, input, context)?, input.rows());
        (&known & &values).set_indices_u32().for_each(|row| which[row as usize] = number as u8);
    }
    let values = branches.iter().map(|(_, value)| value).chain([otherwise]);
    // Branches may differ by a widening that the binder left to us (null, int beside long).
    let columns =
        values.map(|value| Ok(of_kind(evaluate(value, input, context)?, kind))).collect::<Result<Vec<_>>>()?;
    Ok(gather::select(&columns, &which))
}

/// Where `coalesce` looks further: at nulls, and at empty texts.
fn absent(column: &Column, rows: usize) -> BooleanBuffer {
    match column {
        Column::Text(Kind::String, Text::Views(views)) if views.null_count() == 0 => {
            bits_of(views.views(), |view| view as u32 == 0)
        }
        Column::Text(Kind::String, _) | Column::Const(Value::Text(Kind::String, _), _) => {
            BooleanBuffer::collect_bool(rows, |row| column.text(row).is_none_or(str::is_empty))
        }
        column => column.null_buffer().map_or_else(|| BooleanBuffer::new_unset(rows), |nulls| !nulls.inner()),
    }
}

fn coalesce(parts: &[Expr], kind: Kind, input: &dyn Input, context: &Context) -> Result<Column> {
    if let [first, second] = parts
        && is_at_hand(second)
    {
        let first = of_kind(evaluate(first, input, context)?, kind);
        let second = of_kind(evaluate(second, input, context)?, kind);
        return Ok(gather::choose(&absent(&first, input.rows()), &second, &first));
    }
    let mut open: Vec<u32> = (0..input.rows() as u32).collect();
    let mut picks = vec![(0u32, 0u32); input.rows()];
    let mut columns: Vec<Column> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if open.is_empty() {
            break;
        }
        let whole = open.len() == input.rows() || is_at_hand(part);
        let column = match whole {
            true => evaluate(part, input, context)?,
            false => evaluate(part, &Picked { input, rows: &open }, context)?,
        };
        let column = of_kind(column, kind);
        let last = number + 1 == parts.len();
        let nullable = column.null_buffer().is_some();
        let absent = |at: usize| match kind {
            Kind::String => column.text(at).is_none_or(str::is_empty),
            _ => nullable && column.is_null(at),
        };
        let mut still = Vec::new();
        for (at, row) in open.iter().enumerate() {
            let at = if whole { *row } else { at as u32 };
            match !last && absent(at as usize) {
                true => still.push(*row),
                false => picks[*row as usize] = (columns.len() as u32, at),
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
