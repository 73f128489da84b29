//! `in` and its relatives: lists of constants, arrays, tables and single values.
use super::Bind;
use super::binder::Binder;
use super::relation::{Relation, Row};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::Dialect;
use crate::functions::aggregates;
use crate::kql::ast::{BinaryOperator, In, InOperator, TextOperator};
use crate::plan::{AggregateCall, Node};
use crate::types::{Json, Kind, Name, Schema, Value};

/// What stands on the right side.
#[derive(Default)]
struct Items {
    /// JSON texts of the constants, the elements of constant arrays among them.
    constants: Vec<String>,
    /// Arrays that data give.
    arrays: Vec<Expr>,
    /// Scalars that data give.
    scalars: Vec<Expr>,
}

impl Binder<'_> {
    pub fn membership(&mut self, tested: &In, row: &Row) -> Bind<Expr> {
        let value = self.scalar(&tested.value, row);
        let mut items = Items::default();
        let mut failed = None;
        for item in &tested.items {
            match self.value(item, row) {
                Ok(super::expressions::Value::Table(table)) if table.graph.is_some() => {
                    failed = Some(self.graph_in_place_of_rows(item.span));
                }
                Ok(super::expressions::Value::Table(table)) => {
                    let set = self.set_of(&table, item.span);
                    items.arrays.extend(set);
                }
                Ok(super::expressions::Value::Scalar(item)) => self.sort_in(item, &mut items),
                Err(reported) => failed = Some(reported),
            }
        }
        let value = value?;
        if let Some(reported) = failed {
            return Err(reported);
        }
        self.tested(tested, value, items)
    }

    fn sort_in(&mut self, item: Expr, items: &mut Items) {
        match self.constant(&item) {
            Some(Value::Text(Kind::Dynamic, text)) if text.trim_start().starts_with('[') => {
                items.constants.extend(Json::new(&text).elements().map(|e| e.text().to_owned()));
            }
            Some(Value::Null(Kind::Dynamic)) => {}
            Some(constant) => items.constants.push(constant.to_json()),
            None if item.kind() == Kind::Dynamic => items.arrays.push(item),
            None => items.scalars.push(item),
        }
    }

    /// The distinct values of a table's first column, as an array that is computed once.
    pub fn set_of(&mut self, table: &Relation, span: Span) -> Bind<Expr> {
        let Some((name, kind)) = table.schema.columns().first().cloned() else {
            return Ok(Expr::Const(Value::dynamic("[]")));
        };
        let Some(function) = aggregates::find(Dialect::Kql, "make_set") else {
            return Err(self.unsupported("'in' over a table", span));
        };
        let call =
            AggregateCall { function, arguments: vec![Expr::Column(name, kind)], condition: None, kind: Kind::Dynamic };
        let set: Name = "set".into();
        let schema: Schema = [(set.clone(), Kind::Dynamic)].into_iter().collect();
        let node = Node::Aggregate { input: table.node, by: Vec::new(), aggregates: vec![(set, call)] };
        Ok(Expr::Late(self.plan.add(node, schema), Kind::Dynamic))
    }

    fn tested(&mut self, tested: &In, value: Expr, items: Items) -> Bind<Expr> {
        let span = tested.operator_span;
        let (name, negated, one) = match tested.operator {
            InOperator::In { case_sensitive: true, negated } => {
                (if negated { "!in" } else { "in" }, negated, equality(true, negated))
            }
            InOperator::In { case_sensitive: false, negated } => {
                (if negated { "!in~" } else { "in~" }, negated, equality(false, negated))
            }
            InOperator::HasAny => ("has_any", false, has()),
            InOperator::HasAll => ("has_all", true, has()),
        };
        let of_text = !matches!(name, "in" | "!in");
        if of_text && !matches!(value.kind(), Kind::String | Kind::Dynamic) {
            return Err(self.error("KS107", "A value of type string expected.", tested.value.span));
        }
        let value = if of_text { self.converted(value, Kind::String, span)? } else { value };
        let mut parts = Vec::new();
        if !items.constants.is_empty() || (items.arrays.is_empty() && items.scalars.is_empty()) {
            let list = Expr::Const(Value::dynamic(format!("[{}]", items.constants.join(","))));
            parts.push(self.call_item(name, vec![value.clone(), list], span)?);
        }
        for array in items.arrays {
            parts.push(self.call_item(name, vec![value.clone(), array], span)?);
        }
        for item in items.scalars {
            let item = if of_text { self.converted(item, Kind::String, span)? } else { item };
            parts.push(self.infix(one, value.clone(), item, span)?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ if negated => Expr::And(parts),
            _ => Expr::Or(parts),
        })
    }
}

fn equality(case_sensitive: bool, negated: bool) -> BinaryOperator {
    match (case_sensitive, negated) {
        (true, false) => BinaryOperator::Equal,
        (true, true) => BinaryOperator::NotEqual,
        (false, false) => BinaryOperator::EqualIgnoringCase,
        (false, true) => BinaryOperator::NotEqualIgnoringCase,
    }
}

fn has() -> BinaryOperator {
    BinaryOperator::Text { operator: TextOperator::Has, case_sensitive: false, negated: false }
}

crate::pages! {
    /// Both conditions hold.
    ///
    /// The condition that is cheap is looked at first, and the other only where it matters.
    ///
    /// Source: logical-operators.
    ///
    /// ```kql
    /// 2 > 1 and 3 > 2 // true
    /// ```
    Infix "and": "Condition and Condition";

    /// One of the conditions holds, or both.
    ///
    /// Source: logical-operators.
    ///
    /// ```kql
    /// 2 > 1 or 2 > 3 // true
    /// ```
    Infix "or": "Condition or Condition";

    /// A value lies outside of a range.
    ///
    /// Source: not-between-operator.
    ///
    /// ```kql
    /// 5 !between (1 .. 3) // true
    /// ```
    Infix "!between": "Value !between (Low .. High)";
}
