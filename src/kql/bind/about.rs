//! Calls that ask about the query itself: its columns, its constants, when its rows were ingested.
use super::Bind;
use super::binder::Binder;
use super::expressions::Value as Bound;
use super::relation::Row;
use super::special::ingestion_time;
use crate::expr::Expr;
use crate::kql::ast::{Call, ExpressionKind};
use crate::types::{Kind, Value, json};

/// Whether the only argument is `*`.
pub(super) fn takes_all(call: &Call) -> bool {
    matches!(call.arguments.as_slice(), [only] if matches!(only.value.kind, ExpressionKind::Star))
}

impl Binder<'_> {
    /// A condition that must hold before the query runs, whether or not any row reaches it.
    pub fn assert(&mut self, call: &Call) -> Bind<Expr> {
        self.at_most(call, 2)?;
        let message = self.text_argument(call, 1)?;
        let condition = match call.arguments.first() {
            Some(argument) => self.constant_of(&argument.value)?,
            None => Value::Null(Kind::Bool),
        };
        match condition.as_bool() {
            Some(true) => Ok(Expr::Const(Value::Bool(true))),
            _ => Err(self.error("HP141", format!("assert() has failed with message: '{message}'"), call.span)),
        }
    }

    /// The names of a table's columns, as an array.
    pub fn column_names_of(&mut self, call: &Call) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let Some(argument) = call.arguments.first() else {
            return Err(self.error("KS119", "The function 'column_names_of' expects 1 argument.", call.name.span));
        };
        let Bound::Table(table) = self.value(&argument.value, &Row::default())? else {
            return Err(self.error("KS111", "Tabular value expected.", argument.span));
        };
        let mut writer = json::Writer::default();
        writer.begin_array();
        table.schema.names().for_each(|name| {
            writer.string(name);
        });
        writer.end_array();
        Ok(Expr::Const(Value::dynamic(writer.finish())))
    }

    /// Whether the rows have a column of that name.
    pub fn is_column(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let name = self.text_argument(call, 0)?;
        Ok(Expr::Const(Value::Bool(row.column(&name).is_some())))
    }

    /// `estimate_data_size(*)`: of all columns.
    pub fn estimate_row_size(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        let columns = row.relation.map(|relation| relation.schema.columns().to_vec()).unwrap_or_default();
        let columns = columns.into_iter().map(|(name, kind)| Expr::Column(name, kind)).collect();
        self.call_item("estimate_data_size", columns, call.span)
    }

    /// Whether a row was ingested after a cursor, or until then: a cursor is a datetime's text, and the empty one
    /// lies before all rows.
    pub fn ingested(&mut self, call: &Call, row: &Row, comparison: &str) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let cursor = self.text_argument(call, 0)?;
        if cursor.is_empty() {
            return Ok(Expr::Const(Value::Bool(comparison == ">")));
        }
        let moment = Expr::Const(super::convert::constant_to(&Value::string(cursor.as_str()), Kind::DateTime));
        self.call_item(comparison, vec![ingestion_time(row), moment], call.span)
    }
}

crate::pages! {
    /// Stops the query with a message where a constant condition does not hold.
    ///
    /// Source: assert-function.
    ///
    /// ```kql
    /// assert(2 > 1, "no order") // true
    /// ```
    Function "assert": "assert(Condition, \"Message\")";

    /// The names of a table's columns, as an array.
    ///
    /// Source: column-names-of-function.
    ///
    /// ```kql
    /// let t = datatable(a: long, b: long)[]; print column_names_of(t) | project print_0 // ["a","b"]
    /// ```
    Function "column_names_of": "column_names_of(Table)";

    /// Whether the rows have a column of that name.
    ///
    /// Source: column-ifexists-function.
    ///
    /// ```kql
    /// print a = 1 | project iscolumnexists("a") // true
    /// ```
    Function "iscolumnexists": "iscolumnexists(\"Column\")";

    /// Whether a row was ingested after a cursor, which is the text of a datetime.
    ///
    /// The empty text lies before all rows.
    ///
    /// Source: cursor-after-function.
    ///
    /// ```kql
    /// print TimeGenerated = datetime(2026-01-02) | where cursor_after("2026-01-01") | count // 1
    /// ```
    Function "cursor_after": "cursor_after(\"Cursor\")";

    /// Whether a row was ingested before a cursor or at it, which is the text of a datetime.
    ///
    /// Source: cursor-before-or-at-function.
    ///
    /// ```kql
    /// print TimeGenerated = datetime(2026-01-02) | where cursor_before_or_at("2026-01-01") | count // 0
    /// ```
    Function "cursor_before_or_at": "cursor_before_or_at(\"Cursor\")";
}
