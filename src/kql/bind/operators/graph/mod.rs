//! Graphs: made of tables, and made tables again.
//!
//! Source: the pages "make-graph operator", "graph-mark-components operator" and "graph-to-table operator".
mod functions;
mod patterns;

pub(in crate::kql::bind) use functions::GraphView;

use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::kql::ast::{self, GraphMarkComponents, GraphTable, GraphToTable, MakeGraph, Operator, OperatorKind};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Graph, Open, Relation};
use crate::kql::bind::scope::Binding;
use crate::kql::bind::{Bind, Reported};
use crate::kql::graph::components::Components;
use crate::kql::graph::nodes::{ENDS, NodeTable};
use crate::kql::graph::{ID, NODE, SOURCE, TARGET};
use crate::plan::Node;
use crate::types::{Kind, Name, Schema, Value};
use std::rc::Rc;
use std::sync::Arc;

/// Stands between a partition's value and an id in a node's key.
const BETWEEN: &str = "\u{1f}";

impl Binder<'_> {
    pub fn make_graph(&mut self, graph: &MakeGraph, input: &Relation, span: Span) -> Bind<Relation> {
        let partition = graph.partition.as_ref().map(|p| &p.column);
        let source = self.graph_column(&graph.source, input);
        let target = self.graph_column(&graph.target, input);
        let (source, target) = (source?, target?);
        let keys = [(SOURCE, &source), (TARGET, &target)];
        let keys: Bind<Vec<(Name, Expr)>> =
            keys.into_iter().map(|(name, id)| Ok((name.into(), self.key(id, partition, input)?))).collect();
        let edges = self.extend(input, keys?);
        let edges = Relation { open: input.open, ..edges };
        let nodes = self.graph_nodes_of(graph, &edges, &source, &target, span)?;
        let graph_rows = Relation { graph: Some(Rc::new(Graph { nodes, edges: edges.clone() })), ..edges };
        match &graph.partition {
            // A key holds the value of the partition: no edge leads from one to another.
            Some(partition) => self.pipeline(&partition.subquery, Some(&graph_rows)),
            None => Ok(graph_rows),
        }
    }

    fn graph_column(&mut self, name: &ast::Name, rows: &Relation) -> Bind<Expr> {
        let column = ast::Expression { kind: ast::ExpressionKind::Name(name.clone()), span: name.span };
        self.scalar(&column, &crate::kql::bind::relation::Row::of(rows))
    }

    /// What tells a node from all others, as text.
    fn key(&mut self, id: &Expr, partition: Option<&ast::Name>, rows: &Relation) -> Bind<Expr> {
        let span = partition.map_or_else(Span::default, |p| p.span);
        let id = self.converted(id.clone(), Kind::String, span)?;
        let Some(partition) = partition else { return Ok(id) };
        let value = self.graph_column(partition, rows)?;
        let value = self.converted(value, Kind::String, span)?;
        self.call_item("strcat", vec![value, Expr::Const(Value::string(BETWEEN)), id], span)
    }

    fn graph_nodes_of(
        &mut self,
        graph: &MakeGraph,
        edges: &Relation,
        source: &Expr,
        target: &Expr,
        span: Span,
    ) -> Bind<Relation> {
        let mut schema: Schema = [(NODE, Kind::String), (ID, Kind::String)].into_iter().collect();
        let mut ids: Vec<Name> = Vec::new();
        let mut inputs = vec![self.ends(edges, source, target, span)?];
        let mut open = Open::Closed;
        if let Some(name) = &graph.with_node_id {
            ids.push(name.text.as_str().into());
            schema.set(name.text.as_str().into(), source.kind());
        }
        for nodes in &graph.nodes {
            let table = self.table(&nodes.table)?;
            let id = self.graph_column(&nodes.id, &table)?;
            let known = |expr: &Expr| expr.kind() != Kind::Dynamic;
            if known(&id) && known(source) && id.kind().is_integer() != source.kind().is_integer() {
                let message =
                    format!("The ids of nodes and of edges differ in type: {}, {}.", id.kind(), source.kind());
                return Err(self.error("KS107", message, nodes.id.span));
            }
            if table.is_open() {
                open = table.open;
            }
            let key = self.key(&id, graph.partition.as_ref().map(|p| &p.column), &table)?;
            let text = self.converted(id, Kind::String, nodes.id.span)?;
            let mut columns = vec![(Name::from(NODE), key), (Name::from(ID), text)];
            for (name, kind) in table.schema.columns() {
                let own = Expr::Column(name.clone(), *kind);
                let kind = schema.kind(name).unwrap_or(*kind);
                columns.push((name.clone(), self.converted(own, kind, nodes.id.span)?));
                schema.set(name.clone(), kind);
            }
            let id: Name = nodes.id.text.as_str().into();
            if schema.contains(&id) && !ids.contains(&id) {
                ids.push(id);
            }
            inputs.push(self.project(&table, columns).node);
        }
        let operation = Arc::new(NodeTable { schema: schema.clone(), ids });
        let node = self.plan.add(Node::Table { inputs, operation }, schema.clone());
        Ok(Relation { open, ..Relation::new(node, schema) })
    }

    /// The ends of the edges: keys, ids as text, ids.
    fn ends(&mut self, edges: &Relation, source: &Expr, target: &Expr, span: Span) -> Bind<crate::plan::NodeId> {
        let mut columns: Vec<(Name, Expr)> = Vec::new();
        for ([key, text, value], id) in ENDS.into_iter().zip([source, target]) {
            columns.push((key.into(), Expr::Column(key.into(), Kind::String)));
            columns.push((text.into(), self.converted(id.clone(), Kind::String, span)?));
            columns.push((value.into(), id.clone()));
        }
        Ok(self.project(edges, columns).node)
    }

    /// An operator behind a graph.
    pub fn over_graph(&mut self, operator: &Operator, input: &Relation, graph: &Graph) -> Bind<Relation> {
        match &operator.kind {
            OperatorKind::GraphMatch(matching) => self.graph_match(matching, graph),
            OperatorKind::GraphShortestPaths(paths) => self.graph_shortest_paths(paths, graph),
            OperatorKind::GraphMarkComponents(mark) => Ok(self.graph_mark_components(mark, input, graph)),
            OperatorKind::GraphToTable(tables) => match (&tables.nodes, &tables.edges) {
                (Some(nodes), None) => self.nodes_as_rows(nodes, graph),
                (None, Some(edges)) => self.edges_as_rows(edges, graph),
                _ => Err(self.results_inside(operator)),
            },
            OperatorKind::As(named) => Ok(self.named_as(named, input)),
            OperatorKind::Unknown => Err(Reported),
            _ => Err(self.graph_in_place_of_rows(operator.name.span)),
        }
    }

    fn graph_mark_components(&mut self, mark: &GraphMarkComponents, input: &Relation, graph: &Graph) -> Relation {
        let name: Name = mark.with_component_id.as_ref().map_or("ComponentId", |n| n.text.as_str()).into();
        let mut schema = graph.nodes.schema.clone();
        schema.set(name.clone(), Kind::Long);
        let operation = Arc::new(Components { strong: mark.strong, name, schema: schema.clone() });
        let node = Node::Table { inputs: vec![graph.nodes.node, graph.edges.node], operation };
        let nodes = self.over(&graph.nodes, node, schema);
        Relation { graph: Some(Rc::new(Graph { nodes, edges: graph.edges.clone() })), ..input.clone() }
    }

    /// `graph-to-table nodes as N, edges as E`: what has a name is no result of its own.
    pub fn graph_tables(&mut self, tables: &GraphToTable, input: &Relation, span: Span) -> Bind<Vec<Relation>> {
        let Some(graph) = &input.graph else { return Err(self.no_graph("graph-to-table", span)) };
        let nodes = tables.nodes.as_ref().map(|nodes| Ok((nodes, self.nodes_as_rows(nodes, graph)?)));
        let edges = tables.edges.as_ref().map(|edges| Ok((edges, self.edges_as_rows(edges, graph)?)));
        let both = nodes.into_iter().chain(edges).collect::<Bind<Vec<(&GraphTable, Relation)>>>()?;
        let unnamed =
            both.iter().filter(|(table, _)| table.name.is_none()).map(|(_, rows)| rows.clone()).collect::<Vec<_>>();
        if unnamed.len() == both.len() {
            let said = Diagnostic::error("KS006", "Nodes and edges together need a name for one of them.").at(span);
            self.say(said.help("write `nodes as N, edges as E; N; E`"));
            return Err(Reported);
        }
        Ok(unnamed)
    }

    fn nodes_as_rows(&mut self, table: &GraphTable, graph: &Graph) -> Bind<Relation> {
        let [id, _] = &table.ids;
        self.graph_rows(table, &graph.nodes, [(id.as_ref(), NODE), (None, NODE)])
    }

    fn edges_as_rows(&mut self, table: &GraphTable, graph: &Graph) -> Bind<Relation> {
        let [source, target] = &table.ids;
        self.graph_rows(table, &graph.edges, [(source.as_ref(), SOURCE), (target.as_ref(), TARGET)])
    }

    /// The visible columns, behind the hashes of the keys that are asked for.
    fn graph_rows(
        &mut self,
        table: &GraphTable,
        rows: &Relation,
        hashes: [(Option<&ast::Name>, &str); 2],
    ) -> Bind<Relation> {
        let mut columns: Vec<(Name, Expr)> = Vec::new();
        for (name, key) in hashes {
            if let Some(name) = name {
                let hash = self.call_item("hash", vec![Expr::Column(key.into(), Kind::String)], name.span)?;
                columns.push((name.text.as_str().into(), hash));
            }
        }
        let visible = super::columns::all_columns(&rows.schema).into_iter().filter(|(n, _)| !n.starts_with('$'));
        columns.extend(visible);
        let mut out = self.project(rows, columns);
        out.open = rows.open;
        if let Some(name) = &table.name {
            out.table = Some(name.text.clone());
            self.scope = self.scopes.with(self.scope, &name.text, Binding::Table(out.clone()));
        }
        Ok(out)
    }

    pub fn graph_in_place_of_rows(&mut self, span: Span) -> Reported {
        let said = Diagnostic::error("KS111", "Tabular value expected: a graph stands here.").at(span);
        self.say(said.help("make rows of it: `graph-match … project …` or `graph-to-table nodes`"));
        Reported
    }

    pub fn rows_in_place_of_graph(&mut self, operator: &Operator, input: &Relation) -> Reported {
        if input.open == Open::Broken {
            return Reported;
        }
        self.no_graph(&operator.name.text, operator.name.span)
    }

    fn no_graph(&mut self, operator: &str, span: Span) -> Reported {
        let said = Diagnostic::error("KS111", format!("'{operator}' takes a graph, and here are rows.")).at(span);
        self.say(said.help("make a graph of them: `make-graph source --> target`"));
        Reported
    }
}

