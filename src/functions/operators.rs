//! The infix operators: comparison, membership, text search.
use super::compare::{Comparison, compare};
use super::search::{Needle, Needles, Place};
use super::{Context, membership};
use crate::diagnostic::{Fault, Result};
use crate::types::views::are_equal;
use crate::types::{Column, Dynamic, Kind, Text, Value};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

macro_rules! comparison {
    ($name:ident, $comparison:ident) => {
        fn $name(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
            let (left, right) = pair(args)?;
            Ok(compare(Comparison::$comparison, left, right, rows))
        }
    };
}
comparison!(equal, Equal);
comparison!(not_equal, NotEqual);
comparison!(less, Less);
comparison!(less_or_equal, LessOrEqual);
comparison!(greater, Greater);
comparison!(greater_or_equal, GreaterOrEqual);

macro_rules! search {
    ($name:ident, $not:ident, $place:ident, $case:literal) => {
        fn $name(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
            find(context, concat!(stringify!($name), $case), args, rows, Place::$place, $case, true)
        }
        fn $not(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
            find(context, concat!(stringify!($name), $case), args, rows, Place::$place, $case, false)
        }
    };
}
search!(same_text, other_text, Whole, false);
search!(has, has_not, Term, false);
search!(has_cs, has_not_cs, Term, true);
search!(has_prefix, has_not_prefix, TermStart, false);
search!(has_prefix_cs, has_not_prefix_cs, TermStart, true);
search!(has_suffix, has_not_suffix, TermEnd, false);
search!(has_suffix_cs, has_not_suffix_cs, TermEnd, true);
search!(contains, contains_not, Anywhere, false);
search!(contains_cs, contains_not_cs, Anywhere, true);
search!(starts, starts_not, Start, false);
search!(starts_cs, starts_not_cs, Start, true);
search!(ends, ends_not, End, false);
search!(ends_cs, ends_not_cs, End, true);

pub(super) fn pair(args: &[Column]) -> Result<(&Column, &Column)> {
    match args {
        [left, right, ..] => Ok((left, right)),
        _ => Err(Fault::internal("an operator was given too few operands")),
    }
}

/// A bool for every row of a text column, computed on the distinct values of a dictionary.
pub(super) fn text_predicate(column: &Column, rows: usize, holds: impl Fn(&str) -> bool) -> Column {
    let bits = match column {
        Column::Const(value, _) => {
            return Column::Const(Value::Bool(holds(value.as_text().unwrap_or(""))), rows);
        }
        Column::Text(_, Text::Dictionary(keys, dictionary)) if dictionary.len() < keys.len() => {
            let known: Vec<bool> = dictionary.values.iter().map(|v| holds(v.unwrap_or(""))).collect();
            let keys = keys.values();
            BooleanBuffer::collect_bool(keys.len(), |i| known.get(keys[i] as usize).copied().unwrap_or(false))
        }
        Column::Text(_, Text::Views(views)) if views.null_count() == 0 => {
            BooleanBuffer::collect_bool(views.len(), |i| holds(views.value(i)))
        }
        other => BooleanBuffer::collect_bool(rows, |i| holds(other.text(i).unwrap_or(""))),
    };
    Column::Bool(BooleanArray::new(bits, None))
}

#[inline(always)]
fn starts_with(hay: &[u8], needle: &[u8]) -> bool {
    hay.get(..needle.len()).is_some_and(|start| are_equal(start, needle))
}

#[inline(always)]
fn ends_with(hay: &[u8], needle: &[u8]) -> bool {
    let end = hay.len().checked_sub(needle.len()).and_then(|start| hay.get(start..));
    end.is_some_and(|end| are_equal(end, needle))
}

