//! `graph-match`: every way in which a pattern lies in a graph.
//!
//! The hops are put in an order in which each begins at a node that is known already, from the node with the
//! fewest candidates on; then the ways are walked depth first, with a stack of our own.
use super::STEPS;
use super::matches::{Matches, Output};
use super::pattern::{Conditions, Direction, Fitting, Pattern, Searched, fits};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::types::{Name, Table};

/// What may not come twice in a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    Nothing,
    Edges,
    Nodes,
}

/// The matches of a pattern as rows.
#[derive(Debug)]
pub struct Match {
    pub pattern: Pattern,
    pub unique: Unique,
    pub conditions: Conditions,
    pub outputs: Vec<(Name, Output)>,
}

impl TableOperation for Match {
    fn name(&self) -> &str {
        "graph-match"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let graph = Searched::new(inputs, context)?;
        let fitting = graph.fitting(&self.pattern, &self.conditions, context)?;
        let (start, steps) = order(&self.pattern, &fitting, graph.node_count);
        let mut walk = Walk::new(&self.pattern, &graph, &fitting, self.unique, steps);
        for node in (0u32..).take(graph.node_count).filter(|node| fits(&fitting.nodes, start, *node)) {
            walk.from(start, node, context)?;
        }
        walk.found.table(&self.pattern, &graph, &self.outputs, context)
    }
}

/// A hop as it is walked: from the node known before.
#[derive(Clone, Copy, Debug)]
struct Step {
    hop: usize,
    from: usize,
    to: usize,
    direction: Direction,
    backwards: bool,
}

/// The node to begin with, and the hops in the order in which they are walked.
fn order(pattern: &Pattern, fitting: &Fitting, node_count: usize) -> (usize, Vec<Step>) {
    let candidates = |node: &usize| match fitting.nodes.get(*node) {
        Some(Some(fit)) => fit.iter().filter(|fits| **fits).count(),
        _ => node_count,
    };
    let start = (0..pattern.nodes).min_by_key(candidates).unwrap_or(0);
    let mut known = vec![start];
    let mut left: Vec<usize> = (0..pattern.hops.len()).collect();
    let mut steps = Vec::new();
    while !left.is_empty() {
        let begins =
            |at: &usize| pattern.hops.get(*at).is_some_and(|h| known.contains(&h.from) || known.contains(&h.to));
        // A pattern hangs together, so that there always is one.
        let Some(at) = left.iter().copied().find(begins) else { break };
        left.retain(|other| *other != at);
        let Some(hop) = pattern.hops.get(at) else { break };
        let backwards = !known.contains(&hop.from);
        let (from, to) = if backwards { (hop.to, hop.from) } else { (hop.from, hop.to) };
        let direction = if backwards { hop.direction.reversed() } else { hop.direction };
        steps.push(Step { hop: at, from, to, direction, backwards });
        known.push(to);
    }
    (start, steps)
}

/// A place on the way: some edges of a step are behind it.
struct Place {
    step: usize,
    taken: u32,
    node: u32,
    /// The edges that lead on from here, those not tried yet.
    onward: Vec<u32>,
    /// Whether the step was tried to end here.
    ended: bool,
    /// What was done to come here, to be undone on the way back.
    came: Came,
}

#[derive(Clone, Copy)]
enum Came {
    /// By an edge of the step.
    Edge(u32),
    /// By the end of the step before; whether its last node was named there.
    Step { bound: Option<usize> },
}

struct Walk<'g> {
    pattern: &'g Pattern,
    graph: &'g Searched<'g>,
    fitting: &'g Fitting,
    unique: Unique,
    steps: Vec<Step>,
    /// The node of each node of the pattern.
    bound: Vec<Option<u32>>,
    /// The edges of each hop, in the order in which they are walked.
    trails: Vec<Vec<u32>>,
    used_edges: Vec<bool>,
    used_nodes: Vec<bool>,
    found: Matches,
    looks: usize,
}

