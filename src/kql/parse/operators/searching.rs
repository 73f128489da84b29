//! `search` and `find`.
use super::super::{Parsed, Parser};
use crate::diagnostic::Diagnostic;
use crate::kql::ast::{Find, FindColumn, FindPack, FindProjection, OperatorKind, Search, SearchKind};

const SEARCH_KINDS: &[(&str, SearchKind)] = &[
    ("case_insensitive", SearchKind::CaseInsensitive),
    ("case_sensitive", SearchKind::CaseSensitive),
    ("default", SearchKind::CaseInsensitive),
];

enum FindItem {
    Column(FindColumn),
    Pack(FindPack),
    All,
}

impl Parser<'_> {
    /// `search kind=case_sensitive in (T, Sec*) predicate`
    pub(super) fn search(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind"])?;
        let kind = self.take_choice(&mut parameters, "kind", SEARCH_KINDS);
        let tables = self.searched_tables()?;
        let predicate = self.expression()?;
        Ok(OperatorKind::Search(Search { kind, parameters, tables, predicate }))
    }

    /// `find withsource=T in (A, B*) where predicate project a, b:string, pack(*)`
    pub(super) fn find(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind", "datascope", "withsource", "with_source"])?;
        let with_source = self.take_name(&mut parameters, &["withsource", "with_source"]);
        let tables = self.searched_tables()?;
        if !self.eat_word("where") && !tables.is_empty() {
            return self.expected("`where`");
        }
        let predicate = self.expression()?;
        let projection = self.find_projection()?;
        Ok(OperatorKind::Find(Box::new(Find { with_source, parameters, tables, predicate, projection })))
    }

    fn find_projection(&mut self) -> Parsed<Option<FindProjection>> {
        if self.at_operator_end() {
            return Ok(None);
        }
        let start = self.token().span;
        match self.joined_name("-")?.text.as_str() {
            "project" => self.found_columns().map(Some),
            "project-smart" => Ok(Some(FindProjection::Smart)),
            "project-away" => Ok(Some(FindProjection::Away(self.list(Self::name_pattern)?))),
            other => {
                let said =
                    Diagnostic::error("KS005", format!("`project` or `project-smart` is expected, not `{other}`"));
                Err(self.report(said.at(start)))
            }
        }
    }

    fn found_columns(&mut self) -> Parsed<FindProjection> {
        let items = self.list(Self::found_column)?;
        let pack = items.iter().find_map(|item| match item {
            FindItem::Pack(pack) => Some(*pack),
            _ => None,
        });
        let columns = items.into_iter().filter_map(|item| match item {
            FindItem::Column(column) => Some(column),
            _ => None,
        });
        Ok(FindProjection::Project { columns: columns.collect(), pack })
    }

    fn found_column(&mut self) -> Parsed<FindItem> {
        if self.eat("*") {
            return Ok(FindItem::All);
        }
        let name = self.name()?;
        if matches!(name.text.as_str(), "pack" | "pack_all") && self.eat("(") {
            let pack = if self.eat("*") { FindPack::Rest } else { FindPack::All };
            self.expect(")")?;
            return Ok(FindItem::Pack(pack));
        }
        let kind = if self.eat(":") { Some(self.type_name()?) } else { None };
        Ok(FindItem::Column(FindColumn { name, kind }))
    }
}
