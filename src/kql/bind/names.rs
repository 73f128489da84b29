//! Automatic column names, as Microsoft's binder makes them.
use crate::kql::ast::{Call, Expression, ExpressionKind, Literal, PathStepKind};
use crate::types::Name;
use std::collections::HashSet;

/// The name that an expression gives its column; none where the column gets a numbered one.
pub(super) fn automatic(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Name(name) => Some(name.text.clone()),
        ExpressionKind::Path(path) => path.steps.iter().fold(automatic(&path.base), |left, step| {
            let own = match &step.kind {
                PathStepKind::Member(name) => name.text.clone(),
                PathStepKind::Index(index) => literal_text(index).unwrap_or_default(),
                PathStepKind::Call(call) => return of_call(call),
                PathStepKind::Wildcard(_) => return left,
            };
            match left {
                Some(left) => Some(format!("{left}_{own}")),
                None => (!own.is_empty()).then_some(own),
            }
        }),
        ExpressionKind::Call(call) => of_call(call),
        _ => None,
    }
}

/// The text of a literal as a part of a name.
fn literal_text(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Literal(Literal::String(text)) => Some(text.text.clone()),
        ExpressionKind::Literal(Literal::Long(Some(number))) => Some(number.to_string()),
        _ => None,
    }
}

/// The name of the first argument, which some functions pass on.
pub(super) fn first_argument(call: &Call) -> Option<String> {
    call.arguments.first().and_then(|a| match &a.name {
        Some(name) => Some(name.text.clone()),
        None => automatic(&a.value),
    })
}

/// The argument whose name a function passes on to its column.
pub(super) fn passed_on(call: &Call) -> Option<&Expression> {
    let passes = PASSES_ON.contains(&call.name.text.as_str());
    call.arguments.first().filter(|argument| passes && argument.name.is_none()).map(|argument| &argument.value)
}

fn of_call(call: &Call) -> Option<String> {
    let name = call.name.text.as_str();
    if PASSES_ON.contains(&name) {
        return first_argument(call);
    }
    let prefixed = |prefix: &str| Some(format!("{prefix}_{}", first_argument(call).unwrap_or_default()));
    match name {
        "strlen" | "string_size" | "percentile_tdigest" | "dcount_hll" => prefixed(name),
        "percentiles_array_tdigest" => prefixed("percentile_tdigest"),
        "array_sort_asc" | "array_sort_desc" => Some(format!("{}_sorted", first_argument(call)?)),
        "node_degree_in" | "node_degree_out" | "node_id" => Some(name.to_owned()),
        "gettype" => prefixed("type"),
        "treepath" => prefixed("tree"),
        "repeat" => prefixed("repeat"),
        "tdigest_merge" | "merge_tdigest" => Some("tdigests_merge_result".to_owned()),
        "hll_merge" => Some("hll_merged_result".to_owned()),
        "ingestion_time" => Some("$IngestionTime".to_owned()),
        "make_datetime" | "make_timespan" if call.arguments.len() == 1 => first_argument(call),
        _ => None,
    }
}

/// Functions whose column has the name of their first argument.
const PASSES_ON: &[&str] = &[
    "split",
    "tostring",
    "tohex",
    "todynamic",
    "toobject",
    "tolong",
    "toint",
    "toreal",
    "todouble",
    "todatetime",
    "totimespan",
    "totime",
    "tobool",
    "toboolean",
    "todecimal",
    "toguid",
    "parse_csv",
    "parsejson",
    "parse_json",
    "parse_xml",
    "format_datetime",
    "format_timespan",
    "startofday",
    "bin",
    "floor",
    "bin_at",
    "bin_auto",
    "binary_and",
    "binary_or",
    "binary_xor",
    "binary_not",
    "binary_shift_right",
    "binary_shift_left",
    "bitset_count_ones",
    "series_fir",
    "series_outliers",
    "series_iir",
    "series_fill_backward",
    "series_fill_forward",
    "series_fill_const",
    "series_fill_linear",
    "round",
    "ceiling",
    "pow",
    "sqrt",
    "log",
    "log2",
    "log10",
    "exp",
    "exp2",
    "exp10",
    "cos",
    "sin",
    "tan",
    "acos",
    "asin",
    "atan",
    "atan2",
    "abs",
    "rand",
    "gamma",
    "loggamma",
    "erf",
    "erfc",
    "format_bytes",
];

/// Gives each column of an operator a name that no other has.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    pub fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// A name that was written; `false` where it is taken already.
    pub fn declare(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    /// `name`, or `name1`, `name2`… where it is taken.
    pub fn unique(&mut self, name: &str) -> Name {
        if self.declare(name) {
            return name.into();
        }
        let numbered = (1u32..).map(|number| format!("{name}{number}"));
        let free = numbered.into_iter().find(|free| !self.has(free)).unwrap_or_default();
        self.declare(&free);
        free.into()
    }

    /// `Column1`, `Column2`… : `last` counts through the whole query, as Microsoft's binder does.
    pub fn numbered(&mut self, last: &mut usize) -> Name {
        loop {
            *last += 1;
            let name = format!("Column{last}");
            if self.declare(&name) {
                return name.into();
            }
        }
    }
}
