//! `where`, `extend`, `project` and its relatives, `print`.
use super::several::Naming;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{
    Column, ColumnNames, Expression, ExpressionKind, Literal, NamePattern, Print, ProjectByNames, ProjectPatterns,
    ProjectRename, ProjectReorder, ReorderItem, SortOrder, Where,
};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::{Names, automatic};
use crate::kql::bind::relation::{Lifted, Relation, Row};
use crate::kql::bind::tables::matches_pattern;
use crate::kql::bind::{Bind, Reported};
use crate::plan::{Node, RowCall};
use crate::types::{Json, Kind, Name, Schema, Value};

impl Binder<'_> {
    pub fn filter(&mut self, filter: &Where, input: &Relation) -> Bind<Relation> {
        let lifted = Lifted::default();
        let row = Row { in_order: Some(&lifted), ..Row::of(input) };
        let predicate = self.predicate(&filter.predicate, &row)?;
        let below = self.with_rows(lifted, input);
        let mut kept = self.same_columns(&below, Node::Filter { input: below.node, predicate });
        kept.table.clone_from(&input.table);
        Ok(self.without_hidden(kept, input))
    }

    /// The input with the lifted functions of the row's place computed.
    pub fn with_rows(&mut self, lifted: Lifted<RowCall>, input: &Relation) -> Relation {
        let mut relation = input.clone();
        // One node each: a call may read what an inner call gave.
        for (name, call) in lifted.into_inner() {
            let kind = row_kind(&call);
            let mut schema = relation.schema.clone();
            schema.set(name.clone(), kind);
            relation = self.over(&relation, Node::Rows { input: relation.node, columns: vec![(name, call)] }, schema);
        }
        relation
    }

    /// Takes away the columns that `with_rows` added.
    fn without_hidden(&mut self, relation: Relation, input: &Relation) -> Relation {
        let visible = |name: &Name| !name.starts_with('$') || input.schema.contains(name);
        if relation.schema.names().all(visible) {
            return relation;
        }
        let open = relation.open;
        let columns = relation.schema.columns().iter().filter(|(n, _)| visible(n));
        let columns = columns.map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        Relation { open, ..self.project(&relation, columns) }
    }

    pub fn extend_columns(&mut self, columns: &[Column], input: &Relation) -> Bind<Relation> {
        let lifted = Lifted::default();
        let row = Row { in_order: Some(&lifted), ..Row::of(input) };
        let mut names = Names::default();
        // A numbered name never replaces a column that is there.
        input.schema.names().filter(|n| n.starts_with("Column")).for_each(|n| {
            names.declare(n);
        });
        let mut made: Vec<(Name, Expr)> = Vec::new();
        for column in columns {
            for (name, expr) in self.named_columns(column, &row, &mut names, true) {
                match made.iter_mut().find(|(n, _)| *n == name) {
                    Some(earlier) => earlier.1 = expr,
                    None => made.push((name, expr)),
                }
            }
        }
        let below = self.with_rows(lifted, input);
        let extended = self.extend(&below, made);
        Ok(self.without_hidden(extended, input))
    }

    pub fn project_columns(&mut self, columns: &[Column], input: &Relation) -> Bind<Relation> {
        let lifted = Lifted::default();
        let row = Row { in_order: Some(&lifted), ..Row::of(input) };
        let mut names = Names::default();
        let mut made = Vec::new();
        for column in columns {
            made.extend(self.named_columns(column, &row, &mut names, false));
        }
        let below = self.with_rows(lifted, input);
        Ok(self.project(&below, made))
    }

    /// The columns of an item, an expression that failed as an unknown one. In `extend` a written or
    /// an automatic name replaces the column that has it.
    pub(super) fn named_columns(
        &mut self,
        column: &Column,
        row: &Row,
        names: &mut Names,
        replaces: bool,
    ) -> Vec<(Name, Expr)> {
        let failed = |Reported| Expr::Const(Value::Null(Kind::Dynamic));
        let expr = self.whole(&column.expression, row).unwrap_or_else(failed);
        let naming = if replaces { Naming::Replacing } else { Naming::Unique };
        if let Some(several) = self.several(column, &expr, row, names, naming) {
            return several.unwrap_or_default();
        }
        if let ColumnNames::Tuple(given) = &column.names {
            return self.tuple(given, expr, column.span, names);
        }
        let name = match &column.names {
            ColumnNames::One(name) if replaces => {
                names.declare(&name.text);
                name.text.as_str().into()
            }
            ColumnNames::One(name) => self.declared(name, names),
            _ => match automatic_name(&column.expression, row) {
                Some(name) if replaces => {
                    names.declare(&name);
                    name.into()
                }
                Some(name) => names.unique(&name),
                None => names.numbered(&mut self.numbered),
            },
        };
        vec![(name, expr)]
    }

    /// `(a, b) = expression`: the elements of an array.
    fn tuple(
        &mut self,
        given: &[crate::kql::ast::Name],
        expr: Expr,
        span: Span,
        names: &mut Names,
    ) -> Vec<(Name, Expr)> {
        let elements = given.iter().enumerate().map(|(at, name)| {
            let path = Expr::Const(Value::dynamic(format!("[{at}]")));
            let element = match expr.kind() {
                Kind::Dynamic => self.call_item(".path", vec![expr.clone(), path], span),
                _ => Err(self.error("KS149", "The expression does not have multiple named values.", span)),
            };
            names.declare(&name.text);
            (Name::from(name.text.as_str()), element.unwrap_or(Expr::Const(Value::Null(Kind::Dynamic))))
        });
        elements.collect()
    }

    pub fn print(&mut self, print: &Print) -> Bind<Relation> {
        let one = self.one_row();
        let row = Row::default();
        let mut names = Names::default();
        let mut made = Vec::new();
        for (at, column) in print.columns.iter().enumerate() {
            let failed = |Reported| Expr::Const(Value::Null(Kind::Dynamic));
            let expr = self.whole(&column.expression, &row).unwrap_or_else(failed);
            if let Some(several) = self.several(column, &expr, &row, &mut names, Naming::Written) {
                made.extend(several.unwrap_or_default());
                continue;
            }
            match &column.names {
                ColumnNames::Tuple(given) => made.extend(self.tuple(given, expr, column.span, &mut names)),
                ColumnNames::One(name) => made.push((self.declared(name, &mut names), expr)),
                ColumnNames::Automatic => made.push((names.unique(&format!("print_{at}")), expr)),
            }
        }
        Ok(self.project(&one, made))
    }

    fn columns_named(&mut self, patterns: &[NamePattern], input: &Relation) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        for pattern in patterns {
            let matching: Vec<Name> = input
                .schema
                .names()
                .filter(|n| if pattern.wildcard { matches_pattern(&pattern.text, n) } else { ***n == *pattern.text })
                .cloned()
                .collect();
            if matching.is_empty() && !input.is_open() {
                let names: Vec<Name> = input.schema.names().cloned().collect();
                let known = names.iter().map(|n| &**n);
                self.unknown("KS142", "column", &pattern.text, pattern.span, known);
            }
            found.extend(matching.into_iter().filter(|n| !found.contains(n)).collect::<Vec<_>>());
        }
        found
    }

    fn only(&mut self, input: &Relation, kept: &[Name]) -> Relation {
        let kinds = &input.schema;
        let columns = kept.iter().filter_map(|n| Some((n.clone(), Expr::Column(n.clone(), kinds.kind(n)?)))).collect();
        self.project(input, columns)
    }

    /// The columns that constants name, in their order; a name that no column has is passed over.
    pub fn project_by_names(&mut self, project: &ProjectByNames, input: &Relation) -> Bind<Relation> {
        let mut kept: Vec<Name> = Vec::new();
        for names in &project.names {
            let value = self.constant_of(names)?;
            for pattern in texts_of(&value) {
                let matching = input.schema.names().filter(|name| matches_pattern(&pattern, name));
                kept.extend(matching.filter(|name| !kept.contains(name)).cloned().collect::<Vec<_>>());
            }
        }
        Ok(self.only(input, &kept))
    }

    pub fn project_away(&mut self, away: &ProjectPatterns, input: &Relation) -> Bind<Relation> {
        let gone = self.columns_named(&away.patterns, input);
        let kept: Vec<Name> = input.schema.names().filter(|n| !gone.contains(n)).cloned().collect();
        let out = self.only(input, &kept);
        Ok(Relation { open: input.open, ..out })
    }

    pub fn project_keep(&mut self, keep: &ProjectPatterns, input: &Relation) -> Bind<Relation> {
        let wanted = self.columns_named(&keep.patterns, input);
        let kept: Vec<Name> = input.schema.names().filter(|n| wanted.contains(n)).cloned().collect();
        Ok(self.only(input, &kept))
    }

    pub fn project_rename(&mut self, rename: &ProjectRename, input: &Relation) -> Bind<Relation> {
        let mut columns: Vec<(Name, Expr)> =
            input.schema.columns().iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        for renamed in &rename.renames {
            let old = input.schema.position(&renamed.old.text);
            let Some(place) = old.and_then(|at| columns.get_mut(at)) else {
                if input.is_open() {
                    columns.push((renamed.new.text.as_str().into(), Expr::Const(Value::Null(Kind::Dynamic))));
                    continue;
                }
                let names: Vec<Name> = input.schema.names().cloned().collect();
                let known = names.iter().map(|n| &**n);
                self.unknown("KS142", "column", &renamed.old.text, renamed.old.span, known);
                continue;
            };
            place.0 = renamed.new.text.as_str().into();
        }
        let mut names = Names::default();
        for renamed in &rename.renames {
            if columns.iter().filter(|(n, _)| **n == *renamed.new.text).count() > 1 {
                let message = format!("A column with the name '{}' is already declared.", renamed.new.text);
                return Err(self.error("KS171", message, renamed.new.span));
            }
        }
        columns.iter_mut().for_each(|(name, _)| *name = names.unique(name));
        let out = self.project(input, columns);
        Ok(Relation { open: input.open, ..out })
    }

    pub fn project_reorder(&mut self, reorder: &ProjectReorder, input: &Relation) -> Bind<Relation> {
        // A column stands where the first pattern that it matches puts it.
        let mut order: Vec<Name> = Vec::new();
        for item in &reorder.items {
            let mut matching = self.columns_named(std::slice::from_ref(&item.pattern), input);
            in_order(&mut matching, item);
            order.extend(matching.into_iter().filter(|n| !order.contains(n)).collect::<Vec<_>>());
        }
        let rest: Vec<Name> = input.schema.names().filter(|n| !order.contains(n)).cloned().collect();
        order.extend(rest);
        let out = self.only(input, &order);
        Ok(Relation { open: input.open, ..out })
    }
}

