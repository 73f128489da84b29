//! The right side of a join: rows that are found by their keys.
use super::super::build::Executor;
use super::super::group::{Grouper, Maps};
use super::kept::KeptSide;
use super::picked;
use crate::diagnostic::{Fault, Result};
use crate::expr::NodeId;
use crate::plan::{JoinKind, JoinSide};
use crate::types::intern::NULL;
use crate::types::{Column, Kind, Name, convert};

/// The right side, ready to be found by its keys.
pub enum Side {
    Read(ReadSide),
    Kept(KeptSide),
}

/// What a join asks of its right side.
pub struct Wanted<'a> {
    pub left: NodeId,
    pub right: NodeId,
    pub kind: JoinKind,
    pub keys: &'a [(Name, Name)],
    pub columns: &'a [(Name, JoinSide, Name)],
}

impl<'a> Wanted<'a> {
    /// The columns of the right side that the join gives.
    pub fn given(&self) -> impl Iterator<Item = &'a Name> {
        self.columns.iter().filter(|(_, side, _)| *side == JoinSide::Right).map(|(_, _, from)| from)
    }
}

impl Side {
    pub fn new(executor: &Executor, wanted: &Wanted) -> Result<Side> {
        match KeptSide::name(executor, wanted) {
            None => ReadSide::new(executor, wanted).map(Side::Read),
            Some(name) => match KeptSide::open(executor, wanted, &name) {
                Some(kept) => Ok(Side::Kept(kept)),
                None => {
                    let read = ReadSide::new(executor, wanted)?;
                    KeptSide::keep(executor, wanted, &name, &read);
                    Ok(Side::Read(read))
                }
            },
        }
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        match self {
            Side::Read(side) => side.groups.len(),
            Side::Kept(side) => side.keys(),
        }
    }

    /// The number of each left row's key; [`NULL`] where there is none.
    pub fn find(&self, keys: &[Column], maps: &mut Maps) -> Vec<u32> {
        match self {
            Side::Read(side) => side.groups.find(keys, maps),
            Side::Kept(side) => side.find(keys, maps),
        }
    }

    /// The rows of a column, null where there is none; all null where the column is not there.
    pub fn column(&self, name: &Name, kind: Kind, rows: &[u32]) -> Result<Column> {
        match self {
            Side::Kept(side) => side.column(name, kind, rows),
            Side::Read(side) => {
                let column = side.columns.iter().find(|(own, _)| own == name);
                Ok(column.map_or_else(|| Column::nulls(kind, rows.len()), |(_, column)| picked(column, rows)))
            }
        }
    }

    /// The rows whose key `is_wanted`, in order: of a side that is kept nobody wants rows of their own.
    pub fn rows(&self, is_wanted: &dyn Fn(u32) -> bool) -> Vec<u32> {
        let Side::Read(side) = self else { return Vec::new() };
        let rows = side.of_row.iter().enumerate().filter(|(_, key)| is_wanted(**key));
        rows.map(|(row, _)| row as u32).collect()
    }
}

/// The right side as it was read.
pub struct ReadSide {
    /// The columns that the join gives.
    pub columns: Vec<(Name, Column)>,
    pub groups: Grouper,
    /// The group of each row; [`NULL`] where a part of its key is null.
    pub of_row: Vec<u32>,
    pub index: Index,
}

impl ReadSide {
    /// The right keys are read as the kinds of the left ones.
    fn new(executor: &Executor, wanted: &Wanted) -> Result<ReadSide> {
        let table = executor.table(wanted.right)?;
        let schema = executor.plan.schema(wanted.left);
        let given = wanted.given().filter_map(|from| Some((from.clone(), table.column_named(from)?))).collect();
        let key = |(left, right): &(Name, Name)| {
            let gone = || Fault::internal(format!("the join key `{right}` was pruned away"));
            let column = table.column_named(right).ok_or_else(gone)?;
            let kind = schema.kind(left).unwrap_or(column.kind());
            Ok(convert::lenient(&column, kind))
        };
        let columns = wanted.keys.iter().map(key).collect::<Result<Vec<_>>>()?;
        let kinds: Vec<Kind> = columns.iter().map(Column::kind).collect();
        let mut groups = Grouper::new(&kinds);
        let mut of_row = groups.groups(&columns, table.rows());
        for column in columns.iter().filter(|c| c.null_buffer().is_some_and(|n| n.null_count() > 0)) {
            of_row.iter_mut().enumerate().filter(|(row, _)| column.is_null(*row)).for_each(|(_, group)| *group = NULL);
        }
        groups.settle();
        let index = Index::new(&of_row, groups.len());
        Ok(ReadSide { columns: given, groups, of_row, index })
    }
}

/// The rows of each key, one behind the other.
pub struct Index {
    /// Where the rows of each key begin, and where those of the last one end; none where each key has one row.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Index {
    fn new(keys: &[u32], count: usize) -> Index {
        // Keys are numbered in the order of their first rows.
        if keys.len() == count && keys.iter().zip(0..).all(|(key, row)| *key == row) {
            return Index { starts: Vec::new(), rows: keys.to_vec() };
        }
        let mut starts = vec![0u32; count + 1];
        let known = || keys.iter().enumerate().filter(|(_, key)| **key != NULL);
        known().for_each(|(_, key)| starts[*key as usize + 1] += 1);
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let mut next = starts.clone();
        let mut rows = vec![0; known().count()];
        for (row, key) in known() {
            rows[next[*key as usize] as usize] = row as u32;
            next[*key as usize] += 1;
        }
        Index { starts, rows }
    }

    #[inline]
    pub fn of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        if self.starts.is_empty() {
            return self.rows.get(key..key + 1).unwrap_or_default();
        }
        match (self.starts.get(key), self.starts.get(key.wrapping_add(1))) {
            (Some(start), Some(end)) => &self.rows[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Where the rows of each key begin and those of the last one end, and the rows.
    pub fn words(&self) -> impl Iterator<Item = u32> {
        let each = if self.starts.is_empty() { 0..self.rows.len() as u32 + 1 } else { 0..0 };
        each.chain(self.starts.iter().copied()).chain(self.rows.iter().copied())
    }
}
