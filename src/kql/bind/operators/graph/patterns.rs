//! `graph-match` and `graph-shortest-paths`: patterns with their conditions and columns.
//!
//! Source: the pages "graph-match operator" and "graph-shortest-paths operator".
use super::functions::{GraphView, Lift, MatchScope, Part};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{
    Column, Expression, ExpressionKind, GraphCycles, GraphDirection, GraphMatch, GraphPattern, GraphShortestPaths,
    Name, PatternEdge, PatternNode,
};
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Graph, Relation, Row};
use crate::kql::bind::{Bind, Reported};
use crate::kql::graph::matches::{Fold, Output, Over};
use crate::kql::graph::paths::ShortestPaths;
use crate::kql::graph::pattern::{Conditions, Direction, Hop, Pattern};
use crate::kql::graph::walk::{Match, Unique};
use crate::plan::{Node, NodeId, TableOperation};
use crate::types::{Name as ColumnName, Schema, Table};
use std::sync::Arc;

type Columns = Vec<(ColumnName, Expr)>;

/// A pattern with what its conditions and columns came to.
struct Bound {
    pattern: Pattern,
    conditions: Conditions,
    /// Conditions on several parts, or on a part as a whole.
    rest: Vec<Expr>,
    columns: Columns,
    lifts: Vec<Lift>,
}

