//! Plugins over schemas: `schema_merge`, `infer_storage_schema`.
use super::Evaluation;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::{Context, wider};
use crate::kql::ast::Argument;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::operators::rows::{SCHEMA_COLUMNS, data_type};
use crate::kql::bind::relation::{Open, Relation};
use crate::kql::bind::{Bind, Reported};
use crate::plan::{Node, TableOperation};
use crate::types::{Json, Kind, Name, Schema, Table, Value};
use std::sync::Arc;

impl Binder<'_> {
    fn schema_merge(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let input = evaluation.input;
        for (name, _) in SCHEMA_COLUMNS {
            if !input.schema.contains(name) && !input.is_open() {
                let message = format!("'schema_merge' expects the columns of getschema: there is no column '{name}'.");
                return Err(self.error("KS142", message, evaluation.call.name.span));
            }
        }
        let in_order = self.option(evaluation, "PreserveOrder")?.and_then(|v| v.as_bool()).unwrap_or(true);
        let schema: Schema = SCHEMA_COLUMNS.into_iter().collect();
        let operation = Arc::new(Merge { in_order, schema: schema.clone() });
        let mut out = self.over(input, Node::Table { inputs: vec![input.node], operation }, schema);
        out.open = Open::Closed;
        Ok(out)
    }

    /// The schema of stored files as a query writes it.
    fn infer_storage_schema(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let schema = self.storage_schema(evaluation)?;
        let columns = schema.columns().iter().map(|(name, kind)| format!("{name}:{kind}"));
        let text = columns.collect::<Vec<_>>().join(", ");
        Ok(self.one_text("CslSchema", text))
    }

    fn one_text(&mut self, name: &str, text: String) -> Relation {
        let schema: Schema = [(name, Kind::String)].into_iter().collect();
        self.values(Table::from_rows(schema, &[vec![Value::string(text)]]))
    }

    /// The columns of the files that stand for the addresses of a storage.
    fn storage_schema(&mut self, evaluation: &Evaluation) -> Bind<Schema> {
        let argument = self.given(evaluation, "Options")?;
        let options = self.constant_of(&argument.value)?.to_json();
        let options = Json::new(&options);
        let Some(containers) = options.get("StorageContainers").filter(|c| !c.is_empty()) else {
            return Err(self.error("HP126", "The option 'StorageContainers' is an array of addresses.", argument.span));
        };
        let text = |name: &str| options.get(name).and_then(|v| Some(v.as_str()?.into_owned())).unwrap_or_default();
        let (start, end) = (text("FileNamePrefix"), text("FileExtension"));
        let mut found = Vec::new();
        for address in containers.elements().filter_map(|c| Some(c.as_str()?.into_owned())) {
            found.extend(self.stored(&address, &start, &end, argument)?);
        }
        match text("Mode").as_str() {
            "any" => found.truncate(1),
            "all" => {}
            "" | "last" => drop(found.drain(..found.len().saturating_sub(1))),
            _ => return Err(self.error("HP126", "The option 'Mode' is one of any, last, all.", argument.span)),
        }
        Ok(united(&found))
    }

    /// The schema of what stands for an address; none in a check, which reads nothing.
    fn stored(&mut self, address: &str, start: &str, end: &str, argument: &Argument) -> Bind<Option<Schema>> {
        match self.catalog.stored(address, start, end) {
            Ok(Some(source)) => Ok(Some(source.schema().clone())),
            Ok(None) if self.settings.open_tables => Ok(None),
            Ok(None) => {
                let bare = address.split(['?', ';']).next().unwrap_or("");
                let said = Diagnostic::error("HP123", format!("no data is given for the storage '{bare}'"));
                let help = format!("give its files with externaldata={{\"{bare}\": …}}: the network is never used");
                self.say(said.at(argument.span).help(help));
                Err(Reported)
            }
            Err(fault) => Err(self.fault(&fault, argument.span)),
        }
    }
}

/// The columns of all schemas, each of the kind that holds all its kinds.
fn united(schemas: &[Schema]) -> Schema {
    let mut all = Schema::default();
    for (name, kind) in schemas.iter().flat_map(|schema| schema.columns()) {
        let known = all.kind(name).unwrap_or(*kind);
        all.set(name.clone(), wider(known, *kind));
    }
    all
}

