//! What a table that outlives a query learns: its texts as dictionaries.
use crate::types::intern::Interner;
use crate::types::{Column, Dictionary, Kind, Name, Table, Text};
use arrow_array::Int32Array;
use rayon::prelude::*;

/// Dictionary-encodes the named text columns of a held table, once.
pub fn dictionaries(table: &Table, columns: &[Name]) {
    if !table.is_held() || table.rows() < WORTH {
        return;
    }
    let positions = columns.iter().filter_map(|name| table.schema().position(name));
    let texts: Vec<usize> =
        positions.filter(|at| table.schema().columns().get(*at).is_some_and(|c| c.1 == Kind::String)).collect();
    texts.into_par_iter().for_each(|at| {
        if let Some(learned) = table.learned(at) {
            learned.dictionary.get_or_init(|| encode(table, at));
        }
    });
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
    let most = table.rows() / 2;
    for chunk in table.chunks() {
        keys.push(values.numbers(&chunk.load(at, Kind::String, None)));
        if values.len() > most {
            return None;
        }
    }
    let numbers: Vec<u32> = (0..values.len() as u32).collect();
    let Column::Text(_, Text::Views(distinct)) = values.column(Kind::String, &numbers) else { return None };
    let dictionary = Dictionary::new(distinct);
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
    values.len() * 2 < rows.len()
}
