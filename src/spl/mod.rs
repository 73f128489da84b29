//! The SPL front end: a search's text to a plan.
//!
//! ```text
//!  text ──► expand ──────► parse ─────────► lower ──► plan
//!           macros,        commands         commands one by one,
//!           comments       between pipes    each reading its own arguments
//! ```
//!
//! Every column is of the kind `field`. Names are bound as they come: a field that the rows lack is absent in all of
//! them, and no mistake. Columns that only data can tell (`spath`, `chart`, a subsearch) are asked for with
//! [`Step::Need`]: the caller runs the plan so far, and lowers again with the answer.
//!
//! A command is one file of [`commands`], which tells how one is added.
pub mod ast;
pub mod commands;
mod expand;
mod lookup;
mod lower;
pub mod parse;
mod quoting;
mod wildcard;

pub use commands::{Entry, commands};
pub use expand::Script;
pub use lower::{Answers, FORMS, Form, Lowered, Settings, Step, expression, moment, search_condition, step};
