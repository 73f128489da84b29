//! A dynamic value in either encoding, read without building a tree.
use super::{Column, Json, Kind, List, Text, Value, json};
use arrow_array::Array;
use std::borrow::Cow;

/// One dynamic value that is not null: JSON text, or a row of typed lists.
#[derive(Clone, Copy, Debug)]
pub enum Dynamic<'a> {
    Json(&'a str),
    List(&'a List, usize),
}

impl<'a> Dynamic<'a> {
    /// The value of a row of a dynamic column; none where it is null or of another kind.
    #[inline]
    pub fn of(column: &'a Column, row: usize) -> Option<Dynamic<'a>> {
        match column {
            Column::Const(Value::Text(Kind::Dynamic, text), _) => Some(Dynamic::Json(text)),
            Column::Text(Kind::Dynamic, text) => Self::text(text, row),
            Column::List(list) => (!list.is_null(row)).then_some(Dynamic::List(list, row)),
            _ => None,
        }
    }

    fn text(text: &'a Text, row: usize) -> Option<Dynamic<'a>> {
        text.get(row).map(Dynamic::Json)
    }

    /// The value as JSON text.
    pub fn to_json(self) -> Cow<'a, str> {
        match self {
            Dynamic::Json(text) => Cow::Borrowed(text),
            Dynamic::List(list, row) => Cow::Owned(list.json(row)),
        }
    }

    pub fn is_array(self) -> bool {
        match self {
            Dynamic::Json(text) => text.trim_start().starts_with('['),
            Dynamic::List(..) => true,
        }
    }

    pub fn is_bag(self) -> bool {
        matches!(self, Dynamic::Json(text) if text.trim_start().starts_with('{'))
    }

    /// The number of elements of an array, of properties of a bag; none for a scalar.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> Option<usize> {
        match self {
            Dynamic::List(list, row) => Some(list.range(row).len()),
            Dynamic::Json(_) if self.is_array() || self.is_bag() => Some(self.json()?.len()),
            Dynamic::Json(_) => None,
        }
    }

    fn json(self) -> Option<Json<'a>> {
        match self {
            Dynamic::Json(text) => Some(Json::new(text)),
            Dynamic::List(..) => None,
        }
    }

    /// The elements of an array as values: scalars by their kind, arrays and bags as dynamic.
    /// None for anything but an array.
    pub fn elements(self) -> Option<Vec<Value>> {
        match self {
            Dynamic::List(list, row) => Some(list.range(row).map(|i| list.items.value(i)).collect()),
            Dynamic::Json(text) if self.is_array() => {
                Some(Json::new(text).elements().map(|e| json::scalar(e.text())).collect())
            }
            Dynamic::Json(_) => None,
        }
    }

    /// The texts of an array's elements, as `tostring` gives them.
    pub fn texts(self) -> Option<Vec<String>> {
        Some(self.elements()?.iter().map(Value::to_text).collect())
    }

    /// The numbers of an array's elements; none where an element is no number.
    pub fn numbers(self) -> Option<Vec<Option<f64>>> {
        if let Dynamic::List(list, row) = self {
            match &*list.items {
                Column::Real(items) => {
                    return Some(list.range(row).map(|i| items.is_valid(i).then(|| items.value(i))).collect());
                }
                Column::Long(items) => {
                    return Some(list.range(row).map(|i| items.is_valid(i).then(|| items.value(i) as f64)).collect());
                }
                _ => {}
            }
        }
        Some(self.elements()?.iter().map(Value::as_real).collect())
    }

    /// The element of an array at `index`; a negative one counts from the end.
    pub fn index(self, index: i64) -> Option<Value> {
        match self {
            Dynamic::List(list, row) => {
                let range = list.range(row);
                let at = if index < 0 { index.checked_add(range.len() as i64)? } else { index };
                let at = usize::try_from(at).ok().filter(|at| *at < range.len())?;
                Some(list.items.value(range.start + at))
            }
            Dynamic::Json(text) if self.is_array() => Some(json::scalar(Json::new(text).index(index)?.text())),
            Dynamic::Json(_) => None,
        }
    }
}
