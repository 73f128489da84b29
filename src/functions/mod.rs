//! The function library: one item per function, holding its names, signature, manual page, examples
//! and kernel. A family is a file; adding a function touches that file alone.
pub mod aggregates;
mod context;
pub mod row;
mod scalar;
mod signature;

pub mod arithmetic;
mod array;
mod bag;
mod bin;
mod bitwise;
mod code_points;
pub mod compare;
mod convert;
mod datetime;
mod elsewhere;
mod encoding;
mod extract;
pub mod extraction;
mod forms;
pub mod geo;
mod hash;
mod items;
pub mod kept;
mod lists;
mod math;
mod membership;
mod misc;
mod net;
mod operators;
mod parse;
pub mod parse_pattern;
mod parse_tokens;
mod pattern;
mod periods;
mod places;
mod presence;
mod rewrite;
mod rex;
pub mod search;
pub mod series;
mod sets;
mod sketch;
mod special;
pub mod spl;
mod string;
mod terms;
mod text_lists;
mod timespan;
mod trim;
mod units;
mod user_agent;

pub use extract::json_path;
pub use pattern::compile as compile_pattern;

pub use context::{Context, Limits};
pub use kept::{Content, KeptList, Lists};
pub use math::fractions;
pub use places::{Place, Places};
pub use rex::sed_pieces;
pub use scalar::{Accepts, Dialect, Kernel, Parameter, Purity, Returns, Scalar, examples};
pub use signature::summary;
pub use sketch::common_hashes;

use crate::types::Kind;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Every family of KQL.
static FAMILIES: &[&[Scalar]] = &[
    operators::COLUMNS,
    arithmetic::COLUMNS,
    convert::COLUMNS,
    forms::COLUMNS,
    parse_pattern::COLUMNS,
    // Data: times, numbers, arrays, bags.
    bin::COLUMNS,
    datetime::ROWS,
    datetime::COLUMNS,
    periods::COLUMNS,
    math::ROWS,
    math::COLUMNS,
    array::ROWS,
    array::COLUMNS,
    bag::ROWS,
    bag::COLUMNS,
    sets::ROWS,
    sets::COLUMNS,
    bitwise::ROWS,
    bitwise::COLUMNS,
    timespan::ROWS,
    timespan::COLUMNS,
    units::ROWS,
    misc::ROWS,
    misc::COLUMNS,
    special::ROWS,
    sketch::ROWS,
    sketch::COLUMNS,
    series::ELEMENTS,
    series::MEASURES,
    series::FILLS,
    series::FITS,
    series::FIT_NUMBERS,
    series::POLYNOMIALS,
    series::TRANSFORMS,
    series::OUTLIERS,
    series::PERIODS,
    series::DECOMPOSITIONS,
    // Text: presence, strings, addresses.
    presence::ROWS,
    presence::COLUMNS,
    extract::ROWS,
    extract::COLUMNS,
    trim::COLUMNS,
    encoding::ROWS,
    encoding::COLUMNS,
    hash::ROWS,
    hash::COLUMNS,
    parse::ROWS,
    parse::COLUMNS,
    user_agent::COLUMNS,
    code_points::ROWS,
    code_points::COLUMNS,
    string::ROWS,
    string::COLUMNS,
    rewrite::ROWS,
    rewrite::COLUMNS,
    text_lists::COLUMNS,
    net::ROWS,
    net::TEXT_ROWS,
    net::COLUMNS,
    net::TEXT_COLUMNS,
    // Search terms of SPL.
    terms::COLUMNS,
    rex::COLUMNS,
    // Places and shapes on Earth.
    geo::POINTS,
    geo::LINES,
    geo::POLYGONS,
    geo::PAIRS,
    geo::WKT,
    geo::GEOHASHES,
    geo::S2_ROWS,
    geo::S2_COLUMNS,
    geo::H3_ROWS,
    geo::H3_COLUMNS,
    elsewhere::ROWS,
    elsewhere::COLUMNS,
    places::COLUMNS,
];

pub fn all() -> impl Iterator<Item = &'static Scalar> {
    FAMILIES.iter().chain(spl::FAMILIES).flat_map(|family| family.iter())
}

