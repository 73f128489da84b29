//! The order of a pipeline's steps: cheap and selective ones first.
use super::pipeline::{Step, Work};
use crate::expr::Expr;
use crate::functions::Purity;
use crate::functions::search::Place;
use crate::plan::{TextMatch, TextTest, Window};
use crate::types::{Json, Kind, Name, Value};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// The steps with every conjunct as early as its columns allow, and in order of cost.
pub fn steps(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        let Step { work: Work::Filter(conjuncts), live, passed } = step else {
            out.push(step);
            continue;
        };
        let stay: Vec<Expr> = conjuncts.into_iter().filter_map(|conjunct| sink(&mut out, conjunct)).collect();
        match out.last_mut() {
            Some(Step { work: Work::Filter(known), live: known_live, passed: known_passed }) => {
                known.extend(stay);
                *known_live = live;
                *known_passed = passed;
            }
            _ => out.push(Step { work: Work::Filter(stay), live, passed }),
        }
    }
    for step in &mut out {
        if let Work::Filter(conjuncts) = &mut step.work {
            conjuncts.sort_by_key(place);
        }
    }
    out.retain(|step| !matches!(&step.work, Work::Filter(c) if c.is_empty()));
    out
}

/// Moves a conjunct below every step that it does not depend on; gives it back where it depends on the last.
fn sink(steps: &mut Vec<Step>, conjunct: Expr) -> Option<Expr> {
    if conjunct.purity() == Purity::PerRow {
        return Some(conjunct);
    }
    let mut conjunct = conjunct;
    let mut place = steps.len();
    while let Some(step) = place.checked_sub(1).and_then(|at| steps.get(at)) {
        let Some(lower) = below(&step.work, conjunct.clone()) else { break };
        conjunct = lower;
        place -= 1;
    }
    match steps.get_mut(place) {
        None => return Some(conjunct),
        // What later steps read is live there already.
        Some(Step { work: Work::Filter(known), live, .. }) => {
            let read = conjunct.columns();
            if read.iter().any(|name| !live.contains(name)) {
                Arc::make_mut(live).extend(read);
            }
            known.push(conjunct);
        }
        Some(_) => {
            let live = live_at(steps, place, &conjunct);
            steps.insert(place, Step { work: Work::Filter(vec![conjunct]), live, passed: Arc::default() });
        }
    }
    None
}

/// What is read from a place on: more than that is only kept longer than it must be.
fn live_at(steps: &[Step], place: usize, conjunct: &Expr) -> Arc<HashSet<Name>> {
    let mut live: HashSet<Name> = conjunct.columns().into_iter().collect();
    for step in steps.iter().skip(place) {
        live.extend(step.live.iter().cloned());
        match &step.work {
            Work::Filter(conjuncts) => live.extend(conjuncts.iter().flat_map(Expr::columns)),
            Work::Extend(columns) | Work::Project(columns) => {
                live.extend(columns.iter().flat_map(|(_, e)| e.columns()))
            }
            Work::Expand(expansion) => live.extend(expansion.columns.iter().flat_map(|c| c.value.columns())),
            Work::Apply(application) => live.extend(application.reads()),
        }
    }
    Arc::new(live)
}

/// The conjunct as it reads below a step; none where it cannot pass it.
fn below(work: &Work, conjunct: Expr) -> Option<Expr> {
    let read = conjunct.columns();
    let touches = |names: Vec<&Name>| names.into_iter().any(|n| read.contains(n));
    match work {
        Work::Filter(_) => Some(conjunct),
        Work::Extend(columns) => match touches(columns.iter().map(|(n, _)| n).collect()) {
            false => Some(conjunct),
            true => through(columns, conjunct, true),
        },
        Work::Project(columns) => through(columns, conjunct, false),
        Work::Expand(expansion) => {
            let made = expansion.columns.iter().map(|c| &c.name).chain(&expansion.index);
            (!touches(made.collect())).then_some(conjunct)
        }
        Work::Apply(application) => {
            let kept: HashSet<&Name> = application.kept().collect();
            read.iter().all(|n| kept.contains(n)).then_some(conjunct)
        }
    }
}

/// The conjunct with renamed columns under their old names; none where it reads a computed one.
fn through(columns: &[(Name, Expr)], conjunct: Expr, others_pass: bool) -> Option<Expr> {
    for name in conjunct.columns() {
        match columns.iter().find(|(n, _)| *n == name) {
            Some((_, Expr::Column(..))) => {}
            None if others_pass => {}
            _ => return None,
        }
    }
    Some(conjunct.substitute(&|name| columns.iter().find(|(n, _)| n == name).map(|(_, e)| e.clone())))
}

