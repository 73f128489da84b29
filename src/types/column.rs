//! A column of a batch: values of one kind, or one value standing for every row.
use super::{Builder, Field, Kind, List, Text, Value, json, number};
use arrow_array::{Array, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray};
use arrow_buffer::NullBuffer;

/// Values of one kind. Datetimes and timespans are ticks of 100 ns.
#[derive(Clone, Debug)]
pub enum Column {
    Const(Value, usize),
    Bool(BooleanArray),
    Int(Int32Array),
    Long(Int64Array),
    Real(Float64Array),
    DateTime(Int64Array),
    TimeSpan(Int64Array),
    /// Decimal, string, guid; dynamic as JSON text; fields of one text each.
    Text(Kind, Text),
    /// Dynamic as typed lists.
    List(List),
    /// Fields that are numbers, or several texts each.
    Field(Field),
}

impl Column {
    pub fn strings(views: StringViewArray) -> Column {
        Column::Text(Kind::String, Text::Views(views))
    }

    pub fn nulls(kind: Kind, rows: usize) -> Column {
        Column::Const(Value::null(kind), rows)
    }

    /// A column of `kind` from values of that kind (nulls included).
    pub fn from_values<'a>(kind: Kind, values: impl IntoIterator<Item = &'a Value>) -> Column {
        let mut builder = Builder::new(kind, 0);
        values.into_iter().for_each(|v| builder.push(v));
        builder.finish()
    }

    pub fn kind(&self) -> Kind {
        match self {
            Column::Const(value, _) => value.kind(),
            Column::Bool(_) => Kind::Bool,
            Column::Int(_) => Kind::Int,
            Column::Long(_) => Kind::Long,
            Column::Real(_) => Kind::Real,
            Column::DateTime(_) => Kind::DateTime,
            Column::TimeSpan(_) => Kind::TimeSpan,
            Column::Text(kind, _) => *kind,
            Column::List(_) => Kind::Dynamic,
            Column::Field(_) => Kind::Field,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Const(_, rows) => *rows,
            Column::Bool(a) => a.len(),
            Column::Int(a) => a.len(),
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => a.len(),
            Column::Real(a) => a.len(),
            Column::Text(_, text) => text.len(),
            Column::List(list) => list.len(),
            Column::Field(field) => field.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_const(&self) -> bool {
        matches!(self, Column::Const(..))
    }

    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Const(value, _) => value.is_null(),
            Column::Bool(a) => a.is_null(row),
            Column::Int(a) => a.is_null(row),
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => a.is_null(row),
            Column::Real(a) => a.is_null(row),
            Column::Text(_, text) => text.is_null(row),
            Column::List(list) => list.is_null(row),
            Column::Field(field) => field.is_null(row),
        }
    }

    /// Which rows are null; none where no row is.
    pub fn null_buffer(&self) -> Option<NullBuffer> {
        match self {
            Column::Const(value, rows) => value.is_null().then(|| NullBuffer::new_null(*rows)),
            Column::Bool(a) => a.nulls().cloned(),
            Column::Int(a) => a.nulls().cloned(),
            Column::Long(a) | Column::DateTime(a) | Column::TimeSpan(a) => a.nulls().cloned(),
            Column::Real(a) => a.nulls().cloned(),
            Column::Text(_, Text::Views(views)) => views.nulls().cloned(),
            Column::Text(_, Text::Dictionary(keys, _)) => keys.nulls().cloned(),
            Column::List(list) => list.nulls.clone(),
            Column::Field(field) => field.nulls(),
        }
    }

    pub fn value(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::null(self.kind());
        }
        match self {
            Column::Const(value, _) => value.clone(),
            Column::Bool(a) => Value::Bool(a.value(row)),
            Column::Int(a) => Value::Int(a.value(row)),
            Column::Long(a) => Value::Long(a.value(row)),
            Column::Real(a) => Value::Real(a.value(row)),
            Column::DateTime(a) => Value::DateTime(a.value(row)),
            Column::TimeSpan(a) => Value::TimeSpan(a.value(row)),
            Column::Text(kind, text) => Value::Text(*kind, text.value(row).into()),
            Column::List(list) => Value::dynamic(list.json(row)),
            Column::Field(field) => field.value(row),
        }
    }

    /// Appends the JSON of a row, as [`Value::to_json`] writes it.
    pub fn write_json(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            return out.push_str("null");
        }
        match self {
            Column::Long(a) => number::write_long(a.value(row), out),
            Column::Real(a) => number::write_json_real(a.value(row), out),
            Column::Text(Kind::String | Kind::Field, text) => json::quote(text.value(row), out),
            Column::Text(Kind::Dynamic, text) => out.push_str(text.value(row)),
            Column::List(list) => list.write_json(row, out),
            other => out.push_str(&other.value(row).to_json()),
        }
    }

    /// The same values as dynamics: numbers as they are written in JSON, texts in quotes.
    pub fn in_dynamic(&self) -> Column {
        match self {
            Column::Long(_) => super::convert::lenient(self, Kind::Dynamic),
            _ => Column::write_text(Kind::Dynamic, self.len(), |row, out| {
                let present = !self.is_null(row);
                if present {
                    self.write_json(row, out);
                }
                present
            }),
        }
    }

    /// The rows as an iterator of values.
    pub fn values(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).map(|row| self.value(row))
    }

    /// The text of a row of a textual column, none where it is null, of another kind, or a field's number or
    /// several texts.
    #[inline]
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Column::Const(value, _) => value.as_text(),
            Column::Text(_, text) => text.get(row),
            _ => None,
        }
    }

    /// The same column with its one value written out for every row; others unchanged.
    pub fn materialized(self) -> Column {
        match self {
            Column::Const(value, rows) => Builder::repeat(&value, rows),
            other => other,
        }
    }

    /// Dynamic lists written as JSON text; others unchanged.
    pub fn without_lists(self) -> Column {
        match self {
            Column::List(list) => Column::write_text(Kind::Dynamic, list.len(), |row, out| {
                if !list.is_null(row) {
                    list.write_json(row, out);
                }
                !list.is_null(row)
            }),
            other => other,
        }
    }
}
