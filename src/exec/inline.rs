//! A column that nothing but one call reads is computed within that call, where both can be done in one go:
//! `extend d = parse_json(text) | where d.user == "x"` looks for `user` while it reads the text.
use super::pipeline::{Step, Work};
use crate::expr::Expr;
use crate::functions::{self, Purity};
use crate::types::Name;
use std::collections::HashSet;
use std::sync::Arc;

/// Moves such columns of the steps into their readers: later steps, or the expressions that are read `after` the last
/// one. What is `kept` stays a column.
pub fn columns(steps: &mut Vec<Step>, after: &mut [&mut Expr], kept: &dyn Fn(&Name) -> bool) {
    for at in (0..steps.len()).rev() {
        let Some(Step { work: Work::Extend(made), .. }) = steps.get(at) else { continue };
        for (name, expr) in made.clone() {
            if is_movable(&expr) && !kept(&name) {
                moved(steps, after, at, &name, &expr);
            }
        }
    }
    steps.retain(|step| !matches!(&step.work, Work::Extend(made) if made.is_empty()));
}

fn is_movable(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { .. }) && expr.purity() != Purity::PerRow && !expr.columns().is_empty()
}

/// Where an expression is read.
enum Reader {
    Step(usize),
    After(usize),
}

/// Moves one column, where its only reader is reached with all that it is made of.
fn moved(steps: &mut [Step], after: &mut [&mut Expr], at: usize, name: &Name, expr: &Expr) {
    let Some(reader) = only_reader(steps, after, at, name, expr) else { return };
    let end = if let Reader::Step(step) = reader { step } else { steps.len() };
    let read = expr.columns();
    if !steps.get(at + 1..end).is_some_and(|between| between.iter().all(|step| hands_through(step, &read))) {
        return;
    }
    let inside = |name: &Name, reader: Expr| reader.substitute(&|read| (read == name).then(|| expr.clone()));
    match reader {
        Reader::Step(step) => match &mut steps[step].work {
            Work::Filter(conjuncts) => conjuncts.iter_mut().for_each(|e| *e = inside(name, e.clone())),
            Work::Extend(made) | Work::Project(made) => {
                made.iter_mut().for_each(|(_, e)| *e = inside(name, e.clone()));
            }
            Work::Expand(_) | Work::Apply(_) => {}
        },
        Reader::After(number) => *after[number] = inside(name, after[number].clone()),
    }
    for step in &mut steps[at..end] {
        let live = Arc::make_mut(&mut step.live);
        live.remove(name);
        live.extend(read.iter().cloned());
    }
    if let Work::Extend(made) = &mut steps[at].work {
        made.retain(|(known, _)| known != name);
    }
}

/// Whether columns are the same after a step as before it, row by row.
fn hands_through(step: &Step, columns: &[Name]) -> bool {
    match &step.work {
        Work::Filter(_) => true,
        Work::Extend(made) => !made.iter().any(|(name, _)| columns.contains(name)),
        Work::Project(_) | Work::Expand(_) | Work::Apply(_) => false,
    }
}

/// The reader of a column that a step makes, where it is the only one and its call takes the column's own call in.
fn only_reader(steps: &[Step], after: &[&mut Expr], at: usize, name: &Name, expr: &Expr) -> Option<Reader> {
    // A column that is made of itself, or beside a reader in the same step, has two meanings.
    let reads_itself = expr.columns().contains(name);
    let beside = expressions(&steps[at].work).into_iter().any(|e| e.columns().contains(name));
    if reads_itself || beside {
        return None;
    }
    let (mut times, mut taken, mut found) = (0, 0, None);
    for (number, step) in steps.iter().enumerate().skip(at + 1) {
        if matches!(step.work, Work::Expand(_) | Work::Apply(_)) || makes(&step.work, name) {
            return None;
        }
        for e in expressions(&step.work) {
            if count(e, name, expr, &mut times, &mut taken) {
                found = Some(Reader::Step(number));
            }
        }
    }
    for (number, e) in after.iter().enumerate() {
        if count(e, name, expr, &mut times, &mut taken) {
            found = Some(Reader::After(number));
        }
    }
    found.filter(|_| times == 1 && taken == 1)
}

