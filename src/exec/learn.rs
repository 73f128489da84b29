//! What a table that outlives a query learns: texts as dictionaries, columns of other kinds converted, the
//! range of times in each block of rows.
use crate::types::intern::{Interner, NULL};
use crate::types::{BLOCK_ROWS, Chunk, Column, Dictionary, Kind, Name, Stored, Table, Text};
use arrow_array::{Array, Int32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use rayon::prelude::*;
use std::sync::Arc;

/// Prepares the named columns of a held table, once.
pub fn columns(table: &Table, columns: &[Name]) {
    if !table.is_held() || table.rows() < WORTH {
        return;
    }
    let positions: Vec<usize> = columns.iter().filter_map(|name| table.schema().position(name)).collect();
    positions.into_par_iter().for_each(|at| {
        let Some((learned, (_, kind))) = table.learned(at).zip(table.schema().columns().get(at)) else { return };
        // Computed before it is set: a thread that waits for others may take up work that asks for the same column.
        if learned.form.get().is_none() {
            let _ = learned.form.set(match kind {
                Kind::String => encode(table, at, Kind::String),
                Kind::Field if is_text(table, at) => encode(table, at, Kind::Field),
                kind => converted(table, at, *kind),
            });
        }
        if *kind == Kind::DateTime && learned.ranges.get().is_none() {
            let _ = learned.ranges.set(ranges(table, at));
        }
    });
}

/// Whether all chunks hold texts in a column.
fn is_text(table: &Table, at: usize) -> bool {
    table.chunks().iter().all(|chunk| match chunk.columns.get(at) {
        Some(Stored::Arrow(array)) => match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
            DataType::Dictionary(_, values) => matches!(**values, DataType::Utf8 | DataType::LargeUtf8),
            _ => false,
        },
        Some(Stored::Column(column)) => matches!(column, Column::Text(Kind::Field, _)),
        _ => true,
    })
}

/// Columns that are handed in as another kind are converted once.
fn converted(table: &Table, at: usize, kind: Kind) -> Option<Vec<Column>> {
    let as_it_is = |chunk: &Chunk| match chunk.columns.get(at) {
        Some(Stored::Arrow(array)) => arrays_of(kind).iter().any(|t| t == array.data_type()),
        _ => true,
    };
    if table.chunks().iter().all(as_it_is) {
        return None;
    }
    Some(table.chunks().par_iter().map(|chunk| chunk.load(at, kind, None)).collect())
}

/// The Arrow types that a column of a kind is read from without conversion.
fn arrays_of(kind: Kind) -> &'static [DataType] {
    match kind {
        Kind::Bool => &[DataType::Boolean],
        Kind::Int => &[DataType::Int32],
        Kind::Long => &[DataType::Int64],
        Kind::Real => &[DataType::Float64],
        _ => &[],
    }
}

/// Smallest and largest time of each block.
fn ranges(table: &Table, at: usize) -> Vec<Vec<Option<(i64, i64)>>> {
    let learned = table.learned(at).and_then(|l| l.form.get()).and_then(Option::as_ref);
    let chunk = |(number, chunk): (usize, &Chunk)| {
        let column = match learned.and_then(|columns| columns.get(number)) {
            Some(column) => column.clone(),
            None => chunk.load(at, Kind::DateTime, None),
        };
        let Column::DateTime(times) = column.materialized() else { return Vec::new() };
        let block = |start: usize| {
            let times = times.slice(start, BLOCK_ROWS.min(times.len() - start));
            let (min, max) = times.iter().flatten().fold((i64::MAX, i64::MIN), |(a, b), t| (a.min(t), b.max(t)));
            (min <= max).then_some((min, max))
        };
        (0..times.len()).step_by(BLOCK_ROWS).map(block).collect()
    };
    table.chunks().par_iter().enumerate().map(chunk).collect()
}

/// Smaller tables are read as they are.
const WORTH: usize = 10_000;