impl Binder<'_> {
    pub fn graph_match(&mut self, matching: &GraphMatch, graph: &Graph) -> Bind<Relation> {
        let bound = self.bound_pattern(&matching.patterns, matching.predicate.as_ref(), &matching.project, graph)?;
        let unique = match matching.cycles.map(|c| c.value) {
            Some(GraphCycles::All) => Unique::Nothing,
            Some(GraphCycles::None) => Unique::Nodes,
            Some(GraphCycles::UniqueEdges) | None => Unique::Edges,
        };
        let outputs = bound.outputs();
        let Bound { pattern, conditions, rest, columns, .. } = bound;
        let operation = Match { pattern, unique, conditions, outputs: outputs.clone() };
        let mut found = self.matches(Arc::new(operation), &outputs, graph);
        if !rest.is_empty() {
            found = self.same_columns(&found, Node::Filter { input: found.node, predicate: Expr::And(rest) });
        }
        Ok(self.project(&found, columns))
    }

    pub fn graph_shortest_paths(&mut self, paths: &GraphShortestPaths, graph: &Graph) -> Bind<Relation> {
        let patterns = std::slice::from_ref(&paths.pattern);
        let bound = self.bound_pattern(patterns, paths.predicate.as_ref(), &paths.project, graph)?;
        let span = paths.pattern.span;
        if !bound.pattern.hops.iter().any(|hop| hop.varies) {
            return Err(self.error(
                "HP132",
                "The pattern of a path needs an edge of varying length: -[e*1..5]->.",
                span,
            ));
        }
        if bound.pattern.nodes != bound.pattern.hops.len() + 1 {
            return Err(self.error("HP132", "A node stands only once in the pattern of a path.", span));
        }
        if bound.rest.iter().any(|e| !e.late().is_empty()) {
            return Err(self.unsupported("'toscalar' in a condition on several parts of a path", span));
        }
        let outputs = bound.outputs();
        let looks_inside = bound.looks_inside();
        let Bound { pattern, conditions, rest, columns, .. } = bound;
        let rest = (!rest.is_empty()).then_some(Expr::And(rest));
        let operation =
            ShortestPaths { pattern, all: paths.all, conditions, rest, looks_inside, outputs: outputs.clone() };
        let found = self.matches(Arc::new(operation), &outputs, graph);
        Ok(self.project(&found, columns))
    }

    /// The rows of an operation over a graph.
    fn matches(
        &mut self,
        operation: Arc<dyn TableOperation>,
        outputs: &[(ColumnName, Output)],
        graph: &Graph,
    ) -> Relation {
        let schema: Schema = outputs.iter().map(|(name, output)| (name.clone(), output.kind())).collect();
        let inputs: Vec<NodeId> = vec![graph.nodes.node, graph.edges.node];
        let node = self.plan.add(Node::Table { inputs, operation }, schema.clone());
        Relation::new(node, schema)
    }

    fn bound_pattern(
        &mut self,
        patterns: &[GraphPattern],
        predicate: Option<&Expression>,
        project: &[Column],
        graph: &Graph,
    ) -> Bind<Bound> {
        let mut parts = Parts::default();
        for pattern in patterns {
            self.add_sequence(pattern, &mut parts)?;
        }
        let span = patterns.first().map_or_else(Span::default, |p| p.span);
        if !parts.hang_together() {
            return Err(self.error("HP132", "The sequences of a pattern must share a node.", span));
        }
        let scope = MatchScope::new(parts.names, graph.clone());
        let rows = self.values(Table::from_rows(Schema::default(), &[]));
        // Unknown names of an open graph were told of at their place.
        let rows = if graph.is_broken() { rows.broken() } else { rows };
        let (mut conditions, mut rest) = (Conditions::default(), Vec::new());
        let mut failed = None;
        for term in terms(predicate) {
            let row = Row { graph: Some(GraphView::Condition(&scope)), ..Row::of(&rows) };
            let sorted =
                self.predicate(term, &row).and_then(|e| self.sort_condition(e, &scope, &mut conditions, term.span));
            match sorted {
                Ok(left) => rest.extend(left),
                Err(reported) => failed = Some(reported),
            }
        }
        let row = Row { graph: Some(GraphView::Columns(&scope)), ..Row::of(&rows) };
        let mut names = Names::default();
        let columns = project.iter().flat_map(|c| self.named_columns(c, &row, &mut names, false)).collect();
        if let Some(reported) = failed {
            return Err(reported);
        }
        let pattern = Pattern { nodes: parts.nodes, hops: parts.hops };
        Ok(Bound { pattern, conditions, rest, columns, lifts: scope.into_lifts() })
    }

    /// Puts a condition on one part with that part; gives back any other.
    fn sort_condition(
        &mut self,
        condition: Expr,
        scope: &MatchScope,
        conditions: &mut Conditions,
        span: Span,
    ) -> Bind<Option<Expr>> {
        let read: Vec<Lift> = condition.columns().iter().filter_map(|name| scope.lift(name)).collect();
        let on_each = read.iter().find(|lift| lift.each).map(|lift| lift.part());
        if let [only] = read.as_slice()
            && let (Output::Along { hop, over, value, fold: Fold::All }, Expr::Column(..)) = (&only.output, &condition)
        {
            match over {
                Over::Edges => conditions.edges.push((*hop, value.clone())),
                Over::InnerNodes => conditions.inner.push((*hop, value.clone())),
            }
            return Ok(None);
        }
        let part = read.first().map(Lift::part);
        let one_part = part.is_some_and(|part| read.iter().all(|lift| lift.part() == part && lift.is_single()));
        if let Some(part) = part.filter(|_| one_part && condition.late().is_empty()) {
            let own = condition.substitute(&|name| scope.lift(name).and_then(Lift::into_value));
            match part {
                Part::Node(at) => conditions.nodes.push((at, own)),
                Part::Edge(hop) | Part::Way(hop) => conditions.edges.push((hop, own)),
            }
            return Ok(None);
        }
        match on_each {
            Some(_) => {
                self.unsupported("a condition on the edges of a varying path that reads anything else", span);
                Err(Reported)
            }
            None => Ok(Some(condition)),
        }
    }

    fn add_sequence(&mut self, sequence: &GraphPattern, parts: &mut Parts) -> Bind<()> {
        let mut from = self.add_node(&sequence.first, parts)?;
        for (edge, node) in &sequence.hops {
            let to = self.add_node(node, parts)?;
            self.add_edge(edge, from, to, parts)?;
            from = to;
        }
        Ok(())
    }

    fn add_node(&mut self, node: &PatternNode, parts: &mut Parts) -> Bind<usize> {
        let fresh = Part::Node(parts.nodes);
        match node.name.as_ref().map(|name| (name, parts.part(name))) {
            Some((_, Some(Part::Node(known)))) => return Ok(known),
            Some((name, Some(_))) => return Err(self.named_twice(name)),
            Some((name, None)) => parts.names.push((name.text.clone(), fresh)),
            None => {}
        }
        parts.nodes += 1;
        Ok(parts.nodes - 1)
    }

    fn add_edge(&mut self, edge: &PatternEdge, from: usize, to: usize, parts: &mut Parts) -> Bind<()> {
        let (least, most) = match &edge.range {
            Some((least, most)) => (self.edge_count(least)?, self.edge_count(most)?),
            None => (1, 1),
        };
        if least > most {
            return Err(self.error("HP132", "The least number of edges is greater than the greatest.", edge.span));
        }
        let varies = edge.range.is_some();
        let at = parts.hops.len();
        if let Some(name) = &edge.name {
            if parts.part(name).is_some() {
                return Err(self.named_twice(name));
            }
            parts.names.push((name.text.clone(), if varies { Part::Way(at) } else { Part::Edge(at) }));
        }
        let direction = match edge.direction {
            GraphDirection::Right => Direction::Forward,
            GraphDirection::Left => Direction::Backward,
            GraphDirection::Any => Direction::Either,
        };
        parts.hops.push(Hop { from, to, direction, least, most, varies });
        Ok(())
    }

    fn edge_count(&mut self, count: &Expression) -> Bind<u32> {
        let value = self.constant_of(count)?;
        match value.as_long().filter(|_| value.kind().is_integer()).and_then(|n| u32::try_from(n).ok()) {
            Some(count) => Ok(count),
            None => Err(self.error("KS134", "The expression value must be an integer.", count.span)),
        }
    }

    fn named_twice(&mut self, name: &Name) -> Reported {
        let message = format!("The name '{}' already stands for another part of the pattern.", name.text);
        self.error("KS171", message, name.span)
    }
}

