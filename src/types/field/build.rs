//! Building a field column value by value, in the plainest form that holds all of them.
use super::{Field, FieldValue, Number, text, values};
use crate::types::{Column, Kind, List, Pieces, Text, Value};
use arrow_array::StringViewArray;
use arrow_array::builder::{Float64Builder, Int64Builder};
use arrow_buffer::NullBuffer;
use std::sync::Arc;

/// Builds a field column. It holds whole numbers until a fraction comes, numbers until a text comes, and one
/// value a row until a row has several.
pub struct FieldBuilder {
    /// A column that texts are likely to be parts of.
    source: Option<Column>,
    room: usize,
    form: Form,
}

enum Form {
    /// So many rows, all absent.
    Absent(usize),
    Long(Int64Builder),
    Real(Float64Builder),
    Text(Pieces),
    Several(Lists),
}

/// Several texts a row; a row without any is absent.
struct Lists {
    items: Pieces,
    offsets: Vec<u32>,
}

impl Lists {
    fn end_row(&mut self) {
        self.offsets.push(self.items.len() as u32);
    }

    fn push_item(&mut self, text: &str) {
        // A list's items stand in no row of a source.
        self.items.push(usize::MAX, text);
    }
}

impl FieldBuilder {
    pub fn new(source: Option<&Column>, room: usize) -> FieldBuilder {
        FieldBuilder { source: source.cloned(), room, form: Form::Absent(0) }
    }

    pub fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder;
        match &self.form {
            Form::Absent(rows) => *rows,
            Form::Long(b) => b.len(),
            Form::Real(b) => b.len(),
            Form::Text(b) => b.len(),
            Form::Several(lists) => lists.offsets.len().saturating_sub(1),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push_null(&mut self) {
        match &mut self.form {
            Form::Absent(rows) => *rows += 1,
            Form::Long(b) => b.append_null(),
            Form::Real(b) => b.append_null(),
            Form::Text(b) => b.push_null(),
            Form::Several(lists) => lists.end_row(),
        }
    }

    pub fn push_number(&mut self, number: Number) {
        match (&mut self.form, number) {
            (Form::Absent(rows), Number::Long(long)) => {
                let mut longs = Int64Builder::with_capacity(self.room);
                longs.append_nulls(*rows);
                longs.append_value(long);
                self.form = Form::Long(longs);
            }
            (Form::Absent(rows), Number::Real(real)) => {
                let mut reals = Float64Builder::with_capacity(self.room);
                reals.append_nulls(*rows);
                reals.append_value(real);
                self.form = Form::Real(reals);
            }
            (Form::Long(b), Number::Long(long)) => b.append_value(long),
            (Form::Real(b), number) if number.is_exact() => b.append_value(number.real()),
            (Form::Long(b), Number::Real(_)) if b.values_slice().iter().all(|long| Number::Long(*long).is_exact()) => {
                let longs = b.finish();
                let mut reals = Float64Builder::with_capacity(self.room.max(longs.len() + 1));
                longs.iter().for_each(|long| reals.append_option(long.map(|long| long as f64)));
                self.form = Form::Real(reals);
                self.push_number(number);
            }
            _ => self.push_text(&number.text()),
        }
    }

    pub fn push_text(&mut self, text: &str) {
        match &mut self.form {
            Form::Text(b) => b.push(b.len(), text),
            Form::Several(lists) => {
                lists.push_item(text);
                lists.end_row();
            }
            _ => {
                self.as_texts();
                self.push_text(text);
            }
        }
    }

    /// Appends one row of these texts: absent for none.
    pub fn push_several<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        let mut texts = texts.into_iter();
        let Some(first) = texts.next() else { return self.push_null() };
        let Some(second) = texts.next() else { return self.push_text(first.as_ref()) };
        if !matches!(self.form, Form::Several(_)) {
            self.as_lists();
        }
        if let Form::Several(lists) = &mut self.form {
            lists.push_item(first.as_ref());
            lists.push_item(second.as_ref());
            texts.for_each(|text| lists.push_item(text.as_ref()));
            lists.end_row();
        }
    }

    /// Appends a value of the kind field, a number or a text; any other as null.
    pub fn push(&mut self, value: &Value) {
        match value {
            Value::Text(_, text) => self.push_text(text),
            Value::Field(FieldValue::Several(texts)) => self.push_several(texts.iter()),
            Value::Field(FieldValue::Long(long)) | Value::Long(long) => self.push_number(Number::Long(*long)),
            Value::Field(FieldValue::Real(real)) | Value::Real(real) => self.push_number(Number::Real(*real)),
            Value::Int(int) => self.push_number(Number::Long(i64::from(*int))),
            _ => self.push_null(),
        }
    }

    /// Appends a row of a column.
    pub fn push_row(&mut self, column: &Column, row: usize) {
        match column {
            Column::Field(Field::Several(list)) if list.range(row).len() > 1 => {
                self.push_several(values(column, row));
            }
            _ => match column.text(row) {
                Some(text) => self.push_text(text),
                None => self.push(&column.value(row)),
            },
        }
    }

    /// The rows so far as texts.
    fn as_texts(&mut self) {
        let mut pieces = Pieces::new(Kind::Field, self.source.as_ref(), self.room);
        match &self.form {
            Form::Absent(rows) => (0..*rows).for_each(|_| pieces.push_null()),
            _ => {
                let column = std::mem::replace(&mut self.form, Form::Absent(0)).finish();
                (0..column.len()).for_each(|row| match text(&column, row) {
                    Some(text) => pieces.push(usize::MAX, &text),
                    None => pieces.push_null(),
                });
            }
        }
        self.form = Form::Text(pieces);
    }

    /// The rows so far as lists of texts.
    fn as_lists(&mut self) {
        let column = std::mem::replace(&mut self.form, Form::Absent(0)).finish();
        let items = Pieces::new(Kind::Field, None, self.room);
        let mut lists = Lists { items, offsets: Vec::with_capacity(self.room + 1) };
        lists.offsets.push(0);
        for row in 0..column.len() {
            if let Some(text) = text(&column, row) {
                lists.push_item(&text);
            }
            lists.end_row();
        }
        self.form = Form::Several(lists);
    }

    pub fn finish(&mut self) -> Column {
        std::mem::replace(&mut self.form, Form::Absent(0)).finish()
    }
}

impl Form {
    fn finish(self) -> Column {
        match self {
            Form::Absent(rows) => Column::Text(Kind::Field, Text::Views(StringViewArray::new_null(rows))),
            Form::Long(mut b) => Column::Field(Field::Long(b.finish())),
            Form::Real(mut b) => Column::Field(Field::Real(b.finish())),
            Form::Text(b) => b.finish(),
            Form::Several(lists) => {
                let present = lists.offsets.windows(2).map(|pair| pair[0] < pair[1]);
                let nulls = Some(present.collect::<NullBuffer>()).filter(|nulls| nulls.null_count() > 0);
                let items = Arc::new(lists.items.finish());
                Column::Field(Field::Several(List { offsets: lists.offsets.into(), nulls, items }))
            }
        }
    }
}
