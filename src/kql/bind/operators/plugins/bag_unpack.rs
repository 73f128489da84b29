//! `bag_unpack`: the properties of bags as columns.
use super::Evaluation;
use crate::expr::Expr;
use crate::kql::ast::RowSchema;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Open, Relation};
use crate::types::{Dynamic, Json, Kind, Name, Table, Value, json};
use std::collections::BTreeMap;

/// Columns that one plugin may make.
pub(super) const MAX_COLUMNS: usize = 10_000;

/// What becomes of a property whose column is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    ReplaceSource,
    KeepSource,
}

/// A column and its value.
type Computed = (Name, Expr);

impl Binder<'_> {
    fn bag_unpack(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let input = evaluation.input;
        let (bag, kind) = self.column_argument(evaluation, "Column")?;
        if kind != Kind::Dynamic {
            let place = self.place_of(evaluation, "Column");
            return Err(self.error("KS141", "The expression must have the type dynamic.", place));
        }
        let prefix = self.option(evaluation, "OutputColumnPrefix")?.map_or_else(String::new, |v| v.to_text());
        let conflict = self.conflict(evaluation)?;
        let rest: Vec<(Name, Kind)> = input.schema.columns().iter().filter(|(n, _)| *n != bag).cloned().collect();
        if let Some(schema) = evaluation.schema {
            return self.unpacked_as(evaluation, &bag, &rest, schema, &prefix);
        }
        let ignored = self.ignored(evaluation)?;
        // No rows tell of no property, and rule none out.
        let table = self.answer(input.node, evaluation.span).filter(|table| table.rows() > 0);
        let Some(table) = table else { return Ok(self.without_bag(input, &rest)) };
        let properties = properties(&table, &bag, &ignored);
        if properties.len() > MAX_COLUMNS {
            return Err(self.error("HP310", "'bag_unpack' would make too many columns", evaluation.span));
        }
        let rows = self.values(table);
        let mut columns: Vec<Computed> = rest.iter().map(itself).collect();
        for (property, kind) in properties {
            let name: Name = format!("{prefix}{property}").into();
            let place = columns.iter().position(|(n, _)| *n == name);
            match (place.and_then(|at| columns.get_mut(at)), conflict) {
                (None, _) => columns.push((name, self.property(&bag, &property, kind, evaluation)?)),
                (Some(_), Conflict::KeepSource) => {}
                (Some(column), Conflict::ReplaceSource) => {
                    column.1 = self.property(&bag, &property, kind, evaluation)?;
                }
                (Some(_), Conflict::Error) => {
                    let message = format!("'bag_unpack' would make a second column '{name}'");
                    return Err(self.error("HP124", message, evaluation.span));
                }
            }
        }
        Ok(self.project(&rows, columns))
    }

    fn conflict(&mut self, evaluation: &Evaluation) -> Bind<Conflict> {
        let said = self.option(evaluation, "columnsConflict")?.map(|v| v.to_text());
        match said.as_deref() {
            None | Some("error") => Ok(Conflict::Error),
            Some("replace_source") => Ok(Conflict::ReplaceSource),
            Some("keep_source") => Ok(Conflict::KeepSource),
            Some(_) => {
                let message = "'columnsConflict' is one of error, replace_source, keep_source.";
                Err(self.error("HP126", message, self.place_of(evaluation, "columnsConflict")))
            }
        }
    }

    fn ignored(&mut self, evaluation: &Evaluation) -> Bind<Vec<String>> {
        Ok(match self.option(evaluation, "ignoredProperties")? {
            Some(Value::Text(_, text)) => {
                Json::new(&text).elements().filter_map(|e| Some(e.as_str()?.into_owned())).collect()
            }
            _ => Vec::new(),
        })
    }

    /// What is known over no rows: the other columns, and any more.
    fn without_bag(&mut self, input: &Relation, rest: &[(Name, Kind)]) -> Relation {
        let mut out = self.project(input, rest.iter().map(itself).collect());
        out.open = Open::Any;
        out
    }

    /// The columns that the query declares, and no others; with a star, the columns of the rows before them.
    fn unpacked_as(
        &mut self,
        evaluation: &Evaluation,
        bag: &Name,
        rest: &[(Name, Kind)],
        schema: &RowSchema,
        prefix: &str,
    ) -> Bind<Relation> {
        let mut columns: Vec<Computed> = if schema.open { rest.iter().map(itself).collect() } else { Vec::new() };
        for declared in &schema.columns {
            let name: Name = declared.name.text.as_str().into();
            let kind = declared.kind.kind.unwrap_or(Kind::Dynamic);
            if columns.iter().any(|(n, _)| *n == name) {
                continue;
            }
            let value = match rest.iter().find(|(n, _)| *n == name) {
                Some(column) => {
                    let (_, own) = itself(column);
                    self.converted(own, kind, declared.span)?
                }
                None => {
                    let property = name.strip_prefix(prefix).unwrap_or(&name);
                    self.property(bag, property, kind, evaluation)?
                }
            };
            columns.push((name, value));
        }
        let out = self.project(evaluation.input, columns);
        Ok(out)
    }

    /// A property of the bag as `kind`.
    fn property(&mut self, bag: &Name, property: &str, kind: Kind, evaluation: &Evaluation) -> Bind<Expr> {
        let value = Expr::Column(bag.clone(), Kind::Dynamic);
        let path = Expr::Const(Value::dynamic(format!("[{}]", Value::string(property).to_json())));
        let value = self.call_item(".path", vec![value, path], evaluation.span)?;
        self.converted(value, kind, evaluation.span)
    }
}

