//! How a function over the values of one row reads its arguments and writes its results.
use super::Accepts;
use crate::diagnostic::Result;
use crate::types::{Builder, Column, Dynamic, Kind, Value, json, numbers};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A parameter's type in `scalars!`.
pub trait Argument {
    const ACCEPTS: Accepts;
    const OPTIONAL: bool = false;
    type Item<'a>;
    /// The column in the form that is quickest to read row by row.
    type Source<'a>;
    fn source(column: Option<&Column>) -> Self::Source<'_>;
    /// The value of a row; none where it is null (and the whole result with it).
    fn get<'a>(source: &Self::Source<'a>, row: usize) -> Option<Self::Item<'a>>;
}

/// An argument's column, or its constant.
pub struct Reader<'a, A: Argument> {
    constant: bool,
    source: A::Source<'a>,
}

impl<'a, A: Argument> Reader<'a, A> {
    pub fn new(column: Option<&'a Column>) -> Self {
        Reader { constant: column.is_none_or(Column::is_const), source: A::source(column) }
    }

    pub fn is_const(&self) -> bool {
        self.constant
    }

    #[inline(always)]
    pub fn get(&self, row: usize) -> Option<A::Item<'a>> {
        A::get(&self.source, row)
    }
}

/// A result written once, or for every row.
pub fn spread(out: Column, constant: bool, rows: usize) -> Column {
    match constant {
        true if out.is_empty() => Column::nulls(out.kind(), rows),
        true => Column::Const(out.value(0), rows),
        false => out,
    }
}

/// The numbers of a column, or its constant.
pub struct Numbers<'a, T> {
    constant: Option<T>,
    values: &'a [T],
    nulls: Option<&'a NullBuffer>,
}

impl<'a, T: ArrowNativeType> Numbers<'a, T> {
    fn none() -> Self {
        Numbers { constant: None, values: &[], nulls: None }
    }

    fn constant(value: T) -> Self {
        Numbers { constant: Some(value), ..Self::none() }
    }

    fn array<P: ArrowPrimitiveType<Native = T>>(array: &'a PrimitiveArray<P>) -> Self {
        Numbers { constant: None, values: array.values(), nulls: array.nulls().filter(|n| n.null_count() > 0) }
    }

    #[inline(always)]
    fn at(&self, row: usize) -> Option<T> {
        match (self.constant, self.nulls) {
            (None, None) => self.values.get(row).copied(),
            (None, Some(nulls)) => self.values.get(row).copied().filter(|_| nulls.is_valid(row)),
            (constant, _) => constant,
        }
    }
}

macro_rules! numeric {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $item:ty, $value:ident) => {
        $(#[$doc])*
        pub struct $name;
        impl Argument for $name {
            const ACCEPTS: Accepts = Accepts::Kind(Kind::$kind);
            type Item<'a> = $item;
            type Source<'a> = Numbers<'a, $item>;
            fn source(column: Option<&Column>) -> Numbers<'_, $item> {
                match column {
                    Some(Column::$kind(array)) => Numbers::array(array),
                    Some(Column::Const(Value::$value(value), _)) => Numbers::constant(*value),
                    _ => Numbers::none(),
                }
            }
            #[inline(always)]
            fn get<'a>(source: &Self::Source<'a>, row: usize) -> Option<Self::Item<'a>> {
                source.at(row)
            }
        }
    };
}

numeric!(Int, Int, i32, Int);
numeric!(Long, Long, i64, Long);
numeric!(Real, Real, f64, Real);
numeric!(
    /// A datetime: ticks of 100 ns since 1970.
    Time, DateTime, i64, DateTime
);
numeric!(
    /// A timespan: ticks of 100 ns.
    Span, TimeSpan, i64, TimeSpan
);

macro_rules! argument {
    ($(#[$doc:meta])* $name:ident, $accepts:expr, $item:ty, |$column:ident, $row:ident| $get:expr) => {
        $(#[$doc])*
        pub struct $name;
        impl Argument for $name {
            const ACCEPTS: Accepts = $accepts;
            type Item<'a> = $item;
            type Source<'a> = Option<&'a Column>;
            fn source(column: Option<&Column>) -> Option<&Column> {
                column
            }
            #[inline(always)]
            fn get<'a>(source: &Self::Source<'a>, $row: usize) -> Option<Self::Item<'a>> {
                let $column: &'a Column = (*source)?;
                $get
            }
        }
    };
}

