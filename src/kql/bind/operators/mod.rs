//! The operators of a pipeline, each lowered to plan nodes.
mod columns;
mod defender;
mod expand;
mod find;
mod graph;
mod join;
mod make_series;
mod parse;
mod parse_kv;
mod partition;
mod plugins;
mod reduce;
mod results;
mod rows;
mod scan;
mod search;
mod several;
mod sort;
mod summarize;
mod top_nested;
mod union;

pub(super) use graph::GraphView;
pub use plugins::{Plugin, PluginParameter, Takes, plugins};
pub use rows::CHARTS;
pub(super) use scan::state_column;
pub(super) use union::Uniting;

use super::binder::Binder;
use super::relation::{Open, Relation};
use super::{Bind, Reported};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expr::Expr;
use crate::kql::Page;
use crate::kql::ast::{Expression, Operator, OperatorKind, Pipeline};
use crate::plan::Node;
use crate::types::{Kind, Name, Value};

/// The manual pages of all operators and plugins.
pub(super) const OPERATOR_PAGES: &[&[Page]] = &[
    PAGES,
    columns::PAGES,
    expand::PAGES,
    find::PAGES,
    graph::PAGES,
    join::PAGES,
    make_series::PAGES,
    parse::PAGES,
    parse_kv::PAGES,
    partition::PAGES,
    plugins::PAGES,
    reduce::PAGES,
    results::PAGES,
    rows::PAGES,
    scan::PAGES,
    search::PAGES,
    sort::PAGES,
    summarize::PAGES,
    top_nested::PAGES,
    union::PAGES,
];

