//! Bodies that run over the rows of each: `mv-apply` and `partition`. A body runs once for all, with the
//! number of its row (or partition) as a hidden leading key, never once per row.
use super::batch::{Batch, Columns};
use super::build::Executor;
use super::expand::elements;
use super::group::Grouper;
use super::in_place::InPlace;
use super::pipeline::Expansion;
use super::{Options, each, run};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input, NodeId};
use crate::functions::aggregates::over_nothing;
use crate::functions::{Context, Purity, arithmetic};
use crate::plan::{AggregateCall, InMemory, Node, Plan, RowCall, SortKey, TableOperation};
use crate::types::{Builder, Column, Kind, Name, Schema, Table, Value, gather};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The hidden key: no name of a query can hold a control character.
pub const KEY: &str = "\u{1}row";

/// An `mv-apply` with its late values computed.
#[derive(Clone)]
pub struct Application {
    expansion: Expansion,
    body: Body,
    keep: Vec<Name>,
    /// Columns of the outer row that the elements and the body read.
    reads: Vec<Name>,
    /// Columns that the body reads.
    inside: HashSet<Name>,
    made: Vec<Name>,
    /// Columns of the result that somebody reads.
    wanted: HashSet<Name>,
    /// The schema of the rows handed to the body.
    argument: Schema,
    exactly_one: bool,
    pure: bool,
    /// The body, where its rows need no key.
    in_place: Option<InPlace>,
}

impl Application {
    pub fn new(executor: &Executor, id: NodeId) -> Result<Application> {
        let Node::Apply { input, columns, index, limit, body, keep } = executor.plan.node(id) else {
            return Err(Fault::internal("an application is of an mv-apply"));
        };
        let columns = executor.ready_expanded(columns)?;
        let expansion =
            Expansion { columns, index: index.clone(), limit: *limit, keep_bags_as_arrays: false, keep_nulls: false };
        let body = Body::new(executor, *body)?;
        let argument = executor.plan.schema(body.argument(executor.plan).unwrap_or(body.root)).clone();
        let expanded =
            |name: &Name| expansion.columns.iter().any(|c| c.name == *name) || expansion.index.as_ref() == Some(name);
        let outer = executor.plan.schema(*input);
        let needed = executor.needed.of(id);
        let read_by_body = body.reads(needed);
        let mut reads: Vec<Name> = expansion.columns.iter().flat_map(|c| c.value.columns()).collect();
        reads.extend(
            argument.names().filter(|n| !expanded(n) && outer.contains(n) && read_by_body.contains(*n)).cloned(),
        );
        reads.sort();
        reads.dedup();
        let made = body.schema.names().filter(|n| !keep.contains(n) && needed.contains(*n)).cloned().collect();
        let pure = body.pure && expansion.columns.iter().all(|c| c.value.purity() == Purity::Pure);
        Ok(Application {
            exactly_one: body.gives_one_row(),
            in_place: InPlace::of(&body.nodes, body.root),
            keep: keep.clone(),
            reads,
            inside: read_by_body,
            made,
            wanted: needed.clone(),
            argument,
            expansion,
            body,
            pure,
        })
    }

    /// Outer columns in the result.
    pub fn kept(&self) -> impl Iterator<Item = &Name> {
        self.keep.iter()
    }

    /// Columns that the body makes.
    pub fn made(&self) -> Vec<Name> {
        self.made.clone()
    }

    /// Outer columns that it reads.
    pub fn reads(&self) -> Vec<Name> {
        self.reads.clone()
    }

    /// Whether each row gives exactly one row that depends on these columns alone.
    pub fn decides_on(&self, keys: &HashSet<Name>) -> bool {
        self.exactly_one && self.pure && !self.reads.is_empty() && self.reads.iter().all(|n| keys.contains(n))
    }

    pub fn run(&self, batch: &Batch, live: &HashSet<Name>, context: &Context) -> Result<Batch> {
        let inputs = self.reads.iter().map(|n| batch.column(n)).collect::<Result<Vec<_>>>()?;
        // Lists are rarely the same, and dear to compare.
        let lists = inputs.iter().any(|c| matches!(c, Column::List(_)));
        match self.exactly_one && self.pure && !self.reads.is_empty() && !lists {
            true => self.run_distinct(batch, &inputs, live, context),
            false => {
                let (rows, columns) = self.results(&inputs, batch.rows(), context)?;
                batch.multiplied(rows, live, columns)
            }
        }
    }

