//! Query text in, tables out: the database that names stand in, and the run of one query over it.
//!
//! [`Database`] implements the plan's `Catalog`: tables, watchlists, saved functions, the data that stand for
//! URLs. [`query`] parses, binds, steps through schemas that only data can tell, and runs the plan; [`search`] does the
//! same for SPL.
mod complete;
mod database;
mod events;
mod files;
mod held;
mod help;
mod knowledge;
mod lookup;
mod newest;
mod places;
mod pool;
mod prepare;
mod query;
mod saved;
mod search;
mod settings;
mod steps;

pub use complete::{Completion, CompletionKind, complete};
pub use database::{Data, Database, Opener, Resolver};
pub use events::Knowledge as EventKnowledge;
pub use files::{ReadRequest, read, take_in};
pub use held::{Held, adapted};
pub use help::{Section, help, help_index};
pub use knowledge::{Knowledge, Wanted, parse_name};
pub use lookup::open_lookup;
pub use places::open as open_places;
pub use pool::{install, spawn};
pub use prepare::{Prepared, prepare};
pub use query::{Answer, Check, Now, Options, check, moment, newest_event, query, wall_clock};
pub use saved::Functions;
pub use search::{check_search, search};
pub use settings::limits;

#[cfg(test)]
mod tests;
