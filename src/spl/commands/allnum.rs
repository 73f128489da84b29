//! `allnum=true`: aggregates of numbers have a value only where all values of their field are numbers.
use crate::expr::Expr;
use crate::functions::{Dialect, aggregates};
use crate::plan::AggregateCall;
use crate::spl::lower::build::{absent, call};
use crate::spl::lower::{Aggregated, Aggregation, Lower, Lowering, Rows};
use crate::types::{Kind, Name};

/// Aggregates that pass over what is no number.
const OF_NUMBERS: [&str; 16] = [
    "avg",
    "exactperc",
    "median",
    "per_day",
    "per_hour",
    "per_minute",
    "per_second",
    "perc",
    "range",
    "stdev",
    "stdevp",
    "sum",
    "sumsq",
    "upperperc",
    "var",
    "varp",
];

/// An aggregate, and the hidden fields that count its values and those that are numbers.
pub struct Guard {
    name: Name,
    values: Name,
    numbers: Name,
}

/// Adds what tells whether all values are numbers.
pub fn guard(lowering: &mut Lowering, aggregation: &mut Aggregation) -> Lower<Vec<Guard>> {
    let Some(count) = aggregates::find(Dialect::Spl, "count") else { return Ok(Vec::new()) };
    let counted = |argument: Expr| AggregateCall {
        function: count,
        arguments: vec![argument],
        condition: None,
        kind: Kind::Field,
    };
    let mut guards = Vec::new();
    let mut counts = Vec::new();
    for made in &aggregation.calls {
        let is_guarded = OF_NUMBERS.contains(&made.call.function.name);
        let Some(argument) = made.call.arguments.first().filter(|_| is_guarded) else { continue };
        let (values, numbers) = (lowering.hidden("values"), lowering.hidden("numbers"));
        let read = call("tonumber", vec![argument.clone()])?;
        counts.push(Aggregated { name: values.clone(), call: counted(argument.clone()) });
        counts.push(Aggregated { name: numbers.clone(), call: counted(read) });
        guards.push(Guard { name: made.name.clone(), values, numbers });
    }
    aggregation.calls.extend(counts);
    Ok(guards)
}

/// The rows without the aggregates of which some value is no number.
pub fn guarded(lowering: &mut Lowering, rows: Rows, guards: Vec<Guard>) -> Lower<Rows> {
    let mut columns = Vec::with_capacity(guards.len());
    for guard in &guards {
        let equal = call("=", vec![rows.field(&guard.values), rows.field(&guard.numbers)])?;
        let branches = vec![(equal, rows.field(&guard.name))];
        let kept = Expr::Case { branches, otherwise: Box::new(absent()), kind: Kind::Field };
        columns.push((guard.name.clone(), kept));
    }
    let hidden: Vec<Name> = guards.into_iter().flat_map(|guard| [guard.values, guard.numbers]).collect();
    let rows = lowering.extend(&rows, columns);
    Ok(lowering.without(&rows, &hidden))
}
