//! The relational nodes.
use super::{NodeId, Source, Window};
use crate::diagnostic;
use crate::expr::Expr;
use crate::functions::aggregates::Aggregate;
use crate::functions::kept::KeptRows;
use crate::functions::{Context, Purity};
use crate::types::{Kind, Name, Table, Value};
use std::sync::Arc;

#[derive(Clone)]
pub enum Node {
    /// The rows of a source.
    Scan { name: Name, source: Arc<dyn Source> },
    /// Rows that are known already: `print`, `datatable`, `range`.
    Values(Table),
    /// The rows inside a time window.
    Window { input: NodeId, window: Window },
    /// The rows for which the predicate is true.
    Filter { input: NodeId, predicate: Expr },
    /// Columns added, or replaced in their place. All are computed from the input's columns.
    Extend { input: NodeId, columns: Vec<(Name, Expr)> },
    /// These columns and no others.
    Project { input: NodeId, columns: Vec<(Name, Expr)> },
    /// One row for each distinct combination of the keys; one row in all where there are none.
    /// Keys come first.
    Aggregate { input: NodeId, by: Vec<(Name, Expr)>, aggregates: Vec<(Name, AggregateCall)> },
    /// Pairs of rows with equal keys. `columns` says where each output column comes from.
    Join { left: NodeId, right: NodeId, kind: JoinKind, keys: Vec<(Name, Name)>, columns: Vec<(Name, JoinSide, Name)> },
    /// The rows of all inputs, which have one schema.
    Union { inputs: Vec<NodeId> },
    /// The rows in order; stable.
    Sort { input: NodeId, keys: Vec<SortKey> },
    /// Events with the newest first; of equal times the last comes first. Rows without a time stay behind the others, in
    /// their order.
    Newest { input: NodeId, time: Name },
    /// The first rows.
    Take { input: NodeId, rows: u64 },
    /// Rows for the elements of arrays and bags: `mv-expand`.
    Expand { input: NodeId, columns: Vec<Expanded>, index: Option<Name>, limit: Option<u64>, keep_bags_as_arrays: bool },
    /// For each row, `body` over the rows of its expanded elements: `mv-apply`. The body's leaf is
    /// `Argument`; its result comes with the kept columns of the row.
    Apply {
        input: NodeId,
        columns: Vec<Expanded>,
        index: Option<Name>,
        limit: Option<u64>,
        body: NodeId,
        /// The columns of the outer row in the result, before the body's.
        keep: Vec<Name>,
    },
    /// The rows that an enclosing `Apply` or `Partition` hands to its body.
    Argument { number: u32 },
    /// For each distinct value of the key, `body` over its rows: `partition`.
    Partition { input: NodeId, by: Name, body: NodeId },
    /// Columns computed in row order over the whole input: `row_number`, `prev`, `row_cumsum`.
    Rows { input: NodeId, columns: Vec<(Name, RowCall)> },
    /// An arbitrary choice of rows.
    Sample { input: NodeId, rows: u64 },
    /// A function of the whole table that has its own rules: plugins, `make-series`, `scan`.
    Table { inputs: Vec<NodeId>, operation: Arc<dyn TableOperation> },
}

/// A function of whole tables, for operators that no other node covers.
pub trait TableOperation: Send + Sync + std::fmt::Debug {
    fn name(&self) -> &str;

    fn run(&self, context: &Context, inputs: &[Table]) -> diagnostic::Result<Table>;

    /// The columns it reads of input `at`; none for all of them.
    fn reads(&self, _at: usize) -> Option<Vec<Name>> {
        None
    }

    /// How it runs with its last input as that was kept; none where it reads all of it each time.
    fn keeper(&self) -> Option<&dyn KeepsInput> {
        None
    }

    /// Whether it is all that it does to keep the first rows of each group, with their columns as they are.
    fn keeps_first(&self) -> Option<FirstRows<'_>> {
        None
    }
}

/// An operation that asks little of its last input, which is kept with an index between runs, where it outlives them.
pub trait KeepsInput {
    /// Tells what is kept of an input from what others keep of it.
    fn form(&self) -> &str;

    /// The bytes of [`KeptRows`]; none where they cannot be kept.
    fn keep(&self, input: &Table) -> Option<Vec<u8>>;