/// The name that an expression gives its column: a column that exists keeps its own.
pub(super) fn automatic_name(expression: &Expression, row: &Row) -> Option<String> {
    if let ExpressionKind::Call(call) = &expression.kind
        && matches!(call.name.text.as_str(), "column_ifexists" | "columnifexists")
    {
        let ExpressionKind::Literal(Literal::String(text)) = &call.arguments.first()?.value.kind else {
            return None;
        };
        return row.column(&text.text).map(|(name, _)| name.to_string());
    }
    automatic(expression)
}

/// Names that a pattern found, in its order, whatever their case.
fn in_order(names: &mut [Name], item: &ReorderItem) {
    match item.order {
        None => {}
        Some(SortOrder::Ascending) => names.sort_by_cached_key(|n| n.to_uppercase()),
        Some(SortOrder::Descending) => names.sort_by_cached_key(|n| std::cmp::Reverse(n.to_uppercase())),
        Some(SortOrder::GrannyAscending) => names.sort_by_key(|n| by_number(n)),
        Some(SortOrder::GrannyDescending) => names.sort_by_key(|n| std::cmp::Reverse(by_number(n))),
    }
}

/// A name cut into texts and numbers, so that `a2` comes before `a10`.
fn by_number(name: &str) -> Vec<(String, u64)> {
    let mut parts: Vec<(String, u64)> = vec![(String::new(), 0)];
    let mut in_number = false;
    for c in name.to_uppercase().chars() {
        let Some(last) = parts.last_mut() else { break };
        match c.to_digit(10) {
            Some(digit) => {
                last.1 = last.1.saturating_mul(10).saturating_add(u64::from(digit));
                in_number = true;
            }
            None if in_number => {
                parts.push((c.to_string(), 0));
                in_number = false;
            }
            None => last.0.push(c),
        }
    }
    parts
}