/// `hay` and `needle` of each row; a negated search keeps null rows.
fn find(
    context: &Context,
    what: &'static str,
    args: &[Column],
    rows: usize,
    place: Place,
    case_sensitive: bool,
    wanted: bool,
) -> Result<Column> {
    let (hay, needle) = pair(args)?;
    if let Column::Const(value, _) = needle {
        let text = value.as_text().unwrap_or("");
        // At an end a text is only compared.
        match place {
            Place::Start if case_sensitive => {
                return Ok(text_predicate(hay, rows, |hay| starts_with(hay.as_bytes(), text.as_bytes()) == wanted));
            }
            Place::End if case_sensitive => {
                return Ok(text_predicate(hay, rows, |hay| ends_with(hay.as_bytes(), text.as_bytes()) == wanted));
            }
            _ => {}
        }
        let needle = context.prepared(what, text, || Ok::<_, Fault>(Needle::new(text, place, case_sensitive)))?;
        return Ok(text_predicate(hay, rows, |hay| needle.is_in(hay) == wanted));
    }
    let mut last: Option<(String, Needle)> = None;
    let bits = BooleanBuffer::collect_bool(rows, |row| {
        let text = needle.text(row).unwrap_or("");
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            last = Some((text.to_owned(), Needle::new(text, place, case_sensitive)));
        }
        last.as_ref().is_some_and(|(_, n)| n.is_in(hay.text(row).unwrap_or("")) == wanted)
    });
    Ok(Column::Bool(BooleanArray::new(bits, None)))
}

fn has_any(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    many(context, "has_any", args, rows, Needles::any_in)
}

fn has_all(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    many(context, "has_all", args, rows, Needles::all_in)
}

fn many(
    context: &Context,
    what: &'static str,
    args: &[Column],
    rows: usize,
    holds: fn(&Needles, &str) -> bool,
) -> Result<Column> {
    let (hay, list) = pair(args)?;
    let texts = |row: usize| Dynamic::of(list, row).map(texts_of).unwrap_or_default();
    if let Column::Const(value, _) = list {
        let known = texts(0);
        let key = value.as_text().unwrap_or("");
        let needles = context.prepared(what, key, || Ok::<_, Fault>(Needles::new(&known, Place::Term, false)))?;
        return Ok(text_predicate(hay, rows, |hay| holds(&needles, hay)));
    }
    let bits = BooleanBuffer::collect_bool(rows, |row| {
        let needles = Needles::new(&texts(row), Place::Term, false);
        holds(&needles, hay.text(row).unwrap_or(""))
    });
    Ok(Column::Bool(BooleanArray::new(bits, None)))
}

/// The texts of an array; a scalar stands for itself.
fn texts_of(list: Dynamic) -> Vec<String> {
    list.texts().unwrap_or_else(|| vec![Value::dynamic(list.to_json()).to_text()])
}

/// One-to-one lower case, as case-insensitive comparison folds it.
pub(super) fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let one = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    text.chars().map(one).collect()
}

macro_rules! membership {
    ($name:ident, $fold:literal, $wanted:literal) => {
        fn $name(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
            membership::is_member(context, args, rows, $fold, $wanted)
        }
    };
}
membership!(member, false, true);
membership!(no_member, false, false);
membership!(member_any_case, true, true);
membership!(no_member_any_case, true, false);

/// `value between (low .. high)`, both included; the negation keeps nulls out of neither side.
fn between(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [value, low, high] = args else { return Err(Fault::internal("between takes three operands")) };
    let above = greater_or_equal(context, &[value.clone(), low.clone()], rows)?;
    let below = less_or_equal(context, &[value.clone(), high.clone()], rows)?;
    Ok(Column::Bool(BooleanArray::new(&truths(&above) & &truths(&below), None)))
}

/// Where a bool column is true; null is not.
fn truths(column: &Column) -> BooleanBuffer {
    match column {
        Column::Bool(bits) => match bits.nulls().filter(|nulls| nulls.null_count() > 0) {
            Some(valid) => bits.values() & valid.inner(),
            None => bits.values().clone(),
        },
        Column::Const(value, rows) if value.as_bool() == Some(true) => BooleanBuffer::new_set(*rows),
        other => BooleanBuffer::new_unset(other.len()),
    }
}

fn not(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match args {
        [Column::Bool(bits)] => Ok(Column::Bool(BooleanArray::new(!bits.values(), bits.nulls().cloned()))),
        [Column::Const(value, _)] => {
            Ok(Column::Const(value.as_bool().map_or(Value::Null(Kind::Bool), |b| Value::Bool(!b)), rows))
        }
        _ => Err(Fault::internal("not() takes one bool")),
    }
}

