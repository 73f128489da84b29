//! Building columns value by value.
use super::{Column, Kind, Text, Value};
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, PrimitiveBuilder, StringViewBuilder,
};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

/// Builds a column of one kind.
pub struct Builder {
    kind: Kind,
    inner: Inner,
}

enum Inner {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Text(StringViewBuilder),
}

impl Builder {
    pub fn new(kind: Kind, rows: usize) -> Builder {
        let inner = match kind {
            Kind::Bool => Inner::Bool(BooleanBuilder::with_capacity(rows)),
            Kind::Int => Inner::Int(Int32Builder::with_capacity(rows)),
            Kind::Long | Kind::DateTime | Kind::TimeSpan => Inner::Long(Int64Builder::with_capacity(rows)),
            Kind::Real => Inner::Real(Float64Builder::with_capacity(rows)),
            _ => Inner::Text(StringViewBuilder::with_capacity(rows)),
        };
        Builder { kind, inner }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder;
        match &self.inner {
            Inner::Bool(b) => b.len(),
            Inner::Int(b) => b.len(),
            Inner::Long(b) => b.len(),
            Inner::Real(b) => b.len(),
            Inner::Text(b) => b.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a null; for kind string the empty text.
    pub fn push_null(&mut self) {
        match &mut self.inner {
            Inner::Bool(b) => b.append_null(),
            Inner::Int(b) => b.append_null(),
            Inner::Long(b) => b.append_null(),
            Inner::Real(b) => b.append_null(),
            Inner::Text(b) if self.kind == Kind::String => b.append_value(""),
            Inner::Text(b) => b.append_null(),
        }
    }

    /// Appends text to a textual column; a null to any other.
    pub fn push_text(&mut self, text: &str) {
        match &mut self.inner {
            Inner::Text(b) => b.append_value(text),
            _ => self.push_null(),
        }
    }

    /// Appends a long, datetime or timespan; an int where it fits, else null.
    pub fn push_long(&mut self, value: i64) {
        match &mut self.inner {
            Inner::Long(b) => b.append_value(value),
            Inner::Int(b) => b.append_option(i32::try_from(value).ok()),
            Inner::Real(b) => b.append_value(value as f64),
            _ => self.push_null(),
        }
    }

    pub fn push_real(&mut self, value: f64) {
        match &mut self.inner {
            Inner::Real(b) => b.append_value(value),
            _ => self.push_null(),
        }
    }

    pub fn push_bool(&mut self, value: bool) {
        match &mut self.inner {
            Inner::Bool(b) => b.append_value(value),
            _ => self.push_null(),
        }
    }

    /// Appends a value of the builder's kind (an integer also to a real column); any other as null.
    pub fn push(&mut self, value: &Value) {
        match value {
            Value::Null(_) => self.push_null(),
            Value::Bool(b) => self.push_bool(*b),
            Value::Int(i) => self.push_long(i64::from(*i)),
            Value::Long(i) | Value::DateTime(i) | Value::TimeSpan(i) => self.push_long(*i),
            Value::Real(r) => self.push_real(*r),
            Value::Text(_, text) => self.push_text(text),
        }
    }

    pub fn finish(mut self) -> Column {
        match &mut self.inner {
            Inner::Bool(b) => Column::Bool(b.finish()),
            Inner::Int(b) => Column::Int(b.finish()),
            Inner::Long(b) => match self.kind {
                Kind::DateTime => Column::DateTime(b.finish()),
                Kind::TimeSpan => Column::TimeSpan(b.finish()),
                _ => Column::Long(b.finish()),
            },
            Inner::Real(b) => Column::Real(b.finish()),
            Inner::Text(b) => Column::Text(self.kind, Text::Views(b.finish())),
        }
    }

    /// A column of one value, written out for every row.
    pub fn repeat(value: &Value, rows: usize) -> Column {
        if let Value::Bool(b) = value {
            let bits = if *b { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
            return Column::Bool(BooleanArray::new(bits, None));
        }
        let mut builder = Builder::new(value.kind(), rows);
        if let (Inner::Text(b), Value::Text(_, text)) = (&mut builder.inner, value) {
            repeat_text(b, text, rows);
        } else {
            (0..rows).for_each(|_| builder.push(value));
        }
        builder.finish()
    }
}

/// Long texts are stored once: every view points to the same bytes.
fn repeat_text(builder: &mut StringViewBuilder, text: &str, rows: usize) {
    let Ok(length) = u32::try_from(text.len()) else { return };
    if length <= 12 {
        return (0..rows).for_each(|_| builder.append_value(text));
    }
    let block = builder.append_block(text.as_bytes().to_vec().into());
    for _ in 0..rows {
        // The block was appended above and holds exactly this text.
        if builder.try_append_view(block, 0, length).is_err() {
            builder.append_value(text);
        }
    }
}

/// A primitive array from optional values.
pub fn primitive<T: ArrowPrimitiveType>(
    rows: usize,
    values: impl Iterator<Item = Option<T::Native>>,
) -> arrow_array::PrimitiveArray<T> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
    values.for_each(|v| builder.append_option(v));
    let array = builder.finish();
    match array.null_count() {
        0 => arrow_array::PrimitiveArray::new(array.values().clone(), None),
        _ => array,
    }
}
