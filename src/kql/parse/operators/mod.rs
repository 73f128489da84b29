//! The operators: one line in the table each, one function in the file of its family.
mod columns;
mod expanding;
mod graphs;
mod grouping;
mod joining;
mod parsing;
mod rows;
mod scanning;
mod searching;
mod splitting;

use super::{Parsed, Parser};
use crate::diagnostic::Diagnostic;
use crate::kql::ast::OperatorKind;

type Read = fn(&mut Parser) -> Parsed<OperatorKind>;

/// The reader of each operator; it begins behind the operator's name.
const OPERATORS: &[(&str, Read)] = &[
    ("__executeAndCache", |_| Ok(OperatorKind::ExecuteAndCache)),
    ("as", |p| p.as_operator()),
    ("assert-schema", |p| p.row_schema().map(OperatorKind::AssertSchema)),
    ("consume", |p| p.consume()),
    ("count", |p| p.count()),
    ("distinct", |p| p.distinct()),
    ("evaluate", |p| p.evaluate()),
    ("execute-and-cache", |_| Ok(OperatorKind::ExecuteAndCache)),
    ("extend", |p| p.extend()),
    ("facet", |p| p.facet()),
    ("filter", |p| p.where_operator()),
    ("find", |p| p.find()),
    ("fork", |p| p.fork()),
    ("getschema", |_| Ok(OperatorKind::GetSchema)),
    ("graph-mark-components", |p| p.graph_mark_components()),
    ("graph-match", |p| p.graph_match()),
    ("graph-shortest-paths", |p| p.graph_shortest_paths()),
    ("graph-to-table", |p| p.graph_to_table()),
    ("invoke", |p| p.invoke()),
    ("join", |p| p.join()),
    ("limit", |p| p.take()),
    ("lookup", |p| p.lookup()),
    ("make-graph", |p| p.make_graph()),
    ("make-series", |p| p.make_series()),
    ("mv-apply", |p| p.mv_apply()),
    ("mv-expand", |p| p.mv_expand()),
    ("mvapply", |p| p.mv_apply()),
    ("mvexpand", |p| p.mv_expand()),
    ("order", |p| p.sort()),
    ("parse", |p| p.parse_operator(false)),
    ("parse-kv", |p| p.parse_kv()),
    ("parse-where", |p| p.parse_operator(true)),
    ("partition", |p| p.partition()),
    ("print", |p| p.print()),
    ("project", |p| p.project()),
    ("project-away", |p| p.project_away()),
    ("project-by-names", |p| p.project_by_names()),
    ("project-keep", |p| p.project_keep()),
    ("project-rename", |p| p.project_rename()),
    ("project-reorder", |p| p.project_reorder()),
    ("range", |p| p.range()),
    ("reduce", |p| p.reduce()),
    ("render", |p| p.render()),
    ("sample", |p| p.sample()),
    ("sample-distinct", |p| p.sample_distinct()),
    ("scan", |p| p.scan()),
    ("search", |p| p.search()),
    ("serialize", |p| p.serialize()),
    ("sort", |p| p.sort()),
    ("summarize", |p| p.summarize()),
    ("take", |p| p.take()),
    ("top", |p| p.top()),
    ("top-hitters", |p| p.top_hitters()),
    ("top-nested", |p| p.top_nested()),
    ("union", |p| p.union()),
    ("where", |p| p.where_operator()),
];

/// Operators of the language that this front end does not read.
const UNSUPPORTED: &[&str] =
    &["graph-where-edges", "graph-where-nodes", "macro-expand", "partition-by", "__partitionby"];

/// Reads nothing: reports what stands there.
const UNREAD: Read = |p| p.unsupported_operator();

/// The reader of the operator of this name.
pub(super) fn find(name: &str) -> Option<Read> {
    let known = OPERATORS.iter().find(|(n, _)| *n == name).map(|(_, read)| *read);
    known.or(UNSUPPORTED.contains(&name).then_some(UNREAD))
}

/// The names of all operators that are read: what may be meant by an unknown name.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, _)| *name).filter(|name| !name.starts_with('_'))
}

impl Parser<'_> {
    fn unsupported_operator(&mut self) -> Parsed<OperatorKind> {
        let span = self.previous_name();
        let name = span.text(self.text);
        Err(self.report(Diagnostic::error("HP120", format!("the operator `{name}` is not supported")).at(span)))
    }
}