fn expressions(work: &Work) -> Vec<&Expr> {
    match work {
        Work::Filter(conjuncts) => conjuncts.iter().collect(),
        Work::Extend(made) | Work::Project(made) => made.iter().map(|(_, e)| e).collect(),
        Work::Expand(_) | Work::Apply(_) => Vec::new(),
    }
}

/// Whether a step gives a column of that name a new value.
fn makes(work: &Work, name: &Name) -> bool {
    matches!(work, Work::Extend(made) | Work::Project(made) if made.iter().any(|(known, _)| known == name))
}

/// Counts how often an expression reads a column, and how often as what a call can take in; whether it does at all.
fn count(reader: &Expr, name: &Name, expr: &Expr, times: &mut usize, taken: &mut usize) -> bool {
    let before = *times;
    reader.walk(&mut |part| match part {
        Expr::Column(read, _) if read == name => *times += 1,
        Expr::Call { function, arguments, .. } => {
            if let (Some(Expr::Column(read, _)), Expr::Call { function: inner, arguments: own, .. }) =
                (arguments.first(), expr)
                && read == name
                && functions::fused(function, inner, own.len()).is_some()
            {
                *taken += 1;
            }
        }
        _ => {}
    });
    *times > before
}

/// The names that are read after the last step, as far as the step says.
pub fn read_after(steps: &[Step]) -> HashSet<Name> {
    steps.last().map(|step| (*step.live).clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{Dialect, find};
    use crate::types::{Kind, Value};

    fn call(name: &str, arguments: Vec<Expr>) -> Expr {
        Expr::call(find(Dialect::Kql, name)[0], arguments)
    }

    fn text() -> Expr {
        Expr::Column("text".into(), Kind::String)
    }

    fn part(of: Expr, key: &str) -> Expr {
        call(".path", vec![of, Expr::Const(Value::dynamic(format!("[\"{key}\"]")))])
    }

    fn step(work: Work) -> Step {
        Step { work, live: Arc::default(), passed: Arc::default() }
    }

    fn parsed() -> Step {
        step(Work::Extend(vec![("d".into(), call("parse_json", vec![text()]))]))
    }

    fn d() -> Expr {
        Expr::Column("d".into(), Kind::Dynamic)
    }

    #[test]
    fn the_only_reader_takes_a_column_in() {
        let mut steps = vec![parsed(), step(Work::Extend(vec![("u".into(), part(d(), "user"))]))];
        columns(&mut steps, &mut [], &|name| &**name == "u");
        let [Step { work: Work::Extend(made), .. }] = steps.as_slice() else { panic!("one step") };
        assert_eq!(made[0].1.columns(), [Name::from("text")]);

        let mut sum = part(d(), "bytes");
        let mut steps = vec![parsed()];
        columns(&mut steps, &mut [&mut sum], &|_| false);
        assert!(steps.is_empty());
        assert_eq!(sum.columns(), [Name::from("text")]);
    }

    #[test]
    fn a_column_stays_that_more_read_or_that_would_change() {
        let unchanged = |second: Work, after: &mut [&mut Expr], kept: &str| {
            let mut steps = vec![parsed(), step(second)];
            columns(&mut steps, after, &|name| &**name == kept);
            assert_eq!(steps.len(), 2);
        };
        unchanged(Work::Extend(vec![("u".into(), part(d(), "a")), ("v".into(), part(d(), "b"))]), &mut [], "u");
        unchanged(Work::Extend(vec![("u".into(), part(d(), "a"))]), &mut [], "d");
        unchanged(Work::Extend(vec![("u".into(), call("array_length", vec![d()]))]), &mut [], "u");
        unchanged(Work::Extend(vec![("text".into(), Expr::Const(Value::string("x")))]), &mut [&mut part(d(), "a")], "");
        unchanged(Work::Project(vec![("d".into(), d())]), &mut [&mut part(d(), "a")], "");
    }
}