impl Binder<'_> {
    /// The rows of a pipeline; `input` are those of the enclosing operator.
    pub fn pipeline(&mut self, pipeline: &Pipeline, input: Option<&Relation>) -> Bind<Relation> {
        let outer = self.scope;
        let rows = self.piped(pipeline.source.as_ref(), &pipeline.operators, input, pipeline.span);
        self.scope = outer;
        rows
    }

    /// The rows behind some operators; the names that `as` gives stay known.
    pub fn piped(
        &mut self,
        source: Option<&Expression>,
        operators: &[Operator],
        input: Option<&Relation>,
        span: Span,
    ) -> Bind<Relation> {
        let mut relation = match source {
            Some(source) => self.source(source).map(Some),
            None => Ok(input.cloned()),
        };
        for (at, operator) in operators.iter().enumerate() {
            relation = Ok(Some(match relation {
                Ok(Some(input)) => self.operator(operator, &input).unwrap_or_else(|Reported| match &operator.kind {
                    kind if keeps_columns(kind) && input.graph.is_none() => input,
                    _ => Relation { graph: None, ..input.broken() },
                }),
                Ok(None) => self.first_operator(operator, operators.get(at + 1..).unwrap_or_default())?,
                Err(Reported) => {
                    let nothing = self.nothing();
                    self.operator(operator, &nothing).unwrap_or(nothing)
                }
            }));
        }
        match relation? {
            Some(relation) => Ok(relation),
            None => Err(self.error("KS111", "Tabular value expected.", span)),
        }
    }

    /// An operator that makes the rows itself.
    fn first_operator(&mut self, operator: &Operator, behind: &[Operator]) -> Bind<Relation> {
        self.enter(operator.span)?;
        let made = match &operator.kind {
            OperatorKind::Print(print) => self.print(print),
            OperatorKind::Range(range) => self.range(range, behind, operator.span),
            OperatorKind::Union(union) => self.union(union, None, operator.span),
            OperatorKind::Search(search) => self.search(search, None, operator.span),
            OperatorKind::Find(find) => self.find(find, operator.span),
            OperatorKind::Evaluate(evaluate) => {
                let one = self.one_row();
                self.evaluate(evaluate, &one, operator.span)
            }
            OperatorKind::Unknown => Err(Reported),
            _ => Err(self.unsupported(&format!("'{}' without a source", operator.name.text), operator.name.span)),
        };
        self.leave();
        made
    }

    fn operator(&mut self, operator: &Operator, input: &Relation) -> Bind<Relation> {
        if !input.others.is_empty() {
            let message = "no operator may follow one that gives several results";
            return Err(self.error("HP127", message, operator.name.span));
        }
        self.enter(operator.span)?;
        if self.is_probed(operator.span.end) {
            self.look_at_rows(input);
        }
        let made = match input.graph.as_deref() {
            Some(graph) => self.over_graph(operator, input, graph),
            None => self.over_rows(operator, input),
        };
        self.leave();
        made
    }

    /// What an operator makes of rows. Rows that may have any column have those that it names from here on.
    fn over_rows(&mut self, operator: &Operator, input: &Relation) -> Bind<Relation> {
        if input.open != Open::Any {
            return self.lowered(operator, input);
        }
        let outer = std::mem::take(&mut self.assumed);
        let before = self.diagnostics.len();
        let numbered = self.numbered;
        let made = self.lowered(operator, input);
        let assumed = std::mem::replace(&mut self.assumed, outer);
        if assumed.is_empty() || !keeps_what_it_names(&operator.kind) {
            return made;
        }
        let said = self.diagnostics.split_off(before);
        self.diagnostics.extend(said.into_iter().filter(|d| d.severity == Severity::Note));
        self.numbered = numbered;
        let mut fresh: Vec<(Name, Expr)> = Vec::new();
        for name in assumed {
            if !input.schema.contains(&name) && !fresh.iter().any(|(known, _)| *known == name) {
                fresh.push((name, Expr::Const(Value::Null(Kind::Dynamic))));
            }
        }
        let named = self.extend(input, fresh);
        self.lowered(operator, &Relation { table: input.table.clone(), ..named })
    }

    fn lowered(&mut self, operator: &Operator, input: &Relation) -> Bind<Relation> {
        match &operator.kind {
            OperatorKind::Where(filter) => self.filter(filter, input),
            OperatorKind::Extend(extend) => self.extend_columns(&extend.columns, input),
            OperatorKind::Serialize(serialize) => self.extend_columns(&serialize.columns, input),
            OperatorKind::Project(project) => self.project_columns(&project.columns, input),
            OperatorKind::ProjectAway(away) => self.project_away(away, input),
            OperatorKind::ProjectKeep(keep) => self.project_keep(keep, input),
            OperatorKind::ProjectRename(rename) => self.project_rename(rename, input),
            OperatorKind::ProjectReorder(reorder) => self.project_reorder(reorder, input),
            OperatorKind::Summarize(summarize) => self.summarize(summarize, input),
            OperatorKind::Distinct(distinct) => self.distinct(distinct, input),
            OperatorKind::Count(count) => self.count(count, input),
            OperatorKind::Sort(sort) => self.sort(&sort.keys, input),
            OperatorKind::Top(top) => self.top(top, input),
            OperatorKind::Take(take) => self.take(&take.count, input),
            OperatorKind::Sample(sample) => self.sample(&sample.count, input),
            OperatorKind::SampleDistinct(sample) => self.sample_distinct(sample, input),
            OperatorKind::Join(join) => self.join(join, input),
            OperatorKind::Lookup(lookup) => self.lookup(lookup, input),
            OperatorKind::Union(union) => self.union(union, Some(input), operator.span),
            OperatorKind::MvExpand(expand) => self.mv_expand(expand, input),
            OperatorKind::MvApply(apply) => self.mv_apply(apply, input),
            OperatorKind::Parse(parse) => self.parse(parse, input),
            OperatorKind::ParseKv(parse) => self.parse_kv(parse, input),
            OperatorKind::MakeSeries(series) => self.make_series(series, input, operator.span),
            OperatorKind::Search(search) => self.search(search, Some(input), operator.span),
            OperatorKind::Scan(scan) => self.scan_rows(scan, input),
            OperatorKind::TopNested(top) => self.top_nested(top, input),
            OperatorKind::TopHitters(top) => self.top_hitters(top, input),
            OperatorKind::Partition(partition) => self.partition(partition, input),
            OperatorKind::As(named) => Ok(self.named_as(named, input)),
            OperatorKind::Render(render) => Ok(self.render(render, input)),
            OperatorKind::Invoke(invoke) => self.invoke(invoke, input, operator.span),
            OperatorKind::Evaluate(evaluate) => self.evaluate(evaluate, input, operator.span),
            OperatorKind::GetSchema => Ok(self.get_schema(input)),
            OperatorKind::ProjectByNames(project) => self.project_by_names(project, input),
            OperatorKind::Reduce(reduce) => self.reduce(reduce, input),
            OperatorKind::MakeGraph(graph) => self.make_graph(graph, input, operator.span),
            OperatorKind::GraphMatch(_)
            | OperatorKind::GraphShortestPaths(_)
            | OperatorKind::GraphMarkComponents(_)
            | OperatorKind::GraphToTable(_) => Err(self.rows_in_place_of_graph(operator, input)),
            OperatorKind::Consume(_) => Ok(self.same_columns(input, Node::Take { input: input.node, rows: 0 })),
            OperatorKind::ExecuteAndCache | OperatorKind::AssertSchema(_) => Ok(input.clone()),
            OperatorKind::Fork(_) | OperatorKind::Facet(_) => Err(self.results_inside(operator)),
            OperatorKind::Find(_) => {
                let message = "'find' begins a query: it takes no rows.";
                let said = Diagnostic::error("KS176", message).at(operator.name.span);
                self.say(said.help("name the table in it: `find in (T) where …`"));
                Err(Reported)
            }
            OperatorKind::Print(_) | OperatorKind::Range(_) => {
                let message = format!("'{}' begins a query: it takes no rows.", operator.name.text);
                Err(self.error("KS176", message, operator.name.span))
            }
            OperatorKind::Unknown => Err(Reported),
        }
    }

    /// `fork` and its like where one table is wanted.
    fn results_inside(&mut self, operator: &Operator) -> Reported {
        let name = &operator.name;
        let message = format!("'{}' has several results: it stands only at the end of a query.", name.text);
        self.error("HP129", message, name.span)
    }
}