/// The steps with only what `wanted`, read after the last, depends on.
pub fn prune(mut steps: Vec<Step>, wanted: HashSet<Name>) -> Vec<Step> {
    let mut wanted = wanted;
    for step in steps.iter_mut().rev() {
        step.live = Arc::new(wanted.clone());
        match &mut step.work {
            Work::Filter(conjuncts) => wanted.extend(conjuncts.iter().flat_map(Expr::columns)),
            Work::Extend(columns) => {
                columns.retain(|(name, _)| wanted.contains(name));
                wanted.retain(|name| !columns.iter().any(|(n, _)| n == name));
                wanted.extend(columns.iter().flat_map(|(_, e)| e.columns()));
            }
            Work::Project(columns) => {
                columns.retain(|(name, _)| wanted.contains(name));
                wanted = columns.iter().flat_map(|(_, e)| e.columns()).collect();
            }
            Work::Expand(expansion) => {
                wanted.retain(|name| !expansion.columns.iter().any(|c| c.name == *name));
                wanted.extend(expansion.columns.iter().flat_map(|c| c.value.columns()));
            }
            Work::Apply(application) => {
                let made = application.made();
                wanted.retain(|name| !made.contains(name));
                wanted.extend(application.reads());
            }
        }
    }
    steps.retain(|step| !matches!(&step.work, Work::Extend(columns) if columns.is_empty()));
    steps
}

/// The place of a conjunct among others. Whether a text is there at all is cheap to say once its column is read, but
/// most often it is: what looks for texts comes first.
fn place(conjunct: &Expr) -> u32 {
    const PRESENCE: u32 = 290;
    match conjunct {
        Expr::Call { function, arguments, .. }
            if matches!(function.name, "isempty" | "isnotempty" | "isnull" | "isnotnull")
                && arguments.iter().all(|argument| argument.kind().is_textual()) =>
        {
            cost(conjunct).max(PRESENCE)
        }
        other => cost(other),
    }
}

/// What a conjunct costs per row, roughly: times and numbers, equal texts, searches, the rest.
pub fn cost(conjunct: &Expr) -> u32 {
    match conjunct {
        Expr::Const(_) => 0,
        Expr::Column(..) => 1,
        Expr::Call { function, arguments, .. } => {
            let own = match function.name {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => match arguments.first().map(Expr::kind) {
                    Some(Kind::DateTime | Kind::TimeSpan | Kind::Bool | Kind::Int | Kind::Long | Kind::Real) => 1,
                    _ => 10,
                },
                "not" | "isempty" | "isnotempty" | "isnull" | "isnotnull" | "string_size" => 5,
                "startswith_cs" | "!startswith_cs" | "endswith_cs" | "!endswith_cs" => 20,
                "in" | "!in" => 20,
                // Numbering equal texts, so that each is written once, would take longer.
                "tolower" | "toupper" => 40,
                "=~" | "!~" | "in~" | "!in~" | "startswith" | "endswith" => 30,
                "has_any" | "has_all" | "matches word" => 200,
                "matches regex" => 300,
                "matches" | "matches case" | "matches not" if arguments.iter().any(has_wildcard) => 55,
                name if name.starts_with("matches") => 30,
                name if name.contains("has") || name.contains("contains") => 60,
                _ => 100,
            };
            own + arguments.iter().map(cost).sum::<u32>()
        }
        other => 20 + other.children().into_iter().map(cost).sum::<u32>(),
    }
}

fn has_wildcard(argument: &Expr) -> bool {
    matches!(argument, Expr::Const(value) if value.as_text().is_some_and(|text| text.contains('*')))
}

/// Above this a conjunct on group keys alone is left to the groups.
pub const COSTLY: u32 = 60;

/// The text columns that a costly part of the expression reads as its only column.
pub fn costly_texts(expr: &Expr, columns: &mut HashSet<Name>) {
    let read = expr.columns();
    let is_text = |e: &Expr| {
        let mut text = false;
        e.walk(&mut |part| text |= matches!(part, Expr::Column(_, Kind::String | Kind::Field)));
        text
    };
    match (expr, read.as_slice()) {
        (Expr::Column(..) | Expr::Const(_), _) => {}
        (_, [only]) if is_text(expr) && cost(expr) > COSTLY => {
            columns.insert(only.clone());
        }
        _ => expr.children().into_iter().for_each(|child| costly_texts(child, columns)),
    }
}

