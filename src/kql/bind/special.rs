//! Calls that are forms of the language: branches, the clock, row functions, names of columns.
use super::Bind;
use super::about::takes_all;
use super::binder::Binder;
use super::convert::common;
use super::relation::Row;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::kql::ast::{Call, Expression, ExpressionKind};
use crate::plan::{Node, RowCall};
use crate::types::{Kind, Value};

impl Binder<'_> {
    /// The call, where it is such a form.
    pub fn special(&mut self, call: &Call, row: &Row) -> Option<Bind<Expr>> {
        Some(match call.name.text.as_str() {
            "iff" | "iif" => self.branches(call, row, Some(3)),
            "case" => self.branches(call, row, None),
            "coalesce" => self.coalesce(call, row),
            "now" => self.now(call, row),
            "ago" => self.ago(call, row),
            "ingestion_time" => Ok(ingestion_time(row)),
            "toscalar" => self.late_scalar(call, row),
            "column_ifexists" | "columnifexists" => self.column_if_exists(call, row),
            "bag_pack_columns" => self.bag_pack_columns(call, row),
            "bin_auto" => self.bin_auto(call, row),
            "pack_all" => self.pack_all(call, row),
            "assert" => self.assert(call),
            "column_names_of" => self.column_names_of(call),
            "iscolumnexists" => self.is_column(call, row),
            "estimate_data_size" if takes_all(call) => self.estimate_row_size(call, row),
            "cursor_after" => self.ingested(call, row, ">"),
            "cursor_before_or_at" => self.ingested(call, row, "<="),
            "row_number" | "row_cumsum" | "prev" | "next" | "row_window_session" | "row_rank_dense"
            | "row_rank_min" => self.in_row_order(call, row),
            _ => return None,
        })
    }

    fn branches(&mut self, call: &Call, row: &Row, exactly: Option<usize>) -> Bind<Expr> {
        let arguments = &call.arguments;
        if exactly.is_some_and(|n| arguments.len() != n) || arguments.len() < 3 || arguments.len().is_multiple_of(2) {
            let wanted = if exactly.is_some() { "3 arguments" } else { "an odd number of arguments, at least 3" };
            let message = format!("The function '{}' expects {wanted}.", call.name.text);
            return Err(self.error("KS119", message, call.name.span));
        }
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut failed = None;
        for (at, argument) in arguments.iter().enumerate() {
            let is_condition = at % 2 == 0 && at + 1 < arguments.len();
            let bound = self.scalar(&argument.value, row);
            let bound = if is_condition { bound.and_then(|e| self.condition(e, argument.value.span)) } else { bound };
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
            return Err(self.error("KS119", "The function 'coalesce' expects at least 1 argument.", call.name.span));
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
            super::expressions::Value::Scalar(expr) => Ok(expr),
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
                let kind = if term.kind() == Kind::Int { Kind::Long } else { term.kind() };
                (RowCall::CumulativeSum { term: self.converted(term, kind, span)?, restart: next() }, kind)
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