/// Whether the columns that an operator names are among those behind it.
fn keeps_what_it_names(kind: &OperatorKind) -> bool {
    use OperatorKind::*;
    matches!(kind, Where(_) | Extend(_) | Serialize(_) | Sort(_) | Top(_))
}

/// Whether the columns are known behind the operator even where something in it is wrong.
fn keeps_columns(kind: &OperatorKind) -> bool {
    use OperatorKind::*;
    matches!(kind, Where(_) | Sort(_) | Take(_) | Top(_) | Sample(_) | Render(_))
}

crate::pages! {
    /// The rows with their order kept, so that functions of a row's place may stand.
    ///
    /// Source: serialize-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | serialize n = row_number() | summarize max(n) // 3
    /// ```
    Operator "serialize": "T | serialize [[Column =] Expression, ...]";

    /// Reads the rows to their end and gives none of them.
    ///
    /// Source: consume-operator.
    ///
    /// ```kql
    /// range x from 1 to 3 step 1 | consume | count // 0
    /// ```
    Operator "consume": "T | consume [decodeblocks=true]";

    /// The rows as they are, where they are said to have these columns.
    ///
    /// Source: tabular-expression-statements.
    ///
    /// ```kql
    /// print a = 1 | assert-schema (a: long) | count // 1
    /// ```
    Operator "assert-schema": "T | assert-schema (Column: Kind, ...)";

    /// The rows as they are: nothing is kept between queries.
    ///
    /// Source: tabular-expression-statements.
    ///
    /// ```kql
    /// print a = 1 | execute-and-cache | count // 1
    /// ```
    Operator "execute-and-cache" as ["__executeAndCache"]: "T | execute-and-cache";
}