/// The items of a name (an alias is a name): several where the function is overloaded.
pub fn find(dialect: Dialect, name: &str) -> &'static [&'static Scalar] {
    type Index = HashMap<&'static str, Vec<&'static Scalar>>;
    static KQL: LazyLock<Index> = LazyLock::new(|| index(Dialect::Kql));
    static SPL: LazyLock<Index> = LazyLock::new(|| index(Dialect::Spl));
    fn index(dialect: Dialect) -> Index {
        let mut index = Index::new();
        for item in all().filter(|item| item.dialect == dialect) {
            for name in std::iter::once(&item.name).chain(item.aliases) {
                index.entry(name).or_default().push(item);
            }
        }
        index
    }
    let index = if dialect == Dialect::Kql { &KQL } else { &SPL };
    index.get(name).map_or(&[], Vec::as_slice)
}

/// The kernel that does the work of a function and of the one that makes its first argument in one go, where there is
/// one. It takes the inner function's arguments, so many, then the others of the outer one.
pub fn fused(outer: &Scalar, inner: &Scalar, arguments: usize) -> Option<Kernel> {
    match (outer.name, inner.name) {
        (".path", "split") if arguments == 2 => Some(text_lists::element_of_split),
        (".path", "parse_json") => Some(forms::path_of_parsed),
        (".path", "parse_url") => Some(parse::path_of_url),
        (".path", "parse_path") => Some(parse::path_of_path),
        (".path", "series_stats_dynamic") if arguments == 1 => Some(series::path_of_statistics),
        ("tolong", ".path") => Some(forms::long_at_path),
        ("tostring", "bag_pack") => Some(bag::text_of_packed),
        ("tostring", "pack_array") => Some(array::text_of_packed),
        _ => None,
    }
}

/// The item that takes arguments of these kinds: one that takes them as they are, else one that takes
/// them widened, else one that takes dynamic ones converted. None where no item has the arity or fits.
pub fn choose(items: &[&'static Scalar], kinds: &[Kind]) -> Option<&'static Scalar> {
    let fits = |cost: fn(Accepts, Kind) -> Option<u32>| {
        let scored = items.iter().filter_map(|item| {
            let (least, most) = item.arity();
            if kinds.len() < least || kinds.len() > most {
                return None;
            }
            let costs = kinds.iter().enumerate().map(|(at, kind)| cost(item.parameter(at)?.accepts, *kind));
            Some((costs.sum::<Option<u32>>()?, *item))
        });
        scored.min_by_key(|(cost, _)| *cost).map(|(_, item)| item)
    };
    fits(conversion_cost)
}

/// What it costs to hand an argument of `kind` to a parameter; none where it does not fit.
fn conversion_cost(accepts: Accepts, kind: Kind) -> Option<u32> {
    if accepts.takes(kind) {
        return Some(u32::from(accepts == Accepts::Any));
    }
    let Accepts::Kind(wanted) = accepts else { return (kind == Kind::Dynamic).then_some(100) };
    match (kind, wanted) {
        (Kind::Int, Kind::Long) => Some(2),
        (Kind::Int | Kind::Long, Kind::Real) => Some(if kind == Kind::Int { 5 } else { 4 }),
        (Kind::Long, Kind::Int) => Some(6),
        (Kind::Int | Kind::Long | Kind::Real, Kind::Decimal) => Some(7),
        (Kind::Dynamic, _) => Some(100),
        (_, Kind::Dynamic) => Some(200),
        _ => None,
    }
}

/// The kind that holds both: int < long < real < decimal; string beside anything else is dynamic's business.
pub fn wider(a: Kind, b: Kind) -> Kind {
    use Kind::*;
    match (a, b) {
        _ if a == b => a,
        (Decimal, n) | (n, Decimal) if n.is_number() => Decimal,
        (Real, n) | (n, Real) if n.is_number() => Real,
        (Long, n) | (n, Long) if n.is_number() => Long,
        _ => Dynamic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_manual_page() {
        for item in all() {
            let (summary, _) = item.docs.trim_start().split_once("\n\n").unwrap_or((item.docs, ""));
            assert!(!summary.trim().is_empty() && !summary.contains("Source:"), "{item:?} has no summary");
            assert!(item.docs.lines().any(|line| line.trim().starts_with("Source: ")), "{item:?} names no source");
            assert!(!item.examples().is_empty(), "{item:?} has no example");
        }
    }
}
