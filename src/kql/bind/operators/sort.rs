//! `sort`, `top`, `take`, `sample`.
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::kql::ast::{Expression, NullsOrder, SortOrder, Top};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::{Binder, is_unknown};
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, RowCall, SortKey};
use crate::types::{Kind, Value};

impl Binder<'_> {
    pub(super) fn sort_keys(&mut self, keys: &[crate::kql::ast::SortKey], input: &Relation) -> Bind<Vec<SortKey>> {
        let mut made = Vec::with_capacity(keys.len());
        let mut failed = None;
        for key in keys {
            match self.whole(&key.column.expression, &Row::of(input)) {
                Ok(expr) => {
                    if expr.kind() == Kind::Dynamic && !is_unknown(&expr, input) {
                        let message = "The value of type 'dynamic' is not allowed in this context.";
                        self.say(Diagnostic::error("KS116", message).at(key.column.expression.span));
                    }
                    let descending = !matches!(key.order, Some(SortOrder::Ascending | SortOrder::GrannyAscending));
                    let nulls_first = key.nulls.map_or(!descending, |n| n == NullsOrder::First);
                    made.push(SortKey { expr, descending, nulls_first });
                }
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or(Ok(made), Err)
    }

    pub fn sort(&mut self, keys: &[crate::kql::ast::SortKey], input: &Relation) -> Bind<Relation> {
        let keys = self.sort_keys(keys, input)?;
        Ok(self.same_columns(input, Node::Sort { input: input.node, keys }))
    }

    pub fn top(&mut self, top: &Top, input: &Relation) -> Bind<Relation> {
        let sorted = self.sort(std::slice::from_ref(&top.key), input);
        let most = self.most(&top.count);
        let (sorted, most) = (sorted?, most?);
        self.first_rows(&sorted, most, Vec::new(), top.count.span)
    }

    pub fn take(&mut self, count: &Expression, input: &Relation) -> Bind<Relation> {
        let most = self.most(count)?;
        self.first_rows(input, most, Vec::new(), count.span)
    }

    /// The first rows, and after each row for which one of `restart` holds as many again.
    pub(super) fn first_rows(
        &mut self,
        input: &Relation,
        most: Expr,
        restart: Vec<Expr>,
        span: Span,
    ) -> Bind<Relation> {
        if let (Expr::Const(Value::Long(rows)), []) = (&most, restart.as_slice()) {
            let rows = u64::try_from(*rows).unwrap_or(0);
            return Ok(self.same_columns(input, Node::Take { input: input.node, rows }));
        }
        let place = self.hidden("place");
        let restart = (!restart.is_empty()).then_some(Expr::Or(restart));
        let call = RowCall::Number { start: Expr::Const(Value::Long(1)), restart };
        let mut schema = input.schema.clone();
        schema.set(place.clone(), Kind::Long);
        let numbered = self.over(input, Node::Rows { input: input.node, columns: vec![(place.clone(), call)] }, schema);
        let predicate = self.call_item("<=", vec![Expr::Column(place.clone(), Kind::Long), most], span)?;
        let kept = self.same_columns(&numbered, Node::Filter { input: numbered.node, predicate });
        Ok(self.without(&kept, &place))
    }

    /// How many rows are asked for: a number, or one that a query gives.
    pub(super) fn most(&mut self, count: &Expression) -> Bind<Expr> {
        let asked = self.scalar(count, &Row::default())?;
        if asked.late().is_empty() || !asked.columns().is_empty() || !asked.kind().is_integer() {
            let rows = self.row_count(count)?;
            return Ok(Expr::Const(Value::Long(i64::try_from(rows).unwrap_or(i64::MAX))));
        }
        self.converted(asked, Kind::Long, count.span)
    }

    pub fn sample(&mut self, count: &Expression, input: &Relation) -> Bind<Relation> {
        let rows = self.row_count(count)?;
        Ok(self.same_columns(input, Node::Sample { input: input.node, rows }))
    }

    pub(super) fn row_count(&mut self, count: &Expression) -> Bind<u64> {
        let value = self.constant_of(count)?;
        match value.as_long().filter(|_| value.kind().is_integer()) {
            Some(rows) => Ok(u64::try_from(rows).unwrap_or(0)),
            None => Err(self.error("KS134", "The expression value must be an integer.", count.span)),
        }
    }
}

crate::pages! {
    /// The rows in order of one or several keys.
    ///
    /// The order is descending unless `asc` says otherwise. Nulls come first in an ascending order and last in a
    /// descending one.
    ///
    /// Source: sort-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | sort by x | take 1 // 3
    /// range x from 1 to 3 step 1 | sort by x asc | take 1 // 1
    /// ```
    Operator "sort" as ["order"]: "T | sort by Key [asc | desc] [nulls first | nulls last], ...";

    /// The first rows in order of a key.
    ///
    /// `top 5 by x` is `sort by x | take 5`, and costs less.
    ///
    /// Source: top-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | top 2 by x | summarize min(x) // 8
    /// ```
    Operator "top": "T | top N by Key [asc | desc] [nulls first | nulls last]";

    /// That many rows, whichever.
    ///
    /// After `sort` they are the first ones.
    ///
    /// Source: take-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | take 4 | count // 4
    /// ```
    Operator "take" as ["limit"]: "T | take N";

    /// That many rows, drawn by chance.
    ///
    /// Source: sample-operator.
    ///
    /// ```kql
    /// range x from 1 to 9 step 1 | sample 4 | count // 4
    /// ```
    Operator "sample": "T | sample N";
}