    /// Rows that agree in what is read give the same row: each combination is computed once.
    fn run_distinct(&self, batch: &Batch, inputs: &[Column], live: &HashSet<Name>, context: &Context) -> Result<Batch> {
        let kinds: Vec<Kind> = inputs.iter().map(Column::kind).collect();
        let mut grouper = Grouper::new(&kinds);
        let groups = grouper.groups(inputs, batch.rows());
        let all: Vec<u32> = (0..grouper.len() as u32).collect();
        let (rows, columns) = self.results(&grouper.columns(&all), all.len(), context)?;
        let mut place = vec![0u32; all.len()];
        rows.iter().enumerate().for_each(|(at, group)| place[*group as usize] = at as u32);
        let picks: Vec<u32> = groups.iter().map(|g| place[*g as usize]).collect();
        let columns = columns.into_iter().map(|(name, column)| (name, gather::take(&column, &picks))).collect();
        let every: Vec<u32> = (0..batch.rows() as u32).collect();
        batch.multiplied(every, live, columns)
    }

    /// For the rows of `inputs`: the outer row of each result row, and the body's columns.
    fn results(&self, inputs: &[Column], rows: usize, context: &Context) -> Result<(Vec<u32>, Columns)> {
        let named: Columns = self.reads.iter().cloned().zip(inputs.iter().cloned()).collect();
        let outer = Batch::of_columns(named, rows);
        let (source, made) = elements(&outer, &self.expansion, context)?;
        let mut columns: Columns = Vec::new();
        for (name, kind) in self.argument.columns() {
            let column = match made.iter().find(|(n, _)| n == name) {
                Some((_, column)) => column.clone(),
                None if self.reads.contains(name) && self.inside.contains(name) => {
                    gather::take(&outer.column(name)?, &source)
                }
                None => Column::nulls(*kind, source.len()),
            };
            columns.push((name.clone(), column));
        }
        if let Some(in_place) = &self.in_place {
            let (rows, batch) = in_place.run(columns, &source, rows, context)?;
            let wanted = self.body.schema.names().filter(|name| self.wanted.contains(*name));
            return Ok((rows, wanted.map(|name| Ok((name.clone(), batch.column(name)?))).collect::<Result<_>>()?));
        }
        columns.insert(0, (KEY.into(), Column::Long(source.iter().map(|r| i64::from(*r)).collect())));
        let (rows, mut columns) = self.body.run(Table::from_columns(columns), rows, context)?;
        columns.retain(|(name, _)| self.wanted.contains(name));
        Ok((rows, columns))
    }
}

/// For each distinct value of `by`, the body over its rows.
pub fn partition(executor: &Executor, input: NodeId, by: &Name, body: NodeId) -> Result<Table> {
    let table = executor.table(input)?;
    let key = table.column_named(by).ok_or_else(|| Fault::internal("a partition's key was pruned away"))?;
    // Inside of another body, the groups of its rows are told apart.
    let outer = table.column_named(KEY);
    let keys: Vec<Column> = [key].into_iter().chain(outer.clone()).collect();
    let mut grouper = Grouper::new(&keys.iter().map(Column::kind).collect::<Vec<_>>());
    let groups = grouper.groups(&keys, table.rows());
    let own = table.schema().names().cloned().enumerate().filter(|(_, name)| **name != *KEY);
    let mut columns: Columns = vec![(KEY.into(), Column::Long(groups.iter().map(|g| i64::from(*g)).collect()))];
    columns.extend(own.map(|(at, name)| (name, table.column(at))));
    let body = Body::new(executor, body)?;
    let (rows, mut columns) = body.run(Table::from_columns(columns), grouper.len(), executor.context)?;
    if let (Some(_), Some(outer)) = (outer, grouper.columns(&rows).pop()) {
        columns.insert(0, (KEY.into(), outer));
    }
    Ok(Table::from_columns(columns))
}