    fn run(&self, context: &Context, others: &[Table], kept: &KeptRows) -> diagnostic::Result<Table>;
}

/// Rows that lack none of some columns, and of those that agree in them the first.
pub struct FirstRows<'a> {
    pub keys: &'a [Name],
    pub count: u32,
}

impl std::fmt::Debug for Node {
    /// Equal texts mean equal nodes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Node::Scan { name, source } => write!(f, "Scan {name} {}", source.identity()),
            Node::Values(table) => write!(f, "Values {}", table.identity()),
            Node::Window { input, window } => write!(f, "Window {input:?} {window:?}"),
            Node::Filter { input, predicate } => write!(f, "Filter {input:?} {predicate:?}"),
            Node::Extend { input, columns } => write!(f, "Extend {input:?} {columns:?}"),
            Node::Project { input, columns } => write!(f, "Project {input:?} {columns:?}"),
            Node::Aggregate { input, by, aggregates } => write!(f, "Aggregate {input:?} {by:?} {aggregates:?}"),
            Node::Join { left, right, kind, keys, columns } => {
                write!(f, "Join {left:?} {right:?} {kind:?} {keys:?} {columns:?}")
            }
            Node::Union { inputs } => write!(f, "Union {inputs:?}"),
            Node::Sort { input, keys } => write!(f, "Sort {input:?} {keys:?}"),
            Node::Newest { input, time } => write!(f, "Newest {input:?} {time}"),
            Node::Take { input, rows } => write!(f, "Take {input:?} {rows}"),
            Node::Expand { input, columns, index, limit, keep_bags_as_arrays } => {
                write!(f, "Expand {input:?} {columns:?} {index:?} {limit:?} {keep_bags_as_arrays}")
            }
            Node::Apply { input, columns, index, limit, body, keep } => {
                write!(f, "Apply {input:?} {columns:?} {index:?} {limit:?} {body:?} {keep:?}")
            }
            Node::Argument { number } => write!(f, "Argument {number}"),
            Node::Partition { input, by, body } => write!(f, "Partition {input:?} {by:?} {body:?}"),
            Node::Rows { input, columns } => write!(f, "Rows {input:?} {columns:?}"),
            Node::Sample { input, rows } => write!(f, "Sample {input:?} {rows}"),
            Node::Table { inputs, operation } => write!(f, "Table {inputs:?} {operation:?}"),
        }
    }
}

/// An aggregate with its arguments.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    pub function: &'static Aggregate,
    pub arguments: Vec<Expr>,
    /// The rows that count: the `…if` forms.
    pub condition: Option<Expr>,
    pub kind: Kind,
}

