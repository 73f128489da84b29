//! Plugins. Those whose columns depend on data are lowered over the rows that a first run gave.
use super::summarize::Aggregation;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::wider;
use crate::kql::ast::{Argument, Call, Evaluate, ExpressionKind, RowSchema};
use crate::kql::bind::Bind;
use crate::kql::bind::aggregates::Given;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Open, Relation, Row};
use crate::types::{Dynamic, Json, Kind, Name, Value, json};

/// Columns that one plugin may make.
const MAX_COLUMNS: usize = 10_000;

impl Binder<'_> {
    pub fn evaluate(&mut self, evaluate: &Evaluate, input: &Relation, span: Span) -> Bind<Relation> {
        match evaluate.call.name.text.as_str() {
            "bag_unpack" => self.bag_unpack(&evaluate.call, evaluate.schema.as_ref(), input, span),
            "pivot" => self.pivot(&evaluate.call, evaluate.schema.as_ref(), input, span),
            "narrow" => Ok(self.narrow(input)),
            "basket" | "autocluster" => Ok(self.segments(&evaluate.call, input)),
            "rows_near" => self.rows_near(&evaluate.call, input),
            "ipv4_lookup" | "ipv6_lookup" => self.address_lookup(&evaluate.call, input, span),
            other => Err(self.unsupported(&format!("the plugin '{other}'"), evaluate.call.name.span)),
        }
    }

    /// The column that an argument names.
    fn column_argument(&mut self, call: &Call, at: usize, input: &Relation) -> Bind<(Name, Kind)> {
        match self.argument(call, at, &Row::of(input))? {
            Expr::Column(name, kind) => Ok((name, kind)),
            _ => {
                Err(self.error("KS109", "Column name expected.", call.arguments.get(at).map_or(call.span, |a| a.span)))
            }
        }
    }

    fn bag_unpack(&mut self, call: &Call, schema: Option<&RowSchema>, input: &Relation, span: Span) -> Bind<Relation> {
        let bag = match self.column_argument(call, 0, input) {
            Ok((column, Kind::Dynamic)) => column,
            Ok((column, _)) if input.unknown.contains(&column) => column,
            Ok(_) => {
                let place = call.arguments.first().map_or(span, |a| a.span);
                return Err(self.error("KS141", "The expression must have the type dynamic.", place));
            }
            Err(reported) if input.is_open() => {
                return if schema.is_none() { Ok(input.clone()) } else { Err(reported) };
            }
            Err(reported) => return Err(reported),
        };
        let prefix = self.option(call, 1, "OutputColumnPrefix")?.map_or_else(String::new, |v| v.to_text());
        let conflict = self.option(call, 2, "columnsConflict")?.map_or_else(|| "error".to_owned(), |v| v.to_text());
        let ignored = match self.option(call, 3, "ignoredProperties")? {
            Some(Value::Text(_, text)) => {
                Json::new(&text).elements().filter_map(|e| Some(e.as_str()?.into_owned())).collect()
            }
            _ => Vec::new(),
        };
        let rest: Vec<(Name, Kind)> = input.schema.columns().iter().filter(|(n, _)| *n != bag).cloned().collect();
        let (rows, properties) = match schema.filter(|s| !s.open) {
            Some(schema) => (input.clone(), declared_properties(schema, &rest)),
            None => match self.answer(input.node, span) {
                Some(table) => {
                    let properties = properties(&table, &bag, &ignored);
                    (self.values(table), properties)
                }
                None => return Ok(self.without_bag(input, &rest)),
            },
        };
        if properties.len() > MAX_COLUMNS {
            return Err(self.error("HP310", "'bag_unpack' would make too many columns", span));
        }
        self.unpacked(&rows, &bag, rest, properties, &prefix, &conflict, span)
    }

    /// A constant argument, found by its name or in its place.
    fn option(&mut self, call: &Call, at: usize, name: &str) -> Bind<Option<Value>> {
        let named = |a: &&Argument| a.name.as_ref().is_some_and(|n| n.text.eq_ignore_ascii_case(name));
        let in_place =
            || call.arguments.get(at).filter(|_| call.arguments.iter().take(at + 1).all(|a| a.name.is_none()));
        match call.arguments.iter().find(named).or_else(in_place) {
            Some(argument) => self.constant_of(&argument.value).map(Some),
            None => Ok(None),
        }
    }

    fn without_bag(&mut self, input: &Relation, rest: &[(Name, Kind)]) -> Relation {
        let columns = rest.iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        let mut out = self.project(input, columns);
        out.open = Open::Any;
        out
    }

    #[expect(clippy::too_many_arguments, reason = "the plugin's own parameters")]
    fn unpacked(
        &mut self,
        rows: &Relation,
        bag: &Name,
        rest: Vec<(Name, Kind)>,
        properties: Vec<(String, Kind)>,
        prefix: &str,
        conflict: &str,
        span: Span,
    ) -> Bind<Relation> {
        let mut columns: Vec<(Name, Expr)> =
            rest.iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        for (property, kind) in properties {
            let name: Name = format!("{prefix}{property}").into();
            let place = columns.iter().position(|(n, _)| *n == name);
            if place.is_some() && conflict == "keep_source" {
                continue;
            }
            let value = Expr::Column(bag.clone(), Kind::Dynamic);
            let path = Expr::Const(Value::dynamic(format!("[{}]", Value::string(property).to_json())));
            let value = self.call_item(".path", vec![value, path], span)?;
            let value = self.converted(value, kind, span)?;
            match place.and_then(|at| columns.get_mut(at)) {
                Some(column) if conflict == "replace_source" => column.1 = value,
                Some(_) => {
                    let message = format!("'bag_unpack' would make a second column '{name}'");
                    return Err(self.error("HP124", message, span));
                }
                None => columns.push((name, value)),
            }
        }
        Ok(self.project(rows, columns))
    }

    /// `pivot(column, aggregate, keys…)`: a column for each value of `column`.
    fn pivot(&mut self, call: &Call, schema: Option<&RowSchema>, input: &Relation, span: Span) -> Bind<Relation> {
        let (column, kind) = self.column_argument(call, 0, input)?;
        let mut names = Names::default();
        let base = match call.arguments.get(1) {
            Some(argument) => {
                let item = crate::kql::ast::Column {
                    names: crate::kql::ast::ColumnNames::Automatic,
                    expression: argument.value.clone(),
                    span: argument.span,
                };
                match self.aggregate_columns(&item, input, &mut Names::default()) {
                    Some(given) => given?.into_iter().next(),
                    None => return Err(self.error("KS144", "An aggregate is expected.", argument.span)),
                }
            }
            None => self.counted(),
        };
        let Some(base) = base else { return Err(super::Reported) };
        let by = self.pivot_keys(call, &column, &base, input)?;
        by.iter().for_each(|(n, _)| {
            names.declare(n);
        });
        let values = match schema.filter(|s| !s.open) {
            Some(schema) => {
                let columns = schema.columns.iter().map(|c| c.name.text.clone());
                columns.filter(|n| !names.has(n)).collect()
            }
            None => match self.answer(input.node, span) {
                Some(table) => return self.pivoted_over(table, &column, kind, base, by, names, span),
                None => {
                    let columns = by.iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
                    let mut out = self.project(input, columns);
                    out.open = Open::Any;
                    return Ok(out);
                }
            },
        };
        self.pivoted(input, &column, kind, values, base, by, names, span)
    }

    pub(super) fn counted(&self) -> Option<Given> {
        let function = crate::functions::aggregates::find(crate::functions::Dialect::Kql, "count")?;
        let call = crate::plan::AggregateCall { function, arguments: Vec::new(), condition: None, kind: Kind::Long };
        Some(Given { name: "count_".into(), call })
    }

    /// The columns that rows are grouped by: those named, else all that nothing else uses.
    fn pivot_keys(&mut self, call: &Call, column: &Name, base: &Given, input: &Relation) -> Bind<Vec<(Name, Kind)>> {
        let named: Vec<_> = call.arguments.iter().skip(2).collect();
        if named.is_empty() {
            let used: Vec<Name> = base.call.expressions().flat_map(|e| e.columns()).collect();
            let free = input.schema.columns().iter().filter(|(n, _)| n != column && !used.contains(n));
            return Ok(free.cloned().collect());
        }
        let mut keys = Vec::new();
        for argument in named {
            match &argument.value.kind {
                ExpressionKind::Name(name) if input.schema.contains(&name.text) => {
                    let kind = input.schema.kind(&name.text).unwrap_or(Kind::Dynamic);
                    keys.push((Name::from(name.text.as_str()), kind));
                }
                _ => return Err(self.error("KS109", "Column name expected.", argument.span)),
            }
        }
        Ok(keys)
    }

    #[expect(clippy::too_many_arguments, reason = "the plugin's own parameters")]
    fn pivoted_over(
        &mut self,
        table: crate::types::Table,
        column: &Name,
        kind: Kind,
        base: Given,
        by: Vec<(Name, Kind)>,
        names: Names,
        span: Span,
    ) -> Bind<Relation> {
        let mut values: Vec<String> = match table.column_named(column) {
            Some(column) => column.values().map(|v| v.to_text()).collect(),
            None => Vec::new(),
        };
        values.sort();
        values.dedup();
        let rows = self.values(table);
        self.pivoted(&rows, column, kind, values, base, by, names, span)
    }

    #[expect(clippy::too_many_arguments, reason = "the plugin's own parameters")]
    fn pivoted(
        &mut self,
        rows: &Relation,
        column: &Name,
        kind: Kind,
        values: Vec<String>,
        base: Given,
        by: Vec<(Name, Kind)>,
        mut names: Names,
        span: Span,
    ) -> Bind<Relation> {
        if values.len() > MAX_COLUMNS {
            return Err(self.error("HP310", "'pivot' would make too many columns", span));
        }
        let keys: Vec<(Name, Expr)> = by.iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        let mut made = Aggregation { by: keys.clone(), calls: Vec::new(), columns: keys };
        let own = self.converted(Expr::Column(column.clone(), kind), Kind::String, span)?;
        for value in values {
            let is_it = self.call_item("==", vec![own.clone(), Expr::Const(Value::string(value.as_str()))], span)?;
            let mut call = base.call.clone();
            call.condition = Some(match call.condition.take() {
                Some(also) => is_it.and(also),
                None => is_it,
            });
            let name = names.unique(&value);
            made.columns.push((name.clone(), Expr::Column(name.clone(), call.kind)));
            made.calls.push((name, call));
        }
        Ok(self.aggregated(rows, made))
    }
}

/// The columns that a declared schema adds to those that are there.
fn declared_properties(schema: &RowSchema, rest: &[(Name, Kind)]) -> Vec<(String, Kind)> {
    let fresh = schema.columns.iter().filter(|c| !rest.iter().any(|(n, _)| **n == *c.name.text));
    fresh.map(|c| (c.name.text.clone(), c.kind.kind.unwrap_or(Kind::Dynamic))).collect()
}

/// The properties of a column's bags in order of their names, with the kind that holds all their values.
fn properties(table: &crate::types::Table, bag: &str, ignored: &[String]) -> Vec<(String, Kind)> {
    let mut found: std::collections::BTreeMap<String, Option<Kind>> = Default::default();
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
                (Some(a), Some(b)) => Some(wider(a, b)),
                (a, b) => a.or(b),
            };
        }
    }
    found.into_iter().map(|(name, kind)| (name, kind.unwrap_or(Kind::Dynamic))).collect()
}
