//! Aggregates: each is a partial state per group that merges, so that the same rows give the same
//! answer whatever the threads and morsels.
mod arg;
mod bag;
mod binary;
mod count;
mod covariance;
mod decimals;
mod distinct;
mod distinct_bits;
mod distinct_count;
mod distinct_numbers;
mod distinct_texts;
mod elements;
mod fold;
mod held;
mod list;
mod minmax;
mod percentile;
mod schema;
mod sketch;
mod spl;
mod sum;

pub(super) use arg::{ordered, unordered};
pub use percentile::nearest_rank;
pub use spl::sliding;

use super::{Context, Dialect, Parameter, Returns};
use crate::diagnostic::{Fault, Result};
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Value, gather};
use std::any::Any;
use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::LazyLock;

/// Whether the order of rows can show in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It cannot: the state is a function of the multiset of values.
    Free,
    /// It can: the state carries ordinals, and merging keeps the smallest.
    Rows,
}

/// The states of all groups of one aggregate.
pub trait State: Send {
    /// Takes in rows: `groups[i]` is the group of row `i`, below `count`. A row's ordinal is its place
    /// among all rows of the source. `arguments` are as long as `groups`.
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()>;

    /// Takes in another state of the same aggregate: its group `i` is group `into[i]` here, below `count`.
    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()>;

    /// The result for groups `0..count`.
    fn finish(self: Box<Self>, context: &Context, count: usize) -> Result<Column>;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// About how many bytes it holds, beside a few for each group.
    fn bytes(&self) -> usize {
        0
    }

    /// Whether it holds no more than a number or a text for each group, and no rows and no values besides. Groups of such
    /// states may be gathered in parts, each with states of its own: no limit is over all of them.
    fn is_small(&self) -> bool {
        false
    }

    /// The state as something that can be written down and read elsewhere; none where it cannot.
    fn wire(&mut self) -> Option<&mut dyn Wire> {
        None
    }
}

/// A state that one process writes and another reads and merges: whatever the order of rows, the answer is the same.
pub trait Wire {
    fn write(&mut self, out: &mut Writer);

    /// Reads into a state that has seen no row: the states of `groups` groups.
    fn read(&mut self, input: &mut Reader, groups: usize) -> Result<()>;
}

/// The rows of an update.
pub struct Rows<'a> {
    pub context: &'a Context,
    pub groups: &'a [u32],
    /// How many groups there are by now.
    pub count: usize,
    /// The ordinal of each row: ascending within an update, unique over all updates.
    pub ordinals: &'a dyn Deref<Target = [u64]>,
}

/// Ordinals that are made when they are first asked for: most aggregates never do.
pub struct Ordinals<'a>(LazyCell<Vec<u64>, Box<dyn FnOnce() -> Vec<u64> + 'a>>);

impl<'a> Ordinals<'a> {
    pub fn new(make: impl FnOnce() -> Vec<u64> + 'a) -> Ordinals<'a> {
        Ordinals(LazyCell::new(Box::new(make)))
    }
}

impl Deref for Ordinals<'_> {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.0
    }
}

/// Makes the state for arguments of these kinds; constant arguments by position.
pub type MakeState = fn(&[Kind], &[Option<Value>]) -> Result<Box<dyn State>>;

/// An aggregate function: signature, manual page with examples, state.
pub struct Aggregate {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub dialect: Dialect,
    pub parameters: &'static [Parameter],
    pub returns: Returns,
    pub order: Order,
    /// Microsoft's automatic column name is `label_argument`; none where it is the argument's own name.
    pub label: Option<&'static str>,
    /// Whether it is cheap beside sets and lists: such aggregates are computed first when a filter names them.
    pub cheap: bool,
    pub docs: &'static str,
    /// The state for arguments of these kinds; constant arguments by position.
    pub state: MakeState,
}

impl std::fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Aggregate {
    pub fn arity(&self) -> (usize, usize) {
        let needed = self.parameters.iter().filter(|p| !p.optional).count();
        let repeats = self.parameters.iter().any(|p| p.repeats);
        (needed, if repeats { usize::MAX } else { self.parameters.len() })
    }

    pub fn result(&self, arguments: &[Kind]) -> Kind {
        self.returns.kind(arguments, &[])
    }
}

/// Every family of KQL.
static FAMILIES: &[&[Aggregate]] = &[
    count::ITEMS,
    sum::ITEMS,
    minmax::ITEMS,
    distinct::ITEMS,
    distinct_count::ITEMS,
    list::ITEMS,
    arg::ITEMS,
    percentile::ITEMS,
    bag::ITEMS,
    covariance::ITEMS,
    binary::ITEMS,
    schema::ITEMS,
    sketch::ITEMS,
];