/// A body as a plan of its own, made anew for the rows it is given.
#[derive(Clone)]
struct Body {
    /// Nodes of the outer plan that the body is made of, inputs first; those that do not depend on the
    /// argument are tables already.
    nodes: Parts,
    /// Those of the bodies inside of it, which run by themselves within its plan.
    inner: Parts,
    fixed: HashMap<NodeId, Table>,
    root: NodeId,
    schema: Schema,
    pure: bool,
}

/// Nodes of a plan with their numbers and schemas, inputs first.
type Parts = Vec<(NodeId, Node, Schema)>;

impl Body {
    fn new(executor: &Executor, root: NodeId) -> Result<Body> {
        let mut fixed = HashMap::new();
        let nodes = parts(executor, root, &mut fixed)?;
        let mut inner = BTreeMap::new();
        let mut waiting = bodies(&nodes);
        while let Some(body) = waiting.pop() {
            let own = parts(executor, body, &mut fixed)?;
            waiting.extend(bodies(&own));
            inner.extend(own.into_iter().map(|(id, node, schema)| (id, (node, schema))));
        }
        let reads_outer =
            |(id, node, _): &(NodeId, Node, Schema)| matches!(node, Node::Argument { .. }) && inner.contains_key(id);
        if nodes.iter().any(reads_outer) {
            let what = "the rows of a body cannot be read by name in another one inside of it";
            return Err(Fault::query("HP121", what));
        }
        let inner: Parts = inner.into_iter().map(|(id, (node, schema))| (id, node, schema)).collect();
        let expressions = nodes.iter().chain(&inner).flat_map(|(_, node, _)| node.expressions());
        let pure = expressions.into_iter().all(|e| e.purity() == Purity::Pure);
        Ok(Body { nodes, inner, fixed, root, schema: executor.plan.schema(root).clone(), pure })
    }

    fn argument(&self, plan: &Plan) -> Option<NodeId> {
        plan.below(self.root).into_iter().find(|id| matches!(plan.node(*id), Node::Argument { .. }))
    }

    /// Every column name that an expression of the body reads, and those of the columns it hands through that are
    /// needed.
    fn reads(&self, needed: &HashSet<Name>) -> HashSet<Name> {
        let all = || self.nodes.iter().chain(&self.inner);
        let mut names: HashSet<Name> =
            all().flat_map(|(_, node, _)| node.expressions()).flat_map(Expr::columns).collect();
        for (_, node, _) in all() {
            names.extend(self.late_of(node).iter().flat_map(|(_, schema)| schema.names().cloned()));
            match node {
                Node::Join { keys, .. } => names.extend(keys.iter().flat_map(|(l, r)| [l.clone(), r.clone()])),
                // What an operation reads is its own affair: it gets all.
                Node::Table { .. } | Node::Partition { .. } => {
                    names.extend(all().flat_map(|(_, _, schema)| schema.names().cloned()));
                }
                _ => {}
            }
        }
        if !self.gives_one_row() {
            names.extend(self.schema.names().filter(|name| needed.contains(*name)).cloned());
        }
        names
    }

    /// Whether it ends in a `summarize` without keys, with nothing but row-wise steps after it.
    fn gives_one_row(&self) -> bool {
        let mut at = self.root;
        loop {
            match self.nodes.iter().find(|(id, ..)| *id == at).map(|(_, node, _)| node) {
                Some(Node::Extend { input, .. } | Node::Project { input, .. }) => at = *input,
                Some(Node::Aggregate { by, .. }) => return by.is_empty(),
                _ => return false,
            }
        }
    }

    /// Runs the body over a table with the hidden key, for keys `0..keys`: the key of each result row and
    /// the body's columns.
    fn run(&self, argument: Table, keys: usize, context: &Context) -> Result<(Vec<u32>, Columns)> {
        let (plan, root) = self.plan(argument, keys, context)?;
        let options = Options { threads: 1, trace: false };
        let run = run(&plan, &[root], context, &options)?;
        let table = run.tables.into_iter().next().unwrap_or_default();
        let key = table.column_named(KEY).ok_or_else(|| Fault::internal("a body lost its key"))?;
        let rows = arithmetic::longs(&key).values().iter().map(|key| *key as u32).collect();
        let names = self.schema.names();
        let columns = names.filter_map(|name| table.column_named(name).map(|column| (name.clone(), column)));
        Ok((rows, columns.collect()))
    }