/// A column as its own value.
pub(super) fn itself((name, kind): &(Name, Kind)) -> Computed {
    (name.clone(), Expr::Column(name.clone(), *kind))
}

/// The properties of a column's bags in order of their names, with the kind of their values; dynamic where they
/// differ in kind.
fn properties(table: &Table, bag: &str, ignored: &[String]) -> Vec<(String, Kind)> {
    let mut found: BTreeMap<String, Option<Kind>> = BTreeMap::new();
    let Some(column) = table.column_named(bag) else { return Vec::new() };
    for row in 0..column.len() {
        let Some(value @ Dynamic::Json(_)) = Dynamic::of(&column, row) else { continue };
        let text = value.to_json();
        for (key, value) in Json::new(&text).entries() {
            if ignored.iter().any(|i| **i == *key) {
                continue;
            }
            let value = json::scalar(value.text());
            let own = (!value.is_null()).then(|| value.kind());
            let known = found.entry(key.into_owned()).or_default();
            *known = match (*known, own) {
                (Some(a), Some(b)) if a != b => Some(Kind::Dynamic),
                (a, b) => a.or(b),
            };
        }
    }
    found.into_iter().map(|(name, kind)| (name, kind.unwrap_or(Kind::Dynamic))).collect()
}

super::items! {
    /// Makes a column of each property of a column of bags, in order of the properties' names.
    ///
    /// A column has the kind of its values, dynamic where they differ. The bag's own column is gone; a property that
    /// a bag lacks is null there, `""` for string. `OutputColumnPrefix` goes before each new name.
    /// `columnsConflict` says what becomes of a property whose column is there already: `error` (the default),
    /// `replace_source` or `keep_source`. `ignoredProperties` are left out. A schema behind the call makes exactly
    /// its columns, and saves a first look at the rows; a `*` in it keeps the other columns of the rows as well.
    ///
    /// Source: bag-unpack-plugin.
    ///
    /// ```kql
    /// print b = dynamic({"n": 5, "m": 6}) | evaluate bag_unpack(b) : (n: long) // 5
    /// ```
    fn bag_unpack(
        Column: Column,
        OutputColumnPrefix[optional]: Constant,
        columnsConflict[optional]: Constant,
        ignoredProperties[optional]: Constant,
    ) = |binder, evaluation| binder.bag_unpack(evaluation);
}
