//! Plan nodes over rows: what commands put together.
use super::{Lower, Lowering, Rows};
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::functions::{self, Dialect};
use crate::plan::{Node, NodeId, SortKey, TableOperation};
use crate::types::{Kind, Name, Schema, Table, Value};
use std::sync::Arc;

impl Lowering<'_> {
    /// Rows that are known already.
    pub fn values(&mut self, table: Table) -> Rows {
        let schema = table.schema().clone();
        let node = self.plan.add(Node::Values(table), schema.clone());
        Rows::new(node, schema)
    }

    /// The rows of a node over `input` with the fields of `schema`.
    pub fn over(&mut self, input: &Rows, node: Node, schema: Schema) -> Rows {
        let node = self.plan.add(node, schema.clone());
        Rows::new(node, schema).open_as(input)
    }

    fn same_fields(&mut self, input: &Rows, node: Node) -> Rows {
        self.over(input, node, input.schema.clone())
    }

    pub fn filter(&mut self, input: &Rows, predicate: Expr) -> Rows {
        self.same_fields(input, Node::Filter { input: input.node, predicate })
    }

    /// The rows in which all of these fields have a value.
    pub fn present(&mut self, input: &Rows, names: &[Name]) -> Lower<Rows> {
        if names.is_empty() {
            return Ok(input.clone());
        }
        let tests = names.iter().map(|name| call("isnotnull", vec![input.field(name)]));
        let tests = tests.collect::<Lower<Vec<_>>>()?;
        Ok(self.filter(input, all(tests)))
    }

    /// Fields added, or replaced in their place; all are computed from the rows as they come.
    pub fn extend(&mut self, input: &Rows, columns: Vec<(Name, Expr)>) -> Rows {
        if columns.is_empty() {
            return input.clone();
        }
        let columns: Vec<(Name, Expr)> = columns.into_iter().map(|(name, e)| (name, as_field(e))).collect();
        let mut schema = input.schema.clone();
        columns.iter().for_each(|(name, e)| schema.set(name.clone(), e.kind()));
        self.over(input, Node::Extend { input: input.node, columns }, schema)
    }

    /// These fields and no others.
    pub fn project(&mut self, input: &Rows, columns: Vec<(Name, Expr)>) -> Rows {
        let columns: Vec<(Name, Expr)> = columns.into_iter().map(|(name, e)| (name, as_field(e))).collect();
        let schema = columns.iter().map(|(name, e)| (name.clone(), e.kind())).collect();
        self.over(input, Node::Project { input: input.node, columns }, schema).closed()
    }

    /// The fields of these names, in this order; those that the rows lack are absent in all of them.
    pub fn keep(&mut self, input: &Rows, names: &[Name]) -> Rows {
        let columns = names.iter().map(|name| (name.clone(), input.field(name))).collect();
        self.project(input, columns)
    }

    /// All fields but these.
    pub fn without(&mut self, input: &Rows, gone: &[Name]) -> Rows {
        if !gone.iter().any(|name| input.has(name)) {
            return input.clone();
        }
        let stay: Vec<Name> = input.names().filter(|name| !gone.contains(name)).cloned().collect();
        self.keep(input, &stay).open_as(input)
    }

    pub fn take(&mut self, input: &Rows, rows: u64) -> Rows {
        self.same_fields(input, Node::Take { input: input.node, rows })
    }

    pub fn sort(&mut self, input: &Rows, keys: Vec<SortKey>) -> Rows {
        match keys.is_empty() {
            true => input.clone(),
            false => self.same_fields(input, Node::Sort { input: input.node, keys }),
        }
    }

    /// The rows of all inputs behind each other, by the names of their fields.
    pub fn union(&mut self, inputs: &[Rows]) -> Rows {
        let mut names: Vec<Name> = Vec::new();
        for name in inputs.iter().flat_map(Rows::names) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let aligned: Vec<Rows> = inputs.iter().map(|rows| self.aligned(rows, &names)).collect();
        let schema: Schema = names.into_iter().map(|name| (name, Kind::Field)).collect();
        let open = inputs.iter().find(|rows| rows.open).cloned();
        let nodes: Vec<NodeId> = aligned.iter().map(|rows| rows.node).collect();
        let node = match nodes.as_slice() {
            [one] => *one,
            _ => self.plan.add(Node::Union { inputs: nodes }, schema.clone()),
        };
        let rows = Rows::new(node, schema);
        open.map_or(rows.clone(), |open| rows.open_as(&open))
    }

    fn aligned(&mut self, rows: &Rows, names: &[Name]) -> Rows {
        match rows.names().eq(names.iter()) {
            true => rows.clone(),
            false => self.keep(rows, names).open_as(rows),
        }
    }

    /// The rows that an operation makes of whole tables.
    pub fn operation(&mut self, inputs: &[&Rows], operation: Arc<dyn TableOperation>, schema: Schema) -> Rows {
        let nodes = inputs.iter().map(|rows| rows.node).collect();
        let node = self.plan.add(Node::Table { inputs: nodes, operation }, schema.clone());
        let rows = Rows::new(node, schema);
        match inputs.iter().find(|rows| rows.open) {
            Some(open) => {
                // What an operation reads of its inputs is its own affair.
                inputs.iter().for_each(|rows| rows.want_all());
                rows.open_as(open)
            }
            None => rows,
        }
    }

    /// The rows as a table that is known already.
    pub fn known(&mut self, rows: &Rows, table: Table) -> Rows {
        self.values(table).open_as(rows)
    }
}

/// What a field can hold: a text literal becomes a field's text.
pub fn as_field(expr: Expr) -> Expr {
    match expr {
        Expr::Const(value) if value.kind() == Kind::String => {
            Expr::Const(Value::Text(Kind::Field, value.to_text().into()))
        }
        other => other,
    }
}

/// A call of a library function that a lowering itself needs.
pub fn call(name: &str, arguments: Vec<Expr>) -> Lower<Expr> {
    let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
    let items = functions::find(Dialect::Spl, name);
    match functions::choose(items, &kinds) {
        Some(item) => Ok(Expr::call(item, arguments)),
        None => Err(Diagnostic::error("HP900", format!("the library lacks `{name}` of these arguments")).into()),
    }
}

/// What is absent in every row.
pub fn absent() -> Expr {
    Expr::Const(Value::Null(Kind::Field))
}

/// A text as a literal of a search.
pub fn text(text: &str) -> Expr {
    Expr::Const(Value::string(text))
}

/// Conditions that must all hold.
pub fn all(mut conditions: Vec<Expr>) -> Expr {
    match conditions.len() {
        0 => Expr::Const(Value::Bool(true)),
        1 => conditions.remove(0),
        _ => Expr::And(conditions),
    }
}

/// Conditions of which one must hold.
pub fn any(mut conditions: Vec<Expr>) -> Expr {
    match conditions.len() {
        0 => Expr::Const(Value::Bool(false)),
        1 => conditions.remove(0),
        _ => Expr::Or(conditions),
    }
}
