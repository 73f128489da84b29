//! What a table that outlives a query learns: texts as dictionaries, columns of other kinds converted, the
//! range of times in each block of rows.
use crate::types::intern::Interner;
use crate::types::{BLOCK_ROWS, Chunk, Column, Dictionary, Kind, Name, Stored, Table, Text};
use arrow_array::{Array, Int32Array};
use arrow_schema::DataType;
use rayon::prelude::*;

/// Prepares the named columns of a held table, once.
pub fn columns(table: &Table, columns: &[Name]) {
    if !table.is_held() || table.rows() < WORTH {
        return;
    }
    let positions: Vec<usize> = columns.iter().filter_map(|name| table.schema().position(name)).collect();
    positions.into_par_iter().for_each(|at| {
        let Some((learned, (_, kind))) = table.learned(at).zip(table.schema().columns().get(at)) else { return };
        learned
            .form
            .get_or_init(|| if *kind == Kind::String { encode(table, at) } else { converted(table, at, *kind) });
        if *kind == Kind::DateTime {
            learned.ranges.get_or_init(|| ranges(table, at));
        }
    });
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
fn encode(table: &Table, at: usize) -> Option<Vec<Column>> {
    if !pays(table, at) {
        return None;
    }
    let mut values = Interner::new(Kind::String);
    let mut keys: Vec<Vec<u32>> = Vec::with_capacity(table.chunks().len());
    let most = table.rows() / 4;
    for chunk in table.chunks() {
        keys.push(values.numbers(&chunk.load(at, Kind::String, None)));
        if values.len() > most {
            return None;
        }
    }
    let numbers: Vec<u32> = (0..values.len() as u32).collect();
    let Column::Text(_, Text::Views(distinct)) = values.column(Kind::String, &numbers) else { return None };
    let dictionary = Dictionary::of_distinct(distinct);
    let column = |keys: Vec<u32>| {
        let keys: Vec<i32> = keys.into_iter().map(|k| k as i32).collect();
        Column::Text(Kind::String, Text::Dictionary(Int32Array::from(keys), dictionary.clone()))
    };
    Some(keys.into_iter().map(column).collect())
}

fn pays(table: &Table, at: usize) -> bool {
    const SAMPLE: usize = 8_192;
    let Some(chunk) = table.chunks().iter().max_by_key(|c| c.rows) else { return false };
    let step = (chunk.rows / SAMPLE).max(1);
    let rows: Vec<u32> = (0..chunk.rows as u32).step_by(step).collect();
    let sample = chunk.load(at, Kind::String, Some(&rows));
    if let Column::Text(_, Text::Dictionary(keys, dictionary)) = &sample {
        return dictionary.len() * 2 < chunk.rows.max(keys.len());
    }
    let mut values = Interner::new(Kind::String);
    values.numbers(&sample);
    // A sample meets few of many different values twice, and this many of an eighth of the rows: only
    // near-unique columns are left out.
    let doubles = rows.len() - values.len();
    doubles * 10 > rows.len() || doubles * chunk.rows > 4 * rows.len() * rows.len()
}

/// The text column with its distinct values apart, where a sample holds enough of the same.
pub fn encoded(column: Column) -> Column {
    const SAMPLE: usize = 512;
    let Column::Text(kind @ Kind::String, Text::Views(views)) = &column else { return column };
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
    let keys: Vec<i32> = values.numbers(&column).into_iter().map(|n| n as i32).collect();
    let all: Vec<u32> = (0..values.len() as u32).collect();
    match values.column(*kind, &all) {
        Column::Text(kind, Text::Views(distinct)) => {
            Column::Text(kind, Text::Dictionary(Int32Array::from(keys), Dictionary::of_distinct(distinct)))
        }
        _ => column,
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
