//! `scan`: rows matched against steps, in order.
use super::super::{Parsed, Parser};
use crate::kql::ast::{OperatorKind, Scan, ScanDeclaration, ScanOutput, ScanStep, SortKey, Spanned};

impl Parser<'_> {
    pub(super) fn scan(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["with_match_id", "kind"])?;
        let with_match_id = self.take_name(&mut parameters, &["with_match_id"]);
        let (mut partition_by, mut order_by, mut declare) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            if self.at_word("partition") && self.is_word(1, "by") {
                self.position += 2;
                partition_by = self.list(Self::expression)?;
            } else if self.at_word("order") && self.is_word(1, "by") {
                order_by = self.order_by()?;
            } else if self.eat_word("declare") {
                self.expect("(")?;
                declare = self.list_until(")", Self::scan_declaration)?;
            } else {
                break;
            }
        }
        self.expect_word("with")?;
        self.expect("(")?;
        let steps = self.scan_steps()?;
        let scan = Scan { with_match_id, parameters, partition_by, order_by, declare, steps };
        Ok(OperatorKind::Scan(Box::new(scan)))
    }

    fn order_by(&mut self) -> Parsed<Vec<SortKey>> {
        self.position += 2;
        self.list(Self::sort_key)
    }

    fn scan_declaration(&mut self) -> Parsed<ScanDeclaration> {
        let column = self.column_declaration()?;
        let default = if self.eat("=") { Some(self.expression()?) } else { None };
        Ok(ScanDeclaration { column, default })
    }

    fn scan_steps(&mut self) -> Parsed<Vec<ScanStep>> {
        let mut steps = Vec::new();
        while !self.eat(")") {
            steps.push(self.scan_step()?);
            self.expect(";")?;
        }
        Ok(steps)
    }

    /// `step name optional output=last: condition => a = x, b = y`
    fn scan_step(&mut self) -> Parsed<ScanStep> {
        let start = self.expect_word("step")?.span;
        let name = self.name()?;
        let optional = self.eat_word("optional");
        let output = self.scan_output()?;
        self.expect(":")?;
        let condition = self.expression()?;
        let assignments = if self.eat("=>") { self.list(Self::column)? } else { Vec::new() };
        Ok(ScanStep { name, optional, output, condition, assignments, span: self.since(start) })
    }

    fn scan_output(&mut self) -> Parsed<Option<Spanned<ScanOutput>>> {
        if !self.eat_word("output") {
            return Ok(None);
        }
        self.expect("=")?;
        let span = self.token().span;
        let output = [("all", ScanOutput::All), ("last", ScanOutput::Last), ("none", ScanOutput::None)];
        match output.into_iter().find(|(word, _)| self.at_word(word)) {
            Some((_, value)) => {
                self.advance();
                Ok(Some(Spanned { value, span }))
            }
            None => self.expected("`all`, `last` or `none`"),
        }
    }
}
