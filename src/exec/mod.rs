//! Runs plans: pipelines over morsels on all threads, and between them the steps that must see all rows.
//!
//! [`run`] computes the tables of the roots. A node's table is computed once and shared by its readers;
//! whatever can be streamed is streamed from the sources ([`pipeline`]) into one of the sinks:
//! [`aggregate`], [`sort`], [`join`], or a table. What passes once and cannot be scanned is handed in piece by piece
//! ([`stream`]).
mod aggregate;
mod apply;
mod batch;
mod build;
mod collect;
mod drive;
mod each;
mod expand;
mod firsts;
mod group;
mod held;
mod in_place;
mod inline;
mod join;
mod keep;
mod learn;
mod optimize;
mod pipeline;
mod profile;
mod rows;
mod share;
mod sort;
mod stream;
mod wire;

pub use learn::columns as learn;
pub use profile::Profile;
pub use stream::{Gathering, GroupOrder, Made, RowWise, Taken, streams_read, travels};
pub use wire::of_another as states_of_another;

use crate::diagnostic::Result;
use crate::expr::NodeId;
use crate::functions::Context;
use crate::plan::Plan;
use crate::types::{Problem, Table};

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    pub threads: usize,
    /// Keep every step in its written place, so that the profile tells the rows after each.
    pub trace: bool,
}

/// What a run gives.
pub struct Run {
    /// The tables of the roots.
    pub tables: Vec<Table>,
    pub profile: Profile,
    /// Bad rows that readers met.
    pub problems: Vec<Problem>,
}

/// Computes the tables of `roots`. Call it inside the thread pool that should do the work.
///
/// Errors: those of expressions, readers and limits; a cancelled run.
pub fn run(plan: &Plan, roots: &[NodeId], context: &Context, options: &Options) -> Result<Run> {
    let executor = build::Executor::new(plan, roots, context, options);
    let tables = roots.iter().map(|root| executor.table(*root)).collect::<Result<Vec<_>>>()?;
    let (profile, problems) = executor.finish();
    Ok(Run { tables, profile, problems })
}
