//! `top-nested` and `top-hitters`.
//!
//! Source: the pages "top-nested operator" and "top-hitters operator".
use super::columns::all_columns;
use super::summarize::Aggregation;
use crate::expr::Expr;
use crate::kql::ast::{
    Argument, Call, Column, ColumnNames, Expression, ExpressionKind, TopHitters, TopNested, TopNestedLevel,
};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::convert::constant_to;
use crate::kql::bind::names::{Names, automatic};
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{JoinKind, JoinSide, Node, SortKey};
use crate::types::{Kind, Name, Schema, Value};

/// A level that was lowered.
struct Level {
    /// The hidden column under which the values are kept for the levels below.
    key: Name,
    kind: Kind,
    /// The columns of the result.
    shown: Name,
    weight: (Name, Kind),
    /// The best values within each combination of the levels above.
    chosen: Relation,
    /// What stands for all other values.
    others: Option<Value>,
}

impl Binder<'_> {
    /// For each level, the best values within each combination of the levels above it.
    pub fn top_nested(&mut self, top: &TopNested, input: &Relation) -> Bind<Relation> {
        let mut names = Names::default();
        // The rows, with the keys of the levels so far as columns of their own.
        let mut rows = input.clone();
        let mut results: Vec<Relation> = Vec::new();
        let mut levels: Vec<Level> = Vec::new();
        for level in &top.levels {
            let made = self.nested_level(level, &mut rows, &levels, &mut names)?;
            let chosen = made.chosen.clone();
            levels.push(made);
            // What is chosen below a value counts only where the value was chosen.
            results.push(match results.last().cloned() {
                None => chosen,
                Some(before) => self.nested_under(&before, chosen, &levels),
            });
        }
        let Some(result) = results.last() else { return Ok(input.clone()) };
        let visible = result.schema.columns().iter().filter(|(n, _)| !n.starts_with('$'));
        let columns = visible.map(|(n, k)| (n.clone(), Expr::Column(n.clone(), *k))).collect();
        let best = self.project(result, columns);
        let mut legs = vec![best.node];
        for at in 0..levels.len() {
            let before = at.checked_sub(1).and_then(|before| results.get(before)).cloned();
            legs.extend(self.others_of(at, top, &levels, before.as_ref(), &rows)?.map(|others| others.node));
        }
        if legs.len() == 1 {
            return Ok(best);
        }
        let node = Node::Union { inputs: legs };
        Ok(self.same_columns(&best, node))
    }

    /// The rows of a level that are not among the best, together: one row within each combination of the levels
    /// above. Below it stand the other values of the levels that have them, else nothing.
    fn others_of(
        &mut self,
        at: usize,
        top: &TopNested,
        levels: &[Level],
        before: Option<&Relation>,
        rows: &Relation,
    ) -> Bind<Option<Relation>> {
        let (Some(level), Some(own)) = (levels.get(at).filter(|l| l.others.is_some()), levels.get(..=at)) else {
            return Ok(None);
        };
        let above = levels.get(..at).unwrap_or_default();
        let mut left = self.rows_by_keys(rows, &level.chosen, own, JoinKind::LeftAnti);
        if let Some(before) = before {
            left = self.rows_by_keys(&left, before, above, JoinKind::LeftSemi);
        }
        let mut made = Aggregation::default();
        // No rows give no row.
        made.by.push((self.hidden("all"), Expr::Const(Value::Long(0))));
        made.by.extend(above.iter().map(|l| (l.key.clone(), Expr::Column(l.key.clone(), l.kind))));
        made.columns.extend(above.iter().map(|l| (l.key.clone(), Expr::Column(l.key.clone(), l.kind))));
        let mut names = Names::default();
        for (written, level) in top.levels.iter().zip(levels).skip(at).filter(|(_, l)| l.others.is_some()) {
            let text = level.weight.0.to_string();
            let name = ColumnNames::One(crate::kql::ast::Name { text, span: written.by.span });
            self.aggregate_item(&Column { names: name, ..written.by.clone() }, &left, &mut names, &mut made)?;
        }
        let mut others = self.aggregated(&left, made);
        if let Some(before) = before {
            others = self.nested_under(before, others, own);
        }
        let columns = levels.iter().enumerate().flat_map(|(place, level)| {
            let (weight, kind) = &level.weight;
            let known = |name: &Name, kind: Kind| Expr::Column(name.clone(), kind);
            let shown = match (place < at, &level.others) {
                (true, _) => known(&level.shown, level.kind),
                (false, Some(others)) => Expr::Const(others.clone()),
                (false, None) => Expr::Const(Value::null(level.kind)),
            };
            let is_there = place < at || level.others.is_some();
            let sum = if is_there { known(weight, *kind) } else { Expr::Const(Value::null(*kind)) };
            [(level.shown.clone(), shown), (weight.clone(), sum)]
        });
        let columns = columns.collect();
        Ok(Some(self.project(&others, columns)))
    }

    /// The rows for which the other side has the same keys, or has not.
    fn rows_by_keys(&mut self, rows: &Relation, other: &Relation, levels: &[Level], kind: JoinKind) -> Relation {
        let keys = levels.iter().map(|l| (l.key.clone(), l.key.clone())).collect();
        let columns = rows.schema.names().map(|n| (n.clone(), JoinSide::Left, n.clone())).collect();
        self.same_columns(rows, Node::Join { left: rows.node, right: other.node, kind, keys, columns })
    }

    fn nested_level(
        &mut self,
        level: &TopNestedLevel,
        rows: &mut Relation,
        above: &[Level],
        names: &mut Names,
    ) -> Bind<Level> {
        let count = level.count.as_ref().map(|c| self.most(c)).transpose()?;
        let mut made = Aggregation::default();
        for Level { key, kind, .. } in above {
            made.by.push((key.clone(), Expr::Column(key.clone(), *kind)));
            made.columns.push((key.clone(), Expr::Column(key.clone(), *kind)));
        }
        let before = made.by.len();
        self.keys(std::slice::from_ref(&level.of), &Row::of(rows), rows, names, &mut made)?;
        let Some((shown, value)) = made.by.get(before).cloned() else { return Err(super::Reported) };
        let by = self.weight(level, &shown);
        self.aggregate_item(&by, rows, names, &mut made)?;
        let Some((weight, weight_kind)) = made.columns.last().map(|(n, e)| (n.clone(), e.kind())) else {
            return Err(super::Reported);
        };
        let kind = value.kind();
        let key = self.hidden("level");
        *rows = self.extend(rows, vec![(key.clone(), value)]);
        let grouped = self.aggregated(rows, made);
        let grouped = self.extend(&grouped, vec![(key.clone(), Expr::Column(shown.clone(), kind))]);
        let descending = level.order != Some(crate::kql::ast::SortOrder::Ascending);
        let best = SortKey { expr: Expr::Column(weight.clone(), weight_kind), descending, nulls_first: !descending };
        let chosen = self.best_of_each(&grouped, above, best, count, level.span)?;
        let others = level.others.as_ref().map(|others| self.constant_of(others)).transpose()?;
        let others = others.map(|others| constant_to(&others, kind));
        Ok(Level { key, kind, shown, weight: (weight, weight_kind), chosen, others })
    }

    /// `by x` gives `aggregated_` and the key's name.
    fn weight(&mut self, level: &TopNestedLevel, key: &Name) -> Column {
        let names = match &level.by.names {
            ColumnNames::Automatic => {
                let text = format!("aggregated_{key}");
                ColumnNames::One(crate::kql::ast::Name { text, span: level.by.span })
            }
            written => written.clone(),
        };
        Column { names, ..level.by.clone() }
    }

    /// The first rows in this order within each combination of the keys above.
    fn best_of_each(
        &mut self,
        grouped: &Relation,
        above: &[Level],
        best: SortKey,
        count: Option<Expr>,
        span: crate::diagnostic::Span,
    ) -> Bind<Relation> {
        let ascending = |level: &Level| SortKey {
            expr: Expr::Column(level.key.clone(), level.kind),
            descending: false,
            nulls_first: true,
        };
        let keys: Vec<SortKey> = above.iter().map(ascending).chain([best]).collect();
        let sorted = self.same_columns(grouped, Node::Sort { input: grouped.node, keys });
        let Some(count) = count else { return Ok(sorted) };
        // The place among the rows of the same keys above.
        let changed = above.iter().map(|level| {
            let own = Expr::Column(level.key.clone(), level.kind);
            (own, level.kind)
        });
        let mut restart = Vec::new();
        let mut rows = sorted;
        for (own, kind) in changed.collect::<Vec<_>>() {
            let before = self.hidden("before");
            let call = crate::plan::RowCall::Shift { value: own.clone(), offset: 1, default: None };
            let mut schema = rows.schema.clone();
            schema.set(before.clone(), kind);
            let node = Node::Rows { input: rows.node, columns: vec![(before.clone(), call)] };
            rows = self.over(&rows, node, schema);
            restart.push(self.call_item("!=", vec![own, Expr::Column(before, kind)], span)?);
        }
        let kept = self.first_rows(&rows, count, restart, span)?;
        let names: Vec<Name> = grouped.schema.names().cloned().collect();
        let columns = all_columns(&grouped.schema).into_iter().filter(|(n, _)| names.contains(n)).collect();
        Ok(self.project(&kept, columns))
    }

    /// The rows of a level whose keys above are among those chosen before.
    fn nested_under(&mut self, before: &Relation, chosen: Relation, levels: &[Level]) -> Relation {
        let shared = levels.split_last().map_or(&[][..], |(_, above)| above);
        let keys: Vec<(Name, Name)> = shared.iter().map(|l| (l.key.clone(), l.key.clone())).collect();
        let left = before.schema.columns().iter().map(|(n, k)| (n.clone(), JoinSide::Left, n.clone(), *k));
        let right = chosen.schema.columns().iter().filter(|(n, _)| !before.schema.contains(n));
        let right = right.map(|(n, k)| (n.clone(), JoinSide::Right, n.clone(), *k));
        let all: Vec<(Name, JoinSide, Name, Kind)> = left.chain(right).collect();
        let schema: Schema = all.iter().map(|(n, _, _, k)| (n.clone(), *k)).collect();
        let columns = all.into_iter().map(|(n, side, own, _)| (n, side, own)).collect();
        let node = Node::Join { left: before.node, right: chosen.node, kind: JoinKind::Inner, keys, columns };
        self.over(before, node, schema)
    }

    /// The heaviest values. The counts are exact, which Kusto's approximation allows.
    pub fn top_hitters(&mut self, top: &TopHitters, input: &Relation) -> Bind<Relation> {
        let rows = self.row_count(&top.count)?;
        let mut names = Names::default();
        let mut made = Aggregation::default();
        self.keys(std::slice::from_ref(&top.of), &Row::of(input), input, &mut names, &mut made)?;
        let of = made.by.first().map(|(n, _)| n.to_string()).unwrap_or_default();
        let (function, arguments, label) = match &top.by {
            Some(by) => {
                let label = format!("approximate_sum_{}", automatic(by).unwrap_or_default());
                ("sum", vec![Argument { name: None, value: by.clone(), span: by.span }], label)
            }
            None => ("count", Vec::new(), format!("approximate_count_{of}")),
        };
        let span = top.of.span;
        let named = |text: &str| crate::kql::ast::Name { text: text.to_owned(), span };
        let call = Call { name: named(function), arguments, span };
        let expression = Expression { kind: ExpressionKind::Call(call), span };
        let weight = Column { names: ColumnNames::One(named(&label)), expression, span };
        self.aggregate_item(&weight, input, &mut names, &mut made)?;
        let Some((name, kind)) = made.columns.last().map(|(n, e)| (n.clone(), e.kind())) else {
            return Err(super::Reported);
        };
        let grouped = self.aggregated(input, made);
        let keys = vec![SortKey { expr: Expr::Column(name, kind), descending: true, nulls_first: false }];
        let sorted = self.same_columns(&grouped, Node::Sort { input: grouped.node, keys });
        Ok(self.same_columns(&sorted, Node::Take { input: sorted.node, rows }))
    }
}

crate::pages! {
    /// The first values of a column by an aggregate, and within each the first values of the next column.
    ///
    /// Source: top-nested-operator.
    ///
    /// ```kql
    /// datatable(a: string, n: long)["x", 1, "x", 2, "y", 1] | top-nested 1 of a by sum(n) | project a // x
    /// ```
    Operator "top-nested": "T | top-nested [N] of Column [with others=Value] by Aggregate [asc | desc], [top-nested ...]";

    /// The most frequent values of a column with an estimate of how often they occur.
    ///
    /// Source: top-hitters-operator.
    ///
    /// ```kql
    /// datatable(a: string)["x", "y", "x"] | top-hitters 1 of a | project a // x
    /// ```
    Operator "top-hitters": "T | top-hitters N of Column [by Weight]";
}
