//! Operators that run sub-queries over parts or copies of their rows: `partition`, `fork`, `facet`.
use super::super::{Parsed, Parser};
use crate::kql::ast::{
    Expression, ExpressionKind, Facet, Fork, ForkBranch, Name, OperatorKind, Partition, PartitionBody, Pipeline,
};

impl Parser<'_> {
    /// `partition by key (subquery)` or `partition by key {query}`
    pub(super) fn partition(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        self.expect_word("by")?;
        let by = self.key_path()?;
        let body = if self.at("{") {
            PartitionBody::Query(self.block()?.0)
        } else {
            PartitionBody::Subquery(self.subquery()?)
        };
        Ok(OperatorKind::Partition(Box::new(Partition { parameters, by, body })))
    }

    /// A column or a path to a value; the parenthesis behind it is not a call's.
    fn key_path(&mut self) -> Parsed<Expression> {
        let name = self.name()?;
        let base = Expression { span: name.span, kind: ExpressionKind::Name(name) };
        self.path(base, false)
    }

    pub(super) fn fork(&mut self) -> Parsed<OperatorKind> {
        let mut branches = vec![self.fork_branch()?];
        while !self.at_operator_end() {
            branches.push(self.fork_branch()?);
        }
        Ok(OperatorKind::Fork(Fork { branches }))
    }

    /// `(subquery)` or `name=(subquery)`
    fn fork_branch(&mut self) -> Parsed<ForkBranch> {
        let start = self.token().span;
        let name: Option<Name> = if self.at("(") { None } else { Some(self.name()?) };
        if name.is_some() {
            self.expect("=")?;
        }
        let subquery = self.subquery()?;
        Ok(ForkBranch { name, subquery, span: self.since(start) })
    }

    pub(super) fn facet(&mut self) -> Parsed<OperatorKind> {
        self.expect_word("by")?;
        let by = self.list(Self::expression)?;
        let with = if self.eat_word("with") { Some(self.facet_query()?) } else { None };
        Ok(OperatorKind::Facet(Facet { by, with }))
    }

    /// One operator may stand without parentheses.
    fn facet_query(&mut self) -> Parsed<Pipeline> {
        if self.at("(") {
            return self.subquery();
        }
        let operator = self.operator()?;
        Ok(Pipeline { source: None, span: operator.span, operators: vec![operator] })
    }
}
