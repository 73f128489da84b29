//! Which names of the language published rules use, the commonest first: in that order they are offered.
use super::CompletionKind;

/// Older spellings count for the newer ones.
const OPERATORS: &[&str] = &[
    "where",
    "extend",
    "summarize",
    "project",
    "join",
    "sort",
    "distinct",
    "mv-expand",
    "project-reorder",
    "render",
    "union",
    "top",
    "parse",
    "project-away",
    "project-rename",
    "invoke",
    "mv-apply",
    "make-series",
    "lookup",
    "evaluate",
    "take",
    "search",
    "parse-where",
    "serialize",
    "as",
    "count",
    "scan",
    "range",
    "getschema",
];

const FUNCTIONS: &[&str] = &[
    "ago",
    "tostring",
    "isnotempty",
    "parse_json",
    "bin",
    "split",
    "iff",
    "not",
    "tolower",
    "strcat",
    "now",
    "extract",
    "isempty",
    "array_length",
    "case",
    "ingestion_time",
    "startofday",
    "datetime_diff",
    "replace_string",
    "geo_info_from_ip_address",
    "coalesce",
    "series_decompose_anomalies",
    "toint",
    "substring",
    "strcat_array",
    "pack_all",
    "bag_pack",
    "column_ifexists",
    "round",
    "strlen",
    "toupper",
    "tolong",
    "parse_command_line",
    "parse_url",
    "todatetime",
    "indexof",
    "pack_array",
    "startofweek",
    "extract_json",
    "base64_decode_tostring",
    "trim",
    "startofmonth",
    "ipv4_is_private",
    "prev",
    "extract_all",
    "toreal",
    "ipv4_is_match",
    "trim_start",
    "string_size",
    "dayofweek",
    "parse_xml",
    "abs",
    "hourofday",
    "parse_user_agent",
    "series_fit_line",
    "array_concat",
    "countof",
    "tohex",
    "url_decode",
    "series_fit_2lines",
    "set_difference",
    "endofyear",
    "startofyear",
    "range",
    "next",
    "translate",
    "max_of",
    "set_intersect",
    "binary_and",
    "tobool",
    "binary_shift_left",
    "row_window_session",
    "array_index_of",
    "endofday",
    "bag_keys",
    "parse_path",
    "datetime_part",
    "set_has_element",
    "replace_regex",
    "format_datetime",
    "ipv4_is_in_range",
    "datetime_add",
];

const AGGREGATES: &[&str] = &[
    "count",
    "make_set",
    "dcount",
    "max",
    "min",
    "arg_max",
    "make_list",
    "countif",
    "sum",
    "make_set_if",
    "dcountif",
    "arg_min",
    "avg",
    "make_bag",
    "take_any",
    "stdev",
    "percentile",
    "make_list_if",
    "count_distinct",
    "maxif",
    "sumif",
    "minif",
];

const PLUGINS: &[&str] = &["pivot", "bag_unpack", "basket", "autocluster", "ipv4_lookup"];

const INFIX: &[&str] = &[
    "==",
    ">",
    "and",
    ">=",
    "in",
    "=~",
    "or",
    "!=",
    "contains",
    "has_any",
    "has",
    "<",
    "in~",
    "between",
    "!in",
    "matches regex",
    "startswith",
    "<=",
    "endswith",
    "!contains",
    "!has",
    "!in~",
    "!~",
    "has_all",
    "!endswith",
    "!startswith",
    "!between",
    "contains_cs",
];

const WORDS: &[&str] = &[
    "inner",
    "leftouter",
    "leftanti",
    "rightanti",
    "rightsemi",
    "innerunique",
    "leftsemi",
    "fullouter",
    "timechart",
    "columnchart",
    "piechart",
    "barchart",
    "linechart",
    "scatterchart",
    "areachart",
];

/// The place of a name among those of its kind; names that no list has come last.
pub(super) fn place(label: &str, kind: CompletionKind) -> usize {
    let lists: &[&[&str]] = match kind {
        CompletionKind::Operator => &[OPERATORS, INFIX],
        CompletionKind::Function => &[FUNCTIONS],
        CompletionKind::Aggregate => &[AGGREGATES],
        CompletionKind::Plugin => &[PLUGINS],
        CompletionKind::Keyword => &[WORDS],
        _ => &[],
    };
    lists.iter().find_map(|list| list.iter().position(|name| *name == label)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Database, complete};

    /// What is offered at the end of a text.
    fn offered(text: &str) -> Vec<String> {
        let found = complete(text, text.len(), &Database::default()).unwrap_or_default();
        found.into_iter().map(|completion| completion.label).collect()
    }

    #[test]
    fn every_name_of_the_lists_is_offered_and_in_their_order() {
        let places = [
            ("SigninLogs | ", OPERATORS),
            ("SigninLogs | serialize a = ", FUNCTIONS),
            ("SigninLogs | summarize ", AGGREGATES),
            ("SigninLogs | evaluate ", PLUGINS),
            ("SigninLogs | where UserPrincipalName ", INFIX),
        ];
        for (text, names) in places {
            let listed: Vec<String> =
                offered(text).into_iter().filter(|label| names.contains(&label.as_str())).collect();
            assert_eq!(listed, names, "{text}");
        }
        let words = [offered("SigninLogs | join kind="), offered("SigninLogs | render ")].concat();
        let listed: Vec<String> = words.into_iter().filter(|label| WORDS.contains(&label.as_str())).collect();
        assert_eq!(listed, WORDS);
    }
}
