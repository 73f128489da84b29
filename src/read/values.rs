//! Cells as values of a kind: the conversions of every text format, in one place.
use super::cell::{Bytes, Cell, Form};
use crate::types::{Builder, Column, Kind, Text, Value, convert, datetime, gather, json, number};
use arrow_array::StringViewArray;
use arrow_buffer::{NullBuffer, ScalarBuffer};

/// What is wrong with a cell that has no value of its column's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It is no value of the kind, and null.
    Kind,
    /// Its bytes are no UTF-8, and were replaced.
    Encoding,
}

/// The column of cells as a kind; `misfit` is told of cells by their position that do not fit.
pub fn column(
    bytes: &Bytes<'_>,
    kind: Kind,
    cells: impl Iterator<Item = Cell>,
    mut misfit: impl FnMut(usize, Misfit),
) -> Column {
    match kind {
        Kind::String => texts(bytes, cells, &mut misfit),
        Kind::Field => fields(bytes, cells, &mut misfit),
        Kind::DateTime => datetimes(bytes, cells, &mut misfit),
        _ => others(bytes, kind, cells, &mut misfit),
    }
}

/// Texts of which one that is not there is null. A format that knows only text has no empty ones.
fn fields(bytes: &Bytes<'_>, cells: impl Iterator<Item = Cell>, misfit: &mut impl FnMut(usize, Misfit)) -> Column {
    let mut valid: Vec<bool> = Vec::with_capacity(cells.size_hint().0);
    let is_text = |cell: &Cell| matches!(cell.form, Form::Text | Form::JsonEscaped | Form::Container);
    let noted = cells.inspect(|cell| valid.push(is_text(cell) || !cell.is_empty()));
    let views = written(bytes, noted, misfit);
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    Column::Text(Kind::Field, Text::Views(gather::with_nulls(views, nulls.as_ref())))
}

fn texts(bytes: &Bytes<'_>, cells: impl Iterator<Item = Cell>, misfit: &mut impl FnMut(usize, Misfit)) -> Column {
    Column::strings(written(bytes, cells, misfit))
}

fn written(
    bytes: &Bytes<'_>,
    cells: impl Iterator<Item = Cell>,
    misfit: &mut impl FnMut(usize, Misfit),
) -> StringViewArray {
    let mut writer = TextWriter::default();
    writer.views.reserve(cells.size_hint().0);
    for (at, cell) in cells.enumerate() {
        match cell.form {
            Form::Text | Form::Bare | Form::Scalar if !cell.wide => writer.push_ascii(bytes, cell),
            Form::Absent | Form::Null => writer.push(""),
            Form::Ticks => writer.push(&datetime::format(cell.as_ticks())),
            _ => {
                if bytes.is_broken(cell) {
                    misfit(at, Misfit::Encoding);
                }
                writer.push(&bytes.text(cell));
            }
        }
    }
    writer.finish()
}

fn datetimes(bytes: &Bytes<'_>, cells: impl Iterator<Item = Cell>, misfit: &mut impl FnMut(usize, Misfit)) -> Column {
    let mut values: Vec<i64> = Vec::with_capacity(cells.size_hint().0);
    let mut valid: Vec<bool> = Vec::new();
    for (at, cell) in cells.enumerate() {
        let ticks = ticks(bytes, cell);
        if ticks.is_none() {
            valid.resize(values.len(), true);
            valid.push(false);
            if !is_blank(bytes, cell) {
                misfit(at, Misfit::Kind);
            }
        } else if !valid.is_empty() {
            valid.push(true);
        }
        values.push(ticks.unwrap_or_default());
    }
    let nulls = (!valid.is_empty()).then(|| NullBuffer::from(valid));
    Column::DateTime(arrow_array::Int64Array::new(ScalarBuffer::from(values), nulls))
}

fn others(
    bytes: &Bytes<'_>,
    kind: Kind,
    cells: impl Iterator<Item = Cell>,
    misfit: &mut impl FnMut(usize, Misfit),
) -> Column {
    let mut builder = Builder::new(kind, cells.size_hint().0);
    for (at, cell) in cells.enumerate() {
        if let (Kind::Long | Kind::Int, Some(long)) = (kind, short_integer(bytes.raw(cell), cell)) {
            builder.push_long(long);
            continue;
        }
        let value = value(bytes, cell, kind);
        if value.is_null() && !is_blank(bytes, cell) {
            misfit(at, Misfit::Kind);
        }
        builder.push(&value);
    }
    builder.finish()
}

