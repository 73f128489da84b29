//! Texts as the numbers of their characters.
use super::Context;
use super::row::{AnyText, JsonOut, each};
use crate::diagnostic::Result;
use crate::types::{Column, Dynamic, Json, Kind, Value, json};

fn code_points(text: &str) -> String {
    let mut writer = json::Writer::with_capacity(text.len() * 4);
    writer.begin_array();
    text.chars().for_each(|c| {
        writer.long(i64::from(u32::from(c)));
    });
    writer.end_array();
    writer.finish()
}

/// Code points, one by one or in arrays, as a text; what is no code point is left out.
fn from_code_points(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let character = |point: i64| u32::try_from(point).ok().and_then(char::from_u32);
    each(Kind::String, args, rows, |row, out| {
        let mut text = String::new();
        for column in args {
            match Dynamic::of(column, row) {
                Some(Dynamic::Json(json)) if !json.starts_with('[') => {
                    text.extend(Json::new(json).as_i64().and_then(character));
                }
                Some(array) => {
                    let points = array.elements().unwrap_or_default();
                    text.extend(points.iter().filter_map(Value::as_long).filter_map(character));
                }
                None => text.extend(column.value(row).as_long().and_then(character)),
            }
        }
        out.push_text(&text);
        Ok(())
    })
}

crate::scalars! {
    /// The code points of a text, as an array of longs.
    ///
    /// Source: unicode-codepoints-from-string-function.
    ///
    /// ```kql
    /// unicode_codepoints_from_string("Kusto") // [75,117,115,116,111]
    /// ```
    kql fn unicode_codepoints_from_string as [to_utf8, toutf8](value: AnyText) -> JsonOut {
        JsonOut(code_points(&value))
    }
}

crate::kernels! {
    /// The text of code points, given one by one or in arrays.
    ///
    /// Source: unicode-codepoints-to-string-function.
    ///
    /// ```kql
    /// unicode_codepoints_to_string(75, 117, 115, 116, 111) // Kusto
    /// unicode_codepoints_to_string(dynamic([75, 117, 115]), 116, 111) // Kusto
    /// ```
    kql fn unicode_codepoints_to_string as [make_string] (point[repeats]: Any) -> Kind(Kind::String) = from_code_points;
}
