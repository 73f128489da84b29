//! Whether a value is there, and what it is: null, empty, its runtime type, its alphabet.
use super::Context;
use super::row::{AnyText, text_of};
use crate::diagnostic::{Fault, Result};
use crate::types::json::JsonKind;
use crate::types::vectors::bits_of;
use crate::types::{Column, Json, Kind, Text, Value};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

fn only(args: &[Column]) -> Result<&Column> {
    args.first().ok_or_else(|| Fault::internal("a function of one value was given none"))
}

/// A bool for every row that is never null.
fn bools(column: &Column, rows: usize, holds: impl Fn(usize) -> bool) -> Column {
    if column.is_const() {
        return Column::Const(Value::Bool(rows > 0 && holds(0)), rows);
    }
    Column::Bool(BooleanArray::new(BooleanBuffer::collect_bool(rows, holds), None))
}

/// Texts of kind string are never null.
fn nulls(column: &Column, rows: usize, wanted: bool) -> Column {
    match column.kind() == Kind::String || column.null_buffer().is_none() {
        true => Column::Const(Value::Bool(!wanted), rows),
        false => bools(column, rows, |row| column.is_null(row) == wanted),
    }
}

fn is_null(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(nulls(only(args)?, rows, true))
}

fn is_not_null(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(nulls(only(args)?, rows, false))
}

fn empties(column: &Column, rows: usize, wanted: bool) -> Column {
    match (column, column.kind()) {
        (Column::Text(_, Text::Views(views)), Kind::String) if views.null_count() == 0 => {
            // A view begins with its length.
            Column::Bool(BooleanArray::new(bits_of(views.views(), |view| (view as u32 == 0) == wanted), None))
        }
        (_, Kind::String) => bools(column, rows, |row| column.text(row).is_none_or(str::is_empty) == wanted),
        (_, Kind::Dynamic) => bools(column, rows, |row| {
            (column.is_null(row) || matches!(column.text(row), Some("\"\"" | "null"))) == wanted
        }),
        _ => nulls(column, rows, wanted),
    }
}

fn is_empty(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(empties(only(args)?, rows, true))
}

fn is_not_empty(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(empties(only(args)?, rows, false))
}

fn is_ascii(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let column = only(args)?;
    Ok(bools(column, rows, |row| text_of(column, row).is_ascii()))
}

/// What a dynamic holds; other values are named by their kind.
fn runtime_type(value: &Value) -> &'static str {
    match value {
        Value::Null(Kind::Dynamic) => "null",
        Value::Text(Kind::Dynamic, text) => match Json::new(text).kind() {
            JsonKind::Null => "null",
            JsonKind::Bool => "bool",
            JsonKind::Long => "long",
            JsonKind::Real => "double",
            JsonKind::String => "string",
            JsonKind::Array => "array",
            JsonKind::Object => "dictionary",
            JsonKind::DateTime => "datetime",
            JsonKind::TimeSpan => "timespan",
            JsonKind::Guid => "guid",
            JsonKind::Decimal => "decimal",
        },
        other => other.kind().name(),
    }
}

crate::scalars! {
    /// The type that a value has at run time: of a dynamic, what it holds.
    ///
    /// An array is `array`, a bag `dictionary`, the null of a dynamic `null`.
    ///
    /// Source: gettype-function.
    ///
    /// ```kql
    /// gettype("a") // string
    /// gettype(123.45) // real
    /// gettype(parse_json('{"abc":1}')) // dictionary
    /// gettype(parse_json('')) // null
    /// ```
    kql fn gettype(value: super::row::Any) -> &'static str { runtime_type(&value) }

    /// Whether a text is valid UTF-8, which every text here is.
    ///
    /// Source: isutf8-function.
    ///
    /// ```kql
    /// isutf8("some string") // true
    /// ```
    kql fn isutf8(value: AnyText) -> bool {
        let _ = value;
        true
    }
}

crate::kernels! {
    /// Whether a value is null. A string never is, and neither is an empty array or bag.
    ///
    /// Source: isnull-function.
    ///
    /// ```kql
    /// isnull("") // false
    /// isnull(parse_json("")) // true
    /// isnull(parse_json("[]")) // false
    /// isnull(int(null)) // true
    /// ```
    kql fn isnull (value: Any) -> Kind(Kind::Bool) = is_null;

    /// Whether a value is not null; of a string always true.
    ///
    /// Source: isnotnull-function.
    ///
    /// ```kql
    /// isnotnull(1) // true
    /// isnotnull("") // true
    /// isnotnull(long(null)) // false
    /// ```
    kql fn isnotnull as [notnull] (value: Any) -> Kind(Kind::Bool) = is_not_null;

    /// Whether a value is an empty text or null.
    ///
    /// Source: isempty-function.
    ///
    /// ```kql
    /// isempty("") // true
    /// isempty("x") // false
    /// isempty(parse_json("")) // true
    /// isempty(parse_json("[]")) // false
    /// ```
    kql fn isempty (value: Any) -> Kind(Kind::Bool) = is_empty;

    /// Whether a value is neither an empty text nor null.
    ///
    /// Source: isnotempty-function.
    ///
    /// ```kql
    /// isnotempty("") // false
    /// isnotempty("x") // true
    /// ```
    kql fn isnotempty as [notempty] (value: Any) -> Kind(Kind::Bool) = is_not_empty;

    /// Whether a text is ASCII throughout.
    ///
    /// Source: isascii.
    ///
    /// ```kql
    /// isascii("some string") // true
    /// isascii("für") // false
    /// ```
    kql fn isascii (value: Any) -> Kind(Kind::Bool) = is_ascii;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_never_null() {
        let column = Column::Const(Value::string(""), 3);
        assert!(matches!(nulls(&column, 3, true), Column::Const(Value::Bool(false), 3)));
        assert!(matches!(empties(&column, 3, true), Column::Const(Value::Bool(true), 3)));
    }
}
