//! Sets: dynamic arrays as sets of values, in order of first sight.
use super::Context;
use super::array::equals;
use super::items::{array, items, json_rows};
use super::lists::{Lists, places};
use super::operators::pair;
use super::row::{Dyn, each};
use crate::diagnostic::Result;
use crate::types::json::canonical;
use crate::types::{Column, Dynamic, Kind};
use std::borrow::Cow;
use std::collections::HashSet;

/// The members of each argument's array in a row; none where one is no array.
fn members<'a>(args: &'a [Column], row: usize) -> Option<Vec<Vec<Cow<'a, str>>>> {
    args.iter().map(|set| items(Dynamic::of(set, row)?)).collect()
}

/// The forms under which members are one.
fn forms<'a>(set: &'a [Cow<'_, str>]) -> HashSet<Cow<'a, str>> {
    set.iter().map(|item| canonical(item)).collect()
}

fn set_union(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(lists) = Lists::new(args) {
        return Ok(lists.union());
    }
    Ok(json_rows(args, rows, |row| {
        let sets = members(args, row)?;
        let mut seen = HashSet::new();
        Some(array(sets.iter().flatten().filter(|item| seen.insert(canonical(item)))))
    }))
}

/// The members of the first set, each once, that `keep` finds in the right ones of the others.
fn kept(args: &[Column], rows: usize, keep: fn(&str, &[HashSet<Cow<str>>]) -> bool) -> Column {
    json_rows(args, rows, |row| {
        let sets = members(args, row)?;
        let (first, others) = sets.split_first()?;
        let others: Vec<_> = others.iter().map(|set| forms(set)).collect();
        let mut seen = HashSet::new();
        let kept = first.iter().filter(|item| {
            let form = canonical(item);
            keep(&form, &others) && seen.insert(form)
        });
        Some(array(kept))
    })
}

fn set_intersect(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(lists) = Lists::new(args) {
        return Ok(lists.keep(true));
    }
    Ok(kept(args, rows, |form, others| others.iter().all(|set| set.contains(form))))
}

fn set_difference(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(lists) = Lists::new(args) {
        return Ok(lists.keep(false));
    }
    Ok(kept(args, rows, |form, others| !others.iter().any(|set| set.contains(form))))
}

fn set_has_element(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (set, value) = pair(args)?;
    if let Column::Const(value, _) = value
        && let Some(places) = places(set, value)
    {
        let found = places.into_iter().map(|place| place.map(|place| place >= 0));
        return Ok(Column::Bool(found.collect()));
    }
    each(Kind::Bool, args, rows, |row, out| {
        match Dynamic::of(set, row).and_then(Dynamic::elements) {
            Some(items) => out.push_bool(items.iter().any(|item| equals(item, &value.value(row)))),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn jaccard_index(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let typed = Lists::new(args);
    each(Kind::Real, args, rows, |row, out| {
        let null = args.iter().any(|a| a.is_null(row));
        let (both, all) = match &typed {
            Some(lists) if !null => lists.shared(row),
            _ => {
                let Some(sets) = members(args, row) else {
                    out.push_null();
                    return Ok(());
                };
                let forms: Vec<_> = sets.iter().map(|set| forms(set)).collect();
                match forms.as_slice() {
                    [one, other] => (one.intersection(other).count(), one.union(other).count()),
                    _ => (0, 0),
                }
            }
        };
        out.push_real(both as f64 / all as f64);
        Ok(())
    })
}

crate::scalars! {
    /// Whether two arrays hold the same values, however often and in whatever order.
    ///
    /// Source: set-equals-function.
    ///
    /// ```kql
    /// set_equals(dynamic([1, 2]), dynamic([2, 1, 1])) // true
    /// ```
    kql fn set_equals (set1: Dyn, set2: Dyn) -> Option<bool> {
        let (one, other) = (items(set1)?, items(set2)?);
        Some(forms(&one) == forms(&other))
    }

}

crate::kernels! {
    /// Whether an array holds a value.
    ///
    /// Source: set-has-element-function.
    ///
    /// ```kql
    /// set_has_element(dynamic(["this", "is", "an", "example"]), "example") // true
    /// set_has_element(dynamic([1, 2]), 3) // false
    /// ```
    kql fn set_has_element (set: Dynamic, value: Any) -> Kind(Kind::Bool) = set_has_element;

    /// How alike two sets are: the number of values in both divided by the number of values in any.
    ///
    /// Source: jaccard-index-function.
    ///
    /// ```kql
    /// jaccard_index(dynamic([1, 2, 3]), dynamic([1, 2, 3, 4])) // 0.75
    /// ```
    kql fn jaccard_index (set1: Dynamic, set2: Dynamic) -> Kind(Kind::Real) = jaccard_index;

    /// The values that are in any of the arrays, each once; null where one of them is no array.
    ///
    /// Source: set-union-function.
    ///
    /// ```kql
    /// set_union(dynamic([1, 2, 1, 4]), dynamic([1, 2]), dynamic([8])) // [1,2,4,8]
    /// ```
    kql fn set_union (set[repeats]: Dynamic) -> Kind(Kind::Dynamic) = set_union;

    /// The values that are in all of the arrays, each once; null where one of them is no array.
    ///
    /// Source: set-intersect-function.
    ///
    /// ```kql
    /// set_intersect(dynamic([1, 2, 1, 4]), dynamic([1, 2]), dynamic([8, 1])) // [1]
    /// ```
    kql fn set_intersect (set[repeats]: Dynamic) -> Kind(Kind::Dynamic) = set_intersect;

    /// The values of the first array that are in none of the others, each once; null where one of them is no array.
    ///
    /// Source: set-difference-function.
    ///
    /// ```kql
    /// set_difference(dynamic([1, 2, 1, 4]), dynamic([1, 2]), dynamic([8])) // [4]
    /// ```
    kql fn set_difference (set[repeats]: Dynamic) -> Kind(Kind::Dynamic) = set_difference;
}