    /// The late values that a node reads of its own rows, with what their nodes have.
    fn late_of(&self, node: &Node) -> Vec<(NodeId, Schema)> {
        let mut late: Vec<NodeId> = node.expressions().into_iter().flat_map(Expr::late).collect();
        late.sort();
        late.dedup();
        let schema = |id: NodeId| self.nodes.iter().find(|(n, ..)| *n == id).map(|(_, _, schema)| schema.clone());
        late.into_iter().filter_map(|id| Some((id, schema(id)?))).collect()
    }

    fn plan(&self, argument: Table, keys: usize, context: &Context) -> Result<(Plan, NodeId)> {
        let mut plan = Plan::default();
        let mut now: HashMap<NodeId, NodeId> = HashMap::new();
        for (id, table) in &self.fixed {
            let node = Node::Scan { name: "fixed".into(), source: InMemory::source(table.clone()) };
            now.insert(*id, plan.add(node, table.schema().clone()));
        }
        for (id, node, schema) in &self.inner {
            let node = each::with_new_late_values(renumbered(node.clone(), &now)?, &now)?;
            now.insert(*id, plan.add(node, schema.clone()));
        }
        for (id, node, schema) in &self.nodes {
            let keyed = with_key(schema);
            let made = match node {
                Node::Argument { .. } => {
                    let source = InMemory::source(argument.clone());
                    plan.add(Node::Scan { name: "each".into(), source }, argument.schema().clone())
                }
                Node::Union { .. } | Node::Join { .. } => {
                    let inputs = each::inputs_for_all(&mut plan, node, &self.fixed, &now, keys);
                    match renumbered(node.clone(), &inputs)? {
                        Node::Union { inputs } => each::keyed_union(&mut plan, inputs, schema),
                        join => each::keyed_join(&mut plan, join, schema)?,
                    }
                }
                node => {
                    let late = self.late_of(node);
                    let mut node = renumbered(node.clone(), &now)?;
                    if !late.is_empty() {
                        node = with_input(node, |input| each::with_late_values(&mut plan, input, &late, &now))?;
                        node = node.map_expressions(&mut |e| Ok::<_, Fault>(each::as_column(e)))?;
                    }
                    let node = keyed_node(node, schema)?;
                    let added = plan.add(node.clone(), keyed.clone());
                    match &node {
                        Node::Aggregate { by, aggregates, .. } if by.len() == 1 => {
                            let fill = Arc::new(FillMissing::new(aggregates, keys, context)?);
                            plan.add(Node::Table { inputs: vec![added], operation: fill }, keyed)
                        }
                        _ => added,
                    }
                }
            };
            now.insert(*id, made);
        }
        let root = each::for_every_key(&mut plan, self.root, &self.fixed, &now, keys);
        let root = root.ok_or_else(|| Fault::internal("a body without a root"))?;
        Ok((plan, root))
    }
}

/// The nodes under a root that hang on a body's rows, with the values computed that do not; so are the tables that these
/// nodes read.
fn parts(executor: &Executor, root: NodeId, fixed: &mut HashMap<NodeId, Table>) -> Result<Parts> {
    let plan = executor.plan;
    let depends: Vec<NodeId> = plan.below(root).into_iter().filter(|id| plan.hangs_on_argument(*id)).collect();
    let inputs = depends.iter().flat_map(|id| plan.node(*id).inputs());
    for id in inputs.chain([root]).filter(|id| !depends.contains(id)) {
        fixed.insert(id, executor.table(id)?);
    }
    let part = |id: NodeId| {
        let node = plan.node(id).clone().map_expressions(&mut |e| each::ready_outside(executor, e))?;
        Ok((id, node, plan.schema(id).clone()))
    };
    depends.into_iter().map(part).collect()
}

/// The bodies that nodes run.
fn bodies(nodes: &Parts) -> Vec<NodeId> {
    nodes.iter().filter_map(|(_, node, _)| node.body()).collect()
}

pub fn with_key(schema: &Schema) -> Schema {
    let key: (Name, Kind) = (KEY.into(), Kind::Long);
    std::iter::once(key).chain(schema.columns().iter().cloned()).collect()
}

pub fn key_column() -> (Name, Expr) {
    (KEY.into(), Expr::Column(KEY.into(), Kind::Long))
}

