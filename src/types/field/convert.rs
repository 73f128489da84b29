//! Fields of other columns, columns behind each other whatever holds them, and tables that leave an SPL plan.
use super::{Field, FieldBuilder, Number, text, values};
use crate::types::{Chunk, Column, Dynamic, Json, Kind, List, Schema, Stored, Table, Text, Value, gather, json};
use arrow_array::{Array, Float64Array, Int64Array, StringViewArray};
use arrow_buffer::NullBuffer;
use std::sync::Arc;

const TICKS_PER_SECOND: i64 = 10_000_000;

/// A column of any kind as fields: numbers stay numbers, times and timespans are seconds, arrays have several
/// values, an object is its JSON text.
pub fn from_column(column: &Column) -> Column {
    match column {
        Column::Field(_) => column.clone(),
        Column::Const(value, rows) => Column::Const(from_value(value), *rows),
        Column::Text(Kind::Dynamic, Text::Dictionary(keys, dictionary)) => {
            let distinct = Column::Text(Kind::Dynamic, Text::Views(dictionary.values.clone()));
            let rows: arrow_array::UInt32Array = keys.iter().map(|key| key.map(|key| key as u32)).collect();
            gather::take_or_null(&from_column(&distinct), &rows)
        }
        Column::Text(Kind::Dynamic, _) | Column::List(_) => row_by_row(column),
        Column::Text(_, text) => Column::Text(Kind::Field, text.clone()),
        Column::Long(array) => Column::Field(Field::Long(array.clone())),
        Column::Real(array) => Column::Field(Field::Real(array.clone())),
        Column::Int(array) => Column::Field(Field::Long(array.unary(i64::from))),
        Column::DateTime(array) | Column::TimeSpan(array) => Column::Field(in_seconds(array)),
        Column::Bool(_) => row_by_row(column),
    }
}

fn row_by_row(column: &Column) -> Column {
    let mut builder = FieldBuilder::new(Some(column), column.len());
    for row in 0..column.len() {
        match column.is_null(row) {
            true => builder.push_null(),
            false => builder.push(&from_value(&column.value(row))),
        }
    }
    builder.finish()
}

/// A value of any kind as a field's.
pub fn from_value(value: &Value) -> Value {
    match value {
        Value::Null(_) => Value::Null(Kind::Field),
        Value::Field(_) | Value::Text(Kind::Field, _) => value.clone(),
        Value::Text(Kind::Dynamic, text) => from_json(text),
        Value::Text(_, text) => Value::Text(Kind::Field, text.clone()),
        Value::Bool(_) => Value::Text(Kind::Field, value.to_text().into()),
        Value::Int(int) => Number::Long(i64::from(*int)).into(),
        Value::Long(long) => Number::Long(*long).into(),
        Value::Real(real) => Number::Real(*real).into(),
        Value::DateTime(ticks) | Value::TimeSpan(ticks) => seconds(*ticks).into(),
    }
}

fn seconds(ticks: i64) -> Number {
    match ticks % TICKS_PER_SECOND {
        0 => Number::Long(ticks / TICKS_PER_SECOND),
        _ => Number::Real(ticks as f64 / TICKS_PER_SECOND as f64),
    }
}

/// Ticks as seconds: whole numbers where no row has a part of one.
fn in_seconds(array: &Int64Array) -> Field {
    let is_whole = |row: usize| array.is_null(row) || array.value(row) % TICKS_PER_SECOND == 0;
    match (0..array.len()).all(is_whole) {
        true => Field::Long(array.unary(|ticks| ticks / TICKS_PER_SECOND)),
        false => Field::Real(array.unary(|ticks| ticks as f64 / TICKS_PER_SECOND as f64)),
    }
}

/// A dynamic value: its elements, its text, its number, or the JSON text of an object.
fn from_json(text: &Arc<str>) -> Value {
    let value = Dynamic::Json(text);
    match value {
        _ if value.is_array() => {
            let elements = Json::new(text).elements().filter(|element| element.text() != "null");
            Value::field(elements.map(|element| json::to_string(element.text()).into_owned()))
        }
        _ if value.is_bag() => Value::Text(Kind::Field, text.clone()),
        _ => match json::scalar(text) {
            Value::Text(..) => Value::Text(Kind::Field, json::to_string(text).as_ref().into()),
            scalar => from_value(&scalar),
        },
    }
}