argument!(Bool, Accepts::Kind(Kind::Bool), bool, |column, row| match column {
    Column::Bool(array) => array.is_valid(row).then(|| array.value(row)),
    Column::Const(value, _) => value.as_bool(),
    _ => None,
});
argument!(
    /// Text of the kind string.
    Str, Accepts::Kind(Kind::String), &'a str, |column, row| column.text(row)
);
argument!(
    /// Canonical text of a guid.
    Guid, Accepts::Kind(Kind::Guid), &'a str, |column, row| column.text(row)
);
argument!(
    /// A dynamic value that is not null.
    Dyn, Accepts::Kind(Kind::Dynamic), Dynamic<'a>, |column, row| Dynamic::of(column, row)
);
argument!(
    /// Any value, null included.
    Any, Accepts::Any, Value, |column, row| Some(column.value(row))
);
argument!(
    /// The text of any value, as `tostring` gives it: `""` for null.
    AnyText, Accepts::Any, Cow<'a, str>, |column, row| Some(text_of(column, row))
);

/// The text of a row of any column, as `tostring` gives it: `""` for null.
#[inline]
pub fn text_of(column: &Column, row: usize) -> Cow<'_, str> {
    match column.text(row) {
        Some(text) if column.kind() == Kind::Dynamic => json::to_string(text),
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(column.value(row).to_text()),
    }
}

/// The column of what `write` appends for each row, exactly one value; of constants alone, a constant.
pub fn each(
    kind: Kind,
    args: &[Column],
    rows: usize,
    mut write: impl FnMut(usize, &mut Builder) -> Result<()>,
) -> Result<Column> {
    let constant = !args.is_empty() && args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let mut builder = Builder::reading(kind, count, args);
    for row in 0..count {
        write(row, &mut builder)?;
    }
    Ok(spread(builder.finish(), constant, rows))
}

/// The text column of what `write` appends for each row, null (or `""`) where it says false; of constants alone, a
/// constant.
pub fn each_text(kind: Kind, args: &[Column], rows: usize, write: impl FnMut(usize, &mut String) -> bool) -> Column {
    let constant = !args.is_empty() && args.iter().all(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    spread(Column::write_text(kind, count, write), constant, rows)
}

/// A parameter that may be null or left out.
pub struct Maybe<A>(PhantomData<A>);
impl<A: Argument> Argument for Maybe<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    const OPTIONAL: bool = true;
    type Item<'a> = Option<A::Item<'a>>;
    type Source<'a> = A::Source<'a>;
    fn source(column: Option<&Column>) -> A::Source<'_> {
        A::source(column)
    }
    #[inline(always)]
    fn get<'a>(source: &Self::Source<'a>, row: usize) -> Option<Self::Item<'a>> {
        Some(A::get(source, row))
    }
}

/// A parameter that may be left out; given as null, it makes the result null.
pub struct Optional<A>(PhantomData<A>);
impl<A: Argument> Argument for Optional<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    const OPTIONAL: bool = true;
    type Item<'a> = Option<A::Item<'a>>;
    type Source<'a> = Option<A::Source<'a>>;
    fn source(column: Option<&Column>) -> Option<A::Source<'_>> {
        column.map(|column| A::source(Some(column)))
    }
    #[inline(always)]
    fn get<'a>(source: &Self::Source<'a>, row: usize) -> Option<Self::Item<'a>> {
        match source {
            None => Some(None),
            Some(source) => A::get(source, row).map(Some),
        }
    }
}

/// A parameter that must be given and may be null.
pub struct Nullable<A>(PhantomData<A>);
impl<A: Argument> Argument for Nullable<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    type Item<'a> = Option<A::Item<'a>>;
    type Source<'a> = A::Source<'a>;
    fn source(column: Option<&Column>) -> A::Source<'_> {
        A::source(column)
    }
    #[inline(always)]
    fn get<'a>(source: &Self::Source<'a>, row: usize) -> Option<Self::Item<'a>> {
        Some(A::get(source, row))
    }
}

