//! `eventstats`: aggregates of groups, beside every row.
use super::allnum;
use super::options::Options;
use crate::expr::Expr;
use crate::plan::{JoinKind, JoinSide, Node};
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name, Schema};

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["allnum"])?;
    let mut terms = reader.aggregates(&["by"])?;
    options.read_more(&mut reader, &["allnum"])?;
    terms.extend(reader.aggregates(&["by"])?);
    let by = reader.by()?;
    options.read_more(&mut reader, &["allnum"])?;
    reader.finish()?;
    let mut aggregation = lowering.aggregation(&terms, &by, &rows)?;
    let made: Vec<Name> = aggregation.calls.iter().map(|made| made.name.clone()).collect();
    let guards = match options.flag("allnum")?.unwrap_or(false) {
        true => allnum::guard(lowering, &mut aggregation)?,
        false => Vec::new(),
    };
    let groups = lowering.groups(&rows, &aggregation)?;
    let groups = allnum::guarded(lowering, groups, guards)?;
    Ok(match aggregation.by.is_empty() {
        true => beside_all(lowering, &rows, &groups, &made),
        false => beside_each(lowering, &rows, &groups, &aggregation.by, &made),
    })
}

/// The one row of aggregates as values of every row.
fn beside_all(lowering: &mut Lowering, rows: &Rows, groups: &Rows, made: &[Name]) -> Rows {
    let value = |lowering: &mut Lowering, name: &Name| {
        let alone = lowering.keep(groups, std::slice::from_ref(name));
        (name.clone(), Expr::Late(alone.node, Kind::Field))
    };
    let columns = made.iter().map(|name| value(lowering, name)).collect();
    lowering.extend(rows, columns)
}

/// The aggregates of each row's group; rows that are in no group get none.
fn beside_each(lowering: &mut Lowering, rows: &Rows, groups: &Rows, by: &[Name], made: &[Name]) -> Rows {
    // A field that the rows lack puts them all in no group.
    let missing = by.iter().filter(|name| !rows.has(name)).cloned().collect::<Vec<_>>();
    let rows =
        lowering.extend(rows, missing.into_iter().map(|name| (name, crate::spl::lower::build::absent())).collect());
    let own = rows.names().filter(|name| !made.contains(name)).map(|name| (name.clone(), JoinSide::Left, name.clone()));
    let columns: Vec<(Name, JoinSide, Name)> =
        own.chain(made.iter().map(|name| (name.clone(), JoinSide::Right, name.clone()))).collect();
    let schema: Schema = columns.iter().map(|(name, ..)| (name.clone(), Kind::Field)).collect();
    let keys = by.iter().map(|name| (name.clone(), name.clone())).collect();
    let node = Node::Join { left: rows.node, right: groups.node, kind: JoinKind::LeftOuter, keys, columns };
    lowering.over(&rows, node, schema)
}

crate::command! {
    /// Adds aggregates over all rows, or over the rows of each group, to every row.
    ///
    /// A row that lacks a field of the groups stays and gets nothing. With `allnum=true` sums and their kin have a value
    /// only where all values of their field are numbers.
    ///
    /// Source: eventstats.
    ///
    /// ```spl
    /// | makeresults count=3 | eventstats count as n | head 1 | fields n | fields - _time // 3
    /// ```
    "eventstats": "eventstats [allnum=<flag>] <aggregate> [as <field>]... [by <field>...]" = Rows(lower);
}