/// The bounds that a pipeline's first filter sets on a datetime column.
pub fn window(steps: &[Step]) -> Option<Window> {
    let Some(Step { work: Work::Filter(conjuncts), .. }) = steps.first() else { return None };
    let mut found: Option<Window> = None;
    for conjunct in conjuncts {
        let Some((column, after, until)) = bound(conjunct) else { continue };
        match &mut found {
            Some(window) if window.column == column => {
                window.after = window.after.max(after);
                window.until = window.until.min(until);
            }
            Some(_) => {}
            None => found = Some(Window { column, after, until }),
        }
    }
    found
}

/// The conjuncts that are left to test of rows which lie in the window that [`window`] gives.
pub fn beside(conjuncts: &[Expr], window: &Window) -> Vec<Expr> {
    let bounds = |conjunct: &Expr| bound(conjunct).is_some_and(|(column, ..)| column == window.column);
    conjuncts.iter().filter(|conjunct| !bounds(conjunct)).cloned().collect()
}

/// Lists of texts that are longer are no cheap test: to be one of them, and to hold one of them.
const MOST_EQUAL: usize = 32;
const MOST_HELD: usize = 512;

/// The texts that a pipeline's first filter asks string columns for.
pub fn tests(steps: &[Step]) -> Vec<TextTest> {
    match steps.first() {
        Some(Step { work: Work::Filter(conjuncts), .. }) => conjuncts.iter().filter_map(text_test).collect(),
        _ => Vec::new(),
    }
}

fn text_test(conjunct: &Expr) -> Option<TextTest> {
    let Expr::Call { function, arguments, .. } = conjunct else { return None };
    let [Expr::Column(column, Kind::String), Expr::Const(constant)] = arguments.as_slice() else { return None };
    let (how, negated) = text_match(function.name)?;
    let takes_list = matches!(function.name.trim_start_matches('!'), "in" | "in~" | "has_any");
    let values = match constant {
        Value::Text(Kind::String, text) if !takes_list => vec![text.to_string()],
        Value::Text(Kind::Dynamic, list) if takes_list && list.trim_start().starts_with('[') => {
            let text = |item: Json<'_>| item.as_str().map(Cow::into_owned);
            Json::new(list).elements().map(text).collect::<Option<Vec<_>>>()?
        }
        _ => return None,
    };
    let most = if how == TextMatch::Equal { MOST_EQUAL } else { MOST_HELD };
    (values.len() <= most).then(|| TextTest { column: column.clone(), values, how, negated })
}

/// What an operator asks of a text, and whether it asks for the opposite.
fn text_match(operator: &str) -> Option<(TextMatch, bool)> {
    let (plain, negated) = operator.strip_prefix('!').map_or((operator, false), |plain| (plain, true));
    let holds = |place| match plain.strip_suffix("_cs") {
        Some(_) => TextMatch::Holds { place, exact_case: true },
        None => TextMatch::Holds { place, exact_case: false },
    };
    let how = match plain {
        "==" | "in" | "=" => TextMatch::Equal,
        "=~" | "in~" | "~" => holds(Place::Whole),
        "has" | "has_cs" | "has_any" => holds(Place::Term),
        "hasprefix" | "hasprefix_cs" => holds(Place::TermStart),
        "hassuffix" | "hassuffix_cs" => holds(Place::TermEnd),
        "contains" | "contains_cs" => holds(Place::Anywhere),
        "startswith" | "startswith_cs" => holds(Place::Start),
        "endswith" | "endswith_cs" => holds(Place::End),
        _ => return None,
    };
    Some((how, negated))
}

/// `after < column <= until`
fn bound(conjunct: &Expr) -> Option<(Name, i64, i64)> {
    let Expr::Call { function, arguments, .. } = conjunct else { return None };
    match (function.name, arguments.as_slice()) {
        (name, [Expr::Column(column, Kind::DateTime), Expr::Const(Value::DateTime(ticks))]) => {
            let (after, until) = match name {
                ">" => (*ticks, i64::MAX),
                ">=" => (ticks.checked_sub(1)?, i64::MAX),
                "<" => (i64::MIN, ticks.checked_sub(1)?),
                "<=" => (i64::MIN, *ticks),
                "==" => (ticks.checked_sub(1)?, *ticks),
                _ => return None,
            };
            Some((column.clone(), after, until))
        }
        (
            "between",
            [
                Expr::Column(column, Kind::DateTime),
                Expr::Const(Value::DateTime(low)),
                Expr::Const(Value::DateTime(high)),
            ],
        ) => Some((column.clone(), low.checked_sub(1)?, *high)),
        _ => None,
    }
}

