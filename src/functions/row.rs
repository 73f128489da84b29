//! How a function over the values of one row reads its arguments and writes its results.
use super::Accepts;
use crate::diagnostic::Result;
use crate::types::{Builder, Column, Dynamic, Kind, Value, json};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A parameter's type in `scalars!`.
pub trait Argument {
    const ACCEPTS: Accepts;
    const OPTIONAL: bool = false;
    type Item<'a>;
    /// The value of a row; none where it is null (and the whole result with it).
    fn get(column: Option<&Column>, row: usize) -> Option<Self::Item<'_>>;
}

/// An argument's column, or its constant.
pub struct Reader<'a, A: Argument> {
    column: Option<&'a Column>,
    argument: PhantomData<A>,
}

impl<'a, A: Argument> Reader<'a, A> {
    pub fn new(column: Option<&'a Column>) -> Self {
        Reader { column, argument: PhantomData }
    }

    pub fn is_const(&self) -> bool {
        self.column.is_none_or(Column::is_const)
    }

    #[inline(always)]
    pub fn get(&self, row: usize) -> Option<A::Item<'a>> {
        A::get(self.column, row)
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

macro_rules! argument {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $item:ty, |$column:ident, $row:ident| $get:expr) => {
        $(#[$doc])*
        pub struct $name;
        impl Argument for $name {
            const ACCEPTS: Accepts = Accepts::Kind(Kind::$kind);
            type Item<'a> = $item;
            #[inline(always)]
            fn get(column: Option<&Column>, $row: usize) -> Option<$item> {
                let $column = column?;
                $get
            }
        }
    };
}

macro_rules! numeric {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $item:ty, $value:ident) => {
        argument!(
            $(#[$doc])* $name, $kind, $item, |column, row| match column {
                Column::$kind(array) => (!arrow_array::Array::is_null(array, row)).then(|| array.value(row)),
                Column::Const(Value::$value(value), _) => Some(*value),
                _ => None,
            }
        );
    };
}

numeric!(Bool, Bool, bool, Bool);
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

/// Text of the kind string.
pub struct Str;
impl Argument for Str {
    const ACCEPTS: Accepts = Accepts::Kind(Kind::String);
    type Item<'a> = &'a str;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<&str> {
        column?.text(row)
    }
}

/// Canonical text of a guid.
pub struct Guid;
impl Argument for Guid {
    const ACCEPTS: Accepts = Accepts::Kind(Kind::Guid);
    type Item<'a> = &'a str;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<&str> {
        column?.text(row)
    }
}

/// A dynamic value that is not null.
pub struct Dyn;
impl Argument for Dyn {
    const ACCEPTS: Accepts = Accepts::Kind(Kind::Dynamic);
    type Item<'a> = Dynamic<'a>;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<Dynamic<'_>> {
        Dynamic::of(column?, row)
    }
}

/// Any value, null included.
pub struct Any;
impl Argument for Any {
    const ACCEPTS: Accepts = Accepts::Any;
    type Item<'a> = Value;
    fn get(column: Option<&Column>, row: usize) -> Option<Value> {
        Some(column?.value(row))
    }
}

/// The text of any value, as `tostring` gives it: `""` for null.
pub struct AnyText;
impl Argument for AnyText {
    const ACCEPTS: Accepts = Accepts::Any;
    type Item<'a> = Cow<'a, str>;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<Cow<'_, str>> {
        Some(text_of(column?, row))
    }
}

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
    let mut builder = Builder::new(kind, count);
    for row in 0..count {
        write(row, &mut builder)?;
    }
    Ok(spread(builder.finish(), constant, rows))
}

/// A parameter that may be null or left out.
pub struct Maybe<A>(PhantomData<A>);
impl<A: Argument> Argument for Maybe<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    const OPTIONAL: bool = true;
    type Item<'a> = Option<A::Item<'a>>;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<Option<A::Item<'_>>> {
        Some(A::get(column, row))
    }
}

/// A parameter that may be left out; given as null, it makes the result null.
pub struct Optional<A>(PhantomData<A>);
impl<A: Argument> Argument for Optional<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    const OPTIONAL: bool = true;
    type Item<'a> = Option<A::Item<'a>>;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<Option<A::Item<'_>>> {
        match column {
            None => Some(None),
            Some(_) => A::get(column, row).map(Some),
        }
    }
}

/// A parameter that must be given and may be null.
pub struct Nullable<A>(PhantomData<A>);
impl<A: Argument> Argument for Nullable<A> {
    const ACCEPTS: Accepts = A::ACCEPTS;
    type Item<'a> = Option<A::Item<'a>>;
    #[inline(always)]
    fn get(column: Option<&Column>, row: usize) -> Option<Option<A::Item<'_>>> {
        Some(A::get(column, row))
    }
}

/// A result type in `scalars!`.
pub trait Output: Sized {
    const KIND: Kind;
    fn push(self, builder: &mut Builder);
    /// The column of `rows` results; none is null.
    fn collect(rows: usize, mut result: impl FnMut(usize) -> Option<Self>) -> Column {
        let mut builder = Builder::new(Self::KIND, rows);
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

output!(bool, Bool, |value, builder| builder.push_bool(value));
output!(i32, Int, |value, builder| builder.push_long(i64::from(value)));
output!(i64, Long, |value, builder| builder.push_long(value));
output!(f64, Real, |value, builder| builder.push_real(value));
output!(String, String, |value, builder| builder.push_text(&value));
output!(&str, String, |value, builder| builder.push_text(value));
output!(std::borrow::Cow<'_, str>, String, |value, builder| builder.push_text(&value));

/// A datetime as a result.
pub struct TimeOut(pub i64);
output!(TimeOut, DateTime, |value, builder| builder.push_long(value.0));

/// A timespan as a result.
pub struct SpanOut(pub i64);
output!(SpanOut, TimeSpan, |value, builder| builder.push_long(value.0));

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
