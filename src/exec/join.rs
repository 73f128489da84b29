//! Joins by hash: keys of both sides become the same small integers.
use super::build::Executor;
use super::group::Grouper;
use crate::diagnostic::{Fault, Result};
use crate::expr::NodeId;
use crate::plan::{JoinKind, JoinSide, Node};
use crate::types::{Chunk, Column, Kind, Name, Stored, Table, gather};
use arrow_array::UInt32Array;
use rayon::prelude::*;

pub fn run(executor: &Executor, id: NodeId) -> Result<Table> {
    let Node::Join { left, right, kind, keys, columns } = executor.plan.node(id) else {
        return Err(Fault::internal("a join of another node"));
    };
    let (left, right) = match executor.options.threads > 1 && left != right {
        true => {
            let (l, r) = rayon::join(|| executor.table(*left), || executor.table(*right));
            (l?, r?)
        }
        false => (executor.table(*left)?, executor.table(*right)?),
    };
    let (left_keys, right_keys) = keys_of(&left, &right, keys)?;
    let pairs = pairs(*kind, &left_keys, &right_keys, executor)?;
    let schema = executor.schema(id);
    let column = |(name, kind): &(Name, Kind)| {
        let from = columns.iter().find(|(n, _, _)| n == name);
        let (side, from) =
            from.map(|(_, side, from)| (*side, from)).ok_or_else(|| Fault::internal("a join's column has no side"))?;
        let (table, rows) = if side == JoinSide::Left { (&left, &pairs.left) } else { (&right, &pairs.right) };
        let source = table.column_named(from).unwrap_or_else(|| Column::nulls(*kind, table.rows()));
        Ok(Stored::Column(gather::take_or_null(&source, rows)))
    };
    let columns = schema.columns().par_iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Table::new(schema, vec![Chunk { rows: pairs.left.len(), columns }]))
}

/// A number for each row; none where its key is null.
type Keys = Vec<Option<u32>>;

/// The number of each row's key on both sides; none where a part of the key is null.
fn keys_of(left: &Table, right: &Table, keys: &[(Name, Name)]) -> Result<(Keys, Keys)> {
    let column = |table: &Table, name: &Name| {
        table.column_named(name).ok_or_else(|| Fault::internal(format!("the join key `{name}` was pruned away")))
    };
    let lefts = keys.iter().map(|(l, _)| column(left, l)).collect::<Result<Vec<_>>>()?;
    let rights = keys.iter().map(|(_, r)| column(right, r)).collect::<Result<Vec<_>>>()?;
    let rights: Vec<Column> =
        rights.into_iter().zip(&lefts).map(|(r, l)| crate::types::convert::lenient(&r, l.kind())).collect();
    let kinds: Vec<Kind> = lefts.iter().map(Column::kind).collect();
    let mut grouper = Grouper::new(&kinds);
    let right_groups = grouper.groups(&rights, right.rows());
    let left_groups = grouper.groups(&lefts, left.rows());
    Ok((without_nulls(left_groups, &lefts), without_nulls(right_groups, &rights)))
}

fn without_nulls(groups: Vec<u32>, columns: &[Column]) -> Vec<Option<u32>> {
    let with_nulls: Vec<&Column> =
        columns.iter().filter(|c| c.null_buffer().is_some_and(|n| n.null_count() > 0)).collect();
    groups.into_iter().enumerate().map(|(row, g)| (!with_nulls.iter().any(|c| c.is_null(row))).then_some(g)).collect()
}

/// Row numbers of both sides; null where a side has no row.
struct Pairs {
    left: UInt32Array,
    right: UInt32Array,
}

/// The rows of each key, one behind the other.
struct Index {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Index {
    fn new(keys: &[Option<u32>], count: usize) -> Index {
        let mut starts = vec![0u32; count + 1];
        keys.iter().flatten().for_each(|key| starts[*key as usize + 1] += 1);
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let mut next = starts.clone();
        let mut rows = vec![0; keys.iter().flatten().count()];
        for (row, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                rows[next[*key as usize] as usize] = row as u32;
                next[*key as usize] += 1;
            }
        }
        Index { starts, rows }
    }

    fn of(&self, key: Option<u32>) -> &[u32] {
        let Some(key) = key.map(|k| k as usize) else { return &[] };
        match (self.starts.get(key), self.starts.get(key + 1)) {
            (Some(start), Some(end)) => &self.rows[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

fn pairs(kind: JoinKind, left: &[Option<u32>], right: &[Option<u32>], executor: &Executor) -> Result<Pairs> {
    let count = left.iter().chain(right).flatten().max().map_or(0, |m| *m as usize + 1);
    let index = Index::new(right, count);
    let mut out = Builder { left: Vec::new(), right: Vec::new(), most: executor.context.limits.rows };
    let mut seen = vec![false; count];
    for (row, key) in left.iter().enumerate() {
        if row % 65_536 == 0 {
            executor.context.check()?;
        }
        let matches = index.of(*key);
        let first = key.is_none_or(|k| !std::mem::replace(&mut seen[k as usize], true));
        out.row(kind, row as u32, matches, first)?;
    }
    match kind {
        JoinKind::RightOuter | JoinKind::FullOuter => {
            unmatched(right, &seen).for_each(|row| out.push(None, Some(row)));
        }
        JoinKind::RightAnti => unmatched(right, &seen).for_each(|row| out.push(None, Some(row))),
        JoinKind::RightSemi => {
            let matched = right.iter().enumerate().filter(|(_, key)| key.is_some_and(|k| seen[k as usize]));
            matched.for_each(|(row, _)| out.push(None, Some(row as u32)));
        }
        _ => {}
    }
    Ok(Pairs { left: out.left.into(), right: out.right.into() })
}

fn unmatched<'a>(right: &'a [Option<u32>], seen: &'a [bool]) -> impl Iterator<Item = u32> + 'a {
    let open = |key: &Option<u32>| key.is_none_or(|k| !seen[k as usize]);
    right.iter().enumerate().filter(move |(_, key)| open(key)).map(|(row, _)| row as u32)
}

struct Builder {
    left: Vec<Option<u32>>,
    right: Vec<Option<u32>>,
    most: usize,
}

impl Builder {
    fn push(&mut self, left: Option<u32>, right: Option<u32>) {
        self.left.push(left);
        self.right.push(right);
    }

    /// What a left row gives. `first`: no earlier left row has its key.
    fn row(&mut self, kind: JoinKind, row: u32, matches: &[u32], first: bool) -> Result<()> {
        match kind {
            JoinKind::InnerUnique if !first => {}
            JoinKind::Inner | JoinKind::InnerUnique | JoinKind::RightOuter => {
                matches.iter().for_each(|m| self.push(Some(row), Some(*m)));
            }
            JoinKind::LeftOuter | JoinKind::FullOuter => {
                if matches.is_empty() {
                    self.push(Some(row), None);
                }
                matches.iter().for_each(|m| self.push(Some(row), Some(*m)));
            }
            JoinKind::LeftSemi if !matches.is_empty() => self.push(Some(row), None),
            JoinKind::LeftAnti if matches.is_empty() => self.push(Some(row), None),
            JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::RightSemi | JoinKind::RightAnti => {}
        }
        match self.left.len() > self.most {
            true => Err(Fault::limit("rows", "a join makes too many rows")),
            false => Ok(()),
        }
    }
}
