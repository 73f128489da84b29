//! Building columns value by value.
use super::field::{FieldBuilder, Number};
use super::vectors::wide;
use super::{Column, Kind, Pieces, Value};
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, Int64Builder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, ScalarBuffer};

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
    Text(Pieces),
    Field(FieldBuilder),
}

impl Builder {
    pub fn new(kind: Kind, rows: usize) -> Builder {
        let inner = match kind {
            Kind::Bool => Inner::Bool(BooleanBuilder::with_capacity(rows)),
            Kind::Int => Inner::Int(Int32Builder::with_capacity(rows)),
            Kind::Long | Kind::DateTime | Kind::TimeSpan => Inner::Long(Int64Builder::with_capacity(rows)),
            Kind::Real => Inner::Real(Float64Builder::with_capacity(rows)),
            Kind::Field => Inner::Field(FieldBuilder::new(None, rows)),
            _ => Inner::Text(Pieces::new(kind, None, rows)),
        };
        Builder { kind, inner }
    }

    /// A builder of one value for each row of some columns. Texts that are part of the first column's text of
    /// their row share its bytes.
    pub fn reading(kind: Kind, rows: usize, columns: &[Column]) -> Builder {
        let source = columns.iter().find(|c| matches!(c, Column::Text(..)));
        match kind.is_textual() {
            _ if kind == Kind::Field => Builder { kind, inner: Inner::Field(FieldBuilder::new(source, rows)) },
            true => Builder { kind, inner: Inner::Text(Pieces::new(kind, source, rows)) },
            false => Self::new(kind, rows),
        }
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
            Inner::Field(b) => b.len(),
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
            Inner::Text(b) => b.push_null(),
            Inner::Field(b) => b.push_null(),
        }
    }

    /// Appends text to a textual column; a null to any other.
    pub fn push_text(&mut self, text: &str) {
        match &mut self.inner {
            Inner::Text(b) => b.push(b.len(), text),
            Inner::Field(b) => b.push_text(text),
            _ => self.push_null(),
        }
    }

    /// Appends a long, datetime or timespan; an int where it fits, else null.
    pub fn push_long(&mut self, value: i64) {
        match &mut self.inner {
            Inner::Long(b) => b.append_value(value),
            Inner::Int(b) => b.append_option(i32::try_from(value).ok()),
            Inner::Real(b) => b.append_value(value as f64),
            Inner::Field(b) => b.push_number(Number::Long(value)),
            _ => self.push_null(),
        }
    }

    pub fn push_real(&mut self, value: f64) {
        match &mut self.inner {
            Inner::Real(b) => b.append_value(value),
            Inner::Field(b) => b.push_number(Number::Real(value)),
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
            Value::Field(_) => match &mut self.inner {
                Inner::Field(b) => b.push(value),
                _ => self.push_null(),
            },
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
            Inner::Field(b) => b.finish(),
            Inner::Text(b) => std::mem::replace(b, Pieces::new(self.kind, None, 0)).finish(),
        }
    }

    /// A column of one value, written out for every row.
    pub fn repeat(value: &Value, rows: usize) -> Column {
        if let Value::Bool(b) = value {
            let bits = if *b { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
            return Column::Bool(BooleanArray::new(bits, None));
        }
        if let Value::Text(kind, text) = value {
            let mut pieces = Pieces::new(*kind, None, rows);
            pieces.repeat(text, rows);
            return pieces.finish();
        }
        let mut builder = Builder::new(value.kind(), rows);
        (0..rows).for_each(|_| builder.push(value));
        builder.finish()
    }
}

/// An array of optional values, without a bitmap where none is null.
pub fn numbers<P: ArrowPrimitiveType>(
    rows: usize,
    mut result: impl FnMut(usize) -> Option<P::Native>,
) -> PrimitiveArray<P> {
    let mut values: Vec<P::Native> = Vec::with_capacity(rows);
    let mut missing: Vec<usize> = Vec::new();
    wide(|| {
        values.extend((0..rows).map(|row| {
            result(row).unwrap_or_else(|| {
                missing.push(row);
                Default::default()
            })
        }));
    });
    let nulls = (!missing.is_empty()).then(|| {
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.append_n(rows, true);
        missing.iter().for_each(|row| valid.set_bit(*row, false));
        NullBuffer::new(valid.finish())
    });
    PrimitiveArray::new(ScalarBuffer::from(values), nulls)
}
