//! The result of a lookup: rows beside rows of a table.
use crate::diagnostic::{Fault, Result};
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, gather};

/// A column of the result: from the rows, or from the table that is looked up.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Rows(Name),
    Table(Name),
}

/// The columns of the result.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub schema: Schema,
    origins: Vec<Origin>,
}

impl Columns {
    /// The columns in their order; of two of one name, the second gets a number.
    pub fn new(all: impl IntoIterator<Item = (Origin, Kind)>) -> Columns {
        let mut columns = Columns { schema: Schema::default(), origins: Vec::new() };
        for (origin, kind) in all {
            let (Origin::Rows(name) | Origin::Table(name)) = &origin;
            columns.schema.set(columns.schema.free_name(name), kind);
            columns.origins.push(origin);
        }
        columns
    }

    /// The columns of the rows, to be chosen from.
    pub fn of_rows(schema: &Schema) -> impl Iterator<Item = (Origin, Kind)> + '_ {
        schema.columns().iter().map(|(name, kind)| (Origin::Rows(name.clone()), *kind))
    }

    /// The columns of the table but those that `left_out` names.
    pub fn of_table<'a>(schema: &'a Schema, left_out: &'a [Name]) -> impl Iterator<Item = (Origin, Kind)> + 'a {
        let others = schema.columns().iter().filter(|(name, _)| !left_out.contains(name));
        others.map(|(name, kind)| (Origin::Table(name.clone()), *kind))
    }

    /// The rows of `left` beside those of `right`, pair by pair. The row behind the table's last one is all null.
    pub fn gathered(&self, rows: &Table, table: &Table, left: &[u32], right: &[u32]) -> Result<Table> {
        let columns = self.origins.iter().map(|origin| match origin {
            Origin::Rows(name) => Some(gather::take(&rows.column_named(name)?, left)),
            Origin::Table(name) => {
                let column = table.column_named(name)?;
                let null = Column::nulls(column.kind(), 1).materialized();
                Some(gather::take(&gather::concat(&[column.without_lists(), null])?, right))
            }
        });
        let columns = columns.map(|column| column.map(Stored::Column)).collect::<Option<Vec<_>>>();
        let columns = columns.ok_or_else(|| Fault::internal("a lookup lost a column"))?;
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: left.len(), columns }]))
    }
}