/// The node with the hidden key as its leading key.
fn keyed_node(node: Node, schema: &Schema) -> Result<Node> {
    let of_each = |operation| Arc::new(OfEach { operation, schema: with_key(schema) });
    Ok(match node {
        Node::Filter { .. } | Node::Extend { .. } | Node::Window { .. } | Node::Expand { .. } => node,
        // Its groups are told apart by the key, too.
        Node::Partition { .. } => node,
        Node::Apply { input, columns, index, limit, body, mut keep } => {
            keep.insert(0, KEY.into());
            Node::Apply { input, columns, index, limit, body, keep }
        }
        Node::Project { input, mut columns } => {
            columns.insert(0, key_column());
            Node::Project { input, columns }
        }
        Node::Aggregate { input, mut by, aggregates } => {
            by.insert(0, key_column());
            Node::Aggregate { input, by, aggregates }
        }
        Node::Sort { input, mut keys } => {
            keys.insert(0, SortKey { expr: key_column().1, descending: false, nulls_first: true });
            Node::Sort { input, keys }
        }
        Node::Take { input, rows } => Node::Table {
            inputs: vec![input],
            operation: Arc::new(TakeOfEach { rows: usize::try_from(rows).unwrap_or(usize::MAX) }),
        },
        Node::Sample { input, rows } => {
            Node::Table { inputs: vec![input], operation: of_each(Arc::new(each::SampleOfOne(rows))) }
        }
        Node::Rows { input, columns } => {
            let operation = Arc::new(RowsOfOne { columns, schema: schema.clone() });
            Node::Table { inputs: vec![input], operation: of_each(operation) }
        }
        Node::Table { inputs, operation } => Node::Table { inputs, operation: of_each(operation) },
        other => {
            let what = format!("{other:?}");
            let what = what.split_whitespace().next().unwrap_or("this step").to_lowercase();
            return Err(Fault::query("HP121", format!("`{what}` is not supported inside mv-apply or partition yet")));
        }
    })
}

/// The node over another input: of those that have one and expressions that may read late values.
fn with_input(node: Node, change: impl FnOnce(NodeId) -> Result<NodeId>) -> Result<Node> {
    Ok(match node {
        Node::Filter { input, predicate } => Node::Filter { input: change(input)?, predicate },
        Node::Extend { input, columns } => Node::Extend { input: change(input)?, columns },
        Node::Project { input, columns } => Node::Project { input: change(input)?, columns },
        Node::Aggregate { input, by, aggregates } => Node::Aggregate { input: change(input)?, by, aggregates },
        Node::Sort { input, keys } => Node::Sort { input: change(input)?, keys },
        Node::Expand { input, columns, index, limit, keep_bags_as_arrays } => {
            Node::Expand { input: change(input)?, columns, index, limit, keep_bags_as_arrays }
        }
        Node::Apply { input, columns, index, limit, body, keep } => {
            Node::Apply { input: change(input)?, columns, index, limit, body, keep }
        }
        Node::Rows { input, columns } => Node::Rows { input: change(input)?, columns },
        other => other,
    })
}

fn renumbered(node: Node, now: &HashMap<NodeId, NodeId>) -> Result<Node> {
    let lost = || Fault::internal("a body's node before its input");
    let mut at = |id: NodeId| now.get(&id).copied().ok_or_else(lost);
    node.map_inputs(&mut at)?.map_body(&mut at)
}

/// `summarize` without keys gives a row over no rows too: one for each key that has none.
#[derive(Debug)]
struct FillMissing {
    keys: usize,
    values: Vec<(Name, Value)>,
}

impl FillMissing {
    fn new(aggregates: &[(Name, AggregateCall)], keys: usize, context: &Context) -> Result<FillMissing> {
        let value = |call: &AggregateCall| {
            let kinds: Vec<Kind> = call.arguments.iter().map(Expr::kind).collect();
            over_nothing(call.function, context, &kinds, &call.constants())
        };
        let values = aggregates.iter().map(|(name, call)| Ok((name.clone(), value(call)?))).collect::<Result<_>>()?;
        Ok(FillMissing { keys, values })
    }
}

