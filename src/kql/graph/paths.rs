//! `graph-shortest-paths`: the shortest ways along a pattern, for each pair of a first and a last node.
//!
//! From each first node the ways grow edge by edge, all of one length before any longer one. A way to a
//! place that a shorter one reached is dropped, unless a condition on the whole way may prefer it.
use super::STEPS;
use super::matches::{Matches, Output};
use super::pattern::{Conditions, Fitting, Pattern, Searched, fits};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, evaluate, select};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::types::{Name, Table};
use std::collections::{HashMap, HashSet};

/// The shortest paths as rows.
#[derive(Debug)]
pub struct ShortestPaths {
    /// A single sequence: hop `n` leads from node `n` to node `n + 1`.
    pub pattern: Pattern,
    /// All paths of the least length for each pair, not just one.
    pub all: bool,
    pub conditions: Conditions,
    /// A condition on several parts, over the outputs.
    pub rest: Option<Expr>,
    /// Whether `rest` reads more than the ends of a path.
    pub looks_inside: bool,
    pub outputs: Vec<(Name, Output)>,
}

impl TableOperation for ShortestPaths {
    fn name(&self) -> &str {
        "graph-shortest-paths"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let graph = Searched::new(inputs, context)?;
        let fitting = graph.fitting(&self.pattern, &self.conditions, context)?;
        let mut found = Matches::new(&self.pattern);
        for node in (0u32..).take(graph.node_count).filter(|node| fits(&fitting.nodes, 0, *node)) {
            let mut growth = Growth { paths: self, graph: &graph, fitting: &fitting, ways: Vec::new(), looks: 0 };
            growth.from(node, &mut found, context)?;
        }
        found.table(&self.pattern, &graph, &self.outputs, context)
    }
}

/// The end of a way, and the way before it.
#[derive(Clone, Copy)]
struct Way {
    before: Option<usize>,
    edge: Option<u32>,
    node: u32,
    hop: usize,
    /// Edges of this hop so far.
    taken: u32,
}

struct Growth<'g> {
    paths: &'g ShortestPaths,
    graph: &'g Searched<'g>,
    fitting: &'g Fitting,
    ways: Vec<Way>,
    looks: usize,
}

