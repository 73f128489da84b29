//! The nodes of a graph: those that tables describe, and those that only edges name.
use super::STEPS;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::types::{Column, Name, Schema, Table, Value, convert};
use std::collections::HashMap;

/// Columns of the first input, the ends of the edges: for each end its key, its id as text and its id.
pub const ENDS: [[&str; 3]; 2] =
    [["$source", "$source_id", "$source_value"], ["$target", "$target_id", "$target_value"]];

/// Makes the table of nodes of the ends of the edges and of tables with properties. What several rows say of
/// one node is brought together: the first value that is not null counts.
#[derive(Debug)]
pub struct NodeTable {
    /// The key and the id as text first.
    pub schema: Schema,
    /// The columns that hold the id of a node which no table describes.
    pub ids: Vec<Name>,
}

struct Nodes<'o> {
    operation: &'o NodeTable,
    places: HashMap<String, usize>,
    rows: Vec<Vec<Value>>,
}

impl TableOperation for NodeTable {
    fn name(&self) -> &str {
        "the nodes of a graph"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some((ends, described)) = inputs.split_first() else { return Err(Fault::internal("a graph of nothing")) };
        let mut nodes = Nodes { operation: self, places: HashMap::new(), rows: Vec::new() };
        for table in described {
            nodes.describe(table, context)?;
        }
        nodes.complete(ends, context)?;
        Ok(Table::from_rows(self.schema.clone(), &nodes.rows))
    }
}

impl Nodes<'_> {
    fn describe(&mut self, table: &Table, context: &Context) -> Result<()> {
        let columns: Vec<_> = self.operation.schema.names().map(|name| table.column_named(name)).collect();
        for row in 0..table.rows() {
            if row % STEPS == 0 {
                context.check()?;
            }
            let key = columns.first().and_then(Option::as_ref).and_then(|c| c.text(row)).unwrap_or_default();
            let node = self.node(key, context)?;
            for (cell, column) in node.iter_mut().zip(&columns) {
                if let Some(column) = column
                    && is_nothing(cell)
                {
                    *cell = column.value(row);
                }
            }
        }
        Ok(())
    }

    /// The nodes that only edges name, in order of first sight.
    fn complete(&mut self, ends: &Table, context: &Context) -> Result<()> {
        let [sources, targets] = ENDS.map(|names| names.map(|name| super::hidden(ends, name)));
        let [source, target] = [sources, targets].map(|[key, text, id]| Ok([key?, text?, id?]));
        let columns: [[Column; 3]; 2] = [source?, target?];
        let ids: Vec<usize> = self.operation.ids.iter().filter_map(|n| self.operation.schema.position(n)).collect();
        for row in 0..ends.rows() {
            if row % STEPS == 0 {
                context.check()?;
            }
            for [key, text, id] in &columns {
                let key = key.text(row).unwrap_or_default();
                if self.places.contains_key(key) {
                    continue;
                }
                let node = self.node(key, context)?;
                if let Some(cell) = node.get_mut(1) {
                    *cell = text.value(row);
                }
                for cell in &ids {
                    if let Some(cell) = node.get_mut(*cell) {
                        *cell = convert::value_to(&id.value(row), cell.kind());
                    }
                }
            }
        }
        Ok(())
    }

    /// The row of a node, made where it is new.
    fn node(&mut self, key: &str, context: &Context) -> Result<&mut Vec<Value>> {
        let at = match self.places.get(key) {
            Some(at) => *at,
            None => {
                if self.rows.len() >= context.limits.rows {
                    return Err(Fault::limit("rows", "the graph has too many nodes"));
                }
                let kinds = self.operation.schema.columns().iter().map(|(_, kind)| Value::null(*kind));
                let mut row: Vec<Value> = kinds.collect();
                if let Some(cell) = row.first_mut() {
                    *cell = Value::string(key);
                }
                self.rows.push(row);
                self.places.insert(key.to_owned(), self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        self.rows.get_mut(at).ok_or_else(|| Fault::internal("a node without a row"))
    }
}

fn is_nothing(cell: &Value) -> bool {
    cell.is_null() || cell.as_text() == Some("")
}
