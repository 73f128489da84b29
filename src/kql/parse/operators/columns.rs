//! Operators that choose, compute or name columns.
use super::super::{Parsed, Parser, Wanted};
use crate::diagnostic::Diagnostic;
use crate::kql::ast::{
    Column, ColumnNames, Distinct, Expression, ExpressionKind, Extend, OperatorKind, Print, Project, ProjectByNames,
    ProjectPatterns, ProjectRename, ProjectReorder, Rename, ReorderItem, Serialize, SortOrder,
};

impl Parser<'_> {
    pub(super) fn extend(&mut self) -> Parsed<OperatorKind> {
        let columns = self.list(Self::column)?;
        Ok(OperatorKind::Extend(Extend { columns }))
    }

    pub(super) fn project(&mut self) -> Parsed<OperatorKind> {
        let columns = if self.at_operator_end() { Vec::new() } else { self.list(Self::column)? };
        Ok(OperatorKind::Project(Project { columns }))
    }

    pub(super) fn print(&mut self) -> Parsed<OperatorKind> {
        let columns = self.list(Self::column)?;
        Ok(OperatorKind::Print(Print { columns }))
    }

    pub(super) fn serialize(&mut self) -> Parsed<OperatorKind> {
        let columns = if self.at_operator_end() { Vec::new() } else { self.list(Self::column)? };
        Ok(OperatorKind::Serialize(Serialize { columns }))
    }

    pub(super) fn distinct(&mut self) -> Parsed<OperatorKind> {
        let parameters = self.parameters(&[])?;
        let columns = self.list(Self::distinct_column)?;
        Ok(OperatorKind::Distinct(Distinct { parameters, columns }))
    }

    fn distinct_column(&mut self) -> Parsed<Column> {
        if !self.at("*") {
            return self.column();
        }
        let span = self.advance().span;
        let expression = Expression { kind: ExpressionKind::Star, span };
        Ok(Column { names: ColumnNames::Automatic, expression, span })
    }

    pub(super) fn project_by_names(&mut self) -> Parsed<OperatorKind> {
        let names = self.list(Self::expression)?;
        Ok(OperatorKind::ProjectByNames(ProjectByNames { names }))
    }

    pub(super) fn project_away(&mut self) -> Parsed<OperatorKind> {
        self.patterns().map(OperatorKind::ProjectAway)
    }

    pub(super) fn project_keep(&mut self) -> Parsed<OperatorKind> {
        self.patterns().map(OperatorKind::ProjectKeep)
    }

    fn patterns(&mut self) -> Parsed<ProjectPatterns> {
        let patterns = if self.at_operator_end() { Vec::new() } else { self.list(Self::name_pattern)? };
        Ok(ProjectPatterns { patterns })
    }

    pub(super) fn project_rename(&mut self) -> Parsed<OperatorKind> {
        let renames = self.list(Self::rename)?;
        Ok(OperatorKind::ProjectRename(ProjectRename { renames }))
    }

    fn rename(&mut self) -> Parsed<Rename> {
        let new = self.name()?;
        if !self.at("=") && !self.assumed() {
            let said = Diagnostic::error("KS005", format!("`=` is expected before {}", self.here()));
            return Err(self.report(said.at(self.token().span).help("project-rename new = old")));
        }
        self.advance();
        self.want(Wanted::Column);
        let old = self.name()?;
        if self.at("(") || self.at(".") {
            let said = Diagnostic::error("KS109", "the old name of `project-rename` is a column").at(old.span);
            return Err(self.report(said.help("compute it with `extend`")));
        }
        let span = new.span.to(old.span);
        Ok(Rename { new, old, span })
    }

    pub(super) fn project_reorder(&mut self) -> Parsed<OperatorKind> {
        let items = self.list(Self::reorder_item)?;
        Ok(OperatorKind::ProjectReorder(ProjectReorder { items }))
    }

    fn reorder_item(&mut self) -> Parsed<ReorderItem> {
        let pattern = self.name_pattern()?;
        let order = match self.sort_order() {
            None if self.at_word("granny") => Some(self.granny_order()?),
            order => order,
        };
        let span = self.since(pattern.span);
        Ok(ReorderItem { pattern, order, span })
    }

    fn granny_order(&mut self) -> Parsed<SortOrder> {
        let span = self.token().span;
        match self.joined_name("-")?.text.as_str() {
            "granny-asc" => Ok(SortOrder::GrannyAscending),
            "granny-desc" => Ok(SortOrder::GrannyDescending),
            _ => Err(self.report(Diagnostic::error("KS005", "`granny-asc` or `granny-desc` is expected").at(span))),
        }
    }
}