/// Splits off, from the end of the steps, what decides on group keys alone and is costly: it is done on the
/// groups instead of the rows. `keys` are columns that the aggregate groups by as they are.
///
/// Gives the steps that stay, and the steps to run over the groups.
pub fn defer(steps: Vec<Step>, keys: &HashSet<Name>) -> (Vec<Step>, Vec<Step>) {
    let mut stay: Vec<Step> = Vec::new();
    let mut later: Vec<Step> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        match &step.work {
            Work::Filter(conjuncts) => {
                let passes = |c: &Expr| deferrable(c, keys, &later, &steps[at + 1..]);
                let (deferred, kept): (Vec<Expr>, Vec<Expr>) = conjuncts.iter().cloned().partition(passes);
                push_filter(&mut later, deferred, step);
                push_filter(&mut stay, kept, step);
            }
            Work::Apply(application)
                if application.decides_on(keys) && used_only_by_filters(application, &steps[at + 1..], keys) =>
            {
                later.push(step.clone());
            }
            _ => stay.push(step.clone()),
        }
    }
    let made: HashSet<Name> =
        later.iter().flat_map(|s| if let Work::Apply(a) = &s.work { a.made() } else { Vec::new() }).collect();
    for step in &mut stay {
        if let Work::Project(columns) = &mut step.work {
            columns.retain(|(name, _)| !made.contains(name));
        }
    }
    (stay, later)
}

fn push_filter(into: &mut Vec<Step>, conjuncts: Vec<Expr>, like: &Step) {
    if !conjuncts.is_empty() {
        into.push(Step { work: Work::Filter(conjuncts), ..like.clone() });
    }
}

/// A conjunct on group keys that later steps pass through unchanged.
fn deferrable(conjunct: &Expr, keys: &HashSet<Name>, later: &[Step], after: &[Step]) -> bool {
    let made: Vec<Name> =
        later.iter().flat_map(|s| if let Work::Apply(a) = &s.work { a.made() } else { Vec::new() }).collect();
    let read = conjunct.columns();
    let on_made = read.iter().any(|n| made.contains(n));
    let known = read.iter().all(|n| made.contains(n) || (keys.contains(n) && unchanged(n, after)));
    !read.is_empty() && known && conjunct.purity() == Purity::Pure && (on_made || cost(conjunct) > COSTLY)
}

/// Whether the steps leave a column as it is.
fn unchanged(name: &Name, steps: &[Step]) -> bool {
    steps.iter().all(|step| match &step.work {
        Work::Filter(_) => true,
        Work::Extend(columns) => !columns.iter().any(|(n, _)| n == name),
        Work::Project(columns) => {
            columns.iter().any(|(n, e)| n == name && matches!(e, Expr::Column(old, _) if old == name))
        }
        Work::Expand(expansion) => !expansion.columns.iter().any(|c| c.name == *name),
        Work::Apply(application) => application.kept().any(|n| n == name) && !application.made().contains(name),
    })
}

/// What an application makes must be read by deferrable conjuncts alone, and its keys reach the aggregate.
fn used_only_by_filters(application: &super::apply::Application, after: &[Step], keys: &HashSet<Name>) -> bool {
    let made = application.made();
    let reads_made = |e: &Expr| e.columns().iter().any(|n| made.contains(n));
    let clean = after.iter().all(|step| match &step.work {
        Work::Filter(conjuncts) => conjuncts
            .iter()
            .filter(|c| reads_made(c))
            .all(|c| c.purity() == Purity::Pure && c.columns().iter().all(|n| made.contains(n) || keys.contains(n))),
        Work::Extend(columns) => !columns.iter().any(|(_, e)| reads_made(e)),
        Work::Project(columns) => !columns.iter().any(|(n, e)| reads_made(e) && !made.contains(n)),
        Work::Expand(expansion) => !expansion.columns.iter().any(|c| reads_made(&c.value)),
        Work::Apply(_) => false,
    });
    clean && !made.iter().any(|n| keys.contains(n)) && application.reads().iter().all(|n| unchanged(n, after))
}
