//! Calls that are forms of the language: branches, the clock, row functions, names of columns.
use super::Bind;
use super::about::takes_all;
use super::binder::Binder;
use super::convert::common;
use super::relation::Row;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::Purity;
use crate::kql::ast::{Call, Expression, ExpressionKind};
use crate::plan::{Node, RowCall};
use crate::types::{Kind, Value};

type Bound = fn(&mut Binder, &Call, &Row) -> Bind<Expr>;

/// Every name with what binds a call of it.
const FORMS: &[(&str, Bound)] = &[
    ("ago", |b, call, row| b.ago(call, row)),
    ("assert", |b, call, _| b.assert(call)),
    ("bag_pack_columns", |b, call, row| b.bag_pack_columns(call, row)),
    ("bin_auto", |b, call, row| b.bin_auto(call, row)),
    ("case", |b, call, row| b.branches(call, row, None)),
    ("coalesce", |b, call, row| b.coalesce(call, row)),
    ("column_ifexists", |b, call, row| b.column_if_exists(call, row)),
    ("column_names_of", |b, call, _| b.column_names_of(call)),
    ("columnifexists", |b, call, row| b.column_if_exists(call, row)),
    ("cursor_after", |b, call, row| b.ingested(call, row, ">")),
    ("cursor_before_or_at", |b, call, row| b.ingested(call, row, "<=")),
    ("estimate_data_size", |b, call, row| b.estimate_row_size(call, row)),
    ("iff", |b, call, row| b.branches(call, row, Some(3))),
    ("iif", |b, call, row| b.branches(call, row, Some(3))),
    ("ingestion_time", |_, _, row| Ok(ingestion_time(row))),
    ("iscolumnexists", |b, call, row| b.is_column(call, row)),
    ("next", |b, call, row| b.in_row_order(call, row)),
    ("now", |b, call, row| b.now(call, row)),
    ("pack_all", |b, call, row| b.pack_all(call, row)),
    ("prev", |b, call, row| b.in_row_order(call, row)),
    ("row_cumsum", |b, call, row| b.in_row_order(call, row)),
    ("row_number", |b, call, row| b.in_row_order(call, row)),
    ("row_rank_dense", |b, call, row| b.in_row_order(call, row)),
    ("row_rank_min", |b, call, row| b.in_row_order(call, row)),
    ("row_window_session", |b, call, row| b.in_row_order(call, row)),
    ("toscalar", |b, call, row| b.late_scalar(call, row)),
];

/// What binds a call of that name, where it is such a form.
fn form(name: &str) -> Option<Bound> {
    FORMS.iter().find(|(known, _)| *known == name).map(|(_, bound)| *bound)
}

/// The names of all such forms.
pub fn forms() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|(name, _)| *name)
}

/// Whether a call of that name is such a form.
pub(super) fn is_special(name: &str) -> bool {
    form(name).is_some()
}

