//! Conversions between kinds.
use super::Context;
use super::items::value_rows;
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Kind, Value, convert, datetime};

macro_rules! conversion {
    ($name:ident, $kind:ident) => {
        fn $name(_: &Context, args: &[Column], _: usize) -> Result<Column> {
            let value = args.first().ok_or_else(|| Fault::internal("a conversion of nothing"))?;
            Ok(convert::lenient(value, Kind::$kind))
        }
    };
}
conversion!(to_string, String);
conversion!(to_bool, Bool);
conversion!(to_int, Int);
conversion!(to_long, Long);
conversion!(to_real, Real);
conversion!(to_decimal, Decimal);
conversion!(to_guid, Guid);

/// A number is ticks of 100 ns, of a datetime since year 1, as `tolong` gives them.
fn to_datetime(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    of_ticks(args, rows, Kind::DateTime, |ticks| {
        datetime::checked(ticks.checked_add(datetime::MIN)?).map(Value::DateTime)
    })
}

fn to_timespan(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    of_ticks(args, rows, Kind::TimeSpan, |ticks| Some(Value::TimeSpan(ticks)))
}

fn of_ticks(args: &[Column], rows: usize, kind: Kind, make: fn(i64) -> Option<Value>) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a conversion of nothing"))?;
    match value.kind() {
        Kind::Int | Kind::Long => Ok(value_rows(kind, args, rows, |row| make(value.value(row).as_long()?))),
        _ => Ok(convert::lenient(value, kind)),
    }
}

/// Text is parsed as JSON; other values become JSON scalars.
fn to_dynamic(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match args.first() {
        Some(value) if value.kind() == Kind::Dynamic => Ok(value.clone()),
        Some(value) => Ok(convert::lenient(value, Kind::Dynamic)),
        None => Ok(Column::Const(Value::Null(Kind::Dynamic), rows)),
    }
}

crate::kernels! {
    /// The value as text; `""` for null.
    ///
    /// Source: tostring-function.
    ///
    /// ```kql
    /// tostring(123) // 123
    /// tostring(1.0) // 1
    /// tostring(dynamic("a")) // a
    /// ```
    kql fn tostring (value: Any) -> Kind(Kind::String) = to_string;

    /// The value as bool; null where it is none.
    ///
    /// Source: tobool-function.
    ///
    /// ```kql
    /// tobool("true") // true
    /// tobool("x") // null
    /// ```
    kql fn tobool as [toboolean] (value: Any) -> Kind(Kind::Bool) = to_bool;

    /// The value as a 32-bit integer; null where it is none.
    ///
    /// Source: toint-function.
    ///
    /// ```kql
    /// toint("123") // 123
    /// toint("abc") // null
    /// ```
    kql fn toint (value: Any) -> Kind(Kind::Int) = to_int;

    /// The value as a 64-bit integer; null where it is none.
    ///
    /// Source: tolong-function.
    ///
    /// ```kql
    /// tolong("2148074254") // 2148074254
    /// ```
    kql fn tolong (value: Any) -> Kind(Kind::Long) = to_long;

    /// The value as a real; null where it is none.
    ///
    /// Source: toreal-function.
    ///
    /// ```kql
    /// toreal("1.5") // 1.5
    /// ```
    kql fn toreal as [todouble] (value: Any) -> Kind(Kind::Real) = to_real;

    /// The value as a decimal; null where it is none.
    ///
    /// Source: todecimal-function.
    ///
    /// ```kql
    /// todecimal("123.45678") // 123.45678
    /// ```
    kql fn todecimal (value: Any) -> Kind(Kind::Decimal) = to_decimal;

    /// The text as a datetime; null where it is none. Months come before days. A number is ticks since year 1.
    ///
    /// Source: todatetime-function.
    ///
    /// ```kql
    /// todatetime("2015-12-24") // 2015-12-24T00:00:00.0000000Z
    /// todatetime("13-01-2022") // null
    /// todatetime(tolong(datetime(2015-12-24))) // 2015-12-24T00:00:00.0000000Z
    /// ```
    kql fn todatetime (value: Any) -> Kind(Kind::DateTime) = to_datetime;

    /// The text as a timespan; null where it is none. A number is ticks of 100 ns.
    ///
    /// Source: totimespan-function.
    ///
    /// ```kql
    /// totimespan("0.00:01:00") // 00:01:00
    /// totimespan(600000000) // 00:01:00
    /// ```
    kql fn totimespan as [totime] (value: Any) -> Kind(Kind::TimeSpan) = to_timespan;

    /// The text as a guid; null where it is none.
    ///
    /// Source: toguid-function.
    ///
    /// ```kql
    /// toguid("70fc66f7-8279-44fc-9092-d364d70fce44") // 70fc66f7-8279-44fc-9092-d364d70fce44
    /// ```
    kql fn toguid (value: Any) -> Kind(Kind::Guid) = to_guid;

    /// The text read as JSON: a bag, an array or a scalar. Text that is no JSON is a dynamic string.
    ///
    /// Source: parse-json-function.
    ///
    /// ```kql
    /// parse_json('{"a":1}').a // 1
    /// ```
    kql fn parse_json as [todynamic, parsejson, toobject] (value: Any) -> Kind(Kind::Dynamic) = to_dynamic;
}
