//! Operators that choose or order rows, and the small ones that only mark them.
use super::super::{Parsed, Parser, Wanted};
use crate::diagnostic::{Diagnostic, Span};
use crate::kql::ast::{
    As, Binary, BinaryOperator, Consume, Count, Expression, ExpressionKind, Name, NullsOrder, OperatorKind, Range,
    Render, RenderProperty, Sample, SampleDistinct, Sort, SortKey, SortOrder, Take, Top, TopHitters, Where,
};
use crate::kql::lex::TokenKind;

impl Parser<'_> {
    pub(in super::super) fn at_operator_end(&self) -> bool {
        // Where a text is not whole, what may be left out may follow as well.
        !self.may_go_on() && matches!(self.token().kind, TokenKind::Symbol("|" | ";" | ")" | "}") | TokenKind::End)
    }

    /// The span of the operator's name, which has just been read.
    pub(super) fn previous_name(&self) -> Span {
        let mut at = self.position.saturating_sub(1);
        while at >= 2 && self.tokens.get(at - 1).is_some_and(|t| t.kind == TokenKind::Symbol("-")) {
            at -= 2;
        }
        let start = self.tokens.get(at).map_or(self.token().span, |t| t.span);
        self.since(start)
    }

    pub(super) fn where_operator(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        let predicate = self.expression()?;
        let predicate = if self.at("=") { self.equal_written_as_assigned(predicate)? } else { predicate };
        Ok(OperatorKind::Where(Where { parameters, predicate }))
    }

    /// `where a = b`, which Azure takes for `a == b`.
    fn equal_written_as_assigned(&mut self, left: Expression) -> Parsed<Expression> {
        let operator_span = self.token().span;
        if !matches!(left.kind, ExpressionKind::Name(_)) {
            return Ok(left);
        }
        self.expect("=")?;
        let right = self.expression()?;
        let warning = Diagnostic::warning("HP104", "`=` is read as `==` here");
        self.report(warning.at(operator_span).help("compare with `==`"));
        let span = left.span.to(right.span);
        let operator = BinaryOperator::Equal;
        let kind = ExpressionKind::Binary(Box::new(Binary { operator, operator_span, left, right }));
        Ok(Expression { kind, span })
    }

    pub(super) fn take(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        Ok(OperatorKind::Take(Take { parameters, count: self.expression()? }))
    }

    pub(super) fn sample(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        Ok(OperatorKind::Sample(Sample { parameters, count: self.expression()? }))
    }

    pub(super) fn sample_distinct(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        let count = self.expression()?;
        self.expect_word("of")?;
        let of = self.column()?;
        Ok(OperatorKind::SampleDistinct(Box::new(SampleDistinct { parameters, count, of })))
    }

    pub(super) fn count(&mut self) -> Parsed<OperatorKind> {
        let name = if self.eat_word("as") { Some(self.name()?) } else { None };
        Ok(OperatorKind::Count(Count { name }))
    }

    pub(super) fn sort(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        self.expect_word("by")?;
        let keys = self.list(Self::sort_key)?;
        Ok(OperatorKind::Sort(Sort { parameters, keys }))
    }

    pub(super) fn sort_key(&mut self) -> Parsed<SortKey> {
        let column = self.column()?;
        let order = self.sort_order();
        let nulls = self.nulls_order()?;
        let span = self.since(column.span);
        Ok(SortKey { column, order, nulls, span })
    }

    pub(super) fn sort_order(&mut self) -> Option<SortOrder> {
        if self.eat_word("asc") {
            return Some(SortOrder::Ascending);
        }
        self.eat_word("desc").then_some(SortOrder::Descending)
    }

    pub(super) fn nulls_order(&mut self) -> Parsed<Option<NullsOrder>> {
        if !self.eat_word("nulls") {
            return Ok(None);
        }
        if self.eat_word("first") {
            return Ok(Some(NullsOrder::First));
        }
        if self.eat_word("last") {
            return Ok(Some(NullsOrder::Last));
        }
        self.expected("`first` or `last`")
    }

    pub(super) fn top(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        let count = self.expression()?;
        self.expect_word("by")?;
        let key = self.sort_key()?;
        if self.at(",") {
            let said = Diagnostic::error("KS198", "`top` takes one key").at(self.token().span);
            return Err(self.report(said.help("for several keys write `sort by a, b | take N`")));
        }
        Ok(OperatorKind::Top(Box::new(Top { parameters, count, key })))
    }

    pub(super) fn top_hitters(&mut self) -> Parsed<OperatorKind> {
        let count = self.expression()?;
        self.expect_word("of")?;
        let of = self.column()?;
        let by = if self.eat_word("by") { Some(self.expression()?) } else { None };
        Ok(OperatorKind::TopHitters(Box::new(TopHitters { count, of, by })))
    }

    /// `range name from start to stop step size`
    pub(super) fn range(&mut self) -> Parsed<OperatorKind> {
        let name = self.name()?;
        self.expect_word("from")?;
        let from = self.expression()?;
        self.expect_word("to")?;
        let to = self.expression()?;
        self.expect_word("step")?;
        let step = self.expression()?;
        Ok(OperatorKind::Range(Box::new(Range { name, from, to, step })))
    }

    pub(super) fn as_operator(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        Ok(OperatorKind::As(As { parameters, name: self.name()? }))
    }

    pub(super) fn consume(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&["decodeblocks"])?;
        Ok(OperatorKind::Consume(Consume { parameters }))
    }

    /// `render timechart with (title="x", ycolumns=a, b)`, or the properties bare as they once were.
    pub(super) fn render(&mut self) -> Parsed<OperatorKind> {
        self.want(Wanted::Chart);
        if self.token().kind != TokenKind::Word {
            return self.expected("the name of a chart");
        }
        let chart = self.name()?;
        let mut properties = Vec::new();
        if self.eat_word("with") {
            self.expect("(")?;
            while !self.eat(")") {
                properties.push(self.render_property()?);
                if !self.eat(",") && !self.at(")") {
                    return self.expected("`,` or `)`");
                }
            }
        }
        while self.token().kind == TokenKind::Word {
            properties.push(if self.at_word("by") { self.render_by()? } else { self.render_property()? });
        }
        Ok(OperatorKind::Render(Render { chart, properties }))
    }

    fn render_property(&mut self) -> Parsed<RenderProperty> {
        let name = self.name()?;
        self.expect("=")?;
        self.render_values(name)
    }

    fn render_by(&mut self) -> Parsed<RenderProperty> {
        let name = self.name()?;
        self.render_values(name)
    }

    /// One value, or several names: `ycolumns=a, b, title="x"` has two properties.
    fn render_values(&mut self, name: Name) -> Parsed<RenderProperty> {
        let mut values = vec![self.expression()?];
        let several = matches!(name.text.as_str(), "by" | "ycolumns" | "anomalycolumns" | "series");
        while several && self.at(",") && self.ahead(1).kind == TokenKind::Word && !self.is_symbol(2, "=") {
            self.advance();
            values.push(self.expression()?);
        }
        let span = self.since(name.span);
        Ok(RenderProperty { name, values, span })
    }
}
