//! Spans of time: the one that is chosen where only the number of bins is said, and the bins between two times.
use crate::diagnostic::{Diagnostic, Fault, Result, Span as Place};
use crate::functions::{Context, Dialect, aggregates};
use crate::plan::{AggregateCall, Node};
use crate::spl::ast::Word;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::types::field::{self, Number};
use crate::types::relative::{self, Span};
use crate::types::{Kind, Name};

/// Bins where no number is said.
pub const DEFAULT_BINS: u64 = 100;

/// Bins that are made at most.
pub const MOST_STEPS: usize = 1_000_000;

const TICKS_PER_SECOND: f64 = 1e7;

/// The spans that are chosen from, with their seconds.
const SPANS: [(i64, &str); 11] = [
    (1, "1s"),
    (5, "5s"),
    (10, "10s"),
    (30, "30s"),
    (60, "1m"),
    (300, "5m"),
    (600, "10m"),
    (1800, "30m"),
    (3600, "1h"),
    (86_400, "1d"),
    (2_592_000, "1mon"),
];

/// The narrowest span that needs no more than `bins` bins from `low` to `high`, in seconds, and that is wide enough; the
/// widest where there is none.
pub fn narrowest((low, high): (f64, f64), bins: u64, is_enough: impl Fn(i64, &str) -> bool) -> &'static str {
    let fits = |(seconds, span): &&(i64, &str)| {
        let crossed = (high / *seconds as f64).floor() - (low / *seconds as f64).floor();
        is_enough(*seconds, span) && crossed < bins as f64
    };
    SPANS.iter().find(fits).map_or("1mon", |(_, span)| span)
}

/// The narrowest span, `least` or wider, that needs no more bins than are wanted: for the time that is searched, or else
/// for the rows' times. None in a check, where nothing runs.
pub fn fitting(
    lowering: &mut Lowering,
    rows: &Rows,
    bins: u64,
    least: Option<Span>,
    place: Place,
) -> Lower<Option<String>> {
    let ends = match (lowering.settings.earliest, lowering.settings.latest) {
        (Some(earliest), Some(latest)) => {
            Some((earliest as f64 / TICKS_PER_SECOND, (latest - 1) as f64 / TICKS_PER_SECOND))
        }
        _ => ends(lowering, rows, place)?,
    };
    let Some(ends) = ends else { return Ok(None) };
    let zone = lowering.settings.context.timezone;
    let wide = |span: Span| span.next(0, zone).unwrap_or(i64::MAX);
    let is_enough =
        |_: i64, span: &str| least.is_none_or(|least| relative::span(span).is_some_and(|own| wide(own) >= wide(least)));
    Ok(Some(narrowest(ends, bins, is_enough).to_owned()))
}

/// The moment that bins are aligned to: `earliest`, `latest` or another time, in ticks. Bins of days and longer ones
/// begin at midnight all the same.
pub fn alignment(lowering: &Lowering, word: &Word, width: Span) -> Lower<Option<i64>> {
    if !matches!(width, Span::Ticks(_)) {
        return Ok(None);
    }
    match () {
        () if word.is("earliest") => Ok(lowering.settings.earliest),
        () if word.is("latest") => Ok(Some(lowering.settings.latest.unwrap_or(lowering.settings.context.now))),
        () => lowering.moment(word),
    }
}

/// The first and the last time of the rows in seconds.
fn ends(lowering: &mut Lowering, rows: &Rows, place: Place) -> Lower<Option<(f64, f64)>> {
    let mut calls = Vec::new();
    for name in ["min", "max"] {
        let function = aggregates::find(Dialect::Spl, name)
            .ok_or_else(|| Diagnostic::error("HP900", format!("the library lacks the aggregate `{name}`")))?;
        let arguments = vec![rows.field("_time")];
        calls.push((Name::from(name), AggregateCall { function, arguments, condition: None, kind: Kind::Field }));
    }
    let schema = calls.iter().map(|(name, _)| (name.clone(), Kind::Field)).collect();
    let ends = lowering.over(rows, Node::Aggregate { input: rows.node, by: Vec::new(), aggregates: calls }, schema);
    let Some(table) = lowering.seen(&ends, place)? else { return Ok(None) };
    let end = |at: usize| field::number(&table.column(at), 0).map_or(0.0, Number::real);
    Ok(Some((end(0), end(1))))
}

/// The starts of all bins from the one that begins at `first` to the last that begins no later than `last`.
pub fn starts(span: Span, first: i64, last: i64, context: &Context) -> Result<Vec<i64>> {
    let mut steps = vec![first];
    while let Some(next) =
        steps.last().and_then(|start| span.next(*start, context.timezone)).filter(|next| *next <= last)
    {
        if steps.len() >= context.limits.rows.min(MOST_STEPS) || steps.last().is_some_and(|start| *start >= next) {
            return Err(Fault::limit("rows", "there are too many steps of time: choose a wider span"));
        }
        steps.push(next);
    }
    Ok(steps)
}
