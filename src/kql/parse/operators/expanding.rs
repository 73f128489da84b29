//! Operators that make rows or columns of what stands in one value: `mv-expand`, `mv-apply`,
//! `evaluate`, `invoke`.
use super::super::{Parsed, Parser, Wanted};
use crate::kql::ast::{
    BagExpansion, Evaluate, Expression, ExpressionKind, Invoke, MvApply, MvColumn, MvExpand, OperatorKind,
};

const EXPANSIONS: &[(&str, BagExpansion)] = &[("array", BagExpansion::Array), ("bag", BagExpansion::Bag)];

const MV_PARAMETERS: &[&str] = &["bagexpansion", "kind", "with_itemindex"];

impl Parser<'_> {
    pub(super) fn mv_expand(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(MV_PARAMETERS)?;
        let kind = self.take_choice(&mut parameters, "kind", EXPANSIONS);
        let expansion = self.take_choice(&mut parameters, "bagexpansion", EXPANSIONS).or(kind);
        let with_item_index = self.take_name(&mut parameters, &["with_itemindex"]);
        let columns = self.list(Self::mv_column)?;
        let limit = self.row_limit()?;
        Ok(OperatorKind::MvExpand(Box::new(MvExpand { expansion, with_item_index, parameters, columns, limit })))
    }

    fn mv_column(&mut self) -> Parsed<MvColumn> {
        let column = self.column()?;
        let to = if self.eat_word("to") { Some(self.typeof_kind()?) } else { None };
        let span = self.since(column.span);
        Ok(MvColumn { column, to, span })
    }

    fn row_limit(&mut self) -> Parsed<Option<Expression>> {
        if self.eat_word("limit") { self.expression().map(Some) } else { Ok(None) }
    }

    pub(super) fn mv_apply(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(MV_PARAMETERS)?;
        let with_item_index = self.take_name(&mut parameters, &["with_itemindex"]);
        let columns = self.list(Self::mv_column)?;
        let limit = self.row_limit()?;
        let context = if self.eat_word("id") { Some(self.expression()?) } else { None };
        self.expect_word("on")?;
        let subquery = self.subquery()?;
        Ok(OperatorKind::MvApply(Box::new(MvApply { with_item_index, parameters, columns, limit, context, subquery })))
    }

    /// `evaluate plugin(arguments) : (schema)`
    pub(super) fn evaluate(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        self.want(Wanted::Plugin);
        let name = self.name()?;
        let call = self.nested(|p| p.call(name))?;
        let schema = if self.eat(":") { Some(self.row_schema()?) } else { None };
        Ok(OperatorKind::Evaluate(Evaluate { parameters, call, schema }))
    }

    pub(super) fn invoke(&mut self) -> Parsed<OperatorKind> {
        self.want(Wanted::Function);
        let function = self.table_reference()?;
        if matches!(function.kind, ExpressionKind::Call(_) | ExpressionKind::Path(_)) {
            return Ok(OperatorKind::Invoke(Invoke { function }));
        }
        self.expected("`(`")
    }
}