impl Bound {
    /// What the columns and the conditions that are left read.
    fn outputs(&self) -> Vec<(ColumnName, Output)> {
        let read: Vec<ColumnName> =
            self.rest.iter().chain(self.columns.iter().map(|(_, e)| e)).flat_map(Expr::columns).collect();
        let read = self.lifts.iter().filter(|lift| read.contains(&lift.name));
        read.map(|lift| (lift.name.clone(), lift.output.clone())).collect()
    }

    /// Whether a condition that is left reads more than the first and the last node.
    fn looks_inside(&self) -> bool {
        let read: Vec<ColumnName> = self.rest.iter().flat_map(Expr::columns).collect();
        let is_end = |part: Part| part == Part::Node(0) || part == Part::Node(self.pattern.hops.len());
        self.lifts.iter().any(|lift| read.contains(&lift.name) && !is_end(lift.part()))
    }
}

/// The parts of a pattern as they are met.
#[derive(Default)]
struct Parts {
    names: Vec<(String, Part)>,
    nodes: usize,
    hops: Vec<Hop>,
}

impl Parts {
    fn part(&self, name: &Name) -> Option<Part> {
        self.names.iter().find(|(known, _)| *known == name.text).map(|(_, part)| *part)
    }

    /// Whether each node is reached from the first.
    fn hang_together(&self) -> bool {
        let mut reached = vec![0usize];
        let mut at = 0;
        while let Some(node) = reached.get(at).copied() {
            for hop in &self.hops {
                for (from, to) in [(hop.from, hop.to), (hop.to, hop.from)] {
                    if from == node && !reached.contains(&to) {
                        reached.push(to);
                    }
                }
            }
            at += 1;
        }
        reached.len() == self.nodes
    }
}

/// The terms of a conjunction.
fn terms(predicate: Option<&Expression>) -> Vec<&Expression> {
    match predicate.map(|p| (&p.kind, p)) {
        Some((ExpressionKind::And(terms), _)) => terms.iter().flat_map(|term| self::terms(Some(term))).collect(),
        Some((_, whole)) => vec![whole],
        None => Vec::new(),
    }
}