impl TableOperation for FillMissing {
    fn name(&self) -> &str {
        "the rows of empty groups"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("nothing to fill")) };
        let key = table.column_named(KEY).ok_or_else(|| Fault::internal("a body lost its key"))?;
        let mut seen = vec![false; self.keys];
        for key in arithmetic::longs(&key).values() {
            if let Some(slot) = seen.get_mut(*key as usize) {
                *slot = true;
            }
        }
        let missing: Vec<i64> = (0..self.keys as i64).filter(|k| !seen[*k as usize]).collect();
        if missing.is_empty() {
            return Ok(table.clone());
        }
        let column = |at: usize, name: &Name, kind: Kind| {
            let extra = match self.values.iter().find(|(n, _)| n == name) {
                Some((_, value)) => Builder::repeat(value, missing.len()),
                None => Column::Long(missing.clone().into()),
            };
            let all = gather::concat(&[table.column(at), extra]);
            (name.clone(), all.unwrap_or_else(|| Column::nulls(kind, 0)))
        };
        let columns = table.schema().columns().iter().enumerate().map(|(at, (name, kind))| column(at, name, *kind));
        let filled = Table::from_columns(columns.collect());
        // In the order of the keys: which of them are worked on at a time must not show.
        let keys = filled.column_named(KEY).ok_or_else(|| Fault::internal("a body lost its key"))?;
        let keys = arithmetic::longs(&keys);
        let mut order: Vec<u32> = (0..filled.rows() as u32).collect();
        order.sort_by_key(|row| keys.value(*row as usize));
        Ok(super::sort::picked(&filled, &order, filled.schema()))
    }
}

/// Row functions over the rows of one key.
#[derive(Debug)]
struct RowsOfOne {
    columns: Vec<(Name, RowCall)>,
    schema: Schema,
}

impl TableOperation for RowsOfOne {
    fn name(&self) -> &str {
        "row functions"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("no rows to number")) };
        super::rows::run(table, &self.columns, &self.schema, context, 1)
    }
}

/// An operation over the rows of each key on their own.
#[derive(Debug)]
struct OfEach {
    operation: Arc<dyn TableOperation>,
    /// The result's columns, the key first.
    schema: Schema,
}

impl OfEach {
    /// The rows of each key without it.
    fn split(table: &Table) -> Result<BTreeMap<i64, Table>> {
        let key = table.column_named(KEY).ok_or_else(|| Fault::internal("a body lost its key"))?;
        let mut places: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for row in 0..key.len() {
            places.entry(key.value(row).as_long().unwrap_or_default()).or_default().push(row as u32);
        }
        let schema: Schema = table.schema().columns().iter().filter(|(n, _)| **n != *KEY).cloned().collect();
        Ok(places.into_iter().map(|(key, rows)| (key, super::sort::picked(table, &rows, &schema))).collect())
    }
}

impl TableOperation for OfEach {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else {
            let what = format!("`{}` is not supported inside mv-apply or partition yet", self.name());
            return Err(Fault::query("HP121", what));
        };
        let mut found = Vec::new();
        for (key, rows) in Self::split(table)? {
            context.check()?;
            let made = self.operation.run(context, &[rows])?;
            // Columns that nobody reads may be missing.
            let columns: Vec<Option<Column>> = self.schema.names().map(|name| made.column_named(name)).collect();
            for row in 0..made.rows() {
                let cells = columns.iter().zip(self.schema.columns()).map(|(column, (name, kind))| match column {
                    Some(column) => column.value(row),
                    None if **name == *KEY => Value::Long(key),
                    None => Value::null(*kind),
                });
                found.push(cells.collect());
            }
        }
        Ok(Table::from_rows(self.schema.clone(), &found))
    }
}

/// `take` within each key.
#[derive(Debug)]
struct TakeOfEach {
    rows: usize,
}

impl TableOperation for TakeOfEach {
    fn name(&self) -> &str {
        "take of each"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("nothing to take from")) };
        let key = table.column_named(KEY).ok_or_else(|| Fault::internal("a body lost its key"))?;
        let mut taken: HashMap<i64, usize> = HashMap::new();
        let mut rows = Vec::new();
        for row in 0..key.len() {
            let count = taken.entry(key.value(row).as_long().unwrap_or_default()).or_default();
            if *count < self.rows {
                rows.push(row as u32);
                *count += 1;
            }
        }
        Ok(super::sort::picked(table, &rows, table.schema()))
    }
}