/// One dictionary over all chunks; none where a sample holds mostly different values.
fn encode(table: &Table, at: usize, kind: Kind) -> Option<Vec<Column>> {
    if !pays(table, at, kind) {
        return None;
    }
    let mut values = Interner::new(kind);
    let mut keys: Vec<Vec<u32>> = Vec::with_capacity(table.chunks().len());
    let most = table.rows() / 4;
    for chunk in table.chunks() {
        keys.push(values.numbers(&chunk.load(at, kind, None)));
        if values.len() > most {
            return None;
        }
    }
    let dictionary = dictionary(&values)?;
    Some(keys.into_iter().map(|keys| Column::Text(kind, Text::Dictionary(as_keys(keys), dictionary.clone()))).collect())
}

/// The values that were numbered, as a dictionary whose keys are the numbers.
fn dictionary(values: &Interner) -> Option<Arc<Dictionary>> {
    let numbers: Vec<u32> = (0..values.len() as u32).collect();
    match values.column(Kind::String, &numbers) {
        Column::Text(_, Text::Views(distinct)) => Some(Dictionary::of_distinct(distinct)),
        _ => None,
    }
}

/// Numbers of values as keys of their dictionary.
fn as_keys(numbers: Vec<u32>) -> Int32Array {
    let nulls = numbers.contains(&NULL).then(|| numbers.iter().map(|number| *number != NULL).collect::<NullBuffer>());
    let key = |number: u32| if number == NULL { 0 } else { number as i32 };
    Int32Array::new(numbers.into_iter().map(key).collect::<Vec<i32>>().into(), nulls)
}

fn pays(table: &Table, at: usize, kind: Kind) -> bool {
    const SAMPLE: usize = 8_192;
    let Some(chunk) = table.chunks().iter().max_by_key(|c| c.rows) else { return false };
    let step = (chunk.rows / SAMPLE).max(1);
    let rows: Vec<u32> = (0..chunk.rows as u32).step_by(step).collect();
    let sample = chunk.load(at, kind, Some(&rows));
    if let Column::Text(_, Text::Dictionary(keys, dictionary)) = &sample {
        return dictionary.len() * 2 < chunk.rows.max(keys.len());
    }
    let mut values = Interner::new(kind);
    values.numbers(&sample);
    // A sample meets few of many different values twice, and this many of an eighth of the rows: only
    // near-unique columns are left out.
    let doubles = rows.len() - values.len();
    doubles * 10 > rows.len() || doubles * chunk.rows > 4 * rows.len() * rows.len()
}

/// The text column with its distinct values apart, where a sample holds enough of the same.
pub fn encoded(column: Column) -> Column {
    const SAMPLE: usize = 512;
    let Column::Text(kind @ (Kind::String | Kind::Field), Text::Views(views)) = &column else { return column };
    if views.len() < SAMPLE * 8 {
        return column;
    }
    let rows: Vec<u32> = (0..views.len() as u32).step_by(views.len() / SAMPLE).collect();
    let mut sample = Interner::new(*kind);
    let numbers = sample.numbers(&crate::types::gather::take(&column, &rows));
    if estimated(&numbers, sample.len()) > views.len() / 4 {
        return column;
    }
    let mut values = Interner::with_room(*kind, views.len() / 4);
    let keys = as_keys(values.numbers(&column));
    match dictionary(&values) {
        Some(dictionary) => Column::Text(*kind, Text::Dictionary(keys, dictionary)),
        None => column,
    }
}

/// How many different values there are at least, by Chao's estimate: many that a sample meets once, beside few that it
/// meets twice, mean many that it did not meet.
fn estimated(numbers: &[u32], met: usize) -> usize {
    let mut times = vec![0usize; met];
    for number in numbers {
        if let Some(times) = times.get_mut(*number as usize) {
            *times += 1;
        }
    }
    let (once, twice) = times.iter().fold((0, 0), |(once, twice), times| match times {
        1 => (once + 1, twice),
        2 => (once, twice + 1),
        _ => (once, twice),
    });
    met + once * once / (2 * twice.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_tells_few_values_from_many() {
        let of_few: Vec<u32> = (0..512).map(|i| i * 7919 % 100).collect();
        assert_eq!(estimated(&of_few, 100), 100);
        let half_the_same: Vec<u32> = (0..512).map(|i| if i % 2 == 0 { 0 } else { i }).collect();
        assert!(estimated(&half_the_same, 512) > 30_000);
    }
}
