//! Comparing columns: equality, order, and the key that sorts and groups agree on.
use super::arithmetic::{self, Side, operand};
use crate::types::vectors::{bits_of, bits_of_pairs};
use crate::types::{Column, Kind, Text, Value, decimal, json};
use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use std::cmp::Ordering;

/// Which orderings of left to right make a comparison true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    #[inline(always)]
    pub fn holds(self, ordering: Option<Ordering>) -> bool {
        match (self, ordering) {
            (Comparison::NotEqual, None) => true,
            (_, None) => false,
            (Comparison::Equal, Some(o)) => o.is_eq(),
            (Comparison::NotEqual, Some(o)) => o.is_ne(),
            (Comparison::Less, Some(o)) => o.is_lt(),
            (Comparison::LessOrEqual, Some(o)) => o.is_le(),
            (Comparison::Greater, Some(o)) => o.is_gt(),
            (Comparison::GreaterOrEqual, Some(o)) => o.is_ge(),
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// Compares two columns of kinds that compare: equal kinds, or numbers of different ones.
///
/// Null on one side: `==` false, `!=` true, order null; on both sides null.
pub fn compare(comparison: Comparison, left: &Column, right: &Column, rows: usize) -> Column {
    if let (Column::Const(l, _), Column::Const(r, _)) = (left, right) {
        return Column::Const(compare_values(comparison, l, r), rows);
    }
    let bits = match (left, right) {
        (Column::Text(kind, text), Column::Const(Value::Text(_, constant), _)) if *kind != Kind::Dynamic => {
            text_with_constant(comparison, *kind, text, constant)
        }
        _ => numbers(comparison, left, right, rows).unwrap_or_else(|| row_by_row(comparison, left, right, rows)),
    };
    Column::Bool(null_aware(comparison, bits, left, right))
}

/// Compares numbers of a width: as integers, or as reals where one side is real. None for other kinds, and
/// for a constant null.
fn numbers(comparison: Comparison, left: &Column, right: &Column, rows: usize) -> Option<BooleanBuffer> {
    let (l, r) = (left.kind(), right.kind());
    let whole = |kind| matches!(kind, Kind::Int | Kind::Long);
    let constant_null = |c: &Column| matches!(c, Column::Const(value, _) if value.is_null());
    if constant_null(left) || constant_null(right) {
        return None;
    }
    if (whole(l) && whole(r)) || (l == r && matches!(l, Kind::DateTime | Kind::TimeSpan)) {
        let (a, b) = (operand(left, arithmetic::longs), operand(right, arithmetic::longs));
        return Some(compared(comparison, &Side::new(left, a.values()), &Side::new(right, b.values()), rows));
    }
    if (l == Kind::Real || whole(l)) && (r == Kind::Real || whole(r)) {
        let (a, b) = (operand(left, arithmetic::reals), operand(right, arithmetic::reals));
        return Some(compared(comparison, &Side::new(left, a.values()), &Side::new(right, b.values()), rows));
    }
    None
}

fn compared<T: Copy + PartialOrd>(
    comparison: Comparison,
    left: &Side<T>,
    right: &Side<T>,
    rows: usize,
) -> BooleanBuffer {
    macro_rules! bits {
        ($operator:tt) => {
            // Constants are captured as they are: a loop would read them again and again.
            match (left, right) {
                (Side::Each(l), Side::Each(r)) => bits_of_pairs(l, r, |l, r| l $operator r),
                (Side::Each(l), &Side::One(r)) => bits_of(l, move |l| l $operator r),
                (&Side::One(l), Side::Each(r)) => bits_of(r, move |r| l $operator r),
                (Side::One(l), Side::One(r)) => BooleanBuffer::collect_bool(rows, |_| l $operator r),
            }
        };
    }
    match comparison {
        Comparison::Equal => bits!(==),
        Comparison::NotEqual => bits!(!=),
        Comparison::Less => bits!(<),
        Comparison::LessOrEqual => bits!(<=),
        Comparison::Greater => bits!(>),
        Comparison::GreaterOrEqual => bits!(>=),
    }
}

fn text_with_constant(comparison: Comparison, kind: Kind, text: &Text, constant: &str) -> BooleanBuffer {
    match text {
        Text::Views(views) if comparison.is_equality() => {
            let wanted = View::new(constant);
            let buffers = views.data_buffers();
            let equal = match wanted.whole() {
                Some(whole) => bits_of(views.views(), move |view| view == whole),
                None => bits_of(views.views(), |view| wanted.equals(view, buffers)),
            };
            if comparison == Comparison::Equal { equal } else { !&equal }
        }
        Text::Dictionary(keys, dictionary) if dictionary.len() < keys.len() => {
            let distinct = text_with_constant(comparison, kind, &Text::Views(dictionary.values.clone()), constant);
            let keys = keys.values();
            BooleanBuffer::collect_bool(keys.len(), |i| {
                (keys[i] as usize) < distinct.len() && distinct.value(keys[i] as usize)
            })
        }
        text => BooleanBuffer::collect_bool(text.len(), |i| {
            text.get(i).is_some_and(|t| comparison.holds(Some(order_texts(kind, t, constant))))
        }),
    }
}

/// A constant text as the view it would be, so that most rows differ in one comparison of numbers.
pub struct View<'a> {
    text: &'a str,
    /// Length and first four bytes.
    head: u64,
    inline: Option<u128>,
}

impl<'a> View<'a> {
    pub fn new(text: &'a str) -> View<'a> {
        let mut raw = [0u8; 16];
        raw[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
        let held = text.len().min(12);
        raw[4..4 + held].copy_from_slice(&text.as_bytes()[..held]);
        let whole = u128::from_le_bytes(raw);
        View { text, head: whole as u64, inline: (text.len() <= 12).then_some(whole) }
    }

    /// The view, where the whole text lies in it.
    pub fn whole(&self) -> Option<u128> {
        self.inline
    }

    #[inline(always)]
    pub fn equals(&self, view: u128, buffers: &[arrow_buffer::Buffer]) -> bool {
        match self.inline {
            Some(whole) => whole == view,
            None => self.head == view as u64 && self.rest_equals(view, buffers),
        }
    }

    fn rest_equals(&self, view: u128, buffers: &[arrow_buffer::Buffer]) -> bool {
        let (buffer, offset) = ((view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
        let held = buffers.get(buffer).and_then(|b| b.get(offset..offset + self.text.len()));
        held == Some(self.text.as_bytes())
    }
}

fn row_by_row(comparison: Comparison, left: &Column, right: &Column, rows: usize) -> BooleanBuffer {
    match (left, right) {
        (Column::Text(kind, Text::Views(l)), Column::Text(other, Text::Views(r)))
            if kind == other && comparison.is_equality() && !matches!(kind, Kind::Dynamic | Kind::Decimal) =>
        {
            // Length and first bytes tell most texts apart.
            let likely = bits_of_pairs(l.views(), r.views(), |l, r| l as u64 == r as u64);
            let mut equal = BooleanBufferBuilder::new(rows);
            equal.append_n(rows, false);
            for row in likely.set_indices().take_while(|row| *row < rows) {
                equal.set_bit(row, l.value(row) == r.value(row));
            }
            let equal = equal.finish();
            if comparison == Comparison::Equal { equal } else { !&equal }
        }
        (Column::Text(kind, l), Column::Text(other, r)) if kind == other && *kind != Kind::Dynamic => {
            BooleanBuffer::collect_bool(rows, |i| match (l.get(i), r.get(i)) {
                (Some(a), Some(b)) => comparison.holds(Some(order_texts(*kind, a, b))),
                _ => comparison == Comparison::NotEqual,
            })
        }
        _ => BooleanBuffer::collect_bool(rows, |i| {
            let (l, r) = (left.value(i), right.value(i));
            match l.is_null() || r.is_null() {
                true => comparison == Comparison::NotEqual,
                false => comparison.holds(order(&l, &r)),
            }
        }),
    }
}

/// Equality with one null is known; order with a null is null; equality of two nulls is null.
fn null_aware(comparison: Comparison, bits: BooleanBuffer, left: &Column, right: &Column) -> BooleanArray {
    let (l, r) = (left.null_buffer(), right.null_buffer());
    if !comparison.is_equality() {
        return BooleanArray::new(bits, NullBuffer::union(l.as_ref(), r.as_ref()));
    }
    let either = NullBuffer::union(l.as_ref(), r.as_ref()).filter(|n| n.null_count() > 0);
    let Some(either) = either else { return BooleanArray::new(bits, None) };
    let unequal = comparison == Comparison::NotEqual;
    let fixed = BooleanBuffer::collect_bool(bits.len(), |i| if either.is_null(i) { unequal } else { bits.value(i) });
    let both = match (l, r) {
        (Some(l), Some(r)) => Some(NullBuffer::new(l.inner() | r.inner())),
        _ => None,
    };
    BooleanArray::new(fixed, both.filter(|n| n.null_count() > 0))
}

fn compare_values(comparison: Comparison, left: &Value, right: &Value) -> Value {
    match (left.is_null(), right.is_null()) {
        (true, true) => Value::Null(Kind::Bool),
        (false, false) => Value::Bool(comparison.holds(order(left, right))),
        _ if comparison.is_equality() => Value::Bool(comparison == Comparison::NotEqual),
        _ => Value::Null(Kind::Bool),
    }
}

fn order_texts(kind: Kind, left: &str, right: &str) -> Ordering {
    match kind {
        Kind::Decimal => decimal::compare(left, right),
        _ => left.cmp(right),
    }
}

/// The order of two values that are not null; none for NaN and for kinds that do not compare.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(Kind::Dynamic, l), Value::Text(Kind::Dynamic, r)) => {
            Some(json::canonical(l).cmp(&json::canonical(r)))
        }
        (Value::Text(Kind::Decimal, l), r) => Some(decimal::compare(l, &r.to_text())),
        (l, Value::Text(Kind::Decimal, r)) => Some(decimal::compare(&l.to_text(), r)),
        (Value::Text(_, l), Value::Text(_, r)) => Some(l.cmp(r)),
        (Value::Field(a), Value::Field(b)) if a.number().is_some() && b.number().is_some() => {
            a.number()?.order(b.number()?)
        }
        (Value::Field(_), _) | (_, Value::Field(_)) => Some(left.to_text().cmp(&right.to_text())),
        (Value::Real(_), _) | (_, Value::Real(_)) => left.as_real()?.partial_cmp(&right.as_real()?),
        _ => Some(left.as_long()?.cmp(&right.as_long()?)),
    }
}

/// A total order for sorting: null and NaN together before everything else.
pub fn total_order(left: &Value, right: &Value) -> Ordering {
    let nothing = |v: &Value| v.is_null() || matches!(v, Value::Real(r) if r.is_nan());
    match (nothing(left), nothing(right)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => order(left, right).unwrap_or(Ordering::Equal),
    }
}