crate::kernels! {
    /// Whether two values are equal; texts by case. Null equals nothing, and null beside null gives null.
    ///
    /// Source: the documentation pages "String operators", "Numerical operators", "Null values".
    ///
    /// ```kql
    /// 1 == 1.0 // true
    /// "a" == "A" // false
    /// ```
    kql fn "==" (left: Any, right: Any) -> Kind(Kind::Bool) = equal;

    /// Whether two values differ; texts by case.
    ///
    /// Source: not-equals-cs-operator.
    ///
    /// ```kql
    /// "a" != "A" // true
    /// 1 <> 2 // true
    /// ```
    kql fn "!=" as ["<>"] (left: Any, right: Any) -> Kind(Kind::Bool) = not_equal;

    /// Whether the left value is smaller.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 1 < 2 // true
    /// ```
    kql fn "<" (left: Any, right: Any) -> Kind(Kind::Bool) = less;

    /// Whether the left value is not larger.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 2 <= 2 // true
    /// ```
    kql fn "<=" (left: Any, right: Any) -> Kind(Kind::Bool) = less_or_equal;

    /// Whether the left value is larger.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 1 > 2 // false
    /// ```
    kql fn ">" (left: Any, right: Any) -> Kind(Kind::Bool) = greater;

    /// Whether the left value is not smaller.
    ///
    /// Source: numerical-operators.
    ///
    /// ```kql
    /// 2 >= 2 // true
    /// ```
    kql fn ">=" (left: Any, right: Any) -> Kind(Kind::Bool) = greater_or_equal;

    /// Whether a value lies between two bounds, both included.
    ///
    /// Source: between-operator.
    ///
    /// ```kql
    /// 5 between (1 .. 5) // true
    /// 5 !between (1 .. 4) // true
    /// ```
    kql fn "between" (value: Any, low: Any, high: Any) -> Kind(Kind::Bool) = between;

    /// The opposite of a bool; null stays null.
    ///
    /// Source: not-function.
    ///
    /// ```kql
    /// not(1 == 2) // true
    /// ```
    kql fn not (value: Bool) -> Kind(Kind::Bool) = not;

    /// Equality whatever the case.
    ///
    /// Source: equals-operator.
    ///
    /// ```kql
    /// "Alice" =~ "ALICE" // true
    /// ```
    kql fn "=~" (left: String, right: String) -> Kind(Kind::Bool) = same_text;

    /// Difference whatever the case.
    ///
    /// Source: not-equals-operator.
    ///
    /// ```kql
    /// "Alice" !~ "ALICE" // false
    /// ```
    kql fn "!~" (left: String, right: String) -> Kind(Kind::Bool) = other_text;

    /// Whether a text holds another as a whole term, whatever the case.
    ///
    /// Source: has-operator.
    ///
    /// ```kql
    /// "North America" has "america" // true
    /// "AnonymousLinkCreated" has "Anonymous" // false
    /// ```
    kql fn "has" as [":"] (text: String, term: String) -> Kind(Kind::Bool) = has;

    /// The opposite of `has`.
    ///
    /// Source: not-has-operator.
    ///
    /// ```kql
    /// "North America" !has "amer" // true
    /// ```
    kql fn "!has" (text: String, term: String) -> Kind(Kind::Bool) = has_not;

    /// `has` by case.
    ///
    /// Source: has-cs-operator.
    ///
    /// ```kql
    /// "North America" has_cs "america" // false
    /// ```
    kql fn "has_cs" (text: String, term: String) -> Kind(Kind::Bool) = has_cs;

    /// The opposite of `has_cs`.
    ///
    /// Source: not-has-cs-operator.
    ///
    /// ```kql
    /// "North America" !has_cs "america" // true
    /// ```
    kql fn "!has_cs" (text: String, term: String) -> Kind(Kind::Bool) = has_not_cs;

    /// Whether a term of the text starts with another text, whatever the case.
    ///
    /// Source: hasprefix-operator.
    ///
    /// ```kql
    /// "North America" hasprefix "ame" // true
    /// ```
    kql fn "hasprefix" (text: String, prefix: String) -> Kind(Kind::Bool) = has_prefix;

    /// The opposite of `hasprefix`.
    ///
    /// Source: not-hasprefix-operator.
    ///
    /// ```kql
    /// "North America" !hasprefix "ame" // false
    /// ```
    kql fn "!hasprefix" (text: String, prefix: String) -> Kind(Kind::Bool) = has_not_prefix;

    /// `hasprefix` by case.
    ///
    /// Source: hasprefix-cs-operator.
    ///
    /// ```kql
    /// "North America" hasprefix_cs "ame" // false
    /// ```
    kql fn "hasprefix_cs" (text: String, prefix: String) -> Kind(Kind::Bool) = has_prefix_cs;

    /// The opposite of `hasprefix_cs`.
    ///
    /// Source: not-hasprefix-cs-operator.
    ///
    /// ```kql
    /// "North America" !hasprefix_cs "ame" // true
    /// ```
    kql fn "!hasprefix_cs" (text: String, prefix: String) -> Kind(Kind::Bool) = has_not_prefix_cs;

    /// Whether a term of the text ends with another text, whatever the case.
    ///
    /// Source: hassuffix-operator.
    ///
    /// ```kql
    /// "North America" hassuffix "ICA" // true
    /// ```
    kql fn "hassuffix" (text: String, suffix: String) -> Kind(Kind::Bool) = has_suffix;

    /// The opposite of `hassuffix`.
    ///
    /// Source: not-hassuffix-operator.
    ///
    /// ```kql
    /// "North America" !hassuffix "ICA" // false
    /// ```
    kql fn "!hassuffix" (text: String, suffix: String) -> Kind(Kind::Bool) = has_not_suffix;

    /// `hassuffix` by case.
    ///
    /// Source: hassuffix-cs-operator.
    ///
    /// ```kql
    /// "North America" hassuffix_cs "ICA" // false
    /// ```
    kql fn "hassuffix_cs" (text: String, suffix: String) -> Kind(Kind::Bool) = has_suffix_cs;

    /// The opposite of `hassuffix_cs`.
    ///
    /// Source: not-hassuffix-cs-operator.
    ///
    /// ```kql
    /// "North America" !hassuffix_cs "ICA" // true
    /// ```
    kql fn "!hassuffix_cs" (text: String, suffix: String) -> Kind(Kind::Bool) = has_not_suffix_cs;

    /// Whether a text holds another anywhere, whatever the case.
    ///
    /// Source: contains-operator.
    ///
    /// ```kql
    /// "FabriKam" contains "BRik" // true
    /// ```
    kql fn "contains" (text: String, part: String) -> Kind(Kind::Bool) = contains;

    /// The opposite of `contains`.
    ///
    /// Source: not-contains-operator.
    ///
    /// ```kql
    /// "FabriKam" !contains "BRik" // false
    /// ```
    kql fn "!contains" as ["notcontains"] (text: String, part: String) -> Kind(Kind::Bool) = contains_not;

    /// `contains` by case.
    ///
    /// Source: contains-cs-operator.
    ///
    /// ```kql
    /// "FabriKam" contains_cs "BRik" // false
    /// ```
    kql fn "contains_cs" as ["containscs"] (text: String, part: String) -> Kind(Kind::Bool) = contains_cs;

    /// The opposite of `contains_cs`.
    ///
    /// Source: not-contains-cs-operator.
    ///
    /// ```kql
    /// "FabriKam" !contains_cs "Kam" // false
    /// ```
    kql fn "!contains_cs" as ["notcontainscs"] (text: String, part: String) -> Kind(Kind::Bool) = contains_not_cs;

    /// Whether a text starts with another, whatever the case.
    ///
    /// Source: startswith-operator.
    ///
    /// ```kql
    /// "Fabrikam" startswith "FAB" // true
    /// ```
    kql fn "startswith" (text: String, start: String) -> Kind(Kind::Bool) = starts;

    /// The opposite of `startswith`.
    ///
    /// Source: not-startswith-operator.
    ///
    /// ```kql
    /// "Fabrikam" !startswith "FAB" // false
    /// ```
    kql fn "!startswith" (text: String, start: String) -> Kind(Kind::Bool) = starts_not;

    /// `startswith` by case.
    ///
    /// Source: startswith-cs-operator.
    ///
    /// ```kql
    /// "Fabrikam" startswith_cs "FAB" // false
    /// ```
    kql fn "startswith_cs" (text: String, start: String) -> Kind(Kind::Bool) = starts_cs;

    /// The opposite of `startswith_cs`.
    ///
    /// Source: not-startswith-cs-operator.
    ///
    /// ```kql
    /// "Fabrikam" !startswith_cs "FAB" // true
    /// ```
    kql fn "!startswith_cs" (text: String, start: String) -> Kind(Kind::Bool) = starts_not_cs;

    /// Whether a text ends with another, whatever the case.
    ///
    /// Source: endswith-operator.
    ///
    /// ```kql
    /// "Fabrikam" endswith "KAM" // true
    /// ```
    kql fn "endswith" (text: String, end: String) -> Kind(Kind::Bool) = ends;

    /// The opposite of `endswith`.
    ///
    /// Source: not-endswith-operator.
    ///
    /// ```kql
    /// "Fabrikam" !endswith "KAM" // false
    /// ```
    kql fn "!endswith" (text: String, end: String) -> Kind(Kind::Bool) = ends_not;

    /// `endswith` by case.
    ///
    /// Source: endswith-cs-operator.
    ///
    /// ```kql
    /// "Fabrikam" endswith_cs "KAM" // false
    /// ```
    kql fn "endswith_cs" (text: String, end: String) -> Kind(Kind::Bool) = ends_cs;

    /// The opposite of `endswith_cs`.
    ///
    /// Source: not-endswith-cs-operator.
    ///
    /// ```kql
    /// "Fabrikam" !endswith_cs "KAM" // true
    /// ```
    kql fn "!endswith_cs" (text: String, end: String) -> Kind(Kind::Bool) = ends_not_cs;

    /// Whether a text holds any of a list's texts as a whole term, whatever the case.
    ///
    /// Source: has-any-operator.
    ///
    /// ```kql
    /// "www.dropbox.com" has_any ("box.com", "dropbox.com") // true
    /// "mydropbox.com" has_any ("dropbox.com") // false
    /// ```
    kql fn "has_any" (text: String, terms: Dynamic) -> Kind(Kind::Bool) = has_any;

    /// Whether a text holds all of a list's texts as whole terms, whatever the case.
    ///
    /// Source: has-all-operator.
    ///
    /// ```kql
    /// "a quick fox" has_all ("FOX", "quick") // true
    /// ```
    kql fn "has_all" (text: String, terms: Dynamic) -> Kind(Kind::Bool) = has_all;

    /// Whether a value is one of a list; texts by case.
    ///
    /// Source: in-cs-operator.
    ///
    /// ```kql
    /// "b" in ("a", "b") // true
    /// 2 in (1, 3) // false
    /// ```
    kql fn "in" (value: Any, list: Dynamic) -> Kind(Kind::Bool) = member;

    /// The opposite of `in`.
    ///
    /// Source: not-in-cs-operator.
    ///
    /// ```kql
    /// "B" !in ("a", "b") // true
    /// ```
    kql fn "!in" (value: Any, list: Dynamic) -> Kind(Kind::Bool) = no_member;

    /// Whether a text is one of a list, whatever the case.
    ///
    /// Source: in-operator.
    ///
    /// ```kql
    /// "B" in~ ("a", "b") // true
    /// ```
    kql fn "in~" (value: Any, list: Dynamic) -> Kind(Kind::Bool) = member_any_case;

    /// The opposite of `in~`.
    ///
    /// Source: not-in-operator.
    ///
    /// ```kql
    /// "B" !in~ ("a", "b") // false
    /// ```
    kql fn "!in~" (value: Any, list: Dynamic) -> Kind(Kind::Bool) = no_member_any_case;
}
