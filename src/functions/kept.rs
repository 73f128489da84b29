//! Long lists that a host keeps ready between runs: whether something is among them is told without reading them all.
use super::Scalar;
use crate::diagnostic::Result;
use crate::types::{Column, Kind, Value};
pub use rows::{Bytes, KeptRows};
use std::fmt::Debug;
use std::sync::Arc;

pub mod rows;

/// What a kept list's name begins with where it stands for the list in a query: no text of a query is like it.
const MARK: &str = "\"\\u0001list ";

/// What is asked of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whether a text is among its texts, as it is written.
    Texts,
    /// Whether a text is among its texts, whatever the case.
    Folded,
    /// Whether an IPv4 address lies in one of its ranges.
    V4,
    /// Whether an IPv6 address lies in one of its ranges.
    V6,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Form::Texts => "texts",
            Form::Folded => "folded",
            Form::V4 => "v4",
            Form::V6 => "v6",
        }
    }
}

/// A list that is kept.
pub trait KeptList: Send + Sync + Debug {
    /// Of a list of texts: whether one is among them. A folded list is asked for a folded text.
    fn has(&self, text: &str) -> bool;

    /// Of a list of ranges: whether an address lies in one of them; none where no range can be read.
    fn covers(&self, address: u128) -> Option<bool>;
}

/// What is to be kept of a list.
pub enum Content<'a> {
    Texts(&'a Column),
    Ranges { ranges: Vec<(u128, u128)>, unreadable: bool },
}

/// A keeper of lists, and of values that took long to compute.
pub trait Lists: Send + Sync + Debug {
    /// The list of a name; none where it is not kept.
    fn get(&self, name: &str) -> Option<Arc<dyn KeptList>>;

    /// Keeps a list under a name.
    ///
    /// # Errors
    /// A list that cannot be kept.
    fn keep(&self, name: &str, content: Content) -> Result<()>;

    /// The bytes that are kept under a name; none where there are none.
    fn value(&self, name: &str) -> Option<Bytes>;

    /// Keeps bytes, where they can be kept.
    fn keep_value(&self, name: &str, bytes: &[u8]);
}

/// The value that stands for a kept list.
pub fn value_of(name: &str) -> Value {
    Value::dynamic(format!("{MARK}{name}\""))
}

/// The name of the kept list that a value stands for.
pub fn name_of(value: &Value) -> Option<&str> {
    value.as_text()?.strip_prefix(MARK)?.strip_suffix('"')
}

/// What a function asks of its last argument, where that is a list and nothing else of it matters.
pub fn form(function: &Scalar, arguments: &[Kind]) -> Option<Form> {
    if arguments != [Kind::String, Kind::Dynamic] {
        return None;
    }
    match function.name {
        "in" | "!in" => Some(Form::Texts),
        "in~" | "!in~" => Some(Form::Folded),
        "ipv4_is_in_any_range" => Some(Form::V4),
        "ipv6_is_in_any_range" => Some(Form::V6),
        _ => None,
    }
}

/// Keeps a column of texts in a form.
///
/// # Errors
/// A list that cannot be kept.
pub fn keep(lists: &dyn Lists, name: &str, form: Form, texts: &Column) -> Result<()> {
    match form {
        Form::Texts => lists.keep(name, Content::Texts(texts)),
        Form::Folded => {
            let folded: Vec<Value> = (0..texts.len())
                .filter_map(|row| texts.text(row))
                .map(|text| Value::string(super::operators::fold_case(text)))
                .collect();
            lists.keep(name, Content::Texts(&Column::from_values(Kind::String, &folded)))
        }
        Form::V4 | Form::V6 => {
            let texts: Vec<String> = (0..texts.len()).filter_map(|row| texts.text(row)).map(str::to_owned).collect();
            let (ranges, unreadable) = super::net::ranges(&texts, form == Form::V4);
            lists.keep(name, Content::Ranges { ranges, unreadable })
        }
    }
}