/// How the rows of a column are held, from the plainest form to the one that holds any row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Absent,
    Long,
    Real,
    Text,
    Several,
}

fn form(column: &Column) -> Form {
    match column {
        Column::Const(Value::Null(_), _) => Form::Absent,
        Column::Text(_, text) if text.null_count() == text.len() => Form::Absent,
        Column::Const(Value::Field(super::FieldValue::Several(_)), _) | Column::Field(Field::Several(_)) => {
            Form::Several
        }
        Column::Const(Value::Field(super::FieldValue::Long(_)), _) | Column::Field(Field::Long(_)) => Form::Long,
        Column::Const(Value::Field(super::FieldValue::Real(_)), _) | Column::Field(Field::Real(_)) => Form::Real,
        _ => Form::Text,
    }
}

/// The form that holds all of some columns.
fn common<'a>(columns: impl Iterator<Item = &'a Column> + Clone) -> Form {
    let widest = columns.clone().map(form).max().unwrap_or(Form::Absent);
    let exact = |column: &Column| match column {
        Column::Const(Value::Field(value), _) => value.number().is_none_or(Number::is_exact),
        Column::Field(Field::Long(array)) => array.iter().flatten().all(|long| Number::Long(long).is_exact()),
        _ => true,
    };
    // A whole number that no real holds would become another one.
    if widest == Form::Real && !columns.clone().all(exact) { Form::Text } else { widest }
}

/// Field columns behind each other, whatever holds them.
pub fn concat(columns: &[Column]) -> Column {
    let form = common(columns.iter());
    let parts: Vec<Column> = columns.iter().map(|column| held_as(column, form)).collect();
    fn join<T: Array + Clone + 'static>(arrays: &[&dyn Array]) -> Option<T> {
        arrow_select::concat::concat(arrays).ok()?.as_any().downcast_ref::<T>().cloned()
    }
    let arrays: Vec<&dyn Array> = parts
        .iter()
        .filter_map(|part| match part {
            Column::Field(Field::Long(array)) => Some(array as &dyn Array),
            Column::Field(Field::Real(array)) => Some(array as &dyn Array),
            _ => None,
        })
        .collect();
    let joined = match form {
        Form::Long => join::<Int64Array>(&arrays).map(|array| Column::Field(Field::Long(array))),
        Form::Real => join::<Float64Array>(&arrays).map(|array| Column::Field(Field::Real(array))),
        Form::Absent | Form::Text => gather::concat(&parts),
        Form::Several => {
            let lists = parts.into_iter().filter_map(|part| match part {
                Column::Field(Field::Several(list)) => Some(Column::List(list)),
                _ => None,
            });
            match gather::concat(&lists.collect::<Vec<_>>()) {
                Some(Column::List(list)) => Some(Column::Field(Field::Several(list))),
                _ => None,
            }
        }
    };
    joined.unwrap_or_else(|| Column::nulls(Kind::Field, columns.iter().map(Column::len).sum()))
}

/// A column in a form that holds it, written out.
fn held_as(column: &Column, wanted: Form) -> Column {
    let rows = column.len();
    match wanted {
        Form::Long => Column::Field(Field::Long(match column {
            Column::Field(Field::Long(array)) => array.clone(),
            Column::Const(value, _) => {
                value.as_long().map_or_else(|| Int64Array::new_null(rows), |long| Int64Array::from_value(long, rows))
            }
            _ => Int64Array::new_null(rows),
        })),
        Form::Real => Column::Field(Field::Real(match column {
            Column::Field(Field::Real(array)) => array.clone(),
            Column::Field(Field::Long(array)) => array.unary(|long| long as f64),
            Column::Const(value, _) => value
                .as_real()
                .map_or_else(|| Float64Array::new_null(rows), |real| Float64Array::from_value(real, rows)),
            _ => Float64Array::new_null(rows),
        })),
        Form::Absent => Column::Text(Kind::Field, Text::Views(StringViewArray::new_null(rows))),
        Form::Text => match column {
            Column::Field(field) => Column::Text(Kind::Field, Text::Views(field.texts())),
            Column::Const(value, _) if !value.is_null() => {
                let text = text(column, 0).unwrap_or_default();
                crate::types::Builder::repeat(&Value::Text(Kind::Field, text.as_ref().into()), rows)
            }
            other => other.clone().materialized(),
        },
        Form::Several => Column::Field(Field::Several(match column {
            Column::Field(Field::Several(list)) => list.clone(),
            other => in_lists(other),
        })),
    }
}