/// An integer that fits every integer kind, read without a text being made.
fn short_integer(raw: &[u8], cell: Cell) -> Option<i64> {
    let plain = matches!(cell.form, Form::Text | Form::Bare | Form::Scalar) && (1..=9).contains(&raw.len());
    if !plain {
        return None;
    }
    raw.iter().try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// A cell without a value: absent, null, empty, or the dash of a log that has no value there.
fn is_blank(bytes: &Bytes<'_>, cell: Cell) -> bool {
    let raw = bytes.raw(cell).trim_ascii();
    match cell.form {
        Form::Absent | Form::Null => true,
        Form::Ticks => false,
        _ => matches!(raw, b"" | b"-") || raw.eq_ignore_ascii_case(b"null"),
    }
}

/// The datetime of a cell; a number is seconds since 1970, or the finer unit that its size tells.
#[inline]
pub fn ticks(bytes: &Bytes<'_>, cell: Cell) -> Option<i64> {
    match cell.form {
        Form::Ticks => Some(cell.as_ticks()),
        Form::Absent | Form::Null | Form::Container => None,
        Form::Text | Form::Bare if !cell.wide => text_ticks(&bytes.written(cell)),
        _ => text_ticks(&bytes.text(cell)),
    }
}

/// The datetime that a text of a log states.
#[inline]
pub fn text_ticks(text: &str) -> Option<i64> {
    datetime::parse(text).or_else(|| other_time(text))
}

/// Times that logs write and Kusto's `todatetime` does not read: epochs, and the forms of [`named_month`].
fn other_time(text: &str) -> Option<i64> {
    let text = text.trim();
    epoch(text).or_else(|| named_month(text))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size.
fn epoch(text: &str) -> Option<i64> {
    let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if !(9..=20).contains(&text.len()) || !text.bytes().all(numeric) {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    // The last second of eleven digits is in the year 5138.
    let (ticks_per_unit, divisor) = match whole.checked_ilog10().unwrap_or_default() {
        0..=10 => (datetime::TICKS_PER_SECOND, 1),
        11..=13 => (datetime::TICKS_PER_MILLISECOND, 1),
        14..=16 => (datetime::TICKS_PER_MICROSECOND, 1),
        _ => (1, 100),
    };
    let rest = fraction.bytes().try_fold((0_i64, ticks_per_unit), |(sum, unit), digit| {
        digit.is_ascii_digit().then(|| (sum + i64::from(digit - b'0') * (unit / 10), unit / 10))
    })?;
    datetime::checked(whole.checked_mul(ticks_per_unit)? / divisor + rest.0)
}

/// `Fri May 31 17:35:42 2019` and `31/May/2019:17:35:42 +0000`.
fn named_month(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [_, month, day, time, year] = words.as_slice() {
        return datetime::parse(&format!("{day} {month} {year} {time}"));
    }
    if let [month, day, time, year] = words.as_slice()
        && year.len() == 4
    {
        return datetime::parse(&format!("{day} {month} {year} {time}"));
    }
    let (date, time) = text.split_once(':')?;
    let date = date.contains('/').then(|| date.replace('/', " "))?;
    datetime::parse(&format!("{date} {time}"))
}

/// A cell as a value of any kind; null where it has none.
pub fn value(bytes: &Bytes<'_>, cell: Cell, kind: Kind) -> Value {
    match (cell.form, kind) {
        (Form::Absent | Form::Null, _) => Value::null(kind),
        (_, Kind::DateTime) => ticks(bytes, cell).map_or(Value::Null(kind), Value::DateTime),
        (Form::Ticks, _) => convert::value_to(&Value::DateTime(cell.as_ticks()), kind),
        (_, Kind::Dynamic) => dynamic(bytes, cell),
        (_, Kind::String) => Value::string(bytes.text(cell)),
        (Form::Container, _) => Value::Null(kind),
        (_, Kind::Int | Kind::Long) => whole_number(&bytes.text(cell), kind),
        _ => convert::value_to(&Value::string(bytes.text(cell)), kind),
    }
}

fn whole_number(text: &str, kind: Kind) -> Value {
    let whole = |real: &f64| real.fract() == 0.0;
    let long = number::parse_long(text)
        .or_else(|| number::parse_real(text).filter(whole).and_then(number::real_to_long))
        .or_else(|| text.eq_ignore_ascii_case("true").then_some(1))
        .or_else(|| text.eq_ignore_ascii_case("false").then_some(0));
    match (long, kind) {
        (Some(long), Kind::Int) => i32::try_from(long).map_or(Value::Null(kind), Value::Int),
        (Some(long), _) => Value::Long(long),
        (None, _) => Value::Null(kind),
    }
}

/// A JSON value keeps its text; a text that holds an array or an object is read as such, any other is a string.
fn dynamic(bytes: &Bytes<'_>, cell: Cell) -> Value {
    let text = match cell.form {
        Form::Several => return several(&bytes.text(cell)),
        Form::Container => bytes.written(cell),
        _ => bytes.text(cell),
    };
    let read_as_json = match cell.form {
        Form::Text | Form::JsonEscaped => text.trim_start().starts_with(['{', '[']),
        _ => true,
    };
    let json = if read_as_json { json::parse_json(&text).map(|json| json.into_owned()) } else { quoted(&text) };
    match json {
        Some(json) if cell.form == Form::Container && json.starts_with('"') => Value::Null(Kind::Dynamic),
        Some(json) => Value::dynamic(json),
        None => Value::Null(Kind::Dynamic),
    }
}

/// The values that Splunk writes as `$one$;$two$`, as an array. A dollar sign inside a value is doubled.
fn several(text: &str) -> Value {
    let mut out = String::from("[");
    for value in split_values(text) {
        if out.len() > 1 {
            out.push(',');
        }
        json::quote(&value, &mut out);
    }
    out.push(']');
    Value::dynamic(out)
}

/// The values of a field that has several.
pub fn split_values(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('$') {
        let (value, behind) = up_to_single_dollar(inside);
        values.push(value.replace("$$", "$"));
        rest = behind.strip_prefix(';').unwrap_or_default();
    }
    values
}

/// The text before the first dollar sign that is not doubled, and the text behind it.
fn up_to_single_dollar(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('$')).map(|at| from + at) {
        match text.get(at + 1..) {
            Some(behind) if behind.starts_with('$') => from = at + 2,
            behind => return (text.get(..at).unwrap_or_default(), behind.unwrap_or_default()),
        }
    }
    (text, "")
}

fn quoted(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 2);
    json::quote(text, &mut out);
    (!text.is_empty()).then_some(out)
}

/// Texts as views: those of up to 12 bytes lie in the view, the others in one buffer.
#[derive(Default)]
struct TextWriter {
    views: Vec<u128>,
    bytes: Vec<u8>,
    full: Vec<arrow_buffer::Buffer>,
}

/// A view's offset has 32 bits.
const LARGEST_BUFFER: usize = 1 << 30;

impl TextWriter {
    #[inline]
    fn push(&mut self, text: &str) {
        let view = self.view(text.as_bytes());
        self.views.push(view);
    }

    /// Appends a cell that is known to be ASCII as it stands.
    #[inline]
    fn push_ascii(&mut self, bytes: &Bytes<'_>, cell: Cell) {
        let length = cell.end.wrapping_sub(cell.start);
        // Blocks are padded: sixteen bytes can be loaded from nearly every place, and cut to the text.
        let load = if cell.beside || length > 12 { None } else { bytes.block.get(cell.start as usize..) };
        let view = match load.and_then(|rest| rest.first_chunk::<16>()) {
            Some(chunk) => {
                let kept = u128::from_le_bytes(*chunk) & ((1 << (8 * length)) - 1);
                kept << 32 | u128::from(length)
            }
            None => self.view(bytes.raw(cell)),
        };
        self.views.push(view);
    }

    #[inline(always)]
    fn view(&mut self, text: &[u8]) -> u128 {
        let length = text.len();
        let mut raw = [0_u8; 16];
        if let (true, Some(inline)) = (length <= 12, raw.get_mut(4..4 + length)) {
            inline.copy_from_slice(text);
            return u128::from_le_bytes(raw) | length as u128;
        }
        if self.bytes.len() + length > LARGEST_BUFFER && !self.bytes.is_empty() {
            self.full.push(std::mem::take(&mut self.bytes).into());
        }
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(text);
        let prefix = text.first_chunk::<4>().map_or(0, |first| u32::from_le_bytes(*first));
        length as u128 | u128::from(prefix) << 32 | (self.full.len() as u128) << 64 | (offset as u128) << 96
    }

    fn finish(mut self) -> StringViewArray {
        self.bytes.shrink_to_fit();
        self.full.push(self.bytes.into());
        // SAFETY: every view is inline or lies in its buffer, and was pushed as whole UTF-8 text.
        unsafe { StringViewArray::new_unchecked(self.views.into(), self.full.into(), None) }
    }
}
