//! Long lists of texts that a host keeps ready between runs: whether a text is among them is told without reading
//! them all.
use super::Scalar;
use crate::diagnostic::Result;
use crate::types::{Column, Kind, Value};
use std::fmt::Debug;
use std::sync::Arc;

/// What a kept list's name begins with where it stands for the list in a query: no text of a query is like it.
const MARK: &str = "\"\\u0001list ";

/// A list that is kept.
pub trait TextList: Send + Sync + Debug {
    fn has(&self, text: &str) -> bool;
}

/// A keeper of lists.
pub trait Lists: Send + Sync + Debug {
    /// The list of a name; none where it is not kept.
    fn get(&self, name: &str) -> Option<Arc<dyn TextList>>;

    /// Keeps the texts of a column under a name.
    ///
    /// # Errors
    /// A list that cannot be kept.
    fn keep(&self, name: &str, texts: &Column) -> Result<()>;
}

/// The value that stands for a kept list.
pub fn value_of(name: &str) -> Value {
    Value::dynamic(format!("{MARK}{name}\""))
}

/// The name of the kept list that a value stands for.
pub fn name_of(value: &Value) -> Option<&str> {
    value.as_text()?.strip_prefix(MARK)?.strip_suffix('"')
}

/// Whether a function only asks whether a text, as it is written, is in its last argument, which is a list.
pub fn asks(function: &Scalar, arguments: &[Kind]) -> bool {
    matches!(function.name, "in" | "!in") && arguments == [Kind::String, Kind::Dynamic]
}
