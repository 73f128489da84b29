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

pub fn has_all(column: &Column) -> bool {
    match column {
        Column::Const(value, _) => !value.is_null(),
        other => other.null_buffer().is_none_or(|nulls| nulls.null_count() == 0),
    }
}

/// The first of the columns that has a value, row by row.
pub fn first_present(columns: impl IntoIterator<Item = Column>, rows: usize) -> Column {
    let mut found: Vec<Column> = Vec::new();
    for column in columns {
        if is_absent(&column) || found.last().is_some_and(|last| is_same(last, &column)) {
            continue;
        }
        let last = has_all(&column);
        found.push(column);
        if last {
            break;
        }
    }
    let mut from_last = found.into_iter().rev();
    let Some(last) = from_last.next() else { return Column::nulls(Kind::Field, rows) };
    from_last.fold(last, |others, column| choose(Some(&present(&column)), column, others))
}

/// `yes` in the rows of a mask, `no` in the others; without a mask `yes` in all.
pub fn choose(mask: Option<&BooleanBuffer>, yes: Column, no: Column) -> Column {
    let Some(mask) = mask else { return yes };
    let rows = mask.len();
    match mask.count_set_bits() {
        _ if is_same(&yes, &no) => return yes,
        0 => return no,
        all if all == rows => return yes,
        _ => {}
    }
    if let Some(chosen) = chosen_texts(mask, &yes, &no) {
        return chosen;
    }
    let mut builder = FieldBuilder::new(Some(&no), rows);
    for row in 0..rows {
        builder.push_row(if mask.value(row) { &yes } else { &no }, row);
    }
    builder.finish()
}

/// Whether two columns hold the very same rows in the same place.
pub fn is_same(a: &Column, b: &Column) -> bool {
    let same_nulls = |a: Option<&NullBuffer>, b: Option<&NullBuffer>| match (a, b) {
        (Some(a), Some(b)) => a.buffer().as_ptr() == b.buffer().as_ptr() && a.offset() == b.offset(),
        (None, None) => true,
        _ => false,
    };
    match (a, b) {
        (Column::Const(a, _), Column::Const(b, _)) => a == b,
        (Column::Text(_, Text::Views(a)), Column::Text(_, Text::Views(b))) => {
            a.views().as_ptr() == b.views().as_ptr() && a.len() == b.len() && same_nulls(a.nulls(), b.nulls())
        }
        (Column::Text(_, Text::Dictionary(a, own)), Column::Text(_, Text::Dictionary(b, other))) => {
            own.id == other.id
                && a.values().as_ptr() == b.values().as_ptr()
                && a.len() == b.len()
                && same_nulls(a.nulls(), b.nulls())
        }
        _ => false,
    }
}

/// Texts of two columns over the buffers of both; none where one of them holds no texts.
fn chosen_texts(mask: &BooleanBuffer, yes: &Column, no: &Column) -> Option<Column> {
    let views = |column: &Column| match column {
        Column::Text(_, text) => Some(text.to_views()),
        Column::Const(crate::types::Value::Null(_), rows) => Some(StringViewArray::new_null(*rows)),
        Column::Const(value, rows) => {
            let text = value.as_text()?;
            Some(StringViewArray::from_iter_values(std::iter::repeat_n(text, *rows)))
        }
        _ => None,
    };
    let (yes, no) = (views(yes)?, views(no)?);
    let moved = (no.data_buffers().len() as u128) << 64;
    let view = |row: usize| match mask.value(row) {
        false => no.views()[row],
        true if yes.views()[row] as u32 <= 12 => yes.views()[row],
        true => yes.views()[row] + moved,
    };
    let views: Vec<u128> = (0..mask.len()).map(view).collect();
    let valid = |row: usize| if mask.value(row) { yes.is_valid(row) } else { no.is_valid(row) };
    let nulls = (yes.null_count() + no.null_count() > 0).then(|| (0..mask.len()).map(valid).collect::<NullBuffer>());
    let buffers: Vec<arrow_buffer::Buffer> =
        no.data_buffers().iter().chain(yes.data_buffers().iter()).cloned().collect();
    // SAFETY: every view is a valid one of a column, moved to where that column's buffers stand now; that of a row
    // that is null may be any.
    let views = unsafe { StringViewArray::new_unchecked(views.into(), buffers.into(), nulls) };
    Some(Column::Text(Kind::Field, Text::Views(views)))
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
