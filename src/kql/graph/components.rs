//! `graph-mark-components`: the parts of a graph that hang together.
use super::{Network, STEPS};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::types::{Column, Kind, Name, Schema, Table, Value};

/// Adds to the nodes the number of their component. Components are numbered in the order of their first nodes.
#[derive(Debug)]
pub struct Components {
    /// Whether a way back counts, too: each node of a component reaches every other.
    pub strong: bool,
    pub name: Name,
    pub schema: Schema,
}

impl TableOperation for Components {
    fn name(&self) -> &str {
        "graph-mark-components"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [nodes, edges] = inputs else { return Err(Fault::internal("a graph is two tables")) };
        let network = Network::new(nodes, edges, context)?;
        let found = match self.strong {
            true => strong(&network, nodes.rows(), context)?,
            false => weak(&network, nodes.rows(), context)?,
        };
        let marks = Column::from_values(Kind::Long, &numbered(&found));
        let columns = self.schema.names().map(|name| {
            let column = if *name == self.name { Some(marks.clone()) } else { nodes.column_named(name) };
            column.map(|column| (name.clone(), column))
        });
        Ok(Table::from_columns(columns.flatten().collect()))
    }
}

/// Consecutive numbers in order of first sight.
fn numbered(found: &[u32]) -> Vec<Value> {
    let mut numbers = std::collections::HashMap::new();
    let number = |component: &u32| {
        let next = numbers.len() as i64;
        Value::Long(*numbers.entry(*component).or_insert(next))
    };
    found.iter().map(number).collect()
}

/// For each node one of its component, the direction of edges aside.
fn weak(network: &Network, nodes: usize, context: &Context) -> Result<Vec<u32>> {
    let mut above: Vec<u32> = (0u32..).take(nodes).collect();
    for (at, (source, target)) in network.ends.iter().enumerate() {
        if at % STEPS == 0 {
            context.check()?;
        }
        let (one, other) = (root(&mut above, *source), root(&mut above, *target));
        if let Some(higher) = above.get_mut(one.max(other) as usize) {
            *higher = one.min(other);
        }
    }
    Ok((0u32..).take(nodes).map(|node| root(&mut above, node)).collect())
}

/// The node that stands for the component; the way to it is halved.
fn root(above: &mut [u32], mut node: u32) -> u32 {
    while let Some(parent) = above.get(node as usize).copied().filter(|parent| *parent != node) {
        let further = above.get(parent as usize).copied().unwrap_or(parent);
        if let Some(own) = above.get_mut(node as usize) {
            *own = further;
        }
        node = further;
    }
    node
}

/// What Tarjan's walk knows of a node.
#[derive(Clone, Copy, Default)]
struct Visit {
    /// When it was seen, from 1; 0 before.
    seen: u32,
    /// The earliest node on the stack that it reaches.
    low: u32,
    on_stack: bool,
    component: u32,
}

/// For each node the number of its strong component. Tarjan's walk, with a stack of its own.
fn strong(network: &Network, nodes: usize, context: &Context) -> Result<Vec<u32>> {
    let mut visits = vec![Visit::default(); nodes];
    let (mut stack, mut way): (Vec<u32>, Vec<(u32, usize)>) = (Vec::new(), Vec::new());
    let (mut clock, mut components) = (0u32, 0u32);
    let mut steps = 0usize;
    for start in (0u32..).take(nodes) {
        if visit(&visits, start).seen > 0 {
            continue;
        }
        way.push((start, 0));
        while let Some((node, next)) = way.pop() {
            steps += 1;
            if steps.is_multiple_of(STEPS) {
                context.check()?;
            }
            if next == 0 {
                clock += 1;
                change(&mut visits, node, |v| *v = Visit { seen: clock, low: clock, on_stack: true, component: 0 });
                stack.push(node);
            }
            if let Some(edge) = network.out_of(node).get(next) {
                let beyond = network.ends.get(*edge as usize).map_or(node, |(_, target)| *target);
                way.push((node, next + 1));
                let other = visit(&visits, beyond);
                match (other.seen, other.on_stack) {
                    (0, _) => way.push((beyond, 0)),
                    (seen, true) => change(&mut visits, node, |v| v.low = v.low.min(seen)),
                    _ => {}
                }
                continue;
            }
            let own = visit(&visits, node);
            if let Some((before, _)) = way.last() {
                change(&mut visits, *before, |v| v.low = v.low.min(own.low));
            }
            if own.low == own.seen {
                components += 1;
                while let Some(member) = stack.pop() {
                    change(&mut visits, member, |v| (v.on_stack, v.component) = (false, components));
                    if member == node {
                        break;
                    }
                }
            }
        }
    }
    Ok(visits.into_iter().map(|v| v.component).collect())
}

fn visit(visits: &[Visit], node: u32) -> Visit {
    visits.get(node as usize).copied().unwrap_or_default()
}

fn change(visits: &mut [Visit], node: u32, change: impl FnOnce(&mut Visit)) {
    if let Some(visit) = visits.get_mut(node as usize) {
        change(visit);
    }
}
