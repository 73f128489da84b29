//! Lookups that an add-on applies to its events by itself.
use crate::diagnostic::Result;
use crate::read::{self, Options};
use crate::types::{Kind, Name, Schema};
use std::collections::HashMap;
use std::path::Path;

/// A table of texts with the rows of each value of its inputs.
#[derive(Debug)]
pub struct LookupTable {
    columns: Vec<Name>,
    /// The columns that are matched, and the fields of events that they are matched with.
    pub inputs: Vec<(String, Name)>,
    sensitive: bool,
    rows: HashMap<Vec<String>, Vec<Vec<String>>>,
}

impl LookupTable {
    /// Reads a CSV file.
    pub fn read(path: &Path, inputs: Vec<(String, Name)>, sensitive: bool) -> Result<LookupTable> {
        let source = read::open(&[path], &Options::default())?;
        let schema: Schema = source.schema().names().map(|name| (name.clone(), Kind::String)).collect();
        let table = read::read(&[path], &Options { schema: Some(schema), ..Options::default() })?;
        let columns: Vec<Name> = table.schema().names().cloned().collect();
        let mut lookup = LookupTable { columns, inputs, sensitive, rows: HashMap::new() };
        for row in table.to_rows() {
            let row: Vec<String> = row.iter().map(|value| value.to_text()).collect();
            let cell = |name: &str| lookup.place(name).and_then(|at| row.get(at)).cloned().unwrap_or_default();
            let key = lookup.inputs.iter().map(|(name, _)| lookup.folded(&cell(name))).collect();
            lookup.rows.entry(key).or_default().push(row);
        }
        Ok(lookup)
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| **name == *column)
    }

    fn folded(&self, text: &str) -> String {
        if self.sensitive { text.to_owned() } else { text.to_lowercase() }
    }

    /// The columns that are not matched.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        let is_input = |name: &&Name| self.inputs.iter().any(|(input, _)| **input == ***name);
        self.columns.iter().filter(move |name| !is_input(name)).map(|name| &**name)
    }

    /// The values of a column in the rows that match these texts.
    pub fn find(&self, texts: &[Option<String>], column: &str) -> Vec<&str> {
        let key: Option<Vec<String>> = texts.iter().map(|text| text.as_ref().map(|text| self.folded(text))).collect();
        let rows = key.and_then(|key| self.rows.get(&key)).map(Vec::as_slice).unwrap_or_default();
        let place = self.place(column);
        let cells = rows.iter().filter_map(|row| row.get(place?)).map(String::as_str);
        cells.filter(|cell| !cell.is_empty()).collect()
    }
}