impl<'g> Walk<'g> {
    fn new(
        pattern: &'g Pattern,
        graph: &'g Searched<'g>,
        fitting: &'g Fitting,
        unique: Unique,
        steps: Vec<Step>,
    ) -> Walk<'g> {
        Walk {
            pattern,
            graph,
            fitting,
            unique,
            steps,
            bound: vec![None; pattern.nodes],
            trails: vec![Vec::new(); pattern.hops.len()],
            used_edges: vec![false; graph.network.ends.len()],
            used_nodes: vec![false; graph.node_count],
            found: Matches::new(pattern),
            looks: 0,
        }
    }

    fn from(&mut self, start: usize, node: u32, context: &Context) -> Result<()> {
        set(&mut self.bound, start, Some(node));
        set(&mut self.used_nodes, node as usize, true);
        let mut way = Vec::new();
        self.begin(0, None, &mut way, context)?;
        while let Some(place) = way.last_mut() {
            self.looks += 1;
            if self.looks.is_multiple_of(STEPS) {
                context.check()?;
            }
            if !std::mem::replace(&mut place.ended, true) {
                let (step, taken, node) = (place.step, place.taken, place.node);
                self.end(step, taken, node, &mut way, context)?;
                continue;
            }
            let (step, taken, at) = (place.step, place.taken, place.node);
            match place.onward.pop() {
                Some(edge) => self.advance(step, taken, at, edge, &mut way),
                None => {
                    if let Some(place) = way.pop() {
                        self.undo(&place);
                    }
                }
            }
        }
        set(&mut self.used_nodes, node as usize, false);
        set(&mut self.bound, start, None);
        Ok(())
    }

    /// Begins a step at the node that it knows; behind the last one, a match is found.
    fn begin(&mut self, step: usize, bound: Option<usize>, way: &mut Vec<Place>, context: &Context) -> Result<()> {
        let came = Came::Step { bound };
        let node = self.steps.get(step).and_then(|s| self.bound.get(s.from).copied().flatten());
        match node {
            Some(node) => way.push(self.place(step, 0, node, came)),
            None => {
                self.record(context)?;
                self.unbind(bound);
            }
        }
        Ok(())
    }

    fn place(&self, step: usize, taken: u32, node: u32, came: Came) -> Place {
        let onward = self.steps.get(step).filter(|s| {
            let hop = self.pattern.hops.get(s.hop);
            hop.is_some_and(|h| taken < h.most) && (taken == 0 || fits(&self.fitting.inner, s.hop, node))
        });
        let onward = onward.map(|s| {
            let leading = self.graph.network.leading(node, s.direction);
            let mut onward: Vec<u32> = leading.filter(|edge| fits(&self.fitting.edges, s.hop, *edge)).collect();
            onward.reverse();
            onward
        });
        Place { step, taken, node, onward: onward.unwrap_or_default(), ended: false, came }
    }

    /// Ends a step at a node, where it may.
    fn end(&mut self, step: usize, taken: u32, node: u32, way: &mut Vec<Place>, context: &Context) -> Result<()> {
        let Some(Step { hop, to, .. }) = self.steps.get(step).copied() else { return Ok(()) };
        if self.pattern.hops.get(hop).is_none_or(|h| taken < h.least) {
            return Ok(());
        }
        let bound = match self.bound.get(to).copied().flatten() {
            Some(known) if known == node => None,
            Some(_) => return Ok(()),
            None if fits(&self.fitting.nodes, to, node) => {
                set(&mut self.bound, to, Some(node));
                Some(to)
            }
            None => return Ok(()),
        };
        self.begin(step + 1, bound, way, context)
    }

    /// Takes an edge, unless what it leads to came before.
    fn advance(&mut self, step: usize, taken: u32, node: u32, edge: u32, way: &mut Vec<Place>) {
        let next = self.graph.network.beyond(edge, node);
        let used = match self.unique {
            Unique::Nothing => false,
            Unique::Edges => self.used_edges.get(edge as usize) == Some(&true),
            Unique::Nodes => self.used_nodes.get(next as usize) == Some(&true),
        };
        if used {
            return;
        }
        match self.unique {
            Unique::Nothing => {}
            Unique::Edges => set(&mut self.used_edges, edge as usize, true),
            Unique::Nodes => set(&mut self.used_nodes, next as usize, true),
        }
        if let Some(trail) = self.steps.get(step).and_then(|s| self.trails.get_mut(s.hop)) {
            trail.push(edge);
        }
        way.push(self.place(step, taken + 1, next, Came::Edge(edge)));
    }

    fn undo(&mut self, place: &Place) {
        match place.came {
            Came::Step { bound } => self.unbind(bound),
            Came::Edge(edge) => {
                match self.unique {
                    Unique::Nothing => {}
                    Unique::Edges => set(&mut self.used_edges, edge as usize, false),
                    Unique::Nodes => set(&mut self.used_nodes, place.node as usize, false),
                }
                if let Some(trail) = self.steps.get(place.step).and_then(|s| self.trails.get_mut(s.hop)) {
                    trail.pop();
                }
            }
        }
    }

    fn unbind(&mut self, bound: Option<usize>) {
        if let Some(node) = bound {
            set(&mut self.bound, node, None);
        }
    }

    fn record(&mut self, context: &Context) -> Result<()> {
        // A hop that was walked from its far end is told from its near one.
        let mut trails = std::mem::take(&mut self.trails);
        let turn = |trails: &mut [Vec<u32>], steps: &[Step]| {
            for step in steps.iter().filter(|s| s.backwards) {
                if let Some(trail) = trails.get_mut(step.hop) {
                    trail.reverse();
                }
            }
        };
        turn(&mut trails, &self.steps);
        let nodes = self.bound.iter().map(|node| node.unwrap_or_default());
        let added = self.found.push(nodes, trails.iter().map(Vec::as_slice), context);
        turn(&mut trails, &self.steps);
        self.trails = trails;
        added
    }
}

fn set<T>(items: &mut [T], at: usize, value: T) {
    if let Some(slot) = items.get_mut(at) {
        *slot = value;
    }
}