impl Binder<'_> {
    /// The call, where it is such a form.
    pub fn special(&mut self, call: &Call, row: &Row) -> Option<Bind<Expr>> {
        // Of a value it is an ordinary function, of `*` it is not.
        let name = call.name.text.as_str();
        let bound = form(name).filter(|_| name != "estimate_data_size" || takes_all(call))?;
        Some(bound(self, call, row))
    }

    fn branches(&mut self, call: &Call, row: &Row, exactly: Option<usize>) -> Bind<Expr> {
        let arguments = &call.arguments;
        if exactly.is_some_and(|n| arguments.len() != n) || arguments.len() < 3 || arguments.len().is_multiple_of(2) {
            let (code, wanted) = match exactly {
                Some(_) => ("KS119", "3 arguments"),
                None if arguments.len() < 3 => ("KS120", "at least 3 arguments"),
                None => ("KS121", "an odd number of arguments: conditions with their values, and the value otherwise"),
            };
            let message = format!("The function '{}' expects {wanted}.", call.name.text);
            return Err(self.error(code, message, call.name.span));
        }
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut failed = None;
        for (at, argument) in arguments.iter().enumerate() {
            let is_condition = at % 2 == 0 && at + 1 < arguments.len();
            let bound = self.scalar(&argument.value, row);
            let bound = match is_condition {
                true => bound.and_then(|e| self.branch_condition(e, argument.value.span)),
                false => bound,
            };
            match bound {
                Ok(e) if is_condition => conditions.push(e),
                Ok(e) => values.push(e),
                Err(reported) => failed = Some(reported),
            }
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        let (values, kind) = self.of_one_kind(values, call.span)?;
        let mut values = values;
        let otherwise = Box::new(values.pop().unwrap_or(Expr::Const(Value::null(kind))));
        Ok(Expr::Case { branches: conditions.into_iter().zip(values).collect(), otherwise, kind })
    }

    fn branch_condition(&mut self, expr: Expr, span: Span) -> Bind<Expr> {
        match expr.kind() {
            Kind::Bool | Kind::Dynamic | Kind::Int | Kind::Long | Kind::Real => self.condition(expr, span),
            _ => Err(self.error("KS107", "A value of type bool expected.", span)),
        }
    }

    /// The expressions converted to the kind that holds them all.
    fn of_one_kind(&mut self, values: Vec<Expr>, span: Span) -> Bind<(Vec<Expr>, Kind)> {
        let kind = common(values.iter().map(Expr::kind));
        let converted: Bind<Vec<Expr>> = values.into_iter().map(|e| self.converted(e, kind, span)).collect();
        Ok((converted?, kind))
    }

    fn coalesce(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        let mut parts = Vec::new();
        for argument in &call.arguments {
            parts.push(self.scalar(&argument.value, row)?);
        }
        if parts.is_empty() {
            return Err(self.error("KS120", "The function 'coalesce' expects at least 1 argument.", call.name.span));
        }
        let (parts, kind) = self.of_one_kind(parts, call.span)?;
        Ok(Expr::Coalesce(parts, kind))
    }

    fn now(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let now = Expr::Const(Value::DateTime(self.settings.now));
        if call.arguments.is_empty() {
            return Ok(now);
        }
        let offset = self.argument(call, 0, row)?;
        let offset = self.converted(offset, Kind::TimeSpan, call.span)?;
        self.call_item("+", vec![now, offset], call.span).map(|e| self.folded(e))
    }

    fn ago(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let before = self.argument(call, 0, row)?;
        if !matches!(before.kind(), Kind::TimeSpan | Kind::Dynamic) {
            let span = call.arguments.first().map_or(call.span, |a| a.span);
            return Err(self.error("KS107", "A value of type timespan expected.", span));
        }
        let before = self.converted(before, Kind::TimeSpan, call.span)?;
        let now = Expr::Const(Value::DateTime(self.settings.now));
        self.call_item("-", vec![now, before], call.span).map(|e| self.folded(e))
    }

    fn late_scalar(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let Some(argument) = call.arguments.first() else {
            return Err(self.error("KS119", "The function 'toscalar' expects 1 argument.", call.name.span));
        };
        match self.value(&argument.value, &Row { aggregates: None, in_order: None, ..*row })? {
            super::expressions::Value::Scalar(expr) => Ok(self.evaluated_once(expr)),
            super::expressions::Value::Table(table) if table.graph.is_some() => {
                Err(self.graph_in_place_of_rows(argument.span))
            }
            super::expressions::Value::Table(table) => {
                let Some((_, kind)) = table.schema.columns().first() else {
                    return Ok(Expr::Const(Value::Null(Kind::Dynamic)));
                };
                let kind = *kind;
                let node = self.plan.add(Node::Take { input: table.node, rows: 1 }, table.schema.clone());
                Ok(Expr::Late(node, kind))
            }
        }
    }

    /// A scalar that has one value for the whole query, also where a random function stands in it.
    fn evaluated_once(&mut self, expr: Expr) -> Expr {
        if expr.purity() != Purity::PerRow || !expr.columns().is_empty() {
            return expr;
        }
        let kind = expr.kind();
        let one = self.one_row();
        let printed = self.project(&one, vec![("toscalar".into(), expr)]);
        Expr::Late(printed.node, kind)
    }

    fn column_if_exists(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 2)?;
        let wanted = match call.arguments.first().map(|a| &a.value) {
            Some(Expression { kind: ExpressionKind::Name(name), .. }) if row.column(&name.text).is_some() => {
                name.text.clone()
            }
            _ => self.text_argument(call, 0)?,
        };
        let otherwise = self.argument(call, 1, row)?;
        match row.column(&wanted) {
            Some((name, kind)) => Ok(Expr::Column(name, kind)),
            None => Ok(otherwise),
        }
    }

    fn pack_all(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let ignores_null = match call.arguments.first() {
            Some(argument) => self.constant_of(&argument.value)?.as_bool() == Some(true),
            None => false,
        };
        let columns = row.relation.map(|r| r.schema.columns().to_vec()).unwrap_or_default();
        let pairs = columns
            .into_iter()
            .flat_map(|(name, kind)| [Expr::Const(Value::string(name.clone())), Expr::Column(name, kind)]);
        let pack = if ignores_null { ".pack_present" } else { "bag_pack" };
        self.call_item(pack, pairs.collect(), call.span)
    }

    /// A bag of columns under their own names.
    fn bag_pack_columns(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        let mut pairs = Vec::new();
        for argument in &call.arguments {
            let Some(name) = super::names::automatic(&argument.value) else {
                return Err(self.error("KS109", "Column name expected.", argument.span));
            };
            pairs.push(Expr::Const(Value::string(name)));
            pairs.push(self.scalar(&argument.value, row)?);
        }
        self.call_item("bag_pack", pairs, call.span)
    }

    /// Bins of the size, and from the place, that `set` statements give.
    fn bin_auto(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        self.at_most(call, 1)?;
        let value = self.argument(call, 0, row)?;
        let Some(size) = self.options.get("query_bin_auto_size").cloned() else {
            let said = Diagnostic::error("HP126", "'bin_auto' needs the size of its bins").at(call.name.span);
            self.say(said.help("write `set query_bin_auto_size = 1h;` before the query"));
            return Err(super::Reported);
        };
        match self.options.get("query_bin_auto_at").cloned() {
            Some(at) => self.call_item("bin_at", vec![value, size, at], call.span),
            None => self.call_item("bin", vec![value, size], call.span),
        }
    }

    /// A function of the row's place: lifted out, a column computed before stands for it.
    fn in_row_order(&mut self, call: &Call, row: &Row) -> Bind<Expr> {
        let Some(lifted) = row.in_order else {
            let message = format!("The function '{}' is not allowed in this context.", call.name.text);
            return Err(self.error("KS144", message, call.name.span));
        };
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            arguments.push(self.scalar(&argument.value, row)?);
        }
        let (made, kind) = self.row_call(call, arguments)?;
        let name = self.hidden("row");
        lifted.borrow_mut().push((name.clone(), made));
        Ok(Expr::Column(name, kind))
    }

    fn row_call(&mut self, call: &Call, arguments: Vec<Expr>) -> Bind<(RowCall, Kind)> {
        let span = call.name.span;
        let given = arguments.len();
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next();
        Ok(match (call.name.text.as_str(), given) {
            ("row_number", 0..=2) => {
                let start = next().unwrap_or(Expr::Const(Value::Long(1)));
                (RowCall::Number { start: self.converted(start, Kind::Long, span)?, restart: next() }, Kind::Long)
            }
            ("row_cumsum", 1..=2) => {
                let Some(term) = next() else { return Err(super::Reported) };
                let kind = term.kind();
                (RowCall::CumulativeSum { term, restart: next() }, kind)
            }
            ("row_rank_dense" | "row_rank_min", 1..=2) => {
                let Some(term) = next() else { return Err(super::Reported) };
                let dense = call.name.text == "row_rank_dense";
                (RowCall::Rank { term, restart: next(), dense }, Kind::Long)
            }
            (name @ ("prev" | "next"), 1..=3) => {
                let Some(value) = next() else { return Err(super::Reported) };
                let offset = next().unwrap_or(Expr::Const(Value::Long(1)));
                let Some(offset) = self.constant(&offset).and_then(|v| v.as_long()) else {
                    return Err(self.error("HP103", "The offset must be a constant.", span));
                };
                let kind = value.kind();
                let default = next().map(|d| self.converted(d, kind, span)).transpose()?;
                let offset = if name == "prev" { offset } else { offset.saturating_neg() };
                (RowCall::Shift { value, offset, default }, kind)
            }
            ("row_window_session", 3..=4) => {
                let (Some(time), Some(longest), Some(between)) = (next(), next(), next()) else {
                    return Err(super::Reported);
                };
                (RowCall::Session { time, longest, between, restart: next() }, Kind::DateTime)
            }
            (name, _) => {
                let message = format!("The function '{name}' got {given} arguments, which it does not take.");
                return Err(self.error("KS119", message, span));
            }
        })
    }
}