crate::pages! {
    /// A graph of rows that are edges, and of tables of its nodes.
    ///
    /// Only the operators over graphs can follow.
    ///
    /// Source: make-graph-operator.
    ///
    /// ```kql
    /// datatable(s: string, t: string)["a", "b", "b", "c", "x", "y"] | make-graph s --> t with_node_id=n | graph-to-table nodes | count // 5
    /// ```
    Operator "make-graph": "Edges | make-graph Source --> Target [with Nodes on Id [, Nodes on Id] | with_node_id=Column] [partitioned-by Column (Operators)]";

    /// A row for each place of the graph that a pattern of nodes and edges fits.
    ///
    /// `-->`, `<--` and `--` are edges without a name, `-[e*1..5]->` is a path of one to five edges.
    ///
    /// Source: graph-match-operator.
    ///
    /// ```kql
    /// datatable(s: string, t: string)["a", "b", "b", "c", "x", "y"] | make-graph s --> t with_node_id=n | graph-match (a)-[e]->(b)-[f]->(c) project p = strcat(a.n, b.n, c.n) // abc
    /// ```
    Operator "graph-match": "G | graph-match [cycles=all | none | unique_edges] (Node)-[Edge]->(Node)..., ... [where Condition] project [Column =] Expression, ...";

    /// The shortest paths between the nodes that a condition chooses.
    ///
    /// Source: graph-shortest-paths-operator.
    ///
    /// ```kql
    /// datatable(s: string, t: string)["a", "b", "b", "c", "x", "y"] | make-graph s --> t with_node_id=n | graph-shortest-paths (a)-[e*1..5]->(b) where a.n == "a" and b.n == "c" project hops = array_length(e) // 2
    /// ```
    Operator "graph-shortest-paths": "G | graph-shortest-paths [output=any | all] (Node)-[Edge*Least..Most]->(Node) where Condition project [Column =] Expression, ...";

    /// The graph with the number of the part that each node hangs together with.
    ///
    /// Source: graph-mark-components-operator.
    ///
    /// ```kql
    /// datatable(s: string, t: string)["a", "b", "b", "c", "x", "y"] | make-graph s --> t with_node_id=n | graph-mark-components | graph-to-table nodes | summarize dcount(ComponentId) // 2
    /// ```
    Operator "graph-mark-components": "G | graph-mark-components [kind=weak | strong] [with_component_id=Column]";

    /// The nodes or the edges of a graph as rows; both are two results.
    ///
    /// Source: graph-to-table-operator.
    ///
    /// ```kql
    /// datatable(s: string, t: string)["a", "b", "b", "c", "x", "y"] | make-graph s --> t with_node_id=n | graph-to-table edges | count // 3
    /// ```
    Operator "graph-to-table": "G | graph-to-table nodes [with_node_id=Column] | edges [with_source_id=Column] [with_target_id=Column] [as Name]";
}