pub fn all() -> impl Iterator<Item = &'static Aggregate> {
    FAMILIES.iter().chain(spl::FAMILIES).flat_map(|family| family.iter())
}

/// The aggregate of that name or alias. The `…if` forms are not items: the binder makes them of the
/// plain aggregate and a condition.
pub fn find(dialect: Dialect, name: &str) -> Option<&'static Aggregate> {
    static INDEX: LazyLock<HashMap<(bool, &'static str), &'static Aggregate>> = LazyLock::new(|| {
        let named = all().flat_map(|item| {
            let names = std::iter::once(&item.name).chain(item.aliases);
            names.map(move |name| ((item.dialect == Dialect::Kql, *name), item))
        });
        named.collect()
    });
    INDEX.get(&(dialect == Dialect::Kql, name)).copied()
}

/// The documented forms with a condition.
const CONDITIONAL: &[&str] = &[
    "avgif",
    "count_distinctif",
    "countif",
    "covarianceif",
    "covariancepif",
    "dcountif",
    "hll_if",
    "make_bag_if",
    "make_list_if",
    "make_set_if",
    "maxif",
    "minif",
    "stdevif",
    "sumif",
    "take_anyif",
    "varianceif",
    "variancepif",
];

/// The documented forms with a condition, each with the aggregate it is made of.
pub fn conditional() -> impl Iterator<Item = (&'static str, &'static Aggregate)> {
    CONDITIONAL.iter().filter_map(|name| Some((*name, unconditional(name)?)))
}

/// The aggregate that a form with a condition is made of: `sum` of `sumif`, `make_set` of `make_set_if`.
pub fn unconditional(name: &str) -> Option<&'static Aggregate> {
    let plain = name.strip_suffix("_if").or_else(|| name.strip_suffix("if"))?;
    find(Dialect::Kql, plain)
}

/// Which argument of the form with a condition is the condition.
pub fn condition_at(plain: &str) -> usize {
    match plain {
        "count" => 0,
        "covariance" | "covariancep" => 2,
        _ => 1,
    }
}

/// The state inside `other`, which is always of the same aggregate.
pub(crate) fn same<T: Any>(other: Box<dyn State>) -> Result<T> {
    match other.into_any().downcast::<T>() {
        Ok(state) => Ok(*state),
        Err(_) => Err(Fault::internal("states of different aggregates do not merge")),
    }
}

/// The aggregate's result over no rows at all, in one row.
pub fn over_nothing(
    aggregate: &Aggregate,
    context: &Context,
    kinds: &[Kind],
    constants: &[Option<Value>],
) -> Result<Value> {
    let column = (aggregate.state)(kinds, constants)?.finish(context, 1)?;
    Ok(gather::slice(&column, 0, 1).value(0))
}

#[macro_export]
#[doc(hidden)]
macro_rules! aggregates {
    (@label) => { None };
    (@label $label:literal) => { Some($label) };
    ($(
        $(#[doc = $doc:literal])*
        $dialect:ident $order:ident $cost:ident fn $name:ident $(as [$($alias:ident),*])? $(called $label:literal)?
            ($($arg:ident $([$mark:ident])? : $kind:ident),* $(,)?) -> $returns:ident $(($what:expr))? = $state:expr;
    )*) => {
        /// The family's aggregates.
        pub static ITEMS: &[$crate::functions::aggregates::Aggregate] = &[$(
            $crate::functions::aggregates::Aggregate {
                name: stringify!($name),
                aliases: &[$($(stringify!($alias)),*)?],
                dialect: $crate::scalars!(@dialect $dialect),
                parameters: &[$($crate::functions::Parameter {
                    name: stringify!($arg),
                    accepts: $crate::kernels!(@accepts $kind),
                    optional: $crate::kernels!(@optional $($mark)?),
                    repeats: $crate::kernels!(@repeats $($mark)?),
                }),*],
                returns: $crate::functions::Returns::$returns $(($what))?,
                order: $crate::functions::aggregates::Order::$order,
                label: $crate::aggregates!(@label $($label)?),
                cheap: $crate::aggregates!(@cheap $cost),
                docs: concat!($($doc, "\n"),*),
                state: $state,
            }
        ),*];
    };
    (@cheap cheap) => { true };
    (@cheap costly) => { false };
}

#[cfg(test)]
mod tests;