impl AggregateCall {
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.arguments.iter().chain(&self.condition)
    }

    /// The same call with every expression changed by `change`.
    pub fn map<E>(self, change: &mut dyn FnMut(Expr) -> Result<Expr, E>) -> Result<AggregateCall, E> {
        let arguments = self.arguments.into_iter().map(&mut *change).collect::<Result<_, E>>()?;
        let condition = self.condition.map(change).transpose()?;
        Ok(AggregateCall { arguments, condition, ..self })
    }

    /// The arguments that are constants.
    pub fn constants(&self) -> Vec<Option<Value>> {
        self.arguments.iter().map(|a| if let Expr::Const(v) = a { Some(v.clone()) } else { None }).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// One left row for each key, the first: KQL's default.
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinSide {
    Left,
    Right,
}

#[derive(Clone, Debug)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

/// A column of `mv-expand` or `mv-apply`: the elements of `value`, under `name`, as `kind`.
#[derive(Clone, Debug)]
pub struct Expanded {
    pub name: Name,
    pub value: Expr,
    pub kind: Kind,
}

/// A function of a row's place among the rows.
#[derive(Clone, Debug)]
pub enum RowCall {
    /// A plain expression.
    Plain(Expr),
    /// `row_number(start, restart)`.
    Number { start: Expr, restart: Option<Expr> },
    /// `row_cumsum(term, restart)`.
    CumulativeSum { term: Expr, restart: Option<Expr> },
    /// `prev(column, offset, default)` (a positive offset) and `next` (a negative one).
    Shift { value: Expr, offset: i64, default: Option<Expr> },
    /// `row_window_session(time, longest, most between, restart)`.
    Session { time: Expr, longest: Expr, between: Expr, restart: Option<Expr> },
    /// `row_rank_dense(term, restart)`; `row_rank_min` where not dense.
    Rank { term: Expr, restart: Option<Expr>, dense: bool },
}

impl RowCall {
    /// The same call with every expression changed by `change`.
    pub fn map<E>(self, change: &mut dyn FnMut(Expr) -> Result<Expr, E>) -> Result<RowCall, E> {
        let maybe = |e: Option<Expr>, change: &mut dyn FnMut(Expr) -> Result<Expr, E>| e.map(change).transpose();
        Ok(match self {
            RowCall::Plain(e) => RowCall::Plain(change(e)?),
            RowCall::Number { start, restart } => {
                RowCall::Number { start: change(start)?, restart: maybe(restart, change)? }
            }
            RowCall::CumulativeSum { term, restart } => {
                RowCall::CumulativeSum { term: change(term)?, restart: maybe(restart, change)? }
            }
            RowCall::Shift { value, offset, default } => {
                RowCall::Shift { value: change(value)?, offset, default: maybe(default, change)? }
            }
            RowCall::Session { time, longest, between, restart } => RowCall::Session {
                time: change(time)?,
                longest: change(longest)?,
                between: change(between)?,
                restart: maybe(restart, change)?,
            },
            RowCall::Rank { term, restart, dense } => {
                RowCall::Rank { term: change(term)?, restart: maybe(restart, change)?, dense }
            }
        })
    }

    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            RowCall::Plain(e) => vec![e],
            RowCall::Number { start, restart } => std::iter::once(start).chain(restart).collect(),
            RowCall::CumulativeSum { term, restart } | RowCall::Rank { term, restart, .. } => {
                std::iter::once(term).chain(restart).collect()
            }
            RowCall::Shift { value, default, .. } => std::iter::once(value).chain(default).collect(),
            RowCall::Session { time, longest, between, restart } => {
                [time, longest, between].into_iter().chain(restart).collect()
            }
        }
    }
}