/// A list of the texts of each row.
fn in_lists(column: &Column) -> List {
    let mut items = crate::types::Pieces::new(Kind::Field, None, column.len());
    let mut offsets = Vec::with_capacity(column.len() + 1);
    offsets.push(0u32);
    for row in 0..column.len() {
        values(column, row).for_each(|text| items.push(usize::MAX, &text));
        offsets.push(items.len() as u32);
    }
    list(offsets, items.finish())
}

/// Rows of texts between places; a row without a text is absent.
fn list(offsets: Vec<u32>, items: Column) -> List {
    let nulls = offsets.windows(2).map(|pair| pair[0] < pair[1]).collect::<NullBuffer>();
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    List { offsets: offsets.into(), nulls, items: Arc::new(items) }
}

/// A field whose row `i` has the values `items[offsets[i]..offsets[i + 1]]`.
pub fn lists(offsets: Vec<u32>, items: Column) -> Column {
    let several = offsets.windows(2).any(|pair| pair[1] - pair[0] > 1);
    if several {
        return Column::Field(Field::Several(list(offsets, held_as(&items, Form::Text))));
    }
    let item = |pair: &[u32]| (pair[0] < pair[1]).then_some(pair[0]);
    let rows: arrow_array::UInt32Array = offsets.windows(2).map(item).collect();
    gather::take_or_null(&items, &rows)
}

/// The table with every field column as the kind of what it holds: long, real, dynamic where a row has several
/// values. Texts stay fields, of which a row may be absent.
pub fn settle(table: &Table) -> Table {
    let mut schema = Schema::default();
    let mut columns: Vec<Vec<Stored>> = Vec::new();
    for (at, (name, kind)) in table.schema().columns().iter().enumerate() {
        let loaded: Vec<Column> = match kind {
            Kind::Field => table.chunks().iter().map(|chunk| chunk.load(at, *kind, None)).collect(),
            _ => Vec::new(),
        };
        let form = common(loaded.iter());
        let plain = |column: &Column| match held_as(column, form) {
            Column::Field(Field::Long(array)) => Column::Long(array),
            Column::Field(Field::Real(array)) => Column::Real(array),
            Column::Field(Field::Several(list)) => dynamics(&list),
            texts => texts,
        };
        schema.set(
            name.clone(),
            match (kind, form) {
                (Kind::Field, Form::Long) => Kind::Long,
                (Kind::Field, Form::Real) => Kind::Real,
                (Kind::Field, Form::Several) => Kind::Dynamic,
                (kind, _) => *kind,
            },
        );
        columns.push(match kind {
            Kind::Field => loaded.iter().map(|column| Stored::Column(plain(column))).collect(),
            _ => table.chunks().iter().map(|chunk| chunk.columns.get(at).cloned().unwrap_or(Stored::Absent)).collect(),
        });
    }
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let chunks = table.chunks().iter().map(|chunk| {
        let columns = columns.iter_mut().map(|column| column.next().unwrap_or(Stored::Absent)).collect();
        Chunk { rows: chunk.rows, columns }
    });
    let chunks = chunks.collect();
    Table::new(schema, chunks).with_problems(table.problems().to_vec())
}

/// Several texts as an array, one as itself.
fn dynamics(list: &List) -> Column {
    Column::write_text(Kind::Dynamic, list.len(), |row, out| {
        let range = list.range(row);
        if list.is_null(row) || range.is_empty() {
            return false;
        }
        if range.len() == 1 {
            json::quote(list.items.text(range.start).unwrap_or_default(), out);
            return true;
        }
        for (at, item) in range.enumerate() {
            out.push(if at == 0 { '[' } else { ',' });
            json::quote(list.items.text(item).unwrap_or_default(), out);
        }
        out.push(']');
        true
    })
}
