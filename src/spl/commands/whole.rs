//! What commands share that look at whole tables: fields that their rows' texts hold.
use crate::diagnostic::{Diagnostic, Span};
use crate::functions::extraction::{Collector, MOST_FIELDS};
use crate::spl::lower::Lower;
use crate::types::field::FieldBuilder;
use crate::types::intern::{Interner, NULL};
use crate::types::pairs::PairTable;
use crate::types::{Column, Field, Kind, Name, Table, Text};

/// The table with the fields that a walk finds in the texts of one of its fields. What is found goes before what a row
/// had.
pub fn with_found(
    table: &Table,
    input: &str,
    span: Span,
    mut walk: impl for<'t> FnMut(&'t str, &mut Collector<'t>),
) -> Lower<Table> {
    let Some(column) = table.column_named(input) else { return Ok(table.clone()) };
    let texts = as_texts(column);
    let mut found = Collector::all();
    for row in 0..texts.len() {
        if let Some(text) = texts.text(row) {
            found.begin(row);
            walk(text, &mut found);
        }
    }
    if found.overflows() {
        let message = format!("the texts hold more than {MOST_FIELDS} fields");
        return Err(Diagnostic::error("HP310", message).at(span).into());
    }
    Ok(with_columns(table, found.into_columns(texts.len(), Some(&texts))))
}

/// A field as one text a row.
pub fn as_texts(column: Column) -> Column {
    match column {
        Column::Field(field @ (Field::Several(_) | Field::Long(_) | Field::Real(_))) => {
            Column::Text(Kind::Field, Text::Views(field.texts()))
        }
        other => other,
    }
}

/// The table with more columns. Of a column that it has, rows for which the new one has nothing keep what they had.
pub fn with_columns(table: &Table, added: Vec<(Name, Column)>) -> Table {
    let mut columns = columns(table);
    for (name, column) in added {
        match columns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = over(&column, known),
            None => columns.push((name, column)),
        }
    }
    Table::from_columns(columns).with_problems(table.problems().to_vec())
}

/// The columns of a table, each whole.
pub fn columns(table: &Table) -> Vec<(Name, Column)> {
    table.schema().names().cloned().enumerate().map(|(at, name)| (name, table.column(at))).collect()
}

/// The first column's values, the second's where it has none.
pub fn over(first: &Column, second: &Column) -> Column {
    let mut builder = FieldBuilder::new(Some(first), first.len());
    for row in 0..first.len() {
        builder.push_row(if first.is_null(row) { second } else { first }, row);
    }
    builder.finish()
}

/// The number of each row's combination of values; [`NULL`] where a value is absent. Without fields all are alike.
pub fn groups(table: &Table, names: &[Name]) -> Vec<u32> {
    let numbers = |name: &Name| match table.column_named(name) {
        Some(column) => Interner::new(Kind::Field).numbers(&column),
        None => vec![NULL; table.rows()],
    };
    let pairs = |left: Vec<u32>, right: Vec<u32>| {
        let mut pairs = PairTable::default();
        let pair = |(left, right)| if left == NULL || right == NULL { NULL } else { pairs.number(left, right) };
        left.into_iter().zip(right).map(pair).collect()
    };
    names.iter().map(numbers).reduce(pairs).unwrap_or_else(|| vec![0; table.rows()])
}

/// The rows of each group, in order; none of a number that no row has.
pub fn members(groups: &[u32]) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = Vec::new();
    for (row, group) in groups.iter().enumerate().filter(|(_, group)| **group != NULL) {
        let group = *group as usize;
        if members.len() <= group {
            members.resize_with(group + 1, Vec::new);
        }
        members[group].push(row as u32);
    }
    members
}

/// The rows of a table that a test takes.
pub fn rows(table: &Table, keeps: impl Fn(usize) -> bool) -> Table {
    let wanted: Vec<u32> = (0..table.rows()).filter(|row| keeps(*row)).map(|row| row as u32).collect();
    let columns = columns(table).into_iter().map(|(name, column)| (name, crate::types::gather::take(&column, &wanted)));
    Table::from_columns(columns.collect()).with_problems(table.problems().to_vec())
}

/// The table with a column in the place of the one of its name, or behind the others.
pub fn replaced(table: &Table, name: &Name, column: Column) -> Table {
    let mut columns = columns(table);
    match columns.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = column,
        None => columns.push((name.clone(), column)),
    }
    Table::from_columns(columns).with_problems(table.problems().to_vec())
}