impl Growth<'_> {
    fn from(&mut self, start: u32, found: &mut Matches, context: &Context) -> Result<()> {
        let begin = Way { before: None, edge: None, node: start, hop: 0, taken: 0 };
        let mut ends = vec![self.add(begin, context)?];
        let mut reached: HashSet<u32> = HashSet::new();
        let mut seen: HashMap<(usize, u32, u32), u32> = HashMap::new();
        let targets = (0u32..).take(self.graph.node_count);
        let wanted = targets.filter(|n| fits(&self.fitting.nodes, self.paths.pattern.hops.len(), *n)).count();
        while !ends.is_empty() && reached.len() < wanted {
            let complete = self.finish_hops(&mut ends, context)?;
            self.record(complete, &mut reached, found, context)?;
            ends = self.grow(&ends, &mut seen, context)?;
        }
        Ok(())
    }

    /// Ends the hops that may end; gives the ways that are complete.
    fn finish_hops(&mut self, ends: &mut Vec<usize>, context: &Context) -> Result<Vec<usize>> {
        let mut complete = Vec::new();
        let mut at = 0;
        while let Some(way) = ends.get(at).and_then(|end| self.ways.get(*end)).copied() {
            let hop = self.paths.pattern.hops.get(way.hop);
            if hop.is_some_and(|h| way.taken >= h.least) && fits(&self.fitting.nodes, way.hop + 1, way.node) {
                let end = ends.get(at).copied();
                let next = Way { before: end, edge: None, node: way.node, hop: way.hop + 1, taken: 0 };
                let next = self.add(next, context)?;
                if way.hop + 1 == self.paths.pattern.hops.len() {
                    complete.push(next);
                } else {
                    ends.push(next);
                }
            }
            at += 1;
        }
        Ok(complete)
    }

    /// The ways that are one edge longer.
    fn grow(
        &mut self,
        ends: &[usize],
        seen: &mut HashMap<(usize, u32, u32), u32>,
        context: &Context,
    ) -> Result<Vec<usize>> {
        let mut longer: Vec<usize> = Vec::new();
        // Ways of this length do not stand in each other's way where all of them are wanted.
        let mut fresh: Vec<((usize, u32, u32), u32)> = Vec::new();
        for end in ends {
            let Some(way) = self.ways.get(*end).copied() else { continue };
            let Some(hop) = self.paths.pattern.hops.get(way.hop).copied() else { continue };
            if way.taken >= hop.most || (way.taken > 0 && !fits(&self.fitting.inner, way.hop, way.node)) {
                continue;
            }
            let graph = self.graph;
            for edge in graph.network.leading(way.node, hop.direction) {
                self.look(context)?;
                if !fits(&self.fitting.edges, way.hop, edge) || self.passes(*end, edge) {
                    continue;
                }
                let node = graph.network.beyond(edge, way.node);
                let taken = way.taken + 1;
                let place = (way.hop, node, taken.min(hop.least));
                if self.drops() {
                    if seen.get(&place).is_some_and(|before| *before <= taken) {
                        continue;
                    }
                    match self.paths.all {
                        true => fresh.push((place, taken)),
                        false => drop(seen.insert(place, taken)),
                    }
                }
                longer
                    .push(self.add(Way { before: Some(*end), edge: Some(edge), node, hop: way.hop, taken }, context)?);
            }
        }
        for (place, taken) in fresh {
            let least = seen.entry(place).or_insert(taken);
            *least = taken.min(*least);
        }
        Ok(longer)
    }

    /// Whether a longer way to a place can be dropped. It cannot where a condition looks at the whole way, or
    /// where a hop needs several edges, none twice: the longer way may be the only one that goes on.
    fn drops(&self) -> bool {
        !self.paths.looks_inside && self.paths.pattern.hops.iter().all(|h| h.least <= 1)
    }

    /// Adds the complete ways that meet the conditions: the first ones to their last node.
    fn record(
        &self,
        complete: Vec<usize>,
        reached: &mut HashSet<u32>,
        found: &mut Matches,
        context: &Context,
    ) -> Result<()> {
        let node = |way: &usize| self.ways.get(*way).map(|w| w.node);
        let mut fresh: Vec<usize> =
            complete.into_iter().filter(|way| node(way).is_some_and(|n| !reached.contains(&n))).collect();
        if let Some(rest) = &self.paths.rest {
            let kept = self.meeting(rest, &fresh, context)?;
            fresh = kept;
        }
        let mut now = HashSet::new();
        for way in fresh {
            let first = node(&way).is_some_and(|n| now.insert(n));
            if first || self.paths.all {
                self.push(way, found, context)?;
            }
        }
        reached.extend(now);
        Ok(())
    }

    fn meeting(&self, rest: &Expr, ways: &[usize], context: &Context) -> Result<Vec<usize>> {
        let mut candidates = Matches::new(&self.paths.pattern);
        for way in ways {
            self.push(*way, &mut candidates, context)?;
        }
        let table = candidates.table(&self.paths.pattern, self.graph, &self.paths.outputs, context)?;
        let holds = select(&evaluate(rest, &super::Rows::of(&table), context)?);
        Ok(holds.into_iter().filter_map(|at| ways.get(at as usize).copied()).collect())
    }

    /// Whether an edge is part of a way already.
    fn passes(&self, way: usize, edge: u32) -> bool {
        self.back(way).any(|w| w.edge == Some(edge))
    }

    /// The way from its end back to its beginning.
    fn back(&self, way: usize) -> impl Iterator<Item = Way> {
        let mut at = Some(way);
        std::iter::from_fn(move || {
            let way = self.ways.get(at?).copied()?;
            at = way.before;
            Some(way)
        })
    }

    fn push(&self, way: usize, found: &mut Matches, context: &Context) -> Result<()> {
        let mut nodes = vec![0u32; self.paths.pattern.nodes];
        let mut hops = vec![Vec::new(); self.paths.pattern.hops.len()];
        for step in self.back(way) {
            match step.edge {
                Some(edge) => {
                    if let Some(hop) = hops.get_mut(step.hop) {
                        hop.push(edge);
                    }
                }
                None => {
                    if let Some(node) = nodes.get_mut(step.hop) {
                        *node = step.node;
                    }
                }
            }
        }
        hops.iter_mut().for_each(|hop| hop.reverse());
        found.push(nodes.into_iter(), hops.iter().map(Vec::as_slice), context)
    }

    fn add(&mut self, way: Way, context: &Context) -> Result<usize> {
        if self.ways.len().saturating_mul(size_of::<Way>()) > context.limits.memory {
            return Err(Fault::limit("memory", "the paths of a graph take too much memory"));
        }
        self.ways.push(way);
        Ok(self.ways.len() - 1)
    }

    fn look(&mut self, context: &Context) -> Result<()> {
        self.looks += 1;
        if self.looks.is_multiple_of(STEPS) { context.check() } else { Ok(()) }
    }
}