/// A result type in `scalars!`.
pub trait Output: Sized {
    const KIND: Kind;
    fn push(self, builder: &mut Builder);
    /// The column of `rows` results of `args`; one that is none is null.
    fn collect(args: &[Column], rows: usize, mut result: impl FnMut(usize) -> Option<Self>) -> Column {
        let mut builder = Builder::reading(Self::KIND, rows, args);
        for row in 0..rows {
            match result(row) {
                Some(value) => value.push(&mut builder),
                None => builder.push_null(),
            }
        }
        builder.finish()
    }
}

impl<T: Output> Output for Option<T> {
    const KIND: Kind = T::KIND;
    fn push(self, builder: &mut Builder) {
        match self {
            Some(value) => value.push(builder),
            None => builder.push_null(),
        }
    }
    fn collect(args: &[Column], rows: usize, mut result: impl FnMut(usize) -> Option<Self>) -> Column {
        T::collect(args, rows, |row| result(row).flatten())
    }
}

macro_rules! output {
    ($(#[$doc:meta])* $type:ty, $kind:ident, |$value:ident, $builder:ident| $push:expr) => {
        impl Output for $type {
            const KIND: Kind = Kind::$kind;
            #[inline]
            fn push(self, $builder: &mut Builder) {
                let $value = self;
                $push
            }
        }
    };
}

impl Output for bool {
    const KIND: Kind = Kind::Bool;
    fn push(self, builder: &mut Builder) {
        builder.push_bool(self);
    }
    fn collect(_: &[Column], rows: usize, mut result: impl FnMut(usize) -> Option<Self>) -> Column {
        let mut missing: Vec<usize> = Vec::new();
        let bits = BooleanBuffer::collect_bool(rows, |row| {
            result(row).unwrap_or_else(|| {
                missing.push(row);
                false
            })
        });
        let nulls = (!missing.is_empty()).then(|| {
            let mut valid = BooleanBufferBuilder::new(rows);
            valid.append_n(rows, true);
            missing.iter().for_each(|row| valid.set_bit(*row, false));
            NullBuffer::new(valid.finish())
        });
        Column::Bool(BooleanArray::new(bits, nulls))
    }
}

macro_rules! numeric_output {
    ($type:ty, $kind:ident, $primitive:ty, $push:ident, |$value:ident| $number:expr) => {
        impl Output for $type {
            const KIND: Kind = Kind::$kind;
            fn push(self, builder: &mut Builder) {
                let $value = self;
                builder.$push($number.into());
            }
            fn collect(_: &[Column], rows: usize, mut result: impl FnMut(usize) -> Option<Self>) -> Column {
                Column::$kind(numbers::<$primitive>(rows, |row| result(row).map(|$value| $number)))
            }
        }
    };
}

numeric_output!(i32, Int, arrow_array::types::Int32Type, push_long, |value| value);
numeric_output!(i64, Long, arrow_array::types::Int64Type, push_long, |value| value);
numeric_output!(f64, Real, arrow_array::types::Float64Type, push_real, |value| value);
output!(String, String, |value, builder| builder.push_text(&value));
output!(&str, String, |value, builder| builder.push_text(value));
output!(std::borrow::Cow<'_, str>, String, |value, builder| builder.push_text(&value));

/// A datetime as a result.
pub struct TimeOut(pub i64);
numeric_output!(TimeOut, DateTime, arrow_array::types::Int64Type, push_long, |value| value.0);

/// A timespan as a result.
pub struct SpanOut(pub i64);
numeric_output!(SpanOut, TimeSpan, arrow_array::types::Int64Type, push_long, |value| value.0);

/// JSON text of a dynamic value as a result; `null` is null.
pub struct JsonOut(pub String);
output!(JsonOut, Dynamic, |value, builder| match value.0.as_str() {
    "null" | "" => builder.push_null(),
    text => builder.push_text(text),
});

/// Canonical text of a guid as a result.
pub struct GuidOut(pub String);
output!(GuidOut, Guid, |value, builder| builder.push_text(&value.0));

/// Canonical text of a decimal as a result.
pub struct DecimalOut(pub String);
output!(DecimalOut, Decimal, |value, builder| builder.push_text(&value.0));