/// Several schemas, in the form that `getschema` gives, as one.
#[derive(Debug)]
struct Merge {
    /// Whether a column must keep its place.
    in_order: bool,
    schema: Schema,
}

/// A column of the merged schema.
struct Merged {
    name: String,
    first: i64,
    last: i64,
    /// The kinds' names, until two do not meet.
    kind: std::result::Result<Kind, String>,
}

impl TableOperation for Merge {
    fn name(&self) -> &str {
        "schema_merge"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some(self.schema.names().cloned().collect())
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no schemas to merge"))?;
        let column = |name: &str| table.column_named(name).ok_or_else(|| Fault::internal("a schema lost a column"));
        let (names, ordinals, kinds) = (column("ColumnName")?, column("ColumnOrdinal")?, column("ColumnType")?);
        let mut merged: Vec<Merged> = Vec::new();
        for row in 0..table.rows() {
            context.check()?;
            let name = names.value(row).to_text();
            let ordinal = ordinals.value(row).as_long().unwrap_or(0);
            let text = kinds.value(row).to_text();
            let kind = Kind::parse(&text).ok_or(format!("unknown CSL type:{text}"));
            match merged.iter_mut().find(|column| column.name == name) {
                None => merged.push(Merged { name, first: ordinal, last: ordinal, kind }),
                Some(column) => column.also(ordinal, kind),
            }
        }
        merged.sort_by_key(|column| column.last);
        let rows: Vec<Vec<Value>> = (0i64..).zip(merged).map(|(at, column)| self.row(at, column)).collect();
        Ok(Table::from_rows(self.schema.clone(), &rows))
    }
}

impl Merged {
    fn also(&mut self, ordinal: i64, kind: std::result::Result<Kind, String>) {
        self.last = self.last.max(ordinal);
        self.kind = match (self.kind.clone(), kind) {
            (Ok(own), Ok(other)) if own == other => Ok(own),
            (Ok(own), Ok(other)) if own.is_number() && other.is_number() => Ok(wider(own, other)),
            (Ok(own), Ok(other)) => Err(format!("types {own} and {other} do not merge")),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        if ordinal < self.first {
            self.first = ordinal;
        }
    }
}

impl Merge {
    fn row(&self, at: i64, column: Merged) -> Vec<Value> {
        let moved = self.in_order && column.first != column.last;
        let kind = if moved { Err("columns are out of order".to_owned()) } else { column.kind };
        let texts = |data: String, kind: String| [Value::string(data), Value::string(kind)];
        let (ordinal, [data, kind]) = match kind {
            Ok(kind) => (at, texts(data_type(kind).to_owned(), kind.name().to_owned())),
            Err(error) => (-1, texts(format!("ERROR(unknown CSL type:ERROR({error}))"), format!("ERROR({error})"))),
        };
        vec![Value::string(column.name), Value::Long(ordinal), data, kind]
    }
}

super::items! {
    /// Merges schemas, in the form that `getschema` gives, into one.
    ///
    /// Numbers of different kinds become the wider kind. Where kinds do not meet, and where a column changes its place
    /// while `PreserveOrder` is true (the default), the column's row says so and has the ordinal -1.
    ///
    /// Source: schema-merge-plugin.
    ///
    /// ```kql
    /// union (print a = 1 | getschema), (print a = 2, b = "" | getschema) | evaluate schema_merge() | count // 2
    /// ```
    fn schema_merge(PreserveOrder[optional]: Constant) = |binder, evaluation| binder.schema_merge(evaluation);

    /// The columns of stored files and their kinds, as one text `name:kind, name:kind`.
    ///
    /// The bag's `StorageContainers` are addresses: the files that stand for them are given as for `externaldata`, the
    /// network is never used. `FileNamePrefix` and `FileExtension` choose among the files of a folder. `Mode` says
    /// which addresses count: `any` (the first), `last` (the default) or `all`.
    ///
    /// Source: infer-storage-schema-plugin.
    fn infer_storage_schema(Options: Constant) = |binder, evaluation| binder.infer_storage_schema(evaluation);
}
