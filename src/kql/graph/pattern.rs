//! Patterns of graphs, and what is known of their parts before the search.
use super::{Network, Rows};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, evaluate, select};
use crate::functions::Context;
use crate::types::Table;

/// Nodes by number, and hops between them.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub nodes: usize,
    pub hops: Vec<Hop>,
}

/// One edge between two nodes of the pattern, or several edges in a row.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    pub from: usize,
    pub to: usize,
    pub direction: Direction,
    pub least: u32,
    pub most: u32,
    /// Whether the number of edges may vary: the hop is a list of edges.
    pub varies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
    Either,
}

impl Direction {
    pub fn reversed(self) -> Direction {
        match self {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
            Direction::Either => Direction::Either,
        }
    }
}

/// Conditions on one part of a pattern each, over the columns of the nodes or of the edges.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// By number of the pattern's node.
    pub nodes: Vec<(usize, Expr)>,
    /// By number of the hop: every edge of it.
    pub edges: Vec<(usize, Expr)>,
    /// By number of the hop: every node between its edges.
    pub inner: Vec<(usize, Expr)>,
}

/// Which nodes and edges fit each part; none where all do.
pub struct Fitting {
    pub nodes: Vec<Option<Vec<bool>>>,
    pub edges: Vec<Option<Vec<bool>>>,
    pub inner: Vec<Option<Vec<bool>>>,
}

/// A graph under search.
pub struct Searched<'t> {
    pub network: Network,
    pub nodes: Rows<'t>,
    pub edges: Rows<'t>,
    pub node_count: usize,
}

impl<'t> Searched<'t> {
    pub fn new(inputs: &'t [Table], context: &Context) -> Result<Searched<'t>> {
        let [nodes, edges] = inputs else { return Err(Fault::internal("a graph is two tables")) };
        let network = Network::new(nodes, edges, context)?;
        let rows = Rows::of_nodes(nodes, &network);
        Ok(Searched { network, nodes: rows, edges: Rows::of(edges), node_count: nodes.rows() })
    }

    pub fn fitting(&self, pattern: &Pattern, conditions: &Conditions, context: &Context) -> Result<Fitting> {
        let which = |parts: usize, conditions: &[(usize, Expr)], rows: &Rows| -> Result<Vec<Option<Vec<bool>>>> {
            let mut fit = vec![None; parts];
            for (part, condition) in conditions {
                let holds = select(&evaluate(condition, rows, context)?);
                let mut both = vec![false; crate::expr::Input::rows(rows)];
                let before: Option<Vec<bool>> = fit.get_mut(*part).and_then(Option::take);
                for row in holds {
                    if let Some(slot) = both.get_mut(row as usize) {
                        *slot = before.as_deref().is_none_or(|b| b.get(row as usize) == Some(&true));
                    }
                }
                if let Some(slot) = fit.get_mut(*part) {
                    *slot = Some(both);
                }
            }
            Ok(fit)
        };
        Ok(Fitting {
            nodes: which(pattern.nodes, &conditions.nodes, &self.nodes)?,
            edges: which(pattern.hops.len(), &conditions.edges, &self.edges)?,
            inner: which(pattern.hops.len(), &conditions.inner, &self.nodes)?,
        })
    }
}

/// Whether a node or an edge fits a part.
pub fn fits(fitting: &[Option<Vec<bool>>], part: usize, row: u32) -> bool {
    match fitting.get(part) {
        Some(Some(fit)) => fit.get(row as usize) == Some(&true),
        _ => true,
    }
}

impl Network {
    /// The edges at a node that lead on in a direction.
    pub fn leading(&self, node: u32, direction: Direction) -> impl Iterator<Item = u32> {
        let forward = if direction == Direction::Backward { &[][..] } else { self.out_of(node) };
        let backward = if direction == Direction::Forward { &[][..] } else { self.into(node) };
        // An edge from a node to itself leads on once.
        let is_loop = |edge: &&u32| self.ends.get(**edge as usize).is_some_and(|(source, target)| source == target);
        let both = direction == Direction::Either;
        forward.iter().chain(backward.iter().filter(move |edge| !both || !is_loop(edge))).copied()
    }
}
