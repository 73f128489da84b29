//! From the text of a dynamic to a value of its own kind.
use super::{Json, JsonKind};
use crate::types::{Kind, Value, datetime, number, timespan};

/// A whole number that is written as such.
pub fn long(text: &str) -> Option<i64> {
    match text.as_bytes() {
        [b'-', digits @ ..] => number::plain_long(digits).map(|long| -long),
        digits => number::plain_long(digits),
    }
}

/// The value with its own kind: scalars by what they are, arrays and bags as dynamic, null as dynamic's null.
pub fn scalar(text: &str) -> Value {
    let json = Json::new(text);
    let value = match json.kind() {
        JsonKind::Null => None,
        JsonKind::Bool => json.as_bool().map(Value::Bool),
        JsonKind::Long => json.as_i64().map(Value::Long),
        JsonKind::Real => json.as_f64().map(Value::Real),
        JsonKind::String => json.as_str().map(|text| Value::string(text.as_ref())),
        JsonKind::Array | JsonKind::Object => Some(Value::dynamic(json.text())),
        JsonKind::DateTime => json.inside().and_then(datetime::parse).map(Value::DateTime),
        JsonKind::TimeSpan => json.inside().and_then(timespan::parse).map(Value::TimeSpan),
        JsonKind::Guid => json.inside().map(|text| Value::Text(Kind::Guid, text.into())),
        JsonKind::Decimal => json.inside().map(|text| Value::Text(Kind::Decimal, text.into())),
    };
    value.unwrap_or(Value::Null(Kind::Dynamic))
}
