//! Graphs over tables: what the graph operators do with rows.
//!
//! A graph is two tables: nodes, each with its key under [`NODE`], and edges with the keys of their ends
//! under [`SOURCE`] and [`TARGET`]. The operators are table operations over them: [`nodes`] makes the table of
//! nodes, [`components`] marks what hangs together, [`walk`] finds patterns, [`paths`] the shortest ways.
//! What a pattern needs of the tables, and what a match gives, is told in [`pattern`] and [`matches`].
pub mod components;
pub mod matches;
pub mod nodes;
pub mod paths;
pub mod pattern;
pub mod walk;

use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::{Column, Name, Table, Value};
use std::collections::HashMap;

/// Hidden columns of the nodes: the key, the id as text, and the numbers of edges.
pub const NODE: &str = "$node";
pub const ID: &str = "$id";
pub const EDGES_IN: &str = "$edges_in";
pub const EDGES_OUT: &str = "$edges_out";

/// Hidden columns of the edges: the keys of their ends.
pub const SOURCE: &str = "$source";
pub const TARGET: &str = "$target";

/// How many steps pass between two looks at the clock.
const STEPS: usize = 4096;

/// The edges at each node.
pub struct Network {
    /// Source and target of each edge.
    pub ends: Vec<(u32, u32)>,
    out: Adjacency,
    into: Adjacency,
}

/// For each node a range of a list of edges.
struct Adjacency {
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Adjacency {
    fn new(nodes: usize, ends: impl Iterator<Item = u32> + Clone) -> Adjacency {
        let mut starts = vec![0u32; nodes + 1];
        for end in ends.clone() {
            if let Some(count) = starts.get_mut(end as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0u32;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut edges = vec![0u32; sum as usize];
        for (edge, end) in (0u32..).zip(ends) {
            if let Some(place) = next.get_mut(end as usize) {
                if let Some(slot) = edges.get_mut(*place as usize) {
                    *slot = edge;
                }
                *place += 1;
            }
        }
        Adjacency { starts, edges }
    }

    fn of(&self, node: u32) -> &[u32] {
        let at = node as usize;
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        range.and_then(|(from, to)| self.edges.get(*from as usize..*to as usize)).unwrap_or_default()
    }
}

impl Network {
    /// The network of a table of nodes and a table of edges.
    pub fn new(nodes: &Table, edges: &Table, context: &Context) -> Result<Network> {
        let keys = hidden(nodes, NODE)?;
        let mut places: HashMap<&str, u32> = HashMap::with_capacity(keys.len());
        for (place, row) in (0u32..).zip(0..keys.len()) {
            places.insert(keys.text(row).unwrap_or_default(), place);
        }
        let (sources, targets) = (hidden(edges, SOURCE)?, hidden(edges, TARGET)?);
        let mut ends = Vec::with_capacity(sources.len());
        for row in 0..sources.len() {
            if row % STEPS == 0 {
                context.check()?;
            }
            let place = |column: &Column| places.get(column.text(row).unwrap_or_default()).copied();
            let end = place(&sources).zip(place(&targets));
            ends.push(end.ok_or_else(|| Fault::internal("an edge ends at no node"))?);
        }
        let out = Adjacency::new(places.len(), ends.iter().map(|(source, _)| *source));
        let into = Adjacency::new(places.len(), ends.iter().map(|(_, target)| *target));
        Ok(Network { ends, out, into })
    }

    pub fn out_of(&self, node: u32) -> &[u32] {
        self.out.of(node)
    }

    pub fn into(&self, node: u32) -> &[u32] {
        self.into.of(node)
    }

    /// The other end of an edge at a node.
    pub fn beyond(&self, edge: u32, node: u32) -> u32 {
        match self.ends.get(edge as usize) {
            Some((source, target)) if *source == node => *target,
            Some((source, _)) => *source,
            None => node,
        }
    }
}

fn hidden(table: &Table, name: &str) -> Result<Column> {
    table.column_named(name).ok_or_else(|| Fault::internal(format!("a graph lacks its column '{name}'")))
}

/// A table as the input of expressions.
pub struct Rows<'t> {
    table: &'t Table,
    /// Columns that are computed beside it.
    beside: Vec<(Name, Column)>,
}

impl<'t> Rows<'t> {
    pub fn of(table: &'t Table) -> Rows<'t> {
        Rows { table, beside: Vec::new() }
    }

    /// The nodes, with the numbers of their edges.
    pub fn of_nodes(table: &'t Table, network: &Network) -> Rows<'t> {
        let count = |edges: &dyn Fn(u32) -> usize| {
            let counts: Vec<Value> =
                (0u32..).take(table.rows()).map(|n| Value::Long(i64::try_from(edges(n)).unwrap_or(i64::MAX))).collect();
            Column::from_values(crate::types::Kind::Long, &counts)
        };
        let into = count(&|node| network.into(node).len());
        let out = count(&|node| network.out_of(node).len());
        Rows { table, beside: vec![(EDGES_IN.into(), into), (EDGES_OUT.into(), out)] }
    }
}

impl crate::expr::Input for Rows<'_> {
    fn rows(&self) -> usize {
        self.table.rows()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        match self.beside.iter().find(|(beside, _)| beside == name) {
            Some((_, column)) => Ok(column.clone()),
            None => hidden(self.table, name),
        }
    }
}
