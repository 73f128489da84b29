//! The values of a group, all or each once.
use super::super::distinct::Distinct;
use super::super::{State, list};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Column, Kind, Value, field};

/// Each value once, in the order of characters.
fn sorted(state: Distinct, _: &Context, count: usize) -> Result<Column> {
    let all: Vec<u32> = (0..state.values.len() as u32).collect();
    let texts = state.values.column(Kind::Field, &all);
    let mut order = all;
    order.sort_unstable_by_key(|number| texts.text(*number as usize));
    let mut places = vec![0u32; order.len()];
    order.iter().enumerate().for_each(|(place, number)| places[*number as usize] = place as u32);
    let mut members: Vec<(u32, u32)> =
        state.members().map(|(group, value)| (group, places.get(value as usize).copied().unwrap_or(0))).collect();
    members.sort_unstable();
    let mut offsets = vec![0u32; count + 1];
    for (group, _) in &members {
        offsets.get_mut(*group as usize + 1).into_iter().for_each(|size| *size += 1);
    }
    (1..offsets.len()).for_each(|group| offsets[group] += offsets[group - 1]);
    let numbers: Vec<u32> = members.iter().filter_map(|(_, place)| order.get(*place as usize).copied()).collect();
    Ok(field::lists(offsets, state.values.column(Kind::Field, &numbers)))
}

fn values(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Distinct::state(&[Kind::Field], usize::MAX, sorted)
}

/// The values that a list keeps.
const LISTED: usize = 100;

fn listed(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    list::list(&[Kind::Field], LISTED, false)
}

crate::aggregates! {
    /// The different values, in the order of their characters.
    ///
    /// Source: Splunk Search Reference, multivalue stats and chart functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("b,10,a,9,a", ",") | stats values(x) as x | eval x=mvjoin(x, " ") // 10 9 a b
    /// ```
    spl Free costly fn values (value: Any) -> Kind(Kind::Field) = values;

    /// All values in the order of the rows, the first 100.
    ///
    /// Source: Splunk Search Reference, multivalue stats and chart functions.
    ///
    /// ```spl
    /// | makeresults | eval x=split("b,a,b", ",") | stats list(x) as x | eval x=mvjoin(x, " ") // b a b
    /// ```
    spl Rows costly fn list (value: Any) -> Kind(Kind::Field) = listed;
}
