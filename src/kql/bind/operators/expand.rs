//! `mv-expand` and `mv-apply`.
use super::columns::automatic_name;
use crate::expr::Expr;
use crate::kql::ast::{BagExpansion, ColumnNames, MvApply, MvColumn, MvExpand};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::{Binder, is_unknown};
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Expanded, Node};
use crate::types::{Kind, Name, Schema, Value};

impl Binder<'_> {
    pub fn mv_expand(&mut self, expand: &MvExpand, input: &Relation) -> Bind<Relation> {
        let columns = self.expanded(&expand.columns, input)?;
        let limit = expand.limit.as_ref().map(|l| self.row_count(l)).transpose()?;
        let index: Option<Name> = expand.with_item_index.as_ref().map(|n| n.text.as_str().into());
        let mut schema = input.schema.clone();
        columns.iter().for_each(|c| schema.set(c.name.clone(), c.kind));
        if let Some(index) = &index {
            schema.set(index.clone(), Kind::Long);
        }
        let keep_bags_as_arrays = expand.expansion.as_ref().is_some_and(|e| e.value == BagExpansion::Array);
        let unknown: Vec<Name> = unknown_elements(&columns, input);
        let node = Node::Expand { input: input.node, columns, index, limit, keep_bags_as_arrays };
        let mut out = self.over(input, node, schema);
        out.unknown.extend(unknown);
        Ok(out)
    }

    fn expanded(&mut self, columns: &[MvColumn], input: &Relation) -> Bind<Vec<Expanded>> {
        let mut made: Vec<Expanded> = Vec::with_capacity(columns.len());
        let mut failed = None;
        for column in columns {
            match self.expanded_column(column, input) {
                Ok(column) => made.push(column),
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or(Ok(made), Err)
    }

    fn expanded_column(&mut self, column: &MvColumn, input: &Relation) -> Bind<Expanded> {
        let value = self.whole(&column.column.expression, &Row::of(input))?;
        if value.kind() != Kind::Dynamic {
            let span = column.column.expression.span;
            return Err(self.error("KS141", "The expression must have the type dynamic.", span));
        }
        let name: Name = match &column.column.names {
            ColumnNames::One(name) => name.text.as_str().into(),
            _ => match automatic_name(&column.column.expression, &Row::of(input)) {
                Some(name) => name.into(),
                None => input.schema.free_name("Column1"),
            },
        };
        let kind = column.to.as_ref().and_then(|to| to.kind).unwrap_or(Kind::Dynamic);
        Ok(Expanded { name, value, kind })
    }

    /// The subquery's rows, below the columns of the row that they came from.
    pub fn mv_apply(&mut self, apply: &MvApply, input: &Relation) -> Bind<Relation> {
        let columns = self.expanded(&apply.columns, input)?;
        let limit = apply.limit.as_ref().map(|l| self.row_count(l)).transpose()?;
        let index: Option<Name> = apply.with_item_index.as_ref().map(|n| n.text.as_str().into());
        let mut inner = input.schema.clone();
        columns.iter().for_each(|c| inner.set(c.name.clone(), c.kind));
        if let Some(index) = &index {
            inner.set(index.clone(), Kind::Long);
        }
        // Each `mv-apply` has rows of its own.
        let number = u32::try_from(self.plan.len()).unwrap_or(u32::MAX);
        let argument = self.plan.add(Node::Argument { number }, inner.clone());
        let mut rows = Relation::new(argument, inner);
        rows.open = input.open;
        rows.unknown.clone_from(&input.unknown);
        rows.unknown.extend(unknown_elements(&columns, input));
        let body = self.pipeline(&apply.subquery, Some(&rows))?;
        // A column that is expanded under its own name is replaced; `x = x` keeps the array beside.
        let replaced = |(made, written): (&Expanded, &MvColumn)| {
            let automatic = matches!(written.column.names, ColumnNames::Automatic);
            (automatic && is_column(&made.value, &made.name)).then(|| made.name.clone())
        };
        let consumed: Vec<Name> = columns.iter().zip(&apply.columns).filter_map(replaced).collect();
        let outer: Vec<Name> = input.schema.names().filter(|n| !consumed.contains(n)).cloned().collect();
        let keep: Vec<Name> = outer.iter().filter(|n| !body.schema.contains(n)).cloned().collect();
        let kept = keep.iter().filter_map(|n| Some((n.clone(), input.schema.kind(n)?)));
        let schema: Schema = kept.chain(body.schema.columns().iter().cloned()).collect();
        let node = Node::Apply { input: input.node, columns, index, limit, body: body.node, keep };
        let mut out = self.over(input, node, schema);
        out.unknown.extend(body.unknown);
        Ok(self.outer_first(out, &outer))
    }

    /// The outer row's columns stand first, also those that the body gives anew.
    fn outer_first(&mut self, applied: Relation, outer: &[Name]) -> Relation {
        let rest = applied.schema.names().filter(|n| !outer.contains(n));
        let order: Vec<&Name> = outer.iter().chain(rest).collect();
        if applied.schema.names().eq(order.iter().copied()) {
            return applied;
        }
        let kinds = &applied.schema;
        let columns: Vec<(Name, Expr)> =
            order.into_iter().filter_map(|n| Some((n.clone(), Expr::Column(n.clone(), kinds.kind(n)?)))).collect();
        let schema: Schema = columns.iter().map(|(n, e)| (n.clone(), e.kind())).collect();
        self.over(&applied, Node::Project { input: applied.node, columns }, schema)
    }
}

fn is_column(expr: &Expr, name: &Name) -> bool {
    matches!(expr, Expr::Column(column, _) if column == name)
}

fn unknown_elements(columns: &[Expanded], input: &Relation) -> Vec<Name> {
    let unknown = |c: &&Expanded| {
        let null = matches!(&c.value, Expr::Const(Value::Null(_)));
        c.kind == Kind::Dynamic && (null || is_unknown(&c.value, input))
    };
    columns.iter().filter(unknown).map(|c| c.name.clone()).collect()
}

crate::pages! {
    /// A row for each element of an array, or each property of a bag.
    ///
    /// Several arrays are expanded side by side, the shorter ones with nulls. An empty array drops its row; a null
    /// keeps it.
    ///
    /// Source: mv-expand-operator.
    ///
    /// ```kql
    /// print a = dynamic([5, 6, 7]) | mv-expand a to typeof(long) | summarize sum(a) // 18
    /// ```
    Operator "mv-expand" as ["mvexpand"]: "T | mv-expand [kind=bag | array] [with_itemindex=Column] [Column =] Array [to typeof(Kind)], ... [limit N]";

    /// A query over the elements of each row's array, its result beside the row.
    ///
    /// The query runs for an empty array, too: `summarize` without `by` gives a row then.
    ///
    /// Source: mv-apply-operator.
    ///
    /// ```kql
    /// print a = dynamic([5, 9, 7]) | mv-apply x = a to typeof(long) on (summarize m = max(x)) | project m // 9
    /// ```
    Operator "mv-apply" as ["mvapply"]: "T | mv-apply [with_itemindex=Column] [Column =] Array [to typeof(Kind)], ... [limit N] on (Query)";
}
