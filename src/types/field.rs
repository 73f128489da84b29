//! Splunk's fields: absent, one text or number, or several texts.
//!
//! Every column of an SPL plan is of [`Kind::Field`]. How its rows are held differs by chunk: as texts (views or
//! a dictionary, [`Column::Text`]), as numbers or as several texts a row ([`Column::Field`]), or as one value
//! for all rows. Whatever holds it, a value is told from others by its canonical text: a number by
//! [`Number::write`], several texts one a line. A text literal of a query is of [`Kind::String`]: unlike a
//! field's text it is never taken for a number.
mod build;
mod convert;
mod number;
mod read;

pub use build::FieldBuilder;
pub(super) use convert::concat;
pub use convert::{from_column, from_value, lists, settle};
pub use number::{Number, without_noise};
pub use read::{Numbers, count, number, text, values};

use super::{Column, Kind, List, Pieces, Text, Value};
use arrow_array::{Array, Float64Array, Int64Array, StringViewArray};
use arrow_buffer::NullBuffer;
use std::sync::Arc;

/// Rows of fields that are not held as one text each.
#[derive(Clone, Debug)]
pub enum Field {
    Long(Int64Array),
    Real(Float64Array),
    /// Texts of the kind field, none of them absent; a row that has no text is null.
    Several(List),
}

/// One field's value where it is not one text.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    Long(i64),
    Real(f64),
    /// At least two texts.
    Several(Arc<[Arc<str>]>),
}

impl FieldValue {
    /// The number, where it is one.
    pub fn number(&self) -> Option<Number> {
        match self {
            FieldValue::Long(long) => Some(Number::Long(*long)),
            FieldValue::Real(real) => Some(Number::Real(*real)),
            FieldValue::Several(_) => None,
        }
    }

    /// Appends the canonical text.
    pub fn write(&self, out: &mut String) {
        match self {
            FieldValue::Several(texts) => texts.iter().enumerate().for_each(|(at, text)| {
                if at > 0 {
                    out.push('\n');
                }
                out.push_str(text);
            }),
            FieldValue::Long(long) => Number::Long(*long).write(out),
            FieldValue::Real(real) => Number::Real(*real).write(out),
        }
    }
}

impl Value {
    /// A field's value of these texts: absent for none.
    pub fn field<T: Into<Arc<str>>>(texts: impl IntoIterator<Item = T>) -> Value {
        let mut texts: Vec<Arc<str>> = texts.into_iter().map(Into::into).collect();
        match texts.len() {
            0 => Value::Null(Kind::Field),
            1 => Value::Text(Kind::Field, texts.remove(0)),
            _ => Value::Field(FieldValue::Several(texts.into())),
        }
    }
}

impl From<Number> for Value {
    /// The number as a field's value.
    fn from(number: Number) -> Value {
        Value::Field(match number {
            Number::Long(long) => FieldValue::Long(long),
            Number::Real(real) => FieldValue::Real(real),
        })
    }
}

impl Field {
    pub fn len(&self) -> usize {
        match self {
            Field::Long(array) => array.len(),
            Field::Real(array) => array.len(),
            Field::Several(list) => list.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Field::Long(array) => array.is_null(row),
            Field::Real(array) => array.is_null(row),
            Field::Several(list) => list.is_null(row),
        }
    }

    pub fn nulls(&self) -> Option<NullBuffer> {
        match self {
            Field::Long(array) => array.nulls().cloned(),
            Field::Real(array) => array.nulls().cloned(),
            Field::Several(list) => list.nulls.clone(),
        }
    }

    /// The value of a row that is not null.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Field::Long(array) => Number::Long(array.value(row)).into(),
            Field::Real(array) => Number::Real(array.value(row)).into(),
            Field::Several(list) => Value::field(list.range(row).filter_map(|item| list.items.text(item))),
        }
    }

    /// The canonical text of each row.
    pub fn texts(&self) -> StringViewArray {
        let mut pieces = Pieces::new(Kind::Field, None, self.len());
        let mut written = String::new();
        for row in 0..self.len() {
            if self.is_null(row) {
                pieces.push_null();
                continue;
            }
            written.clear();
            match self {
                Field::Long(array) => Number::Long(array.value(row)).write(&mut written),
                Field::Real(array) => Number::Real(array.value(row)).write(&mut written),
                Field::Several(list) => write_lines(list, row, &mut written),
            }
            pieces.push(row, &written);
        }
        match pieces.finish() {
            Column::Text(_, Text::Views(views)) => views,
            // Pieces make views.
            other => StringViewArray::new_null(other.len()),
        }
    }
}

/// The texts of a row, one a line.
fn write_lines(list: &List, row: usize, out: &mut String) {
    for (at, item) in list.range(row).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        out.push_str(list.items.text(item).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