fn row_kind(call: &RowCall) -> Kind {
    match call {
        RowCall::Plain(e) => e.kind(),
        RowCall::Number { .. } | RowCall::Rank { .. } => Kind::Long,
        RowCall::CumulativeSum { term, .. } => term.kind(),
        RowCall::Shift { value, .. } => value.kind(),
        RowCall::Session { .. } => Kind::DateTime,
    }
}

/// The columns of a schema as expressions.
pub(super) fn all_columns(schema: &Schema) -> Vec<(Name, Expr)> {
    schema.columns().iter().map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect()
}

/// The texts that a constant holds: itself, or the elements of an array.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Text(Kind::Dynamic, array) if array.starts_with('[') => {
            Json::new(array).elements().filter_map(|e| Some(e.as_str()?.into_owned())).collect()
        }
        other => vec![other.to_text()],
    }
}

crate::pages! {
    /// The rows for which a condition holds.
    ///
    /// A row whose condition is null is left out. Conditions are joined by `and` and `or`; the cheap ones run first.
    ///
    /// Source: where-operator.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | where x > 3 | count // 2
    /// ```
    Operator "where" as ["filter"]: "T | where Condition";

    /// The columns of the rows and further ones, computed from each row.
    ///
    /// A name that is there already is replaced in its place. The columns of one `extend` do not see each other: a
    /// second `extend` does.
    ///
    /// Source: extend-operator.
    ///
    /// ```kql
    /// print a = 2 | extend b = a * 3 | project b // 6
    /// ```
    Operator "extend": "T | extend [Column =] Expression, ...";

    /// Only the columns named, in that order, computed where an expression stands.
    ///
    /// Source: project-operator.
    ///
    /// ```kql
    /// print a = 2, b = 3 | project c = a + b // 5
    /// ```
    Operator "project": "T | project [Column =] Expression, ...";

    /// The columns without those named.
    ///
    /// A star stands for any text.
    ///
    /// Source: project-away-operator.
    ///
    /// ```kql
    /// print a1 = 1, a2 = 2, b = 3 | project-away a* // 3
    /// ```
    Operator "project-away": "T | project-away Column, Pattern*, ...";

    /// Only the columns named, in the order that they have.
    ///
    /// A star stands for any text.
    ///
    /// Source: project-keep-operator.
    ///
    /// ```kql
    /// print a = 1, b = 2, c = 3 | project-keep c, b // 2
    /// ```
    Operator "project-keep": "T | project-keep Column, Pattern*, ...";

    /// The columns under other names, in their places.
    ///
    /// Source: project-rename-operator.
    ///
    /// ```kql
    /// print a = 1, b = 2 | project-rename c = b | project c // 2
    /// ```
    Operator "project-rename": "T | project-rename New = Old, ...";

    /// The columns named first, all others after them.
    ///
    /// What a pattern with a star finds is ordered by name where an order follows; `granny-asc` takes numbers inside of
    /// names by their value.
    ///
    /// Source: project-reorder-operator.
    ///
    /// ```kql
    /// print a = 1, b = 2 | project-reorder b // 2
    /// ```
    Operator "project-reorder": "T | project-reorder Column [asc | desc | granny-asc | granny-desc], Pattern*, ...";

    /// One row of values.
    ///
    /// Columns without a name are called `print_0`, `print_1` and so on.
    ///
    /// Source: print-operator.
    ///
    /// ```kql
    /// print a = 6 * 7 | project a // 42
    /// ```
    Operator "print": "print [Column =] Expression, ...";

    /// Only the columns whose names the texts give.
    ///
    /// A text may be the element of an array, and a star in it stands for any text.
    ///
    /// Source: project-by-names-operator.
    ///
    /// ```kql
    /// print a = 1, b = 2 | project-by-names "b" // 2
    /// ```
    Operator "project-by-names": "T | project-by-names \"Column\", Pattern, ...";
}
