//! Operators that gather rows into groups.
use super::super::{Parsed, Parser};
use crate::kql::ast::{
    Expression, MakeSeries, OperatorKind, Reduce, SeriesAxis, SeriesColumn, Summarize, TopNested, TopNestedLevel,
};

impl Parser<'_> {
    /// `summarize aggregates by keys`, where either may be absent.
    pub(super) fn summarize(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        let nothing = self.at_operator_end() || self.at_word("by");
        let aggregates = if nothing { Vec::new() } else { self.list(Self::column)? };
        let has_by = self.eat_word("by");
        let keys = if has_by { self.list(Self::column)? } else { Vec::new() };
        let bin = if has_by && self.at_word("bin") && self.is_symbol(1, "=") {
            self.advance();
            self.advance();
            Some(self.expression()?)
        } else {
            None
        };
        Ok(OperatorKind::Summarize(Box::new(Summarize { parameters, aggregates, keys, has_by, bin })))
    }

    pub(super) fn make_series(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&["kind"])?;
        let aggregates = self.list(Self::series_column)?;
        self.expect_word("on")?;
        let on = self.column()?;
        let axis = if self.eat_word("in") { self.series_range()? } else { self.series_steps()? };
        let keys = if self.eat_word("by") { self.list(Self::column)? } else { Vec::new() };
        Ok(OperatorKind::MakeSeries(Box::new(MakeSeries { parameters, aggregates, on, axis, keys })))
    }

    fn series_column(&mut self) -> Parsed<SeriesColumn> {
        let column = self.column()?;
        let default = if self.eat_word("default") {
            self.expect("=")?;
            Some(self.expression()?)
        } else {
            None
        };
        Ok(SeriesColumn { column, default })
    }

    fn series_steps(&mut self) -> Parsed<SeriesAxis> {
        let from = if self.eat_word("from") { Some(self.expression()?) } else { None };
        let to = if self.eat_word("to") { Some(self.expression()?) } else { None };
        self.expect_word("step")?;
        Ok(SeriesAxis::Steps { from, to, step: self.expression()? })
    }

    fn series_range(&mut self) -> Parsed<SeriesAxis> {
        self.expect_word("range")?;
        self.expect("(")?;
        let start = self.expression()?;
        self.expect(",")?;
        let stop = self.expression()?;
        let step = if self.eat(",") { Some(self.expression()?) } else { None };
        self.expect(")")?;
        Ok(SeriesAxis::Range { start, stop, step })
    }

    /// `top-nested N of a by x, top-nested M of b by y`
    pub(super) fn top_nested(&mut self) -> Parsed<OperatorKind> {
        let mut levels = vec![self.top_nested_level()?];
        while self.eat(",") {
            if self.joined_name("-").is_ok_and(|name| name.text == "top-nested") {
                levels.push(self.top_nested_level()?);
            } else {
                return self.expected("`top-nested`");
            }
        }
        Ok(OperatorKind::TopNested(TopNested { levels }))
    }

    fn top_nested_level(&mut self) -> Parsed<TopNestedLevel> {
        let start = self.token().span;
        let count = if self.at_word("of") { None } else { Some(self.expression()?) };
        self.expect_word("of")?;
        let of = self.column()?;
        let others = self.others()?;
        self.expect_word("by")?;
        let by = self.column()?;
        let order = self.sort_order();
        let nulls = self.nulls_order()?;
        Ok(TopNestedLevel { count, of, others, by, order, nulls, span: self.since(start) })
    }

    /// `with others = value`
    fn others(&mut self) -> Parsed<Option<Expression>> {
        if !self.eat_word("with") {
            return Ok(None);
        }
        self.expect_word("others")?;
        self.expect("=")?;
        self.expression().map(Some)
    }

    pub(super) fn reduce(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&["kind"])?;
        self.expect_word("by")?;
        let by = self.expression()?;
        let with = if self.eat_word("with") { self.list(Self::property)? } else { Vec::new() };
        Ok(OperatorKind::Reduce(Reduce { parameters, by, with }))
    }
}