impl Node {
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            Node::Scan { .. } | Node::Values(_) | Node::Argument { .. } => Vec::new(),
            Node::Window { input, .. }
            | Node::Filter { input, .. }
            | Node::Extend { input, .. }
            | Node::Project { input, .. }
            | Node::Aggregate { input, .. }
            | Node::Sort { input, .. }
            | Node::Newest { input, .. }
            | Node::Take { input, .. }
            | Node::Expand { input, .. }
            | Node::Apply { input, .. }
            | Node::Partition { input, .. }
            | Node::Rows { input, .. }
            | Node::Sample { input, .. } => vec![*input],
            Node::Join { left, right, .. } => vec![*left, *right],
            Node::Union { inputs } | Node::Table { inputs, .. } => inputs.clone(),
        }
    }

    /// Every expression of the node itself.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Node::Filter { predicate, .. } => vec![predicate],
            Node::Extend { columns, .. } | Node::Project { columns, .. } => columns.iter().map(|(_, e)| e).collect(),
            Node::Aggregate { by, aggregates, .. } => {
                let arguments = aggregates.iter().flat_map(|(_, call)| call.expressions());
                by.iter().map(|(_, e)| e).chain(arguments).collect()
            }
            Node::Sort { keys, .. } => keys.iter().map(|k| &k.expr).collect(),
            Node::Expand { columns, .. } | Node::Apply { columns, .. } => columns.iter().map(|c| &c.value).collect(),
            Node::Rows { columns, .. } => columns.iter().flat_map(|(_, call)| call.expressions()).collect(),
            _ => Vec::new(),
        }
    }

    /// The node over other inputs.
    pub fn map_inputs<E>(self, at: &mut dyn FnMut(NodeId) -> Result<NodeId, E>) -> Result<Node, E> {
        let mut all = |inputs: Vec<NodeId>| inputs.into_iter().map(&mut *at).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Node::Scan { .. } | Node::Values(_) | Node::Argument { .. } => self,
            Node::Union { inputs } => Node::Union { inputs: all(inputs)? },
            Node::Table { inputs, operation } => Node::Table { inputs: all(inputs)?, operation },
            Node::Window { input, window } => Node::Window { input: at(input)?, window },
            Node::Filter { input, predicate } => Node::Filter { input: at(input)?, predicate },
            Node::Extend { input, columns } => Node::Extend { input: at(input)?, columns },
            Node::Project { input, columns } => Node::Project { input: at(input)?, columns },
            Node::Aggregate { input, by, aggregates } => Node::Aggregate { input: at(input)?, by, aggregates },
            Node::Sort { input, keys } => Node::Sort { input: at(input)?, keys },
            Node::Newest { input, time } => Node::Newest { input: at(input)?, time },
            Node::Take { input, rows } => Node::Take { input: at(input)?, rows },
            Node::Join { left, right, kind, keys, columns } => {
                Node::Join { left: at(left)?, right: at(right)?, kind, keys, columns }
            }
            Node::Expand { input, columns, index, limit, keep_bags_as_arrays } => {
                Node::Expand { input: at(input)?, columns, index, limit, keep_bags_as_arrays }
            }
            Node::Apply { input, columns, index, limit, body, keep } => {
                Node::Apply { input: at(input)?, columns, index, limit, body, keep }
            }
            Node::Partition { input, by, body } => Node::Partition { input: at(input)?, by, body },
            Node::Rows { input, columns } => Node::Rows { input: at(input)?, columns },
            Node::Sample { input, rows } => Node::Sample { input: at(input)?, rows },
        })
    }

    /// The root of the plan that the node runs for each of its rows, or for each group of them.
    pub fn body(&self) -> Option<NodeId> {
        match self {
            Node::Apply { body, .. } | Node::Partition { body, .. } => Some(*body),
            _ => None,
        }
    }

    /// The node with another body.
    pub fn map_body<E>(mut self, at: &mut dyn FnMut(NodeId) -> Result<NodeId, E>) -> Result<Node, E> {
        if let Node::Apply { body, .. } | Node::Partition { body, .. } = &mut self {
            *body = at(*body)?;
        }
        Ok(self)
    }

    /// The node with its own expressions changed.
    pub fn map_expressions<E>(self, change: &mut dyn FnMut(Expr) -> Result<Expr, E>) -> Result<Node, E> {
        let named = |columns: Vec<(Name, Expr)>, change: &mut dyn FnMut(Expr) -> Result<Expr, E>| {
            columns.into_iter().map(|(n, e)| Ok((n, change(e)?))).collect::<Result<Vec<_>, E>>()
        };
        let expanded = |columns: Vec<Expanded>, change: &mut dyn FnMut(Expr) -> Result<Expr, E>| {
            columns.into_iter().map(|c| Ok(Expanded { value: change(c.value)?, ..c })).collect::<Result<Vec<_>, E>>()
        };
        Ok(match self {
            Node::Filter { input, predicate } => Node::Filter { input, predicate: change(predicate)? },
            Node::Extend { input, columns } => Node::Extend { input, columns: named(columns, change)? },
            Node::Project { input, columns } => Node::Project { input, columns: named(columns, change)? },
            Node::Aggregate { input, by, aggregates } => {
                let by = named(by, change)?;
                let calls = aggregates.into_iter().map(|(name, call)| Ok((name, call.map(change)?)));
                Node::Aggregate { input, by, aggregates: calls.collect::<Result<_, E>>()? }
            }
            Node::Sort { input, keys } => {
                let keys = keys.into_iter().map(|k| Ok(SortKey { expr: change(k.expr)?, ..k }));
                Node::Sort { input, keys: keys.collect::<Result<_, E>>()? }
            }
            Node::Expand { input, columns, index, limit, keep_bags_as_arrays } => {
                Node::Expand { input, columns: expanded(columns, change)?, index, limit, keep_bags_as_arrays }
            }
            Node::Apply { input, columns, index, limit, body, keep } => {
                Node::Apply { input, columns: expanded(columns, change)?, index, limit, body, keep }
            }
            Node::Rows { input, columns } => {
                let columns = columns.into_iter().map(|(n, call)| Ok((n, call.map(change)?)));
                Node::Rows { input, columns: columns.collect::<Result<_, E>>()? }
            }
            other => other,
        })
    }

    pub fn is_per_row(&self) -> bool {
        matches!(self, Node::Sample { .. }) || self.expressions().iter().any(|e| e.purity() == Purity::PerRow)
    }
}
