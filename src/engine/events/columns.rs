//! Field columns put together row by row.
use crate::types::field::{FieldBuilder, from_column};
use crate::types::json::to_string;
use crate::types::{Column, Dynamic, Json, Kind, Text, gather};
use arrow_array::{Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

/// Whether no row has a value.
pub fn is_absent(column: &Column) -> bool {
    match column {
        Column::Const(value, _) => value.is_null(),
        other => other.null_buffer().is_some_and(|nulls| nulls.null_count() == nulls.len()),
    }
}

fn has_all(column: &Column) -> bool {
    match column {
        Column::Const(value, _) => !value.is_null(),
        other => other.null_buffer().is_none_or(|nulls| nulls.null_count() == 0),
    }
}

/// The first of the columns that has a value, row by row.
pub fn first_present(columns: impl IntoIterator<Item = Column>, rows: usize) -> Column {
    let mut found: Vec<Column> = Vec::new();
    for column in columns {
        if is_absent(&column) {
            continue;
        }
        let last = has_all(&column);
        found.push(column);
        if last {
            break;
        }
    }
    match found.as_slice() {
        [] => Column::nulls(Kind::Field, rows),
        [_] => found.remove(0),
        [first, ..] => {
            let mut builder = FieldBuilder::new(Some(first), rows);
            for row in 0..rows {
                match found.iter().find(|column| !column.is_null(row)) {
                    Some(column) => builder.push_row(column, row),
                    None => builder.push_null(),
                }
            }
            builder.finish()
        }
    }
}

/// `yes` in the rows of a mask, `no` in the others; without a mask `yes` in all.
pub fn choose(mask: Option<&BooleanBuffer>, yes: Column, no: Column) -> Column {
    let Some(mask) = mask else { return yes };
    let rows = mask.len();
    let mut builder = FieldBuilder::new(Some(&no), rows);
    for row in 0..rows {
        builder.push_row(if mask.value(row) { &yes } else { &no }, row);
    }
    builder.finish()
}

/// Texts of which an empty one is absent.
pub fn without_empty(column: &Column) -> Column {
    let Column::Text(_, text) = column else {
        return if column.text(0) == Some("") { Column::nulls(Kind::Field, column.len()) } else { from_column(column) };
    };
    match text {
        Text::Views(views) => Column::Text(Kind::Field, Text::Views(blank_views(views))),
        Text::Dictionary(keys, dictionary) => match dictionary.values.iter().any(|value| value == Some("")) {
            false => Column::Text(Kind::Field, text.clone()),
            true => {
                let distinct = Column::Text(Kind::Field, Text::Views(blank_views(&dictionary.values)));
                let rows: arrow_array::UInt32Array = keys.iter().map(|key| key.map(|key| key as u32)).collect();
                gather::take_or_null(&distinct, &rows)
            }
        },
    }
}

fn blank_views(views: &StringViewArray) -> StringViewArray {
    // A view's lowest 32 bits are its length.
    if views.null_count() == 0 && views.views().iter().all(|view| *view as u32 != 0) {
        return views.clone();
    }
    let valid: NullBuffer = (0..views.len()).map(|row| views.is_valid(row) && views.views()[row] as u32 != 0).collect();
    gather::with_nulls(views.clone(), Some(&valid).filter(|nulls| nulls.null_count() > 0))
}

/// The values that a column of objects and arrays has under its own name: numbers and texts, and arrays of those.
pub fn scalars(column: &Column) -> Column {
    let mut builder = FieldBuilder::new(Some(column), column.len());
    for row in 0..column.len() {
        let Some(value) = Dynamic::of(column, row) else {
            builder.push_null();
            continue;
        };
        let json = value.to_json();
        let nests = |json: &Json| matches!(json.text().as_bytes().first(), Some(b'{' | b'['));
        match json.as_bytes().first() {
            Some(b'{') => builder.push_null(),
            Some(b'[') if Json::new(&json).elements().any(|element| nests(&element)) => builder.push_null(),
            Some(b'[') => {
                let elements = Json::new(&json).elements().filter(|element| element.text() != "null");
                builder.push_several(elements.map(|element| to_string(element.text()).into_owned()));
            }
            _ => builder.push(&crate::types::field::from_value(&column.value(row))),
        }
    }
    builder.finish()
}

/// The rows of a Boolean column that are true; none for all.
pub fn mask(column: &Column) -> BooleanBuffer {
    match column {
        Column::Const(value, rows) => match value.as_bool() == Some(true) {
            true => BooleanBuffer::new_set(*rows),
            false => BooleanBuffer::new_unset(*rows),
        },
        Column::Bool(bits) => match bits.nulls() {
            Some(nulls) => bits.values() & nulls.inner(),
            None => bits.values().clone(),
        },
        other => BooleanBuffer::new_unset(other.len()),
    }
}

/// The rows that have a value.
pub fn present(column: &Column) -> BooleanBuffer {
    match column.null_buffer() {
        Some(nulls) => nulls.into_inner(),
        None => BooleanBuffer::new_set(column.len()),
    }
}

/// The part of a text between delimiters, without the blanks and the quotes around it. Delimiters in quotes part
/// nothing.
pub fn part<'t>(text: &'t str, delimiters: &[char], at: usize) -> Option<&'t str> {
    let mut quoted = false;
    let mut parts = text.split(|c: char| {
        quoted ^= c == '"';
        !quoted && delimiters.contains(&c)
    });
    let part = parts.nth(at)?.trim();
    Some(part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_delimiters() {
        let text = r#"a, "b,c" ,,"d" e"#;
        let parts: Vec<_> = (0..5).map(|at| part(text, &[','], at)).collect();
        assert_eq!(parts, [Some("a"), Some("b,c"), Some(""), Some(r#""d" e"#), None]);
    }
}