/// A table without ingestion times of its own gives its events' time.
pub(super) fn ingestion_time(row: &Row) -> Expr {
    match row.column("TimeGenerated").filter(|(_, kind)| *kind == Kind::DateTime) {
        Some((name, kind)) => Expr::Column(name, kind),
        None => Expr::Const(Value::Null(Kind::DateTime)),
    }
}

crate::pages! {
    /// The value of the first condition that holds; the last argument where none does.
    ///
    /// The values are brought to one kind. A condition that is null does not hold.
    ///
    /// Source: case-function.
    ///
    /// ```kql
    /// case(3 > 5, "large", 3 > 2, "middling", "small") // middling
    /// ```
    Function "case": "case(Condition, Value, [Condition, Value, ...] Otherwise)";

    /// One value where a condition holds, another where it does not or is null.
    ///
    /// Source: iff-function.
    ///
    /// ```kql
    /// iff(2 > 1, "yes", "no") // yes
    /// ```
    Function "iff" as ["iif"]: "iff(Condition, Then, Otherwise)";

    /// The first of its arguments that is not null; of texts the first that is not empty.
    ///
    /// Source: coalesce-function.
    ///
    /// ```kql
    /// coalesce(tolong("none"), tolong("7"), 0) // 7
    /// ```
    Function "coalesce": "coalesce(Value, Value, ...)";

    /// A column where the table has it, else another value.
    ///
    /// For tables whose columns come and go: `column_ifexists("Account", "")` is never an error.
    ///
    /// Source: column-ifexists-function.
    ///
    /// ```kql
    /// print a = 1 | project column_ifexists("b", 5) // 5
    /// ```
    Function "column_ifexists" as ["columnifexists"]: "column_ifexists(\"Column\", Otherwise)";

    /// The first value of the first row of a table, as a scalar.
    ///
    /// The table is read once for the whole query; it cannot use the columns of the rows around it.
    ///
    /// Source: toscalar-function.
    ///
    /// ```kql
    /// print n = toscalar(range x from 1 to 9 step 1 | summarize max(x)) | project n // 9
    /// ```
    Function "toscalar": "toscalar(TabularExpression)";

    /// The columns of a row as a bag under their names.
    ///
    /// Source: pack-all-function.
    ///
    /// ```kql
    /// print a = 1, b = "x" | project pack_all() // {"a":1,"b":"x"}
    /// ```
    Function "pack_all": "pack_all([IgnoreNullAndEmpty])";

    /// Some columns of a row as a bag under their names.
    ///
    /// Source: bag-pack-columns-function.
    ///
    /// ```kql
    /// print a = 1, b = 2, c = 3 | project bag_pack_columns(a, c) // {"a":1,"c":3}
    /// ```
    Function "bag_pack_columns": "bag_pack_columns(Column, [Column, ...])";

    /// A value rounded down to a bin whose size the query sets beforehand.
    ///
    /// `set query_bin_auto_size = 1h;` gives the size, `set query_bin_auto_at = ...;` a point that a bin begins at.
    ///
    /// Source: bin-auto-function.
    ///
    /// ```kql
    /// set query_bin_auto_size = 5; range x from 13 to 13 step 1 | project bin_auto(x) // 10
    /// ```
    Function "bin_auto": "bin_auto(Value)";

    /// When a row came into the workspace; for rows that do not say, their `TimeGenerated`.
    ///
    /// Source: ingestion-time-function.
    ///
    /// ```kql
    /// print TimeGenerated = datetime(2026-01-02) | project ingestion_time() // 2026-01-02T00:00:00.0000000Z
    /// ```
    Function "ingestion_time": "ingestion_time()";

    /// The place of a row among ordered rows, from 1.
    ///
    /// The rows must have an order: `sort`, `top` or `serialize` stands before. The count begins anew where `Restart`
    /// holds.
    ///
    /// Source: row-number-function.
    ///
    /// ```kql
    /// range x from 5 to 7 step 1 | sort by x asc | extend n = row_number() | where x == 7 | project n // 3
    /// ```
    InOrder "row_number": "row_number([Start, [Restart]])";

    /// The sum of a column over the rows up to this one.
    ///
    /// Source: row-cumsum-function.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | serialize s = row_cumsum(x) | summarize max(s) // 10
    /// ```
    InOrder "row_cumsum": "row_cumsum(Term, [Restart])";

    /// The rank of a value among ordered rows, equal values sharing one and the next value having the next rank.
    ///
    /// Source: row-rank-dense-function.
    ///
    /// ```kql
    /// print x = dynamic([4, 4, 9]) | mv-expand x to typeof(long) | sort by x asc | extend r = row_rank_dense(x) | summarize max(r) // 2
    /// ```
    InOrder "row_rank_dense": "row_rank_dense(Term, [Restart])";

    /// The rank of a value among ordered rows: the place of the first row that has it.
    ///
    /// Source: row-rank-min-function.
    ///
    /// ```kql
    /// print x = dynamic([4, 4, 9]) | mv-expand x to typeof(long) | sort by x asc | extend r = row_rank_min(x) | summarize max(r) // 3
    /// ```
    InOrder "row_rank_min": "row_rank_min(Term, [Restart])";

    /// The start of the session that a row's time belongs to.
    ///
    /// A session ends when it would last longer than `Longest`, when `Between` passes without a row, or where
    /// `Restart` holds. The rows must be in order of time.
    ///
    /// Source: row-window-session-function.
    ///
    /// ```kql
    /// print t = datetime(2026-01-02 03:00) | serialize s = row_window_session(t, 1h, 5m) | project s // 2026-01-02T03:00:00.0000000Z
    /// ```
    InOrder "row_window_session": "row_window_session(Time, Longest, Between, [Restart])";

    /// A column's value in an earlier row.
    ///
    /// The rows must have an order. Where there is no such row the result is the default, else null.
    ///
    /// Source: prev-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | serialize p = prev(x) | where x == 3 | project p // 2
    /// ```
    InOrder "prev": "prev(Column, [Offset, [Default]])";

    /// A column's value in a later row.
    ///
    /// The rows must have an order. Where there is no such row the result is the default, else null.
    ///
    /// Source: next-function.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | serialize n = next(x, 1, 0) | where x == 3 | project n // 0
    /// ```
    InOrder "next": "next(Column, [Offset, [Default]])";
}
