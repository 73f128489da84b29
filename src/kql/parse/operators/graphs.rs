//! `make-graph` and the operators over graphs.
use super::super::{Parsed, Parser};
use crate::diagnostic::Diagnostic;
use crate::kql::ast::{
    Expression, GraphCycles, GraphDirection, GraphMarkComponents, GraphMatch, GraphNodes, GraphPartition, GraphPattern,
    GraphShortestPaths, GraphTable, GraphToTable, MakeGraph, Name, OperatorKind, PatternEdge, PatternNode,
};

const CYCLES: &[(&str, GraphCycles)] =
    &[("all", GraphCycles::All), ("none", GraphCycles::None), ("unique_edges", GraphCycles::UniqueEdges)];
const OUTPUTS: &[(&str, bool)] = &[("all", true), ("any", false)];
const COMPONENTS: &[(&str, bool)] = &[("strong", true), ("weak", false)];

impl Parser<'_> {
    /// `make-graph source --> target with nodes on id partitioned-by column (operators)`
    pub(super) fn make_graph(&mut self) -> Parsed<OperatorKind> {
        let source = self.name()?;
        for symbol in ["-", "-", ">"] {
            self.expect(symbol)?;
        }
        let target = self.name()?;
        let mut parameters = self.parameters(&["with_node_id"])?;
        let with_node_id = self.take_name(&mut parameters, &["with_node_id"]);
        let nodes = if self.eat_word("with") { self.list(Self::graph_nodes)? } else { Vec::new() };
        if let Some(third) = nodes.get(2) {
            let said = Diagnostic::error("KS198", "a graph is made of at most two tables of nodes").at(third.id.span);
            return Err(self.report(said.help("unite the tables before: `union T1, T2`")));
        }
        let partition = self.graph_partition()?;
        let graph = MakeGraph { source, target, nodes, with_node_id, partition };
        Ok(OperatorKind::MakeGraph(Box::new(graph)))
    }

    fn graph_nodes(&mut self) -> Parsed<GraphNodes> {
        let table = self.table_reference()?;
        self.expect_word("on")?;
        Ok(GraphNodes { table, id: self.name()? })
    }

    fn graph_partition(&mut self) -> Parsed<Option<GraphPartition>> {
        if self.at_operator_end() {
            return Ok(None);
        }
        let start = self.token().span;
        if self.joined_name("-")?.text != "partitioned-by" {
            let said = Diagnostic::error("KS005", "`partitioned-by` or the end of `make-graph` is expected").at(start);
            return Err(self.report(said));
        }
        let column = self.name()?;
        Ok(Some(GraphPartition { column, subquery: self.subquery()? }))
    }

    pub(super) fn graph_match(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["cycles"])?;
        let cycles = self.take_choice(&mut parameters, "cycles", CYCLES);
        let patterns = self.list(Self::graph_pattern)?;
        let predicate = self.graph_predicate()?;
        self.expect_word("project")?;
        let project = self.list(Self::column)?;
        Ok(OperatorKind::GraphMatch(Box::new(GraphMatch { cycles, patterns, predicate, project })))
    }

    pub(super) fn graph_shortest_paths(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["output"])?;
        let all = self.take_choice(&mut parameters, "output", OUTPUTS).is_some_and(|o| o.value);
        let pattern = self.graph_pattern()?;
        let predicate = self.graph_predicate()?;
        self.expect_word("project")?;
        let project = self.list(Self::column)?;
        Ok(OperatorKind::GraphShortestPaths(Box::new(GraphShortestPaths { all, pattern, predicate, project })))
    }

    fn graph_predicate(&mut self) -> Parsed<Option<Expression>> {
        if self.eat_word("where") { self.expression().map(Some) } else { Ok(None) }
    }

    /// `(a)-[e*1..5]->(b)--(c)`
    fn graph_pattern(&mut self) -> Parsed<GraphPattern> {
        let first = self.pattern_node()?;
        let mut hops = Vec::new();
        while self.at("-") || self.at("<") {
            let edge = self.pattern_edge()?;
            hops.push((edge, self.pattern_node()?));
        }
        let span = self.since(first.span);
        Ok(GraphPattern { first, hops, span })
    }

    fn pattern_node(&mut self) -> Parsed<PatternNode> {
        let start = self.expect("(")?.span;
        let name = if self.at(")") { None } else { Some(self.name()?) };
        self.expect(")")?;
        Ok(PatternNode { name, span: self.since(start) })
    }

    /// `-[name*1..5]->` and its forms without a name, a range or a direction.
    fn pattern_edge(&mut self) -> Parsed<PatternEdge> {
        let start = self.token().span;
        let left = self.eat("<");
        self.expect("-")?;
        let (name, range) = if self.at("[") { self.edge_inside()? } else { (None, None) };
        self.expect("-")?;
        let right = !left && self.eat(">");
        let direction = match (left, right) {
            (true, _) => GraphDirection::Left,
            (_, true) => GraphDirection::Right,
            _ => GraphDirection::Any,
        };
        Ok(PatternEdge { name, direction, range, span: self.since(start) })
    }

    #[expect(clippy::type_complexity, reason = "two optional parts of an edge")]
    fn edge_inside(&mut self) -> Parsed<(Option<Name>, Option<(Expression, Expression)>)> {
        self.expect("[")?;
        let name = if self.at("]") || self.at("*") { None } else { Some(self.name()?) };
        let range = if self.eat("*") {
            let least = self.unary()?;
            self.expect("..")?;
            Some((least, self.unary()?))
        } else {
            None
        };
        self.expect("]")?;
        Ok((name, range))
    }

    pub(super) fn graph_mark_components(&mut self) -> Parsed<OperatorKind> {
        let mut parameters = self.parameters(&["kind", "with_component_id"])?;
        let strong = self.take_choice(&mut parameters, "kind", COMPONENTS).is_some_and(|k| k.value);
        let with_component_id = self.take_name(&mut parameters, &["with_component_id"]);
        Ok(OperatorKind::GraphMarkComponents(GraphMarkComponents { strong, with_component_id }))
    }

    pub(super) fn graph_to_table(&mut self) -> Parsed<OperatorKind> {
        let (mut nodes, mut edges) = (None, None);
        loop {
            let start = self.token().span;
            if nodes.is_none() && self.eat_word("nodes") {
                nodes = Some(self.graph_table(start, ["with_node_id"; 2])?);
            } else if edges.is_none() && self.eat_word("edges") {
                edges = Some(self.graph_table(start, ["with_source_id", "with_target_id"])?);
            } else {
                return self.expected("`nodes` or `edges`");
            }
            if !self.eat(",") {
                return Ok(OperatorKind::GraphToTable(GraphToTable { nodes, edges }));
            }
        }
    }

    /// `as` and the `with_` parameters, in either order.
    fn graph_table(&mut self, start: crate::diagnostic::Span, names: [&'static str; 2]) -> Parsed<GraphTable> {
        let mut parameters = self.parameters(&names)?;
        let name = if self.eat_word("as") { Some(self.name()?) } else { None };
        parameters.extend(self.parameters(&names)?);
        let ids = names.map(|id| self.take_name(&mut parameters, &[id]));
        Ok(GraphTable { name, ids, span: self.since(start) })
    }
}
