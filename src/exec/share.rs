//! What several columns of a step have in common is computed once: the parts of a parsed text, the results of a
//! function that gives several.
use super::optimize;
use super::pipeline::{Step, Work};
use crate::expr::Expr;
use crate::functions::Purity;
use crate::types::Name;
use std::collections::HashMap;
use std::sync::Arc;

/// How the names of shared columns begin: no name of a query can hold a control character.
const PREFIX: &str = "\u{1}shared";

/// Whether a column only serves the step after it.
pub fn is_shared(name: &Name) -> bool {
    name.starts_with(PREFIX)
}

/// The steps, each with one before it that computes what its columns have in common.
pub fn steps(steps: Vec<Step>) -> Vec<Step> {
    let mut out = Vec::with_capacity(steps.len());
    for step in steps {
        let (Work::Extend(columns) | Work::Project(columns)) = &step.work else {
            out.push(step);
            continue;
        };
        let shared: HashMap<String, (Name, Expr)> = common(columns)
            .into_iter()
            .enumerate()
            .map(|(at, (text, expr))| (text, (format!("{PREFIX}{}.{at}", out.len()).into(), expr)))
            .collect();
        if shared.is_empty() {
            out.push(step);
            continue;
        }
        let columns: Vec<(Name, Expr)> =
            columns.iter().map(|(name, expr)| (name.clone(), with_shared(expr.clone(), &shared))).collect();
        let read = columns.iter().flat_map(|(_, expr)| expr.columns());
        let live = Arc::new(step.live.iter().cloned().chain(read).collect());
        out.push(Step { work: Work::Extend(shared.into_values().collect()), live, passed: Arc::default() });
        let work = if let Work::Extend(_) = step.work { Work::Extend(columns) } else { Work::Project(columns) };
        out.push(Step { work, ..step });
    }
    out
}

/// The costly calls that stand in more than one place, by their text; none inside of another one.
fn common(columns: &[(Name, Expr)]) -> Vec<(String, Expr)> {
    if columns.len() < 2 {
        return Vec::new();
    }
    let mut seen: Vec<(String, Expr, usize)> = Vec::new();
    columns.iter().for_each(|(_, expr)| count(expr, &mut seen));
    let several = |(text, expr, times): (String, Expr, usize)| (times > 1).then_some((text, expr));
    seen.into_iter().filter_map(several).collect()
}

/// Notes the calls that are computed for every row: the first part of a form that leaves rows out, not the others.
fn count(expr: &Expr, seen: &mut Vec<(String, Expr, usize)>) {
    if is_worth(expr) {
        let text = expr.fingerprint();
        if let Some((.., times)) = seen.iter_mut().find(|(known, ..)| *known == text) {
            // What stands inside of it is computed with it.
            *times += 1;
            return;
        }
        seen.push((text, expr.clone(), 1));
    }
    match expr {
        Expr::Call { arguments, .. } => arguments.iter().for_each(|argument| count(argument, seen)),
        Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts, _) => {
            parts.first().into_iter().for_each(|part| count(part, seen));
        }
        Expr::Case { branches, .. } => branches.first().into_iter().for_each(|(first, _)| count(first, seen)),
        // The body is computed for values, not for rows.
        Expr::Each(each) => count(&each.values, seen),
        Expr::Column(..) | Expr::Const(_) | Expr::Late(..) => {}
    }
}

fn is_worth(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { .. })
        && optimize::cost(expr) > optimize::COSTLY
        && expr.purity() != Purity::PerRow
        && !expr.columns().is_empty()
}

fn with_shared(expr: Expr, shared: &HashMap<String, (Name, Expr)>) -> Expr {
    let known = if is_worth(&expr) { shared.get(&expr.fingerprint()) } else { None };
    match known {
        Some((name, _)) => Expr::Column(name.clone(), expr.kind()),
        None => expr.map_children(&mut |child| with_shared(child, shared)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{Dialect, find};
    use crate::types::{Kind, Value};

    fn call(name: &str, arguments: Vec<Expr>) -> Expr {
        Expr::call(find(Dialect::Kql, name)[0], arguments)
    }

    fn parsed(part: &str) -> Expr {
        let value = call("parse_json", vec![Expr::Column("x".into(), Kind::String)]);
        call(".path", vec![value, Expr::Const(Value::dynamic(format!("[\"{part}\"]")))])
    }

    #[test]
    fn a_call_that_two_columns_read_is_computed_before_them() {
        let columns = vec![("a".into(), parsed("a")), ("b".into(), parsed("b"))];
        let step = Step { work: Work::Project(columns), live: Arc::default(), passed: Arc::default() };
        let made = steps(vec![step]);
        let [Step { work: Work::Extend(shared), .. }, Step { work: Work::Project(columns), .. }] = made.as_slice()
        else {
            panic!("two steps")
        };
        assert_eq!(shared.len(), 1);
        assert!(is_shared(&shared[0].0));
        assert!(columns.iter().all(|(_, expr)| expr.columns() == [shared[0].0.clone()]));
    }

    #[test]
    fn what_is_only_computed_for_some_rows_is_left_alone() {
        let condition = call("isempty", vec![Expr::Column("y".into(), Kind::String)]);
        let lazy = |part: &str| Expr::Case {
            branches: vec![(condition.clone(), parsed(part))],
            otherwise: Box::new(Expr::Const(Value::Null(Kind::Dynamic))),
            kind: Kind::Dynamic,
        };
        assert!(common(&[("a".into(), lazy("a")), ("b".into(), lazy("b"))]).is_empty());
    }
}
