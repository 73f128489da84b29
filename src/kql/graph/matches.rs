//! What was found of a pattern, and the columns that are made of it.
use super::pattern::{Pattern, Searched};
use super::{Network, Rows};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, evaluate};
use crate::functions::Context;
use crate::types::{Builder, Column, Kind, Name, Table, gather, json};

/// A column of the matches.
#[derive(Clone, Debug)]
pub enum Output {
    /// Of a node of the pattern: an expression over the columns of the nodes.
    Node(usize, Expr),
    /// Of the one edge of a hop: an expression over the columns of the edges.
    Edge(usize, Expr),
    /// Of all edges of a hop, or of the nodes between them.
    Along { hop: usize, over: Over, value: Expr, fold: Fold },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Edges,
    InnerNodes,
}

/// How the values along a hop become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    Array,
    All,
    Any,
}

impl Output {
    pub fn kind(&self) -> Kind {
        match self {
            Output::Node(_, value) | Output::Edge(_, value) => value.kind(),
            Output::Along { fold: Fold::Array, .. } => Kind::Dynamic,
            Output::Along { .. } => Kind::Bool,
        }
    }
}

/// The matches, column by column.
pub struct Matches {
    rows: usize,
    /// For each node of the pattern the nodes.
    nodes: Vec<Vec<u32>>,
    /// For each hop where the edges of each match end, and the edges.
    hops: Vec<(Vec<usize>, Vec<u32>)>,
}

impl Matches {
    pub fn new(pattern: &Pattern) -> Matches {
        let hops = pattern.hops.iter().map(|_| (Vec::new(), Vec::new())).collect();
        Matches { rows: 0, nodes: vec![Vec::new(); pattern.nodes], hops }
    }

    /// Adds a match: its nodes, and the edges of each hop from its first node on.
    pub fn push<'e>(
        &mut self,
        nodes: impl Iterator<Item = u32>,
        hops: impl Iterator<Item = &'e [u32]>,
        context: &Context,
    ) -> Result<()> {
        if self.rows >= context.limits.rows {
            return Err(Fault::limit("rows", "a pattern has too many matches"));
        }
        self.nodes.iter_mut().zip(nodes).for_each(|(column, node)| column.push(node));
        for ((ends, all), edges) in self.hops.iter_mut().zip(hops) {
            all.extend(edges);
            ends.push(all.len());
        }
        self.rows += 1;
        if self.rows.is_multiple_of(super::STEPS) && self.bytes() > context.limits.memory {
            return Err(Fault::limit("memory", "the matches of a pattern take too much memory"));
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let hops = self.hops.iter().map(|(ends, edges)| ends.len() * 8 + edges.len() * 4);
        self.nodes.iter().map(|nodes| nodes.len() * 4).sum::<usize>() + hops.sum::<usize>()
    }

    /// The table of some columns of the matches.
    pub fn table(
        &self,
        pattern: &Pattern,
        graph: &Searched,
        outputs: &[(Name, Output)],
        context: &Context,
    ) -> Result<Table> {
        let mut columns = Vec::with_capacity(outputs.len());
        for (name, output) in outputs {
            columns.push((name.clone(), self.column(pattern, graph, output, context)?));
        }
        if columns.is_empty() {
            let chunk = crate::types::Chunk { rows: self.rows, columns: Vec::new() };
            return Ok(Table::new(Default::default(), vec![chunk]));
        }
        Ok(Table::from_columns(columns))
    }

    fn column(&self, pattern: &Pattern, graph: &Searched, output: &Output, context: &Context) -> Result<Column> {
        let of = |value: &Expr, rows: &Rows| evaluate(value, rows, context);
        match output {
            Output::Node(at, value) => {
                let picks = self.nodes.get(*at).map(Vec::as_slice).unwrap_or_default();
                Ok(gather::take(&of(value, &graph.nodes)?, picks))
            }
            Output::Edge(at, value) => {
                let picks = self.hops.get(*at).map(|(_, edges)| edges.as_slice()).unwrap_or_default();
                Ok(gather::take(&of(value, &graph.edges)?, picks))
            }
            Output::Along { hop, over, value, fold } => {
                let values = of(value, if *over == Over::Edges { &graph.edges } else { &graph.nodes })?;
                self.along(pattern, &graph.network, (*hop, *over), &values, *fold, context)
            }
        }
    }

    fn along(
        &self,
        pattern: &Pattern,
        network: &Network,
        (hop, over): (usize, Over),
        values: &Column,
        fold: Fold,
        context: &Context,
    ) -> Result<Column> {
        let kind = if fold == Fold::Array { Kind::Dynamic } else { Kind::Bool };
        let mut made = Builder::new(kind, self.rows);
        let (Some((ends, edges)), Some(from)) = (self.hops.get(hop), pattern.hops.get(hop).map(|h| h.from)) else {
            return Err(Fault::internal("a match lacks a hop"));
        };
        let starts = self.nodes.get(from).map(Vec::as_slice).unwrap_or_default();
        let mut begin = 0;
        for (row, end) in ends.iter().enumerate() {
            if row % super::STEPS == 0 {
                context.check()?;
            }
            let passed = edges.get(begin..*end).unwrap_or_default();
            begin = *end;
            let inner;
            let picks = match (over, starts.get(row)) {
                (Over::InnerNodes, Some(start)) => {
                    inner = inner_nodes(network, *start, passed);
                    inner.as_slice()
                }
                _ => passed,
            };
            fold_into(&mut made, values, picks, fold);
        }
        Ok(made.finish())
    }
}

/// The nodes between the edges of a way.
fn inner_nodes(network: &Network, start: u32, edges: &[u32]) -> Vec<u32> {
    let mut at = start;
    let inner = edges.iter().take(edges.len().saturating_sub(1));
    inner
        .map(|edge| {
            at = network.beyond(*edge, at);
            at
        })
        .collect()
}

fn fold_into(made: &mut Builder, values: &Column, picks: &[u32], fold: Fold) {
    let mut each = picks.iter().map(|pick| values.value(*pick as usize));
    match fold {
        Fold::All => made.push_bool(each.all(|v| v.as_bool() == Some(true))),
        Fold::Any => made.push_bool(each.any(|v| v.as_bool() == Some(true))),
        Fold::Array => {
            let mut array = json::Writer::default();
            array.begin_array();
            each.for_each(|value| {
                array.raw(&value.to_json());
            });
            array.end_array();
            made.push_text(&array.finish());
        }
    }
}
