//! A column of which one part alone is read, once, is computed where it is read: of `extend d = parse_json(x)` before
//! `where d.a == 1` nothing but that part is made.
use super::pipeline::{Step, Work};
use crate::expr::Expr;
use crate::functions::{self, Purity};
use crate::types::Name;
use std::sync::Arc;

/// The steps with such columns in the steps right after those that made them.
pub fn steps(mut steps: Vec<Step>) -> Vec<Step> {
    for at in 1..steps.len() {
        let (before, after) = steps.split_at_mut(at);
        let (Some(maker), Some(reader)) = (before.last_mut(), after.first_mut()) else { continue };
        let (Work::Extend(columns), live) = (&mut maker.work, &reader.live) else { continue };
        let readers: Vec<&mut Expr> = match &mut reader.work {
            Work::Filter(conjuncts) => conjuncts.iter_mut().collect(),
            Work::Extend(made) | Work::Project(made) => made.iter_mut().map(|(_, expr)| expr).collect(),
            Work::Expand(_) | Work::Apply(_) => continue,
        };
        let candidates: Vec<(Name, Expr)> = columns.iter().filter(|(name, _)| !live.contains(name)).cloned().collect();
        let moved = into(columns, &candidates, readers);
        for (name, expr) in moved {
            columns.retain(|(known, _)| *known != name);
            Arc::make_mut(&mut maker.live).extend(expr.columns());
        }
    }
    steps
}

/// Puts candidates, of the columns that a step makes, into what reads them next, and nothing else does; gives those
/// that were put there.
pub fn into(columns: &[(Name, Expr)], candidates: &[(Name, Expr)], mut readers: Vec<&mut Expr>) -> Vec<(Name, Expr)> {
    let mut moved = Vec::new();
    for (name, expr) in candidates {
        // What it reads must still be the same after the step.
        let stays = expr.columns().iter().all(|read| columns.iter().all(|(made, _)| made != read));
        if !stays || expr.purity() != Purity::Pure || !reads_one_part(name, expr, &readers) {
            continue;
        }
        for reader in &mut readers {
            let whole = std::mem::replace(*reader, Expr::And(Vec::new()));
            **reader = whole.substitute(&|read| (read == name).then(|| expr.clone()));
        }
        moved.push((name.clone(), expr.clone()));
    }
    moved
}

/// Whether the column is read in one place, by a function that does its work together with what makes the column.
fn reads_one_part(name: &Name, made: &Expr, readers: &[&mut Expr]) -> bool {
    let Expr::Call { function: inner, arguments: own, .. } = made else { return false };
    let is_it = |expr: &Expr| matches!(expr, Expr::Column(read, _) if read == name);
    let (mut reads, mut parts) = (0, 0);
    for reader in readers {
        reader.walk(&mut |expr| {
            reads += usize::from(is_it(expr));
            if let Expr::Call { function, arguments, .. } = expr
                && arguments.first().is_some_and(is_it)
                && functions::fused(function, inner, own.len()).is_some()
            {
                parts += 1;
            }
        });
    }
    reads == 1 && parts == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{Dialect, find};
    use crate::types::{Kind, Value};
    use std::collections::HashSet;

    fn call(name: &str, arguments: Vec<Expr>) -> Expr {
        Expr::call(find(Dialect::Kql, name)[0], arguments)
    }

    fn part(name: &str) -> Expr {
        let path = Expr::Const(Value::dynamic("[\"a\"]".to_owned()));
        call("tostring", vec![call(".path", vec![Expr::Column(name.into(), Kind::Dynamic), path])])
    }

    fn made(name: &str) -> (Name, Expr) {
        (name.into(), call("parse_json", vec![Expr::Column("x".into(), Kind::String)]))
    }

    fn step(work: Work, live: &[&str]) -> Step {
        let live: HashSet<Name> = live.iter().map(|name| Name::from(*name)).collect();
        Step { work, live: Arc::new(live), passed: Arc::default() }
    }

    /// The columns that the first step makes, and those that the second one reads.
    fn after(columns: Vec<(Name, Expr)>, reader: Work, live: &[&str]) -> (Vec<Name>, Vec<Name>) {
        let steps = steps(vec![step(Work::Extend(columns), &["d"]), step(reader, live)]);
        let [Step { work: Work::Extend(columns), .. }, reader] = steps.as_slice() else { panic!("two steps") };
        let read = match &reader.work {
            Work::Filter(conjuncts) => conjuncts.iter().flat_map(Expr::columns).collect(),
            Work::Extend(columns) => columns.iter().flat_map(|(_, expr)| expr.columns()).collect(),
            _ => Vec::new(),
        };
        (columns.iter().map(|(name, _)| name.clone()).collect(), read)
    }

    #[test]
    fn one_part_is_read_where_it_is_wanted() {
        assert_eq!(after(vec![made("d")], Work::Filter(vec![part("d")]), &["x"]), (vec![], vec!["x".into()]));
        let extended = Work::Extend(vec![("y".into(), part("d"))]);
        assert_eq!(after(vec![made("d")], extended, &["y"]), (vec![], vec!["x".into()]));
    }

    #[test]
    fn what_is_read_again_or_changed_stays() {
        let stays = |columns, reader, live: &[&str]| {
            let (made, read) = after(columns, reader, live);
            assert!(made.contains(&"d".into()) && read.contains(&"d".into()));
        };
        stays(vec![made("d")], Work::Filter(vec![part("d")]), &["d"]);
        stays(vec![made("d")], Work::Filter(vec![part("d"), part("d")]), &[]);
        stays(vec![made("d"), made("x")], Work::Filter(vec![part("d")]), &[]);
        stays(
            vec![made("d")],
            Work::Filter(vec![
                call("isempty", vec![part("d")]),
                call("isnull", vec![Expr::Column("d".into(), Kind::Dynamic)]),
            ]),
            &[],
        );
    }
}
